//! `--baseline`, `--write-baseline` and `--changed-since`: findings that were there before do not count.

use super::output::{to_file, to_stderr};
use crate::baseline::{self, Compared, Entry, Old, Seen, TOOL_LINE, compare, on_one_line};
use crate::catalog::{RuleId, Severity};
use crate::discover::{self, Before, Disk, Found, OldTree, Past, Request};
use crate::engine::{self, Report, Settings};
use crate::files::join;
use crate::finding::{Finding, State, Suppressed, SuppressedIn};
use crate::output::plain_line;
use crate::source::{FileId, Span, clean};
use clap::Args;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most bytes of a baseline file: some hundred thousand findings.
const MAX_BYTES: u64 = 64 << 20;

/// Entries without a finding that are listed; the rest are counted.
const MAX_LISTED: usize = 20;

/// How long two versions of one file may be compared; then more lines count as changed than have.
const COMPARING: Duration = Duration::from_secs(5);

/// Bytes of a line that a baseline file may show to its readers.
const MAX_LINE: usize = 1024;

#[derive(Debug, Args)]
#[command(next_help_heading = "Findings")]
pub struct BaselineArguments {
    /// Findings that FILE lists do not count: they were there when it was written
    #[arg(long, value_name = "FILE", conflicts_with = "write_baseline")]
    baseline: Option<PathBuf>,

    /// Do not use the baseline that the configuration file names
    #[arg(long, conflicts_with_all = ["baseline", "write_baseline"])]
    no_baseline: bool,

    /// Write all findings of this run into FILE, as a baseline for later ones
    #[arg(long, value_name = "FILE", conflicts_with_all = ["changed_since", "diff"])]
    write_baseline: Option<PathBuf>,

    /// Only findings count that came with what changed since REF (a branch, tag or commit of git), or that point at lines
    /// that changed
    #[arg(long, value_name = "REF")]
    changed_since: Option<String>,
}

/// What the findings of a run are held against.
pub struct Comparison {
    known: Option<Known>,
    write: Option<Place>,
    since: Option<Since>,
}

/// A baseline file, and how its paths lie to those of the run.
struct Place {
    file: PathBuf,
    /// As shown to people.
    shown: String,
    /// The folder from which its paths count.
    base: PathBuf,
    /// The root of the run, seen from there; empty where both are one.
    prefix: String,
}

struct Known {
    place: Place,
    entries: Vec<Entry>,
    /// Whether the run goes through the whole root.
    whole: bool,
    /// Entries that match nothing any more, and how many findings each stood for.
    stale: Vec<(usize, u32)>,
}

struct Since {
    reference: String,
    past: Past,
    root: PathBuf,
    old: Vec<OldFinding>,
}

struct OldFinding {
    rule: RuleId,
    path: String,
    key: u64,
    severity: Severity,
}

impl BaselineArguments {
    /// Gets ready what is asked for.
    ///
    /// # Errors
    /// Why that cannot be had, in words.
    pub fn open(&self, request: &Request, settings: &Settings) -> Result<Comparison, String> {
        let mut comparison = Comparison { known: None, write: None, since: None };
        let named = self.baseline.clone().map(|file| (file.display().to_string(), file));
        if named.is_none() && self.write_baseline.is_none() && self.changed_since.is_none() {
            let configured = settings.config.baseline().is_some() && !self.no_baseline;
            if !configured {
                return Ok(comparison);
            }
        }
        let (root, whole) = discover::root(request).map_err(|refusal| refusal.to_string())?;
        if let Some(file) = &self.write_baseline {
            let place = Place::new(file.clone(), file.display().to_string(), &root)?;
            place.is_free()?;
            comparison.write = Some(place);
            return Ok(comparison);
        }
        let configured = settings.config.baseline().filter(|_| !self.no_baseline).map(|file| {
            let prefix = settings.config.prefix();
            let up = prefix.split('/').filter(|part| !part.is_empty()).count();
            (file.to_owned(), root.ancestors().nth(up).unwrap_or(&root).join(file))
        });
        if let Some((shown, file)) = named.or(configured) {
            let place = Place::new(file, shown, &root)?;
            let entries = place.read()?;
            comparison.known = Some(Known { place, entries, whole, stale: Vec::new() });
        }
        if let Some(reference) = &self.changed_since {
            if request.stdin.is_some() {
                return Err("--changed-since is for files: standard input has no past".into());
            }
            comparison.since = Some(Since::new(reference, root, request, settings)?);
        }
        Ok(comparison)
    }
}

