//! The configuration file, as the whole program reads it: each mistake at its place, levels, overrides, what is excluded,
//! ignored and declared; the file that `init` writes, and the schema.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

mod support;

use gw502_lint::catalog::CATALOG;
use gw502_lint::config::{Config, IGNORE, OVERRIDE, SERVICE, Source, TEMPLATE, TOP, schema};
use serde_json::Value;
use std::fs;
use std::path::Path;
use support::{CLEAN, FINDINGS, Run, USAGE};

/// A whole configuration with a read timeout that is too short, on line 5, in each of two files.
const MAIN: &str = "events {}\nhttp {\n  include conf/*.conf;\n}\n";
const SITE: &str = "server {\n  listen 80;\n  location / {\n    proxy_pass http://10.0.0.1:8080;\n    proxy_read_timeout 2s;\n  }\n}\n";

/// Two sites, and a configuration file.
struct Tree(support::Tree);

impl std::ops::Deref for Tree {
    type Target = support::Tree;

    fn deref(&self) -> &support::Tree {
        &self.0
    }
}

impl Tree {
    fn new(config: &str) -> Self {
        let second = SITE.replace("80;", "81;");
        let files = [(".gw502.yaml", config), ("nginx.conf", MAIN), ("conf/a.conf", SITE), ("conf/b.conf", &second)];
        Self(support::Tree::new(&files))
    }

    /// File, line, rule and level of each finding of GW201 and GW013; those that are suppressed in brackets.
    fn found(&self, arguments: &[&str]) -> String {
        let run = self.run(&[&["--format", "json"], arguments].concat());
        let document: Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{}{}", run.out, run.err));
        let mut told = Vec::new();
        for finding in document["findings"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            if !matches!(text(&finding["rule"]).as_str(), "GW201" | "GW013") {
                continue;
            }
            let label = &finding["labels"][0];
            let words = format!(
                "{}:{} {} {}",
                text(&label["file"]),
                label["line"],
                text(&finding["rule"]),
                text(&finding["level"])
            );
            told.push(if finding["suppressed"].is_null() { words } else { format!("[{words}]") });
        }
        told.join(", ")
    }
}

const BOTH: &str = "conf/a.conf:5 GW201 warning, conf/b.conf:5 GW201 warning";

/// Text, then `line:column message | label` of each mistake in it.
const MISTAKES: &[(&str, &[&str])] = &[
    ("rulez:\n  GW201: off\n", &["1:1 the configuration file has no key `rulez` | did you mean `rules`?"]),
    ("- rules\n", &["1:1 the configuration file is a mapping: keys, each with a colon and a value | this is a list"]),
    ("rules: [GW201]\n", &["1:8 `rules` is a mapping: keys, each with a colon and a value | this is a list"]),
    (
        "rules:\n  GW2O1: off\n  GW777x: of\n  GW201: of\n",
        &[
            "2:3 there is no rule `GW2O1` | did you mean GW201?",
            "3:3 there is no rule `GW777x` | not known",
            "4:10 `of` is no level | did you mean `off`?",
        ],
    ),
    ("rules:\n  GW8: off\n", &["2:3 there is no rule `GW8` | not known"]),
    ("rules:\n  GW000: off\n", &["2:3 GW000 has no level | this is always an error"]),
    ("rules:\n  GW201: [off]\n", &["2:10 the level of GW201 is `off`, `note`, `warning` or `error` | this is a list"]),
    ("rules:\n  GW201:\n", &["2:8 the level of GW201 is `off`, `note`, `warning` or `error` | there is nothing here"]),
    ("rules:\n  GW201: off\n  GW201: note\n", &["3:3 `GW201` stands here twice | the second time"]),
    ("rules:\n  GW201: off\n  short-read-timeout: note\n", &["3:3 GW201 stands here twice | by another name"]),
    (
        "rules:\n  GW201: {minn: 10s}\n  GW202: {min: 10}\n  GW305: {min: 1s}\n  GW3: {min: 1s}\n",
        &[
            "2:11 GW201 has no option `minn` | did you mean `min`?",
            "3:16 `10` is no time | without a unit; did you mean `10s`?",
            "4:11 GW305 has no option `min` | not known here",
            "5:9 a family has no option `min` | not known here",
        ],
    ),
    ("rules:\n  GW201: {min: 1.5s}\n", &["2:16 `1.5s` is no time | write a whole number and `ms`, `s`, `m` or `h`"]),
    ("exclude: ['[a']\n", &["1:11 the pattern `[a` cannot be read | unclosed character class; missing ']'"]),
    ("exclude:\n  a: b\n", &["2:3 a pattern for paths is text | this is a mapping"]),
    (
        "overrides:\n  - paths: ../x\n    rules: {}\n  - rules: {}\n",
        &[
            "2:12 the pattern `../x` cannot be read | a pattern does not lead out of the folder of the configuration file",
            "4:5 an override needs `paths` | `paths` is missing here",
        ],
    ),
    ("overrides: {paths: a}\n", &["1:12 `overrides` is a list: each item behind a `- ` | this is a mapping"]),
    (
        "targets:\n  nginx: two\n  haprox: 2.8\n",
        &["2:10 `two` is no version | not a version", "3:3 `targets` has no key `haprox` | did you mean `haproxy`?"],
    ),
    (
        "services:\n  http://app:\n    ports: [0, x, 70000, 8080]\n  b:\n    idle: 5s\n    idle_timeout: soon\n",
        &[
            "2:3 `http://app` is no host name | this names no service",
            "3:13 `0` is no port | ports go from 1 to 65535",
            "3:16 `x` is no port | ports go from 1 to 65535",
            "3:19 `70000` is no port | ports go from 1 to 65535",
            "5:5 a service has no key `idle` | this key is not known here",
            "6:19 `soon` is no time | write a whole number and `ms`, `s`, `m` or `h`",
        ],
    ),
    (
        "ignore:\n  - rule: GW201\n    path: conf\n  - rule: GW999\n    path: conf\n    reason: ' '\n  - {rule: GW000, path: a, reason: b}\n",
        &[
            "2:5 an item of `ignore` needs `reason` | `reason` is missing here",
            "4:11 there is no rule `GW999` | not known",
            "6:13 a reason is a few words | there is nothing here",
            "7:12 GW000 cannot be ignored | this has no effect",
        ],
    ),
    ("rules: {}\n---\nrules: {}\n", &["3:1 this file holds more than one document | only one is read"]),
];

