//! `listen` and `server_name`: listeners and virtual hosts.

use super::settings::{Slot, Word};
use super::{Block, Item, Lowering, values};
use crate::defaults::nginx as built_in;
use crate::source::{FileId, Site};
use crate::topology::{
    Duplicate, Known, Listener, ListenerId, LoadEffect, Origin, Reason, Setting, VirtualHost, VirtualHostId,
};
use crate::value::{Address, Host, Wait};
use std::collections::hash_map::Entry;

/// What tells two listeners apart: the address as nginx keeps it.
pub(super) type Key = (bool, String);

/// What a `listen` line says beside the address.
#[derive(Clone, Copy, Default)]
struct Options {
    default: bool,
    tls: bool,
    quic: bool,
    http2: bool,
    proxy_protocol: bool,
    /// `ipv6only=off`: a wildcard of IPv6 takes connections over IPv4, too.
    both_families: bool,
}

impl Lowering<'_, '_> {
    /// The virtual host of a server block, with its listeners.
    pub(super) fn virtual_host(&mut self, block: &Block, stream: bool) -> VirtualHostId {
        let site = block.site.unwrap_or_else(|| Site::direct(crate::source::Span::new(self.entry(), 0, 0)));
        let request_header = self.request_header(&block.frame);
        let host = self.out.topology.virtual_hosts.push(VirtualHost {
            proxy: self.proxy,
            site,
            names: self.server_names(block),
            listeners: Vec::new(),
            routes: Vec::new(),
            wants_certificate: self.wants_certificate(block),
            clients: None,
            request_header,
        });
        let listens: Vec<Item> = block.items.iter().copied().filter(|item| item.word == Word::Listen).collect();
        let rejects = block.frame.rejects;
        let tls_switch = self.switched_on(block, Word::Ssl);
        let idle = self.client_idle(block);
        let versions = self.client_versions(block, site);
        let ciphers = self.ciphers(&block.frame, Slot::CLIENT_CIPHERS);
        let mut own = Vec::new();
        for item in &listens {
            if let Some(found) = self.listen(*item, block, host, stream, tls_switch) {
                own.push(found);
            }
        }
        if listens.is_empty() && !stream && self.doubt(&block.frame).is_none() {
            // Without `listen` a server takes port 80 on every address (as root; 8000 otherwise).
            let bind = Known::Yes((Address::Net(Host::Any), Some((80, 80))));
            let listener = self.listener((false, "*:80".into()), bind, site);
            self.join(listener, host, &Options { tls: tls_switch, ..Options::default() }, site);
            own.push(listener);
        }
        for listener in own {
            let default = self.out.topology.listeners[listener].virtual_hosts.first() == Some(&host);
            let at = &mut self.out.topology.listeners[listener];
            if default {
                at.refuses_unknown_names = rejects;
                at.idle = idle.clone();
                at.tls_versions = versions.clone();
                at.ciphers.clone_from(&ciphers);
            }
        }
        host
    }

    fn entry(&self) -> FileId {
        self.out.topology.proxies[self.proxy].entry
    }

    fn server_names(&self, block: &Block) -> Vec<(Box<str>, Site)> {
        let mut names = Vec::new();
        for item in block.items.iter().filter(|item| item.word == Word::ServerName) {
            names.reserve_exact(self.words_of(*item));
            for (index, (name, site)) in (1..).zip(self.args_of(*item)) {
                if !self.is_hole(*item, index) {
                    names.push((name.to_ascii_lowercase().into_boxed_str(), site));
                }
            }
        }
        names
    }

    fn switched_on(&self, block: &Block, word: Word) -> bool {
        block
            .items
            .iter()
            .filter(|item| item.word == word)
            .any(|item| self.arg(*item, 1).is_some_and(|(value, _)| value.eq_ignore_ascii_case("on")))
    }

    fn client_idle(&self, block: &Block) -> Setting<Wait> {
        let spelling = built_in::KEEPALIVE_TIMEOUT.setting;
        match block.frame.get(Slot::CLIENT_KEEPALIVE).and_then(|index| self.written.get(index)) {
            Some(written) => {
                let item = self.item_of(written);
                let value = match self.arg(item, 1).and_then(|(text, _)| values::time(&text)) {
                    Some(time) => Known::Yes(Wait::For(time)),
                    None => Known::Unknown(Reason::Malformed),
                };
                Setting { value, origin: Origin::Written(written.site()), spelling }
            }
            // The main file of the image sets another time, which may be the packager's to change.
            None => match (self.doubt(&block.frame).or(self.alone.then_some(Reason::OutsideRepository)), block.site) {
                (Some(reason), Some(site)) => Setting::unknown(reason, site, spelling),
                _ => Setting::default(Wait::For(std::time::Duration::from_secs(75)), &built_in::KEEPALIVE_TIMEOUT),
            },
        }
    }

