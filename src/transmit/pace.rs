//! When the batches of a frame leave: spread evenly over a share of the measured frame interval.
//!
//! A burst of one frame overruns queues behind a slower link; a sender that catches up after a late wake-up
//! does the same. So a batch never follows the one before it by less than three quarters of the nominal gap.

use std::time::Duration;

use crate::config::Pacing;
use crate::frame::Frame;

/// Most packets of a paced batch: one message of UDP segments, which leaves as a burst.
pub const MAX_BATCH_PACKETS: usize = 20;
/// Least part of the nominal gap between two batches, as a fraction.
const LEAST_GAP: (u32, u32) = (3, 4);
/// The interval before one has been measured.
const FIRST_INTERVAL: Duration = Duration::from_millis(33);
/// Longest interval that is paced over: a slow camera's frames must not arrive later than necessary.
pub const LONGEST_INTERVAL: Duration = Duration::from_millis(100);
/// Intervals of which the median counts, so that neither a late frame nor a stall changes the pace.
const INTERVALS: usize = 9;

/// Measures the time from frame to frame by the frames' own capture times.
#[derive(Debug, Default)]
pub struct FrameInterval {
    newest: Option<(u32, Duration)>,
    intervals: heapless::HistoryBuf<Duration, INTERVALS>,
}

impl FrameInterval {
    /// Takes the next frame into account; frames lost in between are allowed for.
    pub fn note(&mut self, frame: &Frame) {
        let previous = self.newest.replace((frame.sequence, frame.captured));
        let Some((sequence, captured)) = previous else {
            return;
        };
        let frames = frame.sequence.wrapping_sub(sequence);
        let elapsed = frame.captured.checked_sub(captured);
        // A stream that started again, or a driver that does not count.
        let (Some(elapsed), 1..=1000) = (elapsed, frames) else {
            return;
        };
        self.intervals.write(elapsed / frames);
    }

    /// The interval to pace over.
    pub fn get(&self) -> Duration {
        let mut sorted: heapless::Vec<Duration, INTERVALS> =
            self.intervals.as_slice().iter().copied().collect();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied();
        median.unwrap_or(FIRST_INTERVAL).min(LONGEST_INTERVAL)
    }
}

/// How the packets of one frame leave for one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Packets of each batch but the last.
    pub batch_packets: usize,
    /// From one batch to the next.
    gap: Duration,
}

impl Pace {
    /// For a frame of `packets`, spread over `share` of `interval` in batches of at most `message_packets`.
    pub fn new(packets: usize, share: Pacing, interval: Duration, message_packets: usize) -> Self {
        let burst = Self {
            batch_packets: usize::MAX,
            gap: Duration::ZERO,
        };
        if share == Pacing::BURST {
            return burst;
        }
        let batches = packets
            .div_ceil(message_packets.clamp(1, MAX_BATCH_PACKETS))
            .max(1);
        let Ok(count) = u32::try_from(batches) else {
            return burst;
        };
        Self {
            batch_packets: packets.div_ceil(batches),
            gap: interval.mul_f32(share.share()) / count,
        }
    }

    /// When the batch after the one that was due at `due` and left at `left` is due.
    pub fn next(self, due: Duration, left: Duration) -> Duration {
        (due + self.gap).max(self.earliest(left))
    }

    /// The earliest time of any batch after one that left at `left`.
    pub fn earliest(self, left: Duration) -> Duration {
        left + self.gap * LEAST_GAP.0 / LEAST_GAP.1
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::frame::Suspicion;

    const MS: Duration = Duration::from_millis(1);

    fn frame(sequence: u32, captured: Duration) -> Frame {
        Frame {
            data: Bytes::new(),
            sequence,
            captured,
            dequeued: captured,
            suspicion: Suspicion::None,
        }
    }

    #[test]
    fn the_interval_is_measured_not_believed() {
        let mut interval = FrameInterval::default();
        assert_eq!(interval.get(), FIRST_INTERVAL);
        // 25 fps with a late frame, a lost one, a stall and a restart of the count.
        for (sequence, ms) in [
            (7, 0),
            (8, 40),
            (9, 95),
            (10, 120),
            (12, 200),
            (13, 5000),
            (14, 5040),
            (0, 5080),
            (1, 5120),
        ] {
            interval.note(&frame(sequence, ms * MS));
        }
        assert_eq!(interval.get(), 40 * MS);
        for sequence in 0..20 {
            interval.note(&frame(sequence, sequence * 1000 * MS));
        }
        assert_eq!(interval.get(), LONGEST_INTERVAL);
    }

    #[test]
    fn batches_are_even_and_fit_the_share() {
        let interval = 32 * MS;
        let pace = Pace::new(149, Pacing::SPREAD, interval, 47);
        assert_eq!((pace.batch_packets, pace.gap), (19, 3 * MS));
        // Jumbo packets: a message holds few.
        assert_eq!(Pace::new(22, Pacing::SPREAD, interval, 7).batch_packets, 6);
        assert_eq!(Pace::new(3, Pacing::SPREAD, interval, 47).batch_packets, 3);
        let burst = Pace::new(149, Pacing::BURST, interval, 47);
        assert_eq!(
            (burst.batch_packets, burst.gap),
            (usize::MAX, Duration::ZERO)
        );
    }

    #[test]
    fn a_late_batch_is_not_made_up_for_by_a_burst() {
        let pace = Pace::new(149, Pacing::SPREAD, 32 * MS, 47);
        assert_eq!(pace.next(10 * MS, 10 * MS), 13 * MS);
        let slightly_late = 10 * MS + MS / 2;
        assert_eq!(pace.next(10 * MS, slightly_late), 13 * MS);
        let due = pace.next(10 * MS, 30 * MS);
        assert_eq!(due, 30 * MS + pace.gap * 3 / 4);
        // The schedule goes on from there.
        assert_eq!(pace.next(due, due), due + pace.gap);
    }
}
