//! Applies fixes, and lints again until there is nothing left to fix. Layer 9. Pure: gives texts, writes nothing.

use crate::catalog::RuleId;
use crate::edit::{Applicability, Fix};
use crate::engine::Report;
use crate::files::{Held, Repository, Unit};
use crate::source::{FileId, Span};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Most rounds of fixing and linting: one fix may make room for another, but not for ever.
pub const MAX_ROUNDS: usize = 10;

/// What came of fixing.
#[derive(Debug)]
pub struct Fixed {
    /// What is found in the texts as they are now.
    pub report: Report,
    /// The files that changed, by their path.
    pub changed: BTreeMap<String, Changed>,
    /// How many findings were fixed.
    pub applied: usize,
}

/// A file that changed.
#[derive(Debug, PartialEq, Eq)]
pub struct Changed {
    /// As it was read.
    pub before: String,
    /// As it is to be.
    pub after: String,
}

fn fixes(report: &Report) -> impl Iterator<Item = &Fix> {
    report.open().filter_map(|finding| finding.fix.as_deref())
}

/// Lints, applies the fixes up to `most`, and lints again, until nothing changes any more. `lint` makes the report;
/// what it leaves out is not fixed.
pub fn run(
    units: Vec<Unit>,
    repository: &dyn Repository,
    most: Applicability,
    mut lint: impl FnMut(Vec<Unit>, &dyn Repository) -> Report,
) -> Fixed {
    let handed_in = units.len();
    let mut report = lint(units, repository);
    let mut changed: BTreeMap<String, Changed> = BTreeMap::new();
    let mut applied = 0;
    let mut left_alone: HashSet<String> = HashSet::new();
    for _ in 0..MAX_ROUNDS {
        let round = Round::new(&report, most, &left_alone);
        if round.count == 0 {
            break;
        }
        let texts = round.texts(&report);
        let overlay = Overlay {
            below: repository,
            texts: changed
                .iter()
                .map(|(path, changed)| (path.as_str(), changed.after.as_str()))
                .chain(texts.iter().map(|(id, text)| (report.sources.file(*id).path(), text.as_str())))
                .collect(),
        };
        let next = lint(again(&report, handed_in, &texts), &overlay);
        // A fix that breaks a file is a bug of this program; the file must not bear it, nor must the others.
        let (was, is) = (broken(&report), broken(&next));
        if !is.is_subset(&was) {
            left_alone.extend(is.difference(&was).map(|path| (*path).to_owned()));
            continue;
        }
        for (id, after) in texts {
            let file = report.sources.file(id);
            changed
                .entry(file.path().to_owned())
                .or_insert_with(|| Changed { before: file.text().to_owned(), after: String::new() })
                .after = after;
        }
        applied += round.count;
        report = next;
    }
    changed.retain(|_, changed| changed.before != changed.after);
    Fixed { report, changed, applied }
}

/// The files that were handed in, with the texts that they have now.
fn again(report: &Report, handed_in: usize, texts: &HashMap<FileId, String>) -> Vec<Unit> {
    let files = report.sources.files().zip(&report.files).take(handed_in);
    files
        .map(|((id, file), (_, dialect))| {
            let text = texts.get(&id).cloned().unwrap_or_else(|| file.text().to_owned());
            Unit::parse(file.with_text(text), *dialect)
        })
        .collect()
}

/// The files that the proxy would not read.
fn broken(report: &Report) -> HashSet<&str> {
    let syntax = report.findings.iter().filter(|finding| finding.rule == RuleId::GW001);
    syntax.map(|finding| report.sources.file(finding.primary().site.span.file).path()).collect()
}

/// The fixes that can be applied at once.
struct Round<'a> {
    /// For each file: what goes away, by its start, and what comes in its place.
    edits: HashMap<FileId, BTreeMap<u32, (u32, &'a str)>>,
    /// How many findings are fixed.
    count: usize,
}

