//! The proxy-neutral model: what listens, where requests go, how long anything waits. Layer 2; knows no dialect's words.
//!
//! # How to read it
//!
//! A [`Proxy`] is one running process described by some files. It has [`Listener`]s (where clients connect),
//! [`VirtualHost`]s (which names they ask for) and [`Route`]s (which requests go where). A route that passes requests
//! on leads to a [`Hop`]: *how* they are passed on (protocol, timeouts, retries, buffers, TLS). A hop leads to a
//! [`Pool`] of interchangeable [`Endpoint`]s, to one endpoint, or to a target computed per request.
//!
//! In nginx every location with a `proxy_pass` is a route with a hop of its own; in HAProxy a backend is a pool and a
//! hop at once, and many routes may lead to it. That is why timeouts hang on the hop and on neither of the two.
//!
//! # What a value means
//!
//! Every value is a [`Setting`]: the value or the reason why it is unknown, and where it came from. Defaults are
//! resolved by the lowering, so a rule never asks "what does nothing mean here?".

mod arena;
mod guard;
mod load;
mod reach;
mod serve;
mod service;
mod setting;
mod shared;
mod websockets;
mod workload;

pub use arena::{Arena, Id, Pieces};
pub use guard::*;
pub use load::*;
pub use reach::*;
pub use serve::*;
pub use service::*;
pub use setting::{Known, Origin, Reason, Scope, Setting};
pub use shared::{Lately, Shared};
pub use websockets::*;
pub use workload::*;

/// Id of a [`Proxy`].
pub type ProxyId = Id<Proxy>;
/// Id of a [`Listener`].
pub type ListenerId = Id<Listener>;
/// Id of a [`VirtualHost`].
pub type VirtualHostId = Id<VirtualHost>;
/// Id of a [`Route`].
pub type RouteId = Id<Route>;
/// Id of a [`Hop`].
pub type HopId = Id<Hop>;
/// Id of a [`Pool`].
pub type PoolId = Id<Pool>;
/// Id of an [`Endpoint`].
pub type EndpointId = Id<Endpoint>;
/// Id of a [`Project`].
pub type ProjectId = Id<Project>;
/// Id of a [`Network`].
pub type NetworkId = Id<Network>;
/// Id of a [`Workload`].
pub type WorkloadId = Id<Workload>;
/// Id of a [`Service`].
pub type ServiceId = Id<Service>;

/// Everything that was found, joined.
#[derive(Debug, Default)]
pub struct Topology {
    /// The processes.
    pub proxies: Arena<Proxy>,
    /// Where clients connect.
    pub listeners: Arena<Listener>,
    /// Which names they ask for.
    pub virtual_hosts: Arena<VirtualHost>,
    /// Which requests go where.
    pub routes: Arena<Route>,
    /// How requests are passed on.
    pub hops: Arena<Hop>,
    /// What is asked for names while a proxy runs.
    pub resolvers: Arena<Resolver>,
    /// Groups of interchangeable endpoints.
    pub pools: Arena<Pool>,
    /// Members of pools and single targets.
    pub endpoints: Arena<Endpoint>,
    /// What is deployed together.
    pub projects: Arena<Project>,
    /// On which networks workloads reach each other.
    pub networks: Arena<Network>,
    /// The processes around the proxies.
    pub workloads: Arena<Workload>,
    /// Names with ports of their own that lead to workloads.
    pub services: Arena<Service>,
    /// Who may connect to whom, where something says so; sorted by workload.
    pub guards: Vec<Guard>,
    /// Which workload reads which file.
    pub placements: Vec<Placement>,
    /// What addresses mean where the proxies run; sorted. Nothing is said of those not in it.
    pub outlooks: Vec<Outlook>,
    /// Programs of a machine to which addresses lead, for proxies that no known workload runs; sorted by endpoint.
    pub peers: Vec<Peer>,
    /// Ports that workloads hand to a proxy that makes its configuration of them.
    pub handed: Vec<Handed>,
    /// As whom proxies run, where that is written and nothing else of the model says it.
    pub users: Vec<ProxyUser>,
    /// What the proxies would refuse or misread while they load their files.
    pub load: LoadFacts,
}

impl Topology {
    /// The endpoints that a hop may use: its pool's members, or its single endpoint. Empty for computed targets.
    #[must_use]
    pub fn members(&self, hop: HopId) -> &[EndpointId] {
        match &self.hops[hop].target {
            Target::Pool(pool) => &self.pools[*pool].members,
            Target::Endpoint(endpoint) => std::slice::from_ref(endpoint),
            Target::Computed(_) | Target::Unknown(_) => &[],
        }
    }

    /// How TLS is spoken to an endpoint over a hop, if it is: the endpoint's own setting, else the hop's.
    #[must_use]
    pub fn tls_to<'a>(&'a self, hop: &'a Hop, endpoint: &'a Endpoint) -> Option<&'a TlsClient> {
        endpoint.tls.as_deref().or(hop.tls.as_deref())
    }
}
