//! Names with ports of their own that lead to workloads: Services of Kubernetes.

use super::{Known, ProjectId, WorkloadId};
use crate::source::Site;

/// A name with ports of its own, behind which workloads stand.
#[derive(Debug)]
pub struct Service {
    /// Whose.
    pub project: ProjectId,
    /// The namespace that is written; none where it is decided when the objects are applied.
    pub namespace: Option<Box<str>>,
    /// Its name.
    pub name: Box<str>,
    /// Where it is declared.
    pub site: Site,
    /// What its name leads to.
    pub kind: ServiceKind,
    /// The workloads behind it; unknown where these files do not show all of them.
    pub to: Known<Vec<WorkloadId>>,
    /// Where an Ingress or a route of a Gateway leads to it.
    pub routed: Option<Site>,
    /// Its ports; unknown where one of them is filled in elsewhere.
    pub ports: Known<Vec<ServicePort>>,
}

/// What the name of a [`Service`] leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// An address of its own, on which its ports are translated.
    Address,
    /// The addresses of the workloads themselves: no port is translated. Where that is written.
    Members(Site),
    /// Another name.
    Elsewhere,
}

/// A port of a [`Service`].
#[derive(Debug)]
pub struct ServicePort {
    /// On the service.
    pub port: u16,
    /// In the workloads: as it is written, or found by its name among the ports that they declare.
    pub target: Known<u16>,
    /// Where the port in the workloads is written; none where it is the same by default.
    pub target_site: Option<Site>,
    /// On every machine of the cluster.
    pub node: Option<(u16, Site)>,
    /// Where the port is written.
    pub site: Site,
}

impl Service {
    /// The port in the workloads to which one of its own leads.
    #[must_use]
    pub fn target(&self, port: u16) -> Option<u16> {
        match self.kind {
            ServiceKind::Address => self.ports.known()?.iter().find(|one| one.port == port)?.target.known().copied(),
            ServiceKind::Members(_) => Some(port),
            ServiceKind::Elsewhere => None,
        }
    }

    /// The workloads behind it, as far as they are known.
    #[must_use]
    pub fn workloads(&self) -> &[WorkloadId] {
        self.to.known().map_or(&[], Vec::as_slice)
    }
}
