//! `upstream` blocks: pools and their members.

use super::settings::{Family, Word};
use super::{Block, Context, Item, Lowering, values};
use crate::defaults::nginx as built_in;
use crate::edit::{Applicability, Edit, Fix};
use crate::source::{FileId, Site, clean};
use crate::topology::{
    ActiveCheck, Balance, Endpoint, EndpointId, Known, LoadEffect, Lookup, MalformedTarget, Origin, PassiveCheck, Pool,
    PoolId, Port, Reason, Setting, Shared,
};
use crate::value::{Address, DefaultRef, Host, Wait, later};
use values::{BadUrl, Place};

/// A group by its name.
pub(super) struct Declared {
    pub pool: PoolId,
    pub file: FileId,
    pub site: Site,
    /// Whether its name carries a port (`upstream app:8080`).
    pub name: Box<str>,
}

/// What a group says of the connections to it.
pub(super) struct Facts {
    /// Whether idle connections are kept; `Known::Unknown` where versions differ.
    pub keeps: Known<bool>,
    pub keepalive: Option<Site>,
    /// A balancing method below `keepalive`, which replaces it before 1.29.7.
    pub replaced_by: Option<Site>,
    pub idle: Shared<Setting<Wait>>,
}

impl Lowering<'_, '_> {
    pub(super) fn upstream(&mut self, item: Item, block: &Block) {
        let stream = block.context == Context::StreamUpstream;
        let Some((name, name_site)) = self.arg(item, 1) else { return };
        let name: Box<str> = name.as_ref().into();
        let hole = self.is_hole(item, 1);
        let Some(site) = self.site_of(item) else { return };
        let unread = block.frame.unread || self.is_filled_by_template(item);
        let of = |word: Word| block.items.iter().copied().filter(move |item| item.word == word);
        let balancer = of(Word::Balancer).next_back();
        let sticky = of(Word::Sticky).next().and_then(|item| self.site_of(item));
        let balance = match balancer.and_then(|item| self.arg(item, 0)) {
            Some((word, _)) if word == "ip_hash" || word == "hash" => Balance::Hash,
            _ => Balance::Any,
        };
        let pool = self.out.topology.pools.push(Pool {
            proxy: self.proxy,
            site,
            name_site,
            name: name.clone(),
            members: Vec::new(),
            // A group in shared memory can be filled at run time by the commercial edition, and an unread include may
            // hold members.
            open_ended: unread || hole || of(Word::Zone).next().is_some(),
            balance: Known::Yes(balance),
            sticky,
            persists_when_down: None,
            disabled: None,
            answers_itself: false,
            check_rules: Vec::new(),
            ignored_check_rules: Vec::new(),
            used: false,
            refuses_empty: true,
            backup_alone_works: false,
            counts_together: of(Word::Zone).next().is_some(),
        });
        let members: Vec<EndpointId> = of(Word::Server).filter_map(|item| self.member(item, pool, stream)).collect();
        if unread || hole || of(Word::Queue).next().is_some() {
            // The commercial edition has a queue for the surplus; and who is not seen may have room.
            for &member in &members {
                self.out.topology.endpoints[member].refuses_over = None;
            }
        }
        self.out.topology.pools[pool].members = members;
        self.keepalive(pool, block, site);
        self.check_backups(block);
        of(Word::Zone).for_each(|item| self.check_zone_size(item, 2));
        if hole {
            return;
        }
        let key = (stream, name.to_ascii_lowercase());
        let file = item_file(self, item);
        match self.pools.get(&key) {
            Some(first) if self.whole || first.file == file => {
                let first = first.site;
                self.duplicate("upstream", &name, first, site, LoadEffect::Refused, None);
            }
            Some(_) => {}
            None => {
                self.pools.insert(key, Declared { pool, file, site, name });
            }
        }
    }

