//! From files to a report: parse → lower → link → rules → sort. Layer 6. Pure: reads nothing, prints nothing,
//! knows no clock.

use crate::catalog::{CATALOG, Confidence, Outcome, RuleId, Severity};
use crate::edit::{Applicability, Page};
use crate::files::{Files, Repository, Tree, Unit};
use crate::finding::{Finding, Findings, Label};
use crate::rules::{self, Cx};
use crate::source::{FileId, Site, SourceMap, Span, clean};
use crate::topology::{Dialect, Topology};
use crate::{link, lower};
use std::collections::{BTreeSet, HashMap};

pub use crate::lower::Targets;

/// Which rules run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these, if any.
    pub select: Vec<RuleId>,
    /// Not these.
    pub ignore: Vec<RuleId>,
}

impl Selection {
    /// Whether a rule runs.
    #[must_use]
    pub fn enables(&self, rule: RuleId) -> bool {
        (self.select.is_empty() || self.select.contains(&rule)) && !self.ignore.contains(&rule)
    }
}

/// How a run is to be done.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Which rules run.
    pub selection: Selection,
    /// For which versions of the proxies.
    pub targets: Targets,
}

/// A file that was found and could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadFile {
    /// Its path, relative to the root.
    pub path: String,
    /// Why not, in words.
    pub why: String,
}

/// What a run found.
#[derive(Debug)]
pub struct Report {
    /// The findings, sorted by place.
    pub findings: Vec<Finding>,
    /// The texts they point into.
    pub sources: SourceMap,
    /// What was understood of them.
    pub topology: Topology,
    /// The rules that ran.
    pub rules: Vec<RuleId>,
    /// How many files were read, each with its dialect.
    pub files: Vec<(String, Dialect)>,
    /// The files that could not be read; each is a finding, too.
    pub unread: Vec<UnreadFile>,
    /// Files with something to mend in which nothing can be mended, because they are not UTF-8.
    pub not_utf8: Vec<String>,
}

impl Report {
    /// How many findings have a fix: a safe one, and another one.
    #[must_use]
    pub fn fixable(&self) -> (usize, usize) {
        let fixes = |wanted| {
            let of = |finding: &&Finding| finding.fix.as_ref().is_some_and(|fix| fix.applicability == wanted);
            self.findings.iter().filter(of).count()
        };
        (fixes(Applicability::Safe), fixes(Applicability::Unsafe))
    }

    /// How many findings have this severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Lints files that were read and parsed already. `unread` are files that could not be read: each is a finding.
#[must_use]
pub fn lint(units: Vec<Unit>, unread: &[UnreadFile], repository: &dyn Repository, settings: &Settings) -> Report {
    let selection = &settings.selection;
    let mut files = Files::new(units, repository);
    let mut lowered = lower::lower(&mut files, settings.targets);
    link::link(&mut lowered.topology);
    let mut findings = Findings::default();
    for file in unread {
        let id = files.add_unread(&file.path);
        unreadable(Site::direct(Span::new(id, 0, 0)), &file.path, &file.why, &mut findings);
    }
    for file in &lowered.unread {
        unreadable(file.site, &file.path, &file.why, &mut findings);
    }
    let cx = Cx { topology: &lowered.topology };
    rules::run(&cx, |rule| selection.enables(rule), &mut findings);
    let read = files
        .sources
        .files()
        .filter_map(|(id, file)| files.tree(id).map(|tree| (file.path().to_owned(), tree.dialect())))
        .collect();
    let mut findings = findings.finish(&files.sources);
    let not_utf8 = settle_fixes(&mut findings, &files);
    Report {
        findings,
        not_utf8,
        sources: files.sources,
        topology: lowered.topology,
        rules: CATALOG.iter().map(|meta| meta.id).filter(|&id| selection.enables(id)).collect(),
        files: read,
        unread: unread
            .iter()
            .cloned()
            .chain(
                lowered.unread.iter().map(|file| UnreadFile { path: file.path.to_string(), why: file.why.to_string() }),
            )
            .collect(),
    }
}

/// Most text that the fixes of one run may put in. A short file can ask for very much, by repeating long lines.
const MAX_FIX_BYTES: usize = 8 << 20;

/// Makes bytes of what the fixes say, and drops those that their texts do not bear. Gives the files that are not UTF-8,
/// so that nothing can be mended there.
fn settle_fixes(findings: &mut [Finding], files: &Files<'_>) -> Vec<String> {
    let mut not_utf8 = BTreeSet::new();
    let mut included: Option<HashMap<FileId, usize>> = None;
    let mut room = MAX_FIX_BYTES;
    let page = |id: FileId| {
        let tree = files.tree(id)?;
        let (end, template) = match &*tree {
            Tree::Nginx(parsed) => (";", parsed.template),
            Tree::Haproxy(parsed) => ("", parsed.template),
        };
        Some(Page { text: files.sources.file(id).text(), end, template })
    };
    for finding in findings {
        let Some(fix) = finding.fix.take() else { continue };
        if let Some(file) = fix.files().find(|&file| files.sources.file(file).is_lossy()) {
            not_utf8.insert(file);
            continue;
        }
        let moves = fix.moves_statements();
        let Some(mut fix) = fix.settle(page) else { continue };
        room = room.saturating_sub(fix.changes().map(|(_, text)| text.len()).sum());
        if room == 0 {
            continue;
        }
        if moves && fix.applicability == Applicability::Safe {
            let included = included.get_or_insert_with(|| files.sources.times_included());
            // What is right in one place may be wrong in another that reads the same file.
            if fix.files().any(|file| included.get(&file).is_some_and(|&times| times > 1)) {
                fix.applicability = Applicability::Unsafe;
            }
        }
        finding.fix = Some(Box::new(fix));
    }
    not_utf8.into_iter().map(|file| files.sources.file(file).path().to_owned()).collect()
}

/// An unread file is always a finding, whatever was selected: what was not read is not clean.
fn unreadable(site: Site, path: &str, why: &str, out: &mut Findings) {
    out.push(Finding {
        rule: RuleId::GW000,
        severity: Severity::Error,
        confidence: Confidence::Certain,
        dialect: None,
        outcome: Outcome::NotChecked,
        message: format!("{} could not be read: {}", clean(path), clean(why)),
        labels: vec![Label { site, text: "nothing is known of what stands there".into() }],
        notes: Vec::new(),
        fix: None,
        fingerprint: 0,
    });
}
