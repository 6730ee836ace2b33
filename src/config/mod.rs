//! `config.toml` as types: read, checked, and refused with file, line, column and what is allowed.
//! TOML 1.0; the shipped `config.toml` is the reference for users.

mod camera;
mod conflicts;
mod controls;
mod destination;
mod discovery;
mod dscp;
mod error;
mod hints;
mod http;
mod log;
mod network;
mod output;
mod pacing;
mod rtsp;
mod system;
mod user;
mod value;

use std::fs::{self, File};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::quote;
use error::MAX_OCTETS;

pub use camera::{
    Buffers, Camera, Device, Fps, Height, Name, Quality, RestartMarkers, Verify, Width,
};
pub use controls::{ControlValue, Controls};
pub use destination::Destination;
pub use discovery::Discovery;
pub use dscp::Dscp;
pub use error::{ConfigError, DEFAULT_PATHS, Place};

pub use http::{Http, Listen, address};
pub use log::{Level, Log, SummaryInterval};
pub use network::{Address, Country, Network, Passphrase, Ssid, Vlan, Wifi};
pub use output::{Interface, LocalPort, MAX_OUTPUTS, Mtu, Output, Rtcp, Ssrc, Ttl};
pub use pacing::Pacing;
pub use rtsp::{MaxClients, Rtsp};
pub use system::{Hostname, System};
pub use user::{MAX_USERS, Md5Hash, REALM, Sha256Hash, User, UserName, hexadecimal};

/// What some editors put before UTF-8 text.
const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// The whole file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// The cameras, at least one.
    #[serde(rename = "camera", default)]
    pub cameras: Vec<Camera>,
    /// The door for people; without it no socket listens.
    pub http: Option<Http>,
    /// The door for players and recorders; without it no socket listens.
    pub rtsp: Option<Rtsp>,
    /// Who may come in; without any the door is open.
    #[serde(rename = "user", default)]
    pub users: Vec<User>,
    /// Who hears of it.
    #[serde(default)]
    pub discovery: Discovery,
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

    /// The `[camera.controls]` of the only camera in `text`, which need not be a whole configuration.
    pub fn controls(text: &str) -> Result<Controls, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let place = Place::of(text, error.span().map_or(0, |span| span.start));
            let message = error.message().trim_end().replace('\n', ", ");
            quote::message(&format!("{message}, in: {}", place.text()))
        })?;
        match <[Camera; 1]>::try_from(config.cameras) {
            Ok([camera]) => Ok(camera.controls),
            Err(_) => Err("not one [[camera]]".to_owned()),
        }
    }

    /// Parses and checks `octets`, which came from `path`.
    pub fn parse(path: &Path, octets: &[u8]) -> Result<Self, ConfigError> {
        let invalid =
            |span: Option<Range<usize>>, message: String, text: &str| ConfigError::Invalid {
                path: path.to_owned(),
                place: Place::of(text, span.map_or(0, |span| span.start)),
                message: quote::message(&message),
                other: None,
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
            if let Some(hint) = hints::hint(place.text(), &message) {
                message = format!("{hint} ({message})");
            }
            invalid(error.span(), message, text)
        })?;
        conflicts::check(text).map_err(|conflict| ConfigError::Invalid {
            path: path.to_owned(),
            place: Place::of(text, conflict.at.start),
            message: quote::message(&conflict.message),
            other: conflict
                .other
                .map(|other| Box::new(Place::of(text, other.start))),
        })?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests;
