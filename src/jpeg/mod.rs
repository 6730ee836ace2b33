//! A frame's JPEG octets, parsed in place into what RTP/JPEG sends: size, sampling, tables, scan.
//! ITU-T T.81 annex B; what can be carried is RFC 2435 3.1 and 4.1.

mod header;
pub mod markers;
pub mod tables;

pub use header::{Image, Parser};

/// How the colour components are sampled, RFC 2435 4.1. Chrominance is always 1x1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// 4:2:2, luminance 2x1.
    Yuv422,
    /// 4:2:0, luminance 2x2.
    Yuv420,
}

/// Why a frame cannot be sent: it is damaged, or RFC 2435 has no way to carry it.
///
/// Each is a reason in the statistics ([`crate::stats::DropReason`]); the text says what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
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
    /// Number of components other than three.
    #[error("{0} colour components cannot be carried, only three (Y, Cb, Cr)")]
    Components(u8),
    /// Sampling factors, each as H << 4 | V, that have no RTP/JPEG type.
    #[error(
        "sampling {0:02x} {1:02x} {2:02x} (HV of Y, Cb, Cr) cannot be carried, only 4:2:2 (21 11 11) and 4:2:0 (22 11 11)"
    )]
    Sampling(u8, u8, u8),
    /// Width or height zero, or more than RTP/JPEG's 2040 pixels.
    #[error("{0}x{1} pixels cannot be carried, at most 2040x2040")]
    Size(u16, u16),
    /// The components come in several scans, or in another order.
    #[error("the picture is not one interleaved scan of Y, Cb, Cr")]
    Scans,
    /// A quantization table is missing.
    #[error("quantization table {0} is used but not defined")]
    MissingTable(u8),
    /// Cb and Cr use different quantization tables.
    #[error("Cb and Cr have different quantization tables, of which only one can be carried")]
    ChrominanceTables,
    /// A 16-bit quantization table with a value above 255.
    #[error("quantization table {0} has values above 255, which baseline JPEG does not have")]
    WideTable(u8),
    /// Huffman tables that are not Annex K's.
    #[error("the Huffman tables are not the standard ones (T.81 annex K), which receivers assume")]
    Huffman,
    /// Scan of 16 MiB or more.
    #[error("a scan of {0} octets is beyond RTP/JPEG's 24-bit fragment offset")]
    ScanSize(usize),
}
