//! `quality` as the camera knows it: a JPEG quality, or the bit rate of a video encoder.
//! V4L2 user-space API, "JPEG Control Reference", "Codec Control Reference".

use v4l::format::FourCC;
use v4l::v4l_sys::V4L2_CID_JPEG_COMPRESSION_QUALITY;

use super::controls::{describe, read, read_back, set};
use super::ioctl;
use crate::config::Quality;
use crate::panel::Control;

/// The bit rate of a video encoder: `V4L2_CID_CODEC_BASE` + 207 of v4l2-controls.h, which the bindings lack.
const V4L2_CID_MPEG_VIDEO_BITRATE: u32 = 0x0099_0900 + 207;

/// Sets what the camera has for `quality`: a control for it, for MJPG a bit rate, or both. The driver of the Raspberry
/// Pi's firmware camera has both, and its JPEG quality is for single pictures alone (format JPEG).
pub fn apply(device: &v4l::Device, quality: Quality, fourcc: FourCC) -> Result<(), String> {
    let id = V4L2_CID_JPEG_COMPRESSION_QUALITY;
    let value = i64::from(quality.get());
    let by_quality = set(device, id, value).map(|()| read(device, id, false));
    let is_video = fourcc == FourCC::new(b"MJPG");
    if let Some(control) = is_video.then(|| bit_rate_control(device)).flatten() {
        let rate = bit_rate(&control, quality);
        set(device, control.id, rate)
            .map_err(|error| format!("quality = {value}: {} = {rate}: {error}", control.name))?;
        return read_back(device, &control, rate);
    }
    match by_quality {
        Ok(Some(got)) if got == value => Ok(()),
        Ok(got) => Err(format!(
            "asked for JPEG quality {value}, the camera made it {got:?}"
        )),
        Err(error) => Err(format!(
            "quality = {value} has no effect: the camera has no JPEG quality control ({error})"
        )),
    }
}

/// The control of the bit rate, where the camera has one that can be set.
fn bit_rate_control(device: &v4l::Device) -> Option<Control> {
    let id = V4L2_CID_MPEG_VIDEO_BITRATE;
    let control = ioctl::next_control(&device.handle(), id - 1).filter(|next| next.id == id)?;
    describe(device, &control).filter(|control| !control.read_only)
}

/// The bit rate for a quality in percent: so much of the largest one, as far as the control's range and steps go.
fn bit_rate(control: &Control, quality: Quality) -> i64 {
    let share = control.maximum.saturating_mul(quality.get().into()) / 100;
    let step = i64::try_from(control.step).unwrap_or(i64::MAX).max(1);
    let above = share.saturating_sub(control.minimum).max(0);
    control.minimum.saturating_add(above / step * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::Kind;

    #[test]
    fn a_quality_is_a_share_of_the_largest_bit_rate() {
        // That of bcm2835-v4l2.
        let mut control = Control {
            id: V4L2_CID_MPEG_VIDEO_BITRATE,
            is_wide: false,
            name: "video_bitrate".to_owned(),
            short_name: None,
            kind: Kind::Integer,
            minimum: 25_000,
            maximum: 25_000_000,
            step: 25_000,
            default: 10_000_000,
            value: None,
            read_only: false,
            inactive: false,
            grabbed: false,
            menu: Vec::new(),
            configured: None,
            kept: None,
        };
        let rate = |control: &_, percent| bit_rate(control, i64::from(percent).try_into().unwrap());
        for (percent, expected) in [
            (100, 25_000_000),
            (85, 21_250_000),
            (40, 10_000_000),
            (1, 250_000),
        ] {
            assert_eq!(rate(&control, percent), expected);
        }
        // Within the range and on its steps.
        control.minimum = 400_000;
        assert_eq!(rate(&control, 1), 400_000);
        control.step = 1_000_000;
        assert_eq!(rate(&control, 50), 12_400_000);
        control.step = u64::MAX;
        assert_eq!(rate(&control, 50), 400_000);
    }
}
