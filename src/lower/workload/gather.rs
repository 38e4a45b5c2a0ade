//! What is gathered about one workload while its evidence is read.

use super::lines::Given;
use super::{Evidence, image};
use crate::defaults::servers::{Program, Time, UsualBind};
use crate::files::{Files, Loaded, join};
use crate::source::{FileId, Site, Span, clean};
use crate::syntax::words::{HOLE, Text, Variable};
use crate::topology::{Bind, Claim, Known, Listens, Reason, Server, Setting, Spoken, Weight};
use crate::value::{ByteSize, Host, Wait};
use std::collections::HashMap;
use std::time::Duration;

/// What a program's family reads from its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// Node.js, whose programs take `PORT` by custom.
    Node,
    /// Spring and other Java.
    Java,
    /// ASP.NET Core.
    Dotnet,
}

pub(super) struct Gather<'a, 'f> {
    pub files: &'a mut Files<'f>,
    pub evidence: &'a Evidence,
    pub claims: Vec<Claim>,
    /// Something that decides could not be read.
    pub open: bool,
    pub server: Server,
    /// The program whose defaults hold.
    pub program: Option<(&'static Program, Site)>,
    pub family: Option<Family>,
    /// Variables that stand before the command.
    pub assignments: Vec<(Box<str>, Text)>,
    /// Whether a listening address was decided by a command or a program's own file.
    pub decided: bool,
    /// How many scripts deep we are.
    pub depth: u8,
    /// Whether the source was seen that would say where to listen, if it did.
    pub sources_seen: bool,
    /// The files of the program that were read.
    pub read: Vec<FileId>,
}

/// So many files of one program are looked through for certificates.
const MAX_READ: usize = 64;

/// Most places of one workload where it listens, and most sockets of whose rights something is said.
const MAX_CLAIMS: usize = 512;
pub(super) const MAX_SOCKETS: usize = 64;

/// What became of a path inside the workload.
pub(super) enum Inside {
    /// A file of the repository.
    File(FileId),
    /// It is known not to be there.
    Missing,
    /// It may lie in an image or on a machine that nobody sees.
    Unknown,
}

/// How an address is written, and what stands for what is left out.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub spoken: Option<Spoken>,
    pub weight: Weight,
    /// The port where only a host is written.
    pub port: Option<u16>,
}

impl<'a, 'f> Gather<'a, 'f> {
    pub fn new(files: &'a mut Files<'f>, evidence: &'a Evidence) -> Self {
        Self {
            files,
            evidence,
            claims: Vec::new(),
            open: false,
            server: Server::default(),
            program: None,
            family: None,
            assignments: Vec::new(),
            decided: false,
            depth: 0,
            sources_seen: false,
            read: Vec::new(),
        }
    }

    /// A variable as the program sees it, and where it is set.
    pub fn variable(&self, name: &str) -> (Variable, Option<Site>) {
        let built = self.evidence.built.iter().flat_map(|built| &built.environment);
        let all = built.chain(&self.evidence.environment).chain(&self.assignments);
        match all.rev().find(|(other, _)| &**other == name) {
            Some((_, text)) => match text.known() {
                Some(value) => (Variable::Is(value.into()), Some(text.site)),
                None => (Variable::Unknown, Some(text.site)),
            },
            None if self.evidence.environment_open => (Variable::Unknown, None),
            None => (Variable::Unset, None),
        }
    }

    /// All variables, for a text that may name very many.
    pub fn variables(&self) -> impl Fn(&str) -> Variable + use<> {
        let built = self.evidence.built.iter().flat_map(|built| &built.environment);
        let all = built.chain(&self.evidence.environment).chain(&self.assignments);
        let value = |text: &Text| text.known().map_or(Variable::Unknown, |value| Variable::Is(value.into()));
        let known: HashMap<Box<str>, Variable> = all.map(|(name, text)| (name.clone(), value(text))).collect();
        let unset = if self.evidence.environment_open { Variable::Unknown } else { Variable::Unset };
        move |name| known.get(name).unwrap_or(&unset).clone()
    }

    /// A variable that decides: its value with the place; notes that nothing is certain when it cannot be read.
    pub fn deciding(&mut self, name: &str) -> Option<Text> {
        match self.variable(name) {
            (Variable::Is(value), Some(site)) if !value.is_empty() => Some(Text::new(value, site)),
            (Variable::Unknown, _) => {
                self.open = true;
                None
            }
            _ => None,
        }
    }

