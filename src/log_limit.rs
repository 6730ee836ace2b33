//! Lets what happens again and again into the log at most once a minute, with the number of times.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shortest time between two log lines about the same thing.
const INTERVAL: Duration = Duration::from_secs(60);

/// Counts occurrences of one thing between log lines.
#[derive(Debug, Default)]
pub struct LogLimit {
    last: Option<Instant>,
    unreported: u64,
}

impl LogLimit {
    /// Notes one occurrence at `now`; `Some` when it is time to log: all occurrences since the last line.
    pub fn note(&mut self, now: Instant) -> Option<Times> {
        self.unreported += 1;
        if self
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < INTERVAL)
        {
            return None;
        }
        self.last = Some(now);
        Some(Times(std::mem::take(&mut self.unreported)))
    }
}

/// How often something has happened, for the end of its line: nothing is said of once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times(u64);

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            0 | 1 => Ok(()),
            count => write!(f, " ({count} times since this was last logged)"),
        }
    }
}

/// Different things that are remembered.
const MANY: usize = 32;

/// A [`LogLimit`] for each of many things, told apart by a text.
#[derive(Debug, Default)]
pub struct LogLimits(Mutex<Vec<(String, LogLimit)>>);

impl LogLimits {
    /// Notes one occurrence of `what` at `now`, as [`LogLimit::note`].
    pub fn note(&self, what: &str, now: Instant) -> Option<Times> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, log_limit)) = known.iter_mut().find(|(known, _)| known == what) {
            return log_limit.note(now);
        }
        if known.len() >= MANY {
            known.remove(0);
        }
        let mut log_limit = LogLimit::default();
        let first = log_limit.note(now);
        known.push((what.to_owned(), log_limit));
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_minute_accounts_for_all() {
        let start = Instant::now();
        let mut log_limit = LogLimit::default();
        assert_eq!(log_limit.note(start), Some(Times(1)));
        for second in 1..60 {
            assert_eq!(log_limit.note(start + Duration::from_secs(second)), None);
        }
        assert_eq!(log_limit.note(start + INTERVAL), Some(Times(60)));
    }

    #[test]
    fn once_is_not_counted_in_words() {
        assert_eq!(Times(1).to_string(), "");
        assert_eq!(
            Times(12).to_string(),
            " (12 times since this was last logged)"
        );
    }

    #[test]
    fn each_thing_has_its_own_minute() {
        let start = Instant::now();
        let limits = LogLimits::default();
        assert_eq!(limits.note("gone", start), Some(Times(1)));
        assert_eq!(limits.note("silent", start), Some(Times(1)));
        assert_eq!(limits.note("gone", start), None);
        assert_eq!(limits.note("gone", start + INTERVAL), Some(Times(2)));
        for thing in 0..MANY {
            assert_eq!(limits.note(&thing.to_string(), start), Some(Times(1)));
        }
        assert_eq!(limits.0.lock().unwrap().len(), MANY);
    }
}
