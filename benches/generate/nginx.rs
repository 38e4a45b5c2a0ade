//! nginx: a tree of many sites, or one large file.

use super::{Dice, File, HAZARD_EVERY, address};
use std::fmt::Write as _;

const NAMES: [&str; 12] =
    ["shop", "blog", "api", "intranet", "billing", "search", "media", "forum", "login", "stats", "wiki", "mail"];

const PATHS: [&str; 10] =
    ["api", "assets", "account", "search", "export", "upload", "reports", "admin", "events", "feed"];

const SNIPPETS: [(&str, &str); 4] = [
    (
        "snippets/proxy.conf",
        "# What every backend is told about the client.\n\
         proxy_http_version 1.1;\n\
         proxy_set_header Host $host;\n\
         proxy_set_header X-Real-IP $remote_addr;\n\
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         proxy_set_header X-Forwarded-Proto $scheme;\n\
         proxy_set_header Connection \"\";\n",
    ),
    (
        "snippets/upgrade.conf",
        "# WebSockets.\n\
         proxy_http_version 1.1;\n\
         proxy_set_header Host $host;\n\
         proxy_set_header Upgrade $http_upgrade;\n\
         proxy_set_header Connection $connection_upgrade;\n\
         proxy_read_timeout 1h;\n",
    ),
    (
        "snippets/headers.conf",
        "# Sent with each answer.\n\
         add_header X-Frame-Options SAMEORIGIN;\n\
         add_header X-Content-Type-Options \"nosniff\";\n\
         add_header Content-Security-Policy \"default-src 'self'; img-src 'self' data:\";\n",
    ),
    (
        "snippets/static.conf",
        "# Files that do not change.\n\
         expires 30d;\n\
         access_log off;\n\
         add_header Cache-Control 'public, immutable';\n",
    ),
];

/// What stands in the main file before the sites.
const HEAD: &str = "\
user www-data;
worker_processes auto;
pid nginx.pid;

events {
    worker_connections 4096;
}

