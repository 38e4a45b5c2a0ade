//! A picture for any browser. Where boxes and lines go is the layout library's affair.

use super::{Cluster, Edge, Graph, Kind, Node, colour, ending, grouped, short, xml};
use dugong::graphlib::{Graph as Laid, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, Point, RankDir, layout_dagreish};
use std::io::{self, Write};

/// Height of a line of text.
const LINE: f64 = 15.0;
/// Room around what is drawn.
const MARGIN: f64 = 16.0;
/// Room above all groups.
const HEAD: f64 = 10.0;

/// A rectangle by its centre and size.
#[derive(Clone, Copy)]
struct Rect {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

pub(super) fn write(graph: &Graph, out: &mut dyn Write) -> io::Result<()> {
    let laid = lay_out(graph);
    let rect = |id: &str| {
        let node = laid.node(id)?;
        Some(Rect { x: node.x?, y: node.y? + HEAD, width: node.width, height: node.height })
    };
    let (legend, more) = graph.legend();
    let mut lines: Vec<(String, Option<&str>)> = legend
        .iter()
        .map(|mark| {
            let meta = mark.rule.meta();
            let place = ending(&mark.path, 60);
            let text =
                format!("{} {} {place}:{} {}", mark.level.word(), meta.code, mark.line, short(&mark.message, 160));
            (text, colour(Some(mark.level)))
        })
        .collect();
    if more > 0 {
        lines.push((format!("and {} more findings", grouped(more)), None));
    }

    let mut width: f64 = 320.0;
    let mut height: f64 = 0.0;
    let groups: Vec<(&Cluster, Rect)> = graph
        .clusters
        .iter()
        .enumerate()
        .filter_map(|(number, cluster)| {
            let rect = rect(&format!("p{number}"))?;
            Some((cluster, Rect { y: rect.y - 3.0, width: rect.width - 6.0, height: rect.height + 8.0, ..rect }))
        })
        .collect();
    let boxes: Vec<(&Node, Rect)> = graph
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(number, node)| Some((node, rect(&format!("n{number}"))?)))
        .collect();
    for (cluster, rect) in &groups {
        let title = rect.x - rect.width / 2.0 + text_width(&graph.head(cluster)) * 1.1 + 20.0;
        width = width.max(rect.x + rect.width / 2.0).max(title);
        height = height.max(rect.y + rect.height / 2.0);
    }
    for (_, rect) in &boxes {
        width = width.max(rect.x + rect.width / 2.0);
        height = height.max(rect.y + rect.height / 2.0);
    }
    let drawn: Vec<(&Edge, &EdgeLabel)> = graph
        .edges
        .iter()
        .filter_map(|edge| Some((edge, laid.edge(&format!("n{}", edge.from), &format!("n{}", edge.to), None)?)))
        .collect();
    for (_, label) in &drawn {
        for point in &label.points {
            width = width.max(point.x);
            height = height.max(point.y + HEAD);
        }
    }
    for (line, _) in &lines {
        width = width.max(text_width(line));
    }
    let legend_top = height + MARGIN + LINE;
    let height = if lines.is_empty() { height } else { legend_top + LINE * (lines.len() as f64 + 0.5) };
    let (width, height) = ((width + 2.0 * MARGIN).ceil(), (height + 2.0 * MARGIN).ceil());

    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"12\" role=\"img\">"
    )?;
    writeln!(out, "<title>Where requests go</title>")?;
    writeln!(out, "<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>")?;
    writeln!(out, "<g transform=\"translate({MARGIN} {MARGIN})\">")?;
    for (cluster, rect) in &groups {
        group(graph, cluster, *rect, out)?;
    }
    for (edge, label) in &drawn {
        let ends = rect(&format!("n{}", edge.from)).zip(rect(&format!("n{}", edge.to)));
        line(graph, edge, ends, label, out)?;
    }
    for (node, rect) in &boxes {
        one_box(graph, node, *rect, out)?;
    }
    // Above all lines: a label is never crossed out.
    for (edge, label) in &drawn {
        words(graph, edge, label, out)?;
    }
    for (number, (text, colour)) in lines.iter().enumerate() {
        let y = legend_top + LINE * (number as f64 + 0.5);
        writeln!(out, "<text x=\"0\" y=\"{y:.1}\" fill=\"{}\">{}</text>", colour.unwrap_or("#424242"), xml(text))?;
    }
    writeln!(out, "</g>\n</svg>")
}

