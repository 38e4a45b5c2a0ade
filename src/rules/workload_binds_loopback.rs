//! GW104: the workload listens on its own loopback only.

use super::around::{look_around, sharers};
use super::prelude::*;

/// GW104.
pub struct WorkloadBindsLoopback;

impl Rule for WorkloadBindsLoopback {
    fn id(&self) -> RuleId {
        RuleId::GW104
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let t = cx.topology;
        look_around(cx, out, |seen| {
            let ((to, workload), port) = (seen.to()?, seen.port()?);
            let group = sharers(t, to);
            // Who shares the network shares the loopback.
            if group.contains(&seen.placement.workload) || group.iter().any(|&member| t.workloads[member].claims_open) {
                return None;
            }
            let mut on_port = group
                .iter()
                .flat_map(|&member| &t.workloads[member].claims)
                .filter(|claim| claim.weight == Weight::Decisive && claim.at == Known::Yes(Listens::Port(port)));
            let first = on_port.next()?;
            let by_default = match first.bind {
                Bind::Loopback => false,
                Bind::LoopbackByDefault => true,
                Bind::Any | Bind::Unknown => return None,
            };
            if on_port.any(|claim| !matches!(claim.bind, Bind::Loopback | Bind::LoopbackByDefault)) {
                return None;
            }
            let name = quote(&workload.name);
            let message = match by_default {
                true => format!(
                    "{name} listens on its own loopback unless it is told otherwise, so connections from the proxy are refused"
                ),
                false => format!("{name} listens on its own loopback only, so connections from the proxy are refused"),
            };
            let at = (seen.asked.site, format!("asks {name} from another container"));
            let finding = Finding::new(self.id(), cx.dialect(seen.asked.proxy), at, message)
                .label((first.site, first.words.to_string()))
                .label(seen.runs())
                .why_of_dialect()
                .help(format!("let it listen on `0.0.0.0:{port}`"));
            Some(match by_default {
                true => finding.severity(Severity::Warning).confidence(Confidence::Likely),
                false => finding,
            })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(bind: Bind, weight: Weight) -> Option<Severity> {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        house.claim(app, 30, 8000, weight);
        house.t.workloads[app].claims[0].bind = bind;
        let endpoint = house.endpoint(11, "app", Port::Written(8000));
        house.sees(proxy, endpoint, Leads::To(app));
        let found = house.found(RuleId::GW104);
        assert!(found.first().is_none_or(|finding| lines(finding) == [11, 30, 29]));
        found.first().map(|finding| finding.severity)
    }

    #[test]
    fn only_the_program_itself_decides_where_it_listens() {
        assert_eq!(said(Bind::Loopback, Weight::Decisive), Some(Severity::Error));
        assert_eq!(said(Bind::LoopbackByDefault, Weight::Decisive), Some(Severity::Warning));
        assert_eq!(said(Bind::Any, Weight::Decisive), None);
        assert_eq!(said(Bind::Unknown, Weight::Decisive), None);
        assert_eq!(said(Bind::Loopback, Weight::Strong), None);
    }
}
