//! What a fix changes. Rules and lowering say it in words that need no text ("below this statement"); [`Fix::settle`]
//! makes bytes of them, in the file's own indentation and line endings. Layer 1.

use crate::source::{FileId, Span};

/// How many bytes beside a statement are looked at. A line may be as long as the file, and hold very many statements.
const NEAR: usize = 4096;

/// Longest statement that is written again elsewhere, in bytes.
const REPEATED: usize = 1024;

/// Whether a fix may be applied without a look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Applicability {
    /// What stands there leaves no doubt about what was meant, and that is written.
    Safe,
    /// It is what is meant most of the time; somebody has to look at it.
    Unsafe,
}

impl Applicability {
    /// The word for it in machine formats.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
        }
    }
}

/// One way to mend what a finding tells of: all of its edits, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Whether it may be applied without a look at it.
    pub applicability: Applicability,
    /// What it does, as a clause without a full stop: "write `1000`".
    pub title: String,
    /// What changes.
    pub edits: Vec<Edit>,
}

/// One change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Other text in place of this one. An empty span: text is put in; an empty text: text is taken out.
    Replace {
        /// What goes away.
        span: Span,
        /// What comes in its place; a line feed stands for the file's line ending.
        text: String,
    },
    /// Another word in place of the only one of its kind within a span.
    Word {
        /// Where to look for it.
        within: Span,
        /// As it stands there.
        from: String,
        /// What comes in its place.
        to: String,
    },
    /// More words at the end of a statement.
    Append {
        /// The statement.
        statement: Span,
        /// The words, without a blank before them.
        words: String,
    },
    /// A statement below another one.
    Below {
        /// The other one.
        statement: Span,
        /// The words of the new one, without what ends a statement in this dialect.
        words: String,
    },
    /// A statement, written again below another one, which may stand in another file.
    Repeat {
        /// What is written again.
        statement: Span,
        /// The other one.
        below: Span,
    },
    /// A statement, moved below another one of the same file.
    Move {
        /// What is moved.
        statement: Span,
        /// The other one.
        below: Span,
    },
    /// A statement, moved above another one of the same file; each has its line to itself.
    Lift {
        /// What is moved.
        statement: Span,
        /// The other one.
        above: Span,
    },
}

/// What has to be known of a file to make bytes of an edit.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Its text.
    pub text: &'a str,
    /// What ends a statement beside the end of its line: `;`, or nothing.
    pub end: &'static str,
    /// Whether the file is a template: a line in it may stand in a branch that another one does not.
    pub template: bool,
}

impl Fix {
    /// A fix that may be applied without a look at it.
    pub fn safe(title: impl Into<String>, edits: impl Into<Vec<Edit>>) -> Box<Self> {
        Box::new(Self { applicability: Applicability::Safe, title: title.into(), edits: edits.into() })
    }

    /// A fix that somebody has to look at.
    pub fn guess(title: impl Into<String>, edits: impl Into<Vec<Edit>>) -> Box<Self> {
        Box::new(Self { applicability: Applicability::Unsafe, title: title.into(), edits: edits.into() })
    }

    /// The files that it changes.
    pub fn files(&self) -> impl Iterator<Item = FileId> {
        self.edits.iter().map(|edit| match edit {
            Edit::Replace { span, .. } | Edit::Word { within: span, .. } => span.file,
            Edit::Append { statement, .. } | Edit::Below { statement, .. } => statement.file,
            Edit::Repeat { below, .. } | Edit::Move { below, .. } | Edit::Lift { above: below, .. } => below.file,
        })
    }

    /// Whether it puts statements where they have not been: in a file that is read in several places, that changes all
    /// of them.
    #[must_use]
    pub fn moves_statements(&self) -> bool {
        !self.edits.iter().all(|edit| matches!(edit, Edit::Replace { .. } | Edit::Word { .. } | Edit::Append { .. }))
    }

    /// The texts that change and what comes in their place, once the fix is settled.
    pub fn changes(&self) -> impl Iterator<Item = (Span, &str)> {
        self.edits.iter().filter_map(|edit| match edit {
            Edit::Replace { span, text } => Some((*span, text.as_str())),
            _ => None,
        })
    }

