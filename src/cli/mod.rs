//! The command line. Layer 9: arguments in, exit code out; everything between is the library's.

mod about;
mod config;
mod explain;
mod fix;
mod formats;
mod generate;
mod graph;
mod init;
mod lint;
mod output;
mod progress;
mod rules;
mod timings;

use clap::{Parser, Subcommand, ValueEnum};
use std::any::Any;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;

/// What the process says with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing at or above the threshold.
    Clean,
    /// Findings at or above the threshold.
    Findings,
    /// Wrong arguments, a configuration file with mistakes, or nothing to lint.
    Usage,
    /// A bug in this program.
    Bug,
}

impl Exit {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Bug => 3,
        }
    }
}

/// Finds what will end in a 502 in nginx and HAProxy configuration, before it is deployed.
#[derive(Debug, Parser)]
#[command(
    name = "gw502-lint",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Exit codes: 0 nothing at or above --fail-on, 1 findings, 2 wrong arguments, a mistake in \
                  .gw502.yaml or nothing to lint, 3 a bug \
                  in gw502-lint.\nA folder named like a command is linted as ./rules or ./config."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    lint: lint::LintArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explains a rule: what it looks for, why that fails, what to write instead
    Explain(explain::ExplainArguments),
    /// Lists all rules
    Rules(rules::RulesArguments),
    /// Draws what was found: proxies, sites, pools, addresses, services, and the findings on them
    Graph(graph::GraphArguments),
    /// Writes a configuration file to start from: .gw502.yaml, all commented out
    Init(init::InitArguments),
    /// Says what may stand in the configuration file, and what it says for a path
    Config(config::ConfigArguments),
    /// Writes a completion script for a shell to standard output
    Completions(generate::CompletionsArguments),
    /// Writes the manual pages
    #[command(hide = true)]
    Man(generate::ManArguments),
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorChoice {
    /// Whether standard output gets colours. NO_COLOR weighs more than CLICOLOR_FORCE.
    fn wanted(self) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => {
                !set("NO_COLOR")
                    && (std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0")
                        || io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb"))
            }
        }
    }
}

/// Columns to write for: those of the terminal, or 100 where there is none. COLUMNS overrules.
fn terminal_width() -> usize {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    said.filter(|&columns| columns > 0)
        .or_else(|| terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)))
        .filter(|&columns| columns > 0)
        .unwrap_or(100)
}

/// Runs the program.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    guarded(move || run(arguments))
}

fn run(arguments: Vec<OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output and are no error. A reader that went away is none either.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Clean };
        }
    };
    let done = match &arguments.command {
        None => lint::run(&arguments.lint),
        Some(Command::Explain(arguments)) => explain::run(arguments),
        Some(Command::Rules(arguments)) => rules::run(arguments),
        Some(Command::Graph(arguments)) => graph::run(arguments),
        Some(Command::Init(arguments)) => init::run(arguments),
        Some(Command::Config(arguments)) => config::run(arguments),
        Some(Command::Completions(arguments)) => generate::completions(arguments),
        Some(Command::Man(arguments)) => generate::man(arguments),
    };
    done.unwrap_or_else(|message| {
        complain(&message);
        Exit::Usage
    })
}

/// Says on standard error what is wrong with the call.
fn complain(message: &str) {
    let lines: Vec<_> = message.lines().map(|line| crate::output::plain_line(line).into_owned()).collect();
    let _ = writeln!(io::stderr(), "error: {}", lines.join("\n"));
}

/// Where a panic happened, for the message.
static PANICKED: Mutex<Option<String>> = Mutex::new(None);

/// Runs the program so that a bug in it ends in a short message and an exit code of its own.
fn guarded(run: impl FnOnce() -> Exit) -> Exit {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        if let Ok(mut panicked) = PANICKED.lock() {
            panicked.get_or_insert(place);
        }
    }));
    let done = panic::catch_unwind(AssertUnwindSafe(run));
    let _ = panic::take_hook();
    done.unwrap_or_else(|payload| {
        let place = PANICKED.lock().ok().and_then(|mut panicked| panicked.take()).unwrap_or_default();
        let words = crate::source::clean(said(&*payload)).into_owned();
        let _ = writeln!(
            io::stderr(),
            "gw502-lint {} has a bug and gave up: {words} ({place})\nPlease report it, with the configuration if you \
             can: {}/issues",
            env!("CARGO_PKG_VERSION"),
            env!("CARGO_PKG_REPOSITORY")
        );
        Exit::Bug
    })
}

fn said(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_panic_is_a_bug_of_ours() {
        assert_eq!(guarded(|| panic!("on purpose")), Exit::Bug);
        assert_eq!(guarded(|| Exit::Findings), Exit::Findings);
    }
}
