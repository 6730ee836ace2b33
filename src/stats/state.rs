//! What a camera does just now, as a person would say it.

use std::fmt;

use serde::{Serialize, Serializer};

/// Whether pictures can come, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CameraState {
    /// It is being opened for the first time.
    #[default]
    Opening,
    /// It delivers, and frames are sent.
    Streaming,
    /// It delivers, but no destination can be sent to.
    SendingToNobody,
    /// It cannot be had, for the reason given; it is tried again and again.
    Waiting(String),
    /// Nobody watches, and it is opened when somebody does.
    Idle,
    /// It was told to end.
    Stopped,
}

impl CameraState {
    /// The name of each.
    pub const NAMES: [&'static str; 6] = [
        "opening",
        "streaming",
        "sending-to-nobody",
        "waiting",
        "idle",
        "stopped",
    ];

    /// The name of this one: one word, without a reason.
    pub const fn name(&self) -> &'static str {
        let [opening, streaming, nobody, waiting, idle, stopped] = Self::NAMES;
        match self {
            Self::Opening => opening,
            Self::Streaming => streaming,
            Self::SendingToNobody => nobody,
            Self::Waiting(_) => waiting,
            Self::Idle => idle,
            Self::Stopped => stopped,
        }
    }

    /// Whether the camera does what it should: it streams, or sleeps until somebody watches.
    pub const fn is_well(&self) -> bool {
        matches!(self, Self::Streaming | Self::Idle)
    }
}

impl fmt::Display for CameraState {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Opening => f.write_str("opening the camera"),
            Self::Streaming => f.write_str("streaming"),
            Self::SendingToNobody => f.write_str("sending to nobody"),
            Self::Waiting(problem) => write!(f, "waiting for the camera: {problem}"),
            Self::Idle => f.write_str("idle"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

impl Serialize for CameraState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
