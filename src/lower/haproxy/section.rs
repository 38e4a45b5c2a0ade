//! One `frontend`, `backend` or `listen` section: its lines, gathered.

use super::bind::{self, Bind};
use super::companions;
use super::dangling;
use super::failing;
use super::file::File;
use super::misplaced;
use super::names::Kind;
use super::paths;
use super::profile::{Extent, Profile, Slot};
use super::rules;
use super::server::{self, Server, Surroundings};
use super::text::{Prefix, Statement};
use super::whole;
use crate::defaults::haproxy as built_in;
use crate::source::Site;
use crate::syntax::haproxy::{ConditionId, SectionId, SectionKeyword};
use crate::topology::{Fault, HostSent, LoadEffect, Matcher, Setting, speaks_of_websockets};
use crate::value::Wait;
use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// Where a frontend sends requests.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: Box<str>,
    /// The statement.
    pub(super) site: Site,
    /// The name in it.
    pub(super) name_site: Site,
    pub(super) matcher: Matcher,
    /// Whether the name is put together per request.
    pub(super) computed: bool,
    /// Whether the name is filled in while the file is loaded.
    pub(super) filled_in: bool,
    /// Whether it stands in a branch that HAProxy may pass over.
    pub(super) conditional: bool,
    /// Whether the condition speaks of websockets, and whether it can hardly mean anything else.
    pub(super) websockets: Option<bool>,
}

/// What a section says.
pub(super) struct Section {
    pub(super) keyword: SectionKeyword,
    pub(super) condition: Option<ConditionId>,
    pub(super) name: Box<str>,
    pub(super) name_site: Site,
    pub(super) extent: Extent,
    pub(super) profile: Profile,
    pub(super) binds: Vec<(Bind, Option<ConditionId>)>,
    pub(super) servers: Vec<Server>,
    pub(super) wanted: Vec<Wanted>,
    /// Whether there may be servers that are not written.
    pub(super) open_ended: bool,
    pub(super) answers_itself: bool,
    pub(super) check_rules: Vec<Site>,
    /// `http-check` rules: they act only with `option httpchk`.
    pub(super) http_check_rules: Vec<Site>,
    pub(super) sticky: Option<Site>,
    pub(super) host_sent: HostSent,
    pub(super) path_kept: bool,
    pub(super) fastcgi: bool,
    pub(super) expects_proxy: bool,
    /// Some clients must send a PROXY header, others need not.
    pub(super) may_expect_proxy: bool,
    /// Whether there are rules that only HTTP has.
    pub(super) speaks_http: bool,
    /// Servers whose state others follow, as written.
    pub(super) tracked: Vec<(Box<str>, Site)>,
    /// What servers that follow others ask of its own, where there are any.
    pub(super) followed: Option<Box<Followed>>,
    /// Other sections that it names.
    pub(super) references: Vec<(Kind, Box<str>, Site)>,
    /// What HAProxy refuses or misreads in it, unless it is switched off.
    pub(super) faults: Vec<Fault>,
    pub(super) answers: dangling::Answers,
    /// Whether rules say how checks connect.
    pub(super) connects: bool,
    /// One that says nothing of TLS.
    pub(super) bare_connect: Option<Site>,
}

impl Section {
    /// Whether clients connect here.
    pub(super) const fn listens(&self) -> bool {
        matches!(self.keyword, SectionKeyword::Frontend | SectionKeyword::Listen)
    }

    /// Whether it has servers.
    pub(super) const fn serves(&self) -> bool {
        matches!(self.keyword, SectionKeyword::Backend | SectionKeyword::Listen)
    }

    /// Whether requests are understood as HTTP. Where that is decided elsewhere, the rules show it.
    pub(super) fn is_http(&self) -> bool {
        self.profile.is_http().unwrap_or(self.speaks_http)
    }

