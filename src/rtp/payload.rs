//! The headers that precede the scan octets in an RTP/JPEG payload.
//! RFC 2435 3.1 (main header), 3.1.7 (restart marker header), 3.1.8 (quantization table header).
//!
//! ```text
//! | Type-specific |              Fragment Offset                  |
//! |      Type     |       Q       |     Width     |     Height    |
//! |       Restart Interval        |F|L|       Restart Count       |   types 64-127
//! |      MBZ      |   Precision   |             Length            |   Q >= 128, first packet
//! |                    Quantization Table Data                    |
//! ```

use super::carry::{Carried, Sampling};
use crate::jpeg::tables::{self, TABLE_OCTETS, Tables};

/// Octets of the main header.
pub const MAIN_OCTETS: usize = 8;
/// Octets of the restart marker header.
pub const RESTART_OCTETS: usize = 4;
/// Octets of the quantization table header, without the tables.
pub const TABLE_HEADER_OCTETS: usize = 4;
/// Octets of the quantization table data: two 8-bit tables.
pub const TABLE_DATA_OCTETS: usize = 2 * TABLE_OCTETS;

/// MBZ 0, precision 0 (both tables have 8-bit values), length 128.
const TABLE_HEADER: [u8; TABLE_HEADER_OCTETS] = {
    let [.., high, low] = TABLE_DATA_OCTETS.to_be_bytes();
    [0, 0, high, low]
};

/// Q of a frame that brings its own tables and shares them with no other frame (3.1.8).
pub const Q_IN_BAND: u8 = 255;
/// Added to the type of a scan with restart markers (3.1.3).
const TYPE_RESTART: u8 = 64;
/// F and L set, restart count 0x3FFF: packets are not aligned to restart intervals (3.1.7).
const RESTART_UNALIGNED: u16 = 0xFFFF;
/// Pixels in a unit of Width and Height (3.1.5).
const UNIT: u16 = 8;

/// The payload headers of one image, the same in each of its packets but for the offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JpegHeader<'a> {
    /// Sampling, and whether there are restart markers (3.1.3).
    pub type_: u8,
    /// Which quantization tables (3.1.4).
    pub q: u8,
    /// In units of 8 pixels; 0 = said elsewhere.
    pub width: u8,
    /// In units of 8 pixels; 0 = said elsewhere.
    pub height: u8,
    /// In MCUs, 0 = no restart markers.
    pub restart_interval: u16,
    /// What the first packet brings with a `q` of 128 or more.
    pub tables: Option<&'a Tables>,
}

impl<'a> JpegHeader<'a> {
    /// The headers for `picture`.
    pub fn new(picture: &'a Carried) -> Self {
        let type_ = match picture.sampling {
            Sampling::Yuv422 => 0,
            Sampling::Yuv420 => 1,
        };
        let restart = picture.restart_interval != 0;
        // Both octets 0 when one has no room: receivers then look elsewhere.
        let (width, height) = if picture.is_large() {
            (0, 0)
        } else {
            (units(picture.width), units(picture.height))
        };
        Self {
            type_: if restart { type_ + TYPE_RESTART } else { type_ },
            q: tables::standard_q(&picture.tables).unwrap_or(Q_IN_BAND),
            width,
            height,
            restart_interval: picture.restart_interval,
            tables: Some(&picture.tables),
        }
    }

    /// Octets of all payload headers of the packet at `fragment_offset`.
    pub fn len(&self, fragment_offset: u32) -> usize {
        let restart = if self.has_restart() {
            RESTART_OCTETS
        } else {
            0
        };
        let tables = if self.has_tables(fragment_offset) {
            TABLE_HEADER_OCTETS + TABLE_DATA_OCTETS
        } else {
            0
        };
        MAIN_OCTETS + restart + tables
    }

    /// Hands the octets of the packet at `fragment_offset` to `write`, in order.
    #[inline(always)]
    pub fn write(&self, fragment_offset: u32, mut write: impl FnMut(&[u8])) {
        let [type_specific, o2, o1, o0] = fragment_offset.to_be_bytes();
        debug_assert_eq!(type_specific, 0, "24-bit offset; 0 = progressive (4.1)");
        write(&[
            type_specific,
            o2,
            o1,
            o0,
            self.type_,
            self.q,
            self.width,
            self.height,
        ]);
        if self.has_restart() {
            let [i1, i0] = self.restart_interval.to_be_bytes();
            let [c1, c0] = RESTART_UNALIGNED.to_be_bytes();
            write(&[i1, i0, c1, c0]);
        }
        if let Some(tables) = self.tables
            && self.has_tables(fragment_offset)
        {
            write(&TABLE_HEADER);
            write(tables.as_flattened());
        }
    }

