//! Times, sizes and addresses as nginx reads them.
//!
//! Sources: `ngx_parse_time`, `ngx_parse_size`, `ngx_parse_inet_url`; nginx.org/en/docs/syntax.html.

use crate::value::{Address, ByteSize, Host};
use memchr::{memchr_iter, memchr2, memrchr_iter};
use std::time::Duration;

/// Reads a time: `60`, `60s`, `1m 30s`, `500ms`. A number without unit is seconds, also for settings in milliseconds.
/// Units stand in falling order, each once. `None`: nginx refuses it.
pub fn time(text: &str) -> Option<Duration> {
    // Each with its place among them.
    let unit_of = |unit: &str| {
        Some(match unit {
            "y" => (0, 365 * 86_400_000),
            "M" => (1, 30 * 86_400_000),
            "w" => (2, 7 * 86_400_000),
            "d" => (3, 86_400_000),
            "h" => (4, 3_600_000),
            "m" => (5, 60_000),
            "s" => (6, 1000),
            "ms" => (7, 1),
            _ => return None,
        })
    };
    let mut rest = text.trim();
    let mut total = 0_u64;
    let mut next = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = rest.get(..letters)?;
        rest = rest.get(letters..)?.trim_start();
        let factor = if unit.is_empty() {
            if !rest.is_empty() {
                return None;
            }
            1000
        } else {
            let (place, factor) = unit_of(unit).filter(|&(place, _)| place >= next)?;
            next = place + 1;
            factor
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
    }
    Some(Duration::from_millis(total))
}

/// Reads a size: digits with `k`, `m` or (for offsets) `g`.
pub fn size(text: &str) -> Option<ByteSize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text.get(..digits)?.parse().ok()?;
    let factor: u64 = match text.get(digits..)? {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor).map(ByteSize)
}

/// `host[:port][/uri]`, `[v6]:port`, `unix:path[:uri]`: an address without its scheme.
#[derive(Debug, PartialEq, Eq)]
pub struct Url<'a> {
    pub place: Place<'a>,
    /// From the first `/` or `?` on; empty where there is none.
    pub uri: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Place<'a> {
    Net { host: &'a str, port: Option<u16> },
    Socket(&'a str),
}

/// Why nginx refuses an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadUrl {
    NoHost,
    Port,
    /// More than one colon and no brackets.
    BareIpv6,
    UnclosedBracket,
}

/// Cuts an address as nginx does.
pub fn url(text: &str) -> Result<Url<'_>, BadUrl> {
    if let Some(path) = strip_prefix_ignore_case(text, "unix:") {
        let (path, uri) = path.split_once(':').unwrap_or((path, ""));
        return if path.is_empty() {
            Err(BadUrl::NoHost)
        } else {
            Ok(Url { place: Place::Socket(one_slash(path)), uri })
        };
    }
    let (authority, uri) = match memchr2(b'/', b'?', text.as_bytes()) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']').ok_or(BadUrl::UnclosedBracket)?;
        let (host, rest) = authority.split_at(end + 1);
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(BadUrl::Port),
        }
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let port = match port {
        None => None,
        Some(port) => match port.parse::<u16>() {
            Ok(n) if n > 0 && port.bytes().all(|b| b.is_ascii_digit()) => Some(n),
            _ if port.contains(':') && authority.parse::<std::net::Ipv6Addr>().is_ok() => return Err(BadUrl::BareIpv6),
            _ if port.contains(':') && looks_like_ipv6_with_port(authority) => return Err(BadUrl::BareIpv6),
            _ => return Err(BadUrl::Port),
        },
    };
    if host.is_empty() {
        return Err(BadUrl::NoHost);
    }
    Ok(Url { place: Place::Net { host, port }, uri })
}

/// Where the scheme of an address ends, before its `://`.
pub fn scheme_end(text: &str) -> Option<usize> {
    memchr_iter(b':', text.as_bytes()).find(|&at| text.as_bytes().get(at + 1..at + 3) == Some(b"//"))
}

/// What follows the last `//` of an address; all of it where there is none.
pub fn after_slashes(text: &str) -> &str {
    let bytes = text.as_bytes();
    let last = memrchr_iter(b'/', bytes).find(|&at| at > 0 && bytes.get(at - 1) == Some(&b'/'));
    last.and_then(|at| text.get(at + 1..)).unwrap_or(text)
}

