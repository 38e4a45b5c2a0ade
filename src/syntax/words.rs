//! Text that people write for a shell or in a list of words, with the place of each byte that can be pointed at.

use crate::source::Site;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

/// Stands in a text for what is not known: an unresolved variable, a template's output. Nothing that holds it is
/// ever taken for a value.
pub const HOLE: char = '\u{fffc}';

/// A scalar of some file: what it says, and where it is written. What is not known of it is a [`HOLE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What it says: unquoted, unescaped, interpolated.
    pub text: Box<str>,
    /// Where it is written.
    pub site: Site,
}

impl Text {
    /// A scalar.
    pub fn new(text: impl Into<Box<str>>, site: Site) -> Self {
        Self { text: text.into(), site }
    }

    /// What it says, when all of it is known.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        (!self.text.contains(HOLE)).then_some(&*self.text)
    }
}

/// A command, as containers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A list of words, started as it is (exec form).
    Words(Vec<Text>),
    /// One text for `/bin/sh -c` (Dockerfile's shell form).
    Shell(Text),
    /// One text that is split into words and started without a shell (`command: a b c` of compose, `ExecStart=`).
    Split(Text),
}

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// Its value.
    Is(Box<str>),
    /// It has none.
    Unset,
    /// Nothing.
    Unknown,
}

/// One word, and where it stands in the text that was split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What it comes to.
    pub text: String,
    /// Its bytes in the text, quotes and all.
    pub range: Range<usize>,
}

/// How deep defaults of defaults are followed: `${A:-${B:-3000}}`.
const MAX_NESTING: usize = 8;

/// Splits a text into words as a shell would, but expands nothing and knows no operators.
#[must_use]
pub fn split(text: &str) -> Vec<Word> {
    let mut lexer = Lexer { text, at: 0, lookup: None, depth: 0 };
    let mut words = Vec::new();
    while let Some(token) = lexer.next() {
        if let Token::Word(word) = token {
            words.push(word);
        }
    }
    words
}

/// Splits a shell's text into simple commands, each a list of words. What is piped, chained or put into the background
/// stands side by side; redirections are left out.
#[must_use]
pub fn commands(text: &str, lookup: &dyn Fn(&str) -> Variable) -> Vec<Vec<Word>> {
    let script = RefCell::new(Assigned::default());
    let known = |name: &str| script.borrow().values.get(name).cloned().unwrap_or_else(|| lookup(name));
    let mut lexer = Lexer { text, at: 0, lookup: Some(&known), depth: 0 };
    let mut all = Vec::new();
    let mut words = Vec::new();
    let mut redirected = false;
    while let Some(token) = lexer.next() {
        match token {
            Token::Word(_) if redirected => redirected = false,
            Token::Word(word) => words.push(word),
            Token::Redirect => {
                redirected = true;
                // The number before it is a descriptor.
                if let Some(last) = words.last()
                    && last.range.end == lexer.redirect_start()
                    && last.text.bytes().all(|byte| byte.is_ascii_digit())
                {
                    words.pop();
                }
            }
            Token::End => {
                redirected = false;
                if !words.is_empty() {
                    script.borrow_mut().read(&words);
                    all.push(std::mem::take(&mut words));
                }
            }
        }
    }
    if !words.is_empty() {
        all.push(words);
    }
    all
}

/// Most variables of one script that are kept.
const MAX_ASSIGNED: usize = 256;

/// Variables that a script sets for itself, so far.
#[derive(Default)]
struct Assigned {
    values: HashMap<String, Variable>,
    /// How many `if`s and loops are open: what is set in them may be set or not.
    open: usize,
}

impl Assigned {
    fn read(&mut self, command: &[Word]) {
        let Some(first) = command.first() else { return };
        match &*first.text {
            "if" | "case" | "for" | "while" | "until" => self.open += 1,
            "fi" | "esac" | "done" => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        let skipped =
            usize::from(matches!(&*first.text, "export" | "readonly" | "local" | "declare" | "then" | "else"));
        let set = command.get(skipped..).unwrap_or(&[]);
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let pairs: Vec<(&str, &str)> =
            set.iter().map_while(|word| word.text.split_once('=').filter(|(name, _)| is_name(name))).collect();
        // `A=1 program` is for that program alone.
        if pairs.len() != set.len() {
            return;
        }
        for (name, value) in pairs {
            if self.values.len() >= MAX_ASSIGNED && !self.values.contains_key(name) {
                return;
            }
            let known = self.open == 0 && !value.contains(HOLE);
            let value = if known { Variable::Is(value.into()) } else { Variable::Unknown };
            self.values.insert(name.to_owned(), value);
        }
    }
}

/// Puts variables into a text, as `ENV`, `EXPOSE` and the like do: `$NAME`, `${NAME}`, `${NAME:-default}`, and `\$` for
/// a dollar.
#[must_use]
pub fn expand(text: &str, lookup: &dyn Fn(&str) -> Variable) -> String {
    let mut lexer = Lexer { text, at: 0, lookup: Some(lookup), depth: 0 };
    let mut out = String::with_capacity(text.len());
    while let Some(c) = lexer.peek() {
        match c {
            '$' => lexer.dollar(&mut out),
            '\\' if lexer.rest().starts_with("\\$") => {
                out.push('$');
                lexer.at += 2;
            }
            c => {
                out.push(c);
                lexer.at += c.len_utf8();
            }
        }
    }
    out
}

enum Token {
    Word(Word),
    Redirect,
    End,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// `None`: nothing is expanded, and no operators are known.
    lookup: Option<&'a dyn Fn(&str) -> Variable>,
    depth: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Where the redirection that was just read begins.
    fn redirect_start(&self) -> usize {
        self.text.get(..self.at).unwrap_or("").trim_end_matches(['<', '>', '&', '|', '-']).len()
    }

