//! GW414: the proxy answers 502 because a rule says so.

use super::prelude::*;

/// GW414.
pub struct DeliberateBadGateway;

impl Rule for DeliberateBadGateway {
    fn id(&self) -> RuleId {
        RuleId::GW414
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::BadGateway, cx, out);
    }
}