    /// The folder in which it starts, in a container.
    pub fn working_dir(&self) -> Option<String> {
        let built = self.evidence.built.as_ref().and_then(|built| built.working_dir.as_ref());
        self.evidence.working_dir.as_ref().or(built).and_then(Text::known).map(str::to_owned)
    }

    /// The file at a path as the program sees it; a relative path counts from the folder in which it starts.
    pub fn inside(&mut self, path: &str) -> Inside {
        if path.contains(HOLE) {
            return Inside::Unknown;
        }
        if let Some(folder) = &self.evidence.folder {
            return self.on_machine(folder, path);
        }
        let absolute = if path.starts_with('/') {
            path.to_owned()
        } else {
            let Some(folder) = self.working_dir() else { return Inside::Unknown };
            match join(&folder, path) {
                Some(path) => format!("/{path}"),
                None => return Inside::Unknown,
            }
        };
        match self.source_of(&absolute) {
            Some(path) => self.load(&path),
            None => Inside::Unknown,
        }
    }

    /// A file of a machine: beside the description, or the only one of its name.
    fn on_machine(&mut self, folder: &str, path: &str) -> Inside {
        let beside = if path.starts_with('/') { None } else { join(folder, path) };
        if let Some(beside) = &beside
            && let Inside::File(id) = self.load(beside)
        {
            return Inside::File(id);
        }
        let same = self.files.ending_with(path.rsplit('/').next().unwrap_or(path));
        match &same[..] {
            [only] => self.load(only),
            [] if beside.is_some() => Inside::Missing,
            _ => Inside::Unknown,
        }
    }

    /// Where in the repository a path of the workload lies: mounts hide what the image holds.
    pub fn source_of(&self, absolute: &str) -> Option<Box<str>> {
        let mounts = self.evidence.mounts.iter();
        let mounted = mounts
            .filter_map(|(from, to)| {
                let inside = absolute.strip_prefix(to.trim_end_matches('/'))?;
                (inside.is_empty() || inside.starts_with('/')).then_some((to.len(), from, inside))
            })
            .max_by_key(|(length, ..)| *length);
        match mounted {
            Some((_, from, "")) => Some(from.clone()),
            Some((_, from, inside)) => join(from, inside).map(Into::into),
            None => self.evidence.built.as_ref().and_then(|built| image::found(built, absolute)),
        }
    }

    /// A file of the repository that says how the program is started, or is a part of it.
    pub fn load(&mut self, path: &str) -> Inside {
        match self.files.load_text(path) {
            // A program that leads to very many files, or to one of them again and again, is nobody's.
            Loaded::File(id) if !self.files.spend(id) => {
                self.open = true;
                Inside::Unknown
            }
            Loaded::File(id) => {
                if !self.read.contains(&id) && self.read.len() < MAX_READ {
                    self.read.push(id);
                }
                Inside::File(id)
            }
            Loaded::Missing => Inside::Missing,
            Loaded::Unreadable(_) => Inside::Unknown,
        }
    }

    pub fn claim(&mut self, at: Listens, bind: Bind, manner: Manner, site: Site, words: String) {
        if manner.weight == Weight::Decisive {
            self.decided = true;
        }
        let known = self
            .claims
            .iter()
            .any(|claim| claim.site == site && claim.at == Known::Yes(at.clone()) && claim.weight == manner.weight);
        if !known && self.claims.len() >= MAX_CLAIMS {
            // Nobody's program listens on so many.
            self.open = true;
        } else if !known {
            self.claims.push(Claim {
                at: Known::Yes(at),
                bind,
                spoken: manner.spoken,
                weight: manner.weight,
                site,
                words: words.into(),
            });
        }
    }

    /// An address that the program is told to listen on.
    pub fn listens(&mut self, address: &str, manner: Manner, site: Site, words: String) {
        match read_address(address, manner.port) {
            Some((at, bind)) => self.claim(at, bind, manner, site, words),
            // A descriptor that somebody hands over, a name that is filled in, a port that cannot be read.
            None => self.open = true,
        }
    }

    pub fn listens_as_given(&mut self, given: &Given, manner: Manner) {
        let words = says("the command", &given.words);
        self.listens(&given.value.text, manner, given.site, words);
    }

