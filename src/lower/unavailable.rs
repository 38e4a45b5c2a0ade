//! What not every version of a proxy knows, in words. Each word is told once, with its places.

use crate::source::{Site, clean};
use crate::topology::{Dialect, Fault, FaultKind, FaultWeight, LoadEffect, ProxyId};
use crate::value::{Version, Versions};
use std::collections::{HashMap, HashSet};

/// How many more places of one word are shown.
const PLACES: usize = 3;

/// No reader wants more of them from one configuration.
const MOST: usize = 100;

/// So many different words of the commercial edition tell that it is the one in use.
const TELLTALE: usize = 3;

/// What makes that a proxy may lack a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// First version that knows it.
    Since(Version),
    /// First version whose open-source edition knows it; the commercial one knew it before.
    Opened(Version),
    /// First version that refuses it.
    Gone(Version),
    /// Only the commercial edition knows it.
    Commercial,
}

/// The words of one configuration that its proxy may lack.
#[derive(Debug)]
pub(super) struct Unavailable {
    proxy: ProxyId,
    dialect: Dialect,
    /// The versions that it may have.
    pub(super) versions: Versions,
    told: HashMap<Box<str>, usize>,
    faults: Vec<Noted>,
}

#[derive(Debug)]
struct Noted {
    fault: Fault,
    change: Change,
    /// Places beside the first one.
    seen: HashSet<Site>,
}

impl Unavailable {
    pub(super) fn new(proxy: ProxyId, dialect: Dialect, versions: Versions) -> Self {
        Self { proxy, dialect, versions, told: HashMap::new(), faults: Vec::new() }
    }

    /// Notes a word (as it stands in a sentence), unless every version that the proxy may have knows it. `instead`:
    /// what to write. Says whether one lacks it.
    pub(super) fn note(&mut self, what: &str, site: Site, change: Change, instead: Option<&str>) -> bool {
        if let Some(noted) = self.told.get(what).and_then(|&at| self.faults.get_mut(at)) {
            // A line that several sections inherit is read for each of them.
            if noted.fault.site == site || !noted.seen.insert(site) {
                return true;
            }
            if noted.seen.len() <= PLACES {
                noted.fault.others.push((site, "and here".to_owned()));
            }
            return true;
        }
        if self.faults.len() >= MOST {
            return false;
        }
        let Some(mut fault) = self.fault(what, site, change, instead) else { return false };
        if what.contains(' ') {
            fault.why = Some("a parameter or option that this version does not have is refused like a misspelt one");
        }
        self.told.insert(what.into(), self.faults.len());
        self.faults.push(Noted { fault, change, seen: HashSet::new() });
        true
    }

    fn fault(&self, what: &str, site: Site, change: Change, instead: Option<&str>) -> Option<Fault> {
        let (name, key) = (self.dialect.name(), self.dialect.key());
        let what = clean(what);
        let instead = instead.map_or_else(|| "remove it".to_owned(), str::to_owned);
        let asked = self.versions.from;
        let (weight, certain, label, message, help) = match change {
            Change::Opened(_) | Change::Commercial if self.versions.commercial => return None,
            Change::Since(since) | Change::Opened(since) => {
                let label = format!("unknown before {since}");
                match self.versions.reach(since) {
                    Some(true) => return None,
                    // What came later to HAProxy is sometimes taken back into releases of older lines.
                    Some(false) => (
                        FaultWeight::Fails,
                        self.dialect == Dialect::Nginx,
                        label,
                        format!("{name} {asked} does not start: {what} came with {since}"),
                        instead,
                    ),
                    // Who writes a newer word mostly runs a newer version: without a version named this is a remark.
                    None => (
                        if self.versions.asked { FaultWeight::MayFail } else { FaultWeight::Remark },
                        false,
                        label,
                        format!("{name} before {since} does not start: it does not know {what}"),
                        format!(
                            "{instead}; or, if {name} is {since} or newer, name its version: `--target {key}=VERSION`"
                        ),
                    ),
                }
            }
            Change::Gone(gone) => {
                let label = format!("gone since {gone}");
                match self.versions.reach(gone) {
                    Some(true) => (
                        FaultWeight::Fails,
                        true,
                        label,
                        format!("{name} does not start: {what} is gone since {gone}"),
                        instead,
                    ),
                    Some(false) => return None,
                    None => (
                        FaultWeight::Remark,
                        false,
                        label,
                        format!("from {name} {gone} on this keeps it from starting: {what} is gone there"),
                        instead,
                    ),
                }
            }
            Change::Commercial => {
                let asked = self.versions.asked;
                (
                    if asked { FaultWeight::Fails } else { FaultWeight::MayFail },
                    asked,
                    "in the commercial edition only".to_owned(),
                    format!("open-source {name} does not start: it does not know {what}"),
                    format!("{instead}; or, if it is the commercial edition, say so: `--target {key}=plus`"),
                )
            }
        };
        let fault = Fault::new(FaultKind::Unavailable, self.proxy, (site, label), message);
        Some(fault.help(help).effect(LoadEffect::Refused).weight(weight, certain))
    }

