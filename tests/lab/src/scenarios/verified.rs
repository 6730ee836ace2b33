//! Every picture is looked through: what arrives is what the camera meant, but for damage that breaks no code.

use std::time::Duration;

use crate::bench::{Outcome, config, ensure, mjpeg_camera};
use crate::depacketizer::Reception;
use crate::fault::Fault;
use crate::jpeg::Picture;
use crate::live::Live;
use crate::studio::Film;
use crate::system;

use super::chaos::mischief::{FPS, Victim};
use super::{Scenario, VGA, sized};

const ALWAYS: &str = "verify = \"always\"\n";
/// Frames with one changed octet.
const CHANGED: usize = 90;
/// Of these, at least so many percent are found. The rest have other coefficients, and nothing that cannot be: most of
/// the octets of these pictures say how large a coefficient is, and any size can be.
const FOUND: usize = 5;
/// Frames that suffer each of the other faults.
const EACH: usize = 3;
const ALL_TRANSFERS: usize = usize::MAX;

/// How many pictures are of none of the films.
fn strangers(reception: &Reception, films: &[&Film]) -> Result<usize, String> {
    let files = films.iter().flat_map(|film| film.iter());
    let originals = files.map(|file| Picture::parse(file));
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
    let unseen = strangers(&reception, &[&films[0]])?;
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
    without_driver_drops(with_every_fault)
}

/// The same with all that happens in the scenario `chaos`, once each.
pub fn whole_in_chaos() -> Outcome {
    without_driver_drops(with_every_mischief)
}

/// What the driver calls damaged comes to framewire too.
fn without_driver_drops(scenario: Scenario) -> Outcome {
    system::set_parameter("uvcvideo", "nodrop", "1")?;
    let result = scenario();
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
    let strangers = strangers(&reception, &[&films[0]])?;
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

fn with_every_mischief() -> Outcome {
    let mut victim = Victim::new(0, "WHOLE", "plain", [0, 2], system::chaos_seed().into())?;
    let camera = victim.plug()?;
    let live = Live::start(&config("usb:046d:082d:WHOLE", VGA, FPS, ALWAYS))?;
    live.wait_for_frames(10)?;
    let camera = victim.suffer_each(camera, &live)?;
    let (ended, reception) = live.end_one()?;
    drop(camera);
    let summary = ended.camera()?;
    let strangers = strangers(&reception, &victim.films())?;
    let pictures = reception.pictures.len();
    ensure!(
        strangers == 0,
        "{strangers} pictures of {pictures} are not the camera's"
    );
    Ok(format!(
        "{} faults, {pictures} pictures all the camera's, flagged-but-whole={} dropped={}",
        victim.suffered.len(),
        summary.count("flagged_but_whole")?,
        summary.reasons()
    ))
}
