//! One configuration, several target versions: what the proxy of each version makes of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use gw502_lint::engine::{Report, Settings, Targets, lint};
use gw502_lint::files::{NoRepository, Unit};
use gw502_lint::topology::Dialect;

/// The findings for a target: code, severity, message. An empty target is none.
fn found(dialect: Dialect, text: &str, target: &str) -> Vec<(&'static str, String, String)> {
    let mut targets = Targets::default();
    if !target.is_empty() {
        targets.ask(dialect.key(), target).unwrap();
    }
    let unit = Unit::new("proxy.conf", text.as_bytes().to_vec(), dialect);
    let report: Report = lint(vec![unit], &[], &NoRepository, &Settings { targets, ..Settings::default() });
    let finding = |f: &gw502_lint::finding::Finding| {
        (f.rule.meta().code, format!("{:?}", f.severity).to_lowercase(), f.message.clone())
    };
    report.findings.iter().map(finding).collect()
}

/// The severities of one rule's findings.
fn of(rule: &str, dialect: Dialect, text: &str, target: &str) -> Vec<String> {
    found(dialect, text, target)
        .into_iter()
        .filter(|(code, ..)| *code == rule)
        .map(|(_, severity, _)| severity)
        .collect()
}

fn nginx(rule: &str, text: &str, target: &str) -> Vec<String> {
    of(rule, Dialect::Nginx, text, target)
}

fn haproxy(rule: &str, body: &str, target: &str) -> Vec<String> {
    let head = "global\n    maxconn 1000\ndefaults\n    mode http\n    timeout connect 5s\n    timeout client 30s\n    \
                timeout server 30s\n    timeout queue 30s\n";
    of(rule, Dialect::Haproxy, &format!("{head}{body}"), target)
}

const KEPT: &str = "events {}\nhttp {\n upstream app { keepalive 16; server 10.0.0.5:80; server 10.0.0.6:80; }\n \
                    server { listen 80; location / { proxy_pass http://app; } }\n}\n";

#[test]
fn nginx_keeps_connections_by_itself_from_1_29_7_on() {
    assert_eq!(nginx("GW602", KEPT, ""), ["note"]);
    assert_eq!(nginx("GW602", KEPT, "1.28"), ["note"]);
    assert!(nginx("GW602", KEPT, "1.29.7").is_empty());
    assert!(nginx("GW601", KEPT, "1.28").is_empty());
    assert_eq!(nginx("GW601", KEPT, "1.29.7").len(), 1);
    let silent = KEPT.replace("keepalive 16; ", "");
    assert!(nginx("GW601", &silent, "").is_empty());
    assert!(nginx("GW601", &silent, "1.28").is_empty());
    assert_eq!(nginx("GW601", &silent, "1.30"), ["note"]);
    let words = found(Dialect::Nginx, &silent, "1.30");
    assert!(words.iter().any(|(_, _, message)| message.contains("keeps idle connections")), "{words:?}");
}

#[test]
fn nginx_has_tls_1_3_built_in_from_1_23_4_on() {
    let text = "events {}\nhttp {\n server { listen 443 ssl; ssl_protocols TLSv1.3; ssl_certificate a; \
                ssl_certificate_key b; return 204; }\n server { listen 80; location / { proxy_pass \
                https://127.0.0.1:443; } }\n}\n";
    assert_eq!(nginx("GW406", text, ""), ["warning"]);
    assert_eq!(nginx("GW406", text, "1.22"), ["error"]);
    assert!(nginx("GW406", text, "1.24").is_empty());
}

#[test]
fn haproxy_refuses_junk_behind_a_port_from_3_0_on() {
    let body = "listen app\n    bind :80\n    server s1 10.0.0.5:8080/app check\n";
    let words =
        |target| found(Dialect::Haproxy, body, target).into_iter().find(|(code, ..)| *code == "GW010").unwrap().2;
    assert!(words("").contains("drops `/app`"));
    assert!(words("2.8").contains("drops `/app`"));
    assert!(words("3.0").contains("does not start"));
}

