//! `server` and `server-template` lines: the members of a pool.

use super::address::{self, is_filled_in};
use super::facts::Facts;
use super::global::Global;
use super::names::{Kind, Names};
use super::options::{At, ServerOptions};
use super::profile::{Extent, Profile};
use super::text::{Arg, Statement};
use super::times;
use crate::defaults::haproxy as built_in;
use crate::source::Site;
use crate::syntax::haproxy::SectionKeyword;
use crate::topology::{
    ActiveCheck, CheckPace, Endpoint, Fault, FaultKind, FaultWeight, Known, Lookup, Origin, PassiveCheck, Port,
    ProxyId, Reason, ServerName, Setting, Shared, TlsClient,
};
use crate::value::{Address, DefaultRef, Host, Wait};
use std::collections::HashMap;

/// A member with what only the lowering needs to know.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) endpoint: Endpoint,
    pub(super) options: ServerOptions,
    /// The name, where it is certain.
    pub(super) name: Option<(Box<str>, Site)>,
    pub(super) is_template: bool,
    /// Whether it stands in a branch that HAProxy may pass over.
    pub(super) conditional: bool,
}

/// What a server line is read with.
pub(super) struct Surroundings<'a> {
    pub(super) proxy: ProxyId,
    pub(super) profile: &'a Profile,
    pub(super) extent: &'a Extent,
    pub(super) global: &'a Global,
    pub(super) names: &'a Names,
    /// Resolvers sections that have nobody to ask, by name.
    pub(super) empty_resolvers: &'a HashMap<Box<str>, Site>,
    /// Whether requests bring the server name for TLS by themselves; `None`: the versions differ.
    pub(super) by_host: Option<bool>,
    /// The others of this file, by name.
    pub(super) resolvers: &'a HashMap<Box<str>, Site>,
}

/// Reads a line. `None`: HAProxy would refuse it for want of words.
pub(super) fn read(statement: &Statement<'_>, with: &Surroundings<'_>, facts: &mut Facts) -> Option<Server> {
    let is_template = statement.keyword() == "server-template";
    let at = if is_template { 3 } else { 2 };
    let Some(word) = statement.args.get(at) else {
        // With a variable in it, the line may have more words than are seen.
        if statement.live().is_none() {
            facts.refused(
                statement.site,
                format!("this `{}` line names no address", statement.keyword()),
                "words are missing",
                Some(
                    if is_template {
                        "write `server-template name 3 host:port`"
                    } else {
                        "write `server name host:port`"
                    }
                    .to_owned(),
                ),
            );
        }
        return None;
    };
    let mut options = ServerOptions::clone(&with.profile.servers);
    if word.live.is_some() && word.text.contains("[*]") {
        options.filled_in = word.live;
    }
    options.read(statement.from(at + 1), facts);
    let read = address::server(word);
    let strict = facts.reach(3, 0) == Some(true);
    if let Some(fault) = read.fault {
        facts.malformed(word.site, fault.where_junk_is_refused(strict), None);
    }
    if let Some((value, set)) = variable(word, with) {
        let other = Some((set, "set here, with blanks".to_owned()));
        facts.malformed(word.site, address::not_split(&word.text, value).where_junk_is_refused(strict), other);
    }
    unset(word, with, facts);
    let name = statement.args.get(1).filter(|arg| is_filled_in(arg).is_none());
    let ssl = options.ssl.as_ref().filter(|(on, _)| *on).map(|(_, site)| *site);
    // Options that are filled in may hold `ssl`: then the port says nothing of what is spoken there.
    let port = match options.filled_in {
        Some(reason) if ssl.is_none() => Known::Unknown(reason),
        _ => read.port,
    };
    let lookup = lookup(&read.address, &read.port, &options, statement.site, with);
    let never = matches!(&read.address, Known::Yes(Address::Net(host)) if host.can_never_exist());
    let at_start = matches!(lookup, Lookup::AtStart | Lookup::AtStartOrNever { .. });
    if is_template && at_start && !never && !facts.conditional {
        one_address(statement, word, with, facts);
    }
    let endpoint = Endpoint {
        proxy: with.proxy,
        pool: None,
        site: statement.site,
        address_site: word.site,
        name: name.map(|arg| arg.text.as_ref().into()),
        address: read.address,
        port,
        lookup,
        backup: options.backup,
        down: options.down,
        weight: option(&options.weight, 1, &built_in::WEIGHT, &options, with),
        refuses_over: None,
        takes: options
            .maxconn
            .filter(|(limit, _)| *limit > 0 && options.filled_in.is_none())
            .map(|(limit, site)| Box::new(Setting::written(limit, site, "maxconn"))),
        check: check(&options, with),
        passive: passive(&options, with).map(Shared::from),
        tls: ssl.map(|site| Box::new(tls(site, &options, with))),
        // An option that is filled in may be that one.
        send_proxy: Some(options.send_proxy).filter(|sent| *sent || options.filled_in.is_none()),
        leads_to: None,
    };
    let name = name.map(|arg| (arg.text.as_ref().into(), arg.site));
    Some(Server { endpoint, options, name, is_template, conditional: facts.conditional })
}

