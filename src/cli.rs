//! The command line: arguments to a [`Command`].

mod help;
mod unknown;
mod values;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::config::{Destination, Device, Fps, Height, Width};
use crate::quote;
use unknown::{unexpected, unknown_command};
use values::{DEVICES, destination, device, fps, frames, listen, seconds, size, stream};

pub use help::{COMMANDS, HELP, OPTIONS};
pub use values::default_destination;

/// Where the page of `demo` is.
const DEFAULT_HTTP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Where players find its camera.
const DEFAULT_RTSP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8554);

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Stream the configured cameras.
    Run {
        /// `--config`.
        config: Option<PathBuf>,
        /// How and how long.
        streaming: Streaming,
    },
    /// Stream one camera, or the test pattern, without a configuration.
    One {
        /// Which, and where to.
        camera: OneCamera,
        /// How and how long.
        streaming: Streaming,
    },
    /// Check the configuration.
    Check {
        /// `--config`.
        config: Option<PathBuf>,
    },
    /// List capture devices.
    Devices {
        /// `--json`.
        json: bool,
    },
    /// Look at the pictures of one camera.
    Doctor(Doctor),
    /// Print the session description.
    Sdp {
        /// `--config`.
        config: Option<PathBuf>,
        /// A camera's name, and one of its outputs counted from 1.
        stream: Option<(String, Option<usize>)>,
    },
    /// Put the configuration of a flashed image into force.
    Prepare {
        /// `--config`.
        config: PathBuf,
        /// `--state`.
        state: Option<PathBuf>,
        /// `--root`.
        root: PathBuf,
    },
    /// Print the configuration of a user.
    Password {
        /// Their name.
        user: String,
    },
    /// Print the help.
    Help,
    /// Print the version.
    Version,
}

/// What is said of a camera without a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneCamera {
    /// `--device`.
    pub device: Device,
    /// `--to`.
    pub to: Destination,
    /// `--size`.
    pub size: Option<(Width, Height)>,
    /// `--fps`.
    pub fps: Option<Fps>,
    /// `--http`, `--no-http`.
    pub http: Door,
    /// `--rtsp`, `--no-rtsp`.
    pub rtsp: Door,
}

/// Where a door is opened, for browsers or for players.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Nowhere.
    None,
    /// At this address.
    At(SocketAddr),
    /// At this address, or at the next port that is free.
    NextFree(SocketAddr),
}

/// What is said of a camera whose pictures are to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doctor {
    /// Which, or the only one.
    pub device: Option<Device>,
    /// `--size`.
    pub size: Option<(Width, Height)>,
    /// `--fps`.
    pub fps: Option<Fps>,
    /// `--frames`: how many pictures.
    pub frames: Option<u64>,
    /// `--json`.
    pub json: bool,
    /// `--save`: the file that some of them are kept in.
    pub save: Option<PathBuf>,
}

/// Options of the commands that stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streaming {
    /// `--frames`: end after so many frames per camera that were taken for sending.
    pub frames: Option<u64>,
    /// `--timeout`: end after so long.
    pub timeout: Option<Duration>,
    /// `--interval`: from summary to summary.
    pub interval: Option<Duration>,
    /// `--json`: the summaries as JSON.
    pub json: bool,
}

/// All options, before it is known which the command takes.
#[derive(Default)]
struct Options {
    command: Option<String>,
    operand: Option<OsString>,
    config: Option<PathBuf>,
    device: Option<Device>,
    to: Option<Destination>,
    size: Option<(Width, Height)>,
    fps: Option<Fps>,
    http: Option<SocketAddr>,
    no_http: bool,
    rtsp: Option<SocketAddr>,
    no_rtsp: bool,
    state: Option<PathBuf>,
    root: Option<PathBuf>,
    frames: Option<u64>,
    timeout: Option<Duration>,
    interval: Option<Duration>,
    save: Option<PathBuf>,
    json: bool,
}

