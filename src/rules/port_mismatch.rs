//! GW101: the workload listens on other ports.

use super::around::{behind, claims, look_around, published_instead, sharers};
use super::prelude::*;
use std::collections::HashMap;

/// GW101.
pub struct PortMismatch;

impl Rule for PortMismatch {
    fn id(&self) -> RuleId {
        RuleId::GW101
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let t = cx.topology;
        super::workload_socket::tell_ports(self.id(), cx, out);
        super::service_port::unheard(self.id(), cx, out);
        declared(self.id(), cx, out);
        handed(self.id(), cx, out);
        look_around(cx, out, |seen| {
            if seen.service().is_some() {
                return super::service_port::asked(self.id(), cx, seen);
            }
            let ((to, workload), port) = (seen.to()?, seen.port()?);
            let group = sharers(t, to);
            let open = group.iter().any(|&member| t.workloads[member].claims_open);
            if open || published_instead(t, &group, port).is_some() || runs_listener(t, &group, port) {
                return None;
            }
            let Evidence { claim, severity, confidence, words } = judge(claims(t, &group), port)?;
            let Known::Yes(Listens::Port(known)) = &claim.at else { return None };
            let name = quote(&workload.name);
            let message = format!("{name} listens on port {known}, and is asked on port {port}");
            let finding = Finding::new(
                self.id(),
                cx.dialect(seen.asked.proxy),
                (seen.asked.site, format!("asks {name} on port {port}")),
                message,
            )
            .severity(severity)
            .confidence(confidence)
            .label((claim.site, claim.words.to_string()))
            .label(seen.runs())
            .why_of_dialect()
            .assumed(words);
            let edit = seen.asked.word(port.to_string(), known.to_string());
            Some(
                finding
                    .help(format!("write `{}:{known}`", seen.asked.name_or(&workload.name)))
                    .fix(Some(Fix::guess(format!("write `{known}`"), edit))),
            )
        });
    }
}

/// Whether a proxy that one of these workloads runs takes connections on a port.
fn runs_listener(t: &Topology, group: &[WorkloadId], port: u16) -> bool {
    let mut proxies = group.iter().flat_map(|&member| &t.workloads[member].proxies).peekable();
    proxies.peek().is_some()
        && proxies.any(|&proxy| {
            t.listeners.iter().any(|(_, listener)| {
                listener.proxy == proxy
                    && match &listener.bind {
                        Known::Yes((_, Some((first, last)))) => (*first..=*last).contains(&port),
                        Known::Yes((_, None)) => false,
                        Known::Unknown(_) => true,
                    }
            })
        })
}

/// Services that hand their port to a proxy which asks them there, whatever else they say.
fn handed(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    for handed in &t.handed {
        let (to, by) = (&t.workloads[handed.to], &t.workloads[handed.by]);
        let group = sharers(t, handed.to);
        let project = &t.projects[to.project];
        if project.guessed || group.iter().any(|&member| t.workloads[member].claims_open) {
            continue;
        }
        let others = claims(t, &group).filter(|claim| claim.site != handed.site);
        let Some(Evidence { claim, severity, confidence, words }) = judge(others, handed.port) else { continue };
        let Known::Yes(Listens::Port(known)) = &claim.at else { continue };
        let (name, proxy, port) = (quote(&to.name), quote(&by.name), handed.port);
        let message = format!("{name} listens on port {known}, and tells {proxy} to ask it on port {port}");
        let finding = Finding::new(
            rule,
            cx.dialect(handed.proxy),
            (handed.site, format!("{proxy} asks on port {port}")),
            message,
        )
        .severity(severity.min(Severity::Warning))
        .confidence(confidence.min(Confidence::Likely))
        .label((claim.site, claim.words.to_string()))
        .label((by.site, "makes its configuration of what the services say".to_owned()))
        .why_of_dialect()
        .assumed(words);
        out.push(finding.help(format!("write {known}")));
    }
}

/// Backends whose ports somebody has declared in the linter's own configuration, by their host names.
fn declared(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let t = cx.topology;
    let declared: HashMap<String, &Workload> = t
        .workloads
        .iter()
        .filter(|(_, one)| t.projects[one.project].kind == ProjectKind::Declared && !one.claims_open)
        .map(|(_, one)| (one.name.to_ascii_lowercase(), one))
        .collect();
    if declared.is_empty() {
        return;
    }
    for (id, endpoint) in t.endpoints.iter() {
        let Some(name) = endpoint.host_name().filter(|_| endpoint.is_usable()) else { continue };
        let Some(workload) = declared.get(&name.trim_end_matches('.').to_ascii_lowercase()) else { continue };
        let Some(port) = endpoint.port.known().and_then(|port| port.number()) else { continue };
        let at = |claim: &Claim| claim.at == Known::Yes(Listens::Port(port));
        // What the repository shows of it may be newer than what was declared.
        if workload.claims.iter().any(at) || behind(t, id).iter().any(|one| one.claim.is_some()) {
            continue;
        }
        let ports: Vec<String> = workload
            .claims
            .iter()
            .filter_map(|claim| match claim.at.known() {
                Some(Listens::Port(port)) => Some(port.to_string()),
                _ => None,
            })
            .take(8)
            .collect();
        let (Some(first), [only, ..]) = (workload.claims.first(), &ports[..]) else { continue };
        let many = ports.len() > 1;
        let plural = if many { "ports" } else { "port" };
        let quoted = quote(name);
        let message = format!("{quoted} listens on {plural} {}, and is asked on port {port}", ports.join(" and "));
        let label = (endpoint.address_site, format!("asks {quoted} on port {port}"));
        let finding = Finding::new(rule, cx.dialect(endpoint.proxy), label, message)
            .label((first.site, first.words.to_string()))
            .why_of_dialect()
            .help(format!("write the port that is meant here, or declare {port} under `services`, too"));
        let edit = Edit::Word { within: endpoint.address_site.span, from: port.to_string(), to: only.clone() };
        let fix = (!many).then(|| Fix::guess(format!("write `{only}`"), [edit]));
        out.push(finding.fix(fix));
    }
}

