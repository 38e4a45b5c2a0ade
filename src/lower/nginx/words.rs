//! The words of a statement as nginx reads them, with what is put into them before, and where they stand.

use super::{Item, Lowering, Place, is_template};
use crate::source::Site;
use crate::syntax::nginx::{Looks, NodeId, Tree as NginxTree, Word as SyntaxWord};
use crate::value::later;
use std::borrow::Cow;

impl Lowering<'_, '_> {
    /// The site of a statement; of a block, its header only.
    pub(super) fn site_of(&self, item: Item) -> Option<Site> {
        let place = self.places.get(item.place as usize)?;
        Some(place.header(place.tree()?.node(item.node)))
    }

    /// An argument of a statement (0 is its name), unquoted, with its place. `None` where there is none.
    pub(super) fn arg(&self, item: Item, index: usize) -> Option<(Cow<'_, str>, Site)> {
        self.word_at(self.places.get(item.place as usize)?, item.node, index)
    }

    /// An argument of a statement of this use of a file.
    pub(super) fn word_at<'p>(&self, place: &'p Place, node: NodeId, index: usize) -> Option<(Cow<'p, str>, Site)> {
        let tree = place.tree()?;
        let word = *tree.words(node).get(index)?;
        let site = place.site(word.start, word.end);
        let looks = tree.looks(node);
        // Nearly every word is its own value.
        let put_in = place.values.is_some() && looks.has(Looks::VARIABLE);
        if !looks.has(Looks::ESCAPED) && !put_in && !tree.has_holes() {
            return Some((Cow::Borrowed(word.raw(place.text())), site));
        }
        let text = match self.filled(place, tree, word) {
            Some(filled) => Cow::Owned(NginxTree::value(&filled)),
            None if looks.has(Looks::ESCAPED) => tree.word(word, place.text()),
            None => Cow::Borrowed(word.raw(place.text())),
        };
        let text = match &place.values {
            Some(values) if text.contains('$') => Cow::Owned(values.put_into(&text)),
            _ => text,
        };
        Some((text, site))
    }

    /// All arguments after the name, unquoted, with their places.
    pub(super) fn args(&self, item: Item) -> Vec<(Cow<'_, str>, Site)> {
        self.args_of(item).collect()
    }

    /// The same, one by one.
    pub(super) fn args_of(&self, item: Item) -> impl Iterator<Item = (Cow<'_, str>, Site)> {
        (1..).map_while(move |index| self.arg(item, index))
    }

    /// How many arguments there are after the name.
    pub(super) fn words_of(&self, item: Item) -> usize {
        let tree = self.places.get(item.place as usize).and_then(Place::tree);
        tree.map_or(0, |tree| tree.words(item.node).len().saturating_sub(1))
    }

    /// The arguments of a statement of this use of a file.
    pub(super) fn words_at<'p>(&self, place: &'p Place, node: NodeId) -> Vec<(Cow<'p, str>, Site)> {
        (1..).map_while(|index| self.word_at(place, node, index)).collect()
    }

    /// Whether an argument is filled in by a template.
    pub(super) fn is_hole(&self, item: Item, index: usize) -> bool {
        let Some(place) = self.places.get(item.place as usize) else { return false };
        let Some(tree) = place.tree() else { return false };
        if !tree.has_holes() && !tree.looks(item.node).has(Looks::MARK) {
            return false;
        }
        tree.words(item.node).get(index).is_some_and(|&word| {
            tree.has_hole(word) && self.filled(place, tree, word).is_none() || later::is_marked(word.raw(place.text()))
        })
    }

    /// A word with what a template is known to put into it, as it stands in the text.
    pub(super) fn filled(&self, place: &Place, tree: &NginxTree, word: SyntaxWord) -> Option<String> {
        let known = || self.out.filled.put_into(place.file, place.text(), word.start..word.end);
        tree.has_hole(word).then(known).flatten()
    }

    /// Whether a place stands in a file with template tags.
    pub(super) fn is_template(&self, site: Site) -> bool {
        self.files.tree(site.span.file).is_some_and(|tree| is_template(&tree))
    }

    /// Whether a template decides if, or how often, a place is there.
    pub(super) fn is_decided_elsewhere(&self, site: Site) -> bool {
        self.files
            .tree(site.span.file)
            .is_some_and(|tree| tree.branches().is_some_and(|branches| branches.is_within(site.span.start)))
    }

    /// Whether a branch or a loop of a template begins in a block: it may hold more or less than is seen.
    pub(super) fn is_filled_by_template(&self, item: Item) -> bool {
        let Some(place) = self.places.get(item.place as usize) else { return false };
        let Some(node) = place.tree().map(|tree| *tree.node(item.node)) else { return false };
        place.tree.branches().is_some_and(|branches| branches.begin_in(node.start..node.end))
    }
}
