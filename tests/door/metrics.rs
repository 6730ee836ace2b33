//! `/metrics` against `/api/status`: the same counters by other names, and all of them from the start.

use std::collections::{BTreeMap, BTreeSet};
use std::net::UdpSocket;

use framewire::stats::DropReason;
use serde_json::Value;

use super::{DEMO, SMALL};
use crate::support::folder::Folder;
use crate::support::http::Door;
use crate::support::program::receiver;

/// A counter of `/metrics`, and the key of `/api/status` that has the same.
const OF_CAMERA: [(&str, &str); 10] = [
    ("camera_reopened_total", "reopened"),
    ("camera_frames_captured_total", "frames_captured"),
    ("camera_frames_sent_total", "frames_sent"),
    ("camera_sequence_gaps_total", "sequence_gaps"),
    ("camera_timestamps_replaced_total", "timestamps_replaced"),
    ("camera_flagged_but_whole_total", "flagged_but_whole"),
    ("camera_packets_sent_total", "packets_sent"),
    ("camera_sent_bytes_total", "octets_sent"),
    ("camera_send_calls_total", "send_calls"),
    ("camera_send_errors_total", "send_errors"),
];
const OF_OUTPUT: [(&str, &str); 5] = [
    ("output_frames_sent_total", "frames_sent"),
    ("output_frames_failed_total", "frames_failed"),
    ("output_frames_skipped_total", "frames_skipped"),
    ("output_packets_sent_total", "packets_sent"),
    ("output_sent_bytes_total", "octets_sent"),
];
const OF_VIEWERS: [(&str, &str); 4] = [
    ("viewers_frames_shown_total", "frames_shown"),
    ("viewers_frames_sent_total", "frames_sent"),
    ("viewers_frames_skipped_total", "frames_skipped"),
    ("viewers_sent_bytes_total", "octets_sent"),
];
const HISTOGRAMS: [&str; 3] = [
    "camera_capture_to_dequeue_seconds",
    "camera_dequeue_to_first_packet_seconds",
    "camera_first_to_last_packet_seconds",
];

/// The figures by name and labels, as they are written.
struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    fn of(door: &Door) -> Self {
        let answer = door.get("/metrics");
        assert_eq!(answer.status, 200);
        let content_type = answer.field("content-type");
        assert_eq!(
            content_type,
            Some("text/plain; version=0.0.4; charset=utf-8")
        );
        let text = answer.text();
        let mut metrics = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let before = metrics.insert(series.to_owned(), value.parse().expect(line));
            assert_eq!(before, None, "{line}");
        }
        Self(metrics)
    }

    fn get(&self, series: &str) -> f64 {
        let series = match series.starts_with("process_") {
            true => series.to_owned(),
            false => format!("framewire_{series}"),
        };
        let value = self.0.get(&series);
        *value.unwrap_or_else(|| panic!("no {series} in {:#?}", self.0.keys()))
    }

    /// Those that begin with `start`, with what follows.
    fn all(&self, start: &str) -> Vec<(&str, f64)> {
        let start = format!("framewire_{start}");
        let all = self.0.iter();
        all.filter_map(|(series, value)| Some((series.strip_prefix(&start)?, *value)))
            .collect()
    }
}

/// The same, called progressive in its SOF marker.
fn progressive(jpeg: &[u8]) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    let sof = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]);
    jpeg[sof.expect("a SOF0") + 1] = 0xC2;
    jpeg
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// That each number of `object` has its name in `names`; `others` are no counters.
fn are_all(object: &Value, names: &[(&str, &str)], others: &[&str]) {
    let numbers = object.as_object().expect("an object").iter();
    let numbers = numbers.filter(|(_, value)| value.is_number());
    let keys = numbers.map(|(key, _)| key.as_str());
    let counters: BTreeSet<&str> = keys.filter(|key| !others.contains(key)).collect();
    assert_eq!(counters, names.iter().map(|(_, key)| *key).collect());
}

/// That each figure of `metrics` lies between what the status said before and after.
fn lies_between(
    metrics: &Metrics,
    names: &[(&str, &str)],
    labels: &str,
    [before, after]: [&Value; 2],
) {
    for (name, key) in names {
        let value = metrics.get(&format!("{name}{{{labels}}}"));
        let (low, high) = (number(&before[key]), number(&after[key]));
        assert!(
            (low..=high).contains(&value),
            "{name}: {low} {value} {high}"
        );
    }
}

