//! What GW303 says of probes of readiness in Kubernetes.

use super::prelude::*;

/// Probes of readiness that ask a port on which the program does not listen.
pub fn tell(rule: RuleId, t: &Topology, out: &mut Findings) {
    for (_, workload) in t.workloads.iter() {
        let Known::Yes(Some(site)) = workload.health else { continue };
        if t.projects[workload.project].kind != ProjectKind::Kubernetes || workload.claims_open {
            continue;
        }
        let Some(probe) = workload.claims.iter().find(|claim| claim.site == site) else { continue };
        let Known::Yes(Listens::Port(asked)) = probe.at else { continue };
        // The other probes ask the same port in the same words.
        let others = || workload.claims.iter().filter(|claim| claim.words != probe.words);
        let first = others().filter(|claim| claim.weight == Weight::Decisive).find_map(|claim| match claim.at {
            Known::Yes(Listens::Port(port)) => Some((claim, port)),
            _ => None,
        });
        let Some((claim, port)) = first.filter(|_| !others().any(|claim| claim.at == probe.at)) else { continue };
        let name = quote(&workload.name);
        let message = format!(
            "the pods of {name} are never ready: the probe asks port {asked}, and the program listens on {port}"
        );
        out.push(
            Finding::new(rule, Dialect::Kubernetes, (site, format!("asks port {asked}")), message)
                .confidence(Confidence::Likely)
                .label((claim.site, claim.words.to_string()))
                .why_of_dialect()
                .help(format!("write `port: {port}` in the probe")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(claimed: &[(u32, u16, Weight)], open: bool) -> usize {
        let mut house = House::nginx();
        let app = house.workload(21, "app");
        let project = house.t.workloads[app].project;
        house.t.projects[project].kind = ProjectKind::Kubernetes;
        house.t.workloads[app].health = Known::Yes(Some(at(30)));
        house.t.workloads[app].claims_open = open;
        for &(line, port, weight) in claimed {
            house.claim(app, line, port, weight);
            let claim = house.t.workloads[app].claims.last_mut().unwrap();
            claim.words = if weight == Weight::Weak { "a probe asks" } else { "it says so" }.into();
        }
        house.found(RuleId::GW303).len()
    }

    #[test]
    fn a_probe_asks_where_nobody_listens() {
        use Weight::{Decisive, Medium, Weak};
        assert_eq!(said(&[(30, 9090, Weak), (40, 8000, Decisive)], false), 1);
        assert_eq!(said(&[(30, 9090, Weak), (31, 9090, Weak), (40, 8000, Decisive)], false), 1);
        assert_eq!(said(&[(30, 9090, Weak), (40, 8000, Decisive)], true), 0);
        assert_eq!(said(&[(30, 8000, Weak), (40, 8000, Decisive)], false), 0);
        assert_eq!(said(&[(30, 9090, Weak), (40, 8000, Medium)], false), 0);
        assert_eq!(said(&[(30, 9090, Weak), (40, 8000, Decisive), (41, 9090, Medium)], false), 0);
    }
}
