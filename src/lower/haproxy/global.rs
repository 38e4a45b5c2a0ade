//! The `global` section: settings of the process.

use super::facts::Facts;
use super::numbers;
use super::paths::Base;
use super::text::{Prefix, Source, Statement};
use super::times;
use crate::defaults::haproxy as built_in;
use crate::source::Site;
use crate::syntax::haproxy::{SectionKeyword, Tree};
use crate::topology::{Counts, Known, Limits, Origin, Reason, ResponseBuffers, Scope, Setting};
use crate::value::{ByteSize, Version, Versions};
use std::collections::{HashMap, HashSet};

/// What an answer's header may have of a buffer where nothing is written.
const USUAL: ByteSize = ByteSize(16384 - 1024);

type At<T> = Option<(Known<T>, Site)>;

/// What rules need of it.
#[derive(Debug, Default)]
pub(super) struct Global {
    bufsize: At<u64>,
    maxrewrite: At<u64>,
    maxhdr: At<u32>,
    maxconn: At<u64>,
    files: At<u64>,
    /// Whether it is to start although the system grants less than it needs.
    lenient: bool,
    verify: At<bool>,
    /// Where two listeners on one address are forbidden.
    pub(super) no_reuse_port: Option<Site>,
    /// The folder that becomes the root, once the listeners are open.
    pub(super) chroot: Option<(Box<str>, Site)>,
    /// The user and the group as which HAProxy goes on.
    pub(super) user: Option<(Box<str>, Site)>,
    pub(super) group: Option<(Box<str>, Site)>,
    /// Whether these are given as numbers or not to be known.
    pub(super) ids: bool,
    /// Whether `unix-bind` says something of all sockets.
    pub(super) unix_bind: bool,
    /// What relative paths are relative to.
    pub(super) base: Option<Base>,
    /// Variables of the environment that are set here: the value and the statement.
    pub(super) variables: HashMap<Box<str>, (Box<str>, Site)>,
    /// Variables that are perhaps set here, in a branch say.
    pub(super) perhaps_set: HashSet<Box<str>>,
    /// Whether the file asks which variables there are.
    pub(super) asks_variables: bool,
    /// Why what nobody has said is not known, if so.
    beyond: Option<Reason>,
}

impl Global {
    /// Reads all `global` sections of a file: their lines add up. `beyond`: why there may be others.
    pub(super) fn read(source: &Source, tree: &Tree, beyond: Option<Reason>, facts: &mut Facts) -> Self {
        let asks_variables = source.file.text().contains("defined(");
        let mut global = Self { beyond, asks_variables, ..Self::default() };
        let mut statement = Statement::new();
        for (id, section) in tree.sections() {
            if section.keyword != SectionKeyword::Global {
                continue;
            }
            for (line, _) in tree.lines_of(id) {
                source.read(tree, line, &mut statement);
                let site = statement.site;
                let reason =
                    statement.live().or((statement.condition != section.condition).then_some(Reason::Variable));
                let number = |text: &str| match reason {
                    Some(reason) => Known::Unknown(reason),
                    // With a suffix this is a crash in older releases and a size in newer ones.
                    None if !text.bytes().all(|byte| byte.is_ascii_digit()) => Known::Unknown(Reason::Malformed),
                    None => Known::Yes(u64::from(times::count(text))),
                };
                let value = statement.word(1);
                if numbers::OF_THE_PROCESS.contains(&statement.keyword())
                    && reason.is_none()
                    && let Some(arg) = statement.args.get(1)
                {
                    numbers::check_of_the_process(statement.keyword(), arg, site, facts);
                }
                match statement.keyword() {
                    "tune.bufsize" => global.bufsize = Some((number(value), site)),
                    "maxconn" => global.maxconn = Some((number(value), site)),
                    "fd-hard-limit" => global.files = Some((number(value), site)),
                    "strict-limits" => global.lenient = statement.prefix == Prefix::No,
                    "tune.maxrewrite" => global.maxrewrite = Some((number(value), site)),
                    "tune.http.maxhdr" => {
                        let lines = match number(value) {
                            Known::Yes(lines) => Known::Yes(u32::try_from(lines).unwrap_or(u32::MAX)),
                            Known::Unknown(reason) => Known::Unknown(reason),
                        };
                        global.maxhdr = Some((lines, site));
                    }
                    "ssl-server-verify" => {
                        let verify = reason.map_or(Known::Yes(value != "none"), Known::Unknown);
                        global.verify = Some((verify, site));
                    }
                    "default-path" if reason.is_none() => {
                        global.base = match value {
                            "config" => Some(Base::Config),
                            "parent" => Some(Base::Parent),
                            _ => None,
                        };
                    }
                    "setenv" | "presetenv" if reason.is_some() => {
                        global.perhaps_set.insert(value.into());
                    }
                    "setenv" | "presetenv" => {
                        let set = (statement.word(2).into(), site);
                        global.variables.insert(value.into(), set);
                    }
                    "chroot" if reason.is_none() => global.chroot = Some((value.into(), site)),
                    "user" if reason.is_none() => global.user = Some((value.into(), site)),
                    "group" if reason.is_none() => global.group = Some((value.into(), site)),
                    "user" | "group" | "uid" | "gid" => global.ids = true,
                    "unix-bind" => global.unix_bind = true,
                    "noreuseport" => global.no_reuse_port = Some(site),
                    "stats" if value == "timeout" => {
                        if let Some(arg) = statement.args.get(2) {
                            facts.time(site, "stats timeout", arg, true);
                        }
                    }
                    "hard-stop-after" => {
                        if let Some(arg) = statement.args.get(1) {
                            facts.time(site, "hard-stop-after", arg, false);
                        }
                    }
                    _ => {}
                }
            }
        }
        global
    }

