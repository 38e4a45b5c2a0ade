//! What is drawn: a picture with thousands of boxes shows nothing.

use super::{Cluster, Edge, Graph, Kind, Mark, Node, grouped};
use crate::catalog::Severity;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Most boxes of a picture.
const MAX_NODES: usize = 260;
/// Most lines from one box, and to one site.
const MAX_LINES: usize = 12;

impl Graph {
    /// What is drawn of it: the worst sites first, with all that they lead to; the rest is counted.
    pub(super) fn to_draw(&self) -> Self {
        let keep = self.chosen();
        let mut numbers = HashMap::new();
        let mut graph = Self {
            clusters: self.clusters.iter().map(Cluster::again).collect(),
            marks: self.marks.iter().map(Mark::again).collect(),
            unplaced: self.unplaced.clone(),
            ..Self::default()
        };
        let mut left: BTreeMap<Option<usize>, BTreeMap<Kind, usize>> = BTreeMap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if keep[at] {
                numbers.insert(at, graph.nodes.len());
                graph.nodes.push(node.clone());
            } else {
                *left.entry(node.cluster).or_default().entry(node.kind).or_default() += 1;
            }
        }
        for edge in &self.edges {
            if let (Some(&from), Some(&to)) = (numbers.get(&edge.from), numbers.get(&edge.to)) {
                graph.edges.push(Edge { from, to, ..edge.clone() });
            }
        }
        // Of a proxy that shows nothing, nothing is said but that it is there: one box for all of them.
        let mut hidden = BTreeMap::new();
        for (cluster, kinds) in left {
            let shown = cluster.is_none() || graph.nodes.iter().any(|node| node.cluster == cluster);
            if shown {
                graph.nodes.push(more(&kinds, 0, cluster));
            } else {
                for (kind, count) in kinds {
                    *hidden.entry(kind).or_default() += count;
                }
            }
        }
        let mut renumbered = HashMap::new();
        let mut clusters = Vec::new();
        for (at, cluster) in graph.clusters.into_iter().enumerate() {
            if graph.nodes.iter().any(|node| node.cluster == Some(at)) {
                renumbered.insert(at, clusters.len());
                clusters.push(cluster);
            }
        }
        let proxies = self.clusters.len() - clusters.len();
        graph.clusters = clusters;
        for node in &mut graph.nodes {
            node.cluster = node.cluster.and_then(|cluster| renumbered.get(&cluster).copied());
        }
        if proxies > 0 {
            graph.nodes.push(more(&hidden, proxies, None));
        }
        graph
    }

    /// Which boxes are drawn.
    fn chosen(&self) -> Vec<bool> {
        if self.nodes.len() <= MAX_NODES && self.edges.len() <= MAX_NODES * 2 {
            return vec![true; self.nodes.len()];
        }
        let mut worst: Vec<Option<Severity>> = self.nodes.iter().map(|node| self.worst(&node.marks)).collect();
        let mut out: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        let mut into: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        let mut order: Vec<usize> = (0..self.edges.len()).collect();
        order.sort_by_key(|&edge| std::cmp::Reverse(self.nodes[self.edges[edge].from].kind));
        for edge in order {
            let Edge { from, to, ref marks, .. } = self.edges[edge];
            worst[from] = worst[from].max(worst[to]).max(self.worst(marks));
        }
        for edge in &self.edges {
            out[edge.from].push(edge.to);
            into[edge.to].push(edge.from);
        }
        let mut first: Vec<usize> = (0..self.nodes.len())
            .filter(|&at| match self.nodes[at].kind {
                Kind::Listener => false,
                Kind::Site => true,
                _ => into[at].is_empty(),
            })
            .collect();
        first.sort_by_key(|&at| (std::cmp::Reverse(worst[at]), self.nodes[at].kind != Kind::Site));
        let mut keep = vec![false; self.nodes.len()];
        let mut room = MAX_NODES;
        let mut take = |at: usize| {
            let new = !keep[at] && room > 0;
            if new {
                keep[at] = true;
                room -= 1;
            }
            new
        };
        for start in first {
            let mut next = VecDeque::from([start]);
            while let Some(at) = next.pop_front() {
                if !take(at) {
                    continue;
                }
                let mut leads = out[at].clone();
                leads.sort_by_key(|&to| std::cmp::Reverse(worst[to]));
                next.extend(leads.into_iter().take(MAX_LINES));
                if self.nodes[at].kind == Kind::Site {
                    next.extend(
                        into[at].iter().take(MAX_LINES).filter(|&&from| self.nodes[from].kind == Kind::Listener),
                    );
                }
            }
        }
        keep
    }
}

impl Cluster {
    fn again(&self) -> Self {
        Self {
            path: self.path.clone(),
            dialect: self.dialect,
            details: self.details.clone(),
            marks: self.marks.clone(),
        }
    }
}

impl Mark {
    fn again(&self) -> Self {
        Self { message: self.message.clone(), path: self.path.clone(), ..*self }
    }
}

/// The box that says what is left out.
fn more(kinds: &BTreeMap<Kind, usize>, proxies: usize, cluster: Option<usize>) -> Node {
    let total: usize = kinds.values().sum();
    let title = match proxies {
        0 => format!("and {} more", grouped(total)),
        1 => "and 1 more proxy".to_owned(),
        _ => format!("and {} more proxies", grouped(proxies)),
    };
    let details = kinds
        .iter()
        .map(|(kind, &count)| {
            let word = match (kind, count) {
                (Kind::Computed, 1) => "computed target".to_owned(),
                (Kind::Computed, _) => "computed targets".to_owned(),
                (kind, 1) => kind.key().to_owned(),
                (kind, _) => format!("{}s", kind.key()),
            };
            format!("{} {word}", grouped(count))
        })
        .collect();
    Node { kind: Kind::More, title, details, cluster, place: None, marks: Vec::new() }
}
