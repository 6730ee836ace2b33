//! Lines on their way to stderr or stdout: a bounded queue and a thread that writes, so that nobody else waits when
//! nobody reads. Lines that find the queue full are lost, and counted.

use std::fmt;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd;

/// Most lines that wait.
const CAPACITY: usize = 512;
/// Longest wait for the last lines when the process ends: somebody may wait for that end. It may come three times,
/// for the log, for stdout and for the last words, and all of that has one second.
pub const LONGEST_FLUSH: Duration = Duration::from_millis(200);
/// Pause between two looks at what still waits.
const LOOK_INTERVAL: Duration = Duration::from_millis(1);

/// Takes lines and never waits.
#[derive(Debug, Clone)]
pub struct LineQueue {
    lines: SyncSender<Vec<u8>>,
    counts: Arc<Counts>,
}

/// The lines that wait, still to be given a thread.
#[derive(Debug)]
pub struct Backlog {
    lines: Receiver<Vec<u8>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Taken, and not written yet.
    waiting: AtomicUsize,
    lost: AtomicU64,
    /// Why a line could not be written.
    failure: OnceLock<Errno>,
}

/// An empty queue. Its lines wait until [`Backlog::write_to`] says where they go.
pub fn line_queue() -> (LineQueue, Backlog) {
    let (sender, receiver) = mpsc::sync_channel(CAPACITY);
    let counts = Arc::new(Counts::default());
    let queue = LineQueue {
        lines: sender,
        counts: counts.clone(),
    };
    let backlog = Backlog {
        lines: receiver,
        counts,
    };
    (queue, backlog)
}

impl LineQueue {
    /// Takes `line`, with its line end; it is lost when too many wait.
    pub fn push(&self, line: Vec<u8>) {
        self.counts.waiting.fetch_add(1, Ordering::AcqRel);
        if self.lines.try_send(line).is_err() {
            self.counts.waiting.fetch_sub(1, Ordering::AcqRel);
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all lines are written, but not for longer than [`LONGEST_FLUSH`]. An error when they are not, or
    /// when one could not be written at any time.
    pub fn flush(&self) -> io::Result<()> {
        let deadline = Instant::now() + LONGEST_FLUSH;
        while self.counts.waiting.load(Ordering::Acquire) > 0 {
            if Instant::now() >= deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody reads it"));
            }
            thread::sleep(LOOK_INTERVAL);
        }
        let failure = self.counts.failure.get();
        failure.map_or(Ok(()), |&errno| Err(errno.into()))
    }
}

/// One line in one call.
impl Write for LineQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Backlog {
    /// Starts the thread `name` that writes the lines to `file`, and after lost ones what `say_lost` makes of their
    /// number.
    pub fn write_to(
        self,
        file: impl AsFd + Send + 'static,
        name: &str,
        say_lost: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<()> {
        let run = move || self.run(&file, say_lost);
        thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(())
    }

    fn run(self, file: &impl AsFd, say_lost: impl Fn(u64) -> String) {
        let counts = &self.counts;
        let write = |line: &[u8]| {
            if let Err(errno) = write_all(file, line) {
                // The first reason stays.
                let _ = counts.failure.set(errno);
            }
        };
        while let Ok(line) = self.lines.recv() {
            write(&line);
            let mut written = 1;
            // What waits is older than what was lost.
            for line in self.lines.try_iter().take(CAPACITY) {
                write(&line);
                written += 1;
            }
            let lost = counts.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                write(say_lost(lost).as_bytes());
            }
            counts.waiting.fetch_sub(written, Ordering::AcqRel);
        }
    }
}

/// Writes all of `octets`, and waits as long as it takes. No lock is held that others may want.
pub fn write_all(file: &impl AsFd, mut octets: &[u8]) -> Result<(), Errno> {
    while !octets.is_empty() {
        match unistd::write(file, octets) {
            Ok(0) => return Err(Errno::EIO),
            Ok(written) => octets = octets.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            // Whoever shares the file may have made it non-blocking.
            Err(Errno::EAGAIN) => {
                let mut writable = [PollFd::new(file.as_fd(), PollFlags::POLLOUT)];
                match poll(&mut writable, PollTimeout::NONE) {
                    Ok(_) | Err(Errno::EINTR) => {}
                    Err(errno) => return Err(errno),
                }
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// `count` lines, in words.
pub struct Lines(pub u64);

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 {
            1 => f.write_str("1 line"),
            count => write!(f, "{count} lines"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, pipe};

    use super::*;

    #[test]
    fn whoever_pushes_never_waits_and_each_line_is_written_or_counted_as_lost() {
        let (reader, writer) = pipe().unwrap();
        let (queue, backlog) = line_queue();
        backlog
            .write_to(writer, "test", |lost| format!("lost {lost}\n"))
            .unwrap();
        // More than the pipe and the queue take together.
        let long = "x".repeat(1000);
        let pushed = CAPACITY as u64 + 500;
        for number in 0..pushed {
            queue.push(format!("{number} {long}\n").into_bytes());
        }
        let begin = Instant::now();
        assert_eq!(queue.flush().unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(begin.elapsed() >= LONGEST_FLUSH);

        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        let (mut written, mut lost, mut newest) = (0, 0, None);
        while written + lost < pushed {
            let line = lines.next().unwrap();
            if let Some(count) = line.strip_prefix("lost ") {
                lost += count.parse::<u64>().unwrap();
            } else {
                let number = line.split(' ').next().unwrap().parse::<u64>().unwrap();
                assert!(newest.replace(number).is_none_or(|newest| newest < number));
                written += 1;
            }
        }
        assert!(lost > 0);
        assert_eq!(written + lost, pushed);
        queue.push(b"again\n".to_vec());
        assert_eq!(lines.next().unwrap(), "again");
        queue.flush().unwrap();
    }

    #[test]
    fn a_file_that_is_closed_is_an_error_of_the_flush() {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let (queue, backlog) = line_queue();
        queue.push(b"before the thread\n".to_vec());
        backlog.write_to(writer, "test", |_| String::new()).unwrap();
        let error = queue.flush().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_file_that_does_not_block_is_waited_for() {
        use nix::fcntl::{FcntlArg, OFlag, fcntl};
        let (reader, writer) = pipe().unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let octets = vec![7; 200_000];
        let sent = octets.clone();
        let thread = thread::spawn(move || write_all(&writer, &sent));
        thread::sleep(Duration::from_millis(20));
        let mut received = Vec::new();
        io::Read::read_to_end(&mut { reader }, &mut received).unwrap();
        thread.join().unwrap().unwrap();
        assert!(received == octets);
    }
}
