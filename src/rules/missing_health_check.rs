//! GW301: a dead endpoint keeps its share of the requests.

use super::inert_health_check::inert_rules;
use super::prelude::*;

/// GW301.
pub struct MissingHealthCheck;

impl Rule for MissingHealthCheck {
    fn id(&self) -> RuleId {
        RuleId::GW301
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        let inert = inert_rules(topology);
        for (id, pool) in topology.pools.iter() {
            // Where checks are written and act on nobody, one finding says both.
            if inert.contains_key(&id) {
                continue;
            }
            let usable = || pool.members.iter().map(|&member| &topology.endpoints[member]).filter(|m| m.is_usable());
            if usable().nth(1).is_none() {
                continue;
            }
            let mut unchecked = usable().filter(|member| is_unchecked(member)).peekable();
            let Some(&first) = unchecked.peek() else { continue };
            let all = append("check these servers", usable().filter(|m| is_unchecked(m)).map(|m| m.site), "check");
            let backup = usable().any(|member| member.backup);
            let name = quote(&pool.name);
            let effect = if backup && usable().filter(|member| !member.backup).nth(1).is_none() {
                format!("nobody notices when {} dies: the backup of {name} never takes over", address_words(first))
            } else {
                format!(
                    "nobody notices when {} dies: it keeps its share of the requests to {name}",
                    address_words(first)
                )
            };
            let mut finding = Finding::new(
                self.id(),
                cx.dialect(pool.proxy),
                (first.site, "never asked whether it lives".into()),
                effect,
            )
            .label((pool.name_site, "here a dead member could be left out".into()));
            for member in unchecked.take(8) {
                finding = finding.label((member.site, "never asked whether it lives".into())).label_if(
                    member.check.stray_setting.map(|site| (site, "a setting for a check that is not there".into())),
                );
            }
            let finding = closed_without_status_in(finding, cx, id);
            out.push(finding.why_of_dialect().help("write `check` on these lines").fix(all));
        }
    }
}

/// Whether an endpoint is meant to serve, could be checked, and is not: neither by itself nor through another one,
/// and nobody switched the check off on purpose.
fn is_unchecked(endpoint: &Endpoint) -> bool {
    let check = &endpoint.check;
    !endpoint.backup
        && check.possible
        && check.enabled == Known::Yes(false)
        && check.site.is_none()
        && !check.follows
        // The proxy's own listener dies with the proxy.
        && endpoint.leads_to.is_none()
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(members: u32) -> (House, PoolId) {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        for line in 0..members {
            house.member(pool, 16 + line, "10.0.0.1", 80);
        }
        (house, pool)
    }

    fn member(house: &mut House, pool: PoolId, index: usize) -> &mut Endpoint {
        let member = house.t.pools[pool].members[index];
        &mut house.t.endpoints[member]
    }

    #[test]
    fn unchecked_members_are_named() {
        let (mut house, pool) = house(2);
        let found = house.found(RuleId::GW301);
        assert_eq!(lines(&found[0]), [16, 14, 17]);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Warning, Confidence::Certain));
        member(&mut house, pool, 0).check.enabled = Known::Yes(true);
        assert_eq!(lines(&house.found(RuleId::GW301)[0]), [17, 14]);
        member(&mut house, pool, 1).check.follows = true;
        assert!(house.found(RuleId::GW301).is_empty());
    }

    #[test]
    fn one_member_and_members_out_of_service_are_silent() {
        assert!(house(1).0.found(RuleId::GW301).is_empty());
        let (mut house, pool) = house(2);
        member(&mut house, pool, 1).down = Some(at(17));
        assert!(house.found(RuleId::GW301).is_empty());
    }

    #[test]
    fn a_backup_needs_a_check_of_the_active_one() {
        let (mut house, pool) = house(2);
        member(&mut house, pool, 1).backup = true;
        assert!(house.found(RuleId::GW301)[0].message.contains("never takes over"));
        member(&mut house, pool, 0).check.enabled = Known::Yes(true);
        assert!(house.found(RuleId::GW301).is_empty());
    }

    #[test]
    fn unknown_and_purpose_are_silent() {
        let (mut house, pool) = house(2);
        member(&mut house, pool, 0).check.enabled = Known::Unknown(Reason::OutsideRepository);
        let off = &mut member(&mut house, pool, 1).check;
        off.site = Some(at(17));
        assert!(house.found(RuleId::GW301).is_empty());
    }

    #[test]
    fn inert_checks_are_another_rules() {
        let (mut house, pool) = house(2);
        house.t.pools[pool].check_rules = vec![at(15)];
        assert!(house.found(RuleId::GW301).is_empty());
    }
}
