//! What the author meant, where nginx would give up. Only asked when the strict reading has failed, so that a guess
//! never accuses a file that nginx would take.

use memchr::{memchr, memchr_iter, memrchr};

use super::build::{Builder, Mode, Open};
use super::lex::{Flow, Rule};
use super::names::{Arguments, arguments};
use super::{Body, Word, decode, index};
use crate::syntax::limits::MAX_DEPTH;
use crate::syntax::{Mend, SyntaxError};

/// Longest piece of the text that a message repeats, in characters.
const SHOWN: usize = 60;

/// A word longer than this, in bytes, is no name that we know: hostile words are not looked at again and again.
const LONGEST_NAME: usize = 64;

/// The number of blanks before `at`, if nothing else stands before it on its line.
pub(super) fn indent_of(text: &str, at: usize) -> Option<usize> {
    let before = text.as_bytes().get(..at)?;
    let indent = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    matches!(before.get(..at - indent)?.last(), None | Some(b'\n')).then_some(indent)
}

impl Builder<'_> {
    /// Looks at a token before it is taken: does a new statement begin here, though the old one has not ended?
    pub(super) fn before(&mut self, rule: Rule, at: usize) {
        let Some(indent) = indent_of(self.text, at) else { return };
        self.line_indent = indent;
        if !matches!(rule, Rule::word | Rule::holed) {
            return;
        }
        if self.pending() > 0 && !self.in_table() && self.begins_statement(at, indent) {
            let name = name_at(self.text, at);
            let label = format!("the next directive, `{name}`, begins here");
            no_semicolon(self, Some((at, at + name.len(), &label)));
        }
        if self.mode == Mode::GuessByIndent && self.pending() == 0 && self.skipped == 0 {
            self.close_left_behind(indent, at);
        }
    }

    /// Whether the word at `at`, first on its line, is the name of a directive and no argument.
    fn begins_statement(&self, at: usize, indent: usize) -> bool {
        if arguments(name_at(self.text, at)).is_none() {
            return false;
        }
        let words = self.tree.words.get(self.first..).unwrap_or_default();
        indent <= self.statement_indent || is_full(self.text, words)
    }

    /// A statement at the indentation of an open block, or left of it, stands outside that block.
    fn close_left_behind(&mut self, indent: usize, at: usize) {
        while let Some(open) = self.stack.last().copied() {
            if open.indent < indent {
                return;
            }
            self.stack.pop();
            unclosed_block(self, open, Some((at, "this stands outside it, by its indentation")));
        }
    }
}

