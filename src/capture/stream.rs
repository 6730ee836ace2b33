//! The pictures of one opened source: each counted, the damaged dropped, the lost noticed by their numbers, and what
//! their timestamps say believed only where it can be.

use std::time::{Duration, Instant};

use super::error::CaptureError;
use super::health::Damage;
use super::source::{Agreement, Captured, Source};
use crate::frame::{Frame, Suspicion};
use crate::panel::Panel;
use crate::stats::{Condition, DropReason, Stats};
use crate::stop::Stop;

/// Longest time that a picture can have been on its way from the camera's eye to here. Drivers that take their
/// timestamps from another clock are further off (uvcvideo `clock=realtime`: decades).
const OLDEST: Duration = Duration::from_secs(10);

/// After an error on the bus more of them are to be feared for so long.
const UNSTEADY: Duration = Duration::from_secs(1);

/// What a wait for a picture came to.
#[derive(Debug)]
pub enum Event {
    /// A picture that looks whole.
    Frame(Frame),
    /// One that is of no use; it has been counted.
    Dropped,
    /// None came in time.
    Nothing,
}

/// A source and what is known of its pictures.
pub struct Stream {
    source: Box<dyn Source>,
    gaps: SequenceGaps,
    damage: Damage,
    /// What the driver calls damaged is of use all the same: somebody looks whether it is.
    keeps_flagged: bool,
    /// When the driver last called a buffer damaged.
    flagged: Option<Instant>,
    /// At the start.
    before: Condition,
    delivers: bool,
}

impl Stream {
    /// The source begins, with these `stats`. Pictures that the driver calls damaged are of use when it `keeps_flagged`
    /// ones.
    pub fn new(source: Box<dyn Source>, keeps_flagged: bool, stats: &Stats) -> Self {
        stats.source_opened();
        let before = stats.condition();
        Self {
            source,
            gaps: SequenceGaps::default(),
            damage: Damage::new(before),
            keeps_flagged,
            flagged: None,
            before,
            delivers: false,
        }
    }

    /// Waits for the next picture until `until` on the monotonic clock, or until `stop` is raised. After an error
    /// the stream is dead.
    pub fn next(
        &mut self,
        until: Duration,
        stats: &Stats,
        stop: &Stop,
    ) -> Result<Event, CaptureError> {
        // To open a camera again changes nothing about how it writes its pictures.
        if self.damage.is_hopeless(stats.condition(), Instant::now()) && stats.habit().is_none() {
            return Err(CaptureError::OnlyDamaged);
        }
        let (mut frame, damaged) = match self.source.next(until, stop)? {
            Captured::Frame(frame) => (frame, false),
            Captured::Damaged(frame) => (frame, true),
            Captured::Nothing => return Ok(Event::Nothing),
        };
        stats.frame_captured();
        if !std::mem::replace(&mut self.delivers, true) {
            stats.source_delivers();
        }
        let gap = self.gaps.before(&frame, damaged);
        stats.sequence_gap(gap);
        frame.suspicion = self.suspicion(gap, damaged, Instant::now());
        if damaged && (!self.keeps_flagged || frame.data.is_empty()) {
            stats.frame_dropped(DropReason::ErrorFlag);
        } else if frame.data.is_empty() {
            stats.frame_dropped(DropReason::Empty);
        } else {
            if !is_credible(&frame) {
                frame.captured = frame.dequeued;
                stats.timestamp_replaced();
            }
            return Ok(Event::Frame(frame));
        }
        Ok(Event::Dropped)
    }

    /// What is to be feared for a picture before which so many are missing, and which the driver calls damaged or not.
    fn suspicion(&mut self, gap: u32, damaged: bool, now: Instant) -> Suspicion {
        if damaged {
            self.flagged = Some(now);
            return Suspicion::Flagged;
        }
        let recent = |since| now.saturating_duration_since(since) < UNSTEADY;
        match gap > 0 || self.flagged.is_some_and(recent) {
            true => Suspicion::Unsteady,
            false => Suspicion::None,
        }
    }

    /// Width and height that the source has agreed to.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.source.size()
    }

    /// Who the camera is and what it has agreed to.
    pub fn agreement(&self) -> Option<&Agreement> {
        self.source.agreement()
    }

    /// Does something of what is asked on `panel`.
    pub fn adjust(&mut self, panel: &Panel) {
        self.source.adjust(panel);
    }

    /// Whether its pictures wait until they are asked for.
    pub fn waits(&self) -> bool {
        self.source.waits()
    }

    /// Whether any of its pictures was whole.
    pub fn was_good(&self, stats: &Stats) -> bool {
        stats.condition().intact > self.before.intact
    }
}

/// Whether the picture can have been captured when its source says.
fn is_credible(frame: &Frame) -> bool {
    let age = frame.dequeued.checked_sub(frame.captured);
    !frame.captured.is_zero() && age.is_some_and(|age| age <= OLDEST)
}

