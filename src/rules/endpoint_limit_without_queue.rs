//! GW507: when every endpoint is full, the surplus is refused at once.

use super::prelude::*;

/// What a burst of ordinary traffic reaches.
const SMALL: u64 = 100;

/// GW507.
pub struct EndpointLimitWithoutQueue;

impl Rule for EndpointLimitWithoutQueue {
    fn id(&self) -> RuleId {
        RuleId::GW507
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        for (id, pool) in cx.topology.pools.iter().filter(|(_, pool)| pool.used) {
            if let Some(finding) = look(cx, pool) {
                out.push(closed_without_status_in(finding, cx, id));
            }
        }
    }
}

fn look(cx: &Cx<'_>, pool: &Pool) -> Option<Finding> {
    let members = || pool.members.iter().map(|&member| &cx.topology.endpoints[member]).filter(|m| m.is_usable());
    let mut room = 0_u64;
    for member in members() {
        // One without a limit, or with one that is not known, takes what the others do not.
        room = room.saturating_add(u64::from(*member.refuses_over.as_deref()?.known()?));
    }
    let mut limits = members().filter_map(|member| Some((member.refuses_over.as_deref()?.site()?, member)));
    let (first, _) = limits.next()?;
    let whose = if pool.counts_together { "" } else { " of a worker process" };
    let one = if room == 1 { "1 connection".to_owned() } else { format!("{room} connections") };
    let finding = Finding::new(
        RuleId::GW507,
        cx.dialect(pool.proxy),
        (first, "what is over this limit does not wait".into()),
        format!(
            "more than {one}{whose} to {} are answered with 502 at once: all its members are full",
            quote(&pool.name)
        ),
    );
    let finding =
        limits.take(8).fold(finding, |finding, (site, _)| finding.label((site, "and this one is full, too".into())));
    let finding = finding.label((pool.name_site, "nothing here takes what is over the limits".into()));
    let finding =
        if room < SMALL { finding } else { finding.severity(Severity::Note).confidence(Confidence::Possible) };
    Some(
        finding
            .why_of_dialect()
            .help("raise the limits above what a burst brings, or leave the limit of one member out"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(limits: &[Option<Setting<u32>>]) -> (House, PoolId) {
        let mut house = House::nginx();
        let pool = house.pool(4, "app");
        for (line, limit) in (5..).zip(limits) {
            let member = house.member(pool, line, "10.0.0.1", 80);
            house.t.endpoints[member].refuses_over = limit.clone().map(Box::new);
        }
        house.hop(11, Target::Pool(pool));
        (house, pool)
    }

    fn said(house: &House) -> Vec<(Severity, Vec<u32>)> {
        house.found(RuleId::GW507).iter().map(|f| (f.severity, lines(f))).collect()
    }

    #[test]
    fn every_member_is_limited() {
        let (house, _) = house(&[Some(written(10, 5)), Some(written(20, 6))]);
        assert_eq!(said(&house), [(Severity::Warning, vec![5, 6, 4])]);
        assert!(house.found(RuleId::GW507)[0].message.contains("30 connections of a worker process"));
    }

    #[test]
    fn much_room_is_a_note() {
        let (house, _) = house(&[Some(written(60, 5)), Some(written(60, 6))]);
        assert_eq!(said(&house), [(Severity::Note, vec![5, 6, 4])]);
    }

    #[test]
    fn somebody_takes_the_surplus() {
        assert!(said(&house(&[Some(written(10, 5)), None]).0).is_empty());
        let unknown = Setting::unknown(Reason::TemplateHole, at(6), "setting");
        assert!(said(&house(&[Some(written(10, 5)), Some(unknown)]).0).is_empty());
        let (mut house, pool) = house(&[Some(written(10, 5)), None]);
        let backup = house.t.pools[pool].members[1];
        house.t.endpoints[backup].backup = true;
        assert!(said(&house).is_empty());
        // One that is out of service takes nothing.
        house.t.endpoints[backup].down = Some(at(6));
        assert_eq!(said(&house), [(Severity::Warning, vec![5, 4])]);
    }

    #[test]
    fn unused_and_empty_pools_are_silent() {
        let (mut house, pool) = house(&[Some(written(10, 5))]);
        house.t.pools[pool].used = false;
        assert!(said(&house).is_empty());
        house.t.pools[pool].used = true;
        house.t.pools[pool].members.clear();
        assert!(said(&house).is_empty());
    }
}
