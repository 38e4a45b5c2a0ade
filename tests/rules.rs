//! Every fixture: `bad/` gives the rule on a marked line, `good/` gives nothing of that rule and no error of any
//! rule, and what a person reads of `bad/` is a snapshot. A fixture is linted by the real program, as a small
//! repository of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use libtest_mimic::{Arguments, Failed, Trial};
use serde_yaml::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// A fixture's `case.yaml`, as far as this test reads it.
struct Case {
    name: String,
    folder: PathBuf,
    rule: String,
    also: Vec<String>,
    /// What `--target` says.
    target: Option<String>,
    /// What the proxy's own check makes of `bad`.
    check: Option<String>,
    /// File → lines on which a label may sit.
    at: BTreeMap<String, BTreeSet<u64>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for case in cases() {
        let trap = !case.folder.join("bad").is_dir();
        let name = case.name.clone();
        trials.push(Trial::test(name, move || if trap { trap_is_silent(&case) } else { both_sides(&case) }));
    }
    assert!(trials.len() > 50, "the fixtures are gone: {} found", trials.len());
    trials.push(Trial::test("every rule has a fixture for every dialect it speaks", every_rule_has_fixtures));
    trials.push(Trial::test("the pages say what the proxies' own checks say", pages_say_what_checks_say));
    trials.push(Trial::test("demo", demo));
    trials.push(Trial::test("the README shows real output", readme_shows_real_output));
    trials.push(Trial::test("the README lists every rule", readme_lists_every_rule));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in walkdir::WalkDir::new(fixtures()).sort_by_file_name().into_iter().flatten() {
        if entry.file_name() != "case.yaml" {
            continue;
        }
        let folder = entry.path().parent().expect("a file has a folder").to_owned();
        let name = folder.strip_prefix(fixtures()).expect("below fixtures").to_string_lossy().replace('\\', "/");
        let yaml: Value = serde_yaml::from_str(&fs::read_to_string(entry.path()).expect("readable"))
            .unwrap_or_else(|error| panic!("{name}/case.yaml: {error}"));
        let text = |key: &str| yaml.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |value: Option<&Value>| value.and_then(Value::as_sequence).cloned().unwrap_or_default();
        let at = yaml.get("at").and_then(Value::as_mapping).cloned().unwrap_or_default();
        cases.push(Case {
            name,
            folder,
            rule: text("rule"),
            target: yaml.get("target").and_then(Value::as_str).map(str::to_owned),
            check: yaml.get("check").and_then(Value::as_str).map(str::to_owned),
            also: list(yaml.get("also")).iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            at: at
                .iter()
                .map(|(file, lines)| {
                    let file = file.as_str().unwrap_or_default().to_owned();
                    (file, list(Some(lines)).iter().filter_map(Value::as_u64).collect())
                })
                .collect(),
        });
    }
    cases
}

/// One finding, as SARIF tells it.
#[derive(Debug)]
struct Found {
    rule: String,
    level: String,
    places: Vec<(String, u64)>,
}

/// Lints a copy of one side, and gives the findings and what a person reads.
fn lint(case: &Case, side: &str) -> (Vec<Found>, String) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let root = scratch.path();
    copy(&case.folder.join(side), root);
    if case.folder.join("files").is_dir() {
        copy(&case.folder.join("files"), &root.join("files"));
    }
    let target = case.target.iter().flat_map(|target| ["--target", target]);
    let with = |format: &[&'static str]| format.iter().copied().chain(target.clone()).chain(["."]).collect::<Vec<_>>();
    let sarif = run(root, &with(&["--format", "sarif"]));
    let log: serde_json::Value = serde_json::from_str(&sarif).unwrap_or_else(|e| panic!("no SARIF: {e}\n{sarif}"));
    let found = log["runs"][0]["results"].as_array().expect("results").iter().map(found).collect();
    (found, run(root, &with(&["--format", "human", "--color", "never"])))
}

fn found(result: &serde_json::Value) -> Found {
    let places = ["locations", "relatedLocations"].into_iter().flat_map(|key| {
        result[key].as_array().cloned().unwrap_or_default().into_iter().filter_map(|location| {
            let physical = &location["physicalLocation"];
            Some((physical["artifactLocation"]["uri"].as_str()?.to_owned(), physical["region"]["startLine"].as_u64()?))
        })
    });
    Found {
        rule: result["ruleId"].as_str().unwrap_or_default().to_owned(),
        level: result["level"].as_str().unwrap_or_default().to_owned(),
        places: places.collect(),
    }
}

fn run(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gw502-lint"))
        .args(arguments)
        .current_dir(root)
        .env_remove("CLICOLOR_FORCE")
        .output()
        .expect("the program runs");
    let code = output.status.code();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(code, Some(0 | 1)), "exit {code:?}: {said}");
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Copies a tree. `@DIR@/conf` is the tree itself on a live run; the rest of its scratch directory lies outside.
fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().flatten() {
        let target = to.join(entry.path().strip_prefix(from).expect("below"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).expect("a folder");
        } else {
            let bytes = fs::read(entry.path()).expect("readable");
            let bytes = match String::from_utf8(bytes) {
                Ok(text) => text.replace("@DIR@/conf/", "").replace("@DIR@", "/srv/lab").into_bytes(),
                Err(error) => error.into_bytes(),
            };
            fs::write(target, bytes).expect("written");
        }
    }
}

