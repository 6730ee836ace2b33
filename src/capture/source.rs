//! What a stream of pictures is made of: a source, which delivers one at a time.

use std::time::Duration;

use super::error::CaptureError;
use crate::frame::Frame;
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
