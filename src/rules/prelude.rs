//! What every rule needs.

pub use super::{Cx, Rule};
pub use crate::catalog::{Confidence, Outcome, RuleId, Severity};
pub use crate::finding::{Finding, Findings};
pub use crate::topology::*;
pub use crate::value::{ByteSize, Host, Wait, humanise};