    /// What other sections ask of it, once it has been lowered.
    pub(super) fn outline(self) -> Outline {
        let client = self.profile.timeout(&self.profile.client, &built_in::TIMEOUT_CLIENT, &self.extent);
        Outline {
            front: self.listens().then(|| {
                Box::new(Front {
                    binds: self.binds.into(),
                    wanted: self.wanted.into(),
                    default_backend: self.profile.default_backend.clone(),
                    client,
                    closes: self.profile.closes.clone(),
                })
            }),
            keyword: self.keyword,
            condition: self.condition,
            name: self.name,
            header: self.extent.header,
            is_http: self.profile.is_http(),
            mode: self.profile.http.site(),
            disabled: self.profile.disabled.is_some(),
            unsure: self.profile.beyond.is_some(),
            references: self.references.into(),
            tracked: self.tracked.into(),
            followed: self.followed,
        }
    }
}

/// The servers of a section, as servers that follow them see them.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Their names, where they are all known.
    pub(super) names: Option<HashSet<Box<str>>>,
    /// Those whose state nobody finds out.
    pub(super) silent: HashMap<Box<str>, Site>,
}

/// What is kept of a section. A file may have very many, and most of what they say is in the model then.
pub(super) struct Outline {
    pub(super) keyword: SectionKeyword,
    pub(super) condition: Option<ConditionId>,
    pub(super) name: Box<str>,
    pub(super) header: Site,
    /// Whether requests are understood as HTTP; `None`: it is decided elsewhere.
    pub(super) is_http: Option<bool>,
    /// Where that is written.
    pub(super) mode: Option<Site>,
    pub(super) disabled: bool,
    /// Whether settings that nobody has written here may be written elsewhere.
    pub(super) unsure: bool,
    /// Other sections that it names.
    pub(super) references: Box<[(Kind, Box<str>, Site)]>,
    /// Servers whose state others follow, as written.
    pub(super) tracked: Box<[(Box<str>, Site)]>,
    pub(super) followed: Option<Box<Followed>>,
    /// What a section that clients connect to says besides.
    pub(super) front: Option<Box<Front>>,
}

/// What is kept of a section that clients connect to.
pub(super) struct Front {
    pub(super) binds: Box<[(Bind, Option<ConditionId>)]>,
    pub(super) wanted: Box<[Wanted]>,
    pub(super) default_backend: Slot<Box<str>>,
    /// How long a quiet client is waited for.
    pub(super) client: Setting<Wait>,
    /// Whether server connections are closed after each answer.
    pub(super) closes: Slot<bool>,
}

impl Outline {
    /// Whether it has servers.
    pub(super) const fn serves(&self) -> bool {
        matches!(self.keyword, SectionKeyword::Backend | SectionKeyword::Listen)
    }

    /// What it listens on.
    pub(super) fn binds(&self) -> &[(Bind, Option<ConditionId>)] {
        self.front.as_ref().map_or(&[], |front| &front.binds)
    }
}

/// Where servers or ACLs of one name stand, and in which branch: hardly ever more than one.
struct Places {
    first: (Site, Option<ConditionId>),
    others: Vec<(Site, Option<ConditionId>)>,
}

/// Servers or ACLs by their names.
type Seen<'a> = HashMap<Cow<'a, str>, Places>;

/// Notes one more of a name.
fn see<'a>(seen: &mut Seen<'a>, name: Cow<'a, str>, place: (Site, Option<ConditionId>)) {
    match seen.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(Places { first: place, others: Vec::new() });
        }
        Entry::Occupied(mut entry) if entry.get().others.len() + 1 < COMPARED => entry.get_mut().others.push(place),
        Entry::Occupied(_) => {}
    }
}

/// The second word of a statement.
fn second<'a>(statement: &Statement<'a>) -> Cow<'a, str> {
    statement.args.get(1).map_or(Cow::Borrowed(""), |arg| arg.text.clone())
}

/// How many equal names are compared with each other.
const COMPARED: usize = 8;

