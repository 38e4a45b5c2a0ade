//! What nginx knows by name: every official directive with its contexts, and the names of other people's modules.
//!
//! The table is `nginx_directives.txt`; `build.rs` makes rows and an index of it. (To read it at the first question took
//! two thirds of the time of a run over one small file.)

use std::fmt;
use std::ops::BitOr;
use std::sync::LazyLock;

use super::name_hash::hash;
use crate::value::Version;

/// A set of contexts (kinds of block) in which a directive may stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Contexts(u32);

impl Contexts {
    /// No context.
    pub const NONE: Self = Self(0);
    /// The top of the main file.
    pub const MAIN: Self = Self(1);
    /// `events {}`.
    pub const EVENTS: Self = Self(1 << 1);
    /// `http {}`.
    pub const HTTP: Self = Self(1 << 2);
    /// `server {}` of http.
    pub const SERVER: Self = Self(1 << 3);
    /// `location {}`.
    pub const LOCATION: Self = Self(1 << 4);
    /// `if {}` directly in a `server {}` of http.
    pub const SERVER_IF: Self = Self(1 << 5);
    /// `if {}` in a `location {}`.
    pub const LOCATION_IF: Self = Self(1 << 6);
    /// `limit_except {}`.
    pub const LIMIT_EXCEPT: Self = Self(1 << 7);
    /// `upstream {}` of http.
    pub const UPSTREAM: Self = Self(1 << 8);
    /// `stream {}`.
    pub const STREAM: Self = Self(1 << 9);
    /// `server {}` of stream.
    pub const STREAM_SERVER: Self = Self(1 << 10);
    /// `upstream {}` of stream.
    pub const STREAM_UPSTREAM: Self = Self(1 << 11);
    /// `mail {}`.
    pub const MAIL: Self = Self(1 << 12);
    /// `server {}` of mail.
    pub const MAIL_SERVER: Self = Self(1 << 13);
    /// `mgmt {}` (commercial).
    pub const MGMT: Self = Self(1 << 14);
    /// `acme_issuer {}`.
    pub const ACME_ISSUER: Self = Self(1 << 15);
    /// `oidc_provider {}` (commercial).
    pub const OIDC_PROVIDER: Self = Self(1 << 16);
    /// Every context (`include`).
    pub const ANY: Self = Self((1 << 17) - 1);

    /// Letter in the table, context, name for messages.
    const LEGEND: [(u8, Self, &'static str); 17] = [
        (b'm', Self::MAIN, "main"),
        (b'e', Self::EVENTS, "events"),
        (b'h', Self::HTTP, "http"),
        (b's', Self::SERVER, "server"),
        (b'l', Self::LOCATION, "location"),
        (b'j', Self::SERVER_IF, "if in server"),
        (b'i', Self::LOCATION_IF, "if in location"),
        (b'x', Self::LIMIT_EXCEPT, "limit_except"),
        (b'u', Self::UPSTREAM, "upstream"),
        (b'H', Self::STREAM, "stream"),
        (b'S', Self::STREAM_SERVER, "server in stream"),
        (b'U', Self::STREAM_UPSTREAM, "upstream in stream"),
        (b'M', Self::MAIL, "mail"),
        (b'N', Self::MAIL_SERVER, "server in mail"),
        (b'g', Self::MGMT, "mgmt"),
        (b'a', Self::ACME_ISSUER, "acme_issuer"),
        (b'o', Self::OIDC_PROVIDER, "oidc_provider"),
    ];

    /// Whether every context of `other` is in this set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the two sets have a context in common.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The contexts of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether no context is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names of the contexts, outermost first, for messages.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::LEGEND.into_iter().filter(move |(_, context, _)| self.contains(*context)).map(|(.., name)| name)
    }

    const fn from_letters(letters: &str) -> Self {
        let letters = letters.as_bytes();
        if let [b'*'] = letters {
            return Self::ANY;
        }
        let mut set = Self::NONE;
        let mut at = 0;
        while at < letters.len() {
            set = set.union(Self(Self::BITS[letters[at] as usize]));
            at += 1;
        }
        set
    }

    /// The bit of each letter of the table; 0 for every other byte.
    const BITS: [u32; 256] = {
        let mut bits = [0; 256];
        let mut at = 0;
        while at < Self::LEGEND.len() {
            bits[Self::LEGEND[at].0 as usize] = Self::LEGEND[at].1.0;
            at += 1;
        }
        bits
    };
}

impl BitOr for Contexts {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl fmt::Display for Contexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.names().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// One directive of one module. A name that several modules use (`server`, `listen`, `proxy_pass`) has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its name.
    pub name: &'static str,
    /// Where it may stand in 1.22.1 or in 1.31.
    pub contexts: Contexts,
    /// Whether it opens a block.
    pub block: bool,
    /// Fewest arguments.
    pub min_args: u8,
    /// Most arguments; `None`: no limit. Numbers in between may be refused all the same.
    pub max_args: Option<u8>,
    /// Whether a second one in the same block is accepted, or nothing is known of that. `false`: nginx refuses it.
    pub repeats: bool,
    /// The built-in value as the manual writes it.
    pub default: Option<&'static str>,
    /// First release with it; `None`: older than any in use, or numbered otherwise (njs, otel, acme).
    pub since: Option<Version>,
    /// Last release with it; `None`: it still exists.
    pub until: Option<Version>,
    /// Whether only the commercial edition has it.
    pub commercial: bool,
    /// Whether only the commercial edition had it before [`since`](Self::since).
    pub opened: bool,
    /// Its place in the manual, below [`nginx::MANUAL`](super::nginx::MANUAL); empty when the manual is silent.
    pub page: &'static str,
}