impl Comparison {
    /// Says of each finding whether it was known, and suppresses those that were. To be asked before any is left out.
    pub fn mark(&mut self, report: &mut Report) {
        if let Some(known) = &mut self.known {
            known.mark(report);
        }
        if let Some(since) = &self.since {
            since.mark(report);
        }
    }

    /// Writes a baseline, where that is asked for, and says which entries of one match nothing any more.
    ///
    /// # Errors
    /// Why it cannot be written, in words.
    pub fn finish(&self, report: &mut Report) -> Result<(), String> {
        if let Some(known) = &self.known {
            known.tell();
        }
        // Asked for again: what was read while linting counts, too.
        if let Some(why) = self.since.as_ref().and_then(|since| since.past.failed()) {
            return Err(why);
        }
        match &self.write {
            Some(place) => place.write(report),
            None => Ok(()),
        }
    }
}

/// Whether a finding can be known at all: what could not be read was never checked.
fn countable(finding: &Finding) -> bool {
    finding.suppressed.is_none() && !matches!(finding.rule, RuleId::GW000 | RuleId::GW015)
}

fn file_of(finding: &Finding) -> FileId {
    finding.primary().site.span.file
}

/// Which of a report's findings can be known, and what of them was. `path` gives the path by which it was.
fn held_against<'a>(
    report: &'a Report,
    old: &[Old<'a>],
    paths: &'a HashMap<FileId, String>,
    is_there: impl Fn(&str) -> bool,
) -> (Vec<usize>, Compared) {
    let which: Vec<usize> = (0..report.findings.len()).filter(|&at| countable(&report.findings[at])).collect();
    let seen: Vec<Seen<'_>> = which
        .iter()
        .map(|&at| {
            let finding = &report.findings[at];
            Seen {
                rule: finding.rule.meta().code,
                path: paths.get(&file_of(finding)).map_or("", String::as_str),
                key: finding.key,
                severity: finding.severity,
            }
        })
        .collect();
    let compared = compare(old, &seen, is_there);
    (which, compared)
}

/// The paths of all files in which something was found.
fn paths(report: &Report, of: impl Fn(&str) -> String) -> HashMap<FileId, String> {
    let mut paths = HashMap::new();
    for file in report.findings.iter().map(file_of) {
        paths.entry(file).or_insert_with(|| of(report.sources.file(file).path()));
    }
    paths
}

impl Place {
    fn new(file: PathBuf, shown: String, root: &Path) -> Result<Self, String> {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = fs::canonicalize(folder)
            .map_err(|error| format!("cannot look for the baseline {shown}: {}", discover::words(&error)))?;
        // A file from elsewhere speaks of the whole repository.
        let repository = || root.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(root);
        let base = if root.starts_with(&folder) { folder } else { repository().to_owned() };
        let prefix = root.strip_prefix(&base).map(|path| path.to_string_lossy().replace('\\', "/")).unwrap_or_default();
        Ok(Self { file, shown, base, prefix })
    }

    /// A path of the run as the file has it.
    fn path(&self, path: &str) -> String {
        join(&self.prefix, path).unwrap_or_else(|| path.to_owned())
    }

    fn read(&self) -> Result<Vec<Entry>, String> {
        let shown = &self.shown;
        let again = format!("write it with: gw502-lint --write-baseline {shown}");
        if fs::symlink_metadata(&self.file).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Err(format!("there is no baseline {shown}\n{again}"));
        }
        let text = discover::read_text(&self.file, MAX_BYTES)
            .map_err(|why| format!("cannot read the baseline {shown}: {why}"))?;
        baseline::read(&text).map_err(|why| match why.contains("newer") {
            true => format!("the baseline {shown} {why}"),
            false => format!("the baseline {shown} {why}\n{again}"),
        })
    }

    /// Whether a baseline may be written here: nothing is overwritten that is none.
    fn is_free(&self) -> Result<(), String> {
        let ours = match fs::metadata(&self.file) {
            Err(_) => true,
            Ok(found) if !found.is_file() || found.len() == 0 => true,
            Ok(_) => discover::read_text(&self.file, MAX_BYTES).is_ok_and(|text| text.contains(TOOL_LINE)),
        };
        match ours {
            true => Ok(()),
            false => Err(format!("{} is there and is no baseline; it is not overwritten", self.shown)),
        }
    }

    fn write(&self, report: &mut Report) -> Result<(), String> {
        let entries = report.findings.iter().filter(|finding| countable(finding)).map(|finding| {
            let span = finding.primary().site.span;
            let file = report.sources.file(span.file);
            let line = file.line_text(file.line_index(span.start));
            let line = line.char_indices().nth(MAX_LINE).map_or(line, |(end, _)| &line[..end]);
            Entry {
                path: self.path(file.path()),
                rule: finding.rule.meta().code.to_owned(),
                key: finding.key,
                count: 1,
                text: clean(&on_one_line(line, false)).into_owned(),
            }
        });
        let text = baseline::write(entries);
        let before = self.read().unwrap_or_default();
        to_file(&self.file, |out| out.write_all(text.as_bytes()))?;
        let now = baseline::read(&text)?;
        let place = |entry: &Entry| (entry.path.clone(), entry.rule.clone(), entry.key);
        let counts: HashMap<_, u32> = now.iter().map(|entry| (place(entry), entry.count)).collect();
        let gone = |entry: &Entry| entry.count.saturating_sub(counts.get(&place(entry)).copied().unwrap_or(0));
        let gone: u64 = before.iter().map(|entry| u64::from(gone(entry))).sum();
        let written: u64 = now.iter().map(|entry| u64::from(entry.count)).sum();
        let gone = if gone == 0 { String::new() } else { format!("; {} of before gone", counted(gone)) };
        to_stderr(|out| writeln!(out, "{}: {} written{gone}", plain_line(&self.shown), counted(written)));
        let reason: Arc<str> = self.reason();
        for finding in report.findings.iter_mut().filter(|finding| countable(finding)) {
            suppress(finding, SuppressedIn::Baseline, &reason);
        }
        Ok(())
    }

    fn reason(&self) -> Arc<str> {
        format!("it is in the baseline {}", clean(&self.shown)).into()
    }
}

