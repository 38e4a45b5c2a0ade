//! What annotations of an Ingress say of how its Service is asked, beside what the Service says of itself; and
//! annotations that no controller of the repository reads.

use super::objects::{Backend, Ingress, Service, ServicePort, Word};
use super::pods::{Container, Pods, Probe};
use super::scope::Namespace;
use super::{Cluster, Told};
use crate::defaults::ingress_nginx::{LEGACY, NGINX_ORG, PREFIX, is_known};
use crate::source::{Site, clean};
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect};
use crate::value::parse_duration;
use std::collections::HashMap;

pub(super) fn look(cluster: &Cluster<'_, '_>, told: &mut Told<'_>) {
    let mut services: HashMap<(Namespace, &str), Vec<&Service>> = HashMap::new();
    for service in &cluster.objects.services {
        if let Some(namespace) = cluster.namespace(&service.meta) {
            services.entry((namespace, &service.meta.name.text)).or_default().push(service);
        }
    }
    for ingress in &cluster.objects.ingresses {
        family(cluster, ingress, told);
    }
    let asked: Vec<Option<Asked<'_>>> =
        cluster.objects.ingresses.iter().map(|ingress| Asked::of(cluster, ingress)).collect();
    // Of pods that are probed over TLS a namespace has few.
    let has_tls = |pods: &&Pods| pods.containers.iter().any(|one| probes(one).any(|probe| probe.tls.is_some()));
    let mut tls_probes: HashMap<Namespace, Vec<&Pods>> = HashMap::new();
    for pods in cluster.objects.pods.iter().filter(has_tls) {
        if let Some(namespace) = cluster.namespace(&pods.meta) {
            tls_probes.entry(namespace).or_default().push(pods);
        }
    }
    let mut replaced = std::collections::HashSet::new();
    for backend in &cluster.objects.backends {
        let Some(number) = backend.of else { continue };
        let Some(Some(asked)) = asked.get(number) else { continue };
        if let Some(old) = asked.secure.filter(|_| asked.protocol.is_none()) {
            if replaced.insert(number) {
                secure_backends(backend, old, told);
            }
            continue;
        }
        let Some(namespace) = cluster.namespace(&backend.meta) else { continue };
        let Some([service]) = services.get(&(namespace.clone(), &*backend.service.text)).map(Vec::as_slice) else {
            continue;
        };
        if cluster.is_open(&backend.meta, &namespace) || cluster.is_open(&service.meta, &namespace) || service.external
        {
            continue;
        }
        if let Some(port) = port_of(backend, service) {
            let probed = tls_probes.get(&namespace).into_iter().flatten().take(MAX_LOGINS);
            let of_probe = probed.filter_map(|pods| probed_with_tls(service, port, pods)).next();
            protocol(asked.protocol, backend, service, (port, of_probe), told);
        }
    }
    for (request, one) in &cluster.objects.timeouts {
        ladder(request, one, told);
    }
}

/// What an Ingress says of how its Services are asked, looked up once for all that it leads to.
struct Asked<'o> {
    protocol: Option<&'o Word>,
    /// An annotation that is not read any more.
    secure: Option<&'o Word>,
}

impl<'o> Asked<'o> {
    /// `None` where another controller than ingress-nginx reads it.
    fn of(cluster: &Cluster<'_, '_>, ingress: &'o Ingress) -> Option<Self> {
        is_nginx(cluster, ingress).then(|| Self {
            protocol: ingress.annotation("backend-protocol"),
            secure: ingress.annotation("secure-backends").filter(|word| &*word.text == "true"),
        })
    }
}

/// Whether ingress-nginx reads the annotations of an Ingress, by what the Ingress itself or its class says.
fn is_nginx(cluster: &Cluster<'_, '_>, ingress: &Ingress) -> bool {
    if ingress.annotations.iter().any(|(key, _)| key.starts_with(NGINX_ORG)) {
        return false;
    }
    match controller(cluster, ingress) {
        Some(controller) => controller == "k8s.io/ingress-nginx",
        None => {
            ingress.annotations.iter().any(|(key, _)| key.starts_with(PREFIX))
                && ingress.class.as_ref().is_none_or(|class| class.text.contains("nginx"))
        }
    }
}

