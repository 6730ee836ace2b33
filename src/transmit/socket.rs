//! The UDP socket of one destination: many packets a system call, many packets a message where the kernel can.
//! udp(7) UDP_SEGMENT, sendmmsg(2), socket(7), ip(7), ipv6(7).

use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    MsgFlags, getsockopt, recv, setsockopt,
    sockopt::{
        BindToDevice, IpMulticastTtl, Ipv4RecvErr, Ipv4Tos, Ipv6MulticastHops, Ipv6RecvErr,
        Ipv6TClass, ReceiveTimestampns, SndBuf, SndBufForce, SocketError, UdpGsoSegment,
    },
};
use tracing::{debug, info, warn};

use super::batch::{Batch, SLICES_PER_PACKET, Slices};
use super::sendmmsg::sendmmsg;
use crate::config::{self, Rtcp};
use crate::stats::Sent;

/// Send buffer asked for, in octets: a 1080p frame at high quality with the kernel's bookkeeping.
const SEND_BUFFER_OCTETS: usize = 1 << 20;
/// Least send buffer that holds a whole frame; less is worth a line in the log. Octets as the kernel reports them.
const LEAST_SEND_BUFFER_OCTETS: usize = 512 << 10;
/// Most segments of a UDP GSO message (UDP_MAX_SEGMENTS of Linux before 6.9).
const MAX_SEGMENTS: usize = 64;
/// Most octets of UDP payload (RFC 768 with an IPv4 header of 20).
const MAX_UDP_PAYLOAD: usize = 65_507;
/// Most errors that are forgotten at a time; a send buffer's worth of packets causes fewer.
const MAX_QUEUED_ERRORS: usize = 1024;

/// A connected UDP socket that sends batches and never blocks.
#[derive(Debug)]
pub struct Socket {
    socket: UdpSocket,
    destination: SocketAddr,
    /// Where packets come from.
    source: SocketAddr,
    /// Octets of every packet but the last of a frame.
    packet_octets: usize,
    /// Packets in one message: 1 without UDP GSO.
    packets_per_message: usize,
}

impl Socket {
    /// A socket to `destination`, which is one of `config`'s addresses. Where no local port is configured it has
    /// `former_port` (0 = none) again, if nobody else has it now.
    pub fn new(
        destination: SocketAddr,
        former_port: u16,
        config: &config::Output,
    ) -> io::Result<Self> {
        let socket = match config.local_port.get() {
            0 => bind(destination, former_port, config).or_else(|_| bind(destination, 0, config)),
            port => bind(destination, port, config),
        }?;
        socket.connect(destination)?;
        let local = socket.local_addr()?;
        // Without zone and flow: what receivers see.
        let source = SocketAddr::new(local.ip(), local.port());
        hear_icmp(&socket, destination)?;
        grow_send_buffer(&socket, destination);
        let mut socket = Self {
            socket,
            destination,
            source,
            packet_octets: 0,
            packets_per_message: 1,
        };
        socket.adapt(config)?;
        Ok(socket)
    }

    /// Sends from now on as `config` says, which may differ from before in all but interface and port.
    pub fn adapt(&mut self, config: &config::Output) -> io::Result<()> {
        let destination = self.destination;
        set_class(&self.socket, destination, config)?;
        let is_muxed = config.rtcp == Rtcp::Mux;
        let stamped = setsockopt(&self.socket, ReceiveTimestampns, &is_muxed);
        if is_muxed {
            stamped?; // Off is the default, also where it is not known (qemu's user mode).
        }
        self.packet_octets = config.mtu.udp_payload(destination.is_ipv6());
        self.packets_per_message = probe_gso(&self.socket, self.packet_octets);
        debug!(
            "{destination}: {} packets a message",
            self.packets_per_message
        );
        Ok(())
    }

    /// Where packets go.
    pub fn destination(&self) -> SocketAddr {
        self.destination
    }

