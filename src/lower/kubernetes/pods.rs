//! What pods are made of: their containers, and what is mounted into them.

use super::objects::{Meta, Word, labels, site};
use crate::source::{FileId, Site};
use crate::syntax::words::{HOLE, Text};
use crate::syntax::yaml::View;

/// A group of pods.
#[derive(Debug)]
pub(super) struct Pods {
    pub(super) meta: Meta,
    pub(super) kind: Box<str>,
    pub(super) labels: Vec<(Box<str>, Word)>,
    /// Names and numbers of the ports of its containers.
    pub(super) ports: Vec<(Option<Word>, Option<Word>)>,
    /// Those that go on running; one that starts first may be among them.
    pub(super) containers: Vec<Container>,
    /// By name, sorted.
    volumes: Vec<(Box<str>, Volume)>,
    /// How many, where it is written.
    pub(super) replicas: Option<Word>,
    /// Where it is written that they use the network of their machine.
    pub(super) host_network: Option<Site>,
    /// Names that they find by themselves.
    pub(super) aliases: Vec<Word>,
    /// Whether they ask other name servers than the cluster's.
    pub(super) own_dns: bool,
    /// Whether something may put more containers into them: a service mesh, an agent.
    pub(super) injected: bool,
    /// How long they have to end.
    pub(super) grace: Option<Word>,
}

impl Pods {
    /// The volume of a name.
    pub(super) fn volume(&self, name: &str) -> Option<&Volume> {
        let at = self.volumes.partition_point(|(other, _)| **other < *name);
        self.volumes.get(at).filter(|(other, _)| **other == *name).map(|(_, volume)| volume)
    }
}

/// A container of a pod.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) site: Site,
    pub(super) image: Option<Text>,
    /// Takes the place of the image's entrypoint and command.
    pub(super) command: Option<Vec<Text>>,
    /// Takes the place of the image's command.
    pub(super) args: Option<Vec<Text>>,
    pub(super) working_dir: Option<Text>,
    pub(super) environment: Vec<(Box<str>, Value)>,
    /// Whole maps of variables: the prefix and the name of the map; none for what is secret.
    pub(super) environment_from: Vec<(Box<str>, Option<Word>)>,
    pub(super) mounts: Vec<Mount>,
    pub(super) ports: Vec<(Word, bool)>,
    pub(super) readiness: Option<Probe>,
    pub(super) others: Vec<Probe>,
    /// What it does before it is told to end.
    pub(super) pre_stop: Option<PreStop>,
}

/// The value of a variable.
#[derive(Debug)]
pub(super) enum Value {
    Text(Text),
    /// A key of a `ConfigMap`.
    Key(Word, Word),
}

/// A folder or a file of a container that a volume holds.
#[derive(Debug)]
pub(super) struct Mount {
    pub(super) volume: Box<str>,
    pub(super) path: Text,
    pub(super) sub_path: Option<Text>,
    pub(super) site: Site,
}

/// What a volume holds.
#[derive(Debug)]
pub(super) enum Volume {
    /// Keys of `ConfigMap`s: all, or those that are named, each with its path.
    Maps(Vec<Held>),
    /// Something else.
    Other,
}

/// A `ConfigMap` in a volume: its name, and its keys with their paths where not all are taken.
pub(super) type Held = (Word, Option<Vec<(Word, Word)>>);

/// A probe: where it is written, and the port that it asks.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) site: Site,
    pub(super) port: Option<Word>,
    /// Where it says that it asks over TLS.
    pub(super) tls: Option<Site>,
}

/// What a container does before it is told to end.
#[derive(Debug)]
pub(super) struct PreStop {
    pub(super) site: Site,
    /// For how many seconds it sleeps, where that is all that is known.
    pub(super) sleeps: Option<u64>,
}

/// A text, with a hole where something fills it in.
fn text(view: View<'_>, file: FileId) -> Option<Text> {
    let word = Word::read(view, file)?;
    let filled = ["{{", "${", "$("].iter().any(|mark| word.text.contains(mark));
    Some(Text::new(if filled { HOLE.to_string().into() } else { word.text }, word.site))
}

fn texts(view: View<'_>, file: FileId) -> Vec<Text> {
    view.items().map(|item| text(item, file).unwrap_or_else(|| Text::new(HOLE.to_string(), site(item, file)))).collect()
}

