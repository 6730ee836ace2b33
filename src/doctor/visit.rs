//! Takes pictures of one camera and has each looked at, in a thread of its own: whoever waits for it never hangs.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::mpsc::{self, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::findings::Findings;
use super::look::Eye;
use super::rate::Times;
use super::specimens::Specimens;
use crate::capture::{Agreement, Capture};
use crate::config;
use crate::frame::Suspicion;
use crate::heartbeat::{Heartbeat, Watched};
use crate::stats::{CameraState, DropReason, Stats};
use crate::stop::{Stop, readable, wait_readable};

/// Longest time without a picture, once there was one; and in pictures, for slow cameras.
const PATIENCE: Duration = Duration::from_secs(15);
const PATIENCE_PICTURES: u32 = 10;
/// Most damaged pictures for each that is wanted: they are not waited for for ever.
const MOST_DAMAGED: u64 = 4;
/// Most times that a camera is opened again: what is wrong is known by then.
const MOST_REOPENINGS: u64 = 5;
/// What a driver may need for one system call at the start (uvcvideo: 5 s, several times).
const DRIVER_PATIENCE: Duration = Duration::from_secs(30);
/// What the thread gets to end when it is told to.
const ENDING: Duration = Duration::from_secs(7);
/// Turn of the loop that waits for it.
const TURN: Duration = Duration::from_millis(250);

/// What came of a visit.
#[derive(Debug, Default)]
pub struct Visit {
    /// What the pictures are like.
    pub findings: Findings,
    /// Who the camera is, where there is one.
    pub camera: Option<Agreement>,
    /// What happened to pictures before they could be looked at.
    pub errors: Errors,
    /// Those to be kept.
    pub specimens: Specimens,
    /// Why there were no more pictures.
    pub problem: Option<String>,
}

/// What happened to pictures before they could be looked at.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Errors {
    /// Marked as damaged by the driver, and so they are.
    pub flagged: u64,
    /// Marked so, and whole; these were looked at.
    pub flagged_but_whole: u64,
    /// Buffers without an octet.
    pub empty: u64,
    /// Missing by the driver's count.
    pub lost_in_driver: u64,
    /// Of which the driver said a time of capture that cannot be.
    pub timestamps_replaced: u64,
    /// Times that the camera failed and was opened again.
    pub reopened: u64,
    /// A newer one was there before this machine could look at them.
    pub not_looked_at: u64,
}

/// Looks at `wanted` pictures of `camera`, or at fewer when something can be read from `end` before: a signal, say.
/// The error says why there is nothing to say.
pub fn visit(
    camera: &config::Camera,
    wanted: u64,
    keeps: bool,
    end: BorrowedFd,
) -> Result<Visit, String> {
    let failed = |error: io::Error| format!("cannot start a thread: {error}");
    let heartbeat = Arc::new(Heartbeat::default());
    let stop = Arc::new(Stop::new().map_err(failed)?);
    let (result, results) = mpsc::channel();
    let film = {
        let (camera, heartbeat, stop) = (camera.clone(), heartbeat.clone(), stop.clone());
        move || {
            // Nobody may be there any more.
            let _ = result.send(film(&camera, wanted, keeps, &stop, &heartbeat));
        }
    };
    let thread = thread::Builder::new().name("doctor".to_owned());
    thread.spawn(film).map_err(failed)?;
    let label = camera.device.to_string();
    let mut watched = Watched::new(label, heartbeat, Instant::now());
    let no_answer = || {
        format!(
            "{}: its driver does not answer: plug the camera out and in again",
            camera.device
        )
    };
    let mut told: Option<Instant> = None;
    loop {
        match results.try_recv() {
            Ok(visit) => return visit,
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => {
                return Err("looking at its pictures failed: this is a bug of framewire".to_owned());
            }
        }
        let now = Instant::now();
        let is_over = told.is_some_and(|told| now.saturating_duration_since(told) > ENDING);
        if is_over || !watched.is_alive(now, DRIVER_PATIENCE) {
            return Err(no_answer());
        }
        if told.is_some() {
            thread::sleep(TURN);
        } else if wait_readable(&mut [readable(end)], TURN).is_ok_and(|events| events > 0) {
            told = Some(now);
            stop.raise();
        }
    }
}

/// The thread's work.
fn film(
    camera: &config::Camera,
    wanted: u64,
    keeps: bool,
    stop: &Stop,
    heartbeat: &Heartbeat,
) -> Result<Visit, String> {
    let stats = Stats::default();
    let mut capture = Capture::new(camera, &stats, stop, heartbeat);
    let (mut eye, mut times) = (Eye::new(), Times::default());
    let mut visit = Visit::default();
    let patience = patience(camera);
    let mut last = Instant::now();
    let enough = || stats.condition().damaged > wanted.saturating_mul(MOST_DAMAGED);
    while visit.findings.pictures.looked_at < wanted && !stop.is_raised() && !enough() {
        heartbeat.beat();
        if let Some(frame) = capture.take() {
            last = Instant::now();
            visit.camera = capture.agreement().cloned().or(visit.camera);
            times.add(&frame);
            let look = eye.look(&frame.data, capture.size());
            if keeps {
                visit.specimens.consider(&frame.data, &look);
            }
            // Counted as a camera's thread does it: a source of nothing but damage is opened again, and a habit is none.
            let is_whole = look.sending.is_ok() && look.whole == Some(Ok(()));
            if frame.suspicion == Suspicion::Flagged && !is_whole {
                stats.frame_dropped(DropReason::ErrorFlag);
                continue;
            }
            match &look.sending {
                Ok(_) => stats.frame_sent(),
                Err(refused) => stats.frame_dropped(DropReason::from(*refused)),
            }
            if frame.suspicion == Suspicion::Flagged {
                stats.flagged_but_whole();
            }
            visit.findings.add(&look);
        } else if let CameraState::Waiting(problem) = stats.state() {
            let has_come = visit.findings.pictures.looked_at > 0;
            let is_tried = errors(&stats).reopened >= MOST_REOPENINGS;
            if !has_come || is_tried || last.elapsed() > patience {
                visit.problem = Some(problem);
                break;
            }
        }
    }
    // Without a rate that was asked for there is none.
    visit.findings.rate = camera.fps().millihertz().and_then(|_| times.rate());
    visit.errors = errors(&stats);
    drop(capture);
    let errors = visit.errors;
    match visit.problem {
        _ if visit.findings.pictures.looked_at > 0 || errors.damaged() > 0 => Ok(visit),
        Some(problem) => Err(problem),
        None => Err("ended before a picture came".to_owned()),
    }
}

impl Errors {
    /// Pictures that came, and of which nothing was to be seen.
    pub fn damaged(self) -> u64 {
        self.flagged + self.empty
    }
}

fn patience(camera: &config::Camera) -> Duration {
    let interval = camera.fps().millihertz().map_or(Duration::ZERO, |rate| {
        Duration::from_secs(1000) / rate.max(1)
    });
    PATIENCE.max(PATIENCE_PICTURES * interval)
}

fn errors(stats: &Stats) -> Errors {
    let summary = stats.summary("");
    let dropped = |reason: DropReason| {
        let count = summary.frames_dropped.get(reason.name());
        count.copied().unwrap_or(0)
    };
    Errors {
        flagged: dropped(DropReason::ErrorFlag),
        empty: dropped(DropReason::Empty),
        flagged_but_whole: summary.flagged_but_whole,
        lost_in_driver: summary.sequence_gaps,
        timestamps_replaced: summary.timestamps_replaced,
        reopened: summary.reopened,
        not_looked_at: dropped(DropReason::Superseded),
    }
}
