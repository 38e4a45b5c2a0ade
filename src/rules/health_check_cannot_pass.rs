//! GW303: a check that a healthy endpoint does not pass.

use super::prelude::*;

/// GW303.
pub struct HealthCheckCannotPass;

impl Rule for HealthCheckCannotPass {
    fn id(&self) -> RuleId {
        RuleId::GW303
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::FailingCheck, cx, out);
    }
}
