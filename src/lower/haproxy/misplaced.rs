//! Statements that HAProxy ignores or refuses where they stand.

use super::file::File;
use super::profile::Slot;
use super::section::Section;
use super::text::{Prefix, Statement};
use crate::edit::{Edit, Fix};
use crate::source::Site;
use crate::syntax::haproxy::SectionKeyword;
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect};

/// A timeout of the other side.
pub(super) fn timeout(file: &mut File<'_>, section: &mut Section, statement: &Statement<'_>) {
    if statement.keyword() != "timeout" || statement.live().is_some() || file.facts.conditional {
        return;
    }
    let name = statement.word(1);
    let (here, there) = match (section.keyword, name) {
        (SectionKeyword::Frontend, "server" | "connect" | "check" | "queue" | "server-fin" | "tunnel") => {
            ("frontend", "the backends that this frontend uses")
        }
        (SectionKeyword::Backend, "client" | "client-fin") => ("backend", "the frontends that use this backend"),
        _ => return,
    };
    let fault = match name {
        "tunnel" => Fault::new(
            FaultKind::ShortTunnel,
            file.facts.proxy,
            (statement.site, "ignored"),
            "`timeout tunnel` is ignored in a frontend, so quiet websockets are cut by `timeout client` or `server`",
        ),
        _ => Fault::new(
            FaultKind::Misplaced,
            file.facts.proxy,
            (statement.site, "ignored"),
            format!("`timeout {name}` is ignored in a {here}"),
        ),
    };
    let fault = fault.other(section.extent.header, format!("this is a {here}"));
    let fault = fault.help(format!("move it into {there}, or into `defaults`"));
    section.faults.push(fault.weight(FaultWeight::MayFail, true));
}

/// A statement of the other side, which HAProxy refuses or ignores with a warning (each measured on 2.6.12). Those whose
/// loss nobody notices are passed over.
pub(super) fn other_side(file: &File<'_>, section: &mut Section, statement: &Statement<'_>) {
    if statement.prefix != Prefix::None || statement.live().is_some() || file.facts.conditional {
        return;
    }
    let (keyword, second) = (statement.keyword(), statement.word(1));
    let (here, refused) = match (section.keyword, keyword) {
        (SectionKeyword::Frontend, "server" | "server-template" | "default-server" | "retry-on" | "use-server") => {
            ("frontend", true)
        }
        (
            SectionKeyword::Frontend,
            "balance" | "cookie" | "http-reuse" | "hash-type" | "fullconn" | "http-check" | "tcp-check" | "stick"
            | "retries" | "dispatch" | "source",
        ) => ("frontend", false),
        (SectionKeyword::Frontend, "option") => match second {
            "httpchk" | "tcp-check" | "ssl-hello-chk" | "redispatch" | "persist" | "allbackups" | "abortonclose"
            | "prefer-last-server" | "transparent" => ("frontend", false),
            _ => return,
        },
        (SectionKeyword::Backend, "default_backend" | "use_backend") => ("backend", true),
        (SectionKeyword::Backend, "tcp-request") if matches!(second, "connection" | "session") => ("backend", true),
        (SectionKeyword::Backend, "bind" | "maxconn" | "monitor-uri" | "monitor" | "rate-limit") => ("backend", false),
        _ => return,
    };
    let shown =
        if matches!(keyword, "option" | "tcp-request") { format!("{keyword} {second}") } else { keyword.into() };
    let mut fault = Fault::new(
        FaultKind::Misplaced,
        file.facts.proxy,
        (statement.site, if refused { "refused" } else { "ignored" }),
        match refused {
            true => format!("HAProxy does not start: `{shown}` may not stand in a {here}"),
            false => format!("`{shown}` is ignored in a {here}"),
        },
    )
    .other(section.extent.header, format!("this is a {here}"))
    .help(match here {
        "frontend" => "move it into the backend that it is meant for; `listen` is both in one",
        _ => "move it into the frontend that it is meant for; `listen` is both in one",
    });
    if refused {
        fault = fault.effect(LoadEffect::Refused);
    }
    section.faults.push(fault.weight(FaultWeight::MayFail, true));
}

/// `default-server` lines below the last server.
#[derive(Debug, Default)]
pub(super) struct Late(Option<Site>);

impl Late {
    /// Looks at a statement.
    pub(super) fn read(&mut self, statement: &Statement<'_>, section: &Section) {
        match statement.keyword() {
            "default-server" if !section.servers.is_empty() => {
                self.0.get_or_insert(statement.site);
            }
            "server" | "server-template" => self.0 = None,
            _ => {}
        }
    }

    /// Notes the first of them.
    pub(super) fn finish(self, file: &File<'_>, section: &mut Section) {
        let Some(site) = self.0.filter(|_| !file.template && !section.open_ended) else { return };
        let mut fault = Fault::new(
            FaultKind::Misplaced,
            file.facts.proxy,
            (site, "no server below it"),
            "this `default-server` acts on no server: it is for the lines below it",
        )
        .why("a server takes over what the `default-server` lines above it say, and nothing of those below")
        .help("move it above the first `server` line");
        if let Some(first) = section.servers.first() {
            // Checks that begin may take servers out: not without a look at it.
            let edit = Edit::Lift { statement: site.span, above: first.endpoint.site.span };
            fault = fault.fix(Fix::guess("move it above the first `server` line", [edit]));
        }
        for server in section.servers.iter().take(4) {
            fault = fault.other(server.endpoint.site, "has nothing of it");
        }
        section.faults.push(fault.weight(FaultWeight::MayFail, true));
    }
}

