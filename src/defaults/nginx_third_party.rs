//! Names of modules that nginx does not ship, so that "unknown directive" is never said of a module that may be there.
//!
//! Prefixes where a module keeps to one, whole names where a prefix would hide misspelt official names.

use std::sync::LazyLock;

/// Endings of OpenResty's and its relatives' code directives (`content_by_lua_block`, `access_by_php`, …).
const CODE: [&str; 12] = [
    "_by_lua",
    "_by_lua_block",
    "_by_lua_file",
    "_by_lua_file_nocache",
    "_by_njs",
    "_by_php",
    "_by_php_block",
    "_by_php_file",
    "_by_python",
    "_by_js",
    "_by_v8",
    "_by_quickjs",
];

/// What begins with one letter.
#[derive(Clone, Default)]
struct Letter {
    names: Vec<&'static str>,
    prefixes: Vec<&'static str>,
}

/// The lists by first letter (all are ASCII): this is asked of many directives.
static BY_LETTER: LazyLock<Vec<Letter>> = LazyLock::new(|| {
    let mut letters = vec![Letter::default(); 128];
    for &name in NAMES {
        letters[usize::from(name.as_bytes()[0])].names.push(name);
    }
    for &prefix in PREFIXES {
        letters[usize::from(prefix.as_bytes()[0])].prefixes.push(prefix);
    }
    letters
});

/// Beginnings of names.
#[rustfmt::skip]
const PREFIXES: &[&str] = &[
    // WAF and bot modules: naxsi, ModSecurity, App Protect, Wallarm, testcookie, open-appsec
    "ModSecurity", "SecRules", "app_protect_", "cp_nano_", "modsecurity", "naxsi", "testcookie", "waf_", "wallarm_",
    // accounts and sign-on
    "auth_digest", "auth_gss", "auth_hmac", "auth_ldap", "auth_pam", "auth_saml", "auth_spnego",
    "auth_totp", "auth_pubtkt", "auth_jwt_", "cas_", "shib_", "phantom_token",
    "auth_cas_", "auth_openidc", "auth_radius", "auth_token", "radius_", "hmac_", "jwt_", "access_control_",
    // OpenResty and the modules around it
    "access_by_", "balancer_", "content_by_", "lua_", "echo_", "more_", "srcache_", "memc_", "redis2_", "redis_",
    "rds_", "drizzle_", "postgres_", "array_", "encrypted_session_", "eval_", "iconv_", "replace_filter", "xss_",
    "coolkit_", "mruby_", "tarantool_", "tnt_", "sphinx2_", "wasm_", "proxy_wasm", "lmdb_", "kong_",
    "push_stream_", "nchan_", "sqlite_", "gridfs", "zmq_",
    // compression and page changes
    "brotli", "unbrotli", "zstd", "unzstd", "pagespeed", "ModPagespeed", "subs_",
    "trim_", "concat_", "footer_", "length_hiding", "small_light_", "webp", "zip_", "unzip_", "fancyindex",
    "markdown_", "sass_",
    // measuring and tracing
    "vhost_traffic_status", "server_traffic_status", "stream_server_traffic_status", "opentelemetry", "opentracing",
    "otel_", "jaeger_", "datadog_", "instana_", "newrelic_", "statsd", "sla_", "accounting_", "prometheus",
    "req_status", "log_zmq", "log_sqlite", "skywalking_", "graphite_", "opencensus_", "zipkin_", "influxdb",
    // groups and balancing: check, dyups, upsync, fair, sticky-ng, jvm_route, tengine
    "check_", "dyups_", "dynamic_upstream", "upsync", "upstream_fair", "upstream_show", "upstream_check_",
    "consistent_", "jvm_route", "session_sticky", "sticky_", "sysguard", "limit_upstream_", "healthcheck_",
    "chash_", "dynamic_", "jdomain", "consul_", "vnswrr", "ketama_",
    // uploads, files, media
    "upload_", "slowfs_", "dav_ext_", "vod_", "rtmp_", "live_", "hls_", "dash_", "cookie_flag", "zip_",
    "selective_cache_purge", "aws_", "secure_token", "f4fhds", "tfs_", "untar_", "azure_", "s3_", "mogilefs_",
    "kafka", "mongo", "nats_", "video_thumbextractor", "image_resize", "srt_",
    "notify_", "exec_", "record_", "pull_", "push_", "play_",
    // address and names
    "geoip2", "ip2location", "ip2proxy", "rdns", "ipscrub", "bot_verifier",
    // application servers in the process
    "passenger_", "rails_", "rack_", "union_station_", "php_", "njs_", "python_", "js_", "perl_", "clojure_",
    "jvm_", "access_handler_", "content_handler_", "rewrite_handler_", "header_filter_", "body_filter_",
    "log_handler_", "init_", "exit_worker_",
    // the rest
    "ajp_", "acme_", "keyval_", "security_headers", "ssl_ct", "ssl_dyn_rec_",
    "sorted_querystring", "sorted_args", "doh_", "limit_speed",
    "limit_traffic_", "dso_", "websocket_", "xquic_",
    "xtoken_", "dynamic_etag", "http_flv_",
    "ntlm_", "xrid_", "uuid4", "ssl_fingerprint",
    "ja3_", "ja4_", "cors_", "cors", "allowmethods",
];

