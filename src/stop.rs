//! Tells threads to end, in a way that `poll` can wait for together with a camera.
//! eventfd(2): the counter is written once and never read, so it stays readable for everybody.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;

/// A flag that is raised once.
#[derive(Debug)]
pub struct Stop {
    event: EventFd,
    /// The same for those who do not wait: no system call.
    raised: AtomicBool,
}

impl Stop {
    /// A flag that is not raised yet.
    pub fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self {
            event: EventFd::from_flags(flags)?,
            raised: AtomicBool::new(false),
        })
    }

    /// Raises the flag, for good.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        // Fails only when the counter is at its limit, and then the flag is up.
        let _ = self.event.write(1);
    }

    /// Whether the flag is up.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Waits for the flag for at most `timeout`; true when it is up.
    pub fn wait(&self, timeout: Duration) -> bool {
        wait_readable(&mut [readable(self.as_fd())], timeout).is_ok_and(|events| events > 0)
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}

/// An entry for [`wait_readable`].
pub fn readable(fd: BorrowedFd<'_>) -> PollFd<'_> {
    PollFd::new(fd, PollFlags::POLLIN)
}

/// ppoll(2) for at most `timeout`; 0 = nothing happened or a signal came.
pub fn wait_readable(fds: &mut [PollFd], timeout: Duration) -> io::Result<usize> {
    match ppoll(fds, Some(TimeSpec::from(timeout)), None) {
        Ok(events) => Ok(usize::try_from(events).unwrap_or(0)),
        Err(Errno::EINTR) => Ok(0),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_flag_stays_up() {
        let stop = Stop::new().unwrap();
        assert!(!stop.is_raised());
        assert!(!stop.wait(Duration::from_millis(1)));
        stop.raise();
        assert!(stop.is_raised());
        assert!(stop.wait(Duration::from_secs(1)));
    }
}
