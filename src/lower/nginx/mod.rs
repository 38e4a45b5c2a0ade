//! nginx trees → topology.
//!
//! Facts: simple values are inherited from the innermost level that sets them, wherever in that level they stand;
//! `proxy_set_header` is replaced as a whole; `*_pass` is not inherited; an include is pasted where it stands, and a
//! relative path counts from the main file's folder (nginx.org/en/docs/; measured on 1.22.1).

mod block;
mod buffers;
mod checks;
mod companions;
mod headers;
mod hop;
mod hosts;
mod http_version;
mod include;
mod joint;
mod limits;
mod listen;
mod named;
mod place;
mod request_limits;
mod settings;
mod target;
mod tls;
mod upstream;
mod values;
mod variables;
mod versions;

use super::Lowered;
use super::compose::{Place as Stand, Surroundings, Values};
use super::unavailable::Unavailable;
use crate::files::{Files, Tree, folder};
use crate::source::{FileId, IncludeId, Site, SourceFile, Span};
use crate::syntax::Parsed;
use crate::syntax::nginx::{Looks, Node, NodeId, Tree as NginxTree};
use crate::topology::{
    self, Dialect, ListenerId, Pieces, Proxy, ProxyId, Reason, Scope, SyntaxFact, VirtualHostId, WorkloadId,
};
use crate::value::{ByteSize, Versions, Wait};
use settings::{Frame, Word, Written};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Lowers all nginx files: each main file with what it includes, then what nothing includes, folder by folder.
pub(super) fn lower(
    files: &mut Files<'_>,
    ids: &[FileId],
    around: &Surroundings,
    versions: Versions,
    out: &mut Lowered,
) {
    let mut included = HashSet::new();
    let mains: Vec<FileId> = ids.iter().copied().filter(|&id| context_of_file(files, id) == Context::Main).collect();
    for &main in &mains {
        if !included.contains(&main) {
            let template = files.tree(main).is_some_and(|tree| is_template(&tree));
            let (mut reading, mut readings) = (0, 1);
            while reading < readings {
                readings = run(files, around, out, &mut included, (&[main], reading), !template, versions);
                reading += 1;
            }
        }
    }
    // Files of one folder that different services run have nothing to do with each other.
    let mut fragments: BTreeMap<(String, Vec<WorkloadId>), Vec<FileId>> = BTreeMap::new();
    for &id in ids.iter().filter(|id| !included.contains(id) && !mains.contains(id)) {
        let key = (folder(files.sources.file(id).path()).to_owned(), around.runners(id));
        fragments.entry(key).or_default().push(id);
    }
    // Folders whose files include others come first: what they bring in is read in that context, and not again.
    let includes = |group: &Vec<FileId>| group.iter().any(|&id| files.sources.file(id).text().contains("include"));
    let (with, without): (Vec<_>, Vec<_>) = fragments.into_values().partition(includes);
    for group in with.into_iter().chain(without) {
        let group: Vec<FileId> = group.iter().copied().filter(|id| !included.contains(id)).collect();
        let (mut left, mut reading, mut readings) = (group, 0, 1);
        while reading < readings && !left.is_empty() {
            readings = run(files, around, out, &mut included, (&left, reading), false, versions);
            reading += 1;
            // Only templates with branches are read again, and what includes them.
            left.retain(|&id| {
                files.tree(id).is_some_and(|tree| reading < tree.readings())
                    || files.sources.file(id).text().contains("include")
            });
        }
    }
    let all: Vec<FileId> = files.sources.files().map(|(id, _)| id).collect();
    for id in all {
        if let Some(tree) = files.tree(id)
            && let Tree::Nginx(parsed) = &*tree
        {
            syntax_errors(id, parsed, out);
        }
    }
}

fn is_template(tree: &Tree) -> bool {
    matches!(tree, Tree::Nginx(parsed) if parsed.template)
}

fn syntax_errors(file: FileId, parsed: &Parsed<NginxTree>, out: &mut Lowered) {
    let site = |range: &std::ops::Range<u32>| Site::direct(Span::new(file, range.start, range.end));
    for error in &parsed.errors {
        out.topology.load.syntax.push(SyntaxFact {
            fix: error.mend.as_deref().map(|mend| super::mended(file, mend)),
            dialect: Dialect::Nginx,
            site: site(&error.at),
            message: error.message.clone(),
            label: error.label.clone(),
            others: error.others.iter().map(|(range, text)| (site(range), text.clone())).collect(),
            help: error.help.clone(),
            certain: true,
        });
    }
}

