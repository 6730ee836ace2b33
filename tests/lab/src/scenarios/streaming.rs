//! What a healthy camera sends arrives, and what is wrong with single frames is told.

use std::time::Duration;

use super::{FULL_HD, HD, VGA, sized};
use crate::bench::{Outcome, RTP_PORT, compare, config, develop, ensure, mjpeg_camera, shoot};
use crate::depacketizer::Reception;
use crate::fault::{Fault, Faults};
use crate::framewire::{self, Ended};
use crate::live::Live;
use crate::receiver::Receiver;
use crate::studio::Sent;
use crate::system;

const CLOCK_RATE: f64 = 90_000.0; // Hz, RFC 2435 3

/// Ten seconds of the common case, with two frames whose timing tells capture time from any other.
pub fn stream() -> Outcome {
    const FRAMES: usize = 300;
    const FAULTS: Faults = &[
        (150, Fault::Late(Duration::from_millis(11))), // a frame counter would not show it
        (200, Fault::Slow(Duration::from_millis(11))), // the time of sending would show it
    ];
    let (camera, films) = mjpeg_camera(0, "STREAM", "plain", &[sized(FULL_HD, &[30])], FAULTS)?;
    ensure!(
        camera.node == "/dev/video0",
        "the camera became {}",
        camera.node
    );
    let (ended, reception) = shoot(&config("/dev/video0", FULL_HD, 30, ""), FRAMES)?;
    ended.expect_no_complaint()?;
    compare(&reception, &films[0], 0..)?;
    let timing = timing(&reception, &camera.sent(), 30.0)?;
    let counts = all_counted(&ended, &reception)?;
    let q = reception.pictures[0].q;
    Ok(format!("frames={FRAMES} {timing} q={q} {counts}"))
}

/// The summary must agree with what was received when nothing was lost.
fn all_counted(ended: &Ended, reception: &Reception) -> Result<String, String> {
    let summary = ended.camera()?;
    let pictures = &reception.pictures;
    let packets = pictures.iter().map(|picture| picture.packets).sum();
    let octets = pictures.iter().map(|picture| picture.octets).sum();
    for (key, expected) in [
        ("frames_sent", pictures.len()),
        ("sequence_gaps", 0),
        ("timestamps_replaced", 0),
        ("packets_sent", packets),
        ("octets_sent", octets),
    ] {
        let count = summary.count(key)?;
        if count != expected {
            return Err(format!("{key} is {count} instead of {expected}"));
        }
    }
    let (captured, dropped) = (summary.count("frames_captured")?, summary.dropped()?);
    if captured < pictures.len() || dropped > 0 {
        return Err(format!(
            "captured {captured}, dropped {}",
            summary.reasons()
        ));
    }
    let calls = summary.count("send_calls")?;
    Ok(format!("packets={packets} octets={octets} calls={calls}"))
}

/// Compares the RTP timestamps with the instants at which the camera began each frame.
fn timing(reception: &Reception, sent: &[Sent], fps: f64) -> Result<String, String> {
    const JITTER: f64 = 0.003; // seconds between the camera's hand and the driver's clock
    let pictures = &reception.pictures;
    let (Some(first), Some(last), Some(start)) = (pictures.first(), pictures.last(), sent.first())
    else {
        return Err("no pictures".into());
    };
    let rtp = |timestamp: u32| f64::from(timestamp.wrapping_sub(first.timestamp)) / CLOCK_RATE;
    let mut worst: f64 = 0.0;
    for (picture, sent) in pictures.iter().zip(sent) {
        let error = rtp(picture.timestamp) - (sent.at - start.at).as_secs_f64();
        if error.abs() > JITTER {
            return Err(format!(
                "the RTP time of frame {} is off by {error:.4} s",
                sent.number
            ));
        }
        worst = worst.max(error.abs());
    }
    let periods = f64::from(u32::try_from(pictures.len() - 1).expect("few pictures"));
    let rtp_rate = periods / rtp(last.timestamp);
    let wall_rate = periods / (last.at - first.at).as_secs_f64();
    for rate in [rtp_rate, wall_rate] {
        if (rate / fps - 1.0).abs() > 0.01 {
            return Err(format!(
                "{rtp_rate:.3} fps by RTP, {wall_rate:.3} on arrival, not {fps}"
            ));
        }
    }
    Ok(format!(
        "rtp-fps={rtp_rate:.3} wall-fps={wall_rate:.3} rtp-error={:.0}us",
        worst * 1e6
    ))
}

/// With `clock=realtime` uvcvideo puts another clock's time under the monotonic one's name, decades away: no timestamp
/// is believed, and the RTP time goes on as it was.
pub fn realtime() -> Outcome {
    const FRAMES: usize = 30;
    let (camera, films) = mjpeg_camera(0, "REALTIME", "plain", &[sized(VGA, &[30])], &[])?;
    let config = config("/dev/video0", VGA, 30, "");
    let receiver = Receiver::listen(RTP_PORT)?;
    system::set_parameter("uvcvideo", "clock", "CLOCK_REALTIME")?;
    let ended = framewire::stream(&config, FRAMES);
    system::set_parameter("uvcvideo", "clock", "CLOCK_MONOTONIC")?;
    let ended = ended?.expect_code(0)?;
    let reception = develop(receiver)?;
    compare(&reception, &films[0], 0..)?;
    let timing = timing(&reception, &camera.sent(), 30.0)?;
    let summary = ended.camera()?;
    let counts = ["frames_captured", "timestamps_replaced"].map(|key| summary.count(key));
    let [captured, replaced] = [counts[0].clone()?, counts[1].clone()?];
    ensure!(
        captured >= FRAMES && replaced == captured,
        "{replaced} timestamps of {captured} were replaced"
    );
    Ok(format!("replaced={replaced} {timing}"))
}

