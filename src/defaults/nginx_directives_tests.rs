use std::collections::HashSet;

use super::*;

#[test]
fn every_line_of_the_table_is_read() {
    let text = include_str!("nginx_directives.txt");
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), all().len());
    assert!(lines.len() > 1000);
    for line in lines {
        let fields: Vec<_> = line.splitn(8, ' ').collect();
        assert!(
            matches!(fields.as_slice(), [_, _, "{" | ";", _, "once" | "many", _, "open" | "plus" | "opened", ..]),
            "{line}"
        );
        let letters = fields[1];
        let known = |letter: char| Contexts::LEGEND.iter().any(|(legend, ..)| char::from(*legend) == letter);
        assert!(letters == "*" || letters.chars().all(known), "{line}");
        for version in fields[5].split("..").filter(|text| !matches!(*text, "" | "-")) {
            assert!(super::version(version).is_some(), "{line}");
        }
    }
}

#[test]
fn names_are_sorted_and_no_module_has_one_twice() {
    assert!(all().is_sorted_by(|a, b| a.name <= b.name));
    let mut seen = HashSet::new();
    for directive in all() {
        assert!(!directive.contexts.is_empty(), "{}", directive.name);
        assert!(seen.insert((directive.name, directive.contexts, directive.page)), "{} twice", directive.name);
        assert!(directive.page.is_empty() || directive.page.ends_with(&format!("#{}", directive.name)));
        assert!(directive.max_args.is_none_or(|max| max >= directive.min_args), "{}", directive.name);
        // Two modules may share a name, but never a context: a configuration that uses it would be ambiguous. The old
        // and the new commercial status module are the exception.
        for other in directives(directive.name).iter().filter(|other| other.page != directive.page) {
            assert!(
                !other.contexts.intersects(directive.contexts) || directive.name == "status_zone",
                "{} of {} and {}",
                directive.name,
                directive.module(),
                other.module()
            );
        }
    }
}

#[test]
fn lookups() {
    let timeout = directive("proxy_read_timeout").unwrap();
    assert_eq!(timeout.contexts, Contexts::HTTP | Contexts::SERVER | Contexts::LOCATION);
    assert_eq!((timeout.min_args, timeout.max_args, timeout.block, timeout.repeats), (1, Some(1), false, false));
    assert_eq!((timeout.default, timeout.commercial), (Some("60s"), false));
    assert_eq!(timeout.page, "http/ngx_http_proxy_module.html#proxy_read_timeout");
    assert_eq!(timeout.module(), "ngx_http_proxy_module");

    assert_eq!(directives("server").len(), 5, "http, its upstream, stream, its upstream, mail");
    assert!(directive("server").unwrap().block);
    let member = directive_in("server", Contexts::UPSTREAM).unwrap();
    assert!(!member.block && member.repeats && member.min_args == 1 && member.max_args.is_none());
    assert_eq!(directive_in("server", Contexts::LOCATION), None);

    assert_eq!(directive("http2").unwrap().since, Some(Version(1, 25, 1)));
    assert_eq!(directive("sticky").unwrap().since, Some(Version(1, 29, 6)));
    assert_eq!(directive("ssl").unwrap().until, Some(Version(1, 25, 0)));
    assert!(directive("queue").unwrap().commercial && directive("health_check").unwrap().commercial);
    assert!(!directive("keepalive").unwrap().commercial);
    assert_eq!(directive("proxy_pas"), None);
    assert_eq!(directive("Proxy_pass"), None, "names are case-sensitive");
    assert_eq!(directive(""), None);
    assert!(directive("log_format").unwrap().takes(5) && !directive("log_format").unwrap().takes(1));
    assert!(directive("location").unwrap().takes(2) && !directive("location").unwrap().takes(3));
}

/// Measured on nginx 1.22.1: a line `NAME a b …;` in each of the 14 kinds of block either is "not allowed here" or is
/// refused for another reason. All 572 names that Debian's build knows agreed with the table; these are a selection.
#[test]
fn contexts() {
    let is = |name: &str, names: &str| {
        let all = directives(name).iter().fold(Contexts::NONE, |set, directive| set | directive.contexts);
        assert_eq!(all.to_string(), names, "{name}");
    };
    is("worker_processes", "main");
    is("worker_connections", "events");
    is("http", "main");
    is("upstream", "http, stream");
    is("map", "http, stream");
    is("location", "server, location");
    is("if", "server, location");
    is("set", "server, location, if in server, if in location, server in stream");
    is("return", "server, location, if in server, if in location, server in stream");
    is("try_files", "server, location");
    is("root", "http, server, location, if in location");
    is("proxy_pass", "location, if in location, limit_except, server in stream");
    is("grpc_pass", "location, if in location");
    is("proxy_set_header", "http, server, location");
    is("proxy_read_timeout", "http, server, location");
    is("proxy_timeout", "stream, server in stream, mail, server in mail");
    is("keepalive", "upstream");
    is("listen", "server, server in stream, server in mail");
    is(
        "resolver",
        "http, server, location, upstream, stream, server in stream, upstream in stream, mail, \
        server in mail, mgmt",
    );
    is("allow", "http, server, location, limit_except, stream, server in stream");
    is("add_header", "http, server, location, if in location");
    is("load_module", "main");
    assert_eq!(directive("include").unwrap().contexts, Contexts::ANY);
}

