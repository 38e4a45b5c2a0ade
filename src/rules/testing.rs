//! Small topologies for the tests of rules: every place is a line, everything has its built-in value until the test
//! says otherwise.

use super::prelude::*;
use crate::source::{FileId, Span};
use crate::value::{ByteSize, DefaultRef, Version, Versions};
use std::time::Duration;

pub static BUILT_IN: DefaultRef =
    DefaultRef { proxy: "test", setting: "setting", value: "its value", since: None, until: None, manual: "" };

/// The place on a line.
pub fn at(line: u32) -> Site {
    Site::direct(Span::new(FileId::new(0), line * 100, line * 100 + 50))
}

/// Lines on which a finding has labels, the primary one first.
pub fn lines(finding: &Finding) -> Vec<u32> {
    finding.labels.iter().map(|label| label.site.span.start / 100).collect()
}

/// A setting with its built-in value.
pub fn built_in<T>(value: T) -> Setting<T> {
    Setting::default(value, &BUILT_IN)
}

/// A setting that stands on a line.
pub fn written<T>(value: T, line: u32) -> Setting<T> {
    Setting::written(value, at(line), "setting")
}

/// A wait in milliseconds.
pub fn ms(ms: u64) -> Wait {
    Wait::For(Duration::from_millis(ms))
}

/// Out after so many failures for so long; answers are none.
pub fn passive(max_fails: u32, fail_timeout: Setting<Wait>) -> Shared<PassiveCheck> {
    Shared::from(PassiveCheck { max_fails: built_in(max_fails), fail_timeout, counts_answers: false })
}

/// One proxy and what it serves.
pub struct House {
    pub t: Topology,
    pub proxy: ProxyId,
}

impl House {
    pub fn nginx() -> Self {
        Self::of(Dialect::Nginx)
    }

    pub fn haproxy() -> Self {
        Self::of(Dialect::Haproxy)
    }

    fn of(dialect: Dialect) -> Self {
        let mut t = Topology::default();
        let versions = Versions::since(Version(1, 0, 0));
        let proxy =
            t.proxies.push(Proxy { dialect, versions, entry: FileId::new(0), whole: true, again: false, limits: None });
        Self { t, proxy }
    }

    pub fn listener(&mut self, line: u32, port: u16, tls: bool) -> ListenerId {
        self.t.listeners.push(Listener {
            proxy: self.proxy,
            site: at(line),
            bind: Known::Yes((Address::Net(Host::Any), Some((port, port)))),
            tls: Known::Yes(tls),
            proxy_protocol: Known::Yes(false),
            refuses_unknown_names: false,
            idle: built_in(ms(75_000)),
            client: None,
            virtual_hosts: Vec::new(),
            tls_versions: Setting::unknown(Reason::Variable, at(line), "setting"),
            ciphers: None,
            speaks_http: Known::Unknown(Reason::Variable),
            http2: Known::Unknown(Reason::Variable),
            only_http2: None,
        })
    }

    pub fn host(&mut self, line: u32, listeners: &[ListenerId]) -> VirtualHostId {
        let host = self.t.virtual_hosts.push(VirtualHost {
            proxy: self.proxy,
            site: at(line),
            names: Vec::new(),
            listeners: listeners.to_vec(),
            routes: Vec::new(),
            wants_certificate: None,
            clients: None,
            request_header: None,
        });
        for &listener in listeners {
            self.t.listeners[listener].virtual_hosts.push(host);
        }
        host
    }

    pub fn route(&mut self, host: VirtualHostId, line: u32, matcher: Matcher, hop: Option<HopId>) -> RouteId {
        let route =
            self.t.routes.push(Route { proxy: self.proxy, virtual_host: Some(host), site: at(line), matcher, hop });
        self.t.virtual_hosts[host].routes.push(route);
        if let Some(hop) = hop {
            self.t.hops[hop].routes.push(route);
        }
        route
    }

    pub fn pool(&mut self, line: u32, name: &str) -> PoolId {
        let nginx = self.t.proxies[self.proxy].dialect == Dialect::Nginx;
        self.t.pools.push(Pool {
            proxy: self.proxy,
            site: at(line),
            name_site: at(line),
            name: name.into(),
            members: Vec::new(),
            open_ended: false,
            balance: Known::Yes(Balance::Any),
            sticky: None,
            persists_when_down: None,
            disabled: None,
            answers_itself: false,
            check_rules: Vec::new(),
            ignored_check_rules: Vec::new(),
            used: true,
            refuses_empty: nginx,
            backup_alone_works: !nginx,
            counts_together: !nginx,
        })
    }

    pub fn endpoint(&mut self, line: u32, address: &str, port: Port) -> EndpointId {
        let nginx = self.t.proxies[self.proxy].dialect == Dialect::Nginx;
        self.t.endpoints.push(Endpoint {
            proxy: self.proxy,
            pool: None,
            site: at(line),
            address_site: at(line),
            name: None,
            address: Known::Yes(Address::Net(Host::parse(address))),
            port: Known::Yes(port),
            lookup: Lookup::NotNeeded,
            backup: false,
            down: None,
            weight: built_in(1),
            refuses_over: None,
            takes: None,
            check: ActiveCheck {
                enabled: Known::Yes(false),
                site: None,
                follows: false,
                stray_setting: None,
                possible: !nginx,
                own_port: false,
                asks_port: None,
                pace: None,
            },
            passive: None,
            tls: None,
            send_proxy: None,
            leads_to: None,
        })
    }

