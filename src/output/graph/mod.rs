//! The topology as a picture: what leads where, with the findings on what they concern.
//!
//! [`Graph::of`] makes boxes and lines of a report, once; there is one writer for each format. The drawn formats show what
//! [`Graph::to_draw`] leaves of it and say how much is left out; JSON has everything.

mod build;
mod dot;
mod json;
mod marks;
mod mermaid;
mod prune;
mod svg;

use crate::catalog::{RuleId, Severity};
use crate::engine::Report;
use std::io;

/// The version of the JSON document.
pub const VERSION: u32 = 1;

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A picture for any browser.
    Svg,
    /// For Graphviz.
    Dot,
    /// For Markdown.
    Mermaid,
    /// For scripts; see docs/graph.md.
    Json,
}

/// Boxes, and lines between them.
#[derive(Debug, Default)]
pub struct Graph {
    clusters: Vec<Cluster>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    marks: Vec<Mark>,
    /// Findings that are about none of the clusters.
    unplaced: Vec<usize>,
}

/// One proxy.
#[derive(Debug)]
struct Cluster {
    dialect: &'static str,
    /// The file that it starts from.
    path: String,
    /// Who runs it.
    details: Vec<String>,
    marks: Vec<usize>,
}

/// What a box stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Listener,
    Site,
    Pool,
    Computed,
    Endpoint,
    Workload,
    /// Boxes that are not drawn.
    More,
}

impl Kind {
    const fn key(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Site => "site",
            Self::Pool => "pool",
            Self::Computed => "computed",
            Self::Endpoint => "endpoint",
            Self::Workload => "workload",
            Self::More => "more",
        }
    }
}

/// A box.
#[derive(Clone, Debug)]
struct Node {
    kind: Kind,
    title: String,
    details: Vec<String>,
    cluster: Option<usize>,
    /// Path and line, from 1.
    place: Option<(String, u32)>,
    marks: Vec<usize>,
}

/// A line from one box to another.
#[derive(Clone, Debug)]
struct Edge {
    from: usize,
    to: usize,
    /// What passes there: paths, in the order of the file, each once.
    words: Vec<String>,
    /// Whether nothing gets through.
    barred: bool,
    marks: Vec<usize>,
}

/// A finding.
#[derive(Debug)]
struct Mark {
    rule: RuleId,
    level: Severity,
    message: String,
    path: String,
    line: u32,
}

impl Graph {
    /// What a report says.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        build::build(report)
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The worst of some findings.
    fn worst(&self, marks: &[usize]) -> Option<Severity> {
        marks.iter().filter_map(|&mark| Some(self.marks.get(mark)?.level)).max()
    }

    /// Some findings in a few words: `error: GW102, GW104`.
    fn said(&self, marks: &[usize]) -> Vec<String> {
        let mut lines = Vec::new();
        for severity in super::SEVERITIES {
            let mut codes: Vec<_> = marks
                .iter()
                .filter_map(|&mark| self.marks.get(mark))
                .filter(|mark| mark.level == severity)
                .map(|mark| mark.rule.meta().code)
                .collect();
            codes.dedup();
            if !codes.is_empty() {
                lines.push(format!("{}: {}", severity.word(), listed(&codes, 4)));
            }
        }
        lines
    }

    /// The words on a line: what passes there, and the findings.
    fn words(&self, edge: &Edge) -> Vec<String> {
        let mut lines = Vec::new();
        if !edge.words.is_empty() {
            let words: Vec<_> = edge.words.iter().map(|word| short(word, 32)).collect();
            lines.push(listed(&words, 3));
        }
        lines.extend(self.said(&edge.marks));
        lines
    }

    /// All that stands in a box below its title.
    fn below(&self, node: &Node) -> Vec<String> {
        let mut lines: Vec<_> = node.details.iter().map(|line| short(line, 48)).collect();
        lines.extend(self.said(&node.marks));
        lines
    }

    /// All words of a group.
    fn heads(&self, cluster: &Cluster) -> Vec<String> {
        let mut lines = vec![self.head(cluster)];
        lines.extend(cluster.details.iter().map(|line| short(line, 60)));
        lines
    }

    /// Title and findings of a group.
    fn head(&self, cluster: &Cluster) -> String {
        let mut words = vec![format!("{} {}", cluster.dialect, ending(&cluster.path, 36))];
        words.extend(self.said(&cluster.marks));
        words.join(" · ")
    }

    /// The findings that are written out below a picture, worst first, and how many more there are.
    fn legend(&self) -> (Vec<&Mark>, usize) {
        let mut marks: Vec<&Mark> = self.marks.iter().collect();
        marks.sort_by_key(|mark| std::cmp::Reverse(mark.level));
        let more = marks.len().saturating_sub(MAX_LEGEND);
        marks.truncate(MAX_LEGEND);
        (marks, more)
    }
}

/// Most findings that are written out below a picture.
const MAX_LEGEND: usize = 40;

/// Writes a graph.
///
/// # Errors
/// Those of `out`.
pub fn write(graph: &Graph, format: Format, out: &mut dyn io::Write) -> io::Result<()> {
    match format {
        Format::Svg => svg::write(&graph.to_draw(), out),
        Format::Dot => dot::write(&graph.to_draw(), out),
        Format::Mermaid => mermaid::write(&graph.to_draw(), out),
        Format::Json => json::write(graph, out),
    }
}

/// The first few, and how many more there are.
fn listed<T: AsRef<str>>(words: &[T], most: usize) -> String {
    let shown: Vec<&str> = words.iter().take(most).map(AsRef::as_ref).collect();
    match words.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), grouped(more)),
    }
}

/// `1,200`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// At most so many characters.
fn short(text: &str, most: usize) -> String {
    if text.chars().nth(most).is_none() {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// At most so many characters: the end, which is what tells paths apart.
fn ending(text: &str, most: usize) -> String {
    match text.chars().count().checked_sub(most) {
        None | Some(0) => text.to_owned(),
        Some(over) => ['…'].into_iter().chain(text.chars().skip(over + 1)).collect(),
    }
}

/// Text within XML.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // No character of XML 1.0.
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c if crate::source::is_hostile(c) => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// The colour of a severity.
const fn colour(severity: Option<Severity>) -> Option<&'static str> {
    match severity {
        Some(Severity::Error) => Some("#c62828"),
        Some(Severity::Warning) => Some("#b26a00"),
        Some(Severity::Note) => Some("#1565c0"),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_lists_are_short() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(listed(&["a", "b"], 2), "a, b");
        assert_eq!(listed(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(short("häuser", 6), "häuser");
        assert_eq!(short("häusern", 6), "häuse…");
        assert_eq!((ending("häuser", 6).as_str(), ending("häusern", 6).as_str()), ("häuser", "…usern"));
    }

    #[test]
    fn xml_has_no_way_out() {
        assert_eq!(xml("</svg>\u{1}\u{ffff}\"'&"), "&lt;/svg&gt;\u{fffd}\u{fffd}&quot;&#39;&amp;");
    }
}