impl Directive {
    /// The module that documents it: `ngx_http_proxy_module`; empty when the manual is silent.
    #[must_use]
    pub fn module(&self) -> &'static str {
        let page = self.page.split_once(".html").map_or("", |(page, _)| page);
        page.rsplit_once('/').map_or(page, |(_, module)| module)
    }

    /// Whether so many arguments can be right.
    #[must_use]
    pub fn takes(&self, arguments: usize) -> bool {
        arguments >= usize::from(self.min_args) && self.max_args.is_none_or(|max| arguments <= usize::from(max))
    }
}

// All rows, sorted by name; the first row of each name, and one past the last; and the index of the names.
include!(concat!(env!("OUT_DIR"), "/nginx_directives.rs"));

/// `1.29.7`; nothing else.
pub(super) fn version(text: &str) -> Option<Version> {
    let (major, rest) = text.split_once('.')?;
    let (minor, patch) = rest.split_once('.')?;
    Some(Version(major.parse().ok()?, minor.parse().ok()?, patch.parse().ok()?))
}

/// The running number of a name, in the order of the names.
pub(super) fn number(name: &str) -> Option<u16> {
    let mut at = hash(name.as_bytes()) % SLOTS.len();
    loop {
        // Half of the places hold 0, which is none: so this comes to an end.
        let number = SLOTS[at].checked_sub(1)?;
        if rows(number).first().is_some_and(|row| row.name == name) {
            return Some(number);
        }
        at = (at + 1) % SLOTS.len();
    }
}

/// The directives that have the name with this number.
fn rows(number: u16) -> &'static [Directive] {
    let bound = |at: usize| STARTS.get(at).map_or(ROWS.len(), |&start| usize::from(start));
    ROWS.get(bound(usize::from(number))..bound(usize::from(number) + 1)).unwrap_or_default()
}

/// Every directive of this name, one per module; http stands before stream and mail. Empty: no official name.
#[must_use]
pub fn directives(name: &str) -> &'static [Directive] {
    number(name).map_or(&[], rows)
}

/// The directive of this name; of several (see [`directives`]) the first.
#[must_use]
pub fn directive(name: &str) -> Option<&'static Directive> {
    directives(name).first()
}

/// The directive of this name that may stand in one of these contexts.
#[must_use]
pub fn directive_in(name: &str, contexts: Contexts) -> Option<&'static Directive> {
    directives(name).iter().find(|directive| directive.contexts.intersects(contexts))
}

/// Every official directive, sorted by name.
#[must_use]
pub fn all() -> &'static [Directive] {
    &ROWS
}

/// Whether a module that nginx does not ship (OpenResty, headers-more, RTMP, …) is known to use this name. Such a
/// name says nothing: whether the module is installed is not to be seen from the configuration.
#[must_use]
pub fn third_party(name: &str) -> bool {
    super::nginx_third_party::knows(name)
}

/// Whether the block holds lines of data (`key value;`), not directives.
#[must_use]
pub fn data_block(name: &str) -> bool {
    matches!(name, "map" | "types" | "geo" | "split_clients" | "charset_map" | "num_map" | "match" | "otel_exporter")
}

/// Longest name worth comparing: the longest official one has 41 characters.
const LONGEST_NAME: usize = 48;

/// The official directive that was probably meant: at most one edit away for names up to six characters, at most two
/// for longer ones; swapped neighbours are one edit. `None` for official names, and when nothing is near.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    static LETTERS: LazyLock<Vec<(u64, &'static str)>> = LazyLock::new(|| {
        let current = all().iter().filter(|directive| directive.until.is_none());
        let mut names: Vec<_> = current.map(|directive| (letters(directive.name), directive.name)).collect();
        names.dedup();
        names
    });
    if name.len() > LONGEST_NAME || directive(name).is_some() {
        return None;
    }
    let length = name.chars().count();
    let limit = if length <= 6 { 1 } else { 2 };
    let mask = letters(name);
    let mut best: Option<(usize, &'static str)> = None;
    for &(known, candidate) in LETTERS.iter() {
        // Cheap tests first, so that a file of a hundred thousand unknown names stays cheap: an edit changes the
        // length by one at most, and the set of letters by two.
        if candidate.len().abs_diff(length) > limit || (known ^ mask).count_ones() as usize > 2 * limit {
            continue;
        }
        let distance = strsim::osa_distance(name, candidate);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| name)
}

/// The set of characters of a name; different characters may share a bit, so it only ever understates a difference.
fn letters(name: &str) -> u64 {
    name.chars().fold(0, |set, letter| set | 1 << (letter as u32 % 64))
}

#[cfg(test)]
#[path = "nginx_directives_tests.rs"]
mod tests;
