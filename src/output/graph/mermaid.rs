//! For Markdown: GitHub, GitLab and others draw it.

use super::{Graph, Kind, Node, colour, short};
use std::fmt::Write as _;
use std::io::{self, Write};

pub(super) fn write(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    for (number, cluster) in graph.clusters.iter().enumerate() {
        writeln!(out, "  subgraph p{number}[{}]", quoted(&graph.heads(cluster)))?;
        for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.cluster == Some(number)) {
            write!(out, "  ")?;
            box_of(graph, at, node, out)?;
        }
        writeln!(out, "  end")?;
    }
    for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.cluster.is_none()) {
        box_of(graph, at, node, out)?;
    }
    for edge in &graph.edges {
        let line = if edge.barred { "-.-x" } else { "-->" };
        let words = graph.words(edge);
        match words.is_empty() {
            true => writeln!(out, "  n{} {line} n{}", edge.from, edge.to)?,
            false => writeln!(out, "  n{} {line}|{}| n{}", edge.from, quoted(&words), edge.to)?,
        }
    }
    for (number, cluster) in graph.clusters.iter().enumerate() {
        if let Some(colour) = colour(graph.worst(&cluster.marks)) {
            writeln!(out, "  style p{number} stroke:{colour},stroke-width:2px")?;
        }
    }
    for (number, node) in graph.nodes.iter().enumerate() {
        if let Some(colour) = colour(graph.worst(&node.marks)) {
            writeln!(out, "  style n{number} stroke:{colour},stroke-width:3px")?;
        }
    }
    for (number, edge) in graph.edges.iter().enumerate() {
        if let Some(colour) = colour(graph.worst(&edge.marks)) {
            writeln!(out, "  linkStyle {number} stroke:{colour},color:{colour},stroke-width:3px")?;
        }
    }
    Ok(())
}

fn box_of(graph: &Graph, number: usize, node: &Node, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = vec![short(&node.title, 48)];
    lines.extend(graph.below(node));
    let words = quoted(&lines);
    match node.kind {
        Kind::Workload => writeln!(out, "  n{number}[[{words}]]"),
        Kind::Listener => writeln!(out, "  n{number}([{words}])"),
        Kind::Computed => writeln!(out, "  n{number}{{{{{words}}}}}"),
        _ => writeln!(out, "  n{number}[{words}]"),
    }
}

/// Lines as a quoted label. All that Mermaid, Markdown or HTML could read as more than text goes by its number.
fn quoted(lines: &[String]) -> String {
    let mut text = String::from("\"");
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            text.push_str("<br/>");
        }
        for c in line.chars() {
            match c {
                c if c.is_alphanumeric() => text.push(c),
                ' ' | '.' | ',' | ':' | '/' | '-' | '(' | ')' | '=' | '?' | '…' | '→' | '·' => text.push(c),
                c if crate::source::is_hostile(c) => text.push('\u{fffd}'),
                c => {
                    let _ = write!(text, "#{};", c as u32);
                }
            }
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_text_remains() {
        assert_eq!(
            quoted(&["a\"] --> b".to_owned(), "<b>`*_".to_owned()]),
            "\"a#34;#93; --#62; b<br/>#60;b#62;#96;#42;#95;\""
        );
    }
}
