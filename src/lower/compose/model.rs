//! Projects → the topology: networks, workloads, names, ports, evidence.

use super::contain::{Contained, Container, Given, contain};
use super::images::{Images, MAX_IMAGES, name_image};
use super::inline::{self, Inline};
use super::layout::{How, Layout, Lies, Puts, written};
use super::ports;
use super::read::Draft;
use super::started::started_at;
use super::value::{Entry, Item, Value};
use crate::files::{Files, Loaded, join};
use crate::lower::workload::{self, Build, Dockerfile, Evidence, HealthCheck, Image};
use crate::source::Site;
use crate::syntax::words::{Command, HOLE, Text};
use crate::topology::{
    Bind, Claim, Dependency, Folder, Known, Listens, Namespace, Network, NetworkId, OwnName, Project, ProjectId,
    ProjectKind, Reason, Server, Setting, Topology, Until, Weight, Workload, WorkloadId,
};
use crate::value::{Wait, parse_duration};
use std::collections::HashMap;
use std::rc::Rc;

const UNKNOWN: Reason = Reason::Variable;

/// Puts a project into the topology.
pub(super) fn model(draft: &Draft, files: &mut Files<'_>, images: &mut Images, t: &mut Topology) -> Vec<Container> {
    let Some(file) = draft.file else { return Vec::new() };
    let project = t.projects.push(Project {
        kind: ProjectKind::Compose,
        file,
        workloads: Vec::new(),
        whole: draft.whole,
        guessed: draft.guessed,
        folder: draft.folder.as_str().into(),
        sampled: draft.samples(),
        shares: draft.services.iter().any(|entry| entry.item.get("network_mode").is_some()),
    });
    let mut names: HashMap<&str, WorkloadId> = HashMap::new();
    for entry in &draft.services {
        let id = t.workloads.push(empty(project, entry));
        t.projects[project].workloads.push(id);
        names.insert(&entry.key, id);
    }
    let by_container_name: HashMap<&str, WorkloadId> = draft
        .services
        .iter()
        .filter_map(|entry| Some((entry.item.word("container_name")?, *names.get(&*entry.key)?)))
        .collect();
    let inline = inline::enter(draft, files);
    let room = workload::Room::default();
    let mut networks = Networks { draft, project, made: HashMap::new() };
    let mut containers = Vec::new();
    for entry in &draft.services {
        let Some(&id) = names.get(&*entry.key) else { continue };
        let (names, inline, room) = (&names, &inline, &room);
        let service = Service { draft, entry, names, by_container_name: &by_container_name, inline, room, id };
        let open = draft.open.contains(&entry.key);
        service.reach(&mut networks, open, t);
        service.life(t);
        containers.push(service.evidence(files, images, open, t));
    }
    containers
}

fn empty(project: ProjectId, entry: &Entry) -> Workload {
    Workload {
        project,
        name: entry.key.clone(),
        site: entry.site,
        aliases: Vec::new(),
        own_names: Vec::new(),
        namespace: Namespace::Own,
        networks: Known::Unknown(UNKNOWN),
        claims: Vec::new(),
        claims_open: true,
        published: Vec::new(),
        proxies: Vec::new(),
        server: Server::default(),
        depends_on: Vec::new(),
        restart: Known::Unknown(UNKNOWN),
        stays_down: false,
        health: Known::Unknown(UNKNOWN),
        check: None,
        profiles: Vec::new(),
        replicas: Known::Yes(1),
        fixed_address: false,
        many: false,
        waits: false,
        folders: Vec::new(),
    }
}

/// The networks of a project, made when somebody is on them.
struct Networks<'d> {
    draft: &'d Draft,
    project: ProjectId,
    made: HashMap<String, NetworkId>,
}

impl Networks<'_> {
    fn get(&mut self, key: &str, t: &mut Topology) -> NetworkId {
        let declared = self.draft.networks.iter().find(|entry| &*entry.key == key);
        let item = declared.map(|entry| &entry.item);
        let old_name = item.and_then(|item| item.get("external")).and_then(|external| external.get("name"));
        let external = old_name.is_some() || item.is_some_and(|item| item.says_yes("external"));
        // Two that are declared with one name are one network.
        let name = old_name.and_then(Item::known).or_else(|| item.and_then(|item| item.word("name")));
        let identity = name.map_or_else(|| format!("\n{key}"), str::to_owned);
        if let Some(&id) = self.made.get(&identity) {
            t.networks[id].external |= external;
            return id;
        }
        let site = declared.map(|entry| entry.site);
        let id = t.networks.push(Network { project: self.project, name: key.into(), site, external });
        self.made.insert(identity, id);
        id
    }
}

