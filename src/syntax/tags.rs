//! Template tags, as far as all dialects see them alike: Jinja and Go templates (`{{ }}`, `{% %}`, `{# #}`), ERB
//! (`<% %>`), and names that a script replaces (`@HOST@`, `__HOST__`).
//!
//! A tag counts only when it closes on its line, but for one that begins its line: it may span some (`{{/* … */}}`).
//! In a comment only a tag that decides about other lines counts.

use crate::value::later::is_name;
use memchr::memchr2_iter;
use std::ops::Range;

/// Words of Go templates (and Handlebars) that print nothing themselves.
const KEYWORDS: [&[u8]; 10] =
    [b"if", b"else", b"end", b"range", b"with", b"define", b"block", b"template", b"break", b"continue"];

/// Whether the tag that a text begins with decides about the text around it: a branch, a loop, a definition. Such a tag
/// does so in a comment, too, where a tag that prints a value changes nothing.
pub(super) fn decides(tag: &[u8]) -> bool {
    let Some(inside) = tag.strip_prefix(b"{{") else {
        return tag.starts_with(b"{%") || tag.starts_with(b"<%") && !tag.starts_with(b"<%=");
    };
    let inside = inside.strip_prefix(b"-").or(inside.strip_prefix(b"~")).unwrap_or(inside).trim_ascii_start();
    let word = inside.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')).count();
    matches!(inside.first(), Some(b'#' | b'/' | b'^')) && !inside.starts_with(b"/*")
        || inside.get(..word).is_some_and(|word| KEYWORDS.contains(&word))
}

/// Whether a tag in a text decides about what is around it.
pub(super) fn any_decides(text: &[u8]) -> bool {
    memchr2_iter(b'{', b'<', text).any(|at| text.get(at..).is_some_and(decides))
}

/// How far the end of a tag that spans lines is looked for, in bytes.
const LONGEST: usize = 4 * 1024;

/// The same for code in Ruby, which may hold whole functions. Looking ends at the next opener, so it stays linear.
const LONGEST_CODE: usize = 64 * 1024;

const KINDS: [(&[u8; 2], &[u8; 2]); 4] = [(b"{{", b"}}"), (b"{%", b"%}"), (b"{#", b"#}"), (b"<%", b"%>")];

/// All tags, in the order of the text. Linear: an opener that does not close on its line is looked for only once, and one
/// at the start of a line in a bounded stretch.
pub(in crate::syntax) fn find(text: &str) -> Vec<Range<u32>> {
    let bytes = text.as_bytes();
    let mut tags = Vec::new();
    let (mut line_end, mut comment, mut leads) = (0, false, false);
    let mut hopeless = [false; KINDS.len()];
    let (mut from, mut no_note_before) = (0, 0);
    while let Some(found) = memchr::memchr2(b'{', b'<', bytes.get(from..).unwrap_or(&[])) {
        let at = from + found;
        from = at + 1;
        let Some(kind) = KINDS.iter().position(|(open, _)| bytes[at..].starts_with(*open)) else { continue };
        if at >= line_end {
            line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            let line_start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
            let before = &bytes[line_start..at];
            comment = begins_comment(before);
            leads = before.iter().all(u8::is_ascii_whitespace);
            hopeless = [false; KINDS.len()];
        }
        let inside = at + 2;
        // `{%[src]%}` and `<%ci>` are log formats of HAProxy, not tags.
        let log_format = KINDS[kind].0 != b"{{" && bytes.get(inside) == Some(&b'[');
        let spans = std::mem::take(&mut leads);
        if hopeless[kind] || log_format || comment && !decides(&bytes[at..line_end]) {
            continue;
        }
        if spans {
            let note = is_note(&bytes[at..line_end]);
            // No `*/` was found up to there: it need not be looked for again.
            let end = if note && at >= no_note_before { end_of_note(bytes, at) } else { None };
            if note && end.is_none() {
                no_note_before = no_note_before.max(at + LONGEST);
            }
            if let Some(end) = end.or_else(|| end_beyond(bytes, inside, line_end, kind)) {
                from = end;
                tags.push(at as u32..from as u32);
                continue;
            }
        }
        match bytes.get(inside..line_end).and_then(|rest| memchr::memmem::find(rest, KINDS[kind].1)) {
            Some(close) => {
                from = inside + close + 2;
                tags.push(at as u32..from as u32);
            }
            None => hopeless[kind] = true,
        }
    }
    tags
}

/// Whether the comment of a line has begun: at the first `#` outside quotes and without a backslash. In doubt it has not.
fn begins_comment(before: &[u8]) -> bool {
    let first = before.iter().position(|byte| matches!(byte, b'#' | b'"' | b'\'' | b'\\'));
    first.is_some_and(|at| before[at] == b'#')
}

