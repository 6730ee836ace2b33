//! Counts what happens on the way to one destination, and keeps what its receivers report.
//! RFC 3550 6.4.1 (reception reports).

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::sent::Sent;

/// Most receivers that are remembered for one destination; of more, those heard of last.
const MAX_RECEIVERS: usize = 32;
/// A receiver that has not reported for so long is gone: more than five of its intervals (RFC 3550 6.2.1).
const REMEMBERED: Duration = Duration::from_secs(60);

/// The counters of one output, written by its camera's thread, read by anybody.
#[derive(Debug)]
pub struct OutputStats {
    destination: String,
    frames_sent: AtomicU64,
    frames_failed: AtomicU64,
    frames_skipped: AtomicU64,
    packets: AtomicU64,
    octets: AtomicU64,
    payload_octets: AtomicU64,
    failing: AtomicBool,
    /// Changes seldom: not on the path of every frame.
    reported: Mutex<Reported>,
}

#[derive(Debug, Default)]
struct Reported {
    problem: Option<String>,
    /// With the time of each report, oldest first.
    receivers: Vec<(Instant, Heard)>,
}

/// What a receiver reported last.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Receiver {
    /// Its synchronization source.
    pub ssrc: u32,
    /// Share of packets lost between its last two reports, 0.0..=1.0.
    pub fraction_lost: f32,
    /// Packets lost since it joined; less than zero when more came twice than were lost.
    pub packets_lost: i32,
    /// Variation of the time on the way, in milliseconds.
    pub jitter_ms: f32,
    /// Time there and back in milliseconds, where it could be measured.
    pub round_trip_ms: Option<f32>,
}

/// A receiver among those of its destination.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heard {
    /// Its number, the same as long as it reports, and then free for another.
    pub index: usize,
    /// What it reported.
    #[serde(flatten)]
    pub receiver: Receiver,
}

impl OutputStats {
    /// For packets to `destination`, as the configuration calls it.
    pub fn new(destination: String) -> Self {
        Self {
            destination,
            frames_sent: AtomicU64::new(0),
            frames_failed: AtomicU64::new(0),
            frames_skipped: AtomicU64::new(0),
            packets: AtomicU64::new(0),
            octets: AtomicU64::new(0),
            payload_octets: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            reported: Mutex::default(),
        }
    }

    /// The kernel took some packets.
    pub fn sent(&self, sent: Sent) {
        self.packets.fetch_add(sent.packets, Ordering::Relaxed);
        self.octets.fetch_add(sent.octets, Ordering::Relaxed);
        self.payload_octets
            .fetch_add(sent.payload_octets, Ordering::Relaxed);
    }

    /// The kernel took a whole frame.
    pub fn frame_sent(&self) {
        self.frames_sent.fetch_add(1, Ordering::Relaxed);
    }

