//! Pods and Services → the topology: a namespace is a project, a group of pods one workload, and each container is
//! handed on with its files, so that configuration in a `ConfigMap` is placed as a mounted file is.

use super::objects::{Map, Word};
use super::pods::{Container, Held, Pods, Probe, Value, Volume};
use super::scope::{Namespace, Scopes};
use super::selectors::{Labelled, MAX_PAIRS, named_pairs, selects};
use super::{Cluster, objects::Objects};
use crate::defaults::kubernetes::{GRACE, GRACE_SECONDS};
use crate::files::{Files, folder, join};
use crate::lower::compose::{self, Contained, Given, How, Images, Layout};
use crate::lower::workload::{self, Build, Dockerfile, Evidence, Image};
use crate::source::Site;
use crate::syntax::words::{Command, HOLE, Text};
use crate::topology;
use crate::topology::Setting;
use crate::topology::{
    Bind, Claim, Known, Listens, Namespace as Net, OwnName, Project, ProjectId, ProjectKind, Reason, ServiceKind,
    ServicePort, Topology, Weight, Workload, WorkloadId,
};
use crate::value::Wait;
use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

const UNKNOWN: Reason = Reason::OutsideRepository;

/// Where objects belong: found out before files are read for them.
pub(super) struct Belongs {
    pub(super) pods: Vec<Option<(Namespace, bool)>>,
    pub(super) policies: Vec<Option<(Namespace, bool)>>,
    services: Vec<Option<(Namespace, bool)>>,
    maps: Vec<Option<Namespace>>,
    /// Services of a namespace to which an Ingress or a route leads, and where.
    routed: HashMap<(Namespace, Box<str>), Site>,
}

impl Belongs {
    pub(super) fn of(cluster: &Cluster<'_, '_>) -> Self {
        let at = |meta| {
            let namespace = cluster.namespace(meta)?;
            let open = cluster.is_open(meta, &namespace);
            Some((namespace, open))
        };
        let routed =
            cluster.objects.backends.iter().filter(|backend| backend.namespace.is_none()).filter_map(|backend| {
                let key = (cluster.namespace(&backend.meta)?, backend.service.known()?.into());
                Some((key, backend.service.site))
            });
        Self {
            routed: routed.collect(),
            policies: cluster.objects.policies.iter().map(|policy| at(&policy.meta)).collect(),
            pods: cluster.objects.pods.iter().map(|pods| at(&pods.meta)).collect(),
            services: cluster.objects.services.iter().map(|service| at(&service.meta)).collect(),
            maps: cluster.objects.maps.iter().map(|map| cluster.namespace(&map.meta)).collect(),
        }
    }
}

/// Puts pods and Services into the topology, and gives their containers.
pub(super) fn model(
    objects: &Objects,
    belongs: &Belongs,
    scopes: &Scopes,
    files: &mut Files<'_>,
    images: &mut Images,
    t: &mut Topology,
) -> Vec<compose::Container> {
    built(objects, files, images);
    let mut projects: HashMap<&Namespace, ProjectId> = HashMap::new();
    let pods = objects.pods.iter().zip(&belongs.pods).map(|(pods, at)| (pods.meta.file, at));
    let services = objects.services.iter().zip(&belongs.services).map(|(service, at)| (service.meta.file, at));
    for (file, at) in pods.chain(services) {
        let Some((namespace, open)) = at else { continue };
        let project = *projects.entry(namespace).or_insert_with(|| {
            t.projects.push(Project {
                kind: ProjectKind::Kubernetes,
                file,
                workloads: Vec::new(),
                whole: true,
                guessed: false,
                shares: false,
                sampled: Vec::new(),
                folder: folder(files.sources.file(file).path()).into(),
            })
        });
        t.projects[project].whole &= !open;
    }
    let mut maps: HashMap<(&Namespace, &str), Vec<&Map>> = HashMap::new();
    for (map, at) in objects.maps.iter().zip(&belongs.maps) {
        if let (Some(namespace), Some(name)) = (at, map.meta.name.known()) {
            maps.entry((namespace, name)).or_default().push(map);
        }
    }
    let mut containers = Vec::new();
    let room = Cell::new(MAX_HANDED);
    let mut made: Vec<Option<WorkloadId>> = Vec::with_capacity(objects.pods.len());
    for (pods, at) in objects.pods.iter().zip(&belongs.pods) {
        let Some((namespace, open)) = at else {
            made.push(None);
            continue;
        };
        let Some(&project) = projects.get(namespace) else { continue };
        let id = t.workloads.push(empty(project, pods));
        t.projects[project].workloads.push(id);
        made.push(Some(id));
        let own = Own { pods, namespace, open: *open, maps: &maps, scopes, id, room: &room };
        containers.extend(own.run(files, images, t));
    }
    super::policies::guard(&objects.policies, &objects.pods, belongs, &made, t);
    serve(objects, belongs, &projects, &belongs.routed, &made, t);
    containers
}

