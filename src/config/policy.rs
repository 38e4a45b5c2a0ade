//! What the configuration means for each file of a run.

use super::{Config, Level, OptionValue, Rules};
use crate::catalog::RuleId;
use crate::source::{FileId, SourceMap};
use std::collections::{BTreeMap, HashMap};

/// What holds for each file.
#[derive(Debug)]
pub struct Policy {
    profiles: Vec<Profile>,
    /// By the file's number; files beyond have the first profile.
    of_file: Vec<u32>,
}

/// What holds for some files.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    levels: BTreeMap<RuleId, Level>,
    options: BTreeMap<(RuleId, &'static str), OptionValue>,
    excluded: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { profiles: vec![Profile::default()], of_file: Vec::new() }
    }
}

impl Config {
    /// What holds for each file of a run.
    #[must_use]
    pub fn policy(&self, sources: &SourceMap) -> Policy {
        let mut base = Profile::default();
        base.take(&self.rules);
        let mut policy = Policy { profiles: vec![base], of_file: Vec::new() };
        if self.overrides.is_empty() && self.exclude.is_empty() {
            return policy;
        }
        // Files for which the same overrides hold share a profile.
        let mut known: HashMap<(bool, Vec<usize>), u32> = HashMap::from([((false, Vec::new()), 0)]);
        for (_, file) in sources.files() {
            let path = self.seen(file.path());
            let excluded = self.exclude.matches(&path);
            let hold: Vec<usize> =
                (0..self.overrides.len()).filter(|&at| self.overrides[at].paths.matches(&path)).collect();
            let next = policy.profiles.len() as u32;
            let number = *known.entry((excluded, hold.clone())).or_insert(next);
            if number == next {
                let mut profile = policy.profiles.first().cloned().unwrap_or_default();
                hold.iter().for_each(|&at| profile.take(&self.overrides[at].rules));
                profile.excluded = excluded;
                policy.profiles.push(profile);
            }
            policy.of_file.push(number);
        }
        policy
    }
}

impl Policy {
    /// What holds for a file.
    ///
    /// # Panics
    /// Never: there is always a first profile.
    #[must_use]
    pub fn of(&self, file: FileId) -> &Profile {
        let number = self.of_file.get(file.index()).copied().unwrap_or(0);
        &self.profiles[number as usize]
    }

    /// Whether a rule runs for any file.
    #[must_use]
    pub fn runs(&self, rule: RuleId) -> bool {
        self.profiles.iter().any(|profile| profile.runs(rule))
    }
}

impl Profile {
    /// Takes over what some rules say. A rule weighs more than its family, wherever it stands.
    fn take(&mut self, rules: &Rules) {
        for meta in crate::catalog::CATALOG.iter().filter(|meta| has_level(meta.id)) {
            let family = meta.code.chars().nth(2).and_then(|digit| rules.families.get(&digit));
            if let Some(level) = rules.levels.get(&meta.id).or(family) {
                self.levels.insert(meta.id, level.value);
            }
        }
        self.options.extend(rules.options.iter().map(|(key, option)| (*key, option.value)));
    }

    /// Whether findings of a rule are reported here.
    #[must_use]
    pub fn runs(&self, rule: RuleId) -> bool {
        !has_level(rule) || !self.excluded && self.level(rule) != Some(Level::Off)
    }

    /// What the user makes of a rule's findings, if anything.
    #[must_use]
    pub fn level(&self, rule: RuleId) -> Option<Level> {
        self.levels.get(&rule).copied()
    }

    /// The value of an option, where the user has set it.
    #[must_use]
    pub fn option(&self, rule: RuleId, name: &'static str) -> Option<OptionValue> {
        self.options.get(&(rule, name)).copied()
    }
}

/// Whether a level can be set: what could not be read is an error, whatever anybody says.
pub(super) const fn has_level(rule: RuleId) -> bool {
    !matches!(rule, RuleId::GW000 | RuleId::GW015)
}
