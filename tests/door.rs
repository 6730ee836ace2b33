//! The door for people, as curl, a browser or somebody hostile sees it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

#[path = "door/hostile.rs"]
mod hostile;
#[path = "door/load.rs"]
mod load;
#[path = "door/metrics.rs"]
mod metrics;
mod support;
#[path = "door/while_cameras_change.rs"]
mod while_cameras_change;

use std::time::{Duration, Instant};

use support::folder::Folder;
use support::frames::Picture;
use support::http::{Door, HEAD, Pictures, free_port};
use support::program::{LONG, command, receiver, text};
use support::receive::pixels;
use support::variants::without_dht;

/// Small, and quickly made.
const SMALL: Picture = Picture {
    width: 160,
    height: 120,
    ..Picture::DEFAULT
};

/// The test pattern to nobody but those who come.
const DEMO: &str = "[[camera]]\nname = \"front\"\ndevice = \"demo\"\nwidth = 160\nheight = 120\n";

#[test]
fn each_address_has_its_answer() {
    let folder = Folder::new("door-routes");
    let (_receiver, port) = receiver();
    let output = format!("[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n");
    let door = Door::open(&folder, &format!("{DEMO}{output}"));
    door.waits_for("streaming");
    for (target, status, content_type) in [
        ("/", 200, "text/html; charset=utf-8"),
        ("/favicon.svg", 200, "image/svg+xml"),
        ("/page.css", 200, "text/css; charset=utf-8"),
        ("/page.js", 200, "text/javascript; charset=utf-8"),
        ("/api/status", 200, "application/json"),
        ("/healthz", 200, "text/plain; charset=utf-8"),
        ("/front.sdp", 200, "application/sdp"),
        ("/front/snapshot.jpg", 200, "image/jpeg"),
        ("/front/stream?fps=x", 400, "text/plain; charset=utf-8"),
        ("/stream?camera=none", 404, "text/plain; charset=utf-8"),
        ("/none/snapshot.jpg", 404, "text/plain; charset=utf-8"),
        ("/front/sdp", 404, "text/plain; charset=utf-8"),
        ("/front/", 404, "text/plain; charset=utf-8"),
        ("/../etc/passwd", 404, "text/plain; charset=utf-8"),
        ("/%2e%2e/etc/passwd", 404, "text/plain; charset=utf-8"),
    ] {
        let answer = door.get(target);
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(answer.field("content-type"), Some(content_type), "{target}");
        assert_eq!(answer.field("cache-control"), Some("no-store"), "{target}");
        let length = answer.field("content-length").expect("a length");
        assert_eq!(length, answer.body.len().to_string(), "{target}");
        assert!(!answer.body.is_empty(), "{target}");
        let policy = answer.field("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    }
    assert!(door.get("/none").text().contains("front"));
    assert!(
        door.get("/front.sdp")
            .text()
            .contains(&format!("m=video {port} RTP/AVP 26"))
    );
    assert_eq!(door.get("/healthz").text(), "ok\n");
}

#[test]
fn other_methods_are_refused_and_head_is_a_get_without_a_body() {
    let folder = Folder::new("door-methods");
    let door = Door::open(&folder, DEMO);
    let ask = |method: &str, target: &str| {
        door.ask(&format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ))
    };
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let answer = ask(method, "/");
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.field("allow"), Some("GET, HEAD"), "{method}");
    }
    for target in [
        "/",
        "/front/stream.mjpg",
        "/front/stream",
        "/stream",
        "/api/status",
    ] {
        let answer = ask("HEAD", target);
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{target}");
    }
    assert_eq!(door.status()["cameras"][0]["state"], "idle");
}

#[test]
fn pictures_are_whole_files_with_the_cameras_pixels() {
    let folder = Folder::new("door-pixels");
    let picture = SMALL.encode();
    // As most cameras write it.
    let file = folder.write("camera.jpg", without_dht(&picture));
    let camera = format!("[[camera]]\nname = \"front\"\ndevice = \"replay:{file}\"\n");
    let door = Door::open(&folder, &camera);
    let expected = pixels(&picture);
    let (head, described) = door.stream("/front/stream").described().expect("a picture");
    for received in [
        door.get("/front/snapshot.jpg").body,
        described,
        door.stream("/front/stream.mjpg").first(),
    ] {
        assert_eq!(pixels(&received), expected);
        let dht = received.windows(2).filter(|pair| *pair == [0xFF, 0xC4]);
        assert!(dht.count() >= 4);
    }
    let field = |name: &str| &head.iter().find(|(known, _)| known == name).expect(name).1;
    assert_eq!(field("content-type"), "image/jpeg");
    assert_eq!(field("x-camera"), "front");
    let time: f64 = field("x-timestamp").parse().expect("a number");
    let now = door.status()["time"].as_f64().expect("a number");
    assert!(
        (0.0..LONG.as_secs_f64()).contains(&(now - time)),
        "{time}, now {now}"
    );
}

