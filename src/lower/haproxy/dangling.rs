//! Frontends in which some requests lead nowhere.

use super::file::File;
use super::profile::Slot;
use super::rules;
use super::section::Section;
use super::text::{Prefix, Statement};
use crate::source::Site;
use crate::syntax::haproxy::SectionKeyword;
use crate::topology::{Fault, FaultKind, FaultWeight, Known, Matcher};
use std::collections::HashMap;

/// What a frontend answers itself.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Everything that comes.
    always: bool,
    /// What the conditions say, as far as they are one term: the term and whether it is negated.
    when: Vec<(Box<str>, bool)>,
    /// Some of it, by any rule.
    some: bool,
}

impl Answers {
    /// Looks at a statement.
    pub(super) fn read(&mut self, statement: &Statement<'_>) {
        let action = match statement.keyword() {
            "http-request" => statement.word(1),
            "redirect" => "redirect",
            _ => return,
        };
        let answers = matches!(
            action,
            "return" | "redirect" | "deny" | "tarpit" | "reject" | "use-service" | "silent-drop" | "auth"
        ) || action.starts_with("lua.");
        if !answers || statement.prefix != Prefix::None || statement.condition.is_some() {
            self.some |= answers;
            return;
        }
        self.some = true;
        match rules::condition_of(statement) {
            None => self.always = true,
            Some(at) => {
                let words: Vec<&str> = statement.from(at).iter().map(|arg| &*arg.text).collect();
                self.when.extend(term(&words.join(" ")));
            }
        }
    }
}

/// A condition of one term: its text, and whether it is negated.
fn term(condition: &str) -> Option<(Box<str>, bool)> {
    let (word, rest) = condition.split_once(' ')?;
    let rest = rest.trim();
    let term = rest.trim_start_matches(['!', ' ']);
    let negated = (word == "unless") != (rest[..rest.len() - term.len()].matches('!').count() % 2 == 1);
    let one = match term.strip_prefix('{') {
        Some(inner) => inner.find('}').is_some_and(|end| inner[end + 1..].trim().is_empty()),
        None => !term.contains(' '),
    };
    one.then(|| (term.into(), negated))
}

/// Notes a frontend without a backend for what matches no rule.
pub(super) fn frontend(file: &mut File<'_>, section: &Section) {
    let answers = &section.answers;
    let unsure = !file.accuses()
        || section.keyword != SectionKeyword::Frontend
        || section.condition.is_some()
        || section.profile.beyond.is_some()
        || section.binds.is_empty();
    let default = !matches!(section.profile.default_backend, Slot::Nothing | Slot::Unset);
    if unsure || default || answers.always || section.profile.is_http() != Some(true) {
        return;
    }
    if section.wanted.is_empty() && section.answers_itself {
        // Statistics, redirects, a page for monitoring: it was not made to hand requests on.
        return;
    }
    let plain = section.binds.iter().all(|(bind, _)| bind.tls == Known::Yes(false));
    let mut seen: HashMap<Box<str>, bool> = HashMap::new();
    let mut all: Vec<(Box<str>, bool)> = answers.when.clone();
    for wanted in &section.wanted {
        match &wanted.matcher {
            Matcher::Condition(condition) => all.extend(term(condition)),
            // Of names that are put together per request another rule speaks.
            _ => return,
        }
    }
    for (term, negated) in all {
        // One half of the requests and the other.
        if seen.get(&term).is_some_and(|before| *before != negated) || (plain && negated && term.contains("ssl_fc")) {
            return;
        }
        seen.insert(term, negated);
    }
    let last = section.wanted.last();
    let mut fault = Fault::new(
        FaultKind::DanglingRoute,
        file.facts.proxy,
        (section.extent.header, "no `default_backend`"),
        match last {
            Some(_) => "requests that match none of these rules are answered with 503: there is no `default_backend`",
            None => "every request is answered with 503: this frontend has no backend",
        },
    )
    .help(
        "write `default_backend NAME`, or say what the others get: `http-request return status 404` as the last rule",
    );
    if let Some(last) = last {
        fault = fault.other(last.site, "the last rule, and it has a condition");
    }
    let weight = if answers.some { FaultWeight::Remark } else { FaultWeight::MayFail };
    file.facts.load.faults.push(fault.weight(weight, true));
}

/// Notes rules that are never reached: below one that takes everything, or with the condition of one above.
pub(super) fn shadowed(file: &mut File<'_>, section: &Section) {
    if file.template || section.condition.is_some() {
        return;
    }
    let mut seen: HashMap<&str, Site> = HashMap::new();
    let mut all: Option<Site> = None;
    let mut faults = Vec::new();
    for wanted in section.wanted.iter().filter(|wanted| !wanted.conditional) {
        let by = match (&wanted.matcher, all) {
            (_, Some(all)) => Some((all, "takes every request")),
            (Matcher::Condition(condition), None) => {
                seen.get(&**condition).map(|&site| (site, "has the same condition"))
            }
            _ => None,
        };
        if let Some((site, what)) = by {
            let fault = Fault::new(
                FaultKind::ShadowedRoute,
                file.facts.proxy,
                (wanted.site, "never reached"),
                "this rule never gets a request: another one above takes them all",
            )
            .other(site, what)
            .why("HAProxy goes through `use_backend` rules from top to bottom and takes the first that fits; `haproxy -c` says nothing")
            .help("move this rule up, or take the other one away")
            .weight(FaultWeight::MayFail, true);
            faults.push(fault);
            continue;
        }
        match &wanted.matcher {
            Matcher::Always => all = Some(wanted.site),
            // Words that are filled in may differ; chance and counters do.
            Matcher::Condition(condition) if !condition.contains('$') && !file.chance => {
                seen.insert(condition, wanted.site);
            }
            _ => {}
        }
    }
    file.facts.load.faults.extend(faults.into_iter().take(64));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms() {
        assert_eq!(term("if api"), Some(("api".into(), false)));
        assert_eq!(term("if !api"), Some(("api".into(), true)));
        assert_eq!(term("unless { ssl_fc }"), Some(("{ ssl_fc }".into(), true)));
        assert_eq!(term("unless !{ ssl_fc }"), Some(("{ ssl_fc }".into(), false)));
        assert_eq!(term("if a b"), None);
        assert_eq!(term("if { a } { b }"), None);
        assert_eq!(term("if"), None);
    }
}
