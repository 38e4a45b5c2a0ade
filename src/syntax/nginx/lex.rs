//! Text → tokens, by the grammar, in bounded slices: pest keeps about a hundred bytes per token until a parse ends, so
//! that a slice which fits the cache is a third faster than the whole file, and 23 MB cost no 200 MB.

use memchr::{memchr, memrchr};
use pest::{Parser, Token};

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/nginx.pest"]
struct Grammar;

/// Bytes of one slice. Measured from 4 KiB to the whole file: up to 64 KiB nothing changes, beyond it gets slower.
const SLICE: usize = 16 * 1024;

/// Bytes of the first slice after a jump. What a slice holds beyond a jump is read in vain; small slices that grow
/// keep that in proportion to what was read in earnest.
const SLICE_AFTER_JUMP: usize = 64;

/// What the taker of a token wants next.
pub(super) enum Flow {
    /// The next token.
    On,
    /// Go on reading at this offset (beyond the start of the token).
    Jump(usize),
    /// No more.
    Stop,
}

/// Hands every token of `text` from `from` on to `take`, with its byte range. Linear in the text: a token that reaches
/// the end of a slice is read again from its start in a larger one.
pub(super) fn lex(text: &str, from: usize, template: bool, mut take: impl FnMut(Rule, usize, usize) -> Flow) {
    let entry = if template { Rule::template } else { Rule::file };
    let (mut at, mut size) = (from, SLICE);
    while at < text.len() {
        let end = cut(text, at, size);
        let Some(slice) = text.get(at..end) else { return };
        let Ok(pairs) = Grammar::parse(entry, slice) else { return };
        let (mut next, mut start, mut jumped) = (end, at, false);
        for token in pairs.tokens() {
            let (rule, stop) = match token {
                Token::Start { pos, .. } => {
                    start = at + pos.pos();
                    continue;
                }
                Token::End { rule, pos } => (rule, at + pos.pos()),
            };
            if end < text.len() && may_go_on(text, rule, start, stop, end, template) {
                next = start;
                break;
            }
            let flow = match rule {
                Rule::statement => words(text, start, stop, &mut take),
                _ => take(rule, start, stop),
            };
            match flow {
                Flow::On => {}
                Flow::Jump(to) => {
                    (next, jumped) = (to.max(start + 1), true);
                    break;
                }
                Flow::Stop => return,
            }
        }
        size = if jumped {
            SLICE_AFTER_JUMP
        } else if next == at {
            size * 2
        } else {
            (size * 2).min(SLICE)
        };
        at = next;
    }
}

/// Hands on the words of a statement and the mark that ends it: see the grammar.
fn words(text: &str, start: usize, stop: usize, take: &mut impl FnMut(Rule, usize, usize) -> Flow) -> Flow {
    let Some(bytes) = text.as_bytes().get(..stop) else { return Flow::On };
    let mark = stop.saturating_sub(1);
    let mut at = start;
    while let Some(word) = bytes.get(at..mark).and_then(|rest| rest.iter().position(|byte| *byte > b' ')) {
        let from = at + word;
        let rest = bytes.get(from..mark).unwrap_or_default();
        at = from + rest.iter().position(|byte| *byte <= b' ').unwrap_or(rest.len());
        match take(Rule::word, from, at) {
            Flow::On => {}
            flow => return flow,
        }
    }
    take(Rule::mark, mark, stop)
}

/// Whether the token might be another one, had the slice not ended.
fn may_go_on(text: &str, rule: Rule, start: usize, stop: usize, end: usize, template: bool) -> bool {
    let open = text.as_bytes().get(start) == Some(&b'{');
    if stop == end {
        return !matches!(rule, Rule::mark | Rule::statement) || (template && open);
    }
    // `{#` in a slice that ends before the line does: a tag or a block, its close will tell.
    let bytes = text.as_bytes();
    template
        && rule == Rule::mark
        && open
        && bytes.get(stop) == Some(&b'#')
        && bytes.get(stop..end).is_some_and(|rest| memchr(b'\n', rest).is_none())
}

/// The end of the slice that begins at `at`: a line end when there is one, a character's end always.
fn cut(text: &str, at: usize, size: usize) -> usize {
    let mut end = at.saturating_add(size);
    if end >= text.len() {
        return text.len();
    }
    if let Some(i) = text.as_bytes().get(at..end).and_then(|slice| memrchr(b'\n', slice)) {
        return at + i + 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    end
}
