//! The cameras that run, made to be those that the configuration wants: each goes on, changes, ends or starts alone.

mod panels;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::{debug, error, info};

use crate::backoff::Backoff;
use crate::camera::{CameraThread, Parting, StartError};
use crate::config;
use crate::directory::{Directory, Entry};
use crate::heartbeat::Watched;
use crate::kept::Shelf;
use crate::ledger::Ledger;
use crate::log_limit::LogLimits;
use crate::stats::{Stats, Summary};
use crate::stop::Stop;
use crate::viewers::Viewers;

/// Longest time that the thread of a camera may take to end: a V4L2 ioctl on a dying camera returns after 5 s.
const LONGEST_FAREWELL: Duration = Duration::from_secs(7);
/// Pause before a camera is started again after a panic, which may happen again.
const PANIC_PAUSE: Duration = Duration::from_secs(3);
/// Waits after a thread that could not be started: the first, and the longest.
const SHORTEST_BACK_OFF: Duration = Duration::from_secs(1);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);
/// Pause between two looks at threads that are to end.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// All cameras of the process.
pub struct Cameras {
    /// `--frames`.
    limit: Option<u64>,
    ledger: Option<Arc<Ledger>>,
    shelf: Shelf,
    /// What those see who come by a door.
    directory: Arc<Directory>,
    /// Whether it says what is.
    is_listed: bool,
    running: Vec<CameraThread>,
    leaving: Vec<Leaving>,
    /// To be started, and not before those that leave are gone: they may use the same device or port.
    waiting: Vec<Waiting>,
    /// The names in the order of the configuration.
    order: Vec<config::Name>,
    all_well: bool,
    said: LogLimits,
}

/// A camera whose thread was told to end.
struct Leaving {
    camera: CameraThread,
    since: Instant,
    /// It takes too long, and that was said.
    given_up: bool,
}

impl Leaving {
    fn new(camera: CameraThread, since: Instant) -> Self {
        Self {
            camera,
            since,
            given_up: false,
        }
    }

    /// Whether it is late now, for the first time.
    fn is_given_up(&mut self, now: Instant) -> bool {
        let late = now.saturating_duration_since(self.since) >= LONGEST_FAREWELL;
        late && !std::mem::replace(&mut self.given_up, true)
    }
}

/// A camera that has no thread yet.
struct Waiting {
    config: config::Camera,
    /// When it is started.
    due: Instant,
    /// Why it could not be started the last time.
    problem: Option<String>,
    backoff: Backoff,
}

impl Waiting {
    fn new(config: config::Camera, due: Instant) -> Self {
        Self {
            config,
            due,
            problem: None,
            backoff: Backoff::new(SHORTEST_BACK_OFF, LONGEST_BACK_OFF),
        }
    }

    /// Its counters, where it has a problem.
    fn summary(&self) -> Option<Summary> {
        let stats = Stats::default();
        stats.source_missing(self.problem.as_ref()?);
        Some(stats.summary(self.config.name().as_str()))
    }
}

impl Cameras {
    /// No camera yet; each will end after `limit` frames, its streams are kept in `ledger`, and values of its controls
    /// on `shelf`.
    pub fn new(limit: Option<u64>, ledger: Option<Arc<Ledger>>, shelf: Shelf) -> Self {
        Self {
            limit,
            ledger,
            shelf,
            directory: Arc::default(),
            is_listed: true,
            running: Vec::new(),
            leaving: Vec::new(),
            waiting: Vec::new(),
            order: Vec::new(),
            all_well: true,
            said: LogLimits::default(),
        }
    }

    /// Runs the cameras of `wanted` from now on. One that stays as it is notices nothing; one that differs goes on with
    /// the new configuration; any other ends.
    pub fn want(&mut self, wanted: &[config::Camera], now: Instant) {
        self.read_kept(wanted);
        for mut camera in std::mem::take(&mut self.running) {
            let name = camera.config().name().clone();
            match wanted.iter().find(|wanted| *wanted.name() == name) {
                Some(wanted) if wanted == camera.config() => self.running.push(camera),
                Some(wanted) if !camera.ended().is_raised() => {
                    let same = wanted.films_as(camera.config());
                    info!(
                        "{name}: {}",
                        if same { "outputs changed" } else { "changed" }
                    );
                    camera.change(wanted, now);
                    self.running.push(camera);
                }
                wanted => {
                    let what = wanted.map_or("removed", |_| "changed, starts again");
                    info!("{name}: {what}");
                    camera.stop(Parting::End);
                    self.leaving.push(Leaving::new(camera, now));
                }
            }
        }
        let starts = |wanted: &&config::Camera| {
            let mut running = self.running.iter();
            !running.any(|camera| camera.config().name() == wanted.name())
        };
        let waiting = wanted.iter().filter(starts);
        self.waiting = waiting
            .map(|camera| Waiting::new(camera.clone(), now))
            .collect();
        self.order = wanted.iter().map(|camera| camera.name().clone()).collect();
        self.is_listed = false;
        self.turn(now);
    }

