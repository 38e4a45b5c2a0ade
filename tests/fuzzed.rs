//! What must hold for any bytes (`fuzzed/checks.rs`), on inputs that are known: those that once broke something, the fixtures and
//! stacks, and the same with a fixed series of damages. The targets in `fuzz/` try inputs of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

#[path = "fuzzed/checks.rs"]
mod checks;
#[path = "../src/syntax/dice.rs"]
mod dice;

use dice::Dice;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// A target's name, which is that of its folder in `fuzz/regressions/`, and its check.
type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("nginx", checks::nginx),
    ("haproxy", checks::haproxy),
    ("yaml", checks::yaml),
    ("words", checks::words),
    ("config", checks::config),
    ("pipeline", checks::pipeline),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a check; what breaks it is told with the input's name.
fn holds((name, check): Target, input: &[u8], from: &str) {
    let broken = catch_unwind(|| check(input)).is_err();
    assert!(!broken, "{name} does not hold for {from}; the panic above says what");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<_> = walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect();
    all.sort();
    all
}

/// Every input that ever broke a target lies in `fuzz/regressions/TARGET/`.
#[test]
fn what_once_broke_it() {
    for target in TARGETS {
        let folder = root().join("fuzz/regressions").join(target.0);
        for path in files(&folder) {
            holds(*target, &fs::read(&path).expect("readable"), &path.display().to_string());
        }
    }
    // A folder that no target reads would be a test that tests nothing.
    for entry in fs::read_dir(root().join("fuzz/regressions")).expect("the folder is there").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(name == "README.md" || TARGETS.iter().any(|(target, _)| *target == name), "no target is called {name}");
    }
}

/// One side of a fixture as one input of the pipeline.
fn repository(side: &Path) -> Vec<u8> {
    let mut input = Vec::new();
    for path in files(side) {
        let name = path.strip_prefix(side).expect("below").to_string_lossy().replace('\\', "/");
        input.extend_from_slice(format!("{}{name}\n", checks::FILE_MARK).as_bytes());
        input.extend(fs::read(&path).expect("readable"));
        input.push(b'\n');
    }
    input
}

fn sides() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in walkdir::WalkDir::new(root().join("fixtures")).sort_by_file_name().into_iter().flatten() {
        if entry.file_type().is_dir()
            && ["bad", "good", "sound", "broken"].iter().any(|name| entry.file_name() == *name)
        {
            all.push((entry.path().display().to_string(), repository(entry.path())));
        }
    }
    assert!(all.len() > 400, "only {} sides of fixtures were found", all.len());
    all
}

/// Pieces that open something, end something, or are read in another way than they look.
const PIECES: &[&[u8]] = &[
    b"{",
    b"}",
    b";",
    b"\"",
    b"'",
    b"\\",
    b"\0",
    b"\r",
    b"\n",
    b"#",
    b"${",
    b"{{",
    b"}}",
    b"{%",
    b"%}",
    b"<%",
    b"%>",
    b"\xff",
    b"\xc3",
    b"\xe2\x80\xae",
    b"&a ",
    b"*a ",
    b"<<: ",
    b"- ",
    b": ",
    b"|\n",
    b"$",
    b"@X@",
    b"::error::",
    b"0",
    b"99999999999999999999",
    b"-1",
    b"[",
    b"]",
    b"unix:",
    b"http://",
    b"include *;\n",
    b"\t",
    b"\xef\xbb\xbf",
    b"!reset ",
    b"---\n",
];

fn damaged(input: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..1 + dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + 1 + dice.below(12)).min(bytes.len());
        match dice.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied())),
            2 => drop(bytes.splice(at..end, PIECES[dice.below(PIECES.len())].iter().copied())),
            _ => {
                let piece = bytes[at..end].to_vec();
                let to = dice.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

/// One fixture in three, damaged, through the whole linter; one in twelve as it is. (All of them take minutes in a build without
/// optimisation; the fuzzer starts from all of them.)
#[test]
fn fixtures_and_damaged_fixtures() {
    let mut dice = Dice(502);
    for (at, (name, input)) in sides().into_iter().enumerate().filter(|(at, _)| at % 3 == 0) {
        if at % 12 == 0 {
            holds(TARGETS[5], &input, &name);
        }
        let input = damaged(&input, &mut dice);
        let broken = catch_unwind(|| checks::pipeline(&input)).is_err();
        assert!(!broken, "the pipeline does not hold for {name}, damaged:\n{}", String::from_utf8_lossy(&input));
    }
}

/// Each parser on damaged files of every kind, also of kinds that are not its own.
#[test]
fn damaged_files() {
    let mut dice = Dice(2502);
    for (name, input) in sides() {
        for target in &TARGETS[..5] {
            let input = damaged(&input, &mut dice);
            let broken = catch_unwind(|| target.1(&input)).is_err();
            assert!(!broken, "{} does not hold for {name}, damaged:\n{}", target.0, String::from_utf8_lossy(&input));
        }
    }
}
