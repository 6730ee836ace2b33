//! `sdp`: the session description of the configured streams.

use std::io;
use std::path::Path;

use super::address::address_of;
use super::failure::Failure;
use crate::config::{Camera, Config, Output};
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
    })
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
