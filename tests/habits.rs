//! What people and scripts ask the program for besides findings: formats in files, counts, times, which files, why a file,
//! which settings.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// An `include`d site that leads to a name that nothing defines, a template, and what is passed over.
const FILES: &[(&str, &str)] = &[
    (
        "compose.yaml",
        "services:\n  web:\n    image: nginx\n    volumes:\n      - ./conf/nginx.conf:/etc/nginx/nginx.conf\n      - \
         ./conf/sites:/etc/nginx/sites\n",
    ),
    ("conf/nginx.conf", "events {}\nhttp {\n    include sites/*;\n}\n"),
    ("conf/sites/shop", "server {\n    listen 80;\n    location / {\n        error_page 500 = @nowhere;\n    }\n}\n"),
    ("lone.conf", "location / {\n    proxy_pass http://127.0.0.1:3000;\n}\n"),
    ("notes.txt", "hello\n"),
    ("php.conf", "[www]\nlisten = 9000\n"),
    ("old/nginx.conf", "events {}\n"),
    ("vendor/nginx.conf", "events {}\n"),
    (".gw502.yaml", "rules:\n  GW3: note\noverrides:\n  - {paths: [lone.conf], rules: {GW301: off}}\nexclude: [old]\n"),
];

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().expect("a scratch directory"));
        for (path, text) in FILES {
            let path = tree.path().join(path);
            fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        tree
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Exit code, standard output, standard error.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gw502-lint"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "FORCE_HYPERLINK"] {
            command.env_remove(name);
        }
        let output = command.output().expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
    }

    /// What it says when it succeeds.
    #[track_caller]
    fn says(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.run(arguments);
        assert_eq!(code, 0, "{out}\n{err}");
        out
    }

    /// What it says when it refuses.
    #[track_caller]
    fn refuses(&self, arguments: &[&str]) -> String {
        let (code, out, err) = self.run(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        err
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.says(arguments)).expect("JSON")
    }
}

