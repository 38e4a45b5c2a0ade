//! For Graphviz.

use super::{Graph, Kind, Node, colour, short};
use std::io::{self, Write};

pub(super) fn write(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "digraph topology {{")?;
    writeln!(out, "  rankdir=LR;")?;
    writeln!(out, "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];")?;
    writeln!(out, "  edge [fontname=\"Helvetica\", fontsize=10];")?;
    for (number, cluster) in graph.clusters.iter().enumerate() {
        writeln!(out, "  subgraph cluster_{number} {{")?;
        writeln!(out, "    label={};", quoted(&graph.heads(cluster)))?;
        writeln!(out, "    color=\"{}\";", colour(graph.worst(&cluster.marks)).unwrap_or("#9e9e9e"))?;
        for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.cluster == Some(number)) {
            write!(out, "  ")?;
            box_of(graph, at, node, out)?;
        }
        writeln!(out, "  }}")?;
    }
    for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.cluster.is_none()) {
        box_of(graph, at, node, out)?;
    }
    for edge in &graph.edges {
        write!(out, "  n{} -> n{}", edge.from, edge.to)?;
        let mut attributes = Vec::new();
        let words = graph.words(edge);
        if !words.is_empty() {
            attributes.push(format!("label={}", quoted(&words)));
        }
        if let Some(colour) = colour(graph.worst(&edge.marks)) {
            attributes.push(format!("color=\"{colour}\", fontcolor=\"{colour}\", penwidth=2"));
        }
        if edge.barred {
            attributes.push("style=dashed, arrowhead=tee".to_owned());
        }
        match attributes.is_empty() {
            true => writeln!(out, ";")?,
            false => writeln!(out, " [{}];", attributes.join(", "))?,
        }
    }
    writeln!(out, "}}")
}

fn box_of(graph: &Graph, number: usize, node: &Node, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = vec![short(&node.title, 48)];
    lines.extend(graph.below(node));
    write!(out, "  n{number} [label={}", quoted(&lines))?;
    if let Some(colour) = colour(graph.worst(&node.marks)) {
        write!(out, ", color=\"{colour}\", penwidth=2")?;
    }
    match node.kind {
        Kind::Workload => write!(out, ", shape=component, style=solid")?,
        Kind::Computed => write!(out, ", style=\"rounded,dashed\"")?,
        Kind::More => write!(out, ", shape=plaintext, style=solid")?,
        _ => {}
    }
    writeln!(out, "];")
}

/// Lines as a quoted string. A backslash begins an escape there, and a bare one at the end would swallow the quote.
fn quoted(lines: &[String]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_does_not_end_the_string() {
        assert_eq!(quoted(&["a\"]; b\\".to_owned(), "c".to_owned()]), r#""a\"]; b\\\nc""#);
    }
}
