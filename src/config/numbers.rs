//! The numbers of `config.toml` as types that refuse what is out of range and say what is allowed.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};

/// Octets of an IPv4 header without options and a UDP header (RFC 791, RFC 768).
const IPV4_UDP_OCTETS: usize = 20 + 8;
/// Octets of an IPv6 header and a UDP header (RFC 8200, RFC 768).
const IPV6_UDP_OCTETS: usize = 40 + 8;

/// Defines an integer with a range: `Type(inner), min..=max, default, "what it is"`.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident($inner:ty), $min:literal..=$max:literal, $default:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name($inner);

        impl $name {
            /// The plain number.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = ();

            fn try_from(value: i64) -> Result<Self, ()> {
                match <$inner>::try_from(value) {
                    Ok(value @ $min..=$max) => Ok(Self(value)),
                    _ => Err(()),
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const EXPECTED: &str =
                    concat!($what, ", an integer ", stringify!($min), "..=", stringify!($max));
                let value = deserializer.deserialize_i64($crate::config::numbers::Integer(EXPECTED))?;
                Self::try_from(value)
                    .map_err(|()| de::Error::invalid_value(Unexpected::Signed(value), &EXPECTED))
            }
        }
    };
}

pub(super) use bounded;

bounded!(
    /// Width asked of the camera, in pixels.
    Width(u32), 16..=65535, 1280, "a width in pixels"
);
bounded!(
    /// Height asked of the camera, in pixels.
    Height(u32), 16..=65535, 720, "a height in pixels"
);
bounded!(
    /// JPEG quality, where the camera has a control for it, in percent.
    Quality(u8), 1..=100, 85, "a JPEG quality in percent"
);
bounded!(
    /// V4L2 buffers of a camera.
    Buffers(u32), 3..=32, 4, "a number of buffers"
);
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
bounded!(
    /// Seconds between summary lines, 0 = none.
    SummaryInterval(u32), 0..=86400, 10, "a number of seconds (0 = no summary)"
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

/// Accepts any TOML integer; says what was expected otherwise.
pub(super) struct Integer(pub &'static str);

impl Visitor<'_> for Integer {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).or(Err(E::invalid_value(Unexpected::Unsigned(value), &self)))
    }
}

/// Frames per second in thousandths, 0 = as fast as the send path takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fps(u32);

impl Fps {
    const EXPECTED: &'static str =
        "frames per second, a number 0 or 0.1..=1000 (0 = as fast as possible, not for cameras)";

    /// Thousandths of a frame per second; `None` = unlimited.
    pub fn millihertz(self) -> Option<u32> {
        (self.0 > 0).then_some(self.0)
    }

    fn new<E: de::Error>(value: f64, seen: Unexpected) -> Result<Self, E> {
        if value == 0.0 || (0.1..=1000.0).contains(&value) {
            // In range, so the cast neither truncates nor wraps.
            Ok(Self((value * 1000.0).round() as u32))
        } else {
            Err(E::invalid_value(seen, &Self::EXPECTED))
        }
    }
}

impl Default for Fps {
    fn default() -> Self {
        Self(30_000)
    }
}

impl fmt::Display for Fps {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Fps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Fps;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(Fps::EXPECTED)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Fps, E> {
                let number = i32::try_from(value).unwrap_or(i32::MAX);
                Fps::new(f64::from(number), Unexpected::Signed(value))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Fps, E> {
                Fps::new(value, Unexpected::Float(value))
            }
        }
        deserializer.deserialize_any(Number)
    }
}
