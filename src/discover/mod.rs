//! From paths to files: walk, decide the dialect, read and parse side by side. Layer 9: with the command line the only
//! place that touches the disk.

mod config;
mod disk;
mod history;
mod read;
mod sniff;
mod why;

pub use config::{ConfigFile, configuration};
pub use disk::Disk;
pub use history::{Before, OldTree, Past};
pub use read::read_text;
pub(crate) use read::words;
pub use why::{Told, from_root, tell};

use crate::config::Config;
use crate::engine::UnreadFile;
use crate::files::{Held, Unit};
use crate::lower::compose::is_compose_name;
use crate::lower::workload::machine::is_machine_path;
use crate::topology::Dialect;
use globset::{GlobBuilder, GlobMatcher};
use rayon::prelude::*;
use read::{head_of, is_of_use, is_worth_a_look, read, shows_use};
use sniff::Promise;
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::{fmt, fs, io};

/// From this many files on they are read and parsed side by side; starting threads costs more than fewer files do.
const SIDE_BY_SIDE: usize = 8;

/// Folders that hold other people's files, or none of configuration.
const SKIPPED: [&str; 3] = ["node_modules", "vendor", "target"];

/// What is to be linted.
#[derive(Debug, Default)]
pub struct Request {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Text from standard input, with the name that it goes by.
    pub stdin: Option<(String, Vec<u8>)>,
    /// Whether ignore files and the list of skipped folders are passed over.
    pub no_ignore: bool,
    /// What the user says of files: pattern and dialect.
    pub dialects: Vec<DialectOf>,
    /// Says what is excluded.
    pub exclude: Config,
}

/// `PATH_OR_GLOB=DIALECT`.
#[derive(Clone, Debug)]
pub struct DialectOf {
    pattern: String,
    glob: GlobMatcher,
    dialect: Dialect,
}

impl DialectOf {
    /// Reads `conf/*.tpl=nginx`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((pattern, name)) = text.rsplit_once('=') else {
            return Err("write PATH=nginx or PATH=haproxy; PATH may be a glob pattern".into());
        };
        let dialect = match name {
            "nginx" => Dialect::Nginx,
            "haproxy" => Dialect::Haproxy,
            _ => return Err(format!("`{name}` is no dialect; there are nginx and haproxy")),
        };
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        if pattern.is_empty() {
            return Err("there is no path before the `=`".into());
        }
        let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(|error| error.to_string())?;
        Ok(Self { pattern: pattern.to_owned(), glob: glob.compile_matcher(), dialect })
    }

    /// Whether a file is meant: by its path from the root, by the path given, or, for a pattern without a folder, by
    /// its name.
    fn matches(&self, path: &str, given: Option<&Path>) -> bool {
        self.glob.is_match(path)
            || (!self.pattern.contains('/') && self.glob.is_match(name_of(path)))
            || given.is_some_and(|given| given == Path::new(&self.pattern) || self.glob.is_match(given))
    }
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The folder to which all paths are relative.
    pub root: PathBuf,
    /// The files, sorted by path.
    pub units: Vec<Unit>,
    /// Files that could not be read.
    pub unread: Vec<UnreadFile>,
    /// How many files were seen, of any kind.
    pub seen: usize,
    /// How many of those that may be configuration are excluded.
    pub excluded: usize,
    /// How many of them the user named.
    pub named_excluded: usize,
    /// Files that describe a deployment, by their names; they were not read. Sorted.
    pub deployments: Vec<String>,
}

