//! Makes of a picture that RTP/JPEG cannot carry as it is one that it can, with the same coefficients.
//! RFC 2435 3.1.3 (types), 4.1 (the Huffman tables that receivers assume).

use super::carry::{
    Carried, Refused, Sampling, has_standard_codes, is_one_scan, quantization_table,
    quantization_tables,
};
use crate::jpeg::entropy::{Coding, Component, Fault, Form, Recoder, Scan};
use crate::jpeg::tables::{Class, Kind};
use crate::jpeg::{Image, coded_table};

/// Samples of a block in one direction.
const BLOCK: u32 = 8;
/// Components of a picture at most.
const COMPONENTS: usize = 3;

/// Re-codes a camera's pictures, one after the other into the same buffer. Most cameras need neither it nor its tables.
#[derive(Debug, Default)]
pub struct Carrier(Option<Recoder>);

impl Carrier {
    /// `image` re-coded; `None` when it can be carried as it is, or not at all. What it returns no longer needs the frame.
    pub fn recode(&mut self, image: &Image) -> Result<Option<Carried<'_>>, Refused> {
        let is_empty = image.width == 0 || image.height == 0;
        if is_empty || image.is_rgb || image.is_field || !is_one_scan(image) {
            return Ok(None);
        }
        let Some((sampling, form)) = form(image) else {
            return Ok(None);
        };
        let tables = match form {
            // Chrominance that is nothing needs a table too.
            Form::Grey => {
                let selector = image.components.iter().next();
                let selector = selector.map_or(0, |each| each.quantization_table);
                [quantization_table(image, selector)?; 2]
            }
            _ => quantization_tables(image)?,
        };
        let scan = recode(self.0.get_or_insert_default(), image, form)?;
        Ok(Some(Carried {
            width: image.width,
            height: image.height,
            sampling,
            tables,
            restart_interval: match form {
                Form::Same => image.restart_interval,
                Form::WithoutRestarts | Form::Grey | Form::TwoRows(_) => 0,
            },
            scan,
        }))
    }
}

/// What must be changed, if that is enough.
fn form(image: &Image) -> Option<(Sampling, Form)> {
    let mut factors = image.components.iter().map(|each| each.sampling_factors);
    match (factors.next()?, factors.next(), factors.next()) {
        (_, None, None) => Some((Sampling::Yuv422, Form::Grey)),
        (0x22, Some(0x12), Some(0x12)) => {
            let rows = u32::from(image.height).div_ceil(BLOCK);
            Some((Sampling::Yuv422, Form::TwoRows(rows)))
        }
        _ if has_standard_codes(image) => None,
        (0x21, Some(0x11), Some(0x11)) => Some((Sampling::Yuv422, Form::Same)),
        (0x22, Some(0x11), Some(0x11)) => Some((Sampling::Yuv420, Form::Same)),
        _ => None,
    }
}

fn recode<'r>(recoder: &'r mut Recoder, image: &Image, form: Form) -> Result<&'r [u8], Refused> {
    let is_alone = image.components.count() == 1;
    let kinds = [Kind::Luminance, Kind::Chrominance, Kind::Chrominance];
    let mut components: heapless::Vec<Component, COMPONENTS> = heapless::Vec::new();
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
    // Y has the most blocks of all.
    let (across, down) = components
        .first()
        .map_or((1, 1), |first| (first.across, first.down));
    let scan = Scan {
        components: &components,
        mcus_across: u32::from(image.width).div_ceil(BLOCK * across),
        mcus_down: u32::from(image.height).div_ceil(BLOCK * down),
        restart_interval: image.restart_interval,
        octets: image.scan,
    };
    recoder
        .recode(&scan, form)
        .map_err(|corrupt| match corrupt.fault {
            Fault::Tables => Refused::Huffman,
            Fault::Size => Refused::ScanSize(image.scan.len()),
            _ => Refused::Corrupt(corrupt),
        })
}
