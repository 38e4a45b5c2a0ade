//! Files, spans and sites: where everything that is said of a configuration stands.
//!
//! Layer 0. Knows no dialect and does no IO: a [`SourceMap`] holds text that was handed in.

use std::borrow::Cow;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

/// One file of a [`SourceMap`]. Opaque: a path is only to be had from the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

impl FileId {
    /// The id with this running number. Only a [`SourceMap`] gives out numbers that mean a file.
    #[must_use]
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The running number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A half-open byte range in one file. "No position" is `Option<Span>`, never an empty span at 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from two byte offsets.
    #[must_use]
    pub const fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end }
    }

    /// The smallest span of one file that holds both. The other one is ignored when it stands in another file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file != other.file {
            return self;
        }
        Self::new(self.file, self.start.min(other.start), self.end.max(other.end))
    }
}

/// One use of an include: which directive pulled a file in. The same file may be included many times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncludeId(NonZeroU32);

/// A span, and the include through which it was reached (none in a main file).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// Where the text stands.
    pub span: Span,
    /// Which use of the file is meant.
    pub via: Option<IncludeId>,
}

impl Site {
    /// A site in a file that nothing includes.
    #[must_use]
    pub const fn direct(span: Span) -> Self {
        Self { span, via: None }
    }
}

/// What stands behind an [`IncludeId`].
#[derive(Clone, Copy, Debug)]
pub struct Include {
    /// The include directive; its own `via` leads outwards.
    pub at: Site,
    /// The included file.
    pub file: FileId,
}

/// The text of one file with its line starts.
#[derive(Debug)]
pub struct SourceFile {
    path: Box<str>,
    text: Box<str>,
    lossy: bool,
    lines: OnceLock<Vec<u32>>,
}

/// Line and column, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in the unit asked for.
    pub column: u32,
}

impl SourceFile {
    /// A file. `bytes` may hold anything; what is not UTF-8 is replaced at equal length.
    #[must_use]
    pub fn new(path: impl Into<Box<str>>, bytes: Vec<u8>) -> Self {
        let (text, lossy) = text_of(bytes);
        Self { path: path.into(), text: text.into_boxed_str(), lossy, lines: OnceLock::new() }
    }

    /// The same file with another text.
    #[must_use]
    pub fn with_text(&self, text: String) -> Self {
        Self { path: self.path.clone(), text: text.into_boxed_str(), lossy: self.lossy, lines: OnceLock::new() }
    }

    /// The path as shown to people: relative to the root, forward slashes.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text. Bytes that were not UTF-8 have been replaced at equal length, so offsets are those of the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the file held bytes that are not UTF-8.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        self.lossy
    }

    /// Byte offsets at which lines start.
    #[must_use]
    pub fn line_starts(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|i| i as u32 + 1)).collect()
        })
    }

    /// Index (from 0) of the line that holds a byte offset.
    #[must_use]
    pub fn line_index(&self, offset: u32) -> usize {
        self.line_starts().partition_point(|&start| start <= offset).saturating_sub(1)
    }

    /// Text of a line without its end; empty for a line that is not there.
    #[must_use]
    pub fn line_text(&self, index: usize) -> &str {
        let starts = self.line_starts();
        let Some(&start) = starts.get(index) else { return "" };
        let end = starts.get(index + 1).map_or(self.text.len(), |&next| next as usize);
        let line = self.text.get(start as usize..end).unwrap_or("");
        line.trim_end_matches(['\n', '\r'])
    }

    fn column_slice(&self, offset: u32) -> (usize, &str) {
        let offset = (offset as usize).min(self.text.len());
        let line = self.line_index(offset as u32);
        let start = self.line_starts().get(line).copied().unwrap_or(0) as usize;
        let mut end = offset;
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        (line, self.text.get(start..end).unwrap_or(""))
    }

    /// Line and column in Unicode characters: what a person counts.
    #[must_use]
    pub fn position(&self, offset: u32) -> LineColumn {
        let (line, before) = self.column_slice(offset);
        LineColumn { line: line as u32 + 1, column: before.chars().count() as u32 + 1 }
    }

    /// Line and column in UTF-16 code units: what SARIF viewers and editors count.
    #[must_use]
    pub fn position_utf16(&self, offset: u32) -> LineColumn {
        let (line, before) = self.column_slice(offset);
        LineColumn { line: line as u32 + 1, column: before.encode_utf16().count() as u32 + 1 }
    }
}

