//! GitLab's Code Quality report: what a merge request shows of the findings that it brings or takes away.
//! <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>
//!
//! GitLab reads `description`, `check_name`, `fingerprint`, `severity` and `location`. The other members are those of the
//! specification that it goes back to (Code Climate's), for other readers and newer GitLabs. A suppressed finding has no
//! place there, and is left out.

use super::place::Places;
use super::{MAX_LABELS, markdown, plain, story};
use crate::catalog::Severity;
use crate::engine::Report;
use crate::finding::{Finding, Label};
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct Issue {
    #[serde(rename = "type")]
    kind: &'static str,
    check_name: &'static str,
    description: String,
    content: Content,
    categories: [&'static str; 1],
    severity: &'static str,
    fingerprint: String,
    location: Location,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_locations: Vec<Location>,
}

#[derive(Serialize)]
struct Content {
    body: String,
}

#[derive(Serialize)]
struct Location {
    path: String,
    positions: Positions,
}

#[derive(Serialize)]
struct Positions {
    begin: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
}

/// Writes the report.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let places = Places::new(&report.sources);
    let issues: Vec<Issue> = report.open().map(|finding| issue(finding, &places)).collect();
    serde_json::to_writer_pretty(&mut *out, &issues)?;
    out.write_all(b"\n")
}

fn issue(finding: &Finding, places: &Places<'_>) -> Issue {
    let others = finding.labels.iter().skip(1).take(MAX_LABELS);
    let story = story(finding, places);
    let body: Vec<_> = story.lines().map(markdown::text).collect();
    Issue {
        kind: "issue",
        check_name: finding.rule.meta().code,
        description: plain(&finding.message).into_owned(),
        // Markdown, by that specification.
        content: Content { body: format!("{}\n\n{}", body.join("\n\n"), finding.rule.meta().page()) },
        categories: ["Bug Risk"],
        severity: match finding.level() {
            Severity::Error => "critical",
            Severity::Warning => "major",
            Severity::Note => "info",
        },
        fingerprint: format!("{:016x}", finding.fingerprint),
        location: location(finding.primary(), places),
        other_locations: others.map(|label| location(label, places)).collect(),
    }
}

fn location(label: &Label, places: &Places<'_>) -> Location {
    let place = places.of(label.site.span);
    Location {
        path: plain(places.sources().file(label.site.span.file).path()).into_owned(),
        positions: Positions {
            begin: Position { line: place.line, column: place.column },
            end: Position { line: place.line, column: place.end_column },
        },
    }
}
