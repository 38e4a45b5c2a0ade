//! From tokens to the arena: lines, sections, `.if` blocks, and what HAProxy would refuse to read.

mod errors;

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memmem, memrchr};

use super::decode;
use super::lex::{Lexer, Rule, Token};
use super::{Condition, ConditionId, Line, LineId, LineKind, MAX_CONDITIONS, MAX_WORDS, Near, Section, SectionId};
use super::{SectionKeyword, Tree, Word, tags};
use crate::syntax::limits::MAX_ERRORS;
use crate::syntax::{Branches, Mend, Parsed, SyntaxError, branches};

/// How far a line is read whose words are more than HAProxy takes. (A comment may follow them.)
const LONG: usize = 32 * 1024;

const BOM: &str = "\u{feff}";

pub(super) fn parse(text: &str) -> Parsed<Tree> {
    let foreign = branches::terraform(text, false);
    let plain = foreign.as_deref().unwrap_or(text);
    let branches = (plain.contains("{{") || plain.contains("{%") || plain.contains("<%"))
        .then(|| Branches::read(text, true))
        .flatten();
    let Some(branches) = branches else { return one(plain) };
    let read: Vec<_> = (0..branches.readings())
        .map(|reading| {
            let mut bytes = plain.as_bytes().to_vec();
            branches.blank(&mut bytes, reading);
            // Whole tags stand between what is blanked: this is still UTF-8.
            String::from_utf8(bytes).map_or_else(|_| one(plain), |text| one(&text))
        })
        .collect();
    Parsed::together(read, branches).unwrap_or_default()
}

/// One reading of a text.
fn one(text: &str) -> Parsed<Tree> {
    let mut builder = Builder { text, ..Builder::default() };
    if u32::try_from(text.len()).is_err() {
        builder.error(0..0, "this file is too large to be read", "over 4 GiB", "");
        return builder.finish();
    }
    builder.tree.tags = tags::find(text);
    builder.template = !builder.tree.tags.is_empty();
    let masked;
    let seen = if builder.template {
        masked = tags::mask(text, &builder.tree.tags);
        masked.as_str()
    } else {
        text
    };
    builder.bytes_that_break(seen);
    let begin = if seen.starts_with(BOM) { BOM.len() } else { 0 };
    builder.read(seen, begin);
    builder.end_of_file();
    builder.finish()
}

/// An `.if` that is not closed yet.
#[derive(Debug)]
struct Open {
    chain: u32,
    branches: u32,
    /// The branch around it.
    parent: Option<ConditionId>,
    /// The branch that is being read; the one around it where the nesting is too deep to be followed.
    current: Option<ConditionId>,
    at: Word,
    other: Option<Word>,
}

#[derive(Debug, Default)]
struct Builder<'t> {
    text: &'t str,
    tree: Tree,
    errors: Vec<SyntaxError>,
    dropped: usize,
    comments: Vec<Range<u32>>,
    template: bool,
    // The line that is being read.
    words: Vec<Word>,
    broken: bool,
    scope: bool,
    /// Whether some of its words are not read as they are written.
    unread: bool,
    // What is open.
    section: Option<SectionId>,
    open: Vec<Open>,
    chains: u32,
    outside: bool,
    too_deep: bool,
}

impl<'t> Builder<'t> {
    /// Reads the tokens of the text from an offset on.
    fn read(&mut self, seen: &str, begin: usize) {
        let mut tokens = Lexer::new(seen, begin);
        let mut line = begin;
        while let Some(token) = tokens.next() {
            let at = token.start as u32..token.end as u32;
            match token.rule {
                Rule::word => self.word(token),
                Rule::newline => {
                    line = token.end;
                    self.end_line();
                }
                Rule::comment => self.comment(at),
                Rule::bad => self.bad(at),
                _ => {}
            }
            if token.end - line > LONG && (self.scope || self.is_full()) {
                tokens.skip_line();
            }
        }
        self.end_line();
    }

    /// Whether the line has more words than HAProxy takes.
    const fn is_full(&self) -> bool {
        self.words.len() > MAX_WORDS as usize
    }

    fn word(&mut self, token: Token) {
        let count = self.words.len();
        if self.scope || self.is_full() {
            return;
        }
        let at = token.start as u32..token.end as u32;
        // A tag may hold quotes.
        let written = token.written && !self.template;
        if count == 0 && self.raw(&at).starts_with('[') {
            self.scope = true;
        }
        // One word too many is kept until the end of the line, to know that there was one.
        if count == MAX_WORDS as usize {
            self.broken = true;
            self.structure(
                at.clone(),
                format!("this line has more than {MAX_WORDS} words"),
                format!("word {}", MAX_WORDS + 1),
                "HAProxy reads at most 64 words on a line; split the line, or put a list into a file (`-f`)",
            );
        } else if !written && let Some((place, fault)) = decode::fault(self.raw(&at)) {
            self.fault(at.start, place, fault);
        }
        self.unread |= !written;
        self.words.push(Word { start: at.start, end: at.end });
    }

