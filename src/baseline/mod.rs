//! What makes a finding the same one in two runs ([`identify`]), the file that remembers findings ([`read`], [`write`]),
//! and what is new beside what was known ([`compare`]). Layer 7. Pure: texts are handed in and given back.

mod compare;
mod file;
mod key;

pub use compare::{Compared, Old, Seen, compare};
pub use file::{Entry, TOOL_LINE, VERSION, read, write};
pub use key::{identify, on_one_line};