fn mistakes(text: &str) -> Vec<String> {
    let source = Source { path: ".gw502.yaml".into(), text: text.into() };
    let Err(mistakes) = Config::read(source) else { return Vec::new() };
    mistakes
        .iter()
        .map(|mistake| {
            let before = &text[..mistake.at.start as usize];
            let line = before.matches('\n').count() + 1;
            let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
            format!("{line}:{column} {} | {}", mistake.message, mistake.label)
        })
        .collect()
}

#[test]
fn each_mistake_is_told_at_its_place() {
    for (text, expected) in MISTAKES {
        assert_eq!(mistakes(text), *expected, "\n{text}");
    }
    let yaml = mistakes("rules: [\n");
    assert!(yaml.len() == 1 && yaml[0].contains("this is not YAML"), "{yaml:?}");
}

#[test]
fn half_a_file_is_no_trouble() {
    for (text, _) in MISTAKES.iter().copied().chain([(examples().as_str(), &[] as &[&str])]) {
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            let path = String::from(".gw502.yaml");
            if let Err(mistakes) = Config::read(Source { path, text: text[..end].into() }) {
                assert!(mistakes.iter().all(|mistake| mistake.at.end as usize <= end), "{text}");
            }
        }
    }
    let many: String = (0..20_000).map(|at| format!("key{at}: [{{}}]\n")).collect();
    assert_eq!(mistakes(&many).len(), 100);
}

#[test]
fn a_file_with_mistakes_ends_the_run() {
    let tree = Tree::new("rules:\n  GW201: off\n  short-read-timeot: off\nexlude: x\n");
    let run = tree.run(&[]).exits(USAGE);
    insta::assert_snapshot!("bad_configuration", run.out.split(" (").next().unwrap());
    let run = tree.run(&["--format", "sarif"]).exits(USAGE);
    let log: Value = serde_json::from_str(&run.out).unwrap();
    let sarif = serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).unwrap();
    assert!(jsonschema::validator_for(&sarif).unwrap().is_valid(&log));
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 2);
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "GW015");
    tree.run(&[]).exits(USAGE).complains("nothing was linted, because .gw502.yaml has 2 mistakes");
    tree.run(&["--no-config"]).exits(FINDINGS).says("GW201");
    tree.run(&["--no-config", "--config", "x"]).exits(USAGE).complains("cannot be used with");
    tree.run(&["--config", "gone.yaml"]).exits(USAGE).complains("cannot read the configuration file gone.yaml");
    tree.run(&["--config", "conf"]).exits(USAGE).complains("is a folder");
}

