//! What it means when a camera says nothing: whether to wait, to warn, or to open it again.

use std::time::{Duration, Instant};

/// Shortest silence that is worth a warning.
const STALL: Duration = Duration::from_secs(2);
/// The same in frames, for slow cameras.
const STALL_FRAMES: u32 = 5;
/// Shortest silence after which the stream is given up, and in stalls, for slow cameras.
const GIVE_UP: Duration = Duration::from_secs(10);
const GIVE_UP_STALLS: u32 = 2;

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
            GIVE_UP.max(GIVE_UP_STALLS * self.stall)
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
}
