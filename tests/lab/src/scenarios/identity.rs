//! Which cameras there are, what they can do, and that the right one is taken.

use std::sync::Arc;

use serde_json::Value;

use super::{FULL_HD, HD, VGA, sized};
use crate::bench::{
    NAME, Outcome, PRODUCT, VENDOR, compare, config, description, ensure, mjpeg_camera, shoot,
};
use crate::camera::Camera;
use crate::framewire;
use crate::live::Live;
use crate::studio::film;
use crate::system;
use crate::uvc::Coding;

/// What there is to stream from, for people and for programs.
#[expect(clippy::too_many_lines, reason = "a list of what the output has")]
pub fn devices() -> Outcome {
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
        { "width": 1920, "height": 1080, "up_to": null, "step": null, "rates": [30.0, 15.0], "rate_range": null },
        { "width": 1280, "height": 720, "up_to": null, "step": null, "rates": [30.0], "rate_range": null },
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
pub fn controls() -> Outcome {
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

/// A driver with every kind of control and many formats: what holds a number is listed and read, whatever its type.
pub fn odd_controls() -> Outcome {
    let _device = system::OddDevice::plug()?;
    framewire::command(&["devices"])?.expect_code(0)?;
    let json = framewire::command(&["devices", "--json"])?
        .expect_code(0)?
        .json()?;
    for (name, kind, value) in [
        ("integer_menu", "menu", 4),
        ("menu", "menu", 3),
        ("boolean", "boolean", 1),
        ("integer_32_bits", "integer", 0),
        ("integer_64_bits", "integer", 0),
    ] {
        let control = find(&json, name).ok_or_else(|| format!("no {name} in {json}"))?;
        ensure!(
            control["kind"] == kind && control["value"] == value,
            "not {kind} {value}: {control}"
        );
    }
    let menu = find(&json, "integer_menu").map(|control| control["menu"].to_string());
    let menu = menu.unwrap_or_default();
    ensure!(
        menu.contains(r#"{"index":4,"name":"5"}"#),
        "the menu of integers: {menu}"
    );
    let controls = json["devices"][0]["controls"].as_array();
    let silent = controls.into_iter().flatten().find(|each| {
        // A button holds nothing.
        each["value"].is_null() && each["read_only"] == false
    });
    ensure!(silent.is_none(), "not read: {silent:?}");
    let formats = json["devices"][0]["formats"].as_array().map_or(0, Vec::len);
    let big_endian = json.to_string().contains("\"Y16 -BE\"");
    ensure!(big_endian, "formats: {}", json["devices"][0]["formats"]);
    Ok(format!(
        "formats={formats} controls={}",
        controls.map_or(0, Vec::len)
    ))
}

/// A camera without MJPEG cannot be streamed; the refusal says what it has and what would do.
pub fn raw_only() -> Outcome {
    let raw = description("RAW", Coding::Yuy2, &[sized(VGA, &[30])]);
    let grey = vec![0x80; usize::from(VGA.0) * usize::from(VGA.1) * 2];
    let _camera = Camera::plug(0, raw, vec![vec![Arc::new(vec![grey])]], &[])?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    live.wait_for_log("trying again", 1)?;
    let (ended, _) = live.end()?;
    let line = ended.log_line("YUYV")?;
    ensure!(line.contains("MJPG or JPEG"), "no remedy in: {line}");
    Ok(format!("said: {line}"))
}

/// A camera whose names would forge lines, turn the direction of writing, and end inside a character where the driver
/// cuts them: they are shown harmless, and the serial number still names the camera.
pub fn odd_names() -> Outcome {
    const SERIAL: &str = "A\"\u{1b}[31m\u{202e}Z";
    let mut odd = description(SERIAL, Coding::Mjpeg, &[sized(VGA, &[30])]);
    // 31 octets are what VIDIOC_QUERYCAP has room for: the last here is the first of two.
    odd.name = "\u{1b}[2J\nERROR all is lost \u{2066}1234é";
    let film = film("plain-640x480")?;
    let camera = Camera::plug(0, odd, vec![vec![Arc::clone(&film)]], &[])?;
    let shown = "�[2J�ERROR all is lost �1234�";
    let id = format!("usb:{VENDOR:04x}:{PRODUCT:04x}:A\\\"�[31m�Z");
    let text = framewire::command(&["devices"])?.expect_code(0)?.stdout;
    for words in [
        &format!("{}: {shown} - ", camera.node),
        &format!("device = \"{id}\""),
    ] {
        ensure!(text.contains(words), "'{words}' is not in: {text:?}");
    }
    let raw = format!("usb:{VENDOR:04x}:{PRODUCT:04x}:A\\\"\\u001b[31m\\u202EZ");
    for device in [&id, &raw] {
        let (ended, reception) = shoot(&config(device, VGA, 30, ""), 10)?;
        ended.expect_no_complaint()?;
        compare(&reception, &film, 0..)?;
        ensure!(
            ended.stderr.contains(shown)
                && !ended.stderr.contains(['\u{1b}', '\u{202e}', '\u{2066}']),
            "the log says: {:?}",
            ended.stderr
        );
    }
    Ok(format!("shown={}", shown.replace(' ', "_")))
}

/// Two cameras of the same make: the serial number tells them apart.
pub fn usb_id() -> Outcome {
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
