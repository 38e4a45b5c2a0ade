//! The output formats, on reports made by hand: one snapshot each, against a schema where there is one, and hostile text
//! that must reach nobody raw.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use gw502_lint::baseline::identify;
use gw502_lint::catalog::{Confidence, RuleId, Severity};
use gw502_lint::edit::{Edit, Fix};
use gw502_lint::engine::{Report, UnreadFile};
use gw502_lint::finding::{Finding, Findings, Suppressed, SuppressedIn};
use gw502_lint::output::human::Options;
use gw502_lint::output::listing::Listing;
use gw502_lint::output::{
    checkstyle, concise, github, gitlab, human, json, json_lines, junit, markdown, sarif, statistics,
};
use gw502_lint::source::{FileId, Site, SourceFile, SourceMap, Span};
use gw502_lint::topology::{Dialect, Topology};
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;

const MAIN: &str = "http {\n  include conf.d/*.conf;\n}\n";

const SITE: &str = "upstream api {\n    server 10.0.0.1:3000;\n}\n\nserver {\n    listen 80;\n    location /api {\n\t\t\
                    proxy_pass http://apii; # 😀 and \u{202e}more\n    }\n}\n";

fn span(sources: &SourceMap, file: FileId, text: &str) -> Span {
    let start = sources.file(file).text().find(text).expect("the text is in the file");
    Span::new(file, start as u32, (start + text.len()) as u32)
}

fn replace(span: Span, text: &str) -> Edit {
    Edit::Replace { span, text: text.to_owned() }
}

fn report(findings: Findings, sources: SourceMap, unread: Vec<UnreadFile>) -> Report {
    let mut findings = findings.finish();
    identify(&mut findings, &sources, |_| None, &Topology::default());
    Report {
        findings,
        files: sources.files().map(|(_, file)| (file.path().to_owned(), Dialect::Nginx)).collect(),
        sources,
        topology: Topology::default(),
        rules: vec![RuleId::GW000, RuleId::GW001, RuleId::GW003],
        unread,
        not_utf8: Vec::new(),
    }
}

/// A report with every shape of label: two files, a whole block, an include, an empty file, a point; a file that could not
/// be read, and a finding that somebody lives with.
fn sample() -> Report {
    let mut sources = SourceMap::default();
    let main = sources.add(SourceFile::new("nginx.conf", MAIN.into()));
    let site = sources.add(SourceFile::new("conf.d/a site.conf", SITE.into()));
    let gone = sources.add(SourceFile::new("conf.d/locked.conf", Vec::new()));
    let include = span(&sources, main, "include conf.d/*.conf;");
    let via = sources.include(Site::direct(include), site);
    let at = |text: &str| Site { span: span(&sources, site, text), via: Some(via) };
    let block = Span::new(site, 0, SITE.find("\n\nserver").expect("there") as u32);
    let mut findings = Findings::default();
    findings.push(
        Finding::new(
            RuleId::GW003,
            Dialect::Nginx,
            (
                at("http://apii"),
                "no upstream has this name, so nginx asks DNS for it when it starts, and finds nothing".into(),
            ),
            "`apii` is not defined anywhere; nginx does not start, or every request to it fails",
        )
        .label((Site { span: block, via: Some(via) }, "this one is spelled nearly so".into()))
        .label((Site::direct(include), "read through this".into()))
        .why("A name that no upstream has is looked up as a host name when nginx loads its configuration.")
        .help("write `proxy_pass http://api;`")
        .assumed("no resolver answers for `apii`")
        .fix(Fix::guess("write `http://api`", [replace(at("http://apii").span, "http://api")])),
    );
    findings.push(
        Finding::new(
            RuleId::GW001,
            Dialect::Nginx,
            (at("server 10.0.0.1:3000"), "after this".into()),
            "a `;` is missing",
        )
        .fix(Fix::safe("take the group out", [replace(block, ""), replace(at("# 😀").span, "#\n")]))
        .severity(Severity::Warning)
        .confidence(Confidence::Likely),
    );
    let end = Span::new(main, MAIN.len() as u32, MAIN.len() as u32);
    findings.push(
        Finding::new(
            RuleId::GW001,
            Dialect::Nginx,
            (Site::direct(end), "the file ends here".into()),
            "a `}` is missing",
        )
        .severity(Severity::Note)
        .confidence(Confidence::Possible),
    );
    let decided = Suppressed {
        by: SuppressedIn::Source,
        reason: "the group | comes with `the` next <release>".into(),
        at: Some(span(&sources, site, "# 😀")),
    };
    findings.push(Finding {
        suppressed: Some(Box::new(decided)),
        ..Finding::new(RuleId::GW003, Dialect::Nginx, (at("listen 80"), "here".into()), "`listen` has no `backlog`")
    });
    let unread = UnreadFile { path: "conf.d/locked.conf".into(), why: "permission denied".into() };
    let at_gone = (Site::direct(Span::new(gone, 0, 0)), "nothing is known of what stands there".into());
    let message = "conf.d/locked.conf could not be read: permission denied";
    findings.push(Finding { dialect: None, ..Finding::new(RuleId::GW000, Dialect::Nginx, at_gone, message) });
    report(findings, sources, vec![unread])
}

