//! What holds in Kubernetes unless something else is written, as data.

use super::DefaultRef;

/// How many seconds a pod has to end.
pub const GRACE_SECONDS: u64 = 30;

/// Where that is said.
pub static GRACE: DefaultRef = DefaultRef {
    proxy: "Kubernetes",
    setting: "terminationGracePeriodSeconds",
    value: "30 s",
    since: None,
    until: None,
    manual: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
};
