//! GW406: proxy and backend have no TLS version in common.

use super::prelude::*;
use crate::value::Version;
use std::collections::HashSet;

/// The first release of nginx that speaks TLS 1.3 without being told to.
const WITH_1_3: Version = Version(1, 23, 4);

/// GW406.
pub struct TlsVersionsDisjoint;

impl Rule for TlsVersionsDisjoint {
    fn id(&self) -> RuleId {
        RuleId::GW406
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        for (id, hop) in cx.topology.hops.iter() {
            for endpoint in serving(cx.topology, id) {
                if let Some(tls) = cx.topology.tls_to(hop, endpoint)
                    && let Some(finding) = look(cx, hop, endpoint, tls).or_else(|| ciphers(cx, hop, endpoint, tls))
                    && told.insert((finding.primary().site, endpoint.site))
                {
                    out.push(finding);
                }
            }
        }
    }
}

fn look(cx: &Cx<'_>, hop: &Hop, endpoint: &Endpoint, tls: &TlsClient) -> Option<Finding> {
    let listener = &cx.topology.listeners[endpoint.leads_to?.listener];
    let (ours, theirs) = (*tls.versions.known()?, *listener.tls_versions.known()?);
    if listener.tls != Known::Yes(true) {
        return None;
    }
    // Releases before 1.23.4 leave TLS 1.3 out unless it is written. Where the release is known, so is what it has built
    // in.
    let either = cx.topology.proxies[hop.proxy].versions.reach(WITH_1_3).is_none();
    let one_is_1_3 =
        |one: TlsVersions, other: &Setting<TlsVersions>| one == TlsVersions::ONLY_1_3 && !other.is_written();
    let older = either && (one_is_1_3(theirs, &tls.versions) || one_is_1_3(ours, &listener.tls_versions));
    let both = tls.versions.is_written() && listener.tls_versions.is_written();
    if !(older || (both || !either) && ours.is_disjoint(theirs)) {
        return None;
    }
    let mut finding = Finding::new(
        RuleId::GW406,
        cx.dialect(hop.proxy),
        match tls.versions.is_written() {
            true => tls.versions.label(tls.site, format!("speaks {}", ours.words())),
            false if older => (tls.site, "speaks what is built in, which had no TLSv1.3 before nginx 1.23.4".into()),
            false => tls.versions.label(tls.site, format!("speaks {}", ours.words())),
        },
        match older {
            true => format!("nginx before 1.23.4 has no TLS version in common with {}", address_words(endpoint)),
            false => format!("there is no TLS version in common with {}", address_words(endpoint)),
        },
    )
    .label(match listener.tls_versions.is_written() {
        true => listener.tls_versions.label(listener.site, format!("speaks {}", theirs.words())),
        false if older => (listener.site, "speaks what is built in, which had no TLSv1.3 before nginx 1.23.4".into()),
        false => listener.tls_versions.label(listener.site, format!("speaks {}", theirs.words())),
    })
    .label((hop.target_site, "TLS is spoken here".into()))
    .why_of_dialect()
    .help("name the versions on both sides, with one in common: `TLSv1.2 TLSv1.3`");
    if older {
        finding = finding
            .severity(Severity::Warning)
            .confidence(Confidence::Likely)
            .assumed("nginx may be older than 1.23.4, as in Debian 12 and Ubuntu 22.04");
    }
    Some(finding)
}

