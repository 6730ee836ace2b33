//! Whether a camera is well: silence, and pictures of which none is whole, are waited out, warned of, or given up.

use std::time::{Duration, Instant};

use crate::stats::Condition;

/// Shortest silence that is worth a warning.
const STALL: Duration = Duration::from_secs(2);
/// The same in frames, for slow cameras.
const STALL_FRAMES: u32 = 5;
/// Shortest silence after which the stream is given up, and in stalls, for slow cameras.
const SILENCE: Duration = Duration::from_secs(10);
const SILENCE_STALLS: u32 = 2;

/// How long a camera has been silent.
#[derive(Debug)]
pub struct Silence {
    /// Longest silence without a warning.
    stall: Duration,
    since: Instant,
    warned: bool,
    /// The last thing heard was a transfer that failed.
    transfer_failed: bool,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Wait on.
    Wait,
    /// Say so, once in each silence.
    Warn,
    /// The stream is dead.
    GiveUp,
}

impl Silence {
    /// For a camera with this time from frame to frame (zero: unknown).
    pub fn new(frame_time: Duration, now: Instant) -> Self {
        Self {
            stall: STALL.max(STALL_FRAMES * frame_time),
            since: now,
            warned: false,
            transfer_failed: false,
        }
    }

    /// A buffer came. An empty one that is marked as damaged is a transfer that failed; drivers may not
    /// start it again (uvcvideo does not), so silence after it is given up sooner.
    pub fn heard(&mut self, transfer_failed: bool, now: Instant) {
        self.since = now;
        self.warned = false;
        self.transfer_failed = transfer_failed;
    }

    /// What the silence up to `now` means.
    pub fn verdict(&mut self, now: Instant) -> Verdict {
        let silent = self.lasted(now);
        let give_up = if self.transfer_failed {
            self.stall
        } else {
            SILENCE.max(SILENCE_STALLS * self.stall)
        };
        if silent >= give_up {
            Verdict::GiveUp
        } else if silent >= self.stall && !self.warned {
            self.warned = true;
            Verdict::Warn
        } else {
            Verdict::Wait
        }
    }

    /// How long there has been silence.
    pub fn lasted(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }
}

/// For so long, and in so many pictures, nothing but damage: the stream is given up.
const DAMAGE: Duration = Duration::from_secs(5);
const DAMAGE_FRAMES: u64 = 5;

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

    /// Makes what has gone on since just now as old as it need be.
    #[cfg(test)]
    pub fn age(&mut self) {
        self.since = Instant::now().checked_sub(DAMAGE);
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
        now.saturating_duration_since(since) >= DAMAGE
            && counts.damaged - self.good.damaged >= DAMAGE_FRAMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(33);

    /// The verdicts second by second.
    fn verdicts(silence: &mut Silence, start: Instant, seconds: u64) -> Vec<Verdict> {
        (0..=seconds)
            .map(|second| silence.verdict(start + Duration::from_secs(second)))
            .collect()
    }

    #[test]
    fn a_stall_is_warned_of_once_and_given_up_after_ten_seconds() {
        use Verdict::{GiveUp, Wait, Warn};
        let start = Instant::now();
        let mut silence = Silence::new(FRAME, start);
        let expected = [&[Wait, Wait, Warn][..], &[Wait; 7], &[GiveUp]].concat();
        assert_eq!(verdicts(&mut silence, start, 10), expected);
        silence.heard(false, start);
        assert_eq!(verdicts(&mut silence, start, 10), expected);
    }

    #[test]
    fn silence_after_a_failed_transfer_is_given_up_sooner() {
        let start = Instant::now();
        let mut silence = Silence::new(FRAME, start);
        silence.heard(true, start);
        let last = verdicts(&mut silence, start, 2).pop();
        assert_eq!(last, Some(Verdict::GiveUp));
        silence.heard(false, start);
        let last = verdicts(&mut silence, start, 5).pop();
        assert_eq!(last, Some(Verdict::Wait));
    }

    #[test]
    fn a_slow_camera_may_take_its_time() {
        let start = Instant::now();
        let mut silence = Silence::new(Duration::from_secs(10), start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(silence.verdict(at(49)), Verdict::Wait);
        assert_eq!(silence.verdict(at(50)), Verdict::Warn);
        assert_eq!(silence.verdict(at(99)), Verdict::Wait);
        assert_eq!(silence.verdict(at(100)), Verdict::GiveUp);
    }

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
        assert!(damage.is_hopeless(counts(7, 7), start + DAMAGE));
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
        assert!(!damage.is_hopeless(counts(0, 1), start + 3 * DAMAGE));
        assert!(!damage.is_hopeless(counts(0, 4), start + 3 * DAMAGE));
        assert!(damage.is_hopeless(counts(0, 5), start + 4 * DAMAGE));
    }
}
