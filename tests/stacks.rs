//! Whole repositories as people write them: `sound/` says nothing above a note, `broken/` says the one thing that is
//! wrong, and shows it in both files. A stack is linted by the real program, as a repository of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// `stack.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stack {
    /// What is wrong in `broken`, in a sentence.
    shows: String,
    /// Who has to find it.
    rule: String,
    /// File → line of the primary label, in `broken`.
    primary: BTreeMap<String, u64>,
    /// File → line of the other half of the evidence.
    second: BTreeMap<String, u64>,
    /// How it is run: the live tests read that.
    #[serde(default, rename = "live")]
    _live: Option<serde_yaml::Value>,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let mut rules = BTreeSet::new();
    let stacks = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/stacks");
    for entry in fs::read_dir(stacks).expect("fixtures/stacks").flatten() {
        let folder = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(folder.join("stack.yaml")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let stack: Stack = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}/stack.yaml: {error}"));
        rules.insert(stack.rule.clone());
        let (one, two) = (folder.clone(), folder.clone());
        trials.push(Trial::test(format!("{name}/sound"), move || sound(&one)));
        trials.push(Trial::test(format!("{name}/broken"), move || broken(&two, &stack)));
        trials.push(Trial::test(format!("{name}/one fault"), move || one_fault(&folder)));
    }
    assert!(trials.len() >= 3 * 12 && rules.len() >= 10, "the stacks are gone: {} tests, {rules:?}", trials.len());
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// One finding, as SARIF tells it.
#[derive(Debug)]
struct Found {
    rule: String,
    level: String,
    primary: Option<(String, u64)>,
    others: Vec<(String, u64)>,
}

/// What is found above a note in a copy of one side, and what a person reads.
fn loud(side: &Path) -> (Vec<Found>, String) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    for (path, bytes) in tree(side) {
        let target = scratch.path().join(path);
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        fs::write(target, bytes).expect("written");
    }
    let sarif = run(scratch.path(), &["--format", "sarif", "."]);
    let log: serde_json::Value = serde_json::from_str(&sarif).unwrap_or_else(|e| panic!("no SARIF: {e}\n{sarif}"));
    let found = log["runs"][0]["results"].as_array().expect("results").iter().map(found);
    (found.filter(|found| found.level != "note").collect(), run(scratch.path(), &["--color", "never", "."]))
}

fn found(result: &serde_json::Value) -> Found {
    let places = |key: &str| -> Vec<(String, u64)> {
        let place = |location: &serde_json::Value| {
            let physical = &location["physicalLocation"];
            Some((physical["artifactLocation"]["uri"].as_str()?.to_owned(), physical["region"]["startLine"].as_u64()?))
        };
        result[key].as_array().into_iter().flatten().filter_map(place).collect()
    };
    Found {
        rule: result["ruleId"].as_str().unwrap_or_default().to_owned(),
        level: result["level"].as_str().unwrap_or_default().to_owned(),
        primary: places("locations").into_iter().next(),
        others: places("relatedLocations"),
    }
}

fn run(root: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gw502-lint"))
        .args(arguments)
        .current_dir(root)
        .env_remove("CLICOLOR_FORCE")
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {said}", output.status);
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// All files of a side, by their path in it.
fn tree(side: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = walkdir::WalkDir::new(side).into_iter().map(|entry| entry.expect("readable"));
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(side).expect("below").to_owned();
            (path, fs::read(entry.path()).expect("readable"))
        })
        .collect()
}

fn sound(folder: &Path) -> Result<(), Failed> {
    let (loud, text) = loud(&folder.join("sound"));
    if text.contains("0 files") {
        return Err("no proxy file was found".into());
    }
    if loud.is_empty() { Ok(()) } else { Err(format!("sound/ is accused:\n{text}").into()) }
}

fn broken(folder: &Path, stack: &Stack) -> Result<(), Failed> {
    let (loud, text) = loud(&folder.join("broken"));
    let [found] = &*loud else {
        return Err(format!("{} and nothing else was expected ({}):\n{text}", stack.rule, stack.shows).into());
    };
    let is = |place: &(String, u64), wanted: &BTreeMap<String, u64>| wanted.get(&place.0) == Some(&place.1);
    let primary = found.primary.as_ref().is_some_and(|place| is(place, &stack.primary));
    let second = found.others.iter().any(|place| is(place, &stack.second));
    let elsewhere = !stack.second.keys().any(|file| stack.primary.contains_key(file));
    if found.rule == stack.rule && primary && second && elsewhere {
        return Ok(());
    }
    Err(format!("{} at {:?} and {:?} was expected:\n{text}", stack.rule, stack.primary, stack.second).into())
}

/// The two sides differ in one file, or the finding proves nothing of the fault.
fn one_fault(folder: &Path) -> Result<(), Failed> {
    let (sound, broken) = (tree(&folder.join("sound")), tree(&folder.join("broken")));
    let paths: BTreeSet<_> = sound.keys().chain(broken.keys()).collect();
    let differ: Vec<_> = paths.into_iter().filter(|path| sound.get(*path) != broken.get(*path)).collect();
    if differ.len() == 1 { Ok(()) } else { Err(format!("the sides differ in {differ:?}").into()) }
}
