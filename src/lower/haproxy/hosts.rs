//! Addresses that are none of a server: of logs, name servers, peers, listeners. HAProxy resolves their names while it
//! reads the file.

use super::address;
use super::file::File;
use super::text::{Arg, Statement};
use crate::source::Site;
use crate::syntax::haproxy::SectionKeyword;
use crate::topology::{Fault, FaultKind, FaultWeight, Known, LoadEffect};
use crate::value::{Address, Host};

/// Texts without one of which an address is not looked at.
const MARKS: [&str; 10] =
    ["invalid", "INVALID", "Invalid", "<", ".x", ".X", "192.0.2.", "198.51.100.", "203.0.113.", "2001:db8"];

/// The address that a line holds, and whether HAProxy is to listen on it.
fn address_of(statement: &Statement<'_>, section: SectionKeyword) -> Option<(usize, bool)> {
    Some(match (section, statement.keyword()) {
        (SectionKeyword::Peers | SectionKeyword::Ring, "server") => (2, false),
        (SectionKeyword::Peers, "peer") | (SectionKeyword::Mailers, "mailer") => (2, false),
        (SectionKeyword::Resolvers, "nameserver") => (2, false),
        (_, "bind") => (1, true),
        (_, "log" | "dispatch") => (1, false),
        (_, "source") => (1, true),
        (SectionKeyword::Backend | SectionKeyword::Listen | SectionKeyword::Defaults, "server" | "default-server") => {
            // The first words are names.
            (statement.args.iter().skip(2).position(|arg| arg.text == "source")? + 3, true)
        }
        _ => return None,
    })
}

/// Looks at a line of any section. Only text that looks suspicious is read again.
pub(super) fn line(file: &mut File<'_>, section: SectionKeyword, statement: &Statement<'_>) {
    let Some((at, own)) = address_of(statement, section) else { return };
    let span = statement.site.span;
    let text = file.source.file.text().get(span.start as usize..span.end as usize).unwrap_or("");
    if file.template || statement.condition.is_some() || !MARKS.iter().any(|mark| text.contains(mark)) {
        return;
    }
    let Some(arg) = statement.args.get(at) else { return };
    if address::is_filled_in(arg).is_some() || statement.broken {
        return;
    }
    let transparent = statement.args.iter().any(|arg| matches!(&*arg.text, "transparent" | "usesrc"));
    let is_bind = statement.keyword() == "bind";
    for part in arg.text.split(',').take(if is_bind { 64 } else { 1 }) {
        let Some(host) = host_of(part, arg) else { continue };
        if let Some(fault) = fault(file, arg, &host, is_bind, own && !transparent) {
            file.facts.load.faults.push(fault);
        }
    }
}

/// Who is asked, by a `nameserver` line of a resolvers section; `None` when that is not known.
pub(super) fn name_server(statement: &Statement<'_>) -> Option<(Host, Site)> {
    let arg = statement.args.get(2).filter(|_| statement.keyword() == "nameserver" && !statement.broken)?;
    if address::is_filled_in(arg).is_some() || statement.condition.is_some() {
        return None;
    }
    Some((host_of(&arg.text, arg)?, arg.site))
}

/// The host of an address, with or without a port.
fn host_of(text: &str, arg: &Arg<'_>) -> Option<Host> {
    match address::server(&Arg { text: text.into(), site: arg.site, live: None, quoted: false }) {
        address::ServerAddress { address: Known::Yes(Address::Net(host)), .. } => Some(host),
        _ => None,
    }
}

fn fault(file: &File<'_>, arg: &Arg<'_>, host: &Host, is_bind: bool, own: bool) -> Option<Fault> {
    let proxy = file.facts.proxy;
    let shown: String = host.to_string().chars().take(60).collect();
    if host.can_never_exist() {
        return Some(
            Fault::new(
                FaultKind::UnknownHost,
                proxy,
                (arg.site, "this name can never be resolved"),
                format!("`{shown}` does not exist anywhere, so HAProxy does not start"),
            )
            .why(
                "HAProxy resolves this name while it reads the file; names below `.invalid` are reserved for what must \
                 not exist (RFC 6761)",
            )
            .help("write the host that is meant")
            .effect(LoadEffect::Refused),
        );
    }
    if host.is_to_be_filled_in() {
        let weight = if file.accuses() { FaultWeight::Fails } else { FaultWeight::MayFail };
        return Some(
            Fault::new(
                FaultKind::UnusableAddress,
                proxy,
                (arg.site, "a placeholder"),
                format!("`{shown}` is still to be filled in: HAProxy does not start with it"),
            )
            .why("HAProxy takes it for a host name, which nothing can resolve")
            .help("write the address that is meant")
            .effect(LoadEffect::Refused)
            .weight(weight, false),
        );
    }
    if !host.is_for_examples() || !own {
        return None;
    }
    let (message, effect) = if is_bind {
        ("no machine has this address, so HAProxy cannot listen on it and does not start", LoadEffect::Refused)
    } else {
        (
            "no machine has this address, so no connection can be made from it: every request here fails",
            LoadEffect::Status(503),
        )
    };
    Some(
        Fault::new(FaultKind::UnusableAddress, proxy, (arg.site, "an address for examples"), message)
            .why(
                "addresses of 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 and 2001:db8::/32 are set aside for \
                 examples in texts (RFC 5737, RFC 3849)",
            )
            .help("write an address that the machine has")
            .effect(effect)
            .weight(FaultWeight::MayFail, false),
    )
}