    /// Whether these files show all there is, and set no variable of this name.
    pub(super) fn lacks(&self, variable: &str) -> bool {
        self.beyond.is_none()
            && !self.asks_variables
            && !self.variables.contains_key(variable)
            && !self.perhaps_set.contains(variable)
    }

    /// How large an answer's header may be.
    pub(super) fn buffers(&self, http: bool, header: Site) -> ResponseBuffers {
        if !http {
            return ResponseBuffers { header: None, usual: USUAL, body: None, lines: None };
        }
        let lines = match (&self.maxhdr, self.beyond) {
            (Some((value, site)), _) => setting(*value, *site, "tune.http.maxhdr"),
            (None, Some(reason)) => Setting::unknown(reason, header, "tune.http.maxhdr"),
            (None, None) => Setting::default(101, &built_in::MAXHDR),
        };
        ResponseBuffers { header: Some(self.header(header)), usual: USUAL, body: None, lines: Some(Box::new(lines)) }
    }

    /// The longest header that fits into a buffer.
    pub(super) fn header(&self, section: Site) -> Setting<ByteSize> {
        let known = |at: &At<u64>, default: u64| match at {
            Some((value, _)) => *value,
            None => self.beyond.map_or(Known::Yes(default), Known::Unknown),
        };
        let value = match (known(&self.bufsize, 16384), known(&self.maxrewrite, 1024)) {
            // At least half of the buffer is for what comes from the server.
            (Known::Yes(size), Known::Yes(reserve)) => Known::Yes(ByteSize(size - reserve.min(size / 2))),
            (Known::Unknown(reason), _) | (_, Known::Unknown(reason)) => Known::Unknown(reason),
        };
        match (&self.bufsize, &self.maxrewrite, value) {
            (Some((_, site)), _, _) => setting(value, *site, "tune.bufsize"),
            (None, Some((_, site)), _) => setting(value, *site, "tune.maxrewrite"),
            (None, None, Known::Yes(size)) => Setting::default(size, &built_in::BUFSIZE),
            (None, None, Known::Unknown(reason)) => Setting::unknown(reason, section, "tune.bufsize"),
        }
    }

    /// How many clients and descriptors the process may have, where that is written.
    pub(super) fn limits(&self, versions: Versions) -> Option<Box<Limits>> {
        if self.maxconn.is_none() && self.files.is_none() {
            return None;
        }
        let strict = built_in::STRICT_LIMITS.since.and_then(Version::parse);
        Some(Box::new(Limits {
            connections: self.maxconn.map(|(value, site)| setting(value, site, "maxconn")),
            files: self.files.map(|(value, site)| setting(value, site, "fd-hard-limit")),
            counts: Counts::Clients,
            // A client's connection and one to a server.
            files_per_connection: 2,
            files_checked: !self.lenient && strict.and_then(|(since, _)| versions.reach(since)) == Some(true),
        }))
    }

    /// Whether certificates of servers are checked where nobody says otherwise.
    pub(super) fn verify(&self, header: Site) -> Setting<bool> {
        match (&self.verify, self.beyond) {
            (Some((value, site)), _) => setting(*value, *site, "ssl-server-verify"),
            (None, Some(reason)) => Setting::unknown(reason, header, "verify"),
            (None, None) => Setting::default(true, &built_in::VERIFY),
        }
    }
}

fn setting<T>(value: Known<T>, at: Site, spelling: &'static str) -> Setting<T> {
    Setting { value, origin: Origin::Inherited { at, scope: Scope::Process }, spelling }
}
