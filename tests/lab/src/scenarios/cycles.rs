//! A camera that is unplugged and plugged in again, over and over: nothing is left behind.

use std::thread;
use std::time::{Duration, Instant};

use super::VGA;
use crate::bench::{Kit, Outcome, config, ensure};
use crate::live::Live;
use crate::system;

/// The first ones fill what stays filled: the allocator's free lists, tables of the standard library.
const WARM_UP: u32 = 3;
const FRAMES: usize = 5;
const FRAME: Duration = Duration::from_millis(33);

pub fn cycles() -> Outcome {
    let kit = Kit::new("CYCLES", "plain")?;
    // Spread over most of the time to the next frame, so that a buffer is lent out at most moments.
    let config = config("/dev/video0", VGA, 30, "") + "pacing = 0.75\n";
    let live = Live::start_counting(&config)?;
    let mut before = None;
    let mut slowest = Duration::ZERO;
    let start = Instant::now();
    let cycles = system::cycles();
    let mut camera = kit.plug(0)?;
    for cycle in 0..WARM_UP + cycles {
        live.wait_for_frames(1)?;
        slowest = slowest.max(camera.ready.elapsed());
        live.wait_for_frames(FRAMES)?;
        if cycle == WARM_UP {
            before = Some(live.framewire.holdings()?);
        }
        // Pulled out at any point of a frame's way.
        thread::sleep(FRAME * (cycle % 8) / 8);
        drop(camera);
        camera = kit.plug(0)?;
        ensure!(
            camera.node == "/dev/video0",
            "cycle {cycle}: the lost device is pinned, the camera became {}",
            camera.node
        );
    }
    live.wait_for_frames(1 + FRAMES)?;
    let (before, after) = (before.ok_or("no cycle")?, live.framewire.holdings()?);
    let (ended, _) = live.end()?;
    before.must_not_grow(&after)?;
    let summary = ended.camera()?;
    let reopened = summary.count("reopened")?;
    ensure!(
        reopened == usize::try_from(WARM_UP + cycles)?,
        "reopened {reopened} times"
    );
    Ok(format!(
        "cycles={cycles} in {:.0?} first-picture<={slowest:.0?} before: {before} after: {after} dropped={}",
        start.elapsed(),
        summary.reasons()
    ))
}
