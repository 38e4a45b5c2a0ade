//! GW408: a PROXY header is sent or expected on one side only.

use super::prelude::*;
use std::collections::{HashMap, HashSet};

/// GW408.
pub struct ProxyProtocolMismatch;

impl Rule for ProxyProtocolMismatch {
    fn id(&self) -> RuleId {
        RuleId::GW408
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        let elsewhere = Elsewhere::of(cx.topology);
        for (id, hop) in cx.topology.hops.iter() {
            for &member in cx.topology.members(id).iter().take(1000) {
                let endpoint = &cx.topology.endpoints[member];
                if endpoint.backup || !endpoint.is_usable() {
                    continue;
                }
                let found = match endpoint.leads_to {
                    Some(link) => look(cx, hop, endpoint, &cx.topology.listeners[link.listener]),
                    None => elsewhere.listener(cx.topology, member).and_then(|(listener, sure)| {
                        let finding = look(cx, hop, endpoint, &cx.topology.listeners[listener])?;
                        Some(match sure {
                            true => finding,
                            false => finding
                                .severity(Severity::Warning)
                                .confidence(Confidence::Likely)
                                .assumed("both proxies run on one machine"),
                        })
                    }),
                };
                if let Some(finding) = found
                    && told.insert((finding.primary().site, endpoint.site))
                {
                    out.push(finding);
                }
            }
        }
    }
}

/// Listeners of other proxies, by their port.
struct Elsewhere {
    by_port: HashMap<u16, Vec<ListenerId>>,
    /// Proxies that a service runs.
    placed: HashSet<ProxyId>,
}

/// How many listeners on one port are looked at.
const MANY: usize = 50;

impl Elsewhere {
    fn of(topology: &Topology) -> Self {
        let mut by_port: HashMap<u16, Vec<ListenerId>> = HashMap::new();
        for (id, listener) in topology.listeners.iter() {
            if let Known::Yes((_, Some((first, last)))) = &listener.bind
                && first == last
                && !topology.proxies[listener.proxy].again
            {
                by_port.entry(*first).or_default().push(id);
            }
        }
        let placed = topology.workloads.iter().flat_map(|(_, workload)| workload.proxies.iter().copied()).collect();
        Self { by_port, placed }
    }

    /// The listener of another proxy to which an endpoint leads, and whether that is proved: by the service that runs that
    /// proxy. Else it is the only one of the repository on that port of the loopback.
    fn listener(&self, t: &Topology, member: EndpointId) -> Option<(ListenerId, bool)> {
        let endpoint = &t.endpoints[member];
        let port = endpoint.port.known()?.number()?;
        let all = self.by_port.get(&port)?.iter().copied().take(MANY);
        let others = all.filter(|&id| t.listeners[id].proxy != endpoint.proxy);
        let first = t.outlooks.partition_point(|outlook| outlook.asks < Asks::Endpoint(member));
        let looks = t.outlooks.get(first..).unwrap_or(&[]);
        let looks: Vec<&Outlook> = looks.iter().take_while(|one| one.asks == Asks::Endpoint(member)).take(8).collect();
        let mut proved = looks.iter().map(|outlook| {
            let (Leads::To(to) | Leads::Container(to)) = outlook.leads else { return None };
            let workload = &t.workloads[to];
            let mut here = others.clone().filter(|&id| workload.proxies.contains(&t.listeners[id].proxy));
            let one = here.next().filter(|_| !t.projects[workload.project].guessed)?;
            here.next().is_none().then_some(one)
        });
        if let Some(found) = proved.next() {
            return proved.all(|other| other == found).then_some((found?, true));
        }
        let Known::Yes(Address::Net(host)) = &endpoint.address else { return None };
        if !host.is_loopback() || self.placed.contains(&endpoint.proxy) {
            return None;
        }
        let near = |id: &ListenerId| {
            let listener = &t.listeners[*id];
            let bind = match &listener.bind {
                Known::Yes((Address::Net(host), _)) => host.is_loopback() || *host == Host::Any,
                _ => false,
            };
            bind && !self.placed.contains(&listener.proxy)
        };
        let mut near = others.filter(near);
        let one = near.next()?;
        near.next().is_none().then_some((one, false))
    }
}

