//! Reads the segments before a scan into what they define, without copying anything.
//! ITU-T T.81 B.2.2 (SOF), B.2.3 (SOS), B.2.4 (DQT, DHT, DRI).

use super::avi1::Avi1;
use super::colours::{Adobe, JFIF};
use super::components::{Component, Components, QuantizationTable, ScanComponents};
use super::habits::{Habit, Habits};
use super::markers::{Segment, code};
use super::tables::TABLE_OCTETS;
use super::unreadable::Unreadable;

/// Table slots of baseline JPEG's DQT and of each DHT class that are told apart here (B.2.4).
pub const TABLE_SLOTS: usize = 4;
/// Table slots of baseline's DHT (B.2.4.2).
const BASELINE_SLOTS: usize = 2;

/// What a segment should be.
type Expected = &'static str;
const DQT: Expected = "tables of 64 values in slots 0 to 3, and nothing else";
const DHT: Expected = "tables of 16 counts and as many values in slots 0 to 3, and nothing else";
const DRI: Expected = "a length of 4";
const SOF: Expected = "a length of 8 and 3 for each component, and sampling factors from 1 to 4";
const SOS: Expected = "a length of 6 and 2 for each component";

/// SOF's parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameHeader<'a> {
    precision: u8,
    pub width: u16,
    pub height: u16,
    pub components: Components<'a>,
}

/// What the segments before SOS define; a later definition replaces an earlier one.
#[derive(Debug, Default)]
pub(super) struct Headers<'a> {
    pub frame: Option<FrameHeader<'a>>,
    pub quantization: [Option<QuantizationTable<'a>>; TABLE_SLOTS],
    pub dc: [Option<&'a [u8]>; TABLE_SLOTS],
    pub ac: [Option<&'a [u8]>; TABLE_SLOTS],
    pub restart_interval: u16,
    pub has_jfif: bool,
    pub adobe: Option<Adobe>,
    pub avi1: Option<Avi1>,
    pub habits: Habits,
}

impl<'a> Headers<'a> {
    /// Any segment but SOS.
    pub fn read(&mut self, segment: &Segment<'a>) -> Result<(), Unreadable> {
        let parameters = segment.parameters;
        let malformed = |expected| Unreadable::Malformed(segment.place(), expected);
        match segment.marker {
            code::SOF0 => self.read_frame_header(segment)?,
            code::SOF1 => {
                self.read_frame_header(segment)?;
                self.habits.insert(Habit::ExtendedProcess);
            }
            code::DQT => self
                .read_quantization_tables(parameters)
                .ok_or(malformed(DQT))?,
            code::DHT => self.read_huffman_tables(parameters).ok_or(malformed(DHT))?,
            code::DRI => {
                let interval: [u8; 2] = parameters.try_into().or(Err(malformed(DRI)))?;
                self.restart_interval = u16::from_be_bytes(interval);
            }
            code::DAC | code::JPG | code::SOF0..=code::SOF15 => {
                return Err(Unreadable::Process(segment.marker & 0x0F));
            }
            code::DNL => return Err(malformed("none before the scan")),
            // An image after an empty one has its own.
            code::SOI if self.habits.contains(Habit::EmptyImage) => {}
            code::SOI => self.habits.insert(Habit::SecondSoi),
            code::EOI => self.habits.insert(Habit::EmptyImage),
            code::RST0..=code::RST7 => self.habits.insert(Habit::StrayOctets),
            code::APP0 if parameters.starts_with(JFIF) => self.has_jfif = true,
            code::APP0 => self.avi1 = Avi1::parse(parameters).or(self.avi1),
            code::APP14 => self.adobe = Adobe::parse(parameters).or(self.adobe),
            _ => {} // Other comments and reserved segments say nothing about the scan.
        }
        Ok(())
    }

    fn read_frame_header(&mut self, segment: &Segment<'a>) -> Result<(), Unreadable> {
        let frame =
            frame_header(segment.parameters).ok_or(Unreadable::Malformed(segment.place(), SOF))?;
        if frame.precision != 8 {
            return Err(Unreadable::Precision(frame.precision));
        }
        self.frame = Some(frame);
        Ok(())
    }

    /// Several tables may share a segment (B.2.4.1).
    fn read_quantization_tables(&mut self, mut rest: &'a [u8]) -> Option<()> {
        while let Some((&precision_and_slot, values)) = rest.split_first() {
            let table;
            (table, rest) = match precision_and_slot >> 4 {
                0 => split::<TABLE_OCTETS>(values).map(|(t, r)| (QuantizationTable::Eight(t), r)),
                1 => split(values).map(|(t, r)| (QuantizationTable::Sixteen(t), r)),
                _ => None,
            }?;
            *slot(&mut self.quantization, precision_and_slot)? = Some(table);
        }
        Some(())
    }

    /// Several tables may share a segment (B.2.4.2).
    fn read_huffman_tables(&mut self, mut rest: &'a [u8]) -> Option<()> {
        while let Some((&class_and_slot, table)) = rest.split_first() {
            let (counts, _) = split::<16>(table)?;
            let values: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let (table, after) = table.split_at_checked(counts.len() + values)?;
            let tables = match class_and_slot >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return None,
            };
            *slot(tables, class_and_slot)? = Some(table);
            rest = after;
        }
        Some(())
    }

    /// The frame of a baseline picture. An extended one is when it has no more tables than baseline (F.1.3).
    pub fn baseline_frame(&self, scan_header: &Segment) -> Result<FrameHeader<'a>, Unreadable> {
        let is_more = |tables: &[Option<&[u8]>; TABLE_SLOTS]| {
            tables.iter().skip(BASELINE_SLOTS).any(Option::is_some)
        };
        if self.habits.contains(Habit::ExtendedProcess) && (is_more(&self.dc) || is_more(&self.ac))
        {
            return Err(Unreadable::Process(1));
        }
        self.frame.ok_or(Unreadable::Malformed(
            scan_header.place(),
            "SOF0 (FF C0) before it",
        ))
    }
}

