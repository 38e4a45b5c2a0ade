//! What GW101 and GW111 say of programs on the proxy's machine: the proxy asks one place, and the program that is meant
//! listens in another.

mod containers;

use super::prelude::*;
use crate::files::plain_run;
use crate::source::FileId;
use std::collections::{HashMap, HashSet};

/// A program of the machine that nothing leads to yet, with its one place.
struct Idle<'t> {
    workload: &'t Workload,
    claim: &'t Claim,
    at: &'t Listens,
}

/// What is asked for and found nowhere, beside the only program that could be meant.
struct Stray<'t> {
    hop: &'t Hop,
    endpoint: &'t Endpoint,
    idle: Idle<'t>,
}

/// GW111: where a proxy's socket, or the port in its place, and the program's own place differ.
pub fn tell(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    private_tmp(rule, cx, out);
    unmade_folder(rule, cx, out);
    version_drift(rule, cx, out);
    containers::look(rule, cx, out);
    socket_only(rule, cx, out);
    for stray in strays(cx) {
        if let Some(finding) = compare(rule, cx, stray.hop, stray.endpoint, &stray.idle) {
            out.push(finding);
        }
    }
}

/// GW101: where a proxy's port of the loopback and the program's port differ.
pub fn tell_ports(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    containers::look(rule, cx, out);
    for Stray { endpoint, idle, .. } in strays(cx) {
        let (Some(Address::Net(_)), Listens::Port(there)) = (endpoint.address.known(), idle.at) else { continue };
        let Some(asked) = endpoint.port.known().and_then(|port| port.number()) else { continue };
        let (dialect, name) = (cx.dialect(endpoint.proxy), quote(&idle.workload.name));
        out.push(
            Finding::new(
                rule,
                dialect,
                (endpoint.address_site, format!("asks this machine on port {asked}")),
                format!("{name} listens on port {there}, and {} asks this machine on port {asked}", dialect.name()),
            )
            .severity(Severity::Warning)
            .confidence(Confidence::Likely)
            .label((idle.claim.site, idle.claim.words.to_string()))
            .why("nothing of this repository listens on that port; where nothing does, the connection is refused")
            .assumed(format!("{name} is the program that is meant"))
            .help(format!("write the same port on both sides: {there}, or {asked}")),
        );
    }
}

/// What is asked for and found nowhere. At most one for each protocol: several belong to programs that are not here.
fn strays<'t>(cx: &Cx<'t>) -> Vec<Stray<'t>> {
    let t = cx.topology;
    let Some(mut idle) = idle(t) else { return Vec::new() };
    // Containers may have published the port that is asked for.
    let containers =
        t.projects.iter().any(|(_, project)| matches!(project.kind, ProjectKind::Compose | ProjectKind::Kubernetes));
    let placed: HashSet<_> = t.placements.iter().map(|placement| placement.file).collect();
    let peers: HashSet<EndpointId> = t.peers.iter().map(|peer| peer.endpoint).collect();
    // What is asked for and found nowhere, by what is spoken: several of them belong to programs outside of the repository.
    let mut missed: HashMap<Spoken, Vec<(HopId, EndpointId)>> = HashMap::new();
    let mut places: HashMap<Spoken, HashSet<String>> = HashMap::new();
    for &id in cx.distinct_hops() {
        let hop = &t.hops[id];
        let Some(spoken) = spoken(hop) else { continue };
        for &member in t.members(id).iter().take(1000) {
            let endpoint = &t.endpoints[member];
            let files = [endpoint.site.span.file, t.proxies[endpoint.proxy].entry];
            if endpoint.leads_to.is_some() || peers.contains(&member) || files.iter().any(|file| placed.contains(file))
            {
                continue;
            }
            let place = match endpoint.address.known() {
                Some(Address::Socket(path)) => plain_run(path).to_owned(),
                Some(Address::Net(host)) if host.is_loopback() => {
                    endpoint.port.known().and_then(|port| port.number()).unwrap_or(0).to_string()
                }
                Some(Address::Net(_)) => continue,
                // It may be the one that is meant.
                None => "?".to_owned(),
            };
            places.entry(spoken).or_default().insert(place);
            if endpoint.is_usable() && endpoint.address.known().is_some() {
                missed.entry(spoken).or_default().push((id, member));
            }
        }
    }
    let mut found = Vec::new();
    for (spoken, missed) in missed {
        let (Some(&(hop, member)), Some(Some(idle))) = (missed.first(), idle.remove(&spoken)) else { continue };
        let endpoint = &t.endpoints[member];
        let by_port = matches!(endpoint.address.known(), Some(Address::Net(_)));
        // Nothing says that a file of settings alone is used on this machine.
        let elsewhere = by_port && (containers || idle.workload.replicas.known().is_none());
        if !elsewhere && places.get(&spoken).is_some_and(|places| places.len() == 1) {
            found.push(Stray { hop: &t.hops[hop], endpoint, idle });
        }
    }
    found.sort_by_key(|stray| stray.endpoint.address_site);
    found
}

