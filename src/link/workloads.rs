//! What an endpoint's address means where its proxy runs.

use super::services::Services;
use crate::source::{FileId, Site};
use crate::topology::{
    Asks, Bar, ComputedKind, Known, Leads, Namespace, Outlook, OwnName, ProjectKind, ProxyId, Target, Topology,
    Workload, WorkloadId,
};
use crate::value::{Address, Host};
use std::collections::{HashMap, HashSet};

/// How far shared network namespaces are followed.
const MAX_CHAIN: usize = 16;

/// The names that container engines give to the machine.
const MACHINE: [&str; 3] = ["host.docker.internal", "gateway.docker.internal", "host.containers.internal"];

/// Looks at each address that a proxy asks whose workload is known.
pub fn link(topology: &mut Topology) {
    if topology.placements.is_empty() {
        return;
    }
    let mut placed: HashMap<FileId, Vec<u32>> = HashMap::new();
    for (number, placement) in topology.placements.iter().enumerate() {
        placed.entry(placement.file).or_default().push(number as u32);
    }
    let names = Names::new(topology, &placed);
    let mut outlooks = Vec::new();
    let mut look = |asks: Asks, site: Site, proxy: ProxyId, host: &Host| {
        let placements = placed.get(&site.span.file).or_else(|| placed.get(&topology.proxies[proxy].entry));
        for &placement in placements.into_iter().flatten() {
            let from = topology.placements[placement as usize].workload;
            if let Some(leads) = names.leads(topology, from, host) {
                outlooks.push(Outlook { asks, placement, leads });
            }
        }
    };
    for (id, endpoint) in topology.endpoints.iter() {
        if let Some(Address::Net(host)) = endpoint.address.known() {
            look(Asks::Endpoint(id), endpoint.site, endpoint.proxy, host);
        }
    }
    for (id, hop) in topology.hops.iter() {
        let Target::Computed(computed) = &hop.target else { continue };
        for (number, outcome) in computed.outcomes.iter().enumerate() {
            if matches!(outcome.is, ComputedKind::HostName | ComputedKind::Address) {
                look(Asks::Outcome(id, number as u32), outcome.site, hop.proxy, &Host::parse(&outcome.name));
            }
        }
    }
    topology.outlooks = outlooks;
}

/// The workload whose network another one uses in the end.
fn whose(topology: &Topology, mut workload: WorkloadId) -> Option<WorkloadId> {
    for _ in 0..MAX_CHAIN {
        match topology.workloads[workload].namespace {
            Namespace::Of(other, _) => workload = other,
            _ => return Some(workload),
        }
    }
    None
}

/// Who bears which name.
struct Names {
    /// By project and name in lower case.
    bearers: HashMap<(usize, Box<str>), Vec<WorkloadId>>,
    /// Pools of all proxies that a workload runs, in lower case.
    pools: HashSet<(WorkloadId, Box<str>)>,
    services: Services,
}

impl Names {
    fn new(topology: &Topology, placed: &HashMap<FileId, Vec<u32>>) -> Self {
        let mut bearers: HashMap<(usize, Box<str>), Vec<WorkloadId>> = HashMap::new();
        for (id, workload) in topology.workloads.iter() {
            let aliases = workload.aliases.iter().map(|(name, _, _)| name);
            for name in std::iter::once(&workload.name).chain(aliases) {
                let bearers = bearers.entry((workload.project.index(), name.to_ascii_lowercase().into())).or_default();
                if !bearers.contains(&id) {
                    bearers.push(id);
                }
            }
        }
        let mut pools = HashSet::new();
        for (_, pool) in topology.pools.iter() {
            let files = [pool.site.span.file, topology.proxies[pool.proxy].entry];
            for &placement in files.iter().filter_map(|file| placed.get(file)).flatten() {
                let workload = topology.placements[placement as usize].workload;
                pools.insert((workload, pool.name.to_ascii_lowercase().into()));
            }
        }
        Self { bearers, pools, services: Services::new(topology) }
    }

