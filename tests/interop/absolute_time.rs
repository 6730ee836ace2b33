//! The time of capture in each frame: where reports put the frame too, and understood by GStreamer.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::exchange::WorkingFolder;
use crate::process::{Process, free_port_pair, poll_until};
use crate::rtcp_peer::{Peer, unix};
use crate::tools::{self, GST_LAUNCH};

/// For the first frames, and for GStreamer to see some.
const LIMIT: Duration = Duration::from_secs(20);
/// RTP clock of JPEG, Hz.
const CLOCK_RATE: f64 = 90_000.0;
/// Frames that are enough.
const SOME: usize = 30;
/// What identity says of a buffer with a time.
const TIME: &str = "meta: GstReferenceTimestampMeta";

/// Streams the test pattern with times to `port`; `lines` are more of the output's.
fn stream(folder: &WorkingFolder, port: u16, size: (u32, u32), lines: &str) -> Process {
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

/// GStreamer has to find the time in so many buffers of `pipeline`, which ends in identity.
fn gstreamer_finds_it(name: &str, size: (u32, u32), lines: &str, pipeline: &str) {
    tools::require_gstreamer();
    let folder = WorkingFolder::named(name);
    let port = free_port_pair();
    let source = format!(
        "udpsrc address=127.0.0.1 port={port} caps=application/x-rtp,media=video,encoding-name=JPEG,\
         clock-rate=90000,payload=26,extmap-1=(string)urn:ietf:params:rtp-hdrext:ntp-64"
    );
    let line = format!(
        "-v {} ! identity silent=false ! fakesink sync=false",
        pipeline.replace("SOURCE", &source)
    );
    let mut command = Command::new(GST_LAUNCH);
    command.args(line.split_whitespace());
    let gstreamer = Process::spawn("gstreamer", &mut command, &folder.path);
    let _sender = stream(&folder, port, size, &format!("rtcp = \"off\"\n{lines}"));
    let found = poll_until(LIMIT, || {
        let out = gstreamer.stdout();
        (out.matches(TIME).count() >= SOME).then_some(out)
    });
    let out = found.unwrap_or_else(|| panic!("{}{}", gstreamer.stdout(), gstreamer.stderr()));
    let buffers = out.matches("last-message = chain").count();
    let times = out.matches(TIME).count();
    assert!(times + 1 >= buffers, "{times} times in {buffers} frames");
}

/// It takes the header's extension of the packet that ends a frame, in GStreamer 1.22: here it is the first as well.
#[test]
fn the_header_extension_of_gstreamer_reads_it() {
    let pipeline = "SOURCE ! rtpjpegdepay auto-header-extension=true";
    gstreamer_finds_it("rtphdrextntp64", (96, 64), "mtu = 9000", pipeline);
}

#[test]
fn rtpbin_knows_each_frames_time_without_any_report() {
    let pipeline = "rtpbin name=bin latency=0 add-reference-timestamp-meta=true \
                    SOURCE ! bin.recv_rtp_sink_0 bin. ! rtpjpegdepay";
    gstreamer_finds_it("rtpbin-ntp64", (640, 480), "", pipeline);
}
