//! retina as a receiver: its depacketizer behind a socket of our own, in a thread.

use crate::support::receive::{headers, try_depacketize};
use std::net::UdpSocket;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What has arrived: the frames, and what went wrong.
type Arrived = (Vec<Vec<u8>>, Vec<String>);

/// The thread, which ends by itself.
pub struct Retina(JoinHandle<Arrived>);

impl Retina {
    pub fn listen(port: u16, receive_buffer: usize) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", port)).expect("a free port");
        socket2::SockRef::from(&socket)
            .set_recv_buffer_size(receive_buffer)
            .expect("a receive buffer");
        Self(thread::spawn(move || depacketize_all(&packets(&socket))))
    }

    pub fn finish(self) -> Arrived {
        self.0.join().expect("no panic")
    }
}

/// All that comes before a silence.
fn packets(socket: &UdpSocket) -> Vec<Vec<u8>> {
    const START: Duration = Duration::from_secs(30);
    const SILENCE: Duration = Duration::from_secs(1);
    let mut packets = Vec::new();
    let mut buffer = [0; 9000];
    let wait = |limit| socket.set_read_timeout(Some(limit)).expect("a time-out");
    wait(START);
    while let Ok(length) = socket.recv(&mut buffer) {
        packets.push(buffer[..length].to_vec());
        wait(SILENCE);
    }
    packets
}

fn depacketize_all(packets: &[Vec<u8>]) -> Arrived {
    let (mut frames, mut complaints) = (Vec::new(), Vec::new());
    let numbers = packets.iter().map(|packet| headers(packet).0);
    let numbers: Vec<_> = numbers.map(|header| header.sequence_number).collect();
    let lost = numbers
        .windows(2)
        .filter(|pair| pair[1] != pair[0].wrapping_add(1));
    match lost.count() {
        0 => {}
        lost => complaints.push(format!("packets are missing in {lost} places")),
    }
    for frame in packets.chunk_by(|one, next| headers(one).0.timestamp == headers(next).0.timestamp)
    {
        match try_depacketize(frame) {
            Ok(jpeg) => frames.push(jpeg),
            Err(error) => complaints.push(error),
        }
    }
    (frames, complaints)
}
