//! One interface with one family of addresses: takes the names there, says what there is, answers, and notices whoever has
//! the same name. It sees neither sockets nor clocks: octets and times come in as values.
//! RFC 6762 5.4 (answers to one), 6 (to all, and how often), 7 (what is known already), 8 (probing and announcing), 9 (conflicts).

use std::cmp::Ordering;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::message::{self, Octets};
use super::records::{Records, precedence};
use crate::dns::{Message, NSEC, RESPONSE, Record, TRUNCATED};
use crate::neighbours::PORT;
use crate::random::random;

/// Names are asked for so often, so long after each other (RFC 6762 8.1).
const PROBES: u32 = 3;
const PROBE_INTERVAL: Duration = Duration::from_millis(250);
/// After a neighbour who wants the same name has come first (RFC 6762 8.2).
const GIVE_WAY: Duration = Duration::from_secs(1);
/// What there is, is announced so often, so long after each other (RFC 6762 8.3).
const ANNOUNCEMENTS: u32 = 2;
const ANNOUNCEMENT_INTERVAL: Duration = Duration::from_secs(1);
/// A record is said to all no sooner again, and to one who wants its name (RFC 6762 6).
const SOONEST: Duration = Duration::from_secs(1);
const SOONEST_FOR_PROBE: Duration = Duration::from_millis(250);
/// What others may answer as well waits for at least so long, and up to as much longer as the second says (RFC 6762 6); the
/// same when more known answers are to come (RFC 6762 7.2).
const WAIT: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(100)];
const WAIT_FOR_KNOWN: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(100)];
/// In each of these times so many messages are read, and so many sent to one alone; more are dropped unread, and not sent.
const BUDGET_TIME: Duration = Duration::from_secs(1);
const MAX_HEARD: u32 = 100;
const MAX_SENT_TO_ONE: u32 = 30;
/// What has come of a message.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// Octets for the one who has asked.
    pub to_one: Vec<Octets>,
    /// Somebody has one of the names that are wanted here.
    pub is_taken: bool,
}

enum State {
    /// Asks whether somebody has the names: so often from now on, next at this time.
    Probing { left: u32, at: Instant },
    /// Has them; announces them so often from now on, next at this time.
    Speaking { left: u32, at: Instant },
}

/// An answer to all that is due.
struct Due {
    record: usize,
    at: Instant,
    /// Who alone has asked for it.
    asked_by: Option<SocketAddr>,
}

/// So much may be done in a time.
struct Budget {
    full: u32,
    left: u32,
    until: Instant,
}

impl Budget {
    fn new(full: u32, now: Instant) -> Self {
        Self {
            full,
            left: full,
            until: now + BUDGET_TIME,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        if now >= self.until {
            (self.left, self.until) = (self.full, now + BUDGET_TIME);
        }
        let has_some = self.left > 0;
        self.left = self.left.saturating_sub(1);
        has_some
    }
}

/// Speaks for this machine on a link.
pub struct Speaker {
    records: Rc<Records>,
    state: State,
    /// When each record was last said to all.
    said: Vec<Option<Instant>>,
    due: Vec<Due>,
    hearing: Budget,
    to_one: Budget,
}

impl Speaker {
    /// Begins to ask for the names of `records` after `pause` and a little more, so that not all begin at once.
    pub fn new(records: Rc<Records>, pause: Duration, now: Instant) -> Self {
        Self {
            said: vec![None; records.all().len()],
            records,
            state: State::Probing {
                left: PROBES,
                at: now + pause + part_of(PROBE_INTERVAL),
            },
            due: Vec::new(),
            hearing: Budget::new(MAX_HEARD, now),
            to_one: Budget::new(MAX_SENT_TO_ONE, now),
        }
    }

    /// Whether it has taken its names.
    pub fn has_its_names(&self) -> bool {
        matches!(self.state, State::Speaking { .. })
    }

    /// When there is something to say next.
    pub fn next(&self) -> Option<Instant> {
        let of_state = match self.state {
            State::Probing { at, .. } => Some(at),
            State::Speaking { left, at } => (left > 0).then_some(at),
        };
        let due = self.due.iter().map(|due| due.at).min();
        of_state.into_iter().chain(due).min()
    }