impl Command {
    /// Reads `arguments`, without the program's name; an error is one line that says what is wrong.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        Self::read(arguments).map_err(|problem| quote::message(&problem))
    }

    fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut options = Options::default();
        let text = |error: lexopt::Error| error.to_string();
        while let Some(argument) = parser.next().map_err(text)? {
            match argument {
                Short('h') | Long("help") => return Ok(Self::Help),
                Short('V') | Long("version") => return Ok(Self::Version),
                Long("config") => options.config = Some(parser.value().map_err(text)?.into()),
                Long("device") => options.device = Some(device(&mut parser).map_err(text)?),
                Long("size") => options.size = Some(size(&mut parser).map_err(text)?),
                Long("fps") => options.fps = Some(fps(&mut parser).map_err(text)?),
                Long("http") => options.http = Some(listen(&mut parser).map_err(text)?),
                Long("no-http") => options.no_http = true,
                Long("rtsp") => options.rtsp = Some(listen(&mut parser).map_err(text)?),
                Long("no-rtsp") => options.no_rtsp = true,
                Long("to") => options.to = Some(destination(&mut parser).map_err(text)?),
                Long("frames") => options.frames = Some(frames(&mut parser).map_err(text)?),
                Long("timeout") => options.timeout = Some(seconds(&mut parser).map_err(text)?),
                Long("interval") => options.interval = Some(seconds(&mut parser).map_err(text)?),
                Long("save") => options.save = Some(parser.value().map_err(text)?.into()),
                Long("state") => options.state = Some(parser.value().map_err(text)?.into()),
                Long("root") => options.root = Some(parser.value().map_err(text)?.into()),
                Long("json") => options.json = true,
                Value(word) => options.word(word)?,
                other => return Err(unexpected(other, &OPTIONS)),
            }
        }
        options.into_command()
    }
}

impl Options {
    /// The first word is the command, the next its operand.
    fn word(&mut self, word: OsString) -> Result<(), String> {
        if self.command.is_none() {
            self.command = Some(string(word)?);
        } else if self.operand.is_none() {
            self.operand = Some(word);
        } else {
            return Err(format!("unexpected argument {word:?}"));
        }
        Ok(())
    }

    fn into_command(mut self) -> Result<Command, String> {
        let name = self.command.take().unwrap_or_else(|| "run".to_owned());
        let streaming = Streaming {
            frames: self.frames,
            timeout: self.timeout,
            interval: self.interval,
            json: self.json,
        };
        let options_of_streaming = &["--frames", "--timeout", "--interval", "--json"];
        let (command, allowed): (_, &[&str]) = match name.as_str() {
            "run" => match self.device.take() {
                Some(device) => (self.one(device, streaming)?, options_of_streaming),
                None => (self.run(streaming)?, options_of_streaming),
            },
            "demo" => (self.demo(streaming)?, options_of_streaming),
            "check" => {
                let config = self.file()?;
                (Command::Check { config }, &[])
            }
            "help" => {
                // Of a command too: there is one for all.
                self.operand = None;
                (Command::Help, &[])
            }
            "doctor" => (Command::Doctor(self.doctor()?), &["--frames", "--json"]),
            "devices" => (Command::Devices { json: self.json }, &["--json"]),
            "sdp" => {
                let config = self.config.take();
                let operand = self.operand.take().map(string).transpose()?;
                let stream = operand.map(stream).transpose()?;
                (Command::Sdp { config, stream }, &[])
            }
            "prepare" => {
                let config = self.config.take().ok_or("prepare needs --config FILE")?;
                let root = self.root.take().unwrap_or_else(|| "/".into());
                let state = self.state.take();
                (
                    Command::Prepare {
                        config,
                        state,
                        root,
                    },
                    &[],
                )
            }
            "password" => (self.password()?, &[]),
            _ => return Err(unknown_command(&name, &COMMANDS)),
        };
        match self.left_over(allowed) {
            Some(option) => Err(format!("{name} does not take {option}")),
            None => Ok(command),
        }
    }

    /// Streams what a configuration says.
    fn run(&mut self, streaming: Streaming) -> Result<Command, String> {
        if self.to.is_some() || self.size.is_some() || self.fps.is_some() {
            return Err("run takes --to, --size and --fps only together with --device".to_owned());
        }
        let config = self.file()?;
        Ok(Command::Run { config, streaming })
    }

    /// Streams `device` without a configuration.
    fn one(&mut self, device: Device, streaming: Streaming) -> Result<Command, String> {
        if self.config.is_some() || self.operand.is_some() {
            return Err("run takes a configuration or --device, not both".to_owned());
        }
        let fps = self.rate_of(&device)?;
        let camera = OneCamera {
            device,
            to: self.to.take().unwrap_or_else(default_destination),
            size: self.size.take(),
            fps,
            http: self.http.take().map_or(Door::None, Door::At),
            rtsp: self.rtsp.take().map_or(Door::None, Door::At),
        };
        Ok(Command::One { camera, streaming })
    }

