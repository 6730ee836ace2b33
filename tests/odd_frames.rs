//! Frames as cameras really send them: what decoders pass over goes through and stays off the wire; what is damaged,
//! or would be shown wrong, is refused by name.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

#[path = "odd_frames/properties.rs"]
mod properties;
mod support;

use framewire::jpeg::{Image, Parser};
use framewire::rtp::Refused;
use framewire::stats::DropReason;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use support::frames::{Picture, Sampling, Tables};
use support::oddities::*;
use support::receive::{Sender, packetize};
use support::variants::*;

/// Small, so that many fit into a test.
const SMALL: Picture = Picture {
    width: 160,
    height: 120,
    ..Picture::DEFAULT
};

/// Pictures with restart markers and without, of both samplings.
fn pictures() -> Vec<Vec<u8>> {
    let mut pictures = Vec::new();
    for sampling in [Sampling::S422, Sampling::S420] {
        for (restart_interval, tables) in [(None, Tables::AnnexK), (Some(3), Tables::Foreign)] {
            let picture = Picture {
                sampling,
                restart_interval,
                tables,
                ..SMALL
            };
            pictures.push(picture.encode());
        }
    }
    pictures
}

fn packets(jpeg: &[u8]) -> Result<Vec<Vec<u8>>, Refused> {
    packetize(jpeg, &mut Sender::new(576))
}

/// The name of the reason for which `jpeg` is refused, and the text.
fn refused(jpeg: &[u8]) -> (&'static str, String) {
    let refused = packets(jpeg).expect_err("refused");
    (DropReason::from(refused).name(), refused.to_string())
}

fn habits(jpeg: &[u8]) -> Vec<&'static str> {
    let image = Image::parse(jpeg).expect("a picture");
    image.habits.iter().map(|habit| habit.name()).collect()
}

#[test]
fn habits_stay_off_the_wire_and_are_named() {
    for plain in pictures() {
        let expected = packets(&plain).expect("carried");
        assert!(habits(&plain).is_empty());
        for (name, spell) in HABITS {
            let spelt = spell(&plain);
            assert_eq!(packets(&spelt).as_ref(), Ok(&expected), "{name}");
            assert_eq!(habits(&spelt), [*name]);
            // And what follows the picture is left out all the same.
            let padded = [&spelt, &spelt[..]].concat();
            assert_eq!(packets(&padded).as_ref(), Ok(&expected), "{name}, padded");
        }
    }
}

#[test]
fn nothing_behind_the_first_eoi_leaves_whatever_came_before() {
    let plain = SMALL.encode();
    let mut parser = Parser::default();
    let tail = &plain[plain.len() / 2..];
    for after in [&[][..], &[0xFF, EOI], &plain, tail, &[0; 9], &[0xFF; 9]] {
        for _ in 0..3 {
            let jpeg = with_padding(&plain, after);
            let image = parser.parse(&jpeg).expect("a picture");
            assert_eq!(image.scan, scan_of(&plain));
        }
    }
}

#[test]
fn what_cannot_be_in_a_scan_is_damage() {
    for plain in pictures() {
        for (octets, seen) in [
            (&[0xFF, 0x3C][..], "marker FF 3C"),
            (&[0xFF, SOS, 0, 8, 1, 1, 0, 0, 63, 0], "SOS (FF DA)"),
            (&[0xFF, DHT, 0, 2], "DHT (FF C4)"),
            (&[0xFF, 0xFF, 0xE0], "APP0 (FF E0)"),
            // Fill, and then a zero that makes it data: no encoder writes that.
            (&[0xFF, 0xFF, 0x00], "marker FF 00"),
        ] {
            let (reason, text) = refused(&with_octets_in_scan(&plain, octets));
            assert_eq!(reason, "corrupt-scan");
            assert!(text.contains(seen), "{text}");
            assert!(text.ends_with(": expected scan data or EOI"), "{text}");
        }
    }
    let (reason, text) = refused(&with_octets_in_scan(&SMALL.encode(), &[0xFF, 0xD0]));
    assert_eq!(
        (reason, text.contains("RST0 (FF D0)")),
        ("corrupt-scan", true)
    );
}

