//! Findings that were there before: the baseline file, what changed since a commit, and what makes a finding the same one.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

mod support;

use gw502_lint::baseline::{Old, Seen, compare};
use gw502_lint::discover::{self, Disk, Request};
use gw502_lint::engine::{self, Report, Settings};
use gw502_lint::files::Tree as Parsed;
use gw502_lint::topology::Dialect;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use support::{CLEAN, FINDINGS, Run, Tree, USAGE};

const MAIN: &str = "events {}\nhttp {\n  include conf/*.conf;\n}\n";

/// A site with a read timeout that is too short.
fn site(name: &str, port: u16) -> String {
    format!(
        "server {{\n  listen {port};\n  server_name {name};\n  location / {{\n    proxy_pass http://10.0.0.1:8080;\n    \
         proxy_read_timeout 2s;\n  }}\n}}\n"
    )
}

fn sites() -> Tree {
    Tree::new(&[("nginx.conf", MAIN), ("conf/a.conf", &site("a.test", 80)), ("conf/b.conf", &site("b.test", 81))])
}

/// Rule, file and state of each finding that is no note; those that are suppressed in brackets.
#[track_caller]
fn found(run: &Run) -> String {
    let mut told = Vec::new();
    for finding in run.json()["findings"].as_array().unwrap() {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        if text(&finding["level"]) == "note" {
            continue;
        }
        let place = text(&finding["labels"][0]["file"]);
        let words = format!("{} {place} {}", text(&finding["rule"]), text(&finding["state"]));
        told.push(if finding["suppressed"].is_null() { words } else { format!("[{words}]") });
    }
    told.join(", ")
}

const JSON: [&str; 2] = ["--format", "json"];

#[test]
fn what_is_in_the_baseline_fails_no_run_and_stays_in_the_report() {
    let tree = sites();
    tree.run(&["."]).exits(FINDINGS);
    tree.run(&["--write-baseline", "b.json"])
        .exits(CLEAN)
        .complains("b.json: 2 findings written\n")
        .says("2 suppressed");
    let known = tree.run(&[&["--baseline", "b.json"], &JSON[..]].concat()).exits(CLEAN).quietly();
    assert_eq!(found(&known), "[GW201 conf/a.conf unchanged], [GW201 conf/b.conf unchanged]");
    assert_eq!(known.json()["findings"][0]["suppressed"]["by"], "baseline");
    tree.write("conf/c.conf", &site("c.test", 82));
    let more = tree.run(&[&["--baseline", "b.json"], &JSON[..]].concat()).exits(FINDINGS);
    assert_eq!(found(&more), "[GW201 conf/a.conf unchanged], [GW201 conf/b.conf unchanged], GW201 conf/c.conf new");
    tree.run(&["--baseline", "b.json"]).exits(FINDINGS).says("conf/c.conf:6:5").says("1 warning, 2 suppressed");
    let sarif = tree.run(&["--baseline", "b.json", "--format", "sarif"]).exits(FINDINGS).json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let states: Vec<_> = results.iter().map(|result| result["baselineState"].as_str().unwrap()).collect();
    assert_eq!(states, ["new", "unchanged", "unchanged"]);
    assert_eq!(results[1]["suppressions"][0]["kind"], "external");
    assert_eq!(results[1]["suppressions"][0]["justification"], "it is in the baseline b.json");
    is_sarif(&sarif);
    let plain = tree.run(&["--format", "sarif"]).exits(FINDINGS).json();
    assert!(plain["runs"][0]["results"][0]["baselineState"].is_null(), "where nothing was compared");
}

#[track_caller]
fn is_sarif(log: &Value) {
    let schema: Value = serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(log).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn the_file_has_one_line_for_each_finding_and_says_which_is_gone() {
    let tree = sites();
    tree.run(&["--write-baseline", "b.json"]).exits(CLEAN);
    let text = tree.text("b.json");
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("\"key\"")).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("    {\"path\":\"conf/a.conf\",\"rule\":\"GW201\",\"key\":\""), "{text}");
    assert!(lines[0].ends_with("\"count\":1,\"text\":\"proxy_read_timeout 2s\"},"), "{text}");
    tree.run(&["--write-baseline", "b.json"]).exits(CLEAN);
    assert_eq!(tree.text("b.json"), text, "the same is written again");
    tree.replace("conf/a.conf", "2s", "60s");
    tree.run(&["--baseline", "b.json"])
        .exits(CLEAN)
        .complains("b.json: 1 finding of it is not found any more:\n  GW201 in conf/a.conf: proxy_read_timeout 2s\n")
        .complains("take them out with: gw502-lint --write-baseline b.json");
    // Of what was not looked at nothing is said.
    tree.run(&["--baseline", "b.json", "conf/b.conf"]).exits(CLEAN).quietly();
    tree.run(&["--baseline", "b.json", "--ignore", "GW201"]).exits(CLEAN).quietly();
    tree.run(&["--write-baseline", "b.json"]).exits(CLEAN).complains("1 finding written; 1 finding of before gone\n");
    tree.run(&["--baseline", "b.json"]).exits(CLEAN).quietly();
    tree.remove("conf/b.conf");
    tree.run(&["--baseline", "b.json"]).exits(CLEAN).complains("GW201 in conf/b.conf");
    tree.replace("b.json", "GW201", "GW999");
    tree.run(&["--baseline", "b.json"]).exits(CLEAN).complains("GW999 in conf/b.conf");
}

