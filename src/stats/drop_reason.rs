//! Why a captured frame was not sent: one reason each.

use crate::jpeg::Unreadable;
use crate::rtp::Refused;

/// Defines [`DropReason`] with the name that statistics show for each.
macro_rules! drop_reasons {
    ($($(#[$doc:meta])* $reason:ident = $name:literal,)*) => {
        /// Why a captured frame was not sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum DropReason {
            $($(#[$doc])* $reason,)*
        }

        impl DropReason {
            /// All reasons, in the order of their discriminants.
            pub const ALL: &[Self] = &[$(Self::$reason,)*];

            /// The name in statistics and logs.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $name,)*
                }
            }
        }
    };
}

drop_reasons! {
    /// The driver marked the buffer with V4L2_BUF_FLAG_ERROR.
    ErrorFlag = "error-flag",
    /// No octets in the buffer.
    Empty = "empty",
    /// No EOI marker: the frame was cut short.
    NoEndOfImage = "no-eoi",
    /// No SOI marker.
    NotJpeg = "not-jpeg",
    /// Ends inside the headers.
    TruncatedHeaders = "truncated-headers",
    /// Headers that are not what T.81 says.
    MalformedHeaders = "malformed-headers",
    /// Something in the scan that cannot be there, or less than the picture needs.
    CorruptScan = "corrupt-scan",
    /// Progressive, arithmetic or another process than baseline.
    Process = "unsupported-process",
    /// Not 8-bit samples.
    Precision = "unsupported-precision",
    /// Not three components.
    Components = "unsupported-components",
    /// R, G, B.
    Colours = "unsupported-colours",
    /// One field of two.
    Fields = "unsupported-fields",
    /// Neither 4:2:2 nor 4:2:0.
    Sampling = "unsupported-sampling",
    /// No pixels.
    Size = "unsupported-size",
    /// Not one interleaved scan.
    Scans = "unsupported-scans",
    /// A quantization table is missing, too wide, or Cb's and Cr's differ.
    QuantizationTables = "unsupported-quantization-tables",
    /// Not the Huffman tables of annex K.
    HuffmanTables = "unsupported-huffman-tables",
    /// A scan of 16 MiB or more.
    ScanSize = "unsupported-scan-size",
    /// A newer frame came before this one could be sent.
    Superseded = "superseded",
    /// The kernel took all of it for no destination.
    SendFailed = "send-failed",
    /// Every destination had failed shortly before and was not tried, or its name is not known yet.
    NoDestination = "no-destination",
    /// Captured, but the camera was stopped first.
    Stopped = "stopped",
}

impl From<Refused> for DropReason {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unreadable(unreadable) => unreadable.into(),
            Refused::Corrupt(_) => Self::CorruptScan,
            Refused::Components(_) => Self::Components,
            Refused::Rgb => Self::Colours,
            Refused::Fields => Self::Fields,
            Refused::Sampling(..) => Self::Sampling,
            Refused::Size(..) => Self::Size,
            Refused::Scans => Self::Scans,
            Refused::MissingTable(_) | Refused::ChrominanceTables | Refused::WideTable(_) => {
                Self::QuantizationTables
            }
            Refused::Huffman => Self::HuffmanTables,
            Refused::ScanSize(_) => Self::ScanSize,
        }
    }
}

impl From<Unreadable> for DropReason {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Empty => Self::Empty,
            Unreadable::NotJpeg => Self::NotJpeg,
            Unreadable::Truncated(_) => Self::TruncatedHeaders,
            Unreadable::NoEndOfImage(_) => Self::NoEndOfImage,
            Unreadable::Malformed(..) => Self::MalformedHeaders,
            Unreadable::Process(_) => Self::Process,
            Unreadable::Precision(_) => Self::Precision,
            Unreadable::Scans(..) => Self::Scans,
            Unreadable::MarkerInScan(_)
            | Unreadable::RestartOrder(..)
            | Unreadable::RestartCount(..)
            | Unreadable::ShortScan(..) => Self::CorruptScan,
        }
    }
}

impl DropReason {
    /// Whether it is how the picture is written, whatever the driver and the network do.
    pub(super) const fn is_in_picture(self) -> bool {
        !matches!(
            self,
            Self::ErrorFlag
                | Self::Empty
                | Self::Superseded
                | Self::SendFailed
                | Self::NoDestination
                | Self::Stopped
        )
    }

    /// Whether a picture dropped for this reason came damaged; `None` when nobody looked at it.
    pub(super) const fn is_damage(self) -> Option<bool> {
        match self {
            Self::ErrorFlag
            | Self::Empty
            | Self::NoEndOfImage
            | Self::NotJpeg
            | Self::TruncatedHeaders
            | Self::MalformedHeaders
            | Self::CorruptScan => Some(true),
            Self::Superseded | Self::Stopped => None,
            _ => Some(false),
        }
    }
}