/// The images that skaffold builds.
fn built(objects: &Objects, files: &mut Files<'_>, images: &mut Images) {
    for artifact in &objects.artifacts {
        let at = folder(files.sources.file(artifact.file).path()).to_owned();
        let word = |word: &Option<Word>, default: &str| match word {
            Some(word) => word.known().map(str::to_owned),
            None => Some(default.to_owned()),
        };
        let context = word(&artifact.context, ".").and_then(|context| join(&at, &context));
        let dockerfile = context.as_deref().zip(word(&artifact.dockerfile, "Dockerfile"));
        let dockerfile = dockerfile.and_then(|(context, file)| join(context, &file));
        let (Some(context), Some(dockerfile), Some(name)) = (context, dockerfile, artifact.image.known()) else {
            continue;
        };
        let build = Build {
            context: context.into(),
            dockerfile: Dockerfile::At(dockerfile.into()),
            target: None,
            args: Vec::new(),
        };
        let image = workload::image(files, &build).filter(|_| !artifact.unclear).map(Rc::new);
        compose::name_image(images, name, image);
    }
}

fn empty(project: ProjectId, pods: &Pods) -> Workload {
    Workload {
        project,
        name: pods.meta.name.text.clone(),
        site: pods.meta.name.site,
        aliases: Vec::new(),
        own_names: pods.aliases.iter().map(|name| (name.text.clone(), OwnName::Elsewhere, name.site)).collect(),
        namespace: match pods.host_network {
            Some(site) => Net::Host(site),
            None if pods.own_dns => Net::Unknown,
            None => Net::Own,
        },
        networks: Known::Yes(Vec::new()),
        claims: Vec::new(),
        claims_open: true,
        published: Vec::new(),
        proxies: Vec::new(),
        server: topology::Server::default(),
        depends_on: Vec::new(),
        // A Job's pods end; all others are started again.
        restart: Known::Yes(!matches!(&*pods.kind, "Job" | "CronJob")),
        stays_down: false,
        health: Known::Unknown(UNKNOWN),
        profiles: Vec::new(),
        replicas: match &pods.replicas {
            None => Known::Yes(1),
            Some(word) => word.known().and_then(|word| word.parse().ok()).map_or(Known::Unknown(UNKNOWN), Known::Yes),
        },
        fixed_address: false,
        many: true,
        waits: false,
        check: None,
        folders: Vec::new(),
    }
}

/// One group of pods.
struct Own<'o> {
    pods: &'o Pods,
    namespace: &'o Namespace,
    open: bool,
    maps: &'o HashMap<(&'o Namespace, &'o str), Vec<&'o Map>>,
    scopes: &'o Scopes,
    id: WorkloadId,
    /// How many keys of maps may still be handed to containers.
    room: &'o Cell<usize>,
}

/// How many keys of `ConfigMap`s are handed to containers in all, as variables and as files. A large map may be given to
/// very many containers.
const MAX_HANDED: usize = 1_000_000;