const fn spoken(hop: &Hop) -> Option<Spoken> {
    match hop.protocol {
        Protocol::Http => Some(Spoken::Http),
        Protocol::Fastcgi => Some(Spoken::Fastcgi),
        Protocol::Uwsgi => Some(Spoken::Uwsgi),
        _ => None,
    }
}

/// For each protocol the only program of the machine that speaks it and to which nothing leads; `None` where there are
/// several, or one that cannot be read. Nothing at all where there are no programs.
fn idle(t: &Topology) -> Option<HashMap<Spoken, Option<Idle<'_>>>> {
    let used: HashSet<WorkloadId> = t.peers.iter().map(|peer| peer.workload).collect();
    let mut found: HashMap<Spoken, Option<Idle<'_>>> = HashMap::new();
    let mut open = false;
    for (_, project) in t.projects.iter().filter(|(_, project)| project.kind == ProjectKind::Machine) {
        for &id in &project.workloads {
            let workload = &t.workloads[id];
            open |= workload.claims_open;
            if used.contains(&id) {
                continue;
            }
            for claim in workload.claims.iter().filter(|claim| decides(claim)) {
                let (Some(at), spoken) = (claim.at.known(), claim.spoken.unwrap_or(Spoken::Http)) else { continue };
                // One file may be read for itself and for the unit that names it.
                let same =
                    |other: &Option<Idle<'_>>| other.as_ref().is_some_and(|other| other.claim.site == claim.site);
                match found.get(&spoken) {
                    Some(other) if same(other) => {}
                    Some(_) => {
                        found.insert(spoken, None);
                    }
                    None => {
                        found.insert(spoken, Some(Idle { workload, claim, at }));
                    }
                }
            }
        }
    }
    (!found.is_empty() && !open).then_some(found)
}

/// Whether a claim is the program's own; what its environment says of a port is.
fn decides(claim: &Claim) -> bool {
    let port = matches!(claim.at, Known::Yes(Listens::Port(_)));
    claim.weight == Weight::Decisive || claim.weight == Weight::Strong && port
}

/// Paths under which a distribution's own php-fpm listens, whatever pools a repository adds.
fn is_distributions(path: &str) -> bool {
    let path = plain_run(path);
    path.starts_with("/run/php/php") && path.ends_with("-fpm.sock")
        || matches!(path, "/run/php-fpm/www.sock" | "/run/php5-fpm.sock" | "/run/php-fpm.sock")
}

fn compare(rule: RuleId, cx: &Cx<'_>, hop: &Hop, endpoint: &Endpoint, idle: &Idle<'_>) -> Option<Finding> {
    let dialect = cx.dialect(endpoint.proxy);
    let name = quote(&idle.workload.name);
    let (message, label, sure) = match (endpoint.address.known()?, idle.at) {
        (Address::Socket(path), Listens::Socket(there)) => {
            // A pool of another name may stand beside the distribution's.
            let sure = !is_distributions(path) || &*idle.workload.name == "www";
            (
                format!("{} looks for {}, and {name} listens on {}", dialect.name(), quote(path), quote(there)),
                "no program of this repository opens this socket",
                sure,
            )
        }
        (Address::Socket(path), Listens::Port(port)) => (
            format!("{} looks for {}, and {name} listens on port {port}", dialect.name(), quote(path)),
            "no program of this repository opens this socket",
            hop.protocol == Protocol::Fastcgi && !is_distributions(path),
        ),
        (Address::Net(_), Listens::Socket(there)) => (
            format!("{} asks {}, and {name} listens on {}", dialect.name(), address_words(endpoint), quote(there)),
            "no program of this repository listens on this port",
            hop.protocol == Protocol::Fastcgi,
        ),
        // Two ports are another rule's.
        (Address::Net(_), Listens::Port(_)) => return None,
    };
    let finding = Finding::new(rule, dialect, (endpoint.address_site, label.to_owned()), message)
        .label((idle.claim.site, idle.claim.words.to_string()));
    let finding = if hop.target_site.span.file == endpoint.address_site.span.file && hop.target_site != endpoint.site {
        finding.label((hop.target_site, "requests are sent there".to_owned()))
    } else {
        finding
    };
    let finding = if sure {
        finding.confidence(Confidence::Likely)
    } else {
        finding.severity(Severity::Warning).confidence(Confidence::Possible)
    };
    let finding = match endpoint.address.known() {
        // A port where nobody listens is refused; the words are others.
        Some(Address::Net(_)) => {
            finding.log("").why("the connection is refused, and the client gets an error for each request")
        }
        _ => finding.why_of_dialect(),
    };
    Some(finding.assumed(format!("{name} is the program that is meant")).help("write the same place on both sides"))
}

