//! What `case.yaml` says, and where the fixtures are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::backend::Behave;

/// The root of the fixtures; a case lies at `<slug>/<dialect>[-variant]/case.yaml`.
pub const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Proxy {
    Nginx,
    Haproxy,
    /// Objects of a cluster: no program of this machine.
    Kubernetes,
}

/// One `case.yaml`. The keys are explained in `fixtures/README.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub hazard: String,
    pub proxy: Proxy,
    /// Absent where the files are a fragment that no proxy can start.
    pub entry: Option<String>,
    pub listen: Option<u16>,
    #[serde(default)]
    pub backends: Vec<BackendSpec>,
    #[serde(default)]
    pub request: RequestSpec,
    pub hosts: Option<String>,
    /// Seconds to wait before the first request (health checks).
    pub settle: Option<f64>,
    pub expect: Option<Expect>,
    pub note: String,
    pub rule: String,
    #[serde(default)]
    pub also: Vec<String>,
    #[serde(default)]
    pub at: BTreeMap<String, Vec<usize>>,
    pub confidence: Option<Confidence>,
    #[serde(default)]
    pub trap: bool,
    /// What the proxy's own check makes of `bad`.
    pub check: Option<Verdict>,
    /// What `--target` says.
    pub target: Option<String>,
    /// Which fixes make `bad` as good as `good`.
    pub fix: Option<Fix>,
    /// Rules that have something to say once the fault is mended, and not before.
    #[serde(default, rename = "reveals")]
    _reveals: Vec<String>,
    /// What this machine would need to show it, and has not: such a case is read, and not run.
    pub needs: Option<String>,
    /// A file of `name: value` lines that fill `{{ name }}` while it runs, before `replace`.
    pub values: Option<String>,
    /// Texts that stand for others while it runs: names and ports of containers, paths.
    #[serde(default)]
    pub replace: Vec<[String; 2]>,
    /// Files that are there only while it runs, with their text.
    #[serde(default)]
    pub add: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Fix {
    Safe,
    Unsafe,
}

