//! nginx trees → topology: inheritance, targets, variables, fragments. Small inputs, looked at through the report.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use gw502_lint::engine::{Report, Settings, lint};
use gw502_lint::files::{NoRepository, Unit};
use gw502_lint::topology::*;
use gw502_lint::value::{Address, Host, Wait};
use std::time::Duration;

fn report(files: &[(&str, &str)]) -> Report {
    let units = files.iter().map(|(path, text)| Unit::new(*path, text.as_bytes().to_vec(), Dialect::Nginx)).collect();
    lint(units, &[], &NoRepository, &Settings::default())
}

fn one(text: &str) -> Report {
    report(&[("nginx.conf", text)])
}

fn hop(report: &Report, number: usize) -> &Hop {
    let id = report.topology.hops.ids().nth(number).unwrap_or_else(|| panic!("no hop {number}"));
    &report.topology.hops[id]
}

fn seconds(n: u64) -> Known<Wait> {
    Known::Yes(Wait::For(Duration::from_secs(n)))
}

fn rules(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule.meta().code).collect()
}

#[test]
fn the_innermost_value_wins_wherever_it_stands() {
    let report = one("events {} http { server { listen 81; location /a { proxy_pass http://10.0.0.1:80; } \
         location /b { proxy_pass http://10.0.0.1:80; proxy_read_timeout 90s; } proxy_read_timeout 30s; } \
         proxy_read_timeout 20s; proxy_connect_timeout 7; }");
    assert_eq!(hop(&report, 0).timeouts.read.value, seconds(30));
    assert!(matches!(hop(&report, 0).timeouts.read.origin, Origin::Inherited { scope: Scope::Local, .. }));
    assert_eq!(hop(&report, 1).timeouts.read.value, seconds(90));
    assert!(matches!(hop(&report, 1).timeouts.read.origin, Origin::Written(_)));
    assert_eq!(hop(&report, 0).timeouts.connect.value, seconds(7));
    assert!(matches!(hop(&report, 0).timeouts.connect.origin, Origin::Inherited { scope: Scope::Shared, .. }));
    assert_eq!(hop(&report, 0).timeouts.send.value, seconds(60));
    assert!(matches!(hop(&report, 0).timeouts.send.origin, Origin::Default(_)));
}

#[test]
fn a_fragment_knows_only_what_it_says() {
    let report = report(&[("a.conf", "location /api { proxy_pass http://backend:3000; proxy_read_timeout 50s; }")]);
    let hop = hop(&report, 0);
    assert_eq!(hop.timeouts.read.value, seconds(50));
    assert_eq!(hop.timeouts.connect.value, Known::Unknown(Reason::OutsideRepository));
    assert_eq!(hop.host_sent, HostSent::Unknown);
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
}

#[test]
fn the_classic_pair() {
    let short = report(&[("a.conf", "location /api { proxy_pass http://backend:3000; proxy_read_timeout 5s; }")]);
    assert_eq!(rules(&short), ["GW201"]);
    let long = "location /api { proxy_pass http://backend:3000; proxy_read_timeout 60s; proxy_connect_timeout 10s; \
                proxy_send_timeout 60s; }";
    assert!(report(&[("a.conf", long)]).findings.is_empty());
}

#[test]
fn groups_are_found_in_any_letter_case_and_before_they_are_defined() {
    let report = one(
        "events {} http { server { listen 81; location / { proxy_pass http://APP; } } upstream app { server 10.0.0.1; } }",
    );
    let Target::Pool(pool) = hop(&report, 0).target else { panic!("{:?}", hop(&report, 0).target) };
    let pool = &report.topology.pools[pool];
    assert!(pool.used);
    let member = &report.topology.endpoints[pool.members[0]];
    assert_eq!(member.port, Known::Yes(Port::Always(80)));
}

#[test]
fn headers_of_an_inner_level_drop_the_outer_ones() {
    let report = one("events {} http { proxy_set_header Host $host; server { listen 81; \
         location /a { proxy_pass http://10.0.0.1:80; } \
         location /b { proxy_set_header X-A b; proxy_pass http://10.0.0.1:80; } \
         location /c { proxy_set_header Host api.example.com; proxy_pass http://10.0.0.1:80; } } }");
    assert_eq!(hop(&report, 0).host_sent, HostSent::Clients);
    assert_eq!(hop(&report, 1).host_sent, HostSent::Targets);
    assert_eq!(hop(&report, 2).host_sent, HostSent::Fixed("api.example.com".into()));
}

