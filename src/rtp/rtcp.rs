//! Reports between a sender and its receivers: written and read as compound packets.
//! RFC 3550 6.4 (sender and receiver reports), 6.5 (SDES), 6.6 (BYE), 4 (NTP time).

use std::time::Duration;

use heapless::Vec;
use rtcp_types::{
    Bye, Compound, Packet, ReceiverReport, ReportBlock, RtcpPacketWriterExt, RtcpParseError, Sdes,
    SdesChunk, SdesItem, SenderReport,
};

use super::clock::CLOCK_RATE;

/// Room for any packet that is written here: a sender report, a CNAME of up to 255 octets and a BYE.
pub const MAX_OCTETS: usize = 320;
/// Most report blocks that are read of one compound packet: what a single report can hold (6.4.2).
pub const MAX_BLOCKS: usize = 31;

/// Seconds from 1900, where NTP time begins, to 1970 (RFC 868).
const NTP_UNIX_OFFSET: u64 = 2_208_988_800;
/// Units of the report's short time format in a second: its fraction has 16 bit.
const SHORT_UNITS: u64 = 1 << 16;

/// What a sender tells about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// Its synchronization source.
    pub ssrc: u32,
    /// Now as NTP time, 32 bit of seconds and 32 of their fraction.
    pub ntp_timestamp: u64,
    /// The same instant as RTP time.
    pub rtp_timestamp: u32,
    /// RTP packets sent, modulo 2^32.
    pub packet_count: u32,
    /// Octets of RTP payload sent, modulo 2^32.
    pub octet_count: u32,
}

impl SenderInfo {
    /// The octets of a sender report with a CNAME, and of a BYE behind them at the `end` of the stream.
    ///
    /// `cname` has at most 255 octets.
    pub fn to_octets(self, cname: &str, end: bool) -> Vec<u8, MAX_OCTETS> {
        let report = SenderReport::builder(self.ssrc)
            .ntp_timestamp(self.ntp_timestamp)
            .rtp_timestamp(self.rtp_timestamp)
            .packet_count(self.packet_count)
            .octet_count(self.octet_count);
        let name = SdesItem::builder(SdesItem::CNAME, cname);
        let description = Sdes::builder().add_chunk(SdesChunk::builder(self.ssrc).add_item(name));
        let mut compound = Compound::builder()
            .add_packet(report)
            .add_packet(description);
        if end {
            compound = compound.add_packet(Bye::builder().add_source(self.ssrc));
        }
        let mut octets = Vec::new();
        // All of it fits; nothing at all would be sent if it did not.
        let _ = octets.resize(MAX_OCTETS, 0);
        let length = compound.write_into(&mut octets).unwrap_or(0);
        octets.truncate(length);
        octets
    }
}

/// What one receiver says about one sender's stream (6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceptionReport {
    /// The receiver's synchronization source.
    pub receiver: u32,
    /// Packets lost since its last report, in 256ths of those expected.
    pub fraction_lost: u8,
    /// Packets lost since the beginning; negative when more duplicates came than packets were lost.
    pub cumulative_lost: i32,
    /// Variation of the time on the way, in units of RTP time.
    pub interarrival_jitter: u32,
    /// NTP time, its middle 32 bit, of the last sender report that it has; 0 when it has none.
    last_sender_report: u32,
    /// Since that came, in 1/65536 s.
    delay_since_last_sender_report: u32,
}

impl ReceptionReport {
    /// Everything in `octets`, a compound packet, that is said about the stream of `ssrc`.
    pub fn parse(octets: &[u8], ssrc: u32) -> Result<Vec<Self, MAX_BLOCKS>, RtcpParseError> {
        let mut reports = Vec::new();
        for packet in Compound::parse(octets)? {
            let packet = packet?;
            let mut take = |receiver, block: ReportBlock| {
                if block.ssrc() == ssrc {
                    // More than fit one report is nothing that a receiver sends.
                    let _ = reports.push(Self::new(receiver, &block));
                }
            };
            match packet {
                Packet::Rr(report) => blocks_of_receiver(&report, &mut take),
                Packet::Sr(report) => blocks_of_sender(&report, &mut take),
                _ => {}
            }
        }
        Ok(reports)
    }

    fn new(receiver: u32, block: &ReportBlock) -> Self {
        // 24 bit, two's complement.
        let lost = (block.cumulative_lost() << 8).cast_signed() >> 8;
        Self {
            receiver,
            fraction_lost: block.fraction_lost(),
            cumulative_lost: lost,
            interarrival_jitter: block.interarrival_jitter(),
            last_sender_report: block.last_sender_report_timestamp(),
            delay_since_last_sender_report: block.delay_since_last_sender_report_timestamp(),
        }
    }

    /// The jitter as time.
    pub fn jitter(&self) -> Duration {
        Duration::from_secs(1) * self.interarrival_jitter / CLOCK_RATE
    }

    /// Time to the receiver and back, when this report arrived at NTP time `arrival`; `None` when the
    /// receiver has no sender report yet, or the clock was set in between.
    pub fn round_trip(&self, arrival: u64) -> Option<Duration> {
        if self.last_sender_report == 0 {
            return None;
        }
        let elapsed = middle(arrival)
            .wrapping_sub(self.last_sender_report)
            .wrapping_sub(self.delay_since_last_sender_report);
        // Half of the range is the past: a receiver that rounds up may claim a little too much.
        let elapsed = u64::try_from(elapsed.cast_signed().max(0)).ok()?;
        let plausible = elapsed < 60 * SHORT_UNITS;
        plausible.then(|| Duration::from_nanos(elapsed * 1_000_000_000 / SHORT_UNITS))
    }
}

