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
        let mut told = HashSet::new();
        for id in distinct_hops(cx.topology) {
            let hop = &cx.topology.hops[id];
            for &member in cx.topology.members(id).iter().take(1000) {
                let endpoint = &cx.topology.endpoints[member];
                if endpoint.backup || !endpoint.is_usable() {
                    continue;
                }
                let found = own_listener(cx, hop, endpoint)
                    .or_else(|| proved(cx, hop, member))
                    .or_else(|| fpm(cx, hop, endpoint));
                if let Some(finding) = found
                    && told.insert((finding.primary().site, hop.protocol))
                {
                    out.push(finding);
                }
            }
        }
    }
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
    let spoken = words(hop.protocol)?;
    let listener = &cx.topology.listeners[endpoint.leads_to?.listener];
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
        Spoken::H2c => "HTTP/2",
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
            matches!(spoken, Spoken::Fastcgi | Spoken::Uwsgi | Spoken::Scgi | Spoken::Ajp | Spoken::Other)
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
    if hop.tls.is_some() || endpoint.tls.is_some() || endpoint.send_proxy {
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
        _ => finding,
    };
    let finding = match (spoken, weight) {
        _ if first.guessed => finding.severity(Severity::Note).confidence(Confidence::Possible),
        (Spoken::Other, _) => finding.severity(Severity::Warning).confidence(Confidence::Likely),
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
        .help("write `fastcgi_pass`, with `fastcgi_param SCRIPT_FILENAME …`"),
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
    fn a_port_needs_a_second_hint() {
        assert_eq!(said("php", 9000, Protocol::Http, None), [(Severity::Warning, vec![7, 8])]);
        assert_eq!(said("shop-php8-fpm", 9000, Protocol::Http, None).len(), 1);
        assert!(said("minio", 9000, Protocol::Http, None).is_empty());
        assert!(said("127.0.0.1", 9000, Protocol::Http, None).is_empty());
        assert!(said("php-apache", 9000, Protocol::Http, None).is_empty());
        assert!(said("php", 80, Protocol::Http, None).is_empty());
        assert!(said("php", 9000, Protocol::Fastcgi, None).is_empty());
    }
}
