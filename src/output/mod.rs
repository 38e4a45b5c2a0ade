//! A report in the formats that people and machines read. Layer 7: writes to what it is given, and opens nothing.
//!
//! Everything that may come from a file goes through [`plain`] here, so that neither an escape sequence nor a forged
//! workflow command reaches a terminal or a log, whatever a rule put into its texts.

pub mod checkstyle;
pub mod concise;
pub mod github;
pub mod gitlab;
#[cfg(feature = "cli")]
pub mod graph;
pub mod human;
pub mod json;
pub mod json_lines;
pub mod junit;
pub mod listing;
pub mod markdown;
mod place;
pub mod sarif;
pub mod statistics;
mod xml;

use crate::catalog::{RuleId, Severity};
use crate::edit::{Applicability, Fix};
use crate::engine::Report;
use crate::finding::{Finding, Note};
use crate::source::{Site, SourceMap, clean, is_hostile};
use codespan_reporting::term::termcolor::{Ansi, Color, NoColor, WriteColor};
use place::Places;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

/// Text from a file as one line that neither a terminal nor a workflow log takes for a command: control characters
/// are made visible, and `##[`, which GitHub's runner obeys anywhere in a line, is pulled apart.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    let clean = clean(text);
    if clean.contains("##[") { Cow::Owned(clean.replace("##[", "## [")) } else { clean }
}

/// As [`plain`], and never the start of a workflow command (`::error …`, which GitHub's runner obeys after any
/// indentation). For text that may come to stand first on a line.
#[must_use]
pub fn plain_line(text: &str) -> Cow<'_, str> {
    let text = plain(text);
    let indent = text.len() - text.trim_start().len();
    if text[indent..].starts_with("::") {
        let (before, after) = text.split_at(indent);
        Cow::Owned(format!("{before}: :{}", after.trim_start_matches("::")))
    } else {
        text
    }
}

/// Findings, the worst first, suppressed ones last; among equals the order of the report.
fn worst_first(report: &Report) -> Vec<&Finding> {
    let mut all: Vec<&Finding> = report.findings.iter().collect();
    all.sort_by_key(|finding| (finding.suppressed.is_some(), std::cmp::Reverse(finding.level())));
    all
}

/// How a path was reached, in words: `conf/nginx.conf:12`, innermost include first.
fn include_chain(sources: &SourceMap, site: Site) -> impl Iterator<Item = (String, u32)> {
    sources
        .include_chain(site)
        .map(|include| {
            let at = include.at.span;
            let file = sources.file(at.file);
            (plain(file.path()).into_owned(), file.line_index(at.start) as u32 + 1)
        })
        .take(16)
}

/// A note's kind, as machine formats name it, and its text.
fn note_parts(note: &Note) -> (&'static str, &str) {
    match note {
        Note::Why(text) => ("why", text),
        Note::Log(text) => ("log", text),
        Note::Help(text) => ("help", text),
        Note::Assumed(text) => ("assumed", text),
    }
}

/// How to have a fix applied.
const fn flags(fix: &Fix) -> &'static str {
    match fix.applicability {
        Applicability::Safe => "--fix",
        Applicability::Unsafe => "--fix --unsafe-fixes",
    }
}

/// The fix of a finding, as machine formats tell it: letter by letter, or not at all. What must not reach a terminal
/// raw is only to be had from `--diff` and `--fix`.
fn told_fix(finding: &Finding) -> Option<&Fix> {
    let raw = |c: char| is_hostile(c) && !matches!(c, '\t' | '\n' | '\r');
    finding.fix.as_deref().filter(|fix| !fix.changes().any(|(_, text)| text.contains(raw)))
}

/// Message, outcome and notes in one text of several lines, for formats without a place of their own for each.
fn full_text(finding: &Finding) -> String {
    let mut text = plain(&finding.message).into_owned();
    if finding.rule.is_about_proxies() {
        let _ = write!(text, "\n{}", sentence(&finding.outcome.to_string()));
    }
    for note in &finding.notes {
        let (kind, words) = note_parts(note);
        let words = plain(words);
        let _ = match kind {
            "log" => write!(text, "\nLog: {words}"),
            "help" => write!(text, "\nHelp: {words}"),
            "assumed" => write!(text, "\nAssumed: {words}"),
            _ => write!(text, "\n{words}"),
        };
    }
    if let Some(fix) = &finding.fix {
        let _ = write!(text, "\nFix: {} (with {})", plain(&fix.title), flags(fix));
    }
    text
}

/// [`full_text`], and the other places of a finding with their words, one on a line.
fn story(finding: &Finding, places: &Places<'_>) -> String {
    let mut text = full_text(finding);
    for label in finding.labels.iter().skip(1).take(MAX_LABELS) {
        let path = plain(places.sources().file(label.site.span.file).path());
        let _ = write!(text, "\n{path}:{}: {}", places.of(label.site.span).line, plain(&label.text));
    }
    text
}

/// A rule's code; with a link to its page (OSC 8) for terminals that know such links.
fn linked(rule: RuleId, link: bool) -> Cow<'static, str> {
    let meta = rule.meta();
    match link {
        true => Cow::Owned(format!("\x1b]8;;{}\x1b\\{}\x1b]8;;\x1b\\", meta.page(), meta.code)),
        false => Cow::Borrowed(meta.code),
    }
}

/// Hands on what is written, with escape sequences for colours or without.
fn with_color(
    color: bool,
    out: &mut dyn io::Write,
    write: impl FnOnce(&mut dyn WriteColor) -> io::Result<()>,
) -> io::Result<()> {
    if color { write(&mut Ansi::new(out)) } else { write(&mut NoColor::new(out)) }
}

/// The colour of a severity.
const fn color(severity: Severity) -> Color {
    match severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Note => Color::Green,
    }
}

/// A clause as a sentence: its first letter large, a full stop behind it.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// What was fixed and what can be, for a summary; empty when there is nothing to say. `fixed`: how many findings were
/// fixed, where somebody asked for that.
#[must_use]
pub fn fixes_in_words(report: &Report, fixed: Option<usize>) -> String {
    let (safe, unsafe_) = report.fixable();
    match (fixed, safe, unsafe_) {
        (Some(fixed), 0, 0) => format!("{fixed} fixed"),
        (Some(fixed), 0, more) => format!("{fixed} fixed, {more} more with --unsafe-fixes"),
        (Some(fixed), left, _) => format!(
            "{fixed} fixed, {} could not be applied",
            if left == 1 { "1 fix".to_owned() } else { format!("{left} fixes") }
        ),
        (None, 0, 0) => String::new(),
        (None, 0, more) => format!("{more} can be fixed with --fix --unsafe-fixes"),
        (None, safe, 0) => format!("{safe} can be fixed with --fix"),
        (None, safe, more) => format!("{safe} can be fixed with --fix, {more} more with --unsafe-fixes"),
    }
}

/// `1 error`, `2 errors`.
fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// Most places of one finding that are written out. A rule that names more has something to count, not to tell.
const MAX_LABELS: usize = 100;

/// The severities, worst first.
const SEVERITIES: [Severity; 3] = [Severity::Error, Severity::Warning, Severity::Note];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_survives() {
        assert_eq!(plain("a ##[error]b"), "a ## [error]b");
        assert_eq!(plain_line("  ::error::x"), "  : :error::x");
        assert_eq!(plain_line("a\n::error::x"), "a ::error::x");
        assert_eq!(plain_line("\n::error::x"), " : :error::x");
        assert_eq!(plain_line("::::error"), ": :error");
        assert_eq!(plain_line("fine"), "fine");
    }
}
