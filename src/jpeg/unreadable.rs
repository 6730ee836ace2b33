//! Why octets are no baseline picture.

/// A frame that is damaged, or coded in another way than baseline JPEG.
///
/// Each is a reason in the statistics; the text says what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No octets at all.
    #[error("the frame is empty")]
    Empty,
    /// The first two octets are not SOI.
    #[error("the frame does not begin with a JPEG SOI marker")]
    NotJpeg,
    /// The octets end inside the headers.
    #[error("the frame ends inside its JPEG headers")]
    Truncated,
    /// The scan has no EOI marker.
    #[error("the frame has no EOI marker: it was cut short")]
    NoEndOfImage,
    /// A marker or a segment is not what T.81 says.
    #[error("the JPEG headers are malformed")]
    Malformed,
    /// Not baseline: SOF marker of another process.
    #[error("JPEG process SOF{0} cannot be carried, only baseline (SOF0)")]
    Process(u8),
    /// Sample precision other than 8 bit.
    #[error("{0}-bit samples cannot be carried, only 8-bit")]
    Precision(u8),
}
