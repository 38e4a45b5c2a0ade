//! Addresses as `str2sa_range()` of HAProxy reads them, of servers and of `bind` lines.

use super::text::Arg;
use super::times::atoi;
use crate::topology::{Known, LoadEffect, Port, Reason};
use crate::value::{Address, Host};
use std::net::IpAddr;

/// Something wrong with an address.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) label: String,
    pub(super) why: &'static str,
    pub(super) help: Option<String>,
    pub(super) effect: LoadEffect,
    /// What is perhaps meant, as it would be written.
    pub(super) instead: Option<Box<str>>,
}

impl Fault {
    /// The same for versions that refuse (`true`) what older ones drop without a word.
    pub(super) fn where_junk_is_refused(mut self, refused: bool) -> Self {
        if refused && self.effect == LoadEffect::Ignored {
            "HAProxy does not start: more than digits stands behind the port".clone_into(&mut self.message);
            self.why = "before 3.0 it was dropped without a word";
            self.effect = LoadEffect::Refused;
        }
        self
    }
}

/// What a server's address was read as.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ServerAddress {
    pub(super) address: Known<Address>,
    pub(super) port: Known<Port>,
    pub(super) fault: Option<Fault>,
}

const FAMILIES: [&str; 17] = [
    "ipv4@",
    "ipv6@",
    "tcp@",
    "tcp4@",
    "tcp6@",
    "mptcp@",
    "mptcp4@",
    "mptcp6@",
    "quic4@",
    "quic6@",
    "stream+ipv4@",
    "stream+ipv6@",
    "stream+unix@",
    "stream+abns@",
    "udp@",
    "udp4@",
    "udp6@",
];

/// Addresses of other kinds, of which nothing is said.
const OTHER_KINDS: [&str; 8] =
    ["fd@", "sockpair@", "rhttp@", "rev@", "stderr@", "stdout@", "dgram+ipv4@", "dgram+ipv6@"];

/// Whether a variable or a template has its hand in an address. The address parser expands variables itself, also
/// outside double quotes.
pub(super) fn is_filled_in(arg: &Arg<'_>) -> Option<Reason> {
    let shouted = || crate::value::later::is_shouted(split_port(&arg.text).1).then_some(Reason::TemplateHole);
    arg.live.or_else(|| arg.text.contains('$').then_some(Reason::Variable)).or_else(shouted)
}

/// Takes the family off: the rest, and the socket it is if it is one.
fn family(text: &str) -> Result<&str, Known<Address>> {
    for prefix in ["unix@", "stream+unix@"] {
        if let Some(path) = text.strip_prefix(prefix) {
            return Err(Known::Yes(Address::Socket(path.into())));
        }
    }
    for prefix in ["abns@", "abnsz@", "stream+abns@"] {
        if let Some(name) = text.strip_prefix(prefix) {
            return Err(Known::Yes(Address::Socket(format!("@{name}").into())));
        }
    }
    if text.starts_with('/') {
        return Err(Known::Yes(Address::Socket(text.into())));
    }
    if OTHER_KINDS.iter().any(|prefix| text.starts_with(prefix)) {
        return Err(Known::Unknown(Reason::OutsideRepository));
    }
    Ok(FAMILIES.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text))
}

/// Cuts off the port: the last colon, unless the address ends in a bracket.
fn split_port(text: &str) -> (&str, &str) {
    match text.rfind([':', ']']) {
        Some(at) if text.as_bytes().get(at) == Some(&b':') => (&text[..at], &text[at + 1..]),
        _ => (text, ""),
    }
}

/// An empty host is the wildcard.
fn host(text: &str) -> Host {
    if text.is_empty() { Host::Any } else { Host::parse(text) }
}

