//! Variables that `set` and `map` give constant values: what a computed target can come to.

use super::settings::Word;
use super::{Item, Lowering};
use crate::source::Site;
use foldhash::{HashMap, HashSet};

/// Deepest chain of variables made of variables that is followed.
const MAX_CHAIN: usize = 4;
/// Most values of one target that are followed.
const MAX_VALUES: usize = 64;

/// A value that a variable is given.
#[derive(Clone, Debug)]
pub(super) struct Assigned {
    pub value: Box<str>,
    pub site: Site,
    /// The server it stands in (0: none, a `map`).
    pub server: u32,
    /// The block it stands in.
    pub block: u32,
}

/// The values that one variable is given, in the order of the files. Thousands of servers may give it theirs.
#[derive(Default)]
struct Assignments {
    all: Vec<Assigned>,
    by_block: HashMap<u32, Vec<usize>>,
    by_server: HashMap<u32, Vec<usize>>,
}

impl Assignments {
    fn push(&mut self, assigned: Assigned) {
        self.by_block.entry(assigned.block).or_default().push(self.all.len());
        self.by_server.entry(assigned.server).or_default().push(self.all.len());
        self.all.push(assigned);
    }

    fn in_block(&self, block: u32) -> Vec<&Assigned> {
        self.by_block.get(&block).into_iter().flatten().filter_map(|&at| self.all.get(at)).collect()
    }

    /// Those of a server, and those that stand outside of servers.
    fn in_server(&self, server: u32) -> Vec<&Assigned> {
        let of = |server| self.by_server.get(&server).into_iter().flatten().copied().take(MAX_VALUES);
        let mut found: Vec<usize> = of(server).chain(of(0).filter(|_| server != 0)).collect();
        found.sort_unstable();
        found.into_iter().take(MAX_VALUES).filter_map(|at| self.all.get(at)).collect()
    }
}

/// Variables of one proxy.
#[derive(Default)]
pub(super) struct Variables {
    assigned: HashMap<Box<str>, Assignments>,
    maps: Vec<Item>,
    /// Paths to which copies of requests are sent (`mirror`).
    pub mirrors: HashSet<Box<str>>,
}

impl Variables {
    pub fn map(&mut self, item: Item) {
        self.maps.push(item);
    }
}

/// What a text with variables can come to.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    /// Each value with the place that decides it.
    pub values: Vec<(String, Site)>,
    /// Whether these are all.
    pub complete: bool,
}

impl Lowering<'_, '_> {
    /// `set` directives of a block.
    pub(super) fn note_items(&mut self, block: &super::Block) {
        let server = self.server.as_ref().map_or(0, |server| server.number);
        self.process.unread |= block.frame.unread;
        for &item in &block.items {
            match item.word {
                Word::Set => {
                    let (Some((name, _)), Some((value, _)), Some(site)) =
                        (self.arg(item, 1), self.arg(item, 2), self.site_of(item))
                    else {
                        continue;
                    };
                    let Some(name) = name.strip_prefix('$') else { continue };
                    let unknown = self.is_hole(item, 2) || crate::value::later::is_bracketed(&value);
                    let value: Box<str> = if unknown { "${}".into() } else { value.as_ref().into() };
                    let assigned = Assigned { value, site, server, block: block.number };
                    let name: Box<str> = name.into();
                    self.variables.assigned.entry(name).or_default().push(assigned);
                }
                Word::Mirror => {
                    if let Some((path, _)) = self.arg(item, 1) {
                        let path: Box<str> = path.as_ref().into();
                        self.variables.mirrors.insert(path);
                    }
                }
                Word::ErrorPage | Word::TryFiles => self.named_reference(item),
                Word::File | Word::Certificate => self.file_at_start(item),
                Word::WorkerConnections | Word::WorkerFiles => self.of_the_process(item),
                Word::LimitReqZone | Word::LimitConnZone | Word::LimitReq | Word::LimitConn => self.zone(item, block),
                _ => {}
            }
        }
    }

