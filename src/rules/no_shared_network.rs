//! GW106: proxy and workload share no network.

use super::around::{Seen, look_around};
use super::prelude::*;

/// GW106.
pub struct NoSharedNetwork;

impl Rule for NoSharedNetwork {
    fn id(&self) -> RuleId {
        RuleId::GW106
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::NoSharedNetwork, cx, out);
        look_around(cx, out, |seen| match seen.leads {
            Leads::Barred(other, Bar::NoCommonNetwork) => Some(apart(self.id(), cx, seen, other)),
            Leads::To(other) => inactive(self.id(), cx, seen, other),
            _ => None,
        });
    }
}

/// On no common network.
fn apart(rule: RuleId, cx: &Cx<'_>, seen: &Seen<'_>, other: WorkloadId) -> Finding {
    let t = cx.topology;
    let workload = &t.workloads[other];
    let (mine, theirs) = (quote(&seen.from.name), quote(&workload.name));
    let networks = |workload: &Workload| {
        let names: Vec<_> =
            workload.networks.known().into_iter().flatten().map(|&network| quote(&t.networks[network].name)).collect();
        if names.is_empty() { "no network".to_owned() } else { names.join(" and ") }
    };
    let dialect = cx.dialect(seen.asked.proxy);
    let message = format!("{mine} and {theirs} are on no common network, so {} cannot find that name", dialect.name());
    let at = (seen.asked.site, format!("this name is not known in {mine}"));
    let finding = Finding::new(rule, dialect, at, message)
        .label((workload.site, format!("is on {}", networks(workload))))
        .label((seen.from.site, format!("is on {}", networks(seen.from))))
        .label(seen.runs());
    seen.unresolved(finding)
        .help("list one network under `networks` of both; a service that lists none is on `default`")
}

/// On a common network, when it runs: it has a profile that the proxy does not have.
fn inactive(rule: RuleId, cx: &Cx<'_>, seen: &Seen<'_>, other: WorkloadId) -> Option<Finding> {
    let workload = &cx.topology.workloads[other];
    let from = seen.from;
    let asked_for = from.depends_on.iter().any(|dependency| dependency.on == Some(other));
    if other == seen.placement.workload
        || workload.profiles.is_empty()
        || asked_for
        || !from.profiles.is_empty()
        || seen.asked.lookup != Lookup::AtStart
    {
        return None;
    }
    let (mine, theirs) = (quote(&from.name), quote(&workload.name));
    let profiles: Vec<_> = workload.profiles.iter().map(|profile| quote(profile)).collect();
    let dialect = cx.dialect(seen.asked.proxy);
    let message = format!(
        "{mine} always starts and {theirs} only with the profile {}: without it {} does not start",
        profiles.join(" or "),
        dialect.name()
    );
    let at = (seen.asked.site, format!("{theirs} is not there without its profile"));
    let finding = Finding::new(rule, dialect, at, message)
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .label((workload.site, format!("starts only with {}", profiles.join(" or "))))
        .label(seen.runs())
        .why_of_dialect()
        .help(format!("give {mine} the same profile, or take it from {theirs}"));
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn a_name_on_another_network_is_not_known() {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        let endpoint = house.endpoint(11, "app", Port::Written(80));
        house.t.endpoints[endpoint].lookup = Lookup::AtStart;
        house.sees(proxy, endpoint, Leads::Barred(app, Bar::NoCommonNetwork));
        let found = house.found(RuleId::GW106);
        assert_eq!((found[0].severity, lines(&found[0])), (Severity::Error, vec![11, 21, 20, 29]));
    }

    #[test]
    fn a_profile_that_the_proxy_lacks() {
        let said = |mine: &[&str], theirs: &[&str], depends: bool| {
            let mut house = House::nginx();
            let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
            let profiles = |names: &[&str]| names.iter().map(|&name| name.into()).collect();
            house.t.workloads[proxy].profiles = profiles(mine);
            house.t.workloads[app].profiles = profiles(theirs);
            if depends {
                let on = Dependency { on: Some(app), name: "app".into(), until: Until::Started, site: at(22) };
                house.t.workloads[proxy].depends_on.push(on);
            }
            let endpoint = house.endpoint(11, "app", Port::Written(80));
            house.t.endpoints[endpoint].lookup = Lookup::AtStart;
            house.sees(proxy, endpoint, Leads::To(app));
            house.found(RuleId::GW106).len()
        };
        assert_eq!(said(&[], &["debug"], false), 1);
        assert_eq!(said(&[], &["debug"], true), 0);
        assert_eq!(said(&["debug"], &["debug"], false), 0);
        assert_eq!(said(&[], &[], false), 0);
    }
}
