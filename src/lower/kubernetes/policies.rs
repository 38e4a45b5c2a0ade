//! Network policies: whom the pods that they select let in.
//!
//! Facts (the API's own reference): policies add up; a pod that one selects for `Ingress` takes nothing but what one of
//! them admits; `Ingress` is meant where no type is written; an empty `from` or `ports` means everybody, every port.

use super::objects::{Meta, Word, labels};
use super::pods::Pods;
use super::scope::Namespace;
use super::selectors::{Labelled, MAX_PAIRS};
use super::workloads::Belongs;
use crate::source::FileId;
use crate::syntax::yaml::View;
use crate::topology::{Admit, Guard, Topology, WorkloadId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

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
    let mut everywhere = Everywhere { all, belongs, made, labelled: Labelled::default(), open: Vec::new() };
    for (number, at) in belongs.pods.iter().enumerate() {
        if let Some((namespace, open)) = at {
            by_namespace.entry(namespace).or_default().push(number);
            everywhere.labelled.add(number, &all[number]);
            if *open {
                everywhere.open.push(number);
            }
        }
    }
    let mut pairs = 0;
    for (policy, at) in policies.iter().zip(&places) {
        let (Some((namespace, _)), Some(wanted)) = (at, &policy.selects) else { continue };
        if unclear.contains(namespace) {
            continue;
        }
        let mut selected = match wanted.is_empty() {
            true => by_namespace.get(namespace).cloned().unwrap_or_default(),
            false => everywhere.labelled.candidates(wanted),
        };
        pairs += selected.len();
        selected.retain(|&number| {
            let here = matches!(&belongs.pods[number], Some((at, false)) if at == namespace);
            here && bears(&all[number], wanted) && all[number].host_network.is_none()
        });
        let admits: Option<Vec<Admit>> =
            policy.rules.iter().map(|rule| everywhere.admit(rule, namespace, &mut pairs)).collect();
        // What was not looked at may let anybody in.
        let Some(admits) = admits.filter(|_| pairs <= MAX_PAIRS) else {
            t.guards.clear();
            return;
        };
        let admits: Arc<[Admit]> = admits.into();
        let selected = selected.into_iter().filter_map(|number| made.get(number).copied().flatten());
        let site = policy.meta.name.site;
        t.guards.extend(selected.map(|workload| Guard { workload, site, admits: Arc::clone(&admits) }));
    }
    t.guards.sort_by_key(|guard| guard.workload);
}

/// All pods, of which a policy may let some in.
struct Everywhere<'o> {
    all: &'o [Pods],
    belongs: &'o Belongs,
    made: &'o [Option<WorkloadId>],
    labelled: Labelled<'o>,
    /// Those that may get other labels.
    open: Vec<usize>,
}

impl Everywhere<'_> {
    /// Whom a rule lets in; `None` when too many would have to be looked at.
    fn admit(&self, rule: &Rule, here: &Namespace, pairs: &mut usize) -> Option<Admit> {
        let ports = rule.ports.clone();
        let Some(peers) = &rule.peers else { return Some(Admit { from: None, ports }) };
        let mut from = Vec::new();
        for peer in peers {
            let Peer::Pods(wanted, place) = peer else { return Some(Admit { from: None, ports }) };
            let candidates = match wanted.is_empty() {
                true => (0..self.all.len()).collect(),
                false => [self.labelled.candidates(wanted), self.open.clone()].concat(),
            };
            *pairs += candidates.len().saturating_mul(wanted.len() + 1);
            if *pairs > MAX_PAIRS {
                return None;
            }
            for number in candidates {
                let Some(workload) = self.made.get(number).copied().flatten() else { continue };
                let Some((namespace, open)) = &self.belongs.pods[number] else { continue };
                let there = match (place, namespace) {
                    (Where::Here, namespace) => namespace == here,
                    (Where::Everywhere, _) => true,
                    (Where::In(name), Namespace::Named(namespace)) => name.text == *namespace,
                    // Its namespace is decided when it is applied.
                    (Where::In(_), Namespace::Folders(_)) => true,
                };
                if there && (*open || bears(&self.all[number], wanted)) {
                    from.push(workload);
                }
            }
        }
        from.sort_unstable();
        from.dedup();
        Some(Admit { from: Some(from), ports })
    }
}
