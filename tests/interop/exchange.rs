//! One test: a receiver listens, framewire sends, and the pixels are compared.

use crate::cases::Case;
use crate::compare::{self, Packing, Reference};
use crate::process::free_port_pair;
use crate::receiver::Receiver;
use crate::sender::Sender;
use std::fs;
use std::path::{Path, PathBuf};

/// So often must the whole source have arrived in order.
const LOOPS: usize = 2;
/// Frames to spare for FFmpeg by URL, which joins late and closes its port once, which costs a pause.
const SPARE_FRAMES: usize = 12;

/// What became of a source at a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Every picture has arrived in order, each sample as in the source.
    Identical,
    /// Not one picture was shown.
    Nothing,
}

/// Panics when what arrives is neither identical nor nothing.
pub fn run(receiver: Receiver, case: &Case) -> Seen {
    receiver.require();
    let folder = WorkingFolder::new(receiver, case.name);
    let port = free_port_pair();
    let references: Vec<_> = case
        .frames
        .iter()
        .map(|frame| Reference::of(frame, receiver, &folder.path))
        .collect();
    compare::expect_distinct(&references);

    let sender = Sender::new(case, port, &folder.path);
    let sdp = receiver.needs_sdp().then(|| sender.sdp());
    let wanted = LOOPS * references.len();
    let listening = receiver.listen(port, sdp.as_deref(), wanted, &folder.path);
    let spare = match receiver {
        Receiver::FfmpegUrl => references.len().max(SPARE_FRAMES),
        _ => references.len(),
    };
    let superseded = sender.send(wanted + spare);
    let received = listening.finish();

    if received.frames.is_empty() {
        return Seen::Nothing;
    }
    received.expect_frames(wanted);
    compare::expect_in_order(
        &references,
        &received.frames,
        Packing::of(receiver),
        superseded,
    );
    if receiver.keeps_jpegs() && case.keeps_scan {
        compare::expect_same_scans(case, &received.jpegs, superseded);
    }
    received.expect_no_complaints();
    Seen::Identical
}

/// Where the files of one test lie; it stays if the test fails.
pub struct WorkingFolder {
    pub path: PathBuf,
}

impl WorkingFolder {
    pub fn new(receiver: Receiver, case: &str) -> Self {
        Self::named(&format!("{}-{case}", receiver.name()))
    }

    pub fn named(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("interop-{name}"));
        if path.exists() {
            fs::remove_dir_all(&path).expect("the files of an earlier, failed run can be removed");
        }
        fs::create_dir_all(&path).expect("the working folder can be created");
        Self { path }
    }
}

impl Drop for WorkingFolder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("files of this test: {}", self.path.display());
        } else {
            let _ = fs::remove_dir_all(&self.path); // the next run tries again
        }
    }
}
