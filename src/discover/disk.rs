//! What a folder on disk holds, for includes. Nothing outside the root is read, not through a symbolic link either.

use crate::files::{Held, Repository};
use globset::{GlobBuilder, GlobMatcher};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{fs, io};
use walkdir::{DirEntry, WalkDir};

/// Most file names that the search for a path's ending looks through.
const MAX_NAMES: usize = 200_000;

/// Most files that one glob pattern may name.
const MAX_MATCHES: usize = 100_000;

const LEADS_OUT: &str = "leads out of the linted tree through a symbolic link";

/// The folder below which a run may read.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    names: OnceLock<HashMap<Box<str>, Vec<Box<str>>>>,
    deployments: Vec<String>,
    /// Folders that were asked for, without symbolic links.
    folders: Mutex<HashMap<PathBuf, PathBuf>>,
}

impl Disk {
    /// A folder; its path must be absolute and free of symbolic links.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root, names: OnceLock::new(), deployments: Vec::new(), folders: Mutex::default() }
    }

    /// The same, with the files that describe a deployment, as far as a walk met them.
    #[must_use]
    pub fn with_deployments(mut self, deployments: Vec<String>) -> Self {
        self.deployments = deployments;
        self
    }

    /// The place of a path, if it is one that stays below the root by its words.
    fn place(&self, path: &str) -> Option<PathBuf> {
        let inside = !path.starts_with('/') && !path.contains('\0') && path.split('/').all(|part| part != "..");
        inside.then(|| self.root.join(path))
    }

    /// A folder without symbolic links. To ask for it costs a call for each part of its path, and most files lie beside
    /// others.
    fn folder(&self, at: &Path) -> io::Result<PathBuf> {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = folders.get(at) {
            return Ok(known.clone());
        }
        let found = fs::canonicalize(at)?;
        folders.insert(at.to_owned(), found.clone());
        Ok(found)
    }

    /// A file without symbolic links, and whether it is a regular one.
    fn file(&self, at: &Path) -> io::Result<(PathBuf, bool)> {
        let found = fs::symlink_metadata(at)?;
        match (at.parent(), at.file_name()) {
            (Some(folder), Some(name)) if !found.is_symlink() => Ok((self.folder(folder)?.join(name), found.is_file())),
            _ => Ok((fs::canonicalize(at)?, false)),
        }
    }

    /// File names below the root, with their paths. Made when somebody asks for the first time.
    fn names(&self) -> &HashMap<Box<str>, Vec<Box<str>>> {
        self.names.get_or_init(|| {
            let mut names: HashMap<Box<str>, Vec<Box<str>>> = HashMap::new();
            let entries = WalkDir::new(&self.root)
                .into_iter()
                .filter_entry(|entry| entry.depth() == 0 || !is_skipped(entry))
                .filter_map(Result::ok)
                .take(MAX_NAMES);
            for entry in entries.filter(|entry| !entry.file_type().is_dir()) {
                let path = super::relative(entry.path(), &self.root);
                names.entry(super::name_of(&path).into()).or_default().push(path.into());
            }
            for paths in names.values_mut() {
                paths.sort_unstable();
            }
            names
        })
    }
}

fn is_skipped(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && (entry.file_name() == ".git" || entry.file_name() == "node_modules")
}

