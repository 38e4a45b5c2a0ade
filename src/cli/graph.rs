//! `gw502-lint graph [PATHS]…`: the topology as a picture.

use super::Exit;
use super::lint::{self, Analysis};
use super::output::{to_file, to_stderr, to_stdout};
use crate::output::graph::{self, Graph};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct GraphArguments {
    #[command(flatten)]
    analysis: Analysis,

    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    /// Where it goes, instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// A picture for any browser
    #[default]
    Svg,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
    /// Everything, for scripts
    Json,
}

impl From<Format> for graph::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Svg => Self::Svg,
            Format::Dot => Self::Dot,
            Format::Mermaid => Self::Mermaid,
            Format::Json => Self::Json,
        }
    }
}

/// Draws. Findings do not fail it: `gw502-lint` itself is there for that.
///
/// # Errors
/// What is wrong with the call, or that there is nothing to show, in words.
pub fn run(arguments: &GraphArguments) -> Result<Exit, String> {
    let report = lint::analyse(&arguments.analysis)?;
    for unread in &report.unread {
        let path = crate::output::plain_line(&unread.path);
        to_stderr(|out| writeln!(out, "{path} could not be read, and is not in the graph"));
    }
    let graph = Graph::of(&report);
    if graph.is_empty() {
        return Err("there is nothing to draw: these files have no listener, no site, no pool and no target".into());
    }
    let format = arguments.format.into();
    match &arguments.output {
        Some(path) => to_file(path, |out| graph::write(&graph, format, out))?,
        None => to_stdout(|out| graph::write(&graph, format, out))?,
    }
    Ok(Exit::Clean)
}
