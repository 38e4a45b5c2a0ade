//! The GitHub action: `action.yml` is read and its steps are run in their order, with the environment that they ask for
//! and the runner's variables, on loopback-free ground: releases come from a folder, cargo and the runner are stood in for.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What the scripts may call. Nothing else is on their PATH: no cargo, above all.
const TOOLS: &[&str] = &[
    "awk", "bash", "cat", "chmod", "cp", "cut", "dirname", "gzip", "head", "mkdir", "mktemp", "od", "printf", "rm",
    "sed", "tar", "tr", "wc", "xargs",
];

const BAD: &str = "events {}\nhttp {\n  upstream app { server 10.0.0.1:8080; }\n  server {\n    listen 8080;\n    \
                   location / {\n      proxy_read_timeout 1s;\n      proxy_pass http://app;\n    }\n  }\n}\n";
const GOOD: &str =
    "events {}\nhttp {\n  server {\n    listen 8080;\n    location / {\n      return 204;\n    }\n  }\n}\n";

#[derive(Deserialize)]
struct Action {
    inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Output>,
    runs: Runs,
}

#[derive(Deserialize)]
struct Input {
    description: String,
    default: String,
}

#[derive(Deserialize)]
struct Output {
    value: String,
}

#[derive(Deserialize)]
struct Runs {
    using: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    id: Option<String>,
    #[serde(rename = "if")]
    condition: Option<String>,
    shell: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    run: Option<String>,
    uses: Option<String>,
    #[serde(default)]
    with: BTreeMap<String, String>,
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn action() -> Action {
    serde_yaml::from_str(&fs::read_to_string(top().join("action.yml")).unwrap()).unwrap()
}

/// A runner with an empty workspace.
struct Runner {
    folder: TempDir,
    system: &'static str,
    processor: &'static str,
    download: Option<String>,
}

/// What is left of a run of the action.
#[derive(Debug)]
struct Done {
    /// Exit code of the first step that failed, or 0.
    code: i32,
    log: String,
    outputs: BTreeMap<String, String>,
    summary: String,
    /// `with` of the step that uploads, where it was reached.
    upload: Option<BTreeMap<String, String>>,
}

impl Runner {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["workspace", "temp", "bin", "home", "release"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let path = std::env::var_os("PATH").unwrap();
        let find =
            |tool: &str| std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file());
        for tool in TOOLS {
            let file = find(tool).unwrap_or_else(|| panic!("{tool} is not installed"));
            symlink(file, folder.path().join("bin").join(tool)).unwrap();
        }
        let digests: Vec<_> =
            ["sha256sum", "shasum"].into_iter().filter_map(|tool| Some((tool, find(tool)?))).collect();
        assert!(!digests.is_empty(), "neither sha256sum nor shasum is installed");
        for (tool, file) in digests {
            symlink(file, folder.path().join("bin").join(tool)).unwrap();
        }
        symlink(find("curl").expect("curl is not installed"), folder.path().join("bin/curl")).unwrap();
        let download = Some(format!("file://{}", folder.path().join("release").display()));
        Self { folder, system: "Linux", processor: "X64", download }
    }

