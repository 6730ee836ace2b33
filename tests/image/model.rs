//! The camera of the image's tests: the same one at every boot, with two sizes to choose from.

use crate::uvc::{Coding, Description, Format, Size};

pub const SIZES: [(u16, u16); 2] = [(1280, 720), (640, 480)];
const RATES: [u32; 2] = [30, 15]; // frames a second

pub fn description() -> Description {
    let sizes = SIZES.map(|(width, height)| Size {
        width,
        height,
        rates: RATES.into(),
    });
    Description {
        vendor: 0x046d,
        product: 0x082d,
        serial: "IMAGE",
        name: "Lab Camera",
        formats: vec![Format {
            coding: Coding::Mjpeg,
            sizes: sizes.into(),
        }],
        forgets_controls: false,
        no_bandwidth: false,
    }
}

/// The film of a size.
pub fn film_name(width: u16, height: u16) -> String {
    format!("plain-{width}x{height}")
}
