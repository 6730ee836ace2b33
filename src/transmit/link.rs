//! The way to one destination: its name looked up, its socket opened, and both done again when sending fails.
//! A destination that refuses costs itself only: it is left alone for a while that grows from failure to failure.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use tracing::{info, warn};

use super::route;
use super::socket::Socket;
use crate::backoff::Backoff;
use crate::config::{self, Destination};
use crate::log_limit::{LogLimit, LogLimits};
use crate::stats::output::OutputStats;

/// First and longest wait after a failure of the network or of the name.
const WAITS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(10)];
/// The same for an address, which costs nobody a look-up: a cable that is plugged in must have an effect at once.
const WAITS_OF_ADDRESS: [Duration; 2] = [Duration::from_millis(250), Duration::from_millis(500)];
/// The same where nobody listens yet, or the way is too narrow: a receiver that is started, or a queue that has
/// drained, must not have to wait long.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];
/// Pause between two looks whether a name has been looked up, where nothing else is to be sent.
const ANSWER_LOOK: Duration = Duration::from_millis(5);
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
    /// Look-ups so far: each takes the name's next address.
    attempts: usize,
    /// Whole frames since the last failure.
    good_frames: u64,
    /// Since the first of them.
    good_since: Option<Instant>,
    /// By their reasons: a new one is logged at once.
    failures: LogLimits,
    recoveries: LogLimit,
}

#[derive(Debug)]
enum State {
    /// No socket until then.
    Closed(Instant),
    /// A thread looks the name up.
    Resolving(Receiver<io::Result<Vec<SocketAddr>>>),
    /// Packets can be sent.
    Open(Socket),
    /// The socket is good, but nothing is sent until then.
    Paused(Socket, Instant),
}

impl Link {
    /// Opened when it is first asked for. `source` is where packets came from before, if there were any.
    pub fn new(config: config::Output, source: Option<SocketAddr>) -> Self {
        let is_address = config.destination.host.parse::<IpAddr>().is_ok();
        let [shortest, longest] = if is_address { WAITS_OF_ADDRESS } else { WAITS };
        let [shortest_pause, longest_pause] = PAUSES;
        Self {
            config,
            state: State::Closed(Instant::now()),
            source,
            has_moved: false,
            has_recovered: false,
            next_route_look: Instant::now(),
            backoff: Backoff::new(shortest, longest),
            pauses: Backoff::new(shortest_pause, longest_pause),
            attempts: 0,
            good_frames: 0,
            good_since: None,
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
    pub fn ready(&mut self, now: Instant, stats: &OutputStats) -> Option<&mut Socket> {
        self.advance(now, stats);
        match &mut self.state {
            State::Open(socket) => Some(socket),
            _ => None,
        }
    }

    /// When [`Self::ready`] may have a socket; `None` = now.
    pub fn ready_at(&self, now: Instant) -> Option<Instant> {
        match self.state {
            State::Open(_) => None,
            State::Closed(until) | State::Paused(_, until) => {
                Some(until).filter(|&until| until > now)
            }
            State::Resolving(_) => Some(now + ANSWER_LOOK),
        }
    }

    /// Whether the destination's name is being looked up.
    pub fn looks_up(&self) -> bool {
        matches!(self.state, State::Resolving(_))
    }

    /// The socket, where it is open already.
    pub fn socket(&self) -> Option<&Socket> {
        match &self.state {
            State::Open(socket) | State::Paused(socket, _) => Some(socket),
            State::Closed(_) | State::Resolving(_) => None,
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

    fn advance(&mut self, now: Instant, stats: &OutputStats) {
        let state = std::mem::replace(&mut self.state, State::Closed(now));
        self.state = match state {
            State::Closed(until) if now >= until => return self.look_up(now, stats),
            State::Paused(socket, until) if now >= until => {
                socket.forget_error();
                State::Open(socket)
            }
            State::Resolving(answer) => match answer.try_recv() {
                Ok(addresses) => return self.open(addresses, now, stats),
                Err(TryRecvError::Empty) => State::Resolving(answer),
                Err(TryRecvError::Disconnected) => State::Closed(now + WAITS[0]),
            },
            unchanged => unchanged,
        };
    }

    /// An address is taken as it is; a name is looked up by a thread, because that may take many seconds.
    fn look_up(&mut self, now: Instant, stats: &OutputStats) {
        let destination = self.config.destination.clone();
        if let Ok(ip) = destination.host.parse::<IpAddr>() {
            let address = SocketAddr::new(ip, destination.port);
            return self.open(Ok(vec![address]), now, stats);
        }
        let (answer, addresses) = mpsc::channel();
        let thread = thread::Builder::new().name("resolve".to_owned());
        match thread.spawn(move || answer.send(resolve(&destination))) {
            Ok(_) => self.state = State::Resolving(addresses),
            Err(error) => self.fail(&error, now, stats),
        }
    }

    fn open(&mut self, addresses: io::Result<Vec<SocketAddr>>, now: Instant, stats: &OutputStats) {
        let opened = addresses.and_then(|addresses| {
            let index = self.attempts % addresses.len().max(1);
            self.attempts = self.attempts.wrapping_add(1);
            let address = addresses.get(index).ok_or_else(no_address)?;
            let former_port = self.source.map_or(0, |source| source.port());
            Socket::new(*address, former_port, &self.config)
        });
        match opened {
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
        }
    }

    /// Sending failed with `errno`.
    pub fn failed(&mut self, errno: Errno, now: Instant, stats: &OutputStats) {
        let problem = match errno {
            Errno::ECONNREFUSED => "nobody listens there (ICMP port unreachable)",
            Errno::EAGAIN | Errno::ENOBUFS => "the network does not take packets fast enough",
            _ => return self.fail(&io::Error::from(errno), now, stats),
        };
        self.report(problem, stats);
        let until = now + self.pauses.wait();
        self.state = match std::mem::replace(&mut self.state, State::Closed(until)) {
            State::Open(socket) => State::Paused(socket, until),
            other => other,
        };
    }

    /// Closes the socket: the next one may have another address and another route.
    fn fail(&mut self, error: &io::Error, now: Instant, stats: &OutputStats) {
        self.state = State::Closed(now + self.backoff.wait());
        self.report(&error.to_string(), stats);
    }

    fn report(&mut self, problem: &str, stats: &OutputStats) {
        self.good_frames = 0;
        self.good_since = None;
        stats.set_problem(Some(problem.to_owned()));
        if let Some(times) = self.failures.note(problem, Instant::now()) {
            warn!("{}: {problem}{times}", self.config.destination);
        }
    }
}

/// The addresses of `destination`, at least one; names are looked up as the system is set up to.
pub fn resolve(destination: &Destination) -> io::Result<Vec<SocketAddr>> {
    let addresses: Vec<_> = (destination.host.as_str(), destination.port)
        .to_socket_addrs()?
        .collect();
    if addresses.is_empty() {
        return Err(no_address());
    }
    Ok(addresses)
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the name has no address")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::Config;

    const MS: Duration = Duration::from_millis(1);

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
