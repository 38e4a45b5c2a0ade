//! What a file is: by its name, its folder, and a look at its content. Cheap, and rather no than a wrong yes: `.conf`
//! and `.cfg` are the endings of half the world.

use super::name_of;
use crate::topology::Dialect;

/// What is known of a file before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// The user said so.
    Said(Dialect),
    /// Its name is the one that the proxy itself looks for. Only another format's unmistakable signs speak against it.
    Sure(Dialect),
    /// Its name or folder makes it likely: weak signs in the content are enough.
    Likely(Dialect),
    /// It may be anything; the content must prove it.
    Maybe,
}

/// What the content looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Unmistakably this dialect.
    Clear(Dialect),
    /// Nothing speaks against it, and words that other formats use, too, speak for it.
    Weak(Dialect),
    /// Another format.
    Other,
    /// Nothing but blanks and comments.
    Empty,
    /// No sign of anything.
    Nothing,
}

impl Promise {
    /// Decides, now that the content (or the head of it) is there. A file that the user named needs less.
    pub fn settle(self, bytes: &[u8], named: bool) -> Option<Dialect> {
        match self {
            Self::Said(dialect) => Some(dialect),
            Self::Sure(dialect) => match look(bytes) {
                Look::Clear(seen) => Some(seen),
                Look::Other if !named => None,
                _ => Some(dialect),
            },
            Self::Likely(dialect) => match look(bytes) {
                Look::Clear(seen) | Look::Weak(seen) => Some(seen),
                Look::Empty => Some(dialect),
                Look::Other | Look::Nothing => None,
            },
            Self::Maybe => match look(bytes) {
                Look::Clear(seen) => Some(seen),
                Look::Weak(seen) if named => Some(seen),
                Look::Empty if named => Some(Dialect::Nginx),
                _ => None,
            },
        }
    }
}

/// Endings that templates and samples add to a file's name.
const TEMPLATE_ENDINGS: [&str; 18] = [
    ".j2",
    ".jinja",
    ".jinja2",
    ".template",
    ".templ",
    ".tmpl",
    ".tpl",
    ".tpl.sh",
    ".erb",
    ".epp",
    ".ctmpl",
    ".gotmpl",
    ".mustache",
    ".hbs",
    ".in",
    ".dist",
    ".sample",
    ".example",
];

/// Endings of files that are surely something else, wherever they lie. Sorted.
const OTHER_ENDINGS: [&str; 63] = [
    "bash",
    "bat",
    "bin",
    "c",
    "cer",
    "cnf",
    "cpp",
    "cron",
    "crt",
    "csr",
    "css",
    "csv",
    "der",
    "diff",
    "dockerfile",
    "eot",
    "err",
    "gif",
    "go",
    "gz",
    "h",
    "htm",
    "html",
    "ico",
    "ini",
    "java",
    "jpeg",
    "jpg",
    "js",
    "json",
    "key",
    "less",
    "log",
    "lua",
    "map",
    "md",
    "patch",
    "pem",
    "php",
    "pl",
    "png",
    "pp",
    "pub",
    "py",
    "rb",
    "rs",
    "rst",
    "scss",
    "service",
    "sh",
    "sql",
    "svg",
    "tar",
    "tf",
    "toml",
    "ts",
    "txt",
    "vcl",
    "xml",
    "yaml",
    "yml",
    "zip",
    "zsh",
];

/// Names that begin so are surely something else.
const OTHER_BEGINNINGS: [&str; 4] = ["dockerfile.", "dockerfile-", "containerfile", "makefile."];

/// Names of files that lie in any folder.
const OTHER_NAMES: [&str; 14] = [
    "dockerfile",
    "makefile",
    "readme",
    "license",
    "copying",
    "changelog",
    "authors",
    "vagrantfile",
    "jenkinsfile",
    "gemfile",
    "procfile",
    "rakefile",
    "caddyfile",
    "setup.cfg",
];