    fn listen(
        &mut self,
        item: Item,
        block: &Block,
        host: VirtualHostId,
        stream: bool,
        tls_switch: bool,
    ) -> Option<ListenerId> {
        let site = self.site_of(item)?;
        let address: Box<str> = self.arg(item, 1)?.0.into();
        let options = self.listen_options(item);
        let known = !self.is_hole(item, 1) && !address.contains('$');
        let (listener, before) = self.listener_of(&address, known, site, stream, options.quic);
        // In a fragment two servers of two files may never meet.
        let file = (!self.whole).then_some(site.span.file);
        let mut told = false;
        if options.default && known {
            match self.defaults.entry((listener, file)) {
                Entry::Occupied(first) => {
                    told = true;
                    let first = *first.get();
                    self.duplicate("default server", &address, first, site, LoadEffect::Refused, None);
                }
                Entry::Vacant(place) => {
                    place.insert(site);
                }
            }
        }
        // Only this server can have been put in since it began: it stands at either end.
        let hosts = &self.out.topology.listeners[listener].virtual_hosts;
        let again = before && (hosts.first() == Some(&host) || hosts.last() == Some(&host));
        self.join(listener, host, &Options { tls: tls_switch || options.tls || options.quic, ..options }, site);
        let at = &mut self.out.topology.listeners[listener];
        if options.both_families
            && let Known::Yes((Address::Net(host), _)) = &mut at.bind
            && *host == Host::ANY_OF_IPV6
        {
            *host = Host::Any;
        }
        if options.http2 || block.frame.http2 || options.quic {
            at.http2 = Known::Yes(true);
        }
        if options.http2 && !stream && known && matches!(at.bind, Known::Yes((Address::Net(_), _))) {
            at.only_http2 = Some((site, Some(built_in::HTTP2_BESIDE_HTTP1)));
        }
        if known && again {
            // The same address twice in one server.
            let first = at.site;
            self.duplicate("listen address", &address, first, site, LoadEffect::Refused, None);
        } else if known && !told {
            self.conflicting_names((listener, file), &address, block, host, site);
        }
        Some(listener)
    }

    /// What stands behind the address of a `listen`.
    fn listen_options(&self, item: Item) -> Options {
        let mut options = Options::default();
        for (word, _) in self.args_of(item).skip(1) {
            match &*word {
                "default_server" | "default" => options.default = true,
                "ssl" => options.tls = true,
                "quic" => options.quic = true,
                "http2" => options.http2 = true,
                "proxy_protocol" => options.proxy_protocol = true,
                "ipv6only=off" => options.both_families = true,
                _ => {}
            }
        }
        options
    }

    /// The listener of an address, and whether it was there before. `known`: nothing in the address is filled in later.
    fn listener_of(&mut self, address: &str, known: bool, site: Site, stream: bool, quic: bool) -> (ListenerId, bool) {
        // Most servers of a tree share a few addresses.
        let plain = known && !stream && !quic;
        if let Some(&listener) = self.listens.get(address).filter(|_| plain) {
            return (listener, true);
        }
        let mut bind = values::listen(address).filter(|_| known);
        let key = match &mut bind {
            Some((Address::Net(host @ Host::Any), Some((first, last)))) => {
                let wild = if address.starts_with('[') {
                    // On without a word since 1.3.4 (nginx.org/en/docs/http/ngx_http_core_module.html#listen).
                    *host = Host::ANY_OF_IPV6;
                    "[::]"
                } else {
                    "*"
                };
                format!("{wild}:{first}-{last}")
            }
            Some((place, ports)) => format!("{place} {ports:?}").to_ascii_lowercase(),
            // Unknown addresses are never the same as another one.
            None => format!("?{}:{}", site.span.file.index(), site.span.start),
        };
        let key = (stream, if quic { format!("{key} quic") } else { key });
        let before = self.listeners.contains_key(&key);
        if known && !before {
            self.listen_address(address, site);
        }
        let understood = bind.is_some();
        let bind = bind.map_or(Known::Unknown(Reason::Variable), Known::Yes);
        let listener = self.listener(key, bind, site);
        if plain && understood {
            self.listens.insert(address.into(), listener);
        }
        (listener, before)
    }