    /// A runner with a release that holds this program, packed as a release packs it.
    fn with_release() -> Self {
        let runner = Self::new();
        runner.release("x86_64-unknown-linux-musl");
        runner
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.path("workspace").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// An executable script on the PATH of the steps, or elsewhere.
    fn script(&self, name: &str, text: &str) -> PathBuf {
        let file = self.path(name);
        let _ = fs::remove_file(&file);
        fs::write(&file, format!("#!/usr/bin/env bash\n{text}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    fn release(&self, target: &str) {
        // A script in the program's place: it is small, and what it starts is the program that was built for this test.
        self.release_of(target, &format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_gw502-lint")));
    }

    fn release_of(&self, target: &str, script: &str) {
        let program = self.script("program", script);
        let release = self.path("release");
        let run = |script: &str, arguments: &[&Path]| {
            assert!(
                Command::new("bash").arg(top().join(script)).args(arguments).status().unwrap().success(),
                "{script}"
            );
        };
        run(".ci/pack.sh", &[Path::new(target), &program, &release]);
        run(".ci/checksums.sh", &[&release]);
    }

    /// Puts a cargo on the PATH that writes down how it was called and installs a program.
    fn cargo(&self) {
        let program = format!("exec \"{}\" \"$@\"", env!("CARGO_BIN_EXE_gw502-lint"));
        self.script(
            "bin/cargo",
            &format!(
                "{{ printf '%s\\n' \"$PWD\" \"$@\"; }} >'{calls}'\n\
                 while [ \"$1\" != --root ]; do shift; done\n\
                 printf '%s\\n' '#!/usr/bin/env bash' '{program}' >\"$2/bin/gw502-lint\"\n\
                 chmod 755 \"$2/bin/gw502-lint\"",
                calls = self.path("calls").display()
            ),
        );
    }

    /// Puts git on the PATH.
    fn git(&self) {
        let path = std::env::var_os("PATH").unwrap();
        let git = std::env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file());
        symlink(git.expect("git is not installed"), self.path("bin/git")).unwrap();
    }

    /// How cargo was called: the folder, then the arguments.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Runs the action as the runner does.
    fn run(&self, inputs: &[(&str, &str)]) -> Done {
        let action = action();
        assert_eq!(action.runs.using, "composite");
        let mut given: BTreeMap<String, String> =
            action.inputs.iter().map(|(name, input)| (name.clone(), input.default.clone())).collect();
        for (name, value) in inputs {
            *given.get_mut(*name).unwrap_or_else(|| panic!("no input {name}")) = (*value).to_owned();
        }
        let mut steps: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut reached = BTreeSet::new();
        let mut done =
            Done { code: 0, log: String::new(), outputs: BTreeMap::new(), summary: String::new(), upload: None };
        let summary = self.path("summary");
        for step in &action.runs.steps {
            let value = |text: &str| evaluate(text, &given, &steps);
            let goes = match step.condition.as_deref() {
                None => done.code == 0,
                Some("inputs.upload-sarif == 'true' && steps.run.outputs.sarif-file != ''") => {
                    done.code == 0
                        && given["upload-sarif"] == "true"
                        && !value("${{ steps.run.outputs.sarif-file }}").is_empty()
                }
                Some("always() && steps.run.outcome != 'skipped'") => reached.contains("run"),
                Some(other) => panic!("{}: this test does not know the condition {other}", step.name),
            };
            if !goes {
                continue;
            }
            reached.extend(step.id.as_deref());
            let Some(script) = &step.run else {
                done.upload = Some(step.with.iter().map(|(name, text)| (name.clone(), value(text))).collect());
                continue;
            };
            assert_eq!(step.shell.as_deref(), Some("bash"), "{}", step.name);
            let file = self.path("step.sh");
            fs::write(&file, script).unwrap();
            let outputs = self.path("outputs");
            fs::write(&outputs, "").unwrap();
            let mut command = Command::new(self.path("bin/bash"));
            command.args(["--noprofile", "--norc", "-eo", "pipefail"]).arg(file);
            command.current_dir(self.path("workspace")).env_clear();
            command.env("PATH", self.path("bin")).env("HOME", self.path("home"));
            command
                .env("RUNNER_OS", self.system)
                .env("RUNNER_ARCH", self.processor)
                .env("RUNNER_TEMP", self.path("temp"));
            command.env("GITHUB_ACTION_PATH", top()).env("GITHUB_WORKSPACE", self.path("workspace"));
            command.env("GITHUB_OUTPUT", &outputs).env("GITHUB_STEP_SUMMARY", &summary);
            if let Some(url) = &self.download {
                command.env("GW502_LINT_DOWNLOAD_URL", url);
            }
            for (name, text) in &step.env {
                command.env(name, value(text));
            }
            let output = command.output().unwrap();
            done.log.push_str(&String::from_utf8_lossy(&output.stdout));
            done.log.push_str(&String::from_utf8_lossy(&output.stderr));
            if done.code == 0 {
                done.code = output.status.code().expect("no signal");
            }
            if let Some(id) = &step.id {
                let text = fs::read_to_string(&outputs).unwrap();
                let pairs = text.lines().map(|line| line.split_once('=').expect("name=value"));
                steps.insert(id.clone(), pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
            }
        }
        for (name, output) in &action.outputs {
            done.outputs.insert(name.clone(), evaluate(&output.value, &given, &steps));
        }
        done.summary = fs::read_to_string(summary).unwrap_or_default();
        done
    }
}

/// `${{ inputs.x }}` or `${{ steps.x.outputs.y }}`, alone; a step that was not reached has empty outputs.
fn evaluate(
    text: &str,
    inputs: &BTreeMap<String, String>,
    steps: &BTreeMap<String, BTreeMap<String, String>>,
) -> String {
    let inside = text.strip_prefix("${{ ").and_then(|rest| rest.strip_suffix(" }}"));
    let words: Vec<_> = inside.unwrap_or_else(|| panic!("{text} is no expression alone")).split('.').collect();
    match words[..] {
        ["inputs", name] => inputs.get(name).unwrap_or_else(|| panic!("no input {name}")).clone(),
        ["steps", id, "outputs", name] => steps.get(id).and_then(|step| step.get(name)).cloned().unwrap_or_default(),
        _ => panic!("this test does not know {text}"),
    }
}

/// Lines that the runner takes for commands, as far as it listens.
fn commands(log: &str) -> Vec<&str> {
    let mut until: Option<String> = None;
    let mut commands = Vec::new();
    for line in log.lines() {
        match &until {
            Some(end) if line == end => until = None,
            Some(_) => {}
            None if line.starts_with("::") => {
                if let Some(token) = line.strip_prefix("::stop-commands::") {
                    until = Some(format!("::{token}::"));
                }
                commands.push(line);
            }
            None => {}
        }
    }
    assert!(until.is_none(), "commands were stopped for good");
    commands
}

/// No expression is put into a script: what somebody else wrote arrives in the environment or not at all.
#[test]
fn nothing_is_put_into_scripts() {
    let action = action();
    let mut used = BTreeSet::new();
    for step in &action.runs.steps {
        for text in step.env.values().chain(step.with.values()).chain(&step.condition) {
            used.extend(action.inputs.keys().filter(|name| text.contains(&format!("inputs.{name}"))));
        }
        match (&step.run, &step.uses) {
            (Some(run), None) => {
                assert!(!run.contains("${{"), "{}: {run}", step.name);
                let script = run.strip_prefix("bash \"$GITHUB_ACTION_PATH/").and_then(|rest| rest.strip_suffix('"'));
                assert!(top().join(script.expect("calls a script")).is_file(), "{run}");
            }
            (None, Some(uses)) => {
                let (_, commit) = uses.split_once('@').expect("a version");
                assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()), "{uses}");
            }
            _ => panic!("{}: neither run nor uses", step.name),
        }
    }
    assert_eq!(used, action.inputs.keys().collect(), "each input is used");
    assert!(action.inputs.values().all(|input| !input.description.is_empty()));
}

#[test]
fn findings_annotate_and_fail_the_job() {
    let runner = Runner::with_release();
    runner.write("conf/nginx.conf", BAD);
    let done = runner.run(&[("paths", "conf")]);
    assert_eq!(done.code, 1, "{}", done.log);
    let annotations = commands(&done.log);
    assert!(annotations.iter().any(|line| line.starts_with("::warning file=conf/nginx.conf,line=7,")), "{}", done.log);
    assert_eq!(done.outputs["exit-code"], "1");
    assert_eq!(done.outputs["version"], env!("CARGO_PKG_VERSION"));
    let count = |kind: &str| done.outputs[kind].parse::<usize>().unwrap();
    assert_eq!(count("errors"), 0);
    assert!(count("warnings") > 0);
    assert_eq!(count("findings"), count("errors") + count("warnings") + count("notes"));
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&done.outputs["json-file"]).unwrap()).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), count("findings"));
    let sarif: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&done.outputs["sarif-file"]).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), count("findings"));
    assert!(done.summary.starts_with("### gw502-lint: "), "{}", done.summary);
    assert!(done.summary.contains("GW201"), "{}", done.summary);
    assert!(done.upload.is_none(), "nobody asked for an upload");
}

