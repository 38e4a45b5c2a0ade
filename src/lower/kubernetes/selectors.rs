//! Whether a Service finds pods, and the named ports in them.

use super::objects::{Service, Word};
use super::pods::Pods;
use super::scope::Namespace;
use super::{Cluster, Told, near, place};
use crate::source::clean;
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect};
use std::collections::HashMap;

/// Most pairs of labels that are compared.
pub(super) const MAX_PAIRS: usize = 20_000_000;

pub(super) fn look(cluster: &Cluster<'_, '_>, told: &mut Told<'_>) {
    let mut by_namespace: HashMap<Namespace, (Vec<&Pods>, Labelled<'_>)> = HashMap::new();
    let mut unknown = false;
    for pods in &cluster.objects.pods {
        match cluster.namespace(&pods.meta) {
            Some(namespace) => {
                let (all, labelled) = by_namespace.entry(namespace).or_default();
                labelled.add(all.len(), pods);
                all.push(pods);
            }
            None => unknown = true,
        }
    }
    let labels: usize = cluster.objects.pods.iter().map(|pods| pods.labels.len() + 1).sum();
    let mut pairs = 0;
    for service in &cluster.objects.services {
        let Some(namespace) = cluster.namespace(&service.meta) else { continue };
        let Some((pods, labelled)) = by_namespace.get(&namespace) else { continue };
        if service.selector.is_empty()
            || service.external
            || cluster.is_open(&service.meta, &namespace)
            || service.selector.iter().any(|(key, value)| key.contains("{{") || value.known().is_none())
        {
            continue;
        }
        let candidates = labelled.candidates(&service.selector);
        pairs += (service.selector.len() + 1).saturating_mul(candidates.len() + 1);
        if pairs > MAX_PAIRS {
            return;
        }
        let found: Vec<&Pods> =
            candidates.into_iter().map(|number| pods[number]).filter(|pods| selects(service, pods)).collect();
        if found.is_empty() {
            // Now all of them are looked at, for the one that was meant.
            pairs += (service.selector.len() + 1).saturating_mul(labels);
            // A workload whose own folder is not all known may get labels there.
            let open = |pods: &&Pods| cluster.may_lack(&pods.meta, &namespace);
            let labels: Vec<(&str, &str)> =
                service.selector.iter().map(|(key, value)| (&**key, &*value.text)).collect();
            if !unknown
                && !pods.iter().any(open)
                && !elsewhere(cluster, service, &namespace)
                && !told.passed_over.has(&service.meta, cluster.files, &labels)
            {
                no_pods(service, pods, told);
            }
        } else if !found.iter().any(|pods| cluster.is_open(&pods.meta, &namespace)) {
            pairs += named_pairs(service, &found);
            if pairs > MAX_PAIRS {
                return;
            }
            no_port(service, &found, told);
        }
    }
}

/// Probes of readiness that ask a port by a name which no container of the pod gives to one.
pub(super) fn probes(cluster: &Cluster<'_, '_>, told: &mut Told<'_>) {
    for pods in &cluster.objects.pods {
        let Some(namespace) = cluster.namespace(&pods.meta) else { continue };
        for container in &pods.containers {
            let Some(probe) = &container.readiness else { continue };
            let Some(port) = probe.port.as_ref() else { continue };
            let Some(word) = port.known().filter(|word| word.parse::<u16>().is_err()) else { continue };
            let mut names = pods.ports.iter().filter_map(|(name, _)| name.as_ref());
            if names.any(|name| &*name.text == word || name.known().is_none())
                || cluster.is_open(&pods.meta, &namespace)
                || pods.injected
            {
                continue;
            }
            told.fault(FaultKind::FailingCheck, pods.meta.file, |kind, proxy| {
                let (shown, of) = (clean(word), clean(&pods.meta.name.text));
                let message = format!(
                    "the pods of the {} `{of}` are never ready: the probe asks a port named `{shown}`, and no container has one of that name",
                    pods.kind
                );
                let fault = Fault::new(kind, proxy, (port.site, "no container port has this name".to_owned()), message)
                    .effect(LoadEffect::Status(503))
                    .why("kubelet looks a named port up among the ports of the container; a probe whose port is not there fails each time, and the pod is sent no requests.");
                match pods.ports.iter().find_map(|(_, number)| number.as_ref()) {
                    Some(number) => fault
                        .other(number.site, "a port of these pods")
                        .help(format!("give the container's port the name `{shown}`, or write its number in the probe")),
                    None => fault
                        .other(pods.meta.name.site, "its containers declare no port")
                        .help(format!("declare the container's port with the name `{shown}`, or write its number in the probe")),
                }
            });
        }
    }
}

/// Pods by their labels, so that not every selector is held against all of them.
#[derive(Default)]
pub(super) struct Labelled<'o> {
    /// By label and value.
    with: HashMap<(&'o str, &'o str), Vec<usize>>,
    /// By label, where its value is filled in elsewhere.
    unknown: HashMap<&'o str, Vec<usize>>,
}

