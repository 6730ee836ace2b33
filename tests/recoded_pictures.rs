//! Pictures that RTP/JPEG cannot carry as they are arrive at an independent receiver with the same pixels, re-coded.
//! RFC 2435 4.1.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use framewire::jpeg::Image;
use framewire::rtp::{Carrier, Obstacle, Refused};
use support::frames::{Picture, Sampling, Tables};
use support::huffman::optimised_huffman;
use support::receive::{Sender, depacketize, headers, packetize, pixels, with_size_of};
use support::variants::{Parts, SOF0, without_dht};

/// What a receiver makes of `jpeg`, with the size in pixels that it really has.
fn received(jpeg: &[u8]) -> Vec<u8> {
    let packets = packetize(jpeg, &mut Sender::new(1400)).expect("the picture can be carried");
    with_size_of(jpeg, &depacketize(&packets))
}

#[test]
fn other_huffman_tables() {
    for sampling in [Sampling::S422, Sampling::S420] {
        for (restart_interval, type_) in [(None, 0), (Some(1), 64), (Some(7), 64)] {
            let plain = Picture {
                width: 330,
                height: 250,
                sampling,
                restart_interval,
                tables: Tables::Foreign,
                ..Picture::DEFAULT
            }
            .encode();
            let optimised = optimised_huffman(&plain);
            assert!(pixels(&received(&optimised)) == pixels(&plain));
            let packets = packetize(&optimised, &mut Sender::new(1400)).unwrap();
            let (_, header) = headers(&packets[0]);
            assert_eq!(header.type_ & 64, type_);
        }
    }
}

#[test]
fn grey() {
    for (width, height) in [(640, 480), (643, 47), (8, 8), (9, 9)] {
        for restart_interval in [None, Some(5)] {
            let picture = Picture {
                width,
                height,
                restart_interval,
                sampling: Sampling::Grey,
                ..Picture::DEFAULT
            };
            let jpeg = picture.encode();
            let (_, _, grey) = pixels_of_grey(&jpeg);
            let (w, h, colours) = pixels(&received(&jpeg));
            assert_eq!((w, h), (usize::from(width), usize::from(height)));
            let (luminance, chrominance): (Vec<u8>, Vec<[u8; 2]>) = colours
                .chunks_exact(3)
                .map(|pixel| (pixel[0], [pixel[1], pixel[2]]))
                .unzip();
            assert!(luminance == grey, "{width}x{height}");
            assert!(chrominance.iter().all(|pair| *pair == [128, 128]));
        }
    }
}

/// Width, height and the samples of a picture with one component.
fn pixels_of_grey(jpeg: &[u8]) -> (usize, usize, Vec<u8>) {
    use zune_jpeg::JpegDecoder;
    use zune_jpeg::zune_core::bytestream::ZCursor;
    use zune_jpeg::zune_core::colorspace::ColorSpace;
    use zune_jpeg::zune_core::options::DecoderOptions;
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    let samples = decoder.decode().expect("the picture decodes");
    let (width, height) = decoder.dimensions().expect("a size");
    (width, height, samples)
}

#[test]
fn restart_markers_are_removed() {
    for sampling in [Sampling::S422, Sampling::S420] {
        for interval in [1, 7, 21] {
            let without = Picture {
                width: 330,
                height: 250,
                sampling,
                tables: Tables::Foreign,
                ..Picture::DEFAULT
            };
            let with = Picture {
                restart_interval: Some(interval),
                ..without
            };
            let (plain, with) = (without.encode(), with.encode());
            let expected = packetize(&plain, &mut Sender::new(1400)).unwrap();
            for jpeg in [&with, &without_dht(&with), &optimised_huffman(&with)] {
                let mut sender = Sender::removing_restarts(1400);
                let packets = packetize(jpeg, &mut sender).expect("the picture can be carried");
                let (_, header) = headers(&packets[0]);
                assert_eq!(header.type_, u8::from(sampling == Sampling::S420));
                assert_eq!(header.restart_interval, 0);
                // As the encoder would have written it: the same coefficients.
                assert!(packets == expected, "{sampling:?}, {interval}");
                let received = with_size_of(&with, &depacketize(&packets));
                assert!(pixels(&received) == pixels(&with));
            }
        }
    }
}

#[test]
fn damage_is_found_while_restart_markers_are_removed() {
    let with = Picture {
        restart_interval: Some(40),
        ..Picture::DEFAULT
    };
    let mut parts = Parts::of(&with.encode());
    let half = parts.scan.len() / 2;
    parts.scan[half..half + 8].fill(0);
    let refused = packetize(&parts.join(), &mut Sender::removing_restarts(1400));
    assert!(matches!(refused, Err(Refused::Corrupt(_))), "{refused:?}");
}

#[test]
fn a_picture_without_restart_markers_is_carried_as_it_is() {
    let plain = Picture::DEFAULT.encode();
    let image = Image::parse(&plain).unwrap();
    let carrier = Carrier::removing_restarts();
    let carried = carrier.carry(&image).expect("nothing is to be changed");
    assert_eq!(carried.scan.as_ptr_range(), image.scan.as_ptr_range());
    let with = Picture {
        restart_interval: Some(40),
        ..Picture::DEFAULT
    }
    .encode();
    let image = Image::parse(&with).unwrap();
    let obstacle = carrier.carry(&image).map(drop);
    assert_eq!(obstacle, Err(Obstacle::RestartMarkers));
    assert!(Carrier::default().carry(&image).is_ok());
}

#[test]
fn damage_is_found_while_it_is_recoded() {
    let optimised = optimised_huffman(&Picture::DEFAULT.encode());
    let mut parts = Parts::of(&optimised);
    let half = parts.scan.len() / 2;
    parts.scan.drain(half..half + 512);
    let refused = packetize(&parts.join(), &mut Sender::new(1400));
    assert!(matches!(refused, Err(Refused::Corrupt(_))), "{refused:?}");
    // A picture with one MCU more than it says.
    let mut parts = Parts::of(&optimised);
    parts.payload_mut(SOF0)[2] -= 8;
    let refused = packetize(&parts.join(), &mut Sender::new(1400));
    assert!(matches!(refused, Err(Refused::Corrupt(_))), "{refused:?}");
}

#[test]
fn the_standard_tables_stay_as_they_are() {
    let plain = Picture::DEFAULT.encode();
    let packets = |jpeg| packetize(jpeg, &mut Sender::new(1400)).unwrap();
    assert!(packets(&plain) == packets(&without_dht(&plain)));
    assert!(Parts::of(&plain).scan == Parts::of(&received(&plain)).scan);
}