/// A service that is asked on a port, and listens on a socket only.
fn socket_only(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    super::around::look_around(cx, out, |seen| {
        let ((to, workload), port) = (seen.to()?, seen.port()?);
        let group = super::around::sharers(t, to);
        if group.iter().any(|&member| t.workloads[member].claims_open) {
            return None;
        }
        let claims = || super::around::claims(t, &group);
        let weighs =
            |claim: &&Claim| claim.weight > Weight::Weak && !matches!(claim.at, Known::Yes(Listens::Socket(_)));
        let claim = claims()
            .find(|claim| claim.weight == Weight::Decisive && matches!(claim.at, Known::Yes(Listens::Socket(_))))?;
        let Known::Yes(Listens::Socket(path)) = &claim.at else { return None };
        let documented = claims().filter(weighs).all(|claim| claim.weight == Weight::Medium);
        if !documented || claims().any(|claim| claim.at.known().is_none()) {
            return None;
        }
        let (name, dialect) = (quote(&workload.name), cx.dialect(seen.asked.proxy));
        let finding = Finding::new(
            rule,
            dialect,
            (seen.asked.site, format!("asks {name} on port {port}")),
            format!("{name} is asked on port {port}, and listens on the socket {} only", quote(path)),
        )
        .label((claim.site, claim.words.to_string()))
        .label(seen.runs())
        .log("")
        .why("nothing listens on that port of the container, so the connection is refused")
        .help("let it listen on `0.0.0.0` with that port, or ask for the socket in a volume that both mount");
        // A line that documents a port may know more than the command does.
        let sure = claims().all(|claim| !weighs(&claim));
        Some(if sure {
            finding.confidence(Confidence::Likely)
        } else {
            finding.severity(Severity::Warning).confidence(Confidence::Likely)
        })
    });
}

/// The only service beside the proxy's own that speaks this, where all that is known of it leads elsewhere.
fn only_other<'t>(
    t: &'t Topology,
    placement: &Placement,
    spoken: Spoken,
    path: &str,
) -> Option<(&'t Workload, &'t Claim)> {
    let own = &t.workloads[placement.workload];
    let project = &t.projects[own.project];
    // The container itself may run it.
    if own.many || own.claims.iter().any(|claim| claim.spoken == Some(spoken)) || !project.whole || project.guessed {
        return None;
    }
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut found = None;
    for &id in project.workloads.iter().filter(|&&id| id != placement.workload) {
        let workload = &t.workloads[id];
        let claims: Vec<_> = workload.claims.iter().filter(|claim| claim.spoken == Some(spoken)).collect();
        let Some(strongest) = claims.iter().max_by_key(|claim| claim.weight) else { continue };
        let fits =
            |claim: &&Claim| matches!(claim.at.known(), Some(Listens::Socket(there)) if name(there) == name(path));
        if found.is_some() || workload.claims_open || strongest.weight < Weight::Medium || claims.iter().any(fits) {
            return None;
        }
        found = Some((workload, *strongest));
    }
    found
}

/// A socket in a folder of `/run` that nothing makes.
fn unmade_folder(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    let mut told = HashSet::new();
    for peer in &t.peers {
        let (endpoint, workload) = (&t.endpoints[peer.endpoint], &t.workloads[peer.workload]);
        let (Some(Address::Socket(path)), Some((folder, site))) =
            (endpoint.address.known(), &workload.server.unmade_folder)
        else {
            continue;
        };
        let below = plain_run(path).strip_prefix("/run/").and_then(|rest| rest.strip_prefix(&**folder));
        if !below.is_some_and(|rest| rest.starts_with('/')) || !told.insert(endpoint.address_site) {
            continue;
        }
        let name = quote(&workload.name);
        let made = format!("RuntimeDirectory={folder}");
        out.push(
            Finding::new(
                rule,
                cx.dialect(endpoint.proxy),
                (endpoint.address_site, "the socket is looked for here".to_owned()),
                format!(
                    "nothing makes {}, so after a restart of the machine {name} cannot open its socket",
                    quote(&format!("/run/{folder}"))
                ),
            )
            .severity(Severity::Warning)
            .confidence(Confidence::Likely)
            .label((*site, "opened in a folder of `/run`".into()))
            .why("`/run` is empty when a machine starts; who made the folder by hand finds it gone")
            .assumed("nothing outside of this repository makes the folder")
            .help(format!("write {} in the unit", quote(&made))),
        );
    }
}

