//! The system's clocks, read.
//! clock_gettime(2).

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// The time on CLOCK_MONOTONIC.
pub fn monotonic_now() -> Duration {
    // Fails for no clock that Linux always has; zero would only shift the RTP time.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
}

/// One instant on two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant {
    /// On CLOCK_MONOTONIC.
    pub monotonic: Duration,
    /// Since 1970 on CLOCK_REALTIME.
    pub unix: Duration,
}

impl Instant {
    /// Now; the clocks are read within a microsecond of each other unless the thread is interrupted in between.
    pub fn now() -> Self {
        let before = monotonic_now();
        let unix = clock_gettime(ClockId::CLOCK_REALTIME).map_or(Duration::ZERO, Duration::from);
        let after = monotonic_now();
        Self {
            monotonic: (before + after) / 2,
            unix,
        }
    }
}