    /// The kernel did not take all of a frame.
    pub fn frame_failed(&self) {
        self.frames_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// A frame was not tried because the destination had failed shortly before.
    pub fn frame_skipped(&self) {
        self.frames_skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// Frames that the kernel took completely, and those that it did not or that were not tried.
    pub fn frames(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let unsent = read(&self.frames_failed) + read(&self.frames_skipped);
        (read(&self.frames_sent), unsent)
    }

    /// Packets so far.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Octets of RTP payload so far, as a sender report counts them (RFC 3550 6.4.1).
    pub fn payload_octets(&self) -> u64 {
        self.payload_octets.load(Ordering::Relaxed)
    }

    /// Why nothing is sent now; `None` = all is well.
    pub fn set_problem(&self, problem: Option<String>) {
        self.failing.store(problem.is_some(), Ordering::Relaxed);
        self.lock().problem = problem;
    }

    /// Whether nothing was sent lately.
    pub fn had_problem(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Whether frames are sent there.
    pub fn sends(&self) -> bool {
        !self.had_problem() && self.frames_sent.load(Ordering::Relaxed) > 0
    }

    /// The destination and why nothing is sent there now; `None` = all is well.
    pub fn problem(&self) -> Option<String> {
        let reported = self.lock();
        let problem = reported.problem.as_ref()?;
        Some(format!("{}: {problem}", self.destination))
    }

    /// A receiver reported at `now`.
    pub fn heard_of(&self, receiver: Receiver, now: Instant) -> bool {
        let receivers = &mut self.lock().receivers;
        let is_there = |heard| now.saturating_duration_since(heard) < REMEMBERED;
        let mut known = receivers.iter();
        let before = known
            .find(|(_, known)| known.receiver.ssrc == receiver.ssrc)
            .map(|(heard, known)| (*heard, known.index));
        receivers.retain(|(heard, known)| known.receiver.ssrc != receiver.ssrc && is_there(*heard));
        if receivers.len() >= MAX_RECEIVERS {
            receivers.remove(0);
        }
        let is_free = |index: &usize| receivers.iter().all(|(_, known)| known.index != *index);
        let index = before.map(|(_, index)| index).filter(is_free);
        let index = index.or_else(|| (0..MAX_RECEIVERS).find(is_free));
        let index = index.unwrap_or_default();
        receivers.push((now, Heard { index, receiver }));
        before.is_none_or(|(heard, _)| !is_there(heard))
    }

    /// When a receiver reported last, if one did lately.
    pub fn last_report(&self) -> Option<Instant> {
        let reported = self.lock();
        reported.receivers.last().map(|(heard, _)| *heard)
    }

    /// The counters, and the receivers that are there at `now`.
    pub fn summary(&self, now: Instant) -> OutputSummary {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let reported = self.lock();
        OutputSummary {
            destination: self.destination.clone(),
            frames_sent: read(&self.frames_sent),
            frames_failed: read(&self.frames_failed),
            frames_skipped: read(&self.frames_skipped),
            packets_sent: read(&self.packets),
            octets_sent: read(&self.octets),
            problem: reported.problem.clone(),
            receivers: reported
                .receivers
                .iter()
                .filter(|(heard, _)| now.saturating_duration_since(*heard) < REMEMBERED)
                .map(|(_, heard)| heard.clone())
                .collect(),
        }
    }

    /// What it guards is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Reported> {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An output's counters at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutputSummary {
    pub(crate) destination: String,
    pub(crate) frames_sent: u64,
    pub(crate) frames_failed: u64,
    pub(crate) frames_skipped: u64,
    pub(crate) packets_sent: u64,
    pub(crate) octets_sent: u64,
    pub(crate) problem: Option<String>,
    pub(crate) receivers: Vec<Heard>,
}

/// What is worth a human's attention: nothing where all is well and nobody reports.
impl fmt::Display for OutputSummary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(problem) = &self.problem {
            write!(f, "; {}: {problem}", self.destination)?;
        }
        if self.frames_failed + self.frames_skipped > 0 {
            write!(
                f,
                "; {}: {} frames failed, {} skipped",
                self.destination, self.frames_failed, self.frames_skipped
            )?;
        }
        for receiver in &self.receivers {
            write!(f, "; {} at {}", receiver.receiver, self.destination)?;
        }
        Ok(())
    }
}

impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "receiver {:08x} lost {:.1} % ({} packets in all), jitter {:.1} ms",
            self.ssrc,
            100.0 * self.fraction_lost,
            self.packets_lost,
            self.jitter_ms
        )?;
        if let Some(round_trip) = self.round_trip_ms {
            write!(f, ", round trip {round_trip:.1} ms")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_report_of_each_receiver_is_kept_and_the_list_is_bounded() {
        let output = OutputStats::new("h:1".to_owned());
        let receiver = |ssrc, packets_lost| Receiver {
            ssrc,
            fraction_lost: 0.25,
            packets_lost,
            jitter_ms: 1.0,
            round_trip_ms: Some(2.0),
        };
        let now = Instant::now();
        for ssrc in 0..100 {
            output.heard_of(receiver(ssrc, 1), now);
        }
        output.heard_of(receiver(99, 7), now + Duration::from_secs(1));
        let summary = output.summary(now);
        assert_eq!(summary.receivers.len(), MAX_RECEIVERS);
        assert_eq!(summary.receivers.last().unwrap().receiver.packets_lost, 7);
        assert!(
            summary.to_string().ends_with(
                "receiver 00000063 lost 25.0 % (7 packets in all), jitter 1.0 ms, round trip 2.0 ms at h:1"
            ),
            "{summary}"
        );
        let later = output.summary(now + REMEMBERED);
        let left: Vec<_> = later
            .receivers
            .iter()
            .map(|heard| heard.receiver.clone())
            .collect();
        assert_eq!(left, [receiver(99, 7)], "the others are gone");
    }
    #[test]
    fn a_receiver_keeps_its_index_as_long_as_it_reports() {
        let output = OutputStats::new("h:1".to_owned());
        let receiver = |ssrc| Receiver {
            ssrc,
            fraction_lost: 0.0,
            packets_lost: 0,
            jitter_ms: 0.0,
            round_trip_ms: None,
        };
        let start = Instant::now();
        let indices = |seconds| -> Vec<(u32, usize)> {
            let summary = output.summary(start + Duration::from_secs(seconds));
            let receivers = summary.receivers.iter();
            receivers
                .map(|heard| (heard.receiver.ssrc, heard.index))
                .collect()
        };
        let hear = |ssrc, seconds| {
            output.heard_of(receiver(ssrc), start + Duration::from_secs(seconds));
        };
        hear(7, 0);
        hear(8, 30);
        assert_eq!(indices(30), [(7, 0), (8, 1)]);
        hear(7, 40);
        hear(8, 70);
        assert_eq!(indices(70), [(7, 0), (8, 1)]);
        hear(8, 120);
        hear(9, 121);
        assert_eq!(indices(121), [(8, 1), (9, 0)]);
        for ssrc in 100..200 {
            hear(ssrc, 122);
        }
        let mut all: Vec<usize> = indices(122).into_iter().map(|(_, index)| index).collect();
        all.sort_unstable();
        assert_eq!(all, (0..MAX_RECEIVERS).collect::<Vec<_>>());
    }
}
