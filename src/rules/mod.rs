//! The rules, one file each. Layer 7: a rule sees the topology and its options, never text, files or a dialect's words.
//!
//! A rule is pure, synchronous and infallible. To add one: `rules/GWnnn-slug.yaml`, a file here with its line in
//! [`RULES`], fixtures.

mod abrupt_shutdown;
mod around;
mod dangling_route;
mod deliberate_bad_gateway;
mod duplicate_definition;
mod empty_pool;
mod endpoint_limit_without_queue;
mod file_limit_below_connections;
mod firewall_blocks_upstream;
mod header_limit_below_proxy;
mod health_check_cannot_pass;
mod host_port_as_upstream;
mod http10_to_upstream;
mod implicit_port;
mod inconsistent_buffers;
mod inert_health_check;
mod keepalive_lost;
mod keepalive_race;
mod led_to;
mod localhost_two_families;
mod loopback_in_container;
mod lost_headers;
mod malformed_target;
mod misplaced_directive;
mod misread_number;
mod missing_companion;
mod missing_file;
mod missing_health_check;
mod missing_sni;
mod missing_timeout;
mod mode_mismatch;
mod name_resolved_once;
mod no_failover;
mod no_shared_network;
mod passive_check_off;
mod plain_to_tls_port;
mod pool_empties_itself;
mod port_mismatch;
mod prelude;
mod proxy_loop;
mod proxy_protocol_mismatch;
mod queue_timeout_inherited;
mod readiness_probe;
mod request_limit;
mod resolver_out_of_reach;
mod retry_window_too_short;
mod runtime_name_without_resolver;
mod selector_matches_nothing;
mod service_port;
mod shadowed_route;
mod short_connect_timeout;
mod short_read_timeout;
mod short_tunnel_timeout;
mod single_endpoint;
mod slow_detection;
mod small_response_buffer;
mod sni_names_the_pool;
mod socket_path_mismatch;
mod socket_permission;
mod started_before_upstream;
mod syntax_error;
#[cfg(test)]
mod testing;
mod timeout_ladder_inverted;
mod tls_to_plain_port;
mod tls_verify_cannot_pass;
mod tls_versions_disjoint;
mod too_few_connections;
mod unavailable_directive;
mod undefined_reference;
mod unitless_timeout;
mod unknown_upstream_host;
mod unset_variable;
mod unusable_address;
mod websocket_upgrade_missing;
mod worker_pool_smaller_than_proxy;
mod worker_timeout_below_proxy;
mod workload_binds_loopback;
mod workload_not_restarted;
mod workload_socket;
mod workload_without_health_check;
mod wrong_application_protocol;
mod wrong_host_header;

use crate::catalog::RuleId;
use crate::config::{OptionValue, Policy};
use crate::finding::Findings;
use crate::source::Site;
use crate::topology::{Dialect, HopId, PoolId, ProxyId, Topology, VirtualHostId};
use crate::value::{ByteSize, parse_duration, parse_size};
use prelude::Doors;
use std::sync::OnceLock;
use std::time::Duration;

/// A check for one hazard.
pub trait Rule: Sync {
    /// Which rule this is.
    fn id(&self) -> RuleId;
    /// Looks at the whole, once.
    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings);
}

