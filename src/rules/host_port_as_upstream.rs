//! GW102: the published host port is used between containers.

use super::around::{look_around, published_instead, sharers};
use super::prelude::*;

/// GW102.
pub struct HostPortAsUpstream;

impl Rule for HostPortAsUpstream {
    fn id(&self) -> RuleId {
        RuleId::GW102
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        look_around(cx, out, |seen| {
            let ((to, workload), port) = (seen.to()?, seen.port()?);
            let group = sharers(cx.topology, to);
            let published = published_instead(cx.topology, &group, port)?;
            let inside = published.container.known()?;
            let dialect = cx.dialect(seen.asked.proxy);
            let name = quote(&workload.name);
            let message = format!(
                "port {port} of {name} is the one that the machine publishes; between containers it listens on {inside}"
            );
            let finding = Finding::new(
                self.id(),
                dialect,
                (seen.asked.site, format!("nothing listens on {port} in {name}")),
                message,
            )
            .label((published.site, format!("{port} of the machine leads to {inside} of {name}")))
            .label(seen.runs())
            .why_of_dialect()
            .help(format!("write `{}:{inside}`", seen.asked.name_or(&workload.name)));
            let edit = seen.asked.word(port.to_string(), inside.to_string());
            Some(finding.fix(Some(Fix::safe(format!("write `{inside}`"), edit))))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn the_machines_port_means_nothing_between_containers() {
        let said = |host: u16, container: u16, asked: u16| {
            let mut house = House::nginx();
            let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
            house.publish(app, 22, host, container);
            let endpoint = house.endpoint(11, "app", Port::Written(asked));
            house.sees(proxy, endpoint, Leads::To(app));
            house.found(RuleId::GW102).first().map(lines)
        };
        assert_eq!(said(8080, 80, 8080), Some(vec![11, 22, 29]));
        assert_eq!(said(8080, 80, 80), None);
        assert_eq!(said(8080, 8080, 8080), None);
        assert_eq!(said(8080, 80, 9000), None);
    }

    #[test]
    fn what_the_container_is_known_to_listen_on_is_in_order() {
        let mut house = House::nginx();
        let (proxy, app) = (house.workload(20, "proxy"), house.workload(21, "app"));
        house.publish(app, 22, 8080, 80);
        house.claim(app, 23, 8080, Weight::Medium);
        let endpoint = house.endpoint(11, "app", Port::Written(8080));
        house.sees(proxy, endpoint, Leads::To(app));
        assert!(house.found(RuleId::GW102).is_empty());
    }
}
