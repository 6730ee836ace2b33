//! What a stream of pictures is made of: a source, which delivers one at a time.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::error::CaptureError;
use crate::frame::Frame;
use crate::panel::{Panel, Refusal};
use crate::stop::Stop;

/// Where pictures come from.
pub trait Source {
    /// Waits for the next picture until `until` on the monotonic clock, or until `stop` is raised. A time that has
    /// passed asks for what is there.
    fn next(&mut self, until: Duration, stop: &Stop) -> Result<Captured, CaptureError>;

    /// Width and height that the source has agreed to, where anything is agreed.
    fn size(&self) -> Option<(u32, u32)> {
        None
    }

    /// Who the camera is and what it has agreed to, where there is one.
    fn agreement(&self) -> Option<&Agreement> {
        None
    }

    /// Does something of what is asked on `panel`: never for long, the next picture is waited for.
    fn adjust(&mut self, panel: &Panel) {
        while let Some(order) = panel.take() {
            let outcome = match order.settings.is_empty() {
                true => Ok(Vec::new()),
                false => Err(Refusal::Wrong("this camera has no controls".to_owned())),
            };
            panel.answer(&order, outcome, Some(Vec::new()));
        }
    }

    /// Whether a picture that the send path is not ready for waits (files as fast as they go) instead of
    /// being replaced by the next.
    fn waits(&self) -> bool {
        false
    }
}

/// What a source delivered.
#[derive(Debug)]
pub enum Captured {
    /// A picture. When it was captured is what the driver says: zero stands for nothing, and what cannot be is replaced.
    Frame(Frame),
    /// A buffer that the driver marked as damaged.
    Damaged(Frame),
    /// Nothing by then.
    Nothing,
}

/// A camera that streams: who it is, what it has agreed to, and what its buffers take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Its node now.
    pub node: PathBuf,
    /// The card's name.
    pub card: String,
    /// The driver's name.
    pub driver: String,
    /// Four-character code.
    pub format: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames per second, rounded to thousandths; `None` when the driver does not tell.
    pub fps: Option<f64>,
    /// How many the driver gave.
    pub buffers: usize,
    /// The size of one.
    pub buffer_octets: usize,
}
