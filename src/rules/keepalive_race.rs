//! GW601: a kept connection may be closed as the next request goes out.

use super::around::behind;
use super::prelude::*;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// GW601.
pub struct KeepaliveRace;

impl Rule for KeepaliveRace {
    fn id(&self) -> RuleId {
        RuleId::GW601
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let declared = declared_idle(cx.topology);
        look_at_hops(cx, out, |cx, id, hop| {
            let http = matches!(hop.protocol, Protocol::Http | Protocol::Http2);
            if http { look(cx, id, hop, &declared) } else { None }
        });
    }
}

/// How long backends keep an idle connection, by host name, where somebody has declared it.
fn declared_idle(topology: &Topology) -> HashMap<&str, &Setting<Wait>> {
    topology
        .workloads
        .iter()
        .filter(|(_, workload)| topology.projects[workload.project].kind == ProjectKind::Declared)
        .filter_map(|(_, workload)| Some((&*workload.name, workload.server.idle.as_ref()?)))
        .collect()
}

fn look(cx: &Cx<'_>, id: HopId, hop: &Hop, declared: &HashMap<&str, &Setting<Wait>>) -> Option<Finding> {
    let topology = cx.topology;
    let reuse = &hop.reuse;
    // A connection that serves its own client only: that client repeats the request, as with any server.
    if reuse.kept.known() != Some(&true) || !reuse.shared || reuse.race_hidden != Known::Yes(false) {
        return None;
    }
    // What a proxy has always done by itself is no mistake that somebody made here; an upgrade that brings it is news.
    let built_in = match reuse.kept.origin {
        Origin::Default(default) if default.since.is_none() => return None,
        Origin::Default(_) => true,
        _ => false,
    };
    let idle = *reuse.idle.known()?;
    let at = reuse.kept.site().unwrap_or(hop.target_site);
    let shortest = cx.duration(RuleId::GW601, "shortest_backend_idle", at);
    let soon = idle < Wait::For(shortest);
    // Somebody may have said how long a backend does.
    let said = |member: &EndpointId| {
        if declared.is_empty() {
            return None;
        }
        let name = topology.endpoints[*member].host_name()?.to_ascii_lowercase();
        declared.get(name.as_str()).map(|idle| (name, *idle))
    };
    let members = topology.members(id);
    let mut longer = HashSet::new();
    for &member in members.iter().take(1000) {
        match kept_there(topology, member, idle) {
            There::Longer => drop(longer.insert(member)),
            There::Shorter(server, guessed) => return Some(proved(cx, hop, at, idle, server, guessed)),
            There::Unknown => {}
        }
    }
    let mut sooner = None;
    let safe = members.iter().take(1000).all(|member| match said(member) {
        Some((_, there)) if there.known().is_some_and(|there| *there > idle) => true,
        Some(found) => {
            sooner.get_or_insert(found);
            false
        }
        None => soon || longer.contains(member),
    });
    if if members.is_empty() { soon } else { safe } {
        return None;
    }
    let dialect = cx.dialect(hop.proxy);
    let message = match &sooner {
        Some((name, there)) => format!(
            "{} keeps idle connections {}; {} closes them after {}, which breaks a request now and then",
            dialect.name(),
            held(idle),
            quote(name),
            there.known().map_or_else(String::new, ToString::to_string)
        ),
        None => format!(
            "{} keeps idle connections {}; a backend that closes sooner breaks a request now and then",
            dialect.name(),
            held(idle)
        ),
    };
    let at = reuse.kept.label(hop.target_site, "connections are kept for the next request, of any client");
    let mut finding = Finding::new(RuleId::GW601, dialect, at, message);
    // Most requests are repeated then, and few are lost. Nobody asked for what is built in.
    if built_in || hop.retry.on.known().is_none_or(|on| on.empty) {
        finding = finding.severity(Severity::Note);
    }
    if let Some(site) = reuse.idle.site() {
        finding = finding.label((site, format!("idle {}", held(idle))));
    }
    if let Target::Pool(pool) = hop.target {
        finding = finding.label((topology.pools[pool].name_site, "to these members".into()));
    }
    finding = finding.label((hop.target_site, "requests go out on them here".into()));
    finding = match sooner.and_then(|(_, there)| there.site()) {
        Some(site) => finding.label((site, "declared here".into())).why_of_dialect().confidence(Confidence::Likely),
        None => finding.why_of_dialect().assumed(format!(
            "the backend closes an idle connection after {} (Node.js, uvicorn, Apache httpd: 5 s; gunicorn: 2 s)",
            humanise(shortest)
        )),
    };
    let finding = finding.help(format!(
        "set `{}` below the time after which the backend closes, or repeat requests that got no answer at all",
        reuse.idle.spelling
    ));
    Some(finding.fix(reuse.kept.site().and_then(|site| shorter(dialect, reuse, site, shortest))))
}