#[test]
fn restart_markers_are_counted_and_in_order() {
    for (sampling, interval) in [
        (Sampling::S422, 1),
        (Sampling::S422, 10),
        (Sampling::S420, 7),
        (Sampling::S420, 79),
        (Sampling::S420, 80),
        (Sampling::S420, 0xFFFF),
    ] {
        let picture = Picture {
            restart_interval: Some(interval),
            sampling,
            ..SMALL
        };
        let plain = picture.encode();
        packets(&plain).expect("carried");
        let markers = restart_markers(&plain).len();
        for lost in [0, 1, markers / 2, markers.saturating_sub(1)] {
            if lost < markers {
                let (reason, _) = refused(&without_interval(&plain, lost));
                assert_eq!(reason, "corrupt-scan", "{interval}, {lost}");
            }
        }
    }
    let plain = Picture {
        restart_interval: Some(10),
        ..SMALL
    }
    .encode();
    let (_, text) = refused(&without_interval(&plain, 2));
    assert!(
        text.contains("RST3 (FF D3)") && text.ends_with("expected RST2 (FF D2)"),
        "{text}"
    );
    // The last one: only the number tells.
    let (_, text) = refused(&without_interval(&plain, 13));
    assert!(
        text.ends_with("after 13 restart markers: expected 14 of them"),
        "{text}"
    );
}

#[test]
fn a_scan_shorter_than_any_picture_is_damage() {
    let plain = SMALL.encode();
    // 10 x 15 units of two blocks of 6 bits and two of 4.
    let least = 150 * 20 / 8;
    let (reason, text) = refused(&with_scan(&plain, &[]));
    assert_eq!(reason, "corrupt-scan");
    assert!(
        text.contains("after 0 octets of scan: expected at least 375"),
        "{text}"
    );
    let (reason, _) = refused(&with_scan(&plain, &vec![0; least - 1]));
    assert_eq!(reason, "corrupt-scan");
    packets(&with_scan(&plain, &vec![0; least])).expect("long enough");
    // 10 x 8 units of four blocks of 6 bits and two of 4.
    let plain = Picture {
        sampling: Sampling::S420,
        ..SMALL
    }
    .encode();
    let least = 80 * 32 / 8;
    assert_eq!(
        refused(&with_scan(&plain, &vec![0; least - 1])).0,
        "corrupt-scan"
    );
    packets(&with_scan(&plain, &vec![0; least])).expect("long enough");
}

#[test]
fn every_flat_picture_is_long_enough() {
    for (width, height) in [(8, 8), (16, 16), (161, 121), (640, 480)] {
        for sampling in [SamplingFactor::F_2_1, SamplingFactor::F_2_2] {
            let mut jpeg = Vec::new();
            let mut encoder = Encoder::new(&mut jpeg, 50);
            encoder.set_sampling_factor(sampling);
            let grey = vec![128; usize::from(width) * usize::from(height) * 3];
            encoder
                .encode(&grey, width, height, ColorType::Ycbcr)
                .unwrap();
            packets(&jpeg).expect("carried");
            // The shortest that there is: what its last octet lacks is too much.
            let scan = scan_of(&jpeg);
            let short = with_scan(&jpeg, &scan[..scan.len() - 3]);
            assert_eq!(refused(&short).0, "corrupt-scan", "{width}x{height}");
        }
    }
}

#[test]
fn colours_that_receivers_would_show_wrong_are_refused() {
    let plain = SMALL.encode();
    let (reason, text) = refused(&with_segment_for_jfif(&plain, 0xEE, &adobe(0)));
    assert_eq!(reason, "unsupported-colours");
    assert!(text.contains("RGB"), "{text}");
    // JFIF says that they are Y, Cb, Cr, and so does Adobe's transform 1.
    packets(&with_segment(&plain, 0xEE, &adobe(0))).expect("carried");
    packets(&with_segment_for_jfif(&plain, 0xEE, &adobe(1))).expect("carried");
    packets(&with_segment_for_jfif(&plain, 0xEE, b"Adobe")).expect("carried");
    let mut named = Parts::of(&with_segment_for_jfif(&plain, COM, b""));
    for (at, letter) in [(6, b'R'), (9, b'G'), (12, b'B')] {
        named.payload_mut(SOF0)[at] = letter;
    }
    for (at, letter) in [(1, b'R'), (3, b'G'), (5, b'B')] {
        named.payload_mut(SOS)[at] = letter;
    }
    assert_eq!(refused(&named.join()).0, "unsupported-colours");
}

#[test]
fn of_two_fields_none_is_sent() {
    let plain = SMALL.encode();
    let [odd, even, whole] = [1, 2, 0].map(|polarity| with_segment(&plain, 0xE0, &avi1(polarity)));
    for (first, second) in [(&odd, &even), (&even, &odd)] {
        for padding in [0, 500] {
            let padded = with_padding(first, &vec![0; padding]);
            let (reason, text) = refused(&two_in_one(&padded, second));
            assert_eq!(reason, "unsupported-fields");
            assert!(text.contains("two fields"), "{text}");
        }
    }
    // A polarity alone says nothing, and a whole second picture is what some buffers have behind the first.
    for jpeg in [
        odd.clone(),
        two_in_one(&odd, &odd),
        two_in_one(&whole, &even),
        two_in_one(&odd, &plain),
    ] {
        assert_eq!(packets(&jpeg), packets(&plain));
    }
}

