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

use super::advice;
use super::batch::{Batch, SLICES_PER_PACKET, Slices};
use super::path_mtu;
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
/// Packets become no smaller than this, whatever a router says: octets of an IP packet (Linux's net.ipv4.route.min_pmtu).
const LEAST_MTU: usize = 552;
/// Most errors that are forgotten at a time; a send buffer's worth of packets causes fewer.
const MAX_QUEUED_ERRORS: usize = 1024;

/// A connected UDP socket that sends batches and never blocks.
#[derive(Debug)]
pub struct Socket {
    socket: UdpSocket,
    destination: SocketAddr,
    /// Where packets come from.
    source: SocketAddr,
    /// Octets of every packet but the last of a frame, as configured.
    configured_octets: usize,
    /// The same, no more than the path takes.
    packet_octets: usize,
    /// Octets of the headers below.
    header_octets: usize,
    /// Packets in one message: 1 without UDP GSO.
    packets_per_message: usize,
    /// Whether UDP GSO has failed here.
    gso_failed: bool,
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
            port => {
                bind(destination, port, config).map_err(|error| advice::on_local_port(error, port))
            }
        }?;
        let connected = socket.connect(destination);
        connected.map_err(|error| advice::on_way(error, destination))?;
        let local = socket.local_addr()?;
        // Without zone and flow: what receivers see.
        let source = SocketAddr::new(local.ip(), local.port());
        hear_icmp(&socket, destination)?;
        if let Err(error) = path_mtu::discover(&socket, destination) {
            debug!("{destination}: packets may be sent in fragments: {error}");
        }
        grow_send_buffer(&socket, destination);
        let mut socket = Self {
            socket,
            destination,
            source,
            configured_octets: 0,
            packet_octets: 0,
            header_octets: 0,
            packets_per_message: 1,
            gso_failed: false,
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
        self.configured_octets = config.mtu.udp_payload(destination.is_ipv6());
        self.header_octets = usize::from(config.mtu.get()) - self.configured_octets;
        self.fit_path();
        debug!(
            "{destination}: {} packets a message",
            self.packets_per_message
        );
        Ok(())
    }

    /// Makes packets as large as configured, or as the path takes them. Tells whether that is another size.
    pub fn fit_path(&mut self) -> bool {
        let octets = self.configured_octets.min(self.path_octets());
        let has_changed = octets != self.packet_octets;
        if has_changed {
            self.packet_octets = octets;
            self.packets_per_message = if self.gso_failed {
                1
            } else {
                probe_gso(&self.socket, octets)
            };
        }
        has_changed
    }

    /// Octets of UDP payload that the path takes.
    fn path_octets(&self) -> usize {
        let mtu = path_mtu::of(&self.socket, self.destination).unwrap_or(usize::MAX);
        mtu.max(LEAST_MTU) - self.header_octets
    }

    /// The path's MTU and the configured one, where the path has the smaller.
    pub fn narrow_path(&self) -> Option<(usize, usize)> {
        let mtu = |octets| octets + self.header_octets;
        (self.packet_octets < self.configured_octets)
            .then(|| (mtu(self.packet_octets), mtu(self.configured_octets)))
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
    /// EAGAIN: the send buffer is full. ENOBUFS: the device's queue is. EMSGSIZE: the path takes smaller packets only.
    /// ECONNREFUSED, EHOSTUNREACH and others: an ICMP answer to an earlier packet.
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
                // So says a kernel of segments that are larger than the path's MTU.
                Err(Errno::EINVAL) if self.path_octets() < self.packet_octets => {
                    return (sent, Err(Errno::EMSGSIZE));
                }
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

    /// EIO: the device cannot checksum segments. EINVAL: it cannot do so many.
    fn give_up_gso(&mut self, errno: Errno) {
        warn!("UDP segmentation offload does not work here ({errno}), sending packet by packet");
        self.gso_failed = true;
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
mod tests;
