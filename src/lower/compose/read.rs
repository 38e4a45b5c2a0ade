//! Compose files → projects: which files go together, what they include and extend.

use super::chains;
use super::interpolate::{SAMPLES, Variables};
use super::merge;
use super::value::{Entry, Item, Merge, Value};
use crate::files::{Files, Loaded, folder, join};
use crate::lower::Unread;
use crate::source::{FileId, Site, Span};
use crate::syntax::Parsed;
use crate::syntax::yaml;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// How far `include` and `extends` are followed.
const MAX_CHAIN: usize = 16;
/// Most overlays of one folder that are laid over its first file, one by one.
const MAX_OVERLAYS: usize = 12;
/// Most services that all projects of a run may have.
const MAX_SERVICES: usize = 20_000;

/// A project as its files say it.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// The file that was read first.
    pub(super) file: Option<FileId>,
    /// The folder that paths are relative to.
    pub(super) folder: String,
    /// Whether all that belongs to it was read.
    pub(super) whole: bool,
    /// Whether nobody says that these files go together.
    pub(super) guessed: bool,
    pub(super) services: Vec<Entry>,
    pub(super) networks: Vec<Entry>,
    pub(super) configs: Vec<Entry>,
    /// For files whose paths are relative to another folder: which.
    pub(super) folders: HashMap<FileId, String>,
    /// Services of which something could not be read.
    pub(super) open: BTreeSet<Box<str>>,
    /// Profiles that `COMPOSE_PROFILES` makes active.
    pub(super) active: Vec<Box<str>>,
}

impl Draft {
    /// The folder that a path written at a place is relative to.
    pub(super) fn folder_of(&self, site: Site) -> &str {
        self.folders.get(&site.span.file).unwrap_or(&self.folder)
    }

    fn lay(&mut self, later: Self) {
        self.file = self.file.or(later.file);
        self.whole &= later.whole;
        self.services = merge::entries(std::mem::take(&mut self.services), later.services);
        self.networks = merge::entries(std::mem::take(&mut self.networks), later.networks);
        self.configs = merge::entries(std::mem::take(&mut self.configs), later.configs);
        for (file, folder) in later.folders {
            self.folders.entry(file).or_insert(folder);
        }
        self.open.extend(later.open);
    }

    /// The places of values that come from a sample of `.env`, in order.
    pub(super) fn samples(&self) -> Vec<Site> {
        let mut found = Vec::new();
        for entry in self.services.iter().chain(&self.networks).chain(&self.configs) {
            entry.item.samples(&mut found);
        }
        found.sort_unstable_by_key(|site| (site.span.file, site.span.start));
        found
    }
}

/// Whether a file's name is one of a compose file.
pub(super) fn is_compose_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else { return false };
    ["compose", "docker-compose"]
        .iter()
        .any(|begin| stem.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_'])))
}

/// Whether a file is one of the first version, which has its services at the top.
fn is_first_version(root: yaml::View<'_>) -> bool {
    let entries = root.entries();
    let is_service = |service: &yaml::View<'_>| ["image", "build"].iter().any(|key| service.get(key).is_some());
    root.is_mapping() && !entries.is_empty() && entries.iter().all(|(_, service)| is_service(service))
}

/// A default network on which others may be.
fn open_network(site: Site) -> Entry {
    let external = Entry { key: "external".into(), site, item: Item::scalar("true", site) };
    let item = Item { value: Value::Map(vec![external]), ..Item::scalar("", site) };
    Entry { key: "default".into(), site, item }
}

/// A file that was read, and its tree.
type Read = (FileId, Rc<Parsed<yaml::Tree>>);

/// What was read of YAML and `.env` files.
pub(super) struct Reader<'r, 'f> {
    pub(super) files: &'r mut Files<'f>,
    pub(super) unread: &'r mut Vec<Unread>,
    aside: &'r mut Vec<Unread>,
    trees: HashMap<String, Option<Read>>,
    services: usize,
    /// Whether a file that is not YAML is reported in any case.
    pub(super) tells: bool,
}

impl<'r, 'f> Reader<'r, 'f> {
    pub(super) fn new(files: &'r mut Files<'f>, unread: &'r mut Vec<Unread>, aside: &'r mut Vec<Unread>) -> Self {
        Self { files, unread, aside, trees: HashMap::new(), services: 0, tells: true }
    }

