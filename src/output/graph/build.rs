//! From a report to boxes and lines.

use super::marks::{Anchors, Element};
use super::{Cluster, Edge, Graph, Kind, Mark, Node};
use crate::engine::Report;
use crate::output::plain;
use crate::source::{FileId, Site};
use crate::topology::{
    Asks, Bar, ComputedKind, EndpointId, HopId, Known, Leads, ListenerId, Listens, Matcher, Origin, PoolId, Protocol,
    ProxyId, Route, Target, Topology, Weight, WorkloadId,
};
use std::collections::{HashMap, HashSet};

/// Most names, ports and the like that one box shows.
const MAX_WORDS: usize = 3;

pub(super) fn build(report: &Report) -> Graph {
    let mut build = Build {
        report,
        t: &report.topology,
        graph: Graph::default(),
        anchors: Anchors::default(),
        lines: HashMap::new(),
        listeners: HashMap::new(),
        endpoints: HashMap::new(),
        of_endpoint: HashMap::new(),
        pools: HashMap::new(),
        targets: HashMap::new(),
        workloads: HashMap::new(),
        clusters: HashMap::new(),
        looks: looks(&report.topology),
    };
    build.clusters();
    build.listeners();
    build.pools();
    build.sites();
    build.workloads();
    build.findings();
    build.graph
}

/// What addresses lead to, each answer once.
fn looks(t: &Topology) -> HashMap<Asks, Vec<(Leads, Option<WorkloadId>)>> {
    let mut looks: HashMap<Asks, Vec<_>> = HashMap::new();
    for outlook in &t.outlooks {
        let own = t.placements.get(outlook.placement as usize).map(|placement| placement.workload);
        let own = own.filter(|_| outlook.leads == Leads::Itself);
        let known = looks.entry(outlook.asks).or_default();
        // One address asked from many places: the first few tell the story.
        if known.len() < 8 && !known.contains(&(outlook.leads, own)) {
            known.push((outlook.leads, own));
        }
    }
    for peer in &t.peers {
        let known = looks.entry(Asks::Endpoint(peer.endpoint)).or_default();
        if known.len() < 8 && !known.contains(&(Leads::To(peer.workload), None)) {
            known.push((Leads::To(peer.workload), None));
        }
    }
    looks
}

struct Build<'a> {
    report: &'a Report,
    t: &'a Topology,
    graph: Graph,
    anchors: Anchors,
    lines: HashMap<(usize, usize), usize>,
    listeners: HashMap<ListenerId, usize>,
    /// Addresses of each proxy: the same one is one box.
    endpoints: HashMap<(ProxyId, String), usize>,
    of_endpoint: HashMap<EndpointId, usize>,
    pools: HashMap<PoolId, usize>,
    /// What hops lead to.
    targets: HashMap<HopId, Option<usize>>,
    workloads: HashMap<WorkloadId, usize>,
    /// The box around what belongs to each proxy.
    clusters: HashMap<ProxyId, usize>,
    looks: HashMap<Asks, Vec<(Leads, Option<WorkloadId>)>>,
}