    pub fn member(&mut self, pool: PoolId, line: u32, address: &str, port: u16) -> EndpointId {
        let endpoint = self.endpoint(line, address, Port::Written(port));
        self.t.endpoints[endpoint].pool = Some(pool);
        self.t.pools[pool].members.push(endpoint);
        endpoint
    }

    pub fn hop(&mut self, line: u32, target: Target) -> HopId {
        self.t.hops.push(Hop {
            proxy: self.proxy,
            site: at(line),
            target_site: at(line),
            target,
            protocol: Protocol::Http,
            timeouts: Timeouts {
                connect: built_in(ms(60_000)).into(),
                send: built_in(ms(60_000)).into(),
                read: built_in(ms(60_000)),
                queue: None,
                tunnel: None,
                client: None,
            },
            retry: Shared::from(Retry {
                on: built_in(RetryOn { connect: true, timeout: true, empty: true, status: false }),
                tries: built_in(None),
                elsewhere: built_in(true),
                window: built_in(Wait::Forever).into(),
                body_kept: built_in(true),
                counts_answers: Known::Yes(false),
            }),
            buffers: Shared::from(ResponseBuffers {
                header: Some(built_in(ByteSize(4096))),
                body: None,
                lines: None,
                usual: ByteSize(4096),
            }),
            reuse: Reuse {
                kept: built_in(false),
                idle: built_in(ms(60_000)).into(),
                race_hidden: Known::Yes(false),
                shared: false,
                lost: None,
            },
            tls: None,
            host_sent: HostSent::Targets,
            path_kept: true,
            routes: Vec::new(),
            lost_headers: None,
            sends_proxy: Known::Unknown(Reason::Variable),
            unheard: false,
            websockets: None,
        })
    }

    /// TLS asked for on a line.
    pub fn tls(server_name: Setting<ServerName>, line: u32) -> Option<Box<TlsClient>> {
        Some(Box::new(TlsClient {
            site: at(line),
            server_name,
            verify: built_in(false),
            checked_name: Known::Yes(ServerName::FromTarget),
            trust: Known::Yes(None),
            certificate: Known::Yes(None),
            versions: Setting::unknown(Reason::Variable, at(line), "setting"),
            ciphers: None,
        }))
    }

    pub fn leads_to(&mut self, endpoint: EndpointId, listener: ListenerId, virtual_host: Option<VirtualHostId>) {
        self.t.endpoints[endpoint].leads_to = Some(Link { listener, virtual_host });
    }

    /// What one rule of [`super::RULES`] says.
    pub fn found(&self, rule: RuleId) -> Vec<Finding> {
        let mut out = Findings::default();
        super::run(&Cx::new(&self.t, &crate::config::Policy::default()), |id| id == rule, &mut out);
        out.finish()
    }

    /// A service of a compose project. Which service runs which file stands on line 29.
    pub fn workload(&mut self, line: u32, name: &str) -> WorkloadId {
        let first = self.t.projects.iter().next().map(|(id, _)| id);
        let project = match first {
            Some(id) => id,
            None => self.t.projects.push(Project {
                kind: ProjectKind::Compose,
                file: FileId::new(0),
                workloads: Vec::new(),
                whole: true,
                guessed: false,
                shares: true,
                folder: "".into(),
                sampled: Vec::new(),
            }),
        };
        let id = self.t.workloads.push(Workload {
            project,
            name: name.into(),
            site: at(line),
            aliases: Vec::new(),
            own_names: Vec::new(),
            namespace: Namespace::Own,
            networks: Known::Yes(Vec::new()),
            claims: Vec::new(),
            claims_open: false,
            published: Vec::new(),
            proxies: Vec::new(),
            server: Server::default(),
            depends_on: Vec::new(),
            restart: Known::Yes(false),
            stays_down: false,
            health: Known::Unknown(Reason::Variable),
            check: None,
            profiles: Vec::new(),
            replicas: Known::Yes(1),
            fixed_address: false,
            many: false,
            waits: false,
            folders: Vec::new(),
        });
        self.t.projects[project].workloads.push(id);
        id
    }

    /// A published port.
    pub fn publish(&mut self, workload: WorkloadId, line: u32, host: u16, container: u16) {
        self.t.workloads[workload].published.push(Published {
            host: Known::Yes(Some(host)),
            container: Known::Yes(container),
            tcp: true,
            loopback_only: false,
            site: at(line),
        });
    }

    /// Evidence that a workload listens on a port.
    pub fn claim(&mut self, workload: WorkloadId, line: u32, port: u16, weight: Weight) {
        self.t.workloads[workload].claims.push(Claim {
            at: Known::Yes(Listens::Port(port)),
            bind: Bind::Unknown,
            spoken: None,
            weight,
            site: at(line),
            words: "it says so".into(),
        });
    }

    /// What an endpoint's address means in a workload that runs the proxy.
    pub fn sees(&mut self, from: WorkloadId, endpoint: EndpointId, leads: Leads) {
        let placement = self.t.placements.len() as u32;
        self.t.placements.push(Placement { file: FileId::new(0), workload: from, site: at(29), how: Placed::Mounted });
        self.t.outlooks.push(Outlook { asks: Asks::Endpoint(endpoint), placement, leads });
    }
}
