//! GW110: no port is written, and the one taken is hardly the one meant.

use super::prelude::*;

/// GW110.
pub struct ImplicitPort;

impl Rule for ImplicitPort {
    fn id(&self) -> RuleId {
        RuleId::GW110
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        let mut told = vec![false; topology.endpoints.len()];
        // With the hops first: what is spoken over them makes the port more or less likely to be wrong.
        for &id in cx.distinct_hops() {
            let hop = &topology.hops[id];
            let mut ranged = None;
            for &member in topology.members(id) {
                let endpoint = &topology.endpoints[member];
                match endpoint.port {
                    Known::Yes(Port::Always(port)) => {
                        if let Some(tls) = topology.tls_to(hop, endpoint)
                            && !std::mem::replace(&mut told[member.index()], true)
                        {
                            out.push(plain_port_for_tls(cx, hop, endpoint, tls, port));
                        }
                    }
                    Known::Yes(Port::OfClient) => {
                        // One listener for a range of ports that is handed through as it came.
                        let ranged = *ranged.get_or_insert_with(|| {
                            hosts_before(topology, id).unwrap_or_default().iter().any(|&host| cx.doors(host).range)
                        });
                        if ranged {
                            told[member.index()] = true;
                        }
                    }
                    _ => {}
                }
            }
        }
        for (id, endpoint) in topology.endpoints.iter() {
            if !told[id.index()]
                && let Some(finding) = without_tls(cx, endpoint)
            {
                out.push(finding);
            }
        }
    }
}

fn plain_port_for_tls(cx: &Cx<'_>, hop: &Hop, endpoint: &Endpoint, tls: &TlsClient, port: u16) -> Finding {
    let dialect = cx.dialect(endpoint.proxy);
    let host = endpoint.address.known().map_or_else(String::new, ToString::to_string);
    let edit = Edit::Word { within: endpoint.address_site.span, to: format!("{host}:443"), from: host };
    Finding::new(
        RuleId::GW110,
        dialect,
        (endpoint.address_site, format!("no port is written: {port} is taken, whatever the scheme")),
        format!("TLS is spoken to {}, because a member without a port gets {port}", address_words(endpoint)),
    )
    .severity(Severity::Warning)
    .label((hop.target_site, "TLS is asked for here".into()))
    .label((tls.site, "TLS is asked for here".into()))
    .why_of_dialect()
    .help("write the port of the TLS service on the member, `:443` say")
    .fix(Fix::guess("write the port of HTTPS", [edit]))
}

