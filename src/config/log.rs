//! `[log]`: how much is logged, and how often a summary.

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected};

use super::value::bounded;

/// `[log]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Log {
    /// How much.
    pub level: Level,
    /// How often a summary line per camera.
    pub summary_interval: SummaryInterval,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Only what makes a camera fail.
    Error,
    /// And what is wrong but streams.
    Warn,
    /// And what was chosen, and summaries.
    #[default]
    Info,
    /// And what helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

bounded!(
    /// Seconds between summary lines, 0 = none.
    SummaryInterval(u32), 0..=86400, 10, "a number of seconds (0 = no summary)"
);
