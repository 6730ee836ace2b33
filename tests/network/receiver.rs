//! A receiver in a namespace: takes every datagram as soon as it comes and keeps what its headers say.

use std::collections::BTreeSet;
use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use framewire::rtp::header::RtpHeader;
use nix::sys::socket::sockopt::{
    IpRecvTos, Ipv4RecvTtl, Ipv6RecvHopLimit, Ipv6RecvTClass, RcvBufForce,
};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};

use crate::namespace::Namespace;

/// Receive buffer: more than this machine lets the receiver's thread wait.
const RECEIVE_BUFFER: usize = 16 << 20; // octets
/// Nothing for so long: nothing more is on its way.
const SILENCE: Duration = Duration::from_millis(300);

/// What an RTP packet and its IP header say.
#[derive(Clone, Debug)]
pub struct Packet {
    pub from: SocketAddr,
    pub sequence_number: u16,
    pub marker: bool,
    pub ssrc: u32,
    /// Of UDP payload.
    pub octets: usize,
    /// Time to live or hop limit.
    pub hops: i32,
    /// Type of service or traffic class.
    pub class: i32,
}

/// A socket and the thread that empties it.
pub struct Receiver {
    packets: Arc<Mutex<Vec<Packet>>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Listens in `namespace` at `address`, a unicast address of it.
    pub fn bind(namespace: &Namespace, address: &str) -> Self {
        let address: SocketAddr = address.parse().expect("an address and port");
        Self::new(namespace.enter(|| UdpSocket::bind(address).expect("the port is free")))
    }

    /// Listens in `namespace` at a multicast `address`, on `interface`.
    pub fn join(namespace: &Namespace, address: &str, interface: &str) -> Self {
        let address: SocketAddr = address.parse().expect("an address and port");
        let socket = namespace.enter(|| {
            let socket = UdpSocket::bind(address).expect("the port is free");
            let index = nix::net::if_::if_nametoindex(interface).expect("the interface exists");
            let joined = match address.ip() {
                // By the route to the group.
                IpAddr::V4(group) => socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED),
                IpAddr::V6(group) => socket.join_multicast_v6(&group, index),
            };
            joined.expect("the group can be joined");
            socket
        });
        Self::new(socket)
    }

    fn new(socket: UdpSocket) -> Self {
        setsockopt(&socket, RcvBufForce, &RECEIVE_BUFFER).expect("root may");
        let told = if socket.local_addr().is_ok_and(|address| address.is_ipv4()) {
            setsockopt(&socket, IpRecvTos, &true).and(setsockopt(&socket, Ipv4RecvTtl, &true))
        } else {
            setsockopt(&socket, Ipv6RecvTClass, &true).and(setsockopt(
                &socket,
                Ipv6RecvHopLimit,
                &true,
            ))
        };
        told.expect("the kernel tells what the IP header says");
        socket
            .set_read_timeout(Some(SILENCE))
            .expect("a time limit");
        let packets = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (packets, ended) = (packets.clone(), ended.clone());
            move || {
                loop {
                    match receive(&socket) {
                        Some(packet) => packets.lock().expect("no panic").push(packet),
                        None if ended.load(Ordering::Relaxed) => return,
                        None => {}
                    }
                }
            }
        });
        Self {
            packets,
            ended,
            thread: Some(thread),
        }
    }

    /// What has come so far.
    pub fn packets(&self) -> Vec<Packet> {
        self.packets.lock().expect("no panic").clone()
    }

    /// Frames that have come, as far as their last packets tell.
    pub fn frames(&self) -> usize {
        let packets = self.packets.lock().expect("no panic");
        packets.iter().filter(|packet| packet.marker).count()
    }

    /// Listens no longer than until nothing more comes.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// All that has come, after nothing more does.
    pub fn finish(mut self) -> Vec<Packet> {
        self.end();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the receiver does not panic");
        }
        self.packets()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.end();
    }
}

/// The next packet; `None` when none comes.
fn receive(socket: &UdpSocket) -> Option<Packet> {
    let mut octets = [0; 2048];
    let mut slices = [IoSliceMut::new(&mut octets)];
    let mut control = nix::cmsg_space!(i32, i32);
    let message = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut slices,
        Some(&mut control),
        MsgFlags::empty(),
    )
    .ok()?;
    let (mut hops, mut class) = (-1, -1);
    for message in message.cmsgs().expect("room for both") {
        match message {
            ControlMessageOwned::Ipv4Ttl(value) | ControlMessageOwned::Ipv6HopLimit(value) => {
                hops = value;
            }
            ControlMessageOwned::Ipv4Tos(value) => class = value.into(),
            ControlMessageOwned::Ipv6TClass(value) => class = value,
            _ => {}
        }
    }
    let (length, from) = (message.bytes, source(message.address?)?);
    let (header, _) = RtpHeader::parse(&octets[..length]).expect("a plain RTP header");
    Some(Packet {
        from,
        sequence_number: header.sequence_number,
        marker: header.marker,
        ssrc: header.ssrc,
        octets: length,
        hops,
        class,
    })
}

/// An address of the kernel's as the standard library's.
fn source(address: SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address
        .as_sockaddr_in()
        .map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| {
        address
            .as_sockaddr_in6()
            .map(|v6| SocketAddr::V6((*v6).into()))
    })
}

/// How many packets of a stream have come, and how many between the first and the last of them have not.
///
/// Both ends of a stream that lasts for less than 65,536 packets are known: a sender's own count tells of more.
pub fn arrived_and_missing(packets: &[Packet]) -> (usize, usize) {
    let Some(first) = packets.first() else {
        return (0, 0);
    };
    assert!(packets.iter().all(|packet| packet.ssrc == first.ssrc));
    // Counted from half the range below the first, so that packets that overtake it do not wrap.
    let base = first.sequence_number.wrapping_sub(1 << 15);
    let numbers: BTreeSet<u16> = packets
        .iter()
        .map(|packet| packet.sequence_number.wrapping_sub(base))
        .collect();
    let (lowest, highest) = (numbers.first(), numbers.last());
    let span = highest.zip(lowest).map_or(0, |(high, low)| high - low);
    (numbers.len(), usize::from(span) + 1 - numbers.len())
}
