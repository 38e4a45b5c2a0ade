//! The settings in force in a location: written there, inherited, or nginx's own.

use super::hop::Pending;
use super::settings::{Family, Frame, Of, Slot, Written};
use super::values;
use super::versions::in_versions;
use super::{Item, Lowering};
use crate::defaults::nginx as built_in;
use crate::source::Site;
use crate::topology::{Known, Origin, Reason, ResponseBuffers, Retry, RetryOn, Setting};
use crate::value::{ByteSize, DefaultRef, Versions, Wait};
use std::time::Duration;

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

    pub(super) fn wait(&self, pending: &Pending, of: Of) -> Setting<Wait> {
        let read = |this: &Self, item| this.arg(item, 1).and_then(|(text, _)| values::time(&text)).map(Wait::For);
        self.setting(pending, of, read, |default| {
            values::time(default.value).map_or(Known::Unknown(Reason::Malformed), |time| Known::Yes(Wait::For(time)))
        })
    }

    pub(super) fn retry(&mut self, pending: &Pending) -> Retry {
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
        let window = self.lately.waits.share(window);
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
        let counts_answers = counts_answers.value;
        Retry { on, tries, elsewhere, window, body_kept, counts_answers }
    }

    /// Where `proxy_protocol on` is in force, which only `stream` has.
    pub(super) fn sends_proxy(&self, pending: &Pending) -> Known<Option<Site>> {
        if pending.family != Family::Stream {
            return Known::Yes(None);
        }
        let slot = Slot::STREAM_PROXY_PROTOCOL;
        match pending.frame.get(slot).and_then(|index| self.written.get(index)) {
            Some(written) => Known::Yes(Some(written.site()).filter(|_| self.is_on(&pending.frame, slot))),
            None => self.doubt(&pending.frame).map_or(Known::Yes(None), Known::Unknown),
        }
    }

    pub(super) fn buffers(&self, pending: &Pending) -> ResponseBuffers {
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

    pub(super) fn is_on(&self, frame: &Frame, slot: Slot) -> bool {
        frame.get(slot).and_then(|index| self.written.get(index)).is_some_and(|written| {
            self.arg(self.item_of(written), 1).is_some_and(|(text, _)| text.eq_ignore_ascii_case("on"))
        })
    }
}
