//! `[rtsp]`: where the door for players and recorders listens, and how many it lets in.

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected};

use super::http::Listen;
use super::value::bounded;

/// `[rtsp]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rtsp {
    /// Addresses that it listens on, at least one.
    pub listen: Listen,
    /// Most sessions at a time.
    #[serde(default)]
    pub max_clients: MaxClients,
}

bounded!(
    /// Sessions of players and recorders.
    MaxClients(u8), 1..=64, 16, "most RTSP sessions at a time"
);
