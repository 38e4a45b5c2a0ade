//! `--fix`, `--unsafe-fixes` and `--diff`, as people call them: what is written, what is said, and what stays as it is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const CLEAN: i32 = 0;
const FINDINGS: i32 = 1;
const USAGE: i32 = 2;

/// A `;` is missing (safe to fix), and a group is misspelt (a guess).
const SITE: &str = "upstream application {\n    server 10.0.0.1:8080;\n}\nserver {\n    listen 80;\n    location / {\n        \
                    proxy_read_timeout 60s # enough\n        proxy_pass http://aplication;\n    }\n}\n";

const MAIN: &str = "events {}\nhttp {\n    include site.conf;\n}\n";

/// A scratch directory with files, which is the current directory of the run.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let tree = Self(tempfile::tempdir().expect("a scratch directory"));
        for (path, bytes) in files {
            let path = tree.at(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
        tree
    }

    fn site() -> Self {
        Self::new(&[("nginx.conf", MAIN.as_bytes()), ("site.conf", SITE.as_bytes())])
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn text(&self, path: &str) -> String {
        String::from_utf8(fs::read(self.at(path)).expect("a file")).expect("text")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gw502-lint"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS"] {
            command.env_remove(name);
        }
        command
    }

    #[track_caller]
    fn run(&self, code: i32, arguments: &[&str]) -> Run {
        Run::of(code, self.command(arguments).output().expect("the program runs"))
    }

    #[track_caller]
    fn pipe(&self, code: i32, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        // It may refuse before it has read anything.
        let _ = child.stdin.take().expect("a pipe").write_all(input);
        Run::of(code, child.wait_with_output().expect("it ends"))
    }
}

struct Run {
    out: Vec<u8>,
    err: String,
}

impl Run {
    #[track_caller]
    fn of(code: i32, output: Output) -> Self {
        let run = Self { out: output.stdout, err: String::from_utf8(output.stderr).expect("text") };
        assert_eq!(output.status.code(), Some(code), "\n--- stdout\n{}\n--- stderr\n{}", run.out(), run.err);
        run
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.out).into_owned()
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        assert!(self.out().contains(words), "{words:?} is not in\n{}\n{}", self.out(), self.err);
        self
    }

    #[track_caller]
    fn complains(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{words:?} is not in\n{}", self.err);
        self
    }
}

#[test]
fn without_a_flag_fixes_are_told_and_nothing_is_written() {
    let tree = Tree::site();
    tree.run(FINDINGS, &["."])
        .says("fix: put a `;` after it (with --fix)")
        .says("fix: write `application` (with --fix --unsafe-fixes)")
        .says("1 can be fixed with --fix, 1 more with --unsafe-fixes");
    assert_eq!(tree.text("site.conf"), SITE);
}

