//! GW119: another rule takes the request, or its path is put together wrongly.

use super::prelude::*;

/// GW119.
pub struct ShadowedRoute;

impl Rule for ShadowedRoute {
    fn id(&self) -> RuleId {
        RuleId::GW119
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::ShadowedRoute, cx, out);
    }
}