fn both_sides(case: &Case) -> Result<(), Failed> {
    let (bad, text) = lint(case, "bad");
    let wanted = |found: &&Found| found.rule == case.rule || case.also.contains(&found.rule);
    let on_a_marked_line = |found: &&Found| {
        found.places.iter().any(|(file, line)| case.at.get(file).is_some_and(|lines| lines.contains(line)))
    };
    let hit = bad.iter().filter(wanted).any(|found| on_a_marked_line(&found));
    if !hit {
        return Err(format!("bad/ lacks {} on {:?}; found {bad:#?}", case.rule, case.at).into());
    }
    snapshot(&case.name, &text);
    silent(case)
}

fn trap_is_silent(case: &Case) -> Result<(), Failed> {
    silent(case)
}

/// Nothing of the rule, and no error of any rule: an error is true, and this side works.
fn silent(case: &Case) -> Result<(), Failed> {
    let (good, text) = lint(case, "good");
    let loud: Vec<_> = good.iter().filter(|found| found.rule == case.rule || found.level == "error").collect();
    if loud.is_empty() { Ok(()) } else { Err(format!("good/ is not silent:\n{text}\n{loud:#?}").into()) }
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // How long it took is the machine's affair.
    settings.add_filter(r"\(\d+(\.\d+)? m?s\)", "([time])");
    settings.bind(|| insta::assert_snapshot!(format!("rules__{}", name.replace('/', "__")), text));
}

fn every_rule_has_fixtures() -> Result<(), Failed> {
    let cases = cases();
    let mut missing = Vec::new();
    for meta in gw502_lint::catalog::CATALOG {
        for about in meta.dialects {
            let prefix = format!("{}/{}", meta.slug, about.dialect);
            if !cases.iter().any(|case| case.name.starts_with(&prefix) && case.folder.join("bad").is_dir()) {
                missing.push(prefix);
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("no fixture for {missing:?}").into()) }
}

/// The shop that the README runs: six different hazards, and the text that the README shows.
fn demo() -> Result<(), Failed> {
    let root = fixtures().join("demo");
    let log: serde_json::Value = serde_json::from_str(&run(&root, &["--format", "sarif", "."])).expect("SARIF");
    let found: Vec<Found> = log["runs"][0]["results"].as_array().expect("results").iter().map(found).collect();
    let rules: BTreeSet<_> = found.iter().map(|found| found.rule.as_str()).collect();
    if rules.len() < 6 {
        return Err(format!("the demo shows {rules:?}").into());
    }
    snapshot("demo", &run(&root, &["--color", "never", "."]));
    Ok(())
}

/// What the README shows of the demo is what the program prints.
fn readme_shows_real_output() -> Result<(), Failed> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(top.join("README.md")).expect("a README");
    let picture = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a picture");
    let printed = run(top, &["--color", "never", "fixtures/demo"]);
    // The summary holds a time; everything else is to be found letter by letter.
    for finding in picture.trim().split("\n\n").filter(|part| part.contains("┌─")) {
        if !printed.contains(finding) {
            return Err(format!("the README shows, and the program does not print:\n{finding}\n\n{printed}").into());
        }
    }
    let summary = picture.lines().find(|line| line.contains(" files: ")).and_then(|line| line.split(" (").next());
    if !summary.is_some_and(|counts| printed.contains(&format!("\n{counts} ("))) {
        return Err(format!("the README's summary is not the program's: {summary:?}\n{printed}").into());
    }
    if picture.matches("┌─").count() < 2 { Err("the README shows no findings".into()) } else { Ok(()) }
}

fn readme_lists_every_rule() -> Result<(), Failed> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("a README");
    let row = |meta: &gw502_lint::catalog::RuleMeta| {
        format!("| {0} | [{1}](docs/rules/{0}-{1}.md) | {2} |", meta.code, meta.slug, meta.title)
    };
    let missing: Vec<_> =
        gw502_lint::catalog::CATALOG.iter().map(row).filter(|row| !readme.contains(row.as_str())).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("the README lacks\n{}", missing.join("\n")).into()) }
}

/// `verdicts` of a page are what the fixtures show; `tests/live.rs` compares those with the real proxies.
fn pages_say_what_checks_say() -> Result<(), Failed> {
    let mut shown: BTreeMap<(String, String), BTreeSet<&str>> = BTreeMap::new();
    let cases: Vec<Case> = cases();
    for case in &cases {
        if let (Some(verdict), Some((slug, variant))) = (&case.check, case.name.split_once('/')) {
            let dialect = variant.split('-').next().unwrap_or_default();
            shown.entry((slug.to_owned(), dialect.to_owned())).or_default().insert(verdict);
        }
    }
    let mut pages = 0;
    for meta in gw502_lint::catalog::CATALOG {
        for about in meta.dialects {
            let said: BTreeSet<&str> = about.verdicts.iter().map(|verdict| verdict.word()).collect();
            let shown = shown.remove(&(meta.slug.to_owned(), about.dialect.to_owned())).unwrap_or_default();
            if said != shown {
                return Err(format!(
                    "{} {}: {said:?} on the page, {shown:?} in the fixtures",
                    meta.slug, about.dialect
                )
                .into());
            }
            pages += usize::from(!said.is_empty());
        }
    }
    if pages > 50 { Ok(()) } else { Err(format!("only {pages} pages say it").into()) }
}
