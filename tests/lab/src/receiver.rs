//! A socket that collects datagrams with the time of their arrival.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

const QUEUE: usize = 64 << 20; // octets: the receiver itself must never lose a packet
const QUIET: Duration = Duration::from_millis(200); // no packet for so long: all have arrived
const MARKER: u8 = 0x80; // of the second octet: the last packet of a frame, RFC 3551
const LARGEST_DATAGRAM: usize = 65_507; // octets, RFC 768

pub struct Datagram {
    pub at: Instant,
    pub octets: Vec<u8>,
}

/// Collects until it is asked for the result.
pub struct Receiver {
    stop: Arc<AtomicBool>,
    frames: Arc<AtomicUsize>,
    collector: Option<JoinHandle<io::Result<Vec<Datagram>>>>,
}

impl Receiver {
    pub fn listen(port: u16) -> io::Result<Self> {
        Self::start(port, true)
    }

    /// Only counts the frames: for runs without end.
    pub fn count(port: u16) -> io::Result<Self> {
        Self::start(port, false)
    }

    fn start(port: u16, keep: bool) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
        setsockopt(&socket, sockopt::RcvBufForce, &QUEUE)?;
        socket.set_read_timeout(Some(QUIET))?;
        let (stop, frames) = (Arc::default(), Arc::default());
        let collector = thread::spawn({
            let (stop, frames) = (Arc::clone(&stop), Arc::clone(&frames));
            move || collect(&socket, keep, &stop, &frames)
        });
        Ok(Self {
            stop,
            frames,
            collector: Some(collector),
        })
    }

    /// Frames that have come so far, whole or not.
    pub fn frames(&self) -> usize {
        self.frames.load(Ordering::Relaxed)
    }

    /// Call it when the sender has ended; returns after a moment of quiet.
    pub fn finish(mut self) -> io::Result<Vec<Datagram>> {
        self.join()
            .unwrap_or_else(|| Err(io::Error::other("the receiver panicked")))
    }

    fn join(&mut self) -> Option<io::Result<Vec<Datagram>>> {
        self.stop.store(true, Ordering::Relaxed);
        self.collector.take()?.join().ok()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.join(); // so that the next scenario finds the port free
    }
}

fn collect(
    socket: &UdpSocket,
    keep: bool,
    stop: &AtomicBool,
    frames: &AtomicUsize,
) -> io::Result<Vec<Datagram>> {
    let mut datagrams = Vec::new();
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        match socket.recv(&mut buffer) {
            Ok(length) => {
                if keep {
                    datagrams.push(Datagram {
                        at: Instant::now(),
                        octets: buffer[..length].to_vec(),
                    });
                }
                if buffer[1] & MARKER != 0 {
                    frames.fetch_add(1, Ordering::Relaxed);
                }
            }
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            Err(_) if stop.load(Ordering::Relaxed) => return Ok(datagrams),
            Err(_) => {}
        }
    }
}
