//! Requests that no browser sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use super::DEMO;
use super::support::folder::Folder;
use super::support::http::{Answer, Door};
use super::support::program::{LONG, resident};

const ASK: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// What comes until the end of the connection; a reset is an end.
fn rest(mut stream: TcpStream) -> String {
    let mut octets = Vec::new();
    let _ = stream.read_to_end(&mut octets);
    String::from_utf8_lossy(&octets).into_owned()
}

#[test]
fn only_names_of_this_machine_may_be_asked_for() {
    let folder = Folder::new("door-host");
    let door = Door::open(&folder, DEMO);
    let status = |host: &str| {
        let request = format!("GET /healthz HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
        door.ask(&request).status
    };
    for host in ["127.0.0.1", "LOCALHOST:1", "[::1]:8080", "192.0.2.1"] {
        assert_eq!(status(&format!("Host: {host}\r\n")), 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example:8080", "", "\u{e4}"] {
        let status = status(&format!("Host: {host}\r\n"));
        assert!(status == 421 || status == 400, "{host}: {status}");
    }
    assert_eq!(status(""), 400);
    assert_eq!(status("Host: localhost\r\nHost: localhost\r\n"), 400);
}

#[test]
fn requests_may_come_octet_by_octet_and_several_at_once() {
    let folder = Folder::new("door-octets");
    let door = Door::open(&folder, DEMO);
    let mut stream = door.connect();
    stream.set_nodelay(true).expect("an option");
    for octet in ASK.bytes() {
        stream.write_all(&[octet]).expect("an octet");
        thread::sleep(Duration::from_millis(1));
    }
    let mut answer = Answer::begin(stream);
    for _ in 0..3 {
        assert_eq!(answer.status, 200);
        let mut body = [0; 3];
        answer.rest.read_exact(&mut body).expect("a body");
        assert_eq!(&body, b"ok\n");
        let several = ASK.repeat(3);
        answer
            .rest
            .get_mut()
            .write_all(several.as_bytes())
            .expect("requests");
        answer = Answer::next(answer.rest);
    }
}

#[test]
fn what_is_no_request_is_refused_at_once() {
    let folder = Folder::new("door-odd");
    let door = Door::open(&folder, DEMO);
    let long = format!(
        "GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "a".repeat(20_000)
    );
    let many: String = (0..2000)
        .map(|number| format!("X-{number}: x\r\n"))
        .collect();
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n");
    for request in [
        "\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03",
        "OPTIONS rtsp://localhost/front RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        &long,
        &many,
    ] {
        let mut stream = door.connect();
        // It may end before all is written.
        let _ = stream.write_all(request.as_bytes());
        let answer = rest(stream);
        let start: String = request.chars().take(40).collect();
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{start:?}: {answer}");
    }
    assert_eq!(door.get("/healthz").status, 200);
}

#[test]
fn a_head_that_does_not_come_is_not_waited_for() {
    let folder = Folder::new("door-loris");
    let door = Door::open(&folder, DEMO);
    let start = Instant::now();
    let mut silent = door.connect();
    let mut slow = door.connect();
    let mut kept = door.connect();
    kept.write_all(ASK.as_bytes()).expect("a request");
    let ends = thread::spawn(move || {
        // One octet a second, for longer than a head may take.
        for octet in ASK.bytes().take(30) {
            if slow.write_all(&[octet]).is_err() {
                break;
            }
            thread::sleep(Duration::from_secs(1));
        }
        Instant::now()
    });
    silent.read_to_end(&mut Vec::new()).expect("an end in time");
    kept.read_to_end(&mut Vec::new()).expect("an end in time");
    let took = ends.join().expect("no panic") - start;
    assert!(took < Duration::from_secs(25), "{took:?}");
    assert!(start.elapsed() < LONG);
}

#[test]
fn a_thousand_connections_cost_no_more_than_there_is_room_for() {
    let folder = Folder::new("door-crowd");
    let door = Door::open(&folder, DEMO);
    let memory = resident(door.child.id());
    let crowd: Vec<TcpStream> = (0..1000).map(|_| door.connect()).collect();
    for mut stream in &crowd {
        // Half a request, where the connection still is.
        let _ = stream.write_all(b"GET / HT");
    }
    let deadline = Instant::now() + LONG;
    let open = || {
        let fds = std::fs::read_dir(format!("/proc/{}/fd", door.child.id())).expect("a list");
        fds.count()
    };
    thread::sleep(Duration::from_millis(500));
    assert!(open() < 100, "{}", open());
    let grown = resident(door.child.id()).saturating_sub(memory);
    assert!(grown < 8 << 20, "{grown} octets more");
    drop(crowd);
    // There is room again when the door has seen that they are gone.
    loop {
        let mut stream = door.connect();
        let asked = stream.write_all(
            ASK.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        );
        if asked.is_ok() && rest(stream).starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(Instant::now() < deadline, "no room");
        thread::sleep(Duration::from_millis(50));
    }
    assert!(door.status()["http"]["connections_refused"].as_u64() > Some(900));
}
