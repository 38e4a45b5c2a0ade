//! GW412: HTTP/1.0 is spoken to a backend that needs HTTP/1.1.

use super::prelude::*;

/// GW412.
pub struct Http10ToUpstream;

impl Rule for Http10ToUpstream {
    fn id(&self) -> RuleId {
        RuleId::GW412
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::OldVersion, cx, out);
    }
}
