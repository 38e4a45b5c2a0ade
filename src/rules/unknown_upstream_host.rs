//! GW105: the proxy looks for a host that is not there.

use super::around::{Seen, look_around};
use super::prelude::*;
use std::collections::HashMap;

/// GW105.
pub struct UnknownUpstreamHost;

/// How many pairs of names are compared at most.
const COMPARISONS: usize = 200_000;

impl Rule for UnknownUpstreamHost {
    fn id(&self) -> RuleId {
        RuleId::GW105
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        let mut names = Elsewhere::new();
        for (id, one) in topology.workloads.iter() {
            names.entry(one.name.to_ascii_lowercase()).or_default().push(id);
        }
        look_around(cx, out, |seen| in_project(self.id(), cx, &names, seen));
        tell_faults(self.id(), FaultKind::UnknownHost, cx, out);
        // Groups by proxy and length: only those of nearly the same length can be meant.
        let mut pools: HashMap<(ProxyId, usize), Vec<PoolId>> = HashMap::new();
        for (id, pool) in topology.pools.iter() {
            pools.entry((pool.proxy, pool.name.len())).or_default().push(id);
        }
        let mut comparisons = 0;
        for (_, endpoint) in topology.endpoints.iter() {
            let Some(name) = endpoint.host_name().filter(|_| endpoint.lookup == Lookup::AtStart) else { continue };
            let dialect = cx.dialect(endpoint.proxy);
            if Host::Name(name.into()).can_never_exist() {
                let at = (endpoint.address_site, "this name can never be resolved".to_owned());
                let message = format!("{} does not exist anywhere, so {} does not start", quote(name), dialect.name());
                out.push(
                    Finding::new(self.id(), dialect, at, message)
                        .why("names below `.invalid` are reserved for what must not exist (RFC 6761)")
                        .why_of_dialect()
                        .help("write the host that is meant"),
                );
                continue;
            }
            // A name alone, written where a group may stand, in a configuration that is all there is.
            let alone = endpoint.pool.is_none()
                && !name.contains('.')
                && matches!(endpoint.port.known(), Some(Port::OfScheme(_)))
                && topology.proxies[endpoint.proxy].whole;
            if !alone {
                continue;
            }
            let lengths = name.len().saturating_sub(2)..=name.len() + 2;
            let near = lengths
                .filter_map(|length| pools.get(&(endpoint.proxy, length)))
                .flatten()
                .take_while(|_| {
                    comparisons += 1;
                    comparisons < COMPARISONS
                })
                .map(|&pool| &topology.pools[pool])
                .find(|pool| name.len() > 4 && strsim::levenshtein(name, &pool.name) <= 2);
            if let Some(pool) = near {
                let message = format!(
                    "there is no server group {}, so {} looks for a host of that name",
                    quote(name),
                    dialect.name()
                );
                out.push(
                    Finding::new(self.id(), dialect, (endpoint.address_site, "taken for a host".into()), message)
                        .severity(Severity::Warning)
                        .confidence(Confidence::Likely)
                        .label((pool.name_site, "was this group meant?".into()))
                        .why_of_dialect()
                        .assumed(format!("{} is no host where the proxy runs", quote(name)))
                        .help(format!("write {}", quote(&pool.name)))
                        .fix(other_name(endpoint.address_site, name, &pool.name)),
                );
            }
        }
    }
}

