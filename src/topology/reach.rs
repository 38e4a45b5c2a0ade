//! The upstream side: hops, pools, endpoints, and how long, how often and in which protocol they are asked.

use super::{
    EndpointId, Known, ListenerId, PoolId, ProxyId, Reason, RouteId, Setting, Shared, VirtualHostId, Websockets,
};
use crate::source::Site;
use crate::value::{Address, ByteSize, Host, Wait};

/// One way of passing requests on. In nginx a location's, in HAProxy a backend's.
#[derive(Debug)]
pub struct Hop {
    /// Whose.
    pub proxy: ProxyId,
    /// The block it stands in, to be underlined where a default speaks.
    pub site: Site,
    /// The statement that names the target.
    pub target_site: Site,
    /// Where requests go.
    pub target: Target,
    /// What is spoken there.
    pub protocol: Protocol,
    /// How long anything may take.
    pub timeouts: Timeouts,
    /// What happens after a failed try.
    pub retry: Shared<Retry>,
    /// How large an answer's header may be.
    pub buffers: Shared<ResponseBuffers>,
    /// Whether and how upstream connections are kept and used again.
    pub reuse: Reuse,
    /// TLS to the upstream side, where the hop decides it.
    pub tls: Option<Box<TlsClient>>,
    /// The `Host` that is sent.
    pub host_sent: HostSent,
    /// Whether the path is passed on unchanged.
    pub path_kept: bool,
    /// The routes that lead here.
    pub routes: Vec<RouteId>,
    /// Request headers that are set further out and are not sent from here, because this level sets others.
    pub lost_headers: Option<Box<LostHeaders>>,
    /// Where it is written that each connection begins with a PROXY header; `Yes(None)`: none is sent.
    pub sends_proxy: Known<Option<Site>>,
    /// Whether nobody waits for the answers: copies of requests are sent here.
    pub unheard: bool,
    /// Websockets, where something shows that they are meant to pass here.
    pub websockets: Option<Box<Websockets>>,
}

/// Request headers of an outer level that an inner one drops.
#[derive(Debug)]
pub struct LostHeaders {
    /// The first line of the inner level that sets a header: from there on the outer ones are gone.
    pub at: Site,
    /// What is lost, in the order of the file; nothing that the proxy would send anyway.
    pub lost: Vec<LostHeader>,
}

/// A request header that is set further out and not sent.
#[derive(Debug)]
pub struct LostHeader {
    /// Its name as written.
    pub name: Box<str>,
    /// The line that sets it.
    pub site: Site,
    /// What it is good for.
    pub role: HeaderRole,
    /// A line that goes with it and is lost, too: `Connection` with `Upgrade`.
    pub with: Option<Site>,
}

/// What a request header is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderRole {
    /// Which site is asked for.
    Host,
    /// Lets a connection change its protocol: websockets.
    Upgrade,
    /// Keeps the connection to a pool that keeps connections.
    KeepAlive,
    /// Tells who the client is, or anything else.
    Other,
}

/// Where a hop's requests go.
#[derive(Debug)]
pub enum Target {
    /// A named group.
    Pool(PoolId),
    /// One address written in place.
    Endpoint(EndpointId),
    /// Decided per request.
    Computed(Box<ComputedTarget>),
    /// Nothing can be said of it.
    Unknown(Reason),
}

/// A target that is put together for each request.
#[derive(Debug)]
pub struct ComputedTarget {
    /// As written.
    pub text: Box<str>,
    /// What it can come to, where constants decide: each with the place the value was written. Complete only if
    /// `complete` says so.
    pub outcomes: Vec<ComputedOutcome>,
    /// Whether `outcomes` are all there can be.
    pub complete: bool,
    /// Whether the name must be looked up per request (as far as it is known at all).
    pub needs_resolver: Known<bool>,
    /// The resolver in reach: where it is written; `Yes(None)`: there is none.
    pub resolver: Known<Option<Site>>,
}

