//! Which container runs which proxy file.

use super::contain::Container;
use super::envsubst::Rendering;
use super::layout::{How, Layout, Lies, Puts};
use crate::files::{Files, Loaded, folder};
use crate::source::{FileId, Site};
use crate::syntax::words::Text;
use crate::topology::{Dialect, Placed, Placement, Topology, WorkloadId};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

/// Folders in which nginx looks for its files: in its own image and in those of others.
const NGINX: [&str; 4] =
    ["/etc/nginx/", "/usr/local/openresty/nginx/conf/", "/opt/bitnami/nginx/conf/", "/usr/local/nginx/conf/"];

/// The dialect of what lies at a path in a container, where a proxy looks for its configuration.
pub(super) fn dialect_of(inside: &str) -> Option<Dialect> {
    let within = |folders: &[&str]| folders.iter().any(|folder| inside.starts_with(folder));
    if inside.starts_with(TEMPLATES) {
        return None;
    }
    match (within(&NGINX) && inside.ends_with(".conf"), within(&HAPROXY) && inside.ends_with(".cfg")) {
        (true, _) => Some(Dialect::Nginx),
        (_, true) => Some(Dialect::Haproxy),
        _ => None,
    }
}

/// Whether a path of a machine or a container lies where nginx keeps its files.
pub(in crate::lower) fn is_nginx_path(path: &str) -> bool {
    NGINX.iter().any(|folder| path.starts_with(folder))
}

/// Folders in which HAProxy is given its files.
const HAPROXY: [&str; 2] = ["/usr/local/etc/haproxy/", "/etc/haproxy/"];

/// Where the official image looks for templates that it renders into `conf.d`.
const TEMPLATES: &str = "/etc/nginx/templates/";

/// Endings of files that something else makes the configuration of.
const TEMPLATED: [&str; 6] = [".j2", ".tmpl", ".tpl", ".template", ".erb", ".ctmpl"];

/// Images that look after nginx's files and run no nginx.
const CARETAKERS: [&str; 6] = ["certbot", "docker-gen", "acme", "letsencrypt-companion", "exporter", "logrotate"];

/// Where a file of the repository stands.
#[derive(Clone, Debug)]
pub(in crate::lower) struct Place {
    /// Who runs it.
    pub(in crate::lower) workload: WorkloadId,
    /// Its path there.
    pub(in crate::lower) inside: Box<str>,
    /// All files there.
    pub(in crate::lower) layout: Rc<Layout>,
    /// The variables that are put into it before the proxy reads it; `None`: it is read as it is.
    pub(in crate::lower) values: Option<Values>,
    /// How they are put in.
    pub(super) rendering: Option<Rendering>,
    /// Whether it is one of the image's templates.
    pub(super) template: bool,
    /// How it came there, where the official image reads it as it lies in the repository, and nothing else has a hand in
    /// it: `mounted`, `copied`.
    pub(super) untouched: Option<&'static str>,
    /// The line that puts it there.
    pub(super) site: Site,
    /// One of the proxy's own variables that compose takes for one of its own.
    pub(super) eaten: Option<(Box<str>, Site)>,
}

/// Variables of a container's environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lower) struct Values(Rc<BTreeMap<Box<str>, Text>>);

