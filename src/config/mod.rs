//! The user's configuration: what the file says (`read`), and what that means for each linted file ([`Policy`]).
//! Layer 6. Pure: the text is handed in.

mod patterns;
mod policy;
mod read;
mod schema;
mod shape;
mod show;
mod template;

pub use patterns::Patterns;
pub use policy::{Policy, Profile};
pub use schema::schema;
pub use shape::{IGNORE, Key, OVERRIDE, SERVICE, TOP};
pub use show::{Set, Shown};
pub use template::TEMPLATE;

use crate::catalog::{RuleId, Severity};
use crate::lower::Targets;
use crate::source::{FileId, Site, Span};
use crate::topology::{
    Bind, Claim, Known, Listens, Namespace, Project, ProjectKind, Reason, Server, Setting, Topology, Weight, Workload,
};
use crate::value::{ByteSize, Wait};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The file's name.
pub const NAME: &str = ".gw502.yaml";

/// What the user's configuration makes of the findings of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// They are not reported.
    Off,
    /// They are notes.
    Note,
    /// They are warnings.
    Warning,
    /// They are errors.
    Error,
}

impl Level {
    /// As what the findings are shown and counted; `None` for those that are not.
    #[must_use]
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Note => Some(Severity::Note),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// The value of a rule's option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionValue {
    /// A time.
    Duration(Duration),
    /// A size.
    Size(ByteSize),
    /// A number.
    Integer(u64),
}

impl OptionValue {
    /// Reads a value of the type that the rule's page names.
    #[must_use]
    pub fn parse(kind: &str, text: &str) -> Option<Self> {
        match kind {
            "duration" => crate::value::parse_duration(text).map(Self::Duration),
            "size" => crate::value::parse_size(text).map(Self::Size),
            _ => text.parse().ok().map(Self::Integer),
        }
    }
}

/// What `rules` says.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// By family's digit: `GW3` is 3.
    families: BTreeMap<char, Written<Level>>,
    levels: BTreeMap<RuleId, Written<Level>>,
    options: BTreeMap<(RuleId, &'static str), Written<OptionValue>>,
}

/// A value, and where it stands in the file.
#[derive(Clone, Debug)]
struct Written<T> {
    value: T,
    at: Range<u32>,
}

#[derive(Clone, Debug)]
struct Override {
    paths: Patterns,
    rules: Rules,
}

/// What is known of the backend behind a host name.
#[derive(Clone, Debug)]
struct Service {
    name: String,
    at: Range<u32>,
    ports: Vec<(u16, Range<u32>)>,
    idle: Option<(Duration, Range<u32>)>,
}

/// An item of `ignore`.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// The rules, each with its place in the file.
    pub rules: Vec<(RuleId, Range<u32>)>,
    /// The paths.
    pub paths: Patterns,
    /// Why.
    pub reason: Arc<str>,
}

