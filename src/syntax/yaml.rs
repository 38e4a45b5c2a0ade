//! YAML with the place of every key and value.
//!
//! The tree is an arena: nothing in it recurses, not even `Drop`. An alias stands for its anchor's node and is followed
//! when somebody looks; what a document would be with all aliases written out is counted while it is read, so a small
//! file that stands for a huge one is refused before anybody walks through it. The same holds for depth. So whoever
//! walks a tree needs no limit of his own.
//!
//! Merge keys (`<<`, YAML 1.1) are resolved in [`View::get`] and [`View::entries`]: a mapping's own keys win, then the
//! first of several merged ones. Scalars stay as they are written (`56:22` is text, `no` is text): what a word means
//! is the reader's affair.

use super::limits::{MAX_DEPTH, MAX_YAML_NODES};
use super::{Parsed, SyntaxError};
use granit_parser::{ErrorKind, Event, Parser, ScalarStyle};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Place of a node in its tree.
type NodeId = u32;

/// The documents of one text.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    /// Items of sequences; keys and values of mappings in turn.
    parts: Vec<NodeId>,
    documents: Vec<NodeId>,
}

#[derive(Debug)]
struct Node {
    start: u32,
    end: u32,
    tag: Option<Box<str>>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Scalar(Box<str>, Style),
    Sequence(Range<u32>),
    Mapping(Range<u32>),
    Alias(NodeId),
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes of either kind.
    Quoted,
    /// A block behind `|` or `>`.
    Block,
}

/// One node, seen from outside. Aliases are followed.
#[derive(Clone, Copy, Debug)]
pub struct View<'t> {
    tree: &'t Tree,
    node: NodeId,
}

impl Tree {
    /// The documents, in the order of the text.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = View<'_>> {
        self.documents.iter().map(|&node| self.view(node))
    }

    /// The first document; `None` for an empty text.
    #[must_use]
    pub fn root(&self) -> Option<View<'_>> {
        self.documents.first().map(|&node| self.view(node))
    }

    fn view(&self, node: NodeId) -> View<'_> {
        // An alias never leads to another one.
        let node = match self.nodes[node as usize].kind {
            Kind::Alias(target) => target,
            _ => node,
        };
        View { tree: self, node }
    }
}

impl<'t> View<'t> {
    fn node(self) -> &'t Node {
        &self.tree.nodes[self.node as usize]
    }

    fn parts(self, range: &Range<u32>) -> &'t [NodeId] {
        self.tree.parts.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// Where it stands, as bytes of the text; for an alias the place of its anchor's node.
    #[must_use]
    pub fn at(self) -> Range<u32> {
        self.node().start..self.node().end
    }

    /// The text of a scalar, quotes and escapes resolved.
    #[must_use]
    pub fn text(self) -> Option<&'t str> {
        match &self.node().kind {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// How a scalar is written.
    #[must_use]
    pub fn style(self) -> Option<Style> {
        match self.node().kind {
            Kind::Scalar(_, style) => Some(style),
            _ => None,
        }
    }

    /// The tag as it is written: `!reset`, `!!str`.
    #[must_use]
    pub fn tag(self) -> Option<&'t str> {
        self.node().tag.as_deref()
    }

    /// Whether it says "nothing": empty, `~` or `null` without quotes.
    #[must_use]
    pub fn is_null(self) -> bool {
        matches!(&self.node().kind, Kind::Scalar(text, Style::Plain) if matches!(&**text, "" | "~" | "null" | "Null" | "NULL"))
    }

    /// Whether it is a mapping.
    #[must_use]
    pub fn is_mapping(self) -> bool {
        matches!(self.node().kind, Kind::Mapping(_))
    }

    /// Whether it is a sequence.
    #[must_use]
    pub fn is_sequence(self) -> bool {
        matches!(self.node().kind, Kind::Sequence(_))
    }

    /// The items of a sequence; none for anything else.
    pub fn items(self) -> impl ExactSizeIterator<Item = View<'t>> {
        let parts = match &self.node().kind {
            Kind::Sequence(range) => self.parts(range),
            _ => &[],
        };
        parts.iter().map(move |&node| self.tree.view(node))
    }

    /// The entries of a mapping as they are written, merge keys among them; none for anything else.
    pub fn written(self) -> impl ExactSizeIterator<Item = (View<'t>, View<'t>)> {
        let parts = match &self.node().kind {
            Kind::Mapping(range) => self.parts(range),
            _ => &[],
        };
        parts.chunks_exact(2).map(move |pair| (self.tree.view(pair[0]), self.tree.view(pair[1])))
    }

    /// The value of a key, merge keys resolved. `None` where there is no such key, or no mapping.
    #[must_use]
    pub fn get(self, key: &str) -> Option<View<'t>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// As [`View::get`], with the key.
    #[must_use]
    pub fn entry(self, key: &str) -> Option<(View<'t>, View<'t>)> {
        // No deeper than the tree is, and that is limited.
        self.written()
            .find(|(name, _)| name.text() == Some(key))
            .or_else(|| self.merged().find_map(|mapping| mapping.entry(key)))
    }

    /// All entries of a mapping with merge keys resolved: its own first, each key once.
    #[must_use]
    pub fn entries(self) -> Vec<(View<'t>, View<'t>)> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        self.collect(&mut found, &mut seen);
        found
    }

    fn collect(self, found: &mut Vec<(View<'t>, View<'t>)>, seen: &mut HashSet<&'t str>) {
        for (key, value) in self.written() {
            if !key.is_merge() && key.text().is_none_or(|text| seen.insert(text)) {
                found.push((key, value));
            }
        }
        for mapping in self.merged() {
            mapping.collect(found, seen);
        }
    }

    fn is_merge(self) -> bool {
        matches!(&self.node().kind, Kind::Scalar(text, Style::Plain) if &**text == "<<")
    }

    /// The mappings that are merged into this one, the stronger ones first.
    fn merged(self) -> impl Iterator<Item = View<'t>> {
        self.written().filter(|(key, _)| key.is_merge()).flat_map(|(_, value)| {
            let one = (!value.is_sequence()).then_some(value);
            one.into_iter().chain(value.items())
        })
    }
}

