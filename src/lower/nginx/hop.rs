//! Locations that pass requests on: hops.

use super::settings::{Family, Frame, Of, Slot, Word, Written};
use super::upstream::{Facts, no_active_check, wait_default};
use super::values::{self, Place};
use super::versions::in_versions;
use super::{Item, Lowering};
use crate::defaults::nginx as built_in;
use crate::edit::Applicability;
use crate::source::{Site, clean};
use crate::topology::{
    Endpoint, Hop, Known, LoadEffect, Lookup, LostReuse, LostReuseMend, MalformedTarget, Origin, PoolId, Port, Reason,
    ResponseBuffers, Retry, RetryOn, Reuse, RouteId, Setting, Shared, Target, Timeouts,
};
use crate::value::{Address, ByteSize, DefaultRef, Host, Versions, Wait};
use std::time::Duration;

/// A location with a target, kept until all groups and variables are known.
pub(super) struct Pending {
    pub family: Family,
    pub target: Item,
    pub frame: Frame,
    pub block: u32,
    pub site: Site,
    pub route: RouteId,
    /// The path that the location takes, where it is a plain one.
    pub prefix: Option<Box<str>>,
    /// Why no path may stand in the target, if so.
    pub restriction: Option<&'static str>,
    /// Whether the path may be rewritten in this block: then the target's own path does not count.
    pub rewrites: bool,
    pub server: u32,
}

/// A target, cut.
pub(super) struct Aim<'t> {
    pub tls: bool,
    pub rest: &'t str,
}

