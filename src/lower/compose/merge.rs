//! Several files become one: the short forms are written out, then a later file is laid over an earlier one
//! (github.com/compose-spec/compose-spec, 13-merge.md).

use super::value::{Entry, Item, Merge, Value};

/// Lists of `NAME=value` that are mappings in their long form.
const PAIRS: [&str; 3] = ["environment", "labels", "annotations"];
/// Lists of names that are mappings in their long form.
const NAMES: [&str; 2] = ["depends_on", "networks"];
/// What a later file replaces as a whole.
const REPLACED: [&str; 3] = ["command", "entrypoint", "test"];

/// Writes the short forms of a service out.
pub(super) fn normalise(service: &mut Item) {
    let Value::Map(entries) = &mut service.value else { return };
    for entry in entries {
        let key = &*entry.key;
        let item = &mut entry.item;
        if PAIRS.contains(&key) {
            pairs(item);
        } else if NAMES.contains(&key) {
            names(item);
        } else if key == "build" {
            if let Some(text) = item.text() {
                let sampled = item.sampled;
                let context = Item { sampled, ..Item::scalar(text.text, text.site) };
                let context = Entry { key: "context".into(), site: text.site, item: context };
                item.value = Value::Map(vec![context]);
            }
            if let Value::Map(entries) = &mut item.value {
                entries.iter_mut().filter(|entry| &*entry.key == "args").for_each(|args| pairs(&mut args.item));
            }
        } else if matches!(key, "env_file" | "profiles") && item.raw().is_some() {
            let one = item.clone();
            item.value = Value::List(vec![one]);
        }
    }
}

/// `[A=1, B]` → `{A: 1, B: }`.
fn pairs(item: &mut Item) {
    let Value::List(items) = &item.value else { return };
    let entries = items.iter().filter_map(|one| {
        let text = one.raw()?;
        let (key, value) = match text.split_once('=') {
            Some((key, value)) => (key, Value::Scalar(value.into())),
            None => (text, Value::Null),
        };
        let item = Item { value, site: one.site, merge: Merge::Usual, sampled: one.sampled };
        Some(Entry { key: key.into(), site: one.site, item })
    });
    item.value = Value::Map(entries.collect());
}

/// `[a, b]` → `{a: , b: }`.
fn names(item: &mut Item) {
    let Value::List(items) = &item.value else { return };
    let entries = items.iter().filter_map(|one| {
        let item = Item { value: Value::Null, site: one.site, merge: Merge::Usual, sampled: one.sampled };
        Some(Entry { key: one.raw()?.into(), site: one.site, item })
    });
    item.value = Value::Map(entries.collect());
}

/// Lays a value over an earlier one. `None`: it is taken away. (No deeper than YAML is read.)
pub(super) fn over(key: &str, base: Item, later: Item) -> Option<Item> {
    match later.merge {
        Merge::Reset => return None,
        Merge::Replace => return Some(later),
        Merge::Usual => {}
    }
    let (site, merge, sampled) = (base.site, base.merge, later.sampled);
    match (base.value, later.value) {
        (Value::Map(base), Value::Map(later)) => {
            Some(Item { value: Value::Map(entries(base, later)), site, merge, sampled })
        }
        (Value::List(mut base), Value::List(later)) if !REPLACED.contains(&key) => {
            for item in later {
                // The later one wins where only one can be.
                if let Some(name) = unique(key, &item) {
                    base.retain(|other| unique(key, other).as_deref() != Some(&name));
                }
                base.push(item);
            }
            Some(Item { value: Value::List(base), site, merge, sampled })
        }
        (base, Value::Null) if !matches!(base, Value::Scalar(_)) => Some(Item { value: base, site, merge, sampled }),
        (_, value) => Some(Item { value, site: later.site, merge: Merge::Usual, sampled }),
    }
}

/// Lays the entries of a mapping over those of an earlier one.
pub(super) fn entries(mut base: Vec<Entry>, later: Vec<Entry>) -> Vec<Entry> {
    for entry in later {
        match base.iter().position(|other| other.key == entry.key) {
            Some(at) => {
                let before = base[at].clone();
                match over(&entry.key, before.item, entry.item) {
                    // The place of its name stays where it was first declared.
                    Some(item) => base[at].item = item,
                    None => {
                        base.remove(at);
                    }
                }
            }
            // One that takes something away is kept: the file may be laid over another one later.
            None => base.push(entry),
        }
    }
    base
}

/// What only one item of a list can have: the target of a mount.
fn unique(key: &str, item: &Item) -> Option<String> {
    match key {
        "volumes" => match item.raw() {
            Some(text) => text.split(':').nth(1).map(str::to_owned),
            None => item.word("target").map(str::to_owned),
        },
        "configs" => match item.raw() {
            Some(text) => Some(format!("/{text}")),
            None => item.word("target").map(str::to_owned),
        },
        _ => None,
    }
}
