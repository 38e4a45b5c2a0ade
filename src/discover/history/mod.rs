//! The linted tree as it was at some commit: the tree on disk, with the old texts of those files that are not what they
//! were. So it costs what the change costs, and no second tree lies anywhere.

mod git;
mod objects;
mod raw;

use super::disk::{Disk, matches_pattern};
use crate::files::{Held, Repository, folder, join};
use git::Git;
use objects::Objects;
use raw::{Change, Then};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What to do where old texts are missing.
const PARTIAL: &str = "a partial clone has to be completed first: git fetch --refetch --no-filter";

/// The tree below a folder, at the commit where its branch left another one.
#[derive(Debug)]
pub struct Past {
    root: PathBuf,
    git: Git,
    objects: Mutex<Objects>,
    /// The first old text that could not be read: then nothing can be said of that tree.
    failed: Mutex<Option<String>>,
    /// What is not as it was, by path from the root of the run.
    changes: BTreeMap<String, Then>,
    /// Paths at which nothing is now.
    gone: BTreeSet<String>,
    /// New name → old name.
    renamed: HashMap<String, String>,
    /// Folders in which something lay.
    folders: BTreeSet<String>,
}

/// What a file was.
#[derive(Debug, PartialEq, Eq)]
pub enum Before {
    /// The same.
    Same,
    /// Nothing, or something without lines.
    New,
    /// This text.
    Text(String),
}

impl Past {
    /// The tree below `root` (absolute, without symbolic links) as it was where HEAD and `reference` parted.
    ///
    /// # Errors
    /// Why that cannot be had, and what to do, in words.
    pub fn since(root: &Path, reference: &str) -> Result<Self, String> {
        let cannot = |why: &str| format!("--changed-since {reference}: {why}");
        if reference.starts_with('-') || reference.is_empty() || reference.contains(['\0', '\n']) {
            return Err(cannot("this is no name of a commit, branch or tag"));
        }
        let git = Git::new(root).map_err(|why| cannot(&why))?;
        let outside = || cannot(&format!("{} is not in a git repository with a work tree", root.display()));
        let top = git.line(&["rev-parse", "--show-toplevel"]).map_err(|failure| match failure.said.as_str() {
            said if said.starts_with("not a git repository") => outside(),
            said => cannot(said),
        })?;
        let top = fs::canonicalize(top).map_err(|_| outside())?;
        let below = root.strip_prefix(&top).map_err(|_| outside())?;
        let prefix = match super::relative(below, Path::new("")) {
            here if here == "." => String::new(),
            below => format!("{below}/"),
        };
        let shallow = || git.line(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer == "true");
        let more = "this clone is shallow and does not go back that far\nfetch the whole history: git fetch --unshallow; \
                    with actions/checkout, `fetch-depth: 0`";
        let wanted = format!("{reference}^{{commit}}");
        let Ok(commit) = git.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]) else {
            let remote = reference.split_once('/').map_or_else(
                || format!("fetch it (git fetch), or name the remote's branch: origin/{reference}"),
                |(remote, branch)| format!("fetch it: git fetch {remote} {branch}"),
            );
            let shallow = if shallow() { format!("\n{more}") } else { String::new() };
            return Err(cannot(&format!("there is no such commit, branch or tag here\n{remote}{shallow}")));
        };
        let Ok(base) = git.line(&["merge-base", &commit, "HEAD"]) else {
            return Err(cannot(if shallow() { more } else { "it has no commit in common with what is checked out" }));
        };
        let list = git.ask(&[
            "diff",
            "--raw",
            "-z",
            "-M",
            "--no-abbrev",
            "--no-relative",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--ignore-submodules=all",
            &base,
            "--",
        ]);
        let list = list.map_err(|failure| match failure.said.contains("unable to read") {
            true => cannot(&format!("{}\n{PARTIAL}", failure.said)),
            false => cannot(&failure.said),
        })?;
        let changes = raw::read(&list).map_err(|why| cannot(&why))?;
        // Those below the root, seen from it.
        let new = git.ask(&["ls-files", "--others", "--exclude-standard", "-z"]);
        let new = new.map_err(|failure| cannot(&failure.said))?;
        let new = new.split(|byte| *byte == 0).filter(|path| !path.is_empty() && !path.ends_with(b"/"));
        let mut past = Self {
            root: root.to_owned(),
            git,
            objects: Mutex::default(),
            failed: Mutex::default(),
            changes: BTreeMap::new(),
            gone: BTreeSet::new(),
            renamed: HashMap::new(),
            folders: BTreeSet::new(),
        };
        for change in changes {
            past.add(change, &prefix);
        }
        for path in new {
            let path = String::from_utf8_lossy(path).into_owned();
            // What git does not follow any more may still lie there.
            past.gone.remove(&path);
            past.changes.entry(path).or_insert(Then::Nothing);
        }
        Ok(past)
    }

    fn add(&mut self, change: Change, prefix: &str) {
        let Some(path) = change.path.strip_prefix(prefix) else { return };
        if change.then != Then::Nothing {
            let mut above = folder(path);
            while !above.is_empty() && self.folders.insert(above.to_owned()) {
                above = folder(above);
            }
        }
        if change.gone && change.then != Then::Nothing {
            self.gone.insert(path.to_owned());
        }
        if let Some(from) = change.renamed_from.as_deref().and_then(|from| from.strip_prefix(prefix)) {
            self.renamed.insert(path.to_owned(), from.to_owned());
        }
        self.changes.insert(path.to_owned(), change.then);
    }

    /// Whether all is as it was.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether a path is not what it was.
    #[must_use]
    pub fn differs(&self, path: &str) -> bool {
        self.changes.contains_key(path)
    }

    /// The paths that held something and are not what they were, and whether nothing is there now.
    pub fn differing(&self) -> impl Iterator<Item = (&str, bool)> {
        let held = self.changes.iter().filter(|(_, then)| **then != Then::Nothing);
        held.map(|(path, _)| (path.as_str(), self.gone.contains(path)))
    }

    /// The name that a file had.
    #[must_use]
    pub fn old_name<'a>(&'a self, path: &'a str) -> &'a str {
        self.renamed.get(path).map_or(path, String::as_str)
    }

    /// The names of files that have another one now: new, old.
    pub fn renamed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.renamed.iter().map(|(new, old)| (new.as_str(), old.as_str()))
    }

    /// What a file that is there now was.
    #[must_use]
    pub fn before(&self, path: &str) -> Before {
        let Some(path) = self.real(path) else { return Before::Same };
        match self.held(self.old_name(&path)) {
            Held::Bytes(bytes) => Before::Text(crate::source::SourceFile::new("", bytes).text().to_owned()),
            Held::Nothing | Held::Unreadable(_) => Before::New,
        }
    }

    /// The path that is not what it was and that another one leads to, over symbolic links or none.
    fn real<'p>(&self, path: &'p str) -> Option<Cow<'p, str>> {
        if self.differs(path) {
            return Some(Cow::Borrowed(path));
        }
        let place = self.root.join(path);
        let target = match fs::canonicalize(&place) {
            Ok(target) => super::relative(target.strip_prefix(&self.root).ok()?, Path::new("")),
            // What it led to is gone.
            Err(_) => join(folder(path), &fs::read_link(&place).ok()?.to_string_lossy())?,
        };
        self.differs(&target).then_some(Cow::Owned(target))
    }

    /// The first old text that could not be read, in words.
    #[must_use]
    pub fn failed(&self) -> Option<String> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a path held that is not what it was.
    pub(super) fn held(&self, path: &str) -> Held {
        match self.changes.get(path) {
            None | Some(Then::Nothing) => Held::Nothing,
            Some(Then::File(object)) => match self.object(path, object) {
                Ok(bytes) => Held::Bytes(bytes),
                Err(why) => Held::Unreadable(why),
            },
            Some(Then::Link(object)) => {
                let target = self.object(path, object).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                let target = target.ok().and_then(|target| join(folder(path), &target));
                match target.map(|target| (self.changes.get(&target).cloned(), target)) {
                    // A link to a link is not followed.
                    Some((Some(Then::File(_)), target)) => self.held(&target),
                    _ => Held::Unreadable("was a symbolic link".into()),
                }
            }
        }
    }

    fn object(&self, path: &str, object: &str) -> Result<Vec<u8>, String> {
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        match objects.read(&self.git, object) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(super::read::too_large()),
            Err(why) => {
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert_with(|| format!("the old text of {path} cannot be read: {why}\n{PARTIAL}"));
                Err(why)
            }
        }
    }
}

