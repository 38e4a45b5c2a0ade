//! GW309: nothing starts the workload again when it ends.

use super::led_to::{led_to, spoken};
use super::prelude::*;

/// GW309.
pub struct WorkloadNotRestarted;

impl Rule for WorkloadNotRestarted {
    fn id(&self) -> RuleId {
        RuleId::GW309
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let t = cx.topology;
        for (id, way) in led_to(t) {
            let workload = &t.workloads[id];
            let project = &t.projects[workload.project];
            if workload.restart != Known::Yes(false) || workload.stays_down || way.guessed {
                continue;
            }
            let name = quote(&workload.name);
            let told = |label: &str, message: String| {
                Finding::new(self.id(), spoken(t, way, workload), (workload.site, label.to_owned()), message)
                    .severity(Severity::Note)
                    .confidence(Confidence::Possible)
                    .label((way.site, "requests come from here".into()))
            };
            match project.kind {
                ProjectKind::Compose => {
                    // A file in which nothing is restarted is one for a desk.
                    let others = project.workloads.iter().take(1000).map(|&other| &t.workloads[other]);
                    let Some(other) = others.into_iter().find(|other| other.restart == Known::Yes(true)) else {
                        continue;
                    };
                    let message =
                        format!("when {name} ends, it stays down: other services are started again, and it is not");
                    out.push(
                        told("no `restart` here", message)
                            .label((other.site, format!("{} is started again", quote(&other.name))))
                            .why_of_dialect()
                            .help(format!("write `restart: unless-stopped` for {name}")),
                    );
                }
                ProjectKind::Machine => {
                    let message = format!(
                        "when {name} ends, it stays down: systemd starts it again only where `Restart=` says so"
                    );
                    out.push(
                        told("no `Restart=` in this unit", message)
                            .why_of_dialect()
                            .help("write `Restart=on-failure` into its `[Service]`"),
                    );
                }
                ProjectKind::Kubernetes | ProjectKind::Declared => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(kind: ProjectKind, restart: Known<bool>, others: bool) -> usize {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        let project = house.t.workloads[app].project;
        house.t.projects[project].kind = kind;
        house.t.workloads[app].restart = restart;
        house.t.workloads[proxy].restart = Known::Yes(others);
        for line in [11, 12] {
            let endpoint = house.endpoint(line, "app", Port::Written(80));
            house.sees(proxy, endpoint, Leads::To(app));
        }
        house.found(RuleId::GW309).len()
    }

    #[test]
    fn only_where_somebody_thought_of_restarting() {
        assert_eq!(said(ProjectKind::Compose, Known::Yes(false), true), 1);
        assert_eq!(said(ProjectKind::Compose, Known::Yes(false), false), 0);
        assert_eq!(said(ProjectKind::Compose, Known::Yes(true), true), 0);
        assert_eq!(said(ProjectKind::Compose, Known::Unknown(Reason::Variable), true), 0);
        assert_eq!(said(ProjectKind::Machine, Known::Yes(false), false), 1);
        assert_eq!(said(ProjectKind::Machine, Known::Yes(true), false), 0);
        assert_eq!(said(ProjectKind::Kubernetes, Known::Yes(false), true), 0);
    }
}
