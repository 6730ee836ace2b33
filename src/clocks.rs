//! The system's clocks, read and waited for.
//! clock_gettime(2), clock_nanosleep(2).

use std::time::Duration;

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

/// The time on CLOCK_MONOTONIC.
pub fn monotonic_now() -> Duration {
    // Fails for no clock that Linux always has; zero would only shift the RTP time.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// Sleeps until `due` on CLOCK_MONOTONIC.
pub fn sleep_until(due: Duration) {
    let until = TimeSpec::from(due);
    while monotonic_now() < due {
        let slept = clock_nanosleep(
            ClockId::CLOCK_MONOTONIC,
            ClockNanosleepFlags::TIMER_ABSTIME,
            &until,
        );
        if let Err(errno) = slept
            && errno != Errno::EINTR
        {
            return; // No timer: better too early than never.
        }
    }
}

/// Readings of both clocks, of which the best counts.
const READINGS: usize = 4;

/// One instant on two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// On CLOCK_MONOTONIC.
    pub monotonic: Duration,
    /// Since 1970 on CLOCK_REALTIME.
    pub unix: Duration,
}

impl Reading {
    /// Now; the clocks are read within a microsecond of each other, unless the thread is interrupted in each of
    /// several tries.
    pub fn now() -> Self {
        let (mut closest, mut best) = Self::read();
        for _ in 1..READINGS {
            let (apart, reading) = Self::read();
            if apart < closest {
                (closest, best) = (apart, reading);
            }
        }
        best
    }

    /// The time since 1970 when CLOCK_MONOTONIC showed `monotonic`, if the clock was not set in between.
    pub fn unix_of(&self, monotonic: Duration) -> Duration {
        (self.unix + monotonic).saturating_sub(self.monotonic)
    }

    /// Both clocks, and how far apart they may have been read.
    fn read() -> (Duration, Self) {
        let before = monotonic_now();
        let unix = clock_gettime(ClockId::CLOCK_REALTIME).map_or(Duration::ZERO, Duration::from);
        let after = monotonic_now();
        let reading = Self {
            monotonic: (before + after) / 2,
            unix,
        };
        (after.saturating_sub(before), reading)
    }
}
