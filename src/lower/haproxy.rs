//! HAProxy trees → topology.
use super::Lowered;
use crate::{files::Files, source::FileId};
/// Lowers all HAProxy files.
pub fn lower(_files: &mut Files<'_>, _ids: &[FileId], _out: &mut Lowered) {}
