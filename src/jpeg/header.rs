//! Reads an image's headers and checks that RTP/JPEG can carry it, without copying the scan.
//! ITU-T T.81 B.2.2 (SOF), B.2.3 (SOS), B.2.4 (DQT, DHT, DRI); RFC 2435 3.1, 4.1.

use super::markers::{self, Segments, code};
use super::tables::{self, Class, Kind, TABLE_OCTETS, Tables};
use super::{Sampling, Unsupported};

/// Largest width and height in pixels: 255 units of 8 (RFC 2435 3.1.5, 3.1.6).
pub const MAX_SIZE: u16 = 2040;
/// First scan length that the 24-bit fragment offset cannot express, in octets (RFC 2435 3.1.2).
const SCAN_LIMIT: usize = 1 << 24;
/// Table slots of baseline JPEG's DQT and of each DHT class that are told apart here (B.2.4).
const TABLE_SLOTS: usize = 4;

/// A parsed image that borrows its scan from the frame.
#[derive(Debug, Clone)]
pub struct Image<'a> {
    /// Width in pixels, 1..=2040, as SOF0 says.
    pub width: u16,
    /// Height in pixels, 1..=2040, as SOF0 says.
    pub height: u16,
    /// Sampling of the components.
    pub sampling: Sampling,
    /// Luminance and chrominance quantization tables, zig-zag order.
    pub tables: Tables,
    /// Restart interval in MCUs, 0 = no restart markers.
    pub restart_interval: u16,
    /// The entropy-coded scan, from after SOS through EOI.
    pub scan: &'a [u8],
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
    pub fn parse<'a>(&mut self, jpeg: &'a [u8]) -> Result<Image<'a>, Unsupported> {
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
    pub fn parse(jpeg: &'a [u8]) -> Result<Self, Unsupported> {
        Self::read(jpeg, markers::scan_length)
    }

    /// `scan_length` finds the end of the scan in what follows SOS.
    fn read(
        jpeg: &'a [u8],
        scan_length: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Result<Self, Unsupported> {
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
        let length = scan_length(scan).ok_or(Unsupported::NoEndOfImage)?;
        let scan = scan.get(..length).ok_or(Unsupported::NoEndOfImage)?;
        if scan.len() >= SCAN_LIMIT {
            return Err(Unsupported::ScanSize(scan.len()));
        }
        let frame = headers.frame.ok_or(Unsupported::Malformed)?;
        headers.check_scan(&frame, scan_header)?;
        Ok(Self {
            width: frame.width,
            height: frame.height,
            sampling: frame.sampling,
            tables: headers.tables(&frame)?,
            restart_interval: headers.restart_interval,
            scan,
        })
    }
}

/// SOF0's parameters.
#[derive(Debug, Clone, Copy)]
struct FrameHeader {
    width: u16,
    height: u16,
    sampling: Sampling,
    /// Ci of Y, Cb, Cr.
    identifiers: [u8; 3],
    /// Tqi of Y, Cb, Cr.
    table_selectors: [u8; 3],
}