/// A shorter time beside the statement that asks for kept connections, where nobody has written one.
fn shorter(dialect: Dialect, reuse: &Reuse, asked: Site, shortest: Duration) -> Option<Box<Fix>> {
    let seconds = shortest.as_secs().checked_sub(1).filter(|&seconds| seconds > 0)?;
    if dialect != Dialect::Nginx || !matches!(reuse.idle.origin, Origin::Default(_)) {
        return None;
    }
    let words = format!("{} {seconds}s", reuse.idle.spelling);
    Some(Fix::guess(format!("write {}", quote(&words)), [Edit::Below { statement: asked.span, words }]))
}

/// What is known of how long the other side keeps an idle connection.
enum There<'t> {
    /// Longer than the proxy does, or it never keeps one.
    Longer,
    /// Not longer; whether it is a guess that the proxy runs there.
    Shorter(&'t Server, bool),
    Unknown,
}

fn kept_there(topology: &Topology, member: EndpointId, idle: Wait) -> There<'_> {
    // The proxy's own listeners say how long they keep an idle client.
    if let Some(link) = topology.endpoints[member].leads_to {
        return match topology.listeners[link.listener].idle.known() {
            Some(there) if *there > idle => There::Longer,
            _ => There::Unknown,
        };
    }
    let mut longer = 0;
    let behind = behind(topology, member);
    let mut shorter = None;
    for one in &behind {
        let server = &one.workload.server;
        match server.idle.as_ref().and_then(|idle| idle.known()) {
            // It closes after each answer, and says so.
            Some(Wait::For(Duration::ZERO)) => longer += 1,
            Some(there) if *there > idle => longer += 1,
            Some(_) if server.program.is_some() => shorter = Some((server, one.guessed)),
            _ => return There::Unknown,
        }
    }
    match shorter {
        // One place in order makes it another one's affair.
        Some((server, guessed)) if longer == 0 => There::Shorter(server, guessed),
        None if longer > 0 => There::Longer,
        _ => There::Unknown,
    }
}

/// The program behind an endpoint is known to close first.
fn proved(cx: &Cx<'_>, hop: &Hop, site: Site, idle: Wait, server: &Server, guessed: bool) -> Finding {
    let reuse = &hop.reuse;
    let dialect = cx.dialect(hop.proxy);
    let program = server.program.as_ref().map_or("the server", |(name, _)| name);
    let closes = server.idle.as_ref().and_then(|idle| idle.known().copied()?.duration()).unwrap_or_default();
    let mut finding = Finding::new(
        RuleId::GW601,
        dialect,
        (site, "connections are kept for the next request, of any client".into()),
        format!(
            "{} keeps idle connections {}, and {program} closes them after {}: now and then a request meets a closed one",
            dialect.name(),
            held(idle),
            humanise(closes)
        ),
    )
    .confidence(if guessed { Confidence::Possible } else { Confidence::Likely });
    if guessed {
        finding = finding.severity(Severity::Note);
    }
    if let Some(site) = reuse.idle.site() {
        finding = finding.label((site, format!("idle {}", held(idle))));
    }
    if let (Some(there), Some((_, at))) = (&server.idle, &server.program) {
        finding = finding.label(there.label(*at, format!("closed after {}", humanise(closes))));
    }
    let raise = server.idle.as_ref().map_or("its own", |idle| idle.spelling);
    finding.label((hop.target_site, "requests go out on them here".into())).why_of_dialect().help(format!(
        "raise `{raise}` of {program} above that of {}, or set `{}` below {}",
        dialect.name(),
        reuse.idle.spelling,
        humanise(closes)
    ))
}

