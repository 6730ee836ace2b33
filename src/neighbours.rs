//! Multicast DNS, as those who ask and those who answer have it in common: its groups, its port, and the interfaces that
//! lead to neighbours.
//! RFC 6762 3 (groups and port), 11 (hops), 17 (sizes).

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use nix::net::if_::InterfaceFlags;

/// Where neighbours are asked and answered.
pub const PORT: u16 = 5353;
/// By IPv4.
pub const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
/// By IPv6.
pub const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0xfb);
/// Of all packets, so that receivers see that they come from their link.
pub const HOPS: u8 = 255;
/// Most octets of a message.
pub const MAX_MESSAGE_OCTETS: usize = 9000;
/// More interfaces are not looked at.
const MAX_INTERFACES: usize = 32;
/// Every interface of the network, a folder each.
pub const INTERFACES: &str = "/sys/class/net";

/// An interface, by its name.
#[derive(Debug)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Between two ends there are no neighbours: a tunnel, usually.
    pub is_point_to_point: bool,
}

/// Those that are up and know multicast. Asked of the file system: a service may have no netlink.
pub fn interfaces() -> io::Result<Vec<Interface>> {
    let folders = fs::read_dir(INTERFACES)?.filter_map(Result::ok);
    let interfaces = folders.filter_map(|folder| {
        let flags = flags(&folder.path());
        flags
            .contains(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_MULTICAST)
            .then_some(Interface {
                name: folder.file_name().into_string().ok()?,
                is_point_to_point: flags.contains(InterfaceFlags::IFF_POINTOPOINT),
            })
    });
    Ok(interfaces.take(MAX_INTERFACES).collect())
}

fn flags(folder: &Path) -> InterfaceFlags {
    let text = fs::read_to_string(folder.join("flags")).unwrap_or_default();
    let digits = text.trim().trim_start_matches("0x");
    InterfaceFlags::from_bits_truncate(i32::from_str_radix(digits, 16).unwrap_or(0))
}