/// Whether a Go template's own comment begins here, which may hold anything: `{{/*`, `{{- /*`.
fn is_note(line: &[u8]) -> bool {
    let Some(inside) = line.strip_prefix(b"{{") else { return false };
    inside.strip_prefix(b"-").unwrap_or(inside).trim_ascii_start().starts_with(b"/*")
}

/// Where such a comment ends.
fn end_of_note(bytes: &[u8], at: usize) -> Option<usize> {
    let far = &bytes[at..bytes.len().min(at + LONGEST)];
    let note = memchr::memmem::find(far, b"*/")?;
    let rest = far[note + 2..].strip_prefix(b" ").unwrap_or(&far[note + 2..]);
    let rest = rest.strip_prefix(b"-").unwrap_or(rest);
    rest.starts_with(b"}}").then(|| at + far.len() - rest.len() + 2)
}

/// The end of a tag that does not close on its line.
fn end_beyond(bytes: &[u8], inside: usize, line_end: usize, kind: usize) -> Option<usize> {
    let close = KINDS[kind].1;
    if memchr::memmem::find(&bytes[inside..line_end.max(inside)], close).is_some() {
        return None;
    }
    // Another opener before the end: this one is not closed at all.
    let longest = if close == b"%>" { LONGEST_CODE } else { LONGEST };
    let far = &bytes[line_end..bytes.len().min(line_end + longest)];
    let far = &far[..memchr::memmem::find(far, KINDS[kind].0).unwrap_or(far.len())];
    memchr::memmem::find(far, close).map(|found| line_end + found + 2)
}

/// The text with what a lexer of single lines cannot see put into its words, at equal length: a tag over several lines on
/// one, `##NAME##` (a comment else) as a tag. `None`: there is nothing of the kind.
pub(super) fn flatten(text: &str) -> Option<String> {
    let mut flat: Option<Vec<u8>> = None;
    let bytes = text.as_bytes();
    if memchr::memmem::find(bytes, b"{").is_some() || memchr::memchr(b'<', bytes).is_some() {
        for tag in find(text) {
            let range = tag.start as usize..tag.end as usize;
            let Some(raw) = bytes.get(range.clone()) else { continue };
            let complete = || matches!(bytes[..range.start].trim_ascii_end().last(), None | Some(b';' | b'{' | b'}'));
            // `{# … #}` where a statement could begin: a block would have a name.
            if memchr::memchr(b'\n', raw).is_none() && !(raw.starts_with(b"{#") && complete()) {
                continue;
            }
            let out = flat.get_or_insert_with(|| bytes.to_vec());
            let prints = raw.starts_with(b"{{") && !is_note(raw) || raw.starts_with(b"<%=");
            let (open, close): (&[u8], &[u8]) = if prints { (b"{{", b"}}") } else { (b"{%", b"%}") };
            if let Some(out) = out.get_mut(range) {
                out.fill(b' ');
                let end = out.len().saturating_sub(2);
                out[..2].copy_from_slice(open);
                out[end..].copy_from_slice(close);
            }
        }
    }
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&bytes[from..], b"##").map(|at| from + at) {
        let start = memchr::memrchr(b'\n', &bytes[from..at]).map_or(from, |newline| from + newline + 1);
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline);
        from = end;
        for name in marked_on_line(&text[start..end], at - start) {
            let out = flat.get_or_insert_with(|| bytes.to_vec());
            out[start + name.start..start + name.start + 2].copy_from_slice(b"{{");
            out[start + name.end - 2..start + name.end].copy_from_slice(b"}}");
        }
    }
    for name in braced(bytes) {
        let out = flat.get_or_insert_with(|| bytes.to_vec());
        if let Some(out) = out.get_mut(name) {
            let end = out.len() - 2;
            out[..2].copy_from_slice(b"{{");
            out[end..].copy_from_slice(b"}}");
        }
    }
    for name in alone_on_line(bytes) {
        let out = flat.get_or_insert_with(|| bytes.to_vec());
        out[name.start..name.start + 2].copy_from_slice(b"{{");
        out[name.end - 2..name.end].copy_from_slice(b"}}");
    }
    // Whole tags were replaced, and a tag begins and ends with ASCII: this is still UTF-8.
    flat.and_then(|flat| String::from_utf8(flat).ok())
}

/// Names in single braces that a script replaces: `{SERVER_NAME}`, braces included. Not `${NAME}`, which a shell fills in,
/// and not what belongs to a regular expression (`\p{LATIN}`, `\k{NAME}`) or stands in a larger pair of braces.
fn braced(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut names = Vec::new();
    for at in memchr::memchr_iter(b'{', bytes) {
        let rest = &bytes[at + 1..];
        let length = rest.iter().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'_').count();
        let named = length > 2 && rest[0].is_ascii_uppercase() && rest.get(length) == Some(&b'}');
        let before = at.checked_sub(1).map(|before| bytes[before]);
        let escaped = at > 1 && bytes[at - 2] == b'\\';
        if named && !escaped && !matches!(before, Some(b'$' | b'{' | b'%')) && rest.get(length + 1) != Some(&b'}') {
            names.push(at..at + length + 2);
        }
    }
    names
}

