//! Gathers the directives of a block, includes pasted, and goes down into the blocks within.

use super::settings::{Family, Role, Slot, Word, Written, role};
use super::{Block, Context, Item, Lowering, Place, Server};
use crate::defaults::nginx_directives::data_block;
use crate::defaults::nginx_names::{self as table, Name};
use crate::source::Site;
use crate::syntax::nginx::{Body, Node, NodeId};
use crate::topology::{LoadEffect, Matcher, Route};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The locations of one block that were seen: whether it is an exact one, and its path or pattern.
pub(super) type Locations = BTreeMap<(bool, Box<str>), Site>;

/// The name of a statement, and what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Spelled<'t> {
    /// As it is written, without quotes.
    pub text: &'t str,
    /// `None`: none of nginx's own modules has it.
    pub known: Option<&'static Name>,
}

impl Spelled<'_> {
    /// Whether a block of it holds lines of data.
    fn opens_data(self) -> bool {
        self.known.map_or_else(|| data_block(self.text), |known| known.data)
    }
}

impl Lowering<'_, '_> {
    /// Reads the statements directly below `parent` (the top of the file if none) into a block.
    pub(super) fn gather(&mut self, place: u32, parent: Option<NodeId>, block: &mut Block) {
        let Some(here) = self.places.get(place as usize).cloned() else { return };
        let Some(tree) = here.tree() else { return };
        let text = here.text();
        // What a template brings in from elsewhere is as unknown as an include that was not read.
        block.frame.unread |= tree.has_gap(parent);
        let nodes = match parent {
            Some(parent) => tree.children(parent),
            None => tree.roots(),
        };
        let told = parent.is_none() && self.knows_variables_of(here.file, block.context);
        for node in nodes {
            let raw = tree.node(node);
            let Some(&first) = tree.words(node).first() else { continue };
            // nginx's own names are hardly ever written in quotes.
            let spelled = first.raw(text);
            let (spelled, known) = match table::name(spelled) {
                Some(known) => (Cow::Borrowed(spelled), Some(known)),
                None => {
                    let decoded = tree.word(first, text);
                    let known = table::name(&decoded);
                    (decoded, known)
                }
            };
            if spelled.is_empty() {
                continue;
            }
            let name = Spelled { text: &spelled, known };
            let item = |word| Item { word, place, node };
            let is_block = matches!(raw.body(), Body::Block { .. });
            self.check_place(item(Word::Set), name, block);
            let data = is_block && name.opens_data();
            if !told && !data && self.may_name_variables(tree.looks(node), block.context) {
                self.note_variables(&here, item(Word::Set), name, block);
            }
            self.check_available(item(Word::Set), name, block);
            match known.and_then(role) {
                Some(Role::Setting(slot)) if !is_block => {
                    if block.context == Context::Upstream && slot == Slot::CLIENT_KEEPALIVE {
                        block.items.push(item(Word::KeepaliveTimeout));
                        continue;
                    }
                    let index = self.written_here(item(Word::Set), &here, raw, block);
                    if slot == Slot::RESOLVER {
                        self.read_resolver(item(Word::Set));
                    } else {
                        self.check_value(item(Word::Set), slot, name.text);
                    }
                    block.frame.set(slot, index);
                    self.check_once(item(Word::Set), name, block);
                }
                Some(Role::Header(list)) if !is_block => self.header_line(item(Word::Set), list, block),
                Some(Role::Pass(family)) if !is_block => {
                    let family = if block.context.is_stream() { Family::Stream } else { family };
                    let target = item(Word::Set);
                    if matches!(&block.pass, Some((earlier, _)) if *earlier == family) {
                        self.check_once(target, name, block);
                    }
                    if block.pass.is_none() {
                        self.note_once(target, name, block);
                    }
                    block.pass = Some((family, target));
                }
                Some(Role::Word(Word::Include)) if !is_block => self.include(item(Word::Include), block),
                Some(Role::Word(word)) if is_block => self.child(item(word), name, block),
                Some(Role::Word(Word::LoadModule)) => self.loads(item(Word::LoadModule)),
                Some(Role::Word(word)) => {
                    if block.context != Context::Data && block.context != Context::Other {
                        self.check_once(item(word), name, block);
                    }
                    if let Some(slot) = limit_slot(word) {
                        let index = self.written_here(item(word), &here, raw, block);
                        block.frame.set(slot, index);
                    }
                    block.items.push(item(word));
                    self.note_certificate(item(word), block);
                }
                _ if block.context == Context::Data || block.context == Context::Other => {}
                _ if is_block => self.child(item(Word::Set), name, block),
                role => {
                    if let Some(Role::Address(of)) = role {
                        self.other_address(item(Word::Set), of);
                    }
                    self.check_known(item(Word::Set), name, block);
                    self.check_once(item(Word::Set), name, block);
                }
            }
        }
        if block.frame.unread {
            self.named.may_be_elsewhere();
        }
        if parent.is_none() && !told {
            self.read_variables_of(here.file, block.context);
        }
    }

