//! A terminal that does not show what is typed. termios(3).

use std::io;
use std::os::fd::AsFd;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use crate::stop::{readable, wait_readable};

/// Longest wait at a time.
const LONG: std::time::Duration = std::time::Duration::from_secs(3600);

/// The terminal at standard input shows nothing as long as this is there, whatever signal comes.
pub struct Silent {
    before: Termios,
    signals: SigSet,
    come: SignalFd,
}

impl Silent {
    /// From now on.
    pub fn begin() -> io::Result<Self> {
        let mut signals = SigSet::empty();
        for signal in [
            Signal::SIGHUP,
            Signal::SIGINT,
            Signal::SIGQUIT,
            Signal::SIGTERM,
        ] {
            signals.add(signal);
        }
        let before = tcgetattr(io::stdin())?;
        let come = SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC)?;
        signals.thread_block()?;
        let silent = Self {
            before,
            signals,
            come,
        };
        let mut settings = silent.before.clone();
        settings.local_flags.remove(LocalFlags::ECHO);
        settings.local_flags.insert(LocalFlags::ECHONL);
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &settings)?;
        Ok(silent)
    }

    /// Until a line can be read.
    pub fn wait(&self) -> io::Result<()> {
        let stdin = io::stdin();
        loop {
            let mut events = [readable(stdin.as_fd()), readable(self.come.as_fd())];
            wait_readable(&mut events, LONG)?;
            let [line, signal] = events.map(|event| event.any().unwrap_or_default());
            if signal {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if line {
                return Ok(());
            }
        }
    }
}

impl Drop for Silent {
    /// A signal that has come ends the process here.
    fn drop(&mut self) {
        // There is nobody to tell, and nothing better to do.
        let _ = tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &self.before);
        let _ = self.signals.thread_unblock();
    }
}
