//! `[network]`: how an appliance gets its address.
//! Read by `framewire prepare` on flashed images; `framewire run` checks them and leaves them alone.

use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected};

use super::value::{Text, bounded, checked_text, from_text, secret};

bounded!(
    /// VLAN identifier (IEEE 802.1Q).
    Vlan(u16), 1..=4094, 1, "a VLAN identifier"
);

/// `[network]`; all of it absent = DHCP on Ethernet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Network {
    /// A static address; DHCP when absent.
    pub address: Option<Address>,
    /// The way out of the subnet, with a static address.
    pub gateway: Option<IpAddr>,
    /// Name servers; with DHCP in addition to those it brings.
    pub dns: Vec<IpAddr>,
    /// Tag for all traffic on Ethernet.
    pub vlan: Option<Vlan>,
    /// A wireless network, which then has the address above; Ethernet has DHCP.
    pub wifi: Option<Wifi>,
}

/// `[network.wifi]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Wifi {
    /// Name of the network.
    pub ssid: Ssid,
    /// WPA2 or WPA3 passphrase; an open network when absent.
    pub passphrase: Option<Passphrase>,
    /// Whose radio rules hold.
    pub country: Country,
}

checked_text!(
    /// The name of a wireless network (IEEE 802.11).
    Ssid,
    |text| (1..=32).contains(&text.len()),
    "a network name of 1 to 32 octets"
);
/// A WPA passphrase (IEEE 802.11i). It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(String);

impl Passphrase {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("…")
    }
}

impl<'de> Deserialize<'de> for Passphrase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fits = |text: &str| {
            let is_printable = |c| (b' '..=b'~').contains(&c);
            (8..=63).contains(&text.len()) && text.bytes().all(is_printable)
        };
        let expected = "a passphrase of 8 to 63 ASCII characters";
        secret(deserializer, expected, fits).map(Self)
    }
}

checked_text!(
    /// A country (ISO 3166-1 alpha-2).
    Country,
    |text| text.len() == 2 && text.bytes().all(|c| c.is_ascii_uppercase()),
    "a country of two capital letters, for example \"DE\""
);

/// An address with the length of its subnet's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    ip: IpAddr,
    prefix: u8,
}

impl Address {
    /// Without its prefix.
    pub fn ip(self) -> IpAddr {
        self.ip
    }

    fn parse(text: &str) -> Option<Self> {
        let (ip, prefix) = text.split_once('/')?;
        let ip: IpAddr = ip.parse().ok()?;
        let longest = if ip.is_ipv4() { 32 } else { 128 };
        let prefix = prefix
            .parse()
            .ok()
            .filter(|prefix| (1..=longest).contains(prefix))?;
        Some(Self { ip, prefix })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

from_text!(
    Address,
    Address::parse,
    "an address with its prefix length, for example \"192.168.1.30/24\""
);
