//! The same for whatever comes to a generator's mind.

use framewire::jpeg::{Image, Parser};
use framewire::rtp::carry;
use proptest::prelude::*;

use super::support::frames::Picture;
use super::support::oddities::*;
use super::support::variants::*;
use super::{SMALL, packets};

/// What a scan may have, octet by octet: its length, when it is right.
fn right_length(scan: &[u8], restart_markers: Option<usize>) -> Option<usize> {
    let (mut at, mut count) = (0, 0);
    loop {
        let (this, next) = (*scan.get(at)?, scan.get(at + 1).copied());
        if this != 0xFF {
            at += 1;
            continue;
        }
        match next? {
            0 => at += 2,
            0xFF if scan.get(at + 2) == Some(&0) => return None,
            0xFF => at += 1,
            EOI => return (count == restart_markers.unwrap_or(0)).then_some(at + 2),
            code if restart_markers.is_some() && usize::from(code) == 0xD0 + count % 8 => {
                at += 2;
                count += 1;
            }
            _ => return None,
        }
    }
}

/// Octets from the segment with `marker` to the end of it, and of each that follows.
fn lengths_of_segments(jpeg: &[u8], marker: u8) -> Vec<i32> {
    const MARKER_AND_LENGTH: usize = 4;
    let segments = Parts::of(jpeg).segments.into_iter();
    let mut octets = 0;
    let following = segments.skip_while(|segment| segment.marker != marker);
    following
        .map(|segment| {
            octets += MARKER_AND_LENGTH + segment.payload.len();
            i32::try_from(octets).unwrap()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    // But for half a picture: whatever ends with EOI behind it looks like its other half.
    #[test]
    fn habits_may_come_together(
        inside in 0..HABITS_INSIDE,
        outside in prop::collection::vec(HABITS_INSIDE..HABITS.len() - 1, 0..4),
        seed in 0u32..8,
    ) {
        let plain = Picture { seed, ..SMALL }.encode();
        let outside = outside.iter().fold(Vec::new(), |before, &pick| {
            let spelt = HABITS[pick].1(&plain);
            [&before, &spelt[..spelt.len() - plain.len()]].concat()
        });
        let spelt = [outside, HABITS[inside].1(&plain)].concat();
        prop_assert_eq!(packets(&spelt), packets(&plain));
    }

    #[test]
    fn a_scan_is_accepted_when_an_octet_by_octet_look_says_so(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), prop::sample::select(
            &[0xFFu8, 0xFE, 0x00, 0x01, 0xD0, 0xD1, 0xD7, 0xD9, 0xD8, 0xDA, 0x3C, 0x7F][..])), 0..8),
        interval in prop::option::of(1u16..40),
        length in 0usize..1200,
        cut in any::<bool>(),
    ) {
        let plain = Picture { width: 16, height: 64, restart_interval: interval, ..SMALL }.encode();
        let mut jpeg = plain.clone();
        let start = plain.len() - Parts::of(&plain).scan.len();
        for (at, octet) in damage {
            let at = start + at.index(plain.len() - start);
            jpeg[at] = octet;
        }
        if cut {
            jpeg.truncate(start + length.min(jpeg.len() - start));
        }
        // One unit of 16 x 8 pixels each.
        let markers = interval.map(|interval| 8usize.div_ceil(interval.into()) - 1);
        let expected = right_length(&jpeg[start..], markers).filter(|length| length - 2 >= 20);
        match Image::parse(&jpeg) {
            Ok(image) => prop_assert_eq!(Some(image.scan.len()), expected),
            Err(_) => prop_assert_eq!(None, expected),
        }
    }

    #[test]
    fn stray_octets_and_wrong_lengths_never_change_the_picture(
        octets in prop::collection::vec(any::<u8>(), 1..300),
        place in prop::sample::select(&[DQT, SOF0, SOS][..]),
        comment in any::<bool>(),
        more in -300i32..300,
    ) {
        let plain = SMALL.encode();
        let jpeg = if comment {
            with_wrong_length(&plain, place, COM, &octets, more.max(-i32::try_from(octets.len()).unwrap()))
        } else {
            with_octets_before(&plain, place, &octets)
        };
        // Octets that look like a segment by themselves may be taken for one, and then it is malformed. A length that is
        // too long by just the segments behind it takes them with it.
        if let Ok(spelt) = packets(&jpeg) {
            prop_assert_eq!(Ok(spelt), packets(&plain));
        } else {
            let takes_segments = comment && lengths_of_segments(&plain, place).contains(&more);
            prop_assert!(octets.contains(&0xFF) || takes_segments);
        }
    }

    #[test]
    fn damage_anywhere_never_panics_and_what_is_sent_is_a_scan(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        pick in 0..HABITS.len(),
        cut in any::<prop::sample::Index>(),
        missing in any::<bool>(),
    ) {
        let mut jpeg = HABITS[pick].1(&Picture { width: 48, height: 32, restart_interval: Some(2), ..SMALL }.encode());
        for (at, octet) in damage {
            let at = at.index(jpeg.len());
            jpeg[at] = octet;
        }
        jpeg.truncate(1 + cut.index(2 * jpeg.len()));
        let mut parser = if missing { Parser::tolerating_missing_eoi() } else { Parser::default() };
        if let Ok(image) = parser.parse(&jpeg) {
            prop_assert!(image.scan.ends_with(&[0xFF, EOI]));
            let markers = image.layout().mcus.div_ceil(u64::from(image.restart_interval.max(1))).saturating_sub(1);
            let markers = (image.restart_interval > 0).then_some(usize::try_from(markers).unwrap());
            prop_assert_eq!(right_length(image.scan, markers), Some(image.scan.len()));
            let _ = carry(&image);
        }
    }
}
