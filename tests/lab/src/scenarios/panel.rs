//! Controls that are set at the door while the camera streams, and kept.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::VGA;
use crate::bench::{Kit, Outcome, PRODUCT, VENDOR, compare, config, ensure};
use crate::camera::Camera;
use crate::door;
use crate::framewire::{self, STATE};
use crate::live::Live;

const PATH: &str = "/api/cameras/lab/controls";
/// Within this time what was asked of a camera is in it.
const SOON: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// The folder of kept values, which no other scenario has.
struct Shelf;

impl Drop for Shelf {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(STATE);
    }
}

/// A camera that forgets its controls whenever the stream starts: what it holds was set afterwards.
fn forgetful() -> Result<(Kit, String, Shelf), Box<dyn Error>> {
    let mut kit = Kit::new("PANEL", "plain")?;
    kit.description.forgets_controls = true;
    let device = format!("usb:{VENDOR:04x}:{PRODUCT:04x}:PANEL");
    let more = "[camera.controls]\nbrightness = 140\n";
    let config = config(&device, VGA, 30, more) + door::CONFIG;
    fs::create_dir_all(STATE)?;
    Ok((kit, config, Shelf))
}

fn get() -> Result<Value, Box<dyn Error>> {
    let (status, list) = door::ask(PATH, None)?;
    ensure!(status == 200, "{status}: {list}");
    Ok(list)
}

/// Sets what `body` says; returns the control `name` afterwards.
fn post(body: &str, name: &str) -> Result<Value, Box<dyn Error>> {
    let (status, list) = door::ask(PATH, Some(body))?;
    ensure!(status == 200, "{body}: {status}: {list}");
    find(&list, name)
}

fn find(list: &Value, name: &str) -> Result<Value, Box<dyn Error>> {
    let controls = list["controls"].as_array().ok_or("no list")?;
    let found = controls.iter().find(|control| control["name"] == name);
    Ok(found.ok_or_else(|| format!("no {name} in {list}"))?.clone())
}

/// Waits until the camera itself holds these.
fn holds(camera: &Camera, expected: &[(&str, i16)]) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    loop {
        let values: Vec<_> = expected
            .iter()
            .map(|(name, _)| camera.function().value(name))
            .collect();
        if values
            .iter()
            .zip(expected)
            .all(|(value, (_, expected))| *value == Some(*expected))
        {
            return Ok(());
        }
        ensure!(
            start.elapsed() < SOON,
            "the camera holds {values:?}, not {expected:?}"
        );
        thread::sleep(POLL);
    }
}

/// Listed, set, read back by another program, refused in words; not a picture is lost meanwhile.
pub fn panel() -> Outcome {
    const CHANGES: i16 = 60;
    let (kit, config, _shelf) = forgetful()?;
    let camera = kit.plug(0)?;
    let live = Live::start(&config)?;
    live.wait_for_frames(10)?;
    let brightness = find(&get()?, "brightness")?;
    let expected = json!({
        "name": "brightness", "short_name": null, "kind": "integer", "minimum": 0, "maximum": 255, "step": 1,
        "default": 128, "value": 140, "read_only": false, "inactive": false, "grabbed": false, "menu": [],
        "configured": 140,
    });
    ensure!(brightness == expected, "brightness: {brightness}");
    let contrast = post(r#"{"controls":{"contrast":50,"hue":-7}}"#, "contrast")?;
    ensure!(contrast["value"] == 50, "contrast: {contrast}");
    holds(
        &camera,
        &[("contrast", 50), ("hue", -7), ("brightness", 140)],
    )?;
    let listed = framewire::command_beside("devices", &["devices", "--json"])?.expect_code(0)?;
    ensure!(
        find(&listed.json()?["devices"][0], "contrast")?["value"] == 50,
        "another program reads: {}",
        listed.stdout
    );
    let changes = camera.function().changes.len();
    for (body, words) in [
        (
            r#"{"controls":{"hue":1,"contrast":256}}"#,
            "contrast = 256: out of range, allowed: 0..=255",
        ),
        (
            r#"{"controls":{"zoom":1}}"#,
            "zoom: the camera has no such control; it has: brightness,",
        ),
    ] {
        let (status, answer) = door::ask(PATH, Some(body))?;
        let said = answer["error"].as_str().unwrap_or_default();
        ensure!(
            status == 400 && said.starts_with(words),
            "{status}: {answer}"
        );
    }
    ensure!(
        camera.function().changes.len() == changes,
        "something was set"
    );
    for value in 0..CHANGES {
        let body = format!("{{\"controls\":{{\"sharpness\":{value}}}}}");
        post(&body, "sharpness")?;
    }
    holds(&camera, &[("sharpness", CHANGES - 1)])?;
    live.wait_for_frames(10)?;
    let (ended, reception) = live.end_one()?;
    compare(&reception, &kit.film, 0..)?;
    ended.camera()?.expect_no_loss(0)?;
    ended.expect_no_complaint()?;
    Ok(format!(
        "changes={CHANGES} frames={} lost=0",
        reception.pictures.len()
    ))
}

/// What is kept is there after a restart and after the camera was unplugged, until it is removed at the door or by hand.
pub fn kept() -> Outcome {
    let (kit, config, _shelf) = forgetful()?;
    let camera = kit.plug(0)?;
    let file = Path::new(STATE).join("lab.toml");
    let live = Live::start(&config)?;
    live.wait_for_frames(10)?;
    get()?;
    post(r#"{"controls":{"saturation":70}}"#, "saturation")?;
    let hue = post(
        r#"{"controls":{"hue":-7,"brightness":200},"keep":true}"#,
        "hue",
    )?;
    ensure!(hue["kept"] == -7, "hue: {hue}");
    live.end_one()?;
    let checked = framewire::command(&["check", "--config", framewire::CONFIG])?.expect_code(0)?;
    let note = "note: lab: brightness = 200 counts instead of 140: kept in /tmp/state/lab.toml";
    ensure!(
        checked.stdout.contains(note),
        "check says: {}",
        checked.stdout
    );

    let kept = [("brightness", 200), ("hue", -7)];
    let live = Live::start(&config)?;
    live.wait_for_frames(10)?;
    holds(&camera, &kept)?;
    drop(camera);
    let camera = kit.plug(2)?;
    live.wait_for_frames(10)?;
    holds(&camera, &kept)?;
    // A driver may set again what it has set once (uvcvideo's RESTORE_CTRLS_ON_INIT), but not in another device.
    holds(&camera, &[("saturation", 64)])?;
    let brightness = post(r#"{"keep":false}"#, "brightness")?;
    ensure!(
        brightness["kept"].is_null() && brightness["value"] == 140,
        "{brightness}"
    );
    holds(&camera, &[("brightness", 140), ("hue", 0)])?;
    ensure!(!file.exists(), "the file is still there");

    post(r#"{"controls":{"hue":9},"keep":true}"#, "hue")?;
    fs::remove_file(&file)?;
    live.framewire.reload()?;
    holds(&camera, &[("brightness", 140), ("hue", 0)])?;
    fs::write(
        &file,
        "[[camera]]\nname = \"lab\"\n[camera.controls]\nhue = 5\n",
    )?;
    live.framewire.reload()?;
    holds(&camera, &[("hue", 5)])?;
    live.wait_for_frames(10)?;
    let (ended, reception) = live.end_one()?;
    ended.log_line("instead of [camera.controls] brightness = 200, hue = -7 counts")?;
    Ok(format!("frames={}", reception.pictures.len()))
}
