//! Keywords that no version of HAProxy knows.

use super::file::File;
use crate::defaults::haproxy_keywords as known;
use crate::source::Site;
use crate::syntax::haproxy::SectionId;
use crate::topology::{Fault, FaultKind, FaultWeight};
use crate::value::Version;

/// How many removed keywords of a section are told: an old file is full of them.
const MAX_GONE: usize = 20;

/// Keywords that are to go in this version or later are no fault yet: it is not out.
const NOT_OUT: Version = Version(3, 5, 0);

/// Notes the unknown keywords of a section. One that another version knows is not this module's affair.
pub(super) fn check(file: &mut File<'_>, id: SectionId) {
    let (source, tree) = (file.source, file.tree);
    let section = tree.section(id).keyword.word();
    let mut gone = 0;
    for (line, parsed) in tree.lines_of(id) {
        // In a dead branch any word may stand.
        if parsed.broken || parsed.condition.is_some() {
            continue;
        }
        let statement = source.statement(tree, line);
        // A word that is filled in later may be anything.
        let certain = statement.args.iter().take(3).all(|arg| arg.live.is_none() && !arg.text.contains('$'));
        let words: Vec<&str> = statement.args.iter().take(4).map(|arg| &*arg.text).collect();
        let Some(first) = statement.args.first() else { continue };
        if !certain || first.text.is_empty() {
            continue;
        }
        if let Some(keyword) = known::keyword(section, &words) {
            if let Some(removed) = keyword.removed.filter(|_| !file.template && gone < MAX_GONE) {
                gone += usize::from(unavailable(file, statement.site, keyword, removed));
            }
            continue;
        }
        // A first word that has been right so far: a second one is wrong or lacks.
        let begun = known::begins_keyword(section, &words[..1]);
        let second = statement.args.get(1).filter(|_| begun);
        if begun && second.is_none() {
            continue;
        }
        let site = second.map_or(first.site, |second| file.facts.join(first.site, second.site));
        let word = if begun { words[..words.len().min(2)].join(" ") } else { first.text.to_string() };
        if known::anywhere(&words).next().is_some() {
            // It belongs into another section.
            continue;
        }
        file.misspelt.insert(id);
        file.facts.unknown_keyword(site, &word, section, || known::nearest(section, &words));
    }
}

/// Notes a keyword that newer versions refuse.
fn unavailable(file: &mut File<'_>, site: Site, keyword: &known::Keyword, removed: Version) -> bool {
    if removed >= NOT_OUT {
        return false;
    }
    let (words, version) = (keyword.words, format!("{}.{}", removed.0, removed.1));
    let (weight, message) = match file.versions.reach(removed) {
        Some(true) => (FaultWeight::Fails, format!("HAProxy does not start: `{words}` is gone since {version}")),
        None => (
            FaultWeight::Remark,
            format!("from HAProxy {version} on this keeps it from starting: `{words}` is gone there"),
        ),
        Some(false) => return false,
    };
    let fault = Fault::new(FaultKind::Unavailable, file.facts.proxy, (site, format!("gone since {version}")), message)
        .help(match keyword.instead() {
            Some(instead) => format!("in its place: {instead}"),
            None => "remove it".to_owned(),
        })
        .weight(weight, weight == FaultWeight::Fails);
    file.facts.load.faults.push(fault);
    true
}