/// The unquoted word at `at`.
fn name_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let length =
        rest.bytes().take(LONGEST_NAME).take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    match rest.as_bytes().get(length) {
        None | Some(b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{') => rest.get(..length).unwrap_or_default(),
        _ => "",
    }
}

/// What is known of the directive of this name, quoted or not.
fn arguments_of(name: Word, text: &str) -> Option<Arguments> {
    let raw = name.raw(text);
    if raw.len() > LONGEST_NAME { None } else { arguments(&decode(raw)) }
}

/// Whether a directive with these words has all the arguments it can take.
fn is_full(text: &str, words: &[Word]) -> bool {
    let Some((first, rest)) = words.split_first() else { return false };
    match arguments_of(*first, text) {
        Some(Arguments::UpTo(most)) => rest.len() >= usize::from(most),
        Some(Arguments::Own) => !rest.is_empty(),
        Some(Arguments::Any) | None => false,
    }
}

/// Whether these words, which span lines, are two statements: the first is full, and on a later line begins the name
/// of a directive. nginx would refuse them as one statement in any case.
pub(super) fn is_joined(text: &str, words: &[Word]) -> bool {
    let Some(first) = words.first() else { return false };
    // Where a second statement can begin at the earliest.
    let from = match arguments_of(*first, text) {
        Some(Arguments::UpTo(most)) => usize::from(most) + 1,
        Some(Arguments::Own) => 2,
        Some(Arguments::Any) | None => return false,
    };
    if words.len() <= from {
        return false;
    }
    words.iter().skip(from).any(|word| {
        let at = word.start as usize;
        arguments(name_at(text, at)).is_some() && indent_of(text, at).is_some()
    })
}

/// Ends the statement in hand, which lacks its `;`. `next` is what follows: offsets and a label.
pub(super) fn no_semicolon(builder: &mut Builder<'_>, next: Option<(usize, usize, &str)>) {
    let text = builder.text;
    let words = builder.tree.words.get(builder.first..).unwrap_or_default();
    let (Some(first), Some(last)) = (words.first().copied(), words.last().copied()) else { return };
    let whole = text.get(first.start as usize..last.end as usize).unwrap_or_default();
    let help = if whole.contains(['\n', '\r']) || whole.chars().count() > SHOWN {
        format!("write a `;` after `{}`", shown(last.raw(text)))
    } else {
        format!("write `{whole};`")
    };
    let mend = Mend { certain: !whole.contains('\n'), ..*Mend::certain("put a `;` after it", last.end..last.end, ";") };
    let error = SyntaxError {
        mend: Some(Box::new(mend)),
        message: "this directive lacks its `;`".into(),
        at: last_character(text, last),
        label: format!("`;` missing after `{}`", shown(last.raw(text))),
        others: next.map(|(start, end, label)| (index(start)..index(end), label.to_owned())).into_iter().collect(),
        help: Some(help),
    };
    builder.error(error);
    builder.end_statement(last.end as usize, Body::None);
}

/// Text follows a closing quote. If the string spans lines, its opening quote was never closed and this is another.
pub(super) fn after_quote(builder: &mut Builder<'_>, start: usize, end: usize) -> Flow {
    let text = builder.text;
    let string = text.get(start..end).unwrap_or_default();
    if string.contains('\n') {
        return quote(builder, start, end, Some(end - 1));
    }
    if text.as_bytes().get(end) == Some(&b'}') {
        // Then a `;` is missing, which the `}` will say.
        push(builder, start, end);
        return Flow::On;
    }
    // No more than a message shows: the next string may be glued to this one, and the next to that.
    let rest = text.get(end..).unwrap_or_default();
    let length = rest
        .chars()
        .take(SHOWN)
        .take_while(|c| !matches!(c, ' ' | '\t' | '\r' | '\n' | ';' | '{'))
        .map(char::len_utf8)
        .sum();
    let glued = rest.get(..length).unwrap_or_default();
    builder.error(SyntaxError {
        mend: None,
        message: "text stands right after a closing quote".into(),
        at: index(end)..index(end + length),
        label: "after a closing quote nginx takes only a blank, `;`, `{` or `)`".into(),
        others: vec![(index(start)..index(end), "this string ends here".into())],
        help: Some(format!("put a blank before `{}`, or all of it into one pair of quotes", shown(glued))),
    });
    push(builder, start, end);
    Flow::On
}

/// A quote that is never closed, or closed by accident at `accident`, lines later. Reading goes on behind what was
/// probably meant to be the string: at the end of the directive on the quote's line.
pub(super) fn quote(builder: &mut Builder<'_>, start: usize, end: usize, accident: Option<usize>) -> Flow {
    let text = builder.text;
    let string = text.get(start..end).unwrap_or_default();
    let line = string.lines().next().unwrap_or_default();
    let trimmed = line.trim_end();
    let cut = match memrchr(b';', trimmed.as_bytes()) {
        Some(i) => i,
        None => trimmed.strip_suffix('{').map_or(trimmed.len(), |rest| rest.trim_end().len()),
    };
    let cut = cut.max(1);
    let word = line.get(..cut).unwrap_or_default();
    let quote = word.chars().next().unwrap_or('"');
    let others = accident.map(|at| (index(at)..index(at + 1), "this quote closes it by accident".to_owned()));
    let end = index(start + cut);
    let close = if quote == '"' { "\"" } else { "'" };
    let mend = Mend { certain: false, ..*Mend::certain("close the quote where the directive ends", end..end, close) };
    builder.error(SyntaxError {
        mend: Some(Box::new(mend)),
        message: "this quote is never closed".into(),
        at: index(start)..index(start + 1),
        label: "the string that begins here runs on over the following lines".into(),
        others: others.into_iter().collect(),
        help: Some(format!("write `{}{quote}`", shown(word))),
    });
    push(builder, start, start + cut);
    Flow::Jump(start + cut)
}

fn push(builder: &mut Builder<'_>, start: usize, end: usize) {
    if builder.pending() == 0 {
        builder.statement_indent = builder.line_indent;
    }
    builder.tree.words.push(Word { start: index(start), end: index(end) });
}

/// Whether the `}` at `at` closes nothing, by its indentation. Ends the blocks that it shows to be left open.
pub(super) fn is_stray(builder: &mut Builder<'_>, at: usize) -> bool {
    let Some(indent) = indent_of(builder.text, at) else { return builder.stack.is_empty() };
    let Some(top) = builder.stack.last().copied() else { return true };
    if indent >= top.indent {
        return indent > top.indent;
    }
    if !builder.stack.iter().any(|open| open.indent == indent) {
        return false;
    }
    while let Some(open) = builder.stack.last().copied().filter(|open| open.indent > indent) {
        builder.stack.pop();
        unclosed_block(builder, open, Some((at, "this `}` lines up with an outer block")));
    }
    false
}

/// Ends a block that nothing closes, and says so.
pub(super) fn unclosed_block(builder: &mut Builder<'_>, open: Open, seen: Option<(usize, &str)>) {
    builder.unbalanced = true;
    builder.close_block(open, builder.last_end, None);
    let Some(node) = builder.tree.nodes.get(open.node as usize).copied() else { return };
    let Body::Block { open: brace, .. } = node.body() else { return };
    let head = builder.text.get(node.start as usize..brace as usize).unwrap_or_default();
    let from = if head.contains('\n') { brace } else { node.start };
    // What stands there may be any letter.
    let letter = |at: usize| builder.text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
    let others = seen.map(|(at, label)| (index(at)..index(at + letter(at)), label.to_owned())).into_iter().collect();
    builder.error(SyntaxError {
        mend: None,
        message: "this block is never closed".into(),
        at: from..brace + 1,
        label: "opened here".into(),
        others,
        help: Some("write `}` where the block is meant to end".into()),
    });
}

pub(super) fn stray(at: usize) -> SyntaxError {
    SyntaxError {
        mend: None,
        message: "this `}` closes nothing".into(),
        at: index(at)..index(at + 1),
        label: "no block is open here".into(),
        others: Vec::new(),
        help: Some("take it out, or see whether a block above is closed twice".into()),
    }
}

pub(super) fn lone_semicolon(text: &str, last_end: usize, at: usize) -> SyntaxError {
    let before = text.get(..last_end).and_then(|before| before.chars().next_back());
    SyntaxError {
        mend: Some(Mend::certain("take the `;` out", index(at)..index(at + 1), "")),
        message: "nothing stands before this `;`".into(),
        at: index(at)..index(at + 1),
        label: match before {
            Some(';') => "a second `;`: nginx refuses the file".into(),
            Some('}') => "a block ends with `}` alone: nginx refuses the file".into(),
            _ => "a `;` without a directive: nginx refuses the file".into(),
        },
        others: Vec::new(),
        help: Some("take the `;` out".into()),
    }
}

pub(super) fn nameless(at: usize) -> SyntaxError {
    SyntaxError {
        mend: None,
        message: "this block has no name".into(),
        at: index(at)..index(at + 1),
        label: "nothing stands before this `{`".into(),
        others: Vec::new(),
        help: Some("write the directive that the block belongs to before the `{`".into()),
    }
}

pub(super) fn too_deep(at: usize) -> SyntaxError {
    SyntaxError {
        mend: None,
        message: format!("blocks are nested more than {MAX_DEPTH} deep"),
        at: index(at)..index(at + 1),
        label: "this block and what is inside is passed over".into(),
        others: Vec::new(),
        help: None,
    }
}

pub(super) fn lua_unclosed(at: usize) -> SyntaxError {
    SyntaxError {
        mend: None,
        message: "this Lua block is never closed".into(),
        at: index(at)..index(at + 1),
        label: "opened here".into(),
        others: Vec::new(),
        help: Some("in a Lua block the braces outside strings and comments must match".into()),
    }
}

/// Where a Lua block without an end was probably meant to end: at the first `}` that begins a line at the statement's
/// indentation or left of it. Else with the text.
pub(super) fn lua_end(text: &str, open: usize, indent: usize) -> usize {
    let rest = text.as_bytes().get(open..).unwrap_or_default();
    for newline in memchr_iter(b'\n', rest) {
        let line = rest.get(newline + 1..).unwrap_or_default();
        let blanks = line.iter().take(indent + 1).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if blanks <= indent && line.get(blanks) == Some(&b'}') {
            return open + newline + 1 + blanks;
        }
    }
    text.len()
}

/// The last character of a word.
fn last_character(text: &str, word: Word) -> std::ops::Range<u32> {
    let length = word.raw(text).chars().next_back().map_or(0, char::len_utf8);
    word.end - index(length)..word.end
}

/// A piece of the text for a message: one line, not too long.
fn shown(raw: &str) -> String {
    let line = raw.get(..memchr(b'\n', raw.as_bytes()).unwrap_or(raw.len())).unwrap_or_default();
    let mut shown: String = line.chars().take(SHOWN).map(|c| if c.is_control() { '?' } else { c }).collect();
    if shown.len() < raw.len() {
        shown.push('…');
    }
    shown
}

/// The end of `{4}`, `{2,}`, `{1,3}` at an offset: a pattern's repetition, no block.
pub(super) fn quantifier(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?.strip_prefix('{')?;
    // No pattern repeats more often than a few thousand times.
    let end = rest.bytes().take(12).position(|b| b == b'}')?;
    let inside = rest.get(..end)?;
    let fits = inside.starts_with(|c: char| c.is_ascii_digit());
    (fits && inside.bytes().all(|b| b.is_ascii_digit() || b == b',')).then_some(at + end + 2)
}

/// The error for a pattern with a repetition and without quotes.
pub(super) fn bare_quantifier(pattern: &str, word: std::ops::Range<u32>, at: usize, close: usize) -> SyntaxError {
    let edits = vec![(word.start..word.start, "\""), (word.end..word.end, "\"")];
    let mend = Mend { title: "put the pattern in quotes".into(), edits, certain: true };
    SyntaxError {
        mend: Some(Box::new(mend)).filter(|_| !pattern.contains('"')),
        message: "nginx takes the brace in this pattern for the start of a block".into(),
        at: index(at)..index(close),
        label: "a brace ends the word before it, unless the word is quoted".into(),
        others: Vec::new(),
        help: Some(format!("put the pattern in quotes: `\"{pattern}\"`")),
    }
}
