//! Whether another program answers multicast DNS on this machine: two would contradict each other (RFC 6762 15.1).
//!
//! Avahi, systemd-resolved and all others that answer have their port at every address of the machine, and our sockets have
//! it at the groups' addresses only. So when it cannot be had at the loopback address, somebody else has it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::neighbours::PORT;

/// What was seen once must stay so for as long: a program that only looks around has the port for a moment, too.
const STEADY: Duration = Duration::from_secs(10);
/// Where systemd runs, and what `framewire prepare` has systemd-resolved announce on a flashed image, which may start after
/// us.
const BY_RESOLVED: [&str; 2] = [
    "/run/systemd/system",
    "/run/systemd/dnssd/framewire-page.dnssd",
];

/// The other program.
#[derive(Default)]
pub struct Other {
    /// What it was taken for; `None` before the first look.
    is_there: Option<bool>,
    /// When the first look was that found the opposite.
    differs_since: Option<Instant>,
}

impl Other {
    /// Whether there is one, as it looks at `now`.
    pub fn look(&mut self, now: Instant) -> bool {
        let is_by_resolved = BY_RESOLVED.iter().all(|path| Path::new(path).exists());
        self.note(is_by_resolved || is_taken(), now)
    }

    /// The first look counts at once, and what lasts.
    fn note(&mut self, is_seen: bool, now: Instant) -> bool {
        let is_there = *self.is_there.get_or_insert(is_seen);
        if is_seen == is_there {
            self.differs_since = None;
            return is_there;
        }
        let since = *self.differs_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= STEADY {
            (self.is_there, self.differs_since) = (Some(is_seen), None);
            return is_seen;
        }
        is_there
    }
}

/// Whether somebody has the port at all addresses of the machine.
fn is_taken() -> bool {
    let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    loopback.iter().any(|&address| {
        let bound = UdpSocket::bind((address, PORT));
        bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_counts_and_then_what_lasts() {
        let start = Instant::now();
        let mut other = Other::default();
        assert!(other.note(true, start));
        for (seconds, is_seen, is_there) in [
            (2, false, true),
            (4, true, true),
            (6, false, true),
            (15, false, true),
            (16, false, false),
            (18, true, false),
            (28, true, true),
        ] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(other.note(is_seen, now), is_there, "{seconds}");
        }
    }
}
