//! What Kubernetes objects say, each word with its place.

use super::pods::{Pods, pods};
use crate::source::{FileId, Site, Span};
use crate::syntax::yaml::View;

/// A word with its place.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: Box<str>,
    pub(super) site: Site,
}

impl Word {
    pub(super) fn read(view: View<'_>, file: FileId) -> Option<Self> {
        let text = view.text().filter(|_| !view.is_null())?;
        Some(Self { text: text.into(), site: site(view, file) })
    }

    /// Its text, unless something else fills it in: a template, a variable of kustomize, Flux or envsubst.
    pub(super) fn known(&self) -> Option<&str> {
        (!self.text.contains("{{") && !self.text.contains('$')).then_some(&*self.text)
    }

    /// Its text, if two words with it are the same: it is known, or a chart writes it (see [`super::chart`]).
    pub(super) fn name(&self) -> Option<&str> {
        let tag = self.text.contains("{{") && self.text.contains("}}");
        if tag { Some(&*self.text) } else { self.known() }
    }
}

/// Where something stands.
pub(super) fn site(view: View<'_>, file: FileId) -> Site {
    let at = view.at();
    Site::direct(Span::new(file, at.start, at.end))
}

/// What every object has.
#[derive(Debug)]
pub(super) struct Meta {
    pub(super) file: FileId,
    pub(super) name: Word,
    pub(super) namespace: Option<Word>,
}

/// A port of a Service.
#[derive(Debug)]
pub(super) struct ServicePort {
    pub(super) name: Option<Word>,
    pub(super) port: Word,
    pub(super) target: Option<Word>,
    pub(super) node: Option<Word>,
    /// Whether it takes TCP.
    pub(super) tcp: bool,
    /// What it says that it speaks.
    pub(super) app_protocol: Option<Word>,
}

/// A Service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) meta: Meta,
    pub(super) selector: Vec<(Box<str>, Word)>,
    pub(super) selector_site: Option<Site>,
    pub(super) ports: Vec<ServicePort>,
    pub(super) external: bool,
    /// Where it says that it has no address of its own.
    pub(super) headless: Option<Site>,
    /// Whether something fills in its address or kind.
    pub(super) unclear: bool,
}

/// What an Ingress or a route of a Gateway leads to.
#[derive(Debug)]
pub(super) struct Backend {
    pub(super) meta: Meta,
    pub(super) kind: Box<str>,
    pub(super) gateway: bool,
    pub(super) service: Word,
    pub(super) namespace: Option<Word>,
    pub(super) port: Option<Word>,
    /// The number of the Ingress of which it is one.
    pub(super) of: Option<usize>,
}

/// What an Ingress says of itself.
#[derive(Debug)]
pub(super) struct Ingress {
    pub(super) meta: Meta,
    pub(super) class: Option<Word>,
    pub(super) annotations: Vec<(Box<str>, Word)>,
}

impl Ingress {
    /// An annotation of ingress-nginx.
    pub(super) fn annotation(&self, name: &str) -> Option<&Word> {
        let of_name =
            |(key, _): &&(Box<str>, Word)| key.strip_prefix(crate::defaults::ingress_nginx::PREFIX) == Some(name);
        self.annotations.iter().find(of_name).map(|(_, value)| value)
    }
}

/// Who may lead to Services of another namespace.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) meta: Meta,
}

/// A setting of ingress-nginx.
#[derive(Debug)]
pub(super) struct Annotation {
    pub(super) file: FileId,
    pub(super) name: Box<str>,
    pub(super) value: Word,
}

/// A `ConfigMap`.
#[derive(Debug)]
pub(super) struct Map {
    pub(super) meta: Meta,
    /// Its keys, and where in the file the text of each is found.
    pub(super) keys: Vec<(Box<str>, Box<str>)>,
    /// Short values, which may be variables, sorted by their keys.
    pub(super) values: Vec<(Box<str>, Word)>,
}

