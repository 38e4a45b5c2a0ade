//! The client's side: proxies, listeners, virtual hosts, routes.

use super::{Ciphers, HopId, Known, ListenerId, ProxyId, RouteId, Setting, Shared, TlsVersions, VirtualHostId};
use crate::source::{FileId, Site};
use crate::value::{Address, ByteSize, Versions, Wait};

/// Which configuration language a proxy is written in. Rules do not branch on it; it chooses the words of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// nginx.
    Nginx,
    /// HAProxy.
    Haproxy,
    /// Objects of Kubernetes that a controller makes a proxy's configuration of: Ingress, Service, routes of Gateways.
    /// No file is parsed in it: manifests are surroundings.
    Kubernetes,
}

impl Dialect {
    /// The key under which `rules/*.yaml` speaks of it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Kubernetes => "kubernetes",
        }
    }

    /// The name as the project itself writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Kubernetes => "Kubernetes",
        }
    }
}

/// One running reverse proxy, described by some files.
#[derive(Debug)]
pub struct Proxy {
    /// Its language.
    pub dialect: Dialect,
    /// The versions that it may have.
    pub versions: Versions,
    /// The file it starts from.
    pub entry: FileId,
    /// Whether these files are all of its configuration. In a fragment, what is missing may stand elsewhere.
    pub whole: bool,
    /// Whether it is another proxy of this list, with other branches of a template taken.
    pub again: bool,
    /// How much one process of it may hold at the same time, where these files say something of it.
    pub limits: Option<Box<Limits>>,
}

/// How much one process may hold at the same time.
#[derive(Debug)]
pub struct Limits {
    /// Connections. `None`: these files do not say.
    pub connections: Option<Setting<u64>>,
    /// File descriptors. `None`: these files do not say, the system decides.
    pub files: Option<Setting<u64>>,
    /// What the proxy counts as a connection.
    pub counts: Counts,
    /// Descriptors that the connection of one client needs, what it asks of endpoints included.
    pub files_per_connection: u64,
    /// Whether it refuses to start where the descriptors do not suffice.
    pub files_checked: bool,
}

/// What counts as a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Those of clients, idle ones included; who comes later waits without an answer.
    Clients,
    /// Everything that is open: listening sockets, clients, endpoints. Idle clients are sent away when room is short;
    /// who comes later fails.
    Everything,
}

/// As whom a proxy runs.
#[derive(Debug)]
pub struct ProxyUser {
    /// Which one.
    pub proxy: ProxyId,
    /// The user.
    pub user: Box<str>,
    /// The group.
    pub group: Box<str>,
    /// Where it is written.
    pub site: Site,
}

/// An address on which a proxy accepts clients.
#[derive(Debug)]
pub struct Listener {
    /// Whose.
    pub proxy: ProxyId,
    /// Where it is written.
    pub site: Site,
    /// The address, and the port where there is one (a range is its first and last).
    pub bind: Known<(Address, Option<(u16, u16)>)>,
    /// Whether clients speak TLS.
    pub tls: Known<bool>,
    /// Whether clients are load balancers that send a PROXY header first.
    pub proxy_protocol: Known<bool>,
    /// Whether clients without a known server name are turned away in the TLS handshake.
    pub refuses_unknown_names: bool,
    /// How long a client's idle connection is kept. Starts after an answer, reset by the next request.
    pub idle: Setting<Wait>,
    /// How long a client may do nothing while something is expected of it, where the proxy has one timeout for that.
    pub client: Option<Setting<Wait>>,
    /// The virtual hosts served here; the first is the default one.
    pub virtual_hosts: Vec<VirtualHostId>,
    /// Which TLS versions are spoken, where that is known.
    pub tls_versions: Setting<TlsVersions>,
    /// Which ciphers are accepted up to TLS 1.2, where they are listed one by one.
    pub ciphers: Option<Box<Ciphers>>,
    /// Whether HTTP is spoken there, below TLS where there is TLS.
    pub speaks_http: Known<bool>,
    /// Whether HTTP/2 is understood.
    pub http2: Known<bool>,
    /// Where it is written that clients speak HTTP/2 from their first byte on, without TLS to agree on it; and the
    /// release from which on HTTP/1 is understood all the same, if there is one.
    pub only_http2: Option<(Site, Option<&'static str>)>,
}

/// A set of names served on some listeners.
#[derive(Debug)]
pub struct VirtualHost {
    /// Whose.
    pub proxy: ProxyId,
    /// The block.
    pub site: Site,
    /// Its names, lower case, as written otherwise (wildcards and patterns too).
    pub names: Vec<(Box<str>, Site)>,
    /// Where it is served.
    pub listeners: Vec<ListenerId>,
    /// Its routes in the order of the file.
    pub routes: Vec<RouteId>,
    /// Where clients without a certificate are turned away.
    pub wants_certificate: Option<Site>,
    /// How many clients may be connected at once, where that is limited; the others wait without an answer.
    pub clients: Option<Box<Setting<u64>>>,
    /// The longest line of a request's header that is taken, where that is known.
    pub request_header: Option<Shared<Setting<ByteSize>>>,
}

/// A match condition and what it leads to.
#[derive(Debug)]
pub struct Route {
    /// Whose.
    pub proxy: ProxyId,
    /// The virtual host it belongs to; none in a fragment.
    pub virtual_host: Option<VirtualHostId>,
    /// The block or statement.
    pub site: Site,
    /// Which requests it takes.
    pub matcher: Matcher,
    /// How they are passed on; `None` when they are answered here.
    pub hop: Option<HopId>,
}

/// Which requests a route takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matcher {
    /// All that reach it.
    Always,
    /// Paths that begin with this text.
    Prefix(Box<str>),
    /// This path only.
    Exact(Box<str>),
    /// A pattern or a condition, as written.
    Condition(Box<str>),
    /// Only what another route hands over by name.
    Named(Box<str>),
}
