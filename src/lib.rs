//! gw502-lint reads reverse-proxy configuration and what stands around it, and says what will end in a 502.

pub mod source;
pub mod syntax;