#[test]
fn safe_fixes_are_applied_and_the_rest_is_reported() {
    let tree = Tree::site();
    let fixed = SITE.replace("60s #", "60s; #");
    tree.run(FINDINGS, &["--fix", "."]).says("GW105").says("1 fixed, 1 more with --unsafe-fixes");
    assert_eq!(tree.text("site.conf"), fixed);
    assert_eq!(tree.text("nginx.conf"), MAIN);
    tree.run(FINDINGS, &["--fix", "."]).says("0 fixed, 1 more");
    assert_eq!(tree.text("site.conf"), fixed);
    tree.run(CLEAN, &["--fix", "--unsafe-fixes", "."]).says("2 files: 1 note").says("1 fixed\n");
    assert_eq!(tree.text("site.conf"), fixed.replace("aplication", "application"));
    let names: Vec<_> = fs::read_dir(tree.at(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing is left behind: {names:?}");
}

#[test]
fn what_is_not_selected_or_not_shown_is_not_fixed() {
    let tree = Tree::site();
    tree.run(CLEAN, &["--fix", "--unsafe-fixes", "--ignore", "GW001", "."]).says("1 fixed\n");
    assert_eq!(tree.text("site.conf"), SITE.replace("aplication", "application"));
    let tree = Tree::site();
    tree.run(CLEAN, &["--fix", "--unsafe-fixes", "--min-severity", "error", "."]).says("1 fixed\n");
    assert_eq!(tree.text("site.conf"), SITE.replace("60s #", "60s; #"));
}

#[test]
fn a_diff_writes_nothing() {
    let tree = Tree::site();
    let run = tree.run(FINDINGS, &["--diff", "."]).complains("1 would be fixed in 1 file, 1 more with --unsafe-fixes");
    let wanted = "--- a/site.conf\n+++ b/site.conf\n@@ -4,7 +4,7 @@\n server {\n     listen 80;\n     location / {\n\
                  -        proxy_read_timeout 60s # enough\n+        proxy_read_timeout 60s; # enough\n         \
                  proxy_pass http://aplication;\n     }\n }\n";
    assert_eq!(run.out(), wanted);
    tree.run(FINDINGS, &["--diff", "--unsafe-fixes", "."]).says("+        proxy_pass http://application;");
    assert_eq!(tree.text("site.conf"), SITE);
    tree.run(FINDINGS, &["--fix", "."]);
    let run = tree.run(CLEAN, &["--diff", "."]).complains("0 would be fixed in 0 files");
    assert!(run.out.is_empty());
}

#[test]
fn flags_that_do_not_belong_together_are_refused() {
    let tree = Tree::site();
    tree.run(USAGE, &["--unsafe-fixes", "."]).complains("add --fix to apply them, or --diff");
    tree.run(USAGE, &["--fix", "--diff", "."]).complains("--diff");
    tree.run(USAGE, &["--diff", "--format", "json", "."]).complains("--diff");
    tree.pipe(USAGE, &["--fix", "-", "site.conf"], b"x").complains("standard input alone");
    assert_eq!(tree.text("site.conf"), SITE);
}

#[test]
fn standard_input_comes_out_fixed() {
    let tree = Tree::new(&[]);
    let text = SITE.replace('\n', "\r\n");
    let arguments = ["--fix", "--stdin-filename", "a.conf", "--dialect", "a.conf=nginx", "-"];
    let run = tree.pipe(CLEAN, &arguments, text.as_bytes()).complains("1 fixed");
    assert_eq!(run.out(), text.replace("60s #", "60s; #"));
    // What cannot be fixed comes out as it went in.
    let odd = [b"events {}\n# \xff\n".as_slice(), SITE.as_bytes()].concat();
    let run = tree.pipe(FINDINGS, &arguments, &odd).complains("a.conf is not UTF-8, so nothing is fixed there");
    assert_eq!(run.out, odd);
    let run = tree.pipe(CLEAN, &["--fix", "-"], b"events {}\n").complains("0 fixed");
    assert_eq!(run.out(), "events {}\n");
}

#[test]
fn bytes_that_are_not_text_are_left_alone() {
    let odd = [b"# \xe9t\xe9\n".as_slice(), SITE.as_bytes()].concat();
    let tree = Tree::new(&[("nginx.conf", MAIN.as_bytes()), ("site.conf", &odd)]);
    tree.run(FINDINGS, &["--fix", "."]).complains("site.conf is not UTF-8, so nothing is fixed there").says("0 fixed");
    assert_eq!(fs::read(tree.at("site.conf")).unwrap(), odd);
}

#[test]
fn hints_of_a_template_are_left_alone() {
    let template = "global\n    maxconn 100\ndefaults\n    mode http\n    timeout connect 5s\n    timeout client 5s\n    \
                    timeout server 30s\nbackend b\n    server s1 10.0.0.1:80 {{ s1 }} maxconn 1k\n    \
                    server s2 10.0.0.2:80 maxconn 2k\n";
    let tree = Tree::new(&[("haproxy.cfg.j2", template.as_bytes())]);
    tree.run(FINDINGS, &["--fix", "--select", "GW011", "."]).says("1 fixed");
    assert_eq!(tree.text("haproxy.cfg.j2"), template.replace("2k", "2000"));
}

#[test]
fn a_file_that_is_read_twice_is_not_changed_for_one_place_only() {
    let snippet = "location /shared {\n    proxy_set_header X-Shared 1;\n    proxy_pass http://10.0.0.1:8080;\n}\n";
    let one = "server {\n    listen 80;\n    proxy_set_header Host $host;\n    include shared.inc;\n}\n";
    let two = "server {\n    listen 81;\n    include shared.inc;\n}\n";
    let main = format!("events {{}}\nhttp {{\n{one}{two}}}\n");
    let tree = Tree::new(&[("nginx.conf", main.as_bytes()), ("shared.inc", snippet.as_bytes())]);
    tree.run(FINDINGS, &["--fix", "--select", "GW410", "."]).says("0 fixed, 1 more with --unsafe-fixes");
    assert_eq!(tree.text("shared.inc"), snippet);
    let alone = format!("events {{}}\nhttp {{\n{one}}}\n");
    let tree = Tree::new(&[("nginx.conf", alone.as_bytes()), ("shared.inc", snippet.as_bytes())]);
    tree.run(CLEAN, &["--fix", "--select", "GW410", "."]).says("1 fixed\n");
    let line = "    proxy_set_header X-Shared 1;\n";
    let wanted = snippet.replace(line, &format!("{line}    proxy_set_header Host $host;\n"));
    assert_eq!(tree.text("shared.inc"), wanted);
}

/// Lints one nginx file with `--fix --unsafe-fixes`, and gives what became of it.
#[track_caller]
fn nginx(rule: &str, http: &str) -> String {
    let tree = Tree::new(&[("nginx.conf", format!("events {{}}\nhttp {{\n{http}}}\n").as_bytes())]);
    tree.run(CLEAN, &["--fix", "--unsafe-fixes", "--select", rule, "--fail-on", "note", "."]);
    let text = tree.text("nginx.conf");
    text.strip_prefix("events {}\nhttp {\n").and_then(|text| text.strip_suffix("}\n")).expect("as before").to_owned()
}

#[test]
fn lost_headers_come_back_with_what_belongs_to_them() {
    let text = "    proxy_set_header Upgrade $http_upgrade; # websockets\n    proxy_set_header Connection upgrade;\n    \
                proxy_set_header Host $host;\n    server {\n        listen 80;\n        location / {\n            \
                proxy_set_header  Host  app.test;\n            proxy_pass http://10.0.0.1:8080;\n        }\n    }\n";
    let line = "            proxy_set_header  Host  app.test;\n";
    let more =
        "            proxy_set_header Upgrade $http_upgrade;\n            proxy_set_header Connection upgrade;\n";
    assert_eq!(nginx("GW410", text), text.replace(line, &format!("{line}{more}")));
}

#[test]
fn keepalive_goes_below_the_balancing_method() {
    let text = |lines: &str| {
        format!(
            "    upstream app {{\n        server 10.0.0.1:8080;\n{lines}    }}\n    server {{\n        location / {{\n            \
                 proxy_http_version 1.1;\n            proxy_set_header Connection \"\";\n            \
                 proxy_pass http://app;\n        }}\n    }}\n"
        )
    };
    let (keepalive, method) = ("        keepalive 16; # of each worker\n", "        least_conn;\n");
    assert_eq!(nginx("GW602", &text(&format!("{keepalive}{method}"))), text(&format!("{method}{keepalive}")));
    // On one line, too.
    assert_eq!(
        nginx("GW602", &text("        keepalive 16; least_conn;\n")).matches("least_conn; keepalive 16;").count(),
        1
    );
}

#[test]
fn a_server_name_is_sent_where_it_is_certain_which() {
    let text = "    server {\n        location / {\n            proxy_pass https://api.shop.com;\n        }\n    }\n";
    let pass = "            proxy_pass https://api.shop.com;\n";
    assert_eq!(nginx("GW403", text), text.replace(pass, &format!("{pass}            proxy_ssl_server_name on;\n")));
}

#[test]
fn machine_formats_tell_fixes() {
    let tree = Tree::site();
    let json: serde_json::Value = serde_json::from_str(&tree.run(FINDINGS, &["--format", "json"]).out()).unwrap();
    let fix = &json["findings"][0]["fixes"][0];
    assert_eq!(fix["applicability"], "safe", "{json:#}");
    let edit = &fix["edits"][0];
    let numbers = ["line", "column", "end_line", "end_column"].map(|key| edit[key].as_u64().unwrap());
    assert_eq!((edit["replacement"].as_str(), numbers), (Some(";"), [7, 31, 7, 31]));
    let sarif: serde_json::Value = serde_json::from_str(&tree.run(FINDINGS, &["--format", "sarif"]).out()).unwrap();
    let fix = &sarif["runs"][0]["results"][0]["fixes"][0];
    assert_eq!(fix["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], ";", "{fix:#}");
    assert_eq!(fix["artifactChanges"][0]["artifactLocation"]["uri"], "site.conf");
}

#[cfg(unix)]
mod on_disk {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn mode_and_links_stay() {
        let tree = Tree::new(&[("nginx.conf", MAIN.as_bytes()), ("sites/real.conf", SITE.as_bytes())]);
        fs::set_permissions(tree.at("sites/real.conf"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("sites/real.conf", tree.at("site.conf")).unwrap();
        let owner = |path: &str| fs::metadata(tree.at(path)).map(|found| (found.uid(), found.gid())).unwrap();
        let before = owner("sites/real.conf");
        tree.run(FINDINGS, &["--fix", "."]).says("fixed, ");
        assert!(fs::symlink_metadata(tree.at("site.conf")).unwrap().is_symlink());
        assert!(tree.text("sites/real.conf").contains("60s; #"));
        assert_eq!(fs::metadata(tree.at("sites/real.conf")).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(owner("sites/real.conf"), before);
    }

    #[test]
    fn nothing_is_written_through_a_link_that_leads_out() {
        let outside = Tree::new(&[("site.conf", SITE.as_bytes())]);
        let tree = Tree::new(&[]);
        symlink(outside.at("site.conf"), tree.at("site.conf")).unwrap();
        tree.run(USAGE, &["--fix", "site.conf"]).complains("site.conf was not fixed: it leads out of the linted tree");
        assert_eq!(outside.text("site.conf"), SITE);
    }
}