impl Values {
    /// Puts the values in that are known, as `envsubst` does. Others stay as they are written.
    pub(in crate::lower) fn put_into(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let inside = rest.strip_prefix("${");
            let name = inside.unwrap_or(&rest[1..]);
            let name =
                &name[..name.len() - name.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len()];
            let length = if inside.is_some() { name.len() + 3 } else { name.len() + 1 };
            let closed = inside.is_none_or(|inside| inside[name.len()..].starts_with('}'));
            match self.0.get(name).and_then(Text::known).filter(|_| closed) {
                Some(value) => {
                    out.push_str(value);
                    rest = &rest[length..];
                }
                None => {
                    out.push('$');
                    rest = &rest[1..];
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// What stands around the proxy files.
#[derive(Debug, Default)]
pub(in crate::lower) struct Surroundings {
    places: HashMap<FileId, Vec<Place>>,
    /// Of containers in which nginx's main file is the image's own: how many files lie beside it in `conf.d`.
    beside_own_main: HashMap<WorkloadId, usize>,
}

impl Surroundings {
    /// Where a file stands; more than one where several services run it.
    pub(in crate::lower) fn of(&self, file: FileId) -> &[Place] {
        self.places.get(&file).map(Vec::as_slice).unwrap_or_default()
    }

    /// All files with their places.
    pub(super) fn all(&self) -> impl Iterator<Item = (FileId, &[Place])> {
        self.places.iter().map(|(file, places)| (*file, places.as_slice()))
    }

    /// What is put into a file before the proxy reads it, where all that run it agree.
    pub(in crate::lower) fn values(&self, file: FileId) -> Option<Values> {
        let mut places = self.of(file).iter();
        let first = places.next()?.values.as_ref()?;
        places.all(|place| place.values.as_ref() == Some(first)).then(|| first.clone())
    }

    /// Whether these files are all that is read beside the main file of the official image, wherever they stand.
    pub(in crate::lower) fn are_all_beside_own_main(&self, group: &[FileId]) -> bool {
        group.iter().all(|&file| {
            let places = self.of(file);
            let alone = |place: &Place| {
                is_in_conf_d(&place.inside) && self.beside_own_main.get(&place.workload) == Some(&group.len())
            };
            !places.is_empty() && places.iter().all(alone)
        })
    }

    /// Who runs a file: files with the same answer run together.
    pub(in crate::lower) fn runners(&self, file: FileId) -> Vec<WorkloadId> {
        self.of(file).iter().map(|place| place.workload).collect()
    }
}

/// Finds the places of all proxy files, and reads those that a service runs and the walk did not meet.
pub(in crate::lower) fn place(files: &mut Files<'_>, containers: Vec<Container>, t: &mut Topology) -> Surroundings {
    let containers: Vec<Ready> = containers.into_iter().map(Ready::new).collect();
    for container in &containers {
        container.load(files);
    }
    let proxies: Vec<(FileId, String, Dialect)> = files
        .sources
        .files()
        .filter_map(|(id, _)| Some((id, files.known_as(id).to_owned(), files.tree(id)?.dialect())))
        .collect();
    // Which containers have something of which path.
    let mut index: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, container) in containers.iter().enumerate() {
        for outside in container.layout.maps.iter().filter_map(|map| map.outside.as_deref()) {
            let numbers = index.entry(outside).or_default();
            if numbers.last() != Some(&number) {
                numbers.push(number);
            }
        }
    }
    let mut surroundings = Surroundings::default();
    for (id, path, dialect) in &proxies {
        let mut numbers = BTreeSet::new();
        let mut at = path.as_str();
        loop {
            numbers.extend(index.get(at).into_iter().flatten().copied());
            if at.is_empty() {
                break;
            }
            at = folder(at);
        }
        let runners: Vec<_> = numbers
            .into_iter()
            .filter_map(|number| containers.get(number))
            .filter_map(|container| Some((container, container.runs(path, *dialect, files)?)))
            .collect();
        // An application may see the proxy's files, too: where one of the two is a proxy by its name, it is the one.
        let named: HashSet<usize> = runners
            .iter()
            .filter(|(container, _)| container.is_named_after(*dialect))
            .map(|(container, _)| t.workloads[container.workload].project.index())
            .collect();
        for (container, runs) in runners {
            if named.contains(&t.workloads[container.workload].project.index()) && !container.is_named_after(*dialect) {
                continue;
            }
            let how = match runs.how {
                How::Mounted => Placed::Mounted,
                How::Copied => Placed::Copied,
                How::Written(_) => Placed::Rendered,
            };
            let places = surroundings.places.entry(*id).or_default();
            // Of two containers of one pod one is enough.
            if places.iter().any(|place| place.workload == container.workload) {
                continue;
            }
            t.placements.push(Placement { file: *id, workload: container.workload, site: runs.site, how });
            let rendering = container.rendering(&runs);
            let untouched = match runs.how {
                _ if rendering.is_some() || !container.starts_plainly() => None,
                How::Mounted => Some("mounted"),
                How::Copied if !container.changed.iter().any(|path| runs.inside.starts_with(&**path)) => Some("copied"),
                How::Copied | How::Written(_) => None,
            };
            let happens = rendering.as_ref().is_some_and(|rendering| rendering.happens);
            places.push(Place {
                workload: container.workload,
                inside: runs.inside.into(),
                layout: Rc::clone(&container.layout),
                values: happens.then(|| Values(Rc::clone(&container.variables))),
                rendering,
                template: runs.template,
                untouched,
                site: runs.site,
                eaten: container.eaten.get(path.as_str()).cloned(),
            });
        }
    }
    surroundings.count_beside_own_main(&containers, files, t);
    surroundings
}

/// Whether the main file of the official image of nginx includes what lies at a path.
fn is_in_conf_d(inside: &str) -> bool {
    let name = inside.strip_prefix("/etc/nginx/conf.d/");
    name.is_some_and(|name| name.ends_with(".conf") && !name.contains('/'))
}

impl Surroundings {
    /// Finds the containers that take the main file as the image brings it.
    fn count_beside_own_main(&mut self, containers: &[Ready], files: &Files<'_>, t: &Topology) {
        let mut seen = HashSet::new();
        for container in containers {
            let workload = &t.workloads[container.workload];
            let known = container.leaves_main_alone(files) && !t.projects[workload.project].guessed;
            // Of two containers of one pod it is not clear whose files these are.
            if !seen.insert(container.workload) {
                self.beside_own_main.remove(&container.workload);
            } else if known {
                self.beside_own_main.insert(container.workload, 0);
            }
        }
        for place in self.places.values().flatten().filter(|place| is_in_conf_d(&place.inside)) {
            if let Some(count) = self.beside_own_main.get_mut(&place.workload) {
                *count += 1;
            }
        }
    }
}

/// A file that a container's proxy reads.
struct Runs {
    /// The path at which it is read.
    inside: String,
    site: Site,
    how: How,
    /// Whether it is one of the image's templates.
    template: bool,
}

struct Ready {
    workload: WorkloadId,
    layout: Rc<Layout>,
    variables: Rc<BTreeMap<Box<str>, Text>>,
    names: Rc<BTreeSet<Box<str>>>,
    environment_open: bool,
    own_entrypoint: bool,
    command: String,
    changed: Vec<Box<str>>,
    /// By the path under which a text within a compose file is known.
    eaten: HashMap<String, (Box<str>, Site)>,
    caretaker: bool,
    /// Its image, in lower case.
    image: String,
}

impl Ready {
    fn new(container: Container) -> Self {
        let image = container.image.as_deref().unwrap_or_default().to_ascii_lowercase();
        Self {
            workload: container.workload,
            layout: Rc::new(container.layout),
            names: Rc::new(container.environment.keys().cloned().collect()),
            variables: Rc::new(container.environment),
            environment_open: container.environment_open,
            own_entrypoint: container.own_entrypoint,
            command: container.command,
            changed: container.changed,
            eaten: container.eaten,
            caretaker: CARETAKERS.iter().any(|word| image.contains(word)),
            image,
        }
    }

    /// Whether its image bears the name of a proxy.
    fn is_named_after(&self, dialect: Dialect) -> bool {
        let words: &[&str] = match dialect {
            Dialect::Nginx => &["nginx", "openresty", "angie"],
            Dialect::Haproxy => &["haproxy"],
            Dialect::Kubernetes => &[],
        };
        words.iter().any(|word| self.image.contains(word))
    }

    /// The path at which the proxy reads a file, if it is one that it reads, and whether variables are put in before.
    fn reads(&self, inside: &str, dialect: Dialect) -> Option<(String, bool)> {
        let own = self.variables.contains_key("NGINX_ENVSUBST_TEMPLATE_DIR") || inside.starts_with(TEMPLATES);
        if !own && TEMPLATED.iter().any(|ending| inside.ends_with(ending)) {
            return None;
        }
        match dialect {
            Dialect::Nginx => {
                let folder =
                    format!("{}/", self.variable("NGINX_ENVSUBST_TEMPLATE_DIR", TEMPLATES).trim_end_matches('/'));
                if let Some(template) = inside.strip_prefix(&*folder) {
                    let name = template.strip_suffix(self.variable("NGINX_ENVSUBST_TEMPLATE_SUFFIX", ".template"))?;
                    let to = self.variable("NGINX_ENVSUBST_OUTPUT_DIR", "/etc/nginx/conf.d");
                    return Some((format!("{}/{name}", to.trim_end_matches('/')), true));
                }
                let known = NGINX.iter().any(|folder| inside.starts_with(folder)) || self.names(inside);
                known.then(|| (inside.to_owned(), false))
            }
            Dialect::Haproxy => {
                let known = HAPROXY.iter().any(|folder| inside.starts_with(folder)) || self.names(inside);
                known.then(|| (inside.to_owned(), false))
            }
            Dialect::Kubernetes => None,
        }
    }

    /// A variable's value, or what it is where it is not set.
    fn variable<'v>(&'v self, name: &str, default: &'v str) -> &'v str {
        self.variables.get(name).and_then(Text::known).unwrap_or(default)
    }

    /// Whether the command names a path as the file to start with: `-c PATH`, `-f PATH`.
    fn names(&self, path: &str) -> bool {
        let words: Vec<&str> = self.command.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
        words.windows(2).any(|pair| matches!(pair[0], "-c" | "-f") && pair[1] == path)
    }

    /// Where a file of the repository stands here, if the proxy reads it.
    fn runs(&self, path: &str, dialect: Dialect, files: &Files<'_>) -> Option<Runs> {
        if self.caretaker {
            return None;
        }
        self.layout.inside(path).find_map(|(at, map)| {
            let (inside, template) = self.reads(&at, dialect)?;
            // Another mount may hide it.
            let lies = self.layout.at(&at, files) == Lies::Repository(path.to_owned());
            lies.then_some(Runs { inside, site: map.site, how: map.how, template })
        })
    }

    /// Whether the official image starts nginx with nothing but its own scripts.
    fn starts_plainly(&self) -> bool {
        let first = self.command.split_whitespace().next().map(|word| word.trim_matches(['"', '\'']));
        let scripts = self.layout.maps.iter().any(|map| map.inside.starts_with("/docker-entrypoint.d"));
        let plain = !self.own_entrypoint && matches!(first, None | Some("nginx" | "nginx-debug"));
        plain && !scripts && super::started::is_proxy_image(&self.image)
    }

    /// Whether nginx reads the main file of the official image, and nothing but files of the repository beside it.
    fn leaves_main_alone(&self, files: &Files<'_>) -> bool {
        let below = |path: &str, folder: &str| {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let name = self.image.split('@').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let official = matches!(name.split(':').next(), Some("nginx" | "nginx-unprivileged"));
        let first = self.command.split_whitespace().next().map(|word| word.trim_matches(['"', '\'']));
        // A shell that starts nginx, and reloads it now and then, writes no file.
        let loads = || {
            let writes = ["sed ", "envsubst", "tee ", "cp ", "mv ", "confd", "nginx.conf", ".sh"];
            self.command.contains("nginx -g")
                && !self.command.contains('>')
                && !writes.iter().any(|word| self.command.contains(word))
        };
        let plain = !self.own_entrypoint && (matches!(first, None | Some("nginx" | "nginx-debug")) || loads());
        let changed = |path: &str| below("/etc/nginx", path.trim_end_matches('/')) || below(path, "/etc/nginx");
        let fits = |map: &super::layout::Map| {
            let inside = &*map.inside;
            if below("/etc/nginx", inside.trim_end_matches('/')) || inside == "/etc/nginx/nginx.conf" {
                false
            } else if below(inside, "/etc/nginx/conf.d") || below(inside, TEMPLATES.trim_end_matches('/')) {
                map.outside.as_deref().is_some_and(|outside| files.exists(outside))
            } else {
                !below(inside, "/docker-entrypoint.d")
            }
        };
        official
            && plain
            && !self.caretaker
            && !self.variables.contains_key("NGINX_ENVSUBST_OUTPUT_DIR")
            && !self.changed.iter().any(|path| changed(path))
            && self.layout.maps.iter().all(fits)
    }

    /// How variables are put into a file before the proxy reads it.
    fn rendering(&self, runs: &Runs) -> Option<Rendering> {
        let puts = match (runs.how, runs.template) {
            (How::Written(Puts::Nothing), _) => return None,
            (How::Written(puts), _) => puts,
            (_, true) => Puts::Named,
            (_, false) => return None,
        };
        let official = super::started::is_proxy_image(&self.image);
        let first = self.command.split_whitespace().next().map(|word| word.trim_matches(['"', '\'']));
        let calls = ["docker-entrypoint", "envsubst"].iter().any(|word| self.command.contains(word));
        let shell = matches!(first, Some("sh" | "bash" | "/bin/sh" | "/bin/bash"));
        let plain = !self.own_entrypoint && matches!(first, None | Some("nginx" | "nginx-debug"));
        // A script that is not in the repository may do anything.
        let bypassed = runs.template && official && !plain && !calls && shell && self.command.contains("nginx");
        let scripts = self.layout.maps.iter().any(|map| map.inside.starts_with("/docker-entrypoint.d"));
        let filtered = self.variables.contains_key("NGINX_ENVSUBST_FILTER");
        Some(Rendering {
            happens: !bypassed,
            bare: puts == Puts::All,
            open: self.environment_open || scripts || filtered || runs.template && !plain && !calls,
            image_known: official,
            names: Rc::clone(&self.names),
        })
    }

    /// Reads the proxy files that stand here and that nobody asked for yet.
    fn load(&self, files: &mut Files<'_>) {
        if self.caretaker {
            return;
        }
        let mut wanted: Vec<(String, Dialect)> = Vec::new();
        for map in &self.layout.maps {
            let Some(outside) = map.outside.as_deref() else { continue };
            let inside = &*map.inside;
            let beneath = |name: &str| if outside.is_empty() { name.to_owned() } else { format!("{outside}/{name}") };
            let plain = |end: &str| inside.ends_with(end);
            if inside.starts_with("/etc/nginx/")
                && (plain(".conf") || plain(".template") && inside.starts_with(TEMPLATES))
            {
                wanted.push((outside.to_owned(), Dialect::Nginx));
            } else if HAPROXY.iter().any(|folder| inside.starts_with(folder)) && plain(".cfg") {
                wanted.push((outside.to_owned(), Dialect::Haproxy));
            } else if inside == "/etc/nginx/conf.d" {
                wanted.extend(files.glob(&beneath("*.conf")).iter().map(|path| (path.clone(), Dialect::Nginx)));
            } else if format!("{inside}/") == TEMPLATES {
                wanted.extend(files.glob(&beneath("*.template")).iter().map(|path| (path.clone(), Dialect::Nginx)));
            } else if inside == "/etc/nginx" {
                wanted.push((beneath("nginx.conf"), Dialect::Nginx));
                wanted.extend(files.glob(&beneath("conf.d/*.conf")).iter().map(|path| (path.clone(), Dialect::Nginx)));
            } else if HAPROXY.iter().any(|folder| format!("{inside}/") == *folder) {
                wanted.push((beneath("haproxy.cfg"), Dialect::Haproxy));
            }
        }
        for (path, dialect) in wanted {
            // What cannot be read is told where the proxy's own files name it.
            if let Loaded::File(_) = files.load(&path, dialect) {}
        }
    }
}
