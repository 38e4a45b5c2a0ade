//! Endpoints that are programs of the machine on which the proxy runs.

use crate::files::plain_run;
use crate::source::FileId;
use crate::topology::{Known, Listens, Peer, ProjectKind, Topology, Weight, WorkloadId};
use crate::value::Address;
use std::collections::{HashMap, HashSet};

/// Finds, for each socket and each port of the loopback, the program that listens there.
pub fn link(topology: &mut Topology) {
    let mut sockets: HashMap<&str, WorkloadId> = HashMap::new();
    let mut ports: HashMap<u16, Option<WorkloadId>> = HashMap::new();
    for (_, project) in topology.projects.iter().filter(|(_, project)| project.kind == ProjectKind::Machine) {
        for &id in &project.workloads {
            for claim in topology.workloads[id].claims.iter().filter(|claim| claim.weight >= Weight::Strong) {
                match claim.at.known() {
                    Some(Listens::Socket(path)) => {
                        sockets.entry(plain_run(path)).or_insert(id);
                    }
                    // Two programs on one port are programs of two machines.
                    Some(Listens::Port(port)) => {
                        ports
                            .entry(*port)
                            .and_modify(|known| *known = known.filter(|known| *known == id))
                            .or_insert(Some(id));
                    }
                    None => {}
                }
            }
        }
    }
    if sockets.is_empty() && ports.is_empty() {
        return;
    }
    let placed: HashSet<FileId> = topology.placements.iter().map(|placement| placement.file).collect();
    let mut peers = Vec::new();
    for (endpoint, one) in topology.endpoints.iter() {
        let files = [one.site.span.file, topology.proxies[one.proxy].entry];
        if one.leads_to.is_some() || files.iter().any(|file| placed.contains(file)) {
            continue;
        }
        let workload = match (&one.address, one.port.known().and_then(|port| port.number())) {
            (Known::Yes(Address::Socket(path)), _) => sockets.get(plain_run(path)).copied(),
            (Known::Yes(Address::Net(host)), Some(port)) if host.is_loopback() => ports.get(&port).copied().flatten(),
            _ => None,
        };
        peers.extend(workload.map(|workload| Peer { endpoint, workload }));
    }
    topology.peers = peers;
}