/// Why there is nothing to lint.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A path was given that is not there.
    Missing(PathBuf),
    /// A path was given that cannot be looked at: why.
    NoAccess(PathBuf, String),
    /// A file was named that is of no known dialect.
    Unrecognised(String),
    /// The current directory cannot be told.
    NoCurrentDirectory(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "there is no file or folder {}", path.display()),
            Self::NoAccess(path, why) => write!(f, "cannot look at {}: {why}", path.display()),
            Self::Unrecognised(path) => write!(
                f,
                "cannot tell what {path} is: neither its name nor its content says nginx or HAProxy\n\
                 say it with: --dialect '{path}=nginx' or --dialect '{path}=haproxy'"
            ),
            Self::NoCurrentDirectory(why) => write!(f, "cannot tell the current directory: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// A file that may be configuration.
#[derive(Debug)]
struct Candidate {
    /// Where it is.
    at: PathBuf,
    /// Its path from the root.
    path: String,
    /// What is known of it before it is read.
    promise: Promise,
    /// Whether the user named it.
    named: bool,
    /// Whether a walk has just seen that it is a regular file.
    regular: bool,
    /// What it held at an earlier time, instead of what it holds.
    held: Option<Held>,
}

/// What became of a candidate.
enum Outcome {
    Taken(Box<Unit>),
    Unread(UnreadFile),
    NotOurs(Candidate),
}

/// Finds, reads and parses the files that are to be linted. `progress` is told how many files are to be read.
///
/// # Errors
/// When a path is not there, or a named file is of no known dialect.
pub fn discover(request: &Request) -> Result<Found, Refusal> {
    find(request, None)
}

/// Finds the files that would have been linted at an earlier time.
///
/// # Errors
/// As [`discover`].
pub fn discover_old(request: &Request, past: &Past) -> Result<Found, Refusal> {
    find(request, Some(past))
}

/// The folder to which all paths of a run are relative, and whether the run goes through all of it.
///
/// # Errors
/// When a path is not there.
pub fn root(request: &Request) -> Result<(PathBuf, bool), Refusal> {
    let (root, given) = given(request)?;
    let whole = given.iter().any(|given| given.folder && given.at == root);
    Ok((root, whole))
}

fn given(request: &Request) -> Result<(PathBuf, Vec<Given>), Refusal> {
    let here = std::env::current_dir()
        .and_then(fs::canonicalize)
        .map_err(|error| Refusal::NoCurrentDirectory(error.to_string()))?;
    let given = request.paths.iter().map(|path| Given::new(path)).collect::<Result<Vec<_>, _>>()?;
    Ok((root_of(&given, &here), given))
}

fn find(request: &Request, past: Option<&Past>) -> Result<Found, Refusal> {
    let (root, given) = given(request)?;
    let then = |path: &str| past.is_some_and(|past| past.differs(path));
    // What the walk meets and was not as it is.
    let mut differing = HashSet::new();
    let mut seen = 0;
    let mut candidates = Vec::new();
    let mut unread = Vec::new();
    let mut deployments = Vec::new();
    let mut manifests = Vec::new();
    for given in &given {
        if given.folder {
            walk(
                given,
                &root,
                request,
                &mut Met {
                    seen: &mut seen,
                    deployments: &mut deployments,
                    manifests: &mut manifests,
                    past,
                    differing: &mut differing,
                },
                &mut candidates,
                &mut unread,
            );
        } else {
            seen += 1;
            let path = relative(&given.at, &root);
            if then(&path) {
                differing.insert(path);
                continue;
            }
            if is_compose_name(name_of(&path))
                && promised(request, &path, Some(&given.written))
                    .is_none_or(|promise| !matches!(promise, Promise::Said(_)))
            {
                // It leads to the proxy files that it mounts.
                deployments.push(path);
                continue;
            }
            let promise = promised(request, &path, Some(&given.written));
            if promise.is_none() && is_worth_a_look(&path) && is_of_use(&given.at, &path, false) {
                deployments.push(path);
                continue;
            }
            let promise = promise.unwrap_or(Promise::Maybe);
            candidates.push(Candidate { at: given.at.clone(), path, promise, named: true, regular: false, held: None });
        }
    }
    if let Some(past) = past {
        old_files(past, request, (&given, &root), &differing, &mut candidates, &mut deployments);
    }
    manifests.retain(|(_, path): &(PathBuf, String)| !request.exclude.excludes(path));
    if manifests.len() < SIDE_BY_SIDE {
        manifests.retain(|(at, path)| is_of_use(at, path, true));
    } else {
        manifests = manifests.into_par_iter().filter(|(at, path)| is_of_use(at, path, true)).collect();
    }
    deployments.extend(manifests.into_iter().map(|(_, path)| path));
    // A file that was named and found is taken as named; a path counts once.
    candidates.sort_by(|a, b| a.path.cmp(&b.path).then(b.named.cmp(&a.named)));
    candidates.dedup_by(|later, first| later.path == first.path);
    unread.retain(|file| !request.exclude.excludes(&file.path));
    let (all, mut named_excluded) = (candidates.len(), 0);
    candidates.retain(|candidate| {
        let excluded = request.exclude.excludes(&candidate.path);
        named_excluded += usize::from(excluded && candidate.named);
        !excluded
    });
    let mut excluded = all - candidates.len();
    let outcomes: Vec<Outcome> = if candidates.len() < SIDE_BY_SIDE {
        candidates.into_iter().map(take).collect()
    } else {
        candidates.into_par_iter().map(take).collect()
    };
    let mut units = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        match outcome {
            Outcome::Taken(unit) => units.push(*unit),
            Outcome::Unread(file) => unread.push(file),
            Outcome::NotOurs(candidate) if candidate.named && candidate.held.is_none() => {
                return Err(Refusal::Unrecognised(candidate.path));
            }
            Outcome::NotOurs(_) => {}
        }
    }
    if let Some((name, bytes)) = &request.stdin {
        seen += 1;
        let unit = from_stdin(name, bytes, request)?;
        if request.exclude.excludes(unit.source.path()) {
            (excluded, named_excluded) = (excluded + 1, named_excluded + 1);
        } else {
            units.push(unit);
        }
    }
    unread.sort_by(|a, b| a.path.cmp(&b.path));
    deployments.sort_unstable();
    deployments.dedup();
    Ok(Found { root, units, unread, seen, excluded, named_excluded, deployments })
}

