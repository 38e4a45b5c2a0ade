//! A parsed file as the lowering reads it: statements of decoded words with their sites.

use crate::files::{Files, Tree as AnyTree};
use crate::lower::filled::AllFilled;
use crate::source::{FileId, Site, SourceFile, Span};
use crate::syntax::Parsed;
use crate::syntax::haproxy::{ConditionId, LineId, SectionId, Tree, Word};
use crate::topology::Reason;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// A file and its tree.
pub(super) struct Source {
    pub(super) id: FileId,
    pub(super) file: Arc<SourceFile>,
    any: Arc<AnyTree>,
    filled: AllFilled,
}

impl Source {
    /// The file, if it is one of HAProxy's.
    pub(super) fn new(files: &Files<'_>, id: FileId, filled: &AllFilled) -> Option<Self> {
        let any = files.tree(id)?;
        matches!(*any, AnyTree::Haproxy(_)).then(|| Self {
            id,
            file: files.sources.share(id),
            any,
            filled: filled.of(id),
        })
    }

    /// What the parser gave. `None` never happens: `new` has looked.
    pub(super) fn parsed(&self) -> Option<&Parsed<Tree>> {
        match &*self.any {
            AnyTree::Haproxy(parsed) => Some(parsed),
            AnyTree::Nginx(_) => None,
        }
    }

    pub(super) fn site(&self, range: Range<u32>) -> Site {
        Site::direct(Span::new(self.id, range.start, range.end))
    }

    pub(super) fn arg<'a>(&'a self, tree: &Tree, word: Word) -> Arg<'a> {
        let mut decoded = tree.decode(word, self.file.text());
        if decoded.has_hole
            && let Some(filled) = self.filled.put_into(self.id, self.file.text(), word.range())
            && !filled.contains(['"', '\'', '\\', '$'])
        {
            decoded.text = Cow::Owned(filled);
            decoded.has_hole = false;
        }
        let live = if decoded.has_hole || crate::value::later::is_marked(&decoded.text) {
            Some(Reason::TemplateHole)
        } else if decoded.has_variable {
            Some(Reason::Variable)
        } else {
            None
        };
        Arg { text: decoded.text, site: self.site(word.range()), live, quoted: decoded.quoted }
    }

    /// The line that opens a section.
    pub(super) fn header(&self, tree: &Tree, section: SectionId) -> Site {
        let line = tree.line(tree.section(section).header);
        self.site(line.start..line.end)
    }

    /// A line's words. `no` and `default` before the keyword are taken off.
    pub(super) fn statement<'a>(&'a self, tree: &Tree, id: LineId) -> Statement<'a> {
        let line = tree.line(id);
        let mut args: Vec<Arg<'a>> = tree.words(id).iter().map(|&word| self.arg(tree, word)).collect();
        let prefix = match args.first().map(|arg| &*arg.text) {
            Some("no") => Prefix::No,
            Some("default") => Prefix::Default,
            _ => Prefix::None,
        };
        if prefix != Prefix::None {
            args.remove(0);
        }
        Statement {
            args,
            prefix,
            site: self.site(line.start..line.end),
            condition: line.condition,
            broken: line.broken,
        }
    }
}

/// One word, quotes and escapes resolved.
#[derive(Debug)]
pub(super) struct Arg<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) site: Site,
    /// Why the text is not what HAProxy will read, if it is not.
    pub(super) live: Option<Reason>,
    pub(super) quoted: bool,
}

/// What stands before the keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    None,
    No,
    Default,
}

/// One statement.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    pub(super) args: Vec<Arg<'a>>,
    pub(super) prefix: Prefix,
    pub(super) site: Site,
    pub(super) condition: Option<ConditionId>,
    pub(super) broken: bool,
}

impl<'a> Statement<'a> {
    /// The text of a word; empty where there is none.
    pub(super) fn word(&self, index: usize) -> &str {
        self.args.get(index).map_or("", |arg| &arg.text)
    }

    /// The keyword.
    pub(super) fn keyword(&self) -> &str {
        self.word(0)
    }

    /// Words from an index on.
    pub(super) fn from(&self, index: usize) -> &[Arg<'a>] {
        self.args.get(index..).unwrap_or(&[])
    }

    /// Why nothing can be said of the words, if some of them are filled in later.
    pub(super) fn live(&self) -> Option<Reason> {
        self.args.iter().find_map(|arg| arg.live)
    }

    /// The word where the condition begins (`if` or `unless`), not before `first`.
    pub(super) fn condition_at(&self, first: usize) -> Option<usize> {
        let is_start = |arg: &Arg<'_>| !arg.quoted && matches!(&*arg.text, "if" | "unless");
        self.from(first).iter().position(is_start).map(|at| at + first)
    }
}
