//! The receivers: each decoded frame gets a file of its own, without any conversion. What comes as JPEG FFmpeg decodes.

use crate::process::{Process, is_bound, poll_until};
use crate::retina_receiver::Retina;
use crate::tools::{self, FFMPEG, GST_LAUNCH, LIVE555};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

/// Which program receives, and how it learns what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// `udpsrc ! rtpjpegdepay ! jpegdec`, the capabilities on the command line.
    GStreamer,
    /// The same, and the size that the SDP of framewire says among the capabilities.
    GStreamerSize,
    /// GStreamer with that SDP.
    GStreamerSdp,
    /// FFmpeg with that SDP.
    FfmpegSdp,
    /// FFmpeg with nothing but the address.
    FfmpegUrl,
    /// FFmpeg with the SDP, writing the JPEGs as depayloaded, each decoded afterwards: in one go its filter graph
    /// would convert all frames to the pixel format of the first.
    FfmpegCopy,
    /// A program with live555 and the SDP.
    Live555,
    /// retina's depacketizer in this process.
    Retina,
}

/// A receiver with an open socket.
pub struct Listening {
    running: Running,
    receiver: Receiver,
    folder: PathBuf,
}

enum Running {
    Program(Process),
    Thread(Retina),
}

const START_LIMIT: Duration = Duration::from_secs(10); // FFmpeg loads 250 MB of libraries
const STOP_LIMIT: Duration = Duration::from_secs(4);
const DECODE_LIMIT: Duration = Duration::from_secs(10);
const SILENCE: Duration = Duration::from_millis(500); // no new frame for so long: GStreamer has got them all

/// Where the session description lies in the working folder.
const SDP: &str = "stream.sdp";
/// Receive buffer: more than two frames of full HD, where the kernel allows it.
const RECEIVE_BUFFER: usize = 4 << 20; // octets

impl Receiver {
    pub fn name(self) -> &'static str {
        match self {
            Receiver::GStreamer => "gstreamer",
            Receiver::GStreamerSize => "gstreamer-by-size",
            Receiver::GStreamerSdp => "gstreamer-by-sdp",
            Receiver::FfmpegSdp => "ffmpeg",
            Receiver::FfmpegUrl => "ffmpeg-by-url",
            Receiver::FfmpegCopy => "ffmpeg-copy",
            Receiver::Live555 => "live555",
            Receiver::Retina => "retina",
        }
    }

    /// Whether the frames come as they were depayloaded, beside or instead of the decoded ones.
    pub fn keeps_jpegs(self) -> bool {
        self.is_gstreamer() || self == Receiver::FfmpegCopy || self.leaves_decoding()
    }

    /// Whether it is a library for RTP alone.
    fn leaves_decoding(self) -> bool {
        matches!(self, Receiver::Live555 | Receiver::Retina)
    }

    pub fn needs_sdp(self) -> bool {
        !matches!(
            self,
            Receiver::GStreamer | Receiver::FfmpegUrl | Receiver::Retina
        )
    }

    pub fn is_gstreamer(self) -> bool {
        self == Receiver::GStreamer
            || self == Receiver::GStreamerSize
            || self == Receiver::GStreamerSdp
    }

    pub fn require(self) {
        if self.is_gstreamer() {
            tools::require_gstreamer();
        } else {
            tools::require_ffmpeg();
        }
        if self == Receiver::Live555 {
            tools::require_live555();
        }
    }

    /// Starts the program and waits for its socket. FFmpeg ends by itself after `frames`; GStreamer takes all.
    pub fn listen(self, port: u16, sdp: Option<&str>, frames: usize, folder: &Path) -> Listening {
        if self.needs_sdp() {
            let sdp = sdp.expect("this receiver needs an SDP");
            fs::write(folder.join(SDP), sdp).expect("the SDP can be written");
        }
        let mut command = match self {
            Receiver::GStreamer => gstreamer(&udp_source(port, "")),
            Receiver::GStreamerSize => {
                let size = sdp.and_then(|sdp| sdp.split_once("a=x-dimensions:"));
                let (_, size) = size.expect("a size in the SDP");
                let size = size.lines().next().expect("a line");
                let size = format!(",x-dimensions=(string)\"{size}\"");
                gstreamer(&udp_source(port, &size))
            }
            Receiver::GStreamerSdp => gstreamer(&format!("filesrc location={SDP} ! sdpdemux")),
            Receiver::FfmpegUrl => ffmpeg(&format!("rtp://127.0.0.1:{port}"), DECODED, frames),
            Receiver::FfmpegSdp => ffmpeg(SDP, DECODED, frames),
            Receiver::FfmpegCopy => ffmpeg(SDP, COPIED, frames),
            Receiver::Live555 => {
                let mut command = Command::new(LIVE555);
                command.args([SDP, "."]);
                command
            }
            Receiver::Retina => {
                return Listening {
                    running: Running::Thread(Retina::listen(port, RECEIVE_BUFFER)),
                    receiver: self,
                    folder: folder.to_owned(),
                };
            }
        };
        let mut process = Process::spawn(self.name(), command.current_dir(folder), folder);
        let bound = poll_until(START_LIMIT, || {
            process.expect_running();
            is_bound(port).then_some(())
        });
        assert!(
            bound.is_some(),
            "{self:?} has not bound port {port} after {START_LIMIT:?}\n{}",
            process.stderr()
        );
        Listening {
            running: Running::Program(process),
            receiver: self,
            folder: folder.to_owned(),
        }
    }

    /// Decodes a JPEG file by the same decoder.
    pub fn decode(self, jpeg: &[u8], folder: &Path) -> Vec<u8> {
        fs::write(folder.join("reference.jpg"), jpeg).expect("the reference can be written");
        let mut command = match self {
            _ if self.is_gstreamer() => {
                let mut command = Command::new(GST_LAUNCH);
                command.args(
                    "-q filesrc location=reference.jpg ! jpegdec ! filesink location=reference.raw"
                        .split(' '),
                );
                command
            }
            _ => {
                let mut command = Command::new(FFMPEG);
                command.args(
                    "-v error -nostdin -c:v mjpeg -i reference.jpg -f rawvideo -y reference.raw"
                        .split(' '),
                );
                command
            }
        };
        Process::run("decode", command.current_dir(folder), folder, DECODE_LIMIT);
        fs::read(folder.join("reference.raw")).expect("the decoder has written the reference")
    }
}