fn suppress(finding: &mut Finding, by: SuppressedIn, reason: &Arc<str>) {
    finding.state = Some(State::Unchanged);
    finding.suppressed = Some(Box::new(Suppressed { by, reason: Arc::clone(reason), at: None }));
}

fn counted(count: u64) -> String {
    if count == 1 { "1 finding".into() } else { format!("{count} findings") }
}

impl Known {
    fn mark(&mut self, report: &mut Report) {
        let old: Vec<Old<'_>> = self
            .entries
            .iter()
            .map(|entry| Old {
                rule: &entry.rule,
                path: &entry.path,
                key: entry.key,
                count: entry.count,
                severity: None,
            })
            .collect();
        let paths = paths(report, |path| self.place.path(path));
        let (which, compared) = held_against(report, &old, &paths, |path| self.place.base.join(path).exists());
        let reason = self.place.reason();
        for (&at, known) in which.iter().zip(&compared.known) {
            let finding = &mut report.findings[at];
            match known {
                true => suppress(finding, SuppressedIn::Baseline, &reason),
                false => finding.state = Some(State::New),
            }
        }
        // Of what was not looked at nothing is known.
        let looked_at = |entry: &Entry| {
            let below = self.place.prefix.is_empty()
                || entry.path.strip_prefix(&*self.place.prefix).is_some_and(|rest| rest.starts_with('/'));
            below && RuleId::find(&entry.rule).is_none_or(|rule| report.rules.contains(&rule))
        };
        self.stale = (0..self.entries.len())
            .filter(|&at| self.whole && compared.gone[at] > 0 && looked_at(&self.entries[at]))
            .map(|at| (at, compared.gone[at]))
            .collect();
    }

    /// Says which entries match nothing any more.
    fn tell(&self) {
        if self.stale.is_empty() {
            return;
        }
        let shown = plain_line(&self.place.shown);
        to_stderr(|out| {
            let count = self.stale.iter().map(|(_, gone)| u64::from(*gone)).sum();
            let is = if count == 1 { "is" } else { "are" };
            writeln!(out, "{shown}: {} of it {is} not found any more:", counted(count))?;
            for (at, gone) in self.stale.iter().take(MAX_LISTED) {
                let entry = &self.entries[*at];
                let times = if *gone == 1 { String::new() } else { format!(" ({gone} times)") };
                let [rule, path, text] = [&entry.rule, &entry.path, &entry.text].map(|text| plain_line(text));
                writeln!(out, "  {rule} in {path}{times}: {text}")?;
            }
            if self.stale.len() > MAX_LISTED {
                writeln!(out, "  and {} more entries", self.stale.len() - MAX_LISTED)?;
            }
            writeln!(out, "take them out with: gw502-lint --write-baseline {shown}")
        });
    }
}

impl Since {
    fn new(reference: &str, root: PathBuf, request: &Request, settings: &Settings) -> Result<Self, String> {
        let past = Past::since(&root, reference)?;
        let mut since = Self { reference: reference.to_owned(), past, root, old: Vec::new() };
        if !since.past.is_same() {
            since.old = since.lint(request, settings)?;
            if let Some(why) = since.past.failed() {
                return Err(why);
            }
        }
        Ok(since)
    }

