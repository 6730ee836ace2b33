//! Finds the next segment where none is at its place: cameras write stray octets, and wrong lengths of comments.
//! ITU-T T.81 B.1.1.4 (marker segments): a place is believed only when what is there is a segment in every octet.

use super::header;
use super::markers::{PREFIX, Segment, code, marker_at, parameters_at};

/// Most octets by which the length of a comment can be too long. Thumbnails in comments are longer, so that the
/// segments of their headers are not taken for the picture's.
const MOST_TOO_LONG: usize = 512;
/// Most segments that are followed from one place. Cameras have a dozen.
const MOST_SEGMENTS: usize = 64;

/// Where the segment after a comment begins that has its parameters from `start` on, and is so long that it ends at
/// `end`, behind the start of other segments. All of them must be right up to the scan.
pub fn swallowed_by_comment(jpeg: &[u8], start: usize, end: usize) -> Option<usize> {
    let earliest = start.max(end.saturating_sub(MOST_TOO_LONG));
    let mut swallowed = candidates(jpeg, earliest).take_while(|&at| at < end);
    swallowed.find(|&at| leads_to_scan(jpeg, at))
}

/// The first place from `from` on where a segment is.
pub fn next_segment(jpeg: &[u8], from: usize) -> Option<usize> {
    candidates(jpeg, from).find(|&at| end_of_segment(jpeg, at).is_some())
}

/// All places from `from` on that a marker may have.
fn candidates(jpeg: &[u8], from: usize) -> impl Iterator<Item = usize> {
    let rest = jpeg.get(from..).unwrap_or_default();
    // Of many fill octets the last is the marker's.
    let is_last = |&at: &usize| rest.get(at + 1) != Some(&PREFIX);
    let all = memchr::memchr_iter(PREFIX, rest).filter(is_last);
    all.map(move |at| from + at)
}

fn leads_to_scan(jpeg: &[u8], mut at: usize) -> bool {
    for _ in 0..MOST_SEGMENTS {
        match end_of_segment(jpeg, at) {
            Some(End::OfScanHeader) => return true,
            Some(End::At(end)) => at = end,
            None => return false,
        }
    }
    false
}

/// What a segment ends with.
enum End {
    /// Another marker, here.
    At(usize),
    /// The scan.
    OfScanHeader,
}

/// The end of the segment at `at`; `None` when there is none, or one with something wrong.
fn end_of_segment(jpeg: &[u8], at: usize) -> Option<End> {
    let marker = marker_at(jpeg, at)?;
    if marker.code == code::SOI {
        return (jpeg.get(marker.end) == Some(&PREFIX)).then_some(End::At(marker.end));
    }
    let parameters = parameters_at(jpeg, marker.end)?;
    let segment = Segment {
        marker: marker.code,
        offset: marker.offset,
        parameters,
    };
    if !segment.is_comment() && !header::is_exact(&segment) {
        return None;
    }
    if marker.code == code::SOS {
        return Some(End::OfScanHeader);
    }
    let end = segment.end();
    // What comes after any number of fill octets is looked at when it is its turn.
    let is_followed = matches!(jpeg.get(end..), Some([PREFIX, 0xC0..=PREFIX, ..]));
    is_followed.then_some(End::At(end))
}
