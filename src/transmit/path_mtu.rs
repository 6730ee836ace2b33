//! The largest packet that the path to a destination takes, as far as the kernel has learnt it.
//! RFC 1191, RFC 8201; ip(7) IP_MTU_DISCOVER and IP_MTU, ipv6(7).

use std::io;
use std::net::{SocketAddr, UdpSocket};

use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, ip_mtu, ipv6_mtu, set_ip_mtu_discover,
    set_ipv6_mtu_discover,
};

/// Has `socket`, which sends to `destination`, never send in fragments: one that is lost costs the whole packet. What is
/// too large is refused (EMSGSIZE), and the kernel learns the path's MTU from the routers that say so.
pub fn discover(socket: &UdpSocket, destination: SocketAddr) -> io::Result<()> {
    match destination {
        SocketAddr::V4(_) => set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DO)?,
        SocketAddr::V6(_) => set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::DO)?,
    }
    Ok(())
}

/// The most octets of an IP packet from the connected `socket` to `destination`; `None` without a route.
pub fn of(socket: &UdpSocket, destination: SocketAddr) -> Option<usize> {
    let octets = match destination {
        SocketAddr::V4(_) => ip_mtu(socket),
        SocketAddr::V6(_) => ipv6_mtu(socket),
    };
    octets.ok().and_then(|octets| usize::try_from(octets).ok())
}