    /// What is to be said to all at `now`.
    pub fn speak(&mut self, now: Instant) -> Vec<Octets> {
        if let State::Probing { left, at } = &mut self.state {
            if now < *at {
                return Vec::new();
            }
            if *left > 0 {
                (*left, *at) = (*left - 1, now + PROBE_INTERVAL);
                return message::probes(&self.records);
            }
            self.state = State::Speaking {
                left: ANNOUNCEMENTS,
                at: now,
            };
        }
        let mut messages = Vec::new();
        if let State::Speaking { left, at } = &mut self.state
            && *left > 0
            && now >= *at
        {
            (*left, *at) = (*left - 1, now + ANNOUNCEMENT_INTERVAL);
            let all: Vec<usize> = self.records.announced().collect();
            messages.extend(self.say(&all, &[], now));
        }
        let is_due = |due: &Due| due.at <= now;
        let answers: Vec<usize> = self
            .due
            .iter()
            .filter(|due| is_due(due))
            .map(|due| due.record)
            .collect();
        self.due.retain(|due| !is_due(due));
        let mut more = self.records.belonging_to(&answers);
        more.retain(|&index| self.may_say(index, SOONEST, now) <= now);
        messages.extend(self.say(&answers, &more, now));
        messages
    }

    fn say(&mut self, answers: &[usize], more: &[usize], now: Instant) -> Vec<Octets> {
        for &index in answers.iter().chain(more) {
            if let Some(said) = self.said.get_mut(index) {
                *said = Some(now);
            }
        }
        message::responses(&self.records, answers, more)
    }

    /// When the record at `index` may be said to all again.
    fn may_say(&self, index: usize, soonest: Duration, now: Instant) -> Instant {
        let said = self.said.get(index).copied().flatten();
        said.map_or(now, |said| (said + soonest).max(now))
    }

    /// Reads `octets` that came from `from`, one of this machine's own addresses or not.
    pub fn hear(&mut self, octets: &[u8], from: SocketAddr, is_own: bool, now: Instant) -> Heard {
        if !self.hearing.take(now) {
            return Heard::default();
        }
        let Some(message) = Message::read(octets) else {
            return Heard::default();
        };
        let is_response = message.flags & RESPONSE != 0;
        let is_probe = !is_response && !message.wanted.is_empty();
        // What is said at one of our interfaces may be heard at another.
        if is_own && (is_response || is_probe) {
            return Heard::default();
        }
        if is_response {
            return Heard {
                is_taken: from.port() == PORT && self.is_contradicted(&message, now),
                ..Heard::default()
            };
        }
        match &mut self.state {
            State::Probing { left, at } => {
                if is_probe && !has_precedence(&self.records, &message) {
                    (*left, *at) = (PROBES, now + GIVE_WAY);
                }
                Heard::default()
            }
            State::Speaking { .. } => Heard {
                to_one: self.answer(&message, from, is_probe, now),
                ..Heard::default()
            },
        }
    }

    /// Whether somebody has a name that is wanted here. Who has had it until now asks for it again.
    fn is_contradicted(&mut self, message: &Message, now: Instant) -> bool {
        let is_wanted = matches!(self.state, State::Probing { .. });
        let mut records = message.answers.iter().chain(&message.more);
        let is_contradicted = records.any(|record| self.records.contradicts(record, is_wanted));
        if is_contradicted && !is_wanted {
            let (left, at) = (PROBES, now);
            self.state = State::Probing { left, at };
            self.due.clear();
        }
        is_contradicted && is_wanted
    }

