//! One frame on its way to all destinations: whoever drives it waits until something is due, then sends it.

use std::time::Duration;

use super::delivery::{Delivery, State};
use crate::clocks::monotonic_now;
use crate::config::MAX_OUTPUTS;
use crate::frame::Frame;
use crate::sessions::MAX_SESSIONS;
use crate::stats::{DropReason, Stats};

/// Most deliveries of a frame.
const MAX_DELIVERIES: usize = MAX_OUTPUTS + MAX_SESSIONS;

/// A frame that leaves, batch by batch.
pub struct Flight<'a> {
    stats: &'a Stats,
    deliveries: heapless::Vec<Delivery<'a>, MAX_DELIVERIES>,
    captured: Duration,
    dequeued: Duration,
    /// When the first packet went to the kernel, on the monotonic clock.
    first: Option<Duration>,
    /// When the kernel had the last one.
    last: Duration,
}

impl<'a> Flight<'a> {
    /// `frame` begins to leave at `now` by `deliveries`.
    pub fn new(
        frame: &Frame,
        deliveries: impl Iterator<Item = Delivery<'a>>,
        now: Duration,
        stats: &'a Stats,
    ) -> Self {
        let mut flight = Self {
            stats,
            deliveries: heapless::Vec::new(),
            captured: frame.captured,
            dequeued: frame.dequeued,
            first: None,
            last: now,
        };
        // Filled where it is: `collect` would make it elsewhere and copy all of its room.
        flight.deliveries.extend(deliveries);
        flight
    }

    /// When the next batch to any destination is due, on the monotonic clock; `None` when all have ended.
    pub fn next_due(&self) -> Option<Duration> {
        self.deliveries.iter().filter_map(Delivery::next_due).min()
    }

    /// Sends every batch that is due now. The first of them counts as due whatever the clock shows, so that
    /// each call sends.
    pub fn send_due(&mut self) {
        let Some(next_due) = self.next_due() else {
            return;
        };
        let now = monotonic_now().max(next_due);
        for delivery in &mut self.deliveries {
            if let Some(due) = delivery.next_due().filter(|due| *due <= now) {
                self.first.get_or_insert(now);
                self.last = delivery.send_batch(due, self.stats);
            }
        }
    }

    /// The frame has left: notes how long it took; the error says why it reached no destination.
    pub fn end(self) -> Result<(), DropReason> {
        if self.deliveries.is_empty() {
            return Err(DropReason::NoDestination);
        }
        self.note_latency();
        let states = || self.deliveries.iter().map(|delivery| delivery.state);
        let failed = states().filter(|state| *state == State::Failed);
        failed.for_each(|_| self.stats.send_error());
        if states().any(|state| state == State::Complete) {
            Ok(())
        } else {
            Err(DropReason::SendFailed)
        }
    }

    fn note_latency(&self) {
        let latency = self.stats.latency();
        let first = self.first.unwrap_or(self.last);
        let since = |later: Duration, earlier| later.saturating_sub(earlier);
        latency
            .capture_to_dequeue
            .record(since(self.dequeued, self.captured));
        latency
            .dequeue_to_first_packet
            .record(since(first, self.dequeued));
        latency.first_to_last_packet.record(since(self.last, first));
    }
}
