//! Template tags in a configuration file: Jinja and Go templates (`{{ }}`, `{% %}`, `{# #}`), ERB (`<% %>`).
//!
//! A tag counts only when it closes on its line. Before the grammar sees the text, tags are masked by as many bytes of
//! other text, so that every offset stays true and the grammar need not know them.

use std::ops::Range;

const KINDS: [(&[u8; 2], &[u8; 2]); 4] = [(b"{{", b"}}"), (b"{%", b"%}"), (b"{#", b"#}"), (b"<%", b"%>")];

/// All tags, in the order of the text. Linear: an opener that does not close on its line is looked for only once.
pub(super) fn find(text: &str) -> Vec<Range<u32>> {
    let bytes = text.as_bytes();
    let mut tags = Vec::new();
    let mut line_end = 0;
    let mut hopeless = [false; KINDS.len()];
    let mut from = 0;
    while let Some(found) = memchr::memchr2(b'{', b'<', bytes.get(from..).unwrap_or(&[])) {
        let at = from + found;
        from = at + 1;
        let Some(kind) = KINDS.iter().position(|(open, _)| bytes[at..].starts_with(*open)) else { continue };
        if at >= line_end {
            line_end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            hopeless = [false; KINDS.len()];
        }
        let inside = at + 2;
        // `{%[src]%}` and `<%ci>` are log formats of HAProxy, not tags.
        let log_format = KINDS[kind].0 != b"{{" && bytes.get(inside) == Some(&b'[');
        if hopeless[kind] || log_format {
            continue;
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

/// The text with its tags masked: by blanks where tags stand alone on a line or where a control tag begins it, else by
/// a letter, so that a tag is (a part of) a word.
pub(super) fn mask(text: &str, tags: &[Range<u32>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut next = 0;
    while let Some(first) = tags.get(next) {
        let line_start = memchr::memrchr(b'\n', &bytes[..first.start as usize]).map_or(0, |at| at + 1);
        let line_end =
            memchr::memchr(b'\n', &bytes[first.start as usize..]).map_or(bytes.len(), |at| first.start as usize + at);
        let count = tags[next..].iter().take_while(|tag| (tag.end as usize) <= line_end).count();
        let on_line = &tags[next..next + count];
        next += count.max(1);
        let mut gaps = on_line
            .iter()
            .map(|tag| tag.end as usize)
            .zip(on_line.iter().skip(1).map(|tag| tag.start as usize).chain(std::iter::once(line_end)));
        let is_blank = |from: usize, to: usize| text.as_bytes()[from..to].iter().all(u8::is_ascii_whitespace);
        let leads = is_blank(line_start, first.start as usize);
        let alone = leads && gaps.all(|(from, to)| is_blank(from, to));
        let (mut leading, mut led_to) = (leads, first.start as usize);
        for tag in on_line {
            let range = tag.start as usize..tag.end as usize;
            leading = leading && is_blank(led_to, range.start) && is_control(&bytes[range.clone()]);
            led_to = range.end;
            bytes[range].fill(if alone || leading { b' ' } else { b'x' });
        }
    }
    // Whole tags were replaced, and a tag begins and ends with ASCII: this is still UTF-8.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Whether a tag writes nothing by itself.
fn is_control(tag: &[u8]) -> bool {
    !(tag.starts_with(b"{{") || tag.starts_with(b"<%="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_close_on_their_line() {
        let text = "a {{ b }}{{c}} {{ d\n}} {% if x %} <%= y %> <%ci> {%[src]%} {# z #}";
        let found: Vec<_> = find(text).into_iter().map(|tag| &text[tag.start as usize..tag.end as usize]).collect();
        assert_eq!(found, ["{{ b }}", "{{c}}", "{% if x %}", "<%= y %>", "{# z #}"]);
    }

    #[test]
    fn masks_keep_every_offset() {
        let text = "{% if é %}\n server {{ a }} {{ b }}:80\n {%- if x %}bind :80{% endif %}\n  {{ all }}  \n";
        let masked = mask(text, &find(text));
        let expected = format!(
            "{}\n server {} {}:80\n {}bind :80{}\n  {}  \n",
            " ".repeat(11),
            "x".repeat(7),
            "x".repeat(7),
            " ".repeat(11),
            "x".repeat(11),
            " ".repeat(9)
        );
        assert_eq!(masked, expected);
    }
}
