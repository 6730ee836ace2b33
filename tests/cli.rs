//! The command line as a user meets it: the real binary, its output and its exit codes.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;
use support::folder::Folder;
use support::frames::Picture;
use support::program::{command, framewire, receive_frame, receiver, replay, send, text};
use support::receive::{depacketize, pixels, with_size_of};
use support::variants::without_eoi;

#[test]
fn help_and_version_go_to_stdout() {
    for flag in ["--help", "-h"] {
        let output = framewire(&[flag]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("Usage: framewire"));
    }
    let output = framewire(&["--version"]);
    let expected = concat!("framewire ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(text(&output.stdout), expected);
}

fn assert_fails(arguments: &[&str], code: i32, said: &str) {
    let output = framewire(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    assert!(output.stdout.is_empty());
    let stderr = text(&output.stderr);
    assert!(stderr.contains(said), "{arguments:?}: {stderr}");
}

#[test]
fn a_configuration_that_cannot_be_read_exits_with_1() {
    for command in ["run", "check", "sdp"] {
        for path in ["/nowhere.toml", "/"] {
            assert_fails(&[command, "--config", path], 1, path);
        }
        // Neither ./config.toml nor /etc/framewire/config.toml.
        if !Path::new("/etc/framewire/config.toml").exists() {
            assert_fails(&[command], 1, "no configuration");
        }
    }
}

#[test]
fn wrong_usage_and_configuration_exit_with_78() {
    let folder = Folder::new("exit-78");
    let wrong = folder.write("wrong.toml", "[log]\nlevel = \"loud\"\n");
    for (arguments, said) in [
        (vec!["fly"], "unknown command"),
        (vec!["run", "--frames", "x"], "--frames"),
        (vec!["check", "--config", &wrong], "wrong.toml:2:9:"),
        (vec!["run", "--config", &wrong], "\"info\""),
    ] {
        assert_fails(&arguments, 78, said);
    }
}

#[test]
fn the_configuration_beside_the_working_directory_is_found() {
    let folder = Folder::new("default-config");
    let check = || {
        let mut command = command(&["check"]);
        command
            .current_dir(&folder.0)
            .output()
            .expect("framewire runs")
    };
    folder.write("config.toml", include_str!("../config.toml"));
    let output = check();
    assert_eq!(output.status.code(), Some(0));
    // There may be no camera, which is a note.
    assert!(text(&output.stdout).starts_with("ok\n"));
    folder.write("config.toml", "");
    assert!(text(&check().stderr).contains("config.toml:1:1: no camera"));
}

#[test]
fn check_notes_what_is_right_and_may_not_work() {
    let folder = Folder::new("notes");
    let config_text = replay("/nowhere/at-all", &[5005]) + "interface = \"nowhere9\"\n";
    let config = folder.write("config.toml", config_text);
    let output = framewire(&["check", "--config", &config]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "ok\n\
         note: front: the port of 127.0.0.1:5005 is odd, and some receivers use even ones only\n\
         note: front: /nowhere/at-all is not there now\n\
         note: front: interface nowhere9 is not there now\n"
    );
    // And in the log, what the file alone tells.
    let (log, _) = run_until(
        "is odd, and some",
        &["run", "--config", &config, "--timeout", "9"],
    );
    assert!(log.contains("front: the port of 127.0.0.1:5005"), "{log}");
}

#[test]
fn sdp_describes_the_wanted_stream() {
    let folder = Folder::new("sdp");
    let config = folder.write("config.toml", replay("/nowhere", &[5004, 5006]));
    let sdp = |arguments: &[&str]| {
        let arguments = [&["sdp", "--config", &config], arguments].concat();
        framewire(&arguments)
    };
    assert!(text(&sdp(&[]).stdout).contains("\r\nm=video 5004 RTP/AVP 26\r\n"));
    assert!(text(&sdp(&["front:2"]).stdout).contains("\r\nm=video 5006 RTP/AVP 26\r\n"));
    let unknown = sdp(&["rear"]);
    assert_eq!(unknown.status.code(), Some(78));
    assert!(text(&unknown.stderr).contains("there are: front"));
    assert_eq!(sdp(&["front:3"]).status.code(), Some(78));
}

#[test]
fn frames_reach_two_destinations_and_are_accounted_for() {
    let folder = Folder::new("two-destinations");
    let pictures = [1, 2].map(|seed| {
        Picture {
            seed,
            ..Picture::DEFAULT
        }
        .encode()
    });
    folder.write("1.jpg", &pictures[0]);
    folder.write("2.jpg", without_eoi(&pictures[0]));
    folder.write("3.jpg", &pictures[1]);
    let (receivers, ports): (Vec<_>, Vec<_>) = [receiver(), receiver()].into_iter().unzip();
    let device = folder.0.display().to_string();
    let config = folder.write("config.toml", replay(&device, &ports));

    let output = framewire(&["--config", &config, "--frames", "4", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let camera = &json["cameras"][0];
    assert_eq!(camera["name"], "front");
    assert_eq!(camera["frames_sent"], 4);
    let dropped: BTreeMap<String, u64> =
        serde_json::from_value(camera["frames_dropped"].clone()).expect("reasons and counts");
    assert!(dropped["no-eoi"] >= 1, "{json}");
    let captured = camera["frames_captured"].as_u64().expect("a number");
    assert_eq!(captured, 4 + dropped.values().sum::<u64>());

    let mut packets = 0;
    let mut octets = 0;
    for receiver in &receivers {
        for _ in 0..4 {
            let frame = receive_frame(receiver);
            packets += frame.len() as u64;
            octets += frame.iter().map(|packet| packet.len() as u64).sum::<u64>();
            let received = depacketize(&frame);
            let known = |jpeg: &Vec<u8>| pixels(jpeg) == pixels(&with_size_of(jpeg, &received));
            assert!(pictures.iter().any(known));
        }
    }
    assert_eq!(camera["packets_sent"], packets);
    assert_eq!(camera["octets_sent"], octets);
}

/// Runs until a line with `reason` is in the log, then ends it by SIGTERM; the log up to there, and what it printed.
fn run_until(reason: &str, arguments: &[&str]) -> (String, Output) {
    let mut child = command(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("framewire starts");
    let mut log = BufReader::new(child.stderr.take().expect("its log"));
    let mut seen = String::new();
    while !seen.contains(reason) {
        let octets = log.read_line(&mut seen).expect("a log line");
        assert!(octets > 0, "no {reason:?} in: {seen}");
    }
    send(Signal::SIGTERM, &child);
    (seen, child.wait_with_output().expect("framewire ends"))
}

#[test]
fn a_source_that_is_missing_is_waited_for_and_the_reason_said() {
    let folder = Folder::new("fails");
    for (device, reason) in [
        ("replay:/nowhere/at-all", "/nowhere/at-all"),
        (
            "/dev/null",
            "/dev/null: Inappropriate ioctl for device (os error 25): it is no V4L2 device",
        ),
        ("usb:ffff:ffff", "usb:ffff:ffff"),
        ("auto", "device \"auto\": no such capture device is there"),
    ] {
        if device == "auto" && !video_nodes().is_empty() {
            continue; // There may be one.
        }
        let text_of = replay("x", &[9]).replace("replay:x", device);
        let config = folder.write("config.toml", text_of);
        let (log, output) = run_until("trying again", &["run", "--config", &config, "--json"]);
        assert_eq!(output.status.code(), Some(0), "{device}: {log}");
        assert!(log.contains(reason), "{device}: {log}");
        let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_eq!(json["cameras"][0]["state"], "stopped", "{json}");
        assert_eq!(json["cameras"][0]["reopened"], 0, "{json}");
    }
}

#[test]
fn a_camera_that_fails_leaves_the_others_streaming() {
    let folder = Folder::new("isolation");
    let picture = folder.write("picture.jpg", Picture::DEFAULT.encode());
    let broken = replay("/nowhere", &[9]).replace("front", "broken");
    let (_socket, port) = receiver();
    let config = folder.write("config.toml", replay(&picture, &[port]) + &broken);
    let arguments = ["--config", &config, "--frames", "3", "--json"];
    let (log, output) = run_until("front: capturing ended", &arguments);
    assert_eq!(output.status.code(), Some(0), "{log}");
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(json["cameras"][0]["frames_sent"], 3);
    assert_eq!(json["cameras"][1]["frames_sent"], 0);
}

#[test]
fn signals_end_it_cleanly_with_a_summary() {
    let folder = Folder::new("signals");
    let picture = folder.write("picture.jpg", Picture::DEFAULT.encode());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (socket, port) = receiver();
        let config = folder.write("config.toml", replay(&picture, &[port]));
        let child = command(&["--config", &config])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("framewire starts");
        receive_frame(&socket);
        send(signal, &child);
        let output = child.wait_with_output().expect("framewire ends");
        assert_eq!(output.status.code(), Some(0), "{signal}");
        assert!(text(&output.stdout).starts_with("front: "));
    }
}

#[test]
fn the_demo_needs_nothing_and_says_how_to_watch() {
    let (socket, port) = receiver();
    let to = format!("127.0.0.1:{port}");
    let output = framewire(&["demo", "--to", &to, "--frames", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    for part in [
        format!("ffplay -fflags nobuffer -flags low_delay -vf setpts=0 rtp://{to}"),
        format!("udpsrc port={port}"),
        "rtpjitterbuffer latency=0".to_owned(),
        format!("m=video {port} RTP/AVP 26"),
        "demo: ".to_owned(),
    ] {
        assert!(stdout.contains(&part), "{part} in {stdout}");
    }
    let received = depacketize(&receive_frame(&socket));
    let (width, height, _) = pixels(&received);
    assert_eq!((width, height), (1280, 720));
}

/// Every node of /dev that may be a camera, whatever it is.
fn video_nodes() -> Vec<String> {
    let entries = std::fs::read_dir("/dev").expect("a /dev");
    let paths = entries.map(|entry| entry.expect("an entry").path().display().to_string());
    paths
        .filter(|path| {
            path.strip_prefix("/dev/video")
                .is_some_and(|number| number.parse::<u32>().is_ok())
        })
        .collect()
}

#[test]
fn devices_are_listed_or_their_absence_said() {
    let (plain, json) = (framewire(&["devices"]), framewire(&["devices", "--json"]));
    for output in [&plain, &json] {
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(text(&output.stderr), "");
    }
    let (plain, json) = (text(&plain.stdout), text(&json.stdout));
    let nodes = video_nodes();
    if nodes.is_empty() {
        assert_eq!(
            plain,
            "no capture device (no /dev/video* node that captures)\n"
        );
        assert_eq!(json, "{\"devices\":[],\"errors\":[]}\n");
        return;
    }
    let json: Value = serde_json::from_str(&json).expect("one JSON object");
    let listed: Vec<&str> = json["devices"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|device| device["node"].as_str().expect("a path"))
        .collect();
    for node in &nodes {
        let begins = |line: &&str| line.starts_with(&format!("{node}: "));
        let errors = json["errors"].as_array().expect("a list");
        let failed = errors
            .iter()
            .any(|error| error.as_str().is_some_and(|error| begins(&error)));
        let said = usize::from(failed || listed.contains(&node.as_str()));
        assert_eq!(
            plain.lines().filter(begins).count(),
            said,
            "{node}: {plain}"
        );
    }
    let known = |node: &&str| nodes.iter().any(|known| known == node);
    assert!(listed.iter().all(known), "{json}");
}