#[test]
fn two_images_of_half_the_expected_height_are_fields() {
    let plain = SMALL.encode();
    let other = Picture { seed: 2, ..SMALL }.encode();
    let smaller = Picture {
        height: 96,
        ..SMALL
    }
    .encode();
    let two = two_in_one(&with_padding(&plain, &[0; 99]), &other);
    let is_field = |jpeg: &[u8], size| {
        let mut parser = Parser::default();
        parser.expect_size(size);
        parser.parse(jpeg).expect("a picture").is_field
    };
    for height in [240, 239, 232, 210] {
        assert!(is_field(&two, Some((160, height))), "{height}");
    }
    for size in [(160, 120), (160, 242), (160, 208), (320, 240), (0, 0)] {
        assert!(!is_field(&two, Some(size)), "{size:?}");
    }
    assert!(!is_field(&two, None));
    // One image, and another one of another size, are no pair.
    assert!(!is_field(&plain, Some((160, 240))));
    assert!(!is_field(&two_in_one(&plain, &smaller), Some((160, 240))));
}

#[test]
fn what_is_malformed_is_named_with_its_place() {
    let plain = SMALL.encode();
    let dqt = offset_of(&plain, DQT);
    let mut long = plain.clone();
    long[dqt + 3] += 1;
    let (reason, text) = refused(&long);
    assert_eq!(reason, "malformed-headers");
    let place = format!("DQT (FF DB) at octet {dqt}: expected tables of 64 values");
    assert!(text.contains(&place), "{text}");

    let mut odd = plain.clone();
    odd[offset_of(&plain, SOF0) + 3] -= 1;
    assert!(
        refused(&odd).1.contains("SOF0 (FF C0) at octet "),
        "{odd:?}"
    );

    let (reason, text) = refused(&truncated(&plain, dqt + 20));
    assert_eq!(reason, "truncated-headers");
    assert!(
        text.contains(&format!("DQT (FF DB) at octet {dqt}")),
        "{text}"
    );

    let (reason, text) = refused(&without_eoi(&plain));
    assert_eq!(reason, "no-eoi");
    assert!(
        text.contains(&format!("expected before octet {}", plain.len() - 2)),
        "{text}"
    );
    // More tables than baseline has.
    let mut extended = Parts::of(&with_sof1(&plain));
    let tables = extended
        .segments
        .iter_mut()
        .filter(|segment| segment.marker == DHT);
    tables.for_each(|segment| segment.payload[0] |= 2);
    assert_eq!(refused(&extended.join()).0, "unsupported-process");
}

#[test]
fn a_missing_eoi_is_appended_where_that_is_allowed() {
    for plain in pictures() {
        let cut = without_eoi(&plain);
        let mut parser = Parser::tolerating_missing_eoi();
        let padded = [0, 1, 700].map(|zeros| with_padding(&cut, &vec![0; zeros]));
        let half_an_eoi = with_padding(&cut, &[0xFF]);
        for jpeg in padded {
            let image = parser.parse(&jpeg).expect("a picture");
            assert_eq!(image.scan, scan_of(&plain));
            assert_eq!(
                image
                    .habits
                    .iter()
                    .map(|habit| habit.name())
                    .collect::<Vec<_>>(),
                ["no-eoi"]
            );
            assert!(Parser::default().parse(&jpeg).is_err());
        }
        assert!(
            parser
                .parse(&half_an_eoi)
                .expect("a picture")
                .scan
                .ends_with(&[0xFF, 0xFF, EOI])
        );
        // One that has it is as it was, and a scan that is too short is no picture.
        let image = parser.parse(&plain).expect("a picture");
        assert_eq!(
            (image.scan, image.habits.iter().count()),
            (&scan_of(&plain)[..], 0)
        );
        let header = plain.len() - Parts::of(&plain).scan.len();
        assert!(parser.parse(&plain[..header + 9]).is_err());
    }
    // A stuffed zero at the end is no padding.
    let stuffed = with_scan(&SMALL.encode(), &[&[0x55; 999][..], &[0xFF, 0]].concat());
    let mut parser = Parser::tolerating_missing_eoi();
    let image = parser
        .parse(&stuffed[..stuffed.len() - 2])
        .map(|image| image.scan.to_vec());
    assert_eq!(image, Ok(scan_of(&stuffed)));
}
