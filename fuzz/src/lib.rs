//! What must hold for any octets that a parser sees, one function per parser; they panic when it does not.
//! The fuzz targets call them, and so does `tests/regressions.rs` with the inputs that are kept.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod mdns;
mod request;
mod scans;

pub use mdns::mdns;
pub use request::request;
pub use scans::{recode, walk};

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::time::Duration;

use framewire::appliance::network;
use framewire::capture::replay::Replay;
use framewire::capture::{Captured, Source};
use framewire::cli::{Command, Streaming};
use framewire::config::{
    Config, Destination, Device, Fps, Interface, MAX_OUTPUTS, Mtu, Name, Pacing,
};
use framewire::door::rtsp::edge::{Edge, Incoming, MAX_BODY};
use framewire::door::rtsp::transport::{self, ClientPort, Way};
use framewire::door::rtsp::url;
use framewire::jpeg::{Habit, Image, Parser, Unreadable, markers, segments};
use framewire::rtp::header::RtpHeader;
use framewire::rtp::payload::JpegHeader;
use framewire::rtp::rtcp::ReceptionReport;
use framewire::rtp::{Carried, Packetizer, carry};
use framewire::stop::Stop;

/// A parser's check.
pub type Check = fn(&[u8]);

/// Every check by the name of its target, which is that of its folder of regression inputs too.
pub const CHECKS: [(&str, Check); 10] = [
    ("command_line", command_line),
    ("config", config),
    ("jpeg", jpeg),
    ("mdns", mdns),
    ("mjpeg_file", mjpeg_file),
    ("recode", recode),
    ("request", request),
    ("rtcp", rtcp),
    ("rtsp", rtsp),
    ("walk", walk),
];

/// Most characters of an error that a person is to read.
const READABLE: usize = 1000;

/// A limit of nothing would be no stream at all.
fn limited(streaming: Streaming) {
    assert_ne!(streaming.frames, Some(0));
    assert_ne!(streaming.timeout, Some(Duration::ZERO));
    assert_ne!(streaming.interval, Some(Duration::ZERO));
}

/// `config.toml`: what is accepted is complete, what is refused is explained in two lines.
pub fn config(octets: &[u8]) {
    let path = Path::new("c.toml");
    match Config::parse(path, octets) {
        Ok(config) => usable(&config),
        Err(error) => {
            let error = error.to_string();
            assert!(error.starts_with("c.toml:"), "{error}");
            let (message, line) = error.split_once('\n').expect("the line in question");
            assert_one_line(message);
            assert_one_line(line);
        }
    }
}

fn usable(config: &Config) {
    assert!(!config.cameras.is_empty());
    for (index, camera) in config.cameras.iter().enumerate() {
        let name = camera.name();
        assert_eq!(Name::parse(name.as_str()).as_ref(), Some(name));
        let mut others = config.cameras.iter().skip(index + 1);
        assert!(others.all(|other| other.name() != name));
        let device = camera.device.to_string();
        assert_eq!(Device::parse(&device).as_ref(), Some(&camera.device));
        assert!(!camera.device.is_camera() || camera.fps().millihertz().is_some());
        assert!((16..=65_535).contains(&camera.width.get()));
        assert!((16..=65_535).contains(&camera.height.get()));
        assert!((3..=32).contains(&camera.buffers.get()));
        assert!(camera.outputs.len() <= MAX_OUTPUTS);
        for output in &camera.outputs {
            reachable(&output.destination);
            let interface = output.interface.as_ref().map(Interface::as_str);
            assert_eq!(output.destination.dead_end(interface), None);
            assert!((576..=9000).contains(&output.mtu.get()));
            let share = output.pacing.map(Pacing::share);
            assert!(share.is_none_or(|share| (0.0..=1.0).contains(&share)));
            // The two lowest bits are ECN's.
            assert_eq!(output.dscp.traffic_class() & 0b11, 0);
            if let Some(interface) = &output.interface {
                assert!(interface.as_str().len() <= 15);
                assert_one_line(interface.as_str());
            }
        }
    }
    for file in network::files(config) {
        assert!(!file.text.contains(['\r', '\0']));
    }
    // In those files a value with a line of its own could be any setting.
    let wifi = config.network.wifi.as_ref();
    if let Some(passphrase) = wifi.and_then(|wifi| wifi.passphrase.as_ref()) {
        assert_one_line(passphrase.as_str());
    }
    if let Some(hostname) = &config.system.hostname {
        assert_one_line(hostname.as_str());
    }
}

/// A destination can be written down again.
fn reachable(destination: &Destination) {
    let text = destination.to_string();
    assert_eq!(Destination::parse(&text).as_ref(), Some(destination));
}

fn assert_one_line(text: &str) {
    assert!(!text.contains(char::is_control), "{text:?}");
    let characters = text.chars().count();
    assert!((1..=READABLE).contains(&characters), "{text:?}");
}

