//! Which directives carry settings that inherit, and how a frame of them is handed inwards.

use crate::defaults::nginx_names::{Name, name, names};
use crate::source::{FileId, IncludeId, Site, Span};
use crate::topology::{Protocol, Scope};
use std::sync::LazyLock;

/// The families of `*_pass` directives, which have equal rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    Proxy,
    Fastcgi,
    Uwsgi,
    Scgi,
    Grpc,
    Memcached,
    Stream,
}

impl Family {
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Proxy => Protocol::Http,
            Self::Fastcgi => Protocol::Fastcgi,
            Self::Uwsgi => Protocol::Uwsgi,
            Self::Scgi => Protocol::Scgi,
            Self::Grpc => Protocol::Http2,
            Self::Memcached => Protocol::Memcached,
            Self::Stream => Protocol::Tcp,
        }
    }
}

/// A setting of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    Connect,
    Send,
    Read,
    BufferSize,
    Buffers,
    NextUpstream,
    NextTries,
    NextTimeout,
    RequestBuffering,
    SslServerName,
    SslName,
    SslVerify,
    SslTrusted,
    SslCertificate,
    SslProtocols,
    HttpVersion,
    KeepConn,
    BusyBuffers,
    SslCiphers,
}

const FAMILIES: usize = 7;
const SETTINGS: usize = 19;

/// The families that keep answers in buffers of several sizes: the first ones.
pub const BUFFERED: [&str; 4] = ["proxy", "fastcgi", "uwsgi", "scgi"];
const BUFFER_SIZE: usize = Of::BufferSize as usize;
const BUFFERS: usize = Of::Buffers as usize;
const BUSY_BUFFERS: usize = Of::BusyBuffers as usize;

/// A place in a [`Frame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(u8);

impl Slot {
    pub const fn of(family: Family, setting: Of) -> Self {
        Self((family as usize * SETTINGS + setting as usize) as u8)
    }
    pub const RESOLVER: Self = Self((FAMILIES * SETTINGS) as u8);
    pub const CLIENT_KEEPALIVE: Self = Self((FAMILIES * SETTINGS + 1) as u8);
    pub const STREAM_SSL: Self = Self((FAMILIES * SETTINGS + 2) as u8);
    /// `ssl_protocols`, towards clients.
    pub const CLIENT_PROTOCOLS: Self = Self((FAMILIES * SETTINGS + 3) as u8);
    /// `ssl_verify_client`.
    pub const VERIFY_CLIENT: Self = Self((FAMILIES * SETTINGS + 4) as u8);
    /// `proxy_protocol` in `stream`.
    pub const STREAM_PROXY_PROTOCOL: Self = Self((FAMILIES * SETTINGS + 5) as u8);
    /// `client_max_body_size`.
    pub const MAX_BODY: Self = Self((FAMILIES * SETTINGS + 6) as u8);
    /// `client_header_buffer_size` and `large_client_header_buffers`.
    pub const HEADER_BUFFER: Self = Self((FAMILIES * SETTINGS + 7) as u8);
    pub const HEADER_BUFFERS: Self = Self((FAMILIES * SETTINGS + 8) as u8);
    /// `limit_req` and `limit_conn`: the last line of a level.
    pub const LIMIT_REQ: Self = Self((FAMILIES * SETTINGS + 9) as u8);
    pub const LIMIT_CONN: Self = Self((FAMILIES * SETTINGS + 10) as u8);
    /// What they answer, and whether they only count.
    pub const LIMIT_REQ_STATUS: Self = Self((FAMILIES * SETTINGS + 11) as u8);
    pub const LIMIT_CONN_STATUS: Self = Self((FAMILIES * SETTINGS + 12) as u8);
    pub const LIMIT_REQ_DRY_RUN: Self = Self((FAMILIES * SETTINGS + 13) as u8);
    pub const LIMIT_CONN_DRY_RUN: Self = Self((FAMILIES * SETTINGS + 14) as u8);
    /// `ssl_ciphers`, towards clients.
    pub const CLIENT_CIPHERS: Self = Self((FAMILIES * SETTINGS + 15) as u8);
    #[cfg(test)]
    const COUNT: usize = FAMILIES * SETTINGS + 16;
}

/// Where a directive was written.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// The use of the file it stands in.
    pub place: u32,
    pub file: FileId,
    pub start: u32,
    pub end: u32,
    pub via: Option<IncludeId>,
    /// The node in the file's tree.
    pub node: crate::syntax::nginx::NodeId,
    /// Running number of the block it stands in (includes are pasted, so theirs counts).
    pub block: u32,
    /// The level of that block.
    pub scope: Scope,
}

