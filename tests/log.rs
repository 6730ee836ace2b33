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

use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
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
        Self::spawn_with(command, Stdio::null(), stderr)
    }

    fn spawn_with(
        command: &mut Command,
        stdout: impl Into<Stdio>,
        stderr: impl Into<Stdio>,
    ) -> Self {
        let command = command.stdin(Stdio::null()).stdout(stdout);
        let child = command.stderr(stderr).spawn().expect("framewire starts");
        // The command keeps the pipes' ends open: for a reader they would never end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
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

/// The log of a run to a receiver that never reports; it ends by itself.
fn log_of(folder: &Folder, arguments: &[&str]) -> String {
    let picture = folder.write("picture.jpg", Picture::DEFAULT.encode());
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let port = socket.local_addr().expect("an address").port();
    let text = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"replay:{picture}\"\nfps = 60\n\
         [[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\npacing = 0.6\n"
    );
    let config = folder.write("config.toml", text);
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command.args(["run", "--config", &config]).args(arguments);
    let output = command.output().expect("framewire runs");
    assert!(output.status.success());
    let log = String::from_utf8(output.stderr).expect("UTF-8");
    log.replace(&format!("127.0.0.1:{port}"), "RECEIVER")
        .replace(&config, "CONFIG")
}

#[test]
fn the_log_begins_with_what_is_streamed_where_and_how() {
    let folder = Folder::new("beginning");
    let log = log_of(&folder, &["--frames", "1"]);
    for line in [
        concat!(
            "INFO framewire ",
            env!("CARGO_PKG_VERSION"),
            ", configuration CONFIG\n"
        ),
        "INFO front: to RECEIVER, paced over 10 ms\n",
    ] {
        assert!(log.contains(line), "{line} in {log}");
    }
    assert!(!log.contains("receiver has reported"), "{log}");
}

#[test]
fn a_log_line_tells_of_its_interval_and_once_that_no_receiver_reports() {
    let folder = Folder::new("intervals");
    let log = log_of(&folder, &["--timeout", "13", "--interval", "1"]);
    let rates: Vec<f64> = log
        .lines()
        .filter_map(|line| {
            line.split_once("front: streaming, ")?
                .1
                .split_once(" fps, ")
        })
        .map(|(rate, _)| rate.parse().expect("a rate"))
        .collect();
    assert!((10..=13).contains(&rates.len()), "{log}");
    // The first line may be of a slow start.
    let usual = rates.iter().filter(|rate| (55.0..65.0).contains(*rate));
    assert!(usual.count() > rates.len() / 2, "{rates:?}");
    let silence = "RECEIVER: no receiver has reported within 10 s: ";
    assert_eq!(log.matches(silence).count(), 1, "{log}");
}

#[test]
fn json_that_nobody_reads_costs_no_time_at_the_end() {
    let (_unread, stdout) = full_pipe();
    let (reader, stderr) = std::io::pipe().expect("a pipe");
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command.args(["demo", "--to", "127.0.0.1:9", "--json", "--interval", "1"]);
    let mut framewire = Framewire::spawn_with(&mut command, stdout, stderr);
    let mut log = BufReader::new(reader).lines().map_while(Result::ok);
    // The second is in the queue then, the first waits to be written.
    let summaries = log.by_ref().filter(|line| line.contains(" INFO demo: "));
    assert!(
        summaries
            .filter(|line| line.contains("dropped"))
            .nth(1)
            .is_some()
    );
    framewire.signal(Signal::SIGTERM);
    assert_eq!(framewire.ends_within(SOON), Some(1));
    assert!(log.any(|line| line == "framewire: stdout: nobody reads it"));
}

#[test]
fn a_summary_that_nobody_reads_costs_no_time_at_the_end() {
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    receiver.set_read_timeout(Some(LONG)).expect("a time-out");
    let to = format!("{}", receiver.local_addr().expect("an address"));
    let folder = Folder::new("unread-summary");
    let config = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"demo\"\n[[camera.rtp]]\ndestination = \"{to}\"\n"
    );
    let config = folder.write("config.toml", config);
    for format in [&[][..], &["--json"]] {
        let (_unread, stdout) = full_pipe();
        let (mut log, stderr) = std::io::pipe().expect("a pipe");
        let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
        command.args(["run", &config]).args(format);
        let mut framewire = Framewire::spawn_with(&mut command, stdout, stderr);
        receiver.recv(&mut [0; 2000]).expect("a packet");
        framewire.signal(Signal::SIGTERM);
        assert_eq!(framewire.ends_within(SOON), Some(1));
        let mut said = String::new();
        log.read_to_string(&mut said).expect("the log");
        let last = said.lines().last();
        assert_eq!(last, Some("framewire: stdout: nobody reads it"));

        // Nor does anybody read the log; and the end comes by itself.
        let (_unread, stdout) = full_pipe();
        let (_neither, stderr) = full_pipe();
        command.args(["--frames", "1"]);
        let mut framewire = Framewire::spawn_with(&mut command, stdout, stderr);
        receiver.recv(&mut [0; 2000]).expect("a packet");
        assert_eq!(framewire.ends_within(SOON), Some(1));
        receiver.set_nonblocking(true).expect("non-blocking");
        while receiver.recv(&mut [0; 2000]).is_ok() {}
        receiver.set_nonblocking(false).expect("blocking");
    }
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
