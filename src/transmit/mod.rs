//! The sending half of a camera: each frame is parsed, cut into packets and sent to every destination, paced.
//! RFC 2435, RFC 3550; system calls in [`socket`].

pub mod batch;
mod departure;
mod group;
mod link;
mod output;
mod pace;
mod reports;
mod sendmmsg;
pub mod socket;
mod wanted;

use std::time::{Duration, Instant};

use tracing::{error, warn};

use crate::clocks::monotonic_now;
use crate::config::{MAX_OUTPUTS, Rtp};
use crate::frame::Frame;
use crate::jpeg::{Image, Parser};
use crate::stats::{DropReason, Stats};
use crate::throttle::Throttle;

use departure::Departure;
use pace::FrameInterval;

pub use link::resolve;
pub use output::Output;
pub use wanted::Wanted;

/// Sends a camera's frames to all its outputs.
pub struct Transmitter<'a> {
    name: &'a str,
    stats: &'a Stats,
    outputs: Vec<Output>,
    parser: Parser,
    interval: FrameInterval,
    refusals: [Throttle; DropReason::ALL.len()],
    /// Frames sent so far.
    sent: u64,
}

impl<'a> Transmitter<'a> {
    /// For the camera `name`, without outputs.
    pub fn new(name: &'a str, stats: &'a Stats) -> Self {
        Self {
            name,
            stats,
            outputs: Vec::new(),
            parser: Parser::default(),
            interval: FrameInterval::default(),
            refusals: Default::default(),
            sent: 0,
        }
    }

    /// Has `wanted` from now on: an output whose configuration was there before goes on as it is, others end.
    pub fn set_outputs(&mut self, wanted: &[Rtp]) {
        let mut before = std::mem::take(&mut self.outputs);
        for config in wanted {
            let known = before.iter().position(|output| output.config() == config);
            let output = match known {
                Some(index) => Ok(before.swap_remove(index)),
                None => Output::new(config),
            };
            match output {
                Ok(output) => self.outputs.push(output),
                Err(problem) => error!("{}: {}: {problem}", self.name, config.destination),
            }
        }
        before.into_iter().for_each(Output::close);
        let stats = self.outputs.iter().map(|output| output.stats().clone());
        self.stats.set_outputs(stats.collect());
    }

    /// Frames sent so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Sends one frame to all outputs, and counts what became of it. `wait_until` is to return when the
    /// monotonic clock shows the time it is given.
    pub fn transmit(&mut self, frame: &Frame, wait_until: &mut dyn FnMut(Duration)) {
        self.interval.note(frame);
        match self.parser.parse(&frame.data) {
            Ok(image) => match self.send(frame, &image, wait_until) {
                Ok(()) => self.sent = self.stats.frame_sent(),
                Err(reason) => self.stats.frame_dropped(reason),
            },
            Err(unsupported) => {
                let reason = DropReason::from(unsupported);
                self.stats.frame_dropped(reason);
                let throttle = self.refusals.get_mut(reason as usize);
                if let Some(count) = throttle.and_then(|each| each.note(Instant::now())) {
                    warn!("{}: frame dropped, {count} times: {unsupported}", self.name);
                }
            }
        }
    }

    /// All batches of a frame, each when it is due; one timer for all destinations.
    fn send(
        &mut self,
        frame: &Frame,
        image: &Image,
        wait_until: &mut dyn FnMut(Duration),
    ) -> Result<(), DropReason> {
        let (interval, now) = (self.interval.get(), monotonic_now());
        let begin = |output| Output::begin(output, frame, image, interval, now);
        // Filled where it is: `collect` would make it elsewhere and copy all of its room.
        let mut departures = heapless::Vec::<Departure, MAX_OUTPUTS>::new();
        departures.extend(self.outputs.iter_mut().filter_map(begin));
        if departures.is_empty() {
            return Err(DropReason::NoDestination);
        }
        let mut first = None;
        let mut last = now;
        while let Some(due) = next_due(&departures) {
            wait_until(due);
            let now = monotonic_now().max(due); // whatever the timer is worth, each turn sends
            let is_due = |each: &&mut Departure| each.ended.is_none() && each.due <= now;
            for departure in departures.iter_mut().filter(is_due) {
                first.get_or_insert(now);
                last = departure.send_batch(self.stats);
            }
        }
        note_latency(self.stats, frame, first.unwrap_or(last), last);
        let failed = departures.iter().filter(|each| each.ended == Some(false));
        failed.for_each(|_| self.stats.send_error());
        if departures.iter().any(|each| each.ended == Some(true)) {
            Ok(())
        } else {
            Err(DropReason::SendFailed)
        }
    }

    /// Reports to the receivers of all outputs, when it is time.
    pub fn report(&mut self) {
        let now = Instant::now();
        self.outputs
            .iter_mut()
            .for_each(|output| output.report(now));
    }

    /// Takes leave of the receivers.
    pub fn close(self) {
        self.outputs.into_iter().for_each(Output::close);
    }
}

/// The times on the monotonic clock when the `first` packet went to the kernel, and when it had the `last`.
fn note_latency(stats: &Stats, frame: &Frame, first: Duration, last: Duration) {
    let latency = stats.latency();
    let since = |later: Duration, earlier| later.saturating_sub(earlier);
    latency
        .capture_to_dequeue
        .record(since(frame.dequeued, frame.captured));
    latency
        .dequeue_to_first_packet
        .record(since(first, frame.dequeued));
    latency.first_to_last_packet.record(since(last, first));
}

/// When the next batch of any destination is due; `None` when all have ended.
fn next_due(departures: &[Departure]) -> Option<Duration> {
    let going = departures.iter().filter(|each| each.ended.is_none());
    going.map(|each| each.due).min()
}
