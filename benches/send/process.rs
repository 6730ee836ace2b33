//! The bench as the processes that benches/compare starts: test pictures, the baselines; and its own draining receiver.

use std::fs;
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::socket::{
    MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, setsockopt,
    sockopt::{RcvBuf, RcvBufForce},
};

use crate::pictures;
use crate::sender::Sender;
use crate::senders::{Gso, SendMmsg, SendTo};

/// What is written is as large as 1080p cameras' frames: 170 kB.
const QUALITY: u8 = 85;
const USAGE: &str = "\
cargo bench --bench send -- pictures FOLDER WIDTH HEIGHT   writes the test pictures there
                            sendto|sendmmsg|gso FOLDER FRAMES FPS DESTINATION...
                                                           sends the folder's pictures in turn; FPS 0 = unpaced";

/// Octets of the receive buffer asked for.
const RECEIVE_BUFFER: usize = 32 << 20;
/// Datagrams taken in one call.
const DATAGRAMS: usize = 64;

/// Does what the words of the command line say.
pub fn run(words: &[&str]) {
    match words {
        ["pictures", folder, width, height] => {
            write_pictures(Path::new(folder), number(width), number(height));
        }
        [kind, folder, frames, fps, destinations @ ..] => {
            let pictures = read_pictures(Path::new(folder));
            let destinations: Vec<SocketAddr> = destinations
                .iter()
                .map(|text| text.parse().expect("ADDRESS:PORT"))
                .collect();
            let mut sender: Box<dyn Sender> = match *kind {
                "sendto" => Box::new(SendTo::new(&pictures, &destinations)),
                "sendmmsg" => Box::new(SendMmsg::new(&pictures, &destinations)),
                "gso" => Box::new(Gso::new(&pictures, &destinations)),
                _ => panic!("{USAGE}"),
            };
            send(sender.as_mut(), number(frames), number(fps));
        }
        _ => panic!("{USAGE}"),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|_| panic!("{text} is no number\n{USAGE}"))
}

fn write_pictures(folder: &Path, width: u16, height: u16) {
    fs::create_dir_all(folder).expect("a folder");
    for (index, jpeg) in pictures(width, height, QUALITY).iter().enumerate() {
        fs::write(folder.join(format!("{index}.jpg")), jpeg).expect("a file is written");
    }
}

fn read_pictures(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect()
}

fn send(sender: &mut dyn Sender, frames: u32, fps: u32) {
    let start = Instant::now();
    for frame in 0..frames {
        if fps > 0 {
            let due = start + Duration::from_secs(frame.into()) / fps;
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        sender.send(frame as usize);
    }
}

/// Takes datagrams off the socket without copying them (MSG_TRUNC into nothing), for ever.
pub fn drain(socket: &UdpSocket) {
    setsockopt(socket, RcvBufForce, &RECEIVE_BUFFER)
        .or_else(|_| setsockopt(socket, RcvBuf, &RECEIVE_BUFFER))
        .expect("a receive buffer");
    let mut headers = MultiHeaders::<SockaddrIn>::preallocate(DATAGRAMS, None);
    let flags = MsgFlags::MSG_TRUNC | MsgFlags::MSG_WAITFORONE;
    loop {
        let mut nothing: [[IoSliceMut; 0]; DATAGRAMS] = [const { [] }; DATAGRAMS];
        let received = recvmmsg(
            socket.as_raw_fd(),
            &mut headers,
            nothing.iter_mut(),
            flags,
            None,
        );
        received.expect("datagrams");
    }
}
