//! What the program says and does about a camera that writes all its pictures in its own way.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod support;

use serde_json::Value;
use support::folder::Folder;
use support::frames::Picture;
use support::oddities::*;
use support::program::{framewire, receive_frame, receiver, replay, text};
use support::receive::{depacketize, headers};
use support::variants::{DQT, scan_of, without_eoi};

/// Small, and quickly made.
const SMALL: Picture = Picture {
    width: 160,
    height: 120,
    ..Picture::DEFAULT
};

/// What the program says and counts of a camera with these pictures.
fn run(folder: &Folder, pictures: &[Vec<u8>], more: &str, limit: [&str; 2]) -> (String, Value) {
    for (number, picture) in pictures.iter().enumerate() {
        folder.write(&format!("{number}.jpg"), picture);
    }
    let (_receiver, port) = receiver();
    run_to(folder, more, port, limit)
}

fn run_to(folder: &Folder, more: &str, port: u16, limit: [&str; 2]) -> (String, Value) {
    let config = replay(&folder.0.display().to_string(), &[port]);
    let config = config.replacen("[[camera]]\n", &format!("[[camera]]\n{more}\n"), 1);
    let config = folder.write("config.toml", config);
    let output = framewire(&["--config", &config, limit[0], limit[1], "--json"]);
    let log = text(&output.stderr);
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    (log.to_owned(), json["cameras"][0].clone())
}

#[test]
fn a_tolerated_habit_is_named_once() {
    let folder = Folder::new("tolerated-habit");
    let plain = SMALL.encode();
    let stray = with_octets_before(&plain, DQT, &[0]);
    let pictures = [stray.clone(), with_sof1(&plain), stray];
    let (log, counters) = run(&folder, &pictures, "", ["--frames", "9"]);
    assert_eq!(counters["frames_sent"], 9);
    for name in ["stray-octets", "sof1"] {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(name)).collect();
        assert_eq!(lines.len(), 1, "{log}");
        assert!(lines[0].contains("front: its pictures have "), "{log}");
    }
}

#[test]
fn what_every_picture_does_is_no_damage_and_opens_nothing_again() {
    let folder = Folder::new("habit");
    let plain = SMALL.encode();
    let odd = with_octets_in_scan(&plain, &[0xFF, 0x3C]);
    // Longer than damage is waited out.
    let (log, counters) = run(&folder, &[odd], "", ["--timeout", "7"]);
    assert_eq!(counters["frames_sent"], 0);
    assert_eq!(counters["reopened"], 0, "{log}");
    let line = log.lines().find(|line| line.contains("for one reason"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("all 30 so far are refused"), "{line}");
    assert!(line.contains("marker FF 3C at octet "), "{line}");
    assert!(line.contains("expected scan data or EOI"), "{line}");
    assert!(
        !log.contains("cable") && !log.contains("damaged:  "),
        "{log}"
    );
    assert_eq!(log.matches("marker FF 3C").count(), 2, "{log}");
}

#[test]
fn pictures_that_go_bad_are_damage() {
    let folder = Folder::new("gone-bad");
    let plain = SMALL.encode();
    let mut pictures = vec![plain.clone()];
    pictures.resize(600, without_eoi(&plain));
    let (log, counters) = run(&folder, &pictures, "", ["--timeout", "8"]);
    assert!(counters["reopened"].as_u64() >= Some(1), "{log}");
    assert!(log.contains("all pictures are damaged"), "{log}");
    assert!(!log.contains("for one reason"), "{log}");
}

#[test]
fn a_missing_eoi_is_advised_and_appended() {
    let folder = Folder::new("no-eoi");
    let plain = SMALL.encode();
    let pictures = [without_eoi(&plain)];
    let (log, counters) = run(&folder, &pictures, "", ["--timeout", "2"]);
    assert_eq!(counters["frames_sent"], 0);
    assert!(log.contains("set allow-missing-eoi = true"), "{log}");

    let (receiver, port) = receiver();
    let allowed = "allow-missing-eoi = true";
    let (log, counters) = run_to(&folder, allowed, port, ["--frames", "3"]);
    assert_eq!(counters["frames_sent"], 3, "{log}");
    assert!(
        log.contains("no EOI marker (FF D9), which is appended"),
        "{log}"
    );
    for _ in 0..3 {
        let received = depacketize(&receive_frame(&receiver));
        assert_eq!(scan_of(&received), scan_of(&plain));
    }
}

#[test]
fn damage_that_only_the_codes_show_is_found_when_all_pictures_are_looked_through() {
    let plain = SMALL.encode();
    // A code that no table has: 16 ones.
    let scan = scan_of(&plain);
    let middle = scan.len() / 2;
    let damaged = [
        &scan[..middle],
        &[0xFF, 0x00, 0xFF, 0x00],
        &scan[middle + 4..],
    ]
    .concat();
    let damaged = with_scan(&plain, &damaged);
    for verify in ["always", "off", "auto"] {
        let folder = Folder::new(&format!("verify-{verify}"));
        let pictures = [plain.clone(), damaged.clone()];
        let line = format!("verify = \"{verify}\"");
        let (log, counters) = run(&folder, &pictures, &line, ["--frames", "9"]);
        let dropped = counters["frames_dropped"]["corrupt-scan"].as_u64();
        assert_eq!(counters["frames_sent"], 9, "{log}");
        if verify == "always" {
            // Every second one, and those that were refused do not count.
            assert!(dropped >= Some(8), "{counters}");
            assert!(log.contains("the scan is damaged near its octet "), "{log}");
        } else {
            assert_eq!(dropped, None, "{verify}: {counters}");
        }
    }
}

#[test]
fn restart_markers_leave_or_stay_as_it_is_configured() {
    let folder = Folder::new("restart-markers");
    let with = Picture {
        restart_interval: Some(10),
        ..SMALL
    }
    .encode();
    folder.write("0.jpg", &with);
    for (more, type_, scan) in [
        ("", 64, scan_of(&with)),
        ("restart-markers = \"keep\"", 64, scan_of(&with)),
        ("restart-markers = \"remove\"", 0, scan_of(&SMALL.encode())),
    ] {
        let (receiver, port) = receiver();
        let (log, counters) = run_to(&folder, more, port, ["--frames", "3"]);
        assert_eq!(counters["frames_sent"], 3, "{log}");
        for _ in 0..3 {
            let packets = receive_frame(&receiver);
            assert!(packets.iter().all(|each| headers(each).1.type_ == type_));
            assert!(scan_of(&depacketize(&packets)) == scan, "{more}");
        }
    }
}