#[test]
fn equal_findings_are_counted_and_a_second_block_is_another_one() {
    let tree = sites();
    tree.replace("conf/a.conf", "  location / {", "  proxy_read_timeout 2s;\n  proxy_read_timeout_ 1;\n  location / {");
    tree.write("conf/a.conf", &site("a.test", 80));
    tree.run(&["--write-baseline", "b.json"]).exits(CLEAN);
    let with = |extra: &str| {
        tree.write("conf/a.conf", &(site("a.test", 80) + extra));
        found(&tree.run(&[&["--baseline", "b.json"], &JSON[..]].concat()))
    };
    let old = "[GW201 conf/a.conf unchanged]";
    let b = "[GW201 conf/b.conf unchanged]";
    assert_eq!(with(""), format!("{old}, {b}"));
    assert_eq!(with(&site("other.test", 80)), format!("{old}, GW201 conf/a.conf new, {b}"), "the same words elsewhere");
    let second = site("a.test", 80).replace("location /", "location /second");
    tree.write("conf/a.conf", &second);
    let moved = found(&tree.run(&[&["--baseline", "b.json"], &JSON[..]].concat()));
    assert_eq!(moved, format!("GW201 conf/a.conf new, {b}"), "another location");
}

#[test]
fn a_renamed_file_keeps_its_entries() {
    let tree = sites();
    tree.run(&["--write-baseline", "b.json"]).exits(CLEAN);
    tree.rename("conf/a.conf", "conf/shop.conf");
    tree.run(&["--baseline", "b.json"]).exits(CLEAN).quietly();
    // A copy is another finding.
    tree.write("conf/a.conf", &site("a.test", 80).replace("2s", "3s"));
    let run = tree.run(&[&["--baseline", "b.json"], &JSON[..]].concat()).exits(FINDINGS);
    assert!(found(&run).contains("GW201 conf/shop.conf new"), "{}", found(&run));
}

#[test]
fn a_file_that_cannot_be_followed_is_refused_in_words() {
    let tree = sites();
    tree.run(&["--baseline", "b.json"])
        .exits(USAGE)
        .complains("error: there is no baseline b.json\nwrite it with: gw502-lint --write-baseline b.json\n");
    for (text, words) in [
        ("", "the baseline b.json is empty"),
        ("{\"version\": 1,", "the baseline b.json is damaged: EOF while parsing"),
        ("{\"version\": 7, \"findings\": []}", "was written by a newer gw502-lint: its version is 7"),
        ("<<<<<<< HEAD\n", "holds the marks of a merge that was not finished"),
    ] {
        tree.write("b.json", text);
        let run = tree.run(&["--baseline", "b.json"]).exits(USAGE).complains(words);
        assert_eq!(run.err.contains("--write-baseline"), !words.contains("newer"), "{}", run.err);
        assert_eq!(run.out, "");
    }
    fs::write(tree.at("b.json"), b"\xff").unwrap();
    tree.run(&["--baseline", "b.json"]).exits(USAGE).complains("cannot read the baseline b.json: is not UTF-8");
    tree.run(&["--baseline", "conf"]).exits(USAGE).complains("cannot read the baseline conf: is a folder");
    tree.run(&["--baseline", "nowhere/b.json"]).exits(USAGE).complains("cannot look for the baseline nowhere/b.json");
    let deep = format!("{{\"version\": 1, \"findings\": {}", "[".repeat(1_000_000));
    tree.write("b.json", &deep);
    tree.run(&["--baseline", "b.json"]).exits(USAGE).complains("is damaged");
    tree.write("b.json", "{\"version\": 1, \"findings\": [{\"path\": \"\\u001b[31m\", \"rule\": \"::error::\", \"key\": \"0000000000000001\", \"text\": \"\\n::error::x\"}]}");
    let run = tree.run(&["--baseline", "b.json"]).exits(FINDINGS);
    assert!(
        !run.err.contains('\u{1b}') && !run.err.lines().any(|line| line.trim_start().starts_with("::")),
        "{}",
        run.err
    );
}

