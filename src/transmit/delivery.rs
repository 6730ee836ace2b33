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

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The next batch leaves then, on the monotonic clock.
    Due(Duration),
    /// The kernel has taken all of the frame.
    Complete,
    /// The rest of the frame is given up.
    Failed,
}

/// A frame that leaves for one destination.
pub struct Delivery<'a> {
    /// Where it goes.
    pub link: &'a mut Link,
    /// Where it is counted.
    pub stats: &'a OutputStats,
    /// The packets still to go.
    pub packets: Packets<'a>,
    /// Their rhythm.
    pub pace: Pace,
    /// A destination whose packets do not leave until then loses the rest of the frame.
    pub give_up: Duration,
    /// Told when the next frame may leave.
    pub not_before: &'a mut Duration,
    /// Whether sending has failed before, and that seemed to pass.
    pub had_error: bool,
    /// What comes next.
    pub state: State,
}

impl<'a> Delivery<'a> {
    /// When the next batch leaves, on the monotonic clock; `None` when there is none.
    pub fn next_due(&self) -> Option<Duration> {
        match self.state {
            State::Due(due) => Some(due),
            State::Complete | State::Failed => None,
        }
    }

    /// Sends the next batch, which was due at `due`; returns the time when the kernel had it.
    pub fn send_batch(&mut self, due: Duration, stats: &Stats) -> Duration {
        let rewind = self.packets.clone();
        let mut headers = Headers::new();
        let mut entries = Entries::new();
        let limit = self.pace.batch_packets;
        let batch = Batch::new(self.packets.by_ref(), limit, &mut headers, &mut entries);
        let now = Instant::now();
        let Some(socket) = self.link.open_socket() else {
            self.fail();
            return monotonic_now();
        };
        let (sent, result) = socket.send(&batch);
        let left = monotonic_now();
        self.count(sent, stats);
        match result {
            Ok(()) if self.packets.len() == 0 => {
                self.link.succeeded(now, self.stats);
                self.stats.frame_sent();
                self.state = State::Complete;
            }
            Ok(()) => self.state = State::Due(self.pace.next(due, left)),
            Err(Errno::EAGAIN | Errno::ENOBUFS) if left < self.give_up => {
                self.resume(rewind, sent, left + DRAIN);
            }
            // Once a frame: what is there again at once has not passed.
            Err(errno) => match self.link.failed(errno, now, self.stats) {
                true if !self.had_error => {
                    self.had_error = true;
                    self.resume(rewind, sent, left);
                }
                _ => self.fail(),
            },
        }
        *self.not_before = self.pace.earliest(left);
        left
    }

    /// Goes on at `due` with what the kernel has not taken of a batch that began at `start`.
    fn resume(&mut self, start: Packets<'a>, sent: Sent, due: Duration) {
        self.packets = start;
        skip(&mut self.packets, sent.packets);
        self.state = State::Due(due);
    }

    fn fail(&mut self) {
        self.stats.frame_failed();
        self.state = State::Failed;
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