http {
    default_type application/octet-stream;
    sendfile on;
    keepalive_timeout 65s;
    server_tokens off;

    # Many sites need larger tables.
    server_names_hash_max_size 65536;
    server_names_hash_bucket_size 128;
    variables_hash_max_size 65536;
    variables_hash_bucket_size 128;

    log_format main '$remote_addr - $remote_user [$time_local] \"$request\" '
                    '$status $body_bytes_sent \"$http_referer\"';
    access_log access.log main;
    error_log error.log warn;

    map $http_upgrade $connection_upgrade {
        default upgrade;
        ''      close;
    }

    gzip on;
    gzip_types text/css application/json;

";

/// A main file, four snippets and `sites` files of 62 to 119 lines, about 2.3 kB each.
pub fn nginx_tree(sites: usize, seed: u64) -> Vec<File> {
    let main = format!("{HEAD}    include sites-enabled/*.conf;\n}}\n");
    let mut files = vec![File { path: "nginx.conf".into(), text: main }];
    files.extend(SNIPPETS.map(|(path, text)| File { path: path.into(), text: text.into() }));
    files.extend((0..sites).map(|number| {
        let mut dice = Dice(seed ^ (number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d));
        File { path: format!("sites-enabled/{number:05}.conf"), text: site(number, &mut dice, true) }
    }));
    files
}

/// One file of at least so many bytes, all sites in it, nothing included.
pub fn nginx_file(bytes: usize, seed: u64) -> String {
    let mut text = String::with_capacity(bytes + 8192);
    text.push_str(HEAD);
    for number in 0.. {
        if text.len() >= bytes {
            break;
        }
        let mut dice = Dice(seed ^ (number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d));
        text.push_str(&site(number, &mut dice, false));
        text.push('\n');
    }
    text.push_str("}\n");
    text
}

/// Writes lines of configuration.
struct Page {
    text: String,
    depth: usize,
}

impl Page {
    fn line(&mut self, line: &str) {
        if line.is_empty() {
            self.text.push('\n');
        } else {
            let _ = writeln!(self.text, "{:indent$}{line}", "", indent = self.depth * 4);
        }
    }

    fn open(&mut self, line: &str) {
        self.line(&format!("{line} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }
}

/// What is wrong with a site, if anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hazard {
    None,
    ShortConnect,
    ShortRead,
    TlsToPlainPort,
    PlainToTlsPort,
    RaisedBuffers,
    NoFailover,
    SmallHeaderBuffer,
    NoKeepaliveHeader,
}

const HAZARDS: [Hazard; 8] = [
    Hazard::ShortConnect,
    Hazard::ShortRead,
    Hazard::TlsToPlainPort,
    Hazard::PlainToTlsPort,
    Hazard::RaisedBuffers,
    Hazard::NoFailover,
    Hazard::SmallHeaderBuffer,
    Hazard::NoKeepaliveHeader,
];

fn site(number: usize, dice: &mut Dice, snippets: bool) -> String {
    let name = format!("{}{number}", dice.pick(&NAMES));
    let hazard =
        if dice.one_in(HAZARD_EVERY) { HAZARDS[dice.below(HAZARDS.len() as u64) as usize] } else { Hazard::None };
    let mut page = Page { text: String::with_capacity(3072), depth: 0 };
    page.line(&format!("# {name}: asked for in ticket {}", 1000 + dice.below(9000)));
    page.line("# Owner: web team; tell them before you change it.");
    pool(&mut page, &name, number, hazard, dice);
    if dice.one_in(4) {
        page.open(&format!("map $request_uri $site{number}_class"));
        page.line("default        \"normal\";");
        page.line("~^/export/     \"slow\";");
        page.line("\"~*\\.(png|gif|jpe?g)$\" 'image';");
        page.close();
        page.line("");
    }
    page.open("server");
    page.line("# The old name; links to it are still about.");
    page.line("listen 8080;");
    page.line(&format!("server_name old-{name}.example.org;"));
    page.line(&format!("return 301 http://{name}.example.org$request_uri;"));
    page.close();
    page.line("");
    page.open("server");
    page.line("listen 8080;");
    page.line(&format!("server_name {name}.example.org www.{name}.example.org;"));
    page.line("");
    page.line(&format!("access_log {name}.log main;"));
    page.line(&format!("root /srv/{name}/public;"));
    page.line(&format!("client_max_body_size {}m;", dice.pick(&["1", "10", "64"])));
    page.line("proxy_connect_timeout 5s;");
    page.line("proxy_send_timeout 60s;");
    page.line("proxy_buffer_size 16k;");
    page.line("proxy_buffers 8 16k;");
    page.line("proxy_busy_buffers_size 32k;");
    page.line("proxy_intercept_errors on;");
    page.line("proxy_hide_header X-Powered-By;");
    page.line("client_body_timeout 30s;");
    page.line("# What goes wrong is answered by a page of our own.");
    page.line("gzip_proxied any;");
    page.line("error_page 500 502 503 504 /sorry.html;");
    page.line("set $backend_note \"from \\\"${host}\\\" at ${time_local}\";");
    page.line("");
    if dice.one_in(2) {
        page.line("# Seen by the cache in front of us.");
        page.line("add_header Vary \"Accept-Encoding, Cookie\";");
        page.line("");
    }
    if dice.one_in(3) {
        page.line("# Robots are sent away.");
        page.open("if ($http_user_agent ~* \"(crawler|spider|bot\\\")\")");
        page.line("return 403;");
        page.close();
        page.line("");
    }
    root_location(&mut page, &name, number, hazard, dice, snippets);
    // Two or three locations are usual, more are rare.
    let more = [1, 2, 2, 2, 2, 3, 3, 3, 4][dice.below(9) as usize];
    let first = dice.below(PATHS.len() as u64) as usize;
    for turn in 0..more {
        let path = PATHS[(first + turn) % PATHS.len()];
        location(&mut page, &name, path, turn, dice, snippets);
    }
    page.open("location = /sorry.html");
    page.line("internal;");
    page.line("root /srv/sorry;");
    page.close();
    page.line("");
    page.open("location = /health");
    page.line("access_log off;");
    page.line("return 200 'ok';");
    page.close();
    page.close();
    page.text
}

fn pool(page: &mut Page, name: &str, number: usize, hazard: Hazard, dice: &mut Dice) {
    page.open(&format!("upstream {name}"));
    let port = if hazard == Hazard::PlainToTlsPort { 443 } else { 8000 + dice.below(20) };
    if dice.one_in(3) {
        page.line("least_conn;");
    }
    page.line(&format!("zone {name} 64k;"));
    for machine in 0..2 + dice.below(3) {
        let how = match dice.below(6) {
            0 => " weight=2",
            1 => " max_fails=3 fail_timeout=15s",
            2 if machine > 1 => " backup",
            _ => "",
        };
        page.line(&format!("server {}:{port}{how};", address(number, machine)));
    }
    page.line("keepalive 32;");
    page.line("keepalive_timeout 4s;");
    page.close();
    page.line("");
}

fn root_location(page: &mut Page, name: &str, number: usize, hazard: Hazard, dice: &mut Dice, snippets: bool) {
    page.open("location /");
    if hazard == Hazard::NoKeepaliveHeader {
        page.line("proxy_set_header Host $host;");
    } else {
        told(page, snippets);
    }
    match hazard {
        Hazard::TlsToPlainPort => page.line(&format!("proxy_pass https://{}:80;", address(number, 9))),
        _ => page.line(&format!("proxy_pass http://{name};")),
    }
    let read = if hazard == Hazard::ShortRead { "2s" } else { dice.pick(&["30s", "60s", "90s"]) };
    page.line(&format!("proxy_read_timeout {read};"));
    match hazard {
        Hazard::ShortConnect => page.line("proxy_connect_timeout 100ms;"),
        Hazard::RaisedBuffers => {
            page.line("proxy_buffer_size 4k;");
            page.line("proxy_buffers 8 64k;");
            page.line("proxy_busy_buffers_size 128k;");
        }
        Hazard::SmallHeaderBuffer => page.line("proxy_buffer_size 1k;"),
        Hazard::NoFailover => page.line("proxy_next_upstream off;"),
        _ => page.line("proxy_next_upstream error timeout;"),
    }
    page.line("proxy_pass_header X-Accel-Date;");
    page.close();
    page.line("");
}

/// What the backend is told: from the snippet, or written out where nothing is included.
fn told(page: &mut Page, snippets: bool) {
    if snippets {
        page.line("include snippets/proxy.conf;");
        return;
    }
    page.line("proxy_http_version 1.1;");
    page.line("proxy_set_header Host $host;");
    page.line("proxy_set_header X-Real-IP $remote_addr;");
    page.line("proxy_set_header Connection \"\";");
}

fn location(page: &mut Page, name: &str, path: &str, turn: usize, dice: &mut Dice, snippets: bool) {
    if dice.one_in(2) {
        page.line(&format!("# {path}: see the handbook, \"{name}\" {}.", dice.pick(&["below", "page 4", "(old)"])));
    }
    match dice.below(4) {
        0 => {
            page.open(&format!("location ~ \"^/{path}/[0-9]{{1,9}}/(?<part{turn}>[a-z]+)\\.html$\""));
            told(page, snippets);
            page.line(&format!("proxy_pass http://{name};"));
            page.line("proxy_read_timeout 60s;");
            page.line(&format!("proxy_set_header X-Part \"${{part{turn}}}\";"));
        }
        1 => {
            page.open(&format!("location /{path}/"));
            told(page, snippets);
            page.line(&format!("proxy_pass http://{name}/{path}/v{}/;", 1 + dice.below(3)));
            page.line("proxy_buffering off;");
            page.line("proxy_read_timeout 120s;");
            page.open("if ($request_method = OPTIONS)");
            page.line("add_header Access-Control-Allow-Origin '*';");
            page.line("return 204;");
            page.close();
        }
        2 => {
            page.open(&format!("location /{path}/live"));
            if snippets {
                page.line("include snippets/upgrade.conf;");
            } else {
                page.line("proxy_set_header Upgrade $http_upgrade;");
                page.line("proxy_set_header Connection $connection_upgrade;");
                page.line("proxy_http_version 1.1;");
            }
            page.line(&format!("proxy_pass http://{name};"));
            page.line("proxy_send_timeout 1h;");
            page.line("proxy_buffering off;");
        }
        _ => {
            page.open(&format!("location ^~ /{path}/static/"));
            if snippets {
                page.line("include snippets/static.conf;");
                page.line("include snippets/headers.conf;");
            } else {
                page.line("expires 30d;");
            }
            page.line(&format!("alias /srv/{name}/{path}/;"));
            page.line("try_files $uri $uri/index.html =404;");
            page.line(&format!("add_header X-Note \"kept for \\\"{path}\\\"; not for ${{host}}\";"));
        }
    }
    page.close();
    page.line("");
}
