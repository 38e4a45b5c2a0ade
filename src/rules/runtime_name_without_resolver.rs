//! GW107: a name is looked up at run time, and nobody can do it.

use super::prelude::*;
use std::collections::HashSet;

/// GW107.
pub struct RuntimeNameWithoutResolver;

impl Rule for RuntimeNameWithoutResolver {
    fn id(&self) -> RuleId {
        RuleId::GW107
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        tell_faults(self.id(), FaultKind::OneAddress, cx, out);
        // An endpoint that names such a resolver is shown with it, not once more by itself.
        let mut told = HashSet::new();
        for resolver in &topology.load.empty_resolvers {
            let refused = resolver.effect == LoadEffect::Refused;
            if !refused && resolver.used_by.is_empty() {
                continue;
            }
            told.insert(resolver.site);
            let dialect = cx.dialect(resolver.proxy);
            let who =
                resolver.name.as_ref().map_or("the resolver".to_owned(), |name| format!("resolver {}", quote(name)));
            let message = if refused {
                format!("{who} names no server to ask, so {} does not start", dialect.name())
            } else {
                format!("{who} names no server to ask: an endpoint that is not resolved at start never is")
            };
            let mut finding =
                Finding::new(self.id(), dialect, (resolver.site, "no name server is written here".into()), message);
            for &site in resolver.used_by.iter().take(8) {
                finding = finding.label((site, "relies on it".into()));
            }
            finding = match resolver.effect {
                LoadEffect::Refused => finding.outcome(Outcome::DoesNotStart).log("no name servers defined"),
                LoadEffect::Status(status) => finding.outcome(Outcome::Status(status)),
                LoadEffect::Ignored | LoadEffect::Split => {
                    finding.severity(Severity::Warning).confidence(Confidence::Likely)
                }
            };
            out.push(finding.help("write the address of a DNS server here"));
        }
        for (_, endpoint) in topology.endpoints.iter() {
            if !matches!(endpoint.lookup, Lookup::AtStartOrNever { .. } | Lookup::NoResolver { .. }) {
                continue;
            }
            // Where the name stands for the machine itself, there is nothing to look up.
            let itself = matches!(endpoint.address.known(), Some(Address::Net(host)) if host.is_loopback());
            let dialect = cx.dialect(endpoint.proxy);
            let name = endpoint.host_name().map_or("its name".to_owned(), quote);
            match endpoint.lookup {
                Lookup::AtStartOrNever { site } if !itself => {
                    let never = endpoint
                        .host_name()
                        .is_some_and(|name| name.trim_end_matches('.').to_ascii_lowercase().ends_with(".invalid"));
                    let finding = Finding::new(
                        self.id(),
                        dialect,
                        (endpoint.address_site, "no resolver looks this name up later".into()),
                        format!(
                            "if {name} does not resolve when {} starts, it has no address until the next reload",
                            dialect.name()
                        ),
                    )
                    .label((site, "a failed lookup is let pass here".into()))
                    .severity(Severity::Warning)
                    .confidence(if never { Confidence::Certain } else { Confidence::Likely })
                    .why_of_dialect()
                    .help("add a resolvers section with nameservers and name it on this line (`resolvers NAME`)");
                    out.push(finding);
                }
                Lookup::NoResolver { site, refused } if refused || !told.contains(&site) => {
                    let message = if refused {
                        format!(
                            "{name} can only be looked up by a resolver and there is none, so {} does not start",
                            dialect.name()
                        )
                    } else {
                        format!("{name} can only be looked up by a resolver, and none is there that could answer")
                    };
                    let mut finding = Finding::new(
                        self.id(),
                        dialect,
                        (endpoint.address_site, "to be looked up at run time".into()),
                        message,
                    )
                    .label((site, "no server to ask is named here".into()));
                    finding = if refused {
                        finding.outcome(Outcome::DoesNotStart)
                    } else {
                        finding.severity(Severity::Warning).confidence(Confidence::Likely)
                    };
                    out.push(finding.help("name a resolver that has name servers"));
                }
                _ => {}
            }
        }
        for id in cx.topology.hops.ids() {
            self.check_hop(cx, id, out);
        }
    }
}

