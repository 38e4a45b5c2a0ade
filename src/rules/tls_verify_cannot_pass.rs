//! GW405: one side checks certificates, and the other side has nothing to show, or the checker nothing to compare with.

use super::prelude::*;
use std::collections::HashSet;

/// GW405.
pub struct TlsVerifyCannotPass;

impl Rule for TlsVerifyCannotPass {
    fn id(&self) -> RuleId {
        RuleId::GW405
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        for (id, hop) in cx.topology.hops.iter() {
            let Some(tls) = hop.tls.as_deref() else { continue };
            let found = no_trust(cx, hop, tls).or_else(|| no_certificate(cx, id, hop, tls));
            if let Some(finding) = found
                && told.insert(finding.primary().site)
            {
                out.push(finding);
            }
        }
    }
}

/// The proxy checks the backend, and knows no authority.
fn no_trust(cx: &Cx<'_>, hop: &Hop, tls: &TlsClient) -> Option<Finding> {
    if tls.verify.known() != Some(&true) || tls.trust != Known::Yes(None) {
        return None;
    }
    Some(
        Finding::new(
            RuleId::GW405,
            cx.dialect(hop.proxy),
            tls.verify.label(tls.site, "certificates are checked"),
            "the backend's certificate is to be checked, and no authority is named to check it against",
        )
        .label((hop.target_site, "TLS is spoken here".into()))
        .why_of_dialect()
        .help("name the authorities with `proxy_ssl_trusted_certificate`"),
    )
}

/// The backend, a listener of this proxy, wants a certificate, and the proxy shows none.
fn no_certificate(cx: &Cx<'_>, id: HopId, hop: &Hop, tls: &TlsClient) -> Option<Finding> {
    if tls.certificate != Known::Yes(None) {
        return None;
    }
    let (member, wanted, link) = serving(cx.topology, id).find_map(|member| {
        let link = member.leads_to?;
        Some((member, wanted_by(cx.topology, link)?, link))
    })?;
    Some(
        Finding::new(
            RuleId::GW405,
            cx.dialect(hop.proxy),
            (hop.target_site, "no certificate is shown from here".into()),
            format!("{} turns away clients without a certificate, and none is shown to it", address_words(member)),
        )
        .outcome(Outcome::Status(400))
        .log("client sent no required SSL certificate")
        .label((wanted, "a certificate is demanded".into()))
        .label((cx.topology.listeners[link.listener].site, "leads here".into()))
        .label((member.address_site, "goes to that listener".into()))
        .why("the handshake ends well, and every request is answered with 400 \"No required SSL certificate was sent\"")
        .help("write `proxy_ssl_certificate` and `proxy_ssl_certificate_key`"),
    )
}

/// Where a certificate is demanded, whichever virtual host takes the request.
fn wanted_by(topology: &Topology, link: Link) -> Option<Site> {
    let listener = &topology.listeners[link.listener];
    if listener.tls != Known::Yes(true) {
        return None;
    }
    let wants = |host: VirtualHostId| topology.virtual_hosts[host].wants_certificate;
    match link.virtual_host {
        Some(host) => wants(host),
        None => {
            let all: Option<Vec<Site>> = listener.virtual_hosts.iter().map(|&host| wants(host)).collect();
            all?.first().copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house() -> (House, EndpointId, HopId) {
        let mut house = House::nginx();
        let endpoint = house.endpoint(7, "127.0.0.1", Port::Written(21140));
        let hop = house.hop(7, Target::Endpoint(endpoint));
        house.t.hops[hop].tls = House::tls(built_in(ServerName::Nothing), 7);
        (house, endpoint, hop)
    }

    #[test]
    fn checking_needs_an_authority() {
        let (mut house, _, hop) = house();
        assert!(house.found(RuleId::GW405).is_empty());
        house.t.hops[hop].tls.as_mut().unwrap().verify = written(true, 6);
        assert_eq!(lines(&house.found(RuleId::GW405)[0]), [6, 7]);
        for trust in [Known::Yes(Some(at(5))), Known::Unknown(Reason::UnreadInclude)] {
            house.t.hops[hop].tls.as_mut().unwrap().trust = trust;
            assert!(house.found(RuleId::GW405).is_empty());
        }
    }

    #[test]
    fn a_demanded_certificate_must_be_shown() {
        let (mut house, endpoint, hop) = house();
        let listener = house.listener(12, 21140, true);
        let host = house.host(11, &[listener]);
        house.leads_to(endpoint, listener, None);
        assert!(house.found(RuleId::GW405).is_empty());
        house.t.virtual_hosts[host].wants_certificate = Some(at(16));
        assert_eq!(lines(&house.found(RuleId::GW405)[0]), [7, 16, 12]);
        house.t.hops[hop].tls.as_mut().unwrap().certificate = Known::Yes(Some(at(6)));
        assert!(house.found(RuleId::GW405).is_empty());
    }
}
