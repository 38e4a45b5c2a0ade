//! One file: its sections in their order, with what they inherit.

use super::facts::Facts;
use super::global::Global;
use super::misplaced;
use super::names::{Kind, Names};
use super::paths::{self, Base, Named};
use super::profile::{Extent, Profile, Slot};
use super::section::{self, Outline};
use super::text::{Prefix, Source, Statement};
use super::{hop, hosts, keywords, sockets};
use crate::source::Site;
use crate::syntax::haproxy::{ConditionId, SectionId, SectionKeyword, Tree};
use crate::topology::{
    Dialect, HopId, Known, Lately, LoadEffect, Proxy, ProxyId, Reason, Resolver, ResponseBuffers, Retry, Setting,
    SyntaxFact, Topology, VirtualHostId,
};
use crate::value::{Versions, Wait};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

/// How many `defaults` sections in other branches of `.if` blocks are passed over on the way up.
const PASSED_OVER: usize = 16;

/// What is known beside a file.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// What the files of its folder define.
    pub(super) names: &'a Names,
    /// What files define that can only be a part of a configuration.
    pub(super) fragments: &'a Names,
    /// Whether a file that may be loaded before it has a `defaults` section.
    pub(super) others_may_begin: bool,
    /// The versions that the proxy may have.
    pub(super) versions: Versions,
}

/// A file while it is lowered.
pub(super) struct File<'a> {
    pub(super) source: &'a Source,
    pub(super) tree: &'a Tree,
    /// What the files of its folder define.
    pub(super) names: &'a Names,
    /// What files define that can only be a part of a configuration.
    pub(super) fragments: &'a Names,
    whole: bool,
    pub(super) template: bool,
    pub(super) facts: Facts,
    pub(super) global: Global,
    /// The first ACL of each name, for "declared elsewhere".
    pub(super) acls: HashMap<Box<str>, (SectionId, Site)>,
    pub(super) empty_resolvers: HashMap<Box<str>, Site>,
    /// Resolvers sections with somebody to ask.
    pub(super) resolvers: HashMap<Box<str>, Site>,
    /// Who uses them, and whether they start without an address.
    pub(super) resolvers_used: HashMap<Box<str>, Vec<(Site, bool)>>,
    pub(super) undefined_resolvers: Vec<(Box<str>, Site)>,
    /// Sections with a keyword that nobody knows: it may have been meant as any.
    pub(super) misspelt: HashSet<SectionId>,
    pub(super) paths: Vec<Named>,
    pub(super) profiles: HashMap<SectionId, Profile>,
    /// `defaults` sections so far.
    defaults: Vec<(SectionId, Option<ConditionId>)>,
    named_defaults: HashMap<Box<str>, SectionId>,
    /// Whether any section of the file listens, once somebody has asked.
    pub(super) listens: OnceCell<bool>,
    /// Who inherits a rule from a `defaults` section.
    pub(super) rule_users: HashMap<Site, misplaced::Users>,
    /// Whether any server may follow another one.
    pub(super) tracks: bool,
    /// Whether a condition may be true at one time and not at another for equal requests: by chance, or since it counts.
    pub(super) chance: bool,
    /// Whether certificates may stand on lines of their own (`ssl-f-use`, 3.2 and later).
    pub(super) certificates_apart: bool,
    /// `defaults` sections that were told to start anew.
    pub(super) told_reset: HashSet<Site>,
    /// What neighbours have in common.
    pub(super) lately: Together,
}

/// What neighbours have in common: it is kept once.
#[derive(Default)]
pub(super) struct Together {
    pub(super) retry: Lately<Retry>,
    pub(super) buffers: Lately<ResponseBuffers>,
    pub(super) waits: Lately<Setting<Wait>>,
}

/// A lowered `frontend`, `backend` or `listen` section.
pub(super) struct Lowered {
    pub(super) section: Outline,
    pub(super) virtual_host: Option<VirtualHostId>,
    pub(super) hop: Option<HopId>,
}