/// Lowers some files that go together, in one reading of the templates among them. Gives the number of readings that
/// there are of what was met.
fn run(
    files: &mut Files<'_>,
    around: &Surroundings,
    out: &mut Lowered,
    included: &mut HashSet<FileId>,
    (entries, reading): (&[FileId], usize),
    whole: bool,
    versions: Versions,
) -> usize {
    let Some(&entry) = entries.first() else { return 0 };
    let again = reading > 0;
    let proxy =
        out.topology.proxies.push(Proxy { dialect: Dialect::Nginx, versions, entry, whole, again, limits: None });
    let base = folder(files.sources.file(entry).path()).to_owned();
    let alone = !whole && stand_alone(files, around, entries);
    let mut lowering = Lowering {
        files,
        around,
        stands: around.of(entry).first().cloned(),
        out,
        included,
        proxy,
        whole,
        alone,
        reading,
        readings: 1,
        base,
        places: Pieces::default(),
        written: Pieces::default(),
        headers: Pieces::default(),
        blocks: 0,
        including: Vec::new(),
        expansions: 0,
        pools: HashMap::new(),
        pool_facts: HashMap::new(),
        listeners: BTreeMap::new(),
        listens: HashMap::new(),
        names: HashMap::new(),
        defaults: HashMap::new(),
        pending: Pieces::default(),
        variables: variables::Variables::default(),
        named: named::Named::default(),
        zones: checks::Zones::default(),
        without_certificate: HashMap::new(),
        loads_modules: false,
        unknown: 0,
        empty_globs: Vec::new(),
        included_as: HashMap::new(),
        server: None,
        buffers_told: HashSet::new(),
        misplaced: 0,
        process: limits::Process::default(),
        limits_told: HashSet::new(),
        versions_told: HashSet::new(),
        unavailable: Unavailable::new(proxy, Dialect::Nginx, versions),
        own_names: Vec::new(),
        lately: Lately::default(),
        by_itself: versions::ByItself::of(&versions),
    };
    for &file in entries {
        lowering.file(file);
    }
    lowering.finish();
    let (unavailable, readings) = (lowering.unavailable, lowering.readings);
    unavailable.finish(&mut out.topology.load.faults);
    readings
}

/// Whether a container of the official image reads just these files beside the image's own, and each says all that holds
/// for it.
fn stand_alone(files: &Files<'_>, around: &Surroundings, entries: &[FileId]) -> bool {
    // What one file says at its top holds for the servers of the others, too.
    let only_blocks = |id: FileId| {
        files.tree(id).is_some_and(|tree| {
            let Tree::Nginx(parsed) = &*tree else { return false };
            let text = files.sources.file(id).text();
            parsed.tree.roots().take(500).all(|node| {
                let role = crate::defaults::nginx_names::name(&parsed.tree.name(node, text)).and_then(settings::role);
                !matches!(role, Some(settings::Role::Setting(_) | settings::Role::Header(_)))
                    && role != Some(settings::Role::Word(Word::Include))
            })
        })
    };
    around.are_all_beside_own_main(entries)
        && entries.iter().all(|&id| context_of_file(files, id) == Context::Http)
        && (entries.len() == 1 || entries.iter().all(|&id| only_blocks(id)))
}

/// The contexts in which directives stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Context {
    Main,
    Events,
    Http,
    Server,
    Location,
    /// `if` inside a location.
    IfInLocation,
    /// `if` inside a server.
    IfInServer,
    LimitExcept,
    Upstream,
    Stream,
    StreamServer,
    StreamUpstream,
    /// `map`, `geo`, `types` …: lines of data.
    Data,
    /// A block of another module: not looked into.
    Other,
}

impl Context {
    const fn scope(self) -> Scope {
        match self {
            Self::Main | Self::Events => Scope::Process,
            Self::Http | Self::Stream => Scope::Shared,
            _ => Scope::Local,
        }
    }

    const fn is_stream(self) -> bool {
        matches!(self, Self::Stream | Self::StreamServer | Self::StreamUpstream)
    }
}

/// One use of a file: the file itself, or an include of it.
#[derive(Clone)]
struct Place {
    file: FileId,
    source: Arc<SourceFile>,
    tree: Arc<Tree>,
    via: Option<IncludeId>,
    /// Which branches are taken of a template.
    reading: usize,
    /// Variables of the environment that are put in before nginx reads the file.
    values: Option<Values>,
}

impl Place {
    fn tree(&self) -> Option<&NginxTree> {
        match &*self.tree {
            Tree::Nginx(parsed) => Some(parsed.reading(self.reading)),
            Tree::Haproxy(_) => None,
        }
    }

