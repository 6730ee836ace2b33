//! framewire is ended, in every way, and started again: its streams go on, and receivers take them for the same.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod service {
    #[expect(dead_code, reason = "replaces configurations too")]
    pub mod daemon;
}
mod support;

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use service::daemon::{Daemon, Folder, LONG};
use support::frames::Picture;

/// Starts of each test.
const STARTS: usize = 10;
/// Packets that show that more will come.
const SOME: usize = 50;
/// Packets of a frame, at most.
const FRAME: u16 = 50;
/// RTCP packets of all kinds, where RTP has marker and payload type (RFC 5761 4).
const RTCP: std::ops::RangeInclusive<u8> = 200..=204;

/// A folder in memory, for the file that outlives the process.
struct Memory(PathBuf);

impl Memory {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(format!("/dev/shm/framewire-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One output after the other process: where its packets came from, their SSRC, number and time.
struct Viewer {
    socket: UdpSocket,
    sources: BTreeSet<(SocketAddr, [u8; 4])>,
    last: Option<(u16, u32)>,
    /// Numbers that no packet had.
    missing: Vec<u16>,
    goodbyes: usize,
    /// CNAMEs of the reports.
    names: BTreeSet<Vec<u8>>,
}

impl Viewer {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(LONG)).expect("a time-out");
        Self {
            socket,
            sources: BTreeSet::new(),
            last: None,
            missing: Vec::new(),
            goodbyes: 0,
            names: BTreeSet::new(),
        }
    }

    fn port(&self) -> u16 {
        self.socket.local_addr().expect("an address").port()
    }

    /// Receives so many packets of the stream.
    fn receive(&mut self, packets: usize) {
        let mut received = 0;
        while received < packets {
            received += usize::from(self.take());
        }
    }

    /// What was sent before a process ended, and lies in the socket's buffer.
    fn drain(&mut self) {
        self.socket.set_nonblocking(true).expect("non-blocking");
        while self.socket.peek(&mut [0; 1]).is_ok() {
            self.take();
        }
        self.socket.set_nonblocking(false).expect("blocking");
    }

    /// The next datagram: a report, or a packet of the stream, which must be later than the last; then true.
    fn take(&mut self) -> bool {
        let mut octets = [0; 2000];
        let (length, source) = self.socket.recv_from(&mut octets).expect("a packet");
        if RTCP.contains(&octets[1]) {
            // A sender report, a description whose first item is the name; behind its length.
            let name = &octets[28 + 9..];
            self.names.insert(name[1..][..name[0].into()].to_vec());
            // The last packet of a compound one.
            let bye = [0x81, 203, 0, 1];
            self.goodbyes += usize::from(octets[..length - 4].ends_with(&bye));
            return false;
        }
        let word = |at: usize| *octets[at..].first_chunk::<4>().expect("a header");
        self.sources.insert((source, word(8)));
        let [_, _, n1, n0] = word(0);
        let (number, time) = (u16::from_be_bytes([n1, n0]), u32::from_be_bytes(word(4)));
        if let Some((last_number, last_time)) = self.last.replace((number, time)) {
            let step = number.wrapping_sub(last_number);
            assert!((1..=FRAME).contains(&step), "{last_number}, then {number}");
            assert!(time.wrapping_sub(last_time).cast_signed() >= 0);
            let missing = (1..step).map(|each| last_number.wrapping_add(each));
            self.missing.extend(missing);
        }
        true
    }
}

fn config(folder: &Folder, viewers: &[Viewer]) -> PathBuf {
    let picture = Picture {
        width: 160,
        height: 120,
        ..Picture::DEFAULT
    };
    folder.write("pictures/0.jpg", picture.encode());
    let mut text = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"replay:{}\"\nfps = 100\n",
        folder.path("pictures").display()
    );
    for viewer in viewers {
        let port = viewer.port();
        text += &format!("[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\nrtcp = \"mux\"\n");
    }
    folder.write("config.toml", text)
}