    /// The projects of a folder, from the names of its compose files. `said`: the files that commands name together.
    pub(super) fn projects(&mut self, at: &str, names: &[String], said: &[Vec<String>]) -> Vec<Draft> {
        const FIRST: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
        let path = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
        let has = |name: &str| names.iter().any(|other| other == name);
        let variables = self.variables(at);
        let base = FIRST.into_iter().find(|name| has(name));
        let overriding = base.and_then(|base| {
            let stem = base.split('.').next()?;
            ["yaml", "yml"].into_iter().map(|ending| format!("{stem}.override.{ending}")).find(|name| has(name))
        });
        let mut drafts = Vec::new();
        let base_draft = base.and_then(|name| self.file(&path(name), at, &variables, 0));
        // What `.env` and the commands of the repository name is no guess.
        let mut chained: BTreeSet<String> = BTreeSet::new();
        let named = chains::from_environment(&variables);
        let named: Option<Vec<String>> =
            named.and_then(|files| files.iter().map(|file| join(at, file)).collect::<Option<_>>());
        let from_here = said.iter().filter(|chain| chain.first().is_some_and(|first| folder(first) == at));
        let whole_base = base.map(path);
        for (chain, sampled) in
            named.iter().map(|chain| (chain, variables.sample)).chain(from_here.map(|chain| (chain, false)))
        {
            // The first file alone, or with its override, is there already.
            if chain.len() == 1 && chain.first() == whole_base.as_ref() {
                continue;
            }
            let laid: Option<Vec<Draft>> = chain.iter().map(|file| self.file(file, at, &variables, 0)).collect();
            let Some(laid) = laid else { continue };
            let mut draft = Draft { whole: true, guessed: sampled, folder: at.to_owned(), ..Draft::default() };
            laid.into_iter().for_each(|later| draft.lay(later));
            chained.extend(chain.iter().cloned());
            drafts.push(draft);
        }
        let others = names.iter().filter(|name| {
            Some(name.as_str()) != base
                && Some(*name) != overriding.as_ref()
                && !FIRST.contains(&name.as_str())
                && !chained.contains(&path(name))
        });
        let others: Vec<&String> = others.take(MAX_OVERLAYS).collect();
        // `.env` may say that the first file alone is not what runs.
        if let Some(base) = base_draft.as_ref().filter(|_| named.is_none() || variables.sample || drafts.is_empty()) {
            let mut draft = base.clone();
            if let Some(later) = overriding.and_then(|name| self.file(&path(&name), at, &variables, 0)) {
                draft.lay(later);
            }
            drafts.push(draft);
        }
        for name in others {
            let Some(later) = self.file(&path(name), at, &variables, 0) else { continue };
            let mut draft = match &base_draft {
                Some(base) => base.clone(),
                None => Draft { whole: true, folder: at.to_owned(), ..Draft::default() },
            };
            draft.guessed = base_draft.is_some();
            draft.lay(later);
            drafts.push(draft);
        }
        for draft in &mut drafts {
            draft.services.retain(|entry| entry.item.merge != Merge::Reset);
            let active = variables.get("COMPOSE_PROFILES").unwrap_or_default();
            draft.active = active.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Into::into).collect();
        }
        drafts.retain(|draft| {
            self.services += draft.services.len();
            self.services <= MAX_SERVICES && !draft.services.is_empty()
        });
        drafts
    }

    /// What `.env` of a folder says; where there is none, what a sample of it says; where there is none, nothing.
    fn variables(&mut self, at: &str) -> Variables {
        for name in std::iter::once(".env").chain(SAMPLES) {
            let Some(path) = join(at, name) else { continue };
            if name != ".env" && !self.files.exists(&path) {
                continue;
            }
            if let Loaded::File(id) = self.files.load_text(&path) {
                return Variables::read(self.files.sources.file(id).text(), name != ".env");
            }
        }
        Variables::default()
    }

    fn tree(&mut self, path: &str) -> Option<Read> {
        if let Some(known) = self.trees.get(path) {
            return known.clone();
        }
        let read = match self.files.load_text(path) {
            Loaded::File(id) => {
                let parsed = yaml::parse(self.files.sources.file(id).text());
                match parsed.errors.first().filter(|_| !parsed.template) {
                    Some(error) => {
                        let site = Site::direct(Span::new(id, error.at.start, error.at.end));
                        Err(Unread { site, path: path.into(), why: error.message.as_str().into() })
                    }
                    // What another program fills in first is not read: its values would be guesses.
                    None => Ok((!parsed.template).then(|| (id, Rc::new(parsed)))),
                }
            }
            Loaded::Unreadable(why) => Err(Unread::whole(self.files, path, &why)),
            Loaded::Missing => Ok(None),
        };
        let tree = read.unwrap_or_else(|unread| {
            let told = if self.tells { &mut *self.unread } else { &mut *self.aside };
            told.push(unread);
            None
        });
        self.trees.insert(path.to_owned(), tree.clone());
        tree
    }

    /// One file with what it includes and extends. `None`: there is none, or it is no compose file.
    fn file(&mut self, path: &str, base: &str, variables: &Variables, depth: usize) -> Option<Draft> {
        let (id, tree) = self.tree(path)?;
        let root = tree.tree.root()?;
        let services = root.get("services").filter(|services| services.is_mapping());
        let include = root.get("include").filter(|include| include.is_sequence());
        let first_version = services.is_none() && include.is_none();
        if first_version && !is_first_version(root) {
            return None;
        }
        let mut draft = Draft { file: Some(id), folder: base.to_owned(), whole: true, ..Draft::default() };
        draft.folders.insert(id, base.to_owned());
        for included in include.into_iter().flat_map(yaml::View::items) {
            let item = Item::read(included, id, variables);
            self.include(&item, &mut draft, variables, depth);
        }
        let section = |name: &str| match root.get(name) {
            Some(view) => match Item::read(view, id, variables).value {
                Value::Map(entries) => entries,
                _ => Vec::new(),
            },
            None => Vec::new(),
        };
        let mut own =
            Draft { whole: true, networks: section("networks"), configs: section("configs"), ..Draft::default() };
        let services = if first_version {
            // Before networks had names, everything was on one, with whatever else the machine ran.
            own.networks = vec![open_network(Site::direct(Span::new(id, 0, 0)))];
            Item::read(root, id, variables).entries().to_vec()
        } else {
            section("services")
        };
        for mut entry in services {
            merge::normalise(&mut entry.item);
            let mut walk = Walk { variables, draft: &mut own, open: false };
            entry.item = self.extended(entry.item, path, &mut walk, depth);
            if walk.open {
                own.open.insert(entry.key.clone());
            }
            own.services.push(entry);
        }
        draft.lay(own);
        Some(draft)
    }

    /// `include:`: the resources of another project.
    fn include(&mut self, item: &Item, draft: &mut Draft, variables: &Variables, depth: usize) {
        let paths: Vec<&Item> = match (item.raw(), item.get("path")) {
            (Some(_), _) => vec![item],
            (None, Some(path)) if path.raw().is_some() => vec![path],
            (None, Some(paths)) => paths.items().iter().collect(),
            (None, None) => Vec::new(),
        };
        let at = draft.folder.clone();
        let known: Option<Vec<String>> = paths.iter().map(|path| join(&at, path.known()?)).collect();
        let Some(known) = known.filter(|known| depth < MAX_CHAIN && !known.is_empty()) else {
            draft.whole = false;
            return;
        };
        let base = match item.get("project_directory") {
            Some(directory) => directory.known().and_then(|directory| join(&at, directory)),
            None => Some(folder(&known[0]).to_owned()),
        };
        let Some(base) = base else {
            draft.whole = false;
            return;
        };
        let own = if base == at { variables.clone() } else { self.variables(&base) };
        let mut included = Draft { whole: true, folder: base.clone(), ..Draft::default() };
        for path in known {
            match self.file(&path, &base, &own, depth + 1) {
                Some(later) => included.lay(later),
                None => draft.whole = false,
            }
        }
        let first = draft.file;
        draft.lay(included);
        draft.file = first;
    }

    /// A service laid over the one that it extends.
    fn extended(&mut self, service: Item, path: &str, walk: &mut Walk<'_>, depth: usize) -> Item {
        let Some(extends) = service.get("extends") else { return service };
        let base = match (extends.raw(), extends.get("file")) {
            _ if depth >= MAX_CHAIN => None,
            (Some(_), _) => extends.known().and_then(|name| self.base(path, name, walk, depth)),
            (None, None) => extends.word("service").and_then(|name| self.base(path, name, walk, depth)),
            (None, Some(file)) => file.known().and_then(|file| join(folder(path), file)).and_then(|other| {
                let name = extends.word("service")?;
                self.base(&other, name, walk, depth)
            }),
        };
        match base.and_then(|base| merge::over("", base, service.clone())) {
            Some(item) => item,
            None => {
                walk.open = true;
                service
            }
        }
    }

    /// The service of a name in a file, with what it extends itself.
    fn base(&mut self, path: &str, name: &str, walk: &mut Walk<'_>, depth: usize) -> Option<Item> {
        let (id, tree) = self.tree(path)?;
        let mut item = Item::read(tree.tree.root()?.get("services")?.get(name)?, id, walk.variables);
        merge::normalise(&mut item);
        walk.draft.folders.entry(id).or_insert_with(|| folder(path).to_owned());
        Some(self.extended(item, path, walk, depth + 1))
    }
}

/// What a walk along `extends` knows and finds out.
struct Walk<'w> {
    variables: &'w Variables,
    draft: &'w mut Draft,
    /// Whether something that is extended could not be read.
    open: bool,
}
