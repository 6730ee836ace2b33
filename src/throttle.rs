//! Lets what happens again and again into the log at most once a minute, with the number of times.

use std::time::{Duration, Instant};

/// Shortest time between two log lines about the same thing.
const INTERVAL: Duration = Duration::from_secs(60);

/// Counts occurrences of one thing between log lines.
#[derive(Debug, Default)]
pub struct Throttle {
    last: Option<Instant>,
    unreported: u64,
}

impl Throttle {
    /// Notes one occurrence at `now`; `Some(count)` when it is time to log, count being all since the last line.
    pub fn note(&mut self, now: Instant) -> Option<u64> {
        self.unreported += 1;
        if self
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < INTERVAL)
        {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.unreported))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_accounts_for_all() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        assert_eq!(throttle.note(start), Some(1));
        for second in 1..60 {
            assert_eq!(throttle.note(start + Duration::from_secs(second)), None);
        }
        assert_eq!(throttle.note(start + INTERVAL), Some(60));
    }
}
