//! What nginx refuses while it reads a block: unknown names, things written twice, values it cannot read, names that
//! nothing defines.

use super::block::Spelled;
use super::settings::{Slot, Word};
use super::{Block, Context, Item, Lowering, values};
use crate::defaults::nginx_directives as table;
use crate::edit::{Edit, Fix};
use crate::source::{Site, clean};
use crate::topology::{Dialect, LoadEffect, SyntaxFact, UndefinedName};
use foldhash::HashMap;

/// A shared memory zone.
pub(super) struct Zone {
    pub(super) site: Site,
    /// The line that defines it.
    pub(super) item: Item,
}

/// Shared memory zones, and who uses them.
#[derive(Default)]
pub(super) struct Zones {
    defined: HashMap<(bool, Box<str>), Zone>,
    used: Vec<(bool, Box<str>, Site)>,
    unread: bool,
}

impl Lowering<'_, '_> {
    /// Remembers a directive that may stand once in a block, or reports the second one.
    pub(super) fn check_once(&mut self, item: Item, name: Spelled<'_>, block: &mut Block) {
        let Some(known) = name.known.filter(|known| !known.repeats()) else { return };
        if matches!(block.context, Context::Data | Context::Other) {
            return;
        }
        let Some(site) = self.site_of(item) else { return };
        match block.once.iter().find(|(number, _)| *number == known.number) {
            Some(&(_, first)) => self.duplicate("directive", known.text(), first, site, LoadEffect::Refused, None),
            None => block.once.push((known.number, site)),
        }
    }

    /// Remembers a directive without reporting anything.
    pub(super) fn note_once(&mut self, item: Item, name: Spelled<'_>, block: &mut Block) {
        if let (Some(known), Some(site)) = (name.known, self.site_of(item)) {
            block.once.push((known.number, site));
        }
    }

    /// Reports a directive that no module known here brings.
    pub(super) fn check_known(&mut self, item: Item, name: Spelled<'_>, block: &Block) {
        if name.known.is_some() || matches!(block.context, Context::Data | Context::Other) {
            return;
        }
        let name = name.text;
        // Its module may bring variables, too.
        self.named.may_be_elsewhere();
        let plausible = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if self.is_hole(item, 0) || table::third_party(name) {
            return;
        }
        if !plausible {
            return self.check_is_name(item, name, block);
        }
        // The search costs; nobody reads more than these.
        self.unknown += 1;
        if self.unknown > crate::syntax::limits::MAX_ERRORS {
            return;
        }
        let near = table::nearest(name);
        // A name like no other may belong to a module that only the machine knows.
        let certain = near.is_some() && !self.loads_modules;
        if near.is_none() && (!self.whole || self.loads_modules) {
            return;
        }
        let Some((_, site)) = self.arg(item, 0) else { return };
        let message = match near {
            Some(near) => format!("nginx knows no directive `{}`; did you mean `{near}`?", clean(name)),
            None => format!("no nginx module known here has a directive `{}`", clean(name)),
        };
        let help = match near {
            Some(near) => format!("write `{near}`"),
            None => "check the spelling, or load the module that brings it with `load_module`".to_owned(),
        };
        self.syntax(site, message, "unknown directive", help, certain);
        // A name in quotes is longer than it reads.
        let written = site.span.end - site.span.start == name.len() as u32;
        if let (Some(near), Some(fact), true) = (near, self.out.topology.load.syntax.last_mut(), written) {
            let edit = Edit::Replace { span: site.span, text: near.to_owned() };
            fact.fix = Some(Fix::guess(format!("write `{near}`"), [edit]));
        }
    }

    /// Reports a word that is the name of no module's directive: one with a letter that names do not have, or an
    /// official one in capitals or with `-`. Measured with nginx 1.22.1: all of them are unknown to it.
    fn check_is_name(&mut self, item: Item, name: &str, block: &Block) {
        let Some((_, site)) = self.arg(item, 0) else { return };
        // What stands at the top of a fragment may be pasted into a `map`; what a missing brace moves is told with the brace.
        if block.partial || self.is_broken(site) {
            return;
        }
        let meant = name.to_ascii_lowercase().replace('-', "_");
        let meant = table::directive(meant.trim_end_matches(':')).map(|directive| directive.name);
        if meant.is_none() && !is_no_name(name) {
            return;
        }
        self.unknown += 1;
        if self.unknown > crate::syntax::limits::MAX_ERRORS {
            return;
        }
        let (message, help) = match meant {
            Some(meant) => (
                format!("nginx knows no directive `{}`; did you mean `{meant}`?", clean(name)),
                format!("write `{meant}`"),
            ),
            None => (
                format!("`{}` is the name of no directive, so nginx does not start", clean(name)),
                "take the line away, or put a `#` before it".to_owned(),
            ),
        };
        self.syntax(site, message, "unknown directive", help, true);
        let written = site.span.end - site.span.start == name.len() as u32;
        if let (Some(meant), Some(fact), true) = (meant, self.out.topology.load.syntax.last_mut(), written) {
            let edit = Edit::Replace { span: site.span, text: meant.to_owned() };
            fact.fix = Some(Fix::guess(format!("write `{meant}`"), [edit]));
        }
    }

    fn syntax(&mut self, site: Site, message: String, label: &str, help: String, certain: bool) {
        self.out.topology.load.syntax.push(SyntaxFact {
            fix: None,
            dialect: Dialect::Nginx,
            site,
            message,
            label: label.to_owned(),
            others: Vec::new(),
            help: Some(help),
            certain,
        });
    }

