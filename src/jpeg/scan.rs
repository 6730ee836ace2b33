//! Walks the 0xFF octets of a scan to its end: what else than data can be there is in order, or it is damage.
//! ITU-T T.81 B.1.1.5 (stuffed zeros), B.1.1.2 (fill octets), E.1.4 (restart markers).

use super::layout::Layout;
use super::markers::{Marker, PREFIX, Place, code};
use super::unreadable::Unreadable;

/// Octets that are looked at together, with vector instructions on the usual processors.
const LANES: usize = 64;
/// Restart markers are numbered modulo 8.
const RESTART_NUMBERS: u8 = 8;

/// What must be true of a scan.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Restart markers; `None` when DRI says that there are none.
    pub restart_markers: Option<u64>,
    /// Fewest octets that such a picture takes, without EOI.
    pub octets: u64,
}

impl Expected {
    /// Of a picture with this layout and `restart_interval`.
    pub fn new(layout: &Layout, restart_interval: u16) -> Self {
        let interval = u64::from(restart_interval);
        // The last interval ends with EOI.
        let restart_markers =
            (interval > 0).then(|| layout.mcus.div_ceil(interval).saturating_sub(1));
        Self {
            restart_markers,
            octets: layout.least_octets(),
        }
    }
}

/// The length up to and including EOI of the scan that begins at `start` in `jpeg`.
pub fn length(jpeg: &[u8], start: usize, expected: &Expected) -> Result<usize, Unreadable> {
    let end = end(jpeg, start, expected.restart_markers)?;
    let octets = end.offset - start;
    if u64::try_from(octets).is_ok_and(|octets| octets < expected.octets) {
        return Err(Unreadable::ShortScan(end, octets, expected.octets));
    }
    Ok(octets + 2)
}

/// Where the scan has its EOI.
fn end(jpeg: &[u8], start: usize, restart_markers: Option<u64>) -> Result<Place, Unreadable> {
    let mut at = start;
    let (mut count, mut number) = (0_u64, 0_u8);
    while let Some(marker) = next_marker(jpeg, at) {
        let place = Place {
            marker: Marker(marker.code),
            offset: marker.offset,
        };
        match (marker.code, restart_markers) {
            (code::EOI, expected) => {
                let expected = expected.unwrap_or(0);
                return (count == expected)
                    .then_some(place)
                    .ok_or(Unreadable::RestartCount(place, count, expected));
            }
            (restart @ code::RST0..=code::RST7, Some(_)) => {
                if restart - code::RST0 != number {
                    let expected = Marker(code::RST0 + number);
                    return Err(Unreadable::RestartOrder(place, expected));
                }
                number = (number + 1) % RESTART_NUMBERS;
                count += 1;
            }
            _ => return Err(Unreadable::MarkerInScan(place)),
        }
        at = marker.offset + 2;
    }
    Err(Unreadable::NoEndOfImage(jpeg.len()))
}

/// Two octets that are no data.
struct Found {
    offset: usize,
    code: u8,
}

/// The first 0xFF from `from` on that is neither data nor fill, and what follows it.
fn next_marker(jpeg: &[u8], from: usize) -> Option<Found> {
    let mut at = from + plain_octets(jpeg.get(from..)?);
    loop {
        at += memchr::memchr(PREFIX, jpeg.get(at..)?)?;
        match jpeg.get(at + 1)? {
            0x00 => at += 2,
            &PREFIX => {
                // Fill octets come before a marker: a zero behind them makes no data of the last.
                at += 1;
                if let Some(&code @ 0x00) = jpeg.get(at + 1) {
                    return Some(Found { offset: at, code });
                }
            }
            &code => return Some(Found { offset: at, code }),
        }
    }
}

/// Octets at the start of `scan` without a marker, found by many at a time: how many 0xFF are data does not matter.
fn plain_octets(scan: &[u8]) -> usize {
    let (these, _) = scan.as_chunks::<LANES>();
    let (next, _) = scan.get(1..).unwrap_or_default().as_chunks::<LANES>();
    let both = || these.iter().zip(next);
    let is_plain = |(these, next): (&[u8; LANES], &[u8; LANES])| !may_have_marker(these, next);
    LANES * both().take_while(|&pair| is_plain(pair)).count()
}

/// Whether a 0xFF of `these` has another octet than zero in `next`. Without a branch, the compiler makes vectors of it.
#[inline(always)]
fn may_have_marker(these: &[u8; LANES], next: &[u8; LANES]) -> bool {
    let pairs = these.iter().zip(next);
    let any = pairs.fold(0, |any, (&this, &next)| {
        any | (u8::from(this == PREFIX) & u8::from(next != 0))
    });
    any != 0
}
