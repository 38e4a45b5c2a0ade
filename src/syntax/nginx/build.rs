//! Tokens → tree, with an explicit stack, first as nginx reads, then (only if that fails) with guesses.

use memchr::{memchr, memmem, memrchr};

use super::lex::{Flow, Lexer, Rule, Token};
use super::recover;
use super::{Body, Brace, Node, Tree, Word, decode, index, lua, names};
use crate::syntax::limits::{MAX_DEPTH, MAX_ERRORS};
use crate::syntax::{Branches, Mend, Parsed, SyntaxError, branches, tags};
use std::ops::Range;

const BOM: &str = "\u{FEFF}";

/// How often, while guessing, a Lua block may be looked through in vain before only indentation is asked.
const LUA_ATTEMPTS: u32 = 8;

/// Bytes of text for each word and each directive, as they are in most files.
const BYTES_PER_WORD: usize = 10;
const BYTES_PER_NODE: usize = 30;

/// Room is made at once for what so many bytes may hold.
const MOST_BYTES_EXPECTED: usize = 64 * 1024;

/// How the text is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// As nginx does. Stops where the structure is broken.
    Strict,
    /// Missing `;` and unclosed quotes are guessed.
    Guess,
    /// Also blocks that are not closed, or closed twice, by indentation.
    GuessByIndent,
}

/// Strict first. If the structure is broken, the reading that explains it with the fewest errors.
pub(super) fn parse(text: &str) -> Parsed<Tree> {
    let foreign = branches::terraform(text, true);
    let original = text;
    let text = foreign.as_deref().unwrap_or(text);
    let flat = tags::flatten(text);
    let text = flat.text.as_deref().unwrap_or(text);
    let template = flat.tags && has_tag(text);
    let Some(branches) = template.then(|| Branches::read(original, false)).flatten() else {
        return one(text, template, false).finish();
    };
    let taken = |reading: usize, without: &[Range<u32>]| {
        let mut bytes = text.as_bytes().to_vec();
        branches.blank(&mut bytes, reading);
        without.iter().for_each(|at| branches::fill(&mut bytes, at));
        // Whole tags stand between what is blanked: this is still UTF-8.
        String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
    };
    let texts: Vec<String> = (0..branches.readings()).map(|reading| taken(reading, &[])).collect();
    // Blocks may open and close in different branches: only readings in which they match count.
    let mut read: Vec<Parsed<Tree>> = texts.iter().filter_map(|text| whole(text)).collect();
    if read.is_empty() {
        // A condition without an `else` may hold half a block, and another one its contrary.
        let halves = branches.halves(text.as_bytes());
        let mut seen = vec![false; halves.len()];
        for left_out in 1_u32..1 << halves.len() {
            let (out, kept): (Vec<_>, Vec<_>) = (0..halves.len()).partition(|half| left_out & (1 << half) != 0);
            let without: Vec<Range<u32>> = out.into_iter().map(|half| halves[half].clone()).collect();
            if !read.is_empty() && kept.iter().all(|&half| seen[half]) {
                continue;
            }
            if let Some(parsed) = whole(&taken(0, &without)) {
                kept.into_iter().for_each(|half| seen[half] = true);
                read.push(parsed);
            }
        }
    }
    if read.len() < texts.len() {
        // What stands in a branch that does not fit is read all the same; so is half of a file, whose other half is
        // another template.
        read.push(one(text, template, false).finish());
    }
    Parsed::together(read, branches).unwrap_or_default()
}

/// A template in which all blocks close.
fn whole(text: &str) -> Option<Parsed<Tree>> {
    let strict = one(text, true, true);
    (!strict.broken).then(|| strict.finish())
}

