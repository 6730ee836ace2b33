//! Signals as orders that the main loop reads.
//! signalfd(2).

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// SIGINT: whoever started it has enough.
    End,
    /// SIGTERM: perhaps it is started again at once.
    Pause,
    /// SIGHUP.
    Reload,
}

/// The signals that have come.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Makes them readable instead of deadly; call before any thread is started, so that all inherit the mask.
    pub fn block() -> io::Result<Self> {
        let set = Self::set();
        set.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Self(SignalFd::with_flags(&set, flags)?))
    }

    /// They end this thread's process again, as usual; those that have come are forgotten.
    pub fn unblock(self) -> io::Result<()> {
        while self.next()?.is_some() {}
        Ok(Self::set().thread_unblock()?)
    }

    fn set() -> SigSet {
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
            .into_iter()
            .collect()
    }

    /// The next order, when there is one.
    pub fn next(&self) -> io::Result<Option<Order>> {
        const HANGUP: u32 = Signal::SIGHUP as u32;
        const TERMINATE: u32 = Signal::SIGTERM as u32;
        Ok(self.0.read_signal()?.map(|signal| match signal.ssi_signo {
            HANGUP => Order::Reload,
            TERMINATE => Order::Pause,
            _ => Order::End,
        }))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
