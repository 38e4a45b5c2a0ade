//! What the annotations of ingress-nginx mean, as data.

/// An annotation that says a time as a bare number of seconds.
#[derive(Debug)]
pub struct Seconds {
    /// Its name behind the prefix; the controller's own `ConfigMap` has a key of the same name.
    pub name: &'static str,
    /// What holds where it is not set, or cannot be read, in seconds.
    pub default: u64,
}

/// The prefix of its annotations, unless the controller is started with another one.
pub const PREFIX: &str = "nginx.ingress.kubernetes.io/";

/// Times in seconds. <https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#custom-timeouts>
/// ("All timeout values are unitless and in seconds"); defaults:
/// <https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/>.
pub const SECONDS: &[Seconds] = &[
    Seconds { name: "proxy-connect-timeout", default: 5 },
    Seconds { name: "proxy-read-timeout", default: 60 },
    Seconds { name: "proxy-send-timeout", default: 60 },
];
