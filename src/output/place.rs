//! Where a label stands, in the units that readers count. The only place that turns offsets into lines and columns
//! for output, so that all formats agree.

use crate::source::{FileId, SourceMap, Span};
use std::cell::RefCell;
use std::collections::HashMap;

/// A label's place. Always within one line: of a whole block its first line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What is underlined: clipped to the file, to one line, and to text.
    pub span: Span,
    /// Line, from 1.
    pub line: u32,
    /// First column in characters, from 1.
    pub column: u32,
    /// Column behind the last, in characters.
    pub end_column: u32,
    /// First column in UTF-16 code units, from 1.
    pub utf16: u32,
    /// Column behind the last, in UTF-16 code units.
    pub end_utf16: u32,
}

/// A line longer than this (bytes) is counted once, with marks to start from; many findings in one line of a
/// hundred megabytes would otherwise cost hours.
const LONG_LINE: usize = 8 * 1024;

/// Distance between two marks in a long line, in bytes.
const STEP: usize = 4 * 1024;

/// A point in a long line: byte offset in the file, characters and UTF-16 units before it.
#[derive(Clone, Copy)]
struct Mark {
    offset: usize,
    characters: u32,
    utf16: u32,
}

/// Finds places in the files of a report.
pub struct Places<'a> {
    sources: &'a SourceMap,
    long: RefCell<HashMap<(FileId, usize), Vec<Mark>>>,
}

impl<'a> Places<'a> {
    /// Places in these files.
    pub fn new(sources: &'a SourceMap) -> Self {
        Self { sources, long: RefCell::default() }
    }

    /// The files.
    pub fn sources(&self) -> &'a SourceMap {
        self.sources
    }

    /// Where a label is to be shown.
    pub fn of(&self, span: Span) -> Place {
        let span = self.shown(span);
        let file = self.sources.file(span.file);
        let line = file.line_index(span.start);
        let from = self.columns(span.file, line, span.start as usize);
        let to = if span.end == span.start { from } else { self.columns(span.file, line, span.end as usize) };
        Place {
            span,
            line: line as u32 + 1,
            column: from.0 + 1,
            end_column: to.0 + 1,
            utf16: from.1 + 1,
            end_utf16: to.1 + 1,
        }
    }

    /// Where a span begins and ends, letter by letter: line, column in characters, column in UTF-16 units, from 1.
    pub fn ends(&self, span: Span) -> [(u32, u32, u32); 2] {
        [span.start, span.end].map(|offset| {
            let line = self.sources.file(span.file).line_index(offset);
            let (characters, utf16) = self.columns(span.file, line, offset as usize);
            (line as u32 + 1, characters + 1, utf16 + 1)
        })
    }

    /// The part of a span that is underlined: its first line that holds something, without blanks at its ends.
    fn shown(&self, span: Span) -> Span {
        let text = self.sources.file(span.file).text();
        let boundary = |mut offset: usize| {
            offset = offset.min(text.len());
            while !text.is_char_boundary(offset) {
                offset -= 1;
            }
            offset
        };
        let start = boundary(span.start as usize);
        let end = boundary((span.end as usize).max(start));
        let slice = text.get(start..end).unwrap_or("");
        let body = slice.trim_start();
        if body.is_empty() {
            // Nothing but blanks: a point. Behind the end of a line the point is that end, and at the end of the file
            // it is the last line that holds something.
            let before = text.get(..start).unwrap_or("");
            let at = if slice.is_empty() && before.ends_with('\n') && start == text.len() {
                before.trim_end_matches(['\n', '\r']).len()
            } else {
                start
            };
            return Span::new(span.file, at as u32, at as u32);
        }
        let start = start + (slice.len() - body.len());
        let first = body.find(['\n', '\r']).map_or(body, |end| &body[..end]).trim_end();
        Span::new(span.file, start as u32, (start + first.len()) as u32)
    }

    /// Characters and UTF-16 units of a line before an offset.
    fn columns(&self, file: FileId, line: usize, offset: usize) -> (u32, u32) {
        let source = self.sources.file(file);
        let text = source.text();
        let start = source.line_starts().get(line).map_or(0, |&start| start as usize);
        if offset.saturating_sub(start) <= LONG_LINE {
            return count(text.get(start..offset).unwrap_or(""));
        }
        let mut long = self.long.borrow_mut();
        let marks =
            long.entry((file, line)).or_insert_with(|| marks(text, start, start + source.line_text(line).len()));
        let after = marks.partition_point(|mark| mark.offset <= offset);
        let Some(mark) = after.checked_sub(1).and_then(|at| marks.get(at)) else {
            return count(text.get(start..offset).unwrap_or(""));
        };
        let (characters, utf16) = count(text.get(mark.offset..offset).unwrap_or(""));
        (mark.characters + characters, mark.utf16 + utf16)
    }
}

fn count(text: &str) -> (u32, u32) {
    if text.is_ascii() {
        return (text.len() as u32, text.len() as u32);
    }
    text.chars().fold((0, 0), |(characters, utf16), c| (characters + 1, utf16 + c.len_utf16() as u32))
}

fn marks(text: &str, start: usize, end: usize) -> Vec<Mark> {
    let mut mark = Mark { offset: start, characters: 0, utf16: 0 };
    let mut marks = vec![mark];
    while mark.offset + STEP < end {
        let mut next = mark.offset + STEP;
        while !text.is_char_boundary(next) {
            next -= 1;
        }
        let (characters, utf16) = count(text.get(mark.offset..next).unwrap_or(""));
        mark = Mark { offset: next, characters: mark.characters + characters, utf16: mark.utf16 + utf16 };
        marks.push(mark);
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    fn place(text: &str, start: u32, end: u32) -> (u32, u32, u32, u32) {
        let mut sources = SourceMap::default();
        let file = sources.add(SourceFile::new("a", text.as_bytes().to_vec()));
        let place = Places::new(&sources).of(Span::new(file, start, end));
        (place.line, place.column, place.end_column, place.end_utf16)
    }

    #[test]
    fn a_block_is_its_first_line() {
        assert_eq!(place("a\nserver {\n  x;\n}\n", 2, 16), (2, 1, 9, 9));
        assert_eq!(place("a\r\nserver {\r\n}\r\n", 3, 14), (2, 1, 9, 9));
        assert_eq!(place("a;\n  b;\n", 2, 7), (2, 3, 5, 5), "blanks in front are passed over");
    }

    #[test]
    fn points_and_nonsense_have_a_place() {
        assert_eq!(place("", 0, 0), (1, 1, 1, 1));
        assert_eq!(place("", 7, 3), (1, 1, 1, 1));
        assert_eq!(place("ab\n", 3, 3), (1, 3, 3, 3), "the end of the file is the end of its last line");
        assert_eq!(place("ab\ncd", 2, 3), (1, 3, 3, 3));
        assert_eq!(place("é", 1, 99), (1, 1, 2, 2), "inside a character");
        assert_eq!(place("😀x", 4, 5), (1, 2, 3, 4));
    }

    #[test]
    fn long_lines_are_counted_from_marks() {
        let text = "é".repeat(30_000);
        for at in [0, 8192, 8194, 40_000, 59_998] {
            assert_eq!(place(&text, at, at + 2).1, at / 2 + 1);
        }
    }
}
