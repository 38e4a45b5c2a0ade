//! The program as a whole: arguments, exit codes, streams, and a disk that means ill.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

mod support;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{CLEAN, FINDINGS, Run, Tree, USAGE};

/// A frontend that hands requests to a backend that nothing defines: HAProxy does not start.
const BAD: &str = "global\n    maxconn 100\n\ndefaults\n    mode http\n    timeout connect 5s\n    timeout client 30s\n    \
                   timeout server 30s\n\nfrontend web\n    bind :8080\n    default_backend nowhere\n";

/// What was found, from `--format json`.
trait Found {
    /// Paths of the first labels, and rules.
    fn found(&self) -> Vec<(String, String)>;
    /// How many files were linted.
    fn files(&self) -> u64;
}

impl Found for Run {
    fn found(&self) -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let findings = self.json()["findings"].as_array().cloned().unwrap_or_default();
        findings.iter().map(|found| (text(&found["labels"][0]["file"]), text(&found["rule"]))).collect()
    }

    fn files(&self) -> u64 {
        self.json()["summary"]["files"].as_u64().unwrap_or_default()
    }
}

const SERVER: &str = "server {\n    listen 80;\n}\n";

#[test]
fn a_clean_tree_is_clean() {
    let tree = Tree::new(&[("nginx.conf", "events {}\n"), ("site.conf", SERVER), ("README.md", "x")]);
    tree.run(&[]).exits(CLEAN).says("2 files: nothing found (");
    tree.run(&["."]).exits(CLEAN);
    tree.run(&["site.conf", "./site.conf"]).exits(CLEAN).says("1 file: ");
}

#[test]
fn findings_and_thresholds_make_the_exit_code() {
    let tree = Tree::new(&[("haproxy.cfg", BAD)]);
    tree.run(&[]).exits(FINDINGS).says("error[GW003]").says("haproxy.cfg:12:").says("1 error (");
    tree.run(&["--fail-on", "never"]).exits(CLEAN).says("error[GW003]");
    tree.run(&["--fail-on", "error"]).exits(FINDINGS);
    tree.run(&["--ignore", "GW003"]).exits(CLEAN);
    tree.run(&["--ignore", "gw0,undefined-reference"]).exits(CLEAN);
    tree.run(&["--select", "GW001"]).exits(CLEAN);
    tree.run(&["--select", "GW001,GW003", "--min-severity", "error"]).exits(FINDINGS);
}

#[test]
fn wrong_calls_are_told_what_to_do() {
    let tree = Tree::new(&[("notes.txt", "hello\n"), ("haproxy.cfg", BAD)]);
    tree.run(&["--bogus"]).exits(USAGE).complains("--bogus");
    tree.run(&["missing.conf"]).exits(USAGE).complains("there is no file or folder missing.conf");
    tree.run(&["haproxy.cfg/x"]).exits(USAGE).complains("haproxy.cfg/x");
    tree.run(&["notes.txt"]).exits(USAGE).complains("--dialect 'notes.txt=nginx'");
    tree.run(&["--target", "nginx=1.24,haproxy=2.8"]).exits(FINDINGS);
    tree.run(&["--target", "apache=2.4"]).exits(USAGE).complains("there are nginx and haproxy");
    tree.run(&["--target", "nginx=stable"]).exits(USAGE).complains("`stable` is no version of nginx");
    tree.run(&["--target", "1.24"]).exits(USAGE).complains("names no version");
    tree.run(&["--select", "GW03"]).exits(USAGE).complains("there is no rule `GW03`");
    tree.run(&["--ignore", "undefined-referense"]).exits(USAGE).complains("did you mean undefined-reference?");
    tree.run(&["explain", "unreadable-fil"]).exits(USAGE).complains("did you mean unreadable-file?");
    tree.run(&["--format", "xml"]).exits(USAGE).complains("human, concise, json").complains("checkstyle and markdown");
    tree.run(&["--format", "json", "--format", "sarif"]).exits(USAGE).complains("only one format");
    tree.run(&["--format", "json=x", "--output", "y"]).exits(USAGE).complains("--output");
    tree.run(&["--format", "json=x", "--format", "sarif=x"]).exits(USAGE).complains("two formats");
    tree.run(&["--dialect", "a=apache"]).exits(USAGE).complains("nginx and haproxy");
    tree.run(&["--dialect", "a"]).exits(USAGE).complains("PATH=nginx");
    tree.run(&["--stdin-filename", "x"]).exits(USAGE).complains("name `-`");
    tree.run(&["--output", "nowhere/x"]).exits(USAGE).complains("cannot write nowhere/x");
    tree.run(&["--output", "."]).exits(USAGE).complains("folder");
}