/// Whole names.
#[rustfmt::skip]
const NAMES: &[&str] = &[
    // naxsi
    "BasicRule", "CheckRule", "DeniedUrl", "IgnoreIP", "IgnoreCIDR", "LearningMode", "LibInjectionSql",
    "LibInjectionXss", "MainRule", "SecRulesDisabled", "SecRulesEnabled", "basic_rule", "check_rule", "denied_url",
    "learning_mode", "libinjection_sql", "libinjection_xss", "main_rule", "rules_disabled", "rules_enabled", "waf",
    // set-misc, ndk, form-input, encrypted-session, iconv, array-var
    "set_base32_alphabet", "set_base32_padding", "set_cookie_flag", "set_decode_base32", "set_decode_base64",
    "set_decode_base64url", "set_decode_hex", "set_decrypt_session", "set_encode_base32", "set_encode_base64",
    "set_encode_base64url", "set_encode_hex", "set_encrypt_session", "set_escape_uri", "set_form_input",
    "set_form_input_multi", "set_formatted_gmt_time", "set_formatted_local_time", "set_from_accept_language",
    "set_hashed_upstream", "set_hmac_sha1", "set_hmac_sha256", "set_iconv", "set_if_empty", "set_local_today",
    "set_md5", "set_misc_base32_padding", "set_quote_json_str", "set_quote_pgsql_str", "set_quote_sql_str",
    "set_random", "set_rotate", "set_secure_random_alphanum", "set_secure_random_lcalpha", "set_sha1",
    "set_unescape_uri", "upstream_list", "eval", "let", "override_method",
    // Lua without a prefix
    "echo", "redis_pass",
    // proxy-connect, cache-purge, tengine, Angie and freenginx
    "fastcgi_cache_purge", "proxy_cache_purge", "scgi_cache_purge", "uwsgi_cache_purge", "proxy_connect",
    "proxy_connect_address", "proxy_connect_allow", "proxy_connect_bind", "proxy_connect_data_timeout",
    "proxy_connect_read_timeout", "proxy_connect_response", "proxy_connect_send_timeout",
    "force_exit", "server_info", "server_admin", "server_tag", "expires_by_types", "concat", "footer", "trim",
    "merge_accept_encoding", "user_agent", "reuse_port", "backtrace_log", "debug_pool", "proxy_sysguard",
    "feedback", "client", "probe", "probe_connect_timeout", "upstream_probe", "upstream_probe_timeout",
    "auto_redirect", "error_log_user", "metric", "metric_zone", "metric_complex_zone",
    "docker_endpoint", "docker_max_object_size", "fastcgi_hide_passed_header", "status_zone", "response_time_factor",
    "backup_switch", "proxy_http3_max_concurrent_stream_requests", "proxy_http3_stream_buffer_size",
    // groups
    "check", "fair", "sticky", "jdomain", "jvm_route", "consistent_hash", "upsync", "ntlm", "queue", "health_check",
    "session_sticky", "healthcheck",
    // uploads and files
    "report_uploads", "track_uploads", "uploadprogress", "ajp_pass", "file_in_unzip",
    "file_in_unzip_archivefile", "file_in_unzip_extract", "secure_cookie", "secure_cookie_expires",
    "secure_cookie_md5", "pta_1st_key",
    // RTMP and its blocks
    "ack_window", "application", "allow_recorder", "buffer", "buflen", "busy", "chunk_size", "dash",
    "drop_idle_publisher",
    "exec", "hls", "idle_streams", "interleave", "live", "max_connections", "max_message", "max_streams", "meta",
    "name", "netcall_buffer", "netcall_timeout", "out_cork", "out_queue", "ping", "ping_timeout", "play", "publish",
    "publish_notify", "publish_time_fix", "pull", "push", "record", "recorder", "relay_buffer", "respawn",
    "respawn_timeout", "rtmp", "session_relay", "so_keepalive", "stream_buckets", "sync", "timeout", "wait_key",
    "wait_video", "gop_cache",
    "on_connect", "on_disconnect", "on_play", "on_play_done", "on_publish", "on_publish_done", "on_record_done",
    "on_done", "on_update",
    // LDAP, shibboleth and others that open a block or stand alone
    "ldap_server", "url", "binddn", "binddn_passwd", "group_attribute", "group_attribute_is_dn", "require",
    "shib_request", "cookie_flag", "execute", "rdns",
    "selective_cache_purge_query", "sla_pool", "delay", "websockify_pass", "websockify_buffer_size",
    "limit_speed_zone", "dso", "tcp",
];

/// Whether one of these modules uses the name.
pub(super) fn knows(name: &str) -> bool {
    let Some(&first) = name.as_bytes().first() else { return false };
    let Some(letter) = BY_LETTER.get(usize::from(first)) else { return false };
    letter.names.contains(&name)
        || letter.prefixes.iter().any(|prefix| name.starts_with(prefix))
        || name.contains("_by_") && CODE.iter().any(|ending| name.ends_with(ending))
}
