//! HAProxy's built-in values, as far as rules need them, each with its section of the configuration manual.
//!
//! Values of 2.6; where another release differs there is a row of its own.

use super::DefaultRef;
use crate::value::Version;

/// The manual: [`DefaultRef::manual`] is below it.
pub const MANUAL: &str = "https://docs.haproxy.org/2.6/configuration.html";

/// The oldest version that a distribution still ships (Debian 12 has 2.6.12): what is taken for granted when nobody
/// says more. https://packages.debian.org/bookworm/haproxy
pub const OLDEST_SHIPPED: Version = Version(2, 6, 0);

/// One line a value: `NAME "setting" = "value", "anchor in the manual" since.. until..`.
macro_rules! defaults {
    ($($name:ident $setting:literal = $value:literal, $anchor:literal $(, from $since:literal)? $(, to $until:literal)?;)*) => {
        $(
            #[doc = concat!("Built-in value of `", $setting, "`: ", $value, $(", from ", $since,)? $(", before ", $until,)? ".")]
            pub static $name: DefaultRef = DefaultRef {
                proxy: "haproxy",
                setting: $setting,
                value: $value,
                since: defaults!(@version $($since)?),
                until: defaults!(@version $($until)?),
                manual: concat!("https://docs.haproxy.org/2.6/configuration.html", $anchor),
            };
        )*
        /// All of them.
        pub static ALL: &[&DefaultRef] = &[$(&$name),*];
    };
    (@version) => { None };
    (@version $version:literal) => { Some($version) };
}

defaults! {
    // What a proxy section starts from (chapter 4.2).
    MODE "mode" = "tcp", "#4.2-mode";
    BALANCE "balance" = "roundrobin", "#4.2-balance", to "3.3";
    BALANCE_FROM_3_3 "balance" = "random", "#4.2-balance", from "3.3";
    RETRIES "retries" = "3", "#4.2-retries";
    RETRY_WINDOW "retries" = "no limit in time", "#4.2-retries";
    REDISPATCH "option redispatch" = "off", "#4.2-option%20redispatch";
    RETRY_ON "retry-on" = "conn-failure", "#4.2-retry-on";
    HTTP_REUSE "http-reuse" = "safe", "#4.2-http-reuse";
    BODY_KEPT "retry-on" = "a request that fits the buffer", "#4.2-retry-on";
    // Timeouts without which a proxy waits for ever (chapter 4.2).
    TIMEOUT_CLIENT "timeout client" = "no timeout", "#4.2-timeout%20client";
    TIMEOUT_CONNECT "timeout connect" = "no timeout", "#4.2-timeout%20connect";
    TIMEOUT_SERVER "timeout server" = "no timeout", "#4.2-timeout%20server";
    TIMEOUT_TUNNEL "timeout tunnel" = "the timeouts of client and server", "#4.2-timeout%20tunnel";
    TIMEOUT_QUEUE "timeout queue" = "that of `timeout connect`", "#4.2-timeout%20queue";
    TIMEOUT_CHECK "timeout check" = "that of `inter`, for the whole check", "#4.2-timeout%20check";
    TIMEOUT_HTTP_REQUEST "timeout http-request" = "that of `timeout client`", "#4.2-timeout%20http-request";
    TIMEOUT_HTTP_KEEP_ALIVE "timeout http-keep-alive" = "that of `timeout http-request`, else of `timeout client`",
        "#4.2-timeout%20http-keep-alive";
    // Servers (chapter 5.2).
    INTER "inter" = "2s", "#5.2-inter";
    RISE "rise" = "2", "#5.2-rise";
    FALL "fall" = "3", "#5.2-fall";
    WEIGHT "weight" = "1", "#5.2-weight";
    VERIFY "verify" = "required", "#5.2-verify";
    SNI "sni" = "no name is sent", "#5.2-sni", to "3.3";
    SNI_FROM_3_3 "sni" = "the name in the request's Host header", "#5.2-sni", from "3.3";
    INIT_ADDR "init-addr" = "last,libc", "#5.2-init-addr";
    ERROR_LIMIT "error-limit" = "10", "#5.2-error-limit";
    OBSERVE_UNTIL "observe" = "until its check passes again", "#5.2-observe";
    POOL_PURGE_DELAY "pool-purge-delay" = "5s", "#5.2-pool-purge-delay";
    // The process (chapter 3).
    BUFSIZE "tune.bufsize" = "16384", "#3.2-tune.bufsize";
    MAXREWRITE "tune.maxrewrite" = "1024", "#3.2-tune.maxrewrite";
    MAXHDR "tune.http.maxhdr" = "101", "#3.2-tune.http.maxhdr";
}
