//! What must hold for any bytes at all. Used by `tests/fuzzed.rs` on known inputs, and by the targets in `fuzz/` on made-up ones.

use gw502_lint::config::{Config, Source};
use gw502_lint::edit::Applicability;
use gw502_lint::engine::{self, Report, Settings};
use gw502_lint::files::{Held, Repository, Unit};
use gw502_lint::fix;
use gw502_lint::lower::compose::is_compose_name;
use gw502_lint::lower::kubernetes::is_manifest;
use gw502_lint::output::{self, graph};
use gw502_lint::source::SourceFile;
use gw502_lint::syntax::{haproxy, ini, nginx, words, yaml};
use gw502_lint::topology::Dialect;
use std::collections::BTreeMap;
use std::io;

/// The line that begins a file of a made-up repository: `=== path`.
pub const FILE_MARK: &str = "=== ";

/// Fewer files than this are taken from one input: more only cost time.
const MOST_FILES: usize = 24;

/// A repository in memory.
#[derive(Debug, Default)]
pub struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    deployments: Vec<String>,
}

impl Memory {
    /// Cuts an input at its file marks. What stands before the first one is an `nginx.conf`.
    pub fn cut(input: &[u8]) -> Self {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut path = "nginx.conf".to_owned();
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            if let Some(name) = line.strip_prefix(FILE_MARK.as_bytes()) {
                let name = String::from_utf8_lossy(name);
                // A repository's paths are relative, and have neither `.` nor `..` parts.
                let parts: Vec<_> = name.trim().split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
                path = parts.join("/");
            } else if !path.is_empty() && (files.contains_key(&path) || files.len() < MOST_FILES) {
                files.entry(path.clone()).or_default().extend_from_slice(line);
            }
        }
        let deployments = files
            .iter()
            .filter(|(path, text)| {
                is_compose_name(path.rsplit('/').next().unwrap_or_default()) || is_manifest(path, text)
            })
            .map(|(path, _)| path.clone())
            .collect();
        Self { files, deployments }
    }

    /// The files that are proxies' configuration, by their names.
    fn units(&self) -> Vec<Unit> {
        let dialect = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or_default();
            let ends = |ending: &str| name.ends_with(ending);
            if name.contains("haproxy") || ends(".cfg") {
                Some(Dialect::Haproxy)
            } else if [".conf", ".conf.j2", ".conf.erb", ".conf.tmpl", ".template", ".tpl"].into_iter().any(ends) {
                Some(Dialect::Nginx)
            } else {
                None
            }
        };
        self.files
            .iter()
            .filter_map(|(path, text)| Some(Unit::new(path.as_str(), text.clone(), dialect(path)?)))
            .collect()
    }
}

impl Repository for Memory {
    fn read(&self, path: &str) -> Held {
        self.files.get(path).map_or(Held::Nothing, |text| Held::Bytes(text.clone()))
    }

    fn exists(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.keys().any(|known| known == path || known.starts_with(&folder))
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        let Ok(glob) = globset::GlobBuilder::new(pattern).literal_separator(true).build() else { return Vec::new() };
        let glob = glob.compile_matcher();
        self.files.keys().filter(|path| glob.is_match(path)).cloned().collect()
    }

    fn ending_with(&self, path: &str) -> Vec<String> {
        self.files.keys().filter(|known| known.ends_with(path)).cloned().collect()
    }

    fn deployments(&self) -> &[String] {
        &self.deployments
    }
}

fn text(bytes: &[u8]) -> String {
    // As the linter itself reads a file: bytes that are not UTF-8 are replaced at equal length.
    SourceFile::new("input", bytes.to_vec()).text().to_owned()
}

/// The nginx parser: every span is in the text and on the boundaries of letters.
pub fn nginx(input: &[u8]) {
    let text = text(input);
    let parsed = nginx::parse(&text);
    for error in &parsed.errors {
        within(&text, error.at.clone());
        for (at, _) in &error.others {
            within(&text, at.clone());
        }
    }
}

/// The HAProxy parser.
pub fn haproxy(input: &[u8]) {
    let text = text(input);
    let parsed = haproxy::parse(&text);
    for error in &parsed.errors {
        within(&text, error.at.clone());
        for (at, _) in &error.others {
            within(&text, at.clone());
        }
    }
}

/// The YAML reader: walking what it gives ends, and stays in the text.
pub fn yaml(input: &[u8]) {
    let text = text(input);
    let parsed = yaml::parse(&text);
    for error in &parsed.errors {
        within(&text, error.at.clone());
        for (at, _) in &error.others {
            within(&text, at.clone());
        }
    }
    for document in parsed.tree.documents() {
        let mut left = vec![document];
        let mut seen = 0_usize;
        while let Some(view) = left.pop() {
            seen += 1;
            // The reader promises a budget for all aliases written out.
            assert!(seen < 20_000_000, "walking the tree does not end");
            within(&text, view.at());
            left.extend(view.items());
            for (key, value) in view.entries() {
                within(&text, key.at());
                left.push(value);
            }
        }
    }
}

