//! Cameras that come and go: each is found again as itself, and its stream goes on where it was.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use super::{HD, VGA, sized};
use crate::bench::{Kit, Outcome, PRODUCT, VENDOR, compare, config, ensure, mjpeg_camera};
use crate::camera::Camera;
use crate::live::{Live, longest_pause, tells_the_time};

/// From the node of the camera to its first picture on the wire.
const FIRST_PICTURE: Duration = Duration::from_millis(1500);
const WHILE: Duration = Duration::from_secs(1);

/// Waits for the first picture of a camera that was just plugged in.
fn first_picture(live: &Live, camera: &Camera) -> Result<Duration, Box<dyn Error>> {
    live.wait_for_frames(1)?;
    let took = camera.ready.elapsed();
    ensure!(
        took <= FIRST_PICTURE,
        "the first picture came {took:?} after the node"
    );
    Ok(took)
}

/// Plugged in after the start, and a second time after it has been unplugged before a start.
fn absent(kit: &Kit, device: &str) -> Result<Duration, Box<dyn Error>> {
    let live = Live::start(&config(device, VGA, 30, ""))?;
    live.wait_for_log("trying again", 1)?;
    thread::sleep(3 * WHILE); // the wait between attempts has become longer than what is allowed
    let camera = kit.plug(0)?;
    let took = first_picture(&live, &camera)?;
    live.wait_for_frames(10)?;
    let (_, reception) = live.end_one()?;
    compare(&reception, &kit.film, 0..)?;
    Ok(took)
}

pub fn absent_at_start() -> Outcome {
    let kit = Kit::new("ABSENT", "plain")?;
    let by_node = absent(&kit, "/dev/video0")?;
    let by_search = absent(&kit, "auto")?;
    Ok(format!("first-picture={by_node:?},{by_search:?}"))
}

/// Unplugged while it streams, and plugged in again where it was.
pub fn unplug() -> Outcome {
    let kit = Kit::new("UNPLUG", "plain")?;
    let camera = kit.plug(0)?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    live.wait_for_frames(30)?;
    let mut sent = camera.sent();
    let unplugged = Instant::now();
    drop(camera);
    thread::sleep(WHILE);
    let camera = kit.plug(0)?;
    ensure!(
        camera.node == "/dev/video0",
        "the lost device is pinned: the camera became {}",
        camera.node
    );
    let took = first_picture(&live, &camera)?;
    let gone = unplugged.elapsed();
    live.wait_for_frames(20)?;
    let again = camera.sent();
    let (ended, reception) = live.end_one()?;

    let (before, pause) = longest_pause(&reception);
    ensure!(
        before.abs_diff(sent.len()) <= 1,
        "{before} of {} frames came before",
        sent.len()
    );
    ensure!(
        pause > WHILE.as_secs_f64() && pause < gone.as_secs_f64() + 0.5,
        "the RTP time tells a pause of {pause:.3} s"
    );
    compare(&reception, &kit.film, (0..before).chain(0..))?;
    sent.truncate(before);
    ensure!(sent.len() == before, "a frame came that was not noted");
    sent.extend(again);
    let error = tells_the_time(&reception, &sent)?;
    let summary = ended.camera()?;
    summary.expect_no_loss(1)?;
    Ok(format!(
        "first-picture={took:?} pause={pause:.3}s rtp-error={:.0}us",
        error * 1e6
    ))
}

/// Another camera takes the node name meanwhile: it is not taken, and the right one is found under its new name.
pub fn other_node() -> Outcome {
    let (kit, other) = (Kit::new("RIGHT", "plain")?, Kit::new("WRONG", "c920")?);
    let camera = kit.plug(0)?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    live.wait_for_frames(10)?;
    drop(camera);
    let usurper = other.plug(0)?;
    ensure!(usurper.node == "/dev/video0", "it became {}", usurper.node);
    live.wait_for_log("usb:046d:082d:WRONG", 1)?;
    let frames = live.frames(0);
    thread::sleep(2 * WHILE);
    ensure!(
        usurper.function().starts == 0 && live.frames(0) == frames,
        "the other camera was taken"
    );
    let camera = kit.plug(1)?;
    ensure!(camera.node != "/dev/video0", "it became {}", camera.node);
    let took = first_picture(&live, &camera)?;
    live.wait_for_frames(10)?;
    let (ended, reception) = live.end_one()?;
    let (before, _) = longest_pause(&reception);
    compare(&reception, &kit.film, (0..before).chain(0..))?;
    let line = ended.log_line("usb:046d:082d:WRONG")?;
    ensure!(
        line.contains("usb:046d:082d:RIGHT is not there"),
        "the log says: {line}"
    );
    Ok(format!("found={} first-picture={took:?}", camera.node))
}

