//! Limits on what clients send, where requests are passed on: rate, connections, header, body.
//!
//! Facts (measured on 1.22.1): without `burst` a second request within the time that the rate leaves for one is
//! refused; where the key is empty there is no limit; a header line must fit into one buffer; 0 is no limit for bodies.
//! The manual: over HTTP/2 each request counts as a connection.

use super::hop::Pending;
use super::settings::{Family, Frame, Slot, Written};
use super::{Item, Lowering, values};
use crate::defaults::nginx as built_in;
use crate::source::{Site, clean};
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect, Matcher, Setting, Shared};
use crate::value::{ByteSize, humanise};
use std::time::Duration;

/// As many connections as one browser opens to one host over HTTP/1.1.
const OF_ONE_BROWSER: u64 = 6;
/// Two requests of one page are hardly ever further apart.
const SHORT: Duration = Duration::from_millis(10);
/// The cookies of a login, or a token, fit in less than this only by luck.
const SMALL_HEADER: u64 = 4096;
/// A form with a text, or a small document, is larger.
const SMALL_BODY: u64 = 16 * 1024;
/// A picture of a telephone is larger.
const SMALL_UPLOAD: u64 = 1024 * 1024;

/// Paths that a person asks for now and then: a tight limit is meant so.
const RARE: [&str; 10] =
    ["login", "signin", "sign-in", "auth", "register", "password", "token", "admin", "xmlrpc", "signup"];
/// Paths with long answers, of which one at a time is enough.
const LONG: [&str; 6] = ["download", "video", "media", "stream", "files", "backup"];

/// A limit that is written.
struct Limit {
    index: usize,
    item: Item,
    site: Site,
}

/// Whom a limit counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whom {
    EachClient,
    Everybody,
}

impl Lowering<'_, '_> {
    /// Looks at the limits in force in a location that passes requests on.
    pub(super) fn request_limits(&mut self, pending: &Pending) {
        if pending.family == Family::Stream {
            return;
        }
        let [rate, connections, header, body] =
            [Slot::LIMIT_REQ, Slot::LIMIT_CONN, Slot::HEADER_BUFFERS, Slot::MAX_BODY]
                .map(|slot| self.limit(pending, slot));
        // Most locations have none, or one that was looked at in another one.
        if rate.is_none() && connections.is_none() && header.is_none() && body.is_none() {
            return;
        }
        let (path, exact) = match &self.out.topology.routes[pending.route].matcher {
            Matcher::Exact(path) => (path.to_ascii_lowercase(), true),
            Matcher::Prefix(path) | Matcher::Condition(path) | Matcher::Named(path) => {
                (path.to_ascii_lowercase(), false)
            }
            Matcher::Always => (String::new(), false),
        };
        let asks_for = |words: &[&str]| words.iter().any(|word| path.contains(word));
        let rare = || exact || asks_for(&RARE);
        let found = [
            rate.filter(|_| !rare()).and_then(|limit| self.rate(pending, &limit)),
            connections.filter(|_| !rare() && !asks_for(&LONG)).and_then(|limit| self.connections(pending, &limit)),
            header.and_then(|limit| self.header(pending, &limit)),
            body.filter(|_| !exact).and_then(|limit| self.body(pending, &limit, || asks_for(&["upload"]))),
        ];
        for (index, fault) in found.into_iter().flatten() {
            if self.limits_told.insert(index) {
                self.out.topology.load.faults.push(fault.weight(FaultWeight::Remark, false));
            }
        }
    }

    /// The longest line of a request's header that a server takes.
    pub(super) fn request_header(&mut self, frame: &Frame) -> Option<Shared<Setting<ByteSize>>> {
        let default = &built_in::LARGE_CLIENT_HEADER_BUFFERS;
        let setting = match frame.get(Slot::HEADER_BUFFERS).and_then(|index| self.written.get(index)) {
            Some(written) => {
                let size = values::size(&self.arg(self.item_of(written), 2)?.0)?;
                Setting::written(size, written.site(), default.setting)
            }
            None if self.doubt(frame).is_some() => return None,
            None => Setting::default(values::size(default.value.split_whitespace().nth(1)?)?, default),
        };
        Some(self.lately.sizes.share(setting))
    }