impl Own<'_> {
    fn run(&self, files: &mut Files<'_>, images: &Images, t: &mut Topology) -> Vec<compose::Container> {
        let mut containers = Vec::new();
        // Of each container, whether it is known where it listens, and whether it is but a proxy.
        let (mut settled, mut others) = (0, 0);
        for one in &self.pods.containers {
            let Contained { container, learned, many, .. } = self.contain(one, files, images);
            let workload = &mut t.workloads[self.id];
            let decided = !learned.claims_open && learned.claims.iter().any(|claim| claim.weight == Weight::Decisive);
            settled += usize::from(decided);
            others += usize::from(many && !decided);
            workload.claims.extend(learned.claims);
            if self.pods.containers.len() == 1 {
                workload.claims_open = learned.claims_open;
                workload.server = learned.server;
            }
            workload.claims.extend(one.ports.iter().filter_map(declared));
            workload.claims.extend(mentioned(one));
            let probes = one.readiness.iter().chain(&one.others);
            workload.claims.extend(probes.filter_map(|probe| self.probed(probe)));
            containers.push(container);
        }
        self.stop(&mut t.workloads[self.id].server);
        let workload = &mut t.workloads[self.id];
        let too_many = workload.claims.len() > MAX_CLAIMS;
        workload.claims.truncate(MAX_CLAIMS);
        // Of several containers each must be known, or the one that is not may listen there.
        if self.pods.containers.len() > 1 {
            workload.claims_open = settled < self.pods.containers.len();
        }
        workload.claims_open |= self.open || too_many || self.pods.containers.is_empty();
        workload.many = self.open || self.pods.injected || others > 0 || containers.is_empty();
        workload.health = match self.pods.containers.iter().find_map(|one| one.readiness.as_ref()) {
            Some(probe) => Known::Yes(Some(probe.site)),
            None if self.open => Known::Unknown(UNKNOWN),
            None => Known::Yes(None),
        };
        containers
    }

    /// How its containers are ended: they are given one time for all of it.
    fn stop(&self, server: &mut topology::Server) {
        if self.open {
            return;
        }
        let seconds = |seconds: u64| Wait::For(Duration::from_secs(seconds));
        server.stop_mut().grace = Some(match &self.pods.grace {
            None => Setting::default(seconds(GRACE_SECONDS), &GRACE),
            Some(word) => match word.known().and_then(|word| word.parse().ok()) {
                Some(grace) => Setting::written(seconds(grace), word.site, "terminationGracePeriodSeconds"),
                None => Setting::unknown(UNKNOWN, word.site, "terminationGracePeriodSeconds"),
            },
        });
        let slept = self.pods.containers.iter().filter_map(|one| one.pre_stop.as_ref());
        // One that does something else takes a time that nobody knows.
        server.stop_mut().before = slept.max_by_key(|stop| stop.sleeps).map(|stop| match stop.sleeps {
            Some(slept) => Setting::written(seconds(slept), stop.site, "preStop"),
            None => Setting::unknown(UNKNOWN, stop.site, "preStop"),
        });
    }

    fn contain(&self, one: &Container, files: &mut Files<'_>, images: &Images) -> Contained {
        let image = one.image.as_ref().and_then(Text::known);
        let built = image.and_then(|image| compose::named_image(images, image));
        let (environment, environment_open) = self.environment(one);
        let words = one.command.iter().chain(&one.args).flatten();
        let words = words.map(|word| &*word.text).collect::<Vec<_>>().join(" ");
        let command = |words: &Option<Vec<Text>>| words.clone().map(Command::Words);
        let evidence = Evidence {
            image: one.image.clone().filter(|_| built.is_none()),
            built: built.as_deref().cloned(),
            built_unread: false,
            entrypoint: command(&one.command),
            command: command(&one.args),
            environment,
            environment_open,
            working_dir: one.working_dir.clone(),
            health: None,
            mounts: Vec::new(),
            folder: None,
        };
        let layout = self.layout(one, built.as_deref(), files);
        compose::contain(
            files,
            Given { workload: self.id, image: built.as_deref(), layout, words, at: one.site, evidence },
        )
    }

    /// Its variables, and whether there may be others.
    fn environment(&self, one: &Container) -> (Vec<(Box<str>, Text)>, bool) {
        let (mut found, mut open) = (Vec::new(), false);
        for (prefix, name) in &one.environment_from {
            let Some(map) = name.as_ref().and_then(|name| self.map(name.known()?)) else {
                open = true;
                continue;
            };
            if !self.takes(map.values.len()) {
                open = true;
                continue;
            }
            open |= map.values.len() < map.keys.len();
            for (key, value) in &map.values {
                found.push((format!("{prefix}{key}").into(), filled(value)));
            }
        }
        for (name, value) in &one.environment {
            let text = match value {
                Value::Text(text) => text.clone(),
                Value::Key(map, key) => {
                    let map = map.known().and_then(|map| self.map(map));
                    let value = map.and_then(|map| map.value(&key.text));
                    value.map_or_else(|| Text::new(HOLE.to_string(), key.site), filled)
                }
            };
            found.push((name.clone(), text));
        }
        (found, open)
    }

    /// Whether there is room for some more keys.
    fn takes(&self, keys: usize) -> bool {
        let left = self.room.get().checked_sub(keys);
        self.room.set(left.unwrap_or_default());
        left.is_some()
    }

    /// The `ConfigMap` of a name, where there is one and not several.
    fn map(&self, name: &str) -> Option<&Map> {
        match self.maps.get(&(self.namespace, name))?.as_slice() {
            [map] => Some(map),
            _ => None,
        }
    }

    /// What lies where in a container.
    fn layout(&self, one: &Container, image: Option<&Image>, files: &Files<'_>) -> Layout {
        let mut layout = Layout::default();
        for copied in image.map(|image| &*image.copies).unwrap_or_default() {
            layout.add(&copied.to, copied.from.as_deref().map(str::to_owned), copied.site, How::Copied);
        }
        for mount in &one.mounts {
            let Some(path) = mount.path.known() else { continue };
            let path = path.trim_end_matches('/');
            let held = match self.pods.volume(&mount.volume) {
                Some(Volume::Maps(maps)) => self.held(maps, files),
                _ => None,
            };
            let Some(held) = held else {
                layout.add(path, None, mount.site, How::Mounted);
                continue;
            };
            match mount.sub_path.as_ref().map(|sub| sub.known()) {
                // A folder that holds nothing else: what the image has there is hidden.
                None => {
                    layout.add(path, Some(NOTHING.to_owned()), mount.site, How::Mounted);
                    for (name, outside) in held {
                        layout.add(&format!("{path}/{name}"), Some(outside), mount.site, How::Mounted);
                    }
                }
                Some(Some(sub)) => {
                    let sub = sub.trim_matches('/');
                    let outside = held.into_iter().find(|(name, _)| *name == sub).map(|(_, outside)| outside);
                    layout.add(path, outside, mount.site, How::Mounted);
                }
                Some(None) => layout.add(path, None, mount.site, How::Mounted),
            }
        }
        layout
    }

    /// The files of a volume, each with where its text is found. `None` where that is not known.
    fn held(&self, maps: &[Held], files: &Files<'_>) -> Option<Vec<(String, String)>> {
        let mut found = Vec::new();
        for (name, items) in maps {
            let name = name.known()?;
            let keys: Vec<(Box<str>, String)> = match self.map(name) {
                Some(map) => {
                    if !self.takes(map.keys.len()) {
                        return None;
                    }
                    let path = files.sources.file(map.meta.file).path();
                    map.keys.iter().map(|(key, inner)| (key.clone(), format!("{path}/{inner}"))).collect()
                }
                None => self.scopes.generated(self.pods.meta.file, name, files)?.to_vec(),
            };
            match items {
                None => found.extend(keys.into_iter().map(|(key, outside)| (key.into(), outside))),
                Some(items) => {
                    let keys: HashMap<&str, &String> = keys.iter().map(|(key, outside)| (&**key, outside)).collect();
                    for (key, path) in items {
                        let (key, path) = (key.known()?, path.known()?);
                        let outside = *keys.get(key)?;
                        found.push((path.trim_matches('/').to_owned(), outside.clone()));
                    }
                }
            }
        }
        Some(found)
    }

    /// What a probe says of where its container listens.
    fn probed(&self, probe: &Probe) -> Option<Claim> {
        let word = probe.port.as_ref()?.known()?;
        let named = self.pods.ports.iter().find(|(name, _)| name.as_ref().is_some_and(|name| &*name.text == word));
        let port = match named {
            Some((_, number)) => number.as_ref()?.known()?.parse().ok()?,
            None => word.parse().ok()?,
        };
        Some(claim(port, Weight::Weak, probe.site, format!("a probe asks port {port}")))
    }
}