/// Measured on nginx 1.22.1: the line once passes `nginx -t`, twice it is refused with "is duplicate" (or passes).
/// So were 666 names; for the rest the table follows the setter in the source. Names as the table has them.
#[test]
fn what_repeats_in_the_proxy_family() {
    let repeating = |prefix: &str| {
        let rows = all().iter().filter(|directive| {
            directive.name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))
                && directive.contexts.intersects(Contexts::LOCATION)
                && !directive.commercial
                && directive.repeats
        });
        rows.map(|directive| &directive.name[prefix.len() + 1..]).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        repeating("proxy"),
        "cache_bypass cache_methods cache_use_stale cache_valid cookie_domain cookie_flags cookie_path hide_header \
         ignore_headers next_upstream no_cache pass_header redirect set_header ssl_conf_command ssl_protocols"
    );
    assert_eq!(
        repeating("fastcgi"),
        "cache_bypass cache_methods cache_use_stale cache_valid catch_stderr hide_header ignore_headers next_upstream \
         no_cache param pass_header split_path_info"
    );
    assert_eq!(
        repeating("uwsgi"),
        "cache_bypass cache_methods cache_use_stale cache_valid hide_header ignore_headers modifier next_upstream \
         no_cache param pass_header ssl_conf_command ssl_protocols"
            .replace("modifier ", "")
    );
    assert_eq!(
        repeating("scgi"),
        "cache_bypass cache_methods cache_use_stale cache_valid hide_header ignore_headers next_upstream no_cache \
         param pass_header"
    );
    assert_eq!(
        repeating("grpc"),
        "hide_header ignore_headers next_upstream pass_header set_header ssl_conf_command ssl_protocols"
    );
    assert_eq!(repeating("memcached"), "next_upstream");
}

#[test]
fn lists_repeat_and_values_do_not() {
    for name in [
        "server",
        "listen",
        "server_name",
        "location",
        "upstream",
        "map",
        "include",
        "error_page",
        "access_log",
        "error_log",
        "log_format",
        "add_header",
        "allow",
        "deny",
        "rewrite",
        "set",
        "return",
        "if",
        "limit_req",
        "limit_conn",
        "ssl_certificate",
        "fastcgi_param",
        "types",
        "index",
        "sub_filter",
        "set_real_ip_from",
        "gzip_types",
        "ip_hash",
        "load_module",
    ] {
        assert!(directive(name).unwrap().repeats, "{name}");
    }
    for name in [
        "http",
        "events",
        "stream",
        "root",
        "alias",
        "keepalive",
        "resolver",
        "client_max_body_size",
        "gzip",
        "proxy_pass",
        "proxy_http_version",
        "keepalive_timeout",
        "try_files",
        "worker_processes",
        "worker_connections",
        "pid",
        "expires",
        "sendfile",
        "auth_basic",
        "limit_rate",
        "ssl_ciphers",
        "limit_except",
    ] {
        let mut measured = directives(name).iter().filter(|directive| !directive.commercial);
        assert!(measured.all(|directive| !directive.repeats), "{name}");
    }
}

#[test]
fn other_peoples_modules_are_not_accused() {
    for name in [
        "content_by_lua_block",
        "access_by_lua_file",
        "lua_shared_dict",
        "more_set_headers",
        "echo",
        "brotli_comp_level",
        "vhost_traffic_status_zone",
        "js_content",
        "modsecurity_rules_file",
        "geoip2",
        "check",
        "check_http_send",
        "upload_pass",
        "proxy_cache_purge",
        "subs_filter",
        "auth_ldap_servers",
        "redis2_pass",
        "memc_pass",
        "set_md5",
        "srcache_fetch",
        "array_join",
        "set_form_input",
        "encrypted_session_key",
        "rds_json",
        "drizzle_pass",
        "passenger_enabled",
        "nchan_publisher",
        "rtmp",
        "application",
        "SecRulesEnabled",
        "pagespeed",
        "dav_ext_methods",
        "fancyindex",
        "slowfs_cache",
        "sticky",
        "fair",
        "jaeger_service",
        "opentracing",
        "otel_trace",
        "testcookie",
        "zstd",
        "ajp_pass",
        "modsecurity",
        "auth_pam",
    ] {
        assert!(third_party(name) || directive(name).is_some(), "{name}");
    }
    for name in ["proxy_pas", "sever", "upstrem", "listn", "set_real_ip_form", "ssl_certifcate", "proxy_set_headers"] {
        assert!(!third_party(name) && directive(name).is_none(), "{name}");
    }
}

#[test]
fn near_names() {
    assert_eq!(nearest("proxy_pas"), Some("proxy_pass"));
    assert_eq!(nearest("porxy_pass"), Some("proxy_pass"));
    assert_eq!(nearest("proxy_read_timout"), Some("proxy_read_timeout"));
    assert_eq!(nearest("sever"), Some("server"));
    assert_eq!(nearest("lisetn"), Some("listen"));
    assert_eq!(nearest("upstrem"), Some("upstream"));
    assert_eq!(nearest("Server"), Some("server"));
    assert_eq!(nearest("srvr"), None, "two edits are too many for a short name");
    assert_eq!(nearest("server"), None, "official");
    assert_eq!(nearest("frobnicate"), None);
    assert_eq!(nearest(""), None);
    assert_eq!(nearest(&"proxy_pass".repeat(100_000)), None);
    assert_eq!(nearest("próxy_pass"), Some("proxy_pass"));
}

#[test]
fn blocks_of_data() {
    for name in ["map", "types", "geo", "split_clients", "charset_map", "match"] {
        assert!(data_block(name) && directive(name).unwrap().block, "{name}");
    }
    assert!(!data_block("server") && !data_block("upstream"));
}