    fn limit(&self, pending: &Pending, slot: Slot) -> Option<Limit> {
        let index = pending.frame.get(slot)?;
        let written: &Written = self.written.get(index)?;
        let (item, site) = (self.item_of(written), written.site());
        // A line in a template, or with a variable in it, may say anything.
        let known = || !(1..=self.words_of(item)).any(|word| self.is_hole(item, word));
        (!self.limits_told.contains(&index) && known()).then_some(Limit { index, item, site })
    }

    /// What a limit answers; `None`: these files do not say.
    fn status(&self, pending: &Pending, slot: Slot) -> Option<u16> {
        match pending.frame.get(slot).and_then(|index| self.written.get(index)) {
            Some(written) => self.arg(self.item_of(written), 1)?.0.parse().ok(),
            None => self.doubt(&pending.frame).is_none().then_some(503),
        }
    }

    fn is_dry(&self, pending: &Pending, slot: Slot) -> bool {
        let written = pending.frame.get(slot).and_then(|index| self.written.get(index));
        written.is_some_and(|written| {
            self.arg(self.item_of(written), 1).is_none_or(|(word, _)| !word.eq_ignore_ascii_case("off"))
        })
    }

    /// The zone of a limit, and whom it counts; `None` where that cannot be said.
    fn zone_at(&self, pending: &Pending, requests: bool, name: &str) -> Option<(Whom, Item)> {
        let item = self.zone_of(requests, name)?.item;
        let (key, _) = self.arg(item, 1)?;
        // Where the key is empty there is no limit.
        let named = || {
            let host = self.out.topology.routes[pending.route].virtual_host?;
            self.out.topology.virtual_hosts[host].names.first().filter(|(name, _)| !name.is_empty())
        };
        let whom = match &*key {
            "$binary_remote_addr" | "$remote_addr" => Whom::EachClient,
            "$host" | "$http_host" | "$server_addr" | "$server_port" => Whom::Everybody,
            "$server_name" if named().is_some() => Whom::Everybody,
            _ => return None,
        };
        Some((whom, item))
    }

    fn rate(&self, pending: &Pending, limit: &Limit) -> Option<(usize, Fault)> {
        let words = self.args(limit.item);
        let value = |key: &str| words.iter().find_map(|(word, _)| word.strip_prefix(key));
        let name = value("zone=")?;
        if value("burst=").is_some_and(|burst| burst != "0") || self.is_dry(pending, Slot::LIMIT_REQ_DRY_RUN) {
            return None;
        }
        let (whom, zone) = self.zone_at(pending, true, name)?;
        let apart = self.args(zone).iter().find_map(|(word, _)| spacing(word.strip_prefix("rate=")?))?;
        if apart < SHORT {
            return None;
        }
        let status = self.status(pending, Slot::LIMIT_REQ_STATUS);
        let (gets, time) = (gets(status), humanise(apart));
        let message = match whom {
            Whom::EachClient => format!("a client that asks twice within {time} {gets} the second time"),
            Whom::Everybody => format!("whoever asks within {time} of the request before {gets}"),
        };
        let mut fault = Fault::new(FaultKind::RequestLimit, self.proxy, (limit.site, "no `burst`"), message)
            .why(
                "nginx spreads a rate evenly, so `10r/s` is one request each 100 ms, and a page asks for its parts all \
                 at once; `burst` says how many may come early",
            )
            .help(format!("write `limit_req zone={} burst=20 nodelay;`", clean(name)));
        if let Some(site) = self.site_of(zone) {
            fault = fault.other(site, format!("one request each {time}"));
        }
        fault.effect = status.map(LoadEffect::Status);
        Some((limit.index, fault))
    }

