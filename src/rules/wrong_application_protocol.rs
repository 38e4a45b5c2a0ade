//! GW407: HTTP, FastCGI or uwsgi is spoken to something else.

use super::around::behind;
use super::prelude::*;
use std::collections::HashSet;

/// GW407.
pub struct WrongApplicationProtocol;

impl Rule for WrongApplicationProtocol {
    fn id(&self) -> RuleId {
        RuleId::GW407
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::WrongProtocol, cx, out);
        // Of a listener that the proxy's own hops lead to, those hops are judged.
        let inner: HashSet<_> =
            cx.topology.endpoints.iter().filter_map(|(_, endpoint)| Some(endpoint.leads_to?.listener)).collect();
        for (id, listener) in cx.topology.listeners.iter() {
            if !inner.contains(&id)
                && let Some(finding) = http2_only(cx, listener)
            {
                out.push(finding);
            }
        }
        let mut told = HashSet::new();
        for &id in cx.distinct_hops() {
            let hop = &cx.topology.hops[id];
            for &member in cx.topology.members(id).iter().take(1000) {
                let endpoint = &cx.topology.endpoints[member];
                if endpoint.backup || !endpoint.is_usable() {
                    continue;
                }
                let found = own_listener(cx, hop, endpoint)
                    .or_else(|| proved(cx, hop, member))
                    .or_else(|| fpm(cx, hop, endpoint))
                    .or_else(|| database(cx, hop, endpoint));
                if let Some(finding) = found
                    && told.insert((finding.primary().site, hop.protocol))
                {
                    out.push(finding);
                }
            }
        }
    }
}

/// A port on which clients with HTTP/1 are turned away. Where every backend speaks HTTP/2, so do the clients.
fn http2_only(cx: &Cx<'_>, listener: &Listener) -> Option<Finding> {
    let topology = cx.topology;
    let (site, until) = listener.only_http2?;
    let mut hops = listener
        .virtual_hosts
        .iter()
        .flat_map(|&host| &topology.virtual_hosts[host].routes)
        .filter_map(|&route| topology.routes[route].hop)
        .map(|hop| &topology.hops[hop])
        .peekable();
    let meant = hops.peek().is_some() && hops.all(|hop| hop.protocol == Protocol::Http2);
    if meant || listener.tls != Known::Yes(false) {
        return None;
    }
    let dialect = cx.dialect(listener.proxy);
    let at = (site, "takes HTTP/2 only".to_owned());
    let finding = Finding::new(RuleId::GW407, dialect, at, "clients that speak HTTP/1 get no answer here")
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .outcome(Outcome::ConnectionClosed)
        .assumed("without TLS, browsers, health checks and most proxies speak HTTP/1".to_owned());
    Some(match until {
        Some(release) => finding
            .log("")
            .assumed(older(dialect, release))
            .why("the port waits for the first bytes of HTTP/2, and takes nothing else")
            .help("leave `http2` out where there is no TLS, or give clients with HTTP/2 a port of their own"),
        None => finding.why_of_dialect().help("remove it: HTTP/2 is still recognised by its first bytes"),
    })
}

fn older(dialect: Dialect, release: &str) -> String {
    format!("{} is older than {release}, from which on such a port recognises both", dialect.name())
}

const fn words(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Fastcgi => Some("FastCGI"),
        Protocol::Uwsgi => Some("the uwsgi protocol"),
        _ => None,
    }
}

