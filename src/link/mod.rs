//! Joins what was lowered: which endpoint is one of the proxy's own listeners, which hop which route leads to.
//! Layer 3.

mod listeners;

use crate::topology::Topology;

/// Joins endpoints to listeners and routes to hops.
pub fn link(topology: &mut Topology) {
    listeners::link(topology);
}
