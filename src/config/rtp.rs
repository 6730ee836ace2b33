//! `[[camera.rtp]]`: one stream that leaves, where it goes and how.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};

use super::numbers::{LocalPort, Mtu, Ssrc, Ttl};
use super::texts::{Destination, Text, from_text};

/// Most outputs of a camera.
pub const MAX_OUTPUTS: usize = 64;

/// One `[[camera.rtp]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rtp {
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

/// Whether and where reports travel (RFC 3550 6, RFC 5761).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rtcp {
    /// To the port above the destination's, from a socket of their own.
    #[default]
    On,
    /// To the destination's port, from the socket of the stream.
    Mux,
    /// None.
    Off,
}

/// Share of the frame interval over which the packets of a frame leave, 0 = in one burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pacing(f32);

impl Pacing {
    const EXPECTED: &'static str = "a share of the frame interval, a number 0..=1 (0 = one burst)";
    /// Everything at once.
    pub const BURST: Self = Self(0.0);
    /// Leaves a quarter of the interval for what comes late.
    pub const SPREAD: Self = Self(0.75);

    /// The share, 0.0..=1.0.
    pub fn share(self) -> f32 {
        self.0
    }

    fn new<E: de::Error>(value: f64, seen: Unexpected) -> Result<Self, E> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value as f32))
        } else {
            Err(E::invalid_value(seen, &Self::EXPECTED))
        }
    }
}

impl<'de> Deserialize<'de> for Pacing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Pacing;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(Pacing::EXPECTED)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Pacing, E> {
                let number = i32::try_from(value).unwrap_or(i32::MAX);
                Pacing::new(f64::from(number), Unexpected::Signed(value))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Pacing, E> {
                Pacing::new(value, Unexpected::Float(value))
            }
        }
        deserializer.deserialize_any(Number)
    }
}

/// Differentiated services code point, 0..=63 (RFC 2474).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dscp(u8);

/// Code points by name: class selectors (RFC 2474), assured (RFC 2597) and expedited forwarding (RFC 3246),
/// voice admit (RFC 5865), lower effort (RFC 8622).
const DSCP_NAMES: [(&str, u8); 23] = [
    ("CS0", 0),
    ("CS1", 8),
    ("CS2", 16),
    ("CS3", 24),
    ("CS4", 32),
    ("CS5", 40),
    ("CS6", 48),
    ("CS7", 56),
    ("AF11", 10),
    ("AF12", 12),
    ("AF13", 14),
    ("AF21", 18),
    ("AF22", 20),
    ("AF23", 22),
    ("AF31", 26),
    ("AF32", 28),
    ("AF33", 30),
    ("AF41", 34),
    ("AF42", 36),
    ("AF43", 38),
    ("EF", 46),
    ("VA", 44),
    ("LE", 1),
];

impl Dscp {
    const EXPECTED: &'static str =
        "a DSCP, an integer 0..=63 or a name such as \"EF\", \"AF41\" or \"CS5\"";

    /// The octet of the IP header that holds it, ECN bits 0 (RFC 2474 3).
    pub fn traffic_class(self) -> u8 {
        self.0 << 2
    }
}

impl<'de> Deserialize<'de> for Dscp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Dscp;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(Dscp::EXPECTED)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Dscp, E> {
                match u8::try_from(value) {
                    Ok(value @ 0..=63) => Ok(Dscp(value)),
                    _ => Err(E::invalid_value(Unexpected::Signed(value), &Dscp::EXPECTED)),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Dscp, E> {
                let named = DSCP_NAMES
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(text));
                named
                    .map(|(_, value)| Dscp(*value))
                    .ok_or_else(|| E::invalid_value(Unexpected::Str(text), &Dscp::EXPECTED))
            }
        }
        deserializer.deserialize_any(Any)
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
