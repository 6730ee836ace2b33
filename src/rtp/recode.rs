//! Makes of a picture that RTP/JPEG, or its receivers, cannot take as it is one that they can, with the same coefficients.
//! RFC 2435 3.1.3 (types), 4.1 (the Huffman tables that receivers assume).

use super::carry::{
    Carried, Refused, Sampling, carry, is_one_scan, quantization_table, quantization_tables,
    sampling,
};
use crate::jpeg::entropy::{Coding, Component, Corrupt, Fault, Form, Recoder, Scan};
use crate::jpeg::tables::{Class, Kind};
use crate::jpeg::{Image, coded_table};

/// Samples of a block in one direction.
const BLOCK: u32 = 8;
/// Components of a picture at most.
const COMPONENTS: usize = 3;

/// Why a picture does not leave as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// RTP/JPEG cannot carry it.
    Refused(Refused),
    /// It has restart markers, which are to be removed.
    RestartMarkers,
}

impl From<Refused> for Obstacle {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Re-codes a camera's pictures, one after the other into the same buffer. Most cameras need neither it nor its tables.
#[derive(Debug, Default)]
pub struct Carrier {
    recoder: Option<Recoder>,
    removes_restarts: bool,
}

impl Carrier {
    /// One that lets no restart marker leave.
    pub fn removing_restarts() -> Self {
        Self {
            removes_restarts: true,
            ..Self::default()
        }
    }

    /// `image` as it is, when nothing in it must be changed.
    pub fn carry<'a>(&self, image: &Image<'a>) -> Result<Carried<'a>, Obstacle> {
        let picture = carry(image)?;
        match self.removes_restarts_of(image) {
            true => Err(Obstacle::RestartMarkers),
            false => Ok(picture),
        }
    }

    /// Looks through all codes of `image`'s scan; the error says what shows that it is not whole.
    pub fn verify(&mut self, image: &Image) -> Result<(), Refused> {
        let components = components(image)?;
        let recoder = self.recoder.get_or_insert_default();
        let walked = recoder.walk(&scan(image, &components));
        walked.map_err(|corrupt| refused(image, corrupt))
    }

    /// `image` re-coded, so that the `obstacle` to it is none; the error says why that does not help either. What it
    /// returns no longer needs the frame.
    pub fn recode(&mut self, image: &Image, obstacle: Obstacle) -> Result<Carried<'_>, Refused> {
        let (sampling, form) = self.form(image, obstacle)?;
        let tables = match form {
            // Chrominance that is nothing needs a table too.
            Form::Grey => {
                let selector = image.components.iter().next();
                let selector = selector.map_or(0, |each| each.quantization_table);
                [quantization_table(image, selector)?; 2]
            }
            _ => quantization_tables(image)?,
        };
        let scan = recode(self.recoder.get_or_insert_default(), image, form)?;
        Ok(Carried {
            width: image.width,
            height: image.height,
            sampling,
            tables,
            restart_interval: match form {
                Form::Same => image.restart_interval,
                Form::WithoutRestarts | Form::Grey | Form::TwoRows(_) => 0,
            },
            scan,
        })
    }

    /// What must be changed in a picture, if that is enough.
    fn form(&self, image: &Image, obstacle: Obstacle) -> Result<(Sampling, Form), Refused> {
        let refused = match obstacle {
            Obstacle::RestartMarkers => return Ok((sampling(image)?, Form::WithoutRestarts)),
            Obstacle::Refused(refused) => refused,
        };
        if image.width == 0 || image.height == 0 || !is_one_scan(image) {
            return Err(refused);
        }
        match refused {
            Refused::Huffman if self.removes_restarts_of(image) => {
                Ok((sampling(image)?, Form::WithoutRestarts))
            }
            Refused::Huffman => Ok((sampling(image)?, Form::Same)),
            Refused::Components(1) => Ok((Sampling::Yuv422, Form::Grey)),
            Refused::Sampling(0x22, 0x12, 0x12) => {
                let rows = u32::from(image.height).div_ceil(BLOCK);
                Ok((Sampling::Yuv422, Form::TwoRows(rows)))
            }
            _ => Err(refused),
        }
    }

    fn removes_restarts_of(&self, image: &Image) -> bool {
        self.removes_restarts && image.restart_interval != 0
    }
}

fn recode<'r>(recoder: &'r mut Recoder, image: &Image, form: Form) -> Result<&'r [u8], Refused> {
    let components = components(image)?;
    recoder
        .recode(&scan(image, &components), form)
        .map_err(|corrupt| refused(image, corrupt))
}

/// How the components of `image` are coded, and how many blocks an MCU has of each.
fn components<'i>(image: &Image<'i>) -> Result<heapless::Vec<Component<'i>, COMPONENTS>, Refused> {
    let is_alone = image.components.count() == 1;
    let kinds = [Kind::Luminance, Kind::Chrominance, Kind::Chrominance];
    let mut components = heapless::Vec::new();
    let coded = image.components.iter().zip(image.scan_components.iter());
    for ((component, coded), kind) in coded.zip(kinds) {
        // One component by itself is not interleaved: an MCU is a block (T.81 A.2.2).
        let blocks = |factor: u32| if is_alone { 1 } else { factor };
        let component = Component {
            across: blocks(component.horizontal()),
            down: blocks(component.vertical()),
            coding: Coding {
                dc: coded_table(Class::Dc, &image.dc, coded.dc_table),
                ac: coded_table(Class::Ac, &image.ac, coded.ac_table),
                kind,
            },
        };
        let count = image.components.count();
        components
            .push(component)
            .or(Err(Refused::Components(count)))?;
    }
    Ok(components)
}

/// The scan of `image`, which has these `components`.
fn scan<'i>(image: &Image<'i>, components: &'i [Component<'i>]) -> Scan<'i> {
    // Y has the most blocks of all.
    let (across, down) = components
        .first()
        .map_or((1, 1), |first| (first.across, first.down));
    Scan {
        components,
        mcus_across: u32::from(image.width).div_ceil(BLOCK * across),
        mcus_down: u32::from(image.height).div_ceil(BLOCK * down),
        restart_interval: image.restart_interval,
        octets: image.scan,
    }
}

/// Why a scan that is so `corrupt` cannot be carried.
fn refused(image: &Image, corrupt: Corrupt) -> Refused {
    match corrupt.fault {
        Fault::Tables => Refused::Huffman,
        Fault::Size => Refused::ScanSize(image.scan.len()),
        _ => Refused::Corrupt(corrupt),
    }
}