    fn comment(&mut self, at: Range<u32>) {
        let raw = self.raw(&at).trim_end_matches('\r');
        if !self.scope && memmem::find(raw.as_bytes(), b"gw502:").is_some() {
            self.comments.push(at.start + 1..at.start + raw.len() as u32);
        }
    }

    fn end_line(&mut self) {
        self.words.truncate(MAX_WORDS as usize);
        let (broken, scope) = (std::mem::take(&mut self.broken), std::mem::take(&mut self.scope));
        let written = !std::mem::take(&mut self.unread);
        let (Some(&word), Some(&last)) = (self.words.first(), self.words.last()) else { return };

        let raw = self.raw(&word.range());
        let keyword = if written { Cow::Borrowed(raw) } else { decode::decode(raw, false).text };
        let section = SectionKeyword::from_word(&keyword);
        let kind = match &*keyword {
            _ if scope => LineKind::Scope,
            "" => LineKind::Ignored,
            ".if" => LineKind::If,
            ".elif" => LineKind::Elif,
            ".else" => LineKind::Else,
            ".endif" => LineKind::Endif,
            ".notice" => LineKind::Notice,
            ".warning" => LineKind::Warning,
            ".alert" => LineKind::Alert,
            ".diag" => LineKind::Diag,
            _ if keyword.starts_with('.') => LineKind::Ignored,
            _ if section.is_some() => LineKind::Header,
            _ => LineKind::Keyword,
        };
        let id = LineId(self.tree.lines.len() as u32);
        match kind {
            LineKind::If => self.open_if(id, word),
            LineKind::Elif | LineKind::Else => self.branch(id, word, kind == LineKind::Else),
            _ => {}
        }
        // A branch's own line stands where its block stands, not in the branch.
        let condition = match kind {
            LineKind::If | LineKind::Elif | LineKind::Else => self.open.last().and_then(|open| open.parent),
            LineKind::Endif => {
                self.close_if(word);
                self.condition()
            }
            _ => self.condition(),
        };
        if matches!(kind, LineKind::Else | LineKind::Endif)
            && let Some(&extra) = self.words.get(1)
        {
            self.structure(
                extra.range(),
                format!("`{keyword}` takes no arguments"),
                "HAProxy refuses this word".to_owned(),
                if kind == LineKind::Else { "for a second condition, write `.elif`" } else { "remove it" },
            );
        }
        match section {
            Some(section) if kind == LineKind::Header => self.open_section(section, id, condition),
            _ => {}
        }
        if kind == LineKind::Ignored && !keyword.is_empty() {
            self.unknown_directive(word, &keyword, condition);
        }
        if kind == LineKind::Keyword && self.section.is_none() {
            self.keyword_outside(word, &keyword, condition);
        }
        let mut line = Line {
            first_word: 0,
            word_count: self.words.len() as u8,
            start: word.start,
            end: last.end,
            kind,
            broken,
            written,
            section: self.section,
            condition,
        };
        if line.is_long() {
            line.first_word = self.tree.far_words.len() as u32;
            self.tree.far_words.append(&mut self.words);
        } else {
            line.first_word = self.tree.words.len() as u32;
            let near = |at: Word| Near { from: (at.start - word.start) as u16, length: (at.end - at.start) as u16 };
            self.tree.words.extend(self.words.drain(..).map(near));
        }
        self.tree.lines.push(line);
        if let Some(section) = self.section.and_then(|id| self.tree.sections.get_mut(id.index())) {
            section.lines.end = id.0 + 1;
        }
    }

    fn open_section(&mut self, keyword: SectionKeyword, header: LineId, condition: Option<ConditionId>) {
        let words = self.words.get(1..).unwrap_or_default();
        let is_from = |word: Option<&Word>| word.is_some_and(|word| self.decoded(*word) == "from");
        // `defaults from other` has no name of its own; `frontend from` is named "from".
        let unnamed = keyword == SectionKeyword::Defaults && is_from(words.first()) && words.len() == 2;
        let name = if unnamed { None } else { words.first().copied() };
        let from = if unnamed { 0 } else { 1 };
        let from = if keyword.is_proxy() && is_from(words.get(from)) { words.get(from + 1).copied() } else { None };
        self.section = Some(SectionId::new(self.tree.sections.len()));
        let lines = header.0 + 1..header.0 + 1;
        self.tree.sections.push(Section { keyword, header, condition, lines, name, from });
    }

