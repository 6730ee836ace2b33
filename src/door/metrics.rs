//! `/metrics`: all counters for Prometheus. docs/api.md has their names.
//!
//! Labels are bounded: cameras, destinations and reasons are those of the configuration and of the program, and a
//! receiver is a number. An address or SSRC of a peer, of which there may be any number, is no label.

mod counters;

use std::time::Duration;

use hyper::StatusCode;

use super::answer::{self, Answer};
use super::exposition::{CONTENT_TYPE, Kind, Page};
use super::house::House;
use super::seconds::seconds;
use crate::directory::Entry;
use crate::process::Figures;
use crate::stats::latency::Cumulative;
use crate::stats::output::OutputSummary;
use crate::stats::{CameraState, DropReason, Summary};
use crate::viewers::ViewersSummary;
use counters::{LATENCIES, OF_CAMERA, OF_OUTPUT, OF_RECEIVER, OF_VIEWERS};

/// All of a camera at one moment.
struct Camera {
    summary: Summary,
    in_state: Option<Duration>,
    latencies: [Cumulative; 3],
    viewers: ViewersSummary,
}

impl Camera {
    fn new(entry: &Entry) -> Self {
        Self {
            summary: entry.stats.summary(entry.config.name().as_str()),
            in_state: entry.stats.time_in_state(),
            latencies: LATENCIES.map(|(_, _, of)| of(entry.stats.latency()).cumulative()),
            viewers: entry.viewers.summary(),
        }
    }

    fn name(&self) -> &str {
        &self.summary.name
    }
}

/// The answer now.
pub fn answer(house: &House) -> Answer {
    let entries = house.directory.entries();
    let cameras: Vec<Camera> = entries.iter().map(Camera::new).collect();
    let mut page = Page::default();
    tell_program(&mut page);
    tell_doors(&mut page, house);
    tell_process(&mut page, &Figures::now());
    tell_states(&mut page, &cameras);
    tell_cameras(&mut page, &cameras);
    tell_viewers(&mut page, &cameras);
    tell_outputs(&mut page, &cameras);
    tell_receivers(&mut page, &cameras);
    answer::whole(StatusCode::OK, CONTENT_TYPE, page.into_text())
}

fn tell_program(page: &mut Page) {
    page.family(
        "framewire_build_info",
        Kind::Gauge,
        "The program's version; always 1.",
    )
    .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
}

fn tell_doors(page: &mut Page, house: &House) {
    let guests = &house.rtsp;
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    for (name, kind, help, value) in [
        (
            "framewire_http_connections",
            Kind::Gauge,
            "Connections of browsers and the like that are open.",
            number(house.clients.count()),
        ),
        (
            "framewire_http_connections_refused_total",
            Kind::Counter,
            "Connections of browsers and the like that there was no room for.",
            house.clients.refused(),
        ),
        (
            "framewire_http_wrong_passwords_total",
            Kind::Counter,
            "Requests with a wrong name or password, by RTSP too.",
            house.access.wrong(),
        ),
        (
            "framewire_rtsp_connections",
            Kind::Gauge,
            "Connections of players that are open.",
            number(guests.connections.count()),
        ),
        (
            "framewire_rtsp_connections_refused_total",
            Kind::Counter,
            "Connections of players that there was no room for.",
            guests.connections.refused(),
        ),
        (
            "framewire_rtsp_sessions",
            Kind::Gauge,
            "Players that have set up a stream.",
            number(guests.sessions.count()),
        ),
        (
            "framewire_rtsp_sessions_opened_total",
            Kind::Counter,
            "Streams that players have set up.",
            guests.sessions.opened(),
        ),
        (
            "framewire_rtsp_sessions_refused_total",
            Kind::Counter,
            "Streams that could not be set up because max-clients were there.",
            guests.sessions.refused(),
        ),
        (
            "framewire_rtsp_reports_total",
            Kind::Counter,
            "RTCP reports of players about their stream.",
            guests.sessions.reports(),
        ),
    ] {
        page.family(name, kind, help).sample(&[], value);
    }
}

/// By the names that all programs use for these.
fn tell_process(page: &mut Page, figures: &Figures) {
    let hundredths =
        |time: Duration| format!("{}.{:02}", time.as_secs(), time.subsec_millis() / 10);
    for (name, kind, help, value) in [
        (
            "process_cpu_seconds_total",
            Kind::Counter,
            "Processor time of all threads.",
            figures.cpu.map(seconds),
        ),
        (
            "process_resident_memory_bytes",
            Kind::Gauge,
            "Memory in use.",
            figures.resident.map(|octets| octets.to_string()),
        ),
        (
            "process_virtual_memory_bytes",
            Kind::Gauge,
            "All mappings.",
            figures.mapped.map(|octets| octets.to_string()),
        ),
        (
            "process_open_fds",
            Kind::Gauge,
            "Open file descriptors.",
            figures.descriptors.map(|count| count.to_string()),
        ),
        (
            "process_max_fds",
            Kind::Gauge,
            "Most file descriptors that may be open.",
            figures.most_descriptors.map(|count| count.to_string()),
        ),
        (
            "process_start_time_seconds",
            Kind::Gauge,
            "When the program started, since 1970.",
            Some(hundredths(figures.start)),
        ),
    ] {
        let mut family = page.family(name, kind, help);
        if let Some(value) = value {
            family.sample(&[], value);
        }
    }
}