/// A frame from a camera: whatever its octets are, its packets are those of RFC 2435.
pub fn jpeg(octets: &[u8]) {
    let image = Image::parse(octets);
    match &image {
        Ok(image) => match carry(image) {
            Ok(picture) => {
                for (mtu, ipv6) in [(576, false), (576, true), (1400, false), (9000, true)] {
                    packets(&picture, mtu, ipv6);
                }
            }
            Err(refused) => assert_one_line(&refused.to_string()),
        },
        Err(unreadable) => assert_one_line(&unreadable.to_string()),
    }
    // A parser does not remember frames; where EOI may be missing it finds more pictures, and the same ones in others.
    for mut parser in [Parser::default(), Parser::tolerating_missing_eoi()] {
        for _ in 0..2 {
            let again = parser.parse(octets);
            match (&image, again) {
                (Ok(image), Ok(again)) => assert_eq!(image.scan, again.scan),
                (Err(_), Ok(again)) => {
                    assert!(again.habits.contains(Habit::NoEndOfImage));
                    whole_scan(&again);
                }
                (Err(error), Err(again)) => {
                    let is_missing = |error: &_| matches!(error, Unreadable::NoEndOfImage(_));
                    assert!(*error == again || is_missing(error));
                }
                different => panic!("{different:?}"),
            }
        }
    }
    if let Ok(image) = &image {
        whole_scan(image);
    }
}

/// A scan, looked at octet by octet: data, restart markers in their order and number, and EOI at its end alone.
fn whole_scan(image: &Image) {
    let interval = u64::from(image.restart_interval);
    let markers = match interval {
        0 => 0,
        _ => image.layout().mcus.div_ceil(interval).saturating_sub(1),
    };
    let mut count = 0;
    let mut rest = image.scan;
    loop {
        rest = match rest {
            [0xFF, 0, rest @ ..] => rest,
            [0xFF, 0xFF, 0, ..] => panic!("data after fill octets"),
            [0xFF, 0xFF, ..] => &rest[1..],
            [0xFF, markers::code::EOI] => break,
            [0xFF, code, rest @ ..] => {
                assert!(interval > 0);
                assert_eq!(u64::from(*code), 0xD0 + count % 8);
                count += 1;
                rest
            }
            [_, rest @ ..] => rest,
            [] => panic!("no EOI"),
        };
    }
    assert_eq!(count, markers);
    assert!(image.scan.len() as u64 >= image.layout().least_octets());
}

/// The packets of `picture`: equal in length but for the last, within the MTU, and together the whole scan.
fn packets(picture: &Carried, mtu: u16, ipv6: bool) {
    let ip_and_udp = if ipv6 { 40 + 8 } else { 20 + 8 };
    let full = usize::from(mtu) - ip_and_udp;
    let mtu = Mtu::try_from(i64::from(mtu)).expect("an MTU");
    assert_eq!(mtu.udp_payload(ipv6), full);
    let mut sequence_number = u16::MAX;
    let mut packetizer = Packetizer::new(7, sequence_number);
    let mut packets = packetizer.packets(picture, 9, None, full);
    let mut rest = picture.scan;
    for left in (0..packets.len()).rev() {
        let packet = packets.next().expect("as many as announced");
        let mut header = Vec::new();
        packet.write_header(|octets| header.extend_from_slice(octets));
        let (rtp, payload) = RtpHeader::parse(&header).expect("an RTP header");
        let (offset, _, scan) = JpegHeader::parse(payload).expect("JPEG headers");
        assert_eq!((rtp.sequence_number, scan), (sequence_number, &[][..]));
        sequence_number = sequence_number.wrapping_add(1);
        // 24 bit; the type-specific octet before them is 0.
        let fragment_offset = u32::try_from(picture.scan.len() - rest.len()).expect("24 bit");
        assert_eq!(offset, fragment_offset);

        let after = rest.strip_prefix(packet.scan);
        rest = after.expect("the next octets of the scan");
        assert!(!packet.scan.is_empty());
        assert_eq!((packet.marker(), rtp.marker), (left == 0, left == 0));
        let length = header.len() + packet.scan.len();
        assert!(length == full || left == 0 && length < full, "{length}");
    }
    assert!(rest.is_empty() && packets.next().is_none());
    // The next image goes on where this one ended.
    let next = packetizer.packets(picture, 9, None, full).next();
    let mut header = Vec::new();
    let next = next.expect("a packet");
    next.write_header(|octets| header.extend_from_slice(octets));
    let (rtp, _) = RtpHeader::parse(&header).expect("an RTP header");
    assert_eq!(rtp.sequence_number, sequence_number);
}

/// A file of concatenated images: the first whole one comes out, then the first after it, and nothing else.
pub fn mjpeg_file(octets: &[u8]) {
    let mut rest = octets;
    for picture in pictures(octets) {
        let (start, end) = whole_image(rest).expect("an image for the picture");
        assert_eq!(rest[start..end], picture);
        rest = &rest[end..];
    }
    assert_eq!(whole_image(rest), None);
}

/// Where the first image that has an end starts and ends.
fn whole_image(octets: &[u8]) -> Option<(usize, usize)> {
    (0..octets.len()).find_map(|start| {
        let image = &octets[start..];
        let length = segments::image_length(image).ok()?;
        let headed = image.starts_with(&[0xFF, 0xD8, 0xFF]);
        headed.then_some((start, start + length))
    })
}

