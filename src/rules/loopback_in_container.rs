//! GW103: 127.0.0.1 or localhost from inside the proxy's own container.

use super::around::{claims, listens, look_around, proxy_listens, sharers};
use super::prelude::*;

/// GW103.
pub struct LoopbackInContainer;

impl Rule for LoopbackInContainer {
    fn id(&self) -> RuleId {
        RuleId::GW103
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let t = cx.topology;
        look_around(cx, out, |seen| {
            if seen.leads != Leads::Itself || seen.placement.how == Placed::Near {
                return None;
            }
            let port = seen.port()?;
            let group = sharers(t, seen.placement.workload);
            let own = group.iter().any(|&member| proxy_listens(t, member, seen.asked.proxy, port))
                || listens(t, &group, port);
            if own || seen.asked.own {
                return None;
            }
            // A container that may run more than the proxy may run this, too.
            let open = group.iter().any(|&member| match member == seen.placement.workload {
                true => t.workloads[member].many,
                false => t.workloads[member].claims_open,
            });
            let owner = match seen.project.kind {
                ProjectKind::Kubernetes => service_with(t, seen.placement.workload, port),
                _ => owner(t, seen.project, &group, port),
            };
            let (severity, confidence) = match (&owner, open) {
                (Some(_), false) => (Severity::Error, Confidence::Certain),
                (Some(_), true) => (Severity::Note, Confidence::Possible),
                (None, false) => (Severity::Warning, Confidence::Likely),
                (None, true) => return None,
            };
            // A pod is often made of several programs, and something may put another one into it while it is made.
            let in_pod = seen.project.kind == ProjectKind::Kubernetes;
            if in_pod && open {
                return None;
            }
            let (severity, confidence) = match in_pod {
                true => (severity.min(Severity::Warning), confidence.min(Confidence::Likely)),
                false => (severity, confidence),
            };
            let address = seen.asked.words();
            let name = quote(&seen.from.name);
            let dialect = cx.dialect(seen.asked.proxy);
            let message = format!(
                "{address} is the {} of {} itself, and nothing listens there on {port}",
                seen.home(),
                dialect.name()
            );
            let finding = Finding::new(
                self.id(),
                dialect,
                (seen.asked.site, format!("the loopback of the {} {name}", seen.home())),
                message,
            )
            .severity(severity)
            .confidence(confidence);
            let finding = match &owner {
                Some(owner) => finding.label((owner.site, format!("{} has port {}", quote(owner.name), owner.inside))),
                None => finding,
            };
            let finding = finding.label(seen.runs()).why_of_dialect();
            Some(match owner {
                Some(owner) => {
                    let there = format!("{}:{}", owner.name, owner.inside);
                    let edit = seen.asked.word(format!("{}:{port}", seen.asked.host), there.clone());
                    finding
                        .help(format!("write `{there}`"))
                        .fix(Some(Fix::guess(format!("write `{there}`"), edit)))
                }
                None if in_pod => finding.help("write the name of the Service that is meant; containers of one pod share the loopback, those of others do not"),
                None => finding.help("write the name of the service that is meant; `host.docker.internal` with an `extra_hosts` entry for the machine"),
            })
        });
    }
}

/// Another workload of the project that has the port.
struct Owner<'t> {
    name: &'t str,
    site: Site,
    inside: u16,
}

/// A Service of the namespace with the port, behind which other pods stand.
fn service_with(t: &Topology, from: WorkloadId, port: u16) -> Option<Owner<'_>> {
    let project = t.workloads[from].project;
    t.services.iter().filter(|(_, service)| service.project == project).take(1000).find_map(|(_, service)| {
        let ports = service.ports.known().filter(|_| !service.workloads().contains(&from))?;
        let one = ports.iter().find(|one| one.port == port || one.target == Known::Yes(port))?;
        let inside = if matches!(service.kind, ServiceKind::Members(_)) { *one.target.known()? } else { one.port };
        Some(Owner { name: &service.name, site: one.site, inside })
    })
}

fn owner<'t>(t: &'t Topology, project: &'t Project, group: &[WorkloadId], port: u16) -> Option<Owner<'t>> {
    let others = || {
        project
            .workloads
            .iter()
            .take(1000)
            .filter(|other| !group.contains(other))
            .map(|&other| (other, &t.workloads[other]))
    };
    let by_claim = others().find_map(|(id, other)| {
        let ids = [id];
        let claim = claims(t, &ids)
            .filter(|claim| claim.weight >= Weight::Medium && claim.at == Known::Yes(Listens::Port(port)))
            .max_by_key(|claim| claim.weight)?;
        Some(Owner { name: &other.name, site: claim.site, inside: port })
    });
    by_claim.or_else(|| {
        others().find_map(|(_, other)| {
            let published = other.published.iter().find(|one| one.tcp && one.host == Known::Yes(Some(port)))?;
            Some(Owner { name: &other.name, site: published.site, inside: *published.container.known()? })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(port: u16) -> (House, WorkloadId, WorkloadId) {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        let endpoint = house.endpoint(11, "127.0.0.1", Port::Written(port));
        house.sees(proxy, endpoint, Leads::Itself);
        (house, proxy, app)
    }

    #[test]
    fn another_service_has_the_port() {
        let (mut house, _, app) = house(8000);
        house.claim(app, 30, 8000, Weight::Strong);
        let found = house.found(RuleId::GW103);
        assert_eq!((found[0].severity, lines(&found[0])), (Severity::Error, vec![11, 30, 29]));
    }

    #[test]
    fn nobody_has_the_port() {
        let (house, ..) = house(8000);
        assert_eq!(house.found(RuleId::GW103)[0].severity, Severity::Warning);
    }

    #[test]
    fn the_container_may_have_it_itself() {
        let (mut house, proxy, app) = house(8000);
        house.claim(app, 30, 8000, Weight::Strong);
        house.t.workloads[proxy].many = true;
        assert_eq!(house.found(RuleId::GW103)[0].severity, Severity::Note);
        house.t.workloads[app].claims.clear();
        assert!(house.found(RuleId::GW103).is_empty());
    }

    #[test]
    fn the_proxy_or_a_sharer_listens_there() {
        let (mut first, proxy, _) = house(8000);
        first.listener(12, 8000, false);
        first.t.workloads[proxy].proxies.push(first.proxy);
        assert!(first.found(RuleId::GW103).is_empty());
        let (mut second, proxy, app) = house(8000);
        second.claim(app, 30, 8000, Weight::Strong);
        second.t.workloads[app].namespace = Namespace::Of(proxy, at(31));
        assert!(second.found(RuleId::GW103).is_empty());
    }
}
