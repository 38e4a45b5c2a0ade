//! Configuration of proxies that a compose file holds itself, as the `content` of a config: linted where it stands.
//!
//! compose puts variables into it first: `$$` is one `$` afterwards, and `$name` the value of a variable of the shell or of
//! `.env`, or nothing (github.com/compose-spec/compose-spec, 12-interpolation.md).

use super::place::dialect_of;
use super::read::Draft;
use crate::files::Files;
use crate::lower::kubernetes::embedded;
use crate::source::{Site, Span};
use std::collections::HashMap;

/// A text that a config holds.
#[derive(Clone, Debug)]
pub(super) struct Inline {
    /// The path under which the text is known beside the files of the repository.
    pub(super) path: String,
    /// The first of the proxy's own variables that compose replaces, and its place.
    pub(super) eaten: Option<(Box<str>, Site)>,
}

/// Most texts of one project that are read: each is a copy of what stands before it.
const MAX_TEXTS: usize = 16;

/// Makes files of the texts that lie where a proxy looks for its configuration. By the name of the config.
pub(super) fn enter(draft: &Draft, files: &mut Files<'_>) -> HashMap<Box<str>, Inline> {
    let mut found = HashMap::new();
    for service in &draft.services {
        for used in service.item.get("configs").map(super::value::Item::items).unwrap_or_default() {
            let Some(name) = used.known().or_else(|| used.word("source")) else { continue };
            let Some(dialect) = used.word("target").and_then(dialect_of) else { continue };
            if found.len() >= MAX_TEXTS || found.contains_key(name) {
                continue;
            }
            let declared = draft.configs.iter().find(|entry| &*entry.key == name);
            let Some(content) = declared.and_then(|entry| entry.item.get("content")) else { continue };
            let source = files.sources.share(content.site.span.file);
            let whole = content.site.span.start as usize..(content.site.span.end as usize).min(source.text().len());
            let Some(body) = embedded::body(source.text(), whole) else { continue };
            let path = format!("{}#{}:{name}", source.path(), body.start);
            let mut bytes = embedded::blanked(source.text(), &body);
            let eaten = replaced(&mut bytes[body.start..]).map(|(variable, at)| {
                let start = (body.start + at) as u32;
                let span = Span::new(content.site.span.file, start, start + variable.len() as u32 + 1);
                (variable.into(), Site::direct(span))
            });
            files.add_embedded(source.path(), &path, bytes, dialect);
            found.insert(name.into(), Inline { path, eaten });
        }
    }
    found
}

/// Does what compose does, at equal length: `$$` becomes one `$`, with a blank at the end of the word. What compose fills in
/// is nobody's to know: `${NAME}` becomes a hole. Gives the first variable in small letters that it replaces.
fn replaced(text: &mut [u8]) -> Option<(String, usize)> {
    let name = |text: &[u8], at: usize| {
        text.get(at..).unwrap_or_default().iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count()
    };
    let mut eaten = None;
    let mut at = 0;
    while at < text.len() {
        if text[at] != b'$' {
            at += 1;
            continue;
        }
        if text.get(at + 1) == Some(&b'$') {
            let rest = &text[at + 1..];
            let end = rest
                .iter()
                .position(|b| b.is_ascii_whitespace() || matches!(b, b';' | b'"' | b'\''))
                .unwrap_or(rest.len());
            text.copy_within(at + 1..at + 1 + end, at);
            text[at + end] = b' ';
            // The next `$$` of the word has moved along.
            at += 1 + name(text, at + 1);
            continue;
        }
        let braced = text.get(at + 1) == Some(&b'{');
        let start = at + 1 + usize::from(braced);
        let length = name(text, start);
        let word = String::from_utf8_lossy(&text[start..start + length]).into_owned();
        let small = length > 0
            && !word.bytes().any(|b| b.is_ascii_uppercase())
            && !word.starts_with(|c: char| c.is_ascii_digit());
        let end = if braced {
            let close = text[start..].iter().take(200).position(|b| *b == b'}');
            close.map_or(start + length, |close| start + close + 1)
        } else {
            start + length
        };
        if small && !braced {
            eaten.get_or_insert((word, at));
        } else if length > 0 && end - at >= 4 {
            text[at..end].fill(b'x');
            text[at..at + 2].copy_from_slice(b"{{");
            text[end - 2..end].copy_from_slice(b"}}");
        }
        at = end.max(at + 1);
    }
    eaten
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compose_makes_of_a_text() {
        let said = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            let eaten = replaced(&mut bytes).map(|(name, at)| format!("{name}@{at}"));
            (String::from_utf8(bytes).unwrap(), eaten.unwrap_or_default())
        };
        assert_eq!(said("a $$host;"), ("a $host ;".into(), String::new()));
        assert_eq!(said("http://$$a:$$b/;"), ("http://$a:$b/  ;".into(), String::new()));
        assert_eq!(said("Host $host; x $uri;"), ("Host $host; x $uri;".into(), "host@5".into()));
        assert_eq!(said("http://${APP}:80;"), ("http://{{xx}}:80;".into(), String::new()));
        assert_eq!(said("${A:-b} $APP $1 $"), ("{{xxx}} {{}} $1 $".into(), String::new()));
        for piece in ["$", "$$", "${", "$a", "$$a"] {
            let _ = said(&piece.repeat(20_000));
        }
    }
}
