//! Chooses the configuration that counts: the user's when it is right, else the last that was, else the image's own.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::config::{Config, ConfigError};
use crate::files;

/// Name of the file beside the user's that says what is wrong with it.
pub const ERROR_FILE: &str = "framewire-error.txt";
/// Name of the last good configuration in the state folder.
const LAST_GOOD: &str = "config.toml";
/// The configuration that is part of the image, below the root folder.
const BUILT_IN: &str = "etc/framewire/config.toml";

/// A configuration that is in force.
#[derive(Debug)]
pub struct Choice {
    /// Its octets as they lie in the file.
    pub octets: Vec<u8>,
    /// What they say.
    pub config: Config,
    /// What is wrong with the user's file, when it is not that which is in force.
    pub complaint: Option<String>,
}

/// Where the candidates lie.
#[derive(Debug)]
pub struct Places {
    /// The user's file.
    pub user: PathBuf,
    /// The folder that keeps the last good one, if there is such a place.
    pub state: Option<PathBuf>,
    /// The root folder of the image.
    pub root: PathBuf,
}

impl Places {
    /// The first of the user's, the last good and the built-in configuration that is right.
    ///
    /// The error is that of the user's file: all of them are wrong.
    pub fn choose(&self) -> Result<Choice, ConfigError> {
        let error = match Config::read(&self.user) {
            Ok((octets, config)) => {
                return Ok(Choice {
                    octets,
                    config,
                    complaint: None,
                });
            }
            Err(error) => error,
        };
        let last_good = self.state.as_ref().map(|state| state.join(LAST_GOOD));
        let fallbacks = [
            (last_good, "the last good configuration"),
            (
                Some(self.root.join(BUILT_IN)),
                "the image's own configuration",
            ),
        ];
        for (path, what) in fallbacks {
            if let Some(Ok((octets, config))) = path.as_deref().map(Config::read) {
                let complaint = format!("{error}\n\nUntil this is corrected, {what} is used.\n");
                return Ok(Choice {
                    octets,
                    config,
                    complaint: Some(complaint),
                });
            }
        }
        Err(error)
    }

    /// Keeps a right configuration for the day when it is not; written only when it has changed.
    pub fn keep(&self, octets: &[u8]) -> io::Result<()> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let path = state.join(LAST_GOOD);
        if files::holds(&path, octets) {
            return Ok(());
        }
        // It may hold the passphrase of a network.
        files::replace(&path, octets, true)
    }

    /// Writes `complaint` beside the user's file, or removes what an earlier start wrote there, whole or cut short;
    /// only when that changes anything.
    pub fn complain(&self, complaint: Option<&str>) -> io::Result<()> {
        let folder = files::folder_of(&self.user);
        let path = folder.join(ERROR_FILE);
        // For Windows' editor, which may be all that the reader has.
        let wanted = complaint.map(|text| text.replace('\n', "\r\n").into_bytes());
        let said = match &wanted {
            Some(octets) => files::holds(&path, octets),
            None => fs::symlink_metadata(&path).is_err(),
        };
        let unfinished = files::unfinished(&path);
        if said && fs::symlink_metadata(&unfinished).is_err() {
            return Ok(());
        }
        files::with_writable(folder, || {
            files::remove(&unfinished)?;
            match &wanted {
                Some(octets) => files::replace(&path, octets, false),
                None => files::remove(&path),
            }
        })
    }
}