/// A lowered file.
pub(super) struct LoweredFile {
    pub(super) proxy: ProxyId,
    pub(super) sections: Vec<Lowered>,
    /// The path of the file.
    pub(super) path: Box<str>,
    /// What relative paths are relative to, if that is known.
    pub(super) base: Option<Base>,
    /// Files that it names.
    pub(super) paths: Vec<Named>,
}

impl<'a> File<'a> {
    /// Lowers a file.
    pub(super) fn lower(
        source: &'a Source,
        reading: usize,
        beside: Beside<'a>,
        out: &mut Topology,
    ) -> Option<LoweredFile> {
        let Beside { names, fragments, others_may_begin, versions } = beside;
        let parsed = source.parsed()?;
        let tree = parsed.reading(reading);
        let whole = is_whole(source);
        let (entry, again) = (source.id, reading > 0);
        let proxy = out.proxies.push(Proxy { dialect: Dialect::Haproxy, versions, entry, whole, again, limits: None });
        let mut facts = Facts::new(proxy, versions, parsed.template);
        for error in parsed.errors.iter().filter(|_| !again) {
            facts.load.syntax.push(SyntaxFact {
                fix: error.mend.as_deref().map(|mend| crate::lower::mended(source.id, mend)),
                dialect: Dialect::Haproxy,
                site: source.site(error.at.clone()),
                message: error.message.clone(),
                label: error.label.clone(),
                others: error.others.iter().map(|(at, text)| (source.site(at.clone()), text.clone())).collect(),
                help: error.help.clone(),
                certain: true,
            });
        }
        let speaks_of = |word: &str| memchr::memmem::find(source.file.text().as_bytes(), word.as_bytes()).is_some();
        let beyond =
            if parsed.template { Some(Reason::TemplateHole) } else { (!whole).then_some(Reason::OutsideRepository) };
        let global = Global::read(source, tree, beyond, &mut facts);
        out.proxies[proxy].limits = global.limits(versions);
        let mut file = Self {
            source,
            tree,
            names,
            fragments,
            whole,
            template: parsed.template,
            facts,
            global,
            acls: HashMap::new(),
            empty_resolvers: HashMap::new(),
            resolvers: HashMap::new(),
            resolvers_used: HashMap::new(),
            undefined_resolvers: Vec::new(),
            misspelt: HashSet::new(),
            paths: Vec::new(),
            profiles: HashMap::new(),
            defaults: Vec::new(),
            named_defaults: HashMap::new(),
            listens: OnceCell::new(),
            rule_users: HashMap::new(),
            certificates_apart: speaks_of("ssl-f-use"),
            tracks: false,
            chance: speaks_of("rand(") || speaks_of("_inc_"),
            told_reset: HashSet::new(),
            lately: Together::default(),
        };
        file.look_ahead(out);
        file.duplicate_sections();
        let sections = file.sections(others_may_begin, out);
        file.duplicate_binds(&sections);
        file.references(&sections);
        sockets::check(&mut file, &sections, out);
        file.facts.finish(&mut out.load);
        let (base, paths) = (file.global.base, file.paths);
        Some(LoweredFile { proxy, sections, path: source.file.path().into(), base, paths })
    }

    /// Whether a name that these files do not define is missing.
    pub(super) const fn accuses(&self) -> bool {
        self.whole && !self.template
    }

