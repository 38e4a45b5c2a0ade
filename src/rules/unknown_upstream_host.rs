//! GW105: the proxy looks for a host that is not there.

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
                        .help(format!("write {}", quote(&pool.name))),
                );
            }
        }
    }
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
    fn reserved_names_never_resolve() {
        assert_eq!(said("app.invalid", Port::Written(80), Lookup::AtStart), [Severity::Error]);
        assert_eq!(said("APP.Invalid.", Port::Written(80), Lookup::AtStart), [Severity::Error]);
        assert!(said("app.invalid", Port::Written(80), Lookup::Repeated { resolver: None }).is_empty());
        assert!(said("app.example.com", Port::Written(80), Lookup::AtStart).is_empty());
        assert!(said("invalid", Port::Written(80), Lookup::AtStart).is_empty());
    }
}
