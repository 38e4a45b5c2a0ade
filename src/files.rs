//! The files of one run: what was handed in, what includes asked for, and who may be asked for more. Layer 2.
//!
//! The core reads nothing itself. Whoever runs it hands in a [`Repository`], which says what a path holds.

use crate::source::{FileId, SourceFile, SourceMap};
use crate::syntax::{Branches, Parsed, haproxy, nginx};
use crate::topology::Dialect;
use std::collections::HashMap;
use std::sync::Arc;

/// What a path holds. Paths are relative to the root, with forward slashes and without `.` or `..` parts.
#[derive(Debug)]
pub enum Held {
    /// A file's bytes.
    Bytes(Vec<u8>),
    /// Nothing of that name.
    Nothing,
    /// Something that cannot or must not be read: a folder, a device, no permission. The text says which.
    Unreadable(String),
}

/// Answers questions about files below the root. Never leads outside it.
pub trait Repository {
    /// What a path holds.
    fn read(&self, path: &str) -> Held;
    /// Whether a path is there at all, file or folder.
    fn exists(&self, path: &str) -> bool;
    /// Files that match a glob pattern (`*`, `?`, `[…]`, none of which crosses a `/`), sorted.
    fn glob(&self, pattern: &str) -> Vec<String>;
    /// Files anywhere below the root whose path ends with this one, sorted; a bounded search.
    fn ending_with(&self, path: &str) -> Vec<String>;
    /// Files that describe a deployment, as far as somebody met them on the way to others. They are not read for that.
    fn deployments(&self) -> &[String] {
        &[]
    }
}

/// A repository without anything in it: everything beyond the files handed in is unknown.
#[derive(Debug, Default)]
pub struct NoRepository;

impl Repository for NoRepository {
    fn read(&self, _path: &str) -> Held {
        Held::Nothing
    }
    fn exists(&self, _path: &str) -> bool {
        false
    }
    fn glob(&self, _pattern: &str) -> Vec<String> {
        Vec::new()
    }
    fn ending_with(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }
}

/// A parsed file.
#[derive(Debug)]
pub enum Tree {
    /// nginx.
    Nginx(Parsed<nginx::Tree>),
    /// HAProxy.
    Haproxy(Parsed<haproxy::Tree>),
}

impl Tree {
    /// Parses a text in a dialect.
    #[must_use]
    pub fn parse(text: &str, dialect: Dialect) -> Self {
        match dialect {
            Dialect::Nginx => Self::Nginx(nginx::parse(text)),
            Dialect::Haproxy => Self::Haproxy(haproxy::parse(text)),
            // No text of its own.
            Dialect::Kubernetes => Self::Nginx(Parsed::default()),
        }
    }

    /// Whether a template will fill something in.
    #[must_use]
    pub const fn is_template(&self) -> bool {
        match self {
            Self::Nginx(parsed) => parsed.template,
            Self::Haproxy(parsed) => parsed.template,
        }
    }

    /// In how many ways a template is read, because of its branches; one for all else.
    #[must_use]
    pub fn readings(&self) -> usize {
        match self {
            Self::Nginx(parsed) => parsed.readings(),
            Self::Haproxy(parsed) => parsed.readings(),
        }
    }

    /// The branches and loops of a template.
    #[must_use]
    pub fn branches(&self) -> Option<&Branches> {
        match self {
            Self::Nginx(parsed) => parsed.branches.as_deref(),
            Self::Haproxy(parsed) => parsed.branches.as_deref(),
        }
    }

    /// The dialect it was parsed in.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Nginx(_) => Dialect::Nginx,
            Self::Haproxy(_) => Dialect::Haproxy,
        }
    }
}

/// A file with its tree, ready to be handed in. Made side by side for many files.
#[derive(Debug)]
pub struct Unit {
    /// The file.
    pub source: SourceFile,
    /// Its tree.
    pub tree: Tree,
}

impl Unit {
    /// Reads and parses a file's bytes.
    #[must_use]
    pub fn new(path: impl Into<Box<str>>, bytes: Vec<u8>, dialect: Dialect) -> Self {
        Self::parse(SourceFile::new(path, bytes), dialect)
    }

    /// Parses a file.
    #[must_use]
    pub fn parse(source: SourceFile, dialect: Dialect) -> Self {
        let tree = Tree::parse(source.text(), dialect);
        Self { source, tree }
    }
}