/// What a proxy asks for names while it runs.
#[derive(Debug)]
pub struct Resolver {
    /// Whose.
    pub proxy: ProxyId,
    /// The statement or the block: what [`Lookup::Repeated`] and [`ComputedTarget::resolver`] name.
    pub site: Site,
    /// The name servers that are asked, each with its place; `Unknown` where there may be others.
    pub servers: Known<Vec<(Host, Site)>>,
    /// How long an answer is kept, whatever it says itself, where that is written.
    pub keeps: Option<(Wait, Site)>,
    /// Whether IPv6 addresses are asked for too, and taken in turn with the others.
    pub mixes_families: bool,
}

/// One value a computed target can take.
#[derive(Debug)]
pub struct ComputedOutcome {
    /// The host or pool name it leads to.
    pub name: Box<str>,
    /// The port, written or of the scheme; `None`: not known, or there is none.
    pub port: Option<u16>,
    /// What it turned out to be.
    pub is: ComputedKind,
    /// Where the value was written.
    pub site: Site,
    /// A pool of a like name, for "did you mean".
    pub near: Option<Box<str>>,
}

/// What a computed name turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComputedKind {
    /// A pool that exists.
    Pool(PoolId),
    /// An address or a socket: nothing to look up.
    Address,
    /// A host name, to be looked up per request.
    HostName,
    /// No name at all (a scheme is missing, say): the request fails.
    Malformed,
}

/// What is spoken to the upstream side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP/1.x.
    Http,
    /// HTTP/2 or gRPC.
    Http2,
    /// FastCGI.
    Fastcgi,
    /// The uwsgi protocol.
    Uwsgi,
    /// SCGI.
    Scgi,
    /// memcached.
    Memcached,
    /// Bytes, unread.
    Tcp,
}

impl Protocol {
    /// Whether answers have an HTTP status that a client sees.
    #[must_use]
    pub const fn has_status(self) -> bool {
        !matches!(self, Self::Tcp)
    }
}

/// The timeouts of a hop.
#[derive(Debug)]
pub struct Timeouts {
    /// To establish a connection. Starts with the connection attempt, per attempt.
    pub connect: Shared<Setting<Wait>>,
    /// Between two writes to the upstream side; reset by every write.
    pub send: Shared<Setting<Wait>>,
    /// Until the upstream side says something: between two reads, not for the whole answer; reset by every read.
    pub read: Setting<Wait>,
    /// For a request waiting for a free place at an endpoint, where the proxy has such a queue.
    pub queue: Option<Box<Setting<Wait>>>,
    /// For a connection after a protocol upgrade, in either direction; `None`: the read timeout goes on to hold.
    pub tunnel: Option<Box<Setting<Wait>>>,
    /// What the client side may do nothing for, where the proxy ties it to the same hop's listeners.
    pub client: Option<Box<Setting<Wait>>>,
}

/// What happens after a failed try.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Which failures are tried again.
    pub on: Setting<RetryOn>,
    /// How many further tries at most; `None` in `Yes`: as many as there are endpoints.
    pub tries: Setting<Option<u32>>,
    /// Whether a further try may go to another endpoint.
    pub elsewhere: Setting<bool>,
    /// How long after the first try a further one may still begin.
    pub window: Shared<Setting<Wait>>,
    /// Whether a request with a body can be repeated at all (it is buffered before it is sent).
    pub body_kept: Setting<bool>,
    /// Whether an answer that says that the server failed is a failure, which counts against the endpoint.
    pub counts_answers: Known<bool>,
}

/// Which failures are tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryOn {
    /// A connection that could not be established.
    pub connect: bool,
    /// No answer in time.
    pub timeout: bool,
    /// A connection closed before anything was answered.
    pub empty: bool,
    /// Certain statuses in the answer.
    pub status: bool,
}

