//! Which container runs which proxy file.

use super::layout::{How, Layout, Lies};
use super::model::Container;
use crate::files::{Files, Loaded};
use crate::source::{FileId, Site};
use crate::syntax::words::Text;
use crate::topology::{Dialect, Placed, Placement, Topology, WorkloadId};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Folders in which nginx looks for its files: in its own image and in those of others.
const NGINX: [&str; 4] =
    ["/etc/nginx/", "/usr/local/openresty/nginx/conf/", "/opt/bitnami/nginx/conf/", "/usr/local/nginx/conf/"];

/// Folders in which HAProxy is given its files.
const HAPROXY: [&str; 2] = ["/usr/local/etc/haproxy/", "/etc/haproxy/"];

/// Where the official image looks for templates that it renders into `conf.d`.
const TEMPLATES: &str = "/etc/nginx/templates/";

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
}

impl Surroundings {
    /// Where a file stands; more than one where several services run it.
    pub(in crate::lower) fn of(&self, file: FileId) -> &[Place] {
        self.places.get(&file).map(Vec::as_slice).unwrap_or_default()
    }

    /// What is put into a file before the proxy reads it, where all that run it agree.
    pub(in crate::lower) fn values(&self, file: FileId) -> Option<Values> {
        let mut places = self.of(file).iter();
        let first = places.next()?.values.as_ref()?;
        places.all(|place| place.values.as_ref() == Some(first)).then(|| first.clone())
    }

    /// Who runs a file: files with the same answer run together.
    pub(in crate::lower) fn runners(&self, file: FileId) -> Vec<WorkloadId> {
        self.of(file).iter().map(|place| place.workload).collect()
    }
}

/// Finds the places of all proxy files, and reads those that a service runs and the walk did not meet.
pub(super) fn place(files: &mut Files<'_>, containers: Vec<Container>, t: &mut Topology) -> Surroundings {
    let containers: Vec<Ready> = containers.into_iter().map(Ready::new).collect();
    for container in &containers {
        container.load(files);
    }
    let proxies: Vec<(FileId, String, Dialect)> = files
        .sources
        .files()
        .filter_map(|(id, file)| Some((id, file.path().to_owned(), files.tree(id)?.dialect())))
        .collect();
    let mut surroundings = Surroundings::default();
    for (id, path, dialect) in &proxies {
        for container in &containers {
            let Some((inside, site, how, rendered)) = container.runs(path, *dialect, files) else { continue };
            t.placements.push(Placement { file: *id, workload: container.workload, site, how });
            surroundings.places.entry(*id).or_default().push(Place {
                workload: container.workload,
                inside: inside.into(),
                layout: Rc::clone(&container.layout),
                values: rendered.then(|| Values(Rc::clone(&container.variables))),
            });
        }
    }
    surroundings
}

struct Ready {
    workload: WorkloadId,
    layout: Rc<Layout>,
    variables: Rc<BTreeMap<Box<str>, Text>>,
    command: String,
    caretaker: bool,
}

impl Ready {
    fn new(container: Container) -> Self {
        let image = container.image.as_deref().unwrap_or_default().to_ascii_lowercase();
        Self {
            workload: container.workload,
            layout: Rc::new(container.layout),
            variables: Rc::new(container.environment),
            command: container.command,
            caretaker: CARETAKERS.iter().any(|word| image.contains(word)),
        }
    }

    /// The path at which the proxy reads a file, if it is one that it reads, and whether variables are put in before.
    fn reads(&self, inside: &str, dialect: Dialect) -> Option<(String, bool)> {
        match dialect {
            Dialect::Nginx => {
                if let Some(template) = inside.strip_prefix(TEMPLATES) {
                    return Some((format!("/etc/nginx/conf.d/{}", template.strip_suffix(".template")?), true));
                }
                let known = NGINX.iter().any(|folder| inside.starts_with(folder)) || self.names(inside);
                known.then(|| (inside.to_owned(), false))
            }
            Dialect::Haproxy => {
                let known = HAPROXY.iter().any(|folder| inside.starts_with(folder)) || self.names(inside);
                known.then(|| (inside.to_owned(), false))
            }
        }
    }

    /// Whether the command names a path as the file to start with: `-c PATH`, `-f PATH`.
    fn names(&self, path: &str) -> bool {
        let mut words = self.command.split_whitespace();
        words.any(|word| word.trim_matches(['"', '\'']) == path)
            && self.command.split_whitespace().any(|word| matches!(word, "-c" | "-f"))
    }

    /// Where a file of the repository stands here, if the proxy reads it.
    fn runs(&self, path: &str, dialect: Dialect, files: &Files<'_>) -> Option<(String, Site, Placed, bool)> {
        if self.caretaker {
            return None;
        }
        self.layout.inside(path).find_map(|(inside, map)| {
            let (read, template) = self.reads(&inside, dialect)?;
            // Another mount may hide it.
            if self.layout.at(&inside, files) != Lies::Repository(path.to_owned()) {
                return None;
            }
            let how = match map.how {
                How::Mounted => Placed::Mounted,
                How::Copied => Placed::Copied,
                How::Rendered => Placed::Rendered,
            };
            Some((read, map.site, how, template || map.how == How::Rendered))
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
