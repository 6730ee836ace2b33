//! The fixed header that begins every RTP packet.
//! RFC 3550 5.1.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! |                           timestamp                           |
//! |           synchronization source (SSRC) identifier            |
//! ```

/// Octets of the header without CSRC list and extension.
pub const HEADER_OCTETS: usize = 12;
/// Payload type of JPEG video (RFC 3551 table 5).
pub const PAYLOAD_TYPE_JPEG: u8 = 26;

/// Version 2, no padding, no extension, no CSRC.
const FIRST_OCTET: u8 = 2 << 6;
/// The marker bit above the payload type.
const MARKER: u8 = 1 << 7;

/// An RTP header of a JPEG packet, without CSRC list and extension.
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
}

impl RtpHeader {
    /// The header's octets.
    pub fn to_octets(self) -> [u8; HEADER_OCTETS] {
        let [s1, s0] = self.sequence_number.to_be_bytes();
        let [t3, t2, t1, t0] = self.timestamp.to_be_bytes();
        let [c3, c2, c1, c0] = self.ssrc.to_be_bytes();
        let marker = if self.marker { MARKER } else { 0 };
        [
            FIRST_OCTET,
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
    /// [`Self::to_octets`] writes it.
    pub fn parse(packet: &[u8]) -> Option<(Self, &[u8])> {
        let (
            &[
                FIRST_OCTET,
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
            ],
            payload,
        ) = packet.split_first_chunk::<HEADER_OCTETS>()?
        else {
            return None;
        };
        let header = Self {
            marker: marker_and_type & MARKER != 0,
            sequence_number: u16::from_be_bytes([s1, s0]),
            timestamp: u32::from_be_bytes([t3, t2, t1, t0]),
            ssrc: u32::from_be_bytes([c3, c2, c1, c0]),
        };
        (marker_and_type & !MARKER == PAYLOAD_TYPE_JPEG).then_some((header, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_those_of_rfc_3550() {
        let mut header = RtpHeader {
            marker: true,
            sequence_number: 0x0102,
            timestamp: 0x0304_0506,
            ssrc: 0x0708_090A,
        };
        assert_eq!(
            header.to_octets(),
            [0x80, 0x9A, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        );
        header.marker = false;
        assert_eq!(header.to_octets()[1], 0x1A);
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        for marker in [false, true] {
            let header = RtpHeader {
                marker,
                sequence_number: 0x0102,
                timestamp: 0x0304_0506,
                ssrc: 0x0708_090A,
            };
            let packet = [&header.to_octets()[..], b"payload"].concat();
            assert_eq!(RtpHeader::parse(&packet), Some((header, &b"payload"[..])));
            assert_eq!(RtpHeader::parse(&packet[..HEADER_OCTETS - 1]), None);
            // Another version, an extension, a CSRC, another payload type.
            for (index, octet) in [(0, 0x00), (0, 0x90), (0, 0x81), (1, 96)] {
                let mut other = packet.clone();
                other[index] = octet;
                assert_eq!(RtpHeader::parse(&other), None, "{index} {octet:#x}");
            }
        }
    }
}
