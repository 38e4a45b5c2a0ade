//! GW203: without this timeout a connection can hang for ever.

use super::prelude::*;

/// GW203.
pub struct MissingTimeout;

impl Rule for MissingTimeout {
    fn id(&self) -> RuleId {
        RuleId::GW203
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        for id in cx.topology.listeners.ids() {
            self.check_listener(cx, id, out);
        }
        for id in cx.topology.hops.ids() {
            self.check_hop(cx, id, out);
        }
    }
}

impl MissingTimeout {
    fn check_hop(&self, cx: &Cx<'_>, id: HopId, out: &mut Findings) {
        let topology = cx.topology;
        let hop = &topology.hops[id];
        let grows = matches!(hop.target, Target::Pool(pool) if topology.pools[pool].open_ended);
        if topology.members(id).is_empty() && !grows {
            return;
        }
        let missing: Vec<_> =
            [&hop.timeouts.connect, &hop.timeouts.read].into_iter().filter(|s| is_endless(s)).collect();
        let Some(&first) = missing.first() else { return };
        let what = match hop.target {
            Target::Pool(pool) => format!("a request to {}", quote(&topology.pools[pool].name)),
            _ => "a request".to_owned(),
        };
        let names: Vec<_> = missing.iter().map(|setting| format!("`{}`", setting.spelling)).collect();
        let (names, verb) = (names.join(" and "), if missing.len() == 1 { "is" } else { "are" });
        let mut finding = Finding::new(
            self.id(),
            cx.dialect(hop.proxy),
            (first.site().unwrap_or(hop.site), "no limit".into()),
            format!("{what} can hang for ever, because {names} {verb} not set"),
        );
        for setting in &missing {
            finding = finding.label(setting.label(hop.site, "no limit"));
        }
        out.push(finding.label((hop.site, "holds here".into())).why_of_dialect().help(format!(
            "set {names}, in the shared defaults say: some seconds to connect, for answers what the slowest needs"
        )));
    }

    fn check_listener(&self, cx: &Cx<'_>, id: ListenerId, out: &mut Findings) {
        let listener = &cx.topology.listeners[id];
        let Some(client) = listener.client.as_ref().filter(|client| is_endless(client)) else { return };
        // Several addresses of one frontend are one mistake: the same place and words, told once.
        let block = listener.virtual_hosts.first().map_or(listener.site, |&host| cx.topology.virtual_hosts[host].site);
        let finding = Finding::new(
            self.id(),
            cx.dialect(listener.proxy),
            (client.site().unwrap_or(block), "no limit for its clients".into()),
            format!("a silent client keeps its connection for ever, because `{}` is not set", client.spelling),
        )
        .label((block, "holds here".into()))
        .why_of_dialect()
        .help(format!("set `{}`, in the shared defaults say", client.spelling));
        out.push(finding);
    }
}

/// Whether nothing limits it, by the proxy's own default or because somebody wrote a value that means it.
fn is_endless(setting: &Setting<Wait>) -> bool {
    setting.known() == Some(&Wait::Forever)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(members: u16) -> (House, HopId) {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        for port in 0..members {
            house.member(pool, 16, "127.0.0.1", 80 + port);
        }
        let hop = house.hop(14, Target::Pool(pool));
        (house, hop)
    }

    #[test]
    fn all_missing_timeouts_of_a_pool_are_one_finding() {
        let (mut house, hop) = house(1);
        assert!(house.found(RuleId::GW203).is_empty());
        house.t.hops[hop].timeouts.connect = built_in(Wait::Forever).into();
        assert_eq!(lines(&house.found(RuleId::GW203)[0]), [14]);
        house.t.hops[hop].timeouts.read = written(Wait::Forever, 15);
        let found = house.found(RuleId::GW203);
        assert_eq!(found.len(), 1);
        assert_eq!(lines(&found[0]), [14, 15]);
        assert_eq!((found[0].severity, found[0].outcome), (Severity::Warning, Outcome::Hangs));
    }

    #[test]
    fn fragments_and_pools_without_members_are_silent() {
        let (mut empty, hop) = house(0);
        empty.t.hops[hop].timeouts.connect = built_in(Wait::Forever).into();
        assert!(empty.found(RuleId::GW203).is_empty());
        let (mut fragment, hop) = house(1);
        fragment.t.hops[hop].timeouts.connect =
            Setting::unknown(Reason::OutsideRepository, at(14), "timeout connect").into();
        assert!(fragment.found(RuleId::GW203).is_empty());
    }

    #[test]
    fn a_frontend_is_told_once() {
        let mut house = House::haproxy();
        let listeners = [house.listener(2, 80, false), house.listener(3, 81, false)];
        house.host(1, &listeners);
        assert!(house.found(RuleId::GW203).is_empty());
        for listener in listeners {
            house.t.listeners[listener].client = Some(built_in(Wait::Forever));
        }
        let found = house.found(RuleId::GW203);
        assert_eq!(found.len(), 1);
        assert_eq!(lines(&found[0]), [1]);
    }

    #[test]
    fn a_dialect_that_the_page_does_not_speak_of_is_left_alone() {
        let mut house = House::nginx();
        let pool = house.pool(4, "app");
        house.member(pool, 5, "127.0.0.1", 80);
        let hop = house.hop(11, Target::Pool(pool));
        house.t.hops[hop].timeouts.read = built_in(Wait::Forever);
        assert!(house.found(RuleId::GW203).is_empty());
    }
}
