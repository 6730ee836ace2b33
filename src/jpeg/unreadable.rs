//! Why octets are no whole baseline picture: which marker, where, and what was expected instead.
//! ITU-T T.81 annex B.

use super::markers::{Marker, Place};

/// A frame that is damaged, or coded in another way than baseline JPEG.
///
/// Each is a reason in the statistics; the text says what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No octets at all.
    #[error("the frame is empty")]
    Empty,
    /// SOI is nowhere.
    #[error("the frame has no SOI (FF D8): expected at octet 0")]
    NotJpeg,
    /// The octets end inside the headers, in or behind this segment.
    #[error(
        "the frame ends inside its JPEG headers, in or behind {0}: expected more segments and a scan"
    )]
    Truncated(Place),
    /// The scan has no EOI marker before the frame ends, at this octet.
    #[error("the frame has no EOI (FF D9): expected before octet {0}, where the frame ends")]
    NoEndOfImage(usize),
    /// A segment is not what T.81 says.
    #[error("the JPEG headers are malformed: {0}: expected {1}")]
    Malformed(Place, &'static str),
    /// Not baseline: SOF marker of another process.
    #[error("JPEG process SOF{0} cannot be carried, only baseline (SOF0)")]
    Process(u8),
    /// Sample precision other than 8 bit.
    #[error("{0}-bit samples cannot be carried, only 8-bit")]
    Precision(u8),
    /// The components come in several scans.
    #[error(
        "the first of several scans has {0} of {1} colour components: expected one scan with all of them"
    )]
    Scans(u8, u8),
    /// A marker that cannot be there.
    #[error("the scan is damaged: {0}: expected scan data or EOI")]
    MarkerInScan(Place),
    /// A restart marker out of order.
    #[error("the scan is damaged: {0}: expected {1}")]
    RestartOrder(Place, Marker),
    /// Too few or too many restart markers before this EOI.
    #[error("the scan is damaged: {0} after {1} restart markers: expected {2} of them")]
    RestartCount(Place, u64, u64),
    /// Fewer octets than any picture of this size has.
    #[error(
        "the scan is damaged: {0} after {1} octets of scan: expected at least {2}, for the size of the picture"
    )]
    ShortScan(Place, usize, u64),
}
