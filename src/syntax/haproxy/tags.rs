//! Template tags in a configuration file, masked: before the grammar sees the text, tags are replaced by as many bytes of
//! other text, so that every offset stays true and the grammar need not know them.

use std::ops::Range;

pub(super) use crate::syntax::tags::find;

/// The text with its tags masked: by blanks where tags stand alone on a line or where a control tag begins it, else by
/// a letter, so that a tag is (a part of) a word.
pub(super) fn mask(text: &str, tags: &[Range<u32>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut next = 0;
    while let Some(first) = tags.get(next) {
        // A tag over several lines: the lines stay.
        let all = first.start as usize..first.end as usize;
        if memchr::memchr(b'\n', &bytes[all.clone()]).is_some() {
            for byte in bytes[all].iter_mut().filter(|byte| **byte != b'\n') {
                *byte = b' ';
            }
            next += 1;
            continue;
        }
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
    fn values_in_comments_do_not_count() {
        let tags = |text: &str| find(text).len();
        assert_eq!(tags("# {{ ansible_managed }}\n bind :80 # {{ x }} {# y #}\n"), 0);
        assert_eq!(tags("# {% if x %}\n# {{ if .X }}\n"), 2);
        assert_eq!(tags("acl x path /\\# {{ x }}\nacl y str \"#\" {{ y }}\n"), 2);
    }

    #[test]
    fn a_tag_that_leads_may_span_lines() {
        let text =
            "{{- /* haproxy.cfg: {{ x\n the é\n*/ -}}\nglobal\n{% set a = [\n 1 ] %}\n bind {{ x\n}}\n{{ y\n{{ z }}\n";
        let found: Vec<_> = find(text).into_iter().map(|tag| &text[tag.start as usize..tag.end as usize]).collect();
        assert_eq!(found, ["{{- /* haproxy.cfg: {{ x\n the é\n*/ -}}", "{% set a = [\n 1 ] %}", "{{ z }}"]);
        let masked = mask(text, &find(text));
        assert_eq!(masked.len(), text.len());
        assert_eq!(masked.lines().count(), text.lines().count());
        assert!(masked.trim_start().starts_with("global"));
    }

    #[test]
    fn tags_that_nothing_closes_are_none() {
        for opener in ["{{\n", "{{/*\n", "{%\n", "{#\n", "{{/* */ x\n", "# {{ x }} {%\n"] {
            let text = opener.repeat(100);
            assert!(find(&text).is_empty() || opener.starts_with('#'), "{opener}");
        }
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
