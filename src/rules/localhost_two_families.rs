//! GW113: a name has addresses of two families, and one of them is not answered.

use super::prelude::*;
use std::collections::HashMap;
use std::net::IpAddr;

/// GW113.
pub struct LocalhostTwoFamilies;

impl Rule for LocalhostTwoFamilies {
    fn id(&self) -> RuleId {
        RuleId::GW113
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        tell_faults(self.id(), FaultKind::TwoFamilies, cx, out);
        // Resolvers that are asked over IPv4 and give addresses of both families. A container engine's own gives
        // those that the containers have.
        let is_v4 = |host: &Host| matches!(host, Host::Ip(IpAddr::V4(ip)) if ip.octets() != [127, 0, 0, 11]);
        let mixing: HashMap<Site, ()> = topology
            .resolvers
            .iter()
            .filter(|(_, resolver)| resolver.mixes_families)
            .filter(|(_, resolver)| {
                resolver.servers.known().is_some_and(|all| !all.is_empty() && all.iter().all(|(host, _)| is_v4(host)))
            })
            .map(|(_, resolver)| (resolver.site, ()))
            .collect();
        if mixing.is_empty() {
            return;
        }
        look_at_hops(cx, out, |cx, _, hop| {
            let Target::Computed(computed) = &hop.target else { return None };
            let Known::Yes(Some(resolver)) = computed.resolver else { return None };
            // Only where a second address is never tried does the first one decide.
            let alone = hop.retry.on.known() == Some(&RetryOn::default()) && hop.retry.on.is_written();
            if !alone || !mixing.contains_key(&resolver) {
                return None;
            }
            let name = computed.outcomes.iter().find(|outcome| outcome.is == ComputedKind::HostName)?;
            let message = format!(
                "if {} has an IPv6 address that is not answered, every second request or so fails",
                quote(&name.name)
            );
            Some(
                Finding::new(
                    self.id(),
                    cx.dialect(hop.proxy),
                    (hop.target_site, "one of its addresses is taken".to_owned()),
                    message,
                )
                .severity(Severity::Note)
                .confidence(Confidence::Possible)
                .label((resolver, "asked for addresses of both families".to_owned()))
                .label(hop.retry.on.label(hop.site, "no second address is tried"))
                .why_of_dialect()
                .assumed("the backend listens on IPv4 alone, or there is no way to it over IPv6")
                .help("write `ipv6=off` behind the name servers, or let nginx try another address"),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(on: RetryOn, servers: &[&str], mixes_families: bool) -> usize {
        let mut house = House::nginx();
        let proxy = house.proxy;
        let servers = servers.iter().map(|server| (Host::parse(server), at(3))).collect();
        house.t.resolvers.push(Resolver {
            proxy,
            site: at(3),
            servers: Known::Yes(servers),
            keeps: None,
            mixes_families,
        });
        let name = ComputedOutcome {
            name: "app.example.test".into(),
            port: None,
            is: ComputedKind::HostName,
            site: at(7),
            near: None,
        };
        let hop = house.hop(
            8,
            Target::Computed(Box::new(ComputedTarget {
                text: "http://$backend".into(),
                outcomes: vec![name],
                complete: true,
                needs_resolver: Known::Yes(true),
                resolver: Known::Yes(Some(at(3))),
            })),
        );
        house.t.hops[hop].retry.on = Setting::written(on, at(9), "proxy_next_upstream");
        house.found(RuleId::GW113).len()
    }

    #[test]
    fn only_where_nothing_is_tried_again() {
        assert_eq!(said(RetryOn::default(), &["10.0.0.2"], true), 1);
        assert_eq!(said(RetryOn { connect: true, ..RetryOn::default() }, &["10.0.0.2"], true), 0);
        assert_eq!(said(RetryOn::default(), &["10.0.0.2"], false), 0);
        assert_eq!(said(RetryOn::default(), &["127.0.0.11"], true), 0);
        assert_eq!(said(RetryOn::default(), &["2001:db8::1"], true), 0);
    }
}