/// A listener of this proxy, which speaks HTTP.
fn own_listener(cx: &Cx<'_>, hop: &Hop, endpoint: &Endpoint) -> Option<Finding> {
    let listener = &cx.topology.listeners[endpoint.leads_to?.listener];
    let dialect = cx.dialect(endpoint.proxy);
    let spoken_to = |what: &str, message: String| {
        Finding::new(RuleId::GW407, dialect, (endpoint.address_site, format!("{what} goes to this port")), message)
    };
    let plain = listener.tls == Known::Yes(false) && cx.topology.tls_to(hop, endpoint).is_none();
    match (hop.protocol, listener.only_http2) {
        (Protocol::Http, Some((site, until))) if plain => {
            let message =
                format!("HTTP/1 is spoken to {}, and that listener takes HTTP/2 only", address_words(endpoint));
            let finding = spoken_to("HTTP/1", message).label((site, "HTTP/2 only".into()));
            let finding = finding.help("take one of the two to the protocol of the other");
            return Some(match until {
                Some(release) => finding
                    .severity(Severity::Warning)
                    .confidence(Confidence::Likely)
                    .outcome(Outcome::WrongAnswer)
                    .log("upstream sent no valid HTTP/1.0 header")
                    .assumed(older(dialect, release))
                    .why("the bytes of HTTP/2 are handed to the client as they are, and its connection hangs"),
                None => finding.why_of_dialect(),
            });
        }
        (Protocol::Http2, _) if plain && listener.http2 == Known::Yes(false) => {
            if listener.speaks_http != Known::Yes(true) {
                return None;
            }
            let message =
                format!("HTTP/2 is spoken to {}, and that listener speaks HTTP/1 only", address_words(endpoint));
            return Some(
                spoken_to("HTTP/2", message)
                    .outcome(Outcome::Status(502))
                    .log("upstream sent too large http2 frame: 4740180")
                    .label((listener.site, "no HTTP/2 here".into()))
                    .label((hop.target_site, "HTTP/2 is spoken here".into()))
                    .why("the answer in HTTP/1 is read as a frame of HTTP/2; 4740180 is what the letters `HTT` come to")
                    .help("write `http2` on its `listen` line, or `proxy_pass http://…` here"),
            );
        }
        _ => {}
    }
    let spoken = words(hop.protocol)?;
    if listener.speaks_http != Known::Yes(true) {
        return None;
    }
    let finding = Finding::new(
        RuleId::GW407,
        cx.dialect(endpoint.proxy),
        (endpoint.address_site, format!("{spoken} goes to this port")),
        format!("{spoken} is spoken to {}, and that listener speaks HTTP", address_words(endpoint)),
    );
    let finding = match hop.protocol {
        Protocol::Fastcgi => finding,
        // nginx takes the bytes for a bad request, and the client gets its answer.
        _ => finding.outcome(Outcome::Status(400)),
    };
    Some(
        finding
            .label((listener.site, "which speaks HTTP".into()))
            .label((hop.target_site, format!("{spoken} is spoken here")))
            .why_of_dialect()
            .help("write `proxy_pass http://…` to an HTTP port"),
    )
}

const fn spoken_words(spoken: Spoken) -> &'static str {
    match spoken {
        Spoken::Http => "HTTP",
        Spoken::Https => "HTTP over TLS",
        Spoken::H2c => "gRPC",
        Spoken::Fastcgi => "FastCGI",
        Spoken::Uwsgi => "the uwsgi protocol",
        Spoken::Scgi => "SCGI",
        Spoken::Ajp => "AJP",
        Spoken::Other => "a protocol of its own",
    }
}

/// Whether a server that speaks one thing cannot answer the other.
fn crossed(protocol: Protocol, spoken: Spoken) -> bool {
    match protocol {
        Protocol::Http => {
            matches!(spoken, Spoken::Fastcgi | Spoken::Uwsgi | Spoken::Scgi | Spoken::Ajp | Spoken::H2c | Spoken::Other)
        }
        Protocol::Fastcgi => spoken != Spoken::Fastcgi,
        Protocol::Uwsgi => spoken != Spoken::Uwsgi,
        Protocol::Scgi => spoken != Spoken::Scgi,
        _ => false,
    }
}

/// A program whose own configuration, command or image says what it speaks.
fn proved(cx: &Cx<'_>, hop: &Hop, member: EndpointId) -> Option<Finding> {
    let endpoint = &cx.topology.endpoints[member];
    let sends_proxy = endpoint.send_proxy.unwrap_or(!matches!(hop.sends_proxy, Known::Yes(None)));
    if hop.tls.is_some() || endpoint.tls.is_some() || sends_proxy {
        return None;
    }
    let behind = behind(cx.topology, member);
    let wrong = |one: &super::around::Behind<'_>| {
        let claim = one.claim?;
        let spoken = claim.spoken.filter(|&spoken| claim.weight >= Weight::Medium && crossed(hop.protocol, spoken))?;
        // Other evidence about the same place may say that it is understood.
        let understood = one
            .workload
            .claims
            .iter()
            .any(|other| other.at == claim.at && other.spoken.is_some_and(|spoken| !crossed(hop.protocol, spoken)));
        (!understood && !one.workload.claims_open).then_some((claim.site, claim.weight, spoken))
    };
    let first = behind.first()?;
    let (site, weight, spoken) = wrong(first)?;
    let claim = first.claim?;
    if !behind.iter().all(|one| wrong(one).is_some()) {
        return None;
    }
    let asked = match hop.protocol {
        Protocol::Http => "HTTP",
        Protocol::Scgi => "SCGI",
        protocol => words(protocol)?,
    };
    let answers = spoken_words(spoken);
    let dialect = cx.dialect(endpoint.proxy);
    let finding = Finding::new(
        RuleId::GW407,
        dialect,
        (endpoint.address_site, format!("{asked} goes to this address")),
        format!(
            "{asked} is spoken to {}, and {} speaks {answers} there",
            address_words(endpoint),
            quote(&first.workload.name)
        ),
    )
    .label((site, format!("{}: {answers}", claim.words)));
    let finding = match (hop.protocol, spoken) {
        (Protocol::Uwsgi, Spoken::Http) => finding.outcome(Outcome::Either(400, 502)),
        _ => finding.outcome(Outcome::Status(502)),
    };
    let finding = match (spoken, weight) {
        _ if first.guessed => finding.severity(Severity::Note).confidence(Confidence::Possible),
        (Spoken::Other, _) => finding.severity(Severity::Warning).confidence(Confidence::Likely),
        // Nobody has run the program.
        (_, Weight::Source) => finding.severity(Severity::Warning).confidence(Confidence::Likely),
        (_, Weight::Medium) if spoken != Spoken::Fastcgi => {
            finding.severity(Severity::Warning).confidence(Confidence::Likely)
        }
        _ => finding,
    };
    let finding = finding
        .label((hop.target_site, format!("{asked} is spoken here")))
        .why("neither side understands the other: every request fails");
    Some(match spoken {
        Spoken::Http => finding.help("speak HTTP to it"),
        Spoken::Fastcgi => finding.help("speak FastCGI to it: `fastcgi_pass` in nginx, an `fcgi-app` in HAProxy"),
        Spoken::Uwsgi => {
            finding.help("let uwsgi listen with `http-socket`; or speak its protocol: `uwsgi_pass` in nginx")
        }
        Spoken::H2c => finding.help("speak gRPC to it: `grpc_pass grpc://…` in nginx, `proto h2` in HAProxy"),
        Spoken::Ajp => finding.help("ask the HTTP connector: only Apache httpd speaks AJP here"),
        _ => finding,
    })
}

