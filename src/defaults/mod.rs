//! Facts about proxies, as data: directives, built-in values, what came with which version. Layer 2.
//!
//! Nothing here looks at a configuration. Each fact names its place in the manual.

pub mod haproxy;
pub mod haproxy_keywords;
mod name_hash;
pub mod nginx;
pub mod nginx_directives;
pub mod nginx_names;
pub mod nginx_parameters;
mod nginx_third_party;
pub mod nginx_variables;

pub mod images;
pub mod ingress_nginx;
pub mod kubernetes;
pub mod servers;

pub use crate::value::DefaultRef;