/// Reads a server's address.
pub(super) fn server(arg: &Arg<'_>) -> ServerAddress {
    if let Some(reason) = is_filled_in(arg) {
        return filled_in(&arg.text, reason);
    }
    let text = &*arg.text;
    let rest = match family(text) {
        Ok(rest) => rest,
        Err(address) => return ServerAddress { address, port: Known::Yes(Port::None), fault: None },
    };
    let (name, port) = split_port(rest);
    let malformed = |fault| ServerAddress {
        address: Known::Unknown(Reason::Malformed),
        port: Known::Unknown(Reason::Malformed),
        fault: Some(fault),
    };
    if let Some(scheme) = rest.find("://") {
        return malformed(url(rest, scheme));
    }
    if name.contains(':') && !name.starts_with('[') && name.parse::<IpAddr>().is_err() {
        // The last colon of an IPv6 address was taken for the one before the port.
        return malformed(if rest.parse::<std::net::Ipv6Addr>().is_ok() {
            ipv6_without_port(rest)
        } else {
            unreadable(text)
        });
    }
    if name.contains(['/', ',', ';']) {
        return malformed(unreadable(text));
    }
    let (port, fault) = match server_port(text, name, port) {
        Ok(port) => (port, None),
        Err(read) => match *read {
            (None, fault) => return malformed(fault),
            (Some(port), fault) => (port, Some(fault)),
        },
    };
    // A record of services brings its own ports.
    let is_service = name.starts_with('_') && name.contains("._");
    let port = if is_service && port == Port::OfClient { Port::None } else { port };
    ServerAddress { address: Known::Yes(Address::Net(host(name))), port: Known::Yes(port), fault }
}

fn server_port(text: &str, name: &str, port: &str) -> Result<Port, Box<(Option<Port>, Fault)>> {
    let digits = port.bytes().take_while(u8::is_ascii_digit).count();
    let shown = if name.is_empty() { "*" } else { name };
    match port.as_bytes().first() {
        None => return Ok(Port::OfClient),
        // An offset to the client's port.
        Some(b'+' | b'-') => return Ok(Port::OfClient),
        Some(b'0'..=b'9') => {}
        Some(_) => {
            return Err(Box::new((
                None,
                Fault {
                    instead: None,
                    message: format!("`{port}` is not a port number"),
                    label: "HAProxy expects digits behind the last colon".to_owned(),
                    why: "HAProxy knows no service names here and does not start",
                    help: Some(format!("write the number of the port: `{shown}:8080`")),
                    effect: LoadEffect::Refused,
                },
            )));
        }
    }
    let (number, rest) = port.split_at(digits);
    if rest.starts_with('-') {
        return Err(Box::new((
            None,
            Fault {
                instead: None,
                message: "a server cannot have a range of ports".to_owned(),
                label: format!("the range `{port}`"),
                why: "HAProxy refuses ranges on `server` lines and does not start",
                help: Some("write one `server` line for each port".to_owned()),
                effect: LoadEffect::Refused,
            },
        )));
    }
    let Some(value) = u16::try_from(atoi(number)).ok() else {
        return Err(Box::new((
            None,
            Fault {
                instead: None,
                message: format!("`{number}` is not a port between 1 and 65535"),
                label: "there is no such port".to_owned(),
                why: "HAProxy refuses the line and does not start",
                help: None,
                effect: LoadEffect::Refused,
            },
        )));
    };
    let read = if value == 0 { Port::OfClient } else { Port::Written(value) };
    if rest.is_empty() {
        return Ok(read);
    }
    Err(Box::new((
        Some(read),
        Fault {
            instead: None,
            message: format!("HAProxy reads `{text}` as port {value} of {shown} and drops `{rest}`"),
            label: format!("`{rest}` stands behind the port"),
            why: "up to 2.8 whatever follows the digits of the port is ignored without a word: a path never reaches the \
              server; 3.0 and later refuse to start",
            help: Some(format!(
                "write `{}`{}",
                text.strip_suffix(rest).unwrap_or(text),
                if rest.starts_with('/') { ", and put the path in with `http-request set-path`" } else { "" }
            )),
            effect: LoadEffect::Ignored,
        },
    )))
}

fn url(text: &str, scheme: usize) -> Fault {
    let after = &text[scheme + 3..];
    let authority = after.split(['/', '?']).next().unwrap_or("");
    let (host, port) = split_port(authority);
    let tls = text[..scheme].eq_ignore_ascii_case("https");
    let port = if port.is_empty() { if tls { "443" } else { "80" } } else { port };
    Fault {
        // TLS needs more than an address, and so does a path.
        instead: (!tls && !host.is_empty() && after.len() <= authority.len() + 1)
            .then(|| format!("{host}:{port}").into()),
        message: "a server's address is not a URL".to_owned(),
        label: "HAProxy takes the scheme for a part of the host name".to_owned(),
        why: "HAProxy cannot resolve that name and does not start",
        help: (!host.is_empty()).then(|| {
            format!("write `{host}:{port}`{}", if tls { " and add `ssl verify required ca-file …`" } else { "" })
        }),
        effect: LoadEffect::Refused,
    }
}

