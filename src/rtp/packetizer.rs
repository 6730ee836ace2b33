//! Cuts an image into RTP packets: a header and a slice of the scan each, nothing copied.
//! RFC 2435 3.1, 4; RFC 3550 5.1.
//!
//! Every packet of a frame but the last has exactly the length of a full packet (packet 0 carries less
//! scan where it carries tables), so that a run of packets is a UDP GSO message as it stands.

use super::header::{HEADER_OCTETS, RtpHeader};
use super::payload::{
    JpegHeader, MAIN_OCTETS, RESTART_OCTETS, TABLE_DATA_OCTETS, TABLE_HEADER_OCTETS,
};
use crate::config::Mtu;
use crate::jpeg::Image;

/// Most octets of a packet before its scan slice: the first packet of a frame with restart markers and tables.
pub const MAX_FIRST_HEADER_OCTETS: usize =
    MAX_HEADER_OCTETS + TABLE_HEADER_OCTETS + TABLE_DATA_OCTETS;
/// Most octets of any other packet before its scan slice.
pub const MAX_HEADER_OCTETS: usize = HEADER_OCTETS + MAIN_OCTETS + RESTART_OCTETS;

/// One RTP stream: numbers the packets of its images.
#[derive(Debug)]
pub struct Packetizer {
    ssrc: u32,
    sequence_number: u16,
    packet_octets: usize,
}

impl Packetizer {
    /// `sequence_number` is that of the first packet; packets are as long as `mtu` allows for `ipv6` or IPv4.
    pub fn new(ssrc: u32, sequence_number: u16, mtu: Mtu, ipv6: bool) -> Self {
        Self {
            ssrc,
            sequence_number,
            packet_octets: mtu.udp_payload(ipv6),
        }
    }

    /// Octets of every packet but the last of a frame: the UDP payload that fits the MTU.
    pub fn packet_octets(&self) -> usize {
        self.packet_octets
    }

    /// The packets of `image`, all with RTP time `timestamp`; taking one uses up a sequence number.
    pub fn packets<'a>(&'a mut self, image: &Image<'a>, timestamp: u32) -> Packets<'a> {
        Packets {
            jpeg: JpegHeader::new(image),
            timestamp,
            scan: image.scan,
            fragment_offset: 0,
            stream: self,
        }
    }
}

/// Iterator over the packets of one image.
#[derive(Debug)]
pub struct Packets<'a> {
    stream: &'a mut Packetizer,
    jpeg: JpegHeader,
    timestamp: u32,
    scan: &'a [u8],
    fragment_offset: u32,
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        if self.scan.is_empty() {
            return None;
        }
        let header_octets = HEADER_OCTETS + self.jpeg.len(self.fragment_offset);
        let room = self.stream.packet_octets.saturating_sub(header_octets);
        let (slice, rest) = self.scan.split_at_checked(room).unwrap_or((self.scan, &[]));
        let packet = Packet {
            rtp: RtpHeader {
                marker: rest.is_empty(),
                sequence_number: self.stream.sequence_number,
                timestamp: self.timestamp,
                ssrc: self.stream.ssrc,
            },
            jpeg: self.jpeg,
            fragment_offset: self.fragment_offset,
            scan: slice,
        };
        self.stream.sequence_number = self.stream.sequence_number.wrapping_add(1);
        // A scan is shorter than 2^24 octets, so this neither fails nor saturates.
        self.fragment_offset += u32::try_from(slice.len()).unwrap_or(u32::MAX >> 8);
        self.scan = rest;
        Some(packet)
    }
}

/// One RTP packet: its headers as values, its part of the scan where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    rtp: RtpHeader,
    jpeg: JpegHeader,
    fragment_offset: u32,
    /// The packet's octets of the scan.
    pub scan: &'a [u8],
}

impl Packet<'_> {
    /// Hands the header octets to `write`, in order: at most [`MAX_FIRST_HEADER_OCTETS`] in the first
    /// packet of a frame, [`MAX_HEADER_OCTETS`] in others.
    pub fn write_header(&self, mut write: impl FnMut(&[u8])) {
        write(&self.rtp.to_octets());
        self.jpeg.write(self.fragment_offset, write);
    }

    /// The last packet of its frame.
    pub fn marker(&self) -> bool {
        self.rtp.marker
    }
}
