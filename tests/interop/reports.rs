//! RTCP both ways: what framewire reports, and what it makes of what receivers report.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::exchange::WorkingFolder;
use crate::process::{Process, free_port_pair, is_bound, poll_until};
use crate::rtcp_peer::{Block, Peer, Report, unix};
use crate::rtsp;
use crate::support::frames::Picture;
use crate::tools::{self, FFMPEG, GST_LAUNCH};

/// For a program to start and bind its sockets.
const START_LIMIT: Duration = Duration::from_secs(10);
/// For a report to come: one every 7.5 s at most, and what answers it.
const REPORT_LIMIT: Duration = Duration::from_secs(20);
/// For a program to end.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// RTP clock of JPEG, Hz.
const CLOCK_RATE: f64 = 90_000.0;

/// A running framewire.
struct Sender(Process);

impl Sender {
    /// `outputs` are whole `[[camera.rtp]]` tables. A summary line shows every second what has been reported.
    fn start(folder: &WorkingFolder, outputs: &str) -> Self {
        let path = write_config(folder, outputs);
        let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
        command.args(["run", "--json", "--config"]).arg(path);
        Self(Process::spawn("framewire", &mut command, &folder.path))
    }

    /// Waits until the log has `text`.
    fn expect_logged(&self, text: &str) {
        let logged = poll_until(REPORT_LIMIT, || {
            self.0.stderr().contains(text).then_some(())
        });
        assert!(logged.is_some(), "no {text:?} in\n{}", self.0.stderr());
    }

    /// Ends it and its streams, as Ctrl-C does; returns what it says about its outputs.
    fn stop(mut self) -> Vec<Value> {
        self.0.interrupt();
        self.0.expect_success(STOP_LIMIT);
        let report: Value = serde_json::from_str(&self.0.stdout()).expect("the report is JSON");
        let outputs = report["cameras"][0]["outputs"].as_array();
        outputs.expect("a list of outputs").clone()
    }
}

fn write_config(folder: &WorkingFolder, outputs: &str) -> std::path::PathBuf {
    let frames = folder.path.join("frames");
    fs::create_dir_all(&frames).expect("the folder of the frames can be created");
    fs::write(frames.join("0.jpg"), Picture::DEFAULT.encode()).expect("a frame can be written");
    let config = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"replay:{}\"\nfps = 30\n{outputs}\
         [log]\nlevel = \"debug\"\nsummary-interval = 1\n",
        frames.display()
    );
    let path = folder.path.join("config.toml");
    fs::write(&path, config).expect("the configuration can be written");
    path
}

/// An `[[camera.rtp]]` to `port`, from `local_port`.
fn output(port: u16, local_port: u16, rtcp: &str) -> String {
    format!(
        "[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\nlocal-port = {local_port}\nrtcp = \"{rtcp}\"\n"
    )
}

/// The one receiver that has reported, which must have lost nothing and must have got a sender report.
fn expect_content_receiver(output: &Value) {
    let [receiver] = output["receivers"].as_array().expect("a list").as_slice() else {
        panic!("one receiver was to report: {output}");
    };
    assert_eq!(receiver["fraction_lost"], 0.0, "{receiver}");
    // GStreamer sometimes counts one packet more than it expected.
    let lost = receiver["packets_lost"].as_i64();
    assert!(matches!(lost, Some(-1 | 0)), "{receiver}");
    let milliseconds = |key: &str| receiver[key].as_f64().expect("a number");
    // On one machine, however busy: no more than a few frames' time.
    assert!(
        (0.0..100.0).contains(&milliseconds("jitter_ms")),
        "{receiver}"
    );
    assert!(
        (0.0..100.0).contains(&milliseconds("round_trip_ms")),
        "{receiver}"
    );
}

#[test]
fn rtpbin_gets_reports_and_its_own_are_understood() {
    tools::require_gstreamer();
    let folder = WorkingFolder::named("rtpbin");
    let (port, local_port) = (free_port_pair(), free_port_pair());
    let pipeline = format!(
        "-q rtpbin name=bin \
         udpsrc address=127.0.0.1 port={port} buffer-size=4194304 \
         caps=application/x-rtp,media=video,encoding-name=JPEG,clock-rate=90000,payload=26 ! bin.recv_rtp_sink_0 \
         bin. ! rtpjpegdepay ! fakesink sync=false \
         udpsrc address=127.0.0.1 port={} ! bin.recv_rtcp_sink_0 \
         bin.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={} sync=false async=false",
        port + 1,
        local_port + 1,
    );
    let mut command = Command::new(GST_LAUNCH);
    command
        .args(pipeline.split_whitespace())
        .env("GST_DEBUG", "rtpsession:5,rtpsource:5")
        .env("GST_DEBUG_NO_COLOR", "1");
    let mut gstreamer = Process::spawn("gstreamer", &mut command, &folder.path);
    expect_bound(&mut gstreamer, port);
    let sender = Sender::start(
        &folder,
        &format!("{}ssrc = 0xfeed1234\n", output(port, local_port, "on")),
    );
    sender.expect_logged("round trip");
    let outputs = sender.stop();
    expect_content_receiver(&outputs[0]);
    for said in [
        "got SR packet: SSRC feed1234",
        "marking SSRC feed1234 as BYE",
    ] {
        let heard = poll_until(STOP_LIMIT, || {
            gstreamer.stderr().contains(said).then_some(())
        });
        assert!(heard.is_some(), "GStreamer has not said {said:?}");
    }
}