fn held(idle: Wait) -> String {
    match idle {
        Wait::For(idle) => format!("for {}", humanise(idle)),
        Wait::Forever => "for ever".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house() -> (House, HopId) {
        let mut house = House::nginx();
        let pool = house.pool(4, "app");
        house.member(pool, 5, "10.0.0.1", 80);
        let hop = house.hop(15, Target::Pool(pool));
        house.t.hops[hop].reuse.kept = written(true, 7);
        house.t.hops[hop].reuse.shared = true;
        (house, hop)
    }

    #[test]
    fn kept_longer_than_backends_do() {
        let (mut house, hop) = house();
        let found = house.found(RuleId::GW601);
        assert_eq!(lines(&found[0]), [7, 4, 15]);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Note, Confidence::Possible));
        for idle in [written(ms(1000), 8), Setting::unknown(Reason::TemplateHole, at(8), "keepalive_timeout")] {
            house.t.hops[hop].reuse.idle = idle.into();
            assert!(house.found(RuleId::GW601).is_empty());
        }
        house.t.hops[hop].reuse.idle = written(ms(5000), 8).into();
        assert_eq!(lines(&house.found(RuleId::GW601)[0]), [7, 8, 4, 15]);
    }

    #[test]
    fn not_kept_hidden_and_built_in_are_silent() {
        let (mut house, hop) = house();
        house.t.hops[hop].reuse.race_hidden = Known::Yes(true);
        assert!(house.found(RuleId::GW601).is_empty());
        house.t.hops[hop].reuse.race_hidden = Known::Unknown(Reason::OutsideRepository);
        assert!(house.found(RuleId::GW601).is_empty());
        house.t.hops[hop].reuse.race_hidden = Known::Yes(false);
        house.t.hops[hop].reuse.kept = written(false, 7);
        assert!(house.found(RuleId::GW601).is_empty());
        house.t.hops[hop].reuse.kept = built_in(true);
        assert!(house.found(RuleId::GW601).is_empty());
    }

    #[test]
    fn without_a_repeat_it_is_worse_and_for_one_client_it_is_nothing() {
        let (mut house, hop) = house();
        house.t.hops[hop].retry.on = built_in(RetryOn { connect: true, ..RetryOn::default() });
        assert_eq!(house.found(RuleId::GW601)[0].severity, Severity::Warning);
        house.t.hops[hop].reuse.shared = false;
        assert!(house.found(RuleId::GW601).is_empty());
    }

    #[test]
    fn a_known_program_says_how_long_it_keeps() {
        for (there, expected) in [
            (built_in(ms(5000)), vec![(Severity::Warning, Confidence::Likely)]),
            (written(ms(60_000), 31), vec![(Severity::Warning, Confidence::Likely)]),
            (written(ms(65_000), 31), vec![]),
            (built_in(ms(0)), vec![]),
            (written(Wait::Forever, 31), vec![]),
            (Setting::unknown(Reason::Variable, at(31), "x"), vec![(Severity::Note, Confidence::Possible)]),
        ] {
            let (mut house, _) = house();
            let app = house.workload(30, "app");
            let proxy = house.workload(32, "proxy");
            house.t.workloads[app].server.program = Some(("Node.js".into(), at(31)));
            house.t.workloads[app].server.idle = Some(there);
            let member = house.t.pools.iter().next().unwrap().1.members[0];
            house.sees(proxy, member, Leads::To(app));
            let found: Vec<_> = house.found(RuleId::GW601).iter().map(|f| (f.severity, f.confidence)).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_proxys_own_listener_says_how_long_it_keeps() {
        let (mut house, hop) = house();
        let listener = house.listener(20, 80, false);
        let member = house.t.pools.iter().next().unwrap().1.members[0];
        house.leads_to(member, listener, None);
        assert!(house.found(RuleId::GW601).is_empty(), "75 s there, 60 s here");
        house.t.hops[hop].reuse.idle = written(ms(90_000), 8).into();
        assert_eq!(house.found(RuleId::GW601).len(), 1);
    }
}
