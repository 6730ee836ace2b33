//! The way to one destination: a socket to one of its addresses, and to the next when sending there fails.
//! A destination that refuses costs itself only: it is left alone for a while that grows from failure to failure.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use tracing::{debug, info, warn};

use super::lookup::{Lookup, resolve};
use super::socket::Socket;
use super::{advice, route};
use crate::backoff::Backoff;
use crate::config;
use crate::log_limit::{LogLimit, LogLimits};
use crate::stats::output::OutputStats;

/// First and longest wait after a failure of the network, at all addresses: a cable that is plugged in must have
/// an effect at once. Names are looked up less often.
const WAITS: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(500)];
/// The same where nobody listens yet, or the way is too narrow: a receiver that is started, or a queue that has
/// drained, must not have to wait long.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];
/// So many errors have not passed. A single ICMP message may be a stray or a forged one; of a way that is really gone a
/// Linux router tells twice, and then no more while packets keep coming (net.ipv4.route.error_burst).
const ERRORS: u32 = 2;
/// The same of refusals, which go on as long as nobody listens.
const REFUSALS: u32 = 3;
/// What has worked for so long begins with short waits again. That a host is gone takes three seconds to show:
/// the kernel asks for its address three times.
const SETTLED: Duration = Duration::from_secs(5);

/// The routes are looked at this often.
const ROUTE_LOOK: Duration = Duration::from_secs(1);

/// One destination.
#[derive(Debug)]
pub struct Link {
    config: config::Output,
    state: State,
    /// Where packets came from last: receivers know a stream by it.
    source: Option<SocketAddr>,
    /// Whether it is another since somebody asked.
    has_moved: bool,
    /// Whether sending works again since somebody asked.
    has_recovered: bool,
    next_route_look: Instant,
    backoff: Backoff,
    pauses: Backoff,
    lookup: Lookup,
    /// Of the current address, since the stream was well.
    errors: u32,
    /// Whether all addresses have failed since the stream was well.
    has_failed_everywhere: bool,
    /// Whole frames since the last failure.
    good_frames: u64,
    /// Since the first of them.
    good_since: Option<Instant>,
    /// The path's MTU that was logged last.
    told_mtu: Option<usize>,
    departures: LogLimit,
    /// By their reasons: a new one is logged at once.
    failures: LogLimits,
    recoveries: LogLimit,
}

#[derive(Debug)]
enum State {
    /// No socket until then.
    Closed(Instant),
    /// Packets can be sent.
    Open(Socket),
    /// The socket is good, but nothing is sent until then.
    Paused(Socket, Instant),
}

impl Link {
    /// Opened when it is first asked for. `source` is where packets came from before, if there were any.
    pub fn new(config: config::Output, source: Option<SocketAddr>) -> Self {
        let [shortest, longest] = WAITS;
        let [shortest_pause, longest_pause] = PAUSES;
        let now = Instant::now();
        Self {
            lookup: Lookup::new(&config.destination, resolve, now),
            config,
            state: State::Closed(now),
            source,
            has_moved: false,
            has_recovered: false,
            next_route_look: now,
            backoff: Backoff::new(shortest, longest),
            pauses: Backoff::new(shortest_pause, longest_pause),
            errors: 0,
            has_failed_everywhere: false,
            good_frames: 0,
            good_since: None,
            told_mtu: None,
            departures: LogLimit::default(),
            failures: LogLimits::default(),
            recoveries: LogLimit::default(),
        }
    }

    /// What was configured.
    pub fn config(&self) -> &config::Output {
        &self.config
    }

    /// Uses another configuration for the same stream.
    pub fn change(&mut self, config: &config::Output) {
        let keeps_way = config.interface == self.config.interface;
        self.config = config.clone();
        if let State::Open(socket) | State::Paused(socket, _) = &mut self.state
            && !(keeps_way && socket.adapt(config).is_ok())
        {
            self.state = State::Closed(Instant::now());
        }
    }

    /// The socket, opened when it is time to try; `None` as long as the destination cannot be sent to.
    pub fn ready(&mut self, now: Instant, stats: &OutputStats) -> Option<&Socket> {
        self.look_up(now, stats);
        self.advance(now, stats);
        self.open_socket().map(|socket| &*socket)
    }