#[test]
fn nothing_to_lint_is_no_clean_result() {
    let tree = Tree::new(&[("a.txt", "x"), ("php.conf", "[www]\nlisten = 9000\n"), ("vendor/nginx.conf", SERVER)]);
    tree.run(&[])
        .exits(USAGE)
        .complains("nothing to lint in .")
        .complains("nginx.conf, haproxy.cfg")
        .complains("--no-ignore");
    tree.run(&["--no-ignore"]).exits(CLEAN).says("1 file:");
    fs::create_dir(tree.path().join("empty")).expect("a folder");
    tree.run(&["empty"]).exits(USAGE).complains("there are no files");
}

#[test]
fn a_compose_file_leads_to_the_files_that_it_mounts() {
    let compose = "services:\n  web:\n    image: nginx\n    volumes: [\"./conf/web:/etc/nginx/conf.d/web.conf\"]\n";
    let tree = Tree::new(&[
        ("compose.yaml", compose),
        ("conf/web", "server { listen 80; location / { proxy_pass http://nobody:3000; } }\n"),
        ("other/compose.yaml", "services:\n  app:\n    image: app\n"),
    ]);
    tree.run(&["compose.yaml"]).exits(FINDINGS).says("conf/web:1:").says("GW105");
    tree.run(&[]).exits(FINDINGS).says("GW105");
    tree.run(&["other"])
        .exits(USAGE)
        .complains("nothing to lint in other")
        .complains("There is one compose file here")
        .complains("manifests of Kubernetes");
}

#[test]
fn a_compose_file_that_is_not_yaml_is_the_reason_why_nothing_was_linted() {
    let broken = "services:\n  web: [\n  : : :\n\tbad\n";
    let tree = Tree::new(&[("compose.yaml", broken), ("deploy/docker-compose.yml", broken)]);
    tree.run(&["deploy"])
        .exits(USAGE)
        .says("GW000")
        .says("deploy/docker-compose.yml:4:")
        .complains("nothing was linted, because a file could not be read: deploy/docker-compose.yml: this is not YAML");
    tree.run(&["compose.yaml", "--format", "json"]).exits(USAGE).says("\"file\": \"compose.yaml\"");
    tree.run(&[]).exits(USAGE).complains("because 2 files could not be read");
    tree.run(&["graph"]).exits(USAGE).complains("this is not YAML");
    // Beside other things that were linted, one that belongs to nothing may be a test's.
    let tree = Tree::new(&[("nginx/nginx.conf", SERVER), ("tests/compose.yaml", broken)]);
    tree.run(&[]).exits(CLEAN);
}

#[test]
fn what_must_be_yaml_and_is_not_is_told_with_its_line() {
    let broken = "apiVersion: v1\nkind: Service\nmetadata:\n  name: app\n bad\n";
    let compose = "services:\n  web:\n    image: nginx\n\tports: []\n";
    let tree = Tree::new(&[
        ("k8s/service.yaml", broken),
        ("nginx.conf", SERVER),
        ("compose.yaml", compose),
        (
            "chart/templates/service.yaml",
            "apiVersion: v1\nkind: Service\n{{- if .Values.x }}\n name: {{ .x }\n{{- end }}\n",
        ),
        ("data/other.yaml", "a: [\n"),
    ]);
    let out = tree
        .run(&[])
        .exits(FINDINGS)
        .says("k8s/service.yaml could not be read")
        .says("k8s/service.yaml:5")
        .says("compose.yaml could not be read")
        .says("compose.yaml:4:1")
        .says("indented with a tab")
        .out;
    assert!(!out.contains("chart/") && !out.contains("data/"), "{out}");
}

#[test]
fn a_manifest_that_is_too_long_is_told() {
    let head = |kind: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\n");
    let long = "# ".to_owned() + &"x".repeat(98) + "\n";
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: x}}\n{}---\n{}",
        long.repeat(100_000),
        head("Service")
    );
    let other = format!("{}{}", head("ConfigMap"), long.repeat(100_000));
    let tree = Tree::new(&[("nginx.conf", SERVER), ("k8s/crds.yaml", &definition)]);
    tree.run(&[]).exits(CLEAN);
    tree.write("k8s/other.yaml", &other);
    let out = tree.run(&[]).exits(FINDINGS).says("k8s/other.yaml could not be read: is larger than 8 MiB").out;
    assert!(!out.contains("crds"), "{out}");
}