/// A path at which the repository has nothing.
const NOTHING: &str = "\u{fffc}";

fn filled(word: &Word) -> Text {
    let text = word.known().map_or_else(|| HOLE.to_string(), str::to_owned);
    Text::new(text, word.site)
}

fn claim(port: u16, weight: Weight, site: Site, words: String) -> Claim {
    Claim { at: Known::Yes(Listens::Port(port)), bind: Bind::Unknown, spoken: None, weight, site, words: words.into() }
}

/// A port that a container declares, which is documentation.
fn declared((word, tcp): &(Word, bool)) -> Option<Claim> {
    let port = word.known()?.parse().ok()?;
    tcp.then(|| claim(port, Weight::Medium, word.site, format!("its `containerPort` is {port}")))
}

/// Numbers in what a container is told: a program may listen on more ports than the one that its server is known for.
fn mentioned(one: &Container) -> Vec<Claim> {
    let values = one.environment.iter().filter_map(|(_, value)| match value {
        Value::Text(text) => Some(text),
        Value::Key(..) => None,
    });
    let mut found = Vec::new();
    for text in one.command.iter().chain(&one.args).flatten().chain(values).filter(|text| text.text.len() < 4096) {
        let numbers = text.text.split(|c: char| !c.is_ascii_digit()).filter(|part| (2..=5).contains(&part.len()));
        for port in numbers.filter_map(|part| part.parse::<u16>().ok()).take(MAX_MENTIONED) {
            if found.len() < MAX_MENTIONED {
                found.push(claim(port, Weight::Weak, text.site, format!("it is told `{port}`")));
            }
        }
    }
    found
}

