//! GW114: the proxy is its own backend.

use super::prelude::*;

/// GW114.
pub struct ProxyLoop;

/// One step of a request that stays inside the proxy.
#[derive(Clone, Copy)]
struct Step {
    /// The endpoint it is sent to.
    endpoint: EndpointId,
    /// The listener that takes it.
    listener: ListenerId,
    /// The route that takes it there.
    route: RouteId,
}

impl Rule for ProxyLoop {
    fn id(&self) -> RuleId {
        RuleId::GW114
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        if topology.endpoints.iter().all(|(_, endpoint)| endpoint.leads_to.is_none()) {
            return;
        }
        let lone: Vec<_> = topology.virtual_hosts.ids().map(|host| Takers::of(topology, host)).collect();
        let next: Vec<_> = topology.routes.ids().map(|route| step(topology, &lone, route)).collect();
        // Each route has one successor at most, so a walk that marks what it has seen finds every cycle once.
        let mut seen_by = vec![usize::MAX; next.len()];
        for start in topology.routes.ids() {
            let mut route = start;
            while seen_by[route.index()] == usize::MAX {
                seen_by[route.index()] = start.index();
                match next[route.index()] {
                    Some(step) => route = step.route,
                    None => break,
                }
            }
            if seen_by[route.index()] == start.index() && next[route.index()].is_some() {
                report(cx, &next, route).into_iter().for_each(|finding| out.push(finding));
            }
        }
    }
}

/// Which route of a virtual host takes a request, where its path does not matter.
struct Takers {
    /// The only route, when it takes everything.
    only: Option<RouteId>,
    /// Whether all routes look at the path and nothing else.
    by_path: bool,
}

impl Takers {
    fn of(topology: &Topology, host: VirtualHostId) -> Self {
        let routes = &topology.virtual_hosts[host].routes;
        let mut open = routes.iter().copied().filter(|&r| !matches!(topology.routes[r].matcher, Matcher::Named(_)));
        let first = open.next();
        let takes_all = |route: &RouteId| match &topology.routes[*route].matcher {
            Matcher::Always => true,
            Matcher::Prefix(path) => &**path == "/",
            _ => false,
        };
        Self {
            only: first.filter(takes_all).filter(|_| open.next().is_none()),
            by_path: !routes.iter().any(|&r| matches!(topology.routes[r].matcher, Matcher::Condition(_))),
        }
    }
}

/// Where a request goes on inside the proxy, when that is certain.
fn step(topology: &Topology, takers: &[Takers], route: RouteId) -> Option<Step> {
    let from = &topology.routes[route];
    let id = from.hop?;
    let hop = &topology.hops[id];
    if !matches!(hop.protocol, Protocol::Http | Protocol::Http2 | Protocol::Tcp) {
        return None;
    }
    // Where several endpoints share the requests, all must lead to the same place: else a request gets out.
    let mut found: Option<Step> = None;
    // Larger pools are not followed: a thousand routes to a thousand members would be a million looks.
    if topology.members(id).len() > 64 {
        return None;
    }
    for &endpoint in topology.members(id) {
        let member = &topology.endpoints[endpoint];
        if member.backup || !member.is_usable() {
            continue;
        }
        let link = member.leads_to?;
        if topology.listeners[link.listener].tls != Known::Yes(topology.tls_to(hop, member).is_some()) {
            return None;
        }
        let host = link.virtual_host?;
        let takers = takers.get(host.index())?;
        let same_again = hop.path_kept
            && from.virtual_host == Some(host)
            && takers.by_path
            && !matches!(from.matcher, Matcher::Condition(_) | Matcher::Named(_));
        let taker = takers.only.or(same_again.then_some(route))?;
        match found {
            Some(step) if step.route != taker => return None,
            Some(_) => {}
            None => found = Some(Step { endpoint, listener: link.listener, route: taker }),
        }
    }
    found
}