    fn next(&mut self) -> Option<Token> {
        let shell = self.lookup.is_some();
        loop {
            let c = self.peek()?;
            match c {
                '\n' if shell => {
                    self.at += 1;
                    return Some(Token::End);
                }
                '\\' if self.rest().starts_with("\\\n") => self.at += 2,
                '\\' if self.rest().starts_with("\\\r\n") => self.at += 3,
                c if c.is_whitespace() => self.at += c.len_utf8(),
                '#' if shell => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                ';' | '|' | '(' | ')' if shell => {
                    self.at += 1;
                    return Some(Token::End);
                }
                '&' if shell => {
                    self.at += 1;
                    if self.peek() == Some('>') {
                        continue;
                    }
                    return Some(Token::End);
                }
                '<' | '>' if shell => {
                    let rest = self.rest();
                    self.at += rest.len() - rest.trim_start_matches(['<', '>', '&', '|', '-']).len();
                    return Some(Token::Redirect);
                }
                _ => return Some(Token::Word(self.word())),
            }
        }
    }

    fn word(&mut self) -> Word {
        let shell = self.lookup.is_some();
        let start = self.at;
        let mut text = String::new();
        while let Some(c) = self.peek() {
            match c {
                c if c.is_whitespace() => break,
                ';' | '|' | '&' | '<' | '>' | '(' | ')' if shell => break,
                '\'' => {
                    let rest = self.text.get(self.at + 1..).unwrap_or("");
                    let end = rest.find('\'').unwrap_or(rest.len());
                    text.push_str(rest.get(..end).unwrap_or(""));
                    self.at = (self.at + end + 2).min(self.text.len());
                }
                '"' => self.quoted(&mut text),
                '\\' if self.rest().starts_with("\\\n") => self.at += 2,
                '\\' => {
                    self.at += 1;
                    if let Some(c) = self.peek() {
                        text.push(c);
                        self.at += c.len_utf8();
                    }
                }
                '$' if shell => self.dollar(&mut text),
                '`' if shell => {
                    self.at += 1;
                    self.at += self.rest().find('`').map_or(self.rest().len(), |end| end + 1);
                    text.push(HOLE);
                }
                c => {
                    text.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        Word { text, range: start..self.at }
    }

    fn quoted(&mut self, text: &mut String) {
        let shell = self.lookup.is_some();
        self.at += 1;
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.at += 1;
                    return;
                }
                '\\' => {
                    self.at += 1;
                    match self.peek() {
                        Some('\n') => self.at += 1,
                        Some(c) => {
                            if !matches!(c, '"' | '\\' | '$' | '`') {
                                text.push('\\');
                            }
                            text.push(c);
                            self.at += c.len_utf8();
                        }
                        None => return,
                    }
                }
                '$' if shell => self.dollar(text),
                '`' if shell => {
                    self.at += 1;
                    self.at += self.rest().find('`').map_or(self.rest().len(), |end| end + 1);
                    text.push(HOLE);
                }
                c => {
                    text.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    /// What begins with a `$`. One that is never closed takes all that follows.
    fn dollar(&mut self, out: &mut String) {
        self.at += 1;
        let Some(lookup) = self.lookup else { return };
        let rest = self.rest();
        let name =
            |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
        match self.peek() {
            Some('{') => {
                let inside = rest.get(1..).unwrap_or("");
                let Some(end) = closing(inside, '{', '}') else {
                    self.at = self.text.len();
                    out.push(HOLE);
                    return;
                };
                self.at += end + 2;
                let inside = inside.get(..end).unwrap_or("");
                let (variable, how) = inside.split_at(name(inside));
                match (lookup(variable), how) {
                    (Variable::Is(value), "") => out.push_str(&value),
                    (Variable::Is(value), how) if how.starts_with("-") || how.starts_with("?") => out.push_str(&value),
                    (Variable::Is(value), how)
                        if (how.starts_with(":-") || how.starts_with(":?") || how.starts_with(":="))
                            && !value.is_empty() =>
                    {
                        out.push_str(&value);
                    }
                    (Variable::Unset | Variable::Is(_), how) if !variable.is_empty() => {
                        let default = how.strip_prefix(":-").or(how.strip_prefix('-')).or(how.strip_prefix(":="));
                        match default {
                            Some(default) if self.depth < MAX_NESTING => {
                                let mut inner =
                                    Lexer { text: default, at: 0, lookup: Some(lookup), depth: self.depth + 1 };
                                inner.quoted_rest(out);
                            }
                            _ => out.push(HOLE),
                        }
                    }
                    _ => out.push(HOLE),
                }
            }
            Some('(') => {
                let inside = rest.get(1..).unwrap_or("");
                self.at = match closing(inside, '(', ')') {
                    Some(end) => self.at + end + 2,
                    None => self.text.len(),
                };
                out.push(HOLE);
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let length = name(rest);
                self.at += length;
                match lookup(rest.get(..length).unwrap_or("")) {
                    Variable::Is(value) => out.push_str(&value),
                    _ => out.push(HOLE),
                }
            }
            Some(c) if c.is_ascii_digit() || matches!(c, '@' | '*' | '#' | '?' | '$' | '!' | '-') => {
                self.at += 1;
                out.push(HOLE);
            }
            _ => out.push('$'),
        }
    }

    fn quoted_rest(&mut self, out: &mut String) {
        while let Some(c) = self.peek() {
            match c {
                '$' => self.dollar(out),
                '"' | '\'' => self.at += 1,
                c => {
                    out.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }
}

/// The offset of the bracket that closes one opened just before this text.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return Some(at),
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(name: &str) -> Variable {
        match name {
            "PORT" => Variable::Is("8000".into()),
            "EMPTY" => Variable::Is("".into()),
            "UNKNOWN" => Variable::Unknown,
            _ => Variable::Unset,
        }
    }

    fn said(text: &str) -> Vec<Vec<String>> {
        commands(text, &vars).into_iter().map(|words| words.into_iter().map(|word| word.text).collect()).collect()
    }

    #[test]
    fn plain_words_keep_their_places() {
        let words = split(r#"a 'b c' "d \" e"  f\ g $PORT && h"#);
        let texts: Vec<_> = words.iter().map(|word| &*word.text).collect();
        assert_eq!(texts, ["a", "b c", "d \" e", "f g", "$PORT", "&&", "h"]);
        assert_eq!(words[1].range, 2..7);
    }

    #[test]
    fn what_a_script_sets_for_itself() {
        assert_eq!(said("A=/run\nB=$A/x.sock\nserve $B")[2][1], "/run/x.sock");
        assert_eq!(said("export A=1 B=2; serve $A $B")[1][1..], ["1", "2"]);
        assert_eq!(said("A=1 other; serve $A")[1][1], "\u{fffc}", "for that program alone");
        let either = said("A=1\nif [ -n \"$UNKNOWN\" ]; then\n A=2\nfi\nserve $A");
        assert_eq!(either.last().unwrap()[1], "\u{fffc}", "one or the other");
        assert_eq!(said("A=${PORT:-1}; serve $A")[1][1], "8000");
    }

    #[test]
    fn a_shell_splits_commands_and_expands() {
        assert_eq!(
            said("cd /app && exec gunicorn -b 0.0.0.0:$PORT app > /log 2>&1; echo done # no"),
            [vec!["cd", "/app"], vec!["exec", "gunicorn", "-b", "0.0.0.0:8000", "app"], vec!["echo", "done"]]
        );
        assert_eq!(
            said("a ${PORT:-1} ${X:-2} ${EMPTY:-3} ${EMPTY-4} ${X:-${Y:-5}} ${X:-$PORT}")[0][1..],
            ["8000", "2", "3", "", "5", "8000"]
        );
        assert_eq!(
            said("a ${UNKNOWN:-1} $X $(date) `date` \"${UNKNOWN}\" \"it's\" '$PORT'")[0][1..],
            ["\u{fffc}", "\u{fffc}", "\u{fffc}", "\u{fffc}", "\u{fffc}", "it's", "$PORT"]
        );
        assert_eq!(said("a \\\n  b\nc"), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(said("php-fpm & nginx -g 'daemon off;'"), [vec!["php-fpm"], vec!["nginx", "-g", "daemon off;"]]);
    }

    #[test]
    fn values_are_expanded() {
        assert_eq!(expand("$PORT/tcp", &vars), "8000/tcp");
        assert_eq!(expand("a\\$PORT ${X:-y}", &vars), "a$PORT y");
    }

    #[test]
    fn openers_that_never_close_cost_little() {
        for opener in ["'", "\"", "${", "$(", "`", "\\", "${A:-", "<<", "&", "(", "\u{fffc}"] {
            let text = opener.repeat(20_000);
            assert!(commands(&text, &vars).len() <= 20_000);
            assert!(split(&text).len() <= 20_000);
            assert!(expand(&text, &vars).len() <= 80_000);
        }
        let nested = format!("{}x{}", "${A:-".repeat(5000), "}".repeat(5000));
        assert_eq!(commands(&nested, &vars)[0][0].text, "\u{fffc}");
    }
}