/// Reads a section over what it inherits.
pub(super) fn read(file: &mut File<'_>, id: SectionId, profile: Profile, extent: Extent) -> Section {
    let (source, tree) = (file.source, file.tree);
    let header = tree.section(id);
    let name = header.name().map(|word| source.arg(tree, word));
    let mut section = Section {
        keyword: header.keyword,
        condition: header.condition,
        name_site: name.as_ref().map_or(extent.header, |name| name.site),
        name: name.map_or_else(Box::default, |name| name.text.into_owned().into()),
        extent,
        profile,
        binds: Vec::new(),
        servers: Vec::new(),
        wanted: Vec::new(),
        open_ended: file.template,
        answers_itself: false,
        check_rules: Vec::new(),
        http_check_rules: Vec::new(),
        sticky: None,
        host_sent: HostSent::Clients,
        path_kept: true,
        fastcgi: false,
        expects_proxy: false,
        may_expect_proxy: false,
        speaks_http: false,
        tracked: Vec::new(),
        followed: None,
        references: Vec::new(),
        faults: Vec::new(),
        answers: dangling::Answers::default(),
        connects: false,
        bare_connect: None,
    };
    let mut late = misplaced::Late::default();
    // ACLs that ask whether a websocket is to be opened.
    let mut opens: HashMap<Cow<'_, str>, bool> = HashMap::new();
    let mut acls = Seen::new();
    let mut servers = Seen::new();
    let mut used_servers: Vec<(Box<str>, Site)> = Vec::new();
    let mut statement = Statement::new();
    for (line, _) in tree.lines_of(id) {
        source.read(tree, line, &mut statement);
        let conditional = statement.condition != section.condition;
        file.facts.conditional = statement.condition.is_some();
        if let Some(named) = paths::named(&statement)
            && statement.condition.is_none()
        {
            file.paths.push(named);
        }
        if statement.broken {
            broken(&mut section, &statement, &mut acls);
            continue;
        }
        section.profile.read(&statement, conditional, &mut file.facts);
        times(file, &statement);
        references(&mut section, &statement);
        if let Some(condition) = rules::condition_of(&statement) {
            undefined_acls(file, id, &statement, condition, &acls);
        }
        match statement.keyword() {
            "acl" => {
                see(&mut acls, second(&statement), (statement.site, statement.condition));
                let said = statement.from(2).iter().filter_map(|arg| speaks_of_websockets(&arg.text)).max();
                if let Some(sure) = said {
                    opens.insert(second(&statement), sure);
                }
            }
            "bind" if section.listens() => {
                let binds = bind::read(&statement, &mut file.facts);
                companions::certificate(file, &mut section, &statement, &binds);
                section.binds.extend(binds.into_iter().map(|bind| (bind, statement.condition)));
            }
            "server" | "server-template" if section.serves() => {
                section.open_ended |= conditional || statement.keyword() == "server-template";
                add_server(file, &mut section, &statement, &mut servers);
            }
            "use_backend" if section.listens() => want(&mut section, &statement, &opens),
            "use-server" if statement.live().is_none() => {
                used_servers.push((statement.word(1).into(), statement.args.get(1).map_or(statement.site, |a| a.site)));
            }
            _ => whole::statement(file.facts.proxy, &mut section, &statement),
        }
        section.answers.read(&statement);
        if matches!(statement.keyword(), "http-check" | "tcp-check") && statement.word(1) == "connect" {
            section.bare_connect =
                (!section.connects && failing::is_bare_connect(&statement)).then_some(statement.site);
            section.connects = true;
        }
        misplaced::timeout(file, &mut section, &statement);
        misplaced::other_side(file, &mut section, &statement);
        late.read(&statement, &section);
        if rules::answers(&statement) && statement.prefix == Prefix::None {
            section.answers_itself = true;
        }
    }
    section.open_ended |= file.misspelt.contains(&id);
    file.facts.conditional = false;
    if file.accuses() && !section.open_ended && section.profile.disabled.is_none() {
        for (name, site) in used_servers {
            if !servers.contains_key(&*name) && !rules::is_computed(&name) {
                let near = file.facts.near(&name, servers.keys().map(|name| &**name));
                let near = near.and_then(|near| Some((near.into(), servers.get(near)?.first.0)));
                file.facts.undefined("server", &name, site, None, near, LoadEffect::Refused);
            }
        }
    }
    late.finish(file, &mut section);
    misplaced::shared(file, &section);
    misplaced::reset(file, &section);
    companions::tracked(file, &mut section);
    if file.tracks {
        let sure = !section.open_ended && section.profile.beyond.is_none();
        let silent = if sure { companions::silent(&section) } else { HashMap::new() };
        let names = (!section.open_ended).then(|| servers.into_keys().map(|name| name.into_owned().into()).collect());
        section.followed = Some(Box::new(Followed { names, silent }));
    }
    failing::servers(file, &mut section);
    companions::bind(file, id, &section);
    if section.profile.disabled.is_none() && !file.misspelt.contains(&id) {
        dangling::frontend(file, &section);
        dangling::shadowed(file, &section);
    }
    let faults = std::mem::take(&mut section.faults);
    if section.profile.disabled.is_none() && !file.template {
        file.facts.load.faults.extend(faults);
    }
    if section.profile.cookie.is_some()
        && section.is_http()
        && (section.profile.cookie_is_dynamic || section.servers.iter().any(|server| server.options.cookie))
    {
        section.sticky = section.sticky.or(section.profile.cookie);
    }
    section
}