/// How large an answer's header may be.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseBuffers {
    /// Bytes that the whole header must fit into; `None`: the protocol has no such limit here.
    pub header: Option<Setting<ByteSize>>,
    /// Bytes for the body, where somebody raised them (a common mistake for the above).
    pub body: Option<Setting<ByteSize>>,
    /// Lines that a header may have, where the proxy limits them.
    pub lines: Option<Box<Setting<u32>>>,
    /// What `header` would be if nothing were written anywhere.
    pub usual: ByteSize,
}

/// Whether and how upstream connections are kept and used again.
#[derive(Debug)]
pub struct Reuse {
    /// Whether a connection is used for more than one request.
    pub kept: Setting<bool>,
    /// How long an unused one is kept. Starts after an answer, reset by the next request.
    pub idle: Shared<Setting<Wait>>,
    /// Whether a request that met a closed connection is repeated by the proxy, whatever its method.
    pub race_hidden: Known<bool>,
    /// Whether a connection may serve another client than the one that opened it.
    pub shared: bool,
    /// Where somebody asked for kept connections, and gets none.
    pub lost: Option<Box<LostReuse>>,
}

/// Kept connections that were asked for and are not kept.
#[derive(Clone, Copy, Debug)]
pub struct LostReuse {
    /// Where they are asked for.
    pub asked: Site,
    /// The statement, or the hop, that closes them.
    pub because: Site,
    /// What it does, in a few words.
    pub what: &'static str,
    /// What to write instead.
    pub instead: &'static str,
    /// How that can be done for somebody.
    pub mend: Option<LostReuseMend>,
}

/// How kept connections come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostReuseMend {
    /// `asked`, moved below `because`.
    Move,
    /// This statement below `because`.
    Write(&'static str),
}

/// TLS to the upstream side.
#[derive(Debug)]
pub struct TlsClient {
    /// Where it was asked for.
    pub site: Site,
    /// The server name sent in the handshake.
    pub server_name: Setting<ServerName>,
    /// Whether the certificate is checked.
    pub verify: Setting<bool>,
    /// The name that the certificate must have where it is checked.
    pub checked_name: Known<ServerName>,
    /// Where the authorities are named that are trusted; `Yes(None)`: nowhere.
    pub trust: Known<Option<Site>>,
    /// Where the proxy's own certificate is named; `Yes(None)`: it has none to show.
    pub certificate: Known<Option<Site>>,
    /// Which versions are spoken.
    pub versions: Setting<TlsVersions>,
    /// Which ciphers are offered up to TLS 1.2, where they are listed one by one.
    pub ciphers: Option<Box<Ciphers>>,
}

/// A list of ciphers for TLS up to 1.2, each by its full name.
#[derive(Clone, Debug)]
pub struct Ciphers {
    /// Their names.
    pub names: Vec<Box<str>>,
    /// Where they are written.
    pub site: Site,
}

/// A set of TLS versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlsVersions(u8);

impl TlsVersions {
    const NAMES: [&'static str; 6] = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    /// TLS 1.3 alone.
    pub const ONLY_1_3: Self = Self(1 << 5);

    /// With one more version; `None` for a name that is none.
    #[must_use]
    pub fn with(self, name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        Some(Self(self.0 | 1 << at))
    }

    /// Whether no version is in both.
    #[must_use]
    pub const fn is_disjoint(self, other: Self) -> bool {
        self.0 & other.0 == 0
    }

    /// The versions in words, the oldest first.
    #[must_use]
    pub fn words(self) -> String {
        let names: Vec<_> =
            Self::NAMES.iter().enumerate().filter(|(at, _)| self.0 & 1 << at != 0).map(|(_, name)| *name).collect();
        names.join(" ")
    }
}

/// Which server name is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerName {
    /// None.
    Nothing,
    /// This name.
    Fixed(Box<str>),
    /// The name in the request's `Host`, without a port.
    FromHost,
    /// The request's `Host` as it came, port and all.
    FromHostWithPort,
    /// The name the client sent in its own TLS handshake.
    FromClientHandshake,
    /// The name of the target: the pool's, or the host's.
    FromTarget,
    /// Something else that is decided per request.
    Computed,
}

