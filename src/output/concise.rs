//! One line for each finding, as compilers write it: `path:line:column: level[CODE] message`. Editors and `grep` know
//! what to do with it. Suppressed findings and whatever needs more than a line are counted below.

use super::human::{Options, write_summary};
use super::place::Places;
use super::{linked, plain, plain_line};
use crate::engine::Report;
use codespan_reporting::term::termcolor::{ColorSpec, WriteColor};
use std::io;

/// Writes the lines and a closing summary.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    super::with_color(options.color, out, |out| write_to(report, options, out))
}

fn write_to(report: &Report, options: &Options, out: &mut dyn WriteColor) -> io::Result<()> {
    let places = Places::new(&report.sources);
    for finding in report.open() {
        let label = finding.primary();
        let place = places.of(label.site.span);
        let path = plain_line(report.sources.file(label.site.span.file).path());
        write!(out, "{path}:{}:{}: ", place.line, place.column)?;
        out.set_color(ColorSpec::new().set_fg(Some(super::color(finding.level()))).set_bold(true))?;
        write!(out, "{}[{}]", finding.level().word(), linked(finding.rule, options.hyperlinks))?;
        out.reset()?;
        writeln!(out, " {}", plain(&finding.message))?;
    }
    write_summary(report, options, out)
}
