//! Why a file is taken for what it is, or passed over: in words.

use super::read::{HEAD_BYTES, fill, is_of_use, open, words};
use super::sniff::{Look, Promise, look};
use super::{Given, Request, name_of, promised, relative, root_of, walker};
use crate::lower::compose::is_compose_name;
use crate::lower::kubernetes::is_manifest_name;
use crate::lower::scripts::is_script_name;
use crate::lower::workload::machine::is_machine_path;
use crate::topology::Dialect;
use std::fs;
use std::path::Path;

/// What is to be said of a file, whatever a run made of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// Its path from the root.
    pub path: String,
    /// What it is by itself.
    pub dialect: Option<Dialect>,
    /// Why, each in one clause.
    pub because: Vec<String>,
    /// What can be done about it, where it is passed over.
    pub help: Option<String>,
}

/// Says what a file is by its name and content.
///
/// # Errors
/// When it is not there, does not lie below the root, or cannot be read; in words.
pub fn tell(request: &Request, root: &Path, file: &Path) -> Result<Told, String> {
    let given = Given::new(file).map_err(|refusal| refusal.to_string())?;
    if given.folder {
        return Err(format!("{} is a folder; name a file, or list all of them with --list-files", file.display()));
    }
    let shown = file.display();
    if !given.at.starts_with(root) {
        return Err(format!("{shown} lies outside {}; name the folder that holds it, too", root.display()));
    }
    let path = relative(&given.at, root);
    let mut bytes = Vec::new();
    open(&given.at, false)
        .and_then(|(mut file, _)| fill(&mut file, &mut bytes, HEAD_BYTES))
        .map_err(|why| format!("cannot read {shown}: {why}"))?;
    let named = named(request, &given.at);
    let mut told = Told { dialect: None, because: Vec::new(), help: None, path };
    if request.exclude.excludes(&told.path) {
        told.because.push("`exclude` of the configuration file names it".into());
        told.help = Some("gw502-lint config show says where".into());
        return Ok(told);
    }
    if !named && !met(request, &given.at) {
        told.because.push(match request.no_ignore {
            true => "it lies in none of the folders that are linted, or in .git".into(),
            false => {
                "an ignore file names it, it lies in node_modules, vendor or target, or in no folder that is linted"
                    .into()
            }
        });
        told.help = Some("name it as a path, or add --no-ignore".into());
        return Ok(told);
    }
    let promise = promised(request, &told.path, named.then_some(given.written.as_path()));
    if is_compose_name(name_of(&told.path)) && !matches!(promise, Some(Promise::Said(_))) {
        told.because.push("its name is that of a compose file".into());
        return Ok(told);
    }
    if is_machine_path(&told.path) {
        told.because.push("its name is one of those that say what runs on a machine".into());
    }
    if promise.is_none() && is_script_name(&told.path) && is_of_use(&given.at, &told.path, false) {
        told.dialect = Some(Dialect::Nginx);
        told.because.push("it is a script with a here-document, and speaks of nginx".into());
        return Ok(told);
    }
    if promise.is_none() && is_manifest_name(&told.path) && is_of_use(&given.at, &told.path, false) {
        told.dialect = Some(Dialect::Kubernetes);
        told.because.push("`apiVersion:` and `kind:` stand at the start of lines".into());
        return Ok(told);
    }
    let help = || Some(format!("say what it is: --dialect '{0}=nginx' or --dialect '{0}=haproxy'", told.path));
    let Some(promise) = promise.or_else(|| named.then_some(Promise::Maybe)) else {
        told.because.push("nothing in its name or folder speaks for a proxy's configuration".into());
        told.help = help();
        return Ok(told);
    };
    told.because.push(match promise {
        Promise::Said(_) => "--dialect says so".into(),
        Promise::Sure(dialect) => format!("its name is the one that {} looks for", dialect.name()),
        Promise::Likely(dialect) => format!("its name or folder is usual for {}", dialect.name()),
        Promise::Maybe => "its name does not say what it is".into(),
    });
    if !matches!(promise, Promise::Said(_)) {
        told.because.push(match look(&bytes) {
            Look::Clear(dialect) => format!("its content is {}", dialect.name()),
            Look::Weak(dialect) => format!("its content may be {}", dialect.name()),
            Look::Other => "its content is of another format".into(),
            Look::Empty => "it holds nothing but blanks and comments".into(),
            Look::Nothing => "nothing in its content speaks for a proxy's configuration".into(),
        });
    }
    told.dialect = promise.settle(&bytes, named);
    if told.dialect.is_none() {
        told.help = help();
    }
    Ok(told)
}

/// The path of a file from the root that a run with it alone has; `None` for a folder.
///
/// # Errors
/// When it is not there, in words.
pub fn from_root(file: &Path) -> Result<Option<String>, String> {
    let given = Given::new(file).map_err(|refusal| refusal.to_string())?;
    let here = std::env::current_dir()
        .and_then(fs::canonicalize)
        .map_err(|error| format!("cannot tell the current directory: {}", words(&error)))?;
    let given = [given];
    let root = root_of(&given, &here);
    let [given] = given;
    Ok((!given.folder).then(|| relative(&given.at, &root)))
}

/// Whether the user named just this file.
fn named(request: &Request, at: &Path) -> bool {
    request.paths.iter().filter_map(|path| Given::new(path).ok()).any(|given| !given.folder && given.at == at)
}

/// Whether a walk comes by.
fn met(request: &Request, at: &Path) -> bool {
    let folders = request.paths.iter().filter_map(|path| Given::new(path).ok()).filter(|given| given.folder);
    folders.map(|given| given.at).filter(|folder| at.starts_with(folder)).any(|folder| {
        walker(&folder, request.no_ignore, Some(at.to_owned())).build().flatten().any(|entry| entry.path() == at)
    })
}