fn ipv6_without_port(text: &str) -> Fault {
    Fault {
        instead: None,
        message: format!("HAProxy takes the last part of `{text}` for the port"),
        label: "an IPv6 address without brackets needs a port".to_owned(),
        why: "the last colon is the one before the port; what is left of the address cannot be resolved, and HAProxy \
              does not start",
        help: Some(format!("write `[{text}]:8080`")),
        effect: LoadEffect::Refused,
    }
}

/// A variable with several words, where HAProxy takes it for one.
pub(super) fn not_split(variable: &str, value: &str) -> Fault {
    let name = variable.trim_start_matches(['$', '{']).trim_end_matches('}');
    let (address, rest) = value.split_once(' ').unwrap_or((value, ""));
    Fault {
        instead: Some(format!("\"${{{name}[*]}}\"").into()),
        message: format!("`{variable}` stays one word: HAProxy reads `{address}` and drops `{}`", rest.trim()),
        label: "a quoted variable is not split at its blanks".to_owned(),
        why: "up to 2.8 whatever follows the digits of the port is ignored without a word, options such as `check` too; \
              3.0 and later refuse to start",
        help: Some(format!("write `\"${{{name}[*]}}\"`, which is split into words")),
        effect: LoadEffect::Ignored,
    }
}

fn unreadable(text: &str) -> Fault {
    Fault {
        instead: None,
        message: format!("`{text}` is no address"),
        label: "neither an address with a port nor a host name".to_owned(),
        why: "HAProxy takes it for a host name that nothing can resolve, and does not start",
        help: Some("write one `host:port` or one path of a socket".to_owned()),
        effect: LoadEffect::Refused,
    }
}

/// What is certain of an address that a variable or a template completes.
fn filled_in(text: &str, reason: Reason) -> ServerAddress {
    let mut out = ServerAddress { address: Known::Unknown(reason), port: Known::Unknown(reason), fault: None };
    if reason != Reason::Variable {
        return out;
    }
    let end_of_variables = text.rfind('}').map_or(0, |at| at + 1);
    let tail = &text[end_of_variables..];
    if !tail.contains('$')
        && let Some(port) = tail.strip_prefix(':').and_then(|digits| digits.parse::<u16>().ok())
        && port > 0
    {
        out.port = Known::Yes(Port::Written(port));
    }
    let head = &text[..text.find('$').unwrap_or(0)];
    if let Some(name) = head.strip_suffix(':')
        && !name.is_empty()
        && !name.contains([':', '/', '@'])
    {
        out.address = Known::Yes(Address::Net(host(name)));
    }
    out
}

/// One address of a `bind` line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BindAddress {
    pub(super) bind: Known<(Address, Option<(u16, u16)>)>,
    /// What HAProxy would say against it.
    pub(super) fault: Option<String>,
}