#[test]
fn levels_make_of_findings_what_the_user_wants() {
    assert_eq!(Tree::new("").found(&[]), BOTH);
    assert_eq!(Tree::new("rules:\n  GW201: off\n").found(&[]), "");
    assert_eq!(Tree::new("rules:\n  GW2: off\n").found(&[]), "");
    assert_eq!(Tree::new("rules:\n  GW2: off\n  GW201: note\n").found(&[]), BOTH.replace("warning", "note"));
    let tree = Tree::new("rules:\n  short-read-timeout: {level: error}\n");
    assert_eq!(tree.found(&[]), BOTH.replace("warning", "error"));
    tree.run(&["--select", "GW201", "--fail-on", "error"]).exits(FINDINGS).says("error[GW201]").says("2 errors");
    let tree = Tree::new("rules: {GW201: note}\n");
    tree.run(&["--select", "GW201"]).exits(CLEAN).says("note[GW201]").says("2 notes");
    tree.run(&["--select", "GW201", "--min-severity", "warning"]).exits(CLEAN).says("nothing found");
    // How bad it is stays what it is.
    let run = tree.run(&["--select", "GW201", "--format", "json"]);
    let document: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&document["findings"][0]["severity"], &document["summary"]["notes"]), (&"warning".into(), &2.into()));
}

#[test]
fn options_hold_where_they_are_set() {
    assert_eq!(Tree::new("rules:\n  GW201: {min: 2s}\n").found(&[]), "");
    let tree =
        Tree::new("rules:\n  GW201: {min: 1s}\noverrides:\n  - paths: conf/b.conf\n    rules: {GW201: {min: 3s}}\n");
    assert_eq!(tree.found(&[]), "conf/b.conf:5 GW201 warning");
}

#[test]
fn overrides_hold_for_their_paths_and_the_last_one_counts() {
    let tree = Tree::new(
        "rules: {GW201: note}\noverrides:\n  - {paths: [conf], rules: {GW2: off}}\n  - {paths: '*/b.conf', rules: {GW201: error}}\n",
    );
    assert_eq!(tree.found(&[]), "conf/b.conf:5 GW201 error");
}

#[test]
fn what_is_excluded_is_read_and_not_reported() {
    let tree = Tree::new("exclude: [b.conf]\n");
    assert_eq!(tree.found(&[]), "conf/a.conf:5 GW201 warning");
    // By itself, too: a hook that names it is done.
    tree.run(&["conf/b.conf"]).exits(CLEAN).says("0 files: nothing found");
    tree.run(&["conf/b.conf", "--no-config"]).exits(FINDINGS);
    let tree = Tree::new("exclude:\n  - conf/\n  - nginx.conf\n");
    tree.run(&[]).exits(USAGE).complains("what `exclude` in .gw502.yaml names (3 here)");
}

#[test]
fn the_nearest_file_up_to_the_repository_counts() {
    let tree = Tree::new("rules: {GW201: off}\noverrides: [{paths: conf/b.conf, rules: {GW201: note}}]\n");
    // Without a repository nobody else's file counts.
    tree.run_in("conf", &["--select", "GW201"]).exits(FINDINGS).says("a.conf:5");
    fs::create_dir(tree.path().join(".git")).unwrap();
    tree.run_in("conf", &["--select", "GW201"]).exits(CLEAN).says("1 note");
    tree.write("conf/.gw502.yaml", "rules: {GW202: maybe}\n");
    tree.run_in("conf", &[]).exits(USAGE).says(".gw502.yaml:1:16").says("`maybe` is no level");
    tree.run_in("conf", &["--config", "../.gw502.yaml", "--select", "GW201"]).exits(CLEAN).says("1 note");
    tree.write("ci/lint.yaml", "exclude: conf/b.conf\n");
    assert_eq!(tree.found(&["--config", "ci/lint.yaml"]), "conf/a.conf:5 GW201 warning");
}

#[test]
fn targets_come_from_the_file_and_the_command_line_weighs_more() {
    let tree = Tree::new("targets: {nginx: 1.24, haproxy: 3.0}\n");
    tree.run(&[]).exits(FINDINGS);
    tree.run(&["--target", "nginx=1.26"]).exits(FINDINGS);
}

