//! What of the findings of a run was known before. Findings with one key are counted, not told apart.

use crate::catalog::Severity;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Findings that were known before: those of one rule and one key in one file.
#[derive(Clone, Copy, Debug)]
pub struct Old<'a> {
    /// The rule's code.
    pub rule: &'a str,
    /// The file in which they were found.
    pub path: &'a str,
    /// Their key.
    pub key: u64,
    /// How many there were.
    pub count: u32,
    /// How bad they were; a worse finding is not one of them. `None`: that does not count.
    pub severity: Option<Severity>,
}

/// A finding of this run.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The rule's code.
    pub rule: &'a str,
    /// The file in which it was found.
    pub path: &'a str,
    /// Its key.
    pub key: u64,
    /// How bad it is.
    pub severity: Severity,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Compared {
    /// For each finding of this run whether it was known.
    pub known: Vec<bool>,
    /// For each item of what was known how many of its findings are gone.
    pub gone: Vec<u32>,
}

type Place<'a> = (&'a str, &'a str, u64);

/// Holds the findings of a run against what was known. A file that `is_there` no more and whose findings stand in one
/// other file now, which was not known before, has been renamed.
#[must_use]
pub fn compare<'a>(old: &[Old<'a>], seen: &[Seen<'a>], is_there: impl Fn(&str) -> bool) -> Compared {
    let mut found = Matching::new(old, seen.len());
    let mut order: Vec<usize> = (0..seen.len()).collect();
    // The worst first, so that a milder one does not take its place.
    order.sort_by_key(|&at| std::cmp::Reverse(seen[at].severity));
    for &at in &order {
        found.take(at, &seen[at], seen[at].path);
    }
    let renamed = renamed(old, seen, &found, is_there);
    if !renamed.is_empty() {
        for &at in &order {
            if !found.known[at]
                && let Some(before) = renamed.get(seen[at].path)
            {
                found.take(at, &seen[at], before);
            }
        }
    }
    Compared { known: found.known, gone: found.left }
}

struct Matching<'a, 's> {
    /// Items of one place, the worst first.
    places: HashMap<Place<'a>, Vec<usize>>,
    old: &'s [Old<'a>],
    left: Vec<u32>,
    known: Vec<bool>,
}

impl<'a, 's> Matching<'a, 's> {
    fn new(old: &'s [Old<'a>], seen: usize) -> Self {
        let mut places: HashMap<Place<'a>, Vec<usize>> = HashMap::with_capacity(old.len());
        for (at, item) in old.iter().enumerate() {
            places.entry((item.path, item.rule, item.key)).or_default().push(at);
        }
        for items in places.values_mut() {
            // The last one is taken first.
            items.sort_by_key(|&at| (old[at].severity.is_none(), old[at].severity));
        }
        Self { places, old, left: old.iter().map(|item| item.count).collect(), known: vec![false; seen] }
    }

    fn take(&mut self, at: usize, finding: &Seen<'a>, path: &'a str) {
        let Some(items) = self.places.get_mut(&(path, finding.rule, finding.key)) else { return };
        while let Some(&item) = items.last() {
            if self.left[item] == 0 {
                items.pop();
                continue;
            }
            if self.old[item].severity.is_none_or(|severity| severity >= finding.severity) {
                self.left[item] -= 1;
                self.known[at] = true;
            }
            return;
        }
    }
}

