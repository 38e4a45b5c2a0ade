//! GW206: the side of the client gives up before the side of the server.

use super::around::behind;
use super::prelude::*;
use std::collections::HashSet;
use std::time::Duration;

/// Connections that are quiet for longer are nobody's surprise.
const LONG: Duration = Duration::from_secs(300);

/// Times below this are meant to be short: another rule speaks of them.
const SHORT: Duration = Duration::from_secs(20);

/// Frontends of one backend that are looked at.
const MANY: usize = 100;

/// GW206.
pub struct TimeoutLadderInverted;

impl Rule for TimeoutLadderInverted {
    fn id(&self) -> RuleId {
        RuleId::GW206
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::LadderInverted, cx, out);
        workers(cx, out);
        let mut told = HashSet::new();
        for (_, hop) in cx.topology.hops.iter() {
            // Where requests are understood, a client that waits for its answer is not cut.
            if hop.protocol != Protocol::Tcp || hop.timeouts.tunnel.is_some() || !hop.timeouts.read.is_written() {
                continue;
            }
            let Some(&server) = hop.timeouts.read.known() else { continue };
            for &route in hop.routes.iter().take(MANY) {
                let Some(host) = cx.topology.routes[route].virtual_host else { continue };
                let listener = cx.topology.virtual_hosts[host].listeners.first();
                let Some(client) = listener.and_then(|&id| cx.topology.listeners[id].client.as_ref()) else { continue };
                let (Some(&Wait::For(wait)), Some(site)) = (client.known(), client.site()) else { continue };
                if client.is_written() && wait < LONG && Wait::For(wait) < server && told.insert(site) {
                    out.push(report(cx, hop, client, wait, server));
                }
            }
        }
    }
}

/// Workers that are given more time for a request than the proxy waits for its answer.
fn workers(cx: &Cx<'_>, out: &mut Findings) {
    let mut told = HashSet::new();
    for (id, hop) in cx.topology.hops.iter() {
        if !hop.protocol.has_status() || is_probe(cx.topology, hop) {
            continue;
        }
        let found = cx.topology.members(id).iter().take(MANY).find_map(|&member| worker(cx, hop, member));
        if let Some(finding) = found
            && told.insert((hop.proxy, finding.labels.get(1).map(|label| label.site)))
        {
            out.push(finding);
        }
    }
}

fn worker(cx: &Cx<'_>, hop: &Hop, member: EndpointId) -> Option<Finding> {
    let read = &hop.timeouts.read;
    let Wait::For(waits) = *read.known()? else { return None };
    let behind = behind(cx.topology, member);
    let limits: Vec<(&Setting<Wait>, Duration)> = behind
        .iter()
        .filter_map(|one| one.workload.server.worker_timeout.as_ref())
        .filter_map(|limit| Some((limit, limit.known()?.duration()?)))
        .collect();
    // What nobody wrote says nothing of how long requests take; a proxy that gives up within seconds means to.
    let asked_for = |(limit, time): &(&Setting<Wait>, Duration)| limit.is_written() && *time > waits;
    if behind.is_empty() || limits.len() < behind.len() || !limits.iter().all(asked_for) || waits < SHORT {
        return None;
    }
    let (first, &(limit, time)) = (behind.first()?, limits.first()?);
    let (program, program_site) = first.workload.server.program.as_ref()?;
    let dialect = cx.dialect(hop.proxy);
    let (waits, time) = (humanise(waits), humanise(time));
    let message = format!(
        "{program} is given {time} for a request, and {} gives up after {waits}: the slow request ends in 504",
        dialect.name()
    );
    let finding = Finding::new(
        RuleId::GW206,
        dialect,
        read.label(hop.target_site, format!("{} waits {waits} for an answer", dialect.name())),
        message,
    )
    .label(limit.label(*program_site, format!("a worker may take {time}")))
    .outcome(Outcome::Status(504))
    .log("")
    .why("somebody has raised the time for a worker, so there are requests that take long, and the proxy gives them up while the worker goes on")
    .help(format!("raise `{}` to {time} for the paths that take so long, or lower `{}`", read.spelling, limit.spelling))
    .label((hop.target_site, "requests go out here".into()));
    // Where both were written, somebody may have had each of them in mind.
    let milder = read.is_written() || first.guessed;
    Some(if milder { finding.severity(Severity::Note).confidence(Confidence::Possible) } else { finding })
}

fn report(cx: &Cx<'_>, hop: &Hop, client: &Setting<Wait>, wait: Duration, server: Wait) -> Finding {
    let (read, wait) = (&hop.timeouts.read, humanise(wait));
    Finding::new(
        RuleId::GW206,
        cx.dialect(hop.proxy),
        client.label(hop.site, format!("a client may be quiet for {wait}")),
        format!("a connection is cut when the client is quiet for {wait}, although `{}` is {server}", read.spelling),
    )
    .label(read.label(hop.site, format!("a server may be quiet for {server}")))
    .why_of_dialect()
    .help(format!("write the same time for `{}` and `{}`", client.spelling, read.spelling))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(client: Setting<Wait>, server: Setting<Wait>) -> (House, HopId) {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        let hop = house.hop(14, Target::Pool(pool));
        house.t.hops[hop].protocol = Protocol::Tcp;
        house.t.hops[hop].timeouts.read = server;
        let listener = house.listener(10, 5432, false);
        house.t.listeners[listener].client = Some(client);
        let host = house.host(9, &[listener]);
        house.route(host, 11, Matcher::Always, Some(hop));
        (house, hop)
    }

    fn said(client: Setting<Wait>, server: Setting<Wait>) -> Vec<Vec<u32>> {
        house(client, server).0.found(RuleId::GW206).iter().map(lines).collect()
    }

    #[test]
    fn the_client_is_cut_first() {
        assert_eq!(said(written(ms(30_000), 5), written(ms(60_000), 6)), [[5, 6]]);
        assert!(said(written(ms(60_000), 5), written(ms(60_000), 6)).is_empty());
        assert!(said(written(ms(300_000), 5), written(ms(3_600_000), 6)).is_empty());
        assert!(said(written(ms(30_000), 5), built_in(Wait::Forever)).is_empty());
        assert!(said(Setting::unknown(Reason::Variable, at(5), "setting"), written(ms(60_000), 6)).is_empty());
    }

    #[test]
    fn requests_and_tunnels_have_other_clocks() {
        let (mut house, hop) = house(written(ms(30_000), 5), written(ms(60_000), 6));
        house.t.hops[hop].timeouts.tunnel = Some(Box::new(written(ms(1000), 15)));
        assert!(house.found(RuleId::GW206).is_empty());
        house.t.hops[hop].timeouts.tunnel = None;
        house.t.hops[hop].protocol = Protocol::Http;
        assert!(house.found(RuleId::GW206).is_empty());
    }
}