/// HTTP to what is evidently a php-fpm.
fn fpm(cx: &Cx<'_>, hop: &Hop, endpoint: &Endpoint) -> Option<Finding> {
    if hop.protocol != Protocol::Http || endpoint.leads_to.is_some() {
        return None;
    }
    let hint = match endpoint.address.known()? {
        Address::Socket(path) => {
            let name = path.rsplit('/').next().unwrap_or_default();
            let fpm = name.contains("php") && name.contains("fpm");
            fpm.then(|| format!("{} is the usual name of a php-fpm's socket", quote(path)))?
        }
        // The port alone proves nothing: SonarQube, Portainer and MinIO have it too.
        Address::Net(host) if endpoint.port == Known::Yes(Port::Written(9000)) => {
            let pool = endpoint.pool.map(|pool| &*cx.topology.pools[pool].name);
            let name = match host {
                Host::Name(name) => Some(&**name),
                _ => None,
            };
            let named = [pool, name].into_iter().flatten().find(|name| is_php(name))?;
            format!("port 9000 and the name {} are those of a php-fpm", quote(named))
        }
        _ => return None,
    };
    Some(
        Finding::new(
            RuleId::GW407,
            cx.dialect(endpoint.proxy),
            (endpoint.address_site, "HTTP goes to this address".into()),
            format!("HTTP is spoken to {}, which is likely to speak FastCGI", address_words(endpoint)),
        )
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .log("while reading response header from upstream")
        .label((hop.target_site, "HTTP is spoken here".into()))
        .assumed(hint)
        .why("php-fpm resets a connection that begins with anything else, and the client gets 502")
        .outcome(Outcome::Status(502))
        .help("speak FastCGI to it: `fastcgi_pass` in nginx, `proto fcgi` with `use-fcgi-app` in HAProxy"),
    )
}

/// HTTP to a port that belongs to something else by long custom.
fn database(cx: &Cx<'_>, hop: &Hop, endpoint: &Endpoint) -> Option<Finding> {
    const OTHERS: [(u16, &str); 9] = [
        (22, "SSH"),
        (25, "mail"),
        (3306, "MySQL"),
        (5432, "PostgreSQL"),
        (5672, "RabbitMQ"),
        (6379, "Redis"),
        (9042, "Cassandra"),
        (11211, "memcached"),
        (27017, "MongoDB"),
    ];
    let Known::Yes(Port::Written(port)) = endpoint.port else { return None };
    let (_, what) = OTHERS.iter().find(|(other, _)| *other == port)?;
    if hop.protocol != Protocol::Http || endpoint.leads_to.is_some() || endpoint.tls.is_some() {
        return None;
    }
    Some(
        Finding::new(
            RuleId::GW407,
            cx.dialect(endpoint.proxy),
            (endpoint.address_site, "HTTP goes to this port".into()),
            format!("HTTP is spoken to {}, and port {port} is that of {what}", address_words(endpoint)),
        )
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .outcome(Outcome::Status(502))
        .log("")
        .label((hop.target_site, "HTTP is spoken here".into()))
        .why("whoever speaks another protocol closes the connection, or answers with something that is no HTTP")
        .help("hand the bytes on unread (`stream` in nginx, `mode tcp` in HAProxy), or correct the port"),
    )
}

