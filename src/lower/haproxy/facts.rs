//! Notes what HAProxy would refuse, ignore or misread while it loads a file.

use super::text::Arg;
use super::times::{self, Time};
use crate::edit::{Edit, Fix};
use crate::lower::unavailable::{Change, Unavailable};
use crate::source::{Site, Span};
use crate::syntax::limits::MAX_ERRORS;
use crate::topology::{
    BareNumber, Dialect, Duplicate, LoadEffect, LoadFacts, MalformedTarget, ProxyId, SyntaxFact, UndefinedName,
};
use crate::value::{Version, Versions};
use std::collections::HashSet;
use std::time::Duration;

/// How many names are compared for "did you mean" in one file: the work stays linear, whatever the file holds.
const COMPARISONS: usize = 20_000;

/// Longest word for which a like one is looked for.
const LONGEST_NAME: usize = 64;

/// What is to go in this version or later is no fault yet: it is not out.
const NOT_OUT: Version = Version(3, 5, 0);

/// Takes the facts of one file.
pub(super) struct Facts {
    pub(super) load: LoadFacts,
    pub(super) proxy: ProxyId,
    comparisons: usize,
    refused: usize,
    /// Whether only some configurations have the line that is read: in a dead branch HAProxy looks at nothing.
    pub(super) conditional: bool,
    /// Variables that were told to be unset.
    pub(super) told_unset: HashSet<Box<str>>,
    /// Whether parts of the file are filled in later.
    template: bool,
    /// Words that its version may lack.
    unavailable: Unavailable,
}

impl Facts {
    pub(super) fn new(proxy: ProxyId, versions: Versions, template: bool) -> Self {
        Self {
            load: LoadFacts::default(),
            proxy,
            comparisons: COMPARISONS,
            refused: 0,
            conditional: false,
            told_unset: HashSet::new(),
            template,
            unavailable: Unavailable::new(proxy, Dialect::Haproxy, versions),
        }
    }

    /// Hands over what was noted.
    pub(super) fn finish(self, all: &mut LoadFacts) {
        let LoadFacts {
            syntax,
            missing_files,
            undefined,
            duplicates,
            malformed,
            bare_numbers,
            empty_resolvers,
            faults,
        } = self.load;
        all.syntax.extend(syntax);
        all.missing_files.extend(missing_files);
        all.undefined.extend(undefined);
        all.duplicates.extend(duplicates);
        all.malformed.extend(malformed);
        all.bare_numbers.extend(bare_numbers);
        all.empty_resolvers.extend(empty_resolvers);
        all.faults.extend(faults);
        self.unavailable.finish(&mut all.faults);
    }

    /// From the start of one site to the end of another.
    pub(super) fn join(&self, from: Site, to: Site) -> Site {
        let span: Span = from.span.to(to.span);
        Site { span, via: from.via }
    }

    /// A word as it fits into a message.
    fn shown(word: &str) -> String {
        let mut chars = word.chars();
        let start: String = chars.by_ref().take(LONGEST_NAME).collect();
        if chars.next().is_some() { format!("{start}…") } else { start }
    }