#[test]
fn a_clean_tree_passes() {
    let runner = Runner::with_release();
    runner.write("nginx.conf", GOOD);
    let done = runner.run(&[]);
    assert_eq!(done.code, 0, "{}", done.log);
    assert_eq!((done.outputs["exit-code"].as_str(), done.outputs["findings"].as_str()), ("0", "0"));
}

/// The findings are uploaded before the job fails for them.
#[test]
fn findings_are_uploaded_first() {
    let runner = Runner::with_release();
    runner.write("nginx.conf", BAD);
    let done = runner.run(&[("upload-sarif", "true"), ("sarif-file", "out/it.sarif"), ("summary", "false")]);
    assert_eq!(done.code, 1, "{}", done.log);
    let upload = done.upload.expect("uploaded");
    assert_eq!(upload["sarif_file"], "out/it.sarif");
    assert_eq!(upload["category"], "gw502-lint");
    assert!(runner.path("workspace/out/it.sarif").is_file());
    assert_eq!(done.summary, "");
}

/// Code scanning knows no suppressions; what somebody has decided to live with would be an open alert there.
#[test]
fn what_is_suppressed_is_not_uploaded() {
    let runner = Runner::with_release();
    let decided = BAD.replace("proxy_read_timeout", "# gw502: ignore GW201 -- answers at once\n proxy_read_timeout");
    assert_ne!(decided, BAD);
    runner.write("nginx.conf", &decided);
    let done = runner.run(&[("upload-sarif", "true")]);
    let read = |path: &str| -> serde_json::Value { serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap() };
    let upload = read(&done.upload.expect("uploaded")["sarif_file"]).to_string();
    assert!(!upload.contains("suppressions") && !upload.contains("\"ruleId\":\"GW201\""), "{upload}");
    assert_eq!(read(&done.outputs["json-file"])["summary"]["suppressed"], 1, "{}", done.log);
}

