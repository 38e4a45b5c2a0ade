//! HAProxy: text → lines, sections and conditional blocks.
//!
//! Facts are those of section 2 of the configuration manual (2.2 to 3.5), checked against `haproxy -c` 2.6.12 and the
//! source of `parse_line()` and `parse_cfg()`.
//!
//! The pest grammar only cuts words; the builder makes the arena. All positions are byte offsets into the text that
//! was given to [`parse`].

mod build;
mod decode;
mod lex;
mod plain;
mod tags;

use std::num::NonZeroU32;
use std::ops::Range;

pub use decode::Decoded;

use crate::syntax::Parsed;

/// Most words that HAProxy reads on one line (`MAX_LINE_ARGS`); a longer line is refused.
pub const MAX_WORDS: u32 = 64;

/// Deepest nesting of `.if` that HAProxy follows (`MAXNESTEDCONDS` is one more).
pub const MAX_CONDITIONS: usize = 99;

/// Reads a configuration file. Never fails: what could not be read is in `errors`, the rest in `tree`.
#[must_use]
pub fn parse(text: &str) -> Parsed<Tree> {
    let mut parsed = build::parse(text);
    parsed.tree.words.shrink_to_fit();
    parsed.tree.far_words.shrink_to_fit();
    parsed.tree.lines.shrink_to_fit();
    parsed
}

/// One word as written, with its quotes and escapes. [`Tree::decode`] resolves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Word {
    /// The byte range.
    #[must_use]
    pub const fn range(self) -> Range<u32> {
        self.start..self.end
    }
}

/// A word by its place in its line: half the size, and a file has very many.
#[derive(Clone, Copy, Debug)]
struct Near {
    from: u16,
    length: u16,
}

/// The words of a line, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Words<'t> {
    /// Where the line starts.
    start: u32,
    near: &'t [Near],
    /// Those of a line that is too long for the others.
    far: &'t [Word],
}

impl<'t> Words<'t> {
    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.near.len() + self.far.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// One of them.
    #[must_use]
    pub fn get(self, index: usize) -> Option<Word> {
        let near = |near: &Near| {
            let start = self.start + u32::from(near.from);
            Word { start, end: start + u32::from(near.length) }
        };
        self.near.get(index).map(near).or_else(|| self.far.get(index).copied())
    }

    /// The keyword.
    #[must_use]
    pub fn first(self) -> Option<Word> {
        self.get(0)
    }

    /// All of them.
    #[must_use]
    pub const fn iter(self) -> WordIter<'t> {
        WordIter { words: self, next: 0 }
    }
}

impl<'t> IntoIterator for Words<'t> {
    type Item = Word;
    type IntoIter = WordIter<'t>;

    fn into_iter(self) -> WordIter<'t> {
        self.iter()
    }
}

/// The words of a line, one after the other.
#[derive(Clone, Debug)]
pub struct WordIter<'t> {
    words: Words<'t>,
    next: usize,
}

impl Iterator for WordIter<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let word = self.words.get(self.next)?;
        self.next += 1;
        Some(word)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.words.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for WordIter<'_> {}

/// A line of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(u32);

/// A section of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionId(NonZeroU32);

impl SectionId {
    /// The id of the one at an index. (Of 2³² of them the last two would be one: no file holds as many.)
    const fn new(index: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index as u32))
    }

    const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// One branch of an `.if` block of a [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionId(NonZeroU32);

impl ConditionId {
    /// The id of the one at an index. (Of 2³² of them the last two would be one: no file holds as many.)
    const fn new(index: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index as u32))
    }

    const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// A keyword with its arguments.
    Keyword,
    /// The line that opens a section.
    Header,
    /// `.if`
    If,
    /// `.elif`
    Elif,
    /// `.else`
    Else,
    /// `.endif`
    Endif,
    /// `.notice`
    Notice,
    /// `.warning`
    Warning,
    /// `.alert`
    Alert,
    /// `.diag`
    Diag,
    /// A scope, `[name]`, as in files of the SPOE filter; only its first word is kept.
    Scope,
    /// A line that HAProxy passes over because its first word is empty (`""`), or an unknown word with a dot.
    Ignored,
}

/// One line with at least one word. Empty lines and comments make none.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    first_word: u32,
    word_count: u8,
    /// First byte of the first word.
    pub start: u32,
    /// One past the last byte of the last word that was kept.
    pub end: u32,
    /// What it is.
    pub kind: LineKind,
    /// Whether a part of the line could not be read (an open quote, a bad variable, too many words): HAProxy refuses
    /// the whole line, so nothing can be said of words that are not there.
    pub broken: bool,
    /// Whether HAProxy reads each of its words as it is written: none holds a quote, a backslash or a template tag.
    pub written: bool,
    /// The section that it belongs to; a header belongs to its own section.
    pub section: Option<SectionId>,
    /// The innermost branch of an `.if` block that it stands in. The lines `.if`, `.elif`, `.else` and `.endif`
    /// stand where their block stands.
    pub condition: Option<ConditionId>,
}

