//! Looks the name of one destination up, beside its stream: that may take many seconds.
//! getaddrinfo(3); `.local` by [`mdns`].

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use super::addresses::Addresses;
use super::{mdns, socket};
use crate::config::{self, Destination, Interface};

/// Pause between two looks whether a name has been looked up, where nothing else is to be sent.
const ANSWER_LOOK: Duration = Duration::from_millis(5);

/// Looks a name up, for as long as it takes.
pub type Resolve = fn(&config::Output) -> io::Result<Vec<SocketAddr>>;

/// The addresses of a destination, and the thread that looks for them now and then.
#[derive(Debug)]
pub struct Lookup {
    addresses: Addresses,
    resolve: Resolve,
    /// What the thread will say; there is one at most.
    answer: Option<Receiver<io::Result<Vec<SocketAddr>>>>,
}

impl Lookup {
    /// For `destination`; a name is looked up by `resolve` from `now` on.
    pub fn new(destination: &Destination, resolve: Resolve, now: Instant) -> Self {
        let addresses = match destination.host.parse::<IpAddr>() {
            Ok(ip) => Addresses::only(SocketAddr::new(ip, destination.port)),
            Err(_) => Addresses::of_name(now),
        };
        Self {
            addresses,
            resolve,
            answer: None,
        }
    }

    /// What is known, and to be told how it went.
    pub fn addresses(&mut self) -> &mut Addresses {
        &mut self.addresses
    }

    /// Whether a thread is looking.
    pub fn is_busy(&self) -> bool {
        self.answer.is_some()
    }

    /// Whether an address is known.
    pub fn has_answer(&self) -> bool {
        self.addresses.current().is_some()
    }

    /// When more may be known; `None` = never.
    pub fn next_answer(&self, now: Instant) -> Option<Instant> {
        match self.answer {
            Some(_) => Some(now + ANSWER_LOOK),
            None => self.addresses.next_look(),
        }
    }

    /// Takes the answer of a look-up, and begins one when it is time. The error is that of a look-up.
    pub fn keep_up(&mut self, config: &config::Output, now: Instant) -> io::Result<()> {
        if let Some(answer) = &self.answer {
            let answer = match answer.try_recv() {
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => Err(io::Error::other("the look-up has ended")),
                Ok(answer) => answer,
            };
            self.answer = None;
            return self.take(answer, now);
        }
        if !self.addresses.are_due(now) {
            return Ok(());
        }
        let (resolve, config) = (self.resolve, config.clone());
        let (sender, answer) = mpsc::channel();
        let thread = thread::Builder::new().name("resolve".to_owned());
        match thread.spawn(move || sender.send(resolve(&config))) {
            Ok(_) => self.answer = Some(answer),
            Err(error) => return self.take(Err(error), now),
        }
        Ok(())
    }

    fn take(&mut self, answer: io::Result<Vec<SocketAddr>>, now: Instant) -> io::Result<()> {
        match answer {
            Ok(addresses) => self.addresses.found(addresses, now),
            Err(error) => {
                self.addresses.not_found(now);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// The addresses of `config`'s destination, at least one and each once, in the order in which they are tried.
/// For a name in `.local` the neighbours are asked first.
pub fn resolve(config: &config::Output) -> io::Result<Vec<SocketAddr>> {
    let destination = &config.destination;
    if !mdns::is_local(&destination.host) {
        return ask_system(destination);
    }
    let interface = config.interface.as_ref().map(Interface::as_str);
    mdns::resolve(destination, interface).or_else(|nobody| {
        // It may have a cache, a file of hosts, or a name server for them.
        ask_system(destination).map_err(|error| io::Error::other(format!("{nobody}; {error}")))
    })
}

/// Names are looked up as the system is set up to.
fn ask_system(destination: &Destination) -> io::Result<Vec<SocketAddr>> {
    let mut addresses = Vec::new();
    for address in (destination.host.as_str(), destination.port).to_socket_addrs()? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        let message = "the name has no address";
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    Ok(addresses)
}

/// The address that a stream of `config` goes to first: one that there is a route to. No packet leaves for that.
pub fn first_address(config: &config::Output) -> io::Result<SocketAddr> {
    let addresses = resolve(config)?;
    let has_route = |address: &&SocketAddr| {
        socket::bind(**address, 0, config)
            .and_then(|socket| socket.connect(**address))
            .is_ok()
    };
    let first = addresses.iter().find(has_route).or(addresses.first());
    first.copied().ok_or(io::ErrorKind::NotFound.into())
}
