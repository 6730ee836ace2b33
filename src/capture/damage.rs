//! Tells a camera that delivers nothing but damaged pictures from one that loses a picture now and then.

use std::time::{Duration, Instant};

use crate::stats::Condition;

/// For so long, and in so many pictures, nothing but damage: the stream is given up.
const GIVE_UP: Duration = Duration::from_secs(5);
const GIVE_UP_FRAMES: u64 = 5;

/// Watches the counts of one stream.
#[derive(Debug)]
pub struct Damage {
    /// At the last intact picture, or at the start.
    good: Condition,
    last: Condition,
    /// When the first damaged one came after that.
    since: Option<Instant>,
}

impl Damage {
    /// The stream begins with these counts.
    pub fn new(counts: Condition) -> Self {
        Self {
            good: counts,
            last: counts,
            since: None,
        }
    }

    /// True when all pictures have been damaged for too long.
    pub fn is_hopeless(&mut self, counts: Condition, now: Instant) -> bool {
        if counts.intact != self.good.intact {
            *self = Self::new(counts);
        }
        if counts == self.last {
            return false; // Nothing came: that is silence.
        }
        self.last = counts;
        let since = *self.since.get_or_insert(now);
        now.saturating_duration_since(since) >= GIVE_UP
            && counts.damaged - self.good.damaged >= GIVE_UP_FRAMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(intact: u64, damaged: u64) -> Condition {
        Condition { intact, damaged }
    }

    #[test]
    fn nothing_but_damage_is_hopeless_after_five_seconds() {
        let start = Instant::now();
        let mut damage = Damage::new(counts(7, 1));
        for second in 0..5 {
            let now = start + Duration::from_secs(second);
            assert!(!damage.is_hopeless(counts(7, 2 + second), now));
        }
        assert!(damage.is_hopeless(counts(7, 7), start + GIVE_UP));
    }

    #[test]
    fn one_good_picture_is_hope() {
        let start = Instant::now();
        let mut damage = Damage::new(counts(0, 0));
        for second in 0..60 {
            let now = start + Duration::from_secs(second);
            assert!(!damage.is_hopeless(counts(second / 4, 10 * second), now));
        }
    }

    #[test]
    fn few_pictures_and_silence_are_no_proof() {
        let start = Instant::now();
        let mut damage = Damage::new(counts(0, 0));
        assert!(!damage.is_hopeless(counts(0, 1), start));
        assert!(!damage.is_hopeless(counts(0, 1), start + 3 * GIVE_UP));
        assert!(!damage.is_hopeless(counts(0, 4), start + 3 * GIVE_UP));
        assert!(damage.is_hopeless(counts(0, 5), start + 4 * GIVE_UP));
    }
}
