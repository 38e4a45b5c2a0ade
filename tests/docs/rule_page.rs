//! One page per rule: what its YAML file says, and what its fixtures show.

use super::fixture::Fixture;
use gw502_lint::catalog::{DialectMeta, Outcome, Proof, RuleMeta};
use similar::TextDiff;
use std::fmt::Write as _;

/// Files longer than this are shown as their difference alone.
const LONGEST_FILE: usize = 120;

/// The page of a rule.
pub fn page(meta: &RuleMeta) -> String {
    let mut text = format!("# {} {}\n\n**{}**\n\n", meta.code, meta.slug, sentence(meta.title));
    let _ = writeln!(
        text,
        "{} · {} · family *{}* · since {}\n",
        capital(meta.severity.word()),
        meta.confidence.word(),
        meta.family,
        meta.since
    );
    for (heading, body) in
        [("What it looks for", meta.summary), ("Why it fails", meta.why), ("What to do", meta.remedy)]
    {
        let _ = writeln!(text, "## {heading}\n\n{}\n", body.trim());
    }
    for about in meta.dialects {
        dialect(meta, about, &mut text);
    }
    if !meta.options.is_empty() {
        text.push_str("## Options\n\n| option | type | default | meaning |\n|---|---|---|---|\n");
        for option in meta.options {
            let _ = writeln!(text, "| `{}` | {} | `{}` | {} |", option.name, option.kind, option.default, option.doc);
        }
        let _ = writeln!(
            text,
            "\nThey stand in [`.gw502.yaml`](../configuration.md#rules) under `rules: {{{}: …}}`.\n",
            meta.code
        );
    }
    if meta.id.is_about_proxies() {
        let _ = writeln!(
            text,
            "## If it is meant\n\nSay so where it stands, with the reason:\n\n```text\n# gw502: ignore {} -- why this is right here\n```\n\n\
             [Configuration and suppressions](../configuration.md) has the other ways.\n",
            meta.code
        );
    }
    if !meta.references.is_empty() {
        text.push_str("## References\n\n");
        for reference in meta.references {
            let _ = writeln!(text, "- <{reference}>");
        }
    }
    format!("{}\n", text.trim_end())
}

fn dialect(meta: &RuleMeta, about: &DialectMeta, text: &mut String) {
    let name = proxy(about.dialect);
    let _ = writeln!(text, "## {name}\n\n{} {}.\n", about.effect.trim(), sentence(&about.outcome.to_string()));
    if !about.log.is_empty() {
        let _ = writeln!(text, "In the log: `{}`\n", about.log.trim());
    }
    if !about.check.is_empty() {
        let _ = writeln!(text, "The proxy's own check: {}\n", about.check.trim());
    }
    let (shown, traps) = Fixture::of(meta.slug, about.dialect);
    if let Some(first) = shown.first() {
        example(meta, first, text);
    }
    match about.proof {
        Proof::Live => {
            let proven = shown.iter().filter_map(|fixture| Some((fixture, fixture.proof()?))).collect::<Vec<_>>();
            if let Some((fixture, proof)) = proven.first() {
                let others = match proven.len() {
                    1 => String::new(),
                    more => format!(" So do {} more cases.", more - 1),
                };
                let _ = writeln!(
                    text,
                    "**Proof.** A test starts the real {name} on both sides of `{}`: {proof}.{others}\n",
                    fixture.name
                );
            }
        }
        Proof::Docs => text.push_str("**Proof.** Read in the official documentation; not run.\n\n"),
    }
    if shown.len() > 1 {
        text.push_str("Other ways in which it looks:\n\n");
        list(&shown[1..], text);
    }
    if !traps.is_empty() {
        text.push_str("What looks like it, and is not reported:\n\n");
        list(&traps, text);
    }
}

/// The files of the plainest case, what the program says of them, and what mends them.
fn example(meta: &RuleMeta, fixture: &Fixture, text: &mut String) {
    let (bad, good) = (fixture.side("bad"), fixture.side("good"));
    for (path, broken) in &bad {
        if broken.lines().count() > LONGEST_FILE || broken.trim().is_empty() {
            continue;
        }
        let _ = writeln!(text, "`{path}`:\n");
        fenced(language(path), broken, text);
    }
    let said = fixture.output().unwrap_or_default();
    // Of several findings those of this rule; the others have pages of their own.
    let own = format!("[{}]: ", meta.code);
    let output: Vec<_> =
        said.split("\n\n").filter(|part| part.lines().next().is_some_and(|line| line.contains(&own))).collect();
    if !output.is_empty() {
        text.push_str("What gw502-lint says of it:\n\n");
        fenced("text", &output.join("\n\n"), text);
    }
    let mut mended = String::new();
    let paths = bad.keys().chain(good.keys().filter(|path| !bad.contains_key(*path)));
    for path in paths {
        let side = |side: &std::collections::BTreeMap<String, String>| side.get(path).cloned().unwrap_or_default();
        let (old, new) = (side(&bad), side(&good));
        if old != new {
            let diff = TextDiff::from_lines(&old, &new);
            let _ = write!(mended, "{}", diff.unified_diff().context_radius(2).header(path, path));
        }
    }
    if !mended.is_empty() {
        text.push_str("Mended:\n\n");
        fenced("diff", &mended, text);
    }
}

fn list(fixtures: &[Fixture], text: &mut String) {
    for fixture in fixtures {
        let note = if fixture.note().is_empty() { String::new() } else { format!(": {}", escape(fixture.note())) };
        let url = format!("{}/tree/main/fixtures/{}", env!("CARGO_PKG_REPOSITORY"), fixture.name);
        let own = fixture.name.rsplit('/').next().unwrap_or_default();
        let _ = writeln!(text, "- [{own}]({url}){note}");
    }
    text.push('\n');
}

/// A fence that no line of the text can close.
fn fenced(language: &str, body: &str, text: &mut String) {
    let longest = body.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(3.max(longest + 1));
    let _ = writeln!(text, "{fence}{language}\n{}\n{fence}\n", body.trim_end());
}

/// Text of a case, in a line of Markdown: angle brackets would be HTML.
fn escape(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.contains('`') { line } else { line.replace('<', "&lt;").replace('*', "\\*").replace('_', "\\_") }
}

fn language(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit('.').next().unwrap_or(name) {
        "yaml" | "yml" => "yaml",
        "cfg" => "haproxy",
        "py" => "python",
        "js" => "js",
        "json" => "json",
        "ini" | "service" | "socket" => "ini",
        "sh" => "sh",
        _ if name.starts_with("Dockerfile") => "dockerfile",
        "conf" | "template" | "j2" => "nginx",
        _ => "text",
    }
}

/// What a client sees, in a cell.
pub fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Status(status) => status.to_string(),
        Outcome::Either(one, other) => format!("{one} or {other}"),
        Outcome::ConnectionClosed => "connection closed".to_owned(),
        Outcome::Hangs => "hangs".to_owned(),
        Outcome::DoesNotStart => "does not start".to_owned(),
        Outcome::WrongAnswer => "wrong answer".to_owned(),
        Outcome::NotChecked => "not checked".to_owned(),
        Outcome::Unseen => "–".to_owned(),
    }
}

/// The proxy's name as its project writes it.
fn proxy(dialect: &str) -> &str {
    match dialect {
        "haproxy" => "HAProxy",
        "kubernetes" => "Kubernetes",
        other => other,
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// With a capital letter, unless it begins with a name that has none.
fn sentence(text: &str) -> String {
    if text.starts_with("nginx") { text.to_owned() } else { capital(text) }
}