fn from_stdin(name: &str, bytes: &[u8], request: &Request) -> Result<Unit, Refusal> {
    let path = crate::files::join("", name).unwrap_or_else(|| name_of(name).to_owned());
    let promise = promised(request, &path, Some(Path::new("-"))).unwrap_or(Promise::Maybe);
    match promise.settle(bytes, true) {
        Some(dialect) => Ok(Unit::new(path, bytes.to_vec(), dialect)),
        None => Err(Refusal::Unrecognised(if name == STDIN { "-".into() } else { path })),
    }
}

/// The name of standard input where none is given.
pub const STDIN: &str = "stdin";

/// A path as the user gave it.
#[derive(Debug)]
struct Given {
    written: PathBuf,
    /// Absolute; without symbolic links, but for the last part of a file's path.
    at: PathBuf,
    folder: bool,
}

impl Given {
    fn new(path: &Path) -> Result<Self, Refusal> {
        let refused = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Refusal::Missing(path.to_owned()),
            _ => Refusal::NoAccess(path.to_owned(), words(&error)),
        };
        let folder = fs::metadata(path).map_err(refused)?.is_dir();
        let at = match (folder, path.file_name()) {
            (false, Some(name)) => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
                fs::canonicalize(parent).map_err(refused)?.join(name)
            }
            _ => fs::canonicalize(path).map_err(refused)?,
        };
        let written = path.strip_prefix(".").unwrap_or(path).to_owned();
        Ok(Self { written, at, folder })
    }

    fn directory(&self) -> &Path {
        if self.folder { &self.at } else { self.at.parent().unwrap_or(&self.at) }
    }
}

/// The folder that paths are relative to: the current directory when all of them lie in it; else the nearest folder
/// above them that holds a `.git`; else the one that holds them.
fn root_of(given: &[Given], here: &Path) -> PathBuf {
    if given.iter().all(|given| given.at.starts_with(here)) {
        return here.to_owned();
    }
    let mut common: PathBuf = given.first().map_or(here, Given::directory).to_owned();
    while given.iter().any(|given| !given.at.starts_with(&common)) {
        if !common.pop() {
            break;
        }
    }
    let repository = common.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned);
    repository.unwrap_or(common)
}

