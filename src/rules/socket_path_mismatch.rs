//! GW111: a socket is looked for where it is not.

use super::prelude::*;
use std::collections::{HashMap, HashSet};

/// GW111.
pub struct SocketPathMismatch;

/// How many pairs of names are compared at most.
const COMPARISONS: usize = 50_000;

/// Folder and name of a socket. `/var/run` is a link to `/run` on every system that has both.
fn cut(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix("/var").filter(|rest| rest.starts_with("/run/")).unwrap_or(path);
    path.rsplit_once('/').filter(|(folder, name)| folder.starts_with('/') && !name.is_empty())
}

/// Whether one name may be the other one misspelt. Numbers tell sockets apart on purpose.
fn may_be(name: &str, other: &str) -> bool {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
    let stem = |text: &str| text.split('.').next().unwrap_or("").len();
    name.len().abs_diff(other.len()) <= 2
        && stem(name).min(stem(other)) >= 3
        && digits(name) == digits(other)
        && strsim::osa_distance(name, other) <= 2
}

impl Rule for SocketPathMismatch {
    fn id(&self) -> RuleId {
        RuleId::GW111
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let topology = cx.topology;
        tell_faults(self.id(), FaultKind::SocketPath, cx, out);
        super::workload_socket::tell(self.id(), cx, out);
        // Sockets that a proxy opens here, by their folder.
        let mut opened: HashMap<&str, Vec<(&str, ListenerId)>> = HashMap::new();
        let mut exact: HashSet<(&str, &str)> = HashSet::new();
        for (id, listener) in topology.listeners.iter() {
            if let Known::Yes((Address::Socket(path), _)) = &listener.bind
                && let Some((folder, name)) = cut(path)
            {
                opened.entry(folder).or_default().push((name, id));
                exact.insert((folder, name));
            }
        }
        if opened.is_empty() {
            return;
        }
        let asked: Vec<_> = topology
            .endpoints
            .iter()
            .filter_map(|(_, endpoint)| match endpoint.address.known() {
                Some(Address::Socket(path)) => Some((cut(path)?, endpoint)),
                _ => None,
            })
            .collect();
        let used: HashSet<(&str, &str)> = asked.iter().map(|(place, _)| *place).collect();
        let mut comparisons = 0;
        for ((folder, name), endpoint) in asked {
            let wanted = endpoint.is_usable() && !exact.contains(&(folder, name));
            let Some(sockets) = opened.get(folder).filter(|_| wanted) else { continue };
            let near = sockets
                .iter()
                .take_while(|_| {
                    comparisons += 1;
                    comparisons < COMPARISONS
                })
                .find(|(other, _)| !used.contains(&(folder, *other)) && may_be(name, other));
            let Some((other, listener)) = near else { continue };
            let dialect = cx.dialect(endpoint.proxy);
            out.push(
                Finding::new(
                    self.id(),
                    dialect,
                    (endpoint.address_site, "nobody here opens this socket".to_owned()),
                    format!("the socket {} is called {} where it is opened", quote(name), quote(other)),
                )
                .severity(Severity::Warning)
                .confidence(Confidence::Likely)
                .label((topology.listeners[*listener].site, "opened here, and nobody asks it".to_owned()))
                .why_of_dialect()
                .assumed("nobody else opens a socket of that name".to_owned())
                .help("write the same path on both sides"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sockets() {
        assert!(may_be("api.sock", "apl.sock"));
        assert!(may_be("backend.sock", "backends.sock"));
        assert!(!may_be("app1.sock", "app2.sock"));
        assert!(!may_be("a.sock", "b.sock"));
        assert!(!may_be("api.sock", "web.sock"));
        assert_eq!(cut("/var/run/app/x.sock"), Some(("/run/app", "x.sock")));
        assert_eq!(cut("/run/x.sock"), Some(("/run", "x.sock")));
        assert_eq!(cut("x.sock"), None);
    }
}
