//! `ports:` (github.com/compose-spec/compose-spec, 05-services.md#ports).

use super::value::Item;
use crate::syntax::words::HOLE;
use crate::topology::{Known, Published, Reason};
use std::ops::RangeInclusive;

/// Most ports of one range that are looked at one by one.
const WIDEST: u16 = 256;

/// Reads one entry, in either form.
pub(super) fn read(item: &Item, out: &mut Vec<Published>) {
    match item.raw() {
        Some(text) => short(text, item, out),
        None => long(item, out),
    }
}

/// `[[IP:][HOST]:]CONTAINER[/PROTOCOL]`; HOST and CONTAINER may be ranges.
fn short(text: &str, item: &Item, out: &mut Vec<Published>) {
    let (text, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    // An address in brackets has colons of its own.
    let (address, rest) = match text.strip_prefix('[').and_then(|inside| inside.split_once("]:")) {
        Some((address, rest)) => (address, rest),
        None => ("", text),
    };
    let mut parts = rest.rsplit(':');
    let container = parts.next().unwrap_or_default();
    let host = parts.next();
    let before: Vec<&str> = parts.collect();
    let address = if before.is_empty() { address } else { before[0] };
    push(host, container, address, protocol, item, out);
}

fn long(item: &Item, out: &mut Vec<Published>) {
    let hole = HOLE.to_string();
    let text = |key| item.get(key).map(|value| value.raw().unwrap_or(&hole));
    let Some(target) = text("target") else { return };
    push(text("published"), target, text("host_ip").unwrap_or(""), text("protocol").unwrap_or("tcp"), item, out);
}

fn push(host: Option<&str>, container: &str, address: &str, protocol: &str, item: &Item, out: &mut Vec<Published>) {
    let host = host.filter(|host| !host.is_empty());
    let published = |host, container| Published {
        host,
        container,
        tcp: !protocol.eq_ignore_ascii_case("udp") && !protocol.eq_ignore_ascii_case("sctp"),
        loopback_only: address.starts_with("127.") || matches!(address, "localhost" | "::1"),
        site: item.site,
    };
    const UNKNOWN: Reason = Reason::Variable;
    match (host.map(range), range(container)) {
        (None, Some(inside)) => out.extend(inside.map(|port| published(Known::Yes(None), Known::Yes(port)))),
        (Some(Some(outside)), Some(inside)) => {
            let (outside, inside): (Vec<u16>, Vec<u16>) = (outside.collect(), inside.collect());
            if outside.len() == inside.len() {
                let pairs = outside.into_iter().zip(inside);
                out.extend(pairs.map(|(host, port)| published(Known::Yes(Some(host)), Known::Yes(port))));
            } else {
                // Some free one of the range.
                let host = || if outside.len() == 1 { Known::Yes(Some(outside[0])) } else { Known::Unknown(UNKNOWN) };
                out.extend(inside.into_iter().map(|port| published(host(), Known::Yes(port))));
            }
        }
        (Some(None), Some(inside)) => {
            out.extend(inside.map(|port| published(Known::Unknown(UNKNOWN), Known::Yes(port))));
        }
        (host, None) => {
            let host = match host {
                Some(Some(range)) if range.start() == range.end() => Known::Yes(Some(*range.start())),
                Some(_) => Known::Unknown(UNKNOWN),
                None => Known::Yes(None),
            };
            out.push(published(host, Known::Unknown(UNKNOWN)));
        }
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first > 0 && first <= last && last - first < WIDEST).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Site, Span};

    fn said(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        read(&Item::scalar(text, Site::direct(Span::new(FileId::new(0), 0, 0))), &mut out);
        let port = |known: Known<u16>| known.known().map_or("?".to_owned(), u16::to_string);
        out.iter()
            .map(|one| {
                let host = match one.host {
                    Known::Yes(Some(host)) => host.to_string(),
                    Known::Yes(None) => "-".to_owned(),
                    Known::Unknown(_) => "?".to_owned(),
                };
                let marks = [(!one.tcp, "u"), (one.loopback_only, "l")]
                    .iter()
                    .filter(|(is, _)| *is)
                    .map(|(_, c)| *c)
                    .collect::<String>();
                format!("{host}>{}{marks}", port(one.container))
            })
            .collect()
    }

    #[test]
    fn short_forms() {
        assert_eq!(said("3000"), ["->3000"]);
        assert_eq!(said("3000-3001"), ["->3000", "->3001"]);
        assert_eq!(said("8000:80"), ["8000>80"]);
        assert_eq!(said("9090-9091:8080-8081"), ["9090>8080", "9091>8081"]);
        assert_eq!(said("127.0.0.1:8001:8002"), ["8001>8002l"]);
        assert_eq!(said("127.0.0.1::5000"), ["->5000l"]);
        assert_eq!(said("[::1]:6000:6001"), ["6000>6001l"]);
        assert_eq!(said("6060:6061/udp"), ["6060>6061u"]);
        assert_eq!(said(":8000"), ["->8000"]);
        assert_eq!(said("3000-4000:80"), ["?>80"]);
        assert_eq!(said("\u{fffc}:80"), ["?>80"]);
        assert_eq!(said("80:\u{fffc}"), ["80>?"]);
        assert_eq!(said("x"), ["->?"]);
        assert_eq!(said("1-65535:1-65535"), ["?>?"]);
    }
}
