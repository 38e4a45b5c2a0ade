//! GW120: an address that can be neither bound nor reached.

use super::around::{Seen, look_around};
use super::prelude::*;

/// GW120.
pub struct UnusableAddress;

impl Rule for UnusableAddress {
    fn id(&self) -> RuleId {
        RuleId::GW120
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::UnusableAddress, cx, out);
        look_around(cx, out, |seen| machine_by_name(self.id(), cx, seen));
        for id in cx.topology.endpoints.ids() {
            self.check_endpoint(cx, id, out);
        }
    }
}

impl UnusableAddress {
    fn check_endpoint(&self, cx: &Cx<'_>, endpoint: EndpointId, out: &mut Findings) {
        let endpoint = &cx.topology.endpoints[endpoint];
        let Some(Address::Net(host)) = endpoint.address.known() else { return };
        // What is out of service may stand for a place that is filled at run time.
        if !endpoint.is_usable() {
            return;
        }
        if !(host.is_to_be_filled_in() || host.is_for_many() || host.is_for_examples()) {
            return;
        }
        let dialect = cx.dialect(endpoint.proxy);
        let shown = quote(&host.to_string());
        let found = |label: &str, message: String| {
            Finding::new(self.id(), dialect, (endpoint.address_site, label.to_owned()), message)
        };
        let finding = if host.is_to_be_filled_in() {
            let name = dialect.name();
            let refused = endpoint.lookup == Lookup::AtStart && cx.topology.proxies[endpoint.proxy].whole;
            let finding = found("a placeholder", format!("{shown} is still to be filled in: {name} cannot use it"))
                .confidence(Confidence::Likely)
                .why(format!("{name} takes it for a host name, which nothing can resolve"))
                .help("write the address that is meant");
            if refused { finding.outcome(Outcome::DoesNotStart) } else { finding.log("").severity(Severity::Warning) }
        } else if host.is_for_many() {
            found("not the address of one machine", format!("no connection can be made to {shown}"))
                .why("addresses for groups and broadcasts cannot be connected to")
                .help("write the address of the machine that is meant")
        } else {
            found("an address for examples", format!("no machine has the address {shown}"))
                .severity(Severity::Warning)
                .confidence(Confidence::Likely)
                .log("")
                .why(
                    "addresses of 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 and 2001:db8::/32 are set aside for \
                     examples in texts (RFC 5737, RFC 3849)",
                )
                .help("write the address of the machine that is meant")
        };
        out.push(finding);
    }
}

/// The engine's name for the machine, which an engine on Linux knows only when it is told.
fn machine_by_name(rule: RuleId, cx: &Cx<'_>, seen: &Seen<'_>) -> Option<Finding> {
    let Host::Name(name) = &*seen.asked.host else { return None };
    if seen.leads != Leads::MachineByName {
        return None;
    }
    let dialect = cx.dialect(seen.asked.proxy);
    let message = format!("on Linux {} does not know {} unless the service is told of it", dialect.name(), quote(name));
    let finding = Finding::new(rule, dialect, (seen.asked.site, "a name of Docker Desktop".into()), message)
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .label((seen.from.site, format!("{} has no `extra_hosts` for it", quote(&seen.from.name))))
        .label(seen.runs())
        .log("")
        .why("Docker Desktop brings this name, the engine on Linux does not")
        .help(format!("write `extra_hosts: [\"{name}:host-gateway\"]` for {}", quote(&seen.from.name)));
    let finding = if seen.asked.lookup == Lookup::AtStart { finding.outcome(Outcome::DoesNotStart) } else { finding };
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(address: &str, change: impl FnOnce(&mut Endpoint)) -> Vec<(Severity, Confidence)> {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        let member = house.member(pool, 16, address, 80);
        change(&mut house.t.endpoints[member]);
        house.found(RuleId::GW120).iter().map(|finding| (finding.severity, finding.confidence)).collect()
    }

    #[test]
    fn addresses_that_nobody_has() {
        assert_eq!(said("192.0.2.1", |_| ()), [(Severity::Warning, Confidence::Likely)]);
        assert_eq!(said("224.0.0.1", |_| ()), [(Severity::Error, Confidence::Certain)]);
        assert_eq!(said("CHANGE_ME", |it| it.lookup = Lookup::AtStart), [(Severity::Error, Confidence::Likely)]);
        assert_eq!(
            said("x.x.x.x", |it| it.lookup = Lookup::Repeated { resolver: None }),
            [(Severity::Warning, Confidence::Likely)]
        );
    }

    #[test]
    fn ordinary_ones_and_places_kept_free() {
        assert!(said("10.0.0.1", |_| ()).is_empty());
        assert!(said("app.example.com", |it| it.lookup = Lookup::AtStart).is_empty());
        assert!(said("192.0.2.1", |it| it.down = Some(at(16))).is_empty());
        assert!(said("CHANGE_ME", |it| it.down = Some(at(16))).is_empty());
    }
}
