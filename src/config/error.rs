//! Why there is no configuration, and where in the file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::quote;

/// Where the configuration is looked for when no `--config` says so, first match wins.
pub const DEFAULT_PATHS: [&str; 2] = ["config.toml", "/etc/framewire/config.toml"];

/// Most octets of a configuration: far more than any that a person writes.
pub const MAX_OCTETS: u64 = 1 << 20;

/// Keys of a user and of a wireless network whose values are shown to nobody, and one that people may try.
const SECRETS: [&str; 4] = ["md5", "sha256", "password", "passphrase"];

/// A place in a text file, both from 1; columns count characters. `text` is what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    line: usize,
    column: usize,
    text: String,
}

impl Place {
    /// The line without secrets, shortened around the place when it is long.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place at octet `offset` of `text`.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(line_start..).unwrap_or_default().lines().next();
        let column = before.get(line_start..).unwrap_or_default().chars().count();
        Self {
            line: before.matches('\n').count() + 1,
            column: column + 1,
            text: quote::line(&without_secrets(line.unwrap_or_default()), column),
        }
    }
}

/// `line` up to the first value that is a secret.
fn without_secrets(line: &str) -> Cow<'_, str> {
    let ends = SECRETS.iter().filter_map(|key| {
        let key = line.find(key)?;
        Some(key + line.get(key..)?.find('=')? + 1)
    });
    match ends.min().and_then(|end| line.get(..end)) {
        Some(shown) => format!("{shown} …").into(),
        None => line.into(),
    }
}

/// Why there is no configuration.
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
        "{}:{}:{}: {message}{}\n  {} | {}",
        path.display(), place.line, place.column, the_other(path, other.as_deref()), place.line, place.text
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where.
        place: Place,
        /// What, and what is allowed.
        message: String,
        /// The earlier of two lines that do not go together.
        other: Option<Box<Place>>,
    },
}

impl ConfigError {
    /// Whether the file was read and what it says is wrong: it stays so until somebody edits it. A file that is
    /// missing or cannot be read may be there at the next try.
    pub const fn is_wrong(&self) -> bool {
        match self {
            Self::TooLong(_) | Self::Invalid { .. } => true,
            Self::NotFound | Self::Read { .. } | Self::NotAFile(_) => false,
        }
    }
}

fn the_other(path: &Path, place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| {
        format!(
            "; the other is {}:{}:{}",
            path.display(),
            place.line,
            place.column
        )
    })
}
