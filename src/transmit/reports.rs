//! The RTCP side of one output: sender reports out, receiver reports in.
//! RFC 3550 6, RFC 5761 (one port for both).

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;
use tracing::{debug, info};

use super::multicast;
use super::report_times::ReportTimes;
use super::silence::{self, Silence};
use super::socket::{self, Socket};
use crate::clocks;
use crate::cname;
use crate::config::{self, Rtcp};
use crate::rtp::rtcp::{ReceptionReport, SenderInfo, ntp_timestamp};
use crate::stats::output::{OutputStats, Receiver};

/// Reports are looked for this often.
const LOOK: Duration = Duration::from_millis(250);
/// Most datagrams read at a time: more wait in the socket's buffer or are dropped there.
const MAX_DATAGRAMS: usize = 64;
/// Longest datagram that is read; reports of receivers are shorter.
const MAX_DATAGRAM_OCTETS: usize = 1500;

/// Reports of one output.
#[derive(Debug)]
pub struct Reports {
    config: config::Output,
    /// To the address of the stream it was made for; `None` until the first report, and when muxed.
    socket: Option<(SocketAddr, UdpSocket)>,
    /// The port that reports came from last: receivers know it. 0 = none.
    local_port: u16,
    times: ReportTimes,
    next_look: Instant,
    silence: Silence,
    /// Room for the time stamps that come with datagrams.
    control: Vec<u8>,
}

impl Reports {
    /// For the output of `config`; the first report follows the first frame, from `local_port` (0 = any) when it can.
    pub fn new(config: &config::Output, local_port: u16) -> Self {
        Self {
            config: config.clone(),
            socket: None,
            local_port,
            times: ReportTimes::new(),
            next_look: Instant::now(),
            silence: Silence::default(),
            control: nix::cmsg_space!(TimeSpec),
        }
    }

    /// Uses another configuration for the same output: the next report is due at once.
    pub fn change(&mut self, config: &config::Output) {
        *self = Self::new(config, self.local_port);
    }

    /// The port that reports came from last, 0 = none.
    pub fn local_port(&self) -> u16 {
        self.local_port
    }

    /// Whether it is time for [`Reports::keep_up`].
    pub fn are_due(&self, now: Instant) -> bool {
        now >= self.next_look
    }

    /// Reads what has come; sends a report when one is due. `info` is of the instant of `clocks`, `stream` is the socket
    /// of the stream.
    pub fn keep_up(
        &mut self,
        stream: &Socket,
        info: SenderInfo,
        clocks: clocks::Reading,
        now: Instant,
        stats: &OutputStats,
    ) {
        if info.packet_count == 0 {
            return;
        }
        self.next_look = now + LOOK;
        let heard = self.read(stream, info.ssrc, now, stats);
        if heard.new {
            self.begin_series();
        }
        if self.silence.is_long(!stats.had_problem(), heard.any, now) {
            info!(
                "{}: no receiver has reported within {} s: there may be none, a firewall may be in the way, \
                 or the receiver sends no reports",
                self.config.destination,
                silence::LONG.as_secs()
            );
        }
        if !self.times.is_due(now, clocks) {
            return;
        }
        self.times.reported(now, clocks);
        if let Err(error) = self.send(stream, info, false) {
            // The interface may have gone, and another come under its name.
            self.socket = None;
            debug!("{}: no report: {error}", self.config.destination);
        }
    }

    /// Some receiver has no time yet: reports come soon and often.
    pub fn begin_series(&mut self) {
        self.times.begin_series();
    }

    /// The last report, which ends the stream.
    pub fn say_goodbye(&mut self, stream: &Socket, info: SenderInfo) {
        if info.packet_count == 0 {
            return;
        }
        if let Err(error) = self.send(stream, info, true) {
            debug!("{}: no BYE: {error}", self.config.destination);
        }
    }