impl Written {
    pub const fn site(&self) -> Site {
        Site { span: Span::new(self.file, self.start, self.end), via: self.via }
    }
}

/// For each setting, where the value in force was written. The innermost level that sets one wins. A level sets few,
/// so they are a short list: there is one frame for every location of a large tree.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    slots: Vec<(Slot, u32)>,
    /// Whether something in force here may stand in a file that was not read.
    pub unread: bool,
    /// Whether a certificate is named for clients, and the key of one.
    pub certificate: bool,
    pub certificate_key: bool,
    /// Whether handshakes are turned away where there is no certificate.
    pub rejects: bool,
    /// Whether `http2 on` is in force.
    pub http2: bool,
    /// The effective request headers: an index into the lowering's list, `None` where no level sets any.
    pub headers: [Option<u32>; 2],
}

impl Frame {
    pub fn get(&self, slot: Slot) -> Option<usize> {
        self.slots.iter().find(|(set, _)| *set == slot).map(|(_, index)| *index as usize)
    }

    /// What is set of the sizes of buffers: for each family of [`BUFFERED`], `_buffer_size`, `_buffers` and
    /// `_busy_buffers_size`.
    pub fn buffers(&self) -> [[Option<u32>; 3]; BUFFERED.len()] {
        let mut found = [[None; 3]; BUFFERED.len()];
        for &(slot, index) in &self.slots {
            let part = match slot.0 as usize % SETTINGS {
                BUFFER_SIZE => 0,
                BUFFERS => 1,
                BUSY_BUFFERS => 2,
                _ => continue,
            };
            if let Some(family) = found.get_mut(slot.0 as usize / SETTINGS) {
                family[part] = Some(index);
            }
        }
        found
    }

    pub fn set(&mut self, slot: Slot, index: usize) {
        match self.slots.iter_mut().find(|(set, _)| *set == slot) {
            Some((_, place)) => *place = index as u32,
            None => self.slots.push((slot, index as u32)),
        }
    }
}

/// What a directive is to the lowering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A setting that inherits, once per block.
    Setting(Slot),
    /// A request header that is sent: a list, replaced as a whole. 0: HTTP, 1: gRPC.
    Header(usize),
    /// A target.
    Pass(Family),
    /// Anything else the lowering looks at.
    Word(Word),
    /// Only what it names is looked at.
    Address(Names),
}

/// Whom a directive names that is no target and no `listen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The user that nginx runs as.
    User,
    /// A file or a server that takes the log.
    Log,
    /// The address that connections to the upstream side come from.
    Source,
}

/// Directives that the lowering looks at one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    Include,
    Http,
    Events,
    Stream,
    Mail,
    Server,
    Location,
    Upstream,
    If,
    LimitExcept,
    Listen,
    ServerName,
    Set,
    Map,
    Mirror,
    Return,
    Rewrite,
    ErrorPage,
    TryFiles,
    LoadModule,
    /// A file that is read at start: an authority, say.
    File,
    // Of the process.
    WorkerConnections,
    WorkerFiles,
    Certificate,
    CertificateKey,
    // In `upstream`.
    Balancer,
    Zone,
    Queue,
    Keepalive,
    KeepaliveTimeout,
    Sticky,
    // In `server`.
    Ssl,
    RejectHandshake,
    Http2,
    // Zones and who uses them.
    LimitReqZone,
    LimitConnZone,
    LimitReq,
    LimitConn,
}

/// What a directive is to the lowering, by its name; `None` for those it does not look at.
pub fn role(name: &Name) -> Option<Role> {
    ROLES.get(usize::from(name.number)).copied().flatten()
}

/// By the numbers of the names.
static ROLES: LazyLock<Vec<Option<Role>>> = LazyLock::new(|| {
    let mut roles = vec![None; names().len()];
    let mut put = |text, role| {
        if let Some(place) = name(text).and_then(|name| roles.get_mut(usize::from(name.number))) {
            *place = Some(role);
        }
    };
    for (text, family, setting) in FAMILIES_SETTINGS.into_iter().flatten() {
        put(text, Role::Setting(Slot::of(*family, *setting)));
    }
    for (text, role) in OTHERS {
        put(text, *role);
    }
    roles
});

