//! The same for proxies in containers: the socket or port that is looked for is not there, and another one is.

use super::{only_other, spoken};
use crate::files::plain_run;
use crate::rules::prelude::*;
use crate::source::FileId;
use std::collections::{HashMap, HashSet};

/// How often the services around a proxy are looked through at most.
const MOST_ASKED: usize = 10_000;

/// How many services are looked at for sockets at most.
const MOST_LOOKED_AT: usize = 1_000_000;

/// Of a project with more services than this nobody says where a socket is.
const MOST_SERVICES: usize = 1000;

/// A socket that a proxy in a container looks for, and that is not there.
pub(super) fn look(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    if t.placements.is_empty() {
        return;
    }
    let mut placements: HashMap<FileId, Vec<&Placement>> = HashMap::new();
    for placement in t.placements.iter().filter(|placement| placement.how != Placed::Near) {
        placements.entry(placement.file).or_default().push(placement);
    }
    let mut told = HashSet::new();
    let (mut asked, mut looked_at) = (0, 0);
    for &id in cx.distinct_hops() {
        let hop = &t.hops[id];
        let Some(spoken) = spoken(hop) else { continue };
        for &member in t.members(id).iter().take(1000) {
            let endpoint = &t.endpoints[member];
            let by_socket = matches!(endpoint.address.known(), Some(Address::Socket(_)));
            if endpoint.leads_to.is_some() || by_socket && rule == RuleId::GW101 {
                continue;
            }
            let files = [endpoint.site.span.file, t.proxies[endpoint.proxy].entry];
            let placed = files.iter().find_map(|file| placements.get(file)).map_or(&[][..], |placed| placed);
            // For a socket each service of the project is looked at.
            let beside = |placement: &&Placement| t.projects[t.workloads[placement.workload].project].workloads.len();
            asked += placed.len();
            looked_at += if by_socket { placed.iter().map(beside).sum() } else { 0 };
            if asked > MOST_ASKED || looked_at > MOST_LOOKED_AT {
                return;
            }
            let looks: Option<Vec<Absent<'_>>> =
                placed.iter().map(|placement| absent(t, placement, spoken, endpoint)).collect();
            let Some((placement, absent)) = placed.first().zip(looks.and_then(|looks| looks.into_iter().next())) else {
                continue;
            };
            if told.insert(endpoint.address_site)
                && let Some(finding) = absence(rule, cx, endpoint, placement, &absent)
            {
                out.push(finding);
            }
        }
    }
}

/// Why nobody opens what a proxy in a container looks for.
struct Absent<'t> {
    /// Who is meant.
    workload: &'t Workload,
    claim: &'t Claim,
    why: Why<'t>,
}

enum Why<'t> {
    /// The only one that speaks this listens elsewhere.
    Elsewhere,
    /// It opens it in a folder of its own.
    NotShared,
    /// They share a folder, in which it has another place.
    OtherPlace(&'t Folder),
    /// It is a program of the proxy's own container.
    Within,
}

fn absent<'t>(t: &'t Topology, placement: &Placement, spoken: Spoken, endpoint: &Endpoint) -> Option<Absent<'t>> {
    let path = match endpoint.address.known()? {
        Address::Socket(path) => path,
        Address::Net(host) if host.is_loopback() => return within(t, placement, spoken, endpoint),
        Address::Net(_) => return None,
    };
    // HTTP is spoken by too many to know who is meant.
    let only = (spoken != Spoken::Http).then(|| only_other(t, placement, spoken, path)).flatten();
    if let Some((workload, claim)) = only {
        return Some(Absent { workload, claim, why: Why::Elsewhere });
    }
    within(t, placement, spoken, endpoint).or_else(|| shared(t, placement, spoken, path))
}

/// A program of the container itself: all that is known of it leads elsewhere.
fn within<'t>(t: &'t Topology, placement: &Placement, spoken: Spoken, endpoint: &Endpoint) -> Option<Absent<'t>> {
    let own = &t.workloads[placement.workload];
    let port = endpoint.port.known().and_then(|port| port.number());
    if own.claims_open || t.projects[own.project].guessed {
        return None;
    }
    let listens = |claim: &&Claim| match (endpoint.address.known(), claim.at.known()) {
        (Some(Address::Socket(path)), Some(Listens::Socket(there))) => plain_run(path) == plain_run(there),
        (Some(Address::Net(_)), Some(Listens::Port(there))) => Some(*there) == port,
        (_, None) | (None, _) => true,
        _ => false,
    };
    if own.claims.iter().any(|claim| listens(&claim))
        || matches!(endpoint.address.known(), Some(Address::Net(_)))
            && port.is_none_or(|port| crate::rules::around::proxy_listens(t, placement.workload, endpoint.proxy, port))
    {
        return None;
    }
    let mut programs =
        own.claims.iter().filter(|claim| claim.spoken == Some(spoken) && claim.weight == Weight::Decisive);
    let claim = programs.next()?;
    programs.all(|other| other.at == claim.at).then_some(Absent { workload: own, claim, why: Why::Within })
}

