//! nginx trees → topology.
//!
//! Facts: simple values are inherited from the innermost level that sets them, wherever in that level they stand;
//! `proxy_set_header` is replaced as a whole; `*_pass` is not inherited; an include is pasted where it stands, and a
//! relative path counts from the main file's folder (nginx.org/en/docs/; measured on 1.22.1).

mod block;
mod buffers;
mod checks;
mod companions;
mod context;
mod headers;
mod hop;
mod hosts;
mod http_version;
mod in_force;
mod include;
mod joint;
mod limits;
mod listen;
mod literal;
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
mod words;

use super::Lowered;
use super::compose::{Place as Stand, Surroundings, Values};
use super::unavailable::Unavailable;
use crate::files::{Files, Tree, folder};
use crate::source::{FileId, IncludeId, Site, SourceFile, Span};
use crate::syntax::Parsed;
use crate::syntax::nginx::{Node, NodeId, Tree as NginxTree};
use crate::topology::{
    self, Dialect, ListenerId, Pieces, Proxy, ProxyId, Reason, SyntaxFact, VirtualHostId, WorkloadId,
};
use crate::value::{ByteSize, Versions, Wait};
use context::{Context, context_of_file};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use settings::{Frame, Word, Written};
use std::collections::BTreeMap;
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
    let alone = !whole && context::stand_alone(files, around, entries);
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
        match node.body() {
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
            once: Vec::with_capacity(8),
            items: Vec::with_capacity(8),
            pass: None,
            children: Vec::new(),
            partial: false,
        }
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
