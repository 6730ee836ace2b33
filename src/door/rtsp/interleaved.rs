//! One client's stream on its connection: packets and reports with a channel before each. RFC 2326 10.12, RFC 3550.

use std::io;
use std::time::Instant;

use bytes::Bytes;
use tracing::debug;

use super::parcel::Parcel;
use super::transport::Channels;
use crate::clocks::Reading;
use crate::cname;
use crate::jpeg::Image;
use crate::ledger::Identity;
use crate::rtp::rtcp::{ReceptionReport, SenderInfo, ntp_timestamp};
use crate::rtp::{Clock, Packetizer, carry};
use crate::transmit::ReportTimes;
use crate::viewers::Picture;

/// Octets of an RTP packet: gateways pass packets on by UDP, where larger ones would be cut.
const PACKET_OCTETS: usize = 1440;
const DOLLAR: u8 = b'$';

/// Numbers the packets of one session: what a client is too slow for has no number, so it never looks like loss.
#[derive(Debug)]
pub struct Interleaved {
    channels: Channels,
    packetizer: Packetizer,
    clock: Clock,
    /// Modulo 2^32, as reports have them.
    packets: u32,
    octets: u32,
    times: ReportTimes,
}

impl Interleaved {
    /// A stream with random starts (RFC 3550 5.1).
    pub fn new(channels: Channels) -> io::Result<Self> {
        let known_by = Identity::random()?;
        Ok(Self {
            channels,
            packetizer: Packetizer::new(known_by.ssrc, known_by.sequence_number),
            clock: Clock::new(known_by.clock_offset),
            packets: 0,
            octets: 0,
            times: ReportTimes::new(),
        })
    }

    /// Synchronization source of all packets.
    pub fn ssrc(&self) -> u32 {
        self.packetizer.ssrc()
    }

    /// Somebody plays from now on, and needs to know the time soon.
    pub fn begin(&mut self) {
        self.times.begin_series();
    }

    /// Puts `picture` into `parcel`, packet by packet; the picture's octets stay where they are.
    pub fn pack(&mut self, picture: &Picture, parcel: &mut Parcel) {
        parcel.begin(picture.jpeg.clone());
        let image = Image::parse(&picture.jpeg);
        let carried = match image.map_err(Into::into).and_then(|image| carry(&image)) {
            Ok(carried) => carried,
            // It was made of what RTP/JPEG carries.
            Err(problem) => return debug!("rtsp: {problem}"),
        };
        let timestamp = self.clock.timestamp(picture.captured);
        // The scan is at the end of the file.
        let mut at = picture.jpeg.len().saturating_sub(carried.scan.len());
        let packets = self
            .packetizer
            .packets(&carried, timestamp, None, PACKET_OCTETS);
        for packet in packets {
            let scan = at..at + packet.scan.len();
            at = scan.end;
            let mut length = 0;
            parcel.add(scan, |octets| {
                let start = octets.len();
                begin_packet(octets, self.channels.rtp);
                packet.write_header(|header| octets.extend_from_slice(header));
                length = octets.len() - start - HEADER_OCTETS + packet.scan.len();
                set_length(octets, start, length);
            });
            let payload = length.saturating_sub(packet.rtp_header_octets());
            self.packets = self.packets.wrapping_add(1);
            self.octets = self
                .octets
                .wrapping_add(u32::try_from(payload).unwrap_or_default());
        }
    }

    /// Puts a sender report into `parcel` if one is due.
    pub fn report(&mut self, parcel: &mut Parcel) -> bool {
        let (now, clocks) = (Instant::now(), Reading::now());
        if self.packets == 0 || !self.times.is_due(now, clocks) {
            return false;
        }
        self.times.reported(now, clocks);
        parcel.begin(Bytes::new());
        let report = self.sender_report(clocks, false);
        parcel.add(0..0, |octets| octets.extend_from_slice(&report));
        true
    }

    /// The last report, with BYE; nothing when nothing was sent.
    pub fn goodbye(&self) -> Vec<u8> {
        match self.packets {
            0 => Vec::new(),
            _ => self.sender_report(Reading::now(), true),
        }
    }

    fn sender_report(&self, clocks: Reading, is_last: bool) -> Vec<u8> {
        let info = SenderInfo {
            ssrc: self.ssrc(),
            ntp_timestamp: ntp_timestamp(clocks.unix),
            rtp_timestamp: self.clock.timestamp(clocks.monotonic),
            packet_count: self.packets,
            octet_count: self.octets,
        };
        let report = info.to_octets(cname::text(), is_last);
        let mut octets = Vec::with_capacity(HEADER_OCTETS + report.len());
        begin_packet(&mut octets, self.channels.rtcp);
        set_length(&mut octets, 0, report.len());
        octets.extend_from_slice(&report);
        octets
    }

    /// Whether what has come on `channel` is a report about this stream.
    pub fn is_report(&self, channel: u8, octets: &[u8]) -> bool {
        channel == self.channels.rtcp
            && ReceptionReport::parse(octets, self.ssrc()).is_ok_and(|reports| !reports.is_empty())
    }
}

/// Octets before each packet.
const HEADER_OCTETS: usize = 4;

fn begin_packet(octets: &mut Vec<u8>, channel: u8) {
    octets.extend([DOLLAR, channel, 0, 0]);
}

/// Writes the length of the packet whose header begins at `start`.
fn set_length(octets: &mut [u8], start: usize, length: usize) {
    if let Some(place) = octets.get_mut(start + 2..start + HEADER_OCTETS) {
        // A packet is far shorter than that.
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        place.copy_from_slice(&length.to_be_bytes());
    }
}
