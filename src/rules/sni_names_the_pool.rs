//! GW404: the name sent in the TLS handshake, or looked for in the certificate, is the pool's.

use super::prelude::*;
use std::collections::HashSet;

/// GW404.
pub struct SniNamesThePool;

impl Rule for SniNamesThePool {
    fn id(&self) -> RuleId {
        RuleId::GW404
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        for &id in cx.distinct_hops() {
            if let Some(finding) = look(cx, id)
                && told.insert(finding.primary().site)
            {
                out.push(finding);
            }
        }
    }
}

fn look(cx: &Cx<'_>, id: HopId) -> Option<Finding> {
    let hop = &cx.topology.hops[id];
    let Target::Pool(pool) = hop.target else { return None };
    let pool = &cx.topology.pools[pool];
    let tls = hop.tls.as_deref()?;
    let sent = tls.server_name.known() == Some(&ServerName::FromTarget);
    let checked = tls.verify.known() == Some(&true) && tls.checked_name == Known::Yes(ServerName::FromTarget);
    // A pool may be named after the site that its members serve.
    let named = pool.name.contains('.')
        || serving(cx.topology, id).any(|m| m.host_name().is_some_and(|name| name.eq_ignore_ascii_case(&pool.name)));
    if !(sent || checked) || named {
        return None;
    }
    let member = serving(cx.topology, id).next()?;
    let (at, what) = if sent {
        let at = tls.server_name.label(tls.site, "sends the name of the target, which is the pool's");
        (at, format!("the TLS handshake asks for {}, which is only the pool's name", quote(&pool.name)))
    } else {
        let at = tls.verify.label(tls.site, "looks for the name of the target, which is the pool's");
        (at, format!("the certificate is expected to be for {}, which is only the pool's name", quote(&pool.name)))
    };
    let finding = Finding::new(RuleId::GW404, cx.dialect(hop.proxy), at, what)
        .label((pool.name_site, "this name".into()))
        .label((hop.target_site, "TLS is spoken here".into()))
        .why_of_dialect()
        .help("write the name that the members serve: `proxy_ssl_name app.example.com;`");
    // Proof: a listener of this proxy that refuses names it does not know, and does not know this one.
    let refuses = |link: Link| {
        let listener = &cx.topology.listeners[link.listener];
        let knows = |host: &VirtualHostId| {
            cx.topology.virtual_hosts[*host]
                .names
                .iter()
                .any(|(name, _)| name.contains(['*', '~']) || name.eq_ignore_ascii_case(&pool.name))
        };
        let refuses = sent && listener.refuses_unknown_names && listener.tls == Known::Yes(true);
        (refuses && !listener.virtual_hosts.iter().any(knows)).then_some(listener.site)
    };
    Some(match member.leads_to.and_then(refuses) {
        Some(site) => {
            finding.confidence(Confidence::Certain).label((site, "refuses names that it does not know".into()))
        }
        None => finding.severity(Severity::Warning).confidence(Confidence::Likely),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(name: &str, member: &str, sends: ServerName, verifies: bool) -> House {
        let mut house = House::nginx();
        let pool = house.pool(4, name);
        house.member(pool, 5, member, 443);
        let hop = house.hop(13, Target::Pool(pool));
        let mut tls = House::tls(written(sends, 11), 13);
        if let Some(tls) = &mut tls {
            tls.verify = written(verifies, 12);
        }
        house.t.hops[hop].tls = tls;
        house
    }

    #[test]
    fn a_pools_name_is_no_sites() {
        let found = house("app", "10.0.0.1", ServerName::FromTarget, false).found(RuleId::GW404);
        assert_eq!((lines(&found[0]), found[0].severity), (vec![11, 4, 13], Severity::Warning));
        let found = house("app", "10.0.0.1", ServerName::Nothing, true).found(RuleId::GW404);
        assert_eq!(lines(&found[0]), [12, 4, 13]);
    }

    #[test]
    fn other_names_are_fine() {
        assert!(house("app.shop.com", "10.0.0.1", ServerName::FromTarget, true).found(RuleId::GW404).is_empty());
        assert!(house("app", "App", ServerName::FromTarget, true).found(RuleId::GW404).is_empty());
        assert!(house("app", "10.0.0.1", ServerName::Nothing, false).found(RuleId::GW404).is_empty());
    }
}
