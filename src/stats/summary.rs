//! All of a camera's counters at one moment, as JSON and as a line.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::latency::LatencySummary;
use super::output::OutputSummary;
use super::state::CameraState;

/// A camera's counters at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub(crate) name: String,
    pub(crate) state: CameraState,
    pub(crate) reopened: u64,
    pub(crate) frames_captured: u64,
    pub(crate) frames_sent: u64,
    pub(crate) frames_dropped: BTreeMap<&'static str, u64>,
    pub(crate) sequence_gaps: u64,
    pub(crate) timestamps_replaced: u64,
    pub(crate) flagged_but_whole: u64,
    pub(crate) packets_sent: u64,
    pub(crate) octets_sent: u64,
    pub(crate) send_calls: u64,
    pub(crate) send_errors: u64,
    pub(crate) latency_us: LatencySummary,
    pub(crate) outputs: Vec<OutputSummary>,
    pub(crate) sessions: Vec<OutputSummary>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "{}: {}, {} frames captured, {} sent, {} dropped",
            self.name,
            self.state,
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
            ", {} lost in the driver, {} timestamps replaced, {} packets, {} octets, {} send calls, {} send errors",
            self.sequence_gaps,
            self.timestamps_replaced,
            self.packets_sent,
            self.octets_sent,
            self.send_calls,
            self.send_errors,
        )?;
        if self.flagged_but_whole > 0 {
            write!(f, ", flagged but whole: {}", self.flagged_but_whole)?;
        }
        if self.reopened > 0 {
            write!(f, ", camera opened again: {}", self.reopened)?;
        }
        write!(f, "; {}", self.latency_us)?;
        let mut all = self.outputs.iter().chain(&self.sessions);
        all.try_for_each(|output| output.fmt(f))
    }
}
