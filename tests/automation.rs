//! The repository's own automation, judged by the tools that others judge theirs with. Where a tool is missing, its test
//! is shown as ignored; `tests/run.sh` installs them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects")]

use libtest_mimic::{Arguments, Failed, Trial};
use serde_yaml::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tool = |name: &str, test: fn(&Path) -> Result<(), Failed>| {
        let found = installed(name);
        let missing = found.is_none();
        let name = if missing { format!("{name} (not installed)") } else { name.to_owned() };
        Trial::test(name, move || test(&found.expect("a missing tool is not asked for"))).with_ignored_flag(missing)
    };
    let trials = vec![
        tool("zizmor", zizmor),
        tool("actionlint", actionlint),
        tool("shellcheck", shellcheck),
        tool("pre-commit", pre_commit),
        script("hook_from_source", "tests/hook.sh", "pre-commit"),
        script("wheel", "tests/wheel.sh", "maturin"),
        Trial::test("pinned_by_commit", pinned_by_commit),
        Trial::test("versions_agree", versions_agree),
        Trial::test("package_is_complete", package_is_complete),
        Trial::test("changes_of_a_version", changes_of_a_version),
        Trial::test("recipes_hold", recipes_hold),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A script that builds the program as somebody else's tool does it, without optimisation and without the network. What
/// it has built stays for the next time.
fn script(name: &str, script: &'static str, needs: &str) -> Trial {
    // Environments of Python look otherwise on Windows.
    let lacks = [needs, "bash", "git", "python3"].into_iter().find(|tool| cfg!(windows) || installed(tool).is_none());
    let name = lacks.map_or_else(|| name.to_owned(), |tool| format!("{name} ({tool} not installed)"));
    let run = move || {
        let mut command = Command::new("bash");
        command.arg(top().join(script)).arg("dev").current_dir(top());
        command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages"));
        command.env("CARGO_NET_OFFLINE", "true").env("CARGO_INCREMENTAL", "0");
        for profile in ["DEV", "RELEASE"] {
            command.env(format!("CARGO_PROFILE_{profile}_DEBUG"), "0");
        }
        passes(&mut command)
    };
    Trial::test(name, run).with_ignored_flag(lacks.is_some())
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| [folder.join(name), folder.join(format!("{name}.exe"))])
        .find(|file| file.is_file())
}

fn read(name: &str) -> String {
    fs::read_to_string(top().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Files right in a folder whose names end like this.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(top().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut found: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.to_string_lossy().ends_with(ending));
    found.sort();
    found
}

fn workflows() -> Vec<PathBuf> {
    files(".github/workflows", ".yml")
}

fn text_of(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn passes(command: &mut Command) -> Result<(), Failed> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}\n{}", text_of(&output)).into()) }
}

/// Offline, because a test must not depend on what somebody else's server says today.
fn zizmor(program: &Path) -> Result<(), Failed> {
    let mut command = Command::new(program);
    command.args(["--offline", "--no-progress", "--persona=pedantic", "--strict-collection"]);
    passes(command.arg(top().join("action.yml")).arg(top().join(".github")))
}

fn actionlint(program: &Path) -> Result<(), Failed> {
    passes(Command::new(program).args(workflows()).current_dir(top()))
}

fn shellcheck(program: &Path) -> Result<(), Failed> {
    let mut scripts = vec![top().join(".ci/run")];
    for folder in [".ci", "action", "tests"] {
        scripts.extend(files(folder, ".sh"));
    }
    assert!(scripts.len() > 8, "{scripts:?}");
    passes(
        Command::new(program)
            .args(["--external-sources", "--source-path=SCRIPTDIR/.."])
            .args(scripts)
            .current_dir(top()),
    )
}

