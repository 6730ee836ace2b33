//! Who has come by the door for players.

use std::rc::Rc;

use super::sessions::Sessions;
use crate::config::Rtsp;
use crate::door::clients::Clients;

/// Who is behind this door.
#[derive(Debug)]
pub struct Guests {
    /// The first port that it listens on; `None` when there is no such door.
    pub port: Option<u16>,
    /// All who are connected.
    pub connections: Clients,
    /// Those who have set up a stream.
    pub sessions: Rc<Sessions>,
}

impl Guests {
    /// Nobody yet, of a door as it is configured.
    pub fn new(config: Option<&Rtsp>) -> Self {
        let most = config.map_or(0, |config| config.max_clients.get());
        let addresses = config.map(|config| config.listen.addresses());
        Self {
            port: addresses.and_then(|all| Some(all.first()?.port())),
            connections: Clients::default(),
            sessions: Sessions::new(most.into()),
        }
    }
}
