//! The workloads to which proxies of the repository lead: only those are anybody's affair here.

use super::prelude::*;
use std::collections::BTreeMap;

/// How a proxy leads to a workload.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The proxy; none where a controller makes one of an Ingress or a route.
    pub proxy: Option<ProxyId>,
    /// The place that leads there.
    pub site: Site,
    /// Whether it is only guessed that the proxy runs there.
    pub guessed: bool,
    /// Where an Ingress or a route leads to it.
    pub routed: Option<Site>,
}

/// The workloads to which somebody leads, each with the first way to it, in order.
#[must_use]
pub fn led_to(t: &Topology) -> BTreeMap<WorkloadId, Way> {
    let mut found: BTreeMap<WorkloadId, Way> = BTreeMap::new();
    for outlook in &t.outlooks {
        let Some(placement) = t.placements.get(outlook.placement as usize) else { continue };
        let from = &t.workloads[placement.workload];
        let (proxy, site) = match outlook.asks {
            Asks::Endpoint(id) => (t.endpoints[id].proxy, t.endpoints[id].address_site),
            Asks::Outcome(hop, _) => (t.hops[hop].proxy, t.hops[hop].target_site),
        };
        let guessed = placement.how == Placed::Near || t.projects[from.project].guessed;
        let to = match outlook.leads {
            Leads::To(ref id) => std::slice::from_ref(id),
            Leads::Service(id) => t.services[id].workloads(),
            _ => continue,
        };
        for &id in to.iter().take(64).filter(|&&id| id != placement.workload) {
            let way = found.entry(id).or_insert(Way { proxy: Some(proxy), site, guessed, routed: None });
            way.guessed &= guessed;
        }
    }
    for peer in &t.peers {
        let endpoint = &t.endpoints[peer.endpoint];
        let way = Way { proxy: Some(endpoint.proxy), site: endpoint.address_site, guessed: false, routed: None };
        found.entry(peer.workload).or_insert(way);
    }
    for (_, service) in t.services.iter() {
        let Some(site) = service.routed else { continue };
        for &id in service.workloads().iter().take(64) {
            let way = found.entry(id).or_insert(Way { proxy: None, site, guessed: false, routed: None });
            way.routed = way.routed.or(Some(site));
        }
    }
    found
}

/// The dialect in which a finding about a workload is told.
#[must_use]
pub fn spoken(t: &Topology, way: Way, workload: &Workload) -> Dialect {
    match (t.projects[workload.project].kind, way.proxy) {
        (ProjectKind::Kubernetes, _) | (_, None) => Dialect::Kubernetes,
        (_, Some(proxy)) => t.proxies[proxy].dialect,
    }
}
