//! GW009: buffer sizes that contradict each other.

use super::prelude::*;

/// GW009.
pub struct InconsistentBuffers;

impl Rule for InconsistentBuffers {
    fn id(&self) -> RuleId {
        RuleId::GW009
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::Buffers, cx, out);
    }
}
