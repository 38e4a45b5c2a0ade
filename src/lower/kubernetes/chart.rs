//! Templates of Helm charts: YAML with tags in it, made into YAML of the same length.
//!
//! Lines of control tags and of tags that print whole lines become blanks, other tags letters, of two branches the first
//! one stays. What a word with a tag says is its own text, so that two words are the same where they are written alike.

use super::embedded::{self, Block};
use super::objects::Word;
use crate::files::{Files, folder, join};
use crate::lower::filled::AllFilled;
use crate::source::FileId;
use crate::syntax::template_yaml;

/// The folder of templates of the chart that a manifest belongs to.
pub(super) fn root(path: &str, files: &Files<'_>) -> Option<String> {
    let mut at = folder(path);
    while !at.is_empty() {
        let above = folder(at);
        if at.rsplit('/').next() == Some("templates") && join(above, "Chart.yaml").is_some_and(|it| files.exists(&it)) {
            return Some(at.to_owned());
        }
        at = above;
    }
    None
}

/// The text as YAML; `None`: it has no tags.
pub(super) fn plain(text: &str) -> Option<String> {
    text.contains("{{").then(|| template_yaml(text))
}

/// Gives words with tags what they say: values that are known, else their own text with its blanks evened out.
pub(super) fn say<'w>(words: impl Iterator<Item = &'w mut Word>, file: FileId, text: &str, filled: &AllFilled) {
    for word in words {
        let span = word.site.span;
        let Some(own) = text.get(span.start as usize..span.end as usize).filter(|own| own.contains("{{")) else {
            continue;
        };
        let said = filled.put_into(file, text, span.start..span.end).unwrap_or_else(|| own.to_owned());
        let said = said.trim_matches(['"', '\'']);
        word.text = if said.contains("{{") { even(said) } else { said.into() };
    }
}

/// A text whose tags have one blank where they have any, and none at their marks.
fn even(text: &str) -> Box<str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ").replace("{{-", "{{").replace("-}}", "}}");
    text.replace("{{ ", "{{").replace(" }}", "}}").into()
}

/// The configuration of proxies in a template that is no YAML even so, by the indentation of its blocks.
pub(super) fn blocks(text: &str, file: FileId, into: &mut Vec<Block>) {
    let mut at = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        lines.push((at, line));
        at += line.len();
    }
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut next = 0;
    while let Some(&(_, line)) = lines.get(next) {
        next += 1;
        let Some((key, head)) = line.trim_end().split_once(": |") else { continue };
        if !head.bytes().all(|byte| matches!(byte, b'-' | b'+' | b'0'..=b'9')) {
            continue;
        }
        let within = indent(line);
        let first = next;
        while lines.get(next).is_some_and(|(_, line)| {
            indent(line) > within || line.trim().is_empty() || line.trim_start().starts_with("{{")
        }) {
            next += 1;
        }
        let (Some(&(from, _)), Some(&(last, line))) = (lines.get(first), lines.get(next.wrapping_sub(1))) else {
            continue;
        };
        if first < next {
            embedded::block(key.trim().trim_matches(['"', '\'']), file, text, from..last + line.len(), into);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_by_what_is_written() {
        assert_eq!(even("{{ include \"c.fullname\"  . }}-api"), even("{{- include \"c.fullname\" . -}}-api"));
        assert_ne!(even("{{ .a }}-api"), even("{{ .a }}-web"));
    }
}
