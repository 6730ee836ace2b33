//! `dscp` of an output: its class of service, by number or name.
//! RFC 2474.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};

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
