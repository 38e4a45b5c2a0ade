//! Keywords that no version of HAProxy knows, and those that only some know.

use super::file::File;
use super::text::Statement;
use crate::defaults::haproxy_keywords as known;
use crate::syntax::haproxy::SectionId;

/// Notes a section that not every version knows; whether its lines are worth a look then.
pub(super) fn section(file: &mut File<'_>, id: SectionId) -> bool {
    let (source, tree) = (file.source, file.tree);
    let section = tree.section(id).keyword.word();
    let versions = known::section(section);
    versions == (None, None)
        || tree.section(id).condition.is_some()
        || !file.facts.changed(&format!("a `{section}` section"), source.header(tree, id), versions, None)
}

/// Notes a keyword that no version knows in this section, or only some.
pub(super) fn check(file: &mut File<'_>, id: SectionId, statement: &Statement<'_>) {
    // In a dead branch any word may stand.
    if statement.broken || statement.condition.is_some() {
        return;
    }
    let section = file.tree.section(id).keyword.word();
    // A word that is filled in later may be anything.
    let certain = statement.args.iter().take(3).all(|arg| arg.live.is_none() && !arg.text.contains('$'));
    let Some(first) = statement.args.first() else { return };
    if !certain || first.text.is_empty() {
        return;
    }
    let mut all = [""; 4];
    for (word, arg) in all.iter_mut().zip(&statement.args) {
        *word = &arg.text;
    }
    let words = &all[..statement.args.len().min(all.len())];
    if let Some(keyword) = known::keyword(section, words) {
        if keyword.since.is_some() || keyword.removed.is_some() {
            let instead = keyword.instead().map(|instead| format!("in its place: {instead}"));
            let what = format!("`{}`", keyword.words);
            let _ = file.facts.changed(&what, statement.site, (keyword.since, keyword.removed), instead.as_deref());
        }
        return;
    }
    // A first word that has been right so far: a second one is wrong or lacks.
    let begun = known::begins_keyword(section, &words[..1]);
    let second = statement.args.get(1).filter(|_| begun);
    if begun && second.is_none() {
        return;
    }
    let site = second.map_or(first.site, |second| file.facts.join(first.site, second.site));
    let word = if begun { words[..words.len().min(2)].join(" ") } else { first.text.to_string() };
    if known::anywhere(words).next().is_some() {
        // It belongs into another section.
        return;
    }
    file.misspelt.insert(id);
    file.facts.unknown_keyword(site, &word, section, || known::nearest(section, words));
}
