//! The emulated camera outside of the machine: plugged in and pulled out as by hand, behind a real USB controller.

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::model;
use crate::studio::{Film, Studio};
use crate::usbredir::Plug;

pub struct Camera {
    studio: Studio,
    plug: Plug,
}

impl Camera {
    /// With a film for each of the sizes it has.
    pub fn plug(socket: &Path, films: &[Film]) -> io::Result<Self> {
        let device = model::description();
        let (plug, studio) = Studio::open(device.clone(), vec![films.into()], &[], |control| {
            let plug = Plug::insert(socket, &device, move |pipe, setup, data| {
                control.request(pipe, setup, data)
            })?;
            let pipe = Arc::clone(&plug.pipe);
            Ok::<_, io::Error>((plug, pipe))
        })?;
        Ok(Self { studio, plug })
    }

    /// How many frames all its streams had.
    pub fn unplug(self) -> usize {
        let Self { studio, plug } = self;
        let takes = studio.close(|| drop(plug));
        takes.iter().map(|take| take.frames.len()).sum()
    }
}
