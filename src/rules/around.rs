//! What rules need that look at the services around a proxy.

use super::prelude::*;
use crate::files::plain_run;
use crate::finding::Label;
use std::borrow::Cow;

/// One address, as the proxy in one service sees it.
pub struct Seen<'t> {
    pub topology: &'t Topology,
    pub leads: Leads,
    pub asked: Asked<'t>,
    pub placement: &'t Placement,
    pub from: &'t Workload,
    pub project: &'t Project,
}

/// What a proxy asks.
pub struct Asked<'t> {
    pub site: Site,
    pub proxy: ProxyId,
    pub host: Cow<'t, Host>,
    pub port: Option<u16>,
    pub lookup: Lookup,
    /// Whether it is one of the proxy's own listeners.
    pub own: bool,
}

impl<'t> Asked<'t> {
    fn new(t: &'t Topology, asks: Asks) -> Option<Self> {
        match asks {
            Asks::Endpoint(id) => {
                let endpoint = &t.endpoints[id];
                let Address::Net(host) = endpoint.address.known()? else { return None };
                Some(Self {
                    site: endpoint.address_site,
                    proxy: endpoint.proxy,
                    host: Cow::Borrowed(host),
                    port: endpoint.port.known().and_then(|port| port.number()),
                    lookup: endpoint.lookup,
                    own: endpoint.leads_to.is_some(),
                })
            }
            Asks::Outcome(hop, number) => {
                let Target::Computed(computed) = &t.hops[hop].target else { return None };
                let outcome = computed.outcomes.get(number as usize)?;
                Some(Self {
                    site: outcome.site,
                    proxy: t.hops[hop].proxy,
                    host: Cow::Owned(Host::parse(&outcome.name)),
                    port: outcome.port,
                    lookup: Lookup::NotNeeded,
                    own: false,
                })
            }
        }
    }

    /// Another text in place of one in the address.
    pub fn word(&self, from: impl Into<String>, to: impl Into<String>) -> [Edit; 1] {
        [Edit::Word { within: self.site.span, from: from.into(), to: to.into() }]
    }

    /// The host with its port, in words.
    pub fn words(&self) -> String {
        match self.port {
            Some(port) => quote(&format!("{}:{port}", self.host)),
            None => quote(&self.host.to_string()),
        }
    }

    /// The name that is asked for, or another one where it is none.
    pub fn name_or<'n>(&'n self, other: &'n str) -> &'n str {
        match &*self.host {
            Host::Name(name) => name,
            Host::Ip(_) | Host::Any => other,
        }
    }
}

/// Where a file may be run by several services, a fault in one of them weighs less when another one is in order; less
/// still when nobody says that its files go together. A place that is only guessed is never an error.
pub fn look_around(cx: &Cx<'_>, out: &mut Findings, look: impl Fn(&Seen<'_>) -> Option<Finding>) {
    let t = cx.topology;
    for group in t.outlooks.chunk_by(|a, b| a.asks == b.asks) {
        let looks: Vec<(bool, Option<Finding>)> = group
            .iter()
            .filter_map(|outlook| {
                let placement = t.placements.get(outlook.placement as usize)?;
                let from = &t.workloads[placement.workload];
                let project = &t.projects[from.project];
                let asked = Asked::new(t, outlook.asks)?;
                let seen = Seen { topology: t, leads: outlook.leads, asked, placement, from, project };
                let finding = look(&seen).map(|finding| match placement.how {
                    Placed::Near => finding.severity(Severity::Warning),
                    _ => finding,
                });
                let finding = finding.map(|finding| by_sample(project, finding));
                Some((project.guessed, finding))
            })
            .collect();
        let sound = looks.iter().any(|(guessed, finding)| !guessed && finding.is_none());
        for (guessed, finding) in looks {
            let Some(mut finding) = finding else { continue };
            // What mends one of them would break the other.
            finding.fix = finding.fix.filter(|_| !sound);
            let severity = match (finding.severity, sound, guessed) {
                (_, true, true) => Severity::Note,
                (Severity::Error, true, false) => Severity::Warning,
                (Severity::Warning, true, false) => Severity::Note,
                (severity, ..) => severity,
            };
            out.push(finding.severity(severity));
        }
    }
}

/// What rests on a value that everybody fills in for himself is no error, and nothing that a fix should change.
fn by_sample(project: &Project, mut finding: Finding) -> Finding {
    let within = |label: &Label| {
        let span = label.site.span;
        // They are in order, and none lies in another.
        let after = project.sampled.partition_point(|one| (one.span.file, one.span.start) <= (span.file, span.start));
        after
            .checked_sub(1)
            .and_then(|at| project.sampled.get(at))
            .is_some_and(|one| one.span.file == span.file && span.end <= one.span.end)
    };
    if !project.sampled.is_empty() && finding.labels.iter().any(within) {
        finding.fix = None;
        finding.confidence = finding.confidence.min(Confidence::Likely);
        return finding
            .severity(Severity::Warning)
            .assumed("`.env` says what its sample in the repository says; there is no `.env` here");
    }
    finding
}

