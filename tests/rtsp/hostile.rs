//! Requests that no player sends, and connections that nobody uses.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::DEMO;
use super::support::folder::Folder;
use super::support::rtsp::{Client, Incoming, Players};

const OPTIONS: &str = "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n";

#[test]
fn requests_may_come_octet_by_octet_and_several_at_once() {
    let folder = Folder::new("rtsp-octets");
    let players = Players::open(&folder, DEMO, "");
    let mut client = players.connect();
    for octet in OPTIONS.bytes() {
        client.write(&[octet]);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.answer().status, 200);
    let mut client = players.play();
    // More than may wait, among packets that nobody wants, and answered in order.
    let mut octets = Vec::new();
    for number in 0..100 {
        octets.extend(b"$\x01\x00\x04abcd$\x07\x00\x00");
        octets.extend([b'$', 0, 0x20, 0]);
        octets.extend([b'$'; 0x2000]);
        let session = &client.session;
        octets.extend(
            format!(
                "GET_PARAMETER {} RTSP/1.0\r\nCSeq: {number}\r\n{session}\r\n",
                players.url()
            )
            .bytes(),
        );
    }
    let mut writer = client.stream.get_ref().try_clone().expect("a descriptor");
    let writes = thread::spawn(move || writer.write_all(&octets).expect("octets"));
    for number in 0..100 {
        let answer = client.answer();
        assert_eq!(answer.field("cseq"), Some(number.to_string().as_str()));
        assert_eq!(answer.status, 200);
    }
    writes.join().expect("no panic");
    client.picture();
}

#[test]
fn what_is_no_request_ends_the_connection() {
    let folder = Folder::new("rtsp-odd");
    let players = Players::open(&folder, DEMO, "");
    let long = format!(
        "OPTIONS rtsp://h/{} RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "a".repeat(8192)
    );
    let many: String = (0..2000)
        .map(|number| format!("X-{number}: x\r\n"))
        .collect();
    let many = format!("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n{many}\r\n");
    let endless = "x".repeat(1 << 20);
    for (octets, status) in [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03", 400),
        ("OPTIONS * RTSP/1.0\nCSeq: 1\n\n", 400),
        ("DESCRIBE /front RTSP/1.0\r\nCSeq: 1\r\n\r\n", 400),
        (
            "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n",
            400,
        ),
        (
            "SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 4097\r\n\r\n",
            413,
        ),
        (
            "SET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 99999999999\r\n\r\n",
            413,
        ),
        (&long, 414),
        (&many, 414),
        (&endless, 414),
        ("\0", 400),
    ] {
        let mut client = players.connect();
        // A good one before is answered all the same.
        client.write(OPTIONS.as_bytes());
        assert_eq!(client.answer().status, 200);
        // It may end before all is written.
        let _ = client.stream.get_mut().write_all(octets.as_bytes());
        let start: String = octets.chars().take(40).collect();
        match client.next() {
            Incoming::Answer(answer) => assert_eq!(answer.status, status, "{start:?}"),
            other => assert!(octets.len() > 8192, "{start:?}: {other:?}"),
        }
        assert!(client.ends(), "{start:?}");
    }
    assert_eq!(players.connect().ask("OPTIONS", "*", "").status, 200);
}

#[test]
fn who_says_nothing_is_not_waited_for() {
    let folder = Folder::new("rtsp-silent");
    let players = Players::open(&folder, DEMO, "");
    let start = Instant::now();
    let mut silent = players.connect();
    let mut begun = players.connect();
    begun.write(b"OPTIONS * RTSP/1.0\r\n");
    let mut amid = players.play();
    amid.write(b"$\x00\x00\x09");
    let mut asked = players.connect();
    asked.ask("OPTIONS", "*", "");
    assert!(silent.ends() && begun.ends() && amid.ends());
    let took = start.elapsed();
    assert!((9..20).contains(&took.as_secs()), "{took:?}");
    // Who has asked may think, and who plays need say nothing.
    assert_eq!(asked.ask("OPTIONS", "*", "").status, 200);
}

/// As FFmpeg and GStreamer keep a session, by a request or a report.
#[test]
fn a_session_that_nobody_plays_lasts_as_long_as_something_is_heard() {
    let folder = Folder::new("rtsp-time-out");
    let players = Players::open(&folder, DEMO, "");
    let url = players.url();
    let [mut forgotten, mut pings, mut reports] = [(); 3].map(|()| {
        let mut client = players.connect();
        client.set_up(&url, "");
        client
    });
    let start = Instant::now();
    for _ in 0..2 {
        thread::sleep(Duration::from_secs(30));
        assert_eq!(pings.ask("GET_PARAMETER", &url, "").status, 200);
        reports.write(b"$\x01\x00\x08\x80\xc9\x00\x01\x00\x00\x00\x09");
    }
    assert_eq!(players.status()["sessions"], 3);
    assert!(forgotten.ends());
    let took = start.elapsed();
    assert!((64..75).contains(&took.as_secs()), "{took:?}");
    assert_eq!(players.status()["sessions"], 2);
    for client in [&mut pings, &mut reports] {
        assert_eq!(client.ask("PLAY", &url, "").status, 200);
        client.picture();
    }
}

#[test]
fn a_thousand_connections_leave_room_for_others() {
    let folder = Folder::new("rtsp-thousand");
    let players = Players::open(&folder, DEMO, "");
    let mut player = players.play();
    let mut all: Vec<TcpStream> = Vec::new();
    for _ in 0..1000 {
        all.push(TcpStream::connect(players.address()).expect("a connection"));
    }
    for _ in 0..10 {
        player.picture();
    }
    let status = players.status();
    assert!(status["connections"].as_u64() <= Some(64), "{status}");
    assert!(
        status["connections_refused"].as_u64() >= Some(900),
        "{status}"
    );
    drop(all);
    let start = Instant::now();
    while players.status()["connections"].as_u64() > Some(1) {
        assert!(start.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(players.connect().ask("OPTIONS", "*", "").status, 200);
}

#[test]
fn what_a_client_asked_for_before_it_closed_its_side_is_answered() {
    let folder = Folder::new("rtsp-half");
    let players = Players::open(&folder, DEMO, "");
    let mut client: Client = players.connect();
    client.write(OPTIONS.repeat(3).as_bytes());
    client
        .stream
        .get_ref()
        .shutdown(std::net::Shutdown::Write)
        .expect("an end");
    for _ in 0..3 {
        assert_eq!(client.answer().status, 200);
    }
    assert!(client.ends());
}