    /// Makes bytes of all edits. `None`: the text is not as the edits take for granted, so there is no such fix.
    #[must_use]
    pub fn settle<'a>(self, page: impl Fn(FileId) -> Option<Page<'a>>) -> Option<Self> {
        let mut edits: Vec<(Span, String)> = Vec::with_capacity(self.edits.len());
        for edit in &self.edits {
            edit.settle(&page, &mut edits)?;
        }
        // What is put in at one place is put in at once, in the order in which it was said.
        edits.sort_by_key(|(span, _)| (span.file, span.start, span.end));
        let mut settled: Vec<(Span, String)> = Vec::with_capacity(edits.len());
        for (span, text) in edits {
            match settled.last_mut() {
                Some((last, so_far)) if *last == span && span.start == span.end => so_far.push_str(&text),
                Some((last, _)) if last.file == span.file && span.start < last.end => return None,
                _ => settled.push((span, text)),
            }
        }
        let touched = |(span, _): &(Span, String)| page(span.file).is_some_and(|page| !page.has_tags(*span));
        if settled.is_empty() || !settled.iter().all(touched) {
            return None;
        }
        let edits = settled.into_iter().map(|(span, text)| Edit::Replace { span, text }).collect();
        Some(Self { edits, ..self })
    }
}

impl Edit {
    fn settle<'a>(&self, page: &impl Fn(FileId) -> Option<Page<'a>>, out: &mut Vec<(Span, String)>) -> Option<()> {
        match self {
            Self::Replace { span, text } => {
                let page = page(span.file)?;
                page.slice(*span)?;
                out.push((*span, text.replace('\n', page.line_end(span.start as usize))));
            }
            Self::Word { within, from, to } => {
                let start = within.start as usize + only_word(page(within.file)?.slice(*within)?, from)?;
                out.push((span(within.file, start, start + from.len()), to.clone()));
            }
            Self::Append { statement, words } => {
                let text = page(statement.file)?.slice(*statement)?;
                let text = text.strip_suffix(page(statement.file)?.end).unwrap_or(text).trim_end();
                if text.ends_with('\\') || text.is_empty() {
                    return None;
                }
                let at = statement.start as usize + text.len();
                out.push((span(statement.file, at, at), format!(" {words}")));
            }
            Self::Below { statement, words } => {
                let page = page(statement.file)?;
                out.push(page.below(*statement, &format!("{words}{}", page.end))?);
            }
            Self::Repeat { statement, below } => {
                let (from, to) = (page(statement.file)?, page(below.file)?);
                let whole = from.whole(*statement)?;
                if from.template || (whole.end - whole.start) as usize > REPEATED {
                    return None;
                }
                out.push(to.below(*below, from.slice(whole)?)?);
            }
            Self::Move { statement, below } => {
                let page = page(statement.file).filter(|_| statement.file == below.file)?;
                let (gone, text) = page.taken_out(*statement)?;
                out.push((gone, String::new()));
                out.push(page.below(*below, text)?);
            }
            Self::Lift { statement, above } => {
                let page = page(statement.file).filter(|_| statement.file == above.file)?;
                let (gone, text) = page.taken_out(*statement)?;
                let indent = page.indent(above.start as usize)?;
                let at = above.start as usize - indent.len();
                out.push((gone, String::new()));
                out.push((span(above.file, at, at), format!("{indent}{text}{}", page.line_end(at))));
            }
        }
        Some(())
    }
}

