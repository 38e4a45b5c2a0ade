//! `listen` and `server_name`: listeners and virtual hosts.

use super::settings::{Slot, Word};
use super::{Block, Item, Lowering, values};
use crate::defaults::nginx as built_in;
use crate::source::Site;
use crate::topology::{
    Duplicate, Known, Listener, ListenerId, LoadEffect, Origin, Reason, Setting, VirtualHost, VirtualHostId,
};
use crate::value::{Address, Host, Wait};

/// What tells two listeners apart: the address as nginx keeps it.
pub(super) type Key = (bool, String);

impl Lowering<'_, '_> {
    /// The virtual host of a server block, with its listeners.
    pub(super) fn virtual_host(&mut self, block: &Block, stream: bool) -> VirtualHostId {
        let site = block.site.unwrap_or_else(|| Site::direct(crate::source::Span::new(self.entry(), 0, 0)));
        let host = self.out.topology.virtual_hosts.push(VirtualHost {
            proxy: self.proxy,
            site,
            names: self.server_names(block),
            listeners: Vec::new(),
            routes: Vec::new(),
            wants_certificate: self.wants_certificate(block),
            clients: None,
            request_header: self.request_header(&block.frame),
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
            own.push(self.listener((false, "*:80".into()), bind, site, tls_switch, false, host, false));
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

    fn entry(&self) -> crate::source::FileId {
        self.out.topology.proxies[self.proxy].entry
    }

    fn server_names(&self, block: &Block) -> Vec<(Box<str>, Site)> {
        let mut names = Vec::new();
        for item in block.items.iter().filter(|item| item.word == Word::ServerName) {
            for (index, (name, site)) in self.args(*item).into_iter().enumerate() {
                if !self.is_hole(*item, index + 1) {
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
        let words: Vec<String> = self.args(item).into_iter().map(|(word, _)| word.into_owned()).collect();
        let (address, options) = words.split_first()?;
        let known = !self.is_hole(item, 1) && !address.contains('$');
        let bind = values::listen(address).filter(|_| known);
        let has = |word: &str| options.iter().any(|option| option == word);
        let key = match &bind {
            Some((Address::Net(Host::Any), Some((first, last)))) => {
                let wild = if address.starts_with('[') { "[::]" } else { "*" };
                (stream, format!("{wild}:{first}-{last}"))
            }
            Some((place, ports)) => (stream, format!("{place} {ports:?}").to_ascii_lowercase()),
            // Unknown addresses are never the same as another one.
            None => (stream, format!("?{}:{}", site.span.file.index(), site.span.start)),
        };
        let quic = has("quic");
        let key = if quic { (stream, format!("{} quic", key.1)) } else { key };
        // In a fragment two servers of two files may never meet.
        let file = (!self.whole).then_some(site.span.file);
        let default = has("default_server") || has("default");
        let mut told = false;
        if default && known {
            match self.defaults.get(&(key.clone(), file)) {
                Some(&first) => {
                    told = true;
                    self.duplicate("default server", address, first, site, LoadEffect::Refused, None);
                }
                None => {
                    self.defaults.insert((key.clone(), file), site);
                }
            }
        }
        let bind_value = bind.map_or(Known::Unknown(Reason::Variable), Known::Yes);
        let tls = tls_switch || has("ssl") || quic;
        let before = self.listeners.contains_key(&key);
        if known && !before {
            self.listen_address(address, site);
        }
        let listener = self.listener(key.clone(), bind_value, site, tls, default, host, has("proxy_protocol"));
        let at = &mut self.out.topology.listeners[listener];
        let http2 = has("http2");
        if http2 || block.frame.http2 || quic {
            at.http2 = Known::Yes(true);
        }
        if http2 && !stream && known && matches!(at.bind, Known::Yes((Address::Net(_), _))) {
            at.only_http2 = Some((site, Some(built_in::HTTP2_BESIDE_HTTP1)));
        }
        let hosts = &self.out.topology.listeners[listener].virtual_hosts;
        if known && before && hosts.iter().filter(|&&other| other == host).count() > 1 {
            // The same address twice in one server.
            let first = self.out.topology.listeners[listener].site;
            self.duplicate("listen address", address, first, site, LoadEffect::Refused, None);
        } else if known && !told {
            self.conflicting_names(&key, file, address, block, host, site);
        }
        Some(listener)
    }

    /// Two servers with one name on one address: the second is never used.
    fn conflicting_names(
        &mut self,
        key: &Key,
        file: Option<crate::source::FileId>,
        address: &str,
        block: &Block,
        host: VirtualHostId,
        listen: Site,
    ) {
        let names = self.out.topology.virtual_hosts[host].names.clone();
        let note =
            Some("nginx only warns (\"conflicting server name … ignored\"): requests for it go to the first server");
        if names.is_empty() {
            if self.doubt(&block.frame).is_none() {
                match self.names.get(&(key.clone(), "".into(), file)) {
                    Some(&first) => {
                        self.duplicate("server without a name", address, first, listen, LoadEffect::Ignored, note);
                    }
                    None => {
                        self.names.insert((key.clone(), "".into(), file), listen);
                    }
                }
            }
            return;
        }
        for (name, site) in names {
            if name.contains('$') && !name.starts_with('~') {
                continue;
            }
            match self.names.get(&(key.clone(), name.clone(), file)) {
                Some(first) if first.span == site.span => {}
                Some(&first) => self.duplicate("server name", &name, first, site, LoadEffect::Ignored, note),
                None => {
                    self.names.insert((key.clone(), name, file), site);
                }
            }
        }
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

    #[allow(clippy::too_many_arguments, reason = "one call per property of a `listen` line")]
    fn listener(
        &mut self,
        key: Key,
        bind: Known<(Address, Option<(u16, u16)>)>,
        site: Site,
        tls: bool,
        default: bool,
        host: VirtualHostId,
        proxy_protocol: bool,
    ) -> ListenerId {
        let proxy = self.proxy;
        let speaks_http = Known::Yes(!key.0);
        let topology = &mut self.out.topology;
        let id = *self.listeners.entry(key).or_insert_with(|| {
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
        });
        let at = &mut topology.listeners[id];
        // `ssl` and `proxy_protocol` on one `listen` hold for the address, whichever server wrote it.
        if tls && at.tls != Known::Yes(true) {
            at.tls = Known::Yes(true);
            at.site = site;
        }
        if proxy_protocol {
            at.proxy_protocol = Known::Yes(true);
        }
        if default {
            at.virtual_hosts.insert(0, host);
        } else {
            at.virtual_hosts.push(host);
        }
        topology.virtual_hosts[host].listeners.push(id);
        id
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