/// A collection whose end was not seen yet.
struct Open {
    node: NodeId,
    parts: Vec<NodeId>,
    weight: u64,
    height: usize,
}

/// What a finished node comes to with all aliases written out.
#[derive(Clone, Copy)]
struct Size {
    weight: u64,
    height: usize,
}

struct Builder<'a> {
    out: Parsed<Tree>,
    text: &'a str,
    /// Bytes before the text that the parser sees: other pieces, a byte order mark.
    skipped: u32,
    open: Vec<Open>,
    anchors: HashMap<usize, (NodeId, Size)>,
    /// Anchors by the collection that bears them, until it is finished.
    bears: HashMap<NodeId, usize>,
}

/// Lines of quoted scalars that are joined because they are not indented.
const MAX_JOINED: usize = 16;

/// Reads a text. What stands before the first mistake is kept, document by document; the mistake is the only one
/// reported, because what follows it is a guess.
///
/// The lines of a quoted scalar need not be indented: libyaml, and with it kubectl, compose and Ansible, takes them,
/// whatever the specification says.
#[must_use]
pub fn parse(text: &str) -> Parsed<Tree> {
    parse_pieces(text, std::slice::from_ref(&(0..text.len())))
}

/// As [`parse`], of some pieces of a text: each begins and ends where a document does. Places are those of the whole
/// text.
#[must_use]
pub fn parse_pieces(text: &str, pieces: &[Range<usize>]) -> Parsed<Tree> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_JOINED {
        let (parsed, outdented) = attempt(&text, pieces);
        let Some(joined) = outdented.and_then(|at| joined(&text, at)) else { return parsed };
        text = Cow::Owned(joined);
    }
    attempt(&text, pieces).0
}

/// The text with the line that begins at a place joined to the one before it: within quotes that is what a line end
/// means. No place moves.
fn joined(text: &str, at: usize) -> Option<String> {
    let before = text.get(..at)?;
    let end = before.trim_end_matches([' ', '\t', '\r', '\n']);
    let between = before.get(end.len()..)?;
    if !between.contains('\n') {
        return None;
    }
    Some(format!("{end}{}{}", between.replace(['\r', '\n'], " "), text.get(at..)?))
}

/// One reading, and where a line of a quoted scalar stopped it for not being indented.
fn attempt(text: &str, pieces: &[Range<usize>]) -> (Parsed<Tree>, Option<usize>) {
    let mut outdented = None;
    let mut builder = Builder {
        out: Parsed { template: has_tags(text), ..Parsed::default() },
        text,
        skipped: 0,
        open: Vec::new(),
        anchors: HashMap::new(),
        bears: HashMap::new(),
    };
    let options = granit_parser::options! { flow_nesting_limit: MAX_DEPTH, block_nesting_limit: MAX_DEPTH };
    'pieces: for piece in pieces {
        let Some(within) = text.get(piece.clone()) else { continue };
        let bare = within.strip_prefix('\u{feff}').unwrap_or(within);
        builder.skipped = (piece.end - bare.len()) as u32;
        for next in Parser::new_from_str_with_options(bare, options.clone()) {
            let refused = match next {
                Ok((event, span)) => builder.event(event, span.byte_range().unwrap_or(0..0)),
                Err(error) => {
                    let at = error.marker().byte_offset().unwrap_or(0) as u32 + builder.skipped;
                    outdented = matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent).then_some(at as usize);
                    Err((at..at, error.info()))
                }
            };
            if let Err((at, why)) = refused {
                builder.refuse(at, &why);
                break 'pieces;
            }
        }
    }
    (builder.out, outdented)
}

