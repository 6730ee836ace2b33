//! `framewire doctor` on pictures as cameras make them: what it says, in words and as JSON, and its exit code.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod doctor {
    mod kinds;
    pub mod said;
}
mod support;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bytes::Bytes;
use doctor::said::{SMALL, folder, said};
use framewire::capture::multipart;
use nix::sys::signal::Signal;
use serde_json::Value;
use support::oddities::*;
use support::program::{LONG, command, framewire, send, text};
use support::variants::*;

#[test]
fn the_test_pattern_needs_nothing_and_is_told_in_words() {
    let output = framewire(&[
        "doctor", "demo", "--frames", "3", "--size", "640x480", "--fps", "20",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let words = text(&output.stdout);
    for part in [
        "demo: 3 pictures were looked at.\n",
        "\nframewire can send these pictures as they are.\n",
        "\n  size            640x480\n",
        "\n  rate            20 pictures a second, as asked: there is no camera\n",
        "\n  colour sampling 4:2:2 (21 11 11)\n",
        "\n  quantization    2 tables, the standard ones for quality 85\n",
        "\n  Huffman tables  the standard tables\n",
        "\n  whole           3 of 3: every code in them was read\n",
        "\n  errors          none\n",
        " Mbit/s for each destination\n",
        "\n  yes             mpv, ffplay, FFmpeg, ",
        "\ndevice = \"demo\"\nwidth = 640\nheight = 480\nfps = 20\n",
    ] {
        assert!(words.contains(part), "{part:?} in {words}");
    }
    assert!(!words.contains("What you can do"), "{words}");
}

#[test]
fn pictures_are_saved_as_they_came_and_read_again() {
    let plain = SMALL.encode();
    let frames = [
        plain.clone(),
        with_padding(&plain, b"\r\n--framewire\r\n"),
        plain.clone(),
        truncated(&plain, 2000),
        with_octets_in_scan(&plain, &[0xFF, 0x3C]),
    ];
    let folder = folder("save", &frames);
    let file = folder.0.join("for a report.mjpeg");
    let path = file.display().to_string();
    let device = format!("replay:{}", folder.0.display());
    let arguments = [
        "doctor", &device, "--frames", "5", "--fps", "0", "--json", "--save", &path,
    ];
    let output = framewire(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let warning = text(&output.stderr);
    assert!(
        warning.contains(&path) && warning.contains("See what they show"),
        "{warning}"
    );
    let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(said["saved"], path);
    // One of each kind, octet for octet.
    let saved = fs::read(&file).expect("the file");
    let kept = multipart::read(&Bytes::from(saved.clone())).expect("a multipart file");
    assert_eq!(kept, [&frames[0], &frames[4], &frames[3]]);
    // Read again they are the same pictures.
    let device = format!("replay:{path}");
    let again = framewire(&["doctor", &device, "--frames", "3", "--fps", "0", "--json"]);
    let said: Value = serde_json::from_slice(&again.stdout).expect("one JSON object");
    let reasons: Vec<_> = said["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| &each["reason"])
        .collect();
    assert_eq!(reasons, ["corrupt-scan", "no-eoi"]);
    assert_eq!(said["pictures"]["as_they_are"], 1);
    // A file that is there stays as it is, and is told of before anything else is done.
    let output = framewire(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("it is there already"),
        "{}",
        text(&output.stderr)
    );
    assert!(output.stdout.is_empty());
    assert!(fs::read(&file).expect("the file") == saved);
    let output = framewire(&["doctor", "demo", "--frames", "1", "--save", "/nowhere/x"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).starts_with("framewire: /nowhere/x: No such file"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn what_is_not_there_is_an_error_at_once() {
    let start = Instant::now();
    for (device, said) in [
        ("replay:/nowhere/at-all", "/nowhere/at-all"),
        ("/dev/null", "it is no V4L2 device"),
        ("usb:ffff:ffff", "no such capture device is there"),
    ] {
        let output = framewire(&["doctor", device]);
        assert_eq!(output.status.code(), Some(1), "{device}");
        let stderr = text(&output.stderr);
        assert!(
            stderr.starts_with("framewire: ") && stderr.contains(said),
            "{stderr}"
        );
        assert!(output.stdout.is_empty());
    }
    assert!(start.elapsed() < Duration::from_secs(20));
    for (arguments, said) in [
        (vec!["doctor", "video0"], "doctor takes auto, /dev/"),
        (vec!["doctor", "--fps", "0"], "a camera needs a rate"),
        (
            vec!["doctor", "demo", "--to", "h:1"],
            "doctor does not take --to",
        ),
        (
            vec!["doctor", "demo", "--frames", "0"],
            "--frames takes a number from 1",
        ),
        (vec!["demo", "--save", "x"], "demo does not take --save"),
    ] {
        let output = framewire(&arguments);
        assert_eq!(output.status.code(), Some(78), "{arguments:?}");
        assert!(
            text(&output.stderr).contains(said),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn without_a_device_it_is_the_only_camera() {
    let names = fs::read_dir("/dev")
        .expect("a /dev")
        .map(|entry| entry.expect("an entry").file_name());
    let mut nodes = names.filter(|name| name.to_string_lossy().starts_with("video"));
    if nodes.next().is_some() {
        return; // There may be one; the lab looks at it.
    }
    let output = framewire(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(
        stderr.starts_with("framewire: no camera that delivers JPEG is plugged in"),
        "{stderr}"
    );
}

/// Waits until it looks at pictures.
fn wait_until_it_looks(process: u32) {
    let start = Instant::now();
    let is_there = || {
        let threads = fs::read_dir(format!("/proc/{process}/task"))
            .into_iter()
            .flatten();
        let mut names = threads
            .flatten()
            .map(|thread| fs::read_to_string(thread.path().join("comm")));
        names.any(|name| name.is_ok_and(|name| name == "doctor\n"))
    };
    while !is_there() {
        assert!(start.elapsed() < LONG);
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_signal_ends_it_with_what_is_known_by_then() {
    let folder = folder("signal", &[SMALL.encode()]);
    let device = format!("replay:{}", folder.0.display());
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let child = command(&["doctor", &device, "--frames", "1000000", "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("framewire starts");
        wait_until_it_looks(child.id());
        sleep(Duration::from_millis(500));
        send(signal, &child);
        let start = Instant::now();
        let output = child.wait_with_output().expect("framewire ends");
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let said: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert!(said["pictures"]["looked_at"].as_u64().unwrap() > 0);
    }
}

#[test]
fn every_key_of_the_json_is_described() {
    let (found, _) = said("keys", &[SMALL.encode()]);
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/doctor.md"))
        .expect("the page");
    let described: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let keys = found.as_object().unwrap().keys();
    for key in keys.clone() {
        assert!(described.contains(&key.as_str()), "{key}: no row");
    }
    for row in described {
        assert!(found.get(row).is_some(), "{row}: no such key");
    }
}