impl Build<'_> {
    fn text(&self, site: Site) -> String {
        let text = self.report.sources.text(site.span);
        // A statement over many lines is named by its first words.
        let end = text.char_indices().nth(200).map_or(text.len(), |(at, _)| at);
        plain(&text[..end]).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn path(&self, file: FileId) -> String {
        plain(self.report.sources.file(file).path()).into_owned()
    }

    fn place(&self, site: Site) -> (String, u32) {
        let file = self.report.sources.file(site.span.file);
        (self.path(site.span.file), file.line_index(site.span.start) as u32 + 1)
    }

    fn node(
        &mut self,
        kind: Kind,
        title: &str,
        details: Vec<String>,
        proxy: Option<ProxyId>,
        site: Option<Site>,
    ) -> usize {
        let number = self.graph.nodes.len();
        let place = site.map(|site| self.place(site));
        self.graph.nodes.push(Node {
            kind,
            title: plain(title).into_owned(),
            details: details.iter().map(|line| plain(line).into_owned()).collect(),
            cluster: proxy.and_then(|proxy| self.clusters.get(&proxy).copied()),
            place,
            marks: Vec::new(),
        });
        if let Some(site) = site {
            self.anchors.add(site.span, Element::Node(number));
        }
        number
    }

    fn line(&mut self, from: usize, to: usize, word: Option<String>) -> usize {
        let edges = &mut self.graph.edges;
        let number = *self.lines.entry((from, to)).or_insert_with(|| {
            edges.push(Edge { from, to, words: Vec::new(), barred: false, marks: Vec::new() });
            edges.len() - 1
        });
        if let Some(word) = word {
            let words = &mut edges[number].words;
            // Compared with a few only: routes of one kind come one after the other.
            if !words.iter().rev().take(64).any(|known| *known == word) {
                words.push(word);
            }
        }
        number
    }

    fn clusters(&mut self) {
        let mut runs: HashMap<FileId, Vec<WorkloadId>> = HashMap::new();
        for placement in &self.t.placements {
            let known = runs.entry(placement.file).or_default();
            if known.len() < 8 && !known.contains(&placement.workload) {
                known.push(placement.workload);
            }
        }
        let mut first: HashMap<FileId, usize> = HashMap::new();
        for (id, proxy) in self.t.proxies.iter() {
            if let Some(&drawn) = first.get(&proxy.entry).filter(|_| proxy.again) {
                // Of the branches of a template only the first ones are drawn.
                self.clusters.insert(id, drawn);
                continue;
            }
            first.insert(proxy.entry, self.graph.clusters.len());
            self.clusters.insert(id, self.graph.clusters.len());
            let mut details = Vec::new();
            for &id in runs.get(&proxy.entry).into_iter().flatten().take(MAX_WORDS) {
                let workload = &self.t.workloads[id];
                let mut words = format!("run by {}", plain(&workload.name));
                let published = self.published(id);
                if !published.is_empty() {
                    words += &format!(" ({published})");
                }
                details.push(words);
            }
            self.graph.clusters.push(Cluster {
                dialect: proxy.dialect.name(),
                path: self.path(proxy.entry),
                details,
                marks: Vec::new(),
            });
        }
    }

    fn published(&self, id: WorkloadId) -> String {
        let mut ports = Vec::new();
        for port in &self.t.workloads[id].published {
            let inner = port.container.known().map_or_else(|| "?".to_owned(), ToString::to_string);
            ports.push(match port.host.known() {
                Some(Some(outer)) => format!("{outer} → {inner}"),
                Some(None) => format!("some port → {inner}"),
                None => format!("? → {inner}"),
            });
        }
        match ports.len() {
            0 => String::new(),
            _ => format!("published: {}", super::listed(&ports, MAX_WORDS)),
        }
    }

    /// Listeners with the same address and proxy are one box, however often they are written.
    fn listeners(&mut self) {
        let mut known: HashMap<(usize, String), usize> = HashMap::new();
        for (id, listener) in self.t.listeners.iter().filter(|(_, one)| !self.t.proxies[one.proxy].again) {
            let title = match &listener.bind {
                Known::Yes((address, Some((first, last)))) if first == last => format!("{address}:{first}"),
                Known::Yes((address, Some((first, last)))) => format!("{address}:{first}-{last}"),
                Known::Yes((address, None)) => address.to_string(),
                Known::Unknown(_) => self.text(listener.site),
            };
            let mut details = Vec::new();
            if listener.tls.known() == Some(&true) {
                details.push("TLS".to_owned());
            }
            if listener.proxy_protocol.known() == Some(&true) {
                details.push("expects a PROXY header".to_owned());
            }
            let key = (listener.proxy.index(), format!("{title} {}", details.join(" ")));
            let node = match known.get(&key) {
                Some(&node) => {
                    self.anchors.add(listener.site.span, Element::Node(node));
                    node
                }
                None => self.node(Kind::Listener, &title, details, Some(listener.proxy), Some(listener.site)),
            };
            known.insert(key, node);
            self.listeners.insert(id, node);
        }
    }

    fn pools(&mut self) {
        for (id, pool) in self.t.pools.iter().filter(|(_, one)| !self.t.proxies[one.proxy].again) {
            if pool.answers_itself && pool.members.is_empty() {
                continue;
            }
            let mut details = Vec::new();
            if !pool.used {
                details.push("nothing leads here".to_owned());
            }
            if pool.open_ended {
                details.push("may have more members".to_owned());
            }
            if pool.members.is_empty() && !pool.open_ended {
                details.push("no members".to_owned());
            }
            let node = self.node(Kind::Pool, &pool.name, details, Some(pool.proxy), Some(pool.site));
            self.anchors.add(pool.name_site.span, Element::Node(node));
            self.pools.insert(id, node);
            for &member in &pool.members {
                let to = self.endpoint(member);
                let endpoint = &self.t.endpoints[member];
                let word = match (endpoint.down.is_some(), endpoint.backup) {
                    (true, _) => Some("out of service".to_owned()),
                    (_, true) => Some("backup".to_owned()),
                    _ => None,
                };
                self.line(node, to, word);
            }
        }
    }

    fn endpoint(&mut self, id: EndpointId) -> usize {
        if let Some(&node) = self.of_endpoint.get(&id) {
            return node;
        }
        let endpoint = &self.t.endpoints[id];
        let port = endpoint.port.known().and_then(|port| port.number());
        let title = match (&endpoint.address, port) {
            (Known::Yes(address), Some(port)) => format!("{address}:{port}"),
            (Known::Yes(address), None) => address.to_string(),
            (Known::Unknown(_), _) => self.text(endpoint.address_site),
        };
        let node = self.address(endpoint.proxy, title, endpoint.site);
        self.anchors.add(endpoint.site.span, Element::Node(node));
        self.anchors.add(endpoint.address_site.span, Element::Node(node));
        self.of_endpoint.insert(id, node);
        self.leads(node, Asks::Endpoint(id));
        if let Some(link) = endpoint.leads_to
            && let Some(&to) = self.listeners.get(&link.listener)
        {
            self.line(node, to, None);
        }
        node
    }

    fn address(&mut self, proxy: ProxyId, title: String, site: Site) -> usize {
        let key = (proxy, title);
        if let Some(&node) = self.endpoints.get(&key) {
            return node;
        }
        let node = self.node(Kind::Endpoint, &key.1, Vec::new(), Some(proxy), Some(site));
        self.endpoints.insert(key, node);
        node
    }

    /// Where an address leads to.
    fn leads(&mut self, from: usize, asks: Asks) {
        let Some(looks) = self.looks.get(&asks).cloned() else { return };
        for (leads, own) in looks {
            match leads {
                Leads::To(id) | Leads::Container(id) => {
                    let to = self.workload(id);
                    self.line(from, to, None);
                }
                Leads::Service(id) => {
                    let service = &self.t.services[id];
                    let words = format!("the Service {}", service.name);
                    for &workload in service.workloads().iter().take(8) {
                        let to = self.workload(workload);
                        self.line(from, to, Some(words.clone()));
                    }
                    if service.workloads().is_empty() {
                        self.detail(from, &words);
                    }
                }
                Leads::Itself => {
                    if let Some(own) = own {
                        let to = self.workload(own);
                        self.line(from, to, Some("its own loopback".to_owned()));
                    }
                }
                Leads::Barred(id, bar) => {
                    let words = match bar {
                        Bar::NoCommonNetwork => "no common network",
                        Bar::Shares(..) => "has no name of its own",
                        Bar::OnMachine(_) => "the proxy uses the machine's network",
                        Bar::NoNetwork(_) => "the proxy has no network",
                        Bar::OtherOnMachine(_) => "it uses the machine's network",
                        Bar::OldBridge(_) => "no names on the old default network",
                    };
                    let to = self.workload(id);
                    let line = self.line(from, to, Some(words.to_owned()));
                    self.graph.edges[line].barred = true;
                }
                Leads::Machine | Leads::MachineByName => self.detail(from, "the machine itself"),
                Leads::Nobody => self.detail(from, "nobody there has this name"),
            }
        }
    }

    fn detail(&mut self, node: usize, words: &str) {
        let details = &mut self.graph.nodes[node].details;
        if !details.iter().any(|known| known == words) {
            details.push(words.to_owned());
        }
    }

    fn workload(&mut self, id: WorkloadId) -> usize {
        if let Some(&node) = self.workloads.get(&id) {
            return node;
        }
        let workload = &self.t.workloads[id];
        let mut details = Vec::new();
        if let Some((program, _)) = &workload.server.program {
            details.push(program.to_string());
        }
        let mut claims: Vec<_> = workload.claims.iter().filter(|claim| claim.weight > Weight::Weak).collect();
        claims.sort_by_key(|claim| std::cmp::Reverse(claim.weight));
        let mut listens: Vec<String> = Vec::new();
        for claim in claims.into_iter().take(100) {
            let at = match claim.at.known() {
                Some(Listens::Port(port)) => port.to_string(),
                Some(Listens::Socket(path)) => format!("unix:{path}"),
                None => continue,
            };
            if !listens.contains(&at) {
                listens.push(at);
            }
        }
        if !listens.is_empty() {
            details.push(format!("listens on {}", super::listed(&listens, MAX_WORDS)));
        }
        let published = self.published(id);
        if !published.is_empty() {
            details.push(published);
        }
        let node = self.node(Kind::Workload, &workload.name, details, None, Some(workload.site));
        for site in
            workload.claims.iter().map(|claim| claim.site).chain(workload.published.iter().map(|port| port.site))
        {
            self.anchors.add(site.span, Element::Node(node));
        }
        self.workloads.insert(id, node);
        node
    }

    /// Virtual hosts with their routes, and routes whose virtual host stands elsewhere.
    fn sites(&mut self) {
        for (_, host) in self.t.virtual_hosts.iter().filter(|(_, one)| !self.t.proxies[one.proxy].again) {
            let names: Vec<&str> = host.names.iter().map(|(name, _)| &**name).filter(|name| !name.is_empty()).collect();
            let title = match names.is_empty() {
                true => "any name".to_owned(),
                false => super::listed(&names, MAX_WORDS),
            };
            let node = self.node(Kind::Site, &title, Vec::new(), Some(host.proxy), Some(host.site));
            for &listener in &host.listeners {
                if let Some(&from) = self.listeners.get(&listener) {
                    self.line(from, node, None);
                }
            }
            let mut here = 0;
            for &route in &host.routes {
                here += usize::from(!self.route(node, &self.t.routes[route]));
            }
            if here > 0 {
                let words = if here == 1 { "1 route ends here".to_owned() } else { format!("{here} routes end here") };
                self.detail(node, &words);
            }
        }
        let mut fragments: HashMap<ProxyId, usize> = HashMap::new();
        let alone = |route: &Route| route.virtual_host.is_none() && !self.t.proxies[route.proxy].again;
        for (_, route) in self.t.routes.iter().filter(|(_, route)| alone(route)) {
            let node = match fragments.get(&route.proxy) {
                Some(&node) => node,
                None => {
                    self.node(Kind::Site, "some site", vec!["not in these files".to_owned()], Some(route.proxy), None)
                }
            };
            fragments.insert(route.proxy, node);
            self.route(node, route);
        }
    }

    /// A route as a line; whether it leads anywhere.
    fn route(&mut self, from: usize, route: &Route) -> bool {
        let to = route.hop.and_then(|hop| self.target(hop));
        let Some(to) = to else {
            self.anchors.add(route.site.span, Element::Node(from));
            return route.hop.is_some();
        };
        let path = match &route.matcher {
            Matcher::Always => None,
            Matcher::Prefix(path) => Some(path.to_string()),
            Matcher::Exact(path) => Some(format!("= {path}")),
            Matcher::Condition(text) => Some(text.to_string()),
            Matcher::Named(name) => Some(format!("@{}", name.trim_start_matches('@'))),
        };
        let hop = route.hop.map(|hop| &self.t.hops[hop]);
        let spoken = hop.and_then(|hop| spoken(hop.protocol, hop.tls.is_some()));
        let word = match (path, spoken) {
            (Some(path), Some(spoken)) => Some(format!("{path} ({spoken})")),
            (Some(path), None) => Some(path),
            (None, spoken) => spoken.map(str::to_owned),
        };
        let line = self.line(from, to, word.map(|word| plain(&word).into_owned()));
        self.anchors.add(route.site.span, Element::Edge(line));
        if let Some(hop) = hop {
            self.anchors.add(hop.target_site.span, Element::Edge(line));
            self.anchors.add(hop.site.span, Element::Edge(line));
            // What is written for this hop alone; what it inherits concerns others, too.
            let timeouts = [&hop.timeouts.connect, &hop.timeouts.send, &hop.timeouts.read];
            for setting in timeouts.into_iter().chain([&*hop.retry.window, &*hop.reuse.idle]) {
                if let Origin::Written(site) = setting.origin {
                    self.anchors.add(site.span, Element::Edge(line));
                }
            }
            for site in hop.tls.iter().map(|tls| tls.site) {
                self.anchors.add(site.span, Element::Edge(line));
            }
        }
        true
    }

    /// What a hop leads to.
    fn target(&mut self, id: HopId) -> Option<usize> {
        if let Some(&known) = self.targets.get(&id) {
            return known;
        }
        let hop = &self.t.hops[id];
        let node = match &hop.target {
            Target::Pool(pool) => self.pools.get(pool).copied(),
            Target::Endpoint(endpoint) => Some(self.endpoint(*endpoint)),
            Target::Unknown(_) => {
                let details = vec!["not to be known from these files".to_owned()];
                let text = self.text(hop.target_site);
                Some(self.node(Kind::Computed, &text, details, Some(hop.proxy), None))
            }
            Target::Computed(computed) => {
                let mut details = vec!["decided for each request".to_owned()];
                if !computed.complete {
                    details.push("may lead elsewhere, too".to_owned());
                }
                let node = self.node(Kind::Computed, &computed.text, details, Some(hop.proxy), None);
                for (number, outcome) in computed.outcomes.iter().enumerate() {
                    let to = match outcome.is {
                        ComputedKind::Pool(pool) => self.pools.get(&pool).copied(),
                        ComputedKind::Address | ComputedKind::HostName => {
                            let title = match outcome.port {
                                Some(port) => format!("{}:{port}", outcome.name),
                                None => outcome.name.to_string(),
                            };
                            let to = self.address(hop.proxy, title, outcome.site);
                            self.anchors.add(outcome.site.span, Element::Node(to));
                            self.leads(to, Asks::Outcome(id, number as u32));
                            Some(to)
                        }
                        ComputedKind::Malformed => None,
                    };
                    if let Some(to) = to {
                        self.line(node, to, None);
                    }
                }
                Some(node)
            }
        };
        self.targets.insert(id, node);
        node
    }

    /// Services of a project to which nothing leads stand there, too, where they say a port; those that run a proxy are
    /// named in its title.
    fn workloads(&mut self) {
        let placed: HashSet<WorkloadId> = self.t.placements.iter().map(|placed| placed.workload).collect();
        for (id, workload) in self.t.workloads.iter() {
            let runs = !workload.proxies.is_empty() || placed.contains(&id);
            if !(runs || workload.claims.is_empty() && workload.published.is_empty()) {
                self.workload(id);
            }
        }
    }

    fn findings(&mut self) {
        self.anchors.sort();
        let mut owner: HashMap<FileId, usize> = HashMap::new();
        for (id, proxy) in self.t.proxies.iter() {
            let Some(&cluster) = self.clusters.get(&id) else { continue };
            owner.entry(proxy.entry).or_insert(cluster);
        }
        for include in self.report.sources.includes() {
            // Includes are noted on the way inwards: the outer file is known before the inner one.
            if let Some(&cluster) = owner.get(&include.at.span.file) {
                owner.entry(include.file).or_insert(cluster);
            }
        }
        let report = self.report;
        for finding in report.open() {
            let number = self.graph.marks.len();
            let (path, line) = self.place(finding.primary().site);
            self.graph.marks.push(Mark {
                rule: finding.rule,
                level: finding.level(),
                message: plain(&finding.message).into_owned(),
                path,
                line,
            });
            let touched: Vec<Element> =
                finding.labels.iter().take(32).filter_map(|label| self.anchors.holding(label.site.span)).collect();
            let first = self.anchors.holding(finding.primary().site.span).or_else(|| touched.first().copied());
            let by_file = || owner.get(&finding.primary().site.span.file).map(|&cluster| Element::Cluster(cluster));
            match self.between(first, &touched).or(first).or_else(by_file) {
                Some(Element::Node(node)) => self.graph.nodes[node].marks.push(number),
                Some(Element::Edge(edge)) => self.graph.edges[edge].marks.push(number),
                Some(Element::Cluster(cluster)) => self.graph.clusters[cluster].marks.push(number),
                None => self.graph.unplaced.push(number),
            }
        }
    }

    /// A finding about an address and what it leads to is about the line between the two.
    fn between(&self, first: Option<Element>, touched: &[Element]) -> Option<Element> {
        let Some(Element::Node(one)) = first else { return None };
        touched.iter().find_map(|&other| {
            let Element::Node(other) = other else { return None };
            let line = self.lines.get(&(one, other)).or_else(|| self.lines.get(&(other, one)));
            line.map(|&line| Element::Edge(line))
        })
    }
}

/// What is spoken over a hop, where it is not plain HTTP.
const fn spoken(protocol: Protocol, tls: bool) -> Option<&'static str> {
    Some(match (protocol, tls) {
        (Protocol::Http, false) => return None,
        (Protocol::Http, true) => "HTTPS",
        (Protocol::Http2, false) => "HTTP/2",
        (Protocol::Http2, true) => "HTTP/2 over TLS",
        (Protocol::Fastcgi, _) => "FastCGI",
        (Protocol::Uwsgi, _) => "uwsgi",
        (Protocol::Scgi, _) => "SCGI",
        (Protocol::Memcached, _) => "memcached",
        (Protocol::Tcp, false) => "TCP",
        (Protocol::Tcp, true) => "TLS",
    })
}
