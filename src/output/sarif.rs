//! SARIF 2.1.0, as code-scanning services read it. Our own structs: the format is large, and we use little of it.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use super::place::Places;
use super::{full_text, include_chain, plain, told_fix, worst_first};
use crate::catalog::{Confidence, Proof, RuleId, RuleMeta, Severity};
use crate::edit::Fix;
use crate::engine::Report;
use crate::finding::{Finding, Label, State, SuppressedIn};
use crate::source::Span;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};

/// GitHub keeps the 5,000 worst results of a run and drops the rest; we drop them ourselves and say so.
pub const MAX_RESULTS: usize = 5_000;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    original_uri_base_ids: BaseIds,
    column_kind: &'static str,
    results: Vec<ResultEntry>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: String,
    short_description: Text,
    full_description: Text,
    help: Help,
    help_uri: String,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Clone, Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Properties {
    tags: Vec<&'static str>,
    precision: &'static str,
    #[serde(rename = "problem.severity")]
    problem_severity: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Location>,
}

#[derive(Serialize)]
struct BaseIds {
    #[serde(rename = "%SRCROOT%")]
    root: Base,
}

#[derive(Serialize)]
struct Base {
    description: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultEntry {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<CodeFlow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<FixEntry>,
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: ResultProperties,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    justification: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location>,
}

#[derive(Serialize)]
struct ResultProperties {
    severity: &'static str,
    confidence: &'static str,
    outcome: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FixEntry {
    description: Text,
    artifact_changes: Vec<ArtifactChange>,
    properties: FixProperties,
}

#[derive(Serialize)]
struct FixProperties {
    applicability: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactChange {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    #[serde(skip_serializing_if = "Option::is_none")]
    inserted_content: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeFlow {
    thread_flows: [ThreadFlow; 1],
}

#[derive(Serialize)]
struct ThreadFlow {
    locations: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    location: Location,
}

#[derive(Serialize)]
struct Fingerprints {
    /// What GitHub tells results apart by.
    #[serde(rename = "primaryLocationLineHash")]
    line_hash: String,
    #[serde(rename = "gw502/v1")]
    own: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

/// Writes the log.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    write_some(report, worst_first(report), out)
}

/// Writes the log without what is suppressed. GitHub's code scanning knows no suppressions: it would open an alert for
/// each of these.
///
/// # Errors
/// Those of `out`.
pub fn write_open(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let mut open = worst_first(report);
    open.retain(|finding| finding.suppressed.is_none());
    write_some(report, open, out)
}

fn write_some(report: &Report, shown: Vec<&Finding>, out: &mut dyn io::Write) -> io::Result<()> {
    let places = Places::new(&report.sources);
    let rules = listed_rules(report);
    let dropped = shown.len().saturating_sub(MAX_RESULTS);
    let mut notifications: Vec<Notification> = report
        .unread
        .iter()
        .map(|file| Notification {
            level: "error",
            message: message(&format!("{} could not be read: {}", plain(&file.path), plain(&file.why))),
            locations: vec![Location { id: None, physical_location: whole_file(&file.path), message: None }],
        })
        .collect();
    if dropped > 0 {
        notifications.push(Notification {
            level: "warning",
            message: Text { text: format!("{dropped} findings are left out: only the worst {MAX_RESULTS} are listed") },
            locations: Vec::new(),
        });
    }
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            invocations: [Invocation {
                execution_successful: report.unread.is_empty(),
                tool_execution_notifications: notifications,
            }],
            original_uri_base_ids: BaseIds {
                root: Base { description: Text { text: "The root of the linted tree.".into() } },
            },
            column_kind: "utf16CodeUnits",
            results: shown.into_iter().take(MAX_RESULTS).map(|finding| result(finding, &rules, &places)).collect(),
            tool: Tool {
                driver: Driver {
                    name: env!("CARGO_PKG_NAME"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: rules.iter().map(|rule| rule_entry(rule.meta())).collect(),
                },
            },
        }],
    };
    // Written in thousands of small pieces: with a buffer of its own, each is a copy and no call through a pointer.
    let mut out = BufWriter::with_capacity(16 * 1024, out);
    serde_json::to_writer(&mut out, &log)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The rules that ran, and any other that a finding names (an unread file is always said).
fn listed_rules(report: &Report) -> Vec<RuleId> {
    let mut rules = report.rules.clone();
    rules.extend(report.findings.iter().map(|finding| finding.rule));
    rules.sort_unstable();
    rules.dedup();
    rules
}

fn rule_entry(meta: &'static RuleMeta) -> Rule {
    let mut tags = vec!["reverse-proxy", meta.family];
    tags.extend(meta.dialects.iter().map(|about| about.dialect));
    tags.truncate(10);
    Rule {
        id: meta.code,
        name: camel(meta.slug),
        short_description: Text { text: super::sentence(meta.title) },
        full_description: Text { text: meta.summary.trim().to_owned() },
        help: Help {
            text: format!("{}\n\n{}\n\n{}", meta.summary.trim(), meta.why.trim(), meta.remedy.trim()),
            markdown: markdown(meta),
        },
        help_uri: meta.page(),
        default_configuration: Configuration { level: meta.severity.word() },
        properties: Properties {
            tags,
            precision: match meta.confidence {
                Confidence::Certain => "very-high",
                Confidence::Likely => "high",
                Confidence::Possible => "medium",
            },
            problem_severity: match meta.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "recommendation",
            },
        },
    }
}

fn markdown(meta: &RuleMeta) -> String {
    let mut text = format!(
        "# {}: {}\n\n{}\n\n## Why it fails\n\n{}\n\n## What to do\n\n{}\n",
        meta.code,
        meta.title,
        meta.summary.trim(),
        meta.why.trim(),
        meta.remedy.trim()
    );
    for about in meta.dialects {
        let _ =
            write!(text, "\n## {}\n\n{}: {}", about.dialect, super::sentence(&about.outcome.to_string()), about.effect);
        if !about.log.is_empty() {
            let _ = write!(text, " Log: `{}`.", about.log);
        }
        if about.proof == Proof::Live {
            text.push_str(" Seen on the real proxy.");
        }
        text.push('\n');
    }
    if !meta.references.is_empty() {
        text.push_str("\n## References\n\n");
        for reference in meta.references {
            let _ = writeln!(text, "* <{reference}>");
        }
    }
    text
}

fn result(finding: &Finding, rules: &[RuleId], places: &Places<'_>) -> ResultEntry {
    let labels = &finding.labels[..finding.labels.len().min(super::MAX_LABELS)];
    let mut locations = labels.iter().map(|label| location(label, places)).collect::<Vec<_>>().into_iter();
    let fingerprint = format!("{:016x}", finding.fingerprint);
    let flow = if labels.len() < 2 {
        Vec::new()
    } else {
        let locations = locations.clone().map(|location| Step { location }).collect();
        vec![CodeFlow { thread_flows: [ThreadFlow { locations }] }]
    };
    ResultEntry {
        rule_id: finding.rule.meta().code,
        rule_index: rules.binary_search(&finding.rule).unwrap_or(0),
        level: finding.level().word(),
        message: message(&full_text(finding)),
        locations: locations.next().into_iter().collect(),
        related_locations: locations
            .enumerate()
            .map(|(number, location)| Location { id: Some(number + 1), ..location })
            .collect(),
        code_flows: flow,
        fixes: told_fix(finding).into_iter().map(|fix| fix_entry(fix, places)).collect(),
        partial_fingerprints: Fingerprints { line_hash: format!("{fingerprint}:1"), own: fingerprint },
        baseline_state: finding.state.map(State::word),
        suppressions: finding
            .suppressed
            .iter()
            .map(|suppressed| Suppression {
                kind: match suppressed.by {
                    SuppressedIn::Source => "inSource",
                    SuppressedIn::Configuration | SuppressedIn::Baseline | SuppressedIn::History => "external",
                },
                justification: message(&plain(&suppressed.reason)).text,
                location: suppressed.at.map(|at| Location {
                    id: None,
                    physical_location: physical(at, places),
                    message: None,
                }),
            })
            .collect(),
        properties: ResultProperties {
            severity: finding.severity.word(),
            confidence: finding.confidence.word(),
            outcome: finding.outcome.to_string(),
        },
    }
}

fn fix_entry(fix: &Fix, places: &Places<'_>) -> FixEntry {
    let mut changes: Vec<(crate::source::FileId, ArtifactChange)> = Vec::new();
    for (span, text) in fix.changes() {
        let [(start_line, _, start_column), (end_line, _, end_column)] = places.ends(span);
        let replacement = Replacement {
            deleted_region: Region { start_line, start_column, end_line, end_column },
            inserted_content: (!text.is_empty()).then(|| Text { text: text.to_owned() }),
        };
        match changes.last_mut() {
            Some((file, change)) if *file == span.file => change.replacements.push(replacement),
            _ => {
                let artifact_location = whole_file(places.sources().file(span.file).path()).artifact_location;
                changes.push((span.file, ArtifactChange { artifact_location, replacements: vec![replacement] }));
            }
        }
    }
    FixEntry {
        description: message(&format!("{} (With {}.)", super::sentence(&plain(&fix.title)), super::flags(fix))),
        artifact_changes: changes.into_iter().map(|(_, change)| change).collect(),
        properties: FixProperties { applicability: fix.applicability.word() },
    }
}

fn location(label: &Label, places: &Places<'_>) -> Location {
    let sources = places.sources();
    let mut text = plain(&label.text).into_owned();
    if let Some((file, line)) = include_chain(sources, label.site).next() {
        let _ = write!(text, " (included from {file}:{line})");
    }
    Location { id: None, physical_location: physical(label.site.span, places), message: Some(message(&text)) }
}

/// A text with words of a file in it. `[text](target)` would be a link, to another place of the result or to anywhere
/// (3.11.6); a blank between the two is the smaller evil, because not every reader knows the escape.
fn message(text: &str) -> Text {
    Text { text: text.replace("](", "] (") }
}

fn physical(span: Span, places: &Places<'_>) -> PhysicalLocation {
    let place = places.of(span);
    PhysicalLocation {
        region: Some(Region {
            start_line: place.line,
            start_column: place.utf16,
            end_line: place.line,
            end_column: place.end_utf16,
        }),
        ..whole_file(places.sources().file(span.file).path())
    }
}

fn whole_file(path: &str) -> PhysicalLocation {
    PhysicalLocation { artifact_location: ArtifactLocation { uri: uri(path), uri_base_id: "%SRCROOT%" }, region: None }
}

/// A relative path as a URI: every byte is escaped that RFC 3986 does not allow in a path.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// `unreadable-file` → `UnreadableFile`.
fn camel(slug: &str) -> String {
    slug.split('-')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_and_names() {
        assert_eq!(uri("conf/a b#1%é:\u{1b}.conf"), "conf/a%20b%231%25%C3%A9%3A%1B.conf");
        assert_eq!(camel("unreadable-file"), "UnreadableFile");
    }
}
