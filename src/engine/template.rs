//! What a template leaves open makes a finding milder: a fault that is there in one branch only may never come to pass.

use crate::catalog::{Confidence, RuleId, Severity};
use crate::files::{Files, Tree};
use crate::finding::{Finding, Findings, Note};
use crate::lower::filled::AllFilled;
use crate::source::{FileId, Span};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Labels of one finding that are looked at.
const LABELS: usize = 16;

/// Takes out findings whose places are never there together, and makes those milder that hold for some branches only.
///
/// A fault in all branches of a chain that has an `else` is there whatever the template decides, and keeps its weight.
///
/// What rests on a value that is only a default is no error: somebody may set another one.
pub(super) fn weigh(findings: &mut Findings, files: &Files<'_>, filled: &AllFilled) {
    let mut trees = Trees { files, of: HashMap::new() };
    let mut seen = Seen::default();
    findings.retain(|finding| {
        let together = trees.are_together(finding);
        if together {
            seen.note(finding, &mut trees);
        }
        together
    });
    for finding in findings.iter_mut() {
        let spans = finding.labels.iter().take(LABELS).map(|label| label.site.span);
        let mut assumed: Vec<Note> = Vec::new();
        for one in spans.filter_map(|span| filled.within(span.file, span.start..span.end)) {
            let note = Note::Assumed(one.assumed.to_string());
            if !assumed.contains(&note) {
                assumed.push(note);
            }
        }
        if !assumed.is_empty() {
            finding.severity = finding.severity.min(Severity::Warning);
            finding.confidence = finding.confidence.min(Confidence::Likely);
            finding.notes.extend(assumed);
        }
        if let Some(words) = seen.doubt(finding, &mut trees) {
            finding.severity = Severity::Note;
            finding.confidence = finding.confidence.min(Confidence::Likely);
            finding.notes.push(Note::Assumed(words.to_owned()));
        }
    }
}

/// The trees of templates with branches; asked for each label.
struct Trees<'a> {
    files: &'a Files<'a>,
    of: HashMap<FileId, Option<Arc<Tree>>>,
}

impl Trees<'_> {
    fn get(&mut self, file: FileId) -> Option<&Tree> {
        let files = self.files;
        let branched = |tree: &Arc<Tree>| tree.branches().is_some();
        self.of.entry(file).or_insert_with(|| files.tree(file).filter(branched)).as_deref()
    }

    /// Whether the first place of a finding can be there together with each of the others.
    fn are_together(&mut self, finding: &Finding) -> bool {
        let first = finding.primary().site.span;
        let Some(branches) = self.get(first.file).and_then(Tree::branches) else { return true };
        !finding
            .labels
            .iter()
            .skip(1)
            .take(LABELS)
            .map(|label| label.site.span)
            .any(|other| other.file == first.file && branches.exclude_each_other(first.start, other.start))
    }
}

/// Which branches show what, and how often.
#[derive(Default)]
struct Seen {
    branches: HashSet<(RuleId, FileId, u32, u32)>,
    times: HashMap<(RuleId, Span, Box<str>), usize>,
}

impl Seen {
    fn note(&mut self, finding: &Finding, trees: &mut Trees<'_>) {
        let at = finding.primary().site.span;
        let Some(tree) = trees.get(at.file) else { return };
        for branch in tree.branches().into_iter().flat_map(|branches| branches.branches_around(at.start)) {
            self.branches.insert((finding.rule, at.file, branch.chain, branch.branch));
        }
        if tree.readings() > 1 {
            *self.times.entry((finding.rule, at, finding.message.as_str().into())).or_default() += 1;
        }
    }

    /// Why it is not certain that a fault is there; `None`: the template has no say in it.
    fn doubt(&self, finding: &Finding, trees: &mut Trees<'_>) -> Option<&'static str> {
        let first = finding.primary().site.span;
        let mut in_branch = false;
        if let Some(tree) = trees.get(first.file) {
            let branches = tree.branches()?;
            for branch in branches.branches_around(first.start) {
                in_branch = true;
                let all = branches.all_of(branch.chain).is_some_and(|count| {
                    (0..count).all(|other| self.branches.contains(&(finding.rule, first.file, branch.chain, other)))
                });
                if !all {
                    return Some("the branch of the template that this stands in is taken");
                }
            }
            // What is read in one way only is told once.
            let told_once = finding.rule == RuleId::GW001;
            let times = self.times.get(&(finding.rule, first, finding.message.as_str().into()));
            if !in_branch && !told_once && times.is_some_and(|&times| times < tree.readings()) {
                return Some("the template takes the branches with which this happens");
            }
        }
        if in_branch {
            return None;
        }
        let elsewhere = finding.labels.iter().skip(1).take(LABELS).map(|label| label.site.span).any(|other| {
            let branches = trees.get(other.file).and_then(Tree::branches);
            branches.is_some_and(|branches| branches.branches_around(other.start).next().is_some())
        });
        elsewhere.then_some("the branch of the template with the other place is taken")
    }
}
