//! What `ip` and `tc` would do, in the kernel's own words, because the machine has neither.
//! rtnetlink(7), sch_netem: include/uapi/linux/rtnetlink.h and pkt_sched.h.

use std::os::fd::AsRawFd;

use nix::sys::socket::{
    self, AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType,
};

const RTM_NEWLINK: u16 = 16;
const RTM_NEWQDISC: u16 = 36;
const RTM_DELQDISC: u16 = 37;
const REQUEST_ACK: u16 = 1 | 4; // NLM_F_REQUEST | NLM_F_ACK
const CREATE: u16 = 0x200 | 0x400; // NLM_F_EXCL | NLM_F_CREATE
const HEADER: usize = 16; // octets, struct nlmsghdr

const LOOPBACK: i32 = 1; // the interface index of lo in every network namespace
const IFF_UP: u32 = 1;
const ROOT: u32 = u32::MAX; // TC_H_ROOT: what leaves by the interface goes through it
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_NETEM_REORDER: u16 = 3;
const TICK: u32 = 64; // nanoseconds of the packet scheduler's clock
const QUEUE: u32 = 100_000; // packets: none is lost for want of room

/// A bad network: shares of the packets from 0 to 1, and how long those are under way that are not in a hurry.
pub struct Weather {
    pub loss: f64,
    pub overtaking: f64,
    pub delay_us: u32,
}

/// Sets the loopback interface to work.
pub fn loopback_up() -> nix::Result<()> {
    let link = [
        &[0; 4][..], // family and type: unspecified
        &LOOPBACK.to_ne_bytes(),
        &IFF_UP.to_ne_bytes(), // the flags
        &IFF_UP.to_ne_bytes(), // and the mask of what changes
    ];
    ask(RTM_NEWLINK, REQUEST_ACK, &link.concat())
}

/// The loopback interface loses and delays packets until the value is dropped.
pub struct BadNetwork(());

impl BadNetwork {
    pub fn begin(weather: &Weather) -> nix::Result<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share is 0.0..=1.0"
        )]
        let share = |part: f64| (part * f64::from(u32::MAX)) as u32;
        // struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter. A gap of 1 says that any packet may
        // overtake others.
        let delay = weather.delay_us * 1000 / TICK;
        let options = [delay, QUEUE, share(weather.loss), 1, 0, 0].map(u32::to_ne_bytes);
        let reorder = [share(weather.overtaking), 0].map(u32::to_ne_bytes); // and no correlation
        let options = [
            options.concat(),
            attribute(TCA_NETEM_REORDER, &reorder.concat()),
        ];
        let queue = [
            discipline(),
            attribute(TCA_KIND, b"netem\0"),
            attribute(TCA_OPTIONS, &options.concat()),
        ];
        ask(RTM_NEWQDISC, REQUEST_ACK | CREATE, &queue.concat())?;
        Ok(Self(()))
    }
}

impl Drop for BadNetwork {
    fn drop(&mut self) {
        // What is under way is lost with it.
        let _ = ask(RTM_DELQDISC, REQUEST_ACK, &discipline());
    }
}

/// struct tcmsg for the root of lo.
fn discipline() -> Vec<u8> {
    [
        &[0; 4][..], // family and padding
        &LOOPBACK.to_ne_bytes(),
        &[0; 4], // handle: the kernel's choice
        &ROOT.to_ne_bytes(),
        &[0; 4],
    ]
    .concat()
}

/// struct rtattr with its value, padded.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).expect("ours are short");
    let mut octets = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
    octets.resize(octets.len().next_multiple_of(4), 0);
    octets
}

/// Sends one request and waits for the answer.
fn ask(kind: u16, flags: u16, body: &[u8]) -> nix::Result<()> {
    let length = u32::try_from(HEADER + body.len()).expect("ours are short");
    let message = [
        &length.to_ne_bytes()[..],
        &kind.to_ne_bytes(),
        &flags.to_ne_bytes(),
        &[0; 8], // sequence and port
        body,
    ]
    .concat();
    let wire = socket::socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::empty(),
        SockProtocol::NetlinkRoute,
    )?;
    let kernel = NetlinkAddr::new(0, 0);
    socket::sendto(wire.as_raw_fd(), &message, &kernel, MsgFlags::empty())?;
    let mut answer = [0; 256];
    let length = socket::recv(wire.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    // struct nlmsgerr behind the header: 0, or an errno with its sign changed
    let code = answer[..length]
        .get(HEADER..HEADER + 4)
        .and_then(|octets| octets.as_array());
    match code.map(|octets| i32::from_ne_bytes(*octets)) {
        Some(0) => Ok(()),
        Some(code) => Err(nix::Error::from_raw(-code)),
        None => Err(nix::Error::EPROTO),
    }
}
