//! Calls of the `git` program. Arguments go to it one by one, never through a shell, and nothing that a repository or its
//! configuration says makes git start another program: no file system monitor, hook, filter, diff driver or transport.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What git is told before anything else; it weighs more than the repository's configuration.
const OVERRIDES: [&str; 4] =
    ["core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat", "safe.bareRepository=explicit"];

/// Variables of the environment that say how git finds its own parts and the user's configuration. Any other `GIT_…`
/// (which repository, which index, which program shows a difference) is not handed on.
const KEPT: [&str; 7] = [
    "GIT_EXEC_PATH",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_COUNT",
];

/// The repository that a folder belongs to.
#[derive(Debug)]
pub struct Git {
    folder: PathBuf,
    /// `filter.….clean=` and the like.
    filters: Vec<String>,
}

/// A call that failed.
#[derive(Debug)]
pub struct Failure {
    /// What git said, in its own words.
    pub said: String,
}

impl Git {
    /// The repository that an absolute path belongs to.
    ///
    /// # Errors
    /// When there is no git, or its configuration cannot be read, in words.
    pub fn new(folder: &Path) -> Result<Self, String> {
        let mut git = Self { folder: folder.to_owned(), filters: Vec::new() };
        let mut command = git.command(&["config", "--null", "--name-only", "--get-regexp", "^filter\\."]);
        let output = command.output().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "it needs the program git, which is not installed here".to_owned(),
            _ => format!("git cannot be started: {}", super::super::words(&error)),
        })?;
        // 1: there is none.
        if !matches!(output.status.code(), Some(0 | 1)) {
            return Err(said(&output.stderr));
        }
        for name in output.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let name = String::from_utf8_lossy(name);
            if name.contains('=') {
                return Err(format!(
                    "the repository's configuration names a filter that cannot be kept from running: {name}"
                ));
            }
            let nothing = if name.ends_with(".required") { "false" } else { "" };
            git.filters.push(format!("{name}={nothing}"));
        }
        Ok(git)
    }

    /// A call, ready to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("--no-pager").arg("-C").arg(&self.folder);
        for setting in OVERRIDES.iter().copied().chain(self.filters.iter().map(String::as_str)) {
            command.arg("-c").arg(setting);
        }
        command.args(arguments);
        for (name, _) in std::env::vars_os().filter(|(name, _)| !is_kept(name)) {
            command.env_remove(name);
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_TERMINAL_PROMPT", "0")
            // A partial clone would fetch what is missing. Before git 2.45 only the second one keeps it from that; it weighs
            // more than any `protocol.….allow`.
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_ALLOW_PROTOCOL", "none")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What a call writes.
    ///
    /// # Errors
    /// When it fails.
    pub fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let output = self.command(arguments).output();
        let output = output.map_err(|error| Failure { said: super::super::words(&error) })?;
        if output.status.success() { Ok(output.stdout) } else { Err(Failure { said: said(&output.stderr) }) }
    }

    /// The one line that a call writes.
    ///
    /// # Errors
    /// When it fails.
    pub fn line(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut bytes = self.ask(arguments)?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn is_kept(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    !name.starts_with("GIT_")
        || KEPT.contains(&&*name)
        || name.starts_with("GIT_CONFIG_KEY_")
        || name.starts_with("GIT_CONFIG_VALUE_")
}

/// The first lines of git's words, without their prefix.
fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(6).collect();
    let text = lines.join("\n");
    let text = text.strip_prefix("fatal: ").unwrap_or(&text);
    if text.is_empty() { "git failed and did not say why".into() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_gets_from_the_environment_leads_to_no_other_repository() {
        for name in ["PATH", "HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0"] {
            assert!(is_kept(OsStr::new(name)), "{name}");
        }
        for name in
            ["GIT_DIR", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_TRACE", "GIT_CONFIG_PARAMETERS"]
        {
            assert!(!is_kept(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn what_git_says_is_cut() {
        assert_eq!(said(b"fatal: not a git repository\n\n"), "not a git repository");
        assert_eq!(said(b""), "git failed and did not say why");
        assert_eq!(said("x\n".repeat(100).as_bytes()).lines().count(), 6);
    }
}