fn without_tls(cx: &Cx<'_>, endpoint: &Endpoint) -> Option<Finding> {
    let dialect = cx.dialect(endpoint.proxy);
    let host = match endpoint.address.known() {
        // `*` and `0.0.0.0` mean transparent proxying: the client's own address and port are wanted.
        Some(Address::Net(Host::Any)) | Some(Address::Socket(_)) => return None,
        Some(Address::Net(host)) => Some(host),
        None => None,
    };
    // Into words only where it is told: nearly every endpoint has a port.
    let what = || host.map_or("this endpoint".to_owned(), |host| quote(&host.to_string()));
    let finding =
        |text: String, message: String| Finding::new(RuleId::GW110, dialect, (endpoint.address_site, text), message);
    match *endpoint.port.known()? {
        Port::Always(port) => {
            // A public name on port 80 is an ordinary thing to write; so is a group of web servers. Beside members on
            // another port it looks forgotten.
            let public = endpoint.host_name().is_some_and(is_public_name);
            let odd = endpoint.pool.is_some_and(|pool| {
                let others = cx.topology.pools[pool].members.iter().take(100);
                others
                    .map(|&other| cx.topology.endpoints[other].port.known())
                    .any(|other| matches!(other, Some(Port::Written(written)) if *written != port))
            });
            let found = finding(
                format!("no port is written: {port} is taken"),
                format!("{} has no port, so {} connects to port {port}", what(), dialect.name()),
            )
            .severity(if odd && !public { Severity::Warning } else { Severity::Note })
            .confidence(if public { Confidence::Possible } else { Confidence::Likely });
            Some(found.why_of_dialect().help(format!("write the port, `:{port}` if it is meant")))
        }
        Port::OfScheme(port) if matches!(host, Some(Host::Ip(_))) => Some(
            finding(
                format!("no port is written: {port} follows from the scheme"),
                format!("{} has no port, so {} connects to port {port}", what(), dialect.name()),
            )
            .severity(Severity::Note)
            .confidence(Confidence::Possible)
            .assumed("an application on a bare address seldom listens on the scheme's own port")
            .help(format!("write the port, `:{port}` if it is meant")),
        ),
        Port::OfClient => {
            let checked = endpoint.check.enabled == Known::Yes(true) && !endpoint.check.own_port;
            let found = if checked {
                finding(
                    "no port is written, and none for the check".into(),
                    format!("{} has no port for its health check, so {} does not start", what(), dialect.name()),
                )
                .label_if(endpoint.check.site.map(|site| (site, "the check is asked for here".into())))
                .confidence(Confidence::Certain)
                .outcome(Outcome::DoesNotStart)
                .log("neither service port nor check port")
            } else {
                finding(
                    "no port is written: the one the client connected to is taken".into(),
                    format!("{} has no port, so {} connects to the port that the client used", what(), dialect.name()),
                )
                .severity(Severity::Warning)
            };
            Some(found.why_of_dialect().help("write the port that the application listens on"))
        }
        Port::OfScheme(_) | Port::Written(_) | Port::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn member(house: &mut House, address: &str, port: Port) -> (PoolId, EndpointId) {
        let pool = house.pool(4, "app");
        let member = house.member(pool, 5, address, 1);
        house.t.endpoints[member].port = Known::Yes(port);
        (pool, member)
    }

    #[test]
    fn a_member_without_port_gets_80_even_with_tls() {
        let mut house = House::nginx();
        let (pool, _) = member(&mut house, "127.0.0.5", Port::Always(80));
        let hop = house.hop(11, Target::Pool(pool));
        house.t.hops[hop].tls = House::tls(built_in(ServerName::Nothing), 11);
        let found = house.found(RuleId::GW110);
        assert_eq!(found.len(), 1);
        assert_eq!(lines(&found[0]), [5, 11]);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Warning, Confidence::Likely));
    }

    #[test]
    fn what_is_written_in_place_follows_the_scheme() {
        let said = |address, port| {
            let mut house = House::nginx();
            let endpoint = house.endpoint(7, address, port);
            house.hop(7, Target::Endpoint(endpoint));
            house.found(RuleId::GW110)
        };
        assert_eq!(said("127.0.0.5", Port::OfScheme(80))[0].confidence, Confidence::Possible);
        assert!(said("example.org", Port::OfScheme(443)).is_empty());
        assert!(said("127.0.0.5", Port::Written(80)).is_empty());
        assert_eq!(said("www.example.org", Port::Always(80))[0].severity, Severity::Note);
    }

    #[test]
    fn the_clients_port_is_taken() {
        let mut house = House::haproxy();
        let (pool, endpoint) = member(&mut house, "127.0.0.2", Port::OfClient);
        house.hop(4, Target::Pool(pool));
        assert_eq!(house.found(RuleId::GW110)[0].severity, Severity::Warning);
        house.t.endpoints[endpoint].check.enabled = Known::Yes(true);
        let found = house.found(RuleId::GW110);
        assert_eq!((found[0].severity, found[0].outcome), (Severity::Error, Outcome::DoesNotStart));
        house.t.endpoints[endpoint].check.own_port = true;
        assert_eq!(house.found(RuleId::GW110)[0].severity, Severity::Warning);
    }

    #[test]
    fn transparent_proxying_and_port_ranges_are_meant() {
        let mut house = House::haproxy();
        member(&mut house, "0.0.0.0", Port::OfClient);
        assert!(house.found(RuleId::GW110).is_empty());

        let mut house = House::haproxy();
        let (pool, _) = member(&mut house, "10.0.0.1", Port::OfClient);
        let hop = house.hop(4, Target::Pool(pool));
        let listener = house.listener(1, 8000, false);
        house.t.listeners[listener].bind = Known::Yes((Address::Net(Host::Any), Some((8000, 8010))));
        let host = house.host(1, &[listener]);
        house.route(host, 2, Matcher::Always, Some(hop));
        assert!(house.found(RuleId::GW110).is_empty());
    }
}
