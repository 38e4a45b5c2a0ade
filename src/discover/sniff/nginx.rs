//! Statements by which nginx is told.

/// How far a statement's end is looked for, in bytes.
const STATEMENT: usize = 4 * 1024;

pub(super) enum Statement {
    /// Only nginx says so.
    Clear,
    /// A block that other languages have, too: `server {`.
    Block,
    /// A directive that other languages have, too: `listen 80;`.
    Word,
    /// `a = b`, `a: b`: another language.
    Assignment,
    Unknown,
}

/// Names that begin so are directives of nginx, when a `;` follows.
const PREFIXES: [&str; 31] = [
    "proxy_",
    "fastcgi_",
    "uwsgi_",
    "scgi_",
    "grpc_",
    "memcached_",
    "ssl_",
    "gzip_",
    "client_",
    "keepalive_",
    "limit_",
    "resolver_",
    "worker_",
    "open_file_cache",
    "server_name",
    "lua_",
    "more_",
    "auth_",
    "sub_filter",
    "real_ip_",
    "set_real_ip_from",
    "error_",
    "tcp_no",
    "types_hash_",
    "add_",
    "js_",
    "http2_",
    "access_log",
    "log_format",
    "large_client_header_buffers",
    "modsecurity",
];

/// Directives that no other language has, when a `;` follows.
const DIRECTIVES: [&str; 19] = [
    "try_files",
    "default_type",
    "sendfile",
    "stub_status",
    "set_by_lua",
    "mirror",
    "internal",
    "satisfy",
    "autoindex",
    "expires",
    "postpone_output",
    "underscores_in_headers",
    "ignore_invalid_headers",
    "merge_slashes",
    "port_in_redirect",
    "absolute_redirect",
    "ip_hash",
    "least_conn",
    "load_module",
];

/// Directives whose names other languages use, too.
const WORDS: [&str; 20] = [
    "listen",
    "root",
    "index",
    "return",
    "rewrite",
    "allow",
    "deny",
    "set",
    "include",
    "server",
    "zone",
    "user",
    "pid",
    "gzip",
    "charset",
    "resolver",
    "alias",
    "break",
    "keepalive",
    "hash",
];

/// What begins at `at`, which stands at the start of a line or behind a `;`, `{` or `}`. The line ends at `line_end`.
pub(super) fn nginx_statement(bytes: &[u8], at: usize, line_end: usize) -> Statement {
    let rest = &bytes[at..bytes.len().min(at + STATEMENT)];
    let rest = rest.trim_ascii_start();
    let length = rest
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b';' | b'{' | b'}' | b'#'))
        .unwrap_or(rest.len());
    let (word, rest) = rest.split_at(length);
    let Ok(word) = std::str::from_utf8(word) else { return Statement::Unknown };
    if word.is_empty() {
        return Statement::Unknown;
    }
    if word.contains("_by_lua_block") {
        return Statement::Clear;
    }
    let arguments = rest.trim_ascii_start();
    // `allow ::1;` assigns nothing.
    let colon = arguments.starts_with(b":") && !arguments.starts_with(b"::");
    if word != "location" && (arguments.starts_with(b"=") || colon)
        || word.ends_with([':', '=']) && word.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        return Statement::Assignment;
    }
    let (end, template) = statement_end(rest);
    match (word, end) {
        ("server" | "http" | "events" | "stream" | "mail" | "types", Some(b'{')) if arguments.starts_with(b"{") => {
            Statement::Block
        }
        ("if", Some(b'{')) if arguments.starts_with(b"(") => Statement::Word,
        ("upstream", Some(b'{')) if !arguments.starts_with(b"\"") => Statement::Clear,
        ("location" | "limit_except" | "split_clients", Some(b'{')) => Statement::Clear,
        ("map" | "geo", Some(b'{')) if arguments.starts_with(b"$") => Statement::Clear,
        (_, Some(b'{')) if !template => Statement::Unknown,
        (_, None) if !template => Statement::Unknown,
        _ if PREFIXES.iter().any(|prefix| word.starts_with(prefix)) || DIRECTIVES.contains(&word) => Statement::Clear,
        // Other languages have such words, too, and a `;` some lines below.
        (_, Some(b';')) if WORDS.contains(&word) && memchr::memchr(b';', &bytes[at..line_end]).is_some() => {
            Statement::Word
        }
        _ => Statement::Unknown,
    }
}

/// The `;`, `{` or `}` that ends a statement's words, and whether there is a template's tag before it.
fn statement_end(rest: &[u8]) -> (Option<u8>, bool) {
    let mut template = false;
    let mut at = 0;
    while let Some(found) = memchr::memchr3(b';', b'{', b'}', &rest[at..]).map(|length| at + length) {
        let next = rest.get(found + 1).copied();
        let before = found.checked_sub(1).and_then(|before| rest.get(before)).copied();
        if rest[found] == b'{' && (before == Some(b'$') || matches!(next, Some(b'{' | b'%'))) {
            template = true;
            let Some(close) = memchr::memchr(b'}', &rest[found..]) else { return (None, true) };
            at = found + close + 1;
            if rest.get(at) == Some(&b'}') {
                at += 1;
            }
            continue;
        }
        return (Some(rest[found]), template);
    }
    (None, template)
}
