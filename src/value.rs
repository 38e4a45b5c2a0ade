//! Typed values: waits, sizes, addresses, versions. Layer 0.
//!
//! Units are a dialect's affair: nginx reads a bare number as seconds, HAProxy as milliseconds. Only `lower/` knows;
//! what it hands on is always one of the types here.

pub mod later;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wait {
    /// At most this long. Zero means: expires at once.
    For(Duration),
    /// Without end.
    Forever,
}

impl Wait {
    /// The duration, where there is one.
    #[must_use]
    pub const fn duration(self) -> Option<Duration> {
        match self {
            Self::For(duration) => Some(duration),
            Self::Forever => None,
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(duration) => f.write_str(&humanise(*duration)),
            Self::Forever => f.write_str("for ever"),
        }
    }
}

/// A duration as an operator says it: `500 ms`, `5 s`, `10 min`, `16 h 40 min`.
#[must_use]
pub fn humanise(duration: Duration) -> String {
    let ms = duration.as_millis();
    if ms == 0 {
        return "0 s".to_owned();
    }
    if ms < 1000 {
        return format!("{ms} ms");
    }
    if !ms.is_multiple_of(1000) && ms < 60_000 {
        return format!("{}.{} s", ms / 1000, format!("{:03}", ms % 1000).trim_end_matches('0'));
    }
    let seconds = ms / 1000;
    if seconds < 120 {
        return format!("{seconds} s");
    }
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut parts = Vec::new();
    if hours > 0 {
        parts.push(format!("{hours} h"));
    }
    if minutes > 0 {
        parts.push(format!("{minutes} min"));
    }
    if rest > 0 && hours == 0 {
        parts.push(format!("{rest} s"));
    }
    parts.join(" ")
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            n if n >= 1024 * 1024 && n % (1024 * 1024) == 0 => write!(f, "{} MiB", n / (1024 * 1024)),
            n if n >= 1024 && n % 1024 == 0 => write!(f, "{} KiB", n / 1024),
            n => write!(f, "{n} bytes"),
        }
    }
}

/// A version of a proxy: major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16, pub u16, pub u16);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)?;
        if self.2 > 0 { write!(f, ".{}", self.2) } else { Ok(()) }
    }
}

impl Version {
    /// Reads `1.24` or `1.24.0`; nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<(Self, bool)> {
        let number = |part: &str| {
            (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok()).flatten()
        };
        let mut parts = text.split('.');
        let (major, minor) = (number(parts.next()?)?, number(parts.next()?)?);
        let patch = parts.next();
        let version = Self(major, minor, patch.map_or(Some(0), number)?);
        parts.next().is_none().then_some((version, patch.is_some()))
    }
}

/// The versions that a proxy may have: from one on, and before another where there is an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The oldest that it may have.
    pub from: Version,
    /// The first that it has not; `None`: any newer one.
    pub before: Option<Version>,
    /// Whether somebody said so; else it is what is taken for granted when nobody does.
    pub asked: bool,
    /// Whether it is the commercial edition.
    pub commercial: bool,
}

impl Versions {
    /// What is taken for granted when nobody says anything: this version or any newer one.
    #[must_use]
    pub const fn since(from: Version) -> Self {
        Self { from, before: None, asked: false, commercial: false }
    }

    /// What somebody asked for: `1.24.0` is that one, `1.24` any release of that line.
    #[must_use]
    pub fn asked(text: &str) -> Option<Self> {
        let (from, exact) = Version::parse(text)?;
        let before = if exact {
            Version(from.0, from.1, from.2.checked_add(1)?)
        } else {
            Version(from.0, from.1.checked_add(1)?, 0)
        };
        Some(Self { from, before: Some(before), asked: true, commercial: false })
    }

    /// Whether the proxy is this version or a newer one; `None`: it may be, or not.
    #[must_use]
    pub fn reach(&self, version: Version) -> Option<bool> {
        if self.from >= version {
            Some(true)
        } else if self.before.is_some_and(|before| before <= version) {
            Some(false)
        } else {
            None
        }
    }
}

