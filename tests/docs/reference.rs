//! The reference of `.gw502.yaml`, made from the JSON Schema that `gw502-lint config schema` prints.

use serde_json::Value;
use std::fmt::Write as _;
use std::process::Command;

/// The page.
pub fn page() -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_gw502-lint")).args(["config", "schema"]).output().expect("the program runs");
    let schema: Value = serde_json::from_slice(&output.stdout).expect("the schema is JSON");
    let mut text = String::from(
        "# Reference of .gw502.yaml\n\nAll keys, as `gw502-lint config schema` knows them; that command prints the JSON Schema for editors. \
         [Configuration and suppressions](configuration.md) explains how they work together.\n\n",
    );
    table("The file", &schema, &mut text);
    text.push_str("## Words that stand for values\n\n| word | what may be written | meaning |\n|---|---|---|\n");
    let defs = schema["$defs"].as_object().expect("definitions");
    for (name, def) in defs {
        // Rules and families are listed on their own pages, options below.
        if name == "rule" || name == "rules" || def.get("properties").is_some() {
            continue;
        }
        let _ = writeln!(text, "| {name} | {} | {} |", kind(def), description(def));
    }
    text.push_str("| rule | a code (`GW201`) or a name (`short-read-timeout`) of the [list](rules/index.md) | |\n\n");
    options(&mut text);
    format!("{}\n", text.trim_end())
}

/// The keys of an object, and of the objects in it, each with a table of its own.
fn table(heading: &str, object: &Value, text: &mut String) {
    let Some(properties) = object["properties"].as_object() else { return };
    let required: Vec<_> = object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let _ = writeln!(text, "## {heading}\n\n| key | type | meaning |\n|---|---|---|");
    for (key, value) in properties {
        let must = if required.contains(&key.as_str()) { " (required)" } else { "" };
        let _ = writeln!(text, "| `{key}`{must} | {} | {} |", kind(value), description(value));
    }
    text.push('\n');
    for (key, value) in properties {
        let (below, what) = if value["items"]["properties"].is_object() {
            (&value["items"], "each of")
        } else if value["additionalProperties"]["properties"].is_object() {
            (&value["additionalProperties"], "each of")
        } else {
            (value, "")
        };
        let heading = if what.is_empty() { format!("`{key}`") } else { format!("{} `{key}`", capital(what)) };
        table(&heading, below, text);
    }
}

/// What may be written, in words.
fn kind(value: &Value) -> String {
    if let Some(name) = value["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return if name == "rules" { "levels and options, by rule or family".to_owned() } else { name.to_owned() };
    }
    if let Some(words) = value["enum"].as_array() {
        return words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(ways) = value[key].as_array() {
            return ways.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    let types: Vec<_> = match &value["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect(),
        _ => Vec::new(),
    };
    let words = types.iter().map(|name| match *name {
        "array" => format!("list of {}", kind(&value["items"])),
        "object" if value["properties"].is_object() => "keys, see below".to_owned(),
        "object" => "keys of your own, see below".to_owned(),
        "integer" => match (value["minimum"].as_i64(), value["maximum"].as_i64()) {
            (Some(low), Some(high)) => format!("whole number from {low} to {high}"),
            (Some(low), None) => format!("whole number from {low}"),
            _ => "whole number".to_owned(),
        },
        "string" => match value["pattern"].as_str() {
            Some(pattern) if pattern != "\\S" => format!("text like `{}`", pattern.replace('|', "\\|")),
            _ => "text".to_owned(),
        },
        other => other.to_owned(),
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn description(value: &Value) -> &str {
    value["description"].as_str().unwrap_or_default()
}

fn options(text: &mut String) {
    text.push_str("## Options of rules\n\n| rule | option | type | default | meaning |\n|---|---|---|---|---|\n");
    for meta in gw502_lint::catalog::CATALOG {
        for option in meta.options {
            let _ = writeln!(
                text,
                "| [{code}](rules/{code}-{}.md) | `{}` | {} | `{}` | {} |",
                meta.slug,
                option.name,
                option.kind,
                option.default,
                option.doc,
                code = meta.code
            );
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
