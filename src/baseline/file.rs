//! The baseline file: JSON with one finding on each line, sorted, so that a difference shows what came and went.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The version of the format. It is raised when keys are made in another way, too.
pub const VERSION: u32 = 1;

/// The line by which a file is known as one of ours, damaged or not.
pub const TOOL_LINE: &str = "\"tool\": \"gw502-lint\"";

/// Most characters of a reader's text.
const MAX_TEXT: usize = 100;

/// What the file says of equal findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file, seen from the folder from which the baseline counts.
    pub path: String,
    /// The rule's code.
    pub rule: String,
    /// Their key.
    pub key: u64,
    /// How many there are.
    pub count: u32,
    /// The line of the first one, for readers; it decides nothing.
    pub text: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    path: String,
    rule: String,
    key: String,
    #[serde(default = "one")]
    count: u32,
    #[serde(default)]
    text: String,
}

const fn one() -> u32 {
    1
}

#[derive(Deserialize)]
struct Head {
    version: u64,
}

#[derive(Deserialize)]
struct Document {
    findings: Vec<Line>,
}

/// Reads a file: its entries, sorted, equal ones added up (two branches may have been merged).
///
/// # Errors
/// What is wrong with it, in words that go on from "FILE ".
pub fn read(text: &str) -> Result<Vec<Entry>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head: Head = serde_json::from_str(text).map_err(|error| damaged(text, &error))?;
    if head.version > u64::from(VERSION) {
        return Err(format!(
            "was written by a newer gw502-lint: its version is {}, and this one reads {VERSION}",
            head.version
        ));
    }
    if head.version != u64::from(VERSION) {
        return Err(format!("has the version {}, which there never was", head.version));
    }
    let document: Document = serde_json::from_str(text).map_err(|error| damaged(text, &error))?;
    let mut entries: BTreeMap<(String, String, u64), (u32, String)> = BTreeMap::new();
    for line in document.findings {
        let key =
            u64::from_str_radix(&line.key, 16).ok().filter(|_| line.key.len() == 16 && !line.key.starts_with('+'));
        let Some(key) = key else {
            return Err("is damaged: the key of a finding is 16 hexadecimal digits".into());
        };
        let (count, _) = entries.entry((line.path, line.rule, key)).or_insert((0, line.text));
        *count = count.saturating_add(line.count);
    }
    let entry = |((path, rule, key), (count, text))| Entry { path, rule, key, count, text };
    Ok(entries.into_iter().map(entry).filter(|entry| entry.count > 0).collect())
}

fn damaged(text: &str, error: &serde_json::Error) -> String {
    if text.lines().any(|line| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")) {
        return "holds the marks of a merge that was not finished".into();
    }
    if text.trim().is_empty() {
        return "is empty".into();
    }
    format!("is damaged: {error}")
}

/// Writes entries: sorted, equal ones added up, each on a line of its own.
#[must_use]
pub fn write(entries: impl IntoIterator<Item = Entry>) -> String {
    let mut sorted: BTreeMap<(String, String, u64), (u32, String)> = BTreeMap::new();
    for entry in entries {
        let (count, text) = sorted.entry((entry.path, entry.rule, entry.key)).or_insert((0, entry.text));
        *count = count.saturating_add(entry.count);
        text.truncate(text.char_indices().nth(MAX_TEXT).map_or(text.len(), |(end, _)| end));
    }
    let mut out = format!("{{\n  \"version\": {VERSION},\n  {TOOL_LINE},\n  \"findings\": [");
    let mut first = true;
    for ((path, rule, key), (count, text)) in sorted {
        let line = Line { path, rule, key: format!("{key:016x}"), count, text };
        // Text, numbers and nothing else: this cannot fail.
        let line = serde_json::to_string(&line).unwrap_or_default();
        let _ = write!(out, "{}\n    {line}", if std::mem::take(&mut first) { "" } else { "," });
    }
    out.push_str(if first { "]\n}\n" } else { "\n  ]\n}\n" });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, key: u64, count: u32) -> Entry {
        Entry { path: path.into(), rule: "GW201".into(), key, count, text: "proxy_read_timeout 2s".into() }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = write([entry("b", 2, 1), entry("a", 255, 2), entry("b", 2, 1)]);
        assert_eq!(
            text,
            "{\n  \"version\": 1,\n  \"tool\": \"gw502-lint\",\n  \"findings\": [\n    \
             {\"path\":\"a\",\"rule\":\"GW201\",\"key\":\"00000000000000ff\",\"count\":2,\"text\":\"proxy_read_timeout 2s\"},\n    \
             {\"path\":\"b\",\"rule\":\"GW201\",\"key\":\"0000000000000002\",\"count\":2,\"text\":\"proxy_read_timeout 2s\"}\n  ]\n}\n"
        );
        assert_eq!(read(&text), Ok(vec![entry("a", 255, 2), entry("b", 2, 2)]));
        assert_eq!(read(&text.replace('\n', "\r\n")), read(&text));
        assert_eq!(read(&write([])), Ok(Vec::new()));
        assert!(write([Entry { text: "é".repeat(500), ..entry("a", 1, 1) }]).len() < 400);
    }

    #[test]
    fn what_is_no_baseline_is_refused_in_words() {
        let with = |line: &str| format!("{{\"version\": 1, \"findings\": [{line}]}}");
        for (text, words) in [
            ("", "is empty"),
            ("events {}\n", "is damaged: "),
            ("[1]", "is damaged: "),
            ("{}", "missing field `version`"),
            ("{\"version\": 1}", "missing field `findings`"),
            ("{\"version\": 2, \"results\": {}}", "newer gw502-lint: its version is 2, and this one reads 1"),
            ("{\"version\": 0}", "there never was"),
            ("{\n<<<<<<< HEAD\n", "a merge that was not finished"),
            (&with("{\"path\": \"a\", \"rule\": \"GW201\", \"key\": \"12\"}"), "16 hexadecimal digits"),
            (&with("{\"path\": \"a\", \"rule\": \"GW201\", \"key\": \"+00000000000000f\"}"), "16 hexadecimal digits"),
            (&with("{\"path\": \"a\", \"key\": \"00000000000000ff\"}"), "missing field `rule`"),
            (
                &with("{\"path\": \"a\", \"rule\": \"GW201\", \"key\": \"00000000000000ff\", \"count\": -1}"),
                "is damaged: ",
            ),
            (&format!("{{\"version\": 1, \"x\": {}", "[".repeat(200_000)), "is damaged: "),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(words), "{text:.80}: {refused}");
        }
        let line =
            "{\"path\": \"a\", \"rule\": \"GW201\", \"key\": \"00000000000000ff\", \"count\": 4294967295, \"of\": {}}";
        let twice = read(&with(&format!("{line}, {line}"))).unwrap();
        assert_eq!(
            (twice.len(), twice[0].count),
            (1, u32::MAX),
            "what is not known is passed over, equal ones are added up"
        );
    }
}