/// What the user or the name says of a file; `None` when it is not worth reading.
fn promised(request: &Request, path: &str, given: Option<&Path>) -> Option<Promise> {
    // The last word counts, as with other options.
    let said = request.dialects.iter().rev().find(|of| of.matches(path, given));
    said.map(|of| Promise::Said(of.dialect)).or_else(|| sniff::by_name(path))
}

/// What a walk meets beside candidates.
struct Met<'m> {
    seen: &'m mut usize,
    deployments: &'m mut Vec<String>,
    /// YAML files and scripts; whether they describe objects of Kubernetes or write configuration is not known yet.
    manifests: &'m mut Vec<(PathBuf, String)>,
    /// An earlier time that is meant, and the files that were not then what they are.
    past: Option<&'m Past>,
    differing: &'m mut HashSet<String>,
}

/// Adds the files that were not what they are: as they were.
fn old_files(
    past: &Past,
    request: &Request,
    (given, root): (&[Given], &Path),
    differing: &HashSet<String>,
    candidates: &mut Vec<Candidate>,
    deployments: &mut Vec<String>,
) {
    let given: Vec<(String, bool)> = given.iter().map(|given| (relative(&given.at, root), given.folder)).collect();
    let named: HashSet<&str> =
        given.iter().filter(|(_, folder)| !folder).map(|(path, _)| past.old_name(path)).collect();
    for (path, gone) in past.differing() {
        let walked = || {
            let skipped = |part: &str| part == ".git" || (!request.no_ignore && SKIPPED.contains(&part));
            let mut folders = given.iter().filter(|(_, folder)| *folder);
            // A walk meets what is there now; of what is gone its folder says whether it would have been met.
            gone && !crate::files::folder(path).split('/').any(skipped)
                && folders.any(|(folder, _)| {
                    folder == "." || path.strip_prefix(&**folder).is_some_and(|rest| rest.starts_with('/'))
                })
        };
        let is_named = named.contains(path);
        if !(is_named || differing.contains(path) || walked()) {
            continue;
        }
        let promise = promised(request, path, None);
        if is_compose_name(name_of(path))
            && !promise.as_ref().is_some_and(|promise| matches!(promise, Promise::Said(_)))
        {
            deployments.push(path.to_owned());
            continue;
        }
        if is_machine_path(path) {
            deployments.push(path.to_owned());
        }
        if promise.is_none() && !is_named && !is_worth_a_look(path) {
            continue;
        }
        let held = past.held(path);
        if is_worth_a_look(path)
            && let Held::Bytes(bytes) = &held
            && shows_use(path, &bytes[..bytes.len().min(head_of(path) as usize)])
            && !request.exclude.excludes(path)
        {
            deployments.push(path.to_owned());
        }
        let Some(promise) = promise.or_else(|| is_named.then_some(Promise::Maybe)) else { continue };
        candidates.push(Candidate {
            at: PathBuf::new(),
            path: path.to_owned(),
            promise,
            named: is_named,
            regular: false,
            held: Some(held),
        });
    }
}

fn walk(
    given: &Given,
    root: &Path,
    request: &Request,
    met: &mut Met<'_>,
    candidates: &mut Vec<Candidate>,
    unread: &mut Vec<UnreadFile>,
) {
    let mut links = Vec::new();
    for entry in walker(&given.at, request.no_ignore, None).build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                unread.extend(walk_error(&error, root));
                continue;
            }
        };
        let Some(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            // A folder that is named like a configuration file is a mistake worth a word only where a proxy reads it.
            continue;
        }
        *met.seen += 1;
        let path = relative(entry.path(), root);
        if met.past.is_some_and(|past| past.differs(&path)) {
            met.differing.insert(path);
            continue;
        }
        if is_compose_name(name_of(&path)) {
            met.deployments.push(path);
            continue;
        }
        if is_machine_path(&path) {
            // Its name alone does not say for certain that no proxy reads it.
            met.deployments.push(path.clone());
        }
        if kind.is_file() && is_worth_a_look(&path) {
            met.manifests.push((entry.path().to_owned(), path.clone()));
        }
        let Some(promise) = promised(request, &path, None) else { continue };
        let regular = kind.is_file();
        let candidate = Candidate { at: entry.into_path(), path, promise, named: false, regular, held: None };
        if kind.is_symlink() {
            links.push(candidate);
        } else {
            candidates.push(candidate);
        }
    }
    add_links(links, root, met.differing, candidates);
}

