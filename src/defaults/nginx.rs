//! nginx's built-in values, as far as rules need them, each with its place in the manual.
//!
//! Values of the current manual; where an older release differs there is a row of its own. `4k|8k` is one memory page:
//! 4k on x86-64. Versions were read in the command tables and merge functions of the releases named.

use super::DefaultRef;
use super::nginx_directives::version;
use crate::value::Version;

/// The manual: [`DefaultRef::manual`] and [`Directive::page`](super::nginx_directives::Directive::page) are below it.
pub const MANUAL: &str = "https://nginx.org/en/docs/";

/// The oldest release that a distribution still ships (Debian 12 has 1.22.1): what is taken for granted when nobody says
/// more. https://packages.debian.org/bookworm/nginx
pub const OLDEST_SHIPPED: Version = Version(1, 22, 0);

/// One row a value: `NAME "setting" = "value", "page" at "anchor, if not the setting", from "1.2.3", to "1.2.3"`.
macro_rules! defaults {
    ($(
        $name:ident $setting:literal = $value:literal,
        $page:literal $(at $anchor:literal)? $(, from $since:literal)? $(, to $until:literal)?;
    )*) => {
        $(
            #[doc = concat!(
                "Built-in `", $setting, "`: `", $value, "`" $(, ", from ", $since)? $(, ", before ", $until)?, "."
            )]
            pub static $name: DefaultRef = DefaultRef {
                proxy: "nginx",
                setting: $setting,
                value: $value,
                since: defaults!(@version $($since)?),
                until: defaults!(@version $($until)?),
                manual: defaults!(@place $page, $setting $(, $anchor)?),
            };
        )*
        /// All of them. Of values that changed with a version the newest stands first.
        pub static ALL: &[&DefaultRef] = &[$(&$name),*];
    };
    (@place $page:literal, $setting:literal) => { concat!($page, ".html#", $setting) };
    (@place $page:literal, $setting:literal, $anchor:literal) => { concat!($page, ".html#", $anchor) };
    (@version) => { None };
    (@version $version:literal) => { Some($version) };
}