    /// What may stand below its use: resolvers; and ACLs, to say where they are declared.
    fn look_ahead(&mut self, out: &mut Topology) {
        let (source, tree) = (self.source, self.tree);
        let mut statement = Statement::new();
        for (id, section) in tree.sections() {
            let mut asks = self.template;
            // The name servers, while all of them are known.
            let mut servers = (!self.template).then(Vec::new);
            let known = keywords::section(self, id);
            for (line, _) in tree.lines_of(id) {
                source.read(tree, line, &mut statement);
                // Nothing here can be switched off.
                let keyword = if statement.prefix == Prefix::None { statement.keyword() } else { "" };
                match (section.keyword, keyword) {
                    (SectionKeyword::Resolvers, "nameserver" | "parse-resolv-conf") => {
                        asks = true;
                        match (hosts::name_server(&statement), &mut servers) {
                            (Some(host), Some(servers)) => servers.push(host),
                            _ => servers = None,
                        }
                        if let Some(arg) = statement.args.get(2)
                            && !self.template
                            && arg.live.is_none()
                            && !arg.text.contains([':', '@', '/', '$'])
                        {
                            self.facts.conditional = statement.condition.is_some();
                            self.facts.refused(
                                arg.site,
                                "this name server has no port, and there is none by default".to_owned(),
                                "the port is missing",
                                Some(format!("write `{}:53`", crate::source::clean(&arg.text))),
                            );
                            self.facts.conditional = false;
                        }
                    }
                    (SectionKeyword::Resolvers, "timeout" | "hold") => {
                        let setting = format!("{keyword} {}", statement.word(1));
                        if let Some(arg) = statement.args.get(2) {
                            self.facts.time(statement.site, &setting, arg, false);
                        }
                    }
                    (_, "acl") => {
                        if let Some(arg) = statement.args.get(1)
                            && !self.acls.contains_key(&*arg.text)
                        {
                            self.acls.insert(arg.text.as_ref().into(), (id, arg.site));
                        }
                    }
                    (_, "server" | "server-template" | "default-server") => {
                        self.tracks |= statement.args.iter().any(|arg| arg.text == "track");
                    }
                    _ => {}
                }
                asks |= statement.broken;
                if matches!(
                    keyword,
                    "log"
                        | "nameserver"
                        | "peer"
                        | "mailer"
                        | "bind"
                        | "server"
                        | "default-server"
                        | "source"
                        | "dispatch"
                ) {
                    hosts::line(self, section.keyword, &statement);
                }
                if known {
                    keywords::check(self, id, &statement);
                }
            }
            if section.keyword == SectionKeyword::Resolvers
                && let Some(word) = section.name()
            {
                let name = source.arg(tree, word);
                let (live, name, site) = (name.live, name.text.into_owned().into(), source.header(tree, id));
                if live.is_none() && !asks {
                    self.empty_resolvers.insert(name, site);
                } else if live.is_none() {
                    self.resolvers.insert(name, site);
                    out.resolvers.push(Resolver {
                        proxy: self.facts.proxy,
                        site,
                        servers: servers.map_or(Known::Unknown(Reason::OutsideRepository), Known::Yes),
                        keeps: None,
                        mixes_families: false,
                    });
                }
            }
        }
    }

    fn sections(&mut self, others_may_begin: bool, out: &mut Topology) -> Vec<Lowered> {
        let (source, tree) = (self.source, self.tree);
        let ids: Vec<SectionId> = tree.sections().map(|(id, _)| id).collect();
        let serve = |id: &&SectionId| tree.section(**id).keyword.is_proxy();
        let count = ids.iter().filter(serve).count();
        let mut lowered = Vec::with_capacity(count);
        for (at, &id) in ids.iter().enumerate() {
            let parsed = tree.section(id);
            if !parsed.keyword.is_proxy() {
                continue;
            }
            let end =
                ids.get(at + 1).map_or(source.file.text().len() as u32, |&next| source.header(tree, next).span.start);
            let extent = Extent { header: source.header(tree, id), end };
            let base = self.base(id, others_may_begin);
            if parsed.keyword == SectionKeyword::Defaults {
                self.read_defaults(id, base);
                continue;
            }
            let mut section = section::read(self, id, base, extent);
            // A proxy that is switched off listens nowhere, and HAProxy does not look at what it names.
            let off = section.listens() && section.profile.disabled.is_some();
            let virtual_host = (section.listens() && !off)
                .then(|| hop::virtual_host(self.facts.proxy, &self.global, &mut section, out));
            // A `listen` section that hands everything on is a frontend.
            let only_listens = section.listens()
                && section.servers.is_empty()
                && !section.open_ended
                && (!section.wanted.is_empty() || matches!(section.profile.default_backend, Slot::Set(..)));
            let hop = (section.serves() && !off && !only_listens).then(|| hop::hop(self, &mut section, out));
            lowered.push(Lowered { section: section.outline(), virtual_host, hop });
        }
        lowered
    }

