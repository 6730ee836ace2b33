//! A camera's thread: what it captures it transmits, frame by frame, until its end.

mod film;
mod said;
mod suspects;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use film::{Shared, Wanted};

use crate::config;
use crate::heartbeat::Watched;
use crate::ledger::Ledger;
use crate::panel::Panel;
use crate::stats::{Interval, Stats, Summary};
use crate::stop::Stop;
use crate::viewers::Viewers;

/// A camera's running thread.
pub struct CameraThread {
    config: config::Camera,
    /// When it was given another configuration.
    changed: Instant,
    shared: Arc<Shared>,
    ended: Arc<Stop>,
    watched: Watched,
    /// The counters at the last look at an interval, and when that was.
    looked: (Summary, Instant),
    thread: JoinHandle<()>,
}

/// How a camera leaves its receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parting {
    /// Its streams have ended, and they are told.
    End,
    /// Its streams may go on soon: many players end for good when they hear a good-bye.
    Pause,
}

/// Why a camera could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No thread or event descriptor could be made.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

impl CameraThread {
    /// Starts the thread of `config`'s camera, whose streams go on from where `ledger` has them, and which `viewers`
    /// watch, and whose controls are set on `panel`. It ends after `limit` frames that were taken for sending, or when it is told to.
    pub fn start(
        config: &config::Camera,
        limit: Option<u64>,
        ledger: Option<Arc<Ledger>>,
        viewers: Arc<Viewers>,
        panel: Arc<Panel>,
    ) -> Result<Self, StartError> {
        let shared = Arc::new(Shared {
            wanted: Wanted::default(),
            stats: Arc::default(),
            viewers,
            panel,
            stop: Stop::new()?,
            pauses: AtomicBool::new(false),
            heartbeat: Arc::default(),
        });
        let ended = Arc::new(Stop::new()?);
        let name = config.name();
        let thread = thread::Builder::new().name(name.to_string()).spawn({
            let (config, shared) = (config.clone(), shared.clone());
            let running = RaiseOnDrop(ended.clone());
            move || {
                let _running = running;
                shared.run(config, limit, ledger);
            }
        })?;
        let (label, now) = (format!("{name}: its thread"), Instant::now());
        Ok(Self {
            looked: (shared.stats.summary(name.as_str()), now),
            config: config.clone(),
            changed: now,
            watched: Watched::new(label, shared.heartbeat.clone(), now),
            shared,
            ended,
            thread,
        })
    }

    /// What it was told last to do.
    pub fn config(&self) -> &config::Camera {
        &self.config
    }

    /// Uses this configuration instead; outputs that stay lose nothing, and no stream notices that the camera changes.
    pub fn change(&mut self, config: &config::Camera, now: Instant) {
        self.config = config.clone();
        // Of several words that it does not hear the first tells for how long.
        self.changed = self.deaf_since().unwrap_or(now);
        self.shared.wanted.replace(config.clone());
    }

    /// Since when its thread has not taken a changed configuration.
    pub fn deaf_since(&self) -> Option<Instant> {
        self.shared.wanted.is_waiting().then_some(self.changed)
    }

    /// The counters.
    pub fn stats(&self) -> &Arc<Stats> {
        &self.shared.stats
    }

    /// Who watches it.
    pub fn viewers(&self) -> &Arc<Viewers> {
        &self.shared.viewers
    }

    /// Where its controls are set.
    pub fn panel(&self) -> &Arc<Panel> {
        &self.shared.panel
    }

    /// The counters now, under the camera's name.
    pub fn summary(&self) -> Summary {
        self.shared.stats.summary(self.config.name().as_str())
    }

    /// What has happened since the last call, or since the start.
    pub fn interval(&mut self, now: Instant) -> Interval {
        let summary = self.summary();
        let (before, since) = std::mem::replace(&mut self.looked, (summary.clone(), now));
        Interval::new(before, summary, now.saturating_duration_since(since))
    }

    /// The thread, to see that it lives.
    pub fn watched(&mut self) -> &mut Watched {
        &mut self.watched
    }

    /// Tells the camera to end.
    pub fn stop(&self, parting: Parting) {
        let pauses = parting == Parting::Pause;
        self.shared.pauses.store(pauses, Ordering::Release);
        self.shared.stop.raise();
    }

    /// Goes up when the thread has ended, whatever the reason: [`Self::join`] does not wait then.
    pub fn ended(&self) -> &Stop {
        &self.ended
    }

    /// Waits for the thread; returns the final counters and whether it did not panic.
    pub fn join(self) -> (Summary, bool) {
        let well = self.thread.join().is_ok();
        (self.shared.stats.summary(self.config.name().as_str()), well)
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