/// `pre-commit try-repo` with the hook that uses the installed program. The other hook builds from source.
fn pre_commit(program: &Path) -> Result<(), Failed> {
    let scratch = tempfile::tempdir()?;
    let (hooks, repository) = (scratch.path().join("hooks"), scratch.path().join("repository"));
    let path = {
        let own = Path::new(env!("CARGO_BIN_EXE_gw502-lint")).parent().unwrap().to_path_buf();
        let all = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths([own].into_iter().chain(std::env::split_paths(&all)))?
    };
    let run = |program: &Path, folder: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder);
        // Nothing of the developer's own: no configuration of git, no cache of hooks.
        command.env("HOME", scratch.path()).env("PRE_COMMIT_HOME", scratch.path().join("cache")).env("PATH", &path);
        command.env("GIT_CONFIG_NOSYSTEM", "1").env_remove("GIT_DIR").env_remove("GIT_INDEX_FILE");
        for kind in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{kind}_NAME"), "Somebody")
                .env(format!("GIT_{kind}_EMAIL"), "somebody@example.org");
        }
        command.output().map_err(|error| Failed::from(format!("{command:?}: {error}")))
    };
    let git = |folder: &Path, arguments: &[&str]| {
        let output = run(Path::new("git"), folder, arguments)?;
        if output.status.success() {
            Ok(())
        } else {
            Err(Failed::from(format!("git {arguments:?}: {}", text_of(&output))))
        }
    };
    fs::create_dir(&hooks)?;
    fs::copy(top().join(".pre-commit-hooks.yaml"), hooks.join(".pre-commit-hooks.yaml"))?;
    git(&hooks, &["init", "-q", "."])?;
    git(&hooks, &["add", "."])?;
    git(&hooks, &["commit", "-q", "-m", "hooks"])?;
    let stack = top().join("fixtures/port-mismatch/nginx-compose-ports");
    let hook =
        |folder: &Path| run(program, folder, &["try-repo", hooks.to_str().unwrap(), "gw502-lint-system", "--verbose"]);
    for (side, status) in [("good", Some(0)), ("bad", Some(1))] {
        let folder = repository.join(side);
        for entry in walkdir::WalkDir::new(stack.join(side)) {
            let entry = entry?;
            let to = folder.join(entry.path().strip_prefix(stack.join(side))?);
            if entry.file_type().is_dir() { fs::create_dir_all(to)? } else { fs::copy(entry.path(), to).map(drop)? }
        }
        git(&folder, &["init", "-q", "."])?;
        git(&folder, &["add", "nginx"])?;
        // What is staged is a part; what is linted is the whole.
        let output = hook(&folder)?;
        if output.status.code() != status || text_of(&output).contains("GW101") != (side == "bad") {
            return Err(format!("{side}: {}", text_of(&output)).into());
        }
        // A picture is no reason to lint.
        git(&folder, &["rm", "-r", "-q", "--cached", "nginx"])?;
        fs::write(folder.join("logo.png"), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0")?;
        git(&folder, &["add", "logo.png"])?;
        let output = hook(&folder)?;
        if !output.status.success() || !text_of(&output).contains("Skipped") {
            return Err(format!("{side}, a picture: {}", text_of(&output)).into());
        }
    }
    Ok(())
}

/// What others publish under a name can change; a commit cannot.
fn pinned_by_commit() -> Result<(), Failed> {
    let mut seen = BTreeSet::new();
    for file in workflows().into_iter().chain([top().join("action.yml")]) {
        let text = fs::read_to_string(&file)?;
        let mut checkouts = 0;
        for line in text.lines().filter_map(|line| line.split_once("uses: ").map(|(_, rest)| rest)) {
            if line.starts_with("./ ") {
                continue;
            }
            let (name, rest) = line.split_once('@').ok_or_else(|| format!("{}: {line}", file.display()))?;
            let (commit, version) = rest.split_once(" # v").ok_or_else(|| format!("{}: {line}", file.display()))?;
            let whole = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            if !whole || version.split('.').count() != 3 {
                return Err(format!("{}: {line}", file.display()).into());
            }
            checkouts += usize::from(name == "actions/checkout");
            seen.insert((name.to_owned(), commit.to_owned()));
        }
        if text.matches("persist-credentials: false").count() != checkouts {
            return Err(format!("{}: a checkout keeps its credentials", file.display()).into());
        }
    }
    let names: BTreeSet<_> = seen.iter().map(|(name, _)| name).collect();
    assert!(names.len() >= 5, "the actions are not found any more: {names:?}");
    assert_eq!(names.len(), seen.len(), "one action in two versions: {seen:#?}");
    Ok(())
}

