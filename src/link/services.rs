//! What a name means in a pod of Kubernetes: `svc`, `svc.ns`, `svc.ns.svc`, `svc.ns.svc.cluster.local`.
//!
//! The cluster's own domain may be another one than `cluster.local`. Names of other forms belong to nobody here.

use crate::topology::{Leads, Namespace, ServiceId, ServiceKind, Topology, WorkloadId};
use std::collections::HashMap;

/// Services by their names.
pub(super) struct Services {
    /// By project and name.
    own: HashMap<(usize, Box<str>), Vec<ServiceId>>,
    /// By namespace and name.
    named: HashMap<(Box<str>, Box<str>), Vec<ServiceId>>,
    /// By name alone.
    all: HashMap<Box<str>, Vec<ServiceId>>,
    /// Projects in which there is a Service at all, and whether its namespace is written.
    with: HashMap<usize, bool>,
    /// Namespaces of which Services are shown, and whether all that is there is shown.
    namespaces: HashMap<Box<str>, bool>,
}

impl Services {
    pub(super) fn new(topology: &Topology) -> Self {
        let mut services = Self {
            own: HashMap::new(),
            named: HashMap::new(),
            all: HashMap::new(),
            with: HashMap::new(),
            namespaces: HashMap::new(),
        };
        for (id, service) in topology.services.iter() {
            let (project, name) = (service.project.index(), &service.name);
            services.own.entry((project, name.clone())).or_default().push(id);
            services.all.entry(name.clone()).or_default().push(id);
            services.with.insert(project, service.namespace.is_some());
            if let Some(namespace) = &service.namespace {
                services.named.entry((namespace.clone(), name.clone())).or_default().push(id);
                let whole = topology.projects[service.project].whole;
                services.namespaces.entry(namespace.clone()).and_modify(|known| *known &= whole).or_insert(whole);
            }
        }
        services
    }

    /// What a name leads to, in lower case. `known`: it is a name, and none of the proxy's own.
    pub(super) fn leads(&self, topology: &Topology, from: WorkloadId, name: &str, known: bool) -> Option<Leads> {
        let asker = &topology.workloads[from];
        // Pods on the network of their machine ask its name servers, unless told otherwise.
        if asker.namespace != Namespace::Own {
            return None;
        }
        let labels: Vec<&str> = name.split('.').take(5).collect();
        let (service, namespace) = match labels[..] {
            [service] => (service, None),
            [service, namespace] | [service, namespace, "svc"] | [service, namespace, "svc", _, _] => {
                (service, Some(namespace))
            }
            _ => return None,
        };
        let all = self.all.get(service).map_or(&[][..], Vec::as_slice);
        let project = asker.project.index();
        let (here, whole, there) = match namespace {
            None => {
                let here = self.own.get(&(project, service.into()));
                (here, topology.projects[asker.project].whole && self.with.contains_key(&project), None)
            }
            Some(namespace) => match self.namespaces.get(namespace) {
                Some(&whole) => (self.named.get(&(namespace.into(), service.into())), whole, Some(namespace)),
                // Where no namespace is written, it is decided when the objects are applied: the only Service of the
                // name is the one that is meant, if it stands beside the pod.
                None => {
                    let own = self.own.get(&(project, service.into()));
                    let own = own.filter(|_| all.len() == 1 && topology.services[all[0]].namespace.is_none());
                    (own, false, Some(namespace))
                }
            },
        };
        match here.map(Vec::as_slice) {
            // Several of one name are variants, of which one is applied.
            Some([one]) => {
                return (topology.services[*one].kind != ServiceKind::Elsewhere).then_some(Leads::Service(*one));
            }
            Some(_) => return None,
            None => {}
        }
        // Services and pods whose namespace is not written may be in any.
        let unplaced = |id: &ServiceId| topology.services[*id].namespace.is_none();
        let own_unplaced = there.is_none() && self.with.get(&project) == Some(&false);
        let elsewhere = all.iter().any(unplaced) || own_unplaced && !all.is_empty();
        (whole && known && !elsewhere).then_some(Leads::Nobody)
    }
}
