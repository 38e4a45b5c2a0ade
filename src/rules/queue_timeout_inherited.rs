//! GW208: requests that wait for a full endpoint are given up too early, mostly after the time to connect.

use super::prelude::*;
use std::time::Duration;

/// A queue that is to last so long was hardly meant to be given up for want of a connection.
const SHORT: Duration = Duration::from_secs(5);

/// A written time so short that a single slow answer outlasts it.
const VERY_SHORT: Duration = Duration::from_secs(1);

/// Below this a number without its unit is likelier than a time that was chosen.
const UNIT_FORGOTTEN: Duration = Duration::from_millis(100);

/// GW208.
pub struct QueueTimeoutInherited;

impl Rule for QueueTimeoutInherited {
    fn id(&self) -> RuleId {
        RuleId::GW208
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        for id in cx.topology.hops.ids() {
            self.check_hop(cx, id, out);
        }
    }
}

impl QueueTimeoutInherited {
    fn check_hop(&self, cx: &Cx<'_>, hop: HopId, out: &mut Findings) {
        let hop = &cx.topology.hops[hop];
        let Some(queue) = &hop.timeouts.queue else { return };
        let Some(&Wait::For(wait)) = queue.known() else { return };
        if queue.is_written() {
            if let Some(finding) = written_short(cx, hop, queue, wait) {
                out.push(finding);
            }
            return;
        }
        if wait >= SHORT || !hop.timeouts.connect.is_written() {
            return;
        }
        let time = humanise(wait);
        let finding = Finding::new(
            self.id(),
            cx.dialect(hop.proxy),
            (hop.site, format!("{} is not set", quote(queue.spelling))),
            format!("a request that waits for a free server is answered with 503 after {time}"),
        )
        .label(hop.timeouts.connect.label(hop.site, "holds for the queue, too"));
        out.push(finding.why_of_dialect().help(format!(
            "write {} with the time that clients will wait, even if it is {time}",
            quote(queue.spelling)
        )));
    }
}

/// Somebody chose a queue that hardly lasts: perhaps to be quick with the answer that there is no room.
fn written_short(cx: &Cx<'_>, hop: &Hop, queue: &Setting<Wait>, wait: Duration) -> Option<Finding> {
    // Of smaller ones the unit was forgotten: that is another rule's.
    let site = queue.site().filter(|_| (UNIT_FORGOTTEN..VERY_SHORT).contains(&wait))?;
    let time = humanise(wait);
    Some(
        Finding::new(
            RuleId::GW208,
            cx.dialect(hop.proxy),
            (site, format!("a request waits {time} for a free server")),
            format!("when every server is busy for {time}, requests that wait for one are answered with 503"),
        )
        .label((hop.site, "its servers take a limited number of requests at a time".into()))
        .severity(Severity::Note)
        .confidence(Confidence::Possible)
        .why("one slow answer fills a server for longer than that, and an ordinary burst ends in 503")
        .help("write the time that clients will wait, unless a quick 503 is meant"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(connect: Setting<Wait>, queue: Option<Setting<Wait>>) -> usize {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        let hop = house.hop(14, Target::Pool(pool));
        house.t.hops[hop].timeouts.connect = connect.into();
        house.t.hops[hop].timeouts.queue = queue.map(Box::new);
        house.found(RuleId::GW208).len()
    }

    #[test]
    fn only_what_nobody_has_written() {
        assert_eq!(said(written(ms(500), 15), Some(built_in(ms(500)))), 1);
        assert_eq!(said(written(ms(500), 15), Some(written(ms(1000), 16))), 0);
        assert_eq!(said(written(ms(5000), 15), Some(built_in(ms(5000)))), 0);
        assert_eq!(said(written(ms(500), 15), None), 0);
        assert_eq!(said(built_in(Wait::Forever), Some(built_in(Wait::Forever))), 0);
    }

    #[test]
    fn a_written_time_that_hardly_lasts_is_worth_a_note() {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        let hop = house.hop(14, Target::Pool(pool));
        house.t.hops[hop].timeouts.queue = Some(Box::new(written(ms(500), 16)));
        let found = house.found(RuleId::GW208);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Note, Confidence::Possible));
        assert_eq!(lines(&found[0]), [16, 14]);
    }
}
