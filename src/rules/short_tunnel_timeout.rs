//! GW207: quiet tunnels are cut.

use super::prelude::*;
use std::collections::HashSet;
use std::time::Duration;

/// Longer than most applications leave a websocket without a ping.
const SHORT: Duration = Duration::from_secs(60);
/// And than a person looks at a page without doing anything.
const PAUSE: Duration = Duration::from_secs(300);

/// GW207.
pub struct ShortTunnelTimeout;

impl Rule for ShortTunnelTimeout {
    fn id(&self) -> RuleId {
        RuleId::GW207
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::ShortTunnel, cx, out);
        let bare = tiny_bare_numbers(cx.topology);
        let mut told = HashSet::new();
        for (_, hop) in cx.topology.hops.iter() {
            if let Some((setting, wait)) = idle(hop)
                && setting.site().is_none_or(|site| !bare.contains(&site))
                && let Some(finding) = look(cx, hop, setting, wait)
                && told.insert(finding.primary().site)
            {
                out.push(finding);
            }
        }
    }
}

/// How long a websocket may be quiet: the timeout for tunnels, else the shorter one of those for the two sides.
fn idle(hop: &Hop) -> Option<(&Setting<Wait>, Duration)> {
    let known = |setting| match Setting::known(setting) {
        Some(&Wait::For(wait)) => Some((setting, wait)),
        _ => None,
    };
    if let Some(tunnel) = hop.timeouts.tunnel.as_deref() {
        return known(tunnel);
    }
    let read = known(&hop.timeouts.read);
    match hop.timeouts.client.as_deref().map(known) {
        // What is not known may be the shorter one, and then this one is not to blame; it is too short all the same.
        Some(Some(client)) if read.is_none_or(|read| client.1 < read.1) => Some(client),
        _ => read,
    }
}

fn look(cx: &Cx<'_>, hop: &Hop, setting: &Setting<Wait>, wait: Duration) -> Option<Finding> {
    let websockets = hop.websockets.as_ref().filter(|it| it.opening == Known::Yes(Opening::Passed))?;
    if !hop.protocol.has_status() || wait.is_zero() {
        return None;
    }
    // Whoever writes two minutes beside the websocket has thought of it.
    let chosen = matches!(setting.origin, Origin::Written(_)) || hop.timeouts.tunnel.is_some();
    let (severity, confidence) = match wait {
        _ if wait > PAUSE => return None,
        _ if wait > SHORT && chosen => return None,
        _ if wait > SHORT => (Severity::Note, Confidence::Possible),
        _ if !setting.is_written() => (Severity::Note, Confidence::Possible),
        _ if websockets.sure => (Severity::Warning, Confidence::Likely),
        _ => (Severity::Warning, Confidence::Possible),
    };
    let time = humanise(wait);
    let at = setting.label(hop.site, format!("cuts a connection that is quiet for {time}"));
    let mut finding = Finding::new(
        RuleId::GW207,
        cx.dialect(hop.proxy),
        at,
        format!("a websocket on which nothing is said for {time} is cut"),
    );
    if finding.primary().site != websockets.shown_by {
        finding = finding.label((websockets.shown_by, "websockets pass here".into()));
    }
    let finding = finding
        .severity(severity)
        .confidence(confidence)
        .outcome(Outcome::ConnectionClosed)
        .assumed("the application does not send a ping within this time".to_owned());
    Some(finding.why_of_dialect().help(match hop.timeouts.client {
        Some(_) => "write `timeout tunnel 1h` in this backend, or in `defaults`".to_owned(),
        None => format!("write `{} 1h` where the websockets pass, or let the application send pings", setting.spelling),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(read: Setting<Wait>, change: impl Fn(&mut Hop)) -> Vec<(Severity, Confidence, Vec<u32>)> {
        let mut house = House::nginx();
        let endpoint = house.endpoint(8, "127.0.0.1", Port::Written(80));
        let hop = house.hop(8, Target::Endpoint(endpoint));
        let hop = &mut house.t.hops[hop];
        hop.timeouts.read = read;
        let opening = Known::Yes(Opening::Passed);
        hop.websockets = Some(Box::new(Websockets { shown_by: at(6), sure: true, opening }));
        change(hop);
        house.found(RuleId::GW207).iter().map(|f| (f.severity, f.confidence, lines(f))).collect()
    }

    #[test]
    fn the_time_that_holds() {
        let nothing = |_: &mut Hop| {};
        let warning = |line| vec![(Severity::Warning, Confidence::Likely, vec![line, 6])];
        assert_eq!(said(written(ms(10_000), 7), nothing), warning(7));
        assert_eq!(said(built_in(ms(60_000)), nothing), [(Severity::Note, Confidence::Possible, vec![8, 6])]);
        assert!(said(written(ms(120_000), 7), nothing).is_empty());
        assert!(said(written(ms(3_600_000), 7), nothing).is_empty());
        // The shorter side, unless tunnels have a time of their own.
        let client = |hop: &mut Hop| hop.timeouts.client = Some(Box::new(written(ms(5000), 3)));
        assert_eq!(said(written(ms(10_000), 7), client), warning(3));
        let tunnel = |hop: &mut Hop| hop.timeouts.tunnel = Some(Box::new(written(ms(3_600_000), 4)));
        assert!(said(written(ms(10_000), 7), tunnel).is_empty());
    }

    #[test]
    fn only_where_websockets_pass() {
        assert!(said(written(ms(10_000), 7), |hop| hop.websockets = None).is_empty());
        let dropped = |hop: &mut Hop| {
            let opening = Known::Yes(Opening::Dropped);
            hop.websockets = Some(Box::new(Websockets { shown_by: at(6), sure: true, opening }));
        };
        assert!(said(written(ms(10_000), 7), dropped).is_empty());
    }
}
