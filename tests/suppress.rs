//! Suppressions in comments, from the files to every format: what they cover, what is wrong with them, which do nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

#[path = "support/busy.rs"]
mod busy;

use gw502_lint::catalog::RuleId;
use gw502_lint::engine::{self, Report};
use gw502_lint::files::{NoRepository, Unit};
use gw502_lint::finding::SuppressedIn;
use gw502_lint::output::{github, human, json, sarif};
use gw502_lint::topology::Dialect;

fn lint(text: &str, dialect: Dialect) -> Report {
    let unit = Unit::new("proxy.conf", text.as_bytes().to_vec(), dialect);
    engine::lint(vec![unit], &[], &NoRepository, &engine::Settings::default())
}

/// A whole nginx configuration around one server's statements. Their first one stands on line 6.
fn nginx(inside: &str) -> Report {
    lint(
        &format!(
            "events {{}}\nhttp {{\n  proxy_connect_timeout 5s;\n  server {{\n    listen 80;\n{inside}\n  }}\n}}\n"
        ),
        Dialect::Nginx,
    )
}

/// Line and rule of each finding of some rules; suppressed ones in brackets.
fn found(report: &Report, rules: &[RuleId]) -> String {
    let told: Vec<String> = report
        .findings
        .iter()
        .filter(|finding| rules.contains(&finding.rule))
        .map(|finding| {
            let span = finding.primary().site.span;
            let line = report.sources.file(span.file).position(span.start).line;
            match finding.suppressed {
                Some(_) => format!("[{line} {}]", finding.rule),
                None => format!("{line} {}", finding.rule),
            }
        })
        .collect();
    told.join(" ")
}

const ALL: &[RuleId] = &[RuleId::GW201, RuleId::GW013, RuleId::GW014];

#[track_caller]
fn is(report: &Report, expected: &str) {
    assert_eq!(found(report, ALL), expected);
}

const SLOW: &str =
    "    location /a {\n      proxy_read_timeout 2s;COMMENT\n      proxy_pass http://10.0.0.1:8080;\n    }";

fn slow(comment: &str) -> Report {
    nginx(&SLOW.replace("COMMENT", comment))
}

#[test]
fn a_statement() {
    is(&slow(""), "7 GW201");
    is(&slow(" # gw502: ignore GW201 -- a ping"), "[7 GW201]");
    is(&slow(" # gw502: ignore short-read-timeout -- a ping"), "[7 GW201]");
    is(&nginx(&format!("    # gw502: ignore GW201 -- a ping\n{SLOW}").replace("COMMENT", "")), "6 GW013 8 GW201");
    let above =
        SLOW.replace("COMMENT", "").replace("      proxy_read", "      # gw502: ignore GW201 -- x\n      proxy_read");
    is(&nginx(&above), "[8 GW201]");
    let lines = SLOW.replace("2s;COMMENT", "\n        2s; # gw502: ignore GW201 -- x");
    is(&nginx(&lines), "[7 GW201]");
    let lines = SLOW.replace(" 2s;COMMENT", " # gw502: ignore GW201 -- x\n        2s;");
    is(&nginx(&lines), "[7 GW201]");
}

#[test]
fn a_block_in_each_of_its_three_places() {
    let before = format!("    # gw502: ignore-block GW201 -- x\n{}", SLOW.replace("COMMENT", ""));
    is(&nginx(&before), "[8 GW201]");
    let on = SLOW.replace("/a {", "/a { # gw502: ignore-block GW201 -- x").replace("COMMENT", "");
    is(&nginx(&on), "[7 GW201]");
    let first = SLOW.replace("/a {", "/a {\n      # gw502: ignore-block GW201 -- x").replace("COMMENT", "");
    is(&nginx(&first), "[8 GW201]");
    // In the middle of a block it is not clear what is meant.
    is(&slow("\n      # gw502: ignore-block GW201 -- x"), "7 GW201 8 GW014");
    let other = SLOW.replace("COMMENT", "").replace("/a", "/b");
    is(&nginx(&format!("{before}\n{other}")), "[8 GW201] 12 GW201");
}

#[test]
fn a_file() {
    is(&nginx(&format!("{}\n    # gw502: ignore-file GW201 -- x", SLOW.replace("COMMENT", ""))), "[7 GW201]");
}

const HAPROXY: &str = "global\n    maxconn 100\ndefaults\n    mode http\n    timeout connect 5s\n    timeout client 30s\n\
                       frontend web\n    bind :8080\n    default_backend a\n@1backend a@2\n@3    timeout server 2s@4\n    \
                       server s1 10.0.0.1:80 check\n@5";

fn haproxy(place: char, comment: &str) -> Report {
    let mut text = HAPROXY.replace(&format!("@{place}"), comment);
    for other in '1'..='5' {
        text = text.replace(&format!("@{other}"), "");
    }
    lint(&text, Dialect::Haproxy)
}

#[test]
fn haproxy_lines_and_sections() {
    is(&haproxy('1', ""), "11 GW201");
    is(&haproxy('4', " # gw502: ignore GW201 -- x"), "[11 GW201]");
    is(&haproxy('3', "    # gw502: ignore GW201 -- x\n"), "[12 GW201]");
    is(&haproxy('1', "# gw502: ignore-block GW201 -- x\n"), "[12 GW201]");
    is(&haproxy('2', " # gw502: ignore-block GW201 -- x"), "[11 GW201]");
    is(&haproxy('3', "    # gw502: ignore-block GW201 -- x\n"), "[12 GW201]");
    is(&haproxy('5', "# gw502: ignore-file GW201 -- x\n"), "[11 GW201]");
    is(&haproxy('4', " # gw502: ignore-block GW201 -- x"), "11 GW201 11 GW014");
    is(&haproxy('5', "# gw502: ignore GW201 -- x\n"), "11 GW201 13 GW014");
}

