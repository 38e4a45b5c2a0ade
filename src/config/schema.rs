//! The JSON Schema of the configuration file, for editors: made from the list of keys and the catalogue of rules.

use super::shape::{IGNORE, Key, LEVEL, LEVELS, OVERRIDE, SERVICE, Shape, TOP};
use crate::catalog::CATALOG;
use serde_json::{Map, Value, json};

/// The proxies that have a target version.
pub(super) const PROXIES: [&str; 2] = ["nginx", "haproxy"];

const DURATION: &str = "^[0-9]+(ms|s|m|h)$";

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let mut schema = object(TOP);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Configuration of gw502-lint (.gw502.yaml)");
    schema["$defs"] = json!({
        "level": {
            "enum": LEVELS.map(|(word, _)| word),
            "description": "What becomes of the findings: nothing (off), or a note, warning or error, however bad they are.",
        },
        "path": { "type": "string", "minLength": 1 },
        "duration": { "type": "string", "pattern": DURATION },
        "size": { "type": ["string", "integer"], "pattern": "^[0-9]+[km]?$", "minimum": 0 },
        "integer": { "type": "integer", "minimum": 0 },
        "rule": { "enum": CATALOG.iter().flat_map(|meta| [meta.code, meta.slug]).collect::<Vec<_>>() },
        "rules": rules(),
    });
    schema
}

fn object(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let mut value = shape(key.shape);
            value["description"] = json!(key.doc);
            (key.name.to_owned(), value)
        })
        .collect();
    let required: Vec<_> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    // Nothing: all that stands below a key may be commented out.
    let kind = if required.is_empty() { json!(["object", "null"]) } else { json!("object") };
    json!({ "type": kind, "properties": properties, "required": required, "additionalProperties": false })
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Rules => json!({ "$ref": "#/$defs/rules" }),
        Shape::Overrides => json!({ "type": ["array", "null"], "items": object(OVERRIDE) }),
        Shape::Patterns => one_or_more("path"),
        Shape::Targets => {
            let version = json!({ "type": ["number", "string"], "pattern": "^[0-9]+\\.[0-9]+(\\.[0-9]+)?$" });
            let properties: Map<String, Value> =
                PROXIES.iter().map(|name| ((*name).to_owned(), version.clone())).collect();
            json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
        }
        Shape::Services => json!({
            "type": ["object", "null"],
            "propertyNames": { "pattern": "^[A-Za-z0-9._-]+$" },
            "additionalProperties": object(SERVICE),
        }),
        Shape::Ignores => json!({ "type": ["array", "null"], "items": object(IGNORE) }),
        Shape::Ports => {
            json!({ "type": ["array", "null"], "items": { "type": "integer", "minimum": 1, "maximum": 65535 } })
        }
        Shape::Duration => json!({ "$ref": "#/$defs/duration" }),
        Shape::RuleNames => one_or_more("rule"),
        Shape::Words | Shape::File => json!({ "type": "string", "pattern": "\\S" }),
    }
}

fn one_or_more(of: &str) -> Value {
    let of = json!({ "$ref": format!("#/$defs/{of}") });
    json!({ "anyOf": [of, { "type": "array", "items": of }] })
}

fn rules() -> Value {
    let level = json!({ "$ref": "#/$defs/level" });
    let mut properties = Map::new();
    let mut entry = |name: &str, doc: &str, options: Map<String, Value>| {
        let mut fields = options;
        fields.insert(LEVEL.into(), level.clone());
        let settings = json!({ "type": "object", "properties": fields, "additionalProperties": false });
        properties.insert(name.into(), json!({ "description": doc, "anyOf": [level, settings] }));
    };
    for meta in CATALOG.iter().filter(|meta| super::policy::has_level(meta.id)) {
        let options = || {
            let option = |option: &crate::catalog::OptionMeta| {
                let default = match option.kind {
                    "integer" => option.default.parse::<u64>().map_or(Value::Null, Value::from),
                    _ => json!(option.default),
                };
                let value = json!({
                    "$ref": format!("#/$defs/{}", option.kind), "description": option.doc, "default": default,
                });
                (option.name.to_owned(), value)
            };
            meta.options.iter().map(option).collect()
        };
        entry(meta.code, meta.title, options());
        entry(meta.slug, meta.title, options());
    }
    let mut families: Vec<_> = CATALOG.iter().filter_map(|meta| Some((meta.code.get(..3)?, meta.family))).collect();
    families.dedup_by_key(|(code, _)| *code);
    for (code, family) in families {
        entry(code, &format!("All rules whose code begins with {code} ({family})."), Map::new());
    }
    json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
}
