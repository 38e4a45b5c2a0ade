//! What GW101 says of Services: ports that a proxy asks and a Service does not have, and ports to which a Service leads
//! and on which its pods do not listen.

use super::around::{Seen, claims};
use super::prelude::*;
use std::collections::HashSet;

/// A port of a Service that a proxy asks.
pub fn asked(rule: RuleId, cx: &Cx<'_>, seen: &Seen<'_>) -> Option<Finding> {
    let (service, port) = (seen.service()?, seen.port()?);
    let ports = service.ports.known().filter(|ports| !ports.is_empty())?;
    match service.kind {
        ServiceKind::Members(line) => return untranslated(rule, cx, seen, service, ports, (port, line)),
        ServiceKind::Elsewhere => return None,
        ServiceKind::Address => {}
    }
    if ports.iter().any(|one| one.port == port) {
        return None;
    }
    let name = quote(&service.name);
    let targeted = ports.iter().find(|one| one.target == Known::Yes(port));
    let node = ports.iter().find(|one| one.node.is_some_and(|(node, _)| node == port));
    let unknown = ports.iter().any(|one| one.target.known().is_none());
    let (message, other, instead) = match (targeted, node) {
        (Some(one), _) => (
            format!("{port} is the port of the pods behind {name}; the Service itself has port {}", one.port),
            one.target_site.map(|site| (site, "the port of the pods".to_owned())),
            Some(one),
        ),
        (None, Some(one)) => (
            format!("{port} is the port of {name} on the machines; inside the cluster it has port {}", one.port),
            one.node.map(|(_, site)| (site, "the port on the machines".to_owned())),
            Some(one),
        ),
        (None, None) => (
            match &ports[..] {
                [one] => format!("the Service {name} has port {}, and is asked on port {port}", one.port),
                _ => format!("the Service {name} has no port {port}"),
            },
            None,
            ports.first().filter(|_| ports.len() == 1 && !unknown),
        ),
    };
    let dialect = cx.dialect(seen.asked.proxy);
    let at = (seen.asked.site, format!("asks the Service {name} on port {port}"));
    let finding = Finding::new(rule, dialect, at, message).label_if(other);
    let finding = ports
        .iter()
        .take(3)
        .fold(finding, |finding, one| finding.label((one.site, format!("{} is a port of the Service", one.port))))
        .label(seen.runs())
        .outcome(match dialect {
            Dialect::Haproxy => Outcome::Status(503),
            _ => Outcome::Either(502, 504),
        })
        .log("")
        .why("the address of a Service answers on the Service's own ports only; on others, connections are refused or run out of time");
    Some(match instead {
        Some(one) => finding.help(format!("write `{}:{}`", seen.asked.name_or(&service.name), one.port)),
        None => finding.help("write one of the Service's ports"),
    })
}

/// A Service without an address of its own: its name leads to the pods themselves, and nothing translates ports.
fn untranslated(
    rule: RuleId,
    cx: &Cx<'_>,
    seen: &Seen<'_>,
    service: &Service,
    ports: &[ServicePort],
    (port, line): (u16, Site),
) -> Option<Finding> {
    let one = ports.iter().find(|one| one.port == port)?;
    let target = *one.target.known().filter(|&&target| target != port)?;
    // Another port of the Service may lead to this one of the pods.
    if ports.iter().any(|other| other.target == Known::Yes(port)) {
        return None;
    }
    let to = service.workloads();
    if claims(cx.topology, to).any(|claim| claim.at == Known::Yes(Listens::Port(port))) {
        return None;
    }
    let name = quote(&service.name);
    let dialect = cx.dialect(seen.asked.proxy);
    let message = format!(
        "{name} is a Service without an address of its own: its pods are asked on {port}, and listen on {target}"
    );
    let finding = Finding::new(rule, dialect, (seen.asked.site, format!("asks the pods on port {port}")), message)
        .label((line, "its name leads to the pods themselves".into()))
        .label_if(one.target_site.map(|site| (site, "this is not done: no port is translated".into())))
        .label(seen.runs())
        .why_of_dialect()
        .help(format!("write `{}:{target}`", seen.asked.name_or(&service.name)));
    let known = claims(cx.topology, to).any(|claim| claim.at == Known::Yes(Listens::Port(target)));
    Some(if known { finding } else { finding.severity(Severity::Warning).confidence(Confidence::Likely) })
}