/// A DQT table: its values where they lie, and their precision.
#[derive(Debug, Clone, Copy)]
enum QuantizationTable<'a> {
    Eight(&'a [u8; TABLE_OCTETS]),
    Sixteen(&'a [u8; 2 * TABLE_OCTETS]),
}

/// What the segments before SOS define; a later definition replaces an earlier one.
#[derive(Debug, Default)]
struct Headers<'a> {
    frame: Option<FrameHeader>,
    quantization: [Option<QuantizationTable<'a>>; TABLE_SLOTS],
    dc: [Option<&'a [u8]>; TABLE_SLOTS],
    ac: [Option<&'a [u8]>; TABLE_SLOTS],
    restart_interval: u16,
}

impl<'a> Headers<'a> {
    fn read(&mut self, marker: u8, parameters: &'a [u8]) -> Result<(), Unsupported> {
        match marker {
            code::SOF0 => self.frame = Some(frame_header(parameters)?),
            code::DQT => self.read_quantization_tables(parameters)?,
            code::DHT => self.read_huffman_tables(parameters)?,
            code::DRI => {
                let interval: [u8; 2] = parameters.try_into().or(Err(Unsupported::Malformed))?;
                self.restart_interval = u16::from_be_bytes(interval);
            }
            code::DAC | code::JPG | code::SOF0..=code::SOF15 => {
                return Err(Unsupported::Process(marker & 0x0F));
            }
            code::SOI | code::EOI | code::DNL | code::RST0..=code::RST7 => {
                return Err(Unsupported::Malformed);
            }
            _ => {} // APPn, COM and reserved segments say nothing about the scan.
        }
        Ok(())
    }

    /// Several tables may share a segment (B.2.4.1).
    fn read_quantization_tables(&mut self, mut rest: &'a [u8]) -> Result<(), Unsupported> {
        while let Some((&precision_and_slot, values)) = rest.split_first() {
            let table;
            (table, rest) = match precision_and_slot >> 4 {
                0 => split::<TABLE_OCTETS>(values).map(|(t, r)| (QuantizationTable::Eight(t), r)),
                1 => split(values).map(|(t, r)| (QuantizationTable::Sixteen(t), r)),
                _ => None,
            }
            .ok_or(Unsupported::Malformed)?;
            *slot(&mut self.quantization, precision_and_slot)? = Some(table);
        }
        Ok(())
    }

    /// Several tables may share a segment (B.2.4.2).
    fn read_huffman_tables(&mut self, mut rest: &'a [u8]) -> Result<(), Unsupported> {
        while let Some((&class_and_slot, table)) = rest.split_first() {
            let (counts, _) = split::<16>(table).ok_or(Unsupported::Malformed)?;
            let values: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let (table, after) = table
                .split_at_checked(counts.len() + values)
                .ok_or(Unsupported::Malformed)?;
            let tables = match class_and_slot >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(Unsupported::Malformed),
            };
            *slot(tables, class_and_slot)? = Some(table);
            rest = after;
        }
        Ok(())
    }

    /// One interleaved scan of Y, Cb, Cr (B.2.3), coded with Annex K's Huffman tables.
    fn check_scan(&self, frame: &FrameHeader, parameters: &[u8]) -> Result<(), Unsupported> {
        let &[
            3,
            y,
            y_tables,
            cb,
            cb_tables,
            cr,
            cr_tables,
            spectral_start,
            spectral_end,
            approximation,
        ] = parameters
        else {
            return Err(match parameters.first() {
                Some(3) | None => Unsupported::Malformed,
                Some(_) => Unsupported::Scans,
            });
        };
        if [y, cb, cr] != frame.identifiers {
            return Err(Unsupported::Scans);
        }
        if (spectral_start, spectral_end, approximation) != (0, 63, 0) {
            return Err(Unsupported::Malformed);
        }
        self.check_huffman(Kind::Luminance, y_tables)?;
        self.check_huffman(Kind::Chrominance, cb_tables)?;
        self.check_huffman(Kind::Chrominance, cr_tables)
    }

    /// Cameras leave DHT out and mean Annex K's tables, 0 for luminance and 1 for chrominance.
    fn check_huffman(&self, kind: Kind, selectors: u8) -> Result<(), Unsupported> {
        let standard = |class, tables: &[Option<&[u8]>; TABLE_SLOTS], selector: u8| {
            let implied = match selector {
                0 => tables::huffman(class, Kind::Luminance),
                1 => tables::huffman(class, Kind::Chrominance),
                _ => &[],
            };
            let defined = tables.get(usize::from(selector)).copied().flatten();
            defined.unwrap_or(implied) == tables::huffman(class, kind)
        };
        if standard(Class::Dc, &self.dc, selectors >> 4)
            && standard(Class::Ac, &self.ac, selectors & 0x0F)
        {
            Ok(())
        } else {
            Err(Unsupported::Huffman)
        }
    }

    /// The tables that SOF0's selectors name: position in the file means nothing.
    fn tables(&self, frame: &FrameHeader) -> Result<Tables, Unsupported> {
        let [y, cb, cr] = frame.table_selectors;
        let chrominance = self.table(cb)?;
        if cr != cb && self.table(cr)? != chrominance {
            return Err(Unsupported::ChrominanceTables);
        }
        Ok([self.table(y)?, chrominance])
    }

    fn table(&self, selector: u8) -> Result<[u8; TABLE_OCTETS], Unsupported> {
        match self.quantization.get(usize::from(selector)) {
            Some(Some(QuantizationTable::Eight(values))) => Ok(**values),
            Some(Some(QuantizationTable::Sixteen(values))) => {
                let mut narrow = [0; TABLE_OCTETS];
                for (to, value) in narrow.iter_mut().zip(values.as_chunks::<2>().0) {
                    *to = u8::try_from(u16::from_be_bytes(*value))
                        .or(Err(Unsupported::WideTable(selector)))?;
                }
                Ok(narrow)
            }
            _ => Err(Unsupported::MissingTable(selector)),
        }
    }
}

fn frame_header(parameters: &[u8]) -> Result<FrameHeader, Unsupported> {
    let (&[precision, h1, h0, w1, w0, components], specifications) =
        split::<6>(parameters).ok_or(Unsupported::Malformed)?;
    if precision != 8 {
        return Err(Unsupported::Precision(precision));
    }
    if components != 3 {
        return Err(Unsupported::Components(components));
    }
    let &[
        y,
        y_factors,
        y_table,
        cb,
        cb_factors,
        cb_table,
        cr,
        cr_factors,
        cr_table,
    ] = specifications
    else {
        return Err(Unsupported::Malformed);
    };
    let sampling = match (y_factors, cb_factors, cr_factors) {
        (0x21, 0x11, 0x11) => Sampling::Yuv422,
        (0x22, 0x11, 0x11) => Sampling::Yuv420,
        (y, cb, cr) => return Err(Unsupported::Sampling(y, cb, cr)),
    };
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    if !(1..=MAX_SIZE).contains(&width) || !(1..=MAX_SIZE).contains(&height) {
        return Err(Unsupported::Size(width, height));
    }
    Ok(FrameHeader {
        width,
        height,
        sampling,
        identifiers: [y, cb, cr],
        table_selectors: [y_table, cb_table, cr_table],
    })
}

fn split<const N: usize>(octets: &[u8]) -> Option<(&[u8; N], &[u8])> {
    octets.split_first_chunk()
}

/// The slot that the low four bits of `selector` name.
fn slot<T>(tables: &mut [T; TABLE_SLOTS], selector: u8) -> Result<&mut T, Unsupported> {
    tables
        .get_mut(usize::from(selector & 0x0F))
        .ok_or(Unsupported::Malformed)
}
