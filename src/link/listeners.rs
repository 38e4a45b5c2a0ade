//! Endpoints that are listeners of the same proxy.

use crate::topology::{HostSent, Known, Link, ListenerId, ProxyId, Target, Topology, VirtualHostId};
use crate::value::{Address, Host};
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};

/// How many ports of a range are looked at one by one.
const WIDEST_RANGE: u16 = 64;

/// Finds, for each endpoint with a literal address, the listener of the same proxy that has it. Two proxies in one
/// repository may run on two machines, so a loopback address of one says nothing of the other.
pub fn link(topology: &mut Topology) {
    let mut by_address: HashMap<(ProxyId, u16, Host), ListenerId> = HashMap::new();
    let mut by_socket: HashMap<(ProxyId, &str), ListenerId> = HashMap::new();
    for (id, listener) in topology.listeners.iter() {
        match &listener.bind {
            Known::Yes((Address::Net(host), Some((first, last)))) if last.saturating_sub(*first) < WIDEST_RANGE => {
                for port in *first..=*last {
                    by_address.entry((listener.proxy, port, host.clone())).or_insert(id);
                }
            }
            Known::Yes((Address::Socket(path), _)) => {
                by_socket.insert((listener.proxy, path), id);
            }
            _ => {}
        }
    }
    if by_address.is_empty() && by_socket.is_empty() {
        return;
    }
    // Most targets have a port on which nothing listens here.
    let ports: HashSet<(ProxyId, u16)> = by_address.keys().map(|(proxy, port, _)| (*proxy, *port)).collect();
    let mut links = Vec::new();
    for (id, endpoint) in topology.endpoints.iter() {
        let found = match (endpoint.address.known(), endpoint.port.known().and_then(|port| port.number())) {
            (Some(Address::Net(host)), Some(port)) if ports.contains(&(endpoint.proxy, port)) => {
                accepting(host).into_iter().find_map(|bound| by_address.get(&(endpoint.proxy, port, bound)).copied())
            }
            (Some(Address::Socket(path)), _) => by_socket.get(&(endpoint.proxy, &**path)).copied(),
            _ => None,
        };
        if let Some(listener) = found {
            links.push((id, listener));
        }
    }
    if links.is_empty() {
        return;
    }
    // The first virtual host of a name on a listener is the one that is used.
    let mut named: HashMap<(ListenerId, &str), VirtualHostId> = HashMap::new();
    for (id, host) in topology.virtual_hosts.iter() {
        for &listener in &host.listeners {
            for (name, _) in &host.names {
                named.entry((listener, name)).or_insert(id);
            }
        }
    }
    // Which virtual host takes the request depends on the Host that the hop sends.
    let mut senders: HashMap<_, HostSent> = HashMap::new();
    for (_, hop) in topology.hops.iter() {
        let members: &[_] = match &hop.target {
            Target::Pool(pool) => &topology.pools[*pool].members,
            Target::Endpoint(endpoint) => std::slice::from_ref(endpoint),
            _ => &[],
        };
        let name = match (&hop.host_sent, &hop.target) {
            (HostSent::Targets, Target::Pool(pool)) => HostSent::Fixed(topology.pools[*pool].name.clone()),
            (HostSent::Targets, Target::Endpoint(endpoint)) => match topology.endpoints[*endpoint].host_name() {
                Some(name) => HostSent::Fixed(name.into()),
                None => HostSent::Fixed("".into()),
            },
            (sent, _) => sent.clone(),
        };
        for &member in members {
            // Two hops that send different names to one endpoint: nothing is certain.
            senders
                .entry(member)
                .and_modify(|sent| {
                    if *sent != name {
                        *sent = HostSent::Unknown
                    }
                })
                .or_insert_with(|| name.clone());
        }
    }
    let mut found = Vec::with_capacity(links.len());
    for (id, listener) in links {
        let hosts = &topology.listeners[listener].virtual_hosts;
        let virtual_host = match senders.get(&id) {
            Some(HostSent::Fixed(name)) => {
                named.get(&(listener, name.to_ascii_lowercase().as_str())).or(hosts.first()).copied()
            }
            // The client's own Host leads to the default only when there is no choice.
            Some(HostSent::Clients) if hosts.len() == 1 => hosts.first().copied(),
            _ => None,
        };
        found.push((id, Link { listener, virtual_host }));
    }
    for (id, link) in found {
        topology.endpoints[id].leads_to = Some(link);
    }
}

/// The listen addresses that accept connections to a target, the more exact ones first.
fn accepting(target: &Host) -> Vec<Host> {
    match target {
        // "All addresses" are surely those of version 4; nginx keeps the two families apart.
        Host::Ip(IpAddr::V4(ip)) if ip.is_loopback() => vec![target.clone(), Host::Any],
        Host::Ip(IpAddr::V6(ip)) if ip.is_loopback() => {
            vec![target.clone(), Host::ANY_OF_IPV6]
        }
        Host::Ip(_) => vec![target.clone()],
        Host::Name(name) if name.eq_ignore_ascii_case("localhost") => vec![
            Host::Ip(IpAddr::from([127, 0, 0, 1])),
            Host::Ip(IpAddr::from(Ipv6Addr::LOCALHOST)),
            target.clone(),
            Host::Any,
        ],
        _ => Vec::new(),
    }
}
