//! GW112: the user as which the proxy runs may not open a socket.

use super::prelude::*;

/// GW112.
pub struct SocketPermission;

impl Rule for SocketPermission {
    fn id(&self) -> RuleId {
        RuleId::GW112
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        tell_faults(self.id(), FaultKind::SocketPermission, cx, out);
    }
}
