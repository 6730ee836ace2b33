//! What the service manager is told goes through one socket: a process that may open no more can still say so, and
//! does not wait for a manager that does not listen. sd_notify(3).

use std::env;
use std::fmt::Write as _;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use sd_notify::NotifyState;

/// A way to the service manager.
pub struct NotifySocket {
    manager: SocketAddr,
    ours: UnixDatagram,
}

impl NotifySocket {
    /// To the manager that `$NOTIFY_SOCKET` names; `None` without it.
    pub fn from_environment() -> Option<io::Result<Self>> {
        let path = env::var_os("NOTIFY_SOCKET")?;
        let manager = match path.as_bytes().split_first() {
            Some((b'@', name)) => SocketAddr::from_abstract_name(name),
            _ => SocketAddr::from_pathname(path),
        };
        Some(manager.and_then(Self::to))
    }

    /// To the manager that listens there.
    pub fn to(manager: SocketAddr) -> io::Result<Self> {
        let ours = UnixDatagram::unbound()?;
        ours.set_nonblocking(true)?;
        Ok(Self { manager, ours })
    }

    /// Tells it all of `news` in one message; fails when its queue is full.
    pub fn tell(&self, news: &[NotifyState]) -> io::Result<()> {
        let mut message = String::new();
        for each in news {
            writeln!(message, "{each}").map_err(io::Error::other)?;
        }
        self.ours.send_to_addr(message.as_bytes(), &self.manager)?;
        Ok(())
    }
}
