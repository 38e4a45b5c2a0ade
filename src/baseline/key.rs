//! What makes a finding the same one in two runs: its rule, where it stands in the structure of its file, and the
//! underlined words. Neither its line nor the wording of its message, which changes from one version of this program to
//! the next.

use crate::files::Tree;
use crate::finding::Finding;
use crate::source::{FileId, SourceMap, Span};
use crate::syntax::{haproxy, nginx};
use crate::topology::Topology;
use std::collections::HashMap;
use std::iter::Peekable;
use std::sync::Arc;

/// So much of an underlined text is looked at: many findings in one long text would otherwise cost hours.
const MAX_BYTES: usize = 4 * 1024;

/// Gives sorted findings their keys and fingerprints. `tree` says what was made of a file.
pub fn identify(
    findings: &mut [Finding],
    sources: &SourceMap,
    tree: impl Fn(FileId) -> Option<Arc<Tree>>,
    topology: &Topology,
) {
    if findings.is_empty() {
        return;
    }
    let mut hosts = HashMap::new();
    for (_, host) in topology.virtual_hosts.iter() {
        if let Some((name, _)) = host.names.first() {
            let span = host.site.span;
            hosts.entry((span.file, span.start)).or_insert(&**name);
        }
    }
    let mut seen: HashMap<u64, u32> = HashMap::with_capacity(findings.len());
    for of_file in findings.chunk_by_mut(|a, b| file_of(a) == file_of(b)) {
        let Some(file) = of_file.first().map(file_of) else { continue };
        let source = sources.share(file);
        let tree = tree(file);
        let mut around = Around::new(tree.as_deref(), source.text(), file, &hosts);
        for finding in of_file {
            let span = finding.primary().site.span;
            let mut hash = around.names(span.start);
            hash.text(finding.rule.meta().code);
            hash.text(&on_one_line(underlined(source.text(), span), matches!(tree.as_deref(), Some(Tree::Nginx(_)))));
            finding.key = hash.0;
            let mut fingerprint = Fnv::default();
            fingerprint.text(source.path());
            fingerprint.number(hash.0);
            let times = seen.entry(fingerprint.0).or_default();
            *times += 1;
            if *times > 1 {
                fingerprint.number(u64::from(*times));
            }
            finding.fingerprint = fingerprint.0;
        }
    }
}

fn file_of(finding: &Finding) -> FileId {
    finding.primary().site.span.file
}

/// The beginning of what a span underlines.
fn underlined(text: &str, span: Span) -> &str {
    let whole = text.get(span.start as usize..span.end as usize).unwrap_or_default();
    let mut end = whole.len().min(MAX_BYTES);
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    &whole[..end]
}

/// What stands around a place: the blocks or the section in which it stands, by their names. Places are asked for in the
/// order of the text.
enum Around<'a> {
    Nginx {
        text: &'a str,
        file: FileId,
        hosts: &'a HashMap<(FileId, u32), &'a str>,
        nodes: &'a [nginx::Node],
        open: Vec<(u32, Fnv)>,
    },
    Haproxy {
        text: &'a str,
        tree: &'a haproxy::Tree,
        later: Peekable<std::vec::IntoIter<&'a haproxy::Section>>,
        names: Fnv,
    },
    Nothing,
}

impl<'a> Around<'a> {
    fn new(tree: Option<&'a Tree>, text: &'a str, file: FileId, hosts: &'a HashMap<(FileId, u32), &'a str>) -> Self {
        match tree {
            Some(Tree::Nginx(parsed)) => {
                Self::Nginx { text, file, hosts, nodes: parsed.tree.nodes(), open: Vec::new() }
            }
            Some(Tree::Haproxy(parsed)) => {
                let sections: Vec<_> = parsed.tree.sections().map(|(_, section)| section).collect();
                Self::Haproxy {
                    text,
                    tree: &parsed.tree,
                    later: sections.into_iter().peekable(),
                    names: Fnv::default(),
                }
            }
            None => Self::Nothing,
        }
    }

