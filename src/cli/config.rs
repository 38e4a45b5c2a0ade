//! `gw502-lint config`: what may stand in the configuration file, and what it says for a path.

use super::Exit;
use super::output::to_stdout;
use crate::config::{Config, NAME, Set, Shown, schema};
use crate::discover::{self, Request};
use crate::output::{plain, plain_line};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ConfigArguments {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints the JSON Schema of .gw502.yaml
    Schema,
    /// Shows the settings that hold for a path, and where each is written
    Show(ShowArguments),
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// A file; without it, or for a folder, what holds where no override does
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,

    /// How to write it; JSON has the rules that nobody set, too
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// The configuration file, instead of the nearest .gw502.yaml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// What is set, and the options of all rules
    #[default]
    Human,
    /// Everything, as JSON
    Json,
}

pub fn run(arguments: &ConfigArguments) -> Result<Exit, String> {
    match &arguments.command {
        ConfigCommand::Schema => to_stdout(|out| {
            serde_json::to_writer_pretty(&mut *out, &schema())?;
            writeln!(out)
        })?,
        ConfigCommand::Show(arguments) => show(arguments)?,
    }
    Ok(Exit::Clean)
}

fn show(arguments: &ShowArguments) -> Result<(), String> {
    let path = discover::from_root(&arguments.path)?;
    let request = Request { paths: vec![arguments.path.clone()], ..Request::default() };
    let config = match discover::configuration(&request, arguments.config.as_deref())? {
        None => Config::default(),
        Some(file) => {
            let name = file.source.path.clone();
            let read = Config::read(file.source);
            let config = read.map_err(|_| format!("{name} has mistakes; gw502-lint without a command shows them"))?;
            config.below(file.prefix)
        }
    };
    let shown = config.show(path.as_deref());
    let file = config.source().map(|source| source.path.as_str());
    to_stdout(|out| match arguments.format {
        Format::Human => human(file, path.as_deref(), &shown, out),
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &json(file, path.as_deref(), &shown))?;
            writeln!(out)
        }
    })
}

fn human(file: Option<&str>, path: Option<&str>, shown: &Shown, out: &mut dyn Write) -> io::Result<()> {
    match path {
        Some(path) => write!(out, "Settings for {}", plain_line(path))?,
        None => write!(out, "Settings where no override holds")?,
    }
    match file {
        Some(file) => writeln!(out, ", from {}", plain_line(file))?,
        None => writeln!(out, "; there is no {NAME}, so all are as they come")?,
    }
    if let Some(from) = &shown.excluded {
        writeln!(out, "\nExcluded: nothing is reported in it ({})", plain(from))?;
    }
    section("Targets", &shown.targets, out)?;
    let set: Vec<Set> = shown.levels.iter().filter(|set| set.from.is_some()).cloned().collect();
    section("Levels", &set, out)?;
    let others = shown.levels.len() - set.len();
    if !set.is_empty() {
        writeln!(out, "  and {others} rules as they come: gw502-lint rules")?;
    }
    section("Options", &shown.options, out)?;
    section("Ignored", &shown.ignored, out)?;
    section("Services, for all paths", &shown.services, out)
}

fn section(title: &str, sets: &[Set], out: &mut dyn Write) -> io::Result<()> {
    if sets.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    let widest = |of: fn(&Set) -> &str| sets.iter().map(|set| of(set).chars().count()).max().unwrap_or(0).min(40);
    let (key, value) = (widest(|set| &set.key), widest(|set| &set.value));
    for set in sets {
        let from = set.from.as_deref().unwrap_or("default");
        writeln!(out, "  {:key$}  {:value$}  {}", plain_line(&set.key), plain(&set.value), plain(from))?;
    }
    Ok(())
}

fn json(file: Option<&str>, path: Option<&str>, shown: &Shown) -> Value {
    let sets = |sets: &[Set]| -> Vec<Value> {
        let from = |set: &Set| set.from.as_deref().map(|from| plain(from).into_owned());
        sets.iter()
            .map(|set| json!({ "key": plain(&set.key), "value": plain(&set.value), "from": from(set) }))
            .collect()
    };
    json!({
        "version": 1,
        "path": path.map(plain_line),
        "file": file.map(plain_line),
        "excluded": shown.excluded.as_deref().map(plain),
        "targets": sets(&shown.targets),
        "levels": sets(&shown.levels),
        "options": sets(&shown.options),
        "ignored": sets(&shown.ignored),
        "services": sets(&shown.services),
    })
}
