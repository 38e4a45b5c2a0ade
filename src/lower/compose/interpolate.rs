//! Variables in compose files: `$NAME`, `${NAME}`, `${NAME:-default}` and their like
//! (github.com/compose-spec/compose-spec, 12-interpolation.md).

use crate::syntax::words::HOLE;
use std::collections::HashMap;

/// How deep defaults of defaults are followed.
const MAX_NESTING: usize = 8;

/// Files that show what `.env` is to look like, where it is not in the repository itself.
pub(super) const SAMPLES: [&str; 5] = [".env.example", ".env.sample", ".env.dist", ".env.template", "env.example"];

/// The variables that the files show: those of `.env`. A shell may set others, or others than these.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables {
    values: HashMap<Box<str>, Box<str>>,
    /// Whether they are those of a sample, of which everybody makes an `.env` of his own.
    pub(super) sample: bool,
}

impl Variables {
    /// Reads the text of an `.env` file, or of a sample of one.
    pub(super) fn read(text: &str, sample: bool) -> Self {
        let all = pairs(text).filter(|(_, value, _)| !sample || !is_to_be_filled_in(value));
        Self { values: all.map(|(name, value, _)| (name.into(), value.into())).collect(), sample }
    }

    /// A variable's value, when it is known.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| &**value).filter(|value| !value.contains(HOLE))
    }
}

/// Whether a value of a sample is none: empty, or a word in brackets.
fn is_to_be_filled_in(value: &str) -> bool {
    value.is_empty() || value.contains(['<', '>', '{', '}']) || value.to_ascii_lowercase().contains("change")
}

/// The names and values of an `.env` file, each with the byte range of its line.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, String, std::ops::Range<usize>)> {
    let mut at = 0;
    text.split_inclusive('\n').filter_map(move |whole| {
        let start = at;
        at += whole.len();
        let line = whole.trim();
        let start = start + (whole.len() - whole.trim_start().len());
        let line = line.strip_prefix('\u{feff}').unwrap_or(line);
        let bare = line.strip_prefix("export ").unwrap_or(line);
        if bare.starts_with('#') {
            return None;
        }
        let (name, value) = bare.split_once('=')?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return None;
        }
        Some((name, unquoted(value.trim()), start..start + line.len()))
    })
}

/// A value without its quotes and without a comment behind it. One with variables of its own is not known.
fn unquoted(value: &str) -> String {
    let value = match value.chars().next() {
        Some('\'') => return value[1..].split('\'').next().unwrap_or_default().to_owned(),
        Some('"') => value[1..].split('"').next().unwrap_or_default(),
        _ => value.split(" #").next().unwrap_or_default().trim_end(),
    };
    if value.contains('$') { HOLE.to_string() } else { value.to_owned() }
}

/// Puts variables in. What is not known becomes a hole. Says also whether a value of a sample was put in.
pub(super) fn interpolate(text: &str, variables: &Variables) -> (String, bool) {
    if !text.contains('$') {
        return (text.to_owned(), false);
    }
    let mut out = Filled { text: String::with_capacity(text.len()), sampled: false };
    expand(text, variables, MAX_NESTING, &mut out);
    (out.text, out.sampled)
}

/// A text while variables are put in.
struct Filled {
    text: String,
    sampled: bool,
}

impl Filled {
    fn push(&mut self, hole: char) {
        self.text.push(hole);
    }

    fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Puts a variable's value in.
    fn put(&mut self, value: &str, variables: &Variables) {
        self.text.push_str(value);
        self.sampled |= variables.sample;
    }
}

fn expand(text: &str, variables: &Variables, depth: usize, out: &mut Filled) {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(inside) = rest.strip_prefix('{') {
            let Some(end) = closing(inside) else {
                // compose refuses it.
                out.push(HOLE);
                return;
            };
            braced(&inside[..end], variables, depth, out);
            rest = &inside[end + 1..];
        } else {
            let length = name_length(rest);
            if length == 0 {
                out.push(HOLE);
                return;
            }
            match variables.values.get(&rest[..length]) {
                Some(value) => out.put(value, variables),
                None => out.push(HOLE),
            }
            rest = &rest[length..];
        }
    }
    out.push_str(rest);
}

fn braced(inside: &str, variables: &Variables, depth: usize, out: &mut Filled) {
    let (name, how) = inside.split_at(name_length(inside));
    let value = variables.values.get(name);
    let empty_counts = !how.starts_with(':');
    let (operator, word) = match how.strip_prefix(':').unwrap_or(how).chars().next() {
        Some(operator @ ('-' | '?' | '+')) => {
            (operator, how.strip_prefix(':').unwrap_or(how).get(1..).unwrap_or_default())
        }
        None if !name.is_empty() => (' ', ""),
        _ => {
            out.push(HOLE);
            return;
        }
    };
    match (operator, value) {
        ('-', value) if depth > 0 => {
            let mut default = Filled { text: String::new(), sampled: false };
            expand(word, variables, depth - 1, &mut default);
            out.sampled |= default.sampled;
            let default = default.text;
            match value {
                // Where both are there and differ, it depends on the machine.
                Some(value) if **value == *default => out.push_str(value),
                Some(value) if value.is_empty() && !empty_counts => out.push_str(&default),
                Some(_) => out.push(HOLE),
                None => out.push_str(&default),
            }
        }
        ('?' | ' ', Some(value)) => out.put(value, variables),
        _ => out.push(HOLE),
    }
}

fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.len() - text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len()
}

/// Where the `}` of a `{` stands that was just opened.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in() {
        let variables = Variables::read("A=1\nexport B = \"two\" # c\n# D=4\nE=\nF=x # y\nG='$A'\nH=$A\n", false);
        let said = |text| interpolate(text, &variables).0.replace(HOLE, "?");
        assert_eq!(said("a $A ${B} $$C"), "a 1 two $C");
        assert_eq!(said("${A:-1}${A:-2}${N:-3}${N-4}${E:-5}${E-5}"), "1?345?");
        assert_eq!(said("${N:-${M:-3000}}:${N:-${A}}"), "3000:1");
        assert_eq!(said("${A:?no}${N:?no}$N${A:+x}"), "1???");
        assert_eq!(said("$F$G$H"), "x$A?");
        assert_eq!(said("${A"), "?");
        assert_eq!(said("${}$"), "??");
        assert_eq!(said("$1"), "?");
    }

    #[test]
    fn values_of_a_sample_are_marked() {
        let variables = Variables::read("A=1\nB=\nC=<your port>\nD=changeme\n", true);
        let said = |text| interpolate(text, &variables);
        assert_eq!(said("x$A"), ("x1".into(), true));
        assert_eq!(said("${A:-1}"), ("1".into(), false), "it is that without the sample, too");
        assert_eq!(said("${N:-$A}"), ("1".into(), true));
        assert_eq!(said("$B$C$D").0, HOLE.to_string().repeat(3), "nobody runs it with these");
        assert_eq!(said("${C:-80}"), ("80".into(), false));
    }

    #[test]
    fn hostile_texts_end_soon() {
        for piece in ["${", "${A:-", "$", "}", "${A:-x}"] {
            let _ = interpolate(&piece.repeat(20_000), &Variables::default());
        }
    }
}