impl Line {
    /// Whether its words have no room in 16 bits.
    const fn is_long(&self) -> bool {
        self.end - self.start > u16::MAX as u32
    }
}

/// The word that opens a section, 2.2 to 3.5 (as registered in the source of the releases).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // The names are HAProxy's own words.
pub enum SectionKeyword {
    Global,
    Defaults,
    Frontend,
    Backend,
    Listen,
    Peers,
    Resolvers,
    Mailers,
    Userlist,
    Cache,
    /// Until 3.2.
    Program,
    HttpErrors,
    Ring,
    FcgiApp,
    /// From 2.3.
    LogForward,
    /// From 3.0.
    CrtStore,
    /// From 3.1.
    Traces,
    /// From 3.1.
    LogProfile,
    /// From 3.2.
    Acme,
    /// From 3.4.
    Healthcheck,
    /// Only in builds with network namespaces.
    NamespaceList,
    /// Only in files of the SPOE filter, as are the next two.
    SpoeAgent,
    SpoeGroup,
    SpoeMessage,
}

impl SectionKeyword {
    /// All of them with the words that are written.
    pub const ALL: [(Self, &'static str); 24] = [
        (Self::Global, "global"),
        (Self::Defaults, "defaults"),
        (Self::Frontend, "frontend"),
        (Self::Backend, "backend"),
        (Self::Listen, "listen"),
        (Self::Peers, "peers"),
        (Self::Resolvers, "resolvers"),
        (Self::Mailers, "mailers"),
        (Self::Userlist, "userlist"),
        (Self::Cache, "cache"),
        (Self::Program, "program"),
        (Self::HttpErrors, "http-errors"),
        (Self::Ring, "ring"),
        (Self::FcgiApp, "fcgi-app"),
        (Self::LogForward, "log-forward"),
        (Self::CrtStore, "crt-store"),
        (Self::Traces, "traces"),
        (Self::LogProfile, "log-profile"),
        (Self::Acme, "acme"),
        (Self::Healthcheck, "healthcheck"),
        (Self::NamespaceList, "namespace_list"),
        (Self::SpoeAgent, "spoe-agent"),
        (Self::SpoeGroup, "spoe-group"),
        (Self::SpoeMessage, "spoe-message"),
    ];

    /// The section that a word opens. Words are case-sensitive and are never shortened.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, written)| *written == word).map(|&(keyword, _)| keyword)
    }

    /// The word that is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(keyword, _)| *keyword == self).map_or("", |&(_, word)| word)
    }

    /// Whether it is one of the four that hold proxies: `defaults`, `frontend`, `backend`, `listen`.
    #[must_use]
    pub const fn is_proxy(self) -> bool {
        matches!(self, Self::Defaults | Self::Frontend | Self::Backend | Self::Listen)
    }
}

/// One section: from its header to the next header or the end of the file.
#[derive(Clone, Debug)]
pub struct Section {
    /// Which kind.
    pub keyword: SectionKeyword,
    /// The line that opens it.
    pub header: LineId,
    /// The branch of an `.if` block that its header stands in.
    pub condition: Option<ConditionId>,
    lines: Range<u32>,
    name: Option<Word>,
    from: Option<Word>,
}

impl Section {
    /// The section's own name, if it has one.
    #[must_use]
    pub const fn name(&self) -> Option<Word> {
        self.name
    }

    /// The name behind `from` (2.4 and later): the `defaults` section that it starts from.
    #[must_use]
    pub const fn from(&self) -> Option<Word> {
        self.from
    }
}

/// One branch of an `.if` block.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// The `.if`, `.elif` or `.else` line that opens the branch.
    pub line: LineId,
    /// The branch around the block.
    pub parent: Option<ConditionId>,
    /// Running number of the block: branches of one chain exclude each other.
    pub chain: u32,
    /// Running number of the branch in its block, from 0.
    pub branch: u32,
}

/// A configuration file as an arena.
#[derive(Debug, Default)]
pub struct Tree {
    words: Vec<Near>,
    /// The words of lines of more than 64 KiB.
    far_words: Vec<Word>,
    lines: Vec<Line>,
    sections: Vec<Section>,
    conditions: Vec<Condition>,
    /// Template tags, in the order of the text.
    tags: Vec<Range<u32>>,
}

