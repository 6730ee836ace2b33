//! The descriptors by which the host learns what an emulated camera offers.
//! USB 2.0 chapter 9; USB Device Class Definition for Video Devices 1.1, chapter 3.

use crate::uvc::{CONTROLS, Coding, Description, Format, Size};

pub const PROCESSING_UNIT: u8 = 2; // bUnitID

pub const DEVICE: u8 = 1; // kinds of descriptors
pub const CONFIGURATION: u8 = 2;
const STRING: u8 = 3;
pub const INTERFACE: u8 = 4;
pub const ENDPOINT: u8 = 5;

const MANUFACTURER: &str = "framewire lab";
const ENGLISH: u16 = 0x0409;
const UVC_VERSION: u16 = 0x0110;
const CLOCK_FREQUENCY: u32 = 48_000_000; // Hz
const YUY2: [u8; 16] = *b"YUY2\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71";

/// Answers GET_DESCRIPTOR; `value` holds the type and the index. `None` is a stall.
pub fn get(camera: &Description, value: u16) -> Option<Vec<u8>> {
    let [kind, index] = value.to_be_bytes();
    match (kind, index) {
        (DEVICE, _) => Some(device(camera)),
        (CONFIGURATION, 0) => Some(configuration(camera)),
        (STRING, 0) => Some(string([ENGLISH].into_iter())),
        (STRING, 1) => Some(string(MANUFACTURER.encode_utf16())),
        (STRING, 2) => Some(string(camera.name.encode_utf16())),
        (STRING, 3) if !camera.serial.is_empty() => Some(string(camera.serial.encode_utf16())),
        _ => None,
    }
}

fn string(units: impl Iterator<Item = u16>) -> Vec<u8> {
    let text: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    descriptor(STRING, &[&text])
}

fn device(camera: &Description) -> Vec<u8> {
    let vendor = camera.vendor.to_le_bytes();
    let product = camera.product.to_le_bytes();
    // bcdUSB 2.00, class EF/02/01 (interface association), 64 octets on endpoint 0;
    // bcdDevice 1.00, strings 1, 2, 3 (0: no serial number), one configuration
    let serial = if camera.serial.is_empty() { 0 } else { 3 };
    descriptor(
        DEVICE,
        &[
            &[0x00, 0x02, 0xEF, 0x02, 0x01, 64],
            &vendor,
            &product,
            &[0x00, 0x01, 1, 2, serial, 1],
        ],
    )
}

fn configuration(camera: &Description) -> Vec<u8> {
    let streaming =
        |setting, endpoints| descriptor(INTERFACE, &[&[1, setting, endpoints, 0x0E, 0x02, 0, 0]]);
    let bulk = descriptor(ENDPOINT, &[&[0x81, 0x02], &512_u16.to_le_bytes(), &[0]]); // IN
    // asynchronous isochronous IN, three times 1024 octets in each microframe
    let isochronous = descriptor(ENDPOINT, &[&[0x81, 0x05], &0x1400_u16.to_le_bytes(), &[1]]);
    // With a bulk endpoint there is one setting; reserved bandwidth is another setting than none.
    let [idle, active] = if camera.no_bandwidth {
        [streaming(0, 0), [streaming(1, 1), isochronous].concat()]
    } else {
        [streaming(0, 1), bulk]
    };
    let body = [
        descriptor(0x0B, &[&[0, 2, 0x0E, 0x03, 0, 0]]), // association: interfaces 0 and 1
        descriptor(INTERFACE, &[&[0, 0, 0, 0x0E, 0x01, 0, 0]]), // VideoControl, no endpoint
        video_control(),
        idle,
        video_streaming(camera),
        active,
    ]
    .concat();
    // two interfaces, value 1, bus powered, 500 mA
    let total = total(9, &body);
    [
        descriptor(CONFIGURATION, &[&total, &[2, 1, 0, 0x80, 250]]),
        body,
    ]
    .concat()
}

/// Camera terminal 1 -> processing unit 2 -> output terminal 3.
fn video_control() -> Vec<u8> {
    let controls = CONTROLS.iter().fold(0, |bits, control| bits | control.bit);
    let camera = [1, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]; // no control of the lens
    let body = [
        class(0x02, &[&camera]),
        class(
            0x05,
            &[
                &[PROCESSING_UNIT, 1, 0, 0, 2],
                &controls.to_le_bytes(),
                &[0, 0],
            ],
        ),
        class(0x03, &[&[3, 0x01, 0x01, 0, PROCESSING_UNIT, 0]]),
    ]
    .concat();
    let head = [UVC_VERSION.to_le_bytes(), total(13, &body)].concat();
    [
        class(0x01, &[&head, &CLOCK_FREQUENCY.to_le_bytes(), &[1, 1]]),
        body,
    ]
    .concat()
}

