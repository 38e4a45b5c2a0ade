//! GW505: the connection limit is below what ordinary traffic needs.

use super::prelude::*;
use std::collections::HashSet;

/// As many connections as one browser opens to one host over HTTP/1.1.
const OF_ONE_BROWSER: u64 = 6;

/// Bytes that nobody reads are often those of a database or of one partner: few clients are ordinary there.
const FEW_TUNNELS: u64 = 10;

/// GW505.
pub struct TooFewConnections;

impl Rule for TooFewConnections {
    fn id(&self) -> RuleId {
        RuleId::GW505
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        let passes_on: HashSet<ProxyId> = topology.hops.iter().map(|(_, hop)| hop.proxy).collect();
        let speaks: HashSet<ProxyId> =
            topology.hops.iter().filter(|(_, hop)| hop.protocol.has_status()).map(|(_, hop)| hop.proxy).collect();
        for (id, proxy) in topology.proxies.iter() {
            let Some(limits) = proxy.limits.as_deref() else { continue };
            let Some(setting) = limits.connections.as_ref().filter(|setting| setting.is_written()) else { continue };
            let (Some(&number), Some(site)) = (setting.known(), setting.site()) else { continue };
            let traffic = passes_on.contains(&id);
            match limits.counts {
                Counts::Clients if traffic => {
                    let enough =
                        if speaks.contains(&id) { cx.integer(self.id(), "min_clients", site) } else { FEW_TUNNELS };
                    if number < enough {
                        out.push(clients(cx, id, number, site, (setting.spelling, "all frontends")));
                    }
                }
                Counts::Everything => {
                    let (sockets, listener) = sockets(topology, id);
                    if proxy.whole && number <= sockets {
                        out.push(does_not_start(cx, id, setting.spelling, (number, site), (sockets, listener)));
                    } else if traffic {
                        // A place for a listening socket at least, and one for the process itself.
                        let requests = number.saturating_sub(sockets.max(1) + 1) / 2;
                        if requests < cx.integer(self.id(), "min_requests", site) {
                            out.push(requests_of_a_worker(cx, id, setting.spelling, requests, site));
                        }
                    }
                }
                Counts::Clients => {}
            }
        }
        frontends(cx, out);
    }
}

/// Listening sockets that a proxy has at least, and one of its listeners. Two addresses may share a socket, so of one
/// port only one counts.
fn sockets(topology: &Topology, proxy: ProxyId) -> (u64, Option<Site>) {
    let (mut places, mut range, mut at) = (HashSet::new(), 0, None);
    for (_, listener) in topology.listeners.iter().filter(|(_, listener)| listener.proxy == proxy) {
        match listener.bind.known() {
            Some((Address::Net(_), Some((first, last)))) if first == last => {
                places.insert(Ok(*first));
            }
            Some((Address::Net(_), Some((first, last)))) => range = range.max(u64::from(last - first) + 1),
            Some((Address::Socket(path), _)) => {
                places.insert(Err(path));
            }
            _ => continue,
        }
        at.get_or_insert(listener.site);
    }
    (range.max(places.len() as u64), at)
}

fn does_not_start(
    cx: &Cx<'_>,
    proxy: ProxyId,
    spelling: &str,
    (number, site): (u64, Site),
    (sockets, listener): (u64, Option<Site>),
) -> Finding {
    let needs = sockets + 1;
    Finding::new(
        RuleId::GW505,
        cx.dialect(proxy),
        (site, format!("{number} where {needs} are needed")),
        format!(
            "{} does not start: `{spelling} {number}` is not enough for {}",
            cx.dialect(proxy).name(),
            match sockets {
                1 => "a listening socket and one place more".to_owned(),
                _ => format!("{sockets} listening sockets and one place more"),
            }
        ),
    )
    .confidence(Confidence::Certain)
    .outcome(Outcome::DoesNotStart)
    .label_if(listener.map(|site| (site, "a listening socket takes a place, too".into())))
    .log("are not enough for")
    .why("each listening socket takes one of the places, and one is kept for the process itself")
    .help(format!("write `{spelling} 1024`, or leave the line out"))
}

fn requests_of_a_worker(cx: &Cx<'_>, proxy: ProxyId, spelling: &str, requests: u64, site: Site) -> Finding {
    let message = match requests {
        0 => "a worker has no place for a request that is passed on: clients get 500 or a reset connection".to_owned(),
        1 => "a worker passes on 1 request at a time at most: the next ones get 500 or a reset connection".to_owned(),
        _ => format!(
            "a worker passes on {requests} requests at a time at most: the next ones get 500 or a reset connection"
        ),
    };
    Finding::new(
        RuleId::GW505,
        cx.dialect(proxy),
        (site, "two places for each request that is passed on".into()),
        message,
    )
    .severity(Severity::Warning)
    .why_of_dialect()
    .help(format!("write `{spelling} 1024` or more, or leave the line out"))
}

/// Frontends that take few clients. Those without servers behind them (statistics, redirects) may be small.
fn frontends(cx: &Cx<'_>, out: &mut Findings) {
    let topology = cx.topology;
    let mut told = HashSet::new();
    for (_, host) in topology.virtual_hosts.iter() {
        let Some(setting) = host.clients.as_deref().filter(|setting| setting.is_written()) else { continue };
        let (Some(&number), Some(site)) = (setting.known(), setting.site()) else { continue };
        if told.contains(&site) {
            continue;
        }
        let hops = || host.routes.iter().filter_map(|&route| topology.routes[route].hop);
        let serves = hops().take(100).any(|hop| {
            let enough = match topology.hops[hop].protocol.has_status() {
                true => cx.integer(RuleId::GW505, "min_frontend_clients", site),
                false => FEW_TUNNELS,
            };
            number < enough && serving(topology, hop).next().is_some()
        });
        if serves && told.insert(site) {
            let finding = clients(cx, host.proxy, number, site, (setting.spelling, "this frontend"));
            out.push(finding.label((host.site, "clients come in here".into())));
        }
    }
}