#[test]
fn the_threshold_is_the_users() {
    let runner = Runner::with_release();
    runner.write("nginx.conf", BAD);
    for (threshold, code) in [("never", 0), ("error", 0), ("warning", 1), ("note", 1)] {
        let done = runner.run(&[("fail-on", threshold)]);
        assert_eq!(done.code, code, "{threshold}: {}", done.log);
        assert_ne!(done.outputs["warnings"], "0", "{threshold}");
    }
    // What only `args` says counts, too.
    assert_eq!(runner.run(&[("args", "--fail-on error")]).code, 0);
}

/// No result is no clean result, and what an earlier run has left is none either.
#[test]
fn nothing_to_lint_fails() {
    let runner = Runner::with_release();
    runner.write("empty/readme.txt", "nothing");
    runner.write("it.sarif", "{}");
    let done = runner.run(&[("paths", "empty"), ("sarif-file", "it.sarif"), ("upload-sarif", "true")]);
    assert_eq!(done.code, 2, "{}", done.log);
    assert!(done.log.contains("nothing to lint"), "{}", done.log);
    assert!(commands(&done.log).iter().any(|line| line.starts_with("::error ")), "{}", done.log);
    assert_eq!((done.outputs["sarif-file"].as_str(), done.outputs["findings"].as_str()), ("", ""));
    assert!(done.upload.is_none());
}