macro_rules! family {
    ($prefix:literal, $family:expr) => {
        [
            (concat!($prefix, "_connect_timeout"), $family, Of::Connect),
            (concat!($prefix, "_send_timeout"), $family, Of::Send),
            (concat!($prefix, "_read_timeout"), $family, Of::Read),
            (concat!($prefix, "_buffer_size"), $family, Of::BufferSize),
            (concat!($prefix, "_buffers"), $family, Of::Buffers),
            (concat!($prefix, "_busy_buffers_size"), $family, Of::BusyBuffers),
            (concat!($prefix, "_next_upstream"), $family, Of::NextUpstream),
            (concat!($prefix, "_next_upstream_tries"), $family, Of::NextTries),
            (concat!($prefix, "_next_upstream_timeout"), $family, Of::NextTimeout),
            (concat!($prefix, "_request_buffering"), $family, Of::RequestBuffering),
            (concat!($prefix, "_ssl_server_name"), $family, Of::SslServerName),
            (concat!($prefix, "_ssl_name"), $family, Of::SslName),
            (concat!($prefix, "_ssl_verify"), $family, Of::SslVerify),
            (concat!($prefix, "_ssl_trusted_certificate"), $family, Of::SslTrusted),
            (concat!($prefix, "_ssl_certificate"), $family, Of::SslCertificate),
            (concat!($prefix, "_ssl_protocols"), $family, Of::SslProtocols),
            (concat!($prefix, "_ssl_ciphers"), $family, Of::SslCiphers),
        ]
    };
}

static PROXY: [(&str, Family, Of); 17] = family!("proxy", Family::Proxy);
static FASTCGI: [(&str, Family, Of); 17] = family!("fastcgi", Family::Fastcgi);
static UWSGI: [(&str, Family, Of); 17] = family!("uwsgi", Family::Uwsgi);
static SCGI: [(&str, Family, Of); 17] = family!("scgi", Family::Scgi);
static GRPC: [(&str, Family, Of); 17] = family!("grpc", Family::Grpc);
static MEMCACHED: [(&str, Family, Of); 17] = family!("memcached", Family::Memcached);

static FAMILIES_SETTINGS: [&[(&str, Family, Of)]; 6] = [&PROXY, &FASTCGI, &UWSGI, &SCGI, &GRPC, &MEMCACHED];

