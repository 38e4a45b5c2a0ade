//! GW701: a policy or a firewall closes the path to the workload.

use super::around::look_around;
use super::prelude::*;

/// GW701.
pub struct FirewallBlocksUpstream;

impl Rule for FirewallBlocksUpstream {
    fn id(&self) -> RuleId {
        RuleId::GW701
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let t = cx.topology;
        if t.guards.is_empty() {
            return;
        }
        let guards = |id: WorkloadId| {
            let first = t.guards.partition_point(|guard| guard.workload < id);
            t.guards.get(first..).unwrap_or(&[]).iter().take_while(move |guard| guard.workload == id)
        };
        look_around(cx, out, |seen| {
            let (to, port) = seen.reached()?;
            // Pods on the network of their machine come from its address.
            if seen.from.namespace != Namespace::Own {
                return None;
            }
            let from = seen.placement.workload;
            let shut =
                |&id: &WorkloadId| guards(id).next().is_some() && !guards(id).any(|guard| guard.admits(from, port));
            if !to.iter().all(shut) {
                return None;
            }
            let id = *to.first()?;
            let (mine, theirs) = (quote(&seen.from.name), quote(&t.workloads[id].name));
            let asks = format!("{mine} asks {theirs} on port {port}");
            let message = format!("the network policies of {theirs} do not let {mine} in on port {port}");
            let finding = Finding::new(self.id(), cx.dialect(seen.asked.proxy), (seen.asked.site, asks), message);
            let finding = guards(id)
                .take(4)
                .fold(finding, |finding, guard| finding.label((guard.site, "this policy does not admit it".into())));
            Some(
                finding
                    .label(seen.runs())
                    .why_of_dialect()
                    .assumed("the network of the cluster keeps to its policies")
                    .help(format!("admit the labels of {mine}, and port {port}, in one of the policies")),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(rules: &[(bool, Option<(u16, u16)>)], second: Option<bool>) -> usize {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        let admit = |&(lets_in, ports): &(bool, Option<(u16, u16)>)| Admit {
            from: Some(if lets_in { vec![proxy] } else { vec![] }),
            ports: ports.map(|ports| vec![ports]),
        };
        let guard = |admits: Vec<Admit>| Guard { workload: app, site: at(40), admits: admits.into() };
        house.t.guards.push(guard(rules.iter().map(admit).collect()));
        if let Some(anybody) = second {
            let admits = if anybody { vec![Admit { from: None, ports: None }] } else { vec![] };
            house.t.guards.push(guard(admits));
        }
        let endpoint = house.endpoint(11, "app", Port::Written(8000));
        house.sees(proxy, endpoint, Leads::To(app));
        house.found(RuleId::GW701).len()
    }

    #[test]
    fn policies_add_up() {
        assert_eq!(said(&[], None), 1);
        assert_eq!(said(&[(false, None)], None), 1);
        assert_eq!(said(&[(true, None)], None), 0);
        assert_eq!(said(&[(true, Some((8000, 8000)))], None), 0);
        assert_eq!(said(&[(true, Some((9000, 9100)))], None), 1);
        assert_eq!(said(&[(true, Some((7000, 9100)))], None), 0);
        assert_eq!(said(&[], Some(true)), 0);
        assert_eq!(said(&[], Some(false)), 1);
    }
}
