//! What a proxy section says, over what its `defaults` section says.

use super::facts::Facts;
use super::failing;
use super::numbers;
use super::options::ServerOptions;
use super::text::{Prefix, Statement};
use super::times::{self, Time};
use crate::defaults::haproxy as built_in;
use crate::source::{Site, Span};
use crate::syntax::haproxy::SectionId;
use crate::topology::{Balance, Known, Origin, Reason, RetryOn, Scope, Setting, Shared};
use crate::value::{DefaultRef, Version, Wait};

/// One setting on its way down.
#[derive(Clone, Debug, Default)]
pub(super) enum Slot<T> {
    /// Nobody has said anything.
    #[default]
    Nothing,
    /// Somebody has said: as if it were not set.
    Unset,
    /// A value, or why it is not known, and where it is written.
    Set(Known<T>, Site),
}

impl<T> Slot<T> {
    pub(super) fn site(&self) -> Option<Site> {
        match self {
            Self::Set(_, site) => Some(*site),
            _ => None,
        }
    }

    pub(super) fn known(&self) -> Option<&T> {
        match self {
            Self::Set(value, _) => value.known(),
            _ => None,
        }
    }
}

/// Which strategy `http-reuse` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    Never,
    Safe,
    Shared,
}

/// The settings of a `defaults`, `frontend`, `backend` or `listen` section.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile {
    /// Whether `mode http` holds.
    pub(super) http: Slot<bool>,
    pub(super) client: Slot<Wait>,
    pub(super) connect: Slot<Wait>,
    pub(super) server: Slot<Wait>,
    pub(super) queue: Slot<Wait>,
    pub(super) tunnel: Slot<Wait>,
    pub(super) check: Slot<Wait>,
    pub(super) http_request: Slot<Wait>,
    pub(super) http_keep_alive: Slot<Wait>,
    pub(super) retries: Slot<u32>,
    pub(super) maxconn: Slot<u64>,
    pub(super) redispatch: Slot<bool>,
    pub(super) retry_on: Slot<RetryOn>,
    pub(super) sharing: Slot<Sharing>,
    /// Whether server connections are closed after each answer.
    pub(super) closes: Slot<bool>,
    pub(super) balance: Slot<Balance>,
    pub(super) cookie: Option<Site>,
    pub(super) cookie_is_dynamic: bool,
    pub(super) persist: Option<Site>,
    pub(super) default_backend: Slot<Box<str>>,
    pub(super) disabled: Option<Site>,
    /// Whether `option httpchk` holds, without which `http-check` rules are ignored.
    pub(super) http_check: Slot<bool>,
    /// Where checks are made to ask in HTTP/1.1.
    pub(super) check_in_http11: Option<Site>,
    /// Whether checks send a `Host`, or may.
    pub(super) check_names_host: bool,
    /// Whether the checks' rules name a port.
    pub(super) check_port: bool,
    pub(super) servers: Shared<ServerOptions>,
    /// Why what nobody has said is not known, if so.
    pub(super) beyond: Option<Reason>,
    /// A rule on requests in the `defaults` section.
    pub(super) rule: Option<Site>,
    /// The `defaults` section, where it starts anew below another one, and that other one.
    pub(super) reset: Option<(Site, SectionId)>,
}

/// Where a section's own text stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) header: Site,
    pub(super) end: u32,
}

impl Extent {
    pub(super) fn holds(&self, site: Site) -> bool {
        let Span { file, start, .. } = site.span;
        file == self.header.span.file && start >= self.header.span.start && start < self.end
    }

    /// Where a setting of this section came from.
    pub(super) fn origin(&self, site: Site) -> Origin {
        if self.holds(site) { Origin::Written(site) } else { Origin::Inherited { at: site, scope: Scope::Shared } }
    }
}

impl Profile {
    /// What a section below a `defaults` section starts from.
    pub(super) fn handed_down(&self) -> Self {
        Self { servers: self.servers.handed_down().into(), ..self.clone() }
    }

    /// A slot as a setting of the model.
    pub(super) fn setting<T: Copy>(
        &self,
        slot: &Slot<T>,
        default: T,
        reference: &'static DefaultRef,
        extent: &Extent,
    ) -> Setting<T> {
        match slot {
            Slot::Set(value, site) => {
                Setting { value: *value, origin: extent.origin(*site), spelling: reference.setting }
            }
            Slot::Nothing => match self.beyond {
                Some(reason) => Setting::unknown(reason, extent.header, reference.setting),
                None => Setting::default(default, reference),
            },
            Slot::Unset => Setting::default(default, reference),
        }
    }

