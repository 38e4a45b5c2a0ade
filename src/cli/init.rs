//! `gw502-lint init`: writes a configuration file to start from.

use super::Exit;
use super::output::{to_file, to_stdout};
use crate::config::{NAME, TEMPLATE};
use clap::Args;
use std::fs;
use std::path::Path;

#[derive(Debug, Args)]
pub struct InitArguments {
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

pub fn run(arguments: &InitArguments) -> Result<Exit, String> {
    let path = Path::new(NAME);
    // A link that leads nowhere is there, too.
    if !arguments.force && fs::symlink_metadata(path).is_ok() {
        return Err(format!("{NAME} is there already; to replace it: gw502-lint init --force"));
    }
    to_file(path, |out| out.write_all(TEMPLATE.as_bytes()))?;
    to_stdout(|out| writeln!(out, "wrote {NAME}; everything in it is commented out"))?;
    Ok(Exit::Clean)
}
