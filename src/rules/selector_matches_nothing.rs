//! GW118: a Service that leads to no container.

use super::prelude::*;

/// GW118.
pub struct SelectorMatchesNothing;

impl Rule for SelectorMatchesNothing {
    fn id(&self) -> RuleId {
        RuleId::GW118
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::SelectorMismatch, cx, out);
    }
}
