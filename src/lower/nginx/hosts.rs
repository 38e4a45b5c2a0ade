//! Addresses that can be neither bound nor reached, and hosts that can exist nowhere, wherever they are written.

use super::settings::Names;
use super::{Item, Lowering, values};
use crate::source::{Site, clean};
use crate::topology::{Fault, FaultKind, FaultWeight, Known, LoadEffect, Port, ProxyUser};
use crate::value::{Address, Host};
use std::collections::HashMap;
use std::net::IpAddr;

impl Lowering<'_, '_> {
    /// `user name [group];`: without a group, that of the same name.
    fn runs_as(&mut self, item: Item) {
        let Some((user, site)) = self.arg(item, 1) else { return };
        let user: Box<str> = (*user).into();
        let group = self.arg(item, 2).map_or_else(|| user.clone(), |(group, _)| (*group).into());
        if !self.is_hole(item, 1) && !self.is_hole(item, 2) && !self.is_template(site) && !user.contains('$') {
            let site = self
                .places
                .get(item.place as usize)
                .and_then(|place| Some(place.header(place.tree()?.node(item.node))));
            let proxy = self.proxy;
            self.out.topology.users.extend(site.map(|site| ProxyUser { proxy, user, group, site }));
        }
    }

    /// Looks at the address in a directive that is no target and no `listen`.
    pub(super) fn other_address(&mut self, item: Item, of: Names) {
        match of {
            Names::User => self.runs_as(item),
            Names::Log => {
                let Some((text, site)) = self.arg(item, 1) else { return };
                let server = text.strip_prefix("syslog:").and_then(|rest| {
                    rest.split(',').find_map(|part| part.strip_prefix("server=")).filter(|_| !self.is_hole(item, 1))
                });
                let Some(Ok(values::Url { place: values::Place::Net { host, .. }, .. })) = server.map(values::url)
                else {
                    return;
                };
                let host = Host::parse(host);
                self.never(&host, site);
            }
            Names::Source => {
                let Some((text, site)) = self.arg(item, 1) else { return };
                let transparent = self.arg(item, 2).is_some_and(|(word, _)| word == "transparent");
                if text.contains('$') || self.is_hole(item, 1) || self.is_template(site) || transparent {
                    return;
                }
                let Ok(values::Url { place: values::Place::Net { host, .. }, .. }) = values::url(&text) else { return };
                let host = Host::parse(host);
                let end = "no machine has this address, so no connection can be made from it: every request here fails";
                self.unusable(&host, site, end, LoadEffect::Status(500));
            }
        }
    }

    /// Looks at the address of a `listen`.
    pub(super) fn listen_address(&mut self, address: &str, site: Site) {
        if let Some((Address::Net(host), _)) = values::listen(address)
            && !self.is_template(site)
            && !self.never(&host, site)
        {
            self.unusable(
                &host,
                site,
                "this address cannot be listened on, so nginx does not start",
                LoadEffect::Refused,
            );
        }
    }

    /// Notes a host that can exist nowhere.
    pub(super) fn never(&mut self, host: &Host, site: Site) -> bool {
        let never = host.can_never_exist();
        if never {
            let message = format!("`{}` does not exist anywhere, so nginx does not start", clean(&host.to_string()));
            self.out.topology.load.faults.push(
                Fault::new(
                    FaultKind::UnknownHost,
                    self.proxy,
                    (site, "this name can never be resolved"),
                    message,
                )
                .why("nginx resolves every name in its configuration while it reads it; names below `.invalid` are reserved for what must not exist (RFC 6761)")
                .help("write the host that is meant")
                .effect(LoadEffect::Refused),
            );
        }
        never
    }

    /// Notes an address that is one for examples, or still to be filled in.
    fn unusable(&mut self, host: &Host, site: Site, message: &str, effect: LoadEffect) {
        let shown = clean(&host.to_string()).chars().take(60).collect::<String>();
        let fault = if host.is_to_be_filled_in() {
            let message = format!("`{shown}` is still to be filled in: nginx does not start with it");
            let weight = if self.whole { FaultWeight::Fails } else { FaultWeight::MayFail };
            Fault::new(FaultKind::UnusableAddress, self.proxy, (site, "a placeholder"), message)
                .why("nginx takes it for a host name, which nothing can resolve")
                .help("write the address that is meant")
                .effect(LoadEffect::Refused)
                .weight(weight, false)
        } else if host.is_for_examples() {
            Fault::new(FaultKind::UnusableAddress, self.proxy, (site, "an address for examples"), message)
                .why("addresses of 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 and 2001:db8::/32 are set aside for examples in texts (RFC 5737, RFC 3849)")
                .help("write an address that the machine has")
                .effect(effect)
                .weight(FaultWeight::MayFail, false)
        } else {
            return;
        };
        self.out.topology.load.faults.push(fault);
    }

