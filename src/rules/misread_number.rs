//! GW011: the proxy reads another number than the one that is written.

use super::prelude::*;

/// GW011.
pub struct MisreadNumber;

impl Rule for MisreadNumber {
    fn id(&self) -> RuleId {
        RuleId::GW011
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::MisreadNumber, cx, out);
    }
}
