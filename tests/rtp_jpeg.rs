//! Every kind of picture that RTP/JPEG carries arrives at an independent receiver with the same pixels; every
//! other kind is refused with its reason.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use framewire::jpeg::{Image, Unreadable};
use framewire::rtp::{Refused, carry};
use proptest::prelude::*;
use support::frames::{Picture, Sampling, Tables};
use support::huffman::optimised_huffman;
use support::receive::{Sender, depacketize, headers, packetize, pixels, with_size_of};
use support::variants::*;

/// Sends `jpeg`, and expects the receiver's picture to decode to the samples of `plain`.
fn arrives_as(plain: &[u8], jpeg: &[u8], octets: u16) {
    let packets = packetize(jpeg, &mut Sender::new(octets)).expect("the picture can be carried");
    let received = depacketize(&packets);
    assert!(
        pixels(&with_size_of(plain, &received)) == pixels(plain),
        "pixels differ"
    );
}

fn arrives(jpeg: &[u8]) {
    arrives_as(jpeg, jpeg, 1400);
}

#[test]
fn both_samplings_with_and_without_restart_markers() {
    for sampling in [Sampling::S422, Sampling::S420] {
        for restart_interval in [None, Some(1), Some(40), Some(0x3FFF)] {
            for tables in [Tables::AnnexK, Tables::Foreign] {
                arrives(
                    &Picture {
                        sampling,
                        restart_interval,
                        tables,
                        ..Picture::DEFAULT
                    }
                    .encode(),
                );
            }
        }
    }
}

#[test]
fn sizes_that_are_no_multiple_of_eight() {
    for (width, height) in [(1, 1), (17, 9), (650, 483), (1366, 768), (2040, 2040)] {
        for sampling in [Sampling::S422, Sampling::S420] {
            let picture = Picture {
                width,
                height,
                sampling,
                ..Picture::DEFAULT
            };
            let jpeg = picture.encode();
            arrives(&jpeg);
            let packets = packetize(&jpeg, &mut Sender::new(1400)).expect("carried");
            let units =
                [width.div_ceil(8), height.div_ceil(8)].map(|units| u8::try_from(units).unwrap());
            let (_, header) = headers(&packets[0]);
            assert_eq!([header.width, header.height], units);
        }
    }
}

#[test]
fn every_spelling_of_the_same_picture() {
    let plain = Picture::DEFAULT.encode();
    let foreign = Picture {
        tables: Tables::Foreign,
        ..Picture::DEFAULT
    }
    .encode();
    for plain in [plain, foreign] {
        for jpeg in [
            without_dht(&plain),
            three_dqt_ids(&plain),
            merged_dqt(&plain),
            merged_dht(&plain),
            swapped_table_ids(&plain),
            sixteen_bit_dqt(&plain),
            with_app_segments(&plain),
            with_fill_octets(&plain),
            with_fill_before_eoi(&plain),
            swapped_huffman_ids(&plain),
        ] {
            arrives_as(&plain, &jpeg, 1400);
        }
    }
    arrives(
        &Picture {
            tables: Tables::OneForAll,
            ..Picture::DEFAULT
        }
        .encode(),
    );
}

#[test]
fn what_follows_the_image_is_cut() {
    let plain = Picture::DEFAULT.encode();
    let other = Picture {
        seed: 2,
        ..Picture::DEFAULT
    }
    .encode();
    let expected = packetize(&plain, &mut Sender::new(1400)).expect("carried");
    let tail = &plain[plain.len() - 999..];
    for padded in [
        with_padding(&plain, &[0; 3000]),
        with_padding(&plain, &[0xFF; 3000]),
        with_padding(&plain, tail),
        two_in_one(&plain, &other),
    ] {
        let packets = packetize(&padded, &mut Sender::new(1400)).expect("carried");
        assert!(packets == expected);
    }
}

#[test]
fn standard_tables_are_named_others_are_sent() {
    for quality in [1, 25, 50, 85, 99] {
        let picture = Picture {
            quality,
            ..Picture::DEFAULT
        };
        let jpeg = picture.encode();
        arrives(&jpeg);
        let packets = packetize(&jpeg, &mut Sender::new(1400)).expect("carried");
        let (_, header) = headers(&packets[0]);
        assert_eq!(header.q, quality);
    }
    // All ones: no Q of 1..=99 means that.
    for (quality, tables) in [(100, Tables::AnnexK), (85, Tables::Foreign)] {
        let picture = Picture {
            quality,
            tables,
            ..Picture::DEFAULT
        };
        let jpeg = picture.encode();
        arrives(&jpeg);
        let packets = packetize(&jpeg, &mut Sender::new(1400)).expect("carried");
        let (_, header) = headers(&packets[0]);
        assert_eq!(header.q, 255);
        assert!(header.tables.is_some());
    }
}