    fn names(&mut self, at: u32) -> Fnv {
        match self {
            Self::Nginx { text, file, hosts, nodes, open } => {
                while let Some((node, rest)) = nodes.split_first().filter(|(node, _)| node.start <= at) {
                    *nodes = rest;
                    let (nginx::Body::Block { open: brace, .. } | nginx::Body::Raw { open: brace, .. }) = node.body()
                    else {
                        continue;
                    };
                    while open.last().is_some_and(|(end, _)| *end <= node.start) {
                        open.pop();
                    }
                    let mut names = open.last().map(|(_, names)| *names).unwrap_or_default();
                    names.text(&on_one_line(underlined(text, Span::new(*file, node.start, brace)), true));
                    // A server block is known by its first name, which may stand in a file that it includes.
                    names.text(hosts.get(&(*file, node.start)).copied().unwrap_or_default());
                    open.push((node.end, names));
                }
                while open.last().is_some_and(|(end, _)| *end <= at) {
                    open.pop();
                }
                open.last().map(|(_, names)| *names).unwrap_or_default()
            }
            Self::Haproxy { text, tree, later, names } => {
                while let Some(section) = later.next_if(|section| tree.line(section.header).start <= at) {
                    *names = Fnv::default();
                    for word in tree.words(section.header) {
                        names.text(text.get(word.start as usize..word.end as usize).unwrap_or_default());
                    }
                }
                *names
            }
            Self::Nothing => Fnv::default(),
        }
    }
}

/// The words of a statement with one blank between them: without comments, and of a block only what stands before its
/// `{`. Where a statement ends with its line (`whole` is false), only the first line that holds something.
#[must_use]
pub fn on_one_line(text: &str, whole: bool) -> String {
    let mut words = String::with_capacity(text.len());
    let mut letters = text.trim_start().chars().peekable();
    let mut quote = None;
    let mut before = ' ';
    while let Some(c) = letters.next() {
        let word_starts = before.is_whitespace() || before == ';';
        match (quote, c) {
            (_, '\\') => {
                words.push(c);
                words.extend(letters.next_if(|next| *next != '\n' && *next != '\r'));
            }
            (Some(open), c) if c == open => {
                quote = None;
                words.push(c);
            }
            (_, '\n') if !whole => break,
            (None, '"' | '\'') => {
                quote = Some(c);
                words.push(c);
            }
            (None, '#') if word_starts => {
                if !whole {
                    break;
                }
                while letters.next_if(|next| *next != '\n').is_some() {}
            }
            (None, '{') if whole && before != '$' => break,
            (_, c) if c.is_whitespace() => {
                if !words.is_empty() && !words.ends_with(' ') {
                    words.push(' ');
                }
            }
            (_, c) => words.push(c),
        }
        before = c;
    }
    let kept = words.trim_end_matches([' ', ';']).len();
    words.truncate(kept);
    words
}

/// FNV-1a: stable over versions and machines, which the standard library's hashers do not promise.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn bytes(&mut self, bytes: impl IntoIterator<Item = u8>) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.bytes().chain([0]));
    }

    fn number(&mut self, number: u64) {
        self.bytes(number.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_stays_when_a_text_is_set_anew() {
        let one = |text| on_one_line(text, true);
        assert_eq!(one("proxy_pass\r\n\t http://a; # why"), "proxy_pass http://a");
        assert_eq!(one("location /a # it\n{ proxy_pass http://a; }"), "location /a");
        assert_eq!(one("location ~ \"^/[0-9]{3}\" {"), "location ~ \"^/[0-9]{3}\"");
        assert_eq!(one("proxy_pass http://${host}#x;"), "proxy_pass http://${host}#x");
        assert_eq!(one("# only\n"), "");
        assert_eq!(one("a \"b # c"), "a \"b # c");
        assert_eq!(one("a \\"), "a \\");
        let first = |text| on_one_line(text, false);
        assert_eq!(first("\n  server a  10.0.0.1:80   check # x\n  server b"), "server a 10.0.0.1:80 check");
        assert_eq!(first("ports: {a: 1}\n  b: 2"), "ports: {a: 1}");
    }
}
