//! Rebuilds pictures from RTP/JPEG packets: written from the RFCs alone, so that it can contradict framewire.
//! RFC 3550 section 5.1, RFC 2435 section 3.1 and appendix A.

use std::time::Instant;

use crate::jpeg::Picture;
use crate::receiver::Datagram;
use crate::tables;

const FIXED_HEADER: usize = 12; // octets, RFC 3550 5.1
const MAIN_HEADER: usize = 8; // octets, RFC 2435 3.1
const VERSION_2: u8 = 0x80; // and no padding, no extension, no CSRC
const PAYLOAD_TYPE_JPEG: u8 = 26; // RFC 3551
const RESTART_MARKERS: std::ops::RangeInclusive<u8> = 64..=127; // types
const UNALIGNED_RESTARTS: u16 = 0xFFFF; // F, L and a count of 0x3FFF

/// A picture as it came over the network.
pub struct Received {
    pub picture: Picture,
    pub kind: u8,
    pub q: u8,
    pub timestamp: u32,
    pub packets: usize,
    /// Octets of UDP payload, RTP headers included.
    pub octets: usize,
    /// The length of every datagram but the last.
    pub datagram: usize,
    pub at: Instant,
}

/// All that arrived, in the order of arrival.
#[derive(Default)]
pub struct Reception {
    pub pictures: Vec<Received>,
    /// Sequence numbers that never came.
    pub lost_packets: usize,
    /// Frames of which some packet never came.
    pub incomplete: usize,
    /// What contradicts the RFCs or framewire's own invariants.
    pub violations: Vec<String>,
}

pub fn depacketize(datagrams: &[Datagram]) -> Reception {
    let mut reception = Reception::default();
    let mut frame: Option<Frame> = None;
    let mut previous: Option<Packet> = None;
    for Datagram {
        at,
        octets: datagram,
    } in datagrams
    {
        let packet = match Packet::parse(datagram) {
            Ok(packet) => packet,
            Err(what) => {
                reception.violations.push(format!(
                    "{what}: {:02x?}",
                    &datagram[..datagram.len().min(24)]
                ));
                continue;
            }
        };
        if let Some(before) = &previous {
            if packet.source != before.source {
                reception.violations.push("the SSRC changed".into());
            }
            let step = packet.sequence_number.wrapping_sub(before.sequence_number);
            reception.lost_packets += usize::from(step.wrapping_sub(1));
        }
        if frame
            .as_ref()
            .is_some_and(|frame| frame.timestamp != packet.timestamp || packet.fragment_offset == 0)
        {
            reception.incomplete += 1;
            frame = None;
        }
        if packet.fragment_offset == 0 {
            frame = Some(Frame::new(&packet));
        }
        let marker = packet.marker;
        match &mut frame {
            None => reception.incomplete += usize::from(marker),
            Some(open) => {
                open.add(&packet, datagram.len(), &mut reception.violations);
                if marker && let Some(whole) = frame.take() {
                    whole.close(*at, &mut reception);
                }
            }
        }
        previous = Some(packet);
    }
    reception.incomplete += usize::from(frame.is_some());
    reception
}

struct Packet<'a> {
    marker: bool,
    sequence_number: u16,
    timestamp: u32,
    source: u32,
    /// The main JPEG header without its offset, and the restart header: the same in every packet of a frame.
    common: [u8; 5],
    fragment_offset: usize,
    restart: Option<(u16, u16)>,
    tables: Option<&'a [u8]>,
    scan: &'a [u8],
}

