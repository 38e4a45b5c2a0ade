//! Locations that pass requests on: hops.

use super::settings::{Family, Frame, Of, Slot, Written};
use super::upstream::{Facts, wait_default};
use super::{Item, Lowering, Word};
use crate::defaults::nginx as built_in;
use crate::source::Site;
use crate::topology::{
    Hop, Known, LostReuse, LostReuseMend, Origin, PoolId, Reason, Reuse, RouteId, Setting, Shared, Target, Timeouts,
};
use crate::value::Wait;

/// A location with a target, kept until all groups and variables are known.
pub(super) struct Pending {
    pub family: Family,
    pub target: Item,
    pub frame: Frame,
    pub block: u32,
    pub site: Site,
    pub route: RouteId,
    /// The path that the location takes, where it is a plain one.
    pub prefix: Option<Box<str>>,
    /// Why no path may stand in the target, if so.
    pub restriction: Option<&'static str>,
    /// Whether the path may be rewritten in this block: then the target's own path does not count.
    pub rewrites: bool,
    pub server: u32,
}

impl Lowering<'_, '_> {
    pub(super) const fn item_of(&self, written: &Written) -> Item {
        Item { word: Word::Set, place: written.place, node: written.node }
    }

    pub(super) fn finish_hops(&mut self) {
        self.read_maps();
        for pending in std::mem::take(&mut self.pending) {
            self.hop(pending);
        }
    }

    fn hop(&mut self, pending: Pending) {
        let Some((text, site)) = self.arg(pending.target, 1) else { return };
        let text = text.into_owned();
        let hole = self.is_hole(pending.target, 1);
        self.request_limits(&pending);
        let family = pending.family;
        let frame = &pending.frame;
        let pass_site = self.site_of(pending.target).unwrap_or(site);
        let mut path_kept = true;
        let mut tls_asked = None;
        let target = if hole || self.target_address(&text, site, false) {
            Target::Unknown(Reason::TemplateHole)
        } else if text.contains('$') {
            path_kept = false;
            tls_asked = self.scheme_of_computed(family, &text);
            self.computed(&pending, &text, site)
        } else {
            match self.aim(&pending, &text, site) {
                Some(aim) => {
                    tls_asked = Some(aim.tls);
                    let (target, kept) = self.literal(&pending, &aim, &text, site);
                    path_kept = kept;
                    target
                }
                None => Target::Unknown(Reason::Malformed),
            }
        };
        let stream_tls = family == Family::Stream && self.is_on(frame, Slot::STREAM_SSL);
        let tls = (tls_asked == Some(true) || stream_tls).then(|| Box::new(self.tls(&pending, pass_site)));
        let pool = match target {
            Target::Pool(pool) => Some(pool),
            _ => None,
        };
        self.check_version(&pending, &target, pool, pass_site);
        let (retry, buffers) = (self.retry(&pending), self.buffers(&pending));
        let (retry, buffers) = (self.lately.retry.share(retry), self.lately.buffers.share(buffers));
        let (connect, send) = (self.wait(&pending, Of::Connect), self.wait(&pending, Of::Send));
        let (connect, send) = (self.lately.waits.share(connect), self.lately.waits.share(send));
        let idle = self.idle(pool);
        let hop = Hop {
            proxy: self.proxy,
            site: pending.site,
            target_site: pass_site,
            protocol: family.protocol(),
            timeouts: Timeouts {
                connect,
                send,
                read: self.wait(&pending, Of::Read),
                queue: None,
                tunnel: None,
                client: None,
            },
            retry,
            buffers,
            reuse: self.reuse(&pending, pool, pass_site, idle),
            tls,
            host_sent: self.host_sent(&pending),
            path_kept,
            routes: vec![pending.route],
            unheard: pending.prefix.as_ref().is_some_and(|path| self.variables.mirrors.contains(path)),
            websockets: self.websockets(&pending, &target).map(Box::new),
            target,
            lost_headers: self.lost_headers(&pending, pool),
            sends_proxy: self.sends_proxy(&pending),
        };
        let id = self.out.topology.hops.push(hop);
        self.out.topology.routes[pending.route].hop = Some(id);
        if let Some(pool) = pool {
            self.out.topology.pools[pool].used = true;
        }
    }

    /// Whether connections are kept and HTTP/1.1 is spoken without a word; `None`: the versions differ.
    pub(super) const fn keeps_by_itself(&self) -> Option<bool> {
        self.by_itself.keeps
    }

    /// How long an unused connection is kept.
    fn idle(&mut self, pool: Option<PoolId>) -> Shared<Setting<Wait>> {
        match pool.and_then(|pool| self.pool_facts.get(&pool)) {
            Some(facts) => facts.idle.clone(),
            None => self.lately.waits.share(wait_default(&built_in::UPSTREAM_KEEPALIVE_TIMEOUT)),
        }
    }

