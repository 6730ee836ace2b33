//! One client's stream by UDP: an output of the camera's own thread, which sends it and reads the reports about it.
//! RFC 2326 12.39 (ports), RFC 3550 11 (pairs of ports).

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Instant;

use crate::config::Output;
use crate::ledger::Identity;
use crate::sessions::Session;
use crate::stats::output::OutputStats;
use crate::viewers::Viewers;

/// Pairs of ports that are tried: each second one fits.
const ATTEMPTS: usize = 32;

/// A stream that the client can have begun and stopped.
#[derive(Debug)]
pub struct Datagrams {
    session: Arc<Session>,
    viewers: Arc<Viewers>,
    /// Nobody else gets the ports until the camera has them. What comes before is for nobody: it opens the way through a
    /// router.
    reserved: RefCell<Option<[UdpSocket; 2]>>,
    is_playing: Cell<bool>,
}

impl Datagrams {
    /// To `client`, which has the port above it for reports, of the camera that `viewers` watch.
    pub fn new(client: SocketAddr, viewers: &Arc<Viewers>) -> io::Result<Self> {
        let (port, reserved) = reserve(client.is_ipv6())?;
        let identity = Identity {
            report_port: port + 1,
            ..Identity::random()?
        };
        Ok(Self {
            session: Arc::new(Session::new(Output::to_viewer(client, port), identity)),
            viewers: viewers.clone(),
            reserved: RefCell::new(Some(reserved)),
            is_playing: Cell::new(false),
        })
    }

    /// The port that packets come from; reports come from the one above.
    pub fn server_port(&self) -> u16 {
        self.session.output().local_port.get()
    }

    /// Synchronization source of all packets.
    pub fn ssrc(&self) -> u32 {
        self.session.identity().ssrc
    }

    /// Its counters.
    pub fn stats(&self) -> &Arc<OutputStats> {
        self.session.stats()
    }

    /// When the client reported last, if it did.
    pub fn last_report(&self) -> Option<Instant> {
        self.session.stats().last_report()
    }

    /// Whether it is a stream of the camera that `viewers` watch.
    pub fn is_of(&self, viewers: &Arc<Viewers>) -> bool {
        Arc::ptr_eq(&self.viewers, viewers)
    }

    /// Begins it, or goes on; false when the camera has too many.
    pub fn play(&self) -> bool {
        if !self.is_playing.get() {
            self.reserved.take();
            self.is_playing.set(self.viewers.begin(&self.session));
        }
        self.is_playing.get()
    }

    /// Stops it, so that it can go on with the next number.
    pub fn pause(&self) {
        if self.is_playing.replace(false) {
            self.viewers.sessions().pause(&self.session);
        }
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        if self.is_playing.get() {
            self.viewers.sessions().remove(&self.session);
        }
    }
}

/// An even port and the one above it, where packets and reports are to come from.
fn reserve(ipv6: bool) -> io::Result<(u16, [UdpSocket; 2])> {
    let any: IpAddr = match ipv6 {
        true => Ipv6Addr::UNSPECIFIED.into(),
        false => Ipv4Addr::UNSPECIFIED.into(),
    };
    for _ in 0..ATTEMPTS {
        let rtp = UdpSocket::bind((any, 0))?;
        let port = rtp.local_addr()?.port();
        if port % 2 == 0
            && let Ok(rtcp) = UdpSocket::bind((any, port + 1))
        {
            return Ok((port, [rtp, rtcp]));
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AddrInUse,
        "no pair of UDP ports is free",
    ))
}
