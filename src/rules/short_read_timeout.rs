//! GW201: the proxy gives up before an ordinary slow answer.

use super::prelude::*;
use std::collections::HashSet;
use std::time::Duration;

/// GW201.
pub struct ShortReadTimeout;

impl Rule for ShortReadTimeout {
    fn id(&self) -> RuleId {
        RuleId::GW201
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        let bare = tiny_bare_numbers(cx.topology);
        // One value may hold for many routes: it is one mistake.
        let mut told = HashSet::new();
        for (id, hop) in cx.topology.hops.iter() {
            let read = &hop.timeouts.read;
            let (Some(Wait::For(wait)), Some(site), true) = (read.known(), read.site(), read.is_written()) else {
                continue;
            };
            let min = cx.duration(self.id(), "min", site);
            if *wait >= min || bare.contains(&site) || hop.unheard || is_probe(cx.topology, hop) {
                continue;
            }
            // A tunnel has its own timeout, and bytes that nobody reads are all tunnel.
            if hop.protocol == Protocol::Tcp && hop.timeouts.tunnel.as_deref().is_some_and(Setting::is_written) {
                continue;
            }
            if told.insert(site) {
                out.push(report(cx, id, *wait, site));
            }
        }
    }
}

fn report(cx: &Cx<'_>, id: HopId, wait: Duration, site: Site) -> Finding {
    let hop = &cx.topology.hops[id];
    let read = &hop.timeouts.read;
    let dialect = cx.dialect(hop.proxy);
    let sees = if hop.protocol.has_status() { "the client sees 504" } else { "the client's connection is closed" };
    let message = if wait.is_zero() {
        format!("`{} 0` does not mean without limit: it expires at once, and {sees}", read.spelling)
    } else {
        format!("{} gives up on the backend after {} and {sees}", dialect.name(), humanise(wait))
    };
    let text = format!("waits {} for the backend to say something", humanise(wait));
    let mut finding = Finding::new(RuleId::GW201, dialect, (site, text), message);
    if matches!(read.origin, Origin::Inherited { .. }) {
        finding = finding.label((hop.target_site, "holds for requests passed on here".into()));
    }
    if !hop.protocol.has_status() {
        finding = finding.outcome(Outcome::ConnectionClosed);
    }
    let members = serving(cx.topology, id).count();
    let tried_again = hop.retry.on.is_written() && hop.retry.on.known().is_some_and(|on| on.timeout) && members > 1;
    finding = if wait.is_zero() {
        finding.confidence(Confidence::Certain)
    } else if wait < Duration::from_secs(1) {
        finding
    } else if tried_again {
        // Somebody wants to be quick at the next endpoint.
        finding.severity(Severity::Note).confidence(Confidence::Possible)
    } else {
        finding.severity(Severity::Warning)
    };
    let counted = serving(cx.topology, id)
        .find_map(|member| member.passive.as_ref())
        .filter(|passive| members > 1 && passive.max_fails.known().is_some_and(|&fails| fails > 0));
    finding = finding.why("an ordinary slow answer (a report, a cold cache, a busy database) takes longer");
    finding = match counted.and_then(|passive| passive.fail_timeout.known()) {
        Some(Wait::For(pause)) => finding.why(format!(
            "each such timeout counts as a failure: when every member has failed, requests get 502 for {}",
            humanise(*pause)
        )),
        _ => finding.why_of_dialect(),
    };
    finding.help(format!("set `{}` above the longest time that the application allows a request", read.spelling))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(read: Setting<Wait>) -> (House, HopId) {
        let mut house = House::nginx();
        let endpoint = house.endpoint(8, "127.0.0.1", Port::Written(80));
        let hop = house.hop(8, Target::Endpoint(endpoint));
        house.t.hops[hop].timeouts.read = read;
        (house, hop)
    }

    fn said(read: Setting<Wait>) -> Vec<(Severity, Confidence)> {
        house(read).0.found(RuleId::GW201).iter().map(|f| (f.severity, f.confidence)).collect()
    }

    #[test]
    fn the_shorter_the_worse() {
        assert_eq!(said(written(ms(5000), 7)), [(Severity::Warning, Confidence::Likely)]);
        assert_eq!(said(written(ms(999), 7)), [(Severity::Error, Confidence::Likely)]);
        assert_eq!(said(written(ms(0), 7)), [(Severity::Error, Confidence::Certain)]);
        let found = house(written(ms(5000), 7)).0.found(RuleId::GW201);
        assert_eq!(lines(&found[0]), [7]);
        assert_eq!(found[0].message, "nginx gives up on the backend after 5 s and the client sees 504");
    }

    #[test]
    fn long_built_in_and_unknown_values_are_silent() {
        assert!(said(written(ms(10_000), 7)).is_empty());
        assert!(said(built_in(ms(1000))).is_empty());
        assert!(said(Setting::unknown(Reason::TemplateHole, at(7), "setting")).is_empty());
        assert!(said(written(Wait::Forever, 7)).is_empty());
    }

    #[test]
    fn one_value_for_many_routes_is_told_once() {
        let (mut house, _) = house(written(ms(5000), 7));
        for line in [20, 21] {
            let endpoint = house.endpoint(line, "127.0.0.1", Port::Written(80));
            let hop = house.hop(line, Target::Endpoint(endpoint));
            house.t.hops[hop].timeouts.read = written(ms(5000), 7);
        }
        assert_eq!(house.found(RuleId::GW201).len(), 1);
    }

    #[test]
    fn health_endpoints_may_be_quick() {
        for (path, findings) in [("/healthz", 0), ("/nginx_status", 0), ("/deliver", 1), ("/", 1)] {
            let (mut house, hop) = house(written(ms(2000), 7));
            let host = house.host(4, &[]);
            house.route(host, 6, Matcher::Prefix(path.into()), Some(hop));
            assert_eq!(house.found(RuleId::GW201).len(), findings, "{path}");
        }
    }

    #[test]
    fn a_tiny_bare_number_is_another_rules() {
        let (mut house, _) = house(written(ms(30), 7));
        house.t.load.bare_numbers.push(BareNumber {
            proxy: house.proxy,
            site: at(7),
            setting: "timeout server".into(),
            written: "30".into(),
            read_as: Duration::from_millis(30),
            is_timeout: true,
        });
        assert!(house.found(RuleId::GW201).is_empty());
    }

    #[test]
    fn a_group_that_counts_failures_ends_in_502() {
        let (mut house, hop) = house(written(ms(5000), 12));
        let pool = house.pool(4, "app");
        for line in [5, 6] {
            let member = house.member(pool, line, "127.0.0.1", 80);
            house.t.endpoints[member].passive = Some(passive(1, built_in(ms(10_000))));
        }
        house.t.hops[hop].target = Target::Pool(pool);
        assert!(format!("{:?}", house.found(RuleId::GW201)[0].notes).contains("502 for 10 s"));
        // Quick on purpose: the next one is asked.
        house.t.hops[hop].retry.on = written(RetryOn { timeout: true, ..RetryOn::default() }, 13);
        assert_eq!(house.found(RuleId::GW201)[0].severity, Severity::Note);
    }
}
