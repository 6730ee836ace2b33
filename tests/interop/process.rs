//! Child processes with a limit on every wait, and the UDP ports between them.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A child process that does not outlive its test. Its stdout and stderr go to files in the working folder.
pub struct Process {
    child: Child,
    name: String,
    folder: PathBuf,
}

impl Process {
    pub fn spawn(name: &str, command: &mut Command, folder: &Path) -> Self {
        let log = |ending: &str| {
            let path = folder.join(format!("{name}.{ending}"));
            File::create(&path)
                .unwrap_or_else(|error| panic!("cannot create {}: {error}", path.display()))
        };
        command
            .stdin(Stdio::null())
            .stdout(log("out"))
            .stderr(log("err"));
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        Self {
            child,
            name: name.to_owned(),
            folder: folder.to_owned(),
        }
    }

    /// Runs a command to its end, which must be a success.
    pub fn run(name: &str, command: &mut Command, folder: &Path, limit: Duration) -> String {
        let mut process = Self::spawn(name, command, folder);
        process.expect_success(limit);
        process.stdout()
    }

    /// Waits until the process has ended, but no longer than the limit.
    pub fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        poll_until(limit, || self.poll())
    }

    /// Waits until the process has ended, as it must.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let status = self.ended_within(limit);
        status.unwrap_or_else(|| {
            panic!(
                "{} still runs after {limit:?}\n{}",
                self.name,
                self.stderr()
            )
        })
    }

    fn poll(&mut self) -> Option<ExitStatus> {
        let status = self.child.try_wait();
        status.unwrap_or_else(|error| panic!("cannot wait for {}: {error}", self.name))
    }

    pub fn expect_success(&mut self, limit: Duration) {
        let status = self.wait(limit);
        assert!(
            status.success(),
            "{} ended with {status}\n{}",
            self.name,
            self.stderr()
        );
    }

    pub fn expect_running(&mut self) {
        if let Some(status) = self.poll() {
            panic!(
                "{} ended too early with {status}\n{}",
                self.name,
                self.stderr()
            );
        }
    }

    /// Asks for an orderly end, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().try_into();
        let pid = Pid::from_raw(pid.expect("a process id fits into an i32"));
        kill(pid, signal)
            .unwrap_or_else(|error| panic!("cannot send {signal} to {}: {error}", self.name));
    }

    pub fn stdout(&self) -> String {
        self.log("out")
    }

    pub fn stderr(&self) -> String {
        self.log("err")
    }

    fn log(&self, ending: &str) -> String {
        let path = self.folder.join(format!("{}.{ending}", self.name));
        let octets = fs::read(&path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        String::from_utf8_lossy(&octets).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail harmlessly if the process has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer or the limit is reached.
pub fn poll_until<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() >= deadline {
            return answer;
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// A free even port, the odd one after it being free as well: RTP and RTCP (RFC 3550 section 11).
///
/// Tests of one run never get the same port, and concurrent runs start at different ones. All are below the range
/// from which the kernel takes ephemeral ports, so that no socket of an unrelated process comes between.
pub fn free_port_pair() -> u16 {
    const FIRST: u16 = 16_000;
    const PAIRS: u16 = 8_000;
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let start = std::process::id() % u32::from(PAIRS);
    for _ in 0..PAIRS {
        let pair = (start + u32::from(TAKEN.fetch_add(1, Ordering::Relaxed))) % u32::from(PAIRS);
        let port = FIRST + 2 * u16::try_from(pair).expect("fewer than 8000 pairs");
        if [port, port + 1]
            .into_iter()
            .all(|port| UdpSocket::bind(("0.0.0.0", port)).is_ok())
        {
            return port;
        }
    }
    panic!(
        "no free pair of UDP ports from {FIRST} to {}",
        FIRST + 2 * PAIRS - 1
    );
}

/// Whether some process has bound the port, on any IPv4 or IPv6 address.
pub fn is_bound(port: u16) -> bool {
    ["/proc/net/udp", "/proc/net/udp6"]
        .into_iter()
        .any(|table| {
            let table = fs::read_to_string(table).unwrap_or_default(); // no udp6 where IPv6 is disabled
            table
                .lines()
                .skip(1)
                .any(|line| local_port(line) == Some(port))
        })
}

/// The second column of /proc/net/udp is the local address, and its port follows the colon in hexadecimal.
fn local_port(line: &str) -> Option<u16> {
    let (_, port) = line.split_whitespace().nth(1)?.rsplit_once(':')?;
    u16::from_str_radix(port, 16).ok()
}
