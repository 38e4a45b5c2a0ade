//! Template tags, as far as all dialects see them alike.

use memchr::memchr2_iter;

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
}
