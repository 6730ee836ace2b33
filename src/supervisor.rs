//! Joins the stages of a camera: its capture thread, its transmit thread, and their end.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::capture;
use crate::config;
use crate::handoff::Handoff;
use crate::pulse::Pulse;
use crate::stats::{DropReason, Stats, Summary};
use crate::stop::Stop;
use crate::transmit::{self, Wanted};

/// Held by every running thread; the flag goes up when the last of them has ended.
#[derive(Debug)]
pub struct Running(pub Arc<Stop>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.raise();
    }
}

/// A camera's two running threads.
#[derive(Debug)]
pub struct Supervisor {
    name: String,
    stats: Arc<Stats>,
    stop: Arc<Stop>,
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
    pub fn start(
        config: &config::Camera,
        limit: Option<u64>,
        running: &Arc<Running>,
    ) -> Result<Self, StartError> {
        let name = config.name().to_string();
        let wanted = Arc::new(Wanted::new(config.outputs.clone()));
        let stats = Arc::new(Stats::default());
        let stop = Arc::new(Stop::new()?);
        let pulses = [Arc::new(Pulse::default()), Arc::new(Pulse::default())];
        let handoff = Arc::new(Handoff::new());

        let transmit = thread::Builder::new()
            .name(format!("{name}-transmit"))
            .spawn({
                let (name, handoff, running) = (name.clone(), handoff.clone(), running.clone());
                let (stats, stop, pulse) = (stats.clone(), stop.clone(), pulses[1].clone());
                move || {
                    let _running = running;
                    let _capture_ends_too = RaiseOnDrop(&stop);
                    transmit::run(&name, &handoff, &wanted, &stats, &pulse, limit);
                }
            })?;
        let capture = thread::Builder::new()
            .name(format!("{name}-capture"))
            .spawn({
                let (config, running) = (config.clone(), running.clone());
                let (stats, stop, pulse) = (stats.clone(), stop.clone(), pulses[0].clone());
                move || {
                    let _running = running;
                    capture(&config, &handoff, &stats, &stop, &pulse)
                }
            })?;
        Ok(Self {
            name,
            stats,
            stop,
            capture,
            transmit,
        })
    }

    /// The counters now.
    pub fn summary(&self) -> Summary {
        self.stats.summary(&self.name)
    }

    /// Tells the camera to end.
    pub fn stop(&self) {
        self.stop.raise();
    }

    /// Waits for the threads; returns the final counters and whether none of them panicked.
    pub fn join(self) -> (Summary, bool) {
        let captured = self.capture.join().is_ok();
        let transmitted = self.transmit.join().is_ok();
        (self.stats.summary(&self.name), captured && transmitted)
    }
}

/// The capture thread: it waits for a camera that is not there, so it ends only when it is told to.
fn capture(config: &config::Camera, handoff: &Handoff, stats: &Stats, stop: &Stop, pulse: &Pulse) {
    let _transmit_ends_too = EndOnDrop { handoff, stats };
    capture::keep_running(config, handoff, stats, stop, pulse);
}

/// Raises the flag even when the thread panics, so that no other waits for it forever.
struct RaiseOnDrop<'a>(&'a Stop);

impl Drop for RaiseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.raise();
    }
}

/// Ends the hand-off even when the thread panics; a frame that nobody took is counted.
struct EndOnDrop<'a> {
    handoff: &'a Handoff,
    stats: &'a Stats,
}

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        if self.handoff.end().is_some() {
            self.stats.frame_dropped(DropReason::Stopped);
        }
    }
}