/// Whether a name has a part that says php or fpm, and none that says a web server is before it.
fn is_php(name: &str) -> bool {
    let parts = || name.split(['-', '_', '.']).map(str::to_ascii_lowercase);
    let php =
        |part: &str| part == "fpm" || part == "phpfpm" || part.trim_end_matches(|c: char| c.is_ascii_digit()) == "php";
    parts().any(|part| php(&part))
        && !parts().any(|part| matches!(part.as_str(), "apache" | "apache2" | "nginx" | "web"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(address: &str, port: u16, protocol: Protocol, http: Option<bool>) -> Vec<(Severity, Vec<u32>)> {
        let mut house = House::nginx();
        let endpoint = house.endpoint(7, address, Port::Written(port));
        let hop = house.hop(8, Target::Endpoint(endpoint));
        house.t.hops[hop].protocol = protocol;
        if let Some(http) = http {
            let listener = house.listener(11, port, false);
            house.t.listeners[listener].speaks_http = Known::Yes(http);
            house.leads_to(endpoint, listener, None);
        }
        house.found(RuleId::GW407).iter().map(|f| (f.severity, lines(f))).collect()
    }

    #[test]
    fn an_own_listener_is_proof() {
        let error = [(Severity::Error, vec![7, 11, 8])];
        assert_eq!(said("127.0.0.1", 8000, Protocol::Fastcgi, Some(true)), error);
        assert_eq!(said("127.0.0.1", 8000, Protocol::Uwsgi, Some(true)), error);
        assert!(said("127.0.0.1", 8000, Protocol::Fastcgi, Some(false)).is_empty());
        assert!(said("127.0.0.1", 8000, Protocol::Http, Some(true)).is_empty());
    }

    #[test]
    fn a_listener_for_http2_alone() {
        let house = |to: Protocol| {
            let mut house = House::haproxy();
            let pool = house.pool(20, "app");
            let hop = house.hop(20, Target::Pool(pool));
            house.t.hops[hop].protocol = to;
            let listener = house.listener(12, 8080, false);
            house.t.listeners[listener].only_http2 = Some((at(12), None));
            let host = house.host(11, &[listener]);
            house.route(host, 13, Matcher::Always, Some(hop));
            house
        };
        let found = house(Protocol::Http).found(RuleId::GW407);
        assert_eq!((found[0].severity, lines(&found[0])), (Severity::Warning, vec![12]));
        assert!(house(Protocol::Http2).found(RuleId::GW407).is_empty());
        // One that leads back to it in HTTP/1 proves it.
        let mut house = house(Protocol::Http);
        let endpoint = house.endpoint(30, "127.0.0.1", Port::Written(8080));
        house.hop(29, Target::Endpoint(endpoint));
        let listener = house.t.listeners.iter().next().map(|(id, _)| id).unwrap();
        house.leads_to(endpoint, listener, None);
        assert!(house.found(RuleId::GW407).iter().any(|f| f.severity == Severity::Error && lines(f) == [30, 12]));
    }

    #[test]
    fn http2_to_a_listener_without_it() {
        let mut house = House::nginx();
        let endpoint = house.endpoint(7, "127.0.0.1", Port::Written(8000));
        let hop = house.hop(8, Target::Endpoint(endpoint));
        house.t.hops[hop].protocol = Protocol::Http2;
        let listener = house.listener(11, 8000, false);
        house.t.listeners[listener].speaks_http = Known::Yes(true);
        house.leads_to(endpoint, listener, None);
        assert!(house.found(RuleId::GW407).is_empty());
        house.t.listeners[listener].http2 = Known::Yes(false);
        let found = house.found(RuleId::GW407);
        assert_eq!((found[0].severity, lines(&found[0])), (Severity::Error, vec![7, 11, 8]));
    }

    #[test]
    fn a_port_needs_a_second_hint() {
        assert_eq!(said("php", 9000, Protocol::Http, None), [(Severity::Warning, vec![7, 8])]);
        assert_eq!(said("shop-php8-fpm", 9000, Protocol::Http, None).len(), 1);
        assert!(said("minio", 9000, Protocol::Http, None).is_empty());
        assert!(said("127.0.0.1", 9000, Protocol::Http, None).is_empty());
        assert!(said("php-apache", 9000, Protocol::Http, None).is_empty());
        assert!(said("php", 80, Protocol::Http, None).is_empty());
        assert!(said("php", 9000, Protocol::Fastcgi, None).is_empty());
        assert_eq!(said("db", 5432, Protocol::Http, None), [(Severity::Warning, vec![7, 8])]);
        assert!(said("db", 5432, Protocol::Tcp, None).is_empty());
    }
}
