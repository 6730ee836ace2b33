//! How long a run lasts: `--frames`, `--timeout`, a rate without a limit; and what it prints meanwhile.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use std::net::UdpSocket;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use support::folder::Folder;
use support::frames::Picture;
use support::program::{command, framewire, receive_frame, receiver, replay, send, text};

/// What `--json` prints of the only camera.
fn counters(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    json["cameras"][0].clone()
}

/// Keys of an output that can never be sent to.
const NOWHERE: &str = "interface = \"not-there\"\n";

#[test]
fn frames_end_it_though_nobody_can_be_sent_to() {
    let folder = Folder::new("nobody");
    let picture = folder.write("picture.jpg", Picture::DEFAULT.encode());
    let config = folder.write("config.toml", replay(&picture, &[9]) + NOWHERE);
    let camera = counters(&framewire(&[
        "--config", &config, "--frames", "5", "--json",
    ]));
    assert_eq!(camera["frames_sent"], 0);
    assert_eq!(camera["frames_dropped"]["no-destination"], 5, "{camera}");
}

#[test]
fn a_timeout_ends_it_with_and_without_a_camera() {
    let folder = Folder::new("timeout");
    let (_socket, port) = receiver();
    let to = format!("127.0.0.1:{port}");
    let begin = Instant::now();
    let camera = counters(&framewire(&[
        "demo",
        "--to",
        &to,
        "--timeout",
        "1",
        "--json",
    ]));
    let took = begin.elapsed();
    assert!((1..10).contains(&took.as_secs()), "{took:?}");
    assert_ne!(camera["frames_sent"], 0);
    let absent = replay("", &[port]).replace("replay:", "usb:ffff:ffff");
    let config = folder.write("config.toml", absent);
    let camera = counters(&framewire(&[
        "--config",
        &config,
        "--timeout",
        "1",
        "--json",
    ]));
    assert_eq!(camera["frames_captured"], 0);
}

#[test]
fn json_is_printed_for_each_interval_and_at_the_end() {
    let (_socket, port) = receiver();
    let to = format!("127.0.0.1:{port}");
    let mut arguments = vec!["demo", "--to", &to, "--json", "--timeout", "3"];
    let states = |arguments: &[&str]| -> Vec<String> {
        let output = framewire(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("an object a line"))
            .map(|json: Value| {
                json["cameras"][0]["state"]
                    .as_str()
                    .expect("text")
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(states(&arguments), ["stopped"]);
    arguments.extend(["--interval", "1"]);
    let states = states(&arguments);
    assert!((3..=4).contains(&states.len()), "{states:?}");
    let (last, others) = states.split_last().expect("one at least");
    assert_eq!(last, "stopped");
    assert!(
        others.iter().all(|state| state == "streaming"),
        "{states:?}"
    );
}

#[test]
fn as_fast_as_possible_waits_for_a_destination() {
    let folder = Folder::new("unlimited");
    let picture = folder.write("picture.jpg", Picture::DEFAULT.encode());
    let (gone, refusing) = receiver();
    drop(gone);
    let unlimited = replay(&picture, &[refusing]).replace("fps = 60", "fps = 0");
    for keys in ["", NOWHERE] {
        let config = folder.write("config.toml", unlimited.clone() + keys);
        let camera = counters(&framewire(&[
            "--config",
            &config,
            "--timeout",
            "2",
            "--json",
        ]));
        let captured = camera["frames_captured"].as_u64().expect("a number");
        assert!((1..100).contains(&captured), "{keys}: {camera}");
    }
    let config = folder.write("config.toml", unlimited);
    let mut child = command(&["--config", &config]);
    let child = child.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.spawn().expect("framewire starts");
    std::thread::sleep(Duration::from_millis(500));
    let late = UdpSocket::bind(("127.0.0.1", refusing)).expect("the port");
    late.set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a time-out");
    receive_frame(&late);
    send(Signal::SIGTERM, &child);
    assert!(child.wait().expect("framewire ends").success());
}
