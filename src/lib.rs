//! gw502-lint reads reverse-proxy configuration and what stands around it, and says what will end in a 502.
//!
//! The way of the data: [`files`] holds what was read, [`syntax`] turns text into trees, [`lower`] trees into one
//! [`topology`], [`link`] joins what belongs together, [`rules`] look at the topology only, [`suppress`] marks what
//! somebody has decided to live with, [`engine`] runs them all as [`config`] says and gives a report. Nothing of these reads a file, prints or knows the time: that is for [`output`], which writes a
//! report, and for `discover` and `cli` (feature `cli`).

pub mod baseline;
pub mod catalog;
#[cfg(feature = "cli")]
pub mod cli;
pub mod config;
pub mod defaults;
#[cfg(feature = "cli")]
pub mod discover;
pub mod edit;
pub mod engine;
pub mod files;
pub mod finding;
pub mod fix;
pub mod link;
pub mod lower;
pub mod output;
pub mod rules;
pub mod source;
pub mod suppress;
pub mod syntax;
pub mod topology;
pub mod value;
