//! The documentation is what the program says: the rule pages, their index, the table of contents and the reference of the
//! configuration file are made here from the catalogue, the fixtures, their snapshots and the schema, and compared with the
//! files in `docs/`. `GW502_UPDATE_DOCS=1 cargo test --test docs` writes them anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

#[path = "docs/fixture.rs"]
mod fixture;
#[path = "docs/reference.rs"]
mod reference;
#[path = "docs/rule_page.rs"]
mod rule_page;

use gw502_lint::catalog::{CATALOG, RuleMeta};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The pages that people write, in the order of the table of contents.
const WRITTEN: &[(&str, &str)] = &[
    ("Getting started", "getting-started.md"),
    ("In CI", "ci.md"),
    ("Configuration and suppressions", "configuration.md"),
    ("Adopting it in an old repository", "baseline.md"),
    ("The report as JSON", "json.md"),
    ("The graph as JSON", "graph.md"),
    ("Precision", "precision.md"),
    ("How fast it is", "performance.md"),
    ("How it is built", "architecture.md"),
];

/// The families in the order of their numbers, with their headings.
const FAMILIES: &[(&str, &str)] = &[
    ("load", "It does not start, or reads something else"),
    ("reach", "The address leads nowhere"),
    ("timeout", "Timeouts"),
    ("health", "Health checks and failover"),
    ("protocol", "Protocols and TLS"),
    ("capacity", "Capacity"),
    ("reuse", "Reuse of connections"),
    ("network", "Networks"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn docs() -> PathBuf {
    root().join("docs")
}

/// Every generated page, by its path in `docs/`.
fn generated() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for meta in CATALOG {
        pages.insert(format!("rules/{}", page_name(meta)), rule_page::page(meta));
    }
    pages.insert("rules/index.md".to_owned(), index());
    pages.insert("SUMMARY.md".to_owned(), summary());
    pages.insert("configuration-reference.md".to_owned(), reference::page());
    pages
}

fn page_name(meta: &RuleMeta) -> String {
    format!("{}-{}.md", meta.code, meta.slug)
}

fn of_family(family: &str) -> impl Iterator<Item = &'static RuleMeta> {
    CATALOG.iter().filter(move |meta| meta.family == family)
}

/// The list of rules, by family.
fn index() -> String {
    let mut text = String::from(
        "# Rules\n\nAn *error* fails as written, a *warning* in an ordinary event (a restart, a slow request, a login), a *note* is worth \
         knowing. The last columns say what the client sees, or what becomes of the proxy.\n",
    );
    for (family, heading) in FAMILIES {
        if of_family(family).next().is_none() {
            continue;
        }
        // Most families know nothing of manifests: a column of dashes would only take room.
        let manifests = of_family(family).any(|meta| meta.dialects.iter().any(|about| about.dialect == "kubernetes"));
        let more = |cell: &str| if manifests { format!(" {cell} |") } else { String::new() };
        let _ =
            writeln!(text, "\n## {heading}\n\n| rule | hazard | severity | nginx | HAProxy |{}", more("Kubernetes"));
        let _ = writeln!(text, "|---|---|---|---|---|{}", if manifests { "---|" } else { "" });
        for meta in of_family(family) {
            let outcome = |dialect: &str| {
                meta.dialects
                    .iter()
                    .find(|about| about.dialect == dialect)
                    .map_or_else(|| "–".to_owned(), |about| rule_page::outcome(about.outcome))
            };
            let _ = writeln!(
                text,
                "| [{code}]({page}) {slug} | {title} | {severity} | {} | {} |{}",
                outcome("nginx"),
                outcome("haproxy"),
                more(&outcome("kubernetes")),
                code = meta.code,
                page = page_name(meta),
                slug = meta.slug,
                title = meta.title,
                severity = meta.severity.word(),
            );
        }
    }
    text
}

/// mdBook's table of contents.
fn summary() -> String {
    let mut text = String::from("# Summary\n\n");
    for (title, page) in WRITTEN {
        let _ = writeln!(text, "- [{title}]({page})");
        if *page == "configuration.md" {
            text.push_str("  - [Reference of .gw502.yaml](configuration-reference.md)\n");
        }
    }
    text.push_str("- [Rules](rules/index.md)\n");
    for meta in CATALOG {
        let _ = writeln!(text, "  - [{} {}](rules/{})", meta.code, meta.slug, page_name(meta));
    }
    text
}

