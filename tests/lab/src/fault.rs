//! What can go wrong with a frame inside the camera or on its cable.

use std::time::Duration;

/// What goes wrong with one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The frame begins late; the others keep their time.
    Late(Duration),
    /// The frame begins in time, but its second half takes this much longer.
    Slow(Duration),
    /// All the data, marked as damaged by the camera.
    ErrorBit,
    /// One octet of the scan is another: where and how is drawn from the frame's number.
    ChangedOctet,
    /// The first half of the data: no EOI.
    Truncated,
    /// No data at all.
    Empty,
    /// As much data as ever, but no picture.
    Garbage,
    /// A header whose length is none: the host cannot make out the payload.
    BadHeader,
    /// So many transfers that wait end with a bus error (-EPROTO) before the frame begins.
    BusError(usize),
    /// So many do in the middle of the frame, the rest of which comes after this pause.
    BusErrorAmid(usize, Duration),
}

impl Fault {
    /// Whether the picture is unfit for use.
    pub fn damages(self) -> bool {
        !matches!(
            self,
            Self::Late(_) | Self::Slow(_) | Self::BusError(_) | Self::BusErrorAmid(..)
        )
    }
}

/// Frame number -> fault, counted from the start of the stream.
pub type Faults = &'static [(usize, Fault)];
