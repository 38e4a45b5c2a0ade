//! Configuration of proxies that a `ConfigMap` holds: linted where it stands.

use crate::files::Files;
use crate::source::FileId;
use crate::syntax::yaml::{Style, View};
use crate::topology::Dialect;
use std::ops::Range;

/// Most texts of one file that are read: each is a copy of what stands before it.
const MAX_BLOCKS: usize = 32;

/// A text within a file.
pub(super) struct Block {
    file: FileId,
    at: Range<usize>,
    dialect: Dialect,
    inner: Box<str>,
}

/// Finds what a `ConfigMap` holds of proxies' configuration.
pub(super) fn find(map: View<'_>, file: FileId, text: &str, into: &mut Vec<Block>) {
    for (key, value) in map.get("data").map(View::entries).unwrap_or_default() {
        let (Some(key), Some(held), Some(Style::Block)) = (key.text(), value.text(), value.style()) else { continue };
        let Some(dialect) = dialect(key, held) else { continue };
        let at = value.at().start as usize..(value.at().end as usize).min(text.len());
        // A folded block (`>`) is another text than the one that is read here.
        let Some(mut body) = body(text, at) else { continue };
        // Whether its last line ends is the block's affair (`|`, `|-`), and some proxies mind.
        if held.ends_with('\n') && !text[body.clone()].ends_with('\n') {
            body.end += text[body.end..].find('\n').map_or(0, |end| end + 1);
        }
        push(Block { file, at: body, dialect, inner: super::objects::inner(map, key) }, into);
    }
}

/// A text that stands behind a key, if it is a proxy's configuration.
pub(super) fn block(key: &str, file: FileId, text: &str, at: Range<usize>, into: &mut Vec<Block>) {
    if let Some(dialect) = text.get(at.clone()).and_then(|held| dialect(key, held)) {
        // What map it belongs to is not known: nothing includes it.
        let inner = format!("{}/{}", at.start, key.replace('/', "_")).into();
        push(Block { file, at, dialect, inner }, into);
    }
}

fn push(block: Block, into: &mut Vec<Block>) {
    if into.iter().rev().take_while(|other| other.file == block.file).take(MAX_BLOCKS).count() < MAX_BLOCKS {
        into.push(block);
    }
}

/// The lines of a block, without its head.
pub(in crate::lower) fn body(text: &str, at: Range<usize>) -> Option<Range<usize>> {
    let part = text.get(at.clone())?;
    let line = text[..at.start].rfind('\n').map_or(0, |end| end + 1);
    if part.starts_with('|') {
        let head = part.find('\n')?;
        return Some(at.start + head + 1..at.end);
    }
    // The place begins with the first line of the text.
    let head = text[..line].trim_end().rsplit('\n').next()?;
    let head = head.split(" #").next()?.trim_end().trim_end_matches(|c: char| matches!(c, '+' | '-' | '0'..='9'));
    head.ends_with('|').then_some(line..at.end)
}

/// The dialect of a text, by its key and a few signs.
fn dialect(key: &str, text: &str) -> Option<Dialect> {
    let begins = |words: &[&str]| {
        text.lines().any(|line| line.split_whitespace().next().is_some_and(|word| words.contains(&word)))
    };
    if key == "haproxy.cfg" || key.ends_with(".cfg") {
        return begins(&["frontend", "backend", "listen", "defaults"]).then_some(Dialect::Haproxy);
    }
    let named = key == "nginx.conf" || key.ends_with(".conf") || key.ends_with(".conf.template");
    let signs =
        &["proxy_pass", "fastcgi_pass", "uwsgi_pass", "grpc_pass", "scgi_pass", "server", "upstream", "location"];
    (named && begins(signs) && text.contains('{') && text.contains(';')).then_some(Dialect::Nginx)
}

impl Block {
    /// Makes a file of it: the same bytes up to its end, with blanks for all that is not it, so that every place in it
    /// is one of the file that holds it.
    pub(super) fn enter(self, files: &mut Files<'_>) {
        let source = files.sources.share(self.file);
        let text = source.text();
        let bytes = blanked(text, &self.at);
        let inner = format!("{}/{}", source.path(), self.inner);
        files.add_embedded(source.path(), &inner, bytes, self.dialect);
    }
}

/// A part of a text, with blanks for all that stands before it.
pub(in crate::lower) fn blanked(text: &str, part: &Range<usize>) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.as_bytes()[..part.end].to_vec();
    for byte in &mut bytes[..part.start] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
    bytes
}