#[test]
fn only_a_baseline_is_overwritten() {
    let tree = sites();
    tree.run(&["--write-baseline", "nginx.conf"]).exits(USAGE).complains("nginx.conf is there and is no baseline");
    assert_eq!(tree.text("nginx.conf"), MAIN);
    tree.run(&["--write-baseline", "b.json"]).exits(CLEAN);
    let half = tree.text("b.json").replace("]\n}", "<<<<<<<");
    tree.write("b.json", &half);
    tree.run(&["--write-baseline", "b.json"]).exits(CLEAN).complains("2 findings written\n");
    tree.run(&["--baseline", "b.json"]).exits(CLEAN);
    for other in ["--baseline", "--changed-since"] {
        tree.run(&["--write-baseline", "b.json", other, "b.json"]).exits(USAGE).complains("cannot be used with");
    }
}

#[test]
fn what_was_not_read_and_what_is_suppressed_already_is_in_no_baseline() {
    let tree = sites();
    tree.replace("conf/a.conf", "2s;", "2s; # gw502: ignore GW201 -- it answers at once");
    fs::create_dir(tree.at("conf/folder.conf")).unwrap();
    tree.write("nginx.conf", &MAIN.replace("conf/*.conf", "conf/folder.conf;\n  include conf/*.conf"));
    tree.run(&["--write-baseline", "b.json"]).exits(FINDINGS).says("error[GW000]").complains("1 finding written");
    tree.run(&["--baseline", "b.json"]).exits(FINDINGS).says("error[GW000]");
    // The comment goes: nobody has decided to live with it any more.
    tree.replace("conf/a.conf", " # gw502: ignore GW201 -- it answers at once", "");
    let run = tree.run(&[&["--baseline", "b.json"], &JSON[..]].concat()).exits(FINDINGS);
    assert!(found(&run).contains("GW201 conf/a.conf new, [GW201 conf/b.conf unchanged]"), "{}", found(&run));
}

#[test]
fn the_configuration_file_may_name_the_baseline() {
    let tree = sites();
    fs::create_dir(tree.at(".git")).unwrap();
    fs::create_dir(tree.at("ci")).unwrap();
    tree.write(".gw502.yaml", "baseline: ci/known.json\n");
    tree.run(&[]).exits(USAGE).complains("there is no baseline ci/known.json");
    tree.run(&["--write-baseline", "ci/known.json"]).exits(CLEAN);
    tree.run(&[]).exits(CLEAN).quietly();
    tree.run(&["--no-baseline"]).exits(FINDINGS);
    tree.run(&["--no-config"]).exits(FINDINGS);
    tree.run_in("conf", &[]).exits(CLEAN).quietly();
    tree.run_in("conf", &["--baseline", "../ci/known.json", "--no-config"]).exits(CLEAN).quietly();
    tree.write("none.json", "{\"version\": 1, \"findings\": []}");
    tree.run(&["--baseline", "none.json"]).exits(FINDINGS);
    tree.write(".gw502.yaml", "baseline: [a]\n");
    tree.run(&[]).exits(USAGE).says("`baseline` is the path of a file");
}

#[test]
fn what_is_known_is_not_fixed() {
    let site = "server {\n  listen 80;\n  location / {\n    proxy_read_timeout 60s # enough\n    proxy_pass http://10.0.0.1;\n  }\n}\n";
    let tree = Tree::new(&[("nginx.conf", MAIN), ("conf/a.conf", site)]);
    tree.run(&["--write-baseline", "b.json"]).exits(CLEAN);
    tree.run(&["--baseline", "b.json", "--fix"]).exits(CLEAN);
    assert_eq!(tree.text("conf/a.conf"), site);
    tree.run(&["--fix"]);
    assert!(tree.text("conf/a.conf").contains("60s; # enough"));
}

// What makes a finding the same one.

fn lint(root: &Path) -> Report {
    let request = Request { paths: vec![root.to_owned()], ..Request::default() };
    let found = discover::discover(&request).expect("files");
    let disk = Disk::new(found.root.clone()).with_deployments(found.deployments);
    engine::lint(found.units, &found.unread, &disk, &Settings::default())
}

