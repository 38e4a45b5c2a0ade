//! What compose files say, each word with its place, fit to be merged.

use super::interpolate::{Variables, interpolate};
use crate::source::{FileId, Site, Span};
use crate::syntax::words::{HOLE, Text};
use crate::syntax::yaml::{Style, View};

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) site: Site,
    pub(super) merge: Merge,
    /// Whether a value of a sample of `.env` was put in.
    pub(super) sampled: bool,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    /// Interpolated; what is not known in it is a hole.
    Scalar(Box<str>),
    List(Vec<Item>),
    Map(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Box<str>,
    pub(super) site: Site,
    pub(super) item: Item,
}

/// How a value goes together with that of an earlier file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    Usual,
    /// `!reset`: it takes the earlier one away.
    Reset,
    /// `!override`: it replaces the earlier one.
    Replace,
}

impl Item {
    /// Takes a value over from YAML and puts variables in. (No deeper than YAML is read.)
    pub(super) fn read(view: View<'_>, file: FileId, variables: &Variables) -> Self {
        let mut sampled = false;
        let value = if view.is_mapping() {
            let entries = view.entries().into_iter().filter_map(|(key, value)| {
                Some(Entry { key: key.text()?.into(), site: site(key, file), item: Self::read(value, file, variables) })
            });
            Value::Map(entries.collect())
        } else if view.is_sequence() {
            Value::List(view.items().map(|item| Self::read(item, file, variables)).collect())
        } else if view.is_null() {
            Value::Null
        } else {
            let (text, from_sample) = interpolate(view.text().unwrap_or_default(), variables);
            sampled = from_sample;
            Value::Scalar(text.into())
        };
        let merge = match view.tag() {
            Some("!reset") => Merge::Reset,
            Some("!override") => Merge::Replace,
            _ => Merge::Usual,
        };
        let mut place = site(view, file);
        // A block is shown by its first line: the rest is seldom the point.
        if view.style() == Some(Style::Block) {
            place.span.end = place.span.end.max(place.span.start + 1);
        }
        Self { value, site: place, merge, sampled }
    }

    /// A value made of a word that stands at a place.
    pub(super) fn scalar(text: impl Into<Box<str>>, site: Site) -> Self {
        Self { value: Value::Scalar(text.into()), site, merge: Merge::Usual, sampled: false }
    }

    /// The places of all values into which a sample's values were put. (No deeper than YAML is read.)
    pub(super) fn samples(&self, into: &mut Vec<Site>) {
        if self.sampled {
            into.push(self.site);
        }
        self.items().iter().for_each(|item| item.samples(into));
        self.entries().iter().for_each(|entry| entry.item.samples(into));
    }

    /// Its entries; none unless it is a mapping.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Its items; none unless it is a list.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// An entry of a mapping that says something.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| {
            &*entry.key == key && !matches!(entry.item.value, Value::Null) && entry.item.merge != Merge::Reset
        })
    }

    /// The value of a key, where it says something.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.item)
    }

    /// The word, holes and all.
    pub(super) fn raw(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The word, when all of it is known.
    pub(super) fn known(&self) -> Option<&str> {
        self.raw().filter(|text| !text.contains(HOLE))
    }

    /// The word with its place.
    pub(super) fn text(&self) -> Option<Text> {
        self.raw().map(|text| Text::new(text, self.site))
    }

    /// The word of a key, when all of it is known.
    pub(super) fn word(&self, key: &str) -> Option<&str> {
        self.get(key)?.known()
    }

    /// Whether a key says yes.
    pub(super) fn says_yes(&self, key: &str) -> bool {
        self.word(key).is_some_and(|word| matches!(word, "true" | "True" | "TRUE" | "yes" | "on"))
    }
}

fn site(view: View<'_>, file: FileId) -> Site {
    let at = view.at();
    Site::direct(Span::new(file, at.start, at.end))
}
