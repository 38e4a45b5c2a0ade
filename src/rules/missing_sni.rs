//! GW403: no usable server name is sent in the TLS handshake.

use super::prelude::*;
use std::collections::HashSet;

/// GW403.
pub struct MissingSni;

impl Rule for MissingSni {
    fn id(&self) -> RuleId {
        RuleId::GW403
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        let mut told = HashSet::new();
        for (id, hop) in topology.hops.iter() {
            for &member in topology.members(id).iter().take(1000) {
                let endpoint = &topology.endpoints[member];
                let Some(tls) = topology.tls_to(hop, endpoint) else { continue };
                let found = match tls.server_name.known() {
                    Some(ServerName::Nothing) => no_name(cx, endpoint, hop, tls),
                    Some(ServerName::FromClientHandshake) if !told.contains(&member) => {
                        from_no_handshake(cx, id, endpoint, tls)
                    }
                    Some(ServerName::FromHostWithPort) if !told.contains(&member) => with_port(cx, id, endpoint, tls),
                    _ => None,
                };
                if let Some(finding) = found
                    && told.insert(member)
                {
                    out.push(finding);
                }
            }
        }
    }
}

fn no_name(cx: &Cx<'_>, endpoint: &Endpoint, hop: &Hop, tls: &TlsClient) -> Option<Finding> {
    let dialect = cx.dialect(endpoint.proxy);
    let address = address_words(endpoint);
    let at = tls.server_name.label(tls.site, "no server name is sent");
    if let Some(link) = endpoint.leads_to {
        let listener = &cx.topology.listeners[link.listener];
        return (listener.refuses_unknown_names && listener.tls == Known::Yes(true)).then(|| {
            Finding::new(
                RuleId::GW403,
                dialect,
                at,
                format!("no server name is sent to {address}, and that listener refuses handshakes without one"),
            )
            .label((listener.site, "refuses names that it does not know".into()))
            .label((endpoint.address_site, "leads there".into()))
            .why_of_dialect()
            .help("send the name of the virtual host that is meant")
        });
    }
    let name = endpoint.host_name().filter(|name| is_public_name(name))?;
    // A name written in place is one site on the Internet; the members of a pool are mostly machines of one's own.
    let pooled = endpoint.pool.is_some();
    Some(
        Finding::new(
            RuleId::GW403,
            dialect,
            at,
            format!("TLS to {} sends no server name: it may refuse, or answer for another site", quote(name)),
        )
        .severity(if pooled { Severity::Note } else { Severity::Warning })
        .confidence(if pooled { Confidence::Possible } else { Confidence::Likely })
        .label((endpoint.address_site, "is likely to serve many names on one address".into()))
        .label((hop.target_site, "TLS is spoken here".into()))
        .assumed("public addresses are shared by many names")
        .why_of_dialect()
        .help(format!("send {} as server name", quote(name)))
        .fix(send_name(dialect, endpoint, hop, tls, name)),
    )
}

fn from_no_handshake(cx: &Cx<'_>, hop: HopId, endpoint: &Endpoint, tls: &TlsClient) -> Option<Finding> {
    let hosts = hosts_before(cx.topology, hop)?;
    let plain: Option<Vec<_>> = hosts.iter().map(|&host| cx.doors(host).all_plain).collect();
    let first = *plain?.first()?;
    Some(
        Finding::new(
            RuleId::GW403,
            cx.dialect(endpoint.proxy),
            tls.server_name.label(tls.site, "the name from the client's own TLS handshake"),
            format!(
                "no server name is sent to {}: its clients come without TLS and bring none",
                address_words(endpoint)
            ),
        )
        .severity(Severity::Warning)
        .label((cx.topology.listeners[first].site, "clients do not speak TLS here".into()))
        .label((endpoint.address_site, "gets no name".into()))
        .why_of_dialect()
        .help("take the name from the Host header, without a port, or write it down")
        .fix(tls.server_name.site().map(|site| other_name(site, "ssl_fc_sni", "req.hdr(host),field(1,:)"))),
    )
}

