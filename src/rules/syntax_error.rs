//! GW001: the proxy refuses to read the file.

use super::prelude::*;

/// GW001.
pub struct SyntaxError;

impl Rule for SyntaxError {
    fn id(&self) -> RuleId {
        RuleId::GW001
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        for fact in &cx.topology.load.syntax {
            let mut finding =
                Finding::new(self.id(), fact.dialect, (fact.site, fact.label.clone()), fact.message.clone());
            for (site, text) in &fact.others {
                finding = finding.label((*site, text.clone()));
            }
            if !fact.certain {
                finding = finding
                    .severity(Severity::Warning)
                    .confidence(Confidence::Likely)
                    .assumed("no module that these files do not show brings this word");
            }
            finding = finding.why_of_dialect();
            if let Some(help) = &fact.help {
                finding = finding.help(help.clone());
            }
            out.push(finding.fix(fact.fix.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(certain: bool) -> House {
        let mut house = House::nginx();
        house.t.load.syntax.push(SyntaxFact {
            fix: None,
            dialect: Dialect::Nginx,
            site: at(7),
            message: "`;` is missing".into(),
            label: "ends here".into(),
            others: vec![(at(8), "taken for an argument".into())],
            help: Some("write `;`".into()),
            certain,
        });
        house
    }

    #[test]
    fn what_is_certain_is_an_error() {
        let found = house(true).found(RuleId::GW001);
        assert_eq!(lines(&found[0]), [7, 8]);
        assert_eq!(found[0].severity, Severity::Error);
        assert_eq!(found[0].outcome, Outcome::DoesNotStart);
    }

    #[test]
    fn a_word_that_a_module_may_bring_is_a_warning() {
        let found = house(false).found(RuleId::GW001);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Warning, Confidence::Likely));
        assert!(House::nginx().found(RuleId::GW001).is_empty());
    }
}
