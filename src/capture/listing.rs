//! Lists capture devices: what each delivers, what can be set, and by which names it can be called.
//! V4L2 user-space API: VIDIOC_ENUM_FRAMESIZES, VIDIOC_ENUM_FRAMEINTERVALS; sysfs; /dev/v4l.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use v4l::format::FourCC;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture;

use super::error::CaptureError;
use super::find::{Usb, nodes};
use super::v4l2::controls;
use super::v4l2::open::{JPEG_FORMATS, Opened, fourcc_name};
use crate::panel::Control;

/// A capture device as `framewire devices` shows it.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// The node.
    pub node: PathBuf,
    /// The card's name.
    pub card: String,
    /// The driver's name.
    pub driver: String,
    /// Where it is plugged in.
    pub bus: String,
    /// The name for `device = "usb:…"`.
    pub usb: Option<String>,
    /// Names that follow the camera.
    pub by_id: Vec<PathBuf>,
    /// Names that follow the socket.
    pub by_path: Vec<PathBuf>,
    /// Whether framewire can stream from it.
    pub streamable: bool,
    /// What it delivers.
    pub formats: Vec<Format>,
    /// What can be set.
    pub controls: Vec<Control>,
}

/// A pixel format.
#[derive(Debug, Serialize)]
pub struct Format {
    /// Four-character code.
    pub fourcc: String,
    /// Whether its buffers are JPEG images.
    pub streamable: bool,
    /// Sizes and their rates.
    pub sizes: Vec<Size>,
}

/// A size, or the smallest and largest of a range.
#[derive(Debug, Serialize)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The largest width and height, and how far apart widths and heights are, when every size from `width`x`height`
    /// up to it can be had.
    pub up_to: Option<(u32, u32)>,
    /// See `up_to`.
    pub step: Option<(u32, u32)>,
    /// What is known of its rates; of a range of sizes those of the largest.
    #[serde(flatten)]
    pub rates: Rates,
}

/// Frames per second, rounded to thousandths.
#[derive(Debug, Default, Serialize)]
pub struct Rates {
    /// One by one.
    pub rates: Vec<f64>,
    /// The smallest and the largest, when those between can be had too.
    pub rate_range: Option<(f64, f64)>,
}

/// Every capture device; those that cannot be opened come as errors.
pub fn list() -> Vec<Result<Listing, CaptureError>> {
    nodes()
        .iter()
        .map(|path| Opened::open(path).map(|opened| listing(&opened)))
        .filter(|result| !matches!(result, Err(CaptureError::NotCapture { .. })))
        .collect()
}

fn listing(opened: &Opened) -> Listing {
    Listing {
        node: opened.path.clone(),
        card: opened.card.clone(),
        driver: opened.driver.clone(),
        bus: opened.bus.clone(),
        usb: Usb::behind(&opened.path).map(|usb| usb.to_string()),
        by_id: links_to(&opened.path, "/dev/v4l/by-id"),
        by_path: links_to(&opened.path, "/dev/v4l/by-path"),
        streamable: opened.jpeg_format().is_ok(),
        formats: opened
            .formats
            .iter()
            .map(|&fourcc| Format {
                fourcc: fourcc_name(fourcc),
                streamable: JPEG_FORMATS.map(FourCC::new).contains(&fourcc),
                sizes: sizes(&opened.device, fourcc),
            })
            .collect(),
        controls: controls::list(&opened.device),
    }
}

/// The sizes of a format; none where the driver does not tell.
fn sizes(device: &v4l::Device, fourcc: FourCC) -> Vec<Size> {
    let sizes = device.enum_framesizes(fourcc).unwrap_or_default();
    sizes
        .into_iter()
        .map(|size| match size.size {
            FrameSizeEnum::Discrete(size) => Size {
                width: size.width,
                height: size.height,
                up_to: None,
                step: None,
                rates: rates(device, fourcc, size.width, size.height),
            },
            FrameSizeEnum::Stepwise(range) => Size {
                width: range.min_width,
                height: range.min_height,
                up_to: Some((range.max_width, range.max_height)),
                step: Some((range.step_width, range.step_height)),
                rates: rates(device, fourcc, range.max_width, range.max_height),
            },
        })
        .collect()
}

/// The rates of a size.
fn rates(device: &v4l::Device, fourcc: FourCC, width: u32, height: u32) -> Rates {
    let intervals = device
        .enum_frameintervals(fourcc, width, height)
        .unwrap_or_default();
    let mut rates = Rates::default();
    for interval in intervals {
        match interval.interval {
            FrameIntervalEnum::Discrete(interval) => rates.rates.push(fps(interval)),
            // The longest interval is the smallest rate.
            FrameIntervalEnum::Stepwise(range) => {
                rates.rate_range = Some((fps(range.max), fps(range.min)));
            }
        }
    }
    rates
}

fn fps(interval: v4l::Fraction) -> f64 {
    let rate = f64::from(interval.denominator) / f64::from(interval.numerator.max(1));
    (rate * 1000.0).round() / 1000.0
}

/// The links in `folder` that lead to `node`.
fn links_to(node: &Path, folder: &str) -> Vec<PathBuf> {
    let links = || -> io::Result<Vec<PathBuf>> {
        let mut links = Vec::new();
        for entry in fs::read_dir(folder)? {
            let link = entry?.path();
            if fs::canonicalize(&link).is_ok_and(|target| target == node) {
                links.push(link);
            }
        }
        links.sort();
        Ok(links)
    };
    // Without udev there is no such folder, and so no such names.
    links().unwrap_or_default()
}