/// Reads the template of pods.
pub(super) fn pods(
    meta: Meta,
    kind: &str,
    whole: Option<View<'_>>,
    template: Option<View<'_>>,
    file: FileId,
) -> Option<Pods> {
    let template = template?;
    let spec = template.get("spec");
    let word = |key: &str| spec.and_then(|spec| spec.get(key)).and_then(|view| Word::read(view, file));
    let mut ports = Vec::new();
    let mut containers = Vec::new();
    for list in ["containers", "initContainers"] {
        for one in spec.and_then(|spec| spec.get(list)).into_iter().flat_map(View::items) {
            for port in one.get("ports").into_iter().flat_map(View::items) {
                let word = |key: &str| port.get(key).and_then(|view| Word::read(view, file));
                ports.push((word("name"), word("containerPort")));
            }
            // One that starts first and goes on running is an init container, too.
            if list == "containers" || one.get("restartPolicy").and_then(View::text) == Some("Always") {
                containers.push(container(one, file));
            }
        }
    }
    let above = template.get("metadata");
    let annotations = labels(above.and_then(|meta| meta.get("annotations")), file);
    let labels = labels(above.and_then(|meta| meta.get("labels")), file);
    let injects = |key: &str| {
        ["inject", "dapr.io/", "istio.io/", "linkerd.io/", "vault.hashicorp.com/"].iter().any(|word| key.contains(word))
    };
    let injected = annotations.iter().chain(&labels).any(|(key, _)| injects(key));
    let volumes = spec.and_then(|spec| spec.get("volumes")).into_iter().flat_map(View::items);
    let hosts = spec.and_then(|spec| spec.get("hostAliases")).into_iter().flat_map(View::items);
    let names = hosts.filter_map(|host| host.get("hostnames")).flat_map(View::items);
    let mut volumes: Vec<_> = volumes.filter_map(|view| volume(view, file)).collect();
    volumes.sort_by(|(one, _), (other, _)| one.cmp(other));
    Some(Pods {
        meta,
        kind: kind.into(),
        labels,
        ports,
        containers,
        volumes,
        replicas: whole.and_then(|spec| spec.get("replicas")).and_then(|view| Word::read(view, file)),
        host_network: word("hostNetwork").filter(|word| &*word.text == "true").map(|word| word.site),
        aliases: names.filter_map(|name| Word::read(name, file)).collect(),
        own_dns: word("dnsPolicy").is_some_and(|policy| !policy.text.starts_with("ClusterFirst"))
            || spec.is_some_and(|spec| spec.get("dnsConfig").is_some()),
        injected,
        grace: word("terminationGracePeriodSeconds"),
    })
}

fn container(view: View<'_>, file: FileId) -> Container {
    let get = |key: &str| view.get(key).and_then(|view| text(view, file));
    let list = |key: &str| view.get(key).filter(|view| view.is_sequence()).map(|view| texts(view, file));
    let mut environment = Vec::new();
    for one in view.get("env").into_iter().flat_map(View::items) {
        let Some(name) = one.get("name").and_then(View::text) else { continue };
        let from = one.get("valueFrom");
        let key = from
            .and_then(|from| from.get("configMapKeyRef"))
            .and_then(|key| Some(Value::Key(Word::read(key.get("name")?, file)?, Word::read(key.get("key")?, file)?)));
        let hole = || Text::new(HOLE.to_string(), site(one, file));
        let value = match (one.get("value"), from) {
            (Some(value), _) => Value::Text(text(value, file).unwrap_or_else(|| Text::new("", site(one, file)))),
            (None, Some(_)) => key.unwrap_or_else(|| Value::Text(hole())),
            (None, None) => Value::Text(Text::new("", site(one, file))),
        };
        environment.push((name.into(), value));
    }
    let from = view.get("envFrom").into_iter().flat_map(View::items).map(|one| {
        let prefix = one.get("prefix").and_then(View::text).unwrap_or_default().into();
        (prefix, one.get("configMapRef").and_then(|map| Word::read(map.get("name")?, file)))
    });
    let mounts = view.get("volumeMounts").into_iter().flat_map(View::items).filter_map(|mount| {
        Some(Mount {
            volume: mount.get("name")?.text()?.into(),
            path: text(mount.get("mountPath")?, file)?,
            sub_path: mount.get("subPath").or_else(|| mount.get("subPathExpr")).and_then(|view| text(view, file)),
            site: site(mount, file),
        })
    });
    let ports = view.get("ports").into_iter().flat_map(View::items).filter_map(|port| {
        let tcp = port.get("protocol").and_then(View::text).is_none_or(|protocol| protocol == "TCP");
        Some((Word::read(port.get("containerPort")?, file)?, tcp))
    });
    let probe = |key: &str| {
        let (_, probe) = view.entry(key).filter(|(_, probe)| probe.is_mapping())?;
        let asks = ["httpGet", "tcpSocket", "grpc"].iter().find_map(|way| probe.get(way));
        let port = asks.and_then(|asks| Word::read(asks.get("port")?, file));
        let tls = probe.get("httpGet").and_then(|asks| Word::read(asks.get("scheme")?, file));
        let tls = tls.filter(|scheme| &*scheme.text == "HTTPS").map(|scheme| scheme.site);
        let site = view.entry(key).map_or_else(|| site(probe, file), |(key, _)| site(key, file));
        Some(Probe { site, port, tls })
    };
    Container {
        site: site(view.get("name").unwrap_or(view), file),
        image: get("image"),
        command: list("command"),
        args: list("args"),
        working_dir: get("workingDir"),
        environment,
        environment_from: from.collect(),
        mounts: mounts.collect(),
        ports: ports.collect(),
        readiness: probe("readinessProbe"),
        others: ["livenessProbe", "startupProbe"].iter().filter_map(|key| probe(key)).collect(),
        pre_stop: view.get("lifecycle").and_then(|life| life.get("preStop")).map(|stop| pre_stop(stop, file)),
    }
}

