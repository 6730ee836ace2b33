//! Wakes a thread that waits for a file descriptor: ringing never waits, and ringing often is ringing once.
//! pipe(7): a pipe and no eventfd, because asynchronous runtimes have safe types for it.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// Rings that are heard at once.
const RINGS: usize = 64;

/// A bell that one thread listens to.
#[derive(Debug)]
pub struct Bell {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Bell {
    /// A bell that has not rung yet.
    pub fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        for end in [reader.as_fd(), writer.as_fd()] {
            fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self { reader, writer })
    }

    /// Rings: it is readable until it is heard.
    pub fn ring(&self) {
        // Fails only when the pipe is full, and then it rings.
        let _ = (&self.writer).write(&[1]);
    }

    /// Takes notice of the ringing so far; what is left of very much rings on.
    pub fn heard(&self) {
        // Fails when it has not rung.
        let _ = (&self.reader).read(&mut [0; RINGS]);
    }

    /// A descriptor of one's own for what rings.
    pub fn listener(&self) -> io::Result<OwnedFd> {
        Ok(self.reader.try_clone()?.into())
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
