//! One camera's frames to destinations that work and destinations that do not: each costs itself only.
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
use std::time::{Duration, Instant};

use bytes::Bytes;
use framewire::clocks::{monotonic_now, sleep_until};
use framewire::config::{Config, Output};
use framewire::frame::{Frame, Suspicion};
use framewire::rtp::header::RtpHeader;
use framewire::stats::Stats;
use framewire::transmit::Transmitter;
use serde_json::Value;
use support::frames::Picture;
use support::transmit::transmit;

/// From frame to frame.
const INTERVAL: Duration = Duration::from_millis(10);
/// Longest wait for what is to happen at some time.
const LONG: Duration = Duration::from_secs(60);

fn receiver(address: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(address).expect("a socket");
    socket.set_nonblocking(true).expect("a non-blocking socket");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

fn header(packet: &[u8]) -> RtpHeader {
    RtpHeader::parse(packet).expect("a plain RTP header").0
}

/// Datagrams that have come, and how many of them end a frame.
fn received(socket: &UdpSocket) -> (u64, u64) {
    let (mut packets, mut markers) = (0, 0);
    let mut octets = [0; 2048];
    while let Ok(length) = socket.recv(&mut octets) {
        packets += 1;
        markers += u64::from(header(&octets[..length]).marker);
    }
    (packets, markers)
}

/// One `[[camera.rtp]]` per text, which is its destination and perhaps further lines.
fn outputs(destinations: &[&str]) -> Vec<Output> {
    let mut text = "[[camera]]\nname = \"x\"\n".to_owned();
    for destination in destinations {
        text += &format!("[[camera.rtp]]\nrtcp = \"off\"\ndestination = {destination}\n");
    }
    let config = Config::parse("test".as_ref(), text.as_bytes()).expect("a configuration");
    config.cameras[0].outputs.clone()
}

struct Camera<'a> {
    transmitter: Transmitter<'a>,
    stats: &'a Stats,
    picture: Bytes,
    sequence: u32,
}

impl<'a> Camera<'a> {
    fn new(stats: &'a Stats, destinations: &[&str]) -> Self {
        let mut transmitter = Transmitter::new("x", stats);
        transmitter.set_outputs(&outputs(destinations));
        Self {
            transmitter,
            stats,
            // Small, so that a socket's buffer holds many.
            picture: Picture {
                width: 96,
                height: 64,
                ..Picture::DEFAULT
            }
            .encode()
            .into(),
            sequence: 0,
        }
    }

    fn shoot(&mut self, frames: u64) {
        for _ in 0..frames {
            self.shoot_at(monotonic_now());
            std::thread::sleep(INTERVAL);
        }
    }

    /// Sends a frame that was captured then; returns its batches.
    fn shoot_at(&mut self, captured: Duration) -> Vec<Turn> {
        let frame = Frame {
            data: self.picture.clone(),
            sequence: self.sequence,
            captured,
            dequeued: captured,
            suspicion: Suspicion::None,
        };
        self.sequence += 1;
        let mut turns = Vec::new();
        transmit(&mut self.transmitter, &frame, self.stats, |due| {
            turns.push(Turn {
                asked: monotonic_now(),
                due,
            });
            sleep_until(due);
        });
        turns
    }
}

/// A batch's turn.
#[derive(Debug)]
struct Turn {
    /// When its time was asked for: the batch before it had left.
    asked: Duration,
    /// When it was to leave.
    due: Duration,
}

fn summary(stats: &Stats) -> Value {
    serde_json::to_value(stats.summary("x")).expect("JSON")
}