/// A name that no Service bears in the namespace that is meant.
fn no_service(rule: RuleId, cx: &Cx<'_>, seen: &Seen<'_>, name: &str) -> Option<Finding> {
    let t = cx.topology;
    let mut labels = name.split('.');
    let (service, namespace) = (labels.next()?, labels.next());
    let own = t.services.iter().find(|(_, one)| one.project == seen.from.project);
    let own = own.and_then(|(_, one)| one.namespace.as_deref());
    let there = namespace.or(own);
    let place = match there {
        Some(there) => format!("in the namespace {}", quote(there)),
        None => "beside this pod".to_owned(),
    };
    let message = format!("no Service {place} is called {}", quote(service));
    let at = (seen.asked.site, "no Service of that name".to_owned());
    let finding = Finding::new(rule, cx.dialect(seen.asked.proxy), at, message);
    let of_name = |one: &&Service| one.name.eq_ignore_ascii_case(service);
    let all = || t.services.iter().map(|(_, one)| one);
    let finding = match all().find(of_name) {
        Some(other) => {
            let namespace = other.namespace.as_deref()?;
            finding
                .label((other.site, format!("this one is in the namespace {}", quote(namespace))))
                .label(seen.runs())
                .help(format!("write `{}.{namespace}`", other.name))
                .confidence(Confidence::Likely)
        }
        // Another deployment may bring it.
        None => {
            let beside = |one: &&Service| match there {
                Some(there) => one.namespace.as_deref() == Some(there),
                None => one.project == seen.from.project,
            };
            let near = all().filter(beside).take(1000).find(|one| {
                let distance = strsim::osa_distance(service, &one.name.to_ascii_lowercase());
                distance <= 2 && one.name.len() > distance + 1
            });
            let other = near.or_else(|| all().find(beside));
            let words = if near.is_some() { "was this one meant?" } else { "one of those that are there" };
            let finding = finding
                .severity(Severity::Warning)
                .confidence(Confidence::Likely)
                .label_if(other.map(|other| (other.site, words.to_owned())))
                .label(seen.runs())
                .assumed("all Services of that namespace are in these files".to_owned());
            match near {
                Some(near) => finding.help(format!("write {}", quote(&near.name))),
                None => finding.help("write the name of the Service that is meant"),
            }
        }
    };
    Some(seen.unresolved(finding))
}

/// All workloads by their names in lower case.
type Elsewhere = HashMap<String, Vec<WorkloadId>>;

/// Whether a workload of another project may stand beside the proxy all the same: one of a file that may be laid over
/// the proxy's, or one on a network that others join.
fn may_join(t: &Topology, project: &Project, other: WorkloadId) -> bool {
    let workload = &t.workloads[other];
    let theirs = &t.projects[workload.project];
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || outer.is_empty())
    };
    let joins = match workload.networks.known() {
        Some(networks) => networks.iter().any(|&network| t.networks[network].external),
        None => true,
    };
    theirs.kind == project.kind
        && (joins || within(&theirs.folder, &project.folder) || within(&project.folder, &theirs.folder))
}

