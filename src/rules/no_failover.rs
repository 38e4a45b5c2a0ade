//! GW305: a failed try is not repeated at another endpoint.

use super::prelude::*;
use std::collections::HashSet;

/// GW305.
pub struct NoFailover;

impl Rule for NoFailover {
    fn id(&self) -> RuleId {
        RuleId::GW305
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        // A value may hold for many routes: it is one mistake.
        let mut told = HashSet::new();
        for (id, hop) in cx.topology.hops.iter() {
            if let Some(finding) = look(cx, id, hop)
                && told.insert(finding.primary().site)
            {
                out.push(closed_without_status(finding, hop));
            }
        }
    }
}

fn look(cx: &Cx<'_>, id: HopId, hop: &Hop) -> Option<Finding> {
    let several = serving(cx.topology, id).nth(1).is_some();
    let retry = &hop.retry;
    if several {
        if retry.on.is_written() && retry.on.known() == Some(&RetryOn::default()) {
            return Some(not_repeated(
                cx,
                hop,
                &retry.on,
                "no failure is tried again",
                "no failed request is repeated",
            ));
        }
        if retry.tries.is_written() && retry.tries.known() == Some(&Some(0)) {
            return Some(not_repeated(cx, hop, &retry.tries, "one try, and no more", "there is no second try"));
        }
        if retry.elsewhere.known() == Some(&false)
            && let Some(finding) = same_again(cx, id, hop)
        {
            return Some(finding);
        }
    }
    let streamed = retry.body_kept.is_written() && retry.body_kept.known() == Some(&false);
    if streamed && (several || hop.reuse.kept.known() == Some(&true)) {
        return streamed_body(cx, hop, several);
    }
    None
}

fn pool_label(cx: &Cx<'_>, hop: &Hop) -> Option<(Site, String)> {
    match hop.target {
        Target::Pool(pool) => Some((cx.topology.pools[pool].name_site, "others could have answered".into())),
        _ => None,
    }
}

/// Nothing is tried a second time.
fn not_repeated<T>(cx: &Cx<'_>, hop: &Hop, setting: &Setting<T>, text: &str, what: &str) -> Finding {
    Finding::new(
        RuleId::GW305,
        cx.dialect(hop.proxy),
        setting.label(hop.site, text),
        format!("{what}: one dead member is an error for the client although others are alive"),
    )
    .label_if(pool_label(cx, hop))
    .why_of_dialect()
    .help(format!("leave `{}` out, or let it allow a second try", setting.spelling))
}

/// All tries go to one endpoint, and nothing takes a dead one out soon enough.
fn same_again(cx: &Cx<'_>, id: HopId, hop: &Hop) -> Option<Finding> {
    let Target::Pool(pool) = hop.target else { return None };
    let pool = &cx.topology.pools[pool];
    let unchecked =
        serving(cx.topology, id).find(|member| member.check.enabled == Known::Yes(false) && !member.check.follows);
    let tied = pool
        .persists_when_down
        .map(|site| (site, "clients stay with their member even when it is down"))
        .or(pool.sticky.map(|site| (site, "clients are tied to one member")));
    let hashed = pool.balance == Known::Yes(Balance::Hash);
    if unchecked.is_none() && tied.is_none() && !hashed {
        return None;
    }
    let setting = &hop.retry.elsewhere;
    let mut finding = Finding::new(
        RuleId::GW305,
        cx.dialect(hop.proxy),
        setting.label(hop.site, "all tries go to the same member"),
        format!("a request of {} that meets a dead member is tried again there only, and fails", quote(&pool.name)),
    )
    .confidence(Confidence::Likely)
    .label_if(tied.map(|(site, text)| (site, text.into())));
    if let Some(member) = unchecked {
        finding = finding.label((member.site, "stays in use when it is dead: it is not checked".into()));
    } else if let Some(member) = serving(cx.topology, id).next() {
        finding = finding.label((member.site, "when this one is dead, its clients get errors".into()));
    }
    Some(finding.why_of_dialect().help(format!("write `{}`", setting.spelling)))
}

/// A body that was sent once cannot be sent again.
fn streamed_body(cx: &Cx<'_>, hop: &Hop, several: bool) -> Option<Finding> {
    let setting = &hop.retry.body_kept;
    let why = if several {
        "when a member fails after that, no other one can be asked"
    } else {
        "when a kept connection turns out to be closed, the request cannot be repeated on a fresh one"
    };
    Some(
        Finding::new(
            RuleId::GW305,
            cx.dialect(hop.proxy),
            (setting.site()?, "the body is sent while it arrives".into()),
            "a request with a body cannot be repeated, whatever its method, once it is on its way".to_owned(),
        )
        .severity(Severity::Note)
        .confidence(Confidence::Possible)
        .label_if((hop.target_site != hop.site).then(|| (hop.target_site, "to this target".into())))
        .why(why)
        .assumed("requests with a body come this way")
        .help("stream bodies only where they are large, in a location of its own for uploads"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(mut house: House, members: u32) -> (House, PoolId, HopId) {
        let pool = house.pool(4, "app");
        for line in 0..members {
            house.member(pool, 5 + line, "10.0.0.1", 80);
        }
        let hop = house.hop(11, Target::Pool(pool));
        (house, pool, hop)
    }

    fn said(house: &House) -> Vec<(Severity, Confidence)> {
        house.found(RuleId::GW305).iter().map(|f| (f.severity, f.confidence)).collect()
    }

    #[test]
    fn retries_switched_off() {
        let (mut two, _, hop) = house(House::nginx(), 2);
        assert!(said(&two).is_empty());
        two.t.hops[hop].retry.on = written(RetryOn::default(), 12);
        assert_eq!(lines(&two.found(RuleId::GW305)[0]), [12, 4]);
        assert_eq!(said(&two), [(Severity::Warning, Confidence::Certain)]);
        two.t.hops[hop].retry.on = built_in(RetryOn { connect: true, ..RetryOn::default() });
        two.t.hops[hop].retry.tries = written(Some(0), 12);
        assert_eq!(said(&two), [(Severity::Warning, Confidence::Certain)]);

        let (mut one, _, hop) = house(House::nginx(), 1);
        one.t.hops[hop].retry.on = written(RetryOn::default(), 12);
        assert!(said(&one).is_empty());
    }

    #[test]
    fn all_tries_at_the_same_member() {
        let (mut house, pool, hop) = house(House::haproxy(), 2);
        house.t.hops[hop].retry.elsewhere = built_in(false);
        assert_eq!(said(&house), [(Severity::Warning, Confidence::Likely)]);
        for member in house.t.pools[pool].members.clone() {
            house.t.endpoints[member].check.enabled = Known::Yes(true);
        }
        assert!(said(&house).is_empty(), "any other member takes the next request");
        house.t.pools[pool].sticky = Some(at(15));
        assert_eq!(lines(&house.found(RuleId::GW305)[0]), [11, 15, 5]);
        house.t.hops[hop].retry.elsewhere = Setting::unknown(Reason::OutsideRepository, at(11), "option redispatch");
        assert!(said(&house).is_empty());
    }

    #[test]
    fn a_streamed_body_is_a_note() {
        let (mut one, _, hop) = house(House::nginx(), 1);
        one.t.hops[hop].retry.body_kept = written(false, 14);
        assert!(said(&one).is_empty());
        one.t.hops[hop].reuse.kept = written(true, 6);
        assert_eq!(said(&one), [(Severity::Note, Confidence::Possible)]);
        assert_eq!(lines(&one.found(RuleId::GW305)[0])[0], 14);
    }
}
