//! The header that begins every RTP packet, and its extension with the time of capture.
//! RFC 3550 5.1, 5.3.1; RFC 8285 4.2 (one-byte header); RFC 6051 3.3 (64-bit NTP time).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//! |                           timestamp                           |
//! |           synchronization source (SSRC) identifier            |
//! |            0xBEDE             |           length 3            |   X = 1
//! | ID 1  | len 7 |  NTP time, 8 octets …                         |
//! |                             …                                 |
//! |               |        padding                                |
//! ```

/// Octets of the header without CSRC list and extension.
pub const HEADER_OCTETS: usize = 12;
/// Payload type of JPEG video (RFC 3551 table 5).
pub const PAYLOAD_TYPE_JPEG: u8 = 26;

/// Octets of the extension.
pub const EXTENSION_OCTETS: usize = 16;
/// What the element with the time is called in session descriptions (RFC 8285 5).
pub const NTP_64_ID: u8 = 1;
/// The same for everybody (RFC 6051 3.3).
pub const NTP_64_URI: &str = "urn:ietf:params:rtp-hdrext:ntp-64";

/// Version 2, no padding, no extension, no CSRC.
const FIRST_OCTET: u8 = 2 << 6;
/// Extension bit.
const EXTENSION: u8 = 1 << 4;
/// Octets of the header without the extension, and with it.
const LENGTHS: [u16; 2] = {
    let [.., high, low] = HEADER_OCTETS.to_be_bytes();
    let [.., extended_high, extended_low] = (HEADER_OCTETS + EXTENSION_OCTETS).to_be_bytes();
    [
        u16::from_be_bytes([high, low]),
        u16::from_be_bytes([extended_high, extended_low]),
    ]
};
/// Up to the time: one-byte headers, three words, the identifier with the length less one.
const BEFORE_TIME: [u8; 5] = [0xBE, 0xDE, 0, 3, (NTP_64_ID << 4) | 7];
/// What fills the last word.
const AFTER_TIME: [u8; 3] = [0; 3];
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
    /// When the picture was captured, as NTP time, in the extension.
    pub capture_time: Option<u64>,
}

impl RtpHeader {
    /// Octets of the header.
    pub fn octets(&self) -> u16 {
        let [plain, extended] = LENGTHS;
        self.capture_time.map_or(plain, |_| extended)
    }

    /// Hands the header's octets to `write`, in order.
    #[inline(always)]
    pub fn write(self, mut write: impl FnMut(&[u8])) {
        write(&self.fixed_octets());
        if let Some(time) = self.capture_time {
            write(&extension(time));
        }
    }

    fn fixed_octets(self) -> [u8; HEADER_OCTETS] {
        let [s1, s0] = self.sequence_number.to_be_bytes();
        let [t3, t2, t1, t0] = self.timestamp.to_be_bytes();
        let [c3, c2, c1, c0] = self.ssrc.to_be_bytes();
        let marker = if self.marker { MARKER } else { 0 };
        let extension = self.capture_time.map_or(0, |_| EXTENSION);
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
        const EXTENDED: u8 = FIRST_OCTET | EXTENSION;
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
        let (capture_time, payload) = match first_octet {
            FIRST_OCTET => (None, payload),
            EXTENDED => {
                let (time, payload) = parse_extension(payload)?;
                (Some(time), payload)
            }
            _ => return None,
        };
        let header = Self {
            marker: marker_and_type & MARKER != 0,
            sequence_number: u16::from_be_bytes([s1, s0]),
            timestamp: u32::from_be_bytes([t3, t2, t1, t0]),
            ssrc: u32::from_be_bytes([c3, c2, c1, c0]),
            capture_time,
        };
        (marker_and_type & !MARKER == PAYLOAD_TYPE_JPEG).then_some((header, payload))
    }
}

/// The extension with `time`.
fn extension(time: u64) -> [u8; EXTENSION_OCTETS] {
    let [b4, b3, b2, b1, b0] = BEFORE_TIME;
    let [t7, t6, t5, t4, t3, t2, t1, t0] = time.to_be_bytes();
    let [a2, a1, a0] = AFTER_TIME;
    [
        b4, b3, b2, b1, b0, t7, t6, t5, t4, t3, t2, t1, t0, a2, a1, a0,
    ]
}

/// The time in the extension that begins `octets`, and what follows it.
fn parse_extension(octets: &[u8]) -> Option<(u64, &[u8])> {
    let rest = octets.strip_prefix(&BEFORE_TIME)?;
    let (time, rest) = rest.split_first_chunk()?;
    let rest = rest.strip_prefix(&AFTER_TIME)?;
    Some((u64::from_be_bytes(*time), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(header: RtpHeader) -> Vec<u8> {
        let mut all = Vec::new();
        header.write(|octets| all.extend_from_slice(octets));
        assert_eq!(all.len(), usize::from(header.octets()));
        all
    }

    #[test]
    fn octets_are_those_of_rfc_3550() {
        let mut header = RtpHeader {
            marker: true,
            sequence_number: 0x0102,
            timestamp: 0x0304_0506,
            ssrc: 0x0708_090A,
            capture_time: None,
        };
        assert_eq!(octets(header), [0x80, 0x9A, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        header.marker = false;
        header.capture_time = Some(0x1112_1314_1516_1718);
        let extension = [
            0xBE, 0xDE, 0, 3, 0x17, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0, 0, 0,
        ];
        let fixed = [0x90, 0x1A, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        assert_eq!(octets(header), [&fixed[..], &extension].concat());
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        for (marker, capture_time) in [(false, None), (true, None), (true, Some(u64::MAX))] {
            let header = RtpHeader {
                marker,
                sequence_number: 0x0102,
                timestamp: 0x0304_0506,
                ssrc: 0x0708_090A,
                capture_time,
            };
            let packet = [&octets(header)[..], b"payload"].concat();
            assert_eq!(RtpHeader::parse(&packet), Some((header, &b"payload"[..])));
            for cut in 0..usize::from(header.octets()) {
                assert_eq!(RtpHeader::parse(&packet[..cut]), None);
            }
            // Another version, padding, a CSRC, another payload type.
            let mut others = vec![(0, 0x00), (0, 0xA0), (0, 0x81), (1, 96)];
            // An extension that is none.
            others.extend(capture_time.is_none().then_some((0, 0x90)));
            for (index, octet) in others {
                let mut other = packet.clone();
                other[index] = octet;
                assert_eq!(RtpHeader::parse(&other), None, "{index} {octet:#x}");
            }
        }
    }
}
