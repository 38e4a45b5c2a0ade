//! GW413: HTTP on one side, bare bytes on the other.

use super::prelude::*;

/// GW413.
pub struct ModeMismatch;

impl Rule for ModeMismatch {
    fn id(&self) -> RuleId {
        RuleId::GW413
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::ModeMismatch, cx, out);
    }
}