fn with_port(cx: &Cx<'_>, hop: HopId, endpoint: &Endpoint, tls: &TlsClient) -> Option<Finding> {
    let hosts = hosts_before(cx.topology, hop)?;
    let odd = hosts.iter().find_map(|&host| cx.doors(host).odd_port)?;
    Some(
        Finding::new(
            RuleId::GW403,
            cx.dialect(endpoint.proxy),
            tls.server_name.label(tls.site, "the Host header as it came, port and all"),
            format!("the server name sent to {} can carry a port, which no server knows", address_words(endpoint)),
        )
        .severity(Severity::Note)
        .confidence(Confidence::Possible)
        .label((cx.topology.listeners[odd].site, "clients of this port write it into the Host header".into()))
        .label((endpoint.address_site, "gets the name".into()))
        .why_of_dialect()
        .help("cut the port off: `$host` in nginx, `req.hdr(host),field(1,:)` in HAProxy")
        .fix(tls.server_name.site().and_then(|site| match cx.dialect(endpoint.proxy) {
            Dialect::Nginx => Some(other_name(site, "$http_host", "$host")),
            Dialect::Haproxy => Some(other_name(site, "req.hdr(host)", "req.hdr(host),field(1,:)")),
            Dialect::Kubernetes => None,
        })),
    )
}

/// The name is sent from now on. Nothing is undone that somebody wrote, and no pool's name goes out.
fn send_name(dialect: Dialect, endpoint: &Endpoint, hop: &Hop, tls: &TlsClient, name: &str) -> Option<Box<Fix>> {
    let title = format!("send {}", quote(name));
    match dialect {
        Dialect::Kubernetes => None,
        _ if tls.server_name.is_written() => None,
        Dialect::Nginx if endpoint.pool.is_some() => None,
        Dialect::Nginx => {
            let words = format!("{} on", tls.server_name.spelling);
            Some(Fix::guess(title, [Edit::Below { statement: hop.target_site.span, words }]))
        }
        Dialect::Haproxy => Some(append(&title, [endpoint.site], &format!("sni str({name})"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(address: &str, name: ServerName) -> (House, EndpointId, HopId) {
        let mut house = House::nginx();
        let endpoint = house.endpoint(7, address, Port::Written(443));
        let hop = house.hop(7, Target::Endpoint(endpoint));
        house.t.hops[hop].tls = House::tls(built_in(name), 7);
        (house, endpoint, hop)
    }

    fn said(house: &House) -> Vec<(Severity, Confidence)> {
        house.found(RuleId::GW403).iter().map(|f| (f.severity, f.confidence)).collect()
    }

    #[test]
    fn a_listener_that_insists_is_proof() {
        let (mut house, endpoint, _) = house("127.0.0.1", ServerName::Nothing);
        let listener = house.listener(12, 443, true);
        house.leads_to(endpoint, listener, None);
        assert!(said(&house).is_empty());
        house.t.listeners[listener].refuses_unknown_names = true;
        assert_eq!(said(&house), [(Severity::Error, Confidence::Certain)]);
        assert_eq!(lines(&house.found(RuleId::GW403)[0]), [7, 12]);
    }

    #[test]
    fn a_public_name_is_likely_to_insist() {
        assert_eq!(said(&house("api.shop.com", ServerName::Nothing).0), [(Severity::Warning, Confidence::Likely)]);
        assert!(said(&house("app.default.svc", ServerName::Nothing).0).is_empty());
        assert!(said(&house("10.0.0.1", ServerName::Nothing).0).is_empty());
        assert!(said(&house("api.shop.com", ServerName::FromTarget).0).is_empty());
        let (mut pooled, endpoint, _) = house("api.shop.com", ServerName::Nothing);
        let pool = pooled.pool(4, "app");
        pooled.t.endpoints[endpoint].pool = Some(pool);
        assert_eq!(said(&pooled), [(Severity::Note, Confidence::Possible)]);
    }

    fn behind(name: ServerName, port: u16, tls: bool) -> House {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        let member = house.member(pool, 15, "10.0.0.1", 8443);
        house.t.endpoints[member].tls = House::tls(written(name, 15), 15);
        let hop = house.hop(14, Target::Pool(pool));
        let listener = house.listener(12, port, tls);
        let host = house.host(11, &[listener]);
        house.route(host, 13, Matcher::Always, Some(hop));
        house
    }

    #[test]
    fn a_name_from_a_handshake_that_never_happens() {
        let plain = behind(ServerName::FromClientHandshake, 80, false);
        assert_eq!(said(&plain), [(Severity::Warning, Confidence::Certain)]);
        assert_eq!(lines(&plain.found(RuleId::GW403)[0]), [15, 12]);
        assert!(said(&behind(ServerName::FromClientHandshake, 443, true)).is_empty());
    }

    #[test]
    fn a_name_with_a_port() {
        let odd = behind(ServerName::FromHostWithPort, 8443, true);
        assert_eq!(said(&odd), [(Severity::Note, Confidence::Possible)]);
        assert!(said(&behind(ServerName::FromHostWithPort, 443, true)).is_empty());
        assert!(said(&behind(ServerName::FromHost, 8443, true)).is_empty());
    }
}
