//! Planes against planes: no conversion, no tolerance.

use crate::cases::{Case, Frame};
use crate::receiver::Receiver;
use crate::support::frames::Sampling;
use crate::support::variants::{Parts, SOF0, scan_of};
use std::path::Path;

/// How a receiver lays the planes of a frame into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Always I420, each row padded to 4 octets; of 4:2:2 every other chroma row is missing.
    GStreamer,
    /// The sampling of the JPEG, row after row.
    Ffmpeg,
}

/// Where a plane lies in a raw frame.
struct Plane {
    offset: usize,
    stride: usize,
    width: usize,
    height: usize,
}

impl Packing {
    pub fn of(receiver: Receiver) -> Self {
        if receiver.is_gstreamer() {
            Packing::GStreamer
        } else {
            Packing::Ffmpeg
        }
    }

    /// Y, and Cb and Cr where there are any; and the octets of all.
    fn planes(self, width: usize, height: usize, sampling: Sampling) -> (Vec<Plane>, usize) {
        let halved_rows = self == Packing::GStreamer || sampling == Sampling::S420;
        let chroma_height = if halved_rows {
            height.div_ceil(2)
        } else {
            height
        };
        // GstVideoInfo rounds the luma rows of I420 up to an even number, so that two fit to each chroma row.
        let (align, luma_rows) = match self {
            Packing::GStreamer => (4, height.next_multiple_of(2)),
            Packing::Ffmpeg => (1, height),
        };
        let stride = width.next_multiple_of(align);
        let chroma_width = width.div_ceil(2);
        let chroma_stride = chroma_width.next_multiple_of(align);
        let luma = Plane {
            offset: 0,
            stride,
            width,
            height,
        };
        if sampling == Sampling::Grey {
            return (vec![luma], stride * height);
        }
        let chroma = |number: usize| Plane {
            offset: stride * luma_rows + number * chroma_stride * chroma_height,
            stride: chroma_stride,
            width: chroma_width,
            height: chroma_height,
        };
        let total = chroma(2).offset;
        (vec![luma, chroma(0), chroma(1)], total)
    }
}

/// A frame of the source, decoded by the receiver's decoder without a network between.
pub struct Reference {
    width: usize,
    height: usize,
    sampling: Sampling,
    raw: Vec<u8>,
}

impl Reference {
    pub fn of(frame: &Frame, receiver: Receiver, folder: &Path) -> Self {
        let picture = &frame.picture;
        let (width, height) = (usize::from(picture.width), usize::from(picture.height));
        let raw = receiver.decode(&frame.plain, folder);
        let (_, octets) = Packing::of(receiver).planes(width, height, picture.sampling);
        assert_eq!(
            raw.len(),
            octets,
            "{receiver:?} does not decode {picture:?} to the layout that is known here"
        );
        Self {
            width,
            height,
            sampling: picture.sampling,
            raw,
        }
    }

    /// What differs, if anything; the received frame may be larger by what RTP/JPEG rounds the size up to.
    fn difference(&self, raw: &[u8], packing: Packing) -> Option<String> {
        let (width, height) = (
            self.width.next_multiple_of(8),
            self.height.next_multiple_of(8),
        );
        // Grey travels as 4:2:2.
        let sampling = match self.sampling {
            Sampling::Grey => Sampling::S422,
            sampling => sampling,
        };
        let (theirs, octets) = packing.planes(width, height, sampling);
        if raw.len() != octets {
            return Some(format!(
                "{} octets instead of {octets} ({width}x{height})",
                raw.len()
            ));
        }
        let (ours, _) = packing.planes(self.width, self.height, self.sampling);
        let mut colours = theirs.iter().skip(ours.len());
        if colours.any(|plane| plane.has_colour(raw)) {
            return Some("a grey picture has colours".to_owned());
        }
        let planes = ["Y", "Cb", "Cr"].into_iter().zip(ours.iter().zip(&theirs));
        planes.into_iter().find_map(|(name, (ours, theirs))| {
            let row = (0..ours.height)
                .find(|&row| ours.row(&self.raw, row) != theirs.row_of(raw, row, ours.width))?;
            Some(format!(
                "plane {name} ({}x{}) differs from row {row} on",
                ours.width, ours.height
            ))
        })
    }
}