struct Service<'s> {
    draft: &'s Draft,
    entry: &'s Entry,
    names: &'s HashMap<&'s str, WorkloadId>,
    by_container_name: &'s HashMap<&'s str, WorkloadId>,
    inline: &'s HashMap<Box<str>, Inline>,
    room: &'s workload::Room,
    id: WorkloadId,
}

impl Service<'_> {
    fn item(&self) -> &Item {
        &self.entry.item
    }

    /// Whom it can reach, and under which names it is found.
    fn reach(&self, networks: &mut Networks<'_>, open: bool, t: &mut Topology) {
        let item = self.item();
        let mut aliases = Vec::new();
        for key in ["container_name", "hostname"] {
            if let Some(name) = item.get(key)
                && let Some(text) = name.known()
            {
                aliases.push((text.into(), None, name.site));
            }
        }
        let mut on = Vec::new();
        let mut fixed = false;
        let joined = item.entry("networks").map(|entry| entry.item.entries()).unwrap_or_default();
        for entry in joined {
            let id = networks.get(&entry.key, t);
            if !on.contains(&id) {
                on.push(id);
            }
            fixed |= entry.item.get("ipv4_address").is_some();
            for alias in entry.item.get("aliases").map(Item::items).unwrap_or_default() {
                if let Some(name) = alias.known() {
                    aliases.push((name.into(), Some(id), alias.site));
                }
            }
        }
        let mode = item.get("network_mode");
        let namespace = match mode.map(|mode| (mode.known(), mode.site)) {
            None if open && joined.is_empty() => Namespace::Unknown,
            None => Namespace::Own,
            Some((Some("host"), site)) => Namespace::Host(site),
            Some((Some("none"), site)) => Namespace::Nothing(site),
            Some((Some("bridge"), site)) => Namespace::Bridge(site),
            Some((Some(text), site)) => {
                let other = match text.split_once(':') {
                    Some(("service", name)) => self.names.get(name),
                    Some(("container", name)) => self.by_container_name.get(name),
                    _ => None,
                };
                other.map_or(Namespace::Unknown, |&other| Namespace::Of(other, site))
            }
            Some((None, _)) => Namespace::Unknown,
        };
        if namespace == Namespace::Own && on.is_empty() {
            on.push(networks.get("default", t));
        }
        let own_names = self.own_names();
        let folders = self.folders();
        let workload = &mut t.workloads[self.id];
        workload.aliases = aliases;
        workload.fixed_address = fixed;
        workload.folders = folders;
        workload.own_names = own_names;
        workload.namespace = namespace;
        workload.networks = match namespace {
            Namespace::Unknown => Known::Unknown(UNKNOWN),
            _ => Known::Yes(on),
        };
    }

    /// What of it others may have, too.
    fn folders(&self) -> Vec<Folder> {
        let item = self.item();
        let mut found = Vec::new();
        let mut add = |inside: &str, what: Known<Box<str>>, site: Site| {
            if let Some(inside) = inside.strip_prefix('/').and_then(|inside| join("", inside)) {
                let inside = if inside.is_empty() { String::new() } else { format!("/{inside}") };
                found.push(Folder { inside: inside.into(), what, site });
            }
        };
        if let Some(from) = item.get("volumes_from") {
            // Theirs, wherever they have them.
            add("/", Known::Unknown(UNKNOWN), from.site);
        }
        for volume in item.get("volumes").map(Item::items).unwrap_or_default() {
            let (source, target, bound) = match volume.raw() {
                Some(text) => match text.split(':').collect::<Vec<_>>()[..] {
                    [target] => (None, target, false),
                    [source, target, ..] => (Some(source), target, source.starts_with(['.', '/', '~'])),
                    [] => continue,
                },
                None => {
                    let Some(target) = volume.word("target") else { continue };
                    (volume.get("source").and_then(Item::raw), target, volume.word("type") == Some("bind"))
                }
            };
            let what = match source {
                // Nobody else has it.
                None => Known::Yes(format!("{}:{target}", self.entry.key).into()),
                Some(source) if source.contains(HOLE) => Known::Unknown(UNKNOWN),
                Some(source) if bound && !source.starts_with(['/', '~']) => {
                    match join(self.draft.folder_of(volume.site), source) {
                        Some(path) => Known::Yes(format!("./{path}").trim_end_matches('/').into()),
                        None => Known::Unknown(UNKNOWN),
                    }
                }
                Some(source) => Known::Yes(source.trim_end_matches('/').into()),
            };
            add(target, what, volume.site);
        }
        found
    }

    fn own_names(&self) -> Vec<(Box<str>, OwnName, Site)> {
        let item = self.item();
        let mut found: Vec<(Box<str>, OwnName, Site)> = Vec::new();
        for link in item.get("links").map(Item::items).unwrap_or_default() {
            let Some(text) = link.known() else { continue };
            let (service, alias) = text.split_once(':').unwrap_or((text, text));
            if let Some(&id) = self.names.get(service) {
                found.push((alias.into(), OwnName::Workload(id), link.site));
            }
        }
        for link in item.get("external_links").map(Item::items).unwrap_or_default() {
            let Some(text) = link.known() else { continue };
            found.push((text.rsplit(':').next().unwrap_or(text).into(), OwnName::Elsewhere, link.site));
        }
        let to = |address: &str| if address == "host-gateway" { OwnName::Machine } else { OwnName::Elsewhere };
        if let Some(hosts) = item.get("extra_hosts") {
            for host in hosts.items() {
                let Some(text) = host.raw() else { continue };
                if let Some((name, address)) = text.split_once('=').or_else(|| text.split_once(':')) {
                    found.push((name.into(), to(address), host.site));
                }
            }
            for entry in hosts.entries() {
                found.push((entry.key.clone(), to(entry.item.raw().unwrap_or_default()), entry.site));
            }
        }
        found
    }

    /// When it starts, and what happens when it ends.
    fn life(&self, t: &mut Topology) {
        let item = self.item();
        let workload = &mut t.workloads[self.id];
        for entry in item.get("depends_on").map(Item::entries).unwrap_or_default() {
            let until = match entry.item.word("condition") {
                Some("service_healthy") => Until::Healthy,
                Some("service_completed_successfully") => Until::Completed,
                _ => Until::Started,
            };
            let on = self.names.get(&*entry.key).copied();
            workload.depends_on.push(Dependency { on, name: entry.key.clone(), until, site: entry.site });
        }
        for link in item.get("links").map(Item::items).unwrap_or_default() {
            let Some(name) = link.known().and_then(|text| text.split(':').next()) else { continue };
            let on = self.names.get(name).copied();
            workload.depends_on.push(Dependency { on, name: name.into(), until: Until::Started, site: link.site });
        }
        if let Namespace::Of(on, site) = workload.namespace {
            workload.depends_on.push(Dependency { on: Some(on), name: "".into(), until: Until::Started, site });
        }
        let deploy = item.get("deploy");
        let policy = deploy.and_then(|deploy| deploy.get("restart_policy"));
        workload.restart = match (item.get("restart"), policy) {
            (None, None) => Known::Yes(false),
            (None, Some(policy)) => Known::Yes(policy.word("condition") != Some("none")),
            (Some(restart), _) => match restart.known() {
                Some(text) => Known::Yes(!matches!(text, "no" | "false" | "")),
                None => Known::Unknown(UNKNOWN),
            },
        };
        workload.stays_down =
            workload.restart == Known::Yes(false) && (item.get("restart").is_some() || policy.is_some());
        let profiles = item.get("profiles").map(Item::items).unwrap_or_default();
        workload.profiles = profiles.iter().filter_map(Item::raw).map(Into::into).collect();
        // One that is switched on starts with the others.
        if workload.profiles.iter().any(|profile| self.draft.active.contains(profile)) {
            workload.profiles.clear();
        }
        let replicas = deploy.and_then(|deploy| deploy.get("replicas")).or_else(|| item.get("scale"));
        workload.replicas = match replicas.map(|replicas| replicas.known().and_then(|text| text.parse().ok())) {
            None => Known::Yes(1),
            Some(Some(number)) => Known::Yes(number),
            Some(None) => Known::Unknown(UNKNOWN),
        };
    }

    /// Where it listens, by all that is written of it.
    fn evidence(&self, files: &mut Files<'_>, images: &mut Images, open: bool, t: &mut Topology) -> Container {
        let item = self.item();
        let (image, built_unread) = self.image(files, images);
        if let (Some(name), Some(image)) = (item.word("image"), &image) {
            name_image(images, name, Some(Rc::clone(image)));
        }
        let (environment, environment_open) = self.environment(files);
        let layout = self.layout(image.as_deref(), files);
        let mut words = String::new();
        for part in [item.get("entrypoint"), item.get("command")].into_iter().flatten() {
            add_words(part, &mut words);
        }
        let at = item.get("command").or_else(|| item.get("entrypoint")).map(|part| part.site);
        let at = at.or_else(|| image.as_deref().and_then(started_at)).unwrap_or(self.entry.site);
        let evidence = Evidence {
            image: item.get("image").and_then(Item::text).filter(|_| item.get("build").is_none()),
            built: image.as_deref().cloned(),
            built_unread,
            entrypoint: item.get("entrypoint").map(command_of_entrypoint),
            command: item.get("command").map(command),
            environment,
            environment_open,
            working_dir: item.get("working_dir").and_then(Item::text),
            health: self.health(),
            mounts: Vec::new(),
            folder: None,
        };
        let given = Given { workload: self.id, image: image.as_deref(), layout, words, at, evidence };
        let Contained { mut container, evidence, learned, waits, many } = contain(files, given);
        let workload = &mut t.workloads[self.id];
        workload.claims = learned.claims;
        workload.claims_open = learned.claims_open || open;
        workload.server = learned.server;
        workload.health = learned.health;
        if let Some(grace) = item.get("stop_grace_period") {
            let wait = grace.known().and_then(parse_duration).map(Wait::For);
            workload.server.stop_mut().grace = Some(match wait {
                Some(wait) => Setting::written(wait, grace.site, "stop_grace_period"),
                None => Setting::unknown(UNKNOWN, grace.site, "stop_grace_period"),
            });
        }
        workload.check = learned.check;
        workload.waits = waits;
        workload.many = many;
        self.ports(&evidence, workload);
        // Nobody is told what a template comes to with the values of a sample.
        let named = item.get("environment").map(Item::entries).unwrap_or_default();
        for entry in named.iter().filter(|entry| entry.item.sampled) {
            container.environment.insert(entry.key.clone(), Text::new(HOLE.to_string(), entry.item.site));
        }
        let eaten = self.inline.values().filter_map(|inline| Some((inline.path.clone(), inline.eaten.clone()?)));
        container.eaten = eaten.collect();
        container
    }

    /// Published and documented ports, labels.
    fn ports(&self, evidence: &Evidence, workload: &mut Workload) {
        let item = self.item();
        let mut sampled = Vec::new();
        for port in item.get("ports").map(Item::items).unwrap_or_default() {
            ports::read(port, &mut workload.published);
            let from_sample = port.sampled || port.get("target").is_some_and(|target| target.sampled);
            sampled.resize(workload.published.len(), from_sample);
        }
        let claim = |port: u16, weight, site, words: String| Claim {
            at: Known::Yes(Listens::Port(port)),
            bind: Bind::Unknown,
            spoken: None,
            weight,
            site,
            words: words.into(),
        };
        let mut claims = Vec::new();
        for (published, from_sample) in workload.published.iter().zip(sampled) {
            match published.container {
                Known::Yes(port) if published.tcp => {
                    // What everybody fills in for himself, nobody relies on.
                    let weight = if from_sample { Weight::Medium } else { Weight::Strong };
                    claims.push(claim(port, weight, published.site, format!("its `ports` lead to {port}")));
                }
                Known::Yes(_) => {}
                Known::Unknown(_) => workload.claims_open = true,
            }
        }
        for exposed in item.get("expose").map(Item::items).unwrap_or_default() {
            let Some(text) = exposed.known() else {
                workload.claims_open = true;
                continue;
            };
            let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
            let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
            if let (Ok(first), Ok(last), "tcp") = (first.parse::<u16>(), last.parse::<u16>(), protocol) {
                for port in (first..=last).take(256) {
                    claims.push(claim(port, Weight::Medium, exposed.site, format!("its `expose` says {port}")));
                }
            }
        }
        for label in item.get("labels").map(Item::entries).unwrap_or_default() {
            let key = label.key.to_ascii_lowercase();
            if key.starts_with("traefik.http.services.")
                && key.ends_with(".loadbalancer.server.port")
                && let Some(Ok(port)) = label.item.known().map(str::parse)
            {
                claims.push(claim(port, Weight::Medium, label.item.site, format!("its label for Traefik says {port}")));
            }
        }
        for (name, value) in &evidence.environment {
            if &**name == "VIRTUAL_PORT"
                && let Some(Ok(port)) = value.known().map(str::parse)
            {
                claims.push(claim(port, Weight::Medium, value.site, format!("its `VIRTUAL_PORT` says {port}")));
            }
        }
        workload.claims.extend(claims);
    }

    fn health(&self) -> Option<HealthCheck> {
        let check = self.item().entry("healthcheck")?;
        if check.item.says_yes("disable") {
            return Some(HealthCheck::Off(check.site));
        }
        let test = check.item.get("test")?;
        if let Some(text) = test.text() {
            return Some(HealthCheck::Runs(Command::Shell(text), test.site));
        }
        let items = test.items();
        let rest =
            || items.iter().skip(1).map(|item| item.text().unwrap_or_else(|| Text::new(HOLE.to_string(), item.site)));
        Some(match items.first().and_then(Item::raw) {
            Some("NONE") => HealthCheck::Off(test.site),
            Some("CMD") => HealthCheck::Runs(Command::Words(rest().collect()), test.site),
            Some("CMD-SHELL") => match items.get(1).and_then(Item::text) {
                Some(text) => HealthCheck::Runs(Command::Shell(text), test.site),
                None => HealthCheck::Unknown(test.site),
            },
            _ => HealthCheck::Unknown(test.site),
        })
    }

    /// Its variables, those of files first; and whether there may be others.
    fn environment(&self, files: &mut Files<'_>) -> (Vec<(Box<str>, Text)>, bool) {
        let mut found: Vec<(Box<str>, Text)> = Vec::new();
        let mut open = self.draft.open.contains(&self.entry.key);
        for file in self.item().get("env_file").map(Item::items).unwrap_or_default() {
            let path = file.raw().is_some().then_some(file).or_else(|| file.get("path"));
            let loaded = path
                .and_then(Item::known)
                .and_then(|path| join(self.draft.folder_of(file.site), path))
                .map(|path| files.load_text(&path));
            let Some(Loaded::File(id)) = loaded else {
                open = true;
                continue;
            };
            let source = files.sources.share(id);
            let text = self.room.of(source.text(), found.len());
            open |= text.is_none();
            for (name, value, at) in text.into_iter().flat_map(super::interpolate::pairs) {
                let site = Site::direct(crate::source::Span::new(id, at.start as u32, at.end as u32));
                found.push((name.into(), Text::new(value, site)));
            }
        }
        for entry in self.item().get("environment").map(Item::entries).unwrap_or_default() {
            let text = match &entry.item.value {
                Value::Scalar(text) => text.clone(),
                // Handed through from the shell.
                _ => HOLE.to_string().into(),
            };
            found.push((entry.key.clone(), Text::new(text, entry.item.site)));
        }
        (found, open)
    }

    /// The image that is built, and whether one is built that could not be read.
    fn image(&self, files: &mut Files<'_>, images: &mut Images) -> (Option<Rc<Image>>, bool) {
        let Some(build) = self.item().get("build") else { return (None, false) };
        let folder = self.draft.folder_of(build.site);
        let context = match build.get("context") {
            Some(context) => context.known().filter(|path| !path.contains("://") && !path.starts_with(['/', '~'])),
            None => Some("."),
        };
        let Some(context) = context.and_then(|context| join(folder, context)) else { return (None, true) };
        let dockerfile = match (build.get("dockerfile_inline"), build.get("dockerfile")) {
            (Some(inline), _) => inline.text().map(Dockerfile::Inline),
            (None, Some(file)) => {
                file.known().and_then(|file| join(&context, file)).map(|path| Dockerfile::At(path.into()))
            }
            (None, None) => join(&context, "Dockerfile").map(|path| Dockerfile::At(path.into())),
        };
        let Some(dockerfile) = dockerfile else { return (None, true) };
        let target = build.get("target").and_then(Item::text);
        let args: Vec<(Box<str>, Text)> = build
            .get("args")
            .map(Item::entries)
            .unwrap_or_default()
            .iter()
            .map(|entry| {
                let hole = || Text::new(HOLE.to_string(), entry.site);
                (entry.key.clone(), entry.item.text().unwrap_or_else(hole))
            })
            .collect();
        let key = format!("{context}\n{dockerfile:?}\n{target:?}\n{args:?}");
        let room = images.len() < MAX_IMAGES;
        let made = images
            .entry(key)
            .or_insert_with(|| {
                let build = Build { context: context.as_str().into(), dockerfile, target, args };
                room.then(|| workload::image(files, &build)).flatten().map(Rc::new)
            })
            .clone();
        let unread = made.is_none();
        (made, unread)
    }

    /// What lies where in the container.
    fn layout(&self, image: Option<&Image>, files: &Files<'_>) -> Layout {
        let mut layout = Layout::default();
        for copied in image.map(|image| &*image.copies).unwrap_or_default() {
            layout.add(&copied.to, copied.from.as_deref().map(str::to_owned), copied.site, How::Copied);
        }
        // What is moved or linked to its place while the image is built.
        for run in image.map(|image| &*image.runs).unwrap_or_default() {
            for (from, to, puts) in written(&run.text) {
                if let (Lies::Repository(path), Puts::Nothing) = (layout.at(&from, files), puts) {
                    layout.add(&to, Some(path), run.site, How::Copied);
                }
            }
        }
        let item = self.item();
        for config in item.get("configs").map(Item::items).unwrap_or_default() {
            let Some(name) = config.known().or_else(|| config.word("source")) else { continue };
            let target = config.word("target").map_or_else(|| format!("/{name}"), str::to_owned);
            let declared = self.draft.configs.iter().find(|entry| &*entry.key == name);
            let file = declared.and_then(|entry| entry.item.get("file"));
            let outside = file.and_then(|file| join(self.draft.folder_of(file.site), file.known()?));
            let outside = outside.or_else(|| self.inline.get(name).map(|inline| inline.path.clone()));
            layout.add(&target, outside, config.site, How::Mounted);
        }
        for volume in item.get("volumes").map(Item::items).unwrap_or_default() {
            let (source, target) = match volume.raw() {
                Some(text) => {
                    let mut parts = text.split(':');
                    match (parts.next(), parts.next()) {
                        (Some(source), Some(target)) => (Some(source), target),
                        (Some(target), None) => (None, target),
                        _ => continue,
                    }
                }
                None => {
                    let Some(target) = volume.word("target") else { continue };
                    let bound = volume.word("type") == Some("bind");
                    (volume.get("source").and_then(Item::raw).filter(|_| bound), target)
                }
            };
            let long = volume.raw().is_none();
            let outside = source
                .filter(|source| {
                    (long || source.starts_with('.')) && !source.starts_with(['/', '~']) && !source.contains(HOLE)
                })
                .and_then(|source| join(self.draft.folder_of(volume.site), source));
            layout.add(target, outside, volume.site, How::Mounted);
        }
        layout
    }
}

fn command(item: &Item) -> Command {
    match item.text() {
        Some(text) => Command::Split(text),
        None => Command::Words(
            item.items()
                .iter()
                .map(|word| word.text().unwrap_or_else(|| Text::new(HOLE.to_string(), word.site)))
                .collect(),
        ),
    }
}

/// `entrypoint: ""` clears what the image starts.
fn command_of_entrypoint(item: &Item) -> Command {
    match item.raw() {
        Some("") => Command::Words(Vec::new()),
        _ => command(item),
    }
}

fn add_words(item: &Item, out: &mut String) {
    let words: Vec<&Item> = if item.raw().is_some() { vec![item] } else { item.items().iter().collect() };
    for word in words {
        out.push_str(word.raw().unwrap_or_default());
        out.push(' ');
    }
}
