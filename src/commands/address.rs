//! Looks a destination up, for those who print it.

use std::io;
use std::net::SocketAddr;

use super::failure::Failure;
use crate::config::Destination;
use crate::transmit;

/// The address that frames for `destination` go to first.
pub fn resolve(destination: &Destination) -> Result<SocketAddr, Failure> {
    let addresses = transmit::resolve(destination);
    addresses
        .and_then(|addresses| {
            addresses
                .into_iter()
                .next()
                .ok_or(io::ErrorKind::NotFound.into())
        })
        .map_err(|error| Failure::other(format!("{destination}: {error}")))
}
