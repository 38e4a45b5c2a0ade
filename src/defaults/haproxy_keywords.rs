//! The keywords of HAProxy 2.2 to 3.5: which section knows them, since when, until when.
//!
//! The table is `haproxy_keywords.txt`; its head says where the facts are from. Versions are those of first releases
//! (2.6.0, not 2.6.12): what came later may have been ported back, so that "came with 2.8" does not prove that a 2.6 of
//! today lacks it. Lua scripts add actions (`lua.*`, known here); a build may lack what needs a library.

use std::cmp::Ordering;
use std::sync::LazyLock;

use crate::value::Version;

/// Words longer than this are no misspelt keywords.
const LONGEST: usize = 48;

/// One keyword of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyword {
    /// Who reads the line: `proxy` for the sections `defaults`, `frontend`, `listen` and `backend`, else the section.
    pub family: &'static str,
    /// The words that make the keyword: `timeout connect`, `http-request set-header`, `bind`.
    pub words: &'static str,
    /// Whether the last word only begins so: `track-sc0`, `set-var(txn.x)`.
    pub prefix: bool,
    /// First version that has it; `None`: 2.2 or older.
    pub since: Option<Version>,
    /// First version that refuses it; `None`: still there in 3.5-dev5.
    pub removed: Option<Version>,
    sides: &'static str,
}

impl Keyword {
    /// Whether the manual (4.1) allows it in a section. The four proxy sections share one parser: elsewhere it is
    /// known, but ignored with a warning (`timeout server` in a frontend) or refused (`server` in a frontend).
    #[must_use]
    pub fn is_meant_in(&self, section: &str) -> bool {
        match side(section) {
            Some(side) => self.family == "proxy" && self.sides.contains(side),
            None => self.family == section,
        }
    }

    /// Whether a version has it, as far as first releases tell.
    #[must_use]
    pub fn is_in(&self, version: Version) -> bool {
        self.since.is_none_or(|since| since <= version) && self.removed.is_none_or(|removed| version < removed)
    }

    /// What the messages of HAProxy and its manual name in place of a removed keyword.
    #[must_use]
    pub fn instead(&self) -> Option<&'static str> {
        let removed = self.removed.is_some();
        INSTEAD.iter().find(|(words, _)| removed && *words == self.words).map(|&(_, instead)| instead)
    }
}

/// One option of a `server`, `default-server` or `bind` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineOption {
    /// The option: `check`, `inter`.
    pub word: &'static str,
    /// Whether the word only begins so: `set-proxy-v2-tlv-fmt(0xE0)`.
    pub prefix: bool,
    /// How many arguments follow. After `source ADDRESS`, `usesrc` and `interface` count as options of their own.
    pub arguments: u8,
    /// First version that has it; `None`: 2.2 or older.
    pub since: Option<Version>,
    /// First version that refuses it; `None`: still there in 3.5-dev5.
    pub removed: Option<Version>,
}

/// The keyword that a line of a section begins with. `words` are the decoded words of the line, the keyword first; a
/// leading `no` or `default` is passed over. The longest match wins.
///
/// The section is the word of its header (`frontend`). In the four proxy sections every proxy keyword is found: ask
/// [`Keyword::is_meant_in`] whether it belongs there.
#[must_use]
pub fn keyword(section: &str, words: &[&str]) -> Option<&'static Keyword> {
    let words = without_modifier(words);
    let group = TABLE.group(family(section), words.first()?)?;
    (1..=words.len().min(group.longest)).rev().find_map(|count| group.find(&words[..count]))
}

/// Whether some keyword of the section begins with these words: `stick` does, though it needs a second word.
#[must_use]
pub fn begins_keyword(section: &str, words: &[&str]) -> bool {
    let family = family(section);
    let words = without_modifier(words);
    let first = TABLE.keywords.partition_point(|keyword| compare(keyword, family, words) == Ordering::Less);
    TABLE.keywords.get(first).is_some_and(|keyword| {
        keyword.family == family
            && words.len() <= 3
            && keyword.words.split(' ').take(words.len()).eq(words.iter().copied())
    })
}