#[test]
fn includes_are_pasted_into_each_place_that_has_them() {
    let report = report(&[
        ("conf/nginx.conf", "events {} http { upstream app { server 10.0.0.1:80; } include sites/*.conf; }"),
        ("conf/snip.conf", "proxy_pass http://app; proxy_read_timeout 33s;"),
        ("conf/sites/a.conf", "server { listen 81; location / { include snip.conf; } }"),
    ]);
    // The pattern is answered by the repository, of which there is none here: the site is a fragment of its own.
    assert_eq!(report.topology.proxies.len(), 2);
    assert_eq!(hop(&report, 0).timeouts.read.value, seconds(33));
}

#[test]
fn variables_with_constant_values_are_followed() {
    let report =
        one("events {} http { upstream blue { server 10.0.0.1:80; } map $http_x $pool { default green; b blue; } \
         server { listen 81; location /m { proxy_pass http://$pool; } \
         location /s { set $b app.example.test; proxy_pass http://$b:8080; } \
         location /i { set $b 10.0.0.9; proxy_pass http://$b:8080$request_uri; } \
         location /u { proxy_pass http://$arg_x; } } }");
    let computed = |n| match &hop(&report, n).target {
        Target::Computed(target) => target,
        other => panic!("{other:?}"),
    };
    assert_eq!(computed(0).outcomes.len(), 2);
    assert_eq!(computed(0).outcomes[0].is, ComputedKind::HostName);
    assert!(matches!(computed(0).outcomes[1].is, ComputedKind::Pool(_)));
    assert_eq!(computed(1).needs_resolver, Known::Yes(true));
    assert_eq!(computed(1).resolver, Known::Yes(None));
    assert_eq!(computed(2).needs_resolver, Known::Yes(false));
    assert_eq!(computed(3).needs_resolver, Known::Unknown(Reason::Variable));
}

#[test]
fn a_return_beats_the_target_and_the_last_target_wins() {
    let report =
        one("events {} http { server { listen 81; location /a { return 200; proxy_pass http://10.0.0.1:80; } \
         location /b { proxy_pass http://10.0.0.1:80; fastcgi_pass 10.0.0.2:9000; } } }");
    assert_eq!(report.topology.hops.len(), 1);
    assert_eq!(hop(&report, 0).protocol, Protocol::Fastcgi);
}

#[test]
fn one_listener_for_one_address_and_the_default_host_first() {
    let report = one(
        "events {} http { server { listen 443 ssl; server_name a; } server { listen *:443 default_server; server_name b; } \
         server { listen [::]:443 ssl; server_name c; } }",
    );
    assert_eq!(report.topology.listeners.len(), 2);
    let (_, first) = report.topology.listeners.iter().next().expect("a listener");
    assert_eq!(first.tls, Known::Yes(true));
    assert_eq!(first.bind, Known::Yes((Address::Net(Host::Any), Some((443, 443)))));
    let default = first.virtual_hosts[0];
    assert_eq!(&*report.topology.virtual_hosts[default].names[0].0, "b");
}

#[test]
fn what_a_template_fills_in_is_unknown() {
    let report = report(&[(
        "a.conf.j2",
        "server { listen {{ port }}; location / { proxy_pass http://{{ app }}:80; proxy_read_timeout {{ t }}; } }",
    )]);
    assert_eq!(hop(&report, 0).timeouts.read.value, Known::Unknown(Reason::TemplateHole));
    assert!(matches!(hop(&report, 0).target, Target::Unknown(Reason::TemplateHole)));
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
}

#[test]
fn what_a_template_brings_in_from_elsewhere_may_define_anything() {
    let server = |tag: &str| {
        format!(
            "server {{ listen 80; error_page 502 @down;\n  {tag}\n  location / {{ proxy_pass http://10.0.0.1:80; }} }}"
        )
    };
    for tag in [
        "{% include \"down.j2\" %}",
        "{{ extra }}",
        "<%= @extra %>",
        "{{ template \"down\" . }}",
        "{% block x %}{% endblock %}",
    ] {
        let report = one(&server(tag));
        assert!(report.findings.is_empty(), "{tag}: {:#?}", report.findings);
    }
    for tag in ["{% if x %}{% endif %}", "{# down.j2 #}", "{# down\n .j2 { #}"] {
        assert_eq!(rules(&one(&server(tag))), ["GW003"], "{tag}");
    }
}

