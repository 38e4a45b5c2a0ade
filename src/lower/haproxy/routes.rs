//! Which frontend leads to which backend.

use super::file::LoweredFile;
use super::section::{Front, Outline};
use crate::source::Site;
use crate::syntax::haproxy::SectionKeyword;
use crate::topology::{
    Fault, FaultKind, HopId, Known, Matcher, Origin, ProxyId, Route, Setting, Target, Topology, VirtualHostId,
};
use std::collections::{HashMap, HashSet};

/// Makes the routes of the files of one folder.
pub(super) fn join(files: &[LoweredFile], out: &mut Topology) {
    let mut own: Vec<HashMap<&str, HopId>> = Vec::with_capacity(files.len());
    let mut any: HashMap<&str, HopId> = HashMap::new();
    for file in files {
        let mut hops = HashMap::new();
        for lowered in &file.sections {
            if let Some(hop) = lowered.hop {
                hops.entry(&*lowered.section.name).or_insert(hop);
                any.entry(&lowered.section.name).or_insert(hop);
            }
        }
        own.push(hops);
    }
    let mut used: HashSet<HopId> = HashSet::new();
    let mut all_used = false;
    let mut prefixes: HashSet<&str> = HashSet::new();
    for (file, hops) in files.iter().zip(&own) {
        let sections: HashMap<&str, &Outline> =
            file.sections.iter().filter(|l| l.hop.is_some()).map(|l| (&*l.section.name, &l.section)).collect();
        let find = |name: &str| hops.get(name).or_else(|| any.get(name)).copied();
        for lowered in &file.sections {
            let section = &lowered.section;
            let (Some(host), Some(front)) = (lowered.virtual_host, &section.front) else { continue };
            for wanted in &front.wanted {
                if wanted.computed || wanted.filled_in {
                    let fixed = wanted.name.split(['%', '$']).next().unwrap_or("");
                    all_used |= fixed.is_empty();
                    prefixes.insert(fixed);
                    continue;
                }
                let Some(hop) = find(&wanted.name) else { continue };
                used.insert(hop);
                add(file.proxy, host, wanted.site, wanted.matcher.clone(), hop, out);
                let hop = &mut out.hops[hop];
                if let Some(sure) = wanted.websockets
                    && hop.websockets.as_ref().is_none_or(|known| sure && !known.sure)
                    && hop.protocol.has_status()
                {
                    hop.websockets = Some(Box::new(super::hop::websockets(sure, wanted.site)));
                }
                if !wanted.conditional {
                    modes(file, section, wanted.site, &wanted.name, &sections, out);
                }
            }
            match front.default_backend.named() {
                Some((name, site)) => {
                    if let Some(hop) = find(name) {
                        used.insert(hop);
                        add(file.proxy, host, site, Matcher::Always, hop, out);
                        modes(file, section, site, name, &sections, out);
                    }
                }
                None => {
                    all_used |= front.default_backend.site().is_some();
                    if section.keyword == SectionKeyword::Listen
                        && let Some(hop) = lowered.hop
                    {
                        add(file.proxy, host, section.header, Matcher::Always, hop, out);
                    }
                }
            }
        }
    }
    let fronts: HashMap<VirtualHostId, &Front> = files
        .iter()
        .flat_map(|file| &file.sections)
        .filter_map(|lowered| Some((lowered.virtual_host?, &**lowered.section.front.as_ref()?)))
        .collect();
    for file in files {
        for lowered in &file.sections {
            let Some(hop) = lowered.hop else { continue };
            let section = &lowered.section;
            if let Target::Pool(pool) = out.hops[hop].target {
                let may = |prefix: &str| section.name.starts_with(prefix);
                out.pools[pool].used = used.contains(&hop)
                    || all_used
                    || section.keyword == SectionKeyword::Listen
                    || prefixes.iter().take(64).any(|prefix| may(prefix))
                    || prefixes.len() > 64;
            }
            if section.keyword == SectionKeyword::Backend {
                from_frontends(hop, &fronts, out);
            }
        }
    }
}

/// An HTTP frontend cannot hand its requests to a backend that does not understand them.
fn modes(
    file: &LoweredFile,
    front: &Outline,
    way: Site,
    name: &str,
    sections: &HashMap<&str, &Outline>,
    out: &mut Topology,
) {
    let Some(back) = sections.get(name) else { return };
    let conditional = front.condition.is_some() || back.condition.is_some();
    if conditional
        || !out.proxies[file.proxy].whole
        || back.disabled
        || front.is_http != Some(true)
        || back.is_http != Some(false)
    {
        return;
    }
    let written = back.mode;
    let shown: String = name.chars().take(60).collect();
    let mut fault = Fault::new(
        FaultKind::ModeMismatch,
        file.proxy,
        (written.unwrap_or(back.header), if written.is_some() { "not HTTP" } else { "`mode` is not set: tcp" }),
        format!("the backend `{shown}` is not in HTTP mode, and an HTTP frontend hands requests to it"),
    )
    .other(way, "requests come from here")
    .help("write `mode http` in both, best in `defaults`; or `mode tcp` in both, if nobody is to read the requests");
    if let Some(mode) = front.mode {
        fault = fault.other(mode, "HTTP");
    }
    out.load.faults.push(fault);
}

fn add(proxy: ProxyId, host: VirtualHostId, site: Site, matcher: Matcher, hop: HopId, out: &mut Topology) {
    let route = out.routes.push(Route { proxy, virtual_host: Some(host), site, matcher, hop: Some(hop) });
    out.virtual_hosts[host].routes.push(route);
    out.hops[hop].routes.push(route);
}

/// What the frontends that lead to a backend say of its hop, where they say the same.
fn from_frontends(hop: HopId, fronts: &HashMap<VirtualHostId, &Front>, out: &mut Topology) {
    let routes = &out.hops[hop].routes;
    let mut hosts: Vec<VirtualHostId> = routes.iter().filter_map(|&route| out.routes[route].virtual_host).collect();
    hosts.dedup();
    let mut leading = hosts.iter().filter_map(|host| fronts.get(host).copied());
    let Some(first) = leading.next() else { return };
    let closes = |front: &Front| front.closes.known() == Some(&true);
    let (mut same, mut all_close) = (Some(first.client.clone()), closes(first));
    for front in leading {
        same = same.filter(|setting| setting.value == front.client.value);
        all_close &= closes(front);
    }
    let hop = &mut out.hops[hop];
    hop.timeouts.client = same.map(Box::new);
    // Either side may ask for it.
    if all_close
        && hop.reuse.kept.known() == Some(&true)
        && let Some(at) = first.closes.site()
    {
        hop.reuse.kept = Setting {
            value: Known::Yes(false),
            origin: Origin::Inherited { at, scope: crate::topology::Scope::Local },
            spelling: "option http-server-close",
        };
    }
}