fn lay_out(graph: &Graph) -> Laid<NodeLabel, EdgeLabel, GraphLabel> {
    let mut laid = Laid::new(GraphOptions { directed: true, multigraph: false, compound: true });
    laid.set_graph(GraphLabel {
        rankdir: RankDir::LR,
        nodesep: 28.0,
        ranksep: 36.0,
        edgesep: 14.0,
        ..GraphLabel::default()
    });
    laid.set_default_edge_label(EdgeLabel::default);
    for number in 0..graph.clusters.len() {
        laid.set_node(format!("p{number}"), NodeLabel::default());
    }
    for (number, node) in graph.nodes.iter().enumerate() {
        let below = graph.below(node);
        let width = below.iter().map(|line| text_width(line)).fold(text_width(&short(&node.title, 48)) * 1.1, f64::max);
        let label = NodeLabel {
            width: (width + 20.0).max(60.0),
            height: 14.0 + LINE * (below.len() + 1) as f64,
            ..NodeLabel::default()
        };
        laid.set_node(format!("n{number}"), label);
        if let Some(cluster) = node.cluster {
            laid.set_parent(format!("n{number}"), format!("p{cluster}"));
        }
    }
    for edge in &graph.edges {
        let words = graph.words(edge);
        let width = words.iter().map(|line| text_width(line)).fold(0.0, f64::max);
        let label = EdgeLabel {
            width: if words.is_empty() { 0.0 } else { width + 8.0 },
            height: LINE * words.len() as f64,
            minlen: 1,
            weight: 1.0,
            ..EdgeLabel::default()
        };
        laid.set_edge_with_label(format!("n{}", edge.from), format!("n{}", edge.to), label);
    }
    layout_dagreish(&mut laid);
    laid
}

/// About as wide as a browser writes it: small letters of Latin script, full width of others.
fn text_width(text: &str) -> f64 {
    let of = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | ' ' | '/' => 4.4,
        'A'..='Z' | 'm' | 'w' | '→' | '…' | '@' => 10.0,
        c if (c as u32) < 0x1100 => 7.6,
        _ => 12.5,
    };
    text.chars().map(of).sum()
}

fn group(graph: &Graph, cluster: &Cluster, rect: Rect, out: &mut dyn Write) -> io::Result<()> {
    let (x, y) = (rect.x - rect.width / 2.0, rect.y - rect.height / 2.0);
    let worst = colour(graph.worst(&cluster.marks));
    writeln!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\" fill=\"#f5f7fa\" stroke=\"{}\"/>",
        rect.width,
        rect.height,
        worst.unwrap_or("#b0bec5")
    )?;
    write!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" font-weight=\"bold\" fill=\"{}\">",
        x + 8.0,
        y + 17.0,
        worst.unwrap_or("#37474f")
    )?;
    write!(out, "{}", xml(&graph.head(cluster)))?;
    told(graph, &cluster.marks, out)?;
    writeln!(out, "</text>")?;
    let bottom = y + rect.height - 8.0;
    let details: Vec<_> = cluster.details.iter().map(|line| short(line, 60)).collect();
    writeln!(out, "<text x=\"{:.1}\" y=\"{bottom:.1}\" fill=\"#546e7a\">{}</text>", x + 8.0, xml(&details.join(" · ")))
}

fn one_box(graph: &Graph, node: &Node, rect: Rect, out: &mut dyn Write) -> io::Result<()> {
    let (x, y) = (rect.x - rect.width / 2.0, rect.y - rect.height / 2.0);
    let worst = colour(graph.worst(&node.marks));
    let (fill, stroke, more) = match node.kind {
        Kind::Listener => ("#e3f2fd", "#5c8fb8", " rx=\"12\""),
        Kind::Site => ("#ffffff", "#78909c", " rx=\"3\""),
        Kind::Pool => ("#ede7f6", "#7e6fa8", " rx=\"3\""),
        Kind::Computed => ("#ffffff", "#78909c", " rx=\"3\" stroke-dasharray=\"5 3\""),
        Kind::Endpoint => ("#e8f5e9", "#6b9a6e", " rx=\"3\""),
        Kind::Workload => ("#fff8e1", "#a58a4a", " rx=\"0\""),
        Kind::More => ("none", "none", ""),
    };
    write!(out, "<g>")?;
    let mut title = node.title.clone();
    if let Some((path, line)) = &node.place {
        title = format!("{} {title}\n{path}:{line}", node.kind.key());
    }
    write!(out, "<title>{}</title>", title.lines().map(xml).collect::<Vec<_>>().join("\n"))?;
    write!(
        out,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{fill}\" stroke=\"{}\" \
         stroke-width=\"{}\"{more}/>",
        rect.width,
        rect.height,
        worst.unwrap_or(stroke),
        if worst.is_some() { "2.5" } else { "1" }
    )?;
    let mut at = y + 7.0 + 11.5;
    write!(
        out,
        "<text x=\"{:.1}\" y=\"{at:.1}\" font-weight=\"bold\">{}</text>",
        x + 10.0,
        xml(&short(&node.title, 48))
    )?;
    let findings = graph.said(&node.marks).len();
    let below = graph.below(node);
    for (number, text) in below.iter().enumerate() {
        at += LINE;
        let is_finding = number + findings >= below.len();
        let fill = if is_finding { worst.unwrap_or("#546e7a") } else { "#546e7a" };
        write!(out, "<text x=\"{:.1}\" y=\"{at:.1}\" fill=\"{fill}\">{}", x + 10.0, xml(text))?;
        if is_finding {
            told(graph, &node.marks, out)?;
        }
        write!(out, "</text>")?;
    }
    writeln!(out, "</g>")
}