/// What stands in several files stands there once in truth.
fn versions_agree() -> Result<(), Failed> {
    let rust = env!("CARGO_PKG_RUST_VERSION");
    assert!(read("Dockerfile").contains(&format!("FROM rust:{rust}-alpine ")), "Dockerfile: Rust {rust}");
    assert!(read("CONTRIBUTING.md").contains(&format!("Rust {rust} or newer")), "CONTRIBUTING.md: Rust {rust}");
    let python = read("pyproject.toml");
    for text in [
        format!("name = \"{}\"", env!("CARGO_PKG_NAME")),
        format!("description = \"{}\"", env!("CARGO_PKG_DESCRIPTION")),
        format!("license = \"{}\"", env!("CARGO_PKG_LICENSE")),
        format!("Repository = \"{}\"", env!("CARGO_PKG_REPOSITORY")),
    ] {
        assert!(python.contains(&text), "pyproject.toml: {text}");
    }
    // A release's documents name that release.
    let mut named = 0;
    for file in ["README.md", "docs/ci.md"] {
        let text = read(file);
        for before in ["gw502-lint@v", "rev: v", "gw502-lint==", "gw502-lint:"] {
            for after in text.split(before).skip(1).filter(|after| after.starts_with(|c: char| c.is_ascii_digit())) {
                let version: String = after.chars().take_while(|c| !c.is_whitespace() && *c != '`').collect();
                assert_eq!(version, env!("CARGO_PKG_VERSION"), "{file}: {before}{version}");
                named += 1;
            }
        }
    }
    assert!(named > 5, "the versions are not found any more: {named}");
    assert!(read("Dockerfile").contains(&format!("source=\"{}\"", env!("CARGO_PKG_REPOSITORY"))), "Dockerfile");
    Ok(())
}

