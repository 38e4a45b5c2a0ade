//! Tree → topology, one module per dialect: here, and nowhere above, inheritance, defaults and units of a
//! dialect are known.

pub mod compose;
pub mod filled;
pub mod haproxy;
pub mod kubernetes;
pub mod nginx;
pub mod scripts;
mod targets;
mod unavailable;
pub mod workload;

use crate::edit::{Applicability, Edit, Fix};
use crate::files::{Files, Tree};
use crate::source::{FileId, Site, Span};
use crate::syntax::Mend;
use crate::topology::Topology;
pub use targets::Targets;

/// A file that was named and could not be read, found while lowering.
#[derive(Debug)]
pub struct Unread {
    /// Where it is named.
    pub site: Site,
    /// The path.
    pub path: Box<str>,
    /// Why not.
    pub why: Box<str>,
}

impl Unread {
    /// A file that is there by itself and of which nothing was read.
    fn whole(files: &mut Files<'_>, path: &str, why: &str) -> Self {
        let site = Site::direct(Span::new(files.add_unread(path), 0, 0));
        Self { site, path: path.into(), why: why.into() }
    }
}

/// What lowering gives besides the topology.
#[derive(Debug, Default)]
pub struct Lowered {
    /// The topology.
    pub topology: Topology,
    /// Files that could not be read.
    pub unread: Vec<Unread>,
    /// The same, of files that matter only where nothing else is found: beside no proxy they may be anything.
    pub aside: Vec<Unread>,
    /// Manifests of Kubernetes that were read.
    pub manifests: Vec<FileId>,
    /// Files that are no configuration of nginx, and say what becomes of it: scripts that write it, compose files around
    /// a proxy that makes its own.
    pub told: Vec<FileId>,
    /// What templates print, where nobody sets anything else.
    pub filled: filled::AllFilled,
}

/// Lowers all loaded files: what stands around them first, because it decides where includes lead; then main files with
/// what they include, then what is left as fragments. `targets` are the versions that the proxies are taken to have.
#[must_use]
pub fn lower(files: &mut Files<'_>, targets: Targets) -> Lowered {
    let mut out = Lowered::default();
    let given: Vec<FileId> = files.sources.files().map(|(id, _)| id).filter(|&id| files.tree(id).is_some()).collect();
    let (mut containers, mut images) = compose::surround(files, &given, &mut out);
    workload::machine::lower(files, &mut out.topology);
    containers.extend(kubernetes::lower(files, &mut images, &mut out));
    let surroundings = compose::place(files, containers, &mut out.topology);
    let (mut nginx, mut haproxy): (Vec<FileId>, Vec<FileId>) = Default::default();
    for (id, _) in files.sources.files() {
        match files.tree(id).as_deref() {
            Some(Tree::Nginx(_)) => nginx.push(id),
            Some(Tree::Haproxy(_)) => haproxy.push(id),
            None => {}
        }
    }
    let all: Vec<FileId> = nginx.iter().chain(&haproxy).copied().collect();
    out.filled.take(filled::read(files, &all, &mut filled::Known::new()));
    nginx::lower(files, &nginx, &surroundings, targets.nginx, &mut out);
    haproxy::lower(files, &haproxy, targets.haproxy, &mut out);
    let proxies: Vec<_> = out.topology.proxies.iter().map(|(id, proxy)| (id, proxy.entry)).collect();
    for (proxy, entry) in proxies {
        for workload in surroundings.runners(entry) {
            out.topology.workloads[workload].proxies.push(proxy);
        }
    }
    compose::hazards(files, &surroundings, &mut out);
    scripts::lower(files, targets.nginx, &mut out);
    if all.is_empty() && out.manifests.is_empty() && out.told.is_empty() {
        // Whoever gets no result has to hear why.
        let aside = std::mem::take(&mut out.aside);
        out.unread.extend(aside);
    }
    out
}

/// How to mend text, as a fix.
fn mended(file: FileId, mend: &Mend) -> Box<Fix> {
    let edit = |(at, text): &(std::ops::Range<u32>, &str)| Edit::Replace {
        span: Span::new(file, at.start, at.end),
        text: (*text).to_owned(),
    };
    Box::new(Fix {
        applicability: if mend.certain { Applicability::Safe } else { Applicability::Unsafe },
        title: mend.title.clone(),
        edits: mend.edits.iter().map(edit).collect(),
    })
}