    /// Octets of UDP payload of every packet but the last of a frame.
    pub fn packet_octets(&self) -> usize {
        self.packet_octets
    }

    /// Most packets that leave as one message.
    pub fn packets_per_message(&self) -> usize {
        self.packets_per_message
    }

    /// Where packets come from.
    pub fn source(&self) -> SocketAddr {
        self.source
    }

    /// The errors that wait to be reported, ICMP answers to earlier packets perhaps, are forgotten.
    pub fn forget_error(&self) {
        let mut octets = [0; 1];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        for _ in 0..MAX_QUEUED_ERRORS {
            if recv(self.socket.as_raw_fd(), &mut octets, flags).is_err() {
                break;
            }
        }
        // Reading it clears it. Where there is none, there is nothing to clear.
        let _ = getsockopt(&self.socket, SocketError);
    }

    /// Sends one datagram, which is no part of a frame.
    pub fn send_datagram(&self, octets: &[u8]) -> io::Result<()> {
        // Shorter than a segment, so it goes as it is.
        self.socket.send(octets).map(drop)
    }

    /// Sends the packets of `batch`; tells what the kernel took also when it did not take them all.
    ///
    /// Resumes after partial sends, and without UDP GSO where the route turns out not to take it.
    /// EAGAIN: the send buffer is full. ENOBUFS: the device's queue is. ECONNREFUSED, EHOSTUNREACH and others:
    /// an ICMP answer to an earlier packet.
    pub fn send(&mut self, batch: &Batch) -> (Sent, Result<(), Errno>) {
        let mut slices = Slices::new();
        batch.gather(&mut slices);
        let mut sent = Sent::default();
        let mut done = 0;
        while let Some(rest) = slices.get(done..).filter(|rest| !rest.is_empty()) {
            sent.send_calls += 1;
            match self.send_messages(rest) {
                Ok(count) => {
                    let taken = rest.get(..count).unwrap_or(rest);
                    let first = done / SLICES_PER_PACKET;
                    done += taken.len();
                    let packets = first..done / SLICES_PER_PACKET;
                    let (octets, payload_octets) = batch.octets(packets.clone());
                    sent.packets += packets.len() as u64;
                    sent.octets += octets as u64;
                    sent.payload_octets += payload_octets as u64;
                }
                Err(Errno::EINTR) => {}
                Err(errno @ (Errno::EIO | Errno::EINVAL)) if self.packets_per_message > 1 => {
                    self.give_up_gso(errno);
                }
                Err(errno) => return (sent, Err(errno)),
            }
        }
        (sent, Ok(()))
    }

    /// One sendmmsg(2); returns how many of `slices` the kernel took.
    fn send_messages(&self, slices: &[IoSlice]) -> Result<usize, Errno> {
        let messages = || slices.chunks(self.packets_per_message * SLICES_PER_PACKET);
        let taken = sendmmsg(self.socket.as_fd(), messages())?;
        Ok(messages().take(taken).map(<[IoSlice]>::len).sum())
    }

    /// EIO: the device cannot checksum segments. EINVAL: the route's MTU is smaller than a packet.
    fn give_up_gso(&mut self, errno: Errno) {
        warn!("UDP segmentation offload does not work here ({errno}), sending packet by packet");
        self.packets_per_message = 1;
        if let Err(errno) = setsockopt(&self.socket, UdpGsoSegment, &0) {
            warn!("cannot switch UDP segmentation offload off: {errno}");
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A non-blocking socket from `local_port` (0 = any) that reaches `destination` in the way that `config` says.
pub fn bind(
    destination: SocketAddr,
    local_port: u16,
    config: &config::Output,
) -> io::Result<UdpSocket> {
    let local = match destination {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, local_port)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, local_port)),
    };
    let socket = UdpSocket::bind(local)?;
    socket.set_nonblocking(true)?;
    set_route(&socket, destination, config)?;
    Ok(socket)
}