impl Tree {
    /// All sections in the order of the text.
    pub fn sections(&self) -> impl ExactSizeIterator<Item = (SectionId, &Section)> {
        self.sections.iter().enumerate().map(|(index, section)| (SectionId::new(index), section))
    }

    /// All lines in the order of the text, of every kind.
    pub fn lines(&self) -> impl Iterator<Item = (LineId, &Line)> {
        (0..).map(LineId).zip(&self.lines)
    }

    /// The keyword lines of a section, in the order of the text, those in `.if` blocks included.
    pub fn lines_of(&self, section: SectionId) -> impl Iterator<Item = (LineId, &Line)> {
        let range = self.sections.get(section.index()).map_or(0..0, |section| section.lines.clone());
        range
            .filter_map(|index| Some((LineId(index), self.lines.get(index as usize)?)))
            .filter(|(_, line)| line.kind == LineKind::Keyword)
    }

    /// The keyword lines before the first section: HAProxy knows no keyword there.
    pub fn lines_outside(&self) -> impl Iterator<Item = (LineId, &Line)> {
        self.lines().take_while(|(_, line)| line.section.is_none()).filter(|(_, line)| line.kind == LineKind::Keyword)
    }

    /// A section.
    ///
    /// # Panics
    /// When the id was given out by another tree.
    #[must_use]
    pub fn section(&self, id: SectionId) -> &Section {
        &self.sections[id.index()]
    }

    /// A line.
    ///
    /// # Panics
    /// When the id was given out by another tree.
    #[must_use]
    pub fn line(&self, id: LineId) -> &Line {
        &self.lines[id.0 as usize]
    }

    /// A branch of an `.if` block.
    ///
    /// # Panics
    /// When the id was given out by another tree.
    #[must_use]
    pub fn condition(&self, id: ConditionId) -> &Condition {
        &self.conditions[id.index()]
    }

    /// The words of a line, the keyword first. At most [`MAX_WORDS`].
    ///
    /// # Panics
    /// When the id was given out by another tree.
    #[must_use]
    pub fn words(&self, id: LineId) -> Words<'_> {
        let line = self.line(id);
        let first = line.first_word as usize;
        let range = first..first + usize::from(line.word_count);
        let (near, far) = match line.is_long() {
            true => (&[][..], self.far_words.get(range).unwrap_or(&[])),
            false => (self.words.get(range).unwrap_or(&[]), &[][..]),
        };
        Words { start: line.start, near, far }
    }

    /// Whether a line and another can never be in force together, because they stand in two branches of one `.if`.
    #[must_use]
    pub fn exclude_each_other(&self, a: Option<ConditionId>, b: Option<ConditionId>) -> bool {
        self.around(a)
            .any(|(_, one)| self.around(b).any(|(_, other)| one.chain == other.chain && one.branch != other.branch))
    }

    /// The branches around a place, innermost first.
    pub fn around(&self, condition: Option<ConditionId>) -> impl Iterator<Item = (ConditionId, &Condition)> {
        std::iter::successors(condition, |&id| self.conditions.get(id.index())?.parent)
            .filter_map(|id| Some((id, self.conditions.get(id.index())?)))
    }

    /// Resolves quotes and escapes of a word. `text` is the text that was parsed.
    #[must_use]
    pub fn decode<'a>(&self, word: Word, text: &'a str) -> Decoded<'a> {
        let raw = text.get(word.start as usize..word.end as usize).unwrap_or("");
        decode::decode(raw, self.has_hole(word.range()))
    }

    /// Whether a byte range touches a template tag.
    #[must_use]
    pub fn has_hole(&self, range: Range<u32>) -> bool {
        let next = self.tags.partition_point(|tag| tag.end <= range.start);
        self.tags.get(next).is_some_and(|tag| tag.start < range.end)
    }

    /// Whether a line ends in a backslash, as if it went on in the next line. HAProxy has no line continuation: the
    /// backslash is (a part of) the last word, and the next line is a statement of its own.
    ///
    /// # Panics
    /// When the id was given out by another tree.
    #[must_use]
    pub fn ends_in_backslash(&self, id: LineId, text: &str) -> bool {
        let words = self.words(id);
        let Some(last) = words.len().checked_sub(1).and_then(|last| words.get(last)) else { return false };
        let raw = text.get(last.start as usize..last.end as usize).unwrap_or("");
        let line_goes_on = text.as_bytes().get(last.end as usize).is_some_and(|byte| !matches!(byte, b'\r' | b'\n'));
        !line_goes_on && raw.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
    }
}
