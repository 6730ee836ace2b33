//! A camera that is there but misbehaves: what heals by itself goes on, what does not is opened again.

use std::time::Duration;

use super::{HD, VGA, sized};
use crate::bench::{Outcome, compare, config, ensure, mjpeg_camera};
use crate::fault::Fault;
use crate::live::{Live, longest_pause, tells_the_time};
use crate::studio::film;

/// Transfers that uvcvideo keeps under way.
const ALL_TRANSFERS: usize = 5;

/// Short stalls are waited out in the same stream; in a long one the stream is opened again, and again.
pub fn stalls() -> Outcome {
    let (camera, films) = mjpeg_camera(0, "STALLS", "plain", &[sized(VGA, &[30])], &[])?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    live.wait_for_frames(10)?;
    let mut facts = Vec::new();
    for (seconds, opened) in [(1, 1), (5, 1), (30, 3)] {
        camera.stall(Duration::from_secs(seconds));
        live.wait_for_frames(2)?; // one may be under way
        live.wait_for_frames(20)?;
        let starts = camera.function().starts;
        ensure!(
            starts == opened,
            "after {seconds} s the stream was started {starts} times"
        );
        facts.push(format!("{seconds}s={starts}"));
        if seconds == 5 {
            // So far it is one stream, in which nothing is missing.
            ensure!(live.lines("still waiting") == 1, "one warning for 5 s");
        }
    }
    let (ended, reception) = live.end_one()?;
    let summary = ended.camera()?;
    let counts = (summary.count("sequence_gaps")?, summary.dropped()?);
    ensure!(counts == (0, 0), "(gaps, dropped) = {counts:?}");
    let (before, pause) = longest_pause(&reception);
    ensure!((29.9..30.5).contains(&pause), "the pause is {pause:.3} s");
    compare(&reception, &films[0], (0..before).chain(0..))?;
    Ok(format!("starts: {} pause={pause:.3}s", facts.join(" ")))
}

/// Bus errors: single ones cost frames, when all transfers fail at once the driver gives up and has to be restarted.
pub fn eproto() -> Outcome {
    let (camera, _) = mjpeg_camera(0, "EPROTO", "plain", &[sized(VGA, &[30])], &[])?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    live.wait_for_frames(10)?;
    let few = camera.eproto_burst(2);
    ensure!(few == 2, "{few} transfers failed");
    live.wait_for_frames(20)?;
    ensure!(
        camera.function().starts == 1,
        "two failed transfers ended the stream"
    );
    // Three are left under way.
    let all = camera.eproto_burst(ALL_TRANSFERS);
    let healed = live.wait_for_frames(10)?;
    ensure!(
        camera.function().starts == 2,
        "the stream was not restarted"
    );
    ensure!(healed < Duration::from_secs(5), "it took {healed:?}");
    let (ended, reception) = live.end_one()?;
    let summary = ended.camera()?;
    let flagged = summary.dropped_as("error-flag");
    ensure!(flagged >= 4, "{flagged} buffers came back marked");
    Ok(format!(
        "failed={few}+{all} healed={healed:?} pictures={} dropped={}",
        reception.pictures.len(),
        summary.reasons()
    ))
}

/// A camera that sends halves of pictures is opened again; not so often that it would not have time to recover.
pub fn truncated() -> Outcome {
    let (camera, films) = mjpeg_camera(0, "HALVES", "plain", &[sized(VGA, &[30])], &[])?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    live.wait_for_frames(10)?;
    camera.damage(Fault::Truncated, usize::MAX);
    live.wait_for_log("all pictures are damaged", 1)?;
    while camera.function().starts < 3 {
        std::thread::sleep(Duration::from_millis(100));
    }
    camera.mend();
    let healed = live.wait_for_frames(1)?;
    ensure!(healed < Duration::from_secs(1), "it took {healed:?}");
    live.wait_for_frames(20)?;
    let starts = camera.function().starts;
    ensure!(starts == 3, "the stream was started {starts} times");
    let (ended, reception) = live.end_one()?;
    let sent = camera.all_sent().into_iter();
    let whole: Vec<_> = sent.filter(|sent| sent.fault.is_none()).collect();
    compare(&reception, &films[0], whole.iter().map(|sent| sent.number))?;
    tells_the_time(&reception, &whole)?;
    let summary = ended.camera()?;
    let halves = summary.dropped_as("no-eoi");
    ensure!(halves > 250, "{halves} frames were dropped");
    ensure!(summary.count("reopened")? == 2, "not reopened twice");
    Ok(format!("starts={starts} dropped={}", summary.reasons()))
}

/// A camera that sends no other pictures than halves: that is how it is, and opening it again would change nothing.
pub fn habit() -> Outcome {
    let (camera, films) = mjpeg_camera(0, "ONLY-HALVES", "plain", &[sized(VGA, &[30])], &[])?;
    camera.damage(Fault::Truncated, usize::MAX);
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    live.wait_for_log("refused for one reason", 1)?;
    // Longer than damage is waited out.
    std::thread::sleep(Duration::from_secs(8));
    camera.mend();
    live.wait_for_frames(20)?;
    let starts = camera.function().starts;
    ensure!(starts == 1, "the stream was started {starts} times");
    let sent = camera.sent();
    let (ended, reception) = live.end_one()?;
    let whole = sent.iter().filter(|sent| sent.fault.is_none());
    compare(&reception, &films[0], whole.map(|sent| sent.number))?;
    let line = ended.log_line("refused for one reason")?;
    for said in ["no EOI (FF D9): expected before octet", "allow-missing-eoi"] {
        ensure!(line.contains(said), "the log says: {line}");
    }
    ensure!(!ended.stderr.contains("cable"), "the log blames the cable");
    let summary = ended.camera()?;
    ensure!(summary.count("reopened")? == 0, "opened again");
    Ok(format!("dropped={}", summary.reasons()))
}

/// The camera changes the size of its pictures by itself: they go out as they come.
pub fn new_size() -> Outcome {
    let (camera, films) = mjpeg_camera(0, "GROWS", "plain", &[sized(HD, &[30])], &[])?;
    let live = Live::start(&config("/dev/video0", HD, 30, ""))?;
    live.wait_for_frames(10)?;
    let small = film("plain-640x480")?;
    camera.change_film(small.clone());
    live.wait_for_frames(20)?;
    let (ended, mut reception) = live.end_one()?;
    let change = reception
        .pictures
        .iter()
        .position(|received| received.picture.width == VGA.0)
        .ok_or("no small picture came")?;
    let after = reception.pictures.split_off(change);
    compare(&reception, &films[0], 0..)?;
    reception.pictures = after;
    compare(&reception, &small, change..)?;
    let summary = ended.camera()?;
    summary.expect_no_loss(0)?;
    Ok(format!("large={change} small={}", reception.pictures.len()))
}
