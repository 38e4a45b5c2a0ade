//! Proxies that make their configuration of what containers say of themselves: nginx-proxy asks each container that has a
//! `VIRTUAL_HOST` on its `VIRTUAL_PORT`, whatever else it exposes (its nginx.tmpl, `container_port`, and docs/README.md,
//! "Virtual Ports"). `VIRTUAL_HOST_MULTIPORTS` takes the place of both.

use super::contain::Container;
use crate::defaults::nginx;
use crate::source::Site;
use crate::syntax::words::Text;
use crate::topology::{Dialect, Handed, Namespace, Proxy, Topology};
use crate::value::Versions;

/// Whether an image is nginx-proxy.
fn is_nginx_proxy(image: &str) -> bool {
    let name = image.split('@').next().unwrap_or(image);
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
        let port = says("VIRTUAL_PORT").and_then(|text| Some((Text::known(text)?.parse::<u16>().ok()?, text.site)));
        let (Some((port, at)), None) = (port, says("VIRTUAL_HOST_MULTIPORTS")) else { continue };
        if t.workloads[container.workload].namespace != Namespace::Own || port == 0 {
            continue;
        }
        let proxy = *proxy.get_or_insert_with(|| {
            t.proxies.push(Proxy {
                dialect: Dialect::Nginx,
                versions: Versions::since(nginx::OLDEST_SHIPPED),
                entry: site.span.file,
                whole: false,
                again: false,
                limits: None,
            })
        });
        t.handed.push(Handed { proxy, by, to: container.workload, port, site: at });
    }
    asks.then_some(site)
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
        for image in
            ["nginx", "jc21/nginx-proxy-manager", "nginxproxy/docker-gen", "own/nginx-proxy", "xjwilder/nginx-proxy"]
        {
            assert!(!is_nginx_proxy(image), "{image}");
        }
    }
}
