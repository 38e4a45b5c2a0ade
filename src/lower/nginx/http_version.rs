//! HTTP/1.0, which nginx speaks to backends before 1.29.7 unless it is told otherwise.
//!
//! That alone is no fault: most backends answer it. It is told where something shows that HTTP/1.1 was meant, or that
//! the backend refuses HTTP/1.0: Envoy, and Istio with it, answers 426 unless `accept_http_10` is set (Envoy's manual).

use super::Lowering;
use super::hop::Pending;
use super::settings::{Family, Of, Slot};
use crate::source::Site;
use crate::topology::{EndpointId, Fault, FaultKind, FaultWeight, LoadEffect, PoolId, Target};

/// Names of proxies that refuse HTTP/1.0.
const REFUSE: [&str; 2] = ["istio", "envoy"];

/// Members of a group that are looked at.
const MEMBERS: usize = 8;

impl Lowering<'_, '_> {
    /// Looks for what HTTP/1.0 does not fit.
    pub(super) fn check_version(&mut self, pending: &Pending, target: &Target, pool: Option<PoolId>, pass: Site) {
        let slot = Slot::of(Family::Proxy, Of::HttpVersion);
        if pending.family != Family::Proxy || self.doubt(&pending.frame).is_some() {
            return;
        }
        let newer = self.by_itself.http_1_1;
        let version = pending.frame.get(slot).and_then(|index| self.written.get(index));
        let old = match version {
            Some(written) => self.arg(self.item_of(written), 1).is_some_and(|(word, _)| word == "1.0"),
            None => newer != Some(true),
        };
        if !old {
            return;
        }
        let (label, go_out) = if version.is_some() || newer == Some(false) {
            ("HTTP/1.0 is spoken here", "requests go out as HTTP/1.0")
        } else {
            ("HTTP/1.0 is spoken here before nginx 1.29.7", "before nginx 1.29.7 requests go out as HTTP/1.0")
        };
        let help = "write `proxy_http_version 1.1;`";
        let members: &[EndpointId] = match (target, pool) {
            (Target::Endpoint(endpoint), _) => std::slice::from_ref(endpoint),
            (_, Some(pool)) => &self.out.topology.pools[pool].members,
            _ => &[],
        };
        let refuses = members.iter().take(MEMBERS).map(|&member| &self.out.topology.endpoints[member]).find(|member| {
            member.host_name().is_some_and(|name| REFUSE.iter().any(|word| name.to_ascii_lowercase().contains(word)))
        });
        let fault = if let Some(refuses) = refuses {
            Fault::new(
                FaultKind::OldVersion,
                self.proxy,
                (pass, label),
                format!("{go_out}, which Envoy refuses: clients get 426 Upgrade Required"),
            )
            .other(refuses.address_site, "by its name this is Envoy")
            .why("Envoy, and so Istio's gateway, answers HTTP/1.0 with 426 unless `accept_http_10` is set")
            .effect(LoadEffect::Status(426))
        } else {
            // Where a group asks to keep connections, another rule says it.
            let told = version.is_some()
                || pool.and_then(|pool| self.pool_facts.get(&pool)).is_some_and(|f| f.keepalive.is_some());
            let Some(cleared) = self.connection_cleared_at(pending).filter(|_| !told) else { return };
            // A line further out holds for many locations: it is one mistake.
            if !self.versions_told.insert(cleared) {
                return;
            }
            Fault::new(
                FaultKind::OldVersion,
                self.proxy,
                (pass, label),
                format!("`Connection` is sent empty as for HTTP/1.1, and {go_out}"),
            )
            .other(cleared, "of use in HTTP/1.1")
        };
        self.out.topology.load.faults.push(fault.help(help).weight(FaultWeight::Remark, false));
    }
}
