//! The variables that nginx brings along, and the arguments in which it looks for variables.
//!
//! The table is `nginx_variables.txt`; it is read once, at the first question.

use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Bit of the variables of `http`.
const HTTP: u8 = 1;
/// Bit of the variables of `stream`.
const STREAM: u8 = 2;

struct Table {
    names: HashMap<&'static str, u8, FixedState>,
    /// `arg_`, `http_` …: each stands for all names that begin so.
    beginnings: Vec<(&'static str, u8)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut names = HashMap::with_capacity_and_hasher(300, FixedState::default());
    let lines = include_str!("nginx_variables.txt").lines().filter(|line| !line.starts_with('#'));
    for (name, context) in lines.filter_map(|line| line.split_once(' ')?.1.split_once(' ')) {
        *names.entry(name).or_insert(0) |= if context == "s" { STREAM } else { HTTP };
    }
    let beginnings = names.iter().filter(|(name, _)| name.ends_with('_')).map(|(name, all)| (*name, *all)).collect();
    Table { names, beginnings }
});

/// Whether some module of nginx has this variable, in `stream` or in `http`. Names are in lower case.
#[must_use]
pub fn exists(name: &str, stream: bool) -> bool {
    let wanted = if stream { STREAM } else { HTTP };
    TABLE.names.get(name).is_some_and(|contexts| contexts & wanted != 0)
        || TABLE.beginnings.iter().any(|(start, contexts)| contexts & wanted != 0 && name.starts_with(start))
}

/// The names that a person may have meant, in `stream` or in `http`.
pub fn names(stream: bool) -> impl Iterator<Item = &'static str> {
    let wanted = if stream { STREAM } else { HTTP };
    TABLE.names.iter().filter(move |(_, contexts)| *contexts & wanted != 0).map(|(name, _)| *name)
}

/// Arguments of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// From this one on, the first being 1.
    From(usize),
    /// This one.
    Only(usize),
    /// This one, and the value of `if=`.
    OnlyAndIf(usize),
    /// The last.
    Last,
}

impl Arguments {
    /// Whether an argument is among them: its number from 1, how many there are, and its text.
    #[must_use]
    pub fn hold(self, at: usize, all: usize, text: &str) -> bool {
        match self {
            Self::From(first) => at >= first,
            Self::Only(only) => at == only,
            Self::OnlyAndIf(only) => at == only || text.starts_with("if="),
            Self::Last => at == all,
        }
    }
}

/// The arguments in which a directive looks for variables while it is read, so that nginx refuses to start where one
/// is unknown. Measured with `nginx -t` on 1.22.1; `None`: it takes `$` as it stands, or nothing was measured.
#[must_use]
pub fn expanded(directive: &str) -> Option<Arguments> {
    use Arguments::{From, Last, Only, OnlyAndIf};
    Some(match directive {
        "access_log" => OnlyAndIf(1),
        "error_page" => Last,
        "log_format" | "proxy_cookie_flags" => From(2),
        "expires"
        | "fastcgi_cache_bypass"
        | "fastcgi_no_cache"
        | "index"
        | "proxy_cache_bypass"
        | "proxy_no_cache"
        | "return"
        | "scgi_cache_bypass"
        | "scgi_no_cache"
        | "sub_filter"
        | "try_files"
        | "uwsgi_cache_bypass"
        | "uwsgi_no_cache" => From(1),
        "add_header"
        | "add_trailer"
        | "auth_request_set"
        | "fastcgi_param"
        | "grpc_set_header"
        | "proxy_cookie_domain"
        | "proxy_cookie_path"
        | "proxy_redirect"
        | "proxy_set_header"
        | "rewrite"
        | "scgi_param"
        | "set"
        | "uwsgi_param" => Only(2),
        "alias"
        | "auth_basic"
        | "auth_basic_user_file"
        | "fastcgi_bind"
        | "fastcgi_cache"
        | "fastcgi_cache_key"
        | "fastcgi_pass"
        | "fastcgi_store"
        | "grpc_bind"
        | "grpc_pass"
        | "grpc_ssl_certificate"
        | "grpc_ssl_certificate_key"
        | "grpc_ssl_name"
        | "hash"
        | "limit_conn_zone"
        | "limit_rate"
        | "limit_rate_after"
        | "limit_req_zone"
        | "memcached_bind"
        | "proxy_bind"
        | "proxy_cache"
        | "proxy_cache_key"
        | "proxy_method"
        | "proxy_pass"
        | "proxy_set_body"
        | "proxy_ssl_certificate"
        | "proxy_ssl_certificate_key"
        | "proxy_ssl_name"
        | "proxy_store"
        | "root"
        | "scgi_bind"
        | "scgi_cache"
        | "scgi_cache_key"
        | "scgi_pass"
        | "scgi_store"
        | "secure_link"
        | "secure_link_md5"
        | "ssl_certificate"
        | "ssl_certificate_key"
        | "uwsgi_bind"
        | "uwsgi_cache"
        | "uwsgi_cache_key"
        | "uwsgi_pass"
        | "uwsgi_ssl_certificate"
        | "uwsgi_ssl_certificate_key"
        | "uwsgi_ssl_name"
        | "uwsgi_store" => Only(1),
        _ => return None,
    })
}

/// Whether a module that `load_module` names is one of nginx's own: their variables and directives are known here.
#[must_use]
pub fn own_module(path: &str) -> bool {
    const OWN: [&str; 14] = [
        "ngx_http_acme_module",
        "ngx_http_auth_jwt_module",
        "ngx_http_geoip_module",
        "ngx_http_image_filter_module",
        "ngx_http_js_module",
        "ngx_http_perl_module",
        "ngx_http_xslt_filter_module",
        "ngx_mail_module",
        "ngx_otel_module",
        "ngx_stream_geoip_module",
        "ngx_stream_js_module",
        "ngx_stream_module",
        "ngx_stream_mqtt_preread_module",
        "ngx_stream_ssl_preread_module",
    ];
    let file = path.rsplit('/').next().unwrap_or(path);
    OWN.contains(&file.trim_end_matches(".so").trim_end_matches("-debug"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_sorted() {
        let lines: Vec<_> = include_str!("nginx_variables.txt").lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.len() > 250);
        let mut before = "";
        for line in lines {
            let fields: Vec<_> = line.split(' ').collect();
            let [page, name, context] = fields.as_slice() else { panic!("{line}") };
            assert!(*page == "-" || page.contains(".html#var_"), "{line}");
            assert!(matches!(*context, "h" | "s") && before <= *name, "{line}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{line}");
            before = name;
        }
    }

    #[test]
    fn names_and_beginnings() {
        for known in
            ["host", "arg_page", "http_x_request_id", "upstream_cookie_sid", "geoip_city", "binary_remote_addr"]
        {
            assert!(exists(known, false), "{known}");
        }
        assert!(!exists("remote_adr", false) && !exists("http", false));
        assert!(exists("ssl_preread_server_name", true) && !exists("host", true));
        assert!(names(false).any(|name| name == "request_uri"));
    }

    #[test]
    fn arguments() {
        assert!(expanded("proxy_set_header").is_some_and(|of| of.hold(2, 2, "") && !of.hold(1, 2, "")));
        assert!(expanded("error_page").is_some_and(|of| of.hold(3, 3, "") && !of.hold(1, 3, "")));
        assert!(expanded("access_log").is_some_and(|of| of.hold(3, 3, "if=$x") && !of.hold(2, 3, "main")));
        assert_eq!(expanded("server_name"), None);
        assert!(own_module("modules/ngx_stream_module.so") && !own_module("ngx_http_geoip2_module.so"));
    }
}
