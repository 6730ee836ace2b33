//! Walks the marker segments of a JPEG image by their lengths, never octet by octet.
//! ITU-T T.81 annex B.1 (markers, fill octets, marker segments).

use super::unreadable::Unreadable;

/// Second octet of a marker (ITU-T T.81 table B.1).
pub mod code {
    /// Baseline DCT frame.
    pub const SOF0: u8 = 0xC0;
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
    /// Temporary use in arithmetic coding; stands alone.
    pub const TEM: u8 = 0x01;
}

/// First octet of every marker, and the fill octet before one.
const PREFIX: u8 = 0xFF;
/// Octets of a segment's length field, which counts itself (B.1.1.4).
const LENGTH_OCTETS: usize = 2;

/// One marker with the parameters of its segment (without the length field).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Second octet of the marker, one of [`code`].
    pub marker: u8,
    /// The octets after the length field; empty for markers that stand alone.
    pub parameters: &'a [u8],
}

/// Reads marker segments from the start of an image up to and including SOS.
#[derive(Debug, Clone)]
pub struct Segments<'a> {
    rest: &'a [u8],
}

impl<'a> Segments<'a> {
    /// Starts after the SOI marker that `jpeg` must begin with.
    pub fn new(jpeg: &'a [u8]) -> Result<Self, Unreadable> {
        match jpeg {
            [] => Err(Unreadable::Empty),
            [PREFIX, code::SOI, rest @ ..] => Ok(Self { rest }),
            _ => Err(Unreadable::NotJpeg),
        }
    }

    /// The next segment; `Truncated` when the octets end first, `Malformed` when no marker is there.
    pub fn next_segment(&mut self) -> Result<Segment<'a>, Unreadable> {
        let marker = self.next_marker()?;
        if matches!(marker, code::RST0..=code::EOI | code::TEM) {
            return Ok(Segment {
                marker,
                parameters: &[],
            });
        }
        let (length, _) = self
            .rest
            .split_first_chunk::<LENGTH_OCTETS>()
            .ok_or(Unreadable::Truncated)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length < LENGTH_OCTETS {
            return Err(Unreadable::Malformed);
        }
        let (segment, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(Unreadable::Truncated)?;
        self.rest = rest;
        let parameters = segment.get(LENGTH_OCTETS..).ok_or(Unreadable::Malformed)?;
        Ok(Segment { marker, parameters })
    }

    /// What follows the last segment read: after SOS, the entropy-coded scan.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Any number of fill octets may precede a marker (B.1.1.2).
    fn next_marker(&mut self) -> Result<u8, Unreadable> {
        let Some((&PREFIX, mut rest)) = self.rest.split_first() else {
            return Err(if self.rest.is_empty() {
                Unreadable::Truncated
            } else {
                Unreadable::Malformed
            });
        };
        loop {
            match rest.split_first() {
                None => return Err(Unreadable::Truncated),
                Some((&PREFIX, after)) => rest = after,
                Some((&0x00, _)) => return Err(Unreadable::Malformed),
                Some((&marker, after)) => {
                    self.rest = after;
                    return Ok(marker);
                }
            }
        }
    }
}

/// Length of an entropy-coded scan up to and including its EOI marker, or `None` when there is none.
///
/// Inside a scan 0xFF is followed by a stuffed 0x00, a restart marker or another 0xFF (B.1.1.5), so the
/// first 0xFF 0xD9 is the end. The search runs forward: padding after the image may itself hold an EOI.
pub fn scan_length(scan: &[u8]) -> Option<usize> {
    memchr::memmem::find(scan, &[PREFIX, code::EOI]).map(|at| at + 2)
}

/// Length of a scan whose EOI marker is the last of it, but for a little padding; `None` when something else is.
///
/// This looks at the end only. Where the octets hold more than one image, that is the end of the last.
pub fn scan_length_at_end(scan: &[u8]) -> Option<usize> {
    /// Cameras pad to a multiple of a word, a USB packet or a cache line, with zeros.
    const MAX_PADDING: usize = 64; // octets
    let padding = scan
        .iter()
        .rev()
        .take(MAX_PADDING)
        .take_while(|&&octet| octet == 0)
        .count();
    let unpadded = scan.get(..scan.len() - padding)?;
    unpadded
        .ends_with(&[PREFIX, code::EOI])
        .then_some(unpadded.len())
}

/// Length of the first whole image of `data`, SOI through EOI, whatever kind of JPEG it is.
pub fn image_length(data: &[u8]) -> Result<usize, Unreadable> {
    let mut segments = Segments::new(data)?;
    loop {
        match segments.next_segment()?.marker {
            code::EOI => return Ok(data.len() - segments.rest().len()),
            code::SOS => {
                let header = data.len() - segments.rest().len();
                return scan_length(segments.rest())
                    .map(|scan| header + scan)
                    .ok_or(Unreadable::NoEndOfImage);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_octets_and_lone_markers_are_passed() {
        let jpeg = [
            0xFF, 0xD8, 0xFF, 0xFF, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0x01, 0xFF, 0xDA, 0, 2, 9, 0xFF,
            0xD9,
        ];
        let mut segments = Segments::new(&jpeg).unwrap();
        let app0 = segments.next_segment().unwrap();
        assert_eq!((app0.marker, app0.parameters), (0xE0, &[1u8, 2][..]));
        assert_eq!(segments.next_segment().unwrap().marker, code::TEM);
        assert_eq!(segments.next_segment().unwrap().marker, code::SOS);
        assert_eq!(segments.rest(), &[9, 0xFF, 0xD9]);
        assert_eq!(image_length(&jpeg), Ok(jpeg.len()));
    }

    #[test]
    fn broken_lengths_are_told_apart() {
        fn next(octets: &[u8]) -> Result<Segment<'_>, Unreadable> {
            Segments::new(octets)?.next_segment()
        }
        assert_eq!(next(&[]), Err(Unreadable::Empty));
        assert_eq!(next(&[0x00, 0x00]), Err(Unreadable::NotJpeg));
        assert_eq!(next(&[0xFF, 0xD8]), Err(Unreadable::Truncated));
        assert_eq!(next(&[0xFF, 0xD8, 0x41]), Err(Unreadable::Malformed));
        assert_eq!(
            next(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 1]),
            Err(Unreadable::Malformed)
        );
        assert_eq!(
            next(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 9]),
            Err(Unreadable::Truncated)
        );
    }

    #[test]
    fn the_first_eoi_ends_the_scan() {
        assert_eq!(
            scan_length(&[1, 0xFF, 0, 0xFF, 0xD9, 7, 0xFF, 0xD9]),
            Some(5)
        );
        assert_eq!(scan_length(&[1, 0xFF, 0, 0xFF, 0xD0, 7]), None);
    }

    #[test]
    fn an_eoi_at_the_end_is_found_behind_a_little_padding() {
        for (padding, expected) in [(0, Some(4)), (1, Some(4)), (64, Some(4)), (65, None)] {
            let scan = [&[1, 2, 0xFF, 0xD9][..], &vec![0; padding]].concat();
            assert_eq!(scan_length_at_end(&scan), expected, "{padding}");
        }
        assert_eq!(scan_length_at_end(&[0xFF, 0xD9, 7]), None);
        assert_eq!(scan_length_at_end(&[0; 9]), None);
        assert_eq!(scan_length_at_end(&[]), None);
    }
}
