//! What all answers are made from.

use std::sync::Arc;

use super::clients::Clients;
use super::feeds::Feeds;
use super::host::Names;
use super::users::Access;
use crate::directory::Directory;

/// What is behind the door.
pub struct House {
    pub directory: Arc<Directory>,
    pub feeds: Feeds,
    pub names: Names,
    pub access: Access,
    pub clients: Clients,
}