    /// Whether connections to a group are kept: `keepalive` in the group, HTTP/1.1 and an empty `Connection` header
    /// in the location (for FastCGI: `fastcgi_keep_conn`). From 1.29.7 on that is so by itself.
    fn reuse(&self, pending: &Pending, pool: Option<PoolId>, site: Site, idle: Shared<Setting<Wait>>) -> Reuse {
        let facts = pool.and_then(|pool| self.pool_facts.get(&pool));
        let cleared = || self.headers_of(pending).and_then(|headers| headers.connection_cleared);
        let ready = match pending.family {
            Family::Proxy => {
                let slot = Slot::of(Family::Proxy, Of::HttpVersion);
                let version = pending.frame.get(slot).and_then(|index| self.written.get(index)).map(|written| {
                    self.arg(self.item_of(written), 1).map(|(text, _)| text.into_owned()).unwrap_or_default()
                });
                match (version.as_deref(), cleared()) {
                    (Some("1.1" | "2"), Some(true)) => Some(true),
                    (Some("1.0"), _) | (_, Some(false)) => Some(false),
                    _ if self.doubt(&pending.frame).is_some() => None,
                    _ if self.keeps_by_itself() == Some(true) => Some(true),
                    _ if self.keeps_by_itself() == Some(false) => Some(false),
                    // Depends on the version, or stands elsewhere.
                    _ => None,
                }
            }
            Family::Fastcgi => {
                let slot = Slot::of(Family::Fastcgi, Of::KeepConn);
                Some(self.is_on(&pending.frame, slot)).filter(|on| *on || self.doubt(&pending.frame).is_none())
            }
            Family::Grpc => Some(true),
            Family::Memcached => Some(true),
            Family::Uwsgi | Family::Scgi | Family::Stream => Some(false),
        };
        let keeps = facts.map_or(Known::Yes(false), |facts| facts.keeps);
        let value = match (keeps, ready) {
            (Known::Yes(false), _) | (_, Some(false)) => Known::Yes(false),
            (Known::Yes(true), Some(true)) => Known::Yes(true),
            _ => Known::Unknown(Reason::OutsideRepository),
        };
        let origin = match facts.and_then(|facts| facts.keepalive) {
            Some(at) => Origin::Written(at),
            None if value == Known::Yes(true) => Origin::Default(&built_in::UPSTREAM_KEEPALIVE),
            None => Origin::Written(site),
        };
        let kept = Setting { value, origin, spelling: "keepalive" };
        // A worker's kept connections serve whoever comes next.
        Reuse {
            kept,
            idle,
            race_hidden: Known::Yes(self.repeats_everything(pending)),
            shared: true,
            lost: facts.and_then(|facts| self.lost_reuse(pending, facts, site)).map(Box::new),
        }
    }

    /// Why the connections of a group that asks to keep them are closed after each request. Nothing is said where an
    /// include that was not read may have the rest.
    fn lost_reuse(&self, pending: &Pending, facts: &Facts, site: Site) -> Option<LostReuse> {
        let asked = facts.keepalive?;
        if self.keeps_by_itself() == Some(true) && pending.family == Family::Proxy {
            return None;
        }
        if let Some(because) = facts.replaced_by {
            let what = "takes the place of `keepalive` before nginx 1.29.7";
            return Some(LostReuse {
                asked,
                because,
                what,
                instead: "move `keepalive` below the balancing method",
                mend: Some(LostReuseMend::Move),
            });
        }
        if facts.keeps != Known::Yes(true) || self.doubt(&pending.frame).is_some() {
            return None;
        }
        let lost = |what, instead, mend| Some(LostReuse { asked, because: site, what, instead, mend });
        match pending.family {
            Family::Proxy => {
                let cleared = self.headers_of(pending).and_then(|headers| headers.connection_cleared);
                let versioned = pending.frame.get(Slot::of(Family::Proxy, Of::HttpVersion)).is_some();
                match (versioned, cleared) {
                    (true, Some(_)) | (false, Some(false)) => None,
                    (false, _) => lost(
                        "HTTP/1.0 is spoken here before nginx 1.29.7",
                        "write `proxy_http_version 1.1;` and `proxy_set_header Connection \"\";`",
                        cleared.map(|_| LostReuseMend::Write("proxy_http_version 1.1")),
                    ),
                    (true, None) => lost(
                        "`Connection: close` is sent from here before nginx 1.29.7",
                        "write `proxy_set_header Connection \"\";` beside the other headers of that level",
                        None,
                    ),
                }
            }
            Family::Fastcgi if !self.is_on(&pending.frame, Slot::of(Family::Fastcgi, Of::KeepConn)) => lost(
                "`fastcgi_keep_conn` is off here",
                "write `fastcgi_keep_conn on;`",
                Some(LostReuseMend::Write("fastcgi_keep_conn on")),
            ),
            _ => None,
        }
    }

    fn repeats_everything(&self, pending: &Pending) -> bool {
        let slot = pending.family.slot(Of::NextUpstream);
        pending
            .frame
            .get(slot)
            .and_then(|index| self.written.get(index))
            .is_some_and(|written| self.args_of(self.item_of(written)).any(|(word, _)| word == "non_idempotent"))
    }
}
