//! The same frame as awkward cameras spell it: pure functions from JPEG octets to JPEG octets.
//! ITU T.81 Annex B; markers are walked by their lengths, so nothing inside of a segment or of the scan is mistaken.

use super::frames::Picture;

pub const SOF0: u8 = 0xC0;
pub const DHT: u8 = 0xC4;
pub const SOI: u8 = 0xD8;
pub const EOI: u8 = 0xD9;
pub const SOS: u8 = 0xDA;
pub const DQT: u8 = 0xDB;
pub const DRI: u8 = 0xDD;
pub const APP1: u8 = 0xE1;
pub const COM: u8 = 0xFE;

/// Octets of a quantization table with 8-bit elements.
const TABLE: usize = 64;

/// A frame taken apart: the marker segments up to and including SOS, and the scan data with EOI and what follows it.
#[derive(Clone, Debug)]
pub struct Parts {
    pub segments: Vec<Segment>,
    pub scan: Vec<u8>,
}

/// A marker segment: the octet after 0xFF, and what follows the length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub marker: u8,
    pub payload: Vec<u8>,
}

impl Parts {
    /// Takes a frame with one scan apart.
    pub fn of(jpeg: &[u8]) -> Self {
        assert_eq!(jpeg[..2], [0xFF, SOI], "no SOI at the start");
        let mut segments = Vec::new();
        let mut rest = &jpeg[2..];
        loop {
            assert_eq!(rest[0], 0xFF, "no marker behind {segments:?}");
            let marker = rest[1];
            let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
            let payload = rest[4..2 + length].to_vec();
            rest = &rest[2 + length..];
            segments.push(Segment { marker, payload });
            if marker == SOS {
                return Self {
                    segments,
                    scan: rest.to_vec(),
                };
            }
        }
    }

    /// Puts the frame together again.
    pub fn join(&self) -> Vec<u8> {
        self.join_with(&[0xFF])
    }

    fn join_with(&self, prefix: &[u8]) -> Vec<u8> {
        let mut jpeg = vec![0xFF, SOI];
        for Segment { marker, payload } in &self.segments {
            let length =
                u16::try_from(payload.len() + 2).expect("a segment has at most 65535 octets");
            jpeg.extend_from_slice(prefix);
            jpeg.push(*marker);
            jpeg.extend_from_slice(&length.to_be_bytes());
            jpeg.extend_from_slice(payload);
        }
        jpeg.extend_from_slice(&self.scan);
        jpeg
    }

    /// The quantization tables in file order: (Tq, elements), all of 8 bits.
    pub fn quantization_tables(&self) -> Vec<(u8, Vec<u8>)> {
        let segments = self.segments.iter().filter(|segment| segment.marker == DQT);
        let tables = segments.flat_map(|segment| segment.payload.chunks(1 + TABLE));
        tables
            .map(|table| (table[0], table[1..].to_vec()))
            .collect()
    }

    /// Replaces all DQT segments by these, where the first one was.
    fn set_dqt(&mut self, payloads: Vec<Vec<u8>>) {
        let first = self
            .segments
            .iter()
            .position(|segment| segment.marker == DQT)
            .expect("a frame has a DQT");
        self.segments.retain(|segment| segment.marker != DQT);
        let segments = payloads.into_iter().map(|payload| Segment {
            marker: DQT,
            payload,
        });
        self.segments.splice(first..first, segments);
    }

    /// The payload of the only segment with this marker.
    pub fn payload_mut(&mut self, marker: u8) -> &mut Vec<u8> {
        let mut found = self
            .segments
            .iter_mut()
            .filter(|segment| segment.marker == marker);
        let segment = found
            .next()
            .unwrap_or_else(|| panic!("no segment {marker:#04x}"));
        assert!(
            found.next().is_none(),
            "more than one segment {marker:#04x}"
        );
        &mut segment.payload
    }

    /// Changes the table selector Tq of each component (SOF0: P, Y, X, Nf, then C, HV, Tq each).
    fn set_selectors(&mut self, selector: impl Fn(usize, u8) -> u8) {
        let components = &mut self.payload_mut(SOF0)[6..];
        for (i, component) in components.chunks_exact_mut(3).enumerate() {
            component[2] = selector(i, component[2]);
        }
    }
}

/// The scan data from behind the SOS header through EOI: what RTP/JPEG carries.
pub fn scan_of(jpeg: &[u8]) -> Vec<u8> {
    let mut scan = Parts::of(jpeg).scan;
    let end = scan
        .windows(2)
        .position(|pair| pair == [0xFF, EOI])
        .expect("a whole frame has an EOI");
    scan.truncate(end + 2);
    scan
}

/// Without Huffman tables, as most UVC cameras send: the decoder has to know those of Annex K.
pub fn without_dht(jpeg: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    parts.segments.retain(|segment| segment.marker != DHT);
    parts.join()
}

/// With octets behind EOI.
pub fn with_padding(jpeg: &[u8], octets: &[u8]) -> Vec<u8> {
    [jpeg, octets].concat()
}

/// Cr refers to a third table, which equals Cb's (Logitech C920 and C922).
pub fn three_dqt_ids(jpeg: &[u8]) -> Vec<u8> {
    with_third_table(jpeg, |_| {})
}

/// Cr refers to a third table with other values: no longer the same pixels, and nothing RTP/JPEG could carry.
pub fn three_different_tables(jpeg: &[u8]) -> Vec<u8> {
    with_third_table(jpeg, |table| {
        table
            .iter_mut()
            .for_each(|element| *element = element.saturating_add(9))
    })
}

