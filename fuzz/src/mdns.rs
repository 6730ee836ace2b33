//! What must hold for any message of multicast DNS.

use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use framewire::door::mdns::{Records, Said, Speaker};

/// Most octets of a message (RFC 6762 17).
const MAX_OCTETS: usize = 9000;
/// Names are taken, and all is announced, well within this time.
const TAKING: Duration = Duration::from_secs(5);
/// One message makes a speaker say no more than this: probes and announcements again, and answers that are due.
const MAX_MESSAGES: usize = 24;

/// A message, for one that asks for its names and for one that has them: what it makes them say is bounded.
pub fn mdns(octets: &[u8]) {
    let start = Instant::now();
    for has_names in [false, true] {
        for port in [5353, 40_000] {
            let mut speaker = Speaker::new(records(), Duration::ZERO, start);
            let mut now = start;
            if has_names {
                now += TAKING;
                assert_eq!(speak(&mut speaker, now), 5);
            }
            let from = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 9), port));
            let heard = speaker.hear(octets, from, false, now);
            assert!(heard.to_one.len() <= 1, "{heard:?}");
            assert!(!(has_names && heard.is_taken));
            for answer in &heard.to_one {
                assert!((12..=MAX_OCTETS).contains(&answer.len()));
            }
            let said = speak(&mut speaker, now + TAKING);
            assert!(said <= MAX_MESSAGES, "{said} messages");
            assert_eq!(speaker.next(), None);
        }
    }
}

/// Has it say all that is due before `end`; returns how many messages that were.
fn speak(speaker: &mut Speaker, end: Instant) -> usize {
    let mut count = 0;
    while let Some(next) = speaker.next().filter(|next| *next < end) {
        let messages = speaker.speak(next);
        let mut lengths = messages.iter().map(Vec::len);
        assert!(lengths.all(|length| (12..=MAX_OCTETS).contains(&length)));
        count += messages.len();
    }
    count
}

fn records() -> Rc<Records> {
    let said = Said {
        host: "cam".to_owned(),
        addresses: vec![[192, 0, 2, 7].into(), [0xfe80, 0, 0, 0, 0, 0, 0, 7].into()],
        port: 80,
        cameras: vec!["front".to_owned(), "rear".to_owned()],
    };
    Rc::new(Records::new(&said).expect("names that are good"))
}