impl Plane {
    /// Whether a sample of this plane of Cb or Cr says anything.
    fn has_colour(&self, raw: &[u8]) -> bool {
        const NEUTRAL: u8 = 128;
        let mut rows = (0..self.height).map(|row| self.row(raw, row));
        rows.any(|row| row.iter().any(|&sample| sample != NEUTRAL))
    }

    fn row<'a>(&self, raw: &'a [u8], row: usize) -> &'a [u8] {
        self.row_of(raw, row, self.width)
    }

    fn row_of<'a>(&self, raw: &'a [u8], row: usize, width: usize) -> &'a [u8] {
        let start = self.offset + row * self.stride;
        &raw[start..start + width]
    }
}

/// If two references were equal, a wrong order would not show.
pub fn expect_distinct(references: &[Reference]) {
    for (number, reference) in references.iter().enumerate() {
        let twin = references[..number]
            .iter()
            .position(|other| other.raw == reference.raw);
        assert_eq!(
            twin, None,
            "frames {twin:?} and {number} of the source are equal"
        );
    }
}

/// Demands that every received frame is one of the source, and that they come in its order, from any start on.
pub fn expect_in_order(
    references: &[Reference],
    received: &[Vec<u8>],
    packing: Packing,
    skips: usize,
) {
    let differs =
        |source: usize, number: usize| references[source].difference(&received[number], packing);
    let mut order = Order::new(references.len(), skips);
    for number in 0..received.len() {
        order
            .advance(|source| differs(source, number).is_none())
            .unwrap_or_else(|wanted| {
                let differences = (0..references.len()).map(|source| {
                    let difference =
                        differs(source, number).unwrap_or_else(|| "identical".to_owned());
                    format!("  source frame {source}: {difference}\n")
                });
                let differences: String = differences.collect();
                panic!(
                    "received frame {number} of {} should be {wanted}:\n{differences}",
                    received.len()
                )
            });
    }
}

/// Demands that what came off the wire is the very scan of the source with the very tables, octet by octet.
pub fn expect_same_scans(case: &Case, received: &[Vec<u8>], skips: usize) {
    let scans: Vec<_> = case
        .frames
        .iter()
        .map(|frame| scan_of(&frame.plain))
        .collect();
    let mut order = Order::new(scans.len(), skips);
    for (number, jpeg) in received.iter().enumerate() {
        let scan = scan_of(jpeg);
        let source = order
            .advance(|source| scans[source] == scan)
            .unwrap_or_else(|wanted| {
                panic!("the scan of received frame {number} should be that of {wanted}")
            });
        let tables = tables_in_use(&case.frames[source].plain);
        assert_eq!(
            tables_in_use(jpeg),
            tables,
            "quantization tables of frame {number}"
        );
    }
}

/// Follows the source, which comes again and again, and may here and there miss a frame.
struct Order {
    length: usize,
    last: Option<usize>,
    skips_left: usize,
}

impl Order {
    fn new(length: usize, skips: usize) -> Self {
        Self {
            length,
            last: None,
            skips_left: skips,
        }
    }

    /// The source frame that the next received one is, or a description of those that it could have been.
    fn advance(&mut self, is: impl Fn(usize) -> bool) -> Result<usize, String> {
        let Some(last) = self.last else {
            self.last = (0..self.length).find(|&source| is(source));
            return self
                .last
                .ok_or_else(|| "any frame of the source".to_owned());
        };
        let next = |skips: usize| (last + 1 + skips) % self.length;
        let skips = (0..=self.skips_left)
            .find(|&skips| is(next(skips)))
            .ok_or_else(|| {
                format!(
                    "source frame {}, or one of the {} after it",
                    next(0),
                    self.skips_left
                )
            })?;
        self.skips_left -= skips;
        self.last = Some(next(skips));
        Ok(next(skips))
    }
}

/// The quantization table of each component.
fn tables_in_use(jpeg: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = Parts::of(jpeg);
    let tables = parts.quantization_tables();
    let of_component = |component: &[u8]| {
        let table = tables.iter().find(|table| table.0 == component[2]);
        table
            .unwrap_or_else(|| panic!("no quantization table {}", component[2]))
            .1
            .clone()
    };
    parts.payload_mut(SOF0)[6..]
        .chunks_exact(3)
        .map(of_component)
        .collect()
}