impl<'o> Labelled<'o> {
    /// Takes in the next pods, by a number that grows.
    pub(super) fn add(&mut self, number: usize, pods: &'o Pods) {
        for (label, value) in &pods.labels {
            match value.known() {
                Some(known) => self.with.entry((label, known)).or_default().push(number),
                None => self.unknown.entry(label).or_default().push(number),
            }
        }
    }

    /// The pods that may have all of these labels, in order: those with the rarest of them.
    pub(super) fn candidates(&self, wanted: &[(Box<str>, Word)]) -> Vec<usize> {
        let of = wanted.iter().map(|(label, value)| {
            let with = self.with.get(&(&**label, &*value.text)).map_or(&[][..], Vec::as_slice);
            (with, self.unknown.get(&**label).map_or(&[][..], Vec::as_slice))
        });
        let rarest = of.min_by_key(|(with, unknown)| with.len() + unknown.len());
        let mut found = rarest.map(|(with, unknown)| [with, unknown].concat()).unwrap_or_default();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// How many names are compared to find the ports of a Service in the pods behind it.
pub(super) fn named_pairs(service: &Service, behind: &[&Pods]) -> usize {
    service.ports.len().saturating_mul(behind.iter().map(|pods| pods.ports.len() + 1).sum())
}

pub(super) fn selects(service: &Service, pods: &Pods) -> bool {
    service.selector.iter().all(|(key, wanted)| {
        pods.labels.iter().any(|(label, value)| label == key && (value.text == wanted.text || value.known().is_none()))
    })
}

/// Whether pods with these labels are in a place whose namespace is decided when they are applied.
fn elsewhere(cluster: &Cluster<'_, '_>, service: &Service, namespace: &Namespace) -> bool {
    cluster.objects.pods.iter().any(|pods| {
        let at = cluster.namespace(&pods.meta);
        let decided = matches!((&at, namespace), (Some(Namespace::Named(_)), Namespace::Named(_)));
        !decided && selects(service, pods)
    })
}

fn no_pods(service: &Service, pods: &[&Pods], told: &mut Told<'_>) {
    // The workload that was meant: one of the same name, else the one with most of the labels, else one of a like name.
    let name = &*service.meta.name.text;
    let shared = |pods: &Pods| {
        let has = |(key, wanted): &&(Box<str>, super::objects::Word)| {
            pods.labels.iter().any(|(label, value)| label == key && value.text == wanted.text)
        };
        service.selector.iter().filter(has).count()
    };
    let like = told.near(name, pods.iter().map(|pods| &*pods.meta.name.text));
    let value = |pods: &Pods| service.selector.iter().any(|(_, wanted)| wanted.text == pods.meta.name.text);
    let meant = pods
        .iter()
        .copied()
        .find(|pods| *pods.meta.name.text == *name)
        .or_else(|| pods.iter().copied().find(|pods| value(pods)))
        .or_else(|| pods.iter().copied().filter(|pods| shared(pods) > 0).max_by_key(|pods| shared(pods)))
        .or_else(|| pods.iter().copied().find(|pods| Some(&*pods.meta.name.text) == like));
    told.fault(FaultKind::SelectorMismatch, service.meta.file, |kind, proxy| {
        let shown = clean(name).into_owned();
        // The label that keeps the two apart.
        let differs = meant.and_then(|pods| {
            service.selector.iter().find(|(key, wanted)| {
                !pods.labels.iter().any(|(label, value)| label == key && value.text == wanted.text)
            })
        });
        let site = differs.or(service.selector.first()).map(|(_, word)| word.site).or(service.selector_site);
        let site = site.unwrap_or(service.meta.name.site);
        let message = format!("the Service `{shown}` selects no pods: none {} have these labels", place(&service.meta));
        let mut fault = Fault::new(kind, proxy, (site, "no pod has this label".to_owned()), message)
            .effect(LoadEffect::Status(503));
        if let (Some(pods), Some((key, _))) = (meant, differs) {
            let (of, key_shown) = (clean(&pods.meta.name.text).into_owned(), clean(key).into_owned());
            fault = match pods.labels.iter().find(|(label, _)| label == key) {
                Some((_, value)) => fault
                    .other(value.site, format!("the pods of the {} `{of}` have this", pods.kind))
                    .help(format!("write `{key_shown}: {}`", clean(&value.text))),
                None => fault
                    .other(pods.meta.name.site, format!("the pods of this {} have no label `{key_shown}`", pods.kind))
                    .help("write the same labels in the selector and in the template of the pods"),
            };
        } else if let Some(pods) = pods.first() {
            fault = fault.other(pods.meta.name.site, format!("the pods of this {} have others", pods.kind));
        }
        let beside = pods.iter().any(|pods| pods.meta.file == service.meta.file);
        // A label that the pods have, with another value, is misspelt; one that they lack may be given to them while they
        // run, as operators do with the role of a database.
        let other_value = meant.and_then(|pods| {
            let (key, wanted) = differs?;
            let (_, value) = pods.labels.iter().find(|(label, _)| label == key)?;
            let same_name = *pods.meta.name.text == *name;
            Some(same_name || near(&wanted.text, std::iter::once(&*value.text)).is_some())
        });
        match meant {
            Some(_) if other_value == Some(true) => fault,
            Some(pods) if other_value.is_some() || *pods.meta.name.text == *name => {
                fault.weight(FaultWeight::MayFail, false)
            }
            Some(_) => fault.weight(FaultWeight::Remark, false),
            None if beside => fault.weight(FaultWeight::MayFail, false),
            // Pods of the rest of the namespace say little about this one.
            None => fault.weight(FaultWeight::Remark, false),
        }
    });
}

fn no_port(service: &Service, found: &[&Pods], told: &mut Told<'_>) {
    for port in &service.ports {
        let Some(target) = port.target.as_ref() else { continue };
        let Some(word) = target.known().filter(|word| word.parse::<u16>().is_err()) else { continue };
        let mut names = found.iter().flat_map(|pods| &pods.ports).filter_map(|(name, _)| name.as_ref());
        if names.any(|name| &*name.text == word || name.known().is_none()) {
            continue;
        }
        told.fault(FaultKind::SelectorMismatch, service.meta.file, |kind, proxy| {
            let pods = found[0];
            let (name, shown, of) = (clean(&service.meta.name.text), clean(word), clean(&pods.meta.name.text));
            let message = format!(
                "the Service `{name}` leads to a port named `{shown}`, and no container of the {} `{of}` has one of that name",
                pods.kind
            );
            let fault = Fault::new(kind, proxy, (target.site, "no container port has this name".to_owned()), message)
                .effect(LoadEffect::Status(503))
                .why("A named target port is looked up among the ports of the pod's containers. One that is not there gives the Service no endpoints.");
            let named = pods.ports.iter().find_map(|(name, _)| name.as_ref());
            match (named, pods.ports.first()) {
                (Some(other), _) => fault
                    .other(other.site, "a port of these pods".to_owned())
                    .help(format!("write `{}`, if that port is meant", clean(&other.text))),
                (None, Some((_, Some(number)))) => fault
                    .other(number.site, "this port has no name".to_owned())
                    .help(format!("give the container's port the name `{shown}`, or write the number")),
                _ => fault
                    .other(pods.meta.name.site, "its containers declare no port".to_owned())
                    .help(format!("declare the container's port with the name `{shown}`, or write its number")),
            }
        });
    }
}
