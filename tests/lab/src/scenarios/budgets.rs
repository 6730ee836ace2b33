//! What streaming may cost: time from the driver to the network, memory, and time from the start to the first packet.

use std::time::{Duration, Instant};

use super::{FULL_HD, sized};
use crate::bench::{Outcome, config, ensure, mjpeg_camera};
use crate::live::Live;

const FRAMES: usize = 150;
/// From a frame being taken from the driver to the system call with its first packet.
const TO_FIRST_PACKET: u64 = 1_000; // microseconds, of 99 of 100 frames
/// All of the process but the driver's buffers.
const MEMORY: usize = 6144; // kilobytes; Linux 6.1 counted 2248 of them, and 6.12 4296
/// From exec to the first packet of files, and to a camera's being asked to stream.
const START: Duration = Duration::from_millis(20);
/// From a camera's first frame's being there to its first packet.
const FIRST_FRAME: Duration = Duration::from_millis(5);

/// A camera with large pictures at full rate.
pub fn budgets() -> Outcome {
    let (_camera, _) = mjpeg_camera(0, "BUDGETS", "plain", &[sized(FULL_HD, &[30])], &[])?;
    let live = Live::start_counting(&config("/dev/video0", FULL_HD, 30, ""))?;
    let (mut peak, mut buffers) = (0, 0);
    while live.frames(0) < FRAMES {
        live.wait_for_frames(1)?;
        let holdings = live.framewire.holdings()?;
        (buffers, peak) = (holdings.buffers, holdings.resident.max(peak));
    }
    let (ended, _) = live.end()?;
    let summary = ended.camera()?;
    let latency = |part: &str| -> Result<[u64; 3], String> {
        let figure = |quantile| summary.latency(part, quantile);
        Ok([figure("p50")?, figure("p99")?, figure("max")?])
    };
    let first = latency("dequeue_to_first_packet")?;
    let last = latency("first_to_last_packet")?;
    ensure!(
        first[1] <= TO_FIRST_PACKET,
        "p50/p99/max of {first:?} us to the first packet, {last:?} us to the last"
    );
    let expected = FULL_HD.0 as usize * FULL_HD.1 as usize * 2 * 4 / 1024; // 4 buffers of 2 octets a pixel
    ensure!(
        buffers >= expected,
        "{buffers} kB of buffers, {expected} kB of pictures"
    );
    ensure!(peak <= MEMORY, "{peak} kB beside the buffers");
    Ok(format!(
        "p50/p99/max first-packet={first:?}us last-packet={last:?}us memory={peak}kB beside {buffers}kB of buffers"
    ))
}

/// From exec on, with files and with a camera, whose own time until the first frame is there does not count.
pub fn start() -> Outcome {
    let exec = Instant::now();
    let live = Live::start_counting(&config("replay:/frames/plain-1920x1080", FULL_HD, 30, ""))?;
    live.wait_for_frames(3)?;
    let (_, tallies) = live.end_lossy()?;
    let files = tallies[0].first_at.ok_or("no packet")? - exec;

    let (camera, _) = mjpeg_camera(0, "START", "plain", &[sized(FULL_HD, &[30])], &[])?;
    let exec = Instant::now();
    let live = Live::start_counting(&config("/dev/video0", FULL_HD, 30, ""))?;
    live.wait_for_frames(3)?;
    let (_, tallies) = live.end_lossy()?;
    let stream_on = camera.function().committed.ok_or("no stream")?;
    let first_frame = camera.sent().first().and_then(|sent| sent.complete);
    let first_frame = first_frame.ok_or("no frame")?;
    let first_packet = tallies[0].first_at.ok_or("no packet")?;
    let facts = format!(
        "files: exec->packet={files:?} camera: exec->STREAMON={:?} ->frame={:?} ->packet={:?}",
        stream_on - exec,
        first_frame - stream_on,
        first_packet - first_frame
    );
    let is_quick =
        files <= START && stream_on - exec <= START && first_packet - first_frame <= FIRST_FRAME;
    ensure!(is_quick, "{facts}");
    Ok(facts)
}
