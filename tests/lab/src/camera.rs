//! An emulated camera at a port of the virtual host controller, and the node that the driver makes of it.

use std::error::Error;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::fault::Faults;
use crate::studio::{Film, Studio, Take};
use crate::usbip::Port;
use crate::uvc::Description;

const CHANGES_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
const SYSFS: &str = "/sys/class/video4linux";

/// A camera that is plugged in; dropping it unplugs it.
pub struct Camera {
    studio: Studio,
    plug: Plug,
    pub node: String,
    /// When the node was there.
    pub ready: Instant,
}

impl Camera {
    /// `films[format][size]` follows the order of the description.
    pub fn plug(
        number: u8,
        description: Description,
        films: Vec<Vec<Film>>,
        faults: Faults,
    ) -> Result<Self, Box<dyn Error>> {
        let (port, studio) = Studio::open(description, films, faults, |control| {
            let port = Port::attach(number, move |pipe, setup, data| {
                control.request(pipe, setup, data)
            })?;
            let pipe = Arc::clone(&port.pipe);
            Ok::<_, Box<dyn Error>>((port, pipe))
        })?;
        let plug = Plug {
            number,
            port: Some(port),
        };
        let node = await_node(number)?;
        Ok(Self {
            studio,
            plug,
            node,
            ready: Instant::now(),
        })
    }

    /// Unplugs it; returns all its streams, the last one with the time at which it was pulled out of it.
    pub fn unplug(self) -> Vec<Take> {
        let Self { studio, plug, .. } = self;
        studio.close(|| drop(plug))
    }
}

/// What happens in the camera does not depend on where it is plugged in.
impl Deref for Camera {
    type Target = Studio;

    fn deref(&self) -> &Studio {
        &self.studio
    }
}

struct Plug {
    number: u8,
    port: Option<Port>,
}

impl Drop for Plug {
    fn drop(&mut self) {
        drop(self.port.take());
        // The port is free before the driver has let go of the device; plugging another one in meanwhile is unsafe.
        let deadline = Instant::now() + CHANGES_WITHIN;
        while node_at(self.number).is_some() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
    }
}

/// Waits until the driver has made the capture node of the camera at this port of the virtual host controller.
fn await_node(port: u8) -> Result<String, String> {
    let deadline = Instant::now() + CHANGES_WITHIN;
    while Instant::now() < deadline {
        if let Some(node) = node_at(port).filter(|node| Path::new(node).exists()) {
            return Ok(node);
        }
        thread::sleep(POLL);
    }
    Err(format!(
        "no video node for the camera at port {port} within {CHANGES_WITHIN:?}"
    ))
}

/// The capture node of the camera at this port, by what the driver says of itself.
fn node_at(port: u8) -> Option<String> {
    let entries = fs::read_dir(SYSFS).into_iter().flatten().flatten();
    let is_it = |entry: &fs::DirEntry| {
        let read = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
        let device = fs::canonicalize(entry.path().join("device")).unwrap_or_default();
        // Ports of a hub count from 1. Index 0 is the capture node, 1 the metadata node.
        device.to_string_lossy().contains("/vhci_hcd.0/")
            && read("device/../devpath").trim() == (port + 1).to_string()
            && read("index").trim() == "0"
    };
    let entry = entries.into_iter().find(is_it)?;
    Some(format!("/dev/{}", entry.file_name().to_string_lossy()))
}
