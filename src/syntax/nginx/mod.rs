//! nginx configuration: text → tree and errors.
//!
//! The grammar (`grammar/nginx.pest`) says what the tokens are: words, `;`, `{`, `}`, comments and template tags, as
//! `ngx_conf_read_token` of nginx 1.22.1 has them. Those that bytes alone tell are cut without it (`plain.rs`). A builder
//! with an explicit stack makes the tree; bodies of `*_by_lua_block` (OpenResty) are raw text. A tree is an arena:
//! nothing recurses, whatever the depth.
//!
//! The text is read as nginx reads it first. Only when that shows the structure to be broken, it is read again with
//! guesses about what the author meant (`recover.rs`), so that no guess ever accuses a file that nginx would take.

mod build;
mod lex;
mod looks;
mod lua;
mod names;
mod plain;
mod recover;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::{Parsed, SyntaxError};
pub use looks::Looks;

/// A word as it stands in the text, quotes included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Word {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Word {
    /// The word as it is written: quotes, backslashes and variables included.
    #[must_use]
    pub fn raw(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// One directive of a [`Tree`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId(u32);

/// One directive (or one `key value;` entry of `map`, `types`, `geo` …).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Node {
    first_word: u32,
    word_count: u32,
    /// First byte of the first word.
    pub start: u32,
    /// One past the `;` or `}` (or past the last word, where that is missing).
    pub end: u32,
    /// The node after the last one inside this one.
    next: u32,
    brace: Brace,
}

impl Node {
    /// What follows its words.
    #[inline]
    #[must_use]
    pub const fn body(&self) -> Body {
        let open = self.brace.0 & Brace::OFFSET;
        match self.brace.0 & !Brace::OFFSET {
            _ if self.brace.0 == Brace::NONE.0 => Body::None,
            Brace::CLOSED => Body::Block { open, close: Some(self.end - 1) },
            Brace::UNCLOSED => Body::Block { open, close: None },
            Brace::RAW => Body::Raw { open, close: self.end - 1 },
            _ => Body::Raw { open, close: self.end },
        }
    }
}

/// A [`Body`] in four bytes instead of twelve, since there are many: the offset of `{`, and in the two highest bits, which
/// no offset reaches (`limits::MAX_FILE_BYTES`), what it opens and whether the directive's last byte closes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Brace(u32);

impl Brace {
    const NONE: Self = Self(u32::MAX);
    const OFFSET: u32 = (1 << 30) - 1;
    const CLOSED: u32 = 0;
    const UNCLOSED: u32 = 1 << 30;
    const RAW: u32 = 2 << 30;
    const RAW_TO_END: u32 = 3 << 30;

    /// `end` is where the directive ends.
    const fn of(body: Body, end: u32) -> Self {
        match body {
            Body::None => Self::NONE,
            Body::Block { open, close: Some(_) } => Self(open | Self::CLOSED),
            Body::Block { open, close: None } => Self(open | Self::UNCLOSED),
            Body::Raw { open, close } if close < end => Self(open | Self::RAW),
            Body::Raw { open, .. } => Self(open | Self::RAW_TO_END),
        }
    }
}

/// An offset has to fit below the two bits.
const _: () = assert!(super::limits::MAX_FILE_BYTES < Brace::OFFSET as u64);

/// What follows the words of a directive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// A `;`.
    None,
    /// A block of directives.
    Block {
        /// Offset of `{`.
        open: u32,
        /// Offset of `}`; none when nothing closes the block.
        close: Option<u32>,
    },
    /// Text that is not nginx's: Lua.
    Raw {
        /// Offset of `{`.
        open: u32,
        /// Offset of `}`, or of the end of the text when nothing closes it.
        close: u32,
    },
}

/// All directives of a file, each before the ones inside it.
#[derive(Debug, Default)]
pub struct Tree {
    words: Vec<Word>,
    nodes: Vec<Node>,
    /// What the words of each node hold.
    looks: Vec<Looks>,
    /// Starts of the words that hold a template tag, rising.
    holes: Vec<u32>,
    /// Blocks into which a template brings text that stands elsewhere: index of the block and one, 0 for the file itself;
    /// rising, each once.
    gaps: Vec<u32>,
}

/// What an id of another tree stands for.
const NOTHING: Node = Node { first_word: 0, word_count: 0, start: 0, end: 0, next: 0, brace: Brace::NONE };

