//! What stands around the proxies: the processes behind endpoints, and what the repository says of them.
//!
//! A [`Workload`] is one network namespace with what runs in it: a compose service, a Kubernetes pod, a systemd unit.
//! Where it listens is never known for sure from outside; each piece of evidence is a [`Claim`] with a [`Weight`], and
//! rules say how strong the evidence is before they accuse anybody.

use super::{EndpointId, HopId, Known, NetworkId, ProjectId, ProxyId, ServiceId, Setting, WorkloadId};
use crate::source::{FileId, Site};
use crate::value::{ByteSize, Wait};

/// Workloads that are deployed together and can find each other by name: a compose project, a Kubernetes namespace,
/// the units of one machine.
#[derive(Debug)]
pub struct Project {
    /// What describes it.
    pub kind: ProjectKind,
    /// The file that was read first.
    pub file: FileId,
    /// Its workloads.
    pub workloads: Vec<WorkloadId>,
    /// Whether all that belongs to it was read: no include, base or overlay is missing or unknown.
    pub whole: bool,
    /// Whether nobody says that these files go together: an overlay was laid over what stands beside it.
    pub guessed: bool,
    /// Whether any of its workloads uses another one's network.
    pub shares: bool,
    /// The folder of its files, relative to the root.
    pub folder: Box<str>,
    /// Where values stand that come from a sample of what somebody fills in, an `.env.example`; in order.
    pub sampled: Vec<Site>,
}

/// A file of a proxy's configuration, and the workload that reads it.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    /// The file.
    pub file: FileId,
    /// Who runs it.
    pub workload: WorkloadId,
    /// The line that says so.
    pub site: Site,
    /// How it comes there.
    pub how: Placed,
}

/// How a file comes into a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It is mounted.
    Mounted,
    /// It is copied into the image.
    Copied,
    /// A command writes it from the file.
    Rendered,
    /// It lies near, and nothing else runs it: a guess.
    Near,
}

/// An address that a proxy asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asks {
    /// That of an endpoint.
    Endpoint(EndpointId),
    /// What the target of a hop can come to: the number of the outcome.
    Outcome(HopId, u32),
}

/// What an address means where the proxy runs.
#[derive(Clone, Copy, Debug)]
pub struct Outlook {
    /// The address.
    pub asks: Asks,
    /// Who asks for it there: the number of the [`Placement`].
    pub placement: u32,
    /// What the address leads to.
    pub leads: Leads,
}

/// A program of the machine on which a proxy runs, to which an address leads.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The program.
    pub workload: WorkloadId,
}

/// A port that a workload hands to a proxy that makes its configuration of what workloads say.
#[derive(Clone, Copy, Debug)]
pub struct Handed {
    /// The proxy.
    pub proxy: ProxyId,
    /// Who runs it.
    pub by: WorkloadId,
    /// Who says so, and is asked.
    pub to: WorkloadId,
    /// The port on which it is asked.
    pub port: u16,
    /// Where it says so.
    pub site: Site,
}

/// What an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// This workload.
    To(WorkloadId),
    /// This service, which leads on to workloads.
    Service(ServiceId),
    /// This workload, by the name that the engine gave to one of its containers.
    Container(WorkloadId),
    /// The proxy's own network namespace: its loopback.
    Itself,
    /// The machine on which it runs.
    Machine,
    /// This workload has the name, and the name does not lead there from here.
    Barred(WorkloadId, Bar),
    /// Nobody in the project has the name, and nobody else could.
    Nobody,
    /// The engine's name for the machine, which an engine on Linux knows only when it is told.
    MachineByName,
}

/// What keeps a name from leading to the workload that bears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// The two are on no common network.
    NoCommonNetwork,
    /// The other one uses a third one's network and has no name of its own.
    Shares(WorkloadId, Site),
    /// The proxy uses the machine's network, where names of services mean nothing.
    OnMachine(Site),
    /// The proxy has no network.
    NoNetwork(Site),
    /// The other one uses the machine's network: it is on none of the project's.
    OtherOnMachine(Site),
    /// One of the two is on the engine's old default network, on which no names are known.
    OldBridge(Site),
}

/// What describes a [`Project`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProjectKind {
    /// docker compose.
    Compose,
    /// Kubernetes objects of one namespace.
    Kubernetes,
    /// Processes of one machine: systemd units, a Procfile, a supervisor.
    Machine,
    /// Declared by hand in the linter's own configuration.
    Declared,
}

/// A network on which workloads can reach each other.
#[derive(Debug)]
pub struct Network {
    /// Whose.
    pub project: ProjectId,
    /// Its name as the project writes it; the implicit one is "default".
    pub name: Box<str>,
    /// Where it is declared; none for the implicit one.
    pub site: Option<Site>,
    /// Whether anybody outside the project may be on it, too.
    pub external: bool,
}