/// Rule, path and key of each finding.
fn keys(report: &Report) -> Vec<(&'static str, String, u64)> {
    let path = |finding: &gw502_lint::finding::Finding| {
        report.sources.file(finding.primary().site.span.file).path().to_owned()
    };
    report.findings.iter().map(|finding| (finding.rule.meta().code, path(finding), finding.key)).collect()
}

/// What is new and what is gone, in words; nothing, where the two are the same.
fn difference(before: &Report, after: &Report) -> Vec<String> {
    let (before, after) = (keys(before), keys(after));
    let old: Vec<Old<'_>> =
        before.iter().map(|(rule, path, key)| Old { rule, path, key: *key, count: 1, severity: None }).collect();
    let seen: Vec<Seen<'_>> = after
        .iter()
        .map(|(rule, path, key)| Seen { rule, path, key: *key, severity: gw502_lint::catalog::Severity::Note })
        .collect();
    let compared = compare(&old, &seen, |_| true);
    let new = compared.known.iter().zip(&after).filter(|(known, _)| !**known).map(|(_, new)| format!("new: {new:?}"));
    let gone =
        compared.gone.iter().zip(&before).filter(|(gone, _)| **gone > 0).map(|(_, gone)| format!("gone: {gone:?}"));
    new.chain(gone).collect()
}

/// Where statements and closing braces stand that are the first thing on their line.
fn statements(text: &str, dialect: Dialect) -> Vec<usize> {
    let tree = Parsed::parse(text, dialect);
    let starts: Vec<u32> = match &tree {
        Parsed::Nginx(parsed) => parsed.tree.nodes().iter().map(|node| node.start).collect(),
        Parsed::Haproxy(parsed) => parsed.tree.lines().map(|(_, line)| line.start).collect(),
    };
    let first = |start: &usize| {
        let line = &text[text[..*start].rfind('\n').map_or(0, |end| end + 1)..*start];
        // HAProxy knows no statement of two lines but for a `\` at the end.
        line.trim().is_empty() && !text[..*start].trim_end().ends_with('\\')
    };
    let closing = text.match_indices('}').map(|(at, _)| at).filter(|_| dialect == Dialect::Nginx);
    let mut starts: Vec<usize> = starts.into_iter().map(|start| start as usize).chain(closing).filter(first).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The same statements: indented otherwise, with blank lines and comments above them.
fn reformatted(text: &str, dialect: Dialect) -> String {
    // A quote in a comment ends one that was never closed.
    let words = if text.matches('"').count().is_multiple_of(2) { "somebody's \"words" } else { "words" };
    let mut out = String::new();
    let mut done = 0;
    for (number, start) in statements(text, dialect).into_iter().enumerate() {
        let line = text[..start].rfind('\n').map_or(0, |end| end + 1);
        if line < done {
            continue;
        }
        out.push_str(&text[done..line]);
        if number % 3 == 0 {
            out.push_str(&format!("\n\t# {words} {{ ; }}\n"));
        }
        // Twice as deep: the structure that the eye sees stays.
        out.push_str(&text[line..start].repeat(2));
        done = start;
    }
    out.push_str(&text[done..]);
    out
}

/// Copies a side of a fixture; what its proxies read is changed on the way.
fn copy(side: &Path, change: impl Fn(&str, &str) -> String) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    for entry in walkdir::WalkDir::new(side).into_iter().flatten().filter(|entry| entry.file_type().is_file()) {
        let path = entry.path().strip_prefix(side).expect("below");
        let target = scratch.path().join(path);
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        let bytes = fs::read(entry.path()).expect("readable");
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => {
                change(&path.to_string_lossy().replace('\\', "/"), &text.replace("@DIR@", "/srv/lab")).into_bytes()
            }
            Err(error) => error.into_bytes(),
        };
        fs::write(target, bytes).expect("written");
    }
    scratch
}

/// Gives a file, by its path and its text, another text.
type Change<'c> = &'c dyn Fn(&str, &str) -> String;

