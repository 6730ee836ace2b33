//! The time of capture in each frame: where reports put the frame too, and read by GStreamer
//! as the picture's own clock shows it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::exchange::WorkingFolder;
use crate::process::{Process, free_port_pair, poll_until};
use crate::rtcp_peer::{Peer, unix};
use crate::{drawn_clock, tools};

/// For the first frames, and for GStreamer to see some.
const LIMIT: Duration = Duration::from_secs(20);
/// RTP clock of JPEG, Hz.
const CLOCK_RATE: f64 = 90_000.0;
/// Frames that are enough.
const SOME: usize = 30;
/// Of a picture that has a clock to read, and fits into one packet.
const SIZE: (usize, usize) = (192, 112);
const NANOSECONDS_PER_DAY: u64 = 86_400_000_000_000;

/// Streams the test pattern with times to `port`; `lines` are more of the output's.
fn stream(folder: &WorkingFolder, port: u16, size: (usize, usize), lines: &str) -> Process {
    let (width, height) = size;
    let config = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"demo\"\nwidth = {width}\nheight = {height}\n\
         [[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\nabsolute-time = true\n{lines}\n"
    );
    let path = folder.path.join("config.toml");
    fs::write(&path, config).expect("the configuration can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
    command.args(["run", "--config"]).arg(path);
    Process::spawn("framewire", &mut command, &folder.path)
}

#[test]
fn the_time_is_where_reports_put_the_picture() {
    let folder = WorkingFolder::named("absolute-time");
    let port = free_port_pair();
    let peer = Peer::listen(&[port, port + 1]);
    let _sender = stream(&folder, port, (640, 480), "");
    let heard = poll_until(LIMIT, || {
        let frames = peer.packets().iter().filter(|packet| packet.marker).count();
        (frames >= SOME && !peer.reports().is_empty()).then_some(())
    });
    assert!(heard.is_some(), "{:?}", peer.reports());
    let (packets, reports) = (peer.packets(), peer.reports());
    let mut starts = true;
    for packet in &packets {
        assert_eq!(
            packet.capture_time.is_some(),
            starts,
            "the first packet has it"
        );
        starts = packet.marker;
        let Some(time) = packet.capture_time.map(unix) else {
            continue;
        };
        let report = &reports[0];
        let ticks = packet.timestamp.wrapping_sub(report.rtp_timestamp);
        let reported =
            unix(report.ntp_timestamp).as_secs_f64() + f64::from(ticks.cast_signed()) / CLOCK_RATE;
        let error = time.as_secs_f64() - reported;
        assert!(error.abs() < 0.001, "{error} s from the report's");
        let age = packet.arrived.as_secs_f64() - time.as_secs_f64();
        assert!((-0.001..1.0).contains(&age), "{age} s old");
    }
}

/// GStreamer has to find the time in the pictures of `pipeline`, which ends in JPEG, and the right one.
fn gstreamer_finds_it(name: &str, lines: &str, pipeline: &str) {
    tools::require_python_gstreamer();
    let folder = WorkingFolder::named(name);
    let port = free_port_pair();
    let source = format!(
        "udpsrc address=127.0.0.1 port={port} caps=application/x-rtp,media=video,encoding-name=JPEG,\
         clock-rate=90000,payload=26,extmap-1=(string)urn:ietf:params:rtp-hdrext:ntp-64"
    );
    let planes = folder.path.join("planes");
    let mut command = Command::new(tools::PYTHON);
    command.args(["-c", include_str!("capture_times.py")]);
    command
        .arg(pipeline.replace("SOURCE", &source))
        .arg(&planes);
    let gstreamer = Process::spawn("gstreamer", &mut command, &folder.path);
    let _sender = stream(&folder, port, SIZE, &format!("rtcp = \"off\"\n{lines}"));
    let found = poll_until(LIMIT, || {
        let out = gstreamer.stdout();
        (out.lines().count() >= SOME).then_some(out)
    });
    let out = found.unwrap_or_else(|| panic!("{}{}", gstreamer.stdout(), gstreamer.stderr()));
    // The first may have come before the caps.
    let times = out.lines().skip(1);
    let times = times.map(|time| time.parse().unwrap_or_else(|_| panic!("no time: {out}")));
    let planes = fs::read(planes).expect("the pictures");
    let planes = planes.chunks_exact(SIZE.0 * SIZE.1).skip(1);
    let mut errors: Vec<f64> = times
        .zip(planes)
        .map(|(time, plane): (u64, _)| error(time, drawn_clock::read(plane, SIZE.0)))
        .collect();
    errors.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
    println!("{name}: {errors:?} ms from the drawn clock");
    // A picture that was drawn late, on a machine with other things to do, has the time when it was due.
    assert!(errors[errors.len() * 9 / 10].abs() < 1.0, "{errors:?}");
}

/// How far `nanoseconds` since 1900 are from the middle of the drawn millisecond of a day, in milliseconds.
fn error(nanoseconds: u64, drawn: u64) -> f64 {
    let time = (nanoseconds % NANOSECONDS_PER_DAY) as f64 / 1e6;
    let day = NANOSECONDS_PER_DAY as f64 / 1e6;
    let error = time - (drawn as f64 + 0.5);
    error - (error / day).round() * day
}

/// It takes the header's extension of the packet that ends a frame, in GStreamer 1.22: here it is the first as well.
#[test]
fn the_header_extension_of_gstreamer_reads_it() {
    let pipeline = "SOURCE ! rtpjpegdepay auto-header-extension=true";
    gstreamer_finds_it("rtphdrextntp64", "mtu = 9000", pipeline);
}

#[test]
fn rtpbin_knows_each_frames_time_without_any_report() {
    let pipeline = "rtpbin name=bin latency=0 add-reference-timestamp-meta=true \
                    SOURCE ! bin.recv_rtp_sink_0 bin. ! rtpjpegdepay";
    gstreamer_finds_it("rtpbin-ntp64", "", pipeline);
}
