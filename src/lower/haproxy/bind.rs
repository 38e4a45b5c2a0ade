//! `bind` lines: where clients connect.

use super::address;
use super::facts::Facts;
use super::text::Statement;
use crate::defaults::haproxy_keywords;
use crate::source::{Site, Span};
use crate::topology::{Known, Reason};
use crate::value::Address;

/// What a `bind` line says of who may open its socket.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights {
    pub(super) mode: Option<u32>,
    pub(super) user: Option<Box<str>>,
    pub(super) group: Option<Box<str>>,
    /// Whether something is said that cannot be compared: numbers, variables.
    pub(super) unknown: bool,
}

/// One address with the options of its line.
#[derive(Debug)]
pub(super) struct Bind {
    pub(super) site: Site,
    pub(super) bind: Known<(Address, Option<(u16, u16)>)>,
    pub(super) tls: Known<bool>,
    pub(super) accept_proxy: Known<bool>,
    pub(super) strict_sni: bool,
    /// Same for two addresses that the kernel takes for one; none where it cannot be said.
    pub(super) key: Option<Box<str>>,
    pub(super) rights: Rights,
}

/// Reads a `bind` line.
pub(super) fn read(statement: &Statement<'_>, facts: &mut Facts) -> Vec<Bind> {
    let Some(list) = statement.args.get(1) else { return Vec::new() };
    let (mut tls, mut accept_proxy, mut strict_sni, mut apart) = (false, false, false, false);
    let mut filled_in: Option<Reason> = None;
    let mut rights = Rights::default();
    let mut rest = statement.from(2).iter();
    while let Some(arg) = rest.next() {
        if let Some(reason) = address::is_filled_in(arg) {
            filled_in = Some(reason);
            continue;
        }
        match &*arg.text {
            "ssl" => tls = true,
            "accept-proxy" => accept_proxy = true,
            "strict-sni" => strict_sni = true,
            "no-strict-sni" => strict_sni = false,
            "interface" | "namespace" => {
                apart = true;
                rest.next();
            }
            "mode" | "user" | "group" | "uid" | "gid" => {
                let value = rest.next().filter(|value| address::is_filled_in(value).is_none());
                match (&*arg.text, value) {
                    ("mode", Some(mode)) => {
                        rights.mode = u32::from_str_radix(&mode.text, 8).ok();
                        rights.unknown |= rights.mode.is_none();
                    }
                    ("user", Some(user)) => rights.user = Some(user.text.as_ref().into()),
                    ("group", Some(group)) => rights.group = Some(group.text.as_ref().into()),
                    _ => rights.unknown = true,
                }
            }
            "" => break,
            word => match haproxy_keywords::bind_option(word) {
                Some(option) => (0..option.arguments).for_each(|_| {
                    rest.next();
                }),
                None => {
                    facts.unknown_option("bind", arg, haproxy_keywords::nearest_bind_option);
                    break;
                }
            },
        }
    }
    let known = |value: bool| match filled_in {
        Some(reason) if !value => Known::Unknown(reason),
        _ => Known::Yes(value),
    };
    rights.unknown |= filled_in.is_some();
    let make = |site, bind, key: Option<Box<str>>| Bind {
        site,
        bind,
        tls: known(tls),
        accept_proxy: known(accept_proxy),
        strict_sni,
        key: key.filter(|_| !apart && filled_in.is_none()),
        rights: rights.clone(),
    };
    if let Some(reason) = address::is_filled_in(list) {
        return vec![make(list.site, Known::Unknown(reason), None)];
    }
    let mut binds = Vec::new();
    let mut offset = 0;
    for part in list.text.split(',') {
        let site = if list.quoted { list.site } else { part_of(list.site, offset, part.len()) };
        offset += part.len() + 1;
        if part.is_empty() {
            continue;
        }
        let read = address::bind(part);
        if let Some(fault) = read.fault {
            facts.refused(
                site,
                fault,
                "nothing to listen on",
                Some("write `address:port`, or `:port` for every address".to_owned()),
            );
        }
        let key = match &read.bind {
            Known::Yes((Address::Net(_), Some((first, last)))) => Some(key(part, *first, *last)),
            _ => None,
        };
        binds.push(make(site, read.bind, key));
    }
    binds
}

fn part_of(site: Site, offset: usize, length: usize) -> Site {
    let start = site.span.start + offset as u32;
    Site { span: Span::new(site.span.file, start, start + length as u32), via: site.via }
}

/// The address as the kernel sees it: family, address, ports.
fn key(text: &str, first: u16, last: u16) -> Box<str> {
    let quic = text.starts_with("quic") || text.starts_with("udp");
    let rest = text.split_once('@').map_or(text, |(_, rest)| rest);
    let host = rest.rfind(':').map_or(rest, |at| &rest[..at]);
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = match bare {
        "" | "*" | "0.0.0.0" if !text.contains("6@") => "0.0.0.0".to_owned(),
        "" | "*" => "::".to_owned(),
        other => other.parse::<std::net::IpAddr>().map_or_else(|_| other.to_ascii_lowercase(), |ip| ip.to_string()),
    };
    format!("{}{host} {first}-{last}", if quic { "udp " } else { "" }).into()
}
