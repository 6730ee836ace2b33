//! The texts of `config.toml` as types: names, devices, destinations, control values.

use std::fmt;
use std::path::PathBuf;

use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

/// Defines a type that is written as a string and parsed by a `fn(&str) -> Option<Self>`.
macro_rules! from_text {
    ($name:ident, $parse:expr, $expected:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = deserializer.deserialize_str(Text($expected))?;
                $parse(&text)
                    .ok_or_else(|| de::Error::invalid_value(Unexpected::Str(&text), &$expected))
            }
        }
    };
}

pub(super) use from_text;

/// Accepts any TOML string; says what was expected otherwise.
pub(super) struct Text(pub &'static str);

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

/// A camera's name: in logs, SDP and statistics.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// `text` as a name; `None` unless it is `[a-z0-9-]{1,32}`.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        ((1..=32).contains(&text.len()) && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

from_text!(
    Name,
    Name::parse,
    "a camera name of 1 to 32 characters a-z, 0-9 and -"
);

/// Which source of frames a camera is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Device {
    /// The first camera that can stream JPEG.
    #[default]
    Auto,
    /// A device node or a link to one.
    Path(PathBuf),
    /// A USB camera by vendor, product and, with several alike, serial number.
    Usb {
        /// idVendor.
        vendor: u16,
        /// idProduct.
        product: u16,
        /// iSerialNumber.
        serial: Option<String>,
    },
    /// JPEG files: a folder of them, or one file of concatenated images.
    Replay(PathBuf),
    /// The built-in test pattern.
    Demo,
}

impl Device {
    /// Whether frames come from V4L2.
    pub fn is_camera(&self) -> bool {
        !matches!(self, Self::Replay(_) | Self::Demo)
    }

    /// `text` as in `config.toml`; `None` when it is none of the forms.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "demo" => Some(Self::Demo),
            _ if text.starts_with('/') => Some(Self::Path(text.into())),
            _ => match text.split_once(':')? {
                ("replay", path) if !path.is_empty() => Some(Self::Replay(path.into())),
                ("usb", ids) => {
                    let mut parts = ids.splitn(3, ':');
                    Some(Self::Usb {
                        vendor: usb_id(parts.next()?)?,
                        product: usb_id(parts.next()?)?,
                        serial: match parts.next() {
                            Some("") => return None,
                            serial => serial.map(str::to_owned),
                        },
                    })
                }
                _ => None,
            },
        }
    }
}

fn usb_id(text: &str) -> Option<u16> {
    (text.len() == 4 && text.bytes().all(|c| c.is_ascii_hexdigit()))
        .then(|| u16::from_str_radix(text, 16).ok())
        .flatten()
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Demo => f.write_str("demo"),
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Replay(path) => write!(f, "replay:{}", path.display()),
            Self::Usb {
                vendor,
                product,
                serial,
            } => {
                write!(f, "usb:{vendor:04x}:{product:04x}")?;
                serial.iter().try_for_each(|serial| write!(f, ":{serial}"))
            }
        }
    }
}

from_text!(
    Device,
    Device::parse,
    "a device: \"auto\", \"/dev/…\", \"usb:VVVV:PPPP\" or \"usb:VVVV:PPPP:SERIAL\" (hexadecimal ids), \"replay:PATH\" or \"demo\""
);

/// Where packets go: a host, by name or address, and a UDP port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// A host name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// UDP port, not 0.
    pub port: u16,
}

impl Destination {
    /// `text` as `HOST:PORT` or `[IPV6]:PORT`; `None` when it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        // Without the sign that a number may have.
        let digits = port.bytes().all(|octet| octet.is_ascii_digit());
        let port: u16 = port.parse().ok().filter(|&port| digits && port > 0)?;
        let host = match host.strip_prefix('[') {
            Some(bracketed) => {
                let address = bracketed.strip_suffix(']')?;
                address
                    .split('%')
                    .next()?
                    .parse::<std::net::Ipv6Addr>()
                    .ok()?;
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

from_text!(
    Destination,
    Destination::parse,
    "a destination \"HOST:PORT\" or \"[IPV6]:PORT\", port 1..=65535"
);

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Only what makes a camera fail.
    Error,
    /// And what is wrong but streams.
    Warn,
    /// And what was chosen, and summaries.
    #[default]
    Info,
    /// And what helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// A value for a V4L2 control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlValue {
    /// The number itself, for menus the index.
    Integer(i64),
    /// On or off.
    Boolean(bool),
    /// A menu entry by its name.
    Item(String),
}

impl fmt::Display for ControlValue {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Boolean(value) => value.fmt(f),
            Self::Item(name) => write!(f, "{name:?}"),
        }
    }
}

impl<'de> Deserialize<'de> for ControlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = ControlValue;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "a control value: an integer, true or false, or the name of a menu entry",
                )
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<ControlValue, E> {
                Ok(ControlValue::Boolean(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<ControlValue, E> {
                Ok(ControlValue::Integer(value))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<ControlValue, E> {
                Ok(ControlValue::Item(value.to_owned()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