/// Folders that nginx reads as a whole by convention.
const NGINX_FOLDERS: [&str; 9] = [
    "sites-enabled",
    "sites-available",
    "conf.d",
    "snippets",
    "nginx",
    "vhosts",
    "vhosts.d",
    "streams-enabled",
    "servers",
];

/// What a path says. `None` when it is not worth reading.
pub fn by_name(path: &str) -> Option<Promise> {
    let whole = name_of(path).to_ascii_lowercase();
    let mut name = &*whole;
    // Dotfiles are a shell's or an editor's; `Dockerfile.plus` is a Dockerfile.
    if name.starts_with(['.', '#']) || OTHER_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
        return None;
    }
    let mut template = false;
    for _ in 0..2 {
        let last = name.rsplit_once('.').map_or("", |(_, last)| last);
        if !TEMPLATE_ENDINGS.iter().any(|ending| ending.ends_with(last)) {
            break;
        }
        for ending in TEMPLATE_ENDINGS {
            if let Some(stem) = name.strip_suffix(ending).filter(|stem| !stem.is_empty()) {
                name = stem;
                template = true;
            }
        }
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if OTHER_NAMES.contains(&name) || OTHER_ENDINGS.binary_search(&ending).is_ok() {
        return None;
    }
    match name {
        "nginx.conf" => return Some(Promise::Sure(Dialect::Nginx)),
        "haproxy.cfg" => return Some(Promise::Sure(Dialect::Haproxy)),
        _ => {}
    }
    let folders = crate::files::folder(path).to_ascii_lowercase();
    let nginx_folder = folders.split('/').any(|part| NGINX_FOLDERS.contains(&part) || part.contains("nginx"));
    let haproxy_folder = folders.split('/').any(|part| part.contains("haproxy"));
    let conf = matches!(ending, "conf" | "config" | "cfg" | "vhost" | "nginx" | "ngx" | "inc" | "haproxy");
    if (name.contains("haproxy") || haproxy_folder) && (conf || template) {
        return Some(Promise::Likely(Dialect::Haproxy));
    }
    if name.contains("nginx") && (conf || template || ending.is_empty()) || nginx_folder {
        return Some(Promise::Likely(Dialect::Nginx));
    }
    (conf && ending != "config" || template && ending.is_empty()).then_some(Promise::Maybe)
}

/// How far a look goes, in bytes.
const FAR: usize = 256 * 1024;

/// How far a statement's end is looked for, in bytes.
const STATEMENT: usize = 4 * 1024;

/// Looks at a text until something is clear.
pub fn look(bytes: &[u8]) -> Look {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.get(..FAR).unwrap_or(bytes);
    if bytes.starts_with(b"#!") {
        return Look::Other;
    }
    let (mut words, mut blocks, mut empty) = (0_u32, 0_u32, true);
    // How many lines there are, and how many of them end as lines of nginx do.
    let (mut lines, mut ended) = (0_u32, 0_u32);
    let mut section = false;
    let mut note_closes = true;
    let mut start = 0;
    while start < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
        let line = bytes[start..end].trim_ascii();
        let line_start = start + (bytes[start..end].len() - bytes[start..end].trim_ascii_start().len());
        start = end + 1;
        if let Some(close) = note_close(line).filter(|_| note_closes) {
            match memchr::memmem::find(&bytes[line_start..], close) {
                Some(length) if line_start + length > end => {
                    // Behind a note that spans lines, reading goes on with the next line.
                    let at = line_start + length;
                    start = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |rest| at + rest + 1);
                    continue;
                }
                Some(_) => {}
                None => note_closes = false,
            }
        }
        if line.is_empty() || line.starts_with(b"#") || is_tag(line) {
            continue;
        }
        empty = false;
        let line = without_comment(line);
        if is_other(line) {
            return Look::Other;
        }
        lines += 1;
        ended += u32::from(line.ends_with(b";") || line.ends_with(b"{") || line.ends_with(b"}"));
        // Inside a block of nginx, `listen 80` is no section.
        match haproxy_line(line) {
            _ if blocks > 0 => {}
            HaproxyLine::Section if section => return Look::Clear(Dialect::Haproxy),
            HaproxyLine::Section => {
                section = true;
                continue;
            }
            HaproxyLine::Keyword if section => return Look::Clear(Dialect::Haproxy),
            _ => section = false,
        }
        // Statements of nginx: at the start of the line, and behind each `;`, `{` and `}` in it.
        let mut at = line_start;
        while at < end {
            match nginx_statement(bytes, at, end) {
                Statement::Clear => return Look::Clear(Dialect::Nginx),
                Statement::Block => blocks += 1,
                Statement::Word => words += 1,
                Statement::Assignment => return Look::Other,
                Statement::Unknown => {}
            }
            if blocks > 0 && words > 0 {
                return Look::Clear(Dialect::Nginx);
            }
            at = memchr::memchr3(b';', b'{', b'}', &bytes[at..end]).map_or(end, |length| at + length + 1);
        }
    }
    if blocks > 1 {
        Look::Clear(Dialect::Nginx)
    } else if section {
        Look::Weak(Dialect::Haproxy)
    } else if blocks + words > 0 && ended * 2 >= lines {
        Look::Weak(Dialect::Nginx)
    } else if empty {
        Look::Empty
    } else {
        Look::Nothing
    }
}

