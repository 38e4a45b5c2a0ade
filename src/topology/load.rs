//! What a proxy would refuse, ignore or misread while it loads its files.

use super::{Dialect, ProxyId};
use crate::edit::Fix;
use crate::source::Site;
use std::time::Duration;

/// Facts about loading, found while trees were lowered and linked.
#[derive(Debug, Default)]
pub struct LoadFacts {
    /// Text that the proxy would refuse to read.
    pub syntax: Vec<SyntaxFact>,
    /// Files that are named and, as the repository shows, not there.
    pub missing_files: Vec<MissingFile>,
    /// Names that nothing defines.
    pub undefined: Vec<UndefinedName>,
    /// Things defined twice.
    pub duplicates: Vec<Duplicate>,
    /// Targets that the proxy does not take for what was meant.
    pub malformed: Vec<MalformedTarget>,
    /// Times written as a bare number, in a dialect that does not read it as seconds.
    pub bare_numbers: Vec<BareNumber>,
    /// A resolver that names nobody to ask.
    pub empty_resolvers: Vec<EmptyResolver>,
    /// What else the proxy refuses, ignores or misreads, in words.
    pub faults: Vec<Fault>,
}

/// Text that the proxy would refuse to read.
#[derive(Debug)]
pub struct SyntaxFact {
    /// Whose language.
    pub dialect: Dialect,
    /// Where a person would point.
    pub site: Site,
    /// What is wrong, in words.
    pub message: String,
    /// A few words for the place itself.
    pub label: String,
    /// Other places that explain it.
    pub others: Vec<(Site, String)>,
    /// What to write instead.
    pub help: Option<String>,
    /// Whether the proxy is sure to refuse (else it may know a word through a module that these files do not show).
    pub certain: bool,
    /// How to mend it, where there is one way.
    pub fix: Option<Box<Fix>>,
}

/// A file that is named and, as the repository shows, not there.
#[derive(Debug)]
pub struct MissingFile {
    /// Whose.
    pub proxy: ProxyId,
    /// Where it is named.
    pub site: Site,
    /// As written.
    pub path: Box<str>,
    /// What it is for: "include", "certificate", "error file".
    pub purpose: &'static str,
    /// The path looked at, relative to the root.
    pub looked_at: Box<str>,
    /// The directive through which the naming file was reached, when its directory is not the one that counts.
    pub reached_by: Option<Site>,
    /// Files with the same name elsewhere in the repository, best first.
    pub candidates: Vec<Box<str>>,
    /// A pattern that matches nothing: the proxy starts without a word.
    pub pattern: bool,
}

/// A name that nothing defines.
#[derive(Debug)]
pub struct UndefinedName {
    /// Whose.
    pub proxy: ProxyId,
    /// What kind of thing: "backend", "resolvers section", "ACL", "named location", "server group".
    pub kind: &'static str,
    /// The name.
    pub name: Box<str>,
    /// Where it is used.
    pub site: Site,
    /// A place that explains it: declared below its use, or in another section.
    pub other: Option<(Site, String)>,
    /// A like name that exists, and where.
    pub near: Option<(Box<str>, Site)>,
    /// What the client sees.
    pub effect: LoadEffect,
}

/// What a fault while loading comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadEffect {
    /// The proxy does not start; a reload is refused.
    Refused,
    /// It starts, and requests that come here are answered with this status.
    Status(u16),
    /// It starts, and one of the two is never used.
    Ignored,
    /// It starts, and requests are spread over both.
    Split,
}

/// Something defined twice.
#[derive(Debug)]
pub struct Duplicate {
    /// Whose.
    pub proxy: ProxyId,
    /// What kind of thing: "upstream", "backend", "location", "default server", "directive".
    pub kind: &'static str,
    /// The name.
    pub name: Box<str>,
    /// The first definition.
    pub first: Site,
    /// The second.
    pub second: Site,
    /// What comes of it.
    pub effect: LoadEffect,
    /// A sentence on what the proxy does with it, where the effect does not say enough.
    pub note: Option<&'static str>,
}

/// A target that the proxy does not take for what was meant.
#[derive(Debug)]
pub struct MalformedTarget {
    /// Whose.
    pub proxy: ProxyId,
    /// The target.
    pub site: Site,
    /// What is wrong, in words: "this address names no port between 1 and 65535".
    pub message: String,
    /// A few words for the place itself.
    pub label: String,
    /// A place that explains it.
    pub other: Option<(Site, String)>,
    /// What the proxy does with it, in a sentence.
    pub why: &'static str,
    /// What to write instead.
    pub help: Option<String>,
    /// What comes of it.
    pub effect: LoadEffect,
    /// How to mend it, where there is one way.
    pub fix: Option<Box<Fix>>,
}

/// A time written as a bare number, in a dialect that does not read it as seconds.
#[derive(Debug)]
pub struct BareNumber {
    /// Whose.
    pub proxy: ProxyId,
    /// The statement.
    pub site: Site,
    /// The setting in the proxy's own words.
    pub setting: Box<str>,
    /// As written.
    pub written: Box<str>,
    /// What the proxy reads.
    pub read_as: Duration,
    /// Whether it is a timeout of requests (else an interval or the like).
    pub is_timeout: bool,
}

