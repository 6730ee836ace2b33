//! FFmpeg and GStreamer look on while framewire is ended and started again, time after time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::exchange::WorkingFolder;
use crate::process::{Process, free_port_pair, is_bound, poll_until};
use crate::support::frames::Picture;
use crate::tools::{self, FFMPEG, GST_LAUNCH};

/// Restarts of each kind.
const RESTARTS: usize = 10;
/// For a program to start and bind its sockets.
const START_LIMIT: Duration = Duration::from_secs(10);
/// For pictures to be seen after a start.
const SIGHT_LIMIT: Duration = Duration::from_secs(10);
/// For framewire to end.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// Pictures that show that a viewer sees more.
const SOME: usize = 10;

/// A folder in memory, for the file that outlives framewire.
struct Memory(PathBuf);

impl Memory {
    fn new() -> Self {
        let path = PathBuf::from(format!("/dev/shm/framewire-interop-{}", std::process::id()));
        fs::create_dir(&path).expect("a folder");
        Self(path)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A viewer, which writes each picture into a file of its own.
struct Viewer {
    name: &'static str,
    process: Process,
    folder: PathBuf,
}

impl Viewer {
    fn start(name: &'static str, program: &str, line: &str, port: u16, folder: &Path) -> Self {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).expect("a folder");
        let mut command = Command::new(program);
        command.args(line.split_whitespace()).current_dir(&folder);
        let mut process = Process::spawn(name, &mut command, &folder);
        let bound = poll_until(START_LIMIT, || {
            process.expect_running();
            (is_bound(port) && is_bound(port + 1)).then_some(())
        });
        assert!(bound.is_some(), "{name}: {}", process.stderr());
        Self {
            name,
            process,
            folder,
        }
    }

    fn pictures(&self) -> usize {
        let files = fs::read_dir(&self.folder).expect("the folder");
        let paths = files.map(|file| file.expect("a file").path());
        paths
            .filter(|path| path.extension() == Some("jpg".as_ref()))
            .count()
    }

    /// Waits until it has seen some more pictures.
    fn expect_more(&mut self, when: &str) {
        let before = self.pictures();
        let seen = poll_until(SIGHT_LIMIT, || {
            (self.pictures() >= before + SOME).then_some(())
        });
        self.process.expect_running();
        assert!(
            seen.is_some(),
            "{}: {before} pictures, then {} {when}\n{}",
            self.name,
            self.pictures(),
            self.process.stderr()
        );
    }
}

/// An RTCP port of GStreamer's own, to which framewire's reports come: with it rtpbin knows sender reports and BYEs.
fn rtpbin(port: u16) -> String {
    format!(
        "-q rtpbin name=bin udpsrc address=127.0.0.1 port={port} \
         caps=application/x-rtp,media=video,encoding-name=JPEG,clock-rate=90000,payload=26 ! bin.recv_rtp_sink_0 \
         bin. ! rtpjpegdepay ! multifilesink next-file=buffer location=%06d.jpg \
         udpsrc address=127.0.0.1 port={} ! bin.recv_rtcp_sink_0",
        port + 1
    )
}

#[test]
fn viewers_look_on_over_every_restart() {
    tools::require_gstreamer();
    tools::require_ffmpeg();
    let (folder, memory) = (WorkingFolder::named("restart"), Memory::new());
    let [ffmpeg_port, gstreamer_port] = [free_port_pair(), free_port_pair()];
    let frames = folder.path.join("frames");
    fs::create_dir_all(&frames).expect("the folder of the frames can be created");
    fs::write(frames.join("0.jpg"), Picture::DEFAULT.encode()).expect("a frame can be written");
    let config = format!(
        "[[camera]]\nname = \"front\"\ndevice = \"replay:{}\"\nfps = 30\n\
         [[camera.rtp]]\ndestination = \"127.0.0.1:{ffmpeg_port}\"\n\
         [[camera.rtp]]\ndestination = \"127.0.0.1:{gstreamer_port}\"\n",
        frames.display()
    );
    let path = folder.path.join("config.toml");
    fs::write(&path, config).expect("the configuration can be written");
    let framewire = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_framewire"));
        command.args(arguments).arg("--config").arg(&path);
        command
            .env("XDG_RUNTIME_DIR", &memory.0)
            .env_remove("RUNTIME_DIRECTORY");
        command
    };
    let sdp = Process::run(
        "sdp",
        framewire(&["sdp"]).arg("front"),
        &folder.path,
        START_LIMIT,
    );
    fs::write(folder.path.join("stream.sdp"), sdp).expect("the SDP can be written");
    let ffmpeg = "-v error -nostdin -protocol_whitelist file,udp,rtp -fpsprobesize 0 -i ../stream.sdp \
                  -map 0:v -fps_mode passthrough -c:v copy -f image2 %06d.jpg";
    let mut viewers = [
        Viewer::start("ffmpeg", FFMPEG, ffmpeg, ffmpeg_port, &folder.path),
        Viewer::start(
            "rtpbin",
            GST_LAUNCH,
            &rtpbin(gstreamer_port),
            gstreamer_port,
            &folder.path,
        ),
    ];
    let start = || Process::spawn("framewire", &mut framewire(&["run"]), &folder.path);
    let mut sender = start();
    let signals = [Signal::SIGTERM, Signal::SIGKILL];
    for (signal, number) in signals
        .into_iter()
        .flat_map(|signal| (1..=RESTARTS).map(move |number| (signal, number)))
    {
        let when = format!("before {signal} {number}");
        viewers
            .iter_mut()
            .for_each(|viewer| viewer.expect_more(&when));
        sender.signal(signal);
        sender.wait(STOP_LIMIT);
        sender = start();
    }
    viewers
        .iter_mut()
        .for_each(|viewer| viewer.expect_more("after the last"));
}
