//! `gw502-lint completions SHELL` and `gw502-lint man`: made from the definition of the command line.

use super::output::to_stdout;
use super::{Arguments, Exit};
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// For which shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Args)]
pub struct ManArguments {
    /// Writes all pages into this folder, instead of the main one to standard output
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Writes a completion script.
///
/// # Errors
/// When standard output cannot be written.
pub fn completions(arguments: &CompletionsArguments) -> Result<Exit, String> {
    let script = script(arguments.shell);
    to_stdout(|out| out.write_all(&script))?;
    Ok(Exit::Clean)
}

/// Writes manual pages.
///
/// # Errors
/// When they cannot be written.
pub fn man(arguments: &ManArguments) -> Result<Exit, String> {
    let pages = pages();
    match &arguments.folder {
        None => {
            if let Some((_, page)) = pages.first() {
                to_stdout(|out| out.write_all(page))?;
            }
        }
        Some(folder) => {
            for (name, page) in &pages {
                super::output::to_file(&folder.join(name), |out| out.write_all(page))?;
            }
        }
    }
    Ok(Exit::Clean)
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}

/// The manual pages with the names of their files, the main one first.
fn pages() -> Vec<(String, Vec<u8>)> {
    let mut command = Arguments::command();
    command.build();
    let mut pages = Vec::new();
    // No recursion: there are commands below commands, and no more.
    let mut next = vec![command];
    while let Some(command) = next.pop() {
        let man = clap_mangen::Man::new(command.clone());
        let mut page = Vec::new();
        if man.render(&mut page).is_ok() {
            pages.push((man.get_filename(), page));
        }
        let shown = command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help");
        next.extend(shown.cloned());
    }
    // The others' names begin with that of the main page.
    pages.sort_unstable_by(|(a, _), (b, _)| a.trim_end_matches(".1").cmp(b.trim_end_matches(".1")));
    pages
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;
    use clap_complete::Generator as _;
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    /// Compares the files of a folder with what they should be, or writes them when `GW502_REGENERATE` is set.
    fn fresh(folder: &str, wanted: BTreeMap<String, Vec<u8>>) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        if std::env::var_os("GW502_REGENERATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            for (name, bytes) in &wanted {
                fs::write(folder.join(name), bytes).unwrap();
            }
        }
        let again = "write them anew with: GW502_REGENERATE=1 cargo test --lib cli::generate";
        let found: BTreeMap<String, Vec<u8>> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}; {again}", folder.display()))
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect();
        assert!(found.keys().eq(wanted.keys()), "{:?} instead of {:?}; {again}", found.keys(), wanted.keys());
        for (name, bytes) in &wanted {
            assert!(found[name] == *bytes, "{}/{name} is stale; {again}", folder.display());
        }
    }

    #[test]
    fn completions_are_fresh() {
        let named = |shell: &Shell| (shell.file_name("gw502-lint"), script(*shell));
        fresh("completions", Shell::value_variants().iter().map(named).collect());
    }

    #[test]
    fn manual_pages_are_fresh() {
        let pages = pages();
        assert_eq!(pages[0].0, "gw502-lint.1");
        fresh("man", pages.into_iter().collect());
    }
}