/// Most places of one group of pods where it listens.
const MAX_CLAIMS: usize = 2048;

/// Most numbers of one container that are taken for ports.
const MAX_MENTIONED: usize = 64;

/// Services, and the pods behind them.
fn serve(
    objects: &Objects,
    belongs: &Belongs,
    projects: &HashMap<&Namespace, ProjectId>,
    routed: &HashMap<(Namespace, Box<str>), Site>,
    made: &[Option<WorkloadId>],
    t: &mut Topology,
) {
    let mut by_namespace: HashMap<&Namespace, Labelled<'_>> = HashMap::new();
    for (number, (pods, at)) in objects.pods.iter().zip(&belongs.pods).enumerate() {
        if let Some((namespace, _)) = at {
            by_namespace.entry(namespace).or_default().add(number, pods);
        }
    }
    let mut pairs = 0;
    for (service, at) in objects.services.iter().zip(&belongs.services) {
        let (Some((namespace, open)), Some(name)) = (at, service.meta.name.known()) else { continue };
        let Some(&project) = projects.get(namespace) else { continue };
        let mut selected = match by_namespace.get(namespace) {
            Some(beside) => beside.candidates(&service.selector),
            None => Vec::new(),
        };
        pairs += (service.selector.len() + 1).saturating_mul(selected.len() + 1);
        selected.retain(|&number| pairs <= MAX_PAIRS && selects(service, &objects.pods[number]));
        let mut behind: Vec<&Pods> = selected.iter().map(|&number| &objects.pods[number]).collect();
        pairs = pairs.saturating_add(named_pairs(service, &behind));
        if pairs > MAX_PAIRS {
            // Then no port is known by its name.
            behind.clear();
        }
        let to: Vec<WorkloadId> = selected.iter().filter_map(|&number| *made.get(number)?).collect();
        let open = *open || service.unclear;
        let ports: Option<Vec<ServicePort>> =
            service.ports.iter().filter(|port| port.tcp).map(|port| port_of(port, &behind)).collect();
        t.services.push(topology::Service {
            project,
            namespace: match namespace {
                Namespace::Named(name) => Some(name.clone()),
                Namespace::Folders(_) => None,
            },
            name: name.into(),
            site: service.meta.name.site,
            kind: match service.headless {
                _ if service.external => ServiceKind::Elsewhere,
                Some(site) => ServiceKind::Members(site),
                None => ServiceKind::Address,
            },
            to: if to.is_empty() || open { Known::Unknown(UNKNOWN) } else { Known::Yes(to) },
            routed: routed.get(&(namespace.clone(), name.into())).copied(),
            ports: ports.filter(|_| !open).map_or(Known::Unknown(UNKNOWN), Known::Yes),
        });
    }
}

fn port_of(port: &super::objects::ServicePort, behind: &[&Pods]) -> Option<ServicePort> {
    let number: u16 = port.port.known()?.parse().ok()?;
    let target = match &port.target {
        None => Known::Yes(number),
        Some(target) => match target.known().map(|word| (word, word.parse::<u16>())) {
            None => return None,
            Some((_, Ok(target))) => Known::Yes(target),
            Some((word, Err(_))) => named(word, behind),
        },
    };
    let node = port.node.as_ref().and_then(|node| Some((node.known()?.parse().ok()?, node.site)));
    let target_site = port.target.as_ref().map(|target| target.site);
    Some(ServicePort { port: number, target, target_site, node, site: port.port.site })
}

/// The port that all pods declare under a name.
fn named(word: &str, behind: &[&Pods]) -> Known<u16> {
    let mut found = None;
    for pods in behind {
        let port = pods.ports.iter().find(|(name, _)| name.as_ref().is_some_and(|name| &*name.text == word));
        let number = port.and_then(|(_, number)| number.as_ref()?.known()?.parse::<u16>().ok());
        match (number, found) {
            (Some(number), None) => found = Some(number),
            (Some(number), Some(other)) if number == other => {}
            _ => return Known::Unknown(UNKNOWN),
        }
    }
    found.map_or(Known::Unknown(UNKNOWN), Known::Yes)
}