    /// What an address leads to; `None`: nothing can be said of it.
    fn leads(&self, topology: &Topology, from: WorkloadId, host: &Host) -> Option<Leads> {
        let stands = whose(topology, from)?;
        let namespace = topology.workloads[stands].namespace;
        let name = match host {
            host if host.is_loopback() || *host == Host::Any => {
                return match namespace {
                    Namespace::Host(_) => Some(Leads::Machine),
                    Namespace::Own | Namespace::Nothing(_) | Namespace::Bridge(_) => Some(Leads::Itself),
                    Namespace::Of(..) | Namespace::Unknown => None,
                };
            }
            Host::Name(name) => name.trim_end_matches('.').to_ascii_lowercase(),
            Host::Ip(_) | Host::Any => return None,
        };
        for asker in [from, stands] {
            let own = topology.workloads[asker].own_names.iter().find(|(own, _, _)| own.eq_ignore_ascii_case(&name));
            match own.map(|(_, leads, _)| leads) {
                Some(OwnName::Workload(other)) => return self.reached(topology, stands, *other, &name),
                Some(OwnName::Machine) => return Some(Leads::Machine),
                Some(OwnName::Elsewhere) => return None,
                None => {}
            }
        }
        if MACHINE.contains(&&*name) {
            return matches!(namespace, Namespace::Own).then_some(Leads::MachineByName);
        }
        let project = topology.workloads[from].project;
        if topology.projects[project].kind == ProjectKind::Kubernetes {
            let known = is_name(host) && !self.pools.contains(&(from, name.as_str().into()));
            return self.services.leads(topology, from, &name, known);
        }
        let bearers = self.bearers.get(&(project.index(), name.as_str().into()));
        if let Some(bearers) = bearers {
            let reached: Vec<_> = bearers.iter().map(|&other| self.reached(topology, stands, other, &name)).collect();
            // Where one of several is not known, it may be the one.
            return if reached.contains(&None) {
                None
            } else {
                let to = reached.iter().flatten().find(|leads| matches!(leads, Leads::To(_)));
                to.or(reached.iter().flatten().next()).copied()
            };
        }
        if let Some(service) = self.generated(project.index(), &name) {
            return match self.reached(topology, stands, service, &topology.workloads[service].name)? {
                Leads::To(to) => Some(Leads::Container(to)),
                _ => None,
            };
        }
        let nobody = topology.projects[project].whole
            && namespace == Namespace::Own
            && closed(topology, &topology.workloads[stands])
            && !name.contains('.')
            && is_name(host)
            && !self.pools.contains(&(from, name.as_str().into()));
        nobody.then_some(Leads::Nobody)
    }

    /// What comes of a name that a workload bears.
    fn reached(&self, topology: &Topology, from: WorkloadId, to: WorkloadId, name: &str) -> Option<Leads> {
        let (asker, bearer) = (&topology.workloads[from], &topology.workloads[to]);
        if from == to {
            return Some(Leads::To(to));
        }
        let bar = match (asker.namespace, bearer.namespace) {
            (Namespace::Unknown, _) | (_, Namespace::Unknown) | (Namespace::Of(..), _) => return None,
            (Namespace::Host(site), _) => Bar::OnMachine(site),
            (Namespace::Nothing(site), _) => Bar::NoNetwork(site),
            (Namespace::Bridge(site), _) => Bar::OldBridge(site),
            (Namespace::Own, Namespace::Of(other, site)) => {
                // Its own name means nothing; that of a third one may be an alias of it.
                match whose(topology, to)? {
                    whose if whose == from => return None,
                    _ => Bar::Shares(other, site),
                }
            }
            (Namespace::Own, Namespace::Host(site)) => Bar::OtherOnMachine(site),
            (Namespace::Own, Namespace::Bridge(site)) => Bar::OldBridge(site),
            (Namespace::Own, Namespace::Nothing(site)) => Bar::NoNetwork(site),
            (Namespace::Own, Namespace::Own) => {
                let (mine, theirs) = (asker.networks.known()?, bearer.networks.known()?);
                // An alias holds on its network only, the other names on all.
                let only: Vec<_> = bearer
                    .aliases
                    .iter()
                    .filter(|(alias, _, _)| alias.eq_ignore_ascii_case(name))
                    .map(|(_, network, _)| *network)
                    .collect();
                let everywhere = only.is_empty() || only.contains(&None) || bearer.name.eq_ignore_ascii_case(name);
                let common = mine
                    .iter()
                    .any(|network| theirs.contains(network) && (everywhere || only.contains(&Some(*network))));
                if common {
                    return Some(Leads::To(to));
                }
                Bar::NoCommonNetwork
            }
        };
        let certain =
            !matches!(bar, Bar::NoCommonNetwork | Bar::Shares(..) | Bar::OtherOnMachine(_)) || closed(topology, asker);
        certain.then_some(Leads::Barred(to, bar))
    }

    /// `project-service-1`: the name that the engine gives to a container. The service that it is one of.
    fn generated(&self, project: usize, name: &str) -> Option<WorkloadId> {
        let (before, number) = name.rsplit_once(['-', '_'])?;
        // No name of a host is longer.
        if name.len() > 255 || number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        before.char_indices().filter(|(_, c)| matches!(c, '-' | '_')).find_map(|(at, _)| {
            let bearers = self.bearers.get(&(project, before.get(at + 1..)?.into()))?;
            bearers.first().copied()
        })
    }
}

/// Whether nobody outside the project is on a workload's networks.
fn closed(topology: &Topology, workload: &Workload) -> bool {
    match &workload.networks {
        Known::Yes(networks) => networks.iter().all(|&network| !topology.networks[network].external),
        Known::Unknown(_) => false,
    }
}

/// Whether a name is a name, and not something that a script replaces before the proxy starts.
fn is_name(host: &Host) -> bool {
    let Host::Name(name) = host else { return false };
    name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !name.contains("__")
        && name.chars().any(|c| c.is_ascii_lowercase())
}
