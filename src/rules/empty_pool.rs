//! GW115: no endpoint is left that could take a request.

use super::prelude::*;
use std::collections::HashSet;

/// GW115.
pub struct EmptyPool;

impl Rule for EmptyPool {
    fn id(&self) -> RuleId {
        RuleId::GW115
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        let sending: HashSet<ProxyId> = topology.hops.iter().map(|(_, hop)| hop.proxy).collect();
        for (id, pool) in topology.pools.iter() {
            let Some(finding) = look(cx, pool, sending.contains(&pool.proxy)) else { continue };
            let mut finding = finding;
            // A refused file has its own outcome.
            if finding.outcome != Outcome::DoesNotStart {
                finding = closed_without_status_in(finding, cx, id);
            }
            for &hop in cx.hops_to(id).iter().take(3) {
                finding = finding
                    .label_if(way_to_pool(topology, id, hop).map(|site| (site, "requests come from here".into())));
            }
            out.push(finding);
        }
    }
}

fn look(cx: &Cx<'_>, pool: &Pool, sending: bool) -> Option<Finding> {
    let topology = cx.topology;
    let dialect = cx.dialect(pool.proxy);
    let name = || quote(&pool.name);
    let members = || pool.members.iter().map(|&member| &topology.endpoints[member]);
    let new = |at, message| Finding::new(RuleId::GW115, dialect, at, message);
    if let Some(site) = pool.disabled {
        return pool.used.then(|| {
            new((site, "switched off here".into()), format!("{} is switched off, and requests are sent to it", name()))
                .label((pool.name_site, "nobody answers for it".into()))
                .why_of_dialect()
                .help("remove the line, or send the requests elsewhere")
        });
    }
    if pool.open_ended {
        return None;
    }
    if pool.members.is_empty() {
        let at = (pool.name_site, "no member stands in it".into());
        return if pool.refuses_empty {
            let message = format!("{} has no member, so {} does not start", name(), dialect.name());
            Some(new(at, message).outcome(Outcome::DoesNotStart).log("no servers are inside upstream"))
        } else {
            // A part of a configuration may get its members from a script that puts the parts together; one that sends
            // nothing to anybody is but a part, whatever its name.
            let whole = topology.proxies[pool.proxy].whole;
            let finding = (pool.used && !pool.answers_itself && sending)
                .then(|| new(at, format!("{} has no member to take its requests", name())));
            finding.map(|f| if whole { f } else { f.severity(Severity::Note).confidence(Confidence::Possible) })
        }
        .map(|finding| finding.why_of_dialect().help("add a member"));
    }
    if !pool.backup_alone_works && members().all(|member| member.backup) {
        let mut finding = new(
            (pool.name_site, "only backups stand in it".into()),
            format!("{} has backup members only, so {} does not start", name(), dialect.name()),
        )
        .outcome(Outcome::DoesNotStart)
        .log("no servers in upstream");
        for member in members().take(4) {
            finding = finding.label((member.site, "a backup".into()));
        }
        return Some(finding.why_of_dialect().help("take `backup` off one of them"));
    }
    if !pool.used || pool.answers_itself || members().any(Endpoint::is_usable) {
        return None;
    }
    let mut finding = new(
        (pool.name_site, "no member takes requests".into()),
        format!("every member of {} is taken out of service, so nobody answers its requests", name()),
    );
    for member in members().take(8) {
        finding = match member.down {
            Some(site) => finding.label((member.site, "taken out".into())).label((site, "taken out here".into())),
            None => finding.label((member.site, "its weight is 0: it gets no requests".into())),
        };
    }
    Some(finding.why_of_dialect().help("put at least one member back into service"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(mut house: House, members: u32) -> (House, PoolId) {
        let pool = house.pool(4, "app");
        for i in 0..members {
            house.member(pool, 5 + i, "127.0.0.1", 80);
        }
        house.hop(11, Target::Pool(pool));
        (house, pool)
    }

    #[test]
    fn all_down_is_502() {
        let (mut house, pool) = house(House::nginx(), 2);
        for line in [0, 1] {
            let member = house.t.pools[pool].members[line];
            assert!(house.found(RuleId::GW115).is_empty());
            house.t.endpoints[member].down = Some(at(5 + line as u32));
        }
        let found = house.found(RuleId::GW115);
        assert_eq!(lines(&found[0]), [4, 5, 6, 11]);
        assert_eq!(found[0].outcome, Outcome::Status(502));
        house.t.pools[pool].used = false;
        assert!(house.found(RuleId::GW115).is_empty());
    }

    #[test]
    fn weight_zero_counts_and_unknown_weight_does_not() {
        let (mut house, pool) = house(House::haproxy(), 1);
        let member = house.t.pools[pool].members[0];
        house.t.endpoints[member].weight = written(0, 5);
        assert_eq!(house.found(RuleId::GW115)[0].outcome, Outcome::Status(503));
        house.t.endpoints[member].weight = Setting::unknown(Reason::Variable, at(5), "weight");
        assert!(house.found(RuleId::GW115).is_empty());
    }

    #[test]
    fn no_member_at_all() {
        let (mut nginx, pool) = house(House::nginx(), 0);
        nginx.t.pools[pool].used = false;
        assert_eq!(nginx.found(RuleId::GW115)[0].outcome, Outcome::DoesNotStart);
        nginx.t.pools[pool].open_ended = true;
        assert!(nginx.found(RuleId::GW115).is_empty());

        let (mut haproxy, pool) = house(House::haproxy(), 0);
        let found = haproxy.found(RuleId::GW115);
        assert_eq!((found[0].outcome, found[0].severity), (Outcome::Status(503), Severity::Error));
        let proxy = haproxy.t.pools[pool].proxy;
        haproxy.t.proxies[proxy].whole = false;
        assert_eq!(haproxy.found(RuleId::GW115)[0].severity, Severity::Note);
        let hops = std::mem::take(&mut haproxy.t.hops);
        assert!(haproxy.found(RuleId::GW115).is_empty());
        haproxy.t.hops = hops;
        haproxy.t.pools[pool].answers_itself = true;
        assert!(haproxy.found(RuleId::GW115).is_empty());
        haproxy.t.pools[pool].answers_itself = false;
        haproxy.t.pools[pool].used = false;
        assert!(haproxy.found(RuleId::GW115).is_empty());
    }

    #[test]
    fn backups_alone_stop_one_proxy_and_serve_in_the_other() {
        for (start, outcomes) in [(House::nginx(), vec![Outcome::DoesNotStart]), (House::haproxy(), vec![])] {
            let (mut house, pool) = house(start, 1);
            let member = house.t.pools[pool].members[0];
            house.t.endpoints[member].backup = true;
            assert_eq!(house.found(RuleId::GW115).iter().map(|f| f.outcome).collect::<Vec<_>>(), outcomes);
        }
    }

    #[test]
    fn a_pool_that_is_switched_off() {
        let (mut house, pool) = house(House::haproxy(), 1);
        house.t.pools[pool].disabled = Some(at(15));
        assert_eq!(lines(&house.found(RuleId::GW115)[0])[..2], [15, 4]);
    }

    #[test]
    fn without_a_status_the_connection_is_closed() {
        let (mut haproxy, pool) = house(House::haproxy(), 0);
        let hop = haproxy.hop(20, Target::Pool(pool));
        let first = haproxy.t.hops.iter().next().unwrap().0;
        haproxy.t.pools[pool].used = true;
        haproxy.t.hops[first].protocol = Protocol::Tcp;
        assert_eq!(haproxy.found(RuleId::GW115)[0].outcome, Outcome::Status(503));
        haproxy.t.hops[hop].protocol = Protocol::Tcp;
        assert_eq!(haproxy.found(RuleId::GW115)[0].outcome, Outcome::ConnectionClosed);
    }
}
