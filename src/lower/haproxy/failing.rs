//! Health checks that a healthy server does not pass.

use super::file::File;
use super::profile::Slot;
use super::section::Section;
use super::server::Server;
use super::text::{Arg, Prefix, Statement};
use crate::edit::{Applicability, Edit, Fix};
use crate::source::Site;
use crate::topology::{Fault, FaultKind, FaultWeight, Known, Port, ServerName};
use crate::value::{Wait, humanise};
use std::time::Duration;

const KIND: FaultKind = FaultKind::FailingCheck;

/// A fix that puts words at the end of a line.
pub(super) fn append(title: &str, line: Site, words: &str) -> Box<Fix> {
    Fix::guess(title, [Edit::Append { statement: line.span, words: words.to_owned() }])
}

/// Looks at how checks are asked for.
pub(super) fn statement(statement: &Statement<'_>, proxy: crate::topology::ProxyId) -> Option<Fault> {
    if statement.keyword() != "option" || statement.prefix != Prefix::None || statement.live().is_some() {
        return None;
    }
    let site = statement.site;
    match (statement.word(1), statement.args.len()) {
        ("httpchk", 3) if matches!(statement.word(2), "GET" | "HEAD" | "POST" | "PUT" | "OPTIONS") => {
            let method = statement.word(2);
            Some(
                Fault::new(
                    KIND,
                    proxy,
                    (site, format!("asks for the path `{method}`")),
                    format!("this check sends `OPTIONS {method}`: a single word is the path, not the method"),
                )
                .why("servers answer such a request with 400 or 404, so all of them count as down: 503")
                .help(format!("write the path, too: `option httpchk {method} /health`"))
                .fix(append("ask for `/`", site, "/"))
                .weight(FaultWeight::MayFail, true),
            )
        }
        ("httpchk", 4..) if !statement.word(3).starts_with(['/', '*']) && !statement.word(3).starts_with("http") => {
            let path = statement.word(3);
            Some(
                Fault::new(
                    KIND,
                    proxy,
                    (site, "the path has no slash before it"),
                    format!("this check asks for `{path}`, which is no path: servers answer it with 400"),
                )
                .why("HAProxy sends the words as they are, and a server that answers 400 counts as down: 503")
                .help(format!("write `/{path}`"))
                .weight(FaultWeight::MayFail, true),
            )
        }
        ("ssl-hello-chk", _) => Some(
            Fault::new(
                KIND,
                proxy,
                (site, "sends a greeting of SSLv3"),
                "this check greets in SSLv3, which servers of today refuse: they count as down",
            )
            .why("TLS libraries have not spoken SSLv3 for years")
            .help("remove it, and write `check check-ssl verify none` on the servers, or a `ca-file`")
            .weight(FaultWeight::MayFail, false),
        ),
        _ => None,
    }
}

/// An `http-check connect` that says nothing of TLS or ports.
pub(super) fn is_bare_connect(statement: &Statement<'_>) -> bool {
    (statement.keyword(), statement.word(1)) == ("http-check", "connect")
        && statement.live().is_none()
        && statement.condition.is_none()
        && !statement.from(2).iter().any(|arg| matches!(&*arg.text, "default" | "ssl" | "port" | "addr"))
}

/// Whether the words of a check's request name a host: a header, an address in full, a header behind the version.
pub(super) fn names_host(words: &[Arg<'_>]) -> bool {
    let is_host = |arg: &Arg<'_>| {
        arg.text.eq_ignore_ascii_case("host")
            || arg.text.contains("://")
            || arg.text.to_ascii_lowercase().contains("\nhost:")
    };
    words.iter().any(is_host)
}

/// Notes checks that ask in a version that wants a `Host`, and send none. Measured on 2.6.12 before nginx: 400, in
/// HTTP/1.1 and in HTTP/2; without a version the check asks in HTTP/1.0, which wants none.
fn without_host(file: &File<'_>, section: &mut Section) {
    if section.profile.check_names_host || section.connects {
        return;
    }
    let checked = |server: &&Server| {
        !server.conditional && server.options.filled_in.is_none() && server.options.check.is_some_and(|(on, _)| on)
    };
    // A check may have a protocol of its own.
    let h2 = |server: &&Server| {
        server.options.proto.as_ref().is_some_and(|(proto, _)| &**proto == "h2") && !server.options.check_proto
    };
    let new = |site: Site, label: &str, message: &str| {
        Fault::new(KIND, file.facts.proxy, (site, label), message)
            .why("such a request without a host is answered with 400 by servers that keep to the standard, and a server that answers 400 counts as down: 503")
            .help("add `http-check send hdr Host NAME`, with a name that the servers know")
            .weight(FaultWeight::MayFail, false)
    };
    let mut servers = section.servers.iter().filter(checked);
    let fault = match section.profile.check_in_http11 {
        Some(at) => servers.next().map(|first| {
            new(at, "asks in HTTP/1.1", "this check asks in HTTP/1.1 and sends no `Host`: the servers count as down")
                .other(first.endpoint.site, "checked like this")
        }),
        None => servers.find(h2).and_then(|first| {
            let (_, proto) = first.options.proto.as_ref()?;
            Some(
                new(
                    first.endpoint.site,
                    "checked in HTTP/2",
                    "this check asks in HTTP/2 and names no host: the server counts as down",
                )
                .other(*proto, "holds for checks, too"),
            )
        }),
    };
    section.faults.extend(fault);
}

