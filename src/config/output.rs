//! `[[camera.rtp]]`: an output, one stream that leaves; where it goes and how.

use std::net::SocketAddr;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected};

use super::destination::Destination;
use super::dscp::Dscp;
use super::pacing::Pacing;
use super::value::{Text, bounded, from_text};

/// Octets of an IPv4 header without options and a UDP header (RFC 791, RFC 768).
const IPV4_UDP_OCTETS: usize = 20 + 8;
/// Octets of an IPv6 header and a UDP header (RFC 8200, RFC 768).
const IPV6_UDP_OCTETS: usize = 40 + 8;

/// Most outputs of a camera.
pub const MAX_OUTPUTS: usize = 64;

/// One `[[camera.rtp]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Output {
    /// Where packets go.
    pub destination: Destination,
    /// Largest IP packet.
    #[serde(default)]
    pub mtu: Mtu,
    /// Over how much of the frame interval a frame leaves; by destination when absent.
    pub pacing: Option<Pacing>,
    /// Reports to and from receivers.
    #[serde(default)]
    pub rtcp: Rtcp,
    /// Whether each frame brings the time of its capture (RFC 6051).
    #[serde(default)]
    pub absolute_time: bool,
    /// Class of service.
    #[serde(default)]
    pub dscp: Dscp,
    /// How far multicast packets go.
    #[serde(default)]
    pub ttl: Ttl,
    /// The network interface that packets leave by; by the routes when absent.
    pub interface: Option<Interface>,
    /// Synchronization source, random when absent.
    pub ssrc: Option<Ssrc>,
    /// Port that packets come from.
    #[serde(default)]
    pub local_port: LocalPort,
}

impl Output {
    /// A stream to one viewer, who has asked for it: packets come from `local_port`, reports from the port above, where
    /// his are expected.
    pub fn to_viewer(viewer: SocketAddr, local_port: u16) -> Self {
        Self {
            destination: viewer.into(),
            mtu: Mtu::default(),
            pacing: None,
            rtcp: Rtcp::default(),
            absolute_time: false,
            dscp: Dscp::default(),
            ttl: Ttl::default(),
            interface: None,
            ssrc: None,
            local_port: LocalPort(local_port),
        }
    }

    /// Whether both are one stream for its receivers: what differs can be changed while it runs.
    pub fn is_stream_of(&self, other: &Self) -> bool {
        let identity = |output: &Self| (output.ssrc, output.local_port);
        self.destination == other.destination && identity(self) == identity(other)
    }
}

/// Whether and where reports travel (RFC 3550 6, RFC 5761).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rtcp {
    /// To the port above the destination's, from a socket of their own.
    #[default]
    On,
    /// To the destination's port, from the socket of the stream.
    Mux,
    /// None.
    Off,
}

impl Rtcp {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "on" => Some(Self::On),
            "mux" => Some(Self::Mux),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

from_text!(Rtcp, Rtcp::parse, "\"on\", \"mux\" or \"off\"");

bounded!(
    /// Largest IP packet, in octets.
    Mtu(u16), 576..=9000, 1400, "an IP packet size in octets"
);
bounded!(
    /// Routers that a multicast packet passes at most, plus one (IPv4 time to live, IPv6 hop limit).
    Ttl(u8), 1..=255, 1, "a time to live"
);
bounded!(
    /// Synchronization source identifier (RFC 3550 3).
    Ssrc(u32), 0..=4294967295, 0, "an RTP synchronization source"
);
bounded!(
    /// A UDP port, 0 = any.
    LocalPort(u16), 0..=65535, 0, "a UDP port (0 = any free one)"
);

impl Mtu {
    /// Octets of UDP payload that fit an IP packet of this size.
    pub fn udp_payload(self, ipv6: bool) -> usize {
        usize::from(self.0)
            - if ipv6 {
                IPV6_UDP_OCTETS
            } else {
                IPV4_UDP_OCTETS
            }
    }
}

/// The name of a network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface(String);

impl Interface {
    /// Longest name in octets (IFNAMSIZ of Linux without its NUL).
    const MAX_OCTETS: usize = 15;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let plausible = |c: u8| c.is_ascii_graphic() && c != b'/' && c != b':';
        let fits = (1..=Self::MAX_OCTETS).contains(&text.len());
        (fits && text.bytes().all(plausible)).then(|| Self(text.to_owned()))
    }
}

from_text!(
    Interface,
    Interface::parse,
    "the name of a network interface, 1 to 15 characters, for example \"eth0\""
);