    fn keepalive(&mut self, pool: PoolId, block: &Block, site: Site) {
        let spelling = built_in::UPSTREAM_KEEPALIVE_TIMEOUT.setting;
        let of = |word: Word| block.items.iter().copied().rfind(move |item| item.word == word);
        let idle = match of(Word::KeepaliveTimeout) {
            Some(item) => {
                let value = match self.arg(item, 1) {
                    Some((text, _)) if !self.is_hole(item, 1) => match values::time(&text) {
                        Some(time) => Known::Yes(Wait::For(time)),
                        None => Known::Unknown(Reason::Malformed),
                    },
                    _ => Known::Unknown(Reason::TemplateHole),
                };
                Setting { value, origin: Origin::Written(self.site_of(item).unwrap_or(site)), spelling }
            }
            None if block.frame.unread => Setting::unknown(Reason::UnreadInclude, site, spelling),
            None => wait_default(&built_in::UPSTREAM_KEEPALIVE_TIMEOUT),
        };
        let keepalive = of(Word::Keepalive);
        let number = keepalive.and_then(|item| self.arg(item, 1)).and_then(|(text, _)| text.parse::<u32>().ok());
        // A balancing method below `keepalive` replaces it before 1.29.7: the order of the lines decides.
        let position = |word: Word| block.items.iter().rposition(|item| item.word == word);
        let below = matches!((position(Word::Keepalive), position(Word::Balancer)), (Some(k), Some(b)) if b > k);
        let by_itself = self.keeps_by_itself();
        let lost = below && by_itself != Some(true);
        let keeps = match (keepalive, number) {
            (Some(_), _) if lost && by_itself == Some(false) => Known::Yes(false),
            (Some(_), _) if lost => Known::Unknown(Reason::OutsideRepository),
            (Some(_), Some(n)) => Known::Yes(n > 0),
            (Some(_), None) => Known::Unknown(Reason::TemplateHole),
            // Not kept before 1.29.7, kept from then on.
            (None, _) => by_itself
                .filter(|_| self.doubt(&block.frame).is_none())
                .map_or(Known::Unknown(Reason::OutsideRepository), Known::Yes),
        };
        let keepalive = keepalive.and_then(|item| self.site_of(item));
        let idle = self.lately.waits.share(idle);
        let replaced_by = of(Word::Balancer).filter(|_| lost).and_then(|item| self.site_of(item));
        self.pool_facts.insert(pool, Facts { keeps, keepalive, replaced_by, idle });
    }