impl<'a> Page<'a> {
    fn slice(&self, span: Span) -> Option<&'a str> {
        self.text.get(span.start as usize..span.end as usize)
    }

    /// A statement with what ends it.
    fn whole(&self, statement: Span) -> Option<Span> {
        let text = self.slice(statement)?.trim_end();
        if text.is_empty() || text.ends_with('{') {
            return None;
        }
        let mut end = statement.start as usize + text.len();
        if !text.ends_with(self.end) {
            let rest = self.text.get(end..)?;
            end += rest.len() - rest.trim_start().len() + self.end.len();
            if !rest.trim_start().starts_with(self.end) {
                return None;
            }
        }
        Some(span(statement.file, statement.start as usize, end))
    }

    /// The blanks before a statement, if nothing else stands before it on its line.
    fn indent(&self, at: usize) -> Option<&'a str> {
        let before = self.text.get(..at)?;
        let blanks = before.bytes().rev().take(NEAR).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let (rest, indent) = before.split_at(at - blanks);
        (rest.is_empty() || rest.ends_with('\n')).then_some(indent)
    }

    /// What stands behind a statement on its line, without the line's end. `None`: the line is very long.
    fn rest(&self, at: usize) -> Option<&'a str> {
        let line = self.text.get(at..line_end_from(self.text, at)?)?;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }

    /// The line ending that the file has near a place.
    fn line_end(&self, at: usize) -> &'static str {
        let bytes = self.text.as_bytes();
        let after = memchr::memchr(b'\n', near_after(self.text, at)).map(|end| at + end);
        let before = || {
            let start = at.saturating_sub(NEAR);
            memchr::memrchr(b'\n', bytes.get(start..at)?).map(|end| start + end)
        };
        match after.or_else(before).and_then(|end| bytes.get(end.checked_sub(1)?)) {
            Some(b'\r') => "\r\n",
            _ => "\n",
        }
    }

    /// A statement and what stands behind it on its line; none in a template, where a line may be more than it seems.
    fn lone(&self, statement: Span) -> Option<Lone<'a>> {
        if self.template {
            return None;
        }
        let whole = self.whole(statement)?;
        let (start, end) = (whole.start as usize, whole.end as usize);
        let rest = self.rest(end)?;
        let alone = rest.trim_start().is_empty() || rest.trim_start().starts_with('#');
        Some(Lone { whole, start, end, rest, alone })
    }

    /// A statement below another one: on a line of its own, unless the other one shares its line.
    fn below(&self, statement: Span, text: &str) -> Option<(Span, String)> {
        let Lone { whole, start, end, rest, alone } = self.lone(statement)?;
        match self.indent(start) {
            Some(indent) if alone => {
                let at = end + rest.trim_end().len();
                Some((span(whole.file, at, at), format!("{}{indent}{text}", self.line_end(at))))
            }
            // Two statements share a line only where something ends the first.
            _ if !self.end.is_empty() => Some((span(whole.file, end, end), format!(" {text}"))),
            _ => None,
        }
    }

    /// A statement, to be taken out: with its line and the comment behind it, where it has the line to itself. Also
    /// the text to be written elsewhere.
    fn taken_out(&self, statement: Span) -> Option<(Span, &'a str)> {
        let Lone { whole, start, end, rest, alone } = self.lone(statement)?;
        match self.indent(start) {
            Some(indent) if alone => {
                let next = (line_end_from(self.text, end)? + 1).min(self.text.len());
                let text = self.text.get(start..end + rest.trim_end().len())?;
                Some((span(whole.file, start - indent.len(), next), text))
            }
            _ => Some((whole, self.slice(whole)?)),
        }
    }

    /// Whether a line that a span touches holds a template tag.
    fn has_tags(&self, span: Span) -> bool {
        if !self.template {
            return false;
        }
        let (start, end) = (span.start as usize, span.end as usize);
        let near = start.saturating_sub(NEAR);
        let before = memchr::memrchr(b'\n', self.text.as_bytes().get(near..start).unwrap_or_default());
        // Of a very long line nobody knows.
        let Some(from) = before.map(|at| near + at + 1).or((near == 0).then_some(0)) else { return true };
        let Some(to) = line_end_from(self.text, end) else { return true };
        let lines = self.text.get(from..to).unwrap_or_default();
        ["{{", "}}", "{%", "%}", "{#", "#}", "<%", "%>"].iter().any(|tag| lines.contains(tag))
    }
}

/// A statement with its line.
struct Lone<'a> {
    whole: Span,
    start: usize,
    end: usize,
    /// Behind it.
    rest: &'a str,
    /// Whether nothing but a comment stands there.
    alone: bool,
}

/// The text behind a place, as far as it is looked at.
fn near_after(text: &str, at: usize) -> &[u8] {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.get(..NEAR).unwrap_or(rest)
}

/// Where the line that holds a place ends. `None`: not nearby.
fn line_end_from(text: &str, at: usize) -> Option<usize> {
    let near = near_after(text, at);
    let end = memchr::memchr(b'\n', near).or((near.len() < NEAR).then_some(near.len()));
    end.map(|end| at + end)
}

fn span(file: FileId, start: usize, end: usize) -> Span {
    // Files are smaller than 4 GiB (`limits::MAX_FILE_BYTES`).
    let at = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    Span::new(file, at(start), at(end))
}

