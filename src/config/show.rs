//! What holds for one path, and where each of it is written.

use super::policy::has_level;
use super::shape::LEVELS;
use super::{Config, Rules};
use crate::catalog::{CATALOG, RuleMeta};
use crate::source::clean;
use crate::topology::Dialect;
use std::ops::Range;

/// A setting that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// What is set: a rule's code, a proxy, a host name.
    pub key: String,
    /// To what.
    pub value: String,
    /// Where it is written; `None` for what holds when nothing is written.
    pub from: Option<String>,
}

/// Everything that holds for a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Where the path is excluded, if it is.
    pub excluded: Option<String>,
    /// The versions of the proxies.
    pub targets: Vec<Set>,
    /// The levels of all rules that can have one.
    pub levels: Vec<Set>,
    /// Their options.
    pub options: Vec<Set>,
    /// Findings that somebody has decided to live with: rule and reason.
    pub ignored: Vec<Set>,
    /// What is declared of backends; holds for all paths.
    pub services: Vec<Set>,
}

impl Config {
    /// What holds for a path, as the run shows it; without one, what holds wherever nothing else does.
    #[must_use]
    pub fn show(&self, path: Option<&str>) -> Shown {
        let seen = path.map(|path| self.seen(path));
        let mut shown = Shown {
            excluded: path.filter(|path| self.excludes(path)).map(|_| self.place(&self.exclude_at)),
            ..Shown::default()
        };
        for dialect in [Dialect::Nginx, Dialect::Haproxy] {
            let at = self.targets_at.get(dialect.key());
            shown.targets.push(Set {
                key: dialect.key().into(),
                value: at.map_or_else(|| format!("{} or newer", self.targets.of(dialect).from), |at| self.text(at)),
                from: at.map(|at| self.place(at)),
            });
        }
        let hold = |paths: &super::Patterns| seen.as_ref().is_some_and(|seen| paths.matches(seen));
        let overrides = self.overrides.iter().filter(|of| hold(&of.paths)).map(|of| (&of.rules, " (overrides)"));
        let all: Vec<(&Rules, &str)> = std::iter::once((&self.rules, "")).chain(overrides).collect();
        for meta in CATALOG.iter().filter(|meta| has_level(meta.id)) {
            shown.levels.push(self.level(meta, &all));
            for option in meta.options {
                let written = all.iter().rev().find_map(|(rules, suffix)| {
                    rules.options.get(&(meta.id, option.name)).map(|written| (&written.at, suffix))
                });
                shown.options.push(Set {
                    key: format!("{} {}", meta.code, option.name),
                    value: written.map_or_else(|| option.default.to_owned(), |(at, _)| self.text(at)),
                    from: written.map(|(at, suffix)| format!("{}{suffix}", self.place(at))),
                });
            }
        }
        for item in self.ignore.iter().filter(|item| hold(&item.paths)) {
            for (rule, at) in &item.rules {
                let value = clean(&item.reason).into_owned();
                shown.ignored.push(Set { key: rule.meta().code.into(), value, from: Some(self.place(at)) });
            }
        }
        for service in &self.services {
            let mut words = Vec::new();
            if !service.ports.is_empty() {
                let ports: Vec<_> = service.ports.iter().map(|(port, _)| port.to_string()).collect();
                words.push(format!("listens on {}", ports.join(", ")));
            }
            if let Some((_, at)) = &service.idle {
                words.push(format!("keeps idle connections for {}", self.text(at)));
            }
            let value = if words.is_empty() { "declared".to_owned() } else { words.join(", ") };
            let key = clean(&service.name).into_owned();
            shown.services.push(Set { key, value, from: Some(self.place(&service.at)) });
        }
        shown
    }

    /// The level of a rule: of several that speak of it the last counts, and in each the rule weighs more than its family.
    fn level(&self, meta: &RuleMeta, all: &[(&Rules, &str)]) -> Set {
        let digit = meta.code.chars().nth(2);
        let written = all.iter().rev().find_map(|(rules, suffix)| {
            let family = digit.and_then(|digit| rules.families.get(&digit));
            rules.levels.get(&meta.id).or(family).map(|written| (written, suffix))
        });
        let word = |level| LEVELS.iter().find(|(_, known)| *known == level).map_or("", |(word, _)| word);
        Set {
            key: format!("{} {}", meta.code, meta.slug),
            value: written.map_or(meta.severity.word(), |(written, _)| word(written.value)).into(),
            from: written.map(|(written, suffix)| format!("{}{suffix}", self.place(&written.at))),
        }
    }