impl Family {
    /// The built-in value of a setting.
    pub(super) fn default_of(self, setting: Of) -> Option<&'static DefaultRef> {
        use built_in as b;
        Some(match (self, setting) {
            (Self::Proxy, Of::Connect) => &b::PROXY_CONNECT_TIMEOUT,
            (Self::Proxy, Of::Send) => &b::PROXY_SEND_TIMEOUT,
            (Self::Proxy, Of::Read) => &b::PROXY_READ_TIMEOUT,
            (Self::Proxy, Of::BufferSize) => &b::PROXY_BUFFER_SIZE,
            (Self::Proxy, Of::Buffers) => &b::PROXY_BUFFERS,
            (Self::Proxy, Of::NextUpstream) => &b::PROXY_NEXT_UPSTREAM,
            (Self::Proxy, Of::NextTries) => &b::PROXY_NEXT_UPSTREAM_TRIES,
            (Self::Proxy, Of::NextTimeout) => &b::PROXY_NEXT_UPSTREAM_TIMEOUT,
            (Self::Proxy, Of::RequestBuffering) => &b::PROXY_REQUEST_BUFFERING,
            (Self::Proxy, Of::SslServerName) => &b::PROXY_SSL_SERVER_NAME,
            (Self::Proxy, Of::SslVerify) => &b::PROXY_SSL_VERIFY,
            (Self::Proxy, Of::SslProtocols) => &b::PROXY_SSL_PROTOCOLS,
            (Self::Fastcgi, Of::Connect) => &b::FASTCGI_CONNECT_TIMEOUT,
            (Self::Fastcgi, Of::Send) => &b::FASTCGI_SEND_TIMEOUT,
            (Self::Fastcgi, Of::Read) => &b::FASTCGI_READ_TIMEOUT,
            (Self::Fastcgi, Of::BufferSize) => &b::FASTCGI_BUFFER_SIZE,
            (Self::Fastcgi, Of::Buffers) => &b::FASTCGI_BUFFERS,
            (Self::Fastcgi, Of::NextUpstream) => &b::FASTCGI_NEXT_UPSTREAM,
            (Self::Fastcgi, Of::NextTries) => &b::FASTCGI_NEXT_UPSTREAM_TRIES,
            (Self::Fastcgi, Of::NextTimeout) => &b::FASTCGI_NEXT_UPSTREAM_TIMEOUT,
            (Self::Fastcgi, Of::RequestBuffering) => &b::FASTCGI_REQUEST_BUFFERING,
            (Self::Uwsgi, Of::Connect) => &b::UWSGI_CONNECT_TIMEOUT,
            (Self::Uwsgi, Of::Send) => &b::UWSGI_SEND_TIMEOUT,
            (Self::Uwsgi, Of::Read) => &b::UWSGI_READ_TIMEOUT,
            (Self::Uwsgi, Of::BufferSize) => &b::UWSGI_BUFFER_SIZE,
            (Self::Uwsgi, Of::Buffers) => &b::UWSGI_BUFFERS,
            (Self::Uwsgi, Of::NextUpstream) => &b::UWSGI_NEXT_UPSTREAM,
            (Self::Uwsgi, Of::NextTries) => &b::UWSGI_NEXT_UPSTREAM_TRIES,
            (Self::Uwsgi, Of::NextTimeout) => &b::UWSGI_NEXT_UPSTREAM_TIMEOUT,
            (Self::Uwsgi, Of::RequestBuffering) => &b::UWSGI_REQUEST_BUFFERING,
            (Self::Uwsgi, Of::SslServerName) => &b::UWSGI_SSL_SERVER_NAME,
            (Self::Uwsgi, Of::SslVerify) => &b::UWSGI_SSL_VERIFY,
            (Self::Uwsgi, Of::SslProtocols) => &b::UWSGI_SSL_PROTOCOLS,
            (Self::Scgi, Of::Connect) => &b::SCGI_CONNECT_TIMEOUT,
            (Self::Scgi, Of::Send) => &b::SCGI_SEND_TIMEOUT,
            (Self::Scgi, Of::Read) => &b::SCGI_READ_TIMEOUT,
            (Self::Scgi, Of::BufferSize) => &b::SCGI_BUFFER_SIZE,
            (Self::Scgi, Of::Buffers) => &b::SCGI_BUFFERS,
            (Self::Scgi, Of::NextUpstream) => &b::SCGI_NEXT_UPSTREAM,
            (Self::Scgi, Of::NextTries) => &b::SCGI_NEXT_UPSTREAM_TRIES,
            (Self::Scgi, Of::NextTimeout) => &b::SCGI_NEXT_UPSTREAM_TIMEOUT,
            (Self::Scgi, Of::RequestBuffering) => &b::SCGI_REQUEST_BUFFERING,
            (Self::Grpc, Of::Connect) => &b::GRPC_CONNECT_TIMEOUT,
            (Self::Grpc, Of::Send) => &b::GRPC_SEND_TIMEOUT,
            (Self::Grpc, Of::Read) => &b::GRPC_READ_TIMEOUT,
            (Self::Grpc, Of::NextUpstream) => &b::GRPC_NEXT_UPSTREAM,
            (Self::Grpc, Of::NextTries) => &b::GRPC_NEXT_UPSTREAM_TRIES,
            (Self::Grpc, Of::NextTimeout) => &b::GRPC_NEXT_UPSTREAM_TIMEOUT,
            (Self::Grpc, Of::SslServerName) => &b::GRPC_SSL_SERVER_NAME,
            (Self::Grpc, Of::SslVerify) => &b::GRPC_SSL_VERIFY,
            (Self::Grpc, Of::SslProtocols) => &b::GRPC_SSL_PROTOCOLS,
            (Self::Memcached, Of::Connect) => &b::MEMCACHED_CONNECT_TIMEOUT,
            (Self::Memcached, Of::Send) => &b::MEMCACHED_SEND_TIMEOUT,
            (Self::Memcached, Of::Read) => &b::MEMCACHED_READ_TIMEOUT,
            (Self::Memcached, Of::NextUpstream) => &b::MEMCACHED_NEXT_UPSTREAM,
            (Self::Memcached, Of::NextTries) => &b::MEMCACHED_NEXT_UPSTREAM_TRIES,
            (Self::Memcached, Of::NextTimeout) => &b::MEMCACHED_NEXT_UPSTREAM_TIMEOUT,
            (Self::Stream, Of::Connect) => &b::STREAM_PROXY_CONNECT_TIMEOUT,
            (Self::Stream, Of::Read | Of::Send) => &b::STREAM_PROXY_TIMEOUT,
            (Self::Stream, Of::NextUpstream) => &b::STREAM_PROXY_NEXT_UPSTREAM,
            (Self::Stream, Of::NextTries) => &b::STREAM_PROXY_NEXT_UPSTREAM_TRIES,
            (Self::Stream, Of::NextTimeout) => &b::STREAM_PROXY_NEXT_UPSTREAM_TIMEOUT,
            (Self::Stream, Of::SslServerName) => &b::STREAM_PROXY_SSL_SERVER_NAME,
            (Self::Stream, Of::SslVerify) => &b::STREAM_PROXY_SSL_VERIFY,
            _ => return None,
        })
    }

    /// Where a setting is kept. In `stream` most words are those of `proxy`.
    pub(super) const fn slot(self, setting: Of) -> Slot {
        match (self, setting) {
            (Self::Stream, Of::Read | Of::Send) => Slot::of(Self::Stream, Of::Read),
            (Self::Stream, other) => Slot::of(Self::Proxy, other),
            (family, other) => Slot::of(family, other),
        }
    }
}