impl Repository for Disk {
    fn read(&self, path: &str) -> Held {
        let Some(place) = self.place(path) else { return Held::Nothing };
        let (target, regular) = match self.file(&place) {
            Ok(found) => found,
            Err(_) if fs::symlink_metadata(&place).is_ok_and(|found| found.is_symlink()) => {
                return Held::Unreadable("is a symbolic link that leads to nothing".into());
            }
            Err(error) => match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => return Held::Nothing,
                _ => return Held::Unreadable(super::words(&error)),
            },
        };
        if !target.starts_with(&self.root) {
            return Held::Unreadable(LEADS_OUT.into());
        }
        match super::read::read_whole(&target, regular) {
            Ok(bytes) => Held::Bytes(bytes),
            Err(why) => Held::Unreadable(why),
        }
    }

    fn exists(&self, path: &str) -> bool {
        self.place(path).is_some_and(|place| fs::symlink_metadata(place).is_ok())
    }

    fn glob(&self, pattern: &str) -> Vec<String> {
        let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        // Folders that are named in full need no search.
        let literal = parts.iter().take_while(|part| !part.contains(['*', '?', '[', '\\'])).count();
        let literal = literal.min(parts.len().saturating_sub(1));
        let (folder, parts) = parts.split_at(literal);
        let Some(start) = self.place(&folder.join("/")) else { return Vec::new() };
        if parts.is_empty() || parts.contains(&"..") || !self.folder(&start).is_ok_and(|at| at.starts_with(&self.root))
        {
            return Vec::new();
        }
        let matchers: Vec<Part> = parts.iter().map(|part| Part::new(part)).collect();
        let walk = WalkDir::new(&start).min_depth(1).max_depth(parts.len()).follow_links(true);
        let mut found: Vec<String> = walk
            .into_iter()
            .filter_entry(|entry| {
                let Some(at) = entry.depth().checked_sub(1) else { return true };
                let name = entry.file_name().to_string_lossy();
                matchers.get(at).is_some_and(|part| part.matches(&name)) && self.may_enter(entry)
            })
            // What a link leads to may be missing or loop; its name is there all the same, and reading it says why not.
            .filter_map(|entry| match entry {
                Ok(entry) => (entry.depth() == parts.len() && !entry.file_type().is_dir()).then(|| entry.into_path()),
                Err(error) => {
                    let path = error.path().filter(|_| error.depth() == parts.len())?;
                    matchers.last()?.matches(&path.file_name()?.to_string_lossy()).then(|| path.to_owned())
                }
            })
            .take(MAX_MATCHES)
            .map(|path| super::relative(&path, &self.root))
            .collect();
        found.sort_unstable();
        found
    }

    fn deployments(&self) -> &[String] {
        &self.deployments
    }

    fn ending_with(&self, path: &str) -> Vec<String> {
        let wanted = path.trim_matches('/');
        let fits = |found: &str| found.strip_suffix(wanted).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
        let same_name = self.names().get(super::name_of(wanted)).map_or(&[][..], Vec::as_slice);
        same_name.iter().filter(|found| fits(found)).map(|found| found.to_string()).collect()
    }
}

impl Disk {
    /// A folder behind a symbolic link is entered only when it lies below the root.
    fn may_enter(&self, entry: &DirEntry) -> bool {
        !(entry.path_is_symlink() && entry.file_type().is_dir())
            || fs::canonicalize(entry.path()).is_ok_and(|target| target.starts_with(&self.root))
    }
}

/// One part of a glob pattern, between two slashes.
struct Part {
    text: String,
    /// What stands between the stars, where nothing else is special: nearly every pattern is so.
    between_stars: Option<Vec<String>>,
    glob: Option<GlobMatcher>,
}

impl Part {
    fn new(text: &str) -> Self {
        let special = |c: char| matches!(c, '?' | '[' | ']' | '\\');
        if text.contains('*') && !text.contains(special) {
            let between = text.split('*').map(str::to_owned).collect();
            return Self { text: text.to_owned(), between_stars: Some(between), glob: None };
        }
        // glob(3), which proxies use, knows neither `{a,b}` nor `**`.
        let mut pattern = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '{' => pattern.push_str("[{]"),
                '}' => pattern.push_str("[}]"),
                '*' if pattern.ends_with('*') && !pattern.ends_with("\\*") => {}
                c => pattern.push(c),
            }
        }
        let glob = GlobBuilder::new(&pattern).backslash_escape(true).build().ok().map(|glob| glob.compile_matcher());
        Self { text: text.to_owned(), between_stars: None, glob }
    }

    fn matches(&self, name: &str) -> bool {
        // As in glob(3), a leading dot is matched by a dot only.
        let visible = !name.starts_with('.') || self.text.starts_with('.');
        visible
            && match (&self.between_stars, &self.glob) {
                (Some(between), _) => matches_between(between, name),
                (None, Some(glob)) => glob.is_match(name),
                (None, None) => name == self.text,
            }
    }
}

/// Whether a name begins with the first text, ends with the last, and holds the others in between, in their order.
fn matches_between(between: &[String], name: &str) -> bool {
    let [first, middle @ .., last] = between else { return between.iter().all(|text| text == name) };
    let rest = name.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last));
    let Some(mut rest) = rest else { return false };
    middle.iter().all(|text| {
        let found = rest.find(&**text);
        rest = found.map_or("", |at| &rest[at + text.len()..]);
        found.is_some()
    })
}