/// Reads one address of a `bind` line (one part of its list).
pub(super) fn bind(text: &str) -> BindAddress {
    let malformed = |fault| BindAddress { bind: Known::Unknown(Reason::Malformed), fault: Some(fault) };
    let rest = match family(text) {
        Ok(rest) => rest,
        Err(Known::Yes(socket)) => return BindAddress { bind: Known::Yes((socket, None)), fault: None },
        Err(Known::Unknown(reason)) => return BindAddress { bind: Known::Unknown(reason), fault: None },
    };
    if let Some(at) = rest.find('@') {
        // A kind of address that is not known here may be of another version.
        let _ = at;
        return BindAddress { bind: Known::Unknown(Reason::OutsideRepository), fault: None };
    }
    let (name, port) = split_port(rest);
    if port.is_empty() {
        return malformed(format!("`{text}` names no port to listen on"));
    }
    let (first, last) = match port.split_once('-') {
        Some((first, last)) if !first.is_empty() => (first, last),
        _ => (port, port),
    };
    if !first.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) {
        return malformed(format!("`{port}` is not a port number"));
    }
    let number = |digits: &str| u16::try_from(atoi(digits)).ok().filter(|&port| port > 0);
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => {
            BindAddress { bind: Known::Yes((Address::Net(host(name)), Some((first, last)))), fault: None }
        }
        (Some(_), Some(_)) => malformed(format!("the range `{port}` ends before it begins")),
        _ => malformed(format!("`{port}` is not a port between 1 and 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Site, Span};

    fn read(text: &str) -> ServerAddress {
        let site = Site::direct(Span::new(FileId::new(0), 0, 0));
        server(&Arg { text: text.into(), site, live: None, quoted: false })
    }

    fn shown(text: &str) -> String {
        let read = read(text);
        let address = read.address.known().map_or("?".to_owned(), ToString::to_string);
        format!("{address} {:?}{}", read.port.known(), if read.fault.is_some() { " fault" } else { "" })
    }

    // Each of these was given to `haproxy -c` 2.6.12.
    #[test]
    fn addresses_of_servers() {
        assert_eq!(shown("10.0.0.1:80"), "10.0.0.1 Some(Written(80))");
        assert_eq!(shown("10.0.0.1"), "10.0.0.1 Some(OfClient)");
        assert_eq!(shown("10.0.0.1:0"), "10.0.0.1 Some(OfClient)");
        assert_eq!(shown("10.0.0.1:+5"), "10.0.0.1 Some(OfClient)");
        assert_eq!(shown("10.0.0.1:080"), "10.0.0.1 Some(Written(80))");
        assert_eq!(shown(":80"), "* Some(Written(80))");
        assert_eq!(shown("*:80"), "* Some(Written(80))");
        assert_eq!(shown("[::1]:80"), "[::1] Some(Written(80))");
        assert_eq!(shown("[::1]"), "[::1] Some(OfClient)");
        assert_eq!(shown("fe80::1:80"), "[fe80::1] Some(Written(80))");
        assert_eq!(shown("::1:80"), "[::1] Some(Written(80))");
        assert_eq!(shown("tcp6@[::1]:80"), "[::1] Some(Written(80))");
        assert_eq!(shown("/run/app.sock"), "unix:/run/app.sock Some(None)");
        assert_eq!(shown("unix@app.sock"), "unix:app.sock Some(None)");
        assert_eq!(shown("abns@app"), "unix:@app Some(None)");
        assert_eq!(shown("_http._tcp.app.example.net"), "_http._tcp.app.example.net Some(None)");
    }

    #[test]
    fn what_is_not_an_address() {
        for text in ["http://10.0.0.1:80", "https://app/x", "10.0.0.1:99999", "10.0.0.1:http", "10.0.0.1:80-90"] {
            assert_eq!(read(text).fault.map(|fault| fault.effect), Some(LoadEffect::Refused), "{text}");
        }
        for text in ["::1", "2001:db8::1", "10.0.0.1:80,10.0.0.2:80", "10.0.0.1::80", "app/x:80"] {
            assert_eq!(read(text).fault.map(|fault| fault.effect), Some(LoadEffect::Refused), "{text}");
        }
        for text in ["10.0.0.1:80/app", "10.0.0.1:80;", "app:80,", "app:8a"] {
            assert_eq!(read(text).fault.map(|fault| fault.effect), Some(LoadEffect::Ignored), "{text}");
        }
    }

    #[test]
    fn variables_leave_what_is_written() {
        assert_eq!(shown("${APP}:8080"), "? Some(Written(8080))");
        assert_eq!(shown("${APP-127.0.0.1:1}"), "? None");
        assert_eq!(shown("10.0.0.1:$PORT"), "10.0.0.1 None");
    }

    #[test]
    fn addresses_to_listen_on() {
        assert_eq!(bind(":80").bind, Known::Yes((Address::Net(Host::Any), Some((80, 80)))));
        assert_eq!(bind("*:80-90").bind, Known::Yes((Address::Net(Host::Any), Some((80, 90)))));
        assert_eq!(bind(":::80").bind, Known::Yes((Address::Net(Host::Any), Some((80, 80)))));
        assert!(bind("/run/x").fault.is_none());
        for text in ["80", "*", ":0", ":99999", "127.0.0.1", ":90-80", ":+1", ":http"] {
            assert!(bind(text).fault.is_some(), "{text}");
        }
        assert!(bind(":80x").fault.is_none());
    }
}