impl Lowering<'_, '_> {
    pub(super) const fn item_of(&self, written: &Written) -> Item {
        Item { word: Word::Set, place: written.place, node: written.node }
    }

    pub(super) fn finish_hops(&mut self) {
        self.read_maps();
        for pending in std::mem::take(&mut self.pending) {
            self.hop(pending);
        }
    }

    fn hop(&mut self, pending: Pending) {
        let Some((text, site)) = self.arg(pending.target, 1) else { return };
        let text = text.into_owned();
        let hole = self.is_hole(pending.target, 1);
        self.request_limits(&pending);
        let family = pending.family;
        let frame = &pending.frame;
        let pass_site = self.site_of(pending.target).unwrap_or(site);
        let mut path_kept = true;
        let mut tls_asked = None;
        let target = if hole || self.target_address(&text, site, false) {
            Target::Unknown(Reason::TemplateHole)
        } else if text.contains('$') {
            path_kept = false;
            tls_asked = self.scheme_of_computed(family, &text);
            self.computed(&pending, &text, site)
        } else {
            match self.aim(&pending, &text, site) {
                Some(aim) => {
                    tls_asked = Some(aim.tls);
                    let (target, kept) = self.literal(&pending, &aim, &text, site);
                    path_kept = kept;
                    target
                }
                None => Target::Unknown(Reason::Malformed),
            }
        };
        let stream_tls = family == Family::Stream && self.is_on(frame, Slot::STREAM_SSL);
        let tls = (tls_asked == Some(true) || stream_tls).then(|| Box::new(self.tls(&pending, pass_site)));
        let pool = match target {
            Target::Pool(pool) => Some(pool),
            _ => None,
        };
        self.check_version(&pending, &target, pool, pass_site);
        let (retry, buffers) = (self.retry(&pending), self.buffers(&pending));
        let (retry, buffers) = (self.lately.retry.share(retry), self.lately.buffers.share(buffers));
        let (connect, send) = (self.wait(&pending, Of::Connect), self.wait(&pending, Of::Send));
        let (connect, send) = (self.lately.waits.share(connect), self.lately.waits.share(send));
        let idle = self.idle(pool);
        let hop = Hop {
            proxy: self.proxy,
            site: pending.site,
            target_site: pass_site,
            protocol: family.protocol(),
            timeouts: Timeouts {
                connect,
                send,
                read: self.wait(&pending, Of::Read),
                queue: None,
                tunnel: None,
                client: None,
            },
            retry,
            buffers,
            reuse: self.reuse(&pending, pool, pass_site, idle),
            tls,
            host_sent: self.host_sent(&pending),
            path_kept,
            routes: vec![pending.route],
            unheard: pending.prefix.as_ref().is_some_and(|path| self.variables.mirrors.contains(path)),
            websockets: self.websockets(&pending, &target).map(Box::new),
            target,
            lost_headers: self.lost_headers(&pending, pool),
            sends_proxy: self.sends_proxy(&pending),
        };
        let id = self.out.topology.hops.push(hop);
        self.out.topology.routes[pending.route].hop = Some(id);
        if let Some(pool) = pool {
            self.out.topology.pools[pool].used = true;
        }
    }

