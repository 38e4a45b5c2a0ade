//! What a container comes to: its files, what it starts, and what follows for where it listens. The same for compose
//! and for the pods of Kubernetes.

use super::layout::{How, Layout, Lies, written};
use super::started::{is_proxy_image, runs_proxy_only, script, started_words};
use crate::files::Files;
use crate::lower::workload::{self, Evidence, Image, Learned};
use crate::source::Site;
use crate::syntax::words::Text;
use crate::topology::WorkloadId;
use std::collections::{BTreeMap, HashMap};

/// What is known of a container beside the topology.
pub(in crate::lower) struct Container {
    pub(in crate::lower) workload: WorkloadId,
    pub(in crate::lower) layout: Layout,
    /// Its variables, those of the image among them; a value with a hole is not known.
    pub(in crate::lower) environment: BTreeMap<Box<str>, Text>,
    /// What it starts, in words.
    pub(in crate::lower) command: String,
    /// The image it runs, or begins with.
    pub(in crate::lower) image: Option<Box<str>>,
    /// Whether it may have variables that could not be read.
    pub(in crate::lower) environment_open: bool,
    /// Whether something takes the place of the image's own entrypoint.
    pub(in crate::lower) own_entrypoint: bool,
    /// Folders and files of the image in which what was copied may have been changed while it was built.
    pub(in crate::lower) changed: Vec<Box<str>>,
    /// Variables of the proxy that compose replaces, in texts within the compose file.
    pub(in crate::lower) eaten: HashMap<String, (Box<str>, Site)>,
}

/// What is written of a container.
pub(in crate::lower) struct Given<'g> {
    pub(in crate::lower) workload: WorkloadId,
    /// The image that is built for it.
    pub(in crate::lower) image: Option<&'g Image>,
    /// What lies where in it, before anything was started.
    pub(in crate::lower) layout: Layout,
    /// What it is told to start, in words; empty: what the image starts.
    pub(in crate::lower) words: String,
    /// Where that is written.
    pub(in crate::lower) at: Site,
    /// All else; its mounts come from the layout.
    pub(in crate::lower) evidence: Evidence,
}

/// What follows.
pub(in crate::lower) struct Contained {
    pub(in crate::lower) container: Container,
    pub(in crate::lower) evidence: Evidence,
    pub(in crate::lower) learned: Learned,
    /// Whether it waits for something before it starts its program.
    pub(in crate::lower) waits: bool,
    /// Whether it may run other programs besides a proxy.
    pub(in crate::lower) many: bool,
}

/// Commands that change no file that was copied; they may take some away.
const HARMLESS: [&str; 22] = [
    "addgroup", "adduser", "apk", "apt", "apt-get", "cd", "chmod", "chown", "dnf", "groupadd", "ln", "microdnf",
    "mkdir", "nginx", "rm", "set", "touch", "true", "useradd", "usermod", "yum", "echo",
];

/// Where what an image copies may have been changed while it was built: by an earlier stage, or by a command.
fn changed(image: &Image) -> Vec<Box<str>> {
    let harmless = |text: &str| {
        text.replace("\\\n", " ").split(['&', ';', '|', '\n']).all(|command| {
            let first = command.split_whitespace().next();
            first.is_none_or(|first| HARMLESS.contains(&first)) && !command.contains('>')
        })
    };
    let mut changed = image.staged.clone();
    if !image.runs.iter().all(|run| harmless(&run.text)) {
        changed.push("".into());
    }
    changed
}

/// Puts together what is written of a container.
pub(in crate::lower) fn contain(files: &mut Files<'_>, given: Given<'_>) -> Contained {
    let Given { workload, image, mut layout, words, at, mut evidence } = given;
    let all = if words.is_empty() { image.map(started_words).unwrap_or_default() } else { words };
    let (mut started, mut site) = (all.clone(), at);
    if let Some((text, at)) = script(&started, &layout, files) {
        started = text;
        site = at;
    }
    for (from, to, puts) in written(&started) {
        if let Lies::Repository(path) = layout.at(&from, files) {
            layout.add(&to, Some(path), site, How::Written(puts));
        }
    }
    let mounts = layout.maps.iter().filter(|map| map.how == How::Mounted);
    evidence.mounts = mounts.filter_map(|map| Some((map.outside.clone()?, map.inside.clone()))).collect();
    let learned = workload::learn(files, &evidence);
    let base = image.and_then(|image| image.base.as_ref()).or(evidence.image.as_ref());
    let many =
        !base.and_then(Text::known).is_some_and(is_proxy_image) || evidence.built_unread || !runs_proxy_only(&all);
    let mut environment: BTreeMap<Box<str>, Text> = BTreeMap::new();
    environment.extend(image.iter().flat_map(|image| image.environment.iter().cloned()));
    environment.extend(evidence.environment.iter().cloned());
    let container = Container {
        workload,
        layout,
        environment,
        image: base.map(|text| text.text.clone()),
        environment_open: evidence.environment_open || evidence.built_unread,
        own_entrypoint: evidence.entrypoint.is_some() || image.is_some_and(|image| image.entrypoint.is_some()),
        command: started,
        changed: image.map(changed).unwrap_or_default(),
        eaten: HashMap::new(),
    };
    let waits = ["wait", "dockerize", "sleep", "until "].iter().any(|word| container.command.contains(word));
    Contained { container, evidence, learned, waits, many }
}
