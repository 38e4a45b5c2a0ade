//! GW306: one process down is an outage.

use super::prelude::*;
use std::collections::{HashMap, HashSet};

/// Further pools that are shown.
const SHOWN: usize = 7;

/// GW306.
pub struct SingleEndpoint;

impl Rule for SingleEndpoint {
    fn id(&self) -> RuleId {
        RuleId::GW306
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        let broken = not_starting(topology);
        // One finding for a proxy: the operator of many such pools knows it after the first.
        let mut of_proxy: HashMap<ProxyId, Vec<PoolId>> = HashMap::new();
        for (id, pool) in topology.pools.iter() {
            let proxy = &topology.proxies[pool.proxy];
            if proxy.whole
                && !broken.contains(&pool.proxy)
                && only_member(topology, pool).is_some()
                && !cx.hops_to(id).is_empty()
                && told_here(topology, pool, cx.hops_to(id))
            {
                of_proxy.entry(pool.proxy).or_default().push(id);
            }
        }
        for pools in of_proxy.into_values() {
            if let Some(finding) = report(cx, &pools) {
                out.push(finding);
            }
        }
    }
}

fn report(cx: &Cx<'_>, pools: &[PoolId]) -> Option<Finding> {
    let (&first, others) = pools.split_first()?;
    let pool = &cx.topology.pools[first];
    let member = only_member(cx.topology, pool)?;
    let mut finding = Finding::new(
        RuleId::GW306,
        cx.dialect(pool.proxy),
        (member.site, "the only member".into()),
        format!(
            "when {} is down or starts anew, every request to {} fails: there is no other member",
            address_words(member),
            quote(&pool.name)
        ),
    );
    for other in others.iter().take(SHOWN).map(|&id| &cx.topology.pools[id]) {
        let text = format!("the only member of {}", quote(&other.name));
        finding = finding.label_if(only_member(cx.topology, other).map(|member| (member.site, text)));
    }
    finding = closed_without_status_in(finding, cx, first).why_of_dialect();
    finding = match others.len() {
        0 => finding,
        1 => finding.why("one more pool has a single member"),
        more => finding.why(format!("{more} more pools have a single member")),
    };
    Some(
        finding.help(
            "add a second member, on another machine or at least another port, if an outage here is not acceptable",
        ),
    )
}

/// The member of a pool that has one, where it is known to be one.
fn only_member<'t>(topology: &'t Topology, pool: &Pool) -> Option<&'t Endpoint> {
    let &[member] = &pool.members[..] else { return None };
    let member = &topology.endpoints[member];
    let known = pool.used && !pool.open_ended && pool.disabled.is_none() && !pool.answers_itself;
    // A name may stand for several machines; the proxy's own listener dies with the proxy.
    let machine = matches!(member.address, Known::Yes(Address::Net(Host::Ip(_))));
    (known && machine && !member.backup && member.is_usable() && member.leads_to.is_none()).then_some(member)
}

/// Whether a group of one is worth a word: not on the same machine where the group has another purpose.
fn told_here(topology: &Topology, pool: &Pool, ways: &[HopId]) -> bool {
    let local = only_member(topology, pool)
        .is_some_and(|member| matches!(&member.address, Known::Yes(Address::Net(host)) if host.is_loopback()));
    let kept = ways.iter().any(|&hop| {
        let reuse = &topology.hops[hop].reuse;
        reuse.lost.is_some() || (reuse.kept.is_written() && reuse.kept.known() == Some(&true))
    });
    let probe = ways.iter().all(|&hop| is_probe(topology, &topology.hops[hop]));
    let kept_here = local && kept;
    !probe && !kept_here
}

/// The proxies that do not start: they have other worries.
fn not_starting(topology: &Topology) -> HashSet<ProxyId> {
    let load = &topology.load;
    let refused = |effect| effect == LoadEffect::Refused;
    let mut proxies = HashSet::new();
    proxies.extend(load.undefined.iter().filter(|fact| refused(fact.effect)).map(|fact| fact.proxy));
    proxies.extend(load.duplicates.iter().filter(|fact| refused(fact.effect)).map(|fact| fact.proxy));
    proxies.extend(load.malformed.iter().filter(|fact| refused(fact.effect)).map(|fact| fact.proxy));
    proxies.extend(load.empty_resolvers.iter().filter(|fact| refused(fact.effect)).map(|fact| fact.proxy));
    proxies.extend(load.missing_files.iter().filter(|fact| !fact.pattern).map(|fact| fact.proxy));
    // A fault that fails as written and has no effect of its own is one of starting.
    let fatal = |fault: &&Fault| fault.effect.map_or(fault.weight == FaultWeight::Fails, refused);
    proxies.extend(load.faults.iter().filter(fatal).map(|fault| fault.proxy));
    let dialects: Vec<Dialect> = load.syntax.iter().map(|fact| fact.dialect).collect();
    let refuses = |(id, proxy): (ProxyId, &Proxy)| dialects.contains(&proxy.dialect).then_some(id);
    proxies.extend(topology.proxies.iter().filter_map(refuses));
    proxies
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(address: &str) -> (House, PoolId, HopId) {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        house.member(pool, 15, address, 80);
        let hop = house.hop(14, Target::Pool(pool));
        (house, pool, hop)
    }

    fn said(house: &House) -> Vec<Vec<u32>> {
        house.found(RuleId::GW306).iter().map(lines).collect()
    }

    #[test]
    fn the_only_member_is_told_once_for_all_pools() {
        let (mut house, ..) = house("10.0.0.1");
        assert_eq!(said(&house), [[15]]);
        let other = house.pool(20, "other");
        house.member(other, 21, "10.0.0.2", 80);
        house.hop(20, Target::Pool(other));
        assert_eq!(said(&house), [[15, 21]]);
        house.member(other, 22, "10.0.0.3", 80);
        assert_eq!(said(&house), [[15]]);
    }

    #[test]
    fn what_may_be_several_is_left_alone() {
        assert!(said(&house("app").0).is_empty());
        let (mut open, pool, _) = house("10.0.0.1");
        open.t.pools[pool].open_ended = true;
        assert!(said(&open).is_empty());
        let (mut fragment, ..) = house("10.0.0.1");
        fragment.t.proxies[fragment.proxy].whole = false;
        assert!(said(&fragment).is_empty());
    }

    #[test]
    fn a_group_on_the_same_machine_may_be_there_to_keep_connections() {
        for (address, findings) in [("127.0.0.1", 0), ("10.0.0.1", 1)] {
            let (mut house, _, hop) = house(address);
            assert_eq!(said(&house).len(), 1);
            house.t.hops[hop].reuse.kept = written(true, 16);
            assert_eq!(said(&house).len(), findings);
        }
    }

    #[test]
    fn who_does_not_start_has_other_worries() {
        let (mut house, ..) = house("10.0.0.1");
        let fault = |weight| Fault::new(FaultKind::MissingCompanion, house.proxy, (at(3), ""), "").weight(weight, true);
        let (remark, fails) = (fault(FaultWeight::Remark), fault(FaultWeight::Fails));
        house.t.load.faults.push(remark);
        assert_eq!(said(&house).len(), 1);
        house.t.load.faults.push(fails);
        assert!(said(&house).is_empty());
    }
}
