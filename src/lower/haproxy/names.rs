//! The sections that files define, by name: HAProxy may be started with several files as one configuration.

use super::text::Source;
use crate::source::Site;
use crate::syntax::haproxy::{SectionKeyword, Tree};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Sections by kind and name.
#[derive(Debug, Default)]
pub(super) struct Names {
    sections: HashMap<SectionKeyword, BTreeMap<Box<str>, Site>>,
    /// Kinds of which there may be more than these files show.
    open: HashSet<SectionKeyword>,
    /// Whether anything may be defined beside what these files show.
    template: bool,
}

/// What a reference may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A `backend` or `listen` section.
    Backend,
    /// A section of this kind.
    Section(SectionKeyword),
}

impl Kind {
    fn keywords(self) -> &'static [SectionKeyword] {
        use SectionKeyword as K;
        match self {
            Self::Backend => &[K::Backend, K::Listen],
            Self::Section(K::Resolvers) => &[K::Resolvers],
            Self::Section(K::Defaults) => &[K::Defaults],
            Self::Section(K::Peers) => &[K::Peers],
            Self::Section(K::Cache) => &[K::Cache],
            Self::Section(K::Mailers) => &[K::Mailers],
            Self::Section(K::Userlist) => &[K::Userlist],
            Self::Section(K::FcgiApp) => &[K::FcgiApp],
            Self::Section(K::HttpErrors) => &[K::HttpErrors],
            Self::Section(K::Frontend) => &[K::Frontend],
            Self::Section(_) => &[],
        }
    }

    /// The words for it.
    pub(super) const fn says(self) -> &'static str {
        use SectionKeyword as K;
        match self {
            Self::Backend => "backend",
            Self::Section(K::Resolvers) => "resolvers section",
            Self::Section(K::Defaults) => "defaults section",
            Self::Section(K::Peers) => "peers section",
            Self::Section(K::Cache) => "cache section",
            Self::Section(K::Mailers) => "mailers section",
            Self::Section(K::Userlist) => "userlist",
            Self::Section(K::FcgiApp) => "fcgi-app section",
            Self::Section(K::HttpErrors) => "http-errors section",
            Self::Section(_) => "section",
        }
    }
}

impl Names {
    /// Adds what a file defines.
    pub(super) fn add(&mut self, source: &Source, tree: &Tree, template: bool) {
        self.template |= template;
        for (_, section) in tree.sections() {
            let Some(word) = section.name() else { continue };
            let arg = source.arg(tree, word);
            if arg.live.is_some() || arg.text.contains('$') {
                self.open.insert(section.keyword);
            } else {
                let kind = self.sections.entry(section.keyword).or_default();
                kind.entry(arg.text.into_owned().into_boxed_str()).or_insert(arg.site);
            }
        }
    }

    /// Where a name is defined.
    pub(super) fn find(&self, kind: Kind, name: &str) -> Option<Site> {
        kind.keywords().iter().find_map(|keyword| self.sections.get(keyword)?.get(name).copied())
    }

    /// Whether a name is defined or may be.
    pub(super) fn may_have(&self, kind: Kind, name: &str) -> bool {
        self.template || kind.keywords().iter().any(|k| self.open.contains(k)) || self.find(kind, name).is_some()
    }

    /// All names of a kind.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &str> {
        kind.keywords().iter().filter_map(|k| self.sections.get(k)).flat_map(BTreeMap::keys).map(|name| &**name)
    }
}