/// A socket of another container, which has to lie in a folder that both have.
fn shared<'t>(t: &'t Topology, placement: &Placement, spoken: Spoken, path: &str) -> Option<Absent<'t>> {
    let own = &t.workloads[placement.workload];
    let project = &t.projects[own.project];
    if own.many || own.claims_open || !project.whole || project.guessed || project.workloads.len() > MOST_SERVICES {
        return None;
    }
    let outside = match own.outside(path) {
        Some(Known::Unknown(_)) => return None,
        Some(Known::Yes(outside)) => Some(outside),
        None => None,
    };
    let folder = own.folders.iter().filter(|folder| is_below(&folder.inside, path)).max_by_key(|one| one.inside.len());
    let mut meant: Vec<(&Workload, &Claim, Why<'_>)> = Vec::new();
    for &id in &project.workloads {
        let other = &t.workloads[id];
        let has = folder.filter(|folder| other.folders.iter().any(|theirs| theirs.what == folder.what));
        let mut sockets = 0;
        for claim in &other.claims {
            let Some(Listens::Socket(there)) = claim.at.known() else { continue };
            // A relative path counts from where it is started.
            if !there.starts_with('/') {
                return None;
            }
            let place = match other.outside(there) {
                Some(Known::Unknown(_)) => return None,
                Some(Known::Yes(place)) => Some(place),
                None => None,
            };
            let fits = place.is_some() && place == outside || id == placement.workload && **there == *path;
            if fits {
                return None;
            }
            sockets += 1;
            if claim.weight == Weight::Decisive && claim.spoken.is_none_or(|other| other == spoken) {
                let why = match has {
                    Some(folder) if place.is_some() => Why::OtherPlace(folder),
                    _ => Why::NotShared,
                };
                meant.push((other, claim, why));
            }
        }
        // Whoever has the folder and is not known may open anything in it.
        if has.is_some() && id != placement.workload && (sockets == 0 || other.claims_open) {
            return None;
        }
    }
    if meant.iter().any(|(_, _, why)| matches!(why, Why::OtherPlace(_))) {
        meant.retain(|(_, _, why)| matches!(why, Why::OtherPlace(_)));
    }
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    if meant.len() > 1 {
        meant.retain(
            |(_, claim, _)| matches!(claim.at.known(), Some(Listens::Socket(there)) if name(there) == name(path)),
        );
    }
    let (workload, claim, why) = meant.pop().filter(|_| meant.is_empty())?;
    Some(Absent { workload, claim, why })
}

fn is_below(folder: &str, path: &str) -> bool {
    plain_run(path).strip_prefix(plain_run(folder)).is_some_and(|rest| rest.starts_with('/'))
}

fn absence(
    rule: RuleId,
    cx: &Cx<'_>,
    endpoint: &Endpoint,
    placement: &Placement,
    Absent { workload, claim, why }: &Absent<'_>,
) -> Option<Finding> {
    let t = cx.topology;
    let (dialect, name) = (cx.dialect(endpoint.proxy), quote(&workload.name));
    let wanted = match endpoint.address.known()? {
        Address::Socket(path) => format!("looks for {}", quote(path)),
        Address::Net(_) => format!("asks {}", address_words(endpoint)),
    };
    let there = match claim.at.known()? {
        Listens::Port(port) => format!("on port {port}"),
        Listens::Socket(there) => format!("on {}", quote(there)),
    };
    let from = quote(&t.workloads[placement.workload].name);
    // Two ports are another rule's.
    let ports = matches!((endpoint.address.known()?, claim.at.known()?), (Address::Net(_), Listens::Port(_)));
    if ports != (rule == RuleId::GW101) {
        return None;
    }
    let message = match why {
        Why::Elsewhere | Why::OtherPlace(_) => format!("{} {wanted}, and {name} listens {there}", dialect.name()),
        Why::Within => format!("{} {wanted}, and the program beside it in {name} listens {there}", dialect.name()),
        Why::NotShared => {
            format!("{} {wanted}, and {name} listens {there} in a folder that {from} does not have", dialect.name())
        }
    };
    let finding =
        Finding::new(rule, dialect, (endpoint.address_site, format!("looked for in the container of {from}")), message)
            .confidence(Confidence::Likely)
            .label((claim.site, claim.words.to_string()));
    let finding = match why {
        Why::OtherPlace(folder) => finding.label((folder.site, "both have this folder".to_owned())),
        _ => finding,
    };
    let finding = finding.label((placement.site, format!("{from} runs this proxy")));
    let finding = match endpoint.address.known() {
        // A port where nobody listens is refused; the words are others.
        Some(Address::Net(_)) => {
            finding.log("").why("the connection is refused, and the client gets an error for each request")
        }
        _ => finding.why_of_dialect(),
    };
    // The path that a package gives it is custom, and nothing that is written here.
    let by_custom = claim.weight < Weight::Strong && matches!(claim.at.known()?, Listens::Socket(_));
    let finding = if by_custom { finding.severity(Severity::Warning) } else { finding };
    Some(match (why, claim.at.known()?) {
        (Why::Within, _) => finding.help("write the same place on both sides"),
        (_, Listens::Port(port)) => finding.help(format!("write `{}:{port}`", workload.name)),
        (Why::NotShared, _) => finding.help("put the socket in a volume that both mount"),
        _ => finding.help("write the same name on both sides, in a volume that both mount"),
    })
}