/// The version in the path of a socket that php-fpm has from its package.
fn fpm_version(path: &str) -> Option<&str> {
    let version = plain_run(path).strip_prefix("/run/php/php")?.strip_suffix("-fpm.sock")?;
    (!version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')).then_some(version)
}

/// A proxy and php-fpm in one container, where the path names another version than the one that is installed.
fn version_drift(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    let placed: HashMap<FileId, &Placement> = t.placements.iter().map(|one| (one.file, one)).collect();
    let mut told = HashSet::new();
    for &id in cx.distinct_hops().iter().filter(|&&id| t.hops[id].protocol == Protocol::Fastcgi) {
        for &member in t.members(id).iter().take(1000) {
            let endpoint = &t.endpoints[member];
            let Some(Address::Socket(path)) = endpoint.address.known() else { continue };
            let Some(asked) = fpm_version(path) else { continue };
            let files = [endpoint.site.span.file, t.proxies[endpoint.proxy].entry];
            let Some(placement) = files.iter().find_map(|file| placed.get(file)) else { continue };
            let own = &t.workloads[placement.workload];
            let installed = own.claims.iter().find_map(|claim| match claim.at.known()? {
                Listens::Socket(there) => Some((claim, fpm_version(there)?)),
                Listens::Port(_) => None,
            });
            let there = |claim: &Claim| matches!(claim.at.known(), Some(Listens::Socket(at)) if plain_run(at) == plain_run(path));
            let Some((claim, installed)) = installed.filter(|(_, version)| *version != asked) else { continue };
            if own.claims_open || own.claims.iter().any(there) || !told.insert(endpoint.address_site) {
                continue;
            }
            out.push(
                Finding::new(
                    rule,
                    cx.dialect(endpoint.proxy),
                    (endpoint.address_site, format!("the socket of PHP {asked}")),
                    format!(
                        "{} asks for the socket of PHP {asked}, and PHP {installed} is installed",
                        cx.dialect(endpoint.proxy).name()
                    ),
                )
                .severity(Severity::Warning)
                .confidence(Confidence::Likely)
                .label((claim.site, claim.words.to_string()))
                .label((placement.site, format!("{} runs this proxy", quote(&own.name))))
                .why_of_dialect()
                .help("write the version that is installed, or `/run/php/php-fpm.sock`, to which the packages link"),
            );
        }
    }
}

/// A socket below `/tmp`, opened by a unit that has a `/tmp` of its own.
fn private_tmp(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    let mut told = HashSet::new();
    for peer in &t.peers {
        let (endpoint, workload) = (&t.endpoints[peer.endpoint], &t.workloads[peer.workload]);
        let (Some(Address::Socket(path)), Some(site)) = (endpoint.address.known(), workload.server.private_tmp) else {
            continue;
        };
        if !(path.starts_with("/tmp/") || path.starts_with("/var/tmp/")) || !told.insert(endpoint.address_site) {
            continue;
        }
        let dialect = cx.dialect(endpoint.proxy);
        let opened = workload
            .claims
            .iter()
            .find(|claim| matches!(claim.at.known(), Some(Listens::Socket(there)) if **there == **path));
        let finding = Finding::new(
            rule,
            dialect,
            (endpoint.address_site, format!("{} looks in the machine's `/tmp`", dialect.name())),
            format!(
                "{} opens {} in a `/tmp` of its own, where nobody else finds it",
                quote(&workload.name),
                quote(path)
            ),
        )
        .label((site, "this gives the unit a `/tmp` of its own".into()))
        .label_if(opened.map(|claim| (claim.site, claim.words.to_string())));
        out.push(finding.why_of_dialect().help("put the socket below `/run`, with `RuntimeDirectory=` in the unit"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    /// One unplaced proxy that asks a socket, and one pool of the machine.
    fn house(asked: &str, protocol: Protocol, pool: &str, there: Listens) -> House {
        let mut house = House::nginx();
        let endpoint = match asked.parse::<u16>() {
            Ok(port) => house.endpoint(7, "127.0.0.1", Port::Written(port)),
            Err(_) => asks(&mut house, 7, asked),
        };
        let hop = house.hop(8, Target::Endpoint(endpoint));
        house.t.hops[hop].protocol = protocol;
        let workload = house.workload(20, pool);
        let project = house.t.workloads[workload].project;
        house.t.projects[project].kind = ProjectKind::Machine;
        house.t.workloads[workload].claims.push(Claim {
            at: Known::Yes(there),
            bind: Bind::Any,
            spoken: Some(match protocol {
                Protocol::Fastcgi => Spoken::Fastcgi,
                _ => Spoken::Http,
            }),
            weight: Weight::Decisive,
            site: at(21),
            words: "the pool says so".into(),
        });
        crate::link::link(&mut house.t);
        house
    }

    fn asks(house: &mut House, line: u32, path: &str) -> EndpointId {
        let endpoint = house.endpoint(line, "x", Port::None);
        house.t.endpoints[endpoint].address = Known::Yes(Address::Socket(path.into()));
        endpoint
    }

    fn said(asked: &str, protocol: Protocol, pool: &str, there: Listens) -> Vec<(Severity, Vec<u32>)> {
        let found = house(asked, protocol, pool, there).found(RuleId::GW111);
        found.iter().map(|finding| (finding.severity, lines(finding))).collect()
    }

    fn socket(path: &str) -> Listens {
        Listens::Socket(path.into())
    }

    #[test]
    fn a_pool_that_listens_elsewhere() {
        let error = |line: u32| vec![(Severity::Error, vec![7, line, 8])];
        assert_eq!(said("/run/a.sock", Protocol::Fastcgi, "app", socket("/run/b.sock")), error(21));
        assert_eq!(said("9000", Protocol::Fastcgi, "app", socket("/run/b.sock")), error(21));
        assert_eq!(said("/run/a.sock", Protocol::Fastcgi, "app", Listens::Port(9000)), error(21));
        assert_eq!(said("/run/php/php8.2-fpm.sock", Protocol::Fastcgi, "www", socket("/run/b.sock")), error(21));
        let found = said("/run/php/php8.2-fpm.sock", Protocol::Fastcgi, "app", socket("/run/b.sock"));
        assert_eq!(found[0].0, Severity::Warning, "the distribution's own pool may be there, too");
    }

    #[test]
    fn a_unit_on_another_port() {
        let house = |change: fn(&mut House)| {
            let mut house = house("8000", Protocol::Http, "app", Listens::Port(8001));
            change(&mut house);
            let found = house.found(RuleId::GW101);
            found.iter().map(|finding| (finding.severity, lines(finding))).collect::<Vec<_>>()
        };
        assert_eq!(house(|_| {}), [(Severity::Warning, vec![7, 21])]);
        let unknown = |house: &mut House| {
            let id = house.t.workloads.ids().next().unwrap();
            house.t.workloads[id].replicas = Known::Unknown(Reason::OutsideRepository);
        };
        assert!(house(unknown).is_empty(), "a file of settings alone");
        let two = |house: &mut House| {
            let other = house.endpoint(9, "127.0.0.1", Port::Written(9000));
            house.hop(10, Target::Endpoint(other));
        };
        assert!(house(two).is_empty(), "programs that are not here");
    }

    #[test]
    fn the_same_place_and_the_unknown_are_silent() {
        assert!(said("/var/run/a.sock", Protocol::Fastcgi, "app", socket("/run/a.sock")).is_empty());
        assert!(said("/run/a.sock", Protocol::Uwsgi, "app", socket("/run/b.sock")).is_empty());
        assert!(said("9000", Protocol::Fastcgi, "app", Listens::Port(9001)).is_empty());
        let mut open = house("/run/a.sock", Protocol::Fastcgi, "app", socket("/run/b.sock"));
        let id = open.t.workloads.ids().next().unwrap();
        open.t.workloads[id].claims_open = true;
        assert!(open.found(RuleId::GW111).is_empty());
        let mut two = house("/run/a.sock", Protocol::Fastcgi, "app", socket("/run/b.sock"));
        let other = asks(&mut two, 9, "/run/c.sock");
        let hop = two.hop(10, Target::Endpoint(other));
        two.t.hops[hop].protocol = Protocol::Fastcgi;
        assert!(two.found(RuleId::GW111).is_empty(), "which of the two is meant?");
    }
}
