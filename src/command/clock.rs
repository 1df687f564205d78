//! The clocks that costs are measured by: nothing of what they say reaches a result.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What the process has used of all CPUs so far, in seconds.
pub(super) fn process_seconds() -> f64 {
    seconds(ClockId::ProcessCPUTime)
}

/// What this thread has used of a CPU so far, in seconds.
pub(super) fn thread_seconds() -> f64 {
    seconds(ClockId::ThreadCPUTime)
}

/// Seconds since a moment that stays the same while the process runs.
pub(super) fn wall_seconds() -> f64 {
    seconds(ClockId::Monotonic)
}

fn seconds(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    Duration::try_from(time).map_or(0.0, |time| time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_shows_on_every_clock() {
        let before = [process_seconds(), thread_seconds(), wall_seconds()];
        let sum = (0..3_000_000_u64).fold(0, |sum, it| sum ^ std::hint::black_box(it));
        std::hint::black_box(sum);
        let after = [process_seconds(), thread_seconds(), wall_seconds()];
        assert!(before.iter().zip(&after).all(|(before, after)| after > before));
    }
}
