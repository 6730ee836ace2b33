//! The way to one destination: a socket to one of its addresses, and to the next when sending there fails.
//! A destination that refuses costs itself only: it is left alone for a while that grows from failure to failure.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use tracing::{debug, info, warn};

use super::lookup::{Lookup, resolve};
use super::route;
use super::socket::Socket;
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
/// An address that has refused so often is left for the next; one that was left before, at once.
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
    /// By the current address.
    refusals: u32,
    /// Whether all addresses have failed since the stream was well.
    has_failed_everywhere: bool,
    /// Whole frames since the last failure.
    good_frames: u64,
    /// Since the first of them.
    good_since: Option<Instant>,
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
            refusals: 0,
            has_failed_everywhere: false,
            good_frames: 0,
            good_since: None,
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
            self.refusals = 0;
            self.has_failed_everywhere = false;
        }
    }

    /// Sending failed with `errno`.
    pub fn failed(&mut self, errno: Errno, now: Instant, stats: &OutputStats) {
        match errno {
            Errno::ECONNREFUSED => {
                let problem = "nobody listens there (ICMP port unreachable)";
                self.report(problem, now, stats);
                self.refusals += 1;
                let is_enough = self.refusals >= REFUSALS || self.has_failed_everywhere;
                if !(is_enough && self.try_next(now)) {
                    self.pause(now);
                }
            }
            Errno::EAGAIN | Errno::ENOBUFS => {
                self.report("the network does not take packets fast enough", now, stats);
                self.pause(now);
            }
            _ => self.fail(&errno.into(), now, stats),
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
        self.refusals = 0;
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
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::sync::{Arc, Mutex};
    use std::thread;

    use super::super::lookup::Resolve;
    use super::*;
    use crate::config::Config;

    const MS: Duration = Duration::from_millis(1);
    const SECOND: Duration = Duration::from_secs(1);

    /// To an address, so that no look-up is waited for.
    fn link() -> (Link, OutputStats) {
        let text = "[[camera]]\nname = \"x\"\n[[camera.rtp]]\ndestination = \"127.0.0.1:9\"\n";
        let config = Config::parse("test".as_ref(), text.as_bytes()).unwrap();
        let link = Link::new(config.cameras[0].outputs[0].clone(), None);
        (link, OutputStats::new("127.0.0.1:9".to_owned()))
    }

    /// Fails with `errno` again and again, as soon as it is tried; after each failure it is left alone for so many
    /// milliseconds. Returns when it was tried last.
    fn fail(link: &mut Link, errno: Errno, waits: &[u32], stats: &OutputStats) -> Instant {
        let mut now = Instant::now();
        for &wait in waits {
            assert!(link.ready(now, stats).is_some(), "before {wait} ms");
            link.failed(errno, now, stats);
            assert!(stats.had_problem());
            let early = now + wait * MS - MS;
            assert!(link.ready(early, stats).is_none(), "{wait} ms");
            now += wait * MS;
        }
        assert!(link.ready(now, stats).is_some(), "at the end");
        now
    }

    fn stats() -> OutputStats {
        link().1
    }

    /// A link to a name that `resolve` looks up, and a time when it may.
    fn link_by(resolve: Resolve) -> (Link, Instant) {
        let mut link = link().0;
        let now = Instant::now();
        link.config.destination.host = "name.test".to_owned();
        link.lookup = Lookup::new(&link.config.destination, resolve, now);
        (link, now)
    }

    /// The link at `now` sends to `expected`, once its thread has answered if it asks now.
    fn goes_to(link: &mut Link, now: Instant, expected: SocketAddr) {
        link.ready(now, &stats());
        while link.lookup.is_busy() {
            thread::sleep(Duration::from_millis(1));
            link.ready(now, &stats());
        }
        let there = link.ready(now, &stats()).map(Socket::destination);
        assert_eq!(there, Some(expected));
    }

    #[test]
    fn after_three_refusals_the_next_address_is_tried() {
        let (mut link, mut now) = link_by(|_| {
            let loopback = [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
            Ok(loopback.map(|ip| SocketAddr::new(ip, 9)).into())
        });
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 9));
        let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        // From the second round on one refusal is enough, so that a receiver that comes is soon found.
        for address in [v6, v6, v6, v4, v4, v4, v6, v4, v6, v4] {
            goes_to(&mut link, now, address);
            link.failed(Errno::ECONNREFUSED, now, &stats());
            // Longer than any pause.
            now += SECOND;
        }
    }

    #[test]
    fn a_stream_follows_its_name_when_its_address_is_gone() {
        static HOSTS: Mutex<Vec<u8>> = Mutex::new(Vec::new());
        let address = |host| SocketAddr::from(([127, 0, 0, host], 9));
        let answer = |hosts: &[u8]| *HOSTS.lock().unwrap() = hosts.to_vec();
        answer(&[1, 2]);
        let (mut link, mut now) = link_by(|_| {
            let hosts = HOSTS.lock().unwrap();
            let address = |host: &u8| SocketAddr::from(([127, 0, 0, *host], 9));
            Ok(hosts.iter().map(address).collect())
        });
        goes_to(&mut link, now, address(1));
        // Others before it in the list do not matter to a stream that is well.
        answer(&[2, 1]);
        now += 60 * SECOND;
        goes_to(&mut link, now, address(1));
        answer(&[3]);
        goes_to(&mut link, now + 59 * SECOND, address(1));
        now += 60 * SECOND;
        goes_to(&mut link, now, address(3));
        // Refused there: after that round, not after a minute.
        answer(&[4]);
        for _ in 0..REFUSALS {
            goes_to(&mut link, now, address(3));
            link.failed(Errno::ECONNREFUSED, now, &stats());
            now += SECOND;
        }
        goes_to(&mut link, now, address(4));
    }

    #[test]
    fn a_socket_that_is_opened_again_has_its_port_again_unless_somebody_took_it() {
        let (mut link, stats) = link();
        let mut now = Instant::now();
        let mut open = |link: &mut Link| {
            now += Duration::from_secs(60);
            let source = link.ready(now, &stats).unwrap().source();
            let moved = link.take_move();
            link.failed(Errno::ENETUNREACH, now, &stats);
            assert!(link.socket().is_none());
            (source, moved)
        };
        let (first, moved) = open(&mut link);
        assert_eq!(moved, None);
        assert_eq!(open(&mut link), (first, None));
        let taken = std::net::UdpSocket::bind(first).unwrap();
        let (second, moved) = open(&mut link);
        assert_ne!(second, first);
        assert_eq!(moved, Some(second));
        drop(taken);
        assert_eq!(open(&mut link), (second, None));
    }

    #[test]
    fn where_nobody_listens_the_waits_stay_short() {
        let (mut link, stats) = link();
        let waits = [250, 500, 1000, 1000, 1000];
        fail(&mut link, Errno::ECONNREFUSED, &waits, &stats);
    }

    #[test]
    fn where_there_is_no_way_to_an_address_the_waits_stay_short_too() {
        let (mut link, stats) = link();
        let waits = [250, 500, 500, 500];
        fail(&mut link, Errno::EHOSTUNREACH, &waits, &stats);
    }

    #[test]
    fn a_failure_of_the_way_closes_the_socket_and_a_refusal_does_not() {
        for (errno, stays) in [(Errno::ECONNREFUSED, true), (Errno::EHOSTUNREACH, false)] {
            let (mut link, stats) = link();
            let now = Instant::now();
            assert!(link.ready(now, &stats).is_some());
            link.failed(errno, now, &stats);
            assert_eq!(link.socket().is_some(), stays, "{errno}");
        }
    }

    #[test]
    fn each_reason_of_a_failure_is_logged_at_once_and_the_same_one_no_sooner_than_after_a_minute() {
        let (reader, writer) = io::pipe().unwrap();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(Arc::new(writer));
        tracing::subscriber::with_default(subscriber.finish(), || {
            let (mut link, stats) = link();
            for errno in [Errno::ECONNREFUSED, Errno::EHOSTUNREACH] {
                fail(&mut link, errno, &[250], &stats);
            }
            fail(&mut link, Errno::ECONNREFUSED, &[500], &stats);
        });
        let log = io::read_to_string(reader).unwrap();
        let said: Vec<_> = log.lines().map(|line| line.split(": ").last()).collect();
        let expected = [
            "nobody listens there (ICMP port unreachable)",
            "No route to host (os error 113)",
        ];
        assert_eq!(said, expected.map(Some), "{log}");
    }

    #[test]
    fn two_good_frames_end_the_problem_and_five_good_seconds_the_long_waits() {
        let settled = Duration::from_secs(5);
        let (mut link, stats) = link();
        let now = fail(&mut link, Errno::ECONNREFUSED, &[250, 500], &stats);
        link.succeeded(now, &stats);
        assert!(stats.had_problem());
        link.succeeded(now + settled - MS, &stats);
        assert!(!stats.had_problem());
        fail(&mut link, Errno::ECONNREFUSED, &[1000], &stats);
        let (mut link, stats) = self::link();
        let now = fail(&mut link, Errno::ECONNREFUSED, &[250, 500], &stats);
        link.succeeded(now, &stats);
        link.succeeded(now + settled, &stats);
        fail(&mut link, Errno::ECONNREFUSED, &[250, 500], &stats);
    }
}