/// Packets that come to `port`, described by hand, with `more` capabilities.
fn udp_source(port: u16, more: &str) -> String {
    const CAPS: &str =
        "application/x-rtp,media=video,encoding-name=JPEG,clock-rate=90000,payload=26";
    format!("udpsrc address=127.0.0.1 port={port} buffer-size={RECEIVE_BUFFER} caps={CAPS}{more}")
}

/// The depayloaded JPEG is kept beside the pixels, because jpegdec delivers only every other chroma row of 4:2:2.
fn gstreamer(source: &str) -> Command {
    let pipeline = format!(
        "-q -e {source} \
         ! rtpjpegdepay ! tee name=frames \
         frames. ! queue ! jpegdec ! multifilesink next-file=buffer location=%06d.raw \
         frames. ! queue ! multifilesink next-file=buffer location=%06d.jpg"
    );
    let mut command = Command::new(GST_LAUNCH);
    command.args(pipeline.split_whitespace());
    command
}

/// FFmpeg's output options: the decoder's own pixel format and size.
const DECODED: &str = "-autoscale 0 -c:v rawvideo -f image2 -start_number 0 %06d.raw";
const COPIED: &str = "-c:v copy -f image2 -start_number 0 %06d.jpg";

/// No rate conversion. FFmpeg would hold back the first 20 frames to estimate the rate; with `-fpsprobesize 0` it
/// does not.
fn ffmpeg(input: &str, output: &str, frames: usize) -> Command {
    let line = format!(
        "-v error -nostdin -protocol_whitelist file,udp,rtp -fpsprobesize 0 -buffer_size {RECEIVE_BUFFER} -i {input} \
         -map 0:v -fps_mode passthrough -frames:v {frames} {output}"
    );
    let mut command = Command::new(FFMPEG);
    command.args(line.split_whitespace());
    command
}

