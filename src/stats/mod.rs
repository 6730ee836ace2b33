//! Counts what happens to a camera's frames: each one captured ends as sent or as dropped for one reason.

mod condition;
mod drop_reason;
mod interval;
pub mod latency;
pub mod output;
mod sent;
mod state;
mod summary;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use latency::Latency;
use output::{OutputStats, OutputSummary};

pub use condition::Condition;
pub use drop_reason::DropReason;
pub use interval::Interval;
pub use sent::Sent;
pub use state::CameraState;
pub use summary::Summary;

/// What the camera does in every picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habit {
    /// Why they are refused.
    pub reason: DropReason,
    /// So many were.
    pub pictures: u64,
}

/// The counters of one camera, written by its thread, read by anybody.
#[derive(Debug, Default)]
pub struct Stats {
    /// What it does, and since when.
    state: Mutex<(CameraState, Option<Instant>)>,
    /// Whether somebody watches, besides the outputs.
    watched: AtomicBool,
    /// Width << 16 | height of the last picture, 0 = none yet.
    size: AtomicU32,
    opened: AtomicU64,
    captured: AtomicU64,
    sent: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    sequence_gaps: AtomicU64,
    timestamps_replaced: AtomicU64,
    flagged_but_whole: AtomicU64,
    packets: AtomicU64,
    octets: AtomicU64,
    send_calls: AtomicU64,
    send_errors: AtomicU64,
    latency: Latency,
    outputs: Mutex<Vec<Arc<OutputStats>>>,
    sessions: Mutex<Vec<Arc<OutputStats>>>,
}

impl Stats {
    /// What the camera does just now.
    pub fn state(&self) -> CameraState {
        let state = self.lock_state().0.clone();
        let is_seen = || {
            let watched = self.watched.load(Ordering::Relaxed);
            let sends = |outputs: MutexGuard<Vec<Arc<OutputStats>>>| {
                outputs.iter().any(|output| output.sends())
            };
            watched || sends(self.outputs()) || sends(self.sessions())
        };
        if state == CameraState::Streaming && !is_seen() {
            return CameraState::SendingToNobody;
        }
        state
    }

    /// For how long it does what it does; `None` = it has not begun yet.
    pub fn time_in_state(&self) -> Option<Duration> {
        let since = self.lock_state().1?;
        Some(Instant::now().saturating_duration_since(since))
    }

    /// The source is open; no picture has come yet.
    pub fn source_opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    /// The source that was opened delivers.
    pub fn source_delivers(&self) {
        self.set_state(CameraState::Streaming);
    }

    /// There are no pictures, because of `problem`.
    pub fn source_missing(&self, problem: &str) {
        self.set_state(CameraState::Waiting(problem.to_owned()));
    }

    /// The source was told to end.
    pub fn source_stopped(&self) {
        self.set_state(CameraState::Stopped);
    }

    /// The source is opened when somebody watches.
    pub fn source_sleeps(&self) {
        self.watched.store(false, Ordering::Relaxed);
        self.set_state(CameraState::Idle);
    }

    /// For people it goes on as long as it is called the same, whatever the reason.
    fn set_state(&self, state: CameraState) {
        let mut current = self.lock_state();
        if std::mem::discriminant(&current.0) != std::mem::discriminant(&state)
            || current.1.is_none()
        {
            current.1 = Some(Instant::now());
        }
        current.0 = state;
    }

    /// A picture of this size went out, and somebody watches it or not.
    pub fn picture(&self, (width, height): (u16, u16), watched: bool) {
        self.watched.store(watched, Ordering::Relaxed);
        let size = u32::from(width) << 16 | u32::from(height);
        self.size.store(size, Ordering::Relaxed);
    }

