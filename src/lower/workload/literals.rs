//! Settings in programs' own languages, as far as they can be read without running them: `gunicorn.conf.py`, `puma.rb`.

use super::gather::Gather;
use crate::source::FileId;
use crate::syntax::words::{HOLE, Text, Variable};

/// Settings that were read.
#[derive(Debug, Default)]
pub(super) struct Literals {
    values: Vec<(String, Text)>,
    /// Whether there may be others.
    pub open: bool,
}

impl Literals {
    /// A file that could not be read.
    pub fn unknown() -> Self {
        Self { values: Vec::new(), open: true }
    }

    /// The last value of a name.
    pub fn get(&self, name: &str) -> Option<Text> {
        self.values.iter().rev().find(|(other, _)| other == name).map(|(_, text)| text.clone())
    }

    /// All values of a name: the items of a list.
    pub fn all(&self, name: &str) -> Vec<Text> {
        self.values.iter().filter(|(other, _)| other == name).map(|(_, text)| text.clone()).collect()
    }
}

/// Longest file that is read for its settings.
const MAX_BYTES: usize = 64 * 1024;

/// Names of `gunicorn.conf.py` that matter here.
const GUNICORN: &[&str] = &["bind", "timeout", "keepalive", "worker_class", "workers", "threads", "graceful_timeout"];

/// `name = literal` lines of Python. What is computed is a hole, but for variables with a literal default.
pub(super) fn python(gather: &Gather<'_, '_>, id: FileId) -> Literals {
    let file = gather.files.sources.share(id);
    let text = file.text();
    if text.len() > MAX_BYTES {
        return Literals::unknown();
    }
    let mut found = Literals::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let trimmed = line.trim_start();
        if trimmed.starts_with("exec(") || trimmed.starts_with("from ") && trimmed.contains("import *") {
            found.open = true;
        }
        let Some((name, value)) = trimmed.split_once('=') else { continue };
        let name = name.split(':').next().unwrap_or("").trim();
        if !GUNICORN.contains(&name) || value.starts_with('=') {
            continue;
        }
        found.values.retain(|(other, _)| other != name);
        let indented = trimmed.len() < line.len();
        let begin = start + (line.len() - trimmed.len());
        let value_at = start + (line.len() - value.len());
        let mut value = value.trim();
        let mut end = start + line.trim_end().len();
        // A list may go on over lines.
        if value.starts_with('[') && !value.contains(']') {
            let rest = text.get(value_at..).unwrap_or("");
            if let Some(length) = rest.find(']').filter(|&length| length < 2000) {
                value = rest.get(..length + 1).unwrap_or("").trim();
                end = value_at + length + 1;
            }
        }
        let site = Gather::in_file(id, begin..end);
        let values = if indented { vec![HOLE.to_string()] } else { python_values(gather, value) };
        for value in values {
            found.values.push((name.to_owned(), Text::new(value, site)));
        }
    }
    found
}

fn python_values(gather: &Gather<'_, '_>, value: &str) -> Vec<String> {
    let items: Vec<&str> = match value.strip_prefix('[').and_then(|value| value.split(']').next()) {
        Some(items) => items.split(',').map(str::trim).filter(|item| !item.is_empty()).collect(),
        None => vec![value],
    };
    items.into_iter().map(|item| scalar(gather, item)).collect()
}

/// One literal, or an expression that reads a variable with a default.
pub(super) fn scalar(gather: &Gather<'_, '_>, text: &str) -> String {
    let text = text.trim();
    if let Some(value) = quoted(text) {
        return value.to_owned();
    }
    let bare = text.split('#').next().unwrap_or("").trim();
    if !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return bare.to_owned();
    }
    from_environment(gather, text).unwrap_or_else(|| HOLE.to_string())
}

/// A quoted literal with nothing but a comment behind it.
fn quoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let inside = text.get(1..)?;
    let end = inside.find(quote)?;
    let value = inside.get(..end)?;
    let after = inside.get(end + 1..)?.trim_start_matches([';', ',', ')']).trim();
    let plain = after.is_empty() || after.starts_with('#') || after.starts_with("//");
    (plain && !value.contains("${") && !value.contains("#{") && !value.contains('\\')).then_some(value)
}

/// `os.getenv("X", "1")`, `os.environ.get("X", 1)`, `ENV.fetch("X") { 1 }`, `ENV["X"] || 1`, `process.env.X || 1`.
pub(super) fn from_environment(gather: &Gather<'_, '_>, text: &str) -> Option<String> {
    const READERS: &[&str] = &[
        "os.environ.get(",
        "os.getenv(",
        "getenv(",
        "os.environ[",
        "ENV.fetch(",
        "ENV[",
        "process.env.",
        "process.env[",
        "env::var(",
    ];
    let reader = READERS.iter().find_map(|reader| text.find(reader).map(|at| (at, reader)))?;
    // Nothing but a conversion may stand before it.
    let before = text.get(..reader.0)?.trim();
    if !before.is_empty()
        && !matches!(
            before.trim_end_matches('(').trim(),
            "int" | "str" | "Number" | "parseInt" | "Integer" | "+" | "float"
        )
    {
        return None;
    }
    let rest = text.get(reader.0 + reader.1.len()..)?.trim_start_matches(['"', '\'', '`']);
    let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
    let (name, rest) = rest.split_at(length);
    match gather.variable(name).0 {
        Variable::Is(value) if !value.is_empty() => return Some(value.into()),
        Variable::Unknown => return None,
        _ => {}
    }
    // The only literal behind the name is what stands in for it.
    let rest = rest.trim_start_matches(['"', '\'', '`', ']', ')', ' ', ',', '|', '?', '{', '(']);
    let quote = text.get(..text.len() - rest.len())?.chars().last().filter(|c| matches!(c, '"' | '\'' | '`'));
    let end = match quote {
        Some(quote) => rest.find(quote)?,
        None => rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len(),
    };
    let value = rest.get(..end)?;
    (!value.is_empty() && !value.contains("${")).then(|| value.to_owned())
}
