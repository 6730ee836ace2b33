//! Streams that viewers ask for while a camera runs: they come and go, and no other stream notices.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use framewire::camera::{CameraThread, Parting};
use framewire::clocks::{monotonic_now, sleep_until};
use framewire::config::{self, Config, Controls};
use framewire::frame::{Frame, Suspicion};
use framewire::ledger::Identity;
use framewire::panel::Panel;
use framewire::rtp::header::RtpHeader;
use framewire::sessions::{Session, Sessions};
use framewire::stats::Stats;
use framewire::transmit::Transmitter;
use framewire::viewers::Viewers;
use support::frames::Picture;
use support::transmit::transmit;

const SSRC: u32 = 0x1234_5678;
/// Packet type of a BYE (RFC 3550 12.1).
const BYE: u8 = 203;
const LIMIT: Duration = Duration::from_secs(10);

/// A viewer's pair of ports.
struct Viewer {
    rtp: UdpSocket,
    rtcp: UdpSocket,
}

impl Viewer {
    fn new() -> Self {
        loop {
            let rtp = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            let mut above = rtp.local_addr().expect("an address");
            above.set_port(above.port().saturating_add(1));
            if let Ok(rtcp) = UdpSocket::bind(above) {
                rtp.set_nonblocking(true).expect("a non-blocking socket");
                rtcp.set_nonblocking(true).expect("a non-blocking socket");
                return Self { rtp, rtcp };
            }
        }
    }

    fn address(&self) -> SocketAddr {
        self.rtp.local_addr().expect("an address")
    }

    /// A stream to it from free ports.
    fn session(&self, sequence_number: u16) -> Arc<Session> {
        let server = Self::new();
        let port = server.address().port();
        let identity = Identity {
            ssrc: SSRC,
            clock_offset: 7,
            sequence_number,
            report_port: port + 1,
            source: None,
        };
        let output = config::Output::to_viewer(self.address(), port);
        Arc::new(Session::new(output, identity))
    }

    /// The source's port, SSRC, sequence number and marker of all packets that have come.
    fn packets(&self) -> Vec<(u16, u32, u16, bool)> {
        let headers = datagrams(&self.rtp).into_iter().map(|(source, octets)| {
            let (header, _) = RtpHeader::parse(&octets).expect("an RTP header");
            let RtpHeader {
                ssrc,
                sequence_number,
                marker,
                ..
            } = header;
            (source.port(), ssrc, sequence_number, marker)
        });
        headers.collect()
    }

    /// The port that reports have come from, and whether the last one said good-bye.
    fn reports(&self) -> Option<(u16, bool)> {
        let reports = datagrams(&self.rtcp);
        let (source, octets) = reports.last()?;
        let ends = octets[..octets.len() - 4].ends_with(&[0x81, BYE, 0, 1]);
        Some((source.port(), ends))
    }
}

fn datagrams(socket: &UdpSocket) -> Vec<(SocketAddr, Vec<u8>)> {
    let mut octets = [0; 2048];
    let mut all = Vec::new();
    while let Ok((length, source)) = socket.recv_from(&mut octets) {
        all.push((source, octets[..length].to_vec()));
    }
    all
}

fn camera(lines: &str) -> config::Camera {
    let text = format!(
        "[http]\nlisten = \"127.0.0.1:9\"\n[[camera]]\nname = \"x\"\ndevice = \"demo\"\n{lines}\n"
    );
    let config = Config::parse("test".as_ref(), text.as_bytes()).expect("a configuration");
    config.cameras[0].clone()
}

/// Sends one more picture.
fn send(transmitter: &mut Transmitter, stats: &Stats) {
    let now = monotonic_now();
    let frame = Frame {
        data: Bytes::from(Picture::DEFAULT.encode()),
        sequence: 0,
        captured: now,
        dequeued: now,
        suspicion: Suspicion::None,
    };
    transmit(transmitter, &frame, stats, sleep_until);
    transmitter.report();
}

/// One number after the other, all of this stream from this port; returns the last.
fn expect_stream(packets: &[(u16, u32, u16, bool)], port: u16, first: u16) -> u16 {
    assert!(!packets.is_empty());
    let mut next = first;
    for packet in packets {
        assert_eq!((packet.0, packet.1, packet.2), (port, SSRC, next));
        next = next.wrapping_add(1);
    }
    next
}