#[test]
fn all_figures_are_there_before_the_first_picture() {
    let folder = Folder::new("metrics-zero");
    let door = Door::open(&folder, DEMO);
    door.waits_for("idle");
    let metrics = Metrics::of(&door);
    for (name, _) in OF_CAMERA.iter().chain(&OF_VIEWERS) {
        assert_eq!(
            metrics.get(&format!("{name}{{camera=\"front\"}}")),
            0.0,
            "{name}"
        );
    }
    let dropped = metrics.all("camera_frames_dropped_total{camera=\"front\",reason=");
    let reasons: BTreeSet<&str> = dropped
        .iter()
        .map(|(rest, count)| {
            assert_eq!(*count, 0.0, "{rest}");
            rest.trim_matches(['"', '}'])
        })
        .collect();
    let all = DropReason::ALL.iter().map(|reason| reason.name());
    assert_eq!(reasons, all.collect());
    for name in HISTOGRAMS {
        assert_eq!(
            metrics.get(&format!("{name}_count{{camera=\"front\"}}")),
            0.0
        );
        assert_eq!(metrics.get(&format!("{name}_sum{{camera=\"front\"}}")), 0.0);
    }
    let states = metrics.all("camera_state{");
    assert_eq!(states.len(), 6, "{states:?}");
    assert_eq!(states.iter().map(|(_, value)| value).sum::<f64>(), 1.0);
    assert_eq!(
        metrics.get("camera_state{camera=\"front\",state=\"idle\"}"),
        1.0
    );
    assert_eq!(metrics.get("camera_up{camera=\"front\"}"), 1.0);
    for name in ["connections_refused", "wrong_passwords"] {
        assert_eq!(metrics.get(&format!("http_{name}_total")), 0.0);
    }
    assert_eq!(metrics.get("http_connections"), 1.0);
}

/// In the sandbox, too.
#[test]
fn the_process_is_what_the_kernel_says_it_is() {
    let folder = Folder::new("metrics-process");
    let door = Door::open(&folder, DEMO);
    let held: Vec<_> = (0..20).map(|_| door.connect()).collect();
    door.waits_for("idle");
    let metrics = Metrics::of(&door);
    let proc = format!("/proc/{}", door.child.id());
    let open = std::fs::read_dir(format!("{proc}/fd")).expect("a folder");
    let open: f64 = u32::try_from(open.count()).expect("few").into();
    let difference = metrics.get("process_open_fds") - open;
    assert!(difference.abs() <= 3.0 && open > 20.0, "{difference}");
    drop(held);
    let status = std::fs::read_to_string(format!("{proc}/status")).expect("a file");
    let kilobytes = |label: &str| -> f64 {
        let line = status.lines().find_map(|line| line.strip_prefix(label));
        let number = line.and_then(|rest| rest.trim().strip_suffix(" kB"));
        number.expect("a line").parse().expect("a number")
    };
    for (name, label) in [
        ("process_resident_memory_bytes", "VmRSS:"),
        ("process_virtual_memory_bytes", "VmSize:"),
    ] {
        let ratio = metrics.get(name) / (1024.0 * kilobytes(label));
        assert!((0.8..1.25).contains(&ratio), "{name}: {ratio}");
    }
    assert!(metrics.get("process_cpu_seconds_total") > 0.0);
    assert!(metrics.get("process_max_fds") >= 1024.0);
    let age = number(&door.status()["time"]) - metrics.get("process_start_time_seconds");
    assert!((0.0..120.0).contains(&age), "{age}");
}

/// The second has a zone, whose sign no name has.
fn destinations([port, zone]: [u16; 2]) -> [String; 2] {
    [format!("127.0.0.1:{port}"), format!("[::1%lo]:{zone}")]
}

/// One whose pictures go to these ports, and one whose pictures are all dropped.
fn two_cameras(folder: &Folder, ports: [[u16; 2]; 2]) -> String {
    let picture = SMALL.encode();
    let whole = folder.write("whole.jpg", &picture);
    let refused = folder.write("refused.jpg", progressive(&picture));
    let camera = |name: &str, path: &str, ports| {
        let outputs =
            destinations(ports).map(|to| format!("[[camera.rtp]]\ndestination = \"{to}\"\n"));
        let outputs = outputs.concat();
        format!("[[camera]]\nname = \"{name}\"\ndevice = \"replay:{path}\"\nfps = 60\n{outputs}")
    };
    camera("front", &whole, ports[0]) + &camera("0-rear", &refused, ports[1])
}

