//! Proxies that make their configuration of what containers say of themselves: nginx-proxy asks each container that has a
//! `VIRTUAL_HOST` on its `VIRTUAL_PORT`, whatever else it exposes (its nginx.tmpl, `container_port`, and docs/README.md,
//! "Virtual Ports"). `VIRTUAL_HOST_MULTIPORTS` takes the place of both.

use super::contain::Container;
use crate::defaults::nginx;
use crate::source::{Site, clean};
use crate::syntax::words::Text;
use crate::topology::{
    Dialect, Fault, FaultKind, FaultWeight, Handed, LoadEffect, Namespace, Proxy, Topology, WorkloadId,
};
use crate::value::Versions;

/// Whether an image is nginx-proxy.
fn is_nginx_proxy(image: &str) -> bool {
    let name = image.split('@').next().unwrap_or(image);
    // The one that makes the configuration for an nginx in another container.
    if name.contains("dockergen") {
        return false;
    }
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let name = name[last..].find(':').map_or(name, |colon| &name[..last + colon]);
    ["nginxproxy/nginx-proxy", "jwilder/nginx-proxy", "nginx-proxy/nginx-proxy"]
        .iter()
        .any(|known| name.strip_suffix(known).is_some_and(|registry| registry.is_empty() || registry.ends_with('/')))
}

/// Notes which ports the services of one project hand to the nginx-proxy among them. Gives a place in its file.
pub(super) fn find(containers: &[Container], t: &mut Topology) -> Option<Site> {
    let by = containers.iter().find(|one| one.image.as_deref().is_some_and(is_nginx_proxy))?.workload;
    let site = t.workloads[by].site;
    let mut proxy = None;
    let mut asks = false;
    for container in containers.iter().filter(|one| one.workload != by) {
        let says = |name: &str| container.environment.get(name);
        if says("VIRTUAL_HOST").is_none() {
            continue;
        }
        asks = true;
        let mut entry = |t: &mut Topology| {
            *proxy.get_or_insert_with(|| {
                t.proxies.push(Proxy {
                    dialect: Dialect::Nginx,
                    versions: Versions::since(nginx::OLDEST_SHIPPED),
                    entry: site.span.file,
                    whole: false,
                    again: false,
                    limits: None,
                })
            })
        };
        if let Some(host) = says("VIRTUAL_HOST")
            && apart(t, by, container.workload)
        {
            let proxy = entry(t);
            let (mine, theirs) = (&t.workloads[by], &t.workloads[container.workload]);
            let (mine, theirs) = (clean(&mine.name).into_owned(), clean(&theirs.name).into_owned());
            let message = format!("`{mine}` and `{theirs}` are on no common network, so nginx-proxy cannot reach it");
            let fault = Fault::new(FaultKind::NoSharedNetwork, proxy, (host.site, "asks for requests of this host"), message)
                .other(t.workloads[container.workload].site, "on other networks")
                .other(site, "nginx-proxy")
                .why("nginx-proxy writes no server for a container that it shares no network with: its requests get 502 or 503")
                .help("list one network under `networks` of both; a service that lists none is on `default`")
                .effect(LoadEffect::Status(503))
                .weight(FaultWeight::MayFail, false);
            t.load.faults.push(fault);
            continue;
        }
        let port = says("VIRTUAL_PORT").and_then(|text| Some((Text::known(text)?.parse::<u16>().ok()?, text.site)));
        let (Some((port, at)), None) = (port, says("VIRTUAL_HOST_MULTIPORTS")) else { continue };
        if t.workloads[container.workload].namespace != Namespace::Own || port == 0 {
            continue;
        }
        let proxy = entry(t);
        t.handed.push(Handed { proxy, by, to: container.workload, port, site: at });
    }
    asks.then_some(site)
}

/// Whether two services of one project are on networks of their own, and on none that somebody outside makes.
fn apart(t: &Topology, one: WorkloadId, other: WorkloadId) -> bool {
    let networks = |id: WorkloadId| {
        let workload = &t.workloads[id];
        workload.networks.known().filter(|networks| workload.namespace == Namespace::Own && !networks.is_empty())
    };
    // Files that merely lie side by side say nothing of each other.
    if t.projects[t.workloads[one].project].guessed {
        return false;
    }
    let (Some(one), Some(other)) = (networks(one), networks(other)) else { return false };
    !one.iter().any(|network| other.contains(network))
        && !one.iter().chain(other).any(|&network| t.networks[network].external)
}

#[cfg(test)]
mod tests {
    use super::is_nginx_proxy;

    #[test]
    fn images_of_nginx_proxy() {
        for image in
            ["nginxproxy/nginx-proxy:1.6-alpine", "jwilder/nginx-proxy", "docker.io/jwilder/nginx-proxy@sha256:a"]
        {
            assert!(is_nginx_proxy(image), "{image}");
        }
        for image in [
            "nginx",
            "nginxproxy/nginx-proxy:dockergen",
            "jc21/nginx-proxy-manager",
            "nginxproxy/docker-gen",
            "own/nginx-proxy",
            "xjwilder/nginx-proxy",
        ] {
            assert!(!is_nginx_proxy(image), "{image}");
        }
    }
}
