//! The extension in the first packet of a frame: the time of its capture, or the size that RTP/JPEG has no room for.
//! RFC 3550 5.3.1; RFC 8285 4.2 (one-byte header) and RFC 6051 3.3 (64-bit NTP time); JPEG over RTP in the ONVIF
//! Streaming Specification.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |            0xBEDE             |           length 3            |
//! | ID 1  | len 7 |  NTP time, 8 octets …                         |
//! |                             …                                 |
//! |               |        padding                                |
//!
//! |            0xFFD8             |           length 9            |
//! | SOF0, 19 octets …  | fill, 3 octets | SOS, 14 octets …        |
//! ```

use super::carry::{Carried, Sampling};

/// What the element with the time is called in session descriptions (RFC 8285 5).
pub const NTP_64_ID: u8 = 1;
/// The same for everybody (RFC 6051 3.3).
pub const NTP_64_URI: &str = "urn:ietf:params:rtp-hdrext:ntp-64";

/// Most octets of an extension.
pub const MAX_EXTENSION_OCTETS: usize = FRAME_OCTETS;

/// Octets of the extension with the time.
const TIME_OCTETS: usize = 16;
/// Octets of the one with the frame's markers.
const FRAME_OCTETS: usize = 40;
/// Up to the time: one-byte headers, three words, the identifier with the length less one.
const BEFORE_TIME: [u8; 5] = [0xBE, 0xDE, 0, 3, (NTP_64_ID << 4) | 7];
/// What fills the last word.
const AFTER_TIME: [u8; 3] = [0; 3];
/// JPEG markers follow, nine words.
const MARKERS: [u8; 4] = [0xFF, 0xD8, 0, 9];
/// Up to the height: SOF0 of 17 octets with 8-bit samples (T.81 B.2.2).
const BEFORE_SIZE: [u8; 5] = [0xFF, 0xC0, 0, 17, 8];
/// Octets of SOF0.
const FRAME_HEADER_OCTETS: usize = 19;
/// Behind the sampling factors of the first component: its quantization table, and the other two components.
const AFTER_SAMPLING: [u8; 7] = [0, 2, 0x11, 1, 3, 0x11, 1];
/// What fills the words, before the last marker.
const FILL: [u8; 3] = [0xFF; 3];
/// SOS, for the scan of all three components with annex K's tables (T.81 B.2.3).
pub(super) const SCAN_HEADER: [u8; 14] =
    [0xFF, 0xDA, 0, 12, 3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0];

/// SOF0 of a picture.
pub(super) fn frame_header(
    width: u16,
    height: u16,
    sampling: Sampling,
) -> [u8; FRAME_HEADER_OCTETS] {
    let [prefix, marker, l1, l0, precision] = BEFORE_SIZE;
    let ([h1, h0], [w1, w0]) = (height.to_be_bytes(), width.to_be_bytes());
    let [t0, b, s1, t1, c, s2, t2] = AFTER_SAMPLING;
    let y = sampling.luminance();
    [
        prefix, marker, l1, l0, precision, h1, h0, w1, w0, 3, 1, y, t0, b, s1, t1, c, s2, t2,
    ]
}

/// What the first packet of a frame says besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// When the picture was captured, as NTP time.
    CaptureTime(u64),
    /// How the picture begins, where RTP/JPEG's header cannot say its size.
    Frame {
        /// In pixels.
        width: u16,
        /// In pixels.
        height: u16,
        /// Of the components.
        sampling: Sampling,
    },
}

impl Extension {
    /// What is said with `picture`: a packet has room for one extension, and the time is there only when it is wanted.
    pub fn new(capture_time: Option<u64>, picture: &Carried) -> Option<Self> {
        let frame = || {
            picture.is_large().then_some(Self::Frame {
                width: picture.width,
                height: picture.height,
                sampling: picture.sampling,
            })
        };
        capture_time.map(Self::CaptureTime).or_else(frame)
    }

    /// Its octets.
    pub fn octets(&self) -> usize {
        match self {
            Self::CaptureTime(_) => TIME_OCTETS,
            Self::Frame { .. } => FRAME_OCTETS,
        }
    }

    /// Hands them to `write`, in order.
    pub fn write(self, mut write: impl FnMut(&[u8])) {
        match self {
            Self::CaptureTime(time) => {
                write(&BEFORE_TIME);
                write(&time.to_be_bytes());
                write(&AFTER_TIME);
            }
            Self::Frame {
                width,
                height,
                sampling,
            } => {
                write(&MARKERS);
                write(&frame_header(width, height, sampling));
                write(&FILL);
                write(&SCAN_HEADER);
            }
        }
    }

    /// The extension that begins `octets`, and what follows it; `None` when it is none as [`Self::write`] writes it.
    pub fn parse(octets: &[u8]) -> Option<(Self, &[u8])> {
        if let Some(rest) = octets.strip_prefix(&BEFORE_TIME) {
            let (time, rest) = rest.split_first_chunk()?;
            let rest = rest.strip_prefix(&AFTER_TIME)?;
            return Some((Self::CaptureTime(u64::from_be_bytes(*time)), rest));
        }
        let rest = octets.strip_prefix(&MARKERS)?.strip_prefix(&BEFORE_SIZE)?;
        let (&[h1, h0, w1, w0, 3, 1, factors], rest) = rest.split_first_chunk()? else {
            return None;
        };
        let rest = rest.strip_prefix(&AFTER_SAMPLING)?;
        let rest = rest.strip_prefix(&FILL)?.strip_prefix(&SCAN_HEADER)?;
        let frame = Self::Frame {
            width: u16::from_be_bytes([w1, w0]),
            height: u16::from_be_bytes([h1, h0]),
            sampling: Sampling::of_luminance(factors)?,
        };
        Some((frame, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Extension = Extension::Frame {
        width: 0x0A20,
        height: 0x0798,
        sampling: Sampling::Yuv420,
    };

    fn octets(extension: Extension) -> Vec<u8> {
        let mut all = Vec::new();
        extension.write(|octets| all.extend_from_slice(octets));
        assert_eq!(all.len(), extension.octets());
        all
    }

    #[test]
    fn octets_are_those_of_the_specifications() {
        let time = [
            0xBE, 0xDE, 0, 3, 0x17, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0, 0, 0,
        ];
        let extension = Extension::CaptureTime(0x1112_1314_1516_1718);
        assert_eq!(octets(extension), time);
        let frame = [
            0xFF, 0xD8, 0, 9, 0xFF, 0xC0, 0, 17, 8, 7, 0x98, 0x0A, 0x20, 3, 1, 0x22, 0, 2, 0x11, 1,
            3, 0x11, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0,
        ];
        assert_eq!(octets(FRAME), frame);
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        for extension in [Extension::CaptureTime(u64::MAX), FRAME] {
            let good = octets(extension);
            let packet = [&good[..], b"payload"].concat();
            assert_eq!(
                Extension::parse(&packet),
                Some((extension, &b"payload"[..]))
            );
            for index in 0..good.len() {
                assert_eq!(Extension::parse(&good[..index]), None);
                let mut other = good.clone();
                other[index] ^= 0x40;
                let read = Extension::parse(&other);
                assert!(
                    read.is_none_or(|(read, _)| octets(read) == other),
                    "{index}"
                );
            }
        }
    }
}
