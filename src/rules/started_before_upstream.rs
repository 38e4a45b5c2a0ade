//! GW116: nothing makes the proxy wait for the name it needs at start.

use super::around::{Seen, look_around, stands_in};
use super::prelude::*;
use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

/// GW116.
pub struct StartedBeforeUpstream;

impl Rule for StartedBeforeUpstream {
    fn id(&self) -> RuleId {
        RuleId::GW116
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        // One line mends it, however many targets need the service.
        let told = RefCell::new(HashSet::new());
        let orders = Orders::default();
        look_around(cx, out, |seen| {
            let (to, _) = seen.to().filter(|_| seen.asked.lookup == Lookup::AtStart)?;
            let finding = unordered(self.id(), cx, seen, to, &orders)?;
            told.borrow_mut().insert((seen.placement.workload, to)).then_some(finding)
        });
        never_healthy(self.id(), cx, out);
        started_only(self.id(), cx, out);
    }
}

/// No order between the two.
fn unordered(rule: RuleId, cx: &Cx<'_>, seen: &Seen<'_>, to: WorkloadId, orders: &Orders) -> Option<Finding> {
    let t = cx.topology;
    let (from, workload) = (seen.from, &t.workloads[to]);
    if from.waits
        || orders.waits_for(t, seen.placement.workload, to).is_some()
        || stands_in(t, to) == stands_in(t, seen.placement.workload)
    {
        return None;
    }
    let (mine, theirs) = (quote(&from.name), quote(&workload.name));
    let dialect = cx.dialect(seen.asked.proxy);
    let back = before(t, to).get(&seen.placement.workload).copied();
    let Known::Yes(restarted) = from.restart else { return None };
    let (severity, message) = match (restarted, back) {
        (false, Some(_)) => (
            Severity::Error,
            format!("{theirs} waits for {mine}, and {} cannot start without the name {theirs}", dialect.name()),
        ),
        (false, None) => (
            Severity::Warning,
            format!(
                "nothing makes {mine} wait for {theirs}: where {theirs} comes up later, {} ends and stays down",
                dialect.name()
            ),
        ),
        (true, _) => (
            Severity::Note,
            format!(
                "nothing makes {mine} wait for {theirs}: until it is there, {} ends and is started again",
                dialect.name()
            ),
        ),
    };
    let at = (seen.asked.site, "looked up once, at the start".to_owned());
    let finding = Finding::new(rule, dialect, at, message)
        .severity(severity)
        .label((from.site, format!("{mine} has no `depends_on` for {theirs}")));
    let finding = match back {
        Some(site) => finding.label((site, format!("{theirs} waits for {mine}"))),
        None => finding,
    };
    Some(finding.label(seen.runs()).why_of_dialect().help(match back {
        Some(_) => format!("turn the order round: `depends_on: [{}]` for {mine}", workload.name),
        None => format!("write `depends_on: [{}]` for {mine}", workload.name),
    }))
}

/// Whom each workload with a proxy waits for, found out once.
#[derive(Default)]
struct Orders(RefCell<HashMap<WorkloadId, HashMap<WorkloadId, Site>>>);

impl Orders {
    /// The line through which one workload waits for another, over others too.
    fn waits_for(&self, t: &Topology, from: WorkloadId, to: WorkloadId) -> Option<Site> {
        self.0.borrow_mut().entry(from).or_insert_with(|| before(t, from)).get(&to).copied()
    }
}

/// All that a workload waits for, each with the line of its own through which it does.
fn before(t: &Topology, from: WorkloadId) -> HashMap<WorkloadId, Site> {
    let mut found = HashMap::new();
    let mut next: VecDeque<(WorkloadId, Option<Site>)> = VecDeque::from([(from, None)]);
    while let Some((at, first)) = next.pop_front() {
        for dependency in &t.workloads[at].depends_on {
            let Some(on) = dependency.on else { continue };
            let first = first.unwrap_or(dependency.site);
            if let Entry::Vacant(place) = found.entry(on) {
                place.insert(first);
                next.push_back((on, Some(first)));
            }
        }
    }
    found
}

/// A proxy that waits until a service was started, and not until its check says that it works.
fn started_only(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    let mut told = HashSet::new();
    for outlook in &t.outlooks {
        let (Leads::To(to), Some(placement)) = (outlook.leads, t.placements.get(outlook.placement as usize)) else {
            continue;
        };
        let (from, other) = (&t.workloads[placement.workload], &t.workloads[to]);
        let (Some(&proxy), Known::Yes(Some(check))) = (from.proxies.first(), &other.health) else { continue };
        let waits = |one: &&Dependency| one.on == Some(to) && !one.name.is_empty();
        // `links` has no condition.
        let linked = |one: &Dependency| from.own_names.iter().any(|(_, _, site)| *site == one.site);
        let Some(dependency) = from.depends_on.iter().find(waits).filter(|one| !linked(one)) else { continue };
        if dependency.until != Until::Started || from.waits || !told.insert(dependency.site) {
            continue;
        }
        let (mine, theirs) = (quote(&from.name), quote(&other.name));
        let message = format!("{mine} starts as soon as {theirs} does, and requests fail until {theirs} is ready");
        out.push(
            Finding::new(rule, cx.dialect(proxy), (dependency.site, "waits for its start only".into()), message)
                .severity(Severity::Note)
                .confidence(Confidence::Likely)
                .outcome(Outcome::Either(502, 503))
                .log("")
                .label((*check, format!("this check knows when {theirs} is ready")))
                .why("without a condition, `depends_on` orders the starts and waits for nothing")
                .help(format!("write `{}: {{condition: service_healthy}}` under `depends_on`", other.name)),
        );
    }
}

