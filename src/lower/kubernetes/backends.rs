//! What Ingress objects and routes of Gateways lead to.

use super::objects::{Backend, Service, Word};
use super::scope::Namespace;
use super::{Cluster, Told, place};
use crate::files::folder;
use crate::source::{Site, clean};
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect};
use std::collections::{HashMap, HashSet};

pub(super) fn look(cluster: &Cluster<'_, '_>, told: &mut Told<'_>) {
    for (meta, host) in cluster.objects.hosts.iter().take(1000) {
        let Some(name) = host.known().filter(|_| !told.charts.contains(&meta.file)) else { continue };
        told.fault(FaultKind::DanglingRoute, meta.file, |kind, proxy| {
            let message = format!("the paths below do not belong to `{}`: its requests lead nowhere", clean(name));
            Fault::new(kind, proxy, (host.site, "no `http` belongs to this host".to_owned()), message)
                .why("A `-` before `http` begins another rule, which holds for hosts without a rule. The host has one, without paths: its requests go to the default backend, and there is none here.")
                .effect(LoadEffect::Status(503))
                .help("write `http` into the same rule: without a `-` before it, at the indentation of `host`")
                .weight(FaultWeight::MayFail, false)
        });
    }
    let mut by_name: HashMap<&str, Vec<(&Service, Option<Namespace>)>> = HashMap::new();
    let mut by_namespace: HashMap<Namespace, Vec<&Service>> = HashMap::new();
    for service in &cluster.objects.services {
        let namespace = cluster.namespace(&service.meta);
        if let Some(namespace) = &namespace {
            by_namespace.entry(namespace.clone()).or_default().push(service);
        }
        by_name.entry(&service.meta.name.text).or_default().push((service, namespace));
    }
    let grants: HashSet<Option<Namespace>> =
        cluster.objects.grants.iter().map(|grant| cluster.namespace(&grant.meta)).collect();
    // Where no namespace is written, it is decided when the objects are applied: that may be any.
    let any = grants.iter().any(|at| !matches!(at, Some(Namespace::Named(_))));
    for backend in &cluster.objects.backends {
        let (Some(name), Some(own)) = (backend.service.name(), cluster.namespace(&backend.meta)) else { continue };
        let namespace = match backend.namespace.as_ref().map(Word::known) {
            None => own.clone(),
            Some(Some(other)) => Namespace::Named(other.into()),
            Some(None) => continue,
        };
        let bearers = by_name.get(name).map_or(&[][..], Vec::as_slice);
        let here: Vec<&Service> =
            bearers.iter().filter(|(_, at)| at.as_ref() == Some(&namespace)).map(|&(service, _)| service).collect();
        if here.is_empty() {
            let neighbours = by_namespace.get(&namespace).map_or(&[][..], Vec::as_slice);
            missing(cluster, backend, &namespace, neighbours, bearers, told);
            continue;
        }
        // What patches it, or a template beside it, may say otherwise. Of a chart both are read, and nothing is certain.
        let open = |file| cluster.scopes.is_open(file, cluster.files) && !told.charts.contains(&file);
        if open(backend.meta.file) || here.iter().any(|service| open(service.meta.file)) {
            continue;
        }
        if namespace != own {
            if !any && matches!(own, Namespace::Named(_)) && !grants.contains(&Some(namespace)) {
                not_permitted(backend, &here, told);
            }
            continue;
        }
        if let Some(port) = &backend.port {
            port_missing(backend, port, &here, told);
        }
    }
}

fn effect(backend: &Backend) -> LoadEffect {
    LoadEffect::Status(if backend.gateway { 500 } else { 503 })
}

fn missing(
    cluster: &Cluster<'_, '_>,
    backend: &Backend,
    namespace: &Namespace,
    neighbours: &[&Service],
    bearers: &[(&Service, Option<Namespace>)],
    told: &mut Told<'_>,
) {
    // Another deployment may bring the Service, unless this one brings others, or has it beside the Ingress and for
    // another namespace.
    let beside = || match bearers {
        [(only, _)] => {
            folder(cluster.files.sources.file(only.meta.file).path())
                == folder(cluster.files.sources.file(backend.meta.file).path())
        }
        _ => false,
    };
    if (neighbours.is_empty() && (backend.namespace.is_some() || !beside()))
        || cluster.may_lack(&backend.meta, namespace)
    {
        return;
    }
    // Where no namespace is written, it is decided when the objects are applied.
    let certain_elsewhere =
        |at: &Option<Namespace>| matches!((at, namespace), (Some(Namespace::Named(_)), Namespace::Named(_)));
    if !bearers.iter().all(|(_, at)| certain_elsewhere(at)) {
        return;
    }
    if told.passed_over.has(&backend.meta, cluster.files, &[("kind", "Service"), ("name", &backend.service.text)]) {
        return;
    }
    let name = clean(&backend.service.text).into_owned();
    let other = told.near(&backend.service.text, neighbours.iter().map(|service| &*service.meta.name.text));
    let other = neighbours.iter().find(|service| Some(&*service.meta.name.text) == other);
    told.fault(FaultKind::DanglingRoute, backend.meta.file, |kind, proxy| {
        let place = match &backend.namespace {
            Some(namespace) => format!("in the namespace `{}`", clean(&namespace.text)),
            None => place(&backend.meta),
        };
        let message = format!(
            "this {} leads to the Service `{name}`, and there is none of that name {place}",
            backend.kind
        );
        let mut fault = Fault::new(kind, proxy, (backend.service.site, format!("no Service is called `{name}`")), message)
            .why(if backend.gateway {
                "A route whose Service is not there is accepted, and its requests are answered with 500."
            } else {
                "An Ingress whose Service is not there is accepted, and its requests are answered with 503 (some controllers: 404 or 500)."
            })
            .effect(effect(backend));
        if let Some(other) = other {
            let near = clean(&other.meta.name.text).into_owned();
            fault = fault
                .other(other.meta.name.site, format!("`{near}` is here"))
                .help(format!("write `{near}`, if that is the one that is meant"));
        } else if let Some((elsewhere, _)) = bearers.first() {
            let text = elsewhere.meta.namespace.as_ref().map_or_else(String::new, |word| clean(&word.text).into_owned());
            fault = fault.other(elsewhere.meta.name.site, format!("this one is in the namespace `{text}`"));
            if !backend.gateway {
                fault = fault.help("an Ingress leads to Services of its own namespace only");
            }
        } else if let Some(neighbour) = neighbours.first() {
            fault = fault.other(
                neighbour.meta.name.site,
                format!("of {} Service{} there, one", neighbours.len(), if neighbours.len() == 1 { "" } else { "s" }),
            );
        }
        // A like name may be another service: only one of the same name elsewhere shows what was meant.
        let sure = !bearers.is_empty() && !neighbours.is_empty();
        fault.weight(if sure { FaultWeight::Fails } else { FaultWeight::MayFail }, false)
    });
}