#[test]
fn a_dialect_that_is_said_overrules() {
    let tree = Tree::new(&[("a.txt", BAD), ("b/c.tmp", BAD), ("b/d.tmp", BAD)]);
    tree.run(&["--dialect", "a.txt=haproxy", "a.txt"]).exits(FINDINGS);
    let run = tree.run(&["--dialect", "b/*.tmp=haproxy", "--format", "json"]).exits(FINDINGS);
    assert_eq!(run.files(), 2);
    let run = tree.run(&["--dialect", "*.tmp=haproxy", "--dialect", "d.tmp=nginx", "--format", "json"]);
    assert_eq!(run.files(), 2);
    assert!(run.found().contains(&("b/c.tmp".into(), "GW003".into())));
    assert!(!run.found().contains(&("b/d.tmp".into(), "GW003".into())));
    let run = tree.run(&["--dialect", "./a.txt=haproxy", "./a.txt", "--format", "json"]).exits(FINDINGS);
    assert_eq!(run.found(), [("a.txt".into(), "GW003".into())]);
}

#[test]
fn ignore_files_and_foreign_folders_are_honoured() {
    let tree = Tree::new(&[
        ("nginx.conf", SERVER),
        ("build/nginx.conf", SERVER),
        ("local/nginx.conf", SERVER),
        ("node_modules/x/nginx.conf", SERVER),
        ("target/nginx.conf", SERVER),
        (".git/nginx.conf", SERVER),
        (".hidden/nginx.conf", SERVER),
        (".gitignore", "build/\n"),
        (".ignore", "local/\n"),
    ]);
    let run = tree.run(&["--format", "json"]).exits(CLEAN);
    assert_eq!(run.files(), 2, "the first and the hidden one");
    assert_eq!(tree.run(&["--format", "json", "--no-ignore"]).files(), 6, "all but .git");
    assert_eq!(tree.run(&["--format", "json", "build/nginx.conf"]).files(), 1, "what is named is linted");
}

#[test]
fn many_files_are_read_side_by_side_in_order() {
    let files: Vec<(String, &str)> = (0..50).map(|number| (format!("d{}/{number:02}.cfg", number % 7), BAD)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let tree = Tree::new(&files);
    let first = tree.run(&["--format", "json"]).exits(FINDINGS);
    assert_eq!(first.files(), 50);
    assert_eq!(first.out, tree.run(&["--format", "json"]).out);
}

#[test]
fn standard_input_is_linted() {
    let tree = Tree::new(&[]);
    tree.pipe(&["-"], BAD.as_bytes()).exits(FINDINGS).says("stdin:12:");
    tree.pipe(&["-", "--stdin-filename", "conf/lb.cfg"], BAD.as_bytes()).exits(FINDINGS).says("conf/lb.cfg:12:");
    tree.pipe(&["-"], "location / { return 204; }".as_bytes()).exits(CLEAN).says("1 file: nothing found");
    tree.pipe(&["-"], "hello".as_bytes()).exits(USAGE).complains("cannot tell what - is");
    tree.pipe(&["-", "--dialect", "-=haproxy"], "hello".as_bytes()).exits(FINDINGS);
    tree.pipe(&["-", "--stdin-filename", "nginx.conf"], "".as_bytes()).exits(CLEAN).says("1 file:");
}

#[test]
fn the_root_is_found() {
    let tree = Tree::new(&[("repo/conf/a/haproxy.cfg", BAD), ("repo/.git/HEAD", "x"), ("plain/x/haproxy.cfg", BAD)]);
    let first = |run: Run| run.found().into_iter().map(|(path, _)| path).next().unwrap_or_default();
    assert_eq!(first(tree.run(&["repo", "--format", "json"])), "repo/conf/a/haproxy.cfg");
    let mut from_elsewhere = tree.command(&["--format", "json"]);
    let elsewhere = tempfile::tempdir().expect("a scratch directory");
    let in_repository = tree.path().join("repo/conf/a");
    let run = Run::of(from_elsewhere.arg(&in_repository).current_dir(elsewhere.path()).output().expect("it runs"));
    assert_eq!(first(run), "conf/a/haproxy.cfg");
    let mut from_elsewhere = tree.command(&["--format", "json"]);
    let file = tree.path().join("plain/x/haproxy.cfg");
    let run = Run::of(from_elsewhere.arg(&file).current_dir(elsewhere.path()).output().expect("it runs"));
    assert_eq!(first(run), "haproxy.cfg");
}

#[test]
fn several_formats_in_one_run() {
    let tree = Tree::new(&[("haproxy.cfg", BAD)]);
    let run =
        tree.run(&["--format", "human", "--format", "sarif=out.sarif", "--format", "json=out.json"]).exits(FINDINGS);
    assert!(run.out.contains("error[GW003]"));
    for name in ["out.sarif", "out.json"] {
        let text = fs::read_to_string(tree.path().join(name)).expect("it was written");
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{name}");
    }
    let run = tree.run(&["--format", "github", "--output", "log.txt"]).exits(FINDINGS);
    assert_eq!(run.out, "");
    assert!(
        fs::read_to_string(tree.path().join("log.txt"))
            .expect("it was written")
            .starts_with("::error file=haproxy.cfg,")
    );
    let left: Vec<_> = fs::read_dir(tree.path()).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 4, "no scratch file stays: {left:?}");
}