/// What replay makes of a file with these octets, once through.
fn pictures(octets: &[u8]) -> Vec<Vec<u8>> {
    let thread = std::thread::current().id();
    let path = std::env::temp_dir().join(format!("framewire-{}-{thread:?}", std::process::id()));
    fs::write(&path, octets).expect("a file");
    let replay = Replay::open(&path, unlimited());
    fs::remove_file(&path).expect("removed");
    let Ok(mut replay) = replay else {
        return Vec::new();
    };
    let stop = Stop::new().expect("an eventfd");
    let mut next = || match replay.next(Duration::MAX, &stop) {
        Ok(Captured::Frame(frame)) => frame.data,
        _ => panic!("replay goes on for ever"),
    };
    let first = next();
    let mut pictures = vec![first.to_vec()];
    loop {
        let picture = next();
        // It starts again with the same octets in the same place.
        if picture.as_ptr() == first.as_ptr() {
            return pictures;
        }
        pictures.push(picture.to_vec());
    }
}

/// As fast as pictures can be taken.
fn unlimited() -> Fps {
    let text =
        "[[camera]]\nname = \"a\"\ndevice = \"demo\"\nfps = 0\nrtp = [{ destination = \"a:1\" }]";
    let config = Config::parse(Path::new("c.toml"), text.as_bytes()).expect("a configuration");
    config.cameras[0].fps()
}

/// A compound RTCP packet about the stream that its first four octets name: what is read of it makes sense.
pub fn rtcp(octets: &[u8]) {
    let (ssrc, compound) = octets.split_first_chunk().unwrap_or((&[0; 4], octets));
    let Ok(reports) = ReceptionReport::parse(compound, u32::from_be_bytes(*ssrc)) else {
        return;
    };
    for report in &reports {
        // 24 bit, signed.
        assert!((-(1 << 23)..1 << 23).contains(&report.cumulative_lost));
        // 32 bit of 1/90000 s.
        assert!(report.jitter() < Duration::from_secs(47_722));
        for arrival in [0, 1 << 32, 1 << 63, u64::MAX] {
            let round_trip = report.round_trip(arrival);
            assert!(round_trip.is_none_or(|time| time < Duration::from_secs(60)));
        }
    }
    // Each block has 24 octets.
    assert!(reports.len() <= compound.len() / 24);
}

/// What a client of RTSP sends, whole or in pieces as long as the first octet says: the same requests come out, and a
/// request can be looked at.
pub fn rtsp(octets: &[u8]) {
    let (piece, octets) = octets.split_first().unwrap_or((&0, octets));
    let whole = messages(octets, octets.len().max(1));
    assert_eq!(messages(octets, usize::from(*piece).max(1)), whole);
    for message in &whole {
        let Incoming::Request(request) = message else {
            continue;
        };
        assert!(request.body().len() <= MAX_BODY);
        for (_, value) in request.headers() {
            match transport::choose(value.as_str()) {
                Some(Way::Interleaved(channels)) => assert_ne!(channels.rtp, channels.rtcp),
                Some(Way::Datagrams(ClientPort(port))) => assert!((1..u16::MAX).contains(&port)),
                None => {}
            }
        }
        if let Some(url) = request.request_uri()
            && let Some(camera) = url::camera(url)
        {
            assert!(!camera.is_empty() && url::is_of(url.as_str(), camera));
            assert!(url::base(url, camera).ends_with('/'));
        }
    }
}

/// The messages that `octets` are, as far as they are any, when they come in pieces of so many.
fn messages(octets: &[u8], piece: usize) -> Vec<Incoming> {
    let (mut edge, mut all) = (Edge::default(), Vec::new());
    for piece in octets.chunks(piece) {
        edge.push(piece);
        loop {
            match edge.read() {
                Ok(Some(message)) => all.push(message),
                Ok(None) => break,
                Err(_) => return all,
            }
        }
    }
    all
}

/// A command line, its arguments separated by line ends: what is refused is explained in one line.
pub fn command_line(octets: &[u8]) {
    let arguments = octets.split(|&octet| octet == b'\n');
    let arguments = arguments.map(|argument| OsString::from_vec(argument.to_owned()));
    match Command::parse(arguments) {
        Err(error) => assert_one_line(&error),
        Ok(Command::One { camera, streaming }) => {
            reachable(&camera.to);
            assert_eq!(camera.to.dead_end(None), None);
            let device = camera.device.to_string();
            assert_eq!(Device::parse(&device).as_ref(), Some(&camera.device));
            let rate = camera.fps.map(Fps::millihertz);
            assert!(rate != Some(None) || !camera.device.is_camera());
            limited(streaming);
        }
        Ok(Command::Run { streaming, .. }) => limited(streaming),
        Ok(Command::Sdp { stream, .. }) => {
            assert_ne!(stream.and_then(|(_, output)| output), Some(0));
        }
        Ok(_) => {}
    }
}