const IGNORED: &str = "ignore:\n  - rule: GW201\n    path: conf/a*\n    reason: a ping\n";

#[test]
fn what_is_ignored_stays_in_the_report() {
    let tree = Tree::new(IGNORED);
    assert_eq!(tree.found(&[]), "[conf/a.conf:5 GW201 warning], conf/b.conf:5 GW201 warning");
    tree.run(&["--select", "GW201"]).exits(FINDINGS).says("1 warning, 1 suppressed (");
    let site = SITE.replace("2s;", "2s; # gw502: ignore GW201 -- a ping");
    tree.write("conf/b.conf", &site.replace("80;", "81;"));
    tree.run(&["--select", "GW201"]).exits(CLEAN).says("nothing found, 2 suppressed (");
    tree.write("conf/b.conf", &SITE.replace("80;", "81;"));
    let run = tree.run(&["--format", "sarif"]).exits(FINDINGS);
    let log: Value = serde_json::from_str(&run.out).unwrap();
    let schema = serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&log));
    let results = log["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<_> = results.iter().filter_map(|result| result.get("suppressions")).collect();
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0][0]["kind"], "external");
    assert_eq!(suppressed[0][0]["justification"], "a ping");
    assert_eq!(suppressed[0][0]["location"]["physicalLocation"]["artifactLocation"]["uri"], ".gw502.yaml");
}

#[test]
fn an_item_that_ignores_nothing_is_told_where_that_is_known() {
    let tree = Tree::new(&IGNORED.replace("GW201", "[GW201, GW202]"));
    assert_eq!(tree.found(&[]), "[conf/a.conf:5 GW201 warning], conf/b.conf:5 GW201 warning, .gw502.yaml:2 GW013 note");
    // The rule did not run.
    assert!(!tree.found(&["--ignore", "GW202"]).contains("GW013"));
    assert!(!tree.found(&["--ignore", "GW013"]).contains("GW013"));
    // The files that it speaks of were not linted, or not as a whole.
    assert!(!tree.found(&["conf/b.conf"]).contains("GW013"));
    assert!(!tree.found(&["conf/a.conf"]).contains("GW013"));
    let tree = Tree::new(&IGNORED.replace("conf/a*", "gone/**"));
    assert!(tree.found(&[]).ends_with(".gw502.yaml:2 GW013 note"));
    assert!(!tree.found(&["nginx.conf"]).contains("GW013"));
    let tree = Tree::new(&format!("rules: {{GW013: error}}\n{}", IGNORED.replace("conf/a*", "gone/**")));
    tree.run(&[]).exits(FINDINGS).says("error[GW013]: GW201 is ignored here without need");
}

#[test]
fn a_declared_idle_time_is_compared() {
    let site = "upstream app {\n  server app.internal:8080;\n  keepalive 8;\n}\nserver {\n  listen 80;\n  location / {\n    \
                proxy_pass http://app;\n    proxy_http_version 1.1;\n    proxy_set_header Connection \"\";\n  }\n}\n";
    let with = |config: &str| {
        let tree = Tree::new(config);
        tree.write("conf/a.conf", site);
        tree.run(&["--select", "GW601"])
    };
    with("").says("GW601").says("assumed: the backend closes an idle connection after 5 s");
    let run = with("services:\n  app.internal: {idle_timeout: 20s, ports: [8080]}\n");
    insta::assert_snapshot!("declared_idle", run.out.split(" (").next().unwrap());
    with("services:\n  APP.internal: {idle_timeout: 75s}\n").exits(CLEAN).says("nothing found");
    with("services:\n  other.internal: {idle_timeout: 75s}\n").says("GW601");
}

#[test]
fn declared_ports_are_compared() {
    let site =
        "upstream app { server app.internal:8081; }\nserver { listen 80; location / { proxy_pass http://app; } }\n";
    let with = |config: &str| {
        let tree = Tree::new(config);
        tree.write("conf/a.conf", site);
        tree.run(&["--select", "GW101"])
    };
    let run = with("services:\n  App.internal: {ports: [8080]}\n");
    run.says("`app.internal` listens on port 8080, and is asked on port 8081").says(".gw502.yaml:2");
    with("services:\n  app.internal: {ports: [8080, 9090]}\n").says("listens on ports 8080 and 9090");
    with("services:\n  app.internal: {ports: [8080, 8081]}\n").exits(CLEAN).says("nothing found");
    with("services:\n  app.internal: {idle_timeout: 5s}\n").exits(CLEAN).says("nothing found");
    with("services:\n  other.internal: {ports: [8080]}\n").exits(CLEAN).says("nothing found");
}

