//! Suppressions: which findings somebody has decided to live with, and which of these decisions do nothing. Layer 7.
//!
//! `# gw502: ignore GW201 -- reason` means one statement: the one on its line, or, alone on a line, the next one.
//! `ignore-block` means a block or section, `ignore-file` the file. A finding is suppressed when its first label begins
//! in that text, through whichever include the file was reached. A suppressed finding stays in the report.

mod comment;
mod place;

use crate::catalog::{Outcome, RuleId};
use crate::config::Config;
use crate::files::{Files, Tree};
use crate::finding::{Finding, Findings, Label, Note, Suppressed, SuppressedIn};
use crate::source::{FileId, Site, SourceMap, Span};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// Comments of one file that are followed. Every finding of a file is held against them.
const MAX_COMMENTS: usize = 1_000;

/// What is wrong with a comment.
#[derive(Debug)]
pub struct Fault {
    at: Range<u32>,
    message: String,
    label: String,
    help: Option<String>,
}

impl Fault {
    fn new(at: Range<u32>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { at, message: message.into(), label: label.into(), help: None }
    }

    fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

/// A rule that is suppressed in a part of a file.
#[derive(Debug)]
pub struct Suppression {
    rule: RuleId,
    /// The text that it holds for.
    covers: Range<u32>,
    /// Where the rule is named.
    at: Range<u32>,
    reason: Arc<str>,
    /// How many rules its comment names.
    named: usize,
    used: bool,
}

/// The suppressions of all files.
#[derive(Debug, Default)]
pub struct Suppressions {
    by_file: HashMap<FileId, Vec<Suppression>>,
    faults: Vec<(FileId, Fault)>,
    /// Those of the configuration file, with that file.
    entries: Vec<(FileId, Entry)>,
}

/// A rule in an item of the configuration's `ignore`.
#[derive(Debug)]
struct Entry {
    rule: RuleId,
    at: Range<u32>,
    reason: Arc<str>,
    /// Whether enough was seen to say that it is not needed.
    expected: bool,
    used: bool,
}

impl Suppressions {
    /// Reads the comments of all files.
    #[must_use]
    pub fn read(files: &Files<'_>) -> Self {
        let mut all = Self::default();
        for (id, source) in files.sources.files() {
            let Some(tree) = files.tree(id) else { continue };
            let mut faults = Vec::new();
            let mut found = Vec::new();
            for reading in 0..tree.readings() {
                read_comments(&tree, reading, source.text(), &mut found, &mut faults);
            }
            if !found.is_empty() {
                all.by_file.insert(id, found);
            }
            all.faults.extend(faults.into_iter().map(|fault| (id, fault)));
        }
        all
    }

    /// Whether no comment suppresses anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_file.is_empty()
    }

    /// Marks the findings that are suppressed. Of several comments that cover one, the nearest is the reason.
    pub fn apply(&mut self, findings: &mut Findings) {
        if self.by_file.is_empty() {
            return;
        }
        for finding in findings.iter_mut().filter(|finding| finding.suppressed.is_none()) {
            let span = finding.primary().site.span;
            let Some(of_file) = self.by_file.get_mut(&span.file) else { continue };
            let nearest = of_file
                .iter_mut()
                .filter(|entry| entry.rule == finding.rule && entry.covers.contains(&span.start))
                .min_by_key(|entry| entry.covers.end - entry.covers.start);
            if let Some(entry) = nearest {
                entry.used = true;
                finding.suppressed = Some(Box::new(Suppressed {
                    by: SuppressedIn::Source,
                    reason: Arc::clone(&entry.reason),
                    at: Some(Span::new(span.file, entry.at.start, entry.at.end)),
                }));
            }
        }
    }

    /// Marks the findings that the configuration ignores. `file` is the configuration file; `whole` and `ran` as in
    /// [`Suppressions::report`], and `all` says whether every file was linted that the configuration speaks of.
    pub fn apply_configured(
        &mut self,
        config: &Config,
        file: FileId,
        sources: &SourceMap,
        all: bool,
        seen: impl Fn(RuleId, FileId) -> bool,
        findings: &mut Findings,
    ) {
        let mut of_item: Vec<Range<usize>> = Vec::new();
        for ignore in config.ignored() {
            let first = self.entries.len();
            for (rule, at) in &ignore.rules {
                let expected = sources
                    .files()
                    .any(|(id, source)| seen(*rule, id) && (all || config.ignores_in(ignore, source.path())));
                let (at, reason) = (at.clone(), Arc::clone(&ignore.reason));
                self.entries.push((file, Entry { rule: *rule, at, reason, expected, used: false }));
            }
            of_item.push(first..self.entries.len());
        }
        // Which items hold for a file is asked once for each.
        let mut hold: HashMap<FileId, Vec<usize>> = HashMap::new();
        for finding in findings.iter_mut().filter(|finding| finding.suppressed.is_none()) {
            let id = finding.primary().site.span.file;
            let items = hold.entry(id).or_insert_with(|| {
                let path = sources.file(id).path();
                let items = config.ignored().iter().enumerate();
                items.filter(|(_, ignore)| config.ignores_in(ignore, path)).map(|(item, _)| item).collect()
            });
            let entry = items
                .iter()
                .find_map(|&item| of_item[item].clone().find(|&entry| self.entries[entry].1.rule == finding.rule));
            if let Some((_, entry)) = entry.and_then(|entry| self.entries.get_mut(entry)) {
                entry.used = true;
                finding.suppressed = Some(Box::new(Suppressed {
                    by: SuppressedIn::Configuration,
                    reason: Arc::clone(&entry.reason),
                    at: Some(Span::new(file, entry.at.start, entry.at.end)),
                }));
            }
        }
    }