#[test]
fn a_name_that_a_script_replaces_is_unknown() {
    for (name, value) in [
        ("proxy_read_timeout", "@TIMEOUT@"),
        ("proxy_read_timeout", "__TIMEOUT__"),
        ("proxy_read_timeout", "##TIMEOUT##"),
        ("proxy_read_timeout", "APP_TIMEOUT"),
        ("proxy_buffer_size", "%%SIZE%%"),
        ("proxy_pass", "http://localhost:APP_PORT"),
        ("proxy_pass", "http://@HOST@:@PORT@"),
        ("proxy_pass", "##TARGET##"),
    ] {
        let report = one(&format!("location /x {{\n  {name} {value};\n}}\n"));
        assert!(report.findings.is_empty(), "{name} {value}: {:#?}", report.findings);
    }
    assert_eq!(rules(&one("location / { proxy_read_timeout fast; }")), ["GW001"]);
    let group = |address: &str| rules(&one(&format!("upstream a {{ server {address}; }}")));
    assert!(group("${BACKEND}").is_empty() && group("$APP_HOST:$APP_PORT").is_empty());
    assert_eq!(group("$backend"), ["GW010"]);
}

#[test]
fn a_host_that_is_part_variable_is_a_name() {
    let rules_of = |target: &str, more: &str| {
        rules(&one(&format!(
            "events {{}} http {{ {more} server {{ listen 80; location / {{ proxy_pass http://{target}; }} }} }}"
        )))
    };
    let group = "upstream eu.internal { server 10.0.0.1:80; server 10.0.0.2:80; }";
    assert_eq!(rules_of("$arg_tenant.apps.internal", ""), ["GW107"]);
    assert_eq!(rules_of("app-${arg_tenant}:8080", ""), ["GW107"]);
    assert_eq!(rules_of("$arg_tenant.apps.internal", group), ["GW107"]);
    for (target, more) in [
        ("$arg_tenant.internal", group),
        ("$arg_tenant.apps.internal", "resolver 10.0.0.53;"),
        ("10.0.0.$arg_last", ""),
        ("$arg_tenant", ""),
    ] {
        assert!(!rules_of(target, more).contains(&"GW107"), "{target}");
    }
}

