//! Network policies: whom the pods that they select let in.
//!
//! Facts (the API's own reference): policies add up; a pod that one selects for `Ingress` takes nothing but what one of
//! them admits; `Ingress` is meant where no type is written; an empty `from` or `ports` means everybody, every port.

use super::objects::{Meta, Word, labels};
use super::pods::Pods;
use super::scope::Namespace;
use super::selectors::MAX_PAIRS;
use super::workloads::Belongs;
use crate::source::FileId;
use crate::syntax::yaml::View;
use crate::topology::{Admit, Guard, Topology, WorkloadId};
use std::collections::{HashMap, HashSet};

/// The label that each namespace has with its own name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// A policy for what comes in.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) meta: Meta,
    /// The pods that it selects; `None`: not to be known.
    selects: Option<Labels>,
    rules: Vec<Rule>,
}

/// Labels that must be there.
type Labels = Vec<(Box<str>, Word)>;

#[derive(Debug)]
struct Rule {
    /// `None`: everybody.
    peers: Option<Vec<Peer>>,
    ports: Option<Vec<(u16, u16)>>,
}

#[derive(Debug)]
enum Peer {
    /// Pods of the policy's own namespace, or of others.
    Pods(Labels, Where),
    /// Addresses, or what cannot be known.
    Unknown,
}

#[derive(Debug)]
enum Where {
    Here,
    Everywhere,
    In(Word),
}

/// Reads a policy. `None` for one that says nothing of what comes in.
pub(super) fn read(meta: Meta, spec: View<'_>, file: FileId) -> Option<Policy> {
    if let Some(types) = spec.get("policyTypes")
        && !types.items().any(|one| one.text() == Some("Ingress"))
    {
        return None;
    }
    let rules = spec.get("ingress").into_iter().flat_map(View::items).map(|rule| {
        let peers: Vec<Peer> = rule.get("from").into_iter().flat_map(View::items).map(|one| peer(one, file)).collect();
        let written: Vec<View<'_>> = rule.get("ports").into_iter().flat_map(View::items).collect();
        let ports: Option<Vec<Option<(u16, u16)>>> = written.iter().map(|&port| ports(port)).collect();
        Rule {
            peers: (!peers.is_empty()).then_some(peers),
            ports: ports.filter(|_| !written.is_empty()).map(|all| all.into_iter().flatten().collect()),
        }
    });
    Some(Policy { selects: selector(spec.get("podSelector"), file), rules: rules.collect(), meta })
}

/// The labels of a selector; `None` where it says more than labels.
fn selector(view: Option<View<'_>>, file: FileId) -> Option<Labels> {
    let Some(view) = view else { return Some(Vec::new()) };
    if view.get("matchExpressions").is_some_and(|all| all.items().len() > 0) {
        return None;
    }
    let all = labels(view.get("matchLabels"), file);
    all.iter().all(|(_, value)| value.known().is_some()).then_some(all)
}

fn peer(view: View<'_>, file: FileId) -> Peer {
    if view.get("ipBlock").is_some() {
        return Peer::Unknown;
    }
    let Some(pods) = selector(view.get("podSelector"), file) else { return Peer::Unknown };
    let Some(spaces) = view.get("namespaceSelector") else { return Peer::Pods(pods, Where::Here) };
    let place = match selector(Some(spaces), file).as_deref() {
        Some([]) => Where::Everywhere,
        Some([(key, name)]) if &**key == NAME_LABEL => Where::In(name.clone()),
        _ => return Peer::Unknown,
    };
    Peer::Pods(pods, place)
}

/// The ports of one entry: `Some(None)` for another protocol, `None` for what cannot be known.
fn ports(view: View<'_>) -> Option<Option<(u16, u16)>> {
    if view.get("protocol").and_then(View::text).is_some_and(|protocol| protocol != "TCP") {
        return Some(None);
    }
    let Some(port) = view.get("port") else { return Some(Some((1, u16::MAX))) };
    let first = port.text()?.parse().ok()?;
    let last = match view.get("endPort") {
        Some(end) => end.text()?.parse().ok()?,
        None => first,
    };
    Some(Some((first, last)))
}

fn bears(pods: &Pods, wanted: &Labels) -> bool {
    wanted.iter().all(|(key, value)| {
        pods.labels.iter().any(|(label, held)| label == key && (held.text == value.text || held.known().is_none()))
    })
}

/// Puts what the policies say into the topology.
pub(super) fn guard(
    policies: &[Policy],
    all: &[Pods],
    belongs: &Belongs,
    made: &[Option<WorkloadId>],
    t: &mut Topology,
) {
    // Where one of them is not known, it may let anybody in.
    let places: Vec<Option<&(Namespace, bool)>> = belongs.policies.iter().map(Option::as_ref).collect();
    let unclear: HashSet<&Namespace> = policies
        .iter()
        .zip(&places)
        .filter_map(|(policy, at)| at.filter(|(_, open)| *open || policy.selects.is_none()).map(|(at, _)| at))
        .collect();
    if places.contains(&None) {
        return;
    }
    let mut by_namespace: HashMap<&Namespace, Vec<usize>> = HashMap::new();
    for (number, at) in belongs.pods.iter().enumerate() {
        if let Some((namespace, _)) = at {
            by_namespace.entry(namespace).or_default().push(number);
        }
    }
    let mut pairs = 0;
    for (policy, at) in policies.iter().zip(&places) {
        let (Some((namespace, _)), Some(wanted)) = (at, &policy.selects) else { continue };
        pairs += (policy.rules.len() + 1).saturating_mul(all.len() + 1).saturating_mul(8);
        if unclear.contains(namespace) || pairs > MAX_PAIRS {
            continue;
        }
        let here = by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
        let selected = here.iter().filter(|&&number| bears(&all[number], wanted) && all[number].host_network.is_none());
        let admits = || policy.rules.iter().map(|rule| admit(rule, namespace, all, belongs, made)).collect();
        for &number in selected {
            let known = matches!(belongs.pods.get(number), Some(Some((_, false))));
            if let (true, Some(workload)) = (known, made.get(number).copied().flatten()) {
                t.guards.push(Guard { workload, site: policy.meta.name.site, admits: admits() });
            }
        }
    }
    t.guards.sort_by_key(|guard| guard.workload);
}

fn admit(rule: &Rule, here: &Namespace, all: &[Pods], belongs: &Belongs, made: &[Option<WorkloadId>]) -> Admit {
    let ports = rule.ports.clone();
    let Some(peers) = &rule.peers else { return Admit { from: None, ports } };
    let mut from = Vec::new();
    for peer in peers {
        let Peer::Pods(wanted, place) = peer else { return Admit { from: None, ports } };
        for (number, at) in belongs.pods.iter().enumerate() {
            let Some(workload) = made.get(number).copied().flatten() else { continue };
            let Some((namespace, open)) = at else { continue };
            let there = match (place, namespace) {
                (Where::Here, namespace) => namespace == here,
                (Where::Everywhere, _) => true,
                (Where::In(name), Namespace::Named(namespace)) => name.text == *namespace,
                // Its namespace is decided when it is applied.
                (Where::In(_), Namespace::Folders(_)) => true,
            };
            if there && (*open || bears(&all[number], wanted)) {
                from.push(workload);
            }
        }
    }
    Admit { from: Some(from), ports }
}