/// All loaded files and their trees.
pub struct Files<'a> {
    /// The texts.
    pub sources: SourceMap,
    repository: &'a dyn Repository,
    trees: Vec<Option<Arc<Tree>>>,
    embedded: HashMap<FileId, Box<str>>,
    /// Embedded texts by the folder that their paths name.
    inner: HashMap<Box<str>, Vec<Box<str>>>,
    by_path: HashMap<Box<str>, Loaded>,
    globs: HashMap<Box<str>, Arc<[String]>>,
    found_out: HashMap<(FileId, &'static str), bool>,
    /// How many bytes of programs' own files were looked through.
    spent: usize,
}

/// Most text of programs' own files (scripts, settings, sources) that is looked through in one run, counted each time.
const MAX_SPENT: usize = 256 << 20;

/// What became of a path.
#[derive(Clone, Debug)]
pub enum Loaded {
    /// It was read.
    File(FileId),
    /// There is nothing of that name below the root.
    Missing,
    /// It is there, and could not be read: why.
    Unreadable(Arc<str>),
}

impl std::fmt::Debug for Files<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("sources", &self.sources.files().len()).finish_non_exhaustive()
    }
}

impl<'a> Files<'a> {
    /// Files that were handed in, and somebody to ask for more.
    #[must_use]
    pub fn new(units: Vec<Unit>, repository: &'a dyn Repository) -> Self {
        let mut files = Self {
            sources: SourceMap::default(),
            repository,
            trees: Vec::with_capacity(units.len()),
            embedded: HashMap::new(),
            inner: HashMap::new(),
            by_path: HashMap::with_capacity(units.len()),
            spent: 0,
            globs: HashMap::new(),
            found_out: HashMap::new(),
        };
        for unit in units {
            files.add(unit);
        }
        files
    }

    fn add(&mut self, unit: Unit) -> FileId {
        let path: Box<str> = unit.source.path().into();
        let id = self.sources.add(unit.source);
        self.trees.push(Some(Arc::new(unit.tree)));
        self.by_path.insert(path, Loaded::File(id));
        id
    }

    /// Whether a program's own file may still be looked through: not when very much of such text has been already.
    pub fn spend(&mut self, id: FileId) -> bool {
        // An empty file costs something, too.
        self.spent = self.spent.saturating_add(self.sources.file(id).text().len() + 64);
        self.spent <= MAX_SPENT
    }

    /// The file at a path as text, without a tree: for what is no proxy's configuration.
    pub fn load_text(&mut self, path: &str) -> Loaded {
        if let Some(loaded) = self.by_path.get(path) {
            return loaded.clone();
        }
        let loaded = match self.repository.read(path) {
            Held::Bytes(bytes) => {
                let id = self.sources.add(SourceFile::new(path, bytes));
                self.trees.push(None);
                Loaded::File(id)
            }
            Held::Nothing => Loaded::Missing,
            Held::Unreadable(why) => Loaded::Unreadable(why.into()),
        };
        self.by_path.insert(path.into(), loaded.clone());
        loaded
    }

    /// Whether something holds for the text of a file. Each question is asked once: many services may share a file.
    pub fn holds(&mut self, id: FileId, question: &'static str, look: impl FnOnce(&str) -> bool) -> bool {
        let text = self.sources.share(id);
        *self.found_out.entry((id, question)).or_insert_with(|| look(text.text()))
    }

    /// A file that could not be read, so that a finding has something to point at.
    pub fn add_unread(&mut self, path: &str) -> FileId {
        let id = self.sources.add(SourceFile::new(path, Vec::new()));
        self.trees.push(None);
        id
    }

    /// A text that is no proxy's configuration, so that a finding can point into it.
    pub fn add_text(&mut self, path: &str, text: &str) -> FileId {
        let id = self.sources.add(SourceFile::new(path, text.as_bytes().to_vec()));
        self.trees.push(None);
        id
    }

    /// A text that stands within another file, with blanks for the rest of that file. Nothing may be written back. `known_as`:
    /// the path under which mounts and includes find it, if any, which is that of no file; it is added once.
    pub fn add_embedded(&mut self, path: &str, known_as: &str, bytes: Vec<u8>, dialect: Dialect) {
        if self.by_path.contains_key(known_as) {
            return;
        }
        let unit = Unit::new(path, bytes, dialect);
        let id = self.sources.add(unit.source);
        self.trees.push(Some(Arc::new(unit.tree)));
        self.embedded.insert(id, known_as.into());
        if !known_as.is_empty() {
            self.by_path.insert(known_as.into(), Loaded::File(id));
            self.inner.entry(folder(known_as).into()).or_default().push(known_as.into());
        }
    }

