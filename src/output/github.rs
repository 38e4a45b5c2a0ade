//! Workflow commands of GitHub Actions: findings as annotations on the changed lines.
//!
//! GitHub shows ten errors, ten warnings and ten notices per step (50 per run) and drops the rest without a word. So no more
//! are written than it shows; where some are left, the last notice says how many, and that the log of the step has them: they
//! are written there as ordinary lines.
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>

use super::place::Places;
use super::{SEVERITIES, counted, plain, plain_line, story, worst_first};
use crate::catalog::Severity;
use crate::engine::Report;
use crate::finding::Finding;
use std::borrow::Cow;
use std::io;

/// Annotations of one kind that GitHub shows per step.
const SHOWN: usize = 10;

/// Writes the commands.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let places = Places::new(&report.sources);
    let mut all = worst_first(report);
    all.retain(|finding| finding.suppressed.is_none());
    let of_kind = |severity| all.iter().filter(move |finding| finding.level() == severity);
    let too_many = SEVERITIES.into_iter().any(|severity| of_kind(severity).count() > SHOWN);
    let mut rest = Vec::new();
    for severity in SEVERITIES {
        // One notice is needed to say what is left out.
        let shown = if too_many && severity == Severity::Note { SHOWN - 1 } else { SHOWN };
        for finding in of_kind(severity).take(shown) {
            annotation(finding, &places, out)?;
        }
        rest.extend(of_kind(severity).skip(shown));
    }
    if !rest.is_empty() {
        let (more, verb) = if rest.len() == 1 { ("1 more finding", "is") } else { ("more findings", "are") };
        let count = if rest.len() == 1 { String::new() } else { format!("{} ", rest.len()) };
        writeln!(
            out,
            "::notice title={}::{}",
            env!("CARGO_PKG_NAME"),
            data(&format!(
                "{count}{more} {verb} not shown as annotations: GitHub shows {SHOWN} of each level per step. The log of this step \
                 lists them; --format markdown and sarif have them, too"
            ))
        )?;
        for finding in rest {
            log_line(finding, &places, out)?;
        }
    }
    let mut counts: Vec<String> =
        SEVERITIES.into_iter().map(|severity| counted(report.count(severity), severity.word())).collect();
    match report.suppressed() {
        0 => {}
        count => counts.push(format!("{count} suppressed")),
    }
    writeln!(out, "gw502-lint: {}: {}", counted(report.files.len(), "file"), counts.join(", "))
}

fn annotation(finding: &Finding, places: &Places<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let command = match finding.level() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let label = finding.primary();
    let place = places.of(label.site.span);
    let file = plain(places.sources().file(label.site.span.file).path());
    let message = story(finding, places);
    writeln!(
        out,
        "::{command} file={},line={},endLine={},col={},endColumn={},title={}::{}",
        property(&file),
        place.line,
        place.line,
        place.column,
        place.end_column.max(place.column),
        property(&format!("{} {}", finding.rule, finding.rule.meta().title)),
        data(&message)
    )
}

/// A line that the runner takes for text: it starts with a word of ours, and [`plain`] leaves no `##[` in it.
fn log_line(finding: &Finding, places: &Places<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let label = finding.primary();
    let place = places.of(label.site.span);
    let path = places.sources().file(label.site.span.file).path();
    writeln!(
        out,
        "{}: {} {}:{}:{}: {}",
        finding.level().word(),
        finding.rule,
        plain(path),
        place.line,
        place.column,
        plain_line(&finding.message)
    )
}

/// Escapes a command's text as GitHub's own toolkit does.
fn data(text: &str) -> Cow<'_, str> {
    escape(text, &['%', '\r', '\n'])
}

/// Escapes a command's property as GitHub's own toolkit does.
fn property(text: &str) -> Cow<'_, str> {
    escape(text, &['%', '\r', '\n', ':', ','])
}

fn escape<'a>(text: &'a str, special: &[char]) -> Cow<'a, str> {
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if special.contains(&c) {
            escaped.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_the_toolkit() {
        assert_eq!(data("50%: a,\r\nb"), "50%25: a,%0D%0Ab");
        assert_eq!(property("50%: a,\nb"), "50%25%3A a%2C%0Ab");
        assert_eq!(data("%0A"), "%250A");
    }
}
