//! What nginx refuses for want of something else: TLS without a certificate, shared memory that is too small.

use super::settings::Word;
use super::{Block, Item, Lowering, values};
use crate::source::Site;
use crate::source::clean;
use crate::topology::{Fault, FaultKind, Known, VirtualHostId};
use crate::value::ByteSize;
use foldhash::{HashSet, HashSetExt};

const KIND: FaultKind = FaultKind::MissingCompanion;

/// The least size of a shared memory zone: eight pages of memory (`ngx_shared_memory_add` and its users). A page has
/// 4k on nearly every machine, more on others; nowhere less.
const LEAST_ZONE: ByteSize = ByteSize(8 * 4096);

impl Lowering<'_, '_> {
    /// Remembers what a level says of certificates; the levels within inherit it.
    pub(super) fn note_certificate(&self, item: Item, block: &mut Block) {
        match item.word {
            Word::Certificate => block.frame.certificate = true,
            Word::CertificateKey => block.frame.certificate_key = true,
            Word::Http2 => {
                block.frame.http2 = self.arg(item, 1).is_some_and(|(value, _)| !value.eq_ignore_ascii_case("off"));
            }
            Word::RejectHandshake => {
                block.frame.rejects = self.arg(item, 1).is_some_and(|(value, _)| value.eq_ignore_ascii_case("on"));
            }
            _ => {}
        }
    }

    /// Looks at the certificate of a complete server. Nothing is said where more may stand in a file that was not read.
    pub(super) fn check_certificate(&mut self, host: VirtualHostId, block: &Block) {
        let frame = &block.frame;
        let Some(site) = block.site else { return };
        if self.doubt(frame).is_some() || self.is_template(site) {
            return;
        }
        if !frame.certificate {
            self.without_certificate.insert(host, frame.rejects);
            let switch = block.items.iter().find(|item| item.word == Word::Ssl).copied();
            let on = switch.filter(|&item| self.arg(item, 1).is_some_and(|(v, _)| v.eq_ignore_ascii_case("on")));
            if let Some(at) = on.and_then(|item| self.site_of(item)) {
                self.without(at, site);
            }
            return;
        }
        if !frame.certificate_key {
            let written = block.items.iter().find(|item| item.word == Word::Certificate).copied();
            let at = written.and_then(|item| self.site_of(item)).unwrap_or(site);
            let fault = Fault::new(
                KIND,
                self.proxy,
                (at, "has no key"),
                "nginx does not start: this server has a certificate, and no `ssl_certificate_key`",
            )
            .why("`nginx -t` says: no \"ssl_certificate_key\" is defined for certificate, without file and line")
            .help("write `ssl_certificate_key` with the file of the private key beside it");
            self.out.topology.load.faults.push(fault);
        }
    }

    /// Addresses on which TLS is spoken and whose first or default server has no certificate. What the others lack
    /// matters only where that one turns handshakes away (`ngx_http_ssl_init`; measured on 1.22.1).
    pub(super) fn finish_certificates(&mut self) {
        let without = std::mem::take(&mut self.without_certificate);
        if !self.whole || without.is_empty() {
            return;
        }
        let mut found: Vec<(Site, Site)> = Vec::new();
        let mut told = HashSet::new();
        // Of a server's addresses the one that is written first is told.
        let mut listeners: Vec<_> = self.listeners.values().copied().collect();
        listeners.sort_by_key(|&id| {
            let at = self.out.topology.listeners[id].site.span;
            (at.file, at.start)
        });
        for id in listeners {
            let listener = &self.out.topology.listeners[id];
            if listener.tls != Known::Yes(true) || self.is_template(listener.site) {
                continue;
            }
            let mut hosts = listener.virtual_hosts.iter();
            let Some(first) = hosts.next() else { continue };
            let bare = match without.get(first) {
                None => None,
                Some(false) => Some(first),
                Some(true) => hosts.find(|host| without.get(host) == Some(&false)),
            };
            if let Some(&host) = bare
                && told.insert(host)
            {
                found.push((listener.site, self.out.topology.virtual_hosts[host].site));
            }
        }
        found.sort_by_key(|(at, _)| (at.span.file, at.span.start));
        for (listen, server) in found {
            self.without(listen, server);
        }
    }

    fn without(&mut self, at: Site, server: Site) {
        let fault = Fault::new(
            KIND,
            self.proxy,
            (at, "TLS is to be spoken here"),
            "nginx does not start: a server that is to speak TLS has no `ssl_certificate`",
        )
        .other(server, "this server has no certificate, and inherits none")
        .help(
            "write `ssl_certificate` and `ssl_certificate_key` in this server, or `ssl_reject_handshake on;` to turn \
             clients away",
        );
        self.out.topology.load.faults.push(fault);
    }

    /// A zone of shared memory that is too small on every machine. The size stands behind the last colon of `zone=…`,
    /// or is the argument at `index`.
    pub(super) fn check_zone_size(&mut self, item: Item, index: usize) {
        let words = self.args(item);
        let named = words.iter().enumerate().find_map(|(at, (word, site))| {
            let size = word.strip_prefix("zone=")?.rsplit_once(':')?.1;
            Some((at + 1, size.to_owned(), *site))
        });
        let plain = || words.get(index - 1).map(|(size, site)| (index, size.clone().into_owned(), *site));
        let Some((at, size, site)) = named.or_else(plain) else { return };
        if self.is_hole(item, at) || values::size(&size).is_none_or(|bytes| bytes >= LEAST_ZONE) {
            return;
        }
        let shown = clean(&size);
        let fault = Fault::new(
            KIND,
            self.proxy,
            (site, "too small"),
            format!("nginx does not start: shared memory of {shown} is less than the smallest that it takes"),
        )
        .why("a zone has at least eight pages of memory: 32k where a page has 4k, 512k where it has 64k")
        .help("write `64k` or more; one megabyte is usual");
        self.out.topology.load.faults.push(fault);
    }
}