/// All rules, in the order of their ids.
pub const RULES: &[&dyn Rule] = &[
    &syntax_error::SyntaxError,
    &missing_file::MissingFileRule,
    &undefined_reference::UndefinedReference,
    &duplicate_definition::DuplicateDefinition,
    &missing_companion::MissingCompanion,
    &unavailable_directive::UnavailableDirective,
    &misplaced_directive::MisplacedDirective,
    &inconsistent_buffers::InconsistentBuffers,
    &malformed_target::MalformedTargetRule,
    &misread_number::MisreadNumber,
    &unset_variable::UnsetVariable,
    &port_mismatch::PortMismatch,
    &host_port_as_upstream::HostPortAsUpstream,
    &loopback_in_container::LoopbackInContainer,
    &workload_binds_loopback::WorkloadBindsLoopback,
    &unknown_upstream_host::UnknownUpstreamHost,
    &no_shared_network::NoSharedNetwork,
    &runtime_name_without_resolver::RuntimeNameWithoutResolver,
    &name_resolved_once::NameResolvedOnce,
    &resolver_out_of_reach::ResolverOutOfReach,
    &implicit_port::ImplicitPort,
    &socket_path_mismatch::SocketPathMismatch,
    &socket_permission::SocketPermission,
    &localhost_two_families::LocalhostTwoFamilies,
    &proxy_loop::ProxyLoop,
    &empty_pool::EmptyPool,
    &started_before_upstream::StartedBeforeUpstream,
    &dangling_route::DanglingRoute,
    &selector_matches_nothing::SelectorMatchesNothing,
    &shadowed_route::ShadowedRoute,
    &unusable_address::UnusableAddress,
    &short_read_timeout::ShortReadTimeout,
    &short_connect_timeout::ShortConnectTimeout,
    &missing_timeout::MissingTimeout,
    &unitless_timeout::UnitlessTimeout,
    &worker_timeout_below_proxy::WorkerTimeoutBelowProxy,
    &timeout_ladder_inverted::TimeoutLadderInverted,
    &short_tunnel_timeout::ShortTunnelTimeout,
    &queue_timeout_inherited::QueueTimeoutInherited,
    &retry_window_too_short::RetryWindowTooShort,
    &missing_health_check::MissingHealthCheck,
    &inert_health_check::InertHealthCheck,
    &health_check_cannot_pass::HealthCheckCannotPass,
    &passive_check_off::PassiveCheckOff,
    &no_failover::NoFailover,
    &single_endpoint::SingleEndpoint,
    &pool_empties_itself::PoolEmptiesItself,
    &workload_without_health_check::WorkloadWithoutHealthCheck,
    &workload_not_restarted::WorkloadNotRestarted,
    &abrupt_shutdown::AbruptShutdown,
    &slow_detection::SlowDetection,
    &plain_to_tls_port::PlainToTlsPort,
    &tls_to_plain_port::TlsToPlainPort,
    &missing_sni::MissingSni,
    &sni_names_the_pool::SniNamesThePool,
    &tls_verify_cannot_pass::TlsVerifyCannotPass,
    &tls_versions_disjoint::TlsVersionsDisjoint,
    &wrong_application_protocol::WrongApplicationProtocol,
    &proxy_protocol_mismatch::ProxyProtocolMismatch,
    &websocket_upgrade_missing::WebsocketUpgradeMissing,
    &lost_headers::LostHeadersRule,
    &wrong_host_header::WrongHostHeader,
    &http10_to_upstream::Http10ToUpstream,
    &mode_mismatch::ModeMismatch,
    &deliberate_bad_gateway::DeliberateBadGateway,
    &small_response_buffer::SmallResponseBuffer,
    &too_few_connections::TooFewConnections,
    &file_limit_below_connections::FileLimitBelowConnections,
    &endpoint_limit_without_queue::EndpointLimitWithoutQueue,
    &request_limit::RequestLimit,
    &header_limit_below_proxy::HeaderLimitBelowProxy,
    &worker_pool_smaller_than_proxy::WorkerPoolSmallerThanProxy,
    &keepalive_race::KeepaliveRace,
    &keepalive_lost::KeepaliveLost,
    &firewall_blocks_upstream::FirewallBlocksUpstream,
];

/// What a rule may look at.
#[derive(Debug)]
pub struct Cx<'a> {
    /// What was found.
    pub topology: &'a Topology,
    /// What the user says of rules, for each file.
    pub policy: &'a Policy,
    survey: Survey,
}

/// What several rules ask for: worked out once, when the first of them asks.
#[derive(Debug, Default)]
struct Survey {
    distinct_hops: OnceLock<Vec<HopId>>,
    hops_by_pool: OnceLock<Vec<Vec<HopId>>>,
    doors: OnceLock<Vec<Doors>>,
}

