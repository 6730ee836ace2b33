//! Opens a camera's node: who it is, and whether it delivers JPEG.
//! V4L2 user-space API: VIDIOC_QUERYCAP, VIDIOC_ENUM_FMT, VIDIOC_TRY_FMT.

use std::path::{Path, PathBuf};

use v4l::format::FourCC;
use v4l::v4l_sys::{
    V4L2_CAP_DEVICE_CAPS, V4L2_CAP_STREAMING, V4L2_CAP_VIDEO_CAPTURE, v4l2_capability,
    v4l2_pix_format,
};

use super::ioctl;
use crate::capture::error::CaptureError;
use crate::quote::clean;

/// The formats that are JPEG images buffer by buffer, best first.
pub const JPEG_FORMATS: [&[u8; 4]; 2] = [b"MJPG", b"JPEG"];

/// The drivers that number only what they deliver (VIDIOC_QUERYCAP's `driver`): what they lose leaves no gap. That of
/// the Raspberry Pi's firmware camera has had both names.
const COUNT_ONLY_WHAT_THEY_DELIVER: [&str; 2] = ["bcm2835 mmal", "bm2835 mmal"];

/// More formats than any driver has.
const MOST_FORMATS: u32 = 256;

/// An open node that captures video.
pub struct Opened {
    /// The device.
    pub device: v4l::Device,
    /// Its node.
    pub path: PathBuf,
    /// The card's name.
    pub card: String,
    /// The driver's name.
    pub driver: String,
    /// Where it is plugged in.
    pub bus: String,
    /// What it delivers.
    pub formats: Vec<FourCC>,
}

impl Opened {
    /// Opens `path`, which must be a node that captures and streams.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let failed = |error| CaptureError::Open {
            path: path.to_owned(),
            error,
        };
        let device = v4l::Device::with_path(path).map_err(failed)?;
        let capability =
            ioctl::query_capability(&device.handle()).map_err(|errno| failed(errno.into()))?;
        let card = text(&capability.card);
        let needed = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        if capabilities(&capability) & needed != needed {
            return Err(CaptureError::NotCapture {
                path: path.to_owned(),
                card,
            });
        }
        let formats = (0..MOST_FORMATS)
            .map_while(|index| ioctl::pixel_format(&device.handle(), index))
            .map(FourCC::from)
            .collect();
        Ok(Self {
            device,
            path: path.to_owned(),
            card,
            driver: text(&capability.driver),
            bus: text(&capability.bus_info),
            formats,
        })
    }

    /// The best format that is JPEG.
    pub fn jpeg_format(&self) -> Result<FourCC, CaptureError> {
        JPEG_FORMATS
            .into_iter()
            .map(FourCC::new)
            .find(|format| self.formats.contains(format))
            .ok_or_else(|| CaptureError::RawOnly {
                path: self.path.clone(),
                card: self.card.clone(),
                formats: self.format_names(),
            })
    }

    /// The size that the driver has chosen, or would choose, when it is asked for this one.
    pub fn size(&self, width: u32, height: u32) -> Result<(u32, u32), CaptureError> {
        let (handle, fourcc) = (self.device.handle(), self.jpeg_format()?);
        let set = ioctl::format(&handle);
        // What is set already need not be asked of the camera, which may stream.
        let is_asked_for = |set: &v4l2_pix_format| {
            (set.width, set.height, set.pixelformat.into()) == (width, height, fourcc)
        };
        let format = match set {
            Ok(set) if is_asked_for(&set) => set,
            _ => ioctl::try_format(&handle, width, height, fourcc.into()).map_err(|errno| {
                CaptureError::Device {
                    path: self.path.clone(),
                    operation: "VIDIOC_TRY_FMT",
                    errno,
                }
            })?,
        };
        Ok((format.width, format.height))
    }

    fn format_names(&self) -> String {
        let names: Vec<String> = self.formats.iter().copied().map(fourcc_name).collect();
        if names.is_empty() {
            "no format at all".to_owned()
        } else {
            names.join(", ")
        }
    }
}

/// What the driver of a node calls itself, and where it says that the device is; `None` when it cannot be asked.
pub fn driver_and_bus(path: &Path) -> Option<(String, String)> {
    let device = v4l::Device::with_path(path).ok()?;
    let capability = ioctl::query_capability(&device.handle()).ok()?;
    Some((text(&capability.driver), text(&capability.bus_info)))
}

/// Whether pictures that a driver loses show in its sequence numbers, as far as we know.
pub fn numbers_what_it_loses(driver: &str) -> bool {
    !COUNT_ONLY_WHAT_THEY_DELIVER.contains(&driver)
}

/// The capabilities of the node itself, not of the whole device where the driver tells them apart.
fn capabilities(capability: &v4l2_capability) -> u32 {
    if capability.capabilities & V4L2_CAP_DEVICE_CAPS == 0 {
        capability.capabilities
    } else {
        capability.device_caps
    }
}

/// A C string in a fixed array, which may be a camera's own words; one cut inside a character keeps what can be read.
pub fn text(octets: &[u8]) -> String {
    let end = octets.iter().position(|&c| c == 0).unwrap_or(octets.len());
    clean(&String::from_utf8_lossy(
        octets.get(..end).unwrap_or_default(),
    ))
}

/// A four-character code as v4l2-ctl writes it: printable, and with `-BE` for the mark of a big-endian format, which
/// is the highest bit (`v4l2_fourcc_be` of videodev2.h).
pub fn fourcc_name(code: FourCC) -> String {
    const BIG_ENDIAN: u8 = 0x80;
    let printable = |octet: u8| match octet & !BIG_ENDIAN {
        octet @ b' '..=b'~' => char::from(octet),
        _ => '?',
    };
    let mut name: String = code.repr.into_iter().map(printable).collect();
    let [_, _, _, last] = code.repr;
    if last & BIG_ENDIAN != 0 {
        name.push_str("-BE");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_at_nul_survive_a_cut_character_and_are_harmless() {
        assert_eq!(text(b"Cam\0garbage"), "Cam");
        assert_eq!(text(b"K\xC3\xA4"), "Kä");
        assert_eq!(text(b"K\xC3"), "K\u{FFFD}");
        assert_eq!(text(b"K\x1b[H\n\xE2\x80\xAE\0"), "K�[H��");
    }

    #[test]
    fn the_firmware_camera_of_a_raspberry_pi_numbers_no_losses() {
        assert!(numbers_what_it_loses("uvcvideo"));
        assert!(!numbers_what_it_loses("bcm2835 mmal"));
        assert!(!numbers_what_it_loses("bm2835 mmal"));
    }

    #[test]
    fn codes_are_printable() {
        for (code, name) in [
            (b"MJPG", "MJPG"),
            (b"Y16\xA0", "Y16 -BE"),
            (b"\x1b[2J", "?[2J"),
            (b"\0\0\0\0", "????"),
        ] {
            assert_eq!(fourcc_name(FourCC::new(code)), name);
        }
    }
}