static OTHERS: &[(&str, Role)] = &[
    ("proxy_http_version", Role::Setting(Slot::of(Family::Proxy, Of::HttpVersion))),
    ("fastcgi_keep_conn", Role::Setting(Slot::of(Family::Fastcgi, Of::KeepConn))),
    ("resolver", Role::Setting(Slot::RESOLVER)),
    ("keepalive_timeout", Role::Setting(Slot::CLIENT_KEEPALIVE)),
    ("proxy_ssl", Role::Setting(Slot::STREAM_SSL)),
    ("ssl_protocols", Role::Setting(Slot::CLIENT_PROTOCOLS)),
    ("ssl_ciphers", Role::Setting(Slot::CLIENT_CIPHERS)),
    ("ssl_verify_client", Role::Setting(Slot::VERIFY_CLIENT)),
    ("proxy_protocol", Role::Setting(Slot::STREAM_PROXY_PROTOCOL)),
    ("client_max_body_size", Role::Setting(Slot::MAX_BODY)),
    ("client_header_buffer_size", Role::Setting(Slot::HEADER_BUFFER)),
    ("large_client_header_buffers", Role::Setting(Slot::HEADER_BUFFERS)),
    ("limit_req_status", Role::Setting(Slot::LIMIT_REQ_STATUS)),
    ("limit_conn_status", Role::Setting(Slot::LIMIT_CONN_STATUS)),
    ("limit_req_dry_run", Role::Setting(Slot::LIMIT_REQ_DRY_RUN)),
    ("limit_conn_dry_run", Role::Setting(Slot::LIMIT_CONN_DRY_RUN)),
    ("proxy_timeout", Role::Setting(Slot::of(Family::Stream, Of::Read))),
    ("proxy_set_header", Role::Header(0)),
    ("grpc_set_header", Role::Header(1)),
    ("proxy_pass", Role::Pass(Family::Proxy)),
    ("fastcgi_pass", Role::Pass(Family::Fastcgi)),
    ("uwsgi_pass", Role::Pass(Family::Uwsgi)),
    ("scgi_pass", Role::Pass(Family::Scgi)),
    ("grpc_pass", Role::Pass(Family::Grpc)),
    ("memcached_pass", Role::Pass(Family::Memcached)),
    ("user", Role::Address(Names::User)),
    ("error_log", Role::Address(Names::Log)),
    ("access_log", Role::Address(Names::Log)),
    ("proxy_bind", Role::Address(Names::Source)),
    ("fastcgi_bind", Role::Address(Names::Source)),
    ("uwsgi_bind", Role::Address(Names::Source)),
    ("scgi_bind", Role::Address(Names::Source)),
    ("grpc_bind", Role::Address(Names::Source)),
    ("memcached_bind", Role::Address(Names::Source)),
    ("include", Role::Word(Word::Include)),
    ("http", Role::Word(Word::Http)),
    ("events", Role::Word(Word::Events)),
    ("stream", Role::Word(Word::Stream)),
    ("mail", Role::Word(Word::Mail)),
    ("server", Role::Word(Word::Server)),
    ("location", Role::Word(Word::Location)),
    ("upstream", Role::Word(Word::Upstream)),
    ("if", Role::Word(Word::If)),
    ("limit_except", Role::Word(Word::LimitExcept)),
    ("listen", Role::Word(Word::Listen)),
    ("server_name", Role::Word(Word::ServerName)),
    ("set", Role::Word(Word::Set)),
    ("mirror", Role::Word(Word::Mirror)),
    ("map", Role::Word(Word::Map)),
    ("return", Role::Word(Word::Return)),
    ("rewrite", Role::Word(Word::Rewrite)),
    ("error_page", Role::Word(Word::ErrorPage)),
    ("try_files", Role::Word(Word::TryFiles)),
    ("ssl_certificate", Role::Word(Word::Certificate)),
    ("ssl_certificate_key", Role::Word(Word::CertificateKey)),
    ("ssl_client_certificate", Role::Word(Word::File)),
    ("ssl_dhparam", Role::Word(Word::File)),
    ("load_module", Role::Word(Word::LoadModule)),
    ("worker_connections", Role::Word(Word::WorkerConnections)),
    ("worker_rlimit_nofile", Role::Word(Word::WorkerFiles)),
    ("ip_hash", Role::Word(Word::Balancer)),
    ("least_conn", Role::Word(Word::Balancer)),
    ("least_time", Role::Word(Word::Balancer)),
    ("hash", Role::Word(Word::Balancer)),
    ("random", Role::Word(Word::Balancer)),
    ("zone", Role::Word(Word::Zone)),
    ("queue", Role::Word(Word::Queue)),
    ("keepalive", Role::Word(Word::Keepalive)),
    ("sticky", Role::Word(Word::Sticky)),
    ("ssl", Role::Word(Word::Ssl)),
    ("http2", Role::Word(Word::Http2)),
    ("ssl_reject_handshake", Role::Word(Word::RejectHandshake)),
    ("limit_req_zone", Role::Word(Word::LimitReqZone)),
    ("limit_conn_zone", Role::Word(Word::LimitConnZone)),
    ("limit_req", Role::Word(Word::LimitReq)),
    ("limit_conn", Role::Word(Word::LimitConn)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_do_not_collide() {
        assert_eq!(Of::SslCiphers as usize + 1, SETTINGS, "the last setting counts them");
        assert!(Slot::CLIENT_CIPHERS.0 as usize == Slot::COUNT - 1 && Slot::COUNT < 256);
        let role = |text| name(text).and_then(role);
        assert_eq!(role("proxy_read_timeout"), Some(Role::Setting(Slot::of(Family::Proxy, Of::Read))));
        assert_eq!(role("gzip"), None);
        let mut frame = Frame::default();
        for (number, (family, _)) in
            [Family::Proxy, Family::Fastcgi, Family::Uwsgi, Family::Scgi].into_iter().zip(BUFFERED).enumerate()
        {
            frame.set(Slot::of(family, Of::Buffers), number);
        }
        frame.set(Slot::of(Family::Grpc, Of::Buffers), 9);
        frame.set(Slot::MAX_BODY, 9);
        assert_eq!(frame.buffers().map(|sizes| sizes[1]), [Some(0), Some(1), Some(2), Some(3)]);
        assert!(frame.buffers().iter().all(|sizes| sizes[0].is_none() && sizes[2].is_none()));
        for (text, of) in OTHERS {
            assert_eq!(role(text), Some(*of), "{text}");
        }
    }
}