impl Map {
    /// The value of a key, if it is a short one.
    pub(super) fn value(&self, key: &str) -> Option<&Word> {
        let at = self.values.partition_point(|(name, _)| **name < *key);
        self.values.get(at).filter(|(name, _)| **name == *key).map(|(_, value)| value)
    }
}

/// An image that skaffold builds.
#[derive(Debug)]
pub(super) struct Artifact {
    pub(super) file: FileId,
    pub(super) image: Word,
    pub(super) context: Option<Word>,
    pub(super) dockerfile: Option<Word>,
    /// Whether more is said of how it is built than is read here.
    pub(super) unclear: bool,
}

/// Longest value of a `ConfigMap` that is taken for a variable's.
const MAX_VALUE: usize = 256;

/// All objects of one kind each.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) pods: Vec<Pods>,
    pub(super) services: Vec<Service>,
    pub(super) backends: Vec<Backend>,
    pub(super) grants: Vec<Grant>,
    pub(super) settings: Vec<Annotation>,
    pub(super) maps: Vec<Map>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) ingresses: Vec<Ingress>,
    /// Classes of Ingress objects, and who is their controller.
    pub(super) classes: Vec<(Word, Word)>,
    /// Hosts of Ingress objects whose paths stand in a rule of their own.
    pub(super) hosts: Vec<(Meta, Word)>,
    /// Times of routes of Gateways: for the whole request, and for one try.
    pub(super) timeouts: Vec<(Word, Word)>,
    /// Where the settings of ingress-nginx itself are.
    pub(super) controller: Option<FileId>,
    /// Whether a controller is told to read annotations with another prefix.
    pub(super) own_prefix: bool,
    pub(super) policies: Vec<super::policies::Policy>,
    /// Objects from which a controller may make others.
    pub(super) makers: Vec<Meta>,
}

/// How much has been read.
#[derive(Clone, Copy)]
pub(super) struct Mark([usize; 6]);

impl Objects {
    /// What has been read so far.
    pub(super) fn mark(&self) -> Mark {
        Mark([
            self.pods.len(),
            self.services.len(),
            self.backends.len(),
            self.grants.len(),
            self.settings.len(),
            self.makers.len(),
        ])
    }

    /// All words that were read since.
    pub(super) fn words_since(&mut self, Mark(from): Mark) -> impl Iterator<Item = &mut Word> {
        fn of(meta: &mut Meta) -> impl Iterator<Item = &mut Word> {
            std::iter::once(&mut meta.name).chain(&mut meta.namespace)
        }
        let pods = self.pods.iter_mut().skip(from[0]).flat_map(|pods| {
            let ports = pods.ports.iter_mut().flat_map(|(name, number)| name.iter_mut().chain(number));
            of(&mut pods.meta).chain(pods.labels.iter_mut().map(|(_, word)| word)).chain(ports)
        });
        let services = self.services.iter_mut().skip(from[1]).flat_map(|service| {
            let ports = service.ports.iter_mut().flat_map(|port| {
                port.name.iter_mut().chain([&mut port.port]).chain(&mut port.target).chain(&mut port.node)
            });
            of(&mut service.meta).chain(service.selector.iter_mut().map(|(_, word)| word)).chain(ports)
        });
        let backends = self.backends.iter_mut().skip(from[2]).flat_map(|backend| {
            of(&mut backend.meta).chain([&mut backend.service]).chain(&mut backend.namespace).chain(&mut backend.port)
        });
        let grants = self.grants.iter_mut().skip(from[3]).flat_map(|grant| of(&mut grant.meta));
        let settings = self.settings.iter_mut().skip(from[4]).map(|setting| &mut setting.value);
        let makers = self.makers.iter_mut().skip(from[5]).flat_map(of);
        pods.chain(services).chain(backends).chain(grants).chain(settings).chain(makers)
    }
}

