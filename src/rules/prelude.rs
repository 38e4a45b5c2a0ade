//! What every rule needs.

pub use super::{Cx, Rule};
pub use crate::catalog::{Confidence, Outcome, RuleId, Severity};
pub use crate::edit::{Edit, Fix};
pub use crate::finding::{Finding, Findings};
pub use crate::source::Site;
use crate::source::clean;
pub use crate::topology::*;
pub use crate::value::{Address, Host, Wait, humanise};
use std::collections::HashSet;
use std::fmt;

/// Text of a configuration inside a sentence: in backquotes, cleaned, and cut where it is long.
#[must_use]
pub fn quote(text: &str) -> String {
    let text = clean(text);
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// The address of an endpoint as a person would write it, with its port where it is written. Put into words only
/// when a message shows it: most endpoints that a rule looks at are in order.
#[must_use]
pub fn address_words(endpoint: &Endpoint) -> AddressWords<'_> {
    AddressWords(endpoint)
}

/// See [`address_words`].
pub struct AddressWords<'a>(&'a Endpoint);

impl fmt::Display for AddressWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.address.known(), self.0.port.known().and_then(|port| port.number())) {
            (Some(address @ Address::Net(_)), Some(port)) => f.write_str(&quote(&format!("{address}:{port}"))),
            (Some(address), _) => f.write_str(&quote(&address.to_string())),
            (None, _) => f.write_str("the backend"),
        }
    }
}

/// Asks about every hop. What is told of one place is one mistake, however many hops it holds for.
pub fn look_at_hops(cx: &Cx<'_>, out: &mut Findings, look: impl Fn(&Cx<'_>, HopId, &Hop) -> Option<Finding>) {
    let mut told = HashSet::new();
    for (id, hop) in cx.topology.hops.iter() {
        if let Some(finding) = look(cx, id, hop)
            && told.insert(finding.primary().site)
        {
            out.push(finding);
        }
    }
}

/// The hops that lead to each pool, by its number.
#[must_use]
pub(super) fn hops_by_pool(topology: &Topology) -> Vec<Vec<HopId>> {
    let mut hops = vec![Vec::new(); topology.pools.len()];
    for (id, hop) in topology.hops.iter() {
        if let Target::Pool(pool) = hop.target {
            hops[pool.index()].push(id);
        }
    }
    hops
}

/// Where a request is sent to a pool: the statement that names it, or the route, where pool and hop are one block.
#[must_use]
pub fn way_to_pool(topology: &Topology, pool: PoolId, hop: HopId) -> Option<Site> {
    let (pool, hop) = (&topology.pools[pool], &topology.hops[hop]);
    if hop.site != pool.site && hop.target_site != pool.site && hop.target_site != pool.name_site {
        return Some(hop.target_site);
    }
    hop.routes.first().map(|&route| topology.routes[route].site)
}

/// Hops that a rule on members has to look at: of those that speak in the same way to one pool, the first. Keeps a
/// thousand routes to a pool of a thousand members from being a million looks.
#[must_use]
pub(super) fn distinct_hops(topology: &Topology) -> Vec<HopId> {
    let mut seen = HashSet::new();
    topology
        .hops
        .iter()
        .filter(|(_, hop)| match hop.target {
            Target::Pool(pool) => seen.insert((pool, hop.protocol, hop.tls.is_some())),
            _ => true,
        })
        .map(|(id, _)| id)
        .collect()
}

/// Members that take requests in ordinary times: no backups, nothing that is taken out of service. Of a very large
/// pool the first thousand, so that many routes to it stay cheap.
pub fn serving(topology: &Topology, hop: HopId) -> impl Iterator<Item = &Endpoint> {
    topology
        .members(hop)
        .iter()
        .take(1000)
        .map(|&member| &topology.endpoints[member])
        .filter(|member| !member.backup && member.is_usable())
}

