//! GW410: an inner level drops the headers that are set outside.

use super::prelude::*;

/// GW410.
pub struct LostHeadersRule;

impl Rule for LostHeadersRule {
    fn id(&self) -> RuleId {
        RuleId::GW410
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        look_at_hops(cx, out, look);
    }
}

fn look(cx: &Cx<'_>, id: HopId, hop: &Hop) -> Option<Finding> {
    let headers = hop.lost_headers.as_ref()?;
    // A site on the Internet wants its own name, which is what is sent now.
    let foreign = matches!(hop.target, Target::Endpoint(_))
        && cx
            .topology
            .members(id)
            .iter()
            .any(|&member| cx.topology.endpoints[member].host_name().is_some_and(is_public_name));
    let lost: Vec<_> = headers.lost.iter().filter(|lost| lost.role != HeaderRole::Host || !foreign).collect();
    let role = |role: HeaderRole| lost.iter().find(|lost| lost.role == role).copied();
    let (main, what) = if let Some(lost) = role(HeaderRole::Host) {
        (lost, "the backend is asked for the target's own name instead of the `Host` that is set outside")
    } else if let Some(lost) = role(HeaderRole::Upgrade) {
        (lost, "websockets are not passed on, although that is set up outside")
    } else if let Some(lost) = role(HeaderRole::KeepAlive) {
        (lost, "connections to the pool are not kept")
    } else {
        (*lost.first()?, "the backend does not get headers that are set outside")
    };
    let names: Vec<_> = lost.iter().take(6).map(|lost| quote(&lost.name)).collect();
    let more = if lost.len() > names.len() { " and more" } else { "" };
    let severity = match main.role {
        HeaderRole::Host | HeaderRole::Upgrade => Severity::Warning,
        HeaderRole::KeepAlive | HeaderRole::Other => Severity::Note,
    };
    Some(
        Finding::new(
            RuleId::GW410,
            cx.dialect(hop.proxy),
            (headers.at, "a header is set here, which drops all of the outer level".into()),
            format!(
                "{what}: {}{more} set further out {} lost here",
                names.join(", "),
                if lost.len() == 1 { "is" } else { "are" }
            ),
        )
        .severity(severity)
        .label((main.site, "is set here, and not sent".into()))
        .label((hop.target_site, "requests go out without it".into()))
        .why_of_dialect()
        .help("repeat the outer lines at this level, or include one file with all of them in both places")
        .fix(repeat(&lost, headers.at)),
    )
}

/// More lines than these belong into a file of their own that both levels include.
const REPEATED: usize = 20;

/// All of the lines, in the order of the outer level. None where that is not enough: `Upgrade` says nothing beside another
/// `Connection` than the one that goes with it.
fn repeat(lost: &[&LostHeader], below: Site) -> Option<Box<Fix>> {
    if lost.iter().any(|lost| lost.role == HeaderRole::Upgrade && lost.with.is_none()) {
        return None;
    }
    let mut lines: Vec<_> = lost.iter().flat_map(|lost| [Some(lost.site), lost.with]).flatten().collect();
    lines.sort_by_key(|line| (line.span.file, line.span.start));
    let edit = |line: &Site| Edit::Repeat { statement: line.span, below: below.span };
    let few = lines.len() <= REPEATED;
    few.then(|| Fix::safe("repeat the outer lines here", lines.iter().map(edit).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn house(address: &str, roles: &[(&str, HeaderRole)]) -> House {
        let mut house = House::nginx();
        let endpoint = house.endpoint(9, address, Port::Written(8080));
        let hop = house.hop(9, Target::Endpoint(endpoint));
        let lost =
            roles.iter().map(|&(name, role)| LostHeader { name: name.into(), site: at(4), role, with: None }).collect();
        house.t.hops[hop].lost_headers = Some(Box::new(LostHeaders { at: at(8), lost }));
        house
    }

    #[test]
    fn a_lost_host_is_told() {
        let found = house("10.0.0.1", &[("Host", HeaderRole::Host)]).found(RuleId::GW410);
        assert_eq!(lines(&found[0]), [8, 4, 9]);
        assert_eq!(found[0].severity, Severity::Warning);
        // A site on the Internet wants its own name.
        assert!(house("api.shop.com", &[("Host", HeaderRole::Host)]).found(RuleId::GW410).is_empty());
    }

    #[test]
    fn other_headers_are_a_note() {
        let found = house("10.0.0.1", &[("X-Real-IP", HeaderRole::Other)]).found(RuleId::GW410);
        assert_eq!(found[0].severity, Severity::Note);
        let found =
            house("api.shop.com", &[("X-A", HeaderRole::Other), ("Host", HeaderRole::Host)]).found(RuleId::GW410);
        assert!(!found[0].message.contains("Host"));
    }
}
