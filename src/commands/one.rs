//! `demo`, and `run --device`: streams one camera without a configuration, and says how to look at it.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use super::failure::Failure;
use super::players::instructions;
use super::run::stream;
use super::sdp::describable;
use crate::cli::{Door, OneCamera, Streaming};
use crate::config::{Camera, Config, Device, Http, Listen, MaxClients, Name, Rtsp};
use crate::door::{self, Bound};

/// A right configuration of one camera, whose keys have their defaults.
const DEFAULTS: &str = "[[camera]]\nname = \"demo\"\ndevice = \"demo\"\n[[camera.rtp]]\ndestination = \"127.0.0.1:5004\"\n";
/// What a camera is called that nobody has named.
const NAME: &str = "camera";

/// So many ports are tried, one after the other, when nobody has asked for a certain one.
const PORTS: u16 = 32;

/// Streams `wanted` and says how to look at it.
pub fn one(wanted: &OneCamera, streaming: Streaming, out: &mut dyn Write) -> Result<(), Failure> {
    let mut config = configuration(wanted)?;
    let bound = Bound {
        http: listen(wanted.http)?,
        rtsp: listen(wanted.rtsp)?,
    };
    // With --json stdout is for JSON only.
    let mut say = |text: &str| -> io::Result<()> {
        if streaming.json {
            return io::stderr().write_all(text.as_bytes());
        }
        out.write_all(text.as_bytes())?;
        out.flush()
    };
    for listener in &bound.http {
        let address = listener.local_addr()?;
        config.http = Some(Http {
            listen: Listen::on(address),
            names: Vec::new(),
        });
        say(&format!("Look at it in a browser: http://{address}/\n\n"))?;
    }
    for listener in &bound.rtsp {
        let address = listener.local_addr()?;
        config.rtsp = Some(Rtsp {
            listen: Listen::on(address),
            max_clients: MaxClients::default(),
        });
        for camera in &config.cameras {
            let name = camera.name();
            say(&format!("or in a player: rtsp://{address}/{name}\n\n"))?;
        }
    }
    for camera in &config.cameras {
        for output in &camera.outputs {
            say(&instructions(&what(camera), &describable(camera, output)?))?;
        }
    }
    stream(None, config, bound, streaming)
}

/// The socket of the door, if one is `wanted`.
fn listen(wanted: Door) -> io::Result<Vec<TcpListener>> {
    match wanted {
        Door::None => Ok(Vec::new()),
        Door::At(address) => Ok(vec![door::bind(address)?]),
        Door::NextFree(first) => {
            let ports = first.port()..first.port().saturating_add(PORTS);
            let mut bound = ports.map(|port| door::bind(SocketAddr::new(first.ip(), port)));
            let free = bound.find(|bound| !is_taken(bound));
            free.map_or(Ok(Vec::new()), |bound| Ok(vec![bound?]))
        }
    }
}

fn is_taken(bound: &io::Result<TcpListener>) -> bool {
    let error = bound.as_ref().err();
    error.is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// The configuration that says the same.
pub fn configuration(wanted: &OneCamera) -> Result<Config, Failure> {
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
            http: Door::None,
            rtsp: Door::None,
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
