use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::socket::sockopt::RcvBuf;

use super::*;
use crate::config::Config;
use crate::rtp::carry::Sampling;
use crate::rtp::header::HEADER_OCTETS;
use crate::rtp::{Carried, Packetizer};
use crate::transmit::batch::{Entries, Headers, MAX_PACKETS};

/// 150 packets and a bit.
static SCAN: [u8; 200_000] = [0x55; 200_000];

fn config(lines: &str) -> config::Output {
    let text = format!("[[camera]]\nname = \"x\"\n[[camera.rtp]]\ndestination = \"h:1\"\n{lines}");
    let config = Config::parse("test".as_ref(), text.as_bytes()).unwrap();
    config.cameras[0].outputs[0].clone()
}

fn picture() -> Carried<'static> {
    Carried {
        width: 640,
        height: 480,
        sampling: Sampling::Yuv422,
        tables: [[1; 64]; 2],
        restart_interval: 0,
        scan: &SCAN,
    }
}

/// Hands all packets of `picture()` as one batch to `take`.
fn with_batch<T>(packet_octets: usize, take: impl FnOnce(&Batch) -> T) -> T {
    let picture = picture();
    let mut packets = Packetizer::new(7, 0).packets(&picture, 0, None, packet_octets);
    let (mut headers, mut entries) = (Headers::new(), Entries::new());
    let batch = Batch::new(packets.by_ref(), MAX_PACKETS, &mut headers, &mut entries);
    assert_eq!(packets.len(), 0);
    take(&batch)
}

fn receiver() -> (UdpSocket, SocketAddr) {
    let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let timeout = Some(Duration::from_secs(2));
    receiver.set_read_timeout(timeout).unwrap();
    setsockopt(&receiver, RcvBuf, &(1 << 20)).unwrap();
    let address = receiver.local_addr().unwrap();
    (receiver, address)
}

/// Sequence numbers and lengths of `count` datagrams.
fn receive(receiver: &UdpSocket, count: usize) -> BTreeSet<(u16, usize)> {
    let mut octets = [0; 2000];
    (0..count)
        .map(|_| {
            let length = receiver.recv(&mut octets).unwrap();
            (u16::from_be_bytes([octets[2], octets[3]]), length)
        })
        .collect()
}

fn sends_everything(break_gso: impl FnOnce(&mut Socket)) -> (Sent, usize) {
    let (receiver, address) = receiver();
    let mut socket = Socket::new(address, 0, &config("")).unwrap();
    let full = socket.packet_octets();
    break_gso(&mut socket);
    let (packets, octets, (sent, result)) = with_batch(full, |batch| {
        let octets = batch.octets(0..batch.len());
        (batch.len(), octets, socket.send(batch))
    });
    assert_eq!(result, Ok(()));
    let (octets, payload) = octets;
    let sent_octets = (sent.octets, sent.payload_octets);
    assert_eq!(sent.packets, packets as u64);
    assert_eq!(sent_octets, (octets as u64, payload as u64));
    assert_eq!(payload, octets - packets * HEADER_OCTETS);
    let received = receive(&receiver, packets);
    assert_eq!(received.len(), packets);
    let last = received.last().unwrap().0;
    assert_eq!(usize::from(last) + 1, packets);
    assert!(
        received
            .iter()
            .all(|&(number, length)| length == full || number == last)
    );
    (sent, socket.packets_per_message)
}

#[test]
fn a_frame_is_one_system_call() {
    let (sent, packets_per_message) = sends_everything(|_| {});
    assert_eq!(sent.send_calls, 1);
    assert_eq!(packets_per_message, MAX_UDP_PAYLOAD / 1372);
}

#[test]
fn a_frame_is_one_system_call_without_segmentation_offload_too() {
    let (sent, _) = sends_everything(|socket| socket.give_up_gso(Errno::EIO));
    assert_eq!(sent.send_calls, 1);
}