/// Finds pictures that the driver lost, by its sequence numbers.
#[derive(Debug, Default)]
struct SequenceGaps {
    /// Drivers count from 0 when a stream starts; what they lose before the first picture counts too.
    expected: u32,
    /// What follows a number that stepped back.
    anew: Option<u32>,
}

impl SequenceGaps {
    /// Pictures missing right before `frame`.
    fn before(&mut self, frame: &Frame, damaged: bool) -> u32 {
        // A buffer that came back unfilled (a USB error, say) has no number of its own.
        if damaged && frame.data.is_empty() && frame.sequence == 0 {
            return 0;
        }
        let next = frame.sequence.wrapping_add(1);
        let gap = frame.sequence.wrapping_sub(self.expected);
        // A number that steps back may be of a stream that started again: then the next one goes on from there. Or of
        // what uvcvideo makes of the rest of a frame after a bus error: then the next one goes on from before.
        if gap > u32::MAX / 2 && self.anew != Some(frame.sequence) {
            self.anew = Some(next);
            return 0;
        }
        self.expected = next;
        match self.anew.take() == Some(frame.sequence) {
            true => 0,
            false => gap,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn sequence_gaps_are_counted_through_wraps_and_restarts() {
        let mut gaps = SequenceGaps::default();
        let mut before = |sequence, data, damaged| gaps.before(&frame(sequence, data), damaged);
        assert_eq!(before(u32::MAX - 1, b"x", false), 0);
        assert_eq!(before(u32::MAX, b"x", true), 0);
        assert_eq!(before(2, b"x", false), 2);
        assert_eq!(before(0, b"", true), 0);
        assert_eq!(before(3, b"x", false), 0);
        assert_eq!(before(0, b"x", false), 0);
        assert_eq!(before(1, b"x", false), 0);
        assert_eq!(before(3, b"x", false), 1);
    }

    #[test]
    fn a_stream_counts_from_0_and_a_number_that_steps_back_once_is_no_restart() {
        let mut gaps = SequenceGaps::default();
        let sequences = [2, 3, 0, 4, 6, 0, 0, 8, 9];
        let counted = sequences.map(|sequence| gaps.before(&frame(sequence, b"x"), false));
        assert_eq!(counted, [2, 0, 0, 0, 1, 0, 0, 1, 0]);
    }

    #[test]
    fn damage_gives_the_stream_up_and_a_habit_does_not() {
        let (stats, stop) = (Stats::default(), Stop::new().unwrap());
        let mut stream = Stream::new(Box::new(Given(Vec::new())), true, &stats);
        let mut next = || {
            // As if it had gone on for long.
            stream.damage.age();
            stream.next(Duration::ZERO, &stats, &stop)
        };
        for _ in 0..9 {
            stats.frame_dropped(DropReason::NoEndOfImage);
            assert!(matches!(next(), Ok(Event::Nothing)));
        }
        for _ in 0..9 {
            stats.frame_dropped(DropReason::ErrorFlag);
        }
        assert!(matches!(next(), Err(CaptureError::OnlyDamaged)));
    }

    /// A source of one picture after the other, from the last to the first.
    struct Given(Vec<Frame>);

    impl Source for Given {
        fn next(&mut self, _: Duration, _: &Stop) -> Result<Captured, CaptureError> {
            Ok(self.0.pop().map_or(Captured::Nothing, Captured::Frame))
        }
    }

    #[test]
    fn a_time_that_cannot_be_is_replaced_by_that_of_dequeuing_and_counted() {
        const DEQUEUED: Duration = Duration::from_secs(1000);
        let said = [
            0,
            1,
            989_999,
            990_000,
            999_967,
            1_000_000,
            1_000_001,
            1_700_000_000_000,
        ];
        let given = said.iter().rev().map(|&milliseconds| Frame {
            captured: Duration::from_millis(milliseconds),
            dequeued: DEQUEUED,
            ..frame(0, b"x")
        });
        let (stats, stop) = (Stats::default(), Stop::new().unwrap());
        let mut stream = Stream::new(Box::new(Given(given.collect())), true, &stats);
        let mut believed = Vec::new();
        while let Event::Frame(frame) = stream.next(DEQUEUED, &stats, &stop).unwrap() {
            assert!(frame.captured <= DEQUEUED && frame.captured + OLDEST >= DEQUEUED);
            believed.push(frame.captured.as_millis());
        }
        let at = 1_000_000;
        assert_eq!(believed, [at, at, at, 990_000, 999_967, at, at, at]);
        let summary = serde_json::to_value(stats.summary("front")).unwrap();
        assert_eq!(summary["timestamps_replaced"], 5);
    }

    fn frame(sequence: u32, data: &'static [u8]) -> Frame {
        Frame {
            data: Bytes::from_static(data),
            sequence,
            captured: Duration::ZERO,
            dequeued: Duration::ZERO,
            suspicion: Suspicion::None,
        }
    }
}
