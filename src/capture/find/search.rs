//! Finds the camera that the configuration names, and later the same one again, whatever its node is called then.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::identity::{self, Identity, Usb};
use crate::capture::error::CaptureError;
use crate::capture::v4l2::Opened;
use crate::config;

/// How long a camera that was there is waited for before another one may stand in for it: longer than a hub takes to
/// come back with all that hangs on it.
const ANOTHER_AFTER: Duration = Duration::from_secs(5);

/// A node, and the camera behind it.
struct Candidate {
    path: PathBuf,
    identity: Option<Identity>,
}

/// The search for one camera, which remembers whom it has found.
pub struct Search {
    wanted: config::Device,
    known: Option<Identity>,
    /// Since when the known camera cannot be had.
    missing_since: Option<Instant>,
}

impl Search {
    /// A search for what `wanted` names.
    pub fn new(wanted: config::Device) -> Self {
        Self {
            wanted,
            known: None,
            missing_since: None,
        }
    }

    /// Opens the best of the cameras that fit and with which `start` succeeds.
    pub fn open<T>(
        &mut self,
        start: impl FnMut(Opened) -> Result<T, CaptureError>,
    ) -> Result<T, CaptureError> {
        let found = self
            .candidates()
            .and_then(|candidates| self.first_that_starts(candidates, start));
        match &found {
            Ok(_) => self.missing_since = None,
            Err(_) => _ = self.missing_since.get_or_insert_with(Instant::now),
        }
        found
    }

    /// The nodes to try, best first.
    fn candidates(&self) -> Result<Vec<Candidate>, CaptureError> {
        match (&self.wanted, &self.known) {
            // A link names whom it means by itself.
            (config::Device::Path(path), None) => Ok(vec![Candidate::new(path.clone())]),
            (config::Device::Path(path), Some(known)) => {
                let mut nodes = candidates(&config::Device::Auto);
                nodes.retain(|node| node.is(known));
                if nodes.is_empty() {
                    return Err(CaptureError::NotFound(waiting_for(known, path)));
                }
                nodes.sort_by_key(|node| !node.is_at(known));
                Ok(nodes)
            }
            (wanted, known) => {
                let mut nodes = candidates(wanted);
                if let Some(known) = known {
                    let another_may_come = self
                        .missing_since
                        .is_some_and(|since| since.elapsed() >= ANOTHER_AFTER);
                    nodes.retain(|node| another_may_come || node.is(known));
                    if nodes.is_empty() && !another_may_come {
                        return Err(CaptureError::NotFound(format!("{known} is not there")));
                    }
                    nodes.sort_by_key(|node| (!node.is(known), !node.is_at(known)));
                }
                Ok(nodes)
            }
        }
    }

    fn first_that_starts<T>(
        &mut self,
        candidates: Vec<Candidate>,
        mut start: impl FnMut(Opened) -> Result<T, CaptureError>,
    ) -> Result<T, CaptureError> {
        let mut refusals = Vec::new();
        for Candidate { path, identity } in candidates {
            let opened = Opened::open(&path).and_then(|opened| {
                opened.jpeg_format()?;
                Ok(opened)
            });
            match opened.and_then(&mut start) {
                Ok(started) => {
                    if self.remembers() {
                        self.known = identity;
                    }
                    return Ok(started);
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
        Err(self.refused(refusals))
    }

    /// Whether the camera that was found is to be found again, rather than what the same name leads to then.
    fn remembers(&self) -> bool {
        match &self.wanted {
            config::Device::Path(path) => node_number(path).is_some(),
            _ => true,
        }
    }

    /// One error for those of all candidates.
    fn refused(&self, mut refusals: Vec<CaptureError>) -> CaptureError {
        if !matches!(self.wanted, config::Device::Path(_)) {
            // A metadata node beside each camera is nothing to speak of.
            refusals.retain(|refusal| !matches!(refusal, CaptureError::NotCapture { .. }));
        }
        let seen: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        match (refusals.pop(), refusals.is_empty()) {
            (Some(only), true) => only,
            (Some(_), false) => CaptureError::NotFound(seen.join("; ")),
            (None, _) => CaptureError::NotFound(format!(
                "device {:?}: no such capture device is there; `framewire devices` lists what there is",
                self.wanted.to_string()
            )),
        }
    }
}

impl Candidate {
    fn new(path: PathBuf) -> Self {
        Self {
            identity: Identity::of(&path),
            path,
        }
    }

    fn is(&self, known: &Identity) -> bool {
        self.identity.as_ref().is_some_and(|who| known.is(who))
    }

    fn is_at(&self, known: &Identity) -> bool {
        self.identity.as_ref().is_some_and(|who| known.is_at(who))
    }
}

/// What to say when `known`, found at first as `path`, is not there.
fn waiting_for(known: &Identity, path: &Path) -> String {
    let known_is_gone = format!("{}: {known} is not there", path.display());
    match (Identity::of(path), identity::card(path)) {
        (Some(other), Some(card)) => {
            format!("{known_is_gone}; this node is another camera now, {card:?} ({other})")
        }
        _ => known_is_gone,
    }
}

/// Whether there is a node that may be what `wanted` names. Only for "bus:…" devices are opened.
pub fn is_there(wanted: &config::Device) -> bool {
    nodes().iter().any(|node| fits(node, wanted))
}

fn candidates(wanted: &config::Device) -> Vec<Candidate> {
    let mut nodes = nodes();
    nodes.retain(|node| fits(node, wanted));
    nodes.into_iter().map(Candidate::new).collect()
}

/// Whether `wanted` names no camera in particular, or this one. Who looks for a USB camera opens no other: that can be
/// a slow thing.
fn fits(node: &Path, wanted: &config::Device) -> bool {
    match wanted {
        config::Device::Usb {
            vendor,
            product,
            serial,
        } => {
            let usb = Usb::behind(node);
            usb.is_some_and(|usb| usb.fits(*vendor, *product, serial.as_deref()))
        }
        config::Device::Bus(bus) => Identity::of(node).is_some_and(|who| who.bus() == Some(bus)),
        _ => true,
    }
}

/// All nodes named /dev/videoN in the order of N.
pub fn nodes() -> Vec<PathBuf> {
    let read = || -> io::Result<Vec<(u32, PathBuf)>> {
        let mut nodes = Vec::new();
        for entry in fs::read_dir("/dev")? {
            let path = entry?.path();
            nodes.extend(node_number(&path).map(|number| (number, path)));
        }
        Ok(nodes)
    };
    // A /dev that cannot be read shows no camera.
    let mut nodes = read().unwrap_or_default();
    nodes.sort();
    nodes.into_iter().map(|(_, path)| path).collect()
}

/// The N of /dev/videoN.
fn node_number(path: &Path) -> Option<u32> {
    path.to_str()?.strip_prefix("/dev/video")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_node_name_means_the_camera_that_was_found_there() {
        assert_eq!(node_number(Path::new("/dev/video0")), Some(0));
        assert_eq!(node_number(Path::new("/dev/video12")), Some(12));
        for other in [
            "/dev/v4l/by-id/video0",
            "/dev/video",
            "/dev/videox",
            "/dev/front",
        ] {
            assert_eq!(node_number(Path::new(other)), None, "{other}");
        }
    }
}
