//! Keywords that no version of HAProxy knows, and those that only some know.

use super::file::File;
use crate::defaults::haproxy_keywords as known;
use crate::syntax::haproxy::SectionId;

/// Notes the keywords of a section that no version knows, or only some.
pub(super) fn check(file: &mut File<'_>, id: SectionId) {
    let (source, tree) = (file.source, file.tree);
    let section = tree.section(id).keyword.word();
    let versions = known::section(section);
    if versions != (None, None)
        && tree.section(id).condition.is_none()
        && file.facts.changed(&format!("a `{section}` section"), source.header(tree, id), versions, None)
    {
        return;
    }
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
            if keyword.since.is_some() || keyword.removed.is_some() {
                let instead = keyword.instead().map(|instead| format!("in its place: {instead}"));
                let what = format!("`{}`", keyword.words);
                let _ = file.facts.changed(&what, statement.site, (keyword.since, keyword.removed), instead.as_deref());
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
