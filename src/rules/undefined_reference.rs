//! GW003: a name that nothing defines.

use super::prelude::*;

/// GW003.
pub struct UndefinedReference;

impl Rule for UndefinedReference {
    fn id(&self) -> RuleId {
        RuleId::GW003
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        for name in &cx.topology.load.undefined {
            let dialect = cx.dialect(name.proxy);
            let what = format!("{} {}", name.kind, quote(&name.name));
            let (message, label) = match name.effect {
                LoadEffect::Refused => (
                    format!("there is no {what}, so {} does not start", dialect.name()),
                    format!("no {} of this name is defined", name.kind),
                ),
                LoadEffect::Status(503) => (
                    format!("a request that finds no {what} is answered with 503"),
                    "nothing takes the request when no such name exists".to_owned(),
                ),
                LoadEffect::Status(status) => (
                    format!("there is no {what}: requests handed to it are answered with {status}"),
                    format!("no {} of this name is defined", name.kind),
                ),
                LoadEffect::Ignored | LoadEffect::Split => (
                    format!("there is no {what}, so this has no effect"),
                    format!("no {} of this name is defined", name.kind),
                ),
            };
            let mut finding = Finding::new(self.id(), dialect, (name.site, label), message);
            finding = match name.effect {
                LoadEffect::Refused => finding.outcome(Outcome::DoesNotStart),
                // The name is computed: only some requests miss.
                LoadEffect::Status(503) => finding
                    .severity(Severity::Warning)
                    .confidence(Confidence::Likely)
                    .outcome(Outcome::Status(503))
                    .log("<NOSRV>"),
                LoadEffect::Status(status) => finding.outcome(Outcome::Status(status)),
                LoadEffect::Ignored | LoadEffect::Split => {
                    finding.severity(Severity::Warning).outcome(Outcome::WrongAnswer)
                }
            };
            finding = finding.label_if(name.other.clone()).why_of_dialect();
            if let Some((near, site)) = &name.near {
                finding = finding.label((*site, "this one exists".into())).help(format!("was {} meant?", quote(near)));
                finding = finding.fix(other_name(name.site, &name.name, near));
            }
            out.push(finding);
        }
        for id in cx.topology.hops.ids() {
            self.check_hop(cx, id, out);
        }
    }
}

impl UndefinedReference {
    fn check_hop(&self, cx: &Cx<'_>, hop: HopId, out: &mut Findings) {
        let hop = &cx.topology.hops[hop];
        let Target::Computed(computed) = &hop.target else { return };
        let dialect = cx.dialect(hop.proxy);
        for outcome in computed.outcomes.iter().filter(|outcome| misses_a_pool(computed, outcome)) {
            let name = quote(&outcome.name);
            let mut finding = Finding::new(
                self.id(),
                dialect,
                (outcome.site, "no server group has this name, so it is taken for a host".into()),
                format!("{name} is no server group, and there is no resolver to look it up: such requests get 502"),
            )
            .label((hop.target_site, "the value is used here".into()));
            let pool = computed.outcomes.iter().find_map(|other| match other.is {
                ComputedKind::Pool(pool) => Some(pool),
                _ => None,
            });
            if let Some(pool) = pool {
                let pool = &cx.topology.pools[pool];
                finding = finding.label((pool.name_site, "other values of it lead to this group".into()));
            }
            finding = finding
                .outcome(Outcome::Status(502))
                .log("no resolver defined to resolve")
                .why("a name in a variable is looked for among the server groups first, then asked of the resolver");
            if let Some(near) = &outcome.near {
                finding = finding.help(format!("was {} meant?", quote(near)));
                finding = finding.fix(other_name(outcome.site, &outcome.name, near));
            }
            out.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn undefined(effect: LoadEffect) -> Vec<Finding> {
        let mut house = House::haproxy();
        house.t.load.undefined.push(UndefinedName {
            proxy: house.proxy,
            kind: "backend",
            name: "ap".into(),
            site: at(13),
            other: None,
            near: Some(("app".into(), at(14))),
            effect,
        });
        house.found(RuleId::GW003)
    }

    fn computed(resolver: Known<Option<Site>>, near: Option<&str>) -> Vec<Finding> {
        let mut house = House::nginx();
        let blue = house.pool(4, "blue");
        house.hop(
            15,
            Target::Computed(Box::new(ComputedTarget {
                text: "http://$pool".into(),
                outcomes: vec![
                    ComputedOutcome {
                        name: "green".into(),
                        port: None,
                        is: ComputedKind::HostName,
                        site: at(8),
                        near: near.map(Into::into),
                    },
                    ComputedOutcome {
                        name: "blue".into(),
                        port: None,
                        is: ComputedKind::Pool(blue),
                        site: at(9),
                        near: None,
                    },
                ],
                complete: true,
                needs_resolver: Known::Yes(true),
                resolver,
            })),
        );
        house.found(RuleId::GW003)
    }

    #[test]
    fn the_effect_decides() {
        let found = undefined(LoadEffect::Refused);
        assert_eq!(lines(&found[0]), [13, 14]);
        assert_eq!((found[0].severity, found[0].outcome), (Severity::Error, Outcome::DoesNotStart));
        let found = undefined(LoadEffect::Status(503));
        assert_eq!((found[0].severity, found[0].outcome), (Severity::Warning, Outcome::Status(503)));
    }

    #[test]
    fn a_value_that_misses_its_group_is_found() {
        let found = computed(Known::Yes(None), None);
        assert_eq!(found.len(), 1);
        assert_eq!(lines(&found[0]), [8, 15, 4]);
        assert_eq!(found[0].outcome, Outcome::Status(502));
    }

    #[test]
    fn a_resolver_or_ignorance_keeps_it_silent() {
        assert!(computed(Known::Yes(Some(at(3))), Some("greens")).is_empty());
        assert!(computed(Known::Unknown(Reason::OutsideRepository), Some("greens")).is_empty());
    }
}