fn human_text(report: &Report, options: Options) -> String {
    let mut out = Vec::new();
    human::write(report, &options, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

/// Every format of a report, with its name.
fn all(report: &Report) -> Vec<(&'static str, String)> {
    let options = Options::default();
    let files = Listing::of(report, None, |_| false);
    vec![
        ("human", human_text(report, options)),
        ("concise", text(|out| concise::write(report, &options, out))),
        ("statistics", text(|out| statistics::write(report, &options, out))),
        ("json", text(|out| json::write(report, out))),
        ("json-lines", text(|out| json_lines::write(report, out))),
        ("sarif", text(|out| sarif::write(report, out))),
        ("code-scanning", text(|out| sarif::write_open(report, out))),
        ("github", text(|out| github::write(report, out))),
        ("gitlab", text(|out| gitlab::write(report, out))),
        ("junit", text(|out| junit::write(report, out))),
        ("checkstyle", text(|out| checkstyle::write(report, out))),
        ("markdown", text(|out| markdown::write(report, out))),
        ("files", text(|out| files.human(out))),
        ("files as JSON", text(|out| files.json(out))),
    ]
}

/// What a schema has against a value.
fn against(schema: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).expect("the schema is a schema");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn human_is_for_eighty_columns() {
    let shown = human_text(&sample(), Options { width: 80, ..Options::default() });
    insta::assert_snapshot!("human", shown);
    for line in shown.lines().filter(|line| !line.contains("https://")) {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn human_has_colours_and_a_time_when_asked() {
    let shown =
        human_text(&sample(), Options { elapsed: Some(Duration::from_millis(12)), color: true, ..Options::default() });
    assert!(shown.contains("\u{1b}[") && shown.contains(" (12 ms)\n"));
    assert!(!human_text(&sample(), Options::default()).contains('\u{1b}'));
}

#[test]
fn codes_are_links_where_they_are_wanted() {
    let link = "\u{1b}]8;;https://github.com/gw502/gw502-lint/blob/main/docs/rules/GW003-undefined-reference.md\u{1b}\\GW003\u{1b}]8;;\u{1b}\\";
    let options = Options { hyperlinks: true, ..Options::default() };
    let report = sample();
    for shown in [
        human_text(&report, options),
        text(|out| concise::write(&report, &options, out)),
        text(|out| statistics::write(&report, &options, out)),
    ] {
        assert!(shown.contains(link), "{shown}");
    }
}

#[test]
fn concise_has_one_line_for_each_finding() {
    let shown = text(|out| concise::write(&sample(), &Options::default(), out));
    insta::assert_snapshot!("concise", shown);
    assert_eq!(shown.lines().filter(|line| line.contains("[GW")).count(), 4);
    let colored = text(|out| concise::write(&sample(), &Options { color: true, ..Options::default() }, out));
    assert!(colored.contains("\u{1b}[") && colored.contains("error[GW003]"));
}

#[test]
fn statistics_count_by_rule() {
    insta::assert_snapshot!("statistics", text(|out| statistics::write(&sample(), &Options::default(), out)));
}

/// The documented schema; with `closed`, members that it does not name are refused.
fn json_schema(closed: bool) -> Value {
    fn close(value: &mut Value) {
        if let Some(object) = value.as_object_mut() {
            if object.get("type").is_some_and(|kind| kind == "object") {
                object.insert("additionalProperties".into(), false.into());
            }
            object.values_mut().for_each(close);
        }
    }
    let mut schema = json_of(include_str!("../docs/json.schema.json"));
    if closed {
        close(&mut schema);
    }
    schema
}

#[test]
fn json_is_one_document() {
    let shown = text(|out| json::write(&sample(), out));
    let document = json_of(&shown);
    for closed in [false, true] {
        assert_eq!(against(&json_schema(closed), &document), Vec::<String>::new());
    }
    assert_eq!(document["version"].as_u64(), Some(json::VERSION.into()));
    let mut wrong = document.clone();
    wrong["findings"][0]["level"] = "fatal".into();
    assert_eq!(against(&json_schema(false), &wrong).len(), 1, "the schema refuses something");
    insta::assert_snapshot!("json", shown);
}

#[test]
fn the_page_about_json_names_every_member() {
    fn names(value: &Value, found: &mut Vec<String>) {
        if let Some(object) = value.as_object() {
            if let Some(properties) = object.get("properties").and_then(Value::as_object) {
                found.extend(properties.keys().cloned());
            }
            object.values().for_each(|value| names(value, found));
        }
    }
    let mut members = Vec::new();
    names(&json_schema(false), &mut members);
    assert!(members.len() > 40, "{members:?}");
    let page = include_str!("../docs/json.md");
    for member in members {
        assert!(page.contains(&format!("`{member}`")) || page.contains(&format!("`{member}[]`")), "{member}");
    }
}

#[test]
fn json_lines_have_a_finding_each() {
    let report = sample();
    let shown = text(|out| json_lines::write(&report, out));
    let mut schema = json_schema(true);
    schema["$ref"] = "#/$defs/finding".into();
    for key in ["type", "required", "properties", "additionalProperties"] {
        schema.as_object_mut().expect("an object").remove(key);
    }
    let lines: Vec<Value> = shown.lines().map(json_of).collect();
    for line in &lines {
        assert_eq!(against(&schema, line), Vec::<String>::new());
    }
    let document = json_of(&text(|out| json::write(&report, out)));
    assert_eq!(Value::Array(lines), document["findings"], "the same as in the document");
    insta::assert_snapshot!("json-lines", shown);
}

#[test]
fn github_has_commands() {
    insta::assert_snapshot!("github", text(|out| github::write(&sample(), out)));
}

/// The report as a value, after a check against what GitLab documents.
fn valid_gitlab(report: &Report) -> Value {
    let issues = json_of(&text(|out| gitlab::write(report, out)));
    let schema = json_of(include_str!("gitlab-code-quality.schema.json"));
    assert_eq!(against(&schema, &issues), Vec::<String>::new());
    let fingerprints: HashSet<_> =
        issues.as_array().expect("a list").iter().map(|issue| &issue["fingerprint"]).collect();
    assert_eq!(Some(fingerprints.len()), issues.as_array().map(Vec::len), "GitLab drops equal ones");
    issues
}

#[test]
fn gitlab_is_as_documented() {
    let issues = valid_gitlab(&sample());
    assert_eq!(issues.as_array().map(Vec::len), Some(4), "the suppressed one has no place there");
    valid_gitlab(&report(Findings::default(), SourceMap::default(), Vec::new()));
    insta::assert_snapshot!("gitlab", text(|out| gitlab::write(&sample(), out)));
}

/// Parses XML with another reader than our writer's own.
fn xml_of(text: &str) -> roxmltree::Document<'_> {
    roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Whether an element has these attributes, all of them, and no others.
#[track_caller]
fn has(node: roxmltree::Node<'_, '_>, names: &[&str]) {
    assert_eq!(node.attributes().map(|attribute| attribute.name()).collect::<Vec<_>>(), names, "{node:?}");
}

fn children<'a, 'i>(node: roxmltree::Node<'a, 'i>) -> Vec<roxmltree::Node<'a, 'i>> {
    node.children().filter(roxmltree::Node::is_element).collect()
}

/// The document's text, after a check of its structure: what JUnit's readers have in common. How many cases of each kind
/// there are is checked against what the suites say.
fn valid_junit(report: &Report) -> String {
    let shown = text(|out| junit::write(report, out));
    let document = xml_of(&shown);
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    let counts = ["tests", "failures", "errors", "skipped"];
    has(root, &["name", "tests", "failures", "errors", "skipped"]);
    let said =
        |node: roxmltree::Node<'_, '_>| counts.map(|name| node.attribute(name).unwrap().parse::<usize>().unwrap());
    let mut total = [0; 4];
    for suite in children(root) {
        assert_eq!(suite.tag_name().name(), "testsuite");
        has(suite, &["name", "tests", "failures", "errors", "skipped"]);
        let mut found = [0; 4];
        for case in children(suite) {
            assert_eq!(case.tag_name().name(), "testcase");
            assert_eq!(case.attribute("classname"), suite.attribute("name"));
            assert!(case.attribute("name").is_some_and(|name| !name.is_empty()));
            found[0] += 1;
            for (place, result) in children(case).into_iter().enumerate() {
                match result.tag_name().name() {
                    "failure" => found[1] += 1,
                    "error" => found[2] += 1,
                    "skipped" => found[3] += 1,
                    name => assert!(name == "system-out" && place + 1 == children(case).len(), "{result:?}"),
                }
            }
        }
        assert_eq!(said(suite), found);
        for (sum, found) in total.iter_mut().zip(found) {
            *sum += found;
        }
    }
    assert_eq!(said(root), total);
    shown
}

#[test]
fn junit_has_a_case_for_each_finding() {
    insta::assert_snapshot!("junit", valid_junit(&sample()));
    let clean = valid_junit(&many(0, "x"));
    assert!(clean.contains("no findings"), "{clean}");
    valid_junit(&report(Findings::default(), SourceMap::default(), Vec::new()));
}

/// The document's text, after a check of its structure.
fn valid_checkstyle(report: &Report) -> String {
    let shown = text(|out| checkstyle::write(report, out));
    let document = xml_of(&shown);
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("version")), ("checkstyle", Some("4.3")));
    for file in children(root) {
        assert_eq!(file.tag_name().name(), "file");
        has(file, &["name"]);
        assert!(!children(file).is_empty());
        for error in children(file) {
            assert_eq!(error.tag_name().name(), "error");
            has(error, &["line", "column", "severity", "message", "source"]);
            assert!(["error", "warning", "info"].contains(&error.attribute("severity").unwrap()));
            for number in ["line", "column"] {
                assert!(error.attribute(number).unwrap().parse::<u32>().unwrap() > 0);
            }
        }
    }
    shown
}

#[test]
fn checkstyle_has_a_file_for_each_file() {
    let shown = valid_checkstyle(&sample());
    insta::assert_snapshot!("checkstyle", shown);
    let message = xml_of(&shown).descendants().find_map(|node| node.attribute("message").map(str::to_owned)).unwrap();
    assert!(message.contains('\n'), "line ends survive the reader: {message}");
    valid_checkstyle(&report(Findings::default(), SourceMap::default(), Vec::new()));
}

#[test]
fn files_are_listed_once() {
    let files = Listing::of(&sample(), None, |path| path == "nginx.conf");
    insta::assert_snapshot!("files", text(|out| files.human(out)));
    insta::assert_snapshot!("files-json", text(|out| files.json(out)));
}

/// The page, after a check that each row of a table has as many cells as the table.
fn valid_markdown(report: &Report) -> String {
    let shown = text(|out| markdown::write(report, out));
    let mut columns = None;
    for line in shown.lines() {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let count = line.matches('|').count();
        assert_eq!(*columns.get_or_insert(count), count, "{line}");
        assert!(line.ends_with('|'), "{line}");
    }
    assert!(shown.len() < 65_536, "{}", shown.len());
    shown
}

#[test]
fn markdown_is_a_table() {
    insta::assert_snapshot!("markdown", valid_markdown(&sample()));
    let clean = valid_markdown(&report(Findings::default(), SourceMap::default(), Vec::new()));
    assert_eq!(clean, "### gw502-lint: nothing found in 0 files\n");
}

#[test]
fn markdown_fits_into_a_comment() {
    let shown = valid_markdown(&many(6_000, "x;\n"));
    assert!(shown.contains("| error |"), "the worst comes first");
    let rows = shown.lines().filter(|line| line.starts_with("| error") || line.starts_with("| note")).count();
    assert!(rows > 100 && shown.contains(&format!("**{} more findings not in this table**", 6_000 - rows)), "{rows}");
}

/// The log as a value, after a check against the schema. Words of a file make no link (3.11.6).
fn valid_sarif(report: &Report) -> Value {
    let schema = json_of(include_str!("sarif-schema-2.1.0.json"));
    let log = json_of(&text(|out| sarif::write(report, out)));
    assert_eq!(against(&schema, &log), Vec::<String>::new());
    assert!(!log["runs"][0]["results"].to_string().contains("]("), "a link");
    assert!(!log["runs"][0]["invocations"].to_string().contains("]("), "a link");
    let open = json_of(&text(|out| sarif::write_open(report, out)));
    assert_eq!(against(&schema, &open), Vec::<String>::new());
    let without = log["runs"][0]["results"].as_array().expect("results").iter().cloned();
    let without: Vec<_> = without.filter(|result| result.get("suppressions").is_none()).collect();
    assert_eq!(open["runs"][0]["results"], Value::from(without), "the same, less what is suppressed");
    log
}

#[test]
fn sarif_is_valid() {
    let log = valid_sarif(&sample());
    let mut shown = log.clone();
    // The texts of the rules are their own files' matter.
    let rules = shown["runs"][0]["tool"]["driver"]["rules"].take();
    assert_eq!(rules.as_array().map(Vec::len), Some(3));
    assert_eq!(rules[2]["id"], "GW003");
    assert_eq!(log["runs"][0]["results"][0]["ruleIndex"].as_u64().map(|at| rules[at as usize]["id"].clone()), {
        Some(log["runs"][0]["results"][0]["ruleId"].clone())
    });
    insta::assert_snapshot!("sarif", serde_json::to_string_pretty(&shown).expect("JSON"));
}

#[test]
fn a_clean_sarif_lists_rules_and_no_results() {
    let log = valid_sarif(&report(Findings::default(), SourceMap::default(), Vec::new()));
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(log["runs"][0]["tool"]["driver"]["rules"].as_array().map(Vec::len), Some(3));
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

/// `count` findings on as many places of one line or of many.
fn many(count: usize, line: &str) -> Report {
    let mut sources = SourceMap::default();
    let file = sources.add(SourceFile::new("many.conf", line.repeat(count).into_bytes()));
    let mut findings = Findings::default();
    for number in 0..count {
        let start = (number * line.len()) as u32;
        let site = Site::direct(Span::new(file, start, start + 1));
        let severity = if number + 1 == count { Severity::Error } else { Severity::Note };
        findings.push(
            Finding::new(RuleId::GW001, Dialect::Nginx, (site, "here".into()), format!("number {number}"))
                .severity(severity),
        );
    }
    report(findings, sources, Vec::new())
}

#[test]
fn too_many_results_are_cut_and_counted() {
    let report = many(6_000, "x;\n");
    let log = valid_sarif(&report);
    let results = log["runs"][0]["results"].as_array().expect("results");
    assert_eq!(results.len(), sarif::MAX_RESULTS);
    assert_eq!(results[0]["message"]["text"].as_str().and_then(|text| text.lines().next()), Some("number 5999"));
    let said = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(said.as_str().is_some_and(|text| text.contains("1000 findings are left out")), "{said}");
    let shown = human_text(&report, Options::default());
    assert_eq!(shown.matches("┌─").count(), 50);
    assert!(shown.contains("5950 more of GW001"), "{}", &shown[shown.len() - 300..]);
    let commands = text(|out| github::write(&report, out));
    assert_eq!(commands.lines().filter(|line| line.starts_with("::")).count(), 11);
    assert!(commands.starts_with("::error "), "the worst comes first");
    assert!(
        commands.contains("::notice title=gw502-lint::5990 more findings are not shown"),
        "and what is left is counted"
    );
    assert_eq!(commands.lines().count(), 6_002, "those are lines of the log");
}

#[test]
fn many_findings_in_one_line_stays_small() {
    let report = many(5_000, "some_directive with arguments and what else there may be;");
    for (format, shown) in all(&report) {
        assert!(shown.len() < 1_200 * 5_000, "{format}: {}", shown.len());
    }
    let shown = human_text(&report, Options { width: 80, ..Options::default() });
    assert!(shown.len() < 60_000, "{}", shown.len());
    assert!(shown.contains('…') && shown.contains("many.conf:1:58"), "{}", &shown[..2000]);
}

/// What must not be seen raw in any format.
const HOSTILE: &str = "\u{1b}[31m\u{7}\u{9b}31m\u{202e}\u{200b}\u{2066}\u{ad}\u{e0041}\r\n::error file=x::forged\n##[error]forged %0A%0D%25 ::set-env \
     ]]><error/>&lt;\u{ffff} | `|` ``` <img src=x onerror=y> </code></details> [x](http://evil) @everyone #1 $a$ \"' --> \\|\n\n| a | b |\n# h";

#[test]
fn hostile_text_reaches_nobody_raw() {
    let mut sources = SourceMap::default();
    let content = format!("proxy_pass http://{HOSTILE};\n::error::in the file\n##[group]x\n  ::warning::y\n");
    let file = sources.add(SourceFile::new(format!("conf/{HOSTILE}.conf"), content.clone().into_bytes()));
    let other = sources.add(SourceFile::new("::error::.conf", content.clone().into_bytes()));
    let mut findings = Findings::default();
    let whole = |file| Site::direct(Span::new(file, 0, content.len() as u32));
    let via = sources.include(whole(other), file);
    for start in [0, 22, 60, content.find("::error::in").expect("there"), content.find("##[group").expect("there")] {
        let site = Site { span: Span::new(file, start as u32, content.len() as u32), via: Some(via) };
        for text in [HOSTILE, "::error::label", "  ::error::blank", &format!("{} ::error::long", "word ".repeat(40))] {
            findings.push(
                Finding::new(RuleId::GW003, Dialect::Nginx, (site, text.into()), text)
                    .label((whole(other), text.into()))
                    .why(text)
                    .help(text)
                    .assumed(text),
            );
        }
    }
    let decided = Suppressed { by: SuppressedIn::Source, reason: HOSTILE.into(), at: Some(whole(other).span) };
    findings.push(Finding {
        suppressed: Some(Box::new(decided)),
        ..Finding::new(RuleId::GW003, Dialect::Nginx, (whole(other), HOSTILE.into()), HOSTILE)
    });
    let unread = vec![UnreadFile { path: HOSTILE.into(), why: HOSTILE.into() }];
    let report = report(findings, sources, unread);
    for (format, shown) in all(&report) {
        for raw in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{200b}', '\u{2066}', '\u{ad}', '\u{e0041}', '\r'] {
            assert!(!shown.contains(raw), "{format} holds {raw:?}");
        }
        assert!(!shown.contains("##["), "{format} speaks the runner's old language");
        for line in shown.lines().map(str::trim_start).filter(|line| line.starts_with("::")) {
            let ours = format == "github"
                && (line.starts_with("::error file=conf/") || line.starts_with("::notice title=gw502-lint::"));
            assert!(ours, "{format}: {line}");
        }
    }
    let commands = text(|out| github::write(&report, out));
    let commands: Vec<_> = commands.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), 11, "one for each annotation that is shown, and one for the others");
    assert!(commands.iter().all(|line| !line.contains("%0A%0D%25 ")), "a percent sign of a file is escaped");
    valid_sarif(&report);
    for issue in valid_gitlab(&report).as_array().expect("a list") {
        only_our_html(issue["content"]["body"].as_str().expect("text"));
    }
    valid_junit(&report);
    valid_checkstyle(&report);
    assert_eq!(against(&json_schema(true), &json_of(&text(|out| json::write(&report, out)))), Vec::<String>::new());
    only_our_html(&valid_markdown(&report));
}

/// Nothing of a file means anything to Markdown, HTML or GitHub.
#[track_caller]
fn only_our_html(page: &str) {
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        let end = rest.find('>').expect("a tag ends");
        let ours = ["<br>", "<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>"];
        assert!(ours.contains(&&rest[..=end]), "{}", &rest[..=end]);
        rest = &rest[end..];
    }
    for (number, line) in page.lines().enumerate() {
        let links = line.matches("](").count();
        assert_eq!(links, line.matches("](https://github.com/gw502/").count(), "{line}");
        for raw in ['@', '`', '\\', '$', '"', '\''] {
            assert!(!line.contains(raw), "{raw}: {line}");
        }
        assert!(!line.contains("http://"), "{line}");
        assert!(!line.starts_with('#') || number == 0, "{line}");
        assert!(!line.starts_with("| a"), "{line}");
    }
    for tag in ["code", "details", "summary"] {
        let count = |text: String| page.matches(&text).count();
        assert_eq!(count(format!("<{tag}>")), count(format!("</{tag}>")), "{tag}");
    }
}