    /// Streams the test pattern.
    fn demo(&mut self, streaming: Streaming) -> Result<Command, String> {
        let camera = OneCamera {
            device: Device::Demo,
            to: self.to.take().unwrap_or_else(default_destination),
            size: None,
            fps: None,
            http: door(
                self.http.take(),
                std::mem::take(&mut self.no_http),
                DEFAULT_HTTP,
            )
            .ok_or("--http or --no-http, not both")?,
            rtsp: door(
                self.rtsp.take(),
                std::mem::take(&mut self.no_rtsp),
                DEFAULT_RTSP,
            )
            .ok_or("--rtsp or --no-rtsp, not both")?,
        };
        Ok(Command::One { camera, streaming })
    }

    /// Looks at the pictures of one camera.
    fn doctor(&mut self) -> Result<Doctor, String> {
        let device = match self.operand.take().map(string).transpose()? {
            Some(text) => Some(Device::parse(&text).ok_or(format!("doctor takes {DEVICES}"))?),
            None => None,
        };
        // The only camera that is there is none of those without a rate.
        let fps = self.rate_of(device.as_ref().unwrap_or(&Device::Auto))?;
        Ok(Doctor {
            device,
            size: self.size.take(),
            fps,
            frames: self.frames,
            json: self.json,
            save: self.save.take(),
        })
    }

    /// The rate that is asked of `device`.
    fn rate_of(&mut self, device: &Device) -> Result<Option<Fps>, String> {
        let fps = self.fps.take();
        if device.is_camera() && fps.is_some_and(|fps| fps.millihertz().is_none()) {
            return Err("--fps 0 is for replay and demo, a camera needs a rate".to_owned());
        }
        Ok(fps)
    }

    /// The only operand is a name.
    fn password(&mut self) -> Result<Command, String> {
        let user = self.operand.take().map(string).transpose()?;
        let user = user.ok_or("password needs a USER, and asks for the password by itself")?;
        Ok(Command::Password { user })
    }

    /// The configuration, as people type it: with `--config` or without.
    fn file(&mut self) -> Result<Option<PathBuf>, String> {
        match (self.config.take(), self.operand.take()) {
            (Some(_), Some(operand)) => Err(format!(
                "--config names a file already, not {operand:?} too"
            )),
            (config, operand) => Ok(config.or_else(|| operand.map(PathBuf::from))),
        }
    }

    /// Something given that the command has not used: what it takes it has taken out, flags are in `allowed`.
    fn left_over(&self, allowed: &[&str]) -> Option<String> {
        let given = [
            (self.config.is_some(), "--config"),
            (self.device.is_some(), "--device"),
            (self.to.is_some(), "--to"),
            (self.size.is_some(), "--size"),
            (self.fps.is_some(), "--fps"),
            (self.http.is_some(), "--http"),
            (self.no_http, "--no-http"),
            (self.rtsp.is_some(), "--rtsp"),
            (self.no_rtsp, "--no-rtsp"),
            (self.state.is_some(), "--state"),
            (self.root.is_some(), "--root"),
            (self.frames.is_some(), "--frames"),
            (self.timeout.is_some(), "--timeout"),
            (self.interval.is_some(), "--interval"),
            (self.save.is_some(), "--save"),
            (self.json, "--json"),
        ];
        let mut given = given.into_iter();
        let option = given.find(|(given, option)| *given && !allowed.contains(option));
        option
            .map(|(_, option)| option.to_owned())
            .or_else(|| Some(format!("the argument {:?}", self.operand.as_ref()?)))
    }
}

/// Where the demo opens a door: at a `wanted` address, nowhere, or at the first that is free from `first` on; `None` when
/// two of these are asked for.
fn door(wanted: Option<SocketAddr>, is_unwanted: bool, first: SocketAddr) -> Option<Door> {
    match (wanted, is_unwanted) {
        (Some(_), true) => None,
        (None, true) => Some(Door::None),
        (Some(address), false) => Some(Door::At(address)),
        (None, false) => Some(Door::NextFree(first)),
    }
}

fn string(word: OsString) -> Result<String, String> {
    word.into_string()
        .map_err(|word| format!("the argument {word:?} is no text"))
}

#[cfg(test)]
mod tests;