impl Seen<'_> {
    /// Where it is written that this service reads the proxy's file.
    pub fn runs(&self) -> (Site, String) {
        let name = quote(&self.from.name);
        let words = match self.placement.how {
            Placed::Mounted => format!("mounted into {name}"),
            Placed::Copied => format!("copied into the image of {name}"),
            Placed::Rendered => format!("{name} writes the file by this"),
            Placed::Near => format!("{name} may be who runs it"),
        };
        (self.placement.site, words)
    }

    /// What the proxy runs in, in a word.
    pub fn home(&self) -> &'static str {
        if self.project.kind == ProjectKind::Kubernetes { "pod" } else { "container" }
    }

    /// Where the proxy stands, seen from the other side.
    pub fn elsewhere(&self) -> &'static str {
        if self.project.kind == ProjectKind::Kubernetes { "another pod" } else { "another container" }
    }

    /// What comes of a name that is not known: one that is looked up for each request keeps no proxy from starting.
    pub fn unresolved(&self, finding: Finding) -> Finding {
        match self.asked.lookup {
            Lookup::AtStart => finding.why_of_dialect(),
            _ => finding
                .outcome(Outcome::Either(502, 503))
                .why("the name is looked up while the proxy runs, and nobody answers for it"),
        }
    }

    /// The port that is asked for.
    pub fn port(&self) -> Option<u16> {
        self.asked.port
    }

    /// The service that the address leads to.
    pub fn service(&self) -> Option<&Service> {
        match self.leads {
            Leads::Service(id) => Some(&self.topology.services[id]),
            _ => None,
        }
    }

    /// The workloads that the address leads to, over a service too, and the port on which they are asked.
    pub fn reached(&self) -> Option<(Vec<WorkloadId>, u16)> {
        let port = self.port()?;
        match self.service() {
            Some(service) => {
                let own = self.placement.workload;
                let to = service.workloads();
                (!to.is_empty() && !to.contains(&own)).then(|| Some((to.to_vec(), service.target(port)?)))?
            }
            None => self.to().map(|(to, _)| (vec![to], port)),
        }
    }

    /// The workload that the address leads to, unless it is the proxy's own.
    pub fn to(&self) -> Option<(WorkloadId, &Workload)> {
        match self.leads {
            Leads::To(to) | Leads::Container(to) if to != self.placement.workload => {
                Some((to, &self.topology.workloads[to]))
            }
            _ => None,
        }
    }
}

/// The workload whose network one uses in the end.
#[must_use]
pub fn stands_in(topology: &Topology, mut workload: WorkloadId) -> WorkloadId {
    for _ in 0..16 {
        match topology.workloads[workload].namespace {
            Namespace::Of(other, _) => workload = other,
            _ => break,
        }
    }
    workload
}

/// All workloads that share the network namespace of one: the ports of each are ports of all.
#[must_use]
pub fn sharers(topology: &Topology, workload: WorkloadId) -> Vec<WorkloadId> {
    let project = &topology.projects[topology.workloads[workload].project];
    if !project.shares {
        return vec![workload];
    }
    let stands = stands_in(topology, workload);
    project.workloads.iter().copied().filter(|&other| stands_in(topology, other) == stands).collect()
}

/// Whether there is evidence of some weight that one of these workloads listens on a port.
#[must_use]
pub fn listens(topology: &Topology, workloads: &[WorkloadId], port: u16) -> bool {
    claims(topology, workloads).any(|claim| claim.at == Known::Yes(Listens::Port(port)))
}

/// All that is said of where these workloads listen.
pub fn claims<'t>(topology: &'t Topology, workloads: &'t [WorkloadId]) -> impl Iterator<Item = &'t Claim> {
    workloads.iter().flat_map(|&workload| &topology.workloads[workload].claims)
}

/// A published port that is asked for from inside, where the container listens on another one.
#[must_use]
pub fn published_instead<'t>(topology: &'t Topology, workloads: &'t [WorkloadId], port: u16) -> Option<&'t Published> {
    let all = || workloads.iter().flat_map(|&workload| &topology.workloads[workload].published).filter(|one| one.tcp);
    if all().any(|one| one.container == Known::Yes(port) || one.container.known().is_none()) {
        return None;
    }
    if listens(topology, workloads, port) {
        return None;
    }
    all().find(|one| one.host == Known::Yes(Some(port)))
}

/// Whether one of these proxies, or of those that a workload runs, accepts clients on a port.
#[must_use]
pub fn proxy_listens(topology: &Topology, workload: WorkloadId, proxy: ProxyId, port: u16) -> bool {
    let runs = &topology.workloads[workload].proxies;
    topology.listeners.iter().filter(|(_, one)| one.proxy == proxy || runs.contains(&one.proxy)).any(|(_, listener)| {
        match &listener.bind {
            Known::Yes((_, Some((first, last)))) => (*first..=*last).contains(&port),
            Known::Yes((_, None)) => false,
            Known::Unknown(_) => true,
        }
    })
}