#[test]
fn ffmpeg_gets_reports_and_its_own_are_understood() {
    tools::require_ffmpeg();
    let folder = WorkingFolder::named("ffmpeg-reports");
    let (port, local_port) = (free_port_pair(), free_port_pair());
    let outputs = output(port, local_port, "on");
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command
        .args(["sdp", "--config"])
        .arg(write_config(&folder, &outputs));
    let sdp = Process::run("sdp", &mut command, &folder.path, START_LIMIT);
    let url = rtsp::serve(sdp, port, local_port);
    let line = format!(
        "-v error -nostdin -rtsp_transport udp -min_port {port} -max_port {} -i {url} -f null -",
        port + 1
    );
    let mut command = Command::new(FFMPEG);
    command.args(line.split(' '));
    let mut ffmpeg = Process::spawn("ffmpeg", &mut command, &folder.path);
    expect_bound(&mut ffmpeg, port);
    let sender = Sender::start(&folder, &outputs);
    sender.expect_logged("round trip");
    expect_content_receiver(&sender.stop()[0]);
    // The BYE is the end of the stream.
    ffmpeg.expect_success(STOP_LIMIT);
}

fn expect_bound(process: &mut Process, port: u16) {
    let bound = poll_until(START_LIMIT, || {
        process.expect_running();
        (is_bound(port) && is_bound(port + 1)).then_some(())
    });
    assert!(
        bound.is_some(),
        "port {port} is not bound\n{}",
        process.stderr()
    );
}

/// NTP and RTP time of a report are of one instant: that of the pictures' own times.
#[test]
fn reports_put_pictures_on_the_time_line() {
    let folder = WorkingFolder::named("time-line");
    let ports = [free_port_pair(), free_port_pair()];
    let peers = ports.map(|port| Peer::listen(&[port, port + 1]));
    let sender = Sender::start(&folder, &ports.map(|port| output(port, 0, "on")).concat());
    let heard = poll_until(REPORT_LIMIT, || {
        (peers[0].reports().len() >= 2 && !peers[1].reports().is_empty()).then_some(())
    });
    assert!(heard.is_some(), "{:?}", peers[0].reports());
    sender.stop();
    let ended = poll_until(STOP_LIMIT, || {
        let said_bye = |peer: &Peer| peer.reports().iter().any(|report| report.bye);
        peers.iter().all(said_bye).then_some(())
    });
    assert!(ended.is_some(), "no BYE: {:?}", peers[0].reports());
    for peer in &peers {
        expect_consistent(&peer.reports());
        expect_true_capture_times(peer);
        expect_true_counts(peer);
    }
    let [first, second] = peers.map(|peer| peer.reports().remove(0));
    assert_eq!(first.cname, second.cname, "one clock, one name");
    assert_ne!(first.ssrc, second.ssrc);
}

/// From report to report both times go on by the same, but for the rounding of RTP time: one tick.
fn expect_consistent(reports: &[Report]) {
    for pair in reports.windows(2) {
        let [before, after] = pair else { continue };
        assert_eq!((before.ssrc, &before.cname), (after.ssrc, &after.cname));
        assert!(!before.bye, "a report after the BYE");
        let elapsed = unix(after.ntp_timestamp) - unix(before.ntp_timestamp);
        let ticks = after.rtp_timestamp.wrapping_sub(before.rtp_timestamp);
        let apart = elapsed.as_secs_f64() * CLOCK_RATE - f64::from(ticks);
        println!("{elapsed:?} between reports, RTP time {apart:.2} ticks behind");
        assert!(apart.abs() < 1.5, "{apart} ticks");
    }
}

/// No packet comes before its picture was taken, and some come soon after.
fn expect_true_capture_times(peer: &Peer) {
    let reports = peer.reports();
    let report = reports.first().expect("a report");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("later than 1970");
    assert!(now.abs_diff(unix(report.ntp_timestamp)) < Duration::from_secs(60));
    let latencies = peer.packets().into_iter().map(|packet| {
        assert_eq!(packet.ssrc, report.ssrc);
        let ticks = packet
            .timestamp
            .wrapping_sub(report.rtp_timestamp)
            .cast_signed();
        let since_report = packet.arrived.as_secs_f64() - unix(report.ntp_timestamp).as_secs_f64();
        since_report - f64::from(ticks) / CLOCK_RATE
    });
    let least = latencies.fold(f64::INFINITY, f64::min);
    println!("from picture to packet at least {:.3} ms", 1000.0 * least);
    assert!((-0.000_1..0.005).contains(&least), "{least} s");
}

