//! Parameters of nginx's directives that came with a release, or that only the commercial edition has; and what to
//! write in place of what a release lacks.
//!
//! Read from the pages named; that 1.22.1 refuses each was measured with `nginx -t`.

use super::nginx_directives::Contexts;
use crate::value::Version;

/// How a parameter is told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    /// It is this word.
    Word(&'static str),
    /// It begins so.
    Begins(&'static str),
    /// It holds a variable.
    Variable,
}

/// Who knows a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Releases from this one on, and before it the commercial edition alone, if that is `true`.
    Since(Version, bool),
    /// Releases before this one.
    Until(Version),
    /// The commercial edition only.
    Commercial,
}

/// A parameter of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    directive: &'static str,
    contexts: Contexts,
    looks: Looks,
    /// Who knows it.
    pub known: Known,
    /// What to write instead.
    pub instead: &'static str,
    /// Its place below [`MANUAL`](super::nginx::MANUAL).
    pub page: &'static str,
}

const HTTP_SERVER: Contexts = Contexts::SERVER;
const STREAM_SERVER: Contexts = Contexts::STREAM_SERVER;
const BOTH_SERVERS: Contexts = Contexts::SERVER.union(Contexts::STREAM_SERVER);
const BOTH_GROUPS: Contexts = Contexts::UPSTREAM.union(Contexts::STREAM_UPSTREAM);

const UPSTREAM: &str = "http/ngx_http_upstream_module.html#server";
const LISTEN: &str = "http/ngx_http_core_module.html#listen";
const STREAM_LISTEN: &str = "stream/ngx_stream_core_module.html#listen";

const LEAVE_OUT: &str = "leave it out";
const NO_RESOLVE: &str = "leave it out and reload nginx when the address moves, or name the host in a variable of \
                          `proxy_pass` and give a `resolver`";
const NO_DENIED: &str = "leave `denied` out";
const ONE_SERVER: &str = "let each server of `stream` have a port of its own";
const NUMBER: &str = "write the rate as a number";

const fn row(
    directive: &'static str,
    contexts: Contexts,
    looks: Looks,
    known: Known,
    instead: &'static str,
    page: &'static str,
) -> Parameter {
    Parameter { directive, contexts, looks, known, instead, page }
}

const fn since(minor: u16, patch: u16) -> Known {
    Known::Since(Version(1, minor, patch), false)
}

const fn opened(minor: u16, patch: u16) -> Known {
    Known::Since(Version(1, minor, patch), true)
}

#[rustfmt::skip]
const PARAMETERS: &[Parameter] = &[
    row("server", BOTH_GROUPS, Looks::Word("resolve"), opened(27, 3), NO_RESOLVE, UPSTREAM),
    row("server", BOTH_GROUPS, Looks::Begins("service="), opened(27, 3), "name the port", UPSTREAM),
    row("server", Contexts::UPSTREAM, Looks::Begins("route="), opened(29, 6), LEAVE_OUT, UPSTREAM),
    row("server", Contexts::UPSTREAM, Looks::Word("drain"), opened(29, 6), "write `down`", UPSTREAM),
    row("server", BOTH_GROUPS, Looks::Begins("slow_start="), Known::Commercial, LEAVE_OUT, UPSTREAM),
    row("keepalive", Contexts::UPSTREAM, Looks::Word("local"), since(29, 7), LEAVE_OUT,
        "http/ngx_http_upstream_module.html#keepalive"),
    row("resolver", Contexts::ANY, Looks::Begins("ipv4="), since(23, 1), LEAVE_OUT,
        "http/ngx_http_core_module.html#resolver"),
    row("resolver", Contexts::ANY, Looks::Begins("status_zone="), Known::Commercial, LEAVE_OUT,
        "http/ngx_http_core_module.html#resolver"),
    row("listen", HTTP_SERVER, Looks::Word("quic"), since(25, 0), "remove the line", LISTEN),
    row("listen", HTTP_SERVER, Looks::Word("spdy"), Known::Until(Version(1, 9, 5)), "write `http2`", LISTEN),
    row("listen", BOTH_SERVERS, Looks::Word("multipath"), since(29, 7), LEAVE_OUT, LISTEN),
    row("listen", STREAM_SERVER, Looks::Word("default_server"), since(25, 5), ONE_SERVER, STREAM_LISTEN),
    row("listen", STREAM_SERVER, Looks::Word("deferred"), since(25, 5), LEAVE_OUT, STREAM_LISTEN),
    row("listen", STREAM_SERVER, Looks::Begins("setfib="), since(25, 5), LEAVE_OUT, STREAM_LISTEN),
    row("listen", STREAM_SERVER, Looks::Begins("accept_filter="), since(25, 5), LEAVE_OUT, STREAM_LISTEN),
    row("proxy_http_version", Contexts::ANY, Looks::Word("2"), since(29, 4), "write `proxy_http_version 1.1;`",
        "http/ngx_http_proxy_module.html#proxy_http_version"),
    row("proxy_next_upstream", Contexts::ANY, Looks::Word("denied"), since(29, 3), NO_DENIED,
        "http/ngx_http_proxy_module.html#proxy_next_upstream"),
    row("fastcgi_next_upstream", Contexts::ANY, Looks::Word("denied"), since(29, 3), NO_DENIED,
        "http/ngx_http_fastcgi_module.html#fastcgi_next_upstream"),
    row("grpc_next_upstream", Contexts::ANY, Looks::Word("denied"), since(29, 3), NO_DENIED,
        "http/ngx_http_grpc_module.html#grpc_next_upstream"),
    row("memcached_next_upstream", Contexts::ANY, Looks::Word("denied"), since(29, 3), NO_DENIED,
        "http/ngx_http_memcached_module.html#memcached_next_upstream"),
    row("scgi_next_upstream", Contexts::ANY, Looks::Word("denied"), since(29, 3), NO_DENIED,
        "http/ngx_http_scgi_module.html#scgi_next_upstream"),
    row("uwsgi_next_upstream", Contexts::ANY, Looks::Word("denied"), since(29, 3), NO_DENIED,
        "http/ngx_http_uwsgi_module.html#uwsgi_next_upstream"),
    row("proxy_limit_rate", Contexts::HTTP.union(HTTP_SERVER).union(Contexts::LOCATION), Looks::Variable, since(27, 0),
        NUMBER, "http/ngx_http_proxy_module.html#proxy_limit_rate"),
    row("fastcgi_limit_rate", Contexts::ANY, Looks::Variable, since(27, 0), NUMBER,
        "http/ngx_http_fastcgi_module.html#fastcgi_limit_rate"),
    row("scgi_limit_rate", Contexts::ANY, Looks::Variable, since(27, 0), NUMBER,
        "http/ngx_http_scgi_module.html#scgi_limit_rate"),
    row("uwsgi_limit_rate", Contexts::ANY, Looks::Variable, since(27, 0), NUMBER,
        "http/ngx_http_uwsgi_module.html#uwsgi_limit_rate"),
];

