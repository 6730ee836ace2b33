//! `/api/cameras/NAME/controls`: what can be set at a camera while it streams, set and kept. docs/api.md describes it.
//!
//! Nothing here touches the camera: its own thread does, between two pictures, and whoever asks waits for that here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use super::answer::{self, Answer};
use super::house::House;
use super::origin;
use crate::config::{ControlValue, Controls, Name};
use crate::directory::Entry;
use crate::kept::Shelf;
use crate::panel::{Asked, Control, Known, Refusal, Setting};
use crate::stats::CameraState;

/// Longest wait for a camera, and for a disk.
const PATIENCE: Duration = Duration::from_secs(3);
/// Time between two looks whether the camera's thread has done it: shorter than a picture takes.
const LOOK: Duration = Duration::from_millis(15);
/// What was read so shortly ago is not read again.
const FRESH: Duration = Duration::from_secs(1);
/// Longest time for a body, as for a head.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Most octets of a body.
const BODY: usize = 4096;

/// The name of the camera whose controls are at this path.
pub fn of(path: &str) -> Option<&str> {
    let name = path
        .strip_prefix("/api/cameras/")?
        .strip_suffix("/controls")?;
    (!name.contains('/')).then_some(name)
}

/// What a request asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    controls: Controls,
    keep: Option<bool>,
}

#[derive(Serialize)]
struct Listing<'l> {
    camera: &'l str,
    /// Whether users can set them.
    settable: bool,
    controls: Vec<Control>,
    /// What the camera made otherwise than it was asked.
    notes: Vec<String>,
}

/// Why there is no list.
struct Problem(StatusCode, String);

/// The answer to `request`, which is about the controls of `entry`.
pub async fn answer(request: Request<Incoming>, entry: &Entry, house: &House) -> Answer {
    let done = match *request.method() {
        Method::POST => change(request, entry, house).await,
        _ => read(entry).await,
    };
    match done {
        Ok(notes) => list(entry, house, notes),
        Err(problem) => problem.answer(),
    }
}

fn list(entry: &Entry, house: &House, notes: Vec<String>) -> Answer {
    let known = entry.panel.known();
    let (configured, kept) = (&entry.config.controls, entry.panel.kept());
    let controls = known.iter().flat_map(|known| known.controls.iter());
    let listing = Listing {
        camera: entry.config.name().as_str(),
        settable: house.access.has_users(),
        controls: controls
            .map(|control| Control {
                configured: control.within(configured).cloned(),
                kept: control.within(&kept).cloned(),
                ..control.clone()
            })
            .collect(),
        notes,
    };
    answer::json(StatusCode::OK, &listing)
}

/// Has all controls read, unless that was done just now.
async fn read(entry: &Entry) -> Result<Vec<String>, Problem> {
    let is_fresh = |known: &Known| known.read.elapsed() < FRESH;
    match entry.panel.known().filter(is_fresh) {
        Some(_) => Ok(Vec::new()),
        None => carry_out(entry, Vec::new()).await,
    }
}

/// Sets what is asked for, and keeps it or keeps nothing any more.
async fn change(
    request: Request<Incoming>,
    entry: &Entry,
    house: &House,
) -> Result<Vec<String>, Problem> {
    if !house.access.has_users() {
        let problem = "controls can be set by users only: add a [[user]] to config.toml, which `framewire password NAME` prints";
        return Err(Problem(StatusCode::FORBIDDEN, problem.to_owned()));
    }
    if let Some((status, problem)) = origin::refusal(request.headers()) {
        return Err(Problem(status, problem.to_owned()));
    }
    let wanted = wanted(request).await?;
    let settings = |value: fn(ControlValue) -> Option<ControlValue>, of: &Controls| {
        let of = of.0.iter();
        of.map(|(name, given)| (name.clone(), value(given.clone())))
            .collect::<Vec<Setting>>()
    };
    if wanted.keep == Some(false) {
        let before = store(entry, house, None).await?;
        // In force as far as the camera is there; otherwise when it is opened again.
        return match carry_out(entry, settings(|_| None, &before)).await {
            Err(Problem(StatusCode::SERVICE_UNAVAILABLE, _)) => Ok(Vec::new()),
            done => done,
        };
    }
    let notes = carry_out(entry, settings(Some, &wanted.controls)).await?;
    if wanted.keep == Some(true) {
        store(entry, house, Some(set(entry, &wanted.controls))).await?;
    }
    Ok(notes)
}

/// Reads the body.
async fn wanted(request: Request<Incoming>) -> Result<Wanted, Problem> {
    let wrong = |problem: String| Problem(StatusCode::BAD_REQUEST, problem);
    let body = timeout(BODY_TIME, Limited::new(request.into_body(), BODY).collect()).await;
    let body = body.map_err(|_| {
        let problem = format!("no whole body within {} s", BODY_TIME.as_secs());
        Problem(StatusCode::REQUEST_TIMEOUT, problem)
    })?;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => {
            let problem = format!("at most {BODY} octets");
            Problem(StatusCode::PAYLOAD_TOO_LARGE, problem)
        }
        false => wrong(error.to_string()),
    })?;
    let wanted = serde_json::from_slice::<Wanted>(&body.to_bytes());
    let wanted = wanted.map_err(|error| wrong(error.to_string()))?;
    match (wanted.controls.0.is_empty(), wanted.keep) {
        (false, None | Some(true)) | (true, Some(false)) => Ok(wanted),
        (false, Some(false)) => Err(wrong("keep = false goes without controls".to_owned())),
        (true, _) => Err(wrong("no controls are named".to_owned())),
    }
}

