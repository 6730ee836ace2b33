//! Notices an output of which no receiver has ever reported.

use std::time::{Duration, Instant};

/// Time without a report after which something may be in the way: receivers report every 5 s (RFC 3550 6.2).
pub const LONG: Duration = Duration::from_secs(10);

/// Waits for the first report.
#[derive(Debug, Default)]
pub enum Silence {
    /// Nothing is sent yet.
    #[default]
    Idle,
    /// Packets leave, since then.
    Since(Instant),
    /// A receiver has reported, or its silence has been noticed.
    Over,
}

impl Silence {
    /// Whether it is time to say that no receiver has reported: once. Packets leave when `sends` says so; `heard` when
    /// a report has come.
    pub fn is_long(&mut self, sends: bool, heard: bool, now: Instant) -> bool {
        *self = match *self {
            _ if heard => Self::Over,
            Self::Over => Self::Over,
            _ if !sends => Self::Idle,
            Self::Idle => Self::Since(now),
            Self::Since(since) if now.saturating_duration_since(since) < LONG => return false,
            Self::Since(_) => {
                *self = Self::Over;
                return true;
            }
        };
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_noticed_once_after_ten_seconds_of_sending() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut silence = Silence::default();
        assert!(!silence.is_long(true, false, at(0)));
        assert!(!silence.is_long(true, false, at(9)));
        // A failure is told by itself.
        assert!(!silence.is_long(false, false, at(10)));
        assert!(!silence.is_long(true, false, at(11)));
        assert!(!silence.is_long(true, false, at(20)));
        assert!(silence.is_long(true, false, at(21)));
        assert!(!silence.is_long(true, false, at(60)));
    }

    #[test]
    fn a_report_ends_the_wait() {
        let start = Instant::now();
        let mut silence = Silence::default();
        assert!(!silence.is_long(true, false, start));
        assert!(!silence.is_long(true, true, start + LONG));
        assert!(!silence.is_long(true, false, start + 2 * LONG));
    }
}
