//! GW311: it takes long until a check notices that an endpoint has died.

use super::prelude::*;
use std::time::Duration;

/// GW311.
pub struct SlowDetection;

impl Rule for SlowDetection {
    fn id(&self) -> RuleId {
        RuleId::GW311
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        look_at_hops(cx, out, |cx, id, hop| {
            // Requests that meet the dead one are tried elsewhere, or that is not known.
            if hop.retry.elsewhere.known() != Some(&false) || serving(cx.topology, id).nth(1).is_none() {
                return None;
            }
            let (member, pace, time) = serving(cx.topology, id)
                .filter_map(|member| {
                    let pace = member.check.pace.as_deref()?;
                    Some((member, pace, noticed_after(member, pace)?))
                })
                .find(|(member, _, time)| *time > cx.duration(RuleId::GW311, "max", member.site))?;
            Some(report(cx, hop, member, pace, time))
        });
    }
}

/// The longest time from an endpoint's death to the check that takes it out.
fn noticed_after(member: &Endpoint, pace: &CheckPace) -> Option<Duration> {
    // Failures of requests take it out sooner.
    if member.check.enabled != Known::Yes(true) || member.check.follows || member.passive.is_some() {
        return None;
    }
    let interval = pace.interval.known()?.duration()?;
    let after = match &pace.after_failure {
        Some(after) => after.known()?.duration()?,
        None => interval,
    };
    let further = pace.failures.known()?.saturating_sub(1);
    Some(interval.saturating_add(after.saturating_mul(further)))
}

fn report(cx: &Cx<'_>, hop: &Hop, member: &Endpoint, pace: &CheckPace, time: Duration) -> Finding {
    let (at, text) = if pace.interval.is_written() {
        pace.interval.label(member.site, "time from one check to the next")
    } else {
        pace.failures.label(member.site, "as many checks must fail in a row")
    };
    let fails = pace.failures.known().copied().unwrap_or_default();
    let apart = pace.interval.known().and_then(|wait| wait.duration()).unwrap_or_default();
    let checks = match (fails, &pace.after_failure) {
        (0 | 1, _) => format!("checks are {} apart", humanise(apart)),
        (_, None) => format!("{fails} checks must fail, {} apart", humanise(apart)),
        (_, Some(_)) => format!("{fails} checks must fail, the first after up to {}", humanise(apart)),
    };
    let finding = Finding::new(
        RuleId::GW311,
        cx.dialect(hop.proxy),
        (at, text),
        format!("a dead server gets requests for up to {}: {checks}", humanise(time)),
    )
    .label_if(
        pace.failures.site().filter(|_| pace.failures.is_written()).map(|site| (site, "checks that must fail".into())),
    )
    .label((member.site, "gets requests when it is dead".into()));
    closed_without_status(finding, hop).why_of_dialect().help(match pace.interval.is_written() {
        true => format!("write a shorter time for `{}`", pace.interval.spelling),
        false => format!("write a smaller number for `{}`", pace.failures.spelling),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn pace(interval: u64, failures: u32) -> CheckPace {
        CheckPace { interval: written(ms(interval), 16), after_failure: None, failures: built_in(failures) }
    }

    fn house(make: impl Fn() -> CheckPace) -> (House, HopId) {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        for line in [16, 17] {
            let member = house.member(pool, line, "10.0.0.1", 80);
            let check = &mut house.t.endpoints[member].check;
            check.enabled = Known::Yes(true);
            check.pace = Some(Box::new(make()));
        }
        let hop = house.hop(14, Target::Pool(pool));
        house.t.hops[hop].retry.elsewhere = built_in(false);
        (house, hop)
    }

    fn said(make: impl Fn() -> CheckPace) -> Vec<String> {
        house(make).0.found(RuleId::GW311).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn interval_times_failures() {
        assert_eq!(
            said(|| pace(20_000, 3)),
            ["a dead server gets requests for up to 60 s: 3 checks must fail, 20 s apart"]
        );
        assert!(said(|| pace(10_000, 3)).is_empty());
        assert!(said(|| pace(30_000, 1)).is_empty());
        assert_eq!(said(|| pace(31_000, 1)), ["a dead server gets requests for up to 31 s: checks are 31 s apart"]);
    }

    #[test]
    fn failures_may_be_looked_at_sooner() {
        let quick = |interval| CheckPace { after_failure: Some(written(ms(1000), 16)), ..pace(interval, 3) };
        assert!(said(|| quick(20_000)).is_empty());
        assert_eq!(said(|| quick(60_000)).len(), 1);
        let unknown = || CheckPace { interval: Setting::unknown(Reason::Variable, at(16), "inter"), ..pace(60_000, 3) };
        assert!(said(unknown).is_empty());
    }

    #[test]
    fn who_else_notices() {
        let (mut house, hop) = house(|| pace(60_000, 3));
        assert_eq!(house.found(RuleId::GW311).len(), 1);
        house.t.hops[hop].retry.elsewhere = written(true, 15);
        assert!(house.found(RuleId::GW311).is_empty());
        house.t.hops[hop].retry.elsewhere = built_in(false);
        for member in house.t.endpoints.ids() {
            house.t.endpoints[member].passive = Some(passive(10, built_in(ms(1))));
        }
        assert!(house.found(RuleId::GW311).is_empty());
    }
}
