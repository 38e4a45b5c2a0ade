//! GW302: a health check is written, and nothing is checked.

use super::prelude::*;
use std::collections::{HashMap, HashSet};

/// GW302.
pub struct InertHealthCheck;

impl Rule for InertHealthCheck {
    fn id(&self) -> RuleId {
        RuleId::GW302
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        let inert = inert_rules(topology);
        // What several pools share is one mistake.
        let mut told = HashSet::new();
        for (id, pool) in topology.pools.iter() {
            let name = || quote(&pool.name);
            let dialect = cx.dialect(pool.proxy);
            if let Some(&rule) = inert.get(&id).filter(|rule| told.insert(**rule)) {
                let mut finding = Finding::new(
                    self.id(),
                    dialect,
                    (rule, "says how to ask, but nobody is asked".into()),
                    format!("the health check of {} checks nothing: none of its members asks for a check", name()),
                )
                .label((pool.name_site, "its members count as alive for ever".into()));
                for &member in pool.members.iter().take(8) {
                    let member = &topology.endpoints[member];
                    finding = finding.label((member.site, "no check is asked for".into()));
                }
                let members = pool.members.iter().map(|&member| topology.endpoints[member].site);
                let fix = append("check these servers", members, "check");
                out.push(finding.why_of_dialect().help("write `check` on these lines").fix(fix));
            }
            if let (Some(&rule), false) = (pool.ignored_check_rules.first(), pool.members.is_empty()) {
                let finding = Finding::new(
                    self.id(),
                    dialect,
                    (rule, "ignored".into()),
                    format!("a check rule of {} is ignored, because this kind of check is not asked for", name()),
                )
                .label((pool.name_site, "only asked whether the port answers, if at all".into()))
                .why_of_dialect()
                .help("write the option that the rule belongs to (`option httpchk` for http-check rules)");
                out.push(finding);
            }
        }
    }
}

/// Pools for which a check is written that acts on nobody, with the statement. One that several pools share, from
/// shared defaults say, is meant for those that do check: it is inert only if none of them does.
pub fn inert_rules(topology: &Topology) -> HashMap<PoolId, Site> {
    let mut acting = HashSet::new();
    let mut idle = Vec::new();
    for (id, pool) in topology.pools.iter().filter(|(_, pool)| !pool.check_rules.is_empty()) {
        let members = || pool.members.iter().map(|&member| &topology.endpoints[member]);
        if !pool.members.is_empty() && members().all(|member| is_off(&member.check)) {
            idle.push(id);
        } else if !pool.members.is_empty() {
            acting.extend(pool.check_rules.iter().copied());
        }
    }
    idle.into_iter()
        .filter_map(|id| {
            let rule = topology.pools[id].check_rules.iter().find(|rule| !acting.contains(*rule))?;
            Some((id, *rule))
        })
        .collect()
}

fn is_off(check: &ActiveCheck) -> bool {
    check.possible && check.enabled == Known::Yes(false) && !check.follows
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house() -> (House, PoolId) {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        house.member(pool, 17, "10.0.0.1", 80);
        house.member(pool, 18, "10.0.0.2", 80);
        house.t.pools[pool].check_rules = vec![at(15)];
        (house, pool)
    }

    #[test]
    fn rules_that_act_on_nobody() {
        let (mut house, pool) = house();
        let found = house.found(RuleId::GW302);
        assert_eq!(found.len(), 1);
        assert_eq!(lines(&found[0]), [15, 14, 17, 18]);
        let member = house.t.pools[pool].members[1];
        house.t.endpoints[member].check.enabled = Known::Yes(true);
        assert!(house.found(RuleId::GW302).is_empty());
        house.t.endpoints[member].check.enabled = Known::Unknown(Reason::Variable);
        assert!(house.found(RuleId::GW302).is_empty());
        house.t.endpoints[member].check.enabled = Known::Yes(false);
        house.t.endpoints[member].check.follows = true;
        assert!(house.found(RuleId::GW302).is_empty());
    }

    #[test]
    fn a_shared_rule_is_for_those_that_check() {
        let (mut house, _) = house();
        let other = house.pool(24, "other");
        let member = house.member(other, 25, "10.0.0.3", 80);
        house.t.pools[other].check_rules = vec![at(15)];
        assert_eq!(house.found(RuleId::GW302).len(), 1);
        house.t.endpoints[member].check.enabled = Known::Yes(true);
        assert!(house.found(RuleId::GW302).is_empty());
    }

    #[test]
    fn rules_of_a_kind_that_is_not_asked_for() {
        let (mut house, pool) = house();
        house.t.pools[pool].check_rules.clear();
        house.t.pools[pool].ignored_check_rules = vec![at(15)];
        let found = house.found(RuleId::GW302);
        assert_eq!(lines(&found[0]), [15, 14]);
    }
}
