//! Where a part of a scalar is written, as exactly as can be said.

use crate::source::{Site, SourceMap, Span};
use crate::syntax::words::Text;
use std::ops::Range;

/// Scalars longer than this are pointed at as a whole, so that looking for words in them stays cheap.
const LONGEST_SEARCHED: usize = 4096;

/// The place of some bytes of a scalar's text. A scalar may be written otherwise than it reads (quotes, folding, escapes):
/// then the words are looked for, and if they cannot be found for certain, the whole scalar is meant.
pub(super) fn part(sources: &SourceMap, whole: &Text, range: Range<usize>) -> Site {
    let span = whole.site.span;
    let source = sources.file(span.file).text().get(span.start as usize..span.end as usize).unwrap_or("");
    let narrowed = |start: usize, end: usize| Site {
        span: Span::new(span.file, span.start + start as u32, span.start + end as u32),
        via: whole.site.via,
    };
    if whole.text.len() == source.len() {
        return narrowed(range.start, range.end);
    }
    let piece = whole.text.get(range).unwrap_or("");
    if piece.is_empty() || source.len() > LONGEST_SEARCHED {
        return whole.site;
    }
    let mut found = source.match_indices(piece);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => narrowed(at, at + piece.len()),
        _ => whole.site,
    }
}

/// From one site to another of the same file.
pub(super) fn joined(first: Site, last: Site) -> Site {
    Site { span: first.span.to(last.span), via: first.via }
}