    fn connections(&self, pending: &Pending, limit: &Limit) -> Option<(usize, Fault)> {
        let (name, number) = (self.arg(limit.item, 1)?.0, self.arg(limit.item, 2)?.0.parse::<u64>().ok()?);
        if !(1..OF_ONE_BROWSER).contains(&number) || self.is_dry(pending, Slot::LIMIT_CONN_DRY_RUN) {
            return None;
        }
        let (whom, zone) = self.zone_at(pending, false, &name)?;
        let status = self.status(pending, Slot::LIMIT_CONN_STATUS);
        let who = match whom {
            Whom::EachClient => "a client with",
            Whom::Everybody => "as soon as all clients together have",
        };
        let have = if number == 1 { "1 request under way".to_owned() } else { format!("{number} requests under way") };
        let next = match whom {
            Whom::EachClient => format!("{} for the next one", gets(status)),
            Whom::Everybody => format!(", the next one {}", gets(status)),
        };
        let message = format!("{who} {have} {next}").replace(" ,", ",");
        let mut fault = Fault::new(
            FaultKind::RequestLimit,
            self.proxy,
            (limit.site, "fewer than one browser opens"),
            message,
        )
        .why(
            "a browser opens up to six connections to one host, and over HTTP/2 each request counts as one; behind \
                 one address there may be a whole office",
        )
        .help(format!("write `limit_conn {} 50;`, or only where long answers are fetched", clean(&name)));
        if let Some(site) = self.site_of(zone) {
            fault = fault.other(site, "what is counted");
        }
        fault.effect = status.map(LoadEffect::Status);
        Some((limit.index, fault))
    }

    fn header(&self, pending: &Pending, limit: &Limit) -> Option<(usize, Fault)> {
        let size = values::size(&self.arg(limit.item, 2)?.0)?;
        // What fits into the first buffer needs none of these.
        let first = match pending.frame.get(Slot::HEADER_BUFFER).and_then(|index| self.written.get(index)) {
            Some(written) => values::size(&self.arg(self.item_of(written), 1)?.0)?,
            None if self.doubt(&pending.frame).is_some() => return None,
            None => values::size(built_in::CLIENT_HEADER_BUFFER_SIZE.value)?,
        };
        if size.0 >= SMALL_HEADER || first.0 >= SMALL_HEADER {
            return None;
        }
        let longest = size.max(first);
        let message =
            format!("a request with a header line of more than {longest} gets 400, one with such an address 414");
        let fault = Fault::new(
            FaultKind::RequestLimit,
            self.proxy,
            (limit.site, "one line must fit into one buffer"),
            message,
        )
        .why("all cookies of a site stand in one line, and so does a token: after a login that is several kilobytes")
        .help(format!("leave the line out: `{}` is built in", built_in::LARGE_CLIENT_HEADER_BUFFERS.value))
        .effect(LoadEffect::Status(400));
        Some((limit.index, fault))
    }

    fn body(&self, pending: &Pending, limit: &Limit, uploads: impl Fn() -> bool) -> Option<(usize, Fault)> {
        let size = values::size(&self.arg(limit.item, 1)?.0)?;
        if size.0 == 0 || size.0 > SMALL_UPLOAD {
            return None;
        }
        let uploads = uploads();
        if size.0 >= SMALL_BODY && !uploads {
            return None;
        }
        let (why, help) = if size.0 < SMALL_BODY {
            (
                "a form with a text or a small document is larger",
                "write `client_max_body_size 1m;`, which is built in, or what the application takes",
            )
        } else {
            (
                "pictures and documents that people send have several megabytes",
                "write what the application takes in the location for uploads, `client_max_body_size 50m;`",
            )
        };
        let message = format!("a request with a body of more than {size} gets 413");
        let mut fault =
            Fault::new(FaultKind::RequestLimit, self.proxy, (limit.site, "bodies may not be larger"), message)
                .why(why)
                .help(help)
                .effect(LoadEffect::Status(413));
        if uploads && let Some(site) = self.site_of(pending.target) {
            fault = fault.other(site, "uploads are passed on here");
        }
        Some((limit.index, fault))
    }
}

/// What happens to a request over a limit.
fn gets(status: Option<u16>) -> String {
    status.map_or_else(|| "is refused".to_owned(), |status| format!("gets {status}"))
}

/// The time that a rate leaves between two requests: `10r/s`, `30r/m`.
fn spacing(rate: &str) -> Option<Duration> {
    let (number, unit) = rate.split_once("r/")?;
    let number: u32 = number.parse().ok().filter(|&number| number > 0)?;
    let whole = match unit {
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        _ => return None,
    };
    Some(whole / number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_times_between_requests() {
        assert_eq!(spacing("10r/s"), Some(Duration::from_millis(100)));
        assert_eq!(spacing("30r/m"), Some(Duration::from_secs(2)));
        for text in ["0r/s", "1r/h", "r/s", "10", "-1r/s"] {
            assert_eq!(spacing(text), None, "{text}");
        }
    }
}
