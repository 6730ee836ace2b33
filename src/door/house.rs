//! What all answers are made from.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::clients::Clients;
use super::feeds::Feeds;
use super::host::Names;
use super::rtsp::guests::Guests;
use super::users::{Access, Users};
use super::ways::Ways;
use crate::directory::Directory;
use crate::kept::Shelf;

/// What is behind a door.
#[derive(Debug, Clone, Default)]
pub struct Behind {
    /// The cameras.
    pub directory: Arc<Directory>,
    /// Where values of their controls are kept.
    pub shelf: Shelf,
}

/// The same, and those who have come in.
pub struct House {
    pub directory: Arc<Directory>,
    pub shelf: Shelf,
    /// Whether something is just being kept there.
    pub is_writing: Arc<AtomicBool>,
    pub feeds: Feeds,
    pub names: Names,
    pub access: Access,
    pub clients: Clients,
    pub rtsp: Guests,
}

impl House {
    /// Nobody has come in yet, by any of the `ways`. It lets `users` in.
    pub fn new(behind: Behind, ways: Ways, users: Arc<Users>) -> io::Result<Self> {
        let Behind { directory, shelf } = behind;
        Ok(Self {
            feeds: Feeds::new(directory.clone()),
            directory,
            shelf,
            is_writing: Arc::default(),
            names: Names::new(ways.http.map_or_else(Vec::new, |http| http.names)),
            access: Access::new(users, Instant::now())?,
            clients: Clients::default(),
            rtsp: Guests::new(ways.rtsp.as_ref()),
        })
    }
}
