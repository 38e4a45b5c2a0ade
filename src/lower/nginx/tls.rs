//! TLS: `proxy_ssl_*` and its kin towards backends, `ssl_*` towards clients.

use super::hop::Pending;
use super::settings::{Frame, Of, Slot};
use super::{Block, Item, Lowering};
use crate::source::Site;
use crate::topology::{Ciphers, Known, Origin, Reason, ServerName, Setting, TlsClient, TlsVersions};

impl Lowering<'_, '_> {
    pub(super) fn tls(&self, pending: &Pending, site: Site) -> TlsClient {
        let on = |this: &Self, item| this.arg(item, 1).map(|(text, _)| text.eq_ignore_ascii_case("on"));
        let built = |default: &'static crate::value::DefaultRef| Known::Yes(default.value == "on");
        let sends = self.setting(pending, Of::SslServerName, on, built);
        let name_slot = pending.family.slot(Of::SslName);
        let name = pending.frame.get(name_slot).and_then(|index| self.written.get(index)).map(|written| {
            let item = self.item_of(written);
            match self.arg(item, 1) {
                Some((text, _)) if !text.contains('$') && !self.is_hole(item, 1) => {
                    ServerName::Fixed(text.as_ref().into())
                }
                Some((text, _)) if text == "$host" => ServerName::FromHost,
                Some((text, _)) if text == "$http_host" => ServerName::FromHostWithPort,
                Some((text, _)) if text == "$ssl_server_name" => ServerName::FromClientHandshake,
                Some((text, _)) if text == "$proxy_host" => ServerName::FromTarget,
                _ => ServerName::Computed,
            }
        });
        // The name that is checked is the one that would be sent, whether it is sent or not.
        let checked_name = match (&name, self.doubt(&pending.frame)) {
            (Some(name), _) => Known::Yes(name.clone()),
            (None, Some(reason)) => Known::Unknown(reason),
            (None, None) => Known::Yes(ServerName::FromTarget),
        };
        let value = match sends.value {
            Known::Yes(true) => Known::Yes(name.unwrap_or(ServerName::FromTarget)),
            Known::Yes(false) => Known::Yes(ServerName::Nothing),
            Known::Unknown(reason) => Known::Unknown(reason),
        };
        TlsClient {
            site,
            server_name: Setting { value, origin: sends.origin, spelling: sends.spelling },
            verify: self.setting(pending, Of::SslVerify, on, built),
            checked_name,
            trust: self.file_named(pending, Of::SslTrusted),
            certificate: self.file_named(pending, Of::SslCertificate),
            ciphers: self.ciphers(&pending.frame, pending.family.slot(Of::SslCiphers)),
            versions: self.setting(
                pending,
                Of::SslProtocols,
                |this, item| this.tls_versions(item),
                |default| {
                    let named = default.value.split(' ').try_fold(TlsVersions::default(), TlsVersions::with);
                    named.map_or(Known::Unknown(Reason::Malformed), Known::Yes)
                },
            ),
        }
    }

    /// Where a file is named, if it is; an empty name takes it back.
    fn file_named(&self, pending: &Pending, of: Of) -> Known<Option<Site>> {
        let slot = pending.family.slot(of);
        match pending.frame.get(slot).and_then(|index| self.written.get(index)) {
            Some(written) => {
                let named = self.arg(self.item_of(written), 1).is_some_and(|(text, _)| !text.is_empty());
                Known::Yes(Some(written.site()).filter(|_| named))
            }
            None => self.doubt(&pending.frame).map_or(Known::Yes(None), Known::Unknown),
        }
    }

    /// The versions that a line names; `None` where one is not known.
    fn tls_versions(&self, item: Item) -> Option<TlsVersions> {
        let named = self.args(item);
        if (1..=named.len()).any(|index| self.is_hole(item, index)) {
            return None;
        }
        named.iter().try_fold(TlsVersions::default(), |versions, (name, _)| versions.with(name))
    }

    /// The ciphers in force, where each is written by its full name: what `HIGH` and the like hold depends on the
    /// library.
    pub(super) fn ciphers(&self, frame: &Frame, slot: Slot) -> Option<Box<Ciphers>> {
        let written = frame.get(slot).and_then(|index| self.written.get(index))?;
        let item = self.item_of(written);
        let (list, _) = self.arg(item, 1)?;
        if self.is_hole(item, 1) {
            return None;
        }
        let full = |name: &str| {
            name.split('-').count() > 2
                && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
        };
        let named: Vec<&str> = list.split(':').filter(|name| !name.starts_with('!') && !name.is_empty()).collect();
        let all = !named.is_empty() && named.len() < 200 && named.iter().all(|name| full(name));
        all.then(|| Box::new(Ciphers { names: named.into_iter().map(Into::into).collect(), site: written.site() }))
    }

    /// `ssl_protocols` in force for a server.
    pub(super) fn client_versions(&self, block: &Block, site: Site) -> Setting<TlsVersions> {
        let default = self.by_itself.protocols;
        match block.frame.get(Slot::CLIENT_PROTOCOLS).and_then(|index| self.written.get(index)) {
            Some(written) => Setting {
                value: self.tls_versions(self.item_of(written)).map_or(Known::Unknown(Reason::Malformed), Known::Yes),
                origin: Origin::Written(written.site()),
                spelling: default.setting,
            },
            None => match self.doubt(&block.frame) {
                Some(reason) => Setting::unknown(reason, site, default.setting),
                None => Setting {
                    value: self.by_itself.tls.map_or(Known::Unknown(Reason::Malformed), Known::Yes),
                    origin: Origin::Default(default),
                    spelling: default.setting,
                },
            },
        }
    }

    /// Where `ssl_verify_client on` is written for a server.
    pub(super) fn wants_certificate(&self, block: &Block) -> Option<Site> {
        let written = block.frame.get(Slot::VERIFY_CLIENT).and_then(|index| self.written.get(index))?;
        let (value, _) = self.arg(self.item_of(written), 1)?;
        value.eq_ignore_ascii_case("on").then(|| written.site())
    }
}
