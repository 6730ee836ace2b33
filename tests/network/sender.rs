//! framewire itself, in a namespace: its configuration, its process, and its report at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::namespace::Namespace;
use crate::process::Process;
use crate::support::frames::Picture;

/// For the process to end when it is told to, on a busy machine.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A folder for one test; it stays if the test fails.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("network-{test}"));
        if path.exists() {
            fs::remove_dir_all(&path).expect("the files of an earlier, failed run can be removed");
        }
        fs::create_dir_all(path.join("frames")).expect("the folder can be made");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What is replayed.
    pub fn write_frame(&self, jpeg: &[u8]) {
        fs::write(self.0.join("frames/0.jpg"), jpeg).expect("a frame can be written");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0); // the next run tries again
        }
    }
}

/// A picture of few packets.
pub fn small_frame() -> Vec<u8> {
    Picture {
        width: 320,
        height: 240,
        ..Picture::DEFAULT
    }
    .encode()
}

/// A running framewire that replays the folder's frames.
pub struct Sender(Process);

impl Sender {
    /// `outputs` are whole `[[camera.rtp]]` tables; `arguments` follow `run`.
    pub fn start(
        namespace: &Namespace,
        folder: &Folder,
        outputs: &str,
        arguments: &[&str],
    ) -> Self {
        let path = folder.path().join("config.toml");
        let config = format!(
            "[[camera]]\nname = \"front\"\ndevice = \"replay:{}\"\nfps = 30\n{outputs}\n\
             [log]\nlevel = \"debug\"\nsummary-interval = 0\n",
            folder.path().join("frames").display(),
        );
        fs::write(&path, config).expect("the configuration can be written");
        let mut command = namespace.command(env!("CARGO_BIN_EXE_framewire"));
        command.args(["run", "--json", "--config"]).arg(&path);
        command.args(arguments);
        Self(Process::spawn("framewire", &mut command, folder.path()))
    }

    pub fn process(&mut self) -> &mut Process {
        &mut self.0
    }

    /// Ends it as systemd does; returns the camera's report.
    pub fn stop(mut self) -> Value {
        self.0.signal(Signal::SIGTERM);
        self.0.expect_success(STOP_LIMIT);
        self.report()
    }

    /// The camera's report, after the process has ended.
    pub fn report(&self) -> Value {
        let report: Value = serde_json::from_str(&self.0.stdout()).expect("the report is JSON");
        report["cameras"][0].clone()
    }
}