    /// Two servers with one name on one address: the second is never used.
    fn conflicting_names(
        &mut self,
        at: (ListenerId, Option<FileId>),
        address: &str,
        block: &Block,
        host: VirtualHostId,
        listen: Site,
    ) {
        let names = std::mem::take(&mut self.out.topology.virtual_hosts[host].names);
        let mut seen = self.names.remove(&at).unwrap_or_default();
        let note =
            Some("nginx only warns (\"conflicting server name … ignored\"): requests for it go to the first server");
        if names.is_empty() && self.doubt(&block.frame).is_none() {
            match seen.get("") {
                Some(&first) => {
                    self.duplicate("server without a name", address, first, listen, LoadEffect::Ignored, note);
                }
                None => {
                    seen.insert("".into(), listen);
                }
            }
        }
        for (name, site) in &names {
            if name.contains('$') && !name.starts_with('~') {
                continue;
            }
            match seen.get(name) {
                Some(first) if first.span == site.span => {}
                Some(&first) => self.duplicate("server name", name, first, *site, LoadEffect::Ignored, note),
                None => {
                    seen.insert(name.clone(), *site);
                }
            }
        }
        self.names.insert(at, seen);
        self.out.topology.virtual_hosts[host].names = names;
    }

    pub(super) fn duplicate(
        &mut self,
        kind: &'static str,
        name: &str,
        first: Site,
        second: Site,
        effect: LoadEffect,
        note: Option<&'static str>,
    ) {
        // Of two lines in a template one may stand in a branch that the other does not, or be repeated under other names.
        if self.is_decided_elsewhere(first) || self.is_decided_elsewhere(second) {
            return;
        }
        self.out.topology.load.duplicates.push(Duplicate {
            proxy: self.proxy,
            kind,
            name: name.into(),
            first,
            second,
            effect,
            note,
        });
    }

    /// The listener of an address, made if it is not there yet.
    fn listener(&mut self, key: Key, bind: Known<(Address, Option<(u16, u16)>)>, site: Site) -> ListenerId {
        let (proxy, speaks_http) = (self.proxy, Known::Yes(!key.0));
        let topology = &mut self.out.topology;
        *self.listeners.entry(key).or_insert_with(|| {
            topology.listeners.push(Listener {
                proxy,
                site,
                bind,
                tls: Known::Yes(false),
                proxy_protocol: Known::Yes(false),
                refuses_unknown_names: false,
                idle: Setting::default(Wait::For(std::time::Duration::from_secs(75)), &built_in::KEEPALIVE_TIMEOUT),
                client: None,
                virtual_hosts: Vec::new(),
                tls_versions: Setting::unknown(Reason::OutsideRepository, site, built_in::SSL_PROTOCOLS.setting),
                ciphers: None,
                speaks_http,
                http2: Known::Yes(false),
                only_http2: None,
            })
        })
    }

    /// Lets a virtual host be served on a listener.
    fn join(&mut self, listener: ListenerId, host: VirtualHostId, options: &Options, site: Site) {
        let topology = &mut self.out.topology;
        let at = &mut topology.listeners[listener];
        // `ssl` and `proxy_protocol` on one `listen` hold for the address, whichever server wrote it.
        if options.tls && at.tls != Known::Yes(true) {
            at.tls = Known::Yes(true);
            at.site = site;
        }
        if options.proxy_protocol {
            at.proxy_protocol = Known::Yes(true);
        }
        if options.default {
            at.virtual_hosts.insert(0, host);
        } else {
            at.virtual_hosts.push(host);
        }
        topology.virtual_hosts[host].listeners.push(listener);
    }

    pub(super) fn finish_listeners(&mut self) {
        self.finish_certificates();
        // What a fragment's listener serves may be completed elsewhere.
        if !self.whole && !self.alone {
            for &id in self.listeners.values() {
                let at = &mut self.out.topology.listeners[id];
                if at.tls == Known::Yes(false) {
                    at.tls = Known::Unknown(Reason::OutsideRepository);
                }
                if at.proxy_protocol == Known::Yes(false) {
                    at.proxy_protocol = Known::Unknown(Reason::OutsideRepository);
                }
                // The block around a fragment decides between `http` and `stream`.
                at.speaks_http = Known::Unknown(Reason::OutsideRepository);
                at.http2 = Known::Unknown(Reason::OutsideRepository);
            }
        }
    }
}
