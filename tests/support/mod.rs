//! A scratch directory, and the program run in it: what the tests of the whole program share.

#![allow(dead_code, reason = "each test uses what it needs")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub const CLEAN: i32 = 0;
pub const FINDINGS: i32 = 1;
pub const USAGE: i32 = 2;

/// A scratch directory with files, which is the current directory of the run.
pub struct Tree(tempfile::TempDir);

impl Tree {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self(tempfile::tempdir().expect("a scratch directory"));
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).expect("a file with text")
    }

    /// Writes a file again, with other words in place of some.
    #[track_caller]
    pub fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.text(path);
        assert!(text.contains(old), "{old:?} is not in\n{text}");
        self.write(path, &text.replace(old, new));
    }

    pub fn rename(&self, old: &str, new: &str) {
        fs::create_dir_all(self.at(new).parent().expect("below the root")).expect("a folder");
        fs::rename(self.at(old), self.at(new)).expect("it is there");
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.at(path)).expect("it is there");
    }

    /// The program, called in a folder of the tree; what the terminal says counts for nothing.
    pub fn command_in(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gw502-lint"));
        command.args(arguments).current_dir(self.at(folder)).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        command
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_in("", arguments)
    }

    pub fn run_in(&self, folder: &str, arguments: &[&str]) -> Run {
        Run::of(self.command_in(folder, arguments).output().expect("the program runs"))
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_in("", arguments)
    }

    pub fn pipe(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        // It may refuse before it has read anything.
        let _ = stdin.write_all(input);
        drop(stdin);
        Run::of(child.wait_with_output().expect("it ends"))
    }
}

/// What a run of the program came to.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("no signal"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.out.contains(words), "{words:?} is not in\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn complains(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{words:?} is not in\n{}", self.err);
        self
    }

    #[track_caller]
    pub fn quietly(self) -> Self {
        assert_eq!(self.err, "");
        self
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}