/// Every keyword, in any section, that a line with these words could be.
pub fn anywhere<'a>(words: &'a [&'a str]) -> impl Iterator<Item = &'static Keyword> + 'a {
    TABLE.families.iter().filter_map(move |family| keyword(family.name, words))
}

/// The keyword of the section that was perhaps meant: at most two letters off over the words compared. Costs some
/// microseconds; ask only for what is shown.
#[must_use]
pub fn nearest(section: &str, words: &[&str]) -> Option<&'static str> {
    let family = family(section);
    let words = without_modifier(words);
    let mut best: Option<(usize, &Keyword)> = None;
    for keyword in TABLE.keywords.iter().filter(|keyword| keyword.family == family) {
        let limit = best.map_or(2, |(distance, _)| distance.saturating_sub(1));
        if let Some(distance) = distance(keyword.words.split(' '), words, limit)
            && best.is_none_or(|(before, _)| distance < before)
        {
            best = Some((distance, keyword));
        }
    }
    best.map(|(_, keyword)| keyword.words)
}

/// An option of a `server`, `server-template` or `default-server` line.
#[must_use]
pub fn server_option(word: &str) -> Option<&'static LineOption> {
    option(&TABLE.server, word)
}

/// An option of a `bind` line.
#[must_use]
pub fn bind_option(word: &str) -> Option<&'static LineOption> {
    option(&TABLE.bind, word)
}

/// The `server` option that was perhaps meant.
#[must_use]
pub fn nearest_server_option(word: &str) -> Option<&'static str> {
    nearest_option(&TABLE.server, word)
}

/// The `bind` option that was perhaps meant.
#[must_use]
pub fn nearest_bind_option(word: &str) -> Option<&'static str> {
    nearest_option(&TABLE.bind, word)
}

/// All keywords.
#[must_use]
pub fn keywords() -> &'static [Keyword] {
    &TABLE.keywords
}

/// All options of `server` lines.
#[must_use]
pub fn server_options() -> &'static [LineOption] {
    &TABLE.server
}

/// All options of `bind` lines.
#[must_use]
pub fn bind_options() -> &'static [LineOption] {
    &TABLE.bind
}

/// Keywords that some version of 2.2 to 3.5 refuses though older ones had them.
pub fn removed() -> impl Iterator<Item = (&'static Keyword, Version)> {
    TABLE.keywords.iter().filter_map(|keyword| Some((keyword, keyword.removed?)))
}

/// Keywords that came after 2.2.
pub fn newer() -> impl Iterator<Item = (&'static Keyword, Version)> {
    TABLE.keywords.iter().filter_map(|keyword| Some((keyword, keyword.since?)))
}

/// In place of removed keywords: from the messages of the sources (`… is not supported anymore … Use …`) and, for
/// `bind-process`, `monitor-net` and `no-quic`, from the manuals.
const INSTEAD: [(&str, &str); 43] = [
    ("bind-process", "remove it; `thread` on the `bind` line does what is left of it"),
    ("block", "http-request deny"),
    ("clitimeout", "timeout client"),
    ("cliexp", "timeout client"),
    ("contimeout", "timeout connect"),
    ("debug", "start HAProxy with -d"),
    ("dispatch", "server dispatch ADDRESS"),
    ("grace", "grace in the global section"),
    ("master-worker", "start HAProxy with -W or -Ws"),
    ("monitor-net", "http-request return status 200 if { src NETWORK }"),
    ("nbproc", "remove it; threads are used by themselves"),
    ("no-quic", "tune.quic.listen off"),
    ("option forceclose", "option httpclose"),
    ("option http-tunnel", "remove it"),
    ("option http-use-htx", "remove it"),
    ("option http_proxy", "http-request set-dst and http-request set-uri"),
    ("option transparent", "server NAME 0.0.0.0"),
    ("redisp", "option redispatch"),
    ("redispatch", "option redispatch"),
    ("reqadd", "http-request add-header"),
    ("reqallow", "http-request allow"),
    ("reqdel", "http-request del-header"),
    ("reqdeny", "http-request deny"),
    ("reqiallow", "http-request allow"),
    ("reqidel", "http-request del-header"),
    ("reqideny", "http-request deny"),
    ("reqirep", "http-request replace-header"),
    ("reqitarpit", "http-request tarpit"),
    ("reqrep", "http-request replace-path, replace-uri or replace-header"),
    ("reqtarpit", "http-request tarpit"),
    ("rspadd", "http-response add-header"),
    ("rspdel", "http-response del-header"),
    ("rspdeny", "http-response deny"),
    ("rspidel", "http-response del-header"),
    ("rspideny", "http-response deny"),
    ("rspirep", "http-response replace-header"),
    ("rsprep", "http-response replace-header"),
    ("srvexp", "timeout server"),
    ("srvtimeout", "timeout server"),
    ("stats bind-process", "remove it"),
    ("trace", "a line of a traces section"),
    ("transparent", "server NAME 0.0.0.0"),
    ("tune.chksize", "tune.bufsize"),
];

