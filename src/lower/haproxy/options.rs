//! The words behind a server's address: a flat list of options, each with its arguments.

use super::address::is_filled_in;
use super::facts::Facts;
use super::numbers;
use super::rules::server_name;
use super::text::Arg;
use super::times::{self, Time};
use crate::defaults::haproxy_keywords::{self, LineOption};
use crate::source::Site;
use crate::topology::{Known, Reason, ServerName};
use crate::value::Wait;

/// Settings of a check: written without one, somebody meant to have one.
const OF_A_CHECK: [&str; 18] = [
    "inter",
    "fastinter",
    "downinter",
    "rise",
    "fall",
    "port",
    "addr",
    "check-ssl",
    "check-sni",
    "check-send-proxy",
    "check-proto",
    "check-alpn",
    "check-via-socks4",
    "slowstart",
    "observe",
    "on-error",
    "on-marked-down",
    "on-marked-up",
];

/// Options with a time in milliseconds.
const TIMES: [&str; 8] =
    ["inter", "fastinter", "downinter", "agent-inter", "slowstart", "pool-purge-delay", "tcp-ut", "idle-ping"];

/// A value and where it is written.
pub(super) type At<T> = Option<(T, Site)>;

/// The options of a server, or those that `default-server` lines have given so far.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerOptions {
    pub(super) check: At<bool>,
    pub(super) agent_check: At<bool>,
    pub(super) track: At<Box<str>>,
    pub(super) observe: At<Box<str>>,
    pub(super) error_limit: At<u32>,
    pub(super) on_error: At<Box<str>>,
    pub(super) backup: bool,
    pub(super) down: Option<Site>,
    pub(super) weight: At<u32>,
    pub(super) ssl: At<bool>,
    pub(super) verify: At<bool>,
    pub(super) sni: At<Known<ServerName>>,
    pub(super) send_proxy: bool,
    pub(super) resolvers: At<Box<str>>,
    pub(super) init_addr: At<Box<str>>,
    pub(super) has_maxconn: bool,
    /// How many connections it takes at once; 0: as many as come.
    pub(super) maxconn: Option<(u32, Site)>,
    /// Whether the check has a port of its own.
    pub(super) check_port: bool,
    pub(super) pool_off: Option<Site>,
    pub(super) purge_delay: At<Known<Wait>>,
    pub(super) proto: At<Box<str>>,
    pub(super) cookie: bool,
    /// A setting of a check, in this section.
    pub(super) of_a_check: Option<Site>,
    /// Why more may stand here than is written, if so.
    pub(super) filled_in: Option<Reason>,
    pub(super) ca_file: bool,
    pub(super) agent_port: bool,
    pub(super) check_ssl: Option<Site>,
    pub(super) check_sni: bool,
    /// Whether checks speak a protocol of their own.
    pub(super) check_proto: bool,
    pub(super) check_send_proxy: bool,
    pub(super) check_addr: bool,
    pub(super) port_of_check: Option<u16>,
    pub(super) inter: At<Known<Wait>>,
    pub(super) fastinter: At<Known<Wait>>,
    pub(super) fall: At<Known<u32>>,
}

impl ServerOptions {
    /// What a `defaults` section hands down.
    pub(super) fn handed_down(&self) -> Self {
        // Settings of a check in `defaults` are for those servers that have one.
        Self { of_a_check: None, ..self.clone() }
    }

    /// Reads the words behind an address, over what is there.
    pub(super) fn read(&mut self, args: &[Arg<'_>], facts: &mut Facts) {
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if let Some(reason) = is_filled_in(arg) {
                // One variable may hold many options. Outside quotes HAProxy expands none here, but other tools do.
                self.filled_in = Some(reason);
                continue;
            }
            let word = &*arg.text;
            if OF_A_CHECK.contains(&word) {
                self.of_a_check = Some(arg.site);
            }
            self.check_proto |= matches!(word, "check-proto" | "check-alpn");
            if matches!(word, "from" | "name") {
                // Named `default-server` lines (3.5): what they hold may be anything.
                self.filled_in = Some(Reason::OutsideRepository);
                rest.next();
                continue;
            }
            let known = haproxy_keywords::server_option(word);
            if let Some(option) = known {
                changed(option, arg, "server", facts);
            }
            match known {
                Some(option) if option.arguments == 0 => self.flag(word, arg.site),
                Some(_) => {
                    let Some(value) = rest.next() else { break };
                    self.setting(arg, value, facts);
                }
                None => {
                    if !word.is_empty() {
                        facts.unknown_option("server", arg, haproxy_keywords::nearest_server_option);
                    }
                    // HAProxy stops reading here.
                    break;
                }
            }
        }
    }

