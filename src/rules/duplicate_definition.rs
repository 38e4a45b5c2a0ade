//! GW004: the same thing is defined twice.

use super::prelude::*;

/// GW004.
pub struct DuplicateDefinition;

impl Rule for DuplicateDefinition {
    fn id(&self) -> RuleId {
        RuleId::GW004
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        for twice in &cx.topology.load.duplicates {
            let dialect = cx.dialect(twice.proxy);
            let what = if twice.name.is_empty() {
                format!("the {}", twice.kind)
            } else {
                format!("the {} {}", twice.kind, quote(&twice.name))
            };
            let (message, label) = match twice.effect {
                LoadEffect::Refused => {
                    (format!("{what} is there twice, so {} does not start", dialect.name()), "and again here")
                }
                LoadEffect::Status(status) => {
                    (format!("{what} is there twice, and requests are answered with {status}"), "and again here")
                }
                LoadEffect::Ignored => (format!("{what} is there twice; this one is never used"), "never used"),
                LoadEffect::Split => {
                    (format!("{what} is there twice, and requests are spread over both"), "gets the other part")
                }
            };
            let mut finding = Finding::new(self.id(), dialect, (twice.second, label.into()), message)
                .label((twice.first, "first defined here".into()));
            finding = match twice.effect {
                LoadEffect::Refused => finding.outcome(Outcome::DoesNotStart),
                LoadEffect::Status(status) => finding.outcome(Outcome::Status(status)),
                LoadEffect::Ignored => finding.severity(Severity::Warning).outcome(Outcome::WrongAnswer),
                LoadEffect::Split => finding.outcome(Outcome::WrongAnswer),
            };
            finding = match twice.note {
                Some(note) => finding.why(note),
                None => finding.why_of_dialect(),
            };
            out.push(finding.help("remove one of the two, or give it a name or an address of its own"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn twice(effect: LoadEffect) -> Finding {
        let mut house = House::nginx();
        house.t.load.duplicates.push(Duplicate {
            proxy: house.proxy,
            kind: "upstream",
            name: "app".into(),
            first: at(4),
            second: at(7),
            effect,
            note: None,
        });
        let mut found = house.found(RuleId::GW004);
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn the_effect_decides() {
        let refused = twice(LoadEffect::Refused);
        assert_eq!(lines(&refused), [7, 4]);
        assert_eq!((refused.severity, refused.outcome), (Severity::Error, Outcome::DoesNotStart));
        assert_eq!(twice(LoadEffect::Ignored).severity, Severity::Warning);
        let split = twice(LoadEffect::Split);
        assert_eq!((split.severity, split.outcome), (Severity::Error, Outcome::WrongAnswer));
    }
}