/// Reads `500ms`, `10s`, `5m`, `1h`.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let factor = match text.get(digits..)? {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(factor)?))
}

/// Reads `4096`, `16k`, `1m`.
#[must_use]
pub fn parse_size(text: &str) -> Option<ByteSize> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let factor = match text.get(digits..)? {
        "" => 1,
        "k" => 1024,
        "m" => 1024 * 1024,
        _ => return None,
    };
    Some(ByteSize(number.checked_mul(factor)?))
}

/// Which machine an address means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A literal address.
    Ip(IpAddr),
    /// A name, in the spelling of the file.
    Name(Box<str>),
    /// Every address of the machine (`*`, `0.0.0.0`, `[::]`); in a target: the address the client connected to.
    Any,
}

impl Host {
    /// Every address of version 6, and none of version 4: the wildcard of a program that keeps the families apart.
    pub const ANY_OF_IPV6: Self = Self::Ip(IpAddr::V6(Ipv6Addr::UNSPECIFIED));

    /// Whether the address can only mean the machine itself.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Ip(ip) => ip.is_loopback(),
            Self::Name(name) => name.eq_ignore_ascii_case("localhost"),
            Self::Any => false,
        }
    }

    /// Whether nothing can ever be reached at it over TCP: group and broadcast addresses.
    #[must_use]
    pub fn is_for_many(&self) -> bool {
        match self {
            Self::Ip(IpAddr::V4(ip)) => ip.is_multicast() || ip.is_broadcast(),
            Self::Ip(IpAddr::V6(ip)) => ip.is_multicast(),
            _ => false,
        }
    }

    /// Whether it is one of the addresses that are set aside for examples in texts, so that no machine has them
    /// (RFC 5737, RFC 3849).
    #[must_use]
    pub const fn is_for_examples(&self) -> bool {
        match self {
            Self::Ip(IpAddr::V4(ip)) => {
                matches!(ip.octets(), [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _])
            }
            Self::Ip(IpAddr::V6(ip)) => matches!(ip.segments(), [0x2001, 0x0db8, ..]),
            _ => false,
        }
    }

    /// Whether it is a name below `.invalid`, which is reserved for what must not exist (RFC 6761).
    #[must_use]
    pub fn can_never_exist(&self) -> bool {
        match self {
            Self::Name(name) => {
                let name = name.trim_end_matches('.').as_bytes();
                let at = name.len().saturating_sub(".invalid".len());
                at > 0 && name[at..].eq_ignore_ascii_case(b".invalid")
            }
            _ => false,
        }
    }

    /// Whether it is a name that a person was meant to replace: `<ip>`, `CHANGE_ME`, `10.0.0.x`.
    #[must_use]
    pub fn is_to_be_filled_in(&self) -> bool {
        let Self::Name(name) = self else { return false };
        later::is_invitation(name)
    }

    /// Reads a host: an address (IPv6 with or without brackets), a wildcard or a name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        match bare.parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() => Self::Any,
            Ok(ip) => Self::Ip(ip),
            Err(_) if text == "*" => Self::Any,
            Err(_) => Self::Name(text.into()),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(ip) => write!(f, "{ip}"),
            Self::Name(name) => f.write_str(name),
            Self::Any => f.write_str("*"),
        }
    }
}

/// Where something listens or is to be reached, without the port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A TCP (or UDP) address.
    Net(Host),
    /// A unix socket, by its path (abstract ones with a leading `@`).
    Socket(Box<str>),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Net(host) => host.fmt(f),
            Self::Socket(path) => write!(f, "unix:{path}"),
        }
    }
}