    /// Remembers where a setting is written.
    fn written_here(&mut self, item: Item, here: &Place, raw: &Node, block: &Block) -> usize {
        self.written.push(Written {
            place: item.place,
            file: here.file,
            start: raw.start,
            end: raw.end,
            via: here.via,
            node: item.node,
            block: block.number,
            scope: block.context.scope(),
        });
        self.written.len() - 1
    }

    /// A block within a block: remembered, and read when the outer one is complete.
    fn child(&mut self, item: Item, name: Spelled<'_>, block: &mut Block) {
        use Context as C;
        let inner = match (item.word, block.context) {
            (_, C::Data | C::Other) => return,
            (Word::Http, C::Main) => C::Http,
            (Word::Events, C::Main) => C::Events,
            (Word::Stream, C::Main) => C::Stream,
            (Word::Server, C::Http) => C::Server,
            (Word::Server, C::Stream) => C::StreamServer,
            (Word::Upstream, C::Http) => C::Upstream,
            (Word::Upstream, C::Stream) => C::StreamUpstream,
            (Word::Location, C::Server | C::Location) => C::Location,
            (Word::If, C::Server) => C::IfInServer,
            (Word::If, C::Location) => C::IfInLocation,
            (Word::LimitExcept, C::Location) => C::LimitExcept,
            (Word::Map, C::Http | C::Stream) => {
                self.note_variables_of_block(item, name.text, block);
                self.variables.map(item);
                return;
            }
            _ => {
                if name.opens_data() {
                    self.note_variables_of_block(item, name.text, block);
                } else {
                    self.check_known(item, name, block);
                }
                return;
            }
        };
        if matches!(inner, C::Http | C::Events | C::Stream) {
            self.check_once(item, name, block);
        }
        block.children.push((inner, item));
    }

    /// What a complete block means, and then the blocks within it.
    pub(super) fn finish_block(&mut self, mut block: Block) {
        match block.context {
            Context::Server | Context::StreamServer => return self.server(block),
            Context::Upstream | Context::StreamUpstream => {
                // A fragment that consists of members of a group: the group itself stands elsewhere.
                return;
            }
            Context::Location | Context::IfInLocation | Context::LimitExcept => {
                self.note_items(&block);
                self.pass_of(&mut block, None, None);
            }
            _ => self.note_items(&block),
        }
        self.children(&block);
    }

    fn children(&mut self, block: &Block) {
        let mut seen = Locations::default();
        for &(context, item) in &block.children {
            let mut inner = self.block(context, &block.frame);
            inner.site = self.site_of(item);
            self.gather(item.place, Some(item.node), &mut inner);
            self.check_buffers(&inner);
            match context {
                Context::Upstream | Context::StreamUpstream => self.upstream(item, &inner),
                Context::Location => self.location(item, inner, &mut seen),
                Context::IfInLocation | Context::IfInServer | Context::LimitExcept => {
                    let restriction = match context {
                        Context::LimitExcept => "inside a `limit_except` block",
                        _ => "inside an `if` block",
                    };
                    self.pass_of(
                        &mut inner,
                        Some((Matcher::Condition(self.words(item).into()), None)),
                        Some(restriction),
                    );
                    self.children(&inner);
                }
                _ => self.finish_block(inner),
            }
        }
    }

    fn server(&mut self, block: Block) {
        let stream = block.context == Context::StreamServer;
        let host = self.virtual_host(&block, stream);
        self.check_certificate(host, &block);
        let outer = self.server.replace(Server {
            host: Some(host),
            number: block.number,
            named: Default::default(),
            wanted: Vec::new(),
            unread: block.frame.unread || block.partial,
        });
        let mut block = block;
        self.note_items(&block);
        if stream {
            self.pass_of(&mut block, Some((Matcher::Always, None)), None);
        }
        self.children(&block);
        self.finish_named();
        self.server = outer;
    }