/// A name that means nothing to the service that runs the proxy.
fn in_project(rule: RuleId, cx: &Cx<'_>, names: &Elsewhere, seen: &Seen<'_>) -> Option<Finding> {
    let t = cx.topology;
    let Host::Name(name) = &*seen.asked.host else { return None };
    let dialect = cx.dialect(seen.asked.proxy);
    let at = |text: String| (seen.asked.site, text);
    let from = quote(&seen.from.name);
    let elsewhere = || names.get(&name.to_ascii_lowercase()).into_iter().flatten();
    let finding = match seen.leads {
        // Another file of the repository has it: laid over this one, or on a network of both, it is there.
        Leads::Nobody if seen.project.kind == ProjectKind::Kubernetes => return no_service(rule, cx, seen, name),
        // Of very many that bear the name, one will be meant.
        Leads::Nobody if elsewhere().count() > 1000 || elsewhere().any(|&other| may_join(t, seen.project, other)) => {
            return None;
        }
        Leads::Nobody => {
            let near = nearest(t, seen.project, name);
            let other = elsewhere().next();
            let message = format!("no service of this compose project is called {}", quote(name));
            let mut finding = Finding::new(rule, dialect, at("no service, alias or host of that name".into()), message);
            if let Some(&other) = other {
                finding = finding
                    .severity(Severity::Warning)
                    .confidence(Confidence::Likely)
                    .label((t.workloads[other].site, "a service of another project".into()))
                    .assumed("the two projects are not started together");
            }
            match near {
                Some(near) => finding
                    .label((near.site, "was this service meant?".into()))
                    .label(seen.runs())
                    .help(format!("write {}", quote(&near.name)))
                    .fix(Some(Fix::guess(
                        format!("write {}", quote(&near.name)),
                        seen.asked.word(&**name, &*near.name),
                    ))),
                None if other.is_some() => finding
                    .label(seen.runs())
                    .help("put both services on one network that is `external`, or into one project"),
                None => finding.label(seen.runs()).help("write the name of the service that is meant"),
            }
        }
        Leads::Container(other) => {
            let workload = &t.workloads[other];
            let message = format!(
                "{} is the name of one container of {}, made of the project's name and a number",
                quote(name),
                quote(&workload.name)
            );
            let finding =
                Finding::new(rule, dialect, at("changes with the folder's name and the number".into()), message);
            return Some(
                finding
                    .severity(Severity::Note)
                    .confidence(Confidence::Possible)
                    .label((workload.site, "the service".into()))
                    .label(seen.runs())
                    .log("")
                    .why("under another project name, or for another container of the service, the name is not there")
                    .help(format!("write {}, which leads to every container of the service", quote(&workload.name))),
            );
        }
        Leads::Barred(other, Bar::Shares(with, line)) => {
            let (theirs, with) = (quote(&t.workloads[other].name), quote(&t.workloads[with].name));
            let message = format!("{theirs} uses the network of {with} and has no name of its own there");
            Finding::new(rule, dialect, at("this name is not known".into()), message)
                .severity(Severity::Warning)
                .confidence(Confidence::Likely)
                .label((line, format!("here {theirs} takes the network of {with}")))
                .label(seen.runs())
                .help(format!("write {with} instead of {theirs}"))
        }
        Leads::Barred(other, Bar::OnMachine(line)) => {
            let other = &t.workloads[other];
            let message = format!("{from} uses the network of the machine, where {} is no name", quote(name));
            let published = other.published.iter().find_map(|one| match (&one.host, &one.container) {
                (Known::Yes(Some(host)), Known::Yes(inside)) if Some(*inside) == seen.port() => Some(*host),
                _ => None,
            });
            let help = match published {
                Some(port) => format!("write `127.0.0.1:{port}`, which {} publishes", quote(&other.name)),
                None => format!(
                    "publish the port of {} on 127.0.0.1 and write that, or take `network_mode: host` away",
                    quote(&other.name)
                ),
            };
            Finding::new(rule, dialect, at("a service's name".into()), message)
                .label((line, format!("here {from} takes the network of the machine")))
                .label(seen.runs())
                .help(help)
        }
        Leads::Barred(other, Bar::OtherOnMachine(line)) => {
            let theirs = quote(&t.workloads[other].name);
            let message = format!("{theirs} uses the network of the machine, so its name is not known in {from}");
            Finding::new(rule, dialect, at("this name is not known".into()), message)
                .severity(Severity::Warning)
                .confidence(Confidence::Likely)
                .label((line, format!("here {theirs} takes the network of the machine")))
                .label(seen.runs())
                .help("write `host.docker.internal`, with `extra_hosts: [\"host.docker.internal:host-gateway\"]` for the proxy")
        }
        Leads::Barred(other, Bar::OldBridge(line)) => {
            let message = format!("{} and {from} do not find each other by name", quote(&t.workloads[other].name));
            Finding::new(rule, dialect, at("this name is not known".into()), message)
                .severity(Severity::Warning)
                .confidence(Confidence::Likely)
                .label((line, "on the engine's default bridge no names are known".into()))
                .label(seen.runs())
                .help("take `network_mode: bridge` away: then both are on the network of the project")
        }
        Leads::Barred(other, Bar::NoNetwork(line)) => {
            let message = format!("{} and {from} have no network between them", quote(&t.workloads[other].name));
            Finding::new(rule, dialect, at("cannot be reached".into()), message)
                .label((line, "no network at all".into()))
                .label(seen.runs())
                .help("take `network_mode: none` away")
        }
        _ => return None,
    };
    Some(seen.unresolved(finding))
}

