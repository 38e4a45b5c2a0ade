//! The configuration file: text → [`Config`], or every mistake in it with its place.

use super::policy::has_level;
use super::shape::{IGNORE, Key, LEVEL, LEVELS, OVERRIDE, SERVICE, TOP};
use super::{Config, Ignore, Level, Mistake, OptionValue, Override, Patterns, Rules, Service, Source, Written};
use crate::catalog::{CATALOG, OptionMeta, RuleId, RuleMeta, nearest};
use crate::lower::Targets;
use crate::source::clean;
use crate::syntax::yaml::{self, View};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// Mistakes that are told; a file with more of them is something else.
const MAX_MISTAKES: usize = 100;

/// Most characters of a value that a message repeats.
const SHOWN: usize = 60;

pub fn read(source: Source) -> Result<Config, Vec<Mistake>> {
    let mut reader = Reader::default();
    let parsed = yaml::parse(&source.text);
    for error in &parsed.errors {
        reader.mistake(error.at.clone(), error.message.clone(), error.label.clone(), error.help.clone());
    }
    let mut config = Config::default();
    if reader.mistakes.is_empty() {
        let mut documents = parsed.tree.documents();
        if let Some(root) = documents.next() {
            reader.top(root, &mut config);
        }
        if let Some(second) = documents.next() {
            reader.say(second, "this file holds more than one document", "only one is read", "take the `---` away");
        }
    }
    let mut mistakes = reader.mistakes;
    if mistakes.is_empty() {
        config.source = Some(source);
        return Ok(config);
    }
    mistakes.sort_by_key(|mistake| (mistake.at.start, mistake.at.end));
    mistakes.truncate(MAX_MISTAKES);
    Err(mistakes)
}

#[derive(Default)]
struct Reader {
    mistakes: Vec<Mistake>,
}

impl Reader {
    fn mistake(&mut self, at: Range<u32>, message: impl Into<String>, label: impl Into<String>, help: Option<String>) {
        self.mistakes.push(Mistake { at, message: message.into(), label: label.into(), help });
    }

    fn say(&mut self, at: View<'_>, message: impl Into<String>, label: impl Into<String>, help: impl Into<String>) {
        self.mistake(at.at(), message, label, Some(help.into()));
    }

    fn top(&mut self, root: View<'_>, config: &mut Config) {
        let fields = self.fields(root, TOP, "the configuration file");
        let field = |name: &str| fields.get(name).map(|(_, value)| *value);
        if let Some(value) = field("rules") {
            config.rules = self.rules(value);
        }
        for item in self.items(field("overrides"), "overrides") {
            let fields = self.fields(item, OVERRIDE, "an override");
            let paths = fields.get("paths").map(|(_, value)| self.patterns(*value, true)).unwrap_or_default();
            let rules = fields.get("rules").map(|(_, value)| self.rules(*value)).unwrap_or_default();
            config.overrides.push(Override { paths, rules });
        }
        if let Some(value) = field("exclude") {
            config.exclude = self.patterns(value, false);
            config.exclude_at = value.at();
        }
        if let Some(value) = field("targets") {
            config.targets = self.targets(value, &mut config.targets_at);
        }
        if let Some(value) = field("services") {
            config.services = self.services(value);
        }
        for item in self.items(field("ignore"), "ignore") {
            config.ignore.extend(self.ignore(item));
        }
    }