/// One reading of a text. `strict`: without guesses.
fn one(text: &str, template: bool, strict_only: bool) -> Builder<'_> {
    let speaks = memmem::find(text.as_bytes(), b"gw502:").is_some();
    let read = |mode| {
        let mut builder = Builder::new(text, mode, template, speaks);
        builder.read();
        builder
    };
    let strict = read(Mode::Strict);
    if strict.broken && !strict_only {
        // Its memory is not needed for what follows.
        drop(strict);
        let plain = read(Mode::Guess);
        if plain.unbalanced {
            let by_indent = read(Mode::GuessByIndent);
            if by_indent.error_count <= plain.error_count { by_indent } else { plain }
        } else {
            plain
        }
    } else {
        strict
    }
}

/// Whether the text holds a template tag that closes on its line and is more than a value in a comment
/// (`# {{ ansible_managed }}`). A comment behind a directive is not told apart here: the builder does that.
fn has_tag(text: &str) -> bool {
    let bytes = text.as_bytes();
    [("{{", "}}"), ("{%", "%}"), ("<%", "%>")].iter().any(|(open, close)| {
        let finder = memmem::Finder::new(open.as_bytes());
        let mut at = 0;
        while let Some(i) = bytes.get(at..).and_then(|rest| finder.find(rest)) {
            let rest = bytes.get(at + i..).unwrap_or_default();
            let line = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
            if memmem::find(line, close.as_bytes()).is_some() {
                let start = memrchr(b'\n', bytes.get(..at + i).unwrap_or_default()).map_or(0, |newline| newline + 1);
                let comment =
                    bytes.get(start..at + i).is_some_and(|before| before.trim_ascii_start().starts_with(b"#"));
                if !comment || tags::any_decides(line) {
                    return true;
                }
            }
            // Nothing closes on this line, whatever else opens on it.
            at += i + line.len();
        }
        false
    })
}

/// A block that is open.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) node: u32,
    /// Indentation of the line on which its statement begins. Not kept in the strict mode.
    pub(super) indent: usize,
    /// It holds `key value;` lines: `map`, `types` …
    table: bool,
}

