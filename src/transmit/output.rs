//! One RTP stream to one destination: numbered, timed, sent and reported on.
//! RFC 3550 5.1, 6.4.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::info;

use super::delivery::{Delivery, State};
use super::link::Link;
use super::pace::Pace;
use super::reports::Reports;
use crate::clocks;
use crate::config::{self, Pacing, Rtcp};
use crate::frame::Frame;
use crate::ledger::{Entry, Identity};
use crate::log_limit::LogLimit;
use crate::random::random;
use crate::rtp::rtcp::{SenderInfo, ntp_timestamp};
use crate::rtp::{Carried, Clock, Packetizer};
use crate::sessions::Session;
use crate::stats::output::OutputStats;

/// A destination whose packets do not leave is waited for at least this long: a frame's usual time.
const LEAST_PATIENCE: Duration = Duration::from_millis(33);

/// Who keeps what a stream is known by.
#[derive(Debug)]
enum Keeper {
    Nobody,
    Ledger(Entry),
    Session(Arc<Session>),
}

impl Keeper {
    fn of_entry(entry: Option<Entry>) -> Self {
        entry.map_or(Self::Nobody, Self::Ledger)
    }
}

/// An RTP stream.
#[derive(Debug)]
pub struct Output {
    link: Link,
    packetizer: Packetizer,
    clock: Clock,
    reports: Option<Reports>,
    keeper: Keeper,
    stats: Arc<OutputStats>,
    /// Packets and octets that were sent under former SSRCs.
    sent_before: [u64; 2],
    moves: LogLimit,
    /// The earliest time of the next packet, on the monotonic clock.
    not_before: Duration,
}

impl Output {
    /// A stream that goes on from where it is known from, or begins anew: sequence number, timestamp and SSRC random
    /// then (RFC 3550 5.1). The destination is looked up and its socket opened when the first frame is there. The
    /// error is that of the system's random numbers.
    pub fn new(
        config: &config::Output,
        known: Option<(Entry, Option<Identity>)>,
    ) -> io::Result<Self> {
        let (entry, identity) =
            known.map_or((None, None), |(entry, identity)| (Some(entry), identity));
        let identity = match identity {
            Some(identity) => identity,
            None => new_identity(config)?,
        };
        let stats = Arc::new(OutputStats::new(config.destination.to_string()));
        let output = Self::known(config, identity, Keeper::of_entry(entry), stats);
        output.note_identity();
        Ok(output)
    }

    /// The stream of a session.
    pub fn of_session(session: &Arc<Session>) -> Self {
        let keeper = Keeper::Session(session.clone());
        let stats = session.stats().clone();
        Self::known(session.output(), session.identity(), keeper, stats)
    }

    fn known(
        config: &config::Output,
        identity: Identity,
        keeper: Keeper,
        stats: Arc<OutputStats>,
    ) -> Self {
        Self {
            link: Link::new(config.clone(), identity.source),
            packetizer: Packetizer::new(identity.ssrc, identity.sequence_number),
            clock: Clock::new(identity.clock_offset),
            reports: (config.rtcp != Rtcp::Off).then(|| Reports::new(config, identity.report_port)),
            keeper,
            sent_before: [0; 2],
            stats,
            moves: LogLimit::default(),
            not_before: Duration::ZERO,
        }
    }

    /// Keeps what the stream is known by: nothing is sent that is not noted before.
    fn note_identity(&self) {
        let sequence_number = self.packetizer.sequence_number();
        let entry = match &self.keeper {
            Keeper::Nobody => return,
            Keeper::Session(session) => return session.note(sequence_number),
            Keeper::Ledger(entry) => entry,
        };
        entry.write(Identity {
            ssrc: self.packetizer.ssrc(),
            clock_offset: self.clock.offset(),
            sequence_number,
            report_port: self.reports.as_ref().map_or(0, Reports::local_port),
            source: self.link.source(),
        });
    }

    /// The session whose stream it is, if it is one's.
    pub fn session(&self) -> Option<&Arc<Session>> {
        match &self.keeper {
            Keeper::Session(session) => Some(session),
            Keeper::Nobody | Keeper::Ledger(_) => None,
        }
    }

    /// What was configured.
    pub fn config(&self) -> &config::Output {
        self.link.config()
    }

    /// Uses another configuration for the same stream.
    pub fn change(&mut self, config: &config::Output) {
        if self.config() == config {
            return;
        }
        self.link.change(config);
        self.reports = match self.reports.take() {
            _ if config.rtcp == Rtcp::Off => None,
            Some(mut reports) => {
                reports.change(config);
                Some(reports)
            }
            None => Some(Reports::new(config, 0)),
        };
    }

    /// Its counters.
    pub fn stats(&self) -> &Arc<OutputStats> {
        &self.stats
    }