/// The text of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path, as shown to people.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// A mistake in the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, in bytes of the file.
    pub at: Range<u32>,
    /// What is wrong, in one clause.
    pub message: String,
    /// A few words for the place.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// A configuration without mistakes. The default is that of a run without a file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    source: Option<Source>,
    prefix: String,
    rules: Rules,
    overrides: Vec<Override>,
    exclude: Patterns,
    /// Where the value of `exclude` stands.
    exclude_at: Range<u32>,
    targets: Targets,
    /// Where the versions stand, by proxy.
    targets_at: BTreeMap<String, Range<u32>>,
    services: Vec<Service>,
    ignore: Vec<Ignore>,
    baseline: Option<Box<str>>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// All mistakes in it, in the order of the text.
    pub fn read(source: Source) -> Result<Self, Vec<Mistake>> {
        read::read(source)
    }

    /// Says where the root of the run lies, seen from the folder of the file: patterns count from the latter.
    #[must_use]
    pub fn below(mut self, prefix: String) -> Self {
        self.prefix = prefix;
        self
    }

    /// The file, if there is one.
    #[must_use]
    pub const fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// The versions of the proxies.
    #[must_use]
    pub const fn targets(&self) -> Targets {
        self.targets
    }

    /// The baseline file, seen from the folder of the configuration file.
    #[must_use]
    pub fn baseline(&self) -> Option<&str> {
        self.baseline.as_deref()
    }

    /// The root of the run, seen from the folder of the configuration file; empty where both are one.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The items of `ignore`.
    #[must_use]
    pub fn ignored(&self) -> &[Ignore] {
        &self.ignore
    }

    /// A path as patterns see it, from a path as the run shows it.
    fn seen(&self, path: &str) -> String {
        if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) }
    }

    /// Whether an item of `ignore` holds for a path.
    #[must_use]
    pub fn ignores_in(&self, ignore: &Ignore, path: &str) -> bool {
        ignore.paths.matches(&self.seen(path))
    }

    /// Whether a path is not to be linted.
    #[must_use]
    pub fn excludes(&self, path: &str) -> bool {
        !self.exclude.is_empty() && self.exclude.matches(&self.seen(path))
    }

    /// Puts the declared services into the topology. `file` is the configuration file.
    pub fn declare(&self, file: FileId, topology: &mut Topology) {
        if self.services.is_empty() {
            return;
        }
        let site = |at: &Range<u32>| Site::direct(Span::new(file, at.start, at.end));
        let kind = ProjectKind::Declared;
        let project = topology.projects.push(Project {
            kind,
            file,
            workloads: Vec::new(),
            whole: false,
            guessed: false,
            shares: false,
            folder: "".into(),
            sampled: Vec::new(),
        });
        for service in &self.services {
            let claims = service
                .ports
                .iter()
                .map(|(port, at)| Claim {
                    at: Known::Yes(Listens::Port(*port)),
                    bind: Bind::Any,
                    spoken: None,
                    weight: Weight::Decisive,
                    site: site(at),
                    words: format!("`services` says that it listens on {port}").into(),
                })
                .collect();
            let idle =
                service.idle.as_ref().map(|(idle, at)| Setting::written(Wait::For(*idle), site(at), "idle_timeout"));
            let id = topology.workloads.push(Workload {
                project,
                name: service.name.as_str().into(),
                site: site(&service.at),
                aliases: Vec::new(),
                own_names: Vec::new(),
                namespace: Namespace::Unknown,
                networks: Known::Unknown(Reason::OutsideRepository),
                claims,
                claims_open: service.ports.is_empty(),
                published: Vec::new(),
                proxies: Vec::new(),
                server: Server { idle, ..Server::default() },
                depends_on: Vec::new(),
                restart: Known::Unknown(Reason::OutsideRepository),
                stays_down: false,
                health: Known::Unknown(Reason::OutsideRepository),
                check: None,
                profiles: Vec::new(),
                replicas: Known::Unknown(Reason::OutsideRepository),
                fixed_address: false,
                many: false,
                waits: false,
                folders: Vec::new(),
            });
            topology.projects[project].workloads.push(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_a_type() {
        assert_eq!(OptionValue::parse("integer", "40"), Some(OptionValue::Integer(40)));
        assert_eq!(OptionValue::parse("size", "16k"), Some(OptionValue::Size(ByteSize(16384))));
        assert_eq!(OptionValue::parse("duration", "2m"), Some(OptionValue::Duration(Duration::from_secs(120))));
        for (kind, text) in [("integer", "-1"), ("integer", "4k"), ("size", "16kb"), ("duration", "2")] {
            assert_eq!(OptionValue::parse(kind, text), None, "{kind} {text}");
        }
    }

    #[test]
    fn declared_services_are_workloads() {
        let text = "services: {App.internal: {ports: [8080], idle_timeout: 5s}, b: }\n";
        let config = Config::read(Source { path: NAME.into(), text: text.into() }).unwrap();
        let mut topology = Topology::default();
        config.declare(FileId::new(3), &mut topology);
        let workloads: Vec<_> = topology.workloads.iter().map(|(_, workload)| workload).collect();
        assert_eq!((&*workloads[0].name, workloads[0].claims_open), ("app.internal", false));
        assert_eq!(workloads[0].claims[0].at, Known::Yes(Listens::Port(8080)));
        let idle = workloads[0].server.idle.as_ref().unwrap();
        assert_eq!(
            (idle.known(), idle.site().unwrap().span.file),
            (Some(&Wait::For(Duration::from_secs(5))), FileId::new(3))
        );
        assert!(workloads[1].claims_open && workloads[1].server.idle.is_none());
        assert_eq!(topology.projects.iter().next().unwrap().1.kind, ProjectKind::Declared);
    }
}