/// The findings, for whoever points at them.
fn told(graph: &Graph, marks: &[usize], out: &mut dyn Write) -> io::Result<()> {
    let lines: Vec<_> = marks
        .iter()
        .take(10)
        .filter_map(|&mark| graph.marks.get(mark))
        .map(|mark| xml(&format!("{} {}: {}", mark.level.word(), mark.rule.meta().code, short(&mark.message, 300))))
        .collect();
    if lines.is_empty() { Ok(()) } else { write!(out, "<title>{}</title>", lines.join("\n")) }
}

fn line(
    graph: &Graph,
    edge: &Edge,
    ends: Option<(Rect, Rect)>,
    label: &EdgeLabel,
    out: &mut dyn Write,
) -> io::Result<()> {
    let at = |point: &Point| format!("{:.1} {:.1}", point.x, point.y + HEAD);
    let mut points = label.points.clone();
    // From the middle of one side to the middle of another, where the line goes from left to right.
    if let (Some((from, to)), [first, .., last]) = (ends, points.as_mut_slice())
        && to.x - to.width / 2.0 > from.x + from.width / 2.0
    {
        *first = Point { x: from.x + from.width / 2.0, y: from.y - HEAD };
        *last = Point { x: to.x - to.width / 2.0, y: to.y - HEAD };
    }
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Ok(()) };
    let mut path = format!("M{}", at(first));
    for pair in points.windows(2) {
        let half = (pair[1].x - pair[0].x) / 2.0;
        let (out, into) = (Point { x: pair[0].x + half, ..pair[0] }, Point { x: pair[1].x - half, ..pair[1] });
        path += &format!(" C{} {} {}", at(&out), at(&into), at(&pair[1]));
    }
    let worst = colour(graph.worst(&edge.marks));
    let stroke = worst.unwrap_or("#607d8b");
    let dashes = if edge.barred { " stroke-dasharray=\"6 4\"" } else { "" };
    writeln!(
        out,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{stroke}\" stroke-width=\"{}\"{dashes}/>",
        if worst.is_some() { "2.5" } else { "1.2" }
    )?;
    // All curves end level.
    let back = points.iter().rev().find(|point| (point.x - last.x).abs() > 0.1).is_some_and(|point| point.x > last.x);
    let dx = if back { -1.0 } else { 1.0 };
    let corner = |side: f64| Point { x: last.x - 9.0 * dx, y: last.y - side };
    writeln!(out, "<path d=\"M{} L{} L{} Z\" fill=\"{stroke}\"/>", at(last), at(&corner(4.0)), at(&corner(-4.0)))
}

fn words(graph: &Graph, edge: &Edge, label: &EdgeLabel, out: &mut dyn Write) -> io::Result<()> {
    let (Some(x), Some(y), lines) = (label.x, label.y, graph.words(edge)) else { return Ok(()) };
    if lines.is_empty() {
        return Ok(());
    }
    let findings = graph.said(&edge.marks).len();
    let height = LINE * lines.len() as f64;
    let top = y + HEAD - height / 2.0;
    let width = lines.iter().map(|line| text_width(line)).fold(0.0, f64::max) + 6.0;
    writeln!(
        out,
        "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"#ffffff\" fill-opacity=\"0.85\"/>",
        x - width / 2.0
    )?;
    for (number, text) in lines.iter().enumerate() {
        let is_finding = number + findings >= lines.len();
        let fill = if is_finding { colour(graph.worst(&edge.marks)).unwrap_or("#37474f") } else { "#37474f" };
        let at = top + LINE * number as f64 + 11.5;
        write!(out, "<text x=\"{x:.1}\" y=\"{at:.1}\" text-anchor=\"middle\" fill=\"{fill}\">{}", xml(text))?;
        if is_finding {
            told(graph, &edge.marks, out)?;
        }
        writeln!(out, "</text>")?;
    }
    Ok(())
}