    /// Host and port that are told apart; what is not told is the program's own.
    pub fn host_and_port(
        &mut self,
        program: &'static Program,
        at: Site,
        host: Option<&Said>,
        port: Option<&Said>,
        spoken: Option<Spoken>,
    ) {
        if host.is_none() && port.is_none() {
            self.usual(program, at, spoken);
            return;
        }
        let number = match port {
            Some(port) => port.value.text.trim().parse::<u16>().ok().filter(|&port| port > 0),
            None => program.port,
        };
        let Some(number) = number else {
            self.open = true;
            return;
        };
        let bind = match host {
            Some(host) if host.value.text.contains(HOLE) => Bind::Unknown,
            Some(host) => bind_of(&host.value.text),
            None => usual_bind(program),
        };
        // A port that nobody wrote weighs no more than the knowledge of it.
        let weight = match (port, program.checked) {
            (Some(port), _) => port.weight,
            (None, Some(_)) => Weight::Strong,
            (None, None) => Weight::Weak,
        };
        let (site, words) = match (host, port) {
            (Some(host), Some(port)) if host.site.span.file == port.site.span.file => (
                if host.value.site == port.value.site { port.site } else { super::sites::joined(host.site, port.site) },
                format!("{} and `{}`", host.words, clean(&port.quoted)),
            ),
            (_, Some(port)) => (port.site, port.words.clone()),
            (Some(host), None) => (host.site, format!("{}, and its port is {number} unless it is told", host.words)),
            (None, None) => return,
        };
        self.claim(Listens::Port(number), bind, Manner { spoken, weight, port: None }, site, words);
    }

    /// Nobody told the program where to listen.
    pub fn usual(&mut self, program: &'static Program, at: Site, spoken: Option<Spoken>) {
        let Some(port) = program.port else { return };
        let weight = if program.checked.is_some() { Weight::Strong } else { Weight::Weak };
        let bind = usual_bind(program);
        let whereabouts = if bind == Bind::LoopbackByDefault { " of its loopback" } else { "" };
        let words = format!("{} listens on port {port}{whereabouts} unless it is told otherwise", program.name);
        self.claim(Listens::Port(port), bind, Manner { spoken, weight, port: None }, at, words);
    }

    /// Which program serves, and what it does unless told otherwise.
    pub fn serves(&mut self, program: &'static Program, site: Site) {
        if self.program.is_some() {
            return;
        }
        self.program = Some((program, site));
        self.server.program = Some((program.name.into(), site));
        let wait = |time: Time| Setting::default(Wait::For(Duration::from_millis(time.0)), time.1);
        let server = &mut self.server;
        if server.idle.is_none() {
            server.idle = program.idle.map(wait);
        }
        if server.worker_timeout.is_none() {
            server.worker_timeout = program.worker_timeout.map(wait);
        }
        if server.request_header.is_none() {
            server.request_header = program.request_header.map(|(size, from)| Setting::default(ByteSize(size), from));
        }
    }

    /// The whole line of a file as a site, with its words.
    pub fn in_file(file: FileId, range: std::ops::Range<usize>) -> Site {
        Site::direct(Span::new(file, range.start as u32, range.end as u32))
    }
}

/// Something that was said about host or port, by a flag, a variable or a file.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub value: Text,
    pub site: Site,
    /// What was written, for a quotation.
    pub quoted: String,
    /// "the command says `--port 3000`".
    pub words: String,
    pub weight: Weight,
}

impl Said {
    pub fn by_flag(given: Given) -> Self {
        Self {
            words: says("the command", &given.words),
            quoted: given.words,
            site: given.site,
            value: given.value,
            weight: Weight::Decisive,
        }
    }

    pub fn by_variable(name: &str, value: Text) -> Self {
        let quoted = format!("{name}={}", value.text);
        Self { words: says("the environment", &quoted), quoted, site: value.site, value, weight: Weight::Strong }
    }
}

/// "the command says `…`".
pub(super) fn says(who: &str, what: &str) -> String {
    let what = clean(what);
    match what.char_indices().nth(70) {
        Some((end, _)) => format!("{who} says `{}…`", what.get(..end).unwrap_or("")),
        None => format!("{who} says `{what}`"),
    }
}

fn usual_bind(program: &Program) -> Bind {
    match program.bind {
        UsualBind::Any => Bind::Any,
        UsualBind::Loopback => Bind::LoopbackByDefault,
        UsualBind::Told => Bind::Unknown,
    }
}

/// What a written host means for a listener.
pub(super) fn bind_of(host: &str) -> Bind {
    let host = host.trim();
    match Host::parse(host) {
        Host::Any => Bind::Any,
        host if host.is_loopback() => Bind::Loopback,
        Host::Ip(_) => Bind::Unknown,
        Host::Name(name) if matches!(&*name, "" | "+" | "0" | "true") => Bind::Any,
        Host::Name(_) => Bind::Unknown,
    }
}

