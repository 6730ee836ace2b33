//! Reads a camera's frame into what its picture is, and where it lies. Damage is found; what cameras write in their own
//! way before the scan is passed over. ITU-T T.81 B.2 (the order of segments).

use super::colours;
use super::components::{Components, QuantizationTable, ScanComponents};
use super::fields::Field;
use super::habits::{Habit, Habits};
use super::header::{self, Headers, TABLE_SLOTS};
use super::layout::Layout;
use super::markers::{Marker, PREFIX, Place, code};
use super::scan;
use super::segments::Segments;
use super::unreadable::Unreadable;

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
    /// The scan: entropy-coded, from after SOS through EOI.
    pub scan: &'a [u8],
    /// The components are R, G, B.
    pub is_rgb: bool,
    /// It is one of two fields in the frame.
    pub is_field: bool,
    /// What was tolerated.
    pub habits: Habits,
}

/// Reads the frames of one camera.
#[derive(Debug, Default)]
pub struct Parser {
    may_lack_eoi: bool,
    /// Width and height that the source should deliver.
    size: Option<(u16, u16)>,
    /// A frame with the EOI that it lacked.
    completed: Vec<u8>,
}

impl Parser {
    /// For a camera that may leave EOI out.
    pub fn tolerating_missing_eoi() -> Self {
        Self {
            may_lack_eoi: true,
            ..Self::default()
        }
    }

    /// The source should deliver pictures of this size from now on: two of half the height are its fields.
    pub fn expect_size(&mut self, size: Option<(u16, u16)>) {
        self.size = size;
    }

    /// Parses `jpeg`: one image from SOI through EOI, with anything before and after it.
    pub fn parse<'a>(&'a mut self, jpeg: &'a [u8]) -> Result<Image<'a>, Unreadable> {
        match Image::parse_of(jpeg, self.size) {
            Err(Unreadable::NoEndOfImage(_)) if self.may_lack_eoi => {
                self.completed.clear();
                self.completed.extend_from_slice(without_padding(jpeg));
                self.completed.extend_from_slice(&[PREFIX, code::EOI]);
                let mut image = Image::parse_of(&self.completed, self.size)?;
                image.habits.insert(Habit::NoEndOfImage);
                Ok(image)
            }
            read => read,
        }
    }
}

/// `jpeg` up to its last octet of scan data.
fn without_padding(jpeg: &[u8]) -> &[u8] {
    let zeros = jpeg.iter().rev().take_while(|&&octet| octet == 0).count();
    let end = jpeg.len() - zeros;
    let unpadded = jpeg.get(..end).unwrap_or_default();
    match unpadded.last() {
        // The first zero belongs to it.
        Some(&PREFIX) => jpeg.get(..=end).unwrap_or(unpadded),
        _ => unpadded,
    }
}

impl<'a> Image<'a> {
    /// Parses `jpeg`: one image from SOI through EOI, with anything before and after it.
    pub fn parse(jpeg: &'a [u8]) -> Result<Self, Unreadable> {
        Self::parse_of(jpeg, None)
    }

    /// The same of a source whose pictures should have this `whole` size.
    fn parse_of(jpeg: &'a [u8], whole: Option<(u16, u16)>) -> Result<Self, Unreadable> {
        let mut segments = Segments::new(jpeg)?;
        loop {
            match Self::read(jpeg, segments, whole) {
                // The end of a picture was lost, and another follows it.
                Err(Unreadable::MarkerInScan(Place {
                    marker: Marker(code::SOI),
                    offset,
                })) => segments = Segments::behind_soi(jpeg, offset),
                read => return read,
            }
        }
    }

    fn read(
        jpeg: &'a [u8],
        mut segments: Segments<'a>,
        whole: Option<(u16, u16)>,
    ) -> Result<Self, Unreadable> {
        let mut headers = Headers::default();
        let scan_header = loop {
            let segment = segments.next_segment()?;
            if segment.marker == code::SOS {
                break segment;
            }
            headers.read(&segment)?;
        };
        let start = segments.offset();
        let frame = headers.baseline_frame(&scan_header)?;
        let (scan_components, is_baseline) = header::scan_header(&scan_header)?;
        let mut habits = segments.habits();
        habits.extend(headers.habits);
        if !is_baseline {
            habits.insert(Habit::SpectralSelection);
        }
        if scan_components.count() != frame.components.count() {
            let counts = (scan_components.count(), frame.components.count());
            return Err(Unreadable::Scans(counts.0, counts.1));
        }
        let mut image = Self {
            width: frame.width,
            height: frame.height,
            components: frame.components,
            scan_components,
            quantization: headers.quantization,
            dc: headers.dc,
            ac: headers.ac,
            restart_interval: headers.restart_interval,
            scan: &[],
            is_rgb: frame.components.identifiers().is_some_and(|identifiers| {
                colours::is_rgb(headers.has_jfif, headers.adobe, identifiers)
            }),
            is_field: false,
            habits,
        };
        let expected = scan::Expected::new(&image.layout(), image.restart_interval);
        let end = start + scan::length(jpeg, start, &expected)?;
        image.scan = jpeg.get(start..end).unwrap_or_default();
        let after = jpeg.get(end..).unwrap_or_default();
        let size = (image.width, image.height);
        let field = Field {
            size,
            avi1: headers.avi1,
        };
        image.is_field = field.has_other(after, whole);
        Ok(image)
    }

    /// How its scan is built.
    pub fn layout(&self) -> Layout {
        let size = (self.width, self.height);
        let tables = (&self.dc[..], &self.ac[..]);
        Layout::new(size, self.components, self.scan_components, tables)
    }
}