    fn condition(&self) -> Option<ConditionId> {
        self.open.last().and_then(|open| open.current)
    }

    fn open_if(&mut self, line: LineId, at: Word) {
        let parent = self.condition();
        self.open.push(Open { chain: self.chains, branches: 0, parent, current: parent, at, other: None });
        self.chains += 1;
        if self.open.len() > MAX_CONDITIONS && !self.too_deep {
            self.too_deep = true;
            self.structure(
                at.range(),
                format!("more than {MAX_CONDITIONS} `.if` stand inside each other"),
                "one too many".to_owned(),
                "HAProxy stops reading here",
            );
        }
        self.add_branch(line);
    }

    fn add_branch(&mut self, line: LineId) {
        let follow = self.open.len() <= MAX_CONDITIONS;
        let id = ConditionId::new(self.tree.conditions.len());
        let Some(open) = self.open.last_mut().filter(|_| follow) else { return };
        self.tree.conditions.push(Condition { line, parent: open.parent, chain: open.chain, branch: open.branches });
        open.branches += 1;
        open.current = Some(id);
    }

    fn branch(&mut self, line: LineId, at: Word, is_else: bool) {
        let word = if is_else { ".else" } else { ".elif" };
        let Some(open) = self.open.last_mut() else {
            self.structure(
                at.range(),
                format!("this `{word}` has no `.if`"),
                "no `.if` is open here".to_owned(),
                "add the `.if` above, or remove this line; a block must begin and end in one file",
            );
            return;
        };
        let before = open.other;
        if is_else {
            open.other = before.or(Some(at));
        }
        if let Some(before) = before {
            self.structure(
                at.range(),
                format!("this `{word}` stands behind the `.else` of its block"),
                "HAProxy refuses it here".to_owned(),
                "`.else` must be the last branch; is an `.endif` missing above?",
            );
            if let Some(error) = self.errors.last_mut().filter(|error| error.at == at.range()) {
                error.others.push((before.range(), "the `.else`".to_owned()));
            }
        }
        self.add_branch(line);
    }

    fn close_if(&mut self, at: Word) {
        if self.open.pop().is_none() {
            self.structure(
                at.range(),
                "this `.endif` has no `.if`".to_owned(),
                "no `.if` is open here".to_owned(),
                "remove it, or add the `.if` above; a block must begin and end in one file",
            );
        }
    }

    fn end_of_file(&mut self) {
        while let Some(open) = self.open.pop() {
            // Of those that are too deep, one has been said.
            if self.open.len() >= MAX_CONDITIONS {
                continue;
            }
            self.structure(
                open.at.range(),
                "this `.if` is not closed".to_owned(),
                "still open at the end of the file".to_owned(),
                "add `.endif`; a block cannot go on in the next file",
            );
        }
        let length = self.text.len();
        if length > 0 && !self.text.ends_with('\n') {
            let line_start = memrchr(b'\n', self.text.as_bytes()).map_or(0, |at| at + 1);
            let shown = self.text.get(line_start..).unwrap_or("").chars().next_back().map_or(1, char::len_utf8);
            self.structure(
                (length - shown) as u32..length as u32,
                "the last line does not end in a line feed".to_owned(),
                "the file ends here".to_owned(),
                "add an empty line at the end; HAProxy 2.3 and later takes the file for cut off and does not start",
            );
            if !self.template {
                let end = length as u32;
                self.mend(Mend::certain("end the last line", end..end, "\n"));
            }
        }
    }

    fn finish(mut self) -> Parsed<Tree> {
        self.errors.sort_by_key(|error| error.at.start);
        if self.errors.len() > MAX_ERRORS {
            self.dropped += self.errors.len() - (MAX_ERRORS - 1);
            let at = self.errors[MAX_ERRORS - 1].at.clone();
            self.errors.truncate(MAX_ERRORS - 1);
            self.errors.push(SyntaxError {
                mend: None,
                message: format!("{} more errors in this file are not shown", self.dropped),
                at,
                label: "the first of them".to_owned(),
                others: Vec::new(),
                help: None,
            });
        }
        Parsed {
            tree: self.tree,
            errors: self.errors,
            comments: self.comments,
            template: self.template,
            ..Parsed::default()
        }
    }

    fn raw(&self, at: &Range<u32>) -> &'t str {
        self.text.get(at.start as usize..at.end as usize).unwrap_or("")
    }

    fn decoded(&self, word: Word) -> String {
        decode::decode(self.raw(&word.range()), false).text.into_owned()
    }
}
