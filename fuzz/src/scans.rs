//! Scans through the walk and the re-coder, beside a decoder that does it bit by bit.

use framewire::jpeg::entropy::{Form, Recoder};
use framewire::jpeg::tables::{Class, huffman};

#[path = "../../tests/recode/forms.rs"]
mod forms;
#[path = "../../tests/recode/plain.rs"]
mod plain;

use forms::{KINDS, recoded_as, with_scan};
use plain::{Block, Component, Picture};

/// Blocks of each component in an MCU: 4:2:2, 4:2:0, two rows, grey.
const SAMPLINGS: [&[(usize, usize)]; 4] = [
    &[(2, 1), (1, 1), (1, 1)],
    &[(2, 2), (1, 1), (1, 1)],
    &[(2, 2), (1, 2), (1, 2)],
    &[(1, 1)],
];
/// Octets that say what a picture is like.
const HEADER: usize = 8;
/// Largest difference of a DC coefficient from the last one (T.81 F.1.2.1).
const MAX_DIFFERENCE: i32 = 2047;

/// Any octets as a scan: the walk and the re-coder find it whole when the plain decoder does.
pub fn walk(octets: &[u8]) {
    let Some((header, scan)) = octets.split_first_chunk() else {
        return;
    };
    let picture = Octets(&[]).picture(header);
    let decoded = picture.decode(scan);
    check(&picture, scan, decoded.as_ref(), Form::Same);
}

/// Any picture, re-coded in any form, whole or damaged.
pub fn recode(octets: &[u8]) {
    let Some((header, rest)) = octets.split_first_chunk() else {
        return;
    };
    let mut rest = Octets(rest);
    let damages = rest.next() % 3;
    let damages: Vec<_> = (0..damages)
        .map(|_| [(); 3].map(|()| rest.next()))
        .collect();
    let picture = rest.picture(header);
    let mut scan = picture.encode();
    assert_eq!(picture.decode(&scan).as_ref(), Some(&picture));
    for [place, what, octet] in damages {
        let at = usize::from(place) * scan.len() / 256;
        match what % 3 {
            0 => scan[at] = octet,
            1 => drop(scan.drain(at..scan.len().min(at + 1 + usize::from(octet) / 32))),
            _ => scan.insert(at, octet),
        }
        if scan.is_empty() {
            return;
        }
    }
    let decoded = picture.decode(&scan);
    let rows = u32::try_from(2 * picture.mcus_down).expect("few");
    let forms: &[Form] = match (picture.components.len(), picture.components[0].down) {
        (1, _) => &[Form::Same, Form::WithoutRestarts, Form::Grey],
        (_, 2) if picture.components[1].down == 2 => {
            &[Form::Same, Form::TwoRows(rows), Form::TwoRows(rows - 1)]
        }
        _ => &[Form::Same, Form::WithoutRestarts],
    };
    for &form in forms {
        check(&picture, &scan, decoded.as_ref(), form);
    }
}

/// What the walk and the re-coder say of a scan that is `decoded` so.
fn check(picture: &Picture, scan: &[u8], decoded: Option<&Picture>, form: Form) {
    let (walked, first, again) = with_scan(picture, scan, |scan| {
        let mut recoder = Recoder::default();
        let walked = recoder.walk(scan);
        let first = recoder.recode(scan, form).map(<[u8]>::to_vec);
        (
            walked,
            first,
            recoder.recode(scan, form).map(<[u8]>::to_vec),
        )
    });
    assert_eq!(first, again, "a re-coder does not remember pictures");
    assert_eq!(walked.is_ok(), decoded.is_some(), "{walked:?}");
    let expected = decoded.map(|decoded| recoded_as(decoded, form));
    let expected = expected.filter(|expected| form == Form::Same || can_be_coded(expected));
    assert_eq!(first.is_ok(), expected.is_some(), "{form:?}: {first:?}");
    if form == Form::Same {
        assert_eq!(walked.err(), first.as_ref().err().copied());
    }
    let Ok(recoded) = first else {
        return;
    };
    let layout = recoded_as(picture, form);
    assert_eq!(layout.decode(&recoded), expected, "{form:?}");
}

/// Whether no DC coefficient is too far from the last one.
fn can_be_coded(picture: &Picture) -> bool {
    let mut last = [0; 3];
    picture
        .mcus()
        .into_iter()
        .flatten()
        .all(|(component, place)| {
            let dc = picture.components[component].blocks[place][0];
            let difference = dc - std::mem::replace(&mut last[component], dc);
            difference.abs() <= MAX_DIFFERENCE
        })
}

/// Octets that are used up; then zeros.
struct Octets<'a>(&'a [u8]);

impl Octets<'_> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn picture(&mut self, header: &[u8; HEADER]) -> Picture {
        let [kind, across, down, interval, turns @ ..] = *header;
        let (mcus_across, mcus_down) = (usize::from(across % 6) + 1, usize::from(down % 4) + 1);
        let sampling = SAMPLINGS[usize::from(kind) % SAMPLINGS.len()];
        let components = sampling.iter().enumerate().map(|(index, &(across, down))| {
            // Cb and Cr have the same tables, or not.
            let turns = match (index, kind / 128) {
                (0, _) => [turns[0], turns[1]],
                (1, _) | (_, 0) => [turns[2], turns[3]],
                _ => [turns[3], turns[2]],
            };
            let table = |class, turn| {
                let (counts, symbols) = huffman(class, KINDS[index]).split_at(16);
                let mut symbols = symbols.to_vec();
                let length = symbols.len();
                symbols.rotate_left(usize::from(turn) % length);
                [counts, &symbols].concat()
            };
            Component {
                across,
                down,
                dc: table(Class::Dc, turns[0]),
                ac: table(Class::Ac, turns[1]),
                blocks: (0..mcus_across * mcus_down * across * down)
                    .map(|_| self.block())
                    .collect(),
            }
        });
        Picture {
            mcus_across,
            mcus_down,
            interval: usize::from(interval % 8),
            components: components.collect(),
        }
    }

    fn block(&mut self) -> Block {
        let mut block = [0; 64];
        block[0] = self.value();
        match self.next() {
            full @ 0xF0.. => block[1..].fill(i32::from(full & 0x0F) - 7),
            count => {
                for _ in 0..count % 16 {
                    block[1 + usize::from(self.next()) % 63] = self.value();
                }
            }
        }
        block
    }

    /// Within what a coefficient can be, often small.
    fn value(&mut self) -> i32 {
        let value = i32::from(self.next().cast_signed());
        match value {
            -64..64 => value,
            _ => (value * 16 + i32::from(self.next() % 16)).clamp(-1023, 1023),
        }
    }
}
