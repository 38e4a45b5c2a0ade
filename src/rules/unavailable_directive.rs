//! GW007: a statement that the proxy no longer knows.

use super::prelude::*;

/// GW007.
pub struct UnavailableDirective;

impl Rule for UnavailableDirective {
    fn id(&self) -> RuleId {
        RuleId::GW007
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::Unavailable, cx, out);
    }
}