    /// What would have been found then.
    fn lint(&self, request: &Request, settings: &Settings) -> Result<Vec<OldFinding>, String> {
        let found = discover::discover_old(request, &self.past).map_err(|refusal| refusal.to_string())?;
        let Found { root, units, unread, deployments, .. } = found;
        let tree = OldTree::new(Disk::new(root).with_deployments(deployments), &self.past);
        let report = engine::lint(units, &unread, &tree, settings);
        let new_names: HashMap<&str, &str> = self.past.renamed().map(|(new, old)| (old, new)).collect();
        let name = |path: &str| new_names.get(path).copied().unwrap_or(path).to_owned();
        Ok(report
            .findings
            .iter()
            .filter(|finding| countable(finding))
            .map(|finding| OldFinding {
                rule: finding.rule,
                path: name(report.sources.file(file_of(finding)).path()),
                key: finding.key,
                severity: finding.severity,
            })
            .collect())
    }

    fn mark(&self, report: &mut Report) {
        let old: Vec<Old<'_>> = self
            .old
            .iter()
            .map(|old| Old {
                rule: old.rule.meta().code,
                path: &old.path,
                key: old.key,
                count: 1,
                severity: Some(old.severity),
            })
            .collect();
        let paths = paths(report, str::to_owned);
        let (which, compared) = held_against(report, &old, &paths, |path| self.root.join(path).exists());
        let same = self.past.is_same();
        let reason: Arc<str> = format!("it was there before what changed since {}", clean(&self.reference)).into();
        let mut lines = HashMap::new();
        for (&at, known) in which.iter().zip(&compared.known) {
            let state = match *known || same {
                false => State::New,
                true if self.touched(report, &report.findings[at], &mut lines) => State::Updated,
                true => State::Unchanged,
            };
            let finding = &mut report.findings[at];
            match state {
                State::Unchanged => suppress(finding, SuppressedIn::History, &reason),
                state => finding.state = Some(state),
            }
        }
    }

    /// Whether a finding points at a line that has changed.
    fn touched(&self, report: &Report, finding: &Finding, lines: &mut HashMap<FileId, Lines>) -> bool {
        finding.labels.iter().any(|label| {
            let span = label.site.span;
            let file = report.sources.file(span.file);
            let lines =
                lines.entry(span.file).or_insert_with(|| Lines::new(&self.past.before(file.path()), file.text()));
            lines.changed(report, span)
        })
    }
}

/// Which lines of a file have changed.
enum Lines {
    None,
    All,
    Some(Vec<bool>),
}

impl Lines {
    /// Blanks do not count: a text that was only set anew says what it said.
    fn new(before: &Before, now: &str) -> Self {
        let before = match before {
            Before::Same => return Self::None,
            Before::New => return Self::All,
            Before::Text(text) => text,
        };
        let words = |text: &str| -> Vec<String> {
            let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            text.split('\n').map(line).collect()
        };
        let (before, now) = (words(before), words(now));
        let deadline = Instant::now().checked_add(COMPARING);
        let mut changed = vec![false; now.len()];
        for op in capture_diff_slices_deadline(Algorithm::Myers, &before, &now, deadline) {
            if !matches!(op, DiffOp::Equal { .. }) {
                changed[op.new_range()].fill(true);
            }
        }
        Self::Some(changed)
    }

    fn changed(&self, report: &Report, span: Span) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Some(changed) => {
                let file = report.sources.file(span.file);
                let text = report.sources.text(span);
                let end = span.start + text.trim_end().len() as u32;
                let (first, last) = (file.line_index(span.start), file.line_index(end));
                changed.get(first..=last).is_some_and(|lines| lines.contains(&true))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &str, now: &str) -> Vec<usize> {
        match Lines::new(&Before::Text(before.into()), now) {
            Lines::Some(lines) => (0..lines.len()).filter(|&line| lines[line]).collect(),
            _ => panic!("there are two texts"),
        }
    }

    #[test]
    fn changed_lines_are_those_with_other_words() {
        assert_eq!(changed("a\nb\nc\n", "a\nx\nc\n"), [1]);
        assert_eq!(
            changed("a\nb\nc\n", "a\nc\n"),
            [] as [usize; 0],
            "a line that is gone is not there to be pointed at"
        );
        assert_eq!(changed("a {\n  b  c;\n}\n", "a {\r\n\tb c;\r\n}\r\n"), [] as [usize; 0]);
        assert_eq!(changed("a\n", "b\na\nc\n"), [0, 2]);
        assert!(matches!(Lines::new(&Before::Same, "a"), Lines::None));
        assert!(matches!(Lines::new(&Before::New, "a"), Lines::All));
    }
}