fn report(cx: &Cx<'_>, next: &[Option<Step>], start: RouteId) -> Option<Finding> {
    let topology = cx.topology;
    let dialect = cx.dialect(topology.routes[start].proxy);
    let mut finding: Option<Finding> = None;
    let mut route = start;
    let mut rounds = 0;
    while let Some(step) = next[route.index()] {
        let endpoint = &topology.endpoints[step.endpoint];
        let to = (endpoint.address_site, "requests are sent here".to_owned());
        finding = Some(match finding {
            None => Finding::new(
                RuleId::GW114,
                dialect,
                to,
                format!("{} sends requests to itself at {}, again and again", dialect.name(), address_words(endpoint)),
            ),
            Some(finding) => finding.label(to),
        })
        .map(|finding| {
            finding.label((topology.listeners[step.listener].site, "which is this listener's own address".into()))
        });
        route = step.route;
        rounds += 1;
        // A long ring is shown by its first steps.
        if route == start || rounds == 8 {
            break;
        }
    }
    let again = (topology.routes[start].site, "and the same route takes them again".to_owned());
    Some(finding?.label(again).why_of_dialect().help("write the address of the application here"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    struct Two {
        house: House,
        endpoint: EndpointId,
        hop: HopId,
        host: VirtualHostId,
        listener: ListenerId,
    }

    fn to_itself(matcher: Matcher) -> Two {
        let mut house = House::nginx();
        let listener = house.listener(5, 80, false);
        let host = house.host(4, &[listener]);
        let endpoint = house.endpoint(7, "127.0.0.1", Port::Written(80));
        house.leads_to(endpoint, listener, Some(host));
        let hop = house.hop(7, Target::Endpoint(endpoint));
        house.route(host, 6, matcher, Some(hop));
        Two { house, endpoint, hop, host, listener }
    }

    #[test]
    fn a_loop_is_told_once() {
        let two = to_itself(Matcher::Prefix("/".into()));
        let found = two.house.found(RuleId::GW114);
        assert_eq!(found.len(), 1);
        assert_eq!(lines(&found[0]), [7, 5, 6]);
        assert_eq!(found[0].outcome, Outcome::Status(502));
    }

    #[test]
    fn a_loop_over_two_listeners_is_told_once() {
        let mut two = to_itself(Matcher::Prefix("/".into()));
        let house = &mut two.house;
        let other = house.listener(15, 81, false);
        let second = house.host(14, &[other]);
        let back = house.endpoint(17, "127.0.0.1", Port::Written(80));
        house.leads_to(back, two.listener, Some(two.host));
        let hop = house.hop(17, Target::Endpoint(back));
        house.route(second, 16, Matcher::Always, Some(hop));
        house.leads_to(two.endpoint, other, Some(second));
        let found = house.found(RuleId::GW114);
        assert_eq!(found.len(), 1);
        assert_eq!(lines(&found[0]), [7, 15, 17, 5, 6]);
    }

    #[test]
    fn what_is_not_certain_is_silent() {
        let mut unknown_host = to_itself(Matcher::Always);
        unknown_host.house.leads_to(unknown_host.endpoint, unknown_host.listener, None);
        assert!(unknown_host.house.found(RuleId::GW114).is_empty());

        // Another route may take the changed path.
        let mut changed_path = to_itself(Matcher::Prefix("/api".into()));
        changed_path.house.t.hops[changed_path.hop].path_kept = false;
        assert!(changed_path.house.found(RuleId::GW114).is_empty());
        changed_path.house.t.hops[changed_path.hop].path_kept = true;
        assert_eq!(changed_path.house.found(RuleId::GW114).len(), 1);

        // A condition may see that the request comes from the proxy itself.
        let mut conditional = to_itself(Matcher::Always);
        conditional.house.route(conditional.host, 9, Matcher::Condition("from_self".into()), None);
        assert!(conditional.house.found(RuleId::GW114).is_empty());

        // Plain HTTP to a TLS listener goes wrong before it can go round.
        let mut plain_to_tls = to_itself(Matcher::Always);
        plain_to_tls.house.t.listeners[plain_to_tls.listener].tls = Known::Yes(true);
        assert!(plain_to_tls.house.found(RuleId::GW114).is_empty());
    }

    #[test]
    fn a_pool_with_a_way_out_is_silent() {
        let mut two = to_itself(Matcher::Always);
        let pool = two.house.pool(1, "app");
        let inside = two.house.member(pool, 2, "127.0.0.1", 80);
        two.house.leads_to(inside, two.listener, Some(two.host));
        two.house.t.hops[two.hop].target = Target::Pool(pool);
        assert_eq!(two.house.found(RuleId::GW114).len(), 1);
        two.house.member(pool, 3, "10.0.0.1", 80);
        assert!(two.house.found(RuleId::GW114).is_empty());
    }
}
