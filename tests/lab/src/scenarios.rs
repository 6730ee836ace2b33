//! The scenarios, one function each. A new one is a function and a line in `ALL`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::bench::{
    NAME, Outcome, PRODUCT, VENDOR, compare, config, description, ensure, mjpeg_camera, shoot,
};
use crate::camera::{Camera, Fault, Faults, Sent, film};
use crate::depacketizer::Reception;
use crate::framewire::{self, Ended};
use crate::system;
use crate::uvc::Coding;

pub type Scenario = fn() -> Outcome;

pub const ALL: [(&str, Scenario); 9] = [
    ("stream", stream),
    ("quirks", quirks),
    ("devices", devices),
    ("controls", controls),
    ("raw-only", raw_only),
    ("wrong-size", wrong_size),
    ("error-frame", error_frame),
    ("error-frame-nodrop", error_frame_nodrop),
    ("usb-id", usb_id),
];

const FULL_HD: (u16, u16) = (1920, 1080);
const HD: (u16, u16) = (1280, 720);
const VGA: (u16, u16) = (640, 480);
const CLOCK_RATE: f64 = 90_000.0; // Hz, RFC 2435 3

fn sized((width, height): (u16, u16), rates: &[u32]) -> (u16, u16, &[u32]) {
    (width, height, rates)
}

/// Ten seconds of the common case, with two frames whose timing tells capture time from any other.
fn stream() -> Outcome {
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
    let periods = (pictures.len() - 1) as f64;
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

/// A camera like the C920: no DHT, restart intervals, three DQT ids, zeros after EOI.
fn quirks() -> Outcome {
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

/// What there is to stream from, for people and for programs.
fn devices() -> Outcome {
    let sizes = [sized(FULL_HD, &[30, 15]), sized(HD, &[30])];
    let (camera, _) = mjpeg_camera(0, "DEVICES", "plain", &sizes, &[])?;
    let text = framewire::command(&["devices"])?.expect_code(0)?.stdout;
    let id = format!("usb:{VENDOR:04x}:{PRODUCT:04x}:DEVICES");
    for words in [
        &camera.node,
        NAME,
        &id,
        "MJPG",
        "1920x1080 at 30, 15 fps",
        "1280x720 at 30 fps",
    ] {
        ensure!(text.contains(words), "'{words}' is not in: {text}");
    }
    let brightness = text
        .lines()
        .find(|line| line.contains("brightness"))
        .unwrap_or_default();
    for words in ["0..=255", "default 128", "now 128"] {
        ensure!(
            brightness.contains(words),
            "'{words}' is not in: {brightness}"
        );
    }
    ensure!(
        !text.contains("/dev/video1"),
        "the metadata node is listed: {text}"
    );

    let json = framewire::command(&["devices", "--json"])?
        .expect_code(0)?
        .json()?;
    let nodes = json["devices"].as_array().map_or(0, Vec::len);
    ensure!(
        nodes == 1 && json["errors"] == Value::Array(vec![]),
        "not one camera: {json}"
    );
    let device = &json["devices"][0];
    let names = [&device["node"], &device["card"], &device["streamable"]];
    let expected = [Value::from(camera.node.as_str()), NAME.into(), true.into()];
    ensure!(
        names == expected.each_ref(),
        "node, card, streamable: {names:?}"
    );
    let formats = serde_json::json!([{ "fourcc": "MJPG", "streamable": true, "sizes": [
        { "width": 1920, "height": 1080, "up_to": null, "rates": [30.0, 15.0] },
        { "width": 1280, "height": 720, "up_to": null, "rates": [30.0] },
    ]}]);
    ensure!(
        device["formats"] == formats,
        "formats: {}",
        device["formats"]
    );
    let brightness = find(&json, "brightness").ok_or("no object named brightness")?;
    for (key, expected) in [
        ("minimum", 0),
        ("maximum", 255),
        ("default", 128),
        ("value", 128),
    ] {
        ensure!(
            brightness[key] == expected,
            "{key} is not {expected} in {brightness}"
        );
    }
    Ok(format!(
        "nodes={nodes} controls={}",
        device["controls"].as_array().map_or(0, Vec::len)
    ))
}

/// The object of a JSON document that bears this name.
fn find<'a>(json: &'a Value, name: &str) -> Option<&'a Value> {
    match json {
        Value::Object(fields) if fields.get("name").is_some_and(|v| v == name) => Some(json),
        Value::Object(fields) => fields.values().find_map(|value| find(value, name)),
        Value::Array(values) => values.iter().find_map(|value| find(value, name)),
        _ => None,
    }
}