/// The service whose name is nearest to one that nobody has.
fn nearest<'t>(t: &'t Topology, project: &Project, name: &str) -> Option<&'t Workload> {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['-', '_'], "");
    let name_plain = plain(name);
    let of_like_length = |workload: &&Workload| workload.name.len().abs_diff(name.len()) <= 3;
    let near = project.workloads.iter().take(1000).map(|&id| &t.workloads[id]).filter(of_like_length);
    let near = near.filter_map(|workload| {
        let distance = match plain(&workload.name) == name_plain {
            true => 0,
            false => strsim::levenshtein(name, &workload.name),
        };
        (distance == 0 || (name.len() > 3 && distance <= 2)).then_some((distance, workload))
    });
    near.min_by_key(|(distance, _)| *distance).map(|(_, workload)| workload)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(name: &str, port: Port, lookup: Lookup) -> Vec<Severity> {
        let mut house = House::nginx();
        let endpoint = house.endpoint(11, name, port);
        house.t.endpoints[endpoint].lookup = lookup;
        house.found(RuleId::GW105).iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn the_nearest_name_is_meant() {
        let mut house = House::nginx();
        let proxy = house.workload(20, "proxy");
        house.workload(21, "web1");
        house.workload(22, "web2");
        let endpoint = house.endpoint(11, "web-2", Port::Written(80));
        house.sees(proxy, endpoint, Leads::Nobody);
        assert_eq!(lines(&house.found(RuleId::GW105)[0]), [11, 22, 29]);
    }

    #[test]
    fn nobody_of_that_name() {
        let mut house = House::nginx();
        let proxy = house.workload(20, "proxy");
        house.workload(21, "keycloak");
        let endpoint = house.endpoint(11, "keycloack", Port::Written(80));
        house.t.endpoints[endpoint].lookup = Lookup::AtStart;
        house.sees(proxy, endpoint, Leads::Nobody);
        let found = house.found(RuleId::GW105);
        assert_eq!((found[0].severity, lines(&found[0])), (Severity::Error, vec![11, 21, 29]));
        assert_eq!(found[0].outcome, Outcome::DoesNotStart);
        house.t.endpoints[endpoint].lookup = Lookup::Repeated { resolver: None };
        assert_eq!(house.found(RuleId::GW105)[0].outcome, Outcome::Either(502, 503));
        // A service of that name in another file, which may be laid over this one.
        let other = house.workload(22, "keycloack");
        assert!(house.found(RuleId::GW105).is_empty());
        house.t.workloads[other].name = "other".into();
        house.t.placements[0].how = Placed::Near;
        assert_eq!(house.found(RuleId::GW105)[0].severity, Severity::Warning);
    }

    #[test]
    fn another_project_that_is_in_order_makes_it_milder() {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        let endpoint = house.endpoint(11, "app", Port::Written(80));
        house.t.endpoints[endpoint].lookup = Lookup::AtStart;
        // It answers to the name as an alias.
        house.t.workloads[app].name = "web".into();
        house.sees(proxy, endpoint, Leads::Nobody);
        house.sees(proxy, endpoint, Leads::To(app));
        assert_eq!(house.found(RuleId::GW105)[0].severity, Severity::Warning);
    }

    #[test]
    fn reserved_names_never_resolve() {
        assert_eq!(said("app.invalid", Port::Written(80), Lookup::AtStart), [Severity::Error]);
        assert_eq!(said("APP.Invalid.", Port::Written(80), Lookup::AtStart), [Severity::Error]);
        assert!(said("app.invalid", Port::Written(80), Lookup::Repeated { resolver: None }).is_empty());
        assert!(said("app.example.com", Port::Written(80), Lookup::AtStart).is_empty());
        assert!(said("invalid", Port::Written(80), Lookup::AtStart).is_empty());
    }
}