/// Both sides list their ciphers, and none is on both lists. TLS 1.3 has ciphers of its own.
fn ciphers(cx: &Cx<'_>, hop: &Hop, endpoint: &Endpoint, tls: &TlsClient) -> Option<Finding> {
    let listener = &cx.topology.listeners[endpoint.leads_to?.listener];
    let (ours, theirs) = (tls.ciphers.as_ref()?, listener.ciphers.as_ref()?);
    if listener.tls != Known::Yes(true) || ours.names.iter().any(|name| theirs.names.contains(name)) {
        return None;
    }
    // What is built in has TLS 1.3 from 1.23.4 on; which release runs is in no file.
    let has_1_3 = |versions: &Setting<TlsVersions>| match versions.known() {
        Some(versions_known) if versions.is_written() => Some(!versions_known.is_disjoint(TlsVersions::ONLY_1_3)),
        _ => None,
    };
    let certain = match (has_1_3(&tls.versions), has_1_3(&listener.tls_versions)) {
        (Some(false), _) | (_, Some(false)) => true,
        (Some(true), Some(true)) => return None,
        _ => false,
    };
    let finding = Finding::new(
        RuleId::GW406,
        cx.dialect(hop.proxy),
        (ours.site, "offers only these".into()),
        format!("there is no TLS cipher in common with {}", address_words(endpoint)),
    )
    .log("alert handshake failure")
    .label((theirs.site, "accepts only these".into()))
    .label((hop.target_site, "TLS is spoken here".into()))
    .why("a backend that accepts none of the offered ciphers ends the handshake: 502")
    .help("name at least one cipher on both sides, or let both speak TLSv1.3");
    Some(match certain {
        true => finding,
        false => finding
            .severity(Severity::Warning)
            .confidence(Confidence::Likely)
            .assumed("nginx may be older than 1.23.4, and then has no TLSv1.3 unless it is written"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::value::Versions;

    fn of(names: &[&str]) -> TlsVersions {
        names.iter().fold(TlsVersions::default(), |versions, name| versions.with(name).unwrap())
    }

    fn house(ours: Setting<TlsVersions>, theirs: Setting<TlsVersions>) -> House {
        let mut house = House::nginx();
        let endpoint = house.endpoint(8, "127.0.0.1", Port::Written(21140));
        let hop = house.hop(8, Target::Endpoint(endpoint));
        let mut tls = House::tls(built_in(ServerName::Nothing), 8).unwrap();
        tls.versions = ours;
        house.t.hops[hop].tls = Some(tls);
        let listener = house.listener(13, 21140, true);
        house.t.listeners[listener].tls_versions = theirs;
        house.leads_to(endpoint, listener, None);
        house
    }

    fn said(ours: Setting<TlsVersions>, theirs: Setting<TlsVersions>) -> Vec<(Severity, Vec<u32>)> {
        house(ours, theirs).found(RuleId::GW406).iter().map(|f| (f.severity, lines(f))).collect()
    }

    #[test]
    fn both_sides_written() {
        let (old, new) = (of(&["TLSv1.2"]), of(&["TLSv1.3"]));
        assert_eq!(said(written(old, 7), written(new, 16)), [(Severity::Error, vec![7, 16, 8])]);
        assert!(said(written(of(&["TLSv1.2", "TLSv1.3"]), 7), written(new, 16)).is_empty());
    }

    #[test]
    fn built_in_versions_depend_on_the_release() {
        let usual = of(&["TLSv1.2", "TLSv1.3"]);
        assert_eq!(said(built_in(usual), written(of(&["TLSv1.3"]), 16)), [(Severity::Warning, vec![8, 16])]);
        assert_eq!(said(written(of(&["TLSv1.3"]), 7), built_in(usual)), [(Severity::Warning, vec![7, 13, 8])]);
        assert!(said(built_in(usual), written(of(&["TLSv1.2"]), 16)).is_empty());
        assert!(said(built_in(usual), built_in(usual)).is_empty());
    }

    #[test]
    fn a_release_that_is_known_decides() {
        let (old, new) = (of(&["TLSv1", "TLSv1.1", "TLSv1.2"]), of(&["TLSv1.3"]));
        let with = |asked: &str, ours| {
            let mut house = house(built_in(ours), written(new, 16));
            house.t.proxies[house.proxy].versions = Versions::asked(asked).unwrap();
            house.found(RuleId::GW406).iter().map(|f| f.severity).collect::<Vec<_>>()
        };
        assert_eq!(with("1.22", old), [Severity::Error]);
        assert!(with("1.24", of(&["TLSv1.2", "TLSv1.3"])).is_empty());
    }

    #[test]
    fn versions_have_names() {
        assert_eq!(of(&["tlsv1.3", "TLSv1"]).words(), "TLSv1 TLSv1.3");
        assert_eq!(TlsVersions::default().with("TLSv2"), None);
    }
}