/// What shells, unit files and `.env` files say.
pub fn words(input: &[u8]) {
    let text = text(input);
    let _ = words::split(&text);
    let _ = words::commands(&text, &|_| words::Variable::Unset);
    let _ = words::expand(&text, &|_| words::Variable::Unset);
    for kind in [ini::Kind::Unit, ini::Kind::Pool] {
        for entry in ini::entries(&text, kind) {
            within(&text, entry.range.start as u32..entry.range.end as u32);
            within(&text, entry.value_range.start as u32..entry.value_range.end as u32);
        }
    }
    for (_, _, at) in ini::variables(&text) {
        within(&text, at.start as u32..at.end as u32);
    }
}

/// The linter's own configuration file: it is a configuration, or there are mistakes, each with its place.
pub fn config(input: &[u8]) {
    let text = text(input);
    let source = Source { path: ".gw502.yaml".to_owned(), text: text.clone() };
    if let Err(mistakes) = Config::read(source) {
        assert!(!mistakes.is_empty(), "refused without a reason");
        for mistake in mistakes {
            within(&text, mistake.at.clone());
        }
    }
}

/// The whole linter on a made-up repository: it ends with a report, the same each time, whose places are in their files; every
/// format of it can be read by its readers, and none holds a raw control character; fixing it again changes nothing.
pub fn pipeline(input: &[u8]) {
    let repository = Memory::cut(input);
    let settings = Settings::default();
    let lint = |units: Vec<Unit>, repository: &dyn Repository| engine::lint(units, &[], repository, &settings);
    let report = lint(repository.units(), &repository);
    well_formed(&report);
    let told = formats(&report);
    assert_eq!(told["json"], formats(&lint(repository.units(), &repository))["json"], "two runs differ");
    for most in [Applicability::Safe, Applicability::Unsafe] {
        let fixed = fix::run(repository.units(), &repository, most, lint);
        well_formed(&fixed.report);
    }
}

fn well_formed(report: &Report) {
    let mut fingerprints = std::collections::HashSet::new();
    for finding in &report.findings {
        assert!(fingerprints.insert(finding.fingerprint), "two findings with one fingerprint");
        for label in &finding.labels {
            let span = label.site.span;
            within(report.sources.file(span.file).text(), span.start..span.end);
        }
    }
}

fn within(text: &str, at: std::ops::Range<u32>) {
    assert!(
        text.get(at.start as usize..at.end as usize).is_some(),
        "{at:?} is no range of a text of {} bytes",
        text.len()
    );
}

/// What every format makes of a report, checked.
fn formats(report: &Report) -> BTreeMap<&'static str, String> {
    let graph = graph::Graph::of(report);
    let mut all = BTreeMap::new();
    let mut add = |name, write: &dyn Fn(&mut dyn io::Write) -> io::Result<()>| {
        let mut out = Vec::new();
        write(&mut out).expect("writing to memory");
        all.insert(name, String::from_utf8(out).expect("output is UTF-8"));
    };
    add("human", &|out| output::human::write(report, &output::human::Options::default(), out));
    add("narrow", &|out| {
        output::human::write(report, &output::human::Options { width: 20, ..Default::default() }, out)
    });
    add("concise", &|out| output::concise::write(report, &output::human::Options::default(), out));
    add("json", &|out| output::json::write(report, out));
    add("json-lines", &|out| output::json_lines::write(report, out));
    add("sarif", &|out| output::sarif::write(report, out));
    add("github", &|out| output::github::write(report, out));
    add("gitlab", &|out| output::gitlab::write(report, out));
    add("junit", &|out| output::junit::write(report, out));
    add("checkstyle", &|out| output::checkstyle::write(report, out));
    add("markdown", &|out| output::markdown::write(report, out));
    add("dot", &|out| graph::write(&graph, graph::Format::Dot, out));
    add("mermaid", &|out| graph::write(&graph, graph::Format::Mermaid, out));
    add("graph", &|out| graph::write(&graph, graph::Format::Json, out));
    for (name, text) in &all {
        let raw = text.chars().find(|c| c.is_control() && *c != '\n');
        assert!(raw.is_none(), "{name} holds {raw:?}");
        assert!(!text.contains("##["), "{name} speaks to GitHub's runner in its old language");
        if *name != "github" {
            assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{name} forges a workflow command");
        }
    }
    for name in ["json", "sarif", "gitlab", "graph"] {
        serde_json::from_str::<serde_json::Value>(&all[name]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for line in all["json-lines"].lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("json-lines: {error}"));
    }
    for name in ["junit", "checkstyle"] {
        roxmltree::Document::parse(&all[name]).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    all
}
