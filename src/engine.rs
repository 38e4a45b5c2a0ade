//! From files to a report: parse → lower → link → rules → sort. Layer 6. Pure: reads nothing, prints nothing,
//! knows no clock.

use crate::catalog::{CATALOG, Confidence, Outcome, RuleId, Severity};
use crate::files::{Files, Repository, Unit};
use crate::finding::{Finding, Findings, Label};
use crate::rules::{self, Cx};
use crate::source::{Site, SourceMap, Span, clean};
use crate::topology::{Dialect, Topology};
use crate::{link, lower};

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
}

impl Report {
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
    Report {
        findings: findings.finish(&files.sources),
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
        fingerprint: 0,
    });
}
