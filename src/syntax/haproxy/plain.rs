//! Tokens that bytes alone tell: a pre-scan in front of the grammar.
//!
//! Blanks, line ends, comments, words of plain letters and quotes without variables are nearly all there is, and a look
//! into a table for each byte costs a tenth of what a comparison of characters costs in pest. Whatever needs more than that
//! to be told (a backslash, a quote with a variable in it or that nothing closes) is left to the grammar. What is cut
//! here is what the grammar would cut: a test holds the two against each other.

use super::lex::{Rule, Token};
use memchr::{memchr, memchr3};

/// What stands at a place.
pub(super) enum Look {
    /// A token.
    Plain(Token),
    /// A word for the grammar, which begins here.
    Other(usize),
    /// Nothing but blanks up to the end.
    End,
}

/// What a byte does in a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    /// Part of a word.
    Letter,
    /// Stands between words.
    Blank,
    /// `#` and the line feed: ends a word.
    Mark,
    /// Opens a quote, also in the middle of a word.
    Quote,
    /// Decided by what follows.
    Doubtful,
}

/// What each byte does. Bytes of characters beyond ASCII are letters, and so are most control characters.
const BYTES: [Byte; 256] = {
    let mut bytes = [Byte::Letter; 256];
    let mut at = 0;
    while at < 256 {
        bytes[at] = match at as u8 {
            b' ' | b'\t' | b'\r' | 0x0B | 0x0C => Byte::Blank,
            b'\n' | b'#' => Byte::Mark,
            b'"' | b'\'' => Byte::Quote,
            b'\\' => Byte::Doubtful,
            _ => Byte::Letter,
        };
        at += 1;
    }
    bytes
};

/// The token at `at` or behind the blanks that stand there.
#[inline]
pub(super) fn look(bytes: &[u8], at: usize) -> Look {
    let mut start = at;
    while let Some(byte) = bytes.get(start)
        && BYTES[usize::from(*byte)] == Byte::Blank
    {
        start += 1;
    }
    match bytes.get(start) {
        None => Look::End,
        Some(b'\n') => Look::Plain(Token { rule: Rule::newline, start, end: start + 1, written: true }),
        Some(b'#') => Look::Plain(Token { rule: Rule::comment, start, end: line_end(bytes, start), written: true }),
        Some(_) => word(bytes, start).map_or(Look::Other(start), Look::Plain),
    }
}

/// The word that begins at `start`.
#[inline]
fn word(bytes: &[u8], start: usize) -> Option<Token> {
    let (mut at, mut written) = (start, true);
    loop {
        match bytes.get(at).map_or(Byte::Blank, |byte| BYTES[usize::from(*byte)]) {
            Byte::Letter => at += 1,
            Byte::Blank | Byte::Mark => return Some(Token { rule: Rule::word, start, end: at, written }),
            Byte::Quote => (at, written) = (quote(bytes, at)?, false),
            Byte::Doubtful => return None,
        }
    }
}

/// The end of the quote that begins at `start`, if nothing in it asks for a second look.
fn quote(bytes: &[u8], start: usize) -> Option<usize> {
    let (quote, inside) = (*bytes.get(start)?, bytes.get(start + 1..)?);
    let length = memchr3(quote, b'\n', b'\r', inside).filter(|length| inside.get(*length) == Some(&quote))?;
    let plain = quote == b'\'' || memchr::memchr2(b'\\', b'$', inside.get(..length)?).is_none();
    plain.then_some(start + length + 2)
}

/// The end of the line that a place stands in, without its line feed.
pub(super) fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr(b'\n', rest).map_or(bytes.len(), |length| at + length)
}