#[test]
fn a_session_is_one_more_output() {
    let (configured, viewer) = (Viewer::new(), Viewer::new());
    let outputs = |more: &str| {
        let line = format!(
            "[[camera.rtp]]\ndestination = \"{}\"\n",
            configured.address()
        );
        camera(&(line + more)).outputs
    };
    let stats = Stats::default();
    let mut transmitter = Transmitter::new("x", &stats);
    transmitter.set_outputs(&outputs(""));
    let sessions = Sessions::default();
    let mut next_of_configured = None;
    let mut sends = |transmitter: &mut Transmitter| {
        transmitter.follow(&sessions);
        send(transmitter, &stats);
        for (_, _, number, _) in configured.packets() {
            let expected = *next_of_configured.get_or_insert(number);
            assert_eq!(number, expected, "the other stream has lost something");
            next_of_configured = Some(number.wrapping_add(1));
        }
    };
    sends(&mut transmitter);
    assert!(viewer.packets().is_empty());

    let session = viewer.session(65_530);
    let port = session.output().local_port.get();
    sessions.add(&session);
    sends(&mut transmitter);
    let next = expect_stream(&viewer.packets(), port, 65_530);
    assert_eq!(viewer.reports(), Some((port + 1, false)));
    // Another configuration of the camera: it stays.
    transmitter.set_outputs(&outputs("dscp = 46\n"));
    sends(&mut transmitter);
    let next = expect_stream(&viewer.packets(), port, next);

    sessions.pause(&session);
    sends(&mut transmitter);
    assert!(viewer.packets().is_empty());
    assert!(viewer.reports().is_none_or(|(_, ends)| !ends));
    sessions.add(&session);
    sends(&mut transmitter);
    let next = expect_stream(&viewer.packets(), port, next);
    assert_eq!(session.identity().sequence_number, next);

    sessions.remove(&session);
    sends(&mut transmitter);
    assert!(viewer.packets().is_empty());
    assert_eq!(viewer.reports(), Some((port + 1, true)));
    let summary = serde_json::to_value(stats.summary("x")).expect("JSON");
    assert_eq!(summary["sessions"], serde_json::json!([]));
    assert_eq!(summary["outputs"].as_array().map(Vec::len), Some(1));
    transmitter.close();
}

#[test]
fn a_session_wakes_a_camera_that_sleeps() {
    let viewer = Viewer::new();
    let viewers = Arc::new(Viewers::new().expect("a bell"));
    let config = camera("on-demand = true");
    let panel = Arc::new(Panel::new(Controls::default()));
    let mut camera =
        CameraThread::start(&config, None, None, viewers.clone(), panel).expect("a thread");
    let state = |camera: &CameraThread| camera.stats().state().to_string();
    let until = |what: &str, is_true: &mut dyn FnMut() -> bool| {
        let start = Instant::now();
        while !is_true() {
            assert!(start.elapsed() < LIMIT, "not {what}");
            thread::sleep(Duration::from_millis(5));
        }
    };
    until("asleep", &mut || state(&camera) == "idle");
    let session = viewer.session(1);
    assert!(viewers.begin(&session));
    let mut came = Vec::new();
    until("awake", &mut || {
        came.extend(viewer.packets());
        came.iter().filter(|packet| packet.3).count() >= 3
    });
    expect_stream(&came[..1], session.output().local_port.get(), 1);
    // As a reload does it.
    let changed = framewire::config::Camera {
        restart_markers: config::RestartMarkers::Remove,
        ..config
    };
    camera.change(&changed, Instant::now());
    until("changed", &mut || camera.deaf_since().is_none());
    came.clear();
    until("going on", &mut || {
        came.extend(viewer.packets());
        came.iter().filter(|packet| packet.3).count() >= 3
    });
    viewers.sessions().remove(&session);
    until("asleep again", &mut || state(&camera) == "idle");
    assert!(matches!(viewer.reports(), Some((_, true))));
    camera.stop(Parting::End);
    assert!(camera.join().1);
}