    /// Reports a time or size that nginx cannot read.
    pub(super) fn check_value(&mut self, item: Item, slot: Slot, name: &str) {
        let Some((value, site)) = self.arg(item, 1) else { return };
        let filled_in = self.is_hole(item, 1) || value.contains('$') || crate::value::later::is_shouted(&value);
        if filled_in || slot == Slot::CLIENT_KEEPALIVE {
            return;
        }
        if name.ends_with("_timeout") && values::time(&value).is_none() {
            let message = format!("`{}` is no time that nginx can read", clean(&value));
            let help =
                format!("write `{name} 60s;`: digits with `ms`, `s`, `m`, `h`, `d`; no fractions, no other units");
            self.syntax(site, message, "nginx refuses this value", help, true);
        } else if name.ends_with("_buffer_size") && values::size(&value).is_none() {
            let message = format!("`{}` is no size that nginx can read", clean(&value));
            let help = format!("write `{name} 16k;`: digits with `k` or `m`; no fractions, no `kb`");
            self.syntax(site, message, "nginx refuses this value", help, true);
        }
    }

    /// `error_page … @name` and `try_files … @name`.
    pub(super) fn named_reference(&mut self, item: Item) {
        let last = self.words_of(item);
        if last == 0 {
            return;
        }
        let Some((word, site)) = self.arg(item, last) else { return };
        let name = word.strip_prefix('=').unwrap_or(&word);
        if !name.starts_with('@') || name.contains('$') || self.is_hole(item, last) {
            return;
        }
        let name: Box<str> = name.into();
        if let Some(server) = &mut self.server {
            server.wanted.push((name, site));
        }
    }

    /// Named locations that the server does not have: nginx starts, and answers 500.
    pub(super) fn finish_named(&mut self) {
        let Some(server) = &self.server else { return };
        if server.unread {
            return;
        }
        for (name, site) in &server.wanted {
            if server.named.contains_key(name) {
                continue;
            }
            let near = near(name, server.named.iter().map(|(name, site)| (name, *site)));
            self.out.topology.load.undefined.push(UndefinedName {
                proxy: self.proxy,
                kind: "named location",
                name: name.clone(),
                site: *site,
                other: None,
                near,
                effect: LoadEffect::Status(500),
            });
        }
    }

    /// `limit_req_zone`, `limit_conn_zone` and who uses them.
    pub(super) fn zone(&mut self, item: Item, block: &Block) {
        self.zones.unread |= block.frame.unread;
        let requests = matches!(item.word, Word::LimitReqZone | Word::LimitReq);
        let words = self.args(item);
        let (name, site) = match item.word {
            Word::LimitConn => match words.first() {
                Some((name, site)) => (name.as_ref(), *site),
                None => return,
            },
            _ => match words.iter().find_map(|(word, site)| word.strip_prefix("zone=").map(|name| (name, *site))) {
                Some(found) => found,
                None => return,
            },
        };
        let name: Box<str> = name.split(':').next().unwrap_or(name).into();
        if matches!(item.word, Word::LimitReqZone | Word::LimitConnZone) {
            self.check_zone_size(item, 2);
        }
        if name.contains(['$', '{', '<']) {
            return;
        }
        match item.word {
            Word::LimitReqZone | Word::LimitConnZone => {
                self.zones.defined.entry((requests, name)).or_insert(Zone { site, item });
            }
            _ => self.zones.used.push((requests, name, site)),
        }
    }

    /// The line that defines a zone, for requests or for connections.
    pub(super) fn zone_of(&self, requests: bool, name: &str) -> Option<&Zone> {
        self.zones.defined.get(&(requests, name.into()))
    }

    pub(super) fn finish_zones(&mut self) {
        let zones = std::mem::take(&mut self.zones);
        if !self.whole || zones.unread {
            return;
        }
        for (requests, name, site) in zones.used {
            if zones.defined.contains_key(&(requests, name.clone())) {
                continue;
            }
            let same_kind = zones.defined.iter().filter(|((kind, _), _)| *kind == requests);
            let near = near(&name, same_kind.map(|((_, name), zone)| (name, zone.site)));
            self.out.topology.load.undefined.push(UndefinedName {
                proxy: self.proxy,
                kind: "shared memory zone",
                name,
                site,
                other: None,
                near,
                effect: LoadEffect::Refused,
            });
        }
    }
}

/// Whether no module can have a directive of this name. What looks like a placeholder that somebody fills in is left alone.
fn is_no_name(name: &str) -> bool {
    let placeholder = |c: char| "@%#<>{}$[]()!?*~|^".contains(c);
    let odd = |c: char| ":/,=+\"'\\&;`".contains(c) || !c.is_ascii() && c.is_alphabetic();
    name.contains(odd) && !name.contains(placeholder)
}

/// Most names that a name is compared with letter by letter. Very many wrong names beside very many right ones would
/// take for ever, and among so many a likeness means little.
const MOST_COMPARED: usize = 1000;

/// The nearest of some names, at most two letters away.
pub(super) fn near<'n>(name: &str, known: impl Iterator<Item = (&'n Box<str>, Site)>) -> Option<(Box<str>, Site)> {
    let limit = if name.len() <= 4 { 1 } else { 2 };
    let alike = known.filter(|(other, _)| other.len().abs_diff(name.len()) <= limit);
    let alike: Vec<_> = alike.take(MOST_COMPARED + 1).collect();
    if alike.len() > MOST_COMPARED {
        return None;
    }
    let compared = alike.into_iter().map(|(other, site)| (strsim::levenshtein(name, other), other, site));
    compared
        .filter(|(distance, ..)| *distance <= limit)
        .min_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)))
        .map(|(_, other, site)| (other.clone(), site))
}
