//! Frames through framewire's parser and packetizer, and back through somebody else's depacketizer (retina).

use std::num::NonZeroU32;

use framewire::config::{Config, Mtu};
use framewire::jpeg::Image;
use framewire::rtp::header::{PAYLOAD_TYPE_JPEG, RtpHeader};
use framewire::rtp::payload::JpegHeader;
use framewire::rtp::{Carrier, Packetizer, Refused};
use retina::codec::{CodecItem, Depacketizer};
use retina::rtp::ReceivedPacketBuilder;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::variants::{Parts, SOF0};

pub const SSRC: u32 = 0x1234_5678;
pub const TIMESTAMP: u32 = 0xFFFF_FF00;

/// An MTU as the configuration reads it.
fn mtu(octets: u16) -> Mtu {
    let text = format!(
        "[[camera]]\nname = \"x\"\n[[camera.rtp]]\ndestination = \"h:1\"\nmtu = {octets}\n"
    );
    let config = Config::parse("test".as_ref(), text.as_bytes()).expect("an MTU in range");
    config.cameras[0].outputs[0].mtu
}

/// A stream over IPv4.
pub struct Sender {
    packetizer: Packetizer,
    packet_octets: usize,
    carrier: Carrier,
}

impl Sender {
    /// Its first packet is numbered just below where the numbers wrap.
    pub fn new(octets: u16) -> Self {
        Self {
            packetizer: Packetizer::new(SSRC, u16::MAX - 2),
            packet_octets: mtu(octets).udp_payload(false),
            carrier: Carrier::default(),
        }
    }

    /// One that lets no restart marker leave.
    pub fn removing_restarts(octets: u16) -> Self {
        Self {
            carrier: Carrier::removing_restarts(),
            ..Self::new(octets)
        }
    }
}

/// The whole packets of `jpeg`, checked for what holds for every frame.
pub fn packetize(jpeg: &[u8], sender: &mut Sender) -> Result<Vec<Vec<u8>>, Refused> {
    let image = Image::parse(jpeg)?;
    let carried = sender.carrier.carry(&image);
    let picture = carried.or_else(|obstacle| sender.carrier.recode(&image, obstacle))?;
    let full = sender.packet_octets;
    let mut gathered = Vec::new();
    let packets = sender.packetizer.packets(&picture, TIMESTAMP, None, full);
    let announced = packets.len();
    let packets: Vec<Vec<u8>> = packets
        .map(|packet| {
            let mut octets = Vec::new();
            packet.write_header(|part| octets.extend_from_slice(part));
            octets.extend_from_slice(packet.scan);
            gathered.extend_from_slice(packet.scan);
            octets
        })
        .collect();
    assert!(
        gathered == picture.scan,
        "the packets carry the scan, all of it, in order"
    );
    assert_eq!(packets.len(), announced);
    for packet in &packets {
        let (rtp, _) = headers(packet);
        assert_eq!((rtp.timestamp, rtp.ssrc), (TIMESTAMP, SSRC));
    }
    let (last, others) = packets.split_last().expect("at least one packet");
    assert!(
        last.len() <= full,
        "{} octets in the last packet",
        last.len()
    );
    assert!(others.iter().all(|packet| packet.len() == full));
    Ok(packets)
}

/// The headers of `packet`.
pub fn headers(packet: &[u8]) -> (RtpHeader, JpegHeader<'_>) {
    let (rtp, payload) = RtpHeader::parse(packet).expect("a plain RTP header");
    let (_, jpeg, _) = JpegHeader::parse(payload).expect("JPEG headers");
    (rtp, jpeg)
}

/// What retina makes of `packets`, which must be one frame.
pub fn depacketize(packets: &[Vec<u8>]) -> Vec<u8> {
    try_depacketize(packets).expect("retina takes the frame")
}

/// The same, or what retina has against it.
pub fn try_depacketize(packets: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let clock_rate = NonZeroU32::new(90_000).expect("not zero");
    let mut depacketizer =
        Depacketizer::new("video", "jpeg", clock_rate.get(), None, None).expect("a depacketizer");
    let mut frames = Vec::new();
    let (first, _) = headers(&packets[0]);
    for packet in packets {
        let (header, payload) = RtpHeader::parse(packet).expect("a plain RTP header");
        assert_eq!(
            (header.timestamp, header.ssrc),
            (first.timestamp, first.ssrc)
        );
        let received = ReceivedPacketBuilder {
            ctx: retina::PacketContext::dummy(),
            stream_id: 0,
            sequence_number: header.sequence_number,
            timestamp: retina::Timestamp::new(header.timestamp.into(), clock_rate, 0)
                .expect("a timestamp"),
            payload_type: PAYLOAD_TYPE_JPEG,
            ssrc: header.ssrc,
            mark: header.marker,
            loss: 0,
        };
        let packet = received.build(payload.iter().copied()).expect("a packet");
        depacketizer.push(packet)?;
        while let Some(item) = depacketizer.pull() {
            match item.map_err(|error| format!("{error:?}"))? {
                CodecItem::VideoFrame(frame) => frames.push(frame.into_data()),
                other => panic!("not a video frame: {other:?}"),
            }
        }
    }
    match frames.len() {
        1 => Ok(frames.remove(0)),
        count => Err(format!("{count} frames from {} packets", packets.len())),
    }
}

/// `jpeg` with the width and height of `like`: RTP/JPEG carries sizes rounded up to 8 pixels.
pub fn with_size_of(like: &[u8], jpeg: &[u8]) -> Vec<u8> {
    let size = Parts::of(like).payload_mut(SOF0)[1..5].to_vec();
    let mut parts = Parts::of(jpeg);
    parts.payload_mut(SOF0)[1..5].copy_from_slice(&size);
    parts.join()
}

/// Width, height and all samples, Y, Cb, Cr interleaved.
pub fn pixels(jpeg: &[u8]) -> (usize, usize, Vec<u8>) {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::YCbCr);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    let samples = decoder.decode().expect("the picture decodes");
    let (width, height) = decoder.dimensions().expect("a decoded picture has a size");
    (width, height, samples)
}
