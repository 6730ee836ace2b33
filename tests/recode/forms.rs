//! What a re-coded picture should be, and the scan of one as the re-coder takes it.
//! ITU-T T.81 A.2 (the order of blocks), K.3 (the tables).

use framewire::jpeg::entropy::{Coding, Component, Form, Scan};
use framewire::jpeg::tables::{Class, Kind, huffman};

use super::plain::{self, Picture};

/// What Annex K calls the components.
pub const KINDS: [Kind; 3] = [Kind::Luminance, Kind::Chrominance, Kind::Chrominance];

/// Runs `check` with `picture`'s scan `octets` as the re-coder sees it.
pub fn with_scan<T>(picture: &Picture, octets: &[u8], check: impl FnOnce(&Scan) -> T) -> T {
    let components: Vec<_> = picture
        .components
        .iter()
        .zip(KINDS)
        .map(|(each, kind)| Component {
            across: u32::try_from(each.across).unwrap(),
            down: u32::try_from(each.down).unwrap(),
            coding: Coding {
                dc: &each.dc,
                ac: &each.ac,
                kind,
            },
        })
        .collect();
    check(&Scan {
        components: &components,
        mcus_across: u32::try_from(picture.mcus_across).unwrap(),
        mcus_down: u32::try_from(picture.mcus_down).unwrap(),
        restart_interval: u16::try_from(picture.interval).unwrap(),
        octets,
    })
}

/// With Annex K's tables.
pub fn standard(picture: &Picture) -> Picture {
    let mut picture = picture.clone();
    for (component, kind) in picture.components.iter_mut().zip(KINDS) {
        component.dc = huffman(Class::Dc, kind).to_vec();
        component.ac = huffman(Class::Ac, kind).to_vec();
    }
    picture
}

/// What `picture` is when it is re-coded in this form.
pub fn recoded_as(picture: &Picture, form: Form) -> Picture {
    let standard = standard(picture);
    match form {
        Form::Same => standard,
        Form::WithoutRestarts => Picture {
            interval: 0,
            ..standard
        },
        Form::Grey => coloured(standard),
        Form::TwoRows(rows) => single_rows(standard, usize::try_from(rows).unwrap()),
    }
}

/// Grey as 4:2:2 without colour.
fn coloured(mut picture: Picture) -> Picture {
    let luminance = &mut picture.components[0];
    if !picture.mcus_across.is_multiple_of(2) {
        // The block that fills the last MCU of a row differs in nothing.
        let rows = luminance.blocks.chunks(picture.mcus_across);
        let padded = rows.map(|row| {
            let mut filling = [0; 64];
            filling[0] = row.last().unwrap()[0];
            [row, &[filling]].concat()
        });
        luminance.blocks = padded.collect::<Vec<_>>().concat();
    }
    luminance.across = 2;
    picture.interval = 0;
    picture.mcus_across = picture.mcus_across.div_ceil(2);
    let mcus = picture.mcus_across * picture.mcus_down;
    for _ in 0..2 {
        picture.components.push(plain::Component {
            across: 1,
            down: 1,
            dc: huffman(Class::Dc, Kind::Chrominance).to_vec(),
            ac: huffman(Class::Ac, Kind::Chrominance).to_vec(),
            blocks: vec![[0; 64]; mcus],
        });
    }
    picture
}

/// 22 12 12 as 21 11 11; the lower half of the last MCUs may be filling.
fn single_rows(mut picture: Picture, rows: usize) -> Picture {
    picture.interval = 0;
    picture.mcus_down = rows;
    for component in &mut picture.components {
        component.down /= 2;
        let blocks = picture.mcus_across * component.across * rows;
        component.blocks.truncate(blocks);
    }
    picture
}
