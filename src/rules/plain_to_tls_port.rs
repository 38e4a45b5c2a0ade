//! GW401: plain HTTP is sent to a port that speaks TLS.

use super::around::told_to_speak;
use super::prelude::*;
use std::collections::HashSet;

/// GW401.
pub struct PlainToTlsPort;

/// Ports on which TLS is spoken in ordinary setups: HTTPS and its usual substitutes, the Kubernetes API.
const TLS_PORTS: &[u16] = &[443, 8443, 6443, 9443];

impl Rule for PlainToTlsPort {
    fn id(&self) -> RuleId {
        RuleId::GW401
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::PlainToTls, cx, out);
        let topology = cx.topology;
        let mut told = HashSet::new();
        for &id in cx.distinct_hops() {
            let hop = &topology.hops[id];
            if !matches!(hop.protocol, Protocol::Http | Protocol::Http2) {
                continue;
            }
            for &member in topology.members(id) {
                let endpoint = &topology.endpoints[member];
                if endpoint.down.is_some() {
                    continue;
                }
                if topology.tls_to(hop, endpoint).is_some() || other_branch(topology, endpoint) {
                    continue;
                }
                if let Some(mut finding) = look(cx, member)
                    && told.insert(member)
                {
                    // A target written in place has its scheme there; that TLS is spoken is only proven of the proxy's own.
                    if endpoint.pool.is_none() && endpoint.leads_to.is_some() {
                        finding = finding.fix(other_name(hop.target_site, "http://", "https://"));
                    }
                    out.push(
                        finding
                            .label((hop.target_site, "plain HTTP is spoken here".into()))
                            .why_of_dialect()
                            .help("speak TLS to this port, or write the plain port"),
                    );
                }
            }
        }
    }
}

/// Whether the same host stands in the same pool with another port, and a template decides which line stays: the scheme
/// is chosen along with it.
fn other_branch(topology: &Topology, endpoint: &Endpoint) -> bool {
    let Some(pool) = endpoint.pool.map(|pool| &topology.pools[pool]).filter(|pool| pool.open_ended) else {
        return false;
    };
    let alike = |other: &Endpoint| other.address == endpoint.address && other.port != endpoint.port;
    // More lines than this nobody chooses between.
    pool.members.iter().take(16).any(|&other| alike(&topology.endpoints[other]))
}

fn look(cx: &Cx<'_>, member: EndpointId) -> Option<Finding> {
    let endpoint = &cx.topology.endpoints[member];
    let dialect = cx.dialect(endpoint.proxy);
    let address = address_words(endpoint);
    if let Some(link) = endpoint.leads_to {
        let listener = &cx.topology.listeners[link.listener];
        return (listener.tls == Known::Yes(true)).then(|| {
            Finding::new(
                RuleId::GW401,
                dialect,
                (endpoint.address_site, "plain HTTP goes to this port".into()),
                format!("plain HTTP is sent to {address}, and that listener speaks TLS only"),
            )
            .label((listener.site, "which speaks TLS".into()))
        });
    }
    if let Some(told) = told_to_speak(cx.topology, member, Spoken::Https) {
        let at = (endpoint.address_site, "plain HTTP goes to this port".into());
        let message = format!("plain HTTP is sent to {address}, and what listens there speaks TLS only");
        return Some(
            Finding::new(RuleId::GW401, dialect, at, message)
                .severity(told.severity)
                .label(told.label)
                .confidence(Confidence::Likely),
        );
    }
    match endpoint.port {
        Known::Yes(Port::Written(port)) if TLS_PORTS.contains(&port) => Some(
            Finding::new(
                RuleId::GW401,
                dialect,
                (endpoint.address_site, format!("plain HTTP goes to port {port}")),
                format!("plain HTTP is sent to {address}, and TLS is usually spoken on port {port}"),
            )
            .severity(Severity::Warning)
            .confidence(Confidence::Likely)
            .assumed(format!("port {port} speaks TLS there, as it does nearly everywhere")),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(port: u16) -> (House, EndpointId, HopId) {
        let mut house = House::nginx();
        let endpoint = house.endpoint(7, "127.0.0.1", Port::Written(port));
        let hop = house.hop(7, Target::Endpoint(endpoint));
        (house, endpoint, hop)
    }

    #[test]
    fn the_proxys_own_tls_listener_is_proof() {
        let (mut house, endpoint, hop) = house(21140);
        let listener = house.listener(12, 21140, true);
        house.leads_to(endpoint, listener, None);
        let found = house.found(RuleId::GW401);
        assert_eq!(lines(&found[0]), [7, 12]);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Error, Confidence::Certain));
        house.t.hops[hop].tls = House::tls(built_in(ServerName::Nothing), 7);
        assert!(house.found(RuleId::GW401).is_empty());
        house.t.hops[hop].tls = None;
        house.t.listeners[listener].tls = Known::Unknown(Reason::Variable);
        assert!(house.found(RuleId::GW401).is_empty());
    }

    #[test]
    fn port_443_is_a_guess() {
        let (mut house, endpoint, hop) = house(443);
        let found = house.found(RuleId::GW401);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Warning, Confidence::Likely));
        // What is known is stronger than the number.
        let listener = house.listener(12, 443, false);
        house.leads_to(endpoint, listener, None);
        assert!(house.found(RuleId::GW401).is_empty());
        house.t.endpoints[endpoint].leads_to = None;
        house.t.hops[hop].protocol = Protocol::Tcp;
        assert!(house.found(RuleId::GW401).is_empty(), "TLS may be handed through");
    }

    #[test]
    fn a_member_of_a_pool_is_told_once() {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        house.member(pool, 15, "10.0.0.1", 443);
        for line in [14, 24, 34] {
            house.hop(line, Target::Pool(pool));
        }
        assert_eq!(house.found(RuleId::GW401).len(), 1);
    }
}