#[test]
fn the_list_of_rules_and_their_pages() {
    let tree = Tree::new(&[]);
    tree.run(&["rules"]).exits(CLEAN).says("GW003  undefined-reference");
    let rules = tree.run(&["rules", "--format", "json"]).exits(CLEAN).json();
    assert!(rules.as_array().is_some_and(|rules| rules.iter().any(|rule| rule["code"] == "GW003")));
    tree.run(&["explain", "gw003"]).exits(CLEAN).says("undefined-reference").says("What to do");
    tree.run(&["explain", "undefined-reference"]).exits(CLEAN);
    tree.run(&["--version"]).exits(CLEAN).says(env!("CARGO_PKG_VERSION"));
    tree.run(&["--help"]).exits(CLEAN).says("Exit codes:");
}

#[test]
fn colours_come_when_wanted() {
    let tree = Tree::new(&[("haproxy.cfg", BAD)]);
    let colored = |arguments: &[&str], set: &[(&str, &str)]| {
        let mut command = tree.command(arguments);
        command.envs(set.iter().copied());
        Run::of(command.output().expect("it runs")).out.contains("\u{1b}[")
    };
    assert!(!colored(&[], &[]), "a pipe is no terminal");
    assert!(colored(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&[], &[("CLICOLOR_FORCE", "0")]));
    assert!(!colored(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(colored(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!colored(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["--output", "x.txt"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn output_fits_into_eighty_columns() {
    let tree = Tree::new(&[("haproxy.cfg", BAD)]);
    let run = Run::of(tree.command(&[]).env("COLUMNS", "80").output().expect("it runs")).exits(FINDINGS);
    for line in run.out.lines().filter(|line| !line.contains("https://")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let files: Vec<(String, &str)> = (0..300).map(|number| (format!("{number}.cfg"), BAD)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let tree = Tree::new(&files);
    for format in ["human", "json", "sarif", "github"] {
        let mut command = tree.command(&["--format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        let mut some = [0; 10];
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_exact(&mut some).expect("it writes something");
        drop(stdout);
        Run::of(child.wait_with_output().expect("it ends")).exits(FINDINGS).quietly();
    }
}

#[test]
fn odd_contents_do_no_harm() {
    let tree = Tree::new(&[
        ("empty/nginx.conf", ""),
        ("empty/haproxy.cfg", ""),
        ("nul/nginx.conf", "events {}\0\0\0\nhttp { \0 }"),
        ("bom/nginx.conf", "\u{feff}events {}\r\n"),
    ]);
    fs::write(tree.path().join("latin.conf"), b"server {\n  # caf\xe9\n  listen 80;\n}\n").expect("a file");
    assert_eq!(tree.run(&["--format", "json", "--fail-on", "never"]).exits(CLEAN).files(), 5);
    tree.run(&["empty"]).exits(CLEAN).says("2 files: nothing found");
}

#[cfg(unix)]
mod on_unix {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn fifo(path: &Path) {
        let made = Command::new("mkfifo").arg(path).status().expect("mkfifo");
        assert!(made.success());
    }

    #[test]
    fn pipes_and_devices_are_named_and_not_opened() {
        let tree = Tree::new(&[("ok.conf", SERVER)]);
        fifo(&tree.path().join("nginx.conf"));
        let run = tree.run(&["--format", "json"]).exits(FINDINGS);
        assert_eq!(run.found(), [("nginx.conf".into(), "GW000".into())]);
        assert_eq!(run.json()["unread"][0]["why"], "is a named pipe, not a file");
        tree.run(&["nginx.conf"]).exits(FINDINGS).says("GW000").says("named pipe");
        tree.run(&["nginx.conf", "--select", "GW001", "--min-severity", "error"]).exits(FINDINGS).says("GW000");
        tree.run(&["/dev/zero"]).exits(FINDINGS).says("is a device");
    }

    #[test]
    fn what_stands_around_and_cannot_be_read_is_told() {
        // A link in a loop is unreadable for everybody, the superuser too.
        let compose =
            "include: [more.yaml]\nservices:\n  web: {image: nginx, volumes: ['./nginx.conf:/etc/nginx/nginx.conf']}\n";
        let tree = Tree::new(&[("nginx.conf", "events {}\n"), ("compose.yaml", compose)]);
        symlink("more.yaml", tree.at("more.yaml")).expect("a link");
        tree.run(&[]).exits(FINDINGS).says("more.yaml could not be read");
    }

    #[test]
    fn unreadable_files_are_findings() {
        let tree = Tree::new(&[("ok.conf", SERVER), ("locked.conf", SERVER)]);
        let locked = tree.path().join("locked.conf");
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("it is ours");
        if fs::read(&locked).is_ok() {
            // The superuser reads everything; a link in a loop is unreadable for everybody.
            fs::remove_file(&locked).expect("it is ours");
            symlink("locked.conf", &locked).expect("a link");
            tree.run(&["locked.conf"]).exits(USAGE).complains("locked.conf");
            return;
        }
        tree.run(&[]).exits(FINDINGS).says("locked.conf could not be read: permission denied");
    }

    #[test]
    fn links_lead_neither_in_circles_nor_out() {
        let tree = Tree::new(&[("conf/sites/a.conf", SERVER), ("outside/secret.conf", SERVER)]);
        let conf = tree.path().join("conf");
        symlink("..", conf.join("sites/up")).expect("a link");
        symlink("self.conf", conf.join("self.conf")).expect("a link");
        symlink("../outside", conf.join("out")).expect("a link");
        symlink("../outside/secret.conf", conf.join("secret.conf")).expect("a link");
        symlink("sites/a.conf", conf.join("again.conf")).expect("a link");
        symlink("/dev/zero", conf.join("zero.conf")).expect("a link");
        let run =
            Run::of(tree.command(&["--format", "json"]).current_dir(&conf).output().expect("it runs")).exits(CLEAN);
        assert_eq!(run.files(), 1, "what leads out is not read, what leads in is read once");
        // With a wider root the link leads to a file of the tree, but the file itself is linted already.
        assert_eq!(tree.run(&["--format", "json"]).exits(CLEAN).files(), 2);
        // A folder that holds nothing but links to files of the root is linted through them.
        let enabled = tree.path().join("sites-enabled");
        fs::create_dir(&enabled).expect("a folder");
        symlink("../conf/sites/a.conf", enabled.join("a")).expect("a link");
        assert_eq!(tree.run(&["sites-enabled", "--format", "json"]).exits(CLEAN).files(), 1);
    }

    #[test]
    fn includes_do_not_reach_devices_or_other_trees() {
        let tree = Tree::new(&[
            (
                "repo/nginx.conf",
                "events {}\nhttp {\n  include zero.conf;\n  include pipe.conf;\n  include secret.conf;\n}\n",
            ),
            ("secret.conf", "server { return 1 2 3; }\n"),
        ]);
        let repository = tree.path().join("repo");
        symlink("/dev/zero", repository.join("zero.conf")).expect("a link");
        symlink("../secret.conf", repository.join("secret.conf")).expect("a link");
        fifo(&repository.join("pipe.conf"));
        let mut command = tree.command(&["--format", "json", "nginx.conf"]);
        let run = Run::of(command.current_dir(&repository).output().expect("it runs")).exits(FINDINGS);
        let unread = run.json()["unread"].to_string();
        for name in ["zero.conf", "pipe.conf", "secret.conf"] {
            assert!(unread.contains(name), "{name} is missing in {unread}");
        }
        assert!(!run.out.contains("return 1 2 3"));
    }

    #[test]
    fn output_goes_to_devices_and_through_links() {
        let tree = Tree::new(&[("haproxy.cfg", BAD), ("real.json", "old")]);
        symlink("real.json", tree.path().join("link.json")).expect("a link");
        tree.run(&["--format", "json=/dev/null", "--format", "sarif=link.json"]).exits(FINDINGS);
        assert!(!fs::metadata("/dev/null").expect("it is there").is_file());
        assert!(fs::symlink_metadata(tree.path().join("link.json")).expect("it is there").is_symlink());
        assert!(fs::read_to_string(tree.path().join("real.json")).expect("text").starts_with('{'));
    }
}
