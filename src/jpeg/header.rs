//! Reads an image's headers into what they say of the picture, without copying anything.
//! ITU-T T.81 B.2.2 (SOF), B.2.3 (SOS), B.2.4 (DQT, DHT, DRI).

use super::markers::{self, Segments, code};
use super::tables::TABLE_OCTETS;
use super::unreadable::Unreadable;

/// Table slots of baseline JPEG's DQT and of each DHT class that are told apart here (B.2.4).
pub const TABLE_SLOTS: usize = 4;

/// A baseline picture as its headers describe it; all of it lies in the frame.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    /// Width in pixels, as SOF says.
    pub width: u16,
    /// Height in pixels, as SOF says.
    pub height: u16,
    /// The colour components, in the order of SOF.
    pub components: Components<'a>,
    /// The components of the scan and their Huffman tables, in the order of SOS.
    pub scan_components: ScanComponents<'a>,
    /// DQT's tables by slot.
    pub quantization: [Option<QuantizationTable<'a>>; TABLE_SLOTS],
    /// DHT's DC tables by slot: 16 code counts, then the values.
    pub dc: [Option<&'a [u8]>; TABLE_SLOTS],
    /// DHT's AC tables by slot.
    pub ac: [Option<&'a [u8]>; TABLE_SLOTS],
    /// Restart interval in MCUs, 0 = no restart markers.
    pub restart_interval: u16,
    /// The first scan: entropy-coded, from after SOS through EOI.
    pub scan: &'a [u8],
}

/// Components as SOF lists them, three octets each (B.2.2).
#[derive(Debug, Clone, Copy)]
pub struct Components<'a>(&'a [[u8; 3]]);

/// A colour component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// Ci.
    pub identifier: u8,
    /// Hi << 4 | Vi.
    pub sampling_factors: u8,
    /// Tqi.
    pub quantization_table: u8,
}

impl<'a> Components<'a> {
    /// How many.
    pub fn count(self) -> u8 {
        // SOF's own count is one octet.
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }

    /// All of them, in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Component> + 'a {
        self.0.iter().map(
            |&[identifier, sampling_factors, quantization_table]| Component {
                identifier,
                sampling_factors,
                quantization_table,
            },
        )
    }
}

/// Components as SOS lists them, two octets each (B.2.3).
#[derive(Debug, Clone, Copy)]
pub struct ScanComponents<'a>(&'a [[u8; 2]]);

/// A component of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanComponent {
    /// Csj.
    pub identifier: u8,
    /// Tdj.
    pub dc_table: u8,
    /// Taj.
    pub ac_table: u8,
}

impl<'a> ScanComponents<'a> {
    /// All of them, in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = ScanComponent> + 'a {
        self.0.iter().map(|&[identifier, tables]| ScanComponent {
            identifier,
            dc_table: tables >> 4,
            ac_table: tables & 0x0F,
        })
    }
}

/// A DQT table: its values where they lie, in zig-zag order, and their precision.
#[derive(Debug, Clone, Copy)]
pub enum QuantizationTable<'a> {
    /// 8-bit values.
    Eight(&'a [u8; TABLE_OCTETS]),
    /// 16-bit values, big-endian.
    Sixteen(&'a [u8; 2 * TABLE_OCTETS]),
}

/// Reads the frames of one camera. It knows how long its scans usually are, and so need not search most of
/// them for their end.
#[derive(Debug, Default)]
pub struct Parser {
    /// Running mean of scan lengths in octets, 0 before the first.
    usual_octets: usize,
}

impl Parser {
    /// Parses `jpeg`, one image from SOI through EOI with any padding after it.
    ///
    /// An EOI at the very end of a frame of usual length is taken for the first one. A frame that is longer,
    /// two images in one buffer perhaps, or ends in something else is searched from its start.
    pub fn parse<'a>(&mut self, jpeg: &'a [u8]) -> Result<Image<'a>, Unreadable> {
        let usual = self.usual_octets + self.usual_octets / 2;
        let image = Image::read(jpeg, |scan| {
            markers::scan_length_at_end(scan)
                .filter(|&length| length <= usual)
                .or_else(|| markers::scan_length(scan))
        })?;
        // An eighth of the way to the newest length; the first is the mean as it stands.
        self.usual_octets = match self.usual_octets {
            0 => image.scan.len(),
            usual => (7 * usual + image.scan.len()) / 8,
        };
        Ok(image)
    }
}

impl<'a> Image<'a> {
    /// Parses `jpeg`, one image from SOI through EOI with any padding after it.
    pub fn parse(jpeg: &'a [u8]) -> Result<Self, Unreadable> {
        Self::read(jpeg, markers::scan_length)
    }