/// Whether a path is one that a glob pattern names.
pub(super) fn matches_pattern(pattern: &str, path: &str) -> bool {
    let mut names = path.split('/');
    let parts = pattern.split('/').filter(|part| !part.is_empty() && *part != ".");
    let all = parts.into_iter().all(|part| names.next().is_some_and(|name| Part::new(part).matches(name)));
    all && names.next().is_none() && !pattern.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> (tempfile::TempDir, Disk) {
        let scratch = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(scratch.path()).unwrap().join("root");
        for file in
            ["conf.d/b.conf", "conf.d/a.conf", "conf.d/.hidden.conf", "conf.d/c.txt", "x/y/a.conf", "nginx.conf"]
        {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), file).unwrap();
        }
        fs::create_dir(root.join("conf.d/d.conf")).unwrap();
        fs::write(scratch.path().join("secret.conf"), "secret").unwrap();
        (scratch, Disk::new(root))
    }

    #[test]
    fn globs_are_those_of_a_proxy() {
        let (_scratch, disk) = tree();
        assert_eq!(disk.glob("conf.d/*.conf"), ["conf.d/a.conf", "conf.d/b.conf"]);
        assert_eq!(disk.glob("conf.d/**.conf"), ["conf.d/a.conf", "conf.d/b.conf"]);
        assert_eq!(disk.glob("*/?/[!b].conf"), ["x/y/a.conf"]);
        assert_eq!(disk.glob("conf.d/*o*f"), ["conf.d/a.conf", "conf.d/b.conf"]);
        assert_eq!(disk.glob("conf.d/a*.*o*conf"), [""; 0]);
        assert_eq!(disk.glob("conf.d/b.conf*b.conf"), [""; 0]);
        assert_eq!(disk.glob("conf.d/.*.conf"), ["conf.d/.hidden.conf"]);
        assert_eq!(disk.glob("nginx.conf"), ["nginx.conf"]);
        assert!(disk.glob("conf.d/{a,b}.conf").is_empty());
        assert!(disk.glob("../*.conf").is_empty());
        assert!(disk.glob("conf.d/[.conf").is_empty());
        assert!(disk.glob("").is_empty());
        assert!(disk.glob("nowhere/*").is_empty());
    }

    #[test]
    fn a_pattern_names_a_path() {
        assert!(matches_pattern("conf.d/*.conf", "conf.d/a.conf") && matches_pattern("./a/?/x", "a/b/x"));
        for (pattern, path) in
            [("conf.d/*.conf", "conf.d/x/a.conf"), ("*.conf", "a/b.conf"), ("a/b/*", "a/b"), ("", "")]
        {
            assert!(!matches_pattern(pattern, path), "{pattern} {path}");
        }
        assert!(!matches_pattern("a/*", "a/.hidden"));
    }

    #[test]
    fn endings_are_found_at_any_depth() {
        let (_scratch, disk) = tree();
        assert_eq!(disk.ending_with("a.conf"), ["conf.d/a.conf", "x/y/a.conf"]);
        assert_eq!(disk.ending_with("y/a.conf"), ["x/y/a.conf"]);
        assert!(disk.ending_with(".conf").is_empty());
        assert!(disk.ending_with("").is_empty());
    }

    #[test]
    fn what_is_read_is_a_file_below_the_root() {
        let (_scratch, disk) = tree();
        assert!(matches!(disk.read("nginx.conf"), Held::Bytes(bytes) if bytes == b"nginx.conf"));
        assert!(matches!(disk.read("missing.conf"), Held::Nothing));
        assert!(matches!(disk.read("nginx.conf/x"), Held::Nothing));
        assert!(matches!(disk.read("../secret.conf"), Held::Nothing));
        assert!(matches!(disk.read("/etc/hostname"), Held::Nothing));
        assert!(matches!(disk.read("conf.d"), Held::Unreadable(why) if why.contains("folder")));
        assert!(disk.exists("conf.d") && !disk.exists("../secret.conf"));
    }

    #[cfg(unix)]
    #[test]
    fn links_do_not_lead_out() {
        use std::os::unix::fs::symlink;
        let (_scratch, disk) = tree();
        let root = disk.root.clone();
        symlink(root.join("../secret.conf"), root.join("conf.d/out.conf")).unwrap();
        symlink("loop.conf", root.join("conf.d/loop.conf")).unwrap();
        symlink("a.conf", root.join("conf.d/in.conf")).unwrap();
        symlink("/dev/zero", root.join("conf.d/zero.conf")).unwrap();
        symlink("/", root.join("up")).unwrap();
        symlink(".", root.join("self")).unwrap();
        assert!(matches!(disk.read("conf.d/out.conf"), Held::Unreadable(why) if why == LEADS_OUT));
        assert!(matches!(disk.read("conf.d/zero.conf"), Held::Unreadable(why) if why == LEADS_OUT));
        assert!(matches!(disk.read("up/etc/passwd"), Held::Unreadable(why) if why == LEADS_OUT));
        assert!(matches!(disk.read("conf.d/loop.conf"), Held::Unreadable(_)));
        assert!(matches!(disk.read("conf.d/in.conf"), Held::Bytes(_)));
        assert!(disk.glob("up/*/hostname").is_empty());
        assert!(disk.glob("*/etc/hostname").is_empty());
        assert_eq!(disk.glob("self/nginx.conf"), ["self/nginx.conf"]);
        let all = disk.glob("conf.d/*.conf");
        assert!(all.contains(&"conf.d/loop.conf".to_owned()) && all.contains(&"conf.d/out.conf".to_owned()), "{all:?}");
        assert_eq!(disk.ending_with("nginx.conf"), ["nginx.conf"]);
    }
}
