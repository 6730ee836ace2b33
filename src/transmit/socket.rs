//! The UDP socket of one destination: many packets a system call, many packets a message where the kernel can.
//! udp(7) UDP_SEGMENT, sendmmsg(2), socket(7).

use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::sys::socket::{
    getsockopt, setsockopt,
    sockopt::{SendTimeout, SndBuf, SndBufForce, UdpGsoSegment},
};
use nix::sys::time::{TimeVal, TimeValLike};
use tracing::{debug, info, warn};

use super::batch::{Batch, SLICES_PER_PACKET};
use super::sendmmsg::sendmmsg;
use crate::stats::Sent;
use crate::throttle::Throttle;

/// Send buffer asked for, in octets: a 1080p frame at high quality with the kernel's bookkeeping.
const SEND_BUFFER_OCTETS: usize = 1 << 20;
/// Least send buffer that holds a whole frame; less is worth a line in the log. Octets as the kernel reports them.
const LEAST_SEND_BUFFER_OCTETS: usize = 512 << 10;
/// Longest that one call may wait for room in the send buffer, in milliseconds.
const SEND_TIMEOUT_MS: i64 = 200;
/// Most segments of a UDP GSO message (UDP_MAX_SEGMENTS of Linux before 6.9).
const MAX_SEGMENTS: usize = 64;
/// Most octets of UDP payload (RFC 768 with an IPv4 header of 20).
const MAX_UDP_PAYLOAD: usize = 65_507;

/// A connected UDP socket that sends batches.
#[derive(Debug)]
pub struct Socket {
    socket: UdpSocket,
    /// Packets in one message: 1 without UDP GSO.
    packets_per_message: usize,
    refusals: Throttle,
}

impl Socket {
    /// A socket from `local_port` (0 = any) to `destination` for packets of `packet_octets`, shorter last ones aside.
    pub fn new(destination: SocketAddr, local_port: u16, packet_octets: usize) -> io::Result<Self> {
        let local = match destination {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, local_port)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, local_port)),
        };
        let socket = UdpSocket::bind(local)?;
        socket.connect(destination)?;
        grow_send_buffer(&socket, destination);
        setsockopt(
            &socket,
            SendTimeout,
            &TimeVal::milliseconds(SEND_TIMEOUT_MS),
        )?;
        let packets_per_message = probe_gso(&socket, packet_octets);
        debug!("{destination}: {packets_per_message} packets a message");
        Ok(Self {
            socket,
            packets_per_message,
            refusals: Throttle::default(),
        })
    }

    /// Sends all packets of `batch`; on an error the rest of it is not sent.
    ///
    /// Resumes after partial sends, and without UDP GSO where the route turns out not to take it.
    pub fn send(&mut self, batch: &Batch) -> Result<Sent, (Sent, io::Error)> {
        let slices = batch.slices();
        let mut sent = Sent::default();
        let mut refusals = 0;
        let mut done = 0;
        while let Some(rest) = slices.get(done..).filter(|rest| !rest.is_empty()) {
            sent.send_calls += 1;
            match self.send_messages(rest) {
                Ok(count) => {
                    let taken = rest.get(..count).unwrap_or(rest);
                    sent.packets += (taken.len() / SLICES_PER_PACKET) as u64;
                    sent.octets += taken.iter().map(|slice| slice.len() as u64).sum::<u64>();
                    done += taken.len();
                }
                Err(Errno::EINTR) => {}
                // An ICMP answer to an earlier packet. The error is cleared by being reported: send again.
                Err(Errno::ECONNREFUSED) if refusals <= batch.len() => refusals += 1,
                Err(errno @ (Errno::EIO | Errno::EINVAL)) if self.packets_per_message > 1 => {
                    self.give_up_gso(errno);
                }
                Err(errno) => return Err((sent, errno.into())),
            }
        }
        if refusals > 0 {
            self.note_refusals();
        }
        Ok(sent)
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

    fn note_refusals(&mut self) {
        if let (Some(_), Ok(peer)) = (self.refusals.note(Instant::now()), self.socket.peer_addr()) {
            info!("{peer}: nobody listens there (ICMP port unreachable)");
        }
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
    use std::os::fd::AsRawFd;
    use std::time::Duration;

    use super::super::batch::MAX_PACKETS;
    use super::*;
    use crate::config::Mtu;
    use crate::jpeg::{Image, Sampling};
    use crate::rtp::Packetizer;

    /// 150 packets and a bit.
    static SCAN: [u8; 200_000] = [0x55; 200_000];

    fn packetizer() -> Packetizer {
        Packetizer::new(7, 0, Mtu::default(), false)
    }

    fn batch(packetizer: &mut Packetizer) -> Batch<'_> {
        let image = Image {
            width: 640,
            height: 480,
            sampling: Sampling::Yuv422,
            tables: [[1; 64]; 2],
            restart_interval: 0,
            scan: &SCAN,
        };
        let mut batch = Batch::new();
        assert!(batch.fill(packetizer.packets(&image, 0), MAX_PACKETS));
        batch
    }

    fn receiver() -> (UdpSocket, SocketAddr) {
        let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let timeout = Some(Duration::from_secs(2));
        receiver.set_read_timeout(timeout).unwrap();
        setsockopt(&receiver, nix::sys::socket::sockopt::RcvBuf, &(1 << 20)).unwrap();
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
        let mut packetizer = packetizer();
        let full = packetizer.packet_octets();
        let mut socket = Socket::new(address, 0, full).unwrap();
        break_gso(&mut socket);
        let batch = batch(&mut packetizer);
        let sent = socket.send(&batch).unwrap();
        assert_eq!(sent.packets, batch.len() as u64);
        assert_eq!(sent.octets, batch.octets() as u64);
        let received = receive(&receiver, batch.len());
        assert_eq!(received.len(), batch.len());
        let last = received.last().unwrap().0;
        assert_eq!(usize::from(last) + 1, batch.len());
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
    fn nobody_listening_is_no_failure() {
        let (receiver, address) = receiver();
        drop(receiver);
        let mut packetizer = packetizer();
        let mut socket = Socket::new(address, 0, packetizer.packet_octets()).unwrap();
        let batch = batch(&mut packetizer);
        for _ in 0..3 {
            let sent = socket.send(&batch).unwrap();
            assert_eq!(sent.packets, batch.len() as u64);
            assert!(sent.send_calls > 1, "partial sends were resumed");
        }
    }

    #[test]
    fn a_packet_that_cannot_be_sent_is_an_error() {
        let (_receiver, address) = receiver();
        let mut socket = Socket::new(address, 0, 1372).unwrap();
        // 255.255.255.255 needs SO_BROADCAST: connect(2) refuses it.
        assert!(Socket::new(([255, 255, 255, 255], 9).into(), 0, 1372).is_err());
        nix::sys::socket::shutdown(socket.socket.as_raw_fd(), nix::sys::socket::Shutdown::Write)
            .unwrap();
        let mut packetizer = packetizer();
        let (sent, error) = socket.send(&batch(&mut packetizer)).unwrap_err();
        assert_eq!(
            (sent.packets, error.raw_os_error()),
            (0, Some(Errno::EPIPE as i32))
        );
    }
}
