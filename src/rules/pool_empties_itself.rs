//! GW307: a few ordinary failures take every endpoint out.

use super::prelude::*;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// GW307.
pub struct PoolEmptiesItself;

/// A member that is out so long after one failure is worth a note.
const LONG: Duration = Duration::from_secs(30);
/// And so long, a warning.
const VERY_LONG: Duration = Duration::from_secs(60);
/// So many error answers in a row are an ordinary afternoon.
const FEW: u32 = 5;
/// And so many are rare.
const MANY: u32 = 10;

impl Rule for PoolEmptiesItself {
    fn id(&self) -> RuleId {
        RuleId::GW307
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        // A backup is there when the others are out. Asked once: many hops may lead to one pool of many members.
        let mut spares = HashMap::new();
        let has_spare = |id| {
            let members = &cx.topology.pools[id].members;
            members.iter().any(|&member| cx.topology.endpoints[member].backup)
        };
        for (id, hop) in cx.topology.hops.iter() {
            if let Target::Pool(pool) = hop.target
                && !told.contains(&pool)
                && !*spares.entry(pool).or_insert_with(|| has_spare(pool))
                && let Some(finding) = look(cx, id, hop, &cx.topology.pools[pool])
                    .or_else(|| watched(cx, id, hop, &cx.topology.pools[pool]))
            {
                told.insert(pool);
                out.push(finding);
            }
        }
    }
}

/// A few error answers take every member out, for all clients, until its check passes again.
fn watched(cx: &Cx<'_>, id: HopId, hop: &Hop, pool: &Pool) -> Option<Finding> {
    let topology = cx.topology;
    let mut most: Option<(u32, &PassiveCheck)> = None;
    for member in serving(topology, id) {
        let passive = member.passive.as_ref().filter(|passive| passive.counts_answers)?;
        let &fails = passive.max_fails.known()?;
        if most.is_none_or(|(so_far, _)| fails > so_far) {
            most = Some((fails, passive));
        }
    }
    let (fails, passive) = most.filter(|(fails, _)| *fails <= MANY && !pool.open_ended)?;
    let reaction = passive.fail_timeout.site()?;
    let answers =
        if fails <= 1 { "one error answer takes".into() } else { format!("{fails} error answers in a row take") };
    let all = if serving(topology, id).nth(1).is_some() { "each server" } else { "the only server" };
    let mut finding = Finding::new(
        RuleId::GW307,
        cx.dialect(hop.proxy),
        (reaction, "taken out at once, for everybody".into()),
        format!(
            "{answers} {all} of {} out, so a single failing page ends in 503 for the whole site",
            quote(&pool.name)
        ),
    );
    if let Some(site) = passive.max_fails.site().filter(|site| *site != reaction) {
        finding = finding.label((site, "errors that are counted".into()));
    }
    let finding = finding
        .label((pool.name_site, "503 at once for every request, until a check passes again".into()))
        .confidence(Confidence::Likely)
        .why_of_dialect()
        .help("remove `observe layer7`, or write `on-error fail-check` with a high `error-limit`");
    Some(if fails > FEW { finding.severity(Severity::Note) } else { finding })
}