    /// Says which comments are malformed, and which rules they name without effect. Of a file that was seen only in
    /// part (`whole`), or of a rule that did not run there (`ran`), the latter is not known.
    pub fn report(self, whole: &HashSet<FileId>, ran: impl Fn(RuleId, FileId) -> bool, out: &mut Findings) {
        for (file, fault) in self.faults {
            if ran(RuleId::GW014, file) {
                let help = fault.help.map(Note::Help);
                out.push(told(RuleId::GW014, file, fault.at, fault.label, fault.message, help));
            }
        }
        for (file, entry) in self.entries.into_iter().filter(|(_, entry)| !entry.used) {
            if ran(RuleId::GW013, file) && entry.expected {
                let rule = entry.rule;
                out.push(told(
                    RuleId::GW013,
                    file,
                    entry.at,
                    format!("nothing that {rule} ({}) reports is found in these paths", rule.meta().slug),
                    format!("{rule} is ignored here without need"),
                    Some(Note::Help(format!("take {rule} out of the item"))),
                ));
            }
        }
        for (file, entries) in self.by_file {
            if !whole.contains(&file) || !ran(RuleId::GW013, file) {
                continue;
            }
            for entry in entries.into_iter().filter(|entry| !entry.used && ran(entry.rule, file)) {
                let rule = entry.rule;
                let help = match entry.named {
                    1 => "take the comment away".to_owned(),
                    _ => format!("take {rule} out of the comment"),
                };
                out.push(told(
                    RuleId::GW013,
                    file,
                    entry.at,
                    format!("nothing that {rule} ({}) reports is found in the text meant", rule.meta().slug),
                    format!("{rule} is suppressed here without need"),
                    Some(Note::Help(help)),
                ));
            }
        }
    }
}

/// A finding about the linter's own words, which concerns no proxy.
fn told(rule: RuleId, file: FileId, at: Range<u32>, label: String, message: String, help: Option<Note>) -> Finding {
    Finding {
        rule,
        severity: rule.meta().severity,
        set_level: None,
        confidence: rule.meta().confidence,
        dialect: None,
        outcome: Outcome::Unseen,
        message,
        labels: vec![Label { site: Site::direct(Span::new(file, at.start, at.end)), text: label }],
        notes: help.into_iter().collect(),
        fix: None,
        key: 0,
        fingerprint: 0,
        state: None,
        suppressed: None,
    }
}

/// Reads the comments of a file, in one reading of it.
fn read_comments(tree: &Tree, reading: usize, text: &str, found: &mut Vec<Suppression>, faults: &mut Vec<Fault>) {
    let ranges = match tree {
        Tree::Nginx(parsed) => parsed.comments_of(reading),
        Tree::Haproxy(parsed) => parsed.comments_of(reading),
    };
    if ranges.is_empty() {
        return;
    }
    // Of the other readings only what they suppress is news.
    let mut again = Vec::new();
    let faults = if reading == 0 { faults } else { &mut again };
    let comments: Vec<_> = ranges
        .iter()
        .take(MAX_COMMENTS)
        .filter_map(|at| comment::read(text.get(at.start as usize..at.end as usize)?, at.clone(), faults))
        .collect();
    if let Some(over) = ranges.get(MAX_COMMENTS) {
        let message = format!("only the first {MAX_COMMENTS} comments of a file are followed");
        faults.push(Fault::new(over.clone(), message, "from here on they suppress nothing"));
    }
    let mut take = |comment: &comment::Comment, covers: Result<Range<u32>, Fault>| match covers {
        Ok(covers) => {
            let reason: Arc<str> = comment.reason.as_str().into();
            found.extend(comment.rules.iter().map(|(rule, at)| Suppression {
                rule: *rule,
                covers: covers.clone(),
                at: at.clone(),
                reason: Arc::clone(&reason),
                named: comment.rules.len(),
                used: false,
            }));
        }
        // What it means may come from the template.
        Err(_) if tree.is_template() => {}
        Err(fault) => faults.push(fault),
    };
    match tree {
        Tree::Nginx(parsed) => comments
            .iter()
            .zip(place::nginx(parsed.reading(reading), text, &comments))
            .for_each(|(comment, covers)| take(comment, covers)),
        Tree::Haproxy(parsed) => comments
            .iter()
            .zip(place::haproxy(parsed.reading(reading), text, &comments))
            .for_each(|(comment, covers)| take(comment, covers)),
    }
}
