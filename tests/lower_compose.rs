//! docker compose → topology: which files go together, who runs which proxy file, what names mean there.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use gw502_lint::engine::{Report, Settings, lint};
use gw502_lint::files::{Held, Repository, Unit};
use gw502_lint::topology::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A repository in memory that notes what is read of it.
#[derive(Default)]
struct Shelf {
    files: BTreeMap<String, String>,
    read: RefCell<Vec<String>>,
}

impl Shelf {
    fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { files, read: RefCell::default() }
    }

    /// Lints the nginx and HAProxy files among them, as a walk would.
    fn lint(&self) -> Report {
        let dialect = |path: &str| match path {
            path if path.ends_with(".cfg") => Some(Dialect::Haproxy),
            path if path.ends_with(".conf") => Some(Dialect::Nginx),
            _ => None,
        };
        let units = self
            .files
            .iter()
            .filter_map(|(path, text)| Some(Unit::new(path.as_str(), text.clone().into_bytes(), dialect(path)?)));
        lint(units.collect(), &[], self, &Settings::default())
    }
}

impl Repository for Shelf {
    fn read(&self, path: &str) -> Held {
        self.read.borrow_mut().push(path.to_owned());
        self.files.get(path).map_or(Held::Nothing, |text| Held::Bytes(text.clone().into_bytes()))
    }
    fn exists(&self, path: &str) -> bool {
        self.files.keys().any(|file| file == path || file.starts_with(&format!("{path}/")))
    }
    fn glob(&self, pattern: &str) -> Vec<String> {
        let glob = globset::GlobBuilder::new(pattern).literal_separator(true).build().unwrap().compile_matcher();
        self.files.keys().filter(|file| glob.is_match(file)).cloned().collect()
    }
    fn ending_with(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }
}

const SITE: &str = "server { listen 80; location / { proxy_pass http://app:3000; } }";
const WEB: &str = "  web:\n    image: nginx\n    volumes: [\"./site.conf:/etc/nginx/conf.d/default.conf\"]\n";

fn report(files: &[(&str, &str)]) -> Report {
    Shelf::new(files).lint()
}

/// The services of the last project with a text for each.
fn services(report: &Report, say: impl Fn(&Workload) -> String) -> Vec<String> {
    let project = report.topology.projects.iter().last().map(|(_, project)| project);
    let workloads = project.into_iter().flat_map(|project| &project.workloads);
    workloads
        .map(|&id| {
            let workload = &report.topology.workloads[id];
            format!("{} {}", workload.name, say(workload)).trim_end().to_owned()
        })
        .collect()
}

fn ports(workload: &Workload) -> String {
    let ports: Vec<_> = workload.published.iter().filter_map(|one| Some(one.container.known()?.to_string())).collect();
    ports.join(",")
}

fn leads(report: &Report) -> Vec<Leads> {
    report.topology.outlooks.iter().map(|outlook| outlook.leads).collect()
}

fn placed(report: &Report) -> Vec<String> {
    let t = &report.topology;
    t.placements
        .iter()
        .map(|one| format!("{} {} {:?}", report.sources.file(one.file).path(), t.workloads[one.workload].name, one.how))
        .collect()
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule.meta().code).collect()
}

#[test]
fn files_are_laid_over_each_other() {
    let base = "services:\n  app:\n    image: a\n    ports: [\"1:1\"]\n    expose: [\"7\"]\n    profiles: [x]\n    environment: [A=1, B=1]\n  gone:\n    image: b\n";
    let over = "services:\n  app:\n    ports: [\"2:2\"]\n    expose: !override [\"8\"]\n    profiles: !reset []\n    environment:\n      B: 2\n  gone: !reset null\n  new:\n    image: c\n";
    let report = report(&[("site.conf", SITE), ("compose.yaml", base), ("compose.override.yml", over)]);
    assert_eq!(services(&report, ports), ["app 1,2", "new"]);
    assert_eq!(services(&report, |w| w.profiles.concat()), ["app", "new"]);
    let exposed = |w: &Workload| {
        let claims = w.claims.iter().filter(|claim| claim.weight == Weight::Medium);
        claims.filter_map(|claim| Some(format!("{:?}", claim.at.known()?))).collect::<String>()
    };
    assert_eq!(services(&report, exposed)[0], "app Port(8)");
    assert_eq!(report.topology.projects.iter().count(), 1);
}

