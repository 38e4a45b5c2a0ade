//! GW304: failures are never counted.

use super::prelude::*;

/// GW304.
pub struct PassiveCheckOff;

impl Rule for PassiveCheckOff {
    fn id(&self) -> RuleId {
        RuleId::GW304
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        look_at_hops(cx, out, look);
    }
}

fn look(cx: &Cx<'_>, id: HopId, hop: &Hop) -> Option<Finding> {
    let Target::Pool(pool) = hop.target else { return None };
    let retry = &hop.retry;
    // Where failures are tried again elsewhere, a dead member costs time and no request.
    let off = retry.on.is_written() && retry.on.known() == Some(&RetryOn::default());
    let once = retry.tries.is_written() && retry.tries.known() == Some(&Some(0));
    let (at, text) = if off {
        retry.on.label(hop.site, "and no failure is tried again")
    } else if once {
        retry.tries.label(hop.site, "and there is no second try")
    } else {
        return None;
    };
    serving(cx.topology, id).nth(1)?;
    let member = serving(cx.topology, id).find(|member| {
        let uncounted = member.passive.as_ref().is_some_and(|p| p.max_fails.known() == Some(&0));
        uncounted && member.check.enabled == Known::Yes(false) && !member.check.follows
    })?;
    let site = member.passive.as_ref().and_then(|passive| passive.max_fails.site()).unwrap_or(member.site);
    let pool = &cx.topology.pools[pool];
    Some(
        Finding::new(
            RuleId::GW304,
            cx.dialect(hop.proxy),
            (site, "failures are not counted".into()),
            format!(
                "a dead member of {} is never taken out, and keeps failing its share of the requests",
                quote(&pool.name)
            ),
        )
        .label((at, text))
        .label((pool.name_site, "others could have answered".into()))
        .why_of_dialect()
        .help("leave `max_fails=0` out, or allow a second try elsewhere"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(max_fails: u32) -> (House, HopId) {
        let mut house = House::nginx();
        let pool = house.pool(4, "app");
        for line in [5, 6] {
            let member = house.member(pool, line, "10.0.0.1", 80);
            let mut check = passive(1, built_in(ms(10_000)));
            check.max_fails = written(max_fails, line);
            house.t.endpoints[member].passive = Some(check);
        }
        let hop = house.hop(14, Target::Pool(pool));
        house.t.hops[hop].retry.on = written(RetryOn::default(), 13);
        (house, hop)
    }

    #[test]
    fn uncounted_and_not_repeated() {
        let (mut house, hop) = house(0);
        assert_eq!(lines(&house.found(RuleId::GW304)[0]), [5, 13, 4]);
        house.t.hops[hop].retry.on = built_in(RetryOn { connect: true, ..RetryOn::default() });
        assert!(house.found(RuleId::GW304).is_empty());
        house.t.hops[hop].retry.tries = written(Some(0), 12);
        assert_eq!(lines(&house.found(RuleId::GW304)[0]), [5, 12, 4]);
    }

    #[test]
    fn counted_failures_take_a_member_out() {
        assert!(house(1).0.found(RuleId::GW304).is_empty());
    }
}