    fn text(&self) -> &str {
        self.source.text()
    }

    fn site(&self, start: u32, end: u32) -> Site {
        Site { span: Span::new(self.file, start, end), via: self.via }
    }

    /// The statement up to and including its `{`; all of it for one without a block.
    fn header(&self, node: &Node) -> Site {
        match node.body {
            crate::syntax::nginx::Body::None => self.site(node.start, node.end),
            crate::syntax::nginx::Body::Block { open, .. } | crate::syntax::nginx::Body::Raw { open, .. } => {
                self.site(node.start, open + 1)
            }
        }
    }
}

/// Something in a block that is looked at when the block is complete.
#[derive(Clone, Copy)]
struct Item {
    word: Word,
    place: u32,
    node: NodeId,
}

/// A block while its directives, includes pasted, are gathered.
struct Block {
    context: Context,
    number: u32,
    frame: Frame,
    /// The header, to be underlined for what is not written; the first statement in a fragment.
    site: Option<Site>,
    /// Directives that may stand only once, by the numbers of their names, with their places.
    once: Vec<(u16, Site)>,
    items: Vec<Item>,
    /// The last `*_pass`: it wins.
    pass: Option<(settings::Family, Item)>,
    children: Vec<(Context, Item)>,
    /// Whether more of the block stands around this file.
    partial: bool,
}

/// The virtual host that is being read.
struct Server {
    host: Option<VirtualHostId>,
    number: u32,
    named: HashMap<Box<str>, Site>,
    wanted: Vec<(Box<str>, Site)>,
    /// Whether locations may stand in a file that was not read.
    unread: bool,
}

struct Lowering<'f, 'a> {
    files: &'f mut Files<'a>,
    around: &'f Surroundings,
    /// Where the file stands with which the proxy starts.
    stands: Option<Stand>,
    out: &'f mut Lowered,
    included: &'f mut HashSet<FileId>,
    proxy: ProxyId,
    whole: bool,
    /// Whether these are all files beside the main file of the official image, which sets nothing that is inherited but
    /// `keepalive_timeout`.
    alone: bool,
    /// Which branches of templates are taken, and how many such readings there are of the files met so far.
    reading: usize,
    readings: usize,
    base: String,
    places: Pieces<Place>,
    written: Pieces<Written>,
    headers: Pieces<headers::Headers>,
    blocks: u32,
    including: Vec<FileId>,
    expansions: usize,
    pools: HashMap<(bool, String), upstream::Declared>,
    pool_facts: HashMap<crate::topology::PoolId, upstream::Facts>,
    listeners: BTreeMap<listen::Key, ListenerId>,
    /// Listeners of `http` by their addresses as they are written.
    listens: HashMap<Box<str>, ListenerId>,
    /// Names of servers, and default servers, on each listener; in fragments of each file.
    names: HashMap<(ListenerId, Option<FileId>), HashMap<Box<str>, Site>>,
    defaults: HashMap<(ListenerId, Option<FileId>), Site>,
    pending: Pieces<hop::Pending>,
    variables: variables::Variables,
    named: named::Named,
    zones: checks::Zones,
    /// Virtual hosts that have no certificate to show, as these files prove; and whether they turn handshakes away.
    without_certificate: HashMap<VirtualHostId, bool>,
    loads_modules: bool,
    /// Directives met that no module known here has.
    unknown: usize,
    empty_globs: Vec<include::EmptyGlob>,
    /// Where the plain paths of includes lead, where that is the same in every file.
    included_as: HashMap<Box<str>, FileId>,
    server: Option<Server>,
    /// Settings of buffers that were found to contradict each other.
    buffers_told: HashSet<[Option<u32>; 3]>,
    /// How many directives stand where they may not.
    misplaced: usize,
    /// What is said of the process as a whole.
    process: limits::Process,
    /// Limits on requests that were looked at: where they are written.
    limits_told: HashSet<usize>,
    /// Headers that were found to want another version.
    versions_told: HashSet<crate::source::Site>,
    /// What the release may lack.
    unavailable: Unavailable,
    /// Targets that name the machine itself, with their ports.
    own_names: Vec<(Box<str>, u16, Site)>,
    /// What neighbours have in common.
    lately: Lately,
    /// What the versions in question do by themselves.
    by_itself: versions::ByItself,
}

