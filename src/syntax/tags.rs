//! Template tags, as far as all dialects see them alike: Jinja and Go templates (`{{ }}`, `{% %}`, `{# #}`), ERB
//! (`<% %>`), and names that a script replaces (`@HOST@`, `__HOST__`).
//!
//! A tag counts only when it closes on its line, but for one that begins its line: it may span some (`{{/* … */}}`).
//! In a comment only a tag that decides about other lines counts.

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

/// Pairs of marks around a name that a script (`sed`, a build system) replaces: `@HOST@`, `__HOST__`, `%%HOST%%`,
/// `##HOST##`.
const MARKS: [&str; 4] = ["@", "__", "%%", "##"];

/// Whether a script or a person is meant to fill something into a word: a marked name (`@HOST@`, `__HOST__`), a name in
/// angle brackets, or, where a number is expected, a name in capital letters ([`is_shouted`]).
#[must_use]
pub fn has_placeholder(word: &str) -> bool {
    // Nearly no word has a mark at all, and this is asked of nearly every word.
    let bytes = word.as_bytes();
    let may = bytes.contains(&b'@') || bytes.windows(2).any(|pair| matches!(pair, b"__" | b"%%" | b"##"));
    may && MARKS.iter().any(|mark| marked(word, mark).is_some())
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

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Whether a word is a name in capital letters where a number should be: `NGINX_TIMEOUT`. Somebody replaces it.
#[must_use]
pub fn is_shouted(word: &str) -> bool {
    word.len() > 2 && is_name(word)
}

/// A text as a lexer of single lines needs it.
#[derive(Default)]
pub(super) struct Flat {
    /// The text with what such a lexer cannot see put into its words, at equal length: a tag over several lines on one, a
    /// name that a script replaces (`##NAME##`, a comment else; `{NAME}`) as a tag. `None`: there is nothing of the kind.
    pub(super) text: Option<String>,
    /// Whether anything in it may be a tag: an opener is there.
    pub(super) tags: bool,
}

/// Looks once for the few bytes that begin a tag or a name; nearly no text has one, and then this is all.
pub(super) fn flatten(text: &str) -> Flat {
    let bytes = text.as_bytes();
    let (mut names, mut tags, mut line_end) = (Vec::new(), false, 0);
    for at in memchr::memchr3_iter(b'{', b'<', b'#', bytes) {
        match (bytes[at], bytes.get(at + 1)) {
            (b'#', Some(b'#')) if at >= line_end => {
                let start =
                    memchr::memrchr(b'\n', &bytes[line_end..at]).map_or(line_end, |newline| line_end + newline + 1);
                line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline);
                let found = marked_on_line(&text[start..line_end], at - start);
                names.extend(found.into_iter().map(|name| start + name.start..start + name.end));
            }
            (b'{', Some(b'{' | b'%' | b'#')) | (b'<', Some(b'%')) => tags = true,
            (b'{', Some(next)) if is_of_name(*next) => names.extend(braced(bytes, at)),
            _ => {}
        }
    }
    let mut flat: Option<Vec<u8>> = None;
    if tags {
        for tag in find(text) {
            let range = tag.start as usize..tag.end as usize;
            let Some(raw) = bytes.get(range.clone()) else { continue };
            let complete = || matches!(bytes[..range.start].trim_ascii_end().last(), None | Some(b';' | b'{' | b'}'));
            // `{# … #}` where a statement could begin: a block would have a name.
            if memchr::memchr(b'\n', raw).is_none() && !(raw.starts_with(b"{#") && complete()) {
                continue;
            }
            let prints = raw.starts_with(b"{{") && !is_note(raw) || raw.starts_with(b"<%=");
            let flat = flat.get_or_insert_with(|| bytes.to_vec());
            flat[range.clone()].fill(b' ');
            put_between(flat, range, if prints { *b"{{}}" } else { *b"{%%}" });
        }
    }
    for name in names {
        put_between(flat.get_or_insert_with(|| bytes.to_vec()), name, *b"{{}}");
    }
    // Whole tags were replaced, and a tag begins and ends with ASCII: this is still UTF-8.
    let flat = flat.and_then(|flat| String::from_utf8(flat).ok());
    Flat { tags: tags || flat.is_some(), text: flat }
}

