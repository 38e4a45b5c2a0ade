//! GW207: quiet tunnels are cut.

use super::prelude::*;

/// GW207.
pub struct ShortTunnelTimeout;

impl Rule for ShortTunnelTimeout {
    fn id(&self) -> RuleId {
        RuleId::GW207
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::ShortTunnel, cx, out);
    }
}
