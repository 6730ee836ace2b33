//! Decides whether RTP/JPEG can carry a picture: as it is, or not at all, for one reason.
//! RFC 2435 3.1 and 4.1.

use crate::jpeg::entropy::Corrupt;
use crate::jpeg::tables::{self, Class, Kind, TABLE_OCTETS, Tables};
use crate::jpeg::{Image, QuantizationTable, TABLE_SLOTS, Unreadable, coded_table};

/// Largest width and height that RTP/JPEG's header can say, in pixels: 255 units of 8 (RFC 2435 3.1.5, 3.1.6).
pub const MAX_SIZE: u16 = 2040;
/// First scan length that the 24-bit fragment offset cannot express, in octets (RFC 2435 3.1.2).
const SCAN_LIMIT: usize = 1 << 24;

/// How the colour components are sampled, RFC 2435 4.1. Chrominance is always 1x1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// 4:2:2, luminance 2x1.
    Yuv422,
    /// 4:2:0, luminance 2x2.
    Yuv420,
}

impl Sampling {
    /// Sampling factors of the luminance, H << 4 | V.
    pub fn luminance(self) -> u8 {
        match self {
            Self::Yuv422 => 0x21,
            Self::Yuv420 => 0x22,
        }
    }

    /// That with these `factors` of the luminance.
    pub fn of_luminance(factors: u8) -> Option<Self> {
        let all = [Self::Yuv422, Self::Yuv420];
        all.into_iter().find(|each| each.luminance() == factors)
    }
}

/// A picture as RTP/JPEG carries it. Its scan stays where it is.
#[derive(Debug, Clone)]
pub struct Carried<'a> {
    /// Width in pixels, not 0.
    pub width: u16,
    /// Height in pixels, not 0.
    pub height: u16,
    /// Sampling of the components.
    pub sampling: Sampling,
    /// Luminance and chrominance quantization tables, zig-zag order.
    pub tables: Tables,
    /// Restart interval in MCUs, 0 = no restart markers.
    pub restart_interval: u16,
    /// The entropy-coded scan, from after SOS through EOI, shorter than 2^24 octets.
    pub scan: &'a [u8],
}

impl Carried<'_> {
    /// Whether RTP/JPEG's header has no room for its size.
    pub fn is_large(&self) -> bool {
        self.width > MAX_SIZE || self.height > MAX_SIZE
    }

    /// Its size, when RTP/JPEG's header has no room for it.
    pub fn large_size(&self) -> Option<(u16, u16)> {
        self.is_large().then_some((self.width, self.height))
    }
}

/// Why a frame cannot be carried.
///
/// Each is a reason in the statistics; the text says what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No baseline picture at all.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Number of components other than three.
    #[error("{0} colour components cannot be carried, only three (Y, Cb, Cr) or one (grey)")]
    Components(u8),
    /// Components that are R, G, B.
    #[error(
        "the picture is RGB (Adobe APP14 without a colour transform, or components R, G, B), and receivers would take it for Y, Cb, Cr: wrong colours"
    )]
    Rgb,
    /// One of two fields in the frame.
    #[error(
        "the frame holds two fields, each with half of the picture's lines, and receivers would show the first: choose a progressive mode of the camera"
    )]
    Fields,
    /// Sampling factors, each as H << 4 | V, that have no RTP/JPEG type.
    #[error(
        "sampling {0:02x} {1:02x} {2:02x} (HV of Y, Cb, Cr) cannot be carried, only 4:2:2 (21 11 11) and 4:2:0 (22 11 11)"
    )]
    Sampling(u8, u8, u8),
    /// Width or height zero.
    #[error("a picture of {0}x{1} pixels cannot be carried")]
    Size(u16, u16),
    /// The components come in several scans, or in another order.
    #[error("the picture is not one interleaved scan of Y, Cb, Cr")]
    Scans,
    /// A quantization table is missing.
    #[error("quantization table {0} is used but not defined")]
    MissingTable(u8),
    /// Cb and Cr use different quantization tables.
    #[error("Cb and Cr have different quantization tables, of which only one can be carried")]
    ChrominanceTables,
    /// A 16-bit quantization table with a value above 255.
    #[error("quantization table {0} has values above 255, which baseline JPEG does not have")]
    WideTable(u8),
    /// Huffman tables that are not Annex K's.
    #[error("the Huffman tables are not the standard ones (T.81 annex K), which receivers assume")]
    Huffman,
    /// A scan that was to be re-coded is not whole.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// Scan of 16 MiB or more.
    #[error("a scan of {0} octets is beyond RTP/JPEG's 24-bit fragment offset")]
    ScanSize(usize),
}