/// The camera forgets its controls when the stream starts: only those set afterwards count.
fn controls() -> Outcome {
    let mut forgetful = description("CONTROLS", Coding::Mjpeg, &[sized(HD, &[30])]);
    forgetful.forgets_controls = true;
    let film = film("plain-1280x720")?;
    let camera = Camera::plug(0, forgetful, vec![vec![Arc::clone(&film)]], &[])?;
    let more = "[camera.controls]\nbrightness = 140\nhue = -7\n";
    let (ended, reception) = shoot(&config("/dev/video0", HD, 30, more), 15)?;
    ended.expect_no_complaint()?; // a value that was read back differently would be one
    compare(&reception, &film, 0..)?;
    let values = ["brightness", "hue", "contrast"].map(|name| camera.function().value(name));
    ensure!(
        values == [Some(140), Some(-7), Some(32)],
        "the camera holds {values:?}"
    );
    let changes = camera.function().changes.clone();
    let committed = camera.function().committed;
    let after = changes
        .iter()
        .filter(|change| Some(change.at) > committed)
        .count();
    let json = framewire::command(&["devices", "--json"])?
        .expect_code(0)?
        .json()?;
    let read = find(&json, "brightness").map(|control| control["value"].clone());
    ensure!(read == Some(Value::from(140)), "read back: {read:?}");
    let set: Vec<_> = changes
        .iter()
        .map(|each| format!("{}={}", each.name, each.value))
        .collect();
    Ok(format!("set={} after-stream-on={after}", set.join(",")))
}

/// A camera without MJPEG cannot be streamed; the refusal says what it has and what would do.
fn raw_only() -> Outcome {
    let raw = description("RAW", Coding::Yuy2, &[sized(VGA, &[30])]);
    let grey = vec![0x80; usize::from(VGA.0) * usize::from(VGA.1) * 2];
    let _camera = Camera::plug(0, raw, vec![vec![Arc::new(vec![grey])]], &[])?;
    let ended = framewire::stream(&config("/dev/video0", VGA, 30, ""), 1)?.expect_code(1)?;
    let line = ended.log_line("YUYV")?;
    ensure!(
        ended.stderr.contains("MJP") || ended.stderr.contains("JPEG"),
        "no remedy in: {line}"
    );
    Ok(format!("said: {line}"))
}

/// The driver takes the nearest mode it has, and the log tells.
fn wrong_size() -> Outcome {
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
fn error_frame() -> Outcome {
    damaged("0", 3, 1)
}

/// With nodrop=1, the default of newer kernels, it delivers them with V4L2_BUF_FLAG_ERROR.
fn error_frame_nodrop() -> Outcome {
    let result = damaged("1", 1, 3);
    system::set_parameter("uvcvideo", "nodrop", "0")?;
    result
}

fn damaged(nodrop: &str, gaps: usize, dropped: u64) -> Outcome {
    const GOOD: usize = 20;
    system::set_parameter("uvcvideo", "nodrop", nodrop)?; // read when a camera is plugged in
    let (camera, films) = mjpeg_camera(0, "DAMAGED", "plain", &[sized(HD, &[30])], DAMAGE)?;
    let (ended, reception) = shoot(&config("/dev/video0", HD, 30, ""), GOOD)?;
    let good = (0..).filter(|number| !DAMAGE.iter().any(|(bad, _)| bad == number));
    compare(&reception, &films[0], good)?;
    let bad = camera
        .sent()
        .iter()
        .filter(|sent| sent.fault.is_some_and(Fault::damages))
        .count();
    ensure!(bad == DAMAGE.len(), "the camera sent {bad} damaged frames");
    let summary = ended.camera()?;
    let counted = (summary.count("sequence_gaps")?, summary.dropped()?);
    let reasons = summary.reasons();
    ensure!(
        counted == (gaps, dropped),
        "(gaps, dropped) = {counted:?} {reasons}"
    );
    Ok(format!("gaps={gaps} dropped={reasons}"))
}

/// Two cameras of the same make: the serial number tells them apart.
fn usb_id() -> Outcome {
    let (first, plain) = mjpeg_camera(0, "LEFT", "plain", &[sized(HD, &[30])], &[])?;
    let (second, c920) = mjpeg_camera(1, "RIGHT", "c920", &[sized(HD, &[30])], &[])?;
    let mut found = Vec::new();
    for (serial, film, other) in [("RIGHT", &c920[0], &first), ("LEFT", &plain[0], &second)] {
        let before = other.function().committed;
        let device = format!("usb:{VENDOR:04x}:{PRODUCT:04x}:{serial}");
        let (_, reception) = shoot(&config(&device, HD, 30, ""), 10)?;
        compare(&reception, film, 0..)?;
        ensure!(
            other.function().committed == before,
            "the camera beside {serial} was started"
        );
        found.push(serial);
    }
    Ok(format!(
        "nodes={},{} found={}",
        first.node,
        second.node,
        found.join(",")
    ))
}