    /// The fragment offset and the headers that begin `payload`, and the octets of the scan behind them; `None`
    /// when they are not as [`Self::write`] writes them.
    pub fn parse(payload: &'a [u8]) -> Option<(u32, Self, &'a [u8])> {
        let (&[0, o2, o1, o0, type_, q, width, height], rest) =
            payload.split_first_chunk::<MAIN_OCTETS>()?
        else {
            return None;
        };
        let fragment_offset = u32::from_be_bytes([0, o2, o1, o0]);
        let mut header = Self {
            type_,
            q,
            width,
            height,
            restart_interval: 0,
            tables: None,
        };
        let mut scan = rest;
        if header.has_restart() {
            let (&[i1, i0, c1, c0], rest) = scan.split_first_chunk::<RESTART_OCTETS>()?;
            (u16::from_be_bytes([c1, c0]) == RESTART_UNALIGNED).then_some(())?;
            (header.restart_interval, scan) = (u16::from_be_bytes([i1, i0]), rest);
        }
        if header.has_tables(fragment_offset) {
            let data = scan.strip_prefix(&TABLE_HEADER)?;
            let (tables, rest) = data.split_first_chunk::<TABLE_DATA_OCTETS>()?;
            let (tables, _) = tables.as_chunks::<TABLE_OCTETS>();
            (header.tables, scan) = (Some(tables.try_into().ok()?), rest);
        }
        Some((fragment_offset, header, scan))
    }

    fn has_restart(&self) -> bool {
        self.type_ >= TYPE_RESTART
    }

    fn has_tables(&self, fragment_offset: u32) -> bool {
        fragment_offset == 0 && self.q > tables::MAX_STANDARD_Q
    }
}

/// At most 2040 pixels to units of 8, rounded up.
fn units(pixels: u16) -> u8 {
    u8::try_from(pixels.div_ceil(UNIT)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(header: &JpegHeader, fragment_offset: u32) -> Vec<u8> {
        let mut out = Vec::new();
        header.write(fragment_offset, |part| out.extend_from_slice(part));
        assert_eq!(out.len(), header.len(fragment_offset));
        out
    }

    fn image(tables: Tables, restart_interval: u16) -> Carried<'static> {
        Carried {
            width: 650,
            height: 483,
            sampling: Sampling::Yuv420,
            tables,
            restart_interval,
            scan: &[],
        }
    }

    #[test]
    fn in_band_tables_come_in_the_first_packet_only() {
        let image = image([[7; 64], [9; 64]], 0);
        let header = JpegHeader::new(&image);
        let first = octets(&header, 0);
        assert_eq!(first[..12], [0, 0, 0, 0, 1, 255, 82, 61, 0, 0, 0, 128]);
        assert_eq!(first[12..], [[7u8; 64], [9; 64]].concat());
        assert_eq!(octets(&header, 0x01_02_03), [0, 1, 2, 3, 1, 255, 82, 61]);
    }

    #[test]
    fn restart_interval_is_in_every_packet() {
        let image = image([[7; 64], [9; 64]], 0x0203);
        let header = JpegHeader::new(&image);
        assert_eq!(octets(&header, 0)[4], 65);
        assert_eq!(octets(&header, 0)[8..12], [2, 3, 0xFF, 0xFF]);
        assert_eq!(octets(&header, 5)[8..], [2, 3, 0xFF, 0xFF]);
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        for (tables, restart_interval) in [([[7; 64], [9; 64]], 0), ([[7; 64], [9; 64]], 0x0203)] {
            let image = image(tables, restart_interval);
            let header = JpegHeader::new(&image);
            for offset in [0, 0x01_02_03] {
                let written = octets(&header, offset);
                let packet = [&written[..], b"scan"].concat();
                let tables = header.tables.filter(|_| offset == 0);
                let expected = JpegHeader { tables, ..header };
                let parsed = JpegHeader::parse(&packet);
                assert_eq!(parsed, Some((offset, expected, &b"scan"[..])));
                assert_eq!(JpegHeader::parse(&written[..written.len() - 1]), None);
                let other = [&[1], &packet[1..]].concat();
                assert_eq!(JpegHeader::parse(&other), None, "type-specific");
            }
        }
    }

    #[test]
    fn a_size_without_room_is_none() {
        for (width, height, expected) in [
            (2040, 2033, (255, 255)),
            (1, 2040, (1, 255)),
            (2041, 480, (0, 0)),
            (640, 65535, (0, 0)),
        ] {
            let image = Carried {
                width,
                height,
                ..image([[7; 64]; 2], 0)
            };
            let header = JpegHeader::new(&image);
            assert_eq!((header.width, header.height), expected);
        }
    }
}
