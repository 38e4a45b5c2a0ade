//! Finds and reads the linter's own configuration file.

use super::read::{read_whole, words};
use super::{Given, Refusal, Request, root_of};
use crate::config::{NAME, Source};
use crate::source::SourceFile;
use std::fs;
use std::path::{Path, PathBuf};

/// Nobody writes more by hand.
const MAX_BYTES: u64 = 1024 * 1024;

/// A configuration file, and how the run lies to it.
#[derive(Debug)]
pub struct ConfigFile {
    /// Its text.
    pub source: Source,
    /// The root of the run, seen from the folder from which patterns count; empty where both are one.
    pub prefix: String,
    /// Whether the run goes through that whole folder.
    pub everything: bool,
}

/// The configuration file that the user names, or the nearest one: in the root of the run or above it, up to the root
/// of the repository (the folder with a `.git`). Outside a repository only the root itself is looked at, so that nobody
/// else's file counts.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn configuration(request: &Request, named: Option<&Path>) -> Result<Option<ConfigFile>, String> {
    let refused = |refusal: Refusal| refusal.to_string();
    let here = std::env::current_dir()
        .and_then(fs::canonicalize)
        .map_err(|error| format!("cannot tell the current directory: {}", words(&error)))?;
    let given = request.paths.iter().map(|path| Given::new(path)).collect::<Result<Vec<_>, _>>().map_err(refused)?;
    let root = root_of(&given, &here);
    let Some((at, shown)) = (match named {
        Some(path) => Some((path.to_owned(), path.to_string_lossy().replace('\\', "/"))),
        None => nearest(&root),
    }) else {
        return Ok(None);
    };
    let cannot = |why: String| format!("cannot read the configuration file {shown}: {why}");
    let length = fs::metadata(&at).map_err(|error| cannot(words(&error)))?.len();
    if length > MAX_BYTES {
        return Err(cannot(format!("is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let bytes = read_whole(&at, false).map_err(cannot)?;
    // What is not UTF-8 is replaced at equal length: places stay true.
    let text = SourceFile::new("", bytes).text().to_owned();
    let folder = at.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).map_err(|error| cannot(words(&error)))?;
    // A file from elsewhere speaks of the tree that is linted.
    let base = if root.starts_with(&folder) { folder } else { root.clone() };
    let prefix = root.strip_prefix(&base).map(|path| path.to_string_lossy().replace('\\', "/")).unwrap_or_default();
    let everything = given.iter().any(|given| given.folder && base.starts_with(&given.at));
    Ok(Some(ConfigFile { source: Source { path: shown, text }, prefix, everything }))
}

/// The nearest file of that name, and its path from the root.
fn nearest(root: &Path) -> Option<(PathBuf, String)> {
    let repository = root.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(root);
    let mut up = String::new();
    for folder in root.ancestors() {
        let file = folder.join(NAME);
        if fs::symlink_metadata(&file).is_ok() {
            return Some((file, format!("{up}{NAME}")));
        }
        if folder == repository {
            break;
        }
        up.push_str("../");
    }
    None
}