#[test]
fn generated_pages_are_current() {
    let pages = generated();
    let update = std::env::var_os("GW502_UPDATE_DOCS").is_some();
    let mut stale = Vec::new();
    for (name, text) in &pages {
        let path = docs().join(name);
        if fs::read_to_string(&path).ok().as_deref() == Some(text.as_str()) {
            continue;
        }
        if update {
            fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
            fs::write(&path, text).expect("written");
        } else {
            stale.push(name.clone());
        }
    }
    let there: BTreeSet<_> = fs::read_dir(docs().join("rules"))
        .map(|entries| {
            entries.flatten().map(|entry| format!("rules/{}", entry.file_name().to_string_lossy())).collect()
        })
        .unwrap_or_default();
    for left_over in there.into_iter().filter(|name| !pages.contains_key(name)) {
        if update {
            fs::remove_file(docs().join(&left_over)).expect("removed");
        } else {
            stale.push(format!("{left_over} (no such rule)"));
        }
    }
    assert!(
        stale.is_empty(),
        "stale in docs/: {stale:#?}\nrun: GW502_UPDATE_DOCS=1 cargo test --test docs, and read the difference"
    );
}

/// Each family of the catalogue has a heading: a new one would be left out of the index.
#[test]
fn every_rule_stands_in_the_index() {
    let index = index();
    for meta in CATALOG {
        assert!(
            index.contains(&format!("[{}]", meta.code)),
            "{} has the family {}, which the index does not know",
            meta.code,
            meta.family
        );
    }
}

/// The page that findings and SARIF point at is a page of the repository.
#[test]
fn findings_point_at_a_page_that_is_there() {
    for meta in CATALOG {
        let url = meta.page();
        let path = url.split_once("/blob/main/").map(|(_, path)| path).expect("a page of the repository");
        assert!(root().join(path).is_file(), "{url}");
    }
}

/// Every relative link of a page in `docs/`, and of the README, leads to a file, and to a heading where it names one.
#[test]
fn links_lead_somewhere() {
    let mut pages: Vec<PathBuf> = walkdir::WalkDir::new(docs())
        .into_iter()
        .flatten()
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.extend(
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "fuzz/README.md", "fixtures/README.md", "tests/README.md"]
            .map(|name| root().join(name)),
    );
    let mut broken = Vec::new();
    let mut seen = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().expect("a folder").join(path) };
            let there = if heading.is_empty() {
                target.exists()
            } else {
                fs::read_to_string(&target).is_ok_and(|text| headings(&text).contains(heading))
            };
            if !there {
                broken.push(format!("{}: {link}", page.strip_prefix(root()).unwrap_or(&page).display()));
            }
        }
    }
    assert!(seen > 100, "only {seen} links were found: the reader of links is broken");
    assert!(broken.is_empty(), "links that lead nowhere: {broken:#?}");
}

/// The targets of the inline links of a page; code is left out.
fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every other piece between backquotes is code.
        for piece in line.split('`').step_by(2) {
            let mut rest = piece;
            while let Some(start) = rest.find("](") {
                rest = &rest[start + 2..];
                if let Some(end) = rest.find(')') {
                    found.push(&rest[..end]);
                }
            }
        }
    }
    found
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn headings(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        if fenced || !line.starts_with('#') {
            continue;
        }
        let heading = line.trim_start_matches('#').trim();
        let anchor: String = heading
            .to_lowercase()
            .chars()
            .filter_map(|c| match c {
                ' ' => Some('-'),
                '-' | '_' => Some(c),
                c if c.is_alphanumeric() => Some(c),
                _ => None,
            })
            .collect();
        anchors.insert(anchor);
    }
    anchors
}

#[test]
fn the_reader_of_links_reads_links() {
    assert_eq!(links("see [a](b.md#c) and `[no](x)`\n```\n[no](y)\n```\n[`code`](z.md)"), ["b.md#c", "z.md"]);
    assert!(headings("# The `.gw502.yaml` file\n").contains("the-gw502yaml-file"));
}
