//! A socket that collects datagrams with the time of their arrival.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt};

const QUEUE: usize = 64 << 20; // octets: the receiver itself must never lose a packet
const QUIET: Duration = Duration::from_millis(200); // no packet for so long: all have arrived
const LARGEST_DATAGRAM: usize = 65_507; // octets, RFC 768

pub struct Datagram {
    pub at: Instant,
    pub octets: Vec<u8>,
}

/// Collects until it is asked for the result.
pub struct Receiver {
    stop: Arc<AtomicBool>,
    collector: Option<JoinHandle<io::Result<Vec<Datagram>>>>,
}

impl Receiver {
    pub fn listen(port: u16) -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
        setsockopt(&socket, sockopt::RcvBufForce, &QUEUE)?;
        socket.set_read_timeout(Some(QUIET))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let collector = thread::spawn(move || {
            let mut datagrams = Vec::new();
            let mut buffer = vec![0; LARGEST_DATAGRAM];
            loop {
                match socket.recv(&mut buffer) {
                    Ok(length) => {
                        datagrams.push(Datagram {
                            at: Instant::now(),
                            octets: buffer[..length].to_vec(),
                        });
                    }
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                    Err(_) if stopped.load(Ordering::Relaxed) => return Ok(datagrams),
                    Err(_) => {}
                }
            }
        });
        Ok(Self {
            stop,
            collector: Some(collector),
        })
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