defaults! {
    // proxy
    PROXY_CONNECT_TIMEOUT "proxy_connect_timeout" = "60s", "http/ngx_http_proxy_module";
    PROXY_SEND_TIMEOUT "proxy_send_timeout" = "60s", "http/ngx_http_proxy_module";
    PROXY_READ_TIMEOUT "proxy_read_timeout" = "60s", "http/ngx_http_proxy_module";
    PROXY_BUFFER_SIZE "proxy_buffer_size" = "4k|8k", "http/ngx_http_proxy_module";
    PROXY_BUFFERS "proxy_buffers" = "8 4k|8k", "http/ngx_http_proxy_module";
    PROXY_BUSY_BUFFERS_SIZE "proxy_busy_buffers_size" = "8k|16k", "http/ngx_http_proxy_module";
    PROXY_MAX_TEMP_FILE_SIZE "proxy_max_temp_file_size" = "1024m", "http/ngx_http_proxy_module";
    PROXY_BUFFERING "proxy_buffering" = "on", "http/ngx_http_proxy_module";
    PROXY_REQUEST_BUFFERING "proxy_request_buffering" = "on", "http/ngx_http_proxy_module";
    PROXY_IGNORE_CLIENT_ABORT "proxy_ignore_client_abort" = "off", "http/ngx_http_proxy_module";
    PROXY_NEXT_UPSTREAM "proxy_next_upstream" = "error timeout", "http/ngx_http_proxy_module";
    PROXY_NEXT_UPSTREAM_TRIES "proxy_next_upstream_tries" = "0", "http/ngx_http_proxy_module";
    PROXY_NEXT_UPSTREAM_TIMEOUT "proxy_next_upstream_timeout" = "0", "http/ngx_http_proxy_module";
    PROXY_INTERCEPT_ERRORS "proxy_intercept_errors" = "off", "http/ngx_http_proxy_module";
    PROXY_SOCKET_KEEPALIVE "proxy_socket_keepalive" = "off", "http/ngx_http_proxy_module";
    PROXY_HTTP_VERSION "proxy_http_version" = "1.1", "http/ngx_http_proxy_module", from "1.29.7";
    PROXY_HTTP_VERSION_BEFORE_1_29_7 "proxy_http_version" = "1.0", "http/ngx_http_proxy_module", to "1.29.7";
    PROXY_SSL_SERVER_NAME "proxy_ssl_server_name" = "off", "http/ngx_http_proxy_module";
    PROXY_SSL_VERIFY "proxy_ssl_verify" = "off", "http/ngx_http_proxy_module";
    PROXY_SSL_VERIFY_DEPTH "proxy_ssl_verify_depth" = "1", "http/ngx_http_proxy_module";
    PROXY_SSL_SESSION_REUSE "proxy_ssl_session_reuse" = "on", "http/ngx_http_proxy_module";
    PROXY_SSL_NAME "proxy_ssl_name" = "$proxy_host", "http/ngx_http_proxy_module";
    PROXY_SSL_PROTOCOLS "proxy_ssl_protocols" = "TLSv1.2 TLSv1.3", "http/ngx_http_proxy_module", from "1.27.3";
    PROXY_SSL_PROTOCOLS_BEFORE_1_27_3 "proxy_ssl_protocols" = "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
        "http/ngx_http_proxy_module", from "1.23.4", to "1.27.3";
    PROXY_SSL_PROTOCOLS_BEFORE_1_23_4 "proxy_ssl_protocols" = "TLSv1 TLSv1.1 TLSv1.2",
        "http/ngx_http_proxy_module", from "1.9.1", to "1.23.4";
    // fastcgi
    FASTCGI_CONNECT_TIMEOUT "fastcgi_connect_timeout" = "60s", "http/ngx_http_fastcgi_module";
    FASTCGI_SEND_TIMEOUT "fastcgi_send_timeout" = "60s", "http/ngx_http_fastcgi_module";
    FASTCGI_READ_TIMEOUT "fastcgi_read_timeout" = "60s", "http/ngx_http_fastcgi_module";
    FASTCGI_BUFFER_SIZE "fastcgi_buffer_size" = "4k|8k", "http/ngx_http_fastcgi_module";
    FASTCGI_BUFFERS "fastcgi_buffers" = "8 4k|8k", "http/ngx_http_fastcgi_module";
    FASTCGI_BUSY_BUFFERS_SIZE "fastcgi_busy_buffers_size" = "8k|16k", "http/ngx_http_fastcgi_module";
    FASTCGI_MAX_TEMP_FILE_SIZE "fastcgi_max_temp_file_size" = "1024m", "http/ngx_http_fastcgi_module";
    FASTCGI_BUFFERING "fastcgi_buffering" = "on", "http/ngx_http_fastcgi_module";
    FASTCGI_REQUEST_BUFFERING "fastcgi_request_buffering" = "on", "http/ngx_http_fastcgi_module";
    FASTCGI_IGNORE_CLIENT_ABORT "fastcgi_ignore_client_abort" = "off", "http/ngx_http_fastcgi_module";
    FASTCGI_NEXT_UPSTREAM "fastcgi_next_upstream" = "error timeout", "http/ngx_http_fastcgi_module";
    FASTCGI_NEXT_UPSTREAM_TRIES "fastcgi_next_upstream_tries" = "0", "http/ngx_http_fastcgi_module";
    FASTCGI_NEXT_UPSTREAM_TIMEOUT "fastcgi_next_upstream_timeout" = "0", "http/ngx_http_fastcgi_module";
    FASTCGI_INTERCEPT_ERRORS "fastcgi_intercept_errors" = "off", "http/ngx_http_fastcgi_module";
    FASTCGI_SOCKET_KEEPALIVE "fastcgi_socket_keepalive" = "off", "http/ngx_http_fastcgi_module";
    // uwsgi
    UWSGI_CONNECT_TIMEOUT "uwsgi_connect_timeout" = "60s", "http/ngx_http_uwsgi_module";
    UWSGI_SEND_TIMEOUT "uwsgi_send_timeout" = "60s", "http/ngx_http_uwsgi_module";
    UWSGI_READ_TIMEOUT "uwsgi_read_timeout" = "60s", "http/ngx_http_uwsgi_module";
    UWSGI_BUFFER_SIZE "uwsgi_buffer_size" = "4k|8k", "http/ngx_http_uwsgi_module";
    UWSGI_BUFFERS "uwsgi_buffers" = "8 4k|8k", "http/ngx_http_uwsgi_module";
    UWSGI_BUSY_BUFFERS_SIZE "uwsgi_busy_buffers_size" = "8k|16k", "http/ngx_http_uwsgi_module";
    UWSGI_MAX_TEMP_FILE_SIZE "uwsgi_max_temp_file_size" = "1024m", "http/ngx_http_uwsgi_module";
    UWSGI_BUFFERING "uwsgi_buffering" = "on", "http/ngx_http_uwsgi_module";
    UWSGI_REQUEST_BUFFERING "uwsgi_request_buffering" = "on", "http/ngx_http_uwsgi_module";
    UWSGI_IGNORE_CLIENT_ABORT "uwsgi_ignore_client_abort" = "off", "http/ngx_http_uwsgi_module";
    UWSGI_NEXT_UPSTREAM "uwsgi_next_upstream" = "error timeout", "http/ngx_http_uwsgi_module";
    UWSGI_NEXT_UPSTREAM_TRIES "uwsgi_next_upstream_tries" = "0", "http/ngx_http_uwsgi_module";
    UWSGI_NEXT_UPSTREAM_TIMEOUT "uwsgi_next_upstream_timeout" = "0", "http/ngx_http_uwsgi_module";
    UWSGI_INTERCEPT_ERRORS "uwsgi_intercept_errors" = "off", "http/ngx_http_uwsgi_module";
    UWSGI_SOCKET_KEEPALIVE "uwsgi_socket_keepalive" = "off", "http/ngx_http_uwsgi_module";
    UWSGI_SSL_SERVER_NAME "uwsgi_ssl_server_name" = "off", "http/ngx_http_uwsgi_module";
    UWSGI_SSL_VERIFY "uwsgi_ssl_verify" = "off", "http/ngx_http_uwsgi_module";
    UWSGI_SSL_VERIFY_DEPTH "uwsgi_ssl_verify_depth" = "1", "http/ngx_http_uwsgi_module";
    UWSGI_SSL_SESSION_REUSE "uwsgi_ssl_session_reuse" = "on", "http/ngx_http_uwsgi_module";
    UWSGI_SSL_PROTOCOLS "uwsgi_ssl_protocols" = "TLSv1.2 TLSv1.3", "http/ngx_http_uwsgi_module", from "1.27.3";
    UWSGI_SSL_PROTOCOLS_BEFORE_1_27_3 "uwsgi_ssl_protocols" = "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
        "http/ngx_http_uwsgi_module", from "1.23.4", to "1.27.3";
    UWSGI_SSL_PROTOCOLS_BEFORE_1_23_4 "uwsgi_ssl_protocols" = "TLSv1 TLSv1.1 TLSv1.2",
        "http/ngx_http_uwsgi_module", from "1.9.1", to "1.23.4";
    // scgi
    SCGI_CONNECT_TIMEOUT "scgi_connect_timeout" = "60s", "http/ngx_http_scgi_module";
    SCGI_SEND_TIMEOUT "scgi_send_timeout" = "60s", "http/ngx_http_scgi_module";
    SCGI_READ_TIMEOUT "scgi_read_timeout" = "60s", "http/ngx_http_scgi_module";
    SCGI_BUFFER_SIZE "scgi_buffer_size" = "4k|8k", "http/ngx_http_scgi_module";
    SCGI_BUFFERS "scgi_buffers" = "8 4k|8k", "http/ngx_http_scgi_module";
    SCGI_BUSY_BUFFERS_SIZE "scgi_busy_buffers_size" = "8k|16k", "http/ngx_http_scgi_module";
    SCGI_MAX_TEMP_FILE_SIZE "scgi_max_temp_file_size" = "1024m", "http/ngx_http_scgi_module";
    SCGI_BUFFERING "scgi_buffering" = "on", "http/ngx_http_scgi_module";
    SCGI_REQUEST_BUFFERING "scgi_request_buffering" = "on", "http/ngx_http_scgi_module";
    SCGI_IGNORE_CLIENT_ABORT "scgi_ignore_client_abort" = "off", "http/ngx_http_scgi_module";
    SCGI_NEXT_UPSTREAM "scgi_next_upstream" = "error timeout", "http/ngx_http_scgi_module";
    SCGI_NEXT_UPSTREAM_TRIES "scgi_next_upstream_tries" = "0", "http/ngx_http_scgi_module";
    SCGI_NEXT_UPSTREAM_TIMEOUT "scgi_next_upstream_timeout" = "0", "http/ngx_http_scgi_module";
    SCGI_INTERCEPT_ERRORS "scgi_intercept_errors" = "off", "http/ngx_http_scgi_module";
    SCGI_SOCKET_KEEPALIVE "scgi_socket_keepalive" = "off", "http/ngx_http_scgi_module";
    // grpc
    GRPC_CONNECT_TIMEOUT "grpc_connect_timeout" = "60s", "http/ngx_http_grpc_module";
    GRPC_SEND_TIMEOUT "grpc_send_timeout" = "60s", "http/ngx_http_grpc_module";
    GRPC_READ_TIMEOUT "grpc_read_timeout" = "60s", "http/ngx_http_grpc_module";
    GRPC_BUFFER_SIZE "grpc_buffer_size" = "4k|8k", "http/ngx_http_grpc_module";
    GRPC_NEXT_UPSTREAM "grpc_next_upstream" = "error timeout", "http/ngx_http_grpc_module";
    GRPC_NEXT_UPSTREAM_TRIES "grpc_next_upstream_tries" = "0", "http/ngx_http_grpc_module";
    GRPC_NEXT_UPSTREAM_TIMEOUT "grpc_next_upstream_timeout" = "0", "http/ngx_http_grpc_module";
    GRPC_INTERCEPT_ERRORS "grpc_intercept_errors" = "off", "http/ngx_http_grpc_module";
    GRPC_SOCKET_KEEPALIVE "grpc_socket_keepalive" = "off", "http/ngx_http_grpc_module";
    GRPC_SSL_SERVER_NAME "grpc_ssl_server_name" = "off", "http/ngx_http_grpc_module";
    GRPC_SSL_VERIFY "grpc_ssl_verify" = "off", "http/ngx_http_grpc_module";
    GRPC_SSL_VERIFY_DEPTH "grpc_ssl_verify_depth" = "1", "http/ngx_http_grpc_module";
    GRPC_SSL_SESSION_REUSE "grpc_ssl_session_reuse" = "on", "http/ngx_http_grpc_module";
    GRPC_SSL_PROTOCOLS "grpc_ssl_protocols" = "TLSv1.2 TLSv1.3", "http/ngx_http_grpc_module", from "1.27.3";
    GRPC_SSL_PROTOCOLS_BEFORE_1_27_3 "grpc_ssl_protocols" = "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
        "http/ngx_http_grpc_module", from "1.23.4", to "1.27.3";
    GRPC_SSL_PROTOCOLS_BEFORE_1_23_4 "grpc_ssl_protocols" = "TLSv1 TLSv1.1 TLSv1.2",
        "http/ngx_http_grpc_module", to "1.23.4";
    // memcached
    MEMCACHED_CONNECT_TIMEOUT "memcached_connect_timeout" = "60s", "http/ngx_http_memcached_module";
    MEMCACHED_SEND_TIMEOUT "memcached_send_timeout" = "60s", "http/ngx_http_memcached_module";
    MEMCACHED_READ_TIMEOUT "memcached_read_timeout" = "60s", "http/ngx_http_memcached_module";
    MEMCACHED_BUFFER_SIZE "memcached_buffer_size" = "4k|8k", "http/ngx_http_memcached_module";
    MEMCACHED_NEXT_UPSTREAM "memcached_next_upstream" = "error timeout", "http/ngx_http_memcached_module";
    MEMCACHED_NEXT_UPSTREAM_TRIES "memcached_next_upstream_tries" = "0", "http/ngx_http_memcached_module";
    MEMCACHED_NEXT_UPSTREAM_TIMEOUT "memcached_next_upstream_timeout" = "0", "http/ngx_http_memcached_module";
    MEMCACHED_SOCKET_KEEPALIVE "memcached_socket_keepalive" = "off", "http/ngx_http_memcached_module";
    // groups
    SERVER_WEIGHT "weight" = "1", "http/ngx_http_upstream_module";
    SERVER_MAX_FAILS "max_fails" = "1", "http/ngx_http_upstream_module";
    SERVER_FAIL_TIMEOUT "fail_timeout" = "10s", "http/ngx_http_upstream_module";
    SERVER_MAX_CONNS "max_conns" = "0", "http/ngx_http_upstream_module";
    UPSTREAM_KEEPALIVE "keepalive" = "32 local", "http/ngx_http_upstream_module", from "1.29.7";
    UPSTREAM_KEEPALIVE_BEFORE_1_29_7 "keepalive" = "none", "http/ngx_http_upstream_module", to "1.29.7";
    UPSTREAM_KEEPALIVE_TIMEOUT "keepalive_timeout" = "60s", "http/ngx_http_upstream_module";
    UPSTREAM_KEEPALIVE_TIME "keepalive_time" = "1h", "http/ngx_http_upstream_module";
    UPSTREAM_KEEPALIVE_REQUESTS "keepalive_requests" = "1000", "http/ngx_http_upstream_module", from "1.19.10";
    UPSTREAM_KEEPALIVE_REQUESTS_BEFORE_1_19_10 "keepalive_requests" = "100",
        "http/ngx_http_upstream_module", to "1.19.10";
    KEEPALIVE_REQUESTS "keepalive_requests" = "1000", "http/ngx_http_core_module", from "1.19.10";
    KEEPALIVE_REQUESTS_BEFORE_1_19_10 "keepalive_requests" = "100", "http/ngx_http_core_module", to "1.19.10";
    // client side and core
    KEEPALIVE_TIMEOUT "keepalive_timeout" = "75s", "http/ngx_http_core_module";
    KEEPALIVE_TIME "keepalive_time" = "1h", "http/ngx_http_core_module";
    RESOLVER_TIMEOUT "resolver_timeout" = "30s", "http/ngx_http_core_module";
    CLIENT_MAX_BODY_SIZE "client_max_body_size" = "1m", "http/ngx_http_core_module";
    CLIENT_BODY_TIMEOUT "client_body_timeout" = "60s", "http/ngx_http_core_module";
    CLIENT_HEADER_TIMEOUT "client_header_timeout" = "60s", "http/ngx_http_core_module";
    SEND_TIMEOUT "send_timeout" = "60s", "http/ngx_http_core_module";
    CLIENT_HEADER_BUFFER_SIZE "client_header_buffer_size" = "1k", "http/ngx_http_core_module";
    CLIENT_BODY_BUFFER_SIZE "client_body_buffer_size" = "8k|16k", "http/ngx_http_core_module";
    LARGE_CLIENT_HEADER_BUFFERS "large_client_header_buffers" = "4 8k", "http/ngx_http_core_module";
    LINGERING_TIMEOUT "lingering_timeout" = "5s", "http/ngx_http_core_module";
    WORKER_CONNECTIONS "worker_connections" = "512", "ngx_core_module";
    WORKER_PROCESSES "worker_processes" = "1", "ngx_core_module";
    LISTEN_BACKLOG "backlog" = "511", "http/ngx_http_core_module" at "listen";
    HTTP_PORT "port" = "80", "http/ngx_http_proxy_module" at "proxy_pass";
    HTTPS_PORT "ssl port" = "443", "http/ngx_http_proxy_module" at "proxy_pass";
    UPSTREAM_SERVER_PORT "port" = "80", "http/ngx_http_upstream_module" at "server";
    SSL_PROTOCOLS "ssl_protocols" = "TLSv1.2 TLSv1.3", "http/ngx_http_ssl_module", from "1.27.3";
    SSL_PROTOCOLS_BEFORE_1_27_3 "ssl_protocols" = "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
        "http/ngx_http_ssl_module", from "1.23.4", to "1.27.3";
    SSL_PROTOCOLS_BEFORE_1_23_4 "ssl_protocols" = "TLSv1 TLSv1.1 TLSv1.2",
        "http/ngx_http_ssl_module", from "1.9.1", to "1.23.4";
    // stream
    STREAM_PROXY_CONNECT_TIMEOUT "proxy_connect_timeout" = "60s", "stream/ngx_stream_proxy_module";
    STREAM_PROXY_TIMEOUT "proxy_timeout" = "10m", "stream/ngx_stream_proxy_module";
    STREAM_PROXY_NEXT_UPSTREAM "proxy_next_upstream" = "on", "stream/ngx_stream_proxy_module";
    STREAM_PROXY_NEXT_UPSTREAM_TRIES "proxy_next_upstream_tries" = "0", "stream/ngx_stream_proxy_module";
    STREAM_PROXY_NEXT_UPSTREAM_TIMEOUT "proxy_next_upstream_timeout" = "0", "stream/ngx_stream_proxy_module";
    STREAM_PROXY_BUFFER_SIZE "proxy_buffer_size" = "16k", "stream/ngx_stream_proxy_module";
    STREAM_PROXY_PROTOCOL "proxy_protocol" = "off", "stream/ngx_stream_proxy_module";
    STREAM_PROXY_SSL "proxy_ssl" = "off", "stream/ngx_stream_proxy_module";
    STREAM_PROXY_SSL_SERVER_NAME "proxy_ssl_server_name" = "off", "stream/ngx_stream_proxy_module";
    STREAM_PROXY_SSL_VERIFY "proxy_ssl_verify" = "off", "stream/ngx_stream_proxy_module";
    STREAM_SERVER_WEIGHT "weight" = "1", "stream/ngx_stream_upstream_module";
    STREAM_SERVER_MAX_FAILS "max_fails" = "1", "stream/ngx_stream_upstream_module";
    STREAM_SERVER_FAIL_TIMEOUT "fail_timeout" = "10s", "stream/ngx_stream_upstream_module";
    STREAM_SERVER_MAX_CONNS "max_conns" = "0", "stream/ngx_stream_upstream_module";
}

