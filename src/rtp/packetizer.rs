//! Cuts an image into RTP packets: a header and a slice of the scan each, nothing copied.
//! RFC 2435 3.1, 4; RFC 3550 5.1.
//!
//! Every packet of a frame but the last has exactly the length of a full packet (packet 0 carries less
//! scan where it carries tables), so that a run of packets is a UDP GSO message as it stands.

use super::carry::Carried;
use super::extension::{Extension, MAX_EXTENSION_OCTETS};
use super::header::{HEADER_OCTETS, RtpHeader};
use super::payload::{
    JpegHeader, MAIN_OCTETS, RESTART_OCTETS, TABLE_DATA_OCTETS, TABLE_HEADER_OCTETS,
};

/// Most octets of a packet before its scan slice: the first packet of a frame with an extension, restart markers and
/// tables.
pub const MAX_FIRST_HEADER_OCTETS: usize =
    MAX_HEADER_OCTETS + MAX_EXTENSION_OCTETS + TABLE_HEADER_OCTETS + TABLE_DATA_OCTETS;
/// Most octets of any other packet before its scan slice.
pub const MAX_HEADER_OCTETS: usize = HEADER_OCTETS + MAIN_OCTETS + RESTART_OCTETS;

/// One RTP stream: numbers the packets of its images.
#[derive(Debug)]
pub struct Packetizer {
    ssrc: u32,
    sequence_number: u16,
}

impl Packetizer {
    /// `sequence_number` is that of the first packet.
    pub fn new(ssrc: u32, sequence_number: u16) -> Self {
        Self {
            ssrc,
            sequence_number,
        }
    }

    /// Synchronization source of all packets.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Number of the next packet.
    pub fn sequence_number(&self) -> u16 {
        self.sequence_number
    }

    /// Uses another synchronization source from the next picture on; numbers go on.
    pub fn set_ssrc(&mut self, ssrc: u32) {
        self.ssrc = ssrc;
    }

    /// The packets of `picture`, all with RTP time `timestamp`, the first with `capture_time` as well, each but the
    /// last of `packet_octets` of UDP payload. Their sequence numbers are used up, also of those that are never taken.
    pub fn packets<'a>(
        &mut self,
        picture: &'a Carried<'a>,
        timestamp: u32,
        capture_time: Option<u64>,
        packet_octets: usize,
    ) -> Packets<'a> {
        let packets = Packets {
            jpeg: JpegHeader::new(picture),
            ssrc: self.ssrc,
            sequence_number: self.sequence_number,
            timestamp,
            extension: Extension::new(capture_time, picture),
            packet_octets,
            scan: picture.scan,
            fragment_offset: 0,
        };
        let [.., c1, c0] = packets.len().to_be_bytes();
        let count = u16::from_be_bytes([c1, c0]); // modulo 2^16, as the numbers are
        self.sequence_number = self.sequence_number.wrapping_add(count);
        packets
    }
}

/// Iterator over the packets of one image.
#[derive(Debug, Clone)]
pub struct Packets<'a> {
    jpeg: JpegHeader<'a>,
    ssrc: u32,
    sequence_number: u16,
    timestamp: u32,
    /// Until the first packet has taken it.
    extension: Option<Extension>,
    packet_octets: usize,
    scan: &'a [u8],
    fragment_offset: u32,
}

impl Packets<'_> {
    /// Octets of the scan that the packet at `fragment_offset` has room for.
    fn room(&self, fragment_offset: u32) -> usize {
        let extension = match &self.extension {
            Some(extension) if fragment_offset == 0 => extension.octets(),
            _ => 0,
        };
        let header_octets = HEADER_OCTETS + extension + self.jpeg.len(fragment_offset);
        self.packet_octets.saturating_sub(header_octets)
    }
}