fn video_streaming(camera: &Description) -> Vec<u8> {
    let body: Vec<u8> = (1..)
        .zip(&camera.formats)
        .flat_map(|(i, each)| format(i, each))
        .collect();
    let count = camera.formats.len();
    let controls = vec![0; count]; // bmaControls: none
    let total = total(13 + count, &body);
    let rest = [0x81, 0, 3, 0, 0, 0, 1]; // endpoint, info, output terminal 3, no still images
    [
        class(0x01, &[&[octet(count)], &total, &rest, &controls]),
        body,
    ]
    .concat()
}

fn format(index: u8, format: &Format) -> Vec<u8> {
    let sizes = octet(format.sizes.len());
    let (head, frame) = match format.coding {
        Coding::Mjpeg => (class(0x06, &[&[index, sizes, 0, 1, 0, 0, 0, 0]]), 0x07),
        Coding::Yuy2 => (
            class(0x04, &[&[index, sizes], &YUY2, &[16, 1, 0, 0, 0, 0]]),
            0x05,
        ),
    };
    let frames = (1..)
        .zip(&format.sizes)
        .flat_map(|(i, size)| frame_descriptor(frame, i, size));
    let colours = class(0x0D, &[&[1, 1, 4]]); // BT.709, BT.709, SMPTE 170M
    head.into_iter().chain(frames).chain(colours).collect()
}

fn frame_descriptor(subtype: u8, index: u8, size: &Size) -> Vec<u8> {
    let intervals: Vec<u32> = size.intervals().collect();
    let bits = size.frame_size().saturating_mul(8);
    let rates = [
        bits,
        bits.saturating_mul(30),
        size.frame_size(),
        intervals[0],
    ];
    class(
        subtype,
        &[
            &[index, 0],
            &size.width.to_le_bytes(),
            &size.height.to_le_bytes(),
            &rates.map(u32::to_le_bytes).concat(),
            &[octet(intervals.len())],
            &intervals
                .iter()
                .flat_map(|interval| interval.to_le_bytes())
                .collect::<Vec<_>>(),
        ],
    )
}

/// wTotalLength: the header's own octets and all that follows it.
fn total(header: usize, body: &[u8]) -> [u8; 2] {
    u16::try_from(header + body.len())
        .expect("descriptors fit in 64 KiB")
        .to_le_bytes()
}

fn class(subtype: u8, parts: &[&[u8]]) -> Vec<u8> {
    descriptor(0x24, &[&[subtype], &parts.concat()])
}

fn descriptor(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut whole = vec![octet(body.len() + 2), kind];
    whole.extend(body);
    whole
}

fn octet(count: usize) -> u8 {
    u8::try_from(count).expect("a descriptor's count fits in an octet")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> Description {
        let size = |width, height| Size {
            width,
            height,
            rates: vec![30, 15],
        };
        let sizes = || vec![size(1920, 1080), size(640, 480)];
        let formats = vec![
            Format {
                coding: Coding::Mjpeg,
                sizes: sizes(),
            },
            Format {
                coding: Coding::Yuy2,
                sizes: sizes(),
            },
        ];
        Description {
            vendor: 1,
            product: 2,
            serial: "S",
            name: "N",
            formats,
            forgets_controls: false,
            no_bandwidth: false,
        }
    }

    #[test]
    fn lengths_add_up() {
        let whole = configuration(&camera());
        assert_eq!(
            usize::from(u16::from_le_bytes([whole[2], whole[3]])),
            whole.len()
        );
        let mut rest = &whole[..];
        let mut kinds = vec![];
        while let Some(&length) = rest.first() {
            kinds.push(rest[1]);
            rest = &rest[usize::from(length)..];
        }
        assert_eq!(
            kinds.iter().filter(|&&kind| kind == 0x24).count(),
            4 + 1 + 2 * (1 + 2 + 1)
        );
    }

    #[test]
    fn a_frame_descriptor_has_26_octets_and_4_for_each_interval() {
        assert_eq!(
            frame_descriptor(7, 1, &camera().formats[0].sizes[0]).len(),
            26 + 4 * 2
        );
    }
}