/// `image` as RTP/JPEG carries it.
pub fn carry<'a>(image: &Image<'a>) -> Result<Carried<'a>, Refused> {
    if image.is_rgb {
        return Err(Refused::Rgb);
    }
    if image.is_field {
        return Err(Refused::Fields);
    }
    let sampling = sampling(image)?;
    if image.width == 0 || image.height == 0 {
        return Err(Refused::Size(image.width, image.height));
    }
    check_scan(image)?;
    if image.scan.len() >= SCAN_LIMIT {
        return Err(Refused::ScanSize(image.scan.len()));
    }
    Ok(Carried {
        width: image.width,
        height: image.height,
        sampling,
        tables: quantization_tables(image)?,
        restart_interval: image.restart_interval,
        scan: image.scan,
    })
}

/// How its components are sampled.
pub(super) fn sampling(image: &Image) -> Result<Sampling, Refused> {
    let mut factors = image.components.iter().map(|each| each.sampling_factors);
    let (3, Some(y), Some(cb), Some(cr)) = (
        factors.len(),
        factors.next(),
        factors.next(),
        factors.next(),
    ) else {
        return Err(Refused::Components(image.components.count()));
    };
    let known = Sampling::of_luminance(y).filter(|_| (cb, cr) == (0x11, 0x11));
    known.ok_or(Refused::Sampling(y, cb, cr))
}

/// One interleaved scan of Y, Cb, Cr (T.81 B.2.3), coded with Annex K's Huffman tables.
fn check_scan(image: &Image) -> Result<(), Refused> {
    if !is_one_scan(image) {
        return Err(Refused::Scans);
    }
    has_standard_codes(image)
        .then_some(())
        .ok_or(Refused::Huffman)
}

/// Whether the scan has the components of the picture, in their order.
pub(crate) fn is_one_scan(image: &Image) -> bool {
    let identifiers = image.components.iter().map(|each| each.identifier);
    let coded = image.scan_components.iter().map(|each| each.identifier);
    coded.eq(identifiers)
}

/// Whether three components are coded with Annex K's Huffman tables.
pub(crate) fn has_standard_codes(image: &Image) -> bool {
    let kinds = [Kind::Luminance, Kind::Chrominance, Kind::Chrominance];
    image.scan_components.iter().zip(kinds).all(|(each, kind)| {
        is_standard(Class::Dc, &image.dc, each.dc_table, kind)
            && is_standard(Class::Ac, &image.ac, each.ac_table, kind)
    })
}

/// Whether the table in slot `selector` is Annex K's for `kind`.
fn is_standard(
    class: Class,
    defined: &[Option<&[u8]>; TABLE_SLOTS],
    selector: u8,
    kind: Kind,
) -> bool {
    coded_table(class, defined, selector) == tables::huffman(class, kind)
}

/// The tables that SOF's selectors name: position in the file means nothing.
pub(crate) fn quantization_tables(image: &Image) -> Result<Tables, Refused> {
    let mut selectors = image.components.iter().map(|each| each.quantization_table);
    let (Some(y), Some(cb), Some(cr)) = (selectors.next(), selectors.next(), selectors.next())
    else {
        return Err(Refused::Components(image.components.count()));
    };
    let chrominance = quantization_table(image, cb)?;
    if cr != cb && quantization_table(image, cr)? != chrominance {
        return Err(Refused::ChrominanceTables);
    }
    Ok([quantization_table(image, y)?, chrominance])
}

pub(super) fn quantization_table(
    image: &Image,
    selector: u8,
) -> Result<[u8; TABLE_OCTETS], Refused> {
    match image.quantization.get(usize::from(selector)) {
        Some(Some(QuantizationTable::Eight(values))) => Ok(**values),
        Some(Some(QuantizationTable::Sixteen(values))) => {
            let mut narrow = [0; TABLE_OCTETS];
            for (to, value) in narrow.iter_mut().zip(values.as_chunks::<2>().0) {
                *to = u8::try_from(u16::from_be_bytes(*value))
                    .or(Err(Refused::WideTable(selector)))?;
            }
            Ok(narrow)
        }
        _ => Err(Refused::MissingTable(selector)),
    }
}