fn as_json(yaml: &str) -> Value {
    serde_json::to_value(serde_yaml::from_str::<serde_yaml::Value>(yaml).expect("YAML")).expect("JSON")
}

/// The examples of the template, without the `#`.
fn examples() -> String {
    TEMPLATE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(example) if !example.starts_with(' ') || example.starts_with("  ") => example,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn schema_and_reader_agree() {
    let schema = schema();
    jsonschema::meta::validate(&schema).expect("the schema is a schema");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let good = [
        TEMPLATE,
        &examples(),
        "",
        "rules:\n",
        "rules: {GW3: off, GW201: {level: note, min: 500ms}, missing-sni: {}, GW0: {level: error}}\n",
        "exclude: legacy\n",
        "overrides: [{paths: a, rules: {GW3: off}}]\ntargets: {nginx: 1.25.1}\nservices: {a: {ports: [1, 65535]}, b: }\n",
        "ignore: [{rule: [GW201, GW202], path: [a, b], reason: c}]\n",
    ];
    for text in good {
        assert_eq!(mistakes(text), [""; 0], "{text}");
        let errors: Vec<_> = validator.iter_errors(&as_json(text)).map(|error| error.to_string()).collect();
        assert_eq!(errors, [""; 0], "{text}");
    }
    for (text, _) in MISTAKES {
        // What only the program can tell: two names of one rule, what a pattern says, two documents, and what a YAML library
        // refuses before the schema is asked.
        let beyond = ["'[a'", "../x", "---", "short-read-timeout: note", "GW201: off\n  GW201"];
        if !beyond.iter().any(|words| text.contains(words)) {
            assert!(!validator.is_valid(&as_json(text)), "the schema takes\n{text}");
        }
    }
}

#[test]
fn the_schema_is_printed() {
    let tree = Tree::new("");
    let run = tree.run(&["config", "schema"]).exits(CLEAN);
    assert_eq!(serde_json::from_str::<Value>(&run.out).unwrap(), schema());
}

#[test]
fn init_writes_a_file_that_changes_nothing_and_never_overwrites() {
    let tree = Tree::new("exclude: x\n");
    tree.run(&["init"]).exits(USAGE).complains(".gw502.yaml is there already");
    assert_eq!(fs::read_to_string(tree.path().join(".gw502.yaml")).unwrap(), "exclude: x\n");
    let without = |run: Run| run.out.split(" (").next().unwrap().to_owned();
    let before = without(tree.run(&["--no-config"]).exits(FINDINGS));
    tree.run(&["init", "--force"]).exits(CLEAN).says("wrote .gw502.yaml");
    assert_eq!(without(tree.run(&[]).exits(FINDINGS)), before);
    fs::remove_file(tree.path().join(".gw502.yaml")).unwrap();
    tree.run(&["init"]).exits(CLEAN);
    assert_eq!(fs::read_to_string(tree.path().join(".gw502.yaml")).unwrap(), TEMPLATE);
    // Every key of the file is shown in it.
    let keys: Vec<_> = TOP.iter().filter(|key| !examples().contains(&format!("\n{}:", key.name))).collect();
    assert!(keys.is_empty(), "{keys:?}");
}

#[test]
fn the_documentation_lists_every_key_and_option() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md")).unwrap();
    let mut rows = Vec::new();
    for keys in [TOP, OVERRIDE, SERVICE, IGNORE] {
        rows.extend(keys.iter().map(|key| format!("| `{}` | {} |", key.name, key.doc)));
    }
    for meta in CATALOG {
        rows.extend(meta.options.iter().map(|option| {
            let (name, kind, default, doc) = (option.name, option.kind, option.default, option.doc);
            format!("| {} | `{name}` | {kind} | `{default}` | {doc} |", meta.code)
        }));
    }
    let missing: Vec<_> = rows.iter().filter(|row| !page.contains(row.as_str())).collect();
    assert!(missing.is_empty(), "docs/configuration.md lacks\n{missing:#?}");
    // Its examples are configuration.
    let examples: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() > 1);
    for example in examples {
        assert_eq!(mistakes(example), [""; 0], "{example}");
    }
}
