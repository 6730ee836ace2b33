//! `[log]`: how much is logged, and how often a summary.

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected};

use super::value::{Text, bounded, from_text};

/// `[log]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Log {
    /// How much.
    pub level: Level,
    /// How often a summary line for each camera; by how it runs when absent.
    pub summary_interval: Option<SummaryInterval>,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

impl Level {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "error" => Some(Self::Error),
            "warn" => Some(Self::Warn),
            "info" => Some(Self::Info),
            "debug" => Some(Self::Debug),
            "trace" => Some(Self::Trace),
            _ => None,
        }
    }
}

from_text!(
    Level,
    Level::parse,
    "\"error\", \"warn\", \"info\", \"debug\" or \"trace\""
);

bounded!(
    /// Seconds between summary lines, 0 = none.
    SummaryInterval(u32), 0..=86400, 0, "a number of seconds (0 = no summary)"
);
