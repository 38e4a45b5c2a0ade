//! Several files become one: the short forms are written out, then a later file is laid over an earlier one
//! (github.com/compose-spec/compose-spec, 13-merge.md).

use super::value::{Entry, Item, Merge, Value};
use std::collections::HashMap;

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
        (Value::List(base), Value::List(later)) if !REPLACED.contains(&key) => {
            Some(Item { value: Value::List(items(key, base, later)), site, merge, sampled })
        }
        (base, Value::Null) if !matches!(base, Value::Scalar(_)) => Some(Item { value: base, site, merge, sampled }),
        (_, value) => Some(Item { value, site: later.site, merge: Merge::Usual, sampled }),
    }
}

/// Puts the items of a list behind those of an earlier one. The later one wins where only one can be.
fn items(key: &str, base: Vec<Item>, later: Vec<Item>) -> Vec<Item> {
    let mut all: Vec<Option<Item>> = Vec::with_capacity(base.len() + later.len());
    let mut places: HashMap<String, Vec<usize>> = HashMap::new();
    let count = base.len();
    for (at, item) in base.into_iter().chain(later).enumerate() {
        if let Some(name) = unique(key, &item) {
            let same = places.entry(name).or_default();
            if at >= count {
                same.drain(..).for_each(|before| all[before] = None);
            }
            same.push(at);
        }
        all.push(Some(item));
    }
    all.into_iter().flatten().collect()
}

/// Lays the entries of a mapping over those of an earlier one.
pub(super) fn entries(base: Vec<Entry>, later: Vec<Entry>) -> Vec<Entry> {
    let mut all: Vec<Option<Entry>> = base.into_iter().map(Some).collect();
    // The first of a name, as long as it is there: a mapping may have very many.
    let mut places: HashMap<Box<str>, usize> = HashMap::new();
    for (at, entry) in all.iter().enumerate().rev() {
        places.extend(entry.as_ref().map(|entry| (entry.key.clone(), at)));
    }
    for entry in later {
        let Some(&at) = places.get(&entry.key) else {
            // One that takes something away is kept: the file may be laid over another one later.
            places.insert(entry.key.clone(), all.len());
            all.push(Some(entry));
            continue;
        };
        let Some(before) = all[at].take() else { continue };
        match over(&entry.key, before.item, entry.item) {
            // The place of its name stays where it was first declared.
            Some(item) => all[at] = Some(Entry { item, key: before.key, site: before.site }),
            None => {
                places.remove(&entry.key);
            }
        }
    }
    all.into_iter().flatten().collect()
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
