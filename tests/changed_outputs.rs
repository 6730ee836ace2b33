//! An output whose configuration changes while it streams: how packets leave is another way, the stream is the same.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::ops::RangeInclusive;

use bytes::Bytes;
use framewire::clocks::{monotonic_now, sleep_until};
use framewire::config::Config;
use framewire::frame::{Frame, Suspicion};
use framewire::rtp::header::RtpHeader;
use framewire::stats::Stats;
use framewire::transmit::Transmitter;
use support::frames::Picture;
use support::transmit::transmit;

/// Frames between two changes.
const FRAMES: u32 = 2;

fn receiver(address: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind(address).expect("a socket");
    socket.set_nonblocking(true).expect("a non-blocking socket");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

/// A UDP port and the one above it.
fn receiver_pair() -> [(UdpSocket, SocketAddr); 2] {
    loop {
        let (first, address) = receiver("127.0.0.1:0");
        let above = SocketAddr::new(address.ip(), address.port().saturating_add(1));
        if let Ok(second) = UdpSocket::bind(above) {
            second.set_nonblocking(true).expect("a non-blocking socket");
            return [(first, address), (second, above)];
        }
    }
}

/// Every datagram that has come, with its source.
fn datagrams(socket: &UdpSocket) -> Vec<(SocketAddr, Vec<u8>)> {
    let mut octets = [0; 2048];
    let mut all = Vec::new();
    while let Ok((length, source)) = socket.recv_from(&mut octets) {
        all.push((source, octets[..length].to_vec()));
    }
    all
}

/// One SSRC from one port, and no number left out.
fn expect_one_stream(packets: &[(SocketAddr, Vec<u8>)]) {
    let header = |packet: &[u8]| RtpHeader::parse(packet).expect("an RTP header").0;
    for ((source, before), (other_source, after)) in packets.iter().zip(&packets[1..]) {
        assert_eq!(source, other_source);
        let (before, after) = (header(before), header(after));
        assert_eq!(before.ssrc, after.ssrc);
        assert_eq!(
            before.sequence_number.wrapping_add(1),
            after.sequence_number
        );
    }
}

#[test]
fn how_a_stream_leaves_is_changed_while_it_runs() {
    const RTCP: RangeInclusive<u8> = 200..=204;
    const BYE: u8 = 203;
    let [(rtp, address), (rtcp, _)] = receiver_pair();
    let stats = Stats::default();
    let mut transmitter = Transmitter::new("x", &stats);
    let picture = Bytes::from(Picture::DEFAULT.encode());
    let (mut packets, mut reports) = (Vec::new(), Vec::new());
    // The longest packet of each, and how many reports come to which port.
    for (lines, longest, beside, muxed) in [
        ("", 1372, 1, 0),
        ("dscp = 46\nttl = 3", 1372, 1, 0),
        ("mtu = 600\npacing = 0.5", 572, 1, 0),
        ("rtcp = \"mux\"", 1372, 0, 1),
        ("rtcp = \"off\"", 1372, 0, 0),
        ("mtu = 1000", 972, 1, 0),
    ] {
        let text = format!(
            "[[camera]]\nname = \"x\"\n[[camera.rtp]]\ndestination = \"{address}\"\n{lines}\n"
        );
        let config = Config::parse("test".as_ref(), text.as_bytes()).expect("a configuration");
        transmitter.set_outputs(&config.cameras[0].outputs);
        for sequence in 0..FRAMES {
            let now = monotonic_now();
            let frame = Frame {
                data: picture.clone(),
                sequence,
                captured: now,
                dequeued: now,
                suspicion: Suspicion::None,
            };
            transmit(&mut transmitter, &frame, &stats, sleep_until);
        }
        transmitter.report();
        let (mux, media): (Vec<_>, Vec<_>) = datagrams(&rtp)
            .into_iter()
            .partition(|(_, octets)| RTCP.contains(&octets[1]));
        assert_eq!(mux.len(), muxed, "{lines}");
        let lengths = media.iter().map(|(_, octets)| octets.len());
        assert_eq!(lengths.max(), Some(longest), "{lines}");
        let besides = datagrams(&rtcp);
        assert_eq!(besides.len(), beside, "{lines}");
        packets.extend(media);
        reports.extend(mux.into_iter().chain(besides));
    }
    expect_one_stream(&packets);
    let ends = |octets: &[u8]| octets[..octets.len() - 4].ends_with(&[0x81, BYE, 0, 1]);
    assert!(reports.iter().all(|(_, octets)| !ends(octets)));
    // Reports of one stream come from one port, or from that of the stream.
    let sources: BTreeSet<_> = reports.iter().map(|(source, _)| source).collect();
    assert_eq!(sources.len(), 2, "{sources:?}");
    transmitter.set_outputs(&[]);
    let [(_, last)] = &datagrams(&rtcp)[..] else {
        panic!("one good-bye")
    };
    assert!(ends(last), "{last:?}");
}