    /// The path under which a file is asked for: its own, but for a text within another file.
    #[must_use]
    pub fn known_as(&self, id: FileId) -> &str {
        match self.embedded.get(&id) {
            Some(known_as) => known_as,
            None => self.sources.file(id).path(),
        }
    }

    /// Whether a text stands within another file.
    #[must_use]
    pub fn is_embedded(&self, id: FileId) -> bool {
        self.embedded.contains_key(&id)
    }

    /// The tree of a file; `None` for one that could not be read.
    #[must_use]
    pub fn tree(&self, id: FileId) -> Option<Arc<Tree>> {
        self.trees.get(id.index()).cloned().flatten()
    }

    /// The file at a path, read and parsed when it is asked for the first time.
    pub fn load(&mut self, path: &str, dialect: Dialect) -> Loaded {
        if let Some(loaded) = self.by_path.get(path) {
            // It may have been read as plain text before.
            if let Loaded::File(id) = loaded
                && let Some(tree @ None) = self.trees.get_mut(id.index())
            {
                *tree = Some(Arc::new(Tree::parse(self.sources.file(*id).text(), dialect)));
            }
            return loaded.clone();
        }
        let loaded = match self.repository.read(path) {
            Held::Bytes(bytes) => return Loaded::File(self.add(Unit::new(path, bytes, dialect))),
            Held::Nothing => Loaded::Missing,
            Held::Unreadable(why) => Loaded::Unreadable(why.into()),
        };
        self.by_path.insert(path.into(), loaded.clone());
        loaded
    }

    /// Files that match a glob pattern, sorted.
    pub fn glob(&mut self, pattern: &str) -> Arc<[String]> {
        if let Some(found) = self.globs.get(pattern) {
            return Arc::clone(found);
        }
        let found: Arc<[String]> = match self.inner.get(folder(pattern)) {
            Some(inner) => match globset::GlobBuilder::new(pattern).literal_separator(true).build() {
                Ok(glob) => {
                    let glob = glob.compile_matcher();
                    inner.iter().filter(|path| glob.is_match(&***path)).map(|path| path.to_string()).collect()
                }
                Err(_) => Arc::default(),
            },
            None => self.repository.glob(pattern).into(),
        };
        self.globs.insert(pattern.into(), Arc::clone(&found));
        found
    }

    /// Files of the repository that match a glob pattern, sorted; nothing is kept.
    #[must_use]
    pub fn names(&self, pattern: &str) -> Vec<String> {
        self.repository.glob(pattern)
    }

    /// What a file of the repository holds, without making it one of the run.
    #[must_use]
    pub fn peek(&self, path: &str) -> Option<Vec<u8>> {
        match self.repository.read(path) {
            Held::Bytes(bytes) => Some(bytes),
            Held::Nothing | Held::Unreadable(_) => None,
        }
    }

    /// Whether a path is there at all.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        self.by_path.contains_key(path) && !matches!(self.by_path.get(path), Some(Loaded::Missing))
            || self.repository.exists(path)
    }

    /// Files that describe a deployment, as far as they were met.
    #[must_use]
    pub fn deployments(&self) -> &'a [String] {
        self.repository.deployments()
    }

    /// Files anywhere whose path ends with this one.
    #[must_use]
    pub fn ending_with(&self, path: &str) -> Vec<String> {
        self.repository.ending_with(path)
    }
}

/// Joins a folder and a path below it, and resolves `.` and `..`. `None` when it leads above the root.
#[must_use]
pub fn join(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A path with `/run` for `/var/run`, which is a link to it on every system that has both.
#[must_use]
pub fn plain_run(path: &str) -> &str {
    path.strip_prefix("/var").filter(|rest| rest.starts_with("/run/")).unwrap_or(path)
}

/// The folder part of a path; empty at the root.
#[must_use]
pub fn folder(path: &str) -> &str {
    path.rfind('/').map_or("", |end| &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_within_the_root() {
        assert_eq!(join("a/b", "../c.conf").as_deref(), Some("a/c.conf"));
        assert_eq!(join("", "./x").as_deref(), Some("x"));
        assert_eq!(join("a", "../../etc/passwd"), None);
        assert_eq!(plain_run("/var/run/x.sock"), "/run/x.sock");
        assert_eq!(plain_run("/var/runner/x.sock"), "/var/runner/x.sock");
        assert_eq!(folder("a/b/c"), "a/b");
        assert_eq!(folder("c"), "");
    }
}
