//! GW104: the workload listens on its own loopback only.

use super::around::{Seen, look_around, sharers};
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
            let (to, port) = seen.reached()?;
            // Of several groups of pods another one may answer.
            let [to] = to[..] else { return None };
            let (workload, group) = (&t.workloads[to], sharers(t, to));
            // Who shares the network shares the loopback.
            if group.contains(&seen.placement.workload) || group.iter().any(|&member| t.workloads[member].claims_open) {
                return None;
            }
            if let Some(finding) = refuses_others(self.id(), cx, seen, workload, port) {
                return Some(finding);
            }
            let on_port: Vec<&Claim> = group
                .iter()
                .flat_map(|&member| &t.workloads[member].claims)
                .filter(|claim| claim.weight >= Weight::Source && claim.at == Known::Yes(Listens::Port(port)))
                .collect();
            let first = on_port
                .iter()
                .filter(|claim| matches!(claim.bind, Bind::Loopback | Bind::LoopbackByDefault))
                .max_by_key(|claim| claim.weight)?;
            let elsewhere = |claim: &&Claim| match claim.bind {
                Bind::Any => true,
                Bind::Unknown => claim.weight == Weight::Decisive,
                Bind::Loopback | Bind::LoopbackByDefault => false,
            };
            if on_port.iter().any(elsewhere) {
                return None;
            }
            let by_default = first.bind == Bind::LoopbackByDefault;
            let name = quote(&workload.name);
            let message = match by_default {
                true => format!(
                    "{name} listens on its own loopback unless it is told otherwise, so connections from the proxy are refused"
                ),
                false => format!("{name} listens on its own loopback only, so connections from the proxy are refused"),
            };
            let at = (seen.asked.site, format!("asks {name} from {}", seen.elsewhere()));
            let finding = Finding::new(self.id(), cx.dialect(seen.asked.proxy), at, message)
                .label((first.site, first.words.to_string()))
                .label(seen.runs())
                .why_of_dialect()
                .help(format!("let it listen on `0.0.0.0:{port}`"));
            Some(match by_default || first.weight < Weight::Decisive {
                true => finding.severity(Severity::Warning).confidence(Confidence::Likely),
                false => finding,
            })
        });
    }
}

/// A program that takes connections from its own loopback only, wherever it listens.
fn refuses_others(rule: RuleId, cx: &Cx<'_>, seen: &Seen<'_>, workload: &Workload, port: u16) -> Option<Finding> {
    let (clients, site) = workload.server.allowed_clients.as_ref()?;
    let known = clients.iter().all(|client| Host::parse(client).is_loopback());
    let claim = workload.claims.iter().find(|claim| {
        claim.weight == Weight::Decisive
            && claim.at == Known::Yes(Listens::Port(port))
            && claim.site.span.file == site.span.file
    })?;
    if !known || clients.is_empty() {
        return None;
    }
    let name = quote(&workload.name);
    let at = (seen.asked.site, format!("asks {name} from {}", seen.elsewhere()));
    let message = format!("{name} takes connections from its own loopback only, and closes those from the proxy");
    Some(
        Finding::new(rule, cx.dialect(seen.asked.proxy), at, message)
            .label((*site, "all other clients are turned away".into()))
            .label((claim.site, claim.words.to_string()))
            .label(seen.runs())
            .log("")
            .why("the connection is accepted and closed at once, and the client gets 502")
            .help("name the proxy's address there, or take the line away where the network is private"),
    )
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
        assert_eq!(said(Bind::Loopback, Weight::Strong), Some(Severity::Warning));
        assert_eq!(said(Bind::LoopbackByDefault, Weight::Strong), Some(Severity::Warning));
        assert_eq!(said(Bind::Loopback, Weight::Medium), None);
    }
}
