//! `config.toml` as types: read, checked, and refused with file, line, column and what is allowed.
//! TOML 1.0; the shipped `config.toml` is the reference for users.

mod network;
mod numbers;
mod rtp;
mod texts;

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;

use crate::excerpt;

pub use network::{Address, Country, Hostname, Network, Passphrase, Ssid, System, Vlan, Wifi};
pub use numbers::{
    Buffers, Fps, Height, LocalPort, Mtu, Quality, Ssrc, SummaryInterval, Ttl, Width,
};
pub use rtp::{Dscp, Interface, MAX_OUTPUTS, Pacing, Rtcp, Rtp};
pub use texts::{ControlValue, Destination, Device, Level, Name};

/// Where the configuration is looked for when no `--config` says so, first match wins.
pub const DEFAULT_PATHS: [&str; 2] = ["config.toml", "/etc/framewire/config.toml"];

/// Most octets of a configuration: far more than any that a person writes.
const MAX_OCTETS: u64 = 1 << 20;

/// What some editors put before UTF-8 text.
const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// The whole file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// The cameras, at least one.
    #[serde(rename = "camera", default)]
    pub cameras: Vec<Camera>,
    /// What is logged.
    #[serde(default)]
    pub log: Log,
    /// How an appliance is called.
    #[serde(default)]
    pub system: System,
    /// How an appliance gets its address.
    #[serde(default)]
    pub network: Network,
}

/// One `[[camera]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Camera {
    /// Unique name.
    pub name: Spanned<Name>,
    /// Where frames come from.
    #[serde(default)]
    pub device: Device,
    /// Width asked of the camera.
    #[serde(default)]
    pub width: Width,
    /// Height asked of the camera.
    #[serde(default)]
    pub height: Height,
    /// Frame rate asked of the camera, or of replay and demo.
    #[serde(default = "default_fps")]
    pub fps: Spanned<Fps>,
    /// JPEG quality, left as it is when absent.
    pub quality: Option<Quality>,
    /// V4L2 buffers.
    #[serde(default)]
    pub buffers: Buffers,
    /// V4L2 controls.
    #[serde(default)]
    pub controls: Controls,
    /// The streams that leave, at least one.
    #[serde(rename = "rtp", default)]
    pub outputs: Vec<Rtp>,
}

/// `[camera.controls]`: names and values in the order of the file, in which they are applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Controls(pub Vec<(String, ControlValue)>);

/// `[log]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Log {
    /// How much.
    pub level: Level,
    /// How often a summary line per camera.
    pub summary_interval: SummaryInterval,
}

fn default_fps() -> Spanned<Fps> {
    Spanned::new(0..0, Fps::default())
}

