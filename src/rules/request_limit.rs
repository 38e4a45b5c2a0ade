//! GW508: a limit on requests that ordinary clients reach.

use super::prelude::*;

/// GW508.
pub struct RequestLimit;

impl Rule for RequestLimit {
    fn id(&self) -> RuleId {
        RuleId::GW508
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::RequestLimit, cx, out);
    }
}