/// What the evidence comes to.
struct Evidence<'t> {
    /// The strongest.
    claim: &'t Claim,
    severity: Severity,
    confidence: Confidence,
    words: &'static str,
}

/// Weighs what is said against a port. `None`: nothing can be held against it.
fn judge<'t>(claims: impl Iterator<Item = &'t Claim>, port: u16) -> Option<Evidence<'t>> {
    let mut known: Vec<(&Claim, u16)> = Vec::new();
    for claim in claims {
        match &claim.at {
            Known::Yes(Listens::Port(at)) if *at == port => return None,
            Known::Yes(Listens::Port(at)) => known.push((claim, *at)),
            // A program that listens on a socket is another rule's affair.
            Known::Yes(Listens::Socket(_)) if claim.weight < Weight::Strong => {}
            Known::Yes(Listens::Socket(_)) | Known::Unknown(_) => return None,
        }
    }
    let &(claim, at) = known.iter().rev().max_by_key(|(claim, _)| claim.weight)?;
    let agree = known
        .iter()
        .filter(|(other, port)| *port == at && other.site != claim.site)
        .filter(|(other, _)| other.weight >= Weight::Medium && other.weight != Weight::Source)
        .count();
    let (severity, confidence, words) = match claim.weight {
        Weight::Decisive => (Severity::Error, Confidence::Certain, "the program does what it is told there"),
        Weight::Strong | Weight::Medium if agree > 0 => {
            (Severity::Error, Confidence::Likely, "two places say the same of where it listens")
        }
        Weight::Strong => (
            Severity::Warning,
            Confidence::Likely,
            "somebody relies on that port; what the program itself does is not in these files",
        ),
        Weight::Source => (Severity::Warning, Confidence::Likely, "the program runs that line"),
        Weight::Medium => (
            Severity::Note,
            Confidence::Possible,
            "that line is documentation only; what the program does is not in these files",
        ),
        Weight::Weak => return None,
    };
    Some(Evidence { claim, severity, confidence, words })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(claimed: &[(u16, Weight)]) -> Option<Severity> {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        for (number, (port, weight)) in claimed.iter().enumerate() {
            house.claim(app, 30 + number as u32, *port, *weight);
        }
        let endpoint = house.endpoint(11, "app", Port::Written(8080));
        house.sees(proxy, endpoint, Leads::To(app));
        let found = house.found(RuleId::GW101);
        assert!(found.first().is_none_or(|finding| lines(finding) == [11, 30, 29]));
        found.first().map(|finding| finding.severity)
    }

    #[test]
    fn the_verdict_is_as_strong_as_the_evidence() {
        use Weight::{Decisive, Medium, Source, Strong, Weak};
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[(3000, Decisive)]), Some(Severity::Error));
        assert_eq!(said(&[(3000, Strong), (3000, Medium)]), Some(Severity::Error));
        assert_eq!(said(&[(3000, Strong), (4000, Medium)]), Some(Severity::Warning));
        assert_eq!(said(&[(3000, Strong)]), Some(Severity::Warning));
        assert_eq!(said(&[(3000, Source), (3000, Medium)]), Some(Severity::Warning), "nobody has run the source");
        assert_eq!(said(&[(3000, Strong), (3000, Source)]), Some(Severity::Warning));
        assert_eq!(said(&[(3000, Source), (8080, Weak)]), None);
        assert_eq!(said(&[(3000, Medium)]), Some(Severity::Note));
        assert_eq!(said(&[(3000, Weak)]), None);
        assert_eq!(said(&[(3000, Decisive), (8080, Weak)]), None);
    }

    #[test]
    fn what_could_not_be_read_accuses_nobody() {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        house.claim(app, 30, 3000, Weight::Decisive);
        house.t.workloads[app].claims_open = true;
        let endpoint = house.endpoint(11, "app", Port::Written(8080));
        house.sees(proxy, endpoint, Leads::To(app));
        assert!(house.found(RuleId::GW101).is_empty());
    }

    #[test]
    fn ports_of_those_that_share_the_network_count() {
        let mut house = House::nginx();
        let (proxy, vpn, app) = (house.workload(20, "proxy"), house.workload(21, "vpn"), house.workload(22, "app"));
        house.claim(vpn, 30, 8000, Weight::Decisive);
        house.claim(app, 31, 8080, Weight::Decisive);
        house.t.workloads[app].namespace = Namespace::Of(vpn, at(32));
        let endpoint = house.endpoint(11, "vpn", Port::Written(8080));
        house.sees(proxy, endpoint, Leads::To(vpn));
        assert!(house.found(RuleId::GW101).is_empty());
    }
}