/// What the objects of the repository say of who reads the Ingress objects of a class.
pub(super) fn controllers(classes: &[(Word, Word)]) -> HashMap<Box<str>, Option<Box<str>>> {
    let mut found: HashMap<Box<str>, Option<Box<str>>> = HashMap::new();
    for (name, controller) in classes {
        let Some(name) = name.known() else { continue };
        let controller = controller.known().map(Box::from);
        let same = |known: &mut Option<Box<str>>| {
            if *known != controller {
                *known = None;
            }
        };
        found.entry(name.into()).and_modify(same).or_insert_with(|| controller.clone());
    }
    found
}

/// The controller that an object of the repository names for the class of an Ingress.
fn controller<'c>(cluster: &'c Cluster<'_, '_>, ingress: &Ingress) -> Option<&'c str> {
    cluster.controllers.get(ingress.class.as_ref()?.known()?)?.as_deref()
}

/// Annotations of another controller, and of an old prefix.
fn family(cluster: &Cluster<'_, '_>, ingress: &Ingress, told: &mut Told<'_>) {
    let own = match controller(cluster, ingress) {
        Some("k8s.io/ingress-nginx") => Some(PREFIX),
        Some("nginx.org/ingress-controller") => Some(NGINX_ORG),
        Some(_) => Some(""),
        None => None,
    };
    for (key, value) in &ingress.annotations {
        let family = [PREFIX, NGINX_ORG].into_iter().find(|family| key.starts_with(family));
        if let (Some(family), Some(own)) = (family, own)
            && family != own
        {
            let Some((class, site)) = ingress.class.as_ref().map(|class| (clean(&class.text), class.site)) else {
                continue;
            };
            told.fault(FaultKind::Misplaced, ingress.meta.file, |kind, proxy| {
                let message =
                    format!("`{}` is not read: the controller of the class `{class}` is another one", clean(key));
                Fault::new(kind, proxy, (value.site, "nobody reads this".to_owned()), message)
                    .other(site, format!("the class `{class}`"))
                    .why("Each controller reads the annotations of its own family, and says nothing of others.")
                    .effect(LoadEffect::Ignored)
                    .help(match own {
                        "" => "write what this controller has for it".to_owned(),
                        own => format!("write the annotation of `{own}` for it"),
                    })
                    .weight(FaultWeight::MayFail, false)
            });
            return;
        }
        let old = key.strip_prefix(LEGACY).filter(|name| is_known(name));
        if let Some(name) = old.filter(|_| !cluster.objects.own_prefix && is_class_nginx(cluster, ingress)) {
            told.fault(FaultKind::Misplaced, ingress.meta.file, |kind, proxy| {
                let message = format!("`{}` is not read: ingress-nginx reads `{PREFIX}{}`", clean(key), clean(name));
                Fault::new(kind, proxy, (value.site, "nobody reads this".to_owned()), message)
                    .why("The prefix was changed with release 0.9; annotations with the old one are passed over without a word.")
                    .effect(LoadEffect::Ignored)
                    .help(format!("write `{PREFIX}{}`", clean(name)))
                    .weight(FaultWeight::MayFail, false)
            });
        }
    }
}

fn is_class_nginx(cluster: &Cluster<'_, '_>, ingress: &Ingress) -> bool {
    match controller(cluster, ingress) {
        Some(controller) => controller == "k8s.io/ingress-nginx",
        None => ingress.class.as_ref().is_some_and(|class| &*class.text == "nginx"),
    }
}