impl Pictures {
    /// The first picture of the form without lengths: nothing but a head may come before it.
    fn first(&mut self) -> Vec<u8> {
        assert!(self.advanced().is_empty());
        self.advanced()
    }
}

#[test]
fn the_head_of_the_next_part_does_not_wait_for_the_next_picture() {
    let folder = Folder::new("door-advance");
    let slow = DEMO.replace("height = 120", "height = 120\nfps = 0.1");
    let door = Door::open(&folder, &slow);
    let start = Instant::now();
    let picture = door.stream("/front/stream.mjpg").first();
    assert!(picture.starts_with(&[0xFF, 0xD8]) && picture.ends_with(b"\r\n"));
    assert!(
        start.elapsed() < Duration::from_secs(9),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(HEAD[..7], *b"--frame");
}

#[test]
fn pictures_are_left_out_when_fewer_are_wanted() {
    let folder = Folder::new("door-rate");
    let door = Door::open(
        &folder,
        &DEMO.replace("height = 120", "height = 120\nfps = 60"),
    );
    let times = |target: &str| -> Vec<f64> {
        let mut pictures = door.stream(target);
        let timestamp = |pictures: &mut Pictures| {
            let (head, _) = pictures.described().expect("a picture");
            let field = head.iter().find(|(name, _)| name == "x-timestamp");
            field.expect("a time").1.parse().expect("a number")
        };
        (0..6).map(|_| timestamp(&mut pictures)).collect()
    };
    for (target, least) in [
        ("/front/stream?fps=10", 0.5),
        ("/stream?fps=10&camera=front", 0.5),
    ] {
        let times = times(target);
        let span = times[5] - times[0];
        assert!(span > least * 0.9, "{target}: {times:?}");
    }
}

#[test]
fn several_cameras_come_in_one_stream_in_turn() {
    let folder = Folder::new("door-several");
    let rear = DEMO.replace("front", "rear");
    let off = DEMO.replace("front", "off");
    let door = Door::open(&folder, &format!("{DEMO}{rear}{off}"));
    let mut pictures = door.stream("/stream?camera=rear&camera=front&camera=rear");
    let mut counts = [0; 2];
    while counts.iter().any(|count| *count < 5) {
        let (head, _) = pictures.described().expect("a picture");
        let camera = head.iter().find(|(name, _)| name == "x-camera");
        match camera.expect("a camera").1.as_str() {
            "front" => counts[0] += 1,
            "rear" => counts[1] += 1,
            other => panic!("{other}"),
        }
    }
    let status = door.status();
    assert_eq!(status["cameras"][2]["state"], "idle");
    assert_eq!(status["http"]["clients"][0]["stream"], "front, rear");
    let _another = door.stream("/front/stream");
    let status = door.status();
    let watching = |camera: usize| status["cameras"][camera]["viewers"]["watching"].clone();
    assert_eq!([watching(0), watching(1), watching(2)], [2, 1, 0]);
}

#[test]
fn the_demo_has_a_page_at_the_next_port_that_is_free() {
    // Somebody else may take it in between; then it is the next but one.
    let taken = std::net::TcpListener::bind("127.0.0.1:8080");
    let run = |more: &[&str]| {
        let (_receiver, port) = receiver();
        let to = format!("127.0.0.1:{port}");
        let mut arguments = vec!["demo", "--to", &to, "--frames", "3"];
        arguments.extend(more);
        let output = command(&arguments).output().expect("framewire runs");
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (code, said, log) = run(&[]);
    assert_eq!(code, Some(0), "{log}");
    let first = said.lines().next().expect("a line");
    let port = first.strip_prefix("Look at it in a browser: http://127.0.0.1:");
    let port: u16 = port
        .and_then(|rest| rest.trim_end_matches('/').parse().ok())
        .expect(first);
    assert!((8081..8112).contains(&port), "{port}");
    drop(taken);
    let (code, said, _) = run(&["--no-http"]);
    assert!(code == Some(0) && !said.contains("http"), "{said}");
    let free = free_port();
    let (code, said, _) = run(&["--http", &format!("127.0.0.1:{free}")]);
    assert!(
        code == Some(0) && said.contains(&format!(":{free}/")),
        "{said}"
    );
    let held = std::net::TcpListener::bind(("127.0.0.1", free)).expect("the port");
    let (code, _, log) = run(&["--http", &format!("127.0.0.1:{free}")]);
    assert!(
        code == Some(1) && log.contains(&format!("127.0.0.1:{free}")),
        "{log}"
    );
    drop(held);
}
