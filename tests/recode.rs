//! The walk and the re-coder against a plain encoder and decoder: the same octets, and the same verdicts.
//! ITU-T T.81 F.1.2.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

#[path = "recode/plain.rs"]
mod plain;

use framewire::jpeg::entropy::{Coding, Component, Form, Recoder, Scan};
use framewire::jpeg::tables::{Class, Kind, huffman};
use plain::{Block, Picture};
use proptest::prelude::*;

/// Runs `check` with `picture`'s scan `octets` as the re-coder sees it.
fn with_scan<T>(picture: &Picture, octets: &[u8], check: impl FnOnce(&Scan) -> T) -> T {
    let kinds = [Kind::Luminance, Kind::Chrominance, Kind::Chrominance];
    let components: Vec<_> = picture
        .components
        .iter()
        .zip(kinds)
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
fn standard(picture: &Picture) -> Picture {
    let kinds = [Kind::Luminance, Kind::Chrominance, Kind::Chrominance];
    let mut picture = picture.clone();
    for (component, kind) in picture.components.iter_mut().zip(kinds) {
        component.dc = huffman(Class::Dc, kind).to_vec();
        component.ac = huffman(Class::Ac, kind).to_vec();
    }
    picture
}

/// Annex K's table with its symbols in another order.
fn shuffled(class: Class, kind: Kind) -> impl Strategy<Value = Vec<u8>> {
    let (counts, symbols) = huffman(class, kind).split_at(16);
    prop_oneof![
        Just(symbols.to_vec()),
        Just(symbols.to_vec()).prop_shuffle(),
    ]
    .prop_map(move |symbols| [counts, &symbols].concat())
}

fn block() -> impl Strategy<Value = Block> {
    let sparse = prop::collection::vec((1..64_usize, -9..10), 0..12).prop_map(|values| {
        let mut block = [0; 64];
        for (at, value) in values {
            block[at] = value;
        }
        block
    });
    let full = prop::array::uniform32(-1023..1024).prop_map(|values| {
        let mut block = [1; 64];
        block[32..].copy_from_slice(&values);
        block
    });
    let block = prop_oneof![8 => sparse, 1 => full, 1 => Just([0; 64])];
    (block, -1023..1024).prop_map(|(mut block, dc)| {
        block[0] = dc;
        block
    })
}

fn component(
    (across, down): (usize, usize),
    kind: Kind,
    mcus: usize,
) -> impl Strategy<Value = plain::Component> {
    (
        shuffled(Class::Dc, kind),
        shuffled(Class::Ac, kind),
        prop::collection::vec(block(), mcus * across * down),
    )
        .prop_map(move |(dc, ac, blocks)| plain::Component {
            across,
            down,
            dc,
            ac,
            blocks,
        })
}

/// Pictures whose components have these blocks in an MCU.
fn picture(sampling: &'static [(usize, usize)]) -> impl Strategy<Value = Picture> {
    (1..6_usize, 1..4_usize, 0..7_usize).prop_flat_map(move |(mcus_across, mcus_down, interval)| {
        let mcus = mcus_across * mcus_down;
        let kinds = [Kind::Luminance, Kind::Chrominance, Kind::Chrominance];
        let components: Vec<_> = sampling
            .iter()
            .zip(kinds)
            .map(|(&blocks, kind)| component(blocks, kind, mcus))
            .collect();
        components.prop_map(move |components| Picture {
            mcus_across,
            mcus_down,
            interval,
            components,
        })
    })
}

const S422: &[(usize, usize)] = &[(2, 1), (1, 1), (1, 1)];
const S420: &[(usize, usize)] = &[(2, 2), (1, 1), (1, 1)];
const TWO_ROWS: &[(usize, usize)] = &[(2, 2), (1, 2), (1, 2)];
const GREY: &[(usize, usize)] = &[(1, 1)];

fn any_picture() -> impl Strategy<Value = Picture> {
    prop_oneof![
        picture(S422),
        picture(S420),
        picture(TWO_ROWS),
        picture(GREY)
    ]
}

/// `picture` re-coded in this form, with a re-coder that has seen another one.
fn recoded(picture: &Picture, octets: &[u8], form: Form) -> Option<Vec<u8>> {
    with_scan(picture, octets, |scan| {
        let mut recoder = Recoder::default();
        let recoded = recoder.recode(scan, form).map(<[u8]>::to_vec).ok();
        let again = recoder.recode(scan, form).map(<[u8]>::to_vec).ok();
        assert_eq!(recoded, again);
        assert_eq!(recoder.walk(scan).is_ok(), recoded.is_some());
        recoded
    })
}

proptest! {
    #[test]
    fn the_standard_tables_make_the_same_octets(picture in any_picture()) {
        let octets = picture.encode();
        prop_assert_eq!(picture.decode(&octets), Some(picture.clone()));
        let expected = standard(&picture);
        prop_assert_eq!(recoded(&picture, &octets, Form::Same), Some(expected.encode()));
    }

    #[test]
    fn restart_markers_go(picture in any_picture()) {
        let expected = Picture { interval: 0, ..standard(&picture) };
        let recoded = recoded(&picture, &picture.encode(), Form::WithoutRestarts);
        prop_assert_eq!(recoded, Some(expected.encode()));
    }

    #[test]
    fn grey_becomes_422_without_colour(picture in picture(GREY)) {
        let mut expected = standard(&picture);
        let luminance = &mut expected.components[0];
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
        expected.interval = 0;
        expected.mcus_across = picture.mcus_across.div_ceil(2);
        let mcus = expected.mcus_across * expected.mcus_down;
        for _ in 0..2 {
            expected.components.push(plain::Component {
                across: 1,
                down: 1,
                dc: huffman(Class::Dc, Kind::Chrominance).to_vec(),
                ac: huffman(Class::Ac, Kind::Chrominance).to_vec(),
                blocks: vec![[0; 64]; mcus],
            });
        }
        let recoded = recoded(&picture, &picture.encode(), Form::Grey);
        prop_assert_eq!(recoded, Some(expected.encode()));
    }

    #[test]
    fn two_rows_become_single_ones(picture in picture(TWO_ROWS), has_all in any::<bool>()) {
        let mut expected = standard(&picture);
        expected.interval = 0;
        // The lower half of the last MCUs may be filling.
        expected.mcus_down = 2 * picture.mcus_down - usize::from(!has_all);
        for component in &mut expected.components {
            component.down /= 2;
            let blocks = expected.mcus_across * component.across * expected.mcus_down;
            component.blocks.truncate(blocks);
        }
        let form = Form::TwoRows(u32::try_from(expected.mcus_down).unwrap());
        prop_assert_eq!(recoded(&picture, &picture.encode(), form), Some(expected.encode()));
    }

    #[test]
    fn damage_is_seen_as_by_the_plain_decoder(
        picture in any_picture(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..3),
    ) {
        let mut octets = picture.encode();
        for (at, what, octet) in changes {
            let at = at.index(octets.len());
            match what {
                0 => octets[at] = octet,
                1 => octets[at] ^= 1 << (octet % 8),
                2 => drop(octets.drain(at..octets.len().min(at + 1 + usize::from(octet) / 8))),
                _ => octets.insert(at, octet),
            }
            prop_assume!(!octets.is_empty());
        }
        let decoded = picture.decode(&octets);
        let expected = decoded.map(|decoded| standard(&decoded).encode());
        prop_assert_eq!(recoded(&picture, &octets, Form::Same), expected);
    }
}