    /// The entries of a mapping whose keys are known; any other key is a mistake, as is one that is missing.
    fn fields<'t>(
        &mut self,
        mapping: View<'t>,
        keys: &'static [Key],
        what: &str,
    ) -> HashMap<&'static str, (View<'t>, View<'t>)> {
        let mut fields = HashMap::new();
        let optional = keys.iter().all(|key| !key.required);
        for (name, key, value) in self.entries(mapping, what, optional) {
            match keys.iter().find(|known| known.name == name) {
                Some(known) => {
                    fields.insert(known.name, (key, value));
                }
                None => self.unknown_key(key, name, keys.iter().map(|known| known.name), what),
            }
        }
        for key in keys.iter().filter(|key| key.required && mapping.is_mapping() && !fields.contains_key(key.name)) {
            let message = format!("{what} needs `{}`", key.name);
            self.say(mapping, message, format!("`{}` is missing here", key.name), key.doc);
        }
        fields
    }

    fn unknown_key<'k>(&mut self, key: View<'_>, name: &str, known: impl Iterator<Item = &'k str> + Clone, what: &str) {
        let label = match nearest(name, known.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "this key is not known here".into(),
        };
        let names: Vec<_> = known.map(|name| format!("`{name}`")).collect();
        let help = match names.len() {
            0 => None,
            _ => Some(format!("{what} may hold {}", listed(&names))),
        };
        self.mistake(key.at(), format!("{what} has no key {}", quoted(name)), label, help);
    }

    /// The entries of a mapping, merge keys resolved; each key once. Nothing (`rules:` with all below it commented
    /// out) is an empty mapping where `or_nothing`.
    fn entries<'t>(&mut self, mapping: View<'t>, what: &str, or_nothing: bool) -> Vec<(&'t str, View<'t>, View<'t>)> {
        if or_nothing && mapping.is_null() {
            return Vec::new();
        }
        if !mapping.is_mapping() {
            self.wrong(mapping, &format!("{what} is a mapping: keys, each with a colon and a value"));
            return Vec::new();
        }
        let mut seen = HashSet::new();
        for (key, _) in mapping.written() {
            if let Some(name) = key.text()
                && !seen.insert(name)
            {
                self.say(key, format!("{} stands here twice", quoted(name)), "the second time", "keep one of the two");
            }
        }
        let mut entries = Vec::new();
        for (key, value) in mapping.entries() {
            match key.text() {
                Some(name) => entries.push((name, key, value)),
                None => self.wrong(key, "a key is a word"),
            }
        }
        entries
    }

    /// The items of a list. Nothing is an empty list.
    fn items<'t>(&mut self, list: Option<View<'t>>, what: &str) -> Vec<View<'t>> {
        let Some(list) = list else { return Vec::new() };
        if !list.is_sequence() && !list.is_null() {
            self.wrong(list, &format!("`{what}` is a list: each item behind a `- `"));
        }
        list.items().collect()
    }

    /// A value, or a list of values.
    fn one_or_more<'t>(&mut self, value: View<'t>, what: &str) -> Vec<(View<'t>, &'t str)> {
        let items = if value.is_sequence() { value.items().collect() } else { vec![value] };
        let mut texts = Vec::new();
        for item in items {
            texts.extend(self.text(item, what).map(|text| (item, text)));
        }
        texts
    }

    fn text<'t>(&mut self, value: View<'t>, what: &str) -> Option<&'t str> {
        let text = value.text().filter(|text| !text.trim().is_empty() && !value.is_null());
        if text.is_none() {
            self.wrong(value, what);
        }
        text
    }

    /// A value of the wrong type.
    fn wrong(&mut self, value: View<'_>, wanted: &str) {
        let is = if value.is_mapping() {
            "this is a mapping"
        } else if value.is_sequence() {
            "this is a list"
        } else if value.is_null() || value.text().is_some_and(|text| text.trim().is_empty()) {
            "there is nothing here"
        } else {
            "this is a single value"
        };
        self.mistake(value.at(), wanted, is, None);
    }

    fn rules(&mut self, value: View<'_>) -> Rules {
        let mut rules = Rules::default();
        let mut seen = HashSet::new();
        for (name, key, value) in self.entries(value, "`rules`", true) {
            if let Some(digit) = family(name) {
                if let Some(level) = self.family_level(name, value) {
                    rules.families.insert(digit, Written { value: level, at: value.at() });
                }
                continue;
            }
            let Some(rule) = self.rule(key, name) else { continue };
            if !has_level(rule) {
                let label = "this is always an error";
                self.say(key, format!("{rule} has no level"), label, "what was not read was not checked");
            } else if !seen.insert(rule) {
                self.say(key, format!("{rule} stands here twice"), "by another name", "keep one of the two");
            } else if value.is_mapping() {
                self.settings(rule.meta(), value, &mut rules);
            } else if let Some(level) = self.level(value, rule.meta().code) {
                rules.levels.insert(rule, Written { value: level, at: value.at() });
            }
        }
        rules
    }

    fn family_level(&mut self, name: &str, value: View<'_>) -> Option<Level> {
        if !value.is_mapping() {
            return self.level(value, name);
        }
        let mut level = None;
        for (key_name, key, value) in self.entries(value, name, false) {
            if key_name == LEVEL {
                level = self.level(value, name);
            } else {
                let help = "options belong to one rule: write them under its code";
                self.say(key, format!("a family has no option {}", quoted(key_name)), "not known here", help);
            }
        }
        level
    }

    fn settings(&mut self, meta: &'static RuleMeta, value: View<'_>, rules: &mut Rules) {
        for (name, key, value) in self.entries(value, meta.code, false) {
            if name == LEVEL {
                if let Some(level) = self.level(value, meta.code) {
                    rules.levels.insert(meta.id, Written { value: level, at: value.at() });
                }
            } else if let Some(option) = meta.options.iter().find(|option| option.name == name) {
                if let Some(read) = self.option(option, value) {
                    rules.options.insert((meta.id, option.name), Written { value: read, at: value.at() });
                }
            } else {
                let known = meta.options.iter().map(|option| option.name);
                let label = match nearest(name, known.clone().chain([LEVEL])) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "not known here".into(),
                };
                let names: Vec<_> = known.map(|name| format!("`{name}`")).collect();
                let help = match names.len() {
                    0 => format!("{} has no options, only a `{LEVEL}`", meta.code),
                    _ => format!("{} has `{LEVEL}` and {}", meta.code, listed(&names)),
                };
                self.say(key, format!("{} has no option {}", meta.code, quoted(name)), label, help);
            }
        }
    }

    fn level(&mut self, value: View<'_>, of: &str) -> Option<Level> {
        let words = LEVELS.map(|(word, _)| word);
        let wanted = format!("the level of {} is `off`, `note`, `warning` or `error`", clean(of));
        let text = self.text(value, &wanted)?;
        let found = LEVELS.iter().find(|(word, _)| *word == text).map(|(_, level)| *level);
        if found.is_none() {
            let label = match nearest(text, words) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "not known here".into(),
            };
            let help = "a level is `off`, `note`, `warning` or `error`";
            self.say(value, format!("{} is no level", quoted(text)), label, help);
        }
        found
    }

    fn option(&mut self, option: &OptionMeta, value: View<'_>) -> Option<OptionValue> {
        let text = self.text(value, &format!("`{}` is a single value", option.name))?;
        let read = OptionValue::parse(option.kind, text);
        if read.is_none() {
            let message = format!("{} is no {}", quoted(text), kind_words(option.kind));
            self.say(
                value,
                message,
                unit_missing(option.kind, text),
                format!("{}; as in `{}: {}`", option.doc, option.name, option.default),
            );
        }
        read
    }

    fn rule(&mut self, at: View<'_>, name: &str) -> Option<RuleId> {
        let found = RuleId::find(name);
        if found.is_none() {
            let label = match RuleId::near(name) {
                Some(near) => format!("did you mean {near}?"),
                None => "not known".into(),
            };
            let help = "name a rule by its code or name, a family as `GW3`; see all rules with: gw502-lint rules";
            self.say(at, format!("there is no rule {}", quoted(name)), label, help);
        }
        found
    }

    fn patterns(&mut self, value: View<'_>, needed: bool) -> Patterns {
        if value.is_null() && !needed {
            return Patterns::default();
        }
        let mut globs = Vec::new();
        let texts = self.one_or_more(value, "a pattern for paths is text");
        if needed && texts.is_empty() && value.is_sequence() {
            self.mistake(value.at(), "at least one path is needed", "this list is empty", None);
        }
        for (item, text) in texts {
            match Patterns::read(text) {
                Ok(read) => globs.extend(read),
                Err(why) => {
                    let help = "`*` stands for any part of a name, `**/` for any folders; as in `conf/legacy/**` or `*.test.conf`";
                    self.say(item, format!("the pattern {} cannot be read", quoted(text)), clean(&why), help);
                }
            }
        }
        Patterns::join(globs).unwrap_or_else(|why| {
            self.mistake(value.at(), "these patterns cannot be used together", clean(&why), None);
            Patterns::default()
        })
    }

    fn targets(&mut self, value: View<'_>, places: &mut BTreeMap<String, Range<u32>>) -> Targets {
        let mut targets = Targets::default();
        for (name, key, value) in self.entries(value, "`targets`", true) {
            if !super::schema::PROXIES.contains(&name) {
                self.unknown_key(key, name, super::schema::PROXIES.into_iter(), "`targets`");
            } else if let Some(version) = self.text(value, "a version is a number such as 1.24") {
                places.insert(name.to_owned(), value.at());
                if targets.ask(name, version).is_ok() {
                    continue;
                }
                let help = format!("write `{name}: 1.24` for any release of that line, `{name}: 1.24.0` for that one");
                self.say(value, format!("{} is no version", quoted(version)), "not a version", help);
            }
        }
        targets
    }

    fn services(&mut self, value: View<'_>) -> Vec<Service> {
        let mut services = Vec::new();
        for (name, key, value) in self.entries(value, "`services`", true) {
            let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if name.is_empty() || !name.chars().all(fine) {
                let help = "write the name as the proxy's configuration does, without scheme and port";
                self.say(key, format!("{} is no host name", quoted(name)), "this names no service", help);
            }
            let fields = self.fields(value, SERVICE, "a service");
            let ports = fields.get("ports").map(|(_, value)| self.ports(*value)).unwrap_or_default();
            let idle = fields.get("idle_timeout").and_then(|(_, value)| {
                let text = self.text(*value, "`idle_timeout` is a time such as 5s")?;
                let read = crate::value::parse_duration(text);
                if read.is_none() {
                    let help = "write a number and `ms`, `s`, `m` or `h`, as in `idle_timeout: 5s`";
                    self.say(*value, format!("{} is no time", quoted(text)), unit_missing("duration", text), help);
                }
                read.map(|read| (read, value.at()))
            });
            services.push(Service { name: name.to_ascii_lowercase(), at: key.at(), ports, idle });
        }
        services
    }

    fn ports(&mut self, value: View<'_>) -> Vec<(u16, Range<u32>)> {
        let mut ports = Vec::new();
        for item in self.items(Some(value), "ports") {
            let Some(text) = self.text(item, "a port is a number") else { continue };
            match text.parse().ok().filter(|&port: &u16| port > 0 && !text.starts_with('+')) {
                Some(port) => ports.push((port, item.at())),
                None => {
                    self.mistake(item.at(), format!("{} is no port", quoted(text)), "ports go from 1 to 65535", None)
                }
            }
        }
        ports
    }

    fn ignore(&mut self, item: View<'_>) -> Option<Ignore> {
        let fields = self.fields(item, IGNORE, "an item of `ignore`");
        let mut rules = Vec::new();
        if let Some((_, value)) = fields.get("rule") {
            for (at, name) in self.one_or_more(*value, "a rule is named by its code or name") {
                match self.rule(at, name) {
                    Some(rule) if has_level(rule) => rules.push((rule, at.at())),
                    Some(rule) => {
                        let label = "this has no effect";
                        self.say(at, format!("{rule} cannot be ignored"), label, "what was not read was not checked");
                    }
                    None => {}
                }
            }
        }
        let paths = self.patterns(fields.get("path")?.1, true);
        let reason = self.text(fields.get("reason")?.1, "a reason is a few words")?;
        Some(Ignore { rules, paths, reason: reason.trim().into() })
    }
}

/// `GW3` → `3`, where there are such rules.
fn family(name: &str) -> Option<char> {
    let digit = name.strip_prefix("GW").filter(|rest| rest.len() == 1)?.chars().next()?;
    CATALOG.iter().any(|meta| meta.code.chars().nth(2) == Some(digit)).then_some(digit)
}

fn kind_words(kind: &str) -> &'static str {
    match kind {
        "duration" => "time",
        "size" => "size",
        _ => "number",
    }
}

fn unit_missing(kind: &str, text: &str) -> String {
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        "duration" if number => format!("without a unit; did you mean `{}s`?", clean(text)),
        "duration" => "write a whole number and `ms`, `s`, `m` or `h`".into(),
        "size" => "write a number, with `k` or `m` behind it or without".into(),
        _ => "write a whole number".into(),
    }
}

/// Text of the file inside a sentence.
fn quoted(text: &str) -> String {
    let text = clean(text);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn listed(names: &[String]) -> String {
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}