#[derive(Debug, Default)]
struct Table {
    /// Sorted by family and words.
    keywords: Vec<Keyword>,
    /// The keywords of each family by their first word: every line of a file is looked up.
    families: Vec<Family>,
    /// Sorted by word.
    server: Vec<LineOption>,
    bind: Vec<LineOption>,
}

impl Table {
    fn group(&self, family: &str, first: &str) -> Option<&Group> {
        let groups = &self.families.iter().find(|known| known.name == family)?.groups;
        let at = groups.binary_search_by(|group| group.first.cmp(first)).ok()?;
        groups.get(at)
    }
}

#[derive(Debug)]
struct Family {
    name: &'static str,
    /// Sorted by first word.
    groups: Vec<Group>,
}

/// The keywords of a family with one first word.
#[derive(Debug)]
struct Group {
    first: &'static str,
    /// The most words that one of them has.
    longest: usize,
    /// Sorted by how many words they have, and by these.
    rest: Vec<Rest>,
    /// Those of them that match by the beginning of their last word, in the same order.
    begun: Vec<Rest>,
}

/// A keyword without its first word. (Compared in the order of the fields.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rest {
    /// How many words the keyword has.
    count: usize,
    /// The words between the first and the last one.
    middle: &'static str,
    /// The last word; empty where there is but one.
    last: &'static str,
    /// In the table.
    index: usize,
}

impl Rest {
    fn of(index: usize, keyword: &Keyword) -> Self {
        let rest = keyword.words.split_once(' ').map_or("", |(_, rest)| rest);
        let (middle, last) = rest.rsplit_once(' ').unwrap_or(("", rest));
        Self { count: keyword.words.split(' ').count(), middle, last, index }
    }
}

impl Group {
    /// The keyword with exactly these words, else the one that the last of them begins with.
    fn find(&self, words: &[&str]) -> Option<&'static Keyword> {
        let (last, middle) = match words {
            [_] => ("", ""),
            [_, last] => (*last, ""),
            [_, middle, last] => (*last, *middle),
            _ => return None,
        };
        let wanted = (words.len(), middle, last);
        let exact = self.rest.binary_search_by(|rest| (rest.count, rest.middle, rest.last).cmp(&wanted)).ok();
        // `set-var-fmt` sorts behind `set-var`.
        let begun = |rest: &&Rest| rest.count == words.len() && last.starts_with(rest.last) && rest.middle == middle;
        let found = exact.map(|at| &self.rest[at]).or_else(|| self.begun.iter().rev().find(begun))?;
        TABLE.keywords.get(found.index)
    }
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    let text = include_str!("haproxy_keywords.txt");
    for row in text.lines().filter(|row| !row.starts_with('#')).filter_map(row) {
        let [family, sides, since, removed, words] = row;
        let prefix = words.ends_with('*');
        let words = words.trim_end_matches('*');
        let (since, removed) = (version(since), version(removed));
        let option = || LineOption { word: words, prefix, arguments: sides.parse().unwrap_or(0), since, removed };
        match family {
            "server" => table.server.push(option()),
            "bind" => table.bind.push(option()),
            _ => table.keywords.push(Keyword { family, words, prefix, since, removed, sides }),
        }
    }
    // The file is sorted; sorting it again costs nothing and keeps the searches right whatever an editor does.
    table.keywords.sort_by(|a, b| (a.family, a.words).cmp(&(b.family, b.words)));
    table.server.sort_by_key(|option| option.word);
    table.bind.sort_by_key(|option| option.word);
    for (index, keyword) in table.keywords.iter().enumerate() {
        if table.families.last().is_none_or(|family| family.name != keyword.family) {
            table.families.push(Family { name: keyword.family, groups: Vec::new() });
        }
        let Some(family) = table.families.last_mut() else { continue };
        let first = keyword.words.split(' ').next().unwrap_or_default();
        if family.groups.last().is_none_or(|group| group.first != first) {
            family.groups.push(Group { first, longest: 0, rest: Vec::new(), begun: Vec::new() });
        }
        let Some(group) = family.groups.last_mut() else { continue };
        let rest = Rest::of(index, keyword);
        group.longest = group.longest.max(rest.count);
        group.begun.extend(keyword.prefix.then_some(rest));
        group.rest.push(rest);
    }
    for group in table.families.iter_mut().flat_map(|family| &mut family.groups) {
        group.rest.sort_unstable();
        group.begun.sort_unstable();
    }
    table
});