#[test]
fn a_destination_that_refuses_costs_itself_only() {
    let (good, good_address) = receiver("127.0.0.1:0");
    // No other test takes a port of this address meanwhile.
    let (late, late_address) = receiver("127.0.0.2:0");
    drop(late);
    let stats = Stats::default();
    let destinations = [format!("\"{late_address}\""), format!("\"{good_address}\"")];
    let mut camera = Camera::new(&stats, &destinations.each_ref().map(String::as_str));
    let began = Instant::now();
    let (mut shot, mut arrived) = (0, 0);
    let before = loop {
        camera.shoot(10);
        shot += 10;
        arrived += received(&good).1;
        let summary = summary(&stats);
        if summary["outputs"][0]["frames_skipped"].as_u64() > Some(30) {
            break summary;
        }
        assert!(began.elapsed() < LONG, "never left alone: {summary}");
    };
    // A pause after each failure.
    let most = 1 + began.elapsed().as_millis() / 250;
    assert_eq!(arrived, shot, "{before}");
    assert_eq!(before["frames_sent"], shot);
    let refused = &before["outputs"][0];
    let problem = refused["problem"].as_str().expect("a problem");
    assert!(problem.contains("nobody listens"), "{problem}");
    let [sent, failed, skipped] = ["frames_sent", "frames_failed", "frames_skipped"]
        .map(|key| refused[key].as_u64().expect("a number"));
    assert_eq!(sent + failed + skipped, shot, "{refused}");
    assert!((1..=most).contains(&failed.into()), "{refused}, not {most}");

    // It comes to life: at some time it is tried again, and from then on it gets every frame.
    let late = UdpSocket::bind(late_address).expect("the same port");
    late.set_nonblocking(true).expect("a non-blocking socket");
    let began = Instant::now();
    while received(&late).1 == 0 {
        assert!(began.elapsed() < LONG, "never sent again");
        camera.shoot(1);
    }
    camera.shoot(20);
    assert_eq!(received(&late).1, 20);
    assert_eq!(summary(&stats)["outputs"][0]["problem"], Value::Null);
}

#[test]
fn what_cannot_be_reached_is_tried_again_and_others_go_on() {
    let (good, good_address) = receiver("[::1]:0");
    let stats = Stats::default();
    let good_output = format!("\"{good_address}\"");
    // connect(2) refuses the broadcast address of the loopback; the interface does not exist; the name never does (RFC 6761).
    let mut camera = Camera::new(
        &stats,
        &[
            "\"127.255.255.255:8\"",
            "\"127.0.0.1:8\"\ninterface = \"nowhere9\"",
            "\"nobody.invalid:8\"",
            &good_output,
        ],
    );
    camera.shoot(40);
    let summary = summary(&stats);
    assert_eq!(received(&good).1, 40, "{summary}");
    for (index, said) in [
        (0, "127.255.255.255 is a broadcast address"),
        (1, "nowhere9"),
    ] {
        let problem = summary["outputs"][index]["problem"].as_str();
        let problem = problem.expect("a problem");
        assert!(problem.contains(said), "{problem}");
    }
    for output in &summary["outputs"].as_array().expect("outputs")[..3] {
        assert_eq!(output["packets_sent"], 0, "{output}");
        assert_eq!(output["frames_skipped"], 40, "{output}");
    }
}

#[test]
fn without_any_destination_frames_are_counted_as_such() {
    let stats = Stats::default();
    let mut camera = Camera::new(&stats, &["\"127.255.255.255:8\""]);
    camera.shoot(3);
    let summary = summary(&stats);
    assert_eq!(summary["frames_sent"], 0);
    assert_eq!(summary["frames_dropped"]["no-destination"], 3, "{summary}");
}

#[test]
fn a_name_is_looked_up_beside_the_stream() {
    let (v4, address) = receiver("127.0.0.1:0");
    let v6 = UdpSocket::bind(("::1", address.port()));
    let stats = Stats::default();
    let mut camera = Camera::new(&stats, &[&format!("\"localhost:{}\"", address.port())]);
    let began = Instant::now();
    let mut count = 0;
    while count == 0 {
        assert!(began.elapsed() < LONG, "never resolved");
        camera.shoot(1);
        count = received(&v4).1;
        if let Ok(v6) = &v6 {
            v6.set_nonblocking(true).expect("a non-blocking socket");
            count += received(v6).1;
        }
    }
    // The first one did not wait for the answer.
    let output = &summary(&stats)["outputs"][0];
    assert!(output["frames_skipped"].as_u64() >= Some(1), "{output}");
}

