//! The transmit thread of a camera: each frame is parsed, cut into packets and sent to every destination.
//! RFC 2435, RFC 3550; system calls in [`socket`].

pub mod batch;
mod sendmmsg;
pub mod socket;
mod wanted;

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Instant;

use tracing::{error, info, warn};

use crate::config::{Destination, Rtp};
use crate::frame::Frame;
use crate::handoff::{Handoff, Parker, Taken};
use crate::jpeg::Image;
use crate::pulse::{LONGEST_WAIT, Pulse};
use crate::rtp::{Clock, Packetizer};
use crate::stats::{DropReason, Sent, Stats};
use crate::throttle::Throttle;

use batch::{Batch, MAX_PACKETS};
use socket::Socket;
pub use wanted::Wanted;

/// Why a destination cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("destination {destination}: {error}")]
pub struct OutputError {
    destination: Destination,
    error: io::Error,
}

/// One RTP stream to one destination.
#[derive(Debug)]
pub struct Output {
    destination: SocketAddr,
    socket: Socket,
    packetizer: Packetizer,
    clock: Clock,
    errors: Throttle,
}

impl Output {
    /// Resolves the destination and opens its socket. Sequence number, timestamp and SSRC start random (RFC 3550 5.1).
    pub fn new(config: &Rtp) -> Result<Self, OutputError> {
        Self::open(config).map_err(|error| OutputError {
            destination: config.destination.clone(),
            error,
        })
    }

    fn open(config: &Rtp) -> io::Result<Self> {
        let destination = resolve(&config.destination)?;
        let [s1, s0, o3, o2, o1, o0, c3, c2, c1, c0] = random()?;
        let ssrc = config
            .ssrc
            .map_or(u32::from_be_bytes([c3, c2, c1, c0]), |ssrc| ssrc.get());
        let packetizer = Packetizer::new(
            ssrc,
            u16::from_be_bytes([s1, s0]),
            config.mtu,
            destination.is_ipv6(),
        );
        Ok(Self {
            destination,
            socket: Socket::new(
                destination,
                config.local_port.get(),
                packetizer.packet_octets(),
            )?,
            packetizer,
            clock: Clock::new(u32::from_be_bytes([o3, o2, o1, o0])),
            errors: Throttle::default(),
        })
    }

    /// Sends all packets of `image`, captured with `frame`; true when the kernel took them all.
    pub fn send(&mut self, frame: &Frame, image: &Image, stats: &Stats) -> bool {
        let timestamp = self.clock.timestamp(frame.captured);
        let mut packets = self.packetizer.packets(image, timestamp);
        let mut total = Sent::default();
        let mut batch = Batch::new();
        let mut complete = true;
        while batch.fill(packets.by_ref(), MAX_PACKETS) {
            // After an error the rest is only numbered: receivers see the loss as a gap.
            if !complete {
                continue;
            }
            let sent = self.socket.send(&batch).unwrap_or_else(|(sent, error)| {
                complete = false;
                if let Some(count) = self.errors.note(Instant::now()) {
                    warn!(
                        "{}: sending failed, {count} times: {error}",
                        self.destination
                    );
                }
                sent
            });
            total += sent;
        }
        stats.output(total);
        if !complete {
            stats.send_error();
        }
        complete
    }
}

/// The first address of the destination; names are looked up as the system is set up to.
pub fn resolve(destination: &Destination) -> io::Result<SocketAddr> {
    (destination.host.as_str(), destination.port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(io::Error::other)?;
    Ok(octets)
}

/// Sends frames from `handoff` to all `wanted` outputs until there are no more, or `limit` frames were sent.
pub fn run(
    name: &str,
    handoff: &Handoff,
    wanted: &Wanted,
    stats: &Stats,
    pulse: &Pulse,
    limit: Option<u64>,
) {
    let parker = Parker::new();
    let mut refusals = Refusals::default();
    let mut outputs: Vec<Output> = Vec::new();
    let mut sent = 0;
    while limit.is_none_or(|limit| sent < limit) {
        pulse.beat();
        if let Some(wanted) = wanted.take() {
            outputs = wanted
                .iter()
                .filter_map(|config| {
                    Output::new(config)
                        .inspect_err(|problem| error!("{name}: {problem}"))
                        .ok()
                })
                .collect();
        }
        let frame = match handoff.take(&parker, LONGEST_WAIT) {
            Taken::Frame(frame) => frame,
            Taken::Nothing => continue,
            Taken::End => break,
        };
        match Image::parse(&frame.data) {
            Ok(image) => {
                let mut any = false;
                for output in outputs.iter_mut() {
                    any |= output.send(&frame, &image, stats);
                }
                if any {
                    sent = stats.frame_sent();
                } else {
                    stats.frame_dropped(DropReason::SendFailed);
                }
            }
            Err(unsupported) => {
                let reason = DropReason::from(unsupported);
                stats.frame_dropped(reason);
                if let Some(count) = refusals.note(reason) {
                    warn!("{name}: frame dropped, {count} times: {unsupported}");
                }
            }
        }
    }
    if handoff.abandon().is_some() {
        stats.frame_dropped(DropReason::Stopped);
    }
    info!("{name}: sending ended");
}

/// One log line a minute for each reason.
#[derive(Default)]
struct Refusals([Throttle; DropReason::ALL.len()]);

impl Refusals {
    fn note(&mut self, reason: DropReason) -> Option<u64> {
        self.0.get_mut(reason as usize)?.note(Instant::now())
    }
}
