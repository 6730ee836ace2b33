//! `demo`, and `run --device`: streams one camera without a configuration, and says how to look at it.

use std::io::{self, Write};
use std::path::Path;

use super::failure::Failure;
use super::players::instructions;
use super::run::stream;
use super::sdp::describable;
use crate::cli::{OneCamera, Streaming};
use crate::config::{Camera, Config, Device, Name};

/// A right configuration of one camera, whose keys have their defaults.
const DEFAULTS: &str = "[[camera]]\nname = \"demo\"\ndevice = \"demo\"\n[[camera.rtp]]\ndestination = \"127.0.0.1:5004\"\n";
/// What a camera is called that nobody has named.
const NAME: &str = "camera";

/// Streams `wanted` and says how to look at it.
pub fn one(wanted: &OneCamera, streaming: Streaming, out: &mut dyn Write) -> Result<(), Failure> {
    let config = configuration(wanted)?;
    for camera in &config.cameras {
        for output in &camera.outputs {
            let text = instructions(&what(camera), &describable(camera, output)?);
            // With --json stdout is for JSON only.
            if streaming.json {
                io::stderr().write_all(text.as_bytes())?;
            } else {
                out.write_all(text.as_bytes())?;
                out.flush()?;
            }
        }
    }
    stream(None, config, streaming)
}

fn configuration(wanted: &OneCamera) -> Result<Config, Failure> {
    let mut config = Config::parse(Path::new("defaults"), DEFAULTS.as_bytes())?;
    for camera in &mut config.cameras {
        if wanted.device != Device::Demo
            && let Some(name) = Name::parse(NAME)
        {
            camera.name = name;
        }
        camera.device = wanted.device.clone();
        (camera.width, camera.height) = wanted.size.unwrap_or((camera.width, camera.height));
        camera.fps = wanted.fps.unwrap_or(camera.fps);
        for output in &mut camera.outputs {
            output.destination = wanted.to.clone();
        }
    }
    Ok(config)
}

/// The pictures in words.
fn what(camera: &Camera) -> String {
    let rate = match camera.fps.millihertz() {
        Some(_) => format!("at {} fps", camera.fps),
        None => "as fast as they can be sent".to_owned(),
    };
    let size = format!("{}x{}", camera.width.get(), camera.height.get());
    match &camera.device {
        Device::Demo => format!("a test pattern, {size} {rate},"),
        replay @ Device::Replay(_) => format!("{replay}, {rate},"),
        camera => format!("{camera}, asked for {size} {rate},"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Destination;

    fn wanted(device: &str) -> OneCamera {
        OneCamera {
            device: Device::parse(device).unwrap(),
            to: Destination::parse("h:2").unwrap(),
            size: None,
            fps: None,
        }
    }

    #[test]
    fn what_is_not_asked_for_is_the_default() {
        let config = configuration(&wanted("demo")).unwrap();
        let expected = DEFAULTS.replace("127.0.0.1:5004", "h:2");
        let expected = Config::parse(Path::new("test"), expected.as_bytes()).unwrap();
        assert_eq!(config, expected);
        assert_eq!(
            what(&config.cameras[0]),
            "a test pattern, 1280x720 at 30 fps,"
        );
    }

    #[test]
    fn what_is_asked_for_counts() {
        let lines = "[[camera]]\nname = \"camera\"\ndevice = \"/dev/video0\"\nwidth = 640\nheight = 480\nfps = 7.5\n\
                     [[camera.rtp]]\ndestination = \"h:2\"\n";
        let expected = Config::parse(Path::new("test"), lines.as_bytes()).unwrap();
        let camera = &expected.cameras[0];
        let config = configuration(&OneCamera {
            size: Some((camera.width, camera.height)),
            fps: Some(camera.fps),
            ..wanted("/dev/video0")
        });
        assert_eq!(config.unwrap(), expected);
        assert_eq!(what(camera), "/dev/video0, asked for 640x480 at 7.5 fps,");
    }
}