/// What ends the template's own comment, or code, that a line begins with: it may span lines.
fn note_close(line: &[u8]) -> Option<&'static [u8]> {
    if line.starts_with(b"{#") {
        return Some(b"#}");
    }
    if line.starts_with(b"<%") && memchr::memmem::find(line, b"%>").is_none() {
        return Some(b"%>");
    }
    let inside = line.strip_prefix(b"{{")?;
    let inside = inside.strip_prefix(b"-").unwrap_or(inside).trim_ascii_start();
    if inside.starts_with(b"/*") { Some(b"*/") } else { inside.starts_with(b"!--").then_some(b"--") }
}

/// Whether a line is a template's alone.
fn is_tag(line: &[u8]) -> bool {
    line.starts_with(b"{%")
        || line.starts_with(b"{#")
        || line.starts_with(b"{{") && line.ends_with(b"}}")
        || line.starts_with(b"<%") && line.ends_with(b"%>")
}

/// A line without the comment at its end.
fn without_comment(line: &[u8]) -> &[u8] {
    let comment = memchr::memchr_iter(b'#', line).find(|at| {
        at.checked_sub(1).and_then(|before| line.get(before)).is_some_and(|b| b.is_ascii_whitespace() || *b == b';')
    });
    comment.and_then(|at| line.get(..at)).unwrap_or(line).trim_ascii_end()
}

/// A line that neither nginx nor HAProxy has: what only a shell says; `[section]` of ini files, systemd, php-fpm and supervisord; `<Tag>` of
/// Apache and XML; Apache's `ServerName x` without `;`; the first words of monit and logrotate.
fn is_other(line: &[u8]) -> bool {
    if let Some(inner) = line.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
        return !inner.is_empty() && inner.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    }
    if matches!(line, b"fi" | b"done" | b"esac" | b"then" | b";;")
        || line.ends_with(b"; then")
        || line.ends_with(b"; do")
        || line.starts_with(b"export ") && memchr::memchr(b'=', line).is_some()
        || line.starts_with(b"alias ") && memchr::memchr(b'=', line).is_some() && !line.ends_with(b";")
    {
        return true;
    }
    if let Some(rest) = line.strip_prefix(b"<") {
        return rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'?' | b'!' | b'/'));
    }
    const APACHE: [&[u8]; 8] = [
        b"ServerName ",
        b"ServerRoot ",
        b"DocumentRoot ",
        b"LoadModule ",
        b"Listen ",
        b"ProxyPass ",
        b"RewriteEngine ",
        b"check process ",
    ];
    APACHE.iter().any(|word| line.starts_with(word)) && !line.ends_with(b";")
}

