//! What a file is: by its name, its folder, and a look at its content (`content`). Cheap, and rather no than a wrong yes: `.conf`
//! and `.cfg` are the endings of half the world.

mod content;
mod haproxy;
mod nginx;

use super::name_of;
use crate::topology::Dialect;
pub use content::{Look, look};

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

#[cfg(test)]
mod tests {
    use super::content::FAR;
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
