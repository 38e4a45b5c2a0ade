//! Joins what was lowered: which endpoint is one of the proxy's own listeners, and what an address means where the
//! proxy runs. Layer 4.

mod listeners;
mod machine;
mod services;
mod workloads;

use crate::topology::Topology;

/// Joins endpoints to listeners and to workloads.
pub fn link(topology: &mut Topology) {
    listeners::link(topology);
    workloads::link(topology);
    machine::link(topology);
}