/// `unix:///run/x.sock` leads where `unix:/run/x.sock` does.
fn one_slash(path: &str) -> &str {
    let bare = path.trim_start_matches('/').len();
    path.get(path.len().saturating_sub(bare + 1)..).filter(|_| bare < path.len()).unwrap_or(path)
}

fn looks_like_ipv6_with_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, _)| host.parse::<std::net::Ipv6Addr>().is_ok())
}

/// `str::strip_prefix` without regard to letter case: nginx compares schemes so.
pub fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    if head.eq_ignore_ascii_case(prefix) { text.get(prefix.len()..) } else { None }
}

/// What a `listen` directive binds to. `None`: nginx would refuse it or it cannot be known.
pub fn listen(text: &str) -> Option<(Address, Option<(u16, u16)>)> {
    if let Some(path) = strip_prefix_ignore_case(text, "unix:") {
        return Some((Address::Socket(one_slash(path).into()), None));
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Some((Address::Net(Host::Any), Some(ports(text)?)));
    }
    let (host, port) = if text.starts_with('[') {
        let end = text.find(']')?;
        let (host, rest) = text.split_at(end + 1);
        (host, rest.strip_prefix(':'))
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let ports = match port {
        Some(port) => ports(port)?,
        None => (80, 80),
    };
    Some((Address::Net(Host::parse(host)), Some(ports)))
}

fn ports(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first > 0 && first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_nginx_reads_them() {
        assert_eq!(time("60"), Some(Duration::from_secs(60)));
        assert_eq!(time("60000"), Some(Duration::from_secs(60_000)));
        assert_eq!(time("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(time("1m 30s"), Some(Duration::from_secs(90)));
        assert_eq!(time("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(time("0"), Some(Duration::ZERO));
        for refused in ["", "s", "1.5s", "30s1m", "1s1s", "10min", "10S", "-1", "1h 5 3s"] {
            assert_eq!(time(refused), None, "{refused}");
        }
    }

    #[test]
    fn addresses_as_nginx_cuts_them() {
        let net = |host, port| Place::Net { host, port };
        assert_eq!(url("app:8080/x"), Ok(Url { place: net("app", Some(8080)), uri: "/x" }));
        assert_eq!(url("app"), Ok(Url { place: net("app", None), uri: "" }));
        assert_eq!(url("[::1]:80"), Ok(Url { place: net("[::1]", Some(80)), uri: "" }));
        assert_eq!(url("unix:/a.sock:/x"), Ok(Url { place: Place::Socket("/a.sock"), uri: "/x" }));
        assert_eq!(url("unix:///a.sock"), Ok(Url { place: Place::Socket("/a.sock"), uri: "" }));
        assert_eq!(url("unix:a.sock"), Ok(Url { place: Place::Socket("a.sock"), uri: "" }));
        assert_eq!(url("unix:/a.sock/x"), Ok(Url { place: Place::Socket("/a.sock/x"), uri: "" }));
        assert_eq!(url("::1:80"), Err(BadUrl::BareIpv6));
        for bad in ["app:", "app:0", "app:65536", "app:80-90", "app:+80", "http://app"] {
            assert_eq!(url(bad), Err(BadUrl::Port), "{bad}");
        }
        assert_eq!(url(":80"), Err(BadUrl::NoHost));
    }

    #[test]
    fn schemes_and_slashes() {
        assert_eq!(scheme_end("http://a:80"), Some(4));
        assert_eq!((scheme_end("a:80"), scheme_end("a:/b:")), (None, None));
        assert_eq!((after_slashes("http://a//b"), after_slashes("///c"), after_slashes("d/")), ("b", "c", "d/"));
    }

    #[test]
    fn listen_addresses() {
        assert_eq!(listen("80"), Some((Address::Net(Host::Any), Some((80, 80)))));
        assert_eq!(listen("127.0.0.1"), Some((Address::Net(Host::parse("127.0.0.1")), Some((80, 80)))));
        assert_eq!(listen("[::]:443"), Some((Address::Net(Host::Any), Some((443, 443)))));
        assert_eq!(listen("*:8000-8010"), Some((Address::Net(Host::Any), Some((8000, 8010)))));
        assert_eq!(listen("127.0.0.1:x"), None);
    }
}
