//! What the words of each statement hold that a reader has to mind, found for a whole text at once: most hold nothing
//! of the kind, and words are read many times.

use super::{Node, Word};
use memchr::{memchr3_iter, memmem};

/// What stands somewhere in the words of a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Looks(u8);

impl Looks {
    /// A quote or a backslash: a word is not its own value.
    pub const ESCAPED: Self = Self(1);
    /// A `$`.
    pub const VARIABLE: Self = Self(1 << 1);
    /// `(?`, which begins a named group of a pattern, among others.
    pub const GROUP: Self = Self(1 << 2);
    /// What may mark a name that a script replaces: `@`, `__`, `%%`, `##`.
    pub const MARK: Self = Self(1 << 3);
    /// All of them: where nobody looked.
    pub(super) const ANY: Self = Self(0b1111);

    /// Whether there is anything of `other`.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether either is there.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How each statement of a text looks.
pub(super) fn look(text: &str, nodes: &[Node], words: &[Word]) -> Vec<Looks> {
    let bytes = text.as_bytes();
    let mut statements = Statements { nodes, words, looks: vec![Looks::default(); nodes.len()] };
    statements.note(memchr3_iter(b'\\', b'"', b'\'', bytes).map(|at| (at, Looks::ESCAPED)));
    let of_byte = |at: usize| match bytes.get(at) {
        Some(b'$') => Looks::VARIABLE,
        Some(b'@') => Looks::MARK,
        _ if bytes.get(at + 1) == Some(&b'?') => Looks::GROUP,
        _ => Looks::default(),
    };
    statements.note(memchr3_iter(b'$', b'@', b'(', bytes).map(|at| (at, of_byte(at))));
    for mark in ["__", "%%", "##"] {
        statements.note(memmem::find_iter(bytes, mark).map(|at| (at, Looks::MARK)));
    }
    statements.looks
}

struct Statements<'a> {
    nodes: &'a [Node],
    words: &'a [Word],
    looks: Vec<Looks>,
}

impl Statements<'_> {
    /// Takes down what was found, in the order of the text.
    fn note(&mut self, found: impl Iterator<Item = (usize, Looks)>) {
        let mut number = 0;
        for (at, looks) in found {
            // Statements stand in the order in which they begin, and their words do not overlap.
            while self.nodes.get(number + 1).is_some_and(|next| next.start as usize <= at) {
                number += 1;
            }
            let last = self.nodes.get(number).and_then(|node| {
                let last = node.first_word.checked_add(node.word_count)?.checked_sub(1)?;
                self.words.get(last as usize).filter(|_| node.word_count > 0)
            });
            if last.is_some_and(|last| at < last.end as usize)
                && let Some(place) = self.looks.get_mut(number)
            {
                *place = place.or(looks);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn each_statement_is_looked_at() {
        let text = "a b; # \"$\" @\nc \"d\" { e $f; g '(?x)' { h @A@; } }\ni j\\k x##L##; m __n; o %%; p (x);";
        let tree = parse(text).tree;
        let of = |name: &str| {
            let at = tree.nodes().iter().position(|node| text[node.start as usize..].starts_with(name));
            at.and_then(|at| tree.looks.get(at)).copied().expect("a statement")
        };
        assert_eq!((of("a "), of("p ")), (Looks::default(), Looks::default()));
        assert_eq!((of("c "), of("e ")), (Looks::ESCAPED, Looks::VARIABLE));
        assert_eq!(of("g "), Looks::ESCAPED.or(Looks::GROUP));
        assert_eq!(of("h "), Looks::MARK);
        assert_eq!(of("i "), Looks::ESCAPED.or(Looks::MARK));
        assert_eq!((of("m "), of("o ")), (Looks::MARK, Looks::MARK));
    }
}
