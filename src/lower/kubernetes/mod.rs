//! Kubernetes: what Ingress objects and routes of Gateways lead to, and whether a Service finds its pods.
//!
//! Only manifests that the walk met, or that were named, are read: `discover` looks at the head of a YAML file for the
//! two keys that every object has. Objects go together by their namespace; without one, by their folder; and by what
//! kustomize joins. Where anything may bring forth more objects (a template, a patch, an operator), nothing is missed.

mod annotations;
mod backends;
mod chart;
mod definitions;
pub(in crate::lower) mod embedded;
mod objects;
mod passed_over;
mod pods;
mod policies;
mod scope;
mod selectors;
mod settings;
mod workloads;

use super::compose::{Container, Images};
use super::{Lowered, Unread};
use crate::files::{Files, Loaded, folder};
use crate::source::{FileId, Site, Span};
use crate::syntax::yaml;
use crate::topology::{Dialect, Fault, FaultKind, FaultWeight, Proxy, ProxyId, Topology};
use crate::value::{Version, Versions};
use memchr::memmem::Finder;
use objects::{Meta, Objects};
use scope::{Namespace, Scopes};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use workloads::Belongs;

/// Longest manifest that is read; what defines custom resources does not count.
const MAX_BYTES: usize = 8 << 20;

/// Among how many names the nearest is looked for, and how many are compared in all.
const MAX_NEIGHBOURS: usize = 1000;
const MAX_COMPARED: usize = 200_000;

/// Whether a path's name is one that a manifest may have. It is not read for that.
#[must_use]
pub fn is_manifest_name(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml") || scope::is_kustomization(path)
}

/// Whether the head of a file shows a Kubernetes object: the two keys that each has, at the start of lines. Files of
/// kustomize may do without.
#[must_use]
pub fn is_manifest(path: &str, head: &[u8]) -> bool {
    // Thousands of files are asked in some trees: what is looked for is prepared once.
    static KEYS: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["apiVersion:", "kind:"].map(Finder::new));
    let key = |word: &Finder<'_>| {
        word.find_iter(head).any(|at| {
            let before = head[..at].rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
            before.iter().all(|byte| matches!(byte, b' ' | b'-'))
                || (at <= 3 && before.iter().all(|byte| !byte.is_ascii()))
        })
    };
    scope::is_kustomization(path) || KEYS.iter().all(key)
}

/// All that was read, and where it belongs.
struct Cluster<'f, 'r> {
    files: &'f Files<'r>,
    objects: Objects,
    scopes: Scopes,
    /// Namespaces in which an operator may bring forth Services and pods.
    made: HashSet<Namespace>,
    /// The controllers of classes of Ingress objects; none where several objects say different ones.
    controllers: HashMap<Box<str>, Option<Box<str>>>,
}

impl Cluster<'_, '_> {
    fn namespace(&self, meta: &Meta) -> Option<Namespace> {
        self.scopes.of(meta, self.files)
    }

    /// Whether there may be objects beside an object that no file shows.
    fn is_open(&self, meta: &Meta, namespace: &Namespace) -> bool {
        self.made.contains(namespace) || self.scopes.is_open(meta.file, self.files)
    }

    /// Whether an object may be missing that others lead to: as above, or because whoever sets up the cluster brings it.
    fn may_lack(&self, meta: &Meta, namespace: &Namespace) -> bool {
        is_system(namespace) || self.is_open(meta, namespace)
    }
}

/// Whether the cluster itself, and whoever sets it up, has objects in a namespace.
fn is_system(namespace: &Namespace) -> bool {
    matches!(namespace, Namespace::Named(name) if matches!(&**name, "kube-system" | "kube-public" | "kube-node-lease"))
}

/// What is found, by the file in which it stands: each is taken for the configuration of one proxy.
struct Told<'t> {
    topology: &'t mut Topology,
    proxies: HashMap<FileId, ProxyId>,
    /// Templates of charts: whoever installs one decides what it makes.
    charts: HashSet<FileId>,
    passed_over: passed_over::PassedOver,
    /// How many names have been compared.
    compared: usize,
}

