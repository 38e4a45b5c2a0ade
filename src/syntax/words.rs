//! Text that people write for a shell or in a list of words, with the place of each byte that can be pointed at.

use crate::source::Site;

/// Stands in a text for what is not known: an unresolved variable, a template's output. Nothing that holds it is
/// ever taken for a value.
pub const HOLE: char = '\u{fffc}';

/// A scalar of some file: what it says, and where it is written. What is not known of it is a [`HOLE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What it says: unquoted, unescaped, interpolated.
    pub text: Box<str>,
    /// Where it is written.
    pub site: Site,
}

impl Text {
    /// A scalar.
    pub fn new(text: impl Into<Box<str>>, site: Site) -> Self {
        Self { text: text.into(), site }
    }

    /// What it says, when all of it is known.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        (!self.text.contains(HOLE)).then_some(&*self.text)
    }
}

/// A command, as containers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A list of words, started as it is (exec form).
    Words(Vec<Text>),
    /// One text for `/bin/sh -c` (Dockerfile's shell form).
    Shell(Text),
    /// One text that is split into words and started without a shell (`command: a b c` of compose, `ExecStart=`).
    Split(Text),
}