/// A changed download is not installed, and nothing else is in its place.
#[test]
fn a_wrong_checksum_ends_the_job() {
    let runner = Runner::with_release();
    runner.cargo();
    runner.write("nginx.conf", GOOD);
    let archive = runner.path("release/gw502-lint-x86_64-unknown-linux-musl.tar.gz");
    let sums = runner.path("release/SHA256SUMS");
    let honest = (fs::read(&archive).unwrap(), fs::read_to_string(&sums).unwrap());

    let mut changed = honest.0.clone();
    changed.push(0);
    fs::write(&archive, changed).unwrap();
    let done = runner.run(&[]);
    assert_eq!(done.code, 2, "{}", done.log);
    assert!(done.log.contains("The checksum of gw502-lint-x86_64-unknown-linux-musl.tar.gz is "), "{}", done.log);
    assert_eq!(done.outputs["binary"], "");
    assert_eq!(done.outputs["exit-code"], "", "nothing was linted");

    fs::write(&archive, &honest.0).unwrap();
    for text in [String::new(), honest.1.replace("gw502-lint-", "other-"), format!("{0}{0}", honest.1), "x  y\n".into()]
    {
        fs::write(&sums, &text).unwrap();
        let done = runner.run(&[]);
        assert_eq!(done.code, 2, "{text:?}: {}", done.log);
        assert!(done.log.contains("SHA256SUMS of the release does not say once"), "{}", done.log);
    }
    assert_eq!(runner.calls(), [] as [&str; 0], "cargo was not asked");

    fs::write(&sums, &honest.1).unwrap();
    assert_eq!(runner.run(&[]).code, 0, "the honest one is installed");
}

#[test]
fn an_unknown_system_builds_from_source() {
    let mut runner = Runner::with_release();
    (runner.system, runner.processor) = ("Linux", "RISCV64");
    runner.cargo();
    runner.write("nginx.conf", BAD);
    runner.write(".cargo/config.toml", "[build]\nrustc-wrapper = \"./evil\"\n");
    let done = runner.run(&[]);
    assert_eq!(done.code, 1, "{}", done.log);
    assert!(done.log.contains("::warning title=gw502-lint::There is no binary for Linux on RISCV64"), "{}", done.log);
    let calls = runner.calls();
    assert_eq!(
        Path::new(&calls[0]).canonicalize().unwrap(),
        top().canonicalize().unwrap(),
        "in the action's own folder"
    );
    assert_eq!(calls[1..4], ["install", "--locked", "--root"]);
    assert_eq!(calls[5..], ["--path", "."]);
}

/// `version: source` builds, whatever a release offers.
#[test]
fn source_builds_what_the_action_is() {
    let runner = Runner::with_release();
    runner.cargo();
    runner.write("nginx.conf", GOOD);
    assert_eq!(runner.run(&[("version", "source")]).code, 0);
    assert_eq!(runner.calls()[5..], ["--path", "."]);
}

/// A version without a download comes from the registry; its build does not see the linted tree.
#[test]
fn a_release_without_a_download_is_built() {
    let runner = Runner::new();
    runner.cargo();
    runner.write("nginx.conf", GOOD);
    for (version, rest) in [("v0.0.9", ["--version", "=0.0.9", "gw502-lint"].as_slice()), ("latest", &["gw502-lint"])] {
        let done = runner.run(&[("version", version)]);
        assert_eq!(done.code, 0, "{}", done.log);
        assert!(done.log.contains("could not be downloaded"), "{}", done.log);
        let calls = runner.calls();
        let temp = runner.path("temp").canonicalize().unwrap();
        assert!(
            Path::new(&calls[0]).starts_with(&temp) || Path::new(&calls[0]).starts_with(runner.path("temp")),
            "{calls:?}"
        );
        assert_eq!(calls[5..], *rest);
    }
}

