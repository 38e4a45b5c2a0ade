//! Request headers: `proxy_set_header` and `grpc_set_header`. One line in a block drops all lines of the outer levels.

use super::hop::Pending;
use super::settings::{Family, Of, Slot, Word};
use super::{Block, Item, Lowering};
use crate::source::Site;
use crate::syntax::nginx::NodeId;
use crate::topology::{
    HeaderRole, HostSent, Known, LostHeader, LostHeaders, Matcher, Opening, PoolId, Reason, Target, Websockets,
    speaks_of_websockets,
};
use foldhash::HashSet;

/// Lines of a level that are remembered one by one; real ones have a dozen.
const REMEMBERED: usize = 100;

/// The request headers that a level sets, as far as they matter here.
pub(super) struct Headers {
    block: u32,
    host: Option<HostSent>,
    /// Whether `Connection` is sent empty, which keeps the connection open; `None`: something else is sent.
    pub(super) connection_cleared: Option<bool>,
    /// The first line of the level.
    first: Site,
    /// The headers that would be in force without it: a place in the same list.
    outer: Option<u32>,
    set: Vec<Line>,
    /// The lines that set `Upgrade` and `Connection`.
    upgrade: Option<Item>,
    connection: Option<Item>,
}

/// One line. There is one for every location of a large tree: its name is read again when it is asked for.
struct Line {
    place: u32,
    node: NodeId,
    /// Nothing is sent.
    empty: bool,
}

impl Line {
    const fn item(&self) -> Item {
        Item { word: Word::Set, place: self.place, node: self.node }
    }
}

impl Lowering<'_, '_> {
    /// A `proxy_set_header` or `grpc_set_header` line. The first one in a block drops all of the outer levels.
    pub(super) fn header_line(&mut self, item: Item, list: usize, block: &mut Block) {
        let Some(site) = self.site_of(item) else { return };
        let current = block.frame.headers.get(list).copied().flatten();
        let own =
            current.filter(|&i| self.headers.get(i as usize).is_some_and(|headers| headers.block == block.number));
        let index = own.unwrap_or_else(|| {
            self.headers.push(Headers {
                block: block.number,
                host: None,
                connection_cleared: None,
                first: site,
                outer: current,
                set: Vec::new(),
                upgrade: None,
                connection: None,
            });
            self.headers.len() as u32 - 1
        });
        if let Some(place) = block.frame.headers.get_mut(list) {
            *place = Some(index);
        }
        let (Some((name, _)), Some((value, _))) = (self.arg(item, 1), self.arg(item, 2)) else { return };
        let line = Line { place: item.place, node: item.node, empty: value.is_empty() };
        let host = name.eq_ignore_ascii_case("host").then(|| match value.as_ref() {
            _ if self.is_hole(item, 2) => HostSent::Unknown,
            "$host" | "$http_host" => HostSent::Clients,
            "$proxy_host" => HostSent::Targets,
            text if !text.contains('$') => HostSent::Fixed(text.into()),
            _ => HostSent::Unknown,
        });
        let upgrades = name.eq_ignore_ascii_case("upgrade");
        let cleared = name.eq_ignore_ascii_case("connection").then_some(value.is_empty());
        if let Some(headers) = self.headers.get_mut(index as usize) {
            headers.host = host.or(headers.host.take());
            headers.connection_cleared = cleared.or(headers.connection_cleared);
            headers.upgrade = upgrades.then_some(item).or(headers.upgrade);
            headers.connection = cleared.map(|_| item).or(headers.connection);
            if headers.set.len() < REMEMBERED {
                headers.set.push(line);
            }
        }
    }

    /// The line that sends `Connection` empty in a location, where that is what is sent.
    pub(super) fn connection_cleared_at(&self, pending: &Pending) -> Option<Site> {
        let headers = self.headers_of(pending).filter(|headers| headers.connection_cleared == Some(true))?;
        let named =
            |line: &&Line| self.arg(line.item(), 1).is_some_and(|(name, _)| name.eq_ignore_ascii_case("connection"));
        self.site_of(headers.set.iter().rfind(named)?.item())
    }

    /// The headers in force in a location.
    pub(super) fn headers_of(&self, pending: &Pending) -> Option<&Headers> {
        let list = usize::from(pending.family == Family::Grpc);
        pending.frame.headers.get(list).copied().flatten().and_then(|index| self.headers.get(index as usize))
    }

    pub(super) fn host_sent(&self, pending: &Pending) -> HostSent {
        if !matches!(pending.family, Family::Proxy | Family::Grpc) {
            return HostSent::Clients;
        }
        match self.headers_of(pending) {
            Some(Headers { host: Some(host), .. }) => host.clone(),
            Some(_) if pending.frame.unread => HostSent::Unknown,
            Some(_) => HostSent::Targets,
            None if self.doubt(&pending.frame).is_some() => HostSent::Unknown,
            None => HostSent::Targets,
        }
    }