/// The value of a variable that is the whole address, where the lines above set it to several words.
fn variable<'a>(word: &Arg<'_>, with: &Surroundings<'a>) -> Option<(&'a str, Site)> {
    let inner = word.text.strip_prefix('$').filter(|_| word.live == Some(Reason::Variable))?;
    let name = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner);
    let (value, site) = with.global.variables.get(name)?;
    let above = site.span.start < word.site.span.start;
    (above && value.trim_end().contains(' ')).then_some((value, *site))
}

/// Notes a template whose servers all get one address. Measured on 2.6.12 with `show servers state`.
fn one_address(statement: &Statement<'_>, word: &Arg<'_>, with: &Surroundings<'_>, facts: &mut Facts) {
    let Some(count) = statement.args.get(2).filter(|arg| is_filled_in(arg).is_none()) else { return };
    let number = match count.text.split_once('-') {
        Some((first, last)) => match (first.parse::<u32>(), last.parse::<u32>()) {
            (Ok(first), Ok(last)) => last.saturating_sub(first).saturating_add(1),
            _ => 0,
        },
        None => count.text.parse().unwrap_or(0),
    };
    if number < 2 {
        return;
    }
    let message = format!(
        "the {number} servers of this template can all be one machine: each takes the first address that the name has \
         at start"
    );
    let fault = Fault::new(FaultKind::OneAddress, with.proxy, (word.site, "looked up without resolvers"), message)
        .why(
            "without `resolvers` HAProxy does not spread the addresses of a name over the servers of a template; when \
             that one machine is down, all of them are",
        )
        .help("add `resolvers NAME` with a section that has name servers, or write a `server` line for each machine")
        .weight(FaultWeight::MayFail, true);
    facts.load.faults.push(fault);
}

/// Notes the first variable of an address that nothing here sets. Whoever starts HAProxy may set it.
fn unset(word: &Arg<'_>, with: &Surroundings<'_>, facts: &mut Facts) {
    if word.live != Some(Reason::Variable) || facts.conditional {
        return;
    }
    for (at, _) in word.text.match_indices('$').take(4) {
        let rest = &word.text[at + 1..];
        let inner = rest.strip_prefix('{').unwrap_or(rest);
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let (name, after) = inner.split_at(end);
        // With a default it is never empty; its own variables HAProxy sets itself.
        let harmless = name.is_empty() || after.starts_with('-') || name.starts_with("HAPROXY_") || name == "HOSTNAME";
        if harmless || !with.global.lacks(name) || !facts.told_unset.insert(name.into()) {
            continue;
        }
        let shown: String = name.chars().take(60).collect();
        let fault = Fault::new(
            FaultKind::UnsetVariable,
            with.proxy,
            (word.site, "has no default"),
            format!("if `{shown}` is not set where HAProxy starts, this server has another address, without a word"),
        )
        .help(format!("write a default, `\"${{{shown}-127.0.0.1}}\"`, or `presetenv {shown} …` in `global`"))
        .weight(FaultWeight::Remark, false);
        facts.load.faults.push(fault);
    }
}

