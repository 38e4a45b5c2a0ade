//! The output formats, on reports made by hand: one snapshot each, SARIF against its schema, and hostile text that
//! must reach nobody raw.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use gw502_lint::baseline::identify;
use gw502_lint::catalog::{Confidence, RuleId, Severity};
use gw502_lint::edit::{Edit, Fix};
use gw502_lint::engine::{Report, UnreadFile};
use gw502_lint::finding::{Finding, Findings};
use gw502_lint::output::human::Options;
use gw502_lint::output::{github, human, json, sarif};
use gw502_lint::source::{FileId, Site, SourceFile, SourceMap, Span};
use gw502_lint::topology::{Dialect, Topology};
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

/// A report with every shape of label: two files, a whole block, an include, an empty file, a point.
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
fn all(report: &Report) -> [(&'static str, String); 4] {
    [
        ("human", human_text(report, Options::default())),
        ("json", text(|out| json::write(report, out))),
        ("sarif", text(|out| sarif::write(report, out))),
        ("github", text(|out| github::write(report, out))),
    ]
}

#[test]
fn human_is_for_eighty_columns() {
    let shown = human_text(&sample(), Options { width: 80, elapsed: None, color: false, fixed: None });
    insta::assert_snapshot!("human", shown);
    for line in shown.lines().filter(|line| !line.contains("https://")) {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn human_has_colours_and_a_time_when_asked() {
    let shown = human_text(
        &sample(),
        Options { width: 80, elapsed: Some(Duration::from_millis(12)), color: true, fixed: None },
    );
    assert!(shown.contains("\u{1b}[") && shown.contains(" (12 ms)\n"));
    assert!(!human_text(&sample(), Options::default()).contains('\u{1b}'));
}

#[test]
fn json_is_one_document() {
    let shown = text(|out| json::write(&sample(), out));
    serde_json::from_str::<serde_json::Value>(&shown).expect("JSON");
    insta::assert_snapshot!("json", shown);
}

#[test]
fn github_has_commands() {
    insta::assert_snapshot!("github", text(|out| github::write(&sample(), out)));
}

/// The log as a value, after a check against the schema.
fn valid_sarif(report: &Report) -> serde_json::Value {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let log: serde_json::Value = serde_json::from_str(&text(|out| sarif::write(report, out))).expect("JSON");
    let errors: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
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
    assert_eq!(commands.lines().count(), 6_001);
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
const HOSTILE: &str =
    "\u{1b}[31m\u{7}\u{9b}31m\u{202e}\u{200b}\u{2066}\r\n::error file=x::forged\n##[error]forged %0A%0D%25 ::set-env";

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
    let unread = vec![UnreadFile { path: HOSTILE.into(), why: HOSTILE.into() }];
    let report = report(findings, sources, unread);
    for (format, shown) in all(&report) {
        for raw in ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{200b}', '\u{2066}', '\r'] {
            assert!(!shown.contains(raw), "{format} holds {raw:?}");
        }
        assert!(!shown.contains("##["), "{format} speaks the runner's old language");
        for line in shown.lines().map(str::trim_start).filter(|line| line.starts_with("::")) {
            let ours = format == "github" && line.starts_with("::error file=conf/") && !line.contains("forged\n");
            assert!(ours, "{format}: {line}");
        }
    }
    let commands = text(|out| github::write(&report, out));
    let commands: Vec<_> = commands.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), 10, "one for each annotation that is shown");
    assert!(commands.iter().all(|line| !line.contains("%0A%0D%25 ")), "a percent sign of a file is escaped");
    valid_sarif(&report);
}