#[test]
fn what_does_nothing_is_told() {
    is(&slow(" # gw502: ignore GW201"), "7 GW201 7 GW014");
    is(&slow(" # gw502: ignore GW201, GW202 -- x"), "[7 GW201] 7 GW013");
    is(&slow(" # gw502: ignore GW2O1 -- x"), "7 GW201 7 GW014");
    let text = text(&slow(" # gw502: ignore GW2O1 -- x"));
    assert!(text.contains("warning[GW014]: there is no rule `GW2O1`"), "{text}");
    assert!(text.contains("did you mean GW201?"), "{text}");
    let text = self::text(&slow(" # gw502: ignore GW201, GW202 -- x"));
    assert!(text.contains("take GW202 out of the comment"), "{text}");
    is(&slow(" # gw502: ignore GW000 GW201 -- x"), "[7 GW201] 7 GW014");
}

#[test]
fn of_what_was_not_seen_whole_or_did_not_run_nothing_is_called_unused() {
    let fragment = "location / {\n  proxy_pass http://10.0.0.1:8080; # gw502: ignore GW201 -- set elsewhere\n}\n";
    is(&lint(fragment, Dialect::Nginx), "");
    is(&haproxy('5', "    # gw502: ignore GW202 -- x\n    {{ more }}\n"), "11 GW201");
    is(&haproxy('5', "    # gw502: ignore GW202 -- x\n    server s2 10.0.0.2:80\n"), "11 GW201 13 GW013");
    let text = "events {}\nhttp { server { listen 80; } } # gw502: ignore GW201 -- x\n";
    let unit = || vec![Unit::new("nginx.conf", text.as_bytes().to_vec(), Dialect::Nginx)];
    let with = |selection| {
        let settings = engine::Settings { selection, ..Default::default() };
        engine::lint(unit(), &[], &NoRepository, &settings)
    };
    is(&with(engine::Selection::default()), "2 GW013");
    is(&with(engine::Selection { ignore: vec![RuleId::GW201], ..Default::default() }), "");
    is(&with(engine::Selection { select: vec![RuleId::GW202], ..Default::default() }), "");
}

#[test]
fn the_nearest_comment_is_the_reason() {
    let report = nginx(&format!(
        "    # gw502: ignore-file GW201 -- far\n{}",
        SLOW.replace("COMMENT", " # gw502: ignore GW201 -- near")
    ));
    is(&report, "6 GW013 [8 GW201]");
    let suppressed = report.findings.iter().find_map(|finding| finding.suppressed.as_deref()).expect("suppressed");
    assert_eq!((suppressed.by, &*suppressed.reason), (SuppressedIn::Source, "near"));
}

fn text(report: &Report) -> String {
    let mut out = Vec::new();
    human::write(report, &human::Options::default(), &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("text")
}

#[test]
fn formats_show_what_is_suppressed_as_they_can() {
    let report = slow(" # gw502: ignore GW201 -- a ping ##[x]");
    let shown = text(&report);
    assert!(!shown.contains("GW201") && shown.contains(", 1 suppressed\n"), "{shown}");
    assert_eq!((report.suppressed(), report.count(gw502_lint::catalog::Severity::Warning)), (1, 0), "{shown}");
    let mut out = Vec::new();
    github::write(&report, &mut out).unwrap();
    let commands = String::from_utf8(out).unwrap();
    assert!(!commands.contains("GW201") && commands.contains("1 suppressed"), "{commands}");
    let mut out = Vec::new();
    json::write(&report, &mut out).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(document["summary"]["suppressed"], 1);
    let entry = document["findings"].as_array().unwrap().iter().find(|entry| entry["rule"] == "GW201").unwrap();
    assert_eq!(entry["suppressed"]["reason"], "a ping ## [x]");
    assert_eq!((&entry["suppressed"]["by"], &entry["suppressed"]["line"]), (&"comment".into(), &7.into()));
    let mut out = Vec::new();
    sarif::write(&report, &mut out).unwrap();
    let log: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let result = log["runs"][0]["results"].as_array().unwrap().iter().find(|it| it["ruleId"] == "GW201").unwrap();
    assert_eq!(result["suppressions"][0]["kind"], "inSource");
    assert_eq!(result["suppressions"][0]["justification"], "a ping ## [x]");
    let schema = serde_json::from_str(include_str!("sarif-schema-2.1.0.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&log));
}

#[test]
fn half_a_file_is_no_trouble() {
    let comment = " # gw502: ignore-block GW201, GW9 -- x\n # gw502: ignore GW201 -- é\n# gw502: ignore-file\n";
    let nginx =
        format!("events {{}}\nhttp {{ server {{ listen 80;{comment}\n{}\n}} }}\n", SLOW.replace("COMMENT", comment));
    let haproxy = HAPROXY.replace("@1", comment).replace("@4", comment).replace("@5", comment);
    for (text, dialect) in [(nginx, Dialect::Nginx), (haproxy, Dialect::Haproxy)] {
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            let report = lint(&text[..end], dialect);
            assert!(report.findings.iter().all(|finding| finding.primary().site.span.end as usize <= end));
        }
    }
}

#[test]
fn many_comments_are_no_trouble() {
    let mut inside = String::new();
    for at in 0..5_000 {
        inside.push_str(&format!(
            "    location /{at} {{ # gw502: ignore-block GW201 -- x\n proxy_read_timeout 2s; proxy_pass http://10.0.0.1:80;\n }}\n"
        ));
    }
    let report = busy::within(60, "5,000 comments", || nginx(&inside));
    assert_eq!(report.suppressed(), 1_000);
    assert!(text(&report).contains("only the first 1000 comments of a file are followed"));
}
