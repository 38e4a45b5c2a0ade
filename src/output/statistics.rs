//! How often each rule found something, the most frequent first.

use super::human::{Options, write_summary};
use super::linked;
use crate::catalog::RuleId;
use crate::engine::Report;
use codespan_reporting::term::termcolor::{ColorSpec, WriteColor};
use std::collections::BTreeMap;
use std::io;

/// Writes a line for each rule and a closing summary.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    super::with_color(options.color, out, |out| write_to(report, options, out))
}

fn write_to(report: &Report, options: &Options, out: &mut dyn WriteColor) -> io::Result<()> {
    let mut counts: BTreeMap<RuleId, [usize; 4]> = BTreeMap::new();
    for finding in &report.findings {
        let row = counts.entry(finding.rule).or_default();
        let column = match &finding.suppressed {
            Some(_) => 3,
            None => super::SEVERITIES.iter().position(|severity| *severity == finding.level()).unwrap_or(0),
        };
        if let Some(count) = row.get_mut(column) {
            *count += 1;
        }
    }
    let mut rows: Vec<(RuleId, [usize; 4])> = counts.into_iter().collect();
    let open = |row: &[usize; 4]| row.iter().take(3).sum::<usize>();
    // Of equals the order of the codes.
    rows.sort_by_key(|(_, row)| std::cmp::Reverse((open(row), row.get(3).copied())));
    let width = rows.iter().map(|(_, row)| open(row).to_string().len()).max().unwrap_or(1);
    let widest = rows.iter().map(|(rule, _)| rule.meta().slug.len()).max().unwrap_or(0);
    for (rule, row) in &rows {
        let [errors, warnings, notes, suppressed] = *row;
        out.set_color(ColorSpec::new().set_bold(true))?;
        write!(out, "{:width$}", open(row))?;
        out.reset()?;
        write!(out, "  {}  {:widest$}  ", linked(*rule, options.hyperlinks), rule.meta().slug)?;
        let mut words: Vec<String> = super::SEVERITIES
            .into_iter()
            .zip([errors, warnings, notes])
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| super::counted(count, severity.word()))
            .collect();
        if suppressed > 0 {
            words.push(format!("{suppressed} suppressed"));
        }
        writeln!(out, "{}", words.join(", "))?;
    }
    if !rows.is_empty() {
        writeln!(out)?;
    }
    write_summary(report, options, out)
}
