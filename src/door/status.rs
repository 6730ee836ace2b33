//! `/api/status`: all counters as JSON. docs/api.md describes it.

use hyper::StatusCode;
use serde::Serialize;

use super::answer::{self, Answer};
use super::clients::ClientSummary;
use super::host::Names;
use super::house::House;
use super::rtsp::guests::Guests;
use crate::clocks::Reading;
use crate::directory::Entry;
use crate::stats::Summary;
use crate::viewers::ViewersSummary;

/// Changes when a key changes its meaning or goes; keys may be added.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Status {
    version: u32,
    program: &'static str,
    host: String,
    /// Seconds since 1970.
    time: f64,
    cameras: Vec<Camera>,
    http: Http,
    rtsp: Option<Rtsp>,
}

#[derive(Serialize)]
struct Camera {
    #[serde(flatten)]
    summary: Summary,
    state_seconds: Option<f64>,
    device: String,
    width: Option<u16>,
    height: Option<u16>,
    on_demand: bool,
    sdp: bool,
    controls: bool,
    viewers: ViewersSummary,
}

#[derive(Serialize)]
struct Http {
    connections: usize,
    connections_refused: u64,
    wrong_passwords: u64,
    clients: Vec<ClientSummary>,
}

#[derive(Serialize)]
struct Rtsp {
    port: u16,
    connections: usize,
    connections_refused: u64,
    sessions: usize,
    sessions_opened: u64,
    sessions_refused: u64,
    reports: u64,
    clients: Vec<ClientSummary>,
}

/// The answer now.
pub fn answer(house: &House) -> Answer {
    let status = Status {
        version: VERSION,
        program: concat!("framewire ", env!("CARGO_PKG_VERSION")),
        host: Names::own(),
        time: Reading::now().unix.as_secs_f64(),
        cameras: cameras(house),
        http: Http {
            connections: house.clients.count(),
            connections_refused: house.clients.refused(),
            wrong_passwords: house.access.wrong(),
            clients: house.clients.streaming(),
        },
        rtsp: rtsp(&house.rtsp),
    };
    answer::json(StatusCode::OK, &status)
}

fn rtsp(guests: &Guests) -> Option<Rtsp> {
    let sessions = &guests.sessions;
    Some(Rtsp {
        port: guests.port?,
        connections: guests.connections.count(),
        connections_refused: guests.connections.refused(),
        sessions: sessions.count(),
        sessions_opened: sessions.opened(),
        sessions_refused: sessions.refused(),
        reports: sessions.reports(),
        clients: guests.connections.streaming(),
    })
}

fn cameras(house: &House) -> Vec<Camera> {
    let can_set = house.access.has_users();
    let entries = house.directory.entries();
    entries.iter().map(|entry| camera(entry, can_set)).collect()
}

fn camera(entry: &Entry, can_set: bool) -> Camera {
    let (width, height) = entry.stats.size().unzip();
    Camera {
        summary: entry.stats.summary(entry.config.name().as_str()),
        state_seconds: entry.stats.time_in_state().map(|time| time.as_secs_f64()),
        device: entry.config.device.to_string(),
        width,
        height,
        on_demand: entry.config.is_on_demand(),
        sdp: !entry.config.outputs.is_empty(),
        controls: can_set && entry.config.device.is_camera(),
        viewers: entry.viewers.summary(),
    }
}