#[test]
fn an_include_cycle_ends() {
    struct Two;
    impl gw502_lint::files::Repository for Two {
        fn read(&self, path: &str) -> gw502_lint::files::Held {
            gw502_lint::files::Held::Bytes(if path == "b" { b"include a;".to_vec() } else { b"include b;".to_vec() })
        }
        fn exists(&self, _: &str) -> bool {
            true
        }
        fn glob(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
        fn ending_with(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
    }
    let unit = Unit::new("nginx.conf", b"events {} http { include a; }".to_vec(), Dialect::Nginx);
    let report = lint(vec![unit], &[], &Two, &Settings::default());
    assert_eq!(rules(&report), ["GW001"]);
}

#[test]
fn what_the_process_may_hold() {
    let limits = |text: &str| {
        let report = one(text);
        let proxy = report.topology.proxies.ids().next().unwrap();
        report.topology.proxies[proxy].limits.as_ref().map(|limits| {
            let value = |setting: &Option<Setting<u64>>| setting.as_ref().map(|setting| setting.value);
            (value(&limits.connections), value(&limits.files))
        })
    };
    let yes = |number| Some(Known::Yes(number));
    assert_eq!(limits("worker_rlimit_nofile 100; events { worker_connections 50; }"), Some((yes(50), yes(100))));
    assert_eq!(limits("worker_rlimit_nofile 100; events { }"), Some((yes(512), yes(100))));
    // What was not read may say more.
    assert_eq!(limits("worker_rlimit_nofile 100; include more.conf; events { }"), Some((None, yes(100))));
    let hole = limits("events { worker_connections {{ connections }}; } http { }");
    assert_eq!(hole, Some((Some(Known::Unknown(Reason::TemplateHole)), None)));
    assert_eq!(limits("events { } http { }"), None);
}

#[test]
fn limits_on_requests_inherit_until_a_level_has_its_own() {
    let found = |http: &str, location: &str| {
        let text = format!(
            "events {{}} http {{ limit_req_zone $binary_remote_addr zone=r:1m rate=5r/s; {http} server {{ listen 81; \
             location / {{ {location} proxy_pass http://10.0.0.1:80; }} }} }}"
        );
        rules(&one(&text)).into_iter().filter(|&code| code == "GW508").count()
    };
    assert_eq!(found("limit_req zone=r;", ""), 1);
    assert_eq!(found("limit_req zone=r;", "limit_req zone=r burst=10;"), 0);
    assert_eq!(found("limit_req zone=r burst=10;", "limit_req zone=r burst=0;"), 1);
    assert_eq!(found("limit_req zone=r; limit_req_dry_run on;", ""), 0);
    assert_eq!(found("limit_req zone={{ zone }};", ""), 0);
    assert_eq!(found("client_max_body_size 1k;", ""), 1);
    assert_eq!(found("client_max_body_size 1k;", "client_max_body_size 2m;"), 0);
    assert_eq!(found("client_header_buffer_size 8k; large_client_header_buffers 4 1k;", ""), 0);
}

#[test]
fn a_limit_whose_zone_is_elsewhere_says_nothing() {
    let location = "location / { limit_req zone=r; proxy_pass http://10.0.0.1:80; }";
    assert!(rules(&report(&[("a.conf", location)])).is_empty());
}

#[test]
fn the_built_in_version_of_http_depends_on_the_release() {
    let text = "events {} http { server { listen 81; location / { proxy_set_header Connection \"\"; \
                proxy_pass http://10.0.0.1:80; } } }";
    let found = |version: Option<&str>| {
        let mut settings = Settings::default();
        if let Some(version) = version {
            settings.targets.ask("nginx", version).expect("a version");
        }
        let units = vec![Unit::new("nginx.conf", text.as_bytes().to_vec(), Dialect::Nginx)];
        rules(&lint(units, &[], &NoRepository, &settings)).contains(&"GW412")
    };
    assert!(found(None) && found(Some("1.28")));
    assert!(!found(Some("1.29.7")) && !found(Some("1.30")));
}

/// What the rules on addresses and paths say of one location.
fn said(location: &str) -> Vec<&'static str> {
    let rules = rules(&one(&format!("events {{}} http {{ server {{ listen 81; {location} }} }}")));
    rules.into_iter().filter(|code| matches!(*code, "GW105" | "GW111" | "GW113" | "GW119" | "GW120")).collect()
}

#[test]
fn addresses_that_cannot_be_used() {
    assert_eq!(said("location / { proxy_bind 192.0.2.1; proxy_pass http://10.0.0.1; }"), ["GW120"]);
    assert_eq!(said("location / { proxy_bind 192.0.2.1:1234; proxy_pass http://10.0.0.1; }"), ["GW120"]);
    assert_eq!(said("location / { proxy_bind 192.0.2.1 transparent; proxy_pass http://10.0.0.1; }"), [""; 0]);
    assert_eq!(said("location / { proxy_bind off; proxy_pass http://10.0.0.1; }"), [""; 0]);
    assert_eq!(said("location / { proxy_pass http://[::]:8080; }"), ["GW120"]);
    assert_eq!(said("location / { proxy_pass http://224.0.0.1:8080; }"), ["GW120"]);
    assert_eq!(said("location / { proxy_pass https://<your host>/; }"), [""; 0], "refused for another reason");
    assert_eq!(said("location / { proxy_pass https://<host>/; }"), ["GW120"]);
    assert_eq!(said("access_log syslog:server=logs.invalid:514,tag=x combined;"), ["GW105"]);
    assert_eq!(said("error_log syslog:server=unix:/dev/log;"), [""; 0]);
    assert_eq!(said("location / { proxy_pass http://@HOST@:8080; }"), [""; 0]);
}

#[test]
fn paths_that_do_not_fit() {
    assert_eq!(said("location /api { proxy_pass http://10.0.0.1/; }"), ["GW119"]);
    assert_eq!(said("location / { proxy_pass http://10.0.0.1/app; }"), ["GW119"]);
    assert_eq!(said("location /api/ { proxy_pass http://10.0.0.1/app/; }"), [""; 0]);
    assert_eq!(said("location /api/ { if ($x) { rewrite ^ /y break; } proxy_pass http://10.0.0.1/app; }"), [""; 0]);
    assert_eq!(said("location ~ a { return 200; } location ~ a { return 201; }"), ["GW119"]);
    assert_eq!(said("location ~ a { return 200; } location ~* a { return 201; }"), [""; 0]);
    assert_eq!(said("location ~ a { location ~ b { } } location ~ b { return 201; }"), [""; 0]);
}

#[test]
fn names_of_this_machine() {
    let with = |listen: &str| {
        let text = format!("location / {{ proxy_pass http://localhost:82; }} }} server {{ {listen} return 200;");
        said(&text)
    };
    assert_eq!(with("listen 82;"), ["GW113"]);
    assert_eq!(with("listen 127.0.0.1:82;"), ["GW113"]);
    assert_eq!(with("listen 82; listen [::]:82;"), [""; 0]);
    assert_eq!(with("listen 10.0.0.1:82;"), [""; 0]);
    assert_eq!(with("listen 83;"), [""; 0]);
    assert_eq!(with("listen 82; listen localhost:82;"), [""; 0]);
}
