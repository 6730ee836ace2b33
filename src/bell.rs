//! Wakes a thread that waits for a file descriptor: ringing never waits, and ringing often is ringing once.
//! unix(7): a pair of sockets, because asynchronous runtimes have a safe type for it, and the service's filter of system
//! calls lets no pipe be made.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

/// Rings that are heard at once.
pub const RINGS: usize = 64;

/// A bell that one thread listens to.
#[derive(Debug)]
pub struct Bell {
    listener: UnixStream,
    ringer: UnixStream,
}

impl Bell {
    /// A bell that has not rung yet.
    pub fn new() -> io::Result<Self> {
        let (listener, ringer) = UnixStream::pair()?;
        listener.set_nonblocking(true)?;
        ringer.set_nonblocking(true)?;
        Ok(Self { listener, ringer })
    }

    /// Rings: it is readable until it is heard.
    pub fn ring(&self) {
        // Fails only when there is no room for more, and then it rings.
        let _ = (&self.ringer).write(&[1]);
    }

    /// Takes notice of the ringing so far; what is left of very much rings on.
    pub fn heard(&self) {
        // Fails when it has not rung.
        let _ = (&self.listener).read(&mut [0; RINGS]);
    }

    /// A descriptor of one's own for what rings.
    pub fn listener(&self) -> io::Result<UnixStream> {
        self.listener.try_clone()
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
