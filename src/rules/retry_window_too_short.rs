//! GW209: no time is left to try a second endpoint.

use super::prelude::*;

/// GW209.
pub struct RetryWindowTooShort;

impl Rule for RetryWindowTooShort {
    fn id(&self) -> RuleId {
        RuleId::GW209
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        look_at_hops(cx, out, look);
    }
}

fn look(cx: &Cx<'_>, id: HopId, hop: &Hop) -> Option<Finding> {
    let retry = &hop.retry;
    let Wait::For(window) = *retry.window.known()? else { return None };
    // Without a second try there is nothing to lose: another rule's matter.
    let repeats = retry.on.known()?.timeout && retry.tries.known() != Some(&Some(0));
    if !retry.window.is_written() || window.is_zero() || !repeats {
        return None;
    }
    cx.topology.members(id).iter().filter(|&&member| cx.topology.endpoints[member].is_usable()).nth(1)?;
    let too_long = |setting: &Setting<Wait>| match setting.known() {
        Some(&Wait::For(time)) if time >= window => Some(time),
        _ => None,
    };
    // Who wrote one of the two has chosen which failures are worth a second try.
    let candidates = [(&hop.timeouts.read, "an answer"), (&hop.timeouts.connect, "a connection")];
    let chosen = candidates.iter().any(|(setting, _)| setting.is_written());
    let (setting, time, what) = candidates
        .iter()
        .filter(|(setting, _)| setting.is_written() || !chosen)
        .find_map(|(setting, what)| Some((*setting, too_long(setting)?, *what)))?;
    let finding = Finding::new(
        RuleId::GW209,
        cx.dialect(hop.proxy),
        retry.window.label(hop.site, format!("further tries may begin within {}", humanise(window))),
        format!(
            "a try that times out waits {} for {what}, and {} after the first try no other member is asked",
            humanise(time),
            humanise(window)
        ),
    )
    .label(setting.label(hop.site, format!("one try takes up to {}", humanise(time))))
    .label((hop.target_site, "others could have answered".into()))
    .why_of_dialect()
    .help(format!("make `{}` longer than `{}`, with room for a second try", retry.window.spelling, setting.spelling));
    Some(if chosen { finding } else { finding.severity(Severity::Note) })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(window: u64) -> (House, HopId) {
        let mut house = House::nginx();
        let pool = house.pool(4, "app");
        house.member(pool, 5, "10.0.0.1", 80);
        house.member(pool, 6, "10.0.0.2", 80);
        let hop = house.hop(14, Target::Pool(pool));
        house.t.hops[hop].retry.window = written(ms(window), 13).into();
        (house, hop)
    }

    fn said(house: &House) -> Vec<(Severity, Vec<u32>)> {
        house.found(RuleId::GW209).iter().map(|f| (f.severity, lines(f))).collect()
    }

    #[test]
    fn a_try_that_takes_all_the_time() {
        let (mut house, hop) = house(1000);
        assert_eq!(said(&house), [(Severity::Note, vec![13, 14])]);
        house.t.hops[hop].timeouts.read = written(ms(2000), 12);
        assert_eq!(said(&house), [(Severity::Warning, vec![13, 12, 14])]);
        house.t.hops[hop].retry.tries = written(Some(0), 11);
        assert!(said(&house).is_empty());
    }

    #[test]
    fn time_enough_or_no_limit() {
        let (mut house, hop) = house(61_000);
        assert!(said(&house).is_empty());
        house.t.hops[hop].retry.window = written(ms(10_000), 13).into();
        house.t.hops[hop].timeouts.connect = written(ms(2000), 12).into();
        assert!(said(&house).is_empty());
        house.t.hops[hop].retry.window = written(Wait::Forever, 13).into();
        assert!(said(&house).is_empty());
    }
}