#[test]
fn the_counters_are_those_of_the_status() {
    let folder = Folder::new("metrics-status");
    let (_first, port) = receiver();
    let second = UdpSocket::bind("[::1]:0").expect("a socket");
    let zone = second.local_addr().expect("an address").port();
    let ports = [[port, zone], [9, 9]];
    let door = Door::open(&folder, &two_cameras(&folder, ports));
    door.waits_for("streaming");
    let mut pictures = door.stream("/front/stream");
    (0..5).for_each(|_| assert!(pictures.described().is_some()));

    let before = door.status();
    let metrics = Metrics::of(&door);
    let after = door.status();
    let front = &before["cameras"][0];
    are_all(front, &OF_CAMERA, &["state_seconds", "width", "height"]);
    are_all(&front["viewers"], &OF_VIEWERS, &["watching"]);
    are_all(&front["outputs"][0], &OF_OUTPUT, &[]);
    for (index, name) in ["front", "0-rear"].iter().enumerate() {
        let both = [&before, &after].map(|status| &status["cameras"][index]);
        let labels = format!("camera=\"{name}\"");
        assert_eq!(both[0]["name"], *name);
        lies_between(&metrics, &OF_CAMERA, &labels, both);
        lies_between(
            &metrics,
            &OF_VIEWERS,
            &labels,
            both.map(|camera| &camera["viewers"]),
        );
        for (number, to) in destinations(ports[index]).iter().enumerate() {
            let both = both.map(|camera| &camera["outputs"][number]);
            let labels = format!("camera=\"{name}\",output=\"{number}\",destination=\"{to}\"");
            lies_between(&metrics, &OF_OUTPUT, &labels, both);
        }
    }
    assert!(metrics.get("camera_frames_sent_total{camera=\"front\"}") > 0.0);
    assert!(metrics.get("viewers_frames_sent_total{camera=\"front\"}") >= 5.0);
    assert_eq!(metrics.get("viewers{camera=\"front\"}"), 1.0);
    let dropped = "camera_frames_dropped_total{camera=\"0-rear\",reason=\"unsupported-process\"}";
    let key =
        |status: &Value| number(&status["cameras"][1]["frames_dropped"]["unsupported-process"]);
    let (low, high) = (key(&before), key(&after));
    let dropped = metrics.get(dropped);
    assert!(
        low > 0.0 && (low..=high).contains(&dropped),
        "{low} {dropped} {high}"
    );
    let sent = [&before, &after].map(|status| number(&status["cameras"][0]["frames_sent"]));
    for name in HISTOGRAMS {
        is_a_histogram(&metrics, name, sent);
    }
}

/// That the buckets add up, and that there are as many durations as frames were sent.
fn is_a_histogram(metrics: &Metrics, name: &str, [low, high]: [f64; 2]) {
    let buckets = metrics.all(&format!("{name}_bucket{{camera=\"front\",le=\""));
    let mut buckets: Vec<(f64, f64)> = buckets
        .iter()
        .map(|(length, count)| {
            let length = length.trim_end_matches("\"}");
            (length.parse().expect("a length"), *count)
        })
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{buckets:?}");
    let (length, all) = *buckets.last().expect("buckets");
    let count = metrics.get(&format!("{name}_count{{camera=\"front\"}}"));
    assert!(length == f64::INFINITY && all == count, "{buckets:?}");
    // A frame is counted and timed one after the other, and it may be dropped in between.
    assert!(
        count >= low - 1.0 && count <= high + 2.0,
        "{name}: {low} {count} {high}"
    );
    let sum = metrics.get(&format!("{name}_sum{{camera=\"front\"}}"));
    assert!(sum > 0.0 && sum < 10.0 * count, "{name}: {sum}");
}

/// A receiver is told by its number: its SSRC and its address are nowhere.
#[test]
fn what_a_receiver_reports_is_there_by_its_number() {
    let folder = Folder::new("metrics-receiver");
    let (socket, port) = receiver();
    let output = format!("[[camera.rtp]]\ndestination = \"127.0.0.1:{port}\"\nrtcp = \"mux\"\n");
    let door = Door::open(&folder, &format!("{DEMO}{output}"));
    let mut packet = [0; 2048];
    loop {
        let (_, from) = socket.recv_from(&mut packet).expect("a packet");
        // No sender report.
        if packet[1] & 0x7F != 26 {
            continue;
        }
        let mut report = vec![0x81, 201, 0, 7, 0xDE, 0xAD, 0xBE, 0xEF];
        report.extend(&packet[8..12]);
        // A quarter and five in all, and a jitter of 2 ms.
        report.extend([64, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 180]);
        report.extend([0; 8]);
        socket.send_to(&report, from).expect("a report");
        let metrics = Metrics::of(&door);
        if metrics.all("receiver_lost_ratio").is_empty() {
            continue;
        }
        let labels = "{camera=\"front\",output=\"0\",receiver=\"0\"}";
        for (name, expected) in [("lost_ratio", 0.25), ("packets_lost", 5.0)] {
            assert_eq!(metrics.get(&format!("receiver_{name}{labels}")), expected);
        }
        let jitter = metrics.get(&format!("receiver_jitter_seconds{labels}"));
        assert!((0.0019..0.0021).contains(&jitter), "{jitter}");
        let receivers = metrics.all("output_receivers");
        assert!(receivers.len() == 1 && receivers[0].1 == 1.0);
        let text = door.get("/metrics").text();
        assert!(!text.contains(&format!("{}", 0xDEAD_BEEF_u32)) && !text.contains("deadbeef"));
        let receiver = &door.status()["cameras"][0]["outputs"][0]["receivers"][0];
        assert_eq!(
            (&receiver["index"], &receiver["ssrc"]),
            (&0.into(), &0xDEAD_BEEF_u32.into())
        );
        return;
    }
}
