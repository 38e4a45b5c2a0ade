//! GW008: a statement that the proxy ignores or refuses where it stands.

use super::prelude::*;

/// GW008.
pub struct MisplacedDirective;

impl Rule for MisplacedDirective {
    fn id(&self) -> RuleId {
        RuleId::GW008
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::Misplaced, cx, out);
    }
}