fn not_permitted(backend: &Backend, here: &[&Service], told: &mut Told<'_>) {
    let Some(namespace) = &backend.namespace else { return };
    told.fault(FaultKind::DanglingRoute, backend.meta.file, |kind, proxy| {
        let name = clean(&namespace.text).into_owned();
        let message = format!(
            "this {} leads to a Service of the namespace `{name}`, and no ReferenceGrant there permits that",
            backend.kind
        );
        Fault::new(kind, proxy, (namespace.site, "another namespace than the route's".to_owned()), message)
            .other(here[0].meta.name.site, "the Service".to_owned())
            .why("A route may lead to another namespace only where a ReferenceGrant of that namespace says so; else its requests are answered with 500.")
            .effect(LoadEffect::Status(500))
            .help(format!("add a ReferenceGrant to the namespace `{name}`"))
            .weight(FaultWeight::MayFail, false)
    });
}

/// What somebody meant who wrote a port that the Service does not have.
enum Meant {
    Target(Site),
    Node(Site),
    Nothing,
}

fn port_missing(backend: &Backend, port: &Word, here: &[&Service], told: &mut Told<'_>) {
    let Some(word) = port.known() else { return };
    let fits = |service: &Service| {
        service.ports.is_empty()
            || service.external
            || service.ports.iter().any(|one| {
                one.port.known().is_none()
                    || one.name.as_ref().is_some_and(|name| name.known().is_none())
                    || &*one.port.text == word
                    || (!backend.gateway && one.name.as_ref().is_some_and(|name| &*name.text == word))
            })
    };
    if here.iter().any(|service| fits(service)) {
        return;
    }
    let service = here[0];
    let targeted = service.ports.iter().find(|one| one.leads_to(word));
    let node = service.ports.iter().find(|one| one.node.as_ref().is_some_and(|node| &*node.text == word));
    let (meant, instead) = match (targeted, node) {
        (Some(one), _) => (one.target.as_ref().map_or(Meant::Nothing, |target| Meant::Target(target.site)), Some(one)),
        (None, Some(one)) => (one.node.as_ref().map_or(Meant::Nothing, |node| Meant::Node(node.site)), Some(one)),
        (None, None) => (Meant::Nothing, service.ports.first().filter(|_| service.ports.len() == 1)),
    };
    told.fault(FaultKind::DanglingRoute, backend.meta.file, |kind, proxy| {
        let (name, word) = (clean(&service.meta.name.text), clean(word));
        let message = match meant {
            Meant::Target(_) => format!("`{word}` is the target port of the Service `{name}`, not its port"),
            Meant::Node(_) => format!("`{word}` is the node port of the Service `{name}`, not its port"),
            Meant::Nothing => format!("the Service `{name}` has no port `{word}`"),
        };
        let label = format!("this {} asks for a port of the Service", backend.kind);
        let mut fault = Fault::new(kind, proxy, (port.site, label), message).effect(effect(backend));
        fault = match meant {
            Meant::Target(site) => fault.other(site, "here it is the port of the pods".to_owned()),
            Meant::Node(site) => fault.other(site, "here it is the port of the nodes".to_owned()),
            Meant::Nothing => fault,
        };
        for one in service.ports.iter().take(4) {
            fault = fault.other(one.port.site, "a port of the Service".to_owned());
        }
        if let Some(one) = instead {
            fault = fault.help(format!("write `{}`", clean(&one.port.text)));
        }
        // ingress-nginx takes the target port for the port; others do not.
        let lenient = !backend.gateway && matches!(meant, Meant::Target(_));
        if lenient {
            fault
                .why("ingress-nginx looks for target ports, too, and finds it; other controllers answer 503 or 404.")
                .weight(FaultWeight::MayFail, false)
        } else {
            fault
                .why(if backend.gateway {
                    "A route to a port that the Service does not have is accepted, and its requests are answered with 500."
                } else {
                    "An Ingress with a port that the Service does not have is accepted, and the controller finds nobody to ask."
                })
                .weight(FaultWeight::Fails, true)
        }
    });
}
