//! What a file defines twice, and what it names that nobody defines.

use super::file::{File, Lowered};
use super::names::Kind;
use super::profile::Slot;
use super::section::{self, Outline};
use crate::source::Site;
use crate::syntax::haproxy::{ConditionId, SectionKeyword};
use crate::topology::{EmptyResolver, LoadEffect};
use crate::value::Version;
use std::collections::{HashMap, HashSet};

/// How many equal names are compared with each other.
const COMPARED: usize = 8;

/// Where something of one name stands: what it is, its place, the branch it stands in.
type Places<T> = Vec<(T, Site, Option<ConditionId>)>;

impl File<'_> {
    pub(super) fn duplicate_sections(&mut self) {
        use SectionKeyword as K;
        if self.template {
            return;
        }
        let (source, tree) = (self.source, self.tree);
        let mut seen: HashMap<(bool, Box<str>), Places<K>> = HashMap::new();
        for (_, section) in tree.sections() {
            let (keyword, branch) = (section.keyword, section.condition);
            if !matches!(keyword, K::Frontend | K::Backend | K::Listen | K::Resolvers) {
                continue;
            }
            let Some(word) = section.name() else { continue };
            let name = source.arg(tree, word);
            if name.live.is_some() {
                continue;
            }
            let places = seen.entry((keyword == K::Resolvers, name.text.as_ref().into())).or_default();
            let clash = places.iter().find(|(other, _, other_branch)| {
                // A frontend and a backend may share a name (until 3.3).
                !matches!((other, keyword), (K::Frontend, K::Backend) | (K::Backend, K::Frontend))
                    && (*other_branch == branch || !tree.exclude_each_other(*other_branch, branch))
            });
            let shared = places.iter().any(|(other, _, other_branch)| {
                matches!((other, keyword), (K::Frontend, K::Backend) | (K::Backend, K::Frontend))
                    && *other_branch == branch
            });
            if shared {
                let one = "a frontend and a backend of one name";
                let instead = Some("give one of them another name");
                let _ = self.facts.changed(one, name.site, (None, Some(Version(3, 3, 0))), instead);
            }
            if let Some(&(_, first, _)) = clash {
                let kind = match keyword {
                    K::Frontend => "frontend",
                    K::Backend => "backend",
                    K::Listen => "listen section",
                    _ => "resolvers section",
                };
                self.facts.duplicate(kind, &name.text, first, name.site, LoadEffect::Refused, None);
            }
            if places.len() < COMPARED {
                places.push((keyword, name.site, branch));
            }
        }
    }

    pub(super) fn duplicate_binds(&mut self, sections: &[Lowered]) {
        if self.template {
            return;
        }
        let mut seen: HashMap<&str, Places<usize>> = HashMap::new();
        for (at, lowered) in sections.iter().enumerate() {
            if lowered.virtual_host.is_none() {
                continue;
            }
            for (bind, branch) in lowered.section.binds() {
                let Some(key) = bind.key.as_deref() else { continue };
                let places = seen.entry(key).or_default();
                let other = places.iter().find(|(section, _, other)| {
                    *section != at && (other == branch || !self.tree.exclude_each_other(*other, *branch))
                });
                if let Some(&(_, first, _)) = other {
                    let name = self.source.file.text().get(bind.site.span.start as usize..bind.site.span.end as usize);
                    let (effect, note) = match self.global.no_reuse_port {
                        Some(_) => (LoadEffect::Refused, "with `noreuseport` the second cannot be bound"),
                        None => (
                            LoadEffect::Split,
                            "the kernel hands each connection to either of the two frontends, without a word in any log",
                        ),
                    };
                    self.facts.duplicate("listen address", name.unwrap_or(""), first, bind.site, effect, Some(note));
                }
                if places.len() < COMPARED {
                    places.push((at, bind.site, *branch));
                }
            }
        }
    }

    /// Names that are used and perhaps defined by nobody.
    pub(super) fn references(&mut self, sections: &[Lowered]) {
        for lowered in sections {
            if !lowered.section.disabled {
                for (kind, name, site) in &lowered.section.references {
                    section::undefined_section(self, *kind, name, *site);
                }
            }
        }
        self.tracked(sections);
        let mut said = HashSet::new();
        for lowered in sections {
            let section = &lowered.section;
            let Some(front) = section.front.as_ref().filter(|_| lowered.virtual_host.is_some()) else { continue };
            if let Some((name, site)) = front.default_backend.named()
                && said.insert(site)
            {
                let at = self.name_in(site, name);
                section::undefined_section(self, Kind::Backend, name, at);
            }
            for wanted in &front.wanted {
                if wanted.filled_in {
                    continue;
                }
                if !wanted.computed {
                    section::undefined_section(self, Kind::Backend, &wanted.name, wanted.name_site);
                } else if self.accuses()
                    && section.keyword == SectionKeyword::Frontend
                    && matches!(front.default_backend, Slot::Nothing)
                    && !section.unsure
                    && super::rules::map_default(&wanted.name)
                        .is_none_or(|name| !self.names.may_have(Kind::Backend, name))
                {
                    let other = Some((section.header, "this frontend has no `default_backend`".to_owned()));
                    self.facts.undefined(
                        "computed backend",
                        &wanted.name,
                        wanted.site,
                        other,
                        None,
                        LoadEffect::Status(503),
                    );
                }
            }
        }
        for (name, site) in std::mem::take(&mut self.undefined_resolvers) {
            section::undefined_section(self, Kind::Section(SectionKeyword::Resolvers), &name, site);
        }
        for (name, site) in std::mem::take(&mut self.empty_resolvers) {
            let used = self.resolvers_used.remove(&name).unwrap_or_default();
            let never = used.iter().any(|(_, never)| *never);
            self.facts.load.empty_resolvers.push(EmptyResolver {
                proxy: self.facts.proxy,
                site,
                name: Some(name),
                used_by: used.into_iter().map(|(site, _)| site).collect(),
                effect: if never { LoadEffect::Status(503) } else { LoadEffect::Ignored },
            });
        }
    }

    /// Servers whose state others follow must exist.
    fn tracked(&mut self, sections: &[Lowered]) {
        if !self.accuses() {
            return;
        }
        let serving: HashMap<&str, &Outline> = sections
            .iter()
            .map(|lowered| &lowered.section)
            .filter(|section| section.serves())
            .map(|section| (&*section.name, section))
            .collect();
        for section in sections.iter().map(|lowered| &lowered.section) {
            if section.disabled {
                continue;
            }
            for (target, site) in &section.tracked {
                let (pool, server) = match target.split_once('/') {
                    Some((pool, server)) => (serving.get(pool).copied(), server),
                    None => (Some(section), &**target),
                };
                let followed = pool.map(|pool| pool.followed.as_ref().and_then(|followed| followed.names.as_ref()));
                match (followed, target.split_once('/')) {
                    (Some(Some(names)), _) if !names.contains(server) => {
                        self.facts.undefined("server", target, *site, None, None, LoadEffect::Refused);
                    }
                    (Some(_), Some(_)) => {
                        let target = pool.filter(|pool| !std::ptr::eq(*pool, section));
                        if let Some(&silent) = target.and_then(|pool| pool.followed.as_ref()?.silent.get(server)) {
                            let fault = super::companions::follows_nobody(self.facts.proxy, *site, silent);
                            self.facts.load.faults.push(fault);
                        }
                    }
                    (None, Some((pool, _))) => section::undefined_section(self, Kind::Backend, pool, *site),
                    _ => {}
                }
            }
        }
    }

    /// The place of a name in its statement.
    fn name_in(&self, statement: Site, name: &str) -> Site {
        let span = statement.span;
        let text = self.source.file.text().get(span.start as usize..span.end as usize).unwrap_or("");
        match text.rfind(name) {
            Some(at) if span.file == self.source.id => {
                let start = span.start + at as u32;
                self.source.site(start..start + name.len() as u32)
            }
            _ => statement,
        }
    }
}