    /// Removes the cameras that have ended, and starts those whose time has come.
    pub fn turn(&mut self, now: Instant) {
        self.note_panics(now);
        self.replace_deaf(now);
        for mut leaving in std::mem::take(&mut self.leaving) {
            if leaving.camera.ended().is_raised() {
                let (summary, _) = leaving.camera.join();
                info!("ended: {summary}");
                continue;
            }
            if leaving.is_given_up(now) {
                let name = leaving.camera.config().name();
                error!("{name}: its thread does not end; going on without it");
            }
            self.leaving.push(leaving);
        }
        if self.waiting.iter().any(|each| each.due <= now) && !self.is_someone_leaving(now) {
            self.start_waiting(now);
        }
        if !self.is_listed {
            self.write_directory();
        }
    }

    /// A camera without `--frames` ends untold only when its thread has panicked.
    fn note_panics(&mut self, now: Instant) {
        if self.limit.is_some() {
            return;
        }
        for camera in std::mem::take(&mut self.running) {
            if camera.ended().is_raised() {
                error!(
                    "{}: its thread has panicked; the camera starts again",
                    camera.config().name()
                );
                self.is_listed = false;
                let config = camera.config().clone();
                self.waiting.push(Waiting::new(config, now + PANIC_PAUSE));
                self.leaving.push(Leaving::new(camera, now));
            } else {
                self.running.push(camera);
            }
        }
    }

    /// A thread that hangs in a driver does not hear of its new configuration, which may name another camera.
    fn replace_deaf(&mut self, now: Instant) {
        for camera in std::mem::take(&mut self.running) {
            let is_deaf = |since| now.saturating_duration_since(since) >= LONGEST_FAREWELL;
            if !camera.ended().is_raised()
                && let Some(since) = camera.deaf_since().filter(|since| is_deaf(*since))
            {
                error!(
                    "{}: its thread does not take its new configuration; another one starts",
                    camera.config().name()
                );
                camera.stop(Parting::Pause);
                self.is_listed = false;
                let config = camera.config().clone();
                self.waiting.push(Waiting::new(config, now));
                self.leaving.push(Leaving {
                    camera,
                    since,
                    given_up: true,
                });
            } else {
                self.running.push(camera);
            }
        }
    }

    /// Starts the thread of a camera. Whoever watched it goes on.
    fn start(&self, config: &config::Camera) -> Result<CameraThread, StartError> {
        let (viewers, panel) = (self.viewers(config)?, self.panel(config));
        CameraThread::start(config, self.limit, self.ledger.clone(), viewers, panel)
    }

    fn viewers(&self, config: &config::Camera) -> io::Result<Arc<Viewers>> {
        match self.directory.find(config.name().as_str()) {
            Some(entry) => Ok(entry.viewers),
            None => Ok(Arc::new(Viewers::new()?)),
        }
    }

    /// Where values of controls are kept.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// Writes down which cameras there are. One that waits for its thread can be asked for, too.
    fn write_directory(&mut self) {
        let running = self.running.iter().map(|camera| Entry {
            config: Arc::new(camera.config().clone()),
            stats: camera.stats().clone(),
            viewers: camera.viewers().clone(),
            panel: camera.panel().clone(),
        });
        let waiting = self.waiting.iter().filter_map(|waiting| {
            let stats = Stats::default();
            if let Some(problem) = &waiting.problem {
                stats.source_missing(problem);
            }
            Some(Entry {
                config: Arc::new(waiting.config.clone()),
                stats: Arc::new(stats),
                viewers: self.viewers(&waiting.config).ok()?,
                panel: self.panel(&waiting.config),
            })
        });
        let mut entries: Vec<Entry> = running.chain(waiting).collect();
        let order = &self.order;
        entries.sort_by_key(|entry| order.iter().position(|name| name == entry.config.name()));
        self.directory.set(entries);
        self.is_listed = true;
    }

