//! A receiver that notices every lost packet and every lost frame of a replay.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use framewire::rtp::header::RtpHeader;

/// Longest time between two pictures in RTP time, 1/90000 s.
const MOST_TICKS: i32 = 5 * 90_000;
/// Longest wait for packets.
const LONG: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What came, packet by packet.
type Packets = Vec<Vec<u8>>;

/// Receives in the background until it is told to stop.
pub struct Receiver {
    pub port: u16,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    packets: Mutex<Packets>,
    fences: AtomicUsize,
    stop: AtomicBool,
}

impl Receiver {
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let port = socket.local_addr().expect("an address").port();
        socket.set_read_timeout(Some(LOOK)).expect("a time-out");
        let shared = Arc::new(Shared::default());
        let thread = thread::spawn({
            let shared = shared.clone();
            move || receive(&socket, &shared)
        });
        Self {
            port,
            shared,
            thread,
        }
    }

    /// Packets so far that end a frame.
    fn frames(&self) -> usize {
        let packets = self.shared.packets.lock().expect("no panic in between");
        packets
            .iter()
            .filter(|packet| header(packet).0.marker)
            .count()
    }

    /// Waits for so many more frames.
    pub fn gets_more(&self, frames: usize) {
        let wanted = self.frames() + frames;
        let deadline = Instant::now() + LONG;
        while self.frames() < wanted {
            let count = self.frames();
            assert!(Instant::now() < deadline, "{count} frames, not {wanted}");
            thread::sleep(LOOK);
        }
    }

    /// How many frames were sent before this was called: what is in the socket is read first.
    pub fn frames_up_to_now(&self) -> usize {
        let fences = self.shared.fences.load(Ordering::Acquire);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket
            .send_to(&[0], ("127.0.0.1", self.port))
            .expect("a fence");
        let deadline = Instant::now() + LONG;
        while self.shared.fences.load(Ordering::Acquire) == fences {
            assert!(Instant::now() < deadline, "the receiver reads nothing");
            thread::sleep(LOOK);
        }
        self.frames()
    }

    /// Ends it when it has read all that has come, which is one stream from start to end.
    pub fn end(self) -> Stream {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the receiver ends");
        let packets = self.shared.packets.lock().expect("no panic in between");
        Stream(packets.clone())
    }
}

fn receive(socket: &UdpSocket, shared: &Shared) {
    let mut octets = [0; 9000];
    loop {
        match socket.recv(&mut octets) {
            Ok(1) => _ = shared.fences.fetch_add(1, Ordering::Release),
            // A report on the stream to the port below (RFC 5761 4).
            Ok(_) if (200..=207).contains(&octets[1]) => {}
            Ok(length) => {
                let mut packets = shared.packets.lock().expect("no panic in between");
                packets.push(octets[..length].to_vec());
            }
            Err(_) if shared.stop.load(Ordering::Relaxed) => return,
            Err(_) => {}
        }
    }
}

fn header(packet: &[u8]) -> (RtpHeader, &[u8]) {
    RtpHeader::parse(packet).expect("a plain RTP header")
}

/// All packets that one destination got.
pub struct Stream(Packets);

impl Stream {
    /// The synchronization sources in the order of their first packets.
    pub fn sources(&self) -> usize {
        let mut sources: Vec<_> = self.0.iter().map(|packet| header(packet).0.ssrc).collect();
        sources.dedup();
        sources.len()
    }

    /// The whole frames, each as the payloads of its packets; fails when a packet is missing.
    pub fn frames(&self) -> Vec<Vec<u8>> {
        let mut frames = vec![Vec::new()];
        let mut last: Option<u16> = None;
        let timestamps = self.0.iter().map(|packet| header(packet).0.timestamp);
        let steps = timestamps.clone().zip(timestamps.skip(1));
        for (before, after) in steps {
            let step = after.wrapping_sub(before).cast_signed();
            assert!((0..=MOST_TICKS).contains(&step), "a step of {step} ticks");
        }
        for packet in &self.0 {
            let (header, payload) = header(packet);
            let number = header.sequence_number;
            if let Some(last) = last.replace(number) {
                assert_eq!(number, last.wrapping_add(1), "a packet is missing");
            }
            let frame = frames.last_mut().expect("one at least");
            frame.extend_from_slice(payload);
            if header.marker {
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
    let mut packet = [0; 9000];
    let length = socket.recv(&mut packet).expect("a packet");
    let (_, payload) = header(&packet[..length]);
    assert!(!payload.is_empty());
}