    /// Answers a query: what is for one alone at once, the rest when it is due.
    fn answer(
        &mut self,
        query: &Message,
        from: SocketAddr,
        is_probe: bool,
        now: Instant,
    ) -> Vec<Octets> {
        let records = self.records.clone();
        let is_known = |index: usize| {
            records.all().get(index).is_some_and(|own| {
                let mut known = query.answers.iter();
                known.any(|other| own.is_same(other) && other.ttl >= own.ttl / 2)
            })
        };
        // The rest of what is known may come in a message of its own.
        self.due
            .retain(|due| due.asked_by != Some(from) || !is_known(due.record));
        let (mut for_one, mut for_all) = (Vec::new(), Vec::new());
        for index in 0..records.all().len() {
            let mut asking = query
                .questions
                .iter()
                .filter(|each| records.answers(index, each));
            let Some(first) = asking.next().filter(|_| !is_known(index)) else {
                continue;
            };
            let is_for_one = first.to_one && asking.all(|each| each.to_one);
            if from.port() != PORT || (is_for_one && self.is_remembered(index, now)) {
                for_one.push(index);
            } else {
                for_all.push(index);
            }
        }
        self.put_off(&for_all, query, from, is_probe, now);
        if for_one.is_empty() || !self.to_one.take(now) {
            return Vec::new();
        }
        let more = records.belonging_to(&for_one);
        match from.port() {
            PORT => message::responses(&records, &for_one, &more),
            _ => vec![message::legacy_response(query, &records, &for_one, &more)],
        }
    }

    /// Whether all have heard the record at `index` within a quarter of its time to live (RFC 6762 5.4).
    fn is_remembered(&self, index: usize, now: Instant) -> bool {
        let said = self.said.get(index).copied().flatten();
        let ttl = self.records.all().get(index).map_or(0, |record| record.ttl);
        said.is_some_and(|said| now < said + Duration::from_secs(u64::from(ttl) / 4))
    }

    /// Has `answers` said to all when it is time.
    fn put_off(
        &mut self,
        answers: &[usize],
        query: &Message,
        from: SocketAddr,
        is_probe: bool,
        now: Instant,
    ) {
        let is_shared = |&index: &usize| {
            let record = self.records.all().get(index);
            record.is_some_and(|record| !record.is_unique)
        };
        let [least, more] = if query.flags & TRUNCATED != 0 {
            WAIT_FOR_KNOWN
        } else if answers.iter().any(is_shared) && !is_probe {
            WAIT
        } else {
            [Duration::ZERO; 2]
        };
        let at = now + least + part_of(more);
        let soonest = if is_probe { SOONEST_FOR_PROBE } else { SOONEST };
        for &record in answers {
            let at = at.max(self.may_say(record, soonest, now));
            match self.due.iter_mut().find(|due| due.record == record) {
                Some(due) => {
                    due.at = due.at.min(at);
                    if due.asked_by != Some(from) {
                        due.asked_by = None;
                    }
                }
                None => self.due.push(Due {
                    record,
                    at,
                    asked_by: Some(from),
                }),
            }
        }
    }

    /// Says other things from now on, after `pause`; returns the last word on what is none any more.
    pub fn change(&mut self, records: Rc<Records>, pause: Duration, now: Instant) -> Vec<Octets> {
        let last_word = self.farewell(|own| !records.all().iter().any(|other| own.is_same(other)));
        *self = Self::new(records, pause, now);
        last_word
    }

    /// The last word; the host's name may be kept for another program that speaks for this machine from now on.
    pub fn good_bye(&self, keeps_host: bool) -> Vec<Octets> {
        self.farewell(|own| !(keeps_host && self.records.is_of_host(own)))
    }

    /// Those who were told of a record hear that it has `ended`.
    fn farewell(&self, ended: impl Fn(&Record) -> bool) -> Vec<Octets> {
        match self.state {
            State::Probing { .. } => Vec::new(),
            State::Speaking { .. } => {
                let all = self.records.all().iter();
                let ended = all.filter(|record| record.kind != NSEC && ended(record));
                message::good_byes(ended.cloned().collect())
            }
        }
    }
}

/// Whether we come before whoever asks for the same names with `probe` (RFC 6762 8.2).
fn has_precedence(records: &Records, probe: &Message) -> bool {
    records.unique_names().all(|name| {
        let theirs = probe.wanted.iter().filter(|record| record.name == *name);
        let theirs: Vec<&Record> = theirs.collect();
        theirs.is_empty() || precedence(&records.by(name), &theirs) != Ordering::Less
    })
}

/// Some part of `most`, by chance.
fn part_of(most: Duration) -> Duration {
    let [chance] = random().unwrap_or_default();
    most * u32::from(chance) / 256
}

#[cfg(test)]
mod tests;