#[test]
fn haproxy_reads_units_of_the_buffer_from_3_2_on() {
    let text = |target| of("GW011", Dialect::Haproxy, "global\n    tune.bufsize 32k\n", target);
    assert_eq!(text("").len(), 1);
    assert_eq!(text("3.0").len(), 1);
    assert!(text("3.2").is_empty());
}

#[test]
fn haproxy_refuses_units_of_the_connections_from_2_8_on() {
    let text = |target| of("GW011", Dialect::Haproxy, "global\n    maxconn 10k\n", target);
    assert_eq!(text("2.6"), ["warning"]);
    let words = |target| found(Dialect::Haproxy, "global\n    maxconn 10k\n", target).remove(0).2;
    assert!(words("2.6").contains("is read as 10"));
    assert!(words("2.8").contains("does not start"));
}

#[test]
fn haproxy_takes_the_server_name_from_the_request_from_3_3_on() {
    let body =
        "listen app\n    bind :80\n    server s1 api.shop.com:443 ssl verify required ca-file @system-ca check\n";
    assert_eq!(haproxy("GW403", body, "").len(), 1);
    assert_eq!(haproxy("GW403", body, "3.2").len(), 1);
    assert!(haproxy("GW403", body, "3.3").is_empty());
    assert_eq!(haproxy("GW403", &body.replace("check", "no-sni-auto check"), "3.3").len(), 1);
}

#[test]
fn haproxy_words_that_changed() {
    let pair = "frontend app\n    bind :80\n    default_backend app\nbackend app\n    server s1 10.0.0.5:80 check\n";
    assert_eq!(haproxy("GW007", pair, ""), ["note"]);
    assert!(haproxy("GW007", pair, "3.2").is_empty());
    assert_eq!(haproxy("GW007", pair, "3.3"), ["error"]);
    let check = "backend app\n    option httpchk GET / HTTP/1.1\\r\\nHost:\\ x\n    server s1 10.0.0.5:80 check\n";
    assert_eq!(haproxy("GW007", check, ""), ["note"]);
    assert!(haproxy("GW007", check, "2.6").is_empty());
    assert_eq!(haproxy("GW007", check, "2.8"), ["error"]);
    let process =
        "frontend web\n    bind :80 process 1\n    default_backend app\nbackend app\n    server s1 10.0.0.5:80\n";
    assert_eq!(haproxy("GW007", process, "2.6"), Vec::<String>::new());
    assert_eq!(haproxy("GW007", process, "2.8"), ["error"]);
    let program = "program agent\n    command agent\n";
    assert_eq!(haproxy("GW007", program, ""), ["note"]);
    assert_eq!(haproxy("GW007", program, "3.3"), ["error"]);
    let traces = "traces\n    trace h1 sink buf1\n";
    assert_eq!(haproxy("GW007", traces, ""), ["note"]);
    assert!(haproxy("GW007", traces, "3.2").is_empty());
    let gone = "frontend web\n    bind :80\n    bind-process 1\n    default_backend app\nbackend app\n    server s1 10.0.0.5:80\n";
    assert_eq!(haproxy("GW007", gone, ""), ["note"]);
    assert_eq!(haproxy("GW007", gone, "2.8"), ["error"]);
    let brief = |target| of("GW007", Dialect::Haproxy, "global\n    no-quic\n", target);
    assert_eq!(brief("2.6"), ["error"]);
    assert!(brief("3.0").is_empty());
    assert_eq!(brief("3.3"), ["error"]);
    assert_eq!(brief(""), ["note"]);
    let late = "listen app\n    bind :80\n    dispatch 10.0.0.5:80\n";
    assert!(haproxy("GW007", late, "3.3").is_empty(), "it goes in 3.5, which is not out");
}
