//! What the builder says of text that HAProxy would refuse to read.

use std::ops::Range;

use memchr::memchr;

use super::super::decode::{self, Fault};
use super::super::{ConditionId, SectionKeyword, Word};
use super::{BOM, Builder};
use crate::syntax::limits::MAX_ERRORS;
use crate::syntax::{Mend, SyntaxError};

impl Builder<'_> {
    pub(super) fn fault(&mut self, offset: u32, place: Range<usize>, fault: Fault) {
        if std::mem::replace(&mut self.broken, true) {
            return;
        }
        let at = offset + place.start as u32..offset + place.end as u32;
        let (message, label, help) = match fault {
            Fault::Name => (
                "no variable name stands behind this `$`",
                "in double quotes, `$` begins a variable",
                "write `\\$` for a plain `$`, or use single quotes",
            ),
            Fault::Brace => (
                "the `}` of this variable is missing",
                "opened here",
                "write `${NAME}` or `${NAME-default}`; the shell's `:-` does not exist here",
            ),
            Fault::Expand => (
                "only `[*]` may stand behind a variable's name",
                "not `[*]`",
                "write `${NAME[*]}` to split the value into words",
            ),
            Fault::Hex => (
                "`\\x` needs two hexadecimal digits",
                "not a hexadecimal number",
                "write `\\x0a`, or `\\\\x` for a plain `\\x`",
            ),
        };
        self.structure(at, message.to_owned(), label.to_owned(), help);
    }

    /// The rest of a line from a quote that is not closed.
    pub(super) fn bad(&mut self, at: Range<u32>) {
        if self.scope || self.is_full() {
            return;
        }
        // HAProxy reads from left to right: what is wrong inside the quote comes before the quote itself.
        let raw = self.raw(&at);
        let read = raw.split('\r').next().unwrap_or(raw);
        if let Some((place, fault)) = decode::fault(read) {
            self.fault(at.start, place, fault);
            return;
        }
        // HAProxy gives up a line at the first fault.
        if std::mem::replace(&mut self.broken, true) {
            return;
        }
        let kind = if self.raw(&at).starts_with('"') { "double" } else { "single" };
        self.structure(
            at.start..at.start + 1,
            format!("this {kind} quote is not closed"),
            "opened here, still open at the end of the line".to_owned(),
            "close it on the same line; put a backslash before it if the quote itself is meant",
        );
    }

    pub(super) fn unknown_directive(&mut self, at: Word, word: &str, condition: Option<ConditionId>) {
        // A branch that is not taken may hold anything.
        if condition.is_some() {
            return;
        }
        const KNOWN: [&str; 8] = [".if", ".elif", ".else", ".endif", ".notice", ".warning", ".alert", ".diag"];
        let near =
            if word.len() > 16 { None } else { KNOWN.iter().find(|known| strsim::osa_distance(known, word) <= 2) };
        let help = near.map_or_else(
            || format!("the directives are {}", KNOWN.join(" ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.structure(at.range(), format!("there is no directive `{}`", short(word)), "unknown".to_owned(), &help);
    }

    pub(super) fn keyword_outside(&mut self, at: Word, word: &str, condition: Option<ConditionId>) {
        if self.outside || condition.is_some() {
            return;
        }
        self.outside = true;
        let near = if word.len() > 16 {
            None
        } else {
            SectionKeyword::ALL.iter().find(|(_, known)| strsim::osa_distance(known, word) <= 2)
        };
        let help = near.map_or_else(
            || {
                "begin a section first: `global`, `defaults`, `frontend`, `backend`, `listen` …; \
                a section does not go on in the next file"
                    .to_owned()
            },
            |(_, near)| format!("did you mean `{near}`?"),
        );
        self.structure(
            at.range(),
            format!("`{}` stands outside any section", short(word)),
            "no section has begun here".to_owned(),
            &help,
        );
    }

    /// Bytes that no editor shows and that stop HAProxy.
    pub(super) fn bytes_that_break(&mut self, seen: &str) {
        if seen.starts_with(BOM) {
            self.error(
                0..BOM.len() as u32,
                "this file begins with a byte order mark",
                "three invisible bytes",
                "HAProxy reads them as part of the first word and does not start; save the file as UTF-8 without BOM",
            );
            self.mend(Mend::certain("take the byte order mark out", 0..BOM.len() as u32, ""));
        }
        if let Some(at) = memchr(0, seen.as_bytes()) {
            self.error(
                at as u32..at as u32 + 1,
                "this file holds a NUL byte",
                "HAProxy stops reading here",
                "remove it; was the file cut off, or saved as UTF-16?",
            );
        }
    }

    /// An error about structure or words: said only where no template has its hand in the text.
    pub(super) fn structure(&mut self, at: Range<u32>, message: String, label: String, help: &str) {
        if !self.template {
            self.error(at, &message, &label, help);
        }
    }

    /// How to mend what was told last.
    pub(super) fn mend(&mut self, mend: Box<Mend>) {
        if let Some(error) = self.errors.last_mut().filter(|error| mend.is_at(&error.at)) {
            error.mend = Some(mend);
        }
    }

    pub(super) fn error(&mut self, at: Range<u32>, message: &str, label: &str, help: &str) {
        // What is found at the end of the file may belong further up, hence some more than are shown.
        if self.errors.len() >= 2 * MAX_ERRORS {
            self.dropped += 1;
            return;
        }
        self.errors.push(SyntaxError {
            mend: None,
            message: message.to_owned(),
            at,
            label: label.to_owned(),
            others: Vec::new(),
            help: Some(help).filter(|help| !help.is_empty()).map(str::to_owned),
        });
    }
}

/// A word that fits into a message.
fn short(word: &str) -> String {
    let mut chars = word.chars();
    let start: String = chars.by_ref().take(40).collect();
    if chars.next().is_some() { format!("{start}…") } else { start }
}