/// Notes servers whose checks differ from their traffic.
pub(super) fn servers(file: &File<'_>, section: &mut Section) {
    if section.profile.beyond.is_some() || section.profile.disabled.is_some() {
        return;
    }
    let mut faults = Vec::new();
    let http = section.profile.http_check.known() == Some(&true);
    if http {
        without_host(file, section);
    }
    for server in &section.servers {
        let options = &server.options;
        let Some((true, check)) = options.check else { continue };
        if server.conditional || options.filled_in.is_some() {
            continue;
        }
        let site = server.endpoint.site;
        let ssl = options.ssl.as_ref().is_some_and(|(on, _)| *on);
        let mut add = |label: &str, message: &str, why, help: &str, certain, other: Option<(Site, &str)>, fix| {
            let at = (site, label);
            let mut fault = Fault::new(KIND, file.facts.proxy, at, message).why(why).help(help).fix(fix);
            if let Some((site, text)) = other {
                fault = fault.other(site, text);
            }
            if section.extent.holds(check) {
                fault = fault.other(check, "the check");
            }
            faults.push(fault.weight(FaultWeight::MayFail, certain));
        };
        if http && let Some((time, site)) = short(section) {
            add(
                "must pass its check in so little time",
                &format!(
                    "a check that is not answered within {} fails: a healthy server may count as down",
                    humanise(time)
                ),
                "a busy server answers late, and counts as down just when it is needed most",
                "write a longer `timeout check`",
                false,
                Some((site, "the time for the answer")),
                None,
            );
        }
        // With connect rules the line says nothing of how checks connect.
        if !section.connects && same_port(server) {
            if ssl && options.check_ssl.is_none() {
                add(
                    "checked without TLS",
                    "this server speaks TLS, and its check does not: it counts as down",
                    "where the check has a `port` or `addr` of its own, HAProxy leaves out `ssl`, even for the same port",
                    "write `check-ssl`, or remove the port of the check",
                    true,
                    None,
                    // The port is the server's own, so what is spoken there is known.
                    Some(Box::new(Fix {
                        applicability: Applicability::Safe,
                        ..*append("check over TLS", site, "check-ssl")
                    })),
                );
            }
            if options.send_proxy && !options.check_send_proxy {
                add(
                    "checked without PROXY header",
                    "this server expects a PROXY header, and its check sends none: it may count as down",
                    "where the check has a `port` or `addr` of its own, HAProxy leaves out `send-proxy`",
                    "write `check-send-proxy`, or remove the port of the check",
                    false,
                    None,
                    Some(append("send the PROXY header with checks, too", site, "check-send-proxy")),
                );
            }
        }
        if let Some(connect) = section.bare_connect
            && http
            && ssl
        {
            add(
                "speaks TLS",
                "this server speaks TLS, and `http-check connect` checks it without: it counts as down",
                "an `http-check connect` rule takes over nothing from the server line, unless it says `default`",
                "write `http-check connect default`",
                true,
                Some((connect, "neither `default` nor `ssl`")),
                Some(append("connect as for requests", connect, "default")),
            );
        } else if let Some((Known::Yes(ServerName::Fixed(name)), sni)) = &options.sni
            && ((ssl && !options.check_port && !options.check_addr) || options.check_ssl.is_some())
            && !options.check_sni
            && !section.connects
        {
            add(
                "checked without a server name",
                "requests name the server in the handshake, and checks do not: it may count as down",
                "up to 3.2 `sni` is for requests only; a server that insists on a name refuses the check",
                "write `check-sni` with the same name",
                false,
                Some((*sni, "for requests only")),
                Some(append("send the name with checks, too", site, &format!("check-sni {name}"))),
            );
        }
    }
    section.faults.extend(faults);
}

/// A time for the answer of a check that a busy server may not keep, and where it is written. Of a few milliseconds the
/// unit was forgotten: that is another rule's. (A short `inter` alone is a quick check on purpose as often as not.)
fn short(section: &Section) -> Option<(Duration, Site)> {
    let Slot::Set(Known::Yes(Wait::For(time)), site) = &section.profile.check else { return None };
    let range = Duration::from_millis(100)..Duration::from_secs(1);
    range.contains(time).then_some((*time, *site))
}

/// Whether the check goes to the server's own port, and says so.
fn same_port(server: &Server) -> bool {
    match server.options.port_of_check {
        Some(port) => !server.options.check_addr && server.endpoint.port == Known::Yes(Port::Written(port)),
        // With an address alone the port is the server's.
        None => server.options.check_addr && !server.options.check_port,
    }
}