    fn member(&mut self, item: Item, pool: PoolId, stream: bool) -> Option<EndpointId> {
        let site = self.site_of(item)?;
        let here = self.places.get(item.place as usize)?.clone();
        let words = self.words_at(&here, item.node);
        let ((address, address_site), options) = words.split_first()?;
        let down = options.iter().any(|(word, _)| word == "down");
        let hole = self.is_hole(item, 1)
            || later::is_of_environment(address)
            || self.target_address(address, *address_site, down);
        let (place, port) = if hole {
            (Known::Unknown(Reason::TemplateHole), Known::Unknown(Reason::TemplateHole))
        } else {
            // With `service=` the ports come from SRV records.
            let srv = options.iter().any(|(word, _)| word.starts_with("service="));
            self.check_member(address, *address_site, stream && !srv);
            match member_address(address, stream) {
                (place, _) if srv => (place, Known::Unknown(Reason::OutsideRepository)),
                found => found,
            }
        };
        let value = |name: &str| {
            options.iter().find_map(|(word, site)| {
                word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).map(|value| (value, *site))
            })
        };
        let has = |name: &str| options.iter().find(|(word, _)| word == name).map(|(_, site)| *site);
        let number = |name: &str, default: &'static DefaultRef, fallback: u32| match value(name) {
            Some((text, site)) => Setting {
                value: text.parse().map_or(Known::Unknown(Reason::Malformed), Known::Yes),
                origin: Origin::Written(site),
                spelling: default.setting,
            },
            None => Setting::default(default.value.parse().unwrap_or(fallback), default),
        };
        let fail_timeout = match value("fail_timeout") {
            Some((text, site)) => Setting {
                value: values::time(text).map_or(Known::Unknown(Reason::Malformed), |d| Known::Yes(Wait::For(d))),
                origin: Origin::Written(site),
                spelling: built_in::SERVER_FAIL_TIMEOUT.setting,
            },
            None => wait_default(&built_in::SERVER_FAIL_TIMEOUT),
        };
        self.own_name(&place, &port, *address_site);
        let lookup = match &place {
            Known::Yes(Address::Net(Host::Name(_))) if has("resolve").is_some() => Lookup::Repeated { resolver: None },
            Known::Yes(Address::Net(Host::Name(_))) => Lookup::AtStart,
            _ => Lookup::NotNeeded,
        };
        let passive = PassiveCheck {
            max_fails: number("max_fails", &built_in::SERVER_MAX_FAILS, 1),
            fail_timeout,
            counts_answers: false,
        };
        let endpoint = Endpoint {
            proxy: self.proxy,
            pool: Some(pool),
            site,
            address_site: *address_site,
            name: None,
            address: place,
            port,
            lookup,
            backup: has("backup").is_some(),
            down: has("down"),
            weight: number("weight", &built_in::SERVER_WEIGHT, 1),
            // 0 is no limit.
            refuses_over: Some(number("max_conns", &built_in::SERVER_MAX_CONNS, 0))
                .filter(|limit| limit.known() != Some(&0))
                .map(Box::new),
            takes: Some(number("max_conns", &built_in::SERVER_MAX_CONNS, 0))
                .filter(|limit| limit.is_written() && limit.known() != Some(&0))
                .map(Box::new),
            check: no_active_check(),
            passive: Some(self.lately.passive.share(passive)),
            tls: None,
            send_proxy: None,
            leads_to: None,
        };
        Some(self.out.topology.endpoints.push(endpoint))
    }

    fn check_member(&mut self, address: &str, site: Site, stream: bool) {
        if address.contains('$') {
            self.malformed(
                site,
                format!(
                    "nginx does not expand variables in a `server` line: `{}` is taken as a host name",
                    clean(address)
                ),
                "a variable has no meaning here",
                "the name is looked up literally while the configuration is read, and is not found",
                Some("write the address, or use the variable in `proxy_pass` with a `resolver`".into()),
                LoadEffect::Refused,
            );
            return;
        }
        // In `proxy_pass` a colon ends the path of a socket; here it is a part of it.
        if let Some(path) = values::strip_prefix_ignore_case(address, "unix:")
            && let Some((socket, rest)) = path.split_once(':')
            && (rest.is_empty() || rest.starts_with('/'))
        {
            let what = if rest.is_empty() { "the colon".to_owned() } else { format!("`:{}`", clean(rest)) };
            self.malformed(
                site,
                format!("{what} is taken for a part of the socket's path"),
                "all of this is the path of the socket",
                "a `server` line takes no request path; nginx looks for a socket of this name, and each request fails: connect() failed (2: No such file or directory)",
                Some(format!("write `unix:{}`; a path belongs into `proxy_pass`", clean(socket))),
                LoadEffect::Status(502),
            );
            let mended = address.get(..address.len() - rest.len() - 1).unwrap_or(address).to_owned();
            self.mend_target(
                if rest.is_empty() { Applicability::Safe } else { Applicability::Unsafe },
                site,
                address,
                mended,
            );
            return;
        }
        self.check_address(address, site, "a `server` line of an upstream", Family::Proxy, stream);
    }

    /// How to mend the target that was reported last: other text for a piece of it.
    pub(super) fn mend_target(&mut self, applicability: Applicability, site: Site, from: &str, to: String) {
        let Some(last) = self.out.topology.load.malformed.last_mut().filter(|last| last.site == site) else { return };
        let title = format!("write `{}`", clean(&to));
        let edit = Edit::Word { within: site.span, from: from.to_owned(), to };
        last.fix = Some(Box::new(Fix { applicability, title, edits: vec![edit] }));
    }

    /// Reports an address that nginx refuses. `what` says where it stands. True: it was refused.
    pub(super) fn check_address(
        &mut self,
        address: &str,
        site: Site,
        what: &str,
        family: Family,
        port_needed: bool,
    ) -> bool {
        // `unix://` is no scheme: the path of the socket begins with two slashes.
        let socket = values::strip_prefix_ignore_case(address, "unix:").is_some();
        let scheme = values::scheme_end(address).filter(|_| !socket);
        let (message, label, why, help) = if let Some(end) = scheme {
            let rest = address.get(end + 3..).unwrap_or("");
            (
                format!("`{}` has a scheme, and {what} takes none", clean(address)),
                "no scheme may stand here",
                "nginx takes the scheme for a host name and what follows for a port, and refuses the file",
                Some(format!("write `{}`", clean(rest))),
            )
        } else {
            match values::url(address) {
                // A name for a number: a script puts it in.
                Err(BadUrl::Port) if address.rsplit([':', '/']).any(later::is_shouted) => return false,
                Err(BadUrl::BareIpv6) => (
                    format!("the IPv6 address in `{}` stands without brackets", clean(address)),
                    "nginx takes what follows the first `:` for the port",
                    "nginx refuses the file: invalid port in upstream",
                    Some("write the address in brackets: `[::1]:8080`".into()),
                ),
                Err(BadUrl::Port) => (
                    format!("the port in `{}` is no number from 1 to 65535", clean(address)),
                    "this is no port",
                    "nginx refuses the file: invalid port in upstream",
                    Some("write `host:port`, the port as a plain number".into()),
                ),
                Err(BadUrl::NoHost) => (
                    format!("`{}` names no host", clean(address)),
                    "the host is missing",
                    "nginx refuses the file: no host in upstream",
                    Some("write `host:port` or `unix:/path`".into()),
                ),
                Err(BadUrl::UnclosedBracket) => (
                    format!("the bracket in `{}` is never closed", clean(address)),
                    "`]` is missing",
                    "nginx refuses the file: invalid host in upstream",
                    Some("write the address in brackets: `[::1]:8080`".into()),
                ),
                Ok(url) if !url.uri.is_empty() && !matches!(url.place, Place::Socket(_)) && family != Family::Grpc => (
                    format!("`{}` has a path, and {what} takes only an address", clean(address)),
                    "no path may stand here",
                    "nginx refuses the file: invalid host in upstream",
                    Some("write only `host:port`; a path belongs into `proxy_pass`".into()),
                ),
                Ok(url) if port_needed && matches!(url.place, Place::Net { port: None, .. }) => (
                    format!("`{}` names no port, and there is none by default here", clean(address)),
                    "the port is missing",
                    "nginx refuses the file: no port in upstream",
                    Some("write `host:port`".into()),
                ),
                Ok(_) => return false,
            }
        };
        self.malformed(site, message, label, why, help, LoadEffect::Refused);
        let port = |text: &str| text.rsplit_once(':').map(|(host, port)| format!("[{host}]:{port}"));
        let meant = match scheme {
            // A path goes with the scheme, where it says nothing.
            Some(end) => address.get(end + 3..).map(|rest| rest.strip_suffix('/').unwrap_or(rest).to_owned()),
            None if values::url(address) == Err(BadUrl::BareIpv6) => port(address),
            None => None,
        };
        if let Some(meant) = meant.filter(|meant| !meant.is_empty() && !meant.contains('/')) {
            self.mend_target(Applicability::Unsafe, site, address, meant);
        }
        true
    }

    pub(super) fn malformed(
        &mut self,
        site: Site,
        message: String,
        label: &str,
        why: &'static str,
        help: Option<String>,
        effect: LoadEffect,
    ) {
        self.out.topology.load.malformed.push(MalformedTarget {
            fix: None,
            proxy: self.proxy,
            site,
            message,
            label: label.to_owned(),
            other: None,
            why,
            help,
            effect,
        });
    }
}

