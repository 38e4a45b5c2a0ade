//! Words that are to be filled in later: by a script, by the environment, by a person. One place for all of them; tags of
//! templates are known to the trees.
//!
//! | what | example | who fills it in |
//! |---|---|---|
//! | [`is_marked`] | `@HOST@`, `__HOST__`, `%%HOST%%`, `##HOST##` | a script or a build system |
//! | [`is_shouted`] | `APP_PORT` where a number belongs | a script |
//! | [`is_of_environment`] | `${HOST}`, `$HOST` | envsubst or a shell, before nginx reads it |
//! | [`is_bracketed`] | `<host>` | a person |
//! | [`is_invitation`] | `CHANGE_ME`, `10.0.0.x`, `your_server_ip` | a person |

use std::ops::Range;

/// Pairs of marks around a name that a script (`sed`, a build system) replaces: `@HOST@`, `__HOST__`, `%%HOST%%`,
/// `##HOST##`.
const MARKS: [&str; 4] = ["@", "__", "%%", "##"];

/// Whether a word holds a name between marks that a script replaces.
#[must_use]
pub fn is_marked(word: &str) -> bool {
    // Nearly no word has a mark at all, and this is asked of nearly every word.
    may_be_marked(word) && MARKS.iter().any(|mark| marked(word, mark).is_some())
}

/// Whether a text has a mark: if not, none of its words [`is_marked`].
#[must_use]
pub fn may_be_marked(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.contains(&b'@') || bytes.windows(2).any(|pair| matches!(pair, b"__" | b"%%" | b"##"))
}

/// The first name between two equal marks, both included.
fn marked(text: &str, mark: &str) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(mark)) {
        let start = from + at;
        let inside = start + mark.len();
        let name = text.get(inside..).unwrap_or_default();
        // Two marks of underscores: the name ends before the second one.
        let length = name.find(mark).filter(|&end| end > 0 && is_name(&name[..end]));
        if let Some(length) = length {
            return Some(start..inside + length + mark.len());
        }
        from = inside;
    }
    None
}

pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a word is a name in capital letters: `NGINX_TIMEOUT`. Where a number should be, a script puts it in.
#[must_use]
pub fn is_shouted(word: &str) -> bool {
    word.len() > 2 && is_name(word)
}

/// Whether a text holds `${NAME}` or `$NAME` with a capital letter. nginx writes its variables in small letters; this one
/// is put in by envsubst, a shell or the like before nginx reads the file.
#[must_use]
pub fn is_of_environment(text: &str) -> bool {
    memchr::memchr_iter(b'$', text.as_bytes()).filter_map(|at| text.get(at + 1..)).any(|after| {
        let name = after.strip_prefix('{').unwrap_or(after);
        name.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').any(|c| c.is_ascii_uppercase())
    })
}

/// Whether a person is meant to fill something in: `http://<host>:<port>`. Neither bracket belongs to an address.
#[must_use]
pub fn is_bracketed(text: &str) -> bool {
    memchr::memchr2(b'<', b'>', text.as_bytes()).is_some()
}

/// Whether a name of a host is one that a person was meant to replace: `<ip>`, `CHANGE_ME`, `10.0.0.x`.
#[must_use]
pub fn is_invitation(name: &str) -> bool {
    if let Some(open) = name.find('<') {
        return name[open..].contains('>');
    }
    let labels: Vec<&str> = name.split('.').take(5).collect();
    let is_blank = |label: &&str| !label.is_empty() && label.bytes().all(|byte| matches!(byte, b'x' | b'X'));
    let is_number = |label: &&str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    if labels.len() == 4
        && labels.iter().all(|label| is_blank(label) || is_number(label))
        && labels.iter().any(is_blank)
    {
        return true;
    }
    let first = labels.first().map_or(String::new(), |label| label.to_ascii_lowercase());
    let words: String = first.chars().filter(|c| !matches!(c, '_' | '-')).take(40).collect();
    matches!(&*words, "changeme" | "replaceme" | "changethis" | "replacethis")
        || (labels.len() == 1
            && ["your_", "your-"].iter().any(|begin| first.starts_with(begin))
            && ["ip", "host", "hostname", "address", "server"].iter().any(|end| first.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_script_replaces() {
        for word in ["@HOST@", "http://__HOST__:80", "%%A1%%", "a##PORT##", "__A_B__"] {
            assert!(is_marked(word), "{word}");
        }
        for word in ["", "@", "unix@/run/a.sock", "a@b@c", "____", "__init__", "%%[src]%%", "/a__b", "####", "$__A"] {
            assert!(!is_marked(word), "{word}");
        }
        assert!(is_shouted("NGINX_TIMEOUT") && is_shouted("PORT") && !is_shouted("60S") && !is_shouted("5m"));
    }

    #[test]
    fn names_of_the_environment_have_a_capital_letter() {
        assert!(is_of_environment("http://${HOST}:80") && is_of_environment("$Port"));
        assert!(!is_of_environment("$host") && !is_of_environment("${host}") && !is_of_environment("HOST"));
    }

    #[test]
    fn what_a_person_is_to_write() {
        for name in ["<ip>", "x.x.x.x", "10.0.0.X", "CHANGE_ME", "changeme.example.com", "YOUR_SERVER_IP"] {
            assert!(is_invitation(name), "{name}");
        }
        for name in ["app", "x", "xxx.xxx", "10.0.0.1", "your-app", "todo"] {
            assert!(!is_invitation(name), "{name}");
        }
        assert!(is_bracketed("http://<host>:80") && !is_bracketed("http://host:80"));
    }

    #[test]
    fn many_marks_are_read_in_linear_time() {
        for part in ["@A", "__A_", "##", "##A"] {
            let _ = is_marked(&part.repeat(100_000));
        }
    }
}