    /// Reads the maps: their values are those of the variable they define, wherever it is used.
    pub(super) fn read_maps(&mut self) {
        for item in std::mem::take(&mut self.variables.maps) {
            let Some((name, _)) = self.arg(item, 2) else { continue };
            let Some(name) = name.strip_prefix('$').map(Box::<str>::from) else { continue };
            let Some(place) = self.places.get(item.place as usize).cloned() else { continue };
            let Some(tree) = place.tree() else { continue };
            // Without `default` the variable may be empty; but the keys may be all that there are.
            let mut values = Vec::new();
            for entry in tree.children(item.node) {
                let words = tree.words(entry);
                let key = tree.name(entry, place.text());
                let Some(&value) = words.get(1) else { continue };
                if key == "include" {
                    values.push(("${}".into(), place.site(value.start, value.end)));
                    continue;
                }
                let text = if tree.has_hole(value) { "${}".into() } else { tree.word(value, place.text()) };
                values.push((text.into_owned(), place.site(value.start, value.end)));
            }
            let entry = self.variables.assigned.entry(name).or_default();
            for (value, site) in values.into_iter().take(MAX_VALUES) {
                entry.push(Assigned { value: value.into(), site, server: 0, block: 0 });
            }
        }
    }

    /// What a text with variables can come to in a location of a server.
    pub(super) fn outcomes(&self, text: &str, at: Site, server: u32, block: u32) -> Outcomes {
        let mut out = Outcomes { values: vec![(String::new(), at)], complete: true };
        self.expand(text, server, block, 0, &mut out);
        out
    }

    fn expand(&self, text: &str, server: u32, block: u32, depth: usize, out: &mut Outcomes) {
        let mut rest = text;
        while !rest.is_empty() {
            let Some(dollar) = rest.find('$') else {
                append(out, rest);
                return;
            };
            let (before, after) = rest.split_at(dollar);
            append(out, before);
            let (name, tail) = variable_name(after);
            rest = tail;
            let values = match name {
                Some(name) if depth < MAX_CHAIN => self.values_of(name, server, block),
                _ => Vec::new(),
            };
            if values.is_empty() {
                // Its own spelling stands for what is not known.
                append(out, after.get(..after.len() - tail.len()).unwrap_or(""));
                out.complete = false;
                continue;
            }
            let mut all = Vec::new();
            for assigned in values {
                let mut inner = Outcomes { values: vec![(String::new(), assigned.site)], complete: true };
                self.expand(&assigned.value, server, block, depth + 1, &mut inner);
                out.complete &= inner.complete;
                for (prefix, _) in &out.values {
                    for (value, site) in &inner.values {
                        all.push((format!("{prefix}{value}"), *site));
                    }
                }
                if all.len() > MAX_VALUES {
                    out.complete = false;
                    all.truncate(MAX_VALUES);
                    break;
                }
            }
            out.values = all;
        }
    }

    fn values_of(&self, name: &str, server: u32, block: u32) -> Vec<&Assigned> {
        let Some(all) = self.variables.assigned.get(name) else { return Vec::new() };
        let in_block = all.in_block(block);
        if in_block.is_empty() { all.in_server(server) } else { in_block }
    }
}

fn append(out: &mut Outcomes, text: &str) {
    for (value, _) in &mut out.values {
        value.push_str(text);
    }
}

/// The variable at the start of a text that begins with `$`, and what follows it.
pub(super) fn variable_name(text: &str) -> (Option<&str>, &str) {
    let body = text.get(1..).unwrap_or("");
    if let Some(braced) = body.strip_prefix('{') {
        return match braced.find('}') {
            Some(end) => (braced.get(..end), braced.get(end + 1..).unwrap_or("")),
            None => (None, ""),
        };
    }
    let end = body.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    (body.get(..end).filter(|name| !name.is_empty()), body.get(end..).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_names_are_cut_off() {
        assert_eq!(variable_name("$host:80"), (Some("host"), ":80"));
        assert_eq!(variable_name("${a}b"), (Some("a"), "b"));
        assert_eq!(variable_name("$"), (None, ""));
        assert_eq!(variable_name("${a"), (None, ""));
    }
}
