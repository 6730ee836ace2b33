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

#[path = "recode/forms.rs"]
mod forms;
#[path = "recode/plain.rs"]
mod plain;

use forms::{KINDS, recoded_as, with_scan};
use framewire::jpeg::entropy::{Form, Recoder};
use framewire::jpeg::tables::{Class, Kind, huffman};
use plain::{Block, Picture};
use proptest::prelude::*;

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
        let components: Vec<_> = sampling
            .iter()
            .zip(KINDS)
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
        let expected = recoded_as(&picture, Form::Same);
        prop_assert_eq!(recoded(&picture, &octets, Form::Same), Some(expected.encode()));
    }

    #[test]
    fn restart_markers_go(picture in any_picture()) {
        let expected = recoded_as(&picture, Form::WithoutRestarts);
        let recoded = recoded(&picture, &picture.encode(), Form::WithoutRestarts);
        prop_assert_eq!(recoded, Some(expected.encode()));
    }

    #[test]
    fn grey_becomes_422_without_colour(picture in picture(GREY)) {
        let expected = recoded_as(&picture, Form::Grey);
        let recoded = recoded(&picture, &picture.encode(), Form::Grey);
        prop_assert_eq!(recoded, Some(expected.encode()));
    }

    #[test]
    fn two_rows_become_single_ones(picture in picture(TWO_ROWS), has_all in any::<bool>()) {
        let rows = 2 * picture.mcus_down - usize::from(!has_all);
        let form = Form::TwoRows(u32::try_from(rows).unwrap());
        let expected = recoded_as(&picture, form);
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
        // The same coefficients; not the same octets, where the damage ends a block with zeros that nobody would write.
        let expected = picture.decode(&octets).map(|decoded| recoded_as(&decoded, Form::Same));
        let recoded = recoded(&picture, &octets, Form::Same);
        let standard = recoded_as(&picture, Form::Same);
        prop_assert_eq!(recoded.map(|octets| standard.decode(&octets)), expected.map(Some));
    }
}