    fn location(&mut self, item: Item, mut inner: Block, seen: &mut Locations) {
        let (first, second) = (self.arg(item, 1), self.arg(item, 2));
        let first = first.as_ref().map_or("", |(word, _)| word);
        let (modifier, pattern) = match &second {
            Some((pattern, _)) => (first, pattern.as_ref()),
            None => split_modifier(first),
        };
        let hole = self.is_hole(item, 1) || self.is_hole(item, 2);
        let (matcher, restriction) = match modifier {
            "=" => (Matcher::Exact(pattern.into()), None),
            "~" | "~*" => (Matcher::Condition(pattern.into()), Some("in a location given by a regular expression")),
            _ if pattern.starts_with('@') => (Matcher::Named(pattern.into()), Some("in a named location")),
            _ => (Matcher::Prefix(pattern.into()), None),
        };
        if let (Some(site), false) = (self.site_of(item), hole) {
            if let Matcher::Condition(pattern) = &matcher {
                self.same_pattern(format!("{modifier} {pattern}").into(), site, seen);
            }
            let key = match &matcher {
                Matcher::Exact(path) => Some((true, path)),
                Matcher::Prefix(path) => Some((false, path)),
                _ => None,
            };
            if let Some((exact, path)) = key {
                self.duplicate_location(exact, path, site, seen);
            }
            if let (Matcher::Named(name), Some(server)) = (&matcher, &mut self.server) {
                server.named.entry(name.clone()).or_insert(site);
            }
        }
        let prefix = match &matcher {
            Matcher::Prefix(path) | Matcher::Exact(path) => Some(path.clone()),
            _ => None,
        };
        self.note_items(&inner);
        if let Some(server) = &mut self.server {
            server.unread |= inner.frame.unread;
        }
        self.pass_of(&mut inner, Some((matcher, prefix)), restriction);
        self.children(&inner);
    }

    fn duplicate_location(&mut self, exact: bool, path: &str, site: Site, seen: &mut Locations) {
        match seen.entry((exact, path.into())) {
            Entry::Occupied(first) => self.duplicate("location", path, *first.get(), site, LoadEffect::Refused, None),
            Entry::Vacant(place) => {
                place.insert(site);
            }
        }
    }

    /// A route, and a hop when the block passes requests on.
    fn pass_of(
        &mut self,
        block: &mut Block,
        matched: Option<(Matcher, Option<Box<str>>)>,
        restriction: Option<&'static str>,
    ) {
        let answers = block.items.iter().any(|item| item.word == Word::Return);
        let Some(site) = block.site else { return };
        let (matcher, prefix) = matched.unwrap_or((Matcher::Always, None));
        let pass = block.pass.filter(|_| !answers);
        if pass.is_none() && !matches!(block.context, Context::Location) {
            return;
        }
        let host = self.server.as_ref().and_then(|server| server.host);
        let route =
            self.out.topology.routes.push(Route { proxy: self.proxy, virtual_host: host, site, matcher, hop: None });
        if let Some(host) = host {
            self.out.topology.virtual_hosts[host].routes.push(route);
        }
        if let Some((family, target)) = pass {
            let rewrites = block.items.iter().any(|item| item.word == Word::Rewrite)
                || block.children.iter().any(|(context, _)| *context == Context::IfInLocation);
            self.pending.push(super::hop::Pending {
                family,
                target,
                frame: block.frame.clone(),
                block: block.number,
                site,
                route,
                prefix,
                restriction,
                rewrites,
                server: self.server.as_ref().map_or(0, |server| server.number),
            });
        }
    }

    fn words(&self, item: Item) -> String {
        self.args_of(item).map(|(word, _)| word).collect::<Vec<_>>().join(" ")
    }
}

/// The limits on requests: they inherit like settings, and a level may have several.
const fn limit_slot(word: Word) -> Option<Slot> {
    match word {
        Word::LimitReq => Some(Slot::LIMIT_REQ),
        Word::LimitConn => Some(Slot::LIMIT_CONN),
        _ => None,
    }
}

/// `location =/x`, `location ~^/x`: nginx takes the modifier off a single word too.
fn split_modifier(word: &str) -> (&str, &str) {
    for modifier in ["^~", "~*", "~", "="] {
        if let Some(rest) = word.strip_prefix(modifier) {
            return (modifier, rest);
        }
    }
    ("", word)
}
