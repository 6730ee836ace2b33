//! Gathers packets into one piece of work for the socket: headers in a fixed arena, scan slices where they lie.
//! writev-style gather lists, sendmmsg(2).

use std::io::IoSlice;
use std::ops::Range;

use heapless::Vec;

use super::sendmmsg::MAX_MESSAGES;
use crate::rtp::Packet;
use crate::rtp::packetizer::{MAX_FIRST_HEADER_OCTETS, MAX_HEADER_OCTETS};

/// Most packets of a batch: as many as one system call takes, one a message. A frame with more takes
/// several batches.
pub const MAX_PACKETS: usize = MAX_MESSAGES;
/// Gather elements of a packet: its header and its slice of the scan.
pub const SLICES_PER_PACKET: usize = 2;

const ARENA_OCTETS: usize = MAX_PACKETS * MAX_HEADER_OCTETS + MAX_FIRST_HEADER_OCTETS;

/// [`Entry`] counts them in 16 bit.
const _: () = assert!(ARENA_OCTETS <= 0xFFFF);

/// The gather list of a batch, [`SLICES_PER_PACKET`] elements per packet.
pub type Slices<'a> = Vec<IoSlice<'a>, { MAX_PACKETS * SLICES_PER_PACKET }>;
/// Room for the headers of a batch, one after the other.
pub type Headers = Vec<u8, ARENA_OCTETS>;
/// Room for the packets of a batch.
pub type Entries<'a> = Vec<Entry<'a>, MAX_PACKETS>;

/// Some consecutive packets of one frame for one destination, to be sent at one time.
///
/// It borrows the room that it takes: to move so much would cost more than to fill it.
pub struct Batch<'room, 'a> {
    headers: &'room mut Headers,
    packets: &'room mut Entries<'a>,
}

/// A packet of a batch.
pub struct Entry<'a> {
    /// Where its header ends in the room for headers. Small, so that an entry is moved in registers.
    header_end: u16,
    /// How much of its header is not payload.
    rtp_header_octets: u16,
    scan: &'a [u8],
}

impl<'room, 'a> Batch<'room, 'a> {
    /// Up to `limit` of the next of `from`, put together in `headers` and `packets`.
    pub fn new(
        from: impl Iterator<Item = Packet<'a>>,
        limit: usize,
        headers: &'room mut Headers,
        packets: &'room mut Entries<'a>,
    ) -> Self {
        headers.clear();
        packets.clear();
        let mut batch = Self { headers, packets };
        for packet in from.take(limit.min(MAX_PACKETS)) {
            batch.push(&packet);
        }
        batch
    }

    #[inline(always)]
    fn push(&mut self, packet: &Packet<'a>) {
        let headers = &mut *self.headers;
        // The capacities hold MAX_PACKETS packets with the longest headers; `new` pushes no more.
        let mut fits = true;
        packet.write_header(|octets| fits &= headers.extend_from_slice(octets).is_ok());
        let entry = Entry {
            header_end: u16::try_from(headers.len()).unwrap_or(u16::MAX),
            rtp_header_octets: u16::try_from(packet.rtp_header_octets()).unwrap_or(u16::MAX),
            scan: packet.scan,
        };
        fits &= self.packets.push(entry).is_ok();
        debug_assert!(fits);
    }

    /// Number of packets.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there are no packets.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Octets of the packets in `range`: of UDP payload, and of RTP payload.
    pub fn octets(&self, range: Range<usize>) -> (usize, usize) {
        let before = range.start.checked_sub(1);
        let before = before.and_then(|index| self.packets.get(index));
        let mut start = before.map_or(0, |entry| entry.header_end);
        let (mut octets, mut rtp_headers) = (0, 0);
        for entry in self.packets.get(range).unwrap_or_default() {
            octets += usize::from(entry.header_end - start) + entry.scan.len();
            rtp_headers += usize::from(entry.rtp_header_octets);
            start = entry.header_end;
        }
        (octets, octets - rtp_headers)
    }

    /// Appends the gather list to `slices`: header, scan, header, scan, …
    pub fn gather<'batch>(&'batch self, slices: &mut Slices<'batch>) {
        let mut start = 0;
        for entry in self.packets.iter() {
            let end = usize::from(entry.header_end);
            let header = self.headers.get(start..end).unwrap_or_default();
            start = end;
            let pair = [IoSlice::new(header), IoSlice::new(entry.scan)];
            slices.extend(pair);
        }
    }
}
