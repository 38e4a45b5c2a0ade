//! GW602: connections to a pool are to be kept, and are not.

use super::prelude::*;
use std::collections::HashSet;

/// GW602.
pub struct KeepaliveLost;

impl Rule for KeepaliveLost {
    fn id(&self) -> RuleId {
        RuleId::GW602
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let mut told = HashSet::new();
        for (_, hop) in cx.topology.hops.iter() {
            let Some(lost) = hop.reuse.lost.as_deref() else { continue };
            if !told.insert(lost.because) {
                continue;
            }
            let pool = match hop.target {
                Target::Pool(pool) => quote(&cx.topology.pools[pool].name),
                _ => "the backend".to_owned(),
            };
            out.push(
                Finding::new(
                    RuleId::GW602,
                    cx.dialect(hop.proxy),
                    (lost.because, lost.what.into()),
                    format!("connections to {pool} are to be kept, and each request opens a new one"),
                )
                .label((lost.asked, "they are to be kept".into()))
                .why_of_dialect()
                .help(lost.instead)
                .fix(mend(lost)),
            );
        }
    }
}

fn mend(lost: &LostReuse) -> Option<Box<Fix>> {
    let (asked, because) = (lost.asked.span, lost.because.span);
    Some(match lost.mend? {
        LostReuseMend::Move => {
            Fix::safe("move it below the other statement", [Edit::Move { statement: asked, below: because }])
        }
        LostReuseMend::Write(words) => {
            Fix::guess(format!("write {}", quote(words)), [Edit::Below { statement: because, words: words.into() }])
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn what_is_lost_is_told_once() {
        let mut house = House::nginx();
        let pool = house.pool(4, "app");
        for line in [14, 18] {
            let hop = house.hop(line, Target::Pool(pool));
            assert!(house.found(RuleId::GW602).is_empty() || line == 18);
            house.t.hops[hop].reuse.lost = Some(Box::new(LostReuse {
                asked: at(6),
                because: at(14),
                what: "closes",
                instead: "write more",
                mend: None,
            }));
        }
        let found = house.found(RuleId::GW602);
        assert_eq!((found.len(), lines(&found[0]), found[0].severity), (1, vec![14, 6], Severity::Note));
    }
}
