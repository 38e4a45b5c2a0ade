//! GW205: the worker is killed while the proxy still waits.

use super::around::behind;
use super::prelude::*;
use std::collections::HashSet;
use std::time::Duration;

/// GW205.
pub struct WorkerTimeoutBelowProxy;

impl Rule for WorkerTimeoutBelowProxy {
    fn id(&self) -> RuleId {
        RuleId::GW205
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        for (id, hop) in cx.topology.hops.iter() {
            if !hop.protocol.has_status() {
                continue;
            }
            let found = cx.topology.members(id).iter().take(100).find_map(|&member| look(cx, hop, member));
            if let Some(finding) = found
                && !is_probe(cx.topology, hop)
                && told.insert(finding.primary().site)
            {
                out.push(finding);
            }
        }
    }
}

fn look(cx: &Cx<'_>, hop: &Hop, member: EndpointId) -> Option<Finding> {
    let read = &hop.timeouts.read;
    let waits = *read.known()?;
    let behind = behind(cx.topology, member);
    // What holds in one place only may be another one's affair.
    let limits: Vec<Duration> =
        behind.iter().filter_map(|one| one.workload.server.worker_timeout.as_ref()?.known()?.duration()).collect();
    if behind.is_empty() || limits.len() < behind.len() || limits.iter().any(|limit| Wait::For(*limit) >= waits) {
        return None;
    }
    let first = behind.first()?;
    let server = &first.workload.server;
    let killed = server.worker_timeout.as_ref()?;
    let limit = killed.known()?.duration()?;
    // Where neither was ever set, nobody expects long requests.
    if !read.is_written() && !killed.is_written() {
        return None;
    }
    let (program, program_site) = server.program.as_ref()?;
    let dialect = cx.dialect(hop.proxy);
    let waited = match waits {
        Wait::For(waits) => humanise(waits),
        Wait::Forever => "without limit".to_owned(),
    };
    let message = format!(
        "{program} kills a worker that is busy for {}, and {} would wait {waited}: the slow request ends in 502",
        humanise(limit),
        dialect.name(),
    );
    let primary = read.label(hop.target_site, format!("{} waits {waited} for an answer", dialect.name()));
    let finding = Finding::new(RuleId::GW205, dialect, primary, message)
        .label(killed.label(*program_site, format!("the worker is killed after {}", humanise(limit))));
    let finding = if read.is_written() { finding } else { finding.severity(Severity::Note) };
    let finding =
        if first.guessed { finding.severity(Severity::Note).confidence(Confidence::Possible) } else { finding };
    Some(
        finding
            .label((hop.target_site, "requests go out here".into()))
            .why_of_dialect()
            .help(format!("raise `{}` above the longest request, and `{}` above that", killed.spelling, read.spelling)),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(read: Setting<Wait>, killed: Setting<Wait>) -> House {
        let mut house = House::nginx();
        let app = house.workload(20, "app");
        let proxy = house.workload(21, "proxy");
        house.t.workloads[app].server.program = Some(("gunicorn".into(), at(22)));
        house.t.workloads[app].server.worker_timeout = Some(killed);
        let endpoint = house.endpoint(7, "app", Port::Written(8000));
        let hop = house.hop(8, Target::Endpoint(endpoint));
        house.t.hops[hop].timeouts.read = read;
        house.sees(proxy, endpoint, Leads::To(app));
        house
    }

    #[test]
    fn the_proxy_waits_longer() {
        let found = house(written(ms(300_000), 9), built_in(ms(30_000))).found(RuleId::GW205);
        assert_eq!((lines(&found[0]), found[0].severity), (vec![9, 22, 8], Severity::Warning));
        let found = house(built_in(ms(60_000)), written(ms(10_000), 23)).found(RuleId::GW205);
        assert_eq!((lines(&found[0]), found[0].severity), (vec![8, 23], Severity::Note));
    }

    #[test]
    fn silent_where_nothing_was_set_or_known() {
        for (read, killed) in [
            (built_in(ms(60_000)), built_in(ms(30_000))),
            (written(ms(20_000), 9), built_in(ms(30_000))),
            (written(ms(30_000), 9), built_in(ms(30_000))),
            (written(ms(300_000), 9), written(Wait::Forever, 23)),
            (written(ms(300_000), 9), Setting::unknown(Reason::Variable, at(23), "timeout")),
        ] {
            assert!(house(read, killed).found(RuleId::GW205).is_empty());
        }
    }
}
