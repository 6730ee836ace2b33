//! The door for people: the page, the streams, the snapshots, the figures, by HTTP/1.1 (RFC 9112).
//!
//! It has a thread of its own, in which all connections are; cameras do not know it. It finds them in the
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
mod seconds;
mod server;
mod snapshot;
mod status;
mod users;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use crate::backoff::Backoff;
use crate::bell::Bell;
use crate::config::{Discovery, Http, User};
use crate::heartbeat::{Heartbeat, Watched};
use crate::log_limit::LogLimits;

pub use house::Behind;

use server::Server;
use users::Users;

/// Waits after a socket that could not be had, or a thread that ended: the first, and the longest.
const SHORTEST_BACK_OFF: Duration = Duration::from_secs(1);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);
/// A door that has not turned for so long hangs.
const PATIENCE: Duration = Duration::from_secs(15);
/// At the end it is waited for so long, and looked for so often.
const LONGEST_FAREWELL: Duration = Duration::from_millis(500);
const LOOK_INTERVAL: Duration = Duration::from_millis(2);
/// Most doors that hang: each keeps its memory and its connections.
const MOST_HANGING: usize = 4;

/// The door, seen by the main thread.
pub struct Door {
    config: Http,
    discovery: Discovery,
    users: Arc<Users>,
    behind: Behind,
    listeners: Vec<TcpListener>,
    running: Option<Running>,
    hanging: Vec<Running>,
    /// When the next attempt is due.
    due: Instant,
    backoff: Backoff,
    said: LogLimits,
}

/// A door's thread.
struct Running {
    stop: Arc<Bell>,
    watched: Watched,
    thread: JoinHandle<()>,
}

impl Door {
    /// For `users` and what is `behind`, as `config` says, on `listeners` that are bound already, if there are
    /// any. A socket that cannot be had now is tried again. The neighbours hear of it as `discovery` says.
    pub fn open(
        config: Http,
        discovery: Discovery,
        users: &[User],
        listeners: Vec<TcpListener>,
        behind: Behind,
        now: Instant,
    ) -> Self {
        let mut door = Self {
            config,
            discovery,
            users: Arc::default(),
            behind,
            listeners,
            running: None,
            hanging: Vec::new(),
            due: now,
            backoff: Backoff::new(SHORTEST_BACK_OFF, LONGEST_BACK_OFF),
            said: LogLimits::default(),
        };
        door.users.set(users);
        // Of those that it opens by itself it tells when it has them.
        door.warn_if_open();
        door.turn(now);
        door
    }

    /// Lets these in from now on; the streams of others end.
    pub fn let_in(&mut self, users: &[User]) {
        let was_open = self.users.is_empty();
        self.users.set(users);
        if !was_open {
            self.warn_if_open();
        }
    }

    /// Says to whom it is open, if that is more than this machine and users with passwords.
    fn warn_if_open(&self) {
        let addresses = self
            .listeners
            .iter()
            .filter_map(|each| each.local_addr().ok());
        let reached: Vec<String> = addresses
            .filter(|address| !address.ip().to_canonical().is_loopback())
            .map(|address| address.to_string())
            .collect();
        if self.users.is_empty() && !reached.is_empty() {
            let reached = reached.join(" or ");
            warn!("whoever reaches {reached} sees the cameras: no [[user]] is configured");
        }
    }

    /// Whether it is configured like this.
    pub fn is_as(&self, config: &Http, discovery: Discovery) -> bool {
        self.config == *config && self.discovery == discovery
    }

    /// Opens it when it is time, and replaces it when it has ended or hangs.
    pub fn turn(&mut self, now: Instant) {
        self.hanging.retain(|door| !door.thread.is_finished());
        if let Some(running) = &mut self.running {
            if running.thread.is_finished() {
                error!("the door's thread has ended; it starts anew");
                self.running = None;
                self.due = now + self.backoff.wait();
            } else if !running.watched.is_alive(now, PATIENCE) && self.hanging.len() < MOST_HANGING
            {
                // It ends when it turns again.
                running.stop.ring();
                self.hanging.extend(self.running.take());
                self.due = now;
            }
        }
        if self.running.is_none() && now >= self.due {
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

    fn start(&mut self, now: Instant) -> io::Result<Running> {
        if self.listeners.is_empty() {
            let addresses = self.config.listen.addresses().iter();
            let bound: io::Result<_> = addresses.map(|&each| bind(each)).collect();
            self.listeners = bound?;
            for listener in &self.listeners {
                info!("http://{}/ shows the cameras", listener.local_addr()?);
            }
            self.warn_if_open();
        }
        let listeners: io::Result<Vec<TcpListener>> =
            self.listeners.iter().map(TcpListener::try_clone).collect();
        let (stop, heartbeat) = (Arc::new(Bell::new()?), Arc::new(Heartbeat::default()));
        let announced = Some(self.config.listen.clone());
        let server = Server {
            listeners: listeners?,
            names: self.config.names.clone(),
            announced: announced.filter(|_| self.discovery.mdns),
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

/// A socket that listens on `address`; the error names it.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{address}: {error}"));
    let listener = TcpListener::bind(address).map_err(named)?;
    listener.set_nonblocking(true).map_err(named)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::config::Listen;

    const SILENT: Discovery = Discovery { mdns: false };

    fn answer(address: SocketAddr) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn one_that_has_ended_starts_anew_on_the_same_socket() {
        let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let config = Http {
            listen: Listen::on(address),
            names: Vec::new(),
        };
        let start = Instant::now();
        let behind = Behind::default();
        let mut door = Door::open(config, SILENT, &[], vec![listener], behind, start);
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
        let config = Http {
            listen: Listen::on(address),
            names: Vec::new(),
        };
        let start = Instant::now();
        let behind = Behind::default();
        let mut door = Door::open(config, SILENT, &[], Vec::new(), behind, start);
        assert!(door.running.is_none());
        drop(taken);
        door.turn(start + LONGEST_BACK_OFF);
        assert!(answer(address).contains("no camera"));
    }
}
