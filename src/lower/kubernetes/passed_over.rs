//! Manifests that lie beside those that were read, and that the walk passed over: for an ignore file that a repository
//! with them in it need not heed, or because only some paths were named. Before an object is called missing they are
//! searched for it.

use super::objects::Meta;
use super::{MAX_BYTES, is_manifest};
use crate::files::{Files, folder};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Most manifests of one folder that are searched; where there are more, nothing in it is missed.
const MAX_FILES: usize = 200;

/// What was passed over, by the folder above that of an object.
#[derive(Default)]
pub(super) struct PassedOver {
    /// The texts; none where there are too many.
    found: HashMap<String, Option<Rc<[String]>>>,
}

impl PassedOver {
    /// Whether a manifest near an object that was passed over has all these keys with their values.
    pub(super) fn has(&mut self, meta: &Meta, files: &Files<'_>, wanted: &[(&str, &str)]) -> bool {
        let above = folder(folder(files.sources.file(meta.file).path())).to_owned();
        let texts = self.found.entry(above).or_insert_with_key(|above| search(above, files));
        let Some(texts) = texts else { return true };
        texts.iter().any(|text| wanted.iter().all(|&(key, value)| says(text, key, value)))
    }
}

fn search(above: &str, files: &Files<'_>) -> Option<Rc<[String]>> {
    let known: HashSet<&str> = files.deployments().iter().map(String::as_str).collect();
    let under = if above.is_empty() { String::new() } else { format!("{above}/") };
    let mut texts = Vec::new();
    for pattern in ["*.yaml", "*.yml", "*/*.yaml", "*/*.yml"] {
        for path in files.names(&format!("{under}{pattern}")) {
            if known.contains(path.as_str()) {
                continue;
            }
            if texts.len() >= MAX_FILES {
                return None;
            }
            let Some(bytes) = files.peek(&path).filter(|bytes| bytes.len() <= MAX_BYTES) else { continue };
            if is_manifest(&path, &bytes) {
                texts.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
    Some(texts.into())
}

/// Whether a line of a text gives a key this value.
fn says(text: &str, key: &str, value: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start_matches([' ', '-']);
        let rest = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
        rest.is_some_and(|rest| rest.split(" #").next().unwrap_or("").trim().trim_matches(['"', '\'']) == value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_a_key_is() {
        let text = "metadata:\n  name: \"shop\" # here\n  - app: web\n";
        assert!(says(text, "name", "shop") && says(text, "app", "web"));
        assert!(!says(text, "name", "sho") && !says(text, "nam", "shop") && !says(text, "app", "shop"));
    }
}
