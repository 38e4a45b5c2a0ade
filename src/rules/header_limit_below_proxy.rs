//! GW509: the workload takes smaller request headers than the proxy sends on.

use super::around::behind;
use super::prelude::*;
use crate::value::ByteSize;
use std::collections::HashSet;

/// GW509.
pub struct HeaderLimitBelowProxy;

impl Rule for HeaderLimitBelowProxy {
    fn id(&self) -> RuleId {
        RuleId::GW509
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        for (id, hop) in cx.topology.hops.iter().filter(|(_, hop)| hop.protocol.has_status()) {
            for &member in cx.topology.members(id).iter().take(100) {
                let Some(finding) = look(self.id(), cx, id, hop, member) else { continue };
                // One line mends it for all that lead there.
                if told.insert(finding.primary().site) {
                    out.push(finding);
                }
            }
        }
    }
}

/// What the proxy takes from its clients on the way to a hop: the most of it.
fn taken(t: &Topology, hop: HopId) -> Option<&Setting<ByteSize>> {
    let hosts = hosts_before(t, hop)?;
    let settings: Option<Vec<_>> = hosts.iter().map(|&host| t.virtual_hosts[host].request_header.as_deref()).collect();
    settings?.into_iter().filter(|setting| setting.known().is_some()).max_by_key(|setting| setting.known().copied())
}

fn look(rule: RuleId, cx: &Cx<'_>, id: HopId, hop: &Hop, member: EndpointId) -> Option<Finding> {
    let behind = behind(cx.topology, member);
    if behind.is_empty() {
        return None;
    }
    let small = |one: &super::around::Behind<'_>| {
        let limit = one.workload.server.request_header.as_ref()?;
        // What nobody wrote may be written where nobody could read it.
        (!one.guessed && (limit.is_written() || !one.workload.claims_open)).then_some(limit)?.known().copied()
    };
    let limits: Vec<ByteSize> = behind.iter().filter_map(small).collect();
    let sent = taken(cx.topology, id)?;
    let most = *sent.known()?;
    if limits.is_empty() || limits.len() < behind.len() || limits.iter().any(|&limit| limit >= most) {
        return None;
    }
    let first = behind.first()?;
    let limit = first.workload.server.request_header.as_ref()?;
    let (program, program_site) = first.workload.server.program.as_ref()?;
    let closes = &**program == "uwsgi";
    // Others answer 400 or 431 themselves: that is worth a word only where somebody chose one of the two numbers.
    if !closes && !sent.is_written() && !limit.is_written() {
        return None;
    }
    let dialect = cx.dialect(hop.proxy);
    let size = *limit.known()?;
    let message = match closes {
        true => format!(
            "{program} closes the connection when a request's header is longer than {size}, and {} sends on up to {most}",
            dialect.name()
        ),
        false => format!(
            "{program} refuses a request's header of more than {size}, and {} sends on up to {most}",
            dialect.name()
        ),
    };
    let finding = Finding::new(rule, dialect, limit.label(*program_site, format!("up to {size}")), message)
        .label(sent.label(hop.site, format!("up to {most}")))
        .label_if(
            (hop.target_site != sent.site().unwrap_or(hop.site)).then(|| (hop.target_site, "sent on here".into())),
        );
    Some(match closes {
        true if sent.is_written() || limit.is_written() => finding.why_of_dialect().help(help(most)),
        true => finding.severity(Severity::Note).confidence(Confidence::Likely).why_of_dialect().help(help(most)),
        false => finding
            .severity(Severity::Note)
            .confidence(Confidence::Likely)
            .outcome(Outcome::Status(400))
            .log("")
            .why("the program answers such a request itself, and the proxy hands that on; some answer 431")
            .help(format!("raise the program's limit to {most}, or lower the proxy's")),
    })
}

fn help(most: ByteSize) -> String {
    format!(
        "write `buffer-size = {}` for uwsgi: all lines of a header, and the variables, have to fit",
        (most.0 * 2).min(65535)
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(program: &str, limit: Option<u64>, sent: Option<u64>) -> Option<Severity> {
        const DEFAULT: crate::value::DefaultRef = crate::value::DefaultRef {
            proxy: "x",
            setting: "x",
            value: "x",
            since: None,
            until: None,
            manual: "https://example.com/",
        };
        static REFERENCE: crate::value::DefaultRef = DEFAULT;
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        let size = |value: Option<u64>, default: u64, line: u32| match value {
            Some(value) => Setting::written(ByteSize(value), at(line), "x"),
            None => Setting::default(ByteSize(default), &REFERENCE),
        };
        house.t.workloads[app].server.program = Some((program.into(), at(31)));
        house.t.workloads[app].server.request_header = Some(size(limit, 4096, 30));
        let host = house.host(9, &[]);
        house.t.virtual_hosts[host].request_header = Some(size(sent, 8192, 10).into());
        let endpoint = house.endpoint(11, "app", Port::Written(8000));
        let hop = house.hop(11, Target::Endpoint(endpoint));
        house.route(host, 11, Matcher::Always, Some(hop));
        house.sees(proxy, endpoint, Leads::To(app));
        house.found(RuleId::GW509).first().map(|finding| finding.severity)
    }

    #[test]
    fn only_a_closed_connection_is_more_than_a_note() {
        assert_eq!(said("uwsgi", None, None), Some(Severity::Note));
        assert_eq!(said("uwsgi", None, Some(16384)), Some(Severity::Warning));
        assert_eq!(said("uwsgi", Some(6000), None), Some(Severity::Warning));
        assert_eq!(said("uwsgi", Some(8192), None), None);
        assert_eq!(said("uwsgi", Some(32768), Some(32768)), None);
        assert_eq!(said("Tomcat", None, None), None);
        assert_eq!(said("Tomcat", None, Some(32768)), Some(Severity::Note));
    }
}