/// A built-in value of a proxy, with its reference. The data stands in `defaults/`.
#[derive(Debug, PartialEq, Eq)]
pub struct DefaultRef {
    /// The proxy: `nginx`, `haproxy`.
    pub proxy: &'static str,
    /// The setting in the proxy's own word.
    pub setting: &'static str,
    /// The value as the manual writes it.
    pub value: &'static str,
    /// First version with this value; `None`: always.
    pub since: Option<&'static str>,
    /// First version without it; `None`: still so.
    pub until: Option<&'static str>,
    /// The manual page.
    pub manual: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let said = |ms| humanise(Duration::from_millis(ms));
        assert_eq!(said(0), "0 s");
        assert_eq!(said(30), "30 ms");
        assert_eq!(said(1500), "1.5 s");
        assert_eq!(said(60_000), "60 s");
        assert_eq!(said(600_000), "10 min");
        assert_eq!(said(60_000_000), "16 h 40 min");
    }

    #[test]
    fn versions_are_read_strictly() {
        assert_eq!(Version::parse("1.24"), Some((Version(1, 24, 0), false)));
        assert_eq!(Version::parse("1.25.1"), Some((Version(1, 25, 1), true)));
        for wrong in ["", "1", "1.", ".1", "1.2.", "1.2.3.4", "v1.2", "1.+2", "1.2-dev", "1.99999", "1 .2"] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_version_may_reach_another_or_not() {
        let default = Versions::since(Version(1, 22, 0));
        assert_eq!(default.reach(Version(1, 21, 6)), Some(true));
        assert_eq!(default.reach(Version(1, 25, 1)), None);
        let line = Versions::asked("1.25").expect("a version");
        assert_eq!(line.reach(Version(1, 25, 0)), Some(true));
        assert_eq!(line.reach(Version(1, 25, 1)), None);
        assert_eq!(line.reach(Version(1, 26, 0)), Some(false));
        let exact = Versions::asked("1.25.1").expect("a version");
        assert_eq!(exact.reach(Version(1, 25, 1)), Some(true));
        assert_eq!(exact.reach(Version(1, 25, 2)), Some(false));
        assert!(exact.asked && !default.asked);
        assert_eq!(Versions::asked("1.65535"), None, "no number is above it");
    }

    #[test]
    fn hosts_are_told_apart() {
        assert_eq!(Host::parse("[::1]").to_string(), "[::1]");
        assert!(Host::parse("127.0.0.5").is_loopback());
        assert!(Host::parse("LOCALHOST").is_loopback());
        assert_eq!(Host::parse("0.0.0.0"), Host::Any);
        assert_eq!(Host::parse("app"), Host::Name("app".into()));
    }

    #[test]
    fn hosts_that_are_none() {
        let all = |test: fn(&Host) -> bool, hosts: &[&str]| hosts.iter().all(|host| test(&Host::parse(host)));
        let none = |test: fn(&Host) -> bool, hosts: &[&str]| !hosts.iter().any(|host| test(&Host::parse(host)));
        assert!(all(Host::is_for_examples, &["192.0.2.1", "198.51.100.7", "203.0.113.255", "[2001:db8::1]"]));
        assert!(none(Host::is_for_examples, &["192.0.3.1", "10.0.0.1", "2001:db9::1", "app", "*"]));
        assert!(all(Host::is_for_many, &["224.0.0.1", "255.255.255.255", "ff02::1"]));
        assert!(none(Host::is_for_many, &["10.255.255.255", "192.168.0.255", "::1", "0.0.0.0"]));
        assert!(all(Host::can_never_exist, &["app.invalid", "APP.Invalid."]));
        assert!(none(Host::can_never_exist, &["invalid", ".invalid", "app.example", "app.invalid.com", "é.nvalid"]));
        let left =
            ["<ip>", "<your-host>", "x.x.x.x", "10.0.0.X", "CHANGE_ME", "changeme.example.com", "YOUR_SERVER_IP"];
        assert!(all(Host::is_to_be_filled_in, &left));
        let right =
            ["app", "x", "x.com", "xxx.xxx", "10.0.0.1", "your-app", "your.domain.com", "todo", "changemeister"];
        assert!(none(Host::is_to_be_filled_in, &right));
    }

    #[test]
    fn options_are_read() {
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!(parse_duration("2 m"), None);
        assert_eq!(parse_size("16k"), Some(ByteSize(16384)));
    }
}
