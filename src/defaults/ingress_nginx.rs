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

/// The prefix that they had up to release 0.8.
pub const LEGACY: &str = "ingress.kubernetes.io/";

/// The prefix of the annotations of the other controller, that of nginx's own makers.
pub const NGINX_ORG: &str = "nginx.org/";

/// Whether an annotation is one of ingress-nginx that decides about times, buffers and protocols.
#[must_use]
pub fn is_known(name: &str) -> bool {
    SECONDS.iter().any(|one| one.name == name)
        || matches!(
            name,
            "proxy-next-upstream"
                | "proxy-next-upstream-timeout"
                | "proxy-next-upstream-tries"
                | "proxy-body-size"
                | "proxy-buffering"
                | "proxy-buffer-size"
                | "proxy-buffers-number"
                | "proxy-request-buffering"
                | "proxy-http-version"
                | "backend-protocol"
                | "service-upstream"
                | "upstream-vhost"
                | "configuration-snippet"
                | "server-snippet"
        )
}

/// Times in seconds. <https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#custom-timeouts>
/// ("All timeout values are unitless and in seconds"); defaults:
/// <https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/>.
pub const SECONDS: &[Seconds] = &[
    Seconds { name: "proxy-connect-timeout", default: 5 },
    Seconds { name: "proxy-read-timeout", default: 60 },
    Seconds { name: "proxy-send-timeout", default: 60 },
];