pub(super) struct Builder<'a> {
    pub(super) text: &'a str,
    pub(super) mode: Mode,
    template: bool,
    speaks: bool,
    pub(super) tree: Tree,
    pub(super) stack: Vec<Open>,
    /// Blocks open beyond the greatest depth.
    pub(super) skipped: usize,
    too_deep: bool,
    /// First word of the statement that is being read.
    pub(super) first: usize,
    /// Indentation of the line that the last token stands on, and of the line where the statement begins.
    pub(super) line_indent: usize,
    pub(super) statement_indent: usize,
    /// One past the last token that is no comment.
    pub(super) last_end: usize,
    /// Strict: nginx would not read on from here.
    pub(super) broken: bool,
    /// Braces do not match.
    pub(super) unbalanced: bool,
    saw_tag: bool,
    lua_failures: u32,
    errors: Vec<SyntaxError>,
    pub(super) error_count: usize,
    comments: Vec<std::ops::Range<u32>>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, mode: Mode, template: bool, speaks: bool) -> Self {
        // Most files are small, and then the vectors need not grow; `parse` gives back what is not used.
        let bytes = text.len().min(MOST_BYTES_EXPECTED);
        let tree = Tree {
            words: Vec::with_capacity(bytes / BYTES_PER_WORD),
            nodes: Vec::with_capacity(bytes / BYTES_PER_NODE),
            ..Tree::default()
        };
        Self {
            text,
            mode,
            template,
            speaks,
            tree,
            stack: Vec::new(),
            skipped: 0,
            too_deep: false,
            first: 0,
            line_indent: 0,
            statement_indent: 0,
            last_end: 0,
            broken: false,
            unbalanced: false,
            saw_tag: false,
            lua_failures: 0,
            errors: Vec::new(),
            error_count: 0,
            comments: Vec::new(),
        }
    }

    fn read(&mut self) {
        let mut from = 0;
        if self.text.starts_with(BOM) {
            from = BOM.len();
            self.error(SyntaxError {
                mend: Some(Mend::certain("take the byte order mark out", 0..index(from), "")),
                message: "the file begins with a byte order mark".into(),
                at: 0..index(from),
                label: "three invisible bytes, which nginx takes for part of the first directive's name".into(),
                others: Vec::new(),
                help: Some("save the file as UTF-8 without a byte order mark".into()),
            });
        }
        let mut tokens = Lexer::new(self.text, from, self.template);
        while let Some(token) = tokens.next() {
            match self.token(token) {
                Flow::On => {}
                Flow::Jump(to) => tokens.jump(to.max(token.start + 1)),
                Flow::Stop => break,
            }
        }
        if !self.broken {
            self.end_of_file();
        }
    }

    fn token(&mut self, Token { rule, start, end }: Token) -> Flow {
        if rule == Rule::comment {
            self.comment(start, end);
            return Flow::On;
        }
        if self.mode != Mode::Strict {
            self.before(rule, start);
        }
        let flow = match rule {
            Rule::mark => match self.text.as_bytes().get(start) {
                Some(b';') => self.semicolon(start),
                Some(b'{') => self.open(start),
                _ => self.close(start),
            },
            Rule::word | Rule::holed | Rule::tag => self.word(rule, start, end),
            Rule::quoted | Rule::quoted_holed => self.quoted(start, end),
            Rule::unclosed => self.unclosed(start, end),
            // Silent rules make no tokens, and `bad` has nothing left to take.
            _ => Flow::On,
        };
        self.last_end = match flow {
            Flow::Jump(to) => to,
            _ => end,
        };
        flow
    }

    fn comment(&mut self, start: usize, end: usize) {
        let text = self.text.get(start..end).unwrap_or_default();
        if self.speaks && memmem::find(text.as_bytes(), b"gw502:").is_some() {
            let end = start + text.trim_end_matches('\r').len();
            self.comments.push(index(start + 1)..index(end));
        }
        // A branch or a loop goes on behind the comment that it stands in; a value ends with it.
        if self.template && tags::any_decides(text.as_bytes()) {
            self.saw_tag = true;
        }
    }

    /// Words of the statement so far.
    pub(super) fn pending(&self) -> usize {
        self.tree.words.len() - self.first
    }

    fn word(&mut self, rule: Rule, start: usize, end: usize) -> Flow {
        if self.template && self.pending() == 0 {
            let alone = self.stands_alone(start, end);
            if rule == Rule::tag || alone {
                self.saw_tag = true;
                if alone || self.text.get(start..end).is_some_and(tags::brings_in) {
                    self.tree.gaps.push(self.stack.last().map_or(0, |open| open.node + 1));
                }
                return Flow::On;
            }
        }
        self.push_word(start, end);
        Flow::On
    }

    fn push_word(&mut self, start: usize, end: usize) {
        if self.pending() == 0 {
            self.statement_indent = self.line_indent;
        }
        if self.template {
            let text = self.text.get(start..end).unwrap_or_default().as_bytes();
            if text.windows(2).any(|pair| matches!(pair, b"{{" | b"{%" | b"<%" | b"{#")) {
                self.saw_tag = true;
                self.tree.holes.push(index(start));
            }
        }
        self.tree.words.push(Word { start: index(start), end: index(end) });
    }

    /// Whether a tag such as `{{ include "x" . }}` has a line to itself: then it stands for whole directives.
    fn stands_alone(&self, start: usize, end: usize) -> bool {
        let Some(word) = self.text.get(start..end) else { return false };
        let close = if word.starts_with("{{") {
            "}}"
        } else if word.starts_with("<%=") {
            "%>"
        } else {
            return false;
        };
        word.find(close).is_none_or(|i| i + 2 == word.len())
            && recover::indent_of(self.text, start).is_some()
            && self.text.get(end..).is_some_and(|rest| {
                rest.trim_start_matches([' ', '\t', '\r']).chars().next().is_none_or(|next| next == '\n')
            })
    }

    fn quoted(&mut self, start: usize, end: usize) -> Flow {
        if self.quote_ends_well(end) {
            self.push_word(start, end);
            return Flow::On;
        }
        if self.mode == Mode::Strict {
            return self.stop();
        }
        recover::after_quote(self, start, end)
    }

    fn unclosed(&mut self, start: usize, end: usize) -> Flow {
        if self.mode == Mode::Strict {
            return self.stop();
        }
        recover::quote(self, start, end, None)
    }

    /// After a closing quote nginx takes only a blank, `;`, `{` or `)`.
    fn quote_ends_well(&self, end: usize) -> bool {
        self.text
            .as_bytes()
            .get(end)
            .is_none_or(|next| matches!(next, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b')'))
    }

    pub(super) fn stop(&mut self) -> Flow {
        self.broken = true;
        Flow::Stop
    }

    fn semicolon(&mut self, at: usize) -> Flow {
        if self.pending() == 0 {
            self.error(recover::lone_semicolon(self.text, self.last_end, at));
            return Flow::On;
        }
        if self.mode == Mode::Strict && self.runs_together() {
            return self.stop();
        }
        self.end_statement(at + 1, Body::None);
        Flow::On
    }

    fn open(&mut self, at: usize) -> Flow {
        if self.mode != Mode::Strict
            && self.pending() > 0
            && self.last_end == at
            && let Some(close) = recover::quantifier(self.text, at)
        {
            return self.pattern(at, close);
        }
        if self.pending() == 0 {
            self.error(recover::nameless(at));
            self.statement_indent = self.line_indent;
        } else if self.mode == Mode::Strict && self.runs_together() {
            return self.stop();
        }
        if self.begins_lua() {
            return self.lua(at);
        }
        if self.skipped > 0 || self.stack.len() >= MAX_DEPTH {
            if !self.too_deep {
                self.too_deep = true;
                self.error(recover::too_deep(at));
            }
            self.skipped += 1;
            self.tree.words.truncate(self.first);
            return Flow::On;
        }
        let body = Body::Block { open: index(at), close: None };
        let node = index(self.tree.nodes.len());
        let name = self.tree.words.get(self.first).map_or("", |word| word.raw(self.text));
        self.stack.push(Open { node, indent: self.statement_indent, table: names::is_table(name) });
        if self.pending() == 0 {
            // A block without a name begins where it opens.
            self.push_node(index(at), at + 1, body);
        } else {
            self.end_statement(at + 1, body);
        }
        Flow::On
    }

    /// A pattern with `{n}` that is not quoted: nginx takes the brace for a block. Read on as it was meant.
    fn pattern(&mut self, at: usize, close: usize) -> Flow {
        let rest = self.text.get(close..).unwrap_or_default();
        let end = close + rest.find([' ', '\t', '\r', '\n', ';']).unwrap_or(rest.len());
        if let Some(word) = self.tree.words.last_mut() {
            word.end = index(end);
            let whole = word.raw(self.text).to_owned();
            let start = word.start;
            self.error(recover::bare_quantifier(&whole, start..index(end), at, close));
        }
        Flow::Jump(end)
    }

    fn close(&mut self, at: usize) -> Flow {
        if self.pending() > 0 {
            if self.mode == Mode::Strict {
                return self.stop();
            }
            recover::no_semicolon(self, Some((at, at + 1, "the block ends here")));
        }
        if self.skipped > 0 {
            self.skipped -= 1;
            return Flow::On;
        }
        if self.mode == Mode::GuessByIndent && recover::is_stray(self, at) {
            self.error(recover::stray(at));
            return Flow::On;
        }
        let Some(open) = self.stack.pop() else {
            if self.mode == Mode::Strict {
                return self.stop();
            }
            self.unbalanced = true;
            self.error(recover::stray(at));
            return Flow::On;
        };
        self.close_block(open, at + 1, Some(index(at)));
        Flow::On
    }

    /// Ends the block that was open as `open`. `close` is the offset of its `}`.
    pub(super) fn close_block(&mut self, open: Open, end: usize, close: Option<u32>) {
        let next = index(self.tree.nodes.len());
        if let Some(node) = self.tree.nodes.get_mut(open.node as usize) {
            node.next = next;
            node.end = index(end);
            if let Body::Block { open, .. } = node.body() {
                node.brace = Brace::of(Body::Block { open, close }, node.end);
            }
        }
    }

    /// The statement of the pending words is complete.
    pub(super) fn end_statement(&mut self, end: usize, body: Body) {
        if self.skipped > 0 {
            self.tree.words.truncate(self.first);
            return;
        }
        let start = self.tree.words.get(self.first).map_or(index(end), |word| word.start);
        self.push_node(start, end, body);
    }

    fn push_node(&mut self, start: u32, end: usize, body: Body) {
        let next = index(self.tree.nodes.len() + 1);
        self.tree.nodes.push(Node {
            first_word: index(self.first),
            word_count: index(self.pending()),
            start,
            end: index(end),
            next,
            brace: Brace::of(body, index(end)),
        });
        self.first = self.tree.words.len();
    }

    /// Whether the statement in hand is two, the first without its `;`. Only where nginx would refuse it as one.
    fn runs_together(&self) -> bool {
        let words = self.tree.words.get(self.first..).unwrap_or_default();
        // Nearly all statements stand on one line. A backslash takes a line end into the word before.
        let lines = words.windows(2).any(|pair| {
            let between = (pair[0].end as usize).saturating_sub(1)..pair[1].start as usize;
            // One blank stands between nearly all words: then a search would cost more than a look.
            match self.text.as_bytes().get(between) {
                Some([before, blank]) => *before == b'\n' || *blank == b'\n',
                Some(between) => between.contains(&b'\n'),
                None => false,
            }
        });
        lines && recover::is_joined(self.text, words) && !self.in_table()
    }

    /// Whether the lines here are `key value;`, so that no word is the name of a directive.
    pub(super) fn in_table(&self) -> bool {
        self.stack.last().is_some_and(|open| open.table)
    }

    /// Decided by the name of the directive, not by any other word.
    fn begins_lua(&self) -> bool {
        self.tree.words.get(self.first).is_some_and(|word| {
            let raw = word.raw(self.text);
            raw.ends_with(['k', '"', '\'']) && decode(raw).ends_with("_by_lua_block")
        })
    }

    fn lua(&mut self, at: usize) -> Flow {
        let found = if self.lua_failures < LUA_ATTEMPTS { lua::close(self.text, at + 1) } else { None };
        // A `}` left of the directive belongs to another block.
        let found = found.filter(|close| {
            self.mode != Mode::GuessByIndent
                || recover::indent_of(self.text, *close).is_none_or(|indent| indent >= self.statement_indent)
        });
        let close = match found {
            Some(close) => close,
            None if self.mode == Mode::Strict => return self.stop(),
            None => {
                self.lua_failures += 1;
                self.error(recover::lua_unclosed(at));
                recover::lua_end(self.text, at, self.statement_indent)
            }
        };
        let end = (close + 1).min(self.text.len());
        self.end_statement(end, Body::Raw { open: index(at), close: index(close) });
        Flow::Jump(end)
    }

    fn end_of_file(&mut self) {
        if self.mode == Mode::Strict {
            self.broken = self.pending() > 0 || !self.stack.is_empty() || self.skipped > 0;
            return;
        }
        if self.pending() > 0 {
            recover::no_semicolon(self, None);
        }
        if self.skipped > 0 {
            self.unbalanced = true;
        }
        while let Some(open) = self.stack.pop() {
            self.unbalanced = true;
            recover::unclosed_block(self, open, None);
        }
    }

    /// Notes an error, unless it stands in a block that is passed over.
    pub(super) fn error(&mut self, error: SyntaxError) {
        if self.skipped > 0 {
            return;
        }
        self.error_count += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }

    fn finish(mut self) -> Parsed<Tree> {
        // Of a template, braces may match in one branch only: nothing is known of the file that comes out of it.
        let template = self.template && self.saw_tag;
        if template {
            self.errors.clear();
        }
        self.errors.sort_by_key(|error| (error.at.start, error.at.end));
        Parsed { tree: self.tree, errors: self.errors, comments: self.comments, template, ..Parsed::default() }
    }
}