impl<'a> Round<'a> {
    /// The first of two fixes that touch each other is taken; the other one waits for the next round.
    fn new(report: &'a Report, most: Applicability, left_alone: &HashSet<String>) -> Self {
        let mut round = Self { edits: HashMap::new(), count: 0 };
        let free = |fix: &Fix| fix.files().all(|file| !left_alone.contains(report.sources.file(file).path()));
        for fix in fixes(report).filter(|fix| fix.applicability <= most && free(fix)) {
            if fix.changes().all(|(span, text)| round.has_room(span, text)) {
                for (span, text) in fix.changes() {
                    round.edits.entry(span.file).or_default().insert(span.start, (span.end, text));
                }
                round.count += 1;
            }
        }
        round
    }

    /// Whether an edit is there already, or touches none.
    fn has_room(&self, span: Span, text: &str) -> bool {
        let Some(edits) = self.edits.get(&span.file) else { return true };
        if edits.get(&span.start) == Some(&(span.end, text)) {
            return true;
        }
        // Those taken do not touch each other, so the last one that begins before the end is the only one to look at.
        edits.range(..=span.end).next_back().is_none_or(|(_, (end, _))| *end < span.start)
    }

    /// The new texts of the files that change.
    fn texts(&self, report: &Report) -> HashMap<FileId, String> {
        let mut texts = HashMap::with_capacity(self.edits.len());
        for (&id, edits) in &self.edits {
            let text = report.sources.file(id).text();
            let mut new = String::with_capacity(text.len() + 256);
            let mut done = 0;
            for (&start, &(end, with)) in edits {
                new.push_str(text.get(done..start as usize).unwrap_or_default());
                new.push_str(with);
                done = end as usize;
            }
            new.push_str(text.get(done..).unwrap_or_default());
            texts.insert(id, new);
        }
        texts
    }
}

/// A repository in which some files have other texts.
struct Overlay<'a> {
    below: &'a dyn Repository,
    texts: HashMap<&'a str, &'a str>,
}

impl Repository for Overlay<'_> {
    fn read(&self, path: &str) -> Held {
        match self.texts.get(path) {
            Some(text) => Held::Bytes(text.as_bytes().to_vec()),
            None => self.below.read(path),
        }
    }
    fn exists(&self, path: &str) -> bool {
        self.below.exists(path)
    }
    fn glob(&self, pattern: &str) -> Vec<String> {
        self.below.glob(pattern)
    }
    fn ending_with(&self, path: &str) -> Vec<String> {
        self.below.ending_with(path)
    }
    fn deployments(&self) -> &[String] {
        self.below.deployments()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Edit;
    use crate::engine::{self, Settings};
    use crate::files::NoRepository;
    use crate::topology::Dialect;

    #[test]
    fn a_fix_that_breaks_its_file_is_not_applied_and_keeps_no_other_back() {
        let unit = |path: &str, text: &str| Unit::new(path, text.as_bytes().to_vec(), Dialect::Haproxy);
        let head =
            "global\n    maxconn 9\ndefaults\n    timeout connect 5s\n    timeout client 5s\n    timeout server 9s\n";
        let text = |name: &str| format!("{head}backend {name}\n    server s 10.0.0.1:80 maxconn 1k\n");
        let units = vec![unit("a/a.cfg", &text("a")), unit("b/b.cfg", &text("b"))];
        let lint = |units: Vec<Unit>, repository: &dyn Repository| {
            let mut report = engine::lint(units, &[], repository, &Settings::default());
            for finding in report.findings.iter_mut().filter(|finding| finding.fix.is_some()) {
                let span = finding.primary().site.span;
                if report.sources.file(span.file).path() == "a/a.cfg" {
                    // An open quote: HAProxy would not read the line.
                    finding.fix = Some(Fix::safe("x", [Edit::Replace { span, text: "server s \"".into() }]));
                }
            }
            report
        };
        let fixed = run(units, &NoRepository, Applicability::Safe, lint);
        assert_eq!(fixed.changed.keys().collect::<Vec<_>>(), ["b/b.cfg"]);
        assert!(fixed.changed["b/b.cfg"].after.contains("maxconn 1000"));
        assert_eq!((fixed.applied, fixed.report.fixable().0), (1, 1), "the other one is still told");
    }
}
