//! The transmit thread of a camera: each frame is parsed, cut into packets and sent to every destination, paced.
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

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};
use tracing::{error, info, warn};

use crate::clocks::monotonic_now;
use crate::config::{MAX_OUTPUTS, Rtp};
use crate::frame::Frame;
use crate::handoff::{Handoff, Parker, Taken};
use crate::jpeg::{Image, Parser};
use crate::pulse::{LONGEST_WAIT, Pulse};
use crate::stats::{DropReason, Stats};
use crate::throttle::Throttle;

use departure::Departure;
use pace::FrameInterval;

pub use link::resolve;
pub use output::Output;
pub use wanted::Wanted;

/// Sends frames from `handoff` to all `wanted` outputs until there are no more, or `limit` frames were sent.
pub fn run(
    name: &str,
    handoff: &Handoff,
    wanted: &Wanted,
    stats: &Stats,
    pulse: &Pulse,
    limit: Option<u64>,
) {
    let parker = Parker::new();
    let mut transmitter = Transmitter::new(name, stats);
    while limit.is_none_or(|limit| transmitter.sent < limit) {
        pulse.beat();
        if let Some(outputs) = wanted.take() {
            transmitter.set_outputs(&outputs);
        }
        match handoff.take(&parker, LONGEST_WAIT) {
            Taken::Frame(frame) => transmitter.transmit(&frame),
            Taken::Nothing => {}
            Taken::End => break,
        }
        transmitter.report();
    }
    if handoff.abandon().is_some() {
        stats.frame_dropped(DropReason::Stopped);
    }
    transmitter.outputs.into_iter().for_each(Output::close);
    info!("{name}: sending ended");
}

/// What the thread keeps from frame to frame.
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

    /// Sends one frame to all outputs, and counts what became of it.
    pub fn transmit(&mut self, frame: &Frame) {
        self.interval.note(frame);
        match self.parser.parse(&frame.data) {
            Ok(image) => match self.send(frame, &image) {
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
    fn send(&mut self, frame: &Frame, image: &Image) -> Result<(), DropReason> {
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
            let now = wait_until(due);
            let is_due = |each: &&mut Departure| each.ended.is_none() && each.due <= now;
            for departure in departures.iter_mut().filter(is_due) {
                last = departure.send_batch(self.stats);
                first.get_or_insert(last);
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
}

/// `first` and `last` packet's time on the monotonic clock.
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

/// Sleeps until `due` on the monotonic clock; returns the time then.
fn wait_until(due: Duration) -> Duration {
    loop {
        let now = monotonic_now();
        if now >= due {
            return now;
        }
        let until = TimeSpec::from(due);
        let slept = clock_nanosleep(
            ClockId::CLOCK_MONOTONIC,
            ClockNanosleepFlags::TIMER_ABSTIME,
            &until,
        );
        if let Err(errno) = slept
            && errno != Errno::EINTR
        {
            // No timer: better too early than never.
            return now.max(due);
        }
    }
}