/// Why an option that is not there may be there, if so.
fn beyond(options: &ServerOptions, with: &Surroundings<'_>) -> Option<Reason> {
    options.filled_in.or(with.profile.beyond)
}

fn option<T: Copy>(
    at: &At<T>,
    default: T,
    reference: &'static DefaultRef,
    options: &ServerOptions,
    with: &Surroundings<'_>,
) -> Setting<T> {
    match (at, beyond(options, with)) {
        (Some((value, site)), _) => {
            Setting { value: Known::Yes(*value), origin: with.extent.origin(*site), spelling: reference.setting }
        }
        (None, Some(reason)) => Setting::unknown(reason, with.extent.header, reference.setting),
        (None, None) => Setting::default(default, reference),
    }
}

fn check(options: &ServerOptions, with: &Surroundings<'_>) -> ActiveCheck {
    let enabled = match (&options.check, beyond(options, with)) {
        (Some((true, _)), _) => Known::Yes(true),
        (Some((false, _)), _) if options.filled_in.is_none() => Known::Yes(false),
        (_, Some(reason)) => Known::Unknown(reason),
        _ => Known::Yes(false),
    };
    let follows = options.track.is_some() || options.agent_check.as_ref().is_some_and(|(on, _)| *on);
    ActiveCheck {
        stray_setting: options.of_a_check.filter(|_| enabled != Known::Yes(true) && !follows),
        enabled,
        site: options.check.as_ref().map(|(_, site)| *site),
        follows,
        own_port: options.check_port,
        asks_port: options.port_of_check.filter(|_| !options.check_addr),
        possible: true,
        pace: pace(options, with).map(Box::new),
    }
}

/// How often the check asks, where something of that is written.
fn pace(options: &ServerOptions, with: &Surroundings<'_>) -> Option<CheckPace> {
    fn written<T: Copy>(at: &At<Known<T>>, spelling: &'static str, with: &Surroundings<'_>) -> Option<Setting<T>> {
        at.as_ref().map(|(value, site)| Setting { value: *value, origin: with.extent.origin(*site), spelling })
    }
    if options.inter.is_none() && options.fall.is_none() && options.fastinter.is_none() {
        return None;
    }
    // What is not written is built in, unless it may be written where nobody sees it.
    fn or<T: Copy>(
        found: Option<Setting<T>>,
        default: Option<T>,
        reference: &'static DefaultRef,
        options: &ServerOptions,
        with: &Surroundings<'_>,
    ) -> Setting<T> {
        match (found, default) {
            (Some(setting), _) => setting,
            (None, Some(default)) => option(&None, default, reference, options, with),
            (None, None) => Setting::unknown(Reason::Malformed, with.extent.header, reference.setting),
        }
    }
    let (inter, fall) = (&built_in::INTER, &built_in::FALL);
    Some(CheckPace {
        interval: or(
            written(&options.inter, inter.setting, with),
            times::read(inter.value).wait().known().copied(),
            inter,
            options,
            with,
        ),
        after_failure: written(&options.fastinter, "fastinter", with),
        failures: or(written(&options.fall, fall.setting, with), fall.value.parse().ok(), fall, options, with),
    })
}

