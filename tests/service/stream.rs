//! A receiver that notices every lost packet and every lost frame of a replay.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Octets of the fixed RTP header (RFC 3550 5.1).
const RTP_HEADER: usize = 12;
/// Longest wait for packets.
const LONG: Duration = Duration::from_secs(20);

/// What came, packet by packet.
type Packets = Vec<Vec<u8>>;

/// Receives in the background until it is told to stop.
pub struct Receiver {
    pub port: u16,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Packets>,
}

impl Receiver {
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let port = socket.local_addr().expect("an address").port();
        let time = Some(Duration::from_millis(20));
        socket.set_read_timeout(time).expect("a time-out");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let mut packets = Packets::new();
            let mut octets = [0; 9000];
            while !stopped.load(Ordering::Relaxed) {
                if let Ok(length) = socket.recv(&mut octets) {
                    packets.push(octets[..length].to_vec());
                }
            }
            packets
        });
        Self { port, stop, thread }
    }

    /// Ends it; what came is one stream from start to end.
    pub fn end(self) -> Stream {
        self.stop.store(true, Ordering::Relaxed);
        Stream(self.thread.join().expect("the receiver ends"))
    }
}

/// All packets that one destination got.
pub struct Stream(Packets);

impl Stream {
    /// The synchronization sources in the order of their first packets.
    pub fn sources(&self) -> usize {
        let mut sources: Vec<_> = self.0.iter().map(|packet| &packet[8..12]).collect();
        sources.dedup();
        sources.len()
    }

    /// The whole frames, each as the payloads of its packets; fails when a packet is missing.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        let mut frames = vec![Vec::new()];
        let mut last: Option<u16> = None;
        for packet in &self.0 {
            let number = u16::from_be_bytes([packet[2], packet[3]]);
            if let Some(last) = last.replace(number) {
                assert_eq!(number, last.wrapping_add(1), "a packet is missing");
            }
            let frame = frames.last_mut().expect("one at least");
            frame.extend_from_slice(&packet[RTP_HEADER..]);
            if packet[1] & 0x80 != 0 {
                frames.push(Vec::new());
            }
        }
        // What follows the last marker is cut off by the end of the receiver.
        frames.pop();
        frames
    }

    /// The whole frames of a replay of `pictures`: fails when one is missing.
    pub fn frames_in_turn(&self, pictures: usize) -> usize {
        let frames = self.frames();
        assert!(frames.len() > 2 * pictures, "only {} frames", frames.len());
        let (first, _) = frames.split_at(pictures);
        for (at, frame) in frames.iter().enumerate() {
            assert!(
                *frame == first[at % pictures],
                "frame {at} is another than its turn"
            );
        }
        for (at, frame) in first.iter().enumerate() {
            assert!(!first[..at].contains(frame), "the pictures differ");
        }
        frames.len()
    }
}

/// Waits until a socket of the test's has got a packet.
pub fn packet_arrives(socket: &UdpSocket) {
    socket.set_read_timeout(Some(LONG)).expect("a time-out");
    let started = Instant::now();
    let length = socket.recv(&mut [0; 9000]).expect("a packet");
    assert!(
        length > RTP_HEADER,
        "{length} octets after {:?}",
        started.elapsed()
    );
}