/// Writes the two halves of a pair of marks over the first and the last two bytes of a range.
fn put_between(text: &mut [u8], range: Range<usize>, marks: [u8; 4]) {
    let Some((open, close)) = text.get_mut(range).and_then(|tag| tag.split_first_chunk_mut::<2>()) else { return };
    let Some(close) = close.last_chunk_mut::<2>() else {
        return;
    };
    let [a, b, c, d] = marks;
    (*open, *close) = ([a, b], [c, d]);
}

const fn is_of_name(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_')
}

/// The name in braces that a script replaces, if one begins with the `{` at `at`, with its braces: `{SERVER_NAME}`, and
/// `${NAME}` with a line to itself, where a shell puts whole directives in. Not any other `${NAME}`, not what belongs to a
/// regular expression (`\p{LATIN}`, `\k{NAME}`) or stands in a larger pair of braces.
fn braced(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &bytes[at + 1..];
    let length = rest.iter().take_while(|byte| is_of_name(**byte)).count();
    if length == 0 || rest.get(length) != Some(&b'}') {
        return None;
    }
    let (before, after) = (&bytes[..at], &rest[length + 1..]);
    if let Some(before) = before.strip_suffix(b"$") {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
        let alone = matches!(before.iter().rev().find(|byte| !blank(byte)), None | Some(b'\n'))
            && matches!(after.iter().find(|byte| !blank(byte)), None | Some(b'\n'));
        return alone.then(|| at - 1..at + length + 2);
    }
    let escaped = at > 1 && bytes[at - 2] == b'\\';
    let within = matches!(before.last(), Some(b'{' | b'%')) || after.first() == Some(&b'}');
    (length > 2 && rest[0].is_ascii_uppercase() && !escaped && !within).then(|| at..at + length + 2)
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
    fn names_that_a_script_replaces() {
        for word in ["@HOST@", "http://__HOST__:80", "%%A1%%", "a##PORT##", "__A_B__"] {
            assert!(has_placeholder(word), "{word}");
        }
        for word in ["", "@", "unix@/run/a.sock", "a@b@c", "____", "__init__", "%%[src]%%", "/a__b", "####", "$__A"] {
            assert!(!has_placeholder(word), "{word}");
        }
        assert!(is_shouted("NGINX_TIMEOUT") && is_shouted("PORT") && !is_shouted("60S") && !is_shouted("5m"));
    }

    #[test]
    fn tags_over_several_lines_are_put_on_one() {
        let text = "{# a\n b { #}\nserver {\n{% set x = [\n 1 ] %}\n{{ x\n}}\n}\n";
        let flat = flatten(text).text.unwrap();
        assert_eq!(flat.len(), text.len());
        assert_eq!(flat, "{%        %}\nserver {\n{%                %}\n{{   }}\n}\n");
        assert_eq!(flatten("server { # {{ x }}\n listen 80; ## A ##\n}").text, None);
        assert_eq!(flatten("##A##\nlisten ##PORT##;").text.as_deref(), Some("##A##\nlisten {{PORT}};"));
        assert_eq!(flatten("listen 80; ##PORT##").text, None);
        assert_eq!(flatten("a b;\n  ${MORE}\nc ${X};\n").text.as_deref(), Some("a b;\n  {{MOR}}\nc ${X};\n"));
        assert_eq!(flatten("index {INDEX_FILE};").text.as_deref(), Some("index {{NDEX_FIL}};"));
        for text in ["a ${INDEX_FILE};", r"~ \k{NAME};", "a {{ X }};", "a {{XYZ}};", "~ [A-Z]{3};", "a {NaME};"] {
            assert_eq!(flatten(text).text, None, "{text}");
        }
    }

    #[test]
    fn many_marks_are_read_in_linear_time() {
        for part in ["@A", "__A_", "##", "##A", "{{\n"] {
            let text = part.repeat(100_000);
            assert!(!has_placeholder("x") && flatten(&text).text.is_none() || part.starts_with('_'), "{part}");
        }
    }
}