/// API groups whose objects bring forth neither Services nor pods, beside those that are read here.
const QUIET: &[&str] = &[
    "",
    "apps",
    "batch",
    "extensions",
    "autoscaling",
    "policy",
    "rbac.authorization.k8s.io",
    "networking.k8s.io",
    "gateway.networking.k8s.io",
    "storage.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "admissionregistration.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "certificates.k8s.io",
    "discovery.k8s.io",
    "node.k8s.io",
    "kustomize.config.k8s.io",
    "cert-manager.io",
    "networking.istio.io",
    "security.istio.io",
    "external-secrets.io",
    "bitnami.com",
];

/// Kinds of other groups that bring forth neither.
const QUIET_KINDS: &[&str] = &["ServiceMonitor", "PodMonitor", "PrometheusRule", "Middleware", "ScaledObject"];

/// The group of an `apiVersion`.
fn group(version: &str) -> &str {
    version.rsplit_once('/').map_or("", |(group, _)| group)
}

/// Reads one object, and the items of a list.
pub(super) fn read(object: View<'_>, file: FileId, into: &mut Objects, config_map: &mut dyn FnMut(View<'_>)) {
    let word = |key: &str| object.get(key).and_then(View::text).unwrap_or_default();
    let (kind, group) = (word("kind"), group(word("apiVersion")));
    if kind.ends_with("List") && object.get("items").is_some_and(View::is_sequence) {
        for item in object.get("items").into_iter().flat_map(View::items) {
            // A list within a list is none of Kubernetes.
            if !item.get("kind").and_then(View::text).is_some_and(|kind| kind.ends_with("List")) {
                read(item, file, into, config_map);
            }
        }
        return;
    }
    if kind == "Config" && group == "skaffold" {
        artifacts(object, file, into);
        return;
    }
    let Some(meta) = meta(object, file) else { return };
    let spec = object.get("spec");
    // Copied from a cluster, where a controller had made it: that one makes others, too.
    if object.get("metadata").and_then(|meta| meta.get("ownerReferences")).is_some_and(View::is_sequence) {
        into.makers.push(Meta { file, name: meta.name.clone(), namespace: meta.namespace.clone() });
    }
    match (group, kind) {
        ("", "Service") => into.services.extend(service(meta, spec, file)),
        ("", "Pod") => into.pods.extend(pods(meta, kind, None, Some(object), file)),
        ("apps" | "extensions", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("", "ReplicationController")
        | ("batch", "Job") => {
            into.pods.extend(pods(meta, kind, spec, spec.and_then(|spec| spec.get("template")), file))
        }
        ("batch", "CronJob") => {
            let template = spec.and_then(|spec| spec.get("jobTemplate")?.get("spec")?.get("template"));
            into.pods.extend(pods(meta, kind, None, template, file));
        }
        ("networking.k8s.io", "NetworkPolicy") => {
            into.policies.extend(spec.and_then(|spec| super::policies::read(meta, spec, file)));
        }
        ("networking.k8s.io", "IngressClass") => {
            let controller = spec.and_then(|spec| Word::read(spec.get("controller")?, file));
            into.classes.extend(controller.map(|controller| (meta.name, controller)));
        }
        ("networking.k8s.io" | "extensions", "Ingress") => {
            let all = labels(object.get("metadata").and_then(|meta| meta.get("annotations")), file);
            let class = spec.and_then(|spec| Word::read(spec.get("ingressClassName")?, file));
            let old =
                || all.iter().find(|(key, _)| &**key == "kubernetes.io/ingress.class").map(|(_, word)| word.clone());
            let class = class.or_else(old);
            into.ingresses.push(Ingress { meta, class, annotations: all });
            annotations(object, file, into);
            ingress(object, spec, file, into);
        }
        ("gateway.networking.k8s.io", "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute") => {
            route(object, kind, spec, file, into);
        }
        ("gateway.networking.k8s.io", "ReferenceGrant") => into.grants.push(Grant { meta }),
        ("", "ConfigMap") => {
            controller(object, file, into);
            config_map(object);
            into.maps.push(map(meta, object, file));
        }
        (group, kind) => {
            if !QUIET.contains(&group) && !QUIET_KINDS.contains(&kind) {
                into.makers.push(meta);
            }
        }
    }
}

fn meta(object: View<'_>, file: FileId) -> Option<Meta> {
    let meta = object.get("metadata")?;
    let name = Word::read(meta.get("name").or_else(|| meta.get("generateName"))?, file)?;
    Some(Meta { file, name, namespace: meta.get("namespace").and_then(|view| Word::read(view, file)) })
}

pub(super) fn labels(view: Option<View<'_>>, file: FileId) -> Vec<(Box<str>, Word)> {
    let entries = view.map(View::entries).unwrap_or_default();
    entries.into_iter().filter_map(|(key, value)| Some((key.text()?.into(), Word::read(value, file)?))).collect()
}

fn service(meta: Meta, spec: Option<View<'_>>, file: FileId) -> Option<Service> {
    let spec = spec?;
    let word = |key: &str| spec.get(key).and_then(|view| Word::read(view, file));
    let ports = spec.get("ports").into_iter().flat_map(View::items).filter_map(|port| {
        let word = |key: &str| port.get(key).and_then(|view| Word::read(view, file));
        Some(ServicePort {
            name: word("name"),
            port: word("port")?,
            target: word("targetPort"),
            node: word("nodePort"),
            app_protocol: word("appProtocol"),
            tcp: word("protocol").is_none_or(|protocol| &*protocol.text == "TCP"),
        })
    });
    Some(Service {
        meta,
        selector: labels(spec.get("selector"), file),
        selector_site: spec.get("selector").map(|view| site(view, file)),
        ports: ports.collect(),
        external: spec.get("type").and_then(View::text) == Some("ExternalName"),
        headless: word("clusterIP").filter(|word| &*word.text == "None").map(|word| word.site),
        unclear: ["type", "clusterIP"].iter().filter_map(|key| word(key)).any(|word| word.known().is_none()),
    })
}

fn ingress(object: View<'_>, spec: Option<View<'_>>, file: FileId, into: &mut Objects) {
    let Some(spec) = spec else { return };
    let of = into.ingresses.len().checked_sub(1);
    let mut backends: Vec<View<'_>> = ["defaultBackend", "backend"].iter().filter_map(|key| spec.get(key)).collect();
    // Paths in a rule of their own, which somebody meant for the host above it. A host without paths alone may be there for
    // its certificate, or have its paths from other objects.
    let rules = || spec.get("rules").into_iter().flat_map(View::items);
    let alone = backends.is_empty() && rules().any(|rule| rule.get("host").is_none() && rule.get("http").is_some());
    for rule in rules() {
        if alone
            && rule.get("http").is_none()
            && let Some(host) = rule.get("host").and_then(|host| Word::read(host, file))
            && let Some(meta) = meta(object, file)
        {
            into.hosts.push((meta, host));
        }
        let paths = rule.get("http").and_then(|http| http.get("paths"));
        backends.extend(paths.into_iter().flat_map(View::items).filter_map(|path| path.get("backend")));
    }
    for backend in backends {
        // Up to `v1beta1` the two stand side by side.
        let (service, port) = match backend.get("service") {
            Some(service) => {
                let port = service.get("port");
                (service.get("name"), port.and_then(|port| port.get("number").or_else(|| port.get("name"))))
            }
            None => (backend.get("serviceName"), backend.get("servicePort")),
        };
        let Some(service) = service.and_then(|view| Word::read(view, file)) else { continue };
        let port = port.and_then(|view| Word::read(view, file));
        // The AWS controller reads an action from its annotations here.
        if port.as_ref().is_some_and(|port| &*port.text == "use-annotation") {
            continue;
        }
        let Some(meta) = meta(object, file) else { return };
        into.backends.push(Backend {
            meta,
            kind: "Ingress".into(),
            gateway: false,
            service,
            namespace: None,
            port,
            of,
        });
    }
}

fn route(object: View<'_>, kind: &str, spec: Option<View<'_>>, file: FileId, into: &mut Objects) {
    for rule in spec.and_then(|spec| spec.get("rules")).into_iter().flat_map(View::items) {
        let time = |key: &str| rule.get("timeouts").and_then(|times| Word::read(times.get(key)?, file));
        into.timeouts.extend(time("request").zip(time("backendRequest")));
        for to in rule.get("backendRefs").into_iter().flat_map(View::items) {
            let text = |key: &str| to.get(key).and_then(View::text).unwrap_or_default();
            // One that gets no requests may be missing.
            if !matches!(text("kind"), "" | "Service") || !text("group").is_empty() || text("weight") == "0" {
                continue;
            }
            let word = |key: &str| to.get(key).and_then(|view| Word::read(view, file));
            let (Some(service), Some(meta)) = (word("name"), meta(object, file)) else { continue };
            let (namespace, port) = (word("namespace"), word("port"));
            into.backends.push(Backend { meta, kind: kind.into(), gateway: true, service, namespace, port, of: None });
        }
    }
}

fn annotations(object: View<'_>, file: FileId, into: &mut Objects) {
    let annotations = object.get("metadata").and_then(|meta| meta.get("annotations"));
    for (name, value) in labels(annotations, file) {
        if name.starts_with(crate::defaults::ingress_nginx::PREFIX) {
            into.settings.push(Annotation { file, name, value });
        }
    }
}

/// The settings of ingress-nginx itself: its `ConfigMap` bears the name that its own manifests and chart give it.
fn controller(object: View<'_>, file: FileId, into: &mut Objects) {
    let meta = object.get("metadata");
    let named = meta.and_then(|meta| meta.get("name")?.text()) == Some("ingress-nginx-controller");
    let label = meta.and_then(|meta| meta.get("labels")?.get("app.kubernetes.io/name")?.text());
    if named && label.is_none_or(|label| label == "ingress-nginx") {
        into.controller = Some(file);
        for (name, value) in labels(object.get("data"), file) {
            into.settings.push(Annotation { file, name, value });
        }
    }
}

fn map(meta: Meta, object: View<'_>, file: FileId) -> Map {
    let data = object.get("data").map(View::entries).unwrap_or_default();
    let keys = data.iter().filter_map(|(key, _)| key.text()).map(|key| (key.into(), inner(object, key)));
    let short = data.iter().filter(|(_, value)| value.text().is_some_and(|text| text.len() <= MAX_VALUE));
    let values = short.filter_map(|(key, value)| Some((key.text()?.into(), Word::read(*value, file)?)));
    let mut values: Vec<(Box<str>, Word)> = values.collect();
    values.sort_by(|(one, _), (other, _)| one.cmp(other));
    Map { meta, keys: keys.collect(), values }
}

/// Where a key's text is found below the path of its file, which has no such folder.
pub(super) fn inner(map: View<'_>, key: &str) -> Box<str> {
    format!("{}/{}", map.at().start, key.replace('/', "_")).into()
}

fn artifacts(object: View<'_>, file: FileId, into: &mut Objects) {
    for one in object.get("build").and_then(|build| build.get("artifacts")).into_iter().flat_map(View::items) {
        let word = |view: View<'_>, key: &str| view.get(key).and_then(|view| Word::read(view, file));
        let docker = one.get("docker");
        let Some(image) = word(one, "image") else { continue };
        let other = one.entries().iter().any(|(key, _)| !matches!(key.text(), Some("image" | "context" | "docker")));
        let target = docker.is_some_and(|docker| docker.get("target").is_some() || docker.get("buildArgs").is_some());
        let dockerfile = docker.and_then(|docker| word(docker, "dockerfile"));
        into.artifacts.push(Artifact {
            file,
            image,
            context: word(one, "context"),
            dockerfile,
            unclear: other || target,
        });
    }
}

impl ServicePort {
    /// Whether a word is its target, its own when none is written.
    pub(super) fn leads_to(&self, word: &str) -> bool {
        self.target.as_ref().is_some_and(|target| &*target.text == word)
    }
}
