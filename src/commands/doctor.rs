//! `doctor`: looks at the pictures of one camera and says what they are like and what to do.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;

use super::failure::Failure;
use super::one::configuration;
use crate::capture::listing::{Listing, list};
use crate::cli::{Doctor, Door, OneCamera, default_destination};
use crate::config::Device;
use crate::doctor::{Report, stable_device, visit};
use crate::quote::clean;
use crate::service::Signals;

/// Pictures that are looked at where nothing is said: two seconds of most cameras.
const FRAMES: u64 = 60;

/// Looks at the camera that is `wanted`, or at the only one that is there.
pub fn doctor(wanted: Doctor, out: &mut dyn Write) -> Result<(), Failure> {
    // Before two seconds of pictures are lost for it.
    if let Some(file) = &wanted.save
        && file.symlink_metadata().is_ok()
    {
        return Err(not_saved(file, "it is there already: take another name"));
    }
    let (device, listed) = device(wanted.device)?;
    let config = configuration(&OneCamera {
        device,
        to: default_destination(),
        size: wanted.size,
        fps: wanted.fps,
        http: Door::None,
        rtsp: Door::None,
    })?;
    let Some(camera) = config.cameras.first() else {
        return Ok(());
    };
    let frames = wanted.frames.unwrap_or(FRAMES);
    if io::stderr().is_terminal() {
        // Nothing is lost when nobody reads this.
        let _ = writeln!(
            io::stderr(),
            "looking at {frames} pictures of {} …",
            camera.device
        );
    }
    let signals = Signals::block()?;
    let visit = visit(camera, frames, wanted.save.is_some(), signals.as_fd());
    // From here on nothing waits but for whoever reads.
    signals.unblock()?;
    let visit = visit.map_err(Failure::other)?;
    let stable = match (&camera.device, &visit.camera) {
        (Device::Auto | Device::Path(_), Some(agreed)) => stable_device(&agreed.node, &listed),
        _ => None,
    };
    let kept = visit.specimens.count();
    let stable = stable.unwrap_or_else(|| camera.device.to_string());
    // There may be none.
    let saved = wanted.save.filter(|_| kept > 0);
    if let Some(file) = &saved {
        let specimens = &visit.specimens;
        specimens
            .save(file)
            .map_err(|error| not_saved(file, error))?;
    }
    let report = Report::new(camera, visit, &stable, saved.clone());
    match wanted.json {
        true => {
            serde_json::to_writer(&mut *out, &report).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        false => write!(out, "{report}")?,
    }
    out.flush()?;
    if let Some(file) = &saved {
        warn_of(file, kept);
    }
    match report.can_be_sent() {
        true => Ok(()),
        // The report has all that there is to say.
        false => Err(Failure::other("")),
    }
}

/// The camera that is meant, and those that are there.
fn device(wanted: Option<Device>) -> Result<(Device, Vec<Listing>), Failure> {
    if let Some(device) = wanted {
        let listed = match device {
            Device::Auto | Device::Path(_) => list().into_iter().flatten().collect(),
            _ => Vec::new(),
        };
        return Ok((device, listed));
    }
    let (listed, errors): (Vec<_>, Vec<_>) = list().into_iter().partition(Result::is_ok);
    let listed: Vec<Listing> = listed.into_iter().flatten().collect();
    let mut streamable = listed.iter().filter(|each| each.streamable);
    match (streamable.next(), streamable.next()) {
        (Some(only), None) => Ok((Device::Path(only.node.clone()), listed)),
        (Some(_), Some(_)) => Err(Failure::config(several(&listed))),
        (None, _) => {
            let errors = errors.into_iter().filter_map(Result::err);
            let errors: String = errors.map(|error| format!("; {error}")).collect();
            Err(Failure::other(format!(
                "no camera that delivers JPEG is plugged in; 'framewire devices' lists what there is, and 'framewire doctor demo' \
                 looks at the test pattern{errors}"
            )))
        }
    }
}

/// What can be typed, when there is more than one camera.
fn several(listed: &[Listing]) -> String {
    let mut text = "there are several cameras, which one?".to_owned();
    for each in listed.iter().filter(|each| each.streamable) {
        let node = each.node.display();
        let device = stable_device(&each.node, listed).unwrap_or_else(|| node.to_string());
        text += &format!("\n  framewire doctor {device}   # {}, {node}", each.card);
    }
    text
}

fn not_saved(file: &Path, why: impl Display) -> Failure {
    Failure::other(format!("{}: {why}", clean(&file.to_string_lossy())))
}

/// Pictures show people and places, and a report may be public.
fn warn_of(file: &Path, pictures: usize) {
    let file = clean(&file.to_string_lossy());
    // Nothing is lost when nobody reads this.
    let _ = writeln!(
        io::stderr(),
        "{file}: {pictures} pictures, as the camera delivered them. See what they show before you give them away: ffplay -f mpjpeg {file}"
    );
}