    /// A timeout that is endless when nobody has set it.
    pub(super) fn timeout(&self, slot: &Slot<Wait>, reference: &'static DefaultRef, extent: &Extent) -> Setting<Wait> {
        self.setting(slot, Wait::Forever, reference, extent)
    }

    /// Whether requests are understood as HTTP; `None`: it is decided elsewhere.
    pub(super) fn is_http(&self) -> Option<bool> {
        match &self.http {
            Slot::Set(value, _) => value.known().copied(),
            Slot::Nothing if self.beyond.is_some() => None,
            _ => Some(false),
        }
    }

    /// Reads one statement. `conditional`: only some configurations have it.
    pub(super) fn read(&mut self, statement: &Statement<'_>, conditional: bool, facts: &mut Facts) {
        let site = statement.site;
        let written = |value: Known<()>| {
            if conditional { Known::Unknown(Reason::Variable) } else { value }
        };
        let reason = match statement.live() {
            Some(reason) => Known::Unknown(reason),
            None => written(Known::Yes(())),
        };
        let word = statement.word(1);
        if numbers::OF_A_PROXY.contains(&statement.keyword())
            && let Some(arg) = statement.args.get(1)
        {
            numbers::check(statement.keyword(), arg, site, facts);
        }
        if !conditional && !facts.conditional {
            let proxy = facts.proxy;
            facts.load.faults.extend(failing::statement(statement, proxy));
        }
        match statement.keyword() {
            "mode" => self.http = set(reason, word == "http", site),
            "timeout" => self.read_timeout(statement, reason, facts),
            "retries" => self.retries = set(reason, times::count(word), site),
            // 0 is no limit; with anything but digits in it another rule speaks of it.
            "maxconn" if word == "0" => self.maxconn = Slot::Unset,
            "maxconn" => {
                let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
                let reason =
                    if digits || reason != Known::Yes(()) { reason } else { Known::Unknown(Reason::Malformed) };
                self.maxconn = set(reason, u64::from(times::count(word)), site);
            }
            "retry-on" => self.retry_on = set(reason, retry_on(statement), site),
            "http-reuse" => {
                let sharing = match word {
                    "never" => Sharing::Never,
                    "aggressive" | "always" => Sharing::Shared,
                    _ => Sharing::Safe,
                };
                self.sharing = set(reason, sharing, site);
            }
            "balance" => {
                let name = word.split('(').next().unwrap_or("");
                let balance = match name {
                    "first" => Balance::First,
                    "source" | "uri" | "url_param" | "hdr" | "rdp-cookie" | "hash" | "log-hash" | "sticky" => {
                        Balance::Hash
                    }
                    _ => Balance::Any,
                };
                self.balance = set(reason, balance, site);
            }
            "cookie" => {
                self.cookie = Some(site);
                self.cookie_is_dynamic = statement.from(2).iter().any(|arg| arg.text == "dynamic");
            }
            "default_backend" => self.default_backend = set(reason, word.into(), site),
            "disabled" if statement.args.len() == 1 && reason == Known::Yes(()) => self.disabled = Some(site),
            "enabled" => self.disabled = None,
            "tcp-check" | "http-check" if word == "connect" => {
                self.check_port |= statement.from(2).iter().any(|arg| arg.text == "port");
            }
            "http-check" if word == "send" => {
                self.check_names_host |= reason != Known::Yes(()) || failing::names_host(statement.from(2));
                let version = statement.args.iter().position(|arg| arg.text == "ver");
                if let Some(at) = version {
                    self.check_in_http11 = Some(site).filter(|_| statement.word(at + 1) == "HTTP/1.1");
                }
            }
            "option" => self.read_option(statement, reason, facts),
            "default-server" => {
                self.servers.read(statement.from(1), facts);
                if conditional {
                    self.servers.filled_in = Some(Reason::Variable);
                }
            }
            _ => {}
        }
    }