    /// Takes the scheme off a target without variables.
    fn aim<'t>(&mut self, pending: &Pending, text: &'t str, site: Site) -> Option<Aim<'t>> {
        let strip = |scheme| values::strip_prefix_ignore_case(text, scheme);
        let plain = |rest| Some(Aim { tls: false, rest });
        let secure = |rest| Some(Aim { tls: true, rest });
        match pending.family {
            Family::Proxy => {
                if let Some(rest) = strip("http://") {
                    return plain(rest);
                }
                if let Some(rest) = strip("https://") {
                    return secure(rest);
                }
                let help = match text.split_once("://") {
                    Some((_, rest)) => format!("write `http://{0}` or `https://{0}`", clean(rest)),
                    None => format!("write `http://{}`", clean(text)),
                };
                self.malformed(
                    site,
                    format!("`{}` does not begin with `http://` or `https://`", clean(text)),
                    "the scheme is missing",
                    "nginx refuses the file: invalid URL prefix",
                    Some(help),
                    LoadEffect::Refused,
                );
                let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
                // On the port of HTTPS either scheme may be meant; so it may behind another one.
                let secure = values::url(rest)
                    .is_ok_and(|url| matches!(url.place, Place::Net { port: Some(443 | 8443 | 6443 | 9443), .. }));
                let sure = scheme.is_empty() && values::url(rest).is_ok();
                if !secure {
                    let applicability = if sure { Applicability::Safe } else { Applicability::Unsafe };
                    self.mend_target(applicability, site, text, format!("http://{rest}"));
                }
                None
            }
            Family::Grpc => match (strip("grpc://"), strip("grpcs://")) {
                (Some(rest), _) => plain(rest),
                (_, Some(rest)) => secure(rest),
                _ => plain(text),
            },
            Family::Uwsgi => match (strip("uwsgi://"), strip("suwsgi://")) {
                (Some(rest), _) => plain(rest),
                (_, Some(rest)) => secure(rest),
                _ => plain(text),
            },
            _ => plain(text),
        }
    }

    /// A target without variables: a group, an address, or something nginx refuses. Also: is the path kept?
    fn literal(&mut self, pending: &Pending, aim: &Aim<'_>, text: &str, site: Site) -> (Target, bool) {
        let family = pending.family;
        let http = family == Family::Proxy;
        let directive = match family {
            Family::Fastcgi => "`fastcgi_pass`",
            Family::Uwsgi => "`uwsgi_pass`",
            Family::Scgi => "`scgi_pass`",
            Family::Memcached => "`memcached_pass`",
            Family::Grpc => "`grpc_pass`",
            Family::Stream => "`proxy_pass` in `stream`",
            Family::Proxy => "`proxy_pass`",
        };
        let refused = (Target::Unknown(Reason::Malformed), false);
        let cut = values::url(aim.rest);
        if !http || cut.is_err() {
            // A name alone may be a group: only an address needs a port.
            let name = aim.rest.split(['/', '?', ':']).next().unwrap_or_default().to_ascii_lowercase();
            let group = self.pools.contains_key(&(family == Family::Stream, name));
            let no_default = !matches!(family, Family::Grpc | Family::Proxy);
            let port_needed = no_default && !group && (self.whole || self.alone);
            let takes_scheme = matches!(family, Family::Proxy | Family::Uwsgi | Family::Grpc);
            let checked = if takes_scheme { aim.rest } else { text };
            if self.check_address(checked, site, directive, family, port_needed) {
                return refused;
            }
        }
        let Ok(url) = cut else { return refused };
        let slash_kept = |uri: &str| uri.is_empty() || pending.prefix.as_deref() == Some(uri);
        if http
            && !url.uri.is_empty()
            && let Some(restriction) = pending.restriction
        {
            let bare = text.strip_suffix(url.uri).unwrap_or(text);
            self.malformed(
                    site,
                    format!("`proxy_pass` {restriction} may not have a path: `{}`", clean(url.uri)),
                    "the path begins after the host and port",
                    "nginx refuses the file: \"proxy_pass\" cannot have URI part here, because it would not know what to replace",
                    Some(format!("write `proxy_pass {};`, and change the path with `rewrite` where that is needed", clean(bare))),
                    LoadEffect::Refused,
                );
            if url.uri == "/" {
                self.mend_target(Applicability::Unsafe, site, text, bare.to_owned());
            }
            return refused;
        }
        if http {
            self.check_joint(pending, url.uri, site);
        }
        match url.place {
            Place::Socket(path) => {
                if let Some(end) = path.find(".sock/").filter(|_| http) {
                    let (socket, rest) = path.split_at(end + 5);
                    self.malformed(
                        site,
                        format!("the path of the socket goes on to `{}`: the colon before the request path is missing", clean(rest)),
                        "all of this is taken for the socket's path",
                        "nginx looks for a socket below the socket; every request fails: connect() failed (20: Not a directory)",
                        Some(format!("write `http://unix:{}:{}`", clean(socket), clean(rest))),
                        LoadEffect::Status(502),
                    );
                    let mended = text.replacen(".sock/", ".sock:/", 1);
                    self.mend_target(Applicability::Safe, site, text, mended);
                }
                let address = Known::Yes(Address::Socket(path.into()));
                (self.single(pending, address, Known::Yes(Port::None), site), slash_kept(url.uri))
            }
            Place::Net { host, port } => {
                let key = (family == Family::Stream, host.to_ascii_lowercase());
                // `upstream app:8080` is a group whose name has a colon; `app:8080` elsewhere does not mean it.
                if let Some(declared) = self.pools.get(&key) {
                    let (pool, group_site, group_file) = (declared.pool, declared.site, declared.file);
                    if let Some(port) = port {
                        if self.whole || group_file == site.span.file {
                            self.named_group_with_port(host, port, text, site, group_site);
                            return refused;
                        }
                        return (Target::Unknown(Reason::OutsideRepository), slash_kept(url.uri));
                    }
                    return (Target::Pool(pool), slash_kept(url.uri));
                }
                let port = match port {
                    Some(port) => Known::Yes(Port::Written(port)),
                    None => match family {
                        Family::Proxy | Family::Grpc => {
                            let default = if aim.tls { &built_in::HTTPS_PORT } else { &built_in::HTTP_PORT };
                            default
                                .value
                                .parse()
                                .map_or(Known::Unknown(Reason::Malformed), |n| Known::Yes(Port::OfScheme(n)))
                        }
                        _ => Known::Unknown(Reason::OutsideRepository),
                    },
                };
                let bare_name = host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[');
                if bare_name && !self.whole && !self.alone && !matches!(port, Known::Yes(Port::Written(_))) {
                    // In a fragment a name without a port is a group elsewhere as likely as a host.
                    return (Target::Unknown(Reason::OutsideRepository), slash_kept(url.uri));
                }
                let address = Known::Yes(Address::Net(Host::parse(host)));
                (self.single(pending, address, port, site), slash_kept(url.uri))
            }
        }
    }

    fn named_group_with_port(&mut self, host: &str, port: u16, text: &str, site: Site, group: Site) {
        let fixed = text.replacen(&format!(":{port}"), "", 1);
        self.out.topology.load.malformed.push(MalformedTarget {
            fix: None,
            proxy: self.proxy,
            site,
            message: format!("`{}` is an upstream group, and a group may not have a port", clean(host)),
            label: format!("port {port} stands here"),
            other: Some((group, "the group is defined here; its `server` lines have the ports".into())),
            why: "nginx refuses the file: upstream may not have port",
            help: Some(format!("write `{}`", clean(&fixed))),
            effect: LoadEffect::Refused,
        });
        self.mend_target(Applicability::Unsafe, site, text, fixed);
    }

    /// A target that is one address.
    fn single(&mut self, pending: &Pending, address: Known<Address>, port: Known<Port>, site: Site) -> Target {
        self.own_name(&address, &port, site);
        let lookup = match &address {
            Known::Yes(Address::Net(Host::Name(_))) => Lookup::AtStart,
            _ => Lookup::NotNeeded,
        };
        Target::Endpoint(self.out.topology.endpoints.push(Endpoint {
            proxy: self.proxy,
            pool: None,
            site: self.site_of(pending.target).unwrap_or(site),
            address_site: site,
            name: None,
            address,
            port,
            lookup,
            backup: false,
            down: None,
            weight: Setting::default(1, &built_in::SERVER_WEIGHT),
            refuses_over: None,
            takes: None,
            check: no_active_check(),
            passive: None,
            tls: None,
            send_proxy: None,
            leads_to: None,
        }))
    }

    fn origin(&self, written: &Written, block: u32) -> Origin {
        if written.block == block {
            Origin::Written(written.site())
        } else {
            Origin::Inherited { at: written.site(), scope: written.scope }
        }
    }

    /// A setting: written somewhere, doubtful, or the proxy's own.
    pub(super) fn setting<T>(
        &self,
        pending: &Pending,
        of: Of,
        read: impl Fn(&Self, Item) -> Option<T>,
        built_in: impl Fn(&'static DefaultRef) -> Known<T>,
    ) -> Setting<T> {
        let default = pending.family.default_of(of).map(|newest| self.built_in(newest));
        let spelling = default.map_or("", |default| default.setting);
        match pending.frame.get(pending.family.slot(of)).and_then(|index| self.written.get(index)) {
            Some(written) => {
                let item = self.item_of(written);
                let value = match self.arg(item, 1) {
                    _ if self.is_hole(item, 1) => Known::Unknown(Reason::TemplateHole),
                    Some((text, _)) if text.contains('$') => Known::Unknown(Reason::Variable),
                    _ => read(self, item).map_or(Known::Unknown(Reason::Malformed), Known::Yes),
                };
                Setting { value, origin: self.origin(written, pending.block), spelling }
            }
            None => match (self.doubt(&pending.frame), default) {
                (Some(reason), _) => Setting::unknown(reason, pending.site, spelling),
                (None, Some(default)) => {
                    Setting { value: built_in(default), origin: Origin::Default(default), spelling }
                }
                (None, None) => Setting::unknown(Reason::OutsideRepository, pending.site, spelling),
            },
        }
    }

    /// The built-in value for the versions in question.
    fn built_in(&self, newest: &'static DefaultRef) -> &'static DefaultRef {
        in_versions(newest, &self.versions())
    }

    /// The versions that the proxy may have.
    fn versions(&self) -> Versions {
        self.out.topology.proxies[self.proxy].versions
    }

    /// Whether connections are kept and HTTP/1.1 is spoken without a word; `None`: the versions differ.
    pub(super) const fn keeps_by_itself(&self) -> Option<bool> {
        self.by_itself.keeps
    }

    fn wait(&self, pending: &Pending, of: Of) -> Setting<Wait> {
        let read = |this: &Self, item| this.arg(item, 1).and_then(|(text, _)| values::time(&text)).map(Wait::For);
        self.setting(pending, of, read, |default| {
            values::time(default.value).map_or(Known::Unknown(Reason::Malformed), |time| Known::Yes(Wait::For(time)))
        })
    }

    fn retry(&self, pending: &Pending) -> Retry {
        let stream = pending.family == Family::Stream;
        let all = RetryOn { connect: true, timeout: true, empty: true, status: false };
        let on = self.setting(
            pending,
            Of::NextUpstream,
            |this, item| {
                let mut on = RetryOn::default();
                for (word, _) in this.args_of(item) {
                    match word.as_ref() {
                        "error" => (on.connect, on.empty) = (true, true),
                        "on" if stream => on = all,
                        "timeout" => on.timeout = true,
                        "invalid_header" => on.empty = true,
                        word if word.starts_with("http_") => on.status = true,
                        _ => {}
                    }
                }
                Some(on)
            },
            |_| Known::Yes(all),
        );
        // The directive counts all tries, the first one too; 0 sets no limit.
        let further = |text: &str| text.parse::<u32>().ok().map(|tries| tries.checked_sub(1));
        let tries = self.setting(
            pending,
            Of::NextTries,
            |this, item| this.arg(item, 1).and_then(|(text, _)| further(&text)),
            |default| further(default.value).map_or(Known::Unknown(Reason::Malformed), Known::Yes),
        );
        let mut window = self.wait(pending, Of::NextTimeout);
        if window.value == Known::Yes(Wait::For(Duration::ZERO)) {
            window.value = Known::Yes(Wait::Forever);
        }
        let body_kept = self.setting(
            pending,
            Of::RequestBuffering,
            |this, item| this.arg(item, 1).map(|(text, _)| !text.eq_ignore_ascii_case("off")),
            |default| Known::Yes(default.value == "on"),
        );
        let elsewhere = Setting { value: Known::Yes(true), origin: on.origin, spelling: on.spelling };
        // 403 and 404 are tried elsewhere and never count (ngx_http_upstream.c).
        let counts_answers = self.setting(
            pending,
            Of::NextUpstream,
            |this, item| {
                let counts = |word: &str| word.starts_with("http_5") || word == "http_429";
                Some(this.args_of(item).any(|(word, _)| counts(&word)))
            },
            |_| Known::Yes(false),
        );
        Retry { on, tries, elsewhere, window, body_kept, counts_answers }
    }

    /// Where `proxy_protocol on` is in force, which only `stream` has.
    fn sends_proxy(&self, pending: &Pending) -> Known<Option<Site>> {
        if pending.family != Family::Stream {
            return Known::Yes(None);
        }
        let slot = Slot::STREAM_PROXY_PROTOCOL;
        match pending.frame.get(slot).and_then(|index| self.written.get(index)) {
            Some(written) => Known::Yes(Some(written.site()).filter(|_| self.is_on(&pending.frame, slot))),
            None => self.doubt(&pending.frame).map_or(Known::Yes(None), Known::Unknown),
        }
    }

    fn buffers(&self, pending: &Pending) -> ResponseBuffers {
        let limited = pending.family.default_of(Of::BufferSize).is_some();
        // `4k|8k` is one memory page: the smaller one is what nearly every machine has.
        let page = |default: &'static DefaultRef| {
            let size = default.value.split('|').next().and_then(values::size);
            size.map_or(Known::Unknown(Reason::Malformed), Known::Yes)
        };
        let header = limited.then(|| {
            let read = |this: &Self, item| this.arg(item, 1).and_then(|(text, _)| values::size(&text));
            self.setting(pending, Of::BufferSize, read, page)
        });
        let body = limited.then(|| {
            let read = |this: &Self, item| {
                let number = this.arg(item, 1)?.0.parse::<u64>().ok()?;
                let size = values::size(&this.arg(item, 2)?.0)?;
                number.checked_mul(size.0).map(ByteSize)
            };
            let standard = |default: &'static DefaultRef| {
                let (number, size) = default.value.split_once(' ')?;
                let size = values::size(size.split('|').next()?)?;
                Some(ByteSize(number.parse::<u64>().ok()?.checked_mul(size.0)?))
            };
            self.setting(pending, Of::Buffers, read, |default| {
                standard(default).map_or(Known::Unknown(Reason::Malformed), Known::Yes)
            })
        });
        let usual = pending.family.default_of(Of::BufferSize).and_then(|default| page(default).known().copied());
        ResponseBuffers { header, body, lines: None, usual: usual.unwrap_or(ByteSize(0)) }
    }

    fn is_on(&self, frame: &Frame, slot: Slot) -> bool {
        frame.get(slot).and_then(|index| self.written.get(index)).is_some_and(|written| {
            self.arg(self.item_of(written), 1).is_some_and(|(text, _)| text.eq_ignore_ascii_case("on"))
        })
    }

    /// How long an unused connection is kept.
    fn idle(&mut self, pool: Option<PoolId>) -> Shared<Setting<Wait>> {
        match pool.and_then(|pool| self.pool_facts.get(&pool)) {
            Some(facts) => facts.idle.clone(),
            None => self.lately.waits.share(wait_default(&built_in::UPSTREAM_KEEPALIVE_TIMEOUT)),
        }
    }

    /// Whether connections to a group are kept: `keepalive` in the group, HTTP/1.1 and an empty `Connection` header
    /// in the location (for FastCGI: `fastcgi_keep_conn`). From 1.29.7 on that is so by itself.
    fn reuse(&self, pending: &Pending, pool: Option<PoolId>, site: Site, idle: Shared<Setting<Wait>>) -> Reuse {
        let facts = pool.and_then(|pool| self.pool_facts.get(&pool));
        let cleared = || self.headers_of(pending).and_then(|headers| headers.connection_cleared);
        let ready = match pending.family {
            Family::Proxy => {
                let slot = Slot::of(Family::Proxy, Of::HttpVersion);
                let version = pending.frame.get(slot).and_then(|index| self.written.get(index)).map(|written| {
                    self.arg(self.item_of(written), 1).map(|(text, _)| text.into_owned()).unwrap_or_default()
                });
                match (version.as_deref(), cleared()) {
                    (Some("1.1" | "2"), Some(true)) => Some(true),
                    (Some("1.0"), _) | (_, Some(false)) => Some(false),
                    _ if self.doubt(&pending.frame).is_some() => None,
                    _ if self.keeps_by_itself() == Some(true) => Some(true),
                    _ if self.keeps_by_itself() == Some(false) => Some(false),
                    // Depends on the version, or stands elsewhere.
                    _ => None,
                }
            }
            Family::Fastcgi => {
                let slot = Slot::of(Family::Fastcgi, Of::KeepConn);
                Some(self.is_on(&pending.frame, slot)).filter(|on| *on || self.doubt(&pending.frame).is_none())
            }
            Family::Grpc => Some(true),
            Family::Memcached => Some(true),
            Family::Uwsgi | Family::Scgi | Family::Stream => Some(false),
        };
        let keeps = facts.map_or(Known::Yes(false), |facts| facts.keeps);
        let value = match (keeps, ready) {
            (Known::Yes(false), _) | (_, Some(false)) => Known::Yes(false),
            (Known::Yes(true), Some(true)) => Known::Yes(true),
            _ => Known::Unknown(Reason::OutsideRepository),
        };
        let origin = match facts.and_then(|facts| facts.keepalive) {
            Some(at) => Origin::Written(at),
            None if value == Known::Yes(true) => Origin::Default(&built_in::UPSTREAM_KEEPALIVE),
            None => Origin::Written(site),
        };
        let kept = Setting { value, origin, spelling: "keepalive" };
        // A worker's kept connections serve whoever comes next.
        Reuse {
            kept,
            idle,
            race_hidden: Known::Yes(self.repeats_everything(pending)),
            shared: true,
            lost: facts.and_then(|facts| self.lost_reuse(pending, facts, site)).map(Box::new),
        }
    }

    /// Why the connections of a group that asks to keep them are closed after each request. Nothing is said where an
    /// include that was not read may have the rest.
    fn lost_reuse(&self, pending: &Pending, facts: &Facts, site: Site) -> Option<LostReuse> {
        let asked = facts.keepalive?;
        if self.keeps_by_itself() == Some(true) && pending.family == Family::Proxy {
            return None;
        }
        if let Some(because) = facts.replaced_by {
            let what = "takes the place of `keepalive` before nginx 1.29.7";
            return Some(LostReuse {
                asked,
                because,
                what,
                instead: "move `keepalive` below the balancing method",
                mend: Some(LostReuseMend::Move),
            });
        }
        if facts.keeps != Known::Yes(true) || self.doubt(&pending.frame).is_some() {
            return None;
        }
        let lost = |what, instead, mend| Some(LostReuse { asked, because: site, what, instead, mend });
        match pending.family {
            Family::Proxy => {
                let cleared = self.headers_of(pending).and_then(|headers| headers.connection_cleared);
                let versioned = pending.frame.get(Slot::of(Family::Proxy, Of::HttpVersion)).is_some();
                match (versioned, cleared) {
                    (true, Some(_)) | (false, Some(false)) => None,
                    (false, _) => lost(
                        "HTTP/1.0 is spoken here before nginx 1.29.7",
                        "write `proxy_http_version 1.1;` and `proxy_set_header Connection \"\";`",
                        cleared.map(|_| LostReuseMend::Write("proxy_http_version 1.1")),
                    ),
                    (true, None) => lost(
                        "`Connection: close` is sent from here before nginx 1.29.7",
                        "write `proxy_set_header Connection \"\";` beside the other headers of that level",
                        None,
                    ),
                }
            }
            Family::Fastcgi if !self.is_on(&pending.frame, Slot::of(Family::Fastcgi, Of::KeepConn)) => lost(
                "`fastcgi_keep_conn` is off here",
                "write `fastcgi_keep_conn on;`",
                Some(LostReuseMend::Write("fastcgi_keep_conn on")),
            ),
            _ => None,
        }
    }

    fn repeats_everything(&self, pending: &Pending) -> bool {
        let slot = pending.family.slot(Of::NextUpstream);
        pending
            .frame
            .get(slot)
            .and_then(|index| self.written.get(index))
            .is_some_and(|written| self.args_of(self.item_of(written)).any(|(word, _)| word == "non_idempotent"))
    }
}
