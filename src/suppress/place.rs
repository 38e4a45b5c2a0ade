//! How far a comment reaches: from where it stands to the statement, block or section that it means.
//!
//! Comments are looked at in the order of the text, together with the statements, so a file is gone through once.

use super::Fault;
use super::comment::{Comment, Scope};
use crate::syntax::{haproxy, nginx};
use std::ops::Range;

/// A comment's place: a comment ends with its line, so a line has at most one.
struct Spot {
    /// Where its line begins.
    line: u32,
    /// Where the comment begins.
    at: u32,
    /// Whether something stands before it on its line.
    trailing: bool,
}

impl Spot {
    fn new(comment: &Comment, text: &str) -> Self {
        let before = text.get(..comment.at.start as usize).unwrap_or_default();
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        let trailing =
            before.get(line..).is_some_and(|lead| !lead.trim_start().trim_start_matches(['#', ' ', '\t']).is_empty());
        Self { line: line as u32, at: comment.at.start, trailing }
    }
}

/// What an nginx file's comments cover, in their order; a fault for one that stands nowhere useful.
pub fn nginx<'a>(
    tree: &'a nginx::Tree,
    text: &'a str,
    comments: &'a [Comment],
) -> impl Iterator<Item = Result<Range<u32>, Fault>> + 'a {
    let nodes = tree.nodes();
    let mut next = 0;
    let mut open: Vec<usize> = Vec::new();
    comments.iter().map(move |comment| {
        let spot = Spot::new(comment, text);
        while let Some(node) = nodes.get(next).filter(|node| node.start < spot.at) {
            while open.last().is_some_and(|&block| nodes[block].end <= node.start) {
                open.pop();
            }
            if node.body() != nginx::Body::None {
                open.push(next);
            }
            next += 1;
        }
        while open.last().is_some_and(|&block| nodes[block].end <= spot.at) {
            open.pop();
        }
        let around = open.last().copied();
        let follows = nodes.get(next).filter(|node| around.is_none_or(|block| node.start < nodes[block].end));
        // Statements that have a part on the comment's line; of a block the part before its `{`.
        let mut first = next;
        while first > 0 && (nodes[first - 1].start >= spot.line || head(&nodes[first - 1]) > spot.line) {
            first -= 1;
        }
        let here = nodes.get(first..next).unwrap_or_default();
        match comment.scope {
            Scope::File => Ok(0..u32::MAX),
            Scope::Statement if spot.trailing => match (here.first(), here.iter().map(head).max()) {
                (Some(node), Some(end)) => Ok(node.start..end),
                _ => Err(nowhere(comment, "no statement begins or ends on this line")),
            },
            Scope::Statement => match follows {
                Some(node) => Ok(node.start..head(node)),
                None => Err(nowhere(comment, "no statement follows")),
            },
            Scope::Block if spot.trailing => match here.iter().find(|node| node.body() != nginx::Body::None) {
                Some(node) => Ok(node.start..node.end),
                None => Err(nowhere(comment, "no block is opened on this line")),
            },
            Scope::Block => match (follows, around) {
                (Some(node), _) if node.body() != nginx::Body::None => Ok(node.start..node.end),
                // The first thing in a block.
                (_, Some(block)) if block + 1 == next => Ok(nodes[block].start..nodes[block].end),
                _ => Err(nowhere(comment, "this is neither before a block nor the first line in one")),
            },
        }
    })
}

/// Where the part of a statement ends that stands outside its block.
fn head(node: &nginx::Node) -> u32 {
    match node.body() {
        nginx::Body::None => node.end,
        nginx::Body::Block { open, .. } | nginx::Body::Raw { open, .. } => open + 1,
    }
}

/// What a HAProxy file's comments cover, in their order; a fault for one that stands nowhere useful.
pub fn haproxy<'a>(
    tree: &'a haproxy::Tree,
    text: &'a str,
    comments: &'a [Comment],
) -> impl Iterator<Item = Result<Range<u32>, Fault>> + 'a {
    let mut lines = tree.lines().map(|(_, line)| line).peekable();
    let mut before: Option<&haproxy::Line> = None;
    let starts: Vec<u32> = tree.sections().map(|(_, section)| tree.line(section.header).start).collect();
    comments.iter().map(move |comment| {
        let spot = Spot::new(comment, text);
        while let Some(line) = lines.next_if(|line| line.start < spot.at) {
            before = Some(line);
        }
        let here = before.filter(|line| spot.trailing && line.start >= spot.line);
        let section = |line: &haproxy::Line| {
            let after = starts.partition_point(|&start| start <= line.start);
            line.start..starts.get(after).copied().unwrap_or(u32::MAX)
        };
        let header = |line: &&haproxy::Line| line.kind == haproxy::LineKind::Header;
        match comment.scope {
            Scope::File => Ok(0..u32::MAX),
            Scope::Statement if spot.trailing => match here {
                Some(line) => Ok(line.start..line.end.max(line.start + 1)),
                None => Err(nowhere(comment, "no statement stands on this line")),
            },
            Scope::Statement => match lines.peek() {
                Some(line) => Ok(line.start..line.end.max(line.start + 1)),
                None => Err(nowhere(comment, "no statement follows")),
            },
            Scope::Block if spot.trailing => match here.filter(header) {
                Some(line) => Ok(section(line)),
                None => Err(nowhere(comment, "no section begins on this line")),
            },
            Scope::Block => match lines.peek().copied().filter(header).or(before.filter(header)) {
                Some(line) => Ok(section(line)),
                None => Err(nowhere(comment, "this is neither before a section nor the first line in one")),
            },
        }
    })
}

fn nowhere(comment: &Comment, why: &str) -> Fault {
    Fault::new(comment.at.clone(), "this comment stands where it suppresses nothing", why).help(match comment.scope {
        Scope::Block => {
            "put it on the line that opens the block or section, on a line of its own before that, or first in it"
        }
        _ => "put it behind the statement on its line, or on a line of its own before it",
    })
}
