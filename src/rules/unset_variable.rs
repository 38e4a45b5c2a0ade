//! GW012: a variable that nothing here sets.

use super::prelude::*;

/// GW012.
pub struct UnsetVariable;

impl Rule for UnsetVariable {
    fn id(&self) -> RuleId {
        RuleId::GW012
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::UnsetVariable, cx, out);
    }
}