/// For each way in which a hazard looks: what was found is found again, and nothing else, when its files are set anew.
#[test]
fn a_file_that_is_set_anew_makes_no_churn() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let (mut sides, mut findings, mut wrong) = (0, 0, Vec::new());
    for entry in walkdir::WalkDir::new(&fixtures).sort_by_file_name().into_iter().flatten() {
        if entry.depth() != 3 || !matches!(entry.file_name().to_str(), Some("bad" | "broken")) {
            continue;
        }
        let plain = copy(entry.path(), |_, text| text.to_owned());
        let before = lint(&fs::canonicalize(plain.path()).unwrap());
        let dialects: std::collections::HashMap<&str, Dialect> =
            before.files.iter().map(|(path, dialect)| (path.as_str(), *dialect)).collect();
        // A YAML file may hold a proxy's configuration, and is YAML all the same.
        let yaml = |path: &str| path.ends_with(".yml") || path.ends_with(".yaml");
        let proxies =
            |path: &str| dialects.get(path).copied().filter(|dialect| *dialect != Dialect::Kubernetes && !yaml(path));
        let clothes: [(&str, Change<'_>); 3] = [
            ("set anew", &|path, text| proxies(path).map_or(text.to_owned(), |dialect| reformatted(text, dialect))),
            ("CRLF", &|path, text| match proxies(path) {
                Some(_) => text.replace("\r\n", "\n").replace('\n', "\r\n"),
                None => text.to_owned(),
            }),
            ("YAML", &|path, text| match yaml(path) {
                true => format!("# somebody's words\n\n{text}").replace("\r\n", "\n").replace('\n', "\r\n"),
                false => text.to_owned(),
            }),
        ];
        for (what, change) in clothes {
            let other = copy(entry.path(), change);
            let after = lint(&fs::canonicalize(other.path()).unwrap());
            let difference = difference(&before, &after);
            if !difference.is_empty() {
                wrong.push(format!("{}: {what}\n  {}", entry.path().display(), difference.join("\n  ")));
            }
        }
        sides += 1;
        findings += before.findings.len();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sides > 100 && findings > sides, "{sides} sides with {findings} findings");
}

#[test]
fn a_block_that_moves_and_lines_that_change_places_make_no_churn() {
    let two = |first: &str, second: &str| format!("{first}{second}");
    let (a, b) = (site("a.test", 80), site("b.test", 81));
    let tree = Tree::new(&[("nginx.conf", MAIN), ("conf/a.conf", &two(&a, &b))]);
    let before = lint(tree.path());
    assert!(before.findings.len() > 1);
    tree.write("conf/a.conf", &two(&b, &a));
    assert_eq!(difference(&before, &lint(tree.path())), [] as [String; 0]);
    let turned = a.replace(
        "    proxy_pass http://10.0.0.1:8080;\n    proxy_read_timeout 2s;\n",
        "    proxy_read_timeout 2s;\n    proxy_pass http://10.0.0.1:8080;\n    gzip on;\n",
    );
    assert_ne!(turned, a);
    tree.write("conf/a.conf", &two(&turned.replace("server_name a.test;", "server_name a.test www.a.test;"), &b));
    assert_eq!(difference(&before, &lint(tree.path())), [] as [String; 0]);
    tree.write("conf/a.conf", &two(&a.replace("a.test", "z.test"), &b));
    assert_eq!(difference(&before, &lint(tree.path())).len(), 2, "another site");
}

// What changed since a commit.

/// A repository with one commit on the branch `main`; none where there is no git.
struct Repository {
    tree: Tree,
}

impl Repository {
    fn new(files: &[(&str, &str)]) -> Option<Self> {
        Command::new("git").arg("--version").output().ok().filter(|output| output.status.success())?;
        let repository = Self { tree: Tree::new(files) };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit();
        Some(repository)
    }

    fn sites() -> Option<Self> {
        Self::new(&[("nginx.conf", MAIN), ("conf/a.conf", &site("a.test", 80)), ("conf/b.conf", &site("b.test", 81))])
    }