    fn read_option(&mut self, statement: &Statement<'_>, reason: Known<()>, facts: &mut Facts) {
        let on = statement.prefix == Prefix::None;
        let site = statement.site;
        match statement.word(1) {
            "redispatch" if statement.prefix == Prefix::Default => self.redispatch = Slot::Unset,
            "redispatch" => self.redispatch = set(reason, on && statement.word(2) != "0", site),
            "httpclose" | "http-server-close" | "forceclose" => self.closes = set(reason, on, site),
            "http-keep-alive" | "http-tunnel" => self.closes = set(reason, false, site),
            "httpchk" => {
                self.http_check = set(reason, on, site);
                self.check_in_http11 = Some(site).filter(|_| statement.word(4) == "HTTP/1.1");
                self.check_names_host |= reason != Known::Yes(()) || failing::names_host(statement.from(3));
                // From 3.1 on a host may stand behind the version.
                self.check_names_host |= statement.args.len() > 5;
                if statement.from(2).iter().any(|arg| arg.text.contains(['\r', '\n'])) {
                    let what = "a header behind the version of `option httpchk`";
                    let instead = Some("write `http-check send hdr Host NAME`");
                    let _ = facts.changed(what, site, (None, Some(Version(2, 8, 0))), instead);
                }
            }
            // The last kind of check that is asked for is the one that runs.
            "tcp-check" | "smtpchk" | "pgsql-check" | "mysql-check" | "redis-check" | "ldap-check"
            | "ssl-hello-chk" | "spop-check" | "external-check"
                if on =>
            {
                self.http_check = set(reason, false, site);
            }
            "persist" => self.persist = (on && reason == Known::Yes(())).then_some(site),
            _ => {}
        }
    }

    fn read_timeout(&mut self, statement: &Statement<'_>, reason: Known<()>, facts: &mut Facts) {
        let name = statement.word(1);
        let slot = match name {
            "client" => Some(&mut self.client),
            "connect" => Some(&mut self.connect),
            "server" => Some(&mut self.server),
            "queue" => Some(&mut self.queue),
            "tunnel" => Some(&mut self.tunnel),
            "http-request" => Some(&mut self.http_request),
            "http-keep-alive" => Some(&mut self.http_keep_alive),
            "check" => Some(&mut self.check),
            "client-fin" | "server-fin" | "tarpit" | "client-hs" => None,
            _ => return,
        };
        let Some(value) = statement.args.get(2) else { return };
        let time = times::read(&value.text);
        if value.live.is_none() && !facts.conditional {
            numbers::check_time(name, value, statement.site, facts);
        }
        if value.live.is_none() && !crate::value::later::is_shouted(&value.text) {
            match time {
                Time::Read { ms, bare: true } => {
                    facts.bare_number(statement.site, &format!("timeout {name}"), &value.text, ms, true);
                }
                Time::Refused => facts.refused(
                    value.site,
                    format!("HAProxy cannot read `{}` as a time", value.text),
                    "not a time, or longer than 24 days",
                    Some("write a whole number and one of us, ms, s, m, h, d: `30s`".to_owned()),
                ),
                Time::Read { .. } => {}
            }
        }
        if let Some(slot) = slot {
            *slot = match (reason, time) {
                (Known::Unknown(reason), _) => Slot::Set(Known::Unknown(reason), statement.site),
                // As good as not written: HAProxy warns of a missing timeout.
                (_, Time::Read { ms: 0, .. }) => Slot::Unset,
                (_, time) => Slot::Set(time.wait(), statement.site),
            };
        }
    }

    /// How long an idle client is kept after an answer: three settings, one behind the other.
    pub(super) fn idle(&self, extent: &Extent) -> Setting<Wait> {
        for (slot, reference) in [
            (&self.http_keep_alive, &built_in::TIMEOUT_HTTP_KEEP_ALIVE),
            (&self.http_request, &built_in::TIMEOUT_HTTP_REQUEST),
        ] {
            if matches!(slot, Slot::Set(..)) {
                return self.timeout(slot, reference, extent);
            }
            if let (Slot::Nothing, Some(reason)) = (slot, self.beyond) {
                return Setting::unknown(reason, extent.header, reference.setting);
            }
        }
        self.timeout(&self.client, &built_in::TIMEOUT_CLIENT, extent)
    }
}

fn set<T>(reason: Known<()>, value: T, site: Site) -> Slot<T> {
    match reason {
        Known::Yes(()) => Slot::Set(Known::Yes(value), site),
        Known::Unknown(reason) => Slot::Set(Known::Unknown(reason), site),
    }
}

/// The failures that `retry-on` names.
fn retry_on(statement: &Statement<'_>) -> RetryOn {
    let mut on = RetryOn::default();
    for arg in statement.from(1) {
        match &*arg.text {
            "all-retryable-errors" => on = RetryOn { connect: true, timeout: true, empty: true, status: true },
            "conn-failure" => on.connect = true,
            "response-timeout" => on.timeout = true,
            "empty-response" => on.empty = true,
            status if status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit()) => on.status = true,
            _ => {}
        }
    }
    on
}
