//! GW303: a check that a healthy endpoint does not pass.

use super::around::{behind, sharers};
use super::prelude::*;
use std::collections::HashMap;

/// GW303.
pub struct HealthCheckCannotPass;

impl Rule for HealthCheckCannotPass {
    fn id(&self) -> RuleId {
        RuleId::GW303
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::FailingCheck, cx, out);
        super::readiness_probe::tell(self.id(), cx.topology, out);
        of_workloads(self.id(), cx, out);
        of_endpoints(self.id(), cx, out);
    }
}

/// Checks that a proxy makes on a port on which nothing listens.
fn of_endpoints(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    for (id, endpoint) in t.endpoints.iter() {
        let (Known::Yes(true), Some(asked)) = (&endpoint.check.enabled, endpoint.check.asks_port) else { continue };
        let behind = behind(t, id);
        let elsewhere = |workload: &Workload| {
            let at = |claim: &Claim| match claim.at {
                Known::Yes(Listens::Port(port)) => port != asked,
                Known::Yes(Listens::Socket(_)) => true,
                Known::Unknown(_) => false,
            };
            !workload.claims_open && !t.projects[workload.project].shares && workload.claims.iter().all(at)
        };
        if behind.is_empty() || !behind.iter().all(|one| elsewhere(one.workload)) {
            continue;
        }
        let Some(one) = behind.first() else { continue };
        let strongest = one.claim.filter(|claim| claim.weight >= Weight::Source);
        let (Some(claim), Some(check)) = (strongest, endpoint.check.site) else { continue };
        let name = quote(&one.workload.name);
        let finding = Finding::new(
            rule,
            cx.dialect(endpoint.proxy),
            (endpoint.site, format!("checked on port {asked}")),
            format!("the check asks port {asked} of {name}, where nothing is seen to listen: it counts as down"),
        )
        .severity(Severity::Warning)
        .confidence(if one.guessed { Confidence::Possible } else { Confidence::Likely })
        .label((check, "the check".into()))
        .label((claim.site, claim.words.to_string()))
        .why_of_dialect()
        .help(format!("leave out the port of the check, or let {name} listen on port {asked}"));
        out.push(if one.guessed { finding.severity(Severity::Note) } else { finding });
    }
}

/// Whom a proxy has to do with.
struct Served {
    proxy: ProxyId,
    /// The proxy's own workload, and the line with which it waits until the other one is healthy.
    waits: Option<(WorkloadId, Site)>,
}

/// Checks that workloads behind a proxy make of themselves.
fn of_workloads(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    if t.workloads.iter().all(|(_, one)| one.check.is_none()) {
        return;
    }
    let mut served: HashMap<WorkloadId, Served> = HashMap::new();
    for placement in &t.placements {
        let from = &t.workloads[placement.workload];
        let Some(&proxy) = from.proxies.first() else { continue };
        for dependency in from.depends_on.iter().filter(|one| one.until == Until::Healthy) {
            let Some(on) = dependency.on else { continue };
            served.entry(on).or_insert(Served { proxy, waits: Some((placement.workload, dependency.site)) });
        }
    }
    for outlook in &t.outlooks {
        let (Leads::To(to), Some(placement)) = (outlook.leads, t.placements.get(outlook.placement as usize)) else {
            continue;
        };
        if let Some(&proxy) = t.workloads[placement.workload].proxies.first() {
            served.entry(to).or_insert(Served { proxy, waits: None });
        }
    }
    let mut served: Vec<_> = served.into_iter().collect();
    served.sort_by_key(|(id, _)| *id);
    for (id, served) in served {
        let workload = &t.workloads[id];
        let Some(check) = &workload.check else { continue };
        let name = quote(&workload.name);
        let dialect = cx.dialect(served.proxy);
        let told = if let Some((asked, site, claim)) = wrong_port(t, id, check) {
            let Known::Yes(Listens::Port(port)) = &claim.at else { continue };
            let message = format!("the health check of {name} asks port {asked}, and {name} listens on port {port}");
            Finding::new(rule, dialect, (site, "nothing listens there".to_owned()), message)
                .severity(if served.waits.is_some() { Severity::Warning } else { Severity::Note })
                .confidence(Confidence::Likely)
                .label((claim.site, claim.words.to_string()))
                .help(format!("ask port {port}, or let {name} listen on port {asked}"))
        } else if let Some((tool, site, image)) = &check.lacks {
            let message = format!("the health check of {name} calls {}, which its image comes without", quote(tool));
            Finding::new(rule, dialect, (*site, format!("not in {}", quote(image))), message)
                .severity(Severity::Note)
                .confidence(Confidence::Possible)
                .help(format!("install {} in the image, or ask with a program that it has", quote(tool)))
        } else {
            continue;
        };
        let told = told.log("");
        out.push(match served.waits {
            Some((proxy, line)) => {
                let mine = quote(&t.workloads[proxy].name);
                told.label((line, format!("{mine} waits for this check")))
                    .outcome(Outcome::DoesNotStart)
                    .why(format!("a check that always fails keeps {name} unhealthy, and {mine} is never started"))
            }
            None => told.outcome(Outcome::NotChecked).why(format!(
                "a check that always fails keeps {name} unhealthy, whether it works or not; an orchestrator starts it again and \
                 again"
            )),
        });
    }
}

/// A port that a check asks, and the proof that its workload listens elsewhere.
fn wrong_port<'t>(t: &'t Topology, id: WorkloadId, check: &OwnCheck) -> Option<(u16, Site, &'t Claim)> {
    let &(asked, site) = check.asks.first()?;
    let group = sharers(t, id);
    if !check.one_port || group.iter().any(|&member| t.workloads[member].claims_open) {
        return None;
    }
    let asks = |claim: &Claim| check.asks.iter().any(|(_, site)| *site == claim.site);
    let elsewhere = |claim: &Claim| match claim.at.known() {
        Some(Listens::Port(port)) => check.asks.iter().all(|(asked, _)| asked != port),
        // A check over HTTP of a program that listens on a socket is somebody else's.
        Some(Listens::Socket(_)) | None => false,
    };
    let mut strongest: Option<&Claim> = None;
    for &member in &group {
        for claim in t.workloads[member].claims.iter().filter(|claim| !asks(claim)) {
            if !elsewhere(claim) {
                return None;
            }
            if claim.weight == Weight::Decisive && strongest.is_none() {
                strongest = Some(claim);
            }
        }
    }
    Some((asked, site, strongest?))
}
