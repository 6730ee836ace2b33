//! The senders that framewire is measured against: what a program does without UDP GSO, and the least that one with it can do.
//! sendto(2), sendmmsg(2), udp(7) UDP_SEGMENT.

use std::io::IoSlice;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    MsgFlags, MultiHeaders, SockaddrIn, sendmmsg, setsockopt,
    sockopt::{SndBuf, SndBufForce, UdpGsoSegment},
};

use crate::library::Packets;
use crate::sender::Sender;

/// Octets of the send buffer, as framewire asks for.
const SEND_BUFFER: usize = 1 << 20;
/// Most octets of a UDP datagram's payload over IPv4 (RFC 768, RFC 791).
const MAX_UDP_PAYLOAD: usize = 65_507;
/// Most segments of a UDP GSO message (UDP_MAX_SEGMENTS of Linux before 6.9).
const MAX_SEGMENTS: usize = 64;
/// More packets than any picture here has.
const MAX_MESSAGES: usize = 1024;

/// One `sendto` of a copied packet at a time.
pub struct SendTo {
    pictures: Vec<Vec<u8>>,
    socket: UdpSocket,
    destinations: Vec<SocketAddr>,
    packets: Packets,
    datagram: Vec<u8>,
}

impl SendTo {
    pub fn new(pictures: &[Vec<u8>], destinations: &[SocketAddr]) -> Self {
        Self {
            pictures: pictures.to_vec(),
            socket: socket(),
            destinations: destinations.to_vec(),
            packets: Packets::new(),
            datagram: Vec::new(),
        }
    }
}

impl Sender for SendTo {
    fn send(&mut self, index: usize) {
        let jpeg = &self.pictures[index % self.pictures.len()];
        for destination in &self.destinations {
            self.packets.each(jpeg, |header, scan| {
                self.datagram.clear();
                self.datagram.extend_from_slice(header);
                self.datagram.extend_from_slice(scan);
                let sent = self.socket.send_to(&self.datagram, destination);
                assert_eq!(sent.expect("the packet is sent"), self.datagram.len());
            });
        }
    }
}

/// One `sendmmsg` for the packets of a frame, gathered in place, without UDP GSO.
pub struct SendMmsg {
    pictures: Vec<Vec<u8>>,
    sockets: Vec<UdpSocket>,
    packets: Packets,
    calls: Calls,
}

impl SendMmsg {
    pub fn new(pictures: &[Vec<u8>], destinations: &[SocketAddr]) -> Self {
        Self {
            pictures: pictures.to_vec(),
            sockets: destinations.iter().map(connected).collect(),
            packets: Packets::new(),
            calls: Calls::new(),
        }
    }
}

impl Sender for SendMmsg {
    fn send(&mut self, index: usize) {
        let jpeg = &self.pictures[index % self.pictures.len()];
        let mut headers = Vec::with_capacity(MAX_UDP_PAYLOAD);
        let mut parts = Vec::with_capacity(MAX_MESSAGES);
        for socket in &self.sockets {
            headers.clear();
            parts.clear();
            self.packets.each(jpeg, |header, scan| {
                let start = headers.len();
                headers.extend_from_slice(header);
                parts.push((start..headers.len(), scan));
            });
            let messages = parts
                .iter()
                .map(|(header, scan)| [IoSlice::new(&headers[header.clone()]), IoSlice::new(scan)]);
            self.calls.send(socket, messages.collect());
        }
    }
}

/// The floor: packets formatted beforehand, and nothing but one `sendmmsg` of UDP GSO messages a frame.
pub struct Gso {
    formatted: Vec<Vec<u8>>,
    message_octets: usize,
    sockets: Vec<UdpSocket>,
    calls: Calls,
}

impl Gso {
    pub fn new(pictures: &[Vec<u8>], destinations: &[SocketAddr]) -> Self {
        let mut packets = Packets::new();
        let segment = Packets::full_octets();
        let format = |jpeg: &Vec<u8>| {
            let mut octets = Vec::new();
            packets.each(jpeg, |header, scan| {
                octets.extend_from_slice(header);
                octets.extend_from_slice(scan);
            });
            octets
        };
        let segmenting = |destination: &SocketAddr| {
            let socket = connected(destination);
            let octets = i32::try_from(segment).expect("a segment of a UDP datagram");
            setsockopt(&socket, UdpGsoSegment, &octets).expect("a kernel with UDP_SEGMENT");
            socket
        };
        Self {
            formatted: pictures.iter().map(format).collect(),
            message_octets: (MAX_UDP_PAYLOAD / segment).min(MAX_SEGMENTS) * segment,
            sockets: destinations.iter().map(segmenting).collect(),
            calls: Calls::new(),
        }
    }
}

impl Sender for Gso {
    fn send(&mut self, index: usize) {
        let octets = &self.formatted[index % self.formatted.len()];
        for socket in &self.sockets {
            let messages = octets.chunks(self.message_octets);
            self.calls.send(
                socket,
                messages.map(|message| [IoSlice::new(message)]).collect(),
            );
        }
    }
}

/// What `sendmmsg` needs, kept from call to call.
struct Calls {
    headers: MultiHeaders<SockaddrIn>,
    connected: Vec<Option<SockaddrIn>>,
}

impl Calls {
    fn new() -> Self {
        Self {
            headers: MultiHeaders::preallocate(MAX_MESSAGES, None),
            connected: vec![None; MAX_MESSAGES],
        }
    }

    /// Sends all `messages`, in one call unless the kernel takes fewer.
    fn send<'a, const N: usize>(&'a mut self, socket: &UdpSocket, messages: Vec<[IoSlice<'a>; N]>) {
        let sent = sendmmsg(
            socket.as_raw_fd(),
            &mut self.headers,
            &messages,
            &self.connected,
            [],
            MsgFlags::empty(),
        );
        assert_eq!(sent.expect("the frame is sent").count(), messages.len());
    }
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    setsockopt(&socket, SndBufForce, &SEND_BUFFER)
        .or_else(|_| setsockopt(&socket, SndBuf, &SEND_BUFFER))
        .expect("a send buffer");
    socket
}

fn connected(destination: &SocketAddr) -> UdpSocket {
    let socket = socket();
    socket.connect(destination).expect("a route");
    socket
}
