//! `include`: pasted where it stands; relative paths count from the main file's folder; a pattern without a match is
//! silent, a plain name without a file refuses.

use super::{Block, Context, Item, Lowering, context_of_file};
use crate::files::{Loaded, join};
use crate::lower::Unread;
use crate::lower::compose::Lies;
use crate::source::{FileId, Site, clean};
use crate::topology::{Dialect, MissingFile, SyntaxFact};
use std::collections::HashSet;

/// Deepest chain of includes that is followed.
const MAX_CHAIN: usize = 64;
/// How many includes a configuration is expanded to, for each file that was read, and besides. Real trees use a snippet
/// a few times per site; nginx itself reads it again each time.
const EXPANSIONS: (usize, usize) = (50, 10_000);

/// Files that packages put beside a configuration: a repository without them is no mistake.
const SHIPPED: &[&str] = &[
    "mime.types",
    "fastcgi_params",
    "fastcgi.conf",
    "uwsgi_params",
    "scgi_params",
    "proxy_params",
    "koi-utf",
    "koi-win",
    "win-utf",
    "snippets/fastcgi-php.conf",
    "snippets/snakeoil.conf",
    "fastcgi-php.conf",
    "snakeoil.conf",
    "options-ssl-nginx.conf",
];

/// Of the shipped files, those that set nothing which matters here.
const HARMLESS: &[&str] =
    &["mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "koi-utf", "koi-win", "win-utf"];

/// Folders that a deployment fills.
const FILLED_LATER: &[&str] =
    &["conf.d", "sites-enabled", "modules-enabled", "default.d", "stream.d", "http.d", "vhosts.d"];

/// A pattern that matched nothing.
pub(super) struct EmptyGlob {
    site: Site,
    context: Context,
    path: Box<str>,
    looked_at: String,
}

impl Lowering<'_, '_> {
    pub(super) fn include(&mut self, item: Item, block: &mut Block) {
        let (Some((path, _)), Some(site)) = (self.arg(item, 1), self.site_of(item)) else { return };
        if self.is_hole(item, 1) || path.contains('$') {
            block.frame.unread = true;
            return;
        }
        // A tree includes the same few snippets over and over.
        if let Some(&file) = self.included_as.get(&*path) {
            return self.expand_file(file, site, block);
        }
        let path = path.into_owned();
        if let Some((found, open)) = self.inside(&path, site) {
            block.frame.unread |= open;
            for file in found {
                self.paste(&file, &path, site, block);
            }
            return;
        }
        let Some(targets) = self.places_of(&path) else {
            block.frame.unread |= !HARMLESS.iter().any(|name| path.ends_with(name));
            return;
        };
        let mut last = None;
        for target in &targets {
            if is_pattern(target) {
                let found = self.files.glob(target);
                if found.is_empty() {
                    last = Some(target.clone());
                    continue;
                }
                for file in found.iter() {
                    self.paste(file, &path, site, block);
                }
                return;
            }
            match self.files.load(target, Dialect::Nginx) {
                Loaded::Missing => last = Some(target.clone()),
                Loaded::File(file) => {
                    // The folder that counts is that of the main file; a fragment's own, and a container's may be another.
                    if self.whole && self.stands.is_none() {
                        self.included_as.insert(path.into(), file);
                    }
                    return self.expand_file(file, site, block);
                }
                Loaded::Unreadable(_) => return self.paste(target, &path, site, block),
            }
        }
        block.frame.unread |= !HARMLESS.iter().any(|name| path.ends_with(name));
        let Some(looked_at) = last.filter(|_| self.whole) else { return };
        if is_pattern(&looked_at) {
            // Folders that a deployment fills are empty in every repository.
            if !path.split('/').rev().skip(1).any(|part| FILLED_LATER.contains(&part)) {
                block.frame.unread = false;
                self.empty_globs.push(EmptyGlob { site, context: block.context, path: path.into(), looked_at });
            }
        } else {
            self.missing(&path, looked_at, site, false);
        }
    }

    /// The files that an include names where the proxy runs, and whether there may be others. `None`: that is not
    /// known, or the image brings them.
    fn inside(&mut self, path: &str, site: Site) -> Option<(Vec<String>, bool)> {
        let stands = self.stands.clone()?;
        // A fragment is included by the image's main file.
        let base = if self.whole { crate::files::folder(&stands.inside) } else { "/etc/nginx" };
        let written = path;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("{base}/{path}") };
        let path = format!("/{}", join("", &path)?);
        if is_pattern(&path) {
            return stands.layout.matching(&path, self.files);
        }
        match stands.layout.at(&path, self.files) {
            Lies::Repository(file) if self.files.exists(&file) => Some((vec![file], false)),
            Lies::Repository(file) => {
                // A folder of the repository with other files of this kind, and without this one.
                let folder = crate::files::folder(&file);
                let kind = file.rsplit_once('.').map_or("", |(_, kind)| kind);
                let others = format!("{folder}/*.{kind}");
                // A container that runs more than the proxy may write it before.
                let alone = !self.out.topology.workloads[stands.workload].many;
                if alone && !folder.is_empty() && !kind.is_empty() && !self.files.glob(&others).is_empty() {
                    self.missing(written, file, site, true);
                }
                Some((Vec::new(), true))
            }
            // What is mounted from elsewhere is made there.
            Lies::Elsewhere => Some((Vec::new(), true)),
            Lies::Image => None,
        }
    }

    /// Where an include may lead, best first; `None`: nowhere in the repository.
    fn places_of(&self, path: &str) -> Option<Vec<String>> {
        if let Some(below) = path.strip_prefix('/') {
            // The usual places of a main file, and so of what stands beside it.
            let below = [
                "etc/nginx/",
                "usr/local/nginx/conf/",
                "usr/local/etc/nginx/",
                "usr/local/openresty/nginx/conf/",
                "opt/nginx/conf/",
            ]
            .iter()
            .find_map(|prefix| below.strip_prefix(prefix))?;
            let mapped = join(&self.base, below)?;
            // The repository's own copy, or nothing that could be blamed.
            let there = if is_pattern(&mapped) { self.whole } else { self.files.exists(&mapped) };
            return there.then(|| vec![mapped]);
        }
        if self.whole {
            return join(&self.base, path).map(|at| vec![at]);
        }
        // A fragment: the folder that counts is not known, so whichever has the file.
        let mut places = Vec::new();
        let mut folder = Some(self.base.as_str());
        while let Some(at) = folder {
            places.extend(join(at, path));
            folder = (!at.is_empty()).then(|| crate::files::folder(at));
        }
        Some(places)
    }

    fn paste(&mut self, file: &str, written: &str, site: Site, block: &mut Block) {
        match self.files.load(file, Dialect::Nginx) {
            Loaded::File(id) => self.expand_file(id, site, block),
            Loaded::Missing => block.frame.unread = true,
            Loaded::Unreadable(why) => {
                block.frame.unread = true;
                self.out.unread.push(Unread { site, path: written.into(), why: (*why).into() });
            }
        }
    }

    fn expand_file(&mut self, id: FileId, site: Site, block: &mut Block) {
        if self.including.contains(&id) {
            block.frame.unread = true;
            self.out.topology.load.syntax.push(SyntaxFact {
                fix: None,
                dialect: Dialect::Nginx,
                site,
                message: format!(
                    "this include leads back to {}, which is being read: nginx goes round until it has no file handle left",
                    clean(self.files.sources.file(id).path())
                ),
                label: "leads back to a file that includes this one".into(),
                others: Vec::new(),
                help: Some("take the include out of one of the two files".into()),
                certain: true,
            });
            return;
        }
        self.expansions += 1;
        let most = self.files.sources.files().len().saturating_mul(EXPANSIONS.0).saturating_add(EXPANSIONS.1);
        if self.including.len() >= MAX_CHAIN || self.expansions > most {
            block.frame.unread = true;
            if self.expansions <= most + 1 {
                let why = "the includes multiply beyond what is followed";
                self.out.unread.push(Unread { site, path: self.files.sources.file(id).path().into(), why: why.into() });
            }
            return;
        }
        let via = self.files.sources.include(site, id);
        let Some(place) = self.place(id, Some(via)) else {
            block.frame.unread = true;
            return;
        };
        self.including.push(id);
        self.gather(place, None, block);
        self.including.pop();
    }

    /// A plain name that is not there. What packages ship is not missed; what stands elsewhere is a wrong path.
    /// `placed`: it is known which folder of the repository lies there.
    fn missing(&mut self, path: &str, looked_at: String, site: Site, placed: bool) {
        let name = path.rsplit('/').next().unwrap_or(path);
        if SHIPPED.iter().any(|shipped| path == *shipped || path.ends_with(&format!("/{shipped}"))) {
            return;
        }
        let candidates: Vec<Box<str>> =
            self.files.ending_with(name).into_iter().filter(|found| *found != looked_at).map(Into::into).collect();
        let folder_is_there = self.files.exists(crate::files::folder(&looked_at)) && path.contains('/');
        // A path outside the folders of this repository may be made by the deployment.
        if candidates.is_empty() && !placed && (!folder_is_there || path.starts_with('/')) {
            return;
        }
        let reached_by = site.via.map(|via| self.files.sources.include_at(via).at);
        self.out.topology.load.missing_files.push(MissingFile {
            proxy: self.proxy,
            site,
            path: path.into(),
            purpose: "include",
            looked_at: looked_at.into(),
            reached_by,
            candidates,
            pattern: false,
        });
    }

    /// A certificate or the like. Secrets are seldom in a repository: one is missed only where its folder is there
    /// and has a file of the same name with another ending, or of nearly the same name.
    pub(super) fn file_at_start(&mut self, item: Item) {
        let Some((path, site)) = self.arg(item, 1) else { return };
        let path = path.into_owned();
        if !self.whole || self.is_hole(item, 1) || path.contains(['$', ':']) || path.starts_with('/') {
            return;
        }
        let Some(looked_at) = join(&self.base, &path) else { return };
        if self.files.exists(&looked_at) {
            return;
        }
        let folder = crate::files::folder(&looked_at);
        let name = looked_at.rsplit('/').next().unwrap_or_default();
        let stem = |name: &str| name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned();
        let pattern = if folder.is_empty() { "*".to_owned() } else { format!("{folder}/*") };
        let candidates: Vec<Box<str>> = self
            .files
            .glob(&pattern)
            .iter()
            .filter(|found| {
                let other = found.rsplit('/').next().unwrap_or_default();
                let public = [".pem", ".crt", ".cer", ".cert"].iter().any(|ending| other.ends_with(ending));
                public && stem(other) == stem(name) || (name.len() > 4 && strsim::levenshtein(other, name) == 1)
            })
            .take(5)
            .map(|found| found.as_str().into())
            .collect();
        if !candidates.is_empty() {
            self.out.topology.load.missing_files.push(MissingFile {
                proxy: self.proxy,
                site,
                path: path.into(),
                purpose: "certificate",
                looked_at: looked_at.into(),
                reached_by: None,
                candidates,
                pattern: false,
            });
        }
    }

    /// Patterns that matched nothing, where the repository has one folder of files that nothing includes, that would
    /// match, and that make sense in this place. A pattern for what a deployment may add is no mistake.
    pub(super) fn finish_includes(&mut self) {
        for empty in std::mem::take(&mut self.empty_globs) {
            let pattern = empty.looked_at.rsplit('/').next().unwrap_or_default();
            let Ok(matcher) = globset::Glob::new(pattern).map(|glob| glob.compile_matcher()) else { continue };
            // What lies beside the main file is no stray copy of a folder.
            let deep = crate::files::folder(&empty.looked_at) != self.base;
            let below = if self.base.is_empty() { String::new() } else { format!("{}/", self.base) };
            let fits = |id| match (empty.context, context_of_file(self.files, id)) {
                (Context::Server | Context::Location, found) => matches!(found, Context::Server | Context::Location),
                (here, found) => here == found,
            };
            let mut candidates: Vec<Box<str>> = self
                .files
                .sources
                .files()
                .filter(|(id, file)| {
                    !self.included.contains(id)
                        && file.path().starts_with(&below)
                        && !(deep && crate::files::folder(file.path()) == self.base)
                        && matcher.is_match(file.path().rsplit('/').next().unwrap_or_default())
                        && fits(*id)
                })
                .map(|(_, file)| file.path())
                .filter(|path| !path.contains("-available"))
                .map(Into::into)
                .collect();
            let folders: HashSet<&str> = candidates.iter().map(|path| crate::files::folder(path)).collect();
            if folders.len() != 1 {
                continue;
            }
            candidates.truncate(5);
            self.out.topology.load.missing_files.push(MissingFile {
                proxy: self.proxy,
                site: empty.site,
                path: empty.path,
                purpose: "include",
                looked_at: empty.looked_at.into(),
                reached_by: None,
                candidates,
                pattern: true,
            });
        }
    }
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}