fn built_in(rule: RuleId, name: &str) -> &'static str {
    rule.meta().options.iter().find(|option| option.name == name).map_or("", |option| option.default)
}

impl<'a> Cx<'a> {
    /// Nothing has been asked yet.
    #[must_use]
    pub fn new(topology: &'a Topology, policy: &'a Policy) -> Self {
        Self { topology, policy, survey: Survey::default() }
    }

    /// See [`prelude::distinct_hops`].
    #[must_use]
    pub fn distinct_hops(&self) -> &[HopId] {
        self.survey.distinct_hops.get_or_init(|| prelude::distinct_hops(self.topology))
    }

    /// The hops that lead to a pool, in their order.
    #[must_use]
    pub fn hops_to(&self, pool: PoolId) -> &[HopId] {
        let by_pool = self.survey.hops_by_pool.get_or_init(|| prelude::hops_by_pool(self.topology));
        by_pool.get(pool.index()).map_or(&[], Vec::as_slice)
    }

    /// The client side of a virtual host.
    #[must_use]
    pub fn doors(&self, host: VirtualHostId) -> Doors {
        let doors = self.survey.doors.get_or_init(|| prelude::doors(self.topology));
        doors.get(host.index()).copied().unwrap_or_default()
    }

    /// The dialect that a proxy's messages are to speak.
    #[must_use]
    pub fn dialect(&self, proxy: ProxyId) -> Dialect {
        self.topology.proxies[proxy].dialect
    }

    /// An option that is a time, as it holds for a place. `Duration::ZERO` for one that the rule does not have.
    #[must_use]
    pub fn duration(&self, rule: RuleId, name: &'static str, at: Site) -> Duration {
        match self.policy.of(at.span.file).option(rule, name) {
            Some(OptionValue::Duration(set)) => set,
            _ => parse_duration(built_in(rule, name)).unwrap_or_default(),
        }
    }

    /// An option that is a number, as it holds for a place. 0 for one that the rule does not have.
    #[must_use]
    pub fn integer(&self, rule: RuleId, name: &'static str, at: Site) -> u64 {
        match self.policy.of(at.span.file).option(rule, name) {
            Some(OptionValue::Integer(set)) => set,
            _ => built_in(rule, name).parse().unwrap_or(0),
        }
    }

    /// An option that is a size, as it holds for a place. 0 for one that the rule does not have.
    #[must_use]
    pub fn size(&self, rule: RuleId, name: &'static str, at: Site) -> ByteSize {
        match self.policy.of(at.span.file).option(rule, name) {
            Some(OptionValue::Size(set)) => set,
            _ => parse_size(built_in(rule, name)).unwrap_or(ByteSize(0)),
        }
    }
}

/// Runs rules over a topology.
pub fn run(cx: &Cx<'_>, enabled: impl Fn(RuleId) -> bool, out: &mut Findings) {
    run_told(cx, enabled, out, drop);
}

/// As [`run`]; `done` is told when a rule is through.
pub fn run_told(cx: &Cx<'_>, enabled: impl Fn(RuleId) -> bool, out: &mut Findings, mut done: impl FnMut(RuleId)) {
    for rule in RULES.iter().filter(|rule| enabled(rule.id())) {
        rule.check_topology(cx, out);
        done(rule.id());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::CATALOG;

    #[test]
    fn every_rule_of_the_catalogue_runs_in_order() {
        // The others speak of what no topology shows: the engine raises them.
        let expected: Vec<_> = CATALOG.iter().map(|meta| meta.id).filter(|id| id.is_about_proxies()).collect();
        assert_eq!(RULES.iter().map(|rule| rule.id()).collect::<Vec<_>>(), expected);
        for option in CATALOG.iter().flat_map(|meta| meta.options) {
            let read = match option.kind {
                "duration" => parse_duration(option.default).is_some(),
                "size" => parse_size(option.default).is_some(),
                _ => option.default.parse::<u32>().is_ok(),
            };
            assert!(read, "{} has no readable default", option.name);
        }
    }
}
