//! One interface: its addresses, whether its cable was pulled, and a socket for each family.
//! RFC 6762 3 (groups), 11 (only the link counts); sysfs-class-net of the kernel's ABI.
//!
//! The sockets have the address of the group: what comes for this machine alone, perhaps from far away, is not heard, and
//! another program with the same port gets all of that.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::path::Path;
use std::task::{Context, Poll};

use nix::net::if_::if_nametoindex;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{BindToDevice, DontRoute};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockRef, Socket, Type};
use tokio::io::ReadBuf;

use crate::neighbours::{GROUP_V4, GROUP_V6, HOPS, INTERFACES, PORT};

/// A group of all networks: whoever sends to it does so from an address that is good in all of them (RFC 4291 2.7).
const GROUP_OF_ALL: Ipv6Addr = Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 0, 0xfb);

/// What an interface is like now.
#[derive(Debug, Clone)]
pub struct Face {
    /// Its name.
    pub name: String,
    /// What the link knows this machine by.
    pub addresses: Vec<IpAddr>,
    /// Its number.
    index: u32,
    /// How often its cable was plugged in and pulled.
    carrier_changes: u32,
}

impl Face {
    /// That of the interface `name`; `None` when nobody is reached by it.
    pub fn of(name: String) -> Option<Self> {
        let index = if_nametoindex(name.as_str()).ok()?;
        let folder = Path::new(INTERFACES).join(&name);
        let read = |file| fs::read_to_string(folder.join(file)).unwrap_or_default();
        if read("carrier").trim() == "0" {
            return None;
        }
        let targets = [
            SocketAddr::from((GROUP_V4, PORT)),
            SocketAddrV6::new(GROUP_OF_ALL, PORT, 0, 0).into(),
            SocketAddrV6::new(GROUP_V6, PORT, 0, index).into(),
        ];
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in targets.map(|target| source(&name, target)) {
            addresses.extend(address.filter(|address| !addresses.contains(address)));
        }
        let carrier_changes = read("carrier_changes").trim().parse().unwrap_or(0);
        (!addresses.is_empty()).then_some(Self {
            name,
            addresses,
            index,
            carrier_changes,
        })
    }

    /// Whether it is the same interface, and was not unplugged since.
    pub fn is_as_connected_as(&self, before: &Self) -> bool {
        let connection = |face: &Self| (face.name.clone(), face.index, face.carrier_changes);
        connection(self) == connection(before)
    }
}

/// From which address packets leave for `target`: the kernel is asked by a socket that sends nothing.
fn source(interface: &str, target: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match target {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    setsockopt(&socket, BindToDevice, &interface.into()).ok()?;
    socket.connect(target).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified()).then_some(address)
}

/// A socket that hears and says what one interface's neighbours do, by one family.
pub struct Port {
    socket: tokio::net::UdpSocket,
    group: SocketAddr,
}

impl Port {
    /// On an interface, by IPv4 or IPv6. Others may have the same.
    pub fn open(face: &Face, is_v4: bool) -> io::Result<Self> {
        let index = face.index;
        let (domain, group) = match is_v4 {
            true => (Domain::IPV4, SocketAddr::from((GROUP_V4, PORT))),
            false => (
                Domain::IPV6,
                SocketAddrV6::new(GROUP_V6, PORT, 0, index).into(),
            ),
        };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.set_reuse_address(true)?;
        setsockopt(&socket, BindToDevice, &face.name.as_str().into())?;
        // Nobody beyond the link gets an answer.
        setsockopt(&socket, DontRoute, &true)?;
        socket.bind(&group.into())?;
        if is_v4 {
            socket.set_ttl_v4(HOPS.into())?;
            socket.set_multicast_ttl_v4(HOPS.into())?;
            socket.join_multicast_v4_n(&GROUP_V4, &InterfaceIndexOrAddress::Index(index))?;
        } else {
            socket.set_unicast_hops_v6(HOPS.into())?;
            socket.set_multicast_hops_v6(HOPS.into())?;
            socket.join_multicast_v6(&GROUP_V6, index)?;
        }
        Ok(Self {
            socket: tokio::net::UdpSocket::from_std(socket.into())?,
            group,
        })
    }

    /// Says `octets` to all, or to one. Never waits: what the kernel does not take now is lost, as on the way.
    pub fn say(&self, octets: &[u8], to: Option<SocketAddr>) {
        let to = to.unwrap_or(self.group);
        let _ = SockRef::from(&self.socket).send_to(octets, &to.into());
    }

    /// What has come, into `octets`: its length, and from whom.
    pub fn poll_hear(
        &self,
        context: &mut Context,
        octets: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut room = ReadBuf::new(octets);
        let from = self.socket.poll_recv_from(context, &mut room);
        from.map_ok(|from| (room.filled().len(), from))
    }
}