impl Told<'_> {
    /// Of the first of some names the one that is nearly this one; none when too many have been compared already.
    fn near<'n>(&mut self, name: &str, others: impl ExactSizeIterator<Item = &'n str>) -> Option<&'n str> {
        if self.compared > MAX_COMPARED {
            return None;
        }
        self.compared += others.len().min(MAX_NEIGHBOURS);
        near(name, others.take(MAX_NEIGHBOURS))
    }

    fn fault(&mut self, kind: FaultKind, file: FileId, make: impl FnOnce(FaultKind, ProxyId) -> Fault) {
        let topology = &mut *self.topology;
        let proxy = *self.proxies.entry(file).or_insert_with(|| {
            topology.proxies.push(Proxy {
                dialect: Dialect::Kubernetes,
                versions: Versions::since(Version(1, 0, 0)),
                entry: file,
                whole: false,
                again: false,
                limits: None,
            })
        });
        let mut fault = make(kind, proxy);
        if fault.weight == FaultWeight::Fails && self.charts.contains(&file) {
            fault.weight = FaultWeight::MayFail;
        }
        topology.load.faults.push(fault);
    }
}

/// Reads the manifests that were met. What their `ConfigMap`s hold becomes files of their own.
///
/// Gives the containers of pods: which of them runs which proxy's file is found out as it is for compose. `images` are
/// those that compose builds, by name.
pub(super) fn lower(files: &mut Files<'_>, images: &mut Images, out: &mut Lowered) -> Vec<Container> {
    let mut objects = Objects::default();
    let mut scopes = Scopes::default();
    let mut blocks = Vec::new();
    let mut charts = HashSet::new();
    let mut values = super::filled::Known::new();
    let paths = files.deployments();
    let paths: Vec<&String> = paths.iter().filter(|path| is_manifest_name(path)).collect();
    for path in paths {
        if super::compose::is_compose_name(path.rsplit('/').next().unwrap_or(path)) {
            continue;
        }
        if scope::is_kustomization(path) {
            scope::read(path, files, &mut scopes);
            continue;
        }
        scopes.enter(folder(path));
        let id = match files.load_text(path) {
            Loaded::File(id) => id,
            loaded => {
                scopes.leave_open(folder(path));
                if let Loaded::Unreadable(why) = loaded {
                    out.unread.push(Unread::whole(files, path, &why));
                }
                continue;
            }
        };
        let source = files.sources.share(id);
        let (others, defines) = definitions::others(source.text());
        if others.iter().map(ExactSizeIterator::len).sum::<usize>() > MAX_BYTES {
            scopes.leave_open(folder(path));
            let why = format!("is larger than {} MiB", MAX_BYTES >> 20).into();
            out.unread.push(Unread { site: Site::direct(Span::new(id, 0, 0)), path: path.as_str().into(), why });
            continue;
        }
        if let Some(root) = chart::root(path, files)
            && let Some(plain) = chart::plain(source.text())
        {
            // Its conditions decide which objects there are, and labels come from elsewhere.
            scopes.leave_open(folder(path));
            scopes.join(root.as_str(), folder(path));
            let parsed = yaml::parse_pieces(&plain, &definitions::others(&plain).0);
            if !parsed.errors.is_empty() {
                chart::blocks(source.text(), id, &mut blocks);
                continue;
            }
            out.manifests.push(id);
            charts.insert(id);
            let filled = super::filled::read(files, &[id], &mut values);
            let mark = objects.mark();
            for document in parsed.tree.documents() {
                let mut find = |map: yaml::View<'_>| embedded::find(map, id, source.text(), &mut blocks);
                objects::read(document, id, &mut objects, &mut find);
            }
            chart::say(objects.words_since(mark), id, source.text(), &filled);
            out.filled.take(filled);
            continue;
        }
        let parsed = yaml::parse_pieces(source.text(), &others);
        // A template may bring forth anything; half a file says little.
        let only_text = !defines && parsed.tree.documents().all(|document| only_holds_text(document));
        let holes = source.text().contains("{{") && !only_text;
        if !parsed.errors.is_empty() || holes {
            scopes.leave_open(folder(path));
        }
        if let Some(error) = parsed.errors.first() {
            // What another program fills in first need not be YAML.
            if !parsed.template && !source.text().contains("<%") {
                let site = Site::direct(Span::new(id, error.at.start, error.at.end));
                out.unread.push(Unread { site, path: path.as_str().into(), why: error.message.as_str().into() });
            }
            continue;
        }
        out.manifests.push(id);
        for document in parsed.tree.documents() {
            objects::read(document, id, &mut objects, &mut |map| embedded::find(map, id, source.text(), &mut blocks));
        }
    }
    scopes.settle();
    let controllers = annotations::controllers(&objects.classes);
    let mut cluster = Cluster { files, objects, scopes, made: HashSet::new(), controllers };
    let told_prefix = |pods: &pods::Pods| {
        let args = pods.containers.iter().flat_map(|one| one.command.iter().chain(&one.args)).flatten();
        args.into_iter().any(|word| word.text.contains("annotations-prefix"))
    };
    cluster.objects.own_prefix = cluster.objects.pods.iter().any(told_prefix);
    cluster.made = cluster.objects.makers.iter().filter_map(|meta| cluster.namespace(meta)).collect();
    let passed_over = passed_over::PassedOver::default();
    let mut told = Told { topology: &mut out.topology, proxies: HashMap::new(), charts, passed_over, compared: 0 };
    settings::look(&cluster, &mut told);
    backends::look(&cluster, &mut told);
    selectors::look(&cluster, &mut told);
    selectors::probes(&cluster, &mut told);
    chart::ports(&cluster, &mut told);
    annotations::look(&cluster, &mut told);
    annotations::snippets(&cluster, &mut told);
    annotations::logins(&cluster, &mut told);
    let belongs = Belongs::of(&cluster);
    let Cluster { objects, scopes, .. } = cluster;
    for block in blocks {
        block.enter(files);
    }
    workloads::model(&objects, &belongs, &scopes, files, images, &mut out.topology)
}

