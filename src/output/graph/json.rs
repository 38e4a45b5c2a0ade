//! Everything as one JSON document; docs/graph.md says what its members mean.

use super::{Graph, Mark, VERSION};
use serde::Serialize;
use std::io;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    proxies: Vec<Proxy<'a>>,
    nodes: Vec<Node<'a>>,
    edges: Vec<Edge<'a>>,
    findings: Vec<Finding<'a>>,
    unplaced: &'a [usize],
}

#[derive(Serialize)]
struct Proxy<'a> {
    id: String,
    proxy: &'a str,
    path: &'a str,
    details: &'a [String],
    findings: &'a [usize],
}

#[derive(Serialize)]
struct Node<'a> {
    id: String,
    kind: &'static str,
    title: &'a str,
    details: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    findings: &'a [usize],
}

#[derive(Serialize)]
struct Edge<'a> {
    from: String,
    to: String,
    words: &'a [String],
    barred: bool,
    findings: &'a [usize],
}

#[derive(Serialize)]
struct Finding<'a> {
    rule: &'static str,
    slug: &'static str,
    level: &'static str,
    message: &'a str,
    path: &'a str,
    line: u32,
}

pub(super) fn write(graph: &Graph, out: &mut dyn io::Write) -> io::Result<()> {
    let clusters = graph.clusters.iter().enumerate();
    let nodes = graph.nodes.iter().enumerate();
    let document = Document {
        version: VERSION,
        proxies: clusters
            .map(|(number, cluster)| Proxy {
                id: format!("p{number}"),
                proxy: cluster.dialect,
                path: &cluster.path,
                details: &cluster.details,
                findings: &cluster.marks,
            })
            .collect(),
        nodes: nodes
            .map(|(number, node)| Node {
                id: format!("n{number}"),
                kind: node.kind.key(),
                title: &node.title,
                details: &node.details,
                proxy: node.cluster.map(|cluster| format!("p{cluster}")),
                path: node.place.as_ref().map(|place| &*place.0),
                line: node.place.as_ref().map(|place| place.1),
                findings: &node.marks,
            })
            .collect(),
        edges: graph
            .edges
            .iter()
            .map(|edge| Edge {
                from: format!("n{}", edge.from),
                to: format!("n{}", edge.to),
                words: &edge.words,
                barred: edge.barred,
                findings: &edge.marks,
            })
            .collect(),
        findings: graph.marks.iter().map(finding).collect(),
        unplaced: &graph.unplaced,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

fn finding(mark: &Mark) -> Finding<'_> {
    let meta = mark.rule.meta();
    Finding {
        rule: meta.code,
        slug: meta.slug,
        level: mark.level.word(),
        message: &mark.message,
        path: &mark.path,
        line: mark.line,
    }
}
