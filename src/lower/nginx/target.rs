//! Targets with variables: decided per request, with nginx's own resolver only.

use super::hop::Pending;
use super::settings::{Family, Slot};
use super::values::{self, Place};
use super::{Lowering, checks};
use crate::source::{Site, clean};
use crate::topology::{
    ComputedKind, ComputedOutcome, ComputedTarget, EmptyResolver, Known, LoadEffect, Reason, Resolver, Target,
};
use crate::value::{Host, Wait};

/// Variables that hold the name the client asked for: never an address.
const HOST_NAMES: &[&str] = &["host", "http_host", "server_name", "ssl_server_name", "ssl_preread_server_name"];

impl Lowering<'_, '_> {
    /// Whether a computed target is asked over TLS, where its text shows it.
    pub(super) fn scheme_of_computed(&self, family: Family, text: &str) -> Option<bool> {
        let begins = |scheme| values::strip_prefix_ignore_case(text, scheme).is_some();
        match family {
            Family::Proxy if begins("https://") => Some(true),
            Family::Proxy if begins("http://") => Some(false),
            Family::Proxy => None,
            Family::Grpc => Some(begins("grpcs://")),
            Family::Uwsgi => Some(begins("suwsgi://")),
            _ => Some(false),
        }
    }

    pub(super) fn computed(&mut self, pending: &Pending, text: &str, site: Site) -> Target {
        let found = self.outcomes(text, site, pending.server, pending.block);
        let mut outcomes = Vec::new();
        let mut needs = Known::Yes(false);
        for (value, at) in found.values {
            match self.outcome(pending, &value, at) {
                Some(outcome) => {
                    if outcome.is == ComputedKind::HostName {
                        needs = Known::Yes(true);
                    }
                    outcomes.push(outcome);
                }
                None if needs == Known::Yes(false) => needs = self.unknown_host(&value),
                None => {}
            }
        }
        for outcome in &outcomes {
            if let ComputedKind::Pool(pool) = outcome.is {
                self.out.topology.pools[pool].used = true;
            }
        }
        // A pool that a variable may choose is used, whatever the variable holds.
        if !found.complete {
            for declared in self.pools.values() {
                self.out.topology.pools[declared.pool].used = true;
            }
        }
        Target::Computed(Box::new(ComputedTarget {
            text: text.into(),
            outcomes,
            complete: found.complete,
            needs_resolver: needs,
            resolver: self.resolver(pending),
        }))
    }

    /// What one value of the whole target comes to; `None`: its host is not known.
    fn outcome(&self, pending: &Pending, value: &str, site: Site) -> Option<ComputedOutcome> {
        let strip = |schemes: &[&str]| schemes.iter().find_map(|s| values::strip_prefix_ignore_case(value, s));
        let made = |name: &str, is, near| Some(ComputedOutcome { name: name.into(), port: None, is, site, near });
        let rest = match pending.family {
            Family::Proxy => match strip(&["http://", "https://"]) {
                Some(rest) => rest,
                None if may_become_url(value) => return None,
                None => return made(value, ComputedKind::Malformed, None),
            },
            Family::Grpc => strip(&["grpc://", "grpcs://"]).unwrap_or(value),
            Family::Uwsgi => strip(&["uwsgi://", "suwsgi://"]).unwrap_or(value),
            _ => value,
        };
        // Only the host part decides; variables behind it do not make it unknown.
        let authority = match values::strip_prefix_ignore_case(rest, "unix:") {
            Some(_) => return made(rest, ComputedKind::Address, None),
            None => rest.split(['/', '?']).next().unwrap_or_default(),
        };
        let host = host_part(authority);
        if host.contains('$') {
            return None;
        }
        // `http://app:8080$request_uri`: what follows the digits of the port is the path.
        if host.is_empty() {
            return made(rest, ComputedKind::Malformed, None).filter(|_| !rest.contains('$'));
        }
        let port = match authority.get(host.len()..).unwrap_or_default() {
            "" if pending.family == Family::Proxy => Some(if strip(&["https://"]).is_some() { 443 } else { 80 }),
            rest => rest.strip_prefix(':').and_then(|port| port.split('$').next()?.parse().ok()),
        };
        if let Ok(values::Url { place: Place::Net { host: plain, .. }, .. }) = values::url(host)
            && !matches!(Host::parse(plain), Host::Name(_))
        {
            return made(host, ComputedKind::Address, None).map(|outcome| ComputedOutcome { port, ..outcome });
        }
        let stream = pending.family == Family::Stream;
        let key = (stream, host.to_ascii_lowercase());
        if let Some(declared) = self.pools.get(&key) {
            return made(host, ComputedKind::Pool(declared.pool), None);
        }
        let names = self.pools.iter().filter(|((of, _), _)| *of == stream).map(|(_, d)| (&d.name, d.site));
        let near = checks::near(host, names).map(|(name, _)| name);
        made(host, ComputedKind::HostName, near).map(|outcome| ComputedOutcome { port, ..outcome })
    }

