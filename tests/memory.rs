//! A long run needs no more memory than a short one: 100,000 frames as fast as they go, to the loopback interface.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use std::fs;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use framewire::rtp::header::RtpHeader;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::folder::Folder;
use support::frames::Picture;

/// When the process is looked at: it has started, and it has gone on for long. Frames that have arrived.
const EARLY: u64 = 1_000;
const LATE: u64 = 100_000;
/// Kilobytes that may differ when the two moments are not quite the same: of the process's own memory another group
/// of blocks of some size, of all memory also pages of the program that were not needed before.
const SLACK: [(&str, u64); 2] = [("Anonymous:", 64), ("Rss:", 512)];
const LIMIT: Duration = Duration::from_secs(240);

/// Killed when the test fails.
struct Sender(Child);

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Sender {
    /// Kilobytes by a line of /proc/PID/smaps_rollup, which counts page by page; the counts of /proc/PID/status are
    /// approximations.
    fn kilobytes(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/smaps_rollup", self.0.id());
        let rollup = fs::read_to_string(path).expect("it runs");
        let mut lines = rollup.lines();
        let text = lines.find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        text.and_then(|text| text.parse().ok()).expect("a number")
    }

    fn memory(&self) -> [u64; 2] {
        SLACK.map(|(name, _)| self.kilobytes(name))
    }
}

#[test]
fn a_hundred_thousand_frames_leave_no_memory_behind() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_read_timeout(Some(LIMIT)).expect("a time-out");
    let folder = Folder::new("memory");
    let small = Picture {
        width: 160,
        height: 120,
        ..Picture::DEFAULT
    };
    for seed in 0..4 {
        folder.write(&format!("{seed}.jpg"), Picture { seed, ..small }.encode());
    }
    let config = format!(
        "[[camera]]\nname = \"x\"\ndevice = \"replay:{}\"\nfps = 0\n[[camera.rtp]]\ndestination = \"{}\"\n",
        folder.0.display(),
        socket.local_addr().expect("an address")
    );
    let config = folder.write("config.toml", config);
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command.args(["run", "--json", "--config", &config]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let sender = Sender(command.spawn().expect("it starts"));

    let (start, mut frames, mut datagram) = (Instant::now(), 0, [0; 2048]);
    let mut receive_until = |count| {
        while frames < count {
            let length = socket.recv(&mut datagram).expect("packets");
            let packet = RtpHeader::parse(&datagram[..length]);
            frames += u64::from(packet.is_some_and(|(header, _)| header.marker));
            assert!(start.elapsed() < LIMIT, "{frames} frames after {LIMIT:?}");
        }
    };
    receive_until(EARLY);
    let early = sender.memory();
    receive_until(LATE);
    let late = sender.memory();
    for ((name, slack), (early, late)) in SLACK.into_iter().zip(early.into_iter().zip(late)) {
        println!("{name} {early} kB, {late} kB");
        assert!(late <= early + slack, "{name} {early} kB, {late} kB");
    }
    assert!(end(sender)["cameras"][0]["frames_sent"].as_u64() >= Some(LATE));
}

/// Ends it well; returns what it has counted.
fn end(mut sender: Sender) -> Value {
    let pid = Pid::from_raw(sender.0.id().try_into().expect("a process number"));
    kill(pid, Signal::SIGTERM).expect("a signal");
    let stdout = sender.0.stdout.take().expect("a pipe");
    let summary = serde_json::from_reader(stdout).expect("JSON");
    assert!(sender.0.wait().expect("an end").success());
    summary
}