    fn git_in(folder: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
            command.env_remove(name);
        }
        let output = command
            .args(["-c", "user.name=T", "-c", "user.email=t@example.test", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn git(&self, arguments: &[&str]) -> String {
        Self::git_in(self.tree.path(), arguments)
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=x"]);
    }

    fn since_in(&self, folder: &str, reference: &str, more: &[&str]) -> Run {
        self.tree.run_in(folder, &[&["--changed-since", reference], &JSON[..], more].concat())
    }

    #[track_caller]
    fn since(&self, reference: &str) -> String {
        let run = self.since_in("", reference, &[]);
        let found = found(&run);
        assert_eq!(
            run.code,
            i32::from(found.split(", ").any(|one| !one.is_empty() && !one.starts_with('['))),
            "{found}"
        );
        found
    }
}

const OLD: &str = "[GW201 conf/a.conf unchanged], [GW201 conf/b.conf unchanged]";

#[test]
fn only_what_came_with_the_change_counts() {
    let Some(repository) = Repository::sites() else { return };
    let tree = &repository.tree;
    assert_eq!(repository.since("main"), OLD, "nothing has changed");
    tree.run(&["--changed-since", "HEAD"]).exits(CLEAN).quietly().says("nothing found, 2 suppressed");
    // A file that git does not know yet.
    tree.write("conf/c.conf", &site("c.test", 82));
    let new = format!("{OLD}, GW201 conf/c.conf new");
    assert_eq!(repository.since("main"), new);
    repository.git(&["checkout", "--quiet", "-b", "work"]);
    repository.commit();
    assert_eq!(repository.since("main"), new);
    assert_eq!(repository.since("HEAD"), format!("{OLD}, [GW201 conf/c.conf unchanged]"));
    assert_eq!(repository.since("HEAD~1"), new);
    let sarif = tree.run(&["--changed-since", "main", "--format", "sarif"]).exits(FINDINGS).json();
    is_sarif(&sarif);
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let states: Vec<_> = results.iter().map(|result| result["baselineState"].as_str().unwrap()).collect();
    assert_eq!(states, ["new", "unchanged", "unchanged"], "nothing is dropped");
    assert_eq!(results[1]["suppressions"][0]["justification"], "it was there before what changed since main");
    // A line that says what it said is not changed; another value is.
    tree.replace("conf/a.conf", "    proxy_read_timeout", "\tproxy_read_timeout");
    assert_eq!(repository.since("work"), format!("{OLD}, [GW201 conf/c.conf unchanged]"));
    tree.replace("conf/a.conf", "2s", "3s");
    assert!(repository.since("work").starts_with("GW201 conf/a.conf new, [GW201 conf/b.conf"));
    repository.git(&["checkout", "--quiet", "conf/a.conf"]);
    // A comment that suppressed goes.
    tree.replace("conf/b.conf", "2s;", "2s; # gw502: ignore GW201 -- why not");
    repository.commit();
    tree.replace("conf/b.conf", " # gw502: ignore GW201 -- why not", "");
    assert!(repository.since("work").contains("GW201 conf/b.conf new"));
}

#[test]
fn what_came_to_the_other_branch_meanwhile_does_not_count() {
    let Some(repository) = Repository::sites() else { return };
    repository.git(&["checkout", "--quiet", "-b", "work"]);
    repository.tree.write("README.md", "x");
    repository.commit();
    repository.git(&["checkout", "--quiet", "main"]);
    repository.tree.replace("conf/a.conf", "2s", "60s");
    repository.commit();
    repository.git(&["checkout", "--quiet", "work"]);
    assert_eq!(repository.since("main"), OLD);
}

const COMPOSE: &str = "services:\n  app:\n    image: python:3\n    command: uvicorn main:app --host 0.0.0.0 --port 8080\n  \
                       web:\n    image: nginx:1.25\n    depends_on: [app]\n    volumes: [\"./nginx.conf:/etc/nginx/nginx.conf\"]\n";
const PROXY: &str = "events {}\nhttp {\n  server {\n    listen 80;\n    location / {\n      proxy_pass http://app:8080;\n    }\n  }\n}\n";

#[test]
fn a_port_that_changes_in_compose_shows_in_nginx() {
    let files = [
        ("compose.yaml", COMPOSE),
        ("nginx.conf", PROXY),
        ("other/nginx.conf", &PROXY.replace("app:8080", "10.0.0.1:99999")),
    ];
    let Some(repository) = Repository::new(&files) else { return };
    let tree = &repository.tree;
    let before = repository.since("HEAD");
    assert!(!before.contains("GW101") && before.starts_with('['), "{before}");
    tree.replace("compose.yaml", "--port 8080", "--port 3000");
    let after = repository.since("HEAD");
    assert!(after.contains("GW101 nginx.conf new"), "{after}");
    repository.commit();
    assert!(repository.since("HEAD").contains("[GW101 nginx.conf unchanged]"));
    assert_eq!(repository.since("HEAD~1"), after);
    // It is wrong in another way: the same finding, and the line that it points at has changed.
    tree.replace("compose.yaml", "--port 3000", "--port 4000");
    let other = repository.since("HEAD");
    assert!(other.contains("GW101 nginx.conf updated"), "{other}");
    // In a subfolder the same: what it depends on lies above, and is not read.
    assert_eq!(repository.since_in("other", "HEAD", &[]).exits(CLEAN).json()["summary"]["errors"], 0);
}

#[test]
fn files_that_are_gone_or_have_another_name() {
    let main = "events {}\nhttp {\n  include up/*.conf;\n  include conf/*.conf;\n}\n";
    let site = site("a.test", 80).replace("10.0.0.1:8080", "application");
    let files = [
        ("nginx.conf", main),
        ("up/pool.conf", "upstream application {\n  server 10.0.0.1:8080;\n}\n"),
        ("conf/a.conf", &site),
    ];
    let Some(repository) = Repository::new(&files) else { return };
    let tree = &repository.tree;
    repository.git(&["mv", "conf/a.conf", "conf/shop.conf"]);
    assert_eq!(repository.since("HEAD"), "[GW201 conf/shop.conf unchanged]");
    // Without telling git.
    tree.rename("conf/shop.conf", "conf/shop2.conf");
    assert!(repository.since("HEAD").contains("GW201 conf/shop2.conf"));
    tree.rename("conf/shop2.conf", "conf/shop.conf");
    tree.replace("conf/shop.conf", "/ {", "/ {\n    gzip on;");
    assert_eq!(repository.since("HEAD"), "[GW201 conf/shop.conf unchanged]", "renamed and changed");
    // Its group is gone, and another one has nearly its name.
    tree.remove("up/pool.conf");
    tree.write("up/other.conf", "upstream applicatoin {\n  server 10.0.0.1:8080;\n}\n");
    let gone = repository.since("HEAD");
    assert!(gone.contains("conf/shop.conf new") && gone.contains("[GW201 conf/shop.conf unchanged]"), "{gone}");
    repository.commit();
    assert_eq!(repository.since("HEAD~1"), gone);
    let named = repository.since_in("", "HEAD~1", &["conf/shop.conf"]).exits(CLEAN);
    assert!(found(&named).contains("[GW201 conf/shop.conf unchanged]"), "{}", found(&named));
}

#[cfg(unix)]
#[test]
fn a_change_behind_a_symbolic_link_is_seen() {
    let main = "events {}\nhttp {\n  include sites-enabled/*;\n}\n";
    let available = ("sites-available/a", &*site("a.test", 80).replace("2s", "60s"));
    let Some(repository) = Repository::new(&[("nginx.conf", main), available]) else { return };
    fs::create_dir(repository.tree.at("sites-enabled")).unwrap();
    std::os::unix::fs::symlink("../sites-available/a", repository.tree.at("sites-enabled/a")).unwrap();
    repository.commit();
    assert_eq!(repository.since("HEAD"), "");
    repository.tree.replace("sites-available/a", "60s", "2s");
    let short = repository.since("HEAD");
    assert!(short.starts_with("GW201 sites-") && short.ends_with("new"), "{short}");
    repository.commit();
    repository.tree.replace("sites-available/a", "listen 80;", "listen 80;\n  gzip on;");
    let old = repository.since("HEAD");
    assert!(old.starts_with("[GW201 sites-") && old.ends_with("unchanged]"), "{old}");
}

#[test]
fn a_baseline_and_a_commit_go_together() {
    let Some(repository) = Repository::sites() else { return };
    let tree = &repository.tree;
    tree.run(&["--write-baseline", "b.json", "conf/a.conf"]).exits(CLEAN);
    tree.replace("conf/a.conf", "listen 80;", "listen 80; # other");
    tree.write("conf/c.conf", &site("c.test", 82));
    let run = repository.since_in("", "HEAD", &["--baseline", "b.json"]).exits(FINDINGS);
    assert!(found(&run).ends_with("[GW201 conf/b.conf unchanged], GW201 conf/c.conf new"), "{}", found(&run));
}

#[test]
fn what_git_cannot_say_is_refused_in_words() {
    let Some(repository) = Repository::sites() else { return };
    let tree = &repository.tree;
    let refused = |reference: &str| tree.run(&[&format!("--changed-since={reference}")]).exits(USAGE).err;
    for option in ["-", "--help", "--output=/tmp/x", ""] {
        assert!(refused(option).contains("this is no name of a commit, branch or tag"), "{option}");
    }
    let run = refused("release");
    assert!(run.contains("there is no such commit, branch or tag here\n") && run.contains("origin/release"), "{run}");
    assert!(refused("origin/main").contains("git fetch origin main"));
    assert!(refused("main..HEAD").contains("there is no such commit"));
    assert!(refused("$(touch x)").contains("there is no such commit"));
    tree.run(&["--changed-since"]).exits(USAGE);
    tree.pipe(&["--changed-since", "main", "-"], b"events {}\n").exits(USAGE).complains("standard input has no past");
    let command = |path: &str| {
        let mut command = tree.command(&["--changed-since", "main"]);
        command.env("PATH", path);
        Run::of(command.output().unwrap())
    };
    command("/nowhere").exits(USAGE).complains("it needs the program git, which is not installed here");
    // Unrelated histories.
    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    repository.git(&["commit", "--quiet", "--message=y"]);
    assert!(refused("main").contains("no commit in common with what is checked out"));
    let plain = sites();
    plain.run(&["--changed-since", "main"]).exits(USAGE).complains("is not in a git repository with");
}

#[test]
fn a_shallow_clone_says_how_to_get_more() {
    let Some(repository) = Repository::sites() else { return };
    repository.tree.write("README.md", "x");
    repository.commit();
    let clone = tempfile::tempdir().unwrap();
    let from = format!("file://{}", repository.tree.path().display());
    Repository::git_in(clone.path(), &["clone", "--quiet", "--depth=1", &from, "c"]);
    let tree = Tree::new(&[]);
    let mut command = tree.command(&["--changed-since", "HEAD~1"]);
    let run = Run::of(command.current_dir(clone.path().join("c")).output().unwrap()).exits(USAGE);
    run.complains("this clone is shallow").complains("`fetch-depth: 0`").complains("git fetch --unshallow");
}

/// Everything in a repository's configuration that makes git start a program, and in the environment of a hook.
#[cfg(unix)]
#[test]
fn no_program_of_the_repository_is_started() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(repository) = Repository::sites() else { return };
    let tree = &repository.tree;
    tree.write(".gitattributes", "*.conf filter=evil diff=evil\n");
    repository.commit();
    let marker = tempfile::tempdir().unwrap();
    let touched = marker.path().join("touched");
    tree.write("evil.sh", &format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", touched.display()));
    fs::set_permissions(tree.at("evil.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let evil = tree.at("evil.sh").display().to_string();
    fs::create_dir_all(tree.at("hooks")).unwrap();
    for hook in ["post-index-change", "fsmonitor-watchman", "post-checkout"] {
        fs::copy(tree.at("evil.sh"), tree.at("hooks").join(hook)).unwrap();
    }
    let hooks = tree.at("hooks").display().to_string();
    for (name, value) in [
        ("core.fsmonitor", &*evil),
        ("core.hooksPath", &hooks),
        ("core.pager", &evil),
        ("core.sshCommand", &evil),
        ("diff.external", &evil),
        ("diff.evil.command", &evil),
        ("diff.evil.textconv", &evil),
        ("filter.evil.clean", &evil),
        ("filter.evil.smudge", &evil),
        ("filter.evil.process", &evil),
        ("filter.evil.required", "true"),
        ("pager.diff", &evil),
        ("alias.diff", &format!("!{evil}")),
    ] {
        repository.git(&["config", name, value]);
    }
    tree.replace("conf/a.conf", "2s", "3s");
    let mut command = tree.command(&["--changed-since", "HEAD", "--format", "json"]);
    for name in ["GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_EDITOR", "GIT_ASKPASS"] {
        command.env(name, &evil);
    }
    // As within a hook: another index, another repository.
    command.env("GIT_DIR", "/nowhere").env("GIT_INDEX_FILE", "/nowhere/index").env("GIT_WORK_TREE", "/");
    let run = Run::of(command.output().unwrap()).exits(FINDINGS);
    assert_eq!(found(&run), "GW201 conf/a.conf new, [GW201 conf/b.conf unchanged]");
    assert!(!touched.exists(), "{}", fs::read_to_string(touched).unwrap());
    // A text that would have to be fetched, by a program.
    for (name, value) in [
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", &format!("ext::{evil}")),
        ("protocol.ext.allow", "always"),
    ] {
        repository.git(&["config", name, value]);
    }
    let object = repository.git(&["rev-parse", "HEAD:conf/a.conf"]);
    let (folder, rest) = object.trim().split_at(2);
    fs::remove_file(tree.at(".git/objects").join(folder).join(rest)).unwrap();
    tree.run(&["--changed-since", "HEAD"]).exits(USAGE).complains("a partial clone has to be completed first");
    assert!(!touched.exists(), "{}", fs::read_to_string(touched).unwrap());
    // A name that could not be kept from running.
    fs::write(tree.at(".git/config"), tree.text(".git/config") + "[filter \"a=b\"]\n\tclean = x\n").unwrap();
    tree.run(&["--changed-since", "HEAD"])
        .exits(USAGE)
        .complains("a filter that cannot be kept from running: filter.a=b.clean");
}
