//! Manifests that lie beside those that were read, and that the walk passed over: for an ignore file that a repository
//! with them in it need not heed, or because only some paths were named. Before an object is called missing they are
//! searched for it.

use super::objects::Meta;
use super::{MAX_BYTES, is_manifest};
use crate::files::{Files, folder};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

/// Most manifests of one folder that are searched; where there are more, nothing in it is missed.
const MAX_FILES: usize = 200;

/// Most text that is read for it in one run; beyond, nothing is missed.
const MAX_TEXT: usize = 32 << 20;

/// What was passed over, by the folder above that of an object.
#[derive(Default)]
pub(super) struct PassedOver {
    /// What each manifest says; none where there are too many.
    found: HashMap<String, Option<Rc<[Said]>>>,
    /// How much text was read.
    read: usize,
}

/// What the lines of a text say: keys with their values, as one number each. Where two have the same, an object is not
/// missed that might be.
type Said = HashSet<u64>;

impl PassedOver {
    /// Whether a manifest near an object that was passed over has all these keys with their values.
    pub(super) fn has(&mut self, meta: &Meta, files: &Files<'_>, wanted: &[(&str, &str)]) -> bool {
        let above = folder(folder(files.sources.file(meta.file).path())).to_owned();
        let read = &mut self.read;
        let all = self.found.entry(above).or_insert_with_key(|above| search(above, files, read));
        let Some(all) = all else { return true };
        all.iter().any(|said| wanted.iter().all(|&(key, value)| said.contains(&number(key, value))))
    }
}

fn search(above: &str, files: &Files<'_>, read: &mut usize) -> Option<Rc<[Said]>> {
    let known: HashSet<&str> = files.deployments().iter().map(String::as_str).collect();
    let under = if above.is_empty() { String::new() } else { format!("{above}/") };
    let mut all = Vec::new();
    for pattern in ["*.yaml", "*.yml", "*/*.yaml", "*/*.yml"] {
        for path in files.names(&format!("{under}{pattern}")) {
            if known.contains(path.as_str()) {
                continue;
            }
            if all.len() >= MAX_FILES || *read >= MAX_TEXT {
                return None;
            }
            let Some(bytes) = files.peek(&path).filter(|bytes| bytes.len() <= MAX_BYTES) else { continue };
            *read += bytes.len();
            if is_manifest(&path, &bytes) {
                all.push(said(&String::from_utf8_lossy(&bytes)));
            }
        }
    }
    Some(all.into())
}

fn number(key: &str, value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (key, value).hash(&mut hasher);
    hasher.finish()
}

/// The keys that begin lines of a text, with their values.
fn said(text: &str) -> Said {
    let lines = text.lines().filter_map(|line| line.trim_start_matches([' ', '-']).split_once(':'));
    let value = |rest: &str| rest.split(" #").next().unwrap_or("").trim().trim_matches(['"', '\'']).to_owned();
    lines.map(|(key, rest)| number(key, &value(rest))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_a_key_is() {
        let said = said("metadata:\n  name: \"shop\" # here\n  - app: web\n");
        let says = |key, value| said.contains(&number(key, value));
        assert!(says("name", "shop") && says("app", "web"));
        assert!(!says("name", "sho") && !says("nam", "shop") && !says("app", "shop"));
    }
}
