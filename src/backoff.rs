//! How long to wait before the next try of something that keeps failing.

use std::time::{Duration, Instant};

/// Waits that double with each failure, from a shortest to a longest.
#[derive(Debug)]
pub struct Backoff {
    shortest: Duration,
    longest: Duration,
    wait: Duration,
    last_failure: Option<Instant>,
}

impl Backoff {
    /// The first wait is `shortest`; none is longer than `longest`.
    pub fn new(shortest: Duration, longest: Duration) -> Self {
        Self {
            shortest,
            longest,
            wait: shortest,
            last_failure: None,
        }
    }

    /// It failed at `now`; returns how long to wait. What had worked for longer than the longest wait
    /// begins anew with the shortest.
    pub fn failed(&mut self, now: Instant) -> Duration {
        let quiet = self
            .last_failure
            .is_none_or(|last| now.saturating_duration_since(last) > self.longest + self.wait);
        if quiet {
            self.wait = self.shortest;
        }
        self.last_failure = Some(now);
        let wait = self.wait;
        self.wait = (wait * 2).min(self.longest);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_after_a_good_time() {
        let (shortest, longest) = (Duration::from_millis(250), Duration::from_secs(10));
        let mut backoff = Backoff::new(shortest, longest);
        let mut now = Instant::now();
        let waits: Vec<u128> = (0..8)
            .map(|_| {
                let wait = backoff.failed(now);
                now += wait;
                wait.as_millis()
            })
            .collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        now += longest + Duration::from_millis(1);
        assert_eq!(backoff.failed(now), shortest);
    }
}
