//! The log is never in the way: neither streams nor the end of the process wait for whoever reads it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::folder::Folder;
use support::frames::Picture;

/// Longest wait for what must come at some time.
const LONG: Duration = Duration::from_secs(20);
/// How long an end may take that waits for nobody.
const SOON: Duration = Duration::from_secs(1);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A pipe that takes no octet more, both ends.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let flags = |flags| fcntl(&writer, FcntlArg::F_SETFL(flags)).expect("its flags");
    flags(OFlag::O_NONBLOCK);
    while writer.write(&[b'x'; 4096]).is_ok() {}
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).expect("its flags");
    (reader, writer)
}

/// `framewire` with these arguments, and with `stderr`; killed when the test ends before it.
struct Framewire(Child);

impl Framewire {
    fn start(arguments: &[&str], stderr: impl Into<Stdio>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
        Self::spawn(command.args(arguments), stderr)
    }

    fn spawn(command: &mut Command, stderr: impl Into<Stdio>) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(stderr).spawn().expect("framewire starts");
        // The command keeps the pipe's end open: for the reader it would never end.
        command.stderr(Stdio::null());
        Self(child)
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.0.id().try_into().expect("a process id"));
        kill(id, signal).expect("a signal");
    }

    /// Its exit code, which must come within `time`.
    fn ends_within(&mut self, time: Duration) -> Option<i32> {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return status.code();
            }
            assert!(begin.elapsed() < time, "it still runs");
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Framewire {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_that_nobody_reads_costs_no_frame_and_no_time_at_the_end() {
    let folder = Folder::new("unread-log");
    let picture = folder.write("picture.jpg", Picture::DEFAULT.encode());
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(LONG)).expect("a time-out");
    let port = socket.local_addr().expect("an address").port();
    let dead = { UdpSocket::bind("127.0.0.1:0").and_then(|gone| gone.local_addr()) };
    let dead = dead.expect("an address").port();
    let text = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"replay:{picture}\"\nfps = 60\n\
         [[camera.rtp]]\ndestination = \"127.0.0.1:{dead}\"\n\
         [[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n\
         [log]\nlevel = \"debug\"\nsummary-interval = 1\n"
    );
    let config = folder.write("config.toml", text);
    let (_unread, stderr) = full_pipe();
    let mut framewire = Framewire::start(&["run", "--config", &config], stderr);
    let mut markers = 0;
    let mut number: Option<u16> = None;
    let mut packet = [0; 9000];
    // Some seconds: at the start, at the first failure and at each summary there is something to log.
    while markers < 200 {
        let length = socket.recv(&mut packet).expect("a packet in time");
        assert!(length > 12, "{length} octets");
        let this = u16::from_be_bytes([packet[2], packet[3]]);
        if let Some(last) = number.replace(this) {
            assert_eq!(this, last.wrapping_add(1), "a packet is missing");
        }
        markers += u32::from(packet[1] >> 7);
    }
    framewire.signal(Signal::SIGTERM);
    assert_eq!(framewire.ends_within(SOON), Some(0));
}

#[test]
fn a_failure_that_nobody_reads_ends_too() {
    let folder = Folder::new("unread-failure");
    let wrong = folder.write("config.toml", "wrong");
    let (_unread, stderr) = full_pipe();
    let mut framewire = Framewire::start(&["check", "--config", &wrong], stderr);
    assert_eq!(framewire.ends_within(LONG), Some(78));
}

#[test]
fn the_end_waits_a_little_for_a_reader_that_is_slow() {
    let folder = Folder::new("slow-reader");
    let notify = folder.0.join("notify");
    let manager = UnixDatagram::bind(&notify).expect("a socket");
    manager.set_read_timeout(Some(LONG)).expect("a time-out");
    let (mut reader, stderr) = full_pipe();
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command.args(["demo", "--to", "127.0.0.1:9", "--frames", "1"]);
    let mut framewire = Framewire::spawn(command.env("NOTIFY_SOCKET", &notify), stderr);
    let mut news = [0; 4096];
    loop {
        let length = manager.recv(&mut news).expect("a notification in time");
        if String::from_utf8_lossy(&news[..length]).contains("STOPPING=1") {
            break;
        }
    }
    // Without a wait at its end the process would be gone by then.
    std::thread::sleep(Duration::from_millis(50));
    let mut log = String::new();
    reader.read_to_string(&mut log).expect("the log");
    assert!(log.contains("INFO demo: capturing ended\n"), "{log}");
    assert_eq!(framewire.ends_within(LONG), Some(0));
}
