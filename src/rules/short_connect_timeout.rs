//! GW202: too little time to connect, or more than the system allows.

use super::prelude::*;
use std::collections::HashSet;
use std::time::Duration;

/// GW202.
pub struct ShortConnectTimeout;

/// Below this not even a neighbouring machine is sure to accept.
const HARDLY_ANY: Duration = Duration::from_millis(100);
/// Where systems give up by themselves, in the words of nginx's manual: "usually not exceed 75 seconds".
const LONGEST: Duration = Duration::from_secs(75);
/// From here on several tries take longer than most clients and outer proxies wait.
const LONG: Duration = Duration::from_secs(10);

impl Rule for ShortConnectTimeout {
    fn id(&self) -> RuleId {
        RuleId::GW202
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let bare = tiny_bare_numbers(cx.topology);
        let mut told = HashSet::new();
        for (_, hop) in cx.topology.hops.iter() {
            let connect = &hop.timeouts.connect;
            let (Some(&Wait::For(wait)), Some(site), true) = (connect.known(), connect.site(), connect.is_written())
            else {
                continue;
            };
            let min = cx.duration(self.id(), "min", site);
            // Who asks whether a backend lives wants to know at once.
            let meant = || hop.unheard || !wait.is_zero() && is_probe(cx.topology, hop);
            if let Some(finding) = look(cx, hop, wait, site, min)
                && !bare.contains(&site)
                && !meant()
                && told.insert(site)
            {
                out.push(finding);
            }
        }
    }
}

fn look(cx: &Cx<'_>, hop: &Hop, wait: Duration, site: Site, min: Duration) -> Option<Finding> {
    let connect = &hop.timeouts.connect;
    let dialect = cx.dialect(hop.proxy);
    // Known to be repeated at once, whatever the number of endpoints.
    let repeats = hop.retry.tries.known().copied().flatten().unwrap_or(0);
    let new = |text: String, message: String| Finding::new(RuleId::GW202, dialect, (site, text), message);
    let finding = if wait.is_zero() {
        new(
            "expires at once".into(),
            format!("`{} 0` does not mean without limit: every connection attempt fails at once", connect.spelling),
        )
        .confidence(Confidence::Certain)
        .help("write the time that a connection may take, `3s` say")
    } else if wait < min {
        let weak = wait >= HARDLY_ANY && repeats > 0;
        new(
            format!("{} to connect", humanise(wait)),
            format!("{} gives a connection {} only, less than one lost packet costs", dialect.name(), humanise(wait)),
        )
        .severity(if weak { Severity::Note } else { Severity::Warning })
        .confidence(if weak { Confidence::Possible } else { Confidence::Likely })
        .why("a lost packet is sent again after 1 s; a busy backend accepts a moment later")
        .help(format!("give `{}` at least 1 s; 3 s outlast one lost packet", connect.spelling))
    } else if wait > LONGEST {
        new(
            format!("{} to connect", humanise(wait)),
            format!("a dead backend is waited for longer than the system itself does: {}", humanise(wait)),
        )
        .severity(Severity::Note)
        .why("systems give up after 75 s at most in ordinary setups, and so do most clients")
        .help("a few seconds are enough: who does not accept within 10 s is not there")
    } else if wait > LONG && repeats >= 3 {
        let whole = wait.saturating_mul(repeats.saturating_add(1));
        new(
            format!("{} to connect, {} times", humanise(wait), repeats.saturating_add(1)),
            format!("an unreachable backend is an error after {} only", humanise(whole)),
        )
        .severity(Severity::Note)
        .why("most clients and outer proxies have given up before that, with an error of their own")
        .help("a few seconds are enough: who does not accept within 10 s is not there")
    } else {
        return None;
    };
    let finding = closed_without_status(finding, hop);
    Some(if matches!(connect.origin, Origin::Inherited { .. }) {
        finding.label((hop.target_site, "holds for requests passed on here".into()))
    } else {
        finding
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(connect: Setting<Wait>, tries: Option<u32>) -> Vec<Severity> {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        for line in [14, 24] {
            let hop = house.hop(line, Target::Pool(pool));
            house.t.hops[hop].timeouts.connect = connect.clone().into();
            house.t.hops[hop].retry.tries = built_in(tries);
        }
        let found = house.found(RuleId::GW202);
        assert!(found.len() <= 1, "one value is one finding");
        assert!(found.iter().all(|finding| lines(finding) == [7]));
        found.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn too_short() {
        assert_eq!(said(written(ms(0), 7), None), [Severity::Error]);
        assert_eq!(said(written(ms(50), 7), Some(3)), [Severity::Warning]);
        assert_eq!(said(written(ms(500), 7), None), [Severity::Warning]);
        assert_eq!(said(written(ms(500), 7), Some(3)), [Severity::Note]);
    }

    #[test]
    fn too_long() {
        assert_eq!(said(written(ms(90_000), 7), None), [Severity::Note]);
        assert_eq!(said(written(ms(20_000), 7), Some(3)), [Severity::Note]);
        assert!(said(written(ms(20_000), 7), None).is_empty());
    }

    #[test]
    fn ordinary_built_in_and_unknown_values_are_silent() {
        assert!(said(written(ms(1000), 7), None).is_empty());
        assert!(said(written(ms(10_000), 7), Some(3)).is_empty());
        assert!(said(built_in(ms(10)), None).is_empty());
        assert!(said(written(Wait::Forever, 7), None).is_empty());
        assert!(said(Setting::unknown(Reason::Variable, at(7), "setting"), None).is_empty());
    }
}
