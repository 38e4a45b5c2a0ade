//! GW109: the resolver cannot know the name.

use super::prelude::*;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// GW109.
pub struct ResolverOutOfReach;

/// Name servers of the public Internet, as their operators publish them: Google, Cloudflare, Quad9, OpenDNS.
const PUBLIC: [&str; 16] = [
    "8.8.8.8",
    "8.8.4.4",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "1.1.1.1",
    "1.0.0.1",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    "9.9.9.9",
    "149.112.112.112",
    "2620:fe::fe",
    "2620:fe::9",
    "208.67.222.222",
    "208.67.220.220",
    "2620:119:35::35",
    "2620:119:53::53",
];

/// Ends of names that only a private name server knows: reserved by RFC 6762, RFC 8375 and by ICANN (`internal`), or
/// those of Kubernetes, Consul and Docker.
const PRIVATE: [&str; 7] = [".local", ".internal", ".home.arpa", ".svc", ".consul", ".lan", ".docker"];

/// What is known of the name servers that are asked.
#[derive(Clone, Copy)]
struct Asked {
    site: Site,
    /// All of them are known, and are public ones.
    public: bool,
    /// One of them is the name server of a cluster.
    cluster: bool,
    /// All of them have addresses for examples, so nobody answers.
    nobody: bool,
    /// One of them may know bare names: a container engine's own, or one that is not known.
    bare: bool,
}

impl Asked {
    fn of(resolver: &Resolver) -> Self {
        let servers = resolver.servers.known().map_or(&[][..], |servers| servers);
        let all = |test: fn(&Host) -> bool| !servers.is_empty() && servers.iter().all(|(host, _)| test(host));
        let any = |test: fn(&Host) -> bool| servers.iter().any(|(host, _)| test(host));
        Self {
            site: resolver.site,
            public: all(is_public),
            cluster: any(is_cluster),
            nobody: all(Host::is_for_examples),
            bare: servers.is_empty() || any(knows_bare_names),
        }
    }
}

fn is_public(host: &Host) -> bool {
    matches!(host, Host::Ip(ip) if PUBLIC.iter().any(|known| known.parse() == Ok(*ip)))
}

fn is_cluster(host: &Host) -> bool {
    matches!(host, Host::Name(name) if name.starts_with("kube-dns.") || name.starts_with("coredns."))
}

/// Docker's own name server is at 127.0.0.11, Podman's at the first address of a network below 10.88.0.0/15 by default.
fn knows_bare_names(host: &Host) -> bool {
    match host {
        Host::Ip(IpAddr::V4(ip)) => matches!(ip.octets(), [127, 0, 0, 11] | [10, 88 | 89, ..]),
        _ => false,
    }
}

/// Why a resolver does not know a name, and how sure that is.
fn judge(name: &str, asked: Asked) -> Option<(&'static str, Confidence)> {
    if name.ends_with('.') || name.contains('$') || Host::Name(name.into()).is_to_be_filled_in() {
        return None;
    }
    if asked.nobody {
        return Some((
            "no machine has the address of this name server: it is set aside for examples",
            Confidence::Likely,
        ));
    }
    let lower = name.to_ascii_lowercase();
    if !lower.contains('.') {
        const BARE: &str = "it is asked for the name as it stands: the search domains of `/etc/resolv.conf` and the \
                            names in `/etc/hosts` do not count";
        return match () {
            () if asked.bare => None,
            // Some name servers answer it, as RFC 6761 asks them to.
            () if lower == "localhost" && !asked.public => Some((BARE, Confidence::Possible)),
            () if asked.public || asked.cluster => Some((BARE, Confidence::Certain)),
            () => Some((BARE, Confidence::Likely)),
        };
    }
    if asked.public && PRIVATE.iter().any(|end| lower.ends_with(end)) {
        return Some(("a public name server knows no private names", Confidence::Certain));
    }
    // In full it ends in the domain of the cluster.
    (asked.cluster && lower.ends_with(".svc")).then_some((
        "it is asked for the name as it stands: the search domains of `/etc/resolv.conf` do not count",
        Confidence::Likely,
    ))
}