/// Without a serial number the place tells who it is: at another port it is another camera.
pub fn other_camera() -> Outcome {
    let kit = Kit::new("", "plain")?;
    let camera = kit.plug(0)?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ""))?;
    live.wait_for_frames(10)?;
    drop(camera);
    let elsewhere = kit.plug(1)?;
    live.wait_for_log("is another camera now", 1)?;
    thread::sleep(WHILE);
    ensure!(elsewhere.function().starts == 0, "another port was taken");
    let camera = kit.plug(0)?;
    let took = first_picture(&live, &camera)?;
    ensure!(elsewhere.function().starts == 0, "another port was taken");
    let (ended, _) = live.end_one()?;
    let line = ended.log_line("is another camera now")?;
    ensure!(line.contains("at port"), "the log says: {line}");
    Ok(format!("found={} first-picture={took:?}", camera.node))
}

/// With `auto` any camera will do: the known one at once, another after a few seconds.
pub fn stand_in() -> Outcome {
    let (kit, other) = (Kit::new("FIRST", "plain")?, Kit::new("OTHER", "c920")?);
    let camera = kit.plug(0)?;
    let live = Live::start(&config("auto", VGA, 30, ""))?;
    live.wait_for_frames(10)?;
    let spare = other.plug(1)?;
    drop(camera);
    thread::sleep(2 * WHILE);
    ensure!(spare.function().starts == 0, "the other was taken at once");
    let camera = kit.plug(0)?;
    let took = first_picture(&live, &camera)?;
    drop(camera);
    let another_took = live.wait_for_frames(1)?;
    ensure!(spare.function().starts == 1, "the other was not taken");
    live.wait_for_frames(10)?;
    live.end()?;
    Ok(format!("same={took:?} another={another_took:?}"))
}

/// A camera that has forgotten its controls gets them again.
pub fn controls_again() -> Outcome {
    let mut kit = Kit::new("FORGETS", "plain")?;
    kit.description.forgets_controls = true;
    let more = "[camera.controls]\nbrightness = 140\nhue = -7\n";
    let device = format!("usb:{VENDOR:04x}:{PRODUCT:04x}:FORGETS");
    let camera = kit.plug(0)?;
    let live = Live::start(&config(&device, VGA, 30, more))?;
    live.wait_for_frames(10)?;
    drop(camera);
    let camera = kit.plug(2)?;
    let took = first_picture(&live, &camera)?;
    live.wait_for_frames(10)?;
    let values = ["brightness", "hue", "contrast"].map(|name| camera.function().value(name));
    let (ended, _) = live.end_one()?;
    ensure!(
        values == [Some(140), Some(-7), Some(32)],
        "the camera holds {values:?}"
    );
    // A value that was read back differently would be a warning.
    ensure!(
        !ended.stderr.contains(" WARN "),
        "it warns: {}",
        ended.stderr
    );
    Ok(format!("first-picture={took:?}"))
}

/// The same camera with other sizes, as after a change of its firmware: what it has now is negotiated.
pub fn other_sizes() -> Outcome {
    let (camera, films) = mjpeg_camera(0, "SIZES", "plain", &[sized(HD, &[30])], &[])?;
    let live = Live::start(&config("/dev/video0", HD, 30, ""))?;
    live.wait_for_frames(10)?;
    drop(camera);
    let (camera, small) = mjpeg_camera(0, "SIZES", "plain", &[sized(VGA, &[30])], &[])?;
    first_picture(&live, &camera)?;
    live.wait_for_frames(10)?;
    let (ended, mut reception) = live.end_one()?;
    ended.log_line("asked 1280x720@30, got 640x480@30")?;
    let (before, _) = longest_pause(&reception);
    let after = reception.pictures.split_off(before);
    compare(&reception, &films[0], 0..)?;
    reception.pictures = after;
    compare(&reception, &small[0], 0..)?;
    Ok(format!(
        "before={before} after={}",
        reception.pictures.len()
    ))
}
