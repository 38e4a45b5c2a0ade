//! GW117: requests that no rule leads to a pool.

use super::prelude::*;

/// GW117.
pub struct DanglingRoute;

impl Rule for DanglingRoute {
    fn id(&self) -> RuleId {
        RuleId::GW117
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::DanglingRoute, cx, out);
    }
}