impl Config {
    /// Reads and checks `path`, or the first of [`DEFAULT_PATHS`] that exists.
    pub fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        Ok(Self::read(&Self::locate(path)?)?.1)
    }

    /// `path`, or the first of [`DEFAULT_PATHS`] that exists.
    pub fn locate(path: Option<&Path>) -> Result<PathBuf, ConfigError> {
        let default = || {
            let mut paths = DEFAULT_PATHS.iter().map(PathBuf::from);
            paths
                .find(|path| path.exists())
                .ok_or(ConfigError::NotFound)
        };
        path.map_or_else(default, |path| Ok(path.to_owned()))
    }

    /// Reads and checks the file `path`, of at most 1 MiB; returns its octets too.
    pub fn read(path: &Path) -> Result<(Vec<u8>, Self), ConfigError> {
        let failed = |error| ConfigError::Read {
            path: path.to_owned(),
            error,
        };
        // A pipe would be waited for, a device may do something when it is opened.
        if !fs::metadata(path).map_err(failed)?.is_file() {
            return Err(ConfigError::NotAFile(path.to_owned()));
        }
        let mut octets = Vec::new();
        let mut file = File::open(path).map_err(failed)?.take(MAX_OCTETS + 1);
        file.read_to_end(&mut octets).map_err(failed)?;
        if file.limit() == 0 {
            return Err(ConfigError::TooLong(path.to_owned()));
        }
        let config = Self::parse(path, &octets)?;
        Ok((octets, config))
    }

    /// Parses and checks `octets`, which came from `path`.
    pub fn parse(path: &Path, octets: &[u8]) -> Result<Self, ConfigError> {
        let invalid =
            |span: Option<Range<usize>>, message: String, text: &str| ConfigError::Invalid {
                path: path.to_owned(),
                place: Place::of(text, span.map_or(0, |span| span.start)),
                message: excerpt::of_message(&message),
            };
        let text = std::str::from_utf8(octets).map_err(|error| {
            let (valid, _) = octets.split_at(error.valid_up_to());
            let before = String::from_utf8_lossy(valid);
            invalid(
                Some(valid.len()..valid.len()),
                "not UTF-8 text: have the editor save it as UTF-8".to_owned(),
                &before,
            )
        })?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        // What a power cut or UTF-16 leaves; TOML has none, and would complain of something else.
        if let Some(nul) = text.find('\0') {
            let message = "a NUL character: not text, or not saved as UTF-8".to_owned();
            return Err(invalid(Some(nul..nul), message, text));
        }
        let config: Self = toml::from_str(text).map_err(|error| {
            let mut message = error.message().trim_end().replace('\n', ", ");
            let place = Place::of(text, error.span().map_or(0, |span| span.start));
            if let Some(hint) = place.typography().or_else(|| place.single_brackets()) {
                message = format!("{hint} ({message})");
            }
            invalid(error.span(), message, text)
        })?;
        config
            .check()
            .map_err(|(span, message)| invalid(Some(span), message, text))?;
        Ok(config)
    }

    /// What no single value can tell.
    fn check(&self) -> Result<(), (Range<usize>, String)> {
        if self.cameras.is_empty() {
            return Err((
                0..0,
                "no camera: at least one [[camera]] is needed".to_owned(),
            ));
        }
        for (index, camera) in self.cameras.iter().enumerate() {
            let name = camera.name.as_ref();
            let earlier = self.cameras.iter().take(index);
            if earlier.into_iter().any(|other| other.name.as_ref() == name) {
                let message = format!(
                    "camera name {name:?} is taken: each needs its own",
                    name = name.as_str()
                );
                return Err((camera.name.span(), message));
            }
            if camera.outputs.is_empty() {
                let message =
                    format!("camera {name} has no [[camera.rtp]]: at least one is needed");
                return Err((camera.name.span(), message));
            }
            if camera.outputs.len() > MAX_OUTPUTS {
                let message = format!(
                    "camera {name} has {} [[camera.rtp]]: at most {MAX_OUTPUTS}",
                    camera.outputs.len()
                );
                return Err((camera.name.span(), message));
            }
            if camera.device.is_camera() && camera.fps.as_ref().millihertz().is_none() {
                let message =
                    "fps 0 (as fast as possible) is for replay and demo, a camera needs a rate"
                        .to_owned();
                return Err((camera.fps.span(), message));
            }
        }
        self.network.check()
    }
}

impl Camera {
    /// The camera's name.
    pub fn name(&self) -> &Name {
        self.name.as_ref()
    }

    /// The frame rate.
    pub fn fps(&self) -> Fps {
        *self.fps.as_ref()
    }
}

impl<'de> Deserialize<'de> for Controls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = Controls;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a table of control names and values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Controls, A::Error> {
                let mut controls = Vec::new();
                while let Some(control) = map.next_entry()? {
                    controls.push(control);
                }
                Ok(Controls(controls))
            }
        }
        deserializer.deserialize_map(Table)
    }
}

/// A place in a text file, both from 1; columns count characters. `text` is what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    line: usize,
    column: usize,
    text: String,
}

impl Place {
    /// What a word processor may have made of the line, which TOML does not take for what it looks like.
    fn typography(&self) -> Option<String> {
        let odd =
            |c: &char| "\u{201C}\u{201D}\u{201E}\u{2018}\u{2019}\u{AB}\u{BB}\u{A0}".contains(*c);
        match self.text.chars().find(odd)? {
            '\u{A0}' => Some("a no-break space, where TOML wants a plain one".to_owned()),
            quote => Some(format!(
                "a typographic quote {quote}, where TOML wants a straight one"
            )),
        }
    }

    /// A block of which there can be several, headed as if there could be one only.
    fn single_brackets(&self) -> Option<String> {
        ["[camera]", "[camera.rtp]"]
            .into_iter()
            .find(|header| self.text.trim_start().starts_with(header))
            .map(|header| format!("write [{header}], in double brackets: there can be several"))
    }

    fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(line_start..).unwrap_or_default().lines().next();
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        Self {
            line: before.matches('\n').count() + 1,
            column: column + 1,
            text: excerpt::of_line(line.unwrap_or_default(), column),
        }
    }
}

/// Why there is no configuration. All lead to exit code 78.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// None of the default files exists.
    #[error(
        "no configuration: neither {} nor {} exists, and no --config FILE was given",
        DEFAULT_PATHS[0], DEFAULT_PATHS[1]
    )]
    NotFound,
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        error: std::io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("{}: not a file, but a directory, a pipe or a device", .0.display())]
    NotAFile(PathBuf),
    /// Something else than a configuration.
    #[error("{}: larger than any configuration, at most {MAX_OCTETS} octets are read", .0.display())]
    TooLong(PathBuf),
    /// The file says something wrong.
    #[error(
        "{}:{}:{}: {message}\n  {} | {}",
        path.display(), place.line, place.column, place.line, place.text
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where.
        place: Place,
        /// What, and what is allowed.
        message: String,
    },
}

#[cfg(test)]
mod tests;