/// Where the endpoint decides what is sent.
fn by_endpoint(cx: &Cx<'_>, hop: &Hop, endpoint: &Endpoint, listener: &Listener) -> Option<Finding> {
    let expected = *listener.proxy_protocol.known()?;
    let address = address_words(endpoint);
    let new = |text: &str, message: String| {
        let at = (endpoint.site, text.to_owned());
        Finding::new(RuleId::GW408, cx.dialect(hop.proxy), at, message).confidence(Confidence::Certain)
    };
    let finding = match (endpoint.send_proxy?, expected) {
        (true, false) => {
            let topology = cx.topology;
            let mut routes =
                listener.virtual_hosts.iter().flat_map(|&host| &topology.virtual_hosts[host].routes).peekable();
            // One that only passes bytes on would pass the header on, too.
            let reads = |&route: &RouteId| {
                topology.routes[route].hop.is_some_and(|hop| topology.hops[hop].protocol.has_status())
            };
            let http = listener.speaks_http == Known::Yes(true) && listener.proxy != endpoint.proxy;
            if !http && (routes.peek().is_none() || !routes.all(reads)) {
                return None;
            }
            new(
                "a PROXY header is sent first",
                format!("a PROXY header is sent to {address}, and that listener takes it for a bad request"),
            )
            .outcome(Outcome::Status(400))
            .label((listener.site, "expects no PROXY header".into()))
            .help("write `accept-proxy` on its `bind` line, or send no header")
        }
        (false, true) => new(
            "no PROXY header is sent from here",
            format!("{address} expects a PROXY header, and none is sent to it"),
        )
        .label((listener.site, "expects a PROXY header".into()))
        .help("write `send-proxy` on the `server` line, or take `accept-proxy` off the `bind` line"),
        _ => return None,
    };
    Some(closed_without_status(finding.why_of_dialect(), hop))
}

fn look(cx: &Cx<'_>, hop: &Hop, endpoint: &Endpoint, listener: &Listener) -> Option<Finding> {
    let Some(sent) = hop.sends_proxy.known() else {
        return by_endpoint(cx, hop, endpoint, listener);
    };
    let expected = *listener.proxy_protocol.known()?;
    let address = address_words(endpoint);
    let finding = |at: (Site, String), message: String| Finding::new(RuleId::GW408, cx.dialect(hop.proxy), at, message);
    match (sent, expected) {
        // A listener that only passes bytes on would pass the header on too.
        (Some(site), false) if listener.speaks_http == Known::Yes(true) => Some(
            finding(
                (*site, "a PROXY header is sent first".into()),
                format!("a PROXY header is sent to {address}, and that listener takes it for a bad request"),
            )
            .outcome(Outcome::Status(400))
            .label((endpoint.address_site, "goes to that listener".into()))
            .label((listener.site, "expects no PROXY header".into()))
            .why_of_dialect()
            .help("write `proxy_protocol` on its `listen` line, or send no header"),
        ),
        (None, true) => {
            let passes_bytes = hop.protocol == Protocol::Tcp;
            let finding = finding(
                (hop.target_site, "no PROXY header is sent from here".into()),
                format!("{address} expects a PROXY header, and none is sent to it"),
            )
            .label((listener.site, "expects a PROXY header".into()))
            .label((endpoint.address_site, "goes to that listener".into()));
            Some(match passes_bytes {
                true => finding
                    .outcome(Outcome::ConnectionClosed)
                    .log("while reading PROXY protocol")
                    .severity(Severity::Warning)
                    .confidence(Confidence::Likely)
                    .assumed("the clients themselves send no PROXY header")
                    .why("the listener closes every connection that does not begin with that header")
                    .help("write `proxy_protocol on;` beside `proxy_pass`, or take it off the `listen` line"),
                false => finding
                    .why("the listener closes every connection that does not begin with that header; HTTP locations cannot send one")
                    .help("take `proxy_protocol` off the `listen` line, or give the proxy a port of its own"),
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(sent: Option<u32>, expected: bool, protocol: Protocol) -> Vec<(Severity, Outcome, Vec<u32>)> {
        let mut house = House::nginx();
        let endpoint = house.endpoint(7, "127.0.0.1", Port::Written(8000));
        let hop = house.hop(7, Target::Endpoint(endpoint));
        house.t.hops[hop].protocol = protocol;
        house.t.hops[hop].sends_proxy = Known::Yes(sent.map(at));
        let listener = house.listener(13, 8000, false);
        house.t.listeners[listener].speaks_http = Known::Yes(true);
        house.t.listeners[listener].proxy_protocol = Known::Yes(expected);
        house.leads_to(endpoint, listener, None);
        house.found(RuleId::GW408).iter().map(|f| (f.severity, f.outcome, lines(f))).collect()
    }

    #[test]
    fn one_side_only() {
        let bad = said(Some(6), false, Protocol::Tcp);
        assert_eq!(bad, [(Severity::Error, Outcome::Status(400), vec![6, 7, 13])]);
        let unsent = said(None, true, Protocol::Tcp);
        assert_eq!(unsent, [(Severity::Warning, Outcome::ConnectionClosed, vec![7, 13])]);
        assert_eq!(said(None, true, Protocol::Http), [(Severity::Error, Outcome::Status(502), vec![7, 13])]);
    }

    #[test]
    fn both_or_neither() {
        assert!(said(Some(6), true, Protocol::Tcp).is_empty());
        assert!(said(None, false, Protocol::Http).is_empty());
    }
}