fn with_third_table(jpeg: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    let mut tables = parts.quantization_tables();
    let mut third = (2, tables[1].1.clone());
    change(&mut third.1);
    tables.push(third);
    parts.set_dqt(tables.iter().map(payload_of).collect());
    parts.set_selectors(|component, _| u8::try_from(component).expect("three components"));
    parts.join()
}

/// Both quantization tables in one DQT segment.
pub fn merged_dqt(jpeg: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    let payload = parts
        .quantization_tables()
        .iter()
        .flat_map(payload_of)
        .collect();
    parts.set_dqt(vec![payload]);
    parts.join()
}

/// All Huffman tables in one DHT segment.
pub fn merged_dht(jpeg: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    let first = parts
        .segments
        .iter()
        .position(|segment| segment.marker == DHT)
        .expect("a frame has a DHT");
    let tables = parts
        .segments
        .iter()
        .filter(|segment| segment.marker == DHT);
    let payload = tables.flat_map(|segment| segment.payload.clone()).collect();
    parts.segments.retain(|segment| segment.marker != DHT);
    parts.segments.insert(
        first,
        Segment {
            marker: DHT,
            payload,
        },
    );
    parts.join()
}

/// One quantization table to which all components refer; the picture must have equal ones ([`super::frames::Tables`]).
pub fn one_dqt_for_all(jpeg: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    let tables = parts.quantization_tables();
    assert_eq!(
        tables[0].1, tables[1].1,
        "one table for all would change the pixels: encode with Tables::OneForAll"
    );
    parts.set_dqt(vec![payload_of(&tables[0])]);
    parts.set_selectors(|_, _| 0);
    parts.join()
}

/// Luma refers to quantization table 1 and chroma to table 0, which also comes first in the file.
pub fn swapped_table_ids(jpeg: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    let mut tables = parts.quantization_tables();
    tables.iter_mut().for_each(|table| table.0 ^= 1);
    parts.set_dqt(tables.iter().rev().map(payload_of).collect());
    parts.set_selectors(|_, selector| selector ^ 1);
    parts.join()
}

/// Luma refers to Huffman tables 1 and chroma to tables 0; the tables themselves are still those of Annex K.
pub fn swapped_huffman_ids(jpeg: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    for segment in parts
        .segments
        .iter_mut()
        .filter(|segment| segment.marker == DHT)
    {
        segment.payload[0] ^= 1;
    }
    let components = usize::from(parts.payload_mut(SOS)[0]);
    for component in parts.payload_mut(SOS)[1..]
        .chunks_exact_mut(2)
        .take(components)
    {
        component[1] ^= 0x11;
    }
    parts.join()
}

/// Quantization tables with 16-bit elements of the same values.
pub fn sixteen_bit_dqt(jpeg: &[u8]) -> Vec<u8> {
    const PQ_16_BIT: u8 = 0x10;
    let mut parts = Parts::of(jpeg);
    let widened = |(id, table): (u8, Vec<u8>)| {
        let elements = table
            .into_iter()
            .flat_map(|element| u16::from(element).to_be_bytes());
        std::iter::once(PQ_16_BIT | id).chain(elements).collect()
    };
    let payloads = parts
        .quantization_tables()
        .into_iter()
        .map(widened)
        .collect();
    parts.set_dqt(payloads);
    parts.join()
}

/// An EXIF segment with a thumbnail that has its own SOF, DQT and SOS, and comments that look like markers.
pub fn with_app_segments(jpeg: &[u8]) -> Vec<u8> {
    let thumbnail = Picture {
        width: 160,
        height: 120,
        quality: 30,
        seed: 99,
        ..Picture::default()
    };
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0".to_vec();
    exif.extend(thumbnail.encode());
    let markers = [
        0xFF, EOI, 0xFF, SOI, 0xFF, DQT, 0, 67, 1, 0xFF, SOS, 0, 12, 3, 0xFF, SOF0, 0xFF, DRI, 0,
        4, 0, 1,
    ];
    let mut parts = Parts::of(jpeg);
    let comment = Segment {
        marker: COM,
        payload: markers.to_vec(),
    };
    parts.segments.insert(
        0,
        Segment {
            marker: APP1,
            payload: exif,
        },
    );
    parts.segments.insert(1, comment.clone());
    let scan = parts.segments.len() - 1;
    parts.segments.insert(scan, comment);
    parts.join()
}

/// Three fill octets before every marker from the first segment to SOS (T.81 B.1.1.2).
pub fn with_fill_octets(jpeg: &[u8]) -> Vec<u8> {
    Parts::of(jpeg).join_with(&[0xFF; 4])
}

/// Fill octets before EOI, where they are a part of the scan data.
pub fn with_fill_before_eoi(jpeg: &[u8]) -> Vec<u8> {
    let whole = without_eoi(jpeg);
    [whole.as_slice(), &[0xFF, 0xFF, 0xFF, EOI]].concat()
}

/// Everything but EOI.
pub fn without_eoi(jpeg: &[u8]) -> Vec<u8> {
    assert!(jpeg.ends_with(&[0xFF, EOI]), "no EOI at the end");
    jpeg[..jpeg.len() - 2].to_vec()
}

/// The first octets only: what a full USB bus leaves of a frame.
pub fn truncated(jpeg: &[u8], octets: usize) -> Vec<u8> {
    assert!(octets < jpeg.len(), "{octets} octets are the whole frame");
    jpeg[..octets].to_vec()
}

/// Two frames in one buffer, as cameras do that capture fields.
pub fn two_in_one(first: &[u8], second: &[u8]) -> Vec<u8> {
    [first, second].concat()
}

/// DQT payload of one table.
fn payload_of((id, table): &(u8, Vec<u8>)) -> Vec<u8> {
    [&[*id], table.as_slice()].concat()
}