#[test]
fn several_formats_in_one_run() {
    let tree = Tree::new();
    let (code, out, _) = tree.run(&[
        "--format",
        "concise",
        "--format",
        "junit=junit.xml",
        "--format",
        "gitlab=gl.json",
        "--format",
        "markdown=summary.md",
        "--format",
        "checkstyle=cs.xml",
        "--format",
        "json-lines=all.jsonl",
    ]);
    assert_eq!(code, 1);
    assert!(out.starts_with("conf/sites/shop:4:"), "{out}");
    let read = |path: &str| fs::read_to_string(tree.path().join(path)).expect("written");
    assert!(read("junit.xml").contains("<testsuites "));
    assert!(read("gl.json").contains("\"check_name\": \"GW003\""));
    assert!(read("summary.md").starts_with("### gw502-lint: "));
    assert!(read("cs.xml").contains("<checkstyle "));
    assert!(read("all.jsonl").lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let left: Vec<_> = fs::read_dir(tree.path())
        .expect("readable")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .filter(|name| name.starts_with(".gw502-lint-"))
        .collect();
    assert!(left.is_empty(), "nothing half-written stays: {left:?}");
}

#[test]
fn findings_are_counted() {
    let tree = Tree::new();
    let (code, out, _) = tree.run(&["--statistics"]);
    assert_eq!(code, 1, "the exit code is that of the findings");
    assert!(out.contains("1  GW003  undefined-reference") && !out.contains("conf/sites/shop"), "{out}");
    assert!(tree.refuses(&["--statistics", "--format", "sarif"]).contains("human and concise"));
    let (code, out, _) = tree.run(&["--statistics", "--format", "sarif=out.sarif", "--format", "concise"]);
    assert_eq!((code, out.contains("undefined-reference")), (1, true), "{out}");
}

#[test]
fn times_go_to_standard_error() {
    let tree = Tree::new();
    let (code, out, err) = tree.run(&["--timings", "--format", "json", "--select", "GW003,GW001"]);
    assert_eq!(code, 1);
    serde_json::from_str::<Value>(&out).expect("the report alone");
    for part in ["reading and parsing", "linking", " rules", "writing", " all", "GW003 undefined-reference"] {
        assert!(err.contains(part), "{part} is not in\n{err}");
    }
    assert!(!err.contains("GW201"), "a rule that does not run takes no time");
    let (_, _, err) = tree.run(&["--timings", "--diff"]);
    assert!(err.contains(" all"), "{err}");
    let (_, _, err) = tree.run(&["--timings", "--fix"]);
    assert_eq!(err.matches("linking").count(), 1, "several rounds are one sum");
}

#[test]
fn files_are_listed_with_what_they_are() {
    let tree = Tree::new();
    let listed = tree.says(&["--list-files"]);
    let has = |path: &str, words: &str| {
        assert!(listed.lines().any(|line| line.starts_with(path) && line.contains(words)), "{path}: {words}\n{listed}");
    };
    has("conf/nginx.conf", "nginx, the main file");
    has("conf/sites/shop", "nginx, included from conf/nginx.conf:3");
    has("lone.conf", "nginx, a part");
    has("compose.yaml", "surroundings");
    has(".gw502.yaml", "settings");
    for passed_over in ["notes.txt", "php.conf", "vendor", "old/"] {
        assert!(!listed.contains(passed_over), "{passed_over}\n{listed}");
    }
    let json = tree.json(&["--list-files", "--format", "json"]);
    let shop = json["files"].as_array().expect("files").iter().find(|file| file["path"] == "conf/sites/shop").unwrap();
    assert_eq!((&shop["dialect"], &shop["role"]), (&"nginx".into(), &"included".into()));
    assert_eq!(shop["included_from"][0]["line"], 3);
    let main = json["files"].as_array().expect("files").iter().find(|file| file["role"] == "main").unwrap();
    assert_eq!((&main["path"], &main["runs_in"][0]["service"]), (&"conf/nginx.conf".into(), &"web".into()));
    assert_eq!(main["includes"][0]["file"], "conf/sites/shop");
    assert!(tree.refuses(&["--list-files", "--format", "sarif"]).contains("human and json"));
    assert!(tree.refuses(&["--list-files", "notes.txt"]).contains("--dialect"));
}

#[test]
fn a_file_is_explained() {
    let tree = Tree::new();
    let explains = |path: &str, all: &[&str]| {
        let said = tree.says(&["--explain-file", path]);
        for words in all {
            assert!(said.contains(words), "{path}: {words:?} is not in\n{said}");
        }
    };
    explains(
        "conf/nginx.conf",
        &["the main file", "the one that nginx looks for", "line 3 includes conf/sites/shop", "`web` runs it"],
    );
    explains("conf/sites/shop", &["included from conf/nginx.conf:3", "config show"]);
    explains("lone.conf", &["a part of a configuration", "its name does not say", "its content is nginx"]);
    explains("notes.txt", &["not linted", "nothing in its name", "--dialect 'notes.txt=nginx'"]);
    explains("php.conf", &["not linted", "of another format", "--dialect"]);
    explains("vendor/nginx.conf", &["not linted", "vendor or target", "--no-ignore"]);
    explains("old/nginx.conf", &["not linted", "`exclude`", "config show"]);
    explains("compose.yaml", &["compose file"]);
    assert!(tree.refuses(&["--explain-file", "gone.conf"]).contains("there is no file or folder gone.conf"));
    assert!(tree.refuses(&["--explain-file", "conf"]).contains("--list-files"));
    let json = tree.json(&["--explain-file", "lone.conf", "--format", "json"]);
    assert_eq!((&json["linted"], &json["path"]), (&true.into(), &"lone.conf".into()));
    fs::write(tree.path().join(".gitignore"), "lone.conf\n").expect("written");
    explains("lone.conf", &["not linted", "an ignore file"]);
    let said = tree.says(&["--explain-file", "lone.conf", "lone.conf"]);
    assert!(said.contains("a part of a configuration"), "what is named is linted: {said}");
}

#[test]
fn settings_are_shown_with_their_place() {
    let tree = Tree::new();
    let has = |said: &str, start: &str, words: &str| {
        let line = said.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_default();
        assert!(line.contains(words), "{start}: {words}\n{said}");
    };
    let said = tree.says(&["config", "show", "lone.conf"]);
    has(&said, "Settings for lone.conf", "from .gw502.yaml");
    has(&said, "GW301", "off");
    has(&said, "GW301", ".gw502.yaml:4 (overrides)");
    has(&said, "GW302", ".gw502.yaml:2");
    has(&said, "GW201 min", "default");
    let said = tree.says(&["config", "show"]);
    has(&said, "GW301", "note");
    assert!(tree.says(&["config", "show", "old/nginx.conf"]).contains("Excluded"));
    let json = tree.json(&["config", "show", "lone.conf", "--format", "json"]);
    let levels = json["levels"].as_array().expect("levels");
    assert!(levels.iter().any(|level| level["from"].is_null()), "those that nobody set as well");
    assert!(tree.refuses(&["config", "show", "gone.conf"]).contains("gone.conf"));
    fs::write(tree.path().join(".gw502.yaml"), "rules: {GW3: loud}\n").expect("written");
    assert!(tree.refuses(&["config", "show"]).contains("has mistakes"));
    fs::remove_file(tree.path().join(".gw502.yaml")).expect("removed");
    assert!(tree.says(&["config", "show"]).contains("there is no .gw502.yaml"));
}

#[test]
fn hostile_names_and_settings_reach_nobody_raw() {
    let tree = Tree::new();
    let name = "\u{1b}[31m\u{202e}::error::x ##[group].conf";
    fs::write(tree.path().join(name), "location / {\n    proxy_pass http://127.0.0.1:3000;\n}\n").expect("written");
    fs::write(tree.path().join("\u{1b}x"), "").expect("written");
    let settings = "ignore:\n  - {rule: GW301, path: '**', reason: \"\\e[31m ##[error]x\\n::error::y\"}\n";
    fs::write(tree.path().join(".gw502.yaml"), settings).expect("written");
    for arguments in [
        &["--list-files"][..],
        &["--list-files", "--format", "json"],
        &["--explain-file", name],
        &["--explain-file", name, "--format", "json"],
        &["--explain-file", "\u{1b}x"],
        &["config", "show", name],
        &["config", "show", name, "--format", "json"],
    ] {
        let said = tree.says(arguments);
        for raw in ["\u{1b}", "\u{202e}", "##["] {
            assert!(!said.contains(raw), "{arguments:?} holds {raw:?}: {said}");
        }
        assert!(!said.lines().any(|line| line.trim_start().starts_with("::")), "{arguments:?}: {said}");
    }
}

#[test]
fn links_are_for_terminals() {
    let tree = Tree::new();
    let link = "\u{1b}]8;;https://";
    for arguments in [&["--format", "concise"][..], &[], &["--statistics"]] {
        let (_, out, _) = tree.run(arguments);
        assert!(!out.contains('\u{1b}'), "a pipe is none: {out}");
        let always: Vec<&str> = arguments.iter().copied().chain(["--hyperlinks", "always"]).collect();
        assert!(tree.run(&always).1.contains(link));
    }
    let (_, out, _) = tree.run(&["--color", "always", "--hyperlinks", "never"]);
    assert!(!out.contains(link) && out.contains("\u{1b}["));
}

#[test]
fn scripts_and_pages_are_made_of_the_same_definition() {
    let tree = Tree::new();
    for (shell, words) in [("bash", "complete -F"), ("zsh", "#compdef gw502-lint"), ("fish", "complete -c gw502-lint")]
    {
        let script = tree.says(&["completions", shell]);
        assert!(script.contains(words) && script.contains("json-lines"), "{shell}");
    }
    assert!(tree.refuses(&["completions", "cmd"]).contains("powershell"));
    assert!(tree.says(&["man"]).contains(".TH gw502-lint 1"));
    tree.says(&["man", "--folder", "."]);
    assert!(tree.path().join("gw502-lint-config-show.1").exists());
}
