//! A table for a job's summary or a comment on a pull request, in GitHub's and GitLab's Markdown.
//!
//! Whatever comes from a file is text: characters that mean something to Markdown or HTML are written as references, and
//! what a message has in backquotes is code, so that it neither mentions people nor becomes a link or a formula.
//!
//! GitHub takes 65,536 characters for a comment and 1 MiB for a summary. The table ends before the smaller of the two, with
//! the worst findings in it, and says how many of which rules are left out.

use super::place::Places;
use super::{SEVERITIES, counted, fixes_in_words, flags, include_chain, note_parts, sentence, worst_first};
use crate::catalog::RuleId;
use crate::engine::Report;
use crate::finding::{Finding, Label};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

/// Most bytes of the tables. What is said around them fits into the rest of a comment.
const MAX_BYTES: usize = 56 * 1024;

/// Most places of a finding in a row.
const MAX_PLACES: usize = 10;

/// Most characters of one text in a row.
const MAX_TEXT: usize = 1_000;

/// Most rules that are named of what is left out.
const MAX_RULES: usize = 30;

/// Writes the page.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, out: &mut dyn io::Write) -> io::Result<()> {
    let places = Places::new(&report.sources);
    let (suppressed, open): (Vec<_>, Vec<_>) =
        worst_first(report).into_iter().partition(|finding| finding.suppressed.is_some());
    let mut counts: Vec<String> = SEVERITIES
        .into_iter()
        .map(|severity| (report.count(severity), severity.word()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    if counts.is_empty() {
        counts.push("nothing found".into());
    }
    let files = counted(report.files.len(), "file");
    writeln!(out, "### gw502-lint: {} in {files}", counts.join(", "))?;
    let mut room = MAX_BYTES;
    let mut left_out = Vec::new();
    let mut table = String::new();
    for finding in &open {
        let row = row(finding, &places);
        match room.checked_sub(row.len()) {
            // What follows is no worse, and a short row behind a gap would look as if there were none.
            Some(left) if left_out.is_empty() => {
                room = left;
                table.push_str(&row);
            }
            _ => left_out.push(finding.rule),
        }
    }
    if !table.is_empty() {
        write!(out, "\n| Level | Rule | Place | Finding |\n| --- | --- | --- | --- |\n{table}")?;
    }
    if !left_out.is_empty() {
        writeln!(out, "\n{}", more(&left_out))?;
    }
    let fixes = fixes_in_words(report, None);
    if !fixes.is_empty() {
        writeln!(out, "\n{}", text(&sentence(&fixes)))?;
    }
    if !suppressed.is_empty() {
        writeln!(out, "\n<details><summary>{} suppressed</summary>\n", suppressed.len())?;
        writeln!(out, "| Rule | Place | Finding | Reason |\n| --- | --- | --- | --- |")?;
        let mut hidden = 0;
        for finding in &suppressed {
            let row = suppressed_row(finding, &places);
            match room.checked_sub(row.len()) {
                Some(left) if hidden == 0 => {
                    room = left;
                    write!(out, "{row}")?;
                }
                _ => hidden += 1,
            }
        }
        if hidden > 0 {
            writeln!(out, "\n{hidden} more")?;
        }
        writeln!(out, "\n</details>")?;
    }
    Ok(())
}

/// Says what is not in the table.
fn more(left_out: &[RuleId]) -> String {
    let mut rules: BTreeMap<RuleId, usize> = BTreeMap::new();
    for rule in left_out {
        *rules.entry(*rule).or_default() += 1;
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let named: Vec<_> =
        rules.iter().take(MAX_RULES).map(|(rule, count)| format!("{count} of {}", link(*rule))).collect();
    let others = if rules.len() > MAX_RULES { ", and others" } else { "" };
    format!(
        "**{} not in this table**, which has room for the worst: {}{others}. The log or a report in another format has \
         all of them.",
        counted(left_out.len(), "more finding"),
        named.join(", ")
    )
}

fn row(finding: &Finding, places: &Places<'_>) -> String {
    let mut cell = text(&cut(&finding.message));
    let mut line = |words: &str| {
        cell.push_str("<br>");
        cell.push_str(words);
    };
    if finding.rule.is_about_proxies() {
        line(&text(&sentence(&finding.outcome.to_string())));
    }
    for note in &finding.notes {
        let (kind, words) = note_parts(note);
        match kind {
            "why" => line(&text(&cut(words))),
            "log" => line(&format!("Log: {}", code(&cut(words)))),
            "help" => line(&format!("Help: {}", text(&cut(words)))),
            _ => line(&format!("Assumed: {}", text(&cut(words)))),
        }
    }
    if let Some(fix) = &finding.fix {
        line(&format!("Fix: {} (with {})", text(&cut(&fix.title)), code(flags(fix))));
    }
    for label in finding.labels.iter().skip(1).take(MAX_PLACES) {
        line(&format!("{}: {}", place(label, places), text(&cut(&label.text))));
    }
    if let Some(more) = finding.labels.len().checked_sub(MAX_PLACES + 1).filter(|more| *more > 0) {
        line(&format!("and {}", counted(more, "more place")));
    }
    let label = finding.primary();
    let mut at = place(label, places);
    if let Some((file, line)) = include_chain(places.sources(), label.site).next() {
        let _ = write!(at, "<br>included from {}", code(&format!("{file}:{line}")));
    }
    format!("| {} | {} | {at} | {cell} |\n", finding.level().word(), link(finding.rule))
}

fn suppressed_row(finding: &Finding, places: &Places<'_>) -> String {
    let reason = finding.suppressed.as_ref().map_or_else(String::new, |by| text(&cut(&by.reason)));
    let at = place(finding.primary(), places);
    format!("| {} | {at} | {} | {reason} |\n", link(finding.rule), text(&cut(&finding.message)))
}

fn link(rule: RuleId) -> String {
    format!("[{rule}]({})", rule.meta().page())
}

fn place(label: &Label, places: &Places<'_>) -> String {
    let path = cut(places.sources().file(label.site.span.file).path());
    code(&format!("{path}:{}", places.of(label.site.span).line))
}

/// A text that would fill the page alone, cut.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Words as text; what is in backquotes as code.
pub(super) fn text(words: &str) -> String {
    let parts: Vec<&str> = words.split('`').collect();
    let mut out = String::new();
    for (number, part) in parts.iter().enumerate() {
        // The last of an odd number of backquotes is one.
        let last = number + 1 == parts.len();
        match number % 2 {
            0 => escape(part, true, &mut out),
            _ if last => {
                out.push_str("&#96;");
                escape(part, true, &mut out);
            }
            _ => out.push_str(&code(part)),
        }
    }
    out
}

/// Text as code, in HTML: Markdown's own code cannot hold everything in a table.
fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    escape(text, false, &mut out);
    out.push_str("</code>");
    out
}

/// Writes text so that no character of it means anything. Outside of code `@` and `#` are made code: GitHub looks for the
/// names of people and the numbers of issues when all references are resolved.
fn escape(words: &str, prose: bool, out: &mut String) {
    let words = super::plain_line(words);
    let mut before = ' ';
    let mut letters = words.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '@' | '#' if prose => {
                let _ = write!(out, "<code>&#{};</code>", u32::from(c));
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '@' | '$' | '!' | '"' | '\''
            | '{' | '}' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            // `https://…` and `www.…` become links by themselves, between tags of HTML as elsewhere.
            ':' if letters.peek() == Some(&'/') => out.push_str("&#58;"),
            '.' if matches!(before, 'w' | 'W') => out.push_str("&#46;"),
            c => out.push(c),
        }
        before = c;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markdown() {
        assert_eq!(text("`a|b` is *not* `<b>`"), "<code>a&#124;b</code> is &#42;not&#42; <code>&#60;b&#62;</code>");
        assert_eq!(text("one ` only"), "one &#96; only");
        assert_eq!(text("@all #1"), "<code>&#64;</code>all <code>&#35;</code>1");
        assert_eq!(text("http://x www.x"), "http&#58;//x www&#46;x");
        assert_eq!(code("$a_b `|"), "<code>&#36;a&#95;b &#96;&#124;</code>");
        assert_eq!(text("a\n| b"), "a &#124; b");
    }
}
