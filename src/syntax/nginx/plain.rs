//! Tokens that bytes alone tell: a pre-scan in front of the grammar.
//!
//! Blanks, marks, comments, words of plain letters and strings without a backslash are nearly all there is, and a look
//! into a table for each byte costs a tenth of what a comparison of characters costs in pest. Whatever needs more than
//! a byte and the next one to be told (a backslash, `${`, a quote that nothing closes, a template tag) is left to the
//! grammar. What is cut here is what the grammar would cut: a test holds the two against each other.

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
            Some(b'{') if template && opens_tag(bytes, at) => return None,
            Some(b'$') if bytes.get(at + 1) != Some(&b'{') => {}
            Some(b'<') if !template || !opens_tag(bytes, at) => {}
            Some(b'$' | b'<' | b'\\') => return None,
            _ => return Some(at),
        }
        at += 1;
    }
}

/// The end of the string that begins at `start`, if it holds neither a backslash nor, in a template, what may be a tag.
fn string(bytes: &[u8], start: usize, quote: u8, template: bool) -> Option<usize> {
    let inside = bytes.get(start + 1..)?;
    let length = memchr2(quote, b'\\', inside).filter(|end| inside.get(*end) == Some(&quote))?;
    let plain = !template || memchr2(b'{', b'<', inside.get(..length)?).is_none();
    plain.then_some(start + length + 2)
}

/// Whether a `{` or `<` begins a template tag.
fn opens_tag(bytes: &[u8], at: usize) -> bool {
    matches!((bytes.get(at), bytes.get(at + 1)), (Some(b'{'), Some(b'{' | b'%' | b'#')) | (Some(b'<'), Some(b'%')))
}