/// Where no status can be sent (`stream`, `mode tcp`), what a rule calls 502 is a closed connection.
pub fn closed_without_status(finding: Finding, hop: &Hop) -> Finding {
    if hop.protocol.has_status() { finding } else { finding.outcome(Outcome::ConnectionClosed) }
}

/// The same for a pool: no way to it may have a status to send.
pub fn closed_without_status_in(finding: Finding, cx: &Cx<'_>, pool: PoolId) -> Finding {
    let mut hops = cx.hops_to(pool).iter().map(|&hop| &cx.topology.hops[hop]).peekable();
    match hops.peek().copied() {
        Some(first) if hops.all(|hop| !hop.protocol.has_status()) => closed_without_status(finding, first),
        _ => finding,
    }
}

/// What the client side of a virtual host looks like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Doors {
    /// A listener without TLS, when all listeners are known to be so.
    pub all_plain: Option<ListenerId>,
    /// A listener on a port that clients write into the `Host` header: neither 80 nor 443.
    pub odd_port: Option<ListenerId>,
    /// Whether a listener accepts on a range of ports.
    pub range: bool,
}

/// The doors of every virtual host, by its number.
#[must_use]
pub(super) fn doors(topology: &Topology) -> Vec<Doors> {
    topology
        .virtual_hosts
        .iter()
        .map(|(_, host)| {
            let mut doors = Doors::default();
            let mut plain = true;
            for &id in &host.listeners {
                let listener = &topology.listeners[id];
                plain &= listener.tls == Known::Yes(false);
                if let Known::Yes((Address::Net(_), Some((first, last)))) = listener.bind {
                    doors.range |= first != last;
                    if !matches!((first, last), (80 | 443, 80 | 443)) {
                        doors.odd_port.get_or_insert(id);
                    }
                }
            }
            doors.all_plain = host.listeners.first().copied().filter(|_| plain);
            doors
        })
        .collect()
}

/// The virtual hosts whose routes lead to a hop, each once; `None` when a route's virtual host is not known.
#[must_use]
pub fn hosts_before(topology: &Topology, hop: HopId) -> Option<Vec<VirtualHostId>> {
    let mut hosts: Vec<_> =
        topology.hops[hop].routes.iter().map(|&route| topology.routes[route].virtual_host).collect::<Option<_>>()?;
    hosts.sort_unstable();
    hosts.dedup();
    Some(hosts)
}

/// Whether a host name looks like one of the public Internet, where one address serves many names.
#[must_use]
pub fn is_public_name(name: &str) -> bool {
    const PRIVATE: &[&str] = &[
        "local",
        "localhost",
        "localdomain",
        "internal",
        "intranet",
        "private",
        "lan",
        "home",
        "corp",
        "svc",
        "consul",
        "docker",
        "test",
        "example",
        "invalid",
        "arpa",
    ];
    let name = name.trim_end_matches('.');
    match name.rsplit_once('.') {
        Some((before, last)) => {
            !PRIVATE.iter().any(|private| last.eq_ignore_ascii_case(private))
                && !before.split('.').any(|label| label.eq_ignore_ascii_case("svc"))
                && last.chars().any(char::is_alphabetic)
        }
        None => false,
    }
}

/// A computed name that was meant for a pool and misses it: no address, no dot in it, nobody who could look it up,
/// and either a pool of a like name exists or the other values of the same computation are pools.
#[must_use]
pub fn misses_a_pool(computed: &ComputedTarget, outcome: &ComputedOutcome) -> bool {
    outcome.is == ComputedKind::HostName
        && computed.resolver == Known::Yes(None)
        && !outcome.name.contains('.')
        && (outcome.near.is_some() || computed.outcomes.iter().any(|other| matches!(other.is, ComputedKind::Pool(_))))
}

/// The statements that write a timeout as a bare number so small that another rule speaks of them.
#[must_use]
pub fn tiny_bare_numbers(topology: &Topology) -> std::collections::HashSet<Site> {
    topology
        .load
        .bare_numbers
        .iter()
        .filter(|number| number.read_as < std::time::Duration::from_millis(100))
        .map(|number| number.site)
        .collect()
}