fn row(text: &'static str) -> Option<[&'static str; 5]> {
    let mut parts = text.splitn(5, ' ');
    Some([parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?])
}

fn version(text: &str) -> Option<Version> {
    let (major, minor) = text.split_once('.')?;
    Some(Version(major.parse().ok()?, minor.parse().ok()?, 0))
}

/// First version that has a kind of section, and first that refuses it; `None`: as old as 2.2, and still there in 3.5-dev5.
#[must_use]
pub fn section(word: &str) -> (Option<Version>, Option<Version>) {
    let since = |major, minor| (Some(Version(major, minor, 0)), None);
    match word {
        "log-forward" => since(2, 3),
        "crt-store" => since(3, 0),
        "traces" | "log-profile" => since(3, 1),
        "acme" => since(3, 2),
        "program" => (None, Some(Version(3, 3, 0))),
        _ => (None, None),
    }
}

fn side(section: &str) -> Option<char> {
    match section {
        "defaults" => Some('d'),
        "frontend" => Some('f'),
        "listen" => Some('l'),
        "backend" => Some('b'),
        _ => None,
    }
}

fn family(section: &str) -> &str {
    if side(section).is_some() { "proxy" } else { section }
}

fn without_modifier<'a, 'w>(words: &'a [&'w str]) -> &'a [&'w str] {
    match words {
        ["no" | "default", rest @ ..] if !rest.is_empty() => rest,
        _ => words,
    }
}

// A blank sorts below every letter of a keyword: the order of whole texts is that of their words.
fn compare(keyword: &Keyword, family: &str, words: &[&str]) -> Ordering {
    keyword.family.cmp(family).then_with(|| keyword.words.split(' ').cmp(words.iter().copied()))
}

fn option(options: &'static [LineOption], word: &str) -> Option<&'static LineOption> {
    let exact = options.binary_search_by(|option| option.word.cmp(word)).ok();
    let exact = exact.map(|index| &options[index]).filter(|option| !option.prefix);
    exact.or_else(|| options.iter().find(|option| option.prefix && word.starts_with(option.word)))
}

fn nearest_option(options: &'static [LineOption], word: &str) -> Option<&'static str> {
    let near = |option: &'static LineOption| Some((distance(std::iter::once(option.word), &[word], 2)?, option.word));
    options.iter().filter_map(near).min().map(|(_, word)| word)
}

/// How many letters a keyword is off from the words of a line, over all words of the keyword; `None` when more than
/// the limit, or when so much of a word is off that it is another word.
fn distance<'k>(keyword: impl Iterator<Item = &'k str>, words: &[&str], limit: usize) -> Option<usize> {
    let (mut sum, mut given) = (0, words.iter());
    for known in keyword {
        let word = *given.next()?;
        if word.len() > LONGEST || known.len().abs_diff(word.len()) > limit {
            return None;
        }
        let off = if known == word { 0 } else { strsim::osa_distance(known, word) };
        sum += off;
        if sum > limit || off * 2 >= known.len().max(2) {
            return None;
        }
    }
    Some(sum)
}

#[cfg(test)]
#[path = "haproxy_keywords_tests.rs"]
mod tests;