impl Tree {
    /// The directives at the top of the file.
    #[must_use]
    pub fn roots(&self) -> Children<'_> {
        Children { tree: self, at: 0, end: index(self.nodes.len()) }
    }

    /// The directives directly inside a block.
    #[must_use]
    pub fn children(&self, id: NodeId) -> Children<'_> {
        Children { tree: self, at: id.0.saturating_add(1), end: self.node(id).next }
    }

    /// One directive.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&NOTHING)
    }

    /// All directives, each before the ones inside it: in the order in which they begin.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The words of a directive, its name first. Empty for a block without a name.
    #[must_use]
    pub fn words(&self, id: NodeId) -> &[Word] {
        let node = self.node(id);
        let first = node.first_word as usize;
        self.words.get(first..first + node.word_count as usize).unwrap_or_default()
    }

    /// The name of a directive, decoded; empty for a block without a name.
    #[must_use]
    pub fn name<'a>(&self, id: NodeId, text: &'a str) -> Cow<'a, str> {
        self.words(id).first().map_or(Cow::Borrowed(""), |word| self.word(*word, text))
    }

    /// The value of a word: without its quotes, escapes decoded as nginx does (`\"`, `\'`, `\\`, `\t`, `\r`, `\n`; any
    /// other backslash stays, for regular expressions). Variables stay as they are written.
    #[must_use]
    pub fn word<'a>(&self, word: Word, text: &'a str) -> Cow<'a, str> {
        decode(word.raw(text))
    }

    /// The value of a word as it stands in a text; see [`Tree::word`].
    #[must_use]
    pub fn value(raw: &str) -> String {
        decode(raw).into_owned()
    }

    /// What stands somewhere in the words of a directive.
    #[must_use]
    pub fn looks(&self, id: NodeId) -> Looks {
        self.looks.get(id.0 as usize).copied().unwrap_or(Looks::ANY)
    }

    /// Whether a template fills in words of this file.
    #[must_use]
    pub fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Whether the word stands in quotes.
    #[must_use]
    pub fn is_quoted(&self, word: Word, text: &str) -> bool {
        word.raw(text).starts_with(['"', '\''])
    }

    /// Whether a template will put something into this word, so that its value is not known.
    #[must_use]
    pub fn has_hole(&self, word: Word) -> bool {
        self.holes.binary_search(&word.start).is_ok()
    }

    /// Whether a template brings directives from elsewhere into a block (the top of the file if none).
    #[must_use]
    pub fn has_gap(&self, block: Option<NodeId>) -> bool {
        self.gaps.binary_search(&block.map_or(0, |id| id.0 + 1)).is_ok()
    }

    /// How many directives there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}

/// The directives at one level, in the order of the text.
#[derive(Clone, Debug)]
pub struct Children<'a> {
    tree: &'a Tree,
    at: u32,
    end: u32,
}

impl Iterator for Children<'_> {
    type Item = NodeId;

    fn next(&mut self) -> Option<NodeId> {
        if self.at >= self.end {
            return None;
        }
        let id = NodeId(self.at);
        self.at = self.tree.node(id).next.max(self.at + 1);
        Some(id)
    }
}

/// Reads a configuration. Never fails: what cannot be read is in the errors, and the rest in the tree.
#[must_use]
pub fn parse(text: &str) -> Parsed<Tree> {
    if text.len() as u64 > super::limits::MAX_FILE_BYTES {
        let error = SyntaxError {
            mend: None,
            message: "this file is too large to be read".into(),
            at: 0..0,
            label: format!("{} bytes", text.len()),
            others: Vec::new(),
            help: None,
        };
        return Parsed { errors: vec![error], ..Parsed::default() };
    }
    let mut parsed = build::parse(text);
    for tree in std::iter::once(&mut parsed.tree).chain(parsed.others.iter_mut().map(|other| &mut other.tree)) {
        tree.looks = looks::look(text, &tree.nodes, &tree.words);
        // Thousands of trees are kept at once. To shrink a list would not do: the allocator leaves it where it is, with
        // its room, unless less than half of that is used.
        (tree.words, tree.nodes) = (exact(&tree.words), exact(&tree.nodes));
        tree.gaps.sort_unstable();
        tree.gaps.dedup();
    }
    parsed
}

/// The same list with room for no more.
fn exact<T: Copy>(list: &[T]) -> Vec<T> {
    list.to_vec()
}

/// An offset or index as it is stored. Files are smaller than 4 GiB (`limits::MAX_FILE_BYTES`), so nothing is cut.
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A word's value from its raw text; see [`Tree::word`].
fn decode(raw: &str) -> Cow<'_, str> {
    let inner = match raw.as_bytes().first() {
        Some(&quote @ (b'"' | b'\'')) => {
            let inner = raw.get(1..).unwrap_or_default();
            inner.strip_suffix(char::from(quote)).unwrap_or(inner)
        }
        _ => raw,
    };
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(char) = chars.next() {
        let decoded = match (char, chars.peek()) {
            ('\\', Some(next @ ('"' | '\'' | '\\'))) => *next,
            ('\\', Some('t')) => '\t',
            ('\\', Some('r')) => '\r',
            ('\\', Some('n')) => '\n',
            _ => {
                value.push(char);
                continue;
            }
        };
        value.push(decoded);
        chars.next();
    }
    Cow::Owned(value)
}