#[test]
fn parameters_may_change_from_frame_to_frame() {
    let mut packetizer = Sender::new(1400);
    let mut sequence_number = u16::MAX - 2;
    let pictures = [
        Picture::DEFAULT,
        Picture {
            sampling: Sampling::S420,
            restart_interval: Some(7),
            ..Picture::DEFAULT
        },
        Picture {
            width: 320,
            height: 240,
            tables: Tables::Foreign,
            ..Picture::DEFAULT
        },
    ];
    for picture in pictures.into_iter().cycle().take(6) {
        let jpeg = picture.encode();
        let packets = packetize(&jpeg, &mut packetizer).expect("carried");
        for packet in &packets {
            assert_eq!(headers(packet).0.sequence_number, sequence_number);
            sequence_number = sequence_number.wrapping_add(1);
        }
        assert!(pixels(&depacketize(&packets)) == pixels(&jpeg));
    }
}

#[test]
fn what_cannot_be_carried_is_refused_with_the_reason() {
    let plain = Picture::DEFAULT.encode();
    let sampled = |sampling| {
        Picture {
            sampling,
            ..Picture::DEFAULT
        }
        .encode()
    };
    let without_size = |jpeg: &[u8]| {
        let mut parts = Parts::of(jpeg);
        for segment in &mut parts.segments {
            if segment.marker == SOF0 {
                segment.payload[1..5].fill(0);
            }
        }
        parts.join()
    };
    use Refused as R;
    use Unreadable as U;
    for (jpeg, reason) in [
        (Vec::new(), U::Empty.into()),
        (b"GIF89a".to_vec(), U::NotJpeg.into()),
        (
            truncated(&plain, plain.len() / 2),
            U::NoEndOfImage(plain.len() / 2).into(),
        ),
        (without_eoi(&plain), U::NoEndOfImage(plain.len() - 2).into()),
        (sampled(Sampling::S444), R::Sampling(0x11, 0x11, 0x11)),
        (sampled(Sampling::S440), R::Sampling(0x12, 0x11, 0x11)),
        (sampled(Sampling::Grey), R::Components(1)),
        (without_size(&plain), R::Size(0, 0)),
        (Picture::DEFAULT.progressive(), U::Process(2).into()),
        (Picture::DEFAULT.three_scans(), U::Scans(1, 3).into()),
        (optimised_huffman(&plain), R::Huffman),
        (three_different_tables(&plain), R::ChrominanceTables),
    ] {
        let carried = Image::parse(&jpeg)
            .map_err(Refused::from)
            .and_then(|image| carry(&image).map(|_| ()));
        assert_eq!(carried, Err(reason));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_picture_arrives_through_any_mtu(
        width in 1u16..300,
        height in 1u16..300,
        yuv420: bool,
        restart_interval in proptest::option::of(1u16..500),
        quality in 1u8..=100,
        foreign: bool,
        octets in 576u16..=9000,
        seed: u32,
    ) {
        let jpeg = Picture {
            width,
            height,
            sampling: if yuv420 { Sampling::S420 } else { Sampling::S422 },
            quality,
            restart_interval,
            tables: if foreign { Tables::Foreign } else { Tables::AnnexK },
            seed,
        }
        .encode();
        arrives_as(&jpeg, &jpeg, octets);
    }

    #[test]
    fn damaged_headers_never_panic_and_what_is_accepted_is_whole(
        damage in proptest::collection::vec((0usize..700, any::<u8>()), 1..6),
        cut in 0usize..4000,
    ) {
        let mut jpeg = Picture { width: 48, height: 32, tables: Tables::Foreign, ..Picture::DEFAULT }.encode();
        for (at, octet) in damage {
            if let Some(target) = jpeg.get_mut(at) {
                *target = octet;
            }
        }
        jpeg.truncate(cut.max(1));
        // `packetize` checks the packets of whatever is still accepted.
        let _ = packetize(&jpeg, &mut Sender::new(576));
    }
}
