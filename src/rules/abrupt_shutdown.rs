//! GW310: the workload is stopped before its connections are drained.

use super::led_to::{Way, led_to, spoken};
use super::prelude::*;
use std::time::Duration;

/// GW310.
pub struct AbruptShutdown;

impl Rule for AbruptShutdown {
    fn id(&self) -> RuleId {
        RuleId::GW310
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let t = cx.topology;
        for (id, way) in led_to(t) {
            let workload = &t.workloads[id];
            let Some(stop) = &workload.server.stop else { continue };
            let finding = slept_away(self.id(), t, workload, stop, way)
                .or_else(|| cut_short(self.id(), t, workload, stop, way))
                .or_else(|| at_once(self.id(), t, id, stop, way));
            if let Some(finding) = finding.filter(|_| !way.guessed) {
                out.push(finding);
            }
        }
    }
}

fn length(setting: Option<&Setting<Wait>>) -> Option<Duration> {
    setting?.known()?.duration()
}

/// Nothing is left of the time when the program is told to end.
fn slept_away(rule: RuleId, t: &Topology, workload: &Workload, stop: &Stop, way: Way) -> Option<Finding> {
    let (grace, before) = (stop.grace.as_ref()?, stop.before.as_ref()?);
    let (given, slept) = (length(Some(grace))?, length(Some(before))?);
    if slept < given {
        return None;
    }
    let name = quote(&workload.name);
    let message = format!(
        "{name} sleeps for {} before it is told to end, and is killed after {}: requests in work are cut off",
        humanise(slept),
        humanise(given)
    );
    let at = before.label(workload.site, format!("{} of sleep", humanise(slept)));
    let finding = Finding::new(rule, spoken(t, way, workload), at, message)
        .label(grace.label(workload.site, format!("killed after {}", humanise(given))))
        .why_of_dialect()
        .help(format!(
            "write `terminationGracePeriodSeconds: {}`, or sleep for less",
            slept.as_secs().saturating_add(30)
        ));
    Some(finding)
}

/// The program would take longer to finish than it is given.
fn cut_short(rule: RuleId, t: &Topology, workload: &Workload, stop: &Stop, way: Way) -> Option<Finding> {
    let (grace, finishes) = (stop.grace.as_ref()?, stop.finishes.as_ref()?);
    if !grace.is_written() || !finishes.is_written() {
        return None;
    }
    let slept = match &stop.before {
        Some(before) => length(Some(before))?,
        None => Duration::ZERO,
    };
    let (given, takes) = (length(Some(grace))?, length(Some(finishes))?);
    if takes.saturating_add(slept) <= given {
        return None;
    }
    let name = quote(&workload.name);
    let message =
        format!("{name} may take {} to finish its requests, and is killed after {}", humanise(takes), humanise(given));
    let at = grace.label(workload.site, format!("killed after {}", humanise(given)));
    Some(
        Finding::new(rule, spoken(t, way, workload), at, message)
            .confidence(Confidence::Likely)
            .label(finishes.label(workload.site, format!("up to {} to finish", humanise(takes))))
            .label_if(
                (slept > Duration::ZERO)
                    .then_some(stop.before.as_ref())
                    .flatten()
                    .map(|before| before.label(workload.site, format!("{} of sleep before that", humanise(slept)))),
            )
            .why_of_dialect()
            .help(format!("give it more than {}, or let it finish in less", humanise(takes.saturating_add(slept)))),
    )
}

/// Pods that end while requests are still sent to them.
fn at_once(rule: RuleId, t: &Topology, id: WorkloadId, stop: &Stop, way: Way) -> Option<Finding> {
    let workload = &t.workloads[id];
    let site = way.routed?;
    let several = matches!(workload.replicas, Known::Yes(2..));
    // Without a check of readiness there is more to say, and another rule says it.
    let checked = matches!(workload.health, Known::Yes(Some(_)));
    if stop.before.is_some() || !several || !checked || stop.grace.is_none() {
        return None;
    }
    let name = quote(&workload.name);
    let message = format!("the pods of {name} are told to end while requests may still be sent to them");
    let at = (workload.site, "no container has a `preStop`".to_owned());
    Some(
        Finding::new(rule, Dialect::Kubernetes, at, message)
            .severity(Severity::Note)
            .confidence(Confidence::Possible)
            .label((site, "requests come from here".into()))
            .why("a pod is taken out of the endpoints at the same time as it is told to end; until all proxies know, requests go to a pod that takes none")
            .assumed("the program stops accepting connections as soon as it is told to end")
            .help(
                "let it sleep some seconds first: `lifecycle: {preStop: {sleep: {seconds: 5}}}`; before Kubernetes 1.30: \
                 `exec: {command: [sleep, \"5\"]}` instead",
            ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(grace: Option<u64>, before: Option<u64>, finishes: Option<u64>) -> Option<(Severity, Vec<u32>)> {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        let endpoint = house.endpoint(11, "app", Port::Written(80));
        house.sees(proxy, endpoint, Leads::To(app));
        let time = |line: u32, seconds: Option<u64>| {
            seconds.map(|seconds| Setting::written(Wait::For(Duration::from_secs(seconds)), at(line), "x"))
        };
        *house.t.workloads[app].server.stop_mut() =
            Stop { grace: time(30, grace), before: time(31, before), finishes: time(32, finishes) };
        house.found(RuleId::GW310).first().map(|finding| (finding.severity, lines(finding)))
    }

    #[test]
    fn sleep_is_part_of_the_time() {
        assert_eq!(said(Some(30), Some(30), None), Some((Severity::Warning, vec![31, 30])));
        assert_eq!(said(Some(30), Some(29), None), None);
        assert_eq!(said(None, Some(60), None), None);
    }

    #[test]
    fn the_program_takes_longer_than_it_is_given() {
        assert_eq!(said(Some(10), None, Some(30)), Some((Severity::Warning, vec![30, 32])));
        assert_eq!(said(Some(30), None, Some(30)), None);
        assert_eq!(said(Some(30), Some(15), Some(20)), Some((Severity::Warning, vec![30, 32, 31])));
        assert_eq!(said(None, None, Some(60)), None);
    }
}
