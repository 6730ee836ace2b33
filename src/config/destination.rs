//! `destination` of an output: where its packets go, and why they could never get there.
//! RFC 3986 3.2.2 (addresses in brackets), RFC 6874 (zones), RFC 4291 2.7 (scopes of multicast groups).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected};

use super::value::{Text, from_text};

/// Where packets go: a host, by name or address, and a UDP port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// A host name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// UDP port, not 0.
    pub port: u16,
}

impl From<SocketAddr> for Destination {
    /// An IPv6 address that is valid on one interface only keeps its zone.
    fn from(address: SocketAddr) -> Self {
        let host = match address {
            SocketAddr::V6(address) if address.scope_id() > 0 => {
                format!("{}%{}", address.ip(), address.scope_id())
            }
            _ => address.ip().to_string(),
        };
        Self {
            host,
            port: address.port(),
        }
    }
}

impl Destination {
    /// The address that the host is, without its zone; `None` for a name. IPv4 inside of IPv6 is IPv4.
    pub fn address(&self) -> Option<IpAddr> {
        let (address, _) = self.split_zone();
        address.parse().ok().map(|ip: IpAddr| ip.to_canonical())
    }

    /// The interface of an IPv6 address that is valid there only, by name or number (`eth0` of `fe80::1%eth0`).
    pub fn zone(&self) -> Option<&str> {
        self.split_zone().1
    }

    fn split_zone(&self) -> (&str, Option<&str>) {
        match self.host.split_once('%') {
            Some((address, zone)) => (address, Some(zone).filter(|zone| !zone.is_empty())),
            None => (&self.host, None),
        }
    }

    /// Why no packet can go there by `interface`, whatever the network is like, and what to write instead.
    pub fn dead_end(&self, interface: Option<&str>) -> Option<String> {
        let host = &self.host;
        let Some(ip) = self.address() else {
            return looks_like_ipv4(host).then(|| {
                format!(
                    "{host:?} is no IPv4 address: write four numbers 0 to 255 without leading zeros"
                )
            });
        };
        if ip.is_unspecified() {
            return Some(format!(
                "{host} is an address to listen on: write that of the machine that receives"
            ));
        }
        if ip == Ipv4Addr::BROADCAST {
            return Some(format!(
                "{host} is the broadcast address, to which nothing is sent: write the address of one machine, \
                 or of a multicast group such as 239.1.2.3"
            ));
        }
        match (needs_zone(ip), self.zone(), interface) {
            (true, None, None) => Some(format!(
                "{host} is valid on one network interface only: write \"[{host}%eth0]:{}\", or set interface",
                self.port
            )),
            (_, Some(zone), Some(interface)) if zone != interface && !is_number(zone) => Some(
                format!("the zone {zone:?} is not the interface {interface:?}"),
            ),
            _ => None,
        }
    }

    /// `text` as `HOST:PORT` or `[IPV6]:PORT`; `None` when it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        // Without the sign that a number may have.
        let digits = port.bytes().all(|octet| octet.is_ascii_digit());
        let port: u16 = port.parse().ok().filter(|&port| digits && port > 0)?;
        let host = match host.strip_prefix('[') {
            Some(bracketed) => {
                let address = bracketed.strip_suffix(']')?;
                address.split('%').next()?.parse::<Ipv6Addr>().ok()?;
                address
            }
            None => host,
        };
        let plausible = |c: char| c.is_ascii_alphanumeric() || ".-_:%".contains(c);
        let bare_ipv6 = !text.starts_with('[') && host.contains(':');
        (!host.is_empty() && host.chars().all(plausible) && !bare_ipv6).then(|| Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What inet_aton(3) takes for an address, and for another than it seems: `192.168.1` is 192.168.0.1, and a leading 0
/// makes a number octal. No name ends in a number (RFC 3696 2).
fn looks_like_ipv4(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hexadecimal {
        Some(digits) => digits.bytes().all(|octet| octet.is_ascii_hexdigit()),
        None => is_number(last),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

/// Whether the same address means another host on each interface.
fn needs_zone(ip: IpAddr) -> bool {
    /// Scopes of groups that end at the interface and at the link.
    const NEAR: [u16; 2] = [1, 2];
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) if ip.is_multicast() => {
            let [first, ..] = ip.segments();
            NEAR.contains(&(first & 0xF))
        }
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

from_text!(
    Destination,
    Destination::parse,
    "a destination \"HOST:PORT\" or \"[IPV6]:PORT\", port 1..=65535"
);