/// Where a word begins in a text, if it stands there once, and not as a part of another word.
fn only_word(text: &str, word: &str) -> Option<usize> {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    if word.is_empty() {
        return None;
    }
    let mut places = text.match_indices(word).map(|(at, _)| at).filter(|&at| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        let glued = |there: Option<char>, own: Option<char>| there.is_some_and(in_word) && own.is_some_and(in_word);
        !glued(before, word.chars().next()) && !glued(after, word.chars().next_back())
    });
    places.next().filter(|_| places.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId::new(0);

    fn at(text: &str, part: &str) -> Span {
        let start = text.find(part).unwrap();
        span(FILE, start, start + part.len())
    }

    fn applied(text: &str, end: &'static str, edits: Vec<Edit>) -> Option<String> {
        let page = |_| Some(Page { text, end, template: text.contains("{%") });
        let fix = Fix::safe("x", edits).settle(page)?;
        let mut new = text.to_owned();
        let changes: Vec<_> = fix.changes().collect();
        for (span, with) in changes.into_iter().rev() {
            new.replace_range(span.start as usize..span.end as usize, with);
        }
        Some(new)
    }

    #[test]
    fn a_statement_goes_below_another_in_the_files_own_way() {
        let below = |text: &str, part| {
            applied(text, ";", vec![Edit::Below { statement: at(text, part), words: "b on".into() }])
        };
        assert_eq!(below("{\n\ta 1; # why\n}\n", "a 1;").as_deref(), Some("{\n\ta 1; # why\n\tb on;\n}\n"));
        assert_eq!(below("{\r\n  a 1;\r\n}\r\n", "a 1;").as_deref(), Some("{\r\n  a 1;\r\n  b on;\r\n}\r\n"));
        assert_eq!(below("x { a 1; }", "a 1;").as_deref(), Some("x { a 1; b on; }"));
        assert_eq!(below("a 1  ;", "a 1").as_deref(), Some("a 1  ;\nb on;"));
        assert_eq!(below("a 1 }", "a 1"), None);
        assert_eq!(below("x {\n}", "x {"), None);
        assert_eq!(below("{% if x %}\na 1;\n", "a 1;"), None);
    }

    #[test]
    fn where_lines_end_statements_each_has_its_own() {
        let text = "backend b\n    server s 1.1.1.1:80 check # x";
        let statement = at(text, "server s 1.1.1.1:80 check");
        let below = vec![Edit::Below { statement, words: "retries 3".into() }];
        assert_eq!(applied(text, "", below), Some(format!("{text}\n    retries 3")));
        let more = vec![
            Edit::Append { statement, words: "ssl".into() },
            Edit::Append { statement, words: "verify required".into() },
        ];
        let wanted = "backend b\n    server s 1.1.1.1:80 check ssl verify required # x";
        assert_eq!(applied(text, "", more).as_deref(), Some(wanted));
    }

    #[test]
    fn a_statement_moves_with_its_line_and_its_comment() {
        let moved =
            |text: &str| applied(text, ";", vec![Edit::Move { statement: at(text, "a 1;"), below: at(text, "c 3;") }]);
        assert_eq!(
            moved("{\n  a 1; # why\n  b 2;\n\tc 3;\n}\n").as_deref(),
            Some("{\n  b 2;\n\tc 3;\n\ta 1; # why\n}\n")
        );
        assert_eq!(moved("{ a 1; c 3; }").as_deref(), Some("{  c 3; a 1; }"));
    }

    #[test]
    fn a_statement_is_lifted_above_another() {
        let text = "x\r\n  a 1\r\n\tb 2\r\n    c 3 # why\r\n\r\n";
        let lift = vec![Edit::Lift { statement: at(text, "c 3"), above: at(text, "a 1") }];
        assert_eq!(applied(text, "", lift).as_deref(), Some("x\r\n  c 3 # why\r\n  a 1\r\n\tb 2\r\n\r\n"));
    }

    #[test]
    fn lines_are_repeated_in_their_order() {
        let text = "a 1;\nb  2;\n  c 3;\n";
        let edits = vec![
            Edit::Repeat { statement: at(text, "a 1;"), below: at(text, "c 3;") },
            Edit::Repeat { statement: at(text, "b  2;"), below: at(text, "c 3;") },
        ];
        assert_eq!(applied(text, ";", edits).as_deref(), Some("a 1;\nb  2;\n  c 3;\n  a 1;\n  b  2;\n"));
    }

    #[test]
    fn a_word_is_the_only_one_or_none() {
        assert_eq!(only_word("proxy_pass http://app:80/app2;", "app"), Some(18));
        assert_eq!(only_word("server app app", "app"), None);
        assert_eq!(only_word("server app.local", "app"), None);
        assert_eq!(only_word("my-app", "app"), None);
        assert_eq!(only_word("check inter 5 10.0.0.5:80", "5"), Some(12));
        assert_eq!(only_word("x", ""), None);
    }

    #[test]
    fn template_tags_are_left_alone() {
        let text = "{% if x %}\nmaxconn 1k {{ y }}\nmaxconn 2k\n";
        let word = |from: &str| vec![Edit::Word { within: at(text, from), from: from.into(), to: "9".into() }];
        assert_eq!(applied(text, "", word("1k")), None);
        assert!(applied(text, "", word("2k")).is_some());
    }

    #[test]
    fn edits_of_one_fix_that_overlap_are_no_fix() {
        let text = "abc";
        let replace = |part: &str| Edit::Replace { span: at(text, part), text: "x".into() };
        assert_eq!(applied(text, "", vec![replace("ab"), replace("bc")]), None);
        assert_eq!(applied(text, "", vec![replace("c"), replace("ab")]).as_deref(), Some("xx"));
    }
}
