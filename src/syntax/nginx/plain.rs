//! Tokens that bytes alone tell: a pre-scan in front of the grammar.
//!
//! Nearly all of a configuration is made of blanks, marks, comments, words and strings, and a look into a table for each
//! byte costs a tenth of what a comparison of characters costs in pest. Whatever takes more to be told (a quote that
//! nothing closes, whatever may hold a template tag) is left to the grammar. What is cut here is what the grammar would
//! cut: a test holds the two against each other.

use super::lex::{Rule, Token};
use memchr::{memchr, memchr2};

/// What stands at a place.
pub(super) enum Look {
    /// A token.
    Plain(Token),
    /// A token for the grammar, which begins here.
    Other(usize),
    /// Nothing but blanks up to the end.
    End,
}

/// A table in which these bytes are marked.
const fn table(marked: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < marked.len() {
        table[marked[at] as usize] = true;
        at += 1;
    }
    table
}

/// What stands between tokens.
const BLANK: [bool; 256] = table(b" \t\r\n");

/// What ends a word, or may.
const ENDS_WORD: [bool; 256] = table(b" \t\r\n;{$\\<");

/// What belongs to a `$` before it.
const OPENS: [bool; 256] = table(b"{");

/// The first place from `at` on with a byte that is marked, or that is not; else the end of the text.
fn find(bytes: &[u8], at: usize, table: &[bool; 256], marked: bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| table[usize::from(*byte)] == marked).unwrap_or(rest.len())
}

/// The token at `at` or behind the blanks that stand there. `template`: the text may hold template tags.
#[inline]
pub(super) fn look(bytes: &[u8], at: usize, template: bool) -> Look {
    let start = find(bytes, at, &BLANK, false);
    let Some(&first) = bytes.get(start) else { return Look::End };
    let end = match first {
        b';' | b'}' => return Look::Plain(Token { rule: Rule::mark, start, end: start + 1 }),
        b'{' if template && opens_tag(bytes, start) => return Look::Other(start),
        b'{' => return Look::Plain(Token { rule: Rule::mark, start, end: start + 1 }),
        b'#' => {
            let rest = bytes.get(start..).unwrap_or_default();
            let end = memchr(b'\n', rest).map_or(bytes.len(), |newline| start + newline);
            return Look::Plain(Token { rule: Rule::comment, start, end });
        }
        quote @ (b'"' | b'\'') => {
            let rule = if template { Rule::quoted_holed } else { Rule::quoted };
            let end = string(bytes, start, quote, template);
            return end.map_or(Look::Other(start), |end| Look::Plain(Token { rule, start, end }));
        }
        _ => word(bytes, start, template),
    };
    let rule = if template { Rule::holed } else { Rule::word };
    end.map_or(Look::Other(start), |end| Look::Plain(Token { rule, start, end }))
}

/// The end of the word that begins at `start`.
#[inline]
fn word(bytes: &[u8], start: usize, template: bool) -> Option<usize> {
    let mut at = start;
    loop {
        at = find(bytes, at, &ENDS_WORD, true);
        match bytes.get(at) {
            Some(b'{' | b'<') if template && opens_tag(bytes, at) => return None,
            Some(b'$') if template && bytes.get(at + 1) == Some(&b'{') => return None,
            Some(b'$') => at = find(bytes, at + 1, &OPENS, false),
            // What it protects is a letter here, and so is the rest of a character beyond ASCII.
            Some(b'\\') => at += 2,
            Some(b'<') => at += 1,
            // A backslash may be the last byte of all.
            _ => return Some(at.min(bytes.len())),
        }
    }
}

/// The end of the string that begins at `start`, if something closes it and, in a template, nothing in it may be a tag.
fn string(bytes: &[u8], start: usize, quote: u8, template: bool) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr2(quote, b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&quote) {
            break;
        }
        at += 2;
    }
    let plain = !template || memchr2(b'{', b'<', bytes.get(start..at)?).is_none();
    plain.then_some(at + 1)
}

/// Whether a `{` or `<` begins a template tag.
fn opens_tag(bytes: &[u8], at: usize) -> bool {
    matches!((bytes.get(at), bytes.get(at + 1)), (Some(b'{'), Some(b'{' | b'%' | b'#')) | (Some(b'<'), Some(b'%')))
}