    /// Width and height of the last picture that went out.
    pub fn size(&self) -> Option<(u16, u16)> {
        let size = self.size.load(Ordering::Relaxed);
        let [w1, w0, h1, h0] = size.to_be_bytes();
        (size > 0).then(|| (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0])))
    }

    /// A thread that panicked while it held the lock left a whole value: each is written at once.
    fn lock_state(&self) -> MutexGuard<'_, (CameraState, Option<Instant>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer came from the source.
    pub fn frame_captured(&self) {
        self.captured.fetch_add(1, Ordering::Relaxed);
    }

    /// All of a frame was given to the kernel for at least one destination, or shown to somebody who watches.
    pub fn frame_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
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

    /// The driver gave a frame a timestamp that cannot be.
    pub fn timestamp_replaced(&self) {
        self.timestamps_replaced.fetch_add(1, Ordering::Relaxed);
    }

    /// The driver called a frame damaged, and it was whole and sent.
    pub fn flagged_but_whole(&self) {
        self.flagged_but_whole.fetch_add(1, Ordering::Relaxed);
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

    /// Viewers have these streams of their own from now on.
    pub fn set_sessions(&self, sessions: Vec<Arc<OutputStats>>) {
        *self.sessions() = sessions;
    }

    /// Replaced as a whole.
    fn sessions(&self) -> MutexGuard<'_, Vec<Arc<OutputStats>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// In which condition the pictures came.
    pub fn condition(&self) -> Condition {
        let mut condition = Condition {
            intact: self.sent.load(Ordering::Relaxed),
            damaged: 0,
        };
        for (&reason, counter) in DropReason::ALL.iter().zip(&self.dropped) {
            let count = counter.load(Ordering::Relaxed);
            match reason.is_damage() {
                Some(true) => condition.damaged += count,
                Some(false) => condition.intact += count,
                None => {}
            }
        }
        condition
    }

    /// The reason for which all pictures so far were refused, for what is in them: a habit of the camera. Pictures that
    /// something else befell are left out as long as they are few.
    pub fn habit(&self) -> Option<Habit> {
        /// Refused pictures for one that was not.
        const RATIO: u64 = 16;
        if self.frames_sent() > 0 {
            return None;
        }
        let counts = DropReason::ALL.iter().zip(&self.dropped);
        let looked_at = counts
            .filter(|(reason, _)| reason.is_damage().is_some())
            .map(|(&reason, count)| (reason, count.load(Ordering::Relaxed)));
        let all: u64 = looked_at.clone().map(|(_, count)| count).sum();
        let (reason, pictures) = looked_at.max_by_key(|&(_, count)| count)?;
        let is_habit = reason.is_in_picture() && pictures > 0 && (all - pictures) * RATIO <= all;
        is_habit.then_some(Habit { reason, pictures })
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
            timestamps_replaced: read(&self.timestamps_replaced),
            flagged_but_whole: read(&self.flagged_but_whole),
            packets_sent: read(&self.packets),
            octets_sent: read(&self.octets),
            send_calls: read(&self.send_calls),
            send_errors: read(&self.send_errors),
            latency_us: self.latency.summary(),
            outputs: summaries(&self.outputs()),
            sessions: summaries(&self.sessions()),
        }
    }
}

fn summaries(outputs: &[Arc<OutputStats>]) -> Vec<OutputSummary> {
    let now = Instant::now();
    outputs.iter().map(|output| output.summary(now)).collect()
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
            (7, DropReason::ALL.len() as u64)
        );
        let summary = stats.summary("front");
        assert_eq!(summary.frames_dropped.len(), DropReason::ALL.len());
        assert!(summary.frames_dropped.values().all(|&count| count == 1));
    }

    #[test]
    fn one_reason_for_all_pictures_is_a_habit() {
        let stats = Stats::default();
        let habit = || stats.habit().map(|habit| (habit.reason, habit.pictures));
        assert_eq!(habit(), None);
        stats.frame_dropped(DropReason::ErrorFlag);
        assert_eq!(habit(), None);
        for _ in 0..14 {
            stats.frame_dropped(DropReason::NoEndOfImage);
        }
        stats.frame_dropped(DropReason::Superseded);
        assert_eq!(habit(), None);
        stats.frame_dropped(DropReason::NoEndOfImage);
        assert_eq!(habit(), Some((DropReason::NoEndOfImage, 15)));
        stats.frame_dropped(DropReason::CorruptScan);
        assert_eq!(habit(), None);
        for _ in 0..99 {
            stats.frame_dropped(DropReason::NoEndOfImage);
        }
        assert!(habit().is_some());
        stats.frame_sent();
        assert_eq!(habit(), None);
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
        stats.frame_sent();
        assert_eq!(stats.frames_sent(), 1);
        stats.frame_dropped(DropReason::NoEndOfImage);
        let output = Arc::new(OutputStats::new("h:1".to_owned()));
        stats.set_outputs(vec![output.clone()]);
        assert_eq!(stats.state(), CameraState::SendingToNobody);
        output.frame_sent();
        let json = serde_json::to_value(stats.summary("front")).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "name": "front", "state": "streaming", "reopened": 1, "frames_captured": 1, "frames_sent": 1,
                "frames_dropped": {"no-eoi": 1}, "sequence_gaps": 0, "timestamps_replaced": 0, "flagged_but_whole": 0,
                "packets_sent": 0, "octets_sent": 0, "send_calls": 0, "send_errors": 0,
                "latency_us": {
                    "capture_to_dequeue": {"p50": 0, "p99": 0, "max": 0},
                    "dequeue_to_first_packet": {"p50": 0, "p99": 0, "max": 0},
                    "first_to_last_packet": {"p50": 0, "p99": 0, "max": 0}
                },
                "outputs": [{
                    "destination": "h:1", "frames_sent": 1, "frames_failed": 0, "frames_skipped": 0,
                    "packets_sent": 0, "octets_sent": 0, "problem": null, "receivers": []
                }],
                "sessions": []
            })
        );
    }
}
