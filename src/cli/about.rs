//! What a run can say of itself: which files it looks at, why one of them is taken for what it is, how long it takes.

use super::Exit;
use super::formats::OutputArguments;
use super::lint::{Analysis, Seen, look};
use super::output::{to_file, to_stderr, to_stdout};
use super::timings::Timings;
use crate::discover;
use crate::output::listing::Listing;
use crate::output::plain_line;
use clap::Args;
use serde::Serialize;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(next_help_heading = "About the run")]
pub struct AboutArguments {
    /// List the files that would be linted, and as what, instead of linting them (human, json)
    #[arg(long, conflicts_with_all = ["fix", "diff", "statistics"])]
    list_files: bool,

    /// Say what a file is taken for, and why (human, json)
    #[arg(long, value_name = "PATH", conflicts_with_all = ["fix", "diff", "statistics", "list_files"])]
    explain_file: Option<PathBuf>,

    /// Say on standard error how long each part of the run and each rule takes
    #[arg(long, conflicts_with_all = ["list_files", "explain_file"])]
    timings: bool,
}

impl AboutArguments {
    /// Does what is asked for instead of linting, if anything.
    ///
    /// # Errors
    /// What is wrong with the call, in words.
    pub fn run(&self, analysis: &Analysis, outputs: &OutputArguments) -> Result<Option<Exit>, String> {
        if self.list_files {
            let (json, file) = outputs.human_or_json("--list-files")?;
            let Seen { report, request, nothing, .. } = look(analysis)?;
            if let Some(refusal) = nothing.filter(|_| report.files.is_empty() && report.unread.is_empty()) {
                return Err(refusal);
            }
            let settings = request.exclude.source().map(|source| source.path.as_str());
            let listing = Listing::of(&report, settings, |path| request.exclude.excludes(path));
            let write = |out: &mut dyn Write| if json { listing.json(out) } else { listing.human(out) };
            to(file.as_deref(), write)?;
            return Ok(Some(Exit::Clean));
        }
        if let Some(path) = &self.explain_file {
            let (json, file) = outputs.human_or_json("--explain-file")?;
            let explained = explain(path, look(analysis)?)?;
            let write = |out: &mut dyn Write| if json { explained.json(out) } else { explained.human(out) };
            to(file.as_deref(), write)?;
            return Ok(Some(Exit::Clean));
        }
        Ok(None)
    }

    /// Says how long everything took, where somebody wants to know.
    pub fn tell(&self, timings: &Timings) {
        if self.timings {
            to_stderr(|out| timings.write(out));
        }
    }
}

fn to(file: Option<&Path>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), String> {
    match file {
        Some(path) => to_file(path, write),
        None => to_stdout(write),
    }
}

/// Everything that is to be said of a file.
#[derive(Debug, Serialize)]
struct Explained {
    version: u32,
    path: String,
    /// Whether a run lints it.
    linted: bool,
    what: String,
    because: Vec<String>,
    relations: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

fn explain(path: &Path, seen: Seen) -> Result<Explained, String> {
    let Seen { report, root, request, .. } = seen;
    let told = discover::tell(&request, &root, path)?;
    let settings = request.exclude.source().map(|source| source.path.as_str());
    let listing = Listing::of(&report, settings, |path| request.exclude.excludes(path));
    let shown = plain_line(&told.path).into_owned();
    let clean = |text: String| plain_line(&text).into_owned();
    let mut because: Vec<String> = told.because.into_iter().map(clean).collect();
    let mut help = told.help.map(clean);
    let (what, relations) = match listing.file(&told.path) {
        Some(file) => {
            // It is read whatever it looks like: nothing has to be done.
            help = help.filter(|_| told.dialect.is_some());
            if told.dialect.is_none() && file.is_included() {
                because.push("another file includes it".into());
            }
            (file.words(), file.relations())
        }
        None => match listing.unread(&told.path) {
            Some(why) => (format!("could not be read: {why}"), Vec::new()),
            None => ("not linted, and not read".into(), Vec::new()),
        },
    };
    let linted = report.files.iter().any(|(path, _)| *path == told.path) && !request.exclude.excludes(&told.path);
    Ok(Explained { version: 1, path: shown, linted, what, because, relations, help })
}

impl Explained {
    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}: {}", self.path, self.what)?;
        if !self.because.is_empty() {
            writeln!(out, "Why:")?;
        }
        for because in &self.because {
            writeln!(out, "* {because}")?;
        }
        if !self.relations.is_empty() {
            writeln!(out, "Where it belongs:")?;
        }
        for relation in &self.relations {
            writeln!(out, "* {}", plain_line(relation))?;
        }
        if let Some(help) = &self.help {
            writeln!(out, "What can be done: {help}")?;
        }
        if self.linted {
            writeln!(out, "The settings that hold for it: gw502-lint config show PATH")?;
        }
        Ok(())
    }
}