/// The value that holds in this release; in the newest, when the release is not known. `manual` is the place in the
/// manual, which names the setting beyond doubt: `http/ngx_http_upstream_module.html#keepalive_timeout` is not
/// `http/ngx_http_core_module.html#keepalive_timeout`. (The two ports of `proxy_pass` share a place: use the statics.)
#[must_use]
pub fn default_at(manual: &str, release: Option<Version>) -> Option<&'static DefaultRef> {
    let holds = |default: &DefaultRef| {
        let since = default.since.and_then(version);
        let until = default.until.and_then(version);
        match release {
            Some(release) => since.is_none_or(|since| release >= since) && until.is_none_or(|until| release < until),
            None => until.is_none(),
        }
    };
    ALL.iter().copied().find(|default| default.manual == manual && holds(default))
}

/// Whether the value depends on the release: with an unknown release it then accuses nobody.
#[must_use]
pub fn varies(manual: &str) -> bool {
    ALL.iter().filter(|default| default.manual == manual).count() > 1
}

#[cfg(test)]
mod tests {
    use super::super::nginx_directives::directives;
    use super::*;

    /// The current rows say what the directive table, which was read from the manual independently, says.
    #[test]
    fn current_values_agree_with_the_directive_table() {
        for default in ALL.iter().filter(|default| default.until.is_none()) {
            let Some(directive) = directives(default.setting).iter().find(|known| known.page == default.manual) else {
                // Parameters of `server` and `listen`, schemes of `proxy_pass`: no directives of their own.
                assert!(
                    ["weight", "max_fails", "fail_timeout", "max_conns", "backlog", "port", "ssl port"]
                        .contains(&default.setting),
                    "{default:?}"
                );
                continue;
            };
            assert_eq!(directive.default, Some(default.value), "{default:?}");
            assert_eq!(directive.until, None, "{default:?}");
        }
    }