#[test]
fn without_binary_and_cargo_the_log_says_what_is_missing() {
    let mut runner = Runner::with_release();
    runner.system = "FreeBSD";
    runner.write("nginx.conf", GOOD);
    let done = runner.run(&[]);
    assert_eq!(done.code, 2, "{}", done.log);
    assert!(done.log.contains("cargo is not installed"), "{}", done.log);
}

/// The address comes from Cargo.toml, and only HTTPS is spoken.
#[test]
fn downloads_come_from_the_projects_releases() {
    let home = env!("CARGO_PKG_REPOSITORY");
    let own = env!("CARGO_PKG_VERSION");
    for (system, processor, version, wanted) in [
        ("Linux", "X64", "", format!("{home}/releases/download/v{own}/gw502-lint-x86_64-unknown-linux-musl.tar.gz")),
        ("Linux", "ARM64", "", format!("{home}/releases/download/v{own}/gw502-lint-aarch64-unknown-linux-musl.tar.gz")),
        ("macOS", "X64", "1.2.3", format!("{home}/releases/download/v1.2.3/gw502-lint-x86_64-apple-darwin.tar.gz")),
        ("macOS", "ARM64", "v1.2.3", format!("{home}/releases/download/v1.2.3/gw502-lint-aarch64-apple-darwin.tar.gz")),
        (
            "Windows",
            "X64",
            "latest",
            format!("{home}/releases/latest/download/gw502-lint-x86_64-pc-windows-msvc.tar.gz"),
        ),
    ] {
        let mut runner = Runner::new();
        (runner.system, runner.processor, runner.download) = (system, processor, None);
        let seen = runner.path("seen");
        runner.script("bin/curl", &format!("printf '%s\\n' \"$@\" >'{}'\nexit 22", seen.display()));
        runner.write("nginx.conf", GOOD);
        let done = runner.run(&[("version", version)]);
        assert_eq!(done.code, 2, "there is no cargo either");
        let seen = fs::read_to_string(seen).unwrap();
        let seen: Vec<_> = seen.lines().collect();
        assert_eq!(seen.last(), Some(&wanted.as_str()));
        assert_eq!(seen[..2], ["--proto", "=https"]);
        let archive = wanted.rsplit('/').next().unwrap();
        let release = fs::read_to_string(top().join(".github/workflows/release.yml")).unwrap();
        let target = archive.strip_prefix("gw502-lint-").unwrap().strip_suffix(".tar.gz").unwrap();
        assert!(release.contains(target), "the release has no {target}");
    }
}

/// File names are data, whatever is in them.
#[test]
fn hostile_paths_are_paths() {
    let runner = Runner::with_release();
    let names = [
        "$(touch pwned)",
        "`touch pwned`",
        "--fix",
        "-",
        "a b",
        "quote\"s'",
        "a;touch pwned",
        "x=y",
        "rules",
        "*",
        "#",
    ];
    for name in names {
        runner.write(&format!("{name}/nginx.conf"), BAD);
    }
    let done = runner.run(&[("paths", &names.join("\n")), ("format", "json"), ("summary", "false")]);
    assert_eq!(done.code, 1, "{}", done.log);
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&done.outputs["json-file"]).unwrap()).unwrap();
    let files: BTreeSet<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["labels"][0]["file"].as_str().unwrap().trim_start_matches("./").to_owned())
        .collect();
    assert_eq!(files, names.iter().map(|name| format!("{name}/nginx.conf")).collect());
    assert!(!runner.path("workspace/pwned").exists(), "nothing was run");
    assert_eq!(fs::read_to_string(runner.path("workspace/--fix/nginx.conf")).unwrap(), BAD, "nothing was fixed");
    // CRLF and blank lines are no part of a name.
    let done = runner.run(&[("paths", "\r\na b\r\n\r\n")]);
    assert_eq!(done.code, 1, "{}", done.log);
}