    /// The words at a place of the file.
    fn text(&self, at: &Range<u32>) -> String {
        let text = self.source.as_ref().and_then(|source| source.text.get(at.start as usize..at.end as usize));
        clean(text.unwrap_or("").trim().trim_matches(['"', '\''])).into_owned()
    }

    /// A place of the file: path and line.
    fn place(&self, at: &Range<u32>) -> String {
        let Some(source) = &self.source else { return String::new() };
        let before = source.text.get(..at.start as usize).unwrap_or("");
        format!("{}:{}", clean(&source.path), before.matches('\n').count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{NAME, Source};
    use crate::source::{SourceFile, SourceMap};

    const TEXT: &str = "rules:\n  GW2: note\n  GW201: {level: error, min: '30s'}\noverrides:\n  - paths: [test/**]\n    rules:\n      \
                        GW201: off\n      GW2: warning\nexclude: [old]\ntargets: {nginx: 1.24}\nignore:\n  - {rule: GW301, \
                        path: a.conf, reason: so be it}\nservices:\n  app: {ports: [80, 81], idle_timeout: 5s}\n";

    fn config() -> Config {
        Config::read(Source { path: NAME.into(), text: TEXT.into() }).unwrap()
    }

    fn of<'s>(sets: &'s [Set], key: &str) -> (&'s str, Option<&'s str>) {
        let set = sets.iter().find(|set| set.key.starts_with(key)).unwrap();
        (&set.value, set.from.as_deref())
    }

    #[test]
    fn each_setting_says_where_it_stands() {
        let shown = config().show(Some("a.conf"));
        assert_eq!(of(&shown.levels, "GW201"), ("error", Some(".gw502.yaml:3")));
        assert_eq!(of(&shown.levels, "GW202"), ("note", Some(".gw502.yaml:2")), "its family");
        assert_eq!(of(&shown.levels, "GW301").1, None);
        assert_eq!(of(&shown.options, "GW201 min"), ("30s", Some(".gw502.yaml:3")));
        assert_eq!(of(&shown.targets, "nginx"), ("1.24", Some(".gw502.yaml:10")));
        assert_eq!(of(&shown.targets, "haproxy"), ("2.6 or newer", None));
        assert_eq!(of(&shown.ignored, "GW301"), ("so be it", Some(".gw502.yaml:12")));
        assert_eq!(
            of(&shown.services, "app"),
            ("listens on 80, 81, keeps idle connections for 5s", Some(".gw502.yaml:14"))
        );
        assert_eq!(shown.excluded, None);
        assert_eq!(config().show(Some("old/x.conf")).excluded.as_deref(), Some(".gw502.yaml:9"));
        let shown = config().show(Some("test/a.conf"));
        assert_eq!(of(&shown.levels, "GW201"), ("off", Some(".gw502.yaml:7 (overrides)")));
        assert_eq!(of(&shown.levels, "GW202"), ("warning", Some(".gw502.yaml:8 (overrides)")));
        assert_eq!(of(&config().show(None).levels, "GW201").0, "error", "no override holds everywhere");
    }

    #[test]
    fn what_is_shown_is_what_holds() {
        for path in ["a.conf", "test/a.conf", "other/b.conf"] {
            let mut sources = SourceMap::default();
            let file = sources.add(SourceFile::new(path, Vec::new()));
            let config = config();
            let policy = config.policy(&sources);
            let shown = config.show(Some(path));
            for meta in CATALOG.iter().filter(|meta| has_level(meta.id)) {
                let word = |level| LEVELS.iter().find(|(_, known)| *known == level).unwrap().0;
                let level = policy.of(file).level(meta.id).map_or(meta.severity.word(), word);
                assert_eq!(of(&shown.levels, meta.code).0, level, "{path} {}", meta.code);
            }
        }
    }

    #[test]
    fn without_a_file_all_is_as_it_comes() {
        let shown = Config::default().show(Some("a.conf"));
        let all = [&shown.targets, &shown.levels, &shown.options, &shown.ignored, &shown.services];
        assert!(all.into_iter().flatten().all(|set| set.from.is_none()) && !shown.levels.is_empty());
    }
}