    #[test]
    fn versions_follow_one_another() {
        for default in ALL {
            let rows: Vec<_> = ALL.iter().filter(|other| other.manual == default.manual).collect();
            for pair in rows.windows(2).filter(|_| default.setting != "port" && default.setting != "ssl port") {
                assert_eq!(pair[0].since, pair[1].until, "newest first, without a gap: {}", default.manual);
            }
            for text in [default.since, default.until].into_iter().flatten() {
                assert!(version(text).is_some(), "{text}");
            }
        }
    }

    #[test]
    fn a_release_decides() {
        let http = "http/ngx_http_proxy_module.html#proxy_http_version";
        assert_eq!(default_at(http, Some(Version(1, 22, 1))).map(|found| found.value), Some("1.0"));
        assert_eq!(default_at(http, Some(Version(1, 29, 7))).map(|found| found.value), Some("1.1"));
        assert_eq!(default_at(http, None).map(|found| found.value), Some("1.1"));
        assert!(varies(http) && !varies("http/ngx_http_proxy_module.html#proxy_read_timeout"));
        let tls = "http/ngx_http_proxy_module.html#proxy_ssl_protocols";
        let at = |minor, patch| default_at(tls, Some(Version(1, minor, patch))).map(|found| found.value);
        assert_eq!(at(22, 1), Some("TLSv1 TLSv1.1 TLSv1.2"));
        assert_eq!(at(23, 4), Some("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"));
        assert_eq!(at(27, 3), Some("TLSv1.2 TLSv1.3"));
        assert_eq!(default_at("nowhere", None), None);
    }
}