/// What neighbours have in common: it is kept once.
#[derive(Default)]
struct Lately {
    retry: topology::Lately<topology::Retry>,
    buffers: topology::Lately<topology::ResponseBuffers>,
    passive: topology::Lately<topology::PassiveCheck>,
    /// The sizes of buffers that were compared last, and whether others may be in force.
    compared: Option<([[Option<u32>; 3]; settings::BUFFERED.len()], bool)>,
    waits: topology::Lately<topology::Setting<Wait>>,
    sizes: topology::Lately<topology::Setting<ByteSize>>,
}

impl Lowering<'_, '_> {
    fn file(&mut self, file: FileId) {
        let Some(place) = self.place(file, None) else { return };
        let context = context_of_file(self.files, file);
        if !self.whole {
            // Each fragment counts its includes from where it stands.
            folder(self.files.sources.file(file).path()).clone_into(&mut self.base);
        }
        let mut block = self.block(context, &Frame::default());
        block.partial = !self.whole;
        let roots = match self.places[place as usize].tree() {
            Some(tree) => tree.roots().next().map(|id| tree.node(id).start),
            None => None,
        };
        block.site = roots.map(|start| {
            let place = &self.places[place as usize];
            place.site(start, start)
        });
        self.including.push(file);
        self.gather(place, None, &mut block);
        self.including.pop();
        self.finish_block(block);
    }

    fn place(&mut self, file: FileId, via: Option<IncludeId>) -> Option<u32> {
        let tree = self.files.tree(file)?;
        if tree.dialect() != Dialect::Nginx {
            return None;
        }
        self.included.insert(file);
        if is_template(&tree) {
            self.named.may_be_elsewhere();
        }
        let values = self.around.values(file);
        self.readings = self.readings.max(tree.readings());
        // A template with fewer branches stays at its last ones, as long chains of branches do.
        let reading = self.reading.min(tree.readings() - 1);
        self.places.push(Place { file, source: self.files.sources.share(file), tree, via, reading, values });
        Some(self.places.len() as u32 - 1)
    }

    fn block(&mut self, context: Context, outer: &Frame) -> Block {
        self.blocks += 1;
        Block {
            context,
            number: self.blocks,
            frame: outer.clone(),
            site: None,
            once: Vec::new(),
            items: Vec::new(),
            pass: None,
            children: Vec::new(),
            partial: false,
        }
    }

    /// The site of a statement; of a block, its header only.
    fn site_of(&self, item: Item) -> Option<Site> {
        let place = self.places.get(item.place as usize)?;
        Some(place.header(place.tree()?.node(item.node)))
    }

    /// An argument of a statement (0 is its name), unquoted, with its place. `None` where there is none.
    fn arg(&self, item: Item, index: usize) -> Option<(Cow<'_, str>, Site)> {
        self.word_at(self.places.get(item.place as usize)?, item.node, index)
    }