/// Every directive with its rows, which stand together (a test sees to that).
pub(super) fn by_directive() -> impl Iterator<Item = (&'static str, &'static [Parameter])> {
    PARAMETERS.chunk_by(|a, b| a.directive == b.directive).filter_map(|rows| Some((rows.first()?.directive, rows)))
}

/// What is known of a parameter, among the rows of its directive, in one of these contexts.
#[must_use]
pub fn parameter(rows: &'static [Parameter], contexts: Contexts, word: &str) -> Option<&'static Parameter> {
    rows.iter().find(|row| {
        row.contexts.contains(contexts)
            && match row.looks {
                Looks::Word(known) => known == word,
                Looks::Begins(start) => word.starts_with(start),
                Looks::Variable => word.contains('$'),
            }
    })
}

/// Every row: for tests.
#[must_use]
pub fn parameters() -> &'static [Parameter] {
    PARAMETERS
}

/// What to write in place of a directive that a release or the open-source edition lacks.
#[must_use]
pub fn instead(directive: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(name, _)| *name == directive).map(|&(_, instead)| instead)
}

const INSTEAD: &[(&str, &str)] = &[
    ("add_header_inherit", "repeat the outer `add_header` lines in the inner block"),
    ("add_trailer_inherit", "repeat the outer `add_trailer` lines in the inner block"),
    ("api", "`stub_status` has what the open-source edition counts"),
    ("early_hints", "remove it; the interim answer 103 is not passed on then"),
    (
        "health_check",
        "remove it; without it failures are noticed by `max_fails` and `fail_timeout` of the `server` lines",
    ),
    ("http2", "write `http2` on the `listen` line: `listen 443 ssl http2;`"),
    ("least_time", "write `least_conn;`"),
    ("limit_zone", "write `limit_conn_zone`"),
    ("queue", "remove it; a request that finds no free server is answered at once"),
    ("resolver", "move it out of the group, into `http` or `server`"),
    ("satisfy_any", "write `satisfy any;`"),
    ("ssl", "write `ssl` on the `listen` line: `listen 443 ssl;`"),
    ("status", "write `stub_status;`"),
    ("sticky", "`ip_hash;` or `hash $cookie_NAME consistent;` keeps a client with one server, too"),
];

#[cfg(test)]
mod tests {
    use super::super::nginx_directives::{directive, directive_in};
    use super::super::nginx_names::name;
    use super::*;

    #[test]
    fn rows_are_of_directives_that_stand_there() {
        for row in parameters() {
            let here = row.contexts == Contexts::ANY || directive_in(row.directive, row.contexts).is_some();
            assert!(directive(row.directive).is_some() && here, "{row:?}");
            assert!(row.page.contains(".html#"), "{row:?}");
        }
        for (name, _) in INSTEAD {
            assert!(directive(name).is_some(), "{name}");
        }
    }

    #[test]
    fn a_parameter_is_found_in_its_place_only() {
        let rows = |directive| name(directive).map_or(&[][..], |name| name.parameters);
        let known = |directive, contexts, word| parameter(rows(directive), contexts, word).map(|row| row.known);
        assert_eq!(known("server", Contexts::UPSTREAM, "resolve"), Some(opened(27, 3)));
        assert_eq!(known("server", Contexts::STREAM_UPSTREAM, "slow_start=30s"), Some(Known::Commercial));
        assert_eq!(known("listen", Contexts::SERVER, "default_server"), None);
        assert_eq!(known("listen", Contexts::STREAM_SERVER, "default_server"), Some(since(25, 5)));
        // In a fragment it may be either.
        assert_eq!(known("listen", BOTH_SERVERS, "default_server"), None);
        assert_eq!(known("proxy_limit_rate", Contexts::LOCATION, "$rate"), Some(since(27, 0)));
        assert_eq!(known("proxy_limit_rate", Contexts::LOCATION, "100k"), None);
        assert!(rows("proxy_pass").is_empty());
    }
}
