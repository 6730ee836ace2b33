//! Whether a frame holds two fields of an interlaced picture: two images with half of its lines each.
//! APP0 of Motion JPEG in AVI (OpenDML 1.02) may say so; some devices just deliver two images of half the height.

use super::avi1::Avi1;
use super::header::Headers;
use super::markers::{IMAGE_START, code};
use super::segments::Segments;

/// Lines to which devices round the height of a field up.
const ROUNDING: u16 = 16;

/// What the headers of an image say of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub size: (u16, u16),
    pub avi1: Option<Avi1>,
}

impl Field {
    /// Whether `after` its end comes the other field of a picture that should have this `whole` size.
    pub fn has_other(self, after: &[u8], whole: Option<(u16, u16)>) -> bool {
        let is_marked = matches!(self.avi1, Some(Avi1::Field(_)));
        let is_half = whole.is_some_and(|whole| self.is_half_of(whole));
        if !is_marked && !is_half {
            return false;
        }
        let other = Self::first_of(after);
        other.is_some_and(|other| {
            let are_a_pair = matches!(
                (self.avi1, other.avi1),
                (Some(Avi1::Field(one)), Some(Avi1::Field(two))) if one != two
            );
            other.size == self.size && (are_a_pair || is_half)
        })
    }

    fn is_half_of(self, whole: (u16, u16)) -> bool {
        let half = whole.1.div_ceil(2);
        self.size.0 == whole.0 && (half..half.saturating_add(ROUNDING)).contains(&self.size.1)
    }

    /// The first image of `octets`.
    fn first_of(octets: &[u8]) -> Option<Self> {
        let start = memchr::memmem::find(octets, &IMAGE_START)?;
        let mut segments = Segments::new(octets.get(start..)?).ok()?;
        let mut headers = Headers::default();
        loop {
            let segment = segments.next_segment().ok()?;
            if segment.marker == code::SOS {
                let frame = headers.frame?;
                return Some(Self {
                    size: (frame.width, frame.height),
                    avi1: headers.avi1,
                });
            }
            headers.read(&segment).ok()?;
        }
    }
}
