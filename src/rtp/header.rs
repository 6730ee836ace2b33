//! The header that begins every RTP packet.
//! RFC 3550 5.1.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! |                           timestamp                           |
//! |           synchronization source (SSRC) identifier            |
//! |                  extension, in a frame's first packet         |   X = 1
//! ```

use super::extension::Extension;

/// Octets of the header without CSRC list and extension.
pub const HEADER_OCTETS: usize = 12;
/// Payload type of JPEG video (RFC 3551 table 5).
pub const PAYLOAD_TYPE_JPEG: u8 = 26;

/// Version 2, no padding, no extension, no CSRC.
const FIRST_OCTET: u8 = 2 << 6;
/// Extension bit.
const EXTENSION_BIT: u8 = 1 << 4;
/// The marker bit above the payload type.
const MARKER: u8 = 1 << 7;

/// An RTP header of a JPEG packet, without CSRC list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RtpHeader {
    /// True on the last packet of a frame (RFC 2435 3).
    pub marker: bool,
    /// Increments by one with each packet, wraps.
    pub sequence_number: u16,
    /// 90 kHz; the same in all packets of a frame.
    pub timestamp: u32,
    /// Synchronization source.
    pub ssrc: u32,
    /// What the first packet of a frame says besides.
    pub extension: Option<Extension>,
}

impl RtpHeader {
    /// Octets of the header.
    #[inline(always)]
    pub fn octets(&self) -> usize {
        HEADER_OCTETS + self.extension.as_ref().map_or(0, Extension::octets)
    }

    /// Hands the header's octets to `write`, in order.
    #[inline(always)]
    pub fn write(self, mut write: impl FnMut(&[u8])) {
        write(&self.fixed_octets());
        if let Some(extension) = self.extension {
            extension.write(write);
        }
    }

    fn fixed_octets(self) -> [u8; HEADER_OCTETS] {
        let [s1, s0] = self.sequence_number.to_be_bytes();
        let [t3, t2, t1, t0] = self.timestamp.to_be_bytes();
        let [c3, c2, c1, c0] = self.ssrc.to_be_bytes();
        let marker = if self.marker { MARKER } else { 0 };
        let extension = self.extension.map_or(0, |_| EXTENSION_BIT);
        [
            FIRST_OCTET | extension,
            marker | PAYLOAD_TYPE_JPEG,
            s1,
            s0,
            t3,
            t2,
            t1,
            t0,
            c3,
            c2,
            c1,
            c0,
        ]
    }

    /// The header that begins `packet`, and the payload behind it; `None` when it is not one as
    /// [`Self::write`] writes it.
    pub fn parse(packet: &[u8]) -> Option<(Self, &[u8])> {
        const EXTENDED: u8 = FIRST_OCTET | EXTENSION_BIT;
        let (fixed, payload) = packet.split_first_chunk::<HEADER_OCTETS>()?;
        let [
            first_octet,
            marker_and_type,
            s1,
            s0,
            t3,
            t2,
            t1,
            t0,
            c3,
            c2,
            c1,
            c0,
        ] = *fixed;
        let (extension, payload) = match first_octet {
            FIRST_OCTET => (None, payload),
            EXTENDED => {
                let (extension, payload) = Extension::parse(payload)?;
                (Some(extension), payload)
            }
            _ => return None,
        };
        let header = Self {
            marker: marker_and_type & MARKER != 0,
            sequence_number: u16::from_be_bytes([s1, s0]),
            timestamp: u32::from_be_bytes([t3, t2, t1, t0]),
            ssrc: u32::from_be_bytes([c3, c2, c1, c0]),
            extension,
        };
        (marker_and_type & !MARKER == PAYLOAD_TYPE_JPEG).then_some((header, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(header: RtpHeader) -> Vec<u8> {
        let mut all = Vec::new();
        header.write(|octets| all.extend_from_slice(octets));
        assert_eq!(all.len(), header.octets());
        all
    }

    #[test]
    fn octets_are_those_of_rfc_3550() {
        let mut header = RtpHeader {
            marker: true,
            sequence_number: 0x0102,
            timestamp: 0x0304_0506,
            ssrc: 0x0708_090A,
            extension: None,
        };
        assert_eq!(octets(header), [0x80, 0x9A, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        header.marker = false;
        assert_eq!(octets(header), [0x80, 0x1A, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        header.extension = Some(Extension::CaptureTime(7));
        assert_eq!(octets(header)[..3], [0x90, 0x1A, 1]);
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let time = Some(Extension::CaptureTime(u64::MAX));
        for (marker, extension) in [(false, None), (true, None), (true, time)] {
            let header = RtpHeader {
                marker,
                sequence_number: 0x0102,
                timestamp: 0x0304_0506,
                ssrc: 0x0708_090A,
                extension,
            };
            let packet = [&octets(header)[..], b"payload"].concat();
            assert_eq!(RtpHeader::parse(&packet), Some((header, &b"payload"[..])));
            for cut in 0..header.octets() {
                assert_eq!(RtpHeader::parse(&packet[..cut]), None);
            }
            // Another version, padding, a CSRC, another payload type.
            let mut others = vec![(0, 0x00), (0, 0xA0), (0, 0x81), (1, 96)];
            // An extension that is none.
            others.extend(extension.is_none().then_some((0, 0x90)));
            for (index, octet) in others {
                let mut other = packet.clone();
                other[index] = octet;
                assert_eq!(RtpHeader::parse(&other), None, "{index} {octet:#x}");
            }
        }
    }
}