/// Ports to which Services lead and on which their pods do not listen.
pub fn unheard(rule: RuleId, cx: &Cx<'_>, out: &mut Findings) {
    let asked = asked_ports(cx.topology);
    let right = led_right(cx.topology);
    for (id, service) in cx.topology.services.iter() {
        let Some(ports) = service.ports.known().filter(|_| service.kind != ServiceKind::Elsewhere) else { continue };
        // Of several ports one may be for measurements only, which a program opens without a word in these files. So may
        // that of a Service of its own, beside one that leads to where the program is known to listen.
        let second = ports.len() > 1 || service.workloads().iter().any(|to| right.contains(to));
        for port in ports.iter().take(64).filter(|port| !second || asked.contains(&(id, port.port))) {
            if let Some(finding) = not_heard(rule, cx.topology, service, port) {
                out.push(finding);
            }
        }
    }
}

/// The ports of Services that proxies ask.
fn asked_ports(t: &Topology) -> HashSet<(ServiceId, u16)> {
    let asked = |outlook: &Outlook| match (outlook.leads, outlook.asks) {
        (Leads::Service(id), Asks::Endpoint(endpoint)) => {
            Some((id, t.endpoints[endpoint].port.known().and_then(|port| port.number())?))
        }
        _ => None,
    };
    t.outlooks.iter().filter_map(asked).collect()
}

/// Workloads to which some Service leads on a port on which they are known to listen.
fn led_right(t: &Topology) -> HashSet<WorkloadId> {
    let mut right = HashSet::new();
    for (_, service) in t.services.iter() {
        let targets: HashSet<u16> =
            service.ports.known().into_iter().flatten().filter_map(|port| port.target.known().copied()).collect();
        let to = service.workloads().iter().take(64).filter(|&&id| {
            let heard = |claim: &Claim| match claim.at {
                Known::Yes(Listens::Port(at)) => claim.weight > Weight::Weak && targets.contains(&at),
                _ => false,
            };
            t.workloads[id].claims.iter().any(heard)
        });
        right.extend(to.copied());
    }
    right
}

/// Whether a Service to which requests come from outside has one port, and the only workload behind it declares one.
fn alone(t: &Topology, service: &Service) -> bool {
    let &[to] = service.workloads() else { return false };
    let declared = t.workloads[to].claims.iter().filter(|claim| claim.weight == Weight::Medium).count();
    service.routed.is_some() && declared == 1 && service.ports.known().is_some_and(|ports| ports.len() == 1)
}

