//! How long this thread has been at work, for tests that something hostile does not hang: what is quadratic there takes minutes.
//!
//! Not how quick something is, which benchmarks say. A busy machine does not count: on Unix it is the thread's own
//! processor time; where that cannot be asked for, the time on the clock.

use std::time::Duration;

/// What has gone by so far; only differences mean something.
#[cfg(unix)]
pub fn so_far() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What has gone by so far; only differences mean something.
#[cfg(not(unix))]
pub fn so_far() -> Duration {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(std::time::Instant::now).elapsed()
}

/// Does something, and fails where that takes longer than `seconds`: generous, for a debug build.
#[track_caller]
pub fn within<T>(seconds: u64, what: &str, work: impl FnOnce() -> T) -> T {
    let begun = so_far();
    let done = work();
    let taken = so_far() - begun;
    assert!(taken < Duration::from_secs(seconds), "{what}: {taken:?}");
    done
}
