//! The RTCP socket of a multicast output: receivers report to the group, so the sender joins it.
//! RFC 3550 6.2, ip(7) IP_ADD_MEMBERSHIP, ipv6(7) IPV6_ADD_MEMBERSHIP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use nix::net::if_::if_nametoindex;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::socket::set_route;
use crate::config;

/// A non-blocking socket on the port of `group` that receives what is sent there and sends as `config` says.
pub fn join(group: SocketAddr, config: &config::Output) -> io::Result<UdpSocket> {
    let any = match group {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = Socket::new(Domain::for_address(group), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // Other outputs and receivers on this machine may have the same port.
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::new(any, group.port()).into())?;
    // 0 = by the routes.
    let interface = match (&config.interface, group) {
        (Some(interface), _) => if_nametoindex(interface.as_str())?,
        (None, SocketAddr::V6(group)) => group.scope_id(),
        (None, SocketAddr::V4(_)) => 0,
    };
    match group.ip() {
        IpAddr::V4(group) => {
            socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(interface))?;
        }
        IpAddr::V6(group) => socket.join_multicast_v6(&group, interface)?,
    }
    let socket = UdpSocket::from(socket);
    set_route(&socket, group, config)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV6;
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    /// One output with `lines`.
    fn output(lines: &str) -> config::Output {
        let text =
            format!("[[camera]]\nname = \"x\"\n[[camera.rtp]]\ndestination = \"h:2\"\n{lines}");
        let config = Config::parse("test".as_ref(), text.as_bytes()).unwrap();
        config.cameras[0].outputs[0].clone()
    }

    #[test]
    fn the_zone_of_a_group_is_where_it_is_joined() {
        let lo = if_nametoindex("lo").unwrap();
        let group = "ff12::6672:6d77".parse().unwrap();
        let zoned = |zone| SocketAddrV6::new(group, 0, 0, zone).into();
        let members = || {
            // Index, interface, group, and more.
            let text = std::fs::read_to_string("/proc/self/net/igmp6").unwrap();
            let lines = text.lines().map(str::to_owned);
            let mut of_group = lines.filter(|line| line.contains("ff12000000000000000000006672"));
            of_group.find(|line| line.starts_with(&format!("{lo} ")))
        };
        assert_eq!(members(), None);
        let socket = join(zoned(lo), &output("")).unwrap();
        assert_ne!(members(), None);
        drop(socket);
        assert_eq!(members(), None);
        // An interface that is named counts more.
        let nowhere = output("interface = \"nowhere9\"");
        assert!(join(zoned(lo), &nowhere).is_err());
    }

    #[test]
    fn what_is_sent_to_the_group_arrives() {
        let config = &output("interface = \"lo\"");
        let group: SocketAddr = ([239, 255, 77, 1], 0).into();
        let sender = join(group, config).unwrap();
        let port = sender.local_addr().unwrap().port();
        let receiver = join(SocketAddr::new(group.ip(), port), config).unwrap();
        receiver.set_nonblocking(false).unwrap();
        receiver
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        sender.send_to(b"report", (group.ip(), port)).unwrap();
        let mut octets = [0; 16];
        assert_eq!(receiver.recv(&mut octets).unwrap(), 6);
    }
}