fn secure_backends(backend: &Backend, old: &Word, told: &mut Told<'_>) {
    told.fault(FaultKind::PlainToTls, backend.meta.file, |kind, proxy| {
        let label = "not read any more".to_owned();
        let message = "`secure-backends` is not read: ingress-nginx speaks plain HTTP to a Service that expects TLS";
        Fault::new(kind, proxy, (old.site, label), message)
            .why("ingress-nginx 0.21 replaced this annotation by `backend-protocol`, whose default is HTTP.")
            .help(format!("write `{PREFIX}backend-protocol: HTTPS`"))
    });
}

/// The port of the Service that a backend asks for.
fn port_of<'s>(backend: &Backend, service: &'s Service) -> Option<&'s ServicePort> {
    let word = backend.port.as_ref()?.known()?;
    service
        .ports
        .iter()
        .find(|port| &*port.port.text == word || port.name.as_ref().is_some_and(|name| &*name.text == word))
}

/// What a Service says of what its port speaks, and where.
enum Says<'s> {
    Tls(&'s Word),
    Plain(&'s Word),
    Grpc(&'s Word),
}

fn says(port: &ServicePort) -> Option<Says<'_>> {
    if let Some(word) = &port.app_protocol {
        return match &*word.text.to_ascii_lowercase() {
            "https" | "kubernetes.io/wss" => Some(Says::Tls(word)),
            "http" => Some(Says::Plain(word)),
            "grpc" | "kubernetes.io/h2c" => Some(Says::Grpc(word)),
            _ => None,
        };
    }
    let name = port.name.as_ref()?;
    let number = port.target.as_ref().unwrap_or(&port.port);
    let lower = name.text.to_ascii_lowercase();
    // A name alone is often given in haste: the port in the pods must say the same.
    match &*number.text {
        "443" | "8443" | "9443" | "https" if lower.starts_with("https") => Some(Says::Tls(name)),
        "80" | "8080" | "http" if lower == "http" => Some(Says::Plain(name)),
        _ if lower == "grpc" || lower.starts_with("grpc-") => Some(Says::Grpc(name)),
        _ => None,
    }
}

fn probes(container: &Container) -> impl Iterator<Item = &Probe> {
    container.readiness.iter().chain(&container.others)
}

/// Where a probe of the pods behind a Service asks one of its ports over TLS: kubelet would restart a pod, or never send it
/// requests, if it spoke anything else there.
fn probed_with_tls(service: &Service, port: &ServicePort, pods: &Pods) -> Option<Site> {
    if service.selector.is_empty() || !super::selectors::selects(service, pods) {
        return None;
    }
    let target = port.target.as_ref().unwrap_or(&port.port).known()?;
    let number = |word: &str| {
        let named = pods.ports.iter().find(|(name, _)| name.as_ref().is_some_and(|name| &*name.text == word));
        named.and_then(|(_, number)| number.as_ref()?.known().map(str::to_owned)).unwrap_or_else(|| word.to_owned())
    };
    let asked = number(target);
    let mut all = pods.containers.iter().flat_map(probes);
    all.find_map(|probe| {
        probe.tls.filter(|_| probe.port.as_ref().and_then(Word::known).is_some_and(|at| number(at) == asked))
    })
}

fn protocol(
    written: Option<&Word>,
    backend: &Backend,
    service: &Service,
    (port, of_probe): (&ServicePort, Option<Site>),
    told: &mut Told<'_>,
) {
    let spoken = match written {
        None => "HTTP".to_owned(),
        Some(word) => match word.known() {
            Some(word) => word.to_ascii_uppercase(),
            None => return,
        },
    };
    let name = clean(&service.meta.name.text).into_owned();
    let at = written.map_or(backend.service.site, |word| word.site);
    if let ("HTTP", Some(probe)) = (&*spoken, of_probe) {
        told.fault(FaultKind::PlainToTls, backend.meta.file, |kind, proxy| {
            let label = match written {
                Some(_) => format!("{spoken} is spoken to it"),
                None => "without `backend-protocol`, HTTP/1.1 is spoken to it".to_owned(),
            };
            let message = format!("plain HTTP is spoken to the Service `{name}`, whose pods speak TLS on that port");
            Fault::new(kind, proxy, (at, label), message)
                .other(probe, "a probe asks that port over TLS")
                .help(format!("write `{PREFIX}backend-protocol: HTTPS`"))
                .weight(FaultWeight::MayFail, false)
        });
        return;
    }
    let (kind, word, message, instead) = match (&*spoken, says(port)) {
        ("HTTP", Some(Says::Tls(word))) => (
            FaultKind::PlainToTls,
            word,
            format!("plain HTTP is spoken to the Service `{name}`, whose port says that it speaks TLS"),
            "HTTPS",
        ),
        ("HTTP", Some(Says::Grpc(word))) => (
            FaultKind::WrongProtocol,
            word,
            format!("HTTP/1.1 is spoken to the Service `{name}`, whose port says that it speaks gRPC"),
            "GRPC",
        ),
        ("HTTPS" | "GRPCS", Some(Says::Plain(word))) => (
            FaultKind::TlsToPlain,
            word,
            format!("TLS is spoken to the Service `{name}`, whose port says that it speaks plain HTTP"),
            "HTTP",
        ),
        _ => return,
    };
    told.fault(kind, backend.meta.file, |kind, proxy| {
        let label = match written {
            Some(_) => format!("{spoken} is spoken to it"),
            None => "without `backend-protocol`, HTTP/1.1 is spoken to it".to_owned(),
        };
        Fault::new(kind, proxy, (at, label), message)
            .other(word.site, "the port says this of itself")
            .help(format!("write `{PREFIX}backend-protocol: {instead}`, if the port says the truth"))
            .weight(FaultWeight::MayFail, false)
    });
}

/// The time for one try of a route of a Gateway, above that for the whole request.
fn ladder(request: &Word, one: &Word, told: &mut Told<'_>) {
    let time = |word: &Word| word.known().and_then(parse_duration);
    let (Some(all), Some(each)) = (time(request), time(one)) else { return };
    if all.is_zero() || each <= all {
        return;
    }
    told.fault(FaultKind::LadderInverted, one.site.span.file, |kind, proxy| {
        let message = format!(
            "one try may take {}, and the whole request only {}: the route is refused",
            clean(&one.text),
            clean(&request.text)
        );
        Fault::new(kind, proxy, (one.site, "longer than the request".to_owned()), message)
            .other(request.site, "the whole request")
            .help("write a time for one try that is not above that for the request")
            .weight(FaultWeight::MayFail, true)
    });
}

/// Settings of an Ingress that its controller reads only when it is told to.
pub(super) fn snippets(cluster: &Cluster<'_, '_>, told: &mut Told<'_>) {
    let objects = &cluster.objects;
    let Some(file) = objects.controller else { return };
    let allowed =
        objects.settings.iter().any(|one| &*one.name == "allow-snippet-annotations" && &*one.value.text != "false");
    if allowed || cluster.scopes.is_open(file, cluster.files) {
        return;
    }
    for ingress in objects.ingresses.iter().filter(|ingress| is_nginx(cluster, ingress)) {
        let snippet = ["configuration-snippet", "server-snippet"].iter().find_map(|name| ingress.annotation(name));
        let matters = |text: &str| ["timeout", "buffer", "next_upstream"].iter().any(|word| text.contains(word));
        let Some(snippet) = snippet.filter(|snippet| matters(&snippet.text)) else { continue };
        told.fault(FaultKind::Misplaced, ingress.meta.file, |kind, proxy| {
            let message = "this snippet is refused or passed over: the controller's `ConfigMap` does not allow snippets";
            Fault::new(kind, proxy, (snippet.site, "not read".to_owned()), message)
                .why("ingress-nginx reads snippets only with `allow-snippet-annotations: \"true\"`; the default is false.")
                .effect(LoadEffect::Ignored)
                .help("write the timeouts and buffers as annotations of their own, or allow snippets")
                .weight(FaultWeight::Remark, false)
        });
    }
}

/// Programs that send long headers with a login.
const LOGINS: [&str; 4] = ["oauth2-proxy", "keycloak", "authelia", "authentik"];

/// Of how many groups of pods that run one of them it is found out which Service leads to them.
const MAX_LOGINS: usize = 200;

/// An Ingress before a program that sends long headers with a login.
pub(super) fn logins(cluster: &Cluster<'_, '_>, told: &mut Told<'_>) {
    let objects = &cluster.objects;
    if objects.settings.iter().any(|one| &*one.name == "proxy-buffer-size") {
        return;
    }
    for ingress in objects.ingresses.iter().filter(|ingress| ingress.annotation("proxy-buffer-size").is_none()) {
        let Some(auth) = ingress.annotation("auth-url").filter(|word| word.text.contains("oauth2")) else { continue };
        if !is_nginx(cluster, ingress) {
            continue;
        }
        told.fault(FaultKind::SmallBuffer, ingress.meta.file, |kind, proxy| {
            let message = "the answer to a login may not fit: ingress-nginx takes headers of up to 4 KiB, those of `auth-url`, too";
            Fault::new(kind, proxy, (auth.site, "sends tokens and cookies in its answer".to_owned()), message)
                .help(format!("write `{PREFIX}proxy-buffer-size: 16k`"))
                .weight(FaultWeight::Remark, false)
        });
    }
    let with_login = objects.pods.iter().filter_map(|pods| {
        let image = pods.containers.iter().find_map(|one| {
            let image = one.image.as_ref()?;
            LOGINS.iter().find(|login| image.text.contains(**login)).map(|login| (*login, image.site))
        })?;
        let namespace = cluster.namespace(&pods.meta)?;
        (!cluster.is_open(&pods.meta, &namespace)).then_some((pods, namespace, image))
    });
    let with_login: Vec<_> = with_login.take(MAX_LOGINS).collect();
    if with_login.is_empty() {
        return;
    }
    let mut services: HashMap<&str, Vec<&Service>> = HashMap::new();
    for service in objects.services.iter().filter(|service| !service.selector.is_empty()) {
        services.entry(&service.meta.name.text).or_default().push(service);
    }
    let takes_small =
        |ingress: &Ingress| ingress.annotation("proxy-buffer-size").is_none() && is_nginx(cluster, ingress);
    let small: Vec<bool> = objects.ingresses.iter().map(takes_small).collect();
    let mut seen = std::collections::HashSet::new();
    for backend in &objects.backends {
        let Some(number) = backend.of.filter(|&number| small.get(number) == Some(&true)) else { continue };
        if !seen.insert((number, &backend.service.text)) {
            continue;
        }
        let Some(namespace) = cluster.namespace(&backend.meta) else { continue };
        let of_name = services.get(&*backend.service.text).map_or(&[][..], Vec::as_slice);
        let here = |service: &&&Service| cluster.namespace(&service.meta).as_ref() == Some(&namespace);
        let Some(service) = of_name.iter().take(MAX_LOGINS).find(here) else { continue };
        let behind = |pods: &Pods| super::selectors::selects(service, pods);
        let login = with_login.iter().find(|(pods, at, _)| *at == namespace && behind(pods));
        let Some(&(_, _, (login, site))) = login else { continue };
        told.fault(FaultKind::SmallBuffer, backend.meta.file, |kind, proxy| {
            let message =
                format!("the answer to a login of {login} may not fit: ingress-nginx takes headers of up to 4 KiB");
            Fault::new(kind, proxy, (backend.service.site, "no `proxy-buffer-size` for this".to_owned()), message)
                .other(site, "sends its session in cookies")
                .help(format!("write `{PREFIX}proxy-buffer-size: 16k`"))
                .weight(FaultWeight::Remark, false)
        });
    }
}
