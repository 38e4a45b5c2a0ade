//! What a service's container shares with others: volumes and folders of the machine.

use super::value::Item;
use crate::files::join;
use crate::syntax::words::HOLE;
use crate::topology::{Known, Reason};

/// What is mounted where: (what, at which path). The same text means the same volume or folder.
pub(super) fn shared(service: &Item, folder: &str) -> Known<Vec<(Box<str>, Box<str>)>> {
    let unknown = Known::Unknown(Reason::Variable);
    if service.get("volumes_from").is_some() {
        return unknown;
    }
    let mut found = Vec::new();
    for volume in service.get("volumes").map(Item::items).unwrap_or_default() {
        let (source, target) = match volume.raw() {
            Some(text) => {
                let mut parts = text.split(':');
                match (parts.next(), parts.next()) {
                    (Some(source), Some(target)) => (source, target),
                    // One without a name is nobody else's.
                    _ => continue,
                }
            }
            None => match (volume.get("source").and_then(Item::raw), volume.get("target").and_then(Item::raw)) {
                (Some(source), Some(target)) => (source, target),
                _ => continue,
            },
        };
        if source.contains(HOLE) || target.contains(HOLE) {
            return unknown;
        }
        let source = if source.starts_with('.') { join(folder, source).map(|path| format!("./{path}")) } else { None }
            .unwrap_or_else(|| source.to_owned());
        found.push((source.trim_end_matches('/').into(), target.trim_end_matches('/').into()));
    }
    Known::Yes(found)
}
