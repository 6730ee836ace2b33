//! A camera's thread: what it captures it transmits, frame by frame, until its end.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::signal::Signal;
use tracing::warn;

use crate::capture::Capture;
use crate::config;
use crate::frame::Frame;
use crate::heartbeat::{Heartbeat, Watched};
use crate::jpeg::Parser;
use crate::log_limit::LogLimit;
use crate::rtp::{Refused, carry};
use crate::stats::{DropReason, Stats, Summary};
use crate::stop::Stop;
use crate::transmit::Transmitter;

/// A camera's running thread.
pub struct CameraThread {
    config: config::Camera,
    wanted: Arc<WantedOutputs>,
    stats: Arc<Stats>,
    stop: Arc<Stop>,
    ended: Arc<Stop>,
    watched: Watched,
    thread: JoinHandle<()>,
}

/// Why a camera could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No thread or event descriptor could be made.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

impl CameraThread {
    /// Starts the thread of `config`'s camera. It ends after `limit` sent frames, or when it is told to.
    pub fn start(config: &config::Camera, limit: Option<u64>) -> Result<Self, StartError> {
        let name = config.name();
        let wanted = Arc::new(WantedOutputs::new(config.outputs.clone()));
        let stats = Arc::new(Stats::default());
        let stop = Arc::new(Stop::new()?);
        let ended = Arc::new(Stop::new()?);
        let heartbeat = Arc::new(Heartbeat::default());
        let thread = thread::Builder::new().name(name.to_string()).spawn({
            let (config, wanted, stats) = (config.clone(), wanted.clone(), stats.clone());
            let (stop, heartbeat) = (stop.clone(), heartbeat.clone());
            let running = RaiseOnDrop(ended.clone());
            move || {
                let _running = running;
                run(&config, &wanted, &stats, &stop, &heartbeat, limit);
            }
        })?;
        Ok(Self {
            config: config.clone(),
            wanted,
            stats,
            stop,
            ended,
            watched: Watched::new(format!("{name}: its thread"), heartbeat, Instant::now()),
            thread,
        })
    }

    /// What it was started with, and the outputs that it was given since.
    pub fn config(&self) -> &config::Camera {
        &self.config
    }

    /// Has these outputs instead; those that stay the same lose nothing.
    pub fn replace_outputs(&mut self, outputs: &[config::Output]) {
        self.config.outputs = outputs.to_vec();
        self.wanted.replace(outputs.to_vec());
    }

    /// The counters.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The counters now, under the camera's name.
    pub fn summary(&self) -> Summary {
        self.stats.summary(self.config.name().as_str())
    }

    /// The thread, to see that it lives.
    pub fn watched(&mut self) -> &mut Watched {
        &mut self.watched
    }

    /// Tells the camera to end.
    pub fn stop(&self) {
        self.stop.raise();
    }

    /// Goes up when the thread has ended, whatever the reason: [`Self::join`] does not wait then.
    pub fn ended(&self) -> &Stop {
        &self.ended
    }

    /// Waits for the thread; returns the final counters and whether it did not panic.
    pub fn join(self) -> (Summary, bool) {
        let well = self.thread.join().is_ok();
        (self.stats.summary(self.config.name().as_str()), well)
    }
}

/// Raises the flag even when the thread panics or never comes to be, so that nobody waits for it forever.
#[derive(Debug)]
struct RaiseOnDrop(Arc<Stop>);

impl Drop for RaiseOnDrop {
    fn drop(&mut self) {
        self.0.raise();
    }
}

/// The outputs that a camera is to have, told to its thread while it runs: the newest list wins.
struct WantedOutputs(Signal<CriticalSectionRawMutex, Vec<config::Output>>);

impl WantedOutputs {
    /// The outputs to begin with.
    fn new(outputs: Vec<config::Output>) -> Self {
        let wanted = Self(Signal::new());
        wanted.0.signal(outputs);
        wanted
    }

    /// Has these instead, within about a second; outputs that are in both lists go on undisturbed.
    fn replace(&self, outputs: Vec<config::Output>) {
        // Taken out first: `signal` would free the older list inside the critical section that all cameras share.
        drop(self.0.try_take());
        self.0.signal(outputs);
    }

    /// The list that is not in force yet.
    fn take(&self) -> Option<Vec<config::Output>> {
        self.0.try_take()
    }
}

/// The loop of a camera: the newest frame from the driver to the network, as long as it is not told to stop and fewer
/// than `limit` frames were sent.
fn run(
    config: &config::Camera,
    wanted: &WantedOutputs,
    stats: &Stats,
    stop: &Stop,
    heartbeat: &Heartbeat,
    limit: Option<u64>,
) {
    let mut capture = Capture::new(config, stats, stop, heartbeat);
    let mut transmitter = Transmitter::new(config.name().as_str(), stats);
    let mut parser = Parser::default();
    let mut refusals = Refusals::default();
    while !stop.is_raised() && limit.is_none_or(|limit| stats.frames_sent() < limit) {
        heartbeat.beat();
        if let Some(outputs) = wanted.take() {
            transmitter.set_outputs(&outputs);
        }
        if let Some(frame) = capture.take() {
            match send(&frame, &mut parser, &mut transmitter, &mut capture) {
                Ok(()) => stats.frame_sent(),
                Err(lost) => {
                    stats.frame_dropped(lost.reason());
                    refusals.log(config.name(), &lost);
                }
            }
        }
        transmitter.report();
    }
    transmitter.close();
}

/// The way of one frame: parsed, found fit for RTP, and sent batch by batch, each when it is due. While nothing is
/// due the pictures that come are taken from the driver.
fn send(
    frame: &Frame,
    parser: &mut Parser,
    transmitter: &mut Transmitter,
    capture: &mut Capture,
) -> Result<(), Lost> {
    let image = parser.parse(&frame.data).map_err(Refused::from)?;
    let picture = carry(&image)?;
    let mut flight = transmitter.begin(frame, &picture);
    while let Some(due) = flight.next_due() {
        capture.wait_until(due);
        flight.send_due();
    }
    Ok(flight.end()?)
}

/// Why a frame was not sent.
enum Lost {
    /// RTP/JPEG cannot carry it.
    Refused(Refused),
    /// It reached no destination.
    Unsent(DropReason),
}

impl From<Refused> for Lost {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<DropReason> for Lost {
    fn from(reason: DropReason) -> Self {
        Self::Unsent(reason)
    }
}

impl Lost {
    fn reason(&self) -> DropReason {
        match *self {
            Self::Refused(refused) => refused.into(),
            Self::Unsent(reason) => reason,
        }
    }
}

/// Logs why pictures are refused, each reason at most once a minute.
#[derive(Default)]
struct Refusals([LogLimit; DropReason::ALL.len()]);

impl Refusals {
    /// What is wrong with a destination is logged where it is noticed.
    fn log(&mut self, camera: &config::Name, lost: &Lost) {
        let Lost::Refused(refused) = lost else {
            return;
        };
        let limit = self.0.get_mut(lost.reason() as usize);
        if let Some(count) = limit.and_then(|each| each.note(Instant::now())) {
            warn!("{camera}: frame dropped, {count} times: {refused}");
        }
    }
}