#[test]
fn outputs_that_stay_go_on_undisturbed_when_others_change() {
    let (first, first_address) = receiver("127.0.0.1:0");
    let (second, second_address) = receiver("127.0.0.1:0");
    let (kept, other) = (
        format!("\"{first_address}\""),
        format!("\"{second_address}\""),
    );
    let stats = Stats::default();
    let mut camera = Camera::new(&stats, &[&kept]);
    let (mut numbers, mut markers) = (Vec::new(), 0);
    let mut collect = |first: &UdpSocket| {
        let mut octets = [0; 2048];
        while let Ok(length) = first.recv(&mut octets) {
            let header = header(&octets[..length]);
            markers += u64::from(header.marker);
            numbers.push((header.ssrc, header.sequence_number));
        }
    };
    for destinations in [&[&other, &kept][..], &[&kept], &[&kept, &other]] {
        camera.shoot(3);
        collect(&first);
        let list: Vec<&str> = destinations.iter().map(|each| each.as_str()).collect();
        camera.transmitter.set_outputs(&outputs(&list));
    }
    camera.shoot(3);
    collect(&first);
    assert_eq!((markers, received(&second).1), (12, 6));
    for pair in numbers.windows(2) {
        assert_eq!(pair[0].0, pair[1].0, "the same SSRC");
        assert_eq!(pair[0].1.wrapping_add(1), pair[1].1, "no packet missing");
    }
    assert_eq!(summary(&stats)["outputs"].as_array().map(Vec::len), Some(2));
}

/// Of the paced frames, by their own capture times.
const PACED_INTERVAL: Duration = Duration::from_millis(40);
/// Their share of it.
const SHARE: f32 = 0.75;

/// A camera whose frames take several batches.
fn paced_camera<'a>(stats: &'a Stats, address: SocketAddr, picture: &Picture) -> Camera<'a> {
    let paced = format!("\"{address}\"\npacing = {SHARE}\nmtu = 576");
    let mut camera = Camera::new(stats, &[&paced]);
    camera.picture = picture.encode().into();
    camera
}

#[test]
fn paced_packets_are_spread_over_the_frame_interval() {
    const FRAMES: u32 = 10;
    let (socket, address) = receiver("127.0.0.1:0");
    let stats = Stats::default();
    let mut camera = paced_camera(&stats, address, &Picture::DEFAULT);
    let (mut packets, mut markers, mut frames) = (0, 0, Vec::new());
    for number in 0..FRAMES {
        frames.push(camera.shoot_at(PACED_INTERVAL * number));
        let (more_packets, more_markers) = received(&socket);
        packets += more_packets;
        markers += more_markers;
    }
    let summary = summary(&stats);
    assert_eq!(markers, u64::from(FRAMES), "{summary}");
    let batches = u32::try_from(packets.div_ceil(markers).div_ceil(20)).expect("a few");
    assert!(batches > 1, "a frame of several batches");
    assert_eq!(summary["send_calls"], FRAMES * batches, "{summary}");
    // Of the first frame the interval is not known yet.
    let gap = PACED_INTERVAL.mul_f32(SHARE) / batches;
    for turns in &frames[1..] {
        for pair in turns.windows(2) {
            let soonest = pair[0].due + gap;
            // Late is what the machine makes of it: the next batch keeps three quarters of the distance.
            let latest = soonest.max(pair[1].asked + gap * 3 / 4);
            assert!((soonest..=latest).contains(&pair[1].due), "{turns:?}");
        }
    }
    let spread = summary["latency_us"]["first_to_last_packet"]["p50"].as_u64();
    let least = gap * 3 / 4 * (batches - 1);
    assert!(spread >= u64::try_from(least.as_micros()).ok(), "{summary}");
}

/// The next frame was captured long before, and still its first batch keeps its distance from the last one's last.
#[test]
fn batches_keep_their_gaps_from_frame_to_frame() {
    let (_receiver, address) = receiver("127.0.0.1:0");
    let stats = Stats::default();
    let mut camera = paced_camera(&stats, address, &Picture::DEFAULT);
    let frames = [0, 1, 2].map(|number| camera.shoot_at(PACED_INTERVAL * number));
    let batches = u32::try_from(frames[0].len()).expect("a few");
    assert!(batches > 1, "{batches} batches a frame");
    // The shorter of both: of the first frame the interval is not known yet.
    let gap = Duration::from_millis(33).mul_f32(SHARE) / batches;
    for pair in frames.windows(2) {
        let (last, first) = (&pair[0][pair[0].len() - 1], &pair[1][0]);
        assert!(
            first.due >= last.due + gap * 3 / 4,
            "{frames:?}, not {gap:?}"
        );
    }
}
