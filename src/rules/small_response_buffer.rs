//! GW501: the header of an ordinary answer may not fit.

use super::prelude::*;
use std::collections::HashSet;

/// GW501.
pub struct SmallResponseBuffer;

/// How many lines a header may have in HAProxy as built in (`tune.http.maxhdr`); other proxies do not limit them.
const USUAL_LINES: u32 = 101;

impl Rule for SmallResponseBuffer {
    fn id(&self) -> RuleId {
        RuleId::GW501
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::SmallBuffer, cx, out);
        // A size may hold for many routes: it is one mistake.
        let mut told = HashSet::new();
        for (_, hop) in cx.topology.hops.iter() {
            for finding in [header(cx, hop), lines(cx, hop)].into_iter().flatten() {
                if told.insert(finding.primary().site) {
                    out.push(finding);
                }
            }
        }
    }
}

fn header(cx: &Cx<'_>, hop: &Hop) -> Option<Finding> {
    let dialect = cx.dialect(hop.proxy);
    let header = hop.buffers.header.as_ref()?;
    let &size = header.known()?;
    let usual = hop.buffers.usual;
    let Some(site) = header.site() else {
        let body = hop.buffers.body.as_ref().filter(|body| body.is_written())?;
        let at = body.site()?;
        let finding = Finding::new(
            RuleId::GW501,
            dialect,
            (at, "these hold bodies, not headers".into()),
            format!(
                "raising `{}` does not help: an answer's header must still fit in `{}`, which is {size}",
                body.spelling, header.spelling
            ),
        )
        // Larger buffers for bodies have a use of their own; nothing shows that headers were meant.
        .severity(Severity::Note)
        .confidence(Confidence::Possible)
        .label((hop.target_site, "answers from here".into()))
        .why_of_dialect()
        .help(format!("raise `{}` as well, to 16k say, and the sizes that must agree with it", header.spelling));
        return Some(finding);
    };
    // Some room less than built in is nothing; a fifth less was hardly meant for headers.
    if size.0.saturating_mul(5) >= usual.0.saturating_mul(4) {
        return None;
    }
    Some(
        Finding::new(
            RuleId::GW501,
            dialect,
            (site, format!("leaves {size} for an answer's header")),
            format!("an answer's header may have {size} only, less than the {usual} that are built in"),
        )
        .label((hop.target_site, "answers from here".into()))
        .why_of_dialect()
        .help(format!("leave `{}` as it is built in, or raise it", header.spelling)),
    )
}

fn lines(cx: &Cx<'_>, hop: &Hop) -> Option<Finding> {
    let limit = hop.buffers.lines.as_ref()?;
    let (&number, site) = (limit.known()?, limit.site()?);
    (number < USUAL_LINES).then(|| {
        Finding::new(
            RuleId::GW501,
            cx.dialect(hop.proxy),
            (site, format!("{number} lines at most, the first one included")),
            format!("an answer with {number} header fields or more is a 502, and some answers have that many"),
        )
        .confidence(Confidence::Possible)
        .why_of_dialect()
        .help(format!("leave `{}` as it is built in ({USUAL_LINES})", limit.spelling))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::value::ByteSize;

    fn house() -> (House, HopId) {
        let mut house = House::nginx();
        let endpoint = house.endpoint(9, "127.0.0.1", Port::Written(80));
        let hop = house.hop(9, Target::Endpoint(endpoint));
        (house, hop)
    }

    #[test]
    fn raising_the_bodys_buffers_does_not_help() {
        let (mut house, hop) = house();
        assert!(house.found(RuleId::GW501).is_empty());
        house.t.hops[hop].buffers.body = Some(written(ByteSize(512 * 1024), 8));
        let found = house.found(RuleId::GW501);
        assert_eq!(super::super::testing::lines(&found[0]), [8, 9]);
        assert_eq!((found[0].severity, found[0].confidence), (Severity::Note, Confidence::Possible));
        house.t.hops[hop].buffers.header = Some(written(ByteSize(16 * 1024), 7));
        assert!(house.found(RuleId::GW501).is_empty());
        house.t.hops[hop].buffers.header = Some(Setting::unknown(Reason::OutsideRepository, at(9), "setting"));
        assert!(house.found(RuleId::GW501).is_empty());
    }

    #[test]
    fn less_than_built_in() {
        let (mut house, hop) = house();
        house.t.hops[hop].buffers.header = Some(written(ByteSize(2048), 7));
        assert_eq!(house.found(RuleId::GW501).len(), 1);
        let buffers = &mut house.t.hops[hop].buffers;
        buffers.usual = ByteSize(15 * 1024);
        for (bytes, findings) in [(8192, 1), (7168, 1), (14 * 1024, 0), (15 * 1024, 0), (31 * 1024, 0)] {
            house.t.hops[hop].buffers.header = Some(written(ByteSize(bytes), 3));
            assert_eq!(house.found(RuleId::GW501).len(), findings, "{bytes}");
        }
    }

    #[test]
    fn few_lines() {
        let (mut house, hop) = house();
        house.t.hops[hop].buffers.lines = Some(Box::new(written(50, 3)));
        let found = house.found(RuleId::GW501);
        assert_eq!(super::super::testing::lines(&found[0]), [3]);
        assert_eq!(found[0].confidence, Confidence::Possible);
        house.t.hops[hop].buffers.lines = Some(Box::new(written(101, 3)));
        assert!(house.found(RuleId::GW501).is_empty());
        house.t.hops[hop].buffers.lines = Some(Box::new(built_in(50)));
        assert!(house.found(RuleId::GW501).is_empty());
    }
}