fn tell_states(page: &mut Page, cameras: &[Camera]) {
    let mut up = page.family(
        "framewire_camera_up",
        Kind::Gauge,
        "1 while the camera streams, or sleeps until somebody watches.",
    );
    for camera in cameras {
        let is_well = camera.summary.state.is_well();
        up.sample(&[("camera", camera.name())], u8::from(is_well));
    }
    let mut states = page.family(
        "framewire_camera_state",
        Kind::Gauge,
        "1 for what the camera does now, 0 for the others.",
    );
    for camera in cameras {
        let now = camera.summary.state.name();
        for state in CameraState::NAMES {
            let labels = [("camera", camera.name()), ("state", state)];
            states.sample(&labels, u8::from(state == now));
        }
    }
    let mut since = page.family(
        "framewire_camera_state_seconds",
        Kind::Gauge,
        "For so long the camera does what it does now.",
    );
    for camera in cameras {
        if let Some(time) = camera.in_state {
            since.sample(&[("camera", camera.name())], time.as_secs_f64());
        }
    }
}

fn tell_cameras(page: &mut Page, cameras: &[Camera]) {
    for (name, help, value) in OF_CAMERA {
        let mut family = page.family(name, Kind::Counter, help);
        for camera in cameras {
            family.sample(&[("camera", camera.name())], value(&camera.summary));
        }
    }
    let mut dropped = page.family(
        "framewire_camera_frames_dropped_total",
        Kind::Counter,
        "Frames not sent, by reason.",
    );
    for camera in cameras {
        for reason in DropReason::ALL {
            let reason = reason.name();
            let count = camera.summary.frames_dropped.get(reason);
            let labels = [("camera", camera.name()), ("reason", reason)];
            dropped.sample(&labels, count.copied().unwrap_or(0));
        }
    }
    for (number, (name, help, _)) in LATENCIES.iter().enumerate() {
        let mut family = page.family(name, Kind::Histogram, help);
        for camera in cameras {
            if let Some(latency) = camera.latencies.get(number) {
                family.histogram(&[("camera", camera.name())], latency);
            }
        }
    }
}

fn tell_viewers(page: &mut Page, cameras: &[Camera]) {
    let mut watching = page.family("framewire_viewers", Kind::Gauge, "So many watch now.");
    for camera in cameras {
        watching.sample(&[("camera", camera.name())], camera.viewers.watching);
    }
    for (name, help, value) in OF_VIEWERS {
        let mut family = page.family(name, Kind::Counter, help);
        for camera in cameras {
            family.sample(&[("camera", camera.name())], value(&camera.viewers));
        }
    }
}

/// An output, with the names of its camera and of its place among the camera's outputs.
fn outputs(cameras: &[Camera]) -> impl Iterator<Item = (&str, String, &OutputSummary)> {
    cameras.iter().flat_map(|camera| {
        let outputs = camera.summary.outputs.iter().enumerate();
        outputs.map(|(number, output)| (camera.name(), number.to_string(), output))
    })
}

fn tell_outputs(page: &mut Page, cameras: &[Camera]) {
    let mut tell = |name, kind, help, value: &dyn Fn(&OutputSummary) -> u64| {
        let mut family = page.family(name, kind, help);
        for (camera, number, output) in outputs(cameras) {
            let labels = [
                ("camera", camera),
                ("output", &number),
                ("destination", &output.destination),
            ];
            family.sample(&labels, value(output));
        }
    };
    tell(
        "framewire_output_up",
        Kind::Gauge,
        "1 unless there is a reason why nothing is sent now.",
        &|output| u64::from(output.problem.is_none()),
    );
    tell(
        "framewire_output_receivers",
        Kind::Gauge,
        "Receivers that reported in the last minute.",
        &|output| u64::try_from(output.receivers.len()).unwrap_or(u64::MAX),
    );
    for (name, help, value) in OF_OUTPUT {
        tell(name, Kind::Counter, help, value);
    }
}

fn tell_receivers(page: &mut Page, cameras: &[Camera]) {
    for (name, help, value) in OF_RECEIVER {
        let mut family = page.family(name, Kind::Gauge, help);
        for (camera, number, output) in outputs(cameras) {
            for heard in &output.receivers {
                let index = heard.index.to_string();
                let labels = [
                    ("camera", camera),
                    ("output", &number),
                    ("receiver", &index),
                ];
                if let Some(value) = value(&heard.receiver) {
                    family.sample(&labels, value);
                }
            }
        }
    }
}
