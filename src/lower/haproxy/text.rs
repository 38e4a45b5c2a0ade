//! A parsed file as the lowering reads it: statements of decoded words with their sites.

use crate::files::{Files, Tree as AnyTree};
use crate::lower::filled::AllFilled;
use crate::source::{FileId, Site, SourceFile, Span};
use crate::syntax::Parsed;
use crate::syntax::haproxy::{ConditionId, LineId, SectionId, Tree, Word};
use crate::topology::Reason;
use crate::value::later;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// A file and its tree.
pub(super) struct Source {
    pub(super) id: FileId,
    pub(super) file: Arc<SourceFile>,
    any: Arc<AnyTree>,
    filled: AllFilled,
    /// Whether the file has a mark around a name that a script fills in, anywhere.
    marks: bool,
}

impl Source {
    /// The file, if it is one of HAProxy's.
    pub(super) fn new(files: &Files<'_>, id: FileId, filled: &AllFilled) -> Option<Self> {
        let any = files.tree(id)?;
        matches!(*any, AnyTree::Haproxy(_)).then(|| {
            let file = files.sources.share(id);
            let marks = later::may_be_marked(file.text());
            Self { id, file, any, filled: filled.of(id), marks }
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
        let live = if decoded.has_hole || later::is_marked(&decoded.text) {
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

    /// Reads a line's words, over a statement that is no longer needed: there are as many as lines. `no` and `default`
    /// before the keyword are taken off.
    pub(super) fn read<'a>(&'a self, tree: &Tree, id: LineId, into: &mut Statement<'a>) {
        let line = tree.line(id);
        into.args.clear();
        let (text, words) = (self.file.text(), tree.words(id));
        let within = |start: u32, end: u32| text.get(start as usize..end as usize).unwrap_or("");
        // Most lines have nothing to be decoded.
        if line.written && !(self.marks && later::may_be_marked(within(line.start, line.end))) {
            into.args.extend(words.iter().map(|word| Arg {
                text: Cow::Borrowed(within(word.start, word.end)),
                site: self.site(word.range()),
                live: None,
                quoted: false,
            }));
        } else {
            into.args.extend(words.iter().map(|word| self.arg(tree, word)));
        }
        into.prefix = match into.args.first().map(|arg| &*arg.text) {
            Some("no") => Prefix::No,
            Some("default") => Prefix::Default,
            _ => Prefix::None,
        };
        if into.prefix != Prefix::None {
            into.args.remove(0);
        }
        into.site = self.site(line.start..line.end);
        into.condition = line.condition;
        into.broken = line.broken;
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
    /// One without words, to be read over.
    pub(super) const fn new() -> Self {
        let nowhere = Site::direct(Span::new(FileId::new(0), 0, 0));
        Self { args: Vec::new(), prefix: Prefix::None, site: nowhere, condition: None, broken: false }
    }

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
