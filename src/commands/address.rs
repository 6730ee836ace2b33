//! Looks a destination up, for those who print it.

use std::net::SocketAddr;

use super::failure::Failure;
use crate::config::Output;
use crate::transmit::first_address;

/// The address that frames for `output` go to first.
pub fn address_of(output: &Output) -> Result<SocketAddr, Failure> {
    first_address(output)
        .map_err(|error| Failure::other(format!("{}: {error}", output.destination)))
}