    fn read_defaults(&mut self, id: SectionId, mut profile: Profile) {
        let (source, tree) = (self.source, self.tree);
        let section = tree.section(id);
        profile.rule = None;
        let before = self.defaults.last().filter(|(_, branch)| branch.is_none() && section.condition.is_none());
        profile.reset =
            before.filter(|_| section.from().is_none()).map(|&(before, _)| (source.header(tree, id), before));
        let mut statement = Statement::new();
        for (line, _) in tree.lines_of(id) {
            source.read(tree, line, &mut statement);
            if statement.broken {
                profile.beyond.get_or_insert(Reason::Malformed);
                continue;
            }
            self.facts.conditional = statement.condition.is_some();
            if let Some(named) = paths::named(&statement)
                && statement.condition.is_none()
            {
                self.paths.push(named);
            }
            profile.read(&statement, statement.condition != section.condition, &mut self.facts);
            section::times(self, &statement);
            if profile.rule.is_none() && misplaced::is_rule(&statement) {
                profile.rule = Some(statement.site);
                if section.name().is_none() && !self.template {
                    misplaced::anonymous(self, statement.site, source.header(tree, id));
                }
            }
        }
        self.facts.conditional = false;
        profile.rule = profile.rule.filter(|_| section.name().is_some());
        if let Some(word) = section.name() {
            let name = source.arg(tree, word);
            if name.live.is_none() {
                self.named_defaults.insert(name.text.into_owned().into(), id);
            }
        }
        self.defaults.push((id, section.condition));
        self.profiles.insert(id, profile.handed_down());
    }

    /// What a section starts from.
    fn base(&mut self, id: SectionId, others_may_begin: bool) -> Profile {
        let (source, tree) = (self.source, self.tree);
        let section = tree.section(id);
        let unknown = |reason| Profile { beyond: Some(reason), ..Profile::default() };
        let built_in = || match self.template {
            true => unknown(Reason::TemplateHole),
            false => Profile::default(),
        };
        if let Some(word) = section.from() {
            let name = source.arg(tree, word);
            if let Some(reason) = name.live {
                return unknown(reason);
            }
            return match self.named_defaults.get(&*name.text) {
                Some(id) => self.profiles.get(id).cloned().unwrap_or_default(),
                None => {
                    let kind = Kind::Section(SectionKeyword::Defaults);
                    match self.names.find(kind, &name.text) {
                        // Only what stands above can be meant.
                        Some(site) if self.accuses() && site.span.file == source.id => {
                            let other = Some((site, "declared here, below its use".to_owned()));
                            self.facts.undefined(kind.says(), &name.text, name.site, other, None, LoadEffect::Refused);
                        }
                        _ => section::undefined_section(self, kind, &name.text, name.site),
                    }
                    unknown(Reason::OutsideRepository)
                }
            };
        }
        if section.keyword == SectionKeyword::Defaults {
            return built_in();
        }
        for (passed, &(defaults, branch)) in self.defaults.iter().rev().enumerate() {
            if passed == PASSED_OVER {
                return unknown(Reason::Variable);
            }
            if tree.exclude_each_other(branch, section.condition) {
                continue;
            }
            let certain = branch.is_none() || tree.around(section.condition).any(|(around, _)| Some(around) == branch);
            return match self.profiles.get(&defaults) {
                Some(profile) if certain => profile.clone(),
                _ => unknown(Reason::Variable),
            };
        }
        if !self.whole || others_may_begin { unknown(Reason::OutsideRepository) } else { built_in() }
    }
}

/// Whether a file is a whole configuration. Without `global` it may be meant to stand beside another file.
pub(super) fn is_whole(source: &Source) -> bool {
    source.parsed().is_some_and(|parsed| {
        !parsed.template && parsed.tree.sections().any(|(_, section)| section.keyword == SectionKeyword::Global)
    })
}