/// Why the name server of a cluster does not find the short name of a Service.
const SHORT: &str = "it is asked for the name as it stands: the search domains of the pod's `/etc/resolv.conf` do not count, and the \
                     cluster's name server knows the full name only";

/// Why a name that is written into a container's `/etc/hosts` is not found.
const OWN: &str =
    "a resolver asks name servers only: the names that `extra_hosts` writes into `/etc/hosts` do not count";

/// Names that only the container in which a proxy runs finds, in its `/etc/hosts`, with their places. A name that a service
/// bears, too, is known to the engine's name server.
fn own_names(topology: &Topology) -> HashMap<(ProxyId, &str), Site> {
    let mut found = HashMap::new();
    for placement in &topology.placements {
        let workload = &topology.workloads[placement.workload];
        if topology.projects[workload.project].kind != ProjectKind::Compose {
            continue;
        }
        let elsewhere = workload.own_names.iter().filter(|(_, leads, _)| !matches!(leads, OwnName::Workload(_)));
        for (name, _, site) in elsewhere.take(100) {
            found.extend(workload.proxies.iter().map(|&proxy| ((proxy, &**name), *site)));
        }
    }
    found
}

/// The Services to which names lead where the proxy runs.
fn services(topology: &Topology) -> HashMap<Asks, ServiceId> {
    let service = |outlook: &Outlook| match outlook.leads {
        Leads::Service(id) => Some((outlook.asks, id)),
        _ => None,
    };
    topology.outlooks.iter().filter_map(service).collect()
}

fn full_name(service: &Service, name: &str) -> String {
    let namespace = service.namespace.as_deref().or_else(|| name.split('.').nth(1));
    match namespace {
        Some(namespace) => format!("write `{}.{namespace}.svc.cluster.local`", service.name),
        None => format!("write `{}.NAMESPACE.svc.cluster.local`, with the namespace in which it runs", service.name),
    }
}

