//! Tells the neighbours where the page and the cameras are, where nobody else on this machine answers multicast DNS.
//! RFC 6762 (multicast DNS), RFC 6763 (services).
//!
//! A name that a neighbour has already gets a number, the same on all interfaces. Interfaces, addresses, cameras and the
//! host's name are looked at again and again, because the service may have no netlink.

mod link;
mod message;
mod other;
mod records;
mod speaker;

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::time::timeout_at;
use tracing::{debug, info};

use super::host::Names;
use crate::config::Listen;
use crate::directory::Directory;
use crate::log_limit::LogLimits;
use crate::neighbours::{self, MAX_MESSAGE_OCTETS};

use link::{Face, Port};
use message::Octets;
use other::Other;
pub use records::{Records, Said};
pub use speaker::{Heard, Speaker};

/// Time between two looks at interfaces, addresses, names and cameras.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// Highest number behind a name that is taken; then they begin again.
const MAX_NUMBER: u32 = 99;
/// From so many changes of the name on, the next one waits: somebody says no to all of them (RFC 6762 8.1).
const MANY_CHANGES: u32 = 15;
const PAUSE: Duration = Duration::from_secs(5);
/// So long a host's name may be, with a number behind it (RFC 1035 2.3.4).
const MAX_HOST_OCTETS: usize = 60;
/// A machine without a name.
const NAMELESS: &str = "framewire";
const LEFT_TO_OTHER: &str = "another program has UDP port 5353, Avahi or systemd-resolved usually: it is left to tell the \
                             neighbours of the cameras, by the files in docs/operation.md";

/// One interface with one of its families.
struct Link {
    face: Face,
    is_v4: bool,
    said: Said,
    port: Port,
    speaker: Speaker,
    /// Its socket has failed.
    is_broken: bool,
}

impl Link {
    fn say(&self, messages: &[Octets]) {
        messages
            .iter()
            .for_each(|octets| self.port.say(octets, None));
    }
}

/// Tells it, as long as it lives; its last word is that all is none any more.
struct Teller {
    listen: Listen,
    directory: Arc<Directory>,
    other: Other,
    /// Whether the log says that there is another one.
    is_silent: bool,
    /// Where the log says that neighbours find the page.
    found_at: String,
    links: Vec<Link>,
    /// This machine's addresses, those of all links.
    own: Vec<IpAddr>,
    /// Behind the host's name, when it is more than 1.
    number: u32,
    changes: u32,
    limits: LogLimits,
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.leave(None, false);
    }
}

/// Tells them for ever where the cameras of `directory` are, as far as `listen` lets them in.
pub async fn tell(listen: Listen, directory: Arc<Directory>) {
    let mut teller = Teller {
        listen,
        directory,
        other: Other::default(),
        is_silent: false,
        found_at: String::new(),
        links: Vec::new(),
        own: Vec::new(),
        number: 1,
        changes: 0,
        limits: LogLimits::default(),
    };
    let mut octets = vec![0; MAX_MESSAGE_OCTETS];
    let mut look = Instant::now();
    loop {
        let now = Instant::now();
        if now >= look {
            look = now + LOOK_INTERVAL;
            teller.look(now);
        }
        let next = teller.speak(now).map_or(look, |next| next.min(look));
        let heard = timeout_at(next.into(), teller.hear(&mut octets)).await;
        if let Ok((link, message)) = heard {
            let message = message.map(|(length, from)| (octets.get(..length), from));
            teller.take(link, message, Instant::now());
        }
    }
}

impl Teller {
    /// Notices what has changed around here.
    fn look(&mut self, now: Instant) {
        let was_silent = std::mem::replace(&mut self.is_silent, self.other.look(now));
        if self.is_silent {
            if !was_silent {
                self.log(LEFT_TO_OTHER, now);
                self.found_at.clear();
                // The host's name stays: the other one has it too.
                self.leave(None, true);
            }
            return;
        }
        let interfaces = neighbours::interfaces().unwrap_or_default();
        let faces: Vec<Face> = interfaces
            .into_iter()
            .filter(|interface| !interface.is_point_to_point)
            .filter_map(|interface| Face::of(interface.name))
            .collect();
        self.own = faces
            .iter()
            .flat_map(|face| face.addresses.clone())
            .collect();
        // Nobody hears a last word by what is gone.
        self.links.retain(|link| {
            let mut faces = faces.iter();
            !link.is_broken && faces.any(|face| face.is_as_connected_as(&link.face))
        });
        for face in faces {
            self.follow(face, now);
        }
        let mut links = self.links.iter();
        if let Some(link) = links.find(|link| link.speaker.has_its_names()) {
            let Said { host, port, .. } = &link.said;
            let found_at = format!("http://{host}.local:{port}/");
            if found_at != self.found_at {
                self.log(&format!("neighbours find the cameras at {found_at}"), now);
                self.found_at = found_at;
            }
        }
    }

