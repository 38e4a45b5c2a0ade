//! docker compose: which services stand around the proxies, what their names and ports are, and which of them runs
//! which proxy file.
//!
//! Nothing is searched for. Each proxy file's folder and the folders above it are asked for compose files, once; those
//! that the walk met are taken besides; everything else (an `.env`, a Dockerfile, a mounted file) is asked for by its
//! path. So other YAML files of a repository cost nothing.

mod chains;
mod contain;
mod envsubst;
mod handed;
mod images;
mod inline;
mod interpolate;
mod layout;
mod merge;
mod model;
mod place;
mod ports;
mod read;
mod started;
mod value;

pub(super) use contain::{Contained, Container, Given, contain};
pub(super) use envsubst::{hazards, variables};
pub(super) use images::{Images, name_image, named_image};
pub(super) use layout::{How, Layout, Lies};
pub(super) use place::{Place, Surroundings, Values, is_nginx_path, place};

use super::Lowered;
use crate::files::{Files, folder};
use crate::source::FileId;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a file's name is one of a compose file.
#[must_use]
pub fn is_compose_name(name: &str) -> bool {
    read::is_compose_name(name)
}

/// Reads what stands around the proxy files. Gives the containers, and the images that are built.
pub(super) fn surround(files: &mut Files<'_>, proxies: &[FileId], out: &mut Lowered) -> (Vec<Container>, Images) {
    let mut folders: BTreeSet<String> = BTreeSet::new();
    for &id in proxies {
        let mut at = folder(files.sources.file(id).path());
        while folders.insert(at.to_owned()) && !at.is_empty() {
            at = folder(at);
        }
    }
    let above = folders.clone();
    folders.extend(files.deployments().iter().map(|path| folder(path).to_owned()));
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for at in folders {
        let pattern = if at.is_empty() { "*compose*.y*ml".to_owned() } else { format!("{at}/*compose*.y*ml") };
        let names = files.glob(&pattern);
        let names: Vec<String> = names
            .iter()
            .map(|path| path.rsplit('/').next().unwrap_or(path).to_owned())
            .filter(|name| is_compose_name(name))
            .collect();
        if !names.is_empty() {
            found.insert(at, names);
        }
    }
    let mut drafts = Vec::new();
    let said = chains::find(files, &found);
    let mut reader = read::Reader::new(files, &mut out.unread, &mut out.aside);
    for (at, names) in &found {
        // One that stands beside no proxy may be anything: a test's, an example of what is wrong.
        reader.tells = above.contains(at);
        drafts.extend(reader.projects(at, names, &said));
    }
    let mut images = Images::new();
    let mut containers = Vec::new();
    for draft in &drafts {
        let these = model::model(draft, files, &mut images, &mut out.topology);
        let asked = handed::find(&these, &mut out.topology).map(|site| site.span.file);
        out.told.extend(asked.filter(|file| !out.told.contains(file)));
        containers.extend(these);
    }
    (containers, images)
}