fn look(cx: &Cx<'_>, id: HopId, hop: &Hop, pool: &Pool) -> Option<Finding> {
    let topology = cx.topology;
    let all_at_once = serving(topology, id).all(|member| {
        let once = member.passive.as_ref().is_some_and(|passive| passive.max_fails.known() == Some(&1));
        once && member.check.enabled == Known::Yes(false) && !member.check.follows
    });
    if pool.open_ended || !all_at_once {
        return None;
    }
    // A single member is never taken out.
    let members: Vec<&Endpoint> = serving(topology, id).collect();
    let second = members.get(1)?;
    let shortest = members
        .iter()
        .map(|member| match member.passive.as_ref().and_then(|passive| passive.fail_timeout.known()) {
            Some(&Wait::For(time)) => Some(time),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()?
        .into_iter()
        .min()?;
    let out_for = humanise(shortest);
    if hop.retry.on.is_written() && hop.retry.counts_answers.known() == Some(&true) && !shortest.is_zero() {
        return Some(
            Finding::new(
                RuleId::GW307,
                cx.dialect(hop.proxy),
                hop.retry.on.label(hop.site, "error answers are tried again, and count as failures"),
                format!(
                    "one request that every member answers with an error takes all of {} out for {out_for}",
                    quote(&pool.name)
                ),
            )
            .label((pool.name_site, format!("has {} members, each out after one failure", members.len())))
            .label((hop.target_site, "502 for every other request until then".into()))
            .confidence(Confidence::Likely)
            .why_of_dialect()
            .help("write `max_fails=3` or more on each `server` line, or leave the statuses out"),
        );
    }
    let (first, passive) = members.first().and_then(|member| Some((member, member.passive.as_ref()?)))?;
    if shortest < LONG {
        return None;
    }
    let finding = Finding::new(
        RuleId::GW307,
        cx.dialect(hop.proxy),
        passive.fail_timeout.label(first.site, format!("out for {out_for} after one failure")),
        format!(
            "one failure at each member takes all of {} out for {out_for}, even when they are well again",
            quote(&pool.name)
        ),
    )
    .label((second.site, "and so is this one".into()))
    .confidence(Confidence::Possible)
    .why_of_dialect()
    .help("write a shorter `fail_timeout`, or `max_fails=3`");
    Some(if shortest < VERY_LONG { finding.severity(Severity::Note) } else { finding })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(max_fails: u32, fail_timeout: u64) -> (House, HopId, PoolId) {
        let mut house = House::nginx();
        let pool = house.pool(4, "app");
        for line in [5, 6] {
            let member = house.member(pool, line, "10.0.0.1", 80);
            house.t.endpoints[member].passive = Some(passive(max_fails, written(ms(fail_timeout), line)));
        }
        let hop = house.hop(14, Target::Pool(pool));
        (house, hop, pool)
    }

    fn said(house: &House) -> Vec<(Severity, Vec<u32>)> {
        house.found(RuleId::GW307).iter().map(|f| (f.severity, lines(f))).collect()
    }

    #[test]
    fn long_out_after_one_failure() {
        assert_eq!(said(&house(1, 30_000).0), [(Severity::Note, vec![5, 6])]);
        assert_eq!(said(&house(1, 60_000).0), [(Severity::Warning, vec![5, 6])]);
        assert!(said(&house(1, 10_000).0).is_empty());
        assert!(said(&house(3, 60_000).0).is_empty());
    }

    #[test]
    fn answers_that_take_a_server_out() {
        let said_of = |fails: u32, spare: bool, answers: bool| {
            let mut house = House::haproxy();
            let pool = house.pool(14, "app");
            for line in [15, 16] {
                let member = house.member(pool, line, "10.0.0.1", 80);
                let mut out = passive(fails, written(Wait::Forever, line));
                out.counts_answers = answers;
                house.t.endpoints[member].passive = Some(out);
                house.t.endpoints[member].check.enabled = Known::Yes(true);
            }
            if spare {
                let member = house.member(pool, 17, "10.0.0.3", 80);
                house.t.endpoints[member].backup = true;
            }
            house.hop(14, Target::Pool(pool));
            said(&house)
        };
        assert_eq!(said_of(2, false, true), [(Severity::Warning, vec![15, 14])]);
        assert_eq!(said_of(10, false, true), [(Severity::Note, vec![15, 14])]);
        assert!(said_of(50, false, true).is_empty());
        assert!(said_of(2, true, true).is_empty());
        assert!(said_of(2, false, false).is_empty());
    }

    #[test]
    fn answers_that_count_as_failures() {
        let (mut house, hop, pool) = house(1, 10_000);
        house.t.hops[hop].retry.on = written(RetryOn { status: true, ..RetryOn::default() }, 13);
        assert!(said(&house).is_empty());
        house.t.hops[hop].retry.counts_answers = Known::Yes(true);
        assert_eq!(said(&house), [(Severity::Warning, vec![13, 4, 14])]);
        let spare = house.member(pool, 7, "10.0.0.3", 80);
        house.t.endpoints[spare].backup = true;
        assert!(said(&house).is_empty());
    }
}