/// `observe` with a reaction that takes the server out by itself: the others only add to what the check finds.
fn passive(options: &ServerOptions, with: &Surroundings<'_>) -> Option<PassiveCheck> {
    let (layer, _) = options.observe.as_ref()?;
    // Without a check it is accepted and does nothing.
    options.check.as_ref().filter(|(on, _)| *on)?;
    let (reaction, site) = options.on_error.as_ref()?;
    // With `sudden-death` a second series of errors is the failed check that it waits for (measured on 2.6.12).
    let series = match &**reaction {
        "mark-down" => 1,
        "sudden-death" => 2,
        _ => return None,
    };
    if options.filled_in.is_some() {
        return None;
    }
    let mut max_fails = option(&options.error_limit, 10, &built_in::ERROR_LIMIT, options, with);
    if let Known::Yes(fails) = &mut max_fails.value {
        *fails = fails.saturating_mul(series);
    }
    Some(PassiveCheck {
        max_fails,
        fail_timeout: Setting {
            value: Known::Yes(Wait::Forever),
            origin: Origin::Implied(*site),
            spelling: built_in::OBSERVE_UNTIL.setting,
        },
        counts_answers: &**layer == "layer7",
    })
}

fn tls(site: Site, options: &ServerOptions, with: &Surroundings<'_>) -> TlsClient {
    let server_name = match (&options.sni, beyond(options, with)) {
        (Some((value, at)), _) => Setting { value: value.clone(), origin: with.extent.origin(*at), spelling: "sni" },
        (None, Some(reason)) => Setting::unknown(reason, with.extent.header, "sni"),
        // From 3.3 on HTTP takes the name from the Host header.
        (None, None) if with.by_host == Some(true) && with.profile.is_http() == Some(true) => {
            Setting::default(ServerName::FromHost, &built_in::SNI_FROM_3_3)
        }
        (None, None) => Setting::default(ServerName::Nothing, &built_in::SNI),
    };
    let verify = match (&options.verify, beyond(options, with)) {
        (Some((value, at)), _) => {
            Setting { value: Known::Yes(*value), origin: with.extent.origin(*at), spelling: "verify" }
        }
        (None, Some(reason)) => Setting::unknown(reason, with.extent.header, "verify"),
        (None, None) => with.global.verify(with.extent.header),
    };
    let unsaid = Reason::OutsideRepository;
    TlsClient {
        site,
        server_name,
        verify,
        checked_name: Known::Unknown(unsaid),
        trust: Known::Unknown(unsaid),
        certificate: Known::Unknown(unsaid),
        versions: Setting::unknown(unsaid, site, "ssl-min-ver"),
        ciphers: None,
    }
}

fn lookup(
    address: &Known<Address>,
    port: &Known<Port>,
    options: &ServerOptions,
    line: Site,
    with: &Surroundings<'_>,
) -> Lookup {
    if !matches!(address, Known::Yes(Address::Net(Host::Name(_)))) {
        return Lookup::NotNeeded;
    }
    if let Some((name, _)) = &options.resolvers {
        return match with.empty_resolvers.get(name) {
            Some(&site) => Lookup::NoResolver { site, refused: false },
            None => Lookup::Repeated { resolver: with.resolvers.get(name).copied() },
        };
    }
    if beyond(options, with).is_some() {
        return Lookup::NotNeeded;
    }
    let methods = options.init_addr.as_ref().map_or("last,libc", |(methods, _)| methods);
    let last = methods.rsplit(',').next().unwrap_or("").trim();
    let never = methods.split(',').any(|method| method.trim() == "none");
    if *port == Known::Yes(Port::None) {
        // A record of services is found through a resolver only.
        return Lookup::NoResolver { site: line, refused: !never };
    }
    match &options.init_addr {
        Some((_, site)) if never => Lookup::AtStartOrNever { site: *site },
        // A fixed address of last resort.
        _ if last.parse::<std::net::IpAddr>().is_ok() => Lookup::NotNeeded,
        _ => Lookup::AtStart,
    }
}

/// Whether the resolvers section that a server names exists, as far as can be seen.
pub(super) fn names_resolvers(options: &ServerOptions, with: &Surroundings<'_>) -> Option<(Box<str>, Site)> {
    let (name, site) = options.resolvers.as_ref()?;
    // From 2.6 on a section of this name is made from /etc/resolv.conf.
    let known = &**name == "default" || with.names.may_have(Kind::Section(SectionKeyword::Resolvers), name);
    (!known).then(|| (name.clone(), *site))
}