#[test]
fn other_overlays_are_guesses() {
    let report = report(&[
        ("site.conf", SITE),
        ("docker-compose.yml", &format!("services:\n{WEB}")),
        ("docker-compose.prod.yml", "services:\n  app:\n    image: a\n"),
    ]);
    let guessed: Vec<bool> = report.topology.projects.iter().map(|(_, project)| project.guessed).collect();
    assert_eq!(guessed, [false, true]);
    assert!(matches!(leads(&report)[..], [Leads::Nobody, Leads::To(_)]), "{:?}", leads(&report));
}

#[test]
fn anchors_variables_includes_and_extends() {
    let files = [
        ("site.conf", SITE),
        (".env", "PORT=5\nDIR=sub\n"),
        (
            "compose.yaml",
            "x-base: &base\n  image: a\n  ports: [\"${PORT}:${PORT}\"]\ninclude:\n  - ${DIR}/compose.yaml\nservices:\n  \
             one:\n    <<: *base\n  two:\n    extends: one\n    ports: [\"6\"]\n  three:\n    extends: {file: sub/base.yml, \
             service: parent}\n  four:\n    extends: {file: nowhere.yml, service: x}\n  five:\n    extends: five\n",
        ),
        ("sub/compose.yaml", "services:\n  inner:\n    image: b\n    ports: [\"${PORT:-7}\", \"${NONE}\"]\n"),
        (
            "sub/base.yml",
            "services:\n  grand:\n    expose: [\"9\"]\n  parent:\n    extends: grand\n    ports: [\"8\"]\n",
        ),
    ];
    let report = report(&files);
    assert_eq!(services(&report, ports), ["inner 7", "one 5", "two 5,6", "three 8", "four", "five"]);
    let (_, project) = report.topology.projects.iter().next().unwrap();
    assert!(project.whole);
    let open = |name: &str| services(&report, |w| w.claims_open.to_string()).contains(&format!("{name} true"));
    assert!(open("four") && open("five") && open("inner"));
}

#[test]
fn a_file_that_is_not_there_leaves_the_project_open() {
    for text in [
        "include: [other.yaml]\nservices:\n",
        "include: [\"${UNKNOWN}\"]\nservices:\n",
        "include: [../up.yaml]\nservices:\n",
    ] {
        let report = report(&[("site.conf", SITE), ("compose.yaml", &format!("{text}{WEB}"))]);
        let (_, project) = report.topology.projects.iter().next().unwrap();
        assert!(!project.whole);
        assert!(leads(&report).is_empty());
    }
}

