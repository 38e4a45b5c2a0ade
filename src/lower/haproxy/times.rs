//! Times as `parse_time_err()` of HAProxy reads them: a bare number is milliseconds.

use crate::topology::Known;
use crate::topology::Reason;
use crate::value::Wait;
use std::time::Duration;

/// The longest time that HAProxy takes (about 24.8 days).
const LONGEST_MS: u64 = i32::MAX as u64;

/// What HAProxy makes of a written time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    /// It is understood.
    Read {
        /// As HAProxy counts.
        ms: u64,
        /// Whether it was written without a unit.
        bare: bool,
    },
    /// It is refused.
    Refused,
}

/// Reads a time. `30sec` and `1m30s` are read up to the junk, with a warning only.
pub(super) fn read(text: &str) -> Time {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Time::Refused;
    }
    let Ok(value) = number.parse::<u64>() else { return Time::Refused };
    let us = match unit.as_bytes() {
        [] => 1000,
        [b'u', b's', ..] => 1,
        [b'm', b's', ..] => 1000,
        [b's', ..] => 1_000_000,
        [b'm', ..] => 60_000_000,
        [b'h', ..] => 3_600_000_000,
        [b'd', ..] => 86_400_000_000,
        _ => return Time::Refused,
    };
    match value.checked_mul(us).map(|us| us.div_ceil(1000)) {
        Some(ms) if ms <= LONGEST_MS => Time::Read { ms, bare: unit.is_empty() },
        _ => Time::Refused,
    }
}

impl Time {
    /// As a timeout: zero is no timeout at all.
    pub(super) fn wait(self) -> Known<Wait> {
        match self {
            Self::Read { ms: 0, .. } => Known::Yes(Wait::Forever),
            Self::Read { ms, .. } => Known::Yes(Wait::For(Duration::from_millis(ms))),
            Self::Refused => Known::Unknown(Reason::Malformed),
        }
    }
}

/// Reads a whole number as C's `atoi()` does: up to the first other character, 0 where there is none.
pub(super) fn atoi(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let value = digits
        .bytes()
        .take_while(u8::is_ascii_digit)
        .fold(0i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if negative { -value } else { value }
}

/// [`atoi`] for numbers that cannot be negative.
pub(super) fn count(text: &str) -> u32 {
    u32::try_from(atoi(text).max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Option<u64> {
        match read(text) {
            Time::Read { ms, .. } => Some(ms),
            Time::Refused => None,
        }
    }

    #[test]
    fn a_bare_number_is_milliseconds() {
        assert_eq!(read("30"), Time::Read { ms: 30, bare: true });
        assert_eq!(read("30s"), Time::Read { ms: 30_000, bare: false });
        assert_eq!(ms("500us"), Some(1));
        assert_eq!(ms("2d"), Some(172_800_000));
    }

    #[test]
    fn junk_behind_the_unit_is_dropped() {
        assert_eq!(ms("1m30s"), Some(60_000));
        assert_eq!(ms("30sec"), Some(30_000));
        assert_eq!(ms("30S"), None);
        assert_eq!(ms("30 "), None);
        assert_eq!(ms("30d"), None);
        assert_eq!(ms("-1"), None);
        assert_eq!(ms("99999999999999999999"), None);
        assert_eq!(ms("18446744073709551615d"), None);
    }

    #[test]
    fn numbers_are_read_up_to_the_junk() {
        assert_eq!(atoi("10%"), 10);
        assert_eq!(atoi("abc"), 0);
        assert_eq!(count("-3"), 0);
        assert_eq!(count("99999999999999999999999"), u32::MAX);
    }
}
