//! GW510: fewer workers than connections.

use super::around::behind;
use super::prelude::*;
use std::collections::HashSet;

/// GW510.
pub struct WorkerPoolSmallerThanProxy;

impl Rule for WorkerPoolSmallerThanProxy {
    fn id(&self) -> RuleId {
        RuleId::GW510
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        for (id, endpoint) in cx.topology.endpoints.iter() {
            let Some(takes) = endpoint.takes.as_deref().filter(|takes| takes.known().is_some()) else { continue };
            if let Some(finding) = look(self.id(), cx, id, endpoint, takes)
                && told.insert(finding.primary().site)
            {
                out.push(finding);
            }
        }
    }
}

fn look(rule: RuleId, cx: &Cx<'_>, id: EndpointId, endpoint: &Endpoint, takes: &Setting<u32>) -> Option<Finding> {
    let behind = behind(cx.topology, id);
    // All that run behind the address work side by side.
    let workers = |one: &super::around::Behind<'_>| {
        let workers = one.workload.server.workers.as_ref().filter(|workers| workers.is_written() && !one.guessed)?;
        Some(u64::from(*workers.known()?).saturating_mul(u64::from(*one.workload.replicas.known().unwrap_or(&1))))
    };
    let all: Option<Vec<u64>> = behind.iter().map(workers).collect();
    let all: u64 = all.filter(|all| !all.is_empty())?.iter().fold(0, |sum, &one| sum.saturating_add(one));
    let opened = u64::from(*takes.known()?);
    if all == 0 || opened <= all {
        return None;
    }
    let first = behind.first()?;
    let server = &first.workload.server;
    let workers = server.workers.as_ref()?;
    let dialect = cx.dialect(endpoint.proxy);
    let name = server.program.as_ref().map_or_else(|| quote(&first.workload.name), |(program, _)| program.to_string());
    let message = format!(
        "{} opens up to {opened} connections to {}, and {name} works on {all} request{} at a time",
        dialect.name(),
        address_words(endpoint),
        if all == 1 { "" } else { "s" }
    );
    Some(
        Finding::new(rule, dialect, takes.label(endpoint.site, format!("up to {opened} at a time")), message)
            .label(workers.label(first.workload.site, "as many workers"))
            .why_of_dialect()
            .help(
                format!("write `{} {all}`, or let more workers run", takes.spelling)
                    .replace("max_conns ", "max_conns="),
            ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(opened: u32, workers: Option<u32>, replicas: u32) -> usize {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        house.t.workloads[app].server.workers = workers.map(|workers| Setting::written(workers, at(30), "processes"));
        house.t.workloads[app].replicas = Known::Yes(replicas);
        let endpoint = house.endpoint(11, "app", Port::Written(8000));
        house.t.endpoints[endpoint].takes = Some(Box::new(Setting::written(opened, at(11), "max_conns")));
        house.sees(proxy, endpoint, Leads::To(app));
        house.found(RuleId::GW510).len()
    }

    #[test]
    fn only_what_is_written_is_compared() {
        assert_eq!(said(20, Some(5), 1), 1);
        assert_eq!(said(5, Some(5), 1), 0);
        assert_eq!(said(20, Some(5), 4), 0);
        assert_eq!(said(20, None, 1), 0);
    }
}
