//! Whether packets still come from the address that the routes of now would choose.
//! A connected socket keeps its source address for good, also when another interface has taken over the way.
//! ip(7), RFC 6724 (source address selection).

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::socket;
use crate::config;

/// Octets of an IPv6 address that name its network (RFC 4291 2.5.1).
const NETWORK_OCTETS: usize = 8;

/// Whether a new socket to `destination` would send from another interface than one that sends from `source`.
/// The kernel is asked by a socket that sends nothing: some microseconds, and no rights that a stream has not.
pub fn has_left(source: IpAddr, destination: SocketAddr, config: &config::Output) -> bool {
    // Without any route there is nothing better: sending will fail by itself.
    source_now(destination, config).is_ok_and(|now| !is_same_network(source, now))
}

fn source_now(destination: SocketAddr, config: &config::Output) -> io::Result<IpAddr> {
    let socket = socket::bind(destination, 0, config)?;
    socket.connect(destination)?;
    Ok(socket.local_addr()?.ip())
}

/// The same address; or, by IPv6, one of the same network: an interface has several of those, and may take a new
/// temporary one every day (RFC 8981) while the old goes on.
fn is_same_network(one: IpAddr, other: IpAddr) -> bool {
    let network = |address: Ipv6Addr| address.octets().first_chunk::<NETWORK_OCTETS>().copied();
    match (one, other) {
        (IpAddr::V6(one), IpAddr::V6(other)) => network(one) == network(other),
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_addresses_are_of_one_network() {
        let same =
            |one: &str, other: &str| is_same_network(one.parse().unwrap(), other.parse().unwrap());
        assert!(same("192.0.2.1", "192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(same("2001:db8:0:1::1", "2001:db8:0:1:aaaa::2"));
        assert!(!same("2001:db8:0:1::1", "2001:db8:0:2::1"));
        assert!(!same("192.0.2.1", "::ffff:192.0.2.1"));
    }
}
