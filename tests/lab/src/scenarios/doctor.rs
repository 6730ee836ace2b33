//! What `framewire doctor` says of cameras on a real driver: one as it should be, one that is odd, one that is silent.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{VGA, sized};
use crate::bench::{Kit, Outcome, PRODUCT, VENDOR, ensure, mjpeg_camera};
use crate::fault::Fault;
use crate::framewire::command;
use crate::system;

const SERIAL: &str = "0A1B2C3D";
/// Octets behind the end of each picture of the film.
const PADDING: usize = 512;
const ASK: [&str; 4] = ["doctor", "--json", "--size", "640x480"];

/// What is found out is written into the lines for config.toml; silence has an end; of two cameras none is guessed.
pub fn doctor() -> Outcome {
    // The driver delivers what the camera marks as damaged, as that of newer kernels does by default.
    system::set_parameter("uvcvideo", "nodrop", "1")?;
    let result = visits();
    system::set_parameter("uvcvideo", "nodrop", "0")?;
    result
}

fn visits() -> Outcome {
    let (camera, films) = mjpeg_camera(0, SERIAL, "c920", &[sized(VGA, &[30])], &[])?;
    // All of the picture, and the camera says that it is damaged.
    camera.damage(Fault::ErrorBit, 1);
    let said = command(&ASK)?.expect_code(0)?.json()?;
    expect_as_it_is(&said)?;
    let words = command(&["doctor", "--size", "640x480"])?.expect_code(0)?;
    let who = "/dev/video0: Lab Camera (driver uvcvideo, MJPG). 60 pictures were looked at.";
    for line in [
        who,
        "  memory          4 buffers of 614.4 kB in the driver, 2.4 MB in all",
    ] {
        let is_there = words.stdout.lines().any(|each| each == line);
        ensure!(is_there, "{line}: not in {}", words.stdout);
    }

    // The same without EOI, and without what is behind it.
    let cut = |file: &Vec<u8>| file[..file.len() - 2 - PADDING].to_vec();
    camera.change_film(Arc::new(films[0].iter().map(cut).collect()));
    let said = command(&ASK)?.expect_code(0)?.json()?;
    expect_lines(&said, true)?;

    // It streams, and delivers nothing: its frames are empty, or there are none.
    camera.damage(Fault::Empty, usize::MAX);
    let ended = command(&ASK)?.expect_code(1)?;
    ended.log_line("no picture for too long")?;
    camera.mend();
    camera.stall(Duration::from_secs(60));
    let ended = command(&ASK)?.expect_code(1)?;
    ended.log_line("no picture for too long")?;
    ensure!(ended.stdout.is_empty(), "said: {}", ended.stdout);
    drop(camera);

    let kits = [Kit::new("ONE", "plain")?, Kit::new("TWO", "plain")?];
    let _cameras = [kits[0].plug(0)?, kits[1].plug(1)?];
    let ended = command(&["doctor"])?.expect_code(78)?;
    for serial in ["ONE", "TWO"] {
        ended.log_line(&format!("framewire doctor {}", name(serial)))?;
    }
    Ok(format!("rate={}", said["rate"]["fps"]))
}

fn name(serial: &str) -> String {
    format!("usb:{VENDOR:04x}:{PRODUCT:04x}:{serial}")
}

/// The only camera needs no name.
fn expect_as_it_is(said: &Value) -> Outcome {
    let agreed = &said["camera"];
    for (key, value) in [
        ("node", json!("/dev/video0")),
        ("driver", json!("uvcvideo")),
        ("format", json!("MJPG")),
        ("fps", json!(30.0)),
        ("buffers", json!(4)),
    ] {
        ensure!(agreed[key] == value, "{key} in {said}");
    }
    let octets = agreed["buffer_octets"].as_u64().unwrap_or(0);
    let pixels = u64::from(VGA.0) * u64::from(VGA.1);
    ensure!(octets >= pixels, "buffers of {octets} octets");
    let fps = said["rate"]["fps"].as_f64().unwrap_or(0.0);
    ensure!((29.5..30.5).contains(&fps), "{fps} pictures a second");
    let padding = json!({"least": PADDING, "mean": PADDING, "most": PADDING});
    for (key, value) in [
        ("huffman", json!([{"huffman": "absent", "pictures": 60}])),
        (
            "restarts",
            json!([{"restart_interval": 20, "pictures": 60}]),
        ),
        ("padding_octets", padding),
    ] {
        ensure!(said[key] == value, "{key} in {said}");
    }
    ensure!(said["whole"]["yes"] == 60, "{}", said["whole"]);
    let errors = &said["errors"];
    let flagged = [&errors["flagged"], &errors["flagged_but_whole"]];
    ensure!(flagged == [0, 1], "{errors}");
    expect_lines(said, false)?;
    Ok(String::new())
}

fn expect_lines(said: &Value, lacks_eoi: bool) -> Result<(), String> {
    let lines = said["config"].as_str().unwrap_or_default();
    let has = |line: &str| lines.lines().any(|each| each == line);
    let right = has(&format!("device = \"{}\"", name(SERIAL)))
        && has("width = 640")
        && has("height = 480")
        && has("fps = 30")
        && has("allow-missing-eoi = true") == lacks_eoi;
    match right {
        true => Ok(()),
        false => Err(format!("lines: {lines}")),
    }
}