impl ExactSizeIterator for Packets<'_> {
    /// Packets still to come.
    fn len(&self) -> usize {
        if self.scan.is_empty() {
            return 0;
        }
        let after_first = self
            .scan
            .len()
            .saturating_sub(self.room(self.fragment_offset));
        // Any offset but 0 tells the room of a packet without tables.
        1 + after_first.div_ceil(self.room(1).max(1))
    }
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    // As calls, this and what it calls double what a packet costs: headers that are the same are not kept in registers.
    #[inline(always)]
    fn next(&mut self) -> Option<Packet<'a>> {
        if self.scan.is_empty() {
            return None;
        }
        let room = self.room(self.fragment_offset);
        let (slice, rest) = self.scan.split_at_checked(room).unwrap_or((self.scan, &[]));
        let packet = Packet {
            rtp: RtpHeader {
                marker: rest.is_empty(),
                sequence_number: self.sequence_number,
                timestamp: self.timestamp,
                ssrc: self.ssrc,
                extension: self.extension.take(),
            },
            jpeg: self.jpeg,
            fragment_offset: self.fragment_offset,
            scan: slice,
        };
        self.sequence_number = self.sequence_number.wrapping_add(1);
        // A scan is shorter than 2^24 octets, so this neither fails nor saturates.
        self.fragment_offset += u32::try_from(slice.len()).unwrap_or(u32::MAX >> 8);
        self.scan = rest;
        Some(packet)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

/// One RTP packet: its headers as values, its part of the scan where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    rtp: RtpHeader,
    jpeg: JpegHeader<'a>,
    fragment_offset: u32,
    /// The packet's octets of the scan.
    pub scan: &'a [u8],
}

impl Packet<'_> {
    /// Hands the header octets to `write`, in order: at most [`MAX_FIRST_HEADER_OCTETS`] in the first
    /// packet of a frame, [`MAX_HEADER_OCTETS`] in others.
    #[inline(always)]
    pub fn write_header(&self, mut write: impl FnMut(&[u8])) {
        self.rtp.write(&mut write);
        self.jpeg.write(self.fragment_offset, write);
    }

    /// Octets of the RTP header at its start; what follows is payload.
    pub fn rtp_header_octets(&self) -> usize {
        self.rtp.octets()
    }

    /// The last packet of its frame.
    pub fn marker(&self) -> bool {
        self.rtp.marker
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::carry::Sampling;

    const PACKET_OCTETS: usize = 548;

    fn picture(width: u16, scan: &[u8]) -> Carried<'_> {
        Carried {
            width,
            height: 480,
            sampling: Sampling::Yuv422,
            tables: [[1; 64]; 2],
            restart_interval: 4,
            scan,
        }
    }

    #[test]
    fn the_first_packet_has_the_extension_and_carries_less() {
        let time = Some(0x1112_1314_1516_1718);
        let frame = Extension::Frame {
            width: 2048,
            height: 480,
            sampling: Sampling::Yuv422,
        };
        for (width, time, extension) in [
            (640, None, None),
            (640, time, time.map(Extension::CaptureTime)),
            (2048, None, Some(frame)),
            (2048, time, time.map(Extension::CaptureTime)),
        ] {
            expect_in_first(width, time, extension);
        }
    }

    fn expect_in_first(width: u16, time: Option<u64>, extension: Option<Extension>) {
        let scan: Vec<u8> = (0..20_000u32).map(|index| index.to_le_bytes()[0]).collect();
        let picture = picture(width, &scan);
        let packets = Packetizer::new(7, 0).packets(&picture, 9, time, PACKET_OCTETS);
        let count = packets.len();
        let mut carried = Vec::new();
        for (index, packet) in packets.enumerate() {
            let mut octets = Vec::new();
            packet.write_header(|header| octets.extend_from_slice(header));
            let most = if index == 0 {
                MAX_FIRST_HEADER_OCTETS
            } else {
                MAX_HEADER_OCTETS
            };
            assert!(octets.len() <= most);
            octets.extend_from_slice(packet.scan);
            assert!(octets.len() == PACKET_OCTETS || packet.marker());
            let (header, payload) = RtpHeader::parse(&octets).unwrap();
            assert_eq!(header.extension, extension.filter(|_| index == 0));
            assert_eq!(octets.len() - payload.len(), packet.rtp_header_octets());
            assert_eq!(packet.marker(), index + 1 == count);
            carried.extend_from_slice(packet.scan);
        }
        assert_eq!(carried, scan);
    }

    #[test]
    fn the_longest_header_is_that_of_a_large_picture() {
        let picture = picture(2048, &[0; 9]);
        let mut packets = Packetizer::new(7, 0).packets(&picture, 9, None, PACKET_OCTETS);
        let mut octets = 0;
        let first = packets.next().unwrap();
        first.write_header(|header| octets += header.len());
        assert_eq!(octets, MAX_FIRST_HEADER_OCTETS);
    }
}