/// Walks a folder. `towards`: only on the way to that file.
fn walker(at: &Path, no_ignore: bool, towards: Option<PathBuf>) -> ignore::WalkBuilder {
    let mut builder = ignore::WalkBuilder::new(at);
    builder
        .hidden(false)
        .parents(!no_ignore)
        .ignore(!no_ignore)
        .git_ignore(!no_ignore)
        .git_global(false)
        .git_exclude(false)
        .require_git(false)
        .follow_links(false)
        .filter_entry(move |entry| {
            if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
                return true;
            }
            let name = entry.file_name();
            name != ".git"
                && (no_ignore || !SKIPPED.iter().any(|skipped| name == *skipped))
                && towards.as_ref().is_none_or(|file| file.starts_with(entry.path()))
        });
    builder
}

/// A symbolic link to a file counts when it stays below the root, and leads to a file that is not linted anyway.
fn add_links(links: Vec<Candidate>, root: &Path, differing: &HashSet<String>, candidates: &mut Vec<Candidate>) {
    if links.is_empty() {
        return;
    }
    let mut taken: HashSet<PathBuf> = candidates.iter().map(|candidate| candidate.at.clone()).collect();
    taken.extend(differing.iter().map(|path| root.join(path)));
    for link in links {
        if let Ok(target) = fs::canonicalize(&link.at)
            && target.starts_with(root)
            && target.is_file()
            && taken.insert(target)
        {
            candidates.push(link);
        }
    }
}

/// A folder that cannot be listed, or an ignore file that cannot be read, is not passed over in silence.
fn walk_error(error: &ignore::Error, root: &Path) -> Option<UnreadFile> {
    let path = path_of(error)?;
    let why = error.io_error().map_or_else(|| error.to_string(), words);
    Some(UnreadFile { path: relative(path, root), why })
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

/// Reads and parses a candidate.
fn take(mut candidate: Candidate) -> Outcome {
    match candidate.held.take() {
        None => {}
        Some(Held::Bytes(bytes)) => {
            return match candidate.promise.settle(&bytes, candidate.named) {
                Some(dialect) => Outcome::Taken(Box::new(Unit::new(candidate.path, bytes, dialect))),
                None => Outcome::NotOurs(Candidate { held: Some(Held::Nothing), ..candidate }),
            };
        }
        Some(Held::Nothing | Held::Unreadable(_)) => {
            return Outcome::NotOurs(Candidate { held: Some(Held::Nothing), ..candidate });
        }
    }
    match read(&candidate) {
        Ok(Some((bytes, dialect))) => Outcome::Taken(Box::new(Unit::new(candidate.path, bytes, dialect))),
        Ok(None) => Outcome::NotOurs(candidate),
        Err(why) => Outcome::Unread(UnreadFile { path: candidate.path, why }),
    }
}

/// A path from the root, with forward slashes. Bytes that are not Unicode are replaced.
fn relative(path: &Path, root: &Path) -> String {
    // What a walk gives is nearly always the root, a slash and names in Unicode: nothing to take apart then.
    #[cfg(unix)]
    if let Some(below) = path.to_str().zip(root.to_str()).and_then(|(path, root)| path.strip_prefix(root))
        && let Some(below) = below.strip_prefix('/')
        && below.split('/').all(|part| !matches!(part, "" | "."))
    {
        return below.to_owned();
    }
    let path = path.strip_prefix(root).unwrap_or(path);
    let mut text = String::new();
    for part in path.components() {
        if !matches!(part, Component::RootDir | Component::Prefix(_)) && !text.is_empty() {
            text.push('/');
        }
        match part {
            Component::RootDir => text.push('/'),
            part => text.push_str(&part.as_os_str().to_string_lossy()),
        }
    }
    if text.is_empty() { ".".into() } else { text }
}

fn name_of(path: &str) -> &str {
    path.rfind('/').map_or(path, |slash| &path[slash + 1..])
}
