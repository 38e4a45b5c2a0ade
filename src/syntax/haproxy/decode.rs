//! Quotes, escapes and variables of one word, as `parse_line()` of HAProxy reads them.

use std::borrow::Cow;
use std::ops::Range;

/// A word as HAProxy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// Quotes and escapes resolved; variables stay as they are written, `${X}`.
    pub text: Cow<'a, str>,
    /// Whether it holds a variable that is expanded here: `$X` or `${X}` inside double quotes. Addresses are a second
    /// place that expands variables, with or without quotes; that is not meant.
    pub has_variable: bool,
    /// Whether any part of it is quoted.
    pub quoted: bool,
    /// Whether it holds a template tag: then its text is not what HAProxy will read.
    pub has_hole: bool,
}

/// Why HAProxy refuses a word, and with it the whole line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `$` in double quotes that no name follows.
    Name,
    /// `${` without its `}`.
    Brace,
    /// `\x` without two hexadecimal digits.
    Hex,
    /// `${X[` that is not `${X[*]}`.
    Expand,
}

/// What was seen on the way through a word.
#[derive(Debug, Default)]
struct Seen {
    has_variable: bool,
    quoted: bool,
    fault: Option<(Range<usize>, Fault)>,
}

pub(super) fn decode(raw: &str, has_hole: bool) -> Decoded<'_> {
    if memchr::memchr3(b'"', b'\'', b'\\', raw.as_bytes()).is_none() {
        return Decoded { text: Cow::Borrowed(raw), has_variable: false, quoted: false, has_hole };
    }
    let mut out = Vec::with_capacity(raw.len());
    let seen = scan(raw.as_bytes(), &mut out);
    // `\xNN` may write any byte, and a byte that is not UTF-8 cannot be shown.
    let text = String::from_utf8(out).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned());
    Decoded { text: Cow::Owned(text), has_variable: seen.has_variable, quoted: seen.quoted, has_hole }
}

/// The first thing in a word that HAProxy refuses, with its place in the word.
pub(super) fn fault(raw: &str) -> Option<(Range<usize>, Fault)> {
    let bytes = raw.as_bytes();
    let variable = || memchr::memchr(b'"', bytes).is_some() && memchr::memchr(b'$', bytes).is_some();
    if memchr::memchr(b'\\', bytes).is_none() && !variable() {
        return None;
    }
    scan(bytes, &mut Vec::new()).fault
}

fn scan(raw: &[u8], out: &mut Vec<u8>) -> Seen {
    let mut seen = Seen::default();
    let (mut double, mut single) = (false, false);
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let mut step = 1;
        match byte {
            b'"' if !single => (double, seen.quoted) = (!double, true),
            b'\'' if !double => (single, seen.quoted) = (!single, true),
            b'\\' if !single => {
                let (written, used) = match raw.get(at + 1) {
                    Some(&next @ (b' ' | b'\\' | b'#' | b'\'' | b'"')) => (next, 2),
                    Some(b'$') if double => (b'$', 2),
                    Some(b't') => (b'\t', 2),
                    Some(b'n') => (b'\n', 2),
                    Some(b'r') => (b'\r', 2),
                    Some(b'x') => match (hex(raw.get(at + 2)), hex(raw.get(at + 3))) {
                        (Some(high), Some(low)) => (high << 4 | low, 4),
                        _ => {
                            seen.fault.get_or_insert((at..at + 2, Fault::Hex));
                            (b'\\', 1)
                        }
                    },
                    _ => (b'\\', 1),
                };
                out.push(written);
                step = used;
            }
            b'$' if double => {
                let (length, bad) = variable(&raw[at..]);
                match bad {
                    None => seen.has_variable = true,
                    Some(bad) => {
                        seen.fault.get_or_insert((at..at + length, bad));
                    }
                }
                out.extend_from_slice(&raw[at..at + length]);
                step = length;
            }
            _ => out.push(byte),
        }
        at += step;
    }
    seen
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    (*digit? as char).to_digit(16).map(|value| value as u8)
}

/// Length of the variable at the start of `raw`, which is a `$`, and what is wrong with it. Never longer than `raw`.
fn variable(raw: &[u8]) -> (usize, Option<Fault>) {
    let brace = raw.get(1) == Some(&b'{');
    let mut at = 1 + usize::from(brace);
    if !raw.get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.')) {
        return (at, Some(Fault::Name));
    }
    let name = at;
    at += 1;
    at += raw[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if raw[name] == b'.' && !matches!(&raw[name..at], b".FILE" | b".LINE" | b".SECTION") {
        return (at, Some(Fault::Name));
    }
    if !brace {
        return (at, None);
    }
    if raw.get(at) == Some(&b'[') {
        if raw.get(at..at + 3) != Some(b"[*]") {
            return (at, Some(Fault::Expand));
        }
        at += 3;
    }
    if raw.get(at) == Some(&b'-') {
        at += raw[at..].iter().take_while(|byte| **byte != b'}').count();
    }
    if raw.get(at) == Some(&b'}') { (at + 1, None) } else { (at, Some(Fault::Brace)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> String {
        decode(raw, false).text.into_owned()
    }

    #[test]
    fn quotes_and_escapes() {
        // Each right side was seen in a `.notice` of HAProxy 2.6.12.
        assert_eq!(text(r#"a"b c"'d "e'f"#), r#"ab cd "ef"#);
        assert_eq!(text(r"a\ b\#c\\d\'e"), r"a b#c\d'e");
        assert_eq!(text(r"\z\x41\t"), "\\zA\t");
        assert_eq!(text(r"'\x41$X'"), r"\x41$X");
        assert_eq!(text(r#""\$X \" \'""#), r#"$X " '"#);
        assert_eq!(text(r"\$X"), r"\$X");
        assert_eq!(text(r"\xff"), "\u{fffd}");
    }

    #[test]
    fn variables_live_in_double_quotes_only() {
        assert!(decode(r#"a"${X}:80""#, false).has_variable);
        assert!(decode(r#""$X""#, false).has_variable);
        assert!(decode(r#""${X[*]}""#, false).has_variable);
        for dead in ["$X", "${X}", r"'$X'", r#""\$X""#] {
            assert!(!decode(dead, false).has_variable, "{dead}");
        }
        assert_eq!(text(r#""${X-a"b}c""#), r#"${X-a"b}c"#);
    }

    #[test]
    fn faults_have_a_place() {
        assert_eq!(fault(r#"ab"$1""#), Some((3..4, Fault::Name)));
        assert_eq!(fault(r#""${X:-y}""#), Some((1..4, Fault::Brace)));
        assert_eq!(fault(r#""${X[0]}""#), Some((1..4, Fault::Expand)));
        assert_eq!(fault(r"a\xg0"), Some((1..3, Fault::Hex)));
        assert_eq!(fault(r#""${X-}""#), None);
        assert_eq!(fault("$1"), None);
    }
}