    /// `scan_length` finds the end of the scan in what follows SOS.
    fn read(
        jpeg: &'a [u8],
        scan_length: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Result<Self, Unreadable> {
        let mut segments = Segments::new(jpeg)?;
        let mut headers = Headers::default();
        let scan_header = loop {
            let segment = segments.next_segment()?;
            if segment.marker == code::SOS {
                break segment.parameters;
            }
            headers.read(segment.marker, segment.parameters)?;
        };
        let scan = segments.rest();
        let length = scan_length(scan).ok_or(Unreadable::NoEndOfImage)?;
        let frame = headers.frame.ok_or(Unreadable::Malformed)?;
        Ok(Self {
            width: frame.width,
            height: frame.height,
            components: frame.components,
            scan_components: scan_components(scan_header)?,
            quantization: headers.quantization,
            dc: headers.dc,
            ac: headers.ac,
            restart_interval: headers.restart_interval,
            scan: scan.get(..length).ok_or(Unreadable::NoEndOfImage)?,
        })
    }
}

/// SOF's parameters.
#[derive(Debug, Clone, Copy)]
struct FrameHeader<'a> {
    width: u16,
    height: u16,
    components: Components<'a>,
}

/// What the segments before SOS define; a later definition replaces an earlier one.
#[derive(Debug, Default)]
struct Headers<'a> {
    frame: Option<FrameHeader<'a>>,
    quantization: [Option<QuantizationTable<'a>>; TABLE_SLOTS],
    dc: [Option<&'a [u8]>; TABLE_SLOTS],
    ac: [Option<&'a [u8]>; TABLE_SLOTS],
    restart_interval: u16,
}

impl<'a> Headers<'a> {
    fn read(&mut self, marker: u8, parameters: &'a [u8]) -> Result<(), Unreadable> {
        match marker {
            code::SOF0 => self.frame = Some(frame_header(parameters)?),
            code::DQT => self.read_quantization_tables(parameters)?,
            code::DHT => self.read_huffman_tables(parameters)?,
            code::DRI => {
                let interval: [u8; 2] = parameters.try_into().or(Err(Unreadable::Malformed))?;
                self.restart_interval = u16::from_be_bytes(interval);
            }
            code::DAC | code::JPG | code::SOF0..=code::SOF15 => {
                return Err(Unreadable::Process(marker & 0x0F));
            }
            code::SOI | code::EOI | code::DNL | code::RST0..=code::RST7 => {
                return Err(Unreadable::Malformed);
            }
            _ => {} // APPn, COM and reserved segments say nothing about the scan.
        }
        Ok(())
    }

    /// Several tables may share a segment (B.2.4.1).
    fn read_quantization_tables(&mut self, mut rest: &'a [u8]) -> Result<(), Unreadable> {
        while let Some((&precision_and_slot, values)) = rest.split_first() {
            let table;
            (table, rest) = match precision_and_slot >> 4 {
                0 => split::<TABLE_OCTETS>(values).map(|(t, r)| (QuantizationTable::Eight(t), r)),
                1 => split(values).map(|(t, r)| (QuantizationTable::Sixteen(t), r)),
                _ => None,
            }
            .ok_or(Unreadable::Malformed)?;
            *slot(&mut self.quantization, precision_and_slot)? = Some(table);
        }
        Ok(())
    }

    /// Several tables may share a segment (B.2.4.2).
    fn read_huffman_tables(&mut self, mut rest: &'a [u8]) -> Result<(), Unreadable> {
        while let Some((&class_and_slot, table)) = rest.split_first() {
            let (counts, _) = split::<16>(table).ok_or(Unreadable::Malformed)?;
            let values: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let (table, after) = table
                .split_at_checked(counts.len() + values)
                .ok_or(Unreadable::Malformed)?;
            let tables = match class_and_slot >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(Unreadable::Malformed),
            };
            *slot(tables, class_and_slot)? = Some(table);
            rest = after;
        }
        Ok(())
    }
}

fn frame_header(parameters: &[u8]) -> Result<FrameHeader<'_>, Unreadable> {
    let (&[precision, h1, h0, w1, w0, count], specifications) =
        split::<6>(parameters).ok_or(Unreadable::Malformed)?;
    if precision != 8 {
        return Err(Unreadable::Precision(precision));
    }
    let (components, rest) = specifications.as_chunks();
    if components.len() != usize::from(count) || count == 0 || !rest.is_empty() {
        return Err(Unreadable::Malformed);
    }
    Ok(FrameHeader {
        width: u16::from_be_bytes([w1, w0]),
        height: u16::from_be_bytes([h1, h0]),
        components: Components(components),
    })
}

/// The whole spectrum at once, as baseline has it (B.2.3).
fn scan_components(parameters: &[u8]) -> Result<ScanComponents<'_>, Unreadable> {
    let (&count, rest) = parameters.split_first().ok_or(Unreadable::Malformed)?;
    let (components, [0, 63, 0]) = rest.split_last_chunk::<3>().ok_or(Unreadable::Malformed)?
    else {
        return Err(Unreadable::Malformed);
    };
    let (components, rest) = components.as_chunks();
    if components.len() != usize::from(count) || count == 0 || !rest.is_empty() {
        return Err(Unreadable::Malformed);
    }
    Ok(ScanComponents(components))
}

fn split<const N: usize>(octets: &[u8]) -> Option<(&[u8; N], &[u8])> {
    octets.split_first_chunk()
}

/// The slot that the low four bits of `selector` name.
fn slot<T>(tables: &mut [T; TABLE_SLOTS], selector: u8) -> Result<&mut T, Unreadable> {
    tables
        .get_mut(usize::from(selector & 0x0F))
        .ok_or(Unreadable::Malformed)
}
