//! GW308: nothing tells when the workload is ready.

use super::led_to::{Way, led_to, spoken};
use super::prelude::*;

/// GW308.
pub struct WorkloadWithoutHealthCheck;

impl Rule for WorkloadWithoutHealthCheck {
    fn id(&self) -> RuleId {
        RuleId::GW308
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let t = cx.topology;
        for (id, way) in led_to(t) {
            let workload = &t.workloads[id];
            if workload.health != Known::Yes(None) || way.guessed {
                continue;
            }
            match t.projects[workload.project].kind {
                ProjectKind::Kubernetes => out.push(pods(self.id(), t, id, way)),
                ProjectKind::Compose => out.push(switched_off(self.id(), t, workload, way)),
                ProjectKind::Machine | ProjectKind::Declared => {}
            }
        }
    }
}

/// Pods that are sent requests as soon as they are started.
fn pods(rule: RuleId, t: &Topology, id: WorkloadId, way: Way) -> Finding {
    let workload = &t.workloads[id];
    let name = quote(&workload.name);
    let at = (workload.site, "no container has a `readinessProbe`".to_owned());
    let message =
        format!("nothing tells when the pods of {name} are ready: each new one is sent requests before it listens");
    let finding = Finding::new(rule, Dialect::Kubernetes, at, message)
        .label((way.site, "requests come from here".into()))
        .why_of_dialect()
        .help("write a `readinessProbe` that asks the port on which the program serves");
    match (way.routed, &workload.replicas) {
        // More than one is there so that a new version is not felt.
        (Some(_), Known::Yes(2..)) => finding.severity(Severity::Warning).confidence(Confidence::Likely),
        _ => finding.severity(Severity::Note).confidence(Confidence::Possible),
    }
}

/// A service of compose whose check somebody has switched off.
fn switched_off(rule: RuleId, t: &Topology, workload: &Workload, way: Way) -> Finding {
    let name = quote(&workload.name);
    let at = (workload.site, "its health check is switched off".to_owned());
    let message = format!("nothing tells when {name} is ready: its health check is switched off");
    Finding::new(rule, spoken(t, way, workload), at, message)
        .severity(Severity::Note)
        .confidence(Confidence::Possible)
        .label((way.site, "requests come from here".into()))
        .why_of_dialect()
        .help("write a `healthcheck`, and let the proxy wait with `condition: service_healthy`")
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(kind: ProjectKind, health: Known<Option<Site>>, replicas: u32, is_routed: bool) -> Option<Severity> {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        let project = house.t.workloads[app].project;
        house.t.projects[project].kind = kind;
        house.t.workloads[app].health = health;
        house.t.workloads[app].replicas = Known::Yes(replicas);
        house.t.services.push(Service {
            project,
            namespace: None,
            name: "app".into(),
            site: at(40),
            kind: ServiceKind::Address,
            to: Known::Yes(vec![app]),
            routed: is_routed.then(|| at(41)),
            ports: Known::Yes(Vec::new()),
        });
        for line in [11, 12] {
            let endpoint = house.endpoint(line, "app", Port::Written(80));
            house.sees(proxy, endpoint, Leads::To(app));
        }
        let found = house.found(RuleId::GW308);
        assert!(found.len() < 2);
        found.first().map(|finding| finding.severity)
    }

    #[test]
    fn each_workload_is_told_once() {
        let none = || Known::Yes(None);
        let kubernetes = ProjectKind::Kubernetes;
        assert_eq!(said(kubernetes, none(), 1, false), Some(Severity::Note));
        assert_eq!(said(kubernetes, none(), 1, true), Some(Severity::Note));
        assert_eq!(said(kubernetes, none(), 2, false), Some(Severity::Note));
        assert_eq!(said(kubernetes, none(), 2, true), Some(Severity::Warning));
        assert_eq!(said(kubernetes, Known::Yes(Some(at(50))), 2, true), None);
        assert_eq!(said(kubernetes, Known::Unknown(Reason::Variable), 2, true), None);
        assert_eq!(said(ProjectKind::Compose, none(), 1, false), Some(Severity::Note));
        assert_eq!(said(ProjectKind::Machine, none(), 1, false), None);
    }
}