/// Makes packets of `socket` to `destination` leave as `config` says: interface, class of service, time to live.
pub fn set_route(
    socket: &UdpSocket,
    destination: SocketAddr,
    config: &config::Output,
) -> io::Result<()> {
    if let Some(interface) = &config.interface {
        setsockopt(socket, BindToDevice, &OsString::from(interface.as_str())).map_err(|errno| {
            io::Error::other(format!(
                "interface {}: {}",
                interface.as_str(),
                errno.desc()
            ))
        })?;
    }
    set_class(socket, destination, config)?;
    Ok(())
}

/// The same but for the interface.
fn set_class(
    socket: &UdpSocket,
    destination: SocketAddr,
    config: &config::Output,
) -> Result<(), Errno> {
    let class = i32::from(config.dscp.traffic_class());
    let ttl = config.ttl.get();
    match destination {
        SocketAddr::V4(_) => {
            setsockopt(socket, Ipv4Tos, &class)?;
            setsockopt(socket, IpMulticastTtl, &ttl)?;
        }
        SocketAddr::V6(_) => {
            setsockopt(socket, Ipv6TClass, &class)?;
            setsockopt(socket, Ipv6MulticastHops, &i32::from(ttl))?;
        }
    }
    Ok(())
}

/// Turns on the report of every ICMP error, also of those from a router that cannot find the host, and of a full
/// device queue: by default the kernel keeps both to itself (ip(7), IP_RECVERR).
fn hear_icmp(socket: &UdpSocket, destination: SocketAddr) -> Result<(), Errno> {
    match destination {
        SocketAddr::V4(_) => setsockopt(socket, Ipv4RecvErr, &true),
        SocketAddr::V6(_) => setsockopt(socket, Ipv6RecvErr, &true),
    }
}

/// SO_SNDBUFFORCE needs CAP_NET_ADMIN and passes net.core.wmem_max; SO_SNDBUF is cut to it.
fn grow_send_buffer(socket: &UdpSocket, destination: SocketAddr) {
    let grown = setsockopt(socket, SndBufForce, &SEND_BUFFER_OCTETS)
        .or_else(|_| setsockopt(socket, SndBuf, &SEND_BUFFER_OCTETS));
    match (grown, getsockopt(socket, SndBuf)) {
        (Ok(()), Ok(octets)) if octets >= LEAST_SEND_BUFFER_OCTETS => {}
        (Ok(()), Ok(octets)) => info!(
            "{destination}: the send buffer is {octets} octets, less than a large frame; \
             `sysctl net.core.wmem_max={SEND_BUFFER_OCTETS}` allows more"
        ),
        (Err(errno), _) | (_, Err(errno)) => {
            warn!("{destination}: cannot set the send buffer: {errno}");
        }
    }
}

/// Packets that fit a message when the kernel knows UDP_SEGMENT (Linux 4.18), else 1.
///
/// The option holds for the socket: every packet but the last of a frame has this one length.
fn probe_gso(socket: &UdpSocket, packet_octets: usize) -> usize {
    let Ok(segment) = i32::try_from(packet_octets) else {
        return 1;
    };
    match setsockopt(socket, UdpGsoSegment, &segment) {
        Ok(()) => (MAX_UDP_PAYLOAD / packet_octets).clamp(1, MAX_SEGMENTS),
        Err(errno) => {
            info!(
                "this kernel has no UDP segmentation offload ({errno}), sending packet by packet"
            );
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use nix::sys::socket::sockopt::RcvBuf;

    use super::super::batch::{Entries, Headers, MAX_PACKETS};
    use super::*;
    use crate::config::Config;
    use crate::rtp::carry::Sampling;
    use crate::rtp::header::HEADER_OCTETS;
    use crate::rtp::{Carried, Packetizer};

    /// 150 packets and a bit.
    static SCAN: [u8; 200_000] = [0x55; 200_000];

    fn config(lines: &str) -> config::Output {
        let text =
            format!("[[camera]]\nname = \"x\"\n[[camera.rtp]]\ndestination = \"h:1\"\n{lines}");
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
}
