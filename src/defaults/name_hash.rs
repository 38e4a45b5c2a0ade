//! Where a name is looked for in a table that is laid out while the program is built (`build.rs` has this file, too).

/// A number for a name, well spread in its low bits. Not keyed: the tables are fixed.
pub fn hash(name: &[u8]) -> usize {
    let (words, rest) = name.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mix = |hash: u64, word: &[u8; 8]| {
        (hash ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32)
    };
    let hash = words.iter().fold(name.len() as u64, mix);
    mix(hash, &last) as usize
}
