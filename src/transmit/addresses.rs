//! The addresses of one destination: in which order they are tried, and when its name is looked up again.
//!
//! A round takes each address once. A stream that is well stays where it is as long as its address is among the
//! answers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::backoff::Backoff;

/// Until a name is looked up again while all seems well.
const FRESH: Duration = Duration::from_secs(60);
/// First and longest wait until it is looked up again after a round of failures.
const WAITS: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(10)];

/// What is known of where a destination is.
#[derive(Debug)]
pub struct Addresses {
    /// In the order in which they are tried; empty as long as the name is not known.
    list: Vec<SocketAddr>,
    position: usize,
    /// Where the stream was well: a round begins with it.
    proven: Option<SocketAddr>,
    /// `None`: what was configured is an address, and not looked up.
    next_look: Option<Instant>,
    waits: Backoff,
}

impl Addresses {
    /// Of a name, to be looked up at `now`.
    pub fn of_name(now: Instant) -> Self {
        let [shortest, longest] = WAITS;
        Self {
            list: Vec::new(),
            position: 0,
            proven: None,
            next_look: Some(now),
            waits: Backoff::new(shortest, longest),
        }
    }

    /// This one.
    pub fn only(address: SocketAddr) -> Self {
        Self {
            list: vec![address],
            next_look: None,
            ..Self::of_name(Instant::now())
        }
    }

    /// The one to send to; `None` as long as the name is not known.
    pub fn current(&self) -> Option<SocketAddr> {
        self.list.get(self.position).copied()
    }

    /// Whether the destination still has `address`.
    pub fn contain(&self, address: SocketAddr) -> bool {
        self.list.contains(&address)
    }

    /// When the name is looked up again; `None` = never.
    pub fn next_look(&self) -> Option<Instant> {
        self.next_look
    }

    /// Whether it is time to look the name up.
    pub fn are_due(&self, now: Instant) -> bool {
        self.next_look.is_some_and(|next| now >= next)
    }

    /// The name has these addresses. The current one stays if it is among them.
    pub fn found(&mut self, addresses: Vec<SocketAddr>, now: Instant) {
        let current = self.current();
        self.list = addresses;
        self.begin_round();
        let same = |address: &SocketAddr| Some(*address) == current;
        self.position = self.list.iter().position(same).unwrap_or(0);
        self.next_look = Some(now + FRESH);
    }

    /// The name was not found. What was known of it is still the best there is.
    pub fn not_found(&mut self, now: Instant) {
        let wait = if self.list.is_empty() {
            self.waits.wait()
        } else {
            FRESH
        };
        self.next_look = Some(now + wait);
    }

    /// The current one has failed. Takes the next; false when the round is over, and begins again.
    pub fn failed(&mut self, now: Instant) -> bool {
        self.position += 1;
        if self.position < self.list.len() {
            return true;
        }
        self.begin_round();
        let again = now + self.waits.wait();
        self.next_look = self.next_look.map(|next| next.min(again));
        false
    }

    /// The stream is well at the current one.
    pub fn settled(&mut self) {
        self.proven = self.current();
        self.waits.reset();
    }

    fn begin_round(&mut self) {
        self.position = 0;
        let proven = |address: &SocketAddr| Some(*address) == self.proven;
        let index = self.list.iter().position(proven);
        if let Some(up_to_it) = index.and_then(|index| self.list.get_mut(..=index)) {
            up_to_it.rotate_right(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn addresses(hosts: &[u8]) -> Vec<SocketAddr> {
        let address = |host: &u8| SocketAddr::from(([10, 0, 0, *host], 5004));
        hosts.iter().map(address).collect()
    }

    fn host(addresses: &Addresses) -> u8 {
        match addresses.current() {
            Some(SocketAddr::V4(address)) => address.ip().octets()[3],
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_round_takes_each_address_once_and_ends_with_a_look_up() {
        let start = Instant::now();
        let mut known = Addresses::of_name(start);
        assert!(known.are_due(start));
        assert_eq!(known.current(), None);
        known.found(addresses(&[1, 2, 3]), start);
        for next in [2, 3] {
            assert!(known.failed(start));
            assert_eq!(host(&known), next);
            assert!(!known.are_due(start + 59 * SECOND));
        }
        let later = start + SECOND;
        assert!(!known.failed(later), "the round is over");
        assert_eq!(host(&known), 1);
        assert!(!known.are_due(later + WAITS[0] - Duration::from_millis(1)));
        assert!(known.are_due(later + WAITS[0]));
    }

    /// However often rounds end, a name server is asked every ten seconds at most, and never later than that.
    #[test]
    fn look_ups_become_rare_while_rounds_fail() {
        let mut now = Instant::now();
        let mut known = Addresses::of_name(now);
        known.found(addresses(&[1]), now);
        let mut looks = Vec::new();
        let begun = now;
        while now < begun + 60 * SECOND {
            now += SECOND / 4;
            if known.are_due(now) {
                looks.push(now);
                known.found(addresses(&[1]), now);
            }
            assert!(!known.failed(now));
        }
        let gaps: Vec<_> = looks.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.is_sorted(), "{gaps:?}");
        assert!(
            gaps.last().unwrap().abs_diff(WAITS[1]) <= SECOND / 4,
            "{gaps:?}"
        );
        known.settled();
        known.found(addresses(&[1]), now);
        assert!(!known.failed(now));
        assert!(known.are_due(now + WAITS[0]));
    }

    #[test]
    fn a_stream_that_is_well_moves_only_when_its_address_is_gone() {
        let start = Instant::now();
        let mut known = Addresses::of_name(start);
        known.found(addresses(&[1, 2]), start);
        assert!(known.failed(start));
        known.settled();
        assert!(!known.are_due(start + FRESH - SECOND));
        assert!(known.are_due(start + FRESH));
        known.found(addresses(&[3, 1, 2]), start + FRESH);
        assert_eq!(host(&known), 2);
        known.not_found(start + 2 * FRESH);
        assert_eq!(host(&known), 2);
        assert!(!known.are_due(start + 3 * FRESH - SECOND));
        known.found(addresses(&[3, 1]), start + 3 * FRESH);
        assert_eq!(host(&known), 3);
        assert!(!known.contain(addresses(&[2])[0]));
    }

    #[test]
    fn a_round_begins_where_the_stream_was_well() {
        let start = Instant::now();
        let mut known = Addresses::of_name(start);
        known.found(addresses(&[1, 2, 3]), start);
        assert!(known.failed(start));
        assert!(known.failed(start));
        known.settled();
        assert!(!known.failed(start));
        for next in [3, 1, 2] {
            assert_eq!(host(&known), next);
            known.failed(start);
        }
        assert_eq!(host(&known), 3);
    }

    #[test]
    fn an_unknown_name_is_looked_up_ever_more_rarely() {
        let mut now = Instant::now();
        let mut known = Addresses::of_name(now);
        for wait in [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000] {
            known.not_found(now);
            now += Duration::from_millis(wait);
            assert!(!known.are_due(now - Duration::from_millis(1)));
            assert!(known.are_due(now));
        }
    }

    #[test]
    fn an_address_is_never_looked_up() {
        let start = Instant::now();
        let mut known = Addresses::only(addresses(&[7])[0]);
        assert!(!known.failed(start));
        assert_eq!(host(&known), 7);
        assert!(!known.are_due(start + 1000 * FRESH));
    }
}
