//! Every picture is looked through: what arrives is what the camera meant, but for damage that breaks no code.

use std::time::Duration;

use crate::bench::{Outcome, config, ensure, mjpeg_camera};
use crate::depacketizer::Reception;
use crate::fault::Fault;
use crate::jpeg::Picture;
use crate::live::Live;
use crate::studio::Film;
use crate::system;

use super::{VGA, sized};

const ALWAYS: &str = "verify = \"always\"\n";
/// Frames with one changed octet.
const CHANGED: usize = 90;
/// Of these, at least so many percent are found. The rest have other coefficients, and nothing that cannot be.
const FOUND: usize = 50;
/// Frames that suffer each of the other faults.
const EACH: usize = 3;
const ALL_TRANSFERS: usize = usize::MAX;

/// How many pictures are none of the film's.
fn strangers(reception: &Reception, film: &Film) -> Result<usize, String> {
    let originals = film.iter().map(|file| Picture::parse(file));
    let originals = originals.collect::<Result<Vec<_>, _>>()?;
    let is_known = |scan: &[u8]| originals.iter().any(|original| original.scan == scan);
    let pictures = reception.pictures.iter();
    Ok(pictures
        .filter(|received| !is_known(&received.picture.scan))
        .count())
}

/// One octet is changed in each of many frames, elsewhere in each.
pub fn changed_octets() -> Outcome {
    let (camera, films) = mjpeg_camera(0, "CHANGED", "plain", &[sized(VGA, &[30])], &[])?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ALWAYS))?;
    live.wait_for_frames(10)?;
    camera.damage(Fault::ChangedOctet, CHANGED);
    while camera.is_damaged() {
        std::thread::sleep(Duration::from_millis(50));
    }
    live.wait_for_frames(10)?;
    let (ended, reception) = live.end_one()?;
    let summary = ended.camera()?;
    let dropped = usize::try_from(summary.dropped_as("corrupt-scan"))?;
    let unseen = strangers(&reception, &films[0])?;
    ensure!(
        dropped + unseen <= CHANGED && dropped * 100 >= CHANGED * FOUND,
        "{dropped} found and {unseen} not of {CHANGED}: {}",
        summary.reasons()
    );
    Ok(format!(
        "changed={CHANGED} found={dropped} shown-otherwise={unseen} pictures={}",
        reception.pictures.len()
    ))
}

/// What a camera and its cable can do to a frame: no picture arrives that is none of the camera's.
pub fn only_whole() -> Outcome {
    // What the driver calls damaged comes here too.
    system::set_parameter("uvcvideo", "nodrop", "1")?;
    let result = with_every_fault();
    system::set_parameter("uvcvideo", "nodrop", "0")?;
    result
}

fn with_every_fault() -> Outcome {
    let (camera, films) = mjpeg_camera(0, "FAULTS", "plain", &[sized(VGA, &[30])], &[])?;
    let live = Live::start(&config("/dev/video0", VGA, 30, ALWAYS))?;
    live.wait_for_frames(10)?;
    for fault in [
        Fault::ErrorBit,
        Fault::Truncated,
        Fault::Garbage,
        Fault::Empty,
        Fault::BadHeader,
        Fault::Slow(Duration::from_millis(50)),
        Fault::BusError(2),
        Fault::BusErrorAmid(2, Duration::from_millis(20)),
        Fault::BusError(ALL_TRANSFERS),
    ] {
        camera.damage(fault, EACH);
        live.wait_for_frames(10)?;
        while camera.is_damaged() {
            std::thread::sleep(Duration::from_millis(50));
        }
        live.wait_for_frames(10)?;
    }
    let (ended, reception) = live.end_one()?;
    let summary = ended.camera()?;
    let strangers = strangers(&reception, &films[0])?;
    ensure!(strangers == 0, "{strangers} pictures are not the camera's");
    let whole = summary.count("flagged_but_whole")?;
    ensure!(
        whole >= EACH,
        "{whole} whole ones of {EACH} with the error bit"
    );
    Ok(format!(
        "pictures={} all the camera's, flagged-but-whole={whole} dropped={}",
        reception.pictures.len(),
        summary.reasons()
    ))
}