/// A program to which an endpoint's address leads.
pub struct Behind<'t> {
    pub workload: &'t Workload,
    /// The strongest evidence that it listens on just that port or socket; none where nothing says so.
    pub claim: Option<&'t Claim>,
    /// Whether it is only guessed that the proxy runs there.
    pub guessed: bool,
}

/// The programs behind an endpoint: in every place where the proxy's file is run, or on the proxy's machine.
#[must_use]
pub fn behind(topology: &Topology, endpoint: EndpointId) -> Vec<Behind<'_>> {
    // Asked for every endpoint by several rules, and most repositories hold nothing but the proxy's files.
    if topology.outlooks.is_empty() && topology.peers.is_empty() {
        return Vec::new();
    }
    let at = topology.endpoints[endpoint].port.known().and_then(|port| port.number());
    let socket = match topology.endpoints[endpoint].address.known() {
        Some(Address::Socket(path)) => Some(plain_run(path)),
        _ => None,
    };
    let claim_on = |id: WorkloadId, at: Option<u16>| {
        let claims = topology.workloads[id].claims.iter().filter(|claim| match claim.at.known() {
            Some(Listens::Port(port)) => socket.is_none() && Some(*port) == at,
            Some(Listens::Socket(path)) => socket == Some(plain_run(path)),
            None => false,
        });
        claims.max_by_key(|claim| (claim.weight, claim.spoken.is_some()))
    };
    let claim_of = |id: WorkloadId| claim_on(id, at);
    let first = topology.outlooks.partition_point(|outlook| outlook.asks < Asks::Endpoint(endpoint));
    let looks = topology
        .outlooks
        .get(first..)
        .unwrap_or(&[])
        .iter()
        .take_while(|outlook| outlook.asks == Asks::Endpoint(endpoint));
    let mut found = Vec::new();
    for outlook in looks.take(8) {
        let Some(placement) = topology.placements.get(outlook.placement as usize) else { continue };
        let guessed =
            placement.how == Placed::Near || topology.projects[topology.workloads[placement.workload].project].guessed;
        let id = match outlook.leads {
            Leads::Service(service) => {
                let service = &topology.services[service];
                let target = at.and_then(|at| service.target(at));
                found.extend(service.workloads().iter().filter(|_| target.is_some()).take(8).map(|&id| Behind {
                    workload: &topology.workloads[id],
                    claim: claim_on(id, target),
                    guessed,
                }));
                continue;
            }
            Leads::To(id) | Leads::Container(id) => {
                sharers(topology, id).into_iter().find(|&id| claim_of(id).is_some()).unwrap_or(id)
            }
            Leads::Itself => {
                match sharers(topology, placement.workload).into_iter().find(|&id| claim_of(id).is_some()) {
                    Some(id) => id,
                    None => continue,
                }
            }
            _ => continue,
        };
        found.push(Behind { workload: &topology.workloads[id], claim: claim_of(id), guessed });
    }
    let first = topology.peers.partition_point(|peer| peer.endpoint < endpoint);
    let peers = topology.peers.get(first..).unwrap_or(&[]).iter().take_while(|peer| peer.endpoint == endpoint);
    found.extend(peers.map(|peer| Behind {
        workload: &topology.workloads[peer.workload],
        claim: claim_of(peer.workload),
        guessed: false,
    }));
    found
}

/// The claim that what is behind an endpoint speaks this, where all that are behind it say so and nothing says otherwise.
#[must_use]
pub fn told_to_speak(topology: &Topology, endpoint: EndpointId, spoken: Spoken) -> Option<Told> {
    let behind = behind(topology, endpoint);
    let says = |one: &Behind<'_>| {
        let claim = one.claim?;
        let all = one.workload.claims.iter().filter(|other| other.at == claim.at);
        let mut said = all.filter_map(|other| other.spoken).peekable();
        let agree = said.peek().is_some() && said.all(|other| other == spoken);
        let proof = one
            .workload
            .claims
            .iter()
            .find(|other| other.at == claim.at && other.spoken == Some(spoken) && other.weight >= Weight::Strong)?;
        let severity = if proof.weight == Weight::Decisive { Severity::Error } else { Severity::Warning };
        (agree && !one.workload.claims_open && !one.guessed)
            .then(|| Told { label: (proof.site, proof.words.to_string()), severity })
    };
    let mut all = behind.iter().map(says);
    let mut first = all.next()??;
    for one in all {
        first.severity = first.severity.min(one?.severity);
    }
    Some(first)
}

/// Where it is said what something speaks, and how bad it can be at most to speak otherwise: a variable of the
/// environment weighs less than the program's own configuration.
pub struct Told {
    /// The place, in words.
    pub label: (Site, String),
    /// How bad it can be.
    pub severity: Severity,
}