    /// Websockets, where a name or a header shows that they are meant to pass.
    pub(super) fn websockets(&self, pending: &Pending, target: &Target) -> Option<Websockets> {
        if pending.family != Family::Proxy {
            return None;
        }
        let topology = &self.out.topology;
        let named = match &topology.routes[pending.route].matcher {
            Matcher::Prefix(text) | Matcher::Exact(text) | Matcher::Condition(text) => {
                speaks_of_websockets(text).map(|sure| (sure, pending.site))
            }
            Matcher::Always | Matcher::Named(_) => None,
        };
        let named = named.or_else(|| match target {
            Target::Pool(pool) => {
                let pool = &topology.pools[*pool];
                speaks_of_websockets(&pool.name).map(|sure| (sure, pool.name_site))
            }
            _ => None,
        });
        let headers = self.headers_of(pending);
        let line = |item: Item| Some((self.arg(item, 2)?.0, self.is_hole(item, 2), self.site_of(item)?));
        let upgrade = headers.and_then(|headers| line(headers.upgrade?)).filter(|(value, ..)| !value.is_empty());
        let wrong = upgrade.as_ref().filter(|(value, hole, _)| !hole && self.is_no_protocol(value, pending));
        let wrong = wrong.map(|(.., site)| *site);
        let upgrade = upgrade.map(|(.., site)| site);
        let connection = headers.and_then(|headers| line(headers.connection?)).map(|(value, hole, site)| {
            let plainly = value.eq_ignore_ascii_case("upgrade");
            // What a variable holds may ask for it, too.
            (hole || value.contains('$') || value.to_ascii_lowercase().contains("upgrade"), plainly, site)
        });
        let asks = connection.as_ref().filter(|(asks, ..)| *asks).map(|(.., site)| *site);
        let plainly = connection.as_ref().filter(|(_, plainly, _)| *plainly).map(|(.., site)| *site);
        let (sure, shown_by) = upgrade.or(plainly).map(|site| (true, site)).or(named)?;
        let opening = match (upgrade, asks) {
            _ if pending.frame.unread => Known::Unknown(Reason::UnreadInclude),
            (Some(_), Some(_)) if wrong.is_some() => {
                wrong.map_or(Known::Yes(Opening::Passed), |site| Known::Yes(Opening::WrongUpgrade(site)))
            }
            (Some(_), Some(_)) => self.version_of_upgrade(pending),
            (Some(upgrade), None) => {
                Known::Yes(Opening::WithoutConnection { upgrade, instead: connection.map(|(.., site)| site) })
            }
            (None, Some(site)) => Known::Yes(Opening::WithoutUpgrade(site)),
            (None, None) => match self.doubt(&pending.frame).filter(|_| headers.is_none()) {
                Some(reason) => Known::Unknown(reason),
                None => Known::Yes(Opening::Dropped),
            },
        };
        Some(Websockets { shown_by, sure, opening })
    }

    /// Whether what is sent as `Upgrade` can only be a word for `Connection`, as from the `map` of nginx's own manual.
    fn is_no_protocol(&self, value: &str, pending: &Pending) -> bool {
        let word = |text: &str| ["upgrade", "close", "keep-alive"].iter().any(|word| text.eq_ignore_ascii_case(word));
        if !value.contains('$') {
            return word(value);
        }
        let outcomes = self.outcomes(value, pending.site, pending.server, pending.block);
        !outcomes.values.is_empty()
            && outcomes.values.iter().any(|(value, _)| word(value))
            && outcomes.values.iter().all(|(value, _)| value.is_empty() || word(value))
    }

    fn version_of_upgrade(&self, pending: &Pending) -> Known<Opening> {
        let slot = Slot::of(Family::Proxy, Of::HttpVersion);
        let Some(written) = pending.frame.get(slot).and_then(|index| self.written.get(index)) else {
            return match self.doubt(&pending.frame) {
                Some(reason) => Known::Unknown(reason),
                None => Known::Yes(Opening::OldVersion(None)),
            };
        };
        match self.arg(self.item_of(written), 1) {
            Some((version, _)) if version == "1.0" => Known::Yes(Opening::OldVersion(Some(written.site()))),
            _ => Known::Yes(Opening::Passed),
        }
    }

    /// What the level of the headers in force drops of the next level out. Nothing is said where an include that was
    /// not read may set them again.
    pub(super) fn lost_headers(&self, pending: &Pending, pool: Option<PoolId>) -> Option<Box<LostHeaders>> {
        if !matches!(pending.family, Family::Proxy | Family::Grpc) || pending.frame.unread {
            return None;
        }
        let inner = self.headers_of(pending)?;
        let outer = self.headers.get(inner.outer? as usize)?;
        if inner.set.len() >= REMEMBERED {
            return None;
        }
        let name_of = |line: &Line| self.arg(line.item(), 1).map(|(name, _)| name.to_ascii_lowercase());
        let kept: HashSet<String> = inner.set.iter().filter_map(name_of).collect();
        // Without the line the connection is closed only where that is not kept by itself.
        let keeps = || {
            self.keeps_by_itself() != Some(true)
                && pool.and_then(|pool| self.pool_facts.get(&pool)).is_some_and(|facts| facts.keepalive.is_some())
        };
        let connection = || {
            let line = outer.set.iter().find(|line| !line.empty && name_of(line).as_deref() == Some("connection"))?;
            self.site_of(line.item()).filter(|_| !kept.contains("connection"))
        };
        let lost: Vec<LostHeader> = outer
            .set
            .iter()
            .filter_map(|line| {
                let name = name_of(line).filter(|name| !kept.contains(name))?;
                let role = match name.as_str() {
                    // What is sent anyway.
                    "host" if outer.host == Some(HostSent::Targets) || line.empty => return None,
                    "host" => HeaderRole::Host,
                    "connection" if line.empty => keeps().then_some(HeaderRole::KeepAlive)?,
                    // Goes with `Upgrade`.
                    "connection" => return None,
                    _ if line.empty => return None,
                    "upgrade" => HeaderRole::Upgrade,
                    _ => HeaderRole::Other,
                };
                let (written, _) = self.arg(line.item(), 1)?;
                let with = if role == HeaderRole::Upgrade { connection() } else { None };
                Some(LostHeader { name: written.as_ref().into(), site: self.site_of(line.item())?, role, with })
            })
            .collect();
        (!lost.is_empty()).then(|| Box::new(LostHeaders { at: inner.first, lost }))
    }
}
