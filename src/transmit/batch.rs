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
    header_end: usize,
    /// Of UDP payload.
    octets: usize,
    /// Of RTP payload.
    payload_octets: usize,
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

    fn push(&mut self, packet: &Packet<'a>) {
        let headers = &mut *self.headers;
        // The capacities hold MAX_PACKETS packets with the longest headers; `new` pushes no more.
        let mut fits = true;
        let start = headers.len();
        packet.write_header(|octets| fits &= headers.extend_from_slice(octets).is_ok());
        let octets = headers.len() - start + packet.scan.len();
        let entry = Entry {
            header_end: headers.len(),
            payload_octets: octets - packet.rtp_header_octets(),
            octets,
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
        let entries = self.packets.get(range).unwrap_or_default();
        entries.iter().fold((0, 0), |(all, payload), entry| {
            (all + entry.octets, payload + entry.payload_octets)
        })
    }

    /// Appends the gather list to `slices`: header, scan, header, scan, …
    pub fn gather<'batch>(&'batch self, slices: &mut Slices<'batch>) {
        let mut start = 0;
        for entry in self.packets.iter() {
            let header = self
                .headers
                .get(start..entry.header_end)
                .unwrap_or_default();
            start = entry.header_end;
            let pair = [IoSlice::new(header), IoSlice::new(entry.scan)];
            slices.extend(pair);
        }
    }
}
