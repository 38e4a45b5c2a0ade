//! Text → tokens, one at a time: most by a look at their bytes (`plain`), the others by the grammar, which defines all
//! of them. What pest keeps of a token is gone when the next one is asked for, whatever the size of the text.

use super::plain::{self, Look};
use pest::Parser;

/// Parser made from the grammar.
#[derive(pest_derive::Parser)]
#[grammar = "grammar/haproxy.pest"]
struct Grammar;

/// A piece of the text, and what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) rule: Rule,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether HAProxy reads it as it is written: a word without quotes and backslashes.
    pub(super) written: bool,
}

/// The tokens of a text, in its order.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Where the next token is looked for.
    at: usize,
    /// Whether a word ends there: then a CR ends the line.
    behind_word: bool,
}

impl<'a> Lexer<'a> {
    /// Reads from an offset on, where a line begins.
    pub(super) const fn new(text: &'a str, at: usize) -> Self {
        Self { text, at, behind_word: false }
    }

    /// Passes over the rest of the line.
    pub(super) fn skip_line(&mut self) {
        self.at = plain::line_end(self.text.as_bytes(), self.at);
        self.behind_word = false;
    }

    /// The word at `start`, or the rest of its line, as the grammar has it. pest looks no further than the line goes.
    #[cold]
    fn by_grammar(&self, start: usize) -> Option<Token> {
        let pair = Grammar::parse(Rule::token, self.text.get(start..)?).ok()?.next()?;
        Some(Token { rule: pair.as_rule(), start, end: start + pair.as_span().end(), written: false })
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        let bytes = self.text.as_bytes();
        let token = if self.behind_word && bytes.get(self.at) == Some(&b'\r') {
            Token { rule: Rule::tail, start: self.at, end: plain::line_end(bytes, self.at), written: true }
        } else {
            match plain::look(bytes, self.at) {
                Look::Plain(token) => token,
                Look::Other(start) => self.by_grammar(start)?,
                Look::End => return None,
            }
        };
        self.at = token.end;
        self.behind_word = token.rule == Rule::word;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::dice::Dice;

    type Cut = (Rule, usize, usize);

    fn by_the_grammar(text: &str) -> Vec<Cut> {
        let tokens = Grammar::parse(Rule::lines, text).expect("the grammar takes whatever it is given");
        tokens.map(|token| (token.as_rule(), token.as_span().start(), token.as_span().end())).collect()
    }

    fn one_by_one(text: &str) -> Vec<Cut> {
        Lexer::new(text, 0).map(|token| (token.rule, token.start, token.end)).collect()
    }

    #[test]
    fn bytes_and_grammar_cut_the_same_tokens() {
        const PIECES: [&str; 32] = [
            "server", "a", " ", "  ", "\t", "\n", "\n", "\r", "\r\n", "\u{0B}", "#", "\"", "\"", "'", "'", "\\",
            "\\\"", "\\ ", "$", "${", "${X-", "}", "[*]", "%[src]", "é", "\u{7F}", "\u{0}", "\u{1F}", "\"x y\"",
            "'x # y'", "\\x41", "\u{85}",
        ];
        let mut dice = Dice(502);
        for _ in 0..20_000 {
            let count = dice.below(24);
            let text: String = (0..count).map(|_| PIECES[dice.below(PIECES.len())]).collect();
            assert_eq!(one_by_one(&text), by_the_grammar(&text), "{text:?}");
        }
    }

    #[test]
    fn each_byte_alone_and_between_letters() {
        for byte in 0..=0x7F_u8 {
            let c = char::from(byte);
            for text in
                [format!("{c}"), format!("a{c}b"), format!("a {c}"), format!("{c}{c}"), format!("'{c}' \"{c}\"")]
            {
                assert_eq!(one_by_one(&text), by_the_grammar(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let text = "bind :80 \"a b\" a\\ b 'c' # x";
        let written: Vec<_> = Lexer::new(text, 0).map(|token| (&text[token.start..token.end], token.written)).collect();
        assert_eq!(
            written,
            [("bind", true), (":80", true), ("\"a b\"", false), ("a\\ b", false), ("'c'", false), ("# x", true)]
        );
    }
}
