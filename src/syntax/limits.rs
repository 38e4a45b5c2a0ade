//! Limits that keep hostile input from costing more than it is worth. One place for all of them.

/// Deepest nesting of blocks that is followed. nginx itself recurses and dies far above this; no real
/// configuration comes near. Deeper blocks are reported once and passed over.
pub const MAX_DEPTH: usize = 256;

/// Largest file that is read, in bytes: offsets are 32 bits wide, and nothing a proxy reads is larger.
pub const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// Most syntax errors that one file reports; the rest are counted.
pub const MAX_ERRORS: usize = 100;

/// Most values that a YAML file may hold, aliases written out: a small file can stand for a huge one.
pub const MAX_YAML_NODES: u64 = 1_000_000;