/// A folder on disk as it was.
#[derive(Debug)]
pub struct OldTree<'a> {
    disk: Disk,
    past: &'a Past,
}

impl<'a> OldTree<'a> {
    /// The folder, and what is not as it was.
    #[must_use]
    pub fn new(disk: Disk, past: &'a Past) -> Self {
        Self { disk, past }
    }

    fn kept_and(&self, mut paths: Vec<String>, fits: impl Fn(&str) -> bool) -> Vec<String> {
        paths.retain(|path| !self.past.differs(path));
        paths.extend(self.past.differing().filter(|(path, _)| fits(path)).map(|(path, _)| path.to_owned()));
        paths.sort_unstable();
        paths
    }
}

impl Repository for OldTree<'_> {
    fn read(&self, path: &str) -> Held {
        match self.past.real(path) {
            Some(path) => self.past.held(&path),
            None => self.disk.read(path),
        }
    }

    fn exists(&self, path: &str) -> bool {
        match self.past.changes.get(path) {
            Some(then) => *then != Then::Nothing,
            None => self.past.folders.contains(path) || self.disk.exists(path),
        }
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        self.kept_and(self.disk.glob(pattern), |path| matches_pattern(pattern, path))
    }

    fn ending_with(&self, path: &str) -> Vec<String> {
        let wanted = path.trim_matches('/');
        let fits = |found: &str| found.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        self.kept_and(self.disk.ending_with(path), |found| !wanted.is_empty() && fits(found))
    }

    fn deployments(&self) -> &[String] {
        self.disk.deployments()
    }
}