/// Has the camera's thread set these and read all controls.
async fn carry_out(entry: &Entry, settings: Vec<Setting>) -> Result<Vec<String>, Problem> {
    let name = entry.config.name();
    let deadline = Instant::now() + PATIENCE;
    let is_late = || Instant::now() >= deadline;
    let closed = || {
        let problem = format!("{name} is not open: {}", entry.stats.state());
        Problem(StatusCode::SERVICE_UNAVAILABLE, problem)
    };
    let state = entry.stats.state();
    if matches!(
        state,
        CameraState::Waiting(_) | CameraState::Idle | CameraState::Stopped
    ) {
        return Err(closed());
    }
    let asked: Asked = loop {
        if let Some(asked) = entry.panel.ask(settings.clone(), Instant::now().into_std()) {
            break asked;
        }
        if is_late() {
            let problem = format!("{name}: somebody else is just setting its controls");
            return Err(Problem(StatusCode::SERVICE_UNAVAILABLE, problem));
        }
        sleep(LOOK).await;
    };
    loop {
        match asked.outcome() {
            Some(Ok(notes)) => return Ok(notes),
            Some(Err(Refusal::Closed)) => return Err(closed()),
            Some(Err(Refusal::Wrong(problem))) => {
                return Err(Problem(StatusCode::BAD_REQUEST, problem));
            }
            Some(Err(Refusal::Failed(problem))) => {
                return Err(Problem(StatusCode::CONFLICT, problem));
            }
            None if is_late() => {
                let problem = format!("{name} has not answered within {} s", PATIENCE.as_secs());
                return Err(Problem(StatusCode::GATEWAY_TIMEOUT, problem));
            }
            None => sleep(LOOK).await,
        }
    }
}

/// The controls that were asked for, under their own names, with the values that they have now.
fn set(entry: &Entry, asked: &Controls) -> Controls {
    let known = entry.panel.known();
    let controls = known.iter().flat_map(|known| known.controls.iter());
    let is_asked = |control: &&Control| control.within(asked).is_some();
    let set = controls.filter(is_asked).map(|control| {
        // What can only be written is believed.
        let value = control.written().or_else(|| control.within(asked).cloned());
        (control.name.clone(), value)
    });
    Controls(
        set.filter_map(|(name, value)| Some((name, value?)))
            .collect(),
    )
}

/// Keeps `more` besides what is kept, or nothing any more; returns what was kept before. A thread of its own waits for the
/// disk: this one has everybody's connections, and the main thread has the watchdog.
async fn store(
    entry: &Entry,
    house: &House,
    more: Option<Controls>,
) -> Result<Arc<Controls>, Problem> {
    let slow = |problem: &str| Problem(StatusCode::SERVICE_UNAVAILABLE, problem.to_owned());
    let writing = Writing::begin(&house.is_writing);
    let writing = writing.ok_or_else(|| slow("something else is just being kept"))?;
    let before = entry.panel.kept();
    let now = more.map_or_else(Controls::default, |more| before.overridden_by(&more));
    let (shelf, name) = (house.shelf.clone(), entry.config.name().clone());
    let values = now.clone();
    let written = spawn_blocking(move || {
        let _writing = writing;
        write(&shelf, &name, &values)
    });
    match timeout(PATIENCE, written).await {
        Ok(Ok(Ok(()))) => {
            entry.panel.keep(now);
            Ok(before)
        }
        Ok(Ok(Err(error))) => Err(Problem(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("it cannot be kept: {error}"),
        )),
        Ok(Err(error)) => Err(slow(&error.to_string())),
        Err(_) => Err(slow(
            "the disk does not answer: nobody knows whether it is kept",
        )),
    }
}

fn write(shelf: &Shelf, name: &Name, values: &Controls) -> std::io::Result<()> {
    match values.0.is_empty() {
        true => shelf.remove(name),
        false => shelf.write(name, values),
    }
}

/// Only one at a time: a disk that hangs has one thread that waits for it.
struct Writing(Arc<AtomicBool>);

impl Writing {
    fn begin(is_writing: &Arc<AtomicBool>) -> Option<Self> {
        let is_free = !is_writing.swap(true, Ordering::AcqRel);
        is_free.then(|| Self(is_writing.clone()))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Problem {
    fn answer(self) -> Answer {
        #[derive(Serialize)]
        struct Words {
            error: String,
        }
        let Self(status, error) = self;
        let mut answer = answer::json(status, &Words { error });
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let soon = HeaderValue::from_static("1");
            answer.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        answer
    }
}
