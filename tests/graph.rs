//! `gw502-lint graph`: one snapshot for each format, pictures that are XML whatever a file says, and what is left out.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gw502-lint"))
        .arg("graph")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs")
}

fn graph(folder: &Path, format: &str) -> String {
    let output = run(folder, &["--no-config", "--format", format]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// A scratch folder with one file.
fn scratch(name: &str, text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch directory");
    fs::write(folder.path().join(name), text).expect("a file");
    folder
}

#[test]
fn each_format_draws_the_demo_and_a_project() {
    for (name, path) in [("demo", "demo"), ("compose", "port-mismatch/nginx-compose-command/bad")] {
        for format in ["svg", "dot", "mermaid", "json"] {
            let written = graph(&fixture(path), format);
            insta::assert_snapshot!(format!("{name}.{format}"), written);
            assert_eq!(written, graph(&fixture(path), format), "{name}.{format} is not the same each time");
        }
    }
}

#[test]
fn a_finding_is_on_the_line_that_it_is_about() {
    let json: serde_json::Value =
        serde_json::from_str(&graph(&fixture("port-mismatch/nginx-compose-command/bad"), "json")).expect("JSON");
    let nodes = json["nodes"].as_array().expect("nodes");
    let title = |id: &serde_json::Value| nodes.iter().find(|node| node["id"] == *id).expect("a node")["title"].clone();
    let rule =
        |number: &serde_json::Value| json["findings"][number.as_u64().expect("a number") as usize]["rule"].clone();
    let line = json["edges"]
        .as_array()
        .expect("edges")
        .iter()
        .find(|edge| title(&edge["to"]) == "app")
        .expect("a line to the service");
    assert_eq!(title(&line["from"]), "app:8000");
    assert_eq!(rule(&line["findings"][0]), "GW101");
}

#[test]
fn hostile_names_stay_names() {
    let folder = scratch(
        "nginx.conf",
        "events {}\nhttp {\n  upstream \"a</svg><script>x\u{1b}[31m\u{202e}\\\" {\n    server 10.0.0.1:80;\n  }\n  server {\n    \
         listen 80;\n    server_name 'q\"];x]]>&amp;\u{7}';\n    location '/--\\\"><b>\u{1}`|' {\n      \
         proxy_pass http://10.0.0.2:81;\n    }\n  }\n}\n",
    );
    for format in ["svg", "dot", "mermaid", "json"] {
        let text = graph(folder.path(), format);
        assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{format}: {text:?}");
        assert!(format != "svg" || text.matches("</svg>").count() == 1 && !text.contains("<script"), "{text}");
        assert!(format != "mermaid" || !text.contains("<b>") && !text.contains("<script"), "{text}");
    }
    let svg = graph(folder.path(), "svg");
    let tree = roxmltree::Document::parse(&svg).expect("well-formed XML");
    assert!(tree.descendants().any(|node| node.text().is_some_and(|text| text.contains("</svg><script>"))));
}

#[test]
fn pictures_are_xml() {
    for path in ["demo", "port-mismatch/nginx-compose-command/bad", "no-shared-network/haproxy-compose/bad"] {
        let svg = graph(&fixture(path), "svg");
        let tree = roxmltree::Document::parse(&svg).expect("well-formed XML");
        assert_eq!(tree.root_element().tag_name().name(), "svg");
    }
}

#[test]
fn a_large_picture_says_what_is_left_out_and_json_has_it_all() {
    let mut text = String::from("events {}\nhttp {\n");
    for i in 0..1500 {
        text += &format!("upstream u{i} {{ server 10.0.{}.{}:80; }}\n", i / 250, i % 250);
        text += &format!("server {{ listen 80; server_name s{i}; location / {{ proxy_pass http://u{i}; }} }}\n");
    }
    let folder = scratch("nginx.conf", &(text + "}\n"));
    for format in ["svg", "dot", "mermaid"] {
        let drawn = graph(folder.path(), format);
        assert!(drawn.contains("and 4,241 more"), "{format}: {}", &drawn[..drawn.len().min(4000)]);
        assert!(drawn.len() < 300_000, "{format}: {}", drawn.len());
    }
    let json: serde_json::Value = serde_json::from_str(&graph(folder.path(), "json")).expect("JSON");
    assert_eq!(json["nodes"].as_array().map(Vec::len), Some(4501));
}

#[test]
fn where_there_is_nothing_it_says_so() {
    let empty = tempfile::tempdir().expect("a scratch directory");
    let output = run(empty.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing to lint"));
    let bare = scratch("nginx.conf", "events {}\n");
    let output = run(bare.path(), &["--format", "mermaid"]);
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing to draw"));
}

#[test]
fn it_goes_into_a_file() {
    let folder =
        scratch("nginx.conf", "events {}\nhttp { server { listen 80; location / { proxy_pass http://10.0.0.1; } } }\n");
    let output = run(folder.path(), &["-o", "out.svg"]);
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(fs::read_to_string(folder.path().join("out.svg")).expect("a file").starts_with("<svg "));
}
