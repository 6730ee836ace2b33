//! A reload with real cameras: the one whose keys have changed is opened anew, another one loses nothing.

use std::fs;

use super::{HD, VGA, sized};
use crate::bench::{Outcome, RTP_PORT, compare, config_of, develop, ensure, mjpeg_camera};
use crate::framewire::CONFIG;
use crate::live::Live;
use crate::receiver::Receiver;

/// Another size and another destination for one of two cameras. The process' own sandbox is locked by then.
pub fn reload() -> Outcome {
    let sizes = [sized(VGA, &[30]), sized(HD, &[30])];
    let (_kept, kept_films) = mjpeg_camera(0, "KEPT", "plain", &[sized(VGA, &[30])], &[])?;
    let (_changed, films) = mjpeg_camera(1, "CHANGED", "c920", &sizes, &[])?;
    let kept = config_of("kept", RTP_PORT, "usb:046d:082d:KEPT", VGA, 30, "");
    let changed = |port, size| config_of("changed", port, "usb:046d:082d:CHANGED", size, 30, "");
    let log = "[log]\nlevel = \"debug\"\n";
    let live = Live::start(&(kept.clone() + &changed(RTP_PORT + 2, VGA) + log))?;
    live.wait_for_frames(10)?;
    live.wait_for_frames_of(1, 10)?;

    let receiver = Receiver::listen(RTP_PORT + 4)?;
    fs::write(CONFIG, changed(RTP_PORT + 4, HD) + &kept + log)?;
    live.framewire.reload()?;
    live.wait_for_log("changed: changed", 1)?;
    live.wait_for_log("got 1280x720", 1)?;
    live.wait_for_frames(30)?;
    let (ended, receptions) = live.end()?;
    let sandbox = ended.log_line("Landlock: ")?;
    ensure!(
        sandbox.contains("Enforced:") && !sandbox.contains("NotEnforced"),
        "{sandbox}"
    );

    // In the order of the new file.
    let summary = ended.camera_number(1)?;
    summary.expect_no_loss(0)?;
    compare(&receptions[0], &kept_films[0], 0..)?;
    compare(&receptions[1], &films[0], 0..)?;
    let anew = develop(receiver)?;
    ensure!(
        !anew.pictures.is_empty(),
        "nothing came from the camera that was opened anew"
    );
    let first = ended.camera_number(0)?;
    ensure!(
        first.count("frames_sent")? >= anew.pictures.len(),
        "old counters"
    );
    Ok(format!(
        "kept={} before={} after={} sandbox={}",
        receptions[0].pictures.len(),
        receptions[1].pictures.len(),
        anew.pictures.len(),
        if sandbox.contains("FullyEnforced") {
            "full"
        } else {
            "partial"
        },
    ))
}
