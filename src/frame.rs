//! A frame on its way from a source to the wire: its octets, still in the source's buffer, and when it was captured.
//! V4L2 `struct v4l2_buffer` (sequence, timestamp).

use std::time::Duration;

use bytes::Bytes;

/// One compressed picture. Dropping the last reference to `data` gives a leased buffer back to its source.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The octets that the source filled, JPEG with any padding.
    pub data: Bytes,
    /// The source's count of pictures; a step of more than one is a picture that never got here.
    pub sequence: u32,
    /// When the picture was taken, on the monotonic clock.
    pub captured: Duration,
    /// When its buffer was taken from the source, on the same clock.
    pub dequeued: Duration,
    /// Whether there is a reason to think that it is damaged.
    pub suspicion: Suspicion,
}

/// What the source and its driver let fear for a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Suspicion {
    /// Nothing.
    #[default]
    None,
    /// Pictures before it are missing, or there was an error shortly before.
    Unsteady,
    /// The driver says that it is damaged (V4L2_BUF_FLAG_ERROR).
    Flagged,
}