/// `${NAME}` with a line to itself: a shell puts whole directives in.
fn alone_on_line(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut names = Vec::new();
    for at in memchr::memmem::find_iter(bytes, b"${") {
        let rest = &bytes[at + 2..];
        let length = rest.iter().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || **b == b'_').count();
        if length == 0 || rest.get(length) != Some(&b'}') {
            continue;
        }
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
        let before = bytes[..at].iter().rev().find(|byte| !blank(byte));
        let after = rest[length + 1..].iter().find(|byte| !blank(byte));
        if matches!(before, None | Some(b'\n')) && matches!(after, None | Some(b'\n')) {
            names.push(at..at + length + 3);
        }
    }
    names
}

/// The names between `##` on a line up to where its comment begins; the first `##` stands at `at`.
fn marked_on_line(line: &str, at: usize) -> Vec<Range<usize>> {
    let mut names = Vec::new();
    let mut at = at;
    loop {
        let before = line[..at].trim_end();
        let rest = &line[at + 2..];
        let length =
            rest.bytes().take_while(|byte| byte.is_ascii_uppercase() || matches!(byte, b'0'..=b'9' | b'_')).count();
        let closed = is_name(&rest[..length]) && rest[length..].starts_with("##");
        // Where a statement begins, a comment may; and so it does before any other `#`.
        if !closed || before.is_empty() || before.ends_with([';', '{', '}']) || names.is_empty() && before.contains('#')
        {
            return names;
        }
        let end = at + length + 4;
        names.push(at..end);
        match line[end..].find('#') {
            Some(next) if line[end + next..].starts_with("##") => at = end + next,
            _ => return names,
        }
    }
}

/// Whether a tag brings in text that stands elsewhere: a partial, a parent, a block that a child fills.
pub(super) fn brings_in(tag: &str) -> bool {
    let inside = tag.trim_start_matches(['{', '%', '<', '=', '-', '~', '+', ' ', '\t']);
    let word = inside.split(|end: char| !end.is_ascii_alphanumeric() && end != '_').next().unwrap_or_default();
    if tag.starts_with("{%") {
        matches!(word, "include" | "extends" | "block" | "call" | "import")
    } else {
        matches!(word, "template" | "block" | "render" | "scope") || inside.starts_with('>')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_notes_decide_nothing() {
        for tag in ["{% if x %}", "{%- endfor %}", "<% if x %>", "{{ if .X }}", "{{- end }}", "{{#each x}}", "{{/if}}"]
        {
            assert!(decides(tag.as_bytes()), "{tag}");
        }
        for tag in
            ["{{ x }}", "{{ iffy }}", "{{ end.x }}", "{{/* if */}}", "{{- /* x */}}", "{{!x}}", "<%= x %>", "{#", "{"]
        {
            assert!(!decides(tag.as_bytes()), "{tag}");
        }
        assert!(any_decides(b"# {{ x }} {% if y %}"));
        assert!(!any_decides(b"# {{ x }} {# y #}"));
    }

    #[test]
    fn tags_over_several_lines_are_put_on_one() {
        let text = "{# a\n b { #}\nserver {\n{% set x = [\n 1 ] %}\n{{ x\n}}\n}\n";
        let flat = flatten(text).unwrap();
        assert_eq!(flat.len(), text.len());
        assert_eq!(flat, "{%        %}\nserver {\n{%                %}\n{{   }}\n}\n");
        assert_eq!(flatten("server { # {{ x }}\n listen 80; ## A ##\n}"), None);
        assert_eq!(flatten("##A##\nlisten ##PORT##;").as_deref(), Some("##A##\nlisten {{PORT}};"));
        assert_eq!(flatten("listen 80; ##PORT##"), None);
        assert_eq!(flatten("a b;\n  ${MORE}\nc ${X};\n").as_deref(), Some("a b;\n  {{MOR}}\nc ${X};\n"));
        assert_eq!(flatten("index {INDEX_FILE};").as_deref(), Some("index {{NDEX_FIL}};"));
        for text in ["a ${INDEX_FILE};", r"~ \k{NAME};", "a {{ X }};", "a {{XYZ}};", "~ [A-Z]{3};", "a {NaME};"] {
            assert_eq!(flatten(text), None, "{text}");
        }
    }

    #[test]
    fn many_marks_are_read_in_linear_time() {
        for part in ["@A", "__A_", "##", "##A", "{{\n"] {
            let text = part.repeat(100_000);
            assert!(flatten(&text).is_none() || part.starts_with('_'), "{part}");
        }
    }
}
