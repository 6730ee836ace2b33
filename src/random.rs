//! Random numbers of the system, for what nobody may guess or have in common.

use std::io;

/// Octets from the system's random numbers.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(io::Error::other)?;
    Ok(octets)
}
