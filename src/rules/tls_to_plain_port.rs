//! GW402: TLS is spoken to a port that does not speak it.

use super::around::told_to_speak;
use super::prelude::*;
use std::collections::HashSet;

/// GW402.
pub struct TlsToPlainPort;

/// Ports on which plain HTTP is spoken in ordinary setups.
const PLAIN_PORTS: &[u16] = &[80, 8080];

impl Rule for TlsToPlainPort {
    fn id(&self) -> RuleId {
        RuleId::GW402
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::TlsToPlain, cx, out);
        let topology = cx.topology;
        let mut told = HashSet::new();
        for &id in cx.distinct_hops() {
            let hop = &topology.hops[id];
            for &member in topology.members(id) {
                let endpoint = &topology.endpoints[member];
                if endpoint.down.is_some() {
                    continue;
                }
                let Some(tls) = topology.tls_to(hop, endpoint) else { continue };
                if let Some(mut finding) = look(cx, member)
                    && told.insert(member)
                {
                    if endpoint.pool.is_none() && endpoint.leads_to.is_some() {
                        finding = finding.fix(other_name(hop.target_site, "https://", "http://"));
                    }
                    out.push(
                        closed_without_status(finding, hop)
                            .label((tls.site, "TLS is asked for here".into()))
                            .why_of_dialect()
                            .help("leave TLS out, or write the port that speaks it"),
                    );
                }
            }
        }
    }
}

fn look(cx: &Cx<'_>, member: EndpointId) -> Option<Finding> {
    let endpoint = &cx.topology.endpoints[member];
    let dialect = cx.dialect(endpoint.proxy);
    let address = address_words(endpoint);
    if let Some(link) = endpoint.leads_to {
        let listener = &cx.topology.listeners[link.listener];
        return (listener.tls == Known::Yes(false)).then(|| {
            Finding::new(
                RuleId::GW402,
                dialect,
                (endpoint.address_site, "a TLS handshake goes to this port".into()),
                format!("TLS is spoken to {address}, and that listener is plain: no handshake can succeed"),
            )
            .label((listener.site, "which does not speak TLS".into()))
        });
    }
    if let Some(told) = told_to_speak(cx.topology, member, Spoken::Http) {
        let at = (endpoint.address_site, "a TLS handshake goes to this port".into());
        let message =
            format!("TLS is spoken to {address}, and what listens there speaks plain HTTP: no handshake can succeed");
        return Some(
            Finding::new(RuleId::GW402, dialect, at, message)
                .severity(told.severity)
                .label(told.label)
                .confidence(Confidence::Likely),
        );
    }
    match endpoint.port {
        Known::Yes(Port::Written(port)) if PLAIN_PORTS.contains(&port) => Some(
            Finding::new(
                RuleId::GW402,
                dialect,
                (endpoint.address_site, format!("a TLS handshake goes to port {port}")),
                format!("TLS is spoken to {address}, and port {port} is usually plain"),
            )
            .severity(Severity::Warning)
            .confidence(Confidence::Likely)
            .assumed(format!("port {port} is plain there, as it is nearly everywhere")),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(port: Port) -> (House, EndpointId, HopId) {
        let mut house = House::nginx();
        let endpoint = house.endpoint(7, "127.0.0.1", port);
        let hop = house.hop(7, Target::Endpoint(endpoint));
        house.t.hops[hop].tls = House::tls(built_in(ServerName::Nothing), 7);
        (house, endpoint, hop)
    }

    #[test]
    fn the_proxys_own_plain_listener_is_proof() {
        let (mut house, endpoint, hop) = house(Port::Written(21145));
        let listener = house.listener(11, 21145, false);
        house.leads_to(endpoint, listener, None);
        let found = house.found(RuleId::GW402);
        assert_eq!(lines(&found[0]), [7, 11]);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Error, Confidence::Certain));
        house.t.listeners[listener].tls = Known::Yes(true);
        assert!(house.found(RuleId::GW402).is_empty());
        house.t.listeners[listener].tls = Known::Yes(false);
        house.t.hops[hop].tls = None;
        assert!(house.found(RuleId::GW402).is_empty());
    }

    #[test]
    fn port_80_is_a_guess_where_it_is_written() {
        let said = |port| house(port).0.found(RuleId::GW402).iter().map(|f| f.severity).collect::<Vec<_>>();
        assert_eq!(said(Port::Written(80)), [Severity::Warning]);
        assert!(said(Port::Always(80)).is_empty(), "another rule speaks of it");
        assert!(said(Port::OfScheme(443)).is_empty());
    }

    #[test]
    fn the_endpoints_own_tls_counts() {
        let (mut house, endpoint, hop) = house(Port::Written(8080));
        house.t.hops[hop].tls = None;
        house.t.endpoints[endpoint].tls = House::tls(built_in(ServerName::Nothing), 9);
        assert_eq!(lines(&house.found(RuleId::GW402)[0]), [7, 9]);
    }

    #[test]
    fn nobody_speaks_to_who_is_taken_out() {
        let (mut house, endpoint, hop) = house(Port::Written(21145));
        let listener = house.listener(11, 21145, false);
        house.leads_to(endpoint, listener, None);
        house.t.hops[hop].protocol = Protocol::Tcp;
        assert_eq!(house.found(RuleId::GW402)[0].outcome, Outcome::ConnectionClosed);
        house.t.endpoints[endpoint].down = Some(at(7));
        assert!(house.found(RuleId::GW402).is_empty());
    }
}
