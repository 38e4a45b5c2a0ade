//! Text → tokens, one at a time: most by a look at their bytes (`plain`), the others by the grammar, which defines all
//! of them. What pest keeps of a token is gone when the next one is asked for, whatever the size of the text.

use super::plain::{self, Look};
use pest::Parser;

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/nginx.pest"]
struct Grammar;

/// A piece of the text, and what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) rule: Rule,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What the taker of a token wants next.
pub(super) enum Flow {
    /// The next token.
    On,
    /// Go on reading at this offset (beyond the start of the token).
    Jump(usize),
    /// No more.
    Stop,
}

/// The tokens of a text, in its order.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Where the next token is looked for.
    at: usize,
    template: bool,
}

impl<'a> Lexer<'a> {
    /// Reads from an offset on. `template`: the text may hold template tags.
    pub(super) const fn new(text: &'a str, at: usize, template: bool) -> Self {
        Self { text, at, template }
    }

    /// Reads on at another place.
    pub(super) const fn jump(&mut self, to: usize) {
        self.at = to;
    }

    /// The token at `start`, as the grammar has it. pest looks no further than the token goes, a quote that nothing
    /// closes and a tag's line aside.
    #[cold]
    fn by_grammar(&self, start: usize) -> Option<Token> {
        let entry = if self.template { Rule::template_token } else { Rule::token };
        let pair = Grammar::parse(entry, self.text.get(start..)?).ok()?.next()?;
        Some(Token { rule: pair.as_rule(), start, end: start + pair.as_span().end() })
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        let token = match plain::look(self.text.as_bytes(), self.at, self.template) {
            Look::Plain(token) => token,
            Look::Other(start) => self.by_grammar(start)?,
            Look::End => return None,
        };
        self.at = token.end;
        Some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::dice::Dice;
    use std::fs;

    fn tokens(text: &str, template: bool) -> Vec<Token> {
        Lexer::new(text, 0, template).collect()
    }

    /// The tokens of the whole text as the grammar alone has them.
    fn defined(text: &str, template: bool) -> Vec<Token> {
        let entry = if template { Rule::template } else { Rule::file };
        let pairs = Grammar::parse(entry, text).expect("the last alternative takes whatever is left");
        pairs
            .map(|pair| Token { rule: pair.as_rule(), start: pair.as_span().start(), end: pair.as_span().end() })
            .collect()
    }

    #[track_caller]
    fn agree(text: &str) {
        for template in [false, true] {
            let (found, defined) = (tokens(text, template), defined(text, template));
            if found != defined {
                let at = found.iter().zip(&defined).take_while(|(one, other)| one == other).count();
                panic!("{:?} is {:?}, template: {template}, in {text:?}", found.get(at), defined.get(at));
            }
        }
    }

    /// Whatever opens, ends or joins something, and letters between.
    const PIECES: [&str; 38] = [
        "a", "Z9_", "listen", " ", "  ", "\t", "\n", "\r\n", "\u{b}", "\u{0}", "\u{7f}", "\u{85}", "\u{a0}", "é", "😀",
        ";", "{", "}", "{{", "}}", "{%", "%}", "<%", "<%=", "%>", "{#", "#}", "#", "\"", "'", "\\", "$", "${", "$$",
        "<", "%", "if", "x",
    ];

    #[test]
    fn tokens_are_those_of_the_grammar() {
        for first in PIECES {
            for second in PIECES {
                agree(&format!("{first}{second}"));
                for third in PIECES {
                    agree(&format!("{first}{second}{third}"));
                }
            }
        }
        let mut dice = Dice(502);
        for _ in 0..20_000 {
            let text: String = (0..4 + dice.below(40)).map(|_| PIECES[dice.below(PIECES.len())]).collect();
            agree(&text);
        }
    }

    /// Each byte that can stand alone, in each place of a token.
    #[test]
    fn every_letter_is_known() {
        for letter in (0..=0x2ff).chain([0x2028, 0xfeff, 0xffff, 0x10_ffff]).filter_map(char::from_u32) {
            for text in
                ["?", "?a;", "a?b;", "a ? b;", "\"?\";", "\"a\"?;", "$?;", "\\?a;", "a{?;", "<?;", "{{?}};", "#?\na"]
            {
                agree(&text.replace('?', letter.encode_utf8(&mut [0; 4])));
            }
        }
    }

    #[test]
    fn tokens_of_fixtures_are_those_of_the_grammar() {
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")];
        let mut dice = Dice(2502);
        let mut read = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                // Files of other kinds are as good.
                let Ok(text) = fs::read_to_string(&path) else { continue };
                agree(&text);
                let mut letters: Vec<char> = text.chars().collect();
                for _ in 0..1 + letters.len() / 200 {
                    let at = dice.below(letters.len() + 1);
                    letters.splice(at..at, PIECES[dice.below(PIECES.len())].chars());
                }
                agree(&letters.into_iter().collect::<String>());
                read += 1;
            }
        }
        assert!(read > 1000, "only {read} files of fixtures were read");
    }
}
