//! Templates: branches, loops, defaults within holes. Small inputs, looked at through the report.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use gw502_lint::catalog::Severity;
use gw502_lint::engine::{Report, Settings, lint};
use gw502_lint::files::{NoRepository, Unit};
use gw502_lint::finding::Note;
use gw502_lint::topology::Dialect;

fn nginx(text: &str) -> Report {
    of(text, Dialect::Nginx)
}

fn haproxy(text: &str) -> Report {
    of(text, Dialect::Haproxy)
}

fn of(text: &str, dialect: Dialect) -> Report {
    let unit = Unit::new("templates/proxy.conf.j2", text.as_bytes().to_vec(), dialect);
    lint(vec![unit], &[], &NoRepository, &Settings::default())
}

/// Codes and severities of what is found, without notes of other rules than the one in question.
fn found(report: &Report, rule: &str) -> Vec<Severity> {
    let of_rule = report.findings.iter().filter(|finding| finding.rule.meta().code == rule);
    of_rule.map(|finding| finding.severity).collect()
}

const SHORT: &str = "location /api { proxy_pass http://app:8000; proxy_read_timeout 5s; }";

#[test]
fn a_fault_in_one_branch_is_a_note_and_says_so() {
    let plain = nginx(&format!("server {{ listen {{{{ port }}}};\n{SHORT}\n}}\n"));
    assert_eq!(found(&plain, "GW201"), [Severity::Warning]);
    let branch = nginx(&format!("server {{\n{{% if slow %}}\n{SHORT}\n{{% endif %}}\n}}\n"));
    assert_eq!(found(&branch, "GW201"), [Severity::Note]);
    let assumed = |note: &Note| matches!(note, Note::Assumed(text) if text.contains("branch"));
    assert!(branch.findings[0].notes.iter().any(assumed), "{:#?}", branch.findings);
    let looped = nginx(&format!("server {{\n{{% for x in y %}}\n{SHORT}\n{{% endfor %}}\n}}\n"));
    assert_eq!(found(&looped, "GW201"), [Severity::Warning]);
}

#[test]
fn a_fault_in_all_branches_keeps_its_weight() {
    let body = |one: &str, other: &str| {
        format!(
            "server {{\nlocation /api {{\nproxy_pass http://app:8000;\n<% if @slow -%>\nproxy_read_timeout {one};\n<% else -%>\n\
             proxy_read_timeout {other};\n<% end -%>\n}}\n}}\n"
        )
    };
    assert_eq!(found(&nginx(&body("5s", "4s")), "GW201"), [Severity::Warning, Severity::Warning]);
    assert_eq!(found(&nginx(&body("5s", "400s")), "GW201"), [Severity::Note]);
    assert_eq!(found(&nginx(&body("400s", "4s")), "GW201"), [Severity::Note]);
    assert_eq!(found(&nginx(&body("400s", "500s")), "GW201"), []);
}

#[test]
fn what_stands_in_exclusive_branches_is_no_duplicate() {
    for (open, middle, close) in [
        ("{% if a %}", "{% else %}", "{% endif %}"),
        ("<% if @a %>", "<% else %>", "<% end %>"),
        ("<% if $a { -%>", "<% } else { -%>", "<% } -%>"),
        ("{{ if .A }}", "{{ else }}", "{{ end }}"),
        ("%{ if a ~}", "%{ else ~}", "%{ endif ~}"),
    ] {
        for gap in ["\n", " "] {
            let text = format!(
                "server {{ listen 80; location /a {{\n{open}{gap}proxy_pass http://a:1;{gap}{middle}{gap}\
                 proxy_pass http://a:2;{gap}{close}\n}} }}\n"
            );
            assert_eq!(found(&nginx(&text), "GW004"), [], "{text}");
        }
        let text = format!(
            "backend b\n{open}\n server a 10.0.0.1:80 check\n{middle}\n server a 10.0.0.2:80 check\n{close}\nbackend c\n"
        );
        assert_eq!(found(&haproxy(&text), "GW004"), [], "{text}");
    }
    let twice = "server { location /a { proxy_pass http://a:1;\n{% if x %}\n{% endif %}\nproxy_pass http://a:2; } }\n";
    assert_eq!(found(&nginx(twice), "GW004"), [Severity::Error]);
    let apart = "server { location /a { proxy_pass http://a:1;\n{% if x %}\nproxy_pass http://a:2;\n{% endif %}\n} }\n";
    assert_eq!(found(&nginx(apart), "GW004"), []);
}

#[test]
fn a_loop_fills_a_group_with_any_number_of_members() {
    for rule in ["GW115", "GW306", "GW307"] {
        for members in ["", "server 10.0.0.1:80;"] {
            let text = format!(
                "upstream a {{\n{{% for x in y %}}\n{members}\nserver {{{{ x }}}}:80 max_fails=1;\n{{% endfor %}}\n}}\n\
                 server {{ listen 80; location / {{ proxy_pass http://a; }} }}\n"
            );
            assert_eq!(found(&nginx(&text), rule), [], "{text}");
        }
    }
}

#[test]
fn what_stands_for_an_empty_loop_is_meant() {
    let text = "upstream a {\n{{range service \"web\"}}server {{.Address}}:{{.Port}};\n{{else}}server 127.0.0.1:65535; \
                # force a 502\n{{end}}\n}\nserver { listen 80; location / { proxy_pass http://a; } }\n";
    assert!(nginx(text).findings.is_empty(), "{:#?}", nginx(text).findings);
    let text = "backend a\n{{range service \"web\"}}\n server {{.Name}} {{.Address}}:{{.Port}} check\n{{else}}\n \
                server none 127.0.0.1:65535\n{{end}}\n";
    assert!(found(&haproxy(text), "GW301").is_empty(), "{:#?}", haproxy(text).findings);
}

#[test]
fn a_block_that_opens_in_each_branch_is_read_branch_by_branch() {
    let text = |one: &str, other: &str| {
        format!(
            "server {{ listen 80;\n{{% if x %}}\nlocation /a {{\n proxy_read_timeout {one};\n{{% else %}}\nlocation /b {{\n \
             proxy_read_timeout {other};\n{{% endif %}}\n proxy_pass http://app:80;\n}}\n}}\n"
        )
    };
    assert_eq!(found(&nginx(&text("300s", "300s")), "GW201"), []);
    assert_eq!(found(&nginx(&text("5s", "300s")), "GW201"), [Severity::Note]);
    assert_eq!(found(&nginx(&text("300s", "5s")), "GW201"), [Severity::Note]);
    assert_eq!(found(&nginx(&text("4s", "5s")), "GW201"), [Severity::Warning, Severity::Warning]);
    let halves = "server { listen 80;\n{% if x %}\nlocation /a {\n{% endif %}\n{% if not x %}\nlocation /b {\n{% endif %}\n \
                  proxy_pass http://app:80; proxy_read_timeout 5s;\n}\n}\n";
    assert_eq!(found(&nginx(halves), "GW201"), [Severity::Note]);
}

#[test]
fn half_a_file_is_read_as_well_as_can_be() {
    let head = "server {\n  listen {{ port }};\n  location /a { proxy_pass http://app:80; proxy_read_timeout 5s; }\n";
    assert_eq!(found(&nginx(head), "GW201"), [Severity::Warning]);
}
