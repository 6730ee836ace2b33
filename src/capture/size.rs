//! How large a camera's pictures are: what its driver says, or the first picture of a file. Nothing streams.
//! V4L2 user-space API: VIDIOC_G_FMT, VIDIOC_TRY_FMT.

use super::error::CaptureError;
use super::find::Search;
use super::replay::Replay;
use crate::config::{self, Device};
use crate::jpeg::Parser;

/// Width and height in pixels of the pictures that `config` would bring. A camera is opened for a moment, which
/// disturbs no stream.
pub fn expected_size(config: &config::Camera) -> Result<(u16, u16), CaptureError> {
    let (width, height) = (config.width.get(), config.height.get());
    match &config.device {
        Device::Demo => Ok(pixels(width, height)),
        Device::Replay(path) => {
            let replay = Replay::open(path, config.fps())?;
            let mut parser = Parser::default();
            let image = parser.parse(replay.first());
            let image = image
                .map_err(|error| CaptureError::NotFound(format!("{}: {error}", path.display())))?;
            Ok((image.width, image.height))
        }
        device @ (Device::Auto | Device::Path(_) | Device::Usb { .. } | Device::Bus(_)) => {
            let (width, height) =
                Search::new(device.clone()).open(|opened| opened.size(width, height))?;
            Ok(pixels(width, height))
        }
    }
}

/// JPEG has no more.
fn pixels(width: u32, height: u32) -> (u16, u16) {
    let pixels = |size: u32| u16::try_from(size).unwrap_or(u16::MAX);
    (pixels(width), pixels(height))
}
