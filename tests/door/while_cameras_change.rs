//! Viewers and cameras that come and go.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::support::folder::Folder;
use super::support::http::Door;
use super::support::program::{LONG, receiver};
use super::{DEMO, SMALL};

/// Waits until `done` says so.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_camera_without_outputs_sleeps_until_somebody_watches_and_some_seconds_after() {
    let folder = Folder::new("door-demand");
    let door = Door::open(&folder, DEMO);
    door.waits_for("idle");
    assert_eq!(door.get("/healthz").text(), "ok\n");
    assert_eq!(door.get("/front/snapshot.jpg").status, 200);
    let captured = || {
        door.status()["cameras"][0]["frames_captured"]
            .as_u64()
            .unwrap()
    };
    assert!(captured() > 0);
    door.waits_for("idle");
    let before = captured();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(captured(), before);
    let mut pictures = door.stream("/front/stream");
    pictures.described().expect("a picture");
    // Longer than it stays awake for nobody.
    let until = Instant::now() + Duration::from_secs(7);
    while Instant::now() < until {
        pictures.described().expect("a picture");
    }
    assert_eq!(door.status()["cameras"][0]["state"], "streaming");
}

#[test]
fn with_on_demand_false_it_films_for_nobody_and_with_true_its_outputs_wait() {
    let folder = Folder::new("door-on-demand");
    let (socket, port) = receiver();
    let output = format!("on-demand = true\n[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n");
    let always = DEMO.replace("front", "always") + "on-demand = false\n";
    let door = Door::open(&folder, &format!("{DEMO}{output}{always}"));
    door.waits_for("idle");
    let frames = |camera: usize| door.status()["cameras"][camera]["frames_captured"].as_u64();
    until("frames for nobody", || frames(1) > Some(10));
    assert_eq!(frames(0), Some(0));
    let _pictures = door.stream("/front/stream");
    assert!(socket.recv(&mut [0; 2000]).is_ok());
    assert_eq!(door.status()["cameras"][1]["state"], "sending to nobody");
}

#[test]
fn a_viewer_stays_while_the_camera_is_away() {
    let folder = Folder::new("door-away");
    let file = folder.0.join("camera.jpg").display().to_string();
    let camera = format!("[[camera]]\nname = \"front\"\ndevice = \"replay:{file}\"\n");
    let door = Door::open(&folder, &camera);
    let mut pictures = door.stream("/front/stream");
    door.waits_for("waiting for the camera: ");
    let health = door.get("/healthz");
    assert_eq!(health.status, 503);
    assert!(health.text().starts_with("front: waiting for the camera: "));
    let status = door.status();
    assert!(status["cameras"][0]["state_seconds"].as_f64() > Some(0.0));
    let answer = door.get("/front/snapshot.jpg");
    assert_eq!(
        (answer.status, answer.field("retry-after")),
        (503, Some("5"))
    );
    assert!(
        answer
            .text()
            .contains("front: no picture within 10 s: waiting")
    );
    fs::write(&file, SMALL.encode()).expect("a file");
    pictures.described().expect("a picture");
    assert_eq!(door.status()["cameras"][0]["viewers"]["watching"], 1);
}

#[test]
fn what_somebody_sees_is_sent_though_no_destination_takes_it() {
    let folder = Folder::new("door-shown");
    let (socket, port) = receiver();
    // Nobody listens there any more: some frames fail, and while it rests the others have no destination.
    drop(socket);
    let output = format!("[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n");
    let door = Door::open(&folder, &format!("{DEMO}{output}"));
    let mut pictures = door.stream("/front/stream");
    pictures.described().expect("a picture");
    let camera = || door.status()["cameras"][0].clone();
    let lost = |camera: &serde_json::Value| {
        ["send-failed", "no-destination"].map(|reason| camera["frames_dropped"][reason].clone())
    };
    let failed = |camera: &serde_json::Value| camera["outputs"][0]["frames_failed"].as_u64();
    let before = camera();
    until("no frame fails", || failed(&camera()) > failed(&before));
    for _ in 0..10 {
        pictures.described().expect("a picture");
    }
    let after = camera();
    assert!(after["frames_sent"].as_u64() > before["frames_sent"].as_u64());
    assert_eq!(lost(&after), lost(&before), "{after}");
}

#[test]
fn a_reload_disturbs_no_viewer_of_a_camera_that_stays() {
    let folder = Folder::new("door-reload");
    let rear = DEMO.replace("front", "rear");
    let door = Door::open(&folder, &format!("{DEMO}{rear}"));
    let listen = format!("[http]\nlisten = \"127.0.0.1:{}\"\n", door.port);
    let (mut front, mut gone) = (door.stream("/front/stream"), door.stream("/rear/stream"));
    front.described().expect("a picture");
    let (socket, port) = receiver();
    let output = format!("[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\n");
    folder.write("config.toml", format!("{DEMO}{output}{listen}"));
    door.signal(Signal::SIGHUP);
    while gone.described().is_some() {}
    assert!(socket.recv(&mut [0; 2000]).is_ok());
    for _ in 0..10 {
        front.described().expect("a picture");
    }
    let status = door.status();
    assert_eq!(status["cameras"].as_array().map(Vec::len), Some(1));
    assert_eq!(status["cameras"][0]["on_demand"], false);
    // Without its section the door is shut.
    folder.write("config.toml", format!("{DEMO}{output}"));
    door.signal(Signal::SIGHUP);
    while front.described().is_some() {}
    until("the door is open", || {
        std::net::TcpStream::connect(("127.0.0.1", door.port)).is_err()
    });
    assert!(socket.recv(&mut [0; 2000]).is_ok());
}