impl Listening {
    /// Waits until everything has been received that will be, and ends the program in an orderly way.
    pub fn finish(self) -> Received {
        let (receiver, folder) = (self.receiver, self.folder);
        let (complaints, status) = match self.running {
            Running::Program(process) => finish(process, receiver, &folder),
            Running::Thread(retina) => {
                let (jpegs, complaints) = retina.finish();
                for (number, jpeg) in jpegs.iter().enumerate() {
                    let path = folder.join(file_name(number, "jpg"));
                    fs::write(path, jpeg).expect("a frame can be written");
                }
                (complaints, ExitStatus::default())
            }
        };
        let jpegs = numbered(&folder, "jpg");
        if receiver.leaves_decoding() && !jpegs.is_empty() {
            decode_all(&folder);
        }
        let frames = match receiver {
            Receiver::FfmpegCopy => jpegs
                .iter()
                .map(|jpeg| receiver.decode(jpeg, &folder))
                .collect(),
            _ => numbered(&folder, "raw"),
        };
        Received {
            frames,
            jpegs,
            complaints,
            status,
        }
    }
}

/// The end of a program: what it had to say, and how it ended.
fn finish(mut process: Process, receiver: Receiver, folder: &Path) -> (Vec<String>, ExitStatus) {
    let ended = match receiver {
        Receiver::GStreamer | Receiver::GStreamerSize | Receiver::Live555 => {
            wait_for_silence(folder, receiver);
            process.expect_running();
            None
        }
        // FFmpeg has all it wanted; sdpdemux was told that the stream has ended.
        _ => process.ended_within(STOP_LIMIT),
    };
    let status = ended.unwrap_or_else(|| {
        process.interrupt();
        process.wait(STOP_LIMIT)
    });
    (complaints(&process, receiver), status)
}

fn wait_for_silence(folder: &Path, receiver: Receiver) {
    let ending = if receiver.leaves_decoding() {
        "jpg"
    } else {
        "raw"
    };
    let count = || {
        (0..)
            .take_while(|number| folder.join(file_name(*number, ending)).exists())
            .count()
    };
    let mut before = count();
    while poll_until(SILENCE, || (count() != before).then_some(())).is_some() {
        before = count();
    }
}

/// Decodes the JPEGs in `folder`, which are all of one sampling. Those that cannot be decoded leave nothing.
fn decode_all(folder: &Path) {
    let mut command = Command::new(FFMPEG);
    let line = format!(
        "-v error -nostdin -f image2 -c:v mjpeg -i %06d.jpg -fps_mode passthrough {DECODED}"
    );
    command.args(line.split_whitespace()).current_dir(folder);
    Process::spawn("decode", &mut command, folder).wait(DECODE_LIMIT);
}

/// What the receiver had to say about the stream, apart from what it always says when it joins one late.
fn complaints(process: &Process, receiver: Receiver) -> Vec<String> {
    const JOINS_LATE: [&str; 2] = [
        "Received packet without a start chunk",
        "Last message repeated",
    ];
    let expected = |line: &str| {
        receiver == Receiver::FfmpegUrl && JOINS_LATE.iter().any(|phrase| line.contains(phrase))
    };
    let stderr = process.stderr();
    stderr
        .lines()
        .filter(|line| !line.trim().is_empty() && !expected(line))
        .map(str::to_owned)
        .collect()
}

/// What has arrived.
pub struct Received {
    /// The raw frames in order.
    pub frames: Vec<Vec<u8>>,
    /// The frames as depayloaded, if the receiver shows them.
    pub jpegs: Vec<Vec<u8>>,
    complaints: Vec<String>,
    status: ExitStatus,
}

impl Received {
    pub fn expect_frames(&self, wanted: usize) {
        let count = self.frames.len();
        assert!(
            count >= wanted,
            "{count} frames have arrived, at least {wanted} must\n{}",
            self.complaints.join("\n")
        );
    }

    /// Demands that the receiver was content. To be asked last: that frames are missing or wrong says more.
    pub fn expect_no_complaints(&self) {
        assert!(
            self.complaints.is_empty() && self.status.success(),
            "the receiver ended with {} and complains:\n{}",
            self.status,
            self.complaints.join("\n")
        );
    }
}

fn file_name(number: usize, ending: &str) -> String {
    format!("{number:06}.{ending}")
}

fn numbered(folder: &Path, ending: &str) -> Vec<Vec<u8>> {
    (0..)
        .map_while(|number| fs::read(folder.join(file_name(number, ending))).ok())
        .collect()
}
