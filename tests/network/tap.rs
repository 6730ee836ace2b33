//! When each packet came to a router, by the kernel's clock and before any queue, and what a queue of the router
//! would have made of them.
//! packet(7), SO_TIMESTAMPNS.

use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::sys::socket::sockopt::{RcvBufForce, ReceiveTimestampns};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg,
    setsockopt, socket,
};
use nix::sys::time::TimeSpec;

use crate::namespace::Namespace;

/// Receive buffer: for all packets of a run, which are read when it is over.
const RECEIVE_BUFFER: usize = 64 << 20; // octets
/// Of Ethernet, which the packet socket leaves out (IEEE 802.3 3.1.1).
const ETHERNET_HEADER: usize = 14; // octets
/// Where the IPv4 header without options has its protocol (RFC 791 3.1), and the UDP header after it its
/// destination port (RFC 768).
const PROTOCOL: usize = 9;
const DESTINATION_PORT: usize = 22;
const UDP: u8 = 17;

/// A packet that came in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// On the system's clock.
    pub at: Duration,
    /// With the Ethernet header.
    pub octets: usize,
}

/// Notes what comes in.
pub struct Tap(OwnedFd);

impl Tap {
    /// Begins with the IPv4 packets that come to `namespace`; what it sends itself does not count.
    pub fn new(namespace: &Namespace) -> Self {
        let socket = namespace.enter(|| {
            socket(
                AddressFamily::Packet,
                SockType::Datagram,
                SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC,
                SockProtocol::EthIp,
            )
        });
        let socket = socket.expect("root may have packet sockets");
        setsockopt(&socket, RcvBufForce, &RECEIVE_BUFFER).expect("root may");
        setsockopt(&socket, ReceiveTimestampns, &true).expect("the kernel notes times");
        Self(socket)
    }

    /// The UDP packets so far that were for `port`.
    pub fn arrivals(&self, port: u16) -> Vec<Arrival> {
        std::iter::from_fn(|| self.next())
            .filter_map(|(arrival, for_port)| (for_port == Some(port)).then_some(arrival))
            .collect()
    }

    /// The next packet, and its port if it is one of UDP.
    fn next(&self) -> Option<(Arrival, Option<u16>)> {
        let mut octets = [0; 2048];
        let mut slices = [IoSliceMut::new(&mut octets)];
        let mut control = nix::cmsg_space!(TimeSpec);
        let message = recvmsg::<()>(
            self.0.as_raw_fd(),
            &mut slices,
            Some(&mut control),
            MsgFlags::empty(),
        )
        .ok()?;
        let at = message.cmsgs().expect("room for it").find_map(|message| {
            let ControlMessageOwned::ScmTimestampns(time) = message else {
                return None;
            };
            Some(Duration::from(time))
        });
        let arrival = Arrival {
            at: at.expect("every packet has its time"),
            octets: message.bytes + ETHERNET_HEADER,
        };
        let port = [octets[DESTINATION_PORT], octets[DESTINATION_PORT + 1]];
        let is_udp = octets[PROTOCOL] == UDP;
        Some((arrival, is_udp.then_some(u16::from_be_bytes(port))))
    }
}

/// How many of the packets a link with `rate` bits per second and a queue of `limit` packets, the one that is leaving
/// among them, loses when it is never late.
pub fn lost_behind(arrivals: &[Arrival], rate: u32, limit: usize) -> usize {
    // When each packet in the queue will have left.
    let mut queue = VecDeque::<Duration>::new();
    let mut lost = 0;
    for Arrival { at, octets } in arrivals {
        while queue.pop_front_if(|left| *left <= *at).is_some() {}
        if queue.len() < limit {
            let begins = queue.back().unwrap_or(at);
            let takes = Duration::from_secs_f64(8.0 * *octets as f64 / f64::from(rate));
            queue.push_back(*begins + takes);
        } else {
            lost += 1;
        }
    }
    lost
}

/// Batches of 20 packets that take 0.1 ms each.
#[test]
fn batches_pass_that_have_time_to_leave() {
    let lost = |gap| {
        let arrivals: Vec<_> = (0..100)
            .map(|packet| Arrival {
                at: packet / 20 * gap,
                octets: 1250,
            })
            .collect();
        lost_behind(&arrivals, 100_000_000, 40)
    };
    assert_eq!(lost(Duration::from_millis(2)), 0);
    // Ten leave before the next twenty come: from the fourth batch on ten find no room.
    assert_eq!(lost(Duration::from_millis(1)), 20);
    assert_eq!(lost(Duration::ZERO), 60);
}