fn start(folder: &Folder, config: &std::path::Path, memory: &Memory) -> Daemon {
    let _ = std::fs::remove_file(folder.path("notify"));
    Daemon::start(folder, config, false, |command| {
        command
            .env("XDG_RUNTIME_DIR", &memory.0)
            .env_remove("RUNTIME_DIRECTORY");
    })
}

#[test]
fn streams_go_on_after_sigterm_without_a_gap() {
    let (folder, memory) = (Folder::new("restart-term"), Memory::new("term"));
    let mut viewers = [Viewer::new(), Viewer::new()];
    let config = config(&folder, &viewers);
    for _ in 0..STARTS {
        let daemon = start(&folder, &config, &memory);
        viewers.iter_mut().for_each(|viewer| viewer.receive(SOME));
        assert_eq!(daemon.end().code(), Some(0));
        viewers.iter_mut().for_each(Viewer::drain);
    }
    for viewer in &viewers {
        assert_eq!(viewer.sources.len(), 1, "{:?}", viewer.sources);
        assert_eq!((&viewer.missing[..], viewer.goodbyes), (&[][..], 0));
    }
    assert_ne!(viewers[0].sources, viewers[1].sources);
    assert_eq!(viewers[0].names.len(), 1);
    assert_eq!(viewers[0].names, viewers[1].names);
}

#[test]
fn streams_go_on_after_sigkill_and_no_number_comes_twice() {
    let (folder, memory) = (Folder::new("restart-kill"), Memory::new("kill"));
    let mut viewers = [Viewer::new(), Viewer::new()];
    let config = config(&folder, &viewers);
    for _ in 0..STARTS {
        let daemon = start(&folder, &config, &memory);
        viewers.iter_mut().for_each(|viewer| viewer.receive(SOME));
        daemon.signal(Signal::SIGKILL);
        drop(daemon);
        viewers.iter_mut().for_each(Viewer::drain);
    }
    for viewer in viewers {
        assert_eq!(viewer.sources.len(), 1, "{:?}", viewer.sources);
        assert_eq!((viewer.names.len(), viewer.goodbyes), (1, 0));
    }
}

#[test]
fn a_stream_that_was_ended_for_good_is_another_later() {
    let (folder, memory) = (Folder::new("restart-int"), Memory::new("int"));
    let mut viewers = [Viewer::new()];
    let config = config(&folder, &viewers);
    let mut sources = BTreeSet::new();
    for _ in 0..2 {
        let daemon = start(&folder, &config, &memory);
        viewers[0].receive(SOME);
        daemon.signal(Signal::SIGINT);
        assert_eq!(daemon.ends().code(), Some(0));
        viewers[0].drain();
        assert_eq!(viewers[0].goodbyes, 1);
        sources.append(&mut viewers[0].sources);
        viewers[0] = Viewer {
            socket: viewers[0].socket.try_clone().expect("a descriptor"),
            ..Viewer::new()
        };
    }
    assert_eq!(sources.len(), 2, "{sources:?}");
}

/// The second one keeps its own streams from those of the first.
#[test]
fn two_processes_at_one_time_are_two_streams() {
    let (folder, other) = (Folder::new("restart-two"), Folder::new("restart-other"));
    let memory = Memory::new("two");
    let viewers = [Viewer::new()];
    let config = config(&folder, &viewers);
    let first = start(&folder, &config, &memory);
    first.hears("READY=1", LONG);
    let second = start(&other, &config, &memory);
    second.logs("another framewire sends that stream");
    let began = Instant::now();
    let mut ssrcs = BTreeSet::new();
    let mut octets = [0; 2000];
    while ssrcs.len() < 2 {
        assert!(began.elapsed() < LONG, "{ssrcs:?}");
        let length = viewers[0].socket.recv(&mut octets).expect("a packet");
        if !RTCP.contains(&octets[1]) {
            ssrcs.insert(octets[8..12].to_vec());
        }
        assert!(length > 12);
    }
    first.end();
    second.end();
    assert!(began.elapsed() < LONG + Duration::from_secs(5));
}
