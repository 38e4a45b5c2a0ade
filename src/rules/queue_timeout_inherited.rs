//! GW208: requests that wait for a full endpoint are given up after the time to connect.

use super::prelude::*;
use std::time::Duration;

/// A queue that is to last so long was hardly meant to be given up for want of a connection.
const SHORT: Duration = Duration::from_secs(5);

/// GW208.
pub struct QueueTimeoutInherited;

impl Rule for QueueTimeoutInherited {
    fn id(&self) -> RuleId {
        RuleId::GW208
    }

    fn check_hop(&self, cx: &Cx<'_>, hop: HopId, out: &mut Findings) {
        let hop = &cx.topology.hops[hop];
        let Some(queue) = &hop.timeouts.queue else { return };
        let (Origin::Default(_), Some(&Wait::For(wait))) = (queue.origin, queue.known()) else { return };
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

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(connect: Setting<Wait>, queue: Option<Setting<Wait>>) -> usize {
        let mut house = House::haproxy();
        let pool = house.pool(14, "app");
        let hop = house.hop(14, Target::Pool(pool));
        house.t.hops[hop].timeouts.connect = connect;
        house.t.hops[hop].timeouts.queue = queue.map(Box::new);
        house.found(RuleId::GW208).len()
    }

    #[test]
    fn only_what_nobody_has_written() {
        assert_eq!(said(written(ms(500), 15), Some(built_in(ms(500)))), 1);
        assert_eq!(said(written(ms(500), 15), Some(written(ms(500), 16))), 0);
        assert_eq!(said(written(ms(5000), 15), Some(built_in(ms(5000)))), 0);
        assert_eq!(said(written(ms(500), 15), None), 0);
        assert_eq!(said(built_in(Wait::Forever), Some(built_in(Wait::Forever))), 0);
    }
}
