//! Whether a request that changes something is new: who has listened in cannot send it a second time. RFC 7616 3.3 and 3.4
//! (nonce count), 5.5 (replay).
//!
//! Requests that only read are not counted: many players repeat their answer to a challenge as it is.

use super::authorization::Digest;
use super::digest::time_of;

/// Most pairs of nonces that are remembered. Beyond that older nonces become stale.
const MOST: usize = 1024;
/// Hexadecimal digits of a count (RFC 7616 3.4).
const COUNT_DIGITS: usize = 8;
/// Most octets of a client's nonce: browsers have 16 and 32.
const LONGEST: usize = 128;

/// What is known of a pair of nonces, ours and the client's.
#[derive(Debug)]
struct Seen {
    /// When ours was made.
    time: u64,
    pair: String,
    /// The largest so far.
    count: u32,
}

/// The counts of all pairs that were used.
#[derive(Debug, Default)]
pub struct Counts {
    seen: Vec<Seen>,
    /// What was made until then is not remembered any more.
    forgotten: Option<u64>,
}

impl Counts {
    /// Whether the right `answer` has not been seen before, nor one that was made after it; remembers it. Without a count
    /// nobody could tell.
    pub fn is_new(&mut self, answer: &Digest) -> bool {
        let (Some((count, client)), Some(time)) = (answer.count, time_of(answer.nonce)) else {
            return false;
        };
        let is_forgotten = self.forgotten.is_some_and(|forgotten| time <= forgotten);
        if is_forgotten || count.len() != COUNT_DIGITS || client.len() > LONGEST {
            return false;
        }
        let count = Some(count).filter(|digits| !digits.starts_with('+'));
        let Some(count) = count.and_then(|digits| u32::from_str_radix(digits, 16).ok()) else {
            return false;
        };
        let pair = format!("{}:{client}", answer.nonce);
        match self.seen.iter_mut().find(|seen| seen.pair == pair) {
            Some(seen) if count <= seen.count => return false,
            Some(seen) => seen.count = count,
            None if count == 0 => return false,
            None => self.seen.push(Seen { time, pair, count }),
        }
        self.make_room();
        true
    }

    /// Forgets the oldest nonces, all of the same second.
    fn make_room(&mut self) {
        while self.seen.len() > MOST {
            let oldest = self.seen.iter().map(|seen| seen.time).min();
            self.seen.retain(|seen| Some(seen.time) != oldest);
            self.forgotten = oldest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::authorization::Algorithm;
    use super::*;

    fn is_new(counts: &mut Counts, time: u64, count: &str, client: &str) -> bool {
        let nonce = format!("{time:016x}{}", "0".repeat(32));
        counts.is_new(&Digest {
            name: "anna",
            nonce: &nonce,
            uri: "/",
            response: "",
            algorithm: Algorithm::Sha256,
            count: (!count.is_empty()).then_some((count, client)),
        })
    }

    #[test]
    fn a_count_is_good_once_and_none_below_it() {
        let counts = &mut Counts::default();
        for (count, client, expected) in [
            ("00000001", "a", true),
            ("00000001", "a", false),
            ("00000001", "b", true),
            ("0000000a", "a", true),
            ("00000009", "a", false),
            ("0000000A", "a", false),
            ("0000000b", "a", true),
            ("c", "a", false),
            ("+000000c", "c", false),
            ("00000000", "d", false),
            ("zzzzzzzz", "a", false),
            ("00000001", &"x".repeat(129), false),
            ("", "", false),
        ] {
            assert_eq!(
                is_new(counts, 7, count, client),
                expected,
                "{count} {client}"
            );
        }
    }

    #[test]
    fn what_is_forgotten_is_refused_and_the_table_stays_small() {
        let counts = &mut Counts::default();
        for time in 0..3000 {
            assert!(is_new(counts, time, "00000001", "a"));
        }
        assert_eq!(counts.seen.len(), MOST);
        let oldest = 3000 - u64::try_from(MOST).unwrap();
        assert!(!is_new(counts, oldest - 1, "00000002", "a"));
        assert!(!is_new(counts, oldest - 1, "00000002", "new"));
        assert!(is_new(counts, oldest, "00000002", "a"));
        // Very many within a second: that second is over.
        for client in 0..=MOST {
            is_new(counts, 5000, "00000001", &client.to_string());
        }
        assert!(counts.seen.is_empty());
        assert!(!is_new(counts, 5000, "00000001", "late"));
        assert!(is_new(counts, 5001, "00000001", "a"));
    }
}