/// The last report knows all packets.
fn expect_true_counts(peer: &Peer) {
    let packets = peer.packets();
    let octets: usize = packets.iter().map(|packet| packet.payload_octets).sum();
    let reports = peer.reports();
    let last = reports.last().expect("a report");
    assert!(last.bye);
    assert_eq!(last.packet_count as usize, packets.len());
    assert_eq!(last.octet_count as usize, octets);
}

/// A series with the stream, another one for a receiver that reports for the first time.
#[test]
fn reports_come_soon_for_whoever_needs_them() {
    const SOON: Duration = Duration::from_millis(500);
    let folder = WorkingFolder::named("soon");
    let port = free_port_pair();
    let peer = Peer::listen(&[port]);
    let _sender = Sender::start(&folder, &output(port, 0, "mux"));
    let reports = |count: usize| {
        let heard = poll_until(REPORT_LIMIT, || {
            let reports = peer.reports();
            (reports.len() >= count).then_some(reports)
        });
        heard.unwrap_or_else(|| panic!("not {count} reports: {:?}", peer.reports()))
    };
    let series = reports(5);
    let began = peer.packets()[0].arrived;
    assert!(series[0].arrived - began < SOON);
    let lasted = series[4].arrived - series[0].arrived;
    assert!(lasted < Duration::from_secs(4) + SOON, "{lasted:?}");
    let block = Block {
        fraction_lost: 0,
        packets_lost: 0,
        jitter: 0,
        last_report: 0,
        delay: 0,
    };
    let came = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("later than 1970");
    peer.answer(&series[4], 7, &block);
    let again = reports(10);
    let late = again.iter().filter(|report| report.arrived > came);
    let late: Vec<Duration> = late.map(|report| report.arrived - came).collect();
    assert!(late[0] < SOON + SOON / 2, "{late:?}");
    assert!(late[4] < Duration::from_secs(5) + SOON, "{late:?}");
}

/// Reports share the stream's port, and answers come back to it.
#[test]
fn muxed_reports_are_answered_to_the_streams_own_port() {
    /// What the receiver claims to have had less than it had.
    const CLAIM: Duration = Duration::from_millis(200);
    let folder = WorkingFolder::named("mux");
    let (port, local_port) = (free_port_pair(), free_port_pair());
    let peer = Peer::listen(&[port]);
    let beside = Peer::listen(&[port + 1]);
    let sender = Sender::start(&folder, &output(port, local_port, "mux"));
    let report = poll_until(REPORT_LIMIT, || peer.reports().into_iter().next());
    let report = report.expect("a sender report among the packets");
    assert_eq!(report.from.port(), local_port);
    std::thread::sleep(2 * CLAIM);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("later than 1970");
    let held = now - report.arrived - CLAIM;
    let [_, _, b5, b4, b3, b2, _, _] = report.ntp_timestamp.to_be_bytes();
    let block = Block {
        fraction_lost: 64,
        packets_lost: -3,
        jitter: 900,
        last_report: u32::from_be_bytes([b5, b4, b3, b2]),
        delay: (held.as_secs_f64() * 65_536.0) as u32,
    };
    peer.answer(&report, 7, &block);
    let answered = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("later than 1970");
    peer.answer(
        &report,
        8,
        &Block {
            last_report: 0,
            ..block
        },
    );
    sender.expect_logged("receiver 00000008");
    let outputs = sender.stop();
    let receivers = outputs[0]["receivers"].as_array().expect("a list");
    let [first, second] = receivers.as_slice() else {
        panic!("{receivers:?}");
    };
    for (receiver, ssrc) in [(first, 7), (second, 8)] {
        assert_eq!(receiver["ssrc"], ssrc);
        assert_eq!(receiver["fraction_lost"], 0.25);
        assert_eq!(receiver["packets_lost"], -3);
        assert_eq!(receiver["jitter_ms"], 10.0);
    }
    let round_trip = first["round_trip_ms"].as_f64().expect("a round trip");
    println!("round trip {round_trip} ms, of which {CLAIM:?} are claimed");
    // What is not claimed is the way of the report, and that of the answer.
    let ways = (report.arrived - unix(report.ntp_timestamp)) + (answered - now);
    let most = 1000.0 * (CLAIM + ways).as_secs_f64() + 1.0;
    assert!(
        (199.0..most).contains(&round_trip),
        "{round_trip} ms, {most} ms"
    );
    assert_eq!(
        second["round_trip_ms"],
        Value::Null,
        "it has no sender report"
    );
    assert!(
        beside.reports().is_empty(),
        "nothing goes to the port above"
    );
}
