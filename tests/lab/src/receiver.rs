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

/// What became of the packets on their way, by their sequence numbers (RFC 3550 appendix A.1).
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub received: u64,
    /// Came after one with a higher number.
    pub overtaken: u64,
    /// When the first one came.
    pub first_at: Option<Instant>,
    /// The numbers of the first and of the highest one, counted on where 16 bits end.
    first: i64,
    highest: i64,
}

impl Tally {
    fn note(&mut self, sequence_number: u16) {
        if self.received == 0 {
            self.first = i64::from(sequence_number);
            self.highest = self.first;
            self.first_at = Some(Instant::now());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what was on the wire of it is its low half"
        )]
        let low_half = self.highest as u16;
        let step = sequence_number.wrapping_sub(low_half).cast_signed();
        self.highest += i64::from(step.max(0));
        self.overtaken += u64::from(step < 0);
        self.received += 1;
    }

    /// Packets that the sender has numbered, from the first that came to the highest.
    pub fn numbered(&self) -> u64 {
        u64::try_from(self.highest - self.first + 1).unwrap_or(0)
    }
}

/// Collects until it is asked for the result.
pub struct Receiver {
    stop: Arc<AtomicBool>,
    frames: Arc<AtomicUsize>,
    collector: Option<JoinHandle<io::Result<Collected>>>,
}

type Collected = (Vec<Datagram>, Tally);

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
    pub fn finish(self) -> io::Result<Vec<Datagram>> {
        Ok(self.end()?.0)
    }

    /// The same where packets were lost on purpose.
    pub fn tally(self) -> io::Result<Tally> {
        Ok(self.end()?.1)
    }

    fn end(mut self) -> io::Result<Collected> {
        self.join()
            .unwrap_or_else(|| Err(io::Error::other("the receiver panicked")))
    }

    fn join(&mut self) -> Option<io::Result<Collected>> {
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
) -> io::Result<Collected> {
    let (mut datagrams, mut tally) = (Vec::new(), Tally::default());
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        match socket.recv(&mut buffer) {
            Ok(length) => {
                tally.note(u16::from_be_bytes([buffer[2], buffer[3]]));
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
            Err(_) if stop.load(Ordering::Relaxed) => return Ok((datagrams, tally)),
            Err(_) => {}
        }
    }
}