enum HaproxyLine {
    Section,
    Keyword,
    Neither,
}

fn haproxy_line(line: &[u8]) -> HaproxyLine {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    let second = words.next().filter(|word| !word.starts_with(b"#"));
    if line.ends_with(b";") || line.ends_with(b"{") {
        return HaproxyLine::Neither;
    }
    let named = || second.is_some_and(|name| !name.contains(&b'=') && !name.contains(&b';'));
    match first {
        b"global" if second.is_none() => HaproxyLine::Section,
        b"defaults" if second.is_none() || named() => HaproxyLine::Section,
        b"frontend" | b"backend" | b"listen" | b"resolvers" | b"peers" | b"userlist" | b"mailers" | b"cache"
        | b"program" | b"ring" | b"http-errors" | b"fcgi-app" | b"log-forward" | b"crt-store" | b"log-profile"
            if named() =>
        {
            HaproxyLine::Section
        }
        b"mode"
        | b"log"
        | b"bind"
        | b"server"
        | b"server-template"
        | b"default-server"
        | b"timeout"
        | b"option"
        | b"no"
        | b"maxconn"
        | b"balance"
        | b"default_backend"
        | b"use_backend"
        | b"acl"
        | b"http-request"
        | b"http-response"
        | b"http-check"
        | b"tcp-request"
        | b"tcp-response"
        | b"tcp-check"
        | b"stats"
        | b"daemon"
        | b"user"
        | b"group"
        | b"chroot"
        | b"nbthread"
        | b"nbproc"
        | b"nameserver"
        | b"cookie"
        | b"retries"
        | b"errorfile"
        | b"redirect"
        | b"peer"
        | b"stick-table"
        | b"stick"
        | b"monitor-uri"
        | b"capture"
        | b"pidfile"
        | b"ca-base"
        | b"crt-base"
        | b"lua-load"
        | b"setenv"
        | b"compression"
        | b"hash-type"
        | b"description"
        | b"filter"
        | b"source"
        | b"fullconn"
        | b"http-reuse"
        | b"unique-id-format"
        | b"log-format"
        | b"parse-resolv-conf"
        | b"hold"
        | b"resolve_retries"
        | b"load-server-state-from-file"
        | b"external-check"
        | b"insecure-fork-wanted"
            if second.is_none_or(|word| word != b"=") =>
        {
            HaproxyLine::Keyword
        }
        word if word.starts_with(b"tune.") || word.starts_with(b"ssl-default-") || word == b"ssl-server-verify" => {
            HaproxyLine::Keyword
        }
        b".if" | b".notice" | b".else" | b".endif" => HaproxyLine::Keyword,
        _ => HaproxyLine::Neither,
    }
}