/// After a while without the processor the newest of the driver's buffers is sent. The older ones and the frames that
/// found no buffer are counted.
pub fn held_up() -> Outcome {
    const TIMES: usize = 5;
    const WHILE: Duration = Duration::from_millis(300); // nine frames, for four buffers
    let (_camera, films) = mjpeg_camera(0, "HELD-UP", "plain", &[sized(VGA, &[30])], &[])?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    for _ in 0..TIMES {
        live.wait_for_frames(10)?;
        live.framewire.hold_up(WHILE)?;
    }
    live.wait_for_frames(10)?;
    let (ended, reception) = live.end_one()?;
    let pictures = &reception.pictures;
    let first = pictures.first().ok_or("no pictures")?;
    let number = |timestamp: u32| {
        let seconds = f64::from(timestamp.wrapping_sub(first.timestamp)) / CLOCK_RATE;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "no less than 0, and at most the 13 hours of a timestamp"
        )]
        let number = (seconds * 30.0).round() as usize;
        number
    };
    let numbers: Vec<usize> = pictures.iter().map(|each| number(each.timestamp)).collect();
    compare(&reception, &films[0], numbers.iter().copied())?;
    let summary = ended.camera()?;
    let superseded = usize::try_from(summary.dropped_as("superseded"))?;
    let gaps = summary.count("sequence_gaps")?;
    let missing = numbers.last().map_or(0, |last| last + 1 - numbers.len());
    let facts = format!(
        "frames={} missing={missing} superseded={superseded} gaps={gaps}",
        numbers.len()
    );
    // Of four buffers one may be in use or half filled.
    let is_newest = (2 * TIMES..=3 * TIMES).contains(&superseded);
    ensure!(is_newest && missing == gaps + superseded, "{facts}");
    Ok(facts)
}

/// A camera like the C920: no DHT, restart intervals, three DQT ids, zeros after EOI.
pub fn quirks() -> Outcome {
    let sizes = [sized(HD, &[30]), sized(VGA, &[30])];
    let (_camera, films) = mjpeg_camera(0, "QUIRKS", "c920", &sizes, &[])?;
    let mut facts = Vec::new();
    for (size, film, frames, kind) in [(HD, &films[0], 60, 64), (VGA, &films[1], 30, 65)] {
        let (ended, reception) = shoot(&config("/dev/video0", size, 30, ""), frames)?;
        ended.expect_no_complaint()?;
        compare(&reception, film, 0..)?;
        let first = &reception.pictures[0];
        ensure!(first.kind == kind, "type {} instead of {kind}", first.kind);
        facts.push(format!("type={kind} frames={frames} q={}", first.q));
    }
    Ok(facts.join(" "))
}

/// The driver takes the nearest mode it has, and the log tells.
pub fn wrong_size() -> Outcome {
    let sizes = [sized(VGA, &[30]), sized(HD, &[30, 15])];
    let (_camera, films) = mjpeg_camera(0, "SIZE", "plain", &sizes, &[])?;
    let (ended, reception) = shoot(&config("/dev/video0", (1000, 700), 25, ""), 15)?;
    compare(&reception, &films[1], 0..)?;
    let line = ended.log_line("asked 1000x700@25")?;
    ensure!(line.contains("got 1280x720@30"), "the log says: {line}");
    Ok("got=1280x720@30".into())
}

const DAMAGE: Faults = &[
    (4, Fault::ErrorBit),
    (8, Fault::Truncated),
    (12, Fault::Empty),
    (16, Fault::ErrorBit),
];

/// By default the driver itself throws marked frames away: framewire sees gaps.
pub fn error_frame() -> Outcome {
    damaged("0", 3, 1, 0)
}

/// With nodrop=1, the default of newer kernels, it delivers them with V4L2_BUF_FLAG_ERROR. Those that are whole are sent.
pub fn error_frame_nodrop() -> Outcome {
    let result = damaged("1", 1, 1, 2);
    system::set_parameter("uvcvideo", "nodrop", "0")?;
    result
}

fn damaged(nodrop: &str, gaps: usize, dropped: u64, whole: usize) -> Outcome {
    const GOOD: usize = 20;
    system::set_parameter("uvcvideo", "nodrop", nodrop)?; // read when a camera is plugged in
    let (camera, films) = mjpeg_camera(0, "DAMAGED", "plain", &[sized(HD, &[30])], DAMAGE)?;
    let (ended, reception) = shoot(&config("/dev/video0", HD, 30, ""), GOOD)?;
    let is_bad = |(_, fault): &&(usize, Fault)| whole == 0 || *fault != Fault::ErrorBit;
    let bad: Vec<_> = DAMAGE.iter().filter(is_bad).map(|(bad, _)| *bad).collect();
    let good = (0..).filter(|number| !bad.contains(number));
    compare(&reception, &films[0], good)?;
    let bad = camera
        .sent()
        .iter()
        .filter(|sent| sent.fault.is_some_and(Fault::damages))
        .count();
    ensure!(bad == DAMAGE.len(), "the camera sent {bad} damaged frames");
    let summary = ended.camera()?;
    let counted = (
        summary.count("sequence_gaps")?,
        summary.dropped()?,
        summary.count("flagged_but_whole")?,
    );
    let reasons = summary.reasons();
    ensure!(
        counted == (gaps, dropped, whole),
        "(gaps, dropped, whole) = {counted:?} {reasons}"
    );
    Ok(format!("gaps={gaps} dropped={reasons}"))
}