fn clients(cx: &Cx<'_>, proxy: ProxyId, number: u64, site: Site, (spelling, whose): (&str, &str)) -> Finding {
    let are = if number == 1 { "client is" } else { "clients are" };
    let severity = if number < cx.integer(RuleId::GW505, "min_frontend_clients", site) {
        Severity::Warning
    } else {
        Severity::Note
    };
    let sure = if number < OF_ONE_BROWSER { Confidence::Certain } else { Confidence::Likely };
    Finding::new(
        RuleId::GW505,
        cx.dialect(proxy),
        (site, format!("the limit for {whose}")),
        format!(
            "only {number} {are} served at a time: the others wait without an answer and without a word in the log"
        ),
    )
    .severity(severity)
    .confidence(sure)
    .why_of_dialect()
    .help(format!(
        "leave `{spelling}` out, or write how many clients there are at the busiest time, idle ones included"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn limits(number: Setting<u64>, counts: Counts) -> Option<Box<Limits>> {
        Some(Box::new(Limits {
            connections: Some(number),
            files: None,
            counts,
            files_per_connection: 1,
            files_checked: false,
        }))
    }

    fn house(mut house: House, number: Setting<u64>, counts: Counts) -> House {
        house.t.proxies[house.proxy].limits = limits(number, counts);
        let pool = house.pool(14, "app");
        house.member(pool, 15, "10.0.0.1", 80);
        let hop = house.hop(14, Target::Pool(pool));
        let listener = house.listener(10, 80, false);
        let host = house.host(9, &[listener]);
        house.route(host, 11, Matcher::Always, Some(hop));
        house
    }

    fn said(house: &House) -> Vec<(Severity, Confidence)> {
        house.found(RuleId::GW505).iter().map(|f| (f.severity, f.confidence)).collect()
    }

    #[test]
    fn two_places_for_a_request() {
        let nginx = |number| house(House::nginx(), number, Counts::Everything);
        let found = nginx(written(10, 2)).found(RuleId::GW505);
        assert_eq!(lines(&found[0]), [2]);
        assert!(found[0].message.contains("passes on 4 requests"));
        assert_eq!(said(&nginx(written(81, 2))), [(Severity::Warning, Confidence::Likely)]);
        assert!(said(&nginx(written(82, 2))).is_empty());
        assert!(said(&nginx(built_in(10))).is_empty());
        assert!(said(&nginx(Setting::unknown(Reason::TemplateHole, at(2), "setting"))).is_empty());
    }

    #[test]
    fn sockets_take_places() {
        let mut house = house(House::nginx(), written(3, 2), Counts::Everything);
        assert_eq!(said(&house), [(Severity::Warning, Confidence::Likely)]);
        // One port on two addresses may be one socket.
        house.listener(20, 80, false);
        house.listener(21, 81, false);
        assert_eq!(said(&house), [(Severity::Warning, Confidence::Likely)]);
        house.listener(22, 82, false);
        assert_eq!(said(&house), [(Severity::Error, Confidence::Certain)]);
        house.t.proxies[house.proxy].whole = false;
        assert_eq!(said(&house), [(Severity::Warning, Confidence::Likely)]);
    }

    #[test]
    fn clients_of_all_and_of_a_frontend() {
        let haproxy = |number| house(House::haproxy(), number, Counts::Clients);
        assert_eq!(said(&haproxy(written(1, 3))), [(Severity::Warning, Confidence::Certain)]);
        assert_eq!(said(&haproxy(written(99, 3))), [(Severity::Warning, Confidence::Likely)]);
        assert_eq!(said(&haproxy(written(255, 3))), [(Severity::Note, Confidence::Likely)]);
        let mut house = haproxy(written(256, 3));
        assert!(said(&house).is_empty());
        let host = house.t.virtual_hosts.ids().next().unwrap();
        house.t.virtual_hosts[host].clients = Some(Box::new(written(99, 12)));
        assert_eq!(lines(&house.found(RuleId::GW505)[0]), [12, 9]);
        let hop = house.t.hops.ids().next().unwrap();
        house.t.hops[hop].protocol = Protocol::Tcp;
        assert!(said(&house).is_empty());
        house.t.hops[hop].protocol = Protocol::Http;
        // Statistics, redirects.
        let route = house.t.routes.ids().next().unwrap();
        house.t.routes[route].hop = None;
        assert!(said(&house).is_empty());
    }

    #[test]
    fn few_clients_are_ordinary_for_a_database() {
        let mut house = house(House::haproxy(), written(100, 3), Counts::Clients);
        assert_eq!(said(&house).len(), 1);
        let hop = house.t.hops.ids().next().unwrap();
        house.t.hops[hop].protocol = Protocol::Tcp;
        assert!(said(&house).is_empty());
        house.t.proxies[house.proxy].limits = limits(written(9, 3), Counts::Clients);
        assert_eq!(said(&house), [(Severity::Warning, Confidence::Likely)]);
    }

    #[test]
    fn who_passes_nothing_on_is_left_alone() {
        let mut house = House::nginx();
        house.t.proxies[house.proxy].limits = limits(written(10, 2), Counts::Everything);
        house.listener(10, 80, false);
        assert!(said(&house).is_empty());
    }
}
