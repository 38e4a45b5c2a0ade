//! Variables that are used and that nothing defines: nginx refuses them, without naming a file or a line.
//!
//! Nothing is said where a module, an include or a template that is not known here may define them.

use super::block::Spelled;
use super::{Block, Context, Item, Lowering, Place};
use crate::defaults::nginx_variables as table;
use crate::source::{FileId, Site, clean};
use crate::syntax::nginx::Looks;
use crate::topology::{Fault, FaultKind, FaultWeight, LoadEffect};
use foldhash::{HashMap, HashSet};
use memchr::memchr;
use std::borrow::Cow;

/// No reader wants more of them from one run.
const MOST: usize = 50;

/// Names with where each was used first, and how it is written there.
type Used = HashMap<Box<str>, (Site, Box<str>)>;

/// Variables as they are named in the files; of `http` and of `stream`, by their names in lower case, as nginx compares
/// them.
#[derive(Default)]
pub(super) struct Named {
    used: [Used; 2],
    defined: [HashSet<Box<str>>; 2],
    /// Files whose statements at the top have been read in `http` or in `stream`: what is included again says the same.
    read: HashSet<(FileId, bool)>,
    /// Whether somebody whom these files do not show may define more.
    others: bool,
}

impl Named {
    /// Somebody whom these files do not show may define variables.
    pub(super) const fn may_be_elsewhere(&mut self) {
        self.others = true;
    }

    fn define(&mut self, name: &str, stream: bool) {
        let (name, defined) = (lower(name), &mut self.defined[usize::from(stream)]);
        if !defined.contains(&*name) {
            defined.insert(name.into());
        }
    }
}

impl Lowering<'_, '_> {
    /// Looks for variables in the arguments of a statement.
    pub(super) fn note_variables(&mut self, here: &Place, item: Item, name: Spelled<'_>, block: &Block) {
        let stream = block.context.is_stream();
        let expanded = name.known.and_then(|known| known.expanded);
        let all = here.tree().map_or(0, |tree| tree.words(item.node).len()).saturating_sub(1);
        let mut pattern = false;
        for at in 1.. {
            let Some((text, site)) = self.word_at(here, item.node, at) else { break };
            // What a pattern captures has a name, too.
            self.captures(&text, stream);
            if memchr(b'$', text.as_bytes()).is_none() || self.is_hole(item, at) {
                continue;
            }
            let used = match expanded {
                Some(arguments) => arguments.hold(at, all, &text),
                None => name.text == "if" && !pattern,
            };
            pattern |= text.trim_start_matches('!').starts_with('~');
            if used {
                self.uses(&text, site, stream);
            } else {
                // `set $x`, `map … $x`, `auth_request_set $x`, and what other modules have like that.
                self.defines(&text, stream);
            }
        }
    }

    /// The same for a block of data: `map`, `geo`, `split_clients`.
    pub(super) fn note_variables_of_block(&mut self, item: Item, name: &str, block: &Block) {
        if !self.whole || self.named.others {
            return;
        }
        let stream = block.context.is_stream();
        let words = self.args(item).into_iter().map(|(word, site)| (word.into_owned(), site)).collect::<Vec<_>>();
        let (source, target) = match (name, words.as_slice()) {
            ("map" | "geo" | "split_clients", [source, target]) => (Some(source), Some(target)),
            ("geo", [target]) => (None, Some(target)),
            _ => (None, None),
        };
        if let Some((word, site)) = source {
            self.uses(word, *site, stream);
        }
        match target {
            Some((word, _)) => self.defines(word, stream),
            None => words.iter().for_each(|(word, _)| self.defines(word, stream)),
        }
        if name == "map" {
            self.entries_of_map(item, stream);
        }
    }

    /// Keys that are patterns capture, and values have variables.
    fn entries_of_map(&mut self, item: Item, stream: bool) {
        let Some(place) = self.places.get(item.place as usize).cloned() else { return };
        let Some(tree) = place.tree() else { return };
        for entry in tree.children(item.node) {
            let key = tree.name(entry, place.text());
            if key == "include" {
                self.named.may_be_elsewhere();
                return;
            }
            self.captures(&key, stream);
            if let Some(&value) = tree.words(entry).get(1)
                && !tree.has_hole(value)
            {
                let text = tree.word(value, place.text());
                if text.contains('$') {
                    self.uses(&text, place.site(value.start, value.end), stream);
                }
            }
        }
    }

    /// A word that is a variable and nothing else.
    fn defines(&mut self, word: &str, stream: bool) {
        if let Some(name) = word.strip_prefix('$').filter(|name| !name.is_empty() && !name.contains('$')) {
            self.named.define(name.trim_matches(['{', '}']), stream);
        }
    }