    /// Looks at the address of a target or a member, before it becomes part of the picture. True: it is still to be
    /// filled in, so nothing can be said of it. `down`: it is not used; some write such an address on purpose then.
    pub(super) fn target_address(&mut self, text: &str, site: Site, down: bool) -> bool {
        let authority = values::after_slashes(text);
        if crate::value::later::is_bracketed(text) {
            let host = Host::Name(authority.into());
            if host.is_to_be_filled_in() && !self.is_template(site) {
                self.unusable(&host, site, "", LoadEffect::Refused);
            }
            return true;
        }
        if let Ok(values::Url { place: values::Place::Net { host, .. }, .. }) = values::url(authority)
            && host.starts_with(['0', ':', '['])
            && !down
            && Host::parse(host) == Host::Any
        {
            let fault = Fault::new(
                FaultKind::UnusableAddress,
                self.proxy,
                (site, "an address to listen on"),
                format!("`{}` is an address to listen on, not one to connect to", clean(host)),
            )
            .why("it names no machine: Linux takes it for the machine that nginx runs on, other systems refuse it, and inside a container it is the container itself")
            .help("write the address of the machine that is meant, `127.0.0.1` if it is this one")
            .effect(LoadEffect::Status(502))
            .weight(FaultWeight::Remark, true);
            self.out.topology.load.faults.push(fault);
        }
        false
    }

    /// Remembers a target that names the machine itself.
    pub(super) fn own_name(&mut self, address: &Known<Address>, port: &Known<Port>, site: Site) {
        if let Known::Yes(Address::Net(Host::Name(name))) = address
            && ["localhost", "ip6-localhost", "ip6-loopback"].iter().any(|own| name.eq_ignore_ascii_case(own))
            && let Some(port) = port.known().and_then(|port| port.number())
            && self.whole
        {
            self.own_names.push((name.clone(), port, site));
        }
    }

    /// Targets with a name that has an IPv6 address, where this nginx listens on that port with IPv4 alone.
    pub(super) fn finish_own_names(&mut self) {
        let names = std::mem::take(&mut self.own_names);
        if names.is_empty() {
            return;
        }
        // Each port with where it is opened: for IPv4, and whether for IPv6.
        let mut ports: HashMap<u16, (Option<Site>, bool)> = HashMap::new();
        for ((_, key), &id) in &self.listeners {
            let listener = &self.out.topology.listeners[id];
            let (host, first) = match &listener.bind {
                Known::Yes((Address::Net(host), Some((first, last)))) if first == last => (host, first),
                Known::Yes((Address::Socket(_), _)) => continue,
                // It may be the other family's.
                _ => return,
            };
            let at = ports.entry(*first).or_default();
            match host {
                Host::Ip(IpAddr::V4(ip)) if ip.is_loopback() => at.0 = Some(listener.site),
                Host::Any if !key.starts_with('[') => at.0 = Some(listener.site),
                Host::Ip(IpAddr::V4(_)) => {}
                _ => at.1 = true,
            }
        }
        for (name, port, site) in names {
            let Some(&(Some(open), false)) = ports.get(&port) else { continue };
            let only = !name.eq_ignore_ascii_case("localhost");
            let shown = clean(&name).into_owned();
            let message = if only {
                format!("`{shown}` has an IPv6 address only, and port {port} is open on IPv4 alone")
            } else {
                format!("`{shown}` is ::1 too, and port {port} is open on IPv4 alone: nginx asks both in turn")
            };
            let fault = Fault::new(FaultKind::TwoFamilies, self.proxy, (site, "looked up once, at start"), message)
                .other(open, "opened for IPv4 here")
                .help("write `127.0.0.1`")
                .weight(FaultWeight::MayFail, only);
            let fault = if only { fault.why("in the usual `/etc/hosts` this name is ::1") } else { fault };
            self.out.topology.load.faults.push(fault);
        }
    }
}
