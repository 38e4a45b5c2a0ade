//! GW006: a setting that the proxy refuses without another one.

use super::prelude::*;

/// GW006.
pub struct MissingCompanion;

impl Rule for MissingCompanion {
    fn id(&self) -> RuleId {
        RuleId::GW006
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::MissingCompanion, cx, out);
    }
}
