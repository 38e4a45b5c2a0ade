//! Endpoints that are listeners of the same proxy.

use crate::topology::{HostSent, Known, Link, Listener, ListenerId, ProxyId, Target, Topology, VirtualHostId};
use crate::value::{Address, Host};
use std::collections::HashMap;
use std::net::IpAddr;

/// Finds, for each endpoint with a literal address, the listener of the same proxy that has it. Two proxies in one
/// repository may run on two machines, so a loopback address of one says nothing of the other.
pub fn link(topology: &mut Topology) {
    let mut by_port: HashMap<(ProxyId, u16), Vec<ListenerId>> = HashMap::new();
    let mut by_socket: HashMap<(ProxyId, &str), ListenerId> = HashMap::new();
    for (id, listener) in topology.listeners.iter() {
        match &listener.bind {
            Known::Yes((Address::Net(_), Some((first, last)))) if last.saturating_sub(*first) < 64 => {
                for port in *first..=*last {
                    by_port.entry((listener.proxy, port)).or_default().push(id);
                }
            }
            Known::Yes((Address::Socket(path), _)) => {
                by_socket.insert((listener.proxy, path), id);
            }
            _ => {}
        }
    }
    if by_port.is_empty() && by_socket.is_empty() {
        return;
    }
    let mut links = Vec::new();
    for (id, endpoint) in topology.endpoints.iter() {
        let found = match (endpoint.address.known(), endpoint.port.known().and_then(|port| port.number())) {
            (Some(Address::Net(host)), Some(port)) => by_port
                .get(&(endpoint.proxy, port))
                .and_then(|listeners| listeners.iter().find(|&&l| reaches(host, &topology.listeners[l])).copied()),
            (Some(Address::Socket(path)), _) => by_socket.get(&(endpoint.proxy, &**path)).copied(),
            _ => None,
        };
        if let Some(listener) = found {
            links.push((id, listener));
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
    for (id, listener) in links {
        let virtual_host = match senders.get(&id) {
            Some(HostSent::Fixed(name)) => Some(chosen(topology, listener, name)),
            // The client's own Host leads to the default only when there is no choice.
            Some(HostSent::Clients) if topology.listeners[listener].virtual_hosts.len() == 1 => Some(None),
            _ => None,
        };
        let virtual_host = match virtual_host {
            Some(Some(named)) => Some(named),
            Some(None) => topology.listeners[listener].virtual_hosts.first().copied(),
            None => None,
        };
        topology.endpoints[id].leads_to = Some(Link { listener, virtual_host });
    }
}

/// Whether a target address is one that this listener accepts on.
fn reaches(target: &Host, listener: &Listener) -> bool {
    let Known::Yes((Address::Net(bound), _)) = &listener.bind else { return false };
    match (target, bound) {
        (Host::Ip(target), Host::Ip(bound)) => target == bound,
        (Host::Ip(target), Host::Any) => target.is_loopback(),
        (Host::Name(name), bound) if name.eq_ignore_ascii_case("localhost") => match bound {
            Host::Any => true,
            Host::Ip(ip) => *ip == IpAddr::from([127, 0, 0, 1]) || *ip == IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
            Host::Name(bound) => bound.eq_ignore_ascii_case("localhost"),
        },
        _ => false,
    }
}

/// The virtual host of a listener that bears a name; `None`: the default one.
fn chosen(topology: &Topology, listener: ListenerId, name: &str) -> Option<VirtualHostId> {
    topology.listeners[listener]
        .virtual_hosts
        .iter()
        .copied()
        .find(|&host| topology.virtual_hosts[host].names.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)))
}
