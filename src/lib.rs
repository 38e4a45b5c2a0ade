//! gw502-lint reads reverse-proxy configuration and what stands around it, and says what will end in a 502.
//!
//! The way of the data: [`files`] holds what was read, [`syntax`] turns text into trees, [`lower`] trees into one
//! [`topology`], [`link`] joins what belongs together, [`rules`] look at the topology only, [`engine`] runs them all
//! and gives a report. Nothing here reads a file, prints or knows the time.

pub mod catalog;
pub mod defaults;
pub mod engine;
pub mod files;
pub mod finding;
pub mod link;
pub mod lower;
pub mod rules;
pub mod source;
pub mod syntax;
pub mod topology;
pub mod value;
