//! Counts what happens to a camera's frames: each one captured ends as sent or as dropped for one reason.

mod condition;
pub mod latency;
pub mod output;
mod state;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::jpeg::Unsupported;
use latency::{Latency, LatencySummary};
use output::{OutputStats, OutputSummary};

pub use condition::Condition;
pub use state::CameraState;

/// Defines [`DropReason`] with the name that statistics show for each.
macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $reason:ident = $name:literal,)*) => {
        /// Why a captured frame was not sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum DropReason {
            $($(#[$doc])* $reason,)*
        }

        impl DropReason {
            /// All reasons, in the order of their discriminants.
            pub const ALL: &[Self] = &[$(Self::$reason,)*];

            /// The name in statistics and logs.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)*
                }
            }
        }
    };
}

drop_reasons! {
    /// The driver marked the buffer with V4L2_BUF_FLAG_ERROR.
    ErrorFlag = "error-flag",
    /// No octets in the buffer.
    Empty = "empty",
    /// No EOI marker: the frame was cut short.
    NoEndOfImage = "no-eoi",
    /// Does not begin with SOI.
    NotJpeg = "not-jpeg",
    /// Ends inside the headers.
    TruncatedHeaders = "truncated-headers",
    /// Headers that are not what T.81 says.
    MalformedHeaders = "malformed-headers",
    /// Progressive, arithmetic or another process than baseline.
    Process = "unsupported-process",
    /// Not 8-bit samples.
    Precision = "unsupported-precision",
    /// Not three components.
    Components = "unsupported-components",
    /// Neither 4:2:2 nor 4:2:0.
    Sampling = "unsupported-sampling",
    /// Wider or higher than 2040 pixels.
    Size = "unsupported-size",
    /// Not one interleaved scan.
    Scans = "unsupported-scans",
    /// A quantization table is missing, too wide, or Cb's and Cr's differ.
    QuantizationTables = "unsupported-quantization-tables",
    /// Not the Huffman tables of annex K.
    HuffmanTables = "unsupported-huffman-tables",
    /// A scan of 16 MiB or more.
    ScanSize = "unsupported-scan-size",
    /// A newer frame came before this one could be sent.
    Superseded = "superseded",
    /// The kernel took all of it for no destination.
    SendFailed = "send-failed",
    /// Every destination had failed shortly before and was not tried, or its name is not known yet.
    NoDestination = "no-destination",
    /// Captured, but the camera was stopped first.
    Stopped = "stopped",
}

impl From<Unsupported> for DropReason {
    fn from(unsupported: Unsupported) -> Self {
        match unsupported {
            Unsupported::Empty => Self::Empty,
            Unsupported::NotJpeg => Self::NotJpeg,
            Unsupported::Truncated => Self::TruncatedHeaders,
            Unsupported::NoEndOfImage => Self::NoEndOfImage,
            Unsupported::Malformed => Self::MalformedHeaders,
            Unsupported::Process(_) => Self::Process,
            Unsupported::Precision(_) => Self::Precision,
            Unsupported::Components(_) => Self::Components,
            Unsupported::Sampling(..) => Self::Sampling,
            Unsupported::Size(..) => Self::Size,
            Unsupported::Scans => Self::Scans,
            Unsupported::MissingTable(_)
            | Unsupported::ChrominanceTables
            | Unsupported::WideTable(_) => Self::QuantizationTables,
            Unsupported::Huffman => Self::HuffmanTables,
            Unsupported::ScanSize(_) => Self::ScanSize,
        }
    }
}

/// The counters of one camera, written by its thread, read by anybody.
#[derive(Debug, Default)]
pub struct Stats {
    state: Mutex<CameraState>,
    opened: AtomicU64,
    captured: AtomicU64,
    sent: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    sequence_gaps: AtomicU64,
    packets: AtomicU64,
    octets: AtomicU64,
    send_calls: AtomicU64,
    send_errors: AtomicU64,
    latency: Latency,
    outputs: Mutex<Vec<Arc<OutputStats>>>,
}