/// Whether `segment` is what it should be in every octet, as far as it says anything about the scan.
pub(super) fn is_exact(segment: &Segment) -> bool {
    match segment.marker {
        code::DQT | code::DHT | code::DRI => Headers::default().read(segment).is_ok(),
        code::SOS => scan_components(segment.parameters).is_some(),
        code::DAC | code::JPG => false,
        code::SOF0..=code::SOF15 => frame_header(segment.parameters).is_some(),
        _ => false,
    }
}

fn frame_header(parameters: &[u8]) -> Option<FrameHeader<'_>> {
    let (&[precision, h1, h0, w1, w0, count], specifications) = split::<6>(parameters)?;
    let components = Components::new(specifications, count)?;
    let factors = 1..=4;
    let is_sampled = |each: Component| {
        factors.contains(&each.horizontal()) && factors.contains(&each.vertical())
    };
    components.iter().all(is_sampled).then_some(FrameHeader {
        precision,
        width: u16::from_be_bytes([w1, w0]),
        height: u16::from_be_bytes([h1, h0]),
        components,
    })
}

/// SOS's components, and whether Ss, Se, Ah and Al are those of baseline: the whole spectrum at once.
pub(super) fn scan_header<'a>(
    segment: &Segment<'a>,
) -> Result<(ScanComponents<'a>, bool), Unreadable> {
    scan_components(segment.parameters).ok_or(Unreadable::Malformed(segment.place(), SOS))
}

fn scan_components(parameters: &[u8]) -> Option<(ScanComponents<'_>, bool)> {
    let (&count, rest) = parameters.split_first()?;
    let (components, spectrum) = rest.split_last_chunk::<3>()?;
    Some((
        ScanComponents::new(components, count)?,
        *spectrum == [0, 63, 0],
    ))
}

fn split<const N: usize>(octets: &[u8]) -> Option<(&[u8; N], &[u8])> {
    octets.split_first_chunk()
}

/// The slot that the low four bits of `selector` name.
fn slot<T>(tables: &mut [T; TABLE_SLOTS], selector: u8) -> Option<&mut T> {
    tables.get_mut(usize::from(selector & 0x0F))
}