    /// The socket, if it can be sent to.
    pub fn open_socket(&mut self) -> Option<&mut Socket> {
        match &mut self.state {
            State::Open(socket) => Some(socket),
            State::Closed(_) | State::Paused(..) => None,
        }
    }

    /// When [`Self::ready`] may have a socket; `None` = now.
    pub fn ready_at(&self, now: Instant) -> Option<Instant> {
        let ready = match self.state {
            State::Open(_) => None,
            State::Closed(_) if !self.lookup.has_answer() => self.lookup.next_answer(now),
            State::Closed(until) | State::Paused(_, until) => Some(until),
        };
        ready.filter(|&ready| ready > now)
    }

    /// Whether nothing is known of the destination's name before it has been looked up.
    pub fn looks_up(&self) -> bool {
        self.lookup.is_busy() && !self.lookup.has_answer()
    }

    /// The socket, where it is open already.
    pub fn socket(&self) -> Option<&Socket> {
        match &self.state {
            State::Open(socket) | State::Paused(socket, _) => Some(socket),
            State::Closed(_) => None,
        }
    }

    /// Where packets come from, or came from last.
    pub fn source(&self) -> Option<SocketAddr> {
        self.source
    }

    /// Whether packets come from another address or port than before; true once for each move.
    pub fn take_move(&mut self) -> Option<SocketAddr> {
        let moved = std::mem::take(&mut self.has_moved);
        self.source.filter(|_| moved)
    }

    /// Whether sending works again after a failure; true once.
    pub fn take_recovery(&mut self) -> bool {
        std::mem::take(&mut self.has_recovered)
    }

    /// Closes the socket when another interface has taken over the route, so that the next one has its address.
    pub fn follow_route(&mut self, now: Instant) {
        if now < self.next_route_look {
            return;
        }
        self.next_route_look = now + ROUTE_LOOK;
        let Some(socket) = self.socket() else {
            return;
        };
        if route::has_left(socket.source().ip(), socket.destination(), &self.config) {
            self.state = State::Closed(now);
        }
        self.fit_path();
    }

    /// Whether packets are of another size from now on, because the path is another or its MTU was learnt.
    fn fit_path(&mut self) -> bool {
        let has_changed = self.open_socket().is_some_and(Socket::fit_path);
        if has_changed {
            self.tell_mtu();
        }
        has_changed
    }

    /// Says once which MTU the path has.
    fn tell_mtu(&mut self) {
        let Some((path, configured)) = self.socket().and_then(Socket::narrow_path) else {
            return;
        };
        if self.told_mtu.replace(path) != Some(path) {
            info!(
                "{}: the path takes packets of {path} octets, not {configured}: sending smaller ones",
                self.config.destination
            );
        }
    }

    /// Leaves an address that the name has no more.
    fn look_up(&mut self, now: Instant, stats: &OutputStats) {
        let looked_up = self.lookup.keep_up(&self.config, now);
        let here = self.socket().map(Socket::destination);
        if here.is_some_and(|here| !self.lookup.addresses().contain(here)) {
            self.leave(now);
        }
        match looked_up {
            Err(error) if here.is_none() => self.report(&error.to_string(), now, stats),
            Err(error) => debug!("{}: {error}", self.config.destination),
            Ok(()) => {}
        }
    }

    fn advance(&mut self, now: Instant, stats: &OutputStats) {
        let state = std::mem::replace(&mut self.state, State::Closed(now));
        self.state = match state {
            State::Closed(until) if now >= until => return self.open(now, stats),
            State::Paused(socket, until) if now >= until => {
                socket.forget_error();
                State::Open(socket)
            }
            unchanged => unchanged,
        };
    }

    fn open(&mut self, now: Instant, stats: &OutputStats) {
        let Some(address) = self.lookup.addresses().current() else {
            return;
        };
        let former_port = self.source.map_or(0, |source| source.port());
        match Socket::new(address, former_port, &self.config) {
            Ok(socket) => {
                let source = self.source.replace(socket.source());
                self.has_moved |= source.is_some_and(|source| source != socket.source());
                self.state = State::Open(socket);
                self.tell_mtu();
            }
            Err(error) => self.fail(&error, now, stats),
        }
    }

