//! `sdp`: the session description of the configured streams.

use std::io::{self, Write};
use std::path::Path;

use super::address::address_of;
use super::failure::Failure;
use crate::capture;
use crate::config::{Camera, Config, Output};
use crate::rtp::carry::MAX_SIZE;
use crate::sdp::{self, Stream};

/// Prints one media section for `stream`, or for the first output of every camera.
pub fn sdp(
    config: Option<&Path>,
    stream: Option<(String, Option<usize>)>,
    out: &mut dyn io::Write,
) -> Result<(), Failure> {
    let config = Config::load(config)?;
    let wanted: Vec<(&Camera, &Output)> = match stream {
        None => config
            .cameras
            .iter()
            .filter_map(|camera| Some((camera, camera.outputs.first()?)))
            .collect(),
        Some((name, output)) => vec![find(&config, &name, output.unwrap_or(1))?],
    };
    let streams: Result<Vec<Stream>, Failure> = wanted
        .into_iter()
        .map(|(camera, rtp)| describable(camera, rtp))
        .collect();
    Ok(out.write_all(sdp::describe(&streams?).as_bytes())?)
}

/// What a player needs to know about `output` of `camera`; its name is looked up.
pub fn describable<'a>(camera: &'a Camera, output: &Output) -> Result<Stream<'a>, Failure> {
    Ok(Stream {
        name: camera.name().as_str(),
        destination: address_of(output)?,
        fps: camera.fps(),
        ttl: output.ttl,
        rtcp: output.rtcp,
        absolute_time: output.absolute_time,
        size: size(camera),
    })
}

/// The size of the pictures; when it is not known and would have to be said, that is said.
fn size(camera: &Camera) -> Option<(u16, u16)> {
    let unknown = match capture::expected_size(camera) {
        Ok(size) => return Some(size),
        Err(problem) => problem,
    };
    let most = u32::from(MAX_SIZE);
    if camera.width.get() > most || camera.height.get() > most {
        // Whoever reads the description is not disturbed; nothing is lost when nobody reads this.
        let _ = writeln!(
            io::stderr(),
            "framewire: {}: {unknown}; pictures of more than {MAX_SIZE} pixels need their size in the description: \
             get it again when the camera streams",
            camera.name()
        );
    }
    None
}

fn find<'a>(
    config: &'a Config,
    name: &str,
    output: usize,
) -> Result<(&'a Camera, &'a Output), Failure> {
    let mut cameras = config.cameras.iter();
    let camera = cameras
        .find(|camera| camera.name().as_str() == name)
        .ok_or_else(|| {
            let names: Vec<&str> = config
                .cameras
                .iter()
                .map(|camera| camera.name().as_str())
                .collect();
            Failure::config(format!(
                "no camera {name:?}; there are: {}",
                names.join(", ")
            ))
        })?;
    let rtp = camera.outputs.get(output - 1).ok_or_else(|| {
        let count = camera.outputs.len();
        Failure::config(format!(
            "camera {name} has {count} outputs, no number {output}"
        ))
    })?;
    Ok((camera, rtp))
}
