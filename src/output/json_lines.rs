//! JSON, one finding per line: for `jq`, logs and whatever reads line by line. A line is what a member of `findings` is in
//! [`super::json`]; a file that could not be read is a finding (GW000) here as everywhere.

use super::json::entry;
use super::place::Places;
use crate::engine::Report;
use std::io;

/// Writes the lines.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let places = Places::new(&report.sources);
    for finding in &report.findings {
        serde_json::to_writer(&mut *out, &entry(finding, &places))?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
