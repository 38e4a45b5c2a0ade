//! `gw502-lint config`: what may stand in the configuration file.

use super::Exit;
use super::output::to_stdout;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct ConfigArguments {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints the JSON Schema of .gw502.yaml
    Schema,
}

pub fn run(arguments: &ConfigArguments) -> Result<Exit, String> {
    match arguments.command {
        ConfigCommand::Schema => to_stdout(|out| {
            serde_json::to_writer_pretty(&mut *out, &crate::config::schema())?;
            writeln!(out)
        })?,
    }
    Ok(Exit::Clean)
}