/// What a proxy's own check makes of a configuration.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Silent,
    Warns,
    Refuses,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    Certain,
    Likely,
    Possible,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackendSpec {
    pub behave: Behave,
    #[serde(default = "loopback")]
    pub host: String,
    pub port: Option<u16>,
    pub unix: Option<String>,
    /// Octal permissions of the socket file.
    pub mode: Option<String>,
    #[serde(default)]
    pub tls: bool,
    /// The only server name that the TLS backend accepts.
    pub sni: Option<String>,
    /// Seconds for which an idle connection is kept.
    pub idle: Option<f64>,
    pub command: Option<Vec<String>>,
    #[serde(default)]
    pub records: BTreeMap<String, Answer>,
    pub later: Option<Later>,
    pub ttl: Option<u32>,
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

/// What a name server says for a name: addresses, or the words `nxdomain` and `timeout`.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    Addresses(Vec<String>),
    Word(String),
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Later {
    pub after: f64,
    pub records: BTreeMap<String, Answer>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestSpec {
    pub path: String,
    pub method: String,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    /// A body of so many bytes, for what a small one would not show (it arrives together with the header).
    pub body_bytes: Option<usize>,
    pub count: usize,
    pub pause: f64,
    pub timeout: f64,
    pub keep: bool,
    pub parallel: bool,
    pub read: bool,
    pub raw: Option<String>,
    pub upgrade: Option<f64>,
}

impl Default for RequestSpec {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            method: "GET".to_owned(),
            headers: BTreeMap::new(),
            body: None,
            body_bytes: None,
            count: 1,
            pause: 0.0,
            timeout: 40.0,
            keep: false,
            parallel: false,
            read: false,
            raw: None,
            upgrade: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub bad: Option<Wanted>,
    pub good: Wanted,
    /// Words that the bad run's log must hold.
    pub log: Option<String>,
}

/// The answers wanted: one word for all of them, or a word for each.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    All(Word),
    Each(Vec<Word>),
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Word {
    Status(u16),
    Text(String),
}

impl Word {
    fn text(&self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Wanted {
    /// Whether the proxy is expected to give up at the start.
    pub fn no_start(&self) -> bool {
        matches!(self, Self::All(Word::Text(text)) if text == "does-not-start")
    }

    /// Whether these answers are the ones wanted. `broken` stands for every kind of `broken (…)`.
    pub fn met_by(&self, got: &[String]) -> bool {
        let same = |want: &str, got: &str| got == want || (want == "broken" && got.starts_with("broken"));
        match self {
            Self::All(word) => {
                let want = word.text();
                match want.strip_prefix("some-") {
                    Some(want) => got.iter().any(|g| same(want, g)),
                    None => !got.is_empty() && got.iter().all(|g| same(&want, g)),
                }
            }
            Self::Each(words) => {
                words.len() == got.len() && words.iter().zip(got).all(|(want, got)| same(&want.text(), got))
            }
        }
    }

    pub fn shown(&self) -> String {
        match self {
            Self::All(word) => word.text(),
            Self::Each(words) => words.iter().map(Word::text).collect::<Vec<_>>().join(", "),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Bad,
    Good,
    /// `bad`, after its fixes.
    Fixed,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Good => "good",
            Self::Fixed => "fixed",
        }
    }
}

/// A case directory and its `case.yaml` as it stands (its ports are rewritten for each run).
pub struct Fixture {
    pub name: String,
    pub dir: PathBuf,
    pub yaml: String,
    pub case: Case,
    /// The folders of the broken and of the sound side.
    pub folders: [&'static str; 2],
}

impl Fixture {
    /// The folder that a side is made from.
    pub fn folder(&self, side: Side) -> PathBuf {
        let [bad, good] = self.folders;
        self.dir.join(match side {
            Side::Bad | Side::Fixed => bad,
            Side::Good => good,
        })
    }
}

/// `live` of a `stack.yaml`: a case whose sides are called otherwise, and whose rule stands above.
fn stack(yaml: &str) -> Result<Option<String>, String> {
    let mut all: serde_yaml::Mapping = serde_yaml::from_str(yaml).map_err(|e| e.to_string())?;
    let Some(serde_yaml::Value::Mapping(mut live)) = all.remove("live") else { return Ok(None) };
    for (to, from) in [("note", "shows"), ("hazard", "shows"), ("rule", "rule")] {
        live.insert(to.into(), all.get(from).cloned().unwrap_or_default());
    }
    serde_yaml::to_string(&live).map(Some).map_err(|e| e.to_string())
}

/// All cases, by name.
///
/// # Errors
/// A message that names the file, when one cannot be read or contradicts its directory.
pub fn fixtures() -> Result<Vec<Fixture>, String> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(FIXTURES).min_depth(3).max_depth(3).sort_by_file_name() {
        let entry = entry.map_err(|e| e.to_string())?;
        let is_stack = entry.file_name() == "stack.yaml";
        if entry.file_name() != "case.yaml" && !is_stack {
            continue;
        }
        let Some(dir) = entry.path().parent() else { continue };
        let name = dir.strip_prefix(FIXTURES).unwrap_or(dir).display().to_string();
        let mut yaml = fs::read_to_string(entry.path()).map_err(|e| format!("{name}: {e}"))?;
        if is_stack {
            let Some(live) = stack(&yaml).map_err(|e| format!("{name}: {e}"))? else { continue };
            yaml = live;
        }
        let case = parse(&yaml).map_err(|e| format!("{name}: {e}"))?;
        let folders = if is_stack { ["broken", "sound"] } else { ["bad", "good"] };
        if is_stack {
            let shown = case.expect.as_ref().is_some_and(|expect| expect.bad.is_some());
            if !shown || case.entry.is_none() || case.listen.is_none() {
                return Err(format!("{name}: `live` needs `entry`, `listen` and `expect` for both sides"));
            }
        } else {
            verify(dir, &case).map_err(|e| format!("{name}: {e}"))?;
        }
        found.push(Fixture { name, dir: dir.to_path_buf(), yaml, case, folders });
    }
    Ok(found)
}

/// Reads the text of a `case.yaml`.
///
/// # Errors
/// What is wrong with it.
pub fn parse(yaml: &str) -> Result<Case, String> {
    serde_yaml::from_str(yaml).map_err(|e| format!("case.yaml: {e}"))
}

/// A label that points nowhere, or a case without a side, would pass unnoticed.
fn verify(dir: &Path, case: &Case) -> Result<(), String> {
    let rule = |id: &String| id.len() == 5 && id.starts_with("GW") && id[2..].bytes().all(|b| b.is_ascii_digit());
    if !rule(&case.rule) || !case.also.iter().all(rule) {
        return Err("`rule` and `also` hold ids of rules".to_owned());
    }
    if case.hazard.is_empty() || case.note.is_empty() {
        return Err("`hazard` and `note` say what the case shows".to_owned());
    }
    if !dir.join("good").is_dir() || dir.join("bad").is_dir() == case.trap {
        return Err("a case has bad/ and good/, a trap has good/ alone".to_owned());
    }
    if case.needs.is_some() && case.entry.is_some() {
        return Err("a case that `needs` something is not run: it has no `entry`".to_owned());
    }
    if case.needs.is_none() && case.expect.is_some() && (case.listen.is_none() || case.entry.is_none()) {
        return Err("a case with `expect` needs `entry` and `listen`".to_owned());
    }
    if case.target.is_some() && case.entry.is_some() {
        return Err("what is linted for another version is not started with the one that is installed".to_owned());
    }
    if case.trap {
        return Ok(());
    }
    if case.entry.is_some() && case.check.is_none() {
        return Err("`check` is missing: what the proxy's own check makes of bad/".to_owned());
    }
    let expected = case.target.is_some() || case.expect.as_ref().is_some_and(|e| e.bad.is_some());
    if !expected || case.at.is_empty() || case.confidence.is_none() {
        return Err("a case needs `expect`, `at` and `confidence`".to_owned());
    }
    for (file, lines) in &case.at {
        let text = fs::read(dir.join("bad").join(file)).map_err(|e| format!("`at` names {file}: {e}"))?;
        let count = String::from_utf8_lossy(&text).lines().count();
        if lines.is_empty() || lines.iter().any(|line| !(1..=count).contains(line)) {
            return Err(format!("`at` names lines that {file} has not"));
        }
    }
    Ok(())
}