    /// Hands over what was noted.
    pub(super) fn finish(self, faults: &mut Vec<Fault>) {
        // Who writes several words of the commercial edition has it.
        let commercial = self.faults.iter().filter(|noted| noted.change == Change::Commercial).count();
        let assume = !self.versions.asked && commercial >= TELLTALE;
        faults.extend(self.faults.into_iter().filter_map(|Noted { mut fault, change, seen }| {
            if assume && matches!(change, Change::Commercial | Change::Opened(_)) {
                return None;
            }
            if let Some((_, last)) = fault.others.last_mut().filter(|_| seen.len() > PLACES) {
                *last = format!("and here, and in {} more places", seen.len() - PLACES);
            }
            Some(fault)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};
    use crate::topology::{Proxy, Topology};

    fn told(dialect: Dialect, versions: Versions, change: Change, places: u32) -> Option<Fault> {
        let mut topology = Topology::default();
        let proxy = topology.proxies.push(Proxy {
            dialect,
            versions,
            entry: FileId::new(0),
            whole: true,
            again: false,
            limits: None,
        });
        let mut words = Unavailable::new(proxy, dialect, versions);
        for place in 0..places {
            words.note("`word`", Site::direct(Span::new(FileId::new(0), place, place + 1)), change, None);
        }
        let mut faults = Vec::new();
        words.finish(&mut faults);
        assert!(faults.len() < 2);
        faults.pop()
    }

    fn weight(versions: Versions, change: Change) -> Option<(FaultWeight, bool)> {
        told(Dialect::Nginx, versions, change, 1).map(|fault| (fault.weight, fault.certain))
    }

    #[test]
    fn what_is_asked_for_is_told_harder_than_what_is_taken_for_granted() {
        let default = Versions::since(Version(1, 22, 0));
        let asked = |text| Versions::asked(text).expect("a version");
        let new = Change::Since(Version(1, 25, 1));
        assert_eq!(weight(default, new), Some((FaultWeight::Remark, false)));
        assert_eq!(weight(asked("1.24"), new), Some((FaultWeight::Fails, true)));
        assert_eq!(weight(asked("1.25"), new), Some((FaultWeight::MayFail, false)));
        assert_eq!(weight(asked("1.26.1"), new), None);
        let gone = Change::Gone(Version(1, 25, 1));
        assert_eq!(weight(default, gone), Some((FaultWeight::Remark, false)));
        assert_eq!(weight(asked("1.24"), gone), None);
        assert_eq!(weight(asked("1.26"), gone), Some((FaultWeight::Fails, true)));
        assert_eq!(weight(default, Change::Gone(Version(1, 19, 7))), Some((FaultWeight::Fails, true)));
        assert_eq!(weight(default, Change::Commercial), Some((FaultWeight::MayFail, false)));
        assert_eq!(weight(asked("1.26"), Change::Commercial), Some((FaultWeight::Fails, true)));
        assert_eq!(weight(Versions { commercial: true, ..default }, Change::Commercial), None);
    }

    #[test]
    fn a_word_is_told_once() {
        let fault = told(Dialect::Haproxy, Versions::since(Version(2, 6, 0)), Change::Since(Version(3, 0, 0)), 9);
        let fault = fault.expect("a fault");
        assert_eq!(fault.message, "HAProxy before 3.0 does not start: it does not know `word`");
        assert_eq!(fault.others.len(), PLACES);
        assert_eq!(fault.others[2].1, "and here, and in 5 more places");
        assert!(
            fault.help.is_some_and(|help| help.contains("3.0 or newer, name its version: `--target haproxy=VERSION`"))
        );
    }
}
