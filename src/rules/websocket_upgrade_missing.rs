//! GW409: the request that opens a websocket does not reach the backend as one.

use super::prelude::*;

/// GW409.
pub struct WebsocketUpgradeMissing;

impl Rule for WebsocketUpgradeMissing {
    fn id(&self) -> RuleId {
        RuleId::GW409
    }

    fn check_topology(&self, cx: &Cx<'_>, out: &mut Findings) {
        look_at_hops(cx, out, look);
    }
}

fn look(cx: &Cx<'_>, _: HopId, hop: &Hop) -> Option<Finding> {
    let websockets = hop.websockets.as_ref()?;
    let dialect = cx.dialect(hop.proxy);
    let new = |at: (Site, &str), message: &str| Finding::new(RuleId::GW409, dialect, (at.0, at.1.to_owned()), message);
    let finding = match *websockets.opening.known()? {
        Opening::Passed => return None,
        Opening::Dropped => {
            // Set further out and lost on the way in: another rule says where.
            let lost = hop.lost_headers.as_ref();
            if lost.is_some_and(|lost| lost.lost.iter().any(|header| header.role == HeaderRole::Upgrade)) {
                return None;
            }
            let finding = new(
                (hop.target_site, "`Upgrade` and `Connection` are not passed on"),
                "websockets cannot be opened here: the backend gets an ordinary request",
            );
            let finding = finding.label((websockets.shown_by, "the name speaks of websockets".to_owned()));
            if websockets.sure { finding } else { finding.confidence(Confidence::Possible) }
        }
        Opening::WithoutUpgrade(site) => new(
            (site, "asks for a change of protocol"),
            "websockets cannot be opened here: `Upgrade`, which says to what protocol, is not passed on",
        )
        .label((hop.target_site, "the backend gets an ordinary request".to_owned())),
        Opening::WrongUpgrade(site) => new(
            (site, "this is what `Connection` says"),
            "websockets cannot be opened here: `Upgrade` names no protocol",
        )
        .label((hop.target_site, "the backend is not asked for a websocket".to_owned())),
        Opening::WithoutConnection { upgrade, instead: Some(instead) } => new(
            (instead, "says something else than `upgrade`"),
            "websockets cannot be opened here: `Connection` does not ask for the change of protocol",
        )
        .label((upgrade, "`Upgrade` alone does nothing".to_owned())),
        Opening::WithoutConnection { upgrade, instead: None } => new(
            (upgrade, "`Upgrade` alone does nothing"),
            "websockets cannot be opened here: `Connection` does not ask for the change of protocol",
        )
        .label((hop.target_site, "`Connection: upgrade` is not sent from here".to_owned())),
        Opening::OldVersion(Some(site)) => new(
            (site, "websockets need HTTP/1.1"),
            "backends that keep to the standard open no websocket here: they are asked in HTTP/1.0",
        ),
        Opening::OldVersion(None) => new(
            (hop.target_site, "HTTP/1.0 is spoken here, unless the version is written or nginx is 1.29.7 or later"),
            "backends that keep to the standard open no websocket here: they are asked in HTTP/1.0",
        )
        .label((websockets.shown_by, "websockets are meant to pass".to_owned()))
        .confidence(Confidence::Possible),
    };
    Some(finding.why_of_dialect().help(
        "write all three: `proxy_http_version 1.1;`, `proxy_set_header Upgrade $http_upgrade;`, \
         `proxy_set_header Connection \"upgrade\";`",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn said(opening: Known<Opening>, sure: bool) -> Vec<(Confidence, Vec<u32>)> {
        let mut house = House::nginx();
        let endpoint = house.endpoint(8, "127.0.0.1", Port::Written(80));
        let hop = house.hop(8, Target::Endpoint(endpoint));
        house.t.hops[hop].websockets = Some(Box::new(Websockets { shown_by: at(7), sure, opening }));
        house.found(RuleId::GW409).iter().map(|f| (f.confidence, lines(f))).collect()
    }

    #[test]
    fn whatever_keeps_a_websocket_from_opening() {
        let likely = |lines: &[u32]| vec![(Confidence::Likely, lines.to_vec())];
        let possible = |lines: &[u32]| vec![(Confidence::Possible, lines.to_vec())];
        assert_eq!(said(Known::Yes(Opening::Dropped), true), likely(&[8, 7]));
        assert_eq!(said(Known::Yes(Opening::Dropped), false), possible(&[8, 7]));
        assert_eq!(said(Known::Yes(Opening::WithoutUpgrade(at(6))), true), likely(&[6, 8]));
        let alone = |instead| Known::Yes(Opening::WithoutConnection { upgrade: at(5), instead });
        assert_eq!(said(alone(None), true), likely(&[5, 8]));
        assert_eq!(said(alone(Some(at(6))), true), likely(&[6, 5]));
        assert_eq!(said(Known::Yes(Opening::OldVersion(Some(at(4)))), true), likely(&[4]));
        assert_eq!(said(Known::Yes(Opening::OldVersion(None)), true), possible(&[8, 7]));
        assert!(said(Known::Yes(Opening::Passed), true).is_empty());
        assert!(said(Known::Unknown(Reason::UnreadInclude), true).is_empty());
    }
}
