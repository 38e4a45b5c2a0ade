//! For people: source excerpts through codespan-reporting, the outcome, the log line to look for, the remedy.
//!
//! codespan passes everything through as it is, and prints lines of any length; so it never sees the sources. It is
//! given an [`Excerpt`], which holds the few lines needed, cleaned and cut to the terminal's width.

use super::place::{Place, Places};
use super::{SEVERITIES, counted, flags, include_chain, linked, note_parts, plain, plain_line};
use crate::catalog::{Confidence, RuleId, Severity};
use crate::engine::Report;
use crate::finding::Finding;
use crate::source::FileId;
use codespan_reporting::diagnostic::{Diagnostic, Label, LabelStyle};
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term::termcolor::{Color, ColorSpec, WriteColor};
use codespan_reporting::term::{self, StylesWriter};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Range;
use std::time::Duration;

/// How to show it.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether to use colours (ANSI escape sequences).
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// How long the run took, for the summary.
    pub elapsed: Option<Duration>,
    /// How many findings were fixed; `None`: nobody asked for that.
    pub fixed: Option<usize>,
    /// Whether the codes of rules are links to their pages (OSC 8).
    pub hyperlinks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { color: false, width: 100, elapsed: None, fixed: None, hyperlinks: false }
    }
}

/// Findings of one rule in one file that are shown with their excerpt; the rest are counted.
const MAX_EXCERPTS: usize = 50;

/// Labels of one finding that are shown; the rest are counted.
const MAX_LABELS: usize = 12;

/// Narrowest and widest piece of a source line that is shown, in columns.
const LINE_WIDTH: Range<usize> = 40..200;

/// Columns that a tab takes in an excerpt.
const TAB: usize = 4;

/// Writes all findings and a closing summary.
///
/// # Errors
/// Those of `out`.
pub fn write(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    super::with_color(options.color, out, |out| write_to(report, options, out))
}

fn write_to(report: &Report, options: &Options, out: &mut dyn WriteColor) -> io::Result<()> {
    let places = Places::new(&report.sources);
    let mut shown: HashMap<(RuleId, FileId), usize> = HashMap::new();
    for finding in report.open() {
        let count = shown.entry((finding.rule, finding.primary().site.span.file)).or_default();
        *count += 1;
        if *count <= MAX_EXCERPTS {
            write_finding(finding, &places, options, out)?;
        }
    }
    let mut hidden: Vec<_> = shown.into_iter().filter(|(_, count)| *count > MAX_EXCERPTS).collect();
    hidden.sort_unstable();
    for ((rule, file), count) in &hidden {
        let path = plain(report.sources.file(*file).path());
        writeln!(out, "{} more of {rule} ({}) in {path}", count - MAX_EXCERPTS, rule.meta().slug)?;
    }
    if !hidden.is_empty() {
        writeln!(out)?;
    }
    write_summary(report, options, out)
}

fn write_finding(
    finding: &Finding,
    places: &Places<'_>,
    options: &Options,
    out: &mut dyn WriteColor,
) -> io::Result<()> {
    let mut excerpt = Excerpt::default();
    let mut notes = Vec::new();
    let mut labels = Vec::new();
    let shown = &finding.labels[..finding.labels.len().min(MAX_LABELS)];
    let placed: Vec<Place> = shown.iter().map(|label| places.of(label.site.span)).collect();
    let gutter = placed.iter().map(|place| place.line.ilog10() as usize + 1).max().unwrap_or(1) + 3;
    let line_width = options.width.saturating_sub(gutter).clamp(LINE_WIDTH.start, LINE_WIDTH.end);
    for (index, (label, place)) in shown.iter().zip(&placed).enumerate() {
        if places.sources().file(place.span.file).text().is_empty() {
            // There is nothing to show of an empty file, or of one that could not be read.
            if !label.text.is_empty() {
                notes.push(plain_line(&label.text).into_owned());
            }
            continue;
        }
        let style = if index == 0 { LabelStyle::Primary } else { LabelStyle::Secondary };
        let (file, range) = excerpt.add(places, place, &placed, line_width);
        let start = excerpt.display_column(file, range.start);
        let used = gutter + start + range.len();
        let text = plain(&label.text);
        labels.extend(
            label_parts(&text, options.width, gutter + start, used, range.len()).into_iter().enumerate().map(
                |(part, text)| {
                    Label::new(style, file, range.start..(range.end - part).max(range.start)).with_message(text)
                },
            ),
        );
    }
    excerpt.fill_gaps(places, line_width);
    notes.extend(note_texts(finding, places));
    let notes =
        notes.iter().map(|note| wrap(note, options.width.saturating_sub(gutter + 2).max(40)).join("\n")).collect();
    let diagnostic = Diagnostic::new(match finding.level() {
        Severity::Error => codespan_reporting::diagnostic::Severity::Error,
        Severity::Warning => codespan_reporting::diagnostic::Severity::Warning,
        Severity::Note => codespan_reporting::diagnostic::Severity::Note,
    })
    .with_code(linked(finding.rule, options.hyperlinks))
    .with_message(header(finding, options.width))
    .with_labels(labels)
    .with_notes(notes);
    let styles = term::Styles::default();
    let config = term::Config { tab_width: TAB, ..term::Config::default() };
    term::emit_to_write_style(&mut StylesWriter::new(&mut *out, &styles), &config, &excerpt, &diagnostic).map_err(
        |error| match error {
            Error::Io(error) => error,
            other => io::Error::other(other.to_string()),
        },
    )
}

