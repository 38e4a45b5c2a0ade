//! `--fix` and `--diff`: fixed texts go to the disk, or to standard output as a diff.

use super::output;
use crate::discover::words;
use crate::edit::Applicability;
use crate::fix::{Changed, Fixed};
use crate::output::plain_line;
use clap::Args;
use similar::TextDiff;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long two versions of one file may be compared; then the diff becomes coarser, and stays right.
const COMPARING: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(next_help_heading = "Fixes")]
pub struct FixArguments {
    /// Apply safe fixes, and report what is left; of standard input the fixed text goes to standard output
    #[arg(long)]
    fix: bool,

    /// With --fix or --diff: the fixes that somebody has to look at, too
    #[arg(long)]
    unsafe_fixes: bool,

    /// Print what --fix would change as a diff, and write nothing; exit with 1 when there is something
    #[arg(long, conflicts_with_all = ["fix", "format", "output"])]
    diff: bool,
}

/// What is done with fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are told.
    Tell,
    /// They are applied.
    Apply(Applicability),
    /// They are shown as a diff.
    Show(Applicability),
}

impl FixArguments {
    /// What is asked for.
    ///
    /// # Errors
    /// When the flags do not belong together.
    pub fn mode(&self) -> Result<Mode, String> {
        let most = if self.unsafe_fixes { Applicability::Unsafe } else { Applicability::Safe };
        match (self.fix, self.diff) {
            (true, _) => Ok(Mode::Apply(most)),
            (_, true) => Ok(Mode::Show(most)),
            _ if self.unsafe_fixes => Err("--unsafe-fixes says which fixes; add --fix to apply them, or --diff".into()),
            _ => Ok(Mode::Tell),
        }
    }
}

/// Writes the changed files, each whole or not at all. One that cannot be written does not keep the others back.
///
/// # Errors
/// Which files were not written, and why.
pub fn write_files(root: &Path, changed: &BTreeMap<String, Changed>) -> Result<(), String> {
    let mut written = HashMap::new();
    let failed: Vec<String> = changed
        .iter()
        .filter_map(|(path, changed)| {
            let why = write_file(root, path, changed, &mut written).err()?;
            Some(format!("{} was not fixed: {why}", plain_line(path)))
        })
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn write_file<'a>(
    root: &Path,
    path: &str,
    changed: &'a Changed,
    written: &mut HashMap<PathBuf, &'a str>,
) -> Result<(), String> {
    // A symbolic link stays; what it leads to is replaced.
    let target = fs::canonicalize(root.join(path)).map_err(|error| words(&error))?;
    if !target.starts_with(root) {
        return Err("it leads out of the linted tree through a symbolic link".into());
    }
    // A file may be read under two names.
    match written.get(&target) {
        Some(text) if **text == *changed.after => return Ok(()),
        Some(_) => return Err("it is another name of a file that was fixed; run gw502-lint again".into()),
        None => {}
    }
    if !fs::metadata(&target).map_err(|error| words(&error))?.is_file() {
        return Err("it is no file any more".into());
    }
    if fs::read(&target).map_err(|error| words(&error))? != changed.before.as_bytes() {
        return Err("it has changed since it was read; run gw502-lint again".into());
    }
    output::replace(&target, |out| out.write_all(changed.after.as_bytes())).map_err(|error| words(&error))?;
    written.insert(target, &changed.after);
    Ok(())
}

/// Writes a diff that `patch -p1` and `git apply` take.
///
/// # Errors
/// What went wrong, in words.
pub fn show(changed: &BTreeMap<String, Changed>) -> Result<(), String> {
    let terminal = io::stdout().is_terminal();
    output::to_stdout(|out| {
        for (path, changed) in changed {
            let diff = TextDiff::configure().timeout(COMPARING).diff_lines(&changed.before, &changed.after);
            let mut unified = diff.unified_diff();
            let path = plain_line(path);
            let unified = unified.context_radius(3).header(&format!("a/{path}"), &format!("b/{path}"));
            if terminal {
                // A file must not speak to the terminal. What goes into a file or a pipe is left as it is.
                for line in unified.to_string().lines() {
                    let tabs: Vec<_> = line.split('\t').map(crate::source::clean).collect();
                    writeln!(out, "{}", tabs.join("\t"))?;
                }
            } else {
                unified.to_writer(&mut *out)?;
            }
        }
        Ok(())
    })
}

/// What a diff says beside itself, on standard error.
pub fn summary(fixed: &Fixed, most: Applicability) -> String {
    let (_, more) = fixed.report.fixable();
    let files = match fixed.changed.len() {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    };
    let more = match most {
        Applicability::Safe if more > 0 => format!(", {more} more with --unsafe-fixes"),
        _ => String::new(),
    };
    format!("{} would be fixed in {files}{more}", fixed.applied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_meanwhile_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::write(root.join("a.conf"), "by somebody else\n").unwrap();
        fs::write(root.join("b.conf"), "b\n").unwrap();
        let changed = |before: &str| Changed { before: before.into(), after: "fixed\n".into() };
        let all = BTreeMap::from([("a.conf".to_owned(), changed("a\n")), ("b.conf".to_owned(), changed("b\n"))]);
        let refused = write_files(&root, &all).unwrap_err();
        assert_eq!(refused, "a.conf was not fixed: it has changed since it was read; run gw502-lint again");
        assert_eq!(fs::read_to_string(root.join("a.conf")).unwrap(), "by somebody else\n");
        assert_eq!(fs::read_to_string(root.join("b.conf")).unwrap(), "fixed\n", "the others are");
        fs::remove_file(root.join("a.conf")).unwrap();
        assert!(write_files(&root, &all).unwrap_err().contains("a.conf was not fixed"));
        assert!(!root.join("a.conf").exists());
    }
}