/// Whether a statement is a rule on requests, which few `defaults` sections may hold.
pub(super) fn is_rule(statement: &Statement<'_>) -> bool {
    let rule = matches!(
        statement.keyword(),
        "http-request" | "http-response" | "http-after-response" | "tcp-request" | "tcp-response"
    );
    rule && statement.prefix == Prefix::None && statement.live().is_none() && statement.condition.is_none()
}

/// A rule in a `defaults` section without a name.
pub(super) fn anonymous(file: &mut File<'_>, rule: Site, header: Site) {
    let fault = Fault::new(
        FaultKind::Misplaced,
        file.facts.proxy,
        (rule, "not allowed here"),
        "HAProxy does not start: a `defaults` section without a name cannot hold rules on requests",
    )
    .other(header, "has no name")
    .effect(LoadEffect::Refused)
    .why("up to 2.4 no `defaults` section can, from 2.5 on those with a name")
    .help("move the rule into the frontends or backends that need it");
    file.facts.load.faults.push(fault.weight(FaultWeight::MayFail, true));
}

/// Sections that use a `defaults` section with rules.
#[derive(Debug, Default)]
pub(super) struct Users {
    frontend: Option<Site>,
    backend: Option<Site>,
    told: bool,
}

/// Notes a section that must not use the rules it inherits.
pub(super) fn shared(file: &mut File<'_>, section: &Section) {
    let Some(rule) = section.profile.rule.filter(|_| section.condition.is_none() && !file.template) else { return };
    let header = section.extent.header;
    let users = file.rule_users.entry(rule).or_default();
    match section.keyword {
        SectionKeyword::Frontend => users.frontend = users.frontend.or(Some(header)),
        SectionKeyword::Backend => users.backend = users.backend.or(Some(header)),
        _ => {}
    }
    let clash = match (section.keyword, users.frontend, users.backend) {
        (SectionKeyword::Listen, ..) => vec![(header, "this `listen` section inherits it")],
        (_, Some(front), Some(back)) => vec![(front, "a frontend inherits it"), (back, "and a backend, too")],
        _ => return,
    };
    if std::mem::replace(&mut users.told, true) {
        return;
    }
    let mut fault = Fault::new(
        FaultKind::Misplaced,
        file.facts.proxy,
        (rule, "a rule in `defaults`"),
        "HAProxy does not start: rules in `defaults` may serve either frontends or backends, not both",
    )
    .effect(LoadEffect::Refused)
    .why("each side would run the rule, so HAProxy refuses it; a `listen` section is both sides at once")
    .help("move the rule into the sections that need it, or use one `defaults` section for each side");
    for (site, text) in clash {
        fault = fault.other(site, text);
    }
    file.facts.load.faults.push(fault.weight(FaultWeight::MayFail, true));
}

/// Notes a `defaults` section that drops what an earlier one set and a section below it needs.
pub(super) fn reset(file: &mut File<'_>, section: &Section) {
    let profile = &section.profile;
    let Some((header, before)) = profile.reset else { return };
    let unsure = file.template || profile.beyond.is_some() || profile.disabled.is_some() || section.condition.is_some();
    if unsure || file.told_reset.contains(&header) {
        return;
    }
    let Some(before) = file.profiles.get(&before) else { return };
    let lost = |was: &Slot<_>, is: &Slot<_>| was.site().filter(|_| matches!(is, Slot::Nothing));
    let (asks, is_asked) = (section.serves() && !section.servers.is_empty(), !section.binds.is_empty());
    let mode = before
        .http
        .site()
        .filter(|_| before.http.known() == Some(&true) && matches!(profile.http, Slot::Nothing) && section.speaks_http);
    let named = section.servers.iter().any(|server| {
        server.options.init_addr.is_none()
            && server.options.resolvers.is_none()
            && server.options.filled_in.is_none()
            && server.endpoint.host_name().is_some()
    });
    let found = [
        (mode, "mode http"),
        (lost(&before.connect, &profile.connect).filter(|_| asks), "timeout connect"),
        (lost(&before.server, &profile.server).filter(|_| asks), "timeout server"),
        (lost(&before.client, &profile.client).filter(|_| is_asked), "timeout client"),
        (before.servers.init_addr.as_ref().map(|(_, site)| *site).filter(|_| named), "init-addr"),
    ];
    let Some((site, what)) = found.into_iter().find_map(|(site, what)| Some((site?, what))) else { return };
    let fault = Fault::new(
        FaultKind::Misplaced,
        file.facts.proxy,
        (header, "starts from the built-in values"),
        format!("`{what}` of the first `defaults` section is lost below this one"),
    )
    .other(site, "holds only down to the next `defaults`")
    .other(section.extent.header, "has to do without")
    .why("a `defaults` section does not add to the one above it: it replaces it")
    .help("write it again, or give the first a name and continue it: `defaults other from base` (2.4 and later)");
    file.facts.load.faults.push(fault.weight(FaultWeight::MayFail, false));
    file.told_reset.insert(header);
}