    /// An argument of a statement of this use of a file.
    fn word_at<'p>(&self, place: &'p Place, node: NodeId, index: usize) -> Option<(Cow<'p, str>, Site)> {
        let tree = place.tree()?;
        let word = *tree.words(node).get(index)?;
        let site = place.site(word.start, word.end);
        let looks = tree.looks(node);
        // Nearly every word is its own value.
        if !looks.has(Looks::ESCAPED.or(Looks::VARIABLE)) && !tree.has_holes() {
            return Some((Cow::Borrowed(word.raw(place.text())), site));
        }
        let text = match self.filled(place, tree, word) {
            Some(filled) => Cow::Owned(NginxTree::value(&filled)),
            None if looks.has(Looks::ESCAPED) => tree.word(word, place.text()),
            None => Cow::Borrowed(word.raw(place.text())),
        };
        let text = match &place.values {
            Some(values) if text.contains('$') => Cow::Owned(values.put_into(&text)),
            _ => text,
        };
        Some((text, site))
    }

    /// All arguments after the name, unquoted, with their places.
    fn args(&self, item: Item) -> Vec<(Cow<'_, str>, Site)> {
        self.args_of(item).collect()
    }

    /// The same, one by one.
    fn args_of(&self, item: Item) -> impl Iterator<Item = (Cow<'_, str>, Site)> {
        (1..).map_while(move |index| self.arg(item, index))
    }

    /// How many arguments there are after the name.
    fn words_of(&self, item: Item) -> usize {
        let tree = self.places.get(item.place as usize).and_then(Place::tree);
        tree.map_or(0, |tree| tree.words(item.node).len().saturating_sub(1))
    }

    /// The arguments of a statement of this use of a file.
    fn words_at<'p>(&self, place: &'p Place, node: NodeId) -> Vec<(Cow<'p, str>, Site)> {
        (1..).map_while(|index| self.word_at(place, node, index)).collect()
    }

    /// Whether an argument is filled in by a template.
    fn is_hole(&self, item: Item, index: usize) -> bool {
        let Some(place) = self.places.get(item.place as usize) else { return false };
        let Some(tree) = place.tree() else { return false };
        if !tree.has_holes() && !tree.looks(item.node).has(Looks::MARK) {
            return false;
        }
        tree.words(item.node).get(index).is_some_and(|&word| {
            tree.has_hole(word) && self.filled(place, tree, word).is_none()
                || crate::value::later::is_marked(word.raw(place.text()))
        })
    }

    /// A word with what a template is known to put into it, as it stands in the text.
    fn filled(&self, place: &Place, tree: &NginxTree, word: crate::syntax::nginx::Word) -> Option<String> {
        let known = || self.out.filled.put_into(place.file, place.text(), word.start..word.end);
        tree.has_hole(word).then(known).flatten()
    }

    /// Whether a place stands in a file with template tags.
    fn is_template(&self, site: Site) -> bool {
        self.files.tree(site.span.file).is_some_and(|tree| is_template(&tree))
    }

    /// Whether a template decides if, or how often, a place is there.
    fn is_decided_elsewhere(&self, site: Site) -> bool {
        self.files
            .tree(site.span.file)
            .is_some_and(|tree| tree.branches().is_some_and(|branches| branches.is_within(site.span.start)))
    }

    /// Whether a branch or a loop of a template begins in a block: it may hold more or less than is seen.
    fn is_filled_by_template(&self, item: Item) -> bool {
        let Some(place) = self.places.get(item.place as usize) else { return false };
        let Some(node) = place.tree().map(|tree| *tree.node(item.node)) else { return false };
        place.tree.branches().is_some_and(|branches| branches.begin_in(node.start..node.end))
    }

    /// Why something that is not written at a place cannot be called absent; `None`: it is absent.
    fn doubt(&self, frame: &Frame) -> Option<Reason> {
        if !self.whole && !self.alone {
            Some(Reason::OutsideRepository)
        } else if frame.unread {
            Some(Reason::UnreadInclude)
        } else {
            None
        }
    }

    fn finish(&mut self) {
        self.finish_includes();
        self.finish_named_variables();
        self.finish_listeners();
        // All names have been seen; the hops need the memory.
        (self.names, self.defaults) = (HashMap::new(), HashMap::new());
        self.finish_hops();
        self.finish_zones();
        self.finish_process();
        self.finish_own_names();
    }
}

/// The least context in which every statement at the top of a file is legal: what nginx would see if it were included
/// where it makes sense.
fn context_of_file(files: &Files<'_>, id: FileId) -> Context {
    let Some(tree) = files.tree(id) else { return Context::Other };
    let Tree::Nginx(parsed) = &*tree else { return Context::Other };
    let source = files.sources.file(id);
    let text = source.text();
    let tree = &parsed.tree;
    let mut least = Context::Http;
    let mut decided = false;
    // The first few hundred statements decide; a file of data lines has no more to say.
    for node in tree.roots().take(500) {
        let name = tree.name(node, text);
        let block = !matches!(tree.node(node).body, crate::syntax::nginx::Body::None);
        match &*name {
            "events" | "http" | "stream" | "mail" if block => return Context::Main,
            "worker_processes" | "load_module" | "pid" | "user" | "worker_rlimit_nofile" if !block => {
                return Context::Main;
            }
            "server" if block => {
                return if is_stream_server(tree, node, text) { Context::Stream } else { Context::Http };
            }
            "upstream" if block => {
                least = Context::Http;
                decided = true;
            }
            "server" => return Context::Upstream,
            "location" if block => return Context::Server,
            "listen" | "server_name" if !decided => {
                least = Context::Server;
                decided = true;
            }
            "proxy_pass" | "fastcgi_pass" | "uwsgi_pass" | "scgi_pass" | "grpc_pass" if !decided => {
                least = Context::Location;
                decided = true;
            }
            _ => {}
        }
    }
    least
}

/// `proxy_pass` straight in a `server` is legal in stream only.
fn is_stream_server(tree: &NginxTree, server: NodeId, text: &str) -> bool {
    let mut passes = false;
    for node in tree.children(server) {
        match &*tree.name(node, text) {
            "location" | "server_name" | "root" | "return" => return false,
            "proxy_pass" => passes = true,
            _ => {}
        }
    }
    passes
}