/// Whether what looks like a template stands in the data of a `ConfigMap` or the like, where it is somebody else's.
fn only_holds_text(document: yaml::View<'_>) -> bool {
    matches!(document.get("kind").and_then(yaml::View::text), Some("ConfigMap" | "Secret" | "PrometheusRule"))
}

/// The namespace in words.
fn place(meta: &Meta) -> String {
    match &meta.namespace {
        Some(name) => format!("in the namespace `{}`", crate::source::clean(&name.text)),
        None => "beside it".to_owned(),
    }
}

fn without_digits(name: &str) -> String {
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// Of some names the one that is nearly this one.
fn near<'n>(name: &str, others: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > 63 {
        return None;
    }
    others
        // `web-v1` and `web-v2` are two things, not one misspelt.
        .filter(|other| other.len() <= 63 && without_digits(other) != without_digits(name))
        .map(|other| {
            // `web` for `web-service` and the other way round is how names drift apart.
            let begins = |long: &str, short: &str| {
                long.strip_prefix(short)
                    .or_else(|| long.strip_suffix(short))
                    .is_some_and(|rest| rest.starts_with('-') || rest.ends_with('-'))
            };
            let part = begins(name, other) || begins(other, name);
            (if part { 1 } else { strsim::osa_distance(name, other) }, other)
        })
        .filter(|&(distance, other)| distance > 0 && distance <= 2 && other.len() > distance + 1)
        .min()
        .map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_told_by_their_head() {
        assert!(is_manifest("a.yaml", b"# x\napiVersion: v1\nkind: Service\n"));
        assert!(is_manifest("a.yaml", b"---\nkind: Service\napiVersion: v1\n"));
        assert!(is_manifest("a.yaml", b"\xef\xbb\xbfapiVersion: v1\nkind: List\n"));
        assert!(is_manifest("b/kustomization.yaml", b"resources: []\n"));
        assert!(!is_manifest("a.yaml", b"on: push\njobs: {}\n"));
        assert!(!is_manifest("a.yaml", b"# apiVersion: v1\n# kind: Service\n"));
        assert!(!is_manifest_name("deployment.json"));
    }

    #[test]
    fn near_names_are_misspelt_and_not_other_ones() {
        let near = |name, others: &[&'static str]| super::near(name, others.iter().copied());
        assert_eq!(near("shop", &["admin", "shpo"]), Some("shpo"));
        assert_eq!(near("shop-web", &["shop"]), Some("shop"));
        assert_eq!(near("web", &["shop-web"]), Some("shop-web"));
        assert_eq!(near("echo-v3", &["echo-v1", "echo-v2"]), None);
        assert_eq!(near("api", &["db"]), None);
        assert_eq!(near(&"a".repeat(5000), &["a"]), None);
    }
}