/// The message behind `error[GW000]: `, wrapped below itself.
fn header(finding: &Finding, width: usize) -> String {
    let prefix = finding.level().word().len() + finding.rule.meta().code.len() + 4;
    let message = plain(&finding.message);
    let first = width.saturating_sub(prefix).max(40);
    if message.chars().count() <= first {
        return message.into_owned();
    }
    // Words of the first line are moved right by the prefix; a stand-in of its length reserves the room.
    let padded = format!("{}{message}", "x".repeat(prefix));
    let lines = wrap(&padded, width.max(40));
    let text = lines.join("\n    ");
    text.get(prefix..).unwrap_or(&message).to_owned()
}

/// What stands below the excerpt.
fn note_texts(finding: &Finding, places: &Places<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let mut chains = Vec::new();
    for label in &finding.labels {
        let chain: Vec<_> = include_chain(places.sources(), label.site).collect();
        if let Some(((file, line), outer)) = chain.split_first() {
            let path = plain(places.sources().file(label.site.span.file).path());
            let mut text = format!("{path} is included from {file}:{line}");
            for (file, line) in outer {
                text.push_str(&format!(", that from {file}:{line}"));
            }
            if !chains.contains(&text) && chains.len() < MAX_LABELS {
                chains.push(text);
            }
        }
    }
    notes.append(&mut chains);
    if let Some(more) = finding.labels.len().checked_sub(MAX_LABELS).filter(|&more| more > 0) {
        notes.push(format!("and {}", counted(more, "more place")));
    }
    if finding.rule.is_about_proxies() {
        notes.push(finding.outcome.to_string());
    }
    for note in &finding.notes {
        let (kind, text) = note_parts(note);
        notes.push(match kind {
            "why" => plain_line(text).into_owned(),
            kind => format!("{kind}: {}", plain(text)),
        });
    }
    if let Some(fix) = &finding.fix {
        notes.push(format!("fix: {} (with {})", plain(&fix.title), flags(fix)));
    }
    match finding.confidence {
        Confidence::Certain => {}
        Confidence::Likely => notes.push("likely, not certain: these files do not show everything".into()),
        Confidence::Possible => notes.push("possible: it depends on something that these files do not show".into()),
    }
    notes.push(finding.rule.meta().page());
    notes
}

/// The text of a label in lines that fit. codespan prints a label's text behind its carets, or, when labels share
/// a place, below them; so a text that is too long behind is cut into several labels at the same place.
fn label_parts(text: &str, width: usize, start: usize, used: usize, carets: usize) -> Vec<String> {
    let length = text.chars().count();
    if used + 1 + length <= width || carets < 2 {
        return vec![text.to_owned()];
    }
    let room = width.saturating_sub(start).max(30);
    // At least two parts, or the one part would go behind the carets after all.
    let mut parts = wrap(text, room.min(length.saturating_sub(1)).max(1));
    if parts.len() > carets {
        let rest = parts.split_off(carets - 1).join(" ");
        parts.push(rest);
    }
    parts.into_iter().map(|part| plain_line(&part).into_owned()).collect()
}

/// Cuts a text into lines of at most `width` characters where words end. A longer word gets a line of its own.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        } else {
            // The first word of a line must not be taken for a workflow command.
            line.push_str(&plain_line(word));
            used += length;
            continue;
        }
        line.push_str(word);
        used += length;
    }
    lines.push(line);
    lines
}