/// All files of one run, and every use of an include.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<Arc<SourceFile>>,
    includes: Vec<Include>,
}

impl SourceMap {
    /// Adds a file.
    pub fn add(&mut self, file: SourceFile) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files.push(Arc::new(file));
        id
    }

    /// A file to hold on to while the map grows.
    ///
    /// # Panics
    /// When the id was given out by another map.
    #[must_use]
    pub fn share(&self, id: FileId) -> Arc<SourceFile> {
        Arc::clone(&self.files[id.index()])
    }

    /// A file.
    ///
    /// # Panics
    /// When the id was given out by another map.
    #[must_use]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.index()]
    }

    /// All files with their ids, in the order in which they were added.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(i as u32), &**f))
    }

    /// The text of a span; empty where the span does not fit the file.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text().get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Notes one use of an include.
    pub fn include(&mut self, at: Site, file: FileId) -> IncludeId {
        self.includes.push(Include { at, file });
        // Not zero: one was just put in.
        IncludeId(NonZeroU32::new(self.includes.len() as u32).unwrap_or(NonZeroU32::MAX))
    }

    /// How often each file is included.
    #[must_use]
    pub fn times_included(&self) -> HashMap<FileId, usize> {
        let mut times = HashMap::new();
        for include in &self.includes {
            *times.entry(include.file).or_default() += 1;
        }
        times
    }

    /// What stands behind an include id.
    ///
    /// # Panics
    /// When the id was given out by another map.
    #[must_use]
    pub fn include_at(&self, id: IncludeId) -> Include {
        self.includes[id.0.get() as usize - 1]
    }

    /// All uses of includes.
    pub fn includes(&self) -> impl ExactSizeIterator<Item = &Include> {
        self.includes.iter()
    }

    /// The chain of include directives that led to a site, innermost first.
    pub fn include_chain(&self, site: Site) -> impl Iterator<Item = Include> + '_ {
        std::iter::successors(site.via, |&id| self.include_at(id).at.via).map(|id| self.include_at(id))
    }
}

/// Turns bytes into text of the same length, so that offsets stay true: each byte that is not part of valid UTF-8
/// becomes `?`.
fn text_of(bytes: Vec<u8>) -> (String, bool) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => {
            let bytes = error.into_bytes();
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|_| '?'));
            }
            (text, true)
        }
    }
}

/// Makes text from a file fit to be shown on one line of a terminal or a log: control characters, bidirectional
/// overrides, zero-width characters and letters that nobody sees (tags, U+E0000 and on) are replaced by a visible stand-in
/// of one character.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    // Nearly every text is plain ASCII, which is seen many bytes at a time.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) || text.chars().all(|c| !is_hostile(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if is_hostile(c) { stand_in(c) } else { c }).collect())
}

/// Whether a character must not reach a terminal or a workflow log raw (line ends and tabs included).
#[must_use]
pub fn is_hostile(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

fn stand_in(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => ' ',
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        _ => '\u{fffd}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_bytes_keep_every_offset() {
        let mut map = SourceMap::default();
        let id = map.add(SourceFile::new("a", b"a \xff\xfe \xc3\xa9 b".to_vec()));
        let file = map.file(id);
        assert!(file.is_lossy());
        assert_eq!(file.text(), "a ?? é b");
        assert_eq!(file.text().len(), 9);
    }

    #[test]
    fn columns_count_characters_and_utf16() {
        let mut map = SourceMap::default();
        let id = map.add(SourceFile::new("a", "x\n😀é;".as_bytes().to_vec()));
        let file = map.file(id);
        let semicolon = file.text().find(';').unwrap_or(0) as u32;
        assert_eq!(file.position(semicolon), LineColumn { line: 2, column: 3 });
        assert_eq!(file.position_utf16(semicolon), LineColumn { line: 2, column: 4 });
        assert_eq!(file.line_text(1), "😀é;");
    }

    #[test]
    fn control_characters_are_made_visible() {
        assert_eq!(clean("a\u{1b}[31mb\n::error"), "a␛[31mb ::error");
        assert_eq!(clean("plain"), "plain");
        assert_eq!(clean("\u{202e}"), "\u{fffd}");
        assert_eq!(clean("a\u{ad}\u{180e}\u{e0041}\u{e007f}b"), "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b", "unseen letters");
        assert_eq!(clean("\u{2764}\u{fe0f}é"), "\u{2764}\u{fe0f}é");
    }
}
