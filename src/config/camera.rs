//! `[[camera]]` and `[camera.controls]`: where pictures come from, and what is asked of the camera.

use std::fmt;
use std::path::PathBuf;

use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

use super::controls::Controls;
use super::output::Output;
use super::value::{Text, bounded, from_text};
use crate::quote::clean;

/// One `[[camera]]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Camera {
    /// Unique name.
    pub name: Name,
    /// Where frames come from.
    #[serde(default)]
    pub device: Device,
    /// Width asked of the camera.
    #[serde(default)]
    pub width: Width,
    /// Height asked of the camera.
    #[serde(default)]
    pub height: Height,
    /// Frame rate asked of the camera, or of replay and demo.
    #[serde(default)]
    pub fps: Fps,
    /// JPEG quality, left as it is when absent.
    pub quality: Option<Quality>,
    /// V4L2 buffers.
    #[serde(default)]
    pub buffers: Buffers,
    /// Pictures without EOI are whole, and get one.
    #[serde(default)]
    pub allow_missing_eoi: bool,
    /// Whose scans are looked through for damage.
    #[serde(default)]
    pub verify: Verify,
    /// It is open only while somebody watches; by whether it has outputs when absent.
    pub on_demand: Option<bool>,
    /// What becomes of restart markers.
    #[serde(default)]
    pub restart_markers: RestartMarkers,
    /// V4L2 controls.
    #[serde(default)]
    pub controls: Controls,
    /// The streams that leave.
    #[serde(rename = "rtp", default)]
    pub outputs: Vec<Output>,
}

impl Camera {
    /// The camera's name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Whether both film the same in the same way, wherever it goes and whenever.
    pub fn films_as(&self, other: &Self) -> bool {
        let with_what_may_differ = Self {
            outputs: other.outputs.clone(),
            on_demand: other.on_demand,
            ..self.clone()
        };
        with_what_may_differ == *other
    }

    /// Whether it is open only while somebody watches.
    pub fn is_on_demand(&self) -> bool {
        self.on_demand.unwrap_or(self.outputs.is_empty())
    }

    /// The frame rate.
    pub fn fps(&self) -> Fps {
        self.fps
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
    /// A camera that is not on USB, by where its driver says that it is.
    Bus(String),
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
            // No path has one, and `v4l` would panic on it.
            _ if text.contains('\0') => None,
            _ if text.starts_with('/') => Some(Self::Path(text.into())),
            _ => match text.split_once(':')? {
                ("replay", path) if !path.is_empty() => Some(Self::Replay(path.into())),
                // As the driver's own words are when they are read.
                ("bus", bus) if !bus.is_empty() => Some(Self::Bus(clean(bus))),
                ("usb", ids) => {
                    let mut parts = ids.splitn(3, ':');
                    Some(Self::Usb {
                        vendor: usb_id(parts.next()?)?,
                        product: usb_id(parts.next()?)?,
                        serial: match parts.next() {
                            Some("") => return None,
                            // As the camera's own is when it is read.
                            serial => serial.map(clean),
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
            Self::Bus(bus) => write!(f, "bus:{bus}"),
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
    "a device: \"auto\", \"/dev/…\", \"usb:VVVV:PPPP\" or \"usb:VVVV:PPPP:SERIAL\" (hexadecimal ids), \"bus:BUS\", \"replay:PATH\" or \"demo\""
);

/// Which pictures are looked through, code by code, whether they are whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// Those that there is a reason to suspect.
    #[default]
    Auto,
    /// All.
    Always,
    /// None.
    Off,
}

impl Verify {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "always" => Some(Self::Always),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

from_text!(Verify, Verify::parse, "\"auto\", \"always\" or \"off\"");

/// Whether restart markers leave: some receivers cannot read RTP/JPEG types 64 and 65 (RFC 2435 3.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestartMarkers {
    /// As the camera writes them.
    #[default]
    Keep,
    /// Pictures that have them are re-coded without.
    Remove,
}

impl RestartMarkers {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "keep" => Some(Self::Keep),
            "remove" => Some(Self::Remove),
            _ => None,
        }
    }
}

from_text!(
    RestartMarkers,
    RestartMarkers::parse,
    "\"keep\" or \"remove\""
);

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

    /// `text` as a rate; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().and_then(Self::of)
    }

    fn of(value: f64) -> Option<Self> {
        if value == 0.0 || (0.1..=1000.0).contains(&value) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0..=1,000,000 after rounding"
            )]
            let millihertz = (value * 1000.0).round() as u32;
            Some(Self(millihertz))
        } else {
            None
        }
    }

    fn new<E: de::Error>(value: f64, seen: Unexpected) -> Result<Self, E> {
        Self::of(value).ok_or_else(|| E::invalid_value(seen, &Self::EXPECTED))
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
