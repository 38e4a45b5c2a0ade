//! Which box or line a finding is about: the smallest piece of text with a box or a line of its own that holds the place.

use crate::source::{FileId, Span};
use std::collections::HashMap;

/// What a finding can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Cluster(usize),
    Node(usize),
    Edge(usize),
}

/// Texts, and what they stand for.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    files: HashMap<FileId, Vec<Anchor>>,
}

#[derive(Debug)]
struct Anchor {
    start: u32,
    end: u32,
    element: Element,
    /// The next larger one that holds it.
    outer: Option<usize>,
}

impl Anchors {
    pub(super) fn add(&mut self, span: Span, element: Element) {
        let anchor = Anchor { start: span.start, end: span.end, element, outer: None };
        self.files.entry(span.file).or_default().push(anchor);
    }

    /// To be called once, before the first question.
    pub(super) fn sort(&mut self) {
        for anchors in self.files.values_mut() {
            // A stable sort: of those with the same text the first one counts.
            anchors.sort_by_key(|anchor| (anchor.start, std::cmp::Reverse(anchor.end)));
            anchors.dedup_by_key(|anchor| (anchor.start, anchor.end));
            let mut open: Vec<usize> = Vec::new();
            for at in 0..anchors.len() {
                while open.last().is_some_and(|&outer| anchors[outer].end < anchors[at].end) {
                    open.pop();
                }
                anchors[at].outer = open.last().copied();
                open.push(at);
            }
        }
    }

    /// What a text is about.
    pub(super) fn holding(&self, span: Span) -> Option<Element> {
        let anchors = self.files.get(&span.file)?;
        let mut at = anchors.partition_point(|anchor| anchor.start <= span.start).checked_sub(1);
        // Blocks are nested no deeper than a parser follows them.
        while let Some(anchor) = at.and_then(|at| anchors.get(at)) {
            if anchor.end >= span.end {
                return Some(anchor.element);
            }
            at = anchor.outer;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_text_counts() {
        let file = FileId::new(0);
        let span = |start, end| Span::new(file, start, end);
        let mut anchors = Anchors::default();
        anchors.add(span(10, 50), Element::Node(1));
        anchors.add(span(0, 100), Element::Node(0));
        anchors.add(span(20, 30), Element::Edge(2));
        anchors.add(span(20, 30), Element::Edge(3));
        anchors.sort();
        assert_eq!(anchors.holding(span(22, 25)), Some(Element::Edge(2)));
        assert_eq!(anchors.holding(span(22, 35)), Some(Element::Node(1)));
        assert_eq!(anchors.holding(span(35, 40)), Some(Element::Node(1)));
        assert_eq!(anchors.holding(span(60, 61)), Some(Element::Node(0)));
        assert_eq!(anchors.holding(span(99, 120)), None);
        assert_eq!(anchors.holding(Span::new(FileId::new(1), 0, 1)), None);
    }
}