/// The crate holds what builds it, what says what it is, and no more than half a thousand files.
fn package_is_complete() -> Result<(), Failed> {
    let mut command = Command::new(env!("CARGO"));
    let output =
        command.args(["package", "--list", "--allow-dirty", "--locked", "--offline"]).current_dir(top()).output()?;
    if !output.status.success() {
        return Err(text_of(&output).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let listed: BTreeSet<_> = text.lines().map(|line| line.replace('\\', "/")).collect();
    for name in
        ["Cargo.lock", "build.rs", "README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "docs/package.md"]
    {
        assert!(listed.contains(name), "{name} is not packaged");
    }
    for folder in ["src", "grammar", "rules"] {
        for entry in walkdir::WalkDir::new(top().join(folder)) {
            let entry = entry?;
            if entry.file_type().is_file() {
                let name = entry.path().strip_prefix(top())?.to_string_lossy().replace('\\', "/");
                assert!(listed.contains(&name), "{name} is not packaged");
            }
        }
    }
    let large: Vec<_> = ["fixtures/", "tests/", "benches/", "action/", ".ci/", ".github/"]
        .into_iter()
        .filter(|folder| listed.iter().any(|name| name.starts_with(folder)))
        .collect();
    assert!(large.is_empty(), "packaged, and not needed: {large:?}");
    assert!(listed.len() < 500, "{} files", listed.len());
    Ok(())
}

/// What docs/ci.md and the README tell people to write is there: options, formats, inputs, hooks.
fn recipes_hold() -> Result<(), Failed> {
    let help = Command::new(env!("CARGO_BIN_EXE_gw502-lint")).arg("--help").output()?;
    let help = String::from_utf8(help.stdout)?;
    let recipes = read("docs/ci.md");
    let readme = read("README.md");
    let readme = readme.split("### In CI").nth(1).and_then(|rest| rest.split("\n## ").next()).ok_or("no section")?;
    let action: Value = serde_yaml::from_str(&read("action.yml"))?;
    let known = |part: &str, name: &str| action.get(part).and_then(|part| part.get(name)).is_some();
    let (mut options, mut inputs) = (0, 0);

    // Of docker, git, pipx, cargo and gh, which stand in the same recipes.
    let others = ["--rm", "--user", "--repo", "--spec", "--locked"];
    for word in recipes.split(|c: char| !c.is_ascii_lowercase() && c != '-') {
        if word.len() > 3 && word.starts_with("--") && !word.starts_with("---") && !others.contains(&word) {
            assert!(help.contains(&format!("{word} <")), "gw502-lint has no {word}");
            options += 1;
        }
    }
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("nginx.conf"), "events {}\n")?;
    for at in recipes.split("--format").skip(1).filter_map(|rest| rest.strip_prefix([' ', '='])) {
        let format: String = at.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
        let mut command = Command::new(env!("CARGO_BIN_EXE_gw502-lint"));
        passes(command.arg(format!("--format={format}")).current_dir(folder.path()))?;
    }
    for text in [recipes.as_str(), readme] {
        for block in text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            let block: Value = serde_yaml::from_str(block).map_err(|error| format!("{error}\n{block}"))?;
            each(&block, &mut |entry| {
                if entry.get("uses").and_then(Value::as_str).is_some_and(|uses| uses.starts_with("gw502/gw502-lint@")) {
                    for (name, _) in entry.get("with").and_then(Value::as_mapping).into_iter().flatten() {
                        let name = name.as_str().unwrap_or_default();
                        assert!(known("inputs", name), "action.yml has no input {name}");
                        inputs += 1;
                    }
                }
            });
        }
    }
    assert!(options > 10 && inputs > 3, "the recipes are not found any more: {options}, {inputs}");
    // The tables of inputs and outputs are whole.
    for part in ["inputs", "outputs"] {
        for (name, _) in action.get(part).and_then(Value::as_mapping).into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            let rows = recipes.lines().filter(|line| line.starts_with("| `"));
            let said = rows.filter_map(|line| line.split(" | ").next()).any(|cell| cell.contains(&format!("`{name}`")));
            assert!(said, "docs/ci.md does not explain {name}");
        }
    }
    Ok(())
}

/// Each mapping in a document.
fn each(value: &Value, what: &mut impl FnMut(&Value)) {
    match value {
        Value::Mapping(entries) => {
            what(value);
            entries.iter().for_each(|(_, inner)| each(inner, what));
        }
        Value::Sequence(items) => items.iter().for_each(|item| each(item, what)),
        _ => {}
    }
}

/// The text of a release is the section of its version, and a version without one is not released.
fn changes_of_a_version() -> Result<(), Failed> {
    let Some(bash) = installed("bash") else { return Err("bash is not installed".into()) };
    let scratch = tempfile::tempdir()?;
    fs::create_dir(scratch.path().join(".ci"))?;
    for script in ["changes.sh", "version.sh"] {
        fs::copy(top().join(".ci").join(script), scratch.path().join(".ci").join(script))?;
    }
    fs::write(scratch.path().join("Cargo.toml"), "[package]\nname = \"x\"\nversion = \"1.2.0\"\n")?;
    fs::write(
        scratch.path().join("CHANGELOG.md"),
        "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.0] - 2026-01-02\n\n### Added\n\n- this\n\n## [1.2.0-rc.1]\n\n- before\n\n[1.2.0]: x\n",
    )?;
    let run = |script: &str, tag: &str| Command::new(&bash).arg(scratch.path().join(script)).arg(tag).output();
    let changes = run(".ci/changes.sh", "v1.2.0")?;
    assert_eq!(String::from_utf8_lossy(&changes.stdout).trim(), "### Added\n\n- this");
    assert!(run(".ci/version.sh", "v1.2.0")?.status.success());
    assert!(!run(".ci/changes.sh", "v1.3.0")?.status.success());
    for tag in ["v1.3.0", "1.2.0", "v1.2.0-rc.1"] {
        assert!(!run(".ci/version.sh", tag)?.status.success(), "{tag}");
    }
    Ok(())
}
