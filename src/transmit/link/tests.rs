use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;
use crate::config::Config;
use crate::transmit::lookup::Resolve;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

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
        while link.failed(errno, now, stats) {}
        assert!(stats.had_problem());
        let early = now + wait * MS - MS;
        assert!(link.ready(early, stats).is_none(), "{wait} ms");
        now += wait * MS;
    }
    assert!(link.ready(now, stats).is_some(), "at the end");
    now
}

fn stats() -> OutputStats {
    link().1
}

/// A link to a name that `resolve` looks up, and a time when it may.
fn link_by(resolve: Resolve) -> (Link, Instant) {
    let mut link = link().0;
    let now = Instant::now();
    link.config.destination.host = "name.test".to_owned();
    link.lookup = Lookup::new(&link.config.destination, resolve, now);
    (link, now)
}

/// The link at `now` sends to `expected`, once its thread has answered if it asks now.
fn goes_to(link: &mut Link, now: Instant, expected: SocketAddr) {
    link.ready(now, &stats());
    while link.lookup.is_busy() {
        thread::sleep(Duration::from_millis(1));
        link.ready(now, &stats());
    }
    let there = link.ready(now, &stats()).map(Socket::destination);
    assert_eq!(there, Some(expected));
}

#[test]
fn an_error_passes_and_those_that_follow_do_not_unless_the_stream_was_well_in_between() {
    for (errno, limit) in [
        (Errno::ECONNREFUSED, REFUSALS),
        (Errno::EHOSTUNREACH, ERRORS),
        (Errno::EPERM, ERRORS),
    ] {
        let (mut link, stats) = link();
        let mut now = Instant::now();
        for _ in 0..5 {
            for _ in 1..limit {
                assert!(link.ready(now, &stats).is_some(), "{errno}");
                assert!(link.failed(errno, now, &stats), "{errno}");
                assert!(!stats.had_problem());
            }
            link.succeeded(now, &stats);
            now += SETTLED;
            link.succeeded(now, &stats);
        }
        for error in 1..=limit {
            assert_eq!(link.failed(errno, now, &stats), error < limit, "{errno}");
            link.succeeded(now, &stats);
        }
        assert!(link.ready(now, &stats).is_none(), "{errno}");
    }
}

#[test]
fn a_full_queue_is_waited_for_at_once() {
    let (mut link, stats) = link();
    let now = Instant::now();
    assert!(link.ready(now, &stats).is_some());
    assert!(!link.failed(Errno::ENOBUFS, now, &stats));
    assert!(link.ready(now, &stats).is_none());
}

#[test]
fn after_three_refusals_the_next_address_is_tried() {
    let (mut link, mut now) = link_by(|_| {
        let loopback = [Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()];
        Ok(loopback.map(|ip| SocketAddr::new(ip, 9)).into())
    });
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 9));
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    // From the second round on one refusal is enough, so that a receiver that comes is soon found.
    for address in [v6, v6, v6, v4, v4, v4, v6, v4, v6, v4] {
        goes_to(&mut link, now, address);
        link.failed(Errno::ECONNREFUSED, now, &stats());
        // Longer than any pause.
        now += SECOND;
    }
}

#[test]
fn a_stream_follows_its_name_when_its_address_is_gone() {
    static HOSTS: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    let address = |host| SocketAddr::from(([127, 0, 0, host], 9));
    let answer = |hosts: &[u8]| *HOSTS.lock().unwrap() = hosts.to_vec();
    answer(&[1, 2]);
    let (mut link, mut now) = link_by(|_| {
        let hosts = HOSTS.lock().unwrap();
        let address = |host: &u8| SocketAddr::from(([127, 0, 0, *host], 9));
        Ok(hosts.iter().map(address).collect())
    });
    goes_to(&mut link, now, address(1));
    // Others before it in the list do not matter to a stream that is well.
    answer(&[2, 1]);
    now += 60 * SECOND;
    goes_to(&mut link, now, address(1));
    answer(&[3]);
    goes_to(&mut link, now + 59 * SECOND, address(1));
    now += 60 * SECOND;
    goes_to(&mut link, now, address(3));
    // Refused there: after that round, not after a minute.
    answer(&[4]);
    for _ in 0..REFUSALS {
        goes_to(&mut link, now, address(3));
        link.failed(Errno::ECONNREFUSED, now, &stats());
        now += SECOND;
    }
    goes_to(&mut link, now, address(4));
}

#[test]
fn a_socket_that_is_opened_again_has_its_port_again_unless_somebody_took_it() {
    let (mut link, stats) = link();
    let mut now = Instant::now();
    let mut open = |link: &mut Link| {
        now += Duration::from_secs(60);
        let source = link.ready(now, &stats).unwrap().source();
        let moved = link.take_move();
        while link.failed(Errno::ENETUNREACH, now, &stats) {}
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
        while link.failed(errno, now, &stats) {}
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
