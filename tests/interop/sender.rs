//! framewire itself: its configuration, its process, and what it says about itself at the end.

use crate::cases::Case;
use crate::process::Process;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SDP_LIMIT: Duration = Duration::from_secs(5);
/// For the process around its frames: it starts in milliseconds, but the machine may be busy.
const SPARE_TIME: Duration = Duration::from_secs(10);

/// A folder of frames and the configuration that replays it.
pub struct Sender<'a> {
    folder: &'a Path,
    fps: u32,
}

impl<'a> Sender<'a> {
    pub fn new(case: &Case, port: u16, folder: &'a Path) -> Self {
        let frames = folder.join("frames");
        fs::create_dir(&frames).expect("the folder of the frames can be created");
        for (number, frame) in case.frames.iter().enumerate() {
            fs::write(frames.join(format!("{number:06}.jpg")), &frame.spelt)
                .expect("a frame can be written");
        }
        let config = format!(
            "[[camera]]\nname = \"front\"\ndevice = \"replay:{}\"\nfps = {}\n{}\
             [[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\nmtu = {}\npacing = {}\n\
             [log]\nlevel = \"info\"\nsummary-interval = 0\n",
            frames.display(),
            case.fps,
            case.camera,
            case.mtu,
            case.pacing,
        );
        fs::write(folder.join("config.toml"), config).expect("the configuration can be written");
        Self {
            folder,
            fps: case.fps,
        }
    }

    /// The session description of the stream.
    pub fn sdp(&self) -> String {
        let mut command = framewire();
        command
            .args(["sdp", "--config"])
            .arg(self.folder.join("config.toml"))
            .arg("front");
        Process::run("sdp", &mut command, self.folder, SDP_LIMIT)
    }

    /// Sends so many frames, and returns how many others a newer one has superseded.
    ///
    /// The newest frame wins: where the machine lets a thread wait for longer than a frame lasts (heavy writing to a
    /// disk does), one is lost by design. More than a few would hide a wrong order.
    pub fn send(&self, frames: usize) -> usize {
        const TOLERATED: usize = 2;
        let mut command = framewire();
        command
            .args(["run", "--config"])
            .arg(self.folder.join("config.toml"));
        let superseded = run_and_check(&mut command, frames, self.fps, self.folder);
        assert!(
            superseded <= TOLERATED,
            "{superseded} frames superseded: this machine is too slow or too busy"
        );
        superseded
    }
}

/// Sends frames of the built-in pattern.
pub fn send_demo(port: u16, frames: usize, folder: &Path) {
    const DEMO_FRAMES_PER_SECOND: u32 = 30;
    let mut command = framewire();
    command.args(["demo", "--to", &format!("127.0.0.1:{port}")]);
    run_and_check(&mut command, frames, DEMO_FRAMES_PER_SECOND, folder);
}

fn framewire() -> Command {
    Command::new(env!("CARGO_BIN_EXE_framewire"))
}

/// Returns the number of superseded frames, and demands that framewire itself counts no other loss.
fn run_and_check(
    command: &mut Command,
    frames: usize,
    frames_per_second: u32,
    folder: &Path,
) -> usize {
    let sending_time = Duration::from_secs(frames as u64) / frames_per_second;
    command.args(["--json", "--frames", &frames.to_string()]);
    let stdout = Process::run("framewire", command, folder, sending_time + SPARE_TIME);
    let report: Value = serde_json::from_str(&stdout)
        .unwrap_or_else(|error| panic!("the report of framewire is no JSON ({error}): {stdout}"));
    let camera = match report["cameras"].as_array().map(Vec::as_slice) {
        Some([camera]) => camera,
        _ => panic!("one camera was to be reported: {report}"),
    };
    assert_eq!(count(&camera["sequence_gaps"]), Some(0), "{report}");
    let dropped = camera["frames_dropped"]
        .as_object()
        .unwrap_or_else(|| panic!("no frames_dropped in {report}"));
    let dropped_for = |reason| dropped.get(reason).and_then(count).unwrap_or(0);
    // `--frames` counts what was to be sent, also where nobody listens any more.
    let unheard = dropped_for("no-destination") + dropped_for("send-failed");
    let sent = count(&camera["frames_sent"]).unwrap_or(0);
    assert_eq!(sent + unheard, frames, "{report}");
    let mut harmless = vec!["superseded", "stopped"]; // stopped: captured while the last one was sent
    // FFmpeg leaves when it has the frames that it wanted; from then on nobody listens. The kernel answers only some of
    // the packets, so that the last ones may have been sent without an error.
    if count(&camera["outputs"][0]["frames_failed"]) != Some(0) {
        harmless.extend(["no-destination", "send-failed"]);
    }
    let lost = dropped
        .iter()
        .find(|(reason, lost)| !harmless.contains(&reason.as_str()) && count(lost) != Some(0));
    assert_eq!(lost, None, "framewire has dropped frames: {report}");
    dropped_for("superseded")
}

fn count(value: &Value) -> Option<usize> {
    value.as_u64()?.try_into().ok()
}
