//! Which objects are deployed together: namespaces, folders, and what kustomize says of them.

use super::objects::Meta;
use crate::files::{Files, Loaded, folder, join};
use crate::source::FileId;
use crate::syntax::yaml::{self, View};
use std::collections::{HashMap, HashSet};

/// The names of kustomize's own file.
const KUSTOMIZATION: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Keys that leave names, labels and ports of what they lead to as they are, or change all uses of a name alike.
const PLAIN: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "namespace",
    "images",
    "replicas",
    "commonAnnotations",
    "commonLabels",
    "namePrefix",
    "nameSuffix",
    "buildMetadata",
    "sortOptions",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
];

/// Whether a path is that of kustomize's own file.
pub(super) fn is_kustomization(path: &str) -> bool {
    KUSTOMIZATION.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// A namespace: a name, or the folders whose objects go together where none is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Namespace {
    Named(Box<str>),
    Folders(usize),
}

/// The keys of a `ConfigMap`, each with the path of its file.
pub(super) type Keys = Vec<(Box<str>, String)>;

/// Folders that belong together.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    numbers: HashMap<Box<str>, usize>,
    parents: Vec<usize>,
    /// Folders in which not all that will be there can be known.
    open: HashSet<usize>,
    /// Folders whose objects get their namespace from kustomize.
    moved: HashSet<usize>,
    /// The files of `ConfigMap`s that kustomize makes, by folder and name; none where that is not clear.
    generated: HashMap<(usize, Box<str>), Option<Keys>>,
}

impl Scopes {
    fn number(&mut self, folder: &str) -> usize {
        if let Some(&number) = self.numbers.get(folder) {
            return number;
        }
        let number = self.parents.len();
        self.parents.push(number);
        self.numbers.insert(folder.into(), number);
        number
    }

    fn root(&self, mut number: usize) -> usize {
        while self.parents[number] != number {
            number = self.parents[number];
        }
        number
    }

    /// The root of a folder; the way there is half as long afterwards, so that a long chain is not gone along for each.
    fn shortened(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }

    pub(super) fn join(&mut self, one: &str, other: &str) {
        let (one, other) = (self.number(one), self.number(other));
        let (one, other) = (self.shortened(one), self.shortened(other));
        self.parents[one.max(other)] = one.min(other);
    }

    /// Notes that a folder's objects are not all known.
    pub(super) fn leave_open(&mut self, folder: &str) {
        let number = self.number(folder);
        self.open.insert(number);
    }

    /// Reads one of kustomize's files.
    pub(super) fn kustomize(&mut self, path: &str, root: Option<View<'_>>, files: &Files<'_>) {
        let at = folder(path);
        let number = self.number(at);
        let Some(root) = root.filter(|root| root.is_mapping()) else {
            self.open.insert(number);
            return;
        };
        for (key, value) in root.entries() {
            match key.text().unwrap_or_default() {
                "namespace" => {
                    self.moved.insert(number);
                }
                "resources" | "bases" => {
                    for item in value.items() {
                        let found = item.text().and_then(|item| join(at, item)).filter(|path| files.exists(path));
                        match found {
                            Some(path) if path.ends_with(".yaml") || path.ends_with(".yml") => {
                                self.join(at, folder(&path));
                            }
                            Some(path) => self.join(at, &path),
                            None => {
                                self.open.insert(number);
                            }
                        }
                    }
                }
                "configMapGenerator" => {
                    for item in value.items() {
                        self.generate(at, item);
                    }
                }
                key if PLAIN.contains(&key) => {}
                _ => {
                    self.open.insert(number);
                }
            }
        }
    }

    /// Notes a `ConfigMap` that kustomize makes.
    fn generate(&mut self, at: &str, item: View<'_>) {
        let Some(name) = item.get("name").and_then(View::text) else { return };
        let plain = item
            .entries()
            .iter()
            .all(|(key, _)| matches!(key.text(), Some("name" | "files" | "namespace" | "options")));
        let files = item.get("files").into_iter().flat_map(View::items).map(|file| {
            let text = file.text()?;
            let (key, path) = match text.split_once('=') {
                Some((key, path)) => (key, path),
                None => (text.rsplit('/').next()?, text),
            };
            Some((key.into(), join(at, path)?))
        });
        let files: Option<Vec<_>> = files.collect();
        let number = self.number(at);
        // Two of one name are laid over each other.
        let files = files.filter(|_| plain);
        self.generated.entry((number, name.into())).and_modify(|known| *known = None).or_insert(files);
    }

    /// The files of a `ConfigMap` that kustomize makes for the folder of a file.
    pub(super) fn generated(&self, file: FileId, name: &str, files: &Files<'_>) -> Option<&[(Box<str>, String)]> {
        let root = self.at(file, files)?;
        self.generated.get(&(root, name.into()))?.as_deref()
    }

    /// What is left to do when all of kustomize's files were read.
    pub(super) fn settle(&mut self) {
        // Each one's root comes before it.
        for number in 0..self.parents.len() {
            self.parents[number] = self.parents[self.parents[number]];
        }
        let all = |numbers: &HashSet<usize>| numbers.iter().map(|&number| self.root(number)).collect();
        (self.open, self.moved) = (all(&self.open), all(&self.moved));
        let mut generated = HashMap::new();
        for ((number, name), files) in std::mem::take(&mut self.generated) {
            generated.entry((self.root(number), name)).and_modify(|known| *known = None).or_insert(files);
        }
        self.generated = generated;
    }

    /// The namespace of an object; `None` where a template or a variable decides it.
    pub(super) fn of(&self, meta: &Meta, files: &Files<'_>) -> Option<Namespace> {
        let root = self.at(meta.file, files)?;
        match &meta.namespace {
            // A chart says where all of it goes.
            Some(name) if name.text.starts_with("{{.Release.Namespace") => Some(Namespace::Folders(root)),
            Some(name) if !self.moved.contains(&root) => name.known().map(|name| Namespace::Named(name.into())),
            _ => Some(Namespace::Folders(root)),
        }
    }

    /// Whether something about the folder of a file is not known.
    pub(super) fn is_open(&self, file: FileId, files: &Files<'_>) -> bool {
        self.at(file, files).is_none_or(|root| self.open.contains(&root))
    }

    fn at(&self, file: FileId, files: &Files<'_>) -> Option<usize> {
        self.numbers.get(folder(files.sources.file(file).path())).map(|&number| self.root(number))
    }

    /// Makes a folder known.
    pub(super) fn enter(&mut self, folder: &str) {
        self.number(folder);
    }
}

/// Reads the file of kustomize at a path.
pub(super) fn read(path: &str, files: &mut Files<'_>, scopes: &mut Scopes) {
    let Loaded::File(id) = files.load_text(path) else {
        scopes.leave_open(folder(path));
        return;
    };
    let source = files.sources.share(id);
    let parsed = yaml::parse(source.text());
    let root = parsed.tree.root().filter(|_| parsed.errors.is_empty() && !parsed.template);
    scopes.kustomize(path, root, files);
}