    /// A host that is not known: names the client asked for must be looked up, unless a group bears them.
    fn unknown_host(&self, value: &str) -> Known<bool> {
        let authority = value.split("://").nth(1).unwrap_or(value);
        let host = host_part(authority.split(['/', '?']).next().unwrap_or_default());
        let variable = host.trim_start_matches(['$', '{']).trim_end_matches('}');
        if HOST_NAMES.contains(&variable) && self.pools.is_empty() || self.is_no_pool(host) {
            Known::Yes(true)
        } else {
            Known::Unknown(Reason::Variable)
        }
    }

    /// Whether the text around the variables of a host shows that it is a name, and none of a group:
    /// `$tenant.apps.internal`. An address has no letters.
    fn is_no_pool(&self, host: &str) -> bool {
        let Some((before, rest)) = host.split_once('$') else { return false };
        let last = rest.rsplit('$').next().unwrap_or_default().trim_start_matches('{');
        let after = last.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').trim_start_matches('}');
        let (before, after) = (before.to_ascii_lowercase(), after.to_ascii_lowercase());
        let letters = before.chars().chain(after.chars()).any(|c| c.is_ascii_alphabetic());
        letters
            && !host.starts_with('[')
            && !self.pools.keys().any(|(_, name)| name.starts_with(&before) && name.ends_with(&after))
    }

    /// The resolver in reach of a location.
    fn resolver(&mut self, pending: &Pending) -> Known<Option<Site>> {
        match pending.frame.get(Slot::RESOLVER).and_then(|index| self.written.get(index)) {
            Some(written) => Known::Yes(Some(written.site())),
            // The main file of the official image has none, and nothing is laid beside this file.
            None if self.stands_alone() && !pending.frame.unread => Known::Yes(None),
            // What is left of a variable of the environment is none of nginx's.
            None if self.alone && self.is_rendered(pending.target) => Known::Unknown(Reason::Variable),
            None => match self.doubt(&pending.frame) {
                Some(reason) => Known::Unknown(reason),
                None => Known::Yes(None),
            },
        }
    }

    /// Whether variables of the environment are put into the file in which a statement stands.
    fn is_rendered(&self, item: super::Item) -> bool {
        self.places.get(item.place as usize).is_some_and(|place| place.values.is_some())
    }

    /// Whether this is the only file that a container of the official image reads beside the image's own.
    fn stands_alone(&self) -> bool {
        let Some(stands) = self.stands.as_ref().filter(|stands| stands.inside.starts_with("/etc/nginx/conf.d/")) else {
            return false;
        };
        let workload = &self.out.topology.workloads[stands.workload];
        !self.whole
            && !workload.many
            && stands.layout.holds_one_below("/etc/nginx")
            && !self.out.topology.projects[workload.project].guessed
    }

    /// Whether a word is a variable that nginx itself gives a value, in the same file; any other one may be filled in before
    /// nginx reads it.
    fn sets_itself(&self, item: super::Item, word: &str) -> bool {
        let Some(name) = word.strip_prefix('$').filter(|name| !name.starts_with('{')) else { return false };
        let Some(place) = self.places.get(item.place as usize) else { return false };
        let sets = |line: &str| {
            let mut words = line.split_whitespace();
            words.next().is_some_and(|first| first == "set" || first.starts_with("set_by_lua"))
                && words.next().and_then(|second| second.strip_prefix('$')) == Some(name)
        };
        !is_template_text(place) && place.text().lines().any(sets)
    }

    /// A `resolver`: who is asked. `resolver valid=10s;` names nobody to ask: nginx refuses it.
    pub(super) fn read_resolver(&mut self, item: super::Item) {
        let Some(site) = self.site_of(item) else { return };
        let Some(here) = self.places.get(item.place as usize).cloned() else { return };
        let words = self.words_at(&here, item.node);
        let hole = (1..=words.len()).any(|index| self.is_hole(item, index));
        let is_option =
            |word: &str| ["valid=", "ipv4=", "ipv6=", "status_zone="].iter().any(|option| word.starts_with(option));
        let mut servers = Some(Vec::new());
        for (word, at) in words.iter().filter(|(word, _)| !is_option(word)) {
            if !hole && self.sets_itself(item, word) {
                self.malformed(
                    *at,
                    format!(
                        "nginx expands no variables in `resolver`: it looks for a machine called `{}`",
                        clean(word)
                    ),
                    "a variable has no meaning here",
                    "nginx refuses the file: host not found in resolver",
                    Some("write the address of the name server".to_owned()),
                    LoadEffect::Refused,
                );
                return;
            }
            match values::url(word) {
                Ok(values::Url { place: Place::Net { host, .. }, .. }) if !hole && !word.contains('$') => {
                    let host = Host::parse(host);
                    self.never(&host, *at);
                    servers = servers.map(|mut servers| {
                        servers.push((host, *at));
                        servers
                    });
                }
                _ => servers = None,
            }
        }
        if !hole && !words.is_empty() && servers.as_ref().is_some_and(Vec::is_empty) {
            self.out.topology.load.empty_resolvers.push(EmptyResolver {
                proxy: self.proxy,
                site,
                name: None,
                used_by: Vec::new(),
                effect: LoadEffect::Refused,
            });
            return;
        }
        let keeps = words.iter().find_map(|(word, at)| {
            Some((Wait::For(values::time(word.strip_prefix("valid=")?)?), *at)).filter(|_| !hole)
        });
        let one_family = words.iter().any(|(word, _)| matches!(&**word, "ipv4=off" | "ipv6=off"));
        self.out.topology.resolvers.push(Resolver {
            proxy: self.proxy,
            site,
            servers: servers.map_or(Known::Unknown(Reason::TemplateHole), Known::Yes),
            keeps,
            mixes_families: !one_family && !hole,
        });
    }
}

/// Whether something fills in a file before nginx reads it.
fn is_template_text(place: &super::Place) -> bool {
    place.values.is_some() || super::is_template(&place.tree)
}

/// Whether variables may complete a scheme: `$backend`, `http:/$uri`, `http$s://…`.
fn may_become_url(value: &str) -> bool {
    let Some((before, _)) = value.split_once('$') else { return false };
    ["http://", "https://"].iter().any(|scheme| values::strip_prefix_ignore_case(scheme, before).is_some())
}

/// The host of `host:port`, without the port. In brackets: with them.
fn host_part(authority: &str) -> &str {
    if authority.starts_with('[') {
        return authority.find(']').and_then(|end| authority.get(..=end)).unwrap_or(authority);
    }
    authority.split(':').next().unwrap_or(authority)
}