#[test]
fn who_runs_which_file() {
    let compose = "services:
  mounted:
    image: nginx
    volumes: [\"./folder:/etc/nginx/conf.d:ro\", {type: bind, source: ./one.conf, target: /etc/nginx/nginx.conf}]
  configured:
    image: haproxy
    configs: [{source: lb, target: /usr/local/etc/haproxy/haproxy.cfg}]
  built:
    build: {context: ., dockerfile: docker/Dockerfile, target: final}
  told:
    image: nginx
    command: nginx -c /srv/told.conf
    volumes: [\"./:/srv\"]
  caretaker:
    image: certbot/certbot
    volumes: [\"./folder:/etc/nginx/conf.d\"]
configs:
  lb: {file: ./lb.cfg}
";
    let report = report(&[
        ("compose.yaml", compose),
        (
            "docker/Dockerfile",
            "FROM x AS early\nCOPY told.conf /etc/nginx/conf.d/\nFROM nginx AS final\nCOPY copied.conf /etc/nginx/conf.d\nFROM x\n",
        ),
        ("folder/a.conf", SITE),
        ("one.conf", "events {}\nhttp { include /etc/nginx/conf.d/*.conf; }\n"),
        (
            "lb.cfg",
            "global\n    maxconn 10\nfrontend f\n    bind :80\n    default_backend b\nbackend b\n    server s app:80\n",
        ),
        ("copied.conf", SITE),
        ("told.conf", SITE),
        ("elsewhere.conf", SITE),
    ]);
    assert_eq!(
        placed(&report),
        [
            "copied.conf built Copied",
            "folder/a.conf mounted Mounted",
            "lb.cfg configured Mounted",
            "one.conf mounted Mounted",
            "told.conf told Mounted",
        ]
    );
    // The include leads through the mount: the fragment is read in its main file.
    let proxies: Vec<_> =
        report.topology.proxies.iter().map(|(_, proxy)| report.sources.file(proxy.entry).path()).collect();
    assert_eq!(proxies.iter().filter(|path| **path == "folder/a.conf").count(), 0, "{proxies:?}");
}

#[test]
fn mounted_files_of_any_name_are_read() {
    let compose = "services:\n  web:\n    image: nginx\n    volumes:\n      - ./conf/web:/etc/nginx/conf.d/web.conf\n      - ./tpl:/etc/nginx/templates\n    environment: {HOST: app, PORT: \"3000\"}\n  app:\n    image: a\n    command: gunicorn -b :4000 x\n";
    let report = report(&[
        ("compose.yaml", compose),
        ("dummy.conf", "location / { return 200; }"),
        ("conf/web", SITE),
        ("tpl/b.conf.template", "server { listen 81; location / { proxy_pass http://${HOST}:$PORT; } }"),
    ]);
    assert_eq!(placed(&report), ["conf/web web Mounted", "tpl/b.conf.template web Mounted"]);
    assert_eq!(codes(&report).iter().filter(|code| **code == "GW101").count(), 2, "{:#?}", report.findings);
}

#[test]
fn a_script_writes_the_configuration() {
    let compose = "services:\n  web:\n    build: .\n    environment: [APP=app:3000]\n  app:\n    image: a\n    command: gunicorn -b :4000 x\n";
    let report = report(&[
        ("compose.yaml", compose),
        ("Dockerfile", "FROM nginx\nCOPY start.sh /start.sh\nCOPY in.conf /tmp/in.conf\nENTRYPOINT [\"/start.sh\"]\n"),
        (
            "start.sh",
            "#!/bin/sh\nenvsubst '$APP' < /tmp/in.conf > /etc/nginx/conf.d/default.conf\nexec nginx -g 'daemon off;'\n",
        ),
        ("in.conf", "server { listen 80; location / { proxy_set_header Host $host; proxy_pass http://$APP; } }"),
    ]);
    assert_eq!(placed(&report), ["in.conf web Rendered"]);
    assert!(codes(&report).contains(&"GW101"), "{:#?}", report.findings);
    assert!(!codes(&report).contains(&"GW012"), "{:#?}", report.findings);
}

#[test]
fn an_image_links_the_configuration_to_its_place() {
    let report = report(&[
        ("compose.yaml", "services:\n  web:\n    build: .\n"),
        (
            "Dockerfile",
            "FROM nginx\nCOPY . /app/\nRUN rm -f /etc/nginx/conf.d/default.conf && \\\n    ln -sf /app/deploy/site.conf /etc/nginx/conf.d/\n",
        ),
        ("deploy/site.conf", SITE),
    ]);
    assert_eq!(placed(&report), ["deploy/site.conf web Copied"]);
}

/// What `app` means for a proxy with these lines, beside these services.
fn means(proxy: &str, rest: &str) -> Option<Leads> {
    let compose = format!("services:\n{WEB}{proxy}{rest}");
    leads(&report(&[("site.conf", SITE), ("compose.yaml", &compose)])).first().copied()
}

#[test]
fn what_a_name_means() {
    let app = "  app:\n    image: a\n";
    assert!(matches!(means("", app), Some(Leads::To(_))));
    assert_eq!(means("", ""), Some(Leads::Nobody));
    assert!(matches!(means("    networks: [a]\n", app), Some(Leads::Barred(_, Bar::NoCommonNetwork))));
    assert!(matches!(means("    network_mode: host\n", app), Some(Leads::Barred(_, Bar::OnMachine(_)))));
    assert!(matches!(means("    network_mode: none\n", app), Some(Leads::Barred(_, Bar::NoNetwork(_)))));
    assert!(matches!(means("    network_mode: bridge\n", app), Some(Leads::Barred(_, Bar::OldBridge(_)))));
    assert!(matches!(
        means("", &format!("{app}    network_mode: host\n")),
        Some(Leads::Barred(_, Bar::OtherOnMachine(_)))
    ));
    let vpn = "  vpn:\n    image: v\n";
    assert!(matches!(
        means("", &format!("{vpn}{app}    network_mode: service:vpn\n")),
        Some(Leads::Barred(_, Bar::Shares(..)))
    ));
    // The proxy behind the VPN asks as the VPN does.
    assert!(matches!(means("    network_mode: service:vpn\n", &format!("{vpn}{app}")), Some(Leads::To(_))));
    assert_eq!(means("    network_mode: ${MODE}\n", app), None);
    assert_eq!(means("    extra_hosts: [\"app:10.0.0.1\"]\n", ""), None);
    assert_eq!(means("    extra_hosts: {app: host-gateway}\n", ""), Some(Leads::Machine));
    assert!(matches!(means("    links: [\"other:app\"]\n", "  other:\n    image: o\n"), Some(Leads::To(_))));
    assert_eq!(means("    external_links: [\"other:app\"]\n", ""), None);
    let alias = "  other:\n    image: o\n    networks: {a: {aliases: [app]}, b: {}}\n";
    assert!(matches!(means("    networks: [a]\n", alias), Some(Leads::To(_))));
    assert!(matches!(means("    networks: [b]\n", alias), Some(Leads::Barred(_, Bar::NoCommonNetwork))));
    assert!(matches!(means("", "  other:\n    container_name: app\n"), Some(Leads::To(_))));
    assert!(matches!(means("", "  other:\n    hostname: app\n"), Some(Leads::To(_))));
    assert_eq!(means("    networks: [a]\n", "networks: {a: {external: true}}\n"), None);
}

#[test]
fn chains_without_end_have_one() {
    let around = "  a:\n    image: a\n    network_mode: service:b\n  b:\n    image: b\n    network_mode: service:a\n  app:\n    network_mode: service:app\n";
    assert_eq!(means("    network_mode: service:a\n", around), None);
    let itself = report(&[
        ("site.conf", SITE),
        ("compose.yaml", "include: [compose.yaml]\nservices:\n  a: {extends: b}\n  b: {extends: a}\n"),
    ]);
    assert!(itself.topology.projects.iter().all(|(_, project)| !project.whole));
    let deep: String = (0..300).map(|n| format!("  s{n}: {{extends: s{}}}\n", n + 1)).collect();
    let _ = report(&[("site.conf", SITE), ("compose.yaml", &format!("services:\n{deep}"))]);
}

#[test]
fn what_is_not_yaml_is_told_where_it_stands() {
    let broken = report(&[("web/site.conf", SITE), ("compose.yaml", "services:\n  a: [1\n  b: 2\n")]);
    assert_eq!(codes(&broken), ["GW000"]);
    assert_eq!(broken.sources.file(broken.findings[0].primary().site.span.file).path(), "compose.yaml");
    // Another program makes YAML of it first.
    let template = report(&[("web/site.conf", SITE), ("compose.yaml", "services:\n{% if x %}\n  a: [\n{% endif %}\n")]);
    assert!(codes(&template).is_empty());
    let other = report(&[("site.conf", SITE), ("compose.yaml", "just: yaml\n"), ("docker-compose.yml", "- 1\n")]);
    assert!(codes(&other).is_empty() && other.topology.projects.iter().count() == 0);
}

#[test]
fn other_yaml_files_are_not_touched() {
    let mut shelf = Shelf::new(&[("a/site.conf", SITE), ("a/compose.yaml", "services:\n  app:\n    image: x\n")]);
    for number in 0..5000 {
        shelf.files.insert(format!("a/data/{number}.yaml"), "services: {}\n".into());
    }
    shelf.lint();
    let read = shelf.read.borrow();
    assert_eq!(*read, ["a/.env", "a/compose.yaml"]);
}

#[test]
fn a_sample_stands_in_for_the_environment_of_the_project() {
    let files = |env: &'static str, port: &str| {
        vec![
            ("site.conf".to_owned(), SITE.to_owned()),
            (
                "compose.yaml".to_owned(),
                format!("services:\n{WEB}  app:\n    image: a\n    ports: [\"{port}:9000\"]\n"),
            ),
            (env.to_owned(), "APP_PORT=3000\nEMPTY=\n".to_owned()),
        ]
    };
    let said = |env, port| {
        let files = files(env, port);
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let report = report(&files);
        let found = report.findings.iter().find(|finding| finding.rule.meta().code == "GW102");
        found.map(|finding| (finding.severity, finding.confidence, finding.fix.is_some()))
    };
    use gw502_lint::catalog::{Confidence, Severity};
    assert_eq!(said(".env", "$APP_PORT"), Some((Severity::Error, Confidence::Certain, true)));
    for sample in [".env.example", ".env.sample", ".env.dist"] {
        assert_eq!(said(sample, "$APP_PORT"), Some((Severity::Warning, Confidence::Likely, false)), "{sample}");
    }
    assert_eq!(said(".env.example", "${APP_PORT:-8080}"), None, "the two differ");
    assert_eq!(said(".env.example", "${APP_PORT:-3000}"), Some((Severity::Error, Confidence::Certain, true)));
    assert_eq!(said(".env.example", "${EMPTY}"), None);
    assert_eq!(said("other.env", "$APP_PORT"), None);
}

#[test]
fn commands_and_the_environment_say_which_files_go_together() {
    let base = format!("services:\n{WEB}");
    let over = "services:\n  app:\n    image: a\n";
    let files = |more: &[(&'static str, &'static str)]| {
        let mut files =
            vec![("site.conf", SITE), ("docker-compose.yml", base.as_str()), ("docker-compose.prod.yml", over)];
        files.extend(more);
        let report = report(&files);
        let projects: Vec<_> =
            report.topology.projects.iter().map(|(_, one)| (one.workloads.len(), one.guessed)).collect();
        projects
    };
    assert_eq!(files(&[]), [(1, false), (2, true)]);
    let make = "up:\n\tdocker compose -f docker-compose.yml -f docker-compose.prod.yml up -d\n";
    assert_eq!(files(&[("Makefile", make)]), [(2, false), (1, false)]);
    assert_eq!(files(&[(".github/workflows/ci.yml", make)]), [(2, false), (1, false)]);
    let alone = "docker compose -f docker-compose.prod.yml up -d\n";
    assert_eq!(files(&[("README.md", alone)]), [(1, false), (1, false)]);
    let env = "COMPOSE_FILE=docker-compose.yml:docker-compose.prod.yml\n";
    assert_eq!(files(&[(".env", env)]), [(2, false)], "nothing else is started");
    assert_eq!(files(&[(".env.example", env)]), [(2, true), (1, false)]);
    assert_eq!(files(&[(".env", "COMPOSE_FILE=gone.yml\n")]), [(1, false), (2, true)], "it is not there");
}

#[test]
fn profiles_that_the_environment_switches_on() {
    let compose = format!("services:\n{WEB}  app:\n    image: a\n    profiles: [prod]\n");
    let said = |env| {
        let report = report(&[("site.conf", SITE), ("compose.yaml", &compose), (".env", env)]);
        codes(&report).contains(&"GW106")
    };
    assert!(said(""));
    assert!(said("COMPOSE_PROFILES=other\n"));
    assert!(!said("COMPOSE_PROFILES=other,prod\n"));
}

#[test]
fn files_of_the_first_version() {
    let services =
        "web:\n  image: nginx\n  links: [app]\n  volumes: [\"./site.conf:/etc/nginx/conf.d/default.conf\"]\n";
    let app = "app:\n  image: a\n  command: gunicorn -b 0.0.0.0:8000 x\n";
    let first = report(&[("site.conf", SITE), ("docker-compose.yml", &format!("{services}{app}"))]);
    assert!(matches!(leads(&first)[..], [Leads::To(_)]), "{:?}", leads(&first));
    assert!(codes(&first).contains(&"GW101"));
    // Anything may be on the one network of the machine.
    let alone = report(&[("site.conf", SITE), ("docker-compose.yml", &services.replace("links", "labels"))]);
    assert!(!codes(&alone).contains(&"GW105"));
    for other in ["web: 1\n", "a:\n  image: b\nc:\n  d: e\n"] {
        let other = report(&[("site.conf", SITE), ("docker-compose.yml", other)]);
        assert_eq!(other.topology.projects.iter().count(), 0);
    }
}

#[test]
fn a_compose_file_holds_the_configuration() {
    let text = "services:\n  web:\n    image: nginx\n    configs: [{source: a, target: /etc/nginx/nginx.conf}, {source: b, target: /etc/nginx/conf.d/b.conf}]\n  app:\n    image: a\n    ports: [\"3000:9000\"]\nconfigs:\n  a:\n    content: |\n      events {}\n      http { include /etc/nginx/conf.d/*.conf; }\n  b:\n    content: |\n      server { listen 80; location / { proxy_pass http://app:3000/$$request_uri; } }\n  c:\n    content: |\n      proxy_pass nowhere;\n";
    let shelf = Shelf::new(&[("compose.yaml", text), ("x.conf", "server { listen 80; }")]);
    let report = shelf.lint();
    assert!(codes(&report).contains(&"GW102"), "{:?}", codes(&report));
    assert_eq!(report.files.iter().filter(|(path, _)| path == "compose.yaml").count(), 1);
    let found = report.findings.iter().find(|finding| finding.rule.meta().code == "GW102").unwrap();
    let span = found.primary().site.span;
    let path = report.sources.file(span.file).path();
    assert_eq!((path, &text[span.start as usize..][..15]), ("compose.yaml", "http://app:3000"));
    assert!(found.fix.is_none(), "nothing is written into a text within another file");
}