impl RuntimeNameWithoutResolver {
    fn check_hop(&self, cx: &Cx<'_>, hop: HopId, out: &mut Findings) {
        let hop = &cx.topology.hops[hop];
        let Target::Computed(computed) = &hop.target else { return };
        if computed.needs_resolver != Known::Yes(true) || computed.resolver != Known::Yes(None) {
            return;
        }
        let mut names = computed.outcomes.iter().filter(|outcome| outcome.is == ComputedKind::HostName).peekable();
        // Names that were meant for pools are another rule's.
        if computed.complete && names.peek().is_some() && names.clone().all(|name| misses_a_pool(computed, name)) {
            return;
        }
        let dialect = cx.dialect(hop.proxy);
        let name = names.clone().find(|name| !misses_a_pool(computed, name));
        let what = name.map_or_else(|| quote(&computed.text), |name| quote(&name.name));
        let (unit, end) = match hop.protocol.has_status() {
            true => ("request", "every such request gets 502"),
            false => ("connection", "every such connection is closed"),
        };
        let finding = Finding::new(
            self.id(),
            dialect,
            (hop.target_site, format!("{} is looked up for each {unit}", name.map_or("the host", |_| "this host"))),
            format!("{what} has to be looked up per {unit} and no resolver is in reach: {end}"),
        );
        let finding = closed_without_status(finding, hop)
            .label_if(name.map(|name| (name.site, "the name comes from here".into())))
            .why_of_dialect()
            .help("add `resolver` with the address of your DNS server, or write the name without a variable");
        out.push(finding);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn computed(needs: Known<bool>, resolver: Known<Option<Site>>) -> Vec<Finding> {
        let mut house = House::nginx();
        let name = ComputedOutcome {
            name: "app.example.test".into(),
            port: None,
            is: ComputedKind::HostName,
            site: at(7),
            near: None,
        };
        house.hop(
            8,
            Target::Computed(Box::new(ComputedTarget {
                text: "http://$backend".into(),
                outcomes: vec![name],
                complete: true,
                needs_resolver: needs,
                resolver,
            })),
        );
        house.found(RuleId::GW107)
    }

    fn looked_up(name: &str, lookup: Lookup) -> Vec<Finding> {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        let member = house.member(pool, 16, name, 80);
        house.t.endpoints[member].lookup = lookup;
        house.found(RuleId::GW107)
    }

    #[test]
    fn a_variable_without_resolver_is_502() {
        let found = computed(Known::Yes(true), Known::Yes(None));
        assert_eq!(lines(&found[0]), [8, 7]);
        assert_eq!(found[0].outcome, Outcome::Status(502));
    }

    #[test]
    fn groups_resolvers_and_fragments_are_silent() {
        assert!(computed(Known::Yes(false), Known::Yes(None)).is_empty());
        assert!(computed(Known::Yes(true), Known::Yes(Some(at(3)))).is_empty());
        assert!(computed(Known::Yes(true), Known::Unknown(Reason::OutsideRepository)).is_empty());
        assert!(computed(Known::Unknown(Reason::Variable), Known::Yes(None)).is_empty());
    }

    #[test]
    fn a_failed_lookup_that_is_let_pass() {
        let found = looked_up("app.invalid", Lookup::AtStartOrNever { site: at(15) });
        assert_eq!(lines(&found[0]), [16, 15]);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Warning, Confidence::Certain));
        assert!(looked_up("localhost", Lookup::AtStartOrNever { site: at(15) }).is_empty());
        assert!(looked_up("app", Lookup::Repeated { resolver: None }).is_empty());
    }

    #[test]
    fn an_empty_resolver_is_told_once() {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        let member = house.member(pool, 16, "app", 80);
        house.t.endpoints[member].lookup = Lookup::NoResolver { site: at(20), refused: false };
        house.t.load.empty_resolvers.push(EmptyResolver {
            proxy: house.proxy,
            site: at(20),
            name: Some("dns".into()),
            used_by: vec![at(16)],
            effect: LoadEffect::Status(503),
        });
        let found = house.found(RuleId::GW107);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].severity, lines(&found[0])), (Severity::Error, vec![20, 16]));
        let refused = looked_up("_http._tcp.app", Lookup::NoResolver { site: at(16), refused: true });
        assert_eq!((refused[0].severity, refused[0].outcome), (Severity::Error, Outcome::DoesNotStart));
    }
}