/// The files that have another name now: the new one, and the old one.
fn renamed<'a>(
    old: &[Old<'a>],
    seen: &[Seen<'a>],
    found: &Matching<'_, '_>,
    is_there: impl Fn(&str) -> bool,
) -> HashMap<&'a str, &'a str> {
    let known: HashSet<&str> = old.iter().map(|item| item.path).collect();
    let missing: HashSet<&str> = old
        .iter()
        .zip(&found.left)
        .filter(|(_, left)| **left > 0)
        .map(|(item, _)| item.path)
        .collect::<HashSet<_>>()
        .into_iter()
        .filter(|path| !is_there(path))
        .collect();
    if missing.is_empty() {
        return HashMap::new();
    }
    let mut before: HashMap<(&str, u64), Pair<'a>> = HashMap::new();
    for item in old.iter().filter(|item| missing.contains(item.path)) {
        before.entry((item.rule, item.key)).or_default().add(item.path);
    }
    let mut now: HashMap<(&str, u64), Pair<'a>> = HashMap::new();
    let fresh = |finding: &&Seen<'_>| !known.contains(finding.path);
    for finding in seen.iter().filter(fresh) {
        now.entry((finding.rule, finding.key)).or_default().add(finding.path);
    }
    // Of each finding that stood in one file only and stands in one file only: from where to where.
    let mut moves: BTreeMap<&str, Pair<'a>> = BTreeMap::new();
    let mut back: BTreeMap<&str, Pair<'a>> = BTreeMap::new();
    let mut vote = |from: &'a str, to: &'a str| {
        moves.entry(from).or_default().add(to);
        back.entry(to).or_default().add(from);
    };
    for (place, from) in &before {
        if let (Some(from), Some(to)) = (from.only(), now.get(place).and_then(Pair::only)) {
            vote(from, to);
        }
    }
    // Findings that look alike in many files do not say which is which; the names of the files may.
    let mut by_name: HashMap<&str, (Pair<'a>, Pair<'a>)> = HashMap::new();
    for path in &missing {
        by_name.entry(name(path)).or_default().0.add(path);
    }
    for finding in seen.iter().filter(fresh) {
        by_name.entry(name(finding.path)).or_default().1.add(finding.path);
    }
    let mut renamed = HashMap::new();
    for (from, to) in &moves {
        if let Some(to) = to.only()
            && back.get(to).and_then(Pair::only) == Some(from)
        {
            renamed.insert(to, *from);
        }
    }
    let gone: HashSet<&str> = renamed.values().copied().collect();
    for (from, to) in by_name.values() {
        if let (Some(from), Some(to)) = (from.only(), to.only())
            && !gone.contains(from)
            && !moves.contains_key(from)
            && !back.contains_key(to)
        {
            renamed.insert(to, from);
        }
    }
    renamed
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether it is one thing or several.
#[derive(Clone, Copy, Debug, Default)]
enum Pair<'a> {
    #[default]
    None,
    One(&'a str),
    Several,
}

impl<'a> Pair<'a> {
    fn add(&mut self, path: &'a str) {
        *self = match self {
            Self::None => Self::One(path),
            Self::One(one) if *one == path => Self::One(path),
            _ => Self::Several,
        };
    }

    fn only(&self) -> Option<&'a str> {
        match self {
            Self::One(path) => Some(path),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old(path: &'static str, key: u64, count: u32) -> Old<'static> {
        Old { rule: "GW201", path, key, count, severity: None }
    }

    fn seen(path: &'static str, key: u64) -> Seen<'static> {
        Seen { rule: "GW201", path, key, severity: Severity::Error }
    }

    #[test]
    fn equal_findings_are_counted() {
        let compared =
            compare(&[old("a", 1, 2), old("a", 2, 3)], &[seen("a", 1), seen("a", 1), seen("a", 1)], |_| true);
        assert_eq!(compared, Compared { known: vec![true, true, false], gone: vec![0, 3] });
        assert_eq!(compare(&[old("a", 1, 1)], &[seen("b", 1)], |_| true).known, [false], "a copy is new");
    }

    #[test]
    fn a_worse_finding_is_not_the_same() {
        let was = |severity| Old { severity: Some(severity), ..old("a", 1, 1) };
        let is = |severity| Seen { severity, ..seen("a", 1) };
        assert_eq!(compare(&[was(Severity::Note)], &[is(Severity::Error)], |_| true).known, [false]);
        assert_eq!(compare(&[was(Severity::Error)], &[is(Severity::Note)], |_| true).known, [true]);
        let both = [was(Severity::Note), was(Severity::Error)];
        let compared = compare(&both, &[is(Severity::Note), is(Severity::Error)], |_| true);
        assert_eq!(compared, Compared { known: vec![true, true], gone: vec![0, 0] });
        let compared = compare(&both, &[is(Severity::Error), is(Severity::Error)], |_| true);
        assert_eq!(compared, Compared { known: vec![true, false], gone: vec![1, 0] });
    }

    #[test]
    fn a_renamed_file_keeps_what_was_known_where_that_is_plain() {
        let gone = |path: &str| path.starts_with("new");
        let known = |old: &[Old<'_>], now: &[Seen<'_>]| compare(old, now, gone).known;
        assert_eq!(
            known(&[old("old/a", 1, 1), old("old/a", 2, 1)], &[seen("new/b", 2), seen("new/b", 1)]),
            [true, true]
        );
        assert_eq!(
            known(&[old("old/a", 1, 1)], &[seen("new/b", 1), seen("new/c", 1)]),
            [false, false],
            "which of them?"
        );
        assert_eq!(known(&[old("old/a", 1, 1), old("old/b", 1, 1)], &[seen("new/c", 1)]), [false], "which was it?");
        let alike = [old("old/a", 1, 1), old("old/b", 1, 1)];
        assert_eq!(known(&alike, &[seen("new/a", 1), seen("new/b", 1)]), [true, true], "their names say it");
        assert_eq!(
            known(&[old("old/a", 1, 1), old("new/b", 2, 1)], &[seen("new/b", 1)]),
            [false],
            "that file was known"
        );
        assert_eq!(
            compare(&[old("new/a", 1, 1)], &[seen("new/b", 1)], gone).known,
            [false],
            "the old one is still there"
        );
    }
}