/// A resolver that names nobody to ask.
#[derive(Debug)]
pub struct EmptyResolver {
    /// Whose.
    pub proxy: ProxyId,
    /// Where it is written.
    pub site: Site,
    /// Its name, where it has one.
    pub name: Option<Box<str>>,
    /// Who uses it.
    pub used_by: Vec<Site>,
    /// What comes of it.
    pub effect: LoadEffect,
}

/// Something that a proxy refuses, ignores or reads otherwise than meant, in words: only the lowering knows those of
/// the dialect.
#[derive(Debug)]
pub struct Fault {
    /// What kind of fault it is: each has its rule.
    pub kind: FaultKind,
    /// Whose.
    pub proxy: ProxyId,
    /// Where a person would point.
    pub site: Site,
    /// A few words for the place itself.
    pub label: String,
    /// What will happen, in one sentence.
    pub message: String,
    /// Other places that explain it.
    pub others: Vec<(Site, String)>,
    /// Why, in a sentence; `None`: what the rule's page says.
    pub why: Option<&'static str>,
    /// What to write instead.
    pub help: Option<String>,
    /// What comes of it; `None`: what the rule's page says.
    pub effect: Option<LoadEffect>,
    /// How bad it is.
    pub weight: FaultWeight,
    /// Whether these files prove it.
    pub certain: bool,
    /// How to mend it, where there is one way.
    pub fix: Option<Box<Fix>>,
}

/// The kinds of [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A route between an HTTP and a TCP side.
    ModeMismatch,
    /// A setting that is refused without another one.
    MissingCompanion,
    /// A virtual host in which some requests lead nowhere.
    DanglingRoute,
    /// A number that is read as another one.
    MisreadNumber,
    /// A statement that is ignored or refused where it stands.
    Misplaced,
    /// A timeout for tunnels that is none.
    ShortTunnel,
    /// A rule that answers 502 itself.
    BadGateway,
    /// A statement that some versions of the proxy do not know.
    Unavailable,
    /// A variable that these files do not set.
    UnsetVariable,
    /// A check that a healthy endpoint does not pass.
    FailingCheck,
    /// Buffer sizes that contradict each other.
    Buffers,
    /// A limit that ordinary requests meet.
    RequestLimit,
    /// HTTP/1.0, where something shows that the endpoint needs more.
    OldVersion,
    /// A host that can exist nowhere, beside those of endpoints.
    UnknownHost,
    /// An address that can be neither bound nor reached.
    UnusableAddress,
    /// A route that another one takes the requests of, or whose path is put together wrongly.
    ShadowedRoute,
    /// A socket that is looked for where it is not.
    SocketPath,
    /// A socket that its user may not open.
    SocketPermission,
    /// A name with two address families, and a listener on one.
    TwoFamilies,
    /// A time in a unit that the proxy does not read.
    TimeUnit,
    /// A Service that leads to no container.
    SelectorMismatch,
    /// Plain HTTP to what speaks TLS.
    PlainToTls,
    /// TLS to what speaks plain HTTP.
    TlsToPlain,
    /// A protocol that the other side does not understand.
    WrongProtocol,
    /// A buffer that is too small for an answer's header.
    SmallBuffer,
    /// A time within another one that is shorter.
    LadderInverted,
    /// A connection that a firewall does not let through.
    Blocked,
    /// A proxy and what it is to ask, which are on no common network.
    NoSharedNetwork,
    /// Members that are all the same machine, because their name is looked up once.
    OneAddress,
}

/// How bad a [`Fault`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultWeight {
    /// It fails as written.
    Fails,
    /// It fails in an ordinary event.
    MayFail,
    /// Worth knowing.
    Remark,
}

impl Fault {
    /// A fault that these files prove and that fails as written, until something else is said.
    #[must_use]
    pub fn new(kind: FaultKind, proxy: ProxyId, at: (Site, impl Into<String>), message: impl Into<String>) -> Self {
        Self {
            kind,
            proxy,
            site: at.0,
            label: at.1.into(),
            message: message.into(),
            others: Vec::new(),
            why: None,
            help: None,
            effect: None,
            weight: FaultWeight::Fails,
            certain: true,
            fix: None,
        }
    }

    /// Another place that explains it.
    #[must_use]
    pub fn other(mut self, site: Site, text: impl Into<String>) -> Self {
        self.others.push((site, text.into()));
        self
    }

    /// Why, where the rule's page does not say it.
    #[must_use]
    pub const fn why(mut self, why: &'static str) -> Self {
        self.why = Some(why);
        self
    }

    /// What to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// How to mend it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<Option<Box<Fix>>>) -> Self {
        self.fix = fix.into();
        self
    }

    /// What comes of it.
    #[must_use]
    pub const fn effect(mut self, effect: LoadEffect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// How bad, and whether these files prove it.
    #[must_use]
    pub const fn weight(mut self, weight: FaultWeight, certain: bool) -> Self {
        self.weight = weight;
        self.certain = certain;
        self
    }
}
