//! Turns capture times into RTP timestamps.
//! RFC 2435 3 (90 kHz), RFC 3550 5.1 (random offset).

use std::time::Duration;

/// RTP clock rate of JPEG in Hz (RFC 3551 table 5).
pub const CLOCK_RATE: u32 = 90_000;

/// Nanoseconds in a second.
const NANOS: u128 = 1_000_000_000;

/// The RTP clock of one stream: capture time on the monotonic clock, scaled, plus a random offset.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    offset: u32,
}

impl Clock {
    /// `offset` is the RTP time of monotonic time zero; random, so that streams cannot be confused.
    pub fn new(offset: u32) -> Self {
        Self { offset }
    }

    /// The RTP time of monotonic time zero.
    pub fn offset(&self) -> u32 {
        self.offset
    }

    /// RTP time, in 1/90000 s and modulo 2^32, of a frame captured at monotonic time `captured`.
    pub fn timestamp(&self, captured: Duration) -> u32 {
        let ticks = captured.as_nanos() * u128::from(CLOCK_RATE) / NANOS;
        let [.., b3, b2, b1, b0] = ticks.to_be_bytes();
        u32::from_be_bytes([b3, b2, b1, b0]).wrapping_add(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_scaled_without_drift_and_wraps() {
        let clock = Clock::new(u32::MAX);
        assert_eq!(clock.timestamp(Duration::ZERO), u32::MAX);
        assert_eq!(clock.timestamp(Duration::from_secs(1)), 89_999);
        // 30 fps for a day: each timestamp is within one tick of the true time.
        let day = Duration::from_secs(86_400);
        let expected = u32::try_from((86_400u64 * 90_000) % (1 << 32)).unwrap();
        assert_eq!(Clock::new(0).timestamp(day), expected);
        let third = Duration::from_nanos(33_333_333);
        assert_eq!(Clock::new(0).timestamp(third), 2_999);
    }
}