    fn send(&mut self, stream: &Socket, info: SenderInfo, end: bool) -> io::Result<()> {
        let octets = info.to_octets(cname::text(), end);
        if self.config.rtcp == Rtcp::Mux {
            return stream.send_datagram(&octets);
        }
        let (destination, socket) = self.socket_beside(stream)?;
        socket.send_to(&octets, destination).map(drop)
    }

    /// The socket beside the stream's, a new one when the stream has got another address. Not connected, so that
    /// receivers may report from any port.
    fn socket_beside(&mut self, stream: &Socket) -> io::Result<(SocketAddr, &UdpSocket)> {
        let mut destination = stream.destination();
        let (Some(above), Some(local_above)) = (
            destination.port().checked_add(1),
            stream.source().port().checked_add(1),
        ) else {
            return Err(io::Error::other("there is no port above 65535"));
        };
        destination.set_port(above);
        let socket = match self.socket.take() {
            Some((known, socket)) if known == destination => socket,
            _ => {
                let bind = |port| socket::bind(destination, port, &self.config);
                let former = if self.local_port == 0 {
                    local_above
                } else {
                    self.local_port
                };
                let socket = if destination.ip().is_multicast() {
                    multicast::join(destination, &self.config)?
                } else {
                    bind(former)
                        .or_else(|_| bind(local_above))
                        .or_else(|_| bind(0))?
                };
                setsockopt(&socket, ReceiveTimestampns, &true)?;
                self.local_port = socket.local_addr()?.port();
                socket
            }
        };
        let (_, socket) = self.socket.insert((destination, socket));
        Ok((destination, socket))
    }

    /// What receivers have reported.
    fn read(&mut self, stream: &Socket, ssrc: u32, now: Instant, stats: &OutputStats) -> Heard {
        let socket = match &self.socket {
            Some((_, socket)) => socket.as_fd(),
            None if self.config.rtcp == Rtcp::Mux => stream.as_fd(),
            None => return Heard::default(),
        };
        let mut all = Heard::default();
        for _ in 0..MAX_DATAGRAMS {
            let mut octets = [0; MAX_DATAGRAM_OCTETS];
            let Some((length, arrival)) = receive(socket, &mut octets, &mut self.control) else {
                break;
            };
            let datagram = octets.get(..length).unwrap_or_default();
            match ReceptionReport::parse(datagram, ssrc) {
                Ok(reports) => {
                    all.any |= !reports.is_empty();
                    for report in &reports {
                        all.new |= stats.heard_of(heard(report, ntp_timestamp(arrival)), now);
                    }
                }
                Err(error) => debug!("{}: not a report: {error}", self.config.destination),
            }
        }
        all
    }
}

/// Which receivers have reported.
#[derive(Debug, Default)]
struct Heard {
    /// Some one.
    any: bool,
    /// One that had not before.
    new: bool,
}

/// The next datagram and when the kernel received it, since 1970; `None` when there is none. `control` has room for a
/// time stamp.
fn receive(socket: BorrowedFd, octets: &mut [u8], control: &mut [u8]) -> Option<(usize, Duration)> {
    let mut slices = [IoSliceMut::new(octets)];
    let message = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut slices,
        Some(control),
        MsgFlags::MSG_DONTWAIT,
    )
    .ok()?;
    let stamped = message.cmsgs().ok().and_then(|mut messages| {
        messages.find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time)),
            _ => None,
        })
    });
    let arrival = stamped.unwrap_or_else(|| clocks::Reading::now().unix);
    Some((message.bytes, arrival))
}

fn heard(report: &ReceptionReport, arrival: u64) -> Receiver {
    let ms = |duration: Duration| duration.as_secs_f32() * 1000.0;
    Receiver {
        ssrc: report.receiver,
        fraction_lost: f32::from(report.fraction_lost) / 256.0,
        packets_lost: report.cumulative_lost,
        jitter_ms: ms(report.jitter()),
        round_trip_ms: report.round_trip(arrival).map(ms),
    }
}