    fn start_waiting(&mut self, now: Instant) {
        self.is_listed = false;
        for mut waiting in std::mem::take(&mut self.waiting) {
            if waiting.due > now {
                self.waiting.push(waiting);
                continue;
            }
            match self.start(&waiting.config) {
                Ok(camera) => self.running.push(camera),
                Err(problem) => {
                    let problem = problem.to_string();
                    let name = waiting.config.name();
                    let what = format!("{name}: {problem}; trying again");
                    if let Some(times) = self.said.note(&what, now) {
                        error!("{what}{times}");
                    }
                    waiting.due = now + waiting.backoff.wait();
                    waiting.problem = Some(problem);
                    self.waiting.push(waiting);
                }
            }
        }
        // For whoever reads status and summaries.
        let order = &self.order;
        self.running
            .sort_by_key(|camera| order.iter().position(|name| name == camera.config().name()));
    }

    /// Whether a change is under way: a camera ends or waits for that. True for a limited time: a camera that could
    /// not be started may wait for ever.
    pub fn is_changing(&self, now: Instant) -> bool {
        self.waiting.iter().any(|each| each.problem.is_none()) || self.is_someone_leaving(now)
    }

    /// Whether a camera that was told to end may still do so.
    fn is_someone_leaving(&self, now: Instant) -> bool {
        let mut leaving = self.leaving.iter();
        leaving.any(|each| now.saturating_duration_since(each.since) < LONGEST_FAREWELL)
    }

    /// Whether nothing runs any more, and nothing will.
    pub fn all_ended(&self) -> bool {
        self.waiting.is_empty() && self.leaving.is_empty() && self.going_to_end().next().is_none()
    }

    /// The flags that go up when a camera ends.
    pub fn going_to_end(&self) -> impl Iterator<Item = &Stop> {
        let leaving = self.leaving.iter().map(|each| &each.camera);
        let all = self.running.iter().chain(leaving);
        all.map(CameraThread::ended)
            .filter(|ended| !ended.is_raised())
    }

    /// What those see who come by a door.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// The cameras that run, in the order of the configuration.
    pub fn running(&self) -> &[CameraThread] {
        &self.running
    }

    /// The cameras that could not be started, and why.
    pub fn not_started(&self) -> impl Iterator<Item = (&config::Name, &str)> {
        let waiting = self.waiting.iter();
        waiting.filter_map(|each| Some((each.config.name(), each.problem.as_deref()?)))
    }

    /// How many cameras the configuration has.
    pub fn configured(&self) -> usize {
        self.order.len()
    }

    /// Every thread whose loop has to turn: those of cameras that are wanted. One that has had its `--frames` is done.
    pub fn watched(&mut self) -> impl Iterator<Item = &mut Watched> {
        let limited = self.limit.is_some();
        self.running
            .iter_mut()
            .filter(move |camera| !(limited && camera.ended().is_raised()))
            .map(CameraThread::watched)
    }

    /// A line for each camera about the time since the last such line; returns all counters.
    pub fn log_intervals(&mut self, now: Instant) -> Vec<Summary> {
        let intervals = self.running.iter_mut().map(|camera| camera.interval(now));
        let running = intervals.map(|interval| {
            info!("{interval}");
            debug!("{}", interval.summary());
            interval.into_summary()
        });
        let not_started = self.waiting.iter().filter_map(Waiting::summary);
        running
            .chain(not_started.inspect(|summary| info!("{summary}")))
            .collect()
    }

    /// Ends all cameras; returns the final counters, and whether all ended well and in time.
    pub fn end(mut self, parting: Parting) -> (Vec<Summary>, bool) {
        let since = Instant::now();
        self.running.iter().for_each(|camera| camera.stop(parting));
        while self.going_to_end().next().is_some() && since.elapsed() < LONGEST_FAREWELL {
            std::thread::sleep(LOOK_INTERVAL);
        }
        let not_started = self.waiting.iter();
        let mut summaries: Vec<_> = not_started
            .filter_map(|each| Some((each.config.name().clone(), each.summary()?)))
            .collect();
        self.all_well &= summaries.is_empty();
        let leaving = self.leaving.into_iter().map(|each| (each.camera, false));
        let running = self.running.into_iter().map(|camera| (camera, true));
        for (camera, reported) in running.chain(leaving) {
            let name = camera.config().name().clone();
            let (summary, well) = if camera.ended().is_raised() {
                camera.join()
            } else {
                error!("{name}: its thread does not end");
                (camera.summary(), false)
            };
            self.all_well &= well;
            if reported {
                summaries.push((name, summary));
            }
        }
        summaries.sort_by_key(|(name, _)| self.order.iter().position(|each| each == name));
        let summaries = summaries.into_iter().map(|(_, summary)| summary);
        (summaries.collect(), self.all_well)
    }
}

#[cfg(test)]
mod tests;