/// What some packets cost on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// RTP packets.
    pub packets: u64,
    /// Octets of UDP payload.
    pub octets: u64,
    /// `sendmmsg` calls.
    pub send_calls: u64,
}

impl AddAssign for Sent {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.octets += other.octets;
        self.send_calls += other.send_calls;
    }
}

impl Stats {
    /// What the camera does just now.
    pub fn state(&self) -> CameraState {
        self.lock_state().clone()
    }

    /// The source is open; pictures are yet to come.
    pub fn source_opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// The source that was opened delivers.
    pub fn source_delivers(&self) {
        *self.lock_state() = CameraState::Streaming;
    }

    /// There are no pictures, because of `problem`.
    pub fn source_missing(&self, problem: &str) {
        *self.lock_state() = CameraState::Waiting(problem.to_owned());
    }

    /// The source was told to end.
    pub fn source_stopped(&self) {
        *self.lock_state() = CameraState::Stopped;
    }

    /// A thread that panicked while it held the lock left a whole value: each is written at once.
    fn lock_state(&self) -> MutexGuard<'_, CameraState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer came from the source.
    pub fn frame_captured(&self) {
        self.captured.fetch_add(1, Ordering::Relaxed);
    }

    /// All of a frame was given to the kernel for at least one destination. Returns how many so far.
    pub fn frame_sent(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Frames sent so far.
    pub fn frames_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// A captured frame goes no further.
    pub fn frame_dropped(&self, reason: DropReason) {
        if let Some(counter) = self.dropped.get(reason as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The driver's sequence number skipped `frames`.
    pub fn sequence_gap(&self, frames: u32) {
        self.sequence_gaps
            .fetch_add(u64::from(frames), Ordering::Relaxed);
    }

    /// What the kernel took for one destination.
    pub fn output(&self, sent: Sent) {
        self.packets.fetch_add(sent.packets, Ordering::Relaxed);
        self.octets.fetch_add(sent.octets, Ordering::Relaxed);
        self.send_calls
            .fetch_add(sent.send_calls, Ordering::Relaxed);
    }

    /// One destination did not get all of a frame.
    pub fn send_error(&self) {
        self.send_errors.fetch_add(1, Ordering::Relaxed);
    }

    /// How long frames take.
    pub fn latency(&self) -> &Latency {
        &self.latency
    }

    /// The camera has these outputs from now on.
    pub fn set_outputs(&self, outputs: Vec<Arc<OutputStats>>) {
        *self.outputs() = outputs;
    }

    /// The outputs to which nothing is sent just now, and why.
    pub fn output_problems(&self) -> Vec<String> {
        let outputs = self.outputs();
        outputs
            .iter()
            .filter_map(|output| output.problem())
            .collect()
    }

    /// The list is whole at any time.
    fn outputs(&self) -> MutexGuard<'_, Vec<Arc<OutputStats>>> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counters now, under the camera's `name`.
    pub fn summary(&self, name: &str) -> Summary {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Summary {
            name: name.to_owned(),
            state: self.state(),
            reopened: read(&self.opened).saturating_sub(1),
            frames_captured: read(&self.captured),
            frames_sent: read(&self.sent),
            frames_dropped: DropReason::ALL
                .iter()
                .zip(&self.dropped)
                .map(|(reason, counter)| (reason.name(), read(counter)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            sequence_gaps: read(&self.sequence_gaps),
            packets_sent: read(&self.packets),
            octets_sent: read(&self.octets),
            send_calls: read(&self.send_calls),
            send_errors: read(&self.send_errors),
            latency_us: self.latency.summary(),
            outputs: self
                .outputs()
                .iter()
                .map(|output| output.summary(Instant::now()))
                .collect(),
        }
    }
}

/// A camera's counters at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    name: String,
    state: CameraState,
    reopened: u64,
    frames_captured: u64,
    frames_sent: u64,
    frames_dropped: BTreeMap<&'static str, u64>,
    sequence_gaps: u64,
    packets_sent: u64,
    octets_sent: u64,
    send_calls: u64,
    send_errors: u64,
    latency_us: LatencySummary,
    outputs: Vec<OutputSummary>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "{}: {}, reopened {} times, {} frames captured, {} sent, {} dropped",
            self.name,
            self.state,
            self.reopened,
            self.frames_captured,
            self.frames_sent,
            self.frames_dropped.values().sum::<u64>(),
        )?;
        let mut separator = " (";
        for (reason, count) in &self.frames_dropped {
            write!(f, "{separator}{reason} {count}")?;
            separator = ", ";
        }
        if !self.frames_dropped.is_empty() {
            f.write_str(")")?;
        }
        write!(
            f,
            ", {} lost in the driver, {} packets, {} octets, {} send calls, {} send errors",
            self.sequence_gaps,
            self.packets_sent,
            self.octets_sent,
            self.send_calls,
            self.send_errors,
        )?;
        write!(f, "; {}", self.latency_us)?;
        self.outputs.iter().try_for_each(|output| output.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_own_counter_and_name() {
        let stats = Stats::default();
        for &reason in DropReason::ALL {
            stats.frame_dropped(reason);
        }
        let Condition { intact, damaged } = stats.condition();
        // Of the reasons, two do not tell the condition.
        assert_eq!(
            (damaged, intact + damaged + 2),
            (6, DropReason::ALL.len() as u64)
        );
        let summary = stats.summary("front");
        assert_eq!(summary.frames_dropped.len(), DropReason::ALL.len());
        assert!(summary.frames_dropped.values().all(|&count| count == 1));
    }

    /// The manual, in which every counter is explained.
    const MANUAL: &str = include_str!("../../README.md");

    fn assert_explained(counter: &str) {
        let rows = MANUAL.lines().filter(|line| line.starts_with('|'));
        let mut first_cells = rows.filter_map(|row| row.split('|').nth(1));
        let quoted = format!("`{counter}`");
        assert!(first_cells.any(|cell| cell.contains(&quoted)), "{counter}");
    }

    #[test]
    fn the_manual_explains_each_reason() {
        for reason in DropReason::ALL {
            assert_explained(reason.name());
        }
    }

    #[test]
    fn json_has_the_documented_keys() {
        let stats = Stats::default();
        stats.source_opened();
        stats.source_missing("gone");
        assert_eq!(stats.state().to_string(), "waiting for the camera: gone");
        stats.source_opened();
        stats.source_delivers();
        stats.frame_captured();
        assert_eq!(stats.frame_sent(), 1);
        stats.frame_dropped(DropReason::NoEndOfImage);
        stats.set_outputs(vec![Arc::new(OutputStats::new("h:1".to_owned()))]);
        let json = serde_json::to_value(stats.summary("front")).unwrap();
        for key in json
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| *key != "name")
        {
            assert_explained(key);
        }
        assert_eq!(
            json,
            serde_json::json!({
                "name": "front", "state": "streaming", "reopened": 1, "frames_captured": 1, "frames_sent": 1,
                "frames_dropped": {"no-eoi": 1}, "sequence_gaps": 0,
                "packets_sent": 0, "octets_sent": 0, "send_calls": 0, "send_errors": 0,
                "latency_us": {
                    "capture_to_dequeue": {"p50": 0, "p99": 0, "max": 0},
                    "dequeue_to_first_packet": {"p50": 0, "p99": 0, "max": 0},
                    "first_to_last_packet": {"p50": 0, "p99": 0, "max": 0}
                },
                "outputs": [{
                    "destination": "h:1", "frames_sent": 0, "frames_failed": 0, "frames_skipped": 0,
                    "packets_sent": 0, "octets_sent": 0, "problem": null, "receivers": []
                }]
            })
        );
    }
}
