//! One JSON document for scripts.
//!
//! `version` is raised when a member changes its meaning or goes away; members may be added without it. Lines and
//! columns count from 1, columns in Unicode characters; `end_column` is the one behind the last. The first label is the
//! primary one. `severity` is how bad a finding is, `level` what the configuration makes of it; the summary counts levels. `state` is there where the run was compared with an older one
//! (`new`, `unchanged`, `updated`). A finding with a member `suppressed` counts neither in the summary's numbers nor for the exit code. `unread` lists what could not be read: as long as it is not empty, the rest is not the whole truth.
//! A fix is all of its edits or none; they do not overlap.

use super::place::Places;
use super::{include_chain, note_parts, plain, told_fix};
use crate::catalog::{Outcome, Severity};
use crate::edit::Fix;
use crate::engine::Report;
use crate::finding::{Finding, State, SuppressedIn};
use serde::Serialize;
use std::io;

/// The version of this format.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    summary: Summary,
    findings: Vec<Entry<'a>>,
    unread: Vec<Unread>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Summary {
    files: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    suppressed: usize,
}

#[derive(Serialize)]
pub(super) struct Entry<'a> {
    rule: &'static str,
    slug: &'static str,
    severity: &'static str,
    level: &'static str,
    confidence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    outcome: OutcomeEntry,
    message: String,
    labels: Vec<LabelEntry>,
    notes: Vec<NoteEntry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<FixEntry<'a>>,
    page: String,
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<SuppressedEntry>,
}

#[derive(Serialize)]
struct SuppressedEntry {
    by: &'static str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

#[derive(Serialize)]
struct OutcomeEntry {
    text: String,
    statuses: Vec<u16>,
}

#[derive(Serialize)]
struct LabelEntry {
    file: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    included_from: Vec<Include>,
}

#[derive(Serialize)]
struct Include {
    file: String,
    line: u32,
}

#[derive(Serialize)]
struct NoteEntry<'a> {
    kind: &'a str,
    text: String,
}

#[derive(Serialize)]
struct FixEntry<'a> {
    title: String,
    applicability: &'static str,
    edits: Vec<EditEntry<'a>>,
}

#[derive(Serialize)]
struct EditEntry<'a> {
    file: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    replacement: &'a str,
}

#[derive(Serialize)]
struct Unread {
    file: String,
    why: String,
}

/// Writes the document.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let places = Places::new(&report.sources);
    let document = Document {
        version: VERSION,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        summary: Summary {
            files: report.files.len(),
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            notes: report.count(Severity::Note),
            suppressed: report.suppressed(),
        },
        findings: report.findings.iter().map(|finding| entry(finding, &places)).collect(),
        unread: report
            .unread
            .iter()
            .map(|file| Unread { file: plain(&file.path).into_owned(), why: plain(&file.why).into_owned() })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// A finding as a member of `findings`.
pub(super) fn entry<'a>(finding: &'a Finding, places: &Places<'_>) -> Entry<'a> {
    let meta = finding.rule.meta();
    Entry {
        rule: meta.code,
        slug: meta.slug,
        severity: finding.severity.word(),
        level: finding.level().word(),
        confidence: finding.confidence.word(),
        dialect: finding.dialect.map(crate::topology::Dialect::key),
        outcome: OutcomeEntry {
            text: finding.outcome.to_string(),
            statuses: match finding.outcome {
                Outcome::Status(status) => vec![status],
                Outcome::Either(one, other) => vec![one, other],
                _ => Vec::new(),
            },
        },
        message: plain(&finding.message).into_owned(),
        labels: finding
            .labels
            .iter()
            .take(super::MAX_LABELS)
            .map(|label| {
                let place = places.of(label.site.span);
                LabelEntry {
                    file: plain(places.sources().file(label.site.span.file).path()).into_owned(),
                    line: place.line,
                    column: place.column,
                    end_line: place.line,
                    end_column: place.end_column,
                    text: plain(&label.text).into_owned(),
                    included_from: include_chain(places.sources(), label.site)
                        .map(|(file, line)| Include { file, line })
                        .collect(),
                }
            })
            .collect(),
        notes: finding
            .notes
            .iter()
            .map(|note| {
                let (kind, text) = note_parts(note);
                NoteEntry { kind, text: plain(text).into_owned() }
            })
            .collect(),
        fixes: told_fix(finding).into_iter().map(|fix| fix_entry(fix, places)).collect(),
        page: meta.page(),
        fingerprint: format!("{:016x}", finding.fingerprint),
        state: finding.state.map(State::word),
        suppressed: finding.suppressed.as_ref().map(|suppressed| SuppressedEntry {
            by: match suppressed.by {
                SuppressedIn::Source => "comment",
                SuppressedIn::Configuration => "configuration",
                SuppressedIn::Baseline => "baseline",
                SuppressedIn::History => "changed-since",
            },
            reason: plain(&suppressed.reason).into_owned(),
            file: suppressed.at.map(|at| plain(places.sources().file(at.file).path()).into_owned()),
            line: suppressed.at.map(|at| places.of(at).line),
        }),
    }
}

fn fix_entry<'a>(fix: &'a Fix, places: &Places<'_>) -> FixEntry<'a> {
    let edits = fix.changes().map(|(span, replacement)| {
        let [(line, column, _), (end_line, end_column, _)] = places.ends(span);
        let file = plain(places.sources().file(span.file).path()).into_owned();
        EditEntry { file, line, column, end_line, end_column, replacement }
    });
    FixEntry { title: plain(&fix.title).into_owned(), applicability: fix.applicability.word(), edits: edits.collect() }
}
