//! Text → tree and errors, one module per dialect. Layer 1: knows only `source`.
//!
//! A parser never fails: it gives back a tree *and* what it could not read. One bad statement never hides the
//! rest of the file. Trees are arenas of byte offsets into the file's text; nothing in them recurses, not even `Drop`.

mod branches;
#[cfg(test)]
mod dice;
pub mod haproxy;
pub mod holes;
pub mod ini;
pub mod limits;
pub mod nginx;
mod tags;
pub mod words;
pub mod yaml;

pub use branches::{Branch, Branches, template_yaml};

use std::ops::Range;

/// What a parser gives back: whatever tree there is, and what is wrong.
#[derive(Debug, Default)]
pub struct Parsed<T> {
    /// The tree, as much of it as could be read.
    pub tree: T,
    /// What is wrong, in the order of the text.
    pub errors: Vec<SyntaxError>,
    /// Comments that speak to this linter (`# gw502: …`), as byte ranges without the `#`.
    pub comments: Vec<Range<u32>>,
    /// Whether the text holds template tags (Jinja, ERB, Go templates …): then what is missing may come from the
    /// template, and structure is a guess.
    pub template: bool,
    /// Its branches and loops.
    pub branches: Option<Box<Branches>>,
    /// The same text with other branches of the template taken; what stands above is of the first ones.
    pub others: Vec<Reading<T>>,
}

/// A template read with some of its branches.
#[derive(Debug, Default)]
pub struct Reading<T> {
    /// As [`Parsed::tree`].
    pub tree: T,
    /// As [`Parsed::comments`].
    pub comments: Vec<Range<u32>>,
}

impl<T> Parsed<T> {
    /// In how many ways the text is to be read: one, but for a template with branches.
    #[must_use]
    pub fn readings(&self) -> usize {
        1 + self.others.len()
    }

    /// The tree of one reading, from 0; the first where there is no such reading.
    #[must_use]
    pub fn reading(&self, number: usize) -> &T {
        self.other(number).map_or(&self.tree, |other| &other.tree)
    }

    /// The comments of one reading.
    #[must_use]
    pub fn comments_of(&self, number: usize) -> &[Range<u32>] {
        self.other(number).map_or(&self.comments, |other| &other.comments)
    }

    fn other(&self, number: usize) -> Option<&Reading<T>> {
        number.checked_sub(1).and_then(|index| self.others.get(index))
    }

    /// Puts the readings of one text together.
    fn together(readings: impl IntoIterator<Item = Self>, branches: Box<Branches>) -> Option<Self>
    where
        T: Default,
    {
        let mut readings = readings.into_iter();
        let mut first = readings.next()?;
        first.others = readings.map(|other| Reading { tree: other.tree, comments: other.comments }).collect();
        first.branches = Some(branches);
        Some(first)
    }
}

/// Something the proxy would refuse to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong, in words: "this directive lacks its `;`".
    pub message: String,
    /// Where a person would point.
    pub at: Range<u32>,
    /// The text of the label at that place.
    pub label: String,
    /// Other places that explain it, with a few words each.
    pub others: Vec<(Range<u32>, String)>,
    /// What to write instead.
    pub help: Option<String>,
    /// How to mend it, where that is plain.
    pub mend: Option<Box<Mend>>,
}

/// How to mend text that the proxy would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mend {
    /// What is done, as a clause: "put a `;` after it".
    pub title: String,
    /// What goes away, and what comes in its place.
    pub edits: Vec<(Range<u32>, &'static str)>,
    /// Whether nothing else can be meant.
    pub certain: bool,
}

impl Mend {
    /// A change of one place; nothing else can be meant.
    #[must_use]
    pub fn certain(title: &str, at: Range<u32>, text: &'static str) -> Box<Self> {
        Box::new(Self { title: title.to_owned(), edits: vec![(at, text)], certain: true })
    }

    /// Whether it changes something at a place.
    #[must_use]
    pub fn is_at(&self, place: &Range<u32>) -> bool {
        self.edits.first().is_some_and(|(at, _)| place.start <= at.start && at.start <= place.end)
    }
}