/// One network namespace, and what runs in it.
#[derive(Debug)]
pub struct Workload {
    /// Whose.
    pub project: ProjectId,
    /// Its name: of the service, of the deployment, of the unit.
    pub name: Box<str>,
    /// Where it is declared.
    pub site: Site,
    /// Names under which others find it, besides its own, and on which network (`None`: on all that it is on).
    pub aliases: Vec<(Box<str>, Option<NetworkId>, Site)>,
    /// Names that it finds by itself, and to what they lead (`extra_hosts`, `links`).
    pub own_names: Vec<(Box<str>, OwnName, Site)>,
    /// Whose network it uses.
    pub namespace: Namespace,
    /// The networks that it is on; empty unless the namespace is its own.
    pub networks: Known<Vec<NetworkId>>,
    /// Evidence about where it listens.
    pub claims: Vec<Claim>,
    /// Whether something that decides where it listens could not be read: then nothing can be held against it.
    pub claims_open: bool,
    /// Ports of the machine that lead to it.
    pub published: Vec<Published>,
    /// The proxies whose configuration it runs.
    pub proxies: Vec<ProxyId>,
    /// What is known of the server program in it.
    pub server: Server,
    /// What it waits for before it starts.
    pub depends_on: Vec<Dependency>,
    /// Whether something starts it again when it ends.
    pub restart: Known<bool>,
    /// Whether somebody wrote that nothing is to start it again.
    pub stays_down: bool,
    /// Where a check of its health is written; `Yes(None)`: nothing checks it.
    pub health: Known<Option<Site>>,
    /// What its own health check does, where that could be read.
    pub check: Option<Box<OwnCheck>>,
    /// Profiles of which one must be active for it to start; empty: it always starts.
    pub profiles: Vec<Box<str>>,
    /// How many of it run.
    pub replicas: Known<u32>,
    /// Whether its address is written down, so that it keeps it when it is made again.
    pub fixed_address: bool,
    /// Whether it may run other programs besides its main one.
    pub many: bool,
    /// Whether its command waits for something before it starts the program.
    pub waits: bool,
    /// Folders in it that others may have, too.
    pub folders: Vec<Folder>,
}

/// A folder in a workload that comes from outside: a volume, or a folder of the machine.
#[derive(Debug)]
pub struct Folder {
    /// Where it is, absolute and without a `/` at its end.
    pub inside: Box<str>,
    /// What it is, the same for all that have it; one that begins with another and `/` lies in it.
    pub what: Known<Box<str>>,
    /// Where that is said.
    pub site: Site,
}

/// `/var/run` is a link to `/run` on every system that has both.
fn without_var(path: &str) -> &str {
    path.strip_prefix("/var").filter(|rest| *rest == "/run" || rest.starts_with("/run/")).unwrap_or(path)
}

impl Workload {
    /// Where a path of it lies outside: `None` where nobody else can have it, `Unknown` where that cannot be said.
    #[must_use]
    pub fn outside(&self, path: &str) -> Option<Known<String>> {
        let path = without_var(path);
        let within = |folder: &&Folder| {
            let rest = path.strip_prefix(without_var(&folder.inside));
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let folder = self.folders.iter().filter(within).max_by_key(|folder| folder.inside.len())?;
        let rest = path.strip_prefix(without_var(&folder.inside)).unwrap_or("");
        Some(match &folder.what {
            Known::Yes(what) => Known::Yes(format!("{what}{rest}")),
            Known::Unknown(reason) => Known::Unknown(*reason),
        })
    }
}

/// A health check that a workload makes of itself.
#[derive(Debug)]
pub struct OwnCheck {
    /// Where it is written.
    pub site: Site,
    /// The ports of its own loopback that it asks.
    pub asks: Vec<(u16, Site)>,
    /// Whether its server is one that opens no port besides the one that it is told.
    pub one_port: bool,
    /// A program that it calls, and that its image is known to come without: the program, its place, the image.
    pub lacks: Option<(Box<str>, Site, Box<str>)>,
}

/// Whose network a workload uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// Its own.
    Own,
    /// The machine's.
    Host(Site),
    /// Another workload's: it shares that one's loopback and ports, and has no name of its own.
    Of(WorkloadId, Site),
    /// The engine's old default network, on which no names are known.
    Bridge(Site),
    /// No network at all.
    Nothing(Site),
    /// Not to be known from these files.
    Unknown,
}

/// What a name that only one workload knows leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnName {
    /// A workload of the same project.
    Workload(WorkloadId),
    /// The machine on which it runs.
    Machine,
    /// An address or something outside the project.
    Elsewhere,
}

/// One piece of evidence about where a workload listens.
#[derive(Debug)]
pub struct Claim {
    /// Where.
    pub at: Known<Listens>,
    /// On which addresses.
    pub bind: Bind,
    /// What it speaks there, where the evidence says that.
    pub spoken: Option<Spoken>,
    /// How much it weighs.
    pub weight: Weight,
    /// Where it is written.
    pub site: Site,
    /// The evidence as a person would say it: "the command says `--port 3000`".
    pub words: Box<str>,
}