/// `sleep: {seconds: N}`, or a command that sleeps and does nothing else for long.
fn pre_stop(view: View<'_>, file: FileId) -> PreStop {
    let seconds = view.get("sleep").and_then(|sleep| sleep.get("seconds")?.text()?.parse().ok());
    let words = view.get("exec").and_then(|exec| exec.get("command"));
    let words: Vec<&str> = words.into_iter().flat_map(View::items).filter_map(View::text).collect();
    let words = words.iter().flat_map(|word| word.split(|c: char| c.is_whitespace() || matches!(c, ';' | '&')));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let slept = words
        .windows(2)
        .filter(|pair| pair[0].rsplit('/').next() == Some("sleep"))
        .map(|pair| pair[1].strip_suffix('s').unwrap_or(pair[1]).parse::<u64>())
        .try_fold(0u64, |all, one| one.ok().map(|one| all.saturating_add(one)));
    PreStop { site: site(view, file), sleeps: seconds.or(slept.filter(|&slept| slept > 0)) }
}

fn volume(view: View<'_>, file: FileId) -> Option<(Box<str>, Volume)> {
    let name = view.get("name")?.text()?.into();
    let map = |map: View<'_>| {
        let items = map.get("items").map(|items| {
            let item =
                |item: View<'_>| Some((Word::read(item.get("key")?, file)?, Word::read(item.get("path")?, file)?));
            items.items().filter_map(item).collect()
        });
        Some((Word::read(map.get("name")?, file)?, items))
    };
    let held = match (view.get("configMap"), view.get("projected").and_then(|projected| projected.get("sources"))) {
        (Some(one), _) => map(one).map_or(Volume::Other, |one| Volume::Maps(vec![one])),
        (None, Some(sources)) => {
            let maps: Option<Vec<_>> = sources.items().map(|source| source.get("configMap").and_then(map)).collect();
            maps.map_or(Volume::Other, Volume::Maps)
        }
        (None, None) => Volume::Other,
    };
    Some((name, held))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml;

    #[test]
    fn how_long_a_container_sleeps_before_it_ends() {
        let slept = |text: &str| {
            let parsed = yaml::parse(text);
            pre_stop(parsed.tree.root().unwrap(), FileId::new(0)).sleeps
        };
        assert_eq!(slept("sleep: {seconds: 40}"), Some(40));
        assert_eq!(slept("exec: {command: [sleep, '15']}"), Some(15));
        assert_eq!(slept("exec: {command: [/bin/sh, -c, 'sleep 20; nginx -s quit; sleep 5s']}"), Some(25));
        assert_eq!(slept("exec: {command: [/bin/sh, -c, 'sleep $WAIT']}"), None);
        assert_eq!(slept("exec: {command: [nginx, -s, quit]}"), None);
        assert_eq!(slept("httpGet: {path: /stop, port: 80}"), None);
    }
}