/// Values of inputs are data, too: refused, or handed on as they are.
#[test]
fn hostile_inputs_do_nothing() {
    let runner = Runner::with_release();
    runner.cargo();
    runner.write("nginx.conf", GOOD);
    runner.git();
    let forged = "1.0.0\n::set-output name=x::y\nbinary=/bin/true";
    for (input, value) in [
        ("version", "$(touch pwned)"),
        ("version", "../../../evil"),
        ("version", "1.0.0;touch pwned"),
        ("version", "-1.0.0"),
        ("version", forged),
        ("format", "json=/tmp/elsewhere"),
        ("format", "--fix"),
        ("format", forged),
        ("fail-on", "$(touch pwned)"),
        ("fail-on", forged),
        ("target", "`touch pwned`"),
        ("target", forged),
        ("config", "--fix"),
        ("config", "$(touch pwned)"),
        ("config", forged),
        ("working-directory", "-P"),
        ("working-directory", "$(touch pwned)"),
        ("working-directory", forged),
        ("sarif-file", forged),
        ("baseline", "$(touch pwned)"),
        ("baseline", forged),
        ("changed-since", "--output=pwned"),
        ("changed-since", "$(touch pwned)"),
        ("changed-since", forged),
        ("args", "\"not closed"),
        ("args", "--no-such-option $(touch pwned)"),
        ("paths", "no/such/$(touch pwned)"),
    ] {
        let done = runner.run(&[(input, value)]);
        assert_eq!(done.code, 2, "{input}: {value:?}: {}", done.log);
        assert!(!runner.path("workspace/pwned").exists(), "{input}: {value:?}");
        let commands = commands(&done.log);
        assert!(
            commands.iter().all(|line| line.starts_with("::error title=gw502-lint::")),
            "{input}: {value:?}: {commands:?}"
        );
        assert!(!done.outputs.values().any(|output| output.contains("/bin/true")), "{input}");
    }
    // These are odd, and lead nowhere else.
    for (input, value) in [("sarif-file", "-o$(touch pwned).sarif"), ("category", "`x`"), ("summary", "$(touch pwned)")]
    {
        let done = runner.run(&[(input, value)]);
        assert_eq!(done.code, 0, "{input}: {value:?}: {}", done.log);
        assert!(!runner.path("workspace/pwned").exists(), "{input}: {value:?}");
    }
    assert!(runner.path("workspace/-o$(touch pwned).sarif").is_file());
}

/// Quotes hold words together, and nothing else has a meaning.
#[test]
fn further_arguments_are_split_like_a_command_line() {
    let runner = Runner::with_release();
    runner.write("odd name/thing.txt", BAD);
    runner.write("nginx.conf", BAD);
    let done = runner
        .run(&[("args", "--select GW201\n  --dialect 'odd name/thing.txt=nginx'\n"), ("paths", "odd name/thing.txt")]);
    assert_eq!(done.code, 1, "{}", done.log);
    assert_eq!(done.outputs["findings"], "1", "{}", done.log);
    assert!(done.log.contains("file=odd name/thing.txt"), "{}", done.log);
    let done = runner.run(&[("args", "--ignore \"GW2,GW3\" --fail-on error")]);
    assert_eq!((done.code, done.outputs["warnings"].as_str()), (0, "0"), "{}", done.log);
    assert_eq!(runner.run(&[("args", " \n ")]).code, 1, "blanks are no argument");
}