#[test]
fn a_kernel_that_refuses_segments_gets_packets_from_then_on() {
    // So many one-octet segments are more than any kernel takes: EINVAL, as for a packet over the MTU.
    let (sent, packets_per_message) = sends_everything(|socket| {
        setsockopt(&socket.socket, UdpGsoSegment, &1).unwrap();
    });
    assert_eq!((sent.send_calls, packets_per_message), (2, 1));
}

#[test]
fn nobody_listening_is_told_and_can_be_forgotten() {
    let (receiver, address) = receiver();
    drop(receiver);
    let mut socket = Socket::new(address, 0, &config("")).unwrap();
    with_batch(socket.packet_octets(), |batch| {
        // Within a call the kernel keeps the ICMP answers to itself; the last one waits for the next call.
        let (sent, result) = socket.send(batch);
        assert_eq!((sent.packets, result), (batch.len() as u64, Ok(())));
        let (sent, result) = socket.send(batch);
        assert_eq!((sent.packets, result), (0, Err(Errno::ECONNREFUSED)));
    });
    socket.send_datagram(&[0]).unwrap();
    socket.forget_error();
    socket.send_datagram(&[0]).unwrap();
}

#[test]
fn a_packet_that_cannot_be_sent_is_an_error() {
    let (_receiver, address) = receiver();
    let mut socket = Socket::new(address, 0, &config("")).unwrap();
    // 255.255.255.255 needs SO_BROADCAST: connect(2) refuses it.
    assert!(Socket::new(([255, 255, 255, 255], 9).into(), 0, &config("")).is_err());
    nix::sys::socket::shutdown(socket.socket.as_raw_fd(), nix::sys::socket::Shutdown::Write)
        .unwrap();
    let (sent, result) = with_batch(socket.packet_octets(), |batch| socket.send(batch));
    assert_eq!((sent.packets, result), (0, Err(Errno::EPIPE)));
}

#[test]
fn packets_are_never_cut_into_fragments() {
    use rustix::net::sockopt::{Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery};
    use rustix::net::sockopt::{ip_mtu_discover, ipv6_mtu_discover};
    let v4 = Socket::new(([127, 0, 0, 1], 9).into(), 0, &config("")).unwrap();
    assert_eq!(ip_mtu_discover(&v4), Ok(Ipv4PathMtuDiscovery::DO));
    let v6 = Socket::new((Ipv6Addr::LOCALHOST, 9).into(), 0, &config("")).unwrap();
    assert_eq!(ipv6_mtu_discover(&v6), Ok(Ipv6PathMtuDiscovery::DO));
    // Loopback takes more than is configured.
    assert_eq!(v4.narrow_path(), None);
    assert_eq!(v4.packet_octets(), 1372);
}

#[test]
fn class_time_to_live_and_interface_are_set() {
    let lines = "dscp = \"AF41\"\nttl = 7\ninterface = \"lo\"";
    let v4 = bind(([127, 0, 0, 1], 9).into(), 0, &config(lines)).unwrap();
    assert_eq!(getsockopt(&v4, Ipv4Tos).unwrap(), 34 << 2);
    assert_eq!(getsockopt(&v4, IpMulticastTtl).unwrap(), 7);
    assert_eq!(getsockopt(&v4, BindToDevice).unwrap(), "lo");
    let mut running = Socket::new(([127, 0, 0, 1], 9).into(), 0, &config("")).unwrap();
    running.adapt(&config(lines)).unwrap();
    assert_eq!(getsockopt(&running.socket, Ipv4Tos).unwrap(), 34 << 2);
    assert_eq!(getsockopt(&running.socket, IpMulticastTtl).unwrap(), 7);
    let v6 = bind((Ipv6Addr::LOCALHOST, 9).into(), 0, &config("dscp = 46")).unwrap();
    assert_eq!(getsockopt(&v6, Ipv6TClass).unwrap(), 46 << 2);
    assert_eq!(getsockopt(&v6, Ipv6MulticastHops).unwrap(), 1);
    let nowhere = config("interface = \"nowhere9\"");
    let error = bind(([127, 0, 0, 1], 9).into(), 0, &nowhere).unwrap_err();
    assert!(
        error.to_string().starts_with("interface nowhere9: "),
        "{error}"
    );
}
