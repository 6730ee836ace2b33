//! The markers of a JPEG image: their codes and names, and what is at a place in the frame.
//! ITU-T T.81 annex B.1 (markers, fill octets, marker segments).

use std::fmt;

/// Second octet of a marker (ITU-T T.81 table B.1).
pub mod code {
    /// Baseline DCT frame.
    pub const SOF0: u8 = 0xC0;
    /// Extended sequential DCT frame with Huffman coding.
    pub const SOF1: u8 = 0xC1;
    /// Last of the frame markers (arithmetic, lossless); 0xC4, 0xC8 and 0xCC among them are others.
    pub const SOF15: u8 = 0xCF;
    /// Define Huffman tables.
    pub const DHT: u8 = 0xC4;
    /// Reserved for JPEG extensions.
    pub const JPG: u8 = 0xC8;
    /// Define arithmetic coding conditioning.
    pub const DAC: u8 = 0xCC;
    /// First restart marker of eight.
    pub const RST0: u8 = 0xD0;
    /// Last restart marker.
    pub const RST7: u8 = 0xD7;
    /// Start of image.
    pub const SOI: u8 = 0xD8;
    /// End of image.
    pub const EOI: u8 = 0xD9;
    /// Start of scan.
    pub const SOS: u8 = 0xDA;
    /// Define quantization tables.
    pub const DQT: u8 = 0xDB;
    /// Define number of lines.
    pub const DNL: u8 = 0xDC;
    /// Define restart interval.
    pub const DRI: u8 = 0xDD;
    /// First application segment of sixteen.
    pub const APP0: u8 = 0xE0;
    /// The one of Adobe.
    pub const APP14: u8 = 0xEE;
    /// Last application segment.
    pub const APP15: u8 = 0xEF;
    /// Comment.
    pub const COM: u8 = 0xFE;
    /// Temporary use in arithmetic coding; stands alone.
    pub const TEM: u8 = 0x01;
}

/// First octet of every marker, and the fill octet before one.
pub const PREFIX: u8 = 0xFF;
/// The start of an image, for finding one after octets that are none: SOI and the next marker's prefix.
pub const IMAGE_START: [u8; 3] = [PREFIX, code::SOI, PREFIX];
/// Octets of a segment's length field, which counts itself (B.1.1.4).
pub(super) const LENGTH_OCTETS: usize = 2;

/// Where a marker is in its frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The marker.
    pub marker: Marker,
    /// Its first octet, counted from the start of the frame.
    pub offset: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} at octet {}", self.marker, self.offset)
    }
}

/// The second octet of a marker, shown with its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker(pub u8);

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self(octet) = *self;
        match octet {
            code::SOI => f.write_str("SOI")?,
            code::EOI => f.write_str("EOI")?,
            code::SOS => f.write_str("SOS")?,
            code::DQT => f.write_str("DQT")?,
            code::DHT => f.write_str("DHT")?,
            code::DRI => f.write_str("DRI")?,
            code::DNL => f.write_str("DNL")?,
            code::DAC => f.write_str("DAC")?,
            code::COM => f.write_str("COM")?,
            code::SOF0..=code::SOF15 => write!(f, "SOF{}", octet - code::SOF0)?,
            code::RST0..=code::RST7 => write!(f, "RST{}", octet - code::RST0)?,
            code::APP0..=code::APP15 => write!(f, "APP{}", octet - code::APP0)?,
            _ => return write!(f, "marker FF {octet:02X}"),
        }
        write!(f, " (FF {octet:02X})")
    }
}

/// One marker with the parameters of its segment (without the length field).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Second octet of the marker, one of [`code`].
    pub marker: u8,
    /// Where the marker is in the frame.
    pub offset: usize,
    /// The octets after the length field; empty for markers that stand alone.
    pub parameters: &'a [u8],
}

impl Segment<'_> {
    /// The marker and where it is.
    pub fn place(&self) -> Place {
        Place {
            marker: Marker(self.marker),
            offset: self.offset,
        }
    }

    /// Whether it is for others than decoders.
    pub(super) fn is_comment(&self) -> bool {
        matches!(self.marker, code::COM | code::APP0..=code::APP15)
    }

    /// Where it ends in the frame, when it has a length.
    pub(super) fn end(&self) -> usize {
        self.offset + 2 + LENGTH_OCTETS + self.parameters.len()
    }
}

/// A marker where one was looked for.
pub(super) struct MarkerFound {
    pub code: u8,
    /// Of its last two octets: fill octets come before it.
    pub offset: usize,
    /// What follows it.
    pub end: usize,
}

/// The marker at `at`, after any number of fill octets (B.1.1.2).
pub(super) fn marker_at(jpeg: &[u8], at: usize) -> Option<MarkerFound> {
    let (&PREFIX, rest) = jpeg.get(at..)?.split_first()? else {
        return None;
    };
    let fill = rest.iter().take_while(|&&octet| octet == PREFIX).count();
    let offset = at + fill;
    match *rest.get(fill)? {
        code @ (code::TEM | code::SOF0..=code::COM) => Some(MarkerFound {
            code,
            offset,
            end: offset + 2,
        }),
        _ => None,
    }
}

/// The parameters of the segment whose length field is at `at`; `None` when there are not as many octets, or when the
/// length field does not count itself.
pub(super) fn parameters_at(jpeg: &[u8], at: usize) -> Option<&[u8]> {
    let (length, rest) = jpeg.get(at..)?.split_first_chunk::<LENGTH_OCTETS>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    rest.get(..length.checked_sub(LENGTH_OCTETS)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_shown_with_their_names() {
        let shown = |octet| Marker(octet).to_string();
        assert_eq!(shown(code::DQT), "DQT (FF DB)");
        assert_eq!(shown(0xC1), "SOF1 (FF C1)");
        assert_eq!(shown(0xD5), "RST5 (FF D5)");
        assert_eq!(shown(0xEE), "APP14 (FF EE)");
        assert_eq!(shown(0x3C), "marker FF 3C");
        let place = Place {
            marker: Marker(code::SOI),
            offset: 7,
        };
        assert_eq!(place.to_string(), "SOI (FF D8) at octet 7");
    }
}
