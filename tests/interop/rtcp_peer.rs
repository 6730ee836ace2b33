//! A receiver that reads and writes RTCP octet by octet, and knows when each packet came.
//! RFC 3550 6.4, 6.5, 6.6.

use framewire::rtp::extension::Extension;
use framewire::rtp::header::RtpHeader;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
/// The item of a source description that every compound packet has.
const CNAME: u8 = 1;

/// Seconds from 1900 to 1970.
const NTP_UNIX_OFFSET: u64 = 2_208_988_800;

/// How often the thread looks whether it is to end.
const PATIENCE: Duration = Duration::from_millis(100);

/// An RTP packet: when it came (since 1970), what its header says, and its octets behind the header.
#[derive(Clone, Debug)]
pub struct Packet {
    pub arrived: Duration,
    pub timestamp: u32,
    pub ssrc: u32,
    pub marker: bool,
    pub capture_time: Option<u64>,
    pub payload_octets: usize,
}

/// A compound packet that begins with a sender report.
#[derive(Clone, Debug)]
pub struct Report {
    pub from: SocketAddr,
    pub arrived: Duration,
    pub ssrc: u32,
    pub ntp_timestamp: u64,
    pub rtp_timestamp: u32,
    pub packet_count: u32,
    pub octet_count: u32,
    pub cname: String,
    pub bye: bool,
}

#[derive(Default)]
struct Heard {
    packets: Vec<Packet>,
    reports: Vec<Report>,
}

/// Sockets that a thread each empties.
pub struct Peer {
    sockets: Vec<UdpSocket>,
    heard: Arc<Mutex<Heard>>,
    ended: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Peer {
    /// Listens on each of `ports`; what is RTP and what RTCP is told by the second octet (RFC 5761 4).
    pub fn listen(ports: &[u16]) -> Self {
        let sockets: Vec<_> = ports
            .iter()
            .map(|port| UdpSocket::bind(("127.0.0.1", *port)).expect("the port is free"))
            .collect();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let ended = Arc::new(AtomicBool::new(false));
        let threads = sockets.iter().map(|socket| {
            let (heard, ended) = (heard.clone(), ended.clone());
            let socket = socket.try_clone().expect("another descriptor");
            socket
                .set_read_timeout(Some(PATIENCE))
                .expect("a time limit");
            thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    receive(&socket, &heard);
                }
            })
        });
        let threads = threads.collect();
        Self {
            sockets,
            heard,
            ended,
            threads,
        }
    }

    pub fn packets(&self) -> Vec<Packet> {
        self.heard().packets.clone()
    }

    pub fn reports(&self) -> Vec<Report> {
        self.heard().reports.clone()
    }

    /// Answers `report`, from the port that it came to, as the receiver `ssrc`.
    pub fn answer(&self, report: &Report, ssrc: u32, block: &Block) {
        let socket = self.sockets.last().expect("at least one socket");
        let octets = block.to_octets(ssrc, report.ssrc);
        socket
            .send_to(&octets, report.from)
            .expect("the answer leaves");
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().expect("no thread panics")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking(), "a malformed packet");
        }
    }
}

/// What a receiver report says about one source.
pub struct Block {
    /// In 256ths.
    pub fraction_lost: u8,
    pub packets_lost: i32,
    /// In units of RTP time.
    pub jitter: u32,
    /// The middle 32 bit of the last sender report's NTP time.
    pub last_report: u32,
    /// Since that came, in 1/65536 s.
    pub delay: u32,
}

impl Block {
    fn to_octets(&self, ssrc: u32, source: u32) -> Vec<u8> {
        let mut octets = vec![0x81, RECEIVER_REPORT, 0, 7];
        octets.extend(ssrc.to_be_bytes());
        octets.extend(source.to_be_bytes());
        octets.push(self.fraction_lost);
        octets.extend(&self.packets_lost.to_be_bytes()[1..]);
        octets.extend(0u32.to_be_bytes());
        octets.extend(self.jitter.to_be_bytes());
        octets.extend(self.last_report.to_be_bytes());
        octets.extend(self.delay.to_be_bytes());
        octets.extend([0x81, SOURCE_DESCRIPTION, 0, 3]);
        octets.extend(ssrc.to_be_bytes());
        octets.extend([CNAME, 4, b'p', b'e', b'e', b'r', 0, 0]);
        octets
    }
}

/// An NTP time as time since 1970.
pub fn unix(ntp_timestamp: u64) -> Duration {
    let fraction = (ntp_timestamp & 0xFFFF_FFFF) * 1_000_000_000;
    Duration::from_secs((ntp_timestamp >> 32) - NTP_UNIX_OFFSET)
        + Duration::from_nanos(fraction >> 32)
}

fn receive(socket: &UdpSocket, heard: &Mutex<Heard>) {
    let mut octets = [0; 2048];
    let Ok((length, from)) = socket.recv_from(&mut octets) else {
        return;
    };
    let arrived = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than 1970");
    let octets = &octets[..length];
    if (SENDER_REPORT..=BYE).contains(&octets[1]) {
        let report = report(octets, from, arrived);
        heard.lock().expect("no panic").reports.push(report);
    } else {
        let (header, payload) = RtpHeader::parse(octets).expect("an RTP header");
        let packet = Packet {
            arrived,
            timestamp: header.timestamp,
            ssrc: header.ssrc,
            marker: header.marker,
            capture_time: header.extension.and_then(|extension| match extension {
                Extension::CaptureTime(time) => Some(time),
                Extension::Frame { .. } => None,
            }),
            payload_octets: payload.len(),
        };
        heard.lock().expect("no panic").packets.push(packet);
    }
}

/// Panics unless `octets` is a sender report, a source description with a CNAME, and perhaps a BYE.
fn report(octets: &[u8], from: SocketAddr, arrived: Duration) -> Report {
    let packets = split(octets);
    let [sender, description, rest @ ..] = packets.as_slice() else {
        panic!("not a compound packet: {octets:?}");
    };
    assert_eq!((sender[0], sender[1]), (0x80, SENDER_REPORT));
    assert_eq!(sender.len(), 28);
    let ssrc = word(sender, 4);
    assert_eq!((description[0], description[1]), (0x81, SOURCE_DESCRIPTION));
    assert_eq!((word(description, 4), description[8]), (ssrc, CNAME));
    let end = 10 + usize::from(description[9]);
    assert_eq!(description.get(end), Some(&0), "the end of the items");
    if let [bye, ..] = rest {
        assert_eq!((bye[0], bye[1], word(bye, 4)), (0x81, BYE, ssrc));
    }
    Report {
        from,
        arrived,
        ssrc,
        ntp_timestamp: u64::from(word(sender, 8)) << 32 | u64::from(word(sender, 12)),
        rtp_timestamp: word(sender, 16),
        packet_count: word(sender, 20),
        octet_count: word(sender, 24),
        cname: String::from_utf8(description[10..end].to_vec()).expect("UTF-8"),
        bye: !rest.is_empty(),
    }
}

/// The packets of a compound packet, by their own lengths.
fn split(mut octets: &[u8]) -> Vec<&[u8]> {
    let mut packets = Vec::new();
    while !octets.is_empty() {
        let words = u16::from_be_bytes([octets[2], octets[3]]);
        let (packet, rest) = octets.split_at(4 + 4 * usize::from(words));
        packets.push(packet);
        octets = rest;
    }
    packets
}

fn word(octets: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(octets[at..at + 4].try_into().expect("4 octets"))
}