    /// Begins to send `picture`, captured with `frame`, at monotonic time `now` and over a share of `interval`;
    /// `None` when the destination cannot be sent to now.
    pub fn begin<'a>(
        &'a mut self,
        frame: &Frame,
        picture: &'a Carried<'a>,
        interval: Duration,
        now: Duration,
    ) -> Option<Delivery<'a>> {
        if self.link.ready(Instant::now(), &self.stats).is_none() {
            self.stats.frame_skipped();
            return None;
        }
        if let Some(source) = self.link.take_move() {
            self.renew_ssrc(source);
        }
        // All numbers of the frame are used up before its first packet leaves.
        let timestamp = self.clock.timestamp(frame.captured);
        let packet_octets = self.link.socket()?.packet_octets();
        let has_time = self.link.config().absolute_time;
        let capture_time =
            has_time.then(|| ntp_timestamp(clocks::Reading::now().unix_of(frame.captured)));
        let packets = self
            .packetizer
            .packets(picture, timestamp, capture_time, packet_octets);
        self.note_identity();
        let socket = self.link.socket()?;
        let usual = Pacing::usual(socket.destination().ip().is_loopback());
        let message = socket.packets_per_message();
        // Without segmentation offload a batch is as many messages.
        let message = if message == 1 { usize::MAX } else { message };
        let due = now.max(self.not_before);
        let share = self.link.config().pacing.unwrap_or(usual);
        Some(Delivery {
            pace: Pace::new(packets.len(), share, interval, message),
            link: &mut self.link,
            stats: &self.stats,
            packets,
            give_up: due + interval.max(LEAST_PATIENCE),
            not_before: &mut self.not_before,
            had_error: false,
            state: State::Due(due),
        })
    }

    /// Packets come from `source` now: under the same SSRC receivers would take that for a collision, and ignore them
    /// (RFC 3550 5.1, 8.2). Numbers and times go on, for those that know no SSRC.
    fn renew_ssrc(&mut self, source: SocketAddr) {
        let destination = &self.link.config().destination;
        let said = self.moves.note(Instant::now());
        if self.link.config().ssrc.is_some() {
            if said.is_some() {
                info!("{destination}: packets come from {source} now, under the configured ssrc");
            }
            return;
        }
        // Without random numbers the old one has to do.
        let Ok(octets) = random() else {
            return;
        };
        self.packetizer.set_ssrc(u32::from_be_bytes(octets));
        if let Some(reports) = &mut self.reports {
            reports.begin_series();
        }
        self.sent_before = [self.stats.packets(), self.stats.payload_octets()];
        if said.is_some() {
            info!("{destination}: packets come from {source} now, under a new SSRC");
        }
    }

    /// When it may be sent to; `None` = now.
    pub fn ready_at(&self, now: Instant) -> Option<Instant> {
        self.link.ready_at(now)
    }

    /// Whether its destination's name is being looked up.
    pub fn looks_up(&self) -> bool {
        self.link.looks_up()
    }

    /// Follows the routes; sends a report when one is due, and reads those that have come.
    pub fn report(&mut self, now: Instant) {
        self.link.follow_route(now);
        if !self
            .reports
            .as_ref()
            .is_some_and(|reports| reports.are_due(now))
        {
            return;
        }
        let clocks = clocks::Reading::now();
        let info = self.sender_info(clocks);
        let has_recovered = self.link.take_recovery();
        if let (Some(reports), Some(socket)) = (&mut self.reports, self.link.socket()) {
            if has_recovered {
                reports.begin_series();
            }
            reports.keep_up(socket, info, clocks, now, &self.stats);
        }
    }

    /// Tells the receivers that the stream ends (RTCP BYE).
    pub fn close(mut self) {
        if let Keeper::Ledger(entry) = &self.keeper {
            entry.erase();
        }
        let info = self.sender_info(clocks::Reading::now());
        if let (Some(reports), Some(socket)) = (&mut self.reports, self.link.socket()) {
            reports.say_goodbye(socket, info);
        }
    }

    /// The stream now: both of its clocks at one instant (RFC 3550 6.4.1).
    fn sender_info(&self, now: clocks::Reading) -> SenderInfo {
        let [packets, octets] = self.sent_before;
        SenderInfo {
            ssrc: self.packetizer.ssrc(),
            ntp_timestamp: ntp_timestamp(now.unix),
            rtp_timestamp: self.clock.timestamp(now.monotonic),
            packet_count: low_half(self.stats.packets() - packets),
            octet_count: low_half(self.stats.payload_octets() - octets),
        }
    }
}

/// A new stream's.
fn new_identity(config: &config::Output) -> io::Result<Identity> {
    let random = Identity::random()?;
    let ssrc = config.ssrc.map_or(random.ssrc, |ssrc| ssrc.get());
    Ok(Identity { ssrc, ..random })
}

/// A count modulo 2^32.
fn low_half(count: u64) -> u32 {
    let [.., b3, b2, b1, b0] = count.to_be_bytes();
    u32::from_be_bytes([b3, b2, b1, b0])
}