/// A place where something listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Listens {
    /// A TCP port.
    Port(u16),
    /// A socket in the file system.
    Socket(Box<str>),
}

/// On which of its addresses something listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// All.
    Any,
    /// Its loopback, as written.
    Loopback,
    /// Its loopback, because the program does so unless told otherwise.
    LoopbackByDefault,
    /// Not known, or one address among several.
    Unknown,
}

/// What a workload speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spoken {
    /// HTTP/1.x without TLS.
    Http,
    /// HTTP over TLS.
    Https,
    /// HTTP/2 without TLS, or gRPC.
    H2c,
    /// FastCGI.
    Fastcgi,
    /// The uwsgi protocol.
    Uwsgi,
    /// SCGI.
    Scgi,
    /// AJP.
    Ajp,
    /// Something that is none of these: a database's own protocol.
    Other,
}

/// How much a [`Claim`] weighs. Documentation weighs less than what a program obeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Raises confidence only.
    Weak,
    /// Documentation: `EXPOSE`, `expose`, an image's usual port.
    Medium,
    /// A call in the source of a program, which nobody has run: never enough for an error.
    Source,
    /// Somebody relies on it: a health check, a published port, an environment variable that the program reads.
    Strong,
    /// The program obeys it: its own configuration, its command line.
    Decisive,
}

/// A port of the machine that leads to a workload.
#[derive(Debug)]
pub struct Published {
    /// On the machine; `None`: some free one.
    pub host: Known<Option<u16>>,
    /// In the workload.
    pub container: Known<u16>,
    /// Whether it is TCP.
    pub tcp: bool,
    /// Whether only the machine itself can reach it.
    pub loopback_only: bool,
    /// Where it is written.
    pub site: Site,
}

/// What a workload waits for before it starts.
#[derive(Debug)]
pub struct Dependency {
    /// On whom; `None` for one that is not declared.
    pub on: Option<WorkloadId>,
    /// Its name.
    pub name: Box<str>,
    /// What is waited for.
    pub until: Until,
    /// Where it is written.
    pub site: Site,
}

/// What a [`Dependency`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// It was started.
    Started,
    /// Its health check passed.
    Healthy,
    /// It ended well.
    Completed,
}

/// What is known of the server program in a workload. Nothing known is `None`, and never a guess.
#[derive(Debug, Default)]
pub struct Server {
    /// The program: "gunicorn", "uvicorn", "php-fpm", "Node.js".
    pub program: Option<(Box<str>, Site)>,
    /// How long an idle client connection is kept. Zero: it is closed after each answer.
    pub idle: Option<Setting<Wait>>,
    /// After how long a worker that is still busy with a request is killed.
    pub worker_timeout: Option<Setting<Wait>>,
    /// The largest request header that is taken.
    pub request_header: Option<Setting<ByteSize>>,
    /// The largest answer header that it may send, where somebody raised it.
    pub response_header: Option<Setting<ByteSize>>,
    /// How many requests are worked on at a time.
    pub workers: Option<Setting<u32>>,
    /// Who may open the sockets on which it listens.
    pub sockets: Vec<SocketAccess>,
    /// Where it is given a `/tmp` of its own, in which nobody else finds its sockets.
    pub private_tmp: Option<Site>,
    /// A folder of `/run` in which it opens its socket and which nothing makes, and where the socket is written: `/run` is empty
    /// after each start of the machine.
    pub unmade_folder: Option<(Box<str>, Site)>,
    /// The addresses from which it takes connections, where it is told to refuse all others.
    pub allowed_clients: Option<(Vec<Box<str>>, Site)>,
    /// How it is ended, where anything is said of that.
    pub stop: Option<Box<Stop>>,
}

/// How a workload is ended: it is told to, and killed when it takes too long.
#[derive(Debug, Default)]
pub struct Stop {
    /// After how long it is killed. Starts when its end begins.
    pub grace: Option<Setting<Wait>>,
    /// For how long it sleeps before it is told. Part of that time.
    pub before: Option<Setting<Wait>>,
    /// For how long it finishes its requests once it is told.
    pub finishes: Option<Setting<Wait>>,
}

impl Server {
    /// What is said of how it is ended, to add to.
    pub fn stop_mut(&mut self) -> &mut Stop {
        self.stop.get_or_insert_default()
    }
}

/// Who may open a socket in the file system.
#[derive(Debug)]
pub struct SocketAccess {
    /// Its path.
    pub path: Box<str>,
    /// Whose it is, where that is written.
    pub owner: Option<(Box<str>, Site)>,
    /// Its group, where that is written.
    pub group: Option<(Box<str>, Site)>,
    /// Its permission bits, where they are written.
    pub mode: Option<(u32, Site)>,
    /// Whether something else decides, too (access control lists).
    pub more: bool,
}