    /// All of a frame went to the kernel at `now`. That nobody takes it shows later, if at all.
    pub fn succeeded(&mut self, now: Instant, stats: &OutputStats) {
        self.good_frames += 1;
        if self.good_frames == 2 && stats.had_problem() {
            stats.set_problem(None);
            self.has_recovered = true;
            if let Some(times) = self.recoveries.note(now) {
                info!("{}: sending again{times}", self.config.destination);
            }
        }
        let good_since = *self.good_since.get_or_insert(now);
        if now.saturating_duration_since(good_since) >= SETTLED {
            self.backoff.reset();
            self.pauses.reset();
            self.lookup.addresses().settled();
            self.errors = 0;
            self.has_failed_everywhere = false;
        }
    }

    /// Sending failed with `errno`. True: that may pass, and the rest of the frame can be tried again at once.
    pub fn failed(&mut self, errno: Errno, now: Instant, stats: &OutputStats) -> bool {
        match errno {
            Errno::EAGAIN | Errno::ENOBUFS => {
                self.report("the network does not take packets fast enough", now, stats);
                self.pause(now);
                return false;
            }
            // The rest of this frame is too large, too.
            Errno::EMSGSIZE if self.fit_path() => {
                self.forget_error();
                return false;
            }
            _ => {}
        }
        self.good_frames = 0;
        self.good_since = None;
        self.errors += 1;
        let refused = errno == Errno::ECONNREFUSED;
        let passing = if refused { REFUSALS } else { ERRORS };
        if self.errors < passing && !self.has_failed_everywhere {
            debug!("{}: {errno}", self.config.destination);
            self.forget_error();
            return true;
        }
        if !refused {
            let error = self.in_words(errno.into());
            self.fail(&error, now, stats);
            return false;
        }
        self.report("nobody listens there (ICMP port unreachable)", now, stats);
        if !self.try_next(now) {
            self.pause(now);
        }
        false
    }

    fn forget_error(&mut self) {
        if let Some(socket) = self.open_socket() {
            socket.forget_error();
        }
    }

    fn in_words(&self, error: io::Error) -> io::Error {
        match self.socket() {
            Some(socket) => advice::on_way(error, socket.destination()),
            None => error,
        }
    }

    /// The current address cannot be sent to.
    fn fail(&mut self, error: &io::Error, now: Instant, stats: &OutputStats) {
        self.report(&error.to_string(), now, stats);
        if !self.try_next(now) {
            self.state = State::Closed(now + self.backoff.wait());
        }
    }

    /// Goes on with the next address; false when all have been tried.
    fn try_next(&mut self, now: Instant) -> bool {
        self.errors = 0;
        let is_left = self.lookup.addresses().failed(now);
        self.has_failed_everywhere |= !is_left;
        if is_left {
            self.leave(now);
        }
        is_left
    }

    /// Sends nothing for a while. The socket stays if what comes next is its address.
    fn pause(&mut self, now: Instant) {
        let until = now + self.pauses.wait();
        let next = self.lookup.addresses().current();
        self.state = match std::mem::replace(&mut self.state, State::Closed(until)) {
            State::Open(socket) if Some(socket.destination()) == next => {
                State::Paused(socket, until)
            }
            _ => State::Closed(until),
        };
    }

    /// The next frame goes to another address.
    fn leave(&mut self, now: Instant) {
        self.state = State::Closed(now);
        if let Some(address) = self.lookup.addresses().current()
            && self.departures.note(now).is_some()
        {
            info!("{}: now to {address}", self.config.destination);
        }
    }

    fn report(&mut self, problem: &str, now: Instant, stats: &OutputStats) {
        self.good_frames = 0;
        self.good_since = None;
        stats.set_problem(Some(problem.to_owned()));
        if let Some(times) = self.failures.note(problem, now) {
            warn!("{}: {problem}{times}", self.config.destination);
        }
    }
}

#[cfg(test)]
mod tests;
