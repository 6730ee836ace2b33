//! Joins the stages of a camera: its capture thread, its transmit thread, and their end.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::capture;
use crate::config::{self, Rtp};
use crate::handoff::Handoff;
use crate::pulse::{Pulse, Watched};
use crate::stats::{DropReason, Stats, Summary};
use crate::stop::Stop;
use crate::transmit::{self, Wanted};

/// A camera's two running threads.
#[derive(Debug)]
pub struct Supervisor {
    config: config::Camera,
    wanted: Arc<Wanted>,
    stats: Arc<Stats>,
    stop: Arc<Stop>,
    ended: Arc<Stop>,
    watched: [Watched; 2],
    capture: JoinHandle<()>,
    transmit: JoinHandle<()>,
}

/// Why a camera could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No thread or event descriptor could be made.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

impl Supervisor {
    /// Starts the threads of `config`'s camera. It ends after `limit` sent frames, or when it is told to.
    pub fn start(config: &config::Camera, limit: Option<u64>) -> Result<Self, StartError> {
        let name = config.name().to_string();
        let wanted = Arc::new(Wanted::new(config.outputs.clone()));
        let stats = Arc::new(Stats::default());
        let stop = Arc::new(Stop::new()?);
        let ended = Arc::new(Stop::new()?);
        let running = Arc::new(RaiseOnDrop(ended.clone()));
        let pulses = [Arc::new(Pulse::default()), Arc::new(Pulse::default())];
        let handoff = Arc::new(Handoff::new());

        let transmit = thread::Builder::new()
            .name(format!("{name}-transmit"))
            .spawn({
                let (name, handoff, running) = (name.clone(), handoff.clone(), running.clone());
                let (wanted, stats, pulse) = (wanted.clone(), stats.clone(), pulses[1].clone());
                let capture_ends_too = RaiseOnDrop(stop.clone());
                move || {
                    let _running = running;
                    let _capture_ends_too = capture_ends_too;
                    transmit::run(&name, &handoff, &wanted, &stats, &pulse, limit);
                }
            })?;
        let capture = thread::Builder::new()
            .name(format!("{name}-capture"))
            .spawn({
                let (config, stop, pulse) = (config.clone(), stop.clone(), pulses[0].clone());
                let transmit_ends_too = EndOnDrop {
                    handoff,
                    stats: stats.clone(),
                };
                move || {
                    let _running = running;
                    let EndOnDrop { handoff, stats } = &transmit_ends_too;
                    capture::keep_running(&config, handoff, stats, &stop, &pulse);
                }
            })?;
        let [captures, transmits] = pulses;
        let now = Instant::now();
        Ok(Self {
            config: config.clone(),
            wanted,
            stats,
            stop,
            ended,
            watched: [
                Watched::new(format!("{name}: the capture thread"), captures, now),
                Watched::new(format!("{name}: the transmit thread"), transmits, now),
            ],
            capture,
            transmit,
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

    /// The threads, to see that they live.
    pub fn watched(&mut self) -> &mut [Watched] {
        &mut self.watched
    }

    /// Tells the camera to end.
    pub fn stop(&self) {
        self.stop.raise();
    }

    /// Goes up when both threads have ended, whatever the reason: [`Self::join`] does not wait then.
    pub fn ended(&self) -> &Stop {
        &self.ended
    }

    /// Waits for the threads; returns the final counters and whether none of them panicked.
    pub fn join(self) -> (Summary, bool) {
        let captured = self.capture.join().is_ok();
        let transmitted = self.transmit.join().is_ok();
        (
            self.stats.summary(self.config.name().as_str()),
            captured && transmitted,
        )
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

/// Ends the hand-off in the same way; a frame that nobody took is counted.
struct EndOnDrop {
    handoff: Arc<Handoff>,
    stats: Arc<Stats>,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        if self.handoff.end().is_some() {
            self.stats.frame_dropped(DropReason::Stopped);
        }
    }
}