fn item_file(lowering: &Lowering<'_, '_>, item: Item) -> FileId {
    lowering.places.get(item.place as usize).map_or(FileId::new(0), |place| place.file)
}

/// A built-in time as a setting.
pub(super) fn wait_default(default: &'static DefaultRef) -> Setting<Wait> {
    let time = values::time(default.value).unwrap_or_default();
    Setting::default(Wait::For(time), default)
}

/// nginx's open-source edition cannot check actively.
pub(super) const fn no_active_check() -> ActiveCheck {
    ActiveCheck {
        enabled: Known::Yes(false),
        site: None,
        follows: false,
        stray_setting: None,
        own_port: false,
        asks_port: None,
        pace: None,
        possible: false,
    }
}

/// Address and port of a group member. Without a port it is 80, whatever the scheme that uses the group.
fn member_address(text: &str, stream: bool) -> (Known<Address>, Known<Port>) {
    match values::url(text) {
        Ok(values::Url { place: Place::Socket(path), .. }) => {
            (Known::Yes(Address::Socket(path.into())), Known::Yes(Port::None))
        }
        Ok(values::Url { place: Place::Net { host, port }, .. }) if !text.contains('$') => {
            let port = match port {
                Some(port) => Known::Yes(Port::Written(port)),
                None if stream => Known::Unknown(Reason::Malformed),
                None => Known::Yes(built_in::UPSTREAM_SERVER_PORT.value.parse().map_or(Port::None, Port::Always)),
            };
            (Known::Yes(Address::Net(Host::parse(host))), port)
        }
        _ => (Known::Unknown(Reason::Malformed), Known::Unknown(Reason::Malformed)),
    }
}