/// A fix that writes the name that is nearly the same. What was meant is a guess, always.
#[must_use]
pub fn other_name(within: Site, from: &str, to: &str) -> Box<Fix> {
    let edit = Edit::Word { within: within.span, from: from.to_owned(), to: to.to_owned() };
    Fix::guess(format!("write {}", quote(to)), [edit])
}

/// A fix that puts words at the end of some statements.
#[must_use]
pub fn append(title: &str, statements: impl IntoIterator<Item = Site>, words: &str) -> Box<Fix> {
    let edit = |site: Site| Edit::Append { statement: site.span, words: words.to_owned() };
    Fix::guess(title, statements.into_iter().map(edit).collect::<Vec<_>>())
}

/// Whether only requests of health checks and the like come here, which must be answered at once.
pub fn is_probe(topology: &Topology, hop: &Hop) -> bool {
    const WORDS: &[&str] =
        &["ping", "status", "ready", "readyz", "readiness", "live", "livez", "liveness", "metrics", "probe"];
    let asks = |text: &str| {
        text.as_bytes().split(|byte| !byte.is_ascii_alphanumeric()).any(|word| {
            word.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"health"))
                || WORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word))
        })
    };
    !hop.routes.is_empty()
        && hop.routes.iter().all(|&route| match &topology.routes[route].matcher {
            Matcher::Prefix(text) | Matcher::Exact(text) | Matcher::Condition(text) => asks(text),
            Matcher::Always | Matcher::Named(_) => false,
        })
}

/// Tells the faults of one kind.
pub fn tell_faults(rule: RuleId, kind: FaultKind, cx: &Cx<'_>, out: &mut Findings) {
    for fault in cx.topology.load.faults.iter().filter(|fault| fault.kind == kind) {
        let dialect = cx.dialect(fault.proxy);
        let mut finding = Finding::new(rule, dialect, (fault.site, fault.label.clone()), fault.message.clone());
        for other in &fault.others {
            finding = finding.label(other.clone());
        }
        finding = match fault.effect {
            Some(LoadEffect::Refused) => finding.outcome(Outcome::DoesNotStart),
            Some(LoadEffect::Status(status)) => finding.outcome(Outcome::Status(status)),
            Some(LoadEffect::Ignored | LoadEffect::Split) => finding.outcome(Outcome::WrongAnswer),
            None => finding,
        };
        finding = match fault.weight {
            FaultWeight::Fails => finding,
            FaultWeight::MayFail => finding.severity(Severity::Warning),
            FaultWeight::Remark => finding.severity(Severity::Note),
        };
        if !fault.certain {
            let most = match fault.weight {
                FaultWeight::Remark => Confidence::Possible,
                FaultWeight::Fails | FaultWeight::MayFail => Confidence::Likely,
            };
            finding = finding.confidence(most.min(rule.meta().confidence));
        }
        finding = match fault.why {
            // The words in the log are those of the page's explanation.
            Some(why) => finding.log("").why(why),
            None => finding.why_of_dialect(),
        };
        finding = finding.fix(fault.fix.clone());
        out.push(match &fault.help {
            Some(help) => finding.help(help.clone()),
            None => finding,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        assert!(is_public_name("api.shop.com"));
        assert!(!is_public_name("app"));
        assert!(!is_public_name("app.default.svc.cluster.local"));
        assert!(!is_public_name("app.default.svc.cluster"));
        assert!(!is_public_name("db.internal"));
        assert!(!is_public_name("10.0.0.1"));
    }

    #[test]
    fn long_and_hostile_text_is_cut_and_cleaned() {
        assert_eq!(quote("a\nb"), "`a b`");
        assert_eq!(quote(&"é".repeat(200)).chars().count(), 83);
    }
}
