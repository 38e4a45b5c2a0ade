//! Definitions of custom resources. They bring forth nothing that is looked at here, and they are long: nine tenths of
//! the YAML of some repositories. So they are not read at all.

use memchr::memmem;
use std::ops::Range;

/// The pieces of a text between documents that define custom resources, and whether there is such a document.
///
/// A document counts as one by its keys that are not indented. One that may say more than that is left in: with tags of
/// a template, with owners (who made it makes others), or whose bounds are not those of `---` alone.
pub(super) fn others(text: &str) -> (Vec<Range<usize>>, bool) {
    let whole = || (std::iter::once(0..text.len()).collect(), false);
    // A directive (`%YAML`) stands before the mark of its document.
    if memmem::find(text.as_bytes(), KIND.as_bytes()).is_none() || text.starts_with('%') || text.contains("\n%") {
        return whole();
    }
    let mut pieces: Vec<Range<usize>> = Vec::new();
    let mut defines = false;
    let mut start = 0;
    while start < text.len() {
        let end = next_mark(text, start);
        if is_definition(&text[start..end]) {
            defines = true;
        } else {
            match pieces.last_mut() {
                Some(last) if last.end == start => last.end = end,
                _ => pieces.push(start..end),
            }
        }
        start = end;
    }
    (pieces, defines)
}

const KIND: &str = "CustomResourceDefinition";

/// Where the next line begins that is `---`, with or without more on it, behind a place where a line begins.
fn next_mark(text: &str, start: usize) -> usize {
    memmem::find_iter(&text.as_bytes()[start..], b"\n---")
        .map(|at| start + at + 1)
        .find(|at| matches!(text.as_bytes().get(at + 3), None | Some(b' ' | b'\t' | b'\r' | b'\n')))
        .unwrap_or(text.len())
}

fn is_definition(document: &str) -> bool {
    // What stands on the line of the mark belongs to the document, too.
    let marked = document.starts_with("---") && document.lines().next().is_some_and(|line| line.trim_end() != "---");
    !marked
        && value(document, "\nkind:") == Some(KIND)
        && value(document, "\napiVersion:").is_some_and(|version| version.starts_with("apiextensions.k8s.io/"))
        && SIGNS.iter().all(|sign| memmem::find(document.as_bytes(), sign.as_bytes()).is_none())
}

/// Of these a document may not hold any: tags, owners, the end of a document.
const SIGNS: [&str; 4] = ["{{", "<%", "ownerReferences", "\n..."];

/// What stands behind the first key of this name that is not indented, on its line and a comment apart. `key` begins with
/// the end of the line before.
fn value<'d>(document: &'d str, key: &str) -> Option<&'d str> {
    let rest = match document.strip_prefix(key.trim_start()) {
        Some(rest) => rest,
        None => &document[memmem::find(document.as_bytes(), key.as_bytes())? + key.len()..],
    };
    let line = rest.lines().next()?;
    let value = line.split_once(" #").map_or(line, |(value, _)| value).trim();
    Some(value.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml;

    const DEFINITION: &str =
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: a\nspec: {}\n";

    fn left(text: &str) -> Vec<&str> {
        others(text).0.into_iter().map(|piece| &text[piece]).collect()
    }

    #[test]
    fn definitions_are_left_out_and_nothing_moves() {
        let text = format!("kind: A\n---\n# x\n{DEFINITION}---\n{DEFINITION}--- # y\nkind: B\n---\nkind: C\n");
        assert_eq!(left(&text), ["kind: A\n", "--- # y\nkind: B\n---\nkind: C\n"]);
        let pieces = others(&text);
        assert!(pieces.1);
        let parsed = yaml::parse_pieces(&text, &pieces.0);
        let kinds: Vec<_> = parsed.tree.documents().filter_map(|document| document.get("kind")).collect();
        assert_eq!(
            kinds.iter().map(|kind| &text[kind.at().start as usize..kind.at().end as usize]).collect::<String>(),
            "ABC"
        );
        assert!(
            left(DEFINITION).is_empty() && left(&format!("---\r\n{}", DEFINITION.replace('\n', "\r\n"))).is_empty()
        );
    }

    #[test]
    fn what_may_say_more_is_read() {
        let owned = DEFINITION.replace("  name: a\n", "  name: a\n  ownerReferences: []\n");
        let template = DEFINITION.replace("name: a", "name: {{ a }}");
        let other = DEFINITION.replace("apiextensions.k8s.io/v1", "example.com/v1");
        let deeper = format!("data:\n  x: |\n    {}", DEFINITION.replace('\n', "\n    "));
        let ended = format!("{DEFINITION}...\nkind: Service\n");
        let directive = format!("%YAML 1.2\n---\n{DEFINITION}");
        let flow = format!("--- {{a: b}}\n---{{}}\n{DEFINITION}");
        for text in [owned, template, other, deeper, ended, directive, flow] {
            assert_eq!(left(&text), [&*text], "{text}");
        }
        assert_eq!(others(""), (std::iter::once(0..0).collect(), false));
    }

    #[test]
    fn a_mistake_is_where_it_is() {
        let text = format!("{DEFINITION}---\nkind: [a\n");
        let parsed = yaml::parse_pieces(&text, &others(&text).0);
        let whole = yaml::parse(&text);
        assert_eq!(parsed.errors[0].at, whole.errors[0].at);
    }
}