impl Rule for ResolverOutOfReach {
    fn id(&self) -> RuleId {
        RuleId::GW109
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        let asked: HashMap<Site, Asked> =
            topology.resolvers.iter().map(|(_, resolver)| (resolver.site, Asked::of(resolver))).collect();
        if asked.is_empty() {
            return;
        }
        let mut told = HashSet::new();
        let services = services(topology);
        let own_names = own_names(topology);
        let pools: HashSet<&str> = match services.is_empty() {
            true => HashSet::new(),
            false => topology.pools.iter().map(|(_, pool)| &*pool.name).collect(),
        };
        let mut tell = |asks: Asks, proxy: ProxyId, name: &str, site: Site, way: Option<Site>, asked: Asked| {
            let service = services.get(&asks).filter(|_| !name.ends_with('.')).map(|&id| &topology.services[id]);
            let short = service.filter(|_| !asked.bare && name.split('.').count() < 4);
            let own = own_names.get(&(proxy, name)).copied();
            let judged = match (short, own) {
                (Some(_), _) => Some((SHORT, Confidence::Certain)),
                (None, Some(_)) => Some((OWN, Confidence::Likely)),
                (None, None) => judge(name, asked),
            };
            let Some((why, confidence)) = judged else { return };
            if !told.insert((site, asked.site)) {
                return;
            }
            let message = format!("the resolver cannot find {}", quote(name));
            let help = match short {
                Some(service) => full_name(service, name),
                None if name.eq_ignore_ascii_case("localhost") => {
                    "write `127.0.0.1`: the machine itself needs no resolver".to_owned()
                }
                None => "write the full name, as the name server knows it, or ask a name server that knows this one"
                    .to_owned(),
            };
            out.push(
                Finding::new(self.id(), cx.dialect(proxy), (site, "looked up while it runs".into()), message)
                    .confidence(confidence)
                    .label((asked.site, "this is asked".into()))
                    .label_if(way.map(|way| (way, "requests go there".into())))
                    .label_if(
                        own.filter(|_| short.is_none()).map(|at| (at, "written into `/etc/hosts` by this".into())),
                    )
                    .label_if(short.map(|service| (service.site, "the Service that is meant".into())))
                    .why(why)
                    .why_of_dialect()
                    .help(help),
            );
        };
        for (id, hop) in topology.hops.iter() {
            let Target::Computed(computed) = &hop.target else { continue };
            let Known::Yes(Some(resolver)) = computed.resolver else { continue };
            let Some(&asked) = asked.get(&resolver) else { continue };
            // In a part of a configuration, a bare name may be a group of another file.
            let whole = topology.proxies[hop.proxy].whole;
            let names = computed.outcomes.iter().enumerate();
            let names = names.filter(|(_, outcome)| outcome.is == ComputedKind::HostName);
            for (number, outcome) in names.take(64) {
                let asks = Asks::Outcome(id, number as u32);
                let is_service = services.contains_key(&asks) && !pools.contains(&*outcome.name);
                if !whole && !outcome.name.contains('.') && !is_service {
                    continue;
                }
                let way = Some(hop.target_site).filter(|way| *way != outcome.site);
                tell(asks, hop.proxy, &outcome.name, outcome.site, way, asked);
            }
        }
        for (id, endpoint) in topology.endpoints.iter() {
            if let Lookup::Repeated { resolver: Some(resolver) } = endpoint.lookup
                && let Some(&asked) = asked.get(&resolver)
                && let Some(name) = endpoint.host_name()
                && endpoint.is_usable()
            {
                tell(Asks::Endpoint(id), endpoint.proxy, name, endpoint.address_site, None, asked);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(servers: &[&str]) -> Asked {
        let site = super::super::testing::at(3);
        let servers = servers.iter().map(|server| (Host::parse(server), site)).collect();
        let proxy = super::super::testing::House::nginx().proxy;
        Asked::of(&Resolver { proxy, site, servers: Known::Yes(servers), keeps: None, mixes_families: true })
    }

    fn sure(name: &str, servers: &[&str]) -> Option<Confidence> {
        judge(name, asked(servers)).map(|(_, confidence)| confidence)
    }

    #[test]
    fn bare_names() {
        assert_eq!(sure("app", &["8.8.8.8", "1.1.1.1"]), Some(Confidence::Certain));
        assert_eq!(sure("app", &["kube-dns.kube-system.svc.cluster.local"]), Some(Confidence::Certain));
        assert_eq!(sure("app", &["10.0.0.2"]), Some(Confidence::Likely));
        assert_eq!(sure("localhost", &["10.0.0.2"]), Some(Confidence::Possible));
        assert_eq!(sure("app", &["127.0.0.11"]), None);
        assert_eq!(sure("app", &["10.0.0.2", "127.0.0.11"]), None);
        assert_eq!(sure("app", &["10.89.0.1"]), None);
        assert_eq!(sure("app", &[]), None);
        assert_eq!(sure("app.", &["8.8.8.8"]), None);
    }

    #[test]
    fn private_names() {
        assert_eq!(sure("app.default.svc.cluster.local", &["8.8.8.8"]), Some(Confidence::Certain));
        assert_eq!(sure("app.default.svc.cluster.local", &["10.96.0.10"]), None);
        assert_eq!(sure("app.default.svc.cluster.local", &["8.8.8.8", "10.96.0.10"]), None);
        assert_eq!(sure("app.default.svc", &["kube-dns.kube-system.svc.cluster.local"]), Some(Confidence::Likely));
        assert_eq!(sure("app.example.com", &["8.8.8.8"]), None);
        assert_eq!(sure("app.example.com", &["192.0.2.53"]), Some(Confidence::Likely));
        assert_eq!(sure("app.example.com", &["192.0.2.53", "10.0.0.2"]), None);
    }
}