fn blocks_of_receiver(report: &ReceiverReport, take: &mut impl FnMut(u32, ReportBlock)) {
    let receiver = report.ssrc();
    report
        .report_blocks()
        .for_each(|block| take(receiver, block));
}

/// A receiver that sends streams itself reports in its sender reports (6.4.1).
fn blocks_of_sender(report: &SenderReport, take: &mut impl FnMut(u32, ReportBlock)) {
    let receiver = report.ssrc();
    report
        .report_blocks()
        .for_each(|block| take(receiver, block));
}

/// Time since 1970 as NTP time (RFC 5905 6): 32 bit of seconds since 1900, 32 of their fraction.
pub fn ntp_timestamp(unix: Duration) -> u64 {
    let seconds = unix.as_secs().wrapping_add(NTP_UNIX_OFFSET);
    let fraction = (u64::from(unix.subsec_nanos()) << 32) / 1_000_000_000;
    (seconds << 32) | fraction
}

/// The middle 32 bit of an NTP time, as reports quote it.
fn middle(ntp_timestamp: u64) -> u32 {
    let [_, _, b5, b4, b3, b2, _, _] = ntp_timestamp.to_be_bytes();
    u32::from_be_bytes([b5, b4, b3, b2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: SenderInfo = SenderInfo {
        ssrc: 0x0102_0304,
        ntp_timestamp: 0x0506_0708_090A_0B0C,
        rtp_timestamp: 0x0D0E_0F10,
        packet_count: 0x1112_1314,
        octet_count: 0x1516_1718,
    };

    #[test]
    fn a_sender_report_has_the_octets_of_the_rfc() {
        let octets = INFO.to_octets("me", false);
        let report: std::vec::Vec<u8> = [0x80, 200, 0, 6].into_iter().chain(1..=0x18).collect();
        let description = [0x81, 202, 0, 2, 1, 2, 3, 4, 1, 2, b'm', b'e'];
        // The item list ends in a zero and is padded to a word.
        let description: std::vec::Vec<u8> =
            description.iter().copied().chain([0, 0, 0, 0]).collect();
        assert_eq!(octets[..28], report);
        assert_eq!(octets[28..30], description[..2]);
        assert_eq!(octets[32..40], description[4..12]);
        let last = INFO.to_octets("me", true);
        assert_eq!(last[..octets.len()], octets);
        assert_eq!(last[octets.len()..], [0x81, 203, 0, 1, 1, 2, 3, 4]);
        assert!(!INFO.to_octets(&"x".repeat(255), true).is_empty());
    }

    /// A receiver report of receiver 9 with one block.
    fn receiver_report(ssrc: u32, lost: i32, last: u32, delay: u32) -> std::vec::Vec<u8> {
        let mut octets = vec![0x81, 201, 0, 7, 0, 0, 0, 9];
        octets.extend(ssrc.to_be_bytes());
        octets.push(64);
        octets.extend(&lost.to_be_bytes()[1..]);
        octets.extend(77u32.to_be_bytes());
        octets.extend(900u32.to_be_bytes());
        octets.extend(last.to_be_bytes());
        octets.extend(delay.to_be_bytes());
        octets
    }

    #[test]
    fn loss_jitter_and_round_trip_are_read() {
        let octets = receiver_report(INFO.ssrc, -3, 0x1000_0000, 0x8000);
        let reports = ReceptionReport::parse(&octets, INFO.ssrc).unwrap();
        let [report] = reports.as_slice() else {
            panic!("{reports:?}");
        };
        assert_eq!((report.receiver, report.fraction_lost), (9, 64));
        assert_eq!(report.cumulative_lost, -3);
        assert_eq!(report.jitter(), Duration::from_millis(10));
        // A quarter of a second more than it lay there.
        let arrival = (0x1000_0000u64 + 0x8000 + 0x4000) << 16;
        assert_eq!(report.round_trip(arrival), Some(Duration::from_millis(250)));
        let early = (0x1000_0000u64 + 0x8000 - 1) << 16;
        assert_eq!(report.round_trip(early), Some(Duration::ZERO));
        assert_eq!(report.round_trip(arrival + (3600 << 32)), None);
        let none = receiver_report(INFO.ssrc, 0, 0, 0);
        let reports = ReceptionReport::parse(&none, INFO.ssrc).unwrap();
        assert_eq!(reports[0].round_trip(arrival), None);
    }

    #[test]
    fn reports_about_others_and_garbage_say_nothing() {
        let other = receiver_report(7, 0, 0, 0);
        assert!(
            ReceptionReport::parse(&other, INFO.ssrc)
                .unwrap()
                .is_empty()
        );
        for octets in [&[][..], &[0x80], &[0xFF; 40], &other[..20]] {
            assert!(ReceptionReport::parse(octets, INFO.ssrc).is_err());
        }
    }

    #[test]
    fn ntp_time_begins_in_1900() {
        // RFC 5905 figure 4: the first second of 1970.
        assert_eq!(ntp_timestamp(Duration::ZERO), 2_208_988_800 << 32);
        let half = ntp_timestamp(Duration::from_millis(500));
        assert_eq!(half & 0xFFFF_FFFF, 1 << 31);
    }
}
