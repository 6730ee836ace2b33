//! The sockets of one protocol: bound all together, and tried again when one cannot be had.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::ways::{Protocol, bind};
use crate::backoff::Backoff;
use crate::log_limit::LogLimits;

/// Waits after a socket that could not be had: the first, and the longest.
const SHORTEST_BACK_OFF: Duration = Duration::from_secs(1);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);

/// Sockets that the thread is to accept connections at from now on. Filled by the main thread.
#[derive(Debug, Default)]
pub struct Arrivals(Mutex<Vec<(Protocol, TcpListener)>>);

impl Arrivals {
    /// These, too.
    pub fn add(&self, listeners: Vec<(Protocol, TcpListener)>) {
        self.lock().extend(listeners);
    }

    /// Those that have come since.
    pub fn take(&self) -> Vec<(Protocol, TcpListener)> {
        std::mem::take(&mut *self.lock())
    }

    /// The list is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Vec<(Protocol, TcpListener)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sockets of one protocol.
#[derive(Debug)]
pub struct Entrance {
    protocol: Protocol,
    addresses: Vec<SocketAddr>,
    listeners: Vec<TcpListener>,
    /// When the next attempt is due.
    due: Instant,
    backoff: Backoff,
    said: LogLimits,
}

impl Entrance {
    /// At these `addresses`; `listeners` are bound already, if there are any.
    pub fn new(
        protocol: Protocol,
        addresses: &[SocketAddr],
        listeners: Vec<TcpListener>,
        now: Instant,
    ) -> Self {
        Self {
            protocol,
            addresses: addresses.to_vec(),
            listeners,
            due: now,
            backoff: Backoff::new(SHORTEST_BACK_OFF, LONGEST_BACK_OFF),
            said: LogLimits::default(),
        }
    }

    /// Opens it when it is time, also for a thread that is there already and waits for `arrivals`; true when it is open
    /// since this call.
    pub fn turn(&mut self, arrivals: Option<&Arrivals>, now: Instant) -> bool {
        if self.is_open() || now < self.due {
            return false;
        }
        match self.open(arrivals) {
            Ok(()) => true,
            Err(problem) => {
                let what = format!("the door stays shut: {problem}; trying again");
                if let Some(times) = self.said.note(&what, now) {
                    warn!("{what}{times}");
                }
                self.due = now + self.backoff.wait();
                false
            }
        }
    }

    fn open(&mut self, arrivals: Option<&Arrivals>) -> io::Result<()> {
        let bound: io::Result<Vec<_>> = self.addresses.iter().map(|&each| bind(each)).collect();
        let listeners = bound?;
        for listener in &listeners {
            let address = listener.local_addr()?;
            match self.protocol {
                Protocol::Http => info!("http://{address}/ shows the cameras"),
                Protocol::Rtsp => {
                    info!("rtsp://{address}/NAME is the camera NAME for players and recorders")
                }
            }
        }
        self.listeners = listeners;
        if let Some(arrivals) = arrivals {
            match self.listeners() {
                Ok(listeners) => arrivals.add(listeners),
                Err(problem) => {
                    self.listeners.clear();
                    return Err(problem);
                }
            }
        }
        self.backoff.reset();
        Ok(())
    }

    /// Whether it has its sockets.
    pub fn is_open(&self) -> bool {
        !self.listeners.is_empty()
    }

    /// Sockets of one's own, as far as it is open.
    pub fn listeners(&self) -> io::Result<Vec<(Protocol, TcpListener)>> {
        let own = |listener: &TcpListener| Ok((self.protocol, listener.try_clone()?));
        self.listeners.iter().map(own).collect()
    }

    /// The addresses that it is open at.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let address = |listener: &TcpListener| listener.local_addr().ok();
        self.listeners.iter().filter_map(address)
    }
}
