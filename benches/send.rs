//! What a frame costs from parsed to sent: framewire's send path against one `sendto` per copied packet.
//!
//! Both send the same frame to a draining receiver on loopback, in alternating rounds of one run; the figure is
//! the ratio of CPU time of the sending thread. The microseconds are this machine's at this moment.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use framewire::capture::monotonic_now;
use framewire::config::{Config, Mtu};
use framewire::frame::Frame;
use framewire::jpeg::{Image, Parser};
use framewire::rtp::Packetizer;
use framewire::stats::Stats;
use framewire::transmit::Transmitter;
use nix::sys::socket::{setsockopt, sockopt::RcvBuf};
use nix::time::{ClockId, clock_gettime};
use support::frames::{Picture, Tables};

/// Rounds per variant; the first of each is a warm-up and not counted.
const ROUNDS: usize = 21;
/// Frames per round.
const FRAMES: u32 = 60;

fn main() {
    let jpeg = Picture {
        width: 1920,
        height: 1080,
        tables: Tables::Foreign,
        ..Picture::DEFAULT
    }
    .encode();
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    setsockopt(&receiver, RcvBuf, &(4 << 20)).expect("a receive buffer");
    let address = receiver.local_addr().expect("an address");
    let stop = AtomicBool::new(false);

    let text = format!("[[camera]]\nname = \"x\"\n[[camera.rtp]]\ndestination = \"{address}\"\n");
    let config = Config::parse("bench".as_ref(), text.as_bytes()).expect("a configuration");
    let stats = Stats::default();
    let mut framewire = Transmitter::new("bench", &stats);
    framewire.set_outputs(&config.cameras[0].outputs);
    let mut baseline = SendTo {
        socket: UdpSocket::bind("127.0.0.1:0").expect("a socket"),
        address,
        packetizer: Packetizer::new(1, 0),
        datagram: Vec::new(),
    };
    let frame = Frame {
        data: Bytes::from(jpeg),
        sequence: 0,
        captured: monotonic_now(),
        dequeued: monotonic_now(),
    };

    let mut parser = Parser::default();
    let rounds: Vec<[f64; 3]> = thread::scope(|scope| {
        scope.spawn(|| drain(&receiver, &stop));
        let rounds = (0..ROUNDS)
            .map(|_| {
                [
                    micros(|| framewire.transmit(&frame)),
                    micros(|| baseline.send(&frame)),
                    micros(|| packetize_only(&mut parser, &frame)),
                ]
            })
            .collect();
        stop.store(true, Ordering::Relaxed);
        rounds
    });
    report(&frame, &rounds[1..]);
}

/// The baseline: each packet copied together and sent by a call of its own.
struct SendTo {
    socket: UdpSocket,
    address: std::net::SocketAddr,
    packetizer: Packetizer,
    datagram: Vec<u8>,
}

impl SendTo {
    fn send(&mut self, frame: &Frame) {
        let image = Image::parse(&frame.data).expect("a frame that can be carried");
        for packet in self
            .packetizer
            .packets(&image, 0, Mtu::default().udp_payload(false))
        {
            self.datagram.clear();
            packet.write_header(|octets| self.datagram.extend_from_slice(octets));
            self.datagram.extend_from_slice(packet.scan);
            let sent = self.socket.send_to(&self.datagram, self.address);
            assert_eq!(sent.expect("the packet is sent"), self.datagram.len());
        }
    }
}

/// What comes before any system call: markers, tables, headers.
fn packetize_only(parser: &mut Parser, frame: &Frame) {
    let image = parser
        .parse(&frame.data)
        .expect("a frame that can be carried");
    let mut packetizer = Packetizer::new(1, 0);
    let mut batch = framewire::transmit::batch::Batch::new();
    let packet_octets = Mtu::default().udp_payload(false);
    batch.fill(packetizer.packets(&image, 0, packet_octets), usize::MAX);
    black_box(batch.octets());
}

/// CPU time of this thread, user and system, in microseconds per frame.
fn micros(mut send: impl FnMut()) -> f64 {
    let now = || {
        let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the thread's clock");
        Duration::from(time)
    };
    let before = now();
    for _ in 0..FRAMES {
        send();
    }
    (now() - before).as_secs_f64() * 1e6 / f64::from(FRAMES)
}

fn drain(receiver: &UdpSocket, stop: &AtomicBool) {
    let timeout = Some(Duration::from_millis(50));
    receiver.set_read_timeout(timeout).expect("a time-out");
    let mut datagram = [0; 2048];
    while !stop.load(Ordering::Relaxed) {
        // A time-out is as good as a datagram: look at the flag.
        let _ = receiver.recv(&mut datagram);
    }
}

fn report(frame: &Frame, rounds: &[[f64; 3]]) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let column = |at: usize| median(rounds.iter().map(|round| round[at]).collect());
    let ratio = median(rounds.iter().map(|round| round[0] / round[1]).collect());
    println!(
        "1080p frame of {} octets, loopback, {} rounds of {FRAMES} frames, medians:",
        frame.data.len(),
        rounds.len()
    );
    println!("  framewire            {:8.1} us CPU per frame", column(0));
    println!("  sendto per packet    {:8.1} us CPU per frame", column(1));
    println!("  parse and packetize  {:8.1} us CPU per frame", column(2));
    println!("  framewire / sendto   {ratio:8.3}");
}
