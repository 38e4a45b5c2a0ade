//! GW411: the backend is asked for the pool's name.

use super::prelude::*;
use std::collections::HashSet;

/// GW411.
pub struct WrongHostHeader;

impl Rule for WrongHostHeader {
    fn id(&self) -> RuleId {
        RuleId::GW411
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        for (id, hop) in cx.topology.hops.iter() {
            if let Target::Pool(pool) = hop.target
                && hop.host_sent == HostSent::Targets
                && hop.protocol == Protocol::Http
                && !told.contains(&pool)
                && let Some(finding) = look(cx, id, hop, &cx.topology.pools[pool])
            {
                told.insert(pool);
                out.push(finding);
            }
        }
    }
}

fn look(cx: &Cx<'_>, id: HopId, hop: &Hop, pool: &Pool) -> Option<Finding> {
    // A pool named after its site is asked for that site; where a header is lost, another rule speaks.
    let told_elsewhere = hop.lost_headers.as_ref().is_some_and(|l| l.lost.iter().any(|l| l.role == HeaderRole::Host));
    if pool.name.contains('.') || told_elsewhere {
        return None;
    }
    let finding = |member: &Endpoint, text: &str, message: String| {
        Finding::new(RuleId::GW411, cx.dialect(hop.proxy), (hop.target_site, "no `Host` is set here".into()), message)
            .label((pool.name_site, "so this name is sent".into()))
            .label((member.address_site, text.into()))
            .why_of_dialect()
    };
    // A site on the Internet serves many names, and this is none of them.
    let site = serving(cx.topology, id).find_map(|m| Some((m, m.host_name().filter(|name| is_public_name(name))?)));
    if let Some((member, name)) = site {
        return Some(
            finding(
                member,
                "serves names of its own",
                format!("{} is asked for a site called {}", quote(name), quote(&pool.name)),
            )
            .confidence(Confidence::Likely)
            .assumed("public addresses are shared by many names")
            .help(format!("write `proxy_set_header Host {name};` beside the other headers of that level")),
        );
    }
    let member = serving(cx.topology, id).next()?;
    // Many backends do not look at the name; an underscore makes it one that some refuse to read.
    pool.name.contains('_').then(|| {
        finding(
            member,
            "gets it",
            format!(
                "the backend gets `Host: {}`, whose underscore no host name may have",
                crate::source::clean(&pool.name)
            ),
        )
        .severity(Severity::Note)
        .confidence(Confidence::Likely)
        .assumed("the backend looks at the name; Tomcat, Django and others refuse such a one with 400")
        .help("write `proxy_set_header Host $host;` beside the other headers of that level")
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(name: &str, member: &str, host: HostSent) -> Vec<(Severity, Vec<u32>)> {
        let mut house = House::nginx();
        let pool = house.pool(4, name);
        house.member(pool, 5, member, 80);
        let hop = house.hop(11, Target::Pool(pool));
        house.t.hops[hop].host_sent = host;
        house.found(RuleId::GW411).iter().map(|f| (f.severity, lines(f))).collect()
    }

    #[test]
    fn names_that_are_no_host() {
        assert_eq!(said("app_servers", "10.0.0.1", HostSent::Targets), [(Severity::Note, vec![11, 4, 5])]);
        assert_eq!(said("app", "api.shop.com", HostSent::Targets), [(Severity::Warning, vec![11, 4, 5])]);
    }

    #[test]
    fn ordinary_pools_are_fine() {
        assert!(said("app", "10.0.0.1", HostSent::Targets).is_empty());
        assert!(said("app_servers", "10.0.0.1", HostSent::Clients).is_empty());
        assert!(said("app_servers", "10.0.0.1", HostSent::Unknown).is_empty());
        assert!(said("shop.com", "api.shop.com", HostSent::Targets).is_empty());
    }
}