    /// `(?<name>…)`, `(?P<name>…)`, `(?'name'…)`.
    fn captures(&mut self, text: &str, stream: bool) {
        if memchr(b'(', text.as_bytes()).is_none() {
            return;
        }
        for part in text.split("(?").skip(1) {
            let part = part.strip_prefix('P').unwrap_or(part);
            let name = match part.strip_prefix('<') {
                Some(rest) => rest.split_once('>'),
                None => part.strip_prefix('\'').and_then(|rest| rest.split_once('\'')),
            };
            if let Some((name, _)) = name {
                self.named.define(name, stream);
            }
        }
    }

    fn uses(&mut self, text: &str, site: Site, stream: bool) {
        let mut rest = text;
        while let Some(dollar) = memchr(b'$', rest.as_bytes()) {
            let (name, tail) = super::variables::variable_name(&rest[dollar..]);
            let braced = rest[dollar..].starts_with("${");
            rest = tail;
            let Some(name) = name.filter(|name| !name.starts_with(|c: char| c.is_ascii_digit())) else { continue };
            // `$PORT` and `${app_port}` are for `envsubst` and its like to fill in.
            let foreign = braced && !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if foreign || !name.bytes().any(|b| b.is_ascii_lowercase()) {
                continue;
            }
            let (lower, used) = (lower(name), &mut self.named.used[usize::from(stream)]);
            if !table::exists(&lower, stream) && !used.contains_key(&*lower) {
                used.insert(lower.into(), (site, name.into()));
            }
        }
    }

    /// Reports what nothing defines.
    pub(super) fn finish_named_variables(&mut self) {
        let named = std::mem::take(&mut self.named);
        if !self.whole || named.others || self.unknown > 0 {
            return;
        }
        let [http, stream] = &named.used;
        let mut missing: Vec<_> = (http.iter().map(|used| (false, used)).chain(stream.iter().map(|used| (true, used))))
            .filter(|(stream, (name, _))| !named.defined[usize::from(*stream)].contains(*name))
            .collect();
        missing.sort_by_key(|(_, (_, (site, _)))| (site.span.file, site.span.start));
        for (stream, (lower, (site, written))) in missing.into_iter().take(MOST) {
            let mut known: Vec<&str> = table::names(stream).collect();
            known.extend(named.defined[usize::from(stream)].iter().map(|name| &**name).take(1000));
            let near = known
                .into_iter()
                .filter(|name| name.len().abs_diff(lower.len()) <= 2)
                .map(|name| (strsim::osa_distance(name, lower), name))
                .filter(|(distance, _)| *distance <= if lower.len() < 6 { 1 } else { 2 })
                .min();
            let elsewhere = table::exists(lower, !stream) || named.defined[usize::from(!stream)].contains(lower);
            let shown = clean(written);
            let help = match near {
                Some((_, near)) => format!("write `${near}`, if that is meant"),
                None if elsewhere && stream => "there is none of that name in `stream`, only in `http`".to_owned(),
                None if elsewhere => "there is none of that name in `http`, only in `stream`".to_owned(),
                None => format!("define it, with `set ${shown} …;` or a `map`, or correct its name"),
            };
            // In braces another program may be meant to fill it in before nginx reads it.
            let braced = self.text_of(*site).is_some_and(|text| text.contains(&format!("${{{written}}}")));
            let weight = if braced { FaultWeight::MayFail } else { FaultWeight::Fails };
            let fault = Fault::new(
                FaultKind::UnsetVariable,
                self.proxy,
                (*site, format!("nothing defines `${shown}`")),
                format!("nginx does not start: no module and no line of these files defines the variable `${shown}`"),
            )
            .effect(LoadEffect::Refused)
            .help(help)
            .weight(weight, !braced);
            self.out.topology.load.faults.push(fault);
        }
    }

    fn text_of(&self, site: Site) -> Option<&str> {
        self.files.sources.file(site.span.file).text().get(site.span.start as usize..site.span.end as usize)
    }

    /// A module that is loaded: nginx's own are known.
    pub(super) fn loads(&mut self, item: Item) {
        self.loads_modules = true;
        if !self.arg(item, 1).is_some_and(|(path, _)| table::own_module(&path)) {
            self.named.may_be_elsewhere();
        }
    }

    /// Whether variables are looked for at all in such a block.
    fn looks_for_variables(&self, context: Context) -> bool {
        self.whole
            && !self.named.others
            && !matches!(context, Context::Main | Context::Events | Context::Data | Context::Other)
    }

    /// Whether a statement may name variables: cheap, for it is asked of every one.
    pub(super) fn may_name_variables(&self, looks: Looks, context: Context) -> bool {
        looks.has(Looks::VARIABLE.or(Looks::GROUP)) && self.looks_for_variables(context)
    }

    /// Whether the variables of a file, at its top, are known from another use of it.
    pub(super) fn knows_variables_of(&self, file: FileId, context: Context) -> bool {
        self.named.read.contains(&(file, context.is_stream()))
    }

    /// All statements at the top of a file have been read.
    pub(super) fn read_variables_of(&mut self, file: FileId, context: Context) {
        if self.looks_for_variables(context) {
            self.named.read.insert((file, context.is_stream()));
        }
    }
}

/// A name in lower case: nearly all are written so.
fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