    /// Says what is true now by an interface.
    fn follow(&mut self, face: Face, now: Instant) {
        let said = self.said(&face);
        let records = said.as_ref().and_then(Records::new).map(Rc::new);
        let (Some(said), Some(records)) = (said, records) else {
            // The door does not listen there any more.
            return self.leave(Some(&face.name), false);
        };
        let pause = if self.changes < MANY_CHANGES {
            Duration::ZERO
        } else {
            PAUSE
        };
        for is_v4 in [true, false] {
            let mut links = self.links.iter_mut();
            let is_its = |link: &&mut Link| link.face.name == face.name && link.is_v4 == is_v4;
            if let Some(link) = links.find(is_its) {
                link.face = face.clone();
                if link.said != said {
                    link.said = said.clone();
                    let last_word = link.speaker.change(records.clone(), pause, now);
                    link.say(&last_word);
                }
                continue;
            }
            match Port::open(&face, is_v4) {
                Ok(port) => self.links.push(Link {
                    face: face.clone(),
                    is_v4,
                    said: said.clone(),
                    port,
                    speaker: Speaker::new(records.clone(), pause, now),
                    is_broken: false,
                }),
                Err(problem) => debug!("multicast DNS on {}: {problem}", face.name),
            }
        }
    }

    /// What is to be said by an interface; `None` where the door does not listen.
    fn said(&self, face: &Face) -> Option<Said> {
        let port_at = |&address: &IpAddr| self.listen.port_at(address);
        let port = face.addresses.iter().find_map(port_at)?;
        let addresses = face.addresses.iter().copied();
        let entries = self.directory.entries();
        let cameras = entries.iter().map(|entry| entry.config.name().to_string());
        let host = label(&Names::own());
        Some(Said {
            host: match self.number {
                1 => host,
                number => format!("{host}-{number}"),
            },
            addresses: addresses
                .filter(|address| port_at(address) == Some(port))
                .collect(),
            port,
            cameras: cameras.collect(),
        })
    }

    /// Says what is due; returns when there is more.
    fn speak(&mut self, now: Instant) -> Option<Instant> {
        for link in &mut self.links {
            let messages = link.speaker.speak(now);
            link.say(&messages);
        }
        self.links
            .iter()
            .filter_map(|link| link.speaker.next())
            .min()
    }

    /// What comes next: by which link, and if it is a message, its length and from whom.
    async fn hear(&self, octets: &mut [u8]) -> (usize, Option<(usize, SocketAddr)>) {
        poll_fn(|context| {
            for (index, link) in self
                .links
                .iter()
                .enumerate()
                .filter(|(_, link)| !link.is_broken)
            {
                if let Poll::Ready(heard) = link.port.poll_hear(context, octets) {
                    return Poll::Ready((index, heard.ok()));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// What has come by the link at `index`: octets, and from whom; or its socket has failed.
    fn take(&mut self, index: usize, message: Option<(Option<&[u8]>, SocketAddr)>, now: Instant) {
        let Some(link) = self.links.get_mut(index) else {
            return;
        };
        let Some((octets, from)) = message else {
            // The next look opens another.
            link.is_broken = true;
            return;
        };
        let is_own = self.own.contains(&from.ip());
        let octets = octets.unwrap_or_default();
        let heard = link.speaker.hear(octets, from, is_own, now);
        for octets in heard.to_one {
            link.port.say(&octets, Some(from));
        }
        if heard.is_taken {
            self.change_name(now);
        }
    }

    /// Takes the next name, everywhere.
    fn change_name(&mut self, now: Instant) {
        self.number = self.number % MAX_NUMBER + 1;
        self.changes = self.changes.saturating_add(1);
        if let Some(link) = self.links.first() {
            let line = format!("a neighbour has the name {}.local", link.said.host);
            self.log(&line, now);
        }
        let faces: Vec<Face> = self.links.iter().map(|link| link.face.clone()).collect();
        for face in faces {
            self.follow(face, now);
        }
    }

    /// Says good-bye by an interface or by all, and leaves it.
    fn leave(&mut self, interface: Option<&str>, keeps_host: bool) {
        self.links.retain(|link| {
            let stays = interface.is_some_and(|interface| interface != link.face.name);
            if !stays {
                link.say(&link.speaker.good_bye(keeps_host));
            }
            stays
        });
    }

    fn log(&self, line: &str, now: Instant) {
        if let Some(times) = self.limits.note(line, now) {
            info!("{line}{times}");
        }
    }
}

/// The first label of a host name, as far as it has the characters of one.
fn label(host: &str) -> String {
    let first = host.split('.').next().unwrap_or_default();
    let kept = first
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    let label: String = kept.take(MAX_HOST_OCTETS).collect();
    if label.is_empty() {
        NAMELESS.to_owned()
    } else {
        label
    }
}
