//! Files that a configuration names.

use super::text::Statement;
use crate::files::{Files, folder, join};
use crate::source::Site;
use crate::topology::{MissingFile, ProxyId};

/// What relative paths are relative to, where the configuration says so (`default-path`, 2.4 and later). Else it is
/// the folder that HAProxy is started in, which no file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The folder of the configuration file.
    Config,
    /// The folder around it.
    Parent,
}

/// A path that is named.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) site: Site,
    pub(super) path: Box<str>,
    pub(super) purpose: &'static str,
}

/// The file that a statement names, if it is of a kind that belongs beside the configuration. (Certificates and keys
/// rarely do.)
pub(super) fn named(statement: &Statement<'_>) -> Option<Named> {
    let (at, purpose) = match statement.keyword() {
        "errorfile" => (2, "error file"),
        "lua-load" | "lua-load-per-thread" => (1, "Lua script"),
        "acl" => (statement.args.iter().position(|arg| arg.text == "-f")? + 1, "pattern file"),
        _ => return None,
    };
    let arg = statement.args.get(at)?;
    let known = arg.live.is_none() && !arg.text.is_empty() && !arg.text.contains(['$', '@']);
    known.then(|| Named { site: arg.site, path: arg.text.as_ref().into(), purpose })
}

/// Looks a path up. Only what the repository shows to be absent is missing: the folder is there, the file is not.
pub(super) fn missing(
    named: Named,
    base: Base,
    config: &str,
    proxy: ProxyId,
    files: &Files<'_>,
) -> Option<MissingFile> {
    if named.path.starts_with('/') {
        return None;
    }
    let around = match base {
        Base::Config => folder(config),
        Base::Parent => folder(folder(config)),
    };
    let looked_at = join(around, &named.path)?;
    let beside = folder(&looked_at);
    if beside.is_empty() || !files.exists(beside) || files.exists(&looked_at) {
        return None;
    }
    let name = looked_at.rsplit('/').next().unwrap_or(&looked_at);
    Some(MissingFile {
        proxy,
        site: named.site,
        candidates: files.ending_with(name).into_iter().map(Into::into).collect(),
        path: named.path,
        purpose: named.purpose,
        looked_at: looked_at.into(),
        reached_by: None,
        pattern: false,
    })
}