    fn flag(&mut self, word: &str, site: Site) {
        match word {
            "check" => self.check = Some((true, site)),
            "no-check" => self.check = Some((false, site)),
            "agent-check" => self.agent_check = Some((true, site)),
            "no-agent-check" => self.agent_check = Some((false, site)),
            "backup" => self.backup = true,
            "no-backup" => self.backup = false,
            "disabled" => self.down = Some(site),
            "enabled" => self.down = None,
            "ssl" => self.ssl = Some((true, site)),
            "sni-auto" => self.sni = Some((Known::Yes(ServerName::FromHost), site)),
            "no-sni-auto" => self.sni = Some((Known::Yes(ServerName::Nothing), site)),
            "no-ssl" => self.ssl = Some((false, site)),
            "check-ssl" => self.check_ssl = Some(site),
            "no-check-ssl" => self.check_ssl = None,
            "check-send-proxy" => self.check_send_proxy = true,
            "no-check-send-proxy" => self.check_send_proxy = false,
            _ if word.starts_with("send-proxy") => self.send_proxy = true,
            _ if word.starts_with("no-send-proxy") => self.send_proxy = false,
            _ => {}
        }
    }

    fn setting(&mut self, option: &Arg<'_>, value: &Arg<'_>, facts: &mut Facts) {
        let (word, text) = (&*option.text, &*value.text);
        let at = facts.join(option.site, value.site);
        match word {
            "ca-file" => self.ca_file = true,
            "agent-port" => self.agent_port = true,
            "check-sni" => self.check_sni = true,
            "addr" => self.check_addr = true,
            "port" => self.port_of_check = text.parse().ok().filter(|_| value.live.is_none()),
            _ => {}
        }
        if let Some(reason) = value.live {
            match word {
                "weight" | "maxconn" | "init-addr" | "resolvers" | "track" | "verify" | "observe" | "on-error"
                | "error-limit" | "proto" => self.filled_in = Some(reason),
                "sni" => self.sni = Some((Known::Unknown(reason), at)),
                "pool-purge-delay" => self.purge_delay = Some((Known::Unknown(reason), at)),
                "inter" => self.inter = Some((Known::Unknown(reason), at)),
                "fastinter" => self.fastinter = Some((Known::Unknown(reason), at)),
                "fall" => self.fall = Some((Known::Unknown(reason), at)),
                _ => {}
            }
            return;
        }
        if TIMES.contains(&word)
            && let Time::Read { ms, bare: true } = times::read(text)
        {
            facts.bare_number(at, word, text, ms, false);
        }
        if numbers::OF_A_SERVER.contains(&word) {
            numbers::check(word, value, at, facts);
        }
        match word {
            "track" => self.track = Some((text.into(), at)),
            "observe" => self.observe = Some((text.into(), at)),
            "on-error" => self.on_error = Some((text.into(), at)),
            "error-limit" => self.error_limit = Some((times::count(text), at)),
            "weight" => self.weight = Some((times::count(text), at)),
            "verify" => self.verify = Some((text != "none", at)),
            "sni" => self.sni = Some((Known::Yes(server_name(text)), at)),
            "resolvers" => self.resolvers = Some((text.into(), at)),
            "init-addr" => self.init_addr = Some((text.into(), at)),
            "port" => self.check_port = true,
            "maxconn" => {
                self.has_maxconn = times::count(text) > 0;
                self.maxconn = Some((times::count(text), at));
            }
            "pool-max-conn" | "max-reuse" => self.pool_off = (text == "0").then_some(at),
            "pool-purge-delay" => self.purge_delay = Some((times::read(text).wait(), at)),
            "inter" => self.inter = Some((times::read(text).wait(), at)),
            "fastinter" => self.fastinter = Some((times::read(text).wait(), at)),
            "fall" => self.fall = Some((Known::Yes(times::count(text)), at)),
            "proto" => self.proto = Some((text.into(), at)),
            "cookie" => self.cookie = true,
            _ => {}
        }
    }
}

/// Notes an option that came with a version or went with one.
pub(super) fn changed(option: &LineOption, arg: &Arg<'_>, line: &str, facts: &mut Facts) {
    if option.since.is_some() || option.removed.is_some() {
        let what = format!("`{}` on a `{line}` line", option.word);
        let _ = facts.changed(&what, arg.site, (option.since, option.removed), None);
    }
}
