//! From files to a report: parse → lower → link → rules → suppress → sort. Layer 6. Pure: reads nothing, prints nothing,
//! knows no clock.

mod template;

use crate::catalog::{CATALOG, Confidence, Outcome, RuleId, Severity};
use crate::config::{Config, Level, Mistake, Source};
use crate::edit::{Applicability, Page};
use crate::files::{Files, NoRepository, Repository, Tree, Unit};
use crate::finding::{Finding, Findings, Label, Note};
use crate::lower::Lowered;
use crate::rules::{self, Cx};
use crate::source::{FileId, Site, SourceMap, Span, clean};
use crate::suppress::Suppressions;
use crate::topology::{Dialect, Topology};
use crate::{baseline, link, lower};
use std::collections::{BTreeSet, HashMap, HashSet};

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
    /// What the configuration file says. Its targets count only when they are put into `targets`.
    pub config: Config,
    /// Whether every file is linted that the configuration file can speak of: then an item of its `ignore` whose paths
    /// match nothing is not needed.
    pub everything: bool,
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
            self.open().filter(of).count()
        };
        (fixes(Applicability::Safe), fixes(Applicability::Unsafe))
    }

    /// The findings that nobody has suppressed.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.suppressed.is_none())
    }

    /// How many findings are shown as this bad, and are not suppressed.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.open().filter(|finding| finding.level() == severity).count()
    }

    /// How many findings are suppressed.
    #[must_use]
    pub fn suppressed(&self) -> usize {
        self.findings.iter().filter(|finding| finding.suppressed.is_some()).count()
    }
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Trees to the topology; what they include and what stands around them is read for it.
    Lower,
    /// What belongs together is joined.
    Link,
    /// One rule.
    Rule(RuleId),
    /// Comments and the configuration's `ignore`.
    Suppress,
    /// Findings are sorted and fixes settled.
    Report,
}

/// Is told when a part of a run is done, so that somebody with a clock can say how long each takes: this crate's core has
/// none.
pub trait Probe {
    /// This is done; what was done since the last call belongs to it.
    fn done(&mut self, step: Step);
}

/// Nobody wants to know.
impl Probe for () {
    fn done(&mut self, _: Step) {}
}

/// Lints files that were read and parsed already. `unread` are files that could not be read: each is a finding.
#[must_use]
pub fn lint(units: Vec<Unit>, unread: &[UnreadFile], repository: &dyn Repository, settings: &Settings) -> Report {
    lint_probed(units, unread, repository, settings, &mut ())
}

