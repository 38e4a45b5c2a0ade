//! Terraform's templates, told apart from nginx's own variables and from HAProxy's log formats.

use super::control::control;
use memchr::memmem;
use std::ops::Range;

/// Longest tag of Terraform.
const LONGEST: usize = 1024;

/// Tags of Terraform that decide about lines: `%{ if x ~}`. HAProxy writes `%{+Q}o`.
pub(super) fn tags(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut next = 0;
    memmem::find_iter(bytes, b"%{").filter_map(move |at| {
        if at < next || at > 0 && bytes[at - 1] == b'%' {
            return None;
        }
        let rest = text.get(at..)?;
        let end = rest.bytes().take(LONGEST).position(|byte| matches!(byte, b'}' | b'\n'))? + 1;
        let tag = rest.get(..end).filter(|tag| tag.ends_with('}'))?;
        control(tag)?;
        next = at + end;
        Some(at..at + end)
    })
}

/// The text with Terraform's tags and values as those of Jinja, at equal length. `None`: it has none.
///
/// `${x}` is a variable of nginx as well, so it is Terraform's only where something else in the text is: a control tag,
/// or, for nginx alone, a name that is no variable of nginx (`${var.port}`, `${join(…)}`). HAProxy itself reads `${X[*]}`.
pub(in crate::syntax) fn put(text: &str, nginx: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let values: Vec<Range<usize>> =
        if memmem::find(bytes, b"${").is_some() { values(text).collect() } else { Vec::new() };
    let tags: Vec<Range<usize>> = if memmem::find(bytes, b"%{").is_some() { tags(text).collect() } else { Vec::new() };
    let telling = |at: &Range<usize>| {
        let inside = text.get(at.start + 2..at.end - 1).unwrap_or_default();
        inside.starts_with(|c: char| c.is_ascii_alphabetic())
            && inside.contains(['.', '(', '['])
            && !inside.contains(':')
    };
    if tags.is_empty() && !(nginx && values.iter().any(telling)) {
        return None;
    }
    let mut out = bytes.to_vec();
    for at in tags {
        let tag = out.get_mut(at)?;
        tag.fill(b' ');
        let end = tag.len() - 2;
        tag[..2].copy_from_slice(b"{%");
        tag[end..].copy_from_slice(b"%}");
    }
    for at in values {
        let value = out.get_mut(at).filter(|value| value.len() > 3)?;
        let end = value.len() - 2;
        value[..2].copy_from_slice(b"{{");
        // A quote within would end a word too soon.
        value[2..end].fill(b'_');
        value[end..].copy_from_slice(b"}}");
    }
    String::from_utf8(out).ok()
}

/// The values that Terraform puts into a text; none where it is not Terraform's.
pub(in crate::syntax) fn values_of(text: &str) -> Vec<Range<usize>> {
    if put(text, true).is_some() { values(text).collect() } else { Vec::new() }
}

/// `${…}` on one line, braces within counted; not `$${…}`, which Terraform leaves as `${…}`.
fn values(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut next = 0;
    memmem::find_iter(bytes, b"${").filter_map(move |at| {
        if at < next || at > 0 && bytes[at - 1] == b'$' {
            return None;
        }
        let mut depth = 0_usize;
        for (index, byte) in bytes.iter().enumerate().skip(at + 1) {
            match byte {
                b'{' => depth += 1,
                b'}' if depth == 1 => {
                    next = index + 1;
                    // `${}` is nothing.
                    return (index > at + 2).then_some(at..index + 1);
                }
                b'}' => depth -= 1,
                b'\n' => {
                    next = index;
                    return None;
                }
                _ => {}
            }
        }
        next = bytes.len();
        None
    })
}
