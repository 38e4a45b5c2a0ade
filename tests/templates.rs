//! Templates: branches, loops, defaults within holes. Small inputs, looked at through the report.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use gw502_lint::catalog::Severity;
use gw502_lint::engine::{Report, Settings, lint};
use gw502_lint::files::{Held, NoRepository, Repository, Unit};
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

/// A repository of a few files.
struct Shelf(&'static [(&'static str, &'static str)], &'static [String]);

impl Repository for Shelf {
    fn read(&self, path: &str) -> Held {
        match self.0.iter().find(|(name, _)| *name == path) {
            Some((_, text)) => Held::Bytes(text.as_bytes().to_vec()),
            None => Held::Nothing,
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.0.iter().any(|(name, _)| *name == path || name.starts_with(&format!("{path}/")))
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        let Some((folder, _)) = pattern.split_once('*') else { return Vec::new() };
        let below = |name: &str| name.strip_prefix(folder).is_some_and(|rest| !rest.contains('/'));
        self.0.iter().filter(|(name, _)| below(name)).map(|(name, _)| (*name).to_owned()).collect()
    }

    fn ending_with(&self, _: &str) -> Vec<String> {
        Vec::new()
    }

    fn deployments(&self) -> &[String] {
        self.1
    }
}

fn with(path: &str, text: &str, dialect: Dialect, around: &'static [(&'static str, &'static str)]) -> Report {
    let unit = Unit::new(path, text.as_bytes().to_vec(), dialect);
    lint(vec![unit], &[], &Shelf(around, &[]), &Settings::default())
}

fn assumes(report: &Report, words: &str) -> bool {
    let says = |note: &Note| matches!(note, Note::Assumed(text) if text.contains(words));
    report.findings.iter().any(|finding| finding.notes.iter().any(says))
}

#[test]
fn a_default_within_a_hole_is_judged_and_the_finding_says_so() {
    let text = |value: &str| format!("location /api {{ proxy_pass http://app:80; proxy_read_timeout {value}; }}\n");
    let found_in = |value: &str| found(&nginx(&text(value)), "GW201");
    assert_eq!(found_in("{{ slow | default('5s') }}"), [Severity::Warning]);
    assert_eq!(found_in("{{ slow | default(5) }}s"), [Severity::Warning]);
    assert_eq!(found_in("{{ slow | default('500s') }}"), []);
    assert_eq!(found_in("{{ slow }}"), []);
    assert_eq!(found_in("{{ slow | default(other) }}"), []);
    assert!(assumes(&nginx(&text("{{ slow | default('5s') }}")), "`slow` is left at its default, `5s`"));
    // A target that nginx refuses is an error; one that is refused only while a default stands is none.
    let refused = |port: &str| found(&nginx(&format!("upstream a {{ server app:{port}; }}\n")), "GW010");
    assert_eq!(refused("99999"), [Severity::Error]);
    assert_eq!(refused("{{ port | default(99999) }}"), [Severity::Warning]);
    assert_eq!(refused("{{ port }}"), []);
    let server = |port: &str| {
        let text = format!("backend b\n server a 127.0.0.1:{port} check\nfrontend f\n bind :80\n default_backend b\n");
        haproxy(&text).topology.endpoints.iter().next().unwrap().1.port
    };
    assert_eq!(server("{{ port | default(3000) }}"), server("3000"));
    assert_ne!(server("{{ port }}"), server("3000"));
}

#[test]
fn values_of_a_role_count_where_all_say_the_same() {
    const PATH: &str = "roles/shop/templates/shop.conf.j2";
    const TEXT: &str = "location /api { proxy_pass http://app:80; proxy_read_timeout {{ shop_slow }}; }\n";
    let says = |around| found(&with(PATH, TEXT, Dialect::Nginx, around), "GW201");
    assert_eq!(says(&[("roles/shop/defaults/main.yml", "shop_slow: 5s\n")]), [Severity::Warning]);
    assert_eq!(says(&[("roles/shop/defaults/main.yml", "shop_slow: 500s\n")]), []);
    assert_eq!(
        says(&[("roles/shop/defaults/main.yml", "shop_slow: 5s\n"), ("group_vars/all.yml", "shop_slow: 500s\n")]),
        []
    );
    assert_eq!(
        says(&[("roles/shop/defaults/main.yml", "shop_slow: 5s\n"), ("group_vars/all.yml", "shop_slow: 5s\n")]),
        [Severity::Warning]
    );
    assert_eq!(says(&[("roles/shop/defaults/main.yml", "shop_slow: '{{ other }}'\n")]), []);
    assert_eq!(says(&[]), []);
    let around = &[("roles/shop/defaults/main.yml", "shop_slow: 5s\n")];
    assert!(assumes(&with(PATH, TEXT, Dialect::Nginx, around), "as in roles/shop/defaults/main.yml"));
}

#[test]
fn values_in_the_call_of_terraform_count() {
    const TEXT: &str = "location /api { proxy_pass http://${host.name}:80; proxy_read_timeout ${slow}; }\n";
    let says = |around| found(&with("web/nginx.conf.tftpl", TEXT, Dialect::Nginx, around), "GW201");
    let call =
        "user_data = templatefile(\"${path.module}/nginx.conf.tftpl\", {\n  slow = \"5s\"\n  host = var.host\n})\n";
    assert_eq!(says(Box::leak(Box::new([("web/main.tf", call)]))), [Severity::Warning]);
    assert_eq!(says(&[]), []);
}

/// Lints a chart: all of its templates are manifests.
fn chart(files: &'static [(&'static str, &'static str)]) -> Report {
    let templates = files.iter().filter(|(path, _)| path.contains("/templates/"));
    let paths: Vec<String> = templates.map(|(path, _)| (*path).to_owned()).collect();
    lint(Vec::new(), &[], &Shelf(files, Vec::leak(paths)), &Settings::default())
}

const CONFIG: &str = "{{- if .Values.proxy.enabled }}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include \"c.fullname\" . }}\n  \
                      labels:\n    {{- include \"c.labels\" . | nindent 4 }}\ndata:\n  nginx.conf: |\n    events {}\n    http {\n      \
                      server {\n        listen {{ .Values.port }};\n        location /api {\n          \
                      proxy_pass http://{{ include \"c.fullname\" . }}-api:80;\n          proxy_read_timeout {{ .Values.slow }};\n\
                              }\n      }\n    }\n{{- end }}\n";

#[test]
fn configuration_in_a_chart_is_read_with_the_values_of_the_chart() {
    const SLOW: &[(&str, &str)] = &[
        ("c/Chart.yaml", "name: c\n"),
        ("c/values.yaml", "port: 8080\nslow: 5s\nproxy:\n  enabled: true\n"),
        ("c/templates/config.yaml", CONFIG),
    ];
    assert_eq!(found(&chart(SLOW), "GW201"), [Severity::Warning]);
    assert!(assumes(&chart(SLOW), "as in c/values.yaml"));
    const TWO: &[(&str, &str)] = &[
        ("c/Chart.yaml", "name: c\n"),
        ("c/values.yaml", "slow: 5s\n"),
        ("c/values-prod.yaml", "slow: 500s\n"),
        ("c/templates/config.yaml", CONFIG),
    ];
    assert_eq!(found(&chart(TWO), "GW201"), []);
    // Broken for a reader of YAML, because a tag prints the key.
    const BROKEN: &str = "apiVersion: v1\nkind: ConfigMap\ndata:\n  {{ range .x }}a: [\n  nginx.conf: |\n    server {\n      location /api {\n        \
                          proxy_pass http://app:80;\n        proxy_read_timeout 5s;\n      }\n    }\nother: x\n";
    const HALF: &[(&str, &str)] = &[("c/Chart.yaml", "name: c\n"), ("c/templates/config.yaml", BROKEN)];
    assert_eq!(found(&chart(HALF), "GW201"), [Severity::Warning]);
}

const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ include \"c.fullname\" . }}-api\nspec:\n  ports:\n    \
                       - port: {{ .Values.service.port }}\n      targetPort: http\n";

#[test]
fn names_in_a_chart_are_the_same_where_they_are_written_alike() {
    macro_rules! ingress {
        ($name:literal, $port:literal) => {
            concat!(
                "{{- if .Values.ingress }}\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: x\nspec:\n  rules:\n    \
                 - http:\n        paths:\n          - path: /\n            backend:\n              service:\n                name: ",
                $name, "\n                port:\n                  number: ", $port, "\n{{- end }}\n"
            )
        };
    }
    macro_rules! files {
        ($name:literal, $port:literal) => {{
            const FILES: &[(&str, &str)] = &[
                ("c/Chart.yaml", "name: c\n"),
                ("c/values.yaml", "service:\n  port: 80\n"),
                ("c/templates/service.yaml", SERVICE),
                ("c/templates/ingress.yaml", ingress!($name, $port)),
            ];
            found(&chart(FILES), "GW117")
        }};
    }
    assert_eq!(files!("{{include \"c.fullname\" .}}-api", "80"), []);
    assert_eq!(files!("{{include \"c.fullname\" .}}-api", "{{ .Values.service.port }}"), []);
    assert_eq!(files!("{{include \"c.fullname\" .}}-api", "{{ .Values.other }}"), []);
    // The port of the Service is that of `values.yaml`, and somebody may set another one.
    assert_eq!(files!("{{- include \"c.fullname\" . }}-api", "8080"), [Severity::Warning]);
    // What is called otherwise may be the same, or come from another chart.
    assert_eq!(files!("{{ .Release.Name }}-api", "8080"), []);
    assert_eq!(files!("{{ include \"c.fullname\" . }}-web", "80"), []);
}
