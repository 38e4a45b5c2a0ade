//! See `checks::haproxy`.
#![no_main]

#[path = "../../tests/fuzzed/checks.rs"]
#[allow(dead_code, reason = "each target runs one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|input: &[u8]| checks::haproxy(input));