fn not_heard(rule: RuleId, t: &Topology, service: &Service, port: &ServicePort) -> Option<Finding> {
    let target = *port.target.known()?;
    let to = service.workloads();
    if to.is_empty() || to.len() > 64 || to.iter().any(|&id| t.workloads[id].claims_open) {
        return None;
    }
    // Where a proxy runs in it, its own files say where it listens, and those of its image beside them.
    if to.iter().any(|&id| !t.workloads[id].proxies.is_empty()) {
        return None;
    }
    let mut first: Option<&Claim> = None;
    for claim in claims(t, to) {
        match &claim.at {
            Known::Yes(Listens::Port(at)) if *at == target => return None,
            Known::Yes(Listens::Port(_)) if first.is_none_or(|first| first.weight < claim.weight) => {
                first = Some(claim)
            }
            Known::Yes(Listens::Port(_)) => {}
            Known::Yes(Listens::Socket(_)) | Known::Unknown(_) => return None,
        }
    }
    // All groups of pods behind it must be known.
    let all = to.iter().all(|&id| t.workloads[id].claims.iter().any(|claim| claim.weight > Weight::Weak));
    let claim = first.filter(|_| all)?;
    let Known::Yes(Listens::Port(known)) = claim.at else { return None };
    let (severity, confidence, words) = match claim.weight {
        Weight::Decisive => (Severity::Error, Confidence::Certain, "the program does what it is told there"),
        Weight::Strong => (
            Severity::Warning,
            Confidence::Likely,
            "somebody relies on that port; what the program itself does is not in these files",
        ),
        Weight::Source => (Severity::Warning, Confidence::Likely, "the program runs that line"),
        // Somebody who writes a target port knows why; who writes none may have forgotten it.
        // Where there is but one of each, one of the two is likely old.
        Weight::Medium if port.target_site.is_none() || alone(t, service) => (
            Severity::Note,
            Confidence::Possible,
            "that line is documentation only; what the program does is not in these files",
        ),
        Weight::Medium | Weight::Weak => return None,
    };
    let (name, pods) = (quote(&service.name), quote(&t.workloads[to[0]].name));
    let verb = if claim.weight == Weight::Medium { "declares" } else { "listens on" };
    let message = format!("the Service {name} leads to port {target} of {pods}, which {verb} {known}");
    let site = port.target_site.unwrap_or(port.site);
    let finding =
        Finding::new(rule, Dialect::Kubernetes, (site, format!("leads to port {target} of the pods")), message)
            .severity(severity)
            .confidence(confidence)
            .label((claim.site, claim.words.to_string()))
            .why_of_dialect()
            .assumed(words);
    Some(match port.target_site {
        Some(_) => finding.help(format!("write `targetPort: {known}`, or let the program listen on {target}")),
        None => finding.help(format!("write `targetPort: {known}` below `port: {}`", port.port)),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn service(house: &mut House, to: &[WorkloadId], ports: &[(u16, u16)], kind: ServiceKind) -> ServiceId {
        let project = house.t.workloads[to[0]].project;
        let port = |&(port, target): &(u16, u16)| ServicePort {
            port,
            target: Known::Yes(target),
            target_site: Some(at(41)),
            node: Some((port + 30000, at(42))),
            site: at(40),
        };
        house.t.services.push(Service {
            project,
            namespace: None,
            name: "app".into(),
            site: at(39),
            kind,
            to: Known::Yes(to.to_vec()),
            routed: None,
            ports: Known::Yes(ports.iter().map(port).collect()),
        })
    }

    fn said(port: u16, ports: &[(u16, u16)], kind: ServiceKind, listens: u16) -> Option<String> {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "web"));
        house.claim(app, 30, listens, Weight::Medium);
        let endpoint = house.endpoint(11, "app", Port::Written(port));
        let service = service(&mut house, &[app], ports, kind);
        house.sees(proxy, endpoint, Leads::Service(service));
        let found = house.found(RuleId::GW101);
        found.iter().find(|finding| lines(finding)[0] == 11).map(|finding| finding.message.clone())
    }

    #[test]
    fn a_service_answers_on_its_own_ports() {
        let address = |port, ports: &[(u16, u16)]| said(port, ports, ServiceKind::Address, 8080);
        assert_eq!(address(80, &[(80, 8080)]), None);
        assert!(address(8080, &[(80, 8080)]).unwrap().contains("the port of the pods"));
        assert!(address(30080, &[(80, 8080)]).unwrap().contains("on the machines"));
        assert!(address(81, &[(80, 8080)]).unwrap().contains("has port 80"));
        assert!(address(81, &[(80, 8080), (90, 9090)]).unwrap().contains("has no port 81"));
        assert_eq!(said(81, &[(80, 8080)], ServiceKind::Elsewhere, 8080), None);
    }

    #[test]
    fn without_an_address_no_port_is_translated() {
        let members = |port, ports: &[(u16, u16)], listens| said(port, ports, ServiceKind::Members(at(43)), listens);
        assert!(members(80, &[(80, 8080)], 8080).is_some());
        assert_eq!(members(8080, &[(80, 8080)], 8080), None);
        assert_eq!(members(80, &[(80, 8080)], 80), None);
        assert_eq!(members(8080, &[(8080, 8080)], 8080), None);
        assert_eq!(members(80, &[(80, 8080), (81, 80)], 8080), None);
    }

    #[test]
    fn a_second_service_may_be_for_measurements() {
        let said = |others: &[(u16, u16)]| {
            let mut house = House::nginx();
            let app = house.workload(21, "hub");
            house.claim(app, 30, 8080, Weight::Decisive);
            service(&mut house, &[app], &[(9100, 9100)], ServiceKind::Address);
            service(&mut house, &[app], others, ServiceKind::Address);
            house.found(RuleId::GW101).len()
        };
        assert_eq!(said(&[(80, 8080)]), 0);
        assert_eq!(said(&[(80, 8081)]), 2);
    }

    #[test]
    fn pods_that_listen_elsewhere() {
        let said = |claimed: &[(u16, Weight)], open: bool| {
            let mut house = House::nginx();
            let app = house.workload(21, "web");
            for &(port, weight) in claimed {
                house.claim(app, 30, port, weight);
            }
            house.t.workloads[app].claims_open = open;
            service(&mut house, &[app], &[(80, 8080)], ServiceKind::Address);
            house.found(RuleId::GW101).first().map(|finding| finding.severity)
        };
        assert_eq!(said(&[(3000, Weight::Decisive)], false), Some(Severity::Error));
        assert_eq!(said(&[(3000, Weight::Decisive), (8080, Weight::Medium)], false), None);
        assert_eq!(said(&[(3000, Weight::Strong)], false), Some(Severity::Warning));
        assert_eq!(said(&[(3000, Weight::Medium)], false), None);
        assert_eq!(said(&[(3000, Weight::Decisive), (8080, Weight::Weak)], false), None);
        assert_eq!(said(&[(3000, Weight::Weak)], false), None);
        assert_eq!(said(&[(3000, Weight::Decisive)], true), None);
        assert_eq!(said(&[], false), None);
    }
}
