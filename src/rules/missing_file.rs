//! GW002: a file that the configuration names is not there.

use super::prelude::*;

/// GW002.
pub struct MissingFileRule;

impl Rule for MissingFileRule {
    fn id(&self) -> RuleId {
        RuleId::GW002
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        for file in &cx.topology.load.missing_files {
            // A directory that is empty on purpose is common; only files that lie elsewhere show a mistake.
            if file.pattern && file.candidates.is_empty() {
                continue;
            }
            let dialect = cx.dialect(file.proxy);
            let (path, looked_at) = (quote(&file.path), quote(&file.looked_at));
            let message = if file.pattern {
                format!("{path} matches no file, so {} starts without what was to be read here", dialect.name())
            } else {
                format!("the {} {path} does not exist, so {} does not start", file.purpose, dialect.name())
            };
            let label = format!("{} looks for {looked_at}", dialect.name());
            let mut finding = Finding::new(self.id(), dialect, (file.site, label), message);
            if let Some(site) = file.reached_by {
                finding = finding
                    .label((site, "this file was read from here".into()))
                    .why("a relative path counts from the directory of the main file, not of the file it stands in");
            }
            finding = if file.pattern {
                finding.severity(Severity::Warning).confidence(Confidence::Likely).outcome(Outcome::WrongAnswer).why(
                    "a pattern without a match is no error: requests are answered without these files, with 404 say",
                )
            } else {
                finding.why_of_dialect()
            };
            // Only a file that lies elsewhere proves a wrong path; others may be put there by the deployment.
            if !file.pattern && (file.purpose != "include" || file.candidates.is_empty()) {
                finding = finding
                    .severity(Severity::Warning)
                    .confidence(Confidence::Likely)
                    .assumed("the deployment does not put the file there");
            }
            if let Some(best) = file.candidates.first() {
                finding = finding.help(format!("there is {} in this repository; was it meant?", quote(best)));
            }
            out.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(pattern: bool, candidates: &[&str]) -> House {
        let mut house = House::nginx();
        house.t.load.missing_files.push(MissingFile {
            proxy: house.proxy,
            site: at(1),
            path: "b.conf".into(),
            purpose: "include",
            looked_at: "b.conf".into(),
            reached_by: Some(at(4)),
            candidates: candidates.iter().map(|&path| path.into()).collect(),
            pattern,
        });
        house
    }

    #[test]
    fn a_named_file_stops_the_start() {
        let found = house(false, &["sites/b.conf"]).found(RuleId::GW002);
        assert_eq!(lines(&found[0]), [1, 4]);
        assert_eq!((found[0].severity, found[0].outcome), (Severity::Error, Outcome::DoesNotStart));
        assert!(found[0].notes.iter().any(|note| format!("{note:?}").contains("sites/b.conf")));
    }

    #[test]
    fn a_pattern_accuses_only_when_the_files_lie_elsewhere() {
        assert!(house(true, &[]).found(RuleId::GW002).is_empty());
        let found = house(true, &["sites/b.conf"]).found(RuleId::GW002);
        assert_eq!((found[0].severity, found[0].outcome), (Severity::Warning, Outcome::WrongAnswer));
    }
}