    /// The candidate most like a word, if one is near.
    pub(super) fn near<'c>(&mut self, word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
        let length = word.chars().count();
        if !(2..=LONGEST_NAME).contains(&length) {
            return None;
        }
        let mut best: Option<(usize, &str)> = None;
        for candidate in candidates {
            let Some(left) = self.comparisons.checked_sub(1) else { break };
            self.comparisons = left;
            if candidate.len().abs_diff(word.len()) > 3 || candidate == word {
                continue;
            }
            let distance = strsim::osa_distance(word, candidate);
            if distance <= (length / 3).clamp(1, 3) && best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, candidate));
            }
        }
        best.map(|(_, candidate)| candidate)
    }

    /// A time written as a bare number. Zero says the same in every unit.
    pub(super) fn bare_number(&mut self, site: Site, setting: &str, written: &str, ms: u64, is_timeout: bool) {
        if ms == 0 {
            return;
        }
        self.load.bare_numbers.push(BareNumber {
            proxy: self.proxy,
            site,
            setting: setting.into(),
            written: written.into(),
            read_as: Duration::from_millis(ms),
            is_timeout,
        });
    }

    /// A time whose only use is that it may be bare.
    pub(super) fn time(&mut self, site: Site, setting: &str, arg: &Arg<'_>, is_timeout: bool) {
        if arg.live.is_none()
            && let Time::Read { ms, bare: true } = times::read(&arg.text)
        {
            self.bare_number(site, setting, &arg.text, ms, is_timeout);
        }
    }

    /// Text that HAProxy refuses.
    pub(super) fn refused(&mut self, site: Site, message: String, label: &str, help: Option<String>) {
        self.refused_unless(site, message, label, help, None);
    }

    /// Text that HAProxy refuses, and other words in its place that may be meant.
    fn refused_unless(&mut self, site: Site, message: String, label: &str, help: Option<String>, meant: Option<&str>) {
        if self.refused >= MAX_ERRORS || self.conditional {
            return;
        }
        self.refused += 1;
        let edit = |meant: &str| Edit::Replace { span: site.span, text: meant.to_owned() };
        self.load.syntax.push(SyntaxFact {
            fix: meant.map(|meant| Fix::guess(format!("write `{meant}`"), [edit(meant)])),
            dialect: Dialect::Haproxy,
            site,
            message,
            label: label.to_owned(),
            others: Vec::new(),
            help,
            certain: true,
        });
    }

    /// Whether the proxy is this version or newer; `None`: it may be, or not.
    pub(super) fn reach(&self, major: u16, minor: u16) -> Option<bool> {
        self.unavailable.versions.reach(Version(major, minor, 0))
    }

    /// A word that came with a version or went with one. Says whether the proxy may lack it.
    pub(super) fn changed(
        &mut self,
        what: &str,
        site: Site,
        (since, removed): (Option<Version>, Option<Version>),
        instead: Option<&str>,
    ) -> bool {
        // In a template a condition on the version may stand around it.
        if self.conditional || self.template {
            return false;
        }
        let removed = removed.filter(|removed| *removed < NOT_OUT).map(Change::Gone);
        // Of a word that came and went the older versions weigh more.
        let changes = [since.map(Change::Since), removed];
        changes.into_iter().flatten().any(|change| self.unavailable.note(what, site, change, instead))
    }

    /// An option that no version knows.
    pub(super) fn unknown_option(
        &mut self,
        line: &str,
        arg: &Arg<'_>,
        nearest: impl FnOnce(&str) -> Option<&'static str>,
    ) {
        if self.refused >= MAX_ERRORS {
            return;
        }
        let near = nearest(&arg.text);
        // Behind a tag the word may be the value of an option that is glued to it: `{% if ca %}verify required{% endif %}`.
        if self.template && near.is_none() {
            return;
        }
        let word = Self::shown(&arg.text);
        self.refused_unless(
            arg.site,
            format!("HAProxy knows no option `{word}` on a `{line}` line"),
            "unknown option",
            near.map(|near| format!("did you mean `{near}`?")),
            near,
        );
    }

    /// A keyword that no version knows.
    pub(super) fn unknown_keyword(
        &mut self,
        site: Site,
        word: &str,
        section: &str,
        near: impl FnOnce() -> Option<&'static str>,
    ) {
        if self.refused >= MAX_ERRORS {
            return;
        }
        let near = near();
        // The first word alone may be wrong, and the near keyword have two.
        let meant = near.map(|near| if word.contains(' ') { near } else { near.split(' ').next().unwrap_or(near) });
        let meant = meant.filter(|meant| meant.split(' ').count() == word.split(' ').count());
        let word = Self::shown(word);
        self.refused_unless(
            site,
            format!("HAProxy knows no keyword `{word}` in a `{section}` section"),
            "unknown keyword",
            near.map(|near| format!("did you mean `{near}`?")),
            meant,
        );
    }

    pub(super) fn undefined(
        &mut self,
        kind: &'static str,
        name: &str,
        site: Site,
        other: Option<(Site, String)>,
        near: Option<(Box<str>, Site)>,
        effect: LoadEffect,
    ) {
        self.load.undefined.push(UndefinedName {
            proxy: self.proxy,
            kind,
            name: name.into(),
            site,
            other,
            near,
            effect,
        });
    }

    pub(super) fn duplicate(
        &mut self,
        kind: &'static str,
        name: &str,
        first: Site,
        second: Site,
        effect: LoadEffect,
        note: Option<&'static str>,
    ) {
        self.load.duplicates.push(Duplicate {
            proxy: self.proxy,
            kind,
            name: name.into(),
            first,
            second,
            effect,
            note,
        });
    }

    pub(super) fn malformed(&mut self, site: Site, fault: super::address::Fault, other: Option<(Site, String)>) {
        let edit = |text: Box<str>| Edit::Replace { span: site.span, text: text.into() };
        let instead = fault.instead.map(|text| Fix::guess(format!("write `{text}`"), [edit(text)]));
        self.load.malformed.push(MalformedTarget {
            fix: instead,
            proxy: self.proxy,
            site,
            message: fault.message,
            label: fault.label,
            other,
            why: fault.why,
            help: fault.help,
            effect: fault.effect,
        });
    }
}
