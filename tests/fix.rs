//! Fixes, on every fixture: after one the file parses, the finding is gone, nothing new came up, and every byte outside
//! the edits is as it was. Line endings and byte order marks make no difference, and a second run changes nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use gw502_lint::catalog::Severity;
use gw502_lint::discover::{self, Disk, Request};
use gw502_lint::edit::Applicability;
use gw502_lint::engine::{self, Report, Settings};
use gw502_lint::files::{Repository, Tree, Unit};
use gw502_lint::finding::Finding;
use gw502_lint::fix::{self, Fixed};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const BOM: &str = "\u{feff}";

/// A side of a fixture in which something can be fixed.
struct Side {
    folder: PathBuf,
    /// What `case.yaml` says of it under `fix`.
    mends: Option<Applicability>,
    rule: String,
    /// Rules that have something to say once the fault is mended, and not before.
    reveals: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut trials = Vec::new();
    for entry in walkdir::WalkDir::new(&fixtures).sort_by_file_name().into_iter().flatten() {
        let is_side = entry.depth() == 3 && matches!(entry.file_name().to_str(), Some("bad" | "good"));
        if !(is_side || entry.path() == fixtures.join("demo")) {
            continue;
        }
        let name = entry.path().strip_prefix(&fixtures).expect("below fixtures").to_string_lossy().replace('\\', "/");
        let yaml = fs::read_to_string(entry.path().with_file_name("case.yaml")).unwrap_or_default();
        let yaml: serde_yaml::Value = serde_yaml::from_str(&yaml).expect("YAML");
        let text = |key: &str| yaml.get(key).and_then(serde_yaml::Value::as_str).unwrap_or_default().to_owned();
        let side = Side {
            mends: match (&*text("fix"), name.ends_with("/bad")) {
                ("safe", true) => Some(Applicability::Safe),
                ("unsafe", true) => Some(Applicability::Unsafe),
                _ => None,
            },
            rule: text("rule"),
            reveals: yaml
                .get("reveals")
                .and_then(|rules| serde_yaml::from_value(rules.clone()).ok())
                .unwrap_or_default(),
            folder: entry.path().to_owned(),
        };
        trials.push(Trial::test(name, move || check(&side)));
    }
    assert!(trials.len() > 100, "the fixtures are gone: {} found", trials.len());
    trials.push(Trial::test("there are fixes of either kind", move || there_are_fixes(&fixtures)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The files of a side, changed by `change`, in a scratch directory.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new(side: &Path, change: impl Fn(&str) -> String) -> Self {
        let scratch = Self(tempfile::tempdir().expect("a scratch directory"));
        for folder in [side.to_owned(), side.with_file_name("files")].iter().filter(|folder| folder.is_dir()) {
            let below = if folder == side { scratch.root() } else { scratch.root().join("files") };
            for entry in walkdir::WalkDir::new(folder).into_iter().flatten().filter(|e| e.file_type().is_file()) {
                let target = below.join(entry.path().strip_prefix(folder).expect("below"));
                fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
                let bytes = fs::read(entry.path()).expect("readable");
                let bytes = match String::from_utf8(bytes) {
                    Ok(text) => change(&text.replace("@DIR@/conf/", "").replace("@DIR@", "/srv/lab")).into_bytes(),
                    Err(error) => error.into_bytes(),
                };
                fs::write(target, bytes).expect("written");
            }
        }
        scratch
    }

    fn root(&self) -> PathBuf {
        fs::canonicalize(self.0.path()).expect("it is there")
    }

    fn fixed(&self, most: Applicability, keep: impl Fn(&Finding) -> bool) -> (Report, Fixed) {
        let request = Request { paths: vec![self.root()], ..Request::default() };
        let found = discover::discover(&request).expect("files");
        let disk = Disk::new(found.root.clone());
        let mut first = None;
        let lint = |units: Vec<Unit>, repository: &dyn Repository| {
            let mut report = engine::lint(units, &found.unread, repository, &Settings::default());
            for finding in report.findings.iter_mut().filter(|finding| !keep(finding)) {
                finding.fix = None;
            }
            report
        };
        let mut lint_and_keep = |units: Vec<Unit>, repository: &dyn Repository| {
            let report = lint(units, repository);
            if first.is_none() {
                let again = discover::discover(&request).expect("files").units;
                first = Some(lint(again, repository));
            }
            report
        };
        let fixed = fix::run(found.units, &disk, most, &mut lint_and_keep);
        (first.expect("it was linted"), fixed)
    }
}

/// The texts of all configuration files, as they are in the end.
fn texts(fixed: &Fixed) -> BTreeMap<String, String> {
    fixed.report.sources.files().map(|(_, file)| (file.path().to_owned(), file.text().to_owned())).collect()
}

fn check(side: &Side) -> Result<(), Failed> {
    let plain = Copy::new(&side.folder, str::to_owned);
    for most in [Applicability::Safe, Applicability::Unsafe] {
        let (before, fixed) = plain.fixed(most, |_| true);
        all_together(&before, &fixed, most, &side.reveals)?;
        for finding in before.findings.iter().filter(|f| f.fix.as_ref().is_some_and(|fix| fix.applicability == most)) {
            let (before, fixed) = plain.fixed(most, |other| same(other, finding));
            one_alone(&before, &fixed, finding, &side.reveals)?;
        }
        same_in_other_clothes(&side.folder, most, &fixed)?;
        if side.mends == Some(most) && fixed.report.findings.iter().any(|f| f.rule.meta().code == side.rule) {
            return Err(
                format!("case.yaml says that {most:?} fixes mend this, and {} is still there", side.rule).into()
            );
        }
    }
    Ok(())
}

/// Findings at least as bad as a warning, by rule.
fn bad(report: &Report) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for finding in report.findings.iter().filter(|finding| finding.severity >= Severity::Warning) {
        *counts.entry(finding.rule.meta().code).or_default() += 1;
    }
    counts
}

fn nothing_worse(before: &Report, fixed: &Fixed, reveals: &[String]) -> Result<(), Failed> {
    let (was, is) = (bad(before), bad(&fixed.report));
    for (rule, count) in &is {
        if reveals.iter().any(|revealed| revealed == rule) {
            continue;
        }
        if count > was.get(rule).unwrap_or(&0) {
            return Err(format!("{rule}: {was:?} became {is:?}\n{}", shown(fixed)).into());
        }
    }
    let dialects: BTreeMap<_, _> = before.files.iter().cloned().collect();
    for (path, changed) in &fixed.changed {
        let errors = |text: &str| match Tree::parse(text, dialects[path]) {
            Tree::Nginx(parsed) => parsed.errors.len(),
            Tree::Haproxy(parsed) => parsed.errors.len(),
        };
        if errors(&changed.after) > errors(&changed.before) {
            return Err(format!("{path} does not parse any more\n{}", shown(fixed)).into());
        }
    }
    Ok(())
}

fn shown(fixed: &Fixed) -> String {
    let files = fixed.changed.iter().map(|(path, changed)| format!("--- {path}\n{}", changed.after));
    let left = fixed.report.findings.iter().map(|f| format!("{}: {} {:?}", f.rule, f.message, f.fix));
    files.chain(left).collect::<Vec<_>>().join("\n")
}

fn all_together(before: &Report, fixed: &Fixed, most: Applicability, reveals: &[String]) -> Result<(), Failed> {
    nothing_worse(before, fixed, reveals)?;
    let left = fixed.report.findings.iter().filter(|f| f.fix.as_ref().is_some_and(|fix| fix.applicability <= most));
    let left: Vec<_> = left.map(|finding| finding.message.clone()).collect();
    if !left.is_empty() {
        return Err(format!("a second run would go on: {left:?}\n{}", shown(fixed)).into());
    }
    let wanted = before.findings.iter().filter(|f| f.fix.as_ref().is_some_and(|fix| fix.applicability <= most)).count();
    if fixed.applied < wanted || (wanted > 0) == fixed.changed.is_empty() {
        return Err(format!("{} of {wanted} were applied\n{}", fixed.applied, shown(fixed)).into());
    }
    Ok(())
}

/// Whether two findings are one, before and after: the number of a fingerprint moves up when another finding goes.
fn same(a: &Finding, b: &Finding) -> bool {
    (a.key, &a.message, a.primary().site.span.file) == (b.key, &b.message, b.primary().site.span.file)
}

/// One fix is applied and no other.
fn one_alone(before: &Report, fixed: &Fixed, finding: &Finding, reveals: &[String]) -> Result<(), Failed> {
    nothing_worse(before, fixed, reveals)?;
    let finding = before.findings.iter().find(|other| same(other, finding)).expect("it is there");
    if fixed.report.findings.iter().any(|other| same(other, finding)) {
        return Err(format!("`{}` is still there\n{}", finding.message, shown(fixed)).into());
    }
    let count = |report: &Report| report.findings.iter().filter(|other| other.rule == finding.rule).count();
    if count(&fixed.report) >= count(before) {
        return Err(format!("there are as many of {} as before\n{}", finding.rule, shown(fixed)).into());
    }
    let changes: Vec<_> = finding.fix.as_ref().expect("it has a fix").changes().collect();
    for (path, changed) in &fixed.changed {
        let of_file = changes.iter().filter(|(span, _)| before.sources.file(span.file).path() == path);
        let (mut old, mut new) = (0, 0);
        for (span, text) in of_file {
            let kept = &changed.before[old..span.start as usize];
            assert_eq!(changed.after.get(new..new + kept.len()), Some(kept), "{path} changed elsewhere");
            new += kept.len();
            assert_eq!(changed.after.get(new..new + text.len()), Some(*text), "{path}: the edit is not what was said");
            new += text.len();
            old = span.end as usize;
        }
        assert_eq!(changed.after.get(new..), changed.before.get(old..), "{path} changed behind the last edit");
    }
    Ok(())
}

/// With CRLF, or a byte order mark, the same comes out.
fn same_in_other_clothes(folder: &Path, most: Applicability, plain: &Fixed) -> Result<(), Failed> {
    let crlf = Copy::new(folder, |text| text.replace("\r\n", "\n").replace('\n', "\r\n"));
    let (_, crlf) = crlf.fixed(most, |_| true);
    for (path, text) in texts(&crlf) {
        if text.replace("\r\n", "").contains(['\r', '\n']) {
            return Err(format!("{path} has two kinds of line endings:\n{text:?}").into());
        }
    }
    let with_lf = |fixed: &Fixed| -> BTreeMap<String, String> {
        texts(fixed).into_iter().map(|(path, text)| (path, text.replace("\r\n", "\n"))).collect()
    };
    if with_lf(&crlf) != with_lf(plain) {
        return Err(format!("CRLF makes a difference:\n{}\n\n{}", shown(&crlf), shown(plain)).into());
    }
    let marked = Copy::new(folder, |text| format!("{BOM}{}", text.trim_start_matches(BOM)));
    let (_, marked) = marked.fixed(most, |_| true);
    let without = |fixed: &Fixed| -> BTreeMap<String, String> {
        texts(fixed).into_iter().map(|(path, text)| (path, text.trim_start_matches(BOM).to_owned())).collect()
    };
    if without(&marked) != without(plain) {
        return Err(format!("a byte order mark makes a difference:\n{}\n\n{}", shown(&marked), shown(plain)).into());
    }
    Ok(())
}

/// What is proven of nothing is not proven.
fn there_are_fixes(fixtures: &Path) -> Result<(), Failed> {
    let mut counts = (0, 0);
    for entry in walkdir::WalkDir::new(fixtures).into_iter().flatten().filter(|e| e.depth() == 3) {
        if entry.file_name() == "bad" {
            let (before, _) = Copy::new(entry.path(), str::to_owned).fixed(Applicability::Safe, |_| true);
            let (safe, others) = before.fixable();
            counts = (counts.0 + safe, counts.1 + others);
        }
    }
    if counts.0 >= 10 && counts.1 >= 40 { Ok(()) } else { Err(format!("only {counts:?}").into()) }
}