enum Statement {
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
fn nginx_statement(bytes: &[u8], at: usize, line_end: usize) -> Statement {
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

#[cfg(test)]
mod tests {
    use super::*;

    const NGINX: Look = Look::Clear(Dialect::Nginx);
    const HAPROXY: Look = Look::Clear(Dialect::Haproxy);

    #[test]
    fn names_promise_what_they_can() {
        assert_eq!(by_name("a/nginx.conf"), Some(Promise::Sure(Dialect::Nginx)));
        assert_eq!(by_name("a/nginx.conf.template.j2"), Some(Promise::Sure(Dialect::Nginx)));
        assert_eq!(by_name("HAProxy.cfg"), Some(Promise::Sure(Dialect::Haproxy)));
        assert_eq!(by_name("haproxy/10-web.cfg"), Some(Promise::Likely(Dialect::Haproxy)));
        assert_eq!(by_name("sites-enabled/example.com"), Some(Promise::Likely(Dialect::Nginx)));
        assert_eq!(by_name("nginx/proxy_params"), Some(Promise::Likely(Dialect::Nginx)));
        assert_eq!(by_name("default.conf.erb"), Some(Promise::Maybe));
        assert_eq!(by_name("app.conf"), Some(Promise::Maybe));
        assert_eq!(by_name("templates/haproxy.config.erb"), Some(Promise::Likely(Dialect::Haproxy)));
        assert_eq!(by_name("web/app.config"), None);
        assert_eq!(by_name("etc/lb.cfg"), Some(Promise::Maybe));
        for other in [
            "src/main.rs",
            "setup.cfg",
            "nginx/Dockerfile",
            "nginx/Dockerfile.plus",
            "nginx/Dockerfile.plus.unprivileged",
            "nginx/plus.Dockerfile",
            "nginx/snippets/skel/.bashrc-bsd",
            "nginx/conf.d/.app.conf.swp",
            "haproxy/.env.template",
            "nginx/cert.pem",
            "README.md",
            "nginx/run.sh",
            "web.template.yml",
            "x",
        ] {
            assert_eq!(by_name(other), None, "{other}");
        }
    }

    #[test]
    fn nginx_is_seen_whole_and_in_pieces() {
        for text in [
            "location /api { proxy_pass http://backend:3000; proxy_read_timeout 5s; }",
            "events {}\nhttp {\n  server { listen 80; }\n}\n",
            "events{}http{server{listen 80;}}",
            "# comment\nserver\n{\n  listen 80;\n}",
            "upstream app {\n  server a:1;\n}\n",
            "proxy_pass http://a;",
            "user www; worker_processes 1;",
            "map $a $b { default 0; }",
            "server {\n  listen ${PORT};\n  server_name {{ host }};\n}",
            "{% if tls %}\nssl_certificate {{ cert }};\n{% endif %}\n",
            "proxy_set_header Host $host\n}\n",
            "\u{feff}server { listen 80; }",
            "content_by_lua_block {\n x = 1\n}",
            "location = /x { return 204; }",
            "events {\n  debug_connection ::1;\n}\nhttp {}\n",
            "# x\nserver {\n  listen 80 default_server; # IPv4\n  listen [::]:80 ipv6only=on; # IPv6\n  server_name _;\n}",
            "server {\n  listen 80\n  listen 443 ssl;\n}\n",
            "{{/*\n  nginx.conf: the main file\n*/}}\n{{- define \"x\" -}}\nworker_processes auto;\n",
        ] {
            assert_eq!(look(text.as_bytes()), NGINX, "{text}");
        }
        assert_eq!(look(b"include snippets/*.conf;"), Look::Weak(Dialect::Nginx));
        assert_eq!(look(b"listen 80;\n"), Look::Weak(Dialect::Nginx));
        assert_eq!(look(b"allow ::1;\ndeny all;\n"), Look::Weak(Dialect::Nginx));
    }

    #[test]
    fn haproxy_is_seen_by_its_sections() {
        for text in [
            "global\n  daemon\n",
            "defaults\n    mode http\n",
            "# x\n\nfrontend web\n\n  # y\n  bind :80\n",
            "frontend {{ name }}\n  bind :80\n",
            "backend a\nbackend b\n",
            "listen stats # comment\r\n  bind *:1936\r\n",
            ".if defined(X)\nglobal\n.notice \"x\"\n",
            "resolvers dns\n  nameserver a 1.1.1.1:53\n",
            "{{/*\n   haproxy.cfg: the main file\n*/}}\n{{- $x := .X }}\n\nglobal\n  no strict-limits\n",
            "{# a: b\n   c = d #}\nlisten web # here;\n  bind :80\n",
        ] {
            assert_eq!(look(text.as_bytes()), HAPROXY, "{text}");
        }
        assert_eq!(look(b"backend empty\n"), Look::Weak(Dialect::Haproxy));
    }

    #[test]
    fn other_formats_are_left_alone() {
        for text in [
            "<VirtualHost *:80>\n  ServerName x\n  ProxyPass / http://a/\n</VirtualHost>\n",
            "ServerName example.org\nListen 80\n",
            "[www]\nlisten = 9000\nuser = www\n",
            "[Unit]\nDescription=nginx\n",
            "[program:nginx]\ncommand=nginx -g 'daemon off;'\n",
            "; php\n[global]\npid = /run/x\n",
            "/var/log/nginx/*.log {\n  daily\n  rotate 7\n}\n",
            "bind 127.0.0.1\nport 6379\nmaxclients 10000\ntimeout 0\n",
            "[mysqld]\nbind-address = 0.0.0.0\n",
            "Port 22\nPermitRootLogin no\n",
            "options {\n  directory \"/var/cache/bind\";\n  listen-on { any; };\n};\n",
            "server {\n  port = 8080\n}\nhttp { x = 1 }\n",
            "http {\n  server {\n    port: 1\n  }\n}\n",
            "check process nginx with pidfile /run/nginx.pid\n",
            "upstream \"local\" {\n  default = yes;\n}\n",
            "[metadata]\nname = x\n",
            "[[inputs.nginx]]\n  urls = [\"http://x\"]\n",
            "#!/bin/sh\nserver_name x;\n",
            "net.ipv4.ip_forward = 1\n",
            "server=/example.org/10.0.0.1\n",
            "# .bashrc\numask 22\nalias rm='rm -i'\nif [ -f x ]; then\n  . x\nfi\n",
            "check () {\n  path=\"x\"\n  if [ -z $a ]; then\n    return 1\n  fi\n  b=`echo $(set -f; echo $b)`\n}\n",
            "f() {\n  return 1\n}\nset -e\ng; h\n",
            "FROM debian\nRUN set -x \\\n  && if a ; then \\\n  b; fi\nuser nginx\n",
            "<?php\nreturn 1;\nset_error_handler($x);\n",
            "; Pool\n[www]\nuser = www\npm = dynamic\n",
            "user = www-data\nlisten = /run/php.sock\npm = dynamic\n",
            "port 6379\ninclude /etc/redis/x.conf\nsave 900 1\nuser default on\nhash-max-listpack-entries 128\n",
            "[supervisord]\nnodaemon=true\n",
            "/var/log/nginx/*.log {\n  daily\n  postrotate\n    kill -USR1 `cat x`;\n  endscript\n}\n",
            "Listen 80\nLoadModule proxy_module modules/mod_proxy.so\nUser www\n",
            "Alias /x /srv/x\n<Directory /srv>\n  Require all granted\n</Directory>\n",
            "\0\0\0\0",
        ] {
            let seen = look(text.as_bytes());
            assert!(matches!(seen, Look::Other | Look::Nothing), "{seen:?}: {text}");
        }
    }

    #[test]
    fn the_promise_and_the_content_settle_it() {
        let sure = Promise::Sure(Dialect::Nginx);
        assert_eq!(sure.settle(b"", false), Some(Dialect::Nginx));
        assert_eq!(sure.settle(b"\0garbage", false), Some(Dialect::Nginx));
        assert_eq!(sure.settle(b"[program:nginx]\n", false), None);
        assert_eq!(sure.settle(b"[program:nginx]\n", true), Some(Dialect::Nginx));
        let maybe = Promise::Maybe;
        assert_eq!(maybe.settle(b"include x;", false), None);
        assert_eq!(maybe.settle(b"include x;", true), Some(Dialect::Nginx));
        assert_eq!(maybe.settle(b"hello", true), None);
        assert_eq!(Promise::Likely(Dialect::Nginx).settle(b"include x;", false), Some(Dialect::Nginx));
        assert_eq!(Promise::Said(Dialect::Haproxy).settle(b"server {}", false), Some(Dialect::Haproxy));
    }

    #[test]
    fn looking_is_linear() {
        // Each statement looks for its end in a bounded stretch only.
        let text = "x".to_owned() + &"{".repeat(FAR * 2);
        assert_eq!(look(text.as_bytes()), Look::Nothing);
        let text = "a ".repeat(FAR);
        assert_eq!(look(text.as_bytes()), Look::Nothing);
    }
}
