//! GW010: the target is not what the proxy takes it for.

use super::prelude::*;

/// GW010.
pub struct MalformedTargetRule;

impl Rule for MalformedTargetRule {
    fn id(&self) -> RuleId {
        RuleId::GW010
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        for target in &cx.topology.load.malformed {
            let dialect = cx.dialect(target.proxy);
            let mut finding =
                Finding::new(self.id(), dialect, (target.site, target.label.clone()), target.message.clone())
                    .label_if(target.other.clone());
            finding = match target.effect {
                LoadEffect::Refused => finding.outcome(Outcome::DoesNotStart),
                LoadEffect::Status(status) => finding.outcome(Outcome::Status(status)),
                LoadEffect::Ignored | LoadEffect::Split => {
                    finding.severity(Severity::Warning).outcome(Outcome::WrongAnswer)
                }
            };
            finding = if target.why.is_empty() { finding.why_of_dialect() } else { finding.why(target.why) };
            if let Some(help) = &target.help {
                finding = finding.help(help.clone());
            }
            out.push(finding.fix(target.fix.clone()));
        }
        for id in cx.topology.hops.ids() {
            self.check_hop(cx, id, out);
        }
    }
}

impl MalformedTargetRule {
    fn check_hop(&self, cx: &Cx<'_>, hop: HopId, out: &mut Findings) {
        let hop = &cx.topology.hops[hop];
        let Target::Computed(computed) = &hop.target else { return };
        for outcome in computed.outcomes.iter().filter(|outcome| outcome.is == ComputedKind::Malformed) {
            let finding = Finding::new(
                self.id(),
                cx.dialect(hop.proxy),
                (outcome.site, "this value has no scheme".into()),
                format!("{} is no URL, so requests with this value are answered with 500", quote(&outcome.name)),
            )
            .label((hop.target_site, format!("{} is put together here", quote(&computed.text))))
            .outcome(Outcome::Status(500))
            .log("invalid URL prefix in")
            .why("what a variable brings is looked at per request only, so the proxy starts without a word")
            .help(format!("write the scheme, here or in the value: {}", quote(&format!("http://{}", outcome.name))));
            out.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn malformed(effect: LoadEffect) -> Finding {
        let mut house = House::nginx();
        house.t.load.malformed.push(MalformedTarget {
            fix: None,
            proxy: house.proxy,
            site: at(7),
            message: "`http://` is missing".into(),
            label: "here".into(),
            other: Some((at(6), "in this location".into())),
            why: "",
            help: None,
            effect,
        });
        house.found(RuleId::GW010).remove(0)
    }

    #[test]
    fn the_effect_decides() {
        let refused = malformed(LoadEffect::Refused);
        assert_eq!(lines(&refused), [7, 6]);
        assert_eq!((refused.severity, refused.outcome), (Severity::Error, Outcome::DoesNotStart));
        assert_eq!(malformed(LoadEffect::Status(502)).outcome, Outcome::Status(502));
        assert_eq!(malformed(LoadEffect::Ignored).severity, Severity::Warning);
    }

    #[test]
    fn a_value_without_scheme_is_500_per_request() {
        let mut house = House::nginx();
        let outcome = |is| ComputedOutcome { name: "127.0.0.1:80".into(), port: None, is, site: at(7), near: None };
        house.hop(
            8,
            Target::Computed(Box::new(ComputedTarget {
                text: "$b".into(),
                outcomes: vec![outcome(ComputedKind::Malformed), outcome(ComputedKind::Address)],
                complete: true,
                needs_resolver: Known::Yes(false),
                resolver: Known::Yes(None),
            })),
        );
        let found = house.found(RuleId::GW010);
        assert_eq!(found.len(), 1);
        assert_eq!(lines(&found[0]), [7, 8]);
        assert_eq!(found[0].outcome, Outcome::Status(500));
    }
}