/// A line that could not be read to its end: what it says is not known.
fn broken<'a>(section: &mut Section, statement: &Statement<'a>, acls: &mut Seen<'a>) {
    match statement.keyword() {
        "server" | "server-template" => section.open_ended = true,
        "acl" => {
            see(acls, second(statement), (statement.site, statement.condition));
        }
        "http-request" | "redirect" => section.answers_itself = true,
        _ => {
            section.profile.beyond.get_or_insert(crate::topology::Reason::Malformed);
        }
    }
}

/// Times that no setting of the model holds.
pub(super) fn times(file: &mut File<'_>, statement: &Statement<'_>) {
    let (setting, at) = match (statement.keyword(), statement.word(1)) {
        ("tcp-request", "inspect-delay") => ("tcp-request inspect-delay", 2),
        ("tcp-response", "inspect-delay") => ("tcp-response inspect-delay", 2),
        ("stick-table", _) => match statement.args.iter().position(|arg| arg.text == "expire") {
            Some(at) => ("stick-table expire", at + 1),
            None => return,
        },
        _ => return,
    };
    if let Some(arg) = statement.args.get(at) {
        file.facts.time(statement.site, setting, arg, false);
    }
}

/// Sections of other kinds that a statement names.
fn references(section: &mut Section, statement: &Statement<'_>) {
    use SectionKeyword as K;
    let mut add = |kind, at: usize| {
        if let Some(arg) = statement.args.get(at)
            && arg.live.is_none()
        {
            section.references.push((Kind::Section(kind), arg.text.as_ref().into(), arg.site));
        }
    };
    match (statement.keyword(), statement.word(1)) {
        ("http-request", "cache-use") | ("http-response", "cache-store") | ("filter", "cache") => add(K::Cache, 2),
        ("use-fcgi-app", _) => add(K::FcgiApp, 1),
        ("errorfiles", _) => add(K::HttpErrors, 1),
        ("stick-table", _) => {
            if let Some(at) = statement.args.iter().position(|arg| arg.text == "peers") {
                add(K::Peers, at + 1);
            }
        }
        _ => {}
    }
    // Most words are ruled out by their first letter.
    for arg in statement.args.iter().filter(|arg| arg.text.starts_with(['h', '!']) && arg.live.is_none()) {
        for fetch in ["http_auth(", "http_auth_group("] {
            let after = arg.text.strip_prefix(fetch).or_else(|| arg.text.strip_prefix('!')?.strip_prefix(fetch));
            if let Some(name) = after.and_then(|rest| rest.split([')', ',']).next())
                && !name.is_empty()
            {
                section.references.push((Kind::Section(K::Userlist), name.into(), arg.site));
            }
        }
    }
}