/// What stands below all findings.
pub(super) fn write_summary(report: &Report, options: &Options, out: &mut dyn WriteColor) -> io::Result<()> {
    write!(out, "{}: ", counted(report.files.len(), "file"))?;
    let mut first = true;
    for severity in SEVERITIES {
        let count = report.count(severity);
        if count == 0 {
            continue;
        }
        if !std::mem::take(&mut first) {
            write!(out, ", ")?;
        }
        out.set_color(ColorSpec::new().set_fg(Some(super::color(severity))).set_bold(true))?;
        write!(out, "{}", counted(count, severity.word()))?;
        out.reset()?;
    }
    if first {
        out.set_color(ColorSpec::new().set_fg(Some(Color::Green)).set_bold(true))?;
        write!(out, "nothing found")?;
        out.reset()?;
    }
    match report.suppressed() {
        0 => {}
        count => write!(out, ", {count} suppressed")?,
    }
    match options.elapsed {
        Some(elapsed) if elapsed < Duration::from_secs(1) => writeln!(out, " ({} ms)", elapsed.as_millis())?,
        Some(elapsed) => writeln!(out, " ({:.1} s)", elapsed.as_secs_f64())?,
        None => writeln!(out)?,
    }
    write_fixes(report, options.fixed, out)?;
    match report.open().max_by_key(|finding| finding.level()) {
        Some(finding) => writeln!(out, "Read about a rule with: gw502-lint explain {}", finding.rule),
        None => Ok(()),
    }
}

/// What was fixed, and what can be.
fn write_fixes(report: &Report, fixed: Option<usize>, out: &mut dyn WriteColor) -> io::Result<()> {
    let text = super::fixes_in_words(report, fixed);
    if text.is_empty() { Ok(()) } else { writeln!(out, "{text}") }
}

/// The lines of the sources that one finding needs, cleaned and cut.
#[derive(Default)]
struct Excerpt {
    files: Vec<(FileId, FileExcerpt)>,
}

#[derive(Default)]
struct FileExcerpt {
    name: String,
    text: String,
    /// Line index in the file → where the line stands in `text`, and where it was cut.
    lines: BTreeMap<usize, Line>,
    /// Start of a label in `text` → its column in the file.
    columns: Vec<(usize, usize)>,
}

#[derive(Clone)]
struct Line {
    /// In the excerpt's text.
    range: Range<usize>,
    /// In the file: byte offset of each character that is shown, then of the end; and where it stands in the text.
    offsets: Vec<(u32, usize)>,
}

impl Excerpt {
    /// Makes sure that a label's line is there. Gives the label's range in the excerpt's text.
    fn add(&mut self, places: &Places<'_>, place: &Place, all: &[Place], width: usize) -> (usize, Range<usize>) {
        let id = place.span.file;
        let index = self.files.iter().position(|(file, _)| *file == id).unwrap_or_else(|| {
            let name = plain(places.sources().file(id).path()).into_owned();
            self.files.push((id, FileExcerpt { name, ..FileExcerpt::default() }));
            self.files.len() - 1
        });
        let Some((_, file)) = self.files.get_mut(index) else { return (index, 0..0) };
        let line_index = place.line as usize - 1;
        if !file.lines.contains_key(&line_index) {
            // The window is laid around the first label that the line has, as the finding orders them.
            let focus = all.iter().find(|other| other.span.file == id && other.line == place.line).unwrap_or(place);
            file.push_line(places, id, line_index, focus.span.start, width);
        }
        let Some(line) = file.lines.get(&line_index) else { return (index, 0..0) };
        let range = line.position(place.span.start)..line.position(place.span.end);
        file.columns.push((range.start, place.column as usize));
        (index, range)
    }

    /// codespan shows the single line between two labelled ones; so it must be there.
    fn fill_gaps(&mut self, places: &Places<'_>, width: usize) {
        for (id, file) in &mut self.files {
            let gaps: Vec<usize> = file
                .lines
                .keys()
                .zip(file.lines.keys().skip(1))
                .filter(|(before, after)| *after - *before == 2)
                .map(|(before, _)| before + 1)
                .collect();
            for gap in gaps {
                let start = places.sources().file(*id).line_starts().get(gap).copied().unwrap_or(0);
                file.push_line(places, *id, gap, start, width);
            }
        }
    }

    /// Columns before a position of an excerpt's line.
    fn display_column(&self, file: usize, at: usize) -> usize {
        let Some((_, file)) = self.files.get(file) else { return 0 };
        let start = file.lines.values().find(|line| line.range.contains(&at)).map_or(0, |line| line.range.start);
        file.text.get(start..at).map_or(0, |text| text.chars().count())
    }