/// Whether the text holds template tags, which another program fills in before YAML is read.
fn has_tags(text: &str) -> bool {
    memchr::memchr_iter(b'{', text.as_bytes()).any(|at| matches!(text.as_bytes().get(at + 1), Some(b'{' | b'%')))
}

type Refused = (Range<u32>, String);

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, at: Range<usize>) -> Result<(), Refused> {
        let (start, end) = (at.start as u32 + self.skipped, at.end as u32 + self.skipped);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let node = self.push(start..end, tag.map(|tag| tag.original()), Kind::Scalar(text.into(), style));
                self.finish(node, anchor, Size { weight: 1, height: 0 })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(start..end, anchor, tag.map(|tag| tag.original()), Kind::Sequence(0..0));
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(start..end, anchor, tag.map(|tag| tag.original()), Kind::Mapping(0..0));
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(end),
            Event::Alias(anchor) => {
                // Within the node that bears it, an anchor would make the text endless.
                let Some(&(target, size)) = self.anchors.get(&anchor) else {
                    return Err((start..end, "this alias stands within the value that it stands for".into()));
                };
                let node = self.push(start..end, None, Kind::Alias(target));
                self.finish(node, 0, size)
            }
            Event::DocumentEnd => {
                // Anchors hold within one document.
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn push(&mut self, at: Range<u32>, tag: Option<String>, kind: Kind) -> NodeId {
        self.out.tree.nodes.push(Node { start: at.start, end: at.end, tag: tag.map(Into::into), kind });
        self.out.tree.nodes.len() as NodeId - 1
    }

    fn open(&mut self, at: Range<u32>, anchor: usize, tag: Option<String>, kind: Kind) {
        let node = self.push(at, tag, kind);
        if anchor != 0 {
            self.bears.insert(node, anchor);
        }
        self.open.push(Open { node, parts: Vec::new(), weight: 1, height: 0 });
    }

    fn close(&mut self, end: u32) -> Result<(), Refused> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let tree = &mut self.out.tree;
        let range = tree.parts.len() as u32..(tree.parts.len() + open.parts.len()) as u32;
        // A block ends where its last part does; the parser sees its end only where the next thing begins.
        let last = open.parts.last().map(|&part| tree.nodes[part as usize].end);
        tree.parts.extend(open.parts);
        let node = &mut tree.nodes[open.node as usize];
        let flow = matches!(self.text.as_bytes().get(node.start as usize), Some(b'[' | b'{'));
        node.end = if flow { end } else { last.unwrap_or(node.start).max(node.start) };
        match &mut node.kind {
            Kind::Sequence(parts) | Kind::Mapping(parts) => *parts = range,
            Kind::Scalar(..) | Kind::Alias(_) => {}
        }
        let anchor = self.bears.remove(&open.node).unwrap_or(0);
        self.finish(open.node, anchor, Size { weight: open.weight, height: open.height + 1 })
    }

    /// Puts a finished node where it belongs.
    fn finish(&mut self, node: NodeId, anchor: usize, size: Size) -> Result<(), Refused> {
        self.trim(node);
        if anchor != 0 {
            self.anchors.insert(anchor, (node, size));
        }
        let place = &self.out.tree.nodes[node as usize];
        let at = place.start..place.end;
        let Some(parent) = self.open.last_mut() else {
            self.out.tree.documents.push(node);
            return Ok(());
        };
        parent.parts.push(node);
        parent.weight = parent.weight.saturating_add(size.weight);
        parent.height = parent.height.max(size.height);
        let (weight, height) = (parent.weight, parent.height);
        if weight > MAX_YAML_NODES {
            return Err((
                at,
                format!("with its aliases written out this file holds more than {MAX_YAML_NODES} values"),
            ));
        }
        if height + self.open.len() > MAX_DEPTH {
            return Err((
                at,
                format!("with its aliases written out this file is nested deeper than {MAX_DEPTH} levels"),
            ));
        }
        Ok(())
    }

    /// A scalar ends with its last visible character: the parser counts the line ends of a block to it.
    fn trim(&mut self, node: NodeId) {
        let node = &mut self.out.tree.nodes[node as usize];
        if let Some(text) = self.text.get(node.start as usize..node.end as usize) {
            node.end = node.start + text.trim_end().len() as u32;
        }
    }

    fn refuse(&mut self, at: Range<u32>, why: &str) {
        let text = self.text;
        let mut start = (at.start as usize).min(text.len());
        // At the end of the text, or of a line, there is nothing to underline: the last word before it.
        if text[..].get(start..).is_none_or(|rest| rest.starts_with(['\n', '\r']) || rest.is_empty()) {
            start = text.get(..start).map_or(0, |before| before.trim_end().len().saturating_sub(1));
        }
        while start > 0 && !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = (at.end as usize).clamp(start, text.len());
        // The tab that is meant begins a line behind the place.
        let rest = text.get(start..).filter(|_| why.contains("tab")).unwrap_or("");
        let indented = rest.match_indices('\t').take(64).find(|(tab, _)| {
            rest[..*tab].rsplit_once('\n').is_some_and(|(_, before)| before.bytes().all(|byte| byte == b' '))
        });
        let mut why = why;
        if let Some((tab, _)) = indented {
            start += tab;
            end = start + 1;
            why = "this line is indented with a tab, and YAML takes blanks only";
        }
        if end == start {
            end = start + text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        }
        while end < text.len() && !text.is_char_boundary(end) {
            end += 1;
        }
        self.out.errors.push(SyntaxError {
            message: format!("this is not YAML: {why}"),
            at: start as u32..end as u32,
            label: "nothing behind this place was read".into(),
            others: Vec::new(),
            help: None,
            mend: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        let parsed = parse(text);
        assert!(parsed.errors.is_empty(), "{:?}", parsed.errors);
        parsed.tree
    }

    fn refused(text: &str) -> SyntaxError {
        let parsed = parse(text);
        assert_eq!(parsed.errors.len(), 1, "{text:.80}");
        let error = parsed.errors[0].clone();
        assert!(text.get(error.at.start as usize..error.at.end as usize).is_some(), "{error:?}");
        error
    }

    fn slice<'a>(text: &'a str, view: View<'_>) -> &'a str {
        &text[view.at().start as usize..view.at().end as usize]
    }

    #[test]
    fn every_key_and_value_has_its_place() {
        let text = "a:\r\n  b: [1, \"x\"] # c\r\n  é: |\r\n    two\r\n    lines\r\n\r\nlast: ''\r\n";
        let tree = tree(text);
        let root = tree.root().unwrap();
        assert_eq!(slice(text, root), text.trim_end());
        let (key, a) = root.entry("a").unwrap();
        assert_eq!(slice(text, key), "a");
        assert_eq!(slice(text, a.get("b").unwrap()), "[1, \"x\"]");
        let quoted = a.get("b").unwrap().items().nth(1).unwrap();
        assert_eq!((slice(text, quoted), quoted.text(), quoted.style()), ("\"x\"", Some("x"), Some(Style::Quoted)));
        let block = a.get("é").unwrap();
        assert_eq!((block.text(), block.style()), (Some("two\nlines\n"), Some(Style::Block)));
        assert!(slice(text, block).ends_with("lines"), "{:?}", slice(text, block));
        assert_eq!(root.get("last").unwrap().text(), Some(""));
        assert!(!root.get("last").unwrap().is_null());
    }

    #[test]
    fn a_byte_order_mark_moves_nothing() {
        let text = "\u{feff}a: b\n";
        let tree = tree(text);
        assert_eq!(slice(text, tree.root().unwrap().get("a").unwrap()), "b");
    }

    #[test]
    fn words_stay_what_they_are() {
        let tree = tree("a: 56:22\nb: no\nc: 010\nd: ~\ne:\nf: null\ng: \"\"\n");
        let root = tree.root().unwrap();
        assert_eq!(root.get("a").unwrap().text(), Some("56:22"));
        assert_eq!(root.get("b").unwrap().text(), Some("no"));
        assert_eq!(root.get("c").unwrap().text(), Some("010"));
        assert!(["d", "e", "f"].iter().all(|key| root.get(key).unwrap().is_null()));
        assert!(!root.get("g").unwrap().is_null());
    }

    #[test]
    fn tags_are_kept_as_written() {
        let tree = tree("a: !reset []\nb: !override\n  - 1\nc: !!str 1\nd: !reset null\n");
        let root = tree.root().unwrap();
        let tags: Vec<_> = ["a", "b", "c", "d"].map(|key| root.get(key).unwrap().tag().unwrap_or("-")).into();
        assert_eq!(tags, ["!reset", "!override", "!!str", "!reset"]);
    }

    #[test]
    fn merge_keys_lend_what_is_not_there() {
        let text =
            "x: &x {a: 1, b: 1, c: 1}\ny: &y\n  b: 2\n  d: 2\nz:\n  <<: [*x, *y]\n  a: 3\nw:\n  <<: *y\n\"<<\": 1\n";
        let tree = tree(text);
        let root = tree.root().unwrap();
        let z = root.get("z").unwrap();
        let read = |key| z.get(key).and_then(View::text);
        assert_eq!(
            [read("a"), read("b"), read("c"), read("d"), read("e")],
            [Some("3"), Some("1"), Some("1"), Some("2"), None]
        );
        let keys: Vec<_> = z.entries().iter().filter_map(|(key, _)| key.text()).collect();
        assert_eq!(keys, ["a", "b", "c", "d"]);
        assert_eq!(root.get("w").unwrap().get("d").unwrap().text(), Some("2"));
        assert_eq!(root.get("<<").unwrap().text(), Some("1"));
    }

    #[test]
    fn documents_are_apart() {
        let tree = tree("---\na: &a 1\n---\n- 2\n...\n---\n");
        let documents: Vec<_> = tree.documents().collect();
        assert_eq!(documents.len(), 3);
        assert_eq!(documents[1].items().next().unwrap().text(), Some("2"));
        assert!(documents[2].is_null());
        assert!(parse("").tree.root().is_none());
        refused("---\na: &a 1\n---\nb: *a\n");
    }

    #[test]
    fn a_mistake_has_a_place_and_keeps_what_stood_before() {
        let error = refused("a: [1, 2\nb: 3\n");
        assert!(error.message.starts_with("this is not YAML: "), "{}", error.message);
        let text = "---\na: 1\n---\nb: \"open\n";
        refused(text);
        assert_eq!(parse(text).tree.documents().len(), 1);
        assert_eq!(refused("a: b: c\n").at, 4..5);
        refused("a:\n\t- b\n");
        refused("\"");
    }

    #[test]
    fn lines_of_a_quoted_text_need_no_indentation() {
        let text = "a:\n  b: '[\n    1,\n  2,\r\n\n]'\n  c: \"x\ny\"\nd: 1\n";
        let tree = tree(text);
        let root = tree.root().unwrap();
        let a = root.get("a").unwrap();
        let words: Vec<_> = a.get("b").unwrap().text().unwrap().split_whitespace().collect();
        assert_eq!(words, ["[", "1,", "2,", "]"]);
        assert_eq!(a.get("c").unwrap().text(), Some("x y"));
        assert_eq!(slice(text, a.get("c").unwrap()), "\"x\ny\"");
        assert_eq!(root.get("d").unwrap().text(), Some("1"));
        // A quote that is never closed stays a mistake, and so does more than anybody writes.
        refused("a: 'x\ny\nb: 1\n");
        refused(&format!("a: '{}'\n", "x\n".repeat(50)));
    }

    #[test]
    fn templates_are_known() {
        assert!(parse("a: '{{ b }}'\n").template);
        assert!(parse("{% if x %}\n").template);
        assert!(!parse("a: {b: ${c}}\n").template);
    }

    #[test]
    fn small_files_that_stand_for_huge_ones_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..20 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            text += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        assert!(refused(&text).message.contains("aliases written out"));
        let mut deep = "a0: &a0 [x]\n".to_owned();
        for level in 1..5000 {
            deep += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
        }
        assert!(refused(&deep).message.contains("nested deeper"));
        assert!(refused("a: &a [*a]\n").message.contains("within the value"));
        refused("a: &a\n  <<: *a\n");
    }

    #[test]
    fn hostile_texts_end_soon() {
        for opener in [
            "[", "{", "- ", "? ", "\"", "'", "&a ", "*a ", "!t ", "{a: ", "[[", "|\n", "a: ", "%", "--- ", "\t", "#",
            "- a: ", "\u{feff}",
        ] {
            let text = opener.repeat(20_000);
            let parsed = parse(&text);
            for error in &parsed.errors {
                assert!(text.get(error.at.start as usize..error.at.end as usize).is_some());
            }
        }
        let wide: String = (0..50_000).map(|i| format!("k{i}: v\n")).collect();
        assert_eq!(tree(&wide).root().unwrap().entries().len(), 50_000);
    }
}
