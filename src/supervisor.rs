//! A camera's thread: what it captures it transmits, frame by frame, until its end.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::capture::Capture;
use crate::config::{self, Rtp};
use crate::pulse::{Pulse, Watched};
use crate::stats::{Stats, Summary};
use crate::stop::Stop;
use crate::transmit::{Transmitter, Wanted};

/// A camera's running thread.
pub struct Supervisor {
    config: config::Camera,
    wanted: Arc<Wanted>,
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

impl Supervisor {
    /// Starts the thread of `config`'s camera. It ends after `limit` sent frames, or when it is told to.
    pub fn start(config: &config::Camera, limit: Option<u64>) -> Result<Self, StartError> {
        let name = config.name();
        let wanted = Arc::new(Wanted::new(config.outputs.clone()));
        let stats = Arc::new(Stats::default());
        let stop = Arc::new(Stop::new()?);
        let ended = Arc::new(Stop::new()?);
        let pulse = Arc::new(Pulse::default());
        let thread = thread::Builder::new().name(name.to_string()).spawn({
            let (config, wanted, stats) = (config.clone(), wanted.clone(), stats.clone());
            let (stop, pulse) = (stop.clone(), pulse.clone());
            let running = RaiseOnDrop(ended.clone());
            move || {
                let _running = running;
                run(&config, &wanted, &stats, &stop, &pulse, limit);
            }
        })?;
        Ok(Self {
            config: config.clone(),
            wanted,
            stats,
            stop,
            ended,
            watched: Watched::new(format!("{name}: its thread"), pulse, Instant::now()),
            thread,
        })
    }

    /// What it was started with, and the outputs that it was given since.
    pub fn config(&self) -> &config::Camera {
        &self.config
    }

    /// Has these outputs instead; those that stay the same lose nothing.
    pub fn replace_outputs(&mut self, outputs: &[Rtp]) {
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

/// The loop of a camera: the newest frame from the driver to the network, as long as it is not told to stop and fewer
/// than `limit` frames were sent.
fn run(
    config: &config::Camera,
    wanted: &Wanted,
    stats: &Stats,
    stop: &Stop,
    pulse: &Pulse,
    limit: Option<u64>,
) {
    let mut capture = Capture::new(config, stats, stop, pulse);
    let mut transmitter = Transmitter::new(config.name().as_str(), stats);
    while !stop.is_raised() && limit.is_none_or(|limit| transmitter.sent() < limit) {
        pulse.beat();
        if let Some(outputs) = wanted.take() {
            transmitter.set_outputs(&outputs);
        }
        if let Some(frame) = capture.take() {
            transmitter.transmit(&frame, &mut |due| capture.wait_until(due));
        }
        transmitter.report();
    }
    transmitter.close();
}