fn add_server<'a>(file: &mut File<'_>, section: &mut Section, statement: &Statement<'a>, seen: &mut Seen<'a>) {
    let with = Surroundings {
        proxy: file.facts.proxy,
        profile: &section.profile,
        extent: &section.extent,
        global: &file.global,
        names: file.names,
        empty_resolvers: &file.empty_resolvers,
        by_host: file.facts.reach(3, 3),
        resolvers: &file.resolvers,
    };
    let Some(server) = server::read(statement, &with, &mut file.facts) else {
        section.open_ended = true;
        return;
    };
    if let Some((name, site)) = &server.options.track
        && section.extent.holds(*site)
    {
        section.tracked.push((name.clone(), *site));
    }
    if let Some((name, site)) = server::names_resolvers(&server.options, &with) {
        file.undefined_resolvers.push((name, site));
    }
    if let Some((name, site)) = &server.options.resolvers
        && file.empty_resolvers.contains_key(name)
    {
        let never = server.options.init_addr.as_ref().is_some_and(|(methods, _)| methods.contains("none"));
        file.resolvers_used.entry(name.clone()).or_default().push((*site, never));
    }
    if let Some((name, site)) = &server.name {
        if !server.is_template
            && !file.template
            && let Some(places) = seen.get(&**name)
        {
            let first = std::iter::once(&places.first).chain(&places.others).find(|(_, branch)| {
                *branch == statement.condition || !file.tree.exclude_each_other(*branch, statement.condition)
            });
            if let Some(&(first, _)) = first {
                file.facts.duplicate("server", name, first, *site, LoadEffect::Refused, None);
            }
        }
        see(seen, second(statement), (*site, statement.condition));
    }
    companions::server(file, section, &server);
    section.servers.push(server);
}

fn want(section: &mut Section, statement: &Statement<'_>, opens: &HashMap<Cow<'_, str>, bool>) {
    let Some(name) = statement.args.get(1) else { return };
    let matcher = match statement.condition_at(2) {
        Some(at) => {
            let words: Vec<&str> = statement.from(at).iter().map(|arg| &*arg.text).collect();
            Matcher::Condition(words.join(" ").into())
        }
        None => Matcher::Always,
    };
    // `unless` and `!` say what is not meant.
    let websockets = statement.condition_at(2).filter(|&at| statement.word(at) == "if").and_then(|at| {
        let terms = statement.from(at + 1).iter().filter(|arg| !arg.text.starts_with('!'));
        terms.filter_map(|arg| opens.get(&*arg.text).copied().max(speaks_of_websockets(&arg.text))).max()
    });
    section.wanted.push(Wanted {
        websockets,
        name: name.text.as_ref().into(),
        site: statement.site,
        name_site: name.site,
        matcher,
        computed: rules::is_computed(&name.text),
        filled_in: name.live.is_some(),
        conditional: statement.condition.is_some(),
    });
}

/// ACLs must be declared above their use in the same section, whatever else HAProxy is started with.
fn undefined_acls(file: &mut File<'_>, id: SectionId, statement: &Statement<'_>, condition: usize, acls: &Seen<'_>) {
    if file.template {
        return;
    }
    for (name, site) in rules::acl_names(statement, condition) {
        if acls.contains_key(name) || rules::is_predefined(name) || name.contains('$') {
            continue;
        }
        let near = file.facts.near(name, acls.keys().map(|name| &**name));
        let near = near.and_then(|near| Some((near.into(), acls.get(near)?.first.0)));
        let other = file.acls.get(name).map(|&(section, site)| {
            let text = if section == id { "declared here, below its use" } else { "declared here, in another section" };
            (site, text.to_owned())
        });
        file.facts.undefined("ACL", name, site, other, near, LoadEffect::Refused);
    }
}

/// Resolvers, sections of `from` and the like that no file defines.
pub(super) fn undefined_section(file: &mut File<'_>, kind: Kind, name: &str, site: Site) {
    if !file.accuses() || file.names.may_have(kind, name) || file.fragments.may_have(kind, name) {
        return;
    }
    let near = file.facts.near(name, file.names.all(kind));
    let near = near.and_then(|near| Some((near.into(), file.names.find(kind, near)?)));
    let other = match kind {
        Kind::Backend => file.names.find(Kind::Section(SectionKeyword::Frontend), name).map(|site| {
            (site, "a frontend cannot be asked by another one; only a `backend` or `listen` can".to_owned())
        }),
        Kind::Section(_) => None,
    };
    file.facts.undefined(kind.says(), name, site, other, near, LoadEffect::Refused);
}

impl Slot<Box<str>> {
    /// The name, and the statement that gives it.
    pub(super) fn named(&self) -> Option<(&str, Site)> {
        match self {
            Self::Set(value, site) => Some((value.known()?, *site)),
            _ => None,
        }
    }
}