/// The `Host` that is sent upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostSent {
    /// The one the client sent.
    Clients,
    /// The name in the target: the pool's, or the host's.
    Targets,
    /// This one.
    Fixed(Box<str>),
    /// Something decided per request, or not to be known.
    Unknown,
}

/// A named group of interchangeable endpoints.
#[derive(Debug)]
pub struct Pool {
    /// Whose.
    pub proxy: ProxyId,
    /// The block.
    pub site: Site,
    /// Where its name is written.
    pub name_site: Site,
    /// Its name as written.
    pub name: Box<str>,
    /// The members written down.
    pub members: Vec<EndpointId>,
    /// Whether there can be members that are not written down (templates, an unread include, added at run time).
    pub open_ended: bool,
    /// How a member is chosen.
    pub balance: Known<Balance>,
    /// Where clients are tied to one member by a cookie or a table.
    pub sticky: Option<Site>,
    /// Where a client is sent to its member although that is known to be down.
    pub persists_when_down: Option<Site>,
    /// Where the whole pool is switched off.
    pub disabled: Option<Site>,
    /// Whether every request is answered without a member (a fixed answer, a redirect, statistics).
    pub answers_itself: bool,
    /// Checks that are configured for the pool: the statements. They act only on members with an active check.
    pub check_rules: Vec<Site>,
    /// Checks that are written for the pool and that the proxy ignores, because nothing asks for that kind of check.
    pub ignored_check_rules: Vec<Site>,
    /// Whether anything leads to it, as far as these files tell.
    pub used: bool,
    /// Whether having no member at all already keeps the proxy from starting.
    pub refuses_empty: bool,
    /// Whether backup members serve where there are no others (else the proxy does not start with such a pool).
    pub backup_alone_works: bool,
    /// Whether all processes of the proxy count together; else each process counts connections and failures for itself.
    pub counts_together: bool,
}

/// How a member is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Balance {
    /// In turn, or by the number of connections: any member will do.
    Any,
    /// By a property of the request or the client: the same one again and again.
    Hash,
    /// The first with room.
    First,
}

/// One member of a pool, or a single target.
#[derive(Debug)]
pub struct Endpoint {
    /// Whose.
    pub proxy: ProxyId,
    /// The pool; none for a target written in place.
    pub pool: Option<PoolId>,
    /// The statement.
    pub site: Site,
    /// The address within it.
    pub address_site: Site,
    /// Its name, where the dialect gives one.
    pub name: Option<Box<str>>,
    /// Where it is.
    pub address: Known<Address>,
    /// Which port.
    pub port: Known<Port>,
    /// When a host name is looked up.
    pub lookup: Lookup,
    /// Only used when the others are down.
    pub backup: bool,
    /// Where it is taken out of service by hand.
    pub down: Option<Site>,
    /// Share of the requests; 0: none. Its site where it is written.
    pub weight: Setting<u32>,
    /// How many connections it takes at once, where that is limited and the surplus is not queued: it goes to another
    /// member, or is refused.
    pub refuses_over: Option<Box<Setting<u32>>>,
    /// How many connections the proxy opens to it at once, where that is written. What becomes of the surplus is
    /// another question.
    pub takes: Option<Box<Setting<u32>>>,
    /// Whether it is asked actively whether it lives.
    pub check: ActiveCheck,
    /// Whether failures of ordinary requests take it out; `None`: the dialect has no such thing here.
    pub passive: Option<Shared<PassiveCheck>>,
    /// TLS, where the endpoint decides it.
    pub tls: Option<Box<TlsClient>>,
    /// Whether a PROXY header is sent first; `None`: the hop decides that.
    pub send_proxy: Option<bool>,
    /// The listener that this address leads to, where it is one of the same proxy's.
    pub leads_to: Option<Link>,
}

