//! A picture as cameras write it against the letter of JPEG, and as it is after damage: pure functions from JPEG octets
//! to JPEG octets. ITU T.81 Annex B.

use super::variants::{APP1, COM, DQT, EOI, Parts, SOF0, SOI, SOS, Segment, scan_of};

/// First octets of the segment with this marker, the first of its kind.
pub fn offset_of(jpeg: &[u8], marker: u8) -> usize {
    let mut at = 2;
    for segment in Parts::of(jpeg).segments {
        if segment.marker == marker {
            return at;
        }
        at += 4 + segment.payload.len();
    }
    panic!("no segment {marker:#04x}");
}

/// With `octets` before the segment with this marker.
pub fn with_octets_before(jpeg: &[u8], marker: u8, octets: &[u8]) -> Vec<u8> {
    let (before, after) = jpeg.split_at(offset_of(jpeg, marker));
    [before, octets, after].concat()
}

/// SOS has these Ss, Se, and Ah with Al.
pub fn with_spectral_selection(jpeg: &[u8], selection: [u8; 3]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    let header = parts.payload_mut(SOS);
    let start = header.len() - 3;
    header[start..].copy_from_slice(&selection);
    parts.join()
}

/// With a comment before the segment with `marker`, whose length is `more` octets off.
pub fn with_wrong_length(jpeg: &[u8], marker: u8, comment: u8, text: &[u8], more: i32) -> Vec<u8> {
    let length = i32::try_from(text.len()).expect("short") + 2 + more;
    let length = u16::try_from(length).expect("a length");
    let [l1, l0] = length.to_be_bytes();
    let segment = [&[0xFF, comment, l1, l0], text].concat();
    with_octets_before(jpeg, marker, &segment)
}

/// SOF1 instead of SOF0.
pub fn with_sof1(jpeg: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    for segment in &mut parts.segments {
        if segment.marker == SOF0 {
            segment.marker = 0xC1;
        }
    }
    parts.join()
}

/// The scan without one of its restart markers and the interval before it: a lost packet, say.
pub fn without_interval(jpeg: &[u8], number: usize) -> Vec<u8> {
    let start = jpeg.len() - Parts::of(jpeg).scan.len();
    let markers = restart_markers(jpeg);
    let from = number
        .checked_sub(1)
        .map_or(start, |before| markers[before] + 2);
    [&jpeg[..from], &jpeg[markers[number] + 2..]].concat()
}

/// Where the restart markers are.
pub fn restart_markers(jpeg: &[u8]) -> Vec<usize> {
    let start = jpeg.len() - Parts::of(jpeg).scan.len();
    let is_marker = |&at: &usize| jpeg[at] == 0xFF && (0xD0..=0xD7).contains(&jpeg[at + 1]);
    (start..jpeg.len() - 1).filter(is_marker).collect()
}

/// With `octets` in the middle of the scan, not between a 0xFF and what follows it.
pub fn with_octets_in_scan(jpeg: &[u8], octets: &[u8]) -> Vec<u8> {
    let middle = jpeg.len() - scan_of(jpeg).len() / 2;
    let is_apart = |&at: &usize| jpeg[at - 1] != 0xFF && jpeg[at] != 0xFF;
    let at = (middle..).find(is_apart).expect("a place between codes");
    [&jpeg[..at], octets, &jpeg[at..]].concat()
}

/// The headers, `scan`, and EOI.
pub fn with_scan(jpeg: &[u8], scan: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    parts.scan = [scan, &[0xFF, EOI]].concat();
    parts.join()
}

/// With this segment first.
pub fn with_segment(jpeg: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    let payload = payload.to_vec();
    parts.segments.insert(0, Segment { marker, payload });
    parts.join()
}

/// With this segment instead of the first, which is JFIF's.
pub fn with_segment_for_jfif(jpeg: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(jpeg);
    assert!(parts.segments[0].payload.starts_with(b"JFIF"));
    parts.segments.remove(0);
    with_segment(&parts.join(), marker, payload)
}

/// Adobe's comment with this colour transform.
pub fn adobe(transform: u8) -> Vec<u8> {
    [b"Adobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat()
}

/// Motion JPEG's comment with this polarity.
pub fn avi1(polarity: u8) -> Vec<u8> {
    [b"AVI1".as_slice(), &[polarity], &[0; 9]].concat()
}

/// How a picture is spelt, with a name for it.
pub type Spelling = (&'static str, fn(&[u8]) -> Vec<u8>);

/// So many of [`HABITS`] are between SOI and the scan; the others come before SOI.
pub const HABITS_INSIDE: usize = 14;

/// All that does not change the picture, by the short name of its habit. None of it may go on the wire.
pub const HABITS: &[Spelling] = &[
    ("spectral-selection", |jpeg| {
        with_spectral_selection(jpeg, [0, 0, 0])
    }),
    ("spectral-selection", |jpeg| {
        with_spectral_selection(jpeg, [1, 63, 0x21])
    }),
    ("stray-octets", |jpeg| with_octets_before(jpeg, DQT, &[0])),
    ("stray-octets", |jpeg| {
        with_octets_before(jpeg, SOF0, &[0xFF, 0, 0xFF])
    }),
    ("stray-octets", |jpeg| {
        with_octets_before(jpeg, SOS, &[9, 0xFF, DQT, 0, 67, 9])
    }),
    ("stray-octets", |jpeg| {
        with_octets_before(jpeg, SOF0, &[0xFF, 0xD3])
    }),
    ("stray-octets", |jpeg| {
        with_wrong_length(jpeg, DQT, COM, &[b'x'; 900], -608)
    }),
    ("stray-octets", |jpeg| {
        with_wrong_length(jpeg, DQT, COM, b"camera", -2)
    }),
    ("segment-length", |jpeg| {
        with_wrong_length(jpeg, SOF0, APP1, b"camera", 2)
    }),
    ("segment-length", |jpeg| {
        with_wrong_length(jpeg, DQT, APP1, b"camera", 100)
    }),
    ("segment-length", |jpeg| {
        with_wrong_length(jpeg, SOS, COM, b"camera", 40)
    }),
    ("segment-length", |jpeg| {
        with_wrong_length(jpeg, DQT, COM, b"", -1)
    }),
    ("second-soi", |jpeg| {
        with_octets_before(jpeg, SOF0, &[0xFF, SOI])
    }),
    ("sof1", with_sof1),
    ("second-soi", |jpeg| [&[0xFF, SOI], jpeg].concat()),
    ("empty-image", |jpeg| {
        [&[0xFF, SOI, 0xFF, EOI], jpeg].concat()
    }),
    ("empty-image", |jpeg| {
        [&[0xFF, SOI, 0xFF, EOI, 0xFF, SOI, 0xFF, EOI], jpeg].concat()
    }),
    ("octets-before-soi", |jpeg| [&[0xFF, EOI], jpeg].concat()),
    ("octets-before-soi", |jpeg| [&[0xFF; 7], jpeg].concat()),
    ("octets-before-soi", |jpeg| [&[0; 512], jpeg].concat()),
    ("octets-before-soi", |jpeg| {
        [&jpeg[jpeg.len() - 700..], jpeg].concat()
    }),
    ("octets-before-soi", |jpeg| {
        [&jpeg[..jpeg.len() / 2], jpeg].concat()
    }),
];