/// As [`lint`], and tells how far it is.
#[must_use]
pub fn lint_probed(
    units: Vec<Unit>,
    unread: &[UnreadFile],
    repository: &dyn Repository,
    settings: &Settings,
    probe: &mut dyn Probe,
) -> Report {
    let selection = &settings.selection;
    let config = &settings.config;
    let mut files = Files::new(units, repository);
    let config_file = config.source().map(|source| files.add_text(&source.path, &source.text));
    let mut lowered = lower::lower(&mut files, settings.targets);
    if let Some(file) = config_file {
        config.declare(file, &mut lowered.topology);
    }
    probe.done(Step::Lower);
    link::link(&mut lowered.topology);
    probe.done(Step::Link);
    let mut findings = Findings::default();
    for file in unread {
        let id = files.add_unread(&file.path);
        unreadable(Site::direct(Span::new(id, 0, 0)), &file.path, &file.why, &mut findings);
    }
    for file in &lowered.unread {
        unreadable(file.site, &file.path, &file.why, &mut findings);
    }
    let policy = config.policy(&files.sources);
    let cx = Cx::new(&lowered.topology, &policy);
    let enabled = |rule| selection.enables(rule) && policy.runs(rule);
    rules::run_told(&cx, enabled, &mut findings, |rule| probe.done(Step::Rule(rule)));
    template::weigh(&mut findings, &files, &lowered.filled);
    let mut suppressions = Suppressions::read(&files);
    suppressions.apply(&mut findings);
    let whole = if suppressions.is_empty() && config.ignored().is_empty() {
        HashSet::new()
    } else {
        seen_whole(&files, &lowered.topology)
    };
    let ran = |rule, file| selection.enables(rule) && policy.of(file).runs(rule);
    if let Some(file) = config_file {
        let seen = |rule, id| whole.contains(&id) && ran(rule, id);
        suppressions.apply_configured(config, file, &files.sources, settings.everything, seen, &mut findings);
    }
    suppressions.report(&whole, ran, &mut findings);
    findings.retain(|finding| {
        let profile = policy.of(finding.primary().site.span.file);
        finding.set_level = profile.level(finding.rule).and_then(Level::severity);
        profile.runs(finding.rule)
    });
    probe.done(Step::Suppress);
    let read = linted(&files, &lowered);
    let mut findings = findings.finish();
    baseline::identify(&mut findings, &files.sources, |file| files.tree(file), &lowered.topology);
    let not_utf8 = settle_fixes(&mut findings, &files);
    probe.done(Step::Report);
    Report {
        findings,
        not_utf8,
        sources: files.sources,
        topology: lowered.topology,
        rules: CATALOG.iter().map(|meta| meta.id).filter(|&id| selection.enables(id) && policy.runs(id)).collect(),
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

/// The files that were linted, each with its dialect: those with a tree, then what was told something without one, then
/// compose files that hold configuration.
fn linted(files: &Files<'_>, lowered: &Lowered) -> Vec<(String, Dialect)> {
    let path = |id: FileId| files.sources.file(id).path();
    let manifests = lowered.manifests.iter().map(|&id| (path(id), Dialect::Kubernetes));
    let told: Vec<_> = manifests.chain(lowered.told.iter().map(|&id| (path(id), Dialect::Nginx))).collect();
    let listed: HashSet<&str> = told.iter().map(|(path, _)| *path).collect();
    let (holding, own): (Vec<_>, Vec<_>) = files
        .sources
        .files()
        .filter_map(|(id, file)| Some((id, file.path(), files.tree(id)?.dialect())))
        .partition(|&(id, ..)| files.is_embedded(id));
    // A file may hold several configurations, and manifests are in the list already.
    let holding: BTreeSet<_> = holding
        .into_iter()
        .filter(|(_, path, _)| !listed.contains(path))
        .map(|(_, path, dialect)| (path, dialect))
        .collect();
    let own = own.into_iter().map(|(_, path, dialect)| (path, dialect));
    own.chain(told).chain(holding).map(|(path, dialect)| (path.to_owned(), dialect)).collect()
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
        let tree = files.tree(id).filter(|_| !files.is_embedded(id))?;
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

/// The report of a run that does not take place, because its configuration file has mistakes.
#[must_use]
pub fn misconfigured(source: Source, mistakes: Vec<Mistake>) -> Report {
    let mut files = Files::new(Vec::new(), &NoRepository);
    let file = files.add_text(&source.path, &source.text);
    let mut findings = Findings::default();
    for mistake in mistakes {
        findings.push(Finding {
            rule: RuleId::GW015,
            severity: Severity::Error,
            set_level: None,
            confidence: Confidence::Certain,
            dialect: None,
            outcome: Outcome::NotChecked,
            message: mistake.message,
            labels: vec![Label {
                site: Site::direct(Span::new(file, mistake.at.start, mistake.at.end)),
                text: mistake.label,
            }],
            notes: mistake.help.map(Note::Help).into_iter().collect(),
            fix: None,
            key: 0,
            fingerprint: 0,
            state: None,
            suppressed: None,
        });
    }
    let mut findings = findings.finish();
    baseline::identify(&mut findings, &files.sources, |_| None, &Topology::default());
    Report {
        findings,
        sources: files.sources,
        topology: Topology::default(),
        rules: vec![RuleId::GW015],
        not_utf8: Vec::new(),
        files: Vec::new(),
        unread: Vec::new(),
    }
}

/// The files that were seen as parts of a whole configuration, and are no templates: what is not found there is hardly
/// there.
fn seen_whole(files: &Files<'_>, topology: &Topology) -> HashSet<FileId> {
    let mut included: HashMap<FileId, Vec<FileId>> = HashMap::new();
    for include in files.sources.includes() {
        included.entry(include.at.span.file).or_default().push(include.file);
    }
    let mut next: Vec<FileId> =
        topology.proxies.iter().filter(|(_, proxy)| proxy.whole).map(|(_, proxy)| proxy.entry).collect();
    let mut whole = HashSet::new();
    while let Some(file) = next.pop() {
        if whole.insert(file) {
            next.extend(included.get(&file).into_iter().flatten());
        }
    }
    whole.retain(|&file| files.tree(file).is_some_and(|tree| !tree.is_template()));
    whole
}

/// An unread file is always a finding, whatever was selected: what was not read is not clean.
fn unreadable(site: Site, path: &str, why: &str, out: &mut Findings) {
    out.push(Finding {
        rule: RuleId::GW000,
        severity: Severity::Error,
        set_level: None,
        confidence: Confidence::Certain,
        dialect: None,
        outcome: Outcome::NotChecked,
        message: format!("{} could not be read: {}", clean(path), clean(why)),
        labels: vec![Label { site, text: "nothing is known of what stands there".into() }],
        notes: Vec::new(),
        fix: None,
        key: 0,
        fingerprint: 0,
        state: None,
        suppressed: None,
    });
}