impl<'a> Packet<'a> {
    fn parse(datagram: &'a [u8]) -> Result<Self, &'static str> {
        let (rtp, payload) = datagram
            .split_first_chunk::<FIXED_HEADER>()
            .ok_or("short RTP header")?;
        let (main, mut rest) = payload
            .split_first_chunk::<MAIN_HEADER>()
            .ok_or("short JPEG header")?;
        if rtp[0] != VERSION_2 {
            return Err("not RTP version 2 without padding, extension and CSRC");
        }
        if rtp[1] & 0x7F != PAYLOAD_TYPE_JPEG {
            return Err("not payload type 26");
        }
        let [specific, o0, o1, o2, kind, q, width, height] = *main;
        let fragment_offset = u32::from_be_bytes([0, o0, o1, o2]) as usize;
        let mut restart = None;
        if RESTART_MARKERS.contains(&kind) {
            let (&[i0, i1, c0, c1], after) = rest.split_first_chunk().ok_or("no restart header")?;
            restart = Some((u16::from_be_bytes([i0, i1]), u16::from_be_bytes([c0, c1])));
            rest = after;
        }
        let mut tables = None;
        if fragment_offset == 0 && q >= 128 {
            let (&[mbz, precision, l0, l1], after) =
                rest.split_first_chunk().ok_or("no table header")?;
            let length = usize::from(u16::from_be_bytes([l0, l1]));
            if (mbz, precision) != (0, 0) || length != 128 {
                return Err("not two tables of 8-bit precision");
            }
            let (both, after) = after.split_at_checked(length).ok_or("tables cut short")?;
            tables = Some(both);
            rest = after;
        }
        Ok(Self {
            marker: rtp[1] & 0x80 != 0,
            sequence_number: u16::from_be_bytes([rtp[2], rtp[3]]),
            timestamp: u32::from_be_bytes([rtp[4], rtp[5], rtp[6], rtp[7]]),
            source: u32::from_be_bytes([rtp[8], rtp[9], rtp[10], rtp[11]]),
            common: [specific, kind, q, width, height],
            fragment_offset,
            restart,
            tables,
            scan: rest,
        })
    }
}

struct Frame {
    timestamp: u32,
    common: [u8; 5],
    restart: Option<(u16, u16)>,
    tables: Option<([u8; 64], [u8; 64])>,
    scan: Vec<u8>,
    datagrams: Vec<usize>,
    complete: bool,
}

impl Frame {
    fn new(first: &Packet) -> Self {
        let q = first.common[2];
        let sent = first.tables.and_then(|both| {
            let (luma, chroma) = both.split_at(64);
            Some((*luma.as_array()?, *chroma.as_array()?))
        });
        Self {
            timestamp: first.timestamp,
            common: first.common,
            restart: first.restart,
            tables: sent.or_else(|| tables::scaled(q)),
            scan: Vec::new(),
            datagrams: Vec::new(),
            complete: true,
        }
    }

    fn add(&mut self, packet: &Packet, length: usize, violations: &mut Vec<String>) {
        if packet.common != self.common || packet.restart != self.restart {
            violations.push("the JPEG headers differ within a frame".into());
        }
        self.complete &= packet.fragment_offset == self.scan.len();
        self.scan.extend_from_slice(packet.scan);
        self.datagrams.push(length);
    }

    fn close(self, at: Instant, reception: &mut Reception) {
        let [specific, kind, q, width, height] = self.common;
        let violations = &mut reception.violations;
        if !self.complete {
            reception.incomplete += 1;
            return;
        }
        let Some((luma, chroma)) = self.tables else {
            return violations.push(format!("Q {q} has no tables"));
        };
        if specific != 0 {
            violations.push(format!(
                "type-specific {specific} for a progressive picture"
            ));
        }
        if self
            .restart
            .is_some_and(|(_, count)| count != UNALIGNED_RESTARTS)
        {
            violations.push("restart header without F = L = 1, count 0x3FFF".into());
        }
        let datagram = self.datagrams[0];
        let (last, others) = self.datagrams.split_last().unwrap_or((&0, &[]));
        let before = reception.pictures.last();
        if before.is_some_and(|before| before.timestamp == self.timestamp) {
            violations.push("two frames have the same timestamp".into());
        }
        let unequal = others.iter().find(|&&length| length != datagram);
        if let Some(length) = unequal.or(Some(last).filter(|&&last| last > datagram)) {
            violations.push(format!(
                "datagrams of {datagram} and of {length} octets in a frame"
            ));
        }
        reception.pictures.push(Received {
            picture: Picture {
                width: u16::from(width) * 8,
                height: u16::from(height) * 8,
                sampling: kind & 0x3F,
                restart_interval: self.restart.map(|(interval, _)| interval),
                luma,
                chroma,
                scan: self.scan,
            },
            kind,
            q,
            timestamp: self.timestamp,
            packets: self.datagrams.len(),
            octets: self.datagrams.iter().sum(),
            datagram,
            at,
        });
    }
}

#[cfg(test)]
#[path = "depacketizer_tests.rs"]
mod tests;