/// A proxy that waits for a health check that nobody makes.
fn never_healthy(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    let mut told = HashSet::new();
    for placement in &t.placements {
        let from = &t.workloads[placement.workload];
        let Some(&proxy) = from.proxies.first() else { continue };
        for dependency in &from.depends_on {
            let Some(on) = dependency.on.filter(|_| dependency.until == Until::Healthy) else { continue };
            let other = &t.workloads[on];
            if other.health != Known::Yes(None) || !told.insert(dependency.site) {
                continue;
            }
            let (mine, theirs) = (quote(&from.name), quote(&other.name));
            let message = format!("{mine} waits until {theirs} is healthy, and nothing checks the health of {theirs}");
            let finding = Finding::new(rule, cx.dialect(proxy), (dependency.site, "never comes true".into()), message)
                .confidence(Confidence::Likely)
                .label((other.site, "no `healthcheck` here, and none in its image".into()))
                .log("")
                .why("compose gives up with an error and does not start the proxy")
                .help(format!("write a `healthcheck` for {theirs}, or wait with `condition: service_started`"));
            out.push(finding.severity(if t.projects[from.project].guessed { Severity::Note } else { Severity::Error }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house() -> (House, WorkloadId, WorkloadId) {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        for line in [11, 12] {
            let endpoint = house.endpoint(line, "app", Port::Written(8000));
            house.t.endpoints[endpoint].lookup = Lookup::AtStart;
            house.sees(proxy, endpoint, Leads::To(app));
        }
        (house, proxy, app)
    }

    fn depends(house: &mut House, from: WorkloadId, on: WorkloadId, until: Until) {
        let site = at(40 + on.index() as u32);
        house.t.workloads[from].depends_on.push(Dependency { on: Some(on), name: "".into(), until, site });
    }

    #[test]
    fn one_finding_for_all_targets_of_a_service() {
        let (house, ..) = house();
        let found = house.found(RuleId::GW116);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].severity, lines(&found[0])), (Severity::Warning, vec![11, 20, 29]));
    }

    #[test]
    fn an_order_over_others_will_do() {
        let (mut house, proxy, app) = house();
        let between = house.workload(22, "between");
        depends(&mut house, proxy, between, Until::Started);
        assert_eq!(house.found(RuleId::GW116).len(), 1);
        depends(&mut house, between, app, Until::Started);
        assert!(house.found(RuleId::GW116).is_empty());
    }

    #[test]
    fn the_wrong_way_round() {
        let (mut house, proxy, app) = house();
        depends(&mut house, app, proxy, Until::Started);
        assert_eq!(house.found(RuleId::GW116)[0].severity, Severity::Error);
        house.t.workloads[proxy].restart = Known::Yes(true);
        assert_eq!(house.found(RuleId::GW116)[0].severity, Severity::Note);
        house.t.workloads[proxy].waits = true;
        assert!(house.found(RuleId::GW116).is_empty());
    }

    #[test]
    fn a_check_for_which_nobody_waits() {
        let (mut house, proxy, app) = house();
        house.t.workloads[proxy].proxies.push(house.proxy);
        house.t.workloads[app].health = Known::Yes(Some(at(50)));
        let site = at(41);
        let on = Dependency { on: Some(app), name: "app".into(), until: Until::Started, site };
        house.t.workloads[proxy].depends_on.push(on);
        let found = house.found(RuleId::GW116);
        assert_eq!(found.len(), 1, "once for all targets");
        assert_eq!((found[0].severity, lines(&found[0])), (Severity::Note, vec![41, 50]));
        house.t.workloads[proxy].own_names.push(("app".into(), OwnName::Workload(app), site));
        assert!(house.found(RuleId::GW116).is_empty(), "a link has no condition");
        house.t.workloads[proxy].own_names.clear();
        house.t.workloads[proxy].depends_on[0].until = Until::Healthy;
        assert!(house.found(RuleId::GW116).is_empty());
    }

    #[test]
    fn a_health_that_nobody_checks() {
        let (mut house, proxy, app) = house();
        house.t.workloads[proxy].proxies.push(house.proxy);
        depends(&mut house, proxy, app, Until::Healthy);
        assert!(house.found(RuleId::GW116).is_empty(), "not known");
        house.t.workloads[app].health = Known::Yes(None);
        assert_eq!(house.found(RuleId::GW116)[0].severity, Severity::Error);
        house.t.workloads[app].health = Known::Yes(Some(at(50)));
        assert!(house.found(RuleId::GW116).is_empty());
    }
}
