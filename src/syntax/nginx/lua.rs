//! The end of a `*_by_lua_block { … }`: Lua strings, long brackets, comments and braces, as OpenResty counts them.

use memchr::{memchr, memmem};

/// The offset of the `}` that closes the block whose `{` stands just before `from`. `None`: nothing closes it.
/// Looks at each byte once.
pub(super) fn close(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'{' => {
                depth += 1;
                at + 1
            }
            b'}' if depth == 0 => return Some(at),
            b'}' => {
                depth -= 1;
                at + 1
            }
            b'"' | b'\'' => string(bytes, at, byte),
            b'-' if bytes.get(at + 1) == Some(&b'-') => match long_bracket(bytes, at + 2) {
                Bracket::Closed(end) => end,
                Bracket::Open => return None,
                Bracket::No(_) => line_end(bytes, at + 2),
            },
            b'[' => match long_bracket(bytes, at) {
                Bracket::Closed(end) | Bracket::No(end) => end,
                Bracket::Open => return None,
            },
            _ => at + 1,
        };
    }
    None
}

/// One past the string that begins at `at`. A Lua string ends with its line, closed or not.
fn string(bytes: &[u8], at: usize, quote: u8) -> usize {
    let mut at = at + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' => return at,
            _ if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

enum Bracket {
    /// One past the closing bracket.
    Closed(usize),
    /// Nothing closes it.
    Open,
    /// No long bracket; go on here.
    No(usize),
}

/// `[[ … ]]`, `[=[ … ]=]` and so on.
fn long_bracket(bytes: &[u8], at: usize) -> Bracket {
    if bytes.get(at) != Some(&b'[') {
        return Bracket::No(at);
    }
    let level = bytes.iter().skip(at + 1).take_while(|byte| **byte == b'=').count();
    let inner = at + 1 + level;
    if bytes.get(inner) != Some(&b'[') {
        return Bracket::No(inner);
    }
    let mut needle = vec![b']'];
    needle.resize(level + 1, b'=');
    needle.push(b']');
    let rest = bytes.get(inner + 1..).unwrap_or_default();
    memmem::find(rest, &needle).map_or(Bracket::Open, |i| Bracket::Closed(inner + 1 + i + needle.len()))
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    memchr(b'\n', rest).map_or(bytes.len(), |i| at + i)
}

#[cfg(test)]
mod tests {
    use super::close;

    /// What follows the Lua block.
    fn rest(lua: &str) -> Option<&str> {
        close(lua, 0).map(|at| &lua[at + 1..])
    }

    #[test]
    fn counts_braces_outside_strings_and_comments() {
        assert_eq!(rest(" x = { { } } } after"), Some(" after"));
        assert_eq!(rest(" x = '}' y = \"}\" } after"), Some(" after"));
        assert_eq!(rest(r#" x = "\"}" } after"#), Some(" after"));
        assert_eq!(rest(" -- }\n } after"), Some(" after"));
        assert_eq!(rest(" --[[ } \n } ]] } after"), Some(" after"));
        assert_eq!(rest(" --[==[ ]] } ]==] } after"), Some(" after"));
        assert_eq!(rest(" x = [[ } ]] y = [=[ ]] } ]=] } after"), Some(" after"));
        assert_eq!(rest(" x = t[i] y = t[[[k]]] } after"), Some(" after"));
        assert_eq!(rest(" x = a [=== b } after"), Some(" after"));
    }

    #[test]
    fn a_string_ends_with_its_line() {
        assert_eq!(rest(" x = \"never closed\n } after"), Some(" after"));
        assert_eq!(rest(" x = \"goes \\\n on }\" } after"), Some(" after"));
    }

    #[test]
    fn what_nothing_closes() {
        assert_eq!(rest(" x = {"), None);
        assert_eq!(rest(" x = [[ }"), None);
        assert_eq!(rest(" --[=[ }"), None);
        assert_eq!(rest(" x = \"\\"), None);
        assert_eq!(rest(""), None);
    }
}