    fn file(&self, id: usize) -> Result<&FileExcerpt, Error> {
        self.files.get(id).map(|(_, file)| file).ok_or(Error::FileMissing)
    }
}

impl FileExcerpt {
    /// Adds a line, or the window of it that holds `focus`.
    fn push_line(&mut self, places: &Places<'_>, id: FileId, index: usize, focus: u32, width: usize) {
        let source = places.sources().file(id);
        let line = source.line_text(index);
        let line_start = source.line_starts().get(index).map_or(0, |&start| start as usize);
        let focus = (focus as usize).saturating_sub(line_start).min(line.len());
        // What is shown takes at most `width` columns; look no further than that from the focus.
        let before = line.get(..focus).unwrap_or("");
        let fits = line.len() <= width * 4 && line.chars().map(columns).sum::<usize>() <= width;
        let from = if fits {
            0
        } else {
            // A quarter of the window stands before the label, unless the line ends sooner.
            let mut room = width / 4;
            let mut from = before.len();
            for (at, c) in before.char_indices().rev() {
                let Some(left) = room.checked_sub(columns(c)) else { break };
                room = left;
                from = at;
            }
            from
        };
        let text_start = self.text.len();
        let mut offsets = Vec::new();
        let mut used = 0;
        if from > 0 {
            self.text.push('…');
            used += 1;
        }
        let mut end = line.len();
        for (at, c) in line.get(from..).unwrap_or("").char_indices() {
            if !fits && used + columns(c) >= width {
                end = from + at;
                break;
            }
            offsets.push(((line_start + from + at) as u32, self.text.len()));
            used += columns(c);
            if c == '\t' {
                self.text.extend(std::iter::repeat_n(' ', TAB));
            } else {
                let mut buffer = [0; 4];
                self.text.push_str(&plain(c.encode_utf8(&mut buffer)));
            }
        }
        offsets.push(((line_start + end) as u32, self.text.len()));
        if end < line.len() {
            self.text.push('…');
        }
        // A comment in a file must not speak to a workflow's runner; a bracket less is the smaller evil.
        if let Some(shown) = self.text.get(text_start..).filter(|shown| shown.contains("##[")) {
            let quiet = shown.replace("##[", "##(");
            self.text.truncate(text_start);
            self.text.push_str(&quiet);
        }
        self.lines.insert(index, Line { range: text_start..self.text.len(), offsets });
        self.text.push('\n');
    }
}

/// Columns that a character takes. Wide characters count as two, for the width of the window only.
fn columns(c: char) -> usize {
    match c {
        '\t' => TAB,
        '\u{1100}'.. => 2,
        _ => 1,
    }
}

impl Line {
    /// Where a byte of the file stands in the excerpt's text; what was cut off stands at the cut.
    fn position(&self, offset: u32) -> usize {
        let at = self.offsets.partition_point(|(byte, _)| *byte < offset);
        self.offsets.get(at).or(self.offsets.last()).map_or(self.range.start, |(_, position)| *position)
    }
}

impl<'a> Files<'a> for Excerpt {
    type FileId = usize;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.file(id)?.name)
    }

    fn source(&'a self, id: usize) -> Result<&'a str, Error> {
        Ok(&self.file(id)?.text)
    }

    fn line_index(&'a self, id: usize, byte: usize) -> Result<usize, Error> {
        self.file(id)?
            .lines
            .iter()
            .find(|(_, line)| line.range.start <= byte && byte <= line.range.end)
            .map(|(&index, _)| index)
            .ok_or(Error::IndexTooLarge { given: byte, max: 0 })
    }

    fn column_number(&'a self, id: usize, _line: usize, byte: usize) -> Result<usize, Error> {
        let file = self.file(id)?;
        Ok(file.columns.iter().find(|(start, _)| *start == byte).map_or(1, |(_, column)| *column))
    }

    fn line_range(&'a self, id: usize, index: usize) -> Result<Range<usize>, Error> {
        let file = self.file(id)?;
        file.lines
            .get(&index)
            .map(|line| line.range.clone())
            .ok_or(Error::LineTooLarge { given: index, max: file.lines.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_wrapped_between_words() {
        assert_eq!(wrap("a bb ccc dddd", 6), ["a bb", "ccc", "dddd"]);
        assert_eq!(wrap("", 6), [""]);
        assert_eq!(wrap("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(wrap("look ::error::x", 6), ["look", ": :error::x"], "no line starts with a command");
    }
}
