//! Walks the marker segments of a JPEG image by their lengths, and octet by octet only where a length is wrong.
//! ITU-T T.81 B.1.1.4 (marker segments), B.2.1 (their order).

use super::habits::{Habit, Habits};
use super::markers::{
    IMAGE_START, LENGTH_OCTETS, Marker, MarkerFound, PREFIX, Place, Segment, code, marker_at,
    parameters_at,
};
use super::resync;
use super::unreadable::Unreadable;

/// Reads marker segments from the start of an image up to and including SOS.
#[derive(Debug, Clone)]
pub struct Segments<'a> {
    jpeg: &'a [u8],
    /// Where the next one should be.
    at: usize,
    last: Place,
    habits: Habits,
}

impl<'a> Segments<'a> {
    /// Starts behind the first SOI marker of `jpeg`.
    pub fn new(jpeg: &'a [u8]) -> Result<Self, Unreadable> {
        match jpeg {
            [] => Err(Unreadable::Empty),
            [PREFIX, code::SOI, ..] => Ok(Self::behind_soi(jpeg, 0)),
            _ => {
                let start = memchr::memmem::find(jpeg, &IMAGE_START);
                Ok(Self::behind_soi(jpeg, start.ok_or(Unreadable::NotJpeg)?))
            }
        }
    }

    /// Starts behind the SOI marker at `offset`.
    pub fn behind_soi(jpeg: &'a [u8], offset: usize) -> Self {
        let mut habits = Habits::default();
        if offset > 0 {
            habits.insert(Habit::OctetsBeforeSoi);
        }
        let last = Place {
            marker: Marker(code::SOI),
            offset,
        };
        Self {
            jpeg,
            at: offset + 2,
            last,
            habits,
        }
    }

    /// The next segment; `Truncated` when the octets end first, `Malformed` when none is there.
    pub fn next_segment(&mut self) -> Result<Segment<'a>, Unreadable> {
        let marker = match marker_at(self.jpeg, self.at) {
            Some(marker) => marker,
            None => self.skip_stray_octets()?,
        };
        let mut segment = Segment {
            marker: marker.code,
            offset: marker.offset,
            parameters: &[],
        };
        self.last = segment.place();
        self.at = marker.end;
        if matches!(marker.code, code::RST0..=code::EOI | code::TEM) {
            return Ok(segment);
        }
        match parameters_at(self.jpeg, marker.end) {
            Some(parameters) => segment.parameters = parameters,
            None if segment.is_comment() && self.has_length_below_its_own() => {
                self.habits.insert(Habit::SegmentLength);
            }
            None if self.has_length_below_its_own() => {
                return Err(Unreadable::Malformed(self.last, "a length of 2 or more"));
            }
            None => return Err(Unreadable::Truncated(self.last)),
        }
        self.at = segment.end();
        if segment.is_comment() && marker_at(self.jpeg, self.at).is_none() {
            let start = marker.end + LENGTH_OCTETS;
            // One that is too short leaves stray octets behind it.
            if let Some(next) = resync::swallowed_by_comment(self.jpeg, start, self.at) {
                self.at = next;
                self.habits.insert(Habit::SegmentLength);
            }
        }
        Ok(segment)
    }

    /// Whether the length field that comes next is there, and does not count itself.
    fn has_length_below_its_own(&self) -> bool {
        matches!(self.rest(), [0, 0 | 1, ..])
    }

    /// The next marker, when none is at its place.
    fn skip_stray_octets(&mut self) -> Result<MarkerFound, Unreadable> {
        if self.rest().iter().all(|&octet| octet == PREFIX) {
            return Err(Unreadable::Truncated(self.last));
        }
        self.habits.insert(Habit::StrayOctets);
        resync::next_segment(self.jpeg, self.at)
            .and_then(|at| marker_at(self.jpeg, at))
            .ok_or(Unreadable::Malformed(
                self.last,
                "another segment behind it",
            ))
    }

    /// What was tolerated up to here.
    pub fn habits(&self) -> Habits {
        self.habits
    }

    /// Where the last segment read ends: after SOS, the entropy-coded scan begins there.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// What follows the last segment read.
    pub fn rest(&self) -> &'a [u8] {
        self.jpeg.get(self.at..).unwrap_or_default()
    }
}

/// Length of an entropy-coded scan up to and including its EOI marker, or `None` when there is none.
///
/// Inside a scan 0xFF is followed by a stuffed 0x00, a restart marker or another 0xFF (B.1.1.5), so the
/// first 0xFF 0xD9 is the end. The search runs forward: padding after the image may itself hold an EOI.
pub fn scan_length(scan: &[u8]) -> Option<usize> {
    memchr::memmem::find(scan, &[PREFIX, code::EOI]).map(|at| at + 2)
}

/// Length of the first whole image of `data`, up to EOI, whatever kind of JPEG it is.
pub fn image_length(data: &[u8]) -> Result<usize, Unreadable> {
    let mut segments = Segments::new(data)?;
    loop {
        // An EOI before the scan ends an empty image, to which a camera adds the picture.
        if segments.next_segment()?.marker == code::SOS {
            let header = segments.offset();
            return scan_length(segments.rest())
                .map(|scan| header + scan)
                .ok_or(Unreadable::NoEndOfImage(data.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_octets_and_lone_markers_are_passed() {
        let jpeg = [
            0xFF, 0xD8, 0xFF, 0xFF, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0x01, 0xFF, 0xDA, 0, 2, 9, 0xFF,
            0xD9,
        ];
        let mut segments = Segments::new(&jpeg).unwrap();
        let app0 = segments.next_segment().unwrap();
        assert_eq!((app0.marker, app0.parameters), (0xE0, &[1u8, 2][..]));
        assert_eq!(segments.next_segment().unwrap().marker, code::TEM);
        assert_eq!(segments.next_segment().unwrap().marker, code::SOS);
        assert_eq!(segments.rest(), &[9, 0xFF, 0xD9]);
        assert_eq!(image_length(&jpeg), Ok(jpeg.len()));
    }

    #[test]
    fn broken_lengths_are_told_apart() {
        fn next(octets: &[u8]) -> Result<Segment<'_>, Unreadable> {
            Segments::new(octets)?.next_segment()
        }
        assert_eq!(next(&[]), Err(Unreadable::Empty));
        assert_eq!(next(&[0x00, 0x00]), Err(Unreadable::NotJpeg));
        let at = |marker, offset| Place {
            marker: Marker(marker),
            offset,
        };
        let soi = at(code::SOI, 0);
        assert_eq!(next(&[0xFF, 0xD8]), Err(Unreadable::Truncated(soi)));
        let nothing = Err(Unreadable::Malformed(soi, "another segment behind it"));
        assert_eq!(next(&[0xFF, 0xD8, 0x41]), nothing);
        assert_eq!(
            next(&[0xFF, 0xD8, 0xFF, 0xDB, 0, 1]),
            Err(Unreadable::Malformed(
                at(code::DQT, 2),
                "a length of 2 or more"
            ))
        );
        assert_eq!(
            next(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 9]),
            Err(Unreadable::Truncated(at(code::APP0, 2)))
        );
    }

    #[test]
    fn the_first_eoi_ends_the_scan() {
        assert_eq!(
            scan_length(&[1, 0xFF, 0, 0xFF, 0xD9, 7, 0xFF, 0xD9]),
            Some(5)
        );
        assert_eq!(scan_length(&[1, 0xFF, 0, 0xFF, 0xD0, 7]), None);
    }
}
