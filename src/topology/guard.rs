//! Who may connect to a workload, where something says so: network policies, firewalls.

use super::WorkloadId;
use crate::source::Site;
use std::sync::Arc;

/// What one policy says of who may connect to a workload. Several add up; where there is one, what none of them admits is
/// dropped.
#[derive(Debug)]
pub struct Guard {
    /// To whom.
    pub workload: WorkloadId,
    /// Where it is declared.
    pub site: Site,
    /// Who is let in: the same for all workloads that a policy selects.
    pub admits: Arc<[Admit]>,
}

/// Somebody who is let in.
#[derive(Debug)]
pub struct Admit {
    /// These workloads; `None`: everybody, or it is not known who.
    pub from: Option<Vec<WorkloadId>>,
    /// On these TCP ports of the workload, first and last; `None`: on all, or it is not known on which.
    pub ports: Option<Vec<(u16, u16)>>,
}

impl Guard {
    /// Whether it lets a workload in on a port.
    #[must_use]
    pub fn admits(&self, from: WorkloadId, port: u16) -> bool {
        self.admits.iter().any(|admit| {
            admit.from.as_ref().is_none_or(|all| all.contains(&from))
                && admit
                    .ports
                    .as_ref()
                    .is_none_or(|all| all.iter().any(|&(first, last)| (first..=last).contains(&port)))
        })
    }
}
