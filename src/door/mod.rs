//! The doors: for people the page, the streams, the snapshots, the figures, by HTTP/1.1 (RFC 9112); for players and
//! recorders streams by RTSP (RFC 2326).
//!
//! They have a thread of their own, in which all connections are; cameras do not know it. It finds them in the
//! [`crate::directory`], and gets their pictures by [`crate::viewers`]. Should it panic or hang, another takes its place
//! on the same sockets.

mod answer;
mod authorization;
mod clients;
mod connection;
mod controls;
mod counts;
mod description;
mod digest;
mod entrance;
mod exposition;
mod feeds;
mod guesses;
mod health;
mod host;
mod house;
mod mailbox;
pub mod mdns;
mod metrics;
mod multipart;
pub mod octets;
mod origin;
mod page;
mod query;
mod routes;
pub mod rtsp;
mod seconds;
mod server;
mod snapshot;
mod status;
mod users;
mod ways;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::{error, warn};

use crate::backoff::Backoff;
use crate::bell::Bell;
use crate::config::User;
use crate::heartbeat::{Heartbeat, Watched};
use crate::log_limit::LogLimits;

pub use house::Behind;

use entrance::{Arrivals, Entrance};
use server::Server;
use users::Users;
use ways::Protocol;

pub use ways::{Bound, Ways, bind};

/// Waits after a thread that ended: the first, and the longest.
const SHORTEST_BACK_OFF: Duration = Duration::from_secs(1);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);
/// A door that has not turned for so long hangs.
const PATIENCE: Duration = Duration::from_secs(15);
/// At the end it is waited for so long, and looked for so often.
const LONGEST_FAREWELL: Duration = Duration::from_millis(500);
const LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// Most doors that hang: each keeps its memory and its connections.
const MOST_HANGING: usize = 4;

/// The doors, seen by the main thread.
pub struct Door {
    ways: Ways,
    users: Arc<Users>,
    behind: Behind,
    entrances: Vec<Entrance>,
    running: Option<Running>,
    hanging: Vec<Running>,
    /// When the next thread may start.
    due: Instant,
    backoff: Backoff,
    said: LogLimits,
}

/// A door's thread.
struct Running {
    stop: Arc<Bell>,
    arrivals: Arc<Arrivals>,
    watched: Watched,
    thread: JoinHandle<()>,
}

impl Door {
    /// For `users` and what is `behind`, by these `ways`, on what is `bound` already, if there is something. A
    /// socket that cannot be had now is tried again.
    pub fn open(ways: Ways, users: &[User], bound: Bound, behind: Behind, now: Instant) -> Self {
        let http = ways.http.as_ref().map(|http| &http.listen);
        let rtsp = ways.rtsp.as_ref().map(|rtsp| &rtsp.listen);
        let all = [
            (Protocol::Http, http, bound.http),
            (Protocol::Rtsp, rtsp, bound.rtsp),
        ];
        let entrances = all.into_iter().filter_map(|(protocol, listen, bound)| {
            Some(Entrance::new(protocol, listen?.addresses(), bound, now))
        });
        let mut door = Self {
            entrances: entrances.collect(),
            ways,
            users: Arc::default(),
            behind,
            running: None,
            hanging: Vec::new(),
            due: now,
            backoff: Backoff::new(SHORTEST_BACK_OFF, LONGEST_BACK_OFF),
            said: LogLimits::default(),
        };
        door.users.set(users);
        // Of those that it opens by itself it tells when it has them.
        door.warn_if_open(door.addresses());
        door.turn(now);
        door
    }

    /// Lets these in from now on; the streams of others end.
    pub fn let_in(&mut self, users: &[User]) {
        let was_open = self.users.is_empty();
        self.users.set(users);
        if !was_open {
            self.warn_if_open(self.addresses());
        }
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.entrances
            .iter()
            .flat_map(Entrance::addresses)
            .collect()
    }

    /// Says to whom it is open, if that is more than this machine and users with passwords.
    fn warn_if_open(&self, addresses: Vec<SocketAddr>) {
        let reached: Vec<String> = addresses
            .iter()
            .filter(|address| !address.ip().to_canonical().is_loopback())
            .map(|address| address.to_string())
            .collect();
        if self.users.is_empty() && !reached.is_empty() {
            let reached = reached.join(" or ");
            warn!("whoever reaches {reached} sees the cameras: no [[user]] is configured");
        }
    }

    /// How it is configured.
    pub fn ways(&self) -> &Ways {
        &self.ways
    }