/// Annotations need the path from the top of the repository; the folder's own configuration counts all the same.
#[test]
fn a_working_directory_keeps_its_configuration() {
    let runner = Runner::with_release();
    runner.write("stage one/conf/nginx.conf", BAD);
    runner.write("nginx.conf", BAD);
    for folder in ["stage one", "stage one/", "./stage one"] {
        let done = runner.run(&[("working-directory", folder), ("paths", "conf")]);
        assert_eq!(done.code, 1, "{}", done.log);
        assert!(done.log.contains("file=stage one/conf/nginx.conf,line=7"), "{}", done.log);
        assert!(!done.log.contains("file=nginx.conf"), "{}", done.log);
    }
    assert_eq!(runner.run(&[("working-directory", "stage one")]).code, 1);
    runner.write("stage one/.gw502.yaml", "rules:\n  GW2: off\n");
    assert_eq!(runner.run(&[("working-directory", "stage one"), ("paths", "conf")]).code, 0);
    assert_eq!(runner.run(&[("working-directory", "stage one/conf")]).code, 0, "it lies above");
    assert_eq!(runner.run(&[]).code, 1, "and does not count at the top");
    runner.write("stage one/other.yaml", "rules: {}\n");
    assert_eq!(
        runner.run(&[("working-directory", "stage one"), ("config", "other.yaml")]).code,
        1,
        "named from the folder"
    );
}

/// A format that is not made for the runner is not read by it.
#[test]
fn other_formats_are_fenced() {
    let runner = Runner::new();
    runner.release_of(
        "x86_64-unknown-linux-musl",
        "[ \"$1\" != --version ] || { echo gw502-lint 9; exit 0; }\nprintf '::error::forged'\nexit 1",
    );
    let done = runner.run(&[("format", "human")]);
    assert_eq!(done.code, 1, "{}", done.log);
    assert!(done.log.contains("\n::error::forged\n"), "{}", done.log);
    let commands = commands(&done.log);
    assert_eq!(commands.len(), 1, "{}", done.log);
    let token = commands[0].strip_prefix("::stop-commands::").expect("commands are stopped");
    assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()), "nobody can guess {token}");
}

/// Markup in a name is text in the summary, too.
#[test]
fn the_summary_is_a_table_of_text() {
    let runner = Runner::with_release();
    runner.write("<img src=x>|@you/nginx.conf", BAD);
    let done = runner.run(&[]);
    assert!(done.summary.starts_with("### gw502-lint: "), "{}", done.summary);
    assert!(done.summary.contains("| Level | Rule |"), "{}", done.summary);
    assert!(!done.summary.contains("<img") && !done.summary.contains("@you"), "{}", done.summary);
    assert_eq!(runner.run(&[("summary", "false")]).summary, done.summary, "nothing was added");
}

/// What a baseline lists, and what was there before a commit, is there and does not count.
#[test]
fn only_what_is_new_counts() {
    let runner = Runner::with_release();
    runner.git();
    let workspace = runner.path("workspace");
    let git = |arguments: &[&str]| {
        let mut command = Command::new(runner.path("bin/git"));
        command.args(["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]).args(arguments);
        command.env("HOME", runner.path("home")).env("GIT_CONFIG_NOSYSTEM", "1").current_dir(&workspace);
        assert!(command.status().unwrap().success(), "git {arguments:?}");
    };
    runner.write("old/nginx.conf", BAD);
    git(&["init", "-q", "."]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "before"]);
    git(&["tag", "before"]);
    assert_eq!(runner.run(&[]).code, 1);
    let done = runner.run(&[("changed-since", "before")]);
    assert_eq!((done.code, done.outputs["findings"].as_str()), (0, "0"), "{}", done.log);
    let baseline = Command::new(env!("CARGO_BIN_EXE_gw502-lint"))
        .arg("--write-baseline=old/known.json")
        .current_dir(&workspace)
        .output();
    assert!(baseline.unwrap().status.success());
    let done = runner.run(&[("working-directory", "old"), ("baseline", "known.json")]);
    assert_eq!((done.code, done.outputs["findings"].as_str()), (0, "0"), "{}", done.log);

    runner.write("new/nginx.conf", BAD);
    let done = runner.run(&[("changed-since", "before")]);
    assert_eq!(done.code, 1, "{}", done.log);
    assert!(done.log.contains("file=new/nginx.conf") && !done.log.contains("file=old/nginx.conf"), "{}", done.log);
}