/// Reads `host:port`, `:port`, `port`, `[v6]:port`, `unix:/path`, `/path`, `tcp://…`, `http://…`. `None` for what cannot
/// be known.
pub(super) fn read_address(address: &str, port: Option<u16>) -> Option<(Listens, Bind)> {
    let address = address.trim();
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None => ("", address),
    };
    if scheme == "unix" || scheme.is_empty() && (rest.starts_with("unix:") || rest.starts_with(['/', '@'])) {
        let path = rest.strip_prefix("unix:").unwrap_or(rest);
        let path = path.split('?').next().unwrap_or(path);
        return (!path.contains(HOLE) && !path.is_empty()).then(|| (Listens::Socket(path.into()), Bind::Any));
    }
    if scheme == "fd" || scheme == "ssl" {
        return None;
    }
    let rest = rest.split(['/', '?', ';']).next().unwrap_or(rest);
    let (host, number) = match rest.rsplit_once(':') {
        Some((host, number)) if !number.contains(']') => (host, Some(number)),
        _ if !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) => ("", Some(rest)),
        _ => (rest, None),
    };
    let number = match number {
        Some(number) => number.parse::<u16>().ok().filter(|&number| number > 0)?,
        None if scheme == "http" => 80,
        None => port?,
    };
    let bind = if host.contains(HOLE) { Bind::Unknown } else { bind_of(host) };
    Some((Listens::Port(number), bind))
}

/// A number of seconds that somebody wrote.
pub(super) fn seconds(text: &Text, spelling: &'static str) -> Setting<Wait> {
    match text.known().and_then(|value| value.trim().parse::<f64>().ok()).filter(|value| (0.0..1e9).contains(value)) {
        Some(value) => Setting::written(Wait::For(Duration::from_secs_f64(value)), text.site, spelling),
        None => Setting::unknown(Reason::Variable, text.site, spelling),
    }
}

/// A number of seconds after which something is ended; 0 never ends it.
pub(super) fn limit(text: &Text, spelling: &'static str) -> Setting<Wait> {
    let mut setting = seconds(text, spelling);
    if setting.value == Known::Yes(Wait::For(Duration::ZERO)) {
        setting.value = Known::Yes(Wait::Forever);
    }
    setting
}

/// A whole number that somebody wrote.
pub(super) fn number(text: &Text, spelling: &'static str) -> Setting<u32> {
    match text.known().and_then(|value| value.trim().parse().ok()) {
        Some(value) => Setting::written(value, text.site, spelling),
        None => Setting::unknown(Reason::Variable, text.site, spelling),
    }
}

/// A number of bytes that somebody wrote.
pub(super) fn bytes(text: &Text, spelling: &'static str) -> Setting<ByteSize> {
    match text.known().and_then(|value| value.trim().parse().ok()) {
        Some(value) => Setting::written(ByteSize(value), text.site, spelling),
        None => Setting::unknown(Reason::Variable, text.site, spelling),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let port = |text: &str| match read_address(text, Some(8000)) {
            Some((Listens::Port(port), bind)) => Some((port, bind)),
            _ => None,
        };
        assert_eq!(port("0.0.0.0:80"), Some((80, Bind::Any)));
        assert_eq!(port(":3000"), Some((3000, Bind::Any)));
        assert_eq!(port("3000"), Some((3000, Bind::Any)));
        assert_eq!(port("[::1]:80"), Some((80, Bind::Loopback)));
        assert_eq!(port("[::]:80"), Some((80, Bind::Any)));
        assert_eq!(port("localhost"), Some((8000, Bind::Loopback)));
        assert_eq!(port("http://+:5000/"), Some((5000, Bind::Any)));
        assert_eq!(port("http://localhost"), Some((80, Bind::Loopback)));
        assert_eq!(port("tcp://0.0.0.0:9292?low_latency=true"), Some((9292, Bind::Any)));
        assert_eq!(port("\u{fffc}:80"), Some((80, Bind::Unknown)));
        assert_eq!(port("0.0.0.0:\u{fffc}"), None);
        assert_eq!(port("fd://3"), None);
        let socket = |text: &str| match read_address(text, None) {
            Some((Listens::Socket(path), _)) => Some(path.to_string()),
            _ => None,
        };
        assert_eq!(socket("unix:/run/a.sock").as_deref(), Some("/run/a.sock"));
        assert_eq!(socket("unix:///run/a.sock?umask=0").as_deref(), Some("/run/a.sock"));
        assert_eq!(socket("/run/a.sock").as_deref(), Some("/run/a.sock"));
    }
}