    /// Opens it when it is time, and replaces its thread when that has ended or hangs.
    pub fn turn(&mut self, now: Instant) {
        self.hanging.retain(|door| !door.thread.is_finished());
        self.watch(now);
        let arrivals = self.running.as_ref().map(|running| &*running.arrivals);
        let opened = self.entrances.iter_mut().filter_map(|entrance| {
            let is_open = entrance.turn(arrivals, now);
            is_open.then(|| entrance.addresses().collect::<Vec<_>>())
        });
        let opened: Vec<Vec<SocketAddr>> = opened.collect();
        self.warn_if_open(opened.concat());
        let is_open = self.entrances.iter().any(Entrance::is_open);
        if self.running.is_none() && is_open && now >= self.due {
            match self.start(now) {
                Ok(running) => {
                    self.running = Some(running);
                    self.backoff.reset();
                }
                Err(problem) => {
                    let what = format!("the door stays shut: {problem}; trying again");
                    if let Some(times) = self.said.note(&what, now) {
                        warn!("{what}{times}");
                    }
                    self.due = now + self.backoff.wait();
                }
            }
        }
    }

    /// Shuts it, and waits a little until it has told the neighbours.
    pub fn close(self) {
        let since = Instant::now();
        if let Some(door) = &self.running {
            door.stop.ring();
            while !door.thread.is_finished() && since.elapsed() < LONGEST_FAREWELL {
                thread::sleep(LOOK_INTERVAL);
            }
        }
    }

    /// Lets go of a thread that has ended or hangs.
    fn watch(&mut self, now: Instant) {
        let Some(running) = &mut self.running else {
            return;
        };
        if running.thread.is_finished() {
            error!("the door's thread has ended; it starts anew");
            self.running = None;
            self.due = now + self.backoff.wait();
        } else if !running.watched.is_alive(now, PATIENCE) && self.hanging.len() < MOST_HANGING {
            // It ends when it turns again.
            running.stop.ring();
            self.hanging.extend(self.running.take());
            self.due = now;
        }
    }

    fn start(&self, now: Instant) -> io::Result<Running> {
        let arrivals = Arc::new(Arrivals::default());
        for entrance in &self.entrances {
            arrivals.add(entrance.listeners()?);
        }
        let (stop, heartbeat) = (Arc::new(Bell::new()?), Arc::new(Heartbeat::default()));
        let server = Server {
            arrivals: arrivals.clone(),
            ways: self.ways.clone(),
            users: self.users.clone(),
            behind: self.behind.clone(),
            stop: stop.clone(),
            heartbeat: heartbeat.clone(),
        };
        let thread = thread::Builder::new()
            .name("door".to_owned())
            .spawn(move || {
                if let Err(problem) = server.run() {
                    error!("the door: {problem}");
                }
            })?;
        Ok(Running {
            stop,
            arrivals,
            watched: Watched::new("the door".to_owned(), heartbeat, now),
            thread,
        })
    }
}

impl Drop for Door {
    /// The thread ends by itself; nobody waits for it.
    fn drop(&mut self) {
        for door in self.running.iter().chain(&self.hanging) {
            door.stop.ring();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::config::{Discovery, Http, Listen, MaxClients, Rtsp};

    fn answer(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn http(address: SocketAddr) -> Ways {
        Ways {
            http: Some(Http {
                listen: Listen::on(address),
                names: Vec::new(),
            }),
            rtsp: None,
            discovery: Discovery { mdns: false },
        }
    }

    #[test]
    fn one_that_has_ended_starts_anew_on_the_same_socket() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let ways = http(address);
        let bound = Bound {
            http: vec![listener],
            ..Bound::default()
        };
        let start = Instant::now();
        let mut door = Door::open(ways, &[], bound, Behind::default(), start);
        assert!(answer(address).contains("no camera"));
        // As a panic of its thread would end it.
        let running = door.running.as_ref().unwrap();
        running.stop.ring();
        while !running.thread.is_finished() {
            thread::sleep(Duration::from_millis(5));
        }
        door.turn(start);
        assert!(door.running.is_none());
        door.turn(start + LONGEST_BACK_OFF);
        assert!(answer(address).contains("no camera"));
    }

    #[test]
    fn a_port_that_is_taken_is_tried_again() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let ways = http(address);
        let start = Instant::now();
        let mut door = Door::open(ways, &[], Bound::default(), Behind::default(), start);
        assert!(door.running.is_none());
        drop(taken);
        door.turn(start + LONGEST_BACK_OFF);
        assert!(answer(address).contains("no camera"));
    }

    #[test]
    fn one_port_that_is_taken_does_not_keep_the_other_shut() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let ways = Ways {
            rtsp: Some(Rtsp {
                listen: Listen::on(taken.local_addr().unwrap()),
                max_clients: MaxClients::default(),
            }),
            ..http(address)
        };
        let bound = Bound {
            http: vec![listener],
            ..Bound::default()
        };
        let start = Instant::now();
        let mut door = Door::open(ways, &[], bound, Behind::default(), start);
        assert!(answer(address).contains("no camera"));
        let players = taken.local_addr().unwrap();
        drop(taken);
        door.turn(start + LONGEST_BACK_OFF);
        let mut stream = TcpStream::connect(players).unwrap();
        stream
            .write_all(b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n")
            .unwrap();
        let mut octets = [0; 15];
        stream.read_exact(&mut octets).unwrap();
        assert_eq!(&octets, b"RTSP/1.0 200 OK");
        assert!(answer(address).contains("no camera"));
    }
}