/// The port of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// Written down.
    Written(u16),
    /// Not written; this one follows from the scheme.
    OfScheme(u16),
    /// Not written; this one is taken whatever the scheme.
    Always(u16),
    /// Not written; the one the client connected to is taken.
    OfClient,
    /// There is none: a socket, or a record that brings its own.
    None,
}

impl Port {
    /// The number, where it is known.
    #[must_use]
    pub const fn number(self) -> Option<u16> {
        match self {
            Self::Written(n) | Self::OfScheme(n) | Self::Always(n) => Some(n),
            Self::OfClient | Self::None => None,
        }
    }
}

/// When an endpoint's host name is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// There is no name to look up, or nothing is known of it.
    NotNeeded,
    /// Once, while the configuration is read; a failure keeps the proxy from starting.
    AtStart,
    /// At start if possible; a failure leaves the endpoint without an address for ever.
    AtStartOrNever {
        /// Where that was asked for.
        site: Site,
    },
    /// Again and again, through a resolver that can answer.
    Repeated {
        /// The [`Resolver`], by its site, where it is known which one.
        resolver: Option<Site>,
    },
    /// Again and again, but there is no way to do it: none was named, or the named one has no server to ask.
    NoResolver {
        /// What shows it: the resolver's block or the statement that lacks one.
        site: Site,
        /// Whether the proxy refuses to start because of it.
        refused: bool,
    },
}

/// Whether an endpoint is asked actively whether it lives.
#[derive(Debug)]
pub struct ActiveCheck {
    /// Whether there is a check.
    pub enabled: Known<bool>,
    /// What switched it on, or off on purpose.
    pub site: Option<Site>,
    /// Whether the endpoint's state follows from something else: another endpoint's check, an agent.
    pub follows: bool,
    /// A setting for a check that is not there: somebody meant to have one.
    pub stray_setting: Option<Site>,
    /// Whether this kind of proxy can check actively at all (nginx's open-source edition cannot).
    pub possible: bool,
    /// Whether the check is told a port of its own, by the endpoint or by the pool's checks.
    pub own_port: bool,
    /// That port, where it is the endpoint's own affair and known.
    pub asks_port: Option<u16>,
    /// How often it asks, where something is written of that; else it notices within seconds.
    pub pace: Option<Box<CheckPace>>,
}

/// How often a check asks.
#[derive(Debug)]
pub struct CheckPace {
    /// Time from one check to the next.
    pub interval: Setting<Wait>,
    /// The same after a check has failed, where that is another one.
    pub after_failure: Option<Setting<Wait>>,
    /// Checks that must fail in a row until the endpoint counts as dead.
    pub failures: Setting<u32>,
}

/// Whether failures of ordinary requests take an endpoint out.
#[derive(Clone, Debug, PartialEq)]
pub struct PassiveCheck {
    /// Failures until it is taken out; 0: never.
    pub max_fails: Setting<u32>,
    /// For how long, and within which time they are counted.
    pub fail_timeout: Setting<Wait>,
    /// Whether answers that say that the server failed are failures, whatever the hop says.
    pub counts_answers: bool,
}

/// An endpoint that is one of the same proxy's own listeners.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The listener.
    pub listener: ListenerId,
    /// The virtual host that takes the request, where it is certain.
    pub virtual_host: Option<VirtualHostId>,
}

impl Endpoint {
    /// Whether requests can be sent to it, as far as the files tell.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.down.is_none() && self.weight.known() != Some(&0)
    }

    /// The host name, when the address is one.
    #[must_use]
    pub fn host_name(&self) -> Option<&str> {
        match self.address.known() {
            Some(Address::Net(Host::Name(name))) => Some(name),
            _ => None,
        }
    }
}
