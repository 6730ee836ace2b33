//! One frame on its way to one destination: batch by batch, each in its time.

use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::batch::{Batch, Entries, Headers};
use super::link::Link;
use super::pace::Pace;
use crate::clocks::monotonic_now;
use crate::rtp::Packets;
use crate::stats::output::OutputStats;
use crate::stats::{Sent, Stats};

/// How long a full send buffer or device queue is given to drain before the next try.
const DRAIN: Duration = Duration::from_millis(1);

/// A frame that leaves for one destination.
pub struct Departure<'a> {
    /// Where it goes.
    pub link: &'a mut Link,
    /// Where it is counted.
    pub stats: &'a OutputStats,
    /// The packets still to go.
    pub packets: Packets<'a>,
    /// Their rhythm.
    pub pace: Pace,
    /// When the next batch leaves, on the monotonic clock.
    pub due: Duration,
    /// A destination whose packets do not leave until then loses the rest of the frame.
    pub give_up: Duration,
    /// Told when the next frame may leave.
    pub not_before: &'a mut Duration,
    /// How it ended, when it has.
    pub ended: Option<bool>,
}

impl Departure<'_> {
    /// Sends the next batch; returns the time when the kernel had it.
    pub fn send_batch(&mut self, stats: &Stats) -> Duration {
        let rewind = self.packets.clone();
        let mut headers = Headers::new();
        let mut entries = Entries::new();
        let limit = self.pace.batch_packets;
        let batch = Batch::new(self.packets.by_ref(), limit, &mut headers, &mut entries);
        let now = Instant::now();
        let Some(socket) = self.link.ready(now, self.stats) else {
            self.end(false);
            return monotonic_now();
        };
        let (sent, result) = socket.send(&batch);
        let left = monotonic_now();
        self.count(sent, stats);
        match result {
            Ok(()) if self.packets.len() == 0 => {
                self.link.succeeded(now, self.stats);
                self.end(true);
            }
            Ok(()) => self.due = self.pace.next(self.due, left),
            Err(Errno::EAGAIN | Errno::ENOBUFS) if left < self.give_up => {
                self.packets = rewind;
                skip(&mut self.packets, sent.packets);
                self.due = left + DRAIN;
            }
            Err(errno) => {
                self.link.failed(errno, now, self.stats);
                self.end(false);
            }
        }
        *self.not_before = self.pace.earliest(left);
        left
    }

    fn end(&mut self, complete: bool) {
        self.ended = Some(complete);
        if complete {
            self.stats.frame_sent();
        } else {
            self.stats.frame_failed();
        }
    }

    fn count(&self, sent: Sent, stats: &Stats) {
        self.stats.sent(sent);
        stats.output(sent);
    }
}

/// Passes over packets that have been sent.
fn skip(packets: &mut Packets, count: u64) {
    for _ in 0..count {
        packets.next();
    }
}
